// SPDX-License-Identifier: Apache-2.0
// What routes are after they were built: per family a handful that are compared one by one, or
// DPDK's FIB.
#ifndef LOOKUP_ROUTES_INSIDE_H
#define LOOKUP_ROUTES_INSIDE_H

#include "lookup/heap.h"
#include "lookup/routes.h"

#include <rte_fib.h>
#include <rte_fib6.h>

enum { ROUTES_FEW = 8 };

// In order of length, so that the last that fits is the longest.
struct routes_few4 {
	uint32_t count;
	uint32_t net[ROUTES_FEW], mask[ROUTES_FEW], value[ROUTES_FEW];
};
struct routes_few6 {
	uint32_t count;
	uint64_t net[ROUTES_FEW][2], mask[ROUTES_FEW][2]; // as in memory
	uint32_t value[ROUTES_FEW];
};

typedef void routes_find_few4(
	const struct routes_few4 *few, const uint32_t *address, weir_mask in, uint32_t *value);

struct weir_routes {
	struct rte_fib *fib4;
	struct rte_fib6 *fib6;
	routes_find_few4 *find_few4; // the variant for this machine
	struct routes_few4 few4;
	struct routes_few6 few6;
	struct weir_table *prefixes; // while they are added: prefix -> value
	uint32_t count[2];           // of IPv4, IPv6
	uint32_t none[2];            // what the FIB says where there is no route
	bool is_built;
	struct heap heap[2];
};

routes_find_few4 *routes_few4_variant(void);

#endif
