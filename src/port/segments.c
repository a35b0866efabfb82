// SPDX-License-Identifier: Apache-2.0
// One packet that stands for several frames, cut into them: as a card with TCP or UDP segmentation does it.
#include "port/unfinished.h"

#include "packet/pool.h"
#include "port/buffers.h"

#include <rte_ip.h>

enum { FLAGS = 13, FIN = 1, PUSH = 8, CWR = 0x80 };

bool segments_begin(struct segments *segments, const struct rte_mbuf *mbuf)
{
	const struct packet_head *head = (const struct packet_head *)(mbuf + 1);

	*segments = (struct segments){ .mbuf = mbuf };
	return head->gso_type && transport_find(&segments->transport, mbuf) &&
	       segments->transport.headers - segments->transport.at < segments->transport.length &&
	       (segments->transport.protocol == TRANSPORT_TCP) == (head->gso_type == PACKET_GSO_TCP);
}

static void copy_part(uint8_t *to, const struct rte_mbuf *from, uint32_t at, uint32_t length)
{
	const void *bytes = rte_pktmbuf_read(from, at, length, to);

	if (bytes && bytes != to)
		memcpy(to, bytes, length);
}

static void fix_network(struct rte_mbuf *frame, struct segments *segments, uint32_t payload)
{
	const struct transport *transport = &segments->transport;
	uint8_t *ip = rte_pktmbuf_mtod_offset(frame, uint8_t *, transport->network);
	uint32_t length = transport->headers - transport->network + payload;
	uint16_t sum;

	if (transport->is_v6) {
		weir_put16(ip + 4, (uint16_t)(length - 40));
		return;
	}
	weir_put16(ip + 2, (uint16_t)length);
	weir_put16(ip + 4, (uint16_t)(weir_be16(ip + 4) + segments->number));
	memset(ip + 10, 0, 2);
	sum = rte_ipv4_cksum((const struct rte_ipv4_hdr *)ip);
	memcpy(ip + 10, &sum, 2);
}

static void fix_transport(struct rte_mbuf *frame, const struct segments *segments, uint32_t payload, bool is_last)
{
	const struct transport *transport = &segments->transport;
	uint8_t *header = rte_pktmbuf_mtod_offset(frame, uint8_t *, transport->at);
	struct transport own = *transport;

	own.length = transport->headers - transport->at + payload;
	if (transport->protocol == TRANSPORT_TCP) {
		weir_put32(header + 4, weir_be32(header + 4) + segments->next);
		header[FLAGS] &= (uint8_t) ~((is_last ? 0 : FIN | PUSH) | (segments->number ? CWR : 0));
	} else {
		weir_put16(header + 4, (uint16_t)own.length);
	}
	unfinished_complete(frame, &own);
}

static struct rte_mbuf *copy_frame(const struct segments *segments, uint32_t payload)
{
	struct rte_mbuf *frame = packet_new(segments->mbuf->pool);
	uint32_t headers = segments->transport.headers;
	uint32_t done = headers;

	if (!frame)
		return NULL;
	memcpy(packet_head(frame), segments->mbuf + 1, offsetof(struct packet_head, block));
	packet_head(frame)->link_type = 0;
	packet_head(frame)->gso_type = PACKET_GSO_NONE;
	packet_head(frame)->unfinished = 0;
	packet_head(frame)->original = headers + payload;
	if (!buffers_extend(frame, headers + payload)) {
		rte_pktmbuf_free(frame);
		return NULL;
	}
	copy_part(rte_pktmbuf_mtod(frame, uint8_t *), segments->mbuf, 0, headers);
	for (struct rte_mbuf *mbuf = frame; mbuf; mbuf = mbuf->next) {
		uint32_t from = mbuf == frame ? headers : 0, size = mbuf->data_len - from;

		copy_part(rte_pktmbuf_mtod_offset(mbuf, uint8_t *, from), segments->mbuf,
			  done + segments->next, size);
		done += size;
	}
	return frame;
}

struct rte_mbuf *segments_next(struct segments *segments)
{
	const struct packet_head *head = (const struct packet_head *)(segments->mbuf + 1);
	const struct transport *transport = &segments->transport;
	uint32_t whole = transport->at + transport->length - transport->headers; // without padding
	uint32_t payload = RTE_MIN((uint32_t)head->gso_size, whole - segments->next);
	struct rte_mbuf *frame;

	if (!payload)
		return NULL;
	frame = copy_frame(segments, payload);
	if (!frame) {
		segments->is_out_of_buffers = true;
		return NULL;
	}
	fix_network(frame, segments, payload);
	fix_transport(frame, segments, payload, segments->next + payload == whole);
	segments->next += payload;
	segments->number++;
	return frame;
}
