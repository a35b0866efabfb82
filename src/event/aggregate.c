// SPDX-License-Identifier: Apache-2.0
#include "event/aggregate_inside.h"

#include <assert.h>
#include <stdlib.h>

enum { TRIES = 4,
	ROW_BITS = 16,
	LAST_EPOCH = (1 << 16) - 1 };
static_assert(AGGREGATE_ROWS == 1 << ROW_BITS);

// ---- making

static size_t slots_of(const struct aggregate_shape *shape)
{
	return 2 * (size_t)shape->rows;
}

size_t aggregate_memory(const struct aggregate_shape *shape)
{
	size_t row = shape->key_size + 2 * sizeof(uint64_t) + sizeof(uint16_t) + 2 * sizeof(uint32_t);

	if (shape->is_distinct)
		row += sizeof(uint32_t) + AGGREGATE_REGISTERS + sizeof(bool) +
			AGGREGATE_PAIRS * sizeof(struct aggregate_pair) + sizeof(uint32_t);
	if (shape->is_joined)
		row += sizeof(uint64_t);
	return sizeof(struct aggregate) + row * shape->rows;
}

static bool make_rows(struct aggregate *aggregate)
{
	size_t rows = aggregate->shape.rows;

	aggregate->slot_mask = (uint32_t)slots_of(&aggregate->shape) - 1;
	aggregate->slots = calloc(slots_of(&aggregate->shape), sizeof(*aggregate->slots));
	aggregate->keys = calloc(rows, aggregate->shape.key_size ? aggregate->shape.key_size : 1);
	aggregate->values = aligned_alloc(64, rows * sizeof(*aggregate->values));
	aggregate->errors = calloc(rows, sizeof(*aggregate->errors));
	aggregate->told = calloc(rows, sizeof(*aggregate->told));
	return aggregate->slots && aggregate->keys && aggregate->values && aggregate->errors && aggregate->told;
}

static bool make_distinct(struct aggregate *aggregate)
{
	size_t rows = aggregate->shape.rows;

	aggregate->pair_mask = (uint32_t)rows * AGGREGATE_PAIRS - 1;
	aggregate->births = calloc(rows, sizeof(*aggregate->births));
	aggregate->registers = calloc(rows, AGGREGATE_REGISTERS);
	aggregate->is_sketched = calloc(rows, sizeof(*aggregate->is_sketched));
	aggregate->pairs = calloc(rows * AGGREGATE_PAIRS, sizeof(*aggregate->pairs));
	aggregate->row_of = calloc(rows, sizeof(*aggregate->row_of));
	return aggregate->births && aggregate->registers && aggregate->is_sketched && aggregate->pairs &&
		aggregate->row_of;
}

struct aggregate *aggregate_create(const struct aggregate_shape *shape)
{
	struct aggregate *aggregate = calloc(1, sizeof(*aggregate));
	bool is_made;

	assert(shape->rows >= AGGREGATE_GROUP && shape->rows <= AGGREGATE_ROWS && !(shape->rows & (shape->rows - 1)));
	if (!aggregate)
		return NULL;
	aggregate->shape = *shape;
	aggregate->hash = hash_key(shape->seed);
	aggregate->epoch = 1;
	aggregate->first_birth = 1;
	is_made = make_rows(aggregate) && (!shape->is_distinct || make_distinct(aggregate));
	if (is_made && shape->is_joined)
		is_made = (aggregate->from = calloc(shape->rows, sizeof(*aggregate->from)));
	if (is_made)
		return aggregate;
	aggregate_destroy(aggregate);
	return NULL;
}

void aggregate_destroy(struct aggregate *aggregate)
{
	if (!aggregate)
		return;
	free(aggregate->slots);
	free(aggregate->keys);
	free(aggregate->values);
	free(aggregate->errors);
	free(aggregate->told);
	free(aggregate->births);
	free(aggregate->registers);
	free(aggregate->is_sketched);
	free(aggregate->pairs);
	free(aggregate->row_of);
	free(aggregate->from);
	free(aggregate);
}

