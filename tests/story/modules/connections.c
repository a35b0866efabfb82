// SPDX-License-Identifier: Apache-2.0
// What a handler may do to a connection: read again, stop a side, reset.
#define _GNU_SOURCE // memmem
#include <weir.h>

struct reader {
	weir_counter same, other, waiting, held;
};

// The bytes are a count of their place: byte n of a stream is n / 7. What was told last is still what it was.
static enum weir_verdict read_again(struct weir_event *event, const struct weir_stream_data *data)
{
	struct reader *self = weir_self(event);
	uint64_t end = data->offset + data->data.length, from = end > 4096 ? end - 4096 : 0;
	uint8_t bytes[8192];
	uint32_t got = weir_stream_read(event, event->from_server, from, bytes, sizeof(bytes));

	weir_count_by(&self->held, got);
	weir_count_by(&self->waiting, from + got > end ? from + got - end : 0);
	for (uint32_t i = 0; i < got; i++)
		weir_count(bytes[i] == (uint8_t)((from + i) / 7) ? &self->same : &self->other);
	return WEIR_PASS;
}

WEIR_CLASS(Reader, reader, .about = "reads again what it has heard", .remembers = true,
	WEIR_MEMBERS(WEIR_COUNTS(reader, same), WEIR_COUNTS(reader, other), WEIR_COUNTS(reader, waiting),
		WEIR_COUNTS(reader, held)),
	WEIR_HANDLERS(WEIR_ON(stream_data, read_again)));

struct stopper {
	const char *side;
	weir_counter data_out, data_back, closed_out, closed_back;
};

static enum weir_verdict stop(struct weir_event *event, const struct weir_stream_data *data)
{
	struct stopper *self = weir_self(event);

	(void)data;
	weir_count(event->from_server ? &self->data_back : &self->data_out);
	if (!strcmp(self->side, event->from_server ? "back" : "out") || !strcmp(self->side, "both"))
		weir_stream_stop(event, event->from_server);
	if (!strcmp(self->side, "other"))
		weir_stream_stop(event, !event->from_server);
	return WEIR_PASS;
}

static enum weir_verdict hear_end(struct weir_event *event, const struct weir_stream_end *end)
{
	struct stopper *self = weir_self(event);

	(void)end;
	weir_count(event->from_server ? &self->closed_back : &self->closed_out);
	return WEIR_PASS;
}

WEIR_CLASS(Stopper, stopper, .about = "wants no more of a side after its first bytes",
	WEIR_MEMBERS(WEIR_SETTING(stopper, side, "back"), WEIR_COUNTS(stopper, data_out),
		WEIR_COUNTS(stopper, data_back), WEIR_COUNTS(stopper, closed_out), WEIR_COUNTS(stopper, closed_back)),
	WEIR_HANDLERS(WEIR_ON(stream_data, stop), WEIR_ON(stream_closed, hear_end)));

struct resetter {
	const char *word;
	weir_counter reset, failed;
};

static enum weir_verdict look(struct weir_event *event, const struct weir_stream_data *data)
{
	struct resetter *self = weir_self(event);

	if (!memmem(data->data.at, data->data.length, self->word, strlen(self->word)))
		return WEIR_PASS;
	if (!weir_reset(event, 0, 1))
		weir_count(&self->failed);
	return weir_dropped(event, WEIR_DROP_FLOW, &self->reset);
}

WEIR_CLASS(Resetter, resetter, .about = "resets connections in which a word is said", .holds = true,
	WEIR_OUTPUTS("forward", "back"),
	WEIR_MEMBERS(WEIR_SETTING(resetter, word, "secret"), WEIR_DROPS(resetter, reset),
		WEIR_COUNTS(resetter, failed)),
	WEIR_HANDLERS(WEIR_ON(stream_data, look)));

WEIR_MODULE("connections", "1.0.0", &Reader, &Stopper, &Resetter);
