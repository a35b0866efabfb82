// SPDX-License-Identifier: Apache-2.0
#include "nd.h"

enum { IP6_HEADER = 40,
	ICMPV6 = 58,
	HOPS = 255,
	SHORTEST = 24,
	LONGEST = 400 };

uint16_t nd_checksum(const uint8_t *ip6, const uint8_t *message, uint32_t length)
{
	uint8_t tail[8] = { [7] = ICMPV6 };

	weir_put32(tail, length);
	return weir_fold(weir_sum(message, length, weir_sum(tail, sizeof(tail), weir_sum(ip6 + 8, 32, 0))));
}

void nd_write(uint8_t frame[ND_FRAME], const struct nd *message)
{
	uint8_t *ip = frame + 14, *icmp = ip + 40;
	uint16_t checksum;

	memset(frame, 0, ND_FRAME);
	memcpy(frame, message->ether_destination, 6);
	memcpy(frame + 6, message->ether_source, 6);
	weir_put16(frame + 12, 0x86dd);
	ip[0] = 0x60;
	weir_put16(ip + 4, 32);
	ip[6] = ICMPV6;
	ip[7] = HOPS;
	memcpy(ip + 8, message->source->bytes, 16);
	memcpy(ip + 24, message->destination->bytes, 16);
	icmp[0] = message->type;
	icmp[4] = message->flags;
	memcpy(icmp + 8, message->target->bytes, 16);
	icmp[24] = message->type == ND_SOLICITATION ? 1 : 2; // source or target link-layer address
	icmp[25] = 1;
	memcpy(icmp + 26, message->ether_source, 6);
	checksum = nd_checksum(ip, icmp, 32);
	memcpy(icmp + 2, &checksum, 2);
}

static bool read_options(const uint8_t *at, uint32_t length, struct nd_read *message)
{
	uint8_t wanted = message->type == ND_SOLICITATION ? 1 : 2;

	message->ether = NULL;
	while (length >= 8) {
		uint32_t size = at[1] * 8u;

		if (!size || size > length)
			return false;
		if (at[0] == wanted)
			message->ether = at + 2;
		at += size;
		length -= size;
	}
	return !length;
}

bool nd_is_unspecified(const struct weir_addr *addr)
{
	static const struct weir_addr none;

	return !memcmp(addr, &none, sizeof(none));
}

static bool is_solicited_group(const struct weir_addr *addr)
{
	static const uint8_t prefix[13] = { 0xff, 2, [11] = 1, 0xff };

	return !memcmp(addr, prefix, sizeof(prefix));
}

static bool is_group(const struct weir_addr *addr)
{
	return addr->bytes[0] == 0xff;
}

// What addresses may stand together (RFC 4861 7.1.1, 7.1.2).
static bool is_likely(const struct nd_read *message)
{
	if (is_group(&message->target) || is_group(&message->source))
		return false;
	if (message->type == ND_ADVERTISEMENT)
		return !(message->flags & ND_SOLICITED) || !is_group(&message->destination);
	return !nd_is_unspecified(&message->source) || (is_solicited_group(&message->destination) && !message->ether);
}

bool nd_read(struct weir_vector *v, unsigned slot, uint16_t network, struct nd_read *message)
{
	const uint8_t *ip = weir_bytes(v, slot, network, IP6_HEADER + SHORTEST);
	uint32_t length;

	if (!ip || ip[0] >> 4 != 6 || ip[6] != ICMPV6 || ip[7] != HOPS)
		return false;
	length = weir_be16(ip + 4);
	ip = length >= SHORTEST && length <= LONGEST ? weir_bytes(v, slot, network, IP6_HEADER + length) : NULL;
	if (!ip || (ip[40] != ND_SOLICITATION && ip[40] != ND_ADVERTISEMENT) || ip[41])
		return false;
	if (nd_checksum(ip, ip + IP6_HEADER, length)) // with its own checksum in it the sum is nothing
		return false;
	message->type = ip[40];
	message->flags = ip[44];
	memcpy(message->source.bytes, ip + 8, 16);
	memcpy(message->destination.bytes, ip + 24, 16);
	memcpy(message->target.bytes, ip + 48, 16);
	return read_options(ip + IP6_HEADER + SHORTEST, length - SHORTEST, message) && is_likely(message);
}
