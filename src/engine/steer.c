// SPDX-License-Identifier: Apache-2.0
// Both directions of a flow hash alike: addresses and ports are combined without order. Fragments are steered by
// addresses and identification; so is the first one, for its ports are not known of the others.
#include "engine/steer.h"

#include "packet/protocol.h"

struct key {
	const uint8_t *source, *destination; // addresses
	unsigned size; // of an address; 0: not IP
	uint32_t ports; // or a fragment's identification
	uint8_t protocol;
};

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

static uint32_t both_ports(const uint8_t *transport, const uint8_t *end, uint8_t protocol)
{
	bool has_ports = protocol == 6 || protocol == 17 || protocol == 132 || protocol == 136;

	return has_ports && transport + 4 <= end ? (uint32_t)weir_be16(transport) + weir_be16(transport + 2) : 0;
}

static void key_ip4(struct key *key, const uint8_t *ip, const uint8_t *end)
{
	if (ip + 20 > end)
		return;
	key->source = ip + 12;
	key->destination = ip + 16;
	key->size = 4;
	key->protocol = ip[9];
	key->ports = weir_be16(ip + 6) & 0x3fff ? weir_be16(ip + 4) : both_ports(ip + (ip[0] & 15) * 4u, end, ip[9]);
}

enum { HOP_BY_HOP = 0,
	ROUTING = 43,
	FRAGMENT = 44,
	DESTINATION = 60,
	MOST_EXTENSIONS = 8 };

static void key_ip6(struct key *key, const uint8_t *ip, const uint8_t *end)
{
	const uint8_t *next = ip + 40;
	uint8_t protocol;

	if (next > end)
		return;
	protocol = ip[6];
	key->source = ip + 8;
	key->destination = ip + 24;
	key->size = 16;
	for (unsigned i = 0; i < MOST_EXTENSIONS && next + 8 <= end; i++) {
		if (protocol == FRAGMENT) {
			key->protocol = FRAGMENT;
			key->ports = weir_be32(next + 4);
			return;
		}
		if (protocol != HOP_BY_HOP && protocol != ROUTING && protocol != DESTINATION)
			break;
		protocol = next[0];
		next += 8 + next[1] * 8u;
	}
	key->protocol = protocol;
	key->ports = both_ports(next, end, protocol);
}

// To the network header: over Ethernet and VLAN tags. Other links, and what is no IP, go to one
// worker by their addresses.
static const uint8_t *network_of(const struct rte_mbuf *mbuf, const uint8_t *end, uint16_t *type)
{
	const uint8_t *at = rte_pktmbuf_mtod(mbuf, const uint8_t *);

	*type = 0;
	if (packet_head((struct rte_mbuf *)mbuf)->link != PROTO_ETH) {
		if (at < end)
			*type = at[0] >> 4 == 4 ? 0x0800 : at[0] >> 4 == 6 ? 0x86dd
									   : 0;
		return at;
	}
	for (at += 12; at + 4 <= end; at += 4) {
		*type = weir_be16(at);
		if (*type != 0x8100 && *type != 0x88a8 && *type != 0x9100)
			return at + 2;
	}
	*type = 0;
	return at;
}

static uint32_t hash_frame(const struct rte_mbuf *mbuf, bool by_source)
{
	const uint8_t *at = rte_pktmbuf_mtod(mbuf, const uint8_t *);

	if (mbuf->data_len < 12)
		return 0;
	return (uint32_t)(by_source ? hash_bytes(at + 6, 6) : hash_bytes(at, 6) + hash_bytes(at + 6, 6));
}

uint32_t steer_hash(const struct rte_mbuf *mbuf, enum plan_steer by)
{
	const uint8_t *end = rte_pktmbuf_mtod(mbuf, const uint8_t *) + mbuf->data_len, *network;
	struct key key = { 0 };
	uint16_t type;

	if (by == STEER_ONE)
		return 0;
	if (by == STEER_ETHER_SOURCE)
		return hash_frame(mbuf, true);
	network = network_of(mbuf, end, &type);
	if (type == 0x0800)
		key_ip4(&key, network, end);
	else if (type == 0x86dd)
		key_ip6(&key, network, end);
	if (!key.size)
		return hash_frame(mbuf, false);
	if (by == STEER_SOURCE)
		return (uint32_t)hash_bytes(key.source, key.size);
	if (by == STEER_DESTINATION)
		return (uint32_t)hash_bytes(key.destination, key.size);
	return (uint32_t)mix(hash_bytes(key.source, key.size) + hash_bytes(key.destination, key.size) +
		(mix(key.ports) ^ key.protocol));
}
