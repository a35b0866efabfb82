// SPDX-License-Identifier: Apache-2.0
// Decoding: first where the headers are (locate), then single fields out of them (extract). Both work on a mask
// of slots, write presence masks, places and columns at the offsets that the planner chose, and touch nothing
// that nobody asked for. Never past the end of a packet: a header that is cut or lies is not there, and its
// packet is malformed.
#ifndef PACKET_DECODE_H
#define PACKET_DECODE_H

#include "packet/vector.h"

enum {
	// Which header of a protocol, where a packet has several. From 1: as Wireshark counts, those quoted in
	// ICMP errors too.
	DECODE_OUTER = 0, // the first that is not quoted in an ICMP error: what an element's column means
	DECODE_LAST = 255,
	DECODE_LAYERS =
		32, // headers of one packet that are looked at; what is behind is malformed ("too many layers")
	DECODE_OCCURRENCES = 4, // of one protocol, that a bare name in a filter stands for
};

// A header that somebody asks for.
struct decode_layer {
	enum protocol protocol;
	uint8_t occurrence;
	uint32_t has;  // out: weir_mask of the slots that have it
	uint32_t base; // out: uint16_t[64], where it begins; 0: nobody asks
	uint32_t end; // out: uint32_t[64], where its content ends by its own and outer length fields, never
		      // behind the frame's end; 0: nobody asks
};

struct decode_locate; // prepared: what to write for which layer, and how deep to look

// The innermost conversation of a packet, not what an ICMP error quotes: its network header and what that carries.
// All of them or none is asked for (has4 0).
struct decode_inner {
	uint32_t has4, has6;     // out: weir_mask, of IPv4, of IPv6
	uint32_t has_transport;  // out: weir_mask; TCP, UDP, UDP-Lite, SCTP, ICMP, ICMPv6
	uint32_t is_fragment;    // out: weir_mask; not all of the datagram is here
	uint32_t network, transport; // out: uint16_t[64]; transport: also of what has none that is
				     // known, where it would be
	uint32_t protocol;       // out: uint8_t[64], ip.proto
	uint32_t end;            // out: uint32_t[64], where the datagram ends, by its length and within the frame
	uint32_t vlan;   // out: uint16_t[64], the outermost tag's number in front of it, 0 without; 0: nobody asks
	uint32_t tunnel; // out: uint32_t[64], of the innermost tunnel around it that has a number by which both
			 // directions go (VXLAN, Geneve, a GRE key, an MPLS label), 0 without; 0: nobody asks
};

// What the malformed and fragmented events need; 0: nobody asks.
struct decode_facts {
	uint32_t malformed;        // out: weir_mask
	uint32_t malformed_reason; // out: uint8_t[64], for decode_reason
	uint32_t malformed_offset; // out: uint16_t[64]
	uint32_t fragmented;       // out: weir_mask; of the first network header
	// out: uint16_t[64]: the first network header (ARP, IPv4, IPv6), the first transport header
	// (TCP, UDP, UDP-Lite, SCTP, ICMP, ICMPv6) that is not quoted; their presence is in
	// network_has, transport_has
	uint32_t network, transport;
	uint32_t network_has, transport_has;
	struct decode_inner inner;
};

struct arena;
struct decode_locate *decode_prepare(struct arena *arena, const struct decode_layer *layers, unsigned count,
				     const struct decode_facts *facts);
// For the slots of todo: every mask has these bits set or cleared, places are written where the bit is set.
void decode_locate(const struct decode_locate *locate, struct vector *vector, weir_mask todo);
const char *decode_reason(uint8_t reason); // "ip.len: longer than the frame"

// One field out of its header, for those of todo that have it.
struct decode_extract {
	const struct field *field;
	void (*run)(const struct decode_extract *extract, struct vector *vector, weir_mask todo);
	uint32_t has, base, end; // of its layer
	uint32_t at;             // out: the column; of a FIELD_BOOL a mask
};
// Chooses `run`. A field that needs the end of its layer (lengths, payloads) says so: decode_needs_end.
void decode_extract_prepare(struct decode_extract *extract);
bool decode_needs_end(const struct field *field);

#endif
