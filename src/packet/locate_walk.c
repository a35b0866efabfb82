// SPDX-License-Identifier: Apache-2.0
// The walk from header to header, for packets that are not plain. What single headers say is in locate_link.c,
// locate_network.c, locate_transport.c and locate_tunnel.c.
#include "packet/locate.h"

#include "packet/packet.h"

struct header {
	uint8_t minimum; // bytes that it always has
	uint8_t of_a_quote; // bytes that suffice in a quote; 0: all
	walk_header *walk; // NULL: it has no more, and data is behind it
};

static const struct header headers[PROTOCOLS] = {
	[PROTO_ETH] = { 14, 0, walk_eth },
	[PROTO_VLAN] = { 4, 0, walk_vlan },
	[PROTO_SLL] = { 16, 0, walk_sll },
	[PROTO_SLL2] = { 20, 0, walk_sll2 },
	[PROTO_NULL] = { 4, 0, walk_null },
	[PROTO_PPP] = { 1, 0, walk_ppp },
	[PROTO_CHDLC] = { 4, 0, walk_chdlc },
	[PROTO_RAW] = { 1, 0, walk_raw },
	[PROTO_PPPOE] = { 6, 0, walk_pppoe },
	[PROTO_PPPOED] = { 6, 0, walk_pppoe },
	[PROTO_MPLS] = { 4, 0, walk_mpls },
	[PROTO_LLC] = { 3, 0, walk_llc },
	[PROTO_ARP] = { 8, 0, walk_arp },
	[PROTO_IP] = { 20, 0, walk_ip },
	[PROTO_IPV6] = { 40, 0, walk_ipv6 },
	[PROTO_HOPOPTS] = { 8, 0, walk_hopopts },
	[PROTO_ROUTING] = { 8, 0, walk_extension },
	[PROTO_DSTOPTS] = { 8, 0, walk_extension },
	[PROTO_IPV6_EXT] = { 8, 0, walk_extension },
	[PROTO_IPV6_FRAGMENT] = { 8, 0, walk_fragment },
	[PROTO_AH] = { 12, 0, walk_ah },
	[PROTO_ESP] = { 8, 0, NULL },
	[PROTO_ICMP] = { 8, 0, walk_icmp },
	[PROTO_ICMPV6] = { 8, 0, walk_icmpv6 },
	[PROTO_IGMP] = { 8, 0, walk_igmp },
	[PROTO_TCP] = { 20, 8, walk_tcp },
	[PROTO_UDP] = { 8, 0, walk_udp },
	[PROTO_UDPLITE] = { 8, 0, walk_udplite },
	[PROTO_SCTP] = { 12, 8, walk_sctp },
	[PROTO_GRE] = { 4, 0, walk_gre },
	[PROTO_VXLAN] = { 8, 0, walk_vxlan },
	[PROTO_GENEVE] = { 8, 0, walk_geneve },
	[PROTO_GTP] = { 8, 0, walk_gtp },
};

const char *walk_too_short(enum protocol protocol)
{
	static const char *const reasons[PROTOCOLS] = {
		[PROTO_ETH] = "eth: its header does not fit",
		[PROTO_VLAN] = "vlan: its header does not fit",
		[PROTO_SLL] = "sll: its header does not fit",
		[PROTO_SLL2] = "sll2: its header does not fit",
		[PROTO_NULL] = "null: its header does not fit",
		[PROTO_PPP] = "ppp: its header does not fit",
		[PROTO_CHDLC] = "chdlc: its header does not fit",
		[PROTO_RAW] = "raw: its header does not fit",
		[PROTO_PPPOE] = "pppoes: its header does not fit",
		[PROTO_PPPOED] = "pppoed: its header does not fit",
		[PROTO_MPLS] = "mpls: its header does not fit",
		[PROTO_LLC] = "llc: its header does not fit",
		[PROTO_ARP] = "arp: its header does not fit",
		[PROTO_IP] = "ip: its header does not fit",
		[PROTO_IPV6] = "ipv6: its header does not fit",
		[PROTO_HOPOPTS] = "ipv6.hopopts: its header does not fit",
		[PROTO_ROUTING] = "ipv6.routing: its header does not fit",
		[PROTO_DSTOPTS] = "ipv6.dstopts: its header does not fit",
		[PROTO_IPV6_EXT] = "ipv6.ext: its header does not fit",
		[PROTO_IPV6_FRAGMENT] = "ipv6.fraghdr: its header does not fit",
		[PROTO_AH] = "ah: its header does not fit",
		[PROTO_ESP] = "esp: its header does not fit",
		[PROTO_ICMP] = "icmp: its header does not fit",
		[PROTO_ICMPV6] = "icmpv6: its header does not fit",
		[PROTO_IGMP] = "igmp: its header does not fit",
		[PROTO_TCP] = "tcp: its header does not fit",
		[PROTO_UDP] = "udp: its header does not fit",
		[PROTO_UDPLITE] = "udplite: its header does not fit",
		[PROTO_SCTP] = "sctp: its header does not fit",
		[PROTO_GRE] = "gre: its header does not fit",
		[PROTO_VXLAN] = "vxlan: its header does not fit",
		[PROTO_GENEVE] = "geneve: its header does not fit",
		[PROTO_GTP] = "gtp: its header does not fit",
	};

	return protocol < PROTOCOLS && reasons[protocol] ? reasons[protocol] : "frame: its header does not fit";
}