// What is left in slots and places for values is of another epoch, or of an earlier birth.
void aggregate_clear(struct aggregate *aggregate)
{
	aggregate->count = aggregate->hand = 0;
	aggregate->floor = 0;
	if (++aggregate->epoch > LAST_EPOCH) {
		memset(aggregate->slots, 0, slots_of(&aggregate->shape) * sizeof(*aggregate->slots));
		aggregate->epoch = 1;
	}
	aggregate->pair_count = 0;
	aggregate->first_birth = aggregate->birth + 1;
	if (aggregate->shape.is_distinct && aggregate->birth > UINT32_MAX / 2) {
		memset(aggregate->pairs, 0, ((size_t)aggregate->pair_mask + 1) * sizeof(*aggregate->pairs));
		aggregate->birth = 0;
		aggregate->first_birth = 1;
	}
	memset(aggregate->floors, 0, sizeof(aggregate->floors));
}

// ---- rows by key

uint64_t aggregate_hash(const struct aggregate *aggregate, const void *key)
{
	return aggregate->shape.key_size ? hash(&aggregate->hash, key, aggregate->shape.key_size) : 0;
}

static uint32_t home_of(const struct aggregate *aggregate, uint64_t hash)
{
	return (uint32_t)(hash >> 20) & aggregate->slot_mask;
}

void aggregate_fetch(const struct aggregate *aggregate, uint64_t hash)
{
	__builtin_prefetch(&aggregate->slots[home_of(aggregate, hash)]);
}

const void *aggregate_key(const struct aggregate *aggregate, uint32_t row)
{
	return aggregate->keys + (size_t)row * aggregate->shape.key_size;
}

static bool is_used(const struct aggregate *aggregate, uint32_t slot)
{
	return aggregate->slots[slot] >> ROW_BITS == aggregate->epoch;
}

static uint32_t row_in(const struct aggregate *aggregate, uint32_t slot)
{
	return aggregate->slots[slot] & ((1u << ROW_BITS) - 1);
}

static bool is_of(const struct aggregate *aggregate, uint32_t row, const void *key)
{
	const char *own = aggregate_key(aggregate, row);

	if (aggregate->shape.key_size == 16)
		return hash_word(own) == hash_word(key) && hash_word(own + 8) == hash_word((const char *)key + 8);
	return !aggregate->shape.key_size || !memcmp(own, key, aggregate->shape.key_size);
}

// Where a key is, or where it would be.
static uint32_t find_slot(const struct aggregate *aggregate, const void *key, uint64_t hash)
{
	uint32_t slot = home_of(aggregate, hash);

	while (is_used(aggregate, slot) && !is_of(aggregate, row_in(aggregate, slot), key))
		slot = (slot + 1) & aggregate->slot_mask;
	return slot;
}

// Those behind it move up, as far as that brings them nearer to where they belong.
static void forget_slot(struct aggregate *aggregate, uint32_t slot)
{
	uint32_t mask = aggregate->slot_mask;

	for (uint32_t next = (slot + 1) & mask; is_used(aggregate, next); next = (next + 1) & mask) {
		const void *key = aggregate_key(aggregate, row_in(aggregate, next));
		uint32_t home = home_of(aggregate, aggregate_hash(aggregate, key));

		if (((next - home) & mask) < ((next - slot) & mask))
			continue;
		aggregate->slots[slot] = aggregate->slots[next];
		slot = next;
	}
	aggregate->slots[slot] = 0;
}

// ---- whose row is taken

static uint32_t least_of_group(const struct aggregate *aggregate, uint32_t group)
{
	uint32_t first = group * AGGREGATE_GROUP, least = first;

	for (uint32_t row = first + 1; row < first + AGGREGATE_GROUP; row++)
		if (aggregate->values[row] < aggregate->values[least])
			least = row;
	return least;
}

// The hand goes round, so that each group gives a row before one gives a second. In a group of great values nobody is
// the least: then others are asked.
static uint32_t victim_of(struct aggregate *aggregate)
{
	uint32_t groups = aggregate->shape.rows / AGGREGATE_GROUP, least = UINT32_MAX;

	for (unsigned i = 0; i < TRIES; i++) {
		uint32_t row = least_of_group(aggregate, aggregate->hand);

		aggregate->hand = (aggregate->hand + 1) & (groups - 1);
		if (least == UINT32_MAX || aggregate->values[row] < aggregate->values[least])
			least = row;
		if (aggregate->values[least] <= aggregate->floor)
			break;
	}
	return least;
}

