// SPDX-License-Identifier: Apache-2.0
#include "engine/derive.h"

#include "engine/aggregate.h"
#include "engine/track.h"
#include "event/filter.h"

static void compute(struct worker *worker, const struct plan_derivation *derivation, weir_mask slots)
{
	list_each (step, &derivation->steps.list)
		worker_compute_value(worker, *step, slots);
}

// ---- events without a payload: bits

static weir_mask met(struct worker *worker, const struct plan_derivation *derivation, weir_mask fresh)
{
	if (!derivation->test.filter)
		return fresh;
	compute(worker, derivation, fresh);
	return fresh & *vector_mask(worker->vector, derivation->test.filter->at);
}

static void derive_bits(struct worker *worker, const struct plan_signal *base, weir_mask fresh)
{
	list_each (derivation, &base->derivations) {
		weir_mask slots = met(worker, *derivation, fresh);

		list_each (signal, &(*derivation)->signals)
			*vector_mask(worker->vector, (*signal)->mask->has) |= slots;
		if (slots && (*derivation)->gatherings.count)
			aggregates_gather_slots(worker, *derivation, slots);
	}
}

// A base comes before what is derived from it, so that once is enough.
static void derive_masks(struct worker *worker)
{
	list_each (base, &worker->generation->plan->derived_from) {
		weir_mask *seen = &worker->derived[(*base)->index];
		weir_mask fresh = *vector_mask(worker->vector, (*base)->mask->has) & ~*seen;

		if (!fresh)
			continue;
		*seen |= fresh;
		derive_bits(worker, *base, fresh);
	}
}

// ---- events with a payload, or of nobody's packet: records

static bool is_met_by_packet(struct worker *worker, const struct plan_derivation *derivation,
	const struct event_record *record)
{
	const struct plan_handler *test = &derivation->test;
	struct filter_payload payload = { test->signal->type, record->payload };

	compute(worker, derivation, (weir_mask)1 << record->slot);
	return (!test->filter || *vector_mask(worker->vector, test->filter->at) >> record->slot & 1) &&
		(!test->payload_program ||
			filter_event(test->payload_program, worker->vector, record->slot, filter_payload_part,
				&payload));
}

// It rides on no packet: there are none of a packet's fields.
static bool is_met_by_payload(const struct plan_derivation *derivation, const struct event_record *record)
{
	const struct plan_handler *test = &derivation->test;
	struct filter_payload payload = { test->signal->type, record->payload };

	return (!test->filter || filter_event(test->filter->program, NULL, 0, filter_payload_part, &payload)) &&
		(!test->payload_program ||
			filter_event(test->payload_program, NULL, 0, filter_payload_part, &payload));
}

static bool is_met(struct worker *worker, const struct plan_derivation *derivation, const struct event_record *record)
{
	if (!derivation->where)
		return true;
	if (record->slot < WEIR_VECTOR && derivation->base->rides)
		return is_met_by_packet(worker, derivation, record);
	if (record->flow)
		return track_is_fit(&derivation->test, (const struct flow *)record->flow, record->payload);
	return is_met_by_payload(derivation, record);
}

// The list that the base stands in: of a slot, of a flow's ending, of nobody's packet.
static uint32_t *tail_of(struct worker *worker, const struct event_record *base, uint32_t at)
{
	struct tracker *tracker = worker->tracker;

	if (!worker->generation->signals[base->signal].rides)
		return &worker->aggregate_tail;
	if (!base->flow)
		return &worker->tail_of[base->slot];
	for (unsigned i = 0; i < tracker->ending_count; i++) {
		struct ending *ending = &tracker->endings[i];

		if (&ending->flow->head == base->flow && ending->head <= at && at <= ending->tail)
			return &ending->tail;
	}
	assert(tracker->ending); // it is still being made
	return &tracker->ending->tail;
}

static void append(struct worker *worker, const struct plan_signal *derived, uint32_t at)
{
	const struct weir_signal *signal = &worker->generation->signals[derived->index];
	uint32_t size = (uint32_t)(sizeof(struct event_record) + signal->size + 7) & ~7u, to = worker->store_used;
	struct event_record *record = event_record(worker, to), *base = event_record(worker, at);
	uint32_t *tail = tail_of(worker, base, at);

	if (to + size > WORKER_STORE) {
		worker->account.events_lost++;
		return;
	}
	worker->store_used += size;
	memcpy(record, base, sizeof(*base) + signal->size);
	record->signal = (uint16_t)signal->index;
	record->next = 0;
	event_record(worker, *tail)->next = to;
	*tail = to;
	if (signal->rides && record->slot < WEIR_VECTOR)
		*vector_mask(worker->vector, signal->mask) |= (weir_mask)1 << record->slot;
}

static void derive_record(struct worker *worker, uint32_t at)
{
	const struct plan_signal *base = worker->generation->signals[event_record(worker, at)->signal].plan;

	list_each (derivation, &base->derivations) {
		if (!is_met(worker, *derivation, event_record(worker, at)))
			continue;
		list_each (signal, &(*derivation)->signals)
			append(worker, *signal, at);
		if ((*derivation)->gatherings.count)
			aggregates_gather_record(worker, *derivation, event_record(worker, at));
	}
}

// Records that are derived come behind, and are looked at in their turn.
void derive_records(struct worker *worker)
{
	while (worker->generation->derives && worker->derived_to < worker->store_used) {
		uint32_t at = worker->derived_to;
		const struct event_record *record = event_record(worker, at);
		uint32_t size = worker->generation->signals[record->signal].size;

		worker->derived_to += (uint32_t)(sizeof(*record) + size + 7) & ~7u;
		derive_record(worker, at);
	}
}

// To compute what a filter reads may raise what the decoder finds.
void derive_fresh(struct worker *worker)
{
	do {
		derive_masks(worker);
		derive_records(worker);
	} while (worker->derived_to < worker->store_used);
}

void derive_begin(struct worker *worker)
{
	list_each (base, &worker->generation->plan->derived_from)
		worker->derived[(*base)->index] =
			*vector_mask(worker->vector, (*base)->mask->has) & worker->returned;
}
