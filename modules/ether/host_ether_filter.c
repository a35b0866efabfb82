// SPDX-License-Identifier: Apache-2.0
// HostEtherFilter - lets frames for one host through, and those for groups; the rest leaves by the second output
#include "ether.h"

struct host_ether_filter {
	struct weir_ether address;
	bool drop_own;
	weir_counter own, too_short;
};

enum {
	MINE,
	OTHER,
};

static bool is_mine(const struct host_ether_filter *self, const uint8_t *destination)
{
	return ether_is_group(destination) || !memcmp(destination, self->address.bytes, 6);
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct host_ether_filter *self = weir_self(call);
	weir_mask mine = 0, own = 0, cut = 0;

	weir_each (i, in) {
		const uint8_t *frame = weir_bytes(v, (unsigned)i, 0, ETHER_HEADER);
		weir_mask bit = (weir_mask)1 << i;

		if (!frame) {
			cut |= bit;
			continue;
		}
		mine |= is_mine(self, frame) ? bit : 0;
		own |= self->drop_own && !memcmp(frame + 6, self->address.bytes, 6) ? bit : 0;
	}
	weir_drop(call, cut, &self->too_short);
	weir_drop(call, own, &self->own);
	in &= ~cut & ~own;
	out[MINE] = in & mine;
	out[OTHER] = in & ~mine;
}

WEIR_CLASS(HostEtherFilter, host_ether_filter,
	.about = "lets frames through that are for one host or a group",
	.by = WEIR_ANY,
	WEIR_MEMBERS(
		WEIR_SETTING(host_ether_filter, address, WEIR_REQUIRED, .about = "the host's Ethernet address"),
		WEIR_SETTING(host_ether_filter, drop_own, "false", .about = "drops what the host itself has sent"),
		WEIR_DROPS(host_ether_filter, own, .about = "frames from the host itself"),
		WEIR_DROPS(host_ether_filter, too_short, .about = "frames without a whole header")),
	WEIR_OUTPUTS([MINE] = "", [OTHER] = "other?"),
	.process = process);
