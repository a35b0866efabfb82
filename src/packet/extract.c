// SPDX-License-Identifier: Apache-2.0
// Fields out of headers. For those at a fixed place a loop per width, which knows nothing
// else; what must be computed is
// told at the end.
#include "packet/checksum.h"
#include "packet/locate.h"
#include "packet/packet.h"

// Runs statements for the slots of `mask`: a plain loop if they are the first ones without a hole.
#define FOR(i, mask, ...) \
	do { \
		if (!((mask) & ((mask) + 1))) { \
			for (unsigned i = 0, i##_count = weir_size(mask); i < i##_count; i++) { \
				__VA_ARGS__; \
			} \
		} else { \
			weir_each (i, mask) { \
				__VA_ARGS__; \
			} \
		} \
	} while (0)

// Inlined, so that it is compiled for the machine that its caller is compiled for.
#define INSIDE static inline __attribute__((always_inline))

enum { LANES = 16 };

struct source {
	uint8_t *const *data;
	const uint16_t *base;
	unsigned offset, shift, scale;
	uint64_t mask;
};

static struct source source_of(const struct decode_extract *extract, struct vector *vector)
{
	const struct field *field = extract->field;

	return (struct source){
		.data = vector->head.data,
		.base = vector_column(vector, extract->base),
		.offset = field->offset,
		.shift = field->shift,
		.scale = field->scale,
		.mask = field->mask ? field->mask : UINT64_MAX,
	};
}

INSIDE const uint8_t *place(const struct source *source, uint64_t i)
{
	return source->data[i] + source->base[i] + source->offset;
}

static weir_mask those_with(const struct decode_extract *extract, struct vector *vector, weir_mask todo)
{
	return todo & *vector_mask(vector, extract->has);
}

// ---- numbers

static uint8_t get8(const uint8_t *at)
{
	return *at;
}

static uint64_t get48(const uint8_t *at)
{
	return (uint64_t)weir_be32(at) << 16 | weir_be16(at + 4);
}

// `whole_`: all bits as they are; `bits_`: some of them.
#define NUMBERS(name, type, get) \
	[[maybe_unused]] static void whole_##name( \
		const struct decode_extract *extract, struct vector *vector, weir_mask todo) \
	{ \
		struct source source = source_of(extract, vector); \
		type *restrict column = vector_column(vector, extract->at); \
		weir_mask mask = those_with(extract, vector, todo); \
\
		FOR(i, mask, column[i] = (type)get(place(&source, i))); \
	} \
	static void bits_##name(const struct decode_extract *extract, struct vector *vector, weir_mask todo) \
	{ \
		struct source source = source_of(extract, vector); \
		type *restrict column = vector_column(vector, extract->at); \
		weir_mask mask = those_with(extract, vector, todo); \
\
		FOR(i, mask, \
			column[i] = (type)((get(place(&source, i)) >> source.shift & source.mask) \
				<< source.scale)); \
	}

NUMBERS(1_1, uint8_t, get8)
NUMBERS(2_1, uint8_t, weir_be16)
NUMBERS(2_2, uint16_t, weir_be16)
NUMBERS(4_4, uint32_t, weir_be32)
NUMBERS(6_8, uint64_t, get48)

typedef void extract_run(const struct decode_extract *extract, struct vector *vector, weir_mask todo);

static const struct {
	uint8_t width, size;
	extract_run *whole, *bits;
} numbers[] = {
	{ 1, 1, whole_1_1, bits_1_1 },
	{ 2, 1, bits_2_1, bits_2_1 },
	{ 2, 2, whole_2_2, bits_2_2 },
	{ 4, 4, whole_4_4, bits_4_4 },
	{ 6, 8, whole_6_8, bits_6_8 },
};

static void run_ipv6(const struct decode_extract *extract, struct vector *vector, weir_mask todo)
{
	struct source source = source_of(extract, vector);
	uint8_t *column = vector_column(vector, extract->at);
	weir_mask mask = those_with(extract, vector, todo);

	FOR(i, mask, memcpy(column + 16 * i, place(&source, i), 16));
}

// ---- bits, as a mask

