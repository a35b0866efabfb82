// SPDX-License-Identifier: Apache-2.0
// Counts from which side of its flow each packet comes, ICMP errors among them, and that what is kept of the flow is
// there.
#include <weir.h>

struct mine { // kept per flow
	uint64_t packets;
};

struct sides {
	weir_counter out, back, none, kept;
	WEIR_PER_FLOW(struct mine)
	mine;
};

static enum weir_verdict received(struct weir_event *event)
{
	struct sides *self = weir_self(event);

	if (!event->flow) {
		weir_count(&self->none);
		return WEIR_PASS;
	}
	weir_count(event->from_server ? &self->back : &self->out);
	if (self->out + self->back == ++weir_flow_state(event->flow, self->mine)->packets)
		weir_count(&self->kept);
	return WEIR_PASS;
}

WEIR_CLASS(Sides, sides, .about = "counts packets by the side of their flow",
	WEIR_MEMBERS(WEIR_COUNTS(sides, out), WEIR_COUNTS(sides, back), WEIR_COUNTS(sides, none),
		WEIR_COUNTS(sides, kept), WEIR_STATE(sides, mine)),
	WEIR_HANDLERS(WEIR_ON(packet_received, received)));

WEIR_MODULE("errors", "1.0.0", &Sides);
