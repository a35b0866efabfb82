// SPDX-License-Identifier: Apache-2.0
// What handlers may ask of the streams of their event's flow.
#include "engine/track_tcp.h"

#include "engine/worker.h"
#include "plan/platform.h"

#include <netinet/in.h>

// NULL: it has none, or nobody hears of streams in this graph.
static struct track_side *side_of(struct weir_event *event, bool of_server)
{
	struct worker *worker = worker_of(event->call);

	if (!event->flow || event->flow->protocol != IPPROTO_TCP)
		return NULL;
	return track_side(worker->generation->plan, (struct flow *)event->flow, of_server);
}

static uint32_t own_bit(struct weir_event *event)
{
	const struct worker *worker = worker_of(event->call);
	uint8_t bit = worker->instances[event->call->element].element->flow_bit;

	return bit ? 1u << (bit - 1) : 0;
}

uint32_t weir_stream_read(struct weir_event *event, bool of_server, uint64_t offset, void *into, uint32_t length)
{
	const struct track_side *side = side_of(event, of_server);

	return side ? stream_read(worker_of(event->call)->tracker->streams, &side->stream, offset, into, length) : 0;
}

void weir_stream_stop(struct weir_event *event, bool of_server)
{
	struct track_side *side = side_of(event, of_server);

	if (!side)
		return;
	side->stopped |= own_bit(event);
	track_forget_unwanted(worker_of(event->call), side);
}
