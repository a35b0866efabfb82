// SPDX-License-Identifier: Apache-2.0
// Idle - a source that sends nothing and a sink that consumes: holds open inputs and outputs that are of no use
#include "basic.h"

struct idle {
	weir_counter count;
};

static void process(struct weir_call *call, struct weir_vector *, weir_mask in, weir_mask *)
{
	struct idle *self = weir_self(call);

	weir_drop(call, in, &self->count);
}

WEIR_CLASS(Idle, idle,
	.about = "sends nothing; consumes what comes",
	.by = WEIR_ANY,
	WEIR_MEMBERS(WEIR_DROPS(idle, count, .about = "packets consumed")),
	WEIR_INPUTS("?"),
	WEIR_OUTPUTS("?"),
	.many_inputs = true,
	.many_outputs = true,
	.process = process);
