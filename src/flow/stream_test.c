// SPDX-License-Identifier: Apache-2.0
// Streams: what is told when, the policies byte by byte, bounds, and random segments against a model.
#include "flow/stream_testing.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct stream_limits roomy = {
	.streams = 4,
	.pieces = 2048,
	.copies = 2048,
	.handles = 2048,
	.pieces_per_stream = 2048,
	.bytes_per_stream = 1 << 20,
	.grace_ns = 100,
	.memories = 2,
	.memory = 64,
};

static const struct stream_limits tight = {
	.streams = 1,
	.pieces = 8,
	.copies = 3,
	.handles = 2,
	.pieces_per_stream = 5,
	.bytes_per_stream = 2000,
	.grace_ns = 100,
	.memories = 1,
	.memory = 16,
};

// ---- what is told when

// Steps: "m" remember, "+OFFSET text", "f OFFSET" FIN, "c OFFSET" confirmed, "t NS" time passes, "!" the end.
// What is told: text, [length] for a gap, . for the end, = same, x different, ? unknown.
struct telling {
	const char *title, *steps[12], *told;
};

static const struct telling tellings[] = {
	{ "in order", { "+0 abc", "+3 def", "f 6" }, "abcdef." },
	{ "out of order", { "+3 def", "+0 abc", "f 6" }, "abcdef." },
	{ "backwards", { "+4 e", "+3 d", "+2 c", "+1 b", "+0 a", "!" }, "abcde." },
	{ "FIN before the last", { "+0 abc", "f 6", "+3 def" }, "abcdef." },
	{ "behind the FIN", { "+0 abc", "f 3", "+3 def", "!" }, "abc." },
	{ "held, and behind a FIN that comes later", { "+3 def", "f 4", "+0 abc" }, "abcd." },
	{ "a second FIN does not count", { "f 3", "f 9", "+0 abcdef", "!" }, "abc." },
	{ "nothing but a FIN", { "f 0" }, "." },
	{ "nothing", { "!" }, "." },
	{ "a hole at the end of the flow", { "+0 abc", "+5 fg", "+9 j", "!" }, "abc[2]fg[2]j." },
	{ "a hole before the FIN", { "+0 abc", "f 7", "!" }, "abc[4]." },
	{ "a hole that was confirmed", { "+2 cd", "c 2", "t 99", "+4 e", "t 1" }, "[2]cde" },
	{ "confirmed in part only", { "+2 cd", "c 1", "t 1000" }, "" },
	{ "confirmed, and then it comes", { "+2 cd", "c 2", "t 99", "+0 ab", "t 1000" }, "abcd" },
	{ "confirmed before", { "+0 a", "c 3", "+3 d", "c 3", "t 100" }, "a[2]d" },
	{ "two holes, one confirmed", { "+1 b", "+3 d", "c 1", "t 100" }, "[1]b" },
	{ "two holes, both confirmed", { "+1 b", "+3 d", "c 4", "t 100" }, "[1]b[1]d" },
	{ "the first is filled, the second confirmed later",
		{ "+1 b", "+3 d", "c 1", "t 90", "+0 a", "c 4", "t 90", "t 10" }, "ab[1]d" },
	{ "FIN confirmed, the data before it is not there", { "+0 a", "f 3", "c 4", "t 100" },
		"a[2]." },
	{ "again", { "+0 abc", "+0 abc", "+1 b", "!" }, "abc." },
	{ "again, remembered", { "m", "+0 abc", "+0 abc", "+1 x", "+2 cd", "!" }, "abcx=d." },
	{ "again while it waits", { "+2 cd", "+2 cd", "+3 x", "+0 ab", "!" }, "xabcd." },
	{ "partly new", { "+0 abc", "+1 bcde", "!" }, "abc?de." },
	{ "covers a hole and more", { "+2 c", "+4 e", "+0 abcdef", "!" }, "==abcdef." },
	{ "behind a gap nothing comes back", { "+2 c", "c 3", "t 100", "+0 ab", "+3 d" },
		"[2]cd" },
};

struct told {
	struct model model;
	char text[256];
};

static void told_data(void *context, struct stream *stream, uint64_t offset, const uint8_t *bytes, uint32_t length)
{
	struct told *told = context;

	(void)stream, (void)offset;
	strncat(told->text, (const char *)bytes, length);
}

static void told_gap(
	void *context, struct stream *stream, uint64_t offset, uint64_t length, enum stream_gap_cause cause)
{
	struct told *told = context;

	(void)stream, (void)offset, (void)cause;
	sprintf(told->text + strlen(told->text), "[%u]", (unsigned)length);
}

