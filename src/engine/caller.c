// SPDX-License-Identifier: Apache-2.0
#include "engine/caller.h"

#include "engine/aggregate.h"
#include "engine/caller_inside.h"
#include "engine/checks.h"
#include "engine/state.h"
#include "engine/sum.h"
#include "port/cable.h"
#include "port/platform.h"

#include <errno.h>
#include <stdlib.h>

int caller_create(struct caller **made, struct plan *plan, const struct caller_wish *wish, struct port_error *why)
{
	struct caller *caller = aligned_alloc(64, (sizeof(*caller) + 63) & ~(size_t)63);
	struct engine_wish worker = { .fill = wish->fill };
	struct generation *generation = NULL;
	int err = caller ? 0 : -ENOMEM;

	*made = NULL;
	assert(plan->workers == 1);
	if (caller) {
		memset(caller, 0, sizeof(*caller));
		caller->worker.in_force = &caller->generation;
		err = worker_create(&caller->worker, 0, &worker);
	}
	if (err) {
		snprintf(why->text, sizeof(why->text), "out of memory");
		plan_destroy(plan);
	} else {
		err = generation_create(&generation, plan, wish->bindings, &caller->worker, wish->seed, why);
	}
	if (err) {
		if (caller)
			worker_destroy(&caller->worker);
		free(caller);
		return err;
	}
	caller->generation = generation;
	generation_take_up(generation, &caller->worker);
	for (unsigned i = 0; i < caller->worker.source_count; i++)
		caller->worker.sources[i].queue = wish->queue;
	if (caller->worker.source_count)
		caller->entry = caller->worker.sources[0].entry;
	*made = caller;
	return 0;
}

static void destroy_retired(struct caller *caller, bool all)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < caller->retired_count; i++) {
		if (all || layout_is_unused(&caller->retired[i]->plan->layout))
			generation_destroy(&caller->retired[i]);
		else
			caller->retired[kept++] = caller->retired[i];
	}
	caller->retired_count = kept;
}

void caller_destroy(struct caller **made)
{
	struct caller *caller = *made;
	struct generation *generation;

	if (!caller)
		return;
	generation = (struct generation *)caller->generation;
	aggregates_stop(&caller->worker);
	worker_release(&caller->worker);
	destroy_retired(caller, true);
	generation_destroy(&generation);
	worker_destroy(&caller->worker);
	free(caller);
	*made = NULL;
}

int caller_swap(struct caller *caller, struct plan *plan, const struct caller_wish *wish, struct port_error *why)
{
	struct generation *old = (struct generation *)caller->generation, *fresh;
	int err;

	destroy_retired(caller, false);
	if (caller->retired_count == CALLER_RETIRED) {
		snprintf(why->text, sizeof(why->text), "packets of too many earlier graphs still wait in queues");
		plan_destroy(plan);
		return -EBUSY;
	}
	err = generation_create(&fresh, plan, wish->bindings, &caller->worker, wish->seed, why);
	if (err)
		return err;
	caller->generation = fresh;
	generation_take_up(fresh, &caller->worker);
	caller->retired[caller->retired_count++] = old;
	destroy_retired(caller, false);
	return 0;
}

// ---- questions

const struct plan *caller_plan(const struct caller *caller)
{
	return caller->generation->plan;
}

struct engine_sum caller_sum(const struct caller *caller)
{
	const struct worker *worker = &caller->worker;
	struct engine_sum sum = sum_of_worker(worker);

	sum.held = state_held(worker) + (uint32_t)(worker->ready_tail - worker->ready_head);
	for (unsigned i = 0; i < worker->source_count; i++)
		sum.held += worker->sources[i].count - worker->sources[i].first;
	return sum;
}

static const struct instance *instance_of(const struct caller *caller, const struct plan_element *element)
{
	return &caller->worker.instances[element->index];
}

struct instance_sum caller_instance(const struct caller *caller, const struct plan_element *element)
{
	const struct instance *instance = instance_of(caller, element);

	return (struct instance_sum){
		.packets = instance->packets,
		.dropped = instance->dropped,
		.events = instance->events,
		.cycles = instance->cycles,
		.timed_packets = instance->timed_packets,
	};
}

const char *caller_self(const struct caller *caller, const struct plan_element *element)
{
	return instance_of(caller, element)->self;
}

uint64_t caller_open_drops(const struct caller *caller, const struct plan_element *element, unsigned output)
{
	return instance_of(caller, element)->open_drops[output];
}

uint64_t caller_bare_drops(const struct caller *caller, const struct plan_element *element)
{
	return instance_of(caller, element)->bare_drops;
}

void caller_leave_thread(void)
{
	checks_end();
	platform_thread_leave();
}

// ---- running a graph

// As soon as packets come that are not of captures, the clock rules: nothing waits for observers, and time goes on
// when nothing comes.
static void look_for_live(struct caller *caller)
{
	for (unsigned i = 0; i < caller->worker.source_count; i++) {
		const struct port *port = caller->worker.sources[i].port;

		if (port_is_cable(port) && cable_is_live(port))
			((struct generation *)caller->generation)->is_lossless = false;
	}
}

unsigned caller_turn(struct caller *caller)
{
	struct worker *worker = &caller->worker;
	uint64_t before = worker->account.filled;

	if (caller->generation->is_lossless)
		look_for_live(caller);
	worker_step(worker);
	return (unsigned)(worker->account.filled - before);
}

bool caller_has_more(const struct caller *caller)
{
	const struct worker *worker = &caller->worker;

	if (worker->ready_head != worker->ready_tail)
		return true;
	for (unsigned i = 0; i < worker->source_count; i++) {
		const struct source *source = &worker->sources[i];

		if (source->first < source->count || (port_is_cable(source->port) && cable_waiting(source->port)))
			return true;
	}
	return false;
}

bool caller_is_through(const struct caller *caller)
{
	return worker_is_through(&caller->worker);
}

void caller_pass_time(struct caller *caller)
{
	if (worker_sources_ended(&caller->worker))
		worker_pass_time(&caller->worker);
}

bool caller_is_live(const struct caller *caller)
{
	return !caller->generation->is_lossless;
}
