// SPDX-License-Identifier: Apache-2.0
#include "lib/arena.h"

#include <stdio.h>
#include <stdlib.h>

enum { ALIGNED = 64 }; // what is as large as a cache line begins at one

struct block {
	struct block *next;
	size_t used, size;
	_Alignas(ALIGNED) char bytes[];
};

struct arena {
	struct block *blocks; // the newest first
};

static struct block *block_create(size_t size)
{
	size_t whole = (sizeof(struct block) + size + ALIGNED - 1) & ~(size_t)(ALIGNED - 1);
	struct block *block = aligned_alloc(ALIGNED, whole);

	if (!block) {
		fprintf(stderr, "weir: out of memory (%zu bytes)\n", size);
		abort();
	}
	memset(block, 0, whole);
	block->size = size;
	return block;
}

struct arena *arena_create(void)
{
	struct block *block = block_create(4096);
	struct arena *arena = (struct arena *)block->bytes;

	block->used = 16;
	arena->blocks = block;
	return arena;
}

void arena_destroy(struct arena *arena)
{
	struct block *next;

	if (!arena)
		return;
	for (struct block *block = arena->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
}

void *arena_take(struct arena *arena, size_t size)
{
	struct block *block = arena->blocks;
	size_t align = size >= ALIGNED ? ALIGNED : 16;
	size_t rounded = (size + 15) & ~(size_t)15, from = (block->used + align - 1) & ~(align - 1);

	if (from > block->size || block->size - from < rounded) {
		block = block_create(rounded > 16384 ? rounded : 32768);
		block->next = arena->blocks;
		arena->blocks = block;
		from = 0;
	}
	block->used = from + rounded;
	return block->bytes + from;
}

char *arena_text(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_take(arena, length + 1);

	memcpy(copy, text, length);
	return copy;
}

char *arena_vprint(struct arena *arena, const char *format, va_list args)
{
	va_list again;
	char *text;
	int length;

	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	text = arena_take(arena, (size_t)length + 1);
	vsnprintf(text, (size_t)length + 1, format, args);
	return text;
}

char *arena_print(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = arena_vprint(arena, format, args);
	va_end(args);
	return text;
}

void list_grow_(struct arena *arena, void **at, uint32_t *room, uint32_t count, size_t size)
{
	void *larger;

	if (count < *room)
		return;
	*room = *room ? *room * 2 : 8;
	larger = arena_take(arena, *room * size);
	if (count)
		memcpy(larger, *at, count * size);
	*at = larger;
}
