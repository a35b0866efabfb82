// SPDX-License-Identifier: Apache-2.0
// Observers: elements without inputs and outputs that see all events of their subscription. Which signals,
// under which filter, and which packet fields are to be at hand where the event is raised.
#include "plan/internal.h"
#include "plan/platform.h"

#include "lang/filter_parse.h"

#include <fnmatch.h>

static bool is_wanted(const struct observer_element *settings, const char *name)
{
	for (uint32_t i = 0; i < settings->events.count; i++)
		if (!fnmatch(settings->events.text[i], name, 0))
			return true;
	return false;
}

static struct filter *try_filter(struct plan *plan, const struct observer_element *settings,
	const struct plan_element *element, const struct weir_event_type *type, struct diag *diag)
{
	return filter_parse(plan->arena, settings->where, strlen(settings->where),
		element->syntax->at, plan_names(plan, type), diag);
}

// A filter may name parts that only some of the events have: it holds for none of the others.
static void watch(struct plan *plan, struct plan_observer *observer, struct plan_signal *signal)
{
	const struct observer_element *settings = observer->element->prototype;
	struct plan_watch *watch;
	struct filter *filter = NULL;

	if (*settings->where) {
		filter = try_filter(plan, settings, observer->element, signal->type, diag_create(plan->arena));
		if (!filter)
			return;
	}
	watch = list_add(plan->arena, &signal->watches);
	*watch = (struct plan_watch){ .observer = observer, .filter = filter };
	observer->watch_count++;
}

static void add_fields(struct plan *plan, struct plan_observer *observer)
{
	const struct observer_element *settings = observer->element->prototype;

	for (uint32_t i = 0; i < settings->fields.count; i++) {
		const char *name = settings->fields.text[i];
		const struct field *field = plan_field(plan, name, strlen(name));
		struct near near = { .word = name };
		struct diag_message *message;

		if (field && !field->any_of) {
			*list_add(plan->arena, &observer->fields) = plan_value_field(plan, field, DECODE_OUTER);
			continue;
		}
		message = diag_error(plan->diag, observer->element->syntax->at,
			"%s: \"%s\" is no field that can be shown", observer->element->name, name);
		for (unsigned n = 0; field_at(n); n++)
			near_try(&near, field_at(n)->name);
		if (near_best(&near))
			diag_hint(plan->diag, message, "did you mean \"%s\"?", near_best(&near));
	}
}

static void check_event(struct plan *plan, const struct plan_element *element, const char *glob)
{
	struct near near = { .word = glob };
	struct diag_message *message;

	list_each (signal, &plan->signals) {
		if (!fnmatch(glob, (*signal)->type->name, 0))
			return;
		near_try(&near, (*signal)->type->name);
	}
	plan_near_offered(plan, &near);
	message = diag_error(plan->diag, element->syntax->at,
		"%s: nothing in this graph raises \"%s\"", element->name, glob);
	if (near_best(&near))
		diag_hint(plan->diag, message, "did you mean \"%s\"?", near_best(&near));
}

static void add_observer(struct plan *plan, struct plan_element *element)
{
	const struct observer_element *settings = element->prototype;
	struct plan_observer *observer = arena_new(plan->arena, struct plan_observer);

	observer->element = element;
	*list_add(plan->arena, &plan->observers) = observer;
	add_fields(plan, observer);
	for (uint32_t i = 0; i < settings->events.count; i++)
		check_event(plan, element, settings->events.text[i]);
	list_each (signal, &plan->signals)
		if (is_wanted(settings, (*signal)->type->name))
			watch(plan, observer, *signal);
	if (!observer->watch_count && *settings->where && !plan->diag->errors)
		list_each (signal, &plan->signals)
			if (is_wanted(settings, (*signal)->type->name)) {
				try_filter(plan, settings, element, (*signal)->type, plan->diag);
				return;
			}
}

void plan_observers(struct plan *plan)
{
	list_each (element, &plan->elements)
		if (platform_is_observer((*element)->class))
			add_observer(plan, *element);
}

// ---- the nodes at which a signal may be raised: there the observer's fields are to be known

static bool raises(const struct plan_signal *signal, const struct plan_node *node)
{
	if (!signal->rides)
		return false;
	signal = plan_root(signal);
	if (!signal->raisers.count)
		return node->is_entered;
	list_each (raiser, &signal->raisers)
		if (*raiser == node->element)
			return true;
	return false;
}

void plan_observed_reads(struct plan *plan, plan_read *read, plan_read_filter *read_filter)
{
	list_each (signal, &plan->signals)
		list_each (watch, &(*signal)->watches)
			list_each (node, &plan->nodes) {
				if (!raises(*signal, *node))
					continue;
				list_each (field, &watch->observer->fields)
					read(plan, *node, *field);
				if (watch->filter)
					read_filter(plan, *node, watch->filter);
			}
}
