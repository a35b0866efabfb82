// SPDX-License-Identifier: Apache-2.0
// expect: which is not one of `in`
#include <weir.h>

struct liar { WEIR_COLUMN(uint8_t) paint; };
static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct liar *self = weir_self(call);

	for (int i = 0; i < WEIR_VECTOR; i++)
		weir_column(v, self->paint)[i] = 9;
	out[0] = in;
}
WEIR_CLASS(Liar, liar, .about = "paints packets that are elsewhere",
	WEIR_MEMBERS(WEIR_CHANGES(liar, paint, "weir.paint")), .process = process);
WEIR_MODULE("liar", "1.0", &Liar);
