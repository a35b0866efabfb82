// SPDX-License-Identifier: Apache-2.0
// Routes as they are written in a graph or in a file: PREFIX [GATEWAY] OUTPUT.
#ifndef ROUTE_H
#define ROUTE_H

#include <weir.h>

struct hop { // what a route's value stands for
	struct weir_addr gateway;
	uint32_t output;
	bool is_direct; // the destination itself is the next hop
};

struct hops {
	struct hop *at;
	uint32_t count, outputs;
};

// Reads the arguments and, unless "", a file with one route a line (# comments) into the table. 0
// or weir_refuse's value.
int route_read(struct weir_start *start, struct weir_routes *routes, struct hops *hops,
	const struct weir_texts *arguments, const char *file, bool is_ip4);

#endif
