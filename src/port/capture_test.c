// SPDX-License-Identifier: Apache-2.0
// Captures as people have them: every trace against its truth and through both writers, cut at
// every byte, from pipes, and what is said of files that are no captures.
#include "port/capture_testing.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { LINK_TYPES = 512 };

struct sums {
	uint64_t packets, captured_bytes, wire_bytes, snapped, first_ns, last_ns, digest;
	uint64_t links[LINK_TYPES];
	int result;
};

static void add(struct sums *sums, const struct capture_record *record)
{
	sums->packets++;
	sums->captured_bytes += record->captured;
	sums->wire_bytes += record->original;
	sums->snapped += record->captured < record->original;
	if (record->has_time && record->time_ns < sums->first_ns)
		sums->first_ns = record->time_ns;
	if (record->has_time && record->time_ns > sums->last_ns)
		sums->last_ns = record->time_ns;
	assert_true(record->link_type < LINK_TYPES);
	sums->links[record->link_type]++;
	sums->digest = digest_record(sums->digest, record);
}

static struct sums sum_up(struct capture *capture, unsigned at_once)
{
	struct sums sums = { .first_ns = UINT64_MAX, .digest = DIGEST_START };
	struct capture_record records[64];

	while ((sums.result = capture_gather(capture, records, at_once)) > 0)
		for (int i = 0; i < sums.result; i++)
			add(&sums, &records[i]);
	return sums;
}

static struct sums sum_up_file(const char *path, unsigned at_once)
{
	struct capture_error why;
	struct capture *capture;
	struct sums sums;

	if (capture_open(&capture, path, &why))
		fail_msg("%s", why.text);
	sums = sum_up(capture, at_once);
	assert_int_equal(capture_stats(capture).packets, sums.packets);
	assert_int_equal(capture_stats(capture).captured_bytes, sums.captured_bytes);
	assert_int_equal(capture_stats(capture).wire_bytes, sums.wire_bytes);
	assert_int_equal(capture_stats(capture).snapped, sums.snapped);
	capture_close(&capture);
	return sums;
}

static uint8_t *load(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes;

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	*length = (size_t)ftell(file);
	rewind(file);
	bytes = malloc(*length);
	assert_int_equal(fread(bytes, 1, *length, file), *length);
	fclose(file);
	return bytes;
}

static const char *temporary(char *path)
{
	int file;

	strcpy(path, "/tmp/weir-capture-XXXXXX");
	file = mkstemp(path);
	assert_true(file >= 0);
	close(file);
	return path;
}

// ---- traces

// Where a truth counts otherwise: tshark counts custom and journal blocks as packets, and computes
// microseconds of more than a second in 32 bits.
static const struct {
	const char *stem, *first_ts, *last_ts;
	uint64_t wire_bytes, captured_bytes; // 0: as the truth says
} amendments[] = {
	{ "fmt-pcapng-difficult-le", NULL, NULL, 2304, 1040 },
	{ "bad-tcpdump-crashers-ethernet", "0.000000000", NULL, 0, 0 },
	{ "http-750conns-64B", "1504657385.756968000", "1504657399.836890000", 0, 0 },
};

static uint64_t time_of(const char *text)
{
	char *point;
	uint64_t seconds = strtoull(text, &point, 10);

	return seconds * 1000000000 + strtoull(point + 1, NULL, 10);
}

static void compare_links(const char *stem, const struct sums *sums, json_t *links)
{
	size_t seen = 0;

	for (unsigned type = 0; type < LINK_TYPES; type++) {
		char key[8];

		snprintf(key, sizeof(key), "%u", type);
		if (sums->links[type] != (uint64_t)json_integer_value(json_object_get(links, key)))
			fail_msg("%s: link type %u", stem, type);
		seen += sums->links[type] > 0;
	}
	assert_int_equal(seen, json_object_size(links));
}

