// SPDX-License-Identifier: Apache-2.0
// Hears what happens to flows, and decides about them.
#include <weir.h>

struct mine { // kept per flow
	uint32_t packets;
	uint64_t bytes[2];
};

struct ear {
	weir_counter started, ended, established, closed, reset, data, streams, late, unknown, wrong, aside;
	WEIR_PER_FLOW(struct mine)
	mine;
};

static enum weir_verdict start(struct weir_event *event)
{
	struct ear *self = weir_self(event);
	struct mine *mine = weir_flow_state(event->flow, self->mine);

	weir_count(&self->started);
	if (mine->packets || mine->bytes[0])
		weir_count(&self->wrong);
	mine->packets = 1;
	return WEIR_PASS;
}

static enum weir_verdict data(struct weir_event *event, const struct weir_stream_data *data)
{
	struct ear *self = weir_self(event);
	struct mine *mine = weir_flow_state(event->flow, self->mine);

	weir_count(&self->data);
	if (!mine->packets)
		weir_count(&self->unknown);
	if (!event->vector)
		weir_count(&self->aside);
	if (data->offset < mine->bytes[event->from_server])
		weir_count(&self->late);
	mine->bytes[event->from_server] += data->data.length;
	return WEIR_PASS;
}

static enum weir_verdict end_stream(struct weir_event *event, const struct weir_stream_end *end)
{
	struct ear *self = weir_self(event);

	weir_count(&self->streams);
	if (weir_flow_state(event->flow, self->mine)->bytes[event->from_server] != end->bytes)
		weir_count(&self->wrong);
	return WEIR_PASS;
}

static enum weir_verdict end(struct weir_event *event, const struct weir_flow_end *told)
{
	struct ear *self = weir_self(event);

	weir_count(&self->ended);
	if (event->vector || told->client_port != event->flow->client_port ||
		!weir_flow_state(event->flow, self->mine)->packets)
		weir_count(&self->wrong);
	return WEIR_PASS;
}

static enum weir_verdict established(struct weir_event *event)
{
	weir_count(&((struct ear *)weir_self(event))->established);
	return WEIR_PASS;
}

static enum weir_verdict closed(struct weir_event *event)
{
	weir_count(&((struct ear *)weir_self(event))->closed);
	return WEIR_PASS;
}

WEIR_CLASS(Ear, ear, .about = "counts what happens to flows",
	WEIR_MEMBERS(WEIR_COUNTS(ear, started), WEIR_COUNTS(ear, ended), WEIR_COUNTS(ear, established),
		WEIR_COUNTS(ear, closed), WEIR_COUNTS(ear, data), WEIR_COUNTS(ear, streams), WEIR_COUNTS(ear, late),
		WEIR_COUNTS(ear, unknown), WEIR_COUNTS(ear, wrong), WEIR_COUNTS(ear, aside), WEIR_STATE(ear, mine)),
	WEIR_HANDLERS(WEIR_ON(flow_started, start), WEIR_ON(stream_data, data), WEIR_ON(stream_closed, end_stream),
		WEIR_ON(flow_ended, end), WEIR_ON(tcp_established, established), WEIR_ON(tcp_closed, closed)));

struct judge {
	const char *verdict;
	weir_counter heard, refused;
};

static enum weir_verdict judge(struct weir_event *event)
{
	struct judge *self = weir_self(event);

	weir_count(&self->heard);
	if (!strcmp(self->verdict, "drop"))
		return weir_dropped(event, WEIR_DROP_FLOW, &self->refused);
	return !strcmp(self->verdict, "done") ? WEIR_DONE : WEIR_PASS;
}

static enum weir_verdict judge_end(struct weir_event *event, const struct weir_flow_end *told)
{
	(void)told;
	weir_count(&((struct judge *)weir_self(event))->heard);
	return WEIR_PASS;
}

WEIR_CLASS(Judge, judge, .about = "decides about TCP flows with their first packet",
	WEIR_MEMBERS(WEIR_SETTING(judge, verdict, "pass"), WEIR_COUNTS(judge, heard), WEIR_DROPS(judge, refused)),
	WEIR_HANDLERS(WEIR_ON(flow_started, judge, .where = "tcp.dstport == 80"),
		WEIR_ON(flow_ended, judge_end, .where = "tcp.dstport == 80")));

WEIR_MODULE("flowtest", "1.0.0", &Ear, &Judge);
