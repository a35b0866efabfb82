// SPDX-License-Identifier: Apache-2.0
#include "packet/pool.h"

#include <rte_errno.h>

enum { CACHE = 256 };

static_assert(CACHE <= RTE_MEMPOOL_CACHE_MAX_SIZE);

struct rte_mempool *packet_pool_create(const char *name, unsigned packets, int socket)
{
	unsigned room = PACKET_ROOM + RTE_PKTMBUF_HEADROOM;
	// DPDK wants one and a half caches in the pool
	unsigned cache = packets >= 4 * CACHE ? CACHE : packets / 4;
	struct rte_mempool *pool = rte_pktmbuf_pool_create_by_ops(
		name, packets, cache, PACKET_PRIVATE, (uint16_t)room, socket, "stack");

	if (!pool && rte_errno != EEXIST && rte_errno != ENOMEM) // an EAL without the stack driver
		pool = rte_pktmbuf_pool_create(
			name, packets, cache, PACKET_PRIVATE, (uint16_t)room, socket);
	return pool;
}

void packet_pool_destroy(struct rte_mempool *pool)
{
	rte_mempool_free(pool);
}

size_t packet_pool_bytes(unsigned packets)
{
	size_t element = sizeof(struct rte_mempool_objhdr) + sizeof(struct rte_mbuf) +
		PACKET_PRIVATE + RTE_PKTMBUF_HEADROOM + PACKET_ROOM;

	// a pointer each in the stack; the memory is taken in a few pieces, each with a little
	// waste
	return packets *
		(RTE_ALIGN_CEIL(element, RTE_CACHE_LINE_SIZE) + RTE_CACHE_LINE_SIZE +
			sizeof(void *)) +
		(1 << 20);
}

unsigned packet_pool_used(const struct rte_mempool *pool)
{
	return rte_mempool_in_use_count(pool);
}

struct rte_mbuf *packet_new(struct rte_mempool *pool)
{
	struct rte_mbuf *packet = rte_pktmbuf_alloc(pool);

	if (packet)
		memset(packet_head(packet), 0, offsetof(struct packet_head, block));
	return packet;
}

void packet_free(struct rte_mbuf *packet)
{
	assert(!packet_head(packet)->layout);
	rte_pktmbuf_free(packet);
}

// Is it the last reference to a buffer of its own, as nearly always? Then it can go back as it is.
static inline bool is_simple(const struct rte_mbuf *packet, const struct rte_mempool *pool)
{
	return packet->pool == pool && rte_mbuf_refcnt_read(packet) == 1 && packet->nb_segs == 1 &&
		RTE_MBUF_DIRECT(packet);
}

void packet_free_bulk(struct rte_mbuf **packets, unsigned count)
{
	struct rte_mempool *pool = count ? packets[0]->pool : NULL;
	bool all_simple = true;

	for (unsigned i = 0; i < count; i++) {
		assert(!packet_head(packets[i])->layout);
		all_simple &= is_simple(packets[i], pool);
	}
	if (!all_simple)
		rte_pktmbuf_free_bulk(packets, count);
	else if (count)
		rte_mempool_put_bulk(pool, (void **)packets, count);
}
