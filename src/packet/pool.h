// SPDX-License-Identifier: Apache-2.0
// Buffers: where packets come from and go back to. Every pool has the same shape (a private area
// for the packet's head, headroom, 2048 bytes of data), so that a packet may be copied from any
// into any. Pools are stacks with a cache per worker: the buffer freed last, still in the core's
// cache, is the next one given out.
#ifndef PACKET_POOL_H
#define PACKET_POOL_H

#include "packet/packet.h"

enum { PACKET_ROOM = 2048 }; // bytes of data behind the headroom of one buffer

// NULL: rte_errno says why; ENOMEM: the platform was started with too little memory.
struct rte_mempool *packet_pool_create(const char *name, unsigned packets, int socket);
void packet_pool_destroy(struct rte_mempool *pool); // NULL is fine; all packets are back
size_t packet_pool_bytes(unsigned packets); // what such a pool takes of the platform's memory
unsigned packet_pool_used(const struct rte_mempool *pool); // exact while no worker runs

// An empty packet with a cleared head, or NULL: the pool is empty.
struct rte_mbuf *packet_new(struct rte_mempool *pool);
// All buffers of a packet go back. Its control block was filled or forgotten before (layout 0).
void packet_free(struct rte_mbuf *packet);
void packet_free_bulk(struct rte_mbuf **packets, unsigned count);

// A second packet with the same bytes and head; both share the buffers until one of them is edited.
// NULL: the pool has too few buffers; then nothing has happened.
struct rte_mbuf *packet_clone(struct rte_mbuf *packet);
// The same with bytes of its own.
struct rte_mbuf *packet_copy(const struct rte_mbuf *packet);
// Does somebody else see what is written to its bytes?
bool packet_is_shared(const struct rte_mbuf *packet);

// A copy with `front` more bytes before it and `back` more behind (their content is undefined), in
// which `length` bytes from `at` (counted with `front`) lie in one buffer, as does what always does
// (PACKET_STRAIGHT). NULL: no buffers, or no buffer is that large.
struct packet_shape {
	uint32_t front, back, at, length;
};
struct rte_mbuf *packet_rebuild(const struct rte_mbuf *packet, struct packet_shape shape);

#endif
