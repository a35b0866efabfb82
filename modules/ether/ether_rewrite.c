// SPDX-License-Identifier: Apache-2.0
// EtherRewrite - gives Ethernet frames another source and destination
#include "ether.h"

struct ether_rewrite {
	struct weir_ether src, dst;
	uint8_t addresses[ETHER_ADDRESSES];
	weir_counter too_short, no_buffer;
};

static int start(struct weir_start *, void *at)
{
	struct ether_rewrite *self = at;

	memcpy(self->addresses, self->dst.bytes, 6);
	memcpy(self->addresses + 6, self->src.bytes, 6);
	return 0;
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct ether_rewrite *self = weir_self(call);
	const uint32_t *length = v->length;
	weir_mask failed = 0, cut;

	weir_each (i, in) {
		uint8_t *frame = weir_edit(v, (unsigned)i, 0, ETHER_HEADER);

		if (frame)
			memcpy(frame, self->addresses, ETHER_ADDRESSES);
		else
			failed |= (weir_mask)1 << i;
	}
	out[0] = in & ~failed;
	if (!failed)
		return;
	cut = failed & weir_where(i, length[i] < ETHER_HEADER);
	weir_drop(call, cut, &self->too_short);
	weir_drop(call, failed & ~cut, &self->no_buffer);
}

WEIR_CLASS(EtherRewrite, ether_rewrite,
	.about = "gives Ethernet frames another source and destination",
	.by = WEIR_ANY,
	WEIR_MEMBERS(
		WEIR_SETTING(ether_rewrite, src, WEIR_REQUIRED, .about = "source address"),
		WEIR_SETTING(ether_rewrite, dst, WEIR_REQUIRED, .about = "destination address"),
		WEIR_DROPS(ether_rewrite, too_short, .about = "frames without a whole header"),
		WEIR_DROPS(ether_rewrite, no_buffer, .about = "frames whose bytes are shared and could not be copied")),
	.rewrites = WEIR_REWRITES_L2,
	.start = start,
	.process = process);
