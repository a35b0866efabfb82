// SPDX-License-Identifier: Apache-2.0
#include "engine/track.h"

#include "engine/track_tcp.h"
#include "engine/worker.h"
#include "plan/platform.h"

#include <stdlib.h>

enum { ICMP = 1, TCP = 6, UDP = 17, ICMPV6 = 58, SCTP = 132, UDPLITE = 136 };

// ---- keys

static const uint8_t *at_place(const struct worker *worker, uint32_t column, unsigned slot)
{
	return worker->vector->head.data[slot] + ((const uint16_t *)vector_column(worker->vector, column))[slot];
}

static bool is_icmp(uint8_t protocol)
{
	return protocol == ICMP || protocol == ICMPV6;
}

static void set_ports(struct tracker *tracker, unsigned slot, const uint8_t *transport, uint8_t protocol)
{
	struct flow_ports icmp;

	if (is_icmp(protocol)) {
		icmp = flow_icmp_ports(protocol == ICMPV6, transport[0], transport[1], weir_be16(transport + 4));
		tracker->src_port[slot] = icmp.src;
		tracker->dst_port[slot] = icmp.dst;
		return;
	}
	tracker->src_port[slot] = weir_be16(transport);
	tracker->dst_port[slot] = weir_be16(transport + 2);
}

static void set_key(struct worker *worker, unsigned slot, bool is_ipv6, bool has_transport)
{
	const struct decode_inner *inner = &worker->generation->plan->facts.inner;
	const uint8_t *network = at_place(worker, inner->network, slot);
	struct tracker *tracker = worker->tracker;

	tracker->protocol[slot] = ((const uint8_t *)vector_column(worker->vector, inner->protocol))[slot];
	if (is_ipv6) {
		memcpy(&tracker->src6[slot], network + 8, 16);
		memcpy(&tracker->dst6[slot], network + 24, 16);
	} else {
		tracker->src4[slot] = weir_be32(network + 12);
		tracker->dst4[slot] = weir_be32(network + 16);
	}
	tracker->src_port[slot] = tracker->dst_port[slot] = 0;
	if (has_transport)
		set_ports(tracker, slot, at_place(worker, inner->transport, slot), tracker->protocol[slot]);
}

// A transport protocol whose header is cut has no ports, and a fragment but the first has none: no flow is known.
static weir_mask keyed(const struct worker *worker, weir_mask todo)
{
	const struct decode_inner *inner = &worker->generation->plan->facts.inner;
	const uint8_t *protocol = vector_column(worker->vector, inner->protocol);
	weir_mask has_transport = *vector_mask(worker->vector, inner->has_transport);
	weir_mask any = todo & (*vector_mask(worker->vector, inner->has4) | *vector_mask(worker->vector, inner->has6));

	weir_each (i, any & ~has_transport)
		if (protocol[i] == TCP || protocol[i] == UDP || protocol[i] == SCTP || protocol[i] == UDPLITE ||
			is_icmp(protocol[i]))
			any &= ~((weir_mask)1 << i);
	return any & ~*vector_mask(worker->vector, inner->is_fragment);
}

static void seek(struct worker *worker, weir_mask mask, bool is_ipv6)
{
	struct tracker *tracker = worker->tracker;

	if (!mask)
		return;
	flow_keys(tracker->tables[is_ipv6], &tracker->batches[is_ipv6], &tracker->columns[is_ipv6], mask);
	flow_seek(tracker->tables[is_ipv6], &tracker->batches[is_ipv6], mask, true);
}

// ---- one packet

static struct flow_life fresh_life(const struct worker *worker, uint8_t protocol)
{
	const struct tracker_element *set = worker->generation->plan->tracking;

	return protocol == TCP	    ? (struct flow_life){ set->half_open_s * 1000, FLOW_HALF_OPEN }
		: is_icmp(protocol) ? (struct flow_life){ set->icmp_s * 1000, FLOW_WANTED }
		: protocol == UDP   ? (struct flow_life){ set->udp_s * 1000, FLOW_WANTED }
				    : (struct flow_life){ set->other_s * 1000, FLOW_WANTED };
}

static void raise(struct worker *worker, unsigned slot, const struct weir_signal *signal)
{
	if (signal)
		weir_raise_each_(&worker->call, (weir_mask)1 << slot, signal);
}

static void begin_flow(struct worker *worker, unsigned slot, struct flow *flow)
{
	struct tracker *tracker = worker->tracker;

	flow->head.state_ = tracker->blocks ? flow_block_take(tracker->blocks) : NULL;
	if (tracker->protocol[slot] == TCP)
		tcp_start((struct tcp *)flow->tcp, true);
	raise(worker, slot, worker->generation->flow.started);
}

