// SPDX-License-Identifier: Apache-2.0
#include "engine/observe.h"

#include "engine/observe_write.h"
#include "engine/track.h"
#include "engine/worker.h"

#include <errno.h>
#include <pthread.h>
#include <rte_ring_elem.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

enum { RING = 1 << 14,
	STREAM_RING = 1 << 12, // its records are larger
	BURST = 64,
	WAIT_NS = 500000 };

struct observer {
	const struct plan_observer *plan;
	const struct generation *generation;
	struct rte_ring *rings[PLAN_WORKERS]; // from each worker
	uint32_t record_size, text_room;
	struct observe_output *output;
	enum observe_format format;
	pthread_t thread;
	bool has_thread, stops;
	struct {
		_Alignas(64) uint64_t lost; // its worker writes
		_Alignas(64) uint64_t told; // the observer's thread writes: how many it has reported
	} lost[PLAN_WORKERS];
};

struct observers {
	unsigned count;
	struct observer *at;
};

static struct observer_element *self_of(const struct observer *observer, unsigned worker)
{
	const struct share *share = &observer->generation->shares[worker];

	return (struct observer_element *)share->instances[observer->plan->element->index].self;
}

// ---- the observer's thread

static unsigned write_some(struct observer *observer, unsigned worker, char *records)
{
	unsigned count = rte_ring_sc_dequeue_burst_elem(
		observer->rings[worker], records, observer->record_size, BURST, NULL);
	uint64_t lost = __atomic_load_n(&observer->lost[worker].lost, __ATOMIC_RELAXED);

	for (unsigned i = 0; i < count; i++)
		observe_write(observer->output, observer->format, observer->plan, self_of(observer, 0),
			observer->generation->signals,
			(const struct observation *)(records + (size_t)i * observer->record_size));
	if (lost != observer->lost[worker].told)
		observe_write_lost(observer->output, observer->format, lost - observer->lost[worker].told);
	observer->lost[worker].told = lost;
	return count;
}

static void *observe(void *argument)
{
	struct observer *observer = argument;
	char *records = malloc((size_t)BURST * observer->record_size);
	bool stops = false;

	while (records) {
		unsigned count = 0;

		for (unsigned worker = 0; worker < observer->generation->workers; worker++)
			count += write_some(observer, worker, records);
		if (count)
			continue;
		if (stops)
			break;
		stops = __atomic_load_n(&observer->stops,
			__ATOMIC_ACQUIRE); // once more after that: all is in the rings
		observe_flush(observer->output);
		if (!stops)
			nanosleep(&(struct timespec){ .tv_nsec = WAIT_NS }, NULL);
	}
	observe_flush(observer->output);
	free(records);
	return NULL;
}

// ---- making and ending

static uint32_t size_of_records(const struct plan *plan, const struct plan_observer *observer, uint32_t text_room)
{
	uint32_t payload = 0;

	list_each (signal, &plan->signals)
		list_each (watch, &(*signal)->watches)
			if (watch->observer == observer && (*signal)->has_payload && (*signal)->type->size > payload)
				payload = (*signal)->type->size;
	return observation_size(observer, payload, text_room);
}

// Not of DPDK's memory: there is little of it, and of a ring that is never full little is ever touched.
static struct rte_ring *make_ring(uint32_t record_size, unsigned records)
{
	ssize_t size = rte_ring_get_memsize_elem(record_size, records);
	struct rte_ring *ring = size < 0 ? NULL : aligned_alloc(64, ((size_t)size + 63) & ~(size_t)63);

	if (ring && rte_ring_init(ring, "observer", records, RING_F_SP_ENQ | RING_F_SC_DEQ)) {
		free(ring);
		return NULL;
	}
	return ring;
}

static int make_rings(struct observer *observer, unsigned workers)
{
	for (unsigned worker = 0; worker < workers; worker++) {
		observer->rings[worker] = make_ring(
			observer->record_size, observer->format == OBSERVE_STREAMS ? STREAM_RING : RING);
		if (!observer->rings[worker])
			return -ENOMEM;
	}
	return 0;
}

