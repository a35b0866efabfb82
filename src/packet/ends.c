// SPDX-License-Identifier: Apache-2.0
#include "packet/ends.h"

#include <netinet/in.h>
#include <weir.h>

enum { IP_FIXED = 20,
	IPV6_FIXED = 40,
	IP_FRAGMENT = 0x3fff, // more follow, or it is not the first
	IP_OFFSET = 0x1fff,
	IPV6_IS_FRAGMENT = 0xfff9,
	IPV6_OFFSET = 0xfff8,
	ICMP_HEADER = 8,
	TRANSPORT_LEAST = 8, // of a transport header, in a quote
	MOST_EXTENSIONS = 8 };

// ---- transport

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
		protocol == IPPROTO_UDPLITE;
}

static void read_transport(struct ends *ends, const uint8_t *transport, const uint8_t *end)
{
	if (transport > end || end - transport < 4)
		return;
	ends->transport = transport;
	ends->has_ports = has_ports(ends->protocol);
	if (!ends->has_ports)
		return;
	ends->source_port = weir_be16(transport);
	ends->destination_port = weir_be16(transport + 2);
}

// ---- network

static bool read_ip4(struct ends *ends, const uint8_t *ip, const uint8_t *end)
{
	uint16_t fragment;

	if (end - ip < IP_FIXED || ip[0] < 0x45 || ip[0] > 0x4f)
		return false;
	fragment = weir_be16(ip + 6);
	*ends = (struct ends){ .source = ip + 12,
		.destination = ip + 16,
		.size = 4,
		.protocol = ip[9],
		.is_fragment = fragment & IP_FRAGMENT,
		.identification = weir_be16(ip + 4) };
	if (!(fragment & IP_OFFSET))
		read_transport(ends, ip + (ip[0] & 15) * 4u, end);
	return true;
}

// Over the extension headers that stand in front of the transport header; false: it is in another fragment.
static bool skip_extensions(struct ends *ends, const uint8_t **next, const uint8_t *end)
{
	for (unsigned i = 0; i < MOST_EXTENSIONS && end - *next >= 8; i++) {
		const uint8_t *header = *next;

		if (ends->protocol != IPPROTO_HOPOPTS && ends->protocol != IPPROTO_ROUTING &&
			ends->protocol != IPPROTO_DSTOPTS && ends->protocol != IPPROTO_FRAGMENT)
			break;
		if (ends->protocol == IPPROTO_FRAGMENT) {
			ends->is_fragment = weir_be16(header + 2) & IPV6_IS_FRAGMENT;
			ends->identification = weir_be32(header + 4);
		}
		if (ends->protocol == IPPROTO_FRAGMENT && weir_be16(header + 2) & IPV6_OFFSET)
			return false;
		*next += ends->protocol == IPPROTO_FRAGMENT ? 8 : 8 + header[1] * 8;
		ends->protocol = header[0];
		if (*next > end)
			return false;
	}
	return true;
}

static bool read_ip6(struct ends *ends, const uint8_t *ip, const uint8_t *end)
{
	const uint8_t *next = ip + IPV6_FIXED;

	if (end - ip < IPV6_FIXED || ip[0] >> 4 != 6)
		return false;
	*ends = (struct ends){ .source = ip + 8, .destination = ip + 24, .size = 16, .protocol = ip[6] };
	if (skip_extensions(ends, &next, end))
		read_transport(ends, next, end);
	return true;
}

bool ends_read(struct ends *ends, const uint8_t *ip, const uint8_t *end, bool is_ipv6)
{
	return is_ipv6 ? read_ip6(ends, ip, end) : read_ip4(ends, ip, end);
}

// ---- ICMP errors

bool ends_is_error(bool is_ipv6, uint8_t type)
{
	return is_ipv6 ? type >= 1 && type <= 4
		       : type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

bool ends_read_quoted(struct ends *ends, const uint8_t *icmp, const uint8_t *end, bool is_ipv6)
{
	if (end - icmp < ICMP_HEADER || !ends_is_error(is_ipv6, icmp[0]) ||
		!ends_read(ends, icmp + ICMP_HEADER, end, is_ipv6))
		return false;
	return ends->transport && end - ends->transport >= TRANSPORT_LEAST;
}
