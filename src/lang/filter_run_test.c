// SPDX-License-Identifier: Apache-2.0
// Filters on vectors, made by hand and at random. What a random filter must say is worked out a
// second time, slowly, from how it was made, and not from its text or tree. Slots that a filter is
// not asked about hold garbage.
#include "lang/filter_testing.h"
#include "packet/decode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka wants the three above
#include <cmocka.h>

enum { ROOM = 192 * 1024, PACKET = 256 };

// ---- a vector whose columns are made when a filter asks for them

struct bound {
	const struct field *field;
	enum filter_operand_kind kind;
	uint8_t occurrence;
	struct filter_place place;
};

struct world {
	struct vector *vector;
	uint32_t used;
	unsigned count;
	struct bound bound[512];
	uint8_t *packets; // 64 of PACKET bytes
	weir_mask in;     // the slots that are meant
	uint64_t seed;
};

static uint64_t next(struct world *world)
{
	world->seed ^= world->seed << 13;
	world->seed ^= world->seed >> 7;
	world->seed ^= world->seed << 17;
	return world->seed * 0x2545f4914f6cdd1d >> 11;
}

static unsigned below(struct world *world, unsigned limit)
{
	return (unsigned)(next(world) % limit);
}

static uint32_t take(struct world *world, uint32_t size)
{
	uint32_t at = world->used;

	world->used += (size + 63) / 64 * 64;
	assert_true(world->used <= ROOM);
	return at;
}

static bool place_of(void *context, const struct filter_operand *operand, uint8_t occurrence,
	struct filter_place *place)
{
	struct world *world = context;
	struct bound *bound;

	for (unsigned i = 0; i < world->count; i++) {
		bound = &world->bound[i];
		if (bound->field == operand->field && bound->kind == operand->kind && bound->occurrence == occurrence) {
			*place = bound->place;
			return true;
		}
	}
	bound = &world->bound[world->count++];
	*bound = (struct bound){ .field = operand->field, .kind = operand->kind, .occurrence = occurrence };
	place->has = take(world, 8);
	if (operand->kind == FILTER_PLACE) {
		place->base = take(world, 2 * WEIR_VECTOR);
		place->end = take(world, 4 * WEIR_VECTOR);
	} else if (operand->field->type == FIELD_BOOL) {
		place->at = take(world, 8);
	} else if (operand->field->size) {
		place->at = take(world, operand->field->size * WEIR_VECTOR);
	}
	bound->place = *place;
	return true;
}

static void world_create(struct world *world, uint64_t seed)
{
	*world = (struct world){ .seed = seed, .used = VECTOR_MASKS };
	world->vector = aligned_alloc(64, ROOM);
	world->packets = malloc(WEIR_VECTOR * PACKET);
	assert_non_null(world->vector);
	assert_non_null(world->packets);
	memset(world->vector, 0, ROOM);
}

static void world_destroy(struct world *world)
{
	free(world->vector);
	free(world->packets);
}

static bool has(const struct world *world, const struct bound *bound, unsigned slot)
{
	return *vector_mask(world->vector, bound->place.has) >> slot & 1;
}

static void set_number(struct world *world, const struct bound *bound, unsigned slot, uint64_t number)
{
	uint8_t *at = vector_column(world->vector, bound->place.at);
	weir_mask *mask = (weir_mask *)at;

	if (bound->field->type == FIELD_BOOL)
		*mask = (*mask & ~(UINT64_C(1) << slot)) | (number & 1) << slot;
	else
		memcpy(at + (size_t)slot * bound->field->size, &number,
			bound->field->size > 8 ? 8 : bound->field->size);
}

// Few numbers, so that comparisons are often met.
static uint64_t some_number(struct world *world, const struct field *field)
{
	static const uint64_t numbers[] = { 0, 1, 6, 17, 64, 80, 127, 128, 255, 443, 32767, 32768,
		65535, 0x0a000001, 0x0a0000ff, 0x0aff0001, 0xc0a80101, 0x7fffffff, 0x80000000,
		0xffffffff, 0x000102030405, 0xffffffffffff, INT64_MAX, UINT64_C(1) << 63,
		UINT64_MAX };
	unsigned bits = field->type == FIELD_BOOL ? 1 : field->type == FIELD_ETHER ? 48 : 8u * field->size;
	uint64_t most = bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1, number;

	do
		number = numbers[below(world, sizeof(numbers) / sizeof(*numbers))];
	while (number > most);
	return number;
}

