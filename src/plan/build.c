// SPDX-License-Identifier: Apache-2.0
// From a graph to a plan, step by step; each step is a file of this room.
#include "plan/internal.h"
#include "plan/start.h"

static void (*const steps[])(struct plan *plan) = {
	plan_elements, plan_edges, plan_insert, plan_order, plan_steering, plan_events, plan_values, plan_together,
	plan_layout,
};

struct plan *plan_create(const struct graph *graph, const struct library *library, const struct plan_wish *wish,
			 struct diag *diag)
{
	struct arena *arena = arena_create();
	struct plan *plan = arena_new(arena, struct plan);

	plan->arena = arena;
	plan->graph = graph;
	plan->library = library;
	plan->diag = diag;
	plan->workers = wish->workers ? wish->workers : 1;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		steps[i](plan);
		if (diag->errors) {
			plan_destroy(plan);
			return NULL;
		}
	}
	return plan;
}

void plan_destroy(struct plan *plan)
{
	if (!plan)
		return;
	plan_stop(plan);
	arena_destroy(plan->text);
	arena_destroy(plan->arena);
}

const struct plan_element *plan_find(const struct plan *plan, const char *name)
{
	uint32_t index = graph_find(plan->graph, name);

	if (index != NAMES_NONE)
		return plan->elements.at[index];
	for (index = plan->graph->elements.count; index < plan->elements.count; index++)
		if (!strcmp(plan->elements.at[index]->name, name))
			return plan->elements.at[index];
	return NULL;
}