static void compare(const char *stem, const struct sums *sums, json_t *truth)
{
	json_t *file = json_object_get(truth, "file");
	const char *first = json_string_value(json_object_get(truth, "first_ts"));
	const char *last = json_string_value(json_object_get(truth, "last_ts"));
	uint64_t wire_bytes = (uint64_t)json_integer_value(json_object_get(truth, "wire_bytes"));
	uint64_t captured_bytes = (uint64_t)json_integer_value(json_object_get(truth, "captured_bytes"));

	for (unsigned i = 0; i < COUNT(amendments); i++) {
		if (strcmp(amendments[i].stem, stem))
			continue;
		first = amendments[i].first_ts ? amendments[i].first_ts : first;
		last = amendments[i].last_ts ? amendments[i].last_ts : last;
		wire_bytes = amendments[i].wire_bytes ? amendments[i].wire_bytes : wire_bytes;
		captured_bytes = amendments[i].captured_bytes ? amendments[i].captured_bytes : captured_bytes;
	}
	assert_int_equal(sums->packets, json_integer_value(json_object_get(file, "records")));
	assert_int_equal(sums->wire_bytes, wire_bytes);
	assert_int_equal(sums->captured_bytes, captured_bytes);
	assert_int_equal(sums->snapped, json_integer_value(json_object_get(truth, "snapped_packets")));
	assert_int_equal(sums->first_ns, time_of(first));
	assert_int_equal(sums->last_ns, time_of(last));
	assert_int_equal(sums->result, json_object_get(file, "damage") ? -EBADMSG : 0);
	compare_links(stem, sums, json_object_get(file, "link_types"));
}

// The same records, however the bytes come.
static void compare_pieces(const char *path, uint64_t expected)
{
	static const size_t pieces[] = { 0, 4093, 1 };
	struct capture *capture;
	struct memory memory;
	size_t length;
	uint8_t *bytes = load(path, &length);

	for (unsigned i = 0; i < COUNT(pieces); i++) {
		if (pieces[i] == 1 && length > 100000)
			continue;
		assert_int_equal(open_memory(&capture, &memory, bytes, length, pieces[i], NULL), 0);
		assert_int_equal(sum_up(capture, 3).digest, expected);
		capture_close(&capture);
	}
	free(bytes);
}

static struct capture_writer *create(const char *path, enum capture_kind kind)
{
	const struct capture_format format = { .kind = kind };
	struct capture_error why;
	struct capture_writer *writer;

	if (capture_create(&writer, path, &format, &why))
		fail_msg("%s", why.text);
	return writer;
}

// Writes what has a time (another format cannot say that it has none) and what one pcap can hold;
// returns its digest.
static uint64_t copy(const char *from, const char *to, enum capture_kind kind)
{
	struct capture_writer *writer = create(to, kind);
	struct capture_record record;
	uint64_t sum = DIGEST_START;
	uint32_t known = 0;
	struct capture *capture;

	assert_int_equal(capture_open(&capture, from, NULL), 0);
	while (capture_next(capture, &record) > 0) {
		while (known <= record.interface) {
			const struct capture_interface *interface = capture_interface_at(capture, known++);

			if (kind == CAPTURE_PCAPNG || known == 1)
				capture_interface(writer, interface->link_type, 0, interface->name);
		}
		record.interface = kind == CAPTURE_PCAPNG ? record.interface : 0;
		if (!record.has_time)
			continue;
		if (capture_write(writer, &record) == 0)
			sum = digest_record(sum, &record);
		else
			assert_int_equal(kind, CAPTURE_PCAP);
	}
	capture_close(&capture);
	assert_int_equal(capture_finish(&writer, NULL), 0);
	return sum;
}

static void compare_round_trips(const char *path)
{
	static const enum capture_kind kinds[] = { CAPTURE_PCAP, CAPTURE_PCAPNG };
	char copied[64];

	temporary(copied);
	for (unsigned i = 0; i < COUNT(kinds); i++) {
		uint64_t written = copy(path, copied, kinds[i]);

		assert_int_equal(sum_up_file(copied, 64).digest, written);
	}
	unlink(copied);
}

static bool is_capture(const char *name)
{
	const char *end = strrchr(name, '.');

	return end && (!strcmp(end, ".pcap") || !strcmp(end, ".pcapng"));
}

static void try_trace(const char *folder, const char *name)
{
	char path[4096], stem[256], truth_path[4096];
	json_error_t wrong;
	struct sums sums;
	json_t *truth;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	snprintf(stem, sizeof(stem), "%.*s", (int)(strrchr(name, '.') - name), name);
	snprintf(truth_path, sizeof(truth_path), "%s/%s.truth.json", folder, stem);
	truth = json_load_file(truth_path, 0, &wrong);
	if (!truth)
		fail_msg("%s: %s", truth_path, wrong.text);
	sums = sum_up_file(path, 64);
	compare(stem, &sums, truth);
	compare_pieces(path, sums.digest);
	compare_round_trips(path);
	json_decref(truth);
}

