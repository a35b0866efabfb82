// SPDX-License-Identifier: Apache-2.0
// TLS - tells of the hellos of TLS handshakes, on any port
#include "session.h"
#include "tls_hello.h"

#include <weir_tls.h>

struct tls_message {
	uint8_t bytes[TLS_MESSAGE];
};

struct tls_flow {
	struct tls_side side[2];
	uint32_t end[2]; // offset of what comes next
	bool is_seen, is_retried; // a hello has come; it was a retry
};

struct tls {
	uint32_t hellos;
	WEIR_TABLE(struct session_key, struct tls_message) begun; // hellos of which a part has come
	WEIR_PER_FLOW(struct tls_flow)
	handshake;
	WEIR_SIGNAL(tls_client_hello) client_hello;
	WEIR_SIGNAL(tls_server_hello) server_hello;
	weir_counter client_hellos, server_hellos, lost_hellos, others;
	struct texts texts;
	struct tls_message message; // that is read
	struct tls_hello hello;
};

enum { LONGEST = 1 << 18 }; // bytes of a side in which its hello must have come

// ---- hellos

static struct weir_text text_of(struct tls *self, const struct tls_span *span)
{
	return span->is_there ? texts_keep(&self->texts, self->hello.text + span->at, span->length,
					&self->hello.is_truncated)
			      : (struct weir_text){ NULL, 0 };
}

static struct weir_tls_client_hello client_hello(struct tls *self, const struct weir_event *event)
{
	struct session_ends ends = session_ends(event->flow, event->from_server);
	struct weir_tls_client_hello hello = { ends.client, ends.server, ends.client_port, ends.server_port,
		.version = self->hello.version,
		.supported_version = self->hello.supported_version };

	hello.name = text_of(self, &self->hello.name);
	hello.alpn = text_of(self, &self->hello.alpn);
	hello.ciphers = text_of(self, &self->hello.ciphers);
	hello.is_truncated = self->hello.is_truncated;
	return hello;
}

static struct weir_tls_server_hello server_hello(struct tls *self, const struct weir_event *event)
{
	struct session_ends ends = session_ends(event->flow, !event->from_server);
	struct weir_tls_server_hello hello = { ends.client, ends.server, ends.client_port, ends.server_port,
		.version = self->hello.version,
		.supported_version = self->hello.supported_version,
		.cipher = self->hello.cipher,
		.is_retry = self->hello.is_retry };

	hello.alpn = text_of(self, &self->hello.alpn);
	hello.is_truncated = self->hello.is_truncated;
	return hello;
}

// After a retry each side says hello once more.
static void tell(struct tls *self, struct weir_event *event, struct tls_side *side, const struct tls_message *message)
{
	struct tls_flow *handshake = weir_flow_state(event->flow, self->handshake);

	if (!tls_read_hello(&self->hello, message->bytes, side->read)) {
		side->state = TLS_OTHER;
		return;
	}
	handshake->is_seen = true;
	texts_begin(&self->texts, event);
	if (self->hello.kind == TLS_CLIENT_HELLO) {
		weir_count(&self->client_hellos);
		weir_raise(event, self->client_hello, (struct weir_tls_client_hello[1]){ client_hello(self, event) });
		return;
	}
	weir_count(&self->server_hellos);
	weir_raise(event, self->server_hello, (struct weir_tls_server_hello[1]){ server_hello(self, event) });
	if (!self->hello.is_retry || handshake->is_retried)
		return;
	handshake->is_retried = true;
	*side = (struct tls_side){ .left = side->left, .has = side->left ? TLS_HEADER : 0 };
	handshake->side[!event->from_server] = (struct tls_side){ 0 };
}

// ---- flows

static void forget(struct tls *self, const struct weir_flow *flow)
{
	for (uint64_t side = 0; side < 2; side++) {
		struct tls_message *row = weir_table_find(self->begun, (&(struct session_key){ flow, side }));

		if (row)
			weir_table_forget(self->begun, row);
	}
}

static struct tls_message *message_begun(struct tls *self, struct tls_side *side, const struct session_key *key)
{
	struct tls_message *row;

