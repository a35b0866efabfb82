// SPDX-License-Identifier: Apache-2.0
#include "engine/track.h"

#include "engine/track_fields.h"
#include "engine/track_tcp.h"
#include "engine/worker.h"
#include "packet/ends.h"
#include "packet/protocol.h"
#include "plan/platform.h"

#include <netinet/in.h>
#include <stdlib.h>

enum { ETHERNET_TAGGED = 14 + 2 * 4 };

// ---- keys

// The columns of a vector that are looked at: the worker's, or that of datagrams that were put together.
struct lens {
	struct vector *vector;
	uint8_t *const *data;
	const uint16_t *network, *transport;
	const uint8_t *protocol;
	const uint32_t *end;
};

static struct lens lens_of(const struct plan *plan, struct vector *vector)
{
	const struct decode_inner *inner = &plan->facts.inner;

	return (struct lens){
		.vector = vector,
		.data = vector->head.data,
		.network = vector_column(vector, inner->network),
		.transport = vector_column(vector, inner->transport),
		.protocol = vector_column(vector, inner->protocol),
		.end = vector_column(vector, inner->end),
	};
}

// Where a packet is looked at.
struct sight {
	const struct lens *lens;
	unsigned at;
	bool is_ipv6;
	struct track_whole *whole; // NULL: it is in the packet itself
};

