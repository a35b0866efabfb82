// SPDX-License-Identifier: Apache-2.0
// Settings: from the text of a graph's arguments to members of an element's struct.
#ifndef PLAN_SETTINGS_H
#define PLAN_SETTINGS_H

#include "lang/graph.h"

#include <weir.h>

// Parses one value; `at` is where it stands. The text that a string setting points to lives in the arena.
// false after a message.
bool settings_parse(struct arena *arena, const struct weir_member *member, void *to, const char *text,
		    struct place at, struct diag *diag);
// All arguments of an element into its struct: positional ones in the order of members, keywords by name in any order,
// defaults for the rest. Sets WEIR_FILTER members' text only; *filter_at gets the place of each (by index of member).
bool settings_fill(struct arena *arena, const struct weir_class *class, const struct graph_element *element, void *self,
		   struct place *places, struct diag *diag);
// As one would write it: "100", "10.0.0.0/8".
const char *settings_print(struct arena *arena, const struct weir_member *member, const void *self);

#endif
