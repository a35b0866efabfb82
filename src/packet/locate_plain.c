// SPDX-License-Identifier: Apache-2.0
// The fast way: the few words that decide are loaded from all packets first, side by side, then compared for many
// packets at once. What is not plain in every respect is left to the walk.
//
// Words are as they lie in memory: the first byte of the packet is the lowest of a word.
#include "packet/locate.h"

enum { LANES = 16,
	ETHERNET = 14,
	TAG = 4 };
enum { LEAST = 54,
	LEAST_TAGGED = LEAST + TAG,
	LEAST_IPV6 = 68 }; // how long a frame must be for what is loaded

// Inlined, so that it is compiled for the machine that its caller is compiled for.
#define INSIDE static inline __attribute__((always_inline))

struct words { // of each slot, from its network header on
	_Alignas(64) uint32_t type[WEIR_VECTOR]; // type of Ethernet (2), version, class
	_Alignas(64) uint32_t length[WEIR_VECTOR]; // what is in bytes 2 to 5 of the network header
	_Alignas(64) uint32_t
		next[WEIR_VECTOR]; // bytes 6 to 9: fragment, TTL, protocol; of IPv6 next header, hop limit
	_Alignas(64) uint32_t
		ports[WEIR_VECTOR]; // bytes 2 to 5 of the transport header: destination port, UDP's length
	_Alignas(64) uint32_t offset[WEIR_VECTOR]; // bytes 10 to 13: TCP's header length is in the third
};

