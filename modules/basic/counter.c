// SPDX-License-Identifier: Apache-2.0
// Counter - counts packets and bytes
#include "basic.h"

struct counter {
	weir_counter count, byte_count;
};

static bool is_solid(const struct weir_vector *v, weir_mask in)
{
	return in == ~(weir_mask)0 >> (WEIR_VECTOR - v->fill);
}

// A vector that has lost nothing is summed without looking at its mask.
static uint64_t bytes_of(const struct weir_vector *v, weir_mask in)
{
	uint64_t sum = 0;

	if (is_solid(v, in))
		for (unsigned i = 0; i < v->fill; i++)
			sum += v->length[i];
	else
		weir_each (i, in)
			sum += v->length[i];
	return sum;
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct counter *self = weir_self(call);

	weir_count_by(&self->count, weir_size(in));
	weir_count_by(&self->byte_count, bytes_of(v, in));
	out[0] = in;
}

WEIR_CLASS(Counter, counter,
	.about = "counts packets and bytes",
	.by = WEIR_ANY,
	WEIR_MEMBERS(
		WEIR_COUNTS(counter, count, .about = "packets"),
		WEIR_COUNTS(counter, byte_count, .about = "bytes of whole frames")),
	.process = process);
