// SPDX-License-Identifier: Apache-2.0
// The engine: workers, the generation in force, and its replacement under traffic. One per process. Calls are for the
// control thread, but for those at the end.
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "engine/generation.h"

struct engine_wish {
	unsigned workers;   // 1 to PLAN_WORKERS
	unsigned fill;      // packets of a vector at most; 0: 64
	uint64_t seed;      // of hashes; captures want the same every time
	bool busy_poll;     // never sleep
	bool times_all;     // every pass, not one in 16
	bool has_pci;
	unsigned buffers;   // 0: enough
	size_t route_memory;
	const struct bindings *bindings;
};

// Starts the platform and the workers on a plan, which the engine owns from now on. 0, or -errno with *why.
int engine_start(struct plan *plan, const struct engine_wish *wish, struct port_error *why);
// Puts another plan in force; when it returns every worker runs it. On failure the old one goes on.
int engine_swap(struct plan *plan, struct port_error *why);
// No worker has anything left to do, and nothing will come: all captures are at their end.
bool engine_is_through(void);
// Ports are received from no more; what is inside goes on.
void engine_stop_receiving(void);
// Ends the workers; what elements still hold is freed and counted as held. Then only the questions below may be asked.
void engine_stop(void);
// Ends the rest.
void engine_destroy(void);

struct engine_sum {
	uint64_t received, emitted, cloned, sent, dropped, consumed, held;
	uint64_t passes, filled, events_lost, loops, vanished, no_buffer, ring_full;
	uint64_t busy_cycles, idle_cycles, asleep_cycles;
};
struct engine_sum engine_sum(void);           // over all workers; exact once they have stopped
struct engine_sum engine_sum_of(unsigned worker);
bool engine_is_conserved(const struct engine_sum *sum);
unsigned engine_workers(void);
// Of an element, over all workers.
struct instance_sum {
	uint64_t packets, dropped, events, cycles, timed_packets;
};
struct instance_sum engine_instance(const struct plan_element *element);
// What a handler took in passes that were timed (engine_wish.times_all: in all).
struct plan_handler;
struct handler_sum {
	uint64_t calls, cycles;
};
struct handler_sum engine_handler(const struct plan_handler *handler);
uint64_t engine_counter(const struct plan_element *element, const struct weir_member *member);
uint64_t engine_open_drops(const struct plan_element *element, unsigned output);
uint64_t engine_bare_drops(const struct plan_element *element);

// Where goes what modules have to say to an operator: instead of standard error. Before any worker runs.
typedef void engine_say(void *context, const char *text);
void engine_log_to(engine_say *say, void *context);

// for workers
const struct generation *engine_generation(void);
bool engine_is_stopping(const struct worker *worker);
bool engine_busy_polls(void);
uint64_t engine_last_ns(void); // of the packets of all workers, when they were idle
bool engine_sources_ended(void);

#endif
