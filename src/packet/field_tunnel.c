// SPDX-License-Identifier: Apache-2.0
// Fields of headers that have whole packets in them.
#include "packet/field_table.h"

const struct field field_tunnel[] = {
	PRESENCE("pppoes", PROTO_PPPOE, "PPPoE session"),
	BITS("pppoe.version", 1, PROTO_PPPOE, 0, 1, 4, 15, READ_ONLY, "version"),
	BITS("pppoe.type", 1, PROTO_PPPOE, 0, 1, 0, 15, READ_ONLY, "type"),
	U16("pppoe.session_id", PROTO_PPPOE, 2, WRITABLE(NONE), "session"),
	U16("pppoe.payload_length", PROTO_PPPOE, 4, READ_ONLY, "bytes behind the header"),
	PRESENCE("pppoed", PROTO_PPPOED, "PPPoE discovery"),
	U8("pppoe.code", PROTO_PPPOED, 1, READ_ONLY, "what it asks or answers"),

	PRESENCE("mpls", PROTO_MPLS, "MPLS label"),
	BITS("mpls.label", 4, PROTO_MPLS, 0, 4, 12, 0xfffff, WRITABLE(NONE), "label"),
	BITS("mpls.exp", 1, PROTO_MPLS, 2, 1, 1, 7, WRITABLE(NONE), "traffic class"),
	BITS("mpls.bottom", 1, PROTO_MPLS, 2, 1, 0, 1, READ_ONLY, "last of the stack"),
	U8("mpls.ttl", PROTO_MPLS, 3, WRITABLE(NONE), "time to live"),

	PRESENCE("gre", PROTO_GRE, "GRE"),
	U16("gre.flags_and_version", PROTO_GRE, 0, READ_ONLY, "flags and version"),
	FLAG("gre.flags.checksum", PROTO_GRE, 0, 7, READ_ONLY, "has a checksum"),
	FLAG("gre.flags.routing", PROTO_GRE, 0, 6, READ_ONLY, "has source routes"),
	FLAG("gre.flags.key", PROTO_GRE, 0, 5, READ_ONLY, "has a key"),
	FLAG("gre.flags.sequence_number", PROTO_GRE, 0, 4, READ_ONLY, "has a sequence number"),
	BITS("gre.flags.version", 1, PROTO_GRE, 1, 1, 0, 7, READ_ONLY, "version"),
	U16("gre.proto", PROTO_GRE, 2, READ_ONLY, "type of what is in it"),
	U16("gre.checksum", PROTO_GRE_CHECKSUM, 0, READ_ONLY, "checksum"),
	U32("gre.key", PROTO_GRE_KEY, 0, READ_ONLY, "key"),
	U32("gre.sequence_number", PROTO_GRE_SEQUENCE, 0, READ_ONLY, "sequence number"),

	PRESENCE("vxlan", PROTO_VXLAN, "VXLAN, over UDP port 4789"),
	U16("vxlan.flags", PROTO_VXLAN, 0, READ_ONLY, "flags"),
	U16("vxlan.gbp", PROTO_VXLAN, 2, READ_ONLY, "group policy"),
	BITS("vxlan.vni", 4, PROTO_VXLAN, 4, 4, 8, 0xffffff, READ_ONLY, "network"),

	PRESENCE("geneve", PROTO_GENEVE, "Geneve, over UDP port 6081"),
	BITS("geneve.version", 1, PROTO_GENEVE, 0, 1, 6, 3, READ_ONLY, "version"),
	FLAG("geneve.flags.oam", PROTO_GENEVE, 1, 7, READ_ONLY, "for the tunnel's end itself"),
	FLAG("geneve.flags.critical", PROTO_GENEVE, 1, 6, READ_ONLY, "has options that must be understood"),
	U16("geneve.proto_type", PROTO_GENEVE, 2, READ_ONLY, "type of what is in it"),
	BITS("geneve.vni", 4, PROTO_GENEVE, 4, 4, 8, 0xffffff, READ_ONLY, "network"),

	PRESENCE("gtp", PROTO_GTP, "GTP-U, over UDP port 2152"),
	U8("gtp.flags", PROTO_GTP, 0, READ_ONLY, "flags"),
	U8("gtp.message", PROTO_GTP, 1, READ_ONLY, "type; 255: a packet is in it"),
	U16("gtp.length", PROTO_GTP, 2, READ_ONLY, "bytes behind the first 8"),
	U32("gtp.teid", PROTO_GTP, 4, READ_ONLY, "tunnel end point"),
	U16("gtp.seq_number", PROTO_GTP_SEQUENCE, 8, READ_ONLY, "sequence number"),
};
const unsigned field_tunnel_count = sizeof(field_tunnel) / sizeof(*field_tunnel);
