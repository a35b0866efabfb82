// SPDX-License-Identifier: Apache-2.0
// EtherEncap - puts an Ethernet header in front of packets
#include "ether.h"

struct ether_encap {
	uint16_t type;
	struct weir_ether src, dst;
	uint8_t header[ETHER_HEADER];
	weir_counter no_room;
};

static int start(struct weir_start *, void *at)
{
	struct ether_encap *self = at;

	memcpy(self->header, self->dst.bytes, 6);
	memcpy(self->header + 6, self->src.bytes, 6);
	weir_put16(self->header + ETHER_TYPE, self->type);
	return 0;
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct ether_encap *self = weir_self(call);
	weir_mask failed = 0;

	weir_each (i, in) {
		uint8_t *front = weir_prepend(v, (unsigned)i, ETHER_HEADER);

		if (front)
			memcpy(front, self->header, ETHER_HEADER);
		else
			failed |= (weir_mask)1 << i;
	}
	weir_drop(call, failed, &self->no_room);
	out[0] = in & ~failed;
}

WEIR_CLASS(EtherEncap, ether_encap, .about = "puts an Ethernet header in front of packets",
	.by = WEIR_ANY,
	WEIR_MEMBERS(WEIR_SETTING(ether_encap, type, WEIR_REQUIRED,
			     .about = "EtherType: 0x0800 is IPv4, 0x86dd IPv6"),
		WEIR_SETTING(ether_encap, src, WEIR_REQUIRED, .about = "source address"),
		WEIR_SETTING(ether_encap, dst, WEIR_REQUIRED, .about = "destination address"),
		WEIR_DROPS(ether_encap, no_room,
			.about =
				"packets that no header could be put in front of: no buffer, or too long")),
	.rewrites = WEIR_REWRITES_L2, .reshapes = true, .start = start, .process = process);
