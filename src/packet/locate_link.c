// SPDX-License-Identifier: Apache-2.0
// Headers of links: what a frame begins with, and VLAN tags.
#include "packet/locate.h"

enum { TYPE_LEAST = 0x0600,
	LENGTH_MOST = 1500 };

enum protocol walk_by_ethertype(uint16_t type)
{
	static const struct {
		uint16_t type;
		uint8_t protocol;
	} types[] = {
		{ 0x0800, PROTO_IP },
		{ 0x86dd, PROTO_IPV6 },
		{ 0x8100, PROTO_VLAN },
		{ 0x88a8, PROTO_VLAN },
		{ 0x9100, PROTO_VLAN },
		{ 0x0806, PROTO_ARP },
		{ 0x8035, PROTO_ARP },
		{ 0x8847, PROTO_MPLS },
		{ 0x8848, PROTO_MPLS },
		{ 0x8864, PROTO_PPPOE },
		{ 0x8863, PROTO_PPPOED },
		{ 0x6558, PROTO_ETH },
		{ 0x880b, PROTO_PPP },
	};

	for (unsigned i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (types[i].type == type)
			return types[i].protocol;
	return PROTO_DATA;
}

enum protocol walk_by_ppp(uint16_t type)
{
	switch (type) {
	case 0x0021: return PROTO_IP;
	case 0x0057: return PROTO_IPV6;
	case 0x0281:
	case 0x0283: return PROTO_MPLS;
	default: return PROTO_DATA;
	}
}

enum protocol walk_by_nibble(const struct walk *walk)
{
	if (walk->at >= walk->end || walk->at >= walk->readable)
		return PROTO_DATA;
	switch (walk->data[walk->at] >> 4) {
	case 4: return PROTO_IP;
	case 6: return PROTO_IPV6;
	default: return PROTO_DATA;
	}
}

// ---- Ethernet and its kin

struct typed { // a header that ends in a type, or in the length of an 802.3 frame
	enum protocol type, length;
	enum reason lie;
};

static enum protocol after_type(struct walk *walk, const uint8_t *type, const struct typed *typed)
{
	uint32_t at = walk->at, size = (uint32_t)(type - (walk->data + at)) + 2;
	uint16_t number = weir_be16(type);

	if (number >= TYPE_LEAST) {
		walk_part(walk, typed->type, at, size);
		walk->at += size;
		return walk_by_ethertype(number);
	}
	if (number > LENGTH_MOST) {
		walk->at += size;
		return PROTO_DATA;
	}
	walk_part(walk, typed->length, at, size);
	walk_narrow(walk, (uint64_t)at + size + number, typed->lie);
	walk->at += size;
	if (walk->at + 2 <= walk->end && walk->at + 2 <= walk->readable &&
		weir_be16(walk->data + walk->at) == 0xffff)
		return PROTO_DATA; // IPX without LLC
	return number ? PROTO_LLC : PROTO_DATA;
}

enum protocol walk_eth(struct walk *walk, const uint8_t *header)
{
	static const struct typed typed = { PROTO_ETH_TYPE, PROTO_ETH_LENGTH, REASON_ETH_LENGTH };

	return after_type(walk, header + 12, &typed);
}

enum protocol walk_vlan(struct walk *walk, const uint8_t *header)
{
	static const struct typed typed = { PROTO_VLAN_TYPE, PROTO_VLAN_LENGTH, REASON_VLAN_LENGTH };

	return after_type(walk, header + 2, &typed);
}

enum { SAP_SNAP = 0xaa,
	SAP_IP = 0x06,
	UNNUMBERED = 0x03 };

enum protocol walk_llc(struct walk *walk, const uint8_t *header)
{
	bool is_unnumbered = (header[2] & 3) == UNNUMBERED;

	if (!is_unnumbered && !walk_has(walk, 4))
		return PROTO_NONE;
	if (header[0] != SAP_SNAP || header[1] != SAP_SNAP || !is_unnumbered) {
		walk->at += is_unnumbered ? 3 : 4;
		return header[0] == SAP_IP && header[1] == SAP_IP && is_unnumbered ? PROTO_IP : PROTO_DATA;
	}
	if (!walk_has(walk, 8))
		return PROTO_NONE;
	walk->at += 8;
	if (header[3] || header[4] || header[5])
		return PROTO_DATA; // a number of whoever that is
	walk_part(walk, PROTO_LLC_SNAP, walk->at - 8, 8);
	return walk_by_ethertype(weir_be16(header + 6));
}

// ---- what captures begin with

enum { HARDWARE_NETLINK = 824,
	SLL_LLC = 4 };

static enum protocol after_cooked(uint16_t hardware, uint16_t type)
{
	if (hardware == HARDWARE_NETLINK)
		return PROTO_DATA;
	if (type == SLL_LLC)
		return PROTO_LLC;
	return type < TYPE_LEAST ? PROTO_DATA : walk_by_ethertype(type);
}

enum protocol walk_sll(struct walk *walk, const uint8_t *header)
{
	walk->at += 16;
	return after_cooked(weir_be16(header + 2), weir_be16(header + 14));
}

enum protocol walk_sll2(struct walk *walk, const uint8_t *header)
{
	walk->at += 20;
	return after_cooked(weir_be16(header + 8), weir_be16(header));
}

// An address family of the machine that made the capture, in its byte order.
enum protocol walk_null(struct walk *walk, const uint8_t *header)
{
	uint32_t family = weir_be32(header);

	if (family > UINT16_MAX)
		family = __builtin_bswap32(family);
	walk->at += 4;
	switch (family) {
	case 2: return PROTO_IP;
	case 10: // Linux
	case 24: // NetBSD, OpenBSD
	case 28: // FreeBSD
	case 30: // macOS
		return PROTO_IPV6;
	default: return PROTO_DATA;
	}
}

enum protocol walk_ppp(struct walk *walk, const uint8_t *header)
{
	uint32_t size = header[0] == 0xff ? 2 : 0; // address and control
	bool is_short;

	if (!walk_has(walk, size + 1))
		return PROTO_NONE;
	is_short = header[size] & 1;
	if (!is_short && !walk_has(walk, size + 2))
		return PROTO_NONE;
	if (size)
		walk_part(walk, PROTO_PPP_ADDRESS, walk->at, 2);
	if (!is_short)
		walk_part(walk, PROTO_PPP_TYPE, walk->at + size, 2);
	walk->at += size + (is_short ? 1 : 2);
	return walk_by_ppp(is_short ? header[size] : weir_be16(header + size));
}

enum protocol walk_chdlc(struct walk *walk, const uint8_t *header)
{
	uint16_t type = weir_be16(header + 2);

	walk->at += 4;
	return type == 0x8035 ? PROTO_DATA : walk_by_ethertype(type); // SLARP, which is no ARP
}

enum protocol walk_raw(struct walk *walk, const uint8_t *header)
{
	enum protocol next = walk_by_nibble(walk);

	(void)header;
	return next == PROTO_DATA ? walk_lie(walk, REASON_RAW_VERSION) : next;
}
