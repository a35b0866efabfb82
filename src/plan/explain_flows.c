// SPDX-License-Identifier: Apache-2.0
// Flows in the plan's words: are they tracked, for whom, and what is kept of each.
#include "plan/internal.h"
#include "plan/platform.h"

static const struct plan_value *of_flow_in(const struct plan_value *value)
{
	if (!value || value->kind == VALUE_OF_FLOW)
		return value;
	list_each (need, &value->needs)
		if ((*need)->kind == VALUE_OF_FLOW)
			return *need;
	return NULL;
}

static const struct plan_value *read_by(const struct plan_element *element)
{
	const struct plan_value *found = NULL;

	list_each (value, &element->values)
		found = found ? found : of_flow_in(*value);
	list_each (handler, &element->handlers)
		found = found ? found : of_flow_in((*handler)->filter);
	return found;
}

static bool keeps_state(const struct plan_element *element)
{
	each_member (member, element->class)
		if (member->kind == WEIR_IS_STATE)
			return true;
	return false;
}

// Why flows are tracked for an element; NULL: it needs to know nothing of them.
static const char *reason_of(const struct plan *plan, const struct plan_element *element)
{
	const struct plan_value *read = read_by(element);

	if (platform_is_tracker(element->class) && element->nodes.count && element->nodes.at[0]->fronts.count)
		return "says where";
	list_each (handler, &element->handlers)
		if (plan_is_of_conversation((*handler)->signal->type))
			return arena_print(plan->arena, "hears %s", (*handler)->signal->type->name);
	if (read)
		return arena_print(plan->arena, "reads %s", read->name);
	return keeps_state(element) ? "keeps something of each" : NULL;
}

static const char *reason_of_observer(const struct plan *plan, const struct plan_observer *observer)
{
	list_each (signal, &plan->signals)
		list_each (watch, &(*signal)->watches)
			if (watch->observer == observer && (*signal)->is_of_flow)
				return arena_print(plan->arena, "observes %s", (*signal)->type->name);
	list_each (value, &observer->fields)
		if (of_flow_in(*value))
			return arena_print(plan->arena, "shows %s", (*value)->name);
	list_each (signal, &plan->signals)
		list_each (watch, &(*signal)->watches)
			for (unsigned i = 0; watch->observer == observer && watch->filter &&
				i < filter_operand_count(watch->filter); i++)
				if (filter_operand_at(watch->filter, i)->field->kind == FIELD_OF_FLOW)
					return arena_print(plan->arena, "asks for %s",
						filter_operand_at(watch->filter, i)->field->name);
	return NULL;
}

static void explain_reason(const struct plan_element *element, const char *reason, FILE *to)
{
	if (reason)
		fprintf(to, "  for %s (%s), which %s\n", element->name, element->class->name, reason);
}

static void explain_kept(const struct plan *plan, FILE *to)
{
	fprintf(to, "flows: tracked, %u of each family at most, %u bytes each beside the record; streams: %s",
		plan->tracking->max_flows, plan->flow_state_size, plan->keeps_streams ? "kept" : "not kept");
	if (plan->keeps_streams && !plan->are_streams_observed)
		fprintf(to, " until no element wants them");
	if (plan->keeps_streams && plan->tracking->hash)
		fprintf(to, ", hashed");
	fprintf(to, "; history: %s", plan->keeps_history ? "kept" : "not kept");
	if (plan->tracking->vlan || plan->tracking->tunnel)
		fprintf(to, "; told apart by %s%s%s", plan->tracking->vlan ? "VLAN" : "",
			plan->tracking->vlan && plan->tracking->tunnel ? " and " : "",
			plan->tracking->tunnel ? "tunnel" : "");
	fprintf(to, "\n");
}

static const char *wanted_by(const struct plan *plan, const struct plan_want *want)
{
	list_each (element, &plan->elements)
		if (want->bit && want->bit == 1u << ((*element)->flow_bit - 1))
			return (*element)->name;
	return "observers";
}

static void explain_wants(const struct plan *plan, FILE *to)
{
	list_each (want, &plan->wants)
		fprintf(to, "  streams for %s only where %s\n", wanted_by(plan, want),
			filter_text(plan->arena, want->filter));
}

void plan_explain_flows(const struct plan *plan, FILE *to)
{
	if (!plan->flow) {
		fprintf(to, "flows: not tracked, nobody needs to know of them\n");
		return;
	}
	explain_kept(plan, to);
	list_each (element, &plan->elements)
		explain_reason(*element, reason_of(plan, *element), to);
	list_each (observer, &plan->observers)
		explain_reason((*observer)->element, reason_of_observer(plan, *observer), to);
	explain_wants(plan, to);
}
