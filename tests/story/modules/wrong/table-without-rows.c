// SPDX-License-Identifier: Apache-2.0
// expect: table "rows" does not say how many rows it has (.rows)
#include <weir.h>

struct row { uint32_t n; };
struct x { WEIR_TABLE(uint32_t, struct row) rows; };
static void process(struct weir_call *, struct weir_vector *, weir_mask in, weir_mask out[]) { out[0] = in; }
WEIR_CLASS(X, x, .about = "x", WEIR_MEMBERS(WEIR_KEEPS(x, rows)), .process = process);
WEIR_MODULE("x", "1.0", &X);