uint32_t walk_original(const struct vector *vector, unsigned slot)
{
	struct weir_packet *packet = vector->head.packet[slot];
	uint32_t original = packet ? packet_head(packet_mbuf(packet))->original : 0;

	return original > vector->head.length[slot] ? original : vector->head.length[slot];
}

// ---- what is wrong

// Headers in a quote end where it ends: that is no lie.
static void tell(struct walk *walk, unsigned reason)
{
	if (walk->is_quoted || walk->reason)
		return;
	walk->reason = (uint8_t)reason;
	walk->reason_at = walk->at > UINT16_MAX ? UINT16_MAX : (uint16_t)walk->at;
}

enum protocol walk_lie(struct walk *walk, enum reason reason)
{
	tell(walk, reason);
	return PROTO_NONE;
}

bool walk_has(struct walk *walk, uint32_t length)
{
	uint64_t need = (uint64_t)walk->at + length;

	if (need <= walk->end && need <= walk->readable)
		return true;
	tell(walk,
		need <= walk->end		 ? REASON_DEEP
			: need <= walk->wire_end ? REASON_CUT
						 : REASON_HEADER + walk->this);
	return false;
}

void walk_narrow(struct walk *walk, uint64_t end, enum reason lie)
{
	if (end > walk->wire_end) {
		if (!walk->is_partial)
			tell(walk, lie);
		return;
	}
	walk->wire_end = (uint32_t)end;
	if (end < walk->end)
		walk->end = (uint32_t)end;
}

// ---- what is there

static void record(struct walk *walk, enum protocol protocol, uint32_t base, uint8_t number)
{
	walk->found[walk->count++] = (struct found){
		.protocol = (uint8_t)protocol,
		.number = number,
		.is_quoted = walk->is_quoted,
		.base = (uint16_t)base,
	};
	if (!walk->is_quoted && !walk->outer[protocol])
		walk->outer[protocol] = number;
}

void walk_part(struct walk *walk, enum protocol part, uint32_t base, uint32_t length)
{
	if ((uint64_t)base + length <= walk->end && base + length <= walk->readable && base <= UINT16_MAX)
		record(walk, part, base, walk->numbers[protocol_whole(part)]);
}

void walk_is_fragment(struct walk *walk)
{
	if (!walk->is_quoted && walk->networks == 1)
		walk->is_fragment = true;
}

static bool is_network(enum protocol protocol)
{
	return protocol == PROTO_IP || protocol == PROTO_IPV6 || protocol == PROTO_ARP;
}

static bool is_transport(enum protocol protocol)
{
	static const bool is[PROTOCOLS] = {
		[PROTO_TCP] = true,
		[PROTO_UDP] = true,
		[PROTO_UDPLITE] = true,
		[PROTO_SCTP] = true,
		[PROTO_ICMP] = true,
		[PROTO_ICMPV6] = true,
	};
	return is[protocol];
}

