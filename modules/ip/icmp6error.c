// SPDX-License-Identifier: Apache-2.0
// ICMP6Error - tells the source of an IPv6 packet what went wrong with it (RFC 4443 2.4, 3)
#include "ip.h"
#include "icmp.h"
#include "nd.h"

struct icmp6error {
	struct weir_addr source;
	const char *type, *code;
	uint32_t mtu, rate;
	uint8_t type_number, code_number;
	struct weir_bucket bucket;
	WEIR_COLUMN(uint16_t) network;
	WEIR_COLUMN(struct weir_addr) from, to;
	weir_counter answered, not_answered, limited;
};

enum { ETHER = 14, HEADERS = 48, LONGEST = 1280, ICMPV6 = 58, TOO_BIG = 2, QUOTED = 448 };

// RFC 4443 2.4 (e): never about an ICMPv6 error, nor to a group or nobody; about what was sent to a group only if it was
// too big.
static bool may_answer(const struct icmp6error *self, const uint8_t *ip, uint32_t length, const struct weir_addr *from, const struct weir_addr *to)
{
	static const struct weir_addr none;

	if (from->bytes[0] == 0xff || !memcmp(from, &none, sizeof(none)))
		return false;
	if (to->bytes[0] == 0xff && self->type_number != TOO_BIG)
		return false;
	return ip[6] != ICMPV6 || (length > 40 && ip[40] >= 128 && ip[40] != 137);
}

static void emit(struct weir_call *call, const uint8_t *frame, uint32_t network, uint32_t length)
{
	const struct icmp6error *self = weir_self(call);
	const uint8_t *cause = frame + network;
	uint32_t quoted = length < QUOTED ? length : QUOTED;
	uint8_t reply[ETHER + LONGEST] = { 0 }, *ip = reply + ETHER, *icmp = ip + 40;
	uint16_t check;

	memcpy(reply, frame + 6, 6);
	memcpy(reply + 6, frame, 6);
	weir_put16(reply + 12, 0x86dd);
	ip[0] = 0x60;
	weir_put16(ip + 4, (uint16_t)(8 + quoted));
	ip[6] = ICMPV6;
	ip[7] = 64;
	memcpy(ip + 8, self->source.bytes, 16);
	memcpy(ip + 24, cause + 8, 16);
	icmp[0] = self->type_number;
	icmp[1] = self->code_number;
	if (icmp[0] == TOO_BIG)
		weir_put32(icmp + 4, self->mtu);
	memcpy(icmp + 8, cause, quoted);
	check = nd_checksum(ip, icmp, 8 + quoted);
	memcpy(icmp + 2, &check, 2);
	weir_emit(call, reply, ETHER + HEADERS + quoted, 0);
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct icmp6error *self = weir_self(call);
	const uint16_t *network = weir_column(v, self->network);
	const struct weir_addr *from = weir_column(v, self->from), *to = weir_column(v, self->to);
	weir_mask answered = 0, limited = 0;

	(void)out;
	weir_each (i, in & weir_has(v, self->from)) {
		uint32_t length = v->length[i] - network[i], part = length < QUOTED ? length : QUOTED;
		const uint8_t *frame = network[i] >= ETHER ? weir_bytes(v, (unsigned)i, 0, network[i] + part) : NULL;

		if (!frame || !may_answer(self, frame + network[i], part, &from[i], &to[i]))
			continue;
		if (!weir_bucket_take(&self->bucket, weir_now_ns(call), 1)) {
			limited |= (weir_mask)1 << i;
			continue;
		}
		emit(call, frame, network[i], part);
		answered |= (weir_mask)1 << i;
	}
	weir_drop(call, answered, &self->answered);
	weir_drop(call, limited, &self->limited);
	weir_drop(call, in & ~answered & ~limited, &self->not_answered);
}

static int start(struct weir_start *start, void *at)
{
	struct icmp6error *self = at;

	if (weir_is_ip4(&self->source))
		return weir_refuse(start, 0, "the source is no IPv6 address");
	if (!icmp6_parse(self->type, self->code, &self->type_number, &self->code_number))
		return weir_refuse(start, 1, "\"%s %s\" is no type and code of an ICMPv6 error; known are unreachable (net, host, port), toobig, timeexceeded (transit, reassembly), parameterproblem, or numbers",
				   self->type, self->code);
	weir_bucket_init(&self->bucket, self->rate, self->rate);
	return 0;
}

static const uint64_t paths[] = { 0 };

WEIR_CLASS(ICMP6Error, icmp6error,
	.about = "tells the source of an IPv6 packet what went wrong with it",
	.by = WEIR_ANY,
	.holds = true,
	.paths = paths,
	WEIR_MEMBERS(
		WEIR_SETTING(icmp6error, source, WEIR_REQUIRED, .about = "the address that the error comes from"),
		WEIR_SETTING(icmp6error, type, WEIR_REQUIRED, .about = "unreachable, toobig, timeexceeded, parameterproblem, or a number"),
		WEIR_SETTING(icmp6error, code, "0", .about = "net, host, port, transit, reassembly, or a number"),
		WEIR_SETTING(icmp6error, mtu, "1500", .min = 1280, .max = 65535, .about = "what is told with toobig"),
		WEIR_SETTING(icmp6error, rate, "1000", .min = 1, .max = 1000000000, .about = "errors per second at most"),
		WEIR_READS(icmp6error, network, "weir.network"),
		WEIR_READS(icmp6error, from, "ipv6.src"),
		WEIR_READS(icmp6error, to, "ipv6.dst"),
		WEIR_DROPS(icmp6error, answered, .about = "packets whose source was told"),
		WEIR_DROPS(icmp6error, not_answered, .about = "packets about which nothing may be told"),
		WEIR_DROPS(icmp6error, limited, .about = "packets above the rate")),
	.start = start,
	.process = process);
