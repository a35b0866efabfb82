// SPDX-License-Identifier: Apache-2.0
// What subcommands share: exit codes, the library of modules, loading a graph.
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "engine/engine.h"
#include "plan/plan.h"

#include "weir-build.h"

enum { CLI_FINE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

int cli_run(int count, char **words);
int cli_watch(int count, char **words);
int cli_check(int count, char **words);
int cli_explain(int count, char **words);
int cli_modules(int count, char **words);
int cli_new(int count, char **words);
int cli_bench(int count, char **words);

// An option's number; `what` is the option as written. false after a message.
bool cli_number(const char *text, const char *what, double least, double most, double *to);

// All that a graph needs before it is planned.
struct cli_graph {
	struct arena *arena;
	struct diag *diag;
	struct library *library;
	struct graph *graph;
	LIST(struct graph_setting) sets;
	const char *path, *text; // the file, or the text of -e
};

// The library: the platform's classes, and what WEIR_MODULES or the places of installation hold.
struct library *cli_library(struct diag *diag);
// --set NAME=VALUE; false after a message.
bool cli_set(struct cli_graph *graph, const char *text);
void cli_graph_init(struct cli_graph *graph);
// Reads the graph; prints what is wrong with it. false: do not go on.
bool cli_graph_read(struct cli_graph *graph);
struct plan *cli_graph_plan(struct cli_graph *graph, unsigned workers);
void cli_graph_free(struct cli_graph *graph);

// -i and -o, as written, onto the ports of a plan. false after a message.
struct cli_binds {
	struct arena *arena;
	LIST(const char *) in, out;
	struct bindings bindings;
};
bool cli_bind(struct cli_binds *binds, const struct plan *plan);
// All ports that are left open to the same; false: none was that packets enter by.
bool cli_bind_open(struct cli_binds *binds, const struct plan *plan, const char *in, const char *out);

#endif
