// SPDX-License-Identifier: Apache-2.0
// expect: leaves twice
#include <weir.h>

struct liar { weir_counter c; };
static void process(struct weir_call *call, struct weir_vector *, weir_mask in, weir_mask out[])
{
	struct liar *self = weir_self(call);

	weir_drop(call, in & -in, &self->c);
	out[0] = in;
}
WEIR_CLASS(Liar, liar, .about = "sends what it dropped", WEIR_MEMBERS(WEIR_DROPS(liar, c)), .process = process);
WEIR_MODULE("liar", "1.0", &Liar);
