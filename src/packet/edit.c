// SPDX-License-Identifier: Apache-2.0
// Reading, editing and reshaping frames. What is rare (a chain, shared bytes, no headroom) ends in
// one function: the packet is built anew in buffers of its own, in the shape that is needed.
#include "packet/edit.h"

#include <rte_lcore.h>

enum { SCRATCHES = 128 };

// Pieces of chained packets put together for reading, a ring per thread: good for as many look-ups.
static struct {
	unsigned next;
	uint8_t bytes[SCRATCHES][PACKET_STRAIGHT];
} scratch[RTE_MAX_LCORE + 1];

static uint8_t *take_scratch(void)
{
	unsigned lcore = rte_lcore_id();
	typeof(&scratch[0]) mine = &scratch[lcore < RTE_MAX_LCORE ? lcore : RTE_MAX_LCORE];

	return mine->bytes[mine->next++ % SCRATCHES];
}

static struct rte_mbuf *packet_in(const struct weir_vector *v, unsigned slot)
{
	return packet_mbuf(v->packet[slot]);
}

// Is it really? Who shared it may be gone.
static bool shares(struct weir_vector *v, unsigned slot)
{
	if (!(v->shared >> slot & 1))
		return false;
	if (packet_is_shared(packet_in(v, slot)))
		return true;
	v->shared &= ~((weir_mask)1 << slot);
	return false;
}

static bool rebuild(struct weir_vector *v, unsigned slot, struct packet_shape shape)
{
	struct rte_mbuf *old = packet_in(v, slot), *fresh = packet_rebuild(old, shape);

	if (!fresh)
		return false;
	packet_free(old);
	v->packet[slot] = packet_of(fresh);
	v->shared &= ~((weir_mask)1 << slot);
	packet_view((struct vector *)v, slot);
	return true;
}

// The bytes if they lie in one buffer.
static uint8_t *in_one(struct rte_mbuf *buffer, uint32_t offset, uint32_t length)
{
	for (; buffer && offset >= buffer->data_len && buffer->next; buffer = buffer->next)
		offset -= buffer->data_len;
	if (!buffer || (uint64_t)offset + length > buffer->data_len)
		return NULL;
	return rte_pktmbuf_mtod_offset(buffer, uint8_t *, offset);
}

const uint8_t *weir_bytes_(struct weir_vector *v, unsigned slot, uint32_t offset, uint32_t length)
{
	const uint8_t *bytes;

	if ((uint64_t)offset + length > v->length[slot])
		return NULL;
	bytes = in_one(packet_in(v, slot), offset, length);
	if (bytes || length > PACKET_STRAIGHT)
		return bytes;
	return rte_pktmbuf_read(packet_in(v, slot), offset, length, take_scratch());
}

uint8_t *weir_edit_(struct weir_vector *v, unsigned slot, uint32_t offset, uint32_t length)
{
	uint8_t *bytes = NULL;

	if ((uint64_t)offset + length > v->length[slot])
		return NULL;
	if (!shares(v, slot))
		bytes = in_one(packet_in(v, slot), offset, length);
	if (bytes)
		return bytes;
	if (!rebuild(v, slot, (struct packet_shape){ .at = offset, .length = length }))
		return NULL;
	return in_one(packet_in(v, slot), offset, length);
}

static bool may_grow(const struct weir_vector *v, unsigned slot, uint32_t length)
{
	return (uint64_t)v->length[slot] + length <= PACKET_LONGEST;
}

static void add_original(struct weir_vector *v, unsigned slot, uint32_t length)
{
	packet_head(packet_in(v, slot))->original += length;
}

static void subtract_original(struct weir_vector *v, unsigned slot, uint32_t length)
{
	struct packet_head *head = packet_head(packet_in(v, slot));

	head->original -= RTE_MIN(length, head->original);
}

uint8_t *weir_prepend(struct weir_vector *v, unsigned slot, uint32_t length)
{
	struct rte_mbuf *packet = packet_in(v, slot);

	if (!may_grow(v, slot, length))
		return NULL;
	if (!shares(v, slot) && length <= rte_pktmbuf_headroom(packet)) {
		rte_pktmbuf_prepend(packet, (uint16_t)length);
		packet_view((struct vector *)v, slot);
	} else if (!rebuild(v, slot, (struct packet_shape){ .front = length, .length = length })) {
		return NULL;
	}
	add_original(v, slot, length);
	return v->data[slot];
}

// One more buffer at the end.
static bool add_buffer(struct rte_mbuf *packet, uint32_t length)
{
	struct rte_mbuf *last = rte_pktmbuf_alloc(packet->pool);

	if (!last)
		return false;
	if (length > rte_pktmbuf_tailroom(last)) {
		rte_pktmbuf_free(last);
		return false;
	}
	rte_pktmbuf_lastseg(packet)->next = last;
	packet->nb_segs++;
	last->data_len = (uint16_t)length;
	packet->pkt_len += length;
	return true;
}

