// SPDX-License-Identifier: Apache-2.0
// Events. Raising appends: a bit in the event's mask and, where there is a payload, a record in the
// slot's list. They are delivered where the packet comes: packet by packet in order of arrival,
// those of one packet by rank, among equals as raised.
#include "engine/worker.h"

#include "engine/derive.h"
#include "engine/track_tcp.h"
#include "event/filter.h"

#include <rte_cycles.h>

// ---- raising

// What is told together: of a slot, of a flow's ending, of nobody's packet.
struct list {
	uint32_t *head, *tail;
	bool is_begun;
};

static struct event_record *append(
	struct worker *worker, const struct weir_signal *signal, unsigned slot, struct list list)
{
	uint32_t size = (uint32_t)(sizeof(struct event_record) + signal->size + 7) & ~7u, at = worker->store_used;
	struct event_record *record = event_record(worker, at);

	if (__builtin_expect(at + size > WORKER_STORE, 0)) {
		worker->account.events_lost++;
		return NULL;
	}
	worker->store_used += size;
	*record = (struct event_record){
		.signal = (uint16_t)signal->index,
		.slot = (uint8_t)slot,
		.before = WEIR_VECTOR,
		.now_ns = worker->now_ns };
	if (list.is_begun)
		event_record(worker, *list.tail)->next = at;
	else
		*list.head = at;
	*list.tail = at;
	return record;
}

static void mark(struct worker *worker, const struct weir_signal *signal, unsigned slot)
{
	*vector_mask(worker->vector, signal->mask) |= (weir_mask)1 << slot;
}

// The list of a slot is empty at the first event with a payload of a pass.
static void *append_to_slot(struct worker *worker, const struct weir_signal *signal, unsigned slot)
{
	struct list list = { &worker->head_of[slot], &worker->tail_of[slot], worker->has_records >> slot & 1 };
	struct event_record *record = append(worker, signal, slot, list);

	if (!record)
		return NULL;
	worker->has_records |= (weir_mask)1 << slot;
	mark(worker, signal, slot);
	record->from_server = worker->tracker ? worker->tracker->back >> slot & 1 : 0;
	return record->payload;
}

// On a flow's ending all events are records, also those without a payload.
static void *append_to_ending(struct worker *worker, const struct weir_signal *signal, struct ending *ending)
{
	struct list list = { &ending->head, &ending->tail, ending->head };
	struct event_record *record = append(worker, signal, WEIR_VECTOR, list);

	if (!record)
		return NULL;
	record->now_ns = ending->at_ns;
	record->before = ending->slot;
	record->flow = &ending->flow->head;
	return record->payload;
}

static void *append_for_all(struct worker *worker, const struct weir_signal *signal, unsigned slot)
{
	struct list list = { &worker->aggregate_head, &worker->aggregate_tail, worker->aggregate_head };
	struct event_record *record = append(worker, signal, slot, list);

	return record ? record->payload : NULL;
}

static inline struct ending *ending_of(const struct worker *worker)
{
	return worker->tracker ? worker->tracker->ending : NULL;
}

void *event_append(struct worker *worker, const struct weir_signal *signal, unsigned slot)
{
	struct ending *ending = ending_of(worker);

	if (!signal->rides)
		return append_for_all(worker, signal, slot);
	return ending ? append_to_ending(worker, signal, ending) : append_to_slot(worker, signal, slot);
}

void *weir_raise_(struct weir_call *call, unsigned slot, const struct weir_signal *signal)
{
	struct worker *worker = worker_of(call);
	void *payload;

	if (signal->has_payload || !signal->rides || ending_of(worker)) {
		payload = event_append(worker, signal, slot);
		return payload ? payload : worker->payload_lost;
	}
	mark(worker, signal, slot);
	return worker->payload_lost;
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
	bool is_timed;
};

// Of its packet; none where it rides on none: then verdicts are of the flow alone.
static weir_mask bit_of(const struct weir_event *event)
{
	return event->vector ? (weir_mask)1 << event->slot : 0;
}

static void verdict_drop(struct delivery *delivery)
{
	struct weir_event *event = &delivery->event;
	weir_mask bit = bit_of(event);

	if (!bit || delivery->dropped & bit)
		return;
	delivery->dropped |= bit;
	weir_count(event->why ? event->why : &delivery->hot->instance->bare_drops);
}

// ---- what an element has decided about a flow

