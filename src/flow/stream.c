// SPDX-License-Identifier: Apache-2.0
// What is told, and when.
#include "flow/stream_inside.h"

#include <string.h>

// ---- telling

static void tell(struct stream_pool *pool, struct stream *stream, const uint8_t *bytes, uint32_t length)
{
	uint64_t offset = stream->offset;

	stream->offset += length;
	stream->next += length;
	if (stream->marks & STREAM_REMEMBERS)
		stream_memory_add(pool, stream, bytes, length);
	pool->sink.data(pool->sink.context, stream, offset, bytes, length);
}

static void tell_gap(struct stream_pool *pool, struct stream *stream, uint64_t length, enum stream_gap_cause cause)
{
	uint64_t offset = stream->offset;

	stream->offset += length;
	stream->next += (uint32_t)length;
	stream->gap_bytes += length;
	if (stream->marks & STREAM_REMEMBERS)
		pool->memory_from[stream->remembers] = stream->offset;
	pool->gaps[cause]++;
	pool->sink.gap(pool->sink.context, stream, offset, length, cause);
}

static void tell_end(struct stream_pool *pool, struct stream *stream)
{
	if (stream->marks & STREAM_ENDED)
		return;
	stream->marks |= STREAM_ENDED;
	stream_wait_end(pool, stream);
	if (pool->sink.ended)
		pool->sink.ended(pool->sink.context, stream);
}

static uint64_t end_offset(const struct stream *stream)
{
	return stream->marks & STREAM_HAS_END ? stream->offset + (uint32_t)(stream->end - stream->next) : UINT64_MAX;
}

// What follows without a hole; the end, if that is reached; and no waiting if nothing is left.
static void tell_run(struct stream_pool *pool, struct stream *stream)
{
	struct stream_wait *wait = stream->wait;
	struct piece *piece;

	while (wait && !(stream->marks & STREAM_STOPPED) && (piece = pieces_first(&wait->pieces)) &&
		piece->from == stream->offset) {
		const uint8_t *bytes = piece->bytes;
		uint32_t length = (uint32_t)(piece->to - piece->from);

		pieces_remove(&pool->pieces, &wait->pieces, piece);
		tell(pool, stream, bytes, length);
	}
	if (stream->marks & STREAM_STOPPED)
		stream_forget(pool, stream);
	else if (stream->marks & STREAM_HAS_END && stream->next == stream->end)
		tell_end(pool, stream);
	else if (wait && !wait->pieces.count && !(stream->marks & STREAM_HAS_END))
		stream_wait_end(pool, stream);
}

// Where the first hole ends: before what waits, or at the end.
static uint64_t hole_end(const struct stream *stream)
{
	struct piece *piece = pieces_first(&stream->wait->pieces);

	return piece ? piece->from : end_offset(stream);
}

static void give_up(struct stream_pool *pool, struct stream *stream, enum stream_gap_cause cause)
{
	struct stream_wait *wait = stream->wait;
	uint64_t end = hole_end(stream);

	stream_wait_unset_evident(pool, wait);
	if (end == UINT64_MAX)
		end = stream->offset;
	if (end > stream->offset)
		tell_gap(pool, stream, end - stream->offset, cause);
	// It waits for another hole from now on.
	stream_wait_renew(pool, wait);
	tell_run(pool, stream);
}

// ---- evidence

static bool is_hole_confirmed(const struct stream *stream, uint64_t confirmed)
{
	uint64_t end = hole_end(stream);

	return end != UINT64_MAX && confirmed >= end;
}

// All holes that were confirmed at the same time have been waited for equally long.
static void give_up_confirmed(struct stream_pool *pool, struct stream *stream, uint64_t confirmed)
{
	while (stream->wait && is_hole_confirmed(stream, confirmed))
		give_up(pool, stream, STREAM_CONFIRMED);
}

static void consider(struct stream_pool *pool, struct stream *stream, uint64_t now_ns)
{
	while (stream->wait && is_hole_confirmed(stream, stream->wait->confirmed)) {
		struct stream_wait *wait = stream->wait;
		uint64_t since_ns, confirmed;

		if (wait->is_evident && !is_hole_confirmed(stream, wait->evident_confirmed))
			stream_wait_unset_evident(pool, wait); // that was for a hole that was filled since
		if (!wait->is_evident)
			stream_wait_set_evident(pool, wait, now_ns);
		since_ns = wait->evident_ns;
		confirmed = wait->evident_confirmed;
		if (now_ns < since_ns || now_ns - since_ns < pool->limits.grace_ns)
			return;
		give_up_confirmed(pool, stream, confirmed);
	}
	if (stream->wait)
		stream_wait_unset_evident(pool, stream->wait); // the hole was filled, another one is not confirmed
}

