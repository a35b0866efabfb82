// SPDX-License-Identifier: Apache-2.0
// Arguments as text: where they end, where commas divide them, and the variables in them. Quotes and brackets keep
// commas and parentheses from meaning anything; comments are white space; what the text means is the class's affair.
#include "lang/graph_syntax.h"

enum { DEEPEST_BRACKETS = 64, USUAL_PIECES = 16, USUAL_ARGUMENTS = 8 };

struct scan {
	struct lexer *lexer;
	struct cursor *cursor;
	struct raw_arguments *arguments;
	struct raw_argument current;
	struct piece pieces[USUAL_PIECES];              // of the current one, before they are counted
	struct raw_argument list[USUAL_ARGUMENTS];
	const char *gap; // white space was skipped here, not yet written
	char quote;      // 0, '"' or '\''
	char brackets[DEEPEST_BRACKETS];
	struct place bracket_at[DEEPEST_BRACKETS];
	unsigned depth;
	bool has_values; // the text is put together from values; UNTIL_VALUE_END
	bool has_failed;
};

static void complain(struct scan *scan, struct place at, const char *text, const char *hint)
{
	if (!scan->has_failed)
		fault_hint(scan->lexer->faults, fault(scan->lexer->faults, at, "%s", text), "%s", hint);
	scan->has_failed = true;
}

// Past a quoted text, or past the data of `\<48 65>`; false at the end of the text
static bool skip_to(struct cursor *cursor, char closer)
{
	for (cursor_step(cursor); cursor->at < cursor->end; cursor_step(cursor)) {
		if (*cursor->at == closer) {
			cursor_step(cursor);
			return true;
		}
		if (closer == '"' && *cursor->at == '\\' && cursor_peek(cursor, 1))
			cursor_step(cursor);
	}
	return false;
}

// What find_end met: a text that is never closed is most likely the first one that runs over a line's end.
struct suspect {
	struct place at;
	char quote;
	bool is_open, is_certain;
};

static bool skip_quoted(struct cursor *cursor, struct suspect *suspect)
{
	struct place begin = cursor->place;
	char quote = *cursor->at;
	bool is_closed = skip_to(cursor, quote);

	if (!suspect->quote && (!is_closed || cursor->place.line != begin.line))
		*suspect = (struct suspect){ begin, quote, false, false };
	suspect->is_open |= !is_closed;
	return is_closed;
}

static bool is_end(char c, enum scan_until until)
{
	return (c == ')' && until == UNTIL_PAREN) || (c == ';' && until == UNTIL_SEMICOLON);
}

// To the character that ends the arguments; only parentheses, quotes and comments count on the way. False if the
// text ends before.
static bool find_end(struct cursor *cursor, enum scan_until until, struct suspect *suspect)
{
	unsigned depth = 0;
	char c;

	for (;;) {
		cursor_skip_blank(cursor, NULL);
		if (cursor->at == cursor->end)
			return until >= UNTIL_END;
		c = *cursor->at;
		if (c == '"' || c == '\'') {
			if (!skip_quoted(cursor, suspect))
				return false;
			continue;
		}
		if (!depth && is_end(c, until))
			return true;
		if (until == UNTIL_PAREN && c == '(')
			depth++;
		if (until == UNTIL_PAREN && c == ')')
			depth--;
		cursor_step(cursor);
	}
}

bool arguments_skip(struct lexer *lexer)
{
	struct suspect suspect = { 0 };
	struct cursor cursor = lexer->cursor;

	if (!find_end(&cursor, UNTIL_PAREN, &suspect))
		return false;
	cursor_step(&cursor);
	lexer->cursor = cursor;
	return true;
}

// Reading goes on behind the next semicolon, or before the brace that closes the compound element around.
static void resume(struct cursor *cursor)
{
	unsigned braces = 0;

	for (; cursor->at < cursor->end && *cursor->at != ';'; cursor_step(cursor)) {
		if (*cursor->at == '{')
			braces++;
		else if (*cursor->at == '}' && !braces--)
			return;
	}
	if (cursor->at < cursor->end)
		cursor_step(cursor);
}

static bool has_end(struct lexer *lexer, struct place open, enum scan_until until, struct cursor *end)
{
	struct suspect suspect = { 0 };

	*end = lexer->cursor;
	if (find_end(end, until, &suspect))
		return true;
	if (suspect.is_open)
		fault_hint(lexer->faults, fault(lexer->faults, suspect.at, "this quoted text is never closed"),
			"close it with another %c, or quote a lone %c with the other kind of quotes", suspect.quote,
			suspect.quote);
	else if (until == UNTIL_PAREN)
		fault(lexer->faults, open, "this \"(\" is never closed");
	else
		fault_hint(lexer->faults, fault(lexer->faults, open, "this definition does not end"),
			"it ends with a \";\"");
	resume(&lexer->cursor);
	return false;
}

