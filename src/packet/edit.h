// SPDX-License-Identifier: Apache-2.0
// Bytes of packets in a vector, behind weir_bytes, weir_edit, weir_set, weir_prepend and their kin:
// un-sharing, straightening, checksums. What a vector says of a slot's bytes (data, length,
// straight, shared, chained) is kept true.
#ifndef PACKET_EDIT_H
#define PACKET_EDIT_H

#include "packet/pool.h"
#include "packet/vector.h"

// Says of a slot what its packet is.
static inline void packet_view(struct vector *vector, unsigned slot)
{
	struct rte_mbuf *packet = packet_mbuf(vector->head.packet[slot]);
	weir_mask bit = (weir_mask)1 << slot;

	vector->head.data[slot] = rte_pktmbuf_mtod(packet, uint8_t *);
	vector->head.length[slot] = packet->pkt_len;
	vector->head.straight[slot] = packet->data_len;
	vector->chained = packet->next ? vector->chained | bit : vector->chained & ~bit;
}

// For weir_set: where a field lies in its header and what covers it. `at`, `has`, `base` as in
// struct weir_handle_.
struct weir_handle_ packet_handle(
	const struct field *field, uint32_t at, uint32_t has, uint32_t base);
// Can weir_set keep all checksums right that cover this field? Not where they are no sums (SCTP).
bool packet_can_set(const struct field *field);

// Slots whose bytes weir_set could not un-share since the last call, because there was no buffer:
// their columns are not what their bytes say. The engine drops them. Only slots that were shared
// can be among them.
weir_mask packet_spoiled(void);

#endif
