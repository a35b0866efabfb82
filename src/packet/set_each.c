// SPDX-License-Identifier: Apache-2.0
// weir_set_each: a field of many packets at once. What a byte's change means for a checksum is computed for the whole
// vector, from the column, which says what the bytes are; then each packet costs two loads and two stores.
#include "packet/edit.h"

enum { LANES = 16,
	IP_CHECK = 10 };

// Inlined, so that it is compiled for the machine that its caller is compiled for.
#define INSIDE static inline __attribute__((always_inline))

// ---- one whole byte of an IPv4 header, or of a header without checksum

// What is to be taken from a checksum, in one's complement (RFC 1624): fresh - old.
INSIDE void differences(int32_t *less, const uint8_t *fresh, const uint8_t *old, unsigned count)
{
	for (unsigned from = 0; from < count; from += LANES)
		for (unsigned i = from; i < from + LANES; i++) {
			int32_t change = fresh[i] - old[i];

			less[i] = change + (change > 0 ? 0 : 0xffff);
		}
}

// HC' = ~(~HC + ~m + m') is HC less the difference, with the borrow taken too: so it is never a negative zero.
INSIDE void store_checked(uint8_t *header, unsigned offset, uint8_t fresh, int32_t less)
{
	uint16_t check;
	int32_t rest;

	memcpy(&check, header + IP_CHECK, sizeof(check));
	rest = check - less;
	check = (uint16_t)(rest + (rest >> 31));
	memcpy(header + IP_CHECK, &check, sizeof(check));
	header[offset] = fresh;
}

struct places {
	uint8_t *const *data;
	const uint16_t *base;
	unsigned offset;
};

INSIDE void run_checked(const struct places *places, const uint8_t *fresh, const uint8_t *old, weir_mask mask)
{
	const struct places at = *places; // a copy: what is written to packets cannot be it
	unsigned count = (unsigned)(64 - __builtin_clzll(mask));
	_Alignas(64) int32_t less[WEIR_VECTOR];

	differences(less, fresh, old, count);
	if (!(mask & (mask + 1)))
		for (unsigned i = 0; i < count; i++)
			store_checked(at.data[i] + at.base[i], at.offset, fresh[i], less[i]);
	else
		weir_each (i, mask)
			store_checked(at.data[i] + at.base[i], at.offset, fresh[i], less[i]);
}

static void run_unchecked(const struct places *places, const uint8_t *fresh, weir_mask mask)
{
	const struct places at = *places;

	if (!(mask & (mask + 1)))
		for (unsigned i = 0, count = weir_size(mask); i < count; i++)
			at.data[i][at.base[i] + at.offset] = fresh[i];
	else
		weir_each (i, mask)
			at.data[i][at.base[i] + at.offset] = fresh[i];
}

static void checked_base(const struct places *places, const uint8_t *fresh, const uint8_t *old, weir_mask mask)
{
	run_checked(places, fresh, old, mask);
}

__attribute__((target("avx2,bmi,bmi2"))) static void checked_avx2(
	const struct places *places, const uint8_t *fresh, const uint8_t *old, weir_mask mask)
{
	run_checked(places, fresh, old, mask);
}

static void run_bytes(struct weir_vector *v, weir_mask mask, struct weir_handle_ handle, const uint8_t *fresh)
{
	const struct places places = { v->data, vector_column((struct vector *)v, handle.base), handle.offset };
	uint8_t *column = vector_column((struct vector *)v, handle.at);

	if (handle.sum == WEIR_SUM_BYTE_)
		run_unchecked(&places, fresh, mask);
	else if (__builtin_cpu_supports("avx2"))
		checked_avx2(&places, fresh, column, mask);
	else
		checked_base(&places, fresh, column, mask);
	if (mask == v->live)
		memcpy(column, fresh, WEIR_VECTOR);
	else
		weir_each (i, mask)
			column[i] = fresh[i];
}

// ---- all other fields

static void set_flag(struct weir_vector *v, unsigned slot, struct weir_handle_ handle, bool value)
{
	weir_mark_(vector_mask((struct vector *)v, handle.at), slot, value);
	weir_set_(v, slot, handle, &value, sizeof(value));
}

void weir_set_each_(
	struct weir_vector *v, weir_mask mask, struct weir_handle_ handle, const void *fresh, unsigned size)
{
	char *column = vector_column((struct vector *)v, handle.at);

	mask &= *vector_mask((struct vector *)v, handle.has);
	if (!mask)
		return;
	if (size == 1 && handle.sum >= WEIR_SUM_BYTE_ && !(mask & v->shared)) {
		run_bytes(v, mask, handle, fresh);
		return;
	}
	weir_each (i, mask) {
		const char *value = (const char *)fresh + i * size;

		if (!size) {
			set_flag(v, (unsigned)i, handle, ((const bool *)fresh)[i]);
			continue;
		}
		memcpy(column + i * size, value, size);
		weir_set_(v, (unsigned)i, handle, value, size);
	}
}
