// SPDX-License-Identifier: Apache-2.0
// Headers with whole packets in them: PPPoE, MPLS, GRE, VXLAN, Geneve, GTP-U.
#include "packet/locate.h"

enum { PORT_GTP = 2152,
	PORT_VXLAN = 4789,
	PORT_GENEVE = 6081 };

// A port is a guess. What cannot be such a header by its first byte is data.
enum protocol walk_by_udp(const struct walk *walk, uint16_t port)
{
	bool is_seen = walk->at < walk->end && walk->at < walk->readable;
	uint8_t first = is_seen ? walk->data[walk->at] : 0;

	if (!is_seen || walk->wire_end - walk->at < 8)
		return PROTO_DATA;
	switch (port) {
	case PORT_VXLAN: return first & 0x08 ? PROTO_VXLAN : PROTO_DATA; // its identifier is valid
	case PORT_GENEVE: return first >> 6 == 0 ? PROTO_GENEVE : PROTO_DATA; // version
	case PORT_GTP: return first >> 4 == 3 ? PROTO_GTP : PROTO_DATA; // version 1, not GTP'
	default: return PROTO_DATA;
	}
}

enum protocol walk_pppoe(struct walk *walk, const uint8_t *header)
{
	walk_narrow(walk, (uint64_t)walk->at + 6 + weir_be16(header + 4), REASON_PPPOE_LENGTH);
	walk->at += 6;
	return walk->this == PROTO_PPPOE && !header[1] && walk->at < walk->end ? PROTO_PPP : PROTO_DATA;
}

// ---- MPLS says nothing of what it carries: an IP packet begins with its version, a pseudo wire with a control word of
// 0 or, without one, with an Ethernet header of a known type.

static enum protocol pseudo_wire(struct walk *walk, uint32_t control)
{
	uint32_t at = walk->at + control;

	if (at + 14 > walk->end || at + 14 > walk->readable ||
		walk_by_ethertype(weir_be16(walk->data + at + 12)) == PROTO_DATA)
		return PROTO_DATA;
	walk->at = at;
	return PROTO_ETH;
}

enum protocol walk_mpls(struct walk *walk, const uint8_t *header)
{
	walk->at += 4;
	if (!(header[2] & 1))
		return PROTO_MPLS;
	if (walk->at >= walk->end || walk->at >= walk->readable)
		return PROTO_DATA;
	switch (header[4] >> 4) {
	case 0: return pseudo_wire(walk, 4);
	case 4: return PROTO_IP;
	case 6: return PROTO_IPV6;
	default: return pseudo_wire(walk, 0);
	}
}

// ---- GRE

enum { GRE_CHECKSUM = 0x8000,
	GRE_ROUTING = 0x4000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_ACK = 0x0080 };

// Source routes: entries of a family, an offset and a length, the last one empty. Returns what is behind, 0: cut.
static uint32_t behind_routes(struct walk *walk, uint32_t size)
{
	const uint8_t *entry;

	do {
		if (!walk_has(walk, size + 4))
			return 0;
		entry = walk->data + walk->at + size;
		size += 4u + entry[3];
	} while (weir_be16(entry) || entry[3]);
	return walk_has(walk, size) ? size : 0;
}

// One optional word of the header, at `size`; returns what is behind it.
static uint32_t word(struct walk *walk, bool is_there, enum protocol part, uint32_t size)
{
	if (is_there && part)
		walk_part(walk, part, walk->at + size, 4);
	return is_there ? size + 4 : size;
}

enum protocol walk_gre(struct walk *walk, const uint8_t *header)
{
	uint16_t flags = weir_be16(header), type = weir_be16(header + 2);
	uint32_t size = 4;

	if ((flags & 7) > 1)
		return PROTO_DATA;
	size = word(walk, flags & (GRE_CHECKSUM | GRE_ROUTING), flags & GRE_CHECKSUM ? PROTO_GRE_CHECKSUM : 0,
		size);
	size = word(walk, flags & GRE_KEY, PROTO_GRE_KEY, size);
	size = word(walk, flags & GRE_SEQUENCE, PROTO_GRE_SEQUENCE, size);
	size = word(walk, (flags & 7) == 1 && flags & GRE_ACK, 0, size);
	if (!walk_has(walk, size))
		return PROTO_NONE;
	if (flags & GRE_ROUTING && !(size = behind_routes(walk, size)))
		return PROTO_NONE;
	if ((flags & 7) == 1 && flags & GRE_KEY) // PPTP: the key's first half is the payload's length
		walk_narrow(walk, (uint64_t)walk->at + size + weir_be16(header + 4), REASON_GRE_LENGTH);
	walk->at += size;
	return walk->at < walk->end ? walk_by_ethertype(type) : PROTO_DATA;
}

// ---- over UDP

enum protocol walk_vxlan(struct walk *walk, const uint8_t *header)
{
	(void)header;
	walk->at += 8;
	return PROTO_ETH;
}

enum protocol walk_geneve(struct walk *walk, const uint8_t *header)
{
	uint32_t size = 8 + (header[0] & 63u) * 4;

	if (!walk_has(walk, size))
		return PROTO_NONE;
	walk->at += size;
	return walk_by_ethertype(weir_be16(header + 2));
}

enum { GTP_EXTENSION = 4,
	GTP_SEQUENCE = 2,
	GTP_OPTIONAL = 7,
	GTP_PACKET = 255 };

// Extension headers: a length in words, content, the type of the next one. Returns what is behind, 0: they lie.
static uint32_t behind_extensions(struct walk *walk, uint32_t size)
{
	const uint8_t *header = walk->data + walk->at;

	for (uint8_t next = header[size - 1]; next; next = header[size - 1]) {
		if (!walk_has(walk, size + 4))
			return 0;
		if (!header[size])
			return (void)walk_lie(walk, REASON_GTP_EXTENSION), 0;
		size += header[size] * 4u;
		if (!walk_has(walk, size))
			return 0;
	}
	return size;
}

enum protocol walk_gtp(struct walk *walk, const uint8_t *header)
{
	uint32_t size = header[0] & GTP_OPTIONAL ? 12 : 8;

	walk_narrow(walk, (uint64_t)walk->at + 8 + weir_be16(header + 2), REASON_GTP_LENGTH);
	if (!walk_has(walk, size))
		return PROTO_NONE;
	if (header[0] & GTP_SEQUENCE)
		walk_part(walk, PROTO_GTP_SEQUENCE, walk->at, 12);
	if (header[0] & GTP_EXTENSION && !(size = behind_extensions(walk, size)))
		return PROTO_NONE;
	walk->at += size;
	return header[1] == GTP_PACKET ? walk_by_nibble(walk) : PROTO_DATA;
}
