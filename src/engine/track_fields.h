// SPDX-License-Identifier: Apache-2.0
// What changes of a flow, as fields.
#ifndef ENGINE_TRACK_FIELDS_H
#define ENGINE_TRACK_FIELDS_H

#include "packet/field.h"

#include <assert.h>
#include <weir.h>

struct worker;

union track_datum { // as it stands in a column
	uint64_t number;
	const char *text; // of a FIELD_STRING
};
static_assert(sizeof(union track_datum) == 8);

// A FIELD_OF_FLOW, as it is now; false: this flow has none.
bool track_field(const struct weir_flow *flow, const struct field *field, union track_datum *datum);
// Those that somebody reads, of the flow of a slot.
void track_write_fields(struct worker *worker, unsigned slot);

#endif
