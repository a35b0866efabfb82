// SPDX-License-Identifier: Apache-2.0
// The readers on captures made by hand: every variant of both formats, and lies of every kind.
#include "port/capture_testing.h"

#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void same(const char *title, const char *what, int64_t is, int64_t should_be)
{
	if (is != should_be)
		fail_msg("%s: %s is %lld, not %lld", title, what, (long long)is, (long long)should_be);
}

struct reading {
	struct capture *capture;
	struct memory memory;
	struct capture_record records[16];
	unsigned count;
	int result; // of the call after the last record
};

static void read_all(struct reading *reading, const struct bytes *bytes)
{
	struct capture_error why = { .text = "" };
	int opened = open_memory(&reading->capture, &reading->memory, bytes->at, bytes->length, 0, &why);

	reading->count = 0;
	reading->result = opened;
	if (opened)
		return;
	while ((reading->result = capture_next(reading->capture, &reading->records[reading->count])) > 0)
		assert_true(++reading->count < COUNT(reading->records));
	if (reading->result < 0)
		assert_non_null(capture_damage(reading->capture));
}

// ---- pcap

static void pcap_is_read_in_every_variant(void **)
{
	static const struct {
		uint32_t magic, extra; // bytes between a record's header and its packet
		uint64_t time_ns;
	} cases[] = {
		{ 0xa1b2c3d4, 0, 7000000009000 },
		{ 0xa1b23c4d, 0, 7000000000009 },
		{ 0xa1b2cd34, 8, 7000000009000 },
	};

	for (unsigned i = 0; i < 2 * COUNT(cases); i++) {
		struct bytes bytes = { .is_big = i % 2 };
		struct reading reading;

		put_pcap(&bytes, cases[i / 2].magic, 65535, 101);
		for (uint32_t packet = 0; packet < 3; packet++) {
			put32(&bytes, 7000);
			put32(&bytes, 9);
			put32(&bytes, 5);
			put32(&bytes, 60 + packet);
			put_number(&bytes, 0xee, cases[i / 2].extra);
			put_payload(&bytes, 5);
		}
		read_all(&reading, &bytes);
		assert_int_equal(reading.result, 0);
		assert_int_equal(reading.count, 3);
		assert_int_equal(reading.records[2].time_ns, cases[i / 2].time_ns);
		assert_int_equal(reading.records[2].original, 62);
		assert_int_equal(reading.records[2].link_type, 101);
		assert_memory_equal(reading.records[2].bytes, "\1\2\3\4\5", 5);
		assert_true(reading.records[2].has_time);
		capture_close(&reading.capture);
	}
}