static void every_trace_is_read_as_its_truth_says(void **)
{
	const char *folder = getenv("WEIR_TRACES") ? getenv("WEIR_TRACES") : "../shared/traces";
	DIR *directory = opendir(folder);
	unsigned count = 0;

	if (!directory) {
		print_message("no traces in %s (set WEIR_TRACES): skipped\n", folder);
		skip();
	}
	for (struct dirent *entry; (entry = readdir(directory));) {
		if (!is_capture(entry->d_name))
			continue;
		try_trace(folder, entry->d_name);
		count++;
	}
	closedir(directory);
	print_message("%u traces\n", count);
}

// ---- cuts

static void make_pcap(struct bytes *bytes, uint32_t magic, bool is_big)
{
	*bytes = (struct bytes){ .is_big = is_big };
	put_pcap(bytes, magic, 65535, 1);
	for (uint32_t i = 0; i < 5; i++)
		put_record(bytes, i, i, 7 * i, 100);
}

static void make_pcapng(struct bytes *bytes)
{
	size_t begins;

	*bytes = (struct bytes){ 0 };
	for (unsigned section = 0; section < 3; section++) {
		put_section(bytes, section % 2);
		put_interface(bytes, 1, 0, 6, 0);
		begins = begin_block(bytes, 4);
		put_payload(bytes, 30);
		end_block(bytes, begins);
		put_enhanced(bytes, 0, section, 5, 5);
		begins = begin_block(bytes, 3);
		put32(bytes, 6);
		put_payload(bytes, 6);
		end_block(bytes, begins);
	}
}

// What is read of the first `length` bytes is the beginning of what is read of all of them, and a
// cut is told.
static unsigned read_cut(const struct bytes *bytes, size_t length, size_t piece, const uint64_t *digests)
{
	struct capture_record record;
	struct memory memory;
	struct capture *capture;
	unsigned count = 0;
	int result;

	if (open_memory(&capture, &memory, bytes->at, length, piece, NULL))
		return 0;
	while ((result = capture_next(capture, &record)) > 0) {
		assert_int_equal(digest_record(DIGEST_START, &record), digests[count]);
		assert_true(piece || record.bytes + record.captured <= capture->input.end);
		count++;
	}
	assert_true(result == 0 || result == -EBADMSG);
	assert_int_equal(result == 0, capture_damage(capture) == NULL);
	assert_int_equal(capture_next(capture, &record), result);
	if (result)
		assert_non_null(strstr(capture_damage(capture), "cut at byte"));
	capture_close(&capture);
	return count;
}

static void try_cuts(const struct bytes *bytes, unsigned expected)
{
	uint64_t digests[32];
	struct capture_record record;
	struct memory memory;
	struct capture *capture;
	unsigned count = 0;

	assert_int_equal(open_memory(&capture, &memory, bytes->at, bytes->length, 0, NULL), 0);
	while (capture_next(capture, &record) > 0)
		digests[count++] = digest_record(DIGEST_START, &record);
	capture_close(&capture);
	assert_int_equal(count, expected);
	for (size_t length = 0, before = 0; length <= bytes->length; length++) {
		unsigned whole = read_cut(bytes, length, 0, digests);

		assert_int_equal(read_cut(bytes, length, 1, digests), whole);
		assert_true(whole >= before);
		before = whole;
		if (length == bytes->length)
			assert_int_equal(whole, expected);
	}
}

static void a_cut_at_any_byte_is_told_and_loses_nothing(void **)
{
	static const uint32_t magics[] = { 0xa1b2c3d4, 0xa1b23c4d };
	struct bytes bytes;

	for (unsigned i = 0; i < 2 * COUNT(magics); i++) {
		make_pcap(&bytes, magics[i / 2], i % 2);
		try_cuts(&bytes, 5);
	}
	make_pcapng(&bytes);
	try_cuts(&bytes, 6);
}

// ---- pipes

static void a_pipe_is_read_as_it_comes(void **)
{
	struct capture_record records[8];
	struct capture *capture;
	struct bytes bytes;
	char path[64];
	int ends[2];

	make_pcap(&bytes, 0xa1b2c3d4, false);
	assert_int_equal(pipe(ends), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	assert_int_equal(write(ends[1], bytes.at, 24 + 10), 34);
	assert_int_equal(capture_open(&capture, path, NULL), 0);
	close(ends[0]);
	capture_wait(capture, 0);
	assert_int_equal(capture_gather(capture, records, 8), -EAGAIN);
	assert_int_equal(write(ends[1], bytes.at + 34, 16 + 16 + 7 - 10), 29);
	assert_int_equal(capture_gather(capture, records, 8), 2);
	assert_int_equal(records[1].captured, 7);
	assert_int_equal(capture_gather(capture, records, 8), -EAGAIN);
	assert_int_equal(write(ends[1], bytes.at + 63, bytes.length - 64), bytes.length - 64);
	assert_int_equal(capture_gather(capture, records, 8), 2);
	close(ends[1]);
	capture_wait(capture, -1);
	assert_int_equal(capture_gather(capture, records, 8), -EBADMSG);
	capture_close(&capture);
}

static void standard_input_is_read(void **)
{
	struct capture_record record;
	struct capture *capture;
	struct bytes bytes;
	int ends[2], kept = dup(STDIN_FILENO);

	make_pcap(&bytes, 0xa1b2c3d4, false);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], bytes.at, bytes.length), bytes.length);
	close(ends[1]);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	assert_int_equal(capture_open(&capture, "-", NULL), 0);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(capture_next(capture, &record), 1);
	assert_int_equal(capture_next(capture, &record), 0);
	capture_close(&capture);
	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
	dup2(kept, STDIN_FILENO);
	close(kept);
}

