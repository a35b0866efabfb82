// SPDX-License-Identifier: Apache-2.0
// Events. Raising appends: a bit in the event's mask and, where there is a payload, a record in the
// slot's list. They are delivered where the packet comes: packet by packet in order of arrival,
// those of one packet by rank, among equals as raised.
#include "engine/worker.h"

#include "event/filter.h"

// ---- raising

static struct event_record *append(struct worker *worker, const struct weir_signal *signal, unsigned slot)
{
	uint32_t size = (uint32_t)(sizeof(struct event_record) + signal->size + 7) & ~7u, at = worker->store_used;
	uint32_t *head = signal->rides ? &worker->head_of[slot] : &worker->aggregate_head;
	uint32_t *tail = signal->rides ? &worker->tail_of[slot] : &worker->aggregate_tail;
	struct event_record *record = event_record(worker, at);

	if (at + size > WORKER_STORE) {
		worker->account.events_lost++;
		return NULL;
	}
	worker->store_used += size;
	*record = (struct event_record){ .signal = (uint16_t)signal->index, .slot = (uint8_t)slot };
	if (*head)
		event_record(worker, *tail)->next = at;
	else
		*head = at;
	*tail = at;
	return record;
}

static void mark(struct worker *worker, const struct weir_signal *signal, unsigned slot)
{
	weir_mask *mask = vector_mask(worker->vector, signal->mask), bit = (weir_mask)1 << slot;

	*mask |= bit;
}

// The list of a slot is empty at the first event with a payload of a pass.
static void begin_list(struct worker *worker, unsigned slot)
{
	weir_mask bit = (weir_mask)1 << slot;

	if (worker->has_records & bit)
		return;
	worker->has_records |= bit;
	worker->head_of[slot] = 0;
}

void *event_append(struct worker *worker, const struct weir_signal *signal, unsigned slot)
{
	struct event_record *record;

	if (signal->rides)
		begin_list(worker, slot);
	record = append(worker, signal, slot);
	if (record && signal->rides)
		mark(worker, signal, slot);
	return record ? record->payload : NULL;
}

void *weir_raise_(struct weir_call *call, unsigned slot, const struct weir_signal *signal)
{
	struct worker *worker = worker_of(call);
	void *payload = NULL;

	if (signal->rides && !signal->has_payload)
		mark(worker, signal, slot);
	else
		payload = event_append(worker, signal, slot);
	return payload ? payload : worker->payload_lost;
}

void weir_raise_each_(struct weir_call *call, weir_mask mask, const struct weir_signal *signal)
{
	*vector_mask(worker_of(call)->vector, signal->mask) |= mask;
}

// ---- delivering to one element

struct delivery {
	struct worker *worker;
	struct hot *hot;
	struct weir_event event;
	weir_mask dropped, in;
	uint64_t calls;
	bool has_outputs; // some verdict chose an output
};

static void verdict_drop(struct delivery *delivery)
{
	struct weir_event *event = &delivery->event;
	weir_mask bit = (weir_mask)1 << event->slot;

	if (delivery->dropped & bit)
		return;
	delivery->dropped |= bit;
	weir_count(event->why ? event->why : &delivery->hot->instance->bare_drops);
}

static void obey(struct delivery *delivery, enum weir_verdict verdict)
{
	weir_mask bit = (weir_mask)1 << delivery->event.slot;

	switch (verdict) {
	case WEIR_PASS:
	case WEIR_DONE:
		return;
	case WEIR_DROP:
	case WEIR_DROP_FLOW:
		verdict_drop(delivery);
		return;
	default:
		assert((unsigned)(verdict - WEIR_TO_FIRST) < delivery->hot->output_count);
		if (!(delivery->in & bit))
			return;
		delivery->in &= ~bit;
		delivery->has_outputs = true;
		delivery->worker->chosen[verdict - WEIR_TO_FIRST] |= bit;
	}
}

static enum weir_verdict call_handler(const struct plan_handler *handler, struct weir_event *event)
{
	typedef enum weir_verdict typed(struct weir_event * event, const void *payload);

	return handler->on->plain ? handler->on->plain(event) : ((typed *)handler->on->typed)(event, event->payload);
}

static void tell(struct delivery *delivery, const struct plan_handler *handler, const void *payload)
{
	struct weir_event *event = &delivery->event;

	event->type = handler->signal->type;
	event->payload = payload;
	event->why = NULL;
	delivery->calls++;
	obey(delivery, call_handler(handler, event));
}

static void begin_slot(struct delivery *delivery, unsigned slot)
{
	struct vector *vector = delivery->worker->vector;

	delivery->event.slot = (uint8_t)slot;
	delivery->event.flow = vector->head.flow[slot];
	delivery->event.now_ns = vector->head.time_ns[slot];
}

// Slots for which a handler is to be called, as far as packet fields decide.
static weir_mask wanted_by(const struct worker *worker, const struct plan_handler *handler, weir_mask in)
{
	weir_mask mask = in & *vector_mask(worker->vector, handler->signal->mask->has);

	return handler->filter ? mask & *vector_mask(worker->vector, handler->filter->at) : mask;
}

