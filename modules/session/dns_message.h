// SPDX-License-Identifier: Apache-2.0
// Messages of DNS (RFC 1035 4, RFC 6891), as they come in a datagram or in a stream behind their length.
#ifndef DNS_MESSAGE_H
#define DNS_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	DNS_HEADER = 12,
	DNS_TEXT = 3072,
	DNS_NAME_TEXT = 4 * 255, // a name at most, escaped
	DNS_RECORDS = 512,       // of a message that are looked at
};

enum dns_place { DNS_ITS_PORT, DNS_MULTICAST_PORT, DNS_ANY_PORT }; // where it came: how sure it must look

struct dns_span { // in text
	uint16_t at, length;
	bool is_there;
};

struct dns_message {
	uint16_t id, flags, count[4]; // questions, answers, authorities, additions
	uint16_t type, class, udp_size, code;
	bool is_truncated;
	const char *anomaly; // NULL: there is none
	struct dns_span name, a, aaaa, cname;
	uint16_t used;
	char text[DNS_TEXT];
};

// May a message begin with these bytes? As far as they go.
bool dns_may_be(const uint8_t *bytes, uint32_t length, enum dns_place place);
// Reads one. is_cut: it goes on behind `length`. false: it is none, or says nothing that can be told.
bool dns_read(struct dns_message *message, const uint8_t *bytes, uint32_t length, bool is_cut, enum dns_place place);

static inline bool dns_is_response(const struct dns_message *message)
{
	return message->flags >> 15;
}

#endif
