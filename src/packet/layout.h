// SPDX-License-Identifier: Apache-2.0
// The layout of control blocks: which live fields a packet takes along when it leaves its vector, and where in its
// block. A layout has a number that packets name; it is kept until no packet does, so that a generation can fill a
// packet which another one has spilled. Fields are told apart by name and size.
//
//	block: | which of them it has, a bit each (8) | values ... |
#ifndef PACKET_LAYOUT_H
#define PACKET_LAYOUT_H

#include "packet/packet.h"
#include "packet/vector.h"

enum { LAYOUT_FIELDS = 48, LAYOUT_WORKERS = 64, LAYOUT_ROOM = sizeof(((struct packet_head *)0)->block) - 8 };

struct layout_field {
	const char *name;
	uint32_t has, at;     // in the vector: presence, values
	uint16_t size, block; // size 0: a mask alone (an event that rides, a flag's value)
};

struct layout {
	uint16_t number; // 0: packets take nothing along
	uint16_t count, bytes;
	uint16_t luggage; // 1 + the field that is a buffer of its own, freed with the packet; 0: there is none
	uint64_t events;  // fields that are events that ride, a bit each: a clone carries none
	struct layout_field fields[LAYOUT_FIELDS];
	struct {
		_Alignas(64) int64_t count; // that worker writes: packets that it spilled minus those that it filled
	} out[LAYOUT_WORKERS];
};

// Adds a field; false: no room left in the block.
bool layout_add(struct layout *layout, const char *name, uint32_t has, uint32_t at, uint16_t size);
// Gives it a number of its own, until layout_retire. An empty one keeps 0. -ENOSPC: 65,535 are in use.
int layout_register(struct layout *layout);
// No packet names it any more?
bool layout_is_unused(const struct layout *layout);
void layout_retire(struct layout *layout);

// Writes the live fields of a slot, but those in `without`, into its packet's block / reads them back into a slot of a
// vector laid out by `layout`. Fill also takes blocks of other layouts: what both have is taken, the rest is absent.
void layout_spill(struct layout *layout, unsigned worker, struct vector *vector, unsigned slot, uint64_t without);
void layout_fill(const struct layout *layout, unsigned worker, struct vector *vector, unsigned slot);
// The packet goes without having been filled.
void layout_forget(struct packet_head *head, unsigned worker);

#endif
