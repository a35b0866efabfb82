// SPDX-License-Identifier: Apache-2.0
// The bytes of one direction of a TCP connection, in order, each told once; what never came is told as a gap, and the
// stream goes on. In order nothing is copied, kept or allocated; what comes early waits in a pool of fixed size.
//
// When is a gap told? When the other side has confirmed all of the hole (then it was received, and we have missed it)
// and `grace_ns` of packet time later it still has not come, for a capture may have mixed up the two directions; when
// the stream or the pool is full, the hole that was waited for longest first; and when the flow ends. What is behind
// the hole is then told, not lost. Time is the packets'; the same packets give the same pieces.
//
// A sink only notes what it hears: bytes stay readable until stream_sweep (at the vector's end). In it only stream_stop
// may be called.
#ifndef FLOW_STREAM_H
#define FLOW_STREAM_H

#include "flow/pieces.h"

#include <assert.h>

enum stream_gap_cause { STREAM_CONFIRMED, STREAM_NO_ROOM, STREAM_AT_END };
enum stream_same { STREAM_SAME, STREAM_DIFFERENT, STREAM_UNKNOWN }; // UNKNOWN: the earlier bytes are gone

struct stream_wait; // of a stream in which something waits

enum stream_mark {
	STREAM_STARTED = 1,
	STREAM_HAS_END = 2,  // `end` is known
	STREAM_ENDED = 4,    // and was told
	STREAM_STOPPED = 8,  // nobody wants more of it
	STREAM_REMEMBERS = 16,
};

struct stream {
	uint64_t offset;    // of the next byte to tell
	uint64_t gap_bytes; // of what is before that
	struct stream_wait *wait;  // NULL: nothing waits
	uint32_t next;             // the number of the byte at `offset`
	uint32_t end;              // the number behind the last byte, where a FIN told
	uint16_t remembers;        // index of its memory, where it has one
	uint8_t policy;            // enum overlap_policy
	uint8_t marks;
};
static_assert(sizeof(struct stream) == 40);

struct stream_sink {
	void *context;
	void (*data)(void *context, struct stream *stream, uint64_t offset, const uint8_t *bytes, uint32_t length);
	void (*gap)(void *context, struct stream *stream, uint64_t offset, uint64_t length,
		enum stream_gap_cause cause);
	// Bytes came again beside others, or with another value; a segment that is only sent again
	// is none. May be NULL.
	void (*overlapped)(
		void *context, struct stream *stream, uint64_t offset, uint32_t length, enum stream_same same);
	// All is told, the FIN's place is reached, or the flow has ended; once. May be NULL.
	void (*ended)(void *context, struct stream *stream);
};

struct stream_limits { // of one worker
	uint32_t streams;           // that may wait at the same time
	uint32_t pieces, copies, handles; // of all; see pieces_pool_init
	uint32_t pieces_per_stream;
	uint64_t bytes_per_stream;
	uint64_t grace_ns;
	uint32_t memories, memory;  // streams that remember what was told; so many bytes each, a power of two
};
extern const struct stream_limits stream_limits_default;

struct stream_pool {
	struct pieces_pool pieces;
	struct stream_limits limits;
	struct stream_sink sink;
	struct stream_wait *waits, *free_waits;
	struct stream_wait *oldest, *newest;               // by when they began to wait
	struct stream_wait *first_evident, *last_evident; // by when it was evident that we have missed something
	uint8_t *memories;
	uint64_t *memory_from; // from here on it is true
	uint16_t *free_memories;
	uint32_t waiting, free_memory_count;
	uint64_t settled_ns; // when the time of the hole came that is told while it settles
	uint64_t gaps[3];    // by cause
	uint64_t lost_bytes; // what came early and found no room: will be a gap
	uint64_t refused_memories;
};

int stream_pool_init(struct stream_pool *pool, const struct stream_limits *limits, const struct stream_sink *sink,
	const struct keeper *keeper); // -ENOMEM
void stream_pool_uninit(struct stream_pool *pool); // every stream has ended or is forgotten

// first: the number of its first byte (tcp_first). A stream that is wanted only later begins with what comes next:
// offset is then what was sent before.
void stream_start(struct stream *stream, uint32_t first, uint64_t offset, enum overlap_policy policy);

struct stream_segment {
	const uint8_t *bytes;
	uint32_t seq, length;
	void *packet; // for keeper.keep
	uint64_t now_ns;
};
enum stream_result {
	STREAM_TOLD = 1, // some of it, or something that waited for it
	STREAM_WAITS = 2,
	STREAM_REPEATED = 4,   // some was there
	STREAM_BEFORE = 8,     // some is before the stream's beginning
	STREAM_BEYOND = 16,    // some is behind its end
	STREAM_LOST = 32,      // some found no room
};
uint32_t stream_add_fully(struct stream_pool *pool, struct stream *stream, const struct stream_segment *segment);
// A FIN: `end` is the number behind the last byte. The first one counts.
void stream_finish(struct stream_pool *pool, struct stream *stream, uint32_t end, uint64_t now_ns);
void stream_confirm_fully(struct stream_pool *pool, struct stream *stream, uint32_t ack, uint64_t now_ns);
// Holes whose time has come, of all streams, in the order of these times: before each packet, for what comes later than
// that comes too late. _next: of one stream; false: there is none.
bool stream_settle_next(struct stream_pool *pool, uint64_t now_ns);
void stream_settle(struct stream_pool *pool, uint64_t now_ns);
// The flow ends: all that waits is told, and what is missing.
void stream_end(struct stream_pool *pool, struct stream *stream);
// Nobody wants it: nothing is told any more.
void stream_forget(struct stream_pool *pool, struct stream *stream);
static inline void stream_stop(struct stream *stream)
{
	stream->marks |= STREAM_STOPPED;
}
// It lies here now; the place where it was counts no more.
void stream_moved(struct stream *stream);
// What is told from now on is remembered for a while, so that stream_read finds it and what comes again is compared.
// false: no more memories.
bool stream_remember(struct stream_pool *pool, struct stream *stream);
// Copies what is still there, remembered or waiting, from `offset` on and without a hole; returns how much.
uint32_t stream_read(
	const struct stream_pool *pool, const struct stream *stream, uint64_t offset, uint8_t *into, uint32_t length);
static inline void stream_sweep(struct stream_pool *pool)
{
	if (pool->pieces.spent)
		pieces_sweep(&pool->pieces);
}

static inline bool stream_has_gone(const struct stream *stream)
{
	return stream->marks & (STREAM_ENDED | STREAM_STOPPED);
}

// A segment with payload.
static inline uint32_t stream_add(
	struct stream_pool *pool, struct stream *stream, const struct stream_segment *segment)
{
	uint64_t offset = stream->offset;

	if (segment->seq != stream->next || stream->wait || stream->marks != STREAM_STARTED)
		return stream_add_fully(pool, stream, segment);
	stream->offset = offset + segment->length;
	stream->next += segment->length;
	pool->sink.data(pool->sink.context, stream, offset, segment->bytes, segment->length);
	return STREAM_TOLD;
}

// The other side's acknowledgement.
static inline void stream_confirm(struct stream_pool *pool, struct stream *stream, uint32_t ack, uint64_t now_ns)
{
	if (stream->wait)
		stream_confirm_fully(pool, stream, ack, now_ns);
}

#endif
