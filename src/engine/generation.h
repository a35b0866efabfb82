// SPDX-License-Identifier: Apache-2.0
// A generation: a plan in force, with the structs of its elements, one per worker. It is made aside, taken up by each
// worker between two vectors (which moves the state of its own elements), and destroyed when no worker runs it and no
// packet carries its layout.
#ifndef ENGINE_GENERATION_H
#define ENGINE_GENERATION_H

#include "plan/plan.h"
#include "port/port.h"

struct worker;

// What modules see as weir_signal: an event type that somebody hears.
struct weir_signal {
	uint32_t index, mask; // mask: in the vector; 0: it does not ride
	uint16_t size, number; // number: of its name, over all generations
	bool has_payload, rides;
	const struct plan_signal *plan;
};

// One element on one worker. What the platform counts of it is read by others.
struct instance {
	_Alignas(64) char *self;
	const struct plan_element *element;
	uint64_t packets, dropped, events, cycles, timed_packets;
	uint64_t bare_drops;   // WEIR_DROP without a reason
	uint64_t *open_drops;  // by output that leads nowhere
	struct rte_mbuf *held; // what the module holds, a list through packet heads
	uint64_t held_count;
};

struct hot_output {
	uint32_t order; // node that runs later in this pass
	uint16_t place;
	enum { OUT_OPEN, OUT_NEXT, OUT_AGAIN } kind;
	uint64_t *dropped;
};

// A node as the pass wants it, one per worker: all that is needed in a row.
struct hot {
	_Alignas(64) weir_process *process;
	char *self;
	struct instance *instance;
	const struct plan_node *node;
	struct plan_value *const *steps;
	struct hot_output *outputs;
	const uint32_t *voids, *gives;
	uint16_t step_count, output_count, void_count, give_count;
	uint16_t handler_count, input, place, home;
	bool sends, is_sink, is_for_all; // for_all: what comes is for every worker
	uint32_t flow_bit; // its own among those that hear of flows; 0: it does not
	struct port *port; // where it sends to
	unsigned queue;
};

struct generation_port {
	struct plan_element *element;
	struct port *receives, *sends; // either may be NULL
};

struct timer_entry {
	struct instance *instance;
	struct weir_timer *timer;
	weir_handler *handler;
};

struct taker { // who lets packets enter from inside: queues, gates
	struct instance *instance;
};

// The part of one worker.
// What one handler took in passes that were timed.
struct heard {
	uint64_t calls, cycles;
};

struct share {
	struct instance *instances;
	struct hot *hot;
	struct timer_entry *timers;
	struct taker *takers;
	unsigned timer_count, taker_count;
	void *memory; // of the structs, cache lines of their own
	struct vector *vector, *aside;
	weir_mask *reach, *out, *chosen; // by node; by output
	struct source *sources;
	unsigned source_count;
	weir_mask *observed; // by signal: slots whose bit has been looked at
	struct heard *heard; // by number of the handler
	weir_mask *derived;  // likewise, by what derives events
	struct tracker *tracker; // NULL: not needed, or the worker has one
};

// What the tracker raises; NULL: nobody hears it.
struct flow_signals {
	const struct weir_signal *started, *ended, *established, *closed, *reset, *retransmitted, *out_of_order,
		*zero_window, *state_changed, *gap, *overlapped, *data, *stream_closed;
};

struct generation {
	struct plan *plan;
	struct arena *arena;
	unsigned number, workers;
	struct share *shares; // by worker
	struct weir_signal *signals;
	const struct weir_signal **signal_of_event; // by number of its name; NULL: not in this graph
	uint32_t event_count;
	const struct weir_signal *received, *malformed; // the platform's own; NULL: nobody hears them
	struct flow_signals flow;
	struct generation_port *ports;
	unsigned port_count;
	uint32_t *order_of_place; // by place number; PLAN_NOWHERE: not in this graph
	uint32_t place_count;
	uint32_t most_outputs;
	struct observers *observers; // NULL: there are none
	struct aggregates *aggregates; // NULL: there are none
	bool derives; // the graph defines events that somebody hears
	struct worker *workers_at;
	uint64_t seed;
	bool is_lossless; // all that it reads are captures: nothing is lost for want of room
};

// Binds ports (element NAME to another spec) as -i and -o say, or to one that is open.
struct binding {
	const char *element, *spec;
	struct port *port; // NULL: spec says it
	enum port_direction direction;
};
struct bindings {
	LIST(struct binding) list;
	uint64_t owner; // of the ports that are opened
};

// Takes the plan over, also where it fails. 0, or -errno with *why.
int generation_create(struct generation **generation, struct plan *plan, const struct bindings *bindings,
		      struct worker *workers, uint64_t seed, struct port_error *why);
void generation_destroy(struct generation **generation);
// On the worker, between two vectors: from now on it runs this one. Moves the state over.
void generation_take_up(const struct generation *generation, struct worker *worker);
struct weir_signal *generation_signal(const struct generation *generation, const struct weir_event_type *type);

#endif
