// SPDX-License-Identifier: Apache-2.0
// Hears aggregates that a graph defines, with the payload that the planner gives them.
#include <weir.h>

struct host_loud {
	struct weir_addr source;
	uint64_t value, error;
	struct weir_time start;
	struct weir_span duration;
};
WEIR_EVENT(host_loud, "host.loud", struct host_loud, .layer = WEIR_L2, .per = WEIR_PER_AGGREGATE,
	WEIR_PARTS(WEIR_PART(host_loud, source, "ip.src"), WEIR_PART(host_loud, value, "aggregate.value"),
		WEIR_PART(host_loud, error, "aggregate.error"), WEIR_PART(host_loud, start, "aggregate.start"),
		WEIR_PART(host_loud, duration, "aggregate.duration")));

struct loud_top {
	uint16_t port;
	struct weir_ether source;
	uint64_t value, error;
	struct weir_time start;
	struct weir_span duration;
	uint32_t place;
};
WEIR_EVENT(loud_top, "loud.top", struct loud_top, .layer = WEIR_L2, .per = WEIR_PER_AGGREGATE,
	WEIR_PARTS(WEIR_PART(loud_top, port, "udp.dstport"), WEIR_PART(loud_top, source, "eth.src"),
		WEIR_PART(loud_top, value, "aggregate.value"), WEIR_PART(loud_top, error, "aggregate.error"),
		WEIR_PART(loud_top, start, "aggregate.start"), WEIR_PART(loud_top, duration, "aggregate.duration"),
		WEIR_PART(loud_top, place, "aggregate.place")));

struct listener {
	weir_counter heard, value, wrong, places;
};

static enum weir_verdict loud(struct weir_event *event, const struct host_loud *host)
{
	struct listener *self = weir_self(event);

	weir_count(&self->heard);
	weir_count_by(&self->value, host->value);
	if (event->vector || event->flow || !weir_is_ip4(&host->source) || host->duration.ns != 10000000000 ||
		weir_now_ns(event) < host->start.ns)
		weir_count(&self->wrong);
	return WEIR_PASS;
}

static enum weir_verdict top(struct weir_event *event, const struct loud_top *row)
{
	struct listener *self = weir_self(event);

	weir_count(&self->heard);
	weir_count_by(&self->places, row->place);
	if (row->port != 6 || row->source.bytes[0] != 2)
		weir_count(&self->wrong);
	return WEIR_PASS;
}

WEIR_CLASS(Listener, listener, .about = "hears who is loud", .by = WEIR_ANY,
	WEIR_MEMBERS(WEIR_COUNTS(listener, heard), WEIR_COUNTS(listener, value), WEIR_COUNTS(listener, wrong),
		WEIR_COUNTS(listener, places)),
	WEIR_HANDLERS(WEIR_ON(host_loud, loud), WEIR_ON(loud_top, top)));

WEIR_MODULE("loud", "1.0.0", &Listener);
