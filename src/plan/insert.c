// SPDX-License-Identifier: Apache-2.0
// Modules that the planner puts in by itself (.on_demand): whoever hears what one of them tells has it in front, on
// each way once, as late as that can be. For observers it stands where packets enter.
#include "plan/internal.h"
#include "plan/platform.h"

#include <fnmatch.h>

enum { UNREAD = 1, READ = 2 }; // packets that the module has not seen, that it has seen

struct edge {
	struct plan_element *from;
	struct plan_output *output;
};

struct insertion {
	struct plan *plan;
	const struct weir_class *class;
	const char *because;
	bool gathers; // what is looked at
	struct place at;
	bool *wants; // by node: it is to get packets that the module has seen
	uint8_t *in; // by node: what reaches it
	LIST(struct edge) edges;
};

// ---- who hears it

static const struct weir_event_type *raised_alike(const struct weir_class *class, const char *glob)
{
	each_member (member, class)
		if (member->kind == WEIR_IS_SIGNAL && !fnmatch(glob, member->event->name, 0))
			return member->event;
	return NULL;
}

static const struct graph_event *definition_of(const struct plan *plan, const char *name)
{
	list_each (event, &plan->graph->events)
		if (!strcmp(event->name.text, name))
			return event;
	return NULL;
}

// What stands upon what the class raises, at whatever remove. What is gathered is gathered where packets enter.
static const struct weir_event_type *raised_for(struct insertion *insertion, const char *glob)
{
	const struct graph *graph = insertion->plan->graph;
	const struct weir_event_type *type = raised_alike(insertion->class, glob);

	list_each (event, &graph->events) {
		const struct graph_event *base = fnmatch(glob, event->name.text, 0) ? NULL : event;
		const struct weir_event_type *found = NULL;
		bool gathers = false;

		for (uint32_t i = 0; !found && base && i <= graph->events.count; i++) {
			gathers |= base->aggregate != GRAPH_EACH;
			found = raised_alike(insertion->class, base->base.text);
			base = definition_of(insertion->plan, base->base.text);
		}
		insertion->gathers |= found && gathers;
		type = type ? type : found;
	}
	return type;
}

static const char *name_of(const struct weir_on *on)
{
	return on->event ? on->event->name : on->name;
}

static const struct weir_event_type *heard_by(struct insertion *insertion, const struct plan_element *element)
{
	const struct weir_event_type *type = NULL;

	for (const struct weir_on *on = element->class->on; on && name_of(on); on++) {
		const struct weir_event_type *found = raised_for(insertion, name_of(on));

		type = type ? type : found;
	}
	return type;
}

static const struct weir_event_type *watched_by(struct insertion *insertion, const struct plan_element *element)
{
	const struct observer_element *settings = element->prototype;
	const struct weir_event_type *type = NULL;

	if (platform_is_observer(element->class))
		for (uint32_t i = 0; !type && i < settings->events.count; i++)
			type = raised_for(insertion, settings->events.text[i]);
	return type;
}

static void want_at(struct insertion *insertion, const struct plan_element *element)
{
	list_each (node, &element->nodes)
		insertion->wants[(*node)->place] = true;
}

static void want_at_entries(struct insertion *insertion)
{
	list_each (element, &insertion->plan->elements)
		for (unsigned i = 0; !(*element)->nodes.count && i < (*element)->output_count; i++)
			if ((*element)->outputs[i].to)
				insertion->wants[(*element)->outputs[i].to->place] = true;
}

static void want(struct insertion *insertion, const struct plan_element *element, const struct weir_event_type *type)
{
	if (!insertion->because) {
		insertion->because = arena_print(insertion->plan->arena, "%s hears %s", element->name, type->name);
		insertion->at = element->syntax->at;
	}
	if (element->nodes.count && !insertion->gathers)
		want_at(insertion, element);
	else
		want_at_entries(insertion);
}

static bool find_hearers(struct insertion *insertion)
{
	list_each (element, &insertion->plan->elements) {
		const struct weir_event_type *type;

		insertion->gathers = false;
		type = heard_by(insertion, *element);
		type = type ? type : watched_by(insertion, *element);
		if (type)
			want(insertion, *element, type);
	}
	return insertion->because;
}

// ---- where it stands

// What waits in a queue leaves it, too.
static bool leads(const struct plan_node *node, unsigned output)
{
	return output >= 64 || (node->paths >> output & 1) || node->element->class->take;
}

static uint8_t what_leaves(const struct insertion *insertion, const struct plan_element *element, unsigned output)
{
	uint8_t what = element->nodes.count ? 0 : UNREAD;

	list_each (node, &element->nodes)
		if (leads(*node, output))
			what |= insertion->in[(*node)->place];
	return what;
}

// One round over all edges; true: something has changed.
static bool flow_on(struct insertion *insertion)
{
	bool is_changed = false;

	list_each (element, &insertion->plan->elements)
		for (unsigned i = 0; i < (*element)->output_count; i++) {
			const struct plan_node *to = (*element)->outputs[i].to;
			uint8_t what = to ? what_leaves(insertion, *element, i) : 0;

			if (!to)
				continue;
			if (insertion->wants[to->place] && what == UNREAD)
				what = READ;
			is_changed |= what & ~insertion->in[to->place];
			insertion->in[to->place] |= what;
		}
	return is_changed;
}

