// SPDX-License-Identifier: Apache-2.0
// What elements keep on a worker (tables, fifos, timers, held packets, counters) and how it moves
// from one generation to the next: state is kept where name and class agree.
#ifndef ENGINE_STATE_H
#define ENGINE_STATE_H

#include "engine/generation.h"

// Makes tables and fifos of a share and lists its timers. 0 or -ENOMEM.
int state_create(struct generation *generation, struct share *share, unsigned worker);
void state_destroy(struct share *share, const struct plan *plan);
// On the worker, between two vectors. What finds no heir is freed and counted as vanished.
void state_move(struct worker *worker, const struct generation *to, const struct generation *from);
// At the end: frees what elements still hold; returns how many packets.
uint64_t state_release(struct worker *worker);
// How many that is now; for its own thread.
uint64_t state_held(const struct worker *worker);
// Does an element here hold packets, or is a timer set?
bool state_waits(const struct worker *worker);

#endif
