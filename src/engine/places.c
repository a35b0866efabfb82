// SPDX-License-Identifier: Apache-2.0
#include "engine/places.h"

#include "lib/arena.h"
#include "lib/names.h"

#include <stdio.h>
#include <stdlib.h>

struct numbers {
	struct names names;
	uint32_t count;
};

static struct arena *arena;
static struct numbers places, events;

static uint16_t number_of(struct numbers *numbers, const char *name)
{
	uint32_t number;

	if (!numbers->names.arena)
		names_init(&numbers->names, arena);
	number = names_find(&numbers->names, name, strlen(name));
	if (number != NAMES_NONE)
		return (uint16_t)number;
	if (numbers->count == UINT16_MAX) {
		fprintf(stderr, "weir: more than %d names in the life of one process\n", UINT16_MAX);
		abort();
	}
	names_add(&numbers->names, name, strlen(name), numbers->count);
	return (uint16_t)numbers->count++;
}

static struct arena *lasting(void)
{
	if (!arena)
		arena = arena_create();
	return arena;
}

uint16_t place_number(const char *element, unsigned input)
{
	return number_of(&places, arena_print(lasting(), "%s:%u", element, input));
}

uint16_t event_number(const char *event)
{
	return number_of(&events, arena_print(lasting(), "%s", event));
}

uint32_t place_count(void)
{
	return places.count;
}

uint32_t event_count(void)
{
	return events.count;
}

void places_forget(void)
{
	arena_destroy(arena);
	arena = NULL;
	places = events = (struct numbers){ 0 };
}
