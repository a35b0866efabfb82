// SPDX-License-Identifier: Apache-2.0
// Messages of HTTP/1.x on a connection: where one ends and the next begins (RFC 9112 6.3), which response answers which
// request, what to do about bytes that nobody has seen. Knows nothing of packets.
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include "http_head.h"

enum http_at {
	HTTP_AT_START, // of a message
	HTTP_IN_HEAD,
	HTTP_IN_BODY,
	HTTP_AT_CHUNK, // in the line with its size
	HTTP_IN_CHUNK_LINE, // behind the size
	HTTP_IN_CHUNK,
	HTTP_BEHIND_CHUNK,
	HTTP_AT_TRAILER,
	HTTP_IN_TRAILER,
	HTTP_LOST, // until something looks like a message
};

struct http_side { // one direction
	uint64_t offset; // of the stream: what comes next
	uint64_t left;   // of the body or chunk; of a size, what was read of it
	uint8_t at, digits;
	bool is_proven;   // a message has come
	bool was_newline; // while lost: a line has just ended
	bool has_gap;     // since its last message
};

// Bytes in which a connection that has shown messages, or none yet, may hide the next one.
enum { HTTP_ASKED = 32, HTTP_LOST_MOST = 4 << 20, HTTP_UNSEEN_MOST = 128 << 10 };

struct http_connection { // zero at the start
	struct http_side side[2];
	uint32_t asked, answered; // numbers of the last request and of the last that was answered
	uint64_t kinds;           // enum http_kind of the last HTTP_ASKED requests, two bits each
	uint32_t lost;            // bytes since a message was seen
	uint8_t asker;            // the side that asks
	bool is_begun;            // its first bytes are the connection's
	bool is_over;             // nothing more can be told: no HTTP, or not any more
	bool is_pipelined;        // it has asked before it was answered
};

struct http_answer { // to which request a response belongs
	uint32_t number; // 0: nobody saw it
	enum http_kind kind;
};

// Hears of heads. `answer`: of a response.
typedef void http_heard(void *context, const struct http_head *head, unsigned side, const struct http_answer *answer);

struct http_ear {
	http_heard *heard;
	void *context;
};

// The next bytes of a side, from `offset` of its stream. `head` is memory: while the side is
// HTTP_IN_HEAD it is the same or a copy in each call (if it was lost: http_lose), else it may be
// any.
void http_bytes(struct http_connection *connection, unsigned side, uint64_t offset, const char *bytes, uint32_t length,
	struct http_head *head, const struct http_ear *ear);
void http_lose(struct http_connection *connection, unsigned side);

#endif