static int make_observer(struct observer *observer, struct generation *generation,
	const struct plan_observer *plan, struct port_error *why)
{
	const struct observer_element *settings = plan->element->prototype;
	int err;

	observer->plan = plan;
	observer->generation = generation;
	observer->format = (enum observe_format)observe_format_find(settings->format);
	observer->text_room = OBSERVATION_TEXT;
	if (observer->format == OBSERVE_STREAMS)
		observer->text_room += OBSERVATION_STREAM;
	observer->record_size = size_of_records(generation->plan, plan, observer->text_room);
	err = make_rings(observer, generation->workers);
	if (!err)
		err = observe_open(&observer->output, settings->file, observer->format, why);
	if (!err)
		err = -pthread_create(&observer->thread, NULL, observe, observer);
	observer->has_thread = !err;
	return err;
}

int observers_create(struct generation *generation, struct port_error *why)
{
	struct plan *plan = generation->plan;
	struct observers *observers = arena_new(generation->arena, struct observers);
	int err = 0;

	if (!plan->observers.count)
		return 0;
	observers->at = aligned_alloc(64, sizeof(*observers->at) * plan->observers.count);
	if (!observers->at)
		return -ENOMEM;
	memset(observers->at, 0, sizeof(*observers->at) * plan->observers.count);
	observers->count = plan->observers.count;
	generation->observers = observers;
	for (unsigned i = 0; !err && i < observers->count; i++) {
		err = make_observer(&observers->at[i], generation, plan->observers.at[i], why);
		plan->observers.at[i]->number = i;
	}
	return err;
}

void observers_stop(const struct generation *generation)
{
	struct observers *observers = generation->observers;

	for (unsigned i = 0; observers && i < observers->count; i++) {
		struct observer *observer = &observers->at[i];

		__atomic_store_n(&observer->stops, true, __ATOMIC_RELEASE);
		if (observer->has_thread)
			pthread_join(observer->thread, NULL);
		observer->has_thread = false;
	}
}

void observers_destroy(struct generation *generation)
{
	struct observers *observers = generation->observers;

	if (!observers)
		return;
	observers_stop(generation);
	for (unsigned i = 0; i < observers->count; i++) {
		struct observer *observer = &observers->at[i];

		for (unsigned worker = 0; worker < generation->workers; worker++)
			free(observer->rings[worker]);
		observe_close(&observer->output);
	}
	free(observers->at);
	generation->observers = NULL;
}

// ---- on workers

static void hand_over(struct worker *worker, struct observer *observer, const struct observation *record)
{
	while (rte_ring_sp_enqueue_elem(observer->rings[worker->index], (void *)record, observer->record_size)) {
		if (!worker->generation->is_lossless) {
			weir_count(&observer->lost[worker->index].lost);
			weir_count(&self_of(observer, worker->index)->lost);
			return;
		}
		sched_yield();
	}
}

static bool is_wanted(const struct plan_watch *watch, const struct observed *seen)
{
	struct filter_payload part = { seen->signal->type, seen->payload };

	if (!watch->program)
		return true;
	if (!seen->vector && seen->flow)
		return track_is_watched(watch, seen->signal->type, seen->flow, seen->payload);
	return filter_event(watch->program, seen->vector, seen->slot, filter_payload_part, &part);
}

static void tell_one(struct worker *worker, struct observer *observer, const struct observed *seen)
{
	_Alignas(16) char room[OBSERVATION_MOST];
	struct observation *record = (struct observation *)room;

	observation_fill(record, observer->plan, seen);
	record->element = worker->call.element;
	hand_over(worker, observer, record);
}

// What is longer than a record goes in pieces.
static void tell_stream(struct worker *worker, struct observer *observer, const struct observed *seen)
{
	struct weir_stream_data piece = *(const struct weir_stream_data *)seen->payload;
	struct observed part = *seen;
	struct weir_text left = piece.data;

	part.payload = &piece;
	for (; left.length; left.at += piece.data.length, left.length -= piece.data.length) {
		piece.data = left;
		if (piece.data.length > OBSERVATION_STREAM)
			piece.data.length = OBSERVATION_STREAM;
		tell_one(worker, observer, &part);
	}
}

static void tell_all(struct worker *worker, struct observed *seen)
{
	list_each (watch, &seen->signal->watches) {
		struct observer *observer = &worker->generation->observers->at[watch->observer->number];

		if (!is_wanted(watch, seen))
			continue;
		seen->text_room = observer->text_room;
		if (observer->format == OBSERVE_STREAMS && !strcmp(seen->signal->type->name, "stream.data"))
			tell_stream(worker, observer, seen);
		else
			tell_one(worker, observer, seen);
	}
}

