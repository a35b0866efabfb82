// SPDX-License-Identifier: Apache-2.0
// A worker without a thread: a thread of somebody else's program turns it, in that program's own loop. Either it runs a
// graph (caller_turn), or it only gathers, decodes and lets the program have the vector in its hands (caller_gather).
// Any number of them live side by side, each with a generation of its own; one thread at a time for each. Two
// callers may be made or ended at the same time only under the caller's own lock.
#ifndef ENGINE_CALLER_H
#define ENGINE_CALLER_H

#include "engine/engine.h"

struct caller;

struct caller_wish {
	const struct bindings *bindings;
	uint64_t seed;
	unsigned fill;  // packets of a vector at most; 0: 64
	unsigned queue; // of its sources
};

// Takes the plan over, also where it fails; it is for one worker. 0, or -errno with *why.
int caller_create(struct caller **made, struct plan *plan, const struct caller_wish *wish, struct port_error *why);
// What is still inside is freed. Sets it to NULL; NULL is fine.
void caller_destroy(struct caller **made);
// Another plan from now on; elements keep their state as in engine_swap. On failure the old one goes on.
int caller_swap(struct caller *caller, struct plan *plan, const struct caller_wish *wish, struct port_error *why);

const struct plan *caller_plan(const struct caller *caller);
struct engine_sum caller_sum(const struct caller *caller); // held: what is inside now
struct instance_sum caller_instance(const struct caller *caller, const struct plan_element *element);
// Of an element: its struct, for counters, settings and the handles of its columns.
const char *caller_self(const struct caller *caller, const struct plan_element *element);
uint64_t caller_open_drops(const struct caller *caller, const struct plan_element *element, unsigned output);
uint64_t caller_bare_drops(const struct caller *caller, const struct plan_element *element);

// The calling thread turns no caller any more, and has no packets: it ends.
void caller_leave_thread(void);

// ---- of those that run a graph

unsigned caller_turn(struct caller *caller);     // one turn of a worker's loop; how many packets ran
bool caller_has_more(const struct caller *caller); // packets that are to go on at once wait inside
bool caller_is_through(const struct caller *caller); // all it reads has ended, and nothing is left inside
void caller_pass_time(struct caller *caller);    // when everything has ended, so that what waits for a time comes to it
bool caller_is_live(const struct caller *caller); // it lives by the clock, not by the times of captures

// ---- of those whose vector the program has: a graph of one source and the element "caller" behind it

struct weir_vector *caller_vector(struct caller *caller);
struct caller *caller_of(struct weir_vector *v);
void caller_clear(struct caller *caller);      // frees what is left in the vector and begins an empty one
unsigned caller_gather(struct caller *caller); // a new vector; how many packets are in it
void caller_decode(struct caller *caller, weir_mask mask); // all that was asked for, anew
// Each takes those of `mask` that are live. send and free take them out of the vector, exactly once.
unsigned caller_send(struct caller *caller, weir_mask mask, struct port *to, unsigned queue); // how many were sent
unsigned caller_mirror(struct caller *caller, weir_mask mask, struct port *to, unsigned queue); // the same with clones
void caller_free(struct caller *caller, weir_mask mask);
struct weir_packet *caller_keep(struct caller *caller, unsigned slot); // out of the vector into the program's hands
void caller_free_packet(struct weir_packet *packet);
// Into the vector: its slot, or -ENOSPC (the vector is full: the packet is still the program's), -ENOBUFS, -EMSGSIZE.
int caller_put(struct caller *caller, struct weir_packet *packet);
int caller_make(struct caller *caller, const void *bytes, uint32_t length, uint64_t time_ns);

// What became of packets of such a vector: received + made + put + mirrored = sent + unsent + freed + kept + inside.
struct caller_sum {
	uint64_t received, made, put, mirrored, sent, unsent, freed, kept, inside;
};
struct caller_sum caller_vector_sum(const struct caller *caller);
bool caller_is_starved(void); // no packet buffers are left

#endif
