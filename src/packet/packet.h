// SPDX-License-Identifier: Apache-2.0
// One frame: DPDK buffers with a private area of 128 bytes, in it this head and behind the head the control block,
// which holds the live carried fields while the packet is outside of a vector.
#ifndef PACKET_PACKET_H
#define PACKET_PACKET_H

#include <assert.h>
#include <rte_mbuf.h>
#include <weir.h>

enum {
	PACKET_PRIVATE = 128,
	PACKET_STRAIGHT = 512, // so much of a frame always lies in its first buffer
	PACKET_LONGEST = 256 * 1024,
	PACKET_ROUNDS = 64, // re-injections
	PACKET_COPIED = 0x40 << 1 | 1, // in `rounds`: a copy for another worker
	PACKET_FRESH = 0x80, // in `rounds`: handed over before any element has seen it
};

enum packet_unfinished {
	PACKET_L4 = 1, // the field of the outer TCP's or UDP's checksum holds nothing; whoever
		       // sends it computes it anew
};
enum packet_gso { PACKET_GSO_NONE, PACKET_GSO_TCP, PACKET_GSO_UDP };

struct packet_head {
	uint64_t time_ns;  // when it came, since 1970
	uint32_t original; // its length on the wire; a capture may have cut it
	uint16_t port;     // where it came in: index of the port
	uint16_t layout;   // of its control block; 0: there is none
	uint16_t node;     // where it goes on, while it waits to
	uint8_t link;      // enum protocol of its first header
	uint8_t rounds;    // how often it was re-injected
	uint8_t unfinished; // checksums that a virtual port has left to be completed: PACKET_L4; port/unfinished.h
	uint8_t gso_type;   // enum packet_gso; not NONE: the packet stands for several frames
	union {
		uint16_t gso_size;  // of each of them, behind the transport header
		uint16_t link_type; // NONE: as a capture numbers it, for a capture that it is written to
	};
	struct rte_mbuf *next_held, *before_held; // while a module holds it
	uint8_t block[PACKET_PRIVATE - 40];
};
static_assert(sizeof(struct packet_head) == PACKET_PRIVATE);
static_assert(offsetof(struct packet_head, block) == 40);

static inline struct rte_mbuf *packet_mbuf(struct weir_packet *packet)
{
	return (struct rte_mbuf *)packet;
}
static inline struct weir_packet *packet_of(struct rte_mbuf *mbuf)
{
	return (struct weir_packet *)mbuf;
}
static inline struct packet_head *packet_head(struct rte_mbuf *mbuf)
{
	return (struct packet_head *)(mbuf + 1);
}

#endif