	if (!side->read)
		return &self->message;
	row = weir_table_find(self->begun, key);
	if (row)
		return row;
	weir_count(&self->lost_hellos);
	side->state = TLS_OTHER;
	return &self->message;
}

static void settle_message(struct tls *self, const struct tls_side *side, const struct session_key *key,
	struct tls_message *message)
{
	bool is_begun = side->state == TLS_READS && side->read;

	if (is_begun && message == &self->message)
		memcpy(weir_table_at(self->begun, key), message, side->read);
	else if (!is_begun && message != &self->message)
		weir_table_forget(self->begun, message);
}

// Bytes that will not come, in front of a hello's end: it will not be told.
static bool is_whole(struct tls_flow *handshake, bool from_server, const struct weir_stream_data *data)
{
	bool is_next = data->offset == handshake->end[from_server];
	uint64_t end = data->offset + data->data.length;

	handshake->end[from_server] = (uint32_t)(end < LONGEST ? end : LONGEST);
	return is_next && end < LONGEST;
}

static bool is_over(const struct tls_flow *handshake)
{
	const struct tls_side *side = handshake->side;

	return side[0].state == TLS_OTHER || side[1].state == TLS_OTHER ||
		(side[0].state == TLS_TOLD && side[1].state == TLS_TOLD);
}

static void read_on(struct tls *self, struct weir_event *event, struct tls_side *side,
	const struct weir_stream_data *data)
{
	struct session_key key = { event->flow, event->from_server };
	struct tls_message *message = message_begun(self, side, &key);
	const uint8_t *bytes = (const uint8_t *)data->data.at;

	for (uint32_t at = 0; at < data->data.length && side->state == TLS_READS;) {
		at += tls_bytes(side, message->bytes, bytes + at, data->data.length - at);
		if (side->state == TLS_TOLD)
			tell(self, event, side, message);
	}
	settle_message(self, side, &key, message);
}

static enum weir_verdict bytes_came(struct weir_event *event, const struct weir_stream_data *data)
{
	struct tls *self = weir_self(event);
	struct tls_flow *handshake = weir_flow_state(event->flow, self->handshake);
	struct tls_side *side = &handshake->side[event->from_server];
	bool is_next = is_whole(handshake, event->from_server, data);

	if (!is_next && (side->state == TLS_READS || handshake->end[event->from_server] == LONGEST))
		side->state = TLS_OTHER;
	if (side->state == TLS_READS)
		read_on(self, event, side, data);
	if (!is_over(handshake))
		return WEIR_PASS;
	if (!handshake->is_seen)
		weir_count(&self->others);
	forget(self, event->flow);
	return WEIR_DONE;
}

static enum weir_verdict flow_went(struct weir_event *event)
{
	forget(weir_self(event), event->flow);
	return WEIR_PASS;
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct tls *self = weir_self(call);

	(void)v;
	self->texts.is_over = true;
	out[0] = in;
}

WEIR_CLASS(TLS, tls,
	.about = "tells of the hellos of TLS handshakes, on any port",
	WEIR_MEMBERS(WEIR_SETTING(tls, hellos, "1024", .min = 1, .max = 1 << 20,
			     .about = "how many hellos of which a part has come are kept at once"),
		WEIR_KEEPS(tls, begun, .rows_from = "hellos"), WEIR_STATE(tls, handshake),
		WEIR_RAISES(tls, client_hello, tls_client_hello), WEIR_RAISES(tls, server_hello, tls_server_hello),
		WEIR_COUNTS(tls, client_hellos, .about = "hellos of clients"),
		WEIR_COUNTS(tls, server_hellos, .about = "hellos of servers"),
		WEIR_COUNTS(tls, lost_hellos, .about = "hellos that were forgotten for want of room"),
		WEIR_COUNTS(tls, others, .about = "connections that have turned out to speak something else")),
	WEIR_HANDLERS(WEIR_ON(stream_data, bytes_came), WEIR_ON(flow_ended, flow_went)),
	.process = process,
	.on_demand = true);
