// SPDX-License-Identifier: Apache-2.0
// weir_set_each against bytes written one by one and checksums computed anew.
#include "packet/edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FRAME = 80,
	PLACE = VECTOR_MASKS + 64, // behind the masks
	ROUNDS = 3000 };

struct header {
	WEIR_COLUMN(uint8_t) byte;
	WEIR_COLUMN(uint16_t) word;
};

static union {
	struct vector vector;
	char room[VECTOR_MASKS + 4096];
} all;
static struct weir_vector *v = &all.vector.head;
static uint8_t frames[WEIR_VECTOR][FRAME], model[WEIR_VECTOR][FRAME];
static uint8_t bytes[WEIR_VECTOR];

static uint64_t random_bits(void)
{
	return (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();
}

static void sum_anew(uint8_t *ip)
{
	uint16_t check;

	memset(ip + 10, 0, 2);
	check = weir_fold(weir_sum(ip, 20, 0));
	memcpy(ip + 10, &check, 2);
}

static uint16_t *places(void)
{
	return vector_column(&all.vector, PLACE);
}

static void fill(const struct weir_handle_ *handle)
{
	for (unsigned i = 0; i < WEIR_VECTOR; i++) {
		uint16_t place = (uint16_t)(14 + rand() % 4 * 4);

		for (unsigned at = 0; at < FRAME; at++)
			frames[i][at] = (uint8_t)(rand() % 3 ? rand() : rand() % 2 * 255);
		frames[i][place] = 0x45;
		sum_anew(frames[i] + place);
		places()[i] = place;
		v->data[i] = frames[i];
		v->length[i] = v->straight[i] = FRAME;
		((uint8_t *)vector_column(&all.vector, handle->at))[i] = frames[i][place + handle->offset];
		bytes[i] = (uint8_t)(rand() % 3 ? rand() : rand() % 2 * 255);
	}
	memcpy(model, frames, sizeof(model));
	v->fill = 1 + (unsigned)rand() % WEIR_VECTOR;
	v->live = ~UINT64_C(0) >> (WEIR_VECTOR - v->fill);
	if (rand() % 3 == 0)
		v->live &= random_bits();
}

static struct weir_handle_ handle_of(unsigned offset, unsigned width, enum field_sum sum)
{
	struct field field = { "ip.some", .protocol = PROTO_IP, .offset = (uint8_t)offset, .width = (uint8_t)width,
		.size = (uint8_t)width, .sum = sum, .is_writable = true };

	return packet_handle(&field, PLACE + 256, VECTOR_MASKS, PLACE);
}

static void byte_of_many(unsigned offset, enum field_sum sum)
{
	struct header self = { .byte.handle_ = handle_of(offset, 1, sum) };
	weir_mask *has = vector_mask(&all.vector, VECTOR_MASKS), mask, set;
	uint8_t *column = weir_column(v, self.byte);

	for (unsigned round = 0; round < ROUNDS; round++) {
		fill(&self.byte.handle_);
		*has = rand() % 3 ? v->live : v->live & random_bits();
		mask = rand() % 3 ? v->live : v->live & random_bits();
		set = mask & *has;
		weir_set_each (v, mask, i, self.byte, bytes[i])
			;
		for (unsigned i = 0; i < WEIR_VECTOR; i++) {
			uint8_t *ip = model[i] + places()[i];

			if (set >> i & 1) {
				ip[offset] = bytes[i];
				if (sum == SUM_IP_HEADER)
					sum_anew(ip);
			}
			assert_memory_equal(model[i], frames[i], FRAME);
			if (v->live >> i & 1)
				assert_int_equal(column[i], ip[offset]);
		}
	}
}

static void bytes_with_and_without_a_checksum(void **state)
{
	(void)state;
	byte_of_many(8, SUM_IP_HEADER); // time to live
	byte_of_many(9, SUM_IP_HEADER); // an odd place
	byte_of_many(7, SUM_NONE);
}

static void words_go_one_by_one(void **state)
{
	struct header self = { .word.handle_ = handle_of(4, 2, SUM_IP_HEADER) };
	const uint16_t *column = weir_column(v, self.word);

	(void)state;
	for (unsigned round = 0; round < ROUNDS; round++) {
		fill(&self.word.handle_);
		*vector_mask(&all.vector, VECTOR_MASKS) = v->live;
		weir_set_each (v, v->live, i, self.word, bytes[i] << 8 | 7)
			;
		weir_each (i, v->live) {
			uint8_t *ip = model[i] + places()[i];

			ip[4] = bytes[i];
			ip[5] = 7;
			sum_anew(ip);
			assert_int_equal(column[i], bytes[i] << 8 | 7);
		}
		assert_memory_equal(model, frames, sizeof(model));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_with_and_without_a_checksum),
		cmocka_unit_test(words_go_one_by_one),
	};

	return cmocka_run_group_tests_name("set_each", tests, NULL, NULL);
}
