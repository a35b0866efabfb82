// SPDX-License-Identifier: Apache-2.0
// Programs on vectors. Each step gets the slots that still matter and says which of them match; what is stale in other
// slots is computed with, where that is faster, and masked away, but never used as an index or a length.
#include "event/filter_program.h"

static weir_mask mask_at(struct vector *vector, uint32_t at)
{
	return *vector_mask(vector, at);
}

weir_mask filter_run_constant(const struct filter_step *step, struct vector *, weir_mask in)
{
	return step->node->kind == FILTER_ALWAYS ? in : 0;
}

weir_mask filter_run_exists(const struct filter_step *step, struct vector *vector, weir_mask in)
{
	weir_mask has = 0;

	for (unsigned i = 0; i < step->bound.count; i++)
		has |= mask_at(vector, step->bound.columns[i].has);
	return in & has;
}

weir_mask filter_run_not(const struct filter_step *step, struct vector *vector, weir_mask in)
{
	return in & ~step->steps[0]->run(step->steps[0], vector, in);
}

weir_mask filter_run_and(const struct filter_step *step, struct vector *vector, weir_mask in)
{
	for (unsigned i = 0; in && i < step->count; i++)
		in = step->steps[i]->run(step->steps[i], vector, in);
	return in;
}

weir_mask filter_run_or(const struct filter_step *step, struct vector *vector, weir_mask in)
{
	weir_mask left = in;

	for (unsigned i = 0; left && i < step->count; i++)
		left &= ~step->steps[i]->run(step->steps[i], vector, left);
	return in & ~left;
}

// ---- ranges

static bool search(const struct filter_range *ranges, unsigned count, filter_wide number)
{
	while (count > 1) {
		unsigned half = count / 2;

		ranges += ranges[half].low <= number ? half : 0;
		count -= half;
	}
	return number >= ranges->low && number <= ranges->high;
}

bool filter_has_number(const struct filter_step *step, filter_wide number)
{
	const struct filter_node *node = step->node;

	if (node->mask)
		number &= node->mask;
	if (step->bitmap)
		return number <= UINT16_MAX && (step->bitmap[number / 64] >> number % 64 & 1);
	return search(node->ranges, node->count, number);
}

static weir_mask one_by_one(const struct filter_step *step, const struct filter_column *column,
	const void *values, weir_mask in)
{
	weir_mask hits = 0;

	if (column->size == 16) {
		weir_each (slot, in)
			hits |= (weir_mask)filter_has_number(step, filter_column_addr(values, (unsigned)slot)) << slot;
		return hits;
	}
	weir_each (slot, in)
		hits |= (weir_mask)filter_has_number(
				step, filter_column_at(values, column->size, (unsigned)slot))
			<< slot;
	return hits;
}

// The plain case, one range of a number: no 128 bits, no calls.
static weir_mask few(const struct filter_node *node, const struct filter_column *column,
	const void *values, weir_mask in)
{
	uint64_t bits = node->mask ? node->mask : UINT64_MAX, low = (uint64_t)node->ranges[0].low;
	uint64_t span = (uint64_t)node->ranges[0].high - low;
	weir_mask hits = 0;

	weir_each (slot, in)
		hits |= (weir_mask)((filter_column_at(values, column->size, (unsigned)slot) &
					    bits) -
					low <=
				span)
			<< slot;
	return hits;
}

static weir_mask all_at_once(const struct filter_node *node, const struct filter_column *column, const void *values)
{
	uint64_t bits = node->mask ? node->mask : UINT64_MAX;
	weir_mask hits = 0;

	for (unsigned i = 0; i < node->count; i++) {
		uint64_t low = (uint64_t)node->ranges[i].low, span = (uint64_t)node->ranges[i].high - low;

		if (node->ranges[i].low > (UINT64_MAX >> (64 - 8 * column->size)))
			break; // an alias of fields of several widths: no such number in this one
		if (node->ranges[i].high > (UINT64_MAX >> (64 - 8 * column->size)))
			span = (UINT64_MAX >> (64 - 8 * column->size)) - low;
		hits |= filter_column_kernel(column->size, !span)(values, bits, low, span);
	}
	return hits;
}

static weir_mask flags(const struct filter_node *node, weir_mask set)
{
	weir_mask hits = 0;

	for (unsigned i = 0; i < node->count; i++)
		hits |= (node->ranges[i].low == 0 ? ~set : 0) | (node->ranges[i].high >= 1 ? set : 0);
	return hits;
}

static weir_mask column_hits(const struct filter_step *step, const struct filter_column *column, struct vector *vector,
			     weir_mask in)
{
	const struct filter_node *node = step->node;
	const void *values = vector_column(vector, column->at);

	if (column->field->type == FIELD_BOOL)
		return in & flags(node, mask_at(vector, column->at));
	if (column->size == 16 || node->count > FILTER_RANGES_TRIED)
		return one_by_one(step, column, values, in);
	if (weir_size(in) > FILTER_FEW)
		return in & all_at_once(node, column, values);
	return node->count == 1 ? few(node, column, values, in) : one_by_one(step, column, values, in);
}

static weir_mask every_column(const struct filter_step *step, struct vector *vector, weir_mask in)
{
	weir_mask present = 0;

	for (unsigned i = 0; in && i < step->bound.count; i++) {
		const struct filter_column *column = &step->bound.columns[i];
		weir_mask has = in & mask_at(vector, column->has);

		if (!has)
			continue;
		present |= has;
		in &= ~(has & ~column_hits(step, column, vector, has));
	}
	return in & present;
}

weir_mask filter_run_ranges(const struct filter_step *step, struct vector *vector, weir_mask in)
{
	weir_mask left = in;

	if (step->node->all)
		return every_column(step, vector, in);
	for (unsigned i = 0; left && i < step->bound.count; i++) {
		const struct filter_column *column = &step->bound.columns[i];
		weir_mask has = left & mask_at(vector, column->has);

		if (has)
			left &= ~column_hits(step, column, vector, has);
	}
	return in & ~left;
}

// ---- everything else, one by one

weir_mask filter_run_relation(const struct filter_step *step, struct vector *vector, weir_mask in)
{
	struct filter_scene scene;
	weir_mask hits = 0;

	scene.vector = vector;
	scene.lookup = NULL;
	weir_each (slot, in) {
		scene.slot = (unsigned)slot;
		scene.used = 0;
		scene.joined = 0;
		hits |= (weir_mask)filter_relation_holds(step, &scene) << slot;
	}
	return hits;
}

weir_mask filter_run(const struct filter_program *program, struct vector *vector, weir_mask in)
{
	return in ? program->root->run(program->root, vector, in) : 0;
}
