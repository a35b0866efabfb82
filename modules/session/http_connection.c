// SPDX-License-Identifier: Apache-2.0
#include "http_connection.h"

#include <string.h>

enum { SIZE_DIGITS = 15 };

struct work { // one call
	struct http_connection *connection;
	struct http_side *side;
	struct http_head *head;
	const struct http_ear *ear;
	unsigned number; // of the side
};

static void lose(struct http_side *side)
{
	side->at = HTTP_LOST;
	side->was_newline = false;
}

// ---- which response answers which request

static void note_request(struct http_connection *connection, enum http_kind kind)
{
	unsigned shift = ++connection->asked % HTTP_ASKED * 2;

	connection->kinds = (connection->kinds & ~(UINT64_C(3) << shift)) | (uint64_t)kind << shift;
	connection->is_pipelined |= connection->asked > connection->answered + 1;
}

static enum http_kind kind_of(const struct http_connection *connection, uint32_t number)
{
	if (number > connection->asked || connection->asked - number >= HTTP_ASKED)
		return HTTP_OTHER;
	return (enum http_kind)(connection->kinds >> number % HTTP_ASKED * 2 & 3);
}

// In order. Behind bytes that nobody saw a connection that never asked ahead has answered all but the last.
static struct http_answer answer_of(struct http_connection *connection, struct http_side *side)
{
	struct http_answer answer = { .kind = HTTP_OTHER };

	if (side->has_gap && !connection->is_pipelined && connection->asked > connection->answered)
		connection->answered = connection->asked - 1;
	side->has_gap = false;
	if (connection->answered >= connection->asked && !connection->is_begun)
		return answer;
	answer.number = connection->answered + 1;
	answer.kind = kind_of(connection, answer.number);
	return answer;
}

// ---- where the message ends

static void begin_body(struct http_side *side, uint64_t length)
{
	side->left = length;
	side->at = length ? HTTP_IN_BODY : HTTP_AT_START;
}

static void begin_chunk(struct http_side *side)
{
	side->left = side->digits = 0;
	side->at = HTTP_AT_CHUNK;
}

static void end_request(struct work *work)
{
	const struct http_head *head = work->head;

	if (head->is_chunked)
		begin_chunk(work->side);
	else if (head->has_coding)
		lose(work->side); // its length cannot be known (RFC 9112 6.3, 4)
	else
		begin_body(work->side, head->content_length);
}

static bool has_no_body(const struct http_head *head, enum http_kind kind)
{
	return kind == HTTP_GET_HEAD || head->code / 100 == 1 || head->code == 204 || head->code == 304;
}

static void end_response(struct work *work, const struct http_answer *answer)
{
	struct http_connection *connection = work->connection;
	const struct http_head *head = work->head;

	if (head->code >= 200 && (answer->number || connection->is_begun))
		connection->answered++;
	if (head->code == 101 || (answer->kind == HTTP_CONNECT && head->code / 100 == 2))
		connection->is_over = true; // something else is spoken from here on
	else if (has_no_body(head, answer->kind))
		work->side->at = HTTP_AT_START;
	else if (head->is_chunked)
		begin_chunk(work->side);
	else if (!head->has_coding && head->has_length)
		begin_body(work->side, head->content_length);
	else
		connection->is_over = true; // the body ends with the connection
}

static void end_head(struct work *work)
{
	struct http_connection *connection = work->connection;
	const struct http_head *head = work->head;
	struct http_answer answer = { 0 };

	connection->lost = 0;
	connection->asker = (uint8_t)(work->number ^ head->is_response);
	work->side->is_proven = true;
	if (!head->is_response) {
		note_request(connection, http_kind_of(head));
		answer = (struct http_answer){ connection->asked, http_kind_of(head) };
		work->side->has_gap = false;
	} else {
		answer = answer_of(connection, work->side);
	}
	work->ear->heard(work->ear->context, head, work->number, &answer);
	if (head->is_response)
		end_response(work, &answer);
	else
		end_request(work);
}

// ---- what is between two messages

// What is no message where the first one must begin is none of ours; but a connection that began before we came, or on
// which the other side speaks HTTP, may go on.
static void refuse(struct work *work)
{
	struct http_connection *connection = work->connection;

	lose(work->side);
	if (!work->side->is_proven && connection->is_begun && !connection->side[!work->number].is_proven)
		connection->is_over = true;
}

static void add_lost(struct work *work, uint32_t length)
{
	struct http_connection *connection = work->connection;

	bool is_seen = connection->side[0].is_proven || connection->side[1].is_proven;

	connection->lost += (uint32_t)length;
	connection->is_over |= connection->lost > (is_seen ? HTTP_LOST_MOST : HTTP_UNSEEN_MOST);
}

// A message begins where a segment does, or behind an empty line.
static uint32_t seek(struct work *work, const char *bytes, uint32_t length, bool is_segment)
{
	struct http_side *side = work->side;
	uint32_t at = 0;

	if (is_segment && http_begins(bytes, length)) {
		side->at = HTTP_AT_START;
		return 0;
	}
	while (at < length) {
		const char *end = memchr(bytes + at, '\n', length - at);
		uint32_t line = end ? (uint32_t)(end - bytes) - at : length - at;
		bool is_empty = end && (!line || (line == 1 && bytes[at] == '\r'));

		at += line + !!end;
		if (is_empty && side->was_newline && http_begins(bytes + at, length - at)) {
			side->at = HTTP_AT_START;
			break;
		}
		side->was_newline = end;
	}
	add_lost(work, at);
	return at;
}

