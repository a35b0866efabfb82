// SPDX-License-Identifier: Apache-2.0
// VLANDecap - takes the outermost VLAN tag off Ethernet frames and keeps it as the field weir.vlan
#include "ether.h"

struct vlan_decap {
	WEIR_COLUMN(uint16_t) vlan;
	weir_counter untagged, cut, no_buffer;
};

enum verdict {
	UNTAGGED,
	TAKEN_OFF,
	CUT,
	NO_BUFFER,
	VERDICTS,
};

static enum verdict decap(struct weir_vector *v, unsigned i, uint16_t *tag)
{
	const uint8_t *type = weir_bytes(v, i, ETHER_TYPE, 2);
	uint8_t *frame;

	if (!type || !ether_is_tag(weir_be16(type)))
		return UNTAGGED;
	if (v->length[i] < ETHER_HEADER + VLAN_TAG)
		return CUT;
	frame = weir_edit(v, i, 0, ETHER_HEADER + VLAN_TAG);
	if (!frame)
		return NO_BUFFER;
	*tag = weir_be16(frame + ETHER_HEADER);
	memmove(frame + VLAN_TAG, frame, ETHER_ADDRESSES);
	weir_strip(v, i, VLAN_TAG);
	return TAKEN_OFF;
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct vlan_decap *self = weir_self(call);
	uint16_t *vlan = weir_column(v, self->vlan);
	weir_mask became[VERDICTS] = { 0 };

	weir_each (i, in) {
		uint16_t tag = 0;

		became[decap(v, (unsigned)i, &tag)] |= (weir_mask)1 << i;
		vlan[i] = tag;
	}
	weir_give(v, self->vlan, became[TAKEN_OFF]);
	weir_count_by(&self->untagged, weir_size(became[UNTAGGED]));
	weir_drop(call, became[CUT], &self->cut);
	weir_drop(call, became[NO_BUFFER], &self->no_buffer);
	out[0] = became[UNTAGGED] | became[TAKEN_OFF];
}

WEIR_CLASS(VLANDecap, vlan_decap,
	.about = "takes the outermost VLAN tag off Ethernet frames",
	.by = WEIR_ANY,
	WEIR_MEMBERS(
		WEIR_PROVIDES(vlan_decap, vlan, "weir.vlan", .some = true),
		WEIR_COUNTS(vlan_decap, untagged, .about = "frames without a tag, passed on as they are"),
		WEIR_DROPS(vlan_decap, cut, .about = "frames that end within their tag"),
		WEIR_DROPS(vlan_decap, no_buffer, .about = "frames whose bytes are shared and could not be copied")),
	.rewrites = WEIR_REWRITES_L2,
	.reshapes = true,
	.process = process);
