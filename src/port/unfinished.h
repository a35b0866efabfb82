// SPDX-License-Identifier: Apache-2.0
// Frames that a virtual interface hands over before they are finished: a checksum that "the card"
// was to compute, and several segments in one frame that "the card" was to cut. While a packet's
// head says PACKET_L4, the field of its checksum holds nothing: it is computed anew from the
// addresses, ports and bytes that are there when it leaves, so that whatever elements did to them,
// it is right.
#ifndef PORT_UNFINISHED_H
#define PORT_UNFINISHED_H

#include "packet/packet.h"

enum { TRANSPORT_TCP = 6, TRANSPORT_UDP = 17 };

// The outer TCP or UDP header of a frame.
struct transport {
	uint32_t network, at;     // where the IP and the transport header begin
	uint32_t length;          // from `at` to the end of the IP packet
	uint32_t headers;         // the frame's bytes up to the payload
	uint16_t sum;             // of the checksum, in the transport header
	uint8_t protocol;
	bool is_v6;
};

// False: there is none, or it is a fragment, or cut. Looks at the first buffer only.
bool transport_find(struct transport *transport, const struct rte_mbuf *mbuf);

// By its content: what the kernel puts into the field of a checksum that is left to a card is the sum over the
// pseudo-header.
bool unfinished_looks_so(const struct rte_mbuf *mbuf, const struct transport *transport);
uint16_t unfinished_field(const struct rte_mbuf *mbuf, const struct transport *transport); // as it lies there
// Writes the checksum; the bytes are the packet's own.
void unfinished_complete(struct rte_mbuf *mbuf, const struct transport *transport);
// Writes the sum over the pseudo-header, which a kernel expects that shall complete it.
void unfinished_seed(struct rte_mbuf *mbuf, const struct transport *transport);
// Completes a checksum that lies anywhere (in a tunnel), from the seed that is there.
bool unfinished_complete_at(struct rte_mbuf *mbuf, uint32_t start, uint32_t offset);

// A packet whose bytes may be written: itself, or a copy if they are shared (it is freed then). NULL: no buffers; it is
// freed.
struct rte_mbuf *unfinished_own(struct rte_mbuf *mbuf);
// Finishes the checksum of a packet whose head says so, and clears that. False: it does not say where. For bytes of its
// own.
bool unfinished_finish(struct rte_mbuf *mbuf);

// The longest frame that a packet stands for.
uint32_t unfinished_frame(const struct rte_mbuf *mbuf);

// Cuts a packet with gso_size into its frames, all finished.
struct segments {
	const struct rte_mbuf *mbuf;
	struct transport transport;
	uint32_t next, number; // byte of the payload, frames so far
	bool is_out_of_buffers;
};
// False: it has no transport header that could be cut.
bool segments_begin(struct segments *segments, const struct rte_mbuf *mbuf);
struct rte_mbuf *segments_next(struct segments *segments); // NULL: that was the last, or is_out_of_buffers

#endif
