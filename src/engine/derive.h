// SPDX-License-Identifier: Apache-2.0
// Events that the graph defines upon others: raised when their base has been, before anybody hears of either.
#ifndef ENGINE_DERIVE_H
#define ENGINE_DERIVE_H

#include "engine/worker.h"

// In front of a pass: what packets bring along from an earlier one was derived then.
void derive_begin(struct worker *worker);
void derive_fresh(struct worker *worker);
// What has been raised since the last time is looked at.
static inline void derive(struct worker *worker)
{
	if (worker->generation->derives)
		derive_fresh(worker);
}
// Of that, what has a payload or rides on no packet: also before all packets are in their vector.
void derive_records(struct worker *worker);
// What is in the store is not fresh: packets have brought it along.
static inline void derive_skip(struct worker *worker)
{
	worker->derived_to = worker->store_used;
}

#endif
