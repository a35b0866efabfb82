// SPDX-License-Identifier: Apache-2.0
// A worker: a thread that runs the whole plan on its share of the traffic. Everything here is written by that thread
// alone; lines that others read (counters) say so.
#ifndef ENGINE_WORKER_H
#define ENGINE_WORKER_H

#include "engine/generation.h"
#include "packet/vector.h"
#include "port/port.h"

#include <rte_ring.h>

enum {
	WORKER_READY = 1 << 16,       // packets that wait to re-enter
	WORKER_FREED = 4 * WEIR_VECTOR,
	WORKER_STORE = 1 << 20,       // bytes of event payloads in one pass
	WORKER_SAMPLE = 16,           // one pass in so many is timed
	WORKER_HANDING = 2 * WEIR_VECTOR,
	WORKER_RING = 1 << 14,        // packets between two workers
};

// Conservation: received + emitted + cloned = sent + dropped + consumed + held.
struct account { // its worker writes, the control side reads
	_Alignas(64) uint64_t received, emitted, cloned;
	uint64_t sent, dropped, consumed;
	uint64_t handed_out, handed_in; // between workers; equal in sum
	uint64_t passes, filled;        // vectors run, slots in them
	uint64_t busy_cycles, idle_cycles, asleep_cycles, timed_passes;
	uint64_t events_lost, loops, vanished, no_buffer, ring_full;
};

// Packets that wait, in order. Its worker alone.
struct weir_fifo {
	struct rte_mbuf **ring;
	uint32_t rows, head, count;
	uint64_t bytes;
};

struct source { // a port or capture that packets enter by
	struct plan_element *element;
	struct port *port;
	unsigned queue;
	uint32_t entry; // order of the node behind it
	struct rte_mbuf *pending[WEIR_VECTOR]; // received, not yet entered
	unsigned first, count;
};

struct event_record {
	uint32_t next; // of the same slot, as raised; 0: the last
	uint16_t signal;
	uint8_t slot;            // WEIR_VECTOR: it rides on no packet
	uint8_t from_server : 1; // it is of the server's side
	uint8_t before : 7;      // which slot it comes before, where it rides on none
	uint64_t now_ns;           // of those that ride on none
	const struct weir_flow *flow; // whose end it tells of; NULL: look at the slot
	uint64_t payload[];
};

struct worker {
	struct weir_call call; // first: what modules get is the worker's own
	struct vector *vector;
	const struct generation *generation;
	const struct generation *const *in_force; // where the control side tells the newest
	struct hot *hot;            // nodes in order
	struct hot *running;
	struct instance *instances; // by index of element
	weir_mask *reach;           // by order of node: slots that are to run there
	weir_mask *out;             // of the node that runs
	unsigned index;
	bool is_timed;   // this pass
	bool is_gated;   // a gate takes from a queue
	bool is_blocked; // what it hands over waits: nothing new is read

	struct rte_mbuf **ready; // ring of WORKER_READY
	uint32_t ready_head, ready_tail;
	struct rte_mbuf *freed[WORKER_FREED];
	unsigned freed_count;
	struct source *sources;
	unsigned source_count, next_source;
	struct rte_ring *from[PLAN_WORKERS], *to[PLAN_WORKERS]; // by the other worker
	struct rte_mbuf *handing[PLAN_WORKERS][WORKER_HANDING];
	unsigned handing_count[PLAN_WORKERS];

	struct vector *aside;    // laid out alike, for datagrams put together; NULL: flows are nobody's concern
	struct tracker *tracker; // NULL: nobody has needed to know of flows
	char *store; // event_records of this pass
	uint32_t store_used;
	uint32_t head_of[WEIR_VECTOR], tail_of[WEIR_VECTOR];
	uint32_t aggregate_head, aggregate_tail; // events that do not ride
	weir_mask told_malformed;
	weir_mask returned;                      // slots of packets that were in a vector before
	weir_mask has_records;                   // slots whose list is of this pass
	weir_mask *observed;                     // by signal, as of observers_tell
	struct heard *heard;                     // by number of the handler
	uint32_t observed_to;                    // in the store
	weir_mask *derived;                      // by signal: slots of which what the graph defines has been derived
	uint32_t derived_to;                     // in the store
	weir_mask *chosen;                       // by output: slots that a verdict sends there
	char payload_lost[4096];                 // where the payload of an event goes that finds no room

