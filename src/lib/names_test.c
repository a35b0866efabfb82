// SPDX-License-Identifier: Apache-2.0
#include "lib/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void empty_map(void **state)
{
	struct arena *arena = arena_create();
	struct names names;

	(void)state;
	names_init(&names, arena);
	assert_int_equal(names_find(&names, "a", 1), NAMES_NONE);
	assert_int_equal(names_find(&names, "", 0), NAMES_NONE);
	arena_destroy(arena);
}

static void first_number_stays_until_set(void **state)
{
	struct arena *arena = arena_create();
	struct names names;

	(void)state;
	names_init(&names, arena);
	assert_int_equal(names_add(&names, "a", 1, 7), NAMES_NONE);
	assert_int_equal(names_add(&names, "a", 1, 8), 7);
	assert_int_equal(names_find(&names, "a", 1), 7);
	names_set(&names, "a", 1, 9);
	names_set(&names, "b", 1, 1);
	assert_int_equal(names_find(&names, "a", 1), 9);
	assert_int_equal(names_find(&names, "b", 1), 1);
	assert_int_equal(names.count, 2);
	arena_destroy(arena);
}

static void names_are_bytes_with_a_length(void **state)
{
	struct arena *arena = arena_create();
	struct names names;

	(void)state;
	names_init(&names, arena);
	names_add(&names, "abc", 2, 1);
	names_add(&names, "abc", 3, 2);
	names_add(&names, "a\0c", 3, 3);
	names_add(&names, "", 0, 4);
	assert_int_equal(names_find(&names, "ab", 2), 1);
	assert_int_equal(names_find(&names, "abc", 3), 2);
	assert_int_equal(names_find(&names, "a\0c", 3), 3);
	assert_int_equal(names_find(&names, "a\0d", 3), NAMES_NONE);
	assert_int_equal(names_find(&names, "x", 0), 4);
	arena_destroy(arena);
}

static void many_names(void **state)
{
	enum { MANY = 100000 };
	struct arena *arena = arena_create();
	struct names names;
	const char *name;

	(void)state;
	names_init(&names, arena);
	for (uint32_t i = 0; i < MANY; i++) {
		name = arena_print(arena, "element%u", i);
		assert_int_equal(names_add(&names, name, strlen(name), i), NAMES_NONE);
	}
	assert_int_equal(names.count, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		name = arena_print(arena, "element%u", i);
		assert_int_equal(names_find(&names, name, strlen(name)), i);
	}
	assert_int_equal(names_find(&names, "element", 7), NAMES_NONE);
	arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_map),
		cmocka_unit_test(first_number_stays_until_set),
		cmocka_unit_test(names_are_bytes_with_a_length),
		cmocka_unit_test(many_names),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
