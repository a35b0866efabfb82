// SPDX-License-Identifier: Apache-2.0
// ARPQuerier - gives IPv4 packets the Ethernet address of their next hop, which it asks for (RFC 826)
#include "ip.h"
#include "neighbour.h"

struct arpquerier {
	NEIGHBOURS;
	struct weir_addr ip;
	struct weir_ether ether;
	WEIR_COLUMN(uint32_t) next_hop, destination;
	WEIR_COLUMN(uint16_t) network, length;
	weir_counter not_ip, no_buffer, read;
};

enum { PACKETS,
	REPLIES,
	SENT = 0,
	UNREACHABLE,
	FRAME = 42,
	ARP = 28,
	REQUEST = 1,
	REPLY = 2 };

static const uint8_t broadcast[6] = { 255, 255, 255, 255, 255, 255 };

static void ask(struct weir_call *call, const struct weir_addr *address, const uint8_t *known)
{
	const struct arpquerier *self = weir_self(call);
	uint8_t frame[FRAME] = { [12] = 8, 6, 0, 1, 8, 0, 6, 4, 0, 1 };

	memcpy(frame, known ? known : broadcast, 6);
	memcpy(frame + 6, self->ether.bytes, 6);
	memcpy(frame + 22, self->ether.bytes, 6);
	memcpy(frame + 28, self->ip.bytes + 12, 4);
	memcpy(frame + 38, address->bytes + 12, 4);
	weir_emit(call, frame, sizeof(frame), SENT);
}

// The Ethernet addresses of groups need no question (RFC 1112 6.4).
static bool group_of(uint32_t ip, uint8_t *ether)
{
	if (ip >> 28 != 14 && ip != 0xffffffff)
		return false;
	memcpy(ether, broadcast, 6);
	if (ip != 0xffffffff)
		memcpy(ether, (uint8_t[]){ 1, 0, 0x5e, ip >> 16 & 127, ip >> 8 & 255, ip & 255 }, 6);
	return true;
}

static const struct neighbour_way way = { ask, UNREACHABLE };

// Packets of a flow come one after the other: the last answer mostly serves the next packet, too.
static void send(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct arpquerier *self = weir_self(call);
	const uint16_t *network = weir_column(v, self->network), *length = weir_column(v, self->length);
	weir_mask hops = weir_has(v, self->next_hop), ip = in & weir_has(v, self->destination);
	const uint32_t *next_hop = weir_column(v, self->next_hop), *destination = weir_column(v, self->destination);
	const struct neighbour *neighbour = NULL;
	uint32_t last = 0;

	weir_drop(call, in & ~ip, &self->not_ip);
	weir_each (i, ip) {
		uint32_t hop = hops >> i & 1 ? next_hop[i] : destination[i];
		uint8_t group[6];
		bool is_group = group_of(hop, group);

		if (!is_group && (!neighbour || hop != last)) {
			struct weir_addr address = weir_addr4(hop);

			neighbour = neighbour_find(call, &self->neighbours, &address, (unsigned)i, &way);
			last = hop;
		}
		if (!is_group && !neighbour)
			continue;
		if (neighbour_encapsulate(v, (unsigned)i,
			    &(struct neighbour_frame){ is_group ? group : neighbour->ether,
				    &self->ether, 0x0800, network[i], length[i] }))
			out[SENT] |= (weir_mask)1 << i;
		else
			weir_drop(call, (weir_mask)1 << i, &self->no_buffer);
	}
}

static bool is_arp(const uint8_t *arp)
{
	return weir_be32(arp) == 0x00010800 && weir_be16(arp + 4) == 0x0604 &&
		(weir_be16(arp + 6) == REQUEST || weir_be16(arp + 6) == REPLY);
}

// Answers, and what others tell of themselves in their questions; who asks for us will get packets from us.
static void learn(struct weir_call *call, struct weir_vector *v, weir_mask in)
{
	struct arpquerier *self = weir_self(call);
	const uint16_t *network = weir_column(v, self->network);
	uint32_t own = weir_ip4(&self->ip);

	weir_each (i, in & weir_has(v, self->network)) {
		const uint8_t *arp = weir_bytes(v, (unsigned)i, network[i], ARP);
		uint32_t sender = arp ? weir_be32(arp + 14) : 0;
		struct weir_addr address = weir_addr4(sender);

		if (!arp || !is_arp(arp) || !sender || sender >> 28 >= 14 || sender == own)
			continue;
		neighbour_learn(call, &self->neighbours, &address,
			&(struct neighbour_answer){ arp + 8, .overrides = true, .confirms = true,
				.now_ns = v->time_ns[i],
				.creates = weir_be16(arp + 6) == REQUEST &&
					weir_be32(arp + 24) == own });
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
	struct arpquerier *self = weir_self(event);

	neighbour_tick(event, &self->neighbours, &way);
	return WEIR_PASS;
}

static int start(struct weir_start *start, void *at)
{
	const struct arpquerier *self = at;

	return weir_is_ip4(&self->ip)
		? 0
		: weir_refuse(start, 0, "our address is no IPv4 address; IPv6 has IP6NDSolicitor");
}

static const uint64_t paths[] = { [PACKETS] = 1 << SENT, [REPLIES] = 0 };

WEIR_CLASS(ARPQuerier, arpquerier,
	.about = "gives IPv4 packets the Ethernet address of their next hop, which it asks for",
	.by = WEIR_ANY,
	.every_worker = 1 << REPLIES,
	.paths = paths,
	.holds = true,
	.reshapes = true,
	WEIR_MEMBERS(
		WEIR_SETTING(arpquerier, ip, WEIR_REQUIRED, .about = "our address on this network"),
		WEIR_SETTING(arpquerier, ether, WEIR_REQUIRED, .about = "our Ethernet address there"),
		NEIGHBOUR_MEMBERS(arpquerier, second),
		WEIR_READS_IF(arpquerier, next_hop, "weir.next_hop"),
		WEIR_READS(arpquerier, destination, "ip.dst"),
		WEIR_READS(arpquerier, network, "weir.network"),
		WEIR_READS(arpquerier, length, "ip.len"),
		WEIR_DROPS(arpquerier, not_ip, .about = "packets that are no IPv4"),
		WEIR_DROPS(arpquerier, no_buffer, .about = "packets that could not be written to"),
		WEIR_COUNTS(arpquerier, read, .about = "answers that have been read")),
	WEIR_INPUTS([PACKETS] = "", [REPLIES] = "replies?"),
	WEIR_OUTPUTS([SENT] = "", [UNREACHABLE] = "unreachable?"),
	.start = start,
	.process = process);
