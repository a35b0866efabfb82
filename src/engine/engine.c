// SPDX-License-Identifier: Apache-2.0
// Overview: one control thread (the caller's) and N workers. The control thread makes a generation
// aside and publishes it; each worker takes it up between two vectors and says so; then the old one
// is destroyed as soon as no packet carries its layout.
#include "engine/engine.h"

#include "engine/observe.h"
#include "engine/places.h"
#include "engine/sum.h"
#include "engine/worker.h"
#include "port/platform.h"

#include <errno.h>
#include <pthread.h>
#include <rte_errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { MOST_RETIRED = 64 };

static struct {
	struct worker *workers;
	unsigned count;
	pthread_t threads[PLAN_WORKERS];
	bool has_thread[PLAN_WORKERS];
	const struct generation *generation; // the control side writes, workers read
	struct generation *retired[MOST_RETIRED];
	unsigned retired_count;
	bool stops, busy_poll, is_started;
	uint64_t held; // freed at the end
	struct engine_wish wish;
} engine;

const struct generation *engine_generation(void)
{
	return __atomic_load_n(&engine.generation, __ATOMIC_ACQUIRE);
}

bool engine_is_stopping(const struct worker *)
{
	return __atomic_load_n(&engine.stops, __ATOMIC_ACQUIRE);
}

uint64_t engine_last_ns(void)
{
	uint64_t last = 0;

	for (unsigned i = 0; i < engine.count; i++) {
		uint64_t ns = __atomic_load_n(&engine.workers[i].idle_ns, __ATOMIC_RELAXED);

		last = ns > last ? ns : last;
	}
	return last;
}

bool engine_busy_polls(void)
{
	return engine.busy_poll;
}

unsigned engine_workers(void)
{
	return engine.count;
}

static void sleep_ns(long ns)
{
	nanosleep(&(struct timespec){ .tv_nsec = ns }, NULL);
}

// ---- workers

static int make_worker(struct worker *worker, unsigned index, const struct engine_wish *wish)
{
	worker->in_force = &engine.generation;
	return worker_create(worker, index, wish);
}

static int make_rings(void)
{
	for (unsigned from = 0; from < engine.count; from++)
		for (unsigned to = 0; to < engine.count; to++) {
			char name[32];
			struct rte_ring *ring;

			if (from == to)
				continue;
			snprintf(name, sizeof(name), "weir-%u-%u", from, to);
			ring = rte_ring_create(name, WORKER_RING, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
			if (!ring)
				return -rte_errno;
			engine.workers[from].to[to] = ring;
			engine.workers[to].from[from] = ring;
		}
	return 0;
}

static int make_workers(unsigned count, const struct engine_wish *wish)
{
	int err = 0;

	engine.count = count;
	engine.workers = aligned_alloc(64, sizeof(*engine.workers) * count);
	if (!engine.workers)
		return -ENOMEM;
	memset(engine.workers, 0, sizeof(*engine.workers) * count);
	for (unsigned i = 0; !err && i < count; i++)
		err = make_worker(&engine.workers[i], i, wish);
	return err ? err : make_rings();
}

static void free_workers(void)
{
	for (unsigned i = 0; i < engine.count; i++) {
		for (unsigned to = 0; to < engine.count; to++)
			rte_ring_free(engine.workers[i].to[to]);
		worker_destroy(&engine.workers[i]);
	}
	free(engine.workers);
	engine.workers = NULL;
	engine.count = 0;
}

static int start_threads(void)
{
	for (unsigned i = 0; i < engine.count; i++) {
		int err = pthread_create(&engine.threads[i], NULL, worker_run, &engine.workers[i]);

		if (err)
			return -err;
		engine.has_thread[i] = true;
	}
	return 0;
}

static void join_threads(void)
{
	__atomic_store_n(&engine.stops, true, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < engine.count; i++)
		if (engine.has_thread[i])
			pthread_join(engine.threads[i], NULL);
	memset(engine.has_thread, 0, sizeof(engine.has_thread));
}

// ---- start and end

int engine_start(struct plan *plan, const struct engine_wish *wish, struct port_error *why)
{
	struct platform_wish platform = {
		.buffers = wish->buffers,
		.workers = plan->workers,
		.route_memory = wish->route_memory,
		.has_pci = wish->has_pci,
	};
	struct generation *generation = NULL;
	int err = platform_start(&platform, why);

	if (err && err != -EALREADY) {
		plan_destroy(plan);
		return err;
	}
	engine.wish = *wish;
	engine.busy_poll = wish->busy_poll;
	engine.stops = false;
	engine.held = 0;
	err = make_workers(plan->workers, wish);
	if (!err)
		err = generation_create(&generation, plan, wish->bindings, engine.workers, wish->seed, why);
	else
		plan_destroy(plan);
	if (err) {
		if (!*why->text)
			snprintf(why->text, sizeof(why->text), "the workers cannot be set up: %s", strerror(-err));
		free_workers();
		return err;
	}
	__atomic_store_n(&engine.generation, generation, __ATOMIC_RELEASE);
	engine.is_started = true;
	return start_threads();
}

// Frees old generations whose layout no packet carries any more.
static void destroy_retired(bool all)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < engine.retired_count; i++) {
		if (all || layout_is_unused(&engine.retired[i]->plan->layout))
			generation_destroy(&engine.retired[i]);
		else
			engine.retired[kept++] = engine.retired[i];
	}
	engine.retired_count = kept;
}

