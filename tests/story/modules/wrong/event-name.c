// SPDX-License-Identifier: Apache-2.0
// expect: "flood" is no name of an event (module.event)
#include <weir.h>

struct flood { uint32_t n; };
WEIR_EVENT(flood, "flood", struct flood, .per = WEIR_PER_HOST, WEIR_PARTS(WEIR_PART(flood, n, "flood.n")));
struct x { WEIR_SIGNAL(flood) flood; };
static void process(struct weir_call *, struct weir_vector *, weir_mask in, weir_mask out[]) { out[0] = in; }
WEIR_CLASS(X, x, .about = "x", WEIR_MEMBERS(WEIR_RAISES(x, flood, flood)), .process = process);
WEIR_MODULE("x", "1.0", &X);
