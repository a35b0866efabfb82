// SPDX-License-Identifier: Apache-2.0
// Discard - the end of a way: consumes what comes
#include "basic.h"

struct discard {
	weir_counter count;
};

static void process(struct weir_call *call, struct weir_vector *, weir_mask in, weir_mask *)
{
	struct discard *self = weir_self(call);

	weir_drop(call, in, &self->count);
}

WEIR_CLASS(Discard, discard,
	.about = "consumes what comes",
	.by = WEIR_ANY,
	WEIR_MEMBERS(WEIR_COUNTS(discard, count, .about = "packets consumed")),
	.no_outputs = true,
	.process = process);
