// SPDX-License-Identifier: Apache-2.0
// One loop for each width, over all 64 slots without a branch. With SSE4 (x86-64-v2) written out, as compilers that are
// not asked for -O3 leave such loops alone.
#include "event/filter_column.h"

#ifdef __SSE4_2__
#include <nmmintrin.h>

static inline __m128i load(const void *column, unsigned i)
{
	return _mm_loadu_si128((const __m128i *)column + i);
}

// Four registers of 32-bit answers (all ones or none) to 16 bits.
static inline weir_mask pack32(__m128i a, __m128i b, __m128i c, __m128i d)
{
	__m128i low = _mm_packs_epi32(a, b), high = _mm_packs_epi32(c, d);

	return (weir_mask)(uint16_t)_mm_movemask_epi8(_mm_packs_epi16(low, high));
}

// Two registers of 64-bit answers to one of 32-bit ones
static inline __m128i half(__m128i a, __m128i b)
{
	return _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b), _MM_SHUFFLE(2, 0, 2, 0)));
}

#define is_one8(x) _mm_cmpeq_epi8(_mm_and_si128(x, bits), low)
#define is_one16(x) _mm_cmpeq_epi16(_mm_and_si128(x, bits), low)
#define is_one32(x) _mm_cmpeq_epi32(_mm_and_si128(x, bits), low)
#define is_one64(x) _mm_cmpeq_epi64(_mm_and_si128(x, bits), low)

static inline __m128i in_range8(__m128i x, __m128i bits, __m128i low, __m128i span)
{
	x = _mm_sub_epi8(_mm_and_si128(x, bits), low);
	return _mm_cmpeq_epi8(_mm_min_epu8(x, span), x);
}
static inline __m128i in_range16(__m128i x, __m128i bits, __m128i low, __m128i span)
{
	x = _mm_sub_epi16(_mm_and_si128(x, bits), low);
	return _mm_cmpeq_epi16(_mm_min_epu16(x, span), x);
}
static inline __m128i in_range32(__m128i x, __m128i bits, __m128i low, __m128i span)
{
	x = _mm_sub_epi32(_mm_and_si128(x, bits), low);
	return _mm_cmpeq_epi32(_mm_min_epu32(x, span), x);
}
// Comparing is signed: the top bit is turned on both sides. Here all ones means "outside".
static inline __m128i out_of_range64(__m128i x, __m128i bits, __m128i low, __m128i span)
{
	const __m128i top = _mm_set1_epi64x(INT64_MIN);

	x = _mm_sub_epi64(_mm_and_si128(x, bits), low);
	return _mm_cmpgt_epi64(_mm_xor_si128(x, top), span);
}

#define SET8(x) _mm_set1_epi8((char)(x))
#define SET16(x) _mm_set1_epi16((short)(x))
#define SET32(x) _mm_set1_epi32((int)(x))
#define SET64(x) _mm_set1_epi64x((long long)(x))

#define EACH8(is) (weir_mask)(uint16_t)_mm_movemask_epi8(is(load(column, i))) << 16 * i
#define EACH16(is)                                                                                         \
	(weir_mask)(uint16_t)_mm_movemask_epi8(                                                            \
		_mm_packs_epi16(is(load(column, 2 * i)), is(load(column, 2 * i + 1)))) << 16 * i
#define EACH32(is)                                                                                         \
	pack32(is(load(column, 4 * i)), is(load(column, 4 * i + 1)), is(load(column, 4 * i + 2)),          \
	       is(load(column, 4 * i + 3)))                                                                \
		<< 16 * i
#define HALF(is, j) half(is(load(column, 8 * i + 2 * (j))), is(load(column, 8 * i + 2 * (j) + 1)))
#define EACH64(is) pack32(HALF(is, 0), HALF(is, 1), HALF(is, 2), HALF(is, 3)) << 16 * i

#define RANGE8(x) in_range8(x, bits, low, span)
#define RANGE16(x) in_range16(x, bits, low, span)
#define RANGE32(x) in_range32(x, bits, low, span)
#define OUT64(x) out_of_range64(x, bits, low, span)

#define KERNEL(name, SET, EACH, is)                                                                        \
	static weir_mask name(const void *column, uint64_t some, uint64_t first, uint64_t width)           \
	{                                                                                                  \
		__m128i bits = SET(some), low = SET(first), span = SET(width);                             \
		weir_mask mask = 0;                                                                        \
                                                                                                           \
		(void)span;                                                                                \
		for (unsigned i = 0; i < WEIR_VECTOR / 16; i++)                                            \
			mask |= EACH(is);                                                                  \
		return mask;                                                                               \
	}

KERNEL(one8, SET8, EACH8, is_one8)
KERNEL(one16, SET16, EACH16, is_one16)
KERNEL(one32, SET32, EACH32, is_one32)
KERNEL(one64, SET64, EACH64, is_one64)
KERNEL(range8, SET8, EACH8, RANGE8)
KERNEL(range16, SET16, EACH16, RANGE16)
KERNEL(range32, SET32, EACH32, RANGE32)
KERNEL(outside64, SET64, EACH64, OUT64)

static weir_mask range64(const void *column, uint64_t bits, uint64_t low, uint64_t span)
{
	return ~outside64(column, bits, low, span ^ (uint64_t)INT64_MIN);
}

#else

#define KERNELS(width)                                                                                     \
	static weir_mask range##width(const void *column, uint64_t bits, uint64_t low, uint64_t span)      \
	{                                                                                                  \
		const uint##width##_t *at = column, some = (uint##width##_t)bits,                          \
				      first = (uint##width##_t)low, most = (uint##width##_t)span;          \
                                                                                                           \
		return weir_where(i, (uint##width##_t)((at[i] & some) - first) <= most);                   \
	}                                                                                                  \
	static weir_mask one##width(const void *column, uint64_t bits, uint64_t low, uint64_t span)        \
	{                                                                                                  \
		const uint##width##_t *at = column, some = (uint##width##_t)bits, value = (uint##width##_t)low; \
                                                                                                           \
		(void)span;                                                                                \
		return weir_where(i, (at[i] & some) == value);                                             \
	}

KERNELS(8)
KERNELS(16)
KERNELS(32)
KERNELS(64)

#endif

filter_column_range *filter_column_kernel(unsigned size, bool is_one)
{
	static filter_column_range *const kernels[][2] = {
		{ range8, one8 },
		{ range16, one16 },
		{ range32, one32 },
		{ range64, one64 },
	};

	return kernels[__builtin_ctz(size)][is_one];
}
