// SPDX-License-Identifier: Apache-2.0
// Queue - packets wait here, first in, first out; what finds it full is dropped. A port behind it takes as many as fit
// into a vector, an Unqueue or a shaper as many as it allows. It exists once, so its capacity is that of all workers.
#include "basic.h"

struct queue {
	uint32_t capacity;
	struct weir_fifo *waiting;
	weir_counter highwater_length, overflow;
};

static void raise_highwater(struct queue *self)
{
	unsigned length = weir_fifo_size(self->waiting);

	if (length > self->highwater_length)
		weir_count_by(&self->highwater_length, length - self->highwater_length);
}

static void process(struct weir_call *call, struct weir_vector *, weir_mask in, weir_mask *)
{
	struct queue *self = weir_self(call);
	weir_mask left = in;

	weir_each (i, in) {
		if (!weir_fifo_put(call, self->waiting, (unsigned)i))
			break;
		left &= left - 1;
	}
	weir_drop(call, left, &self->overflow);
	raise_highwater(self);
}

static unsigned take(struct weir_call *call, unsigned wanted)
{
	struct queue *self = weir_self(call);

	return weir_enter(call, self->waiting, wanted);
}

static const uint64_t leads_nowhere[] = { 0 }; // in the pass: what leaves it enters a later one

WEIR_CLASS(Queue, queue,
	.about = "holds packets until they are taken, first in, first out",
	.by = WEIR_ONE,
	WEIR_MEMBERS(
		WEIR_SETTING(queue, capacity, "1000", .min = 1, .max = 1 << 20, .about = "packets that may wait"),
		WEIR_WAITS(queue, waiting, .rows_from = "capacity"),
		WEIR_COUNTS(queue, highwater_length, .about = "most packets that have waited at once"),
		WEIR_DROPS(queue, overflow, .about = "packets that found it full")),
	.paths = leads_nowhere,
	.process = process,
	.take = take);
