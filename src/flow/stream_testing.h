// SPDX-License-Identifier: Apache-2.0
// For the tests and the fuzzer of streams: a stream beside a model of it that knows, for each byte, which segment owns
// it. Where there is room enough the two must tell the same; where there is not, still each offset once and in order,
// and no byte that was not sent.
#ifndef FLOW_STREAM_TESTING_H
#define FLOW_STREAM_TESTING_H

#include "flow/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODEL = 1 << 13, MODEL_SENT = 8 };

struct model_byte {
	bool is_there;
	uint8_t value;
	uint32_t from, to;         // of the segment that owns it
	uint8_t sent[MODEL_SENT]; // all values that were ever sent for it
	uint8_t sent_count;
};

struct model {
	struct stream_pool pool;
	struct stream stream;
	struct model_byte *bytes;
	uint32_t first; // number of the first byte
	uint64_t told, data_bytes, gap_bytes, end;
	uint64_t now_ns;
	bool is_strict; // there is room for all
	unsigned ended, kept, overlaps, conflicts;
};

#define model_check(holds)                                                          \
	do {                                                                        \
		if (!(holds)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #holds); \
			abort();                                                    \
		}                                                                   \
	} while (0)

static inline bool model_was_sent(const struct model_byte *byte, uint8_t value)
{
	return memchr(byte->sent, value, byte->sent_count) || byte->sent_count == MODEL_SENT;
}

static inline void model_data(
	void *context, struct stream *stream, uint64_t offset, const uint8_t *bytes, uint32_t length)
{
	struct model *model = context;

	model_check(stream == &model->stream && length);
	model_check(offset == model->told && offset + length <= MODEL);
	model_check(stream->offset == offset + length);
	for (uint32_t i = 0; i < length; i++) {
		const struct model_byte *byte = &model->bytes[offset + i];

		model_check(model->is_strict ? byte->is_there && byte->value == bytes[i]
					     : model_was_sent(byte, bytes[i]));
	}
	model->told += length;
	model->data_bytes += length;
}

static inline void model_gap(
	void *context, struct stream *stream, uint64_t offset, uint64_t length, enum stream_gap_cause cause)
{
	struct model *model = context;

	model_check(stream == &model->stream && length && cause <= STREAM_AT_END);
	model_check(offset == model->told);
	for (uint64_t i = 0; model->is_strict && i < length && offset + i < MODEL; i++)
		model_check(!model->bytes[offset + i].is_there);
	model->told += length;
	model->gap_bytes += length;
}

static inline void model_overlapped(
	void *context, struct stream *stream, uint64_t offset, uint32_t length, enum stream_same same)
{
	struct model *model = context;

	model_check(stream == &model->stream && length && offset + length <= MODEL);
	model->overlaps++;
	model->conflicts += same == STREAM_DIFFERENT;
}

static inline void model_ended(void *context, struct stream *stream)
{
	struct model *model = context;

	model_check(stream == &model->stream && !stream->wait);
	model->ended++;
	model_check(model->ended == 1);
}

struct model_kept { // what is kept of a packet: a copy, of which a sanitizer sees the end
	uint32_t length;
	uint8_t bytes[];
};

static inline void *model_keep(void *context, void *packet)
{
	((struct model *)context)->kept++;
	return packet;
}

static inline void model_let_go(void *context, void *handle)
{
	((struct model *)context)->kept--;
	free(handle);
}

static inline void model_create(struct model *model, const struct stream_limits *limits, bool is_strict)
{
	struct stream_sink sink = { model, model_data, model_gap, model_overlapped, model_ended };
	struct keeper keeper = { model, model_keep, model_let_go };

	*model = (struct model){ .is_strict = is_strict, .bytes = calloc(MODEL, sizeof(struct model_byte)) };
	model_check(!stream_pool_init(&model->pool, limits, &sink, &keeper));
}

static inline void model_begin(struct model *model, uint32_t first, enum overlap_policy policy)
{
	memset(model->bytes, 0, MODEL * sizeof(struct model_byte));
	model->first = first;
	model->end = UINT64_MAX;
	model->now_ns = 1000;
	model->told = model->data_bytes = model->gap_bytes = model->pool.lost_bytes = 0;
	model->ended = model->overlaps = model->conflicts = 0;
	stream_start(&model->stream, first, 0, policy);
}

