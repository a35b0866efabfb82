// SPDX-License-Identifier: Apache-2.0
// DNS - tells of questions and answers over UDP and TCP, on any port
#include "session.h"
#include "dns_message.h"

#include <weir_dns.h>

enum { MESSAGE = 4000, PREFIX = 2, MISSES = 3, NAME_SERVICE = 137, SERVERS = 53, MULTICAST = 5353, LOCAL = 5355 };

struct dns_bytes {
	uint8_t at[MESSAGE];
};

struct dns_side { // of a TCP connection
	uint64_t end; // offset of what comes next
	uint16_t length, read; // of the message, without its prefix; 0: it has not begun
	uint8_t has; // bytes of the prefix
	bool is_skipped; // a part of the message will not come
};

struct dns_flow {
	struct dns_side side[2];
	uint8_t misses; // what was none, before anything that was one
	bool is_known;
};

struct view { // of udp.payload: where it lies
	uint32_t offset, length;
};

struct dns {
	uint32_t messages;
	WEIR_TABLE(struct session_key, struct dns_bytes) begun; // messages of which a part has come, over TCP
	WEIR_PER_FLOW(struct dns_flow)
	talk;
	WEIR_SIGNAL(dns_query) query;
	WEIR_SIGNAL(dns_response) response;
	WEIR_COLUMN(struct view) payload; // innermost, as flows are
	WEIR_FLAG icmp;
	WEIR_FLAG icmpv6;
	WEIR_COLUMN(uint16_t) source;
	weir_counter queries, responses, odd, malformed, lost_messages;
	struct texts texts;
	struct dns_bytes bytes;
	struct dns_message message; // that is read
};

// ---- one message

static bool is_port(const struct weir_flow *flow, uint16_t port)
{
	return flow->client_port == port || flow->server_port == port;
}

static enum dns_place place_of(const struct weir_flow *flow)
{
	return is_port(flow, SERVERS) || is_port(flow, LOCAL) ? DNS_ITS_PORT
		: is_port(flow, MULTICAST)		      ? DNS_MULTICAST_PORT
							      : DNS_ANY_PORT;
}

static struct weir_text text_of(struct dns *self, const struct dns_span *span)
{
	return span->is_there
		? texts_keep(&self->texts, self->message.text + span->at, span->length, &self->message.is_truncated)
		: (struct weir_text){ NULL, 0 };
}

// Whoever asks is the client, as long as that can be told.
static struct weir_dns_message tell(struct dns *self, const struct weir_flow *flow, bool from_server)
{
	const struct dns_message *message = &self->message;
	struct session_ends ends = session_ends(flow, from_server != dns_is_response(message));
	struct weir_dns_message told = { ends.client, ends.server, ends.client_port, ends.server_port,
		.type = message->type,
		.class = message->class,
		.id = message->id,
		.udp_size = message->udp_size,
		.questions = message->count[0],
		.answers = message->count[1],
		.authorities = message->count[2],
		.additions = message->count[3],
		.code = message->code,
		.operation = message->flags >> 11 & 15,
		.is_authoritative = message->flags & 0x400,
		.is_cut = message->flags & 0x200,
		.is_recursion_desired = message->flags & 0x100,
		.is_recursion_available = message->flags & 0x80,
		.anomaly = { message->anomaly, message->anomaly ? (uint32_t)strlen(message->anomaly) : 0 } };

	told.name = text_of(self, &message->name);
	told.a = text_of(self, &message->a);
	told.aaaa = text_of(self, &message->aaaa);
	told.cname = text_of(self, &message->cname);
	told.is_truncated = message->is_truncated;
	return told;
}

static void message_came(struct dns *self, struct weir_call *call, unsigned slot, const struct weir_flow *flow,
	bool from_server)
{
	if (self->message.anomaly)
		weir_count(&self->odd);
	if (dns_is_response(&self->message)) {
		weir_count(&self->responses);
		weir_raise_at(call, slot, self->response,
			(struct weir_dns_message[1]){ tell(self, flow, from_server) });
	} else {
		weir_count(&self->queries);
		weir_raise_at(call, slot, self->query, (struct weir_dns_message[1]){ tell(self, flow, from_server) });
	}
}

// ---- over UDP: a message a packet

