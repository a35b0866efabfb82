// SPDX-License-Identifier: Apache-2.0
// What is left of a filter when only some of its fields are known.
#include "event/filter_tree.h"

static bool is_all_known(struct arena *arena, const struct filter_node *node, filter_is_known *is_known)
{
	const struct filter *alone = filter_of(arena, node);

	for (unsigned i = 0; i < alone->operand_count; i++)
		if (!is_known(&alone->operands[i]))
			return false;
	return true;
}

// NULL: it may hold for anything.
static const struct filter_node *weaken(struct arena *arena, const struct filter_node *node, filter_is_known *is_known)
{
	const struct filter_node **kept;
	unsigned count = 0;

	if (node->kind != FILTER_AND && node->kind != FILTER_OR)
		return node->kind != FILTER_ALWAYS && is_all_known(arena, node, is_known) ? node : NULL;
	kept = arena_array(arena, const struct filter_node *, node->count);
	for (unsigned i = 0; i < node->count; i++) {
		kept[count] = weaken(arena, node->nodes[i], is_known);
		if (!kept[count] && node->kind == FILTER_OR)
			return NULL;
		count += kept[count] != NULL;
	}
	return count ? filter_node_join(arena, node->kind, kept, count) : NULL;
}

struct filter *filter_weaken(struct arena *arena, const struct filter *filter, filter_is_known *is_known)
{
	const struct filter_node *root = filter ? weaken(arena, filter->root, is_known) : NULL;

	return root ? filter_of(arena, root) : NULL;
}

struct filter *filter_both(struct arena *arena, struct filter *a, struct filter *b)
{
	if (!a || !b)
		return a ? a : b;
	return filter_of(arena,
		filter_node_join(arena, FILTER_AND, (const struct filter_node *[]){ a->root, b->root }, 2));
}
