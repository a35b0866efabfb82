// SPDX-License-Identifier: Apache-2.0
// What the parser makes of a text and the expansion walks: bodies (the file, and what stands between the braces of a
// compound element) with nodes, wires and classes, names not yet flattened, variables not yet replaced. Inside this
// folder only.
#ifndef LANG_GRAPH_SYNTAX_H
#define LANG_GRAPH_SYNTAX_H

#include "lang/graph.h"
#include "lang/token.h"

// From a byte of an argument's text on, the bytes stand side by side in the file from this place on.
struct graph_span {
	uint32_t offset;
	bool is_value; // of a variable, used at this place
	struct place at;
};

// An argument before its variables have values: slices of the file's text and variables between them.
struct piece {
	const char *text;      // not terminated; of a variable, its name
	const char *otherwise; // of a variable: its default, or NULL
	uint32_t length, otherwise_length;
	bool is_variable, is_quoted; // quoted: inside "..."
	struct place at;
};

struct raw_argument {
	LIST(struct piece) pieces;
	struct place at;
	bool has_variables;
	bool is_blamed;              // an error was reported for it
	struct graph_argument plain; // ready, if it has none
};

struct raw_arguments {
	LIST(struct raw_argument) list;
	bool is_divided, has_variables, is_checked;
	struct graph_argument *ready; // all of them, if none has
};

// How a text of arguments ends, and whether commas divide it
enum scan_until { UNTIL_PAREN, UNTIL_SEMICOLON, UNTIL_END, UNTIL_VALUE_END };

// Reads from the lexer's cursor, which stands behind the "(" at `open`, and leaves it behind the end. After an error
// (false) the cursor stands where reading may go on.
bool arguments_scan(struct lexer *lexer, struct place open, enum scan_until until, bool is_divided,
	struct raw_arguments *arguments);
// Past the `)` that closes, without a word; false if there is none
bool arguments_skip(struct lexer *lexer);

struct formal { // of a compound element: `$name`, `KEYWORD $name`, `__REST__ $name`
	const char *name, *keyword;
	bool is_rest;
	struct place at;
};

struct definition { // define($name value)
	const char *name;
	struct raw_argument value;
	struct place at;
	bool is_blamed; // an error was reported for it
	bool is_set;    // by --set
	bool is_used;   // somewhere in the text
};

struct port {
	const char *text; // NULL: not written
	struct place at;
};

enum node_kind {
	NODE_ELEMENT,
	NODE_MENTION, // a bare name; becomes an element, or stands for one that is declared somewhere in the body
	NODE_TUNNEL,  // where wires enter or leave a compound element or a group; input n leads to output n
};

struct node {
	enum node_kind kind;
	const char *name;  // NULL: has none
	const char *class; // of a mention, its name; of `$class`, the variable's
	const struct class *compound; // NULL: not a class of this text
	const struct class *visible;  // the youngest class where this is written, for `$class`
	struct raw_arguments *arguments;
	struct place at, class_at;
	bool has_arguments, is_class_variable, is_bare, is_in_own_class;
	bool is_output;    // of a tunnel: wires leave the compound element or group here
	bool is_blamed;    // an error about its class, arguments or ports was reported
	uint32_t is;       // the node that it stands for; its own index if it is an element
	uint32_t number;   // how many elements of the body are written before it, plus one
	LIST(struct port) inputs, outputs; // those that wires use, each once
};

struct wire {
	uint32_t from, to;
	struct port output, input;
	struct place at;
};

struct body {
	struct body *outer;
	struct place at; // of its brace
	LIST(struct formal) formals;
	LIST(struct definition) definitions;
	LIST(struct node) nodes;
	LIST(struct wire) wires;
	LIST(struct class *) classes;
	struct class *youngest; // class visible here; from there ->older to the others
	struct names elements, class_names, variables; // variables: formals first, then definitions
	uint32_t input, output; // its tunnels; NAMES_NONE in the file's own body
	struct names inputs, outputs; // those of its tunnels
	uint32_t element_count;
};

struct class {
	const char *name;
	struct place at;
	struct body *home;     // where it is defined; its bodies see the variables of that
	struct class *older;   // visible class that was defined before
	bool is_synonym;       // elementclass A B
	bool is_extension;     // || ... : the base has further definitions
	const char *base_name; // of a synonym or an extension; itself no synonym
	const struct class *base; // NULL: not a class of this text
	LIST(struct body *) bodies;
	bool is_broken;        // has errors: nothing is said about how it is used
};

struct raw_event {
	struct raw_arguments text; // one, undivided
	struct place at;
};

struct syntax {
	struct arena *arena;
	struct faults faults;
	struct body *top;
	LIST(struct body *) bodies; // all of them
	LIST(struct raw_event) events;
	LIST(struct graph_require) requires;
	LIST(struct library) libraries;
};

struct library { // require(library FILE): read once
	uint64_t device, inode;
};

// Variables: names visible in a body, from the inside out
struct formal *body_formal(const struct body *body, uint32_t variable);
struct definition *body_definition(const struct body *body, uint32_t variable);
bool is_class_name(const char *text);
const char *ordinary(const char *text); // a port's name, "0" if it has none

struct graph_argument argument_of_pieces(struct arena *arena, const struct raw_argument *raw);
// Copies the spans of text[from..to) to spans, for a text where they begin at `offset`; returns how many. Room for
// all of the argument's and one more is enough.
uint32_t spans_copy(struct graph_span *spans, const struct graph_argument *argument, size_t from, size_t to,
	size_t offset);
struct graph_argument argument_slice(struct arena *arena, const struct graph_argument *argument, size_t from,
	size_t to);

// Words of an argument's text: runs of characters that are all, or none, of those in `signs`; white space divides.
struct words {
	struct arena *arena;
	const struct graph_argument *argument;
	const char *signs;
	size_t at;
	struct graph_word word; // text NULL: no more
	size_t word_at;
};
void words_begin(struct words *words, struct arena *arena, const struct graph_argument *argument, const char *signs);
void words_next(struct words *words);
bool word_is(const struct words *words, const char *text);

#endif
