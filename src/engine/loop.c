// SPDX-License-Identifier: Apache-2.0
// A worker's loop: gather, run the plan, flush, timers, be quiescent, take up a new generation if
// there is one. Idle, it backs off to sleeping, for no driver here wakes it.
#include "engine/engine.h"

#include "engine/aggregate.h"
#include "engine/checks.h"
#include "engine/state.h"
#include "engine/track.h"
#include "engine/worker.h"
#include "port/platform.h"

#include <rte_cycles.h>
#include <time.h>

enum { SPINS = 200,
	SHORT_NS = 50000,
	MIDDLE_NS = 200000,
	LONG_NS = 1000000,
	STEP_NS = 1000000,
	MOST_STEPS = 200000 };

static uint64_t wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// ---- timers

static void fire(struct worker *worker, const struct timer_entry *entry)
{
	struct weir_event event = { .self = entry->instance->self, .call = &worker->call, .now_ns = worker->now_ns };

	entry->timer->due_ns = 0;
	worker->call.self = entry->instance->self;
	worker->call.element = (uint16_t)entry->instance->element->index;
	entry->handler(&event);
}

void worker_timers(struct worker *worker)
{
	const struct share *share = &worker->generation->shares[worker->index];
	uint64_t next = 0;

	worker->vector->head.now_ns = worker->now_ns;
	for (unsigned i = 0; i < share->timer_count; i++) {
		const struct timer_entry *entry = &share->timers[i];

		if (entry->timer->due_ns && entry->timer->due_ns <= worker->now_ns)
			fire(worker, entry);
		if (entry->timer->due_ns && (!next || entry->timer->due_ns < next))
			next = entry->timer->due_ns;
	}
	worker->next_timer_ns = next;
}

// ---- one turn

static void flush_ports(struct worker *worker)
{
	const struct generation *generation = worker->generation;

	for (unsigned i = 0; i < generation->port_count; i++) {
		struct port *port = generation->ports[i].sends;
		unsigned queues = port ? port_info(port)->send_queues : 0;

		if (port && (queues >= generation->workers || !worker->index))
			port_flush(port, queues >= generation->workers ? worker->index : 0);
	}
}

// With captures, to where the others are: nothing is on its way from before that. True: there is more of the way.
static bool follow(struct worker *worker, uint64_t mark)
{
	bool waits = worker->is_stalled || worker->ready_head != worker->ready_tail;
	uint64_t to = mark;

	if (worker->window_due_ns > worker->now_ns && worker->window_due_ns < mark)
		to = worker->window_due_ns;
	if (!waits && to > worker->now_ns)
		worker->now_ns = to;
	worker->is_behind = waits || worker->now_ns < mark;
	return worker->is_behind && !waits;
}

bool worker_step(struct worker *worker)
{
	uint64_t from = rte_rdtsc(), spent, mark;
	bool has_marks = worker->generation->aggregates && worker->generation->is_lossless &&
		worker->generation->workers > 1;
	bool goes_on = false;
	unsigned filled;

	mark = has_marks ? aggregates_mark(worker) : 0;
	worker->is_blocked = !worker_flush_handed(worker);
	filled = worker_gather(worker);
	if (filled) {
		worker_pass(worker);
	} else if (worker->tracker || worker->aggregate_head) { // time ends flows; raised by timers
		if (worker->tracker)
			track_end(worker);
		worker_end_events(worker);
		worker_begin(worker);
	}
	worker->is_blocked = !worker_flush_handed(worker);
	worker->is_behind = false;
	if (has_marks && !filled)
		goes_on = follow(worker, mark);
	if (has_marks)
		aggregates_tell_mark(worker);
	flush_ports(worker);
	if (!filled && !worker->generation->is_lossless)
		worker->now_ns = wall_clock();
	worker_timers(worker);
	if (worker->generation->aggregates)
		aggregates_step(worker);
	spent = rte_rdtsc() - from;
	weir_count_by(filled ? &worker->account.busy_cycles : &worker->account.idle_cycles, spent);
	return filled || goes_on;
}

bool worker_sources_ended(const struct worker *worker)
{
	for (unsigned i = 0; i < worker->source_count; i++) {
		const struct source *source = &worker->sources[i];

		if (source->first < source->count || !(worker->stops_receiving || port_ended(source->port)))
			return false;
	}
	return worker->ready_head == worker->ready_tail;
}

// At the end of all captures, so that what waits for a time comes to it.
void worker_pass_time(struct worker *worker)
{
	if (!worker->generation->is_lossless || !state_waits(worker) || worker->steps_of_time >= MOST_STEPS)
		return;
	worker->steps_of_time++;
	worker->now_ns += STEP_NS;
}

static void rest(struct worker *worker, unsigned idle, bool busy_poll)
{
	struct timespec time = { .tv_nsec = idle < 2 * SPINS ? SHORT_NS : idle < 4 * SPINS ? MIDDLE_NS
											   : LONG_NS };
	uint64_t from = rte_rdtsc();

	if (idle < SPINS || busy_poll)
		return;
	nanosleep(&time, NULL);
	weir_count_by(&worker->account.asleep_cycles, rte_rdtsc() - from);
}

// A capture ends for all workers at the same time, that of its last packet, whoever had it.
static void end_flows(struct worker *worker)
{
	uint64_t last_ns = engine_last_ns();

	if (worker->generation->is_lossless && last_ns > worker->now_ns)
		worker->now_ns = last_ns;
	track_end(worker);
	worker_end_events(worker);
	worker_begin(worker);
	track_stop(worker);
}

void *worker_run(void *argument)
{
	struct worker *worker = argument;
	unsigned idle = 0;

	if (platform_thread())
		return NULL;
	while (!engine_is_stopping(worker)) {
		const struct generation *next = worker_newest(worker);

		if (next != worker->generation)
			generation_take_up(next, worker);
		__atomic_store_n(&worker->seen, next, __ATOMIC_RELEASE);
		if (worker_step(worker)) {
			idle = 0;
			__atomic_store_n(&worker->is_idle, false, __ATOMIC_RELEASE);
			continue;
		}
		if (worker->generation->is_lossless && engine_sources_ended())
			worker_pass_time(worker);
		__atomic_store_n(&worker->idle_ns, worker->now_ns, __ATOMIC_RELAXED);
		__atomic_store_n(&worker->is_idle, worker_is_through(worker), __ATOMIC_RELEASE);
		rest(worker, ++idle, engine_busy_polls());
	}
	if (worker->tracker)
		end_flows(worker);
	aggregates_stop(worker);
	checks_end();
	platform_thread_leave();
	return NULL;
}

// Nothing left to do, and nothing that will come by itself?
bool worker_is_through(const struct worker *worker)
{
	return worker_sources_ended(worker) && !worker->is_blocked && !worker->is_behind &&
		(!state_waits(worker) || worker->steps_of_time >= MOST_STEPS || !worker->generation->is_lossless);
}
