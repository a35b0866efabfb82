// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_CALLER_INSIDE_H
#define ENGINE_CALLER_INSIDE_H

#include "engine/caller.h"
#include "engine/worker.h"

enum { CALLER_RETIRED = 16 };

struct caller {
	struct worker worker; // first: a vector's worker is its caller
	const struct generation *generation;
	struct generation *retired[CALLER_RETIRED]; // packets in queues still carry their layouts
	unsigned retired_count;
	uint32_t entry; // node behind the source of one whose vector the program has
	uint64_t made, put, kept;
};

#endif
