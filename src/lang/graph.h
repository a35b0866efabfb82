// SPDX-License-Identifier: Apache-2.0
// The graph language: from an operator's text to a flat graph of elements and edges. Nothing here knows element
// classes: compound elements, groups and variables are gone when it is done, classes, settings and the names of
// inputs and outputs are left as written, for the planner. All errors of a text are reported in one run.
#ifndef LANG_GRAPH_H
#define LANG_GRAPH_H

#include "lib/arena.h"
#include "lib/diag.h"
#include "lib/names.h"

enum {
	GRAPH_DEEPEST = 64,             // compound elements and groups inside one another
	GRAPH_MOST_ELEMENTS = 100000,   // after expansion
	GRAPH_MOST_EDGES = 500000,
	GRAPH_LARGEST_TEXT = 16 << 20,  // bytes of one file
};

// --set NAME=VALUE: wins over a define() at the top of the file.
struct graph_setting {
	const char *name, *value; // the name without its $
};

struct graph_word {
	const char *text; // NULL: not written
	struct place at;
};

// One argument as text: trimmed, white space and comments outside quotes one space, variables replaced by their
// values, quotes as written. `max_flows 1M` is one argument; whether its first word names a setting is not known.
struct graph_argument {
	const char *text;
	struct place at;
	const struct graph_span *spans; // for graph_argument_place
	uint32_t span_count;
};

// Where in the file a byte of an argument's text stands (of a variable's value: where the variable is used).
struct place graph_argument_place(const struct graph_argument *argument, size_t offset);

struct graph_element {
	const char *name;      // "fw", "gate/fw" inside the compound element gate, "Counter@3" if it has none
	const char *class;
	struct place at;       // of its name, or of its class where it has none
	struct place class_at;
	LIST(struct graph_argument) arguments; // other elements may share them: only to be read
	bool is_anonymous;
	bool is_bare;          // `a -> b` where b is declared nowhere: a class, or a mistyped name of an element
	bool is_in_own_class;  // stands inside `elementclass X` and is itself an X: means the class X from before
};

struct graph_edge {
	uint32_t from, to;          // indices of elements
	const char *output, *input; // "0", "denied"; NULL: not written, which means 0
	struct place at;            // of the arrow
	struct place output_at, input_at; // where they are written, else of the element as named in this connection
};

enum graph_aggregate {
	GRAPH_EACH, // no aggregate: each event of the base that passes the filter
	GRAPH_COUNT,
	GRAPH_SUM,
	GRAPH_DISTINCT,
	GRAPH_TOP, // alone: of a count
};

// define event NAME on BASE [where FILTER] [count | sum FIELD | distinct FIELD] [top N] [by FIELD, ..] [over T]
// [above N]
struct graph_event {
	struct graph_word name, base;
	struct graph_argument where;  // text NULL: no filter
	enum graph_aggregate aggregate;
	struct graph_word field;      // of sum and distinct
	uint32_t top;                 // the greatest alone; 0: not written
	LIST(struct graph_word) by;   // empty: one group
	uint64_t over_ns;             // 0: not written
	uint64_t above;
	bool has_above;
	struct place at, aggregate_at, over_at, above_at;
};

enum graph_version { GRAPH_ANY_VERSION, GRAPH_EQUAL, GRAPH_AT_LEAST, GRAPH_AT_MOST, GRAPH_ABOVE, GRAPH_BELOW };

// require(module nat >= 1.2)
struct graph_require {
	struct graph_word module;
	enum graph_version compare;
	struct graph_word version; // digits and dots
};

struct graph {
	LIST(struct graph_element) elements;
	LIST(struct graph_edge) edges; // in order of `from`; no two are equal
	LIST(struct graph_event) events;
	LIST(struct graph_require) requires;
	const char *file, *text; // as read; text is terminated and lives in the arena
	size_t length;
	struct names names;      // of elements, to their indices
};

// Errors go to diag; what could be understood is in the graph, which is never NULL. The text is copied.
struct graph *graph_parse(struct arena *arena, const char *file, const char *text, size_t length,
	const struct graph_setting *sets, unsigned set_count, struct diag *diag);

// The same from a file, "-" is standard input. NULL, with an error in diag, if it cannot be read.
struct graph *graph_load(struct arena *arena, const char *path, const struct graph_setting *sets,
	unsigned set_count, struct diag *diag);

// Index of an element by its name, NAMES_NONE if there is none.
uint32_t graph_find(const struct graph *graph, const char *name);

// Canonical text of the flat graph; parsed again, it gives the same graph.
void graph_print(const struct graph *graph, FILE *to);

#endif
