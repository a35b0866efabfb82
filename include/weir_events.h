// SPDX-License-Identifier: Apache-2.0
// weir_events.h - the facts that the platform itself raises. Part of weir.h, which includes it.
//
// An event of a packet, flow or stream rides on the packet that caused it; event->slot says which, event->flow whose it
// is. What happens to a flow without a packet (it ends because nothing comes any more) is told to the elements that
// have seen a packet or an event of it, with event->vector NULL. Each fact is told once to each that hears it.
#ifndef WEIR_EVENTS_H
#define WEIR_EVENTS_H

// ---- of packets

struct weir_malformed {
	struct weir_text reason; // "ip.total_length"
	uint16_t offset;         // of the header that lies
};
WEIR_EVENT(packet_received, "packet.received", struct weir_no_payload, .layer = WEIR_L2, .per = WEIR_PER_PACKET,
	   .about = "a packet has come in; before anything else");
WEIR_EVENT(packet_malformed, "packet.malformed", struct weir_malformed, .layer = WEIR_L2, .per = WEIR_PER_PACKET,
	   .about = "a header is cut or lies about its length",
	   WEIR_PARTS(WEIR_PART(weir_malformed, reason, "packet.reason"),
		      WEIR_PART(weir_malformed, offset, "packet.offset")));
WEIR_EVENT(packet_fragmented, "packet.fragmented", struct weir_no_payload, .layer = WEIR_L3, .per = WEIR_PER_PACKET,
	   .about = "the packet is a fragment of an IPv4 or IPv6 datagram");

// ---- of flows: both directions of a conversation of the innermost IPv4 or IPv6 header

struct weir_flow_end {
	struct weir_addr client, server; // who opened it, and with whom
	uint16_t client_port, server_port;
	uint8_t protocol;
	uint64_t packets_out, packets_back; // from the client, from the server
	uint64_t bytes_out, bytes_back;     // of frames, as they were on the wire
	uint64_t payload_out, payload_back; // behind the transport header, repetitions too
	struct weir_time start;
	struct weir_span duration;  // to its last packet
	struct weir_text reason;    // "finished", "reset", "timed_out", "forgotten", "reused", "stopped"
	struct weir_text history;   // TCP: its life in Zeek's letters, "ShADadFf"
	struct weir_text conn_state; // TCP: in Zeek's words, "SF"
};
WEIR_EVENT(flow_started, "flow.started", struct weir_no_payload, .layer = WEIR_L4, .per = WEIR_PER_FLOW_,
	   .about = "the first packet of a flow has come; it is the client's, as far as can be told");
WEIR_EVENT(flow_ended, "flow.ended", struct weir_flow_end, .layer = WEIR_L4, .per = WEIR_PER_FLOW_,
	.about =
		"a flow is over: closed, reset, idle for too long, forgotten for want of room, or the input has ended",
	WEIR_PARTS(WEIR_PART(weir_flow_end, client, "ip.src"),
		WEIR_PART(weir_flow_end, client, "ipv6.src"),
		WEIR_PART(weir_flow_end, server, "ip.dst"),
		WEIR_PART(weir_flow_end, server, "ipv6.dst"),
		WEIR_PART(weir_flow_end, client_port, "srcport"),
		WEIR_PART(weir_flow_end, server_port, "dstport"),
		WEIR_PART(weir_flow_end, protocol, "ip.proto"),
		WEIR_PART(weir_flow_end, packets_out, "flow.packets_out"),
		WEIR_PART(weir_flow_end, packets_back, "flow.packets_back"),
		WEIR_PART(weir_flow_end, bytes_out, "flow.bytes_out"),
		WEIR_PART(weir_flow_end, bytes_back, "flow.bytes_back"),
		WEIR_PART(weir_flow_end, payload_out, "flow.payload_out"),
		WEIR_PART(weir_flow_end, payload_back, "flow.payload_back"),
		WEIR_PART(weir_flow_end, start, "flow.start"),
		WEIR_PART(weir_flow_end, duration, "flow.duration"),
		WEIR_PART(weir_flow_end, reason, "flow.reason"),
		WEIR_PART(weir_flow_end, history, "tcp.history"),
		WEIR_PART(weir_flow_end, conn_state, "tcp.conn_state")));

// ---- of TCP connections

struct weir_tcp_state {
	struct weir_text state; // "syn_sent", "syn_received", "established", "fin_wait", "closing", "closed", "reset",
				// "partial"
};
struct weir_gap {
	struct weir_text direction; // "out": the client's bytes; "back": the server's
	uint64_t offset, length;    // of the stream, from 0
};
struct weir_overlap {
	struct weir_text direction;
	uint64_t offset;
	uint32_t length;
	bool conflict; // the bytes differ from those that came first
};
WEIR_EVENT(tcp_established, "tcp.established", struct weir_no_payload, .layer = WEIR_L4, .per = WEIR_PER_FLOW_,
	   .about = "both sides have confirmed each other's SYN");
