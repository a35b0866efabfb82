// SPDX-License-Identifier: Apache-2.0
#include "port/buffers.h"

static uint16_t part(const struct rte_mbuf *mbuf, uint32_t left)
{
	uint32_t room = (uint32_t)mbuf->buf_len - mbuf->data_off;

	return (uint16_t)RTE_MIN(room, left);
}

bool buffers_extend(struct rte_mbuf *first, uint32_t length)
{
	struct rte_mbuf *last = first;
	uint32_t left = length;

	for (;;) {
		last->data_len = part(last, left);
		left -= last->data_len;
		if (!left)
			break;
		last->next = rte_pktmbuf_alloc(first->pool);
		if (!last->next)
			return false;
		last = last->next;
		last->data_off = 0; // headroom is for the front of a frame
		first->nb_segs++;
	}
	first->pkt_len = length;
	return true;
}

void buffers_fill(struct rte_mbuf *first, const uint8_t *bytes, uint32_t length)
{
	for (struct rte_mbuf *mbuf = first; mbuf && length; mbuf = mbuf->next) {
		uint16_t size = part(mbuf, length);

		memcpy(rte_pktmbuf_mtod(mbuf, uint8_t *), bytes, size);
		bytes += size;
		length -= size;
	}
}

struct rte_mbuf *buffers_hold(struct rte_mempool *pool, const uint8_t *bytes, uint32_t length)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);

	if (!mbuf)
		return NULL;
	if (!buffers_extend(mbuf, length)) {
		rte_pktmbuf_free(mbuf);
		return NULL;
	}
	buffers_fill(mbuf, bytes, length);
	return mbuf;
}
