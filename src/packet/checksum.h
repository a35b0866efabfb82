// SPDX-License-Identifier: Apache-2.0
// Checksums: sums of the Internet protocols (weir_sum is in weir.h) and the CRC of SCTP.
#ifndef PACKET_CHECKSUM_H
#define PACKET_CHECKSUM_H

#include "packet/vector.h"

enum checksum_status { // as Wireshark counts them
	CHECKSUM_BAD,
	CHECKSUM_GOOD,
	// a fragment, a quote, a packet that the capture cut or that hardware has still to complete
	CHECKSUM_UNVERIFIED,
	CHECKSUM_ABSENT, // UDP: 0
};

// What the checksum of an IPv4 header, options included, must be. Stored with memcpy.
uint16_t checksum_ip(const uint8_t *ip);

// The sum over the pseudo header of `length` bytes of a protocol. `network` is an IPv4 or IPv6 header.
uint32_t checksum_pseudo(const uint8_t *network, uint8_t protocol, uint32_t length);

// What the checksum of a TCP, UDP, ICMP, ICMPv6 or IGMP message must be, whatever it is now. `network` is the IPv4 or
// IPv6 header. Stored with memcpy at checksum_place.
uint16_t checksum_transport(
	const uint8_t *network, uint8_t protocol, const uint8_t *transport, uint32_t length);
unsigned checksum_place(uint8_t protocol); // in the header; 0: it has none, or none that is a sum

// CRC-32C; `crc` is 0 at the start, or what the bytes before gave.
uint32_t checksum_crc32c(const void *bytes, size_t length, uint32_t crc);

// Is it right, in this slot? `base` is that of the transport header, `protocol` what it is.
enum checksum_status checksum_check(
	const struct vector *vector, unsigned slot, enum protocol protocol, uint32_t base);

#endif
