// SPDX-License-Identifier: Apache-2.0
// Plain memory for DPDK's look-up structures: a heap of DPDK's own over pages that are taken only
// as they are written. So what routes and rules need does not have to be known, nor set aside, when
// the platform starts.
#ifndef LOOKUP_HEAP_H
#define LOOKUP_HEAP_H

#include <stddef.h>

struct heap {
	void *at; // NULL: there is none; `socket` then says "anywhere"
	size_t size;
	int socket; // to be given to DPDK where it asks for one
	char name[24];
};

// At least so many bytes can be had from it. Where DPDK takes no more heaps, its own memory serves.
void heap_create(struct heap *heap, size_t bytes);
void heap_destroy(struct heap *heap); // whatever was taken has been given back
unsigned heap_number(void);           // for unique names

#endif
