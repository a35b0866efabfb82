// SPDX-License-Identifier: Apache-2.0
// The fast way for one kind of machine; locate_plain.c includes this once for each, and says what TARGET, NAME,
// LANES and the rest are. On purpose without a guard.

// Inlined, so that there is one function without calls in the end. Vectors are not passed: they are no arguments that
// all machines know.
#define INSIDE static inline __attribute__((always_inline)) TARGET
#define lanes NAME(lanes)

typedef uint32_t lanes __attribute__((vector_size(4 * LANES)));

#define LANES_AT(at) \
	({ \
		lanes value_; \
		memcpy(&value_, at, sizeof(value_)); \
		value_; \
	})

// The slots, up to `count` rounded up to LANES, for whose word a condition holds.
#define WHERE(word, words, count, condition) \
	({ \
		weir_mask mask_ = 0; \
		for (unsigned from_ = 0; from_ < (count); from_ += LANES) { \
			lanes word = LANES_AT((words) + from_); \
			mask_ |= BITS((lanes)(condition)) << from_; \
		} \
		mask_; \
	})

// Runs a statement for the slots of a mask: a plain loop if they are the first ones without a hole.
#define FOR(i, mask, ...) \
	do { \
		if (!((mask) & ((mask) + 1))) \
			for (unsigned i = 0, i##_count = weir_size(mask); i < i##_count; i++) \
				__VA_ARGS__; \
		else \
			weir_each (i, mask) \
				__VA_ARGS__; \
	} while (0)

// ---- loading

INSIDE uint32_t NAME(load)(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

INSIDE void NAME(load_network)(struct words *words, uint64_t i, const uint8_t *at)
{
	words->type[i] = NAME(load)(at + 12);
	words->length[i] = NAME(load)(at + 16);
	words->next[i] = NAME(load)(at + 20);
}

INSIDE void NAME(load_transport)(struct words *words, uint64_t i, const uint8_t *at)
{
	words->ports[i] = NAME(load)(at + 2);
	words->offset[i] = NAME(load)(at + 10);
}

INSIDE void NAME(load_plain)(struct words *words, uint64_t i, const uint8_t *at, bool is_deep)
{
	NAME(load_network)
	(words, i, at);
	if (is_deep)
		NAME(load_transport)
	(words, i, at + 34);
}

// ---- judging: who is plain in all respects, where headers begin and content ends

// Of IPv4 and IPv6 alike. rest: bytes behind the network header.
#define JUDGE_TRANSPORT(from, protocol, rest, fit, verdict) \
	do { \
		lanes ports = LANES_AT(words->ports + (from)), port = ports & 0xffff; \
		lanes size = LANES_AT(words->offset + (from)) >> 18 & 0x3c, bytes = SWAP(ports, SWAP_HIGH16); \
		lanes tcp = (lanes)((protocol) == 6) & (lanes)(size >= 20) & (lanes)(size <= (rest)); \
		lanes tunnel = (lanes)(port == PORT_VXLAN) | (lanes)(port == PORT_GENEVE) | (lanes)(port == PORT_GTP); \
		lanes udp = (lanes)((protocol) == 17) & (lanes)(bytes >= 8) & (lanes)(bytes <= (rest)) & ~tunnel; \
\
		(verdict).tcp |= BITS(tcp & (fit)) << (from); \
		(fit) &= tcp | udp; \
	} while (0)

// IPv4 at its usual place.
INSIDE struct verdict NAME(judge_ip)(
	const struct words *words, const uint32_t *length, struct plain *plain, unsigned count, bool is_deep)
{
	struct verdict verdict = { 0 };

	for (unsigned i = 0; i < WEIR_VECTOR; i++)
		plain->network[i] = ETHERNET;
	for (unsigned i = 0; i < WEIR_VECTOR; i++)
		plain->transport[i] = ETHERNET + 20;
	for (unsigned from = 0; from < count; from += LANES) {
		lanes type = LANES_AT(words->type + from), next = LANES_AT(words->next + from);
		lanes is_ip = (lanes)((type & 0xffffff) == (TYPE_IP | 0x450000)) & (lanes)((next & 0xff3f) == 0);
		lanes rest = SWAP(LANES_AT(words->length + from), SWAP_LOW16) - 20, protocol = next >> 24;
		lanes fit = is_ip & (lanes)(rest <= LANES_AT(length + from) - (ETHERNET + 20));
		lanes end = rest + (ETHERNET + 20);

		if (is_deep)
			JUDGE_TRANSPORT(from, protocol, rest, fit, verdict);
		verdict.fit |= BITS(fit) << from;
		memcpy(plain->network_end + from, &end, sizeof(end));
	}
	return verdict;
}

// The given IPv6 and tagged ones, and IPv4.
INSIDE struct verdict NAME(judge_mixed)(const struct words *words, const uint32_t *length, struct plain *plain,
	unsigned count, bool is_deep, weir_mask ipv6, weir_mask tagged)
{
	static const lanes bits = LANE_BITS;
	struct verdict verdict = { 0 };

	for (unsigned from = 0; from < count; from += LANES) {
		lanes type = LANES_AT(words->type + from), next = LANES_AT(words->next + from);
		lanes field = LANES_AT(words->length + from), payload = SWAP(field, SWAP_HIGH16);
		lanes is_tagged = (lanes)((bits & (uint32_t)(tagged >> from)) != 0);
		lanes is_ipv6 = (lanes)((bits & (uint32_t)(ipv6 >> from)) != 0) &
			(lanes)((type & 0xf0ffff) == (TYPE_IPV6 | 0x600000)) & (lanes)(payload != 0);
		lanes is_ip = (lanes)((type & 0xffffff) == (TYPE_IP | 0x450000)) & (lanes)((next & 0xff3f) == 0);
		lanes network = (4 & is_tagged) + ETHERNET, place = network + 20 + (20 & is_ipv6);
		lanes rest = (SWAP(field, SWAP_LOW16) - 20) & is_ip;
		lanes protocol = (next >> 24 & is_ip) | (next & 0xff & is_ipv6);
		lanes end, fit;

		rest |= payload & is_ipv6;
		end = place + rest;
		fit = (is_ip | is_ipv6) & (lanes)(rest <= LANES_AT(length + from) - place);
		if (is_deep)
			JUDGE_TRANSPORT(from, protocol, rest, fit, verdict);
		verdict.fit |= BITS(fit) << from;
		NARROW(plain->network + from, network);
		NARROW(plain->transport + from, place);
		memcpy(plain->network_end + from, &end, sizeof(end));
	}
	return verdict;
}

// ---- what is not IPv4 at its usual place

INSIDE weir_mask NAME(find_arp)(const struct words *words, weir_mask todo)
{
	weir_mask arp = 0;

	weir_each (i, todo)
		arp |= (weir_mask)(words->type[i] == (TYPE_ARP | 0x01000000u) && words->length[i] == 0x04060008)
			<< i;
	return arp;
}

// Transport headers are loaded from behind the tag and from behind the longer header; what all have in common is
// then at one place.
INSIDE void NAME(load_transports)(struct words *words, const struct weir_vector *head, weir_mask todo, weir_mask ipv6,
	weir_mask tagged)
{
	if (ipv6 == todo && !tagged)
		FOR(i, todo, NAME(load_transport)(words, i, head->data[i] + 54));
	else if (!ipv6 && tagged == todo)
		FOR(i, todo, NAME(load_transport)(words, i, head->data[i] + 34 + TAG));
	else
		FOR(i, todo,
			NAME(load_transport)(words, i,
				head->data[i] + 34 + (tagged >> i & 1) * TAG + (ipv6 >> i & 1) * 20));
}

// is_ip: transport headers behind IPv4 at its usual place have been loaded.
INSIDE void NAME(run_mixed)(struct plain *plain, struct words *words, const struct weir_vector *head, weir_mask todo,
	unsigned count, bool is_deep, bool is_ip)
{
	weir_mask long_enough = WHERE(length, head->straight, count, length >= LEAST_IPV6 + TAG);
	weir_mask tagged = todo &
		WHERE(type, words->type, count,
			((type & 0xffff) == TYPE_VLAN) | ((type & 0xffff) == TYPE_QINQ));
	struct verdict verdict;
	weir_mask ipv6;

	tagged &= WHERE(length, head->straight, count, length >= LEAST_TAGGED);
	if (tagged)
		FOR(i, tagged, NAME(load_network)(words, i, head->data[i] + TAG));
	ipv6 = todo & long_enough & WHERE(type, words->type, count, (type & 0xffff) == TYPE_IPV6);
	if (is_deep)
		NAME(load_transports)
	(words, head, is_ip ? ipv6 | tagged : todo, ipv6, tagged);
	verdict = NAME(judge_mixed)(words, head->length, plain, count, is_deep, ipv6, tagged);
	verdict.fit &= todo;
	plain->masks[PLAIN_IPV6] = verdict.fit & ipv6;
	plain->masks[PLAIN_IP] = verdict.fit & ~ipv6;
	plain->masks[PLAIN_ARP] = NAME(find_arp)(words, todo & ~verdict.fit);
	plain->all = verdict.fit | plain->masks[PLAIN_ARP];
	plain->masks[PLAIN_VLAN] = tagged & plain->all;
	plain->masks[PLAIN_TCP] = verdict.tcp & verdict.fit;
	plain->is_even = (!ipv6 || ipv6 == plain->all) && (!tagged || tagged == plain->all);
}

INSIDE void NAME(run)(struct plain *plain, const struct vector *vector, weir_mask todo, bool is_deep)
{
	const struct weir_vector *head = &vector->head;
	unsigned count = (unsigned)(64 - __builtin_clzll(todo));
	struct words words;
	struct verdict verdict;
	bool is_ip;

	todo &= WHERE(length, head->straight, count, length >= LEAST);
	memset(plain->masks, 0, sizeof(plain->masks));
	plain->all = 0;
	plain->is_even = true;
	if (!todo)
		return;
	is_ip = (NAME(load)(head->data[__builtin_ctzll(todo)] + 12) & 0xffff) == TYPE_IP; // then others will be
	if (is_ip && is_deep)
		FOR(i, todo, NAME(load_plain)(&words, i, head->data[i], true));
	else
		FOR(i, todo, NAME(load_plain)(&words, i, head->data[i], false));
	if (is_ip) {
		verdict = NAME(judge_ip)(&words, head->length, plain, count, is_deep);
		plain->all = plain->masks[PLAIN_IP] = verdict.fit & todo;
		plain->masks[PLAIN_TCP] = verdict.tcp & plain->all;
	}
	if (plain->all != todo && (todo & ~WHERE(type, words.type, count, (type & 0xffff) == TYPE_IP)))
		NAME(run_mixed)
	(plain, &words, head, todo, count, is_deep, is_ip);
	plain->masks[PLAIN_ETH] = plain->all;
	if (is_deep)
		plain->masks[PLAIN_UDP] =
			(plain->masks[PLAIN_IP] | plain->masks[PLAIN_IPV6]) & ~plain->masks[PLAIN_TCP];
}

TARGET static void NAME(network)(struct plain *plain, const struct vector *vector, weir_mask todo)
{
	NAME(run)
	(plain, vector, todo, false);
}

TARGET static void NAME(all)(struct plain *plain, const struct vector *vector, weir_mask todo)
{
	NAME(run)
	(plain, vector, todo, true);
}

#undef INSIDE
#undef lanes
#undef LANES_AT
#undef WHERE
#undef FOR
#undef JUDGE_TRANSPORT
#undef TARGET
#undef NAME
#undef LANES
#undef LANE_BITS
#undef BITS
#undef SWAP
#undef NARROW
