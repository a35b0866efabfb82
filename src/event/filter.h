// SPDX-License-Identifier: Apache-2.0
// Filters: conditions on packets and events, in the language of Wireshark's display filters (lang/filter_parse.h makes
// them from text). A filter is an immutable tree in canonical form, in the arena that it was parsed with. The planner
// asks it for its operands, gives each of them a place in the vector, and binds it: the program that comes of it
// turns a mask of slots into the mask of those that match.
#ifndef EVENT_FILTER_H
#define EVENT_FILTER_H

#include "lib/arena.h"
#include "packet/vector.h"

#include <stdio.h>

struct filter;

// ---- what a filter reads

enum filter_operand_kind {
	FILTER_VALUE, // the field's column (or mask) and presence; of a FIELD_PROTOCOL the presence alone
	FILTER_PLACE, // where the header of field->protocol begins and ends: its bytes are looked at; of FIELD_PROTOCOL
};

// Of a derived field: occurrence 1 to DECODE_LAYERS, DECODE_LAST, or FILTER_ANY: each of 1 to DECODE_OCCURRENCES.
// What is not of headers (carried fields, the flow's, the event's) has the one occurrence DECODE_OUTER.
enum { FILTER_ANY = 254 };
struct filter_operand {
	const struct field *field; // never one with any_of: an alias comes as the fields that it stands for
	enum filter_operand_kind kind;
	uint8_t occurrence;
};

// Each operand once. Those of events (FIELD_OF_EVENT) are among them: they need no place.
unsigned filter_operand_count(const struct filter *filter);
const struct filter_operand *filter_operand_at(const struct filter *filter, unsigned index);

// ---- same or not; for people

bool filter_equal(const struct filter *a, const struct filter *b); // the same canonical form
uint64_t filter_hash(const struct filter *filter);
// Canonical text; the parser reads it back as an equal filter.
const char *filter_text(struct arena *arena, const struct filter *filter);
bool filter_is_always(const struct filter *filter); // holds for every packet: `Match()`

// What can be told from packets alone, and what needs the event's payload (and may read packets too): `filter` holds
// where both do. NULL: there is no such part.
struct filter_parts {
	struct filter *packet, *payload;
};
struct filter_parts filter_split(struct arena *arena, const struct filter *filter);

// What is left of it when only some of its fields are known: a filter that holds wherever this one may; NULL: anywhere.
typedef bool filter_is_known(const struct filter_operand *operand);
struct filter *filter_weaken(struct arena *arena, const struct filter *filter, filter_is_known *is_known);
// Both hold; NULL holds anywhere.
struct filter *filter_both(struct arena *arena, struct filter *a, struct filter *b);

// ---- on vectors

// Offsets from the vector's start. A value: has and at (a FIELD_BOOL's is a mask, too); a place: has, base, end.
struct filter_place {
	uint32_t has, at, base, end;
};
// Called for every operand but the event's, and for each of its occurrences. False: no packet has it.
typedef bool filter_bind_place(void *context, const struct filter_operand *operand, uint8_t occurrence,
			       struct filter_place *place);

struct filter_program;

// The program lives in the arena; it is only read when it runs, by any number of workers. `bind` may be NULL: then no
// packet has anything.
struct filter_program *filter_bind(struct arena *arena, const struct filter *filter, filter_bind_place *bind,
				   void *context);

// Those of `in` that match. Nothing is read of other slots' values but to be thrown away.
weir_mask filter_run(const struct filter_program *program, struct vector *vector, weir_mask in);

// ---- on one event

// One value of a field or payload part, as operands of comparisons are.
struct filter_value {
	enum field_type type; // tells which of these it is
	uint64_t number;      // bool, number, IPv4, Ethernet, time: as in a column
	uint8_t addr[16];     // IPv6; IPv4 as ::ffff:a.b.c.d in parts of payloads
	const uint8_t *bytes; // bytes, strings, protocols
	uint32_t length;
};

// The index-th value of a part (most have one); false: there is no such. Asked for FIELD_OF_EVENT
// fields; where an event rides on nothing, for fields of packets too: some can be told of its flow.
typedef bool filter_part_lookup(void *context, const struct field *field, unsigned index, struct filter_value *value);

// Does it hold for this event, which rides on `slot` of `vector`? vector NULL: it rides on nothing, and no field of a
// packet is there. A program without payload parts needs no lookup.
bool filter_event(const struct filter_program *program, struct vector *vector, unsigned slot,
		  filter_part_lookup *lookup, void *context);

// The lookup for payloads as modules declare them: context is a struct filter_payload, and the fields are those that
// filter_part_field made (of an event type, `compute` is the index of its part).
struct filter_payload {
	const struct weir_event_type *type;
	const void *payload;
};
struct field filter_part_field(const struct weir_event_type *type, unsigned part);
bool filter_part_is_there(const struct weir_part *part, const void *at);
bool filter_payload_part(void *payload, const struct field *field, unsigned index, struct filter_value *value);

#endif
