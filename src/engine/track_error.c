// SPDX-License-Identifier: Apache-2.0
// ICMP errors tell of the flow whose packet they quote, and are no packets of it.
#include "engine/track_tcp.h"

#include "engine/worker.h"
#include "packet/ends.h"

#include <netinet/in.h>

static struct weir_addr address_of(const uint8_t *bytes, unsigned size)
{
	struct weir_addr addr;

	if (size == 4)
		return weir_addr4(weir_be32(bytes));
	memcpy(addr.bytes, bytes, sizeof(addr.bytes));
	return addr;
}

static struct flow_ports ports_of(const struct ends *ends)
{
	if (ends->protocol == IPPROTO_ICMP || ends->protocol == IPPROTO_ICMPV6)
		return flow_icmp_ports(ends->protocol == IPPROTO_ICMPV6, ends->transport[0], ends->transport[1],
			weir_be16(ends->transport + 4));
	return (struct flow_ports){ ends->source_port, ends->destination_port };
}

struct flow_found track_quoted(
	struct worker *worker, unsigned slot, const uint8_t *icmp, const uint8_t *end, bool is_ipv6)
{
	struct tracker *tracker = worker->tracker;
	struct flow_found found = { 0 };
	struct flow_ports ports;
	struct ends ends;

	if (!ends_read_quoted(&ends, icmp, end, is_ipv6))
		return found;
	ports = ports_of(&ends);
	found = flow_find_key(tracker->tables[is_ipv6],
		&(struct flow_key){ .src = address_of(ends.source, ends.size),
			.dst = address_of(ends.destination, ends.size),
			.src_port = ports.src,
			.dst_port = ports.dst,
			.vlan = tracker->vlan[slot],
			.protocol = ends.protocol,
			.tunnel = tracker->tunnel[slot] },
		worker->vector->head.time_ns[slot]);
	found.from_server = !found.from_server; // it comes from the other side
	return found;
}