static void fill_slot(struct world *world, const struct bound *bound, unsigned slot)
{
	uint8_t *at = vector_column(world->vector, bound->place.at);
	struct field_view view = { 40 + below(world, 8), below(world, 12) };

	if (bound->kind == FILTER_PLACE) {
		((uint16_t *)vector_column(world->vector, bound->place.base))[slot] = (uint16_t)below(world, 64);
		((uint32_t *)vector_column(world->vector, bound->place.end))[slot] = 64 + below(world, 64);
	} else if (bound->field->type == FIELD_BYTES || bound->field->type == FIELD_STRING) {
		memcpy(at + slot * sizeof(view), &view, sizeof(view));
	} else if (bound->field->type == FIELD_IPV6) {
		memset(at + (size_t)slot * 16, 0, 16);
		at[slot * 16] = (uint8_t)(below(world, 2) ? 0x20 : 0xfe);
		at[slot * 16 + 1] = (uint8_t)below(world, 2);
		at[slot * 16 + 15] = (uint8_t)below(world, 3);
	} else if (bound->field->size || bound->field->type == FIELD_BOOL) {
		set_number(world, bound, slot, some_number(world, bound->field));
	}
}

static void poison(struct world *world, const struct bound *bound)
{
	uint8_t *base = (uint8_t *)world->vector;
	uint32_t size = bound->field->type == FIELD_BOOL ? 8 : bound->field->size * WEIR_VECTOR;

	for (uint32_t i = 0; bound->kind == FILTER_VALUE && i < size; i++)
		base[bound->place.at + i] = (uint8_t)next(world);
	for (uint32_t i = 0; bound->kind == FILTER_PLACE && i < WEIR_VECTOR; i++) {
		((uint16_t *)(base + bound->place.base))[i] = (uint16_t)next(world);
		((uint32_t *)(base + bound->place.end))[i] = (uint32_t)next(world);
	}
	*vector_mask(world->vector, bound->place.has) = next(world) | next(world) << 32;
}

static void fill(struct world *world, weir_mask in)
{
	struct weir_vector *head = &world->vector->head;

	world->in = in;
	for (unsigned slot = 0; slot < WEIR_VECTOR; slot++) {
		bool is_meant = in >> slot & 1;

		head->data[slot] = is_meant ? world->packets + slot * PACKET : (uint8_t *)16;
		head->length[slot] = is_meant ? 128 : UINT32_MAX;
		head->straight[slot] = is_meant ? 128 : UINT32_MAX;
		for (unsigned i = 0; i < PACKET; i++)
			world->packets[slot * PACKET + i] = (uint8_t)(0x41 + below(world, 3));
	}
	for (unsigned i = 0; i < world->count; i++) {
		poison(world, &world->bound[i]);
		weir_each (slot, in)
			fill_slot(world, &world->bound[i], (unsigned)slot);
	}
}

// ---- filters at random, and what they mean

struct random_filter {
	char text[8192];
	size_t length;
};

static void put(struct random_filter *filter, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct random_filter *filter, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	filter->length += (size_t)vsnprintf(
		filter->text + filter->length, sizeof(filter->text) - filter->length, format, args);
	va_end(args);
	assert_true(filter->length < sizeof(filter->text));
}

enum shape {
	IS_EXISTS,
	IS_COMPARED,
	IS_MASKED,
	IS_IN,
	IS_COLUMNS,
	IS_SUM,
	IS_SLICE,
	IS_LENGTH,
	IS_CONTAINED,
	IS_NOT,
	IS_AND,
	IS_OR
};

struct meaning {
	enum shape shape;
	const struct field *field, *other;
	int occurrence; // 0: any
	bool all, is_one_byte;
	unsigned relation; // index of relations
	uint64_t number, mask;
	unsigned count;
	uint64_t low[12], high[12];
	struct meaning *parts[4];
	uint8_t bytes[4];
	unsigned offset, length;
};

static const struct relation {
	const char *signs[3];
	bool all;
	bool less, equal, greater;
} relations[] = {
	{ { "==", "eq", "any_eq" }, false, false, true, false },
	{ { "!=", "ne", "all_ne" }, true, true, false, true },
	{ { "<", "lt", "<" }, false, true, false, false },
	{ { "<=", "le", "<=" }, false, true, true, false },
	{ { ">", "gt", ">" }, false, false, false, true },
	{ { ">=", "ge", ">=" }, false, false, true, true },
	{ { "===", "all_eq", "===" }, true, false, true, false },
	{ { "!==", "any_ne", "~=" }, false, true, false, true },
};

static const struct field *field(const char *name)
{
	return test_field_find(NULL, name);
}

static const struct field *some_field(struct world *world)
{
	static const char *const names[] = { "ip.proto", "ip.ttl", "tcp.srcport", "tcp.dstport",
		"tcp.port", "tcp.flags", "ip.src", "ip.dst", "ip.addr", "tcp.seq_raw", "mark",
		"eth.src", "eth.addr", "vlan.id", "ip.flags.df", "tcp.flags.syn", "trusted" };

	return field(names[below(world, sizeof(names) / sizeof(*names))]);
}

static void put_name(struct random_filter *filter, const struct meaning *meaning)
{
	put(filter, "%s", meaning->field->name);
	if (meaning->occurrence == DECODE_LAST)
		put(filter, "#[-1]");
	else if (meaning->occurrence)
		put(filter, "#%d", meaning->occurrence);
}

