// SPDX-License-Identifier: Apache-2.0
// A message of DNS, wherever it came: it is read without reading on, and what it says stays inside of its text.
//
//	| place, is it cut | message ...
#include "dns_message.h"

#include <stdlib.h>
#include <string.h>

#define CHECK(is)                \
	do {                     \
		if (!(is))       \
			abort(); \
	} while (0)

static void check_text(const struct dns_message *message, const struct dns_span *span)
{
	CHECK(span->at + span->length <= message->used && message->used <= DNS_TEXT);
	for (unsigned i = 0; i < span->length; i++) // all can be printed
		CHECK(message->text[span->at + i] > ' ' && message->text[span->at + i] < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_message message;
	uint8_t *copy;

	if (size < 1 || size > 65536)
		return 0;
	copy = malloc(size); // one more than the message, which may be empty
	CHECK(copy);
	memcpy(copy + 1, data + 1, size - 1);
	if (dns_read(&message, copy + 1, (uint32_t)size - 1, data[0] & 4, (enum dns_place)((data[0] & 3) % 3))) {
		check_text(&message, &message.name);
		check_text(&message, &message.a);
		check_text(&message, &message.aaaa);
		check_text(&message, &message.cname);
		CHECK(dns_may_be(copy + 1, (uint32_t)size - 1, (enum dns_place)((data[0] & 3) % 3)));
	}
	free(copy);
	return 0;
}
