// SPDX-License-Identifier: Apache-2.0
// Fragments: what completes and what does not, the policies, bounds; headers are as if nothing had been cut.
#include "flow/fragments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SECOND = 1000000000 };

static void *keep(void *context, void *packet)
{
	++*(unsigned *)context;
	return packet;
}

static void let_go(void *context, void *handle)
{
	(void)handle;
	--*(unsigned *)context;
}

static uint32_t make_ipv4(
	uint8_t *packet, unsigned id, unsigned offset, bool more, const char *payload, uint32_t length)
{
	uint8_t header[24] = { 0x46, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0xee, 0xee, 10, 0, 0, 1, 10, 0, 0, 2, 1, 1, 1, 0 };

	header[2] = (uint8_t)((24 + length) >> 8);
	header[3] = (uint8_t)(24 + length);
	header[4] = (uint8_t)(id >> 8);
	header[5] = (uint8_t)id;
	header[6] = (uint8_t)(offset / 8 >> 8 | (more ? 0x20 : 0));
	header[7] = (uint8_t)(offset / 8);
	memcpy(packet, header, 24);
	memcpy(packet + 24, payload, length);
	return 24 + length;
}

// With a header of destination options before the fragment header.
static uint32_t make_ipv6(
	uint8_t *packet, unsigned id, unsigned offset, bool more, const char *payload, uint32_t length)
{
	uint8_t header[56] = { 0x60, 0, 0, 0, 0, 0, 60, 64 };
	uint8_t last[8] = { 17, 0, (uint8_t)(offset >> 8), (uint8_t)(offset | more), 0, 0,
		(uint8_t)(id >> 8), (uint8_t)id };

	header[4] = (uint8_t)((16 + length) >> 8);
	header[5] = (uint8_t)(16 + length);
	header[8] = header[24] = 0xfe;
	header[40] = 44;
	header[42] = 1; // PadN
	header[43] = 4;
	memcpy(header + 48, last, 8);
	memcpy(packet, header, 56);
	memcpy(packet + 56, payload, length);
	return 56 + length;
}

// ---- stories: "OFFSET[+] text" a fragment, + if more follow; of the version that the story has

struct story {
	const char *title;
	unsigned version;
	const char *steps[8];
	const char *whole; // what completes, or NULL
	enum fragment_result last;
};

static const struct story stories[] = {
	{ "in order", 4, { "0+ aaaaaaaa", "8 bbb" }, "aaaaaaaabbb", FRAGMENT_COMPLETES },
	{ "last first", 4, { "8 bbb", "0+ aaaaaaaa" }, "aaaaaaaabbb", FRAGMENT_COMPLETES },
	{ "three, mixed", 4, { "8+ bbbbbbbb", "16 c", "0+ aaaaaaaa" }, "aaaaaaaabbbbbbbbc", FRAGMENT_COMPLETES },
	{ "a hole", 4, { "0+ aaaaaaaa", "16 c" }, NULL, FRAGMENT_WAITS },
	{ "no end", 4, { "0+ aaaaaaaa", "8+ bbbbbbbb" }, NULL, FRAGMENT_WAITS },
	{ "twice", 4, { "0+ aaaaaaaa", "0+ aaaaaaaa", "8 b" }, "aaaaaaaab", FRAGMENT_COMPLETES },
	{ "no multiple of 8", 4, { "0+ aaaaaaa", "8 b" }, NULL, FRAGMENT_WAITS },
	{ "two ends", 4, { "8 bb", "8 bbb" }, NULL, FRAGMENT_BAD },
	{ "behind the end", 4, { "8 bb", "16+ cccccccc" }, NULL, FRAGMENT_BAD },
	{ "an end before what is there", 4, { "16+ cccccccc", "8 b" }, NULL, FRAGMENT_BAD },
	{ "beyond 64 kB", 4, { "65528 bbbbbbbb" }, NULL, FRAGMENT_BAD },
	{ "overlap", 4, { "0+ aaaaaaaaaaaaaaaa", "8+ bbbbbbbb", "16 c" }, "aaaaaaaaaaaaaaaac", FRAGMENT_COMPLETES },
	{ "IPv6", 6, { "8 bbb", "0+ aaaaaaaa" }, "aaaaaaaabbb", FRAGMENT_COMPLETES },
	{ "IPv6 twice the same", 6, { "0+ aaaaaaaa", "0+ aaaaaaaa", "8 b" }, "aaaaaaaab", FRAGMENT_COMPLETES },
	{ "IPv6 overlap", 6, { "0+ aaaaaaaaaaaaaaaa", "8+ aaaaaaaa" }, NULL, FRAGMENT_OVERLAPS },
	{ "IPv6 behind an overlap", 6, { "0+ aaaaaaaaaaaaaaaa", "8+ aaaaaaaa", "0+ aaaaaaaa", "8 b" }, NULL,
	  FRAGMENT_OVERLAPS },
	{ "IPv6 other bytes", 6, { "0+ aaaaaaaa", "0+ aaaaaaax" }, NULL, FRAGMENT_OVERLAPS },
	{ "IPv6 alone", 6, { "0+ aaaaaaaa", "0 z" }, "z", FRAGMENT_COMPLETES },
	{ "IPv6 beyond 64 kB", 6, { "65528 bbbbbbbb" }, NULL, FRAGMENT_BAD },
};

