// SPDX-License-Identifier: Apache-2.0
// A table of segments: a connection of any two ends, its streams beside a model. The short way must do what the long
// one does, what is refused must change nothing, what happens once must be told once, and each byte of a stream is told
// once, in order, as the model says, within the pool's bounds.
//
//	| options | segments ... |    a segment: direction and flags, seq, ack, window, length and bytes
#include "flow/stream_testing.h"
#include "flow/tcp_history.h"

struct input {
	const uint8_t *at, *end;
};

static uint32_t next(struct input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

// ---- the connection

struct connection {
	struct tcp tcp;
	struct tcp_history history;
	uint32_t told;
	bool one_sided;
};

static void check_same(const struct tcp *before, const struct tcp *after)
{
	for (unsigned i = 0; i < 2; i++) {
		struct tcp_side a = before->side[i], b = after->side[i];

		a.marks = (uint8_t)(a.marks & ~(TCP_CALM | TCP_QUIET | TCP_CHALLENGED));
		b.marks = (uint8_t)(b.marks & ~(TCP_CALM | TCP_QUIET | TCP_CHALLENGED));
		model_check(!memcmp(&a, &b, sizeof(a)));
	}
}

static uint32_t step(struct connection *connection, unsigned direction, const struct tcp_segment *segment)
{
	const uint32_t once = TCP_FACT_ESTABLISHED | TCP_FACT_CLOSED | TCP_FACT_RESET;
	struct tcp before = connection->tcp, twin = connection->tcp;
	uint32_t facts = tcp_step(&connection->tcp, direction, segment);
	uint32_t fully = tcp_step_fully(&twin, direction, segment);

	model_check(facts == fully);
	if (twin.side[0].state != TCP_NONE && twin.side[1].state != TCP_NONE)
		check_same(&twin, &connection->tcp);
	if (facts & TCP_FACT_REFUSED)
		check_same(&before, &connection->tcp);
	model_check(!(facts & connection->told & once));
	connection->told |= facts;
	model_check(!(facts & TCP_FACT_STATE_CHANGED) ==
		(before.side[0].state == twin.side[0].state && before.side[1].state == twin.side[1].state));
	model_check(tcp_class(&twin) <= TCP_GONE && tcp_conn_state(&twin) && tcp_connection_state(&twin));
	if (!(facts & TCP_FACT_REUSED))
		tcp_history_note(&connection->history, &twin, direction, segment, facts);
	model_check(strlen(connection->history.text) < TCP_HISTORY);
	return facts;
}

// Numbers near those that the side has, so that something happens.
static void read_segment(
	struct input *input, const struct tcp *tcp, unsigned *direction, struct tcp_segment *segment)
{
	static const uint8_t flags[16] = { TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK, TCP_ACK, TCP_ACK | TCP_PSH,
		TCP_ACK | TCP_PSH, TCP_FIN | TCP_ACK, TCP_RST, TCP_RST | TCP_ACK, TCP_ACK | TCP_URG,
		TCP_SYN | TCP_FIN, 0, TCP_FIN, TCP_ACK, TCP_ACK, TCP_SYN | TCP_RST };
	uint32_t kind = next(input), how = next(input);
	const struct tcp_side *from, *to;

	*direction = kind & 1;
	from = &tcp->side[*direction];
	to = &tcp->side[!*direction];
	*segment = (struct tcp_segment){
		.flags = flags[kind >> 1 & 15],
		.seq = (kind & 0x20		     ? from->acked
				       : kind & 0x40 ? from->isn
						     : from->next) +
			(how & 1 ? next(input) - 128 : 0),
		.ack = to->next + (how & 2 ? next(input) - 128 : 0),
		.window = (uint16_t)(how & 4 ? next(input) << 4 : 60000),
		.scale = how & 8 ? (uint8_t)(next(input) % 15) : TCP_NO_SCALE,
	};
	if (how & 16)
		segment->seq += next(input) << 24 | next(input) << 12;
	if (how & 32)
		segment->ack += next(input) << 24 | next(input) << 12;
	if (how & 64)
		segment->length = next(input);
	if (kind & 0x80)
		segment->length += 1;
}

static void run_connection(struct input *input, bool one_sided)
{
	struct connection connection = { .one_sided = one_sided };

	tcp_start(&connection.tcp, one_sided);
	for (unsigned i = 0; i < 200 && input->at < input->end; i++) {
		struct tcp_segment segment;
		unsigned direction;

		read_segment(input, &connection.tcp, &direction, &segment);
		if (!(step(&connection, direction, &segment) & TCP_FACT_REUSED))
			continue;
		connection = (struct connection){ .one_sided = one_sided };
		tcp_start(&connection.tcp, one_sided);
		model_check(!(step(&connection, direction, &segment) & TCP_FACT_REUSED));
	}
}

// ---- a stream

static const struct stream_limits roomy = {
	.streams = 2,
	.pieces = 1024,
	.copies = 128,
	.handles = 1024,
	.pieces_per_stream = 1024,
	.bytes_per_stream = 1 << 20,
	.grace_ns = 20,
	.memories = 1,
	.memory = 32,
};
static const struct stream_limits tight = {
	.streams = 1,
	.pieces = 8,
	.copies = 2,
	.handles = 2,
	.pieces_per_stream = 4,
	.bytes_per_stream = 600,
	.grace_ns = 20,
	.memories = 1,
	.memory = 16,
};

static void stream_step(struct input *input, struct model *model)
{
	uint32_t what = next(input), value = next(input), length = 1 + next(input);
	uint64_t at = model->told + value;
	uint8_t bytes[256 * 4];

	switch (what & 7) {
	case 0: model_finish(model, model->told + value); return;
	case 1: model_confirm(model, model->told + value); return;
	case 2: model_pass(model, value); return;
	default: break;
	}
	at = at > 40 ? at - 40 : 0;
	length *= what & 8 ? 4 : 1;
	for (uint32_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(what & 16 ? at + i : what);
	if (at + length <= MODEL)
		model_add(model, at, bytes, length);
	model_check(stream_read(&model->pool, &model->stream, at, bytes, sizeof(bytes)) <= sizeof(bytes));
}

static void run_stream(struct input *input, uint32_t options)
{
	static struct model models[2]; // with room, without
	struct model *model = &models[options >> 4 & 1];

	if (!model->bytes)
		model_create(model, options & 16 ? &tight : &roomy, !(options & 16));
	model_begin(model, options << 24 | 0xffff00, (options >> 5) % OVERLAP_POLICIES);
	if (options & 8)
		model_check(stream_remember(&model->pool, &model->stream));
	for (unsigned i = 0; i < 300 && input->at < input->end; i++)
		stream_step(input, model);
	model_finale(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, data + size };
	uint32_t options = next(&input);

	if (options & 1)
		run_connection(&input, options & 2);
	else
		run_stream(&input, options);
	return 0;
}
