// SPDX-License-Identifier: Apache-2.0
// Is a descriptor sound? Everything that can be known without running a module's code: sizes, offsets, names, types,
// fields, defaults. Filters and events across modules are the planner's.
#ifndef MODULE_CHECK_H
#define MODULE_CHECK_H

#include "lib/diag.h"

#include <weir.h>

// 0, or -EINVAL after a message for each mistake.
int check_module(const struct weir_module *module, const char *path, struct diag *diag);

#endif
