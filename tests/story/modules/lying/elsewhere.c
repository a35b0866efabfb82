// SPDX-License-Identifier: Apache-2.0
// expect: leaves here, but it is not one of `in`
#include <weir.h>

struct liar { weir_counter c; };
static void process(struct weir_call *, struct weir_vector *v, weir_mask, weir_mask out[])
{
	out[0] = ~(weir_mask)0 >> (64 - v->fill);
}
WEIR_CLASS(Liar, liar, .about = "sends what is not its own", .process = process);
WEIR_MODULE("liar", "1.0", &Liar);
