// SPDX-License-Identifier: Apache-2.0
// The library and the graph, for every subcommand that takes one.
#include "cli/cli.h"

#include "engine/classes.h"

#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

// Beside the program (a build), then where it is installed.
static const char *default_path(struct arena *arena)
{
	char self[PATH_MAX];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *directory;

	if (length <= 0)
		return WEIR_MODULES_DIR;
	self[length] = '\0';
	directory = dirname(self);
	return arena_print(arena, "%s/modules:%s/../lib/weir/modules:%s", directory, directory, WEIR_MODULES_DIR);
}

bool cli_number(const char *text, const char *what, double least, double most, double *to)
{
	char *end;

	*to = strtod(text, &end);
	if (end != text && !*end && *to >= least && *to <= most)
		return true;
	fprintf(stderr, "weir: %s: \"%s\" is no number from %g to %g\n", what, text, least, most);
	return false;
}

struct library *cli_library(struct diag *diag)
{
	struct library *library = library_create();
	const char *path = getenv("WEIR_MODULES");

	library_add(library, &engine_module);
	library_load_path(library, path ? path : default_path(diag->arena), diag);
	return library;
}

void cli_graph_init(struct cli_graph *graph)
{
	*graph = (struct cli_graph){ .arena = arena_create() };
	graph->diag = diag_create(graph->arena);
}

bool cli_set(struct cli_graph *graph, const char *text)
{
	const char *mark = strchr(text, '=');

	if (!mark || mark == text) {
		fprintf(stderr, "weir: --set %s: NAME=VALUE is expected\n", text);
		return false;
	}
	*list_add(graph->arena, &graph->sets) = (struct graph_setting){
		.name = arena_text(graph->arena, text, (size_t)(mark - text)),
		.value = mark + 1,
	};
	return true;
}

// Errors, or warnings alone: both are shown; only errors stop.
static bool is_well(const struct diag *diag)
{
	diag_print(diag, stderr);
	return !diag->errors;
}

bool cli_graph_read(struct cli_graph *graph)
{
	if (!graph->library)
		graph->library = cli_library(graph->diag);
	if (graph->text)
		graph->graph = graph_parse(graph->arena, "-e", graph->text, strlen(graph->text),
			graph->sets.at, graph->sets.count, graph->diag);
	else
		graph->graph = graph_load(graph->arena, graph->path, graph->sets.at, graph->sets.count, graph->diag);
	if (graph->graph && !graph->diag->errors)
		return true;
	is_well(graph->diag);
	return false;
}

struct plan *cli_graph_plan(struct cli_graph *graph, unsigned workers)
{
	struct plan_wish wish = { .workers = workers };
	struct plan *plan = plan_create(graph->graph, graph->library, &wish, graph->diag);

	is_well(graph->diag);
	return plan;
}

void cli_graph_free(struct cli_graph *graph)
{
	library_destroy(graph->library);
	arena_destroy(graph->arena);
}
