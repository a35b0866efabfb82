// SPDX-License-Identifier: Apache-2.0
// RttMeter - tells how long TCP handshakes take
#include "detect.h"

struct rtt {
	struct weir_addr client, server;
	uint16_t client_port, server_port;
	struct weir_span span;
};
WEIR_EVENT(rtt_measured, "rtt.measured", struct rtt, .layer = WEIR_L4, .per = WEIR_PER_FLOW_,
	.about = "from a connection's SYN to the ACK of its SYN-ACK",
	WEIR_PARTS(WEIR_PART(rtt, client, "ip.src"), WEIR_PART(rtt, client, "ipv6.src"),
		WEIR_PART(rtt, server, "ip.dst"), WEIR_PART(rtt, server, "ipv6.dst"),
		WEIR_PART(rtt, client_port, "srcport"), WEIR_PART(rtt, server_port, "dstport"),
		WEIR_PART(rtt, span, "tcp.analysis.initial_rtt")));

struct rtt_meter {
	WEIR_SIGNAL(rtt_measured) measured;
	weir_counter handshakes, below_10ms, below_100ms, below_1s;
};

static enum weir_verdict handshake_finished(struct weir_event *event)
{
	struct rtt_meter *self = weir_self(event);
	const struct weir_flow *flow = event->flow;
	uint64_t ns = weir_now_ns(event) - flow->start_ns;

	weir_count(&self->handshakes);
	weir_count_by(&self->below_10ms, ns < 10000000);
	weir_count_by(&self->below_100ms, ns < 100000000);
	weir_count_by(&self->below_1s, ns < 1000000000);
	weir_raise(event, self->measured, &(struct rtt){ *weir_client(event), *weir_server(event), flow->client_port,
						  flow->server_port, { ns } });
	return WEIR_DONE;
}

WEIR_CLASS(RttMeter, rtt_meter,
	.about = "tells how long TCP handshakes take", .by = WEIR_ANY,
	WEIR_MEMBERS(WEIR_RAISES(rtt_meter, measured, rtt_measured),
		WEIR_COUNTS(rtt_meter, handshakes, .about = "handshakes that were finished"),
		WEIR_COUNTS(rtt_meter, below_10ms, .about = "of them, in less"),
		WEIR_COUNTS(rtt_meter, below_100ms, .about = "of them, in less"),
		WEIR_COUNTS(rtt_meter, below_1s, .about = "of them, in less")),
	WEIR_HANDLERS(WEIR_ON(tcp_established, handshake_finished)));
