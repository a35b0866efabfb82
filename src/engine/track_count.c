// SPDX-License-Identifier: Apache-2.0
// What the FlowTracker shows of a worker's flows, streams and fragments.
#include "engine/track.h"

#include "engine/worker.h"
#include "plan/platform.h"

static void set(weir_counter *counter, uint64_t value)
{
	__atomic_store_n(counter, value, __ATOMIC_RELAXED);
}

static void count_flows(struct tracker_element *to, const struct flow_counts *ip4, const struct flow_counts *ip6)
{
	set(&to->active, ip4->flows + ip6->flows);
	set(&to->most, ip4->most + ip6->most);
	set(&to->added, ip4->added + ip6->added);
	set(&to->forgotten_dropped, ip4->forgotten[FLOW_DROPPED] + ip6->forgotten[FLOW_DROPPED]);
	set(&to->forgotten_half_open, ip4->forgotten[FLOW_HALF_OPEN] + ip6->forgotten[FLOW_HALF_OPEN]);
	set(&to->forgotten_closing, ip4->forgotten[FLOW_CLOSING] + ip6->forgotten[FLOW_CLOSING]);
	set(&to->forgotten_open, ip4->forgotten[FLOW_WANTED] + ip6->forgotten[FLOW_WANTED] +
			ip4->ended[FLOW_CROWDED] + ip6->ended[FLOW_CROWDED]);
}

static void count_ended(struct tracker_element *to, const uint64_t ended[FLOW_REASONS])
{
	set(&to->timed_out, ended[FLOW_TIMED_OUT]);
	set(&to->finished, ended[FLOW_FINISHED]);
	set(&to->reset, ended[FLOW_RESET]);
	set(&to->reused, ended[FLOW_REUSED]);
	set(&to->stopped, ended[FLOW_STOPPED]);
}

static void count_streams(struct tracker_element *to, const struct tracker *tracker)
{
	const struct stream_pool *pool = tracker->streams;

	set(&to->streams, tracker->followed);
	set(&to->gaps, pool->gaps[STREAM_CONFIRMED] + pool->gaps[STREAM_NO_ROOM] + pool->gaps[STREAM_AT_END]);
	set(&to->lost_bytes, pool->lost_bytes);
	set(&to->unremembered, pool->refused_memories);
}

void track_count(struct worker *worker)
{
	struct tracker *tracker = worker->tracker;
	const struct flow_counts ip4 = flow_counts(tracker->tables[0]), ip6 = flow_counts(tracker->tables[1]);
	char *self = worker->instances[worker->generation->plan->tracker->index].self;
	struct tracker_element *to = (struct tracker_element *)(void *)self;

	count_flows(to, &ip4, &ip6);
	count_ended(to, tracker->ended);
	if (tracker->streams)
		count_streams(to, tracker);
	if (tracker->fragments)
		set(&to->fragments_lost, tracker->fragments->timed_out + tracker->fragments->evicted);
}
