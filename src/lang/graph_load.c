// SPDX-License-Identifier: Apache-2.0
// Graphs and libraries of compound elements from files.
#include "lang/graph_parser.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct file_text {
	char *bytes;
	size_t length, room;
	struct stat stat;
};

// 0, or -errno
static int read_all(struct arena *arena, int descriptor, struct file_text *text)
{
	size_t left;
	ssize_t got;
	char *more;

	for (;;) {
		if (text->length == text->room) {
			text->room = text->room ? text->room * 2 : 65536;
			more = arena_take(arena, text->room + 1);
			if (text->length)
				memcpy(more, text->bytes, text->length);
			text->bytes = more;
		}
		left = text->room - text->length;
		got = read(descriptor, text->bytes + text->length, left);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : 0;
		text->length += (size_t)got;
		if (text->length > GRAPH_LARGEST_TEXT)
			return -EFBIG;
	}
}

static int read_file(struct arena *arena, const char *path, struct file_text *text)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC), result;

	if (descriptor < 0)
		return -errno;
	result = fstat(descriptor, &text->stat) ? -errno : 0;
	if (!result && S_ISDIR(text->stat.st_mode))
		result = -EISDIR;
	if (!result)
		result = read_all(arena, descriptor, text);
	close(descriptor);
	return result;
}

static const char *reason(int result)
{
	return result == -EFBIG ? "larger than 16 MiB; this is no graph" : strerror(-result);
}

struct graph *graph_load(struct arena *arena, const char *path, const struct graph_setting *sets,
	unsigned set_count, struct diag *diag)
{
	bool is_input = !strcmp(path, "-");
	struct place at = { .file = path };
	struct file_text text = { 0 };
	int result = is_input ? read_all(arena, STDIN_FILENO, &text) : read_file(arena, path, &text);

	if (result) {
		diag_error(diag, at, "cannot read the graph: %s", reason(result));
		return NULL;
	}
	return graph_parse(arena, is_input ? "standard input" : path, text.bytes, text.length, sets, set_count, diag);
}

// Beside the file that names it, unless the path is absolute
static const char *path_beside(struct arena *arena, const char *file, const char *path)
{
	const char *slash = file && *path != '/' ? strrchr(file, '/') : NULL;

	return slash ? arena_print(arena, "%.*s%s", (int)(slash + 1 - file), file, path) : path;
}

static bool is_read_already(struct parser *parser, const struct stat *stat)
{
	struct syntax *syntax = parser->syntax;

	list_each (library, &syntax->libraries)
		if (library->device == stat->st_dev && library->inode == stat->st_ino)
			return true;
	*list_add(parser->arena, &syntax->libraries) = (struct library){ stat->st_dev, stat->st_ino };
	return false;
}

static const char *without_quotes(struct arena *arena, const char *path)
{
	size_t length = strlen(path);

	if (length >= 2 && (*path == '"' || *path == '\'') && path[length - 1] == *path)
		return arena_text(arena, path + 1, length - 2);
	return path;
}

void parse_library(struct parser *parser, const char *path, struct place at)
{
	struct file_text text = { 0 };
	struct stat stat_now;
	int result;

	if (parser->depth) {
		fault(parser->faults, at, "a library is required outside of compound elements and groups");
		return;
	}
	path = path_beside(parser->arena, at.file, without_quotes(parser->arena, path));
	if (!stat(path, &stat_now) && S_ISREG(stat_now.st_mode)) {
		if (is_read_already(parser, &stat_now))
			return;
		result = read_file(parser->arena, path, &text);
	} else {
		result = -ENOENT;
	}
	if (result)
		fault(parser->faults, at, "cannot read library \"%s\": %s", path, reason(result));
	else if (parser->syntax->libraries.count > GRAPH_DEEPEST)
		fault(parser->faults, at, "more than %d libraries", GRAPH_DEEPEST);
	else
		parse_text(parser, path, text.bytes, text.length);
}
