// SPDX-License-Identifier: Apache-2.0
// Trackers come and go.
#include "engine/track_tcp.h"

#include "engine/worker.h"
#include "packet/pool.h"
#include "plan/platform.h"
#include "port/platform.h"

#include <errno.h>
#include <stdlib.h>

// The tables of a tracker that runs stay as large as they are.
static uint32_t flows_of_worker(const struct generation *generation, unsigned worker)
{
	const struct tracker *running = generation->workers_at[worker].tracker;

	return running ? running->flows
		       : (generation->plan->tracking->max_flows + generation->workers - 1) / generation->workers;
}

static void set_columns(struct tracker *tracker, const struct plan *plan)
{
	for (unsigned is_ipv6 = 0; is_ipv6 < 2; is_ipv6++) {
		struct flow_columns *columns = &tracker->columns[is_ipv6];

		*columns = (struct flow_columns){ .src_port = tracker->src_port,
			.dst_port = tracker->dst_port,
			.protocol = tracker->protocol,
			.vlan = plan->tracking->vlan ? tracker->vlan : NULL,
			.tunnel = plan->tracking->tunnel ? tracker->tunnel : NULL };
		if (is_ipv6) {
			columns->src6 = tracker->src6;
			columns->dst6 = tracker->dst6;
		} else {
			columns->src4 = tracker->src4;
			columns->dst4 = tracker->dst4;
		}
	}
}

void tracker_renew(struct worker *worker)
{
	struct tracker *tracker = worker->tracker;
	const struct tracker_element *set = worker->generation->plan->tracking;

	if (!tracker || (set->vlan == !!tracker->columns[0].vlan && set->tunnel == !!tracker->columns[0].tunnel))
		return;
	track_stop(worker);
	memset(tracker->vlan, 0, sizeof(tracker->vlan));
	memset(tracker->tunnel, 0, sizeof(tracker->tunnel));
	set_columns(tracker, worker->generation->plan);
}

static struct flow_table *make_table(
	struct tracker *tracker, const struct generation *generation, unsigned worker, bool is_ipv6)
{
	struct flow_shape shape = {
		.flows = tracker->flows,
		.is_ipv6 = is_ipv6,
		.seed = generation->seed,
		.ended = track_flow_ended,
		.owner = &generation->workers_at[worker],
	};

	return flow_create(&shape);
}

static bool make_blocks(struct tracker *tracker, const struct generation *generation)
{
	uint32_t size = generation->plan->flow_state_size;

	if (!size)
		return true;
	// of each family, and of those that have ended but are still told
	tracker->blocks = flow_blocks_create(size, 2 * (tracker->flows + TRACK_ENDINGS));
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
	tracker->flows = flows_of_worker(generation, worker);
	set_columns(tracker, generation->plan);
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
	limits.policy = (enum overlap_policy)overlap_policy_find(worker->generation->plan->tracking->fragments);
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