static void pcap_lengths_are_taken_as_they_are_or_refused(void **)
{
	static const struct {
		const char *title;
		uint16_t major, minor;
		uint32_t snap, link, first, second; // the two lengths as they lie in the file
		int result;
		uint32_t captured, original, fcs;
	} cases[] = {
		{ "usual", 2, 4, 65535, 1, 60, 1500, 0, 60, 1500, 0 },
		{ "snap length 0", 2, 4, 0, 1, 60, 60, 0, 60, 60, 0 },
		{ "longer than the snap length", 2, 4, 10, 1, 60, 60, 0, 60, 60, 0 },
		{ "captured more than there was", 2, 4, 65535, 1, 60, 40, 0, 60, 40, 0 },
		{ "version 2.2: exchanged", 2, 2, 65535, 1, 1500, 60, 0, 60, 1500, 0 },
		{ "version 2.3: exchanged", 2, 3, 65535, 1, 1500, 60, 0, 60, 1500, 0 },
		{ "version 2.3: not exchanged", 2, 3, 65535, 1, 60, 1500, 0, 60, 1500, 0 },
		{ "version 543.0: exchanged", 543, 0, 65535, 1, 1500, 60, 0, 60, 1500, 0 },
		{ "version 3.0", 3, 0, 65535, 1, 60, 60, -ENOTSUP, 0, 0, 0 },
		{ "4 bytes of FCS, whole", 2, 4, 65535, 0x24000001, 60, 60, 0, 56, 56, 4 },
		{ "4 bytes of FCS, one captured", 2, 4, 65535, 0x24000001, 60, 63, 0, 59, 59, 1 },
		{ "4 bytes of FCS, none captured", 2, 4, 65535, 0x24000001, 60, 64, 0, 60, 60, 0 },
		{ "4 bytes of FCS, lengths that lie", 2, 4, 65535, 0x24000001, 60, 2, 0, 60, 2, 0 },
		{ "4 bytes of FCS, 2 in all", 2, 4, 65535, 0x24000001, 2, 2, 0, 2, 2, 0 },
		{ "FCS length without its flag", 2, 4, 65535, 0x20000001, 60, 60, 0, 60, 60, 0 },
		{ "reserved bits", 2, 4, 65535, 0x02240001, 60, 60, -ENOTSUP, 0, 0, 0 },
		{ "longer than the file", 2, 4, 65535, 1, 61, 61, -EBADMSG, 0, 0, 0 },
		{ "absurd", 2, 4, 65535, 1, 0xfffffff0, 60, -EBADMSG, 0, 0, 0 },
		{ "absurd, and the snap length too", 2, 4, UINT32_MAX, 1, 0xfffffff0, 60, -EBADMSG, 0, 0, 0 },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct bytes bytes = { 0 };
		struct reading reading;

		put_pcap(&bytes, 0xa1b2c3d4, cases[i].snap, cases[i].link);
		bytes.length = 4;
		put16(&bytes, cases[i].major);
		put16(&bytes, cases[i].minor);
		bytes.length = 24;
		put32(&bytes, 1);
		put32(&bytes, 0);
		put32(&bytes, cases[i].first);
		put32(&bytes, cases[i].second);
		put_payload(&bytes, cases[i].first < 60 ? cases[i].first : 60);
		read_all(&reading, &bytes);
		same(cases[i].title, "result", reading.result, cases[i].result);
		same(cases[i].title, "count", reading.count, cases[i].result == 0);
		if (reading.count) {
			same(cases[i].title, "captured", reading.records[0].captured, cases[i].captured);
			same(cases[i].title, "original", reading.records[0].original, cases[i].original);
			same(cases[i].title, "fcs", reading.records[0].fcs, cases[i].fcs);
		}
		capture_close(&reading.capture);
	}
}

// ---- pcapng

// As another machine wrote it, byte by byte.
static void pcapng_in_big_endian_is_read(void **)
{
	static const uint8_t table[] = {
		0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0, // section 1.0
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 28,
		0, 0, 0, 1, 0, 0, 0, 40, 0, 113, 0, 0, 0, 0, 0, 64, // interface: LINUX_SLL, snap length 64
		0, 2, 0, 3, 'e', 't', 0x1b, 0, 0, 9, 0, 1, 0x94, 0, 0, 0, // name, ticks of 2^-20 s
		0, 0, 0, 0, 0, 0, 0, 40,
		0, 0, 0, 6, 0, 0, 0, 36, 0, 0, 0, 0, 0, 0, 0, 1, 0x00, 0x08, 0, 0, // 2^32 + 2^19 ticks
		0, 0, 0, 3, 0, 0, 0, 99, 'a', 'b', 'c', 0, 0, 0, 0, 36,
	};
	struct bytes bytes = { .length = sizeof(table) };
	struct reading reading;

	memcpy(bytes.at, table, sizeof(table));
	read_all(&reading, &bytes);
	assert_int_equal(reading.result, 0);
	assert_int_equal(reading.count, 1);
	assert_int_equal(reading.records[0].time_ns, 4096500000000);
	assert_int_equal(reading.records[0].captured, 3);
	assert_int_equal(reading.records[0].original, 99);
	assert_int_equal(reading.records[0].link_type, 113);
	assert_memory_equal(reading.records[0].bytes, "abc", 3);
	assert_string_equal(capture_interface_at(reading.capture, 0)->name, "et?");
	assert_int_equal(capture_interface_at(reading.capture, 0)->snap_length, 64);
	assert_null(capture_interface_at(reading.capture, 1));
	capture_close(&reading.capture);
}

