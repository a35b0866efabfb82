// SPDX-License-Identifier: Apache-2.0
// Statements, and how reading goes on after one that is wrong.
#include "lang/graph_parser.h"

void advance(struct parser *parser)
{
	parser->token = token_next(&parser->lexer);
}

bool accept_token(struct parser *parser, enum token_kind kind)
{
	if (parser->token.kind != kind)
		return false;
	advance(parser);
	return true;
}

static const char *const kind_names[TOKEN_KINDS] = {
	[TOKEN_END] = "the end of the text", [TOKEN_NAME] = "a name", [TOKEN_VARIABLE] = "a variable",
	[TOKEN_ARROW] = "\"->\"", [TOKEN_FAT_ARROW] = "\"=>\"", [TOKEN_COLONS] = "\"::\"",
	[TOKEN_SEMICOLON] = "\";\"", [TOKEN_COMMA] = "\",\"", [TOKEN_PAREN] = "\"(\"",
	[TOKEN_PAREN_END] = "\")\"", [TOKEN_BRACKET] = "\"[\"", [TOKEN_BRACKET_END] = "\"]\"",
	[TOKEN_BRACE] = "\"{\"", [TOKEN_BRACE_END] = "\"}\"", [TOKEN_BAR] = "\"|\"",
	[TOKEN_BARS] = "\"||\"", [TOKEN_DOTS] = "\"...\"", [TOKEN_STRAY] = "something else",
};

bool expect(struct parser *parser, enum token_kind kind, const char *where)
{
	if (accept_token(parser, kind))
		return true;
	fault(parser->faults, parser->token.at, "expected %s %s, not %s", kind_names[kind], where,
		token_quote(&parser->lexer, &parser->token));
	return false;
}

char *word_of(struct parser *parser)
{
	return arena_text(parser->arena, parser->token.text, parser->token.length);
}

// No part of a name between slashes is a number: "1/x" reads like a prefix.
static bool has_number_part(const struct token *token)
{
	bool is_number = true;

	for (uint32_t i = 0; i < token->length; i++) {
		if (token->text[i] != '/')
			is_number &= token->text[i] >= '0' && token->text[i] <= '9';
		else if (is_number)
			return true;
		else
			is_number = true;
	}
	return is_number;
}

bool begins_statement(const struct token *token)
{
	return token_is(token, "elementclass") || token_is(token, "define") || token_is(token, "require");
}

static bool is_reserved(const struct token *token)
{
	return begins_statement(token) || token_is(token, "provide");
}

bool is_class_name(const char *text)
{
	struct token name = { .kind = TOKEN_NAME, .text = text };

	while (is_name_character(text[name.length]) ||
	       (name.length && text[name.length] == '/' && is_name_character(text[name.length + 1])))
		name.length++;
	return name.length && !text[name.length] && !has_number_part(&name) && !is_reserved(&name);
}

bool check_name(struct parser *parser, const char *what)
{
	const struct token *token = &parser->token;
	bool is_tunnel = parser->input != NAMES_NONE && (token_is(token, "input") || token_is(token, "output"));
	const char *quoted;

	if (token->kind != TOKEN_NAME) {
		fault(parser->faults, token->at, "expected the name of %s, not %s", what,
			token_quote(&parser->lexer, token));
		return false;
	}
	if (!is_reserved(token) && !is_tunnel && !has_number_part(token))
		return true;
	quoted = token_quote(&parser->lexer, token);
	if (has_number_part(token))
		fault(parser->faults, token->at, "%s cannot name %s: it is, or has a part that is, a number", quoted,
			what);
	else
		fault(parser->faults, token->at, "%s is a word of the language and cannot name %s", quoted, what);
	return false;
}

// To the end of a statement that could not be read: behind its ";", or before what ends the statements.
static void resynchronise(struct parser *parser)
{
	unsigned braces = 0;

	for (;; advance(parser)) {
		switch (parser->token.kind) {
		case TOKEN_END:
			return;
		case TOKEN_BRACE:
			braces++;
			continue;
		case TOKEN_BRACE_END:
			if (!braces)
				return;
			braces--;
			continue;
		case TOKEN_PAREN:
			if (!arguments_skip(&parser->lexer))
				fault(parser->faults, parser->token.at, "this \"(\" is never closed");
			continue;
		case TOKEN_PAREN_END:
			if (!braces && parser->is_in_group)
				return;
			continue;
		case TOKEN_SEMICOLON:
			if (!braces) {
				advance(parser);
				return;
			}
			continue;
		case TOKEN_BARS:
			if (!braces && parser->depth)
				return;
			continue;
		default:
			if (!braces && begins_statement(&parser->token))
				return;
		}
	}
}

