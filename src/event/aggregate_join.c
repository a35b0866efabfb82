// SPDX-License-Identifier: Apache-2.0
// Tables of several workers become one: first their rows, then, of what is told apart, the values that have a place.
#include "event/aggregate_inside.h"

static void join_registers(struct aggregate *to, uint32_t row, const struct aggregate *from, uint32_t other)
{
	uint8_t *into = to->registers + (size_t)row * AGGREGATE_REGISTERS;
	const uint8_t *of = from->registers + (size_t)other * AGGREGATE_REGISTERS;

	for (unsigned i = 0; i < AGGREGATE_REGISTERS; i++)
		into[i] = into[i] > of[i] ? into[i] : of[i];
}

// What is counted twice in it is found out by the values themselves.
static void join_distinct(struct aggregate *to, uint32_t row, struct aggregate *from, uint32_t other)
{
	to->errors[row] = aggregate_sum(to->errors[row], from->errors[other]);
	to->values[row] = aggregate_sum(to->values[row], from->errors[other]);
	join_registers(to, row, from, other);
	from->row_of[other] = row;
	if (from->is_sketched[other] || to->is_sketched[row])
		aggregate_be_estimated(to, row);
}

static void join_row(struct aggregate_join *join, uint32_t other)
{
	struct aggregate *to = join->to, *from = join->from;
	const void *key = aggregate_key(from, other);
	uint32_t row = aggregate_row(to, key, aggregate_hash(to, key));

	to->from[row] |= (uint64_t)1 << join->number;
	to->told[row] |= from->told[other];
	if (from->shape.is_distinct) {
		join_distinct(to, row, from, other);
		return;
	}
	to->values[row] = aggregate_sum(to->values[row], from->values[other]);
	to->errors[row] = aggregate_sum(to->errors[row], from->errors[other]);
}

static void join_pair(struct aggregate *to, const struct aggregate *from, const struct aggregate_pair *pair)
{
	uint32_t row;

	if (pair->birth < from->first_birth || from->births[pair->row] != pair->birth)
		return;
	row = from->row_of[pair->row];
	if (memcmp(aggregate_key(to, row), aggregate_key(from, pair->row), to->shape.key_size))
		return; // another key has it now
	if (!to->is_sketched[row] && !aggregate_note(to, row, pair->hash))
		aggregate_be_estimated(to, row);
}

bool aggregate_join(struct aggregate_join *join, uint32_t most)
{
	struct aggregate *from = join->from;
	uint32_t pairs = from->shape.is_distinct && from->pair_count ? from->pair_mask + 1 : 0;

	join->to->floors[join->number] = from->floor;
	for (; most && join->row < from->count; most--)
		join_row(join, aggregate_at(from, join->row++));
	for (; most && join->pair < pairs; most--)
		join_pair(join->to, from, &from->pairs[join->pair++]);
	return join->row == from->count && join->pair == pairs;
}
