// SPDX-License-Identifier: Apache-2.0
#include "cli/watch_count.h"

const char *const watch_reasons[WATCH_REASONS] = { "finished", "reset", "timed_out", "forgotten", "reused", "stopped" };
const char *const watch_findings[WATCH_FINDINGS] = { "retransmitted", "out_of_order", "zero_window", "reset", "gap",
	"overlapped", "conflict", "malformed" };

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct watch_count *self = weir_self(call);
	const uint32_t *length = weir_column(v, self->length);

	weir_each (i, in) {
		self->bytes += length[i];
		if (!self->first_ns || v->time_ns[i] < self->first_ns)
			self->first_ns = v->time_ns[i];
		if (v->time_ns[i] > self->last_ns)
			self->last_ns = v->time_ns[i];
	}
	self->packets += weir_size(in);
	out[0] = in;
}

// ---- flows

static enum watch_reason reason_of(struct weir_text text)
{
	unsigned reason = 0;

	while (reason + 1 < WATCH_REASONS && (strlen(watch_reasons[reason]) != text.length ||
						     memcmp(watch_reasons[reason], text.at, text.length)))
		reason++;
	return (enum watch_reason)reason;
}

static void count_end(struct watch_count *self, const struct weir_addr *address, uint64_t sent, uint64_t received)
{
	struct talker *rows[] = { talkers_add(&self->by_bytes, address, sent + received),
		talkers_add(&self->by_flows, address, 1) };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		rows[i]->sent += sent;
		rows[i]->received += received;
		rows[i]->flows++;
	}
}

static enum weir_verdict ended(struct weir_event *event, const struct weir_flow_end *flow)
{
	struct watch_count *self = weir_self(event);

	self->flows[flow->protocol][reason_of(flow->reason)]++;
	count_end(self, &flow->client, flow->bytes_out, flow->bytes_back);
	if (memcmp(&flow->client, &flow->server, sizeof(flow->client)))
		count_end(self, &flow->server, flow->bytes_back, flow->bytes_out);
	return WEIR_PASS;
}

// ---- findings

static enum weir_verdict find(struct weir_event *event, enum watch_finding finding)
{
	struct watch_count *self = weir_self(event);

	self->found[finding]++;
	return WEIR_PASS;
}

static enum weir_verdict retransmitted(struct weir_event *event)
{
	return find(event, FOUND_RETRANSMITTED);
}

static enum weir_verdict came_late(struct weir_event *event)
{
	return find(event, FOUND_OUT_OF_ORDER);
}

static enum weir_verdict window_closed(struct weir_event *event)
{
	return find(event, FOUND_ZERO_WINDOW);
}

static enum weir_verdict reset(struct weir_event *event)
{
	return find(event, FOUND_RESET);
}

static enum weir_verdict malformed(struct weir_event *event)
{
	return find(event, FOUND_MALFORMED);
}

static enum weir_verdict gap(struct weir_event *event, const struct weir_gap *gap)
{
	struct watch_count *self = weir_self(event);

	self->gap_bytes += gap->length;
	return find(event, FOUND_GAP);
}

static enum weir_verdict overlapped(struct weir_event *event, const struct weir_overlap *overlap)
{
	if (overlap->conflict)
		find(event, FOUND_CONFLICT);
	return find(event, FOUND_OVERLAPPED);
}

WEIR_CLASS(WatchCount, watch_count,
	.about = "counts for weir watch --summary",
	.by = WEIR_ANY,
	WEIR_MEMBERS(WEIR_READS(watch_count, length, "frame.len")),
	WEIR_HANDLERS(
		WEIR_ON(flow_ended, ended),
		WEIR_ON(tcp_retransmitted, retransmitted),
		WEIR_ON(tcp_out_of_order, came_late),
		WEIR_ON(tcp_zero_window, window_closed),
		WEIR_ON(tcp_reset, reset),
		WEIR_ON(tcp_gap, gap),
		WEIR_ON(tcp_overlapped, overlapped),
		WEIR_ON(packet_malformed, malformed)),
	.process = process);

const struct weir_module watch_module = {
	.abi = WEIR_ABI,
	.vector = WEIR_VECTOR,
	.name = "watch",
	.version = "0.1.0",
	.classes = (const struct weir_class *const[]){ &WatchCount, NULL },
};
