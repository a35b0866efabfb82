// SPDX-License-Identifier: Apache-2.0
// What debug builds check around every call of a module: each slot of `in` leaves in exactly one
// way, nothing outside of `in` is written, bytes change only as declared. In other builds nothing
// remains of it.
#ifndef ENGINE_CHECKS_H
#define ENGINE_CHECKS_H

#include "engine/worker.h"

#ifndef WEIR_CHECKS
#define WEIR_CHECKS 0
#endif

#if WEIR_CHECKS
void checks_before(struct worker *worker, const struct hot *hot, weir_mask in);
void checks_after(struct worker *worker, const struct hot *hot, weir_mask in);
// Behind the call, when what it declared to make void is void.
void checks_behind(struct worker *worker, const struct hot *hot, weir_mask in);
void checks_end(void); // the thread ends
#else
static inline void checks_before(struct worker *, const struct hot *, weir_mask) {}
static inline void checks_after(struct worker *, const struct hot *, weir_mask) {}
static inline void checks_behind(struct worker *, const struct hot *, weir_mask) {}
static inline void checks_end(void) {}
#endif

#endif
