// SPDX-License-Identifier: Apache-2.0
// From bodies to a flat graph: every use of a compound element becomes an instance of one of its bodies, with values
// for its variables; where wires cross its border, tunnels stand until the edges are joined. Inside this folder only.
#ifndef LANG_GRAPH_EXPAND_H
#define LANG_GRAPH_EXPAND_H

#include "lang/graph_syntax.h"

enum {
	MOST_VERTICES = 400000,    // elements and tunnels
	MOST_STEPS = 10000000,     // of choosing bodies and joining wires
	LONGEST_ARGUMENT = 65536,  // after its variables are replaced
	MOST_TEXT = 16 << 20,      // of all arguments with variables
};

struct value { // of a variable in an instance
	const char *text;
	enum { VALUE_UNKNOWN, VALUE_SOUGHT, VALUE_KNOWN } state;
	bool is_rest;
};

struct instance {
	const struct body *body;
	const struct instance *outer; // of the body around this one in the text
	const char *prefix;           // of the names inside: "gate/"
	struct value *values;         // of formals, then definitions
	unsigned depth;
};

struct tunnels { // where wires to and from a node end: an element twice, or the two tunnels of a compound element
	uint32_t in, out;
};

struct vertex {
	uint32_t element; // NAMES_NONE: a tunnel
};

struct flat_wire {
	uint32_t from, to; // vertices
	const struct wire *wire;
	uint32_t seen;     // from which wire's joining
};

struct expansion {
	struct syntax *syntax;
	struct arena *arena;
	struct faults *faults;
	struct graph *graph;
	LIST(struct vertex) vertices;
	LIST(struct flat_wire) wires;
	struct names events; // by name
	size_t text_length;
	uint64_t steps;
	uint32_t spare; // for names of elements whose own number is taken
	bool is_over;   // a bound was reached
};

struct argument_list {
	LIST(struct graph_argument) list;
};

// One error for a bound, then nothing more is expanded
void expansion_stop(struct expansion *expansion, struct place at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool expansion_step(struct expansion *expansion, struct place at, uint64_t steps); // false: too many

// Variables
void variables_check(struct syntax *syntax); // each one used is defined somewhere around
void variables_set(struct syntax *syntax, const struct graph_setting *sets, unsigned count);
void variables_check_sets(struct syntax *syntax); // each one set is used
struct value *values_create(struct expansion *expansion, const struct body *body);
const char *variable_text(struct expansion *expansion, const struct instance *instance, const char *name);
void arguments_of(struct expansion *expansion, const struct instance *instance, struct raw_arguments *raw,
	struct argument_list *arguments);

// Choosing a body
struct choice {
	const struct class *class; // where the body was found; NULL: a module's class
	const char *name;          // of that one
	const struct body *body;
	struct value *values;
	bool is_wrong; // none fits; said
};
struct choice choose(struct expansion *expansion, struct node *node, const struct class *class,
	const struct argument_list *arguments);

void expand(struct expansion *expansion);
void join(struct expansion *expansion);
void read_event(struct expansion *expansion, const struct instance *top, struct raw_event *raw);

#endif