static bool is_payload_fit(
	struct worker *worker, const struct plan_handler *handler, const struct event_record *record)
{
	struct filter_payload payload = { handler->signal->type, record->payload };

	return !handler->payload_program ||
		filter_event(handler->payload_program, handler->signal->rides ? worker->vector : NULL, record->slot,
			filter_payload_part, &payload);
}

// All handlers of one rank hear the slot's records as they were raised.
static void tell_records(struct delivery *delivery, struct plan_handler *const *handlers, const weir_mask *wanted,
	unsigned count, unsigned slot)
{
	struct worker *worker = delivery->worker;

	if (!(worker->has_records >> slot & 1))
		return;
	for (uint32_t at = worker->head_of[slot]; at; at = event_record(worker, at)->next) {
		const struct event_record *record = event_record(worker, at);

		for (unsigned i = 0; i < count; i++)
			if (handlers[i]->signal->index == record->signal && (wanted[i] >> slot & 1) &&
				is_payload_fit(worker, handlers[i], record))
				tell(delivery, handlers[i], record->payload);
	}
}

static void tell_rank(struct delivery *delivery, struct plan_handler *const *handlers, const weir_mask *wanted,
	unsigned count, unsigned slot)
{
	bool has_payloads = false;

	for (unsigned i = 0; i < count; i++) {
		if (handlers[i]->signal->has_payload)
			has_payloads = true;
		else if (wanted[i] >> slot & 1)
			tell(delivery, handlers[i], NULL);
	}
	if (has_payloads)
		tell_records(delivery, handlers, wanted, count, slot);
}

static void tell_slot(struct delivery *delivery, const weir_mask *wanted, unsigned slot)
{
	struct plan_handler *const *handlers = delivery->hot->node->element->handlers.at;
	unsigned count = delivery->hot->handler_count;

	begin_slot(delivery, slot);
	for (unsigned from = 0, to; from < count; from = to) {
		for (to = from + 1; to < count && handlers[to]->rank == handlers[from]->rank; to++)
			;
		tell_rank(delivery, handlers + from, wanted + from, to - from, slot);
	}
}

// The common case: one event without payload and one handler.
static void tell_one(struct delivery *delivery, const struct plan_handler *handler, weir_mask wanted)
{
	weir_each (i, wanted) {
		begin_slot(delivery, (unsigned)i);
		tell(delivery, handler, NULL);
	}
}

// What verdicts took away leaves; the rest is for `process`.
static weir_mask settle(struct delivery *delivery)
{
	struct worker *worker = delivery->worker;

	weir_count_by(&delivery->hot->instance->events, delivery->calls);
	if (delivery->has_outputs)
		for (unsigned i = 0; i < delivery->hot->output_count; i++) {
			worker_leave_by(worker, &delivery->hot->outputs[i], worker->chosen[i] & ~delivery->dropped);
			worker->chosen[i] = 0;
		}
	if (delivery->dropped)
		worker_dropped(worker, delivery->hot, delivery->dropped);
	return delivery->in & ~delivery->dropped;
}

weir_mask worker_deliver(struct worker *worker, struct hot *hot, weir_mask in)
{
	struct plan_handler *const *handlers = hot->node->element->handlers.at;
	struct delivery delivery = {
		.worker = worker,
		.hot = hot,
		.in = in,
		.event = { .self = hot->self, .vector = &worker->vector->head, .call = &worker->call },
	};
	weir_mask wanted[hot->handler_count], any = 0;

	for (unsigned i = 0; i < hot->handler_count; i++)
		any |= wanted[i] = handlers[i]->signal->mask ? wanted_by(worker, handlers[i], in) : 0;
	if (!any)
		return in;
	worker->call.self = hot->self;
	worker->call.element = (uint16_t)hot->instance->element->index;
	worker->call.input = hot->input;
	if (hot->handler_count == 1 && !handlers[0]->signal->has_payload)
		tell_one(&delivery, handlers[0], any);
	else
		weir_each (i, any)
			tell_slot(&delivery, wanted, (unsigned)i);
	return settle(&delivery);
}

// ---- events of hosts, aggregates and the system: every subscriber, once, at the vector's end

static void tell_everybody(struct worker *worker, const struct event_record *record)
{
	const struct plan_signal *signal = worker->generation->signals[record->signal].plan;
	struct weir_event event = { .type = signal->type,
		.payload = record->payload,
		.call = &worker->call,
		.now_ns = worker->now_ns };

	list_each (element, &worker->generation->plan->elements)
		list_each (handler, &(*element)->handlers) {
			struct instance *instance = &worker->instances[(*element)->index];

			if ((*handler)->signal != signal || !is_payload_fit(worker, *handler, record))
				continue;
			event.self = worker->call.self = instance->self;
			worker->call.element = (uint16_t)(*element)->index;
			call_handler(*handler, &event);
			weir_count(&instance->events);
		}
}

void worker_deliver_aggregates(struct worker *worker)
{
	for (uint32_t at = worker->aggregate_head; at; at = event_record(worker, at)->next)
		tell_everybody(worker, event_record(worker, at));
}
