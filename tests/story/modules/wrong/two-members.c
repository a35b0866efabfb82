// SPDX-License-Identifier: Apache-2.0
// expect: two members are called "count"
#include <weir.h>

struct x { weir_counter count, other; };
static void process(struct weir_call *, struct weir_vector *, weir_mask in, weir_mask out[]) { out[0] = in; }
WEIR_CLASS(X, x, .about = "x", WEIR_MEMBERS(WEIR_COUNTS(x, count), WEIR_COUNTS(x, count)), .process = process);
WEIR_MODULE("x", "1.0", &X);
