// SPDX-License-Identifier: Apache-2.0
// Hears events that a graph defines: by name with their base's payload, by name alone, and by a glob.
#include <weir.h>

WEIR_EVENT(scan_failed, "scan.failed", struct weir_flow_end, .layer = WEIR_L4, .per = WEIR_PER_FLOW_,
	WEIR_PARTS(WEIR_PART(weir_flow_end, client, "ip.src"), WEIR_PART(weir_flow_end, client, "ipv6.src"),
		WEIR_PART(weir_flow_end, server, "ip.dst"), WEIR_PART(weir_flow_end, server, "ipv6.dst"),
		WEIR_PART(weir_flow_end, client_port, "srcport"), WEIR_PART(weir_flow_end, server_port, "dstport"),
		WEIR_PART(weir_flow_end, protocol, "ip.proto"),
		WEIR_PART(weir_flow_end, packets_out, "flow.packets_out"),
		WEIR_PART(weir_flow_end, packets_back, "flow.packets_back"),
		WEIR_PART(weir_flow_end, bytes_out, "flow.bytes_out"),
		WEIR_PART(weir_flow_end, bytes_back, "flow.bytes_back"),
		WEIR_PART(weir_flow_end, payload_out, "flow.payload_out"),
		WEIR_PART(weir_flow_end, payload_back, "flow.payload_back"),
		WEIR_PART(weir_flow_end, start, "flow.start"), WEIR_PART(weir_flow_end, duration, "flow.duration"),
		WEIR_PART(weir_flow_end, reason, "flow.reason"), WEIR_PART(weir_flow_end, history, "tcp.history"),
		WEIR_PART(weir_flow_end, conn_state, "tcp.conn_state")));
WEIR_EVENT(odd_packet, "odd.packet", struct weir_no_payload, .layer = WEIR_L2, .per = WEIR_PER_PACKET);

struct hearer {
	weir_counter failed, wrong, globbed, ended_before, refused;
	bool has_ended; // flow.ended was the last that it heard
};

static enum weir_verdict failed(struct weir_event *event, const struct weir_flow_end *end)
{
	struct hearer *self = weir_self(event);

	weir_count(&self->failed);
	weir_count_by(&self->ended_before, self->has_ended);
	if (end->packets_back || !end->packets_out || end->protocol != 6 || !event->flow ||
		end->client_port != event->flow->client_port)
		weir_count(&self->wrong);
	self->has_ended = false;
	return WEIR_PASS;
}

static enum weir_verdict ended(struct weir_event *event)
{
	((struct hearer *)weir_self(event))->has_ended = true;
	return WEIR_PASS;
}

static enum weir_verdict any(struct weir_event *event)
{
	weir_count(&((struct hearer *)weir_self(event))->globbed);
	return WEIR_PASS;
}

WEIR_CLASS(Hearer, hearer, .about = "counts flows without an answer",
	WEIR_MEMBERS(WEIR_COUNTS(hearer, failed), WEIR_COUNTS(hearer, wrong), WEIR_COUNTS(hearer, globbed),
		WEIR_COUNTS(hearer, ended_before)),
	WEIR_HANDLERS(WEIR_ON(scan_failed, failed), WEIR_ON(flow_ended, ended), WEIR_ON_ANY("scan.*", any)));

static enum weir_verdict refuse(struct weir_event *event)
{
	return weir_dropped(event, WEIR_DROP, &((struct hearer *)weir_self(event))->refused);
}

WEIR_CLASS(Refuser, hearer, .about = "drops odd packets",
	WEIR_MEMBERS(WEIR_DROPS(hearer, refused)),
	WEIR_HANDLERS(WEIR_ON(odd_packet, refuse)));

// A class that raises what it hears, by way of a definition of the graph.
WEIR_EVENT(echo_made, "echo.made", struct weir_no_payload, .layer = WEIR_L2, .per = WEIR_PER_PACKET);
WEIR_EVENT(echo_heard, "echo.heard", struct weir_no_payload, .layer = WEIR_L2, .per = WEIR_PER_PACKET);

struct echo {
	WEIR_SIGNAL(echo_made) made;
};

static enum weir_verdict again(struct weir_event *event)
{
	weir_raise(event, ((struct echo *)weir_self(event))->made, &(struct weir_no_payload){ 0 });
	return WEIR_PASS;
}

WEIR_CLASS(Echo, echo, .about = "hears what comes of what it raises",
	WEIR_MEMBERS(WEIR_RAISES(echo, made, echo_made)), WEIR_HANDLERS(WEIR_ON(echo_heard, again)));

WEIR_MODULE("scans", "1.0.0", &Hearer, &Refuser, &Echo);
