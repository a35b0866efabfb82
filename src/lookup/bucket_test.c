// SPDX-License-Identifier: Apache-2.0
#include <weir.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)
#define START (UINT64_C(1700000000) * SECOND)

// The rate is kept to the unit: never exceeded, and never missed while more is asked for than there
// is.
static void keeps_the_rate(void **state)
{
	static const struct {
		uint64_t rate, burst, step_ns, steps, wanted;
	} cases[] = {
		{ 1, 1, SECOND / 10, 100000, 1 },
		{ 3, 2, SECOND / 7, 100000, 5 },
		{ 1000, 10, 100, 10000000, 1 },
		{ 1000000, 100, 500, 1000000, 3 },
		{ 10000000, 64, 100, 1000000, 64 },
		{ 1000000000, 1000, 64, 1000000, 1000 },
		{ UINT64_C(12500000000), 100000, 100, 1000000, 1500 },
		{ UINT64_C(7000000007), 100000, 5, 1000000, 64 },
		{ UINT64_C(1000000000000), 1000000, 100, 1000000, 1000000 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct weir_bucket bucket;
		uint64_t now = START, got = 0;
		unsigned __int128 due;

		weir_bucket_init(&bucket, cases[i].rate, cases[i].burst);
		got += weir_bucket_take(&bucket, now, UINT64_MAX);
		assert_int_equal(got, cases[i].burst); // full at the start
		for (uint64_t n = 0; n < cases[i].steps; n++) {
			now += cases[i].step_ns;
			got += weir_bucket_take(&bucket, now, cases[i].wanted);
		}
		due = (unsigned __int128)cases[i].rate * (now - START) / SECOND + cases[i].burst;
		assert_true(got <= due);
		if (cases[i].rate * (double)cases[i].step_ns < cases[i].wanted * 1e9)
			assert_true(got + 1 >= due);
		else
			assert_int_equal(got, cases[i].burst + cases[i].wanted * cases[i].steps);
	}
}

static void no_rate_rounds_to_zero(void **state)
{
	(void)state;
	for (uint64_t rate = 1; rate <= UINT64_C(1000000000000); rate = rate * 7 / 3 + 1) {
		struct weir_bucket bucket;

		weir_bucket_init(&bucket, rate, 1);
		assert_int_equal(weir_bucket_take(&bucket, START, 1), 1);
		assert_int_equal(weir_bucket_take(&bucket, START, 1), 0);
		assert_int_equal(weir_bucket_take(&bucket, START + SECOND / rate + 1, 1), 1);
	}
}

static void extremes(void **state)
{
	static const uint64_t numbers[] = { 0, 1, 2, 999, SECOND, UINT64_MAX / 2, UINT64_MAX };
	struct weir_bucket bucket;

	(void)state;
	for (unsigned i = 0; i < 7; i++)
		for (unsigned j = 0; j < 7; j++)
			for (unsigned k = 0; k < 7; k++) {
				weir_bucket_init(&bucket, numbers[i], numbers[j]);
				for (unsigned l = 0; l < 7; l++) {
					assert_true(weir_bucket_take(&bucket, numbers[l],
							    numbers[k]) <= numbers[k]);
					assert_true(bucket.credit_nano <= bucket.burst_nano);
				}
			}
	weir_bucket_init(&bucket, 0, 10); // no rate: nothing
	assert_int_equal(weir_bucket_take(&bucket, START, 1), 0);
	weir_bucket_init(&bucket, 10, 10);
	assert_int_equal(weir_bucket_take(&bucket, START, 10), 10);
	assert_int_equal(weir_bucket_take(&bucket, START - SECOND, 10), 0); // time goes backwards
	assert_int_equal(weir_bucket_take(&bucket, START, 10), 0);
	assert_int_equal(weir_bucket_take(&bucket, START + SECOND, 20), 10);
	assert_int_equal(weir_bucket_take(&bucket, UINT64_MAX, 20), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_rate),
		cmocka_unit_test(no_rate_rounds_to_zero),
		cmocka_unit_test(extremes),
	};
	return cmocka_run_group_tests_name("bucket", tests, NULL, NULL);
}