// A flow that begins with something else is not looked at for ever.
static bool is_hopeless(const struct weir_flow *flow, const struct dns_flow *talk)
{
	return (!talk->is_known && talk->misses >= MISSES && place_of(flow) == DNS_ANY_PORT) ||
		is_port(flow, NAME_SERVICE);
}

// The whole payload where it lies together; else as much as can be read at once.
static const uint8_t *payload_of(struct weir_vector *v, unsigned slot, const struct view *view, uint32_t *length)
{
	*length = view->length;
	if ((uint64_t)view->offset + view->length > v->straight[slot] && view->length > 512)
		*length = 512;
	return weir_bytes(v, slot, view->offset, *length);
}

static void read_packet(struct dns *self, struct weir_call *call, unsigned slot)
{
	struct weir_vector *v = call->vector;
	const struct weir_flow *flow = v->flow[slot];
	const struct view *view = &weir_column(v, self->payload)[slot];
	struct dns_flow *talk = weir_flow_state(flow, self->talk);
	const uint8_t *bytes;
	uint32_t length;

	if (view->length < DNS_HEADER || is_hopeless(flow, talk))
		return;
	bytes = payload_of(v, slot, view, &length);
	if (bytes && dns_read(&self->message, bytes, length, length < view->length, place_of(flow))) {
		talk->is_known = true;
		message_came(self, call, slot, flow, weir_column(v, self->source)[slot] != flow->client_port);
		return;
	}
	talk->misses += talk->misses < MISSES;
	if (talk->is_known || place_of(flow) == DNS_ITS_PORT)
		weir_count(&self->malformed);
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct dns *self = weir_self(call);

	weir_mask quotes = weir_has(v, self->icmp) | weir_has(v, self->icmpv6); // errors about a flow

	texts_begin(&self->texts, NULL);
	weir_each (i, in & weir_has(v, self->payload) & weir_has(v, self->source) & ~quotes)
		if (v->flow[i] && v->flow[i]->protocol == 17)
			read_packet(self, call, (unsigned)i);
	self->texts.is_over = true;
	out[0] = in;
}

// ---- over TCP: messages behind their length

static void forget(struct dns *self, const struct weir_flow *flow)
{
	for (uint64_t side = 0; side < 2; side++) {
		struct dns_bytes *row = weir_table_find(self->begun, (&(struct session_key){ flow, side }));

		if (row)
			weir_table_forget(self->begun, row);
	}
}

static void end_message(struct dns *self, struct weir_event *event, struct dns_side *side, const uint8_t *bytes)
{
	struct dns_flow *talk = weir_flow_state(event->flow, self->talk);
	uint32_t length = side->length < MESSAGE ? side->length : MESSAGE;

	if (side->is_skipped) {
		weir_count(&self->lost_messages);
	} else if (dns_read(&self->message, bytes, length, length < side->length, place_of(event->flow))) {
		talk->is_known = true;
		texts_begin(&self->texts, event);
		message_came(self, event->call, event->slot, event->flow, event->from_server);
	} else {
		talk->misses = MISSES;
		weir_count_by(&self->malformed, talk->is_known);
	}
	side->has = side->length = side->read = side->is_skipped = 0;
}

static uint32_t take_prefix(struct dns_flow *talk, struct dns_side *side, const uint8_t *bytes)
{
	side->length = (uint16_t)(side->length << 8 | *bytes);
	if (++side->has == PREFIX && side->length < DNS_HEADER)
		talk->misses = MISSES;
	return 1;
}

// Bytes of a message, which go into `memory` unless all of it is here.
static uint32_t take_message(struct dns *self, struct weir_event *event, struct dns_side *side, uint8_t *memory,
	const uint8_t *bytes, uint32_t length)
{
	struct dns_flow *talk = weir_flow_state(event->flow, self->talk);
	uint32_t wanted = side->length - side->read, taken = length < wanted ? length : wanted, room;

	if (!side->read && taken == wanted) {
		end_message(self, event, side, bytes);
		return taken;
	}
	room = side->read < MESSAGE ? MESSAGE - side->read : 0;
	memcpy(memory + (room ? side->read : 0), bytes, taken < room ? taken : room);
	side->read = (uint16_t)(side->read + taken);
	if (!talk->is_known && !side->is_skipped && !dns_may_be(memory, side->read, place_of(event->flow)))
		talk->misses = MISSES;
	if (taken == wanted)
		end_message(self, event, side, memory);
	return taken;
}