// ---- in the order in which elements would hear them: by packet, those of one by rank, among equals as raised

struct told {
	uint16_t place, signal; // place: twice the slot, one less for what comes before it
	uint16_t rank, slot;
	uint32_t record; // 0: it has none
};

enum { TOLD_MOST = 1024 };

struct turn {
	struct told at[TOLD_MOST];
	unsigned count;
};

static void add(struct turn *turn, const struct plan_signal *signal, unsigned place, unsigned slot, uint32_t record)
{
	struct told told = { (uint16_t)place, (uint16_t)signal->index, (uint16_t)signal->rank, (uint16_t)slot, record };
	unsigned i = turn->count++;

	for (; i && (turn->at[i - 1].place > told.place ||
		(turn->at[i - 1].place == told.place && turn->at[i - 1].rank > told.rank)); i--)
		turn->at[i] = turn->at[i - 1];
	turn->at[i] = told;
}

static bool is_back(const struct worker *worker, unsigned slot)
{
	return worker->tracker && worker->tracker->back >> slot & 1;
}

static void tell_turn(struct worker *worker, struct turn *turn)
{
	const struct generation *generation = worker->generation;

	for (unsigned i = 0; i < turn->count; i++) {
		const struct told *told = &turn->at[i];
		const struct event_record *record = told->record ? event_record(worker, told->record) : NULL;
		const struct weir_signal *signal = &generation->signals[told->signal];
		bool rides = signal->rides && told->slot < WEIR_VECTOR;
		struct observed seen = {
			.signal = signal->plan,
			.payload = record && signal->has_payload ? record->payload : NULL,
			.slot = told->slot,
			.vector = rides ? worker->vector : NULL,
			.now_ns = record ? record->now_ns : 0,
			.flow = rides ? worker->vector->head.flow[told->slot] : record ? record->flow : NULL,
		};

		seen.is_back = record ? record->from_server : rides && is_back(worker, told->slot);
		tell_all(worker, &seen);
	}
	turn->count = 0;
}

static void add_records(struct worker *worker, struct turn *turn)
{
	while (worker->observed_to < worker->store_used) {
		const struct event_record *record = event_record(worker, worker->observed_to);
		const struct weir_signal *signal = &worker->generation->signals[record->signal];
		unsigned place = record->slot < WEIR_VECTOR ? 2u * record->slot + 1 : 2u * record->before;

		if (signal->plan->watches.count && turn->count == TOLD_MOST)
			tell_turn(worker, turn);
		if (signal->plan->watches.count)
			add(turn, signal->plan, place, record->slot, worker->observed_to);
		worker->observed_to += (uint32_t)(sizeof(*record) + signal->size + 7) & ~7u;
	}
}

// Events without payload are bits: those that have come since the last look.
static void add_masks(struct worker *worker, struct turn *turn)
{
	list_each (signal, &worker->generation->plan->signals) {
		weir_mask fresh;

		if (!(*signal)->watches.count || (*signal)->has_payload || !(*signal)->mask)
			continue;
		fresh = *vector_mask(worker->vector, (*signal)->mask->has) & ~worker->observed[(*signal)->index];
		worker->observed[(*signal)->index] |= fresh;
		weir_each (i, fresh) {
			if (turn->count == TOLD_MOST)
				tell_turn(worker, turn);
			add(turn, *signal, 2u * (unsigned)i + 1, (unsigned)i, 0);
		}
	}
}

void observers_begin(struct worker *worker)
{
	list_each (signal, &worker->generation->plan->signals)
		if ((*signal)->watches.count && (*signal)->mask)
			worker->observed[(*signal)->index] =
				*vector_mask(worker->vector, (*signal)->mask->has) & worker->returned;
}

void observers_tell_records(struct worker *worker)
{
	struct turn turn;

	turn.count = 0;
	add_records(worker, &turn);
	tell_turn(worker, &turn);
}

void observers_tell(struct worker *worker)
{
	struct turn turn;

	turn.count = 0;
	add_records(worker, &turn);
	add_masks(worker, &turn);
	tell_turn(worker, &turn);
}
