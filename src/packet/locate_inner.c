// SPDX-License-Identifier: Apache-2.0
// The innermost conversation of a packet that was walked: what flows are told apart by.
#include "packet/locate.h"

static bool is_transport(uint8_t protocol)
{
	return protocol == PROTO_TCP || protocol == PROTO_UDP || protocol == PROTO_UDPLITE || protocol == PROTO_SCTP ||
		protocol == PROTO_ICMP || protocol == PROTO_ICMPV6;
}

struct conversation {
	const struct found *network, *extension, *transport; // extension: the last; NULL: there is none
};

// What an IP header says of the protocol behind it, also behind extension headers.
static uint8_t protocol_behind(const struct walk *walk, const struct conversation *inner)
{
	if (inner->network->protocol == PROTO_IP)
		return walk->data[inner->network->base + 9];
	return inner->extension ? walk->data[inner->extension->base] : walk->data[inner->network->base + 6];
}

static bool is_piece(const struct walk *walk, const struct found *found)
{
	return found->protocol == PROTO_IP ? (weir_be16(walk->data + found->base + 6) & 0x3fff) != 0 :
	       found->protocol == PROTO_IPV6_FRAGMENT ? (weir_be16(walk->data + found->base + 2) & ~6u) != 0 :
							false;
}

// The innermost; but of a packet that is a piece of a datagram, the header that says so: what is behind it is not all
// there.
static const struct found *innermost(const struct walk *walk, bool *is_fragment)
{
	const struct found *network = NULL;

	*is_fragment = false;
	for (const struct found *found = walk->found; found < walk->found + walk->count; found++) {
		if (found->is_quoted)
			continue;
		if (found->protocol == PROTO_IP || found->protocol == PROTO_IPV6)
			network = found;
		*is_fragment = network && is_piece(walk, found);
		if (*is_fragment)
			break;
	}
	return network;
}

static bool is_extension(uint8_t protocol)
{
	return protocol == PROTO_HOPOPTS || protocol == PROTO_ROUTING || protocol == PROTO_DSTOPTS ||
		protocol == PROTO_IPV6_EXT || protocol == PROTO_IPV6_FRAGMENT;
}

static bool find_inner(const struct walk *walk, struct conversation *inner, bool *is_fragment)
{
	inner->network = innermost(walk, is_fragment);
	if (!inner->network)
		return false;
	for (const struct found *found = inner->network + 1; found < walk->found + walk->count; found++) {
		if (found->is_quoted)
			break;
		if (is_extension(found->protocol))
			inner->extension = found;
		if (!is_transport(found->protocol))
			continue;
		inner->transport = found;
		break;
	}
	return true;
}

// ---- what it is in

static uint16_t vlan_around(const struct walk *walk, const struct found *network)
{
	for (const struct found *found = walk->found; found < network; found++)
		if (found->protocol == PROTO_VLAN)
			return weir_be16(walk->data + found->base) & 0xfff;
	return 0;
}

// Its key is a length and a number that each end chooses for itself.
static bool is_pptp(const struct walk *walk, const struct found *key)
{
	while (key > walk->found && key->protocol != PROTO_GRE)
		key--;
	return key->protocol == PROTO_GRE && walk->data[key->base + 1] & 7;
}

static uint32_t tunnel_around(const struct walk *walk, const struct found *network)
{
	for (const struct found *found = network; found-- > walk->found;) {
		const uint8_t *header = walk->data + found->base;

		switch (found->protocol) {
		case PROTO_VXLAN:
		case PROTO_GENEVE: return weir_be32(header + 4) >> 8;
		case PROTO_MPLS: return weir_be32(header) >> 12;
		case PROTO_GRE_KEY:
			if (!is_pptp(walk, found))
				return weir_be32(header);
		}
	}
	return 0;
}

void walk_inner(const struct walk *walk, const struct decode_inner *to, struct vector *vector, unsigned slot)
{
	struct conversation inner = { 0 };
	weir_mask bit = (weir_mask)1 << slot;
	bool is_fragment;

	if (!find_inner(walk, &inner, &is_fragment))
		return;
	*vector_mask(vector, inner.network->protocol == PROTO_IP ? to->has4 : to->has6) |= bit;
	if (inner.transport)
		*vector_mask(vector, to->has_transport) |= bit;
	if (is_fragment)
		*vector_mask(vector, to->is_fragment) |= bit;
	((uint16_t *)vector_column(vector, to->network))[slot] = inner.network->base;
	((uint16_t *)vector_column(vector, to->transport))[slot] = inner.transport ? inner.transport->base : 0;
	((uint8_t *)vector_column(vector, to->protocol))[slot] = protocol_behind(walk, &inner);
	((uint32_t *)vector_column(vector, to->end))[slot] = inner.network->end;
	if (to->vlan)
		((uint16_t *)vector_column(vector, to->vlan))[slot] = vlan_around(walk, inner.network);
	if (to->tunnel)
		((uint32_t *)vector_column(vector, to->tunnel))[slot] = tunnel_around(walk, inner.network);
}
