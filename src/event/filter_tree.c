// SPDX-License-Identifier: Apache-2.0
// Making trees in canonical form: equal conditions become equal nodes, and what is plain from the
// text is decided here (never, always, one range instead of two). Children of `and` and `or` are
// sorted by key, which decides equality; the order in which a program tries them is its own matter.
#include "event/filter_tree.h"

#include <assert.h>
#include <stdlib.h>

// ---- nodes

const struct filter_node *filter_node_keyed(struct arena *arena, struct filter_node *node)
{
	node->key = filter_node_key(arena, node);
	return node;
}

struct filter_node *filter_node_new(struct arena *arena, enum filter_kind kind)
{
	struct filter_node *node = arena_new(arena, struct filter_node);

	node->kind = kind;
	return node;
}

const struct filter_node *filter_node_constant(struct arena *arena, bool holds)
{
	return filter_node_keyed(arena, filter_node_new(arena, holds ? FILTER_ALWAYS : FILTER_NEVER));
}

static bool is_of_every_packet(const struct filter_operand *operand)
{
	return operand->field->type == FIELD_PROTOCOL && operand->field->protocol == PROTO_FRAME &&
	       operand->field->kind == FIELD_DERIVED && operand->occurrence == 1;
}

const struct filter_node *filter_node_exists(struct arena *arena, const struct filter_reference *reference)
{
	struct filter_node *node = filter_node_new(arena, FILTER_EXISTS);

	for (unsigned i = 0; i < reference->count; i++)
		if (is_of_every_packet(&reference->operands[i]))
			return filter_node_constant(arena, true);
	node->reference = reference;
	node->cost = reference->count;
	return filter_node_keyed(arena, node);
}

static unsigned cost_of_ranges(const struct filter_node *node)
{
	unsigned columns = 0;

	for (unsigned i = 0; i < node->reference->count; i++) {
		const struct filter_operand *operand = &node->reference->operands[i];
		unsigned occurrences = operand->occurrence == FILTER_ANY ? DECODE_OCCURRENCES : 1;

		columns += occurrences * (operand->field->size + 2u);
	}
	return columns * (node->count > 4 ? 16 : node->count + node->all);
}

const struct filter_node *filter_node_ranges(struct arena *arena, const struct filter_reference *reference, bool all,
					     uint64_t mask, struct filter_range *ranges, unsigned count)
{
	filter_wide most = mask ? mask : reference->most;
	struct filter_node *node = filter_node_new(arena, FILTER_RANGES);

	count = filter_ranges_sort(ranges, count);
	while (count && ranges[count - 1].low > most)
		count--;
	if (!count)
		return filter_node_constant(arena, false);
	if (ranges[count - 1].high > most)
		ranges[count - 1].high = most;
	if (count == 1 && !ranges->low && ranges->high == most)
		return filter_node_exists(arena, reference);
	node->reference = reference;
	node->all = all && !reference->is_single;
	node->mask = mask;
	node->ranges = ranges;
	node->count = count;
	node->cost = cost_of_ranges(node);
	return filter_node_keyed(arena, node);
}

static unsigned cost_of_term(const struct filter_term *term)
{
	unsigned cost = 100;

	if (!term)
		return 0;
	for (unsigned i = 0; i < term->count; i++)
		cost += cost_of_term(term->terms[i]);
	return cost;
}

static int by_value(const void *a, const void *b)
{
	const struct filter_term *const *one = a, *const *other = b;
	const struct filter_datum *x = &(*one)->value, *y = &(*other)->value;
	uint32_t shorter = x->length < y->length ? x->length : y->length;
	int by_length = (x->length > y->length) - (x->length < y->length), order;

	if (!x->bytes || !y->bytes)
		return x->number == y->number	? (x->last > y->last) - (x->last < y->last)
			: x->number > y->number ? 1
						: -1;
	if (x->type != FIELD_STRING && by_length)
		return by_length;
	order = memcmp(x->bytes, y->bytes, shorter);
	return order ? order : by_length;
}

// A set of single constants is in the order in which they are compared (so that it can be searched), each once.
static void sort_items(struct filter_node *set)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < set->count; i++)
		if (set->items[2 * i] != set->items[2 * i + 1] || set->items[2 * i]->kind != TERM_CONSTANT)
			return;
	qsort(set->items, set->count, 2 * sizeof(*set->items), by_value);
	for (unsigned i = 0; i < set->count; i++) {
		if (kept && !by_value(&set->items[2 * kept - 2], &set->items[2 * i]))
			continue;
		set->items[2 * kept] = set->items[2 * kept + 1] = set->items[2 * i];
		kept++;
	}
	set->count = kept;
}