static void put_number(struct random_filter *filter, const struct field *is, uint64_t number)
{
	if (is->type == FIELD_IPV4)
		put(filter, "%u.%u.%u.%u", (unsigned)(number >> 24), (unsigned)(number >> 16 & 255),
			(unsigned)(number >> 8 & 255), (unsigned)(number & 255));
	else if (is->type == FIELD_ETHER)
		for (int shift = 40; shift >= 0; shift -= 8)
			put(filter, shift ? "%02x:" : "%02x", (unsigned)(number >> shift & 255));
	else
		put(filter, number % 3 ? "%llu" : "0x%llx", (unsigned long long)number);
}

static void choose_relation(struct world *world, struct random_filter *filter, struct meaning *meaning)
{
	meaning->relation = below(world, 8);
	meaning->all = relations[meaning->relation].all;
	if (!below(world, 4)) {
		meaning->all = below(world, 2);
		put(filter, meaning->all ? "all " : "any ");
	}
}

static void put_relation(struct world *world, struct random_filter *filter, const struct meaning *meaning)
{
	put(filter, " %s ", relations[meaning->relation].signs[below(world, 3)]);
}

static void make_compared(struct world *world, struct random_filter *filter, struct meaning *meaning)
{
	choose_relation(world, filter, meaning);
	put_name(filter, meaning);
	put_relation(world, filter, meaning);
	meaning->number = some_number(world, meaning->field);
	put_number(filter, meaning->field, meaning->number);
	meaning->low[0] = meaning->high[0] = meaning->number;
	if (meaning->field->type == FIELD_IPV4 && below(world, 2)) {
		unsigned length = below(world, 33);
		uint64_t rest = (UINT64_C(1) << (32 - length)) - 1;

		put(filter, "/%u", length);
		meaning->low[0] = meaning->number & ~rest;
		meaning->high[0] = meaning->low[0] | rest;
	}
}

static void make_masked(struct world *world, struct random_filter *filter, struct meaning *meaning)
{
	meaning->field = below(world, 2) ? field("tcp.flags") : field("ip.src");
	meaning->mask = some_number(world, meaning->field);
	meaning->relation = 99;
	if (meaning->mask && below(world, 2))
		choose_relation(world, filter, meaning);
	put_name(filter, meaning);
	put(filter, below(world, 2) ? " & " : " bitwise_and ");
	put_number(filter, meaning->field, meaning->mask);
	if (meaning->relation == 99)
		return;
	put_relation(world, filter, meaning);
	meaning->number = some_number(world, meaning->field);
	put_number(filter, meaning->field, meaning->number);
	meaning->low[0] = meaning->high[0] = meaning->number;
}

static void make_in(struct world *world, struct random_filter *filter, struct meaning *meaning)
{
	meaning->all = !below(world, 3);
	meaning->count = 1 + below(world, 12);
	put(filter, meaning->all ? "all " : "");
	put_name(filter, meaning);
	put(filter, " in {");
	for (unsigned i = 0; i < meaning->count; i++) {
		meaning->low[i] = meaning->high[i] = some_number(world, meaning->field);
		put(filter, i ? ", " : "");
		put_number(filter, meaning->field, meaning->low[i]);
		if (below(world, 2))
			continue;
		meaning->high[i] = some_number(world, meaning->field);
		put(filter, "..");
		put_number(filter, meaning->field, meaning->high[i]);
	}
	put(filter, "}");
}

static void make_columns(struct world *world, struct random_filter *filter, struct meaning *meaning)
{
	static const char *const pairs[][2] = { { "tcp.srcport", "tcp.dstport" },
		{ "ip.src", "ip.dst" }, { "ip.ttl", "tcp.srcport" }, { "mark", "tcp.seq_raw" },
		{ "eth.src", "eth.dst" } };
	unsigned pair = below(world, 5);

	choose_relation(world, filter, meaning);
	meaning->field = field(pairs[pair][0]);
	meaning->other = field(pairs[pair][1]);
	meaning->occurrence = 0;
	put_name(filter, meaning);
	put_relation(world, filter, meaning);
	put(filter, "%s", meaning->other->name);
}

static void make_sum(struct world *world, struct random_filter *filter, struct meaning *meaning)
{
	choose_relation(world, filter, meaning);
	meaning->field = field("ip.ttl");
	meaning->occurrence = 0;
	meaning->number = below(world, 300);
	meaning->mask = below(world, 300);
	put(filter, "{ip.ttl - %llu} * 2", (unsigned long long)meaning->number);
	put_relation(world, filter, meaning);
	put(filter, "%llu", (unsigned long long)meaning->mask);
}

