// SPDX-License-Identifier: Apache-2.0
// BandwidthRatedUnqueue - takes so many bytes a second out of the queue in front of it
#include "basic.h"
#include "pace.h"

struct bandwidth_rated_unqueue {
	uint64_t rate, burst_ns;
	struct pace pace;
	struct weir_timer next;
	weir_counter count, byte_count;
};

static int start(struct weir_start *, void *at)
{
	struct bandwidth_rated_unqueue *self = at;

	pace_init(&self->pace, self->rate, self->burst_ns);
	return 0;
}

// A packet goes when the pace is due, whatever its length, and is paid for by those behind it.
static unsigned take(struct weir_call *call, unsigned wanted)
{
	struct bandwidth_rated_unqueue *self = weir_self(call);
	const struct weir_vector *v = call->vector;
	uint64_t now = weir_now_ns(call);
	unsigned taken = 0;

	while (taken < wanted && pace_is_due(&self->pace, now) && weir_take(call, 0, 1)) {
		uint32_t length = v->length[v->fill - 1];

		pace_charge(&self->pace, now, length);
		weir_count_by(&self->byte_count, length);
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

WEIR_CLASS(BandwidthRatedUnqueue, bandwidth_rated_unqueue,
	.about = "takes bytes out of the queue in front of it at a rate",
	.by = WEIR_ONE,
	WEIR_MEMBERS(
		WEIR_SETTING(bandwidth_rated_unqueue, rate, WEIR_REQUIRED, .min = 1, .max = 100000000000,
			.about = "bytes per second"),
		WEIR_SETTING(bandwidth_rated_unqueue, burst_ns, "20ms", .max = 10000000000,
			.about = "what it may catch up on after a pause; 0: one packet at a time"),
		WEIR_TIMER(bandwidth_rated_unqueue, next, woken),
		WEIR_COUNTS(bandwidth_rated_unqueue, count, .about = "packets taken"),
		WEIR_COUNTS(bandwidth_rated_unqueue, byte_count, .about = "their bytes")),
	.start = start,
	.take = take);
