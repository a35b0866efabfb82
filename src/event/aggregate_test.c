// SPDX-License-Identifier: Apache-2.0
// Tables of aggregates: exact while all fit, and off by no more than they say when they do not.
#include "event/aggregate.h"

#include "lib/hash.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { KEYS = 1 << 20 };

static uint64_t chance = 1;

static uint32_t below(uint32_t most)
{
	return (uint32_t)(hash_step(&chance) % most);
}

// One in the square root of n + 1 is key n or a greater one: few are frequent, many are rare, as it is with hosts.
static uint32_t skewed(void)
{
	double x = (double)(hash_step(&chance) >> 11) / (double)(UINT64_C(1) << 53);

	return (uint32_t)fmin(1 / (x * x + 1e-12) - 1, KEYS - 1);
}

static uint32_t row_of(struct aggregate *aggregate, uint32_t number)
{
	struct {
		uint32_t number, unused[3];
	} key = { number, { 0 } };

	return aggregate_row(aggregate, &key, aggregate_hash(aggregate, &key));
}

static uint32_t number_of(const struct aggregate *aggregate, uint32_t row)
{
	uint32_t number;

	memcpy(&number, aggregate_key(aggregate, row), sizeof(number));
	return number;
}

static struct aggregate *make(uint32_t rows, bool is_distinct, bool is_joined)
{
	struct aggregate_shape shape = { 16, rows, is_distinct, is_joined, 7 };
	struct aggregate *aggregate = aggregate_create(&shape);

	assert_non_null(aggregate);
	assert_true(aggregate_memory(&shape) > rows * 16u);
	return aggregate;
}

// ---- counts and sums

static void exact_while_all_fit(void **)
{
	struct aggregate *aggregate = make(1024, false, false);

	for (unsigned window = 0; window < 3; window++) {
		static uint64_t truth[1024];

		memset(truth, 0, sizeof(truth));
		for (unsigned i = 0; i < 100000; i++) {
			uint32_t number = below(1024), by = below(1500);

			truth[number] += by;
			aggregate_add(aggregate, row_of(aggregate, number), by);
		}
		assert_int_equal(aggregate_count(aggregate), 1024);
		assert_int_equal(aggregate_unseen(aggregate), 0);
		for (uint32_t n = 0; n < 1024; n++) {
			uint32_t row = aggregate_at(aggregate, n);
			struct aggregate_value value = aggregate_read(aggregate, row);

			assert_int_equal(value.value, truth[number_of(aggregate, row)]);
			assert_int_equal(value.error, 0);
			assert_int_equal(value.least, value.value);
		}
		aggregate_clear(aggregate);
		assert_int_equal(aggregate_count(aggregate), 0);
	}
	aggregate_destroy(aggregate);
}

static void one_key_needs_no_bytes(void **)
{
	struct aggregate_shape shape = { 0, 16, false, false, 0 };
	struct aggregate *aggregate = aggregate_create(&shape);

	for (unsigned i = 0; i < 5; i++)
		aggregate_add(aggregate, aggregate_row(aggregate, NULL, aggregate_hash(aggregate, NULL)),
			UINT64_MAX / 3);
	assert_int_equal(aggregate_count(aggregate), 1);
	assert_true(aggregate_read(aggregate, aggregate_at(aggregate, 0)).value == UINT64_MAX);
	aggregate_destroy(aggregate);
}

// Many windows: more than there are epochs.
static void windows_do_not_mix(void **)
{
	struct aggregate *aggregate = make(16, false, false);

	for (uint32_t window = 0; window < 200000; window++) {
		for (uint32_t i = 0; i < 3; i++)
			aggregate_add(aggregate, row_of(aggregate, window % 5 + i), 1);
		assert_int_equal(aggregate_count(aggregate), 3);
		assert_int_equal(aggregate_read(aggregate, row_of(aggregate, window % 5)).value, 1);
		aggregate_clear(aggregate);
	}
	aggregate_destroy(aggregate);
}

struct measured {
	uint64_t total, worst, stated, unseen;
};

static struct measured compare(struct aggregate *aggregate, const uint64_t *truth, uint64_t total)
{
	struct measured measured = { .total = total, .unseen = aggregate_unseen(aggregate) };
	static bool has_row[KEYS];

	memset(has_row, 0, sizeof(has_row));
	for (uint32_t n = 0; n < aggregate_count(aggregate); n++) {
		uint32_t row = aggregate_at(aggregate, n), number = number_of(aggregate, row);
		struct aggregate_value value = aggregate_read(aggregate, row);

		assert_true(value.value >= truth[number]);
		assert_true(value.least <= truth[number]);
		has_row[number] = true;
		if (value.value - truth[number] > measured.worst)
			measured.worst = value.value - truth[number];
		if (value.error > measured.stated)
			measured.stated = value.error;
	}
	for (uint32_t number = 0; number < KEYS; number++)
		assert_true(has_row[number] || truth[number] <= measured.unseen);
	return measured;
}

