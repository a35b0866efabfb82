// SPDX-License-Identifier: Apache-2.0
// The bytes of a capture, in order, from a file, a pipe or memory: a window that moves over them.
// Inside this folder; other rooms include port/capture.h.
#ifndef PORT_CAPTURE_INPUT_H
#define PORT_CAPTURE_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { INPUT_PIECE = 128 << 10 }; // what one read asks for: fits L2 beside what the packets need

struct input {
	// How many bytes it got; 0: the end; -EAGAIN: nothing yet; another -errno.
	ssize_t (*read)(struct input *input, uint8_t *to, size_t room);
	void *context; // of a read that is not this file's
	int file;
	int wait_ms; // for a pipe
	bool is_pipe;
	bool ended;
	uint8_t *buffer;
	size_t room;
	const uint8_t *at, *end; // what is there and not yet used
	uint64_t before;         // bytes of the capture in front of the buffer
};

void input_init(struct input *input, int file, bool is_pipe);
void input_uninit(struct input *input);

// Gets `bytes` contiguous bytes to input->at. 1; 0 if the input ends before; -errno. Moves what is
// in the window.
int input_need(struct input *input, size_t bytes);

static inline size_t input_there(const struct input *input)
{
	return (size_t)(input->end - input->at);
}

// Where in the capture a byte of the window lies.
static inline uint64_t input_offset(const struct input *input, const uint8_t *at)
{
	return input->buffer ? input->before + (uint64_t)(at - input->buffer) : 0;
}

#endif
