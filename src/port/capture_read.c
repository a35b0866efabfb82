// SPDX-License-Identifier: Apache-2.0
// The reader's plumbing: opening, telling formats apart, refilling the window, and saying what is
// broken.
#include "port/capture_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_INTERFACES = 1 << 20 };

// What people try to open that is no capture, or is one in a wrapping.
static const struct {
	const char *begins;
	uint8_t length;
	const char *what, *hint;
} foreign[] = {
	{ "\x1f\x8b", 2, "compressed with gzip", "gzip -dc FILE | weir run GRAPH -i -" },
	{ "\x28\xb5\x2f\xfd", 4, "compressed with zstd", "zstd -dc FILE | weir run GRAPH -i -" },
	{ "\xfd" "7zX", 4, "compressed with xz", "xz -dc FILE | weir run GRAPH -i -" },
	{ "\x04\x22\x4d\x18", 4, "compressed with lz4", "lz4 -dc FILE | weir run GRAPH -i -" },
	{ "BZh", 3, "compressed with bzip2", "bzip2 -dc FILE | weir run GRAPH -i -" },
	{ "PK\x03\x04", 4, "a zip archive", "unzip -p FILE | weir run GRAPH -i -" },
	{ "snoo", 4, "a capture of Solaris snoop", "convert it with: editcap -F pcapng OLD NEW" },
	{ "GMBU", 4, "a capture of Network Monitor", "convert it with: editcap -F pcapng OLD NEW" },
};

int capture_refuse(struct capture_error *why, int error, const char *hint, const char *format, ...)
{
	va_list args;

	if (!why)
		return error;
	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	snprintf(why->hint, sizeof(why->hint), "%s", hint);
	return error;
}

void capture_note(struct capture *capture, const char *format, ...)
{
	va_list args;

	if (capture->damage)
		return;
	capture->damage = malloc(DAMAGE_ROOM);
	if (!capture->damage)
		return;
	int length = snprintf(capture->damage, DAMAGE_ROOM, "%.255s: ", capture->path);

	va_start(args, format);
	vsnprintf(capture->damage + length, DAMAGE_ROOM - (size_t)length, format, args);
	va_end(args);
}

struct capture_source *capture_add_source(struct capture *capture)
{
	struct capture_source *source;

	if (capture->source_count == MOST_INTERFACES) {
		capture_note(capture, "more than %u interfaces are described", MOST_INTERFACES);
		capture->failed = -EBADMSG;
		return NULL;
	}
	if (capture->source_count == capture->source_room) {
		uint32_t room = capture->source_room ? 2 * capture->source_room : 4;
		void *sources = realloc(capture->sources, room * sizeof(*source));

		if (!sources) {
			capture->failed = -ENOMEM;
			return NULL;
		}
		capture->sources = sources;
		capture->source_room = room;
	}
	source = &capture->sources[capture->source_count++];
	*source = (struct capture_source){ 0 };
	return source;
}

static int refuse_foreign(struct capture *capture, struct capture_error *why)
{
	const uint8_t *at = capture->input.at;

	for (unsigned i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (!memcmp(at, foreign[i].begins, foreign[i].length))
			return capture_refuse(why, -ENOTSUP, foreign[i].hint, "%s is %s",
				capture->path, foreign[i].what);
	return capture_refuse(why, -ENOTSUP, "if Wireshark reads it: editcap -F pcapng OLD NEW",
		"%s is neither pcap nor pcapng (it begins with %02x %02x %02x %02x)", capture->path,
		at[0], at[1], at[2], at[3]);
}

static int begin(struct capture *capture, struct capture_error *why)
{
	int error = input_need(&capture->input, 4);

	if (error < 0)
		return error;
	if (!error)
		return capture_refuse(why, -EBADMSG, "", "%s is %s (%zu bytes)", capture->path,
			input_there(&capture->input) ? "too short for a capture" : "empty",
			input_there(&capture->input));
	error = pcap_begin(capture, load32(capture->input.at, false), why);
	if (error == -ENOMSG)
		error = pcapng_begin(capture, why);
	return error == -ENOMSG ? refuse_foreign(capture, why) : error;
}

// Gives every failure of an open a sentence.
static int explain(struct capture *capture, int error, struct capture_error *why)
{
	if (error == -EAGAIN) // at this point only a signal
		return capture_refuse(why, -EINTR, "", "%s: interrupted before its header came",
			capture->path);
	if (!why || why->text[0])
		return error;
	if (capture->damage)
		return capture_refuse(why, error, "", "%s", capture->damage);
	return capture_refuse(why, error, "", "%s: %s", capture->path, strerror(-error));
}

int capture_open_input(struct capture **result, const struct input *input, const char *path,
	struct capture_error *why)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	int error;

	*result = NULL;
	if (why)
		why->text[0] = why->hint[0] = '\0';
	if (!capture || !(capture->path = strdup(path))) {
		struct input unused = *input;

		free(capture);
		input_uninit(&unused);
		return capture_refuse(why, -ENOMEM, "", "%s: out of memory", path);
	}
	capture->input = *input;
	error = begin(capture, why);
	if (error) {
		error = explain(capture, error, why);
		capture_close(&capture);
		return error;
	}
	capture->unit_begins = input_offset(&capture->input, capture->input.at);
	*result = capture;
	return 0;
}

