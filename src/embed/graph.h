// SPDX-License-Identifier: Apache-2.0
#ifndef EMBED_GRAPH_H
#define EMBED_GRAPH_H

#include "embed/embed.h"

struct opening { // a port that the graph leaves open: a cable, the first end the graph's
	const char *element;
	enum port_direction directions; // what the graph does there
	struct port *ends[2];
};

struct weir_plan {
	struct arena *arena;
	struct caller *caller;
	struct library *library;
	LIST(struct graph_setting) sets;
	LIST(struct opening) openings;
	struct bindings bindings;
	const char *modules;
	uint64_t seed;
};

// Reads and plans a graph, as it is in a file or else as text. NULL after a message.
struct plan *embed_plan(struct weir_plan *plan, const char *path, const char *text);

#endif
