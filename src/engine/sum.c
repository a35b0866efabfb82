// SPDX-License-Identifier: Apache-2.0
// What the platform counted, over all workers.
#include "engine/engine.h"
#include "engine/sum.h"
#include "engine/worker.h"

static uint64_t load(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

struct engine_sum sum_of_worker(const struct worker *worker)
{
	const struct account *account = &worker->account;

	return (struct engine_sum){
		.received = load(&account->received),
		.emitted = load(&account->emitted),
		.cloned = load(&account->cloned),
		.sent = load(&account->sent),
		.dropped = load(&account->dropped),
		.consumed = load(&account->consumed),
		.passes = load(&account->passes),
		.filled = load(&account->filled),
		.events_lost = load(&account->events_lost),
		.loops = load(&account->loops),
		.vanished = load(&account->vanished),
		.no_buffer = load(&account->no_buffer),
		.ring_full = load(&account->ring_full),
		.busy_cycles = load(&account->busy_cycles),
		.idle_cycles = load(&account->idle_cycles),
		.asleep_cycles = load(&account->asleep_cycles),
	};
}

struct engine_sum sum_add(struct engine_sum a, struct engine_sum b)
{
	const uint64_t *from = (const uint64_t *)&b;
	uint64_t *to = (uint64_t *)&a;

	static_assert(sizeof(a) % sizeof(*to) == 0);
	for (size_t i = 0; i < sizeof(a) / sizeof(*to); i++)
		to[i] += from[i];
	return a;
}

bool engine_is_conserved(const struct engine_sum *sum)
{
	return sum->received + sum->emitted + sum->cloned == sum->sent + sum->dropped + sum->consumed + sum->held;
}

static struct instance *instance_of(unsigned worker, const struct plan_element *element)
{
	return &engine_generation()->shares[worker].instances[element->index];
}

struct instance_sum engine_instance(const struct plan_element *element)
{
	struct instance_sum sum = { 0 };

	for (unsigned i = 0; i < engine_workers(); i++) {
		const struct instance *instance = instance_of(i, element);

		sum.packets += load(&instance->packets);
		sum.dropped += load(&instance->dropped);
		sum.events += load(&instance->events);
		sum.cycles += load(&instance->cycles);
		sum.timed_packets += load(&instance->timed_packets);
	}
	return sum;
}

struct handler_sum engine_handler(const struct plan_handler *handler)
{
	struct handler_sum sum = { 0 };

	for (unsigned i = 0; i < engine_workers(); i++) {
		const struct heard *heard = &engine_generation()->shares[i].heard[handler->number];

		sum.calls += load(&heard->calls);
		sum.cycles += load(&heard->cycles);
	}
	return sum;
}

uint64_t engine_counter(const struct plan_element *element, const struct weir_member *member)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < engine_workers(); i++)
		sum += load((const uint64_t *)(instance_of(i, element)->self + member->offset));
	return sum;
}

uint64_t engine_open_drops(const struct plan_element *element, unsigned output)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < engine_workers(); i++)
		sum += load(&instance_of(i, element)->open_drops[output]);
	return sum;
}

uint64_t engine_bare_drops(const struct plan_element *element)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < engine_workers(); i++)
		sum += load(&instance_of(i, element)->bare_drops);
	return sum;
}