	unsigned fill_limit; // packets of a vector at most
	unsigned sample;     // one pass in so many is timed
	uint64_t now_ns;
	uint64_t next_timer_ns;
	uint64_t window_due_ns; // when the first of the aggregates' windows that are open ends; 0: none is
	uint64_t window_next_ns; // when the first of them ends, whether it is open or not
	bool is_cut;            // this vector: what comes is of a later window
	bool is_behind;         // others are further in time
	bool is_stalled;        // a window is over, and the one before it has yet to be told
	struct account account;

	_Alignas(64) const struct generation *seen; // the worker writes, the control side reads
	uint64_t idle_ns;                           // how late it was by its packets when it became idle
	bool is_idle;                               // nothing left to do here
	bool stops_receiving;                       // the control side writes
	unsigned steps_of_time;                     // past the end of captures
	_Alignas(64) uint64_t marks[PLAN_WORKERS];  // by other worker: all up to this time has been handed to it
};

static inline struct event_record *event_record(const struct worker *worker, uint32_t at)
{
	return (struct event_record *)(worker->store + at);
}

static inline const struct generation *worker_newest(const struct worker *worker)
{
	return __atomic_load_n(worker->in_force, __ATOMIC_ACQUIRE);
}

static inline struct worker *worker_of(struct weir_call *call)
{
	return (struct worker *)call;
}

// worker.c
struct engine_wish;
int worker_create(struct worker *worker, unsigned index, const struct engine_wish *wish); // it is zero; -ENOMEM
void worker_destroy(struct worker *worker);
uint64_t worker_release(struct worker *worker); // at the end: frees what is still inside; how many packets
// loop.c
void *worker_run(void *worker);           // the thread
bool worker_step(struct worker *worker);  // one turn; false: nothing was there to do
void worker_timers(struct worker *worker);
void worker_pass_time(struct worker *worker); // at the end of captures time goes on by itself
bool worker_sources_ended(const struct worker *worker);
bool worker_is_through(const struct worker *worker);
// pass.c
void worker_pass(struct worker *worker);
void worker_end_events(struct worker *worker);
void worker_begin(struct worker *worker); // an empty vector
void worker_compute(struct worker *worker, const struct hot *hot, weir_mask in); // what a node wants to know
void worker_compute_value(struct worker *worker, const struct plan_value *value, weir_mask in);
void worker_drop(struct worker *worker, weir_mask mask); // frees the packets of slots; who counted them is the caller's
void worker_free(struct worker *worker, struct rte_mbuf *mbuf);
void worker_flush_freed(struct worker *worker);
void worker_leave_by(struct worker *worker, const struct hot_output *output, weir_mask mask);
void worker_dropped(struct worker *worker, const struct hot *hot, weir_mask dropped); // frees and counts
// enter.c: puts a packet into the next free slot, to run at a node; false: the vector is full
bool worker_enter(struct worker *worker, struct rte_mbuf *mbuf, uint32_t order);
unsigned worker_gather(struct worker *worker);
bool worker_is_full(const struct worker *worker);
// hold.c
void worker_again(struct worker *worker, struct rte_mbuf *mbuf, uint16_t place);
struct rte_mbuf *worker_new_packet(const void *bytes, uint32_t length, uint64_t time_ns); // NULL: no buffers
void worker_leave(struct worker *worker, unsigned slot); // live fields into the packet's block; the slot is dead then
// luggage.c: the payloads of a slot's events into a buffer that its packet points at, and back
void luggage_pack(struct worker *worker, unsigned slot);
void luggage_unpack(struct worker *worker, unsigned slot);
// deliver.c
struct hot;
// Room for the payload of an event of a slot, in the list of those that are told; NULL: none left, counted.
void *event_append(struct worker *worker, const struct weir_signal *signal, unsigned slot);
weir_mask worker_deliver(struct worker *worker, struct hot *hot, weir_mask in);
void worker_deliver_aggregates(struct worker *worker);
// hand_over.c
void worker_hand_over(struct worker *worker, struct rte_mbuf *mbuf, unsigned to);
bool worker_flush_handed(struct worker *worker); // false: some wait, the reader shall too

#endif