static void sections_have_their_own_order_and_interfaces(void **)
{
	struct bytes bytes = { 0 };
	struct reading reading;
	struct capture_stats stats;
	size_t begins;

	put_section(&bytes, false);
	put_interface(&bytes, 1, 0, 6, 0);
	put_enhanced(&bytes, 0, 5000000, 10, 10);
	put_section(&bytes, true);
	put_interface(&bytes, 228, 4, 9, 100);
	put_interface(&bytes, 113, 0, 3, -1);
	begins = begin_block(&bytes, 3); // simple: 9 bytes on the wire, 4 by the snap length
	put32(&bytes, 9);
	put_payload(&bytes, 4);
	end_block(&bytes, begins);
	begins = begin_block(&bytes, 0x0bad); // custom: of no interest
	put_payload(&bytes, 40);
	end_block(&bytes, begins);
	begins = begin_block(&bytes, 2); // the old packet block, second interface, 7 drops
	put16(&bytes, 1);
	put16(&bytes, 7);
	put32(&bytes, 0);
	put32(&bytes, 3500);
	put32(&bytes, 2);
	put32(&bytes, 2);
	put_payload(&bytes, 2);
	end_block(&bytes, begins);
	put_section(&bytes, true);
	put_interface(&bytes, 101, 0, 9, 0);
	put_enhanced(&bytes, 0, 77, 1, 1);

	read_all(&reading, &bytes);
	assert_int_equal(reading.result, 0);
	assert_int_equal(reading.count, 4);
	static const struct {
		uint64_t time_ns;
		uint32_t captured, original, interface;
		uint16_t link_type;
		bool has_time;
	} expected[] = {
		{ 5000000000, 10, 10, 0, 1, true },
		{ 0, 4, 9, 1, 228, false },
		{ 2500000000, 2, 2, 2, 113, true },
		{ 77, 1, 1, 3, 101, true },
	};

	for (unsigned i = 0; i < COUNT(expected); i++) {
		assert_int_equal(reading.records[i].time_ns, expected[i].time_ns);
		assert_int_equal(reading.records[i].captured, expected[i].captured);
		assert_int_equal(reading.records[i].original, expected[i].original);
		assert_int_equal(reading.records[i].interface, expected[i].interface);
		assert_int_equal(reading.records[i].link_type, expected[i].link_type);
		assert_int_equal(reading.records[i].has_time, expected[i].has_time);
		assert_int_equal(reading.records[i].bytes[0], 1);
	}
	stats = capture_stats(reading.capture);
	assert_int_equal(stats.packets, 4);
	assert_int_equal(stats.captured_bytes, 17);
	assert_int_equal(stats.wire_bytes, 22);
	assert_int_equal(stats.snapped, 1);
	assert_int_equal(stats.timeless, 1);
	assert_int_equal(stats.skipped_blocks, 1);
	assert_int_equal(stats.sections, 3);
	assert_int_equal(stats.interfaces, 4);
	assert_null(capture_damage(reading.capture));
	assert_true(capture_is_pcapng(reading.capture));
	capture_close(&reading.capture);
}

