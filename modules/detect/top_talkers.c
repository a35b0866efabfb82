// SPDX-License-Identifier: Apache-2.0
// TopTalkers - tells whose connections have moved most bytes, window by window
#include "detect.h"

enum { MOST = 100 };
struct talker { struct weir_addr host; uint64_t bytes; uint32_t rank; };
WEIR_EVENT(talker_found, "toptalkers.host", struct talker, .layer = WEIR_L3, .per = WEIR_PER_HOST,
	.about = "one of those whose connections have moved most bytes in a window that is over",
	WEIR_PARTS(WEIR_PART(talker, rank, "toptalkers.rank"), WEIR_PART(talker, host, "ip.addr"),
		WEIR_PART(talker, host, "ipv6.addr"), WEIR_PART(talker, bytes, "toptalkers.bytes")));

struct top_talkers {
	uint32_t most, window_s;
	bool servers;
	int32_t flows; // that go on: with the last one the window is over, too, for a capture's end takes no time
	WEIR_TABLE(struct weir_addr, uint64_t) bytes;
	struct weir_timer end;
	WEIR_SIGNAL(talker_found) found;
};

static enum weir_verdict window_ended(struct weir_event *event)
{
	struct top_talkers *self = weir_self(event);
	struct talker top[MOST + 1];
	const struct weir_addr *host;
	uint32_t place = 0, count = 0, at;

	for (uint64_t *bytes; (bytes = weir_table_next(self->bytes, &place, &host)); count += count < self->most) {
		for (at = count; at && top[at - 1].bytes < *bytes; at--)
			top[at] = top[at - 1];
		top[at] = (struct talker){ *host, *bytes, 0 };
		weir_table_forget(self->bytes, bytes);
	}
	for (at = 0; at < count; at++)
		weir_raise(event, self->found, &(struct talker){ top[at].host, top[at].bytes, at + 1 });
	weir_timer_set(&self->end, 0);
	return WEIR_PASS;
}

static enum weir_verdict packet_came(struct weir_event *event)
{
	struct top_talkers *self = weir_self(event);

	if (!event->flow)
		return WEIR_PASS;
	*weir_table_at(self->bytes, self->servers ? weir_server(event) : weir_client(event)) +=
		event->vector->length[event->slot];
	if (!self->end.due_ns)
		weir_timer_set(&self->end, weir_now_ns(event) + self->window_s * UINT64_C(1000000000));
	return WEIR_PASS;
}

static enum weir_verdict flow_changed(struct weir_event *event) // flow.ended has a payload
{
	struct top_talkers *self = weir_self(event);

	self->flows += event->payload ? -1 : 1;
	return self->flows > 0 || !self->end.due_ns ? WEIR_PASS : window_ended(event);
}

WEIR_CLASS(TopTalkers, top_talkers,
	.about = "tells whose connections have moved most bytes", .by = WEIR_CLIENT,
	WEIR_MEMBERS(WEIR_SETTING(top_talkers, most, "10", .min = 1, .max = MOST, .about = "so many hosts"),
		WEIR_SETTING(top_talkers, window_s, "10", .min = 1, .max = 86400, .about = "in windows of so long"),
		WEIR_SETTING(top_talkers, servers, "false", .about = "servers in place of clients"),
		WEIR_KEEPS(top_talkers, bytes, .rows = 1 << 18), WEIR_TIMER(top_talkers, end, window_ended),
		WEIR_RAISES(top_talkers, found, talker_found)),
	WEIR_HANDLERS(WEIR_ON(packet_received, packet_came), WEIR_ON(flow_started, flow_changed),
		WEIR_ON(flow_ended, flow_changed)));
