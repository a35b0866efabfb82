// SPDX-License-Identifier: Apache-2.0
// expect: limit: 0 is out of range; it may be 1 to 10; it is the default of X
#include <weir.h>

struct x { uint32_t limit; };
static void process(struct weir_call *, struct weir_vector *, weir_mask in, weir_mask out[]) { out[0] = in; }
WEIR_CLASS(X, x, .about = "x", WEIR_MEMBERS(WEIR_SETTING(x, limit, "0", .min = 1, .max = 10)), .process = process);
WEIR_MODULE("x", "1.0", &X);
