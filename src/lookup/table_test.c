// SPDX-License-Identifier: Apache-2.0
#include "lib/hash.h"
#include "lookup/table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

static uint64_t now;

static uint64_t chance(uint64_t below)
{
	static uint64_t state = 1;

	return hash_step(&state) % below;
}

static struct weir_table *create(
	uint32_t key_size, uint32_t row_size, uint32_t rows, uint32_t idle_s)
{
	struct weir_table *table = table_create(
		(struct table_shape){ key_size, row_size, rows, idle_s }, &now, 0x1234567);

	assert_non_null(table);
	return table;
}

// A key of any size that holds a number.
static const void *key_of(uint64_t number, uint32_t size)
{
	static uint8_t keys[4][64];
	static unsigned next;
	uint8_t *key = keys[next++ % 4];

	memset(key, 0x5a, 64);
	for (unsigned i = 0; i < size && i < 8; i++)
		key[size - 1 - i] = (uint8_t)(number >> 8 * i);
	return key;
}

static void refuses_shapes(void **state)
{
	static const struct table_shape wrong[] = { { 0, 8, 8, 0 }, { 65, 8, 8, 0 },
		{ 8, 4097, 8, 0 }, { 8, 8, 0, 0 }, { 8, 8, (1 << 24) + 1, 0 } };
	(void)state;
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_null(table_create(wrong[i], &now, 1));
		assert_int_equal(errno, EINVAL);
	}
	table_destroy(NULL);
}

// ---- against a model: an array of what should be there

enum { KEYS = 300 };

struct model {
	bool is_there[KEYS];
	uint64_t value[KEYS], used_ns[KEYS];
};

static bool is_live(const struct model *model, unsigned key, uint64_t idle_ns)
{
	return model->is_there[key] &&
		(now <= model->used_ns[key] || now - model->used_ns[key] < idle_ns);
}

static void step(struct weir_table *table, struct model *model, uint32_t key_size, uint64_t idle_ns)
{
	unsigned key = (unsigned)chance(KEYS);
	uint64_t *row;

	switch (chance(4)) {
	case 0:
		row = weir_table_find_(table, key_of(key, key_size));
		assert_int_equal(!!row, is_live(model, key, idle_ns));
		if (row)
			assert_int_equal(*row, model->value[key]);
		break;
	case 1:
		row = weir_table_find_(table, key_of(key, key_size));
		if (row)
			weir_table_forget_(table, row);
		model->is_there[key] = model->is_there[key] && !row;
		break;
	default:
		row = weir_table_at_(table, key_of(key, key_size));
		assert_int_equal(*row, is_live(model, key, idle_ns) ? model->value[key] : 0);
		*row = model->value[key] = chance(UINT64_MAX);
		model->is_there[key] = true;
		model->used_ns[key] = now;
	}
}

static void compare_all(
	struct weir_table *table, const struct model *model, uint32_t key_size, uint64_t idle_ns)
{
	unsigned live = 0, seen = 0;
	uint32_t place = 0;
	const void *key;
	uint64_t *row;

	for (unsigned i = 0; i < KEYS; i++)
		live += is_live(model, i, idle_ns);
	while ((row = weir_table_next_(table, &place, &key))) {
		unsigned number = 0;

		for (unsigned i = key_size > 2 ? key_size - 2 : 0; i < key_size; i++)
			number = number << 8 | ((const uint8_t *)key)[i];
		assert_true(number < KEYS && is_live(model, number, idle_ns));
		assert_int_equal(*row, model->value[number]);
		seen++;
	}
	assert_int_equal(seen, live);
	assert_true(weir_table_size(table) >= live);
}

static void behaves_as_the_model(void **state)
{
	static const uint32_t key_sizes[] = { 2, 3, 4, 6, 7, 8, 9, 12, 16, 17, 20, 24, 31, 33, 40,
		64 };
	static const uint32_t idle[] = { 0, 1, 60 };

	(void)state;
	for (unsigned i = 0; i < sizeof(key_sizes) / sizeof(*key_sizes); i++)
		for (unsigned j = 0; j < 3; j++) {
			struct weir_table *table = create(key_sizes[i], 8 + 40 * i, KEYS, idle[j]);
			uint64_t idle_ns = idle[j] ? idle[j] * SECOND : UINT64_MAX;
			struct model model = { 0 };

			now = 0;
			for (unsigned n = 0; n < 4000; n++) {
				now += chance(16) ? chance(SECOND / 100) : chance(2 * SECOND);
				step(table, &model, key_sizes[i], idle_ns);
				if (n % 500 == 0)
					compare_all(table, &model, key_sizes[i], idle_ns);
			}
			assert_int_equal(table_forgotten(table).full, 0);
			table_destroy(table);
		}
}

// ---- a full table

static void oldest_goes_first(void **state)
{
	static const uint32_t sizes[] = { 1, 2, 3, 7, 13, 100, 1000 };

	(void)state;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct weir_table *table = create(8, 8, sizes[i], 0);

		now = 0;
		for (uint64_t key = 0; key < 5 * sizes[i]; key++, now++) {
			*(uint64_t *)weir_table_at_(table, key_of(key, 8)) = key;
			assert_int_equal(
				weir_table_size(table), key < sizes[i] ? key + 1 : sizes[i]);
			// exactly the newest are there
			for (uint64_t back = 0; back <= key && back < sizes[i] && sizes[i] <= 100;
				back++) {
				uint64_t *row = weir_table_find_(table, key_of(key - back, 8));

				if (back < sizes[i] / 2 || back == 0)
					assert_non_null(row);
				if (row)
					assert_int_equal(*row, key - back);
			}
		}
		assert_int_equal(table_forgotten(table).full, 4 * sizes[i]);
		table_destroy(table);
	}
}

