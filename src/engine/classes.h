// SPDX-License-Identifier: Apache-2.0
// The platform's own element classes: where packets enter and leave, and who looks on.
#ifndef ENGINE_CLASSES_H
#define ENGINE_CLASSES_H

#include "plan/platform.h"

extern const struct weir_module engine_module;

#endif
