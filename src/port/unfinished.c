// SPDX-License-Identifier: Apache-2.0
#include "port/unfinished.h"

#include "packet/checksum.h"
#include "packet/pool.h"
#include "packet/protocol.h"

enum { HOP_BY_HOP = 0, ROUTING = 43, DESTINATION = 60, EXTENSIONS = 8 };
enum { TCP_SUM = 16, UDP_SUM = 6 };

static const uint8_t *bytes_of(const struct rte_mbuf *mbuf)
{
	return rte_pktmbuf_mtod(mbuf, const uint8_t *);
}

static bool is_tag(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

// Where the network header begins; 0 for *type: it is no IP.
static uint32_t find_network(const struct rte_mbuf *mbuf, uint16_t *type)
{
	const uint8_t *at = bytes_of(mbuf);
	uint8_t link = ((const struct packet_head *)(mbuf + 1))->link;
	uint32_t network = 14;

	*type = 0;
	if (link == PROTO_RAW) {
		if (mbuf->data_len)
			*type = at[0] >> 4 == 6 ? 0x86dd : 0x0800;
		return 0;
	}
	if (link != PROTO_ETH)
		return 0;
	for (; network + 4 <= mbuf->data_len && is_tag(weir_be16(at + network - 2)); network += 4)
		;
	if (network <= mbuf->data_len)
		*type = weir_be16(at + network - 2);
	return network;
}

static bool find_in_v4(struct transport *transport, const struct rte_mbuf *mbuf)
{
	const uint8_t *ip = bytes_of(mbuf) + transport->network;
	uint32_t header, total, there = mbuf->pkt_len - transport->network;

	if (transport->network + 20 > mbuf->data_len || ip[0] >> 4 != 4)
		return false;
	header = (ip[0] & 15u) * 4;
	total = weir_be16(ip + 2);
	if (!total) // longer than 64 kB: only the frame says how long
		total = there;
	if (header < 20 || total < header || total > there || (weir_be16(ip + 6) & 0x3fff))
		return false;
	transport->protocol = ip[9];
	transport->at = transport->network + header;
	transport->length = total - header;
	return true;
}

// Headers that may stand in front of the transport; a fragment's is none of them.
static bool find_in_v6(struct transport *transport, const struct rte_mbuf *mbuf)
{
	const uint8_t *ip = bytes_of(mbuf) + transport->network;
	uint32_t end, there = mbuf->pkt_len - transport->network;

	if (transport->network + 40 > mbuf->data_len || ip[0] >> 4 != 6)
		return false;
	end = weir_be16(ip + 4) ? 40u + weir_be16(ip + 4) : there;
	if (end > there)
		return false;
	transport->is_v6 = true;
	transport->protocol = ip[6];
	transport->at = transport->network + 40;
	for (unsigned i = 0; i < EXTENSIONS; i++) {
		const uint8_t *extension = bytes_of(mbuf) + transport->at;

		if (transport->protocol != HOP_BY_HOP && transport->protocol != ROUTING &&
		    transport->protocol != DESTINATION)
			break;
		if (transport->at + 8 > mbuf->data_len || (transport->protocol == ROUTING && extension[3]))
			return false;
		transport->protocol = extension[0];
		transport->at += 8 + extension[1] * 8u;
	}
	if (transport->at > transport->network + end)
		return false;
	transport->length = transport->network + end - transport->at;
	return true;
}

bool transport_find(struct transport *transport, const struct rte_mbuf *mbuf)
{
	const uint8_t *header;
	uint32_t size;
	uint16_t type;

	*transport = (struct transport){ 0 };
	transport->network = find_network(mbuf, &type);
	if (!(type == 0x0800 && find_in_v4(transport, mbuf)) && !(type == 0x86dd && find_in_v6(transport, mbuf)))
		return false;
	if (transport->protocol != TRANSPORT_TCP && transport->protocol != TRANSPORT_UDP)
		return false;
	size = transport->protocol == TRANSPORT_TCP ? 20 : 8;
	if (transport->length < size || transport->at + size > mbuf->data_len)
		return false;
	header = bytes_of(mbuf) + transport->at;
	if (transport->protocol == TRANSPORT_TCP)
		size = (header[12] >> 4) * 4u;
	if (size < 8 || size > transport->length || transport->at + size > mbuf->data_len)
		return false;
	transport->headers = transport->at + size;
	transport->sum = transport->protocol == TRANSPORT_TCP ? TCP_SUM : UDP_SUM;
	return true;
}

static uint32_t pseudo_sum(const struct rte_mbuf *mbuf, const struct transport *transport)
{
	uint32_t sum = checksum_pseudo(bytes_of(mbuf) + transport->network, transport->protocol, transport->length);

	return (uint16_t)~weir_fold(sum);
}

// Of bytes that lie in several buffers. One that begins at an odd place counts with its bytes swapped
// (rte_raw_cksum_mbuf of DPDK 22.11 loses the carries of such a one).
static bool sum_of(uint32_t *sum, const struct rte_mbuf *mbuf, uint32_t at, uint32_t length)
{
	bool is_odd = false;

	if (at + length > mbuf->pkt_len)
		return false;
	for (; at >= mbuf->data_len && mbuf->next; mbuf = mbuf->next)
		at -= mbuf->data_len;
	for (*sum = 0; length; mbuf = mbuf->next, at = 0) {
		uint32_t size = RTE_MIN(length, mbuf->data_len - at);
		uint16_t part = (uint16_t)~weir_fold(weir_sum(bytes_of(mbuf) + at, size, 0));

		*sum += is_odd ? __builtin_bswap16(part) : part;
		is_odd ^= size & 1;
		length -= size;
	}
	return true;
}

static uint8_t *field_of(struct rte_mbuf *mbuf, const struct transport *transport)
{
	return rte_pktmbuf_mtod_offset(mbuf, uint8_t *, transport->at + transport->sum);
}

uint16_t unfinished_field(const struct rte_mbuf *mbuf, const struct transport *transport)
{
	uint16_t field;

	memcpy(&field, bytes_of(mbuf) + transport->at + transport->sum, 2);
	return field;
}

bool unfinished_looks_so(const struct rte_mbuf *mbuf, const struct transport *transport)
{
	return unfinished_field(mbuf, transport) == pseudo_sum(mbuf, transport);
}

// To UDP a field of zero means that there is no checksum, so that 0xffff stands for it; nobody else's may be 0xffff
// (RFC 1624: what mends it later would get it wrong).
static void put_sum(uint8_t *field, uint32_t sum, bool is_udp)
{
	uint16_t value = weir_fold(sum);

	if (!value && is_udp)
		value = 0xffff;
	memcpy(field, &value, 2);
}

void unfinished_complete(struct rte_mbuf *mbuf, const struct transport *transport)
{
	uint8_t *field = field_of(mbuf, transport);
	uint32_t sum;

	memset(field, 0, 2);
	if (sum_of(&sum, mbuf, transport->at, transport->length))
		put_sum(field, sum + pseudo_sum(mbuf, transport), transport->protocol == TRANSPORT_UDP);
}

void unfinished_seed(struct rte_mbuf *mbuf, const struct transport *transport)
{
	uint16_t seed = (uint16_t)pseudo_sum(mbuf, transport);

	memcpy(field_of(mbuf, transport), &seed, 2);
}

bool unfinished_complete_at(struct rte_mbuf *mbuf, uint32_t start, uint32_t offset)
{
	uint32_t sum;

	if (start + offset + 2 > mbuf->data_len || !sum_of(&sum, mbuf, start, mbuf->pkt_len - start))
		return false;
	put_sum(rte_pktmbuf_mtod_offset(mbuf, uint8_t *, start + offset), sum, offset == UDP_SUM);
	return true;
}

struct rte_mbuf *unfinished_own(struct rte_mbuf *mbuf)
{
	struct rte_mbuf *copy;

	if (!packet_is_shared(mbuf))
		return mbuf;
	copy = packet_copy(mbuf);
	rte_pktmbuf_free(mbuf);
	return copy;
}

bool unfinished_finish(struct rte_mbuf *mbuf)
{
	struct packet_head *head = packet_head(mbuf);
	struct transport transport;

	if (!transport_find(&transport, mbuf))
		return false;
	unfinished_complete(mbuf, &transport);
	head->unfinished = 0;
	return true;
}

uint32_t unfinished_frame(const struct rte_mbuf *mbuf)
{
	const struct packet_head *head = (const struct packet_head *)(mbuf + 1);
	struct transport transport;

	if (!head->gso_type || !transport_find(&transport, mbuf))
		return mbuf->pkt_len;
	return RTE_MIN(mbuf->pkt_len, transport.headers + head->gso_size);
}