uint8_t *weir_append(struct weir_vector *v, unsigned slot, uint32_t length)
{
	struct rte_mbuf *packet = packet_in(v, slot);
	uint32_t end = v->length[slot];

	if (!may_grow(v, slot, length))
		return NULL;
	if (shares(v, slot) ||
		(length > rte_pktmbuf_tailroom(rte_pktmbuf_lastseg(packet)) &&
			end < PACKET_STRAIGHT)) {
		if (!rebuild(v, slot,
			    (struct packet_shape){ .back = length, .at = end, .length = length }))
			return NULL;
	} else if (!rte_pktmbuf_append(packet, (uint16_t)RTE_MIN(length, (uint32_t)UINT16_MAX)) &&
		!add_buffer(packet, length)) {
		return NULL;
	}
	packet_view((struct vector *)v, slot);
	add_original(v, slot, length);
	return in_one(packet_in(v, slot), end, length);
}

// The first buffer goes; the next one becomes the packet.
static struct rte_mbuf *behead(struct rte_mbuf *packet)
{
	struct rte_mbuf *next = packet->next;

	next->pkt_len = packet->pkt_len - packet->data_len;
	next->nb_segs = (uint16_t)(packet->nb_segs - 1);
	next->port = packet->port;
	next->tx_offload = packet->tx_offload;
	next->packet_type = packet->packet_type;
	*packet_head(next) = *packet_head(packet);
	packet_head(packet)->layout = 0;
	rte_pktmbuf_free_seg(packet);
	return next;
}

// Fills the first buffer, which nobody shares, with what follows.
static bool pull(struct rte_mbuf *packet, uint32_t wanted)
{
	uint32_t missing = wanted - packet->data_len;

	if (missing > rte_pktmbuf_tailroom(packet)) {
		if (packet->buf_len < wanted)
			return false;
		memmove(packet->buf_addr, rte_pktmbuf_mtod(packet, char *), packet->data_len);
		packet->data_off = 0;
	}
	while (missing) {
		struct rte_mbuf *next = packet->next;
		uint16_t size = (uint16_t)RTE_MIN(missing, (uint32_t)next->data_len);

		memcpy(rte_pktmbuf_mtod_offset(packet, char *, packet->data_len),
			rte_pktmbuf_mtod(next, char *), size);
		packet->data_len = (uint16_t)(packet->data_len + size);
		next->data_off = (uint16_t)(next->data_off + size);
		next->data_len = (uint16_t)(next->data_len - size);
		missing -= size;
		if (next->data_len)
			continue;
		packet->next = next->next;
		packet->nb_segs--;
		rte_pktmbuf_free_seg(next);
	}
	return true;
}

// The first buffer holds what always lies there, after bytes in front have gone. Without a buffer
// to build it anew it stays as it is: headers behind are then cut.
static void straighten(struct weir_vector *v, unsigned slot)
{
	struct rte_mbuf *packet = packet_in(v, slot);
	uint32_t wanted = RTE_MIN(packet->pkt_len, (uint32_t)PACKET_STRAIGHT);

	if (packet->data_len < wanted && (shares(v, slot) || !pull(packet, wanted)))
		rebuild(v, slot, (struct packet_shape){ 0 });
	packet_view((struct vector *)v, slot);
}

// A clone's buffer heads are its own: what is shared are the bytes.
void weir_strip(struct weir_vector *v, unsigned slot, uint32_t length)
{
	struct rte_mbuf *packet = packet_in(v, slot);

	length = RTE_MIN(length, v->length[slot]);
	subtract_original(v, slot, length);
	for (; length >= packet->data_len && packet->next; packet = behead(packet))
		length -= packet->data_len;
	packet->data_off = (uint16_t)(packet->data_off + length);
	packet->data_len = (uint16_t)(packet->data_len - length);
	packet->pkt_len -= length;
	v->packet[slot] = packet_of(packet);
	straighten(v, slot);
}

void weir_trim(struct weir_vector *v, unsigned slot, uint32_t length)
{
	struct rte_mbuf *packet = packet_in(v, slot), *last = packet;
	uint32_t left;

	length = RTE_MIN(length, v->length[slot]);
	subtract_original(v, slot, length);
	left = packet->pkt_len -= length;
	for (packet->nb_segs = 1; left > last->data_len; last = last->next, packet->nb_segs++)
		left -= last->data_len;
	last->data_len = (uint16_t)left;
	rte_pktmbuf_free(last->next);
	last->next = NULL;
	packet_view((struct vector *)v, slot);
}
