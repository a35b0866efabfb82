// SPDX-License-Identifier: Apache-2.0
// The functions of the filter language.
#include "lang/filter_parser.h"

static const struct function {
	const char *name;
	enum filter_term_kind kind;
	unsigned most; // arguments
} functions[] = {
	{ "len", TERM_LEN, 1 },	    { "count", TERM_COUNT, 1 },		 { "max", TERM_MAX, FILTER_TERMS },
	{ "min", TERM_MIN, FILTER_TERMS }, { "abs", TERM_ABS, 1 },	 { "upper", TERM_UPPER, 1 },
	{ "lower", TERM_LOWER, 1 }, { "string", TERM_STRING, 1 },
};

static const struct function *find(struct filter_parser *parser, const struct filter_token *name)
{
	struct near near = { .word = arena_text(parser->arena, name->text, name->length) };
	struct diag_message *message;

	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		if (!strcmp(functions[i].name, near.word))
			return &functions[i];
		near_try(&near, functions[i].name);
	}
	message = filter_error(parser, name->text, "no function \"%s\"", near.word);
	if (near_best(&near))
		diag_hint(parser->diag, message, "did you mean \"%s\"?", near_best(&near));
	else
		diag_hint(parser->diag, message, "there are len, count, max, min, abs, upper, lower and string");
	return NULL;
}

static bool is_fit(const struct function *function, const struct filter_term *term)
{
	switch (function->kind) {
	case TERM_COUNT:
		return term->kind == TERM_FIELD;
	case TERM_ABS:
		return term->type == FIELD_UINT;
	case TERM_MAX:
	case TERM_MIN:
		return term->type == FIELD_UINT || term->type == FIELD_TIME || term->type == FIELD_IPV4 ||
		       term->type == FIELD_IPV6 || term->type == FIELD_ETHER;
	case TERM_UPPER:
	case TERM_LOWER:
		return term->type == FIELD_STRING;
	case TERM_STRING:
		return term->type == FIELD_UINT || term->type == FIELD_IPV4 || term->type == FIELD_IPV6 ||
		       term->type == FIELD_ETHER;
	default:
		return true;
	}
}

static const char *wanted(enum filter_term_kind kind)
{
	switch (kind) {
	case TERM_COUNT:
		return "the name of a field";
	case TERM_ABS:
		return "a number";
	case TERM_UPPER:
	case TERM_LOWER:
		return "a string";
	case TERM_STRING:
		return "a number or an address";
	default:
		return "numbers, times or addresses";
	}
}

static bool is_right(struct filter_parser *parser, const struct function *function,
	struct filter_term **terms, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct filter_term *term = terms[i];

		if (!term)
			return false;
		if (term->kind == TERM_LITERAL && !i) {
			filter_no_such_name(parser, term);
			return false;
		}
		if (term->kind == TERM_LITERAL)
			terms[i] = term = filter_constant(parser, term, terms[0]->type, terms[0]);
		if (!term)
			return false;
		if (!is_fit(function, term) || terms[0]->type != term->type) {
			filter_error(parser, term->text, "%s takes %s, %s is %s", function->name,
				wanted(function->kind), filter_term_quote(parser, term),
				filter_type_name(term->type));
			return false;
		}
	}
	return true;
}

struct filter_term *filter_call(struct filter_parser *parser, const struct filter_token *name,
	struct filter_term **terms, unsigned count)
{
	const struct function *function = parser->is_lost ? NULL : find(parser, name);
	struct filter_term *call;
	enum field_type type;

	if (!function)
		return NULL;
	if (!count || count > function->most) {
		filter_error(parser, name->text, "%s takes %s, not %u", function->name,
			     function->most == 1 ? "one argument" : "1 to 16 arguments", count);
		return NULL;
	}
	if (!is_right(parser, function, terms, count))
		return NULL;
	// of a protocol the bytes are measured; it is counted by whether its headers are there
	filter_look_at(parser, terms[0], function->kind == TERM_LEN ? FILTER_PLACE : FILTER_VALUE);
	type = terms[0]->type;
	if (function->kind == TERM_LEN || function->kind == TERM_COUNT)
		type = FIELD_UINT;
	else if (function->kind == TERM_STRING)
		type = FIELD_STRING;
	call = filter_term_new(parser, function->kind, type, name->text, parser->token.text);
	while (call->length && call->text[call->length - 1] != ')')
		call->length--;
	call->terms = terms;
	call->count = count;
	for (unsigned i = 0; i < count; i++)
		if (terms[i]->depth >= call->depth)
			call->depth = terms[i]->depth + 1;
	if (call->depth == FILTER_DEPTH) {
		filter_error(parser, name->text,
			"too many operations inside of one another (more than %d)", FILTER_DEPTH);
		parser->is_lost = true;
	}
	return call;
}
