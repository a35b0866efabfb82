// SPDX-License-Identifier: Apache-2.0
// What may be compared with what, and which node of the tree it becomes.
#include "lang/filter_parser.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

static bool is_numeric(enum field_type type)
{
	return !filter_is_bytes(type) && type != FIELD_STRING;
}

// A literal becomes a constant of the other side's type; what is none stays as it is.
static struct filter_term *typed(
	struct filter_parser *parser, struct filter_term *term, const struct filter_term *beside)
{
	return term->kind == TERM_LITERAL ? filter_constant(parser, term, beside->type, beside) : term;
}

// ---- conditions on numbers

// The field, and the bits of it, that a term is; false: it is something else.
static bool is_column(const struct filter_term *term, const struct filter_reference **reference, uint64_t *mask)
{
	*mask = 0;
	*reference = term->reference;
	if (term->kind == TERM_FIELD)
		return is_numeric(term->type);
	if (term->kind != TERM_AND || term->terms[0]->kind != TERM_FIELD || term->terms[1]->kind != TERM_CONSTANT)
		return false;
	if (!is_numeric(term->type) || term->type == FIELD_IPV6)
		return false;
	*reference = term->terms[0]->reference;
	*mask = (uint64_t)(term->terms[1]->value.number & (*reference)->most);
	return *mask != 0;
}

// Appends the numbers that stand in this relation to those from low to high; 0 to most exist. Returns how many ranges.
static unsigned ranges_of(enum filter_relation relation, __int128 low, __int128 high, filter_wide most, bool is_signed,
			  struct filter_range *to)
{
	filter_wide first = (filter_wide)low, last = (filter_wide)high;

	if (is_signed && low < 0) { // a constant below all that there is
		bool all = relation == RELATION_UNEQUAL || relation == RELATION_GREATER ||
			relation == RELATION_GREATER_EQUAL;

		*to = (struct filter_range){ 0, most };
		return all;
	}
	switch (relation) {
	case RELATION_EQUAL:
		*to = (struct filter_range){ first, last };
		return 1;
	case RELATION_UNEQUAL:
		return filter_ranges_invert(&(struct filter_range){ first, last }, 1, most, to);
	case RELATION_LESS:
		*to = (struct filter_range){ 0, first - 1 };
		return first > 0;
	case RELATION_LESS_EQUAL:
		*to = (struct filter_range){ 0, last };
		return 1;
	case RELATION_GREATER:
		*to = (struct filter_range){ last + 1, most };
		return last < most;
	default:
		*to = (struct filter_range){ first, most };
		return first <= most;
	}
}

static const struct filter_node *compare_column(struct filter_parser *parser, enum filter_relation relation, bool all,
						const struct filter_term *left, const struct filter_term *right)
{
	const struct filter_reference *reference;
	struct filter_range *ranges = arena_array(parser->arena, struct filter_range, 3);
	uint64_t mask;
	unsigned count;

	if (right->kind != TERM_CONSTANT || relation > RELATION_GREATER_EQUAL || !is_column(left, &reference, &mask))
		return NULL;
	count = ranges_of(relation, (__int128)right->value.number, (__int128)right->value.last,
		mask ? mask : reference->most, left->type == FIELD_UINT, ranges);
	return filter_node_ranges(parser->arena, reference, all, mask, ranges, count);
}

// ---- relations

static bool compile_pattern(struct filter_parser *parser, const struct filter_term *literal, struct filter_node *node);

static const struct filter_node *relate(struct filter_parser *parser, enum filter_relation relation, bool all,
					const struct filter_term *left, const struct filter_term *right)
{
	struct filter_node *node = arena_new(parser->arena, struct filter_node);

	node->relation = relation;
	node->all = all;
	node->left = left;
	node->right = right;
	if (relation == RELATION_MATCHES && !compile_pattern(parser, right, node))
		return NULL;
	return filter_node_relation(parser->arena, node);
}

static const struct filter_node *search(struct filter_parser *parser, enum filter_relation relation, bool all,
					struct filter_term *left, struct filter_term *right)
{
	struct filter_term beside = *left;
	bool is_text = relation == RELATION_MATCHES;
	struct diag_message *message;

