// SPDX-License-Identifier: Apache-2.0
// Who raises and hears what: an event type that nobody hears has no signal, and raising it costs a load and a branch.
#include "plan/internal.h"

#include "lang/filter_parse.h"

#include <fnmatch.h>

// The platform's own, those that this version raises first.
static const struct weir_event_type *const built_in[] = {
	&weir_event_packet_received,
	&weir_event_packet_malformed,
	&weir_event_packet_fragmented,
};

static const struct weir_event_type *const of_flows[] = {
	&weir_event_flow_started,
	&weir_event_flow_ended,
	&weir_event_tcp_established,
	&weir_event_tcp_closed,
	&weir_event_tcp_reset,
	&weir_event_tcp_retransmitted,
	&weir_event_tcp_out_of_order,
	&weir_event_tcp_zero_window,
	&weir_event_tcp_state_changed,
	&weir_event_tcp_gap,
	&weir_event_tcp_overlapped,
	&weir_event_stream_data,
	&weir_event_stream_closed,
};

// In what order an element sees the events of one packet; those that are derived stand between.
static unsigned rank_of(const struct weir_event_type *type)
{
	static const unsigned ranks[] = {
		[WEIR_PER_PACKET] = 0,
		[WEIR_PER_DIRECTION] = 3,
		[WEIR_PER_FLOW_] = 2,
		[WEIR_PER_STREAM] = 4,
		[WEIR_PER_SESSION] = 5,
		[WEIR_PER_HOST] = 6,
		[WEIR_PER_AGGREGATE] = 6,
		[WEIR_PER_SYSTEM] = 6,
	};
	static const struct {
		const char *name;
		unsigned rank;
	} exceptions[] = { { "flow.started", 1 }, { "stream.closed", 7 }, { "tcp.closed", 8 }, { "tcp.reset", 8 },
		{ "flow.ended", 9 } };

	for (size_t i = 0; i < sizeof(exceptions) / sizeof(*exceptions); i++)
		if (!strcmp(exceptions[i].name, type->name))
			return exceptions[i].rank * PLAN_DERIVED;
	return ranks[type->per] * PLAN_DERIVED;
}

static bool are_alike(const struct weir_event_type *a, const struct weir_event_type *b)
{
	const struct weir_part *p = a->parts, *q = b->parts;

	if (a == b)
		return true;
	if (a->size != b->size || a->per != b->per || !p != !q)
		return false;
	for (; p && p->field && q->field; p++, q++)
		if (strcmp(p->field, q->field) || p->type != q->type || p->offset != q->offset || p->size != q->size)
			return false;
	return !p || (!p->field && !q->field);
}

struct plan_signal *plan_signal(const struct plan *plan, const char *name)
{
	list_each (signal, &plan->signals)
		if (!strcmp((*signal)->type->name, name))
			return *signal;
	return NULL;
}

struct plan_signal *plan_signal_add(struct plan *plan, const struct weir_event_type *type)
{
	struct plan_signal *signal = arena_new(plan->arena, struct plan_signal);

	signal->type = type;
	signal->index = plan->signals.count;
	signal->has_payload = type->parts != NULL;
	signal->rides = type->per < WEIR_PER_HOST;
	signal->rank = rank_of(type);
	*list_add(plan->arena, &plan->signals) = signal;
	return signal;
}

static void add_raiser(struct plan *plan, struct plan_element *element, const struct weir_member *member)
{
	struct plan_signal *signal = plan_signal(plan, member->event->name);

	if (!signal)
		signal = plan_signal_add(plan, member->event);
	else if (!are_alike(signal->type, member->event))
		diag_error(plan->diag, element->syntax->at,
			"%s: event \"%s\" has another payload here than in %s: build both modules with the same header",
			element->class->name, member->event->name,
			signal->raisers.count ? signal->raisers.at[0]->class->name : "the platform");
	*list_add(plan->arena, &signal->raisers) = element;
}

static struct filter *parse_filter(struct plan *plan, const struct plan_element *element, const char *text,
	const struct weir_event_type *type)
{
	struct place at = element->syntax->at;

	return filter_parse(plan->arena, text, strlen(text), at, plan_names(plan, type), plan->diag);
}

static void insert_by_rank(struct plan *plan, struct plan_element *element, struct plan_handler *handler)
{
	uint32_t i = element->handlers.count;

	list_add(plan->arena, &element->handlers);
	for (; i && element->handlers.at[i - 1]->rank > handler->rank; i--)
		element->handlers.at[i] = element->handlers.at[i - 1];
	element->handlers.at[i] = handler;
}

static void subscribe(struct plan *plan, struct plan_element *element, const struct weir_on *on,
	struct plan_signal *signal)
{
	struct plan_handler *handler = arena_new(plan->arena, struct plan_handler);
	struct filter *filter = on->where ? parse_filter(plan, element, on->where, signal->type) : NULL;

