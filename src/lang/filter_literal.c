// SPDX-License-Identifier: Apache-2.0
// Literals: what a word or string is as a value of a type. The same word is a number beside a number and bytes beside
// bytes: "10" is ten or 0x10.
#include "lang/filter_parser.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>

const char *filter_type_name(enum field_type type)
{
	static const char *const names[] = {
		[FIELD_PROTOCOL] = "a protocol",
		[FIELD_BOOL] = "a boolean",
		[FIELD_UINT] = "a number",
		[FIELD_IPV4] = "an IPv4 address",
		[FIELD_IPV6] = "an IPv6 address",
		[FIELD_ETHER] = "an Ethernet address",
		[FIELD_TIME] = "a time",
		[FIELD_BYTES] = "a row of bytes",
		[FIELD_STRING] = "a string",
	};

	return names[type];
}

bool filter_is_bytes(enum field_type type)
{
	return type == FIELD_PROTOCOL || type == FIELD_BYTES;
}

const char *filter_term_quote(struct filter_parser *parser, const struct filter_term *term)
{
	uint32_t most = term->length > 60 ? 60 : term->length;

	if (term->is_string)
		return arena_print(parser->arena, "%.*s%s", (int)most, term->text, most < term->length ? "...\"" : "");
	return arena_print(parser->arena, "\"%.*s%s\"", (int)most, term->text, most < term->length ? "..." : "");
}

static struct filter_term *constant_of(
	struct filter_parser *parser, const struct filter_term *literal, enum field_type type)
{
	struct filter_term *term = filter_term_new(
		parser, TERM_CONSTANT, type, literal->text, literal->text + literal->length);

	term->value.type = type;
	return term;
}

// ---- numbers

static unsigned digit_of(char c)
{
	return isdigit((unsigned char)c) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;
}

// 0x.., 0b.., 0.. (octal), decimal; false: it is none. *is_great: more than 64 bits.
static bool read_number(const char *text, const char *end, uint64_t *number, bool *is_great)
{
	unsigned base = 10;
	size_t length = (size_t)(end - text);

	*number = 0;
	*is_great = false;
	if (length > 2 && *text == '0' && (text[1] == 'x' || text[1] == 'X'))
		base = 16, text += 2;
	else if (length > 2 && *text == '0' && (text[1] == 'b' || text[1] == 'B'))
		base = 2, text += 2;
	else if (length > 1 && *text == '0')
		base = 8, text++;
	for (; text < end; text++) {
		unsigned digit = digit_of(*text);

		if (!isxdigit((unsigned char)*text) || digit >= base)
			return false;
		*is_great |= __builtin_mul_overflow(*number, base, number) ||
			__builtin_add_overflow(*number, digit, number);
	}
	return length > 0;
}

struct filter_term *filter_number(struct filter_parser *parser, const struct filter_term *literal)
{
	struct filter_term *term = constant_of(parser, literal, FIELD_UINT);
	uint64_t number = 0;
	bool is_great = false;

	if (literal->is_character)
		number = literal->value.bytes[0];
	else if (literal->is_string ||
		!read_number(literal->text, literal->text + literal->length, &number, &is_great)) {
		filter_suggest(parser,
			filter_error(parser, literal->text, "%s is no number",
				filter_term_quote(parser, literal)),
			literal);
		return NULL;
	}
	if (is_great) {
		filter_error(parser, literal->text, "%s is too great: more than 64 bits",
			filter_term_quote(parser, literal));
		return NULL;
	}
	term->value.number = number;
	term->value.last = number;
	return term;
}

static bool as_number(const struct filter_term *literal, struct filter_datum *value)
{
	uint64_t number;
	bool is_great;

	if (literal->is_character) {
		value->number = literal->value.bytes[0];
		return true;
	}
	if (literal->is_string || !read_number(literal->text, literal->text + literal->length, &number, &is_great))
		return false;
	value->number = is_great
		? (filter_wide)1 << 64
		: number; // greater than any; said so by whoever knows how great it may be
	return true;
}

static bool as_bool(const struct filter_term *literal, struct filter_datum *value)
{
	static const struct {
		const char *word;
		bool is_true;
	} words[] = { { "True", true }, { "TRUE", true }, { "true", true }, { "False", false },
		{ "FALSE", false }, { "false", false } };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!literal->is_string && strlen(words[i].word) == literal->length &&
		    !memcmp(words[i].word, literal->text, literal->length)) {
			value->number = words[i].is_true;
			return true;
		}
	}
	if (!as_number(literal, value))
		return false;
	value->number = value->number != 0;
	return true;
}

// ---- addresses