static void every_resolution_becomes_nanoseconds(void **)
{
	static const uint64_t none = UINT64_MAX;
	static const struct {
		uint8_t resolution;
		int64_t offset_s;
		uint64_t ticks, time_ns;
	} cases[] = {
		{ 0, 0, 5, 5000000000 },
		{ 0, 0, 9223372036, 9223372036000000000 },
		{ 0, 0, 9223372037, none },
		{ 0, 0, UINT64_MAX, none },
		{ 3, 0, 1500, 1500000000 },
		{ 6, 0, 1340954905298858, 1340954905298858000 },
		{ 6, 0, UINT64_MAX, none },
		{ 9, 0, INT64_MAX, INT64_MAX },
		{ 9, 0, (uint64_t)INT64_MAX + 1, none },
		{ 12, 0, 1999, 1 },
		{ 18, 0, UINT64_MAX, 18446744073 },
		{ 28, 0, 10000000000000000000u, 1 },
		{ 29, 0, UINT64_MAX, 0 },
		{ 127, 0, UINT64_MAX, 0 },
		{ 0x80, 0, 7, 7000000000 },
		{ 0x80, 0, UINT64_MAX, none },
		{ 0x94, 0, (3 << 20) + (1 << 19), 3500000000 },
		{ 0xa0, 0, 0x180000000, 1500000000 },
		{ 0xbf, 0, UINT64_MAX, 1999999999 },
		{ 0xc0, 0, UINT64_MAX, 999999999 },
		{ 0xff, 0, UINT64_MAX, 0 },
		{ 9, 1000, 5, 1000000000005 },
		{ 9, -1, 1000000000, 0 },
		{ 9, -1, 999999999, none },
		{ 9, INT64_MIN, UINT64_MAX, none },
		{ 9, INT64_MAX, 0, none },
		{ 0, -10, 9223372046, 9223372036000000000 },
	};

	for (unsigned i = 0; i < 2 * COUNT(cases); i++) {
		struct bytes bytes = { 0 };
		struct reading reading;
		bool has_time = cases[i / 2].time_ns != none;

		put_section(&bytes, i % 2);
		put_interface(&bytes, 1, 0, cases[i / 2].resolution, cases[i / 2].offset_s);
		put_enhanced(&bytes, 0, cases[i / 2].ticks, 1, 1);
		read_all(&reading, &bytes);
		assert_int_equal(reading.count, 1);
		assert_int_equal(reading.records[0].has_time, has_time);
		assert_int_equal(reading.records[0].time_ns, has_time ? cases[i / 2].time_ns : 0);
		assert_int_equal(capture_stats(reading.capture).timeless, !has_time);
		capture_close(&reading.capture);
	}
}

enum { ZERO = 1 };

// A block with a body of 32-bit words and lengths of one's own choice: 0 the right ones, ZERO 0.
struct lie {
	const char *title;
	uint32_t type, words[12], count, first_length, last_length;
	int result;
	uint32_t packets, lost, bad_options, skipped; // with the sound packet that follows, if it is reached
};

