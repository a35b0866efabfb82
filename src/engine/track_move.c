// SPDX-License-Identifier: Apache-2.0
// Another plan: tables of flows stay; what is kept of each flow moves to a block of the new form, streams with it.
// form, streams with it.
#include "engine/track_tcp.h"

#include "engine/worker.h"
#include "plan/platform.h"

#include <netinet/in.h>

struct move {
	const struct plan *to, *from;
	struct tracker *tracker; // that stays
	struct flow_blocks *blocks; // that its flows get
	bool has_streams;           // they were kept before, and are kept now
};

static void move_member(const struct plan_element *to, const struct plan_element *from,
	const struct weir_member *member, char *fresh, const char *old)
{
	for (const struct weir_member *twin = from->class->members; twin && twin->kind != WEIR_END; twin++)
		if (twin->kind == WEIR_IS_STATE && twin->size == member->size && !strcmp(twin->name, member->name))
			memcpy(fresh + *(const uint32_t *)((const char *)to->prototype + member->offset),
				old + *(const uint32_t *)((const char *)from->prototype + twin->offset), member->size);
}

static void move_members(const struct move *move, char *fresh, const char *old)
{
	list_each (element, &move->to->elements) {
		const struct plan_element *before = plan_find(move->from, (*element)->name);

		if (!before || strcmp(before->class->name, (*element)->class->name))
			continue;
		for (const struct weir_member *member = (*element)->class->members; member && member->kind != WEIR_END;
			member++)
			if (member->kind == WEIR_IS_STATE)
				move_member(*element, before, member, fresh, old);
	}
}

static uint32_t moved_bits(const struct move *move, uint32_t bits)
{
	uint32_t moved = 0;

	list_each (element, &move->from->elements) {
		uint8_t bit = (*element)->flow_bit;
		const struct plan_element *heir =
			bit && bits >> (bit - 1) & 1 ? plan_find(move->to, (*element)->name) : NULL;

		if (heir && heir->flow_bit)
			moved |= 1u << (heir->flow_bit - 1);
	}
	return moved;
}

// ---- streams

static void move_hash(const struct move *move, struct track_side *side, struct track_side *before)
{
	const SHA2_CTX *hash = track_hash(move->from, before);

	side->is_hashed = hash && move->to->tracking->hash;
	if (side->is_hashed)
		memcpy(track_hash(move->to, side), hash, sizeof(*hash));
}

static bool is_cut_short(const struct stream *stream)
{
	return stream->marks & STREAM_STOPPED && !(stream->marks & STREAM_ENDED);
}

static void move_streams(const struct move *move, struct flow *flow, struct track_streams *old)
{
	struct track_streams *streams = track_streams(move->to, &flow->head);

	track_start_late(move->to, streams, flow, old && old->side[0].is_outer);
	if (!move->has_streams || !old || !old->side[0].flow)
		return;
	for (unsigned i = 0; i < 2; i++) {
		struct track_side *before = &old->side[i];

		streams->side[i].is_server = before->is_server;
		streams->side[i].stopped = moved_bits(move, before->stopped);
		if (!(before->stream.marks & STREAM_STARTED) || is_cut_short(&before->stream))
			continue; // nobody wanted it; who wants it now hears what comes next
		streams->side[i].stream = before->stream;
		stream_moved(&streams->side[i].stream);
		move_hash(move, &streams->side[i], before);
	}
}

static void forget_streams(const struct move *move, struct track_streams *streams)
{
	for (unsigned i = 0; streams && i < 2; i++)
		if (streams->side[i].stream.marks & STREAM_STARTED)
			stream_forget(move->tracker->streams, &streams->side[i].stream);
}

static struct track_streams *streams_of(const struct plan *plan, const struct flow *flow)
{
	return flow->head.protocol == IPPROTO_TCP ? track_streams(plan, &flow->head) : NULL;
}

// ---- flows

static void move_flow(const struct move *move, struct flow *flow)
{
	struct track_streams *streams = streams_of(move->from, flow);
	void *old = flow->head.state_;

	if (!move->has_streams)
		forget_streams(move, streams);
	flow->head.state_ = move->blocks ? flow_block_take(move->blocks) : NULL;
	if (flow->head.state_ && old) {
		if (move->to->keeps_history && move->from->keeps_history)
			memcpy(flow->head.state_, old, PLAN_FLOW_HISTORY);
		move_members(move, flow->head.state_, old);
	}
	if (streams_of(move->to, flow))
		move_streams(move, flow, streams);
	if (move->tracker->blocks)
		flow_block_give(move->tracker->blocks, old);
	flow->head.knows_ = moved_bits(move, flow->head.knows_);
	flow->head.done_ = moved_bits(move, flow->head.done_);
	flow->head.flags_ = 0; // who has dropped it decides anew
}

static void move_flows(const struct move *move)
{
	struct flow *flow;

	for (unsigned i = 0; i < 2; i++)
		for (uint32_t place = 0; (flow = flow_next(move->tracker->tables[i], &place));)
			move_flow(move, flow);
}

// ---- trackers

// The tables stay; the blocks are the fresh one's, and so is what streams wait in unless they go on.
static void keep_tables(struct tracker *tracker, struct tracker *fresh, const struct plan *to, const struct plan *from)
{
	struct move move = { to, from, tracker, fresh->blocks, to->keeps_streams && from->keeps_streams };
	struct flow_blocks *blocks = tracker->blocks;
	struct stream_pool *streams = tracker->streams;

	move_flows(&move);
	tracker->blocks = fresh->blocks;
	fresh->blocks = blocks;
	if (!move.has_streams) {
		tracker->streams = fresh->streams;
		fresh->streams = streams;
	}
	tracker_destroy(fresh);
}

static void drop_tables(struct tracker *tracker, const struct plan *from)
{
	struct move move = { .from = from, .tracker = tracker };
	struct flow *flow;

	for (unsigned i = 0; i < 2; i++)
		for (uint32_t place = 0; (flow = flow_next(tracker->tables[i], &place));)
			forget_streams(&move, streams_of(from, flow));
	tracker_destroy(tracker);
}

void tracker_take_up(struct worker *worker, const struct generation *old, struct share *share)
{
	struct tracker *fresh = share->tracker;

	share->tracker = NULL;
	if (fresh && worker->tracker) {
		keep_tables(worker->tracker, fresh, worker->generation->plan, old->plan);
		return;
	}
	if (worker->tracker) // nobody needs to know of flows any more
		drop_tables(worker->tracker, old->plan);
	worker->tracker = fresh;
}