static void make_bytes(struct world *world, struct random_filter *filter, struct meaning *meaning)
{
	meaning->field = field("tcp.payload");
	meaning->occurrence = 0;
	meaning->offset = below(world, 6);
	meaning->length = 1 + below(world, 3);
	for (unsigned i = 0; i < meaning->length; i++)
		meaning->bytes[i] = (uint8_t)(0x41 + below(world, 3));
	if (meaning->shape == IS_LENGTH) {
		put(filter, "len(tcp.payload) >= %u", meaning->offset);
		return;
	}
	put(filter,
		meaning->shape == IS_CONTAINED ? "tcp.payload contains " : "tcp.payload[%u:%u] == ",
		meaning->offset, meaning->length);
	for (unsigned i = 0; i < meaning->length; i++)
		put(filter, i ? ":%02x" : "%02x", meaning->bytes[i]);
}

static struct meaning *make(struct world *world, struct arena *arena, struct random_filter *filter, unsigned depth);

static void make_joined(struct world *world, struct arena *arena, struct random_filter *filter, struct meaning *meaning,
			unsigned depth)
{
	const char *joint = meaning->shape == IS_AND ? (below(world, 2) ? " && " : " and ")
						     : (below(world, 2) ? " || " : " or ");

	meaning->count = meaning->shape == IS_NOT ? 1 : 2 + below(world, 3);
	put(filter, meaning->shape == IS_NOT ? (below(world, 2) ? "!" : "not ") : "");
	put(filter, "(");
	for (unsigned i = 0; i < meaning->count; i++) {
		put(filter, "%s", i ? joint : "");
		meaning->parts[i] = make(world, arena, filter, depth - 1);
	}
	put(filter, ")");
}

static struct meaning *make(struct world *world, struct arena *arena, struct random_filter *filter, unsigned depth)
{
	struct meaning *meaning = arena_new(arena, struct meaning);

	meaning->shape = (enum shape)(depth ? (unsigned)IS_EXISTS + below(world, 15) : below(world, IS_NOT));
	if (meaning->shape > IS_OR)
		meaning->shape = IS_AND + meaning->shape % 2;
	meaning->field = some_field(world);
	if (meaning->field->kind == FIELD_DERIVED && !below(world, 3))
		meaning->occurrence = below(world, 4) ? 1 + (int)below(world, 5) : DECODE_LAST;
	switch (meaning->shape) {
	case IS_EXISTS:
		put_name(filter, meaning);
		break;
	case IS_COMPARED:
		make_compared(world, filter, meaning);
		break;
	case IS_MASKED:
		make_masked(world, filter, meaning);
		break;
	case IS_IN:
		make_in(world, filter, meaning);
		break;
	case IS_COLUMNS:
		make_columns(world, filter, meaning);
		break;
	case IS_SUM:
		make_sum(world, filter, meaning);
		break;
	case IS_SLICE:
	case IS_LENGTH:
	case IS_CONTAINED:
		make_bytes(world, filter, meaning);
		break;
	default:
		make_joined(world, arena, filter, meaning, depth);
	}
	return meaning;
}

// ---- the slow way

struct row {
	unsigned count;
	uint64_t number[64];
	const uint8_t *bytes[64];
	uint32_t length[64];
};

static void gather(const struct world *world, const struct field *one, int occurrence, unsigned slot, struct row *row)
{
	for (unsigned i = 0; i < world->count; i++) {
		const struct bound *bound = &world->bound[i];
		bool is_it = bound->field == one && bound->kind == FILTER_VALUE;
		const uint8_t *at = (const uint8_t *)world->vector + bound->place.at;
		struct field_view view;

		if (one->kind == FIELD_DERIVED)
			is_it &= occurrence ? bound->occurrence == occurrence
					    : bound->occurrence >= 1 && bound->occurrence <= 4;
		if (!is_it || !has(world, bound, slot))
			continue;
		row->number[row->count] = 0;
		if (one->type == FIELD_BOOL) {
			row->number[row->count] = *(const weir_mask *)at >> slot & 1;
		} else if (one->type == FIELD_BYTES) {
			memcpy(&view, at + 8 * slot, 8);
			row->bytes[row->count] = world->packets + slot * PACKET + view.offset;
			row->length[row->count] = view.length;
		} else {
			memcpy(&row->number[row->count], at + (size_t)slot * one->size, one->size);
		}
		row->count++;
	}
}

static struct row values_of(const struct world *world, const struct field *one, int occurrence, unsigned slot)
{
	struct row row = { 0 };

	if (!one->any_of)
		gather(world, one, occurrence, slot, &row);
	for (const char *const *name = one->any_of; name && *name; name++)
		gather(world, field(*name), occurrence, slot, &row);
	return row;
}

static bool stands(unsigned relation, __int128 value, __int128 low, __int128 high)
{
	return (value < low && relations[relation].less) || (value > high && relations[relation].greater) ||
	       (value >= low && value <= high && relations[relation].equal);
}

