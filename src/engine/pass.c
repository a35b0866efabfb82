// SPDX-License-Identifier: Apache-2.0
// One pass: each node runs at most once, over all slots that reached it.
#include "engine/worker.h"

#include "engine/checks.h"
#include "engine/derive.h"
#include "engine/observe.h"
#include "engine/track.h"
#include "packet/edit.h"

#include <rte_cycles.h>

void worker_free(struct worker *worker, struct rte_mbuf *mbuf)
{
	if (packet_head(mbuf)->layout)
		layout_forget(packet_head(mbuf), worker->index);
	if (worker->freed_count == WORKER_FREED)
		worker_flush_freed(worker);
	worker->freed[worker->freed_count++] = mbuf;
}

void worker_flush_freed(struct worker *worker)
{
	packet_free_bulk(worker->freed, worker->freed_count);
	worker->freed_count = 0;
}

void worker_drop(struct worker *worker, weir_mask mask)
{
	struct weir_packet *const *packets = worker->vector->head.packet;

	weir_each (i, mask)
		worker_free(worker, packet_mbuf(packets[i]));
}

// ---- what is computed in front of a node

// Each packet that is malformed is told once in a pass, however often it is decoded.
static void tell_malformed(struct worker *worker, weir_mask todo)
{
	const struct decode_facts *facts = &worker->generation->plan->facts;
	struct vector *vector = worker->vector;
	weir_mask fresh = *vector_mask(vector, facts->malformed) & todo & ~worker->told_malformed;
	const uint8_t *reason = vector_column(vector, facts->malformed_reason);
	const uint16_t *offset = vector_column(vector, facts->malformed_offset);

	worker->told_malformed |= fresh;
	weir_each (i, fresh) {
		struct weir_malformed *payload = weir_raise_(&worker->call, (unsigned)i, worker->generation->malformed);
		const char *text = decode_reason(reason[i]);

		*payload = (struct weir_malformed){ { text, (uint32_t)strlen(text) }, offset[i] };
	}
}

static void compute(struct worker *worker, const struct plan *plan, const struct plan_value *value, weir_mask in)
{
	struct vector *vector = worker->vector;
	weir_mask *valid = vector_mask(vector, value->valid);
	weir_mask todo = in & ~*valid;

	if (!todo)
		return;
	*valid |= todo;
	switch (value->kind) {
	case VALUE_PLACES:
		decode_locate(plan->locate, vector, todo);
		if (worker->generation->malformed)
			tell_malformed(worker, todo);
		break;
	case VALUE_FIELD:
		if (value->extract.run)
			value->extract.run(&value->extract, vector, todo);
		break;
	case VALUE_FLOW:
		track(worker, todo);
		break;
	default:
		*vector_mask(vector, value->at) =
			(*vector_mask(vector, value->at) & ~todo) | filter_run(value->program, vector, todo);
		break;
	}
}

void worker_compute_value(struct worker *worker, const struct plan_value *value, weir_mask in)
{
	compute(worker, worker->generation->plan, value, in);
}

void worker_compute(struct worker *worker, const struct hot *hot, weir_mask in)
{
	for (unsigned i = 0; i < hot->step_count; i++)
		compute(worker, worker->generation->plan, hot->steps[i], in);
}

static void after(struct vector *vector, const struct hot *hot, weir_mask in)
{
	for (unsigned i = 0; i < hot->give_count; i++)
		*vector_mask(vector, hot->gives[i]) |= in;
	for (unsigned i = 0; i < hot->void_count; i++)
		*vector_mask(vector, hot->voids[i]) &= ~in;
}

// ---- where packets go

static void count(uint64_t *counter, uint64_t by)
{
	__atomic_store_n(counter, *counter + by, __ATOMIC_RELAXED);
}

static void enter_again(struct worker *worker, const struct hot_output *output, weir_mask mask)
{
	weir_each (i, mask) {
		worker_leave(worker, (unsigned)i);
		worker_again(worker, packet_mbuf(worker->vector->head.packet[i]), output->place);
	}
	worker->vector->head.live &= ~mask;
}

