// SPDX-License-Identifier: Apache-2.0
// Terms: arithmetic, with what is known already calculated, and slices.
#include "lang/filter_parser.h"

// As bytes: slices can be cut out of it, and it may be compared with bytes.
bool filter_has_bytes(enum field_type type)
{
	return filter_is_bytes(type) || type == FIELD_ETHER || type == FIELD_STRING;
}

static bool is_on_addresses(const struct filter_term *a, const struct filter_term *b)
{
	return (a->type == FIELD_IPV4 && b->type == FIELD_IPV6) || (a->type == FIELD_IPV6 && b->type == FIELD_IPV4);
}

bool filter_is_comparable(const struct filter_term *a, const struct filter_term *b)
{
	return a->type == b->type || (filter_has_bytes(a->type) && filter_has_bytes(b->type)) || is_on_addresses(a, b);
}

static struct filter_term *term_of_two(struct filter_parser *parser, enum filter_term_kind kind, enum field_type type,
				       struct filter_term *left, struct filter_term *right)
{
	const char *from = left->text < right->text ? left->text : right->text;
	const char *left_end = left->text + left->length, *right_end = right->text + right->length;
	struct filter_term *term = filter_term_new(
		parser, kind, type, from, left_end > right_end ? left_end : right_end);

	term->terms = arena_array(parser->arena, struct filter_term *, 2);
	term->terms[0] = left;
	term->terms[1] = right;
	term->count = left == right ? 1 : 2;
	term->depth = 1 + (left->depth > right->depth ? left->depth : right->depth);
	if (term->depth == FILTER_DEPTH) {
		filter_error(parser, term->text,
			"too many operations inside of one another (more than %d)", FILTER_DEPTH);
		parser->is_lost = true;
	}
	return term;
}

static bool calculate(enum filter_term_kind kind, __int128 left, __int128 right, __int128 *result)
{
	switch (kind) {
	case TERM_AND:
		*result = left & right;
		return true;
	case TERM_ADD:
		*result = left + right;
		return true;
	case TERM_SUBTRACT:
		*result = left - right;
		return true;
	case TERM_MULTIPLY:
		return !__builtin_mul_overflow(left, right, result);
	case TERM_DIVIDE:
		return right && (*result = left / right, true);
	default:
		return right && (*result = left % right, true);
	}
}

static struct filter_term *fold(struct filter_parser *parser, enum filter_term_kind kind, struct filter_term *left,
				struct filter_term *right)
{
	struct filter_term *term = term_of_two(parser, TERM_CONSTANT, FIELD_UINT, left, right);
	__int128 result = 0, limit = (__int128)1 << 64;

	if (!calculate(kind, (__int128)left->value.number, (__int128)right->value.number, &result)) {
		filter_error(parser, right->text, "division by zero");
		return NULL;
	}
	if (result > limit || result < -limit) {
		filter_error(parser, term->text, "%s is too great: more than 64 bits", filter_term_quote(parser, term));
		return NULL;
	}
	term->count = 0;
	term->value.type = FIELD_UINT;
	term->value.number = (filter_wide)result;
	term->value.last = term->value.number;
	return term;
}

static bool is_calculable(struct filter_parser *parser, enum filter_term_kind kind, const struct filter_term *term)
{
	bool may = term->type == FIELD_UINT;

	if (kind == TERM_AND)
		may |= filter_is_bytes(term->type) || term->type == FIELD_IPV4 || term->type == FIELD_IPV6 ||
		       term->type == FIELD_ETHER;
	if (!may)
		filter_error(parser, term->text, "%s is %s: there is no arithmetic on it",
			filter_term_quote(parser, term), filter_type_name(term->type));
	return may;
}

struct filter_term *filter_binary(struct filter_parser *parser, enum filter_term_kind kind, struct filter_term *left,
				  struct filter_term *right)
{
	bool is_typed = left->kind != TERM_LITERAL;
	const struct filter_term number = { .type = FIELD_UINT };
	const struct filter_term *beside = is_typed ? left : right->kind != TERM_LITERAL ? right : &number;
	struct filter_term as = *beside;

