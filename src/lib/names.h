// SPDX-License-Identifier: Apache-2.0
// A map from names to numbers, in an arena: what an index is called. Names are bytes with a length; those put in are
// not copied and must live as long as the map.
#ifndef LIB_NAMES_H
#define LIB_NAMES_H

#include "lib/arena.h"

#define NAMES_NONE UINT32_MAX

struct names {
	struct arena *arena;
	struct names_slot *slots; // power of two, open addressing
	uint32_t count, room;
};

void names_init(struct names *names, struct arena *arena);

// The number of a name, NAMES_NONE if it has none.
uint32_t names_find(const struct names *names, const char *name, size_t length);

// Gives a name a number unless it has one; returns the one that it had, NAMES_NONE if it is new.
uint32_t names_add(struct names *names, const char *name, size_t length, uint32_t number);

// Gives a name a number, whatever it had.
void names_set(struct names *names, const char *name, size_t length, uint32_t number);

#endif
