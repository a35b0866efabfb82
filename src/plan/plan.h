// SPDX-License-Identifier: Apache-2.0
// The plan: what a graph means, as immutable data that any number of workers run.
//
// Its node is one input of one element; nodes stand in the order in which they run in a pass. What
// a node needs to know of packets are values: where headers are, fields, filters. Each has a place
// in the vector and a mask that says on which slots it is known; a node lists the values to be
// computed in front of it and those that it makes void.
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include "event/filter.h"
#include "lang/graph.h"
#include "module/library.h"
#include "packet/decode.h"
#include "packet/layout.h"

enum { PLAN_WORKERS = LAYOUT_WORKERS };
#define PLAN_NOWHERE UINT32_MAX
enum {
	PLAN_FLOW_BITS = 32,    // elements of a graph that hear of flows
	PLAN_FLOW_HISTORY = 64, // bytes of the platform's own per flow, where it keeps them
	PLAN_FLOW_STREAMS = 128,
	PLAN_FLOW_HASHES = 512,
	PLAN_DERIVED = 1000, // definitions upon one another, at most
	PLAN_KEYS = 8,       // fields behind `by`
	PLAN_TEXT = 128,     // bytes of a key for a text: a long one is told by its beginning and a hash
	PLAN_TOP = 4096,     // of `top N`
	PLAN_ROWS = 1 << 16, // keys that a worker knows at a time, of an aggregate
	PLAN_ROWS_DISTINCT = 1 << 14,
};

enum plan_value_kind {
	VALUE_PLACES,  // where headers are, and facts of whole packets
	VALUE_FIELD,   // a column (or mask) decoded from bytes
	VALUE_FILTER,  // a mask computed from other values
	VALUE_FLOW,    // whose flow a packet is of; its events come with it
	VALUE_OF_FLOW, // a column of what is known of the flow, as of the packet; it comes with VALUE_FLOW
	VALUE_CARRIED, // a column (or mask) that elements assign
	VALUE_SIGNAL,  // the slots on which an event has been raised
	VALUE_LUGGAGE, // payloads of events that ride, while the packet is outside of a vector
};

struct plan_value {
	enum plan_value_kind kind;
	const char *name; // "ip.ttl", "tcp.dstport#2", a filter's canonical text
	uint32_t index;
	const struct field *field;
	uint8_t occurrence;
	struct filter *filter;
	LIST(struct plan_value *) needs;           // computed before it
	LIST(struct plan_node *) readers, writers; // nodes; writers: who assigns a carried one
	struct plan_layer *layer;                  // of a field
	uint16_t size;                             // of one value; 0: a mask

	uint32_t valid;         // mask: on which slots it is known
	uint32_t has, at;       // presence, values
	bool spans_pass;        // its column is nobody else's
	bool is_spilled;        // goes into the control block
	uint32_t first, last;   // nodes between which its column lives
	struct decode_extract extract;
	struct filter_program *program;
};

struct plan_layer {
	enum protocol protocol;
	uint8_t occurrence;
	bool needs_end;
	struct decode_layer place;
};

struct plan_output {
	const char *name;
	struct plan_node *to; // NULL: open, what leaves here is dropped under the output's name
	bool again;           // `to` does not come later in the pass: the packet enters the next one
	bool is_optional;
	struct place at;
};

// A handler of an element, with what decides when it is called.
struct plan_handler {
	const struct weir_on *on;
	struct plan_signal *signal;
	struct plan_value *filter;    // on packet fields; NULL: none
	struct filter *payload_filter; // on the payload; NULL: none
	struct filter_program *payload_program;
	unsigned rank, of_rank; // of_rank: how many follow of its rank, itself included
	uint32_t number;        // of all in the plan
};

// An observer's interest in a signal.
struct plan_watch {
	struct plan_observer *observer;
	struct filter *filter; // NULL: all of them
	struct filter_program *program;
};

// Somebody wants the bytes of connections of which this may hold.
struct plan_want {
	uint32_t bit; // by flow_bit; 0: observers
	struct filter *filter;
	struct filter_program *program;
};

struct plan_observer {
	const struct plan_element *element;
	LIST(struct plan_value *) fields; // shown beside the payload
	unsigned watch_count, number;
};