// Neighbours in time are none in groups: those that come first are the ones that come most.
uint32_t aggregate_at(const struct aggregate *aggregate, uint32_t n)
{
	return (n * 40503u) & (aggregate->shape.rows - 1);
}

static uint32_t give_out(struct aggregate *aggregate)
{
	uint32_t row;
	const void *key;

	if (aggregate->count < aggregate->shape.rows)
		return aggregate_at(aggregate, aggregate->count++);
	row = victim_of(aggregate);
	key = aggregate_key(aggregate, row);
	if (aggregate->shape.is_joined && aggregate->shape.is_distinct)
		aggregate_be_estimated(aggregate, row); // its values have not come yet
	if (aggregate->values[row] > aggregate->floor)
		aggregate->floor = aggregate->values[row];
	forget_slot(aggregate, find_slot(aggregate, key, aggregate_hash(aggregate, key)));
	return row;
}

static uint32_t take_row(struct aggregate *aggregate, const void *key, uint64_t hash)
{
	uint32_t row = give_out(aggregate), slot = find_slot(aggregate, key, hash);

	aggregate->slots[slot] = aggregate->epoch << ROW_BITS | row;
	if (aggregate->shape.key_size)
		memcpy(aggregate->keys + (size_t)row * aggregate->shape.key_size, key, aggregate->shape.key_size);
	aggregate->values[row] = aggregate->errors[row] = aggregate->floor;
	aggregate->told[row] = 0;
	if (aggregate->shape.is_distinct) {
		aggregate->births[row] = ++aggregate->birth;
		aggregate->is_sketched[row] = false;
		memset(aggregate->registers + (size_t)row * AGGREGATE_REGISTERS, 0, AGGREGATE_REGISTERS);
	}
	if (aggregate->shape.is_joined)
		aggregate->from[row] = 0;
	return row;
}

uint32_t aggregate_row(struct aggregate *aggregate, const void *key, uint64_t hash)
{
	uint32_t slot = find_slot(aggregate, key, hash);

	return is_used(aggregate, slot) ? row_in(aggregate, slot) : take_row(aggregate, key, hash);
}

void aggregate_add(struct aggregate *aggregate, uint32_t row, uint64_t by)
{
	aggregate->values[row] = aggregate_sum(aggregate->values[row], by);
}

// ---- reading

uint32_t aggregate_count(const struct aggregate *aggregate)
{
	return aggregate->count;
}

uint16_t *aggregate_told(struct aggregate *aggregate, uint32_t row)
{
	return &aggregate->told[row];
}

uint64_t aggregate_unseen(const struct aggregate *aggregate)
{
	uint64_t unseen = aggregate->floor;

	for (unsigned i = 0; aggregate->shape.is_joined && i < AGGREGATE_TABLES; i++)
		unseen = aggregate_sum(unseen, aggregate->floors[i]);
	return unseen;
}

// Tables that have no row for the key may have had as much as their least.
static void add_unseen(const struct aggregate *aggregate, uint32_t row, struct aggregate_value *value)
{
	for (unsigned i = 0; i < AGGREGATE_TABLES; i++) {
		if (aggregate->from[row] >> i & 1)
			continue;
		value->value = aggregate_sum(value->value, aggregate->floors[i]);
		value->error = aggregate_sum(value->error, aggregate->floors[i]);
	}
}

struct aggregate_value aggregate_read(const struct aggregate *aggregate, uint32_t row)
{
	struct aggregate_value value = { .value = aggregate->values[row], .error = aggregate->errors[row] };

	if (aggregate->shape.is_joined)
		add_unseen(aggregate, row, &value);
	if (aggregate->shape.is_distinct && aggregate->is_sketched[row])
		value.error = aggregate_sum(value.error, aggregate_estimate_error(value.value - value.error));
	value.least = value.value > value.error ? value.value - value.error : 0;
	return value;
}
