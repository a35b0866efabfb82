// SPDX-License-Identifier: Apache-2.0
#include "plan/settings.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <strings.h>

// What a value is parsed for, and where its text stands.
struct value {
	struct arena *arena;
	const struct weir_member *member;
	const char *text;
	struct place at;
	struct diag *diag;
};

static bool refuse(const struct value *value, const char *wanted)
{
	diag_error(value->diag, value->at, "%s: \"%s\" is not %s", value->member->name, value->text, wanted);
	return false;
}

// ---- numbers, with units where the setting's name says one

static const struct unit {
	const char *ending; // of the setting's name
	struct {
		const char *suffix;
		double factor;
	} suffixes[6];
} units[] = {
	{ "_ns", { { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { "min", 60e9 }, { "h", 3600e9 } } },
	{ "_us", { { "us", 1 }, { "ms", 1e3 }, { "s", 1e6 }, { "min", 60e6 } } },
	{ "_ms", { { "ms", 1 }, { "s", 1e3 }, { "min", 60e3 }, { "h", 3600e3 } } },
	{ "_s", { { "s", 1 }, { "min", 60 }, { "h", 3600 }, { "d", 86400 } } },
	{ "_bps", { { "bps", 1 }, { "kbps", 1e3 }, { "Mbps", 1e6 }, { "Gbps", 1e9 } } },
	{ "", { { "k", 1e3 }, { "M", 1e6 }, { "G", 1e9 }, { "Ki", 1024 }, { "Mi", 1 << 20 }, { "Gi", 1 << 30 } } },
};

static bool ends_with(const char *text, const char *ending)
{
	size_t length = strlen(text), wanted = strlen(ending);

	return length >= wanted && !strcmp(text + length - wanted, ending);
}

static const struct unit *unit_of(const char *name)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (ends_with(name, units[i].ending))
			return &units[i];
	return NULL;
}

static bool factor_of(const char *name, const char *suffix, double *factor)
{
	const struct unit *unit = unit_of(name);

	*factor = 1;
	if (!*suffix)
		return true;
	for (unsigned i = 0; i < 6 && unit->suffixes[i].suffix; i++)
		if (!strcmp(unit->suffixes[i].suffix, suffix)) {
			*factor = unit->suffixes[i].factor;
			return true;
		}
	return false;
}

static bool number_of(const char *name, const char *text, double *real, uint64_t *number)
{
	char *end;
	double factor;

	if (!isdigit((unsigned char)*text))
		return false;
	*number = strtoull(text, &end, 0);
	*real = (double)*number;
	if (*end == '.')
		*real = strtod(text, &end);
	if (!factor_of(name, end, &factor))
		return false;
	if (*real * factor >= 18446744073709551616.0)
		return false;
	if (factor != 1 || *real != (double)*number)
		*number = (uint64_t)(*real * factor + 0.5);
	return true;
}

static bool store_number(const struct value *value, void *to, uint64_t number)
{
	const struct weir_member *member = value->member;
	uint64_t most = member->size == 8 ? UINT64_MAX : ((uint64_t)1 << member->size * 8) - 1;
	uint64_t least = 0;

	if (member->min || member->max) {
		least = (uint64_t)member->min;
		most = member->max ? (uint64_t)member->max : most;
	}
	if (number < least || number > most) {
		diag_error(value->diag, value->at,
			"%s: %s is out of range; it may be %" PRIu64 " to %" PRIu64, member->name,
			value->text, least, most);
		return false;
	}
	memcpy(to, &number, member->size); // little endian: the low bytes
	return true;
}

static bool parse_number(const struct value *value, void *to)
{
	uint64_t number;
	double real;

	if (!number_of(value->member->name, value->text, &real, &number))
		return refuse(value,
			arena_print(value->arena, "a number%s",
				*unit_of(value->member->name)->ending
					? arena_print(value->arena, " (of %s)",
						  unit_of(value->member->name)->ending + 1)
					: ""));
	return store_number(value, to, number);
}

// ---- other types

static bool parse_bool(const struct value *value, void *to)
{
	static const struct {
		const char *text;
		bool is;
	} words[] = { { "true", true }, { "yes", true }, { "on", true }, { "1", true },
		{ "false", false }, { "no", false }, { "off", false }, { "0", false } };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcasecmp(words[i].text, value->text)) {
			*(bool *)to = words[i].is;
			return true;
		}
	return refuse(value, "true or false");
}

static int nibble(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10
										: -1;
}

// Without quotes, with \n \t \" \\ \xHH inside them as in the graph language.
static const char *unquoted(struct arena *arena, const char *text)
{
	size_t length = strlen(text);
	char *to, *result;

	if (length < 2 || text[0] != '"' || text[length - 1] != '"')
		return arena_text(arena, text, length);
	to = result = arena_take(arena, length);
	for (const char *from = text + 1; from < text + length - 1; from++) {
		if (*from != '\\' || from + 1 >= text + length - 1) {
			*to++ = *from;
			continue;
		}
		from++;
		if (*from == 'x' && nibble(from[1]) >= 0 && nibble(from[2]) >= 0) {
			*to++ = (char)(nibble(from[1]) << 4 | nibble(from[2]));
			from += 2;
		} else {
			*to++ = *from == 'n' ? '\n' : *from == 't' ? '\t'
								   : *from;
		}
	}
	return result;
}

