// SPDX-License-Identifier: Apache-2.0
// Any text as a graph: it is read or refused; what was read is printed as a graph that is the same.
#include "lang/graph.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *printed(const struct graph *graph, size_t *length)
{
	char *text = NULL;
	FILE *to = open_memstream(&text, length);

	graph_print(graph, to);
	fclose(to);
	return text;
}

// Every place that a graph shows is in the text.
static void check_places(const struct graph *graph)
{
	const struct graph_argument *argument;

	for (uint32_t i = 0; i < graph->elements.count; i++) {
		for (uint32_t n = 0; n < graph->elements.at[i].arguments.count; n++) {
			argument = &graph->elements.at[i].arguments.at[n];
			if (!graph_argument_place(argument, strlen(argument->text)).line)
				abort();
		}
	}
	for (uint32_t i = 0; i < graph->edges.count; i++)
		if (graph->edges.at[i].from >= graph->elements.count || graph->edges.at[i].to >= graph->elements.count)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct graph_setting set = { "s", "1, \"$t\"" };
	struct arena *arena = arena_create();
	struct diag *diag = diag_create(arena);
	struct graph *graph, *again;
	size_t length = 0, length_again = 0;
	char *text, *text_again;

	graph = graph_parse(arena, "fuzz", (const char *)data, size, &set, size && data[0] == '$', diag);
	check_places(graph);
	if (!diag->errors) {
		text = printed(graph, &length);
		again = graph_parse(arena, "again", text, length, NULL, 0, diag);
		text_again = printed(again, &length_again);
		if (diag->errors || length != length_again || memcmp(text, text_again, length)) {
			diag_print(diag, stderr);
			fprintf(stderr, "%s---\n%s", text, text_again);
			abort();
		}
		free(text);
		free(text_again);
	}
	arena_destroy(arena);
	return 0;
}