static void note_facts(struct walk *walk, const struct found *found)
{
	if (found->is_quoted)
		return;
	if (is_network(found->protocol) && !walk->has_network) {
		walk->has_network = true;
		walk->network = found->base;
	}
	if (is_transport(found->protocol) && !walk->has_transport) {
		walk->has_transport = true;
		walk->transport = found->base;
	}
}

// A header has been looked at, and what it contains is known: the ends of it and of its parts are.
static void finish(struct walk *walk, unsigned first)
{
	for (unsigned i = first; i < walk->count; i++) {
		walk->found[i].end = walk->end;
		walk->found[i].wire_end = walk->wire_end;
	}
	note_facts(walk, &walk->found[first]);
}

static void take_back(struct walk *walk, unsigned first)
{
	while (walk->count > first) {
		const struct found *found = &walk->found[--walk->count];

		if (walk->outer[found->protocol] == found->number && !found->is_quoted)
			walk->outer[found->protocol] = 0;
	}
	walk->numbers[walk->this]--;
}

// Of a quoted header that is cut: the first bytes suffice for its ports.
static enum protocol short_header(struct walk *walk, const struct header *header)
{
	if (!walk->is_quoted || !header->of_a_quote || walk->end - walk->at < header->of_a_quote)
		return PROTO_NONE;
	record(walk, walk->this, walk->at, ++walk->numbers[walk->this]);
	finish(walk, walk->count - 1);
	return PROTO_NONE;
}

// One header; returns what comes next.
static enum protocol step(struct walk *walk)
{
	const struct header *header = &headers[walk->this];
	unsigned first = walk->count;
	enum protocol next = PROTO_DATA;
	bool was_partial = walk->is_partial, was_quoted = walk->is_quoted;

	if (walk->headers++ == DECODE_LAYERS)
		return walk_lie(walk, REASON_LAYERS);
	if (walk->at > UINT16_MAX)
		return walk_lie(walk, REASON_DEEP);
	if (!walk_has(walk, header->minimum))
		return short_header(walk, header);
	record(walk, walk->this, walk->at, ++walk->numbers[walk->this]);
	walk->networks = (uint8_t)(walk->networks + (is_network(walk->this) && !walk->is_quoted));
	if (header->walk)
		next = header->walk(walk, walk->data + walk->at);
	else
		walk->at += header->minimum;
	if (next == PROTO_NONE) {
		walk->is_partial = was_partial;
		walk->is_quoted = was_quoted;
		take_back(walk, first);
		return next;
	}
	finish(walk, first);
	if (walk->quote_end)
		walk_narrow(walk, walk->quote_end, REASON_ICMP_LENGTH);
	walk->quote_end = 0;
	return next;
}

static void data(struct walk *walk)
{
	if (walk->at >= walk->end || walk->at > UINT16_MAX)
		return;
	record(walk, PROTO_DATA, walk->at, ++walk->numbers[PROTO_DATA]);
	finish(walk, walk->count - 1);
}

static void start(struct walk *walk, const struct vector *vector, unsigned slot)
{
	bool is_ip_enough = walk->is_ip_enough, is_ipv6_enough = walk->is_ipv6_enough;

	memset(walk, 0, offsetof(struct walk, found));
	walk->is_ip_enough = is_ip_enough;
	walk->is_ipv6_enough = is_ipv6_enough;
	walk->data = vector->head.data[slot];
	walk->readable = vector->head.straight[slot];
	walk->end = vector->head.length[slot];
	walk->wire_end = walk_original(vector, slot);
	walk->this = vector->odd >> slot & 1 ? vector->link[slot] : PROTO_ETH;
}

static bool is_enough(const struct walk *walk)
{
	return (walk->this == PROTO_IP && walk->is_ip_enough) ||
		(walk->this == PROTO_IPV6 && walk->is_ipv6_enough);
}

void walk_slot(struct walk *walk, const struct vector *vector, unsigned slot)
{
	enum protocol next;

	start(walk, vector, slot);
	while (walk->this != PROTO_DATA && walk->this < PROTOCOLS && headers[walk->this].minimum) {
		next = step(walk);
		if (next == PROTO_NONE || is_enough(walk))
			return;
		walk->inside = walk->this;
		walk->this = next;
	}
	data(walk);
}
