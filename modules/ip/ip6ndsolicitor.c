// SPDX-License-Identifier: Apache-2.0
// IP6NDSolicitor - gives IPv6 packets the Ethernet address of their next hop, which it solicits (RFC 4861 7.2)
#include "ip.h"
#include "neighbour.h"
#include "nd.h"

struct ip6ndsolicitor {
	NEIGHBOURS;
	struct weir_addr ip;
	struct weir_ether ether;
	WEIR_COLUMN(struct weir_addr) next_hop, destination;
	WEIR_COLUMN(uint16_t) network, length;
	weir_counter not_ip6, no_buffer, read;
};

enum { PACKETS,
	REPLIES,
	SENT = 0,
	UNREACHABLE };

static void ask(struct weir_call *call, const struct weir_addr *address, const uint8_t *known)
{
	const struct ip6ndsolicitor *self = weir_self(call);
	struct weir_addr group = { { 0xff, 2, [11] = 1, 0xff } };
	uint8_t frame[ND_FRAME];

	memcpy(group.bytes + 13, address->bytes + 13, 3); // RFC 4291 2.7.1
	nd_write(frame,
		&(struct nd){
			.type = ND_SOLICITATION,
			.ether_source = self->ether.bytes,
			.ether_destination = known ? known
						   : (uint8_t[]){ 0x33, 0x33, 0xff, group.bytes[13],
							     group.bytes[14], group.bytes[15] },
			.source = &self->ip,
			.destination = known ? address : &group,
			.target = address,
		});
	weir_emit(call, frame, sizeof(frame), SENT);
}

static const struct neighbour_way way = { ask, UNREACHABLE };

static bool is_same(const struct weir_addr *a, const struct weir_addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

// Packets of a flow come one after the other: the last answer mostly serves the next packet, too.
static void send(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct ip6ndsolicitor *self = weir_self(call);
	const uint16_t *network = weir_column(v, self->network), *length = weir_column(v, self->length);
	weir_mask hops = weir_has(v, self->next_hop), ip = in & weir_has(v, self->destination);
	const struct weir_addr *next_hop = weir_column(v, self->next_hop),
			       *destination = weir_column(v, self->destination);
	const struct weir_addr *last = NULL;
	const struct neighbour *neighbour = NULL;

	weir_drop(call, in & ~ip, &self->not_ip6);
	weir_each (i, ip) {
		const struct weir_addr *hop = hops >> i & 1 ? &next_hop[i] : &destination[i];
		uint8_t group[6] = { 0x33, 0x33, hop->bytes[12], hop->bytes[13], hop->bytes[14],
			hop->bytes[15] }; // RFC 2464 7
		bool is_group = hop->bytes[0] == 0xff;

		if (!is_group && (!neighbour || !is_same(hop, last))) {
			neighbour = neighbour_find(call, &self->neighbours, hop, (unsigned)i, &way);
			last = hop;
		}
		if (!is_group && !neighbour)
			continue;
		if (neighbour_encapsulate(v, (unsigned)i,
			    &(struct neighbour_frame){ is_group ? group : neighbour->ether,
				    &self->ether, 0x86dd, network[i],
				    length[i] ? length[i] + 40u : 0 }))
			out[SENT] |= (weir_mask)1 << i;
		else
			weir_drop(call, (weir_mask)1 << i, &self->no_buffer);
	}
}

// Advertisements, and what solicitations tell of who asks: that he is there, but not that he hears us (RFC
// 4861 7.2.3).
static void learn(struct weir_call *call, struct weir_vector *v, weir_mask in)
{
	struct ip6ndsolicitor *self = weir_self(call);
	const uint16_t *network = weir_column(v, self->network);

	weir_each (i, in & weir_has(v, self->network)) {
		struct nd_read message;
		bool is_answer;

		if (!nd_read(v, (unsigned)i, network[i], &message) || nd_is_unspecified(&message.source))
			continue;
		is_answer = message.type == ND_ADVERTISEMENT;
		neighbour_learn(call, &self->neighbours, is_answer ? &message.target : &message.source,
			&(struct neighbour_answer){ message.ether,
				.overrides = !is_answer || message.flags & ND_OVERRIDE,
				.confirms = is_answer && message.flags & ND_SOLICITED,
				.creates = !is_answer && is_same(&message.target, &self->ip),
				.now_ns = v->time_ns[i] });
	}
	weir_consume(call, in, &self->read);
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	if (weir_input(call) == REPLIES)
		learn(call, v, in);
	else
		send(call, v, in, out);
}

static enum weir_verdict second(struct weir_event *event)
{
	struct ip6ndsolicitor *self = weir_self(event);

	neighbour_tick(event, &self->neighbours, &way);
	return WEIR_PASS;
}

static int start(struct weir_start *start, void *at)
{
	const struct ip6ndsolicitor *self = at;

	return weir_is_ip4(&self->ip)
		? weir_refuse(start, 0, "our address is no IPv6 address; IPv4 has ARPQuerier")
		: 0;
}

static const uint64_t paths[] = { [PACKETS] = 1 << SENT, [REPLIES] = 0 };

WEIR_CLASS(IP6NDSolicitor, ip6ndsolicitor,
	.about = "gives IPv6 packets the Ethernet address of their next hop, which it solicits",
	.by = WEIR_ANY,
	.every_worker = 1 << REPLIES,
	.paths = paths,
	.holds = true,
	.reshapes = true,
	WEIR_MEMBERS(
		WEIR_SETTING(ip6ndsolicitor, ip, WEIR_REQUIRED, .about = "our address on this network"),
		WEIR_SETTING(ip6ndsolicitor, ether, WEIR_REQUIRED, .about = "our Ethernet address there"),
		NEIGHBOUR_MEMBERS(ip6ndsolicitor, second),
		WEIR_READS_IF(ip6ndsolicitor, next_hop, "weir.next_hop6"),
		WEIR_READS(ip6ndsolicitor, destination, "ipv6.dst"),
		WEIR_READS(ip6ndsolicitor, network, "weir.network"),
		WEIR_READS(ip6ndsolicitor, length, "ipv6.plen"),
		WEIR_DROPS(ip6ndsolicitor, not_ip6, .about = "packets that are no IPv6"),
		WEIR_DROPS(ip6ndsolicitor, no_buffer, .about = "packets that could not be written to"),
		WEIR_COUNTS(ip6ndsolicitor, read, .about = "answers that have been read")),
	WEIR_INPUTS([PACKETS] = "", [REPLIES] = "replies?"),
	WEIR_OUTPUTS([SENT] = "", [UNREACHABLE] = "unreachable?"),
	.start = start,
	.process = process);
