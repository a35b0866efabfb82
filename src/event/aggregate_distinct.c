// SPDX-License-Identifier: Apache-2.0
// How many different values a key has: counted while each finds a place, else estimated. Registers are kept from the
// first value on, so that an estimate knows all of them.
#include "event/aggregate_inside.h"

#include <assert.h>
#include <math.h>

enum { INDEX_BITS = 8,
	RANKS = 64 - INDEX_BITS + 2 }; // 0: no value; the last: all bits are zero
static_assert(1 << INDEX_BITS == AGGREGATE_REGISTERS);

// ---- places for values

static bool is_current(const struct aggregate *aggregate, const struct aggregate_pair *pair)
{
	return pair->birth >= aggregate->first_birth;
}

// NULL: they are all in use, and it is in none of them.
static struct aggregate_pair *find_pair(const struct aggregate *aggregate, uint32_t row, uint64_t hash)
{
	uint32_t birth = aggregate->births[row];
	uint32_t at = (uint32_t)(hash_fold(hash, UINT64_C(0x9e3779b97f4a7c15) * (birth | 1ul << 32)) >> 16);

	for (at &= aggregate->pair_mask;; at = (at + 1) & aggregate->pair_mask) {
		struct aggregate_pair *pair = &aggregate->pairs[at];

		if (!is_current(aggregate, pair))
			return aggregate->pair_count < aggregate->pair_mask / 4 * 3 ? pair : NULL;
		if (pair->hash == hash && pair->row == row && pair->birth == birth)
			return pair;
	}
}

bool aggregate_note(struct aggregate *aggregate, uint32_t row, uint64_t hash)
{
	struct aggregate_pair *pair = find_pair(aggregate, row, hash);

	if (!pair)
		return false;
	if (is_current(aggregate, pair))
		return true;
	*pair = (struct aggregate_pair){ hash, row, aggregate->births[row] };
	aggregate->pair_count++;
	aggregate->values[row]++;
	return true;
}

// ---- estimates. O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017: without bias from no
// value to 2^64 of them, without tables.

static double sigma(double x)
{
	double y = 1, sum = x, before;

	if (x == 1)
		return INFINITY;
	do {
		x *= x;
		before = sum;
		sum += x * y;
		y += y;
	} while (sum != before);
	return sum;
}

static double tau(double x)
{
	double y = 1, sum = 1 - x, before;

	if (x == 0 || x == 1)
		return 0;
	do {
		x = sqrt(x);
		before = sum;
		y /= 2;
		sum -= (1 - x) * (1 - x) * y;
	} while (sum != before);
	return sum / 3;
}

uint64_t aggregate_estimate(const struct aggregate *aggregate, uint32_t row)
{
	const uint8_t *registers = aggregate->registers + (size_t)row * AGGREGATE_REGISTERS;
	unsigned of_rank[RANKS] = { 0 };
	double sum, m = AGGREGATE_REGISTERS;

	for (unsigned i = 0; i < AGGREGATE_REGISTERS; i++)
		of_rank[registers[i]]++;
	sum = m * tau(1 - of_rank[RANKS - 1] / m);
	for (unsigned rank = RANKS - 2; rank; rank--)
		sum = (sum + of_rank[rank]) / 2;
	sum += m * sigma(of_rank[0] / m);
	return isinf(sum) ? 0 : (uint64_t)(m * m / (2 * M_LN2 * sum) + 0.5);
}

void aggregate_be_estimated(struct aggregate *aggregate, uint32_t row)
{
	uint64_t estimate = aggregate_sum(aggregate->errors[row], aggregate_estimate(aggregate, row));

	aggregate->is_sketched[row] = true;
	if (estimate > aggregate->values[row])
		aggregate->values[row] = estimate;
}

// True: it makes a difference.
static bool set_register(struct aggregate *aggregate, uint32_t row, uint64_t hash)
{
	uint8_t *at = aggregate->registers + (size_t)row * AGGREGATE_REGISTERS + (hash & (AGGREGATE_REGISTERS - 1));
	uint64_t rest = hash >> INDEX_BITS;
	uint8_t rank = (uint8_t)(rest ? __builtin_ctzll(rest) + 1 : RANKS - 1);

	if (rank <= *at)
		return false;
	*at = rank;
	return true;
}

void aggregate_mark(struct aggregate *aggregate, uint32_t row, uint64_t hash)
{
	bool is_estimated = aggregate->is_sketched[row], is_other = set_register(aggregate, row, hash);

	if (!is_estimated && aggregate_note(aggregate, row, hash))
		return;
	if (!is_estimated || is_other)
		aggregate_be_estimated(aggregate, row);
}
