// SPDX-License-Identifier: Apache-2.0
// Unqueue - takes packets out of the queue in front of it as fast as they are processed
#include "basic.h"

struct unqueue {
	uint32_t burst;
	bool active;
	weir_counter count;
};

static unsigned take(struct weir_call *call, unsigned wanted)
{
	struct unqueue *self = weir_self(call);
	unsigned taken = 0;

	if (self->active)
		taken = weir_take(call, 0, wanted < self->burst ? wanted : self->burst);
	weir_count_by(&self->count, taken);
	return taken;
}

WEIR_CLASS(Unqueue, unqueue, .about = "takes packets out of the queue in front of it",
	.by = WEIR_ONE,
	WEIR_MEMBERS(WEIR_SETTING(unqueue, burst, "64", .min = 1, .max = 64, .live = true,
			     .about = "packets taken at a time"),
		WEIR_SETTING(
			unqueue, active, "true", .live = true, .about = "false: takes nothing"),
		WEIR_COUNTS(unqueue, count, .about = "packets taken")),
	.take = take);
