// SPDX-License-Identifier: Apache-2.0
#include "lib/names.h"

#include <assert.h>
#include <stdbool.h>

struct names_slot {
	const char *name; // NULL: free
	uint32_t length, hash, number;
};

enum { FIRST_ROOM = 16 };

void names_init(struct names *names, struct arena *arena) { *names = (struct names){ .arena = arena }; }

// FNV-1a, then a mix of the high bits into the low ones, which choose the slot
static uint32_t hash_of(const char *name, size_t length)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3;
	hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93;
	return (uint32_t)(hash >> 32);
}

static bool is_same(const struct names_slot *slot, const char *name, size_t length, uint32_t hash)
{
	return slot->hash == hash && slot->length == length && !memcmp(slot->name, name, length);
}

// The slot of a name, or the free one where it belongs
static struct names_slot *slot_of(const struct names *names, const char *name, size_t length, uint32_t hash)
{
	uint32_t at = hash & (names->room - 1);

	while (names->slots[at].name && !is_same(&names->slots[at], name, length, hash))
		at = (at + 1) & (names->room - 1);
	return &names->slots[at];
}

static void grow(struct names *names)
{
	struct names old = *names;
	const struct names_slot *from;

	names->room = old.room ? old.room * 2 : FIRST_ROOM;
	names->slots = arena_array(names->arena, struct names_slot, names->room);
	for (uint32_t i = 0; i < old.room; i++) {
		from = &old.slots[i];
		if (from->name)
			*slot_of(names, from->name, from->length, from->hash) = *from;
	}
}

uint32_t names_find(const struct names *names, const char *name, size_t length)
{
	const struct names_slot *slot;

	if (!names->count)
		return NAMES_NONE;
	slot = slot_of(names, name, length, hash_of(name, length));
	return slot->name ? slot->number : NAMES_NONE;
}

static struct names_slot *find_or_take(struct names *names, const char *name, size_t length)
{
	uint32_t hash = hash_of(name, length);
	struct names_slot *slot;

	assert(length <= UINT32_MAX);
	if (names->count >= names->room / 4 * 3)
		grow(names);
	slot = slot_of(names, name, length, hash);
	if (!slot->name) {
		*slot = (struct names_slot){ name, (uint32_t)length, hash, NAMES_NONE };
		names->count++;
	}
	return slot;
}

uint32_t names_add(struct names *names, const char *name, size_t length, uint32_t number)
{
	struct names_slot *slot = find_or_take(names, name, length);
	uint32_t had = slot->number;

	if (had == NAMES_NONE)
		slot->number = number;
	return had;
}

void names_set(struct names *names, const char *name, size_t length, uint32_t number)
{
	find_or_take(names, name, length)->number = number;
}
