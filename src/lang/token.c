// SPDX-License-Identifier: Apache-2.0
#include "lang/token.h"

#include <stdlib.h>

struct diag_message *fault(struct faults *faults, struct place at, const char *format, ...)
{
	struct diag_message *message;
	const char *text;
	va_list args;

	if (faults->is_over)
		return NULL;
	if (++faults->count > MOST_FAULTS) {
		faults->is_over = true;
		diag_error(faults->diag, at, "more than %d errors; what follows was not read", MOST_FAULTS);
		return NULL;
	}
	va_start(args, format);
	text = arena_vprint(faults->diag->arena, format, args);
	va_end(args);
	message = diag_error(faults->diag, at, "%s", text);
	return message;
}

void fault_hint(struct faults *faults, struct diag_message *message, const char *format, ...)
{
	const char *text;
	va_list args;

	if (!message)
		return;
	va_start(args, format);
	text = arena_vprint(faults->diag->arena, format, args);
	va_end(args);
	diag_hint(faults->diag, message, "%s", text);
}

const char *place_text(struct arena *arena, struct place place, struct place seen_from)
{
	bool is_same = !place.file || (seen_from.file && !strcmp(place.file, seen_from.file));

	if (is_same)
		return arena_print(arena, "line %u, column %u", place.line, place.column);
	return arena_print(arena, "%s, line %u, column %u", place.file, place.line, place.column);
}

void lexer_init(struct lexer *lexer, struct arena *arena, struct faults *faults, const char *file,
	const char *text, size_t length)
{
	static const char mark[] = "\xef\xbb\xbf"; // of byte order, which some editors write in front
	size_t skip = length >= 3 && !memcmp(text, mark, 3) ? 3 : 0;

	*lexer = (struct lexer){
		.arena = arena,
		.faults = faults,
		.cursor = { text + skip, text + length, { file, 1, 1 }, true },
	};
	if (length - skip >= 2 && !memcmp(text + skip, "#!", 2)) // a script's first line
		while (cursor_peek(&lexer->cursor, 0) && cursor_peek(&lexer->cursor, 0) != '\n')
			cursor_step(&lexer->cursor);
}

bool is_variable_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_name_character(char c)
{
	return is_variable_character(c) || c == '@';
}

