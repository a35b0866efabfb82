// SPDX-License-Identifier: Apache-2.0
// Trackers come, and go on under another generation.
#include "engine/track_tcp.h"

#include "engine/worker.h"
#include "packet/pool.h"
#include "plan/platform.h"
#include "port/platform.h"

#include <errno.h>
#include <stdlib.h>

static struct flow_table *make_table(
	struct tracker *tracker, const struct generation *generation, unsigned worker, bool is_ipv6)
{
	struct flow_columns *columns = &tracker->columns[is_ipv6];
	struct flow_shape shape = {
		.flows = (generation->plan->tracking->max_flows + generation->workers - 1) / generation->workers,
		.is_ipv6 = is_ipv6,
		.seed = generation->seed,
		.ended = track_flow_ended,
		.owner = &generation->workers_at[worker],
	};

	*columns = (struct flow_columns){
		.src_port = tracker->src_port, .dst_port = tracker->dst_port, .protocol = tracker->protocol };
	if (is_ipv6) {
		columns->src6 = tracker->src6;
		columns->dst6 = tracker->dst6;
	} else {
		columns->src4 = tracker->src4;
		columns->dst4 = tracker->dst4;
	}
	return flow_create(&shape);
}

static bool make_blocks(struct tracker *tracker, const struct generation *generation)
{
	uint32_t size = generation->plan->flow_state_size;
	uint32_t flows = generation->plan->tracking->max_flows / generation->workers + 1;

	if (!size)
		return true;
	// of each family, and of those that have ended but are still told
	tracker->blocks = flow_blocks_create(size, 2 * (flows + TRACK_ENDINGS));
	return tracker->blocks;
}

// All that keep packets have at most half of them.
static bool make_streams(struct tracker *tracker, const struct generation *generation, unsigned worker)
{
	unsigned handles = platform_pool()->size / 2 / generation->workers;

	return !generation->plan->keeps_streams ||
		!track_make_streams(tracker, &generation->workers_at[worker], handles);
}

struct tracker *tracker_create(const struct generation *generation, unsigned worker)
{
	struct tracker *tracker = aligned_alloc(64, (sizeof(*tracker) + 63) & ~(size_t)63);
	bool is_made = tracker;

	if (!tracker)
		return NULL;
	memset(tracker, 0, sizeof(*tracker));
	tracker->slot = WEIR_VECTOR;
	for (unsigned i = 0; i < 2; i++)
		is_made = is_made && (tracker->tables[i] = make_table(tracker, generation, worker, i));
	if (is_made && make_blocks(tracker, generation) && make_streams(tracker, generation, worker))
		return tracker;
	tracker_destroy(tracker);
	errno = ENOMEM;
	return NULL;
}

void tracker_destroy(struct tracker *tracker)
{
	if (!tracker)
		return;
	for (unsigned i = 0; i < 2; i++)
		flow_destroy(tracker->tables[i]);
	flow_blocks_destroy(tracker->blocks);
	if (tracker->streams)
		stream_pool_uninit(tracker->streams);
	free(tracker->streams);
	if (tracker->fragments)
		fragments_uninit(tracker->fragments);
	free(tracker->fragments);
	free(tracker->wholes);
	free(tracker);
}

// ---- fragments

struct fragments *track_fragments(struct worker *worker)
{
	struct tracker *tracker = worker->tracker;
	struct fragments_limits limits = fragments_limits_default;
	struct keeper keeper = { worker, track_keep, track_let_go };

	if (tracker->fragments)
		return tracker->fragments;
	limits.seed = worker->generation->seed;
	if (limits.handles > platform_pool()->size / 8)
		limits.handles = platform_pool()->size / 8;
	tracker->fragments = calloc(1, sizeof(*tracker->fragments));
	tracker->wholes = calloc(TRACK_WHOLES, sizeof(*tracker->wholes));
	if (!tracker->fragments || !tracker->wholes || fragments_init(tracker->fragments, &limits, &keeper)) {
		free(tracker->fragments);
		free(tracker->wholes);
		tracker->fragments = NULL;
		tracker->wholes = NULL;
	}
	return tracker->fragments;
}

struct track_whole *track_keep_whole(struct tracker *tracker, const uint8_t *whole, uint32_t length)
{
	for (struct track_whole *to = tracker->wholes; to < tracker->wholes + TRACK_WHOLES; to++)
		if (!to->keepers && !to->is_fresh) {
			to->is_fresh = true;
			memcpy(to->bytes, whole, length);
			return to;
		}
	return NULL;
}

