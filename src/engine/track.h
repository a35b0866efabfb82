// SPDX-License-Identifier: Apache-2.0
// The tracker: whose flow a packet is of, and what that means for the flow. One per worker; it
// lives as long as the worker, whatever generations come and go. It runs as a step in front of the
// first node that needs to know of flows.
//
// What ends a flow without a packet of it (its time is up, its place is wanted, a new connection of
// the same ports) is an ending: a list of events in the order of slots, told to each element that
// knows the flow, in the order of the plan, between the packets where it happened.
#ifndef ENGINE_TRACK_H
#define ENGINE_TRACK_H

#include "engine/generation.h"
#include "flow/flow.h"
#include "flow/fragments.h"
#include "flow/stream.h"
#include "flow/tcp.h"

enum {
	TRACK_ENDINGS = FLOW_READABLE,
	TRACK_AGED = 64,
	TRACK_ASIDE = 64,           // so much room is left for what a packet of each slot may end
	TRACK_TUNNELS = 4,          // fragments within fragments
	TRACK_WHOLES = 96,          // datagrams put together: of this vector, and those of which something waits
};
enum { TRACK_DROPPED = 0x8000 }; // in weir_flow.flags_: some element drops it; which, and under what name

struct worker;
struct event_record;

struct ending {
	struct flow *flow;
	void *state;         // its block, given back when all have heard
	uint32_t head, tail; // its events, in the worker's store
	uint32_t told;       // elements that have heard, by flow_bit
	uint64_t at_ns;
	uint8_t slot; // it happened in front of this slot's packet; WEIR_VECTOR: behind all
};

struct track_whole {
	uint32_t keepers; // streams and datagrams in which something of it waits
	bool is_fresh;    // of this vector
	uint8_t bytes[FRAGMENTS_LONGEST];
};

struct tracker {
	struct flow_table *tables[2]; // of IPv4, IPv6
	uint32_t flows;               // that each of them holds
	struct flow_blocks *blocks;   // NULL: nobody keeps anything per flow
	struct stream_pool *streams;  // NULL: nobody hears of them
	struct fragments *fragments;  // NULL: none has come
	struct track_whole *wholes;   // datagrams that were put together
	struct flow_batch batches[2];
	struct flow_columns columns[2];
	uint32_t src4[WEIR_VECTOR], dst4[WEIR_VECTOR];
	struct weir_addr src6[WEIR_VECTOR], dst6[WEIR_VECTOR];
	uint16_t src_port[WEIR_VECTOR], dst_port[WEIR_VECTOR];
	uint8_t protocol[WEIR_VECTOR];
	uint16_t vlan[WEIR_VECTOR];   // 0: it is no part of the key
	uint32_t tunnel[WEIR_VECTOR]; // likewise
	weir_mask errors;  // slots whose packet quotes another
	weir_mask back;    // slots whose packet is the server's
	weir_mask decided; // slots of flows about which some element has decided
	unsigned slot;     // whose packet is looked at; WEIR_VECTOR: none is
	struct ending endings[TRACK_ENDINGS];
	unsigned ending_count;
	struct ending *ending; // that events are raised on; NULL: on packets
	struct ending *loose;  // the last one that ends no flow; NULL: there is none
	bool settles;          // what is told comes of no packet, but of time
	uint64_t followed;     // streams
	uint64_t ended[FLOW_REASONS];
	struct weir_addr nobody;
};

// The table that a flow is in.
static inline struct flow_table *track_table(const struct tracker *tracker, const struct weir_flow *flow)
{
	return tracker->tables[!!(flow->bits_ & FLOW_IPV6)];
}

// The worker has its own part of plan->max_flows. NULL: errno.
struct tracker *tracker_create(const struct generation *generation, unsigned worker);
// track_move.c, on the worker: it takes the share's tracker, or keeps the one that it has and moves to the
// share's blocks what is kept per flow; streams go on where they are.
void tracker_take_up(struct worker *worker, const struct generation *old, struct share *share);
// The last step of that, when the worker is ready to tell of it: flows end whose keys have another form than the
// plan's.
void tracker_renew(struct worker *worker);
void tracker_destroy(struct tracker *tracker);

// The step: for these slots the vector's flow is set, and what has happened to it is raised.
void track(struct worker *worker, weir_mask todo);
// Holes in streams whose time came before that are told of, in front of the slot that is looked at.
void track_settle(struct worker *worker, uint64_t now_ns);
// An empty vector begins.
void track_begin(struct worker *worker);
// Behind a pass, or where there was none: endings that are left are told, idle flows end; true: more of them are to.
bool track_end(struct worker *worker);
// Those whose time is up by now to the nanosecond, too. In portions: true: more of them are to.
bool track_end_exactly(struct worker *worker);
// Nobody's time is up before.
uint64_t track_next_ns(const struct worker *worker);
// track_count.c: the FlowTracker's counters are as of now.
void track_count(struct worker *worker);
// No more packets come: all flows end.
void track_stop(struct worker *worker);

// An element drops the rest of a flow: its record is the first to be forgotten.
void track_drop(struct worker *worker, struct weir_flow *flow);
// Does a handler want this, by what is known of the flow and the payload?
bool track_is_fit(const struct plan_handler *handler, const struct flow *flow, const void *payload);
// The same for who only looks on.
bool track_is_watched(const struct plan_watch *watch, const struct weir_event_type *type, const struct weir_flow *flow,
	const void *payload);
// May this, which asks for addresses and ports alone, hold for packets of a flow that is in no tunnel?
struct filter_program;
bool track_may_hold(const struct filter_program *program, const struct flow *flow);
// A field of packets as the flow's client has it, or one that is of flows; false: it is not known of them.
struct field;
struct filter_value;
bool track_value(const struct weir_flow *flow, const struct field *field, struct filter_value *value);
// deliver.c: an ending is told to one element
void track_tell(struct worker *worker, struct hot *hot, struct ending *ending);

#endif
