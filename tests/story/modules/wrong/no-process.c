// SPDX-License-Identifier: Apache-2.0
// expect: it has no process, no take and no handlers
#include <weir.h>

struct x { weir_counter c; };
WEIR_CLASS(X, x, .about = "does nothing");
WEIR_MODULE("x", "1.0", &X);
