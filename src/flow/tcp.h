// SPDX-License-Identifier: Apache-2.0
// The life of a TCP connection as somebody in the middle sees it: two sides of 16 bytes each, moved by one segment at a
// time, which says what it meant as a mask of facts. No clock, no allocation, nothing but the 32 bytes.
//
// What is believed: a side's numbers are what it sent; how far the other side confirmed them and how much more it
// offered to take is the window. Segments and resets that lie outside of it are told and change nothing (RFC 5961 asks
// the ends for the same); a capture that lacks packets or has them out of order is put up with.
#ifndef FLOW_TCP_H
#define FLOW_TCP_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
	TCP_NO_SCALE = 255,  // a SYN without the option
	TCP_SLACK = 1 << 16, // what is so far beyond a window may be there because we have missed its opening
	TCP_FARTHEST = 1 << 30, // from a number that we know, where no window is known
	TCP_MISSED = 1 << 28,    // so much a capture may have missed at once, and an ACK may be old
	TCP_YOUNG = 1 << 24,     // of a side that has sent less, nothing is before its SYN
};

// What one side has sent last, in the order of a life.
enum tcp_state {
	TCP_NONE,        // nothing
	TCP_SYN_SENT,    // a SYN
	TCP_SYN_ACKED,   // a SYN that confirms the other one's, itself not confirmed yet
	TCP_PARTIAL,     // anything; its SYN was not seen
	TCP_ESTABLISHED, // something behind its SYN, or its SYN was confirmed
	TCP_FINISHED,    // a FIN
	TCP_CLOSED,      // a FIN that the other side has confirmed
	TCP_RESET,       // a RST that was believed
	TCP_STATES
};

enum tcp_mark { // of a side
	TCP_CALM = 1,       // the short way will do for what it sends
	TCP_SYN_SEEN = 2,   // isn is what its SYN said, or what the other one's confirmed
	TCP_CONFIRMED = 4,  // `acked` and `window` are what the other side said
	TCP_HOLE = 8,       // something before `next` was not seen, and is not confirmed
	TCP_PROBED = 16,    // its last segment asked whether the other one is still there
	TCP_CHALLENGED = 32, // it has sent a SYN that belongs to no handshake; the other side will say what it is

	TCP_TOLD = 64,      // of the connection: side 0 that it was established, side 1 that it was closed
	TCP_QUIET = 128,    // the short way will do for what it receives
};

struct tcp_side {
	uint32_t isn;   // the number of its SYN; where none is known, one before its first byte seen
	uint32_t next;  // behind the last that it has sent; SYN and FIN count
	uint32_t acked; // so far the other side has confirmed it, where it is TCP_CONFIRMED
	uint16_t window;     // what the other side takes beyond that, before scaling
	uint8_t state : 3;   // enum tcp_state
	uint8_t is : 1;      // of the connection: side 0, one_sided of tcp_start; side 1, that it is the client
	uint8_t scale : 4;   // of the windows that it offers
	uint8_t marks;       // enum tcp_mark
};
struct tcp { // all zero: nothing was seen, tcp_start with false
	struct tcp_side side[2]; // by direction of the packets; 0 is the flow's first
};
static_assert(sizeof(struct tcp_side) == 16);
static_assert(sizeof(struct tcp) == 32);

struct tcp_segment {
	uint32_t seq, ack;
	uint32_t length; // of its payload
	uint16_t window;
	uint8_t flags;
	// of the options, where it is a SYN
	uint8_t scale; // or TCP_NO_SCALE
	uint16_t mss;  // 0: not said
	bool sack_permitted;
};

