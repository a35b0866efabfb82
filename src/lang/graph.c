// SPDX-License-Identifier: Apache-2.0
// Overview
//     graph_parse.c, _connect, _class, _define   statements become bodies of nodes and wires (graph_syntax.h)
//     graph_argument.c                           arguments stay text, divided at their commas
//     graph_body.c, _tunnel                      names find their elements; inputs and outputs are complete
//     graph_variable.c                           each variable that is used is defined; --set
//     graph_expand.c, _choose, _value            compound elements become instances, variables their values
//     graph_join.c                               wires become edges between elements
//     graph_event.c                              definitions of events, with values for their variables
#include "lang/graph_expand.h"
#include "lang/graph_parser.h"

static void parse(struct syntax *syntax, const struct graph *graph)
{
	struct parser parser = {
		.syntax = syntax,
		.arena = syntax->arena,
		.faults = &syntax->faults,
		.input = NAMES_NONE,
		.output = NAMES_NONE,
	};

	syntax->top = parser.body = body_create(&parser, NULL, (struct place){ graph->file, 1, 1 });
	parse_text(&parser, graph->file, graph->text, graph->length);
	if (!syntax->faults.is_over)
		body_finish(&parser, syntax->top);
}

struct graph *graph_parse(struct arena *arena, const char *file, const char *text, size_t length,
	const struct graph_setting *sets, unsigned set_count, struct diag *diag)
{
	struct syntax syntax = { .arena = arena, .faults = { .diag = diag } };
	struct graph *graph = arena_new(arena, struct graph);
	struct expansion expansion = { .syntax = &syntax, .arena = arena, .faults = &syntax.faults, .graph = graph };

	graph->file = file;
	graph->text = arena_text(arena, text, length);
	graph->length = length;
	names_init(&graph->names, arena);
	names_init(&expansion.events, arena);
	parse(&syntax, graph);
	if (syntax.faults.is_over)
		return graph;
	variables_set(&syntax, sets, set_count);
	variables_check(&syntax);
	variables_check_sets(&syntax);
	expand(&expansion);
	graph->requires.at = syntax.requires.at;
	graph->requires.count = graph->requires.room = syntax.requires.count;
	return graph;
}

uint32_t graph_find(const struct graph *graph, const char *name)
{
	return names_find(&graph->names, name, strlen(name));
}
