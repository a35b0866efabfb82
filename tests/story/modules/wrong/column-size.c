// SPDX-License-Identifier: Apache-2.0
// expect: is declared with a column of 2 bytes, which does not fit the field (1 bytes)
#include <weir.h>

struct x { WEIR_COLUMN(uint16_t) ttl; };
static void process(struct weir_call *, struct weir_vector *, weir_mask in, weir_mask out[]) { out[0] = in; }
WEIR_CLASS(X, x, .about = "x", WEIR_MEMBERS(WEIR_READS(x, ttl, "ip.ttl")), .process = process);
WEIR_MODULE("x", "1.0", &X);
