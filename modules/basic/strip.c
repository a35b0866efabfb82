// SPDX-License-Identifier: Apache-2.0
// Strip - takes bytes off the front of packets
#include "basic.h"

struct strip {
	uint32_t length;
	weir_counter too_short;
};

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct strip *self = weir_self(call);
	const uint32_t *length = v->length;
	uint32_t least = self->length;
	weir_mask cut = in & weir_where(i, length[i] < least);

	weir_drop(call, cut, &self->too_short);
	weir_each (i, in & ~cut)
		weir_strip(v, (unsigned)i, least);
	out[0] = in & ~cut;
}

WEIR_CLASS(Strip, strip,
	.about = "takes bytes off the front of packets",
	.by = WEIR_ANY,
	WEIR_MEMBERS(
		WEIR_SETTING(strip, length, WEIR_REQUIRED, .max = 65535, .about = "how many bytes"),
		WEIR_DROPS(strip, too_short, .about = "packets that have fewer bytes")),
	.reshapes = true,
	.process = process);
