// SPDX-License-Identifier: Apache-2.0
// The writer: its bytes, its limits, and what it says when the disk is full.
#include "port/capture_testing.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char folder[64], path[128];

static const char *in_folder(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static int make_folder(void **)
{
	strcpy(folder, "/tmp/weir-capture-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **)
{
	static const char *const names[] = { "a.pcap", "b.pcap", "a.pcapng" };

	for (unsigned i = 0; i < COUNT(names); i++)
		unlink(in_folder(names[i]));
	return rmdir(folder);
}

static size_t load(const char *name, uint8_t *bytes, size_t room)
{
	int file = open(in_folder(name), O_RDONLY);
	ssize_t length = read(file, bytes, room);

	close(file);
	assert_true(length >= 0);
	return (size_t)length;
}

static struct capture_writer *create(const char *name, const struct capture_format *format)
{
	struct capture_error why;
	struct capture_writer *writer;

	if (capture_create(&writer, in_folder(name), format, &why))
		fail_msg("%s", why.text);
	return writer;
}

static const struct capture_record packet = {
	.bytes = (const uint8_t *)"hello", .captured = 5, .original = 9, .time_ns = 0x100000002, .link_type = 1,
	.has_time = true,
};

static void pcap_has_these_bytes(void **)
{
	static const uint8_t expected[] = {
		0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0,
		4, 0, 0, 0, 0x02, 0xd8, 0x94, 0x11, 5, 0, 0, 0, 9, 0, 0, 0, 'h', 'e', 'l', 'l', 'o',
	};
	struct capture_writer *writer = create("a.pcap", NULL);
	uint8_t bytes[256];

	assert_int_equal(capture_interface(writer, 1, 0, "not in pcap"), 0);
	assert_int_equal(capture_write(writer, &packet), 0);
	assert_int_equal(capture_finish(&writer, NULL), 0);
	assert_null(writer);
	assert_int_equal(load("a.pcap", bytes, sizeof(bytes)), sizeof(expected));
	assert_memory_equal(bytes, expected, sizeof(expected));

	writer = create("a.pcap", &(struct capture_format){ .microseconds = true });
	capture_interface(writer, 1, 0, NULL);
	assert_int_equal(capture_write(writer, &packet), 0);
	assert_int_equal(capture_finish(&writer, NULL), 0);
	assert_int_equal(load("a.pcap", bytes, sizeof(bytes)), sizeof(expected));
	assert_memory_equal(bytes, "\xd4\xc3\xb2\xa1", 4);
	assert_memory_equal(bytes + 28, "\x37\x80\x04\0", 4); // 294967 us
}

static void pcapng_has_these_bytes(void **)
{
	static const uint8_t expected[] = {
		0x0a, 0x0d, 0x0d, 0x0a, 40, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, // section 1.0
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		4, 0, 4, 0, 'w', 'e', 'i', 'r', 0, 0, 0, 0, 40, 0, 0, 0,
		1, 0, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, // interface
		2, 0, 4, 0, 'e', 't', 'h', '0', 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0,
		6, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 9, 0, 0, 0,
		'h', 'e', 'l', 'l', 'o', 0, 0, 0, 40, 0, 0, 0,
		3, 0, 0, 0, 24, 0, 0, 0, 5, 0, 0, 0, 'h', 'e', 'l', 'l', 'o', 0, 0, 0, 24, 0, 0, 0, // no time
	};
	struct capture_writer *writer = create("a.pcapng", NULL);
	struct capture_record timeless = packet;
	uint8_t bytes[256];

	timeless.has_time = false;
	timeless.original = 5;
	assert_int_equal(capture_interface(writer, 1, 0, "eth0"), 0);
	assert_int_equal(capture_write(writer, &packet), 0);
	assert_int_equal(capture_write(writer, &timeless), 0);
	assert_int_equal(capture_finish(&writer, NULL), 0);
	assert_int_equal(load("a.pcapng", bytes, sizeof(bytes)), sizeof(expected));
	assert_memory_equal(bytes, expected, sizeof(expected));
}

// pcapng can say "no time" of its first interface only.
static void no_time_on_another_interface_is_the_time_before(void **)
{
	struct capture_writer *writer = create("a.pcapng", NULL);
	struct capture_record record = packet;
	struct capture *capture;

	capture_interface(writer, 1, 0, NULL);
	capture_interface(writer, 1, 0, NULL);
	capture_write(writer, &packet);
	record.has_time = false;
	record.interface = 1;
	record.original = record.captured;
	capture_write(writer, &record);
	assert_int_equal(capture_finish(&writer, NULL), 0);
	assert_int_equal(capture_open(&capture, in_folder("a.pcapng"), NULL), 0);
	assert_int_equal(capture_next(capture, &record), 1);
	assert_int_equal(capture_next(capture, &record), 1);
	assert_int_equal(record.interface, 1);
	assert_int_equal(record.time_ns, packet.time_ns);
	capture_close(&capture);
}

static void the_name_or_the_caller_says_which_format(void **)
{
	static const struct {
		const char *name;
		enum capture_kind kind;
		uint8_t first;
	} cases[] = {
		{ "a.pcap", CAPTURE_BY_NAME, 0x4d },
		{ "a.pcapng", CAPTURE_BY_NAME, 0x0a },
		{ "a.pcap", CAPTURE_PCAPNG, 0x0a },
		{ "a.pcapng", CAPTURE_PCAP, 0x4d },
	};

	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct capture_writer *writer = create(cases[i].name, &(struct capture_format){ cases[i].kind, false });
		struct capture_record record;
		struct capture *capture;
		uint8_t first;

		assert_int_equal(capture_finish(&writer, NULL), 0);
		assert_int_equal(load(cases[i].name, &first, 1), 1);
		assert_int_equal(first, cases[i].first);
		// Without one packet or interface it can still be read.
		assert_int_equal(capture_open(&capture, in_folder(cases[i].name), NULL), 0);
		assert_int_equal(capture_next(capture, &record), 0);
		capture_close(&capture);
	}
}

static void interfaces_and_link_types_must_fit(void **)
{
	struct capture_record raw = packet;
	struct capture_writer *writer = create("a.pcap", NULL);

	raw.link_type = 101;
	assert_int_equal(capture_write(writer, &packet), -EINVAL);
	assert_int_equal(capture_interface(writer, 1, 0, NULL), 0);
	assert_int_equal(capture_interface(writer, 101, 0, NULL), -EINVAL);
	assert_int_equal(capture_interface(writer, 1, 0, NULL), 1);
	assert_int_equal(capture_write(writer, &raw), -EINVAL);
	raw.link_type = 1;
	raw.interface = 1;
	assert_int_equal(capture_write(writer, &raw), 0);
	assert_int_equal(capture_finish(&writer, NULL), 0);

	writer = create("a.pcapng", NULL);
	raw.link_type = 101;
	assert_int_equal(capture_interface(writer, 1, 0, NULL), 0);
	assert_int_equal(capture_interface(writer, 101, 0, NULL), 1);
	assert_int_equal(capture_write(writer, &raw), 0);
	raw.interface = 2;
	assert_int_equal(capture_write(writer, &raw), -EINVAL);
	assert_int_equal(capture_finish(&writer, NULL), 0);
}

static void the_snap_length_cuts(void **)
{
	static const char *const names[] = { "a.pcap", "a.pcapng" };

	for (unsigned i = 0; i < COUNT(names); i++) {
		struct capture_writer *writer = create(names[i], NULL);
		struct capture_record record;
		struct capture *capture;

		capture_interface(writer, 1, 3, NULL);
		assert_int_equal(capture_write(writer, &packet), 0);
		assert_int_equal(capture_finish(&writer, NULL), 0);
		assert_int_equal(capture_open(&capture, in_folder(names[i]), NULL), 0);
		assert_int_equal(capture_next(capture, &record), 1);
		assert_int_equal(capture_interface_at(capture, 0)->snap_length, 3);
		assert_int_equal(record.captured, 3);
		assert_int_equal(record.original, 9);
		assert_memory_equal(record.bytes, "hel", 3);
		capture_close(&capture);
	}
}

static void pieces_make_the_same_file(void **)
{
	static uint8_t long_packet[300000], one[1 << 20], other[1 << 20];
	const struct iovec pieces[] = {
		{ long_packet, 1 }, { NULL, 0 }, { long_packet + 1, 262143 }, { long_packet + 262144, 37856 },
	};
	struct capture_writer *whole = create("a.pcap", NULL), *pieced = create("b.pcap", NULL);
	struct capture_record record = packet;

	for (unsigned i = 0; i < sizeof(long_packet); i++)
		long_packet[i] = (uint8_t)(i * 7 >> 3);
	record.bytes = long_packet;
	record.captured = record.original = sizeof(long_packet);
	capture_interface(whole, 1, 0, NULL);
	capture_interface(pieced, 1, 0, NULL);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(capture_write(whole, &record), 0);
		assert_int_equal(capture_write_pieces(pieced, &record, pieces, COUNT(pieces)), 0);
	}
	assert_int_equal(capture_finish(&whole, NULL), 0);
	assert_int_equal(capture_finish(&pieced, NULL), 0);
	assert_int_equal(load("a.pcap", one, sizeof(one)), 24 + 3 * 300016);
	assert_int_equal(load("b.pcap", other, sizeof(other)), 24 + 3 * 300016);
	assert_memory_equal(one, other, 24 + 3 * 300016);
	assert_memory_equal(one + 24 + 2 * 300016 + 16, long_packet, sizeof(long_packet));
}

// Fewer bytes in the pieces than the record says: what is there is written, and the file stays
// sound.
static void pieces_that_run_short_are_no_harm(void **)
{
	struct capture_writer *writer = create("a.pcapng", NULL);
	struct capture_record record = packet;
	struct capture *capture;

	capture_interface(writer, 1, 0, NULL);
	assert_int_equal(capture_write_pieces(writer, &packet, &(struct iovec){ "hel", 3 }, 1), 0);
	assert_int_equal(capture_finish(&writer, NULL), 0);
	assert_int_equal(capture_open(&capture, in_folder("a.pcapng"), NULL), 0);
	assert_int_equal(capture_next(capture, &record), 1);
	assert_int_equal(record.captured, 3);
	assert_int_equal(capture_next(capture, &record), 0);
	capture_close(&capture);
}

static void a_full_disk_is_told(void **)
{
	static uint8_t long_packet[200000];
	struct capture_record record = packet;
	struct capture_error why;
	struct capture_writer *writer;

	assert_int_equal(capture_create(&writer, "/dev/full", NULL, &why), 0);
	capture_interface(writer, 1, 0, NULL);
	assert_int_equal(capture_write(writer, &packet), 0); // in the buffer
	assert_int_equal(capture_finish(&writer, &why), -ENOSPC);
	assert_non_null(strstr(why.text, "/dev/full: writing failed after 0 bytes"));
	assert_null(writer);

	record.bytes = long_packet;
	record.captured = record.original = sizeof(long_packet);
	assert_int_equal(capture_create(&writer, "/dev/full", NULL, &why), 0);
	capture_interface(writer, 1, 0, NULL);
	assert_int_equal(capture_write(writer, &record), 0);
	assert_int_equal(capture_write(writer, &record), -ENOSPC);
	assert_int_equal(capture_write(writer, &packet), -ENOSPC);
	assert_int_equal(capture_flush(writer), -ENOSPC);
	assert_int_equal(capture_finish(&writer, &why), -ENOSPC);
}

static void no_run_writes_over_its_own_input(void **)
{
	struct capture_writer *writer = create("a.pcap", NULL), *second;
	struct capture_record record;
	struct capture_error why;
	struct capture *capture;

	capture_interface(writer, 1, 0, NULL);
	capture_write(writer, &packet);
	assert_int_equal(capture_create(&second, in_folder("a.pcap"), NULL, &why), -EBUSY);
	assert_int_equal(capture_finish(&writer, NULL), 0);

	assert_int_equal(capture_open(&capture, in_folder("a.pcap"), NULL), 0);
	assert_int_equal(capture_create(&second, in_folder("a.pcap"), NULL, &why), -EBUSY);
	assert_null(second);
	assert_non_null(strstr(why.text, "a.pcap is being read"));
	assert_int_equal(capture_next(capture, &record), 1);
	capture_close(&capture);
	assert_int_equal(capture_create(&second, in_folder("a.pcap"), NULL, &why), 0);
	assert_int_equal(capture_finish(&second, &why), 0);
}

static void what_cannot_be_created_is_told(void **)
{
	struct capture_writer *writer;
	struct capture_error why;

	assert_int_equal(capture_create(&writer, "/nowhere/a.pcap", NULL, &why), -ENOENT);
	assert_non_null(strstr(why.text, "/nowhere/a.pcap"));
	assert_int_equal(capture_create(&writer, in_folder("a.pcap.gz"), NULL, &why), -EINVAL);
	assert_non_null(strstr(why.hint, "gzip"));
	assert_int_equal(capture_create(&writer, "/tmp", NULL, NULL), -EISDIR);
	assert_int_equal(capture_finish(&writer, &why), 0);
}

static void times_that_pcap_cannot_hold_are_bounded(void **)
{
	struct capture_writer *writer = create("a.pcap", NULL);
	struct capture_record record = packet, none = packet;
	struct capture *capture;

	record.time_ns = INT64_MAX;
	none.has_time = false;
	capture_interface(writer, 1, 0, NULL);
	capture_write(writer, &packet);
	capture_write(writer, &none); // takes the time of the one before
	capture_write(writer, &record);
	assert_int_equal(capture_finish(&writer, NULL), 0);
	assert_int_equal(capture_open(&capture, in_folder("a.pcap"), NULL), 0);
	assert_int_equal(capture_next(capture, &record), 1);
	assert_int_equal(capture_next(capture, &record), 1);
	assert_int_equal(record.time_ns, packet.time_ns);
	assert_int_equal(capture_next(capture, &record), 1);
	assert_int_equal(record.time_ns / 1000000000, UINT32_MAX);
	capture_close(&capture);
}

static void a_flush_reaches_a_pipe(void **)
{
	struct capture_writer *writer;
	uint8_t bytes[256];
	char name[64];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", ends[1]);
	assert_int_equal(capture_create(&writer, name, NULL, NULL), 0);
	close(ends[1]);
	capture_interface(writer, 1, 0, NULL);
	capture_write(writer, &packet);
	assert_int_equal(capture_flush(writer), 0);
	assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 24 + 16 + 5);
	assert_int_equal(capture_finish(&writer, NULL), 0);
	assert_int_equal(read(ends[0], bytes, sizeof(bytes)), 0);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcap_has_these_bytes),
		cmocka_unit_test(pcapng_has_these_bytes),
		cmocka_unit_test(no_time_on_another_interface_is_the_time_before),
		cmocka_unit_test(the_name_or_the_caller_says_which_format),
		cmocka_unit_test(interfaces_and_link_types_must_fit),
		cmocka_unit_test(the_snap_length_cuts),
		cmocka_unit_test(pieces_make_the_same_file),
		cmocka_unit_test(pieces_that_run_short_are_no_harm),
		cmocka_unit_test(a_full_disk_is_told),
		cmocka_unit_test(no_run_writes_over_its_own_input),
		cmocka_unit_test(what_cannot_be_created_is_told),
		cmocka_unit_test(times_that_pcap_cannot_hold_are_bounded),
		cmocka_unit_test(a_flush_reaches_a_pipe),
	};

	return cmocka_run_group_tests_name("capture_write", tests, make_folder, remove_folder);
}
