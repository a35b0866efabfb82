// SPDX-License-Identifier: Apache-2.0
// What was told of a stream is remembered for a while, where somebody asked: a ring of bytes.
#include "flow/stream_inside.h"

#include <string.h>

bool stream_remember(struct stream_pool *pool, struct stream *stream)
{
	if (stream->marks & STREAM_REMEMBERS)
		return true;
	if (!pool->free_memory_count) {
		pool->refused_memories++;
		return false;
	}
	stream->remembers = pool->free_memories[--pool->free_memory_count];
	stream->marks |= STREAM_REMEMBERS;
	pool->memory_from[stream->remembers] = stream->offset;
	return true;
}

void stream_memory_end(struct stream_pool *pool, struct stream *stream)
{
	if (!(stream->marks & STREAM_REMEMBERS))
		return;
	stream->marks &= (uint8_t)~STREAM_REMEMBERS;
	pool->free_memories[pool->free_memory_count++] = stream->remembers;
}

static uint8_t *remembered(const struct stream_pool *pool, const struct stream *stream, uint64_t offset)
{
	return pool->memories + (size_t)stream->remembers * pool->limits.memory + (offset & (pool->limits.memory - 1));
}

// How many bytes from `offset` on lie in one part of its memory, `length` at most.
static uint32_t unbroken(const struct stream_pool *pool, uint64_t offset, uint64_t length)
{
	uint64_t part = pool->limits.memory - (offset & (pool->limits.memory - 1));

	return (uint32_t)(part < length ? part : length);
}

void stream_memory_add(struct stream_pool *pool, struct stream *stream, const uint8_t *bytes, uint32_t length)
{
	uint64_t offset = stream->offset - length;

	if (length > pool->limits.memory) {
		bytes += length - pool->limits.memory;
		offset = stream->offset - pool->limits.memory;
	}
	while (offset < stream->offset) {
		uint32_t part = unbroken(pool, offset, stream->offset - offset);

		memcpy(remembered(pool, stream, offset), bytes, part);
		bytes += part;
		offset += part;
	}
}

static uint64_t remembered_from(const struct stream_pool *pool, const struct stream *stream)
{
	uint64_t from = stream->offset > pool->limits.memory ? stream->offset - pool->limits.memory : 0;

	if (!(stream->marks & STREAM_REMEMBERS))
		return stream->offset;
	return from > pool->memory_from[stream->remembers] ? from : pool->memory_from[stream->remembers];
}

enum stream_same stream_memory_compare(const struct stream_pool *pool, const struct stream *stream,
	uint64_t offset, const uint8_t *bytes, uint32_t length)
{
	uint32_t part;

	if (offset < remembered_from(pool, stream))
		return STREAM_UNKNOWN;
	for (; length; offset += part, bytes += part, length -= part) {
		part = unbroken(pool, offset, length);
		if (memcmp(remembered(pool, stream, offset), bytes, part))
			return STREAM_DIFFERENT;
	}
	return STREAM_SAME;
}

uint32_t stream_read(
	const struct stream_pool *pool, const struct stream *stream, uint64_t offset, uint8_t *into, uint32_t length)
{
	uint32_t done = 0, part;

	if (offset < stream->offset && offset < remembered_from(pool, stream))
		return 0;
	for (; done < length && offset + done < stream->offset; done += part) {
		uint64_t there = stream->offset - offset - done;

		part = unbroken(pool, offset + done, there < length - done ? there : length - done);
		memcpy(into + done, remembered(pool, stream, offset + done), part);
	}
	if (stream->wait)
		done += pieces_read(&stream->wait->pieces, offset + done, into + done, length - done);
	return done;
}
