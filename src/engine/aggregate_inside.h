// SPDX-License-Identifier: Apache-2.0
// What gathers, closes and tells share.
#ifndef ENGINE_AGGREGATE_INSIDE_H
#define ENGINE_AGGREGATE_INSIDE_H

#include "engine/aggregate.h"
#include "event/aggregate.h"
#include "lib/hash.h"

enum table_state { TABLE_FREE, TABLE_CLOSED, TABLE_TAKEN };

struct window {
	uint64_t number;            // of those since 1970; 0 where there is but one
	uint64_t first_ns, last_ns; // of what is in it
};

// Of one gathering on one worker.
struct gathered {
	_Alignas(64) const struct plan_gathering *plan;
	struct aggregate *open, *spare; // spare: NULL while it waits or is told
	struct window window;           // of the open one, where it has a row
	const struct gathered *below; // whose windows are its events; NULL: it has others
	struct closing *closing;      // the gathering's
	bool is_waiting;              // its window is over, and no table is free

	_Alignas(64) uint64_t passed; // all windows before it are closed here; the first worker reads
	uint32_t state;               // of `closed`
	struct aggregate *closed;
	struct window closed_window;
};

enum closing_stage { CLOSING_NOTHING, CLOSING_JOINS, CLOSING_TELLS };

struct place_of_top {
	uint64_t value;
	uint32_t row;
};

// Of one gathering: the window that is being told.
struct closing {
	enum closing_stage stage;
	struct window window;
	uint64_t taken; // workers whose table is in it
	struct aggregate *joined, *result;
	struct aggregate_join join;
	unsigned worker, telling; // that it has come to
	uint32_t row;
	struct place_of_top *top; // a heap, the least in front
	uint32_t top_count;
	uint64_t told_ns; // all windows that end before it have been told
};

struct aggregates {
	uint32_t count;
	struct gathered *of[PLAN_WORKERS]; // by worker, then by gathering
	struct closing *closings;
	unsigned finished; // workers
};

// Of the value of a field, as bytes: what tells it apart.
static inline uint64_t gathered_hash(const char *bytes, uint32_t size)
{
	static const struct hash_key secret = { { 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93, 0xa0761d6478bd642f,
		0xe7037ed1a0b428db } };

	return hash(&secret, bytes, size);
}

static inline uint64_t window_at(const struct plan_gathering *plan, uint64_t ns)
{
	return plan->over_ns ? ns / plan->over_ns : 0;
}

// aggregate_key.c: the key of an event, in the worker's vector or with a payload; false: it has none.
struct gathered_event {
	struct worker *worker;
	const struct event_record *record; // NULL: it has no payload
	const struct weir_event_type *type;
	unsigned slot; // WEIR_VECTOR: it rides on no packet
};
bool gathered_key(const struct gathered_event *event, const struct plan_gathering *plan, char *key);
bool gathered_number(const struct gathered_event *event, const struct plan_source *source, uint64_t *number);
bool gathered_bytes(const struct gathered_event *event, const struct plan_source *source, char *bytes);
void gathered_tell_key(const struct plan_telling *telling, const char *key, char *payload);

// aggregate_tell.c
void gathered_tell(struct worker *worker, const struct plan_telling *telling, const struct aggregate *aggregate,
	uint32_t row, const struct window *window, uint32_t place, uint64_t at_ns);
// Goes on with what is to be told of a window, of about so many rows; true: that was all.
bool closing_tell(struct worker *worker, struct closing *closing, const struct plan_gathering *plan, uint32_t *most);

// aggregate.c: the window is over; false: no table is free
bool gathered_close(struct gathered *gathered);

#endif
