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

static const struct found *innermost(const struct walk *walk)
{
	for (unsigned i = walk->count; i-- > 0;)
		if (!walk->found[i].is_quoted &&
			(walk->found[i].protocol == PROTO_IP || walk->found[i].protocol == PROTO_IPV6))
			return &walk->found[i];
	return NULL;
}

static bool is_extension(uint8_t protocol)
{
	return protocol == PROTO_HOPOPTS || protocol == PROTO_ROUTING || protocol == PROTO_DSTOPTS ||
		protocol == PROTO_IPV6_EXT || protocol == PROTO_IPV6_FRAGMENT;
}

static bool find_inner(const struct walk *walk, struct conversation *inner, bool *is_fragment)
{
	inner->network = innermost(walk);
	if (!inner->network)
		return false;
	*is_fragment = is_piece(walk, inner->network);
	for (const struct found *found = inner->network + 1; found < walk->found + walk->count; found++) {
		if (found->is_quoted)
			break;
		*is_fragment |= is_piece(walk, found);
		if (is_extension(found->protocol))
			inner->extension = found;
		if (!is_transport(found->protocol))
			continue;
		inner->transport = found;
		break;
	}
	return true;
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
}
