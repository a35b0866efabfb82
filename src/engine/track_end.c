// SPDX-License-Identifier: Apache-2.0
// Endings: what is told of a flow without a packet of it.
#include "engine/track_tcp.h"

#include "engine/derive.h"
#include "engine/observe.h"
#include "engine/worker.h"

#include <netinet/in.h>

enum { COUNTED = 64 }; // so many passes after each other the counters are brought up to date

// ---- an ending comes about

static struct weir_text text_of(const char *text)
{
	return (struct weir_text){ text, text ? (uint32_t)strlen(text) : 0 };
}

static const char *const reasons[FLOW_REASONS] = {
	[FLOW_TIMED_OUT] = "timed_out",
	[FLOW_FORGOTTEN] = "forgotten",
	[FLOW_CROWDED] = "forgotten",
	[FLOW_FINISHED] = "finished",
	[FLOW_RESET] = "reset",
	[FLOW_REUSED] = "reused",
	[FLOW_STOPPED] = "stopped",
};

// The table knows how it lost the flow, the connection whether it was over before.
static enum flow_reason reason_of(const struct flow *flow, enum flow_reason reason)
{
	const struct tcp *tcp = (const struct tcp *)flow->tcp;

	if (flow->head.protocol != IPPROTO_TCP || reason == FLOW_FORGOTTEN || reason == FLOW_CROWDED)
		return reason;
	if (tcp->side[0].state == TCP_RESET || tcp->side[1].state == TCP_RESET)
		return FLOW_RESET;
	return tcp->side[1].marks & TCP_TOLD ? FLOW_FINISHED : reason;
}

static void fill_ended(const struct worker *worker, struct weir_flow_end *end, struct flow *flow, const char *reason)
{
	struct flow_counted out = flow_counted(flow, false), back = flow_counted(flow, true);

	*end = (struct weir_flow_end){
		.client = weir_end_(&flow->head, 0),
		.server = weir_end_(&flow->head, 1),
		.client_port = flow->head.client_port,
		.server_port = flow->head.server_port,
		.protocol = flow->head.protocol,
		.packets_out = out.packets,
		.packets_back = back.packets,
		.bytes_out = out.bytes,
		.bytes_back = back.bytes,
		.payload_out = out.payload,
		.payload_back = back.payload,
		.start = { flow->head.start_ns },
		.duration = { flow->head.last_ns_ - flow->head.start_ns },
		.reason = text_of(reason),
	};
	if (flow->head.protocol != IPPROTO_TCP)
		return;
	end->conn_state = text_of(tcp_conn_state(track_tcp_of(flow)));
	if (flow->head.state_ && worker->generation->plan->keeps_history)
		end->history = text_of(track_history(worker->generation->plan, &flow->head)->text);
}

static void give_back(struct worker *worker, struct ending *ending)
{
	if (worker->tracker->blocks)
		flow_block_give(worker->tracker->blocks, ending->state);
	ending->state = NULL;
}

void track_flow_ended(void *owner, struct flow *flow, enum flow_reason reason, uint64_t at_ns)
{
	struct worker *worker = owner;
	struct tracker *tracker = worker->tracker;
	struct ending *ending = &tracker->endings[tracker->ending_count];
	const struct weir_signal *signal = worker->generation->flow.ended;
	struct weir_flow_end *end;

	assert(tracker->ending_count < TRACK_ENDINGS);
	*ending = (struct ending){
		.flow = flow, .state = flow->head.state_, .at_ns = at_ns, .slot = (uint8_t)tracker->slot };
	reason = reason_of(flow, reason);
	tracker->ended[reason]++;
	tracker->ending = ending;
	track_end_streams(worker, flow);
	end = signal ? event_append(worker, signal, WEIR_VECTOR) : NULL;
	if (end)
		fill_ended(worker, end, flow, reasons[reason]);
	tracker->ending = NULL;
	if (ending->head)
		tracker->ending_count++;
	else
		give_back(worker, ending);
}

// ---- it is told