static bool one_holds(const struct world *world, const struct meaning *meaning,
	const struct row *row, unsigned i, unsigned slot)
{
	uint64_t number = row->number[i];
	struct row other;

	switch (meaning->shape) {
	case IS_COMPARED:
		return stands(meaning->relation, number, meaning->low[0], meaning->high[0]);
	case IS_MASKED:
		if (meaning->relation == 99)
			return (number & meaning->mask) != 0;
		return stands(meaning->relation, number & meaning->mask, meaning->low[0], meaning->high[0]);
	case IS_IN:
		for (unsigned j = 0; j < meaning->count; j++)
			if (number >= meaning->low[j] && number <= meaning->high[j])
				return true;
		return false;
	case IS_COLUMNS:
		other = values_of(world, meaning->other, 0, slot);
		for (unsigned j = 0; j < other.count; j++)
			if (stands(meaning->relation, number, other.number[j], other.number[j]) != meaning->all)
				return !meaning->all;
		return meaning->all && other.count;
	case IS_SUM:
		return stands(meaning->relation, ((__int128)number - (__int128)meaning->number) * 2,
			meaning->mask, meaning->mask);
	case IS_LENGTH:
		return row->length[i] >= meaning->offset;
	case IS_SLICE:
		return row->length[i] >= meaning->offset + meaning->length &&
		       !memcmp(row->bytes[i] + meaning->offset, meaning->bytes, meaning->length);
	case IS_CONTAINED:
		for (unsigned j = 0; j + meaning->length <= row->length[i]; j++)
			if (!memcmp(row->bytes[i] + j, meaning->bytes, meaning->length))
				return true;
		return false;
	default:
		return true;
	}
}

static bool means(const struct world *world, const struct meaning *meaning, unsigned slot)
{
	struct row row;

	if (meaning->shape == IS_NOT)
		return !means(world, meaning->parts[0], slot);
	if (meaning->shape == IS_AND || meaning->shape == IS_OR) {
		for (unsigned i = 0; i < meaning->count; i++)
			if (means(world, meaning->parts[i], slot) != (meaning->shape == IS_AND))
				return meaning->shape == IS_OR;
		return meaning->shape == IS_AND;
	}
	row = values_of(world, meaning->field, meaning->occurrence, slot);
	if (!row.count)
		return false;
	for (unsigned i = 0; i < row.count; i++)
		if (one_holds(world, meaning, &row, i, slot) != meaning->all)
			return !meaning->all;
	return meaning->all;
}

// ---- tests

static struct filter *parse(struct arena *arena, const char *text)
{
	struct diag *diag = diag_create(arena);
	struct filter *filter = filter_parse(
		arena, text, strlen(text), (struct place){ "test", 1, 1 }, &test_names, diag);

	if (!filter) {
		printf("%s\n", text);
		diag_print(diag, stdout);
	}
	assert_non_null(filter);
	return filter;
}

static void check_round_trip(struct arena *arena, const struct filter *filter)
{
	const char *text = filter_text(arena, filter);
	struct filter *again = parse(arena, text);

	if (!filter_equal(filter, again) || filter_hash(filter) != filter_hash(again))
		fail_msg("%s\nis read again as\n%s", text, filter_text(arena, again));
}

static void check_slots(struct world *world, struct arena *arena, const struct filter_program *program,
			const struct meaning *meaning, const struct filter *filter, const char *text)
{
	weir_mask hits = filter_run(program, world->vector, world->in);

	assert_int_equal(hits & ~world->in, 0);
	weir_each (slot, world->in) {
		bool wanted = means(world, meaning, (unsigned)slot);

		if (wanted != (hits >> slot & 1))
			fail_msg("slot %u should %smatch\n%s\n%s", (unsigned)slot, wanted ? "" : "not ", text,
				 filter_text(arena, filter));
		assert_int_equal(filter_event(program, world->vector, (unsigned)slot, NULL, NULL), wanted);
	}
}

static weir_mask some_slots(struct world *world, unsigned fill)
{
	weir_mask live = fill == 64 ? ~UINT64_C(0) : (UINT64_C(1) << fill) - 1;

	return below(world, 3) ? live : live & next(world) & ~(next(world) << 40);
}

static void random_filters_mean_what_they_say(void **)
{
	static const unsigned fills[] = { 1, 3, 16, 64 };
	const char *rounds = getenv("WEIR_TEST_ROUNDS");
	unsigned count = rounds ? (unsigned)atoi(rounds) : 1000;

	for (unsigned round = 0; round < count; round++) {
		struct arena *arena = arena_create();
		struct world world;
		struct random_filter text = { 0 };
		struct meaning *meaning;
		struct filter *filter;
		struct filter_program *program;

		world_create(&world, 0x9e3779b97f4a7c15 * (round + 1));
		meaning = make(&world, arena, &text, below(&world, 4));
		filter = parse(arena, text.text);
		check_round_trip(arena, filter);
		program = filter_bind(arena, filter, place_of, &world);
		for (unsigned i = 0; i < sizeof(fills) / sizeof(*fills); i++) {
			fill(&world, some_slots(&world, fills[i]));
			check_slots(&world, arena, program, meaning, filter, text.text);
		}
		world_destroy(&world);
		arena_destroy(arena);
	}
}