static enum fragment_result step(struct fragments *fragments, unsigned version, const char *text, uint64_t now_ns,
	const uint8_t **whole, uint32_t *length)
{
	unsigned offset = (unsigned)atoi(text);
	const char *payload = strchr(text, ' ') + 1;
	bool more = payload[-2] == '+';
	uint8_t *packet = malloc(56 + strlen(payload));
	struct fragment fragment;
	enum fragment_result result;
	uint32_t size = version == 4
		? make_ipv4(packet, 7, offset, more, payload, (uint32_t)strlen(payload))
		: make_ipv6(packet, 7, offset, more, payload, (uint32_t)strlen(payload));

	assert_true(fragment_read(&fragment, packet, size));
	for (uint32_t cut = 0; cut < size; cut++) {
		struct fragment other;
		uint8_t *less = malloc(cut + 1);

		memcpy(less, packet, cut);
		assert_false(fragment_read(&other, less, cut));
		free(less);
	}
	result = fragments_add(fragments, &fragment, 0, NULL, now_ns, whole, length);
	free(packet);
	return result;
}

static void check_header(const uint8_t *whole, uint32_t length, unsigned version)
{
	uint32_t sum = 0;

	if (version == 6) {
		assert_int_equal(whole[4] << 8 | whole[5], length - 40);
		assert_int_equal(whole[6], 60);
		assert_int_equal(whole[40], 17);
		return;
	}
	assert_int_equal(whole[2] << 8 | whole[3], length);
	assert_int_equal(whole[6] | whole[7], 0);
	for (unsigned i = 0; i < 24; i += 2)
		sum += (uint32_t)whole[i] << 8 | whole[i + 1];
	assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
}

static void datagrams(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(stories) / sizeof(*stories); i++) {
		const struct story *story = &stories[i];
		enum fragment_result result = FRAGMENT_WAITS;
		struct fragments fragments;
		const uint8_t *whole = NULL;
		uint32_t length = 0;
		unsigned kept = 0;

		assert_int_equal(fragments_init(&fragments, &fragments_limits_default,
					 &(struct keeper){ &kept, keep, let_go }), 0);
		for (unsigned k = 0; k < 8 && story->steps[k]; k++)
			result = step(&fragments, story->version, story->steps[k], k, &whole, &length);
		if (result != story->last)
			fail_msg("%s: %d, must be %d", story->title, result, story->last);
		if (story->whole) {
			uint32_t header = story->version == 4 ? 24 : 48;

			check_header(whole, length, story->version);
			assert_int_equal(length, header + strlen(story->whole));
			assert_memory_equal(whole + header, story->whole, length - header);
		}
		fragments_uninit(&fragments);
	}
}