static uint64_t truth[KEYS];

static void off_by_no_more_than_it_says(void **)
{
	static const struct {
		const char *what;
		uint32_t events, rows;
		bool is_skewed, is_sum;
	} cases[] = {
		{ "a million keys, each as often", 4000000, 65536, false, false },
		{ "a million keys, some much more often", 4000000, 65536, true, false },
		{ "the same in a small table", 4000000, 1024, true, false },
		{ "bytes of them", 2000000, 4096, true, true },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct aggregate *aggregate = make(cases[i].rows, false, false);
		struct measured measured;
		uint64_t total = 0;

		memset(truth, 0, sizeof(truth));
		for (uint32_t n = 0; n < cases[i].events; n++) {
			uint32_t number = cases[i].is_skewed ? skewed() : below(KEYS);
			uint64_t by = cases[i].is_sum ? 64 + below(1436) : 1;

			truth[number] += by;
			total += by;
			aggregate_add(aggregate, row_of(aggregate, number), by);
		}
		measured = compare(aggregate, truth, total);
		print_message("%s: %lu in %u rows: off by %lu at most, %lu stated, one n-th is %lu\n", cases[i].what,
			measured.total, cases[i].rows, measured.worst, measured.stated, total / cases[i].rows);
		assert_true(measured.stated <= total / cases[i].rows * 2 + 1500);
		assert_true(measured.unseen <= total / cases[i].rows * 2 + 1500);
		aggregate_destroy(aggregate);
	}
}

// The first keys are the greatest, and stand side by side in time: none of them is forgotten.
static void great_ones_stay(void **)
{
	struct aggregate *aggregate = make(1024, false, false);

	for (unsigned round = 0; round < 2000; round++)
		for (uint32_t number = 0; number < 512; number++)
			aggregate_add(aggregate, row_of(aggregate, number), 1);
	for (uint32_t number = 1000; number < 500000; number++)
		aggregate_add(aggregate, row_of(aggregate, number), 1);
	for (uint32_t number = 0; number < 512; number++) {
		struct aggregate_value value = aggregate_read(aggregate, row_of(aggregate, number));

		assert_int_equal(value.value, 2000);
		assert_int_equal(value.error, 0);
	}
	assert_true(aggregate_unseen(aggregate) <= 1100);
	aggregate_destroy(aggregate);
}

// ---- what is told apart

static uint64_t value_hash(uint64_t value)
{
	return hash_step(&value);
}

static void distinct_is_exact_while_all_fit(void **)
{
	struct aggregate *aggregate = make(1024, true, false);

	for (unsigned window = 0; window < 3; window++) {
		for (unsigned again = 0; again < 2; again++)
			for (uint32_t number = 0; number < 100; number++)
				for (uint32_t value = 0; value < number; value++)
					aggregate_mark(aggregate, row_of(aggregate, number), value_hash(value));
		for (uint32_t number = 1; number < 100; number++) {
			struct aggregate_value value = aggregate_read(aggregate, row_of(aggregate, number));

			assert_int_equal(value.value, number);
			assert_int_equal(value.error, 0);
		}
		aggregate_clear(aggregate);
	}
	aggregate_destroy(aggregate);
}

static void estimates_are_near(void **)
{
	unsigned inside = 0, all = 0;
	double worst = 0, sum = 0;

	for (unsigned round = 0; round < 20; round++)
		for (uint32_t many = 1000; many <= 1000000; many *= 10) {
			struct aggregate *aggregate = make(16, true, false); // 192 values have a place
			struct aggregate_value value;

			for (uint32_t i = 0; i < many; i++)
				aggregate_mark(aggregate, row_of(aggregate, 1),
					value_hash(i + (uint64_t)round * KEYS * 8));
			value = aggregate_read(aggregate, row_of(aggregate, 1));
			all++;
			inside += fabs((double)value.value - many) <= (double)value.error;
			worst = fmax(worst, fabs((double)value.value - many) / many);
			sum += ((double)value.value - many) / many * (((double)value.value - many) / many);
			aggregate_destroy(aggregate);
		}
	print_message("%u estimates: %.1f %% off on average, %.1f %% at most; %u within what they state\n", all,
		100 * sqrt(sum / all), 100 * worst, inside);
	assert_true(sqrt(sum / all) < 0.09);
	assert_true(inside >= all * 95 / 100);
}

