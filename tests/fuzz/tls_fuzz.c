// SPDX-License-Identifier: Apache-2.0
// One side of a handshake. However it is cut, the same hello comes out; what it says stays inside of its text.
//
//	| seed | bytes ...
#include "tls_hello.h"

#include <stdlib.h>
#include <string.h>

#define CHECK(is)                \
	do {                     \
		if (!(is))       \
			abort(); \
	} while (0)

static void go(struct tls_side *side, uint8_t *message, const uint8_t *data, size_t size, uint32_t random)
{
	for (size_t at = 0; at < size && side->state == TLS_READS;) {
		size_t piece = size - at;
		uint8_t *copy;

		if (random) {
			random = random * 1664525 + 1013904223;
			piece = 1 + (random >> 16) % (random >> 30 ? piece : 1);
		}
		copy = malloc(piece);
		CHECK(copy);
		memcpy(copy, data + at, piece);
		tls_bytes(side, message, copy, (uint32_t)piece);
		free(copy);
		at += piece;
	}
}

static void read_hello(const uint8_t *message, uint32_t length)
{
	static struct tls_hello hello;
	uint8_t *copy = malloc(length);

	CHECK(copy);
	memcpy(copy, message, length);
	if (tls_read_hello(&hello, copy, length)) {
		CHECK(hello.used <= TLS_TEXT);
		CHECK(hello.name.at + hello.name.length <= hello.used);
		CHECK(hello.alpn.at + hello.alpn.length <= hello.used);
		CHECK(hello.ciphers.at + hello.ciphers.length <= hello.used);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t message[2][TLS_MESSAGE];
	struct tls_side side[2] = { 0 };

	if (size < 2)
		return 0;
	go(&side[0], message[0], data + 1, size - 1, 0);
	go(&side[1], message[1], data + 1, size - 1, data[0] + 1u);
	CHECK(side[0].state == side[1].state);
	if (side[0].state == TLS_OTHER)
		return 0;
	CHECK(side[0].read == side[1].read && !memcmp(message[0], message[1], side[0].read));
	if (side[0].state == TLS_TOLD)
		read_hello(message[0], side[0].read);
	read_hello(data + 1, (uint32_t)size - 1);
	return 0;
}
