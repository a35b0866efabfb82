// SPDX-License-Identifier: Apache-2.0
// The protocols whose headers the decoder knows. A protocol is one entry in protocol.c's table and, where its header
// has no fixed form, one small function.
#ifndef PACKET_PROTOCOL_H
#define PACKET_PROTOCOL_H

#include <stdint.h>

enum protocol {
	PROTO_NONE,
	PROTO_FRAME, // what every packet has: length, time, port
	PROTO_ETH,
	PROTO_VLAN, // 802.1Q and 802.1ad; the n-th tag is occurrence n
	PROTO_SLL,
	PROTO_SLL2,
	PROTO_NULL, // BSD loopback, of either byte order
	PROTO_PPP,
	PROTO_CHDLC,
	PROTO_RAW, // IPv4 or IPv6 without anything before it
	PROTO_PPPOE,
	PROTO_PPPOED, // PPPoE discovery
	PROTO_MPLS,
	PROTO_LLC,
	PROTO_ARP,
	PROTO_IP,
	PROTO_IPV6,
	PROTO_HOPOPTS, // IPv6 hop-by-hop options
	PROTO_ROUTING,
	PROTO_DSTOPTS,
	PROTO_IPV6_EXT, // other extension headers of IPv6: mobility, HIP, shim6
	PROTO_IPV6_FRAGMENT,
	PROTO_AH,
	PROTO_ESP,
	PROTO_ICMP,
	PROTO_ICMPV6,
	PROTO_IGMP,
	PROTO_TCP,
	PROTO_UDP,
	PROTO_UDPLITE,
	PROTO_SCTP,
	PROTO_GRE,
	PROTO_VXLAN,
	PROTO_GENEVE,
	PROTO_GTP,
	PROTO_DATA, // what is behind the last known header

	// Parts: what only some headers of a protocol have. A part counts as its header does:
	// gre.key#2 is the key of the
	// second GRE header, if it has one.
	PROTO_ETH_TYPE,
	PROTO_ETH_LENGTH, // 802.3
	PROTO_VLAN_TYPE,
	PROTO_VLAN_LENGTH,
	PROTO_LLC_SNAP,
	PROTO_PPP_ADDRESS,
	PROTO_PPP_TYPE,
	PROTO_ARP_IPV4, // addresses of Ethernet and IPv4
	PROTO_ICMP_ECHO, // identifier and sequence number
	PROTO_ICMP_MTU, // fragmentation needed
	PROTO_ICMP_GATEWAY, // redirect
	PROTO_ICMPV6_ECHO,
	PROTO_ICMPV6_MTU, // packet too big
	PROTO_ICMPV6_SOLICITED, // neighbour solicitation: target
	PROTO_ICMPV6_ADVERTISED, // neighbour advertisement: flags, target
	PROTO_IGMP_GROUP,
	PROTO_TCP_REST, // what is behind the first 8 bytes, which are all that some ICMP errors quote
	PROTO_TCP_PAYLOAD,
	PROTO_UDP_PAYLOAD,
	PROTO_SCTP_REST,
	PROTO_GRE_CHECKSUM,
	PROTO_GRE_KEY,
	PROTO_GRE_SEQUENCE,
	PROTO_GTP_SEQUENCE,
	PROTOCOLS,
};

const char *protocol_name(enum protocol protocol); // Wireshark's: "ip"; of a part that of its header
enum protocol protocol_whole(enum protocol protocol); // the header that a part is a part of; else itself
unsigned protocol_layer(enum protocol protocol); // 2, 3 or 4; 0: what is in no header

#endif