	handler->on = on;
	handler->signal = signal;
	handler->rank = signal->rank;
	handler->number = plan->handler_count++;
	if (filter) {
		struct filter_parts parts = filter_split(plan->arena, filter);

		handler->filter = parts.packet ? plan_value_filter(plan, parts.packet) : NULL;
		handler->payload_filter = parts.payload;
	}
	insert_by_rank(plan, element, handler);
	*list_add(plan->arena, &signal->handlers) = handler;
}

static void unknown_event(struct plan *plan, const struct plan_element *element, const char *name)
{
	struct near near = { .word = name };
	struct diag_message *message = diag_warn(plan->diag, element->syntax->at,
		"%s hears \"%s\", which nothing in this graph raises", element->class->name, name);

	list_each (signal, &plan->signals)
		near_try(&near, (*signal)->type->name);
	plan_near_offered(plan, &near);
	if (near_best(&near))
		diag_hint(plan->diag, message, "did you mean \"%s\"?", near_best(&near));
}

static void add_handlers(struct plan *plan, struct plan_element *element)
{
	for (const struct weir_on *on = element->class->on; on && (on->event || on->name); on++) {
		const char *name = on->event ? on->event->name : on->name;
		bool is_heard = false;

		list_each (signal, &plan->signals) {
			if (fnmatch(name, (*signal)->type->name, 0))
				continue;
			is_heard = true;
			if (on->typed && !are_alike(on->event, (*signal)->type))
				diag_error(plan->diag, element->syntax->at,
					"%s hears \"%s\" with another payload than it is raised with: "
					"build both modules with the same header",
					element->class->name, name);
			else
				subscribe(plan, element, on, *signal);
		}
		if (!is_heard)
			unknown_event(plan, element, name);
	}
}

const struct plan_signal *plan_origin(const struct plan_signal *signal)
{
	for (;;) {
		signal = plan_root(signal);
		if (!signal->telling)
			return signal;
		signal = signal->telling->gathering->derivation->base;
	}
}

// A class that hears what it raises, at whatever remove, would never come to an end.
static bool raises_reach(struct plan *plan, const struct plan_element *from,
	const struct plan_element *to, uint8_t *seen)
{
	if (seen[from->index]++)
		return false;
	list_each (signal, &plan->signals)
		list_each (raiser, &(*signal)->raisers)
			if (*raiser == from)
				list_each (element, &plan->elements)
					list_each (handler, &(*element)->handlers)
						if (plan_origin((*handler)->signal) == *signal &&
							(*element == to || raises_reach(plan, *element, to, seen)))
							return true;
	return false;
}

static void refuse_cycles(struct plan *plan)
{
	list_each (element, &plan->elements)
		if ((*element)->handlers.count &&
			raises_reach(plan, *element, *element, arena_array(plan->arena, uint8_t, plan->elements.count)))
			diag_error(plan->diag, (*element)->syntax->at,
				"%s (%s) hears an event that comes of what it raises itself",
				(*element)->name, (*element)->class->name);
}

// A payload goes along when its packet leaves the vector (engine/luggage.c).
static void add_luggage(struct plan *plan)
{
	list_each (signal, &plan->signals) {
		(*signal)->travels = (*signal)->mask && (*signal)->has_payload && (*signal)->handlers.count;
		if (!(*signal)->travels || plan->luggage)
			continue;
		plan->luggage = plan_value_add(plan, VALUE_LUGGAGE, "weir.events");
		plan->luggage->size = sizeof(void *);
	}
}

static void count_ranks(struct plan_element *element)
{
	for (uint32_t i = element->handlers.count; i--;) {
		struct plan_handler *handler = element->handlers.at[i];
		bool is_last = i + 1 == element->handlers.count || element->handlers.at[i + 1]->rank != handler->rank;

		handler->of_rank = is_last ? 1 : element->handlers.at[i + 1]->of_rank + 1;
	}
}

// What a definition stands upon that nobody hears, so that nothing was put in to raise it.
static void add_unheard(struct plan *plan)
{
	list_each (event, &plan->graph->events) {
		const struct weir_event_type *type = plan_offered(plan, event->base.text);

		if (type && !plan_signal(plan, event->base.text))
			plan_signal_add(plan, type);
	}
}

void plan_events(struct plan *plan)
{
	for (size_t i = 0; i < sizeof(built_in) / sizeof(*built_in); i++)
		plan_signal_add(plan, built_in[i]);
	for (size_t i = 0; i < sizeof(of_flows) / sizeof(*of_flows); i++)
		plan_signal_add(plan, of_flows[i])->is_of_flow = true;
	list_each (element, &plan->elements)
		each_member (member, (*element)->class)
			if (member->kind == WEIR_IS_SIGNAL)
				add_raiser(plan, *element, member);
	add_unheard(plan);
	plan_definitions(plan);
	list_each (element, &plan->elements)
		add_handlers(plan, *element);
	list_each (element, &plan->elements)
		count_ranks(*element);
	plan_observers(plan);
	plan_derivations(plan);
	refuse_cycles(plan);
	list_each (signal, &plan->signals)
		if (plan_is_heard(*signal) && (*signal)->rides)
			(*signal)->mask = plan_value_add(plan, VALUE_SIGNAL, (*signal)->type->name);
	add_luggage(plan);
}
