// SPDX-License-Identifier: Apache-2.0
// Tee - sends a packet to each of its outputs. The packet itself leaves by the first; the others
// get clones, which share its bytes until somebody edits them.
#include "basic.h"

struct tee {
	uint32_t n;
	weir_counter uncloned;
};

static int start(struct weir_start *start, void *at)
{
	struct tee *self = at;

	if (self->n && self->n < weir_connected(start))
		return weir_refuse(start, 0, "%u outputs are connected, which is more than %u",
			weir_connected(start), self->n);
	if (self->n)
		weir_outputs(start, self->n);
	self->n = weir_connected(start);
	return 0;
}

static void process(struct weir_call *call, struct weir_vector *, weir_mask in, weir_mask out[])
{
	struct tee *self = weir_self(call);

	weir_each (i, in)
		for (unsigned output = 1; output < self->n; output++)
			if (!weir_clone(call, (unsigned)i, output))
				weir_count(&self->uncloned);
	out[0] = in;
}

WEIR_CLASS(Tee, tee,
	.about = "sends a copy of each packet to each output",
	.by = WEIR_ANY,
	WEIR_MEMBERS(
		WEIR_SETTING(tee, n, "0", .max = 64, .about = "outputs; 0: as many as are connected"),
		WEIR_COUNTS(tee, uncloned, .about = "copies that were not made for want of buffers")),
	.many_outputs = true,
	.holds = true,
	.start = start,
	.process = process);
