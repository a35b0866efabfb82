// SPDX-License-Identifier: Apache-2.0
// Fields: named, typed data of packets, with the names of Wireshark's display filters. A field is derived (from bytes,
// port or time), carried (assigned by an element) or of the flow. The registry holds the platform's own; a plan adds
// the carried fields of its modules.
#ifndef PACKET_FIELD_H
#define PACKET_FIELD_H

#include "packet/protocol.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_type {
	FIELD_PROTOCOL, // is this header there; a mask only, "ip", "tcp"
	FIELD_BOOL, // one bit; value and presence are masks, "tcp.flags.syn"
	FIELD_UINT, // size 1, 2, 4 or 8; host order
	FIELD_IPV4, // size 4; host order: 10.0.0.1 is 0x0a000001
	FIELD_IPV6, // size 16; as in the packet
	FIELD_ETHER, // size 8; the 48 bits as a number, first byte highest
	FIELD_TIME, // size 8; nanoseconds since 1970 (or a duration)
	FIELD_BYTES, // size 8; struct field_view into the packet, "tcp.payload"
	FIELD_STRING, // size 8; the same, shown as text
};

enum field_kind { FIELD_DERIVED,
	FIELD_CARRIED,
	FIELD_OF_FLOW,
	FIELD_OF_EVENT };

// which checksums cover the bytes of a field: what weir_set must mend
enum field_sum {
	SUM_NONE,
	SUM_IP_HEADER, // IPv4's own
	SUM_PSEUDO, // IPv4's own, and TCP's or UDP's through the pseudo header (addresses)
	SUM_TRANSPORT, // of the TCP, UDP, ICMP or SCTP header it is in
};

enum field_compute {
	COMPUTE_NOTHING, // where a fact says it (weir.network), or it is there by its presence (protocols)
	COMPUTE_FRAME_LEN, // on the wire
	COMPUTE_FRAME_CAP_LEN,
	COMPUTE_FRAME_TIME,
	COMPUTE_IP_CHECKSUM, // enum checksum_status
	COMPUTE_CHECKSUM, // the same of a transport header
	COMPUTE_TCP_LEN, // of the payload
	COMPUTE_VIEW, // from the place to the end
};

// What is known of a packet's flow, as of that packet; of a FIELD_OF_FLOW, `compute` is one of these. The column of a
// FIELD_STRING holds a pointer to a text that never goes (const char *).
enum field_of_flow {
	FLOW_PACKETS_OUT,
	FLOW_PACKETS_BACK,
	FLOW_BYTES_OUT,
	FLOW_BYTES_BACK,
	FLOW_PAYLOAD_OUT,
	FLOW_PAYLOAD_BACK,
	FLOW_START,
	FLOW_DURATION,
	FLOW_TCP_STATE,
};

struct field_view {
	uint32_t offset, length; // in the packet
};

// How a field is taken out of its header when it lies at a fixed place: `width` bytes (big endian) at `offset` of the
// header, shifted right by `shift`, masked, scaled. width 0: `compute` does it.
struct field {
	const char *name, *about;
	enum field_type type;
	enum field_kind kind;
	enum protocol protocol; // whose header it is in; PROTO_FRAME for what every packet has
	uint8_t size; // of one value in a column; 0 for masks
	uint8_t offset, width, shift;
	uint8_t scale; // shifted left by this behind the mask: lengths told in words, shown in bytes
	enum field_sum sum;
	bool is_writable; // weir_set may change it
	uint64_t mask; // after the shift; 0: all bits
	uint16_t compute; // enum field_compute, where width is 0; enum field_of_flow
	const char *const
		*any_of; // "tcp.port": the names of the fields that it stands for; only filters know it
	const char *const *
		values; // names of values for display; NULL-terminated pairs are not needed: see protocol pages
};

const struct field *field_find(const char *name); // NULL: no such platform field
const struct field *field_at(unsigned index); // NULL behind the last; in order of layers
unsigned field_index(const struct field *field);

#endif
