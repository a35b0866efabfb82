// SPDX-License-Identifier: Apache-2.0
// ARPResponder - answers questions for addresses with an Ethernet address (RFC 826)
#include "ip.h"

struct entry {
	struct weir_prefix prefix;
	struct weir_ether ether;
};

struct arpresponder {
	struct weir_texts entries;
	struct entry *at;
	uint32_t count;
	WEIR_FLAG ethernet;
	WEIR_COLUMN(uint16_t) network;
	weir_counter answered, not_ours;
};

enum {
	ANSWERS,
	OTHERS,
	ETHER = 14,
	ARP_LENGTH = 28,
	REQUEST = 1,
	REPLY = 2,
	LONGEST = 128,
	MOST_WORDS = LONGEST / 2
};

static bool covers(const struct weir_prefix *prefix, const struct weir_addr *addr)
{
	unsigned bytes = prefix->length / 8, bits = prefix->length % 8;

	if (memcmp(prefix->addr.bytes, addr->bytes, bytes))
		return false;
	return !bits || !((prefix->addr.bytes[bytes] ^ addr->bytes[bytes]) >> (8 - bits));
}

static const struct weir_ether *find(const struct arpresponder *self, uint32_t ip)
{
	struct weir_addr addr = weir_addr4(ip);

	for (uint32_t i = 0; i < self->count; i++)
		if (covers(&self->at[i].prefix, &addr))
			return &self->at[i].ether;
	return NULL;
}

// The question becomes the answer: who asked is who gets it.
static void answer(uint8_t *frame, uint8_t *arp, const struct weir_ether *ether)
{
	uint8_t target[4];

	memcpy(target, arp + 24, 4);
	memcpy(frame, arp + 8, 6);
	memcpy(frame + 6, ether->bytes, 6);
	weir_put16(arp + 6, REPLY);
	memcpy(arp + 18, arp + 8, 10);
	memcpy(arp + 8, ether->bytes, 6);
	memcpy(arp + 14, target, 4);
}

static bool try(struct arpresponder *self, struct weir_vector *v, unsigned slot, uint16_t network)
{
	const uint8_t *arp = weir_bytes(v, slot, network, ARP_LENGTH);
	const struct weir_ether *ether;
	uint8_t *frame;

	if (network < ETHER || !arp || weir_be32(arp) != 0x00010800 || weir_be32(arp + 4) != 0x06040000 + REQUEST)
		return false;
	if (arp[8] & 1) // a group does not ask
		return false;
	ether = find(self, weir_be32(arp + 24));
	if (!ether)
		return false;
	frame = weir_edit(v, slot, 0, network + (uint32_t)ARP_LENGTH);
	if (frame)
		answer(frame, frame + network, ether);
	return frame;
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct arpresponder *self = weir_self(call);
	const uint16_t *network = weir_column(v, self->network);

	weir_each (i, in & weir_has(v, self->ethernet) & weir_has(v, self->network))
		if (try(self, v, (unsigned)i, network[i]))
			out[ANSWERS] |= (weir_mask)1 << i;
	weir_count_by(&self->answered, weir_size(out[ANSWERS]));
	weir_count_by(&self->not_ours, weir_size(in & ~out[ANSWERS]));
	out[OTHERS] = in & ~out[ANSWERS];
}

// One argument: addresses or prefixes, and the Ethernet address that answers for them.
static int read_entry(struct weir_start *start, struct arpresponder *self, int argument)
{
	const char *text = self->entries.text[argument];
	char copy[LONGEST], *rest, *word;
	uint32_t first = self->count;
	struct weir_ether ether;
	unsigned ethers = 0;

	if (strlen(text) >= sizeof(copy))
		return weir_refuse(start, argument, "too long");
	strcpy(copy, text);
	for (word = strtok_r(copy, " \t\n", &rest); word; word = strtok_r(NULL, " \t\n", &rest)) {
		struct weir_prefix *prefix = &self->at[self->count].prefix;

		if (weir_parse_prefix(word, prefix) && weir_is_ip4(&prefix->addr))
			self->count++;
		else if (weir_parse_ether(word, &ether))
			ethers++;
		else
			return weir_refuse(start, argument,
				"\"%s\" is neither an IPv4 address or prefix nor an Ethernet address",
				word);
	}
	if (self->count == first || ethers != 1)
		return weir_refuse(
			start, argument, "\"%s\": ADDRESS[/LENGTH] ... ETHERNET-ADDRESS is expected", text);
	while (first < self->count)
		self->at[first++].ether = ether;
	return 0;
}

static int start(struct weir_start *start, void *at)
{
	struct arpresponder *self = at;

	self->at = weir_memory(start, (self->entries.count + 1) * MOST_WORDS * sizeof(*self->at));
	for (uint32_t i = 0; i < self->entries.count; i++) {
		int err = read_entry(start, self, (int)i);

		if (err)
			return err;
	}
	return self->count
		? 0
		: weir_refuse(start, -1,
			  "it answers for nobody: ARPResponder(10.0.0.1 02:00:00:00:00:01)");
}

WEIR_CLASS(ARPResponder, arpresponder,
	.about = "answers ARP questions for addresses with an Ethernet address", .by = WEIR_ANY,
	.rewrites = WEIR_REWRITES_L2 | WEIR_REWRITES_L3,
	WEIR_MEMBERS(WEIR_SETTING(arpresponder, entries, "", .rest = true,
			     .about = "ADDRESS[/LENGTH] ... ETHERNET-ADDRESS, ..."),
		WEIR_READS_IF(arpresponder, ethernet, "eth"),
		WEIR_READS(arpresponder, network, "weir.network"),
		WEIR_COUNTS(arpresponder, answered, .about = "questions answered"),
		WEIR_COUNTS(
			arpresponder, not_ours, .about = "packets that are no question for us")),
	WEIR_OUTPUTS([ANSWERS] = "", [OTHERS] = "others?"), .start = start, .process = process);
