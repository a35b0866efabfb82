// SPDX-License-Identifier: Apache-2.0
// ICMP6Error - tells the source of an IPv6 packet what went wrong with it (RFC 4443 2.4, 3)
#include "ip.h"
#include "icmp.h"
#include "nd.h"

struct icmp6error {
	struct weir_addr source;
	const char *type, *code;
	uint32_t mtu, rate, pointer;
	uint8_t type_number, code_number;
	struct weir_bucket bucket;
	WEIR_FLAG ethernet;
	WEIR_COLUMN(uint16_t) network, length;
	WEIR_COLUMN(struct weir_addr) from, to;
	weir_counter answered, not_answered, limited;
};

enum { IP6_HEADER = 40,
	HEADERS = 48,
	LONGEST = 1280,
	LONGEST_QUOTE = LONGEST - HEADERS,
	ICMPV6 = 58,
	GROUP = 0xff };
enum { TOO_BIG = 2,
	PARAMETER = 4,
	BAD_OPTION = 2,
	FIRST_QUERY = 128,
	REDIRECT = 137 };
enum { HOPOPTS = 0,
	ROUTING = 43,
	FRAGMENT = 44,
	DSTOPTS = 60 };

// What went wrong with whom: the packet's bytes from the IP header on, as many as are told.
struct cause {
	uint8_t link[ICMP_MOST_LINK], quote[LONGEST_QUOTE];
	uint32_t link_size, size;
};

// Is it an ICMPv6 error or redirect, behind whatever extension headers? What cannot be seen may be one.
static bool is_error(const struct cause *cause)
{
	const uint8_t *header = cause->quote + IP6_HEADER, *end = cause->quote + cause->size;
	uint8_t next = cause->quote[6];

	while (next == HOPOPTS || next == ROUTING || next == DSTOPTS || next == FRAGMENT) {
		bool is_fragment = next == FRAGMENT;

		if (end - header < 8)
			return true;
		next = header[0];
		if (is_fragment && weir_be16(header + 2) & 0xfff8) // not the first one
			return next == ICMPV6;
		header += is_fragment ? 8 : (header[1] + 1) * 8;
	}
	return next == ICMPV6 && (header >= end || *header < FIRST_QUERY || *header == REDIRECT);
}

// About what was sent to many only that it was too big, or an option of it unknown (RFC 4443 2.4 e).
static bool is_for_many(const struct icmp6error *self)
{
	return self->type_number == TOO_BIG || (self->type_number == PARAMETER && self->code_number == BAD_OPTION);
}

static bool is_host(const struct weir_addr *addr)
{
	return addr->bytes[0] != GROUP && !nd_is_unspecified(addr);
}

// Its length by its own header; 0: it is longer than that can tell.
static uint32_t quote_size(const struct weir_vector *v, unsigned slot, uint32_t network, uint32_t length)
{
	uint32_t there = v->length[slot] - network;

	if (length && length + IP6_HEADER < there)
		there = length + IP6_HEADER;
	return there < LONGEST_QUOTE ? there : LONGEST_QUOTE;
}

static bool find_cause(struct weir_call *call, unsigned slot, bool is_ethernet, struct cause *cause)
{
	const struct icmp6error *self = weir_self(call);
	struct weir_vector *v = call->vector;
	uint32_t network = weir_column(v, self->network)[slot];
	const uint8_t *frame = weir_bytes(v, slot, 0, network + IP6_HEADER);

	if (!frame || frame[network] >> 4 != 6 ||
		(is_ethernet && ((frame[0] & 1 && !is_for_many(self)) || frame[6] & 1)))
		return false;
	cause->link_size = icmp_link(cause->link, frame, network, is_ethernet, 0x86dd);
	cause->size = quote_size(v, slot, network, weir_column(v, self->length)[slot]);
	return cause->link_size && icmp_copy(v, slot, network, cause->size, cause->quote) && !is_error(cause);
}

