// SPDX-License-Identifier: Apache-2.0
// Aggregates at work. Each worker gathers into tables of its own, without a lock: one is open; when its window is over
// it is closed and another one opens. A window is told when all workers are through with it, by the first worker, which
// joins their tables, between two of its vectors. What can be told as soon as it is exceeded is told by the worker that
// sees it.
//
// A table is its worker's (FREE), then it waits (CLOSED), then the first worker has it (TAKEN) until it gives it back.
#ifndef ENGINE_AGGREGATE_H
#define ENGINE_AGGREGATE_H

#include "engine/worker.h"

struct aggregates;

int aggregates_create(struct generation *generation); // -ENOMEM
void aggregates_destroy(struct generation *generation);
// On the worker, in front of another generation: what is being told is told to its end.
void aggregates_leave(struct worker *worker);
// Behind it: what is gathered alike there and here goes on.
void aggregates_take_up(struct worker *worker, const struct generation *old);

// What a derivation has found goes into its tables.
void aggregates_gather_slots(struct worker *worker, const struct plan_derivation *derivation, weir_mask slots);
void aggregates_gather_record(
	struct worker *worker, const struct plan_derivation *derivation, const struct event_record *record);

// Between two vectors: windows that are over are closed, and told.
void aggregates_step(struct worker *worker);
// The first time behind this one at which a window may end; 0: there are none.
uint64_t aggregates_boundary(const struct worker *worker, uint64_t at_ns);
// How far the others are, for a worker that has nothing to do: read before it looks for packets.
uint64_t aggregates_mark(const struct worker *worker);
void aggregates_tell_mark(struct worker *worker);
// The worker has ended; the last one tells what is left.
void aggregates_stop(struct worker *worker);

#endif
