// SPDX-License-Identifier: Apache-2.0
// define($name value), define event ..., require(module NAME >= VERSION), require(library FILE)
#include "lang/graph_parser.h"

// Of `$name value`, what stands behind the name
static bool split_definition(struct parser *parser, const struct raw_argument *raw, struct raw_argument *value)
{
	const struct piece *name = raw->pieces.at, *next = name ? name + 1 : NULL;

	if (!name || !name->is_variable || name->otherwise || name->is_quoted ||
	    (raw->pieces.count > 1 && (next->is_variable || *next->text != ' '))) {
		fault_hint(parser->faults, fault(parser->faults, raw->at, "expected \"$name value\" inside define()"),
			"as in define($rate 1000, $device eth0)");
		return false;
	}
	*value = *raw;
	value->pieces.at = arena_array(parser->arena, struct piece, raw->pieces.count);
	value->pieces.count--;
	memcpy(value->pieces.at, next, value->pieces.count * sizeof(*next));
	if (value->pieces.count) {
		value->pieces.at->text++; // the space
		value->pieces.at->length--;
		value->pieces.at->at.column += *next->text == ' ' && next->length > 1;
	}
	value->has_variables = false;
	list_each (piece, &value->pieces)
		value->has_variables |= piece->is_variable;
	return true;
}

static void define(struct parser *parser, const struct raw_argument *raw)
{
	struct definition definition = { .at = raw->at };

	if (!split_definition(parser, raw, &definition.value))
		return;
	definition.name = arena_text(parser->arena, raw->pieces.at->text, raw->pieces.at->length);
	if (body_define(parser, parser->body, definition.name, definition.at))
		*list_add(parser->arena, &parser->body->definitions) = definition;
}

static bool is_word(const struct cursor *cursor, const char *word)
{
	size_t length = strlen(word);

	return (size_t)(cursor->end - cursor->at) >= length && !memcmp(cursor->at, word, length) &&
	       !is_name_character(cursor_peek(cursor, length));
}

static bool is_statement_begin(const struct cursor *cursor)
{
	const char *at = cursor->at;

	if (cursor->is_line_start)
		return is_word(cursor, "define") || is_word(cursor, "require") || is_word(cursor, "elementclass");
	if (*at == ':' && cursor_peek(cursor, 1) == ':') // not that of an IPv6 address
		return is_white(at[-1]) && is_white(cursor_peek(cursor, 2));
	return (*at == '-' || *at == '=') && cursor_peek(cursor, 1) == '>';
}

// A filter is free text, which would swallow the next statements if its ";" is missing: true if they begin before
// it. Reading then goes on with the line where they do.
static bool is_end_missing(struct parser *parser, struct place begin)
{
	struct cursor cursor = parser->lexer.cursor, line = cursor;
	char quote = 0;

	for (;; cursor_step(&cursor)) {
		if (!quote)
			cursor_skip_blank(&cursor, NULL);
		if (cursor.at == cursor.end || (!quote && *cursor.at == ';'))
			return false;
		if (cursor.is_line_start)
			line = cursor;
		if (!quote && cursor.place.line > begin.line && is_statement_begin(&cursor))
			break;
		if (*cursor.at == '"' || *cursor.at == '\'')
			quote = !quote ? *cursor.at : quote == *cursor.at ? 0 : quote;
	}
	fault_hint(parser->faults, fault(parser->faults, begin, "this definition does not end before line %u",
		line.place.line), "it ends with a \";\"");
	parser->lexer.cursor = line;
	return true;
}

static bool parse_event(struct parser *parser, struct place begin)
{
	struct raw_event event = { .at = begin };
	bool is_good;

	if (parser->body->outer || parser->is_in_group)
		fault(parser->faults, begin, "an event is defined outside of compound elements and groups");
	is_good = !is_end_missing(parser, begin) &&
		  arguments_scan(&parser->lexer, begin, UNTIL_SEMICOLON, false, &event.text);
	advance(parser);
	if (is_good && !parser->body->outer)
		*list_add(parser->arena, &parser->syntax->events) = event;
	return true;
}