INSIDE uint32_t load(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

INSIDE void load_network(struct words *words, unsigned i, const uint8_t *at)
{
	words->type[i] = load(at + 12);
	words->length[i] = load(at + 16);
	words->next[i] = load(at + 20);
}

INSIDE void load_transport(struct words *words, unsigned i, const uint8_t *at)
{
	words->ports[i] = load(at + 2);
	words->offset[i] = load(at + 10);
}

INSIDE void load_all(struct words *words, const struct weir_vector *head, weir_mask todo, bool is_deep)
{
	if (!(todo & (todo + 1))) {
		for (unsigned i = 0, count = weir_size(todo); i < count; i++) {
			load_network(words, i, head->data[i]);
			if (is_deep)
				load_transport(words, i, head->data[i] + 34);
		}
		return;
	}
	weir_each (i, todo) {
		load_network(words, (unsigned)i, head->data[i]);
		if (is_deep)
			load_transport(words, (unsigned)i, head->data[i] + 34);
	}
}

// ---- comparing

typedef uint32_t lanes __attribute__((vector_size(4 * LANES)));
typedef uint16_t half_lanes __attribute__((vector_size(2 * LANES)));
typedef uint8_t byte_lanes __attribute__((vector_size(LANES)));

// macros: vectors are not passed to functions, of which there would be one kind per machine
#define LANES_AT(at) \
	({ \
		lanes value_; \
		memcpy(&value_, at, sizeof(value_)); \
		value_; \
	})
#define BITS_OF(is, from) \
	((weir_mask)(uint16_t)_mm_movemask_epi8((__m128i) __builtin_convertvector(is, byte_lanes)) << (from))

// The slots, up to `count` rounded up to LANES, for whose word a condition holds.
#define WHERE(word, words, count, condition) \
	({ \
		weir_mask mask_ = 0; \
		for (unsigned from_ = 0; from_ < (count); from_ += LANES) { \
			lanes word = LANES_AT((words) + from_); \
			mask_ |= BITS_OF((lanes)(condition), from_); \
		} \
		mask_; \
	})

#define SWAP_LOW(word) (((word)&0xff) << 8 | ((word) >> 8 & 0xff))

enum { TYPE_IP = 0x0008,
	TYPE_IPV6 = 0xdd86,
	TYPE_ARP = 0x0608,
	TYPE_VLAN = 0x0081,
	TYPE_QINQ = 0xa888 };
enum { PORT_VXLAN = 0xb512,
	PORT_GENEVE = 0xc117,
	PORT_GTP = 0x6808 };

struct verdict {
	weir_mask fit, tcp;
};

// Of which lanes a mask has the bit.
#define LANES_OF(mask, from) ((lanes)((((lanes){ 0 } + (uint32_t)((mask) >> (from)&0xffff)) & bits) != 0))

// Who is plain in all respects, where headers begin and content ends. `is_mixed`: there are the given IPv6 and tagged
// ones among them; else IPv4 is looked for, at its usual place.
INSIDE struct verdict judge(const struct words *words, const uint32_t *length, struct plain *plain,
	unsigned count, bool is_deep, bool is_mixed, weir_mask ipv6, weir_mask tagged)
{
	static const lanes bits = { 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 8,
		1 << 9, 1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15 };
	struct verdict verdict = { 0 };

	for (unsigned from = 0; from < count; from += LANES) {
		lanes type = LANES_AT(words->type + from), field = LANES_AT(words->length + from);
		lanes next = LANES_AT(words->next + from), place = (lanes){ 0 } + 34;
		lanes is_ip =
			(lanes)((type & 0xffffff) == (TYPE_IP | 0x450000)) & (lanes)((next & 0xff3f) == 0);
		lanes rest = (SWAP_LOW(field) - 20) | ~is_ip, protocol = next >> 24, network = place - 20, fit,
		      tcp, udp;
		half_lanes places;

		if (is_mixed) {
			lanes is_ipv6 =
				(lanes)((type & 0xf0ffff) == (TYPE_IPV6 | 0x600000)) & LANES_OF(ipv6, from);
			lanes payload = SWAP_LOW(field >> 16);

			network += 4 & LANES_OF(tagged, from);
			place = network + 20 + (20 & is_ipv6);
			rest = (rest & ~is_ipv6) | ((payload | (lanes)(payload == 0)) & is_ipv6);
			protocol = (protocol & ~is_ipv6) | (next & 0xff & is_ipv6);
		}
		fit = (lanes)(rest <= LANES_AT(length + from) - place);
		if (is_deep) {
			lanes ports = LANES_AT(words->ports + from), port = ports & 0xffff;
			lanes size = LANES_AT(words->offset + from) >> 18 & 0x3c, bytes = SWAP_LOW(ports >> 16);

			tcp = (lanes)(protocol == 6) & (lanes)(size >= 20) & (lanes)(size <= rest);
			udp = (lanes)(protocol == 17) & (lanes)(bytes >= 8) & (lanes)(bytes <= rest) &
				(lanes)(port != PORT_VXLAN) & (lanes)(port != PORT_GENEVE) &
				(lanes)(port != PORT_GTP);
			verdict.tcp |= BITS_OF(tcp & fit, from);
			fit &= tcp | udp;
		}
		verdict.fit |= BITS_OF(fit, from);
		places = __builtin_convertvector(network, half_lanes);
		memcpy(plain->network + from, &places, sizeof(places));
		places = __builtin_convertvector(place, half_lanes);
		memcpy(plain->transport + from, &places, sizeof(places));
		place += rest;
		memcpy(plain->network_end + from, &place, sizeof(place));
	}
	return verdict;
}

// ---- what is not IPv4 at its usual place

// They are loaded again, from behind the tag and from behind the longer header; what they have in common with others is
// then at one place.
INSIDE void load_again(struct words *words, const struct weir_vector *head, weir_mask ipv6, weir_mask tagged)
{
	if (!tagged && !(ipv6 & (ipv6 + 1))) {
		for (unsigned i = 0, count = weir_size(ipv6); i < count; i++)
			load_transport(words, i, head->data[i] + 54);
		return;
	}
	weir_each (i, ipv6 | tagged)
		load_transport(words, (unsigned)i,
			head->data[i] + 34 + (tagged >> i & 1 ? TAG : 0) + (ipv6 >> i & 1 ? 20 : 0));
}

INSIDE void load_tagged(struct words *words, const struct weir_vector *head, weir_mask tagged)
{
	if (!(tagged & (tagged + 1))) {
		for (unsigned i = 0, count = weir_size(tagged); i < count; i++)
			load_network(words, i, head->data[i] + TAG);
		return;
	}
	weir_each (i, tagged)
		load_network(words, (unsigned)i, head->data[i] + TAG);
}

INSIDE weir_mask find_arp(const struct words *words, weir_mask todo)
{
	weir_mask arp = 0;

	weir_each (i, todo)
		arp |= (weir_mask)(words->type[i] == (TYPE_ARP | 0x01000000u) && words->length[i] == 0x04060008)
			<< i;
	return arp;
}

INSIDE void run_mixed(struct plain *plain, struct words *words, const struct weir_vector *head, weir_mask todo,
	unsigned count, bool is_deep)
{
	weir_mask long_enough = WHERE(length, head->straight, count, length >= LEAST_IPV6 + TAG);
	weir_mask tagged = todo &
		WHERE(type, words->type, count,
			((type & 0xffff) == TYPE_VLAN) | ((type & 0xffff) == TYPE_QINQ));
	struct verdict verdict;
	weir_mask ipv6;

	tagged &= WHERE(length, head->straight, count, length >= LEAST_TAGGED);
	load_tagged(words, head, tagged);
	ipv6 = todo & long_enough & WHERE(type, words->type, count, (type & 0xffff) == TYPE_IPV6);
	if (is_deep)
		load_again(words, head, ipv6, tagged);
	verdict = judge(words, head->length, plain, count, is_deep, true, ipv6, tagged);
	verdict.fit &= todo;
	plain->masks[PLAIN_IPV6] = verdict.fit & ipv6;
	plain->masks[PLAIN_IP] = verdict.fit & ~ipv6;
	plain->masks[PLAIN_ARP] = find_arp(words, todo & ~verdict.fit);
	plain->all = verdict.fit | plain->masks[PLAIN_ARP];
	plain->masks[PLAIN_VLAN] = tagged & plain->all;
	plain->masks[PLAIN_TCP] = verdict.tcp & verdict.fit;
	plain->is_even = (!ipv6 || ipv6 == plain->all) && (!tagged || tagged == plain->all);
}

// What only layers need that hardly anybody asks for together: it costs a loop of its own, and is made on demand.
void plain_ends(struct plain *plain, const struct vector *vector)
{
	weir_each (i, plain->masks[PLAIN_UDP])
		plain->transport_end[i] =
			plain->transport[i] + weir_be16(vector->head.data[i] + plain->transport[i] + 4);
	weir_each (i, plain->masks[PLAIN_TCP])
		plain->transport_end[i] = plain->network_end[i];
}

INSIDE void run(struct plain *plain, const struct vector *vector, weir_mask todo, bool is_deep)
{
	const struct weir_vector *head = &vector->head;
	unsigned count = (unsigned)(64 - __builtin_clzll(todo));
	struct words words;
	struct verdict verdict;

	todo &= WHERE(length, head->straight, count, length >= LEAST);
	memset(plain->masks, 0, sizeof(plain->masks));
	load_all(&words, head, todo, is_deep);
	plain->all = 0;
	plain->is_even = true;
	if (!todo)
		return;
	if ((words.type[__builtin_ctzll(todo)] & 0xffff) == TYPE_IP) { // then others will be
		verdict = judge(&words, head->length, plain, count, is_deep, false, 0, 0);
		plain->all = plain->masks[PLAIN_IP] = verdict.fit & todo;
		plain->masks[PLAIN_TCP] = verdict.tcp & plain->all;
	}
	if (plain->all != todo && (todo & ~WHERE(type, words.type, count, (type & 0xffff) == TYPE_IP)))
		run_mixed(plain, &words, head, todo, count, is_deep);
	plain->masks[PLAIN_ETH] = plain->all;
	if (is_deep)
		plain->masks[PLAIN_UDP] =
			(plain->masks[PLAIN_IP] | plain->masks[PLAIN_IPV6]) & ~plain->masks[PLAIN_TCP];
}

// ---- for the machine that it runs on

#define RUNS(suffix, ...) \
	__VA_ARGS__ static void network_##suffix( \
		struct plain *plain, const struct vector *vector, weir_mask todo) \
	{ \
		run(plain, vector, todo, false); \
	} \
	__VA_ARGS__ static void all_##suffix(struct plain *plain, const struct vector *vector, weir_mask todo) \
	{ \
		run(plain, vector, todo, true); \
	}

RUNS(base)
RUNS(avx2, __attribute__((target("avx2,bmi,bmi2,lzcnt"))))
RUNS(avx512, __attribute__((target("avx2,bmi,bmi2,lzcnt,avx512f,avx512bw,avx512dq,avx512vl"))))

static void link_alone(struct plain *plain, const struct vector *vector, weir_mask todo)
{
	unsigned count = (unsigned)(64 - __builtin_clzll(todo));

	memset(plain->masks, 0, sizeof(plain->masks));
	plain->all = todo & WHERE(length, vector->head.straight, count, length >= ETHERNET);
	plain->masks[PLAIN_ETH] = plain->all;
	plain->is_even = true;
}

plain_run *plain_choose(enum plain_depth depth)
{
	if (depth == PLAIN_LINK)
		return link_alone;
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
		__builtin_cpu_supports("avx512vl"))
		return depth == PLAIN_ALL ? all_avx512 : network_avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
		return depth == PLAIN_ALL ? all_avx2 : network_avx2;
	return depth == PLAIN_ALL ? all_base : network_base;
}
