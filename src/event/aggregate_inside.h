// SPDX-License-Identifier: Apache-2.0
// A table of aggregates from inside.
#ifndef EVENT_AGGREGATE_INSIDE_H
#define EVENT_AGGREGATE_INSIDE_H

#include "event/aggregate.h"
#include "lib/hash.h"

enum {
	AGGREGATE_GROUP = 16,      // rows among which the least is looked for
	AGGREGATE_REGISTERS = 256, // of an estimate
	AGGREGATE_PAIRS = 16,      // places for values, for each row
};

// A value that has been seen for a row. Those of an earlier window, and of rows that have changed hands, are known by
// their birth.
struct aggregate_pair {
	uint64_t hash;
	uint32_t row, birth;
};

struct aggregate {
	struct aggregate_shape shape;
	struct hash_key hash;
	uint32_t count, hand, epoch;
	uint64_t floor; // the most that was in a row when it was given to another key
	uint32_t *slots; // epoch and row
	uint32_t slot_mask;
	char *keys;
	uint64_t *values, *errors;
	uint16_t *told;

	// of what is told apart
	uint32_t birth, first_birth; // of the row that was given out last; of the first of this window
	uint32_t *births;
	uint8_t *registers;
	bool *is_sketched;
	struct aggregate_pair *pairs;
	uint32_t pair_count, pair_mask;

	// of what is joined
	uint64_t *from; // by row: tables that know its key
	uint64_t floors[AGGREGATE_TABLES];
	uint32_t *row_of; // of what is joined to another: the row there
};

static inline uint64_t aggregate_sum(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

// aggregate_distinct.c
bool aggregate_note(struct aggregate *aggregate, uint32_t row, uint64_t hash); // without an estimate; false: no place
uint64_t aggregate_estimate(const struct aggregate *aggregate, uint32_t row);
void aggregate_be_estimated(struct aggregate *aggregate, uint32_t row); // from now on
static inline uint64_t aggregate_estimate_error(uint64_t estimate)
{
	return estimate / 6 + 1; // 2.58 times 1.04 / sqrt(256)
}

#endif
