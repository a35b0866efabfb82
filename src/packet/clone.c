// SPDX-License-Identifier: Apache-2.0
// Packets that share bytes, and copies. A clone has buffer heads of its own whose data lie in the
// original's buffers.
#include "packet/pool.h"

// The head of a packet in a vector, whose control block is empty.
static void copy_head(struct rte_mbuf *to, const struct rte_mbuf *from)
{
	assert(!((const struct packet_head *)(from + 1))->layout);
	memcpy(to + 1, from + 1, offsetof(struct packet_head, block));
}

struct rte_mbuf *packet_clone(struct rte_mbuf *packet)
{
	struct rte_mbuf *clone = rte_pktmbuf_clone(packet, packet->pool);

	if (clone)
		copy_head(clone, packet);
	return clone;
}

static bool is_shared(const struct rte_mbuf *buffer)
{
	if (RTE_MBUF_CLONED(buffer) || rte_mbuf_refcnt_read(buffer) > 1)
		return true;
	return RTE_MBUF_HAS_EXTBUF(buffer) && rte_mbuf_ext_refcnt_read(buffer->shinfo) > 1;
}

bool packet_is_shared(const struct rte_mbuf *packet)
{
	for (; packet; packet = packet->next)
		if (is_shared(packet))
			return true;
	return false;
}

// What DPDK's drivers have said of a packet and what it says of itself; not where its bytes lie.
static void copy_facts(struct rte_mbuf *to, const struct rte_mbuf *from)
{
	to->port = from->port;
	to->vlan_tci = from->vlan_tci;
	to->vlan_tci_outer = from->vlan_tci_outer;
	to->tx_offload = from->tx_offload;
	to->hash = from->hash;
	to->packet_type = from->packet_type;
	to->ol_flags = from->ol_flags & ~(uint64_t)(RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL);
	rte_mbuf_dynfield_copy(to, from);
}

// So much of what is left goes into the next buffer: all that fits, but it is cut in front of bytes
// that shall lie in one buffer and would not.
static uint32_t piece(
	const struct packet_shape *shape, uint32_t position, uint32_t left, uint32_t room)
{
	uint32_t size = left < room ? left : room;

	if (position < shape->at && position + size > shape->at &&
		position + size < shape->at + shape->length)
		size = shape->at - position;
	return size;
}

// Buffers for `size` bytes, joined, their lengths set.
static struct rte_mbuf *take_buffers(
	struct rte_mempool *pool, const struct packet_shape *shape, uint32_t size)
{
	struct rte_mbuf *first = rte_pktmbuf_alloc(pool), *last = first;
	uint32_t position = 0;

	while (last) {
		last->data_len = (uint16_t)piece(
			shape, position, size - position, rte_pktmbuf_tailroom(last));
		position += last->data_len;
		if (position == size) {
			first->pkt_len = size;
			return first;
		}
		if (!last->data_len) // a pool whose buffers hold nothing
			break;
		last->next = rte_pktmbuf_alloc(pool);
		last = last->next;
		first->nb_segs++;
	}
	rte_pktmbuf_free(first);
	return NULL;
}

// Writes the bytes of one chain to another, from `at` of it on.
static void copy_bytes(struct rte_mbuf *to, uint32_t at, const struct rte_mbuf *from)
{
	for (; from; from = from->next)
		for (uint32_t done = 0, size; done < from->data_len; done += size, at += size) {
			for (; at >= to->data_len; to = to->next)
				at -= to->data_len;
			size = RTE_MIN(
				(uint32_t)from->data_len - done, (uint32_t)to->data_len - at);
			memcpy(rte_pktmbuf_mtod_offset(to, char *, at),
			       rte_pktmbuf_mtod_offset(from, const char *, done), size);
		}
}

struct rte_mbuf *packet_rebuild(const struct rte_mbuf *packet, struct packet_shape shape)
{
	uint32_t size = shape.front + packet->pkt_len + shape.back;
	struct rte_mbuf *fresh;

	if (shape.length > PACKET_ROOM ||
		(shape.at < PACKET_STRAIGHT && shape.at + shape.length > PACKET_ROOM))
		return NULL;
	fresh = take_buffers(packet->pool, &shape, size);
	if (!fresh)
		return NULL;
	copy_facts(fresh, packet);
	copy_head(fresh, packet);
	copy_bytes(fresh, shape.front, packet);
	return fresh;
}

struct rte_mbuf *packet_copy(const struct rte_mbuf *packet)
{
	return packet_rebuild(packet, (struct packet_shape){ 0 });
}
