// SPDX-License-Identifier: Apache-2.0
// Heads of HTTP/1.x messages (RFC 9112), line by line, in pieces of any size. What is kept of a
// head stands in a bounded buffer; what decides where the message ends is found however long the
// head is.
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stdint.h>

enum http_part {
	HTTP_METHOD, // or HTTP_PHRASE of a response
	HTTP_URI,
	HTTP_VERSION,
	HTTP_HOST,
	HTTP_USER_AGENT,
	HTTP_CONTENT_TYPE,
	HTTP_REFERER,
	HTTP_UPGRADE,
	HTTP_CONTENT_ENCODING,
	HTTP_SERVER,
	HTTP_LOCATION,
	HTTP_PARTS,
	HTTP_PHRASE = HTTP_METHOD,
};

// Why two programs may read a head differently, the worst first.
enum http_oddity {
	HTTP_BOTH_LENGTHS,
	HTTP_LENGTHS_DIFFER,
	HTTP_BAD_LENGTH,
	HTTP_BAD_CODING,
	HTTP_LENGTH_TWICE,
	HTTP_HOST_TWICE,
	HTTP_SPACE_BEFORE_COLON,
	HTTP_FOLDED,
	HTTP_BAD_LINE,
	HTTP_SPACE_IN_URI,
	HTTP_BARE_LF,
	HTTP_ODDITIES
};

enum http_stage { HTTP_READS, HTTP_COMPLETE, HTTP_REFUSED }; // refused: it is no HTTP/1.x
enum http_kind { HTTP_OTHER, HTTP_GET_HEAD, HTTP_CONNECT };   // of methods: whose response has no body, or is a tunnel

enum {
	HTTP_TEXT = 3072,
	HTTP_KEPT = HTTP_TEXT - 256, // of it, so that a line always finds room
	HTTP_URI_MOST = 2048,       // so that others do, too
	HTTP_HEAD_MOST = 1 << 20,    // bytes of a whole head
};

struct http_span {
	uint16_t at, length; // in text
	bool is_there;
};

struct http_head {
	enum http_stage stage;
	struct http_span part[HTTP_PARTS];
	uint64_t content_length;
	uint32_t size, lines; // bytes and lines so far
	uint32_t oddities;
	uint16_t used;     // of text: what is kept
	uint16_t line;     // behind it: the line that is read, as far as it found room
	uint16_t code;     // of a response
	char last;         // byte of the line
	bool is_response, has_length, has_coding, is_chunked; // chunked: the last coding is
	bool is_line_over; // a header line is whole, unless the next one goes on with it
	bool is_line_cut, is_truncated;
	char text[HTTP_TEXT];
};

void http_head_begin(struct http_head *head);
// Takes bytes of a head, up to its end. Returns how many it took: all of them while it still reads.
uint32_t http_head_take(struct http_head *head, const char *bytes, uint32_t length);
// Does a message surely begin here? For places in the middle of a stream.
bool http_begins(const char *bytes, uint32_t length);
enum http_kind http_kind_of(const struct http_head *request);
const char *http_oddity(const struct http_head *head); // NULL: there is none

#endif