// One packet of each kind in four slots: TCP to port 80, UDP, TCP in IP in IP, nothing known.
static void set(struct world *world, const char *name, uint8_t occurrence, weir_mask slots, uint64_t number)
{
	struct filter_operand operand = { .field = field(name), .kind = FILTER_VALUE, .occurrence = occurrence };
	struct filter_place place;

	place_of(world, &operand, occurrence, &place);
	*vector_mask(world->vector, place.has) |= slots;
	for (unsigned i = 0; i < world->count; i++)
		weir_each (slot, slots)
			if (world->bound[i].field == operand.field &&
				world->bound[i].occurrence == occurrence &&
				world->bound[i].kind == FILTER_VALUE &&
				(operand.field->size || operand.field->type == FIELD_BOOL))
				set_number(world, &world->bound[i], (unsigned)slot, number);
}

static void set_bytes(struct world *world, const char *name, weir_mask slots, const char *text)
{
	struct field_view view = { 60, (uint32_t)strlen(text) };
	uint64_t packed;

	memcpy(&packed, &view, sizeof(packed));
	set(world, name, 1, slots, packed);
	weir_each (slot, slots)
		memcpy(world->packets + slot * PACKET + 60, text, view.length);
}

static void set_place(struct world *world, const char *name, weir_mask slots, uint16_t base, uint32_t end)
{
	struct filter_operand operand = { .field = field(name), .kind = FILTER_PLACE, .occurrence = 1 };
	struct filter_place place;

	place_of(world, &operand, 1, &place);
	*vector_mask(world->vector, place.has) |= slots;
	weir_each (slot, slots) {
		((uint16_t *)vector_column(world->vector, place.base))[slot] = base;
		((uint32_t *)vector_column(world->vector, place.end))[slot] = end;
	}
}

enum { WEB = 1, DNS = 2, TUNNEL = 4, NOTHING = 8, EVERY = 15 };

static void known_packets(struct world *world)
{
	static const uint8_t ip_header[] = { 0x45, 0, 0, 80, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2 };
	static const uint8_t tcp_header[] = { 0x30, 0x39, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0, 0, 0, 0, 0, 0 };

	fill(world, EVERY);
	for (unsigned i = 0; i < world->count; i++)
		*vector_mask(world->vector, world->bound[i].place.has) &= ~(weir_mask)EVERY;
	for (unsigned slot = 0; slot < 4; slot++) {
		memcpy(world->packets + slot * PACKET + 14, ip_header, sizeof(ip_header));
		memcpy(world->packets + slot * PACKET + 34, tcp_header, sizeof(tcp_header));
	}
	set(world, "tcp", 1, WEB | TUNNEL, 0);
	set(world, "udp", 1, DNS, 0);
	set(world, "ip", 1, WEB | DNS | TUNNEL, 0);
	set(world, "ip", 2, TUNNEL, 0);
	set(world, "ip.src", 1, WEB, 0x0a000001);
	set(world, "ip.dst", 1, WEB, 0x0a000002);
	set(world, "ip.src", 1, DNS, 0xc0a80101);
	set(world, "ip.dst", 1, DNS, 0x0a000002);
	set(world, "ip.src", 1, TUNNEL, 0x01010101);
	set(world, "ip.dst", 1, TUNNEL, 0x02020202);
	set(world, "ip.src", 2, TUNNEL, 0x0a000001);
	set(world, "ip.dst", 2, TUNNEL, 0x0a000002);
	set(world, "ip.src", DECODE_LAST, WEB | TUNNEL, 0x0a000001);
	set(world, "tcp.srcport", 1, WEB | TUNNEL, 12345);
	set(world, "tcp.dstport", 1, WEB, 80);
	set(world, "tcp.dstport", 1, TUNNEL, 443);
	set(world, "udp.srcport", 1, DNS, 5353);
	set(world, "udp.dstport", 1, DNS, 53);
	set(world, "tcp.flags", 1, WEB, 0x02);
	set(world, "tcp.flags", 1, TUNNEL, 0x10);
	set(world, "tcp.flags.syn", 1, WEB, 1);
	set(world, "tcp.flags.syn", 1, TUNNEL, 0);
	set(world, "ip.ttl", 1, WEB | DNS, 64);
	set(world, "ip.ttl", 1, TUNNEL, 255);
	set(world, "ip.ttl", 2, TUNNEL, 1);
	set(world, "eth.src", 1, EVERY, 0x000083040506);
	set(world, "frame.len", 1, EVERY, 128);
	set(world, "frame.time_epoch", 1, EVERY, UINT64_C(1577836800500000000));
	set_bytes(world, "tcp.payload", WEB | TUNNEL, "GET /index HTTP/1.1");
	set_place(world, "ip", WEB | DNS | TUNNEL, 14, 94);
	set_place(world, "tcp", WEB | TUNNEL, 34, 94);
	set_place(world, "frame", EVERY, 0, 128);
}

