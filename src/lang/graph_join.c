// SPDX-License-Identifier: Apache-2.0
// Wires become edges: what enters a tunnel by port n goes on where wires leave it by port n, until an element is
// reached. Several wires on a port are several edges; a tunnel that leads to nothing, or in a circle, is none.
#include "lang/graph_expand.h"

#include <stdlib.h>

struct hop { // a wire out of a tunnel
	uint32_t from, wire;
	const char *port;
};

struct join {
	struct expansion *expansion;
	struct hop *hops; // in order of tunnel and port
	uint32_t hop_count;
	LIST(uint32_t) stack; // wires to look behind
	struct names known;   // edges that are there
};

struct ranked {
	struct graph_edge edge;
	uint32_t rank;
};

static int by_tunnel(const void *left, const void *right)
{
	const struct hop *a = left, *b = right;
	int by_port;

	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	by_port = strcmp(a->port, b->port);
	return by_port ? by_port : (a->wire > b->wire) - (a->wire < b->wire);
}

static bool is_tunnel(const struct expansion *expansion, uint32_t vertex)
{
	return expansion->vertices.at[vertex].element == NAMES_NONE;
}

static void sort_hops(struct join *join)
{
	struct expansion *expansion = join->expansion;
	struct flat_wire *wire;

	join->hops = arena_array(expansion->arena, struct hop, expansion->wires.count);
	for (uint32_t i = 0; i < expansion->wires.count; i++) {
		wire = &expansion->wires.at[i];
		if (is_tunnel(expansion, wire->from))
			join->hops[join->hop_count++] = (struct hop){
				wire->from, i, ordinary(wire->wire->output.text) };
	}
	qsort(join->hops, join->hop_count, sizeof(*join->hops), by_tunnel);
}

// The first wire that leaves a tunnel by a port, or where it would be
static uint32_t first_hop(const struct join *join, uint32_t tunnel, const char *port)
{
	struct hop sought = { .from = tunnel, .port = port };
	uint32_t low = 0, high = join->hop_count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (by_tunnel(&join->hops[middle], &sought) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void add_edge(struct join *join, const struct flat_wire *first, const struct flat_wire *last)
{
	struct expansion *expansion = join->expansion;
	struct graph_edge edge = {
		.from = expansion->vertices.at[first->from].element,
		.to = expansion->vertices.at[last->to].element,
		.output = first->wire->output.text,
		.input = last->wire->input.text,
		.at = first->wire->at,
		.output_at = first->wire->output.at,
		.input_at = last->wire->input.at,
	};
	const char *key = arena_print(expansion->arena, "%u[%s]%u[%s]", edge.from, ordinary(edge.output), edge.to,
		ordinary(edge.input));

	if (names_add(&join->known, key, strlen(key), 0) == NAMES_NONE)
		*list_add(expansion->arena, &expansion->graph->edges) = edge;
}

static void look_behind(struct join *join, uint32_t first, const struct flat_wire *wire)
{
	struct expansion *expansion = join->expansion;
	const char *port = ordinary(wire->wire->input.text);
	const struct hop *hop;

	for (uint32_t i = first_hop(join, wire->to, port); i < join->hop_count; i++) {
		hop = &join->hops[i];
		if (hop->from != wire->to || strcmp(hop->port, port))
			return;
		if (!expansion_step(expansion, wire->wire->at, 1))
			return;
		if (expansion->wires.at[hop->wire].seen == first)
			continue;
		expansion->wires.at[hop->wire].seen = first;
		*list_add(expansion->arena, &join->stack) = hop->wire;
	}
}

static void follow(struct join *join, uint32_t first)
{
	struct expansion *expansion = join->expansion;
	struct flat_wire *wire;

	join->stack.count = 0;
	*list_add(expansion->arena, &join->stack) = first;
	while (join->stack.count && !expansion->is_over) {
		wire = &expansion->wires.at[join->stack.at[--join->stack.count]];
		if (is_tunnel(expansion, wire->to))
			look_behind(join, first, wire);
		else
			add_edge(join, &expansion->wires.at[first], wire);
	}
	if (expansion->graph->edges.count > GRAPH_MOST_EDGES)
		expansion_stop(expansion, expansion->wires.at[first].wire->at,
			"this graph expands to more than %d connections", GRAPH_MOST_EDGES);
}

static int by_element(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;

	if (a->edge.from != b->edge.from)
		return a->edge.from < b->edge.from ? -1 : 1;
	return a->rank < b->rank ? -1 : a->rank > b->rank;
}

// In order of the elements that they leave, then as written
static void sort_edges(struct expansion *expansion)
{
	struct graph *graph = expansion->graph;
	struct ranked *ranked = arena_array(expansion->arena, struct ranked, graph->edges.count);

	for (uint32_t i = 0; i < graph->edges.count; i++)
		ranked[i] = (struct ranked){ graph->edges.at[i], i };
	qsort(ranked, graph->edges.count, sizeof(*ranked), by_element);
	for (uint32_t i = 0; i < graph->edges.count; i++)
		graph->edges.at[i] = ranked[i].edge;
}

void join(struct expansion *expansion)
{
	struct join join = { .expansion = expansion };

	names_init(&join.known, expansion->arena);
	if (expansion->is_over)
		return;
	sort_hops(&join);
	for (uint32_t i = 0; i < expansion->wires.count && !expansion->is_over; i++)
		if (!is_tunnel(expansion, expansion->wires.at[i].from))
			follow(&join, i);
	sort_edges(expansion);
}