static void pcapng_lies_do_no_harm(void **)
{
	static const struct lie lies[] = {
		{ "no body", 6, { 0 }, 0, 0, 0, 0, 1, 1, 0, 0 },
		{ "unknown interface", 6, { 1, 0, 0, 4, 4, 0 }, 6, 0, 0, 0, 1, 1, 0, 0 },
		{ "interface 4294967295", 6, { UINT32_MAX, 0, 0, 4, 4, 0 }, 6, 0, 0, 0, 1, 1, 0, 0 },
		{ "longer than its block", 6, { 0, 0, 0, 5, 5, 0 }, 6, 0, 0, 0, 1, 1, 0, 0 },
		{ "4294967295 bytes", 6, { 0, 0, 0, UINT32_MAX, 5, 0 }, 6, 0, 0, 0, 1, 1, 0, 0 },
		{ "header cut", 6, { 0, 0, 0, 0 }, 4, 0, 0, 0, 1, 1, 0, 0 },
		{ "old packet, unknown interface", 2, { 1, 0, 0, 4, 4, 0 }, 6, 0, 0, 0, 1, 1, 0, 0 },
		{ "old packet, header cut", 2, { 0, 0 }, 2, 0, 0, 0, 1, 1, 0, 0 },
		{ "simple packet without a length", 3, { 0 }, 0, 0, 0, 0, 1, 1, 0, 0 },
		{ "simple packet, longer than its block", 3, { 2000, 0 }, 2, 0, 0, 0, 2, 0, 0, 0 },
		{ "option longer than the rest", 6, { 0, 0, 0, 0, 0, 0x00050001 }, 6, 0, 0, 0, 2, 0, 1, 0 },
		{ "option a little longer", 6, { 0, 0, 0, 0, 0, 0x00060001, 0 }, 7, 0, 0, 0, 2, 0, 1, 0 },
		{ "option cut", 6, { 0, 0, 0, 0, 0, 0xffff0001, 0 }, 7, 0, 0, 0, 2, 0, 1, 0 },
		{ "flags of one byte", 6, { 0, 0, 0, 0, 0, 0x00010002, 0 }, 7, 0, 0, 0, 2, 0, 1, 0 },
		{ "flags and no end", 6, { 0, 0, 0, 0, 0, 0x00040002, 0 }, 7, 0, 0, 0, 2, 0, 0, 0 },
		{ "resolution of two bytes", 1, { 1, 0, 0x00020009, 0 }, 4, 0, 0, 0, 1, 0, 1, 0 },
		{ "offset of four bytes", 1, { 1, 0, 0x0004000e, 0 }, 4, 0, 0, 0, 1, 0, 1, 0 },
		{ "interface cut", 1, { 1 }, 1, 0, 0, -EBADMSG, 0, 0, 0, 0 },
		{ "unknown block", 0x7777, { 1, 2, 3 }, 3, 0, 0, 0, 1, 0, 0, 1 },
		{ "unknown block, empty", 0x80000001, { 0 }, 0, 0, 0, 0, 1, 0, 0, 1 },
		{ "unknown block, lengths differ", 0x7777, { 1, 2, 3 }, 3, 0, 28, -EBADMSG, 0, 0, 0, 0 },
		{ "unknown block of 4 GB", 0x7777, { 1, 2, 3 }, 3, 0xfffffffc, 0, -EBADMSG, 0, 0, 0, 0 },
		{ "lengths differ", 6, { 0, 0, 0, 0, 0 }, 5, 0, 36, -EBADMSG, 0, 0, 0, 0 },
		{ "length 0", 6, { 0, 0, 0, 0, 0 }, 5, ZERO, 0, -EBADMSG, 0, 0, 0, 0 },
		{ "length 8", 6, { 0, 0, 0, 0, 0 }, 5, 8, 0, -EBADMSG, 0, 0, 0, 0 },
		{ "length 33", 6, { 0, 0, 0, 0, 0 }, 5, 33, 0, -EBADMSG, 0, 0, 0, 0 },
		{ "length 22", 0x7777, { 0, 0, 22 << 16, 0 }, 4, 22, 0, -EBADMSG, 0, 0, 0, 0 },
		{ "length 4 GB", 6, { 0, 0, 0, 0, 0 }, 5, 0xfffffff0, 0, -EBADMSG, 0, 0, 0, 0 },
		{ "section of another kind", 0x0a0d0d0a, { 5, 1, 0, 0 }, 4, 0, 0, -EBADMSG, 0, 0, 0, 0 },
		{ "section cut", 0x0a0d0d0a, { 0x1a2b3c4d, 1 }, 2, 0, 0, -EBADMSG, 0, 0, 0, 0 },
		{ "section of version 2", 0x0a0d0d0a, { 0x1a2b3c4d, 2, 0, 0 }, 4, 0, 0, -EBADMSG, 0, 0, 0, 0 },
		{ "section without interfaces", 0x0a0d0d0a, { 0x1a2b3c4d, 1, 0, 0 }, 4, 0, 0, 0, 0, 1, 0, 0 },
	};

	for (const struct lie *lie = lies; lie < lies + COUNT(lies); lie++) {
		struct bytes bytes = { 0 };
		struct reading reading;
		struct capture_stats stats;
		uint32_t total = 12 + 4 * lie->count;

		put_section(&bytes, false);
		put_interface(&bytes, 1, 0, 6, 0);
		put32(&bytes, lie->type);
		put32(&bytes, lie->first_length == ZERO ? 0 : lie->first_length ? lie->first_length : total);
		for (uint32_t i = 0; i < lie->count; i++)
			put32(&bytes, lie->words[i]);
		put32(&bytes, lie->last_length ? lie->last_length : total);
		put_enhanced(&bytes, 0, 1, 8, 8);
		read_all(&reading, &bytes);
		stats = capture_stats(reading.capture);
		same(lie->title, "result", reading.result, lie->result);
		same(lie->title, "packets", reading.count, lie->packets);
		same(lie->title, "lost", stats.lost_packets, lie->lost);
		same(lie->title, "bad options", stats.bad_options, lie->bad_options);
		same(lie->title, "skipped", stats.skipped_blocks, lie->skipped);
		same(lie->title, "damage", !!capture_damage(reading.capture),
			lie->result || lie->lost || lie->bad_options);
		capture_close(&reading.capture);
	}
}

