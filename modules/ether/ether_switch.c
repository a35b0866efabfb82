// SPDX-License-Identifier: Apache-2.0
// EtherSwitch - a learning switch (IEEE 802.1D): remembers behind which input an address lives, sends frames
// for it to the output of the same number, and frames for groups and for strangers to all outputs but the one
// they came by.
#include "ether.h"

enum { MOST_PORTS = 64 };

struct address { // with the VLAN that it lives in, where VLANs are kept apart
	uint8_t bytes[6];
	uint16_t vlan;
};

struct host {
	uint64_t seen_ns;
	uint16_t port;
	bool is_known;
};

struct ether_switch {
	uint64_t timeout_s;
	uint32_t max_hosts;
	bool vlans;
	unsigned outputs;
	WEIR_TABLE(struct address, struct host) hosts;
	weir_counter flooded, moved, uncloned;
	weir_counter same_side, reserved, too_short;
};

static int start(struct weir_start *start, void *at)
{
	struct ether_switch *self = at;

	self->outputs = weir_connected(start);
	if (self->outputs > MOST_PORTS)
		return weir_refuse(start, -1, "%u outputs are connected; at most %d are possible",
			self->outputs, MOST_PORTS);
	return 0;
}

static struct address address_of(
	const struct ether_switch *self, struct weir_vector *v, unsigned i, const uint8_t *bytes)
{
	struct address address = { 0 };
	const uint8_t *tag = self->vlans ? weir_bytes(v, i, ETHER_TYPE, VLAN_TAG) : NULL;

	memcpy(address.bytes, bytes, sizeof(address.bytes));
	if (tag && ether_is_tag(weir_be16(tag)))
		address.vlan = weir_be16(tag + 2) & 0xfff;
	return address;
}

static void learn(struct ether_switch *self, const struct address *source, unsigned port, uint64_t now_ns)
{
	struct host *host;

	if (ether_is_group(source->bytes)) // nobody sends from there
		return;
	host = weir_table_at(self->hosts, source);
	if (host->is_known && host->port != port)
		weir_count(&self->moved);
	*host = (struct host){ .seen_ns = now_ns, .port = (uint16_t)port, .is_known = true };
}

enum { EVERYWHERE = MOST_PORTS };

static unsigned find(struct ether_switch *self, const struct address *destination, uint64_t now_ns)
{
	const struct host *host =
		ether_is_group(destination->bytes) ? NULL : weir_table_find(self->hosts, destination);

	if (!host || now_ns - host->seen_ns > self->timeout_s * 1000000000 || host->port >= self->outputs)
		return EVERYWHERE;
	return host->port;
}

// 01:80:c2:00:00:00 to 0f are for the next bridge and no farther (802.1D 7.12.6).
static bool is_reserved(const uint8_t *destination)
{
	static const uint8_t prefix[5] = { 0x01, 0x80, 0xc2, 0x00, 0x00 };

	return !memcmp(destination, prefix, sizeof(prefix)) && destination[5] < 0x10;
}

// The packet itself leaves by the first output that is not its own side, clones by the others.
static void flood(struct weir_call *call, unsigned i, weir_mask out[])
{
	struct ether_switch *self = weir_self(call);
	unsigned own = weir_input(call), first = own ? 0 : 1;

	if (first >= self->outputs) {
		weir_drop(call, (weir_mask)1 << i, &self->same_side);
		return;
	}
	for (unsigned output = first + 1; output < self->outputs; output++)
		if (output != own && !weir_clone(call, i, output))
			weir_count(&self->uncloned);
	out[first] |= (weir_mask)1 << i;
	weir_count(&self->flooded);
}

static void forward(struct weir_call *call, struct weir_vector *v, unsigned i, const uint8_t *frame, weir_mask out[])
{
	struct ether_switch *self = weir_self(call);
	struct address destination = address_of(self, v, i, frame), source = address_of(self, v, i, frame + 6);
	unsigned port;

	learn(self, &source, weir_input(call), v->time_ns[i]);
	if (is_reserved(destination.bytes)) {
		weir_drop(call, (weir_mask)1 << i, &self->reserved);
		return;
	}
	port = find(self, &destination, v->time_ns[i]);
	if (port == EVERYWHERE)
		flood(call, i, out);
	else if (port == weir_input(call))
		weir_drop(call, (weir_mask)1 << i, &self->same_side);
	else
		out[port] |= (weir_mask)1 << i;
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct ether_switch *self = weir_self(call);
	weir_mask cut = 0;

	weir_each (i, in) {
		const uint8_t *frame = weir_bytes(v, (unsigned)i, 0, ETHER_HEADER);

		if (frame)
			forward(call, v, (unsigned)i, frame, out);
		else
			cut |= (weir_mask)1 << i;
	}
	weir_drop(call, cut, &self->too_short);
}

WEIR_CLASS(EtherSwitch, ether_switch, .about = "a learning switch", .by = WEIR_ONE,
	WEIR_MEMBERS(
		WEIR_SETTING(ether_switch, timeout_s, "300", .min = 1, .max = 1000000, .live = true,
			.about = "after so long without a frame an address is forgotten"),
		WEIR_SETTING(ether_switch, max_hosts, "16384", .min = 1, .max = 1 << 24,
			.about = "addresses remembered"),
		WEIR_SETTING(ether_switch, vlans, "false",
			.about = "the same address in two VLANs is two hosts"),
		WEIR_KEEPS(ether_switch, hosts, .rows_from = "max_hosts"),
		WEIR_COUNTS(ether_switch, flooded, .about = "frames sent to all other outputs"),
		WEIR_COUNTS(ether_switch, moved,
			.about = "addresses that were seen behind another input than before"),
		WEIR_COUNTS(ether_switch, uncloned,
			.about = "copies that were not made for want of buffers"),
		WEIR_DROPS(ether_switch, same_side,
			.about = "frames whose destination is where they came from"),
		WEIR_DROPS(ether_switch, reserved, .about = "frames that no bridge passes on"),
		WEIR_DROPS(ether_switch, too_short, .about = "frames without a whole header")),
	.many_inputs = true, .many_outputs = true, .holds = true, .start = start,
	.process = process);
