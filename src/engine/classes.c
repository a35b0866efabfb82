// SPDX-License-Identifier: Apache-2.0
#include "engine/classes.h"

#include "engine/observe_write.h"
#include "flow/pieces.h"

static const struct platform_class both = { PLATFORM_PORT, PORT_BOTH }, receives = { PLATFORM_PORT, PORT_RECEIVE },
				   sends = { PLATFORM_PORT, PORT_SEND }, observes = { PLATFORM_OBSERVER, 0 },
				   tracks = { PLATFORM_TRACKER, 0 };

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
	WEIR_SETTING(observer_element, format, "json",
		.about = "json; lines: for people; colour: the same on a terminal"),
	WEIR_COUNTS(observer_element, lost,
		.about = "events that came faster than they could be written"),
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

static int start_log(struct weir_start *start, void *self)
{
	struct observer_element *settings = self;

	if (observe_format_find(settings->format) >= 0 && strcmp(settings->format, "streams"))
		return 0;
	return weir_refuse(start, -1, "format \"%s\" is none of: json lines colour", settings->format);
}

static const struct weir_class json_log = {
	.name = "JsonLog",
	.about = "writes events as JSON, one a line",
	.self_size = sizeof(struct observer_element),
	.members = observer_members,
	.by = WEIR_ANY,
	.no_inputs = true,
	.no_outputs = true,
	.start = start_log,
	.platform = &observes,
};

static const struct weir_member stream_members[] = {
	WEIR_SETTING(observer_element, file, WEIR_REQUIRED,
		.about = "the folder, empty or not there yet, with a file for each direction of each connection"),
	WEIR_SETTING(observer_element, where, "", .about = "a filter on packet fields and those of stream.data"),
	WEIR_SETTING(observer_element, most_files, "1M", .min = 1, .max = 100000000,
		.about = "streams beyond so many are errors"),
	WEIR_COUNTS(observer_element, streams, .about = "files that were begun"),
	WEIR_COUNTS(observer_element, bytes, .about = "bytes that were written"),
	WEIR_COUNTS(observer_element, errors, .about = "pieces of streams that could not be written"),
	WEIR_COUNTS(observer_element, lost, .about = "pieces that came faster than they could be written"),
	{ .kind = WEIR_END },
};

static int start_streams(struct weir_start *, void *self)
{
	static const char *const events[] = { "stream.data", "stream.closed" };
	struct observer_element *settings = self;

	settings->events = (struct weir_texts){ 2, events };
	settings->format = "streams";
	return 0;
}

static const struct weir_class stream_dump = {
	.name = "StreamDump",
	.about = "writes the bytes of each stream to a file of its own",
	.self_size = sizeof(struct observer_element),
	.members = stream_members,
	.by = WEIR_ANY,
	.no_inputs = true,
	.no_outputs = true,
	.start = start_streams,
	.platform = &observes,
};

