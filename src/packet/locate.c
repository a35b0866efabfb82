// SPDX-License-Identifier: Apache-2.0
// Where headers are: what was asked for, the fast way for plain packets, the walk for all others.
#include "packet/locate.h"

#include "lib/arena.h"

enum { LANES = 16 };

enum place { AT_START,
	AT_TAG,
	AT_NETWORK,
	AT_TRANSPORT,
	AT_PAYLOAD };

struct output { // a layer that a plain packet may have
	uint32_t has, base, end;
	uint8_t mask, place; // enum plain_mask, enum place
};

struct decode_locate {
	struct decode_layer *layers; // by protocol
	struct output *outputs;
	unsigned count, output_count;
	uint16_t first[PROTOCOLS + 1]; // among them
	struct decode_facts facts;
	plain_run *runs[2]; // the second for what the first leaves; NULL: none
	bool is_ip_enough, is_ipv6_enough; // nobody asks for what is behind a first IPv4 (IPv6) header
	bool needs_payload, needs_ends;
};

// ---- preparing

static bool is_of_link(const struct decode_layer *layer)
{
	return layer->protocol == PROTO_FRAME || (layer->protocol == PROTO_ETH && layer->occurrence <= 1);
}

static bool is_of(const struct decode_layer *layer, enum protocol network)
{
	return is_of_link(layer) ||
		(layer->occurrence <= 1 &&
			(layer->protocol == network || layer->protocol == PROTO_ETH_TYPE ||
				layer->protocol == PROTO_ETH_LENGTH));
}

static bool is_payload(enum protocol protocol)
{
	return protocol == PROTO_TCP_PAYLOAD || protocol == PROTO_UDP_PAYLOAD || protocol == PROTO_DATA;
}

static bool needs_all(const struct decode_facts *facts)
{
	return facts->malformed || facts->malformed_reason || facts->malformed_offset || facts->fragmented ||
		facts->transport || facts->transport_has || facts->inner.has4;
}

static void choose_depth(struct decode_locate *locate)
{
	bool is_link_enough =
		!locate->facts.network && !locate->facts.network_has && !needs_all(&locate->facts);

	locate->is_ip_enough = locate->is_ipv6_enough = !needs_all(&locate->facts);
	for (unsigned i = 0; i < locate->count; i++) {
		const struct decode_layer *layer = &locate->layers[i];

		is_link_enough = is_link_enough && is_of_link(layer);
		locate->is_ip_enough = locate->is_ip_enough && is_of(layer, PROTO_IP);
		locate->is_ipv6_enough = locate->is_ipv6_enough && is_of(layer, PROTO_IPV6);
		locate->needs_payload |= is_payload(layer->protocol);
		locate->needs_ends |= layer->end && protocol_layer(layer->protocol) != 2;
	}
	locate->needs_ends |= locate->facts.inner.has4 != 0;
	if (is_link_enough)
		locate->runs[0] = plain_choose(PLAIN_LINK);
	else if (locate->is_ip_enough || locate->is_ipv6_enough)
		locate->runs[0] = plain_choose(PLAIN_NETWORK);
	if (!is_link_enough)
		locate->runs[!!locate->runs[0]] = plain_choose(PLAIN_ALL);
}

static const struct {
	uint8_t mask, place;
} plainly[PROTOCOLS] = {
	[PROTO_FRAME] = { PLAIN_ETH, AT_START },
	[PROTO_ETH] = { PLAIN_ETH, AT_START },
	[PROTO_ETH_TYPE] = { PLAIN_ETH, AT_START },
	[PROTO_VLAN] = { PLAIN_VLAN, AT_TAG },
	[PROTO_VLAN_TYPE] = { PLAIN_VLAN, AT_TAG },
	[PROTO_ARP] = { PLAIN_ARP, AT_NETWORK },
	[PROTO_ARP_IPV4] = { PLAIN_ARP, AT_NETWORK },
	[PROTO_IP] = { PLAIN_IP, AT_NETWORK },
	[PROTO_IPV6] = { PLAIN_IPV6, AT_NETWORK },
	[PROTO_TCP] = { PLAIN_TCP, AT_TRANSPORT },
	[PROTO_TCP_REST] = { PLAIN_TCP, AT_TRANSPORT },
	[PROTO_UDP] = { PLAIN_UDP, AT_TRANSPORT },
	[PROTO_TCP_PAYLOAD] = { PLAIN_TCP_PAYLOAD, AT_PAYLOAD },
	[PROTO_UDP_PAYLOAD] = { PLAIN_UDP_PAYLOAD, AT_PAYLOAD },
	[PROTO_DATA] = { PLAIN_PAYLOAD, AT_PAYLOAD },
};