static struct dns_bytes *bytes_begun(struct dns *self, struct dns_side *side, const struct session_key *key)
{
	struct dns_bytes *row = side->read ? weir_table_find(self->begun, key) : NULL;

	if (side->read && !row)
		side->is_skipped = true;
	return row ? row : &self->bytes;
}

static void settle_bytes(struct dns *self, const struct dns_side *side, const struct session_key *key,
	struct dns_bytes *bytes)
{
	if (side->read && bytes == &self->bytes && !side->is_skipped)
		memcpy(weir_table_at(self->begun, key), bytes, side->read < MESSAGE ? side->read : MESSAGE);
	else if (!side->read && bytes != &self->bytes)
		weir_table_forget(self->begun, bytes);
}

// Bytes that nobody saw can be skipped inside of a message; else nobody knows where the next one begins.
static bool skip(struct dns_side *side, uint64_t length)
{
	if (!length)
		return true;
	if (side->has < PREFIX || length >= (uint64_t)side->length - side->read)
		return false;
	side->read = (uint16_t)(side->read + length);
	side->is_skipped = true;
	return true;
}

static enum weir_verdict leave(struct dns *self, struct weir_event *event)
{
	forget(self, event->flow);
	return WEIR_DONE;
}

static enum weir_verdict bytes_came(struct weir_event *event, const struct weir_stream_data *data)
{
	struct dns *self = weir_self(event);
	struct dns_flow *talk = weir_flow_state(event->flow, self->talk);
	struct dns_side *side = &talk->side[event->from_server];
	struct session_key key = { event->flow, event->from_server };
	const uint8_t *bytes = (const uint8_t *)data->data.at;
	struct dns_bytes *memory;

	if (!skip(side, data->offset - side->end))
		return leave(self, event);
	side->end = data->offset + data->data.length;
	memory = bytes_begun(self, side, &key);
	for (uint32_t at = 0; at < data->data.length;) {
		at += side->has < PREFIX ? take_prefix(talk, side, bytes + at)
					 : take_message(self, event, side, memory->at, bytes + at,
						   data->data.length - at);
		if (!talk->is_known && talk->misses >= MISSES)
			return leave(self, event);
	}
	settle_bytes(self, side, &key, memory);
	return WEIR_PASS;
}

static enum weir_verdict flow_went(struct weir_event *event)
{
	if (event->flow->protocol == 6)
		forget(weir_self(event), event->flow);
	return WEIR_PASS;
}

WEIR_CLASS(DNS, dns, .about = "tells of questions and answers over UDP and TCP, on any port",
	WEIR_MEMBERS(
		WEIR_SETTING(dns, messages, "256", .min = 1, .max = 1 << 20,
			.about =
				"how many messages of which a part has come, over TCP, are kept at once"),
		WEIR_KEEPS(dns, begun, .rows_from = "messages"), WEIR_STATE(dns, talk),
		WEIR_RAISES(dns, query, dns_query), WEIR_RAISES(dns, response, dns_response),
		WEIR_READS_IF(dns, payload, "udp.payload#-1"),
		WEIR_READS_IF(dns, source, "udp.srcport#-1"),
		WEIR_READS_IF(dns, icmp, "icmp"), WEIR_READS_IF(dns, icmpv6, "icmpv6"),
		WEIR_COUNTS(dns, queries, .about = "messages that ask"),
		WEIR_COUNTS(dns, responses, .about = "messages that answer"),
		WEIR_COUNTS(dns, odd,
			.about = "of both: with something wrong behind the question (dns.anomaly)"),
		WEIR_COUNTS(dns, malformed,
			.about = "messages that cannot be read, where there must be some"),
		WEIR_COUNTS(dns, lost_messages,
			.about =
				"messages over TCP of which a part did not come, or was forgotten for want of room")),
	WEIR_HANDLERS(WEIR_ON(stream_data, bytes_came), WEIR_ON(flow_ended, flow_went)),
	.process = process,
	.on_demand = true);
