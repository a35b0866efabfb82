// SPDX-License-Identifier: Apache-2.0
// The fast way: the few words that decide are loaded from all packets first, side by side, then compared for many
// packets at once. What is not plain in every respect is left to the walk.
//
// Words are as they lie in memory: the first byte of the packet is the lowest of a word.
#include "packet/locate.h"

#include <immintrin.h>

enum { ETHERNET = 14,
	TAG = 4 };
enum { LEAST = 54,
	LEAST_TAGGED = LEAST + TAG,
	LEAST_IPV6 = 68 }; // how long a frame must be for what is loaded

struct words { // of each slot, from its network header on
	_Alignas(64) uint32_t type[WEIR_VECTOR]; // type of Ethernet (2), version, class
	_Alignas(64) uint32_t length[WEIR_VECTOR]; // what is in bytes 2 to 5 of the network header
	_Alignas(64) uint32_t
		next[WEIR_VECTOR]; // bytes 6 to 9: fragment, TTL, protocol; of IPv6 next header, hop limit
	_Alignas(64) uint32_t
		ports[WEIR_VECTOR]; // bytes 2 to 5 of the transport header: destination port, UDP's length
	_Alignas(64) uint32_t offset[WEIR_VECTOR]; // bytes 10 to 13: TCP's header length is in the third
};

struct verdict {
	weir_mask fit, tcp;
};

enum { TYPE_IP = 0x0008,
	TYPE_IPV6 = 0xdd86,
	TYPE_ARP = 0x0608,
	TYPE_VLAN = 0x0081,
	TYPE_QINQ = 0xa888 };
enum { PORT_VXLAN = 0xb512,
	PORT_GENEVE = 0xc117,
	PORT_GTP = 0x6808 };

// ---- one time for each kind of machine: the lanes of a register, and what no operator of C says of them
//
// BITS: which lanes are true. SWAP: moves bytes within words: their first two (SWAP_LOW16) or last two as the network
// writes numbers. NARROW: stores lanes as numbers of 16 bits.

#define EVERY4(a, b, c, d) \
	a, b, c, d, a + 4, b + 4, c + 4, d + 4, a + 8, b + 8, c + 8, d + 8, a + 12, b + 12, c + 12, d + 12
#define SWAP_LOW16 EVERY4(1, 0, -128, -128)
#define SWAP_HIGH16 EVERY4(3, 2, -128, -128)

#define TARGET
#define NAME(name) name##_base
#define LANES 4
#define LANE_BITS { 1, 2, 4, 8 }
#define BITS(is) ((weir_mask)(unsigned)_mm_movemask_ps((__m128)(is)))
#define SWAP(word, ...) ((NAME(lanes))_mm_shuffle_epi8((__m128i)(word), _mm_setr_epi8(__VA_ARGS__)))
#define NARROW(at, value) _mm_storel_epi64((__m128i *)(at), _mm_packus_epi32((__m128i)(value), (__m128i)(value)))
#include "packet/locate_plain_run.h"

#define TARGET __attribute__((target("avx2,bmi,bmi2,lzcnt")))
#define NAME(name) name##_avx2
#define LANES 8
#define LANE_BITS { 1, 2, 4, 8, 16, 32, 64, 128 }
#define BITS(is) ((weir_mask)(unsigned)_mm256_movemask_ps((__m256)(is)))
#define SWAP(word, ...) \
	((NAME(lanes))_mm256_shuffle_epi8((__m256i)(word), _mm256_broadcastsi128_si256(_mm_setr_epi8(__VA_ARGS__))))
#define NARROW(at, value) \
	_mm_storeu_si128((__m128i *)(at), _mm_packus_epi32(_mm256_castsi256_si128((__m256i)(value)), \
						  _mm256_extracti128_si256((__m256i)(value), 1)))
#include "packet/locate_plain_run.h"

#define TARGET __attribute__((target("avx2,bmi,bmi2,lzcnt,avx512f,avx512bw,avx512dq,avx512vl")))
#define NAME(name) name##_avx512
#define LANES 16
#define LANE_BITS \
	{ 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 8, 1 << 9, 1 << 10, 1 << 11, \
		1 << 12, 1 << 13, 1 << 14, 1 << 15 }
#define BITS(is) ((weir_mask)_mm512_movepi32_mask((__m512i)(is)))
#define SWAP(word, ...) \
	((NAME(lanes))_mm512_shuffle_epi8((__m512i)(word), _mm512_broadcast_i32x4(_mm_setr_epi8(__VA_ARGS__))))
#define NARROW(at, value) _mm256_storeu_si256((__m256i *)(at), _mm512_cvtepi32_epi16((__m512i)(value)))
#include "packet/locate_plain_run.h"

// What only layers need that hardly anybody asks for together: it costs a loop of its own, and is made on demand.
void plain_ends(struct plain *plain, const struct vector *vector)
{
	weir_each (i, plain->masks[PLAIN_UDP])
		plain->transport_end[i] =
			plain->transport[i] + weir_be16(vector->head.data[i] + plain->transport[i] + 4);
	weir_each (i, plain->masks[PLAIN_TCP])
		plain->transport_end[i] = plain->network_end[i];
}

// ---- for the machine that it runs on

static void link_alone(struct plain *plain, const struct vector *vector, weir_mask todo)
{
	weir_mask fit = 0;

	memset(plain->masks, 0, sizeof(plain->masks));
	for (unsigned i = 0, count = (unsigned)(64 - __builtin_clzll(todo)); i < count; i++)
		fit |= (weir_mask)(vector->head.straight[i] >= ETHERNET) << i;
	plain->all = todo & fit;
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