// ---- bytes, by where they stand. Each takes some and says how many.

static uint32_t take_head(struct work *work, const char *bytes, uint32_t length)
{
	struct http_side *side = work->side;
	uint32_t taken;

	if (side->at == HTTP_AT_START)
		http_head_begin(work->head);
	side->at = HTTP_IN_HEAD;
	taken = http_head_take(work->head, bytes, length);
	if (work->head->stage == HTTP_COMPLETE)
		end_head(work);
	else if (work->head->stage == HTTP_REFUSED)
		refuse(work);
	return taken;
}

static uint32_t take_body(struct http_side *side, uint32_t length)
{
	uint32_t taken = length < side->left ? length : (uint32_t)side->left;

	side->left -= taken;
	if (!side->left)
		side->at = side->at == HTTP_IN_BODY ? HTTP_AT_START : HTTP_BEHIND_CHUNK;
	return taken;
}

static int digit_of(char byte)
{
	return byte >= '0' && byte <= '9'  ? byte - '0'
		: byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
		: byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
					     : -1;
}

static uint32_t take_size(struct http_side *side, const char *bytes, uint32_t length)
{
	uint32_t at = 0;

	for (; at < length; at++) {
		int digit = digit_of(bytes[at]);

		if (digit < 0)
			break;
		if (side->digits++ == SIZE_DIGITS) {
			lose(side);
			return at;
		}
		side->left = side->left << 4 | (uint64_t)digit;
	}
	if (at < length && side->digits && strchr("\r\n; \t", bytes[at]) && bytes[at])
		side->at = HTTP_IN_CHUNK_LINE;
	else if (at < length)
		lose(side);
	return at;
}

static uint32_t take_line(struct http_side *side, const char *bytes, uint32_t length, enum http_at next)
{
	const char *end = memchr(bytes, '\n', length);

	if (!end)
		return length;
	side->at = (uint8_t)next;
	return (uint32_t)(end - bytes) + 1;
}

// The line break behind a chunk's bytes, and nothing else.
static uint32_t take_break(struct http_side *side, const char *bytes)
{
	if (*bytes == '\n')
		begin_chunk(side);
	else if (*bytes != '\r')
		lose(side);
	return *bytes == '\n' || *bytes == '\r';
}

// A line of the trailer begins; an empty one ends the message.
static uint32_t take_trailer(struct http_side *side, const char *bytes)
{
	if (*bytes == '\n')
		side->at = HTTP_AT_START;
	else if (*bytes != '\r')
		side->at = HTTP_IN_TRAILER;
	return *bytes == '\n' || *bytes == '\r';
}

static uint32_t take(struct work *work, const char *bytes, uint32_t length, bool is_segment)
{
	struct http_side *side = work->side;

	switch ((enum http_at)side->at) {
	case HTTP_AT_START:
	case HTTP_IN_HEAD:
		return take_head(work, bytes, length);
	case HTTP_IN_BODY:
	case HTTP_IN_CHUNK:
		return take_body(side, length);
	case HTTP_AT_CHUNK:
		return take_size(side, bytes, length);
	case HTTP_IN_CHUNK_LINE:
		return take_line(side, bytes, length, side->left ? HTTP_IN_CHUNK : HTTP_AT_TRAILER);
	case HTTP_BEHIND_CHUNK:
		return take_break(side, bytes);
	case HTTP_AT_TRAILER:
		return take_trailer(side, bytes);
	case HTTP_IN_TRAILER:
		return take_line(side, bytes, length, HTTP_AT_TRAILER);
	case HTTP_LOST:
		break;
	}
	return seek(work, bytes, length, is_segment);
}

// Bytes that will not come: a body is as long as it said, of anything else the thread is lost.
static void skip(struct work *work, uint64_t length)
{
	struct http_side *side = work->side;

	side->has_gap = true;
	if ((side->at != HTTP_IN_BODY && side->at != HTTP_IN_CHUNK) || side->left < length) {
		lose(side);
		return;
	}
	side->left -= length;
	if (!side->left)
		side->at = side->at == HTTP_IN_BODY ? HTTP_AT_START : HTTP_BEHIND_CHUNK;
}

void http_bytes(struct http_connection *connection, unsigned side, uint64_t offset, const char *bytes, uint32_t length,
	struct http_head *head, const struct http_ear *ear)
{
	struct work work = { connection, &connection->side[side], head, ear, side };

	if (offset != work.side->offset)
		skip(&work, offset - work.side->offset);
	work.side->offset = offset + length;
	for (uint32_t at = 0; at < length && !connection->is_over;)
		at += take(&work, bytes + at, length - at, !at);
}

void http_lose(struct http_connection *connection, unsigned side)
{
	connection->side[side].has_gap = true;
	lose(&connection->side[side]);
}
