// SPDX-License-Identifier: Apache-2.0
// Element classes for measuring: raise an event for each packet, hear of it, and do nothing else. bench.py
// compiles this.
#include <weir.h>

struct told {
	uint32_t number, length;
};
WEIR_EVENT(bench_plain, "bench.plain", struct weir_no_payload, .layer = WEIR_L2, .per = WEIR_PER_PACKET);
WEIR_EVENT(bench_told, "bench.told", struct told, .layer = WEIR_L2, .per = WEIR_PER_PACKET,
	WEIR_PARTS(WEIR_PART(told, number, "bench.number"), WEIR_PART(told, length, "bench.length")));

// ---- who raises

struct raise_plain {
	WEIR_SIGNAL(bench_plain) plain;
};
struct raise_told {
	WEIR_SIGNAL(bench_told) told;
};

static void raise_plain(struct weir_call *call, struct weir_vector *, weir_mask in, weir_mask out[])
{
	struct raise_plain *self = weir_self(call);

	weir_raise_each (call, in, self->plain)
		;
	out[0] = in;
}

static void raise_told(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct raise_told *self = weir_self(call);

	weir_each (i, in)
		weir_raise_at(call, i, self->told, &(struct told){ (uint32_t)i, v->length[i] });
	out[0] = in;
}

WEIR_CLASS(RaisePlain, raise_plain, .about = "raises an event without payload for each packet", .by = WEIR_ANY,
	WEIR_MEMBERS(WEIR_RAISES(raise_plain, plain, bench_plain)), .process = raise_plain);
WEIR_CLASS(RaiseTold, raise_told, .about = "raises an event with payload for each packet", .by = WEIR_ANY,
	WEIR_MEMBERS(WEIR_RAISES(raise_told, told, bench_told)), .process = raise_told);

// ---- who hears

struct hear {
	uint64_t heard;
};

static enum weir_verdict packet_came(struct weir_event *event)
{
	struct hear *self = weir_self(event);

	self->heard++;
	return WEIR_PASS;
}

static enum weir_verdict packet_told(struct weir_event *event, const struct told *told)
{
	struct hear *self = weir_self(event);

	self->heard += told->length;
	return WEIR_PASS;
}

WEIR_CLASS(HearPacket, hear, .about = "one handler per packet", .by = WEIR_ANY,
	WEIR_HANDLERS(WEIR_ON(packet_received, packet_came)));
WEIR_CLASS(HearMet, hear, .about = "one handler per packet, with a filter that all meet", .by = WEIR_ANY,
	WEIR_HANDLERS(WEIR_ON(packet_received, packet_came, .where = "udp.dstport < 9999")));
WEIR_CLASS(HearUnmet, hear, .about = "a handler with a filter that none meets", .by = WEIR_ANY,
	WEIR_HANDLERS(WEIR_ON(packet_received, packet_came, .where = "udp.dstport == 9999")));
WEIR_CLASS(HearPlain, hear, .about = "hears of events without payload", .by = WEIR_ANY,
	WEIR_HANDLERS(WEIR_ON(bench_plain, packet_came)));
WEIR_CLASS(HearTold, hear, .about = "hears of events with payload", .by = WEIR_ANY,
	WEIR_HANDLERS(WEIR_ON(bench_told, packet_told)));
WEIR_CLASS(HearDefined, hear, .about = "hears of events that graphs define", .by = WEIR_ANY,
	WEIR_HANDLERS(WEIR_ON_ANY("defined.*", packet_came)));

// ---- DecIPTTL packet by packet, with weir_set

struct each_ttl {
	WEIR_COLUMN(uint8_t) ttl;
};

static void each_ttl(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct each_ttl *self = weir_self(call);
	const uint8_t *ttl = weir_column(v, self->ttl);
	weir_mask ip = in & weir_has(v, self->ttl);

	weir_each (i, ip & ~weir_where(i, ttl[i] <= 1))
		weir_set(v, i, self->ttl, ttl[i] - 1);
	out[0] = in;
}

WEIR_CLASS(EachTTL, each_ttl, .about = "decrements the time to live packet by packet", .by = WEIR_ANY,
	WEIR_MEMBERS(WEIR_CHANGES(each_ttl, ttl, "ip.ttl")), .process = each_ttl);
WEIR_MODULE("bench", "0.1.0",
	&RaisePlain, &RaiseTold, &HearPacket, &HearMet, &HearUnmet, &HearPlain, &HearTold, &HearDefined, &EachTTL);
