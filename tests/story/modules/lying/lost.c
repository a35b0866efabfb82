// SPDX-License-Identifier: Apache-2.0
// expect: is lost: it leaves by no output
#include <weir.h>

struct liar { weir_counter c; };
static void process(struct weir_call *, struct weir_vector *, weir_mask in, weir_mask out[]) { out[0] = in & (in - 1); }
WEIR_CLASS(Liar, liar, .about = "loses a packet", .process = process);
WEIR_MODULE("liar", "1.0", &Liar);
