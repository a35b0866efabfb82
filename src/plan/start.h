// SPDX-License-Identifier: Apache-2.0
// What a class's `start` may ask for: outputs, memory, routes and rules, and refusing.
#ifndef PLAN_START_H
#define PLAN_START_H

#include "plan/plan.h"

// Makes the shared members (routes, rules), runs `start`.
void plan_start(struct plan *plan, struct plan_element *element);
// Frees them.
void plan_stop(struct plan *plan);

#endif
