// SPDX-License-Identifier: Apache-2.0
// What a TCP segment means for its flow; inside of the tracker.
#ifndef ENGINE_TRACK_TCP_H
#define ENGINE_TRACK_TCP_H

#include "engine/track.h"
#include "flow/stream.h"
#include "flow/tcp_history.h"

#include <sha2.h>

struct track_segment { // of any transport protocol
	struct track_whole *whole; // the datagram that was put together; NULL: it lies in the packet
	const uint8_t *header;
	unsigned header_size;
	bool is_sound; // its header is all there
	bool is_outer; // it is in no tunnel
	uint32_t payload, end;  // where its payload lies in the frame
	uint32_t wire_payload;  // how long it was before a capture cut it
	struct tcp_segment tcp;
};

// What the platform itself keeps of a connection, in front of what modules keep: its history, then its streams.
struct track_side {
	struct stream stream;
	struct flow *flow;
	bool is_server : 1; // whose bytes they are; it may turn out otherwise
	bool is_second : 1; // of the two, in memory
	bool is_late : 1;   // it was under way before somebody wanted it: it begins with what comes next
	bool is_hashed : 1; // from its first byte on
	bool is_outer : 1;  // in no tunnel, as far as is known
	bool is_unwatched : 1; // no observer can want the connection's bytes
	uint32_t stopped;      // by flow_bit: elements that want no more of it
	uint32_t unwanted;     // likewise: elements that can want nothing of this connection
};
struct track_streams {
	struct track_side side[2];
};
struct track_hashes {
	SHA2_CTX side[2]; // beside the streams' sides
};
static_assert(sizeof(struct track_hashes) <= PLAN_FLOW_HASHES);
static_assert(sizeof(struct tcp_history) <= PLAN_FLOW_HISTORY);
static_assert(sizeof(struct track_streams) <= PLAN_FLOW_STREAMS);

static inline struct tcp_history *track_history(const struct plan *plan, const struct weir_flow *flow)
{
	return plan->keeps_history ? flow->state_ : NULL;
}
static inline struct track_streams *track_streams(const struct plan *plan, const struct weir_flow *flow)
{
	return plan->keeps_streams && flow->state_
		? (struct track_streams *)((char *)flow->state_ + (plan->keeps_history ? PLAN_FLOW_HISTORY : 0))
		: NULL;
}

// tracker.c: fragments that wait, made with the first one; NULL: no memory
struct fragments *track_fragments(struct worker *worker);
void *track_keep(void *worker, void *packet_or_whole);
void track_let_go(void *worker, void *handle);
// A datagram that was put together stays until the vector's end; NULL: too many of them in one vector.
struct track_whole *track_keep_whole(struct tracker *tracker, const uint8_t *whole, uint32_t length);

// track_stream.c: what this segment brings to the streams of its flow
void track_bytes(struct worker *worker, unsigned slot, const struct flow_found *found,
	const struct track_segment *segment, uint32_t facts);
int track_make_streams(struct tracker *tracker, struct worker *worker, unsigned handles); // -ENOMEM
void track_end_streams(struct worker *worker, struct flow *flow);
void track_turn_streams(struct worker *worker, struct flow *flow); // client and server have changed places
// What a flow that is under way has under a plan that keeps streams: they come late where there were bytes before.
void track_start_late(const struct plan *plan, struct track_streams *streams, struct flow *flow, bool is_outer);
// The hash of a side, where the plan keeps hashes: behind both sides.
SHA2_CTX *track_hash(const struct plan *plan, struct track_side *side);
// A side of a connection, maybe of one that has no bytes yet; NULL: no streams are kept, or they are not begun.
struct track_side *track_side(const struct plan *plan, struct flow *flow, bool of_server);
bool track_is_side_wanted(const struct plan *plan, const struct track_side *side);
void track_forget_unwanted(struct worker *worker, struct track_side *side);
// Does this element hear no more of a side?
bool track_is_stopped(const struct plan *plan, struct weir_flow *flow, bool of_server, uint32_t flow_bit);
// Nobody wants the streams of this flow any more?
void track_forget_streams(struct worker *worker, struct weir_flow *flow);

// track_error.c: the flow of the packet that an ICMP error quotes, as its other side has it; none: it is not known
struct flow_found track_quoted(
	struct worker *worker, unsigned slot, const uint8_t *icmp, const uint8_t *end, bool is_ipv6);

// False: the flow has ended, and this packet begins another one.
bool track_tcp(struct worker *worker, unsigned slot, struct flow_found *found, const struct track_segment *segment);
// A flow ends: its last events.
flow_ended track_flow_ended;

static inline struct tcp *track_tcp_of(struct flow *flow)
{
	return (struct tcp *)flow->tcp;
}

#endif
