// SPDX-License-Identifier: Apache-2.0
// RatedUnqueue - takes so many packets a second out of the queue in front of it
#include "basic.h"
#include "pace.h"

struct rated_unqueue {
	uint64_t rate, burst_ns;
	struct pace pace;
	struct weir_timer next;
	weir_counter count;
};

static int start(struct weir_start *, void *at)
{
	struct rated_unqueue *self = at;

	pace_init(&self->pace, self->rate, self->burst_ns);
	return 0;
}

static unsigned take(struct weir_call *call, unsigned wanted)
{
	struct rated_unqueue *self = weir_self(call);
	uint64_t now = weir_now_ns(call);
	unsigned taken = 0;

	while (taken < wanted && pace_is_due(&self->pace, now) && weir_take(call, 0, 1)) {
		pace_charge(&self->pace, now, 1);
		taken++;
	}
	if (taken && !pace_is_due(&self->pace, now))
		weir_timer_set(&self->next, self->pace.next_ns);
	weir_count_by(&self->count, taken);
	return taken;
}

// The worker stops at this time, also where no packet of a capture comes then; it asks take by itself.
static enum weir_verdict woken(struct weir_event *)
{
	return WEIR_PASS;
}

WEIR_CLASS(RatedUnqueue, rated_unqueue,
	.about = "takes packets out of the queue in front of it at a rate", .by = WEIR_ONE,
	WEIR_MEMBERS(WEIR_SETTING(rated_unqueue, rate, WEIR_REQUIRED, .min = 1, .max = 1000000000,
			     .about = "packets per second"),
		WEIR_SETTING(rated_unqueue, burst_ns, "20ms", .max = 10000000000,
			.about = "what it may catch up on after a pause; 0: one packet at a time"),
		WEIR_TIMER(rated_unqueue, next, woken),
		WEIR_COUNTS(rated_unqueue, count, .about = "packets taken")),
	.start = start, .take = take);
