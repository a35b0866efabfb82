// SPDX-License-Identifier: Apache-2.0
// What the files of the stream share: what waits in a stream, and what it remembers.
#ifndef FLOW_STREAM_INSIDE_H
#define FLOW_STREAM_INSIDE_H

#include "flow/stream.h"

struct stream_wait {
	struct pieces pieces;
	struct stream *stream;
	uint64_t confirmed; // offset up to which the other side has it
	uint64_t evident_confirmed, evident_ns; // what was confirmed when the first hole was, and when that was
	bool is_evident;
	struct stream_wait *older, *newer; // `newer` links the free ones too
	struct stream_wait *evident_before, *evident_behind;
};

// A place in the lists: by age, and of those where it is evident that we have missed something.
bool stream_wait_begin(struct stream_pool *pool, struct stream *stream); // false: too many wait
void stream_wait_end(struct stream_pool *pool, struct stream *stream);
void stream_wait_renew(struct stream_pool *pool, struct stream_wait *wait); // it is the youngest now
void stream_wait_set_evident(struct stream_pool *pool, struct stream_wait *wait, uint64_t now_ns);
void stream_wait_unset_evident(struct stream_pool *pool, struct stream_wait *wait);

// The last `length` bytes before stream->offset were these.
void stream_memory_add(struct stream_pool *pool, struct stream *stream, const uint8_t *bytes, uint32_t length);
enum stream_same stream_memory_compare(const struct stream_pool *pool, const struct stream *stream, uint64_t offset,
	const uint8_t *bytes, uint32_t length);
void stream_memory_end(struct stream_pool *pool, struct stream *stream);

#endif
