// SPDX-License-Identifier: Apache-2.0
// `and` and `or` in canonical form: flat, sorted by key, each condition once; conditions on the same field become one
// where that says the same.
#include "event/filter_tree.h"

#include <assert.h>
#include <stdlib.h>

typedef LIST(const struct filter_node *) node_list;

static int by_key(const void *a, const void *b)
{
	const struct filter_node *const *one = a, *const *other = b;

	return strcmp((*one)->key, (*other)->key);
}

static void flatten(struct arena *arena, enum filter_kind kind, const struct filter_node *const *nodes, unsigned count,
		    node_list *to)
{
	for (unsigned i = 0; i < count; i++) {
		if (nodes[i]->kind == kind)
			flatten(arena, kind, nodes[i]->nodes, nodes[i]->count, to);
		else
			*list_add(arena, to) = nodes[i];
	}
}

static bool is_same_reference(const struct filter_reference *a, const struct filter_reference *b)
{
	if (a->count != b->count)
		return false;
	for (unsigned i = 0; i < a->count; i++)
		if (!filter_is_same_operand(&a->operands[i], &b->operands[i]))
			return false;
	return true;
}

static bool is_same_ranges(const struct filter_node *a, const struct filter_node *b)
{
	return a->count == b->count && !memcmp(a->ranges, b->ranges, a->count * sizeof(*a->ranges));
}

static int by_name(const void *a, const void *b)
{
	const struct filter_operand *one = a, *other = b;
	int order = strcmp(one->field->name, other->field->name);

	return order ? order : one->occurrence - other->occurrence;
}

static const struct filter_reference *unite(struct arena *arena, const struct filter_reference *a,
					    const struct filter_reference *b)
{
	struct filter_reference *both = arena_new(arena, struct filter_reference);
	struct filter_operand *operands = arena_array(arena, struct filter_operand, a->count + b->count);
	unsigned kept = 0;

	memcpy(operands, a->operands, a->count * sizeof(*operands));
	memcpy(operands + a->count, b->operands, b->count * sizeof(*operands));
	qsort(operands, a->count + b->count, sizeof(*operands), by_name);
	for (unsigned i = 0; i < a->count + b->count; i++)
		if (!kept || !filter_is_same_operand(&operands[kept - 1], &operands[i]))
			operands[kept++] = operands[i];
	*both = *a;
	both->operands = operands;
	both->count = kept;
	both->is_single = false;
	both->most = a->most > b->most ? a->most : b->most;
	both->name = NULL;
	if (is_same_reference(both, a))
		both->name = a->name;
	else if (is_same_reference(both, b))
		both->name = b->name;
	return both;
}

// One node that says what two say, or NULL. For `or`: any of a in R or any of a in S; any of a in R or any of b in R.
// For `and`, with one value or all values: in R and in S.
static const struct filter_node *merge(struct arena *arena, enum filter_kind kind, const struct filter_node *a,
				       const struct filter_node *b)
{
	struct filter_range *ranges;
	unsigned count = 0;

	if (a->kind == FILTER_EXISTS && b->kind == FILTER_EXISTS && kind == FILTER_OR &&
	    a->reference->count + b->reference->count <= FILTER_OPERANDS)
		return filter_node_exists(arena, unite(arena, a->reference, b->reference));
	if (a->kind != FILTER_RANGES || b->kind != FILTER_RANGES || a->mask != b->mask ||
		a->count + b->count > FILTER_MERGED)
		return NULL;
	if (is_same_reference(a->reference, b->reference) && a->all == b->all) {
		ranges = arena_array(arena, struct filter_range, a->count + b->count + 1);
		if (kind == FILTER_OR && !a->all) {
			memcpy(ranges, a->ranges, a->count * sizeof(*ranges));
			memcpy(ranges + a->count, b->ranges, b->count * sizeof(*ranges));
			count = a->count + b->count;
		} else if (kind == FILTER_AND && (a->all || a->reference->is_single)) {
			count = filter_ranges_intersect(a, b, ranges);
		} else {
			return NULL;
		}
		return filter_node_ranges(arena, a->reference, a->all, a->mask, ranges, count);
	}
	if (kind == FILTER_OR && !a->all && !b->all && a->reference->type == b->reference->type &&
		is_same_ranges(a, b) &&
		a->reference->count + b->reference->count <= FILTER_OPERANDS &&
		a->reference->most == b->reference->most)
		return filter_node_ranges(arena, unite(arena, a->reference, b->reference), false, a->mask,
					  memcpy(arena_array(arena, struct filter_range, a->count + 1), a->ranges,
						 a->count * sizeof(*a->ranges)),
					  a->count);
	return NULL;
}

// Of many nodes the same condition is often asked of the same field: only the last 16 are tried, to stay linear.
static void add_merged(struct arena *arena, enum filter_kind kind, const struct filter_node *node, node_list *to)
{
	for (unsigned i = to->count; i-- > 0 && i + 16 >= to->count;) {
		const struct filter_node *one = merge(arena, kind, to->at[i], node);

		if (!one)
			continue;
		to->at[i] = to->at[--to->count];
		if (one->kind == kind)
			*list_add(arena, to) = one;
		else
			add_merged(arena, kind, one, to);
		return;
	}
	*list_add(arena, to) = node;
}

const struct filter_node *filter_node_join(struct arena *arena, enum filter_kind kind,
	const struct filter_node *const *nodes, unsigned count)
{
	enum filter_kind absorbs = kind == FILTER_AND ? FILTER_NEVER : FILTER_ALWAYS;
	enum filter_kind vanishes = kind == FILTER_AND ? FILTER_ALWAYS : FILTER_NEVER;
	node_list flat = { 0 }, merged = { 0 };
	struct filter_node *node;
	unsigned kept = 0;

	assert(kind == FILTER_AND || kind == FILTER_OR);
	flatten(arena, kind, nodes, count, &flat);
	if (flat.count)
		qsort(flat.at, flat.count, sizeof(*flat.at), by_key);
	list_each (one, &flat)
		add_merged(arena, kind, *one, &merged);
	if (merged.count)
		qsort(merged.at, merged.count, sizeof(*merged.at), by_key);
	node = filter_node_new(arena, kind);
	node->nodes = merged.at;
	list_each (one, &merged) {
		if ((*one)->kind == absorbs)
			return *one;
		if ((*one)->kind == vanishes || (kept && !strcmp(node->nodes[kept - 1]->key, (*one)->key)))
			continue;
		node->nodes[kept++] = *one;
		node->cost += (*one)->cost;
	}
	node->count = kept;
	if (!kept)
		return filter_node_constant(arena, kind == FILTER_AND);
	return kept == 1 ? node->nodes[0] : filter_node_keyed(arena, node);
}
