// SPDX-License-Identifier: Apache-2.0
// Network headers: ARP, IPv4, IPv6 with its extensions, and ICMP, which quotes them.
#include "packet/locate.h"

enum { IP_MORE = 0x2000,
	IP_OFFSET = 0x1fff,
	IPV6_FIXED = 40 };

enum protocol walk_by_ip(uint8_t type)
{
	static const uint8_t next[256] = {
		[1] = PROTO_ICMP,
		[2] = PROTO_IGMP,
		[4] = PROTO_IP,
		[6] = PROTO_TCP,
		[17] = PROTO_UDP,
		[41] = PROTO_IPV6,
		[47] = PROTO_GRE,
		[50] = PROTO_ESP,
		[51] = PROTO_AH,
		[58] = PROTO_ICMPV6,
		[132] = PROTO_SCTP,
		[136] = PROTO_UDPLITE,
		[137] = PROTO_MPLS,
		[143] = PROTO_ETH,
	};
	return next[type] ? next[type] : PROTO_DATA;
}

enum protocol walk_by_ipv6(uint8_t type)
{
	static const uint8_t next[256] = {
		[0] = PROTO_HOPOPTS,
		[43] = PROTO_ROUTING,
		[44] = PROTO_IPV6_FRAGMENT,
		[60] = PROTO_DSTOPTS,
		[135] = PROTO_IPV6_EXT,
		[139] = PROTO_IPV6_EXT,
		[140] = PROTO_IPV6_EXT,
	};
	return next[type] ? next[type] : walk_by_ip(type);
}

enum protocol walk_arp(struct walk *walk, const uint8_t *header)
{
	uint32_t size = 8 + 2u * header[4] + 2u * header[5];

	if (!walk_has(walk, size))
		return PROTO_NONE;
	if (weir_be16(header) == 1 && weir_be16(header + 2) == 0x0800 && header[4] == 6 && header[5] == 4)
		walk_part(walk, PROTO_ARP_IPV4, walk->at, size);
	walk_narrow(walk, (uint64_t)walk->at + size, REASON_NONE);
	walk->at += size;
	return PROTO_DATA;
}

// A total length of 0: the packet waits to be cut into segments by hardware and is longer than the field can tell.
enum protocol walk_ip(struct walk *walk, const uint8_t *header)
{
	uint32_t size = (header[0] & 15u) * 4, total = weir_be16(header + 2);
	uint16_t fragment = weir_be16(header + 6);

	if (header[0] >> 4 != 4)
		return walk_lie(walk, REASON_IP_VERSION);
	if (size < 20)
		return walk_lie(walk, REASON_IP_HEADER);
	if (total && total < size)
		return walk_lie(walk, REASON_IP_LENGTH_SHORT);
	if (total)
		walk_narrow(walk, (uint64_t)walk->at + total, REASON_IP_LENGTH);
	if (!walk_has(walk, size))
		return PROTO_NONE;
	walk->at += size;
	if (fragment & (IP_MORE | IP_OFFSET))
		walk_is_fragment(walk);
	if (fragment & IP_MORE)
		walk->is_partial = true;
	return fragment & IP_OFFSET ? PROTO_DATA : walk_by_ip(header[9]);
}

// A payload length of 0: nothing is behind the header, or hop-by-hop options tell a larger one (walk_hopopts), or the
// packet is too long for it and waits to be cut into segments.
enum protocol walk_ipv6(struct walk *walk, const uint8_t *header)
{
	uint32_t payload = weir_be16(header + 4);
	uint64_t end = (uint64_t)walk->at + IPV6_FIXED + payload;
	bool is_jumbo = !payload && (header[6] == 0 || walk->wire_end > end + UINT16_MAX);

	if (header[0] >> 4 != 6)
		return walk_lie(walk, REASON_IPV6_VERSION);
	if (!is_jumbo)
		walk_narrow(walk, end, REASON_IPV6_LENGTH);
	walk->at += IPV6_FIXED;
	return walk_by_ipv6(header[6]);
}

enum protocol walk_extension(struct walk *walk, const uint8_t *header)
{
	uint32_t size = (header[1] + 1u) * 8;

	if (!walk_has(walk, size))
		return PROTO_NONE;
	walk->at += size;
	return walk_by_ipv6(header[0]);
}

enum { OPTION_PAD1 = 0,
	OPTION_JUMBO = 0xc2 };

static uint32_t jumbo_length(const uint8_t *header, uint32_t size)
{
	for (uint32_t at = 2; at + 2 <= size; at += header[at] == OPTION_PAD1 ? 1 : 2u + header[at + 1])
		if (header[at] == OPTION_JUMBO && header[at + 1] == 4 && at + 6 <= size)
			return weir_be32(header + at + 2);
	return 0;
}