static void filters_on_known_packets(void **)
{
	static const struct {
		const char *text;
		weir_mask hits;
	} cases[] = {
		{ "", EVERY },
		{ "tcp", WEB | TUNNEL },
		{ "!tcp", DNS | NOTHING },
		{ "tcp.dstport == 80", WEB },
		{ "!(tcp.dstport == 80)", DNS | TUNNEL | NOTHING },
		{ "tcp.dstport != 80", TUNNEL },
		{ "tcp.port != 80", TUNNEL },
		{ "tcp.port !== 80", WEB | TUNNEL },
		{ "tcp.port == 12345", WEB | TUNNEL },
		{ "tcp.port not in {80}", DNS | TUNNEL | NOTHING },
		{ "ip.src == 10.0.0.1", WEB | TUNNEL },
		{ "ip.src#1 == 10.0.0.1", WEB },
		{ "ip.src#2 == 10.0.0.1", TUNNEL },
		{ "ip.src#-1 == 10.0.0.1", WEB | TUNNEL },
		{ "ip.src#[1-2] == 10.0.0.1", WEB | TUNNEL },
		{ "ip.src != 10.0.0.1", DNS },
		{ "all ip.src == 10.0.0.1", WEB },
		{ "any ip.src != 10.0.0.1", DNS | TUNNEL },
		{ "ip.addr == 10.0.0.2", WEB | DNS | TUNNEL },
		{ "ip.addr in {1.1.1.1, 192.168.0.0/16}", DNS | TUNNEL },
		{ "ip.src == 10.0.0.0/8", WEB | TUNNEL },
		{ "ip.src > 10.0.0.0/8", DNS },
		{ "ip.src >= 10.0.0.0/8", WEB | DNS | TUNNEL },
		{ "ip.src < 10.0.0.0/8", TUNNEL },
		{ "ip.src & 255.0.0.0 == 10.0.0.0", WEB | TUNNEL },
		{ "ip#2", TUNNEL },
		{ "count(ip) == 2", TUNNEL },
		{ "count(ip.addr) == 2", WEB | DNS },
		{ "tcp.flags & 0x02", WEB },
		{ "tcp.flags & 0x10 == 0x10", TUNNEL },
		{ "tcp.flags.syn", WEB | TUNNEL },
		{ "tcp.flags.syn == True", WEB },
		{ "tcp.flags.syn == 0", TUNNEL },
		{ "tcp.flags.syn == 7", WEB },
		{ "ip.ttl < 64", TUNNEL },
		{ "all ip.ttl > 1", WEB | DNS },
		{ "max(ip.ttl) == 255", TUNNEL },
		{ "min(ip.ttl) == 1", TUNNEL },
		{ "max(ip.ttl, 100) == 100", WEB | DNS | NOTHING },
		{ "min(tcp.dstport, udp.dstport) > 0", WEB | DNS | TUNNEL },
		{ "max(tcp.dstport, udp.dstport) < 100", WEB | DNS },
		{ "ip.ttl + 1 == 65", WEB | DNS },
		{ "ip.ttl - 65 < 0", WEB | DNS | TUNNEL },
		{ "ip.ttl % 2 == 1", TUNNEL },
		{ "ip.ttl / 2 == 32", WEB | DNS },
		{ "-ip.ttl == -64", WEB | DNS },
		{ "ip.ttl == 63 + 1", WEB | DNS },
		{ "eth.src[0:3] == 00:00:83", EVERY },
		{ "eth.src[0:3] == 00-00-84", 0 },
		{ "eth.src[-1] == 06", EVERY },
		{ "eth.src contains 83:04", EVERY },
		{ "ip[9] == 6", WEB | DNS | TUNNEL },
		{ "ip[9:1] == 06", WEB | DNS | TUNNEL },
		{ "ip[20:1] == 30", 0 },
		{ "len(ip) == 20", WEB | DNS | TUNNEL },
		{ "tcp[13] & 02", WEB | TUNNEL },
		{ "tcp[12:2] & 00:ff == 00:02", WEB | TUNNEL },
		{ "tcp[2:2] == 00:50", WEB | TUNNEL },
		{ "tcp[19]", WEB | TUNNEL },
		{ "tcp[20]", 0 },
		{ "frame[127]", EVERY },
		{ "frame[128]", 0 },
		{ "frame[14,23] == 45:06", EVERY },
		{ "frame[-128:1] >= 00", EVERY },
		{ "frame[-129:1] >= 00", 0 },
		{ "frame contains \"GET /\"", WEB | TUNNEL },
		{ "frame matches \"index http\"", WEB | TUNNEL },
		{ "tcp.payload[0:3] == \"GET\"", WEB | TUNNEL },
		{ "tcp.payload[:3] in {\"GET\", \"PUT\"}", WEB | TUNNEL },
		{ "tcp.payload[:3] in {\"AAA\", \"BBB\", \"CCC\", \"GET\", \"PUT\", \"X\", \"YYYYY\"}", WEB | TUNNEL },
		{ "tcp.payload[:3] in {\"AAA\", \"BBB\", \"CCC\", \"GEU\", \"PUT\", \"X\", \"YYYYY\"}", 0 },
		{ "tcp.payload contains 47:45:54", WEB | TUNNEL },
		{ "tcp.payload matches \"^get .*1\\\\.1$\"", WEB | TUNNEL },
		{ "tcp.payload matches r\"^get .*1\\.1$\"", WEB | TUNNEL },
		{ "tcp.payload matches \"(?-i)^get\"", 0 },
		{ "tcp.payload > \"ZZZ\"", WEB | TUNNEL }, // longer
		{ "len(tcp.payload) == 19", WEB | TUNNEL },
		{ "string(tcp.dstport) == \"80\"", WEB },
		{ "string(ip.src) matches \"^10\\\\.\"", WEB | TUNNEL },
		{ "frame.time_epoch > 1577836800", EVERY },
		{ "frame.time_epoch == 1577836800.5", EVERY },
		{ "frame.time_epoch < \"2020-01-01 00:00:01Z\"", EVERY },
		{ "frame.time_epoch >= \"2020-01-01T01:00:00.5+01:00\"", EVERY },
		{ "frame.len > 100 and udp or tcp.dstport == 443", DNS | TUNNEL },
		{ "ip.src == ip.dst", 0 },
		{ "tcp.srcport > tcp.dstport", WEB | TUNNEL },
		{ "tcp.dstport < tcp.srcport < 20000", WEB | TUNNEL },
		{ "tcp.dstport in {tcp.srcport, 443}", TUNNEL },
		{ "udp.dstport in {50..60} && !tcp", DNS },
	};
	struct world world;
	struct arena *arena = arena_create();
	unsigned wrong = 0;

	world_create(&world, 1);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct filter *filter = parse(arena, cases[i].text);
		struct filter_program *program;
		weir_mask hits;

		check_round_trip(arena, filter);
		program = filter_bind(arena, filter, place_of, &world);
		known_packets(&world);
		hits = filter_run(program, world.vector, EVERY);
		if (hits != cases[i].hits) {
			print_error("%s: %x, expected %x\n", cases[i].text, (unsigned)hits, (unsigned)cases[i].hits);
			wrong++;
		}
	}
	assert_int_equal(wrong, 0);
	world_destroy(&world);
	arena_destroy(arena);
}