	if (!filter_has_bytes(left->type) || (is_text && left->type == FIELD_ETHER)) {
		message = filter_error(parser, left->text,
			"%s is %s: \"%s\" is for bytes and strings",
			filter_term_quote(parser, left), filter_type_name(left->type),
			is_text ? "matches" : "contains");
		if (left->kind == TERM_FIELD && left->type != FIELD_TIME)
			diag_hint(parser->diag, message, "string(%s) is its text", left->reference->name);
		return NULL;
	}
	if (is_text && !right->is_string) {
		filter_error(parser, right->text, "behind \"matches\" a pattern in double quotes is expected, not %s",
			     filter_term_quote(parser, right));
		return NULL;
	}
	if (is_text)
		beside.type = FIELD_STRING;
	else if (beside.type != FIELD_STRING)
		beside.type = FIELD_BYTES;
	right = typed(parser, right, &beside);
	if (!right)
		return NULL;
	if (!filter_has_bytes(right->type)) {
		filter_error(parser, right->text, "%s is %s: bytes or a string expected",
			filter_term_quote(parser, right), filter_type_name(right->type));
		return NULL;
	}
	filter_look_at(parser, right, FILTER_PLACE);
	return relate(parser, relation, all, left, right);
}

static bool is_left(struct filter_parser *parser, const struct filter_term *left)
{
	bool is_name = left->length && !left->is_string && !left->is_character &&
		*left->text >= 'A' && *left->text <= 'z';

	if (left->kind == TERM_LITERAL && is_name)
		filter_no_such_name(parser, left);
	else if (left->kind == TERM_LITERAL || left->kind == TERM_CONSTANT)
		diag_hint(parser->diag,
			  filter_error(parser, left->text, "on the left stands a field or a function, not %s",
				       filter_term_quote(parser, left)),
			  "turn the comparison round");
	return left->kind != TERM_LITERAL && left->kind != TERM_CONSTANT;
}

const struct filter_node *filter_compare(struct filter_parser *parser, enum filter_relation relation, bool all,
					 struct filter_term *left, struct filter_term *right)
{
	const struct filter_node *node;

	if (!is_left(parser, left))
		return NULL;
	filter_look_at(parser, left, FILTER_PLACE);
	if (relation == RELATION_CONTAINS || relation == RELATION_MATCHES)
		return search(parser, relation, all, left, right);
	right = typed(parser, right, left);
	if (!right)
		return NULL;
	filter_look_at(parser, right, FILTER_PLACE);
	if (!filter_is_comparable(left, right)) {
		filter_error(parser, right->text, "%s is %s, %s is %s",
			filter_term_quote(parser, left), filter_type_name(left->type),
			filter_term_quote(parser, right), filter_type_name(right->type));
		return NULL;
	}
	node = compare_column(parser, relation, all, left, right);
	return node ? node : relate(parser, relation, all, left, right);
}

// Any header of a protocol is there if the first is.
static const struct filter_reference *first_header(
	struct filter_parser *parser, const struct filter_reference *reference)
{
	struct filter_reference *first;
	struct filter_operand *operand;

	if (reference->type != FIELD_PROTOCOL || reference->count != 1 || reference->operands->occurrence != FILTER_ANY)
		return reference;
	first = arena_new(parser->arena, struct filter_reference);
	operand = arena_new(parser->arena, struct filter_operand);
	*operand = *reference->operands;
	operand->occurrence = 1;
	*first = *reference;
	first->operands = operand;
	first->is_single = true;
	return first;
}

const struct filter_node *filter_test(struct filter_parser *parser, struct filter_term *term)
{
	const struct filter_reference *reference;
	struct filter_range *ranges;
	uint64_t mask;

	if (term->kind == TERM_LITERAL) {
		filter_no_such_name(parser, term);
		return NULL;
	}
	if (term->kind == TERM_FIELD)
		return filter_node_exists(parser->arena, first_header(parser, term->reference));
	if (term->kind == TERM_SLICE)
		return relate(parser, RELATION_EXISTS, false, term, NULL);
	if (term->kind >= TERM_LEN || term->kind == TERM_CONSTANT) {
		filter_error(parser, term->text, "%s alone is no condition: compare it with something",
			     filter_term_quote(parser, term));
		return NULL;
	}
	if (!is_column(term, &reference, &mask))
		return relate(parser, RELATION_NONZERO, false, term, NULL);
	ranges = arena_array(parser->arena, struct filter_range, 2);
	ranges[0] = (struct filter_range){ 1, mask };
	return filter_node_ranges(parser->arena, reference, false, mask, ranges, 1);
}

