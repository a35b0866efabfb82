// SPDX-License-Identifier: Apache-2.0
#ifndef ENGINE_SUM_H
#define ENGINE_SUM_H

#include "engine/engine.h"

struct engine_sum sum_of_worker(const struct worker *worker);
struct engine_sum sum_add(struct engine_sum a, struct engine_sum b);

#endif