static void run_bool(const struct decode_extract *extract, struct vector *vector, weir_mask todo)
{
	struct source source = source_of(extract, vector);
	weir_mask mask = those_with(extract, vector, todo), value = 0;
	uint8_t bits = (uint8_t)(source.mask << source.shift);

	if (mask & (mask + 1)) {
		weir_each (i, mask)
			value |= (weir_mask) !!(*place(&source, i) & bits) << i;
	} else {
		_Alignas(64) uint8_t is[WEIR_VECTOR];
		unsigned count = weir_size(mask);

		for (unsigned i = 0; i < count; i++)
			is[i] = *place(&source, i);
		for (unsigned i = 0; i < WEIR_VECTOR; i++)
			is[i] = is[i] & bits ? 0xff : 0;
		value = weir_pack(is) & mask;
	}
	*vector_mask(vector, extract->at) = (*vector_mask(vector, extract->at) & ~todo) | value;
}

// ---- of the frame

static void run_frame_len(const struct decode_extract *extract, struct vector *vector, weir_mask todo)
{
	uint32_t *column = vector_column(vector, extract->at);

	weir_each (i, todo)
		column[i] = walk_original(vector, (unsigned)i);
}

static void run_frame_cap_len(const struct decode_extract *extract, struct vector *vector, weir_mask todo)
{
	uint32_t *column = vector_column(vector, extract->at);

	FOR(i, todo, column[i] = vector->head.length[i]);
}

// Its own time; that of the slot is never less than that of an earlier packet.
static void run_frame_time(const struct decode_extract *extract, struct vector *vector, weir_mask todo)
{
	uint64_t *column = vector_column(vector, extract->at);

	weir_each (i, todo) {
		struct weir_packet *packet = vector->head.packet[i];

		column[i] = packet ? packet_head(packet_mbuf(packet))->time_ns : vector->head.time_ns[i];
	}
}

// ---- checksums

// The sum of a header of 20 bytes, in 64 bits: a carry comes in again at the end.
INSIDE uint64_t sum_of_header(const uint8_t *ip)
{
	uint64_t first, second;
	uint32_t third;

	memcpy(&first, ip, 8);
	memcpy(&second, ip + 8, 8);
	memcpy(&third, ip + 16, 4);
	first += second;
	first += first < second;
	first += third;
	return first + (first < third);
}

// Sums are good if they fold to all ones; they are folded and compared for many packets at once.
INSIDE void judge_sums(uint8_t *restrict good, const uint64_t *restrict sums, unsigned count)
{
	for (unsigned from = 0; from < count; from += LANES)
		for (unsigned i = from; i < from + LANES; i++) {
			uint32_t sum = (uint32_t)sums[i], high = (uint32_t)(sums[i] >> 32);

			sum = (sum & 0xffff) + (sum >> 16) + (high & 0xffff) + (high >> 16);
			sum = (sum & 0xffff) + (sum >> 16);
			good[i] = (sum & 0xffff) + (sum >> 16) == 0xffff;
		}
}

struct sums {
	_Alignas(64) uint64_t of[WEIR_VECTOR];
	uint8_t first[WEIR_VECTOR], good[WEIR_VECTOR]; // first: byte of the header, version and length
};

INSIDE void sum_headers(struct sums *sums, const struct source *from, weir_mask mask)
{
	const struct source source = *from;

	FOR(i, mask, {
		const uint8_t *ip = place(&source, i);

		sums->of[i] = sum_of_header(ip);
		sums->first[i] = *ip;
	});
	judge_sums(sums->good, sums->of, (unsigned)(64 - __builtin_clzll(mask)));
}

static void sum_headers_base(struct sums *sums, const struct source *source, weir_mask mask)
{
	sum_headers(sums, source, mask);
}

__attribute__((target("avx2,bmi,bmi2"))) static void sum_headers_avx2(
	struct sums *sums, const struct source *source, weir_mask mask)
{
	sum_headers(sums, source, mask);
}