// What is read is locked against our own writers (capture_create), so that no run writes over its
// own input.
static int prepare(int file, const char *path, bool *is_pipe, struct capture_error *why)
{
	struct stat about;

	if (fstat(file, &about) < 0)
		return capture_refuse(why, -errno, "", "%s: %s", path, strerror(errno));
	if (S_ISDIR(about.st_mode))
		return capture_refuse(why, -EISDIR, "name a file in it", "%s is a directory", path);
	if (isatty(file))
		return capture_refuse(why, -EINVAL,
			"pipe a capture into it: cat FILE | weir run GRAPH -i -", "%s is a terminal", path);
	*is_pipe = !S_ISREG(about.st_mode);
	if (!*is_pipe) {
		flock(file, LOCK_SH | LOCK_NB);
		posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
	}
	return 0;
}

int capture_open(struct capture **capture, const char *path, struct capture_error *why)
{
	bool is_stdin = !strcmp(path, "-"), is_pipe = false;
	int file = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	const char *name = is_stdin ? "standard input" : path;
	struct input input;
	int error;

	*capture = NULL;
	if (file < 0)
		return capture_refuse(why, -errno, "", "%s: %s", path, strerror(errno));
	error = prepare(file, name, &is_pipe, why);
	input_init(&input, file, is_pipe);
	if (!error)
		return capture_open_input(capture, &input, name, why);
	input_uninit(&input);
	return error;
}

void capture_close(struct capture **capture)
{
	struct capture *gone = *capture;

	if (!gone)
		return;
	input_uninit(&gone->input);
	free(gone->sources);
	free(gone->damage);
	free(gone->path);
	free(gone);
	*capture = NULL;
}

// The input ended: between two units, or inside one.
static int end(struct capture *capture)
{
	const struct input *input = &capture->input;
	uint64_t last = input_offset(input, input->end);

	if (last == capture->unit_begins) {
		capture->is_finished = true;
		return 0;
	}
	capture_note(capture, "cut at byte %llu, in the %s that begins at byte %llu, after %llu packets",
		(unsigned long long)last, capture->unit, (unsigned long long)capture->unit_begins,
		(unsigned long long)capture->stats.packets);
	return capture->failed = -EBADMSG;
}

static void count(struct capture_stats *stats, const struct capture_record *records, unsigned number)
{
	for (const struct capture_record *record = records; record < records + number; record++) {
		stats->captured_bytes += record->captured;
		stats->wire_bytes += record->original;
		stats->snapped += record->captured < record->original;
		stats->timeless += !record->has_time;
	}
	stats->packets += number;
}

static int refill(struct capture *capture)
{
	int error = input_need(&capture->input, capture->need);

	if (error == 0)
		return end(capture);
	if (error < 0 && error != -EAGAIN) {
		capture_note(capture, "reading failed at byte %llu: %s",
			(unsigned long long)input_offset(&capture->input, capture->input.end),
			strerror(-error));
		capture->failed = error;
	}
	return error;
}

int capture_gather(struct capture *capture, struct capture_record *records, unsigned wanted)
{
	assert(wanted > 0);
	while (!capture->failed && !capture->is_finished) {
		unsigned number = capture->scan(capture, records, wanted);
		int error;

		if (!capture->is_inside)
			capture->unit_begins = input_offset(&capture->input, capture->input.at);
		if (number) {
			count(&capture->stats, records, number);
			return (int)number;
		}
		if (capture->failed)
			break;
		error = refill(capture);
		if (error <= 0)
			return error;
	}
	return capture->failed;
}

int capture_next(struct capture *capture, struct capture_record *record)
{
	return capture_gather(capture, record, 1);
}

void capture_wait(struct capture *capture, int milliseconds)
{
	capture->input.wait_ms = milliseconds;
}

const char *capture_damage(const struct capture *capture)
{
	return capture->damage;
}

struct capture_stats capture_stats(const struct capture *capture)
{
	struct capture_stats stats = capture->stats;

	stats.interfaces = capture->source_count;
	return stats;
}

const struct capture_interface *capture_interface_at(const struct capture *capture, uint32_t number)
{
	return number < capture->source_count ? &capture->sources[number].shown : NULL;
}