// ---- bytes that wait: in a clone of their packet, which shares them until somebody edits, or in a whole

static bool is_whole(const struct tracker *tracker, const void *handle)
{
	const struct track_whole *whole = handle;

	return tracker->wholes && whole >= tracker->wholes && whole < tracker->wholes + TRACK_WHOLES;
}

void *track_keep(void *context, void *packet)
{
	struct worker *worker = context;

	if (is_whole(worker->tracker, packet)) {
		((struct track_whole *)packet)->keepers++;
		return packet;
	}
	worker->vector->head.shared |= (weir_mask)1 << worker->tracker->slot;
	return packet_clone(packet);
}

void track_let_go(void *context, void *handle)
{
	struct worker *worker = context;

	if (is_whole(worker->tracker, handle))
		((struct track_whole *)handle)->keepers--;
	else
		packet_free(handle);
}

// ---- what is kept per flow, under another plan

static void move_member(const struct plan_element *to, const struct plan_element *from,
	const struct weir_member *member, char *fresh, const char *old)
{
	for (const struct weir_member *twin = from->class->members; twin && twin->kind != WEIR_END; twin++)
		if (twin->kind == WEIR_IS_STATE && twin->size == member->size && !strcmp(twin->name, member->name))
			memcpy(fresh + *(const uint32_t *)((const char *)to->prototype + member->offset),
				old + *(const uint32_t *)((const char *)from->prototype + twin->offset), member->size);
}

static void move_block(const struct plan *to, const struct plan *from, char *fresh, const char *old)
{
	if (to->keeps_history && from->keeps_history)
		memcpy(fresh, old, PLAN_FLOW_HISTORY);
	list_each (element, &to->elements) {
		const struct plan_element *before = plan_find(from, (*element)->name);

		if (!before || strcmp(before->class->name, (*element)->class->name))
			continue;
		for (const struct weir_member *member = (*element)->class->members; member && member->kind != WEIR_END;
			member++)
			if (member->kind == WEIR_IS_STATE)
				move_member(*element, before, member, fresh, old);
	}
}

static uint32_t moved_bits(const struct plan *to, const struct plan *from, uint32_t bits)
{
	uint32_t moved = 0;

	list_each (element, &from->elements) {
		uint8_t bit = (*element)->flow_bit;
		const struct plan_element *heir = bit && bits >> (bit - 1) & 1 ? plan_find(to, (*element)->name) : NULL;

		if (heir && heir->flow_bit)
			moved |= 1u << (heir->flow_bit - 1);
	}
	return moved;
}

static void move_flow(struct tracker *tracker, struct tracker *old, struct flow *flow, const struct plan *to,
	const struct plan *from)
{
	void *kept = flow->head.state_;

	flow->head.state_ = old->blocks ? flow_block_take(old->blocks) : NULL;
	if (flow->head.state_ && kept)
		move_block(to, from, flow->head.state_, kept);
	if (tracker->blocks)
		flow_block_give(tracker->blocks, kept);
	flow->head.knows_ = moved_bits(to, from, flow->head.knows_);
	flow->head.done_ = moved_bits(to, from, flow->head.done_);
	flow->head.flags_ = 0; // who has dropped it decides anew
}

// The tables stay; the blocks are the share's.
static void keep_tables(struct worker *worker, const struct plan *to, const struct plan *from, struct tracker *fresh)
{
	struct tracker *tracker = worker->tracker;
	struct flow_blocks *blocks = tracker->blocks;
	struct flow *flow;

	for (unsigned i = 0; i < 2; i++)
		for (uint32_t place = 0; (flow = flow_next(tracker->tables[i], &place));)
			move_flow(tracker, fresh, flow, to, from);
	tracker->blocks = fresh->blocks;
	fresh->blocks = blocks;
	tracker_destroy(fresh);
}

void tracker_take_up(struct worker *worker, const struct generation *old, struct share *share)
{
	struct tracker *fresh = share->tracker;

	share->tracker = NULL;
	if (fresh && worker->tracker) {
		keep_tables(worker, worker->generation->plan, old->plan, fresh);
		return;
	}
	tracker_destroy(worker->tracker); // nobody needs to know of flows any more
	worker->tracker = fresh;
}