// Where both kinds would come, it must have been seen in front. True: that is wanted now.
static bool move_up(struct insertion *insertion)
{
	bool is_moved = false;

	list_each (element, &insertion->plan->elements)
		for (unsigned i = 0; i < (*element)->output_count; i++) {
			const struct plan_node *to = (*element)->outputs[i].to;

			if (!to || !insertion->wants[to->place] ||
				what_leaves(insertion, *element, i) != (UNREAD | READ))
				continue;
			list_each (node, &(*element)->nodes) {
				is_moved |= leads(*node, i) && !insertion->wants[(*node)->place];
				insertion->wants[(*node)->place] |= leads(*node, i);
			}
		}
	return is_moved;
}

static void find_edges(struct insertion *insertion, uint32_t nodes)
{
	struct plan *plan = insertion->plan;

	do {
		memset(insertion->in, 0, nodes);
		while (flow_on(insertion))
			;
	} while (move_up(insertion));
	list_each (element, &plan->elements)
		for (unsigned i = 0; i < (*element)->output_count; i++) {
			struct plan_output *output = &(*element)->outputs[i];

			if (output->to && insertion->wants[output->to->place] &&
				what_leaves(insertion, *element, i) == UNREAD)
				*list_add(plan->arena, &insertion->edges) = (struct edge){ *element, output };
		}
}

// ---- it is put in: what comes by its n-th input leaves by its n-th output

static void put_between(struct plan_element *element, unsigned n, const struct edge *edge, struct arena *arena)
{
	struct plan_node *node = element->nodes.at[n], *to = edge->output->to;

	node->paths = n < 64 ? (uint64_t)1 << n : 0;
	*list_add(arena, &node->fronts) = edge->from;
	element->outputs[n] = (struct plan_output){ .name = "", .to = to, .at = edge->output->at };
	for (uint32_t i = 0; i < to->fronts.count; i++)
		if (to->fronts.at[i] == edge->from) {
			to->fronts.at[i] = element;
			break;
		}
	edge->output->to = node;
}

static void insert(struct insertion *insertion)
{
	struct plan *plan = insertion->plan;
	struct graph_element *syntax = arena_new(plan->arena, struct graph_element);
	const char *name = insertion->class->name;
	struct plan_element *element;

	syntax->name = plan_find(plan, name) ? arena_print(plan->arena, "%s@planner", name) : name;
	syntax->class = name;
	syntax->at = syntax->class_at = insertion->at;
	element = plan_add_element(plan, syntax);
	element->inserted_because = insertion->because;
	element->input_count = element->output_count = insertion->edges.count;
	plan_create_nodes(plan, element);
	for (unsigned i = 0; i < insertion->edges.count; i++)
		put_between(element, i, &insertion->edges.at[i], plan->arena);
}

static uint32_t number_nodes(struct plan *plan)
{
	uint32_t nodes = 0;

	list_each (element, &plan->elements)
		list_each (node, &(*element)->nodes)
			(*node)->place = (uint16_t)nodes++;
	return nodes;
}

static bool is_there(const struct plan *plan, const struct weir_class *class)
{
	list_each (element, &plan->elements)
		if ((*element)->class == class)
			return true;
	return false;
}

// True: it has been put in, and may itself want something.
static bool try_class(struct plan *plan, const struct weir_class *class)
{
	struct insertion insertion = { .plan = plan, .class = class };
	uint32_t nodes = number_nodes(plan);

	if (!class->on_demand || is_there(plan, class))
		return false;
	insertion.wants = arena_array(plan->arena, bool, nodes + 1);
	insertion.in = arena_array(plan->arena, uint8_t, nodes + 1);
	if (!find_hearers(&insertion))
		return false;
	find_edges(&insertion, nodes);
	if (!insertion.edges.count)
		return false;
	insert(&insertion);
	return true;
}

void plan_insert(struct plan *plan)
{
	bool is_changed = true;

	while (is_changed && !plan->diag->errors) {
		is_changed = false;
		list_each (module, &plan->library->modules)
			for (const struct weir_class *const *class = module->descriptor->classes; *class; class++)
				is_changed |= try_class(plan, *class);
	}
}

const struct weir_event_type *plan_offered(const struct plan *plan, const char *name)
{
	const struct weir_event_type *type = NULL;

	list_each (module, &plan->library->modules)
		for (const struct weir_class *const *class = module->descriptor->classes; !type && *class; class++)
			type = (*class)->on_demand ? raised_alike(*class, name) : NULL;
	return type;
}

void plan_near_offered(const struct plan *plan, struct near *near)
{
	list_each (module, &plan->library->modules)
		for (const struct weir_class *const *class = module->descriptor->classes; *class; class++)
			each_member (member, *class)
				if ((*class)->on_demand && member->kind == WEIR_IS_SIGNAL)
					near_try(near, member->event->name);
}