static void add_output(struct decode_locate *locate, const struct decode_layer *layer)
{
	if (!plainly[layer->protocol].mask || (layer->occurrence > 1 && layer->occurrence != DECODE_LAST))
		return;
	locate->outputs[locate->output_count++] = (struct output){
		.has = layer->has,
		.base = layer->base,
		.end = layer->end,
		.mask = plainly[layer->protocol].mask,
		.place = plainly[layer->protocol].place,
	};
}

struct decode_locate *decode_prepare(struct arena *arena, const struct decode_layer *layers, unsigned count,
	const struct decode_facts *facts)
{
	struct decode_locate *locate = arena_new(arena, struct decode_locate);

	assert(count <= UINT16_MAX);
	locate->layers = arena_array(arena, struct decode_layer, count + 1);
	locate->outputs = arena_array(arena, struct output, count + 1);
	for (unsigned protocol = 0; protocol < PROTOCOLS; protocol++) {
		locate->first[protocol] = (uint16_t)locate->count;
		for (unsigned i = 0; i < count; i++) {
			if (layers[i].protocol != protocol)
				continue;
			locate->layers[locate->count++] = layers[i];
			add_output(locate, &layers[i]);
		}
	}
	locate->first[PROTOCOLS] = (uint16_t)locate->count;
	if (facts)
		locate->facts = *facts;
	choose_depth(locate);
	return locate;
}

// ---- writing for many slots

struct target { // which slots to write to
	struct vector *vector;
	weir_mask mask;
	unsigned lanes; // not 0: all lanes up to here may be written, whatever the mask
};

static void fill(const struct target *target, uint32_t at, uint16_t value)
{
	uint16_t *column = vector_column(target->vector, at);

	for (unsigned from = 0; from < target->lanes; from += LANES)
		for (unsigned i = from; i < from + LANES; i++)
			column[i] = value;
	if (!target->lanes)
		weir_each (i, target->mask)
			column[i] = value;
}

static void copy(const struct target *target, uint32_t at, const uint16_t *values)
{
	uint16_t *column = vector_column(target->vector, at);

	for (unsigned from = 0; from < target->lanes; from += LANES)
		for (unsigned i = from; i < from + LANES; i++)
			column[i] = values[i];
	if (!target->lanes)
		weir_each (i, target->mask)
			column[i] = values[i];
}

static void copy_ends(const struct target *target, uint32_t at, const uint32_t *values)
{
	uint32_t *column = vector_column(target->vector, at);

	for (unsigned from = 0; from < target->lanes; from += LANES)
		for (unsigned i = from; i < from + LANES; i++)
			column[i] = values[i];
	if (!target->lanes)
		weir_each (i, target->mask)
			column[i] = values[i];
}

static void write_mask(struct vector *vector, uint32_t at, weir_mask todo, weir_mask value)
{
	weir_mask *mask = vector_mask(vector, at);

	if (at)
		*mask = (*mask & ~todo) | value;
}

// ---- plain packets

// Where TCP's and UDP's payloads begin, and who has one.
static void find_payloads(struct plain *plain, const struct vector *vector)
{
	weir_mask has = 0;

	weir_each (i, plain->masks[PLAIN_TCP])
		plain->payload[i] = (uint16_t)(plain->transport[i] +
			(vector->head.data[i][plain->transport[i] + 12] >> 4) * 4);
	weir_each (i, plain->masks[PLAIN_UDP])
		plain->payload[i] = (uint16_t)(plain->transport[i] + 8);
	weir_each (i, plain->masks[PLAIN_TCP] | plain->masks[PLAIN_UDP])
		has |= (weir_mask)(plain->payload[i] < plain->transport_end[i]) << i;
	plain->masks[PLAIN_TCP_PAYLOAD] = has & plain->masks[PLAIN_TCP];
	plain->masks[PLAIN_UDP_PAYLOAD] = has & plain->masks[PLAIN_UDP];
	plain->masks[PLAIN_PAYLOAD] = has;
}