static struct flow_found find_flow(struct worker *worker, unsigned slot, bool is_ipv6)
{
	struct tracker *tracker = worker->tracker;
	struct flow_found found = flow_at(tracker->tables[is_ipv6], &tracker->batches[is_ipv6], slot,
		worker->vector->head.time_ns[slot], fresh_life(worker, tracker->protocol[slot]));

	if (found.is_new)
		begin_flow(worker, slot, found.flow);
	return found;
}

static uint32_t original_length(const struct worker *worker, unsigned slot)
{
	const struct packet_head *head = packet_head(packet_mbuf(worker->vector->head.packet[slot]));
	uint32_t length = worker->vector->head.length[slot];

	return head->original > length ? head->original : length;
}

// As the IP header has it: a capture may have cut the packet. 0: a packet that is longer than its header can tell.
static uint32_t datagram_length(const struct worker *worker, unsigned slot, uint16_t network, bool is_ipv6)
{
	const uint8_t *header = worker->vector->head.data[slot] + network;
	uint32_t length = weir_be16(header + (is_ipv6 ? 4 : 2));

	return length && is_ipv6 ? length + 40 : length;
}

static void read_segment(const struct worker *worker, unsigned slot, bool is_ipv6, struct track_segment *segment)
{
	const struct decode_inner *inner = &worker->generation->plan->facts.inner;
	uint16_t network = ((const uint16_t *)vector_column(worker->vector, inner->network))[slot];
	uint16_t transport = ((const uint16_t *)vector_column(worker->vector, inner->transport))[slot];
	uint8_t protocol = worker->tracker->protocol[slot];
	const uint8_t *header = worker->vector->head.data[slot] + transport;
	unsigned size = protocol == TCP ? (header[12] >> 4) * 4u : protocol == SCTP ? 12 : 8;
	uint32_t wire;

	segment->header = header;
	segment->header_size = size;
	segment->payload = transport + size;
	segment->end = ((const uint32_t *)vector_column(worker->vector, inner->end))[slot];
	if (!transport || segment->payload > segment->end)
		segment->payload = segment->end;
	wire = network + datagram_length(worker, slot, network, is_ipv6);
	if (wire < segment->end)
		wire = segment->end;
	segment->wire_payload = transport && wire > transport + size ? wire - transport - size : 0;
}

static void set_flow(struct worker *worker, unsigned slot, const struct flow_found *found)
{
	struct tracker *tracker = worker->tracker;
	weir_mask bit = (weir_mask)1 << slot;

	worker->vector->head.flow[slot] = &found->flow->head;
	tracker->back = (tracker->back & ~bit) | (weir_mask)found->from_server << slot;
	if (found->flow->head.done_ | found->flow->head.flags_)
		tracker->decided |= bit;
}

static void track_packet(struct worker *worker, unsigned slot, bool is_ipv6)
{
	struct flow_found found = find_flow(worker, slot, is_ipv6);
	struct track_segment segment;

	read_segment(worker, slot, is_ipv6, &segment);
	if (worker->tracker->protocol[slot] == TCP) {
		tcp_read(&segment.tcp, segment.header, segment.header_size, segment.wire_payload);
		while (!track_tcp(worker, slot, &found, &segment)) // another connection of the same ports
			found = find_flow(worker, slot, is_ipv6);
	}
	set_flow(worker, slot, &found);
	flow_count(found.flow, found.from_server, original_length(worker, slot), segment.wire_payload);
}

// A packet that was tracked in an earlier pass.
static void find_again(struct worker *worker, unsigned slot, bool is_ipv6)
{
	struct tracker *tracker = worker->tracker;
	struct flow_found found = flow_find(tracker->tables[is_ipv6], &tracker->batches[is_ipv6], slot,
		worker->vector->head.time_ns[slot]);

	if (found.flow)
		set_flow(worker, slot, &found);
}

void track(struct worker *worker, weir_mask todo)
{
	const struct plan *plan = worker->generation->plan;
	struct tracker *tracker = worker->tracker;
	weir_mask *known = vector_mask(worker->vector, plan->flow->has), again = *known & todo;
	weir_mask ipv6 = *vector_mask(worker->vector, plan->facts.inner.has6);
	weir_mask has_transport = *vector_mask(worker->vector, plan->facts.inner.has_transport);
	weir_mask mask = keyed(worker, todo);

	*known |= todo;
	weir_each (i, mask)
		set_key(worker, (unsigned)i, ipv6 >> i & 1, has_transport >> i & 1);
	seek(worker, mask & ~ipv6, false);
	seek(worker, mask & ipv6, true);
	weir_each (i, mask) {
		tracker->slot = (unsigned)i;
		if (again >> i & 1)
			find_again(worker, (unsigned)i, ipv6 >> i & 1);
		else
			track_packet(worker, (unsigned)i, ipv6 >> i & 1);
	}
	tracker->slot = WEIR_VECTOR;
}
