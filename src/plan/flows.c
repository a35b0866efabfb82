// SPDX-License-Identifier: Apache-2.0
// Who needs to know of flows: whoever hears of them, keeps something for each, or logs them. The tracker runs directly
// in front of the first such element on each way.
#include "plan/internal.h"
#include "plan/platform.h"

bool plan_is_of_conversation(const struct weir_event_type *type)
{
	return type->per > WEIR_PER_PACKET && type->per < WEIR_PER_HOST;
}

static bool needs_flows(const struct plan_element *element)
{
	list_each (handler, &element->handlers)
		if (plan_is_of_conversation((*handler)->signal->type))
			return true;
	each_member (member, element->class)
		if (member->kind == WEIR_IS_STATE)
			return true;
	return false;
}

struct plan_value *plan_flow_value(struct plan *plan)
{
	if (plan->flow)
		return plan->flow;
	plan->flow = plan_value_add(plan, VALUE_FLOW, "flow");
	*list_add(plan->arena, &plan->flow->needs) = plan_places(plan);
	return plan->flow;
}

static void give_bit(struct plan *plan, struct plan_element *element, unsigned *bits)
{
	if (*bits == PLAN_FLOW_BITS)
		diag_error(plan->diag, element->syntax->at,
			"%s (%s): more than %d elements of one graph hear of flows", element->name,
			element->class->name, PLAN_FLOW_BITS);
	else
		element->flow_bit = (uint8_t)++ * bits;
}

static bool is_of_stream(const struct plan_signal *signal)
{
	static const struct weir_event_type *const of_streams[] = { &weir_event_stream_data, &weir_event_stream_closed,
		&weir_event_tcp_gap, &weir_event_tcp_overlapped };

	for (size_t i = 0; i < sizeof(of_streams) / sizeof(*of_streams); i++)
		if (!strcmp(plan_root(signal)->type->name, of_streams[i]->name))
			return true;
	return false;
}

static bool is_overlap(const struct plan_signal *signal)
{
	return !strcmp(plan_root(signal)->type->name, weir_event_tcp_overlapped.name);
}

static void hear_streams(struct plan *plan, const struct plan_element *element, const struct plan_signal *signal)
{
	plan->stream_bits |= 1u << (element->flow_bit - 1);
	plan->remembers_streams |= element->class->remembers || is_overlap(signal);
}

static void find_streams(struct plan *plan)
{
	list_each (signal, &plan->signals) {
		(*signal)->is_of_stream = is_of_stream(*signal);
		if (!(*signal)->is_of_stream || !plan_is_watched(*signal))
			continue;
		plan->are_streams_observed = true;
		plan->remembers_streams |= is_overlap(*signal);
	}
	list_each (element, &plan->elements)
		list_each (handler, &(*element)->handlers)
			if ((*handler)->signal->is_of_stream)
				hear_streams(plan, *element, (*handler)->signal);
	plan->keeps_streams = plan->are_streams_observed || plan->stream_bits;
}

// What is kept per flow: the platform's part first.
static void place_states(struct plan *plan)
{
	uint32_t at;

	plan->keeps_history = plan_shows(plan_signal(plan, weir_event_flow_ended.name), "tcp.history");
	find_streams(plan);
	at = (plan->keeps_history ? PLAN_FLOW_HISTORY : 0) + (plan->keeps_streams ? PLAN_FLOW_STREAMS : 0) +
		(plan->keeps_streams && plan->tracking->hash ? PLAN_FLOW_HASHES : 0);
	list_each (element, &plan->elements)
		each_member (member, (*element)->class)
			if (member->kind == WEIR_IS_STATE) {
				*(uint32_t *)plan_member(*element, member) = at;
				at += (member->size + 7) & ~7u;
			}
	plan->flow_state_size = at;
}

// ---- what packets take along: a field of the flow, as of the packet, that is read behind a stay

static bool is_entered_late(const struct plan_node *node)
{
	if (!node->is_entered)
		return false;
	if (node->element->holds || node->element->class->every_worker || node->element->home != PLAN_NOWHERE)
		return true;
	list_each (front, &node->fronts)
		if (!platform_port((*front)->class))
			return true;
	return false;
}

bool plan_is_read_later(const struct plan *plan, const struct plan_value *value)
{
	uint8_t *seen = arena_array(plan->arena, uint8_t, plan->nodes.count + 1);
	LIST(struct plan_node *) todo = { 0 };

	list_each (reader, &value->readers)
		*list_add(plan->arena, &todo) = *reader;
	for (uint32_t next = 0; next < todo.count; next++) {
		if (is_entered_late(todo.at[next]))
			return true;
		list_each (front, &todo.at[next]->fronts)
			list_each (before, &(*front)->nodes)
				if (!seen[(*before)->order]++)
					*list_add(plan->arena, &todo) = *before;
	}
	return false;
}

static void find_tracker(struct plan *plan)
{
	list_each (element, &plan->elements) {
		if (!platform_is_tracker((*element)->class))
			continue;
		if (plan->tracker)
			diag_error(plan->diag, (*element)->syntax->at, "%s: there is one tracker, and %s has set it",
				(*element)->name, plan->tracker->name);
		plan->tracker = *element;
	}
}

static void put_in_tracker(struct plan *plan)
{
	struct graph_element *syntax = arena_new(plan->arena, struct graph_element);
	struct plan_element *element;

	syntax->class = "FlowTracker";
	syntax->name = plan_find(plan, syntax->class) ? "FlowTracker@planner" : syntax->class;
	syntax->at = syntax->class_at = plan->elements.at[0]->syntax->at;
	element = plan_add_element(plan, syntax);
	element->inserted_because = "flows are tracked";
	element->input_count = element->output_count = 0;
	plan->tracker = element;
}

void plan_flows(struct plan *plan, plan_read *read)
{
	unsigned bits = 0;

	find_tracker(plan);
	list_each (element, &plan->elements) {
		bool needs = needs_flows(*element);

		if (needs)
			give_bit(plan, *element, &bits);
		if (needs || platform_is_tracker((*element)->class))
			list_each (node, &(*element)->nodes)
				read(plan, *node, plan_flow_value(plan));
	}
	list_each (signal, &plan->signals)
		if ((*signal)->is_of_flow && plan_is_watched(*signal))
			list_each (node, &plan->nodes)
				if ((*node)->is_entered)
					read(plan, *node, plan_flow_value(plan));
	if (!plan->flow)
		return;
	if (!plan->tracker)
		put_in_tracker(plan);
	plan->tracking = plan->tracker->prototype;
	place_states(plan);
	plan_wants(plan);
}
