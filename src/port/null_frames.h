// SPDX-License-Identifier: Apache-2.0
// The frames of null: what options say, made up or taken out of a capture.
#ifndef PORT_NULL_FRAMES_H
#define PORT_NULL_FRAMES_H

#include "port/port.h"

struct null_options {
	uint32_t size, flows, buffers; // bytes of a frame made up, how many different ones, how many buffers go round
	uint64_t seed, count;          // count 0: without end
	char frames[512];              // a capture; "": made up
};

struct null_frame {
	const uint8_t *bytes;
	uint32_t length;
	uint16_t link_type;
	uint8_t link;
};

struct null_frames {
	uint8_t *bytes;
	size_t room;
	struct null_frame *frames;
	uint32_t count;
};

int null_options_parse(struct null_options *options, const char *text, struct port_error *why);
int null_frames_make(struct null_frames *frames, const struct null_options *options, struct port_error *why);
void null_frames_free(struct null_frames *frames);
uint64_t null_random(uint64_t *state);

#endif
