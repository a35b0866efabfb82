// SPDX-License-Identifier: Apache-2.0
#include "port/capture_output.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

int output_init(struct output *output, int file)
{
	*output = (struct output){ .file = file, .buffer = aligned_alloc(4096, OUTPUT_ROOM) };
	return output->buffer ? 0 : -ENOMEM;
}

int output_flush(struct output *output)
{
	struct pollfd poller = { .fd = output->file, .events = POLLOUT };
	size_t done = 0;

	while (!output->failed && done < output->used) {
		ssize_t put = write(output->file, output->buffer + done, output->used - done);

		if (put >= 0)
			done += (size_t)put;
		else if (errno == EAGAIN) // somebody made standard output non-blocking
			poll(&poller, 1, -1);
		else if (errno != EINTR)
			output->failed = -errno;
	}
	output->written += done;
	output->used = 0;
	return output->failed;
}

// Fills the buffer to the last byte before it is written, so that all writes but the last are
// aligned.
void output_put_slowly(struct output *output, const void *bytes, size_t length)
{
	const uint8_t *from = bytes;

	while (length) {
		size_t room = OUTPUT_ROOM - output->used, step = length < room ? length : room;

		memcpy(output->buffer + output->used, from, step);
		output->used += step;
		from += step;
		length -= step;
		if (output->used == OUTPUT_ROOM)
			output_flush(output);
	}
}

int output_uninit(struct output *output)
{
	output_flush(output);
	if (output->file > STDERR_FILENO && close(output->file) < 0 && errno != EINTR && !output->failed)
		output->failed = -errno;
	free(output->buffer);
	output->buffer = NULL;
	output->file = -1;
	return output->failed;
}
