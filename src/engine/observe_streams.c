// SPDX-License-Identifier: Apache-2.0
// Streams as files: 10.0.0.1.4711-10.0.0.2.80-1700000000.123456789-out has what the client has sent on the connection
// that began then, from the first byte to the last; what never came is left out. Names are made of numbers alone. A few
// files are open at a time, each set of them has those that were written to last; another one is opened again.
#include "engine/observe_inside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SETS = 64, WAYS = 4, LONGEST_NAME = 2 * INET6_ADDRSTRLEN + 64 };

struct open_stream {
	struct weir_addr ends[2];
	uint16_t ports[2];
	bool is_back;
	uint64_t start_ns;
	uint64_t used; // 0: there is none
	int file;
};

struct observe_folder {
	int at;
	uint32_t files; // in it
	uint64_t turn;
	struct open_stream open[SETS][WAYS];
};

// ---- the folder

static bool is_empty(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	bool is_empty = true;

	while (folder && (entry = readdir(folder)))
		is_empty = is_empty && (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."));
	if (folder)
		closedir(folder);
	return is_empty;
}

static int refuse(struct port_error *why, const char *path, int err)
{
	snprintf(why->text, sizeof(why->text), "%s: streams cannot be written there: %s", path, strerror(-err));
	if (err == -ENOTEMPTY)
		snprintf(why->hint, sizeof(why->hint), "name a folder that is not there yet");
	return err;
}

int observe_folder_open(struct observe_folder **made, const char *path, struct port_error *why)
{
	struct observe_folder *folder;

	if (mkdir(path, 0777) && errno != EEXIST)
		return refuse(why, path, -errno);
	if (!is_empty(path))
		return refuse(why, path, -ENOTEMPTY);
	folder = calloc(1, sizeof(*folder));
	if (!folder)
		return -ENOMEM;
	folder->at = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder->at < 0) {
		int err = -errno;

		free(folder);
		return refuse(why, path, err);
	}
	*made = folder;
	return 0;
}

static void close_stream(struct open_stream *stream)
{
	if (stream->used)
		close(stream->file);
	stream->used = 0;
}

void observe_folder_close(struct observe_folder **made)
{
	struct observe_folder *folder = *made;

	*made = NULL;
	for (unsigned set = 0; set < SETS; set++)
		for (unsigned way = 0; way < WAYS; way++)
			close_stream(&folder->open[set][way]);
	close(folder->at);
	free(folder);
}

// ---- a stream's file

static bool is_same(const struct open_stream *a, const struct open_stream *b)
{
	return !memcmp(a->ends, b->ends, sizeof(a->ends)) && !memcmp(a->ports, b->ports, sizeof(a->ports)) &&
		a->start_ns == b->start_ns && a->is_back == b->is_back;
}

static unsigned set_of(const struct open_stream *stream)
{
	uint64_t hash = stream->start_ns ^ ((uint64_t)stream->ports[0] << 32 | stream->ports[1]) ^ stream->is_back;
	uint64_t word;

	for (unsigned end = 0; end < 2; end++) {
		memcpy(&word, stream->ends[end].bytes + 8, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15;
	}
	return (unsigned)(hash >> 58);
}
static_assert(SETS == 64);

// It, or the place of the one that has waited longest.
static struct open_stream *place_of(struct observe_folder *folder, const struct open_stream *wanted)
{
	struct open_stream *set = folder->open[set_of(wanted)], *oldest = set;

	for (unsigned way = 0; way < WAYS; way++) {
		if (set[way].used && is_same(&set[way], wanted))
			return &set[way];
		if (set[way].used < oldest->used)
			oldest = &set[way];
	}
	return oldest;
}

static void name_of(char name[LONGEST_NAME], const struct open_stream *stream)
{
	char ends[2][INET6_ADDRSTRLEN];

	for (unsigned end = 0; end < 2; end++)
		observation_address(ends[end], &stream->ends[end]);
	snprintf(name, LONGEST_NAME, "%s.%u-%s.%u-%" PRIu64 ".%09" PRIu64 "-%s", ends[0], stream->ports[0], ends[1],
		stream->ports[1], stream->start_ns / 1000000000, stream->start_ns % 1000000000,
		stream->is_back ? "back" : "out");
}

static int open_file(struct observe_folder *folder, struct observer_element *self, const struct open_stream *stream)
{
	enum { ADD = O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC };
	char name[LONGEST_NAME];
	int file;

	name_of(name, stream);
	file = openat(folder->at, name, ADD);
	if (file >= 0 || errno != ENOENT || folder->files >= self->most_files)
		return file;
	file = openat(folder->at, name, ADD | O_CREAT | O_EXCL, 0666);
	if (file >= 0) {
		folder->files++;
		weir_count(&self->streams);
	}
	return file;
}

static struct open_stream *open_stream(
	struct observe_folder *folder, struct observer_element *self, const struct open_stream *wanted)
{
	struct open_stream *stream = place_of(folder, wanted);

	if (!stream->used || !is_same(stream, wanted)) {
		close_stream(stream);
		*stream = *wanted;
		stream->file = open_file(folder, self, wanted);
		if (stream->file < 0)
			return NULL;
	}
	stream->used = ++folder->turn;
	return stream;
}

static void add(struct observe_folder *folder, struct observer_element *self, const struct open_stream *wanted,
	struct weir_text data)
{
	const struct open_stream *stream = open_stream(folder, self, wanted);

	while (stream && data.length) {
		ssize_t count = write(stream->file, data.at, data.length);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			break;
		weir_count_by(&self->bytes, (uint64_t)count);
		data.at += count;
		data.length -= (uint32_t)count;
	}
	if (data.length)
		weir_count(&self->errors);
}

void observe_stream(struct observe_folder *folder, struct observer_element *self, const struct weir_event_type *type,
	const struct observation *record)
{
	const char *texts = observation_texts(record, 0);
	struct open_stream stream = { .is_back = record->is_back, .start_ns = record->start_ns };

	memcpy(stream.ends, record->ends, sizeof(stream.ends));
	memcpy(stream.ports, record->ports, sizeof(stream.ports));
	if (strcmp(type->name, "stream.data")) {
		struct open_stream *old = place_of(folder, &stream);

		if (old->used && is_same(old, &stream))
			close_stream(old);
		return;
	}
	add(folder, self, &stream, observation_text(texts, record->bytes + offsetof(struct weir_stream_data, data)));
}
