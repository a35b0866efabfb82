// SPDX-License-Identifier: Apache-2.0
// What protocols are called, to which layer their headers belong, and which are parts of others. How their headers are
// read is told in locate_*.c, how their fields are called in field_*.c.
#include "packet/protocol.h"

struct description {
	const char *name;
	enum protocol part_of;
	uint8_t layer;
};

static const struct description descriptions[PROTOCOLS] = {
	[PROTO_NONE] = { "", 0, 0 },
	[PROTO_FRAME] = { "frame", 0, 0 },
	[PROTO_ETH] = { "eth", 0, 2 },
	[PROTO_VLAN] = { "vlan", 0, 2 },
	[PROTO_SLL] = { "sll", 0, 2 },
	[PROTO_SLL2] = { "sll2", 0, 2 },
	[PROTO_NULL] = { "null", 0, 2 },
	[PROTO_PPP] = { "ppp", 0, 2 },
	[PROTO_CHDLC] = { "chdlc", 0, 2 },
	[PROTO_RAW] = { "raw", 0, 2 },
	[PROTO_PPPOE] = { "pppoes", 0, 2 },
	[PROTO_PPPOED] = { "pppoed", 0, 2 },
	[PROTO_MPLS] = { "mpls", 0, 2 },
	[PROTO_LLC] = { "llc", 0, 2 },
	[PROTO_ARP] = { "arp", 0, 3 },
	[PROTO_IP] = { "ip", 0, 3 },
	[PROTO_IPV6] = { "ipv6", 0, 3 },
	[PROTO_HOPOPTS] = { "ipv6.hopopts", 0, 3 },
	[PROTO_ROUTING] = { "ipv6.routing", 0, 3 },
	[PROTO_DSTOPTS] = { "ipv6.dstopts", 0, 3 },
	[PROTO_IPV6_EXT] = { "ipv6.ext", 0, 3 },
	[PROTO_IPV6_FRAGMENT] = { "ipv6.fraghdr", 0, 3 },
	[PROTO_AH] = { "ah", 0, 3 },
	[PROTO_ESP] = { "esp", 0, 3 },
	[PROTO_ICMP] = { "icmp", 0, 4 },
	[PROTO_ICMPV6] = { "icmpv6", 0, 4 },
	[PROTO_IGMP] = { "igmp", 0, 4 },
	[PROTO_TCP] = { "tcp", 0, 4 },
	[PROTO_UDP] = { "udp", 0, 4 },
	[PROTO_UDPLITE] = { "udplite", 0, 4 },
	[PROTO_SCTP] = { "sctp", 0, 4 },
	[PROTO_GRE] = { "gre", 0, 4 },
	[PROTO_VXLAN] = { "vxlan", 0, 4 },
	[PROTO_GENEVE] = { "geneve", 0, 4 },
	[PROTO_GTP] = { "gtp", 0, 4 },
	[PROTO_DATA] = { "data", 0, 0 },

	[PROTO_ETH_TYPE] = { "eth", PROTO_ETH, 2 },
	[PROTO_ETH_LENGTH] = { "eth", PROTO_ETH, 2 },
	[PROTO_VLAN_TYPE] = { "vlan", PROTO_VLAN, 2 },
	[PROTO_VLAN_LENGTH] = { "vlan", PROTO_VLAN, 2 },
	[PROTO_LLC_SNAP] = { "llc", PROTO_LLC, 2 },
	[PROTO_PPP_ADDRESS] = { "ppp", PROTO_PPP, 2 },
	[PROTO_PPP_TYPE] = { "ppp", PROTO_PPP, 2 },
	[PROTO_ARP_IPV4] = { "arp", PROTO_ARP, 3 },
	[PROTO_ICMP_ECHO] = { "icmp", PROTO_ICMP, 4 },
	[PROTO_ICMP_MTU] = { "icmp", PROTO_ICMP, 4 },
	[PROTO_ICMP_GATEWAY] = { "icmp", PROTO_ICMP, 4 },
	[PROTO_ICMPV6_ECHO] = { "icmpv6", PROTO_ICMPV6, 4 },
	[PROTO_ICMPV6_MTU] = { "icmpv6", PROTO_ICMPV6, 4 },
	[PROTO_ICMPV6_SOLICITED] = { "icmpv6", PROTO_ICMPV6, 4 },
	[PROTO_ICMPV6_ADVERTISED] = { "icmpv6", PROTO_ICMPV6, 4 },
	[PROTO_IGMP_GROUP] = { "igmp", PROTO_IGMP, 4 },
	[PROTO_TCP_REST] = { "tcp", PROTO_TCP, 4 },
	[PROTO_TCP_PAYLOAD] = { "tcp", PROTO_TCP, 4 },
	[PROTO_UDP_PAYLOAD] = { "udp", PROTO_UDP, 4 },
	[PROTO_SCTP_REST] = { "sctp", PROTO_SCTP, 4 },
	[PROTO_GRE_CHECKSUM] = { "gre", PROTO_GRE, 4 },
	[PROTO_GRE_KEY] = { "gre", PROTO_GRE, 4 },
	[PROTO_GRE_SEQUENCE] = { "gre", PROTO_GRE, 4 },
	[PROTO_GTP_SEQUENCE] = { "gtp", PROTO_GTP, 4 },
};

const char *protocol_name(enum protocol protocol)
{
	return descriptions[protocol].name;
}

enum protocol protocol_whole(enum protocol protocol)
{
	return descriptions[protocol].part_of ? descriptions[protocol].part_of : protocol;
}

unsigned protocol_layer(enum protocol protocol)
{
	return descriptions[protocol].layer;
}