static void write_base(const struct target *target, uint32_t at, enum place place, const struct plain *plain)
{
	const uint16_t *places = place == AT_NETWORK ? plain->network
		: place == AT_PAYLOAD		     ? plain->payload
						     : plain->transport;

	if (place == AT_START || place == AT_TAG)
		fill(target, at, place == AT_START ? 0 : 14);
	else if (place != AT_PAYLOAD && plain->is_even && plain->all)
		fill(target, at, places[__builtin_ctzll(plain->all)]);
	else
		copy(target, at, places);
}

static void write_end(const struct target *target, uint32_t at, enum place place, const struct plain *plain)
{
	if (place <= AT_TAG)
		copy_ends(target, at, target->vector->head.length);
	else
		copy_ends(target, at, place == AT_NETWORK ? plain->network_end : plain->transport_end);
}

static void write_plain_facts(
	const struct decode_facts *facts, struct target *target, const struct plain *plain)
{
	target->mask = plain->masks[PLAIN_IP] | plain->masks[PLAIN_IPV6] | plain->masks[PLAIN_ARP];
	if (facts->network_has)
		*vector_mask(target->vector, facts->network_has) |= target->mask;
	if (facts->network)
		write_base(target, facts->network, AT_NETWORK, plain);
	target->mask = plain->masks[PLAIN_TCP] | plain->masks[PLAIN_UDP];
	if (facts->transport_has)
		*vector_mask(target->vector, facts->transport_has) |= target->mask;
	if (facts->transport)
		write_base(target, facts->transport, AT_TRANSPORT, plain);
}

// Plain packets are in no tunnel.
static void write_plain_around(
	const struct decode_inner *inner, struct vector *vector, weir_mask mask, weir_mask tagged)
{
	if (inner->vlan) {
		uint16_t *vlan = vector_column(vector, inner->vlan);

		weir_each (i, mask)
			vlan[i] = tagged >> i & 1 ? weir_be16(vector->head.data[i] + 14) & 0xfff : 0;
	}
	if (inner->tunnel) {
		uint32_t *tunnel = vector_column(vector, inner->tunnel);

		weir_each (i, mask)
			tunnel[i] = 0;
	}
}

static void write_plain_inner(
	const struct decode_inner *inner, struct target *target, const struct plain *plain)
{
	weir_mask tcp = plain->masks[PLAIN_TCP], udp = plain->masks[PLAIN_UDP];
	uint8_t *protocol = vector_column(target->vector, inner->protocol);

	target->mask = tcp | udp;
	*vector_mask(target->vector, inner->has4) |= target->mask & plain->masks[PLAIN_IP];
	*vector_mask(target->vector, inner->has6) |= target->mask & plain->masks[PLAIN_IPV6];
	*vector_mask(target->vector, inner->has_transport) |= target->mask;
	write_base(target, inner->network, AT_NETWORK, plain);
	write_base(target, inner->transport, AT_TRANSPORT, plain);
	write_end(target, inner->end, AT_TRANSPORT, plain);
	weir_each (i, target->mask)
		protocol[i] = tcp >> i & 1 ? 6 : 17;
	if (inner->vlan | inner->tunnel)
		write_plain_around(inner, target->vector, target->mask, plain->masks[PLAIN_VLAN]);
}