// A length that nobody backs with bytes takes no memory; one that is backed is read, however long.
static void long_packets_are_read_and_long_lies_are_not(void **)
{
	static uint8_t capture_bytes[24 + 16 + 600000];
	struct bytes head = { 0 };
	struct capture_record record;
	struct memory memory;
	struct capture *capture;

	put_pcap(&head, 0xa1b2c3d4, 0x00ffffff, 1);
	put32(&head, 0);
	put32(&head, 0);
	put32(&head, 600000);
	put32(&head, 600000);
	memcpy(capture_bytes, head.at, head.length);
	capture_bytes[sizeof(capture_bytes) - 1] = 99;
	assert_int_equal(open_memory(&capture, &memory, capture_bytes, sizeof(capture_bytes), 1000, NULL), 0);
	assert_int_equal(capture_next(capture, &record), 1);
	assert_int_equal(record.captured, 600000);
	assert_int_equal(record.bytes[599999], 99);
	capture_close(&capture);

	head.length = 24 + 8;
	put32(&head, 0x00ffff00);
	put32(&head, 0x00ffff00);
	assert_int_equal(open_memory(&capture, &memory, head.at, head.length, 1000, NULL), 0);
	assert_int_equal(capture_next(capture, &record), -EBADMSG);
	assert_true(capture->input.room < 2 * INPUT_PIECE);
	capture_close(&capture);
}

// ---- what is no capture

static void what_is_no_capture_is_refused_in_words(void **)
{
	static const struct {
		const char *bytes;
		size_t length;
		int error;
		const char *says;
	} cases[] = {
		{ "", 0, -EBADMSG, "is empty" },
		{ "\xd4\xc3", 2, -EBADMSG, "too short" },
		{ "\xd4\xc3\xb2\xa1\2\0\4\0", 8, -EBADMSG, "8 of 24 bytes" },
		{ "\x1f\x8b\x08\0\0\0\0\0", 8, -ENOTSUP, "gzip" },
		{ "\x28\xb5\x2f\xfd\0\0\0\0", 8, -ENOTSUP, "zstd" },
		{ "\x89PNG", 4, -ENOTSUP, "begins with 89 50 4e 47" },
		{ "\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b", 11, -EBADMSG, "cut at byte 11" },
		{ "\x0a\x0d\x0d\x0a\x1c\0\0\0abcd", 12, -EBADMSG, "byte order" },
	};
	struct capture_error why;
	struct capture *capture;

	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct memory memory;
		const uint8_t *bytes = (const uint8_t *)cases[i].bytes;
		int error = open_memory(&capture, &memory, bytes, cases[i].length, 0, &why);

		assert_int_equal(error, cases[i].error);
		assert_null(capture);
		if (!strstr(why.text, cases[i].says) || !strstr(why.text, "memory"))
			fail_msg("\"%s\" does not say \"%s\"", why.text, cases[i].says);
	}
	assert_int_equal(capture_open(&capture, "/nowhere/x.pcap", &why), -ENOENT);
	assert_non_null(strstr(why.text, "/nowhere/x.pcap"));
	assert_int_equal(capture_open(&capture, "/tmp", &why), -EISDIR);
	assert_int_equal(capture_open(&capture, "/dev/null", &why), -EBADMSG);
	capture_close(&capture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_trace_is_read_as_its_truth_says),
		cmocka_unit_test(a_cut_at_any_byte_is_told_and_loses_nothing),
		cmocka_unit_test(a_pipe_is_read_as_it_comes),
		cmocka_unit_test(standard_input_is_read),
		cmocka_unit_test(long_packets_are_read_and_long_lies_are_not),
		cmocka_unit_test(what_is_no_capture_is_refused_in_words),
	};

	return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
