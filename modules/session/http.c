// SPDX-License-Identifier: Apache-2.0
// HTTP - tells of HTTP/1.x requests and responses, on any port
#include "session.h"
#include "http_connection.h"

#include <weir_http.h>

struct http {
	uint32_t heads;
	WEIR_TABLE(struct session_key, struct http_head) begun; // heads of which a part has come
	WEIR_PER_FLOW(struct http_connection)
	connection;
	WEIR_SIGNAL(http_request) request;
	WEIR_SIGNAL(http_response) response;
	weir_counter requests, responses, odd, lost_heads, others;
	struct texts texts;
	struct http_head head; // that is read
};

struct hearing {
	struct http *self;
	struct weir_event *event;
	const struct http_connection *connection;
};

// ---- heads

static struct weir_text text_of(
	struct http *self, const struct http_head *head, enum http_part part, bool *is_truncated)
{
	const struct http_span *span = &head->part[part];

	return span->is_there ? texts_keep(&self->texts, head->text + span->at, span->length, is_truncated)
			      : (struct weir_text){ NULL, 0 };
}

static struct weir_text constant(const char *text)
{
	return (struct weir_text){ text, text ? (uint32_t)strlen(text) : 0 };
}

static struct weir_http_request request_of(const struct hearing *hearing, const struct http_head *head)
{
	struct session_ends ends = session_ends(hearing->event->flow, hearing->connection->asker);
	struct weir_http_request request = { ends.client, ends.server, ends.client_port, ends.server_port,
		.content_length = head->content_length,
		.is_chunked = head->is_chunked,
		.is_truncated = head->is_truncated,
		.anomaly = constant(http_oddity(head)),
		.number = hearing->connection->asked };

	request.method = text_of(hearing->self, head, HTTP_METHOD, &request.is_truncated);
	request.host = text_of(hearing->self, head, HTTP_HOST, &request.is_truncated);
	request.uri = text_of(hearing->self, head, HTTP_URI, &request.is_truncated);
	request.version = text_of(hearing->self, head, HTTP_VERSION, &request.is_truncated);
	request.user_agent = text_of(hearing->self, head, HTTP_USER_AGENT, &request.is_truncated);
	request.content_type = text_of(hearing->self, head, HTTP_CONTENT_TYPE, &request.is_truncated);
	request.referer = text_of(hearing->self, head, HTTP_REFERER, &request.is_truncated);
	request.upgrade = text_of(hearing->self, head, HTTP_UPGRADE, &request.is_truncated);
	return request;
}

static struct weir_text method_of(const struct http_answer *answer)
{
	return constant(!answer->number		      ? NULL
			: answer->kind == HTTP_GET_HEAD ? "HEAD"
			: answer->kind == HTTP_CONNECT  ? "CONNECT"
							: NULL);
}

static struct weir_http_response response_of(const struct hearing *hearing, const struct http_head *head,
	const struct http_answer *answer)
{
	struct session_ends ends = session_ends(hearing->event->flow, hearing->connection->asker);
	struct weir_http_response response = { ends.client, ends.server, ends.client_port, ends.server_port,
		.code = head->code,
		.content_length = head->content_length,
		.is_chunked = head->is_chunked,
		.is_truncated = head->is_truncated,
		.anomaly = constant(http_oddity(head)),
		.method = method_of(answer),
		.number = answer->number };

	response.phrase = text_of(hearing->self, head, HTTP_PHRASE, &response.is_truncated);
	response.version = text_of(hearing->self, head, HTTP_VERSION, &response.is_truncated);
	response.content_type = text_of(hearing->self, head, HTTP_CONTENT_TYPE, &response.is_truncated);
	response.content_encoding = text_of(hearing->self, head, HTTP_CONTENT_ENCODING, &response.is_truncated);
	response.server_name = text_of(hearing->self, head, HTTP_SERVER, &response.is_truncated);
	response.location = text_of(hearing->self, head, HTTP_LOCATION, &response.is_truncated);
	response.upgrade = text_of(hearing->self, head, HTTP_UPGRADE, &response.is_truncated);
	return response;
}