// 20000 keys with 30 values each, of which a tenth has a row.
static void distinct_of_too_many(void **)
{
	struct aggregate *aggregate = make(2048, true, false);

	for (uint32_t value = 0; value < 1000; value++)
		aggregate_mark(aggregate, row_of(aggregate, 7), value_hash(value));
	for (uint32_t value = 0; value < 30; value++)
		for (uint32_t number = 1000; number < 21000; number++)
			aggregate_mark(aggregate, row_of(aggregate, number), value_hash(value));
	assert_true(aggregate_read(aggregate, row_of(aggregate, 7)).value >= 1000);
	assert_true(aggregate_read(aggregate, row_of(aggregate, 7)).value <= 1200);
	for (uint32_t n = 0; n < aggregate_count(aggregate); n++) {
		struct aggregate_value value = aggregate_read(aggregate, aggregate_at(aggregate, n));

		assert_true(number_of(aggregate, aggregate_at(aggregate, n)) == 7 || value.least <= 31);
		assert_true(value.value >= 25);
	}
	aggregate_destroy(aggregate);
}

// ---- several into one

static void join_all(struct aggregate *to, struct aggregate **from, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct aggregate_join join = { .to = to, .from = from[i], .number = i };

		while (!aggregate_join(&join, 17))
			;
	}
}

static void joined_is_exact_while_all_fit(void **)
{
	struct aggregate *from[4], *to = make(4096, false, true);

	memset(truth, 0, sizeof(truth));
	for (unsigned i = 0; i < 4; i++) {
		from[i] = make(1024, false, false);
		for (unsigned n = 0; n < 20000; n++) {
			uint32_t number = i * 500 + below(1000);

			truth[number]++;
			aggregate_add(from[i], row_of(from[i], number), 1);
		}
	}
	join_all(to, from, 4);
	assert_int_equal(aggregate_count(to), 2500);
	for (uint32_t n = 0; n < aggregate_count(to); n++) {
		struct aggregate_value value = aggregate_read(to, aggregate_at(to, n));

		assert_int_equal(value.value, truth[number_of(to, aggregate_at(to, n))]);
		assert_int_equal(value.error, 0);
	}
	for (unsigned i = 0; i < 4; i++)
		aggregate_destroy(from[i]);
	aggregate_destroy(to);
}

static void joined_is_off_by_no_more_than_it_says(void **)
{
	struct aggregate *from[3], *to = make(4096, false, true);
	struct measured measured;

	memset(truth, 0, sizeof(truth));
	for (unsigned i = 0; i < 3; i++) {
		from[i] = make(4096, false, false);
		for (uint32_t n = 0; n < 1000000; n++) {
			uint32_t number = skewed();

			truth[number]++;
			aggregate_add(from[i], row_of(from[i], number), 1);
		}
	}
	join_all(to, from, 3);
	measured = compare(to, truth, 3000000);
	print_message("3 tables of 4096 rows in one: off by %lu of 3000000 at most, %lu stated\n", measured.worst,
		measured.stated);
	assert_true(measured.stated <= 2 * 3000000 / 4096 * 2);
	for (unsigned i = 0; i < 3; i++)
		aggregate_destroy(from[i]);
	aggregate_destroy(to);
}

static void what_is_told_apart_is_joined(void **)
{
	struct aggregate *from[2] = { make(1024, true, false), make(1024, true, false) }, *to = make(2048, true, true);

	for (uint32_t number = 0; number < 200; number++)
		for (uint32_t value = 0; value < 40; value++) // half of them in both
			for (unsigned i = 0; i < 2; i++)
				aggregate_mark(from[i], row_of(from[i], number), value_hash(value + 20 * i));
	for (uint32_t value = 0; value < 100000; value++)
		aggregate_mark(from[value & 1], row_of(from[value & 1], 999), value_hash(value));
	join_all(to, from, 2);
	assert_int_equal(aggregate_count(to), 201);
	for (uint32_t number = 0; number < 200; number++) {
		struct aggregate_value value = aggregate_read(to, row_of(to, number));

		assert_int_equal(value.value, 60);
		assert_int_equal(value.error, 0);
	}
	assert_true(fabs((double)aggregate_read(to, row_of(to, 999)).value - 100000) < 20000);
	for (unsigned i = 0; i < 2; i++)
		aggregate_destroy(from[i]);
	aggregate_destroy(to);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact_while_all_fit),
		cmocka_unit_test(one_key_needs_no_bytes),
		cmocka_unit_test(windows_do_not_mix),
		cmocka_unit_test(off_by_no_more_than_it_says),
		cmocka_unit_test(great_ones_stay),
		cmocka_unit_test(distinct_is_exact_while_all_fit),
		cmocka_unit_test(estimates_are_near),
		cmocka_unit_test(distinct_of_too_many),
		cmocka_unit_test(joined_is_exact_while_all_fit),
		cmocka_unit_test(joined_is_off_by_no_more_than_it_says),
		cmocka_unit_test(what_is_told_apart_is_joined),
	};

	return cmocka_run_group_tests_name("aggregate", tests, NULL, NULL);
}
