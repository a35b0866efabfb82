// SPDX-License-Identifier: Apache-2.0
// Both directions of a flow hash alike: addresses and ports are combined without order. Fragments are steered by
// addresses and identification; so is the first one, for its ports are not known of the others. What tells of a flow
// goes where the flow is: an ICMP error by the packet that it quotes, a frame in a tunnel whose ports tell nothing of
// the direction by what is in it.
#include "engine/steer.h"

#include "packet/ends.h"
#include "packet/protocol.h"

#include <netinet/in.h>

enum { TYPE_IP = 0x0800,
	TYPE_IPV6 = 0x86dd,
	TYPE_ETH = 0x6558,
	PORT_GTP = 2152,
	PORT_VXLAN = 4789,
	PORT_GENEVE = 6081,
	MOST_TUNNELS = 4 };

static uint64_t mix(uint64_t value)
{
	value ^= value >> 32;
	value *= 0xd6e8feb86659fd93u;
	value ^= value >> 32;
	value *= 0xd6e8feb86659fd93u;
	return value ^ value >> 32;
}

static uint64_t hash_bytes(const uint8_t *bytes, unsigned size)
{
	uint64_t hash = size, part;

	for (; size >= 4; bytes += 4, size -= 4) {
		uint32_t word;

		memcpy(&word, bytes, 4);
		hash = mix(hash ^ word);
	}
	for (part = 0; size--; bytes++)
		part = part << 8 | *bytes;
	return mix(hash ^ part);
}

static uint32_t hash_frame(const struct rte_mbuf *mbuf, bool by_source)
{
	const uint8_t *at = rte_pktmbuf_mtod(mbuf, const uint8_t *);

	if (mbuf->data_len < 12)
		return 0;
	return (uint32_t)(by_source ? hash_bytes(at + 6, 6) : hash_bytes(at, 6) + hash_bytes(at + 6, 6));
}

// ---- where things are

// To the network header: over Ethernet and VLAN tags. What is no IP goes to one worker by its addresses.
static const uint8_t *behind_ethernet(const uint8_t *at, const uint8_t *end, uint16_t *type)
{
	for (at += 12; end - at >= 4; at += 4) {
		*type = weir_be16(at);
		if (*type != 0x8100 && *type != 0x88a8 && *type != 0x9100)
			return at + 2;
	}
	*type = 0;
	return at;
}

static const uint8_t *network_of(const struct rte_mbuf *mbuf, const uint8_t *end, uint16_t *type)
{
	const uint8_t *at = rte_pktmbuf_mtod(mbuf, const uint8_t *);

	if (packet_head((struct rte_mbuf *)mbuf)->link == PROTO_ETH)
		return behind_ethernet(at, end, type);
	*type = at >= end ? 0 : at[0] >> 4 == 4 ? TYPE_IP : at[0] >> 4 == 6 ? TYPE_IPV6 : 0;
	return at;
}

static bool read_ends(struct ends *ends, const uint8_t *network, const uint8_t *end, uint16_t type)
{
	return (type == TYPE_IP || type == TYPE_IPV6) &&
		ends_read(ends, network, end, type == TYPE_IPV6);
}

// What is in a VXLAN or Geneve packet, as the decoder takes it; NULL: it is none.
static const uint8_t *inside(const struct ends *ends, const uint8_t *end, uint16_t *type)
{
	const uint8_t *header;

	if (!ends->transport || ends->is_fragment || ends->protocol != IPPROTO_UDP || end - ends->transport < 16)
		return NULL;
	header = ends->transport + 8;
	if (ends->destination_port == PORT_VXLAN && header[0] & 0x08)
		return behind_ethernet(header + 8, end, type);
	if (ends->destination_port != PORT_GENEVE || header[0] >> 6)
		return NULL;
	*type = weir_be16(header + 2);
	header += 8 + (header[0] & 63) * 4;
	return *type == TYPE_ETH ? behind_ethernet(header, end, type) : header;
}

// ---- whose a packet is

static void enter_tunnels(struct ends *ends, const uint8_t *end)
{
	for (unsigned i = 0; i < MOST_TUNNELS; i++) {
		uint16_t type;
		const uint8_t *network = inside(ends, end, &type);
		struct ends inner;

		if (!network || !read_ends(&inner, network, end, type))
			return;
		*ends = inner;
	}
}

static void follow_quote(struct ends *ends, const uint8_t *end)
{
	bool is_ipv6 = ends->size == 16;
	struct ends quoted;

	if (ends->transport && !ends->is_fragment && ends->protocol == (is_ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP) &&
		ends_read_quoted(&quoted, ends->transport, end, is_ipv6)) {
		*ends = quoted;
		ends->is_fragment = false; // its flow's packets are not
	}
}

// GTP's source port may be any, and differ by direction.
static uint32_t both_ports(const struct ends *ends)
{
	if (ends->is_fragment)
		return ends->identification;
	if (ends->protocol == IPPROTO_UDP && ends->destination_port == PORT_GTP)
		return 2 * PORT_GTP;
	return (uint32_t)ends->source_port + ends->destination_port;
}

static uint32_t hash_flow(struct ends *ends, const uint8_t *end)
{
	enter_tunnels(ends, end);
	follow_quote(ends, end);
	return (uint32_t)mix(hash_bytes(ends->source, ends->size) + hash_bytes(ends->destination, ends->size) +
		(mix(both_ports(ends)) ^ ends->protocol));
}

uint32_t steer_hash(const struct rte_mbuf *mbuf, enum plan_steer by)
{
	const uint8_t *end = rte_pktmbuf_mtod(mbuf, const uint8_t *) + mbuf->data_len, *network;
	struct ends ends;
	uint16_t type;

	if (by == STEER_ONE)
		return 0;
	if (by == STEER_ETHER_SOURCE)
		return hash_frame(mbuf, true);
	network = network_of(mbuf, end, &type);
	if (!read_ends(&ends, network, end, type))
		return hash_frame(mbuf, false);
	if (by == STEER_SOURCE)
		return (uint32_t)hash_bytes(ends.source, ends.size);
	if (by == STEER_DESTINATION)
		return (uint32_t)hash_bytes(ends.destination, ends.size);
	return hash_flow(&ends, end);
}
