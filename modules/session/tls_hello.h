// SPDX-License-Identifier: Apache-2.0
// Hellos of TLS (RFC 8446 4.1, RFC 5246 7.4.1) out of the records of one direction, in pieces of any size.
#ifndef TLS_HELLO_H
#define TLS_HELLO_H

#include <stdbool.h>
#include <stdint.h>

enum tls_state {
	TLS_READS,
	TLS_TOLD,  // the hello has come whole, or as far as there is room for it
	TLS_OTHER, // it is no TLS, or no hello comes
};
enum tls_kind { TLS_CLIENT_HELLO = 1, TLS_SERVER_HELLO = 2 };

enum {
	TLS_HEADER = 5,
	TLS_MESSAGE = 3968, // bytes of a hello that are looked at
	TLS_RECORDS = 64,   // in which it may come
	TLS_TEXT = 1024,
};

struct tls_side { // one direction; zero at the start
	uint8_t header[TLS_HEADER]; // of a record
	uint8_t has;                // bytes of it
	uint8_t state, records;
	uint16_t left; // bytes of the record
	uint16_t read; // bytes of the message; they are in its memory
};

struct tls_span { // in text
	uint16_t at, length;
	bool is_there;
};

struct tls_hello {
	enum tls_kind kind;
	uint16_t version, supported_version, cipher; // cipher: of a server
	struct tls_span name, alpn, ciphers;
	uint16_t used; // of text
	bool is_retry, is_truncated;
	char text[TLS_TEXT];
};

// The next bytes of a side, up to the end of its hello; how many it took. `message` is memory, the
// same or a copy in each call while side->read is not 0.
uint32_t tls_bytes(struct tls_side *side, uint8_t message[TLS_MESSAGE], const uint8_t *bytes, uint32_t length);
// What stands in a message that was TLS_TOLD. false: it contradicts itself in its fixed part.
bool tls_read_hello(struct tls_hello *hello, const uint8_t *message, uint32_t length);

#endif
