// SPDX-License-Identifier: Apache-2.0
// Fields of flows that change: each packet has them as of itself, itself included. Who never changes is in the record's
// visible head.
#include "packet/field_table.h"

#define OF_FLOW(text, kind_of, which, what)                                                           \
	{                                                                                             \
		.name = text, .about = what, .type = FIELD_##kind_of, .kind = FIELD_OF_FLOW, .size = 8, \
		.compute = which                                                                      \
	}

const struct field field_flow[] = {
	OF_FLOW("flow.packets_out", UINT, FLOW_PACKETS_OUT, "packets of the client so far"),
	OF_FLOW("flow.packets_back", UINT, FLOW_PACKETS_BACK, "packets of the server so far"),
	OF_FLOW("flow.bytes_out", UINT, FLOW_BYTES_OUT, "bytes of the client's frames so far, as on the wire"),
	OF_FLOW("flow.bytes_back", UINT, FLOW_BYTES_BACK, "bytes of the server's frames so far, as on the wire"),
	OF_FLOW("flow.payload_out", UINT, FLOW_PAYLOAD_OUT,
		"bytes of the client behind the transport header so far, repetitions too"),
	OF_FLOW("flow.payload_back", UINT, FLOW_PAYLOAD_BACK,
		"bytes of the server behind the transport header so far, repetitions too"),
	OF_FLOW("flow.start", TIME, FLOW_START, "when its first packet came, since 1970"),
	OF_FLOW("flow.duration", TIME, FLOW_DURATION, "from its first packet to this one"),
	OF_FLOW("tcp.state", STRING, FLOW_TCP_STATE,
		"of the connection, behind this packet: \"syn_sent\", \"established\" ..."),
};
const unsigned field_flow_count = sizeof(field_flow) / sizeof(*field_flow);