bool is_white(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

char cursor_peek(const struct cursor *cursor, size_t ahead)
{
	return (size_t)(cursor->end - cursor->at) > ahead ? cursor->at[ahead] : 0;
}

// A line ends with \n, \r\n or a lone \r.
void cursor_step(struct cursor *cursor)
{
	char c = *cursor->at++;

	if (c == '\n' || (c == '\r' && cursor_peek(cursor, 0) != '\n')) {
		cursor->place.line++;
		cursor->place.column = 1;
		cursor->is_line_start = true;
	} else if ((c & 0xc0) != 0x80) {
		cursor->place.column++;
		cursor->is_line_start &= is_white(c);
	}
}

static void step_over(struct cursor *cursor, size_t bytes)
{
	while (bytes--)
		cursor_step(cursor);
}

static void skip_line_comment(struct cursor *cursor)
{
	while (cursor->at < cursor->end && *cursor->at != '\n' && *cursor->at != '\r')
		cursor_step(cursor);
}

static void skip_block_comment(struct cursor *cursor, struct faults *faults)
{
	struct place begin = cursor->place;

	step_over(cursor, 2);
	while (cursor->at < cursor->end) {
		if (*cursor->at == '*' && cursor_peek(cursor, 1) == '/') {
			step_over(cursor, 2);
			return;
		}
		cursor_step(cursor);
	}
	if (faults && !faults->is_over) {
		fault(faults, begin, "this comment is never closed");
		faults->is_over = true; // of what followed, nothing was read
	}
}

bool cursor_skip_blank(struct cursor *cursor, struct faults *faults)
{
	const char *begin = cursor->at;

	while (cursor->at < cursor->end) {
		if (is_white(*cursor->at))
			cursor_step(cursor);
		else if (*cursor->at == '/' && cursor_peek(cursor, 1) == '/')
			skip_line_comment(cursor);
		else if (*cursor->at == '/' && cursor_peek(cursor, 1) == '*')
			skip_block_comment(cursor, faults);
		else
			break;
	}
	return cursor->at > begin;
}

bool cursor_variable(struct cursor *cursor, struct token *name, struct token *otherwise)
{
	struct cursor look = *cursor;
	bool has_brace = cursor_peek(&look, 1) == '{';
	struct token found = { .kind = TOKEN_VARIABLE, .at = look.place };

	if (cursor_peek(&look, 0) != '$')
		return false;
	step_over(&look, has_brace ? 2 : 1);
	found.text = look.at;
	while (is_variable_character(cursor_peek(&look, 0)))
		cursor_step(&look);
	found.length = (uint32_t)(look.at - found.text);
	if (!found.length)
		return false;
	if (has_brace && otherwise && cursor_peek(&look, 0) == '-') {
		cursor_step(&look);
		*otherwise = (struct token){ .kind = TOKEN_NAME, .text = look.at, .at = look.place };
		while (look.at < look.end && *look.at != '}' && *look.at != '\n')
			cursor_step(&look);
		otherwise->length = (uint32_t)(look.at - otherwise->text);
	}
	if (has_brace && cursor_peek(&look, 0) != '}')
		return false;
	if (has_brace)
		cursor_step(&look);
	*cursor = look;
	*name = found;
	return true;
}

// `# 12 "file"` and `#line 12 "file"`, as preprocessors leave them: what follows is line 12 of that file.
static bool take_line_directive(struct lexer *lexer)
{
	struct cursor look = lexer->cursor;
	unsigned long line;
	const char *name;

	if (!look.is_line_start || cursor_peek(&look, 0) != '#')
		return false;
	cursor_step(&look);
	if (look.end - look.at > 4 && !memcmp(look.at, "line", 4))
		step_over(&look, 4);
	while (cursor_peek(&look, 0) == ' ' || cursor_peek(&look, 0) == '\t')
		cursor_step(&look);
	if (cursor_peek(&look, 0) < '0' || cursor_peek(&look, 0) > '9')
		return false;
	for (line = 0; cursor_peek(&look, 0) >= '0' && cursor_peek(&look, 0) <= '9'; cursor_step(&look))
		line = line < 100000000 ? line * 10 + (unsigned long)(*look.at - '0') : line;
	while (cursor_peek(&look, 0) == ' ' || cursor_peek(&look, 0) == '\t')
		cursor_step(&look);
	if (cursor_peek(&look, 0) == '"') {
		name = look.at + 1;
		for (cursor_step(&look); (unsigned char)cursor_peek(&look, 0) >= ' ' && *look.at != '"';)
			cursor_step(&look);
		if (cursor_peek(&look, 0) == '"')
			look.place.file = arena_text(lexer->arena, name, (size_t)(look.at - name));
	}
	skip_line_comment(&look); // flags of the preprocessor
	if (look.at < look.end && *look.at == '\r' && cursor_peek(&look, 1) == '\n')
		cursor_step(&look);
	if (look.at < look.end)
		cursor_step(&look);
	look.place.line = line ? (uint32_t)line : 1;
	lexer->cursor = look;
	return true;
}

static const struct sign {
	const char *text;
	enum token_kind kind;
} signs[] = { // of those that begin alike, the longest first
	{ "...", TOKEN_DOTS }, { "->", TOKEN_ARROW }, { "=>", TOKEN_FAT_ARROW }, { "::", TOKEN_COLONS },
	{ "||", TOKEN_BARS }, { "|", TOKEN_BAR }, { ";", TOKEN_SEMICOLON }, { ",", TOKEN_COMMA },
	{ "(", TOKEN_PAREN }, { ")", TOKEN_PAREN_END }, { "[", TOKEN_BRACKET }, { "]", TOKEN_BRACKET_END },
	{ "{", TOKEN_BRACE }, { "}", TOKEN_BRACE_END },
};

static bool take_sign(struct cursor *cursor, struct token *token)
{
	size_t left = (size_t)(cursor->end - cursor->at), length;

	for (unsigned i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		length = strlen(signs[i].text);
		if (length > left || memcmp(cursor->at, signs[i].text, length))
			continue;
		token->kind = signs[i].kind;
		step_over(cursor, length);
		return true;
	}
	return false;
}

static bool take_name(struct cursor *cursor, struct token *token)
{
	if (!is_name_character(*cursor->at))
		return false;
	while (is_name_character(cursor_peek(cursor, 0)) ||
	       (cursor_peek(cursor, 0) == '/' && is_name_character(cursor_peek(cursor, 1))))
		cursor_step(cursor);
	token->kind = TOKEN_NAME;
	return true;
}

// One character of UTF-8, or one byte that is none
static void take_stray(struct cursor *cursor, struct token *token)
{
	token->kind = TOKEN_STRAY;
	do
		cursor_step(cursor);
	while (cursor->at < cursor->end && (*cursor->at & 0xc0) == 0x80 && cursor->at - token->text < 4);
}

struct token token_next(struct lexer *lexer)
{
	struct cursor *cursor = &lexer->cursor;
	struct token token;

	do
		cursor_skip_blank(cursor, lexer->faults);
	while (take_line_directive(lexer));
	token = (struct token){ .kind = TOKEN_END, .text = cursor->at, .at = cursor->place };
	if (lexer->faults->is_over || cursor->at == cursor->end)
		return token;
	if (*cursor->at == '$' && cursor_variable(cursor, &token, NULL))
		return token;
	if (!take_sign(cursor, &token) && !take_name(cursor, &token))
		take_stray(cursor, &token);
	token.length = (uint32_t)(cursor->at - token.text);
	return token;
}

bool token_is(const struct token *token, const char *word)
{
	return token->kind == TOKEN_NAME && token->length == strlen(word) &&
	       !memcmp(token->text, word, token->length);
}

const char *token_quote(const struct lexer *lexer, const struct token *token)
{
	unsigned char c = token->length ? (unsigned char)*token->text : 0;

	if (token->kind == TOKEN_END)
		return "the end of the text";
	if (token->kind == TOKEN_VARIABLE)
		return arena_print(lexer->arena, "\"$%.*s\"", (int)token->length, token->text);
	if (c < ' ' || c == 0x7f || (c >= 0x80 && (c < 0xc2 || token->length < 2)))
		return arena_print(lexer->arena, "byte 0x%02x", c);
	return arena_print(lexer->arena, "\"%.*s\"", (int)token->length, token->text);
}
