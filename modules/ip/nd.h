// SPDX-License-Identifier: Apache-2.0
// Neighbour solicitations and advertisements as frames (RFC 4861 4.3, 4.4).
#ifndef ND_H
#define ND_H

#include <weir.h>

enum { ND_SOLICITATION = 135, ND_ADVERTISEMENT = 136, ND_FRAME = 14 + 40 + 32 };
enum { ND_ROUTER = 0x80, ND_SOLICITED = 0x40, ND_OVERRIDE = 0x20 };

struct nd {
	uint8_t type, flags;
	const uint8_t *ether_source, *ether_destination;
	const struct weir_addr *source, *destination, *target;
};
void nd_write(uint8_t frame[ND_FRAME], const struct nd *message);

struct nd_read {
	uint8_t type, flags;
	struct weir_addr source, destination, target;
	const uint8_t *ether; // of the link-layer option; NULL: it has none
};
// false: it is none, or not sound (hop limit, checksum, options, addresses; RFC 4861 7.1).
bool nd_read(struct weir_vector *v, unsigned slot, uint16_t network, struct nd_read *message);

bool nd_is_unspecified(const struct weir_addr *addr);

// The checksum of an ICMPv6 message with its pseudo header (RFC 4443 2.3), as it stands in the packet.
uint16_t nd_checksum(const uint8_t *ip6, const uint8_t *message, uint32_t length);

#endif
