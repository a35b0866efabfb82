// SPDX-License-Identifier: Apache-2.0
// A vector: up to 64 packets of one worker. Its visible head (weir.h) is followed by the values of
// its plan: columns, presence masks and places of headers, each at an offset from the vector's
// start that the planner chose. Offset 0 means "nobody asked". The masks come first (VECTOR_MASKS
// on), so that one memset clears them at the start of a pass.
//
//	| weir_vector | odd | masks ... | columns ...                    |
//	0             ^     ^VECTOR_MASKS
#ifndef PACKET_VECTOR_H
#define PACKET_VECTOR_H

#include "packet/field.h"

#include <weir.h>

struct vector {
	struct weir_vector head;
	weir_mask odd;     // slots whose first header is not Ethernet; link says which
	weir_mask chained; // slots whose packet lies in several buffers
	uint8_t link[WEIR_VECTOR];     // enum protocol of the first header; only of odd slots
	uint16_t zero[WEIR_VECTOR];    // stays zero: the place of the header that a frame begins with
	_Alignas(64) char values[];
};

enum { VECTOR_MASKS = offsetof(struct vector, values) };

static inline weir_mask *vector_mask(struct vector *vector, uint32_t at)
{
	return (weir_mask *)((char *)vector + at);
}
static inline void *vector_column(struct vector *vector, uint32_t at)
{
	return (char *)vector + at;
}

#endif
