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

static struct arena *lasting(void)
{
	if (!arena)
		arena = arena_create();
	return arena;
}

// Only a name that is new takes memory that lasts: there may be a swap a second for years.
static uint16_t number_of(struct numbers *numbers, const char *name)
{
	size_t length = strlen(name);
	uint32_t number;

	if (!numbers->names.arena)
		names_init(&numbers->names, lasting());
	number = names_find(&numbers->names, name, length);
	if (number != NAMES_NONE)
		return (uint16_t)number;
	if (numbers->count == UINT16_MAX) {
		fprintf(stderr, "weir: more than %d names in the life of one process\n", UINT16_MAX);
		abort();
	}
	names_add(&numbers->names, arena_text(lasting(), name, length), length, numbers->count);
	return (uint16_t)numbers->count++;
}

uint16_t place_number(const char *element, unsigned input)
{
	struct arena *brief = arena_create();
	uint16_t number = number_of(&places, arena_print(brief, "%s:%u", element, input));

	arena_destroy(brief);
	return number;
}

uint16_t event_number(const char *event)
{
	return number_of(&events, event);
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
