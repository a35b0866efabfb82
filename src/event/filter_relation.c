// SPDX-License-Identifier: Apache-2.0
// Relations of two rows of values: whether any pair of them, or every pair, stands in the relation.
// A side that has no value makes it false either way.
#define _GNU_SOURCE // memmem
#include "event/filter_program.h"

// ---- two values

static int by_number(filter_wide a, filter_wide b, bool is_signed)
{
	if (is_signed)
		return ((__int128)a > (__int128)b) - ((__int128)a < (__int128)b);
	return (a > b) - (a < b);
}

static filter_wide as_ipv6(const struct filter_datum *datum)
{
	return datum->type == FIELD_IPV4 ? datum->number | (filter_wide)0xffff << 32 : datum->number;
}

static bool is_text(const struct filter_datum *datum)
{
	return datum->type == FIELD_BYTES || datum->type == FIELD_STRING;
}

// Strings are compared letter by letter; of bytes the shorter row is less, as Wireshark has it.
static int by_bytes(const struct filter_datum *a, const struct filter_datum *b)
{
	uint32_t shorter = a->length < b->length ? a->length : b->length;
	int by_length = (a->length > b->length) - (a->length < b->length), order;

	if (a->type != FIELD_STRING && by_length)
		return by_length;
	order = memcmp(a->bytes, b->bytes, shorter);
	return order ? order : by_length;
}

static void spell_ether(struct filter_datum *datum, uint8_t bytes[6])
{
	if (is_text(datum))
		return;
	for (int i = 0; i < 6; i++)
		bytes[i] = (uint8_t)(datum->number >> (40 - 8 * i));
	*datum = (struct filter_datum){ .type = FIELD_BYTES, .bytes = bytes, .length = 6 };
}

static int compare(const struct filter_datum *a, const struct filter_datum *b)
{
	struct filter_datum one = *a, other = *b;
	uint8_t bytes[2][6];

	if (is_text(a) || is_text(b)) {
		spell_ether(&one, bytes[0]);
		spell_ether(&other, bytes[1]);
		return by_bytes(&one, &other);
	}
	if (a->type != b->type)
		return by_number(as_ipv6(a), as_ipv6(b), false);
	return by_number(a->number, b->number, a->type == FIELD_UINT);
}

static bool contains(const struct filter_datum *a, const struct filter_datum *b)
{
	struct filter_datum one = *a, other = *b;
	uint8_t bytes[2][6];

	spell_ether(&one, bytes[0]);
	spell_ether(&other, bytes[1]);
	return other.length <= one.length && memmem(one.bytes, one.length, other.bytes, other.length);
}

// A constant with a prefix length is all its addresses: number to last.
static bool stand(enum filter_relation relation, const struct filter_datum *a, const struct filter_datum *b)
{
	struct filter_datum last = *b;

	if (relation == RELATION_CONTAINS)
		return contains(a, b);
	if (b->last > b->number && (b->type == FIELD_IPV4 || b->type == FIELD_IPV6))
		last.number = b->last;
	switch (relation) {
	case RELATION_EQUAL:
		return compare(a, b) >= 0 && compare(a, &last) <= 0;
	case RELATION_UNEQUAL:
		return compare(a, b) < 0 || compare(a, &last) > 0;
	case RELATION_LESS:
		return compare(a, b) < 0;
	case RELATION_LESS_EQUAL:
		return compare(a, &last) <= 0;
	case RELATION_GREATER:
		return compare(a, &last) > 0;
	default:
		return compare(a, b) >= 0;
	}
}

// ---- rows of them

static bool pairs(enum filter_relation relation, bool all, const struct filter_values *left,
	const struct filter_values *right)
{
	if (!left->count || !right->count)
		return false;
	for (unsigned i = 0; i < left->count; i++)
		for (unsigned j = 0; j < right->count; j++)
			if (stand(relation, &left->at[i], &right->at[j]) != all)
				return !all;
	return all;
}

static bool is_nonzero(const struct filter_datum *datum)
{
	uint8_t any = 0;

	if (!is_text(datum))
		return datum->number != 0;
	for (uint32_t i = 0; i < datum->length; i++)
		any |= datum->bytes[i];
	return any != 0;
}

static bool search(const struct filter_step *step, const struct filter_datum *value)
{
	unsigned low = 0, high = step->count;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		int order = compare(value, &step->items[2 * middle]->value);

		if (!order)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static bool stands_to_any(enum filter_relation relation, const struct filter_datum *value,
	const struct filter_term *term, struct filter_scene *scene)
{
	struct filter_values others;

	if (term->kind == TERM_CONSTANT)
		return stand(relation, value, &term->value);
	others.count = 0;
	filter_term_values(term, scene, &others);
	for (unsigned i = 0; i < others.count; i++)
		if (stand(relation, value, &others.at[i]))
			return true;
	return false;
}

static bool is_between(const struct filter_term *const *item, const struct filter_datum *value,
	struct filter_scene *scene)
{
	if (item[0] == item[1])
		return stands_to_any(RELATION_EQUAL, value, item[0], scene);
	return stands_to_any(RELATION_GREATER_EQUAL, value, item[0], scene) &&
	       stands_to_any(RELATION_LESS_EQUAL, value, item[1], scene);
}

static bool is_member(const struct filter_step *step, const struct filter_datum *value, struct filter_scene *scene)
{
	if (step->is_searchable && is_text(value))
		return search(step, value);
	for (unsigned i = 0; i < step->count; i++)
		if (is_between(&step->items[2 * i], value, scene))
			return true;
	return false;
}

static bool holds_for(const struct filter_step *step, const struct filter_datum *value, struct filter_scene *scene)
{
	switch (step->node->relation) {
	case RELATION_MATCHES:
		return filter_pattern_matches(step->node->pattern, value->bytes, value->length);
	case RELATION_IN:
		return is_member(step, value, scene);
	case RELATION_NONZERO:
		return is_nonzero(value);
	default:
		return true;
	}
}

bool filter_relation_holds(const struct filter_step *step, struct filter_scene *scene)
{
	enum filter_relation relation = step->node->relation;
	bool is_of_pairs = relation <= RELATION_CONTAINS, all = step->node->all;
	struct filter_values left, right;

	left.count = 0;
	filter_term_values(step->left, scene, &left);
	if (!left.count)
		return false;
	if (is_of_pairs) {
		right.count = 0;
		filter_term_values(step->right, scene, &right);
		return pairs(relation, all, &left, &right);
	}
	for (unsigned i = 0; i < left.count; i++)
		if (holds_for(step, &left.at[i], scene) != all)
			return !all;
	return all;
}
