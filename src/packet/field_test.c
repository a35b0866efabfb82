// SPDX-License-Identifier: Apache-2.0
// The registry of fields: every entry makes sense, and can be extracted.
#include "packet/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void found_by_name_and_index(void **state)
{
	const struct field *field;
	unsigned count = 0;

	(void)state;
	for (; (field = field_at(count)); count++) {
		assert_ptr_equal(field_find(field->name), field); // no name twice
		assert_int_equal(field_index(field), count);
	}
	assert_true(count > 150);
	assert_null(field_find("ip.sorce"));
	assert_null(field_find(""));
	assert_null(field_at(100000));
}

static unsigned size_of(const struct field *field)
{
	static const uint8_t sizes[] = { [FIELD_IPV4] = 4,
		[FIELD_IPV6] = 16,
		[FIELD_ETHER] = 8,
		[FIELD_TIME] = 8,
		[FIELD_BYTES] = 8,
		[FIELD_STRING] = 8 };

	return field->type == FIELD_UINT ? field->size : sizes[field->type];
}

// A mask lies within the bytes that are read, and its value within a column.
static void masks_fit(const struct field *field)
{
	uint64_t most = field->width >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * field->width) - 1;
	uint64_t value = field->mask ? field->mask : most >> field->shift;

	if (field->width > 8)
		return;
	assert_true(value << field->shift <= most);
	if (field->type == FIELD_UINT && field->size < 8)
		assert_true(value << field->scale >> 8 * field->size == 0);
	assert_true((value & (value + 1)) == 0); // one run of bits
}

static void entries_make_sense(void **state)
{
	const struct field *field;

	(void)state;
	for (unsigned i = 0; (field = field_at(i)); i++) {
		assert_true(field->about && *field->about);
		assert_true(field->kind == FIELD_DERIVED || field->kind == FIELD_OF_FLOW);
		assert_int_equal(field->protocol > PROTO_NONE && field->protocol < PROTOCOLS,
			field->kind == FIELD_DERIVED);
		assert_int_equal(field->size, size_of(field));
		if (field->type == FIELD_UINT)
			assert_true(
				field->size == 1 || field->size == 2 || field->size == 4 || field->size == 8);
		assert_false(field->width && field->compute);
		assert_false(field->is_writable && !field->width);
		assert_false(field->is_writable && field->scale);
		if (field->width)
			masks_fit(field);
	}
}

static void aliases_stand_for_fields_like_them(void **state)
{
	const struct field *field;

	(void)state;
	for (unsigned i = 0; (field = field_at(i)); i++) {
		for (unsigned k = 0; field->any_of && field->any_of[k]; k++) {
			const struct field *one = field_find(field->any_of[k]);

			assert_non_null(one);
			assert_null(one->any_of);
			assert_int_equal(one->type, field->type);
			assert_int_equal(one->size, field->size);
		}
	}
}

static void all_can_be_extracted(void **state)
{
	const struct field *field;

	(void)state;
	for (unsigned i = 0; (field = field_at(i)); i++) {
		struct decode_extract extract = { .field = field };
		bool is_fact = field->protocol == PROTO_FRAME && field->compute == COMPUTE_NOTHING;

		if (field->kind != FIELD_DERIVED)
			continue;
		decode_extract_prepare(&extract);
		assert_int_equal(
			extract.run == NULL, field->type == FIELD_PROTOCOL || field->any_of || is_fact);
	}
}

static void protocols_are_described(void **state)
{
	(void)state;
	for (unsigned i = PROTO_FRAME; i < PROTOCOLS; i++) {
		assert_non_null(protocol_name(i));
		assert_int_equal(protocol_whole(protocol_whole(i)), protocol_whole(i));
		assert_string_equal(protocol_name(i), protocol_name(protocol_whole(i)));
		assert_int_equal(protocol_layer(i), protocol_layer(protocol_whole(i)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_by_name_and_index),
		cmocka_unit_test(entries_make_sense),
		cmocka_unit_test(aliases_stand_for_fields_like_them),
		cmocka_unit_test(all_can_be_extracted),
		cmocka_unit_test(protocols_are_described),
	};

	return cmocka_run_group_tests_name("field", tests, NULL, NULL);
}
