// SPDX-License-Identifier: Apache-2.0
// Keyed hash of short keys: words folded by 64x64 bit products with secret factors, the tail read
// so that it overlaps. Cheap on every x86-64 and without instructions that a v2 machine may lack.
#ifndef LIB_HASH_H
#define LIB_HASH_H

#include <stdint.h>
#include <string.h>

struct hash_key {
	uint64_t secret[4];
};

// A step of splitmix64: numbers without pattern from any seed.
static inline uint64_t hash_step(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static inline struct hash_key hash_key(uint64_t seed)
{
	struct hash_key key;

	for (unsigned i = 0; i < 4; i++)
		key.secret[i] = hash_step(&seed) | 1;
	return key;
}

static inline uint64_t hash_word(const void *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static inline uint32_t hash_half(const void *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// 1 to 7 bytes as a number; other lengths give other numbers because a table has one length
static inline uint64_t hash_short(const uint8_t *at, uint32_t size)
{
	if (size >= 4)
		return (uint64_t)hash_half(at) << 32 | hash_half(at + size - 4);
	return (uint64_t)at[0] << 16 | (uint64_t)at[size / 2] << 8 | at[size - 1];
}

static inline uint64_t hash(const struct hash_key *key, const void *bytes, uint32_t size)
{
	const uint64_t *secret = key->secret;
	const uint8_t *at = bytes;
	const uint8_t *last, *before;
	uint64_t state = secret[0];

	if (size < 8)
		return hash_fold(
			hash_fold(hash_short(at, size) ^ secret[1], state) ^ secret[2], secret[3]);

	last = at + size - 8;
	before = size > 16 ? last - 8 : at;
	for (; size > 16; size -= 16, at += 16)
		state = hash_fold(hash_word(at) ^ secret[1], hash_word(at + 8) ^ state);
	// the last 16 bytes, or all 8 to 16; what overlaps counts twice
	state = hash_fold(hash_word(before) ^ secret[2], hash_word(last) ^ state);
	return hash_fold(state ^ secret[1], secret[3]);
}

#endif