// A filter that was written in quotes as a whole: define($filter "tcp.port == 80"). One that begins
// and ends with a string of its own has more quotes inside.
static const char *whole_unquoted(struct arena *arena, const char *text)
{
	const char *end = text[0] == '"' ? text + 1 : NULL;

	while (end && *end && *end != '"')
		end += *end == '\\' && end[1] ? 2 : 1;
	return end && *end && !end[1] ? unquoted(arena, text) : text;
}

static bool parse_string(const struct value *value, void *to)
{
	*(const char **)to = unquoted(value->arena, value->text);
	return true;
}

// a list of words, or one quoted list: events "flow.ended synguard.*"
static bool parse_strings(const struct value *value, void *to)
{
	LIST(const char *) words = { 0 };
	const char *text = unquoted(value->arena, value->text);

	for (text += strspn(text, " \t\n,"); *text; text += strspn(text, " \t\n,")) {
		size_t length = strcspn(text, " \t\n,");

		*list_add(value->arena, &words) = arena_text(value->arena, text, length);
		text += length;
	}
	*(struct weir_texts *)to = (struct weir_texts){ words.count, words.at };
	return true;
}

static bool parse_address(const struct value *value, void *to)
{
	return weir_parse_addr(value->text, to) || refuse(value, "an IPv4 or IPv6 address");
}

static bool parse_prefix(const struct value *value, void *to)
{
	return weir_parse_prefix(value->text, to) || refuse(value, "an address prefix (10.0.0.0/8, 2001:db8::/32)");
}

static bool parse_ether(const struct value *value, void *to)
{
	return weir_parse_ether(value->text, to) || refuse(value, "an Ethernet address (00:11:22:33:44:55)");
}

static bool (*const parsers[])(const struct value *value, void *to) = {
	[WEIR_BOOL] = parse_bool,
	[WEIR_U8] = parse_number,
	[WEIR_U16] = parse_number,
	[WEIR_U32] = parse_number,
	[WEIR_U64] = parse_number,
	[WEIR_IP] = parse_address,
	[WEIR_PREFIX] = parse_prefix,
	[WEIR_ETHER] = parse_ether,
	[WEIR_STRING] = parse_string,
	[WEIR_STRINGS] = parse_strings,
};

bool settings_parse(struct arena *arena, const struct weir_member *member, void *to, const char *text,
	struct place at, struct diag *diag)
{
	struct value value = { arena, member, text, at, diag };

	if (member->type >= sizeof(parsers) / sizeof(*parsers) || !parsers[member->type])
		return refuse(&value, "possible: the setting is of a type that has no text");
	return parsers[member->type](&value, to);
}

// ---- all arguments of an element

struct filling {
	struct arena *arena;
	const struct weir_class *class;
	const struct graph_element *element;
	char *self;
	struct place *places;
	struct diag *diag;
	bool *given;
	bool is_well;
};

static bool is_setting(const struct weir_member *member)
{
	return member->kind == WEIR_IS_SETTING || member->kind == WEIR_IS_FILTER;
}

static unsigned index_of(const struct filling *filling, const struct weir_member *member)
{
	return (unsigned)(member - filling->class->members);
}

#define each_setting(member, class) \
	for (const struct weir_member *member = (class)->members; member && member->kind != WEIR_END; member++) \
		if (is_setting(member))

static void give(struct filling *filling, const struct weir_member *member, const char *text, struct place at)
{
	unsigned index = index_of(filling, member);

	if (filling->given[index]) {
		diag_error(filling->diag, at, "%s: given twice", member->name);
		filling->is_well = false;
		return;
	}
	filling->given[index] = true;
	filling->places[index] = at;
	if (member->kind == WEIR_IS_FILTER)
		((struct {
			uint32_t at;
			const char *text;
		} *)(filling->self + member->offset))
			->text = whole_unquoted(filling->arena, text);
	else if (!settings_parse(filling->arena, member, filling->self + member->offset, text, at, filling->diag))
		filling->is_well = false;
}

// Is the argument `NAME value`, or the name of a yes-or-no setting alone? Then *value is its value.
static const struct weir_member *keyword_of(const struct filling *filling, const struct graph_argument *argument,
	const char **value)
{
	size_t length = strcspn(argument->text, " \t\n");

	each_setting (member, filling->class) {
		if (strlen(member->name) != length || strncasecmp(member->name, argument->text, length))
			continue;
		*value = argument->text + length + strspn(argument->text + length, " \t\n");
		if (**value)
			return member;
		*value = "true";
		return member->type == WEIR_BOOL && member->kind == WEIR_IS_SETTING ? member : NULL;
	}
	return NULL;
}

static const struct weir_member *next_positional(const struct filling *filling)
{
	each_setting (member, filling->class)
		if (!member->rest && !filling->given[index_of(filling, member)])
			return member;
	return NULL;
}

static const struct weir_member *rest_of(const struct weir_class *class)
{
	each_setting (member, class)
		if (member->rest)
			return member;
	return NULL;
}

