// SPDX-License-Identifier: Apache-2.0
// LookupIP6Route - chooses the output by the longest prefix of the destination, and tells the next hop
#include "ip.h"
#include "route.h"

struct lookupip6route {
	struct weir_texts routes;
	const char *file;
	struct weir_routes *table;
	struct hops hops;
	WEIR_COLUMN(struct weir_addr) destination;
	WEIR_COLUMN(struct weir_addr) next_hop;
	weir_counter no_route;
};

// All slots of `same` take one route: the usual case, of whole vectors even.
static void leave_alike(struct weir_vector *v, weir_mask same, const struct hop *hop,
	const struct weir_addr *destination, struct weir_addr *next_hop)
{
	struct weir_addr gateway = hop->gateway;

	if (hop->is_direct)
		weir_write(v, same, i, next_hop[i] = destination[i]);
	else
		weir_write(v, same, i, next_hop[i] = gateway);
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct lookupip6route *self = weir_self(call);
	const struct weir_addr *destination = weir_column(v, self->destination);
	struct weir_addr *next_hop = weir_column(v, self->next_hop);
	weir_mask ip = in & weir_has(v, self->destination), none = in & ~ip, same;
	const struct hop *hops = self->hops.at;
	uint32_t route[WEIR_VECTOR], first;

	if (ip) {
		weir_routes_find6(self->table, destination, ip, route);
		first = route[__builtin_ctzll(ip)];
		same = ip & weir_where(i, route[i] == first);
		ip &= ~same;
		if (first == WEIR_NO_ROUTE) {
			none |= same;
		} else {
			leave_alike(v, same, &hops[first], destination, next_hop);
			out[hops[first].output] |= same;
		}
	}
	weir_each (i, ip) {
		const struct hop *hop;

		if (route[i] == WEIR_NO_ROUTE) {
			none |= (weir_mask)1 << i;
			continue;
		}
		hop = &hops[route[i]];
		next_hop[i] = hop->is_direct ? destination[i] : hop->gateway;
		out[hop->output] |= (weir_mask)1 << i;
	}
	weir_drop(call, none, &self->no_route);
}

static int start(struct weir_start *start, void *at)
{
	struct lookupip6route *self = at;

	return route_read(start, self->table, &self->hops, &self->routes, self->file, false);
}

WEIR_CLASS(LookupIP6Route, lookupip6route,
	.about = "chooses the output by the longest prefix of the destination, and tells the next hop",
	.by = WEIR_ANY,
	WEIR_MEMBERS(
		WEIR_SETTING(lookupip6route, routes, "", .rest = true, .about = "routes: PREFIX [GATEWAY] OUTPUT"),
		WEIR_SETTING(lookupip6route, file, "", .about = "a file with more of them, one a line"),
		WEIR_ROUTES(lookupip6route, table),
		WEIR_READS(lookupip6route, destination, "ipv6.dst"),
		WEIR_PROVIDES(lookupip6route, next_hop, "weir.next_hop6"),
		WEIR_DROPS(lookupip6route, no_route, .about = "packets that no route fits")),
	.many_outputs = true,
	.start = start,
	.process = process);
