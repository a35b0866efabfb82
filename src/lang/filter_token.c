// SPDX-License-Identifier: Apache-2.0
// The words of a filter. Names, numbers, addresses and bytes are one kind of word: which of them it is depends on what
// it stands beside. A word ends at "..", takes a "-" only between letters or digits, and a "/" only behind an address.
#include "lang/filter_parser.h"

#include <ctype.h>

enum { MOST_ERRORS = 20 };

// ---- messages

static struct place place_of(const struct filter_parser *parser, const char *at)
{
	struct place place = parser->begin;

	for (const char *c = parser->text; c < at; c++) {
		if (*c == '\n') {
			place.line++;
			place.column = 1;
		} else if ((*c & 0xc0) != 0x80) {
			place.column++;
		}
	}
	return place;
}

struct diag_message *filter_error(struct filter_parser *parser, const char *at, const char *format, ...)
{
	va_list args;
	const char *text;

	va_start(args, format);
	text = arena_vprint(parser->diag->arena, format, args);
	va_end(args);
	if (++parser->errors >= MOST_ERRORS)
		parser->is_lost = true;
	return diag_error(parser->diag, place_of(parser, at), "%s", text);
}

struct diag_message *filter_warn(struct filter_parser *parser, const char *at, const char *format, ...)
{
	va_list args;
	const char *text;

	va_start(args, format);
	text = arena_vprint(parser->diag->arena, format, args);
	va_end(args);
	return diag_warn(parser->diag, place_of(parser, at), "%s", text);
}

// ---- strings

static int hex_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint32_t put_utf8(uint8_t *to, uint32_t point)
{
	if (point < 0x80)
		return to[0] = (uint8_t)point, 1;
	if (point < 0x800) {
		to[0] = (uint8_t)(0xc0 | point >> 6);
		to[1] = (uint8_t)(0x80 | (point & 63));
		return 2;
	}
	if (point < 0x10000) {
		to[0] = (uint8_t)(0xe0 | point >> 12);
		to[1] = (uint8_t)(0x80 | (point >> 6 & 63));
		to[2] = (uint8_t)(0x80 | (point & 63));
		return 3;
	}
	to[0] = (uint8_t)(0xf0 | point >> 18);
	to[1] = (uint8_t)(0x80 | (point >> 12 & 63));
	to[2] = (uint8_t)(0x80 | (point >> 6 & 63));
	to[3] = (uint8_t)(0x80 | (point & 63));
	return 4;
}

// Digits of an escape at *at, at most `most` of them, exactly so many if `exact`. False: they are not there.
static bool read_digits(const char **at, const char *end, unsigned base, unsigned most, bool exact, uint32_t *number)
{
	unsigned count = 0;

	*number = 0;
	for (; count < most && *at < end; count++, ++*at) {
		int digit = hex_of(**at);

		if (digit < 0 || digit >= (int)base)
			break;
		*number = *number * base + (uint32_t)digit;
	}
	return exact ? count == most : count > 0;
}

// The escape behind a backslash at *at; returns how many bytes it became, 0: it is none.
static uint32_t escape(const char **at, const char *end, uint8_t *to)
{
	static const char letters[] = "'\"\\abfnrtv?", bytes[] = "'\"\\\a\b\f\n\r\t\v?";
	char c = *at < end ? **at : 0;
	const char *letter = c ? strchr(letters, c) : NULL;
	uint32_t number;
	bool is_right;

	if (letter) {
		++*at;
		to[0] = (uint8_t)bytes[letter - letters];
		return 1;
	}
	if (c == 'x' || c == 'u' || c == 'U') {
		unsigned most = c == 'x' ? 2 : c == 'u' ? 4 : 8;

		++*at;
		is_right = read_digits(at, end, 16, most, c != 'x', &number) && number <= 0x10ffff;
		if (is_right && c != 'x')
			return put_utf8(to, number);
	} else {
		is_right = read_digits(at, end, 8, 3, false, &number) && number <= 255;
	}
	to[0] = (uint8_t)number;
	return is_right;
}

static void bad(struct filter_parser *parser)
{
	parser->token.kind = FILTER_BAD;
	parser->is_lost = true;
	parser->next = parser->end;
}

static const char *closing_quote(const char *at, const char *end, char quote)
{
	while (at < end && *at != quote)
		at += *at == '\\' ? 2 : 1;
	return at < end ? at : NULL;
}