static void wait_for_all(const struct generation *generation)
{
	for (unsigned i = 0; i < engine.count; i++)
		while (__atomic_load_n(&engine.workers[i].seen, __ATOMIC_ACQUIRE) != generation)
			sleep_ns(20000);
}

int engine_swap(struct plan *plan, struct port_error *why)
{
	struct generation *old = (struct generation *)engine.generation, *fresh;
	int err;

	destroy_retired(false);
	if (engine.retired_count == MOST_RETIRED || plan->workers != engine.count) {
		snprintf(why->text, sizeof(why->text),
			engine.retired_count == MOST_RETIRED
				? "packets of too many earlier graphs still wait in queues"
				: "the number of workers cannot change");
		plan_destroy(plan);
		return -EBUSY;
	}
	err = generation_create(&fresh, plan, engine.wish.bindings, engine.workers, engine.wish.seed, why);
	if (err)
		return err;
	__atomic_store_n(&engine.generation, fresh, __ATOMIC_RELEASE);
	wait_for_all(fresh);
	engine.retired[engine.retired_count++] = old;
	destroy_retired(false);
	return 0;
}

void engine_stop_receiving(void)
{
	for (unsigned i = 0; i < engine.count; i++)
		__atomic_store_n(&engine.workers[i].stops_receiving, true, __ATOMIC_RELEASE);
}

// What is still in rings, queues and hands of modules at the end.
static void release_all(void)
{
	for (unsigned i = 0; i < engine.count; i++)
		engine.held += worker_release(&engine.workers[i]);
}

void engine_stop(void)
{
	if (!engine.is_started)
		return;
	join_threads();
	release_all();
	observers_stop(engine.generation);
	engine.is_started = false;
}

void engine_destroy(void)
{
	struct generation *last = (struct generation *)engine.generation;

	engine_stop();
	destroy_retired(true);
	engine.generation = NULL;
	generation_destroy(&last);
	free_workers();
	places_forget();
}

// ---- the end of captures

bool engine_sources_ended(void)
{
	for (unsigned i = 0; i < engine.count; i++)
		if (!engine.workers[i].generation || !worker_sources_ended(&engine.workers[i]))
			return false;
	return true;
}

static bool all_idle(uint64_t *handed)
{
	uint64_t out = 0, in = 0;

	for (unsigned i = 0; i < engine.count; i++) {
		if (!__atomic_load_n(&engine.workers[i].is_idle, __ATOMIC_ACQUIRE))
			return false;
		out += __atomic_load_n(&engine.workers[i].account.handed_out, __ATOMIC_RELAXED);
		in += __atomic_load_n(&engine.workers[i].account.handed_in, __ATOMIC_RELAXED);
	}
	*handed = in;
	return in == out;
}

bool engine_is_through(void)
{
	uint64_t before, after;

	if (!all_idle(&before))
		return false;
	sleep_ns(200000);
	return all_idle(&after) && before == after;
}

struct engine_sum engine_sum_of(unsigned worker)
{
	return sum_of_worker(&engine.workers[worker]);
}

struct engine_sum engine_sum(void)
{
	struct engine_sum sum = { .held = engine.held };

	for (unsigned i = 0; i < engine.count; i++)
		sum = sum_add(sum, engine_sum_of(i));
	return sum;
}