void stream_confirm_fully(struct stream_pool *pool, struct stream *stream, uint32_t ack, uint64_t now_ns)
{
	int32_t ahead = (int32_t)(ack - stream->next);
	uint64_t confirmed = stream->offset + (uint64_t)(ahead > 0 ? ahead : 0);

	if (confirmed > stream->wait->confirmed)
		stream->wait->confirmed = confirmed;
	consider(pool, stream, now_ns);
}

bool stream_settle_next(struct stream_pool *pool, uint64_t now_ns)
{
	struct stream_wait *wait = pool->first_evident;
	struct stream *stream;
	uint64_t confirmed;

	if (!wait || now_ns < wait->evident_ns || now_ns - wait->evident_ns < pool->limits.grace_ns)
		return false;
	stream = wait->stream;
	confirmed = wait->evident_confirmed;
	pool->settled_ns = wait->evident_ns + pool->limits.grace_ns;
	stream_wait_unset_evident(pool, wait);
	give_up_confirmed(pool, stream, confirmed);
	if (stream->wait)
		consider(pool, stream, pool->settled_ns);
	return true;
}

void stream_settle(struct stream_pool *pool, uint64_t now_ns)
{
	while (stream_settle_next(pool, now_ns))
		;
}

// ---- segments

struct part { // of a segment: what of it is looked at
	struct stream_pool *pool;
	struct stream *stream;
	uint64_t from, to;
	const uint8_t *bytes;
	uint32_t result;
};

static void tell_overlap(struct part *part, uint64_t offset, uint32_t length, enum stream_same same)
{
	struct stream_sink *sink = &part->pool->sink;

	part->result |= STREAM_REPEATED;
	if (sink->overlapped)
		sink->overlapped(sink->context, part->stream, offset, length, same);
}

// A segment that is all there already, and no byte of it another one, is sent again: that is no overlap.
static void overlap_waiting(void *context, uint64_t at, uint32_t length, bool same)
{
	struct part *part = context;

	if (same && length == part->to - part->from)
		part->result |= STREAM_REPEATED;
	else
		tell_overlap(part, at, length, same ? STREAM_SAME : STREAM_DIFFERENT);
}

static void overlap_told(struct part *part, uint64_t to)
{
	uint32_t length = (uint32_t)(to - part->from);
	enum stream_same same = stream_memory_compare(part->pool, part->stream, part->from, part->bytes, length);

	if (same != STREAM_DIFFERENT && to == part->to)
		part->result |= STREAM_REPEATED;
	else
		tell_overlap(part, part->from, length, same);
}

static void skip(struct part *part, uint64_t to)
{
	part->bytes += to - part->from;
	part->from = to;
}

// Cuts off what is told already, or behind the stream's end.
static void cut(struct part *part)
{
	struct stream *stream = part->stream;

	if (part->from < stream->offset && part->from < part->to) {
		uint64_t to = part->to < stream->offset ? part->to : stream->offset;

		overlap_told(part, to);
		skip(part, to);
	}
	if (part->to > end_offset(stream)) {
		part->to = end_offset(stream);
		part->result |= STREAM_BEYOND;
	}
}

static void begin_part(struct part *part, const struct stream_segment *segment)
{
	const struct stream *stream = part->stream;
	int64_t from = (int64_t)stream->offset + (int32_t)(segment->seq - stream->next);
	uint32_t before = from < 0 ? -from < segment->length ? (uint32_t)-from : segment->length : 0;

	part->from = (uint64_t)(from + before);
	part->to = part->from + segment->length - before;
	part->bytes = segment->bytes + before;
	if (before)
		part->result |= STREAM_BEFORE;
	cut(part);
}

static bool is_empty(const struct part *part)
{
	return part->from >= part->to || part->stream->marks & STREAM_STOPPED;
}

// It begins where the stream has got to: what it has before anything that waits is told.
static void tell_beginning(struct part *part)
{
	struct stream *stream = part->stream;
	struct piece *piece = stream->wait ? pieces_first(&stream->wait->pieces) : NULL;
	uint64_t to = piece && piece->from < part->to ? piece->from : part->to;
	const uint8_t *bytes = part->bytes;

	part->result |= STREAM_TOLD;
	skip(part, to);
	tell(part->pool, stream, bytes, (uint32_t)(to - stream->offset));
	tell_run(part->pool, stream);
	cut(part);
}

static bool is_alone(const struct part *part)
{
	struct stream *stream = part->stream;
	struct piece *piece = stream->wait ? pieces_first(&stream->wait->pieces) : NULL;

	return part->from == stream->offset && (!piece || part->to <= piece->from);
}

