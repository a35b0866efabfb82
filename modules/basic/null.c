// SPDX-License-Identifier: Apache-2.0
// Null - passes on; a place in a graph to connect to
#include "basic.h"

struct null {
	uint8_t unused;
};

static void process(struct weir_call *, struct weir_vector *, weir_mask in, weir_mask out[])
{
	out[0] = in;
}

WEIR_CLASS(Null, null,
	.about = "passes packets on as they are",
	.by = WEIR_ANY,
	.process = process);
