// SPDX-License-Identifier: Apache-2.0
// Paint - marks packets with a colour, the field weir.paint; the last coat counts
#include "basic.h"

struct paint {
	uint8_t color;
	WEIR_COLUMN(uint8_t) paint;
};

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct paint *self = weir_self(call);
	uint8_t *paint = weir_column(v, self->paint), color = self->color;

	weir_write(v, in, i, paint[i] = color);
	out[0] = in;
}

WEIR_CLASS(Paint, paint,
	.about = "marks packets with a colour",
	.by = WEIR_ANY,
	WEIR_MEMBERS(
		WEIR_SETTING(paint, color, WEIR_REQUIRED, .live = true, .about = "the colour, 0 to 255"),
		WEIR_PROVIDES(paint, paint, "weir.paint")),
	.process = process);
