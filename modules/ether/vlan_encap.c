// SPDX-License-Identifier: Apache-2.0
// VLANEncap - puts a VLAN tag behind the addresses of Ethernet frames: always the same one, or the one that VLANDecap
// has taken off
#include "ether.h"

enum { VLAN_OF_PACKET = 4095 }; // an id that 802.1Q reserves

struct vlan_encap {
	uint16_t vlan_id;
	uint8_t priority;
	uint16_t type;
	WEIR_COLUMN(uint16_t) vlan;
	weir_counter untagged, too_short, no_room;
};

static bool encap(struct weir_vector *v, unsigned i, uint16_t type, uint16_t tag)
{
	uint8_t *frame = weir_prepend(v, i, VLAN_TAG);

	if (!frame)
		return false;
	memmove(frame, frame + VLAN_TAG, ETHER_ADDRESSES);
	weir_put16(frame + ETHER_TYPE, type);
	weir_put16(frame + ETHER_TYPE + 2, tag);
	return true;
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct vlan_encap *self = weir_self(call);
	const uint32_t *length = v->length;
	const uint16_t *vlan = weir_column(v, self->vlan);
	bool is_fixed = self->vlan_id != VLAN_OF_PACKET;
	uint16_t fixed = (uint16_t)(self->priority << 13 | self->vlan_id);
	weir_mask cut = in & weir_where(i, length[i] < ETHER_HEADER), failed = 0;
	weir_mask tagged = is_fixed ? in & ~cut : in & ~cut & weir_has(v, self->vlan);

	weir_each (i, tagged)
		if (!encap(v, (unsigned)i, self->type, is_fixed ? fixed : vlan[i]))
			failed |= (weir_mask)1 << i;
	weir_count_by(&self->untagged, weir_size(in & ~cut & ~tagged));
	weir_drop(call, cut, &self->too_short);
	weir_drop(call, failed, &self->no_room);
	out[0] = in & ~cut & ~failed;
}

WEIR_CLASS(VLANEncap, vlan_encap, .about = "puts a VLAN tag into Ethernet frames", .by = WEIR_ANY,
	WEIR_MEMBERS(WEIR_SETTING(vlan_encap, vlan_id, "4095", .max = 4095,
			     .about = "the VLAN; 4095: the tag that VLANDecap took off"),
		WEIR_SETTING(
			vlan_encap, priority, "0", .max = 7, .about = "priority (PCP) of the tag"),
		WEIR_SETTING(vlan_encap, type, "0x8100",
			.about = "EtherType of the tag; 0x88a8 for service tags"),
		WEIR_READS_IF(vlan_encap, vlan, "weir.vlan"),
		WEIR_COUNTS(vlan_encap, untagged,
			.about = "frames passed on as they are, for no tag had been taken off"),
		WEIR_DROPS(vlan_encap, too_short, .about = "frames without a whole header"),
		WEIR_DROPS(vlan_encap, no_room,
			.about = "frames that no tag could be put into: no buffer, or too long")),
	.rewrites = WEIR_REWRITES_L2, .reshapes = true, .process = process);