void worker_leave_by(struct worker *worker, const struct hot_output *output, weir_mask mask)
{
	if (!mask)
		return;
	switch (output->kind) {
	case OUT_NEXT:
		worker->reach[output->order] |= mask;
		break;
	case OUT_AGAIN:
		enter_again(worker, output, mask);
		break;
	case OUT_OPEN:
		count(output->dropped, weir_size(mask));
		count(&worker->account.dropped, weir_size(mask));
		worker_drop(worker, mask);
		worker->vector->head.live &= ~mask;
		break;
	}
}

static void distribute(struct worker *worker, const struct hot *hot, const weir_mask *out)
{
	for (unsigned i = 0; i < hot->output_count; i++)
		worker_leave_by(worker, &hot->outputs[i], out[i]);
}

void worker_dropped(struct worker *worker, const struct hot *hot, weir_mask dropped)
{
	uint64_t *total = hot->is_sink ? &worker->account.consumed : &worker->account.dropped;

	count(total, weir_size(dropped));
	count(&hot->instance->dropped, weir_size(dropped));
	worker_drop(worker, dropped);
	worker->vector->head.live &= ~dropped;
}

static void consume(struct worker *worker, weir_mask consumed)
{
	count(&worker->account.consumed, weir_size(consumed));
	worker_drop(worker, consumed);
	worker->vector->head.live &= ~consumed;
}

// ---- nodes

static void send(struct worker *worker, const struct hot *hot, weir_mask in)
{
	struct rte_mbuf *mbufs[WEIR_VECTOR];
	unsigned n = 0, sent;

	if (!hot->port) {
		count(&hot->instance->bare_drops, weir_size(in));
		count(&worker->account.dropped, weir_size(in));
		count(&hot->instance->dropped, weir_size(in));
		worker_drop(worker, in);
		worker->vector->head.live &= ~in;
		return;
	}
	weir_each (i, in)
		mbufs[n++] = packet_mbuf(worker->vector->head.packet[i]);
	sent = port_send(hot->port, hot->queue, mbufs, n);
	count(&worker->account.sent, sent);
	count(&worker->account.dropped, n - sent);
	count(&hot->instance->dropped, n - sent);
	worker->vector->head.live &= ~in;
}

// Packets whose bytes could not be un-shared for want of a buffer: weir_set has no way to say so.
static void take_spoiled(struct worker *worker, const struct hot *hot, weir_mask in)
{
	weir_mask spoiled = packet_spoiled() & in & ~worker->call.dropped & ~worker->call.consumed & ~worker->call.held;

	for (unsigned i = 0; i < hot->output_count; i++)
		worker->out[i] &= ~spoiled;
	worker->call.dropped |= spoiled;
	count(&worker->account.no_buffer, weir_size(spoiled));
}

static void process(struct worker *worker, const struct hot *hot, weir_mask in)
{
	struct weir_call *call = &worker->call;
	weir_mask *out = worker->out;

	memset(out, 0, hot->output_count * sizeof(*out));
	call->self = hot->self;
	call->element = (uint16_t)hot->instance->element->index;
	call->input = hot->input;
	call->dropped = call->consumed = call->held = 0;
	checks_before(worker, hot, in);
	if (hot->process)
		hot->process(call, &worker->vector->head, in, out);
	else
		out[0] = in;
	if (worker->vector->head.shared & in)
		take_spoiled(worker, hot, in);
	checks_after(worker, hot, in);
	after(worker->vector, hot, in);
	checks_behind(worker, hot, in);
	if (call->dropped)
		worker_dropped(worker, hot, call->dropped);
	if (call->consumed)
		consume(worker, call->consumed);
	distribute(worker, hot, out);
}

// Packets of an element that exists once go to its home.
static void send_home(struct worker *worker, const struct hot *hot, weir_mask in)
{
	weir_each (i, in) {
		struct rte_mbuf *mbuf = packet_mbuf(worker->vector->head.packet[i]);

		worker_leave(worker, (unsigned)i);
		packet_head(mbuf)->node = hot->place;
		worker_hand_over(worker, mbuf, hot->home);
	}
	worker->vector->head.live &= ~in;
}