// Old bytes at 8..24; new ones begin and end before, with and behind them.
static void policies(void **state)
{
	static const struct {
		enum overlap_policy policy;
		const char *before, *same, *longer, *behind, *around; // 0..16, 8..24, 8..32, 16..32, 0..32
	} cases[] = {
		{ OVERLAP_FIRST, "noo", "oo", "oon", "oon", "noon" },
		{ OVERLAP_LAST, "nno", "nn", "nnn", "onn", "nnnn" },
		{ OVERLAP_BSD, "nno", "oo", "oon", "oon", "nnnn" },
		{ OVERLAP_LINUX, "nno", "nn", "nnn", "oon", "nnnn" },
		{ OVERLAP_OLD_LINUX, "nno", "nn", "nnn", "oon", "nnnn" },
		{ OVERLAP_SOLARIS, "noo", "oo", "oon", "oon", "nnnn" },
		{ OVERLAP_WINDOWS, "noo", "oo", "oon", "oon", "nnnn" },
	};
	static const unsigned ranges[5][2] = { { 0, 16 }, { 8, 24 }, { 8, 32 }, { 16, 32 }, { 0, 32 } };
	static const char *const texts[] = { "nnnnnnnnnnnnnnnn", "nnnnnnnnnnnnnnnnnnnnnnnn",
		"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" };

	(void)state;
	for (unsigned i = 0; i < OVERLAP_POLICIES; i++)
		for (unsigned k = 0; k < 5; k++) {
			struct fragments_limits limits = fragments_limits_default;
			const char *must = (&cases[i].before)[k];
			char text[64], is[8] = "";
			struct fragments fragments;
			const uint8_t *whole;
			unsigned kept = 0, n = ranges[k][1] - ranges[k][0];
			uint32_t length;

			limits.policy = cases[i].policy;
			assert_int_equal(fragments_init(&fragments, &limits,
						 &(struct keeper){ &kept, keep, let_go }),
				0);
			step(&fragments, 4, "8+ oooooooooooooooo", 1, &whole, &length);
			snprintf(text, sizeof(text), "%u+ %s", ranges[k][0], texts[n / 8 - 2]);
			step(&fragments, 4, text, 2, &whole, &length);
			if (ranges[k][0])
				step(&fragments, 4, "0+ ssssssss", 3, &whole, &length);
			snprintf(text, sizeof(text), "%u e", ranges[k][1] > 24 ? 32 : 24);
			assert_int_equal(step(&fragments, 4, text, 4, &whole, &length), FRAGMENT_COMPLETES);
			for (uint32_t at = 24; at + 8 <= length; at += 8)
				if (whole[at] != 's')
					strncat(is, (const char *)whole + at, 1);
			assert_string_equal(is, must);
			assert_int_equal(fragments.conflicts > 0, 1);
			fragments_uninit(&fragments);
		}
}

