// SPDX-License-Identifier: Apache-2.0
#include "http_head.h"

#include <stddef.h>
#include <string.h>

enum { METHOD_MOST = 24, EMPTY_LINES = 16 };

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static bool is_of_method(char byte)
{
	return (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '_';
}

static void note(struct http_head *head, enum http_oddity oddity)
{
	head->oddities |= 1u << oddity;
}

// ---- texts

struct words { // in the head's text; not terminated
	const char *at;
	uint32_t length;
};

static struct words trimmed(struct words words)
{
	while (words.length && is_blank(*words.at)) {
		words.at++;
		words.length--;
	}
	while (words.length && is_blank(words.at[words.length - 1]))
		words.length--;
	return words;
}

static bool is_word(struct words words, const char *wanted)
{
	uint32_t i = 0;

	for (; i < words.length && wanted[i]; i++) {
		char byte = words.at[i];

		if ((byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte) != wanted[i])
			return false;
	}
	return i == words.length && !wanted[i];
}

// Moves it down to what is kept already: the line that it is of is over.
static void keep(struct http_head *head, enum http_part part, struct words words)
{
	uint32_t most = part == HTTP_URI ? HTTP_URI_MOST : HTTP_KEPT, room = most > head->used ? most - head->used : 0;
	uint32_t length = words.length < room ? words.length : room;

	if (length < words.length)
		head->is_truncated = true;
	memmove(head->text + head->used, words.at, length);
	head->part[part] = (struct http_span){ head->used, (uint16_t)length, true };
	head->used = (uint16_t)(head->used + length);
}

// ---- the first line

static bool is_version(struct words words)
{
	return words.length == 8 && !memcmp(words.at, "HTTP/1.", 7) && is_digit(words.at[7]);
}

// As much as there is of a first line; refuses what can be none as soon as that shows.
static bool may_be_first(const char *at, uint32_t length)
{
	static const char response[] = "HTTP/1.";
	uint32_t i = 0;

	while (i < length && i < sizeof(response) - 1 && at[i] == response[i])
		i++;
	if (i == length || i == sizeof(response) - 1)
		return true;
	for (i = 0; i < length && is_of_method(at[i]); i++)
		;
	return i <= METHOD_MOST && (i == length || (i && at[i] == ' '));
}

static bool take_status_line(struct http_head *head, struct words line)
{
	struct words version = { line.at, 8 };
	const char *code = line.at + 9;

	if (line.length < 12 || !is_version(version) || line.at[8] != ' ' || !is_digit(code[0]) || !is_digit(code[1]) ||
		!is_digit(code[2]) || (line.length > 12 && code[3] != ' '))
		return false;
	head->is_response = true;
	head->code = (uint16_t)((code[0] - '0') * 100 + (code[1] - '0') * 10 + code[2] - '0');
	keep(head, HTTP_VERSION, version);
	keep(head, HTTP_PHRASE, trimmed((struct words){ line.at + 12, line.length - 12 }));
	return true;
}

// A line that was cut has lost its version; a target that looks like one speaks for it.
static bool take_cut_line(struct http_head *head, struct words method, struct words rest)
{
	if (!rest.length || (*rest.at != '/' && (rest.length < 7 || memcmp(rest.at, "http", 4))))
		return false;
	keep(head, HTTP_METHOD, method);
	keep(head, HTTP_URI, rest);
	return true;
}

static bool take_request_line(struct http_head *head, struct words line)
{
	const char *space = memchr(line.at, ' ', line.length), *end = line.at + line.length;
	struct words method, version, target;

	if (!space || space == line.at || !may_be_first(line.at, (uint32_t)(space - line.at) + 1))
		return false;
	method = (struct words){ line.at, (uint32_t)(space - line.at) };
	if (head->is_line_cut)
		return take_cut_line(head, method, (struct words){ space + 1, (uint32_t)(end - space - 1) });
	version = (struct words){ end - 8, 8 };
	if (line.length < method.length + 11 || !is_version(version) || !is_blank(end[-9]))
		return false;
	target = trimmed((struct words){ space + 1, (uint32_t)(end - 9 - space - 1) });
	if (!target.length)
		return false;
	if (memchr(target.at, ' ', target.length) || target.length + method.length + 10 != line.length)
		note(head, HTTP_SPACE_IN_URI);
	keep(head, HTTP_METHOD, method);
	keep(head, HTTP_URI, target);
	keep(head, HTTP_VERSION, version);
	return true;
}

// ---- lengths

static bool read_length(struct words words, uint64_t *length)
{
	*length = 0;
	for (uint32_t i = 0; i < words.length; i++) {
		if (!is_digit(words.at[i]) || *length > (UINT64_MAX >> 1) / 10 - 1)
			return false;
		*length = *length * 10 + (uint64_t)(words.at[i] - '0');
	}
	return words.length;
}

static void take_length(struct http_head *head, struct words value)
{
	uint64_t length;

	if (!read_length(value, &length)) {
		note(head, HTTP_BAD_LENGTH);
		return;
	}
	if (head->has_length)
		note(head, length == head->content_length ? HTTP_LENGTH_TWICE : HTTP_LENGTHS_DIFFER);
	else
		head->content_length = length;
	head->has_length = true;
}

// The last coding decides; "chunked" anywhere else, or twice, is what smugglers write.
static void take_coding(struct http_head *head, struct words value)
{
	bool was_chunked = head->is_chunked;

	while (value.length) {
		const char *comma = memchr(value.at, ',', value.length);
		uint32_t length = comma ? (uint32_t)(comma - value.at) : value.length;
		struct words coding = trimmed((struct words){ value.at, length });

		value.at += length + !!comma;
		value.length -= length + !!comma;
		if (!coding.length)
			continue;
		if (was_chunked || head->is_line_cut)
			note(head, HTTP_BAD_CODING);
		head->is_chunked = was_chunked = is_word(coding, "chunked");
		if (!was_chunked && !is_word(coding, "gzip") && !is_word(coding, "deflate") &&
			!is_word(coding, "compress") && !is_word(coding, "identity"))
			note(head, HTTP_BAD_CODING);
		head->has_coding |= !is_word(coding, "identity");
	}
}

// ---- the other lines

static const struct {
	const char *name;
	enum http_part part;
	void (*take)(struct http_head *head, struct words value);
} known[] = {
	{ "host", HTTP_HOST, NULL },
	{ "content-length", HTTP_PARTS, take_length },
	{ "transfer-encoding", HTTP_PARTS, take_coding },
	{ "content-type", HTTP_CONTENT_TYPE, NULL },
	{ "user-agent", HTTP_USER_AGENT, NULL },
	{ "server", HTTP_SERVER, NULL },
	{ "referer", HTTP_REFERER, NULL },
	{ "location", HTTP_LOCATION, NULL },
	{ "content-encoding", HTTP_CONTENT_ENCODING, NULL },
	{ "upgrade", HTTP_UPGRADE, NULL },
};

static void take_header(struct http_head *head, struct words name, struct words value)
{
	for (unsigned i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (!is_word(name, known[i].name))
			continue;
		if (known[i].take)
			known[i].take(head, value);
		else if (!head->part[known[i].part].is_there)
			keep(head, known[i].part, value);
		else if (known[i].part == HTTP_HOST)
			note(head, HTTP_HOST_TWICE);
		return;
	}
}

static void take_line(struct http_head *head, struct words line)
{
	const char *colon = memchr(line.at, ':', line.length);
	struct words name, value;

	if (!colon || colon == line.at) {
		note(head, HTTP_BAD_LINE);
		return;
	}
	name = (struct words){ line.at, (uint32_t)(colon - line.at) };
	value = (struct words){ colon + 1, line.length - name.length - 1 };
	if (is_blank(colon[-1])) {
		note(head, HTTP_SPACE_BEFORE_COLON);
		name = trimmed(name);
	}
	if (memchr(value.at, '\r', value.length) || memchr(value.at, '\0', value.length))
		note(head, HTTP_BAD_LINE);
	if (head->is_line_cut && value.length)
		head->is_truncated = true;
	take_header(head, name, trimmed(value));
}

static void finish(struct http_head *head)
{
	if (head->has_length && head->has_coding)
		note(head, HTTP_BOTH_LENGTHS);
	head->stage = HTTP_COMPLETE;
}

// ---- lines out of pieces

static void append(struct http_head *head, const char *bytes, uint32_t length)
{
	uint32_t room = HTTP_TEXT - head->used - head->line;
	uint32_t kept = length < room ? length : room;

	memcpy(head->text + head->used + head->line, bytes, kept);
	head->line = (uint16_t)(head->line + kept);
	head->is_line_cut |= kept < length;
	if (length)
		head->last = bytes[length - 1];
}

static struct words line_of(const struct http_head *head)
{
	return (struct words){ head->text + head->used, head->line };
}

static void next_line(struct http_head *head)
{
	head->line = 0;
	head->last = 0;
	head->is_line_over = head->is_line_cut = false;
}

static void end_first_line(struct http_head *head)
{
	struct words line = line_of(head);
	bool is_fit;

	if (!line.length) { // before it; tolerated (RFC 9112 2.2)
		next_line(head);
		if (head->size > EMPTY_LINES * 2)
			head->stage = HTTP_REFUSED;
		return;
	}
	is_fit = !memcmp(line.at, "HTTP/", line.length < 5 ? line.length : 5) ? take_status_line(head, line)
									      : take_request_line(head, line);
	if (!is_fit)
		head->stage = HTTP_REFUSED;
	head->is_truncated |= head->is_line_cut;
	head->lines = 1;
	next_line(head);
}

static void end_line(struct http_head *head)
{
	if (head->last != '\r')
		note(head, HTTP_BARE_LF);
	else if (!head->is_line_cut)
		head->line--;
	if (!head->lines)
		end_first_line(head);
	else if (!head->line && !head->is_line_cut)
		finish(head);
	else
		head->is_line_over = true;
}

// A line that begins with a blank goes on with the one before (obs-fold); the break becomes a blank.
static void begin_line(struct http_head *head, char first)
{
	if (is_blank(first)) {
		note(head, HTTP_FOLDED);
		append(head, " ", 1);
		head->is_line_over = false;
		return;
	}
	take_line(head, line_of(head));
	head->lines++;
	next_line(head);
}

void http_head_begin(struct http_head *head)
{
	memset(head, 0, offsetof(struct http_head, text));
}

uint32_t http_head_take(struct http_head *head, const char *bytes, uint32_t length)
{
	uint32_t at = 0;

	while (at < length && head->stage == HTTP_READS) {
		const char *end;
		uint32_t piece;

		if (head->is_line_over)
			begin_line(head, bytes[at]);
		end = memchr(bytes + at, '\n', length - at);
		piece = end ? (uint32_t)(end - bytes) - at : length - at;
		append(head, bytes + at, piece);
		at += piece + !!end;
		head->size += piece + !!end;
		if (end)
			end_line(head);
		else if (!head->lines && head->last != '\r' && !may_be_first(head->text, head->line))
			head->stage = HTTP_REFUSED;
		if (head->size > HTTP_HEAD_MOST)
			head->stage = HTTP_REFUSED;
	}
	return at;
}

// ---- questions

bool http_begins(const char *bytes, uint32_t length)
{
	const char *end = memchr(bytes, '\n', length);
	uint32_t line = end ? (uint32_t)(end - bytes) : length, method = 0;

	if (line && bytes[line - 1] == '\r')
		line--;
	if (line >= 12 && is_version((struct words){ bytes, 8 }))
		return bytes[8] == ' ' && is_digit(bytes[9]) && is_digit(bytes[10]) && is_digit(bytes[11]);
	while (method < line && is_of_method(bytes[method]))
		method++;
	if (method < 3 || method > METHOD_MOST || method + 2 > line || bytes[method] != ' ')
		return false;
	if (end)
		return line >= method + 11 && is_version((struct words){ bytes + line - 8, 8 });
	return bytes[method + 1] == '/';
}

enum http_kind http_kind_of(const struct http_head *request)
{
	const struct http_span *method = &request->part[HTTP_METHOD];
	const char *at = request->text + method->at;

	return method->length == 4 && !memcmp(at, "HEAD", 4)	    ? HTTP_GET_HEAD
		: method->length == 7 && !memcmp(at, "CONNECT", 7) ? HTTP_CONNECT
								    : HTTP_OTHER;
}

const char *http_oddity(const struct http_head *head)
{
	static const char *const names[HTTP_ODDITIES] = {
		[HTTP_BOTH_LENGTHS] = "both_lengths",
		[HTTP_LENGTHS_DIFFER] = "lengths_differ",
		[HTTP_BAD_LENGTH] = "bad_length",
		[HTTP_BAD_CODING] = "bad_coding",
		[HTTP_LENGTH_TWICE] = "length_twice",
		[HTTP_HOST_TWICE] = "host_twice",
		[HTTP_SPACE_BEFORE_COLON] = "space_before_colon",
		[HTTP_FOLDED] = "folded",
		[HTTP_BAD_LINE] = "bad_line",
		[HTTP_SPACE_IN_URI] = "space_in_uri",
		[HTTP_BARE_LF] = "bare_lf",
	};

	return head->oddities ? names[__builtin_ctz(head->oddities)] : NULL;
}
