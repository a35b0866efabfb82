// SPDX-License-Identifier: Apache-2.0
// The writer of captures: who may write where, interfaces, and the way of a packet into the output.
#include "port/capture_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool ends_with(const char *path, const char *end)
{
	size_t length = strlen(path), tail = strlen(end);

	return length >= tail && !strcasecmp(path + length - tail, end);
}

// An existing file is emptied only when nobody of ours reads or writes it: see capture_open.
static int take_over(int file, const char *path, struct capture_error *why)
{
	struct stat about;

	if (fstat(file, &about) < 0 || !S_ISREG(about.st_mode))
		return 0;
	if (flock(file, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return capture_refuse(why, -EBUSY, "write to another file",
			"%s is being read or written by a weir, perhaps this one", path);
	if (ftruncate(file, 0) < 0)
		return capture_refuse(why, -errno, "", "%s: %s", path, strerror(errno));
	return 0;
}

static int open_file(const char *path, struct capture_error *why)
{
	int file, error;

	if (ends_with(path, ".gz") || ends_with(path, ".zst") || ends_with(path, ".xz"))
		return capture_refuse(why, -EINVAL, "write to \"-\" and pipe it into gzip, zstd or xz",
			"%s: captures are written uncompressed", path);
	file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
	if (file < 0)
		return capture_refuse(why, -errno, "", "%s: %s", path, strerror(errno));
	error = take_over(file, path, why);
	if (error) {
		close(file);
		return error;
	}
	return file;
}

static int open_stdout(struct capture_error *why)
{
	if (isatty(STDOUT_FILENO))
		return capture_refuse(why, -EINVAL, "pipe it into something: | tshark -r -",
			"standard output is a terminal");
	return STDOUT_FILENO;
}

static int open_output(struct capture_writer *writer, const char *path, struct capture_error *why)
{
	int file = strcmp(path, "-") ? open_file(path, why) : open_stdout(why);

	if (file < 0)
		return file;
	writer->path = strdup(strcmp(path, "-") ? path : "standard output");
	if (output_init(&writer->output, file) == 0 && writer->path)
		return 0;
	output_uninit(&writer->output);
	return capture_refuse(why, -ENOMEM, "", "%s: out of memory", path);
}

static void free_writer(struct capture_writer *writer)
{
	free(writer->interfaces);
	free(writer->path);
	free(writer);
}

int capture_create(struct capture_writer **result, const char *path,
	const struct capture_format *format, struct capture_error *why)
{
	const enum capture_kind kind = format ? format->kind : CAPTURE_BY_NAME;
	struct capture_writer *writer = calloc(1, sizeof(*writer));
	int error;

	*result = NULL;
	if (!writer)
		return capture_refuse(why, -ENOMEM, "", "%s: out of memory", path);
	error = open_output(writer, path, why);
	if (error) {
		free_writer(writer);
		return error;
	}
	writer->is_pcapng = kind == CAPTURE_PCAPNG ||
		(kind == CAPTURE_BY_NAME && (ends_with(path, ".pcapng") || ends_with(path, ".ntar")));
	writer->is_microseconds = format && format->microseconds;
	if (writer->is_pcapng)
		pcapng_put_section(&writer->output);
	*result = writer;
	return 0;
}

static struct written_interface *add_interface(struct capture_writer *writer)
{
	if (writer->interface_count == writer->interface_room) {
		uint32_t room = writer->interface_room ? 2 * writer->interface_room : 4;
		void *interfaces = realloc(writer->interfaces, room * sizeof(*writer->interfaces));

		if (!interfaces)
			return NULL;
		writer->interfaces = interfaces;
		writer->interface_room = room;
	}
	return &writer->interfaces[writer->interface_count++];
}

static uint32_t longest(const struct capture_writer *writer, uint32_t snap_length)
{
	if (!snap_length)
		return writer->is_pcapng ? LONGEST_PACKET : LONGEST_USUAL;
	return snap_length < LONGEST_PACKET ? snap_length : LONGEST_PACKET;
}

int capture_interface(struct capture_writer *writer, uint16_t link_type, uint32_t snap_length,
	const char *name)
{
	const bool is_first = writer->interface_count == 0;
	struct written_interface *interface;

	if (!writer->is_pcapng && !is_first && writer->interfaces[0].link_type != link_type)
		return -EINVAL;
	interface = add_interface(writer);
	if (!interface)
		return -ENOMEM;
	*interface = (struct written_interface){ link_type, snap_length, longest(writer, snap_length) };
	if (writer->is_pcapng)
		pcapng_put_interface(&writer->output, interface, name);
	else if (is_first)
		pcap_put_header(writer, interface);
	return (int)writer->interface_count - 1;
}

static size_t size_of(const struct iovec *pieces, unsigned count)
{
	size_t size = 0;

	for (unsigned i = 0; i < count; i++)
		size += pieces[i].iov_len;
	return size;
}

static void put_pieces(struct output *output, const struct iovec *pieces, size_t length)
{
	for (; length; pieces++) {
		size_t step = pieces->iov_len < length ? pieces->iov_len : length;

		if (step)
			output_put(output, pieces->iov_base, step);
		length -= step;
	}
}

int capture_write_pieces(struct capture_writer *writer, const struct capture_record *record,
	const struct iovec *pieces, unsigned count)
{
	struct capture_record written = *record;
	const struct written_interface *interface;
	size_t there = size_of(pieces, count);

	if (record->interface >= writer->interface_count)
		return -EINVAL;
	interface = &writer->interfaces[record->interface];
	if (interface->link_type != record->link_type)
		return -EINVAL;
	if (writer->output.failed)
		return writer->output.failed;
	if (written.captured > interface->longest)
		written.captured = interface->longest;
	if (written.captured > there)
		written.captured = (uint32_t)there;
	if (!written.has_time)
		written.time_ns = writer->last_ns;
	writer->last_ns = written.time_ns;
	if (writer->is_pcapng) {
		uint32_t total = pcapng_put_packet(&writer->output, interface, &written);

		put_pieces(&writer->output, pieces, written.captured);
		pcapng_end_packet(&writer->output, written.captured, total);
	} else {
		pcap_put_packet(writer, &written);
		put_pieces(&writer->output, pieces, written.captured);
	}
	return writer->output.failed;
}

int capture_write(struct capture_writer *writer, const struct capture_record *record)
{
	const struct iovec whole = { (void *)(uintptr_t)record->bytes, record->captured };

	return capture_write_pieces(writer, record, &whole, 1);
}

int capture_flush(struct capture_writer *writer)
{
	return output_flush(&writer->output);
}

int capture_finish(struct capture_writer **result, struct capture_error *why)
{
	struct capture_writer *writer = *result;
	int error;

	*result = NULL;
	if (!writer)
		return 0;
	if (!writer->is_pcapng && !writer->interface_count) // even an empty file can be read
		pcap_put_header(writer, &(struct written_interface){ .link_type = 1 });
	error = output_uninit(&writer->output);
	if (error)
		capture_refuse(why, error, error == -ENOSPC ? "make room, or write elsewhere" : "",
			"%s: writing failed after %llu bytes: %s", writer->path,
			(unsigned long long)writer->output.written, strerror(-error));
	free_writer(writer);
	return error;
}