// Room for it: the hole that was waited for longest is given up, be it this stream's.
static bool make_room(struct part *part)
{
	static const struct pieces none;
	struct stream_pool *pool = part->pool;
	struct stream *stream = part->stream;

	while (!is_empty(part)) {
		uint32_t there = pool->pieces.pieces - pool->pieces.pieces_used;

		if (pieces_need(stream->wait ? &stream->wait->pieces : &none, part->from, part->to) <= there &&
			stream_wait_begin(pool, stream))
			return true;
		if (part->from == stream->offset) {
			tell_beginning(part);
			continue;
		}
		if (!pool->oldest)
			return false;
		give_up(pool, pool->oldest->stream, STREAM_NO_ROOM);
		cut(part);
	}
	return false;
}

static void lose(struct part *part, uint64_t bytes)
{
	part->pool->lost_bytes += bytes;
	part->result |= bytes ? STREAM_LOST : 0;
}

static void put(struct part *part, void *packet)
{
	struct stream_pool *pool = part->pool;
	struct stream *stream = part->stream;
	uint64_t offset;

	if (!make_room(part)) {
		lose(part, is_empty(part) ? 0 : part->to - part->from);
		return;
	}
	pieces_put(&pool->pieces, &stream->wait->pieces, part->from, part->to, part->bytes,
		overlap_rule_of_stream(stream->policy), overlap_waiting, part);
	offset = stream->offset;
	tell_run(pool, stream);
	part->result |= stream->offset > offset ? STREAM_TOLD : 0;
	if (!stream->wait)
		return;
	lose(part, pieces_keep(&pool->pieces, &stream->wait->pieces, part->from, part->to, packet));
	part->result |= stream->offset < part->to ? STREAM_WAITS : 0;
	if (!stream->wait->pieces.count && !(stream->marks & STREAM_HAS_END))
		stream_wait_end(pool, stream); // nothing could be kept
}

// Handles are given back at the next sweep only: some are left for what comes until then.
static bool is_scarce(const struct pieces_pool *pool)
{
	return (uint64_t)(pool->handles_used - pool->handles_spent) * 8 > (uint64_t)pool->handles * 7;
}

static bool is_too_much(const struct stream_pool *pool, const struct stream *stream)
{
	return stream->wait && (stream->wait->pieces.count > pool->limits.pieces_per_stream ||
			stream->wait->pieces.bytes > pool->limits.bytes_per_stream);
}

uint32_t stream_add_fully(struct stream_pool *pool, struct stream *stream, const struct stream_segment *segment)
{
	struct part part = { .pool = pool, .stream = stream };

	if (!(stream->marks & STREAM_STARTED) || stream->marks & STREAM_STOPPED)
		return 0;
	begin_part(&part, segment);
	if (!is_empty(&part) && is_alone(&part))
		tell_beginning(&part);
	if (!is_empty(&part))
		put(&part, segment->packet);
	while (is_too_much(pool, stream))
		give_up(pool, stream, STREAM_NO_ROOM);
	if ((part.result & STREAM_LOST || is_scarce(&pool->pieces)) && pool->oldest)
		give_up(pool, pool->oldest->stream, STREAM_NO_ROOM);
	if (stream->wait)
		consider(pool, stream, segment->now_ns);
	return part.result;
}

// ---- the life of a stream

void stream_start(struct stream *stream, uint32_t first, uint64_t offset, enum overlap_policy policy)
{
	*stream = (struct stream){
		.offset = offset,
		.next = first,
		.policy = (uint8_t)policy,
		.marks = STREAM_STARTED,
	};
}

void stream_finish(struct stream_pool *pool, struct stream *stream, uint32_t end, uint64_t now_ns)
{
	if (!(stream->marks & STREAM_STARTED) || stream->marks & (STREAM_STOPPED | STREAM_ENDED | STREAM_HAS_END))
		return;
	if ((int32_t)(end - stream->next) < 0)
		return; // before what was told
	stream->end = end;
	stream->marks |= STREAM_HAS_END;
	if (stream->wait)
		pieces_cut(&pool->pieces, &stream->wait->pieces, end_offset(stream));
	if (end != stream->next && stream_wait_begin(pool, stream))
		consider(pool, stream, now_ns);
	else
		tell_run(pool, stream);
}

void stream_end(struct stream_pool *pool, struct stream *stream)
{
	if (!(stream->marks & STREAM_STARTED))
		return;
	while (stream->wait && stream->wait->pieces.count)
		give_up(pool, stream, STREAM_AT_END);
	if (!stream_has_gone(stream) && stream->marks & STREAM_HAS_END && stream->end != stream->next)
		tell_gap(pool, stream, (uint32_t)(stream->end - stream->next), STREAM_AT_END);
	if (!(stream->marks & STREAM_STOPPED))
		tell_end(pool, stream);
	stream_forget(pool, stream);
}

void stream_forget(struct stream_pool *pool, struct stream *stream)
{
	stream_wait_end(pool, stream);
	stream_memory_end(pool, stream);
	stream->marks |= STREAM_STOPPED;
}

void stream_moved(struct stream *stream)
{
	if (stream->wait)
		stream->wait->stream = stream;
}