// ---- sets

static bool type_items(struct filter_parser *parser, const struct filter_term *left,
	struct filter_term **items, unsigned count)
{
	bool is_right = true;

	for (unsigned i = 0; i < 2 * count; i++) {
		bool is_high_of_one = i % 2 && items[i] == items[i - 1];
		struct filter_term *item = is_high_of_one ? items[i] : typed(parser, items[i], left);

		if (!is_high_of_one && i % 2 == 0 && items[i + 1] == items[i])
			items[i + 1] = item;
		items[i] = item;
		is_right &= item != NULL;
		if (item && !filter_is_comparable(left, item)) {
			filter_error(parser, item->text, "%s is %s, %s is %s",
				filter_term_quote(parser, left), filter_type_name(left->type),
				filter_term_quote(parser, item), filter_type_name(item->type));
			is_right = false;
		}
		if (item)
			filter_look_at(parser, item, FILTER_PLACE);
	}
	return is_right;
}

static const struct filter_node *member_of_column(struct filter_parser *parser, bool all,
	const struct filter_term *left, struct filter_term **items, unsigned count)
{
	struct filter_range *ranges = arena_array(parser->arena, struct filter_range, count + 1);
	const struct filter_reference *reference;
	uint64_t mask;
	unsigned made = 0;

	if (!is_column(left, &reference, &mask))
		return NULL;
	for (unsigned i = 0; i < 2 * count; i++)
		if (items[i]->kind != TERM_CONSTANT)
			return NULL;
	for (unsigned i = 0; i < count; i++) {
		const struct filter_datum *low = &items[2 * i]->value, *high = &items[2 * i + 1]->value;
		__int128 first = (__int128)low->number, last = (__int128)high->last;
		bool is_signed = left->type == FIELD_UINT;

		if (is_signed && first < 0 && last >= 0)
			first = 0;
		if ((is_signed && last < 0) || (filter_wide)first > (filter_wide)last)
			filter_warn(parser, items[2 * i]->text,
				"there is nothing between %s and %s",
				filter_term_quote(parser, items[2 * i]),
				filter_term_quote(parser, items[2 * i + 1]));
		else
			ranges[made++] = (struct filter_range){ (filter_wide)first, (filter_wide)last };
	}
	return filter_node_ranges(parser->arena, reference, all, mask, ranges, made);
}

const struct filter_node *filter_member(struct filter_parser *parser, bool all, struct filter_term *left,
					struct filter_term **items, unsigned count)
{
	const struct filter_node *node;
	struct filter_node *relation;

	if (!is_left(parser, left))
		return NULL;
	filter_look_at(parser, left, FILTER_PLACE);
	if (!type_items(parser, left, items, count))
		return NULL;
	node = member_of_column(parser, all, left, items, count);
	if (node)
		return node;
	relation = arena_new(parser->arena, struct filter_node);
	relation->relation = RELATION_IN;
	relation->all = all;
	relation->left = left;
	relation->items = (const struct filter_term **)items;
	relation->count = count;
	return filter_node_relation(parser->arena, relation);
}

// ---- patterns

static void *pattern_memory(size_t size, void *arena)
{
	return arena_take(arena, size);
}

static void pattern_memory_stays(void *at, void *arena)
{
	(void)at;
	(void)arena;
}

static bool compile_pattern(struct filter_parser *parser, const struct filter_term *literal, struct filter_node *node)
{
	pcre2_general_context *memory =
		pcre2_general_context_create(pattern_memory, pattern_memory_stays, parser->arena);
	pcre2_compile_context *context = pcre2_compile_context_create(memory);
	PCRE2_UCHAR text[128];
	PCRE2_SIZE offset;
	int error;

	node->pattern = pcre2_compile(literal->value.bytes, literal->value.length,
		PCRE2_CASELESS | PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C, &error, &offset,
		context);
	if (node->pattern)
		return true;
	pcre2_get_error_message(error, text, sizeof(text));
	filter_error(parser, literal->text, "no pattern: %s, behind its character %zu", (const char *)text, offset);
	return false;
}
