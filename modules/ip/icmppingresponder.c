// SPDX-License-Identifier: Apache-2.0
// ICMPPingResponder - answers echo requests, IPv4 and IPv6 (RFC 792, RFC 4443 4.2)
#include "ip.h"

struct icmppingresponder {
	WEIR_COLUMN(uint8_t) type, type6;
	WEIR_COLUMN(uint16_t) network, transport;
	weir_counter answered;
};

enum { ANSWERS, OTHERS, ECHO = 8, REPLY = 0, ECHO6 = 128, REPLY6 = 129 };

static void swap(uint8_t *a, uint8_t *b, unsigned size)
{
	uint8_t kept[16];

	memcpy(kept, a, size);
	memcpy(a, b, size);
	memcpy(b, kept, size);
}

// The sum changes by what the type does; addresses change places, which it does not see (RFC 1624).
static void change_type(uint8_t *icmp, uint8_t type)
{
	uint16_t check;
	uint32_t sum;

	memcpy(&check, icmp + 2, 2);
	sum = (uint16_t)~check + (uint16_t)~(uint16_t)icmp[0] + type;
	check = weir_fold(sum);
	memcpy(icmp + 2, &check, 2);
	icmp[0] = type;
}

static bool answer(struct weir_vector *v, unsigned slot, uint16_t network, uint16_t transport, bool is_ip6)
{
	uint8_t *frame = transport < 400 && network >= 14 ? weir_edit(v, slot, 0, transport + 8u) : NULL;

	if (!frame || (frame[0] & 1)) // to a group: not answered
		return false;
	swap(frame, frame + 6, 6);
	if (is_ip6)
		swap(frame + network + 8, frame + network + 24, 16);
	else
		swap(frame + network + 12, frame + network + 16, 4);
	change_type(frame + transport, is_ip6 ? REPLY6 : REPLY);
	return true;
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct icmppingresponder *self = weir_self(call);
	const uint8_t *type = weir_column(v, self->type), *type6 = weir_column(v, self->type6);
	const uint16_t *network = weir_column(v, self->network), *transport = weir_column(v, self->transport);
	weir_mask ip4 = in & weir_has(v, self->type) & weir_where (i, type[i] == ECHO);
	weir_mask ip6 = in & weir_has(v, self->type6) & weir_where (i, type6[i] == ECHO6);

	weir_each (i, (ip4 | ip6) & weir_has(v, self->transport))
		if (answer(v, (unsigned)i, network[i], transport[i], ip6 >> i & 1))
			out[ANSWERS] |= (weir_mask)1 << i;
	weir_count_by(&self->answered, weir_size(out[ANSWERS]));
	out[OTHERS] = in & ~out[ANSWERS];
}

WEIR_CLASS(ICMPPingResponder, icmppingresponder,
	.about = "answers echo requests, IPv4 and IPv6",
	.by = WEIR_ANY,
	.rewrites = WEIR_REWRITES_L2 | WEIR_REWRITES_L3 | WEIR_REWRITES_L4,
	WEIR_MEMBERS(
		WEIR_READS(icmppingresponder, type, "icmp.type"),
		WEIR_READS(icmppingresponder, type6, "icmpv6.type"),
		WEIR_READS(icmppingresponder, network, "weir.network"),
		WEIR_READS(icmppingresponder, transport, "weir.transport"),
		WEIR_COUNTS(icmppingresponder, answered, .about = "requests answered")),
	WEIR_OUTPUTS([ANSWERS] = "", [OTHERS] = "others?"),
	.process = process);