enum tcp_fact {
	// of the life
	TCP_FACT_ESTABLISHED = 1 << 0,   // once: both have sent and confirmed SYNs
	TCP_FACT_CLOSED = 1 << 1,        // once: both have sent a FIN
	TCP_FACT_RESET = 1 << 2,         // once, if not closed before
	TCP_FACT_STATE_CHANGED = 1 << 3, // of a side
	TCP_FACT_FINISHED = 1 << 4,      // this side's FIN: its stream ends behind this segment's payload
	TCP_FACT_PARTIAL = 1 << 5,       // first segment of a side whose SYN is not known
	TCP_FACT_FLIPPED = 1 << 6,       // the client is the one that was not taken for it so far
	// Nothing was changed: the caller ends the flow, starts another one and steps again.
	TCP_FACT_REUSED = 1 << 7,
	TCP_FACT_SIMULTANEOUS_OPEN = 1 << 8,
	TCP_FACT_DATA_IN_SYN = 1 << 9, // fast open
	// of the segment
	TCP_FACT_RETRANSMITTED = 1 << 10, // all or the beginning of it was sent before
	TCP_FACT_OUT_OF_ORDER = 1 << 11,  // it belongs before what was seen last and was not seen itself
	TCP_FACT_AHEAD = 1 << 12,         // something before it was not seen (yet)
	TCP_FACT_KEEP_ALIVE = 1 << 13,
	TCP_FACT_KEEP_ALIVE_ACK = 1 << 14,
	TCP_FACT_ZERO_WINDOW = 1 << 15,
	TCP_FACT_ZERO_WINDOW_PROBE = 1 << 16,
	TCP_FACT_WINDOW_FULL = 1 << 17, // it fills what the other side offered
	TCP_FACT_DUPLICATE_ACK = 1 << 18,
	TCP_FACT_UNSEEN_ACKED = 1 << 19, // it confirms what we have not seen
	TCP_FACT_URGENT = 1 << 20,
	// refused: it has changed nothing
	TCP_FACT_BAD_RESET = 1 << 21,     // outside of the window
	TCP_FACT_BAD_SYN = 1 << 22,       // inside of a connection
	TCP_FACT_BAD_ACK = 1 << 23,       // confirms what cannot have been sent
	TCP_FACT_OUT_OF_WINDOW = 1 << 24, // its bytes are
	TCP_FACT_BAD_FLAGS = 1 << 25,     // no such segment: SYN and FIN, no ACK where one must be ...
	TCP_FACT_REFUSED = TCP_FACT_BAD_RESET | TCP_FACT_BAD_SYN | TCP_FACT_BAD_ACK | TCP_FACT_OUT_OF_WINDOW |
		TCP_FACT_BAD_FLAGS | TCP_FACT_REUSED,
	TCP_FACT_NO_STREAM = TCP_FACT_REFUSED | TCP_FACT_KEEP_ALIVE, // its payload is none of the stream's
};

// How long an idle flow is remembered depends on it.
enum tcp_class { TCP_HALF_OPEN, TCP_OPEN, TCP_CLOSING, TCP_GONE };

// Reads a header; `length` of it, options included, must be there. payload: by the IP header's length.
void tcp_read(struct tcp_segment *segment, const uint8_t *header, unsigned length, uint32_t payload);

// one_sided: the capture may have one direction only, so that what a side does alone (a SYN, then an ACK) is believed.
// Otherwise a host that invents both opens nothing.
static inline void tcp_start(struct tcp *tcp, bool one_sided)
{
	*tcp = (struct tcp){ .side[0].is = one_sided };
}

uint32_t tcp_step_fully(struct tcp *tcp, unsigned direction, const struct tcp_segment *segment);
enum tcp_class tcp_class(const struct tcp *tcp);
const char *tcp_state_name(enum tcp_state state);
// One word for both sides: "syn_sent", "syn_received", "established", "fin_wait", "closing",
// "closed", "reset", "partial".
const char *tcp_connection_state(const struct tcp *tcp);

// The direction in which the client sends: the sender of the SYN, else the receiver of a SYN/ACK, else who was first.
static inline unsigned tcp_client(const struct tcp *tcp)
{
	return tcp->side[1].is;
}

// The first byte of a side's stream has this number; known from its first segment on.
static inline uint32_t tcp_first(const struct tcp *tcp, unsigned direction)
{
	return tcp->side[direction].isn + 1;
}

// Where the payload of a segment begins.
static inline uint32_t tcp_payload_seq(const struct tcp_segment *segment)
{
	return segment->seq + (segment->flags & TCP_SYN ? 1 : 0);
}

// Data and confirmations in order, in a window that is not full, mean nothing new. False: it is no such segment, and
// nothing is done.
static inline bool tcp_step_calmly(struct tcp *tcp, unsigned direction, uint32_t seq, uint32_t ack,
	uint32_t length, uint16_t window, uint8_t flags)
{
	struct tcp_side *from = &tcp->side[direction], *to = &tcp->side[!direction];
	uint32_t end = seq + length;
	uint32_t room = from->acked + ((uint32_t)from->window << to->scale) - end;
	uint32_t confirmed = ack - to->acked;

	if (!(from->marks & TCP_CALM) || !(to->marks & TCP_QUIET) || (flags & 0x3f & ~TCP_PSH) != TCP_ACK ||
		seq != from->next || (int32_t)room <= 0 || !window || confirmed > to->next - to->acked ||
		!(length | confirmed))
		return false;
	from->next = end;
	to->acked = ack;
	to->window = window;
	return true;
}

// One segment: what it meant.
static inline uint32_t tcp_step(struct tcp *tcp, unsigned direction, const struct tcp_segment *segment)
{
	return tcp_step_calmly(tcp, direction, segment->seq, segment->ack, segment->length, segment->window,
		       segment->flags)
		? 0
		: tcp_step_fully(tcp, direction, segment);
}

#endif