static void told_overlap(
	void *context, struct stream *stream, uint64_t offset, uint32_t length, enum stream_same same)
{
	struct told *told = context;

	(void)stream, (void)offset, (void)length;
	strcat(told->text, same == STREAM_SAME ? "=" : same == STREAM_DIFFERENT ? "x" : "?");
}

static void told_end(void *context, struct stream *stream)
{
	(void)stream;
	strcat(((struct told *)context)->text, ".");
}

static void tell_step(struct stream_pool *pool, struct stream *stream, const char *step, uint64_t *now_ns)
{
	uint32_t number = (uint32_t)strtoul(step + 1, NULL, 10), base = stream->next - (uint32_t)stream->offset;
	const char *text = strchr(step, ' ');
	struct stream_segment segment = { .seq = base + number, .now_ns = *now_ns };

	switch (*step) {
	case '+':
		segment.bytes = (const uint8_t *)text + 1;
		segment.length = (uint32_t)strlen(text + 1);
		stream_add(pool, stream, &segment);
		break;
	case 'm': assert_true(stream_remember(pool, stream)); break;
	case 'f': stream_finish(pool, stream, base + number, *now_ns); break;
	case 'c': stream_confirm(pool, stream, base + number, *now_ns); break;
	case 't':
		*now_ns += number;
		stream_settle(pool, *now_ns);
		break;
	default: stream_end(pool, stream);
	}
	stream_sweep(pool);
}

static void told_in_order(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(tellings) / sizeof(*tellings); i++) {
		struct told told = { 0 };
		struct stream_sink sink = { &told, told_data, told_gap, told_overlap, told_end };
		struct keeper keeper = { &told.model, model_keep, model_let_go };
		struct stream_pool pool;
		struct stream stream;
		uint64_t now_ns = 1;

		assert_int_equal(stream_pool_init(&pool, &roomy, &sink, &keeper), 0);
		stream_start(&stream, UINT32_MAX - 1, 0, OVERLAP_FIRST); // numbers wrap
		for (unsigned k = 0; k < 12 && tellings[i].steps[k]; k++)
			tell_step(&pool, &stream, tellings[i].steps[k], &now_ns);
		if (strcmp(told.text, tellings[i].told))
			fail_msg("%s: told \"%s\", must be \"%s\"", tellings[i].title, told.text, tellings[i].told);
		stream_forget(&pool, &stream);
		stream_pool_uninit(&pool);
	}
}

// ---- policies

// Behind a hole an old segment waits, then a new one comes over it: whose byte is told?
static void policies_by_byte(void **state)
{
	static const struct {
		enum overlap_policy policy;
		const char *behind, *same, *longer, *shorter, *before, *inside, *around;
	} cases[] = {
		// old at 4..7, the new one at: 6..9, 4..7, 4..9, 4..6, 2..5, 5..6, 2..9
		{ OVERLAP_FIRST, "ooonn", "ooo", "ooonn", "ooo", "nnooo", "ooo", "nnooonn" },
		{ OVERLAP_LAST, "oonnn", "nnn", "nnnnn", "nno", "nnnoo", "ono", "nnnnnnn" },
		{ OVERLAP_BSD, "ooonn", "ooo", "ooonn", "ooo", "nnnoo", "ooo", "nnnnnnn" },
		{ OVERLAP_LINUX, "ooonn", "ooo", "nnnnn", "ooo", "nnnoo", "ooo", "nnnnnnn" },
		{ OVERLAP_OLD_LINUX, "ooonn", "nnn", "nnnnn", "ooo", "nnnoo", "ooo", "nnnnnnn" },
		{ OVERLAP_SOLARIS, "oonnn", "nnn", "nnnnn", "ooo", "nnooo", "ooo", "nnnnnnn" },
		{ OVERLAP_WINDOWS, "ooonn", "ooo", "ooonn", "ooo", "nnnoo", "ooo", "nnnnnnn" },
	};
	static const struct {
		unsigned from, to;
	} new[] = { { 6, 9 }, { 4, 7 }, { 4, 9 }, { 4, 6 }, { 2, 5 }, { 5, 6 }, { 2, 9 } };

	(void)state;
	for (unsigned i = 0; i < OVERLAP_POLICIES; i++) {
		const char *const *wanted = &cases[i].behind;

		assert_int_equal(cases[i].policy, i);
		assert_int_equal(overlap_policy_find(overlap_policy_name(i)), i);
		for (unsigned k = 0; k < 7; k++) {
			struct told told = { 0 };
			struct stream_sink sink = { &told, told_data, told_gap, NULL, NULL };
			struct keeper keeper = { &told.model, model_keep, model_let_go };
			struct stream_pool pool;
			struct stream stream;
			struct stream_segment old = { (const uint8_t *)"ooo", 4, 3, NULL, 1 };
			struct stream_segment later = { (const uint8_t *)"nnnnnnnnn", new[k].from,
				new[k].to - new[k].from, NULL, 1 };

			assert_int_equal(stream_pool_init(&pool, &roomy, &sink, &keeper), 0);
			stream_start(&stream, 0, 0, i);
			stream_add(&pool, &stream, &old);
			stream_add(&pool, &stream, &later);
			stream_end(&pool, &stream);
			assert_string_equal(strchr(told.text, ']') + 1, wanted[k]);
			stream_pool_uninit(&pool);
		}
	}
	assert_int_equal(overlap_policy_find("beos"), -1);
}

