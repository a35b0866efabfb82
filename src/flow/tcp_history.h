// SPDX-License-Identifier: Apache-2.0
// A connection's life in the letters that Zeek's conn.log uses ("ShADadFf"), kept only where somebody asks: 64 bytes
// per connection, beside the flow's record. The state (SF, S0, REJ ...) comes from struct tcp alone.
//
//	s SYN   h SYN and ACK   a ACK without data   d data   f FIN   r RST   i FIN and RST   q SYN and FIN, SYN and RST
//	c bad checksum   g gap in the stream   t data sent again   w window of zero   ^ the client was mistaken so far
//
// Upper case: sent by the client. a, d, i, q once in a direction; f, h, r, s again with another number; c, g, t, w at
// the 1st, 10th, 100th, 1000th time.
#ifndef FLOW_TCP_HISTORY_H
#define FLOW_TCP_HISTORY_H

#include "flow/tcp.h"

enum { TCP_HISTORY = 20 }; // 19 letters, then no more

enum tcp_counted { TCP_BAD_CHECKSUM, TCP_GAP, TCP_SENT_AGAIN, TCP_ZERO_WINDOW, TCP_COUNTED };

struct tcp_history { // all zero: nothing was seen
	char text[TCP_HISTORY];
	uint16_t noted[2];               // by direction: which letters it has
	uint16_t counts[2][TCP_COUNTED]; // up to 1000
	uint32_t last[2][3];             // numbers of the last SYN, FIN, RST
};
static_assert(sizeof(struct tcp_history) == 64);

// Behind tcp_step, with what it returned.
void tcp_history_note(struct tcp_history *history, const struct tcp *tcp, unsigned direction,
	const struct tcp_segment *segment, uint32_t facts);
// What a segment does not tell: TCP_BAD_CHECKSUM, TCP_GAP.
void tcp_history_count(
	struct tcp_history *history, const struct tcp *tcp, unsigned direction, enum tcp_counted what);

// S0 S1 SF REJ S2 S3 RSTO RSTR RSTOS0 RSTRH SH SHR OTH
const char *tcp_conn_state(const struct tcp *tcp);

#endif
