// SPDX-License-Identifier: Apache-2.0
// expect: "tcp.flgs" is no field and no protocol
#include <weir.h>

struct x { weir_counter c; };
static enum weir_verdict came(struct weir_event *) { return WEIR_PASS; }
WEIR_CLASS(X, x, .about = "x", WEIR_HANDLERS(WEIR_ON(packet_received, came, .where = "tcp.flgs == 2")));
WEIR_MODULE("x", "1.0", &X);