static void hint_at_sign(struct parser *parser, struct diag_message *message, const struct token *token)
{
	static const struct {
		const char *sign, *hint;
	} hints[] = {
		{ "#", "comments begin with //" },
		{ "\xe2\x86\x92", "write \"->\"" }, // the arrow of word processors
		{ "\xe2\x87\x92", "write \"=>\"" },
		{ ":", "an element is declared with \"::\"" },
		{ "=", "many are connected with many by \"=>\"" },
		{ "-", "names have letters, digits and \"_\"; elements are connected with \"->\"" },
		{ "\"", "quoted text is for arguments, inside \"(\" and \")\"" },
		{ ".", "names have letters, digits and \"_\"" },
		{ "$", "a variable is \"$name\" or \"${name}\"" },
	};

	for (unsigned i = 0; i < sizeof(hints) / sizeof(*hints); i++)
		if (strlen(hints[i].sign) == token->length && !memcmp(hints[i].sign, token->text, token->length))
			fault_hint(parser->faults, message, "%s", hints[i].hint);
}

static void refuse(struct parser *parser)
{
	const struct token *token = &parser->token;
	struct diag_message *message;

	if (token->kind == TOKEN_STRAY && !*token->text) {
		fault(parser->faults, token->at, "a NUL byte: this is not a text");
		parser->faults->is_over = true;
		return;
	}
	message = fault(parser->faults, token->at, "%s has no meaning here", token_quote(&parser->lexer, token));
	hint_at_sign(parser, message, token);
}

// What may stand where a statement ends: its ";", another statement, or what ends them all
static bool is_at_end_of_statement(const struct parser *parser)
{
	switch (parser->token.kind) {
	case TOKEN_STRAY:
	case TOKEN_COLONS:
	case TOKEN_COMMA:
	case TOKEN_BRACKET_END:
	case TOKEN_BAR:
	case TOKEN_DOTS:
		return false;
	case TOKEN_PAREN_END:
		return parser->is_in_group;
	default:
		return true;
	}
}

static bool parse_one(struct parser *parser)
{
	if (token_is(&parser->token, "define"))
		return parse_define(parser);
	if (token_is(&parser->token, "require"))
		return parse_require(parser);
	if (token_is(&parser->token, "elementclass"))
		return parse_elementclass(parser);
	if (is_at_end_of_statement(parser) && !token_is(&parser->token, "provide"))
		return parse_connection(parser);
	refuse(parser);
	return false;
}

static void parse_statement(struct parser *parser)
{
	const char *begin = parser->token.text;

	if (!parse_one(parser)) {
		resynchronise(parser);
	} else if (!is_at_end_of_statement(parser)) {
		refuse(parser);
		resynchronise(parser);
	}
	if (parser->token.text == begin) // whatever happens, reading goes on
		advance(parser);
}

// True if what stands here ends the statements of this level; what ends none is an error and stepped over.
static bool is_end_of_statements(struct parser *parser)
{
	switch (parser->token.kind) {
	case TOKEN_END:
		return true;
	case TOKEN_BRACE_END:
	case TOKEN_BARS:
		if (parser->depth)
			return true;
		fault(parser->faults, parser->token.at, "%s without a \"{\" before it",
			kind_names[parser->token.kind]);
		break;
	case TOKEN_PAREN_END:
		if (parser->is_in_group)
			return true;
		fault(parser->faults, parser->token.at, "\")\" without a \"(\" before it");
		break;
	default:
		return false;
	}
	advance(parser);
	return false;
}

void parse_statements(struct parser *parser)
{
	while (!is_end_of_statements(parser))
		if (!accept_token(parser, TOKEN_SEMICOLON))
			parse_statement(parser);
}

void parse_text(struct parser *parser, const char *file, const char *text, size_t length)
{
	struct parser outside = *parser;

	lexer_init(&parser->lexer, parser->arena, parser->faults, file, text, length);
	advance(parser);
	parse_statements(parser);
	parser->lexer = outside.lexer;
	parser->token = outside.token;
}
