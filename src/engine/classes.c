// SPDX-License-Identifier: Apache-2.0
#include "engine/classes.h"

static const struct platform_class both = { PLATFORM_PORT, PORT_BOTH }, receives = { PLATFORM_PORT, PORT_RECEIVE },
				   sends = { PLATFORM_PORT, PORT_SEND }, observes = { PLATFORM_OBSERVER, 0 };

static const struct weir_member port_members[] = {
	WEIR_SETTING(port_element, device, "",
		.about =
			"what it is bound to: eth0, af_xdp:eth0, tap:weir0, file.pcap; empty: by -i and -o"),
	WEIR_SETTING(port_element, side, "", .about = "a name for the network behind it"),
	{ .kind = WEIR_END },
};

static const struct weir_member from_members[] = {
	WEIR_SETTING(port_element, device, "", .about = "the capture to read; - is standard input; empty: by -i"),
	{ .kind = WEIR_END },
};

static const struct weir_member to_members[] = {
	WEIR_SETTING(port_element, device, "",
		.about =
			"the capture to write (.pcap or .pcapng); - is standard output; empty: by -o"),
	{ .kind = WEIR_END },
};

static const struct weir_member observer_members[] = {
	WEIR_SETTING(observer_element, file, "-", .about = "where to; - is standard output"),
	WEIR_SETTING(observer_element, events, "*",
		.about = "names or globs: \"flow.ended synguard.*\""),
	WEIR_SETTING(observer_element, fields, "",
		.about = "fields of the packet to be shown with each: \"ip.src ip.dst\""),
	WEIR_SETTING(observer_element, where, "",
		.about = "a filter on packet fields and the event's own"),
	{ .kind = WEIR_END },
};

static const uint64_t leads_nowhere[] = { 0 };

static const struct weir_class port = {
	.name = "Port",
	.about = "an interface: what it receives enters here, what reaches it is sent",
	.self_size = sizeof(struct port_element),
	.members = port_members,
	.by = WEIR_ANY,
	.paths = leads_nowhere,
	WEIR_INPUTS("?"),
	WEIR_OUTPUTS("?"),
	.platform = &both,
};

static const struct weir_class from_dump = {
	.name = "FromDump",
	.about = "reads a capture (pcap or pcapng); its packets enter here, at the time they were captured",
	.self_size = sizeof(struct port_element),
	.members = from_members,
	.by = WEIR_ANY,
	.no_inputs = true,
	.platform = &receives,
};

static const struct weir_class to_dump = {
	.name = "ToDump",
	.about = "writes a capture (pcap or pcapng, by the file's name)",
	.self_size = sizeof(struct port_element),
	.members = to_members,
	.by = WEIR_ANY,
	.paths = leads_nowhere,
	.no_outputs = true,
	.platform = &sends,
};

static const struct weir_class json_log = {
	.name = "JsonLog",
	.about = "writes events as JSON, one a line",
	.self_size = sizeof(struct observer_element),
	.members = observer_members,
	.by = WEIR_ANY,
	.no_inputs = true,
	.no_outputs = true,
	.platform = &observes,
};

const struct weir_module engine_module = {
	.abi = WEIR_ABI,
	.vector = WEIR_VECTOR,
	.name = "port",
	.version = "0.1.0",
	.classes = (const struct weir_class *const[]){ &port, &from_dump, &to_dump, &json_log, NULL },
};