// What all workers must know comes to each: the others get clones.
static void tell_others(struct worker *worker, const struct hot *hot, weir_mask in)
{
	weir_each (i, in) {
		struct rte_mbuf *mbuf = packet_mbuf(worker->vector->head.packet[i]);

		if (packet_head(mbuf)->rounds == PACKET_COPIED)
			continue;
		for (unsigned other = 0; other < worker->generation->workers; other++) {
			struct rte_mbuf *clone = other == worker->index ? NULL : packet_copy(mbuf);

			if (!clone)
				continue;
			packet_head(clone)->node = hot->place;
			packet_head(clone)->rounds = PACKET_COPIED;
			worker->account.cloned++;
			worker_hand_over(worker, clone, other);
		}
	}
}

static void run(struct worker *worker, struct hot *hot, weir_mask in)
{
	worker->running = hot;
	if (hot->home != UINT16_MAX && hot->home != worker->index) {
		send_home(worker, hot, in);
		return;
	}
	if (hot->is_for_all)
		tell_others(worker, hot, in);
	count(&hot->instance->packets, weir_size(in));
	if (hot->step_count)
		worker_compute(worker, hot, in);
	derive(worker);
	if (hot->handler_count)
		in = worker_deliver(worker, hot, in);
	if (in && hot->sends)
		send(worker, hot, in);
	else if (in)
		process(worker, hot, in);
}

static void run_observed(struct worker *worker, struct hot *hot, weir_mask in)
{
	run(worker, hot, in);
	derive(worker);
	if (worker->generation->observers)
		observers_tell(worker);
}

static void run_timed(struct worker *worker, struct hot *hot, weir_mask in)
{
	uint64_t from = rte_rdtsc();

	run_observed(worker, hot, in);
	count(&hot->instance->cycles, rte_rdtsc() - from);
	count(&hot->instance->timed_packets, weir_size(in));
}

// A vector begins empty: masks cleared. Columns keep what they had; nobody looks.
void worker_begin(struct worker *worker)
{
	struct vector *vector = worker->vector;

	memset(vector->values, 0, worker->generation->plan->masks_size);
	vector->head.live = vector->head.shared = 0;
	vector->head.fill = 0;
	vector->odd = vector->chained = 0;
	worker->store_used = sizeof(struct event_record);
	worker->aggregate_head = worker->aggregate_tail = 0;
	worker->observed_to = worker->store_used;
	derive_skip(worker);
	if (worker->generation->observers)
		memset(worker->observed, 0, worker->generation->plan->signals.count * sizeof(*worker->observed));
	if (worker->generation->derives)
		memset(worker->derived, 0, worker->generation->plan->signals.count * sizeof(*worker->derived));
	worker->has_records = 0;
	worker->told_malformed = worker->returned = 0;
	if (worker->tracker)
		track_begin(worker);
}

void worker_end_events(struct worker *worker)
{
	derive(worker);
	if (worker->aggregate_head)
		worker_deliver_aggregates(worker);
	if (worker->generation->observers)
		observers_tell(worker);
}

void worker_pass(struct worker *worker)
{
	const struct plan *plan = worker->generation->plan;
	uint32_t nodes = plan->nodes.count;

	worker->is_timed = worker->account.passes % worker->sample == 0;
	if (plan->facts.malformed)
		worker->told_malformed = *vector_mask(worker->vector, plan->facts.malformed) & worker->returned;
	if (worker->generation->observers)
		observers_begin(worker);
	if (worker->generation->derives)
		derive_begin(worker);
	for (uint32_t order = 0; order < nodes; order++) {
		weir_mask in = worker->reach[order];

		if (!in)
			continue;
		worker->reach[order] = 0;
		if (worker->is_timed)
			run_timed(worker, &worker->hot[order], in);
		else
			run_observed(worker, &worker->hot[order], in);
	}
	if (worker->tracker)
		track_end(worker);
	worker_end_events(worker);
	count(&worker->account.passes, 1);
	count(&worker->account.filled, worker->vector->head.fill);
	count(&worker->account.timed_passes, worker->is_timed);
	worker_flush_freed(worker);
	worker_begin(worker);
}
