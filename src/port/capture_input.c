// SPDX-License-Identifier: Apache-2.0
#include "port/capture_input.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A short read is no reason to read again: what a pipe has is delivered before it is asked for
// more.
static ssize_t read_file(struct input *input, uint8_t *to, size_t room)
{
	struct pollfd poller = { .fd = input->file, .events = POLLIN };
	ssize_t got;

	if (input->is_pipe) {
		int ready = poll(&poller, 1, input->wait_ms);

		if (ready <= 0)
			return ready == 0 || errno == EINTR ? -EAGAIN : -errno;
	}
	got = read(input->file, to, room);
	if (got >= 0)
		return got;
	return errno == EINTR ? -EAGAIN : -errno;
}

void input_init(struct input *input, int file, bool is_pipe)
{
	*input = (struct input){ .read = read_file, .file = file, .is_pipe = is_pipe, .wait_ms = -1 };
}

void input_uninit(struct input *input)
{
	free(input->buffer);
	if (input->file > STDIN_FILENO)
		close(input->file);
	*input = (struct input){ .file = -1 };
}

// At most doubles what is there, so that a length nobody backs with bytes costs no memory.
static int grow(struct input *input, size_t bytes)
{
	size_t room = input->room ? 2 * input->room : INPUT_PIECE + 4096;
	uint8_t *buffer;

	if (input->room && room > bytes + INPUT_PIECE)
		room = bytes + INPUT_PIECE;
	buffer = realloc(input->buffer, room);
	if (!buffer)
		return -ENOMEM;
	input->end = buffer + input_there(input);
	input->at = input->buffer = buffer;
	input->room = room;
	return 0;
}

// Moves what is left to the front of the buffer.
static void settle(struct input *input)
{
	size_t there = input_there(input);

	if (input->at == input->buffer)
		return;
	memmove(input->buffer, input->at, there);
	input->before += (uint64_t)(input->at - input->buffer);
	input->at = input->buffer;
	input->end = input->buffer + there;
}

int input_need(struct input *input, size_t bytes)
{
	while (input_there(input) < bytes) {
		size_t there, free_room;
		ssize_t got;

		if (input->ended)
			return 0;
		settle(input);
		there = input_there(input);
		if (there == input->room && grow(input, bytes) < 0)
			return -ENOMEM;
		free_room = input->room - there;
		if (free_room > INPUT_PIECE)
			free_room = INPUT_PIECE;
		got = input->read(input, input->buffer + there, free_room);
		if (got < 0)
			return (int)got;
		input->ended = got == 0;
		input->end += got;
	}
	return 1;
}
