// SPDX-License-Identifier: Apache-2.0
#include "tls_hello.h"

#include <stddef.h>
#include <string.h>

enum { CHANGE_CIPHER = 20, HANDSHAKE = 22, RECORD_MOST = (1 << 14) + 2048, MESSAGE_HEADER = 4, HELLO_MOST = 1 << 17 };
enum { SERVER_NAME = 0, ALPN = 16, SUPPORTED_VERSIONS = 43 };

static uint32_t be16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t be24(const uint8_t *at)
{
	return (uint32_t)at[0] << 16 | be16(at + 1);
}

// ---- records

// Before a hello there may be a record of one byte that is there for old middleboxes (RFC 8446 D.4).
static bool is_record(const struct tls_side *side)
{
	uint32_t length = be16(side->header + 3);

	if (side->header[1] != 3 || side->header[2] > 4 || !length || length > RECORD_MOST)
		return false;
	return side->header[0] == HANDSHAKE || (side->header[0] == CHANGE_CIPHER && length == 1 && !side->read);
}

static bool is_hello(const uint8_t *message, uint32_t read)
{
	if (read && message[0] != TLS_CLIENT_HELLO && message[0] != TLS_SERVER_HELLO)
		return false;
	return read < MESSAGE_HEADER || (be24(message + 1) >= 38 && be24(message + 1) <= HELLO_MOST);
}

static void take_message(struct tls_side *side, uint8_t *message, const uint8_t *bytes, uint32_t length)
{
	uint32_t room = TLS_MESSAGE - side->read, whole;

	memcpy(message + side->read, bytes, length < room ? length : room);
	side->read = (uint16_t)(side->read + (length < room ? length : room));
	if (!is_hello(message, side->read)) {
		side->state = TLS_OTHER;
		return;
	}
	whole = side->read < MESSAGE_HEADER ? TLS_MESSAGE : MESSAGE_HEADER + be24(message + 1);
	if (side->read >= whole || side->read == TLS_MESSAGE)
		side->state = TLS_TOLD;
	if (side->read > whole)
		side->read = (uint16_t)whole;
}

static uint32_t take_header(struct tls_side *side, const uint8_t *bytes, uint32_t length)
{
	uint32_t wanted = TLS_HEADER - side->has, taken = length < wanted ? length : wanted;

	memcpy(side->header + side->has, bytes, taken);
	side->has = (uint8_t)(side->has + taken);
	if (side->header[0] != HANDSHAKE && side->header[0] != CHANGE_CIPHER)
		side->state = TLS_OTHER;
	if (side->has < TLS_HEADER)
		return taken;
	if (!is_record(side) || ++side->records > TLS_RECORDS)
		side->state = TLS_OTHER;
	side->left = (uint16_t)be16(side->header + 3);
	return taken;
}

static uint32_t take_record(struct tls_side *side, uint8_t *message, const uint8_t *bytes, uint32_t length)
{
	uint32_t taken = length < side->left ? length : side->left;

	side->left = (uint16_t)(side->left - taken);
	if (!side->left)
		side->has = 0;
	if (side->header[0] == HANDSHAKE)
		take_message(side, message, bytes, taken);
	return taken;
}

uint32_t tls_bytes(struct tls_side *side, uint8_t message[TLS_MESSAGE], const uint8_t *bytes, uint32_t length)
{
	uint32_t at = 0;

	while (at < length && side->state == TLS_READS)
		at += side->has < TLS_HEADER ? take_header(side, bytes + at, length - at)
					     : take_record(side, message, bytes + at, length - at);
	return at;
}

// ---- what a hello says. Vectors are taken off the front; one that is longer than what is there is cut to it.

struct view {
	const uint8_t *at;
	uint32_t length;
	bool is_cut;
};

static struct view take(struct view *from, uint32_t length)
{
	struct view taken = { from->at, length, from->is_cut };

	if (length > from->length) {
		taken.length = from->length;
		taken.is_cut = from->is_cut = true;
	}
	from->at += taken.length;
	from->length -= taken.length;
	return taken;
}

static uint32_t take_number(struct view *from, uint32_t bytes)
{
	struct view taken = take(from, bytes);
	uint32_t number = 0;

	if (taken.length < bytes)
		return 0;
	for (uint32_t i = 0; i < bytes; i++)
		number = number << 8 | taken.at[i];
	return number;
}

// With its length in front.
static struct view take_vector(struct view *from, uint32_t bytes)
{
	return take(from, take_number(from, bytes));
}

static bool is_grease(uint32_t number)
{
	return (number & 0x0f0f) == 0x0a0a && number >> 8 == (number & 0xff);
}

// ---- texts