static bool is_icmp(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

static inline void set_ports(struct tracker *tracker, unsigned slot, const uint8_t *transport, uint8_t protocol)
{
	bool is_icmpv6 = protocol == IPPROTO_ICMPV6;
	struct flow_ports icmp;

	if (is_icmp(protocol)) {
		tracker->errors |= (weir_mask)ends_is_error(is_icmpv6, transport[0]) << slot;
		icmp = flow_icmp_ports(is_icmpv6, transport[0], transport[1], weir_be16(transport + 4));
		tracker->src_port[slot] = icmp.src;
		tracker->dst_port[slot] = icmp.dst;
		return;
	}
	tracker->src_port[slot] = weir_be16(transport);
	tracker->dst_port[slot] = weir_be16(transport + 2);
}

// What else tells flows apart, if the FlowTracker says so. What was put together is where its last fragment was, and
// has what is in it besides.
static void set_around(struct worker *worker, unsigned slot, const struct sight *sight)
{
	const struct decode_inner *inner = &worker->generation->plan->facts.inner;
	const uint16_t *vlan = vector_column(sight->lens->vector, inner->vlan);
	const uint32_t *tunnel = vector_column(sight->lens->vector, inner->tunnel);
	struct tracker *tracker = worker->tracker;

	if (inner->vlan && (!sight->whole || !tracker->vlan[slot]))
		tracker->vlan[slot] = vlan[sight->at];
	if (inner->tunnel && (!sight->whole || tunnel[sight->at]))
		tracker->tunnel[slot] = tunnel[sight->at];
}

static inline void set_key(struct tracker *tracker, unsigned slot, const struct lens *lens, unsigned at, bool is_ipv6,
	bool has_transport)
{
	const uint8_t *network = lens->data[at] + lens->network[at];
	uint8_t protocol = lens->protocol[at];

	tracker->protocol[slot] = protocol;
	if (is_ipv6) {
		memcpy(&tracker->src6[slot], network + 8, 16);
		memcpy(&tracker->dst6[slot], network + 24, 16);
	} else {
		tracker->src4[slot] = weir_be32(network + 12);
		tracker->dst4[slot] = weir_be32(network + 16);
	}
	tracker->src_port[slot] = tracker->dst_port[slot] = 0;
	if (has_transport)
		set_ports(tracker, slot, lens->data[at] + lens->transport[at], protocol);
}

static void set_keys(struct tracker *tracker, const struct lens *lens, weir_mask mask, weir_mask ipv6,
	weir_mask has_transport)
{
	weir_each (i, mask & ~ipv6 & has_transport)
		set_key(tracker, (unsigned)i, lens, (unsigned)i, false, true);
	weir_each (i, mask & (ipv6 | ~has_transport))
		set_key(tracker, (unsigned)i, lens, (unsigned)i, ipv6 >> i & 1, has_transport >> i & 1);
}

// A transport protocol whose header is cut has no ports: no flow is known. Fragments are seen to apart.
static weir_mask keyed(const struct plan *plan, struct vector *vector, weir_mask todo)
{
	const struct decode_inner *inner = &plan->facts.inner;
	const uint8_t *protocol = vector_column(vector, inner->protocol);
	weir_mask has_transport = *vector_mask(vector, inner->has_transport);
	weir_mask any = todo & (*vector_mask(vector, inner->has4) | *vector_mask(vector, inner->has6));

	weir_each (i, any & ~has_transport)
		if (protocol[i] == IPPROTO_TCP || protocol[i] == IPPROTO_UDP ||
			protocol[i] == IPPROTO_SCTP || protocol[i] == IPPROTO_UDPLITE ||
			is_icmp(protocol[i]))
			any &= ~((weir_mask)1 << i);
	return any & ~*vector_mask(vector, inner->is_fragment);
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

	uint32_t idle_s = protocol == IPPROTO_TCP ? set->half_open_s
		: is_icmp(protocol)             ? set->icmp_s
		: protocol == IPPROTO_UDP       ? set->udp_s
						: set->other_s;

	return (struct flow_life){ idle_s * 1000, protocol == IPPROTO_TCP ? FLOW_HALF_OPEN : FLOW_WANTED };
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
	if (tracker->protocol[slot] == IPPROTO_TCP)
		tcp_start((struct tcp *)flow->tcp, worker->generation->plan->tracking->one_sided);
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
static uint32_t datagram_length(const uint8_t *header, bool is_ipv6)
{
	uint32_t length = weir_be16(header + (is_ipv6 ? 4 : 2));

	return length && is_ipv6 ? length + 40 : length;
}

// No other IP header has room in front of this one.
static bool is_outermost(const struct vector *vector, unsigned at, uint16_t network)
{
	return !network || (!(vector->odd >> at & 1) && network <= ETHERNET_TAGGED);
}

static void read_segment(const struct sight *sight, uint8_t protocol, struct track_segment *segment)
{
	const struct lens *lens = sight->lens;
	uint16_t network = lens->network[sight->at], transport = lens->transport[sight->at];
	const uint8_t *data = lens->data[sight->at];
	unsigned size = protocol == IPPROTO_TCP ? (data[transport + 12] >> 4) * 4u : protocol == IPPROTO_SCTP ? 12 : 8;
	uint32_t wire = network + datagram_length(data + network, sight->is_ipv6);

	segment->whole = sight->whole;
	segment->is_outer = !sight->whole && is_outermost(lens->vector, sight->at, network);
	segment->header = data + transport;
	segment->header_size = size;
	segment->payload = transport + size;
	segment->end = lens->end[sight->at];
	segment->is_sound = transport && segment->payload <= segment->end &&
		segment->payload <= lens->vector->head.straight[sight->at] && (protocol != IPPROTO_TCP || size >= 20);
	if (!transport || segment->payload > segment->end)
		segment->payload = segment->end;
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

// The common case: a segment in order, or a datagram, of a flow that is there. False: it is not, and nothing is done.
static inline bool track_calmly(struct worker *worker, const struct lens *lens, unsigned i, bool is_ipv6)
{
	struct tracker *tracker = worker->tracker;
	struct flow_found found = flow_touch(&tracker->batches[is_ipv6], i, lens->vector->head.time_ns[i]);
	const uint8_t *data = lens->data[i], *header = data + lens->transport[i];
	uint32_t transport = lens->transport[i], end = lens->end[i], rest, wire;
	bool is_tcp = lens->protocol[i] == IPPROTO_TCP;

	if (!found.flow || !transport || !(is_tcp || lens->protocol[i] == IPPROTO_UDP))
		return false;
	rest = transport + (is_tcp ? (header[12] >> 4) * 4u : 8);
	wire = lens->network[i] + datagram_length(data + lens->network[i], is_ipv6);
	wire = wire < end ? end : wire;
	if (rest > end || (is_tcp && (rest > lens->vector->head.straight[i] || rest < transport + 20)))
		return false;
	if (is_tcp &&
		!tcp_step_calmly(track_tcp_of(found.flow), found.from_server, weir_be32(header + 4),
			weir_be32(header + 8), wire - rest, weir_be16(header + 14), header[13]))
		return false;
	worker->vector->head.flow[i] = &found.flow->head;
	tracker->back |= (weir_mask)found.from_server << i;
	if (found.flow->head.done_ | found.flow->head.flags_)
		tracker->decided |= (weir_mask)1 << i;
	flow_count(found.flow, found.from_server, original_length(worker, i), wire - rest);
	return true;
}

// Of a connection whose beginning was not seen, where those are not wanted.
static bool is_unwanted(const struct worker *worker, unsigned slot, const struct sight *sight)
{
	const struct tracker *tracker = worker->tracker;
	const uint8_t *header = sight->lens->data[sight->at] + sight->lens->transport[sight->at];

	return !worker->generation->plan->tracking->midstream && tracker->protocol[slot] == IPPROTO_TCP &&
		!(header[13] & TCP_SYN) &&
		!flow_find(tracker->tables[sight->is_ipv6], &tracker->batches[sight->is_ipv6], slot,
			worker->vector->head.time_ns[slot])
			 .flow;
}

static void track_packet(struct worker *worker, unsigned slot, const struct sight *sight)
{
	struct track_segment segment;
	struct flow_found found;

	if (is_unwanted(worker, slot, sight))
		return;
	found = find_flow(worker, slot, sight->is_ipv6);
	read_segment(sight, worker->tracker->protocol[slot], &segment);
	if (worker->tracker->protocol[slot] == IPPROTO_TCP && segment.is_sound) {
		tcp_read(&segment.tcp, segment.header, segment.header_size, segment.wire_payload);
		set_flow(worker, slot, &found); // whose side it is is told with what is raised
		while (!track_tcp(worker, slot, &found, &segment)) // another connection of the same ports
			found = find_flow(worker, slot, sight->is_ipv6);
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

static void track_error(struct worker *worker, unsigned slot, const struct sight *sight, bool is_again)
{
	const struct lens *lens = sight->lens;
	uint32_t end = lens->end[sight->at], straight = lens->vector->head.straight[sight->at];
	const uint8_t *data = lens->data[sight->at];
	struct flow_found found = track_quoted(worker, slot, data + lens->transport[sight->at],
		data + (end < straight ? end : straight), sight->is_ipv6);

	if (found.flow)
		set_flow(worker, slot, &found);
	else if (is_again)
		find_again(worker, slot, sight->is_ipv6);
	else
		track_packet(worker, slot, sight);
}

// ---- fragments: with the last one of a datagram the whole of it is looked at, as if it had come in one packet

static bool look_at_whole(
	struct worker *worker, const uint8_t *whole, uint32_t length, struct lens *lens, struct sight *sight)
{
	const struct plan *plan = worker->generation->plan;
	struct vector *aside = worker->aside;
	struct track_whole *kept = track_keep_whole(worker->tracker, whole, length);

	if (!kept)
		return false;
	aside->head.data[0] = kept->bytes;
	aside->head.length[0] = aside->head.straight[0] = length;
	aside->head.live = aside->odd = 1;
	aside->head.fill = 1;
	aside->link[0] = PROTO_RAW;
	decode_locate(plan->locate, aside, 1);
	*lens = lens_of(plan, aside);
	*sight = (struct sight){ lens, 0, *vector_mask(aside, plan->facts.inner.has6) & 1, kept };
	return true;
}

// The fragment that is seen, if it completes a datagram: then the sight is that datagram's.
static bool complete(struct worker *worker, unsigned slot, struct lens *lens, struct sight *sight)
{
	const struct lens *own = sight->lens;
	uint64_t place = (uint64_t)worker->tracker->tunnel[slot] << 16 | worker->tracker->vlan[slot];
	uint32_t end = own->end[sight->at], network = own->network[sight->at], length;
	struct fragment fragment;
	const uint8_t *whole;
	void *packet = sight->whole ? (void *)sight->whole : packet_mbuf(worker->vector->head.packet[slot]);

	if (end > own->vector->head.straight[sight->at]) // in several buffers; a fragment hardly is
		return false;
	return fragment_read(&fragment, own->data[sight->at] + network, end - network) &&
		fragments_add(worker->tracker->fragments, &fragment, place, packet, worker->vector->head.time_ns[slot],
			&whole, &length) == FRAGMENT_COMPLETES &&
		look_at_whole(worker, whole, length, lens, sight);
}

static void track_whole(struct worker *worker, unsigned slot, const struct sight *sight)
{
	const struct plan *plan = worker->generation->plan;
	struct vector *vector = sight->lens->vector;

	if (!keyed(plan, vector, 1))
		return;
	set_key(worker->tracker, slot, sight->lens, sight->at, sight->is_ipv6,
		*vector_mask(vector, plan->facts.inner.has_transport) & 1);
	seek(worker, (weir_mask)1 << slot, sight->is_ipv6);
	if (worker->tracker->errors >> slot & 1)
		track_error(worker, slot, sight, false);
	else
		track_packet(worker, slot, sight);
}

static void track_fragment(struct worker *worker, unsigned slot, struct sight sight)
{
	uint32_t is_fragment = worker->generation->plan->facts.inner.is_fragment;
	struct lens lens;

	for (unsigned depth = 0; track_fragments(worker) && depth < TRACK_TUNNELS; depth++) {
		if (!complete(worker, slot, &lens, &sight))
			return;
		set_around(worker, slot, &sight);
		if (*vector_mask(sight.lens->vector, is_fragment) & 1)
			continue;
		track_whole(worker, slot, &sight);
		return;
	}
}

// ---- a vector

struct todo {
	weir_mask own, again, errors, pieces, ipv6;
	bool are_calm; // nobody hears more of a segment in order than that it came
};

static void track_one(struct worker *worker, const struct lens *lens, const struct todo *todo, unsigned i)
{
	struct sight sight = { lens, i, todo->ipv6 >> i & 1, NULL };
	weir_mask bit = (weir_mask)1 << i;

	if (todo->own & todo->again & bit)
		find_again(worker, i, sight.is_ipv6);
	else if (todo->own & bit)
		track_packet(worker, i, &sight);
	else if (todo->errors & bit)
		track_error(worker, i, &sight, todo->again >> i & 1);
	else
		track_fragment(worker, i, sight);
}

static void track_in_order(struct worker *worker, const struct lens *lens, const struct todo *todo)
{
	struct tracker *tracker = worker->tracker;
	weir_mask calm = todo->are_calm ? todo->own & ~todo->again : 0;
	bool are_fields_read = worker->generation->plan->flow_fields.count;

	weir_each (i, todo->own | todo->errors | todo->pieces) {
		tracker->slot = (unsigned)i;
		if (tracker->streams)
			track_settle(worker, worker->vector->head.time_ns[i]);
		if (!(calm >> i & 1) || !track_calmly(worker, lens, (unsigned)i, todo->ipv6 >> i & 1))
			track_one(worker, lens, todo, (unsigned)i);
		if (are_fields_read)
			track_write_fields(worker, (unsigned)i);
	}
	tracker->slot = WEIR_VECTOR;
}

void track(struct worker *worker, weir_mask todo)
{
	const struct plan *plan = worker->generation->plan;
	const struct decode_inner *inner = &plan->facts.inner;
	struct tracker *tracker = worker->tracker;
	struct lens lens = lens_of(plan, worker->vector);
	weir_mask *known = vector_mask(worker->vector, plan->flow->has), again = *known & todo;
	weir_mask ipv6 = *vector_mask(worker->vector, inner->has6);
	weir_mask mask = keyed(plan, worker->vector, todo);
	weir_mask pieces = *vector_mask(worker->vector, inner->is_fragment) & todo & ~again;

	*known |= todo;
	tracker->errors = 0;
	if (inner->vlan | inner->tunnel)
		weir_each (i, mask | pieces)
			set_around(worker, (unsigned)i, &(struct sight){ &lens, (unsigned)i, 0, NULL });
	set_keys(tracker, &lens, mask, ipv6, *vector_mask(worker->vector, inner->has_transport));
	seek(worker, mask & ~ipv6, false);
	seek(worker, mask & ipv6, true);
	track_in_order(worker, &lens,
		&(struct todo){ .own = mask & ~tracker->errors,
			.again = again,
			.errors = mask & tracker->errors,
			.pieces = pieces,
			.ipv6 = ipv6,
			.are_calm = !plan->keeps_history && !plan->keeps_streams });
}
