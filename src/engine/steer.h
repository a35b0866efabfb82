// SPDX-License-Identifier: Apache-2.0
// Steering: which worker a packet is for. A function of its bytes alone, the same on every worker.
#ifndef ENGINE_STEER_H
#define ENGINE_STEER_H

#include "engine/worker.h"

uint32_t steer_hash(const struct rte_mbuf *mbuf, enum plan_steer steer);

static inline unsigned steer(const struct worker *worker, const struct rte_mbuf *mbuf)
{
	unsigned workers = worker->generation->workers;

	if (workers == 1)
		return 0;
	return (unsigned)((uint64_t)steer_hash(mbuf, worker->generation->plan->steer) * workers >> 32);
}

#endif
