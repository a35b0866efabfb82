// SPDX-License-Identifier: Apache-2.0
#include "icmp.h"

#include <stdlib.h>

struct name {
	const char *type, *code; // code NULL: the type alone
	uint8_t number;
};

const char icmp_known[] =
	"unreachable (net, host, protocol, port, needfrag, srcroutefail, netunknown, hostunknown, isolated, "
	"netprohib, hostprohib, filterprohib), timeexceeded (transit, reassembly), parameterproblem "
	"(erroratptr, missingopt, "
	"length), or numbers";
const char icmp6_known[] =
	"unreachable (noroute, adminprohib, beyondscope, address, port, filterprohib, reject), toobig, "
	"timeexceeded (transit, reassembly), parameterproblem (header, nextheader, option), or numbers";

// RFC 792, RFC 1812 5.2.7.1
static const struct name names4[] = {
	{ "unreachable", NULL, 3 },
	{ "unreachable", "net", 0 },
	{ "unreachable", "host", 1 },
	{ "unreachable", "protocol", 2 },
	{ "unreachable", "port", 3 },
	{ "unreachable", "needfrag", 4 },
	{ "unreachable", "srcroutefail", 5 },
	{ "unreachable", "netunknown", 6 },
	{ "unreachable", "hostunknown", 7 },
	{ "unreachable", "isolated", 8 },
	{ "unreachable", "netprohib", 9 },
	{ "unreachable", "hostprohib", 10 },
	{ "unreachable", "filterprohib", 13 },
	{ "timeexceeded", NULL, 11 },
	{ "timeexceeded", "transit", 0 },
	{ "timeexceeded", "reassembly", 1 },
	{ "parameterproblem", NULL, 12 },
	{ "parameterproblem", "erroratptr", 0 },
	{ "parameterproblem", "missingopt", 1 },
	{ "parameterproblem", "length", 2 },
};

// RFC 4443 3
static const struct name names6[] = {
	{ "unreachable", NULL, 1 },
	{ "unreachable", "noroute", 0 },
	{ "unreachable", "net", 0 },
	{ "unreachable", "adminprohib", 1 },
	{ "unreachable", "beyondscope", 2 },
	{ "unreachable", "address", 3 },
	{ "unreachable", "host", 3 },
	{ "unreachable", "port", 4 },
	{ "unreachable", "filterprohib", 5 },
	{ "unreachable", "reject", 6 },
	{ "toobig", NULL, 2 },
	{ "timeexceeded", NULL, 3 },
	{ "timeexceeded", "transit", 0 },
	{ "timeexceeded", "reassembly", 1 },
	{ "parameterproblem", NULL, 4 },
	{ "parameterproblem", "header", 0 },
	{ "parameterproblem", "nextheader", 1 },
	{ "parameterproblem", "option", 2 },
};

static bool number(const char *text, uint8_t *to)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	*to = (uint8_t)value;
	return *text >= '0' && *text <= '9' && !*end && value < 256;
}

static bool parse(const struct name *names, size_t count, const char *type, const char *code,
	uint8_t *type_number, uint8_t *code_number)
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

// Source quench is no more (RFC 6633), and a redirect needs a gateway that only the routing knows.
bool icmp_parse(const char *type, const char *code, uint8_t *type_number, uint8_t *code_number)
{
	return parse(names4, sizeof(names4) / sizeof(*names4), type, code, type_number, code_number) &&
		(*type_number == 3 || *type_number == 11 || *type_number == 12);
}

bool icmp6_parse(const char *type, const char *code, uint8_t *type_number, uint8_t *code_number)
{
	return parse(names6, sizeof(names6) / sizeof(*names6), type, code, type_number, code_number) &&
		*type_number >= 1 && *type_number <= 4;
}

bool icmp_is_query(uint8_t type)
{
	return type != 3 && type != 4 && type != 5 && type != 11 && type != 12;
}

enum { PIECE = 512 }; // of a chain at most so much is had at a time

bool icmp_copy(struct weir_vector *v, unsigned slot, uint32_t from, uint32_t length, uint8_t *to)
{
	for (uint32_t done = 0, part; done < length; done += part) {
		const uint8_t *bytes;

		part = length - done < PIECE ? length - done : PIECE;
		bytes = weir_bytes(v, slot, from + done, part);
		if (!bytes)
			return false;
		memcpy(to + done, bytes, part);
	}
	return true;
}

uint32_t icmp_link(
	uint8_t to[ICMP_MOST_LINK], const uint8_t *frame, uint32_t network, bool is_ethernet, uint16_t type)
{
	if (!is_ethernet) {
		memset(to, 0, ICMP_ETHER);
		weir_put16(to + 12, type);
		return ICMP_ETHER;
	}
	if (network < ICMP_ETHER || network > ICMP_MOST_LINK)
		return 0;
	memcpy(to, frame + 6, 6);
	memcpy(to + 6, frame, 6);
	memcpy(to + 12, frame + 12, network - 12);
	return network;
}