struct plan_steps {
	LIST(struct plan_value *) list;
};

// `on BASE where FILTER` of definitions in the graph: what is met is raised under the names that they give it, once for
// all that are defined alike.
struct plan_derivation {
	struct plan_signal *base;
	struct filter *where;     // canonical; NULL: whenever the base is raised
	struct plan_handler test; // the same, as it is found out
	struct plan_steps steps;  // what the test reads, in the order in which it is computed
	LIST(struct plan_signal *) signals; // that somebody hears
	LIST(struct plan_gathering *) gatherings; // that somebody hears of
	uint32_t index;
};

// A field as an aggregate takes it: a part of the base's payload, else a field of its packet.
struct plan_source {
	const char *name;
	const struct field *part, *field; // one of them; part: as filter_part_field has it
	struct plan_value *value;         // of the packet's field
	enum weir_type type;
	uint32_t size;              // in a key
	uint32_t key_at, payload_at; // in a key; in the payload of what is told
};

// `count`, `sum FIELD`, `distinct FIELD`, `by FIELDS over T`: what is gathered of a derivation, once for all that are
// told of it.
struct plan_gathering {
	struct plan_derivation *derivation;
	enum graph_aggregate what; // count, sum or distinct
	struct plan_source *field; // NULL: count
	LIST(struct plan_source) by;
	struct plan_steps steps;   // what they read of packets
	LIST(struct plan_telling *) tellings; // that somebody hears
	uint64_t over_ns;                     // 0: as long as it runs
	uint32_t key_size, rows, index;
	const char *text;   // the same in two plans: the same is gathered
	bool is_together;   // all events of a key come to one worker
};

// `top N`, `above N`: what of it is told.
struct plan_telling {
	struct plan_gathering *gathering;
	uint32_t top; // 0: all
	uint64_t above;
	bool has_above;
	bool is_at_once; // as soon as it is exceeded, not when the window ends
	LIST(struct plan_signal *) signals; // that somebody hears; of one payload
	uint32_t index; // in its gathering
	uint32_t value_at, error_at, start_at, duration_at, place_at; // in the payload; place_at 0: it has none
	uint32_t texts_at; // what texts of the key point at
};

// An event type that somebody in this graph may raise and somebody hears.
struct plan_signal {
	const struct weir_event_type *type;
	uint32_t index;
	struct plan_value *mask; // slots on which it rides; NULL: it does not ride
	unsigned rank; // in what order those of one packet are told
	bool has_payload, rides;
	bool is_of_flow; // the tracker raises it
	bool is_of_stream; // likewise, of bytes
	bool travels; // its payload goes along when the packet leaves the vector
	LIST(struct plan_element *) raisers; // empty: the platform raises it
	LIST(struct plan_handler *) handlers;
	LIST(struct plan_watch) watches;
	struct plan_derivation *derivation;          // the graph defines it so; NULL: it does not
	struct plan_telling *telling;                // likewise
	LIST(struct plan_derivation *) derivations; // of it that somebody hears
};

struct plan_node {
	struct plan_element *element;
	uint32_t input, order;
	LIST(struct plan_element *) fronts; // those that lead here
	LIST(struct plan_value *) steps; // to be computed in front of it, in this order
	LIST(struct plan_value *) reads; // as declared
	LIST(struct plan_value *) gives; // presence is set for all its packets behind it
	LIST(struct plan_value *) voids; // no longer known behind it
	uint64_t paths;                  // outputs that it leads to
	bool is_entered; // packets come here from outside of the pass: sources, queues, releases, other workers
	uint16_t place;  // stable number of (element's name, input) over all generations
};

struct tracker_element;
struct plan_element {
	const char *name;
	uint32_t index;
	const struct weir_class *class;
	const struct module *module;
	const struct graph_element *syntax; // of one that the planner has put in: where that is wanted
	const char *inserted_because; // NULL: the graph has it; else its n-th input leads to its n-th output alone
	void *prototype; // its struct after `start`, copied for each worker
	struct place *places; // of its settings' values, by index of member
	unsigned input_count, output_count;
	LIST(struct plan_node *) nodes; // by input
	struct plan_output *outputs;
	LIST(struct plan_handler *) handlers; // by rank
	LIST(struct plan_value *) values;     // by index of member, NULL where it is none
	struct plan_element *feeder;          // of a taker with an input: the queue that it takes from
	const char *by;
	unsigned home;        // worker that all its packets go to; PLAN_NOWHERE: any
	bool holds;           // packets leave their vector here
	bool is_fed_by_taker; // a queue that somebody takes from
	uint8_t flow_bit;     // from 1: among those that flows know of; 0: it hears nothing of flows
};