	if (beside != &number && !is_calculable(parser, kind, beside))
		return NULL;
	if (filter_is_bytes(as.type))
		as.type = FIELD_BYTES;
	as.reference = as.type == FIELD_IPV6
		? as.reference
		: NULL; // a number in arithmetic may be greater than the field's
	if (left->kind == TERM_LITERAL)
		left = as.type == FIELD_UINT ? filter_number(parser, left)
					     : filter_constant(parser, left, as.type, &as);
	if (left && right->kind == TERM_LITERAL)
		right = as.type == FIELD_UINT ? filter_number(parser, right)
					      : filter_constant(parser, right, as.type, &as);
	if (!left || !right || !is_calculable(parser, kind, right))
		return NULL;
	if (!filter_is_comparable(left, right)) {
		filter_error(parser, right->text, "%s is %s, %s is %s",
			filter_term_quote(parser, left), filter_type_name(left->type),
			filter_term_quote(parser, right), filter_type_name(right->type));
		return NULL;
	}
	if (left->kind == TERM_CONSTANT && right->kind == TERM_CONSTANT && left->type == FIELD_UINT)
		return fold(parser, kind, left, right);
	if ((kind == TERM_DIVIDE || kind == TERM_MODULO) && right->kind == TERM_CONSTANT && !right->value.number) {
		filter_error(parser, right->text, "division by zero");
		return NULL;
	}
	return term_of_two(parser, kind, filter_is_bytes(left->type) ? FIELD_BYTES : left->type, left, right);
}

struct filter_term *filter_negative(struct filter_parser *parser, struct filter_term *term)
{
	struct filter_term *negative;

	if (term->kind == TERM_LITERAL)
		term = filter_number(parser, term);
	if (!term || !is_calculable(parser, TERM_SUBTRACT, term))
		return NULL;
	negative = term_of_two(parser, TERM_NEGATIVE, FIELD_UINT, term, term);
	if (negative->text > parser->text && negative->text[-1] == '-') {
		negative->text--;
		negative->length++;
	}
	if (term->kind != TERM_CONSTANT)
		return negative;
	negative->kind = TERM_CONSTANT;
	negative->value = term->value;
	negative->value.number = negative->value.last = -term->value.number;
	negative->count = 0;
	return negative;
}

void filter_look_at(struct filter_parser *parser, struct filter_term *term, enum filter_operand_kind kind)
{
	struct filter_reference *reference;
	struct filter_operand *operands;

	if (term->kind != TERM_FIELD || term->type != FIELD_PROTOCOL)
		return;
	reference = arena_new(parser->arena, struct filter_reference);
	*reference = *term->reference;
	operands = arena_array(parser->arena, struct filter_operand, reference->count);
	for (unsigned i = 0; i < reference->count; i++) {
		operands[i] = reference->operands[i];
		operands[i].kind = kind;
	}
	reference->operands = operands;
	term->reference = reference;
}

struct filter_term *filter_sliced(struct filter_parser *parser, struct filter_term *term,
				  const struct filter_slice *slices, unsigned count)
{
	struct filter_term *sliced;
	bool is_address = term->type == FIELD_IPV4 || term->type == FIELD_IPV6;

	if (term->kind == TERM_LITERAL) {
		filter_no_such_name(parser, term);
		return NULL;
	}
	if (!filter_has_bytes(term->type) && !is_address) {
		filter_error(parser, term->text, "%s is %s: no bytes can be cut out of it",
			filter_term_quote(parser, term), filter_type_name(term->type));
		return NULL;
	}
	filter_look_at(parser, term, FILTER_PLACE);
	sliced = term_of_two(parser, TERM_SLICE, term->type == FIELD_STRING ? FIELD_STRING : FIELD_BYTES, term, term);
	while (sliced->text + sliced->length < parser->token.text && sliced->text[sliced->length - 1] != ']')
		sliced->length++;
	sliced->slices = memcpy(arena_array(parser->arena, struct filter_slice, count), slices,
		count * sizeof(*slices));
	sliced->slice_count = count;
	return sliced;
}
