// SPDX-License-Identifier: Apache-2.0
// expect: divides its state by "ip.ttl", by which packets cannot be steered
#include <weir.h>

struct row { uint32_t n; };
struct x { WEIR_TABLE(uint32_t, struct row) rows; };
static void process(struct weir_call *, struct weir_vector *, weir_mask in, weir_mask out[]) { out[0] = in; }
WEIR_CLASS(X, x, .about = "x", .by = "ip.ttl", WEIR_MEMBERS(WEIR_KEEPS(x, rows, .rows = 10)), .process = process);
WEIR_MODULE("x", "1.0", &X);
