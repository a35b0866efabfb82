// SPDX-License-Identifier: Apache-2.0
#include "icmp.h"

#include <stdlib.h>

struct name {
	const char *type, *code; // code NULL: the type alone
	uint8_t number;
};

const char icmp_known[] = "unreachable (net, host, protocol, port, needfrag), timeexceeded (transit, reassembly), parameterproblem, or numbers";

static const struct name names4[] = {
	{ "unreachable", NULL, 3 },	    { "unreachable", "net", 0 },	 { "unreachable", "host", 1 },
	{ "unreachable", "protocol", 2 },   { "unreachable", "port", 3 },	 { "unreachable", "needfrag", 4 },
	{ "timeexceeded", NULL, 11 },	    { "timeexceeded", "transit", 0 },	 { "timeexceeded", "reassembly", 1 },
	{ "parameterproblem", NULL, 12 },
};

// RFC 4443 3
static const struct name names6[] = {
	{ "unreachable", NULL, 1 },	   { "unreachable", "net", 0 },	     { "unreachable", "host", 3 },
	{ "unreachable", "port", 4 },	   { "toobig", NULL, 2 },	     { "timeexceeded", NULL, 3 },
	{ "timeexceeded", "transit", 0 },  { "timeexceeded", "reassembly", 1 }, { "parameterproblem", NULL, 4 },
};

static bool number(const char *text, uint8_t *to)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	*to = (uint8_t)value;
	return end != text && !*end && value < 256;
}

static bool parse(const struct name *names, size_t count, const char *type, const char *code, uint8_t *type_number, uint8_t *code_number)
{
	bool has_type = number(type, type_number), has_code = number(code, code_number);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i].type, type))
			continue;
		if (!names[i].code) {
			*type_number = names[i].number;
			has_type = true;
		} else if (!strcmp(names[i].code, code)) {
			*code_number = names[i].number;
			has_code = true;
		}
	}
	return has_type && has_code;
}

bool icmp_parse(const char *type, const char *code, uint8_t *type_number, uint8_t *code_number)
{
	return parse(names4, sizeof(names4) / sizeof(*names4), type, code, type_number, code_number) && !icmp_is_query(*type_number);
}

bool icmp6_parse(const char *type, const char *code, uint8_t *type_number, uint8_t *code_number)
{
	return parse(names6, sizeof(names6) / sizeof(*names6), type, code, type_number, code_number) && *type_number < 128;
}

bool icmp_is_query(uint8_t type)
{
	return type != 3 && type != 4 && type != 5 && type != 11 && type != 12;
}