WEIR_EVENT(tcp_closed, "tcp.closed", struct weir_no_payload, .layer = WEIR_L4, .per = WEIR_PER_FLOW_,
	   .about = "both sides have sent a FIN");
WEIR_EVENT(tcp_reset, "tcp.reset", struct weir_no_payload, .layer = WEIR_L4, .per = WEIR_PER_FLOW_,
	   .about = "a RST inside of the window has ended the connection");
WEIR_EVENT(tcp_retransmitted, "tcp.retransmitted", struct weir_no_payload, .layer = WEIR_L4, .per = WEIR_PER_DIRECTION,
	   .about = "a segment whose bytes, or the first of them, were sent before");
WEIR_EVENT(tcp_out_of_order, "tcp.out_of_order", struct weir_no_payload, .layer = WEIR_L4, .per = WEIR_PER_DIRECTION,
	   .about = "a segment that belongs in front of what was seen before it");
WEIR_EVENT(tcp_zero_window, "tcp.zero_window", struct weir_no_payload, .layer = WEIR_L4, .per = WEIR_PER_DIRECTION,
	   .about = "a side takes no more bytes for now");
WEIR_EVENT(tcp_state_changed, "tcp.state_changed", struct weir_tcp_state, .layer = WEIR_L4, .per = WEIR_PER_FLOW_,
	   .about = "the connection has gone on to another state",
	   WEIR_PARTS(WEIR_PART(weir_tcp_state, state, "tcp.state")));
WEIR_EVENT(tcp_gap, "tcp.gap", struct weir_gap, .layer = WEIR_L4, .per = WEIR_PER_STREAM,
	   .about = "bytes of a stream that will not come: the receiver has them, or too much waits behind them",
	   WEIR_PARTS(WEIR_PART(weir_gap, direction, "stream.direction"), WEIR_PART(weir_gap, offset, "stream.offset"),
		      WEIR_PART(weir_gap, length, "stream.length")));
WEIR_EVENT(tcp_overlapped, "tcp.overlapped", struct weir_overlap, .layer = WEIR_L4,
	.per = WEIR_PER_STREAM,
	.about =
		"bytes of a stream have come again beside others, or as other bytes; not a segment that is only sent again",
	WEIR_PARTS(WEIR_PART(weir_overlap, direction, "stream.direction"),
		WEIR_PART(weir_overlap, offset, "stream.offset"),
		WEIR_PART(weir_overlap, length, "stream.length"),
		WEIR_PART(weir_overlap, conflict, "tcp.conflict")));

// ---- of streams: the bytes of one direction, in order, each once

struct weir_stream_data {
	struct weir_text direction; // "out": the client's bytes; "back": the server's
	uint64_t offset;            // of the first byte; more than the last one's end: there was a gap
	struct weir_text data;      // good until the handler returns
};
struct weir_stream_end {
	struct weir_addr client, server;
	uint16_t client_port, server_port;
	struct weir_text direction;
	uint64_t bytes, gap_bytes; // told; never seen
	struct weir_text sha256;   // of those told; where a FlowTracker is asked for it
	char digits_[64];
};
WEIR_EVENT(stream_data, "stream.data", struct weir_stream_data, .layer = WEIR_L4, .per = WEIR_PER_STREAM,
	   .about = "the next bytes of a stream",
	   WEIR_PARTS(WEIR_PART(weir_stream_data, direction, "stream.direction"),
		      WEIR_PART(weir_stream_data, offset, "stream.offset"),
		      WEIR_PART(weir_stream_data, data, "stream.data")));
WEIR_EVENT(stream_closed, "stream.closed", struct weir_stream_end, .layer = WEIR_L4, .per = WEIR_PER_STREAM,
	   .about = "no more bytes come in this direction",
	   WEIR_PARTS(WEIR_PART(weir_stream_end, client, "ip.src"), WEIR_PART(weir_stream_end, client, "ipv6.src"),
		      WEIR_PART(weir_stream_end, server, "ip.dst"), WEIR_PART(weir_stream_end, server, "ipv6.dst"),
		      WEIR_PART(weir_stream_end, client_port, "srcport"),
		      WEIR_PART(weir_stream_end, server_port, "dstport"),
		      WEIR_PART(weir_stream_end, direction, "stream.direction"),
		      WEIR_PART(weir_stream_end, bytes, "stream.bytes"),
		      WEIR_PART(weir_stream_end, gap_bytes, "stream.gap_bytes"),
		      WEIR_PART(weir_stream_end, sha256, "stream.sha256")));

#endif
