// SPDX-License-Identifier: Apache-2.0
// The grammar, from weakest to strongest: or, and, not, relations, &, + -, * / %, - before a number. Parentheses group
// conditions, braces group arithmetic. A mistake of meaning makes its part NULL and parsing goes on, so that all of
// them are reported; a mistake of grammar ends it.
#include "lang/filter_parser.h"

#include <ctype.h>

enum { DEEPEST = 100 }; // of nesting

typedef LIST(const struct filter_node *) node_list;
typedef LIST(struct filter_term *) term_list;

static const struct filter_node *parse_or(struct filter_parser *parser);
static struct filter_term *parse_and_bits(struct filter_parser *parser);

static const char *quote_token(const struct filter_parser *parser)
{
	if (parser->token.kind == FILTER_END)
		return "the end of the filter";
	return arena_print(parser->arena, "\"%.*s\"", (int)parser->token.length, parser->token.text);
}

void *filter_lost(struct filter_parser *parser)
{
	parser->is_lost = true;
	return NULL;
}

// "not here"; says what would be right.
static void *unexpected(struct filter_parser *parser, const char *wanted)
{
	if (!parser->is_lost)
		filter_error(parser, parser->token.text, "%s is not right here: %s expected",
			quote_token(parser), wanted);
	return filter_lost(parser);
}

static bool is_too_deep(struct filter_parser *parser)
{
	if (++parser->depth <= DEEPEST)
		return false;
	if (!parser->is_lost)
		filter_error(parser, parser->token.text, "nested too deeply (more than %d levels)", DEEPEST);
	filter_lost(parser);
	return true;
}

struct filter_term *filter_term_new(struct filter_parser *parser, enum filter_term_kind kind, enum field_type type,
				    const char *from, const char *to)
{
	struct filter_term *term = arena_new(parser->arena, struct filter_term);

	term->kind = kind;
	term->type = type;
	term->text = from;
	term->length = (uint32_t)(to - from);
	return term;
}

// ---- terms

static struct filter_term *parse_field(
	struct filter_parser *parser, const struct field *field, const struct filter_token *name)
{
	struct filter_slice layers[FILTER_SLICES];
	unsigned count = filter_layers(parser, layers);
	const char *end = count ? parser->token.text : name->text + name->length;
	const struct filter_reference *reference;
	struct filter_term *term;

	if (parser->is_lost)
		return NULL;
	while (end > name->text && isspace((unsigned char)end[-1]))
		end--;
	reference = filter_refer(parser, field,
		arena_text(parser->arena, name->text, (size_t)(end - name->text)), layers, count,
		name->text);
	if (!reference)
		return NULL;
	term = filter_term_new(parser, TERM_FIELD, reference->type, name->text, end);
	term->reference = reference;
	return term;
}

static struct filter_term *parse_call(struct filter_parser *parser, const struct filter_token *name)
{
	term_list terms = { 0 };

	filter_next(parser);
	while (!filter_at(parser, ")")) {
		*list_add(parser->arena, &terms) = parse_and_bits(parser);
		if (!filter_skip(parser, ","))
			break;
	}
	if (!filter_skip(parser, ")"))
		return unexpected(parser, "\")\" at the end of the arguments");
	return filter_call(parser, name, terms.at, terms.count);
}

