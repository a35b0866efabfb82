// SPDX-License-Identifier: Apache-2.0
// Events that the graph defines. A definition stands behind its base, whatever the order of the text; those with the
// same base and filter are derived once, under several names. What nobody hears is derived from nothing.
#include "plan/internal.h"

#include "lang/filter_parse.h"

// ---- which definition comes first

struct order { // of definitions, by their place in the graph
	struct plan *plan;
	enum { UNSEEN, OPEN, DONE } *seen;
};

static uint32_t definition_named(const struct plan *plan, const char *name)
{
	list_each (event, &plan->graph->events)
		if (!strcmp(event->name.text, name))
			return (uint32_t)(event - plan->graph->events.at);
	return PLAN_NOWHERE;
}

static void unknown_base(struct plan *plan, const struct graph_event *event)
{
	struct near near = { .word = event->base.text };
	struct diag_message *message = diag_error(plan->diag, event->base.at,
		"nothing in this graph raises \"%s\"", event->base.text);

	list_each (signal, &plan->signals)
		near_try(&near, (*signal)->type->name);
	list_each (other, &plan->graph->events)
		if (other != event)
			near_try(&near, other->name.text);
	plan_near_offered(plan, &near);
	if (near_best(&near))
		diag_hint(plan->diag, message, "did you mean \"%s\"?", near_best(&near));
}

// ---- filters: wrong ones are pointed at in the graph's text

static size_t offset_of(const char *text, struct place at)
{
	const char *line = text;

	for (uint32_t n = 1; n < at.line; n++)
		line = strchr(line, '\n') + 1;
	return (size_t)(line - text) + at.column - 1;
}

static void say_where(struct plan *plan, const struct graph_argument *where, const struct diag *said)
{
	for (const struct diag_message *message = said->first; message; message = message->next) {
		struct place at = graph_argument_place(where, offset_of(where->text, message->at));
		struct diag_message *again = message->is_error ? diag_error(plan->diag, at, "%s", message->text)
							       : diag_warn(plan->diag, at, "%s", message->text);

		if (message->hint)
			diag_hint(plan->diag, again, "%s", message->hint);
	}
}

static struct filter *read_where(struct plan *plan, const struct graph_argument *where,
	const struct weir_event_type *type)
{
	struct diag *said = diag_create(plan->arena);
	struct filter *filter = filter_parse(plan->arena, where->text, strlen(where->text),
		(struct place){ NULL, 1, 1 }, plan_names(plan, type), said);

	say_where(plan, where, said);
	return filter && filter_is_always(filter) ? NULL : filter;
}

// ---- what is derived

static bool is_same(const struct plan_derivation *derivation, const struct plan_signal *base,
	const struct filter *where)
{
	return derivation->base == base && !derivation->where == !where &&
		(!where || filter_equal(derivation->where, where));
}

struct plan_derivation *plan_derivation_of(struct plan *plan, struct plan_signal *base, struct filter *where)
{
	struct plan_derivation *derivation;

	list_each (one, &plan->derivations)
		if (is_same(*one, base, where))
			return *one;
	derivation = arena_new(plan->arena, struct plan_derivation);
	derivation->base = base;
	derivation->where = where;
	derivation->test.signal = base;
	derivation->index = plan->derivations.count;
	*list_add(plan->arena, &plan->derivations) = derivation;
	return derivation;
}

static struct plan_signal *add_signal(struct plan *plan, const struct graph_event *event,
	struct plan_derivation *derivation)
{
	const struct plan_signal *base = derivation->base;
	struct weir_event_type *type = arena_new(plan->arena, struct weir_event_type);
	struct plan_signal *signal;

	*type = *base->type;
	type->name = event->name.text;
	type->about = derivation->where ? arena_print(plan->arena, "%s where %s", base->type->name,
						  filter_text(plan->arena, derivation->where))
					: arena_print(plan->arena, "%s, always", base->type->name);
	signal = plan_signal_add(plan, type);
	signal->has_payload = base->has_payload;
	signal->rank = base->rank + 1;
	signal->is_of_flow = base->is_of_flow;
	signal->derivation = derivation;
	return signal;
}

static void define(struct plan *plan, const struct graph_event *event, struct plan_signal *base)
{
	unsigned errors = plan->diag->errors;
	struct filter *where = event->where.text ? read_where(plan, &event->where, base->type) : NULL;

	if (plan_signal(plan, event->name.text))
		diag_error(plan->diag, event->name.at, "\"%s\" cannot be defined: code raises it", event->name.text);
	else if (base->rank % PLAN_DERIVED == PLAN_DERIVED - 1)
		diag_error(plan->diag, event->at, "more than %d definitions stand upon one another", PLAN_DERIVED - 1);
	if (plan->diag->errors != errors)
		return;
	if (event->aggregate == GRAPH_EACH)
		add_signal(plan, event, plan_derivation_of(plan, base, where));
	else
		plan_gather(plan, event, plan_derivation_of(plan, base, where));
}

