// SPDX-License-Identifier: Apache-2.0
// The parser's hands: what its files share. Recursive descent; recursion is bounded by GRAPH_DEEPEST. Inside this
// folder only.
#ifndef LANG_GRAPH_PARSER_H
#define LANG_GRAPH_PARSER_H

#include "lang/graph_syntax.h"

struct defining { // elementclass statements that the parser is in
	const struct defining *outer;
	const char *name;
};

struct parser {
	struct lexer lexer;
	struct token token; // the one to look at; the lexer stands right behind it
	struct syntax *syntax;
	struct arena *arena;
	struct faults *faults;
	struct body *body;
	const struct defining *defining;
	uint32_t input, output; // nodes that `input` and `output` mean here; NAMES_NONE: nothing
	unsigned depth;         // of braces and groups
	bool is_in_group;
	bool is_cut;            // the text ended inside braces or a group, and this was said
};

// Words
void advance(struct parser *parser);
bool accept_token(struct parser *parser, enum token_kind kind);
// Else an error: expected "[" WHERE, not ..
bool expect(struct parser *parser, enum token_kind kind, const char *where);
char *word_of(struct parser *parser); // the name at hand, as text in the arena
bool begins_statement(const struct token *token);     // is define, require, elementclass
bool check_name(struct parser *parser, const char *what); // the name at hand may name a WHAT

// Statements, up to the one of END, "}", "||" or, in a group, ")" that ends them
void parse_statements(struct parser *parser);
// What begins here; false: reading goes on with the next statement
bool parse_define(struct parser *parser);
bool parse_require(struct parser *parser);
bool parse_elementclass(struct parser *parser);
bool parse_connection(struct parser *parser);

// Behind "{", up to and with "}"; NULL after an error
struct class *parse_compound(struct parser *parser, const char *name, struct place at);
bool enter(struct parser *parser, struct place at); // one level deeper; false if that is too deep
void leave(struct parser *parser, struct place open, enum token_kind closer);

// Bodies
struct body *body_create(struct parser *parser, struct body *outer, struct place at);
uint32_t body_add_tunnel(struct parser *parser, struct place at, bool is_output);
struct node *body_add(struct parser *parser, enum node_kind kind, struct place at); // good until the next
void body_declare(struct parser *parser, uint32_t node, const char *name);
// The next formal's or, behind them, the next definition's name; false if the body has one of that name.
bool body_define(struct parser *parser, struct body *body, const char *name, struct place at);
struct class *body_class(const struct body *body, const char *name); // NULL: not of this text
void body_check_tunnels(struct parser *parser, struct body *body);
void body_finish(struct parser *parser, struct body *body); // when all of it is read

// require(library FILE): its statements, as if they stood here
void parse_library(struct parser *parser, const char *path, struct place at);
// All of a file's text
void parse_text(struct parser *parser, const char *file, const char *text, size_t length);

#endif