static const struct weir_member tracker_members[] = {
	WEIR_SETTING(tracker_element, max_flows, "1M", .min = 1, .max = 1 << 26,
		.about = "flows of each family at most; the next one takes the place of the one that matters least;"
			 " fixed while it runs"),
	WEIR_SETTING(tracker_element, vlan, "false",
		.about = "what is in two VLANs are two flows: the outermost tag's number tells them apart; when a"
			 " running graph changes this, or tunnel, all flows end and begin anew"),
	WEIR_SETTING(tracker_element, tunnel, "false",
		.about = "likewise, in two tunnels: the number of the innermost one, be it VXLAN's or Geneve's network,"
			 " a GRE key or an MPLS label; where it differs by direction, each is a flow of its own;"
			 " GTP-U's TEIDs count not, they always differ by direction"),
	WEIR_SETTING(tracker_element, hash, "false", .about = "stream.closed carries the SHA-256 of the stream"),
	WEIR_SETTING(tracker_element, overlap, "first",
		.about =
			"whose bytes count where segments differ: first last bsd linux old-linux solaris windows"),
	WEIR_SETTING(tracker_element, fragments, "linux",
		.about = "the same where fragments of an IPv4 datagram differ; of IPv6 none counts (RFC 5722)"),
	WEIR_SETTING(tracker_element, midstream, "true",
		.about = "TCP connections are tracked though their beginning was not seen; false: their packets"
			 " have no flow"),
	WEIR_SETTING(tracker_element, one_sided, "true",
		.about = "what one side does alone is believed (a SYN, then an ACK), for a capture may have one side"
			 " only; false: hosts that invent both open nothing"),
	WEIR_SETTING(tracker_element, half_open_s, "60", .min = 1, .max = 4000000,
		.about =
			"seconds without a packet after which a TCP connection that was never established ends"),
	WEIR_SETTING(tracker_element, open_s, "3600", .min = 1, .max = 4000000,
		.about = "the same, established"),
	WEIR_SETTING(tracker_element, closing_s, "120", .min = 1, .max = 4000000,
		.about = "the same, with one side closed"),
	WEIR_SETTING(tracker_element, closed_s, "10", .min = 1, .max = 4000000,
		.about = "the same, closed or reset: what is repeated still belongs to it"),
	WEIR_SETTING(tracker_element, udp_s, "180", .min = 1, .max = 4000000,
		.about = "the same for UDP"),
	WEIR_SETTING(tracker_element, icmp_s, "30", .min = 1, .max = 4000000,
		.about = "the same for ICMP"),
	WEIR_SETTING(tracker_element, other_s, "180", .min = 1, .max = 4000000,
		.about = "the same for all others"),
	WEIR_COUNTS(tracker_element, active, .about = "flows that there are"),
	WEIR_COUNTS(tracker_element, most,
		.about = "as many as there were at a time on each worker, their sum"),
	WEIR_COUNTS(tracker_element, added, .about = "flows that began"),
	WEIR_COUNTS(tracker_element, timed_out, .about = "flows that ended for want of packets"),
	WEIR_COUNTS(tracker_element, finished,
		.about = "TCP connections that were closed by both sides"),
	WEIR_COUNTS(tracker_element, reset, .about = "TCP connections that were reset"),
	WEIR_COUNTS(tracker_element, reused,
		.about = "TCP connections that ended because another one has the same ports"),
	WEIR_COUNTS(tracker_element, stopped, .about = "flows that ended because the program did"),
	WEIR_COUNTS(tracker_element, forgotten_dropped,
		.about = "flows forgotten for new ones, dropped by an element"),
	WEIR_COUNTS(tracker_element, forgotten_half_open,
		.about = "likewise, connections that were never established"),
	WEIR_COUNTS(tracker_element, forgotten_closing,
		.about = "likewise, connections that were being closed"),
	WEIR_COUNTS(tracker_element, forgotten_open,
		.about = "likewise, all others: max_flows is too small"),
	WEIR_COUNTS(tracker_element, streams, .about = "streams that were followed"),
	WEIR_COUNTS(tracker_element, gaps, .about = "holes in streams that were given up"),
	WEIR_COUNTS(tracker_element, lost_bytes,
		.about = "bytes that came early and found no room to wait"),
	WEIR_COUNTS(tracker_element, unremembered,
		.about = "streams that found no room for what was told of them"),
	WEIR_COUNTS(tracker_element, fragments_lost,
		.about = "datagrams that were never whole, or found no room"),
	{ .kind = WEIR_END },
};

static int check_policy(struct weir_start *start, const char *setting, const char *policy)
{
	if (overlap_policy_find(policy) >= 0)
		return 0;
	return weir_refuse(start, -1, "%s \"%s\" is none of: first last bsd linux old-linux solaris windows", setting,
		policy);
}

static int start_tracker(struct weir_start *start, void *self)
{
	struct tracker_element *settings = self;
	int err = check_policy(start, "overlap", settings->overlap);

	return err ? err : check_policy(start, "fragments", settings->fragments);
}

static const struct weir_class flow_tracker = {
	.name = "FlowTracker",
	.about = "sets how flows are tracked; connected, it also says where",
	.self_size = sizeof(struct tracker_element),
	.members = tracker_members,
	.by = WEIR_FLOW,
	WEIR_INPUTS("?"),
	WEIR_OUTPUTS("?"),
	.start = start_tracker,
	.platform = &tracks,
};

const struct weir_module engine_module = {
	.abi = WEIR_ABI,
	.vector = WEIR_VECTOR,
	.name = "port",
	.version = "0.1.0",
	.classes = (const struct weir_class *const[]){ &port, &from_dump, &to_dump, &json_log, &stream_dump,
		&flow_tracker, NULL },
};
