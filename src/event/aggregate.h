// SPDX-License-Identifier: Apache-2.0
// What is counted, summed or told apart of a window's events, by key: a table of one worker. It is bounded, allocates
// nothing once made, and cannot fail.
//
// While all keys have a row, and of what is told apart all values have a place, it is exact. Then the key of the least
// value gives its row to a new key, which starts with that value as its possible error (Space-Saving: of all that has
// gone through a table of n rows, no key is off by more than one n-th); and a row whose values find no place is
// estimated (HyperLogLog).
#ifndef EVENT_AGGREGATE_H
#define EVENT_AGGREGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	AGGREGATE_TABLES = 64,    // that are joined
	AGGREGATE_TELLINGS = 16,  // bits of a row that are the caller's
	AGGREGATE_ROWS = 1 << 16, // at most
};

struct aggregate_shape {
	uint32_t key_size; // bytes; 0: there is one key
	uint32_t rows;     // a power of two, from 16 on
	bool is_distinct;  // values are told apart
	bool is_joined;    // of other tables
	uint64_t seed;
};

struct aggregate;

struct aggregate *aggregate_create(const struct aggregate_shape *shape); // NULL: no memory
void aggregate_destroy(struct aggregate *aggregate);                     // NULL is fine
size_t aggregate_memory(const struct aggregate_shape *shape);
void aggregate_clear(struct aggregate *aggregate); // at once, however many rows there are

// ---- into it

uint64_t aggregate_hash(const struct aggregate *aggregate, const void *key);
void aggregate_fetch(const struct aggregate *aggregate, uint64_t hash); // it will be asked for soon
// The row of a key: of its own, or from now on.
uint32_t aggregate_row(struct aggregate *aggregate, const void *key, uint64_t hash);
void aggregate_add(struct aggregate *aggregate, uint32_t row, uint64_t by); // stops at the greatest number
// Told apart by a hash of 64 bits without pattern: two values of a million are one with a chance of 1 in 10^7.
void aggregate_mark(struct aggregate *aggregate, uint32_t row, uint64_t hash);

// ---- out of it

struct aggregate_value {
	// It is at most so much too large; what is estimated is off by no more in 99 of 100 cases.
	uint64_t value, error;
	uint64_t least;        // what it surely is
};
uint32_t aggregate_count(const struct aggregate *aggregate);
uint32_t aggregate_at(const struct aggregate *aggregate, uint32_t n); // the row that was given out as the n-th
const void *aggregate_key(const struct aggregate *aggregate, uint32_t row);
struct aggregate_value aggregate_read(const struct aggregate *aggregate, uint32_t row);
uint16_t *aggregate_told(struct aggregate *aggregate, uint32_t row); // zero when the row is given out
// What a key that has no row may have had; 0: all have one.
uint64_t aggregate_unseen(const struct aggregate *aggregate);

// ---- several into one

struct aggregate_join {
	struct aggregate *to; // is_joined, of the same shape otherwise, and of the same seed
	struct aggregate *from;
	unsigned number; // of `from` among those that are joined
	uint32_t row, pair; // from 0
};
// Goes on with about `most` rows; true: that was all.
bool aggregate_join(struct aggregate_join *join, uint32_t most);

#endif