static void untouched_rows_go_in_order(void **state)
{
	struct weir_table *table = create(8, 8, 500, 0);

	(void)state;
	for (now = 0; now < 2000; now++) {
		weir_table_at_(table, key_of(now, 8));
		if (now >= 500) // find is a use: one look per round only
			assert_null(weir_table_find_(table, key_of(now - 500, 8)));
	}
	table_destroy(table);
}

// What is in use survives a flood of keys that come once.
static void used_rows_survive_a_flood(void **state)
{
	enum { ROWS = 4096, HOT = ROWS / 4 };
	struct weir_table *table = create(8, 16, ROWS, 0);

	(void)state;
	now = 0;
	for (uint64_t key = 0; key < HOT; key++)
		*(uint64_t *)weir_table_at_(table, key_of(key, 8)) = key + 1;
	for (uint64_t flood = 0; flood < 50 * ROWS; flood++, now++) {
		weir_table_at_(table, key_of(1000000 + flood, 8));
		assert_int_equal(*(uint64_t *)weir_table_at_(table, key_of(flood % HOT, 8)),
			flood % HOT + 1);
	}
	assert_int_equal(weir_table_size(table), ROWS);
	table_destroy(table);
}

// All in use: the newest two of any size stay, so that a handler can use two rows at once.
static void newest_rows_stay(void **state)
{
	(void)state;
	for (uint32_t rows = 2; rows < 60; rows++) {
		struct weir_table *table = create(4, 4, rows, rows % 3 ? 0 : 1);

		now = 0;
		for (unsigned n = 0; n < 20000; n++, now += SECOND / 50) {
			uint32_t *one = weir_table_at_(table, key_of(2 * chance(rows * 2), 4)),
				 *two;

			*one = n;
			now++;
			two = weir_table_at_(table, key_of(2 * chance(rows * 2) + 1, 4));
			assert_ptr_not_equal(one, two);
			assert_int_equal(*one, n);
			if (!chance(3))
				weir_table_forget_(table, chance(2) ? one : two);
		}
		assert_true(weir_table_size(table) <= rows);
		table_destroy(table);
	}
}

static void idle_rows_make_room(void **state)
{
	struct weir_table *table = create(8, 8, 100000, 10);

	(void)state;
	now = 5 * SECOND;
	for (uint64_t key = 0; key < 1000; key++)
		*(uint64_t *)weir_table_at_(table, key_of(key, 8)) = 7;
	now += 10 * SECOND - 1;
	assert_non_null(weir_table_find_(table, key_of(1, 8)));
	now++; // that look did not keep it
	assert_null(weir_table_find_(table, key_of(1, 8)));
	assert_int_equal(*(uint64_t *)weir_table_at_(table, key_of(1, 8)), 0);
	for (uint64_t key = 5000; key < 7000; key++)
		weir_table_at_(table, key_of(key, 8));
	assert_int_equal(weir_table_size(table), 2001);
	assert_int_equal(table_forgotten(table).idle, 1000);
	now -= SECOND; // time does not go back, but nothing breaks if it does
	assert_non_null(weir_table_find_(table, key_of(1, 8)));
	table_destroy(table);
}

// Keys that differ in one bit or are a counter anywhere: nothing may be forgotten before the table
// is full.
static void index_holds_what_it_must(void **state)
{
	static const uint32_t key_sizes[] = { 4, 6, 8, 16, 17, 40 };

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		enum { ROWS = 200000 };
		struct weir_table *table = create(key_sizes[i], 4, ROWS, 0);
		uint8_t key[64] = { 0 };

		for (uint32_t n = 0; n < ROWS; n++) {
			memcpy(key + (n & 1 ? 0 : key_sizes[i] - 4), &n, 4);
			weir_table_at_(table, key);
			memset(key, 0, sizeof(key));
		}
		assert_int_equal(weir_table_size(table), ROWS);
		assert_int_equal(table_forgotten(table).full, 0);
		for (uint32_t n = ROWS; n < 3 * ROWS; n++) { // churn
			memcpy(key, &n, 4);
			weir_table_at_(table, key);
		}
		assert_int_equal(weir_table_size(table), ROWS);
		assert_true(table_forgotten(table).full <= 2 * ROWS + ROWS / 100);
		table_destroy(table);
	}
}

static void macros_keep_types(void **state)
{
	struct {
		WEIR_TABLE(struct weir_addr, uint32_t) hosts;
	} self = { 0 };
	struct weir_addr address = weir_addr4(0x0a000001);
	const struct weir_addr *key;
	uint32_t place = 0, *row;

	(void)state;
	self.hosts.table = create(sizeof(struct weir_addr), sizeof(uint32_t), 10, 0);
	*weir_table_at(self.hosts, &address) = 5;
	assert_int_equal(*weir_table_find(self.hosts, &address), 5);
	row = weir_table_next(self.hosts, &place, &key);
	assert_int_equal(*row, 5);
	assert_int_equal(weir_ip4(key), 0x0a000001);
	weir_table_forget(self.hosts, row);
	assert_int_equal(weir_table_size(self.hosts.table), 0);
	table_destroy(self.hosts.table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_shapes),
		cmocka_unit_test(behaves_as_the_model),
		cmocka_unit_test(oldest_goes_first),
		cmocka_unit_test(untouched_rows_go_in_order),
		cmocka_unit_test(used_rows_survive_a_flood),
		cmocka_unit_test(newest_rows_stay),
		cmocka_unit_test(idle_rows_make_room),
		cmocka_unit_test(index_holds_what_it_must),
		cmocka_unit_test(macros_keep_types),
	};
	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