// The length of a prefix behind "/", and the text in front of it.
static bool split_prefix(const struct filter_term *literal, char *addr, size_t size, unsigned bits, uint32_t *prefix)
{
	const char *slash = memchr(literal->text, '/', literal->length);
	size_t length = slash ? (size_t)(slash - literal->text) : literal->length;
	uint64_t number = 0;

	if (literal->is_string || literal->is_character || length >= size)
		return false;
	memcpy(addr, literal->text, length);
	addr[length] = 0;
	*prefix = bits;
	if (!slash)
		return true;
	if (literal->length - length > 4)
		return false;
	for (const char *c = slash + 1; c < literal->text + literal->length; c++) {
		if (!isdigit((unsigned char)*c))
			return false;
		number = number * 10 + (uint64_t)(*c - '0');
	}
	*prefix = (uint32_t)number;
	return slash + 1 < literal->text + literal->length && number <= bits;
}

// From the first to the last address that has these first bits.
static void set_prefix(struct filter_datum *value, unsigned bits, uint32_t prefix)
{
	filter_wide rest = bits - prefix == 128 ? ~(filter_wide)0 : ((filter_wide)1 << (bits - prefix)) - 1;

	value->number &= ~rest;
	value->last = value->number | rest;
}

static bool as_ipv4(const struct filter_term *literal, struct filter_datum *value)
{
	char text[64];
	struct in_addr addr;
	uint32_t prefix;

	if (!split_prefix(literal, text, sizeof(text), 32, &prefix) || inet_pton(AF_INET, text, &addr) != 1)
		return false;
	value->number = ntohl(addr.s_addr);
	set_prefix(value, 32, prefix);
	return true;
}

static bool as_ipv6(const struct filter_term *literal, struct filter_datum *value)
{
	char text[64];
	struct in6_addr addr;
	uint32_t prefix;

	if (!split_prefix(literal, text, sizeof(text), 128, &prefix) || inet_pton(AF_INET6, text, &addr) != 1)
		return false;
	for (int i = 0; i < 16; i++)
		value->number = value->number << 8 | addr.s6_addr[i];
	set_prefix(value, 128, prefix);
	return true;
}

// ---- bytes

// 00:11:22, 00-11-22, 00.11.22, 0011.2233, 001122, 7
static bool read_bytes(struct filter_parser *parser, const struct filter_term *literal, struct filter_datum *value)
{
	const char *at = literal->text, *end = at + literal->length;
	uint8_t *bytes = arena_take(parser->arena, literal->length / 2 + 1);
	uint32_t count = 0;
	char mark = 0;

	while (at < end) {
		const char *group = at;
		unsigned digits;

		while (at < end && isxdigit((unsigned char)*at))
			at++;
		digits = (unsigned)(at - group);
		if (!digits || (digits > 1 && digits % 2))
			return false;
		if (digits == 1)
			bytes[count++] = (uint8_t)digit_of(*group);
		for (unsigned i = 0; i + 1 < digits; i += 2)
			bytes[count++] = (uint8_t)(digit_of(group[i]) << 4 | digit_of(group[i + 1]));
		if (at == end)
			break;
		if ((*at != ':' && *at != '-' && *at != '.') || (mark && *at != mark))
			return false;
		mark = *at++;
		if (at == end && mark != ':') // "00:" is one byte
			return false;
	}
	value->bytes = bytes;
	value->length = count;
	return count > 0;
}

static bool as_ether(struct filter_parser *parser, const struct filter_term *literal, struct filter_datum *value)
{
	struct filter_datum bytes = { 0 };

	if (literal->is_string || literal->is_character || !read_bytes(parser, literal, &bytes) || bytes.length != 6)
		return false;
	for (int i = 0; i < 6; i++)
		value->number = value->number << 8 | bytes.bytes[i];
	return true;
}

static bool as_bytes(struct filter_parser *parser, const struct filter_term *literal, struct filter_datum *value)
{
	uint64_t number;
	bool is_great;

	if (literal->is_string || literal->is_character) {
		value->bytes = literal->value.bytes;
		value->length = literal->value.length;
		return true;
	}
	if (read_bytes(parser, literal, value))
		return true;
	if (literal->length != 4 || literal->text[0] != '0' || (literal->text[1] | 0x20) != 'x' ||
	    !read_number(literal->text, literal->text + 4, &number, &is_great))
		return false;
	value->bytes = memset(arena_take(parser->arena, 1), (int)number, 1);
	value->length = 1;
	return true;
}

static bool as_string(const struct filter_term *literal, struct filter_datum *value)
{
	if (!literal->is_string && !literal->is_character)
		return false;
	value->bytes = literal->value.bytes;
	value->length = literal->value.length;
	return true;
}

// ---- times

