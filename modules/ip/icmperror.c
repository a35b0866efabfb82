// SPDX-License-Identifier: Apache-2.0
// ICMPError - tells the source of an IPv4 packet what went wrong with it (RFC 792, RFC 1812 4.3.2)
#include "ip.h"
#include "icmp.h"

struct icmperror {
	struct weir_addr source;
	const char *type, *code;
	uint32_t mtu, rate;
	uint8_t type_number, code_number;
	struct weir_bucket bucket;
	WEIR_COLUMN(uint16_t) network;
	WEIR_COLUMN(uint32_t) from, to;
	weir_counter answered, not_answered, limited;
};

enum { ETHER = 14, HEADERS = 28, LONGEST = 576, ICMP = 1 };

// RFC 1812 4.3.2.7: never about an ICMP error, a fragment other than the first, or what was sent to or by many.
static bool may_answer(const uint8_t *frame, const uint8_t *ip, uint32_t length, uint32_t from, uint32_t to)
{
	uint32_t header = (ip[0] & 15u) * 4;

	if ((frame[0] & 1) || weir_be16(ip + 6) & 0x1fff)
		return false;
	if (from - 1 >= 0xe0000000 - 1 || to >= 0xe0000000 || from >> 24 == 127)
		return false;
	return ip[9] != ICMP || (header < length && icmp_is_query(ip[header]));
}

static void emit(struct weir_call *call, const uint8_t *frame, uint32_t network, uint32_t length)
{
	const struct icmperror *self = weir_self(call);
	const uint8_t *cause = frame + network;
	uint32_t quoted = length < LONGEST - HEADERS ? length : LONGEST - HEADERS;
	uint8_t reply[ETHER + LONGEST] = { 0 }, *ip = reply + ETHER, *icmp = ip + 20;
	uint16_t check;

	memcpy(reply, frame + 6, 6);
	memcpy(reply + 6, frame, 6);
	weir_put16(reply + 12, 0x0800);
	ip[0] = 0x45;
	ip[1] = 0xc0; // RFC 1812 4.3.2.5: internetwork control
	weir_put16(ip + 2, (uint16_t)(HEADERS + quoted));
	ip[8] = 64;
	ip[9] = ICMP;
	memcpy(ip + 12, self->source.bytes + 12, 4);
	memcpy(ip + 16, cause + 12, 4);
	check = weir_fold(weir_sum(ip, 20, 0));
	memcpy(ip + 10, &check, 2);
	icmp[0] = self->type_number;
	icmp[1] = self->code_number;
	if (icmp[0] == 3 && icmp[1] == 4)
		weir_put16(icmp + 6, (uint16_t)self->mtu); // RFC 1191 4
	memcpy(icmp + 8, cause, quoted);
	check = weir_fold(weir_sum(icmp, 8 + quoted, 0));
	memcpy(icmp + 2, &check, 2);
	weir_emit(call, reply, ETHER + HEADERS + quoted, 0);
}

// Its length by its own header, as far as it can be had in one piece.
static const uint8_t *whole(struct weir_vector *v, unsigned slot, uint16_t network, uint32_t *length)
{
	const uint8_t *frame = weir_bytes(v, slot, 0, network + 20u);

	if (!frame || network < ETHER)
		return NULL;
	*length = weir_be16(frame + network + 2);
	if (!*length || *length > v->length[slot] - network)
		*length = v->length[slot] - network;
	*length = *length < 512u - network ? *length : 512u - network;
	return weir_bytes(v, slot, 0, network + *length);
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct icmperror *self = weir_self(call);
	const uint16_t *network = weir_column(v, self->network);
	const uint32_t *from = weir_column(v, self->from), *to = weir_column(v, self->to);
	weir_mask answered = 0, limited = 0;

	(void)out;
	weir_each (i, in & weir_has(v, self->from)) {
		uint32_t length = 0;
		const uint8_t *frame = whole(v, (unsigned)i, network[i], &length);

		if (!frame || !may_answer(frame, frame + network[i], length, from[i], to[i]))
			continue;
		if (!weir_bucket_take(&self->bucket, weir_now_ns(call), 1)) {
			limited |= (weir_mask)1 << i;
			continue;
		}
		emit(call, frame, network[i], length);
		answered |= (weir_mask)1 << i;
	}
	weir_drop(call, answered, &self->answered);
	weir_drop(call, limited, &self->limited);
	weir_drop(call, in & ~answered & ~limited, &self->not_answered);
}

static int start(struct weir_start *start, void *at)
{
	struct icmperror *self = at;

	if (!weir_is_ip4(&self->source))
		return weir_refuse(start, 0, "the source is no IPv4 address");
	if (!icmp_parse(self->type, self->code, &self->type_number, &self->code_number))
		return weir_refuse(start, 1, "\"%s %s\" is no type and code of an ICMP error; known are %s", self->type, self->code, icmp_known);
	weir_bucket_init(&self->bucket, self->rate, self->rate);
	return 0;
}

static const uint64_t paths[] = { 0 };

WEIR_CLASS(ICMPError, icmperror,
	.about = "tells the source of an IPv4 packet what went wrong with it",
	.by = WEIR_ANY,
	.holds = true,
	.paths = paths,
	WEIR_MEMBERS(
		WEIR_SETTING(icmperror, source, WEIR_REQUIRED, .about = "the address that the error comes from"),
		WEIR_SETTING(icmperror, type, WEIR_REQUIRED, .about = "unreachable, timeexceeded, parameterproblem, or a number"),
		WEIR_SETTING(icmperror, code, "0", .about = "net, host, protocol, port, needfrag, transit, reassembly, or a number"),
		WEIR_SETTING(icmperror, mtu, "1500", .min = 68, .max = 65535, .about = "what is told with needfrag"),
		WEIR_SETTING(icmperror, rate, "1000", .min = 1, .max = 1000000000, .about = "errors per second at most"),
		WEIR_READS(icmperror, network, "weir.network"),
		WEIR_READS(icmperror, from, "ip.src"),
		WEIR_READS(icmperror, to, "ip.dst"),
		WEIR_DROPS(icmperror, answered, .about = "packets whose source was told"),
		WEIR_DROPS(icmperror, not_answered, .about = "packets about which nothing may be told"),
		WEIR_DROPS(icmperror, limited, .about = "packets above the rate")),
	.start = start,
	.process = process);
