// SPDX-License-Identifier: Apache-2.0
#include "engine/places.h"

#include "lib/arena.h"
#include "lib/names.h"

#include <stdio.h>
#include <stdlib.h>

static struct arena *arena;
static struct names names;
static uint32_t count;

uint16_t place_number(const char *element, unsigned input)
{
	char *name;
	uint32_t number;

	if (!arena) {
		arena = arena_create();
		names_init(&names, arena);
	}
	name = arena_print(arena, "%s:%u", element, input);
	number = names_find(&names, name, strlen(name));
	if (number != NAMES_NONE)
		return (uint16_t)number;
	if (count == UINT16_MAX) {
		fprintf(stderr, "weir: more than %d inputs of elements in the life of one process\n", UINT16_MAX);
		abort();
	}
	names_add(&names, name, strlen(name), count);
	return (uint16_t)count++;
}

uint32_t place_count(void)
{
	return count;
}

void places_forget(void)
{
	arena_destroy(arena);
	arena = NULL;
	names = (struct names){ 0 };
	count = 0;
}