static struct piece *last_piece(struct scan *scan)
{
	return scan->current.pieces.count ? &scan->current.pieces.at[scan->current.pieces.count - 1] : NULL;
}

static struct piece *add_piece(struct scan *scan, const char *text, uint32_t length)
{
	struct piece *piece = list_add(scan->lexer->arena, &scan->current.pieces);

	*piece = (struct piece){ .text = text, .length = length, .at = scan->cursor->place,
				 .is_quoted = scan->quote == '"' };
	return piece;
}

static bool is_continued(const struct piece *piece, const char *at, bool is_quoted)
{
	return piece && !piece->is_variable && piece->text + piece->length == at && piece->is_quoted == is_quoted;
}

static void begin_argument(struct scan *scan)
{
	if (!scan->current.pieces.count && !scan->current.at.line)
		scan->current.at = scan->cursor->place;
}

// White space that was skipped becomes one space, unless it stood at the argument's begin.
static void write_gap(struct scan *scan)
{
	const char *gap = scan->gap;

	scan->gap = NULL;
	if (!gap || !scan->current.pieces.count)
		return;
	if (scan->cursor->at == gap + 1 && *gap == ' ' && is_continued(last_piece(scan), gap, false))
		last_piece(scan)->length++;
	else
		add_piece(scan, " ", 1);
}

static void take_character(struct scan *scan)
{
	const char *at = scan->cursor->at;

	write_gap(scan);
	begin_argument(scan);
	if (is_continued(last_piece(scan), at, scan->quote == '"'))
		last_piece(scan)->length++;
	else
		add_piece(scan, at, 1);
	if (!*at)
		complain(scan, scan->cursor->place, "a NUL byte", "this is not a text");
	cursor_step(scan->cursor);
}

// A default is put in where the variable stands, as it is: it must not open what it does not close.
static void check_default(struct scan *scan, const struct token *otherwise)
{
	for (uint32_t i = 0; i < otherwise->length; i++) {
		if (!strchr("\"'()[]{},$\\;", otherwise->text[i]) && (unsigned char)otherwise->text[i] >= ' ' &&
		    !(i && otherwise->text[i - 1] == '/' && strchr("/*", otherwise->text[i])))
			continue;
		complain(scan, otherwise->at, "a default is plain text",
			"it cannot have quotes, brackets, commas, semicolons, comments, \"$\" or \"\\\"");
		return;
	}
}

static bool take_variable(struct scan *scan)
{
	struct token name, otherwise = { 0 };
	struct place at = scan->cursor->place;
	struct piece *piece;

	if (scan->quote == '\'' || *scan->cursor->at != '$')
		return false;
	write_gap(scan);
	begin_argument(scan);
	if (!cursor_variable(scan->cursor, &name, &otherwise)) {
		if (cursor_peek(scan->cursor, 1) == '{')
			complain(scan, at, "\"${\" begins a variable that does not end",
				"write ${name} or ${name-default}");
		return false;
	}
	piece = add_piece(scan, name.text, name.length);
	piece->at = at;
	piece->is_variable = scan->current.has_variables = true;
	piece->otherwise = otherwise.text;
	piece->otherwise_length = otherwise.length;
	check_default(scan, &otherwise);
	return true;
}

static void begin_next(struct scan *scan)
{
	scan->current = (struct raw_argument){ 0 };
	scan->current.pieces.at = scan->pieces;
	scan->current.pieces.room = USUAL_PIECES;
	scan->gap = NULL;
}

static void *kept(struct arena *arena, const void *items, size_t size)
{
	return size ? memcpy(arena_take(arena, size), items, size) : NULL;
}

static void end_argument(struct scan *scan)
{
	struct raw_argument *argument = &scan->current;
	struct arena *arena = scan->lexer->arena;

	if (!argument->at.line)
		argument->at = scan->cursor->place;
	if (!argument->has_variables)
		argument->plain = argument_of_pieces(arena, argument);
	argument->pieces.at = kept(arena, argument->pieces.at, argument->pieces.count * sizeof(struct piece));
	argument->pieces.room = argument->pieces.count;
	scan->arguments->has_variables |= argument->has_variables;
	*list_add(arena, &scan->arguments->list) = *argument;
	begin_next(scan);
}

static void open_bracket(struct scan *scan, char closer)
{
	if (scan->depth == DEEPEST_BRACKETS) {
		complain(scan, scan->cursor->place, "brackets more than 64 deep", "put the text in quotes");
		return;
	}
	scan->brackets[scan->depth] = closer;
	scan->bracket_at[scan->depth++] = scan->cursor->place;
}

static char opener_of(char closer)
{
	return closer == ')' ? '(' : closer == ']' ? '[' : '{';
}