const struct filter_node *filter_node_relation(struct arena *arena, struct filter_node *relation)
{
	static const unsigned extra[RELATION_EXISTS + 1] = {
		[RELATION_CONTAINS] = 5000,
		[RELATION_MATCHES] = 50000,
		[RELATION_IN] = 500,
	};

	if (relation->relation == RELATION_IN)
		sort_items(relation);
	relation->kind = FILTER_RELATION;
	relation->cost = 1000 + cost_of_term(relation->left) + cost_of_term(relation->right) +
		extra[relation->relation];
	return filter_node_keyed(arena, relation);
}

const struct filter_node *filter_node_not(struct arena *arena, const struct filter_node *node)
{
	struct filter_node *negation;

	if (node->kind == FILTER_NEVER || node->kind == FILTER_ALWAYS)
		return filter_node_constant(arena, node->kind == FILTER_NEVER);
	if (node->kind == FILTER_NOT)
		return node->nodes[0];
	negation = filter_node_new(arena, FILTER_NOT);
	negation->nodes = arena_array(arena, const struct filter_node *, 1);
	negation->nodes[0] = node;
	negation->count = 1;
	negation->cost = node->cost + 1;
	return filter_node_keyed(arena, negation);
}

// ---- the whole

typedef LIST(struct filter_operand) operand_list;
typedef LIST(const struct filter_node *) node_list;

bool filter_is_same_operand(const struct filter_operand *a, const struct filter_operand *b)
{
	return a->field == b->field && a->kind == b->kind && a->occurrence == b->occurrence;
}

static void gather_reference(struct arena *arena, const struct filter_reference *reference, operand_list *to)
{
	for (unsigned i = 0; reference && i < reference->count; i++) {
		bool is_known = false;

		list_each (one, to)
			is_known |= filter_is_same_operand(one, &reference->operands[i]);
		if (!is_known)
			*list_add(arena, to) = reference->operands[i];
	}
}

static void gather_term(struct arena *arena, const struct filter_term *term, operand_list *to)
{
	if (!term)
		return;
	gather_reference(arena, term->reference, to);
	for (unsigned i = 0; i < term->count; i++)
		gather_term(arena, term->terms[i], to);
}

static void gather(struct arena *arena, const struct filter_node *node, operand_list *to)
{
	gather_reference(arena, node->reference, to);
	gather_term(arena, node->left, to);
	gather_term(arena, node->right, to);
	for (unsigned i = 0; node->nodes && i < node->count; i++)
		gather(arena, node->nodes[i], to);
	for (unsigned i = 0; node->items && i < 2 * node->count; i++)
		gather_term(arena, node->items[i], to);
}

static uint64_t hash_of(const char *key)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *key; key++)
		hash = (hash ^ (uint8_t)*key) * 0x100000001b3;
	return hash;
}

struct filter *filter_of(struct arena *arena, const struct filter_node *root)
{
	struct filter *filter = arena_new(arena, struct filter);
	operand_list operands = { 0 };

	gather(arena, root, &operands);
	filter->root = root;
	filter->operands = operands.at;
	filter->operand_count = operands.count;
	filter->hash = hash_of(root->key);
	return filter;
}

unsigned filter_operand_count(const struct filter *filter)
{
	return filter->operand_count;
}

const struct filter_operand *filter_operand_at(const struct filter *filter, unsigned index)
{
	assert(index < filter->operand_count);
	return &filter->operands[index];
}

bool filter_equal(const struct filter *a, const struct filter *b)
{
	return a->hash == b->hash && !strcmp(a->root->key, b->root->key);
}

uint64_t filter_hash(const struct filter *filter)
{
	return filter->hash;
}

bool filter_is_always(const struct filter *filter)
{
	return filter->root->kind == FILTER_ALWAYS;
}

const char *filter_text(struct arena *arena, const struct filter *filter)
{
	return filter_node_text(arena, filter->root);
}

// ---- packets and payloads

static bool needs_payload(struct arena *arena, const struct filter_node *node)
{
	operand_list operands = { 0 };

	gather(arena, node, &operands);
	list_each (operand, &operands)
		if (operand->field->kind == FIELD_OF_EVENT)
			return true;
	return false;
}

struct filter_parts filter_split(struct arena *arena, const struct filter *filter)
{
	const struct filter_node *const *nodes = &filter->root;
	unsigned count = 1;
	node_list parts[2] = { 0 };
	struct filter *made[2] = { 0 };

	if (filter->root->kind == FILTER_AND) {
		nodes = filter->root->nodes;
		count = filter->root->count;
	}
	for (unsigned i = 0; i < count; i++)
		*list_add(arena, &parts[needs_payload(arena, nodes[i])]) = nodes[i];
	for (unsigned i = 0; i < 2; i++)
		if (parts[i].count && !(count == 1 && nodes[0]->kind == FILTER_ALWAYS))
			made[i] = filter_of(arena, filter_node_join(arena, FILTER_AND, parts[i].at, parts[i].count));
	return (struct filter_parts){ .packet = made[0], .payload = made[1] };
}
