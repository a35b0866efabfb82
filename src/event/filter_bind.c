// SPDX-License-Identifier: Apache-2.0
// From tree to program: where each operand's columns are, which loop does it, what is tried first.
#include "event/filter_program.h"

#include <stdlib.h>

struct binding {
	struct arena *arena;
	filter_bind_place *place;
	void *context;
};

typedef LIST(struct filter_column) column_list;

static void bind_occurrence(const struct binding *binding, const struct filter_operand *operand, uint8_t occurrence,
			    column_list *columns)
{
	struct filter_place place = { 0 };

	if (!binding->place || !binding->place(binding->context, operand, occurrence, &place))
		return;
	*list_add(binding->arena, columns) = (struct filter_column){
		.field = operand->field,
		.kind = operand->kind,
		.size = operand->field->size,
		.has = place.has,
		.at = place.at,
		.base = place.base,
		.end = place.end,
	};
}

static struct filter_bound bind_reference(const struct binding *binding, const struct filter_reference *reference)
{
	column_list columns = { 0 };

	for (unsigned i = 0; i < reference->count; i++) {
		const struct filter_operand *operand = &reference->operands[i];

		if (operand->field->kind == FIELD_OF_EVENT)
			continue;
		if (operand->occurrence != FILTER_ANY)
			bind_occurrence(binding, operand, operand->occurrence, &columns);
		else
			for (uint8_t occurrence = 1; occurrence <= DECODE_OCCURRENCES; occurrence++)
				bind_occurrence(binding, operand, occurrence, &columns);
	}
	return (struct filter_bound){ .reference = reference, .columns = columns.at, .count = columns.count };
}

static struct filter_term *bind_term(const struct binding *binding, const struct filter_term *term)
{
	struct filter_term *copy = arena_new(binding->arena, struct filter_term);
	struct filter_bound *bound;

	*copy = *term;
	if (term->kind == TERM_FIELD) {
		bound = arena_new(binding->arena, struct filter_bound);
		*bound = bind_reference(binding, term->reference);
		copy->bound = bound;
	}
	copy->terms = arena_array(binding->arena, struct filter_term *, term->count + 1);
	for (unsigned i = 0; i < term->count; i++)
		copy->terms[i] = bind_term(binding, term->terms[i]);
	return copy;
}

static int by_cost(const void *a, const void *b)
{
	const struct filter_step *const *one = a, *const *other = b;
	int order = ((*one)->node->cost > (*other)->node->cost) - ((*one)->node->cost < (*other)->node->cost);

	return order ? order : strcmp((*one)->node->key, (*other)->node->key);
}

// All numbers of one or two bytes as bits, where there are many ranges of them.
static const uint64_t *bitmap_of(const struct binding *binding, const struct filter_node *node)
{
	uint64_t *bits;

	if (node->count <= FILTER_RANGES_TRIED || node->reference->most > UINT16_MAX)
		return NULL;
	bits = arena_array(binding->arena, uint64_t, (UINT16_MAX + 1) / 64);
	for (unsigned i = 0; i < node->count; i++)
		for (filter_wide number = node->ranges[i].low; number <= node->ranges[i].high; number++)
			bits[number / 64] |= UINT64_C(1) << number % 64;
	return bits;
}

static bool is_searchable(const struct filter_node *node)
{
	if (!node->items || node->count <= FILTER_RANGES_TRIED)
		return false;
	for (unsigned i = 0; i < node->count; i++) {
		const struct filter_term *item = node->items[2 * i];

		if (item != node->items[2 * i + 1] || item->kind != TERM_CONSTANT || !item->value.bytes)
			return false;
	}
	return true;
}

static const struct filter_step *bind_node(const struct binding *binding, const struct filter_node *node);

static void bind_children(const struct binding *binding, const struct filter_node *node, struct filter_step *step)
{
	step->count = node->count;
	step->steps = arena_array(binding->arena, const struct filter_step *, node->count);
	for (unsigned i = 0; i < node->count; i++)
		step->steps[i] = bind_node(binding, node->nodes[i]);
	qsort(step->steps, step->count, sizeof(*step->steps), by_cost);
}

static void bind_relation(const struct binding *binding, const struct filter_node *node, struct filter_step *step)
{
	step->left = bind_term(binding, node->left);
	step->right = node->right ? bind_term(binding, node->right) : NULL;
	if (!node->items)
		return;
	step->count = node->count;
	step->items = arena_array(binding->arena, const struct filter_term *, 2 * node->count);
	for (unsigned i = 0; i < 2 * node->count; i++)
		step->items[i] = i % 2 && node->items[i] == node->items[i - 1] ? step->items[i - 1] :
										 bind_term(binding, node->items[i]);
	step->is_searchable = is_searchable(node);
}

static const struct filter_step *bind_node(const struct binding *binding, const struct filter_node *node)
{
	static filter_step_run *const runs[] = {
		[FILTER_NEVER] = filter_run_constant, [FILTER_ALWAYS] = filter_run_constant,
		[FILTER_EXISTS] = filter_run_exists,  [FILTER_RANGES] = filter_run_ranges,
		[FILTER_RELATION] = filter_run_relation, [FILTER_NOT] = filter_run_not,
		[FILTER_AND] = filter_run_and,	      [FILTER_OR] = filter_run_or,
	};
	struct filter_step *step = arena_new(binding->arena, struct filter_step);

	step->node = node;
	step->run = runs[node->kind];
	if (node->nodes)
		bind_children(binding, node, step);
	if (node->reference)
		step->bound = bind_reference(binding, node->reference);
	if (node->kind == FILTER_RANGES)
		step->bitmap = bitmap_of(binding, node);
	if (node->kind == FILTER_RELATION)
		bind_relation(binding, node, step);
	return step;
}

struct filter_program *filter_bind(
	struct arena *arena, const struct filter *filter, filter_bind_place *bind, void *context)
{
	struct binding binding = { .arena = arena, .place = bind, .context = context };
	struct filter_program *program = arena_new(arena, struct filter_program);

	program->root = bind_node(&binding, filter->root);
	return program;
}
