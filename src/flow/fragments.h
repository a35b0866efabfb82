// SPDX-License-Identifier: Apache-2.0
// IPv4 and IPv6 datagrams out of their fragments, within bounds: so many datagrams, fragments and bytes at most, the
// oldest goes first; 30 s of packet time, as most hosts. Overlaps: IPv4 by policy; an IPv6 datagram with one is dropped
// whole, and what else comes of it (RFC 5722). A fragment that is a whole datagram is taken by itself (RFC 6946).
#ifndef FLOW_FRAGMENTS_H
#define FLOW_FRAGMENTS_H

#include "flow/pieces.h"

enum { FRAGMENTS_HEADER = 256, FRAGMENTS_LONGEST = 65535, FRAGMENTS_KEY = 48 };

struct fragment { // read out of a packet
	const uint8_t *header; // an IPv4 header; an IPv6 header and what is before the fragment header
	const uint8_t *bytes;
	uint32_t header_length, length, offset;
	uint32_t next_at; // IPv6: where in the header the number of the fragment header is
	uint32_t id;
	uint8_t version, next; // next: of the fragment header
	bool more;
};

// Is this IP packet a fragment? `length` bytes of it are there; a fragment that is cut is none.
bool fragment_read(struct fragment *fragment, const uint8_t *ip, uint32_t length);

struct fragments_limits {
	uint32_t datagrams, fragments;
	uint32_t fragments_per_datagram;
	uint32_t copies, handles; // see pieces_pool_init
	uint64_t timeout_ns;
	enum overlap_policy policy; // of IPv4
	uint64_t seed;              // of the hash; random where others choose the packets
};
extern const struct fragments_limits fragments_limits_default;

enum fragment_result {
	FRAGMENT_WAITS,
	FRAGMENT_COMPLETES,
	FRAGMENT_BAD,      // it cannot be: a length that is no multiple of 8, beyond 64 kB, beyond the end ...
	FRAGMENT_OVERLAPS, // IPv6, or of such a datagram
	FRAGMENT_NO_ROOM,
	FRAGMENT_RESULTS
};

struct fragments {
	struct pieces_pool pieces;
	struct fragments_limits limits;
	struct datagram *datagrams, *free_datagrams, *oldest, *newest;
	struct datagram **buckets;
	uint32_t bucket_mask, waiting;
	uint8_t *whole; // the last one that was completed
	uint64_t results[FRAGMENT_RESULTS];
	uint64_t timed_out, evicted, overlaps, conflicts; // conflict: an overlap with other bytes
};

int fragments_init(struct fragments *fragments, const struct fragments_limits *limits, const struct keeper *keeper);
void fragments_uninit(struct fragments *fragments);

// place: what else tells datagrams apart (VLAN, tunnel), or 0. Completes: *whole is the datagram with a header as if it
// had never been cut, until the next call.
enum fragment_result fragments_add(struct fragments *fragments, const struct fragment *fragment, uint64_t place,
	void *packet, uint64_t now_ns, const uint8_t **whole, uint32_t *length);
void fragments_settle(struct fragments *fragments, uint64_t now_ns); // what is too old goes

#endif