// The interface may say how long the check sequence is, in bits or bytes, and a packet may say
// otherwise.
static void check_sequences_are_cut_off(void **)
{
	static const struct {
		uint8_t fcslen;
		uint32_t flags, captured, original, fcs;
	} cases[] = {
		{ 0, 0, 60, 60, 0 },
		{ 4, 0, 56, 56, 4 },
		{ 32, 0, 56, 56, 4 },
		{ 16, 0, 58, 58, 2 },
		{ 4, 2 << 5, 58, 58, 2 },
		{ 0, 4 << 5 | 1, 56, 56, 4 },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct bytes bytes = { 0 };
		struct reading reading;
		size_t begins;

		put_section(&bytes, i % 2);
		begins = begin_block(&bytes, 1);
		put32(&bytes, bytes.is_big ? 1 << 16 : 1);
		put32(&bytes, 0);
		put_option(&bytes, 13, &cases[i].fcslen, 1);
		end_block(&bytes, begins);
		begins = begin_block(&bytes, 6);
		for (unsigned word = 0; word < 5; word++)
			put32(&bytes, word < 3 ? 0 : 60);
		put_payload(&bytes, 60);
		put16(&bytes, 2);
		put16(&bytes, 4);
		put32(&bytes, cases[i].flags);
		put_option(&bytes, 0, "", 0);
		end_block(&bytes, begins);
		read_all(&reading, &bytes);
		assert_int_equal(reading.count, 1);
		assert_int_equal(reading.records[0].captured, cases[i].captured);
		assert_int_equal(reading.records[0].original, cases[i].original);
		assert_int_equal(reading.records[0].fcs, cases[i].fcs);
		assert_null(capture_damage(reading.capture));
		capture_close(&reading.capture);
	}
}

static void names_are_fit_for_a_terminal(void **)
{
	static const struct {
		const char *name, *shown;
	} cases[] = {
		{ "eth0", "eth0" },
		{ "a\x1b[2Jb\x7f", "a?[2Jb?" },
		{ "L\xc3\xb6we", "L\xc3\xb6we" },
		{ "c1\xc2\x9b.", "c1??." },
		{ "01234567890123456789012345678901234567890123456789012345678901\xc3\xb6z",
			"01234567890123456789012345678901234567890123456789012345678901" },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct bytes bytes = { 0 };
		struct reading reading;
		size_t begins;

		put_section(&bytes, false);
		begins = begin_block(&bytes, 1);
		put32(&bytes, 1);
		put32(&bytes, 0);
		put_option(&bytes, 2, cases[i].name, (uint16_t)strlen(cases[i].name));
		end_block(&bytes, begins);
		read_all(&reading, &bytes);
		assert_string_equal(capture_interface_at(reading.capture, 0)->name, cases[i].shown);
		capture_close(&reading.capture);
	}
}

static void link_types_have_names(void **)
{
	static const uint16_t decoded[] = { 1, 0, 108, 12, 14, 101, 228, 229, 113, 276, 9, 50, 104, 51 };

	for (unsigned i = 0; i < COUNT(decoded); i++) {
		assert_true(capture_link_is_decoded(decoded[i]));
		assert_int_equal(capture_link_number(capture_link_name(decoded[i])), decoded[i]);
	}
	assert_string_equal(capture_link_name(105), "IEEE802_11");
	assert_false(capture_link_is_decoded(105));
	assert_int_equal(capture_link_number("ethernet"), 1);
	assert_int_equal(capture_link_number("tokenring"), -1);
	assert_null(capture_link_name(65000));
	assert_false(capture_link_is_decoded(65000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcap_is_read_in_every_variant),
		cmocka_unit_test(pcap_lengths_are_taken_as_they_are_or_refused),
		cmocka_unit_test(pcapng_in_big_endian_is_read),
		cmocka_unit_test(sections_have_their_own_order_and_interfaces),
		cmocka_unit_test(every_resolution_becomes_nanoseconds),
		cmocka_unit_test(pcapng_lies_do_no_harm),
		cmocka_unit_test(check_sequences_are_cut_off),
		cmocka_unit_test(names_are_fit_for_a_terminal),
		cmocka_unit_test(link_types_have_names),
	};

	return cmocka_run_group_tests_name("capture_format", tests, NULL, NULL);
}