static void write_icmp(const struct icmp6error *self, const uint8_t *ip, uint8_t *icmp, const struct cause *cause)
{
	uint16_t check;

	memset(icmp, 0, 8);
	icmp[0] = self->type_number;
	icmp[1] = self->code_number;
	if (icmp[0] == TOO_BIG)
		weir_put32(icmp + 4, self->mtu);
	if (icmp[0] == PARAMETER)
		weir_put32(icmp + 4, self->pointer);
	memcpy(icmp + 8, cause->quote, cause->size);
	check = nd_checksum(ip, icmp, 8 + cause->size);
	memcpy(icmp + 2, &check, 2);
}

static bool emit(struct weir_call *call, const struct cause *cause)
{
	const struct icmp6error *self = weir_self(call);
	uint8_t reply[ICMP_MOST_LINK + LONGEST], *ip = reply + cause->link_size;

	memcpy(reply, cause->link, cause->link_size);
	weir_put32(ip, 0x60000000);
	weir_put16(ip + 4, (uint16_t)(8 + cause->size));
	ip[6] = ICMPV6;
	ip[7] = 64;
	memcpy(ip + 8, self->source.bytes, 16);
	memcpy(ip + 24, cause->quote + 8, 16);
	write_icmp(self, ip, ip + IP6_HEADER, cause);
	return weir_emit(call, reply, cause->link_size + HEADERS + cause->size, 0);
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct icmp6error *self = weir_self(call);
	const struct weir_addr *from = weir_column(v, self->from), *to = weir_column(v, self->to);
	weir_mask answered = 0, limited = 0, ethernet = weir_has(v, self->ethernet);

	(void)out;
	weir_each (i, in & weir_has(v, self->from)) {
		struct cause cause;

		if (!is_host(&from[i]) || (to[i].bytes[0] == GROUP && !is_for_many(self)) ||
			!find_cause(call, (unsigned)i, ethernet >> i & 1, &cause))
			continue;
		if (!weir_bucket_take(&self->bucket, v->time_ns[i], 1))
			limited |= (weir_mask)1 << i;
		else if (emit(call, &cause))
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
		return weir_refuse(start, 1,
			"\"%s %s\" is no type and code of an ICMPv6 error; known are %s",
			self->type, self->code, icmp6_known);
	weir_bucket_init(&self->bucket, self->rate, self->rate);
	return 0;
}

static const uint64_t paths[] = { 0 };

WEIR_CLASS(ICMP6Error, icmp6error,
	.about = "tells the source of an IPv6 packet what went wrong with it", .by = WEIR_ANY,
	.holds = true, .paths = paths,
	WEIR_MEMBERS(WEIR_SETTING(icmp6error, source, WEIR_REQUIRED,
			     .about = "the address that the error comes from"),
		WEIR_SETTING(icmp6error, type, WEIR_REQUIRED,
			.about =
				"unreachable, toobig, timeexceeded, parameterproblem, or a number"),
		WEIR_SETTING(icmp6error, code, "0",
			.about = "noroute, address, port, transit, reassembly, or a number"),
		WEIR_SETTING(icmp6error, mtu, "1500", .min = 1280, .max = 65535,
			.about = "what is told with toobig"),
		WEIR_SETTING(icmp6error, rate, "1000", .min = 1, .max = 1000000000,
			.about = "errors per second at most"),
		WEIR_SETTING(icmp6error, pointer, "0",
			.about = "the byte that is wrong, told with parameterproblem"),
		WEIR_READS_IF(icmp6error, ethernet, "eth"),
		WEIR_READS(icmp6error, network, "weir.network"),
		WEIR_READS(icmp6error, length, "ipv6.plen"),
		WEIR_READS(icmp6error, from, "ipv6.src"), WEIR_READS(icmp6error, to, "ipv6.dst"),
		WEIR_DROPS(icmp6error, answered, .about = "packets whose source was told"),
		WEIR_DROPS(icmp6error, not_answered,
			.about = "packets about which nothing may be told"),
		WEIR_DROPS(icmp6error, limited, .about = "packets above the rate")),
	.start = start, .process = process);