static void write_plain(
	const struct decode_locate *locate, struct vector *vector, struct plain *plain, weir_mask todo)
{
	bool is_dense = todo == vector->head.live && weir_size(todo) > LANES / 2;
	struct target target = { vector, 0,
		is_dense ? (64u - (unsigned)__builtin_clzll(todo) + LANES - 1) & -LANES : 0 };

	if (locate->needs_payload | locate->needs_ends)
		plain_ends(plain, vector);
	if (locate->needs_payload)
		find_payloads(plain, vector);
	for (const struct output *output = locate->outputs; output < locate->outputs + locate->output_count;
		output++) {
		target.mask = plain->masks[output->mask];
		if (!target.mask)
			continue;
		*vector_mask(vector, output->has) |= target.mask;
		if (output->base)
			write_base(&target, output->base, output->place, plain);
		if (output->end)
			write_end(&target, output->end, output->place, plain);
	}
	write_plain_facts(&locate->facts, &target, plain);
	if (locate->facts.inner.has4)
		write_plain_inner(&locate->facts.inner, &target, plain);
}

// What a run found, but for packets with something behind their first network header that it did not look at.
static weir_mask find_plain(
	const struct decode_locate *locate, struct vector *vector, weir_mask todo, unsigned run)
{
	struct plain plain;

	if (!todo)
		return 0;
	locate->runs[run](&plain, vector, todo);
	if (!run && locate->runs[1]) {
		weir_mask unsure = (locate->is_ip_enough ? 0 : plain.masks[PLAIN_IP]) |
			(locate->is_ipv6_enough ? 0 : plain.masks[PLAIN_IPV6]);

		plain.all &= ~unsure;
		for (unsigned i = 0; i < PLAIN_MASKS; i++)
			plain.masks[i] &= ~unsure;
	}
	write_plain(locate, vector, &plain, todo);
	return plain.all;
}

// ---- all others

static bool is_asked(const struct walk *walk, const struct found *found, const struct decode_layer *layer)
{
	enum protocol whole = protocol_whole(layer->protocol);

	if (layer->occurrence == DECODE_OUTER)
		return found->number == walk->outer[whole] && !found->is_quoted;
	return found->number == (layer->occurrence == DECODE_LAST ? walk->numbers[whole] : layer->occurrence);
}

static void write_found(
	const struct decode_layer *layer, struct vector *vector, unsigned slot, const struct found *found)
{
	*vector_mask(vector, layer->has) |= (weir_mask)1 << slot;
	if (layer->base)
		((uint16_t *)vector_column(vector, layer->base))[slot] = found->base;
	if (layer->end)
		((uint32_t *)vector_column(vector, layer->end))[slot] = found->end;
}

static void write_facts(
	const struct decode_facts *facts, struct vector *vector, unsigned slot, const struct walk *walk)
{
	weir_mask bit = (weir_mask)1 << slot;

	if (facts->malformed && walk->reason)
		*vector_mask(vector, facts->malformed) |= bit;
	if (facts->malformed_reason)
		((uint8_t *)vector_column(vector, facts->malformed_reason))[slot] = walk->reason;
	if (facts->malformed_offset)
		((uint16_t *)vector_column(vector, facts->malformed_offset))[slot] = walk->reason_at;
	if (facts->fragmented && walk->is_fragment)
		*vector_mask(vector, facts->fragmented) |= bit;
	if (facts->network_has && walk->has_network)
		*vector_mask(vector, facts->network_has) |= bit;
	if (facts->network)
		((uint16_t *)vector_column(vector, facts->network))[slot] = walk->network;
	if (facts->transport_has && walk->has_transport)
		*vector_mask(vector, facts->transport_has) |= bit;
	if (facts->transport)
		((uint16_t *)vector_column(vector, facts->transport))[slot] = walk->transport;
	if (facts->inner.has4)
		walk_inner(walk, &facts->inner, vector, slot);
}

static void write_frame(const struct decode_locate *locate, struct vector *vector, unsigned slot)
{
	struct found frame = { .protocol = PROTO_FRAME, .number = 1, .end = vector->head.length[slot] };

	for (unsigned i = locate->first[PROTO_FRAME]; i < locate->first[PROTO_FRAME + 1]; i++)
		if (locate->layers[i].occurrence <= 1 || locate->layers[i].occurrence == DECODE_LAST)
			write_found(&locate->layers[i], vector, slot, &frame);
}