static void time_and_bounds(void **state)
{
	struct fragments_limits limits = fragments_limits_default;
	struct fragments fragments;
	const uint8_t *whole;
	uint8_t packet[1500];
	char payload[1400];
	unsigned kept = 0;
	uint32_t length;

	(void)state;
	limits.datagrams = 8;
	limits.fragments = 20;
	limits.fragments_per_datagram = 6;
	limits.copies = limits.handles = 10;
	memset(payload, 'p', sizeof(payload));
	assert_int_equal(fragments_init(&fragments, &limits, &(struct keeper){ &kept, keep, let_go }), 0);
	for (unsigned i = 0; i < 5000; i++) { // never whole
		struct fragment fragment;
		uint32_t size = make_ipv4(packet, i / 3, 8 + i % 3 * 1400, true, payload, i % 2 ? 8 : 1400);

		assert_true(fragment_read(&fragment, packet, size));
		fragments_add(&fragments, &fragment, i & 1, packet, i, &whole, &length);
		assert_true(fragments.waiting <= 8 && fragments.pieces.pieces_used <= 20 && kept <= 10);
	}
	assert_true(fragments.evicted > 1000);
	fragments_settle(&fragments, 100ull * SECOND);
	assert_int_equal(fragments.waiting, 0);
	assert_int_equal(kept, 0);
	step(&fragments, 4, "0+ aaaaaaaa", 100ull * SECOND, &whole, &length);
	assert_int_equal(step(&fragments, 4, "8 b", 130ull * SECOND, &whole, &length), FRAGMENT_WAITS);
	assert_int_equal(step(&fragments, 4, "0+ aaaaaaaa", 131ull * SECOND, &whole, &length), FRAGMENT_COMPLETES);
	for (unsigned i = 0; i < 5; i++) { // too many of one
		char text[32];

		snprintf(text, sizeof(text), "%u+ xxxxxxxx", 8 + 16 * i);
		assert_int_equal(step(&fragments, 4, text, 131ull * SECOND, &whole, &length), FRAGMENT_WAITS);
	}
	assert_int_equal(step(&fragments, 4, "88+ xxxxxxxx", 131ull * SECOND, &whole, &length), FRAGMENT_NO_ROOM);
	fragments_uninit(&fragments);
}

// The same number in two places are two datagrams.
static void places(void **state)
{
	struct fragments fragments;
	struct fragment fragment;
	const uint8_t *whole;
	uint8_t packet[64];
	unsigned kept = 0;
	uint32_t length;

	(void)state;
	assert_int_equal(fragments_init(&fragments, &fragments_limits_default,
				 &(struct keeper){ &kept, keep, let_go }),
		0);
	fragment_read(&fragment, packet, make_ipv4(packet, 1, 0, true, "aaaaaaaa", 8));
	assert_int_equal(fragments_add(&fragments, &fragment, 1, NULL, 1, &whole, &length), FRAGMENT_WAITS);
	fragment_read(&fragment, packet, make_ipv4(packet, 1, 8, false, "b", 1));
	assert_int_equal(fragments_add(&fragments, &fragment, 2, NULL, 1, &whole, &length), FRAGMENT_WAITS);
	assert_int_equal(fragments_add(&fragments, &fragment, 1, NULL, 1, &whole, &length), FRAGMENT_COMPLETES);
	fragments_uninit(&fragments);
}

static void no_fragments(void **state)
{
	struct fragment fragment;
	uint8_t packet[80];

	(void)state;
	make_ipv4(packet, 1, 0, false, "aaaaaaaa", 8);
	assert_false(fragment_read(&fragment, packet, 32));
	packet[0] = 0x41;
	assert_false(fragment_read(&fragment, packet, 32));
	packet[0] = 0x50;
	assert_false(fragment_read(&fragment, packet, 32));
	assert_false(fragment_read(&fragment, packet, 0));
	make_ipv6(packet, 1, 0, true, "aaaaaaaa", 8);
	packet[6] = 17;
	assert_false(fragment_read(&fragment, packet, 64));
	packet[6] = 60;
	packet[41] = 255;
	assert_false(fragment_read(&fragment, packet, 64));
	packet[40] = 60; // a chain that does not end
	packet[41] = 0;
	memset(packet + 48, 60, 16);
	assert_false(fragment_read(&fragment, packet, 64));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagrams),
		cmocka_unit_test(policies),
		cmocka_unit_test(time_and_bounds),
		cmocka_unit_test(places),
		cmocka_unit_test(no_fragments),
	};

	return cmocka_run_group_tests_name("fragments", tests, NULL, NULL);
}
