// SPDX-License-Identifier: Apache-2.0
// The graph language's words, and the place of each in the file. Inside this folder only.
#ifndef LANG_TOKEN_H
#define LANG_TOKEN_H

#include "lib/arena.h"
#include "lib/diag.h"

// The errors of one graph. After MOST_FAULTS no more are reported and every lexer is at its end.
struct faults {
	struct diag *diag;
	unsigned count;
	bool is_over;
};

enum { MOST_FAULTS = 100 };

// NULL, which fault_hint takes, when there are too many
struct diag_message *fault(struct faults *faults, struct place at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void fault_hint(struct faults *faults, struct diag_message *message, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// `line 3, column 7`, and the file if it is another one than that of `seen_from`; for hints
const char *place_text(struct arena *arena, struct place place, struct place seen_from);

// A position in a text. Columns count characters of UTF-8, tabs as one.
struct cursor {
	const char *at, *end;
	struct place place;
	bool is_line_start; // nothing but white space before it in its line
};

enum token_kind {
	TOKEN_END,
	TOKEN_NAME,     // letters, digits, _ @ and inner slashes
	TOKEN_VARIABLE, // $name, ${name}; its text is the name
	TOKEN_ARROW,
	TOKEN_FAT_ARROW,
	TOKEN_COLONS,
	TOKEN_SEMICOLON,
	TOKEN_COMMA,
	TOKEN_PAREN,
	TOKEN_PAREN_END,
	TOKEN_BRACKET,
	TOKEN_BRACKET_END,
	TOKEN_BRACE,
	TOKEN_BRACE_END,
	TOKEN_BAR,
	TOKEN_BARS,
	TOKEN_DOTS,
	TOKEN_STRAY, // a character that has no meaning here
	TOKEN_KINDS,
};

struct token {
	enum token_kind kind;
	const char *text; // in the file's text, not terminated
	uint32_t length;
	struct place at;
};

struct lexer {
	struct arena *arena;
	struct faults *faults;
	struct cursor cursor; // behind the last token
};

void lexer_init(struct lexer *lexer, struct arena *arena, struct faults *faults, const char *file,
	const char *text, size_t length);
struct token token_next(struct lexer *lexer);
bool token_is(const struct token *token, const char *word); // is this name
// `"->"`, `"fw"`, `the end of the text`; for messages
const char *token_quote(const struct lexer *lexer, const struct token *token);

// Shared with the scanner of arguments
bool is_name_character(char c);
bool is_variable_character(char c);
bool is_white(char c);
char cursor_peek(const struct cursor *cursor, size_t ahead); // 0 behind the end
void cursor_step(struct cursor *cursor);
// True if white space or a comment was skipped; a comment without an end is an error at its begin (if faults).
bool cursor_skip_blank(struct cursor *cursor, struct faults *faults);
// `$name` or `${name}` at the cursor, stepped over; false (and not stepped) if there is none. A default, as in
// `${name-default}`, comes back in *otherwise if that is not NULL, and is refused where it is.
bool cursor_variable(struct cursor *cursor, struct token *name, struct token *otherwise);

#endif
