// SPDX-License-Identifier: Apache-2.0
// ICMPError - tells the source of an IPv4 packet what went wrong with it (RFC 792, RFC 1812 4.3.2)
#include "ip.h"
#include "icmp.h"

struct icmperror {
	struct weir_addr source;
	const char *type, *code;
	uint32_t mtu, rate;
	uint8_t pointer, type_number, code_number;
	uint16_t id;
	struct weir_bucket bucket;
	WEIR_FLAG ethernet;
	WEIR_COLUMN(uint16_t) network, length;
	WEIR_COLUMN(uint32_t) from, to;
	weir_counter answered, not_answered, limited;
};

enum { HEADERS = 28,
	LONGEST = 576,
	LONGEST_QUOTE = LONGEST - HEADERS,
	ICMP = 1,
	OFFSET = 0x1fff };
enum { UNREACHABLE = 3,
	NEEDFRAG = 4,
	PARAMETER = 12 };

// What went wrong with whom: the packet's bytes from the IP header on, as many as are told.
struct cause {
	uint8_t link[ICMP_MOST_LINK], quote[LONGEST_QUOTE];
	uint32_t link_size, size;
};

static bool is_host(uint32_t ip)
{
	return ip >> 24 && ip >> 24 != 127 && ip < 0xe0000000;
}

// RFC 1812 4.3.2.7: never about an ICMP error or a fragment other than the first.
static bool may_answer(const struct cause *cause)
{
	uint32_t header = (cause->quote[0] & 15u) * 4;

	if (cause->quote[0] >> 4 != 4 || weir_be16(cause->quote + 6) & OFFSET)
		return false;
	return cause->quote[9] != ICMP || (header < cause->size && icmp_is_query(cause->quote[header]));
}

// Its length by its own header; 0: it is longer than that can tell.
static uint32_t quote_size(const struct weir_vector *v, unsigned slot, uint32_t network, uint32_t length)
{
	uint32_t there = v->length[slot] - network;

	length = length && length < there ? length : there;
	return length < LONGEST_QUOTE ? length : LONGEST_QUOTE;
}

static bool find_cause(struct weir_vector *v, unsigned slot, uint32_t network, uint32_t length,
	bool is_ethernet, struct cause *cause)
{
	const uint8_t *frame = weir_bytes(v, slot, 0, network + 20);

	if (!frame || (is_ethernet && (frame[0] & 1 || frame[6] & 1))) // to or from many
		return false;
	cause->link_size = icmp_link(cause->link, frame, network, is_ethernet, 0x0800);
	cause->size = quote_size(v, slot, network, length);
	return cause->link_size && icmp_copy(v, slot, network, cause->size, cause->quote) && may_answer(cause);
}

static void write_ip(struct icmperror *self, uint8_t *ip, const struct cause *cause)
{
	uint16_t check;

	memset(ip, 0, HEADERS);
	ip[0] = 0x45;
	ip[1] = 0xc0; // RFC 1812 4.3.2.5: internetwork control
	weir_put16(ip + 2, (uint16_t)(HEADERS + cause->size));
	weir_put16(ip + 4, ++self->id);
	ip[8] = 64;
	ip[9] = ICMP;
	memcpy(ip + 12, self->source.bytes + 12, 4);
	memcpy(ip + 16, cause->quote + 12, 4);
	check = weir_fold(weir_sum(ip, 20, 0));
	memcpy(ip + 10, &check, 2);
}

static void write_icmp(const struct icmperror *self, uint8_t *icmp, const struct cause *cause)
{
	uint16_t check;

	icmp[0] = self->type_number;
	icmp[1] = self->code_number;
	if (icmp[0] == UNREACHABLE && icmp[1] == NEEDFRAG)
		weir_put16(icmp + 6, (uint16_t)self->mtu); // RFC 1191 4
	if (icmp[0] == PARAMETER)
		icmp[4] = self->pointer;
	memcpy(icmp + 8, cause->quote, cause->size);
	check = weir_fold(weir_sum(icmp, 8 + cause->size, 0));
	memcpy(icmp + 2, &check, 2);
}

static bool emit(struct weir_call *call, const struct cause *cause)
{
	struct icmperror *self = weir_self(call);
	uint8_t reply[ICMP_MOST_LINK + LONGEST], *ip = reply + cause->link_size;

	memcpy(reply, cause->link, cause->link_size);
	write_ip(self, ip, cause);
	write_icmp(self, ip + 20, cause);
	return weir_emit(call, reply, cause->link_size + HEADERS + cause->size, 0);
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct icmperror *self = weir_self(call);
	const uint16_t *network = weir_column(v, self->network), *length = weir_column(v, self->length);
	const uint32_t *from = weir_column(v, self->from), *to = weir_column(v, self->to);
	weir_mask answered = 0, limited = 0, ethernet = weir_has(v, self->ethernet);

	(void)out;
	weir_each (i, in & weir_has(v, self->from)) {
		struct cause cause;

		if (!is_host(from[i]) || to[i] >= 0xe0000000 ||
			!find_cause(v, (unsigned)i, network[i], length[i], ethernet >> i & 1, &cause))
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
	struct icmperror *self = at;

	if (!weir_is_ip4(&self->source))
		return weir_refuse(start, 0, "the source is no IPv4 address");
	if (!icmp_parse(self->type, self->code, &self->type_number, &self->code_number))
		return weir_refuse(start, 1,
			"\"%s %s\" is no type and code of an ICMP error that could be sent; known are %s",
			self->type, self->code, icmp_known);
	weir_bucket_init(&self->bucket, self->rate, self->rate);
	return 0;
}

static const uint64_t paths[] = { 0 };

WEIR_CLASS(ICMPError, icmperror,
	.about = "tells the source of an IPv4 packet what went wrong with it", .by = WEIR_ANY,
	.holds = true, .paths = paths,
	WEIR_MEMBERS(WEIR_SETTING(icmperror, source, WEIR_REQUIRED,
			     .about = "the address that the error comes from"),
		WEIR_SETTING(icmperror, type, WEIR_REQUIRED,
			.about = "unreachable, timeexceeded, parameterproblem, or a number"),
		WEIR_SETTING(icmperror, code, "0",
			.about =
				"net, host, protocol, port, needfrag, transit, reassembly, or a number"),
		WEIR_SETTING(icmperror, mtu, "1500", .min = 68, .max = 65535,
			.about = "what is told with needfrag"),
		WEIR_SETTING(icmperror, rate, "1000", .min = 1, .max = 1000000000,
			.about = "errors per second at most"),
		WEIR_SETTING(icmperror, pointer, "0",
			.about = "the byte that is wrong, told with parameterproblem"),
		WEIR_READS_IF(icmperror, ethernet, "eth"),
		WEIR_READS(icmperror, network, "weir.network"),
		WEIR_READS(icmperror, length, "ip.len"), WEIR_READS(icmperror, from, "ip.src"),
		WEIR_READS(icmperror, to, "ip.dst"),
		WEIR_DROPS(icmperror, answered, .about = "packets whose source was told"),
		WEIR_DROPS(icmperror, not_answered,
			.about = "packets about which nothing may be told"),
		WEIR_DROPS(icmperror, limited, .about = "packets above the rate")),
	.start = start, .process = process);
