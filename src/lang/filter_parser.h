// SPDX-License-Identifier: Apache-2.0
// Inside of the filter parser: words (filter_token.c), grammar (filter_parse.c), literals (filter_literal.c), and what
// may be compared with what (filter_type.c).
#ifndef LANG_FILTER_PARSER_H
#define LANG_FILTER_PARSER_H

#include "event/filter_tree.h"
#include "lang/filter_parse.h"

enum filter_token_kind {
	FILTER_END,
	FILTER_WORD,      // a name, number, address, bytes; or an operator in English
	FILTER_STRING,    // in double quotes; value: without quotes and escapes
	FILTER_CHARACTER, // in single quotes
	FILTER_SIGN,      // "==", "(", "&&", ...
	FILTER_BAD,       // reported; everything behind it is passed over
};

struct filter_token {
	enum filter_token_kind kind;
	const char *text; // in the filter's text, not terminated
	uint32_t length;
	const uint8_t *value;
	uint32_t value_length;
};

struct filter_parser {
	struct arena *arena;
	const char *text, *end, *next; // next: behind the token
	struct filter_token token;     // the one to be looked at
	struct place begin;
	const struct filter_names *names;
	struct diag *diag;
	unsigned depth;
	bool is_lost; // a mistake of grammar: nothing behind it makes sense
	unsigned errors;
};

// filter_token.c
void filter_next(struct filter_parser *parser);
bool filter_at(const struct filter_parser *parser, const char *sign); // the token is this sign or word
bool filter_skip(struct filter_parser *parser, const char *sign);     // steps over it, if it is
struct diag_message *filter_error(struct filter_parser *parser, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
struct diag_message *filter_warn(struct filter_parser *parser, const char *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// filter_parse.c
void *filter_lost(struct filter_parser *parser); // after a mistake of grammar; NULL
// filter_brackets.c
// The pieces in brackets, the token being "["; steps behind "]". 0 after a message.
unsigned filter_brackets(struct filter_parser *parser, struct filter_slice *slices);
// `#2`, `#-1`, `#[1-2]` behind a name; 0: there are none, or after a message.
unsigned filter_layers(struct filter_parser *parser, struct filter_slice *layers);

// filter_name.c
// The field of this name; NULL: none (no message).
const struct field *filter_field(struct filter_parser *parser, const char *name, size_t length);
// The reference that a name stands for, with its layers. NULL after a message.
const struct filter_reference *filter_refer(struct filter_parser *parser, const struct field *field, const char *name,
					    const struct filter_slice *layers, unsigned count, const char *at);
void filter_no_such_name(struct filter_parser *parser, const struct filter_term *word);
// Where a word was taken for a value: is it a name misspelt?
void filter_suggest(struct filter_parser *parser, struct diag_message *message, const struct filter_term *word);

// filter_literal.c
// A literal as a constant of a type; NULL after a message. `beside`: what it is compared with, for messages.
struct filter_term *filter_constant(struct filter_parser *parser, const struct filter_term *literal,
				    enum field_type type, const struct filter_term *beside);
struct filter_term *filter_number(struct filter_parser *parser, const struct filter_term *literal);
bool filter_literal_time(const char *text, size_t length, uint64_t *ns); // "2024-02-29 12:00:00.5Z"

// filter_term.c: each NULL after a message
struct filter_term *filter_binary(struct filter_parser *parser, enum filter_term_kind kind, struct filter_term *left,
				  struct filter_term *right);
struct filter_term *filter_negative(struct filter_parser *parser, struct filter_term *term);
struct filter_term *filter_sliced(struct filter_parser *parser, struct filter_term *term,
				  const struct filter_slice *slices, unsigned count);
bool filter_has_bytes(enum field_type type); // may be cut, and compared with bytes
bool filter_is_comparable(const struct filter_term *a, const struct filter_term *b);
// The header's bytes in the place of whether it is there, or back; of protocols.
void filter_look_at(struct filter_parser *parser, struct filter_term *term, enum filter_operand_kind kind);

// filter_type.c: each NULL after a message
const struct filter_node *filter_compare(struct filter_parser *parser, enum filter_relation relation, bool all,
					 struct filter_term *left, struct filter_term *right);
const struct filter_node *filter_member(struct filter_parser *parser, bool all, struct filter_term *left,
					struct filter_term **items, unsigned count);
const struct filter_node *filter_test(struct filter_parser *parser, struct filter_term *term);
// filter_function.c
struct filter_term *filter_call(struct filter_parser *parser, const struct filter_token *name,
	struct filter_term **terms, unsigned count);

const char *filter_term_quote(struct filter_parser *parser, const struct filter_term *term); // as it stands in the text
const char *filter_type_name(enum field_type type); // "an IPv4 address"
bool filter_is_bytes(enum field_type type);         // protocols, bytes
struct filter_term *filter_term_new(struct filter_parser *parser, enum filter_term_kind kind, enum field_type type,
				    const char *from, const char *to);

#endif
