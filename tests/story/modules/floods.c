// SPDX-License-Identifier: Apache-2.0
// A flood in the midst of connections, written over the frames that come; and who counts what is told of them.
#include <weir.h>

enum { SYN = 2, PSH = 8, ACK = 16, IP = 14, TCP = IP + 20, PAYLOAD = TCP + 20, HANDSHAKE = 3,
	CLIENTS = 0x0a000000, SERVER = 0xc0000201, ATTACKERS = 0x20000000 };

struct flood {
	uint32_t connections, syns, hosts;
	weir_counter packets;
};

struct segment {
	uint32_t source, destination, seq, ack, number;
	uint16_t source_port, destination_port;
	uint8_t flags;
};

static void write_segment(uint8_t *at, const struct segment *it)
{
	static const uint8_t start[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45, 0, 0, 44,
		0, 0, 0x40, 0, 64, 6, 0, 0 };

	memcpy(at, start, sizeof(start));
	weir_put16(at + IP + 2, it->flags & PSH ? 44 : 40);
	weir_put32(at + IP + 12, it->source);
	weir_put32(at + IP + 16, it->destination);
	weir_put16(at + TCP, it->source_port);
	weir_put16(at + TCP + 2, it->destination_port);
	weir_put32(at + TCP + 4, it->seq);
	weir_put32(at + TCP + 8, it->ack);
	weir_put16(at + TCP + 12, (uint16_t)(5 << 12 | it->flags));
	weir_put32(at + TCP + 14, 0xffffu << 16);
	weir_put16(at + TCP + 18, 0);
	weir_put32(at + PAYLOAD, it->number);
}

// A client of its own for each. Steps: three of the handshake, then data.
static struct segment step_of(uint32_t number, uint64_t step)
{
	static const uint8_t flags[] = { SYN, SYN | ACK, ACK, ACK | PSH };
	struct segment from_client = { CLIENTS + number, SERVER, 1000 + (step > 0),
		step > 0 ? 5001 : 0, number, 40000, 80, flags[step] };

	if (step != 1)
		return from_client;
	return (struct segment){ SERVER, CLIENTS + number, 5000, 1001, number, 80, 40000, SYN | ACK };
}

static struct segment syn_of(const struct flood *self, uint64_t number)
{
	return (struct segment){ ATTACKERS + (uint32_t)(number % self->hosts), SERVER, (uint32_t)number, 0, UINT32_MAX,
		(uint16_t)(1024 + number / self->hosts), 80, SYN };
}

static void tell(const struct flood *self, const struct weir_call *call, uint64_t packet)
{
	uint64_t begun = (uint64_t)self->connections * HANDSHAKE, over = begun + self->syns;

	if (packet == begun)
		weir_log(call, "all connections are there");
	if (packet == begun + self->syns / 4)
		weir_log(call, "a quarter of the flood is there");
	if (packet == over)
		weir_log(call, "the flood is over");
	if (packet == over + self->connections)
		weir_log(call, "each connection has been heard of again");
}

static struct segment segment_of(const struct flood *self, uint64_t packet)
{
	uint64_t begun = (uint64_t)self->connections * HANDSHAKE;

	if (packet < begun)
		return step_of((uint32_t)(packet % self->connections), packet / self->connections);
	if (packet < begun + self->syns)
		return syn_of(self, packet - begun);
	return step_of((uint32_t)((packet - begun - self->syns) % self->connections), HANDSHAKE);
}

static void write_packets(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct flood *self = weir_self(call);

	weir_each (i, in) {
		struct segment segment = segment_of(self, self->packets);

		tell(self, call, self->packets);
		write_segment(v->data[i], &segment);
		weir_count(&self->packets);
	}
	out[0] = in;
}

WEIR_CLASS(Flood, flood, .about = "opens connections, floods with SYNs, and has all connections speak again and again",
	.by = WEIR_ONE,
	WEIR_MEMBERS(WEIR_SETTING(flood, connections, WEIR_REQUIRED, .min = 1, .max = 1 << 24),
		WEIR_SETTING(flood, syns, "0"), WEIR_SETTING(flood, hosts, "1", .min = 1, .max = 1 << 28),
		WEIR_COUNTS(flood, packets)),
	.process = write_packets, .rewrites = WEIR_REWRITES_L2 | WEIR_REWRITES_L3 | WEIR_REWRITES_L4, .reshapes = true);

// ---- who counts

struct census {
	weir_counter added, established, evicted, stopped, others, syns, same, different;
	WEIR_COLUMN(uint16_t) flags;
	WEIR_PER_FLOW(uint32_t)
	number;
};

static enum weir_verdict flow_came(struct weir_event *event)
{
	weir_count(&((struct census *)weir_self(event))->added);
	return WEIR_PASS;
}

static enum weir_verdict flow_opened(struct weir_event *event)
{
	weir_count(&((struct census *)weir_self(event))->established);
	return WEIR_PASS;
}

static bool is(struct weir_text text, const char *what)
{
	return text.length == strlen(what) && !memcmp(text.at, what, text.length);
}

static enum weir_verdict flow_went(struct weir_event *event, const struct weir_flow_end *end)
{
	struct census *self = weir_self(event);

	weir_count(is(end->reason, "forgotten")	     ? &self->evicted
			: is(end->reason, "stopped") ? &self->stopped
						     : &self->others);
	return WEIR_PASS;
}

WEIR_CLASS(Census, census, .about = "counts flows that come and go",
	WEIR_MEMBERS(WEIR_COUNTS(census, added), WEIR_COUNTS(census, established),
		WEIR_COUNTS(census, evicted), WEIR_COUNTS(census, stopped),
		WEIR_COUNTS(census, others)),
	WEIR_HANDLERS(WEIR_ON(flow_started, flow_came), WEIR_ON(tcp_established, flow_opened),
		WEIR_ON(flow_ended, flow_went)));

// Each packet with data says whose it is; the first packet of its flow said so, too.
static enum weir_verdict remember(struct weir_event *event)
{
	struct census *self = weir_self(event);

	*weir_flow_state(event->flow, self->number) = weir_be32(weir_bytes(event->vector, event->slot, PAYLOAD, 4));
	return WEIR_PASS;
}

static void compare(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct census *self = weir_self(call);
	const uint16_t *flags = weir_column(v, self->flags);

	weir_each (i, in) {
		uint32_t number = weir_be32(weir_bytes(v, i, PAYLOAD, 4));

		if (flags[i] == SYN)
			weir_count(&self->syns);
		if (!(flags[i] & PSH))
			continue;
		weir_count(v->flow[i] && *weir_flow_state(v->flow[i], self->number) == number + 1
				? &self->same
				: &self->different);
	}
	out[0] = in;
}

static enum weir_verdict mark(struct weir_event *event)
{
	struct census *self = weir_self(event);

	++*weir_flow_state(event->flow, self->number); // so that a flow that is new is none that was established
	return WEIR_PASS;
}

WEIR_CLASS(Witness, census, .about = "knows flows again",
	WEIR_MEMBERS(WEIR_COUNTS(census, syns), WEIR_COUNTS(census, same), WEIR_COUNTS(census, different),
		WEIR_READS(census, flags, "tcp.flags"), WEIR_STATE(census, number)),
	WEIR_HANDLERS(WEIR_ON(flow_started, remember), WEIR_ON(tcp_established, mark)), .process = compare);
WEIR_MODULE("floods", "0.1.0", &Flood, &Census, &Witness);
