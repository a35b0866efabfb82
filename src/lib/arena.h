// SPDX-License-Identifier: Apache-2.0
// Memory with one owner: what is taken from an arena lives until the arena goes. For syntax trees, plans and
// diagnostics; never on the packet path. Out of memory ends the process (there is nobody who could act on it).
#ifndef LIB_ARENA_H
#define LIB_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct arena;

struct arena *arena_create(void);
void arena_destroy(struct arena *arena); // NULL is fine

// Zeroed memory, aligned to 16, from 64 bytes on to a cache line; cannot fail.
void *arena_take(struct arena *arena, size_t size);
char *arena_text(struct arena *arena, const char *text, size_t length); // a terminated copy
char *arena_print(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprint(struct arena *arena, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

#define arena_new(arena, type) ((type *)arena_take(arena, sizeof(type)))
#define arena_array(arena, type, count) ((type *)arena_take(arena, sizeof(type) * (size_t)(count)))

// A growing array inside an arena: LIST(struct edge) edges; list_add(arena, &edges)->from = 3;
// Pointers into it are good until the next list_add.
#define LIST(type)                                                                                         \
	struct {                                                                                           \
		type *at;                                                                                  \
		uint32_t count, room;                                                                      \
	}
#define list_add(arena, list)                                                                              \
	(list_grow_(arena, (void **)&(list)->at, &(list)->room, (list)->count, sizeof(*(list)->at)),      \
	 &(list)->at[(list)->count++])
#define list_each(item, list)                                                                              \
	for (typeof(*(list)->at) *item = (list)->at; item && item < (list)->at + (list)->count; item++)

void list_grow_(struct arena *arena, void **at, uint32_t *room, uint32_t count, size_t size);

#endif
