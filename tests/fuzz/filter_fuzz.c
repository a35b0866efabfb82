// SPDX-License-Identifier: Apache-2.0
// Any bytes as a filter: the parser ends, what it accepts it reads back from its own text as the same filter, and the
// program that comes of it selects only slots that it was asked about.
#include "lang/filter_testing.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 1024 * 1024, LONGEST = 2048 };

struct room {
	struct vector *vector;
	uint32_t used;
};

static bool place_of(void *context, const struct filter_operand *operand, uint8_t occurrence,
	struct filter_place *place)
{
	struct room *room = context;
	uint32_t at = room->used;

	(void)occurrence;
	if (at + 2048 > ROOM)
		return false;
	room->used += 2048;
	*place = (struct filter_place){ .has = at, .at = at + 64, .base = at + 64, .end = at + 256 };
	for (unsigned i = 0; operand->kind == FILTER_PLACE && i < WEIR_VECTOR; i++) {
		((uint16_t *)vector_column(room->vector, place->base))[i] = 14;
		((uint32_t *)vector_column(room->vector, place->end))[i] = 60;
	}
	*vector_mask(room->vector, at) = 0x7777777777777777;
	return true;
}

static void run(struct arena *arena, const struct filter *filter)
{
	static union {
		struct vector vector;
		char room[ROOM];
	} all;
	static uint8_t packet[64] = { [14] = 0x45 };
	struct room room = { .used = VECTOR_MASKS };
	struct filter_program *program;
	weir_mask in = 0x5555;

	room.vector = &all.vector;
	for (unsigned i = 0; i < WEIR_VECTOR; i++) {
		room.vector->head.data[i] = packet;
		room.vector->head.length[i] = room.vector->head.straight[i] = sizeof(packet);
	}
	program = filter_bind(arena, filter, place_of, &room);
	if (filter_run(program, room.vector, in) & ~in)
		abort();
	for (unsigned slot = 0; slot < 4; slot += 2)
		if (filter_event(program, room.vector, slot, NULL, NULL) !=
			(filter_run(program, room.vector, in) >> slot & 1))
			abort();
	memset(all.vector.values, 0, room.used - VECTOR_MASKS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_create();
	struct diag *diag = diag_create(arena);
	struct filter *filter = NULL, *again;
	const char *text;

	if (size <= LONGEST)
		filter = filter_parse(arena, (const char *)data, size,
			(struct place){ "fuzz", 1, 1 }, &test_names, diag);
	if (size <= LONGEST && !filter && !diag->errors)
		abort();
	if (filter) {
		text = filter_text(arena, filter);
		again = filter_parse(arena, text, strlen(text), (struct place){ "again", 1, 1 }, &test_names, diag);
		if (!again || !filter_equal(filter, again))
			abort();
		run(arena, filter);
	}
	arena_destroy(arena);
	return 0;
}