enum plan_steer { STEER_FLOW, STEER_SOURCE, STEER_DESTINATION, STEER_ETHER_SOURCE, STEER_ONE };

struct plan {
	struct arena *arena;
	struct arena *text; // of its graph, where that is the plan's to free; NULL
	const struct graph *graph;
	struct diag *diag;
	const struct library *library;
	unsigned workers;
	LIST(struct plan_element *) elements;
	LIST(struct plan_node *) nodes; // in order
	LIST(struct plan_value *) values;
	LIST(struct plan_layer *) layers;
	LIST(struct plan_signal *) signals;
	LIST(struct plan_observer *) observers;
	uint32_t handler_count;
	LIST(struct plan_derivation *) derivations; // each behind its base
	LIST(struct plan_gathering *) gatherings;   // likewise; those that are heard of have tellings
	LIST(struct plan_signal *) derived_from;    // signals without a payload of which something is derived, likewise
	LIST(struct field *) carried; // fields that modules provide
	struct plan_value *places;
	struct plan_value *flow;    // NULL: nobody needs to know of flows
	LIST(struct plan_value *) flow_fields; // that somebody reads
	uint32_t flow_state_size;   // what is kept per flow, the platform's part in front; 0: nothing
	bool keeps_history;         // of TCP connections, for who logs how flows end
	bool keeps_streams;         // somebody hears their bytes, gaps, or ends
	bool are_streams_observed;  // by who never has enough of a flow
	bool remembers_streams; // somebody reads again what was told, or wants to know whether what
				// comes again differs
	uint32_t stream_bits;       // by flow_bit: the elements that hear of them
	LIST(struct plan_want) wants; // of those who do not want the bytes of every connection,
	uint32_t choosy_bits;         // which are these,
	bool are_watches_choosy;      // and are all observers of bytes among them?
	const struct plan_element *tracker; // the FlowTracker, put in where flows are tracked and the graph has none
	const struct tracker_element *tracking; // its struct: how flows are tracked
	struct plan_value *luggage; // NULL: no handler hears an event that rides and has a payload
	struct decode_locate *locate;
	struct decode_facts facts;
	uint32_t masks_size;  // from VECTOR_MASKS on: cleared at the start of a pass
	uint32_t vector_size; // in bytes
	struct layout layout;
	enum plan_steer steer;
	const struct plan_element *steer_forced_by;
	const char *steer_because; // an aggregate wants it so; NULL
	unsigned generation;
};

struct plan_wish {
	unsigned workers;
};

// NULL, with errors in diag, if the graph cannot be run. The plan lives until plan_destroy; the graph and the diag's
// arena must live as long.
struct plan *plan_create(const struct graph *graph, const struct library *library, const struct plan_wish *wish,
			 struct diag *diag);
void plan_destroy(struct plan *plan);
// Builds route tables and rule sets, which need the platform. -errno, and whose they are.
int plan_build_tables(struct plan *plan, const struct plan_element **failed);

// For people: elements in order, what was inserted and why, reads and writes, columns and control block in bytes,
// steering. `--dot` draws it.
void plan_explain(const struct plan *plan, FILE *to);
void plan_dot(const struct plan *plan, FILE *to);

// What of a module can be resolved without a graph and without running its code. 0, or -1 after messages.
int plan_check_module(const struct library *library, const struct module *module, struct diag *diag);

// Does anybody hear it?
static inline bool plan_is_heard(const struct plan_signal *signal)
{
	return signal->handlers.count || signal->watches.count || signal->derivations.count;
}

// What code raises so that this is raised with it.
static inline const struct plan_signal *plan_root(const struct plan_signal *signal)
{
	while (signal->derivation)
		signal = signal->derivation->base;
	return signal;
}

const struct plan_element *plan_find(const struct plan *plan, const char *name);

#endif
