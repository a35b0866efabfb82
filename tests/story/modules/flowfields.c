// SPDX-License-Identifier: Apache-2.0
// Compares what the columns say of a flow with what has come of it, packet by packet.
#include <weir.h>

struct mine { // kept per flow
	uint64_t packets, bytes;
	uint64_t start_ns;
};

struct book {
	WEIR_COLUMN(uint64_t) packets_out;
	WEIR_COLUMN(uint64_t) packets_back;
	WEIR_COLUMN(uint64_t) bytes_out;
	WEIR_COLUMN(uint64_t) bytes_back;
	WEIR_COLUMN(struct weir_time) start;
	WEIR_COLUMN(struct weir_span) duration;
	WEIR_COLUMN(const char *) state;
	weir_counter right, wrong, without, states;
	WEIR_PER_FLOW(struct mine)
	mine;
};

static bool is_right(const struct book *self, struct weir_vector *v, unsigned i)
{
	struct mine *mine = weir_flow_state(v->flow[i], self->mine);
	uint64_t start_ns = weir_column(v, self->start)[i].ns, duration = weir_column(v, self->duration)[i].ns;

	if (!mine->packets)
		mine->start_ns = v->time_ns[i];
	mine->packets++;
	mine->bytes += v->length[i];
	return weir_column(v, self->packets_out)[i] + weir_column(v, self->packets_back)[i] == mine->packets &&
		weir_column(v, self->bytes_out)[i] + weir_column(v, self->bytes_back)[i] == mine->bytes &&
		start_ns <= mine->start_ns && start_ns + duration <= v->time_ns[i];
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct book *self = weir_self(call);

	out[0] = in;
	weir_each (i, in) {
		bool has = weir_has(v, self->packets_out) >> i & 1, has_state = weir_has(v, self->state) >> i & 1;

		if (has != !!v->flow[i] || (has_state && !*weir_column(v, self->state)[i]))
			weir_count(&self->wrong);
		else if (!has)
			weir_count(&self->without);
		else
			weir_count(is_right(self, v, (unsigned)i) ? &self->right : &self->wrong);
		if (has_state && !strcmp(weir_column(v, self->state)[i], "established"))
			weir_count(&self->states);
	}
}

WEIR_CLASS(Book, book, .about = "compares the columns of a flow with what has come",
	WEIR_MEMBERS(WEIR_READS(book, packets_out, "flow.packets_out"),
		WEIR_READS(book, packets_back, "flow.packets_back"),
		WEIR_READS(book, bytes_out, "flow.bytes_out"), WEIR_READS(book, bytes_back, "flow.bytes_back"),
		WEIR_READS(book, start, "flow.start"), WEIR_READS(book, duration, "flow.duration"),
		WEIR_READS(book, state, "tcp.state"), WEIR_COUNTS(book, right), WEIR_COUNTS(book, wrong),
		WEIR_COUNTS(book, without), WEIR_COUNTS(book, states), WEIR_STATE(book, mine)),
	.process = process);

struct third { // hears what fits a filter on the flow
	weir_counter started, third, open;
};

static enum weir_verdict start(struct weir_event *event)
{
	weir_count(&((struct third *)weir_self(event))->started);
	return WEIR_PASS;
}

static enum weir_verdict third(struct weir_event *event)
{
	weir_count(&((struct third *)weir_self(event))->third);
	return WEIR_PASS;
}

static enum weir_verdict open(struct weir_event *event)
{
	weir_count(&((struct third *)weir_self(event))->open);
	return WEIR_PASS;
}

WEIR_CLASS(Third, third, .about = "counts the third packets of flows",
	WEIR_MEMBERS(WEIR_COUNTS(third, started), WEIR_COUNTS(third, third), WEIR_COUNTS(third, open)),
	WEIR_HANDLERS(WEIR_ON(flow_started, start),
		WEIR_ON(packet_received, third, .where = "flow.packets_out == 3 && flow.packets_back == 0"),
		WEIR_ON(tcp_state_changed, open, .where = "flow.packets_back > 0")));

struct forger {
	WEIR_COLUMN(uint64_t) packets;
};

static void forge(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	(void)call;
	(void)v;
	out[0] = in;
}

WEIR_CLASS(Forger, forger, .about = "wants to change what is a fact",
	WEIR_MEMBERS(WEIR_CHANGES(forger, packets, "flow.packets_out")),
	.process = forge);

WEIR_MODULE("flowfields", "1.0.0", &Book, &Third, &Forger);