static void large_sets_are_searched(void **)
{
	struct arena *arena = arena_create();
	char text[16384] = "";
	const char *names[] = { "tcp.dstport", "ip.proto", "tcp.seq_raw", "mark" };

	for (unsigned n = 0; n < 4; n++) {
		struct world world;
		struct filter_program *program;
		struct filter_operand operand = { .field = field(names[n]), .occurrence = n == 3 ? 0 : 1 };
		struct filter_place place;
		size_t length = (size_t)snprintf(text, sizeof(text), "%s in {1", names[n]);
		unsigned step = n == 1 ? 3 : 7;

		for (unsigned i = 1; i < (n == 1 ? 80u : 500u); i++)
			length += (size_t)snprintf(text + length, sizeof(text) - length, ", %u", 1 + i * step);
		snprintf(text + length, sizeof(text) - length, "}");
		world_create(&world, 5);
		program = filter_bind(arena, parse(arena, text), place_of, &world);
		place_of(&world, &operand, operand.occurrence, &place);
		fill(&world, ~UINT64_C(0));
		for (unsigned i = 0; i < world.count; i++)
			for (unsigned slot = 0; slot < WEIR_VECTOR; slot++)
				set_number(&world, &world.bound[i], slot, slot);
		for (unsigned i = 0; i < world.count; i++)
			*vector_mask(world.vector, world.bound[i].place.has) = ~UINT64_C(0);
		for (unsigned slot = 0; slot < WEIR_VECTOR; slot++)
			assert_int_equal(filter_run(program, world.vector, UINT64_C(1) << slot) != 0, slot % step == 1);
		assert_int_equal(weir_size(filter_run(program, world.vector, ~UINT64_C(0))), n == 1 ? 21 : 9);
		world_destroy(&world);
	}
	arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_on_known_packets),
		cmocka_unit_test(large_sets_are_searched),
		cmocka_unit_test(random_filters_mean_what_they_say),
	};

	return cmocka_run_group_tests_name("filter_run", tests, NULL, NULL);
}
