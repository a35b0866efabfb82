// SPDX-License-Identifier: Apache-2.0
// expect: is not what its bytes say
#include <weir.h>

struct liar { WEIR_COLUMN(uint8_t) ttl; };
static void process(struct weir_call *, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	weir_each (i, in) {
		uint8_t *ttl = weir_edit(v, (unsigned)i, 22, 1);

		if (ttl)
			++*ttl;
	}
	out[0] = in;
}
WEIR_CLASS(Liar, liar, .about = "edits what it does not declare",
	WEIR_MEMBERS(WEIR_READS(liar, ttl, "ip.ttl")), .process = process);
WEIR_MODULE("liar", "1.0", &Liar);
