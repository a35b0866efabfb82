// SPDX-License-Identifier: Apache-2.0
// expect: changes "ip.len", which cannot be set
#include <weir.h>

struct x { WEIR_COLUMN(uint16_t) length; };
static void process(struct weir_call *, struct weir_vector *, weir_mask in, weir_mask out[]) { out[0] = in; }
WEIR_CLASS(X, x, .about = "x", WEIR_MEMBERS(WEIR_CHANGES(x, length, "ip.len")), .process = process);
WEIR_MODULE("x", "1.0", &X);
