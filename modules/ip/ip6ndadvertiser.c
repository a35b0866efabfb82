// SPDX-License-Identifier: Apache-2.0
// IP6NDAdvertiser - answers solicitations for addresses with an Ethernet address (RFC 4861 7.2.4)
#include "ip.h"
#include "nd.h"

struct ip6ndadvertiser {
	struct weir_ether ether;
	struct weir_texts addresses;
	struct weir_addr *at;
	uint32_t count;
	bool router;
	WEIR_FLAG ethernet;
	WEIR_COLUMN(uint16_t) network;
	weir_counter answered, not_ours;
};

enum { ANSWERS,
	OTHERS,
	ETHER = 14,
	MOST_TAGS = 8 };

static bool is_ours(const struct ip6ndadvertiser *self, const struct weir_addr *target)
{
	for (uint32_t i = 0; i < self->count; i++)
		if (!memcmp(&self->at[i], target, sizeof(*target)))
			return true;
	return false;
}

// Where to; the tags of the question are the answer's, too.
static void send(struct weir_call *call, const uint8_t *frame, uint16_t network, const struct nd *message)
{
	uint8_t reply[ND_FRAME + MOST_TAGS];
	unsigned tags = network - (unsigned)ETHER;

	nd_write(reply + tags, message);
	memmove(reply, reply + tags, 12);
	memcpy(reply + 12, frame + 12, tags);
	weir_emit(call, reply, ND_FRAME + tags, ANSWERS);
}

static void answer(struct weir_call *call, const uint8_t *frame, uint16_t network, const struct nd_read *question)
{
	static const struct weir_addr all_nodes = { { 0xff, 2, [15] = 1 } };
	static const uint8_t all_nodes_ether[6] = { 0x33, 0x33, 0, 0, 0, 1 };
	const struct ip6ndadvertiser *self = weir_self(call);
	bool to_all = nd_is_unspecified(&question->source); // duplicate address detection

	send(call, frame, network,
		&(struct nd){
			.type = ND_ADVERTISEMENT,
			.flags = ND_OVERRIDE | (to_all ? 0 : ND_SOLICITED) |
				(self->router ? ND_ROUTER : 0),
			.ether_source = self->ether.bytes,
			.ether_destination = to_all ? all_nodes_ether
				: question->ether   ? question->ether
						    : frame + 6,
			.source = &question->target,
			.destination = to_all ? &all_nodes : &question->source,
			.target = &question->target,
		});
}

static bool try(struct weir_call *call, struct weir_vector *v, unsigned slot, uint16_t network)
{
	const struct ip6ndadvertiser *self = weir_self(call);
	struct nd_read question;
	const uint8_t *frame;

	if (network < ETHER || network > ETHER + MOST_TAGS || !nd_read(v, slot, network, &question))
		return false;
	if (question.type != ND_SOLICITATION || !is_ours(self, &question.target) ||
		(question.ether && question.ether[0] & 1))
		return false;
	frame = weir_bytes(v, slot, 0, network);
	if (!frame || frame[6] & 1)
		return false;
	answer(call, frame, network, &question);
	return true;
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct ip6ndadvertiser *self = weir_self(call);
	const uint16_t *network = weir_column(v, self->network);
	weir_mask ours = 0;

	weir_each (i, in & weir_has(v, self->ethernet) & weir_has(v, self->network))
		if (try(call, v, (unsigned)i, network[i]))
			ours |= (weir_mask)1 << i;
	weir_consume(call, ours, &self->answered);
	weir_count_by(&self->not_ours, weir_size(in & ~ours));
	out[OTHERS] = in & ~ours;
}

static int start(struct weir_start *start, void *at)
{
	struct ip6ndadvertiser *self = at;

	self->at = weir_memory(start, (self->addresses.count + 1) * sizeof(*self->at));
	for (uint32_t i = 0; i < self->addresses.count; i++)
		if (!weir_parse_addr(self->addresses.text[i], &self->at[self->count++]) || weir_is_ip4(&self->at[i]))
			return weir_refuse(start, (int)i, "\"%s\" is no IPv6 address", self->addresses.text[i]);
	return self->count
		? 0
		: weir_refuse(start, -1,
			  "it answers for nobody: IP6NDAdvertiser(ether 02:00:00:00:00:01, 2001:db8::1)");
}

WEIR_CLASS(IP6NDAdvertiser, ip6ndadvertiser,
	.about = "answers neighbour solicitations for addresses with an Ethernet address",
	.by = WEIR_ANY, .holds = true,
	WEIR_MEMBERS(WEIR_SETTING(ip6ndadvertiser, addresses, "", .rest = true,
			     .about = "the addresses that it answers for"),
		WEIR_SETTING(
			ip6ndadvertiser, ether, WEIR_REQUIRED, .about = "their Ethernet address"),
		WEIR_SETTING(ip6ndadvertiser, router, "false", .about = "says that it is a router"),
		WEIR_READS_IF(ip6ndadvertiser, ethernet, "eth"),
		WEIR_READS(ip6ndadvertiser, network, "weir.network"),
		WEIR_COUNTS(ip6ndadvertiser, answered, .about = "solicitations answered"),
		WEIR_COUNTS(ip6ndadvertiser, not_ours,
			.about = "packets that are no solicitation for us")),
	WEIR_OUTPUTS([ANSWERS] = "", [OTHERS] = "others?"), .start = start, .process = process);