static void walk(const struct decode_locate *locate, struct vector *vector, unsigned slot)
{
	struct walk walk;

	walk.is_ip_enough = locate->is_ip_enough;
	walk.is_ipv6_enough = locate->is_ipv6_enough;
	walk_slot(&walk, vector, slot);
	for (const struct found *found = walk.found; found < walk.found + walk.count; found++)
		for (unsigned i = locate->first[found->protocol]; i < locate->first[found->protocol + 1]; i++)
			if (is_asked(&walk, found, &locate->layers[i]))
				write_found(&locate->layers[i], vector, slot, found);
	write_frame(locate, vector, slot);
	write_facts(&locate->facts, vector, slot, &walk);
}

// ---- both

static void clear(const struct decode_locate *locate, struct vector *vector, weir_mask todo)
{
	const struct decode_facts *facts = &locate->facts;

	for (unsigned i = 0; i < locate->count; i++)
		*vector_mask(vector, locate->layers[i].has) &= ~todo;
	write_mask(vector, facts->malformed, todo, 0);
	write_mask(vector, facts->fragmented, todo, 0);
	write_mask(vector, facts->network_has, todo, 0);
	write_mask(vector, facts->transport_has, todo, 0);
	write_mask(vector, facts->inner.has4, todo, 0);
	write_mask(vector, facts->inner.has6, todo, 0);
	write_mask(vector, facts->inner.has_transport, todo, 0);
	write_mask(vector, facts->inner.is_fragment, todo, 0);
}

void decode_locate(const struct decode_locate *locate, struct vector *vector, weir_mask todo)
{
	weir_mask rest = todo & ~vector->odd;

	clear(locate, vector, todo);
	rest &= ~find_plain(locate, vector, rest, 0);
	if (locate->runs[1])
		rest &= ~find_plain(locate, vector, rest, 1);
	weir_each (i, rest | (todo & vector->odd))
		walk(locate, vector, (unsigned)i);
}

// ---- what was wrong

const char *decode_reason(uint8_t reason)
{
	static const char *const reasons[REASON_HEADER] = {
		[REASON_NONE] = "",
		[REASON_CUT] = "frame.cap_len: cut by the capture",
		[REASON_DEEP] = "frame.len: headers too far behind the start",
		[REASON_LAYERS] = "frame: too many layers",
		[REASON_ETH_LENGTH] = "eth.len: longer than the frame",
		[REASON_VLAN_LENGTH] = "vlan.len: longer than the frame",
		[REASON_PPPOE_LENGTH] = "pppoe.payload_length: longer than the frame",
		[REASON_RAW_VERSION] = "raw: neither IPv4 nor IPv6",
		[REASON_IP_VERSION] = "ip.version: not 4",
		[REASON_IP_HEADER] = "ip.hdr_len: less than 20",
		[REASON_IP_LENGTH_SHORT] = "ip.len: less than its header",
		[REASON_IP_LENGTH] = "ip.len: longer than the frame",
		[REASON_IPV6_VERSION] = "ipv6.version: not 6",
		[REASON_IPV6_LENGTH] = "ipv6.plen: longer than the frame",
		[REASON_IPV6_JUMBO] = "ipv6.plen: 0 without a jumbo payload that fits",
		[REASON_AH_LENGTH] = "ah.length: less than its header",
		[REASON_TCP_HEADER] = "tcp.hdr_len: less than 20",
		[REASON_UDP_LENGTH_SHORT] = "udp.length: less than 8",
		[REASON_UDP_LENGTH] = "udp.length: longer than its packet",
		[REASON_UDPLITE_COVERAGE] = "udp.checksum_coverage: less than 8 or longer than its packet",
		[REASON_GRE_LENGTH] = "gre.key.payload_length: longer than its packet",
		[REASON_ICMP_LENGTH] = "icmp.length: longer than its packet",
		[REASON_GTP_LENGTH] = "gtp.length: longer than its packet",
		[REASON_GTP_EXTENSION] = "gtp.ext_hdr.length: 0",
	};

	return reason < REASON_HEADER ? reasons[reason] : walk_too_short(reason - REASON_HEADER);
}
