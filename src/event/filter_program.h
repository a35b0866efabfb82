// SPDX-License-Identifier: Apache-2.0
// A filter bound to a plan's vectors. Inside this folder only.
#ifndef EVENT_FILTER_PROGRAM_H
#define EVENT_FILTER_PROGRAM_H

#include "event/filter_column.h"

enum {
	FILTER_FEW = 4,     // slots: fewer than these are looked at one by one
	FILTER_RANGES_TRIED = 4, // ranges: more than these are searched, or looked up in a bitmap
	FILTER_VALUES = 64, // of one operand of a relation; what is beyond is not looked at
	FILTER_PARTS = 64,  // values of one part of a payload
};

// One column (or mask, or place) of a field.
struct filter_column {
	const struct field *field;
	enum filter_operand_kind kind;
	uint8_t size;
	uint32_t has, at, base, end;
};

struct filter_bound {
	const struct filter_reference *reference;
	const struct filter_column *columns; // none where a packet never has it, and of payload parts
	unsigned count;
};

struct filter_step;
typedef weir_mask filter_step_run(const struct filter_step *step, struct vector *vector, weir_mask in);

// The shape of a node, with terms that know their columns. Of `and` and `or` the cheap ones come first.
struct filter_step {
	filter_step_run *run;
	const struct filter_node *node;
	unsigned count;
	const struct filter_step **steps;
	struct filter_bound bound;              // exists, ranges
	const uint64_t *bitmap;                 // of all numbers of 1 or 2 bytes; NULL: search the ranges
	const struct filter_term *left, *right; // relations
	const struct filter_term **items;
	bool is_searchable; // items are single constants, sorted
};

struct filter_program {
	const struct filter_step *root;
};

// What the values of a relation are taken from: a slot of a vector, an event's payload, or both.
struct filter_scene {
	struct vector *vector;
	unsigned slot;
	filter_part_lookup *lookup;
	void *context;
	uint8_t scratch[4096]; // for bytes that are made: joined slices, text of numbers
	uint32_t used;
	uint32_t joined; // of the worker's own room for chained packets
};

struct filter_values {
	unsigned count;
	struct filter_datum at[FILTER_VALUES];
};

// filter_run.c
filter_step_run filter_run_constant, filter_run_exists, filter_run_ranges, filter_run_relation, filter_run_not,
	filter_run_and, filter_run_or;
bool filter_has_number(const struct filter_step *step, filter_wide number); // ranges: is it in one of them

// filter_relation.c
bool filter_relation_holds(const struct filter_step *step, struct filter_scene *scene);

// filter_value.c
void filter_term_values(const struct filter_term *term, struct filter_scene *scene, struct filter_values *values);
void filter_bound_values(const struct filter_bound *bound, struct filter_scene *scene, struct filter_values *values);

// filter_bytes.c
// So much of a packet in one piece; NULL: it is not there.
const uint8_t *filter_packet_bytes(struct filter_scene *scene, uint32_t offset, uint32_t length);
// How long a header is that begins at offset, of at most `most` bytes: Wireshark's idea of a protocol's bytes.
uint32_t filter_header_length(struct filter_scene *scene, enum protocol protocol, uint32_t offset, uint32_t most);
bool filter_pattern_matches(const void *pattern, const uint8_t *bytes, uint32_t length);
uint8_t *filter_scratch(struct filter_scene *scene, uint32_t length); // NULL: it is used up

#endif
