// SPDX-License-Identifier: Apache-2.0
// expect: class "Wrong": what is put in on demand has one input and one output and holds nothing
#include <weir.h>
struct wrong {
	weir_counter packets;
};
static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	(void)call, (void)v;
	out[0] = in;
}
WEIR_CLASS(Wrong, wrong, .about = "wrong", .on_demand = true, WEIR_OUTPUTS("a", "b"),
	WEIR_MEMBERS(WEIR_COUNTS(wrong, packets)), .process = process);
WEIR_MODULE("wrong", "1.0.0", &Wrong);