// The text in quotes that begins at `at` (behind the r of a raw one).
static void read_quoted(struct filter_parser *parser, const char *at, bool is_raw)
{
	struct filter_token *token = &parser->token;
	char quote = *at++;
	const char *close = closing_quote(at, parser->end, quote);
	uint8_t *value;

	if (!close) {
		filter_error(parser, token->text, "the string has no end");
		bad(parser);
		return;
	}
	value = arena_take(parser->arena, (size_t)(close - at) + 4);
	token->value = value;
	while (at < close) {
		const char *begin = at;
		uint32_t made;

		if (*at != '\\') {
			*value++ = (uint8_t)*at++;
			continue;
		}
		at++;
		if (is_raw) {
			*value++ = '\\';
			*value++ = (uint8_t)*at++;
			continue;
		}
		made = escape(&at, close, value);
		if (!made) {
			diag_hint(parser->diag, filter_error(parser, begin, "no such escape in a string"),
				  "for the backslash itself write \\\\, or the string as r\"...\"");
			bad(parser);
			return;
		}
		value += made;
	}
	token->kind = quote == '"' ? FILTER_STRING : FILTER_CHARACTER;
	token->value_length = (uint32_t)(value - token->value);
	token->length = (uint32_t)(at + 1 - token->text);
	if (quote == '\'' && token->value_length != 1) {
		filter_error(parser, token->text, "between single quotes stands one character");
		bad(parser);
		return;
	}
	parser->next = at + 1;
}

// ---- words and signs

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.' || c == ':';
}

static bool is_address(const char *at, const char *end)
{
	bool has_mark = false;

	for (; at < end; at++) {
		has_mark |= *at == '.' || *at == ':';
		if (*at != '.' && *at != ':' && hex_of(*at) < 0)
			return false;
	}
	return has_mark;
}

static const char *end_of_word(const char *from, const char *end)
{
	const char *at = from;

	for (; at < end; at++) {
		bool has_next = at + 1 < end;

		if (*at == '.' && has_next && at[1] == '.')
			break;
		if (*at == '-' && at > from && has_next && isalnum((unsigned char)at[1]) &&
			isalnum((unsigned char)at[-1]))
			continue;
		if (*at == '/' && has_next && isdigit((unsigned char)at[1]) && is_address(from, at))
			continue;
		if (!is_word(*at))
			break;
	}
	return at;
}

static bool read_sign(struct filter_parser *parser)
{
	static const char *const signs[] = { "===", "!==", "==", "!=", "~=", "<=", ">=", "&&", "||",
		"..", "<", ">", "!", "&", "~", "(", ")", "{", "}", "[", "]", ",", "#", "+", "-",
		"*", "/", "%" };
	size_t left = (size_t)(parser->end - parser->token.text);

	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		size_t length = strlen(signs[i]);

		if (length > left || memcmp(parser->token.text, signs[i], length))
			continue;
		parser->token.kind = FILTER_SIGN;
		parser->token.length = (uint32_t)length;
		parser->next = parser->token.text + length;
		return true;
	}
	return false;
}

static void stray(struct filter_parser *parser)
{
	const char *at = parser->token.text, *end = at + 1;
	struct diag_message *message;

	while (end < parser->end && (*end & 0xc0) == 0x80)
		end++;
	if (isprint((unsigned char)*at) || (unsigned char)*at >= 0x80)
		message = filter_error(parser, at, "\"%.*s\" has no meaning here", (int)(end - at), at);
	else
		message = filter_error(parser, at, "the character 0x%02x has no meaning here", (unsigned char)*at);
	if (*at == '=')
		diag_hint(parser->diag, message, "equality is \"==\"");
	else if (*at == '|')
		diag_hint(parser->diag, message, "\"or\" is \"||\"");
	bad(parser);
}

void filter_next(struct filter_parser *parser)
{
	const char *at = parser->next;

	while (at < parser->end && isspace((unsigned char)*at))
		at++;
	parser->token = (struct filter_token){ .text = at };
	parser->next = at;
	if (at >= parser->end)
		return;
	if (*at == '"' || *at == '\'') {
		read_quoted(parser, at, false);
	} else if ((*at == 'r' || *at == 'R') && at + 1 < parser->end && at[1] == '"') {
		read_quoted(parser, at + 1, true);
	} else if (is_word(*at) && end_of_word(at, parser->end) > at) {
		parser->token.kind = FILTER_WORD;
		parser->next = end_of_word(at, parser->end);
		parser->token.length = (uint32_t)(parser->next - at);
	} else if (!read_sign(parser)) {
		stray(parser);
	}
}

bool filter_at(const struct filter_parser *parser, const char *sign)
{
	const struct filter_token *token = &parser->token;

	return (token->kind == FILTER_SIGN || token->kind == FILTER_WORD) && token->length == strlen(sign) &&
	       !memcmp(token->text, sign, token->length);
}

bool filter_skip(struct filter_parser *parser, const char *sign)
{
	if (!filter_at(parser, sign))
		return false;
	filter_next(parser);
	return true;
}
