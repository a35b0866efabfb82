// SPDX-License-Identifier: Apache-2.0
// Making trees in canonical form: equal conditions become equal nodes, and what is plain from the text is decided here
// (never, always, one range instead of two). Children of `and` and `or` are sorted by key, which decides equality; the order in
// which a program tries them is its own matter.
#include "event/filter_tree.h"

#include <assert.h>
#include <stdlib.h>

// ---- ranges

static int by_low(const void *a, const void *b)
{
	const struct filter_range *one = a, *other = b;

	return (one->low > other->low) - (one->low < other->low);
}

unsigned filter_ranges_sort(struct filter_range *ranges, unsigned count)
{
	unsigned kept = 0;

	if (!count)
		return 0;
	qsort(ranges, count, sizeof(*ranges), by_low);
	for (unsigned i = 1; i < count; i++) {
		bool touches = ranges[i].low <= ranges[kept].high || ranges[i].low - 1 == ranges[kept].high;

		if (!touches)
			ranges[++kept] = ranges[i];
		else if (ranges[i].high > ranges[kept].high)
			ranges[kept].high = ranges[i].high;
	}
	return kept + 1;
}

unsigned filter_ranges_invert(const struct filter_range *ranges, unsigned count, filter_wide most,
			      struct filter_range *to)
{
	filter_wide next = 0;
	unsigned made = 0;

	for (unsigned i = 0; i < count; i++) {
		if (ranges[i].low > next)
			to[made++] = (struct filter_range){ next, ranges[i].low - 1 };
		if (ranges[i].high >= most)
			return made;
		next = ranges[i].high + 1;
	}
	to[made++] = (struct filter_range){ next, most };
	return made;
}

static unsigned intersect(const struct filter_node *a, const struct filter_node *b, struct filter_range *to)
{
	unsigned made = 0;

	for (unsigned i = 0, j = 0; i < a->count && j < b->count;) {
		const struct filter_range *one = &a->ranges[i], *other = &b->ranges[j];
		filter_wide low = one->low > other->low ? one->low : other->low;
		filter_wide high = one->high < other->high ? one->high : other->high;

		if (low <= high)
			to[made++] = (struct filter_range){ low, high };
		if (one->high < other->high)
			i++;
		else
			j++;
	}
	return made;
}

// ---- nodes

static const struct filter_node *keyed(struct arena *arena, struct filter_node *node)
{
	node->key = filter_node_key(arena, node);
	return node;
}

static struct filter_node *node_of(struct arena *arena, enum filter_kind kind)
{
	struct filter_node *node = arena_new(arena, struct filter_node);

	node->kind = kind;
	return node;
}

const struct filter_node *filter_node_constant(struct arena *arena, bool holds)
{
	return keyed(arena, node_of(arena, holds ? FILTER_ALWAYS : FILTER_NEVER));
}

static bool is_of_every_packet(const struct filter_operand *operand)
{
	return operand->field->type == FIELD_PROTOCOL && operand->field->protocol == PROTO_FRAME &&
	       operand->field->kind == FIELD_DERIVED && operand->occurrence == 1;
}

const struct filter_node *filter_node_exists(struct arena *arena, const struct filter_reference *reference)
{
	struct filter_node *node = node_of(arena, FILTER_EXISTS);

	for (unsigned i = 0; i < reference->count; i++)
		if (is_of_every_packet(&reference->operands[i]))
			return filter_node_constant(arena, true);
	node->reference = reference;
	node->cost = reference->count;
	return keyed(arena, node);
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
	struct filter_node *node = node_of(arena, FILTER_RANGES);

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
	return keyed(arena, node);
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
		return x->number == y->number ? (x->last > y->last) - (x->last < y->last) : x->number > y->number ? 1 : -1;
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
	relation->cost = 1000 + cost_of_term(relation->left) + cost_of_term(relation->right) + extra[relation->relation];
	return keyed(arena, relation);
}

const struct filter_node *filter_node_not(struct arena *arena, const struct filter_node *node)
{
	struct filter_node *negation;

	if (node->kind == FILTER_NEVER || node->kind == FILTER_ALWAYS)
		return filter_node_constant(arena, node->kind == FILTER_NEVER);
	if (node->kind == FILTER_NOT)
		return node->nodes[0];
	negation = node_of(arena, FILTER_NOT);
	negation->nodes = arena_array(arena, const struct filter_node *, 1);
	negation->nodes[0] = node;
	negation->count = 1;
	negation->cost = node->cost + 1;
	return keyed(arena, negation);
}

// ---- and, or

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

static bool is_same_operand(const struct filter_operand *a, const struct filter_operand *b)
{
	return a->field == b->field && a->kind == b->kind && a->occurrence == b->occurrence;
}

static bool is_same_reference(const struct filter_reference *a, const struct filter_reference *b)
{
	if (a->count != b->count)
		return false;
	for (unsigned i = 0; i < a->count; i++)
		if (!is_same_operand(&a->operands[i], &b->operands[i]))
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
		if (!kept || !is_same_operand(&operands[kept - 1], &operands[i]))
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
	if (a->kind != FILTER_RANGES || b->kind != FILTER_RANGES || a->mask != b->mask || a->count + b->count > FILTER_MERGED)
		return NULL;
	if (is_same_reference(a->reference, b->reference) && a->all == b->all) {
		ranges = arena_array(arena, struct filter_range, a->count + b->count + 1);
		if (kind == FILTER_OR && !a->all) {
			memcpy(ranges, a->ranges, a->count * sizeof(*ranges));
			memcpy(ranges + a->count, b->ranges, b->count * sizeof(*ranges));
			count = a->count + b->count;
		} else if (kind == FILTER_AND && (a->all || a->reference->is_single)) {
			count = intersect(a, b, ranges);
		} else {
			return NULL;
		}
		return filter_node_ranges(arena, a->reference, a->all, a->mask, ranges, count);
	}
	if (kind == FILTER_OR && !a->all && !b->all && a->reference->type == b->reference->type && is_same_ranges(a, b) &&
	    a->reference->count + b->reference->count <= FILTER_OPERANDS && a->reference->most == b->reference->most)
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

const struct filter_node *filter_node_join(struct arena *arena, enum filter_kind kind, const struct filter_node *const *nodes,
					   unsigned count)
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
	node = node_of(arena, kind);
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
	return kept == 1 ? node->nodes[0] : keyed(arena, node);
}

// ---- the whole

typedef LIST(struct filter_operand) operand_list;

static void gather_reference(struct arena *arena, const struct filter_reference *reference, operand_list *to)
{
	for (unsigned i = 0; reference && i < reference->count; i++) {
		bool is_known = false;

		list_each (one, to)
			is_known |= is_same_operand(one, &reference->operands[i]);
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
