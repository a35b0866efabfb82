// SPDX-License-Identifier: Apache-2.0
// Ranges over columns: the inner loops of filters.
#ifndef EVENT_FILTER_COLUMN_H
#define EVENT_FILTER_COLUMN_H

#include "event/filter_tree.h"

// The slots whose value, of these bits, is from low to low + span.
typedef weir_mask filter_column_range(const void *column, uint64_t bits, uint64_t low, uint64_t span);

// For columns of 1, 2, 4 and 8 bytes; is_one: span is 0. All 64 slots are looked at.
filter_column_range *filter_column_kernel(unsigned size, bool is_one);

static inline uint64_t filter_column_at(const void *column, unsigned size, unsigned slot)
{
	switch (size) {
	case 1:
		return ((const uint8_t *)column)[slot];
	case 2:
		return ((const uint16_t *)column)[slot];
	case 4:
		return ((const uint32_t *)column)[slot];
	default:
		return ((const uint64_t *)column)[slot];
	}
}

static inline filter_wide filter_column_addr(const void *column, unsigned slot)
{
	const uint8_t *at = (const uint8_t *)column + 16 * slot;
	uint64_t high, low;

	memcpy(&high, at, 8);
	memcpy(&low, at + 8, 8);
	return (filter_wide)__builtin_bswap64(high) << 64 | __builtin_bswap64(low);
}

#endif
