// SPDX-License-Identifier: Apache-2.0
// Bytes on their way to a file or pipe: gathered, and written 256 KiB at a time.
// Inside this folder; other rooms include port/capture.h.
#ifndef PORT_CAPTURE_OUTPUT_H
#define PORT_CAPTURE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { OUTPUT_ROOM = 256 << 10 };

struct output {
	int file;
	int failed; // -errno of the first write that did not succeed; nothing is written after it
	size_t used;
	uint8_t *buffer;
	uint64_t written;
};

int output_init(struct output *output, int file); // 0 or -ENOMEM
// Flushes and closes; returns output->failed.
int output_uninit(struct output *output);
int output_flush(struct output *output);
void output_put_slowly(struct output *output, const void *bytes, size_t length);

static inline void output_put(struct output *output, const void *bytes, size_t length)
{
	if (__builtin_expect(length >= OUTPUT_ROOM - output->used, false)) {
		output_put_slowly(output, bytes, length);
		return;
	}
	memcpy(output->buffer + output->used, bytes, length);
	output->used += length;
}

#endif