static void head_came(void *context, const struct http_head *head, unsigned side, const struct http_answer *answer)
{
	const struct hearing *hearing = context;
	struct http *self = hearing->self;

	(void)side;
	weir_count(head->is_response ? &self->responses : &self->requests);
	if (head->oddities)
		weir_count(&self->odd);
	texts_begin(&self->texts, hearing->event);
	if (head->is_response)
		weir_raise(hearing->event, self->response,
			(struct weir_http_response[1]){ response_of(hearing, head, answer) });
	else
		weir_raise(hearing->event, self->request, (struct weir_http_request[1]){ request_of(hearing, head) });
}

// ---- flows

static void forget(struct http *self, const struct weir_flow *flow)
{
	for (uint64_t side = 0; side < 2; side++) {
		struct http_head *row = weir_table_find(self->begun, (&(struct session_key){ flow, side }));

		if (row)
			weir_table_forget(self->begun, row);
	}
}

// The head of this side, if a part of it has come: the others are read where they are done with at once.
static struct http_head *head_begun(
	struct http *self, struct http_connection *connection, const struct session_key *key)
{
	struct http_head *row;

	if (connection->side[key->from_server].at != HTTP_IN_HEAD)
		return &self->head;
	row = weir_table_find(self->begun, key);
	if (row)
		return row;
	weir_count(&self->lost_heads);
	http_lose(connection, (unsigned)key->from_server);
	return &self->head;
}

static void settle_head(struct http *self, struct http_connection *connection, const struct session_key *key,
	struct http_head *head)
{
	bool is_begun = connection->side[key->from_server].at == HTTP_IN_HEAD && !connection->is_over;

	if (is_begun && head == &self->head)
		memcpy(weir_table_at(self->begun, key), head,
			offsetof(struct http_head, text) + head->used + head->line);
	else if (!is_begun && head != &self->head)
		weir_table_forget(self->begun, head);
}

static enum weir_verdict bytes_came(struct weir_event *event, const struct weir_stream_data *data)
{
	struct http *self = weir_self(event);
	struct http_connection *connection = weir_flow_state(event->flow, self->connection);
	struct hearing hearing = { self, event, connection };
	struct http_ear ear = { head_came, &hearing };
	struct session_key key = { event->flow, event->from_server };
	struct http_head *head = head_begun(self, connection, &key);

	http_bytes(connection, event->from_server, data->offset, data->data.at, data->data.length, head, &ear);
	settle_head(self, connection, &key, head);
	if (!connection->is_over)
		return WEIR_PASS;
	if (!connection->asked && !connection->answered)
		weir_count(&self->others);
	forget(self, event->flow);
	return WEIR_DONE;
}

// From here on the first bytes of each side are those of the connection.
static enum weir_verdict connection_came(struct weir_event *event)
{
	struct http *self = weir_self(event);

	weir_flow_state(event->flow, self->connection)->is_begun = true;
	return WEIR_PASS;
}

static enum weir_verdict flow_went(struct weir_event *event)
{
	forget(weir_self(event), event->flow);
	return WEIR_PASS;
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct http *self = weir_self(call);

	(void)v;
	self->texts.is_over = true;
	out[0] = in;
}

WEIR_CLASS(HTTP, http,
	.about = "tells of HTTP/1.x requests and responses, on any port",
	WEIR_MEMBERS(WEIR_SETTING(http, heads, "1024", .min = 1, .max = 1 << 20,
			     .about = "how many heads of which a part has come are kept at once"),
		WEIR_KEEPS(http, begun, .rows_from = "heads"), WEIR_STATE(http, connection),
		WEIR_RAISES(http, request, http_request), WEIR_RAISES(http, response, http_response),
		WEIR_COUNTS(http, requests, .about = "requests whose head has come whole"),
		WEIR_COUNTS(http, responses, .about = "responses whose head has come whole"),
		WEIR_COUNTS(http, odd, .about = "heads that two programs may read differently (http.anomaly)"),
		WEIR_COUNTS(http, lost_heads, .about = "heads that were forgotten for want of room"),
		WEIR_COUNTS(http, others, .about = "connections that have turned out to speak something else")),
	WEIR_HANDLERS(WEIR_ON(tcp_established, connection_came), WEIR_ON(stream_data, bytes_came),
		WEIR_ON(flow_ended, flow_went)),
	.process = process,
	.on_demand = true);