// ---- random segments against the model

static uint32_t random_next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

static void random_step(struct model *model, uint64_t *seed, unsigned reach)
{
	uint8_t bytes[700];
	uint32_t length = 1 + random_next(seed) % (random_next(seed) % 4 ? 40 : 700);
	uint64_t at = model->told > 60 ? model->told - 60 : 0;

	at += random_next(seed) % reach;
	for (uint32_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(random_next(seed) % 8 ? at + i : random_next(seed));
	if (at + length <= MODEL)
		model_add(model, at, bytes, length);
	switch (random_next(seed) % 64) {
	case 0: model_confirm(model, model->told + random_next(seed) % 300); break;
	case 1: model_pass(model, random_next(seed) % 200); break;
	case 2: model_add(model, model->told < MODEL - 700 ? model->told : 0, bytes, length); break;
	default: break;
	}
}

static void random_run(struct model *model, uint64_t seed)
{
	model_begin(model, random_next(&seed), seed % OVERLAP_POLICIES);
	if (seed % 3 == 0)
		stream_remember(&model->pool, &model->stream);
	for (unsigned i = 0; i < 250; i++) {
		random_step(model, &seed, 400);
		if (i == 200)
			model_finish(model, model->told + random_next(&seed) % 500);
	}
	model_finale(model);
}

static void random_segments(void **state)
{
	struct model with_room, without;

	(void)state;
	model_create(&with_room, &roomy, true);
	model_create(&without, &tight, false);
	for (uint64_t seed = 0; seed < 400; seed++) {
		random_run(&with_room, seed);
		random_run(&without, seed);
	}
	model_destroy(&with_room);
	model_destroy(&without);
}

// ---- bounds

// Many tiny segments with a hole between any two.
static void floods_are_bounded(void **state)
{
	struct model model;

	(void)state;
	model_create(&model, &tight, false);
	model_begin(&model, 7, OVERLAP_FIRST);
	for (unsigned i = 0; i < 2000; i++) {
		model_add(&model, 1 + 2 * i, (const uint8_t *)"x", 1);
		assert_true(model.pool.pieces.pieces_used <= tight.pieces_per_stream + 2);
	}
	assert_true(model.pool.gaps[STREAM_NO_ROOM] > 1900);
	assert_int_equal(model.pool.lost_bytes, 0);
	model_finale(&model);
	model_destroy(&model);
}

// Several streams in a pool for one: the one that has waited longest gives way, with a gap, and loses nothing else.
static void oldest_gives_way(void **state)
{
	struct told told = { 0 };
	struct stream_sink sink = { &told, told_data, told_gap, told_overlap, told_end };
	struct keeper keeper = { &told.model, model_keep, model_let_go };
	struct stream_pool pool;
	struct stream streams[3];
	uint64_t now_ns = 1;

	(void)state;
	assert_int_equal(stream_pool_init(&pool, &tight, &sink, &keeper), 0);
	for (unsigned i = 0; i < 3; i++)
		stream_start(&streams[i], 0, 0, OVERLAP_FIRST);
	tell_step(&pool, &streams[0], "+1 b", &now_ns);
	assert_string_equal(told.text, "");
	tell_step(&pool, &streams[1], "+1 c", &now_ns);
	assert_string_equal(told.text, "[1]b");
	tell_step(&pool, &streams[2], "+0 d", &now_ns);
	tell_step(&pool, &streams[2], "+2 e", &now_ns);
	assert_string_equal(told.text, "[1]bd[1]c");
	tell_step(&pool, &streams[2], "!", &now_ns);
	assert_string_equal(told.text, "[1]bd[1]c[1]e.");
	for (unsigned i = 0; i < 2; i++)
		stream_forget(&pool, &streams[i]);
	stream_pool_uninit(&pool);
}

// What nobody wants any more costs nothing, even from within.
static void stop_at_first(void *context, struct stream *stream, uint64_t offset, const uint8_t *bytes, uint32_t length)
{
	told_data(context, stream, offset, bytes, length);
	stream_stop(stream);
}

static void stopped(void **state)
{
	struct told told = { 0 };
	struct stream_sink sink = { &told, stop_at_first, told_gap, told_overlap, told_end };
	struct keeper keeper = { &told.model, model_keep, model_let_go };
	struct stream_pool pool;
	struct stream stream;
	uint64_t now_ns = 1;

	(void)state;
	assert_int_equal(stream_pool_init(&pool, &roomy, &sink, &keeper), 0);
	stream_start(&stream, 0, 0, OVERLAP_FIRST);
	tell_step(&pool, &stream, "+1 b", &now_ns);
	tell_step(&pool, &stream, "+3 d", &now_ns);
	tell_step(&pool, &stream, "+0 a", &now_ns);
	assert_string_equal(told.text, "a");
	assert_int_equal(pool.pieces.pieces_used, 0);
	assert_int_equal(pool.waiting, 0);
	tell_step(&pool, &stream, "+1 b", &now_ns);
	tell_step(&pool, &stream, "f 2", &now_ns);
	tell_step(&pool, &stream, "!", &now_ns);
	assert_string_equal(told.text, "a");
	stream_pool_uninit(&pool);
}

static void read_back(void **state)
{
	struct told told = { 0 };
	struct stream_sink sink = { &told, told_data, told_gap, told_overlap, told_end };
	struct keeper keeper = { &told.model, model_keep, model_let_go };
	char bytes[128] = "";
	struct stream_pool pool;
	struct stream stream;
	uint64_t now_ns = 1;

	(void)state;
	assert_int_equal(stream_pool_init(&pool, &roomy, &sink, &keeper), 0);
	stream_start(&stream, 0, 0, OVERLAP_FIRST);
	assert_true(stream_remember(&pool, &stream));
	for (unsigned i = 0; i < 10; i++) {
		char step[32];

		sprintf(step, "+%u %u123456789", i * 10, i);
		tell_step(&pool, &stream, step, &now_ns);
	}
	assert_int_equal(stream_read(&pool, &stream, 35, (uint8_t *)bytes, 10), 0); // 64 are remembered
	assert_int_equal(stream_read(&pool, &stream, 36, (uint8_t *)bytes, 10), 10);
	assert_memory_equal(bytes, "6789412345", 10);
	tell_step(&pool, &stream, "+102 cdefg", &now_ns);
	tell_step(&pool, &stream, "+107 hi", &now_ns);
	assert_int_equal(stream_read(&pool, &stream, 95, (uint8_t *)bytes, 20), 5);
	assert_int_equal(stream_read(&pool, &stream, 103, (uint8_t *)bytes, 20), 6);
	assert_memory_equal(bytes, "defghi", 6);
	assert_int_equal(stream_read(&pool, &stream, 103, (uint8_t *)bytes, 2), 2);
	stream_end(&pool, &stream);
	stream_pool_uninit(&pool);
}

// 64-bit offsets over many turns of the 32-bit numbers.
static void count_data(void *context, struct stream *stream, uint64_t offset, const uint8_t *bytes, uint32_t length)
{
	(void)stream, (void)bytes;
	assert_int_equal(offset, *(uint64_t *)context);
	*(uint64_t *)context += length;
}

static void beyond_4_gb(void **state)
{
	uint64_t told = 0;
	struct stream_sink sink = { &told, count_data, told_gap, NULL, NULL };
	struct keeper keeper = { NULL, model_keep, model_let_go };
	uint8_t *bytes = malloc(1 << 20);
	struct stream_pool pool;
	struct stream stream;

	(void)state;
	assert_int_equal(stream_pool_init(&pool, &roomy, &sink, &keeper), 0);
	stream_start(&stream, 12345, 0, OVERLAP_FIRST);
	for (uint64_t i = 0; i < 10000; i++) {
		struct stream_segment segment = { bytes, 12345 + (uint32_t)(i << 20), 1 << 20, NULL, i };

		assert_int_equal(stream_add(&pool, &stream, &segment), STREAM_TOLD);
	}
	assert_int_equal(told, 10000ull << 20);
	stream_forget(&pool, &stream);
	stream_pool_uninit(&pool);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(told_in_order),
		cmocka_unit_test(policies_by_byte),
		cmocka_unit_test(random_segments),
		cmocka_unit_test(floods_are_bounded),
		cmocka_unit_test(oldest_gives_way),
		cmocka_unit_test(stopped),
		cmocka_unit_test(read_back),
		cmocka_unit_test(beyond_4_gb),
	};

	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