void track_drop(struct worker *worker, struct weir_flow *flow)
{
	if (flow->bits_ & FLOW_LIVE)
		flow_live(track_table(worker->tracker, flow), (struct flow *)flow,
			(struct flow_life){ 60 * 1000, FLOW_DROPPED });
}

void track_begin(struct worker *worker)
{
	struct tracker *tracker = worker->tracker;

	tracker->back = tracker->decided = 0;
	for (unsigned i = 0; tracker->wholes && i < TRACK_WHOLES; i++)
		tracker->wholes[i].is_fresh = false;
	tracker->slot = WEIR_VECTOR;
}

// What is left goes to all that know the flow, in the order of the plan; then the bytes that it pointed at may go.
static void tell_rest(struct worker *worker)
{
	struct tracker *tracker = worker->tracker;

	derive(worker);
	for (unsigned i = 0; i < tracker->ending_count; i++)
		list_each (node, &worker->generation->plan->nodes)
			if ((*node)->element->flow_bit)
				track_tell(worker, &worker->hot[(*node)->order], &tracker->endings[i]);
	tracker->loose = NULL;
	derive(worker);
	if (tracker->ending_count && worker->generation->observers)
		observers_tell(worker); // while there is what their texts point at
	for (unsigned i = 0; i < tracker->ending_count; i++)
		give_back(worker, &tracker->endings[i]);
	tracker->ending_count = 0;
	if (tracker->streams)
		stream_sweep(tracker->streams);
}

bool track_end(struct worker *worker)
{
	struct tracker *tracker = worker->tracker;
	bool is_full, are_left = false;

	if (tracker->fragments)
		fragments_settle(tracker->fragments, worker->now_ns);
	do {
		if (tracker->streams)
			track_settle(worker, worker->now_ns);
		is_full = tracker->ending_count >= TRACK_ASIDE;
		tell_rest(worker);
	} while (is_full);
	for (unsigned i = 0; i < 2; i++) {
		are_left |= flow_age(tracker->tables[i], worker->now_ns, TRACK_AGED);
		tell_rest(worker);
	}
	if (!(worker->account.passes % COUNTED) || !worker->vector->head.fill)
		track_count(worker);
	return are_left;
}

bool track_end_exactly(struct worker *worker)
{
	bool are_left = track_end(worker);

	for (unsigned i = 0; i < 2; i++) {
		are_left |= flow_age_exactly(worker->tracker->tables[i], worker->now_ns, TRACK_AGED);
		tell_rest(worker);
	}
	return are_left;
}

uint64_t track_next_ns(const struct worker *worker)
{
	uint64_t ip4 = flow_next_ns(worker->tracker->tables[0]), ip6 = flow_next_ns(worker->tracker->tables[1]);
	uint64_t next = ip4 < ip6 ? ip4 : ip6;

	return next > worker->now_ns ? next : worker->now_ns; // what has ended by now has been told
}

// Outside of a pass.
static void tell_now(struct worker *worker)
{
	tell_rest(worker);
	worker_end_events(worker);
	worker_begin(worker);
}

// The time of some may be up, though nobody has looked since.
static void stop_flow(const struct worker *worker, struct flow_table *table, struct flow *flow)
{
	if (flow_is_over(flow, worker->now_ns))
		flow_end(table, flow, FLOW_TIMED_OUT, flow->head.last_ns_ + flow_idle_ns(flow));
	else
		flow_end(table, flow, FLOW_STOPPED, worker->now_ns);
}

// In portions, for each flow's ending takes room.
void track_stop(struct worker *worker)
{
	for (unsigned i = 0; i < 2; i++) {
		struct flow_table *table = worker->tracker->tables[i];
		struct flow *flow;

		for (uint32_t place = 0; (flow = flow_next(table, &place));) {
			stop_flow(worker, table, flow);
			if (worker->tracker->ending_count >= TRACK_AGED)
				tell_now(worker);
		}
	}
	tell_now(worker);
	track_count(worker);
}
