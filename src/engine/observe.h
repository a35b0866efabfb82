// SPDX-License-Identifier: Apache-2.0
// Observers: each has a thread of its own, to which workers hand copies of events through a ring
// each. On captures a full ring makes the worker wait; on live ports it never does: what is lost is
// counted and told in the stream itself.
#ifndef ENGINE_OBSERVE_H
#define ENGINE_OBSERVE_H

#include "engine/generation.h"

struct observers;
struct worker;

// One thread per observer of the plan. 0, or -errno with *why.
int observers_create(struct generation *generation, struct port_error *why);
// When no worker runs the generation any more: all that was handed over is written first.
void observers_stop(const struct generation *generation);
void observers_destroy(struct generation *generation);

// In front of a pass: what packets bring along from an earlier one has been handed over then.
void observers_begin(struct worker *worker);
// Behind the call of a node: what has been raised since is handed over.
void observers_tell(struct worker *worker);
void observers_tell_records(struct worker *worker); // those with a payload, or of nobody's packet

#endif
