// SPDX-License-Identifier: Apache-2.0
// For the tests and the fuzzer of captures: captures in memory, made up byte by byte, and a digest
// of what a reader says.
#ifndef PORT_CAPTURE_TESTING_H
#define PORT_CAPTURE_TESTING_H

#include "port/capture_read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

// ---- captures in memory

struct memory {
	const uint8_t *at;
	size_t left, piece; // bytes not yet read; the most that one read gives
};

static inline ssize_t memory_read(struct input *input, uint8_t *to, size_t room)
{
	struct memory *memory = input->context;
	size_t step = memory->left < memory->piece ? memory->left : memory->piece;

	step = step < room ? step : room;
	memcpy(to, memory->at, step);
	memory->at += step;
	memory->left -= step;
	return (ssize_t)step;
}

// With piece 0 the window is a copy of just these bytes, so that a sanitizer sees any step beyond
// them; else it is refilled from `memory`, which must live as long as the capture, by that many
// bytes at a time.
static inline int open_memory(struct capture **capture, struct memory *memory, const uint8_t *bytes,
	size_t length, size_t piece, struct capture_error *why)
{
	struct input input = { .file = -1, .wait_ms = -1 };

	*memory = (struct memory){ bytes, length, piece };
	input.read = memory_read;
	input.context = memory;
	if (!piece) {
		input.buffer = malloc(length ? length : 1);
		memcpy(input.buffer, bytes, length);
		input.at = input.buffer;
		input.end = input.buffer + length;
		input.room = length;
		input.ended = true;
	}
	return capture_open_input(capture, &input, "memory", why);
}

// ---- digests (FNV-1a)

#define DIGEST_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t digest(uint64_t sum, const void *bytes, size_t length)
{
	for (const uint8_t *at = bytes; length--; at++)
		sum = (sum ^ *at) * UINT64_C(0x100000001b3);
	return sum;
}

// All of a record but the interface's number.
static inline uint64_t digest_record(uint64_t sum, const struct capture_record *record)
{
	const uint64_t words[] = { record->time_ns, record->captured, record->original, record->link_type,
		record->has_time };

	return digest(digest(sum, words, sizeof(words)), record->bytes, record->captured);
}

// ---- bytes of a capture, written down readably

struct bytes {
	bool is_big;
	size_t length;
	uint8_t at[8192];
};

static inline void put(struct bytes *bytes, const void *from, size_t length)
{
	assert(bytes->length + length <= sizeof(bytes->at));
	memcpy(bytes->at + bytes->length, from, length);
	bytes->length += length;
}

static inline void put_number(struct bytes *bytes, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)(value >> 8 * (bytes->is_big ? size - 1 - i : i));

		put(bytes, &byte, 1);
	}
}

static inline void put16(struct bytes *bytes, uint32_t value)
{
	put_number(bytes, value, 2);
}

static inline void put32(struct bytes *bytes, uint32_t value)
{
	put_number(bytes, value, 4);
}

// A packet's bytes: 1, 2, 3 ...
static inline void put_payload(struct bytes *bytes, uint32_t length)
{
	for (uint32_t i = 1; i <= length; i++)
		put_number(bytes, i & 0xff, 1);
}

static inline void put_padding(struct bytes *bytes)
{
	while (bytes->length % 4)
		put_number(bytes, 0, 1);
}

static inline void put_pcap(struct bytes *bytes, uint32_t magic, uint32_t snap, uint32_t link_word)
{
	put32(bytes, magic);
	put16(bytes, 2);
	put16(bytes, 4);
	put32(bytes, 0);
	put32(bytes, 0);
	put32(bytes, snap);
	put32(bytes, link_word);
}

static inline void put_record(struct bytes *bytes, uint32_t seconds, uint32_t fraction, uint32_t captured,
	uint32_t original)
{
	put32(bytes, seconds);
	put32(bytes, fraction);
	put32(bytes, captured);
	put32(bytes, original);
	put_payload(bytes, captured);
}

// Returns where the block begins, for end_block.
static inline size_t begin_block(struct bytes *bytes, uint32_t type)
{
	size_t begins = bytes->length;

	put32(bytes, type);
	put32(bytes, 0);
	return begins;
}

static inline void end_block(struct bytes *bytes, size_t begins)
{
	size_t ends, total;

	put_padding(bytes);
	total = bytes->length - begins + 4;
	put32(bytes, (uint32_t)total);
	ends = bytes->length;
	bytes->length = begins + 4;
	put32(bytes, (uint32_t)total);
	bytes->length = ends;
}

static inline void put_section(struct bytes *bytes, bool is_big)
{
	size_t begins;

	bytes->is_big = is_big;
	begins = begin_block(bytes, 0x0a0d0d0a);
	put32(bytes, 0x1a2b3c4d);
	put16(bytes, 1);
	put16(bytes, 0);
	put_number(bytes, UINT64_MAX, 8);
	end_block(bytes, begins);
}

static inline void put_option(struct bytes *bytes, uint16_t code, const void *value, uint16_t length)
{
	put16(bytes, code);
	put16(bytes, length);
	put(bytes, value, length);
	put_padding(bytes);
}

static inline void put_interface(struct bytes *bytes, uint16_t link_type, uint32_t snap, uint8_t resolution,
	int64_t offset_s)
{
	size_t begins = begin_block(bytes, 1);

	put16(bytes, link_type);
	put16(bytes, 0);
	put32(bytes, snap);
	put_option(bytes, 9, &resolution, 1);
	put16(bytes, 14);
	put16(bytes, 8);
	put_number(bytes, (uint64_t)offset_s, 8);
	put_option(bytes, 0, "", 0);
	end_block(bytes, begins);
}

static inline void put_enhanced(struct bytes *bytes, uint32_t interface, uint64_t ticks, uint32_t captured,
	uint32_t original)
{
	size_t begins = begin_block(bytes, 6);

	put32(bytes, interface);
	put32(bytes, (uint32_t)(ticks >> 32));
	put32(bytes, (uint32_t)ticks);
	put32(bytes, captured);
	put32(bytes, original);
	put_payload(bytes, captured);
	end_block(bytes, begins);
}

#endif