static void visit(struct order *order, uint32_t index)
{
	struct plan *plan = order->plan;
	const struct graph_event *event = &plan->graph->events.at[index];
	struct plan_signal *base;
	uint32_t below;

	if (order->seen[index] == DONE)
		return;
	order->seen[index] = OPEN;
	base = plan_signal(plan, event->base.text);
	below = base ? PLAN_NOWHERE : definition_named(plan, event->base.text);
	if (below != PLAN_NOWHERE && order->seen[below] == OPEN) {
		diag_error(plan->diag, event->base.at, "\"%s\" comes of itself, by way of \"%s\"",
			plan->graph->events.at[below].name.text, event->name.text);
	} else if (below != PLAN_NOWHERE) {
		visit(order, below);
		base = plan_signal(plan, event->base.text);
	} else if (!base) {
		unknown_base(plan, event);
	}
	if (base)
		define(plan, event, base);
	order->seen[index] = DONE;
}

void plan_definitions(struct plan *plan)
{
	uint32_t count = plan->graph->events.count;
	struct order order = { plan, arena_take(plan->arena, (count + 1) * sizeof(*order.seen)) };

	for (uint32_t i = 0; i < count; i++)
		visit(&order, i);
}

// ---- which of it is heard

bool plan_is_watched(const struct plan_signal *signal)
{
	if (signal->watches.count)
		return true;
	list_each (derivation, &signal->derivations) {
		if ((*derivation)->gatherings.count)
			return true;
		list_each (derived, &(*derivation)->signals)
			if (plan_is_watched(*derived))
				return true;
	}
	return false;
}

static bool reads(const struct plan_derivation *derivation, const char *part)
{
	for (unsigned i = 0; derivation->where && i < filter_operand_count(derivation->where); i++)
		if (!strcmp(filter_operand_at(derivation->where, i)->field->name, part))
			return true;
	list_each (gathering, &derivation->gatherings) {
		if ((*gathering)->field && !strcmp((*gathering)->field->name, part))
			return true;
		list_each (source, &(*gathering)->by)
			if (!strcmp(source->name, part))
				return true;
	}
	return false;
}

bool plan_shows(const struct plan_signal *signal, const char *part)
{
	if (signal->watches.count)
		return true;
	list_each (derivation, &signal->derivations) {
		if (reads(*derivation, part))
			return true;
		list_each (derived, &(*derivation)->signals)
			if (plan_shows(*derived, part))
				return true;
	}
	return false;
}

void plan_step(struct plan *plan, struct plan_steps *steps, struct plan_value *value)
{
	list_each (step, &steps->list)
		if (*step == value)
			return;
	list_each (need, &value->needs)
		plan_step(plan, steps, *need);
	value->spans_pass = true;
	if (value->kind < VALUE_OF_FLOW)
		*list_add(plan->arena, &steps->list) = value;
	else if (plan->nodes.count)
		*list_add(plan->arena, &value->readers) = plan->nodes.at[0];
}

static void prepare(struct plan *plan, struct plan_derivation *derivation)
{
	struct filter_parts parts = filter_split(plan->arena, derivation->where);
	struct plan_value read = { 0 };

	if (parts.packet) {
		derivation->test.filter = plan_value_filter(plan, parts.packet);
		*list_add(plan->arena, &read.needs) = derivation->test.filter;
	}
	derivation->test.payload_filter = parts.payload;
	if (parts.payload)
		plan_value_needs(plan, &read, parts.payload);
	list_each (need, &read.needs)
		plan_step(plan, &derivation->steps, *need);
}

static void be_heard(struct plan *plan, struct plan_derivation *derivation)
{
	*list_add(plan->arena, &derivation->base->derivations) = derivation;
	if (derivation->where)
		prepare(plan, derivation);
}

static void find_heard(struct plan *plan, struct plan_derivation *derivation)
{
	list_each (signal, &plan->signals)
		if ((*signal)->derivation == derivation && plan_is_heard(*signal))
			*list_add(plan->arena, &derivation->signals) = *signal;
	plan_gatherings(plan, derivation);
	if (derivation->signals.count || derivation->gatherings.count)
		be_heard(plan, derivation);
}

// Those that stand upon others are looked at before them.
void plan_derivations(struct plan *plan)
{
	for (uint32_t i = plan->derivations.count; i--;)
		find_heard(plan, plan->derivations.at[i]);
	list_each (signal, &plan->signals)
		if ((*signal)->derivations.count && (*signal)->rides && !(*signal)->has_payload)
			*list_add(plan->arena, &plan->derived_from) = *signal;
}

// ---- for people

static void list_others(const struct plan_signal *signal, FILE *to)
{
	const char *separator = ", shared with ";

	list_each (other, &signal->derivation->signals) {
		if (*other == signal)
			continue;
		fprintf(to, "%s%s", separator, (*other)->type->name);
		separator = ", ";
	}
}

void plan_explain_derived(const struct plan *plan, const struct plan_signal *signal, FILE *to)
{
	const struct plan_derivation *derivation = signal->derivation;

	if (signal->telling) {
		plan_explain_gathered(plan, signal, to);
		return;
	}
	fprintf(to, "event %s: derived from %s", signal->type->name, derivation->base->type->name);
	if (derivation->where)
		fprintf(to, " where %s", filter_text(plan->arena, derivation->where));
	list_others(signal, to);
}