static void run_ip_checksum(const struct decode_extract *extract, struct vector *vector, weir_mask todo)
{
	struct source source = source_of(extract, vector);
	uint8_t *restrict column = vector_column(vector, extract->at);
	weir_mask mask = those_with(extract, vector, todo);
	struct sums sums;

	if (!mask)
		return;
	if (__builtin_cpu_supports("avx2"))
		sum_headers_avx2(&sums, &source, mask);
	else
		sum_headers_base(&sums, &source, mask);
	if (mask & (mask + 1))
		weir_each (i, mask)
			column[i] = sums.good[i];
	else
		memcpy(column, sums.good, weir_size(mask));
	weir_each (i, mask & weir_where(i, sums.first[i] != 0x45)) {
		const uint8_t *ip = place(&source, i);

		column[i] = !weir_fold(weir_sum(ip, (*ip & 15u) * 4, 0));
	}
}

static void run_checksum(const struct decode_extract *extract, struct vector *vector, weir_mask todo)
{
	const uint16_t *base = vector_column(vector, extract->base);
	uint8_t *column = vector_column(vector, extract->at);

	weir_each (i, those_with(extract, vector, todo))
		column[i] =
			checksum_check(vector, (unsigned)i, protocol_whole(extract->field->protocol), base[i]);
}

// ---- lengths

// Of what the capture has cut the headers tell how long it was.
static uint32_t wire_end(const struct vector *vector, unsigned slot, enum protocol protocol, uint32_t base)
{
	struct walk walk;

	walk.is_ip_enough = walk.is_ipv6_enough = false;
	walk_slot(&walk, vector, slot);
	for (const struct found *found = walk.found; found < walk.found + walk.count; found++)
		if (found->protocol == protocol && found->base == base)
			return found->wire_end;
	return base;
}

static void run_tcp_len(const struct decode_extract *extract, struct vector *vector, weir_mask todo)
{
	const uint16_t *base = vector_column(vector, extract->base);
	const uint32_t *end = vector_column(vector, extract->end);
	uint32_t *column = vector_column(vector, extract->at);

	weir_each (i, those_with(extract, vector, todo)) {
		uint32_t to = end[i], from = base[i] + (vector->head.data[i][base[i] + 12] >> 4) * 4u;

		if (to == vector->head.length[i] && to < walk_original(vector, (unsigned)i))
			to = wire_end(vector, (unsigned)i, PROTO_TCP, base[i]);
		column[i] = to - from;
	}
}

static void run_view(const struct decode_extract *extract, struct vector *vector, weir_mask todo)
{
	const uint16_t *base = vector_column(vector, extract->base);
	const uint32_t *end = vector_column(vector, extract->end);
	struct field_view *column = vector_column(vector, extract->at);

	weir_each (i, those_with(extract, vector, todo))
		column[i] = (struct field_view){ base[i], end[i] - base[i] };
}

// ---- choosing

static extract_run *const computes[] = {
	[COMPUTE_NOTHING] = NULL,
	[COMPUTE_FRAME_LEN] = run_frame_len,
	[COMPUTE_FRAME_CAP_LEN] = run_frame_cap_len,
	[COMPUTE_FRAME_TIME] = run_frame_time,
	[COMPUTE_IP_CHECKSUM] = run_ip_checksum,
	[COMPUTE_CHECKSUM] = run_checksum,
	[COMPUTE_TCP_LEN] = run_tcp_len,
	[COMPUTE_VIEW] = run_view,
};

static extract_run *number_run(const struct field *field)
{
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (numbers[i].width == field->width && numbers[i].size == field->size)
			return field->mask || field->shift || field->scale ? numbers[i].bits : numbers[i].whole;
	return NULL;
}

void decode_extract_prepare(struct decode_extract *extract)
{
	const struct field *field = extract->field;

	if (!field->width)
		extract->run = computes[field->compute];
	else if (field->type == FIELD_BOOL)
		extract->run = run_bool;
	else if (field->type == FIELD_IPV6)
		extract->run = run_ipv6;
	else
		extract->run = number_run(field);
	assert(extract->run || field->compute == COMPUTE_NOTHING);
}

bool decode_needs_end(const struct field *field)
{
	return field->compute == COMPUTE_TCP_LEN || field->compute == COMPUTE_VIEW;
}
