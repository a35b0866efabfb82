// SPDX-License-Identifier: Apache-2.0
// ICMPPingResponder - answers echo requests, IPv4 and IPv6 (RFC 792, RFC 4443 4.2)
#include "ip.h"

struct icmppingresponder {
	WEIR_COLUMN(uint8_t) type, type6;
	WEIR_COLUMN(uint16_t) network, transport;
	WEIR_FLAG ethernet;
	weir_counter answered;
};

enum { ANSWERS,
	OTHERS,
	ECHO = 8,
	REPLY = 0,
	ECHO6 = 128,
	REPLY6 = 129 };
enum { HOPS = 64,
	FIRST_GROUP = 224,
	FRAGMENT = 0x3fff,
	DEEPEST = 400,
	ICMP = 1,
	ICMPV6 = 58 };

static void swap(uint8_t *a, uint8_t *b, unsigned size)
{
	uint8_t kept[16];

	memcpy(kept, a, size);
	memcpy(a, b, size);
	memcpy(b, kept, size);
}

// The sum changes by what the type does; addresses change places, which it does not see. As in RFC
// 1141: of a message of zeros the checksum is 0xffff, which RFC 1624 would miss.
static void change_type(uint8_t *icmp, uint8_t type)
{
	uint16_t check;

	memcpy(&check, icmp + 2, 2);
	check = (uint16_t)~weir_fold((uint32_t)check + icmp[0] + (uint16_t)~type);
	memcpy(icmp + 2, &check, 2);
	icmp[0] = type;
}

// A new packet as to its time to live; its header's checksum is made anew.
static void answer4(uint8_t *ip)
{
	uint16_t check;

	swap(ip + 12, ip + 16, 4);
	ip[8] = HOPS;
	memset(ip + 10, 0, 2);
	check = weir_fold(weir_sum(ip, (ip[0] & 15u) * 4, 0));
	memcpy(ip + 10, &check, 2);
}

static void answer6(uint8_t *ip)
{
	swap(ip + 8, ip + 24, 16);
	ip[7] = HOPS;
}

// The echo is the packet's own, not one in a tunnel; from and to one host, in one piece.
static bool is_fit4(const uint8_t *ip, unsigned header)
{
	return ip[0] >> 4 == 4 && ip[9] == ICMP && header == (ip[0] & 15u) * 4 && ip[12] && ip[12] < FIRST_GROUP &&
		ip[16] < FIRST_GROUP && !(weir_be16(ip + 6) & FRAGMENT);
}

static bool is_fit6(const uint8_t *ip, unsigned header)
{
	static const uint8_t nobody[16];

	return ip[0] >> 4 == 6 && ip[6] == ICMPV6 && header == 40 && ip[8] != 0xff &&
		ip[24] != 0xff && memcmp(ip + 8, nobody, 16);
}

static bool answer(struct weir_vector *v, unsigned slot, unsigned network, unsigned transport,
	bool is_ip6, bool is_ethernet)
{
	const uint8_t *read = transport < DEEPEST ? weir_bytes(v, slot, 0, transport + 8) : NULL;
	uint8_t *frame;

	if (!read || (is_ethernet && (read[0] & 1 || read[6] & 1))) // to or from a group
		return false;
	if (!(is_ip6 ? is_fit6(read + network, transport - network) : is_fit4(read + network, transport - network)))
		return false;
	frame = weir_edit(v, slot, 0, transport + 8);
	if (!frame)
		return false;
	if (is_ethernet)
		swap(frame, frame + 6, 6);
	if (is_ip6)
		answer6(frame + network);
	else
		answer4(frame + network);
	change_type(frame + transport, is_ip6 ? REPLY6 : REPLY);
	return true;
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct icmppingresponder *self = weir_self(call);
	const uint8_t *type = weir_column(v, self->type), *type6 = weir_column(v, self->type6);
	const uint16_t *network = weir_column(v, self->network), *transport = weir_column(v, self->transport);
	weir_mask ip4 = in & weir_has(v, self->type) & weir_where(i, type[i] == ECHO);
	weir_mask ip6 = in & ~ip4 & weir_has(v, self->type6) & weir_where(i, type6[i] == ECHO6);
	weir_mask ethernet = weir_has(v, self->ethernet);

	weir_each (i, (ip4 | ip6) & weir_has(v, self->transport))
		if (answer(v, (unsigned)i, network[i], transport[i], ip6 >> i & 1, ethernet >> i & 1))
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
		WEIR_READS_IF(icmppingresponder, ethernet, "eth"),
		WEIR_READS(icmppingresponder, network, "weir.network"),
		WEIR_READS(icmppingresponder, transport, "weir.transport"),
		WEIR_COUNTS(icmppingresponder, answered, .about = "requests answered")),
	WEIR_OUTPUTS([ANSWERS] = "", [OTHERS] = "others?"),
	.process = process);
