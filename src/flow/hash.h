// SPDX-License-Identifier: Apache-2.0
// The keyed hash of a flow's key, the same for both directions.
//
// The two ends are put in order, so that a key is a row of 32-bit words w0 w1 .... Of these
//
//	(sum over pairs of (a0 + w1) * (a1 + w0), plus b) modulo 2^64, the upper 32 bits
//
// with secret random a, b of 64 bits is strongly universal (Dietzfelbinger; Thorup, "High Speed
// Hashing for Integers and Strings", 3.5): who does not know the secrets cannot choose keys whose
// hashes coincide more often than those of a random function, pair by pair. What follows is a fixed
// permutation of the 32 bits, which leaves that as it is and scatters the arithmetic progressions
// that consecutive addresses and ports become. Nothing here needs more than products of 64 bits, so
// that compilers make several at a time of it.
#ifndef FLOW_HASH_H
#define FLOW_HASH_H

#include <stdbool.h>
#include <stdint.h>

struct flow_secret {
	uint64_t word[10], tunnel, plus;
};

static inline uint64_t flow_random(uint64_t *state) // splitmix64
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline struct flow_secret flow_secret(uint64_t seed)
{
	struct flow_secret secret;

	for (unsigned i = 0; i < 10; i++)
		secret.word[i] = flow_random(&seed);
	secret.tunnel = flow_random(&seed);
	secret.plus = flow_random(&seed);
	return secret;
}

static inline __attribute__((always_inline)) uint64_t flow_pair(
	const uint64_t secret[2], uint32_t first, uint32_t second)
{
	return (secret[0] + second) * (secret[1] + first);
}

static inline __attribute__((always_inline)) uint32_t flow_spread(uint64_t sum)
{
	uint32_t hash = (uint32_t)(sum >> 32);

	hash = (hash ^ hash >> 16) * 0x7feb352d;
	hash = (hash ^ hash >> 15) * 0x846ca68b;
	return hash ^ hash >> 16;
}

// `rest`: VLAN and protocol.
static inline __attribute__((always_inline)) uint32_t flow_hash4(const struct flow_secret *secret, uint32_t src,
	uint32_t dst, uint16_t src_port, uint16_t dst_port, uint32_t rest, uint32_t tunnel)
{
	uint64_t a = (uint64_t)src << 16 | src_port, b = (uint64_t)dst << 16 | dst_port;
	uint64_t turn = (a ^ b) & -(uint64_t)((int64_t)a > (int64_t)b); // no branch: directions are random
	uint64_t low = a ^ turn, high = b ^ turn;

	return flow_spread(flow_pair(secret->word, (uint32_t)(low >> 16), (uint32_t)(high >> 16)) +
		flow_pair(secret->word + 2, (uint32_t)low << 16 | (high & 0xffff), rest) + secret->plus +
		secret->tunnel * tunnel);
}

static inline uint32_t flow_hash6(const struct flow_secret *secret, const uint64_t src[2], const uint64_t dst[2],
	uint16_t src_port, uint16_t dst_port, uint32_t rest, uint32_t tunnel)
{
	bool by_port = (src[1] > dst[1]) | ((src[1] == dst[1]) & (src_port > dst_port));
	uint64_t turn = -(uint64_t)((src[0] > dst[0]) | ((src[0] == dst[0]) & by_port)); // all ones or none
	uint64_t both[2] = { (src[0] ^ dst[0]) & turn, (src[1] ^ dst[1]) & turn };
	uint64_t words[4] = { src[0] ^ both[0], src[1] ^ both[1], dst[0] ^ both[0], dst[1] ^ both[1] };
	uint32_t ports_turn = (uint32_t)turn & (uint32_t)(src_port ^ dst_port);
	uint64_t sum = secret->plus + secret->tunnel * tunnel;

	for (unsigned i = 0; i < 4; i++)
		sum += flow_pair(secret->word + 2 * i, (uint32_t)words[i], (uint32_t)(words[i] >> 32));
	return flow_spread(sum +
		flow_pair(secret->word + 8, (src_port ^ ports_turn) << 16 | (dst_port ^ ports_turn),
			rest));
}

#endif
