// SPDX-License-Identifier: Apache-2.0
// Compound elements and the classes that are made of them.
#include "lang/graph_parser.h"

bool enter(struct parser *parser, struct place at)
{
	if (parser->depth++ < GRAPH_DEEPEST)
		return true;
	fault(parser->faults, at, "compound elements and groups stand more than %d deep in one another",
		GRAPH_DEEPEST);
	parser->faults->is_over = true;
	return false;
}

void leave(struct parser *parser, struct place open, enum token_kind closer)
{
	parser->depth--;
	if (accept_token(parser, closer))
		return;
	if (!parser->is_cut)
		fault(parser->faults, open, "this \"%s\" is never closed", closer == TOKEN_PAREN_END ? "(" : "{");
	parser->is_cut |= parser->token.kind == TOKEN_END;
}

static bool check_formal(struct parser *parser, const struct formal *formal)
{
	const struct body *body = parser->body;
	const struct formal *before = body->formals.count ? &body->formals.at[body->formals.count - 1] : NULL;

	if (!before || (!before->is_rest && (formal->keyword || !before->keyword)))
		return true;
	fault(parser->faults, formal->at, before->is_rest ? "$%s stands behind __REST__, which takes all the others"
							  : "$%s stands behind a keyword: those without come first",
		formal->name);
	return false;
}

// $a or KEYWORD $a
static bool parse_formal(struct parser *parser)
{
	struct formal formal = { .at = parser->token.at };

	if (parser->token.kind == TOKEN_NAME) {
		formal.keyword = word_of(parser);
		formal.is_rest = token_is(&parser->token, "__REST__");
		advance(parser);
	}
	if (parser->token.kind != TOKEN_VARIABLE)
		return expect(parser, TOKEN_VARIABLE, "that takes an argument");
	formal.name = word_of(parser);
	if (check_formal(parser, &formal) && body_define(parser, parser->body, formal.name, parser->token.at))
		*list_add(parser->arena, &parser->body->formals) = formal;
	advance(parser);
	return true;
}

// Whether what begins here are the formals of a body: `$a`, `KEYWORD $a` or nothing before the bar
static bool has_formals(const struct parser *parser)
{
	struct lexer look = parser->lexer;
	struct token next;

	if (parser->token.kind == TOKEN_BAR)
		return true;
	if (parser->token.kind != TOKEN_VARIABLE && parser->token.kind != TOKEN_NAME)
		return false;
	next = token_next(&look);
	if (parser->token.kind == TOKEN_NAME)
		return next.kind == TOKEN_VARIABLE;
	return next.kind == TOKEN_COMMA || next.kind == TOKEN_BAR;
}

static void parse_formals(struct parser *parser)
{
	if (!has_formals(parser))
		return;
	if (parser->token.kind != TOKEN_BAR)
		while (parse_formal(parser) && accept_token(parser, TOKEN_COMMA))
			;
	expect(parser, TOKEN_BAR, "behind the variables of a compound element");
}

static void parse_body(struct parser *parser, struct place at)
{
	struct body *body = parser->body = body_create(parser, parser->body, at);

	parser->is_in_group = false;
	body->input = parser->input = body_add_tunnel(parser, at, false);
	body->output = parser->output = body_add_tunnel(parser, at, true);
	parse_formals(parser);
	parse_statements(parser);
	body_finish(parser, body);
}

static void set_base(struct parser *parser, struct class *class, const char *name)
{
	class->base_name = name;
	class->base = body_class(parser->body, name);
	if (class->base && class->base->is_synonym) {
		class->base_name = class->base->base_name;
		class->base = class->base->base;
	}
}

// || ...
static void extend(struct parser *parser, struct class *class)
{
	if (!class->name)
		fault(parser->faults, parser->token.at,
			"\"...\" extends a class, and this compound element has no name");
	class->is_extension = true;
	set_base(parser, class, class->name ? class->name : "");
	class->is_broken |= class->base && class->base->is_broken;
	advance(parser);
	if (parser->token.kind == TOKEN_BARS) {
		fault(parser->faults, parser->token.at, "\"...\" is the last of the definitions");
		while (parser->token.kind != TOKEN_BRACE_END && parser->token.kind != TOKEN_END)
			advance(parser);
	}
}

struct class *parse_compound(struct parser *parser, const char *name, struct place at)
{
	struct parser outside = *parser;
	struct defining defining = { parser->defining, name };
	struct class *class = arena_new(parser->arena, struct class);
	unsigned faults = parser->faults->count;

	*class = (struct class){ .name = name, .at = at, .home = parser->body };
	if (!enter(parser, at))
		return NULL;
	parser->defining = &defining;
	do {
		if (parser->token.kind == TOKEN_DOTS) {
			extend(parser, class);
			break;
		}
		parse_body(parser, at);
		*list_add(parser->arena, &class->bodies) = parser->body;
		parser->body = outside.body;
	} while (accept_token(parser, TOKEN_BARS));
	leave(parser, at, TOKEN_BRACE_END);
	class->is_broken |= parser->faults->count != faults;
	parser->defining = outside.defining;
	parser->is_in_group = outside.is_in_group;
	parser->input = outside.input;
	parser->output = outside.output;
	return parser->faults->is_over ? NULL : class;
}

static void make_visible(struct parser *parser, struct class *class)
{
	struct body *body = parser->body;

	class->older = body->youngest;
	body->youngest = class;
	*list_add(parser->arena, &body->classes) = class;
	names_set(&body->class_names, class->name, strlen(class->name), body->classes.count - 1);
}

static struct class *parse_synonym(struct parser *parser, const char *name, struct place at)
{
	struct class *class = arena_new(parser->arena, struct class);

	*class = (struct class){ .name = name, .at = at, .home = parser->body };
	class->is_synonym = true;
	set_base(parser, class, word_of(parser));
	advance(parser);
	return class;
}

// elementclass Name { ... }, elementclass Name Other
bool parse_elementclass(struct parser *parser)
{
	struct class *class = NULL;
	struct place at, open;
	const char *name;

	advance(parser);
	at = parser->token.at;
	if (!check_name(parser, "a class")) {
		accept_token(parser, TOKEN_NAME);
		return false;
	}
	name = word_of(parser);
	advance(parser);
	open = parser->token.at;
	if (accept_token(parser, TOKEN_BRACE))
		class = parse_compound(parser, name, open);
	else if (parser->token.kind != TOKEN_NAME)
		fault(parser->faults, open, "expected \"{\" or another class behind \"elementclass %s\", not %s",
			name, token_quote(&parser->lexer, &parser->token));
	else if (check_name(parser, "a class"))
		class = parse_synonym(parser, name, at);
	else
		advance(parser);
	if (class)
		make_visible(parser, class);
	return class;
}