static uint8_t number_of_counter(const struct hot *hot, const weir_counter *why)
{
	uint8_t number = 1;

	for (const struct weir_member *member = hot->instance->element->class->members;
		member && member->kind != WEIR_END; member++, number++)
		if (why == (const weir_counter *)(hot->self + member->offset))
			return number;
	return 0;
}

static weir_counter *counter_of_number(const struct hot *hot, uint8_t number)
{
	return number ? (weir_counter *)(hot->self + hot->instance->element->class->members[number - 1].offset)
		      : &hot->instance->bare_drops;
}

static bool is_dropped_here(const struct hot *hot, const struct weir_flow *flow)
{
	return (flow->flags_ & TRACK_DROPPED) && 1u << (flow->flags_ >> 8 & 31) == hot->flow_bit;
}

// The rest of the flow in this vector.
static weir_mask later_of_flow(const struct delivery *delivery)
{
	const struct weir_vector *v = delivery->event.vector;
	weir_mask same = 0;

	for (unsigned i = delivery->event.slot + 1u; i < v->fill; i++)
		same |= (weir_mask)(v->flow[i] == delivery->event.flow) << i;
	return same & v->live;
}

static void drop_flow(struct delivery *delivery)
{
	struct weir_event *event = &delivery->event;
	struct hot *hot = delivery->hot;

	if (!event->flow || !hot->flow_bit)
		return;
	track_drop(delivery->worker, event->flow);
	event->flow->flags_ = (uint16_t)(TRACK_DROPPED | (unsigned)__builtin_ctz(hot->flow_bit) << 8 |
		number_of_counter(hot, event->why));
	if (event->vector)
		delivery->worker->tracker->decided |= later_of_flow(delivery);
}

static void drop_decided(struct delivery *delivery, weir_mask slots)
{
	const struct hot *hot = delivery->hot;

	weir_each (i, slots & ~delivery->dropped) {
		struct weir_flow *flow = delivery->worker->vector->head.flow[i];

		if (!flow || !is_dropped_here(hot, flow))
			continue;
		delivery->dropped |= (weir_mask)1 << i;
		weir_count(counter_of_number(hot, (uint8_t)flow->flags_));
	}
}

static bool is_done(const struct delivery *delivery)
{
	const struct weir_flow *flow = delivery->event.flow;

	return flow && (flow->done_ & delivery->hot->flow_bit);
}

static bool is_side_stopped(const struct delivery *delivery)
{
	return track_is_stopped(delivery->worker->generation->plan, delivery->event.flow, delivery->event.from_server,
		delivery->hot->flow_bit);
}

static void be_done(struct delivery *delivery)
{
	struct weir_flow *flow = delivery->event.flow;

	flow->done_ |= delivery->hot->flow_bit;
	if (delivery->worker->generation->plan->stream_bits & delivery->hot->flow_bit)
		track_forget_streams(delivery->worker, flow);
}

