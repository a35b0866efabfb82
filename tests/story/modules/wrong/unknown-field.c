// SPDX-License-Identifier: Apache-2.0
// expect: reads the field "ip.tll", which nothing here provides; is "ip.ttl" meant?
#include <weir.h>

struct x { WEIR_COLUMN(uint8_t) ttl; };
static void process(struct weir_call *, struct weir_vector *, weir_mask in, weir_mask out[]) { out[0] = in; }
WEIR_CLASS(X, x, .about = "x", WEIR_MEMBERS(WEIR_READS(x, ttl, "ip.tll")), .process = process);
WEIR_MODULE("x", "1.0", &X);