static void suggest(const struct filling *filling, struct diag_message *message, const char *text)
{
	struct near near = { .word = arena_text(filling->arena, text, strcspn(text, " \t\n")) };
	const char *all = "";

	each_setting (member, filling->class) {
		near_try(&near, member->name);
		all = arena_print(filling->arena, "%s%s%s", all, *all ? ", " : "", member->name);
	}
	if (near_best(&near))
		diag_hint(filling->diag, message, "did you mean \"%s\"?", near_best(&near));
	else if (*all)
		diag_hint(filling->diag, message, "its settings are: %s", all);
	else
		diag_hint(filling->diag, message, "it has no settings");
}

static void give_argument(struct filling *filling, const struct graph_argument *argument, bool has_rest)
{
	const char *value;
	const struct weir_member *member = keyword_of(filling, argument, &value);

	if (member) {
		give(filling, member, value, graph_argument_place(argument, (size_t)(value - argument->text)));
		return;
	}
	member = has_rest ? NULL : next_positional(filling);
	if (member && *argument->text) {
		give(filling, member, argument->text, argument->at);
		return;
	}
	if (has_rest || !*argument->text)
		return;
	suggest(filling,
		diag_error(filling->diag, argument->at, "%s has no setting for \"%s\"",
			filling->class->name, argument->text),
		argument->text);
	filling->is_well = false;
}

// all arguments that are no keywords, as they stand
static void give_rest(struct filling *filling, const struct weir_member *member)
{
	LIST(const char *) texts = { 0 };
	const char *value;

	list_each (argument, &filling->element->arguments)
		if (!keyword_of(filling, argument, &value) && *argument->text)
			*list_add(filling->arena, &texts) = argument->text;
	*(struct weir_texts *)(filling->self + member->offset) = (struct weir_texts){ texts.count, texts.at };
	filling->given[index_of(filling, member)] = texts.count > 0;
}

static void give_default(struct filling *filling, const struct weir_member *member)
{
	unsigned index = index_of(filling, member);

	if (filling->given[index])
		return;
	if (member->value) {
		if (*member->value || member->type == WEIR_STRING)
			give(filling, member, member->value, filling->element->at);
		return;
	}
	diag_error(filling->diag, filling->element->at, "%s needs the setting \"%s\"%s%s",
		filling->class->name, member->name, member->about ? ": " : "",
		member->about ? member->about : "");
	filling->is_well = false;
}

bool settings_fill(struct arena *arena, const struct weir_class *class, const struct graph_element *element,
	void *self, struct place *places, struct diag *diag)
{
	struct filling filling = { arena, class, element, self, places, diag, NULL, true };
	const struct weir_member *rest = rest_of(class);
	unsigned count = 0;

	for (const struct weir_member *member = class->members; member && member->kind != WEIR_END; member++)
		count++;
	filling.given = arena_array(arena, bool, count + 1);
	list_each (argument, &element->arguments)
		give_argument(&filling, argument, rest != NULL);
	if (rest)
		give_rest(&filling, rest);
	each_setting (member, class)
		give_default(&filling, member);
	return filling.is_well;
}

// ---- back to text

static const char *print_address(struct arena *arena, const struct weir_addr *addr)
{
	char text[INET6_ADDRSTRLEN];

	if (weir_is_ip4(addr))
		inet_ntop(AF_INET, addr->bytes + 12, text, sizeof(text));
	else
		inet_ntop(AF_INET6, addr->bytes, text, sizeof(text));
	return arena_text(arena, text, strlen(text));
}

static const char *print_strings(struct arena *arena, const struct weir_texts *texts)
{
	const char *all = "";

	for (uint32_t i = 0; i < texts->count; i++)
		all = arena_print(arena, "%s%s%s", all, i ? ", " : "", texts->text[i]);
	return all;
}

const char *settings_print(struct arena *arena, const struct weir_member *member, const void *self)
{
	const void *at = (const char *)self + member->offset;
	const struct weir_prefix *prefix = at;
	const uint8_t *ether = at;
	uint64_t number = 0;

	if (member->kind == WEIR_IS_FILTER)
		return ((const struct { uint32_t at; const char *text; } *)at)->text;
	switch (member->type) {
	case WEIR_BOOL:
		return *(const bool *)at ? "true" : "false";
	case WEIR_IP:
		return print_address(arena, at);
	case WEIR_PREFIX:
		return arena_print(arena, "%s/%u", print_address(arena, &prefix->addr),
			weir_is_ip4(&prefix->addr) && prefix->length >= 96 ? prefix->length - 96u
									   : prefix->length);
	case WEIR_ETHER:
		return arena_print(arena, "%02x:%02x:%02x:%02x:%02x:%02x", ether[0], ether[1],
			ether[2], ether[3], ether[4], ether[5]);
	case WEIR_STRING:
		return *(const char *const *)at;
	case WEIR_STRINGS:
		return print_strings(arena, at);
	default:
		memcpy(&number, at, member->size <= 8 ? member->size : 8);
		return arena_print(arena, "%" PRIu64, number);
	}
}