static void close_bracket(struct scan *scan, char closer)
{
	const char *text;

	if (scan->depth && scan->brackets[scan->depth - 1] == closer) {
		scan->depth--;
		return;
	}
	text = arena_print(scan->lexer->arena, "\"%c\" closes nothing", closer);
	if (scan->depth)
		text = arena_print(scan->lexer->arena, "\"%c\" where the \"%c\" of column %u needs its \"%c\"",
			closer, opener_of(scan->brackets[scan->depth - 1]),
			scan->bracket_at[scan->depth - 1].column, scan->brackets[scan->depth - 1]);
	complain(scan, scan->cursor->place, text, "put the text in quotes if the brackets are meant as they are");
}

static void check_brackets(struct scan *scan)
{
	const char *text;

	if (!scan->depth)
		return;
	text = arena_print(scan->lexer->arena, "this \"%c\" is never closed",
		opener_of(scan->brackets[scan->depth - 1]));
	complain(scan, scan->bracket_at[scan->depth - 1], text,
		"put the text in quotes if the bracket is meant as it is");
}

static void take_quoted(struct scan *scan)
{
	char quote = *scan->cursor->at;

	take_character(scan);
	scan->quote = quote;
	while (scan->cursor->at < scan->cursor->end && *scan->cursor->at != quote) {
		if (take_variable(scan))
			continue;
		if (quote == '"' && *scan->cursor->at == '\\' && cursor_peek(scan->cursor, 1))
			take_character(scan);
		take_character(scan);
	}
	scan->quote = 0;
	if (scan->cursor->at < scan->cursor->end)
		take_character(scan);
}

// Bytes in hexadecimal: \<48 45 4c>
static void take_data(struct scan *scan)
{
	struct place at = scan->cursor->place;

	take_character(scan);
	take_character(scan);
	while (scan->cursor->at < scan->cursor->end && *scan->cursor->at &&
	       strchr("0123456789abcdefABCDEF \t\r\n", *scan->cursor->at))
		take_character(scan);
	if (cursor_peek(scan->cursor, 0) == '>')
		take_character(scan);
	else
		complain(scan, at, "\"\\<\" begins data that does not end", "write \\<48 45 4c>, digits and spaces");
}

// Values that stand side by side must not make what none of them is.
static bool takes_comment(struct scan *scan)
{
	if (!scan->has_values || *scan->cursor->at != '/' || !memchr("/*", cursor_peek(scan->cursor, 1), 2))
		return false;
	complain(scan, scan->cursor->place, "a value makes a comment here", "put it in quotes");
	cursor_step(scan->cursor);
	return true;
}

static void take_one(struct scan *scan)
{
	char c = *scan->cursor->at;

	if (takes_comment(scan))
		return;
	if (c == '"' || c == '\'') {
		take_quoted(scan);
		return;
	}
	if (c == '\\' && cursor_peek(scan->cursor, 1) == '<') {
		take_data(scan);
		return;
	}
	if (c == '(' || c == '[' || c == '{')
		open_bracket(scan, c == '(' ? ')' : c == '[' ? ']' : '}');
	if (c == ')' || c == ']' || c == '}')
		close_bracket(scan, c);
	if (!take_variable(scan))
		take_character(scan);
}

// The last argument of several does not count if it is empty: Queue(), Queue(10, ).
static void end_last(struct scan *scan, const struct cursor *end)
{
	if (scan->current.pieces.count)
		end_argument(scan);
	check_brackets(scan);
	*scan->cursor = *end;
	if (end->at < end->end)
		cursor_step(scan->cursor);
	scan->arguments->list.at = kept(scan->lexer->arena, scan->arguments->list.at,
		scan->arguments->list.count * sizeof(struct raw_argument));
	scan->arguments->list.room = scan->arguments->list.count;
}

static bool skip_blank(struct scan *scan)
{
	const char *before = scan->cursor->at;

	if (!scan->has_values)
		return cursor_skip_blank(scan->cursor, NULL);
	while (is_white(cursor_peek(scan->cursor, 0)))
		cursor_step(scan->cursor);
	return scan->cursor->at > before;
}

bool arguments_scan(struct lexer *lexer, struct place open, enum scan_until until, bool is_divided,
	struct raw_arguments *arguments)
{
	struct scan scan = { .lexer = lexer, .cursor = &lexer->cursor, .arguments = arguments,
			     .has_values = until == UNTIL_VALUE_END };
	const char *before;
	struct cursor end;

	arguments->is_divided = is_divided;
	if (!has_end(lexer, open, until, &end))
		return false;
	arguments->list.at = scan.list;
	arguments->list.room = USUAL_ARGUMENTS;
	begin_next(&scan);
	for (;;) {
		before = lexer->cursor.at;
		if (skip_blank(&scan) && !scan.gap)
			scan.gap = before;
		if (lexer->cursor.at >= end.at)
			break;
		if (*lexer->cursor.at == ',' && !scan.depth && is_divided) {
			end_argument(&scan);
			cursor_step(&lexer->cursor);
			continue;
		}
		take_one(&scan);
	}
	end_last(&scan, &end);
	return !scan.has_failed;
}
