// SPDX-License-Identifier: Apache-2.0
#include "engine/track_tcp.h"

#include "engine/worker.h"
#include "plan/platform.h"

#include <stddef.h>

static struct flow_life life_of(const struct worker *worker, const struct tcp *tcp)
{
	const struct tracker_element *set = worker->generation->plan->tracking;

	switch (tcp_class(tcp)) {
	case TCP_HALF_OPEN:
		return (struct flow_life){ set->half_open_s * 1000, FLOW_HALF_OPEN };
	case TCP_OPEN:
		return (struct flow_life){ set->open_s * 1000, FLOW_WANTED };
	case TCP_CLOSING:
		return (struct flow_life){ set->closing_s * 1000, FLOW_CLOSING };
	default:
		return (struct flow_life){ set->closed_s * 1000, FLOW_CLOSING };
	}
}

static const struct {
	uint32_t fact;
	size_t signal; // in struct flow_signals
} told[] = {
	{ TCP_FACT_ESTABLISHED, offsetof(struct flow_signals, established) },
	{ TCP_FACT_CLOSED, offsetof(struct flow_signals, closed) },
	{ TCP_FACT_RESET, offsetof(struct flow_signals, reset) },
	{ TCP_FACT_RETRANSMITTED, offsetof(struct flow_signals, retransmitted) },
	{ TCP_FACT_OUT_OF_ORDER, offsetof(struct flow_signals, out_of_order) },
	{ TCP_FACT_ZERO_WINDOW, offsetof(struct flow_signals, zero_window) },
};

// Client and server change places; what tcp.h keeps of the connection as a whole stays at its side.
static void turn(struct worker *worker, struct flow_found *found)
{
	struct flow *flow = found->flow;
	struct tcp *tcp = track_tcp_of(flow);
	struct tcp_side *sides = tcp->side;
	uint8_t was_told;

	flow_turn(track_table(worker->tracker, &flow->head), flow);
	was_told = sides[0].marks & TCP_TOLD;
	sides[0].marks = (uint8_t)((sides[0].marks & ~TCP_TOLD) | (sides[1].marks & TCP_TOLD));
	sides[1].marks = (uint8_t)((sides[1].marks & ~TCP_TOLD) | was_told);
	sides[0].is = sides[1].is;
	sides[1].is = 0; // the client is side 0 again
	found->from_server = !found->from_server;
	track_turn_streams(worker, flow);
}

static void tell_state(struct worker *worker, unsigned slot, struct flow *flow)
{
	const struct weir_signal *signal = worker->generation->flow.state_changed;
	struct weir_tcp_state *payload = signal ? event_append(worker, signal, slot) : NULL;
	const char *state = tcp_connection_state(track_tcp_of(flow));

	if (payload)
		payload->state = (struct weir_text){ state, (uint32_t)strlen(state) };
}

static void tell_facts(struct worker *worker, unsigned slot, struct flow *flow, uint32_t facts)
{
	for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++) {
		const struct weir_signal *signal;

		memcpy(&signal, (const char *)&worker->generation->flow + told[i].signal, sizeof(signal));
		if ((facts & told[i].fact) && signal)
			weir_raise_each_(&worker->call, (weir_mask)1 << slot, signal);
	}
	if (facts & TCP_FACT_STATE_CHANGED)
		tell_state(worker, slot, flow);
}

static void note(struct worker *worker, const struct flow_found *found,
	const struct track_segment *segment, uint32_t facts)
{
	struct tcp_history *history = track_history(worker->generation->plan, &found->flow->head);

	if (history)
		tcp_history_note(history, track_tcp_of(found->flow), found->from_server, &segment->tcp, facts);
}

bool track_tcp(struct worker *worker, unsigned slot, struct flow_found *found, const struct track_segment *segment)
{
	struct flow *flow = found->flow;
	struct flow_table *table = track_table(worker->tracker, &flow->head);
	uint32_t facts = tcp_step(track_tcp_of(flow), found->from_server, &segment->tcp);

	if (facts & TCP_FACT_REUSED) {
		flow_end(table, flow, FLOW_REUSED, worker->vector->head.time_ns[slot]);
		return false;
	}
	if (facts & TCP_FACT_FLIPPED)
		turn(worker, found);
	note(worker, found, segment, facts);
	if (facts) {
		tell_facts(worker, slot, flow, facts);
		if (!(flow->head.flags_ & TRACK_DROPPED))
			flow_live(table, flow, life_of(worker, track_tcp_of(flow)));
	}
	if (worker->generation->plan->keeps_streams)
		track_bytes(worker, slot, found, segment, facts);
	return true;
}