static void obey(struct delivery *delivery, enum weir_verdict verdict)
{
	weir_mask bit = bit_of(&delivery->event);

	switch (verdict) {
	case WEIR_DONE:
		if (delivery->event.flow)
			be_done(delivery);
		return;
	case WEIR_DROP_FLOW:
		drop_flow(delivery);
		[[fallthrough]];
	case WEIR_DROP:
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

static inline enum weir_verdict call_plainly(const struct plan_handler *handler, struct weir_event *event)
{
	typedef enum weir_verdict typed(struct weir_event * event, const void *payload);

	return handler->on->plain ? handler->on->plain(event) : ((typed *)handler->on->typed)(event, event->payload);
}

__attribute__((noinline, cold)) static enum weir_verdict call_timed(
	struct worker *worker, const struct plan_handler *handler, struct weir_event *event)
{
	struct heard *heard = &worker->heard[handler->number];
	uint64_t from = rte_rdtsc();
	enum weir_verdict verdict = call_plainly(handler, event);

	weir_count_by(&heard->cycles, rte_rdtsc() - from);
	weir_count(&heard->calls);
	return verdict;
}

static inline enum weir_verdict call_handler(
	struct worker *worker, bool is_timed, const struct plan_handler *handler, struct weir_event *event)
{
	if (__builtin_expect(is_timed, 0))
		return call_timed(worker, handler, event);
	return call_plainly(handler, event);
}

// The event's type and payload are set; why is NULL.
static inline void tell_this(struct delivery *delivery, const struct plan_handler *handler)
{
	struct weir_event *event = &delivery->event;
	enum weir_verdict verdict;

	if (is_done(delivery))
		return;
	delivery->calls++;
	verdict = call_handler(delivery->worker, delivery->is_timed, handler, event);
	if (verdict == WEIR_PASS)
		return;
	obey(delivery, verdict);
	event->why = NULL;
}

static void tell(struct delivery *delivery, const struct plan_handler *handler, const void *payload)
{
	delivery->event.type = handler->signal->type;
	delivery->event.payload = payload;
	tell_this(delivery, handler);
}

static void begin_slot(struct delivery *delivery, unsigned slot)
{
	struct vector *vector = delivery->worker->vector;

	delivery->event.slot = (uint8_t)slot;
	delivery->event.flow = vector->head.flow[slot];
	delivery->event.now_ns = vector->head.time_ns[slot];
	delivery->event.from_server = delivery->worker->tracker && delivery->worker->tracker->back >> slot & 1;
}

// Slots for which a handler is to be called, as far as packet fields decide.
static weir_mask wanted_by(const struct worker *worker, const struct plan_handler *handler, weir_mask in)
{
	weir_mask mask = in & *vector_mask(worker->vector, handler->signal->mask->has);

	return handler->filter ? mask & *vector_mask(worker->vector, handler->filter->at) : mask;
}

static bool meets_filter(
	struct worker *worker, const struct plan_handler *handler, const struct event_record *record)
{
	struct filter_payload payload = { handler->signal->type, record->payload };

	return filter_event(handler->payload_program, handler->signal->rides ? worker->vector : NULL, record->slot,
		filter_payload_part, &payload);
}

static inline bool is_payload_fit(
	struct worker *worker, const struct plan_handler *handler, const struct event_record *record)
{
	return !handler->payload_program || meets_filter(worker, handler, record);
}

static void tell_record(
	struct delivery *delivery, const struct plan_handler *handler, const struct event_record *record)
{
	if (handler->signal->index != record->signal || !is_payload_fit(delivery->worker, handler, record))
		return;
	delivery->event.from_server = record->from_server;
	if (!handler->signal->is_of_stream || !is_side_stopped(delivery))
		tell(delivery, handler, record->payload);
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
			if (wanted[i] >> slot & 1)
				tell_record(delivery, handlers[i], record);
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
	for (unsigned from = 0; from < count; from += handlers[from]->of_rank)
		tell_rank(delivery, handlers + from, wanted + from, handlers[from]->of_rank, slot);
}

// The common case: one handler.
static void tell_one(struct delivery *delivery, const struct plan_handler *handler, weir_mask wanted)
{
	delivery->event.type = handler->signal->type;
	weir_each (i, wanted) {
		begin_slot(delivery, (unsigned)i);
		tell_this(delivery, handler);
	}
}

static void tell_one_payload(struct delivery *delivery, const struct plan_handler *handler, weir_mask wanted)
{
	struct worker *worker = delivery->worker;

	weir_each (i, wanted & worker->has_records) {
		begin_slot(delivery, (unsigned)i);
		for (uint32_t at = worker->head_of[i]; at; at = event_record(worker, at)->next)
			tell_record(delivery, handler, event_record(worker, at));
	}
}

// ---- flows: who knows of them; what ended between two packets

static void know(struct delivery *delivery, weir_mask in)
{
	struct weir_flow *const *flow = delivery->worker->vector->head.flow;

	weir_each (i, in)
		if (flow[i])
			flow[i]->knows_ |= delivery->hot->flow_bit;
}

static void tell_endings(struct delivery *delivery, unsigned slot)
{
	struct tracker *tracker = delivery->worker->tracker;

	for (unsigned i = 0; i < tracker->ending_count && tracker->endings[i].slot <= slot; i++)
		track_tell(delivery->worker, delivery->hot, &tracker->endings[i]);
}

static void tell_in_turn(struct delivery *delivery, const weir_mask *wanted, weir_mask any, weir_mask in)
{
	const struct tracker *tracker = delivery->worker->tracker;

	weir_each (i, any | (tracker->decided & in)) {
		tell_endings(delivery, (unsigned)i);
		drop_decided(delivery, tracker->decided & in & ((weir_mask)1 << i));
		if (!(delivery->dropped >> i & 1) && any >> i & 1)
			tell_slot(delivery, wanted, (unsigned)i);
	}
	drop_decided(delivery, tracker->decided & in);
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

static void prepare(struct worker *worker, const struct hot *hot)
{
	worker->call.self = hot->self;
	worker->call.element = (uint16_t)hot->instance->element->index;
	worker->call.input = hot->input;
}

weir_mask worker_deliver(struct worker *worker, struct hot *hot, weir_mask in)
{
	struct plan_handler *const *handlers = hot->node->element->handlers.at;
	struct delivery delivery = {
		.worker = worker,
		.hot = hot,
		.in = in,
		.event = { .self = hot->self, .vector = &worker->vector->head, .call = &worker->call },
		.is_timed = worker->is_timed,
	};
	weir_mask wanted[hot->handler_count], any = 0;

	for (unsigned i = 0; i < hot->handler_count; i++)
		any |= wanted[i] = handlers[i]->signal->mask ? wanted_by(worker, handlers[i], in) : 0;
	if (hot->flow_bit)
		know(&delivery, in);
	if (!any && !(hot->flow_bit && worker->tracker->decided & in))
		return in;
	prepare(worker, hot);
	if (hot->flow_bit && (worker->tracker->decided | worker->tracker->ending_count))
		tell_in_turn(&delivery, wanted, any, in);
	else if (hot->handler_count == 1 && handlers[0]->signal->has_payload)
		tell_one_payload(&delivery, handlers[0], any);
	else if (hot->handler_count == 1)
		tell_one(&delivery, handlers[0], any);
	else
		weir_each (i, any)
			tell_slot(&delivery, wanted, (unsigned)i);
	if (hot->flow_bit)
		drop_decided(&delivery, worker->tracker->decided & in);
	return settle(&delivery);
}

// ---- one flow's ending, to one element

static void tell_ended_rank(struct delivery *delivery, const struct ending *ending,
	struct plan_handler *const *handlers, unsigned count)
{
	struct worker *worker = delivery->worker;

	for (uint32_t at = ending->head; at; at = event_record(worker, at)->next) {
		const struct event_record *record = event_record(worker, at);

		for (unsigned i = 0; i < count; i++) {
			if (handlers[i]->signal->index != record->signal ||
				!track_is_fit(handlers[i], ending->flow, record->payload))
				continue;
			delivery->event.from_server = record->from_server;
			delivery->event.now_ns = record->now_ns;
			if (!handlers[i]->signal->is_of_stream || !is_side_stopped(delivery))
				tell(delivery, handlers[i],
					handlers[i]->signal->has_payload ? record->payload : NULL);
		}
	}
}

static void tell_ended(struct delivery *delivery, const struct ending *ending)
{
	struct plan_handler *const *handlers = delivery->hot->node->element->handlers.at;
	unsigned count = delivery->hot->handler_count;

	for (unsigned from = 0; from < count; from += handlers[from]->of_rank)
		tell_ended_rank(delivery, ending, handlers + from, handlers[from]->of_rank);
	weir_count_by(&delivery->hot->instance->events, delivery->calls);
}

void track_tell(struct worker *worker, struct hot *hot, struct ending *ending)
{
	struct weir_call call = worker->call;
	struct delivery delivery = {
		.worker = worker,
		.hot = hot,
		.event = { .self = hot->self, .flow = &ending->flow->head, .call = &worker->call, .slot = WEIR_VECTOR },
		.is_timed = worker->is_timed,
	};

	if (ending->told & hot->flow_bit || !(ending->flow->head.knows_ & hot->flow_bit))
		return;
	ending->told |= hot->flow_bit;
	derive(worker);
	prepare(worker, hot);
	worker->tracker->ending = ending;
	tell_ended(&delivery, ending);
	worker->tracker->ending = NULL;
	worker->call = call;
}

// ---- events of hosts, aggregates and the system: every subscriber, once, at the vector's end

static void tell_everybody(struct worker *worker, const struct event_record *record)
{
	const struct plan_signal *signal = worker->generation->signals[record->signal].plan;
	struct weir_event event = { .type = signal->type,
		.payload = record->payload,
		.call = &worker->call,
		.now_ns = record->now_ns };

	list_each (element, &worker->generation->plan->elements)
		list_each (handler, &(*element)->handlers) {
			struct instance *instance = &worker->instances[(*element)->index];

			if ((*handler)->signal != signal || !is_payload_fit(worker, *handler, record))
				continue;
			event.self = worker->call.self = instance->self;
			worker->call.element = (uint16_t)(*element)->index;
			call_handler(worker, worker->is_timed, *handler, &event);
			weir_count(&instance->events);
		}
}

void worker_deliver_aggregates(struct worker *worker)
{
	for (uint32_t at = worker->aggregate_head; at; at = event_record(worker, at)->next) {
		tell_everybody(worker, event_record(worker, at));
		derive(worker);
	}
}