static void begin(struct tls_hello *hello, struct tls_span *span)
{
	*span = (struct tls_span){ hello->used, 0, true };
}

static void add(struct tls_hello *hello, struct tls_span *span, const void *bytes, uint32_t length)
{
	if (length > (uint32_t)TLS_TEXT - hello->used) {
		hello->is_truncated = true;
		return;
	}
	memcpy(hello->text + hello->used, bytes, length);
	hello->used = (uint16_t)(hello->used + length);
	span->length = (uint16_t)(span->length + length);
}

static void read_name(struct tls_hello *hello, struct view body)
{
	struct view names = take_vector(&body, 2);

	while (names.length && !hello->name.is_there) {
		uint32_t type = take_number(&names, 1);
		struct view name = take_vector(&names, 2);

		if (type || !name.length)
			continue;
		begin(hello, &hello->name);
		add(hello, &hello->name, name.at, name.length);
	}
	hello->is_truncated |= names.is_cut;
}

static void read_alpn(struct tls_hello *hello, struct view body)
{
	struct view protocols = take_vector(&body, 2);

	begin(hello, &hello->alpn);
	while (protocols.length) {
		struct view protocol = take_vector(&protocols, 1);

		if (hello->alpn.length)
			add(hello, &hello->alpn, ",", 1);
		add(hello, &hello->alpn, protocol.at, protocol.length);
	}
	hello->is_truncated |= protocols.is_cut;
}

static void read_versions(struct tls_hello *hello, struct view body)
{
	struct view versions = hello->kind == TLS_CLIENT_HELLO ? take_vector(&body, 1) : take(&body, 2);

	hello->supported_version = 0;
	while (versions.length) {
		uint32_t version = take_number(&versions, 2);

		if (version > hello->supported_version && !is_grease(version))
			hello->supported_version = (uint16_t)version;
	}
	hello->is_truncated |= versions.is_cut;
}

static void read_ciphers(struct tls_hello *hello, struct view ciphers)
{
	static const char digits[] = "0123456789abcdef";

	begin(hello, &hello->ciphers);
	while (ciphers.length > 1 && !hello->is_truncated) {
		uint32_t cipher = take_number(&ciphers, 2);
		const char text[] = { ',', digits[cipher >> 12], digits[cipher >> 8 & 15], digits[cipher >> 4 & 15],
			digits[cipher & 15] };
		bool is_first = !hello->ciphers.length;

		if (!is_grease(cipher))
			add(hello, &hello->ciphers, text + is_first, sizeof(text) - is_first);
	}
}

static void read_extensions(struct tls_hello *hello, struct view extensions)
{
	while (extensions.length) {
		uint32_t type = take_number(&extensions, 2);
		struct view body = take_vector(&extensions, 2);

		hello->is_truncated |= extensions.is_cut;
		if (type == SERVER_NAME && hello->kind == TLS_CLIENT_HELLO && !hello->name.is_there)
			read_name(hello, body);
		else if (type == ALPN && !hello->alpn.is_there)
			read_alpn(hello, body);
		else if (type == SUPPORTED_VERSIONS)
			read_versions(hello, body);
	}
}

bool tls_read_hello(struct tls_hello *hello, const uint8_t *message, uint32_t length)
{
	// the random of a HelloRetryRequest: SHA-256 of that word (RFC 8446 4.1.3)
	static const uint8_t retry[32] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e,
		0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8,
		0x33, 0x9c };
	struct view rest = { message, length, false }, random, extensions;

	memset(hello, 0, offsetof(struct tls_hello, text));
	hello->kind = (enum tls_kind)take_number(&rest, 1);
	hello->is_truncated = take_number(&rest, 3) > rest.length;
	hello->version = hello->supported_version = (uint16_t)take_number(&rest, 2);
	random = take(&rest, 32);
	hello->is_retry = hello->kind == TLS_SERVER_HELLO && random.length == 32 && !memcmp(random.at, retry, 32);
	if (hello->version >> 8 != 3 || take_vector(&rest, 1).length > 32)
		return false;
	if (hello->kind == TLS_CLIENT_HELLO) {
		struct view ciphers = take_vector(&rest, 2);

		extensions = rest;
		take_vector(&extensions, 1); // compression
		extensions = take_vector(&extensions, 2);
		if (ciphers.length % 2 || !ciphers.length)
			return false;
		read_extensions(hello, extensions);
		read_ciphers(hello, ciphers); // last: there may be more than fit
		return true;
	}
	hello->cipher = (uint16_t)take_number(&rest, 2);
	take_number(&rest, 1);
	if (rest.is_cut)
		return false;
	if (rest.length)
		read_extensions(hello, take_vector(&rest, 2));
	return true;
}
