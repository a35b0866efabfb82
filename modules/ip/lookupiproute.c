// SPDX-License-Identifier: Apache-2.0
// LookupIPRoute - chooses the output by the longest prefix of the destination, and tells the next hop
#include "ip.h"
#include "route.h"

struct lookupiproute {
	struct weir_texts routes;
	const char *file;
	struct weir_routes *table;
	struct hops hops;
	WEIR_COLUMN(uint32_t) destination;
	WEIR_COLUMN(uint32_t) next_hop;
	weir_counter no_route;
};

// All slots of `same` take one route: the usual case, of whole vectors even.
static void leave_alike(struct weir_vector *v, weir_mask same, const struct hop *hop,
	const uint32_t *destination, uint32_t *next_hop)
{
	uint32_t gateway = weir_ip4(&hop->gateway);

	if (hop->is_direct)
		weir_write(v, same, i, next_hop[i] = destination[i]);
	else
		weir_write(v, same, i, next_hop[i] = gateway);
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct lookupiproute *self = weir_self(call);
	const uint32_t *destination = weir_column(v, self->destination);
	uint32_t *next_hop = weir_column(v, self->next_hop);
	weir_mask ip = in & weir_has(v, self->destination), none = in & ~ip, same;
	const struct hop *hops = self->hops.at;
	uint32_t route[WEIR_VECTOR], first;

	if (ip) {
		weir_routes_find4(self->table, destination, ip, route);
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
		next_hop[i] = hop->is_direct ? destination[i] : weir_ip4(&hop->gateway);
		out[hop->output] |= (weir_mask)1 << i;
	}
	weir_drop(call, none, &self->no_route);
}

static int start(struct weir_start *start, void *at)
{
	struct lookupiproute *self = at;

	return route_read(start, self->table, &self->hops, &self->routes, self->file, true);
}

WEIR_CLASS(LookupIPRoute, lookupiproute,
	.about = "chooses the output by the longest prefix of the destination, and tells the next hop",
	.by = WEIR_ANY,
	WEIR_MEMBERS(
		WEIR_SETTING(lookupiproute, routes, "", .rest = true, .about = "routes: PREFIX [GATEWAY] OUTPUT"),
		WEIR_SETTING(lookupiproute, file, "", .about = "a file with more of them, one a line"),
		WEIR_ROUTES(lookupiproute, table),
		WEIR_READS(lookupiproute, destination, "ip.dst"),
		WEIR_PROVIDES(lookupiproute, next_hop, "weir.next_hop"),
		WEIR_DROPS(lookupiproute, no_route, .about = "packets that no route fits")),
	.many_outputs = true,
	.start = start,
	.process = process);
