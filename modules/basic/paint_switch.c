// SPDX-License-Identifier: Apache-2.0
// PaintSwitch - sends each packet to the output that has the number of its colour; what nobody has
// painted is of colour 0
#include "basic.h"

struct paint_switch {
	WEIR_COLUMN(uint8_t) paint;
	unsigned outputs;
	weir_counter no_output;
};

static int start(struct weir_start *start, void *at)
{
	struct paint_switch *self = at;

	self->outputs = weir_connected(start);
	return 0;
}

static void leave(struct weir_call *call, unsigned color, weir_mask mask, weir_mask out[])
{
	struct paint_switch *self = weir_self(call);

	if (color < self->outputs)
		out[color] |= mask;
	else
		weir_drop(call, mask, &self->no_output);
}

// One step per colour that is there, not per output.
static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct paint_switch *self = weir_self(call);
	const uint8_t *paint = weir_column(v, self->paint);
	weir_mask left = in & weir_has(v, self->paint);

	leave(call, 0, in & ~left, out);
	while (left) {
		uint8_t color = paint[__builtin_ctzll(left)];
		weir_mask same = left & weir_where(i, paint[i] == color);

		leave(call, color, same, out);
		left &= ~same;
	}
}

WEIR_CLASS(PaintSwitch, paint_switch,
	.about = "sends packets to the output that has the number of their colour",
	.by = WEIR_ANY,
	WEIR_MEMBERS(
		WEIR_READS_IF(paint_switch, paint, "weir.paint"),
		WEIR_DROPS(paint_switch, no_output, .about = "colours beyond the last output")),
	.many_outputs = true,
	.start = start,
	.process = process);