static bool is_operator_word(const struct filter_parser *parser)
{
	static const char *const words[] = { "eq", "ne", "gt", "lt", "ge", "le", "contains",
		"matches", "and", "or", "not", "in", "any_eq", "any_ne", "all_eq", "all_ne", "any",
		"all", "bitwise_and" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (filter_at(parser, words[i]))
			return true;
	return false;
}

static struct filter_term *parse_literal(struct filter_parser *parser)
{
	struct filter_token token = parser->token;
	struct filter_term *term = filter_term_new(
		parser, TERM_LITERAL, FIELD_STRING, token.text, token.text + token.length);

	term->is_string = token.kind == FILTER_STRING;
	term->is_character = token.kind == FILTER_CHARACTER;
	term->value.bytes = token.value;
	term->value.length = token.value_length;
	filter_next(parser);
	return term;
}

static struct filter_term *parse_primary(struct filter_parser *parser)
{
	struct filter_token token = parser->token;
	struct filter_term *term;
	const struct field *field;

	if (filter_skip(parser, "{")) {
		if (is_too_deep(parser))
			return NULL;
		term = parse_and_bits(parser);
		parser->depth--;
		if (!filter_skip(parser, "}"))
			return unexpected(parser, "\"}\"");
		return term;
	}
	if (token.kind == FILTER_STRING || token.kind == FILTER_CHARACTER)
		return parse_literal(parser);
	if (token.kind != FILTER_WORD || is_operator_word(parser))
		return unexpected(parser, "a field or a value");
	field = filter_field(parser, token.text, token.length);
	if (!field && parser->next < parser->end && *parser->next == '(') {
		filter_next(parser);
		return is_too_deep(parser) ? NULL : (term = parse_call(parser, &token), parser->depth--, term);
	}
	if (!field)
		return parse_literal(parser);
	filter_next(parser);
	return parse_field(parser, field, &token);
}

static struct filter_term *parse_sliced(struct filter_parser *parser)
{
	struct filter_slice slices[FILTER_SLICES];
	struct filter_term *term = parse_primary(parser);

	while (!parser->is_lost && filter_at(parser, "[")) {
		unsigned count = filter_brackets(parser, slices);

		if (count && term)
			term = filter_sliced(parser, term, slices, count);
	}
	return term;
}

static struct filter_term *parse_signed(struct filter_parser *parser)
{
	bool is_negative = false;
	struct filter_term *term;

	for (;;) {
		if (filter_skip(parser, "-"))
			is_negative = !is_negative;
		else if (!filter_skip(parser, "+"))
			break;
	}
	term = parse_sliced(parser);
	return term && is_negative ? filter_negative(parser, term) : term;
}

struct binary {
	const char *sign;
	enum filter_term_kind kind;
};

static bool skip_binary(struct filter_parser *parser, const struct binary *binaries, enum filter_term_kind *kind)
{
	for (; binaries->sign; binaries++) {
		if (filter_skip(parser, binaries->sign)) {
			*kind = binaries->kind;
			return true;
		}
	}
	return false;
}

static struct filter_term *parse_binary(struct filter_parser *parser, unsigned level)
{
	static const struct binary levels[][4] = {
		{ { "&", TERM_AND }, { "bitwise_and", TERM_AND } },
		{ { "+", TERM_ADD }, { "-", TERM_SUBTRACT } },
		{ { "*", TERM_MULTIPLY }, { "/", TERM_DIVIDE }, { "%", TERM_MODULO } },
	};
	struct filter_term *left, *right;
	enum filter_term_kind kind;
	unsigned length = 0;

	if (level == sizeof(levels) / sizeof(*levels))
		return parse_signed(parser);
	left = parse_binary(parser, level + 1);
	while (!parser->is_lost && skip_binary(parser, levels[level], &kind)) {
		if (++length > DEEPEST) {
			filter_error(parser, parser->token.text, "more than %d operators in a row", DEEPEST);
			return filter_lost(parser);
		}
		right = parse_binary(parser, level + 1);
		left = left && right ? filter_binary(parser, kind, left, right) : NULL;
	}
	return left;
}

static struct filter_term *parse_and_bits(struct filter_parser *parser)
{
	return parse_binary(parser, 0);
}

// ---- relations

enum quantifier { QUANTIFIER_ANY, QUANTIFIER_ALL, QUANTIFIER_NONE };

static const struct relation_sign {
	const char *sign;
	enum filter_relation relation;
	enum quantifier quantifier; // unless `any` or `all` stands in front
} relation_signs[] = {
	{ "==", RELATION_EQUAL, QUANTIFIER_ANY },	{ "eq", RELATION_EQUAL, QUANTIFIER_ANY },
	{ "any_eq", RELATION_EQUAL, QUANTIFIER_ANY },	{ "===", RELATION_EQUAL, QUANTIFIER_ALL },
	{ "all_eq", RELATION_EQUAL, QUANTIFIER_ALL },	{ "!=", RELATION_UNEQUAL, QUANTIFIER_ALL },
	{ "ne", RELATION_UNEQUAL, QUANTIFIER_ALL },	{ "all_ne", RELATION_UNEQUAL, QUANTIFIER_ALL },
	{ "!==", RELATION_UNEQUAL, QUANTIFIER_ANY },	{ "any_ne", RELATION_UNEQUAL, QUANTIFIER_ANY },
	{ "~=", RELATION_UNEQUAL, QUANTIFIER_ANY },	{ "<", RELATION_LESS, QUANTIFIER_ANY },
	{ "lt", RELATION_LESS, QUANTIFIER_ANY },	{ "<=", RELATION_LESS_EQUAL, QUANTIFIER_ANY },
	{ "le", RELATION_LESS_EQUAL, QUANTIFIER_ANY },	{ ">", RELATION_GREATER, QUANTIFIER_ANY },
	{ "gt", RELATION_GREATER, QUANTIFIER_ANY },	{ ">=", RELATION_GREATER_EQUAL, QUANTIFIER_ANY },
	{ "ge", RELATION_GREATER_EQUAL, QUANTIFIER_ANY }, { "~", RELATION_MATCHES, QUANTIFIER_ANY },
	{ "matches", RELATION_MATCHES, QUANTIFIER_ANY }, { "contains", RELATION_CONTAINS, QUANTIFIER_ANY },
};

static const struct relation_sign *skip_relation(struct filter_parser *parser)
{
	for (size_t i = 0; i < sizeof(relation_signs) / sizeof(*relation_signs); i++)
		if (filter_skip(parser, relation_signs[i].sign))
			return &relation_signs[i];
	return NULL;
}

static const struct filter_node *parse_set(struct filter_parser *parser, bool all, struct filter_term *left)
{
	term_list items = { 0 };

	if (!filter_skip(parser, "{"))
		return unexpected(parser, "\"{\" and a set");
	do {
		struct filter_term *low = parse_signed(parser), *high = low;

		if (!parser->is_lost && filter_skip(parser, ".."))
			high = parse_signed(parser);
		*list_add(parser->arena, &items) = low;
		*list_add(parser->arena, &items) = high;
	} while (!parser->is_lost && filter_skip(parser, ","));
	if (!filter_skip(parser, "}"))
		return unexpected(parser, "\",\" or \"}\"");
	list_each (item, &items)
		if (!*item)
			return NULL;
	return left ? filter_member(parser, all, left, items.at, items.count / 2) : NULL;
}

static enum quantifier parse_quantifier(struct filter_parser *parser)
{
	if (filter_skip(parser, "any"))
		return QUANTIFIER_ANY;
	return filter_skip(parser, "all") ? QUANTIFIER_ALL : QUANTIFIER_NONE;
}

// `a < b < c` is `a < b && b < c`.
static const struct filter_node *parse_chain(struct filter_parser *parser, enum quantifier quantifier,
					     const struct relation_sign *sign, struct filter_term *left)
{
	node_list nodes = { 0 };
	bool is_whole = true;

	for (; sign && !parser->is_lost; sign = skip_relation(parser)) {
		enum quantifier own = quantifier == QUANTIFIER_NONE ? sign->quantifier : quantifier;
		struct filter_term *right = parse_and_bits(parser);
		const struct filter_node *node = NULL;

		if (left && right)
			node = filter_compare(parser, sign->relation, own == QUANTIFIER_ALL, left, right);
		is_whole &= node != NULL;
		if (node)
			*list_add(parser->arena, &nodes) = node;
		left = right;
	}
	return is_whole && nodes.count ? filter_node_join(parser->arena, FILTER_AND, nodes.at, nodes.count) : NULL;
}

static const struct filter_node *parse_relation(struct filter_parser *parser)
{
	enum quantifier quantifier = parse_quantifier(parser);
	struct filter_term *left = parse_and_bits(parser);
	const struct filter_node *node;
	const struct relation_sign *sign;

	if (parser->is_lost)
		return NULL;
	if (filter_skip(parser, "in"))
		return parse_set(parser, quantifier == QUANTIFIER_ALL, left);
	if (filter_skip(parser, "not")) {
		if (!filter_skip(parser, "in"))
			return unexpected(parser, "\"in\"");
		node = parse_set(parser, quantifier == QUANTIFIER_ALL, left);
		return node ? filter_node_not(parser->arena, node) : NULL;
	}
	sign = skip_relation(parser);
	if (sign)
		return parse_chain(parser, quantifier, sign, left);
	if (quantifier != QUANTIFIER_NONE)
		return unexpected(parser, "a comparison, such as \"==\",");
	return left ? filter_test(parser, left) : NULL;
}

// ---- conditions

static const struct filter_node *parse_not(struct filter_parser *parser)
{
	const struct filter_node *node;
	bool is_negated = false;

	while (filter_at(parser, "!") || filter_at(parser, "not")) {
		is_negated = !is_negated;
		filter_next(parser);
	}
	if (!filter_skip(parser, "(")) {
		node = parse_relation(parser);
	} else {
		if (is_too_deep(parser))
			return NULL;
		node = parse_or(parser);
		parser->depth--;
		if (!filter_skip(parser, ")"))
			return unexpected(parser, "\")\"");
	}
	return node && is_negated ? filter_node_not(parser->arena, node) : node;
}

static const struct filter_node *parse_joined(struct filter_parser *parser, enum filter_kind kind)
{
	const char *sign = kind == FILTER_AND ? "&&" : "||", *word = kind == FILTER_AND ? "and" : "or";
	node_list nodes = { 0 };
	bool is_whole = true;

	do {
		const struct filter_node *node =
			kind == FILTER_OR ? parse_joined(parser, FILTER_AND) : parse_not(parser);

		is_whole &= node != NULL;
		if (node)
			*list_add(parser->arena, &nodes) = node;
	} while (!parser->is_lost && (filter_skip(parser, sign) || filter_skip(parser, word)));
	if (!is_whole)
		return NULL;
	return nodes.count == 1 ? nodes.at[0] : filter_node_join(parser->arena, kind, nodes.at, nodes.count);
}

static const struct filter_node *parse_or(struct filter_parser *parser)
{
	return parse_joined(parser, FILTER_OR);
}

static void unused_rest(struct filter_parser *parser)
{
	struct diag_message *message;

	message = filter_error(parser, parser->token.text,
		"%s is not right here: \"&&\", \"||\" or the end of the filter expected",
		quote_token(parser));
	if (filter_at(parser, "xor"))
		diag_hint(parser->diag, message, "\"a xor b\" is \"(a || b) && !(a && b)\"");
	else if (filter_at(parser, "AND") || filter_at(parser, "OR") || filter_at(parser, "IN"))
		diag_hint(parser->diag, message, "operators in words have small letters");
	filter_lost(parser);
}

struct filter *filter_parse(struct arena *arena, const char *text, size_t length, struct place at,
			    const struct filter_names *names, struct diag *diag)
{
	struct filter_parser parser = {
		.arena = arena,
		.text = text,
		.end = text + length,
		.next = text,
		.begin = at,
		.names = names,
		.diag = diag,
	};
	const struct filter_node *root;

	filter_next(&parser);
	if (parser.token.kind == FILTER_END && !parser.is_lost)
		return filter_of(arena, filter_node_constant(arena, true));
	root = parse_or(&parser);
	if (!parser.is_lost && parser.token.kind != FILTER_END)
		unused_rest(&parser);
	if (!root || parser.errors)
		return NULL;
	if (root->kind == FILTER_NEVER)
		filter_warn(&parser, text, "this filter never holds");
	return filter_of(arena, root);
}