static inline void model_own(struct model *model, uint64_t from, uint64_t to, const uint8_t *bytes)
{
	overlap_rule *replaces = overlap_rule_of_stream(model->stream.policy);

	for (uint64_t i = from; i < to; i++) {
		struct model_byte *byte = &model->bytes[i];

		if (byte->is_there && !replaces(from, to, byte->from, byte->to))
			continue;
		byte->is_there = true;
		byte->value = bytes[i - from];
		byte->from = (uint32_t)from;
		byte->to = (uint32_t)to;
	}
}

// A segment at an offset, its bytes already cut as a host cuts them: to what it has not taken, before the end.
static inline void model_apply(struct model *model, uint64_t offset, const uint8_t *bytes, uint32_t length)
{
	uint64_t from = offset, to = offset + length;

	for (uint32_t i = 0; i < length; i++) {
		struct model_byte *byte = &model->bytes[offset + i];

		if (byte->sent_count < MODEL_SENT)
			byte->sent[byte->sent_count++] = bytes[i];
	}
	if (from < model->told)
		from = model->told;
	if (to > model->end)
		to = model->end;
	if (from < to)
		model_own(model, from, to, bytes + (from - offset));
}

static inline void model_bounds(const struct model *model)
{
	const struct stream_pool *pool = &model->pool;

	model_check(pool->pieces.pieces_used <= pool->limits.pieces);
	model_check(pool->pieces.copies_used <= pool->limits.copies);
	model_check(pool->pieces.handles_used <= pool->limits.handles);
	model_check(pool->pieces.handles_used == model->kept);
	model_check(pool->waiting <= pool->limits.streams);
	model_check(model->stream.offset == model->told);
	model_check(model->stream.next == model->first + (uint32_t)model->told);
	model_check(model->stream.gap_bytes == model->gap_bytes);
	model_check(!model->is_strict || !pool->lost_bytes);
	if (!model->stream.wait)
		model_check(!pool->pieces.pieces_used && !pool->waiting);
}

static inline uint32_t model_add(struct model *model, uint64_t offset, const uint8_t *bytes, uint32_t length)
{
	uint8_t *copy = malloc(length);
	unsigned kept = model->kept;
	uint32_t result;
	struct stream_segment segment = {
		.bytes = copy,
		.seq = model->first + (uint32_t)offset,
		.length = length,
		.packet = copy,
		.now_ns = model->now_ns,
	};

	memcpy(copy, bytes, length);
	model_apply(model, offset, bytes, length);
	result = stream_add(&model->pool, &model->stream, &segment);
	model_bounds(model);
	if (model->kept == kept)
		free(copy);
	stream_sweep(&model->pool);
	model_bounds(model);
	return result;
}

static inline void model_finish(struct model *model, uint64_t end)
{
	if (model->end == UINT64_MAX && end >= model->told && !model->ended)
		model->end = end;
	stream_finish(&model->pool, &model->stream, model->first + (uint32_t)end, model->now_ns);
	stream_sweep(&model->pool);
	model_bounds(model);
}

static inline void model_confirm(struct model *model, uint64_t offset)
{
	stream_confirm(&model->pool, &model->stream, model->first + (uint32_t)offset, model->now_ns);
	stream_sweep(&model->pool);
	model_bounds(model);
}

static inline void model_pass(struct model *model, uint64_t ns)
{
	model->now_ns += ns;
	stream_settle(&model->pool, model->now_ns);
	stream_sweep(&model->pool);
	model_bounds(model);
}

// All that is there was told, if there was room.
static inline void model_finale(struct model *model)
{
	uint64_t last = 0;

	stream_end(&model->pool, &model->stream);
	model_check(model->ended == 1 && model->told == model->data_bytes + model->gap_bytes);
	for (uint64_t i = 0; i < MODEL; i++)
		if (model->bytes[i].is_there && i < model->end)
			last = i + 1;
	model_check(!model->is_strict || model->told >= last);
	stream_sweep(&model->pool);
	model_check(!model->kept && !model->pool.waiting);
}

static inline void model_destroy(struct model *model)
{
	stream_pool_uninit(&model->pool);
	free(model->bytes);
}

#endif
