// SPDX-License-Identifier: Apache-2.0
// Fields of frames and of links.
#include "packet/field_table.h"

static const char *const eth_addr[] = { "eth.dst", "eth.src", NULL };
static const char *const eth_ig[] = { "eth.dst.ig", "eth.src.ig", NULL };
static const char *const eth_lg[] = { "eth.dst.lg", "eth.src.lg", NULL };

const struct field field_link[] = {
	PRESENCE("frame", PROTO_FRAME, "every packet"),
	COMPUTED("frame.len", UINT, 4, PROTO_FRAME, COMPUTE_FRAME_LEN, "length on the wire"),
	COMPUTED("frame.cap_len", UINT, 4, PROTO_FRAME, COMPUTE_FRAME_CAP_LEN, "length that is there"),
	COMPUTED("frame.time_epoch", TIME, 8, PROTO_FRAME, COMPUTE_FRAME_TIME, "when it came, since 1970"),
	COMPUTED("weir.network", UINT, 2, PROTO_FRAME, COMPUTE_NOTHING,
		"where the first ARP, IPv4 or IPv6 header begins"),
	COMPUTED("weir.transport", UINT, 2, PROTO_FRAME, COMPUTE_NOTHING,
		"where the first TCP, UDP, UDP-Lite, SCTP, ICMP or ICMPv6 header begins"),

	PRESENCE("eth", PROTO_ETH, "Ethernet"),
	ETHER("eth.dst", PROTO_ETH, 0, WRITABLE(NONE), "destination"),
	ETHER("eth.src", PROTO_ETH, 6, WRITABLE(NONE), "source"),
	ALIAS("eth.addr", ETHER, 8, PROTO_ETH, eth_addr, "destination or source"),
	U16("eth.type", PROTO_ETH_TYPE, 12, WRITABLE(NONE), "type of what is in it"),
	U16("eth.len", PROTO_ETH_LENGTH, 12, READ_ONLY, "length, of 802.3 frames"),
	FLAG("eth.dst.ig", PROTO_ETH, 0, 0, WRITABLE(NONE), "destination is a group"),
	FLAG("eth.src.ig", PROTO_ETH, 6, 0, WRITABLE(NONE), "source is a group"),
	FLAG("eth.dst.lg", PROTO_ETH, 0, 1, WRITABLE(NONE), "destination is locally administered"),
	FLAG("eth.src.lg", PROTO_ETH, 6, 1, WRITABLE(NONE), "source is locally administered"),
	ALIAS("eth.ig", BOOL, 0, PROTO_ETH, eth_ig, "destination or source is a group"),
	ALIAS("eth.lg", BOOL, 0, PROTO_ETH, eth_lg, "destination or source is locally administered"),

	PRESENCE("vlan", PROTO_VLAN, "VLAN tag, 802.1Q or 802.1ad"),
	BITS("vlan.id", 2, PROTO_VLAN, 0, 2, 0, 0xfff, WRITABLE(NONE), "VLAN"),
	BITS("vlan.priority", 1, PROTO_VLAN, 0, 1, 5, 7, WRITABLE(NONE), "priority"),
	FLAG("vlan.dei", PROTO_VLAN, 0, 4, WRITABLE(NONE), "may be dropped first"),
	U16("vlan.etype", PROTO_VLAN_TYPE, 2, WRITABLE(NONE), "type of what is behind the tag"),
	U16("vlan.len", PROTO_VLAN_LENGTH, 2, READ_ONLY, "length, of 802.3 frames"),

	PRESENCE("llc", PROTO_LLC, "logical link control"),
	U8("llc.dsap", PROTO_LLC, 0, READ_ONLY, "destination service"),
	U8("llc.ssap", PROTO_LLC, 1, READ_ONLY, "source service"),
	U16("llc.type", PROTO_LLC_SNAP, 6, READ_ONLY, "Ethernet's type, of SNAP"),

	PRESENCE("sll", PROTO_SLL, "Linux cooked capture"),
	U16("sll.pkttype", PROTO_SLL, 0, READ_ONLY, "to whom it was sent"),
	U16("sll.hatype", PROTO_SLL, 2, READ_ONLY, "type of the link"),
	U16("sll.halen", PROTO_SLL, 4, READ_ONLY, "length of the sender's address"),
	U16("sll.etype", PROTO_SLL, 14, READ_ONLY, "type of what is in it"),
	PRESENCE("sll2", PROTO_SLL2, "Linux cooked capture, version 2"),
	U32("sll.ifindex", PROTO_SLL2, 4, READ_ONLY, "interface"),

	PRESENCE("null", PROTO_NULL, "BSD loopback"),
	PRESENCE("raw", PROTO_RAW, "IP without a link"),
	PRESENCE("chdlc", PROTO_CHDLC, "Cisco HDLC"),
	U8("chdlc.address", PROTO_CHDLC, 0, READ_ONLY, "address"),
	U16("chdlc.protocol", PROTO_CHDLC, 2, READ_ONLY, "type of what is in it"),

	PRESENCE("ppp", PROTO_PPP, "point-to-point protocol"),
	U8("ppp.address", PROTO_PPP_ADDRESS, 0, READ_ONLY, "address"),
	U8("ppp.control", PROTO_PPP_ADDRESS, 1, READ_ONLY, "control"),
	U16("ppp.protocol", PROTO_PPP_TYPE, 0, READ_ONLY, "type of what is in it"),
};
const unsigned field_link_count = sizeof(field_link) / sizeof(*field_link);