static bool as_seconds(const struct filter_term *literal, struct filter_datum *value)
{
	const char *at = literal->text, *end = at + literal->length;
	uint64_t seconds = 0, unit = 1000000000, part = 0;

	if (at == end || !isdigit((unsigned char)*at))
		return false;
	for (; at < end && isdigit((unsigned char)*at); at++)
		if ((seconds = seconds * 10 + (uint64_t)(*at - '0')) > INT64_MAX / 1000000000)
			return false;
	if (at < end && *at == '.')
		for (at++; at < end && isdigit((unsigned char)*at) && unit > 1; at++)
			part += (uint64_t)(*at - '0') * (unit /= 10);
	value->number = seconds * 1000000000 + part;
	return at == end;
}

static bool as_time(const struct filter_term *literal, struct filter_datum *value)
{
	uint64_t ns;

	if (!literal->is_string)
		return !literal->is_character && as_seconds(literal, value);
	if (!filter_literal_time((const char *)literal->value.bytes, literal->value.length, &ns))
		return false;
	value->number = ns;
	return true;
}

static bool convert(struct filter_parser *parser, const struct filter_term *literal, enum field_type type,
		    struct filter_datum *value)
{
	switch (type) {
	case FIELD_BOOL:
		return as_bool(literal, value);
	case FIELD_UINT:
		return as_number(literal, value);
	case FIELD_IPV4:
		return as_ipv4(literal, value);
	case FIELD_IPV6:
		return as_ipv6(literal, value);
	case FIELD_ETHER:
		return as_ether(parser, literal, value);
	case FIELD_TIME:
		return as_time(literal, value);
	case FIELD_STRING:
		return as_string(literal, value);
	default:
		return as_bytes(parser, literal, value);
	}
}

// ---- what is wrong with it

static bool looks_like_host(const struct filter_term *literal)
{
	bool has_letter = false;

	for (uint32_t i = 0; i < literal->length; i++)
		has_letter |= isalpha((unsigned char)literal->text[i]) != 0;
	return has_letter && !literal->is_string && memchr(literal->text, '.', literal->length);
}

static void explain(struct filter_parser *parser, struct diag_message *message, const struct filter_term *literal,
		    enum field_type type)
{
	static const char *const forms[] = {
		[FIELD_BOOL] = "True, False, 1 or 0",
		[FIELD_UINT] = "17, 0x11, 021, 0b10001 or 'a'",
		[FIELD_IPV4] = "10.0.0.1, or 10.0.0.0/8",
		[FIELD_IPV6] = "2001:db8::1, or 2001:db8::/32",
		[FIELD_ETHER] = "six bytes: 00:11:22:33:44:55",
		[FIELD_TIME] = "seconds, or \"2024-02-29 12:00:00Z\"",
		[FIELD_STRING] = "a string in double quotes",
		[FIELD_BYTES] = "00:11:22, or a string in double quotes",
		[FIELD_PROTOCOL] = "00:11:22, or a string in double quotes",
	};

	filter_suggest(parser, message, literal);
	if (message->hint)
		return;
	if ((type == FIELD_IPV4 || type == FIELD_IPV6) && looks_like_host(literal))
		diag_hint(parser->diag, message, "host names are not looked up; write the address");
	else if (literal->is_string && type != FIELD_TIME)
		diag_hint(parser->diag, message, "write it without quotes: %s", forms[type]);
	else
		diag_hint(parser->diag, message, "write %s", forms[type]);
}

struct filter_term *filter_constant(struct filter_parser *parser, const struct filter_term *literal,
				    enum field_type type, const struct filter_term *beside)
{
	struct filter_term *term = constant_of(parser, literal, filter_is_bytes(type) ? FIELD_BYTES : type);
	const struct filter_reference *reference = beside->reference;
	bool may_be_ipv4 = type == FIELD_IPV6 && reference && reference->operands[0].field->kind != FIELD_DERIVED;

	if (convert(parser, literal, type, &term->value)) {
		if (type != FIELD_IPV4 && type != FIELD_IPV6)
			term->value.last = term->value.number;
		if (type == FIELD_UINT && reference && term->value.number > reference->most) {
			filter_error(parser, literal->text, "%s is too great for %s: at most %llu",
				filter_term_quote(parser, literal),
				filter_term_quote(parser, beside),
				(unsigned long long)reference->most);
			return NULL;
		}
		return term;
	}
	if (may_be_ipv4 && as_ipv4(literal, &term->value)) { // as ::ffff:a.b.c.d
		term->value.number |= (filter_wide)0xffff << 32;
		term->value.last |= (filter_wide)0xffff << 32;
		return term;
	}
	explain(parser,
		filter_error(parser, literal->text, "%s is %s, %s is none",
			filter_term_quote(parser, beside), filter_type_name(type),
			filter_term_quote(parser, literal)),
		literal, type);
	return NULL;
}
