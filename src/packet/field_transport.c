// SPDX-License-Identifier: Apache-2.0
// Fields of transport headers. Sequence numbers are as in the packet (tcp.seq_raw): Wireshark's tcp.seq counts from the
// start of the connection, which one packet does not tell.
#include "packet/field_table.h"

static const char *const tcp_port[] = { "tcp.srcport", "tcp.dstport", NULL };
static const char *const udp_port[] = { "udp.srcport", "udp.dstport", NULL };
static const char *const sctp_port[] = { "sctp.srcport", "sctp.dstport", NULL };

const struct field field_transport[] = {
	PRESENCE("tcp", PROTO_TCP, "TCP"),
	U16("tcp.srcport", PROTO_TCP, 0, WRITABLE(TRANSPORT), "source port"),
	U16("tcp.dstport", PROTO_TCP, 2, WRITABLE(TRANSPORT), "destination port"),
	ALIAS("tcp.port", UINT, 2, PROTO_TCP, tcp_port, "source or destination port"),
	U32("tcp.seq_raw", PROTO_TCP, 4, WRITABLE(TRANSPORT), "sequence number"),
	U32("tcp.ack_raw", PROTO_TCP_REST, 8, WRITABLE(TRANSPORT), "acknowledgment number"),
	SCALED("tcp.hdr_len", 1, PROTO_TCP_REST, 12, 1, 4, 15, 2, "bytes of the header"),
	BITS("tcp.flags", 2, PROTO_TCP_REST, 12, 2, 0, 0xfff, WRITABLE(TRANSPORT), "flags"),
	FIXED_("tcp.flags.res", BOOL, 0, PROTO_TCP_REST, 12, 1, 1, 7, READ_ONLY, "reserved"),
	FLAG("tcp.flags.ae", PROTO_TCP_REST, 12, 0, WRITABLE(TRANSPORT), "accurate ECN"),
	FLAG("tcp.flags.cwr", PROTO_TCP_REST, 13, 7, WRITABLE(TRANSPORT), "congestion window reduced"),
	FLAG("tcp.flags.ece", PROTO_TCP_REST, 13, 6, WRITABLE(TRANSPORT), "congestion echo"),
	FLAG("tcp.flags.urg", PROTO_TCP_REST, 13, 5, WRITABLE(TRANSPORT), "urgent pointer is valid"),
	FLAG("tcp.flags.ack", PROTO_TCP_REST, 13, 4, WRITABLE(TRANSPORT), "acknowledgment number is valid"),
	FLAG("tcp.flags.push", PROTO_TCP_REST, 13, 3, WRITABLE(TRANSPORT), "to be delivered at once"),
	FLAG("tcp.flags.reset", PROTO_TCP_REST, 13, 2, WRITABLE(TRANSPORT), "connection is reset"),
	FLAG("tcp.flags.syn", PROTO_TCP_REST, 13, 1, WRITABLE(TRANSPORT), "connection begins"),
	FLAG("tcp.flags.fin", PROTO_TCP_REST, 13, 0, WRITABLE(TRANSPORT), "sender has no more"),
	U16("tcp.window_size_value", PROTO_TCP_REST, 14, WRITABLE(TRANSPORT), "window, not scaled"),
	U16("tcp.checksum", PROTO_TCP_REST, 16, WRITABLE(NONE), "checksum"),
	COMPUTED("tcp.checksum.status", UINT, 1, PROTO_TCP_REST, COMPUTE_CHECKSUM,
		"0: bad; 1: good; 2: not verified"),
	U16("tcp.urgent_pointer", PROTO_TCP_REST, 18, WRITABLE(TRANSPORT), "end of urgent data"),
	COMPUTED("tcp.len", UINT, 4, PROTO_TCP_REST, COMPUTE_TCP_LEN, "bytes of the payload, on the wire"),
	COMPUTED("tcp.payload", BYTES, 8, PROTO_TCP_PAYLOAD, COMPUTE_VIEW, "payload"),

	PRESENCE("udp", PROTO_UDP, "UDP"),
	U16("udp.srcport", PROTO_UDP, 0, WRITABLE(TRANSPORT), "source port"),
	U16("udp.dstport", PROTO_UDP, 2, WRITABLE(TRANSPORT), "destination port"),
	ALIAS("udp.port", UINT, 2, PROTO_UDP, udp_port, "source or destination port"),
	U16("udp.length", PROTO_UDP, 4, READ_ONLY, "bytes of header and payload"),
	U16("udp.checksum", PROTO_UDP, 6, WRITABLE(NONE), "checksum"),
	COMPUTED("udp.checksum.status", UINT, 1, PROTO_UDP, COMPUTE_CHECKSUM,
		"0: bad; 1: good; 2: not verified; 3: none"),
	COMPUTED("udp.payload", BYTES, 8, PROTO_UDP_PAYLOAD, COMPUTE_VIEW, "payload"),

	PRESENCE("udplite", PROTO_UDPLITE, "UDP-Lite"),
	U16("udplite.srcport", PROTO_UDPLITE, 0, WRITABLE(TRANSPORT), "source port"),
	U16("udplite.dstport", PROTO_UDPLITE, 2, WRITABLE(TRANSPORT), "destination port"),
	U16("udp.checksum_coverage", PROTO_UDPLITE, 4, READ_ONLY, "bytes that the checksum covers; 0: all"),

	PRESENCE("sctp", PROTO_SCTP, "SCTP"),
	U16("sctp.srcport", PROTO_SCTP, 0, READ_ONLY, "source port"),
	U16("sctp.dstport", PROTO_SCTP, 2, READ_ONLY, "destination port"),
	ALIAS("sctp.port", UINT, 2, PROTO_SCTP, sctp_port, "source or destination port"),
	U32("sctp.verification_tag", PROTO_SCTP, 4, READ_ONLY, "association of the receiver"),
	U32("sctp.checksum", PROTO_SCTP_REST, 8, READ_ONLY, "checksum"),
	COMPUTED("sctp.checksum.status", UINT, 1, PROTO_SCTP_REST, COMPUTE_CHECKSUM,
		"0: bad; 1: good; 2: not verified"),
};
const unsigned field_transport_count = sizeof(field_transport) / sizeof(*field_transport);
