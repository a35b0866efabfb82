// SPDX-License-Identifier: Apache-2.0
// The keyed hash of a flow's key, the same for both directions.
//
// The two ends are put in order, so that a key is an even number of 64-bit words w0 w1 .... Of these
//
//	(sum over pairs of (a0 + w1) * (a1 + w0), plus b) modulo 2^128, the upper 64 bits
//
// with secret random a, b of 128 bits is strongly universal (Dietzfelbinger; Thorup, "High Speed Hashing for Integers
// and Strings", 3.5): whoever does not know the secrets cannot choose keys whose hashes coincide more often than those
// of a random function, pair by pair. What follows is a fixed permutation of 64 bits, which leaves that as it is, and
// spreads the arithmetic progressions that consecutive addresses and ports become.
#ifndef FLOW_HASH_H
#define FLOW_HASH_H

#include <stdbool.h>
#include <stdint.h>

struct flow_wide { // 128 bits; compilers keep these two in registers, an __int128 made of 64 bits often not
	uint64_t low, high;
};

struct flow_secret {
	struct flow_wide pair[3][2], tunnel, plus;
};

static inline uint64_t flow_random(uint64_t *state) // splitmix64
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline struct flow_wide flow_random_wide(uint64_t *state)
{
	uint64_t low = flow_random(state);

	return (struct flow_wide){ low, flow_random(state) };
}

static inline struct flow_secret flow_secret(uint64_t seed)
{
	struct flow_secret secret;

	for (unsigned i = 0; i < 6; i++)
		secret.pair[i / 2][i % 2] = flow_random_wide(&seed);
	secret.tunnel = flow_random_wide(&seed);
	secret.plus = flow_random_wide(&seed);
	return secret;
}

static inline struct flow_wide flow_add(struct flow_wide a, struct flow_wide b)
{
	uint64_t low = a.low + b.low;

	return (struct flow_wide){ low, a.high + b.high + (low < b.low) };
}

static inline struct flow_wide flow_times(struct flow_wide a, struct flow_wide b)
{
	unsigned __int128 low = (unsigned __int128)a.low * b.low;

	return (struct flow_wide){ (uint64_t)low, (uint64_t)(low >> 64) + a.low * b.high + a.high * b.low };
}

static inline struct flow_wide flow_pair(const struct flow_wide secret[2], uint64_t first, uint64_t second)
{
	return flow_times(flow_add(secret[0], (struct flow_wide){ second, 0 }),
		flow_add(secret[1], (struct flow_wide){ first, 0 }));
}

static inline uint64_t flow_spread(const struct flow_secret *secret, struct flow_wide sum, uint32_t tunnel)
{
	uint64_t hash;

	sum = flow_add(sum, secret->plus);
	if (tunnel)
		sum = flow_add(sum, flow_times(secret->tunnel, (struct flow_wide){ tunnel, 0 }));
	hash = (sum.high ^ sum.high >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return hash ^ hash >> 32;
}

// `rest`: VLAN and protocol.
static inline uint64_t flow_hash4(const struct flow_secret *secret, uint32_t src, uint32_t dst, uint16_t src_port,
	uint16_t dst_port, uint32_t rest, uint32_t tunnel)
{
	uint64_t a = (uint64_t)src << 16 | src_port, b = (uint64_t)dst << 16 | dst_port;
	uint64_t turn = (a ^ b) & -(uint64_t)(a > b); // no branch: directions are random
	uint64_t low = a ^ turn, high = b ^ turn;

	low |= (uint64_t)(rest & 0xffff) << 48;
	high |= (uint64_t)(rest >> 16) << 48;
	return flow_spread(secret, flow_pair(secret->pair[0], low, high), tunnel);
}

static inline uint64_t flow_hash6(const struct flow_secret *secret, const uint64_t src[2], const uint64_t dst[2],
	uint16_t src_port, uint16_t dst_port, uint32_t rest, uint32_t tunnel)
{
	bool by_port = (src[1] > dst[1]) | ((src[1] == dst[1]) & (src_port > dst_port));
	uint64_t turn = -(uint64_t)((src[0] > dst[0]) | ((src[0] == dst[0]) & by_port)); // all ones or none
	uint64_t both[2] = { (src[0] ^ dst[0]) & turn, (src[1] ^ dst[1]) & turn };
	uint32_t ports_turn = (uint32_t)turn & (src_port ^ dst_port);
	uint64_t ports = (uint64_t)(src_port ^ ports_turn) << 16 | (dst_port ^ ports_turn);

	struct flow_wide low = flow_pair(secret->pair[0], src[0] ^ both[0], src[1] ^ both[1]);
	struct flow_wide high = flow_pair(secret->pair[1], dst[0] ^ both[0], dst[1] ^ both[1]);

	return flow_spread(secret, flow_add(flow_add(low, high), flow_pair(secret->pair[2], ports, rest)), tunnel);
}

#endif
