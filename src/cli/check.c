// SPDX-License-Identifier: Apache-2.0
// weir check GRAPH | MODULE.so: what is wrong with it, without running it.
#include "cli/cli.h"

static int usage(FILE *to, int status)
{
	fprintf(to, "usage: weir check [--set NAME=VALUE]... GRAPH | MODULE.so ...\n"
		    "Says what is wrong with graphs and modules. Nothing of a module's code is run for a module;\n"
		    "for a graph the elements read their settings. Exit code 1 if anything is wrong.\n");
	return status;
}

static bool is_module(const char *path)
{
	size_t length = strlen(path);

	return length > 3 && !strcmp(path + length - 3, ".so");
}

static bool check_one_module(const char *path)
{
	struct arena *arena = arena_create();
	struct diag *diag = diag_create(arena);
	struct library *library = library_create();
	bool is_well = !library_load(library, path, diag);

	if (is_well && plan_check_module(library, &library->modules.at[0], diag))
		is_well = false;
	diag_print(diag, stderr);
	if (is_well)
		printf("%s: module %s %s is well\n", path, library->modules.at[0].descriptor->name,
			library->modules.at[0].descriptor->version);
	library_destroy(library);
	arena_destroy(arena);
	return is_well;
}

static bool check_graph(struct cli_graph *graph)
{
	struct plan *plan = cli_graph_read(graph) ? cli_graph_plan(graph, 1) : NULL;

	if (plan)
		printf("%s: %u elements, %u connections: well\n", graph->path,
			graph->graph->elements.count, graph->graph->edges.count);
	plan_destroy(plan);
	return plan;
}

int cli_check(int count, char **words)
{
	struct cli_graph graph;
	bool is_well = true, is_empty = true;

	for (int i = 1; i < count; i++) {
		if (!strcmp(words[i], "--help"))
			return usage(stdout, CLI_FINE);
		if (!strcmp(words[i], "--set")) {
			i++;
			continue;
		}
		is_empty = false;
		if (is_module(words[i])) {
			is_well = check_one_module(words[i]) && is_well;
			continue;
		}
		cli_graph_init(&graph);
		graph.path = words[i];
		for (int j = 1; j + 1 < count; j++)
			if (!strcmp(words[j], "--set"))
				is_well = cli_set(&graph, words[j + 1]) && is_well;
		is_well = check_graph(&graph) && is_well;
		cli_graph_free(&graph);
	}
	return is_empty ? usage(stderr, CLI_USAGE) : is_well ? CLI_FINE
							     : CLI_FAILED;
}