bool parse_define(struct parser *parser)
{
	struct raw_arguments arguments = { 0 };
	struct place begin = parser->token.at;

	advance(parser);
	if (token_is(&parser->token, "event"))
		return parse_event(parser, begin);
	if (parser->token.kind != TOKEN_PAREN) {
		fault_hint(parser->faults, fault(parser->faults, parser->token.at,
			"expected \"(\" or \"event\" behind \"define\", not %s",
			token_quote(&parser->lexer, &parser->token)), "as in define($rate 1000)");
		return false;
	}
	if (arguments_scan(&parser->lexer, parser->token.at, UNTIL_PAREN, true, &arguments))
		list_each (argument, &arguments.list)
			define(parser, argument);
	advance(parser);
	return true;
}

static const struct {
	const char *sign;
	enum graph_version compare;
} comparisons[] = {
	{ ">=", GRAPH_AT_LEAST }, { "<=", GRAPH_AT_MOST }, { "==", GRAPH_EQUAL },
	{ "=", GRAPH_EQUAL }, { ">", GRAPH_ABOVE }, { "<", GRAPH_BELOW },
};

static enum graph_version comparison_of(const char *sign)
{
	for (unsigned i = 0; i < sizeof(comparisons) / sizeof(*comparisons); i++)
		if (!strcmp(comparisons[i].sign, sign))
			return comparisons[i].compare;
	return GRAPH_ANY_VERSION;
}

// Numbers with dots between them
static bool is_version(const char *text)
{
	for (; *text >= '0' && *text <= '9'; text++) {
		text += strspn(text, "0123456789");
		if (!*text)
			return true;
		if (*text != '.')
			return false;
	}
	return false;
}

static bool read_version(struct parser *parser, struct words *words, struct graph_require *require)
{
	if (!words->word.text)
		return true;
	require->compare = comparison_of(words->word.text);
	if (require->compare == GRAPH_ANY_VERSION) {
		fault_hint(parser->faults, fault(parser->faults, words->word.at, "\"%s\" compares no versions",
			words->word.text), "write one of >= <= == > <");
		return false;
	}
	words_next(words);
	require->version = words->word;
	if (words->word.text && is_version(words->word.text)) {
		words_next(words);
		if (!words->word.text)
			return true;
	}
	fault_hint(parser->faults, fault(parser->faults, words->word.at, "expected a version, not %s%s%s",
		words->word.text ? "\"" : "", words->word.text ? words->word.text : "the end of the requirement",
		words->word.text ? "\"" : ""), "as in require(module nat >= 1.2)");
	return false;
}

// module NAME [COMPARISON VERSION], library FILE; Click's `package NAME` and bare `NAME` mean modules
static void require(struct parser *parser, const struct graph_argument *argument)
{
	struct graph_require require = { 0 };
	struct words words;
	bool is_library;

	words_begin(&words, parser->arena, argument, "<>=!");
	is_library = word_is(&words, "library");
	if (is_library || word_is(&words, "module") || word_is(&words, "package"))
		words_next(&words);
	require.module = words.word;
	if (!words.word.text) {
		fault_hint(parser->faults, fault(parser->faults, argument->at, "nothing is required here"),
			"write require(module NAME) or require(library FILE)");
		return;
	}
	if (is_library) {
		parse_library(parser, argument->text + words.word_at, words.word.at);
		return;
	}
	words_next(&words);
	if (read_version(parser, &words, &require))
		*list_add(parser->arena, &parser->syntax->requires) = require;
}

bool parse_require(struct parser *parser)
{
	struct raw_arguments arguments = { 0 };

	advance(parser);
	if (parser->token.kind != TOKEN_PAREN)
		return expect(parser, TOKEN_PAREN, "behind \"require\"");
	if (arguments_scan(&parser->lexer, parser->token.at, UNTIL_PAREN, true, &arguments))
		list_each (argument, &arguments.list) {
			if (argument->has_variables)
				fault(parser->faults, argument->at, "what is required cannot depend on variables");
			else
				require(parser, &argument->plain);
		}
	advance(parser);
	return true;
}
