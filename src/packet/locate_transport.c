// SPDX-License-Identifier: Apache-2.0
// Transport headers.
#include "packet/locate.h"

enum protocol walk_tcp(struct walk *walk, const uint8_t *header)
{
	uint32_t size = (header[12] >> 4) * 4u;

	if (size < 20)
		return walk_lie(walk, REASON_TCP_HEADER);
	if (!walk_has(walk, size))
		return PROTO_NONE;
	walk_part(walk, PROTO_TCP_REST, walk->at, 20);
	walk->at += size;
	if (walk->at < walk->end)
		walk_part(walk, PROTO_TCP_PAYLOAD, walk->at, 0);
	return PROTO_DATA;
}

// A length of 0 where 16 bits cannot tell it: a jumbogram, or a packet that waits to be cut into segments.
enum protocol walk_udp(struct walk *walk, const uint8_t *header)
{
	uint32_t length = weir_be16(header + 4);
	bool is_jumbo = !length && walk->wire_end - walk->at > UINT16_MAX;

	if (length < 8 && !is_jumbo)
		return walk_lie(walk, REASON_UDP_LENGTH_SHORT);
	if (!is_jumbo)
		walk_narrow(walk, (uint64_t)walk->at + length, REASON_UDP_LENGTH);
	walk->at += 8;
	if (walk->at < walk->end)
		walk_part(walk, PROTO_UDP_PAYLOAD, walk->at, 0);
	return walk_by_udp(walk, weir_be16(header + 2));
}

// The place of the length tells how much the checksum covers; 0: all.
enum protocol walk_udplite(struct walk *walk, const uint8_t *header)
{
	uint32_t coverage = weir_be16(header + 4);

	if (coverage && (coverage < 8 || (coverage > walk->wire_end - walk->at && !walk->is_partial)))
		return walk_lie(walk, REASON_UDPLITE_COVERAGE);
	walk->at += 8;
	return PROTO_DATA;
}

enum protocol walk_sctp(struct walk *walk, const uint8_t *header)
{
	(void)header;
	walk_part(walk, PROTO_SCTP_REST, walk->at, 12);
	walk->at += 12;
	return PROTO_DATA;
}