enum protocol walk_hopopts(struct walk *walk, const uint8_t *header)
{
	uint32_t at = walk->at, size = (header[1] + 1u) * 8, jumbo;

	if (!walk_has(walk, size))
		return PROTO_NONE;
	if (walk->inside == PROTO_IPV6 && !weir_be16(header - IPV6_FIXED + 4)) {
		jumbo = jumbo_length(header, size);
		if (jumbo < size)
			return walk_lie(walk, REASON_IPV6_JUMBO);
		walk_narrow(walk, (uint64_t)at + jumbo, REASON_IPV6_JUMBO);
	}
	return walk_extension(walk, header);
}

enum protocol walk_fragment(struct walk *walk, const uint8_t *header)
{
	uint16_t fragment = weir_be16(header + 2);

	walk->at += 8;
	if (fragment & 0xfff9)
		walk_is_fragment(walk);
	if (fragment & 1)
		walk->is_partial = true;
	return fragment & 0xfff8 ? PROTO_DATA : walk_by_ipv6(header[0]);
}

enum protocol walk_ah(struct walk *walk, const uint8_t *header)
{
	uint32_t size = (header[1] + 2u) * 4;

	if (size < 12)
		return walk_lie(walk, REASON_AH_LENGTH);
	if (!walk_has(walk, size))
		return PROTO_NONE;
	walk->at += size;
	return walk_by_ipv6(header[0]);
}

// ---- ICMP: errors quote the packet that caused them

// `length`: of the quote, where extensions may follow it; 0: to the end.
static enum protocol quote(struct walk *walk, enum protocol protocol, uint32_t length)
{
	walk->at += 8;
	walk->is_quoted = walk->is_partial = true;
	walk->quote_end = length ? walk->at + length : 0;
	return walk->at < walk->end ? protocol : PROTO_DATA;
}

enum { UNREACHABLE = 3,
	QUENCH = 4,
	REDIRECT = 5,
	EXCEEDED = 11,
	PARAMETER = 12 };

// Which messages have an identifier and a sequence number: echo, time stamps, information and address masks.
static bool has_identifier(uint8_t type)
{
	return type == 0 || type == 8 || (type >= 13 && type <= 18);
}

enum protocol walk_icmp(struct walk *walk, const uint8_t *header)
{
	uint32_t at = walk->at;

	if (has_identifier(header[0]))
		walk_part(walk, PROTO_ICMP_ECHO, at, 8);
	if (header[0] == UNREACHABLE && header[1] == 4)
		walk_part(walk, PROTO_ICMP_MTU, at, 8);
	if (header[0] == REDIRECT)
		walk_part(walk, PROTO_ICMP_GATEWAY, at, 8);
	switch (header[0]) {
	case UNREACHABLE:
	case EXCEEDED:
	case PARAMETER: return quote(walk, PROTO_IP, header[5] * 4u);
	case QUENCH:
	case REDIRECT: return quote(walk, PROTO_IP, 0);
	}
	walk->at += 8;
	return PROTO_DATA;
}

enum { TOO_BIG = 2,
	ECHO_REQUEST = 128,
	ECHO_REPLY = 129,
	SOLICITATION = 135,
	ADVERTISEMENT = 136 };

enum protocol walk_icmpv6(struct walk *walk, const uint8_t *header)
{
	uint32_t at = walk->at;

	if (header[0] == ECHO_REQUEST || header[0] == ECHO_REPLY)
		walk_part(walk, PROTO_ICMPV6_ECHO, at, 8);
	if (header[0] == TOO_BIG)
		walk_part(walk, PROTO_ICMPV6_MTU, at, 8);
	if (header[0] == SOLICITATION)
		walk_part(walk, PROTO_ICMPV6_SOLICITED, at, 24);
	if (header[0] == ADVERTISEMENT)
		walk_part(walk, PROTO_ICMPV6_ADVERTISED, at, 24);
	if (header[0] >= 1 && header[0] <= 4)
		return quote(walk, PROTO_IPV6, header[0] == 1 || header[0] == 3 ? header[4] * 8u : 0);
	walk->at += 8;
	return PROTO_DATA;
}

enum { IGMP_REPORTS = 0x22 }; // of version 3: groups are in its records

enum protocol walk_igmp(struct walk *walk, const uint8_t *header)
{
	if (header[0] != IGMP_REPORTS)
		walk_part(walk, PROTO_IGMP_GROUP, walk->at, 8);
	walk->at += 8;
	return PROTO_DATA;
}
