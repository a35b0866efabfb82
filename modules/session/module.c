// SPDX-License-Identifier: Apache-2.0
// session: what is spoken on flows.
#include "session.h"

WEIR_MODULE("session", "0.1.0", &HTTP, &TLS, &DNS);
