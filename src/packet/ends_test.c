// SPDX-License-Identifier: Apache-2.0
// What is read of a quoted packet: whom it was from and for. Each case lies in memory of just its size, so that
// whatever is read beyond it is found where sanitizers run.
#include "packet/ends.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define IP(fragment, protocol) "\x45\0\0\x40\0\x07" fragment "\x40" protocol "\0\0\x0a\0\0\x01\x0a\0\0\x02"
#define IPV6(next) "\x60\0\0\0\0\x40" next "\x40" SOURCE DESTINATION
#define IP_OF(first, rest) first "\0\0\x40\0\x07\0\0\x40\x11\0\0\x0a\0\0\x01\x0a\0\0" rest
#define SOURCE "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
#define DESTINATION "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"
#define PADDING "\x01\x04\0\0\0\0"
#define PORTS "\x03\xe8\0\x35\0\0\0\0" // 1000, 53

struct quote {
	const char *title, *bytes;
	size_t size; // of the message
	bool is_ipv6, is_read;
	uint8_t protocol;
	uint16_t source_port, destination_port;
};
#define QUOTE(title, bytes) title, bytes, sizeof(bytes) - 1
#define ERROR(type) type "\0\0\0\0\0\0\0"

static const struct quote quotes[] = {
	{ QUOTE("UDP", ERROR("\x03") IP("\0\0", "\x11") PORTS), false, true, 17, 1000, 53 },
	{ QUOTE("TCP, of which there are 8 bytes", ERROR("\x0b") IP("\x40\0", "\x06") PORTS), false,
		true, 6, 1000, 53 },
	{ QUOTE("behind IP options", ERROR("\x0c") IP_OF("\x46", "\x02\1\1\1\1") PORTS), false,
		true, 17, 1000, 53 },
	{ QUOTE("source quench", ERROR("\x04") IP("\0\0", "\x11") PORTS), false, true, 17, 1000,
		53 },
	{ QUOTE("redirect", ERROR("\x05") IP("\0\0", "\x11") PORTS), false, true, 17, 1000, 53 },
	{ QUOTE("echo quotes nothing", ERROR("\x08") IP("\0\0", "\x11") PORTS), false, false, 0, 0, 0 },
	{ QUOTE("a protocol without ports", ERROR("\x03") IP("\0\0", "\x32") PORTS), false, true,
		50, 0, 0 },
	{ QUOTE("the first fragment", ERROR("\x03") IP("\x20\0", "\x11") PORTS), false, true, 17,
		1000, 53 },
	{ QUOTE("another fragment", ERROR("\x03") IP("\x20\x01", "\x11") PORTS), false, false, 0, 0, 0 },
	{ QUOTE("seven bytes of transport",
		  ERROR("\x03") IP("\0\0", "\x11") "\x03\xe8\0\x35\0\0\0"),
		false, false, 0, 0, 0 },
	{ QUOTE("options that are cut", ERROR("\x03") IP_OF("\x4f", "\x02") PORTS), false, false, 0, 0, 0 },
	{ QUOTE("a header that is too short by its length",
		  ERROR("\x03") IP_OF("\x44", "\x02") PORTS),
		false, false, 0, 0, 0 },
	{ QUOTE("another version", ERROR("\x03") IP_OF("\x65", "\x02") PORTS), false, false, 0, 0, 0 },
	{ QUOTE("a header that is cut", ERROR("\x03") IP_OF("\x45", "")), false, false, 0, 0, 0 },
	{ QUOTE("nothing", ERROR("\x03")), false, false, 0, 0, 0 },
	{ QUOTE("half of its own header", "\x03\0\0\0"), false, false, 0, 0, 0 },

	{ QUOTE("IPv6: UDP", ERROR("\x01") IPV6("\x11") PORTS), true, true, 17, 1000, 53 },
	{ QUOTE("IPv6: too big", ERROR("\x02") IPV6("\x06") PORTS), true, true, 6, 1000, 53 },
	{ QUOTE("IPv6: behind options",
		  ERROR("\x03") IPV6("\0") "\x3c\0" PADDING "\x11\0" PADDING PORTS),
		true, true, 17, 1000, 53 },
	{ QUOTE("IPv6: the first fragment",
		  ERROR("\x04") IPV6("\x2c") "\x11\0\0\x01\0\0\0\x07" PORTS),
		true, true, 17, 1000, 53 },
	{ QUOTE("IPv6: another fragment",
		  ERROR("\x04") IPV6("\x2c") "\x11\0\0\x08\0\0\0\x07" PORTS),
		true, false, 0, 0, 0 },
	{ QUOTE("IPv6: options longer than all",
		  ERROR("\x01") IPV6("\0") "\x11\xff\0\0\0\0\0\0" PORTS),
		true, false, 0, 0, 0 },
	{ QUOTE("IPv6: an option that is cut", ERROR("\x01") IPV6("\0") "\x11\0\0\0"), true, false, 0, 0, 0 },
	{ QUOTE("IPv6: cut", ERROR("\x01") IPV6("\x11") "\x03\xe8\0\x35\0\0\0"), true, false, 0, 0, 0 },
	{ QUOTE("IPv6: neighbour solicitation", ERROR("\x87") IPV6("\x11") PORTS), true, false, 0, 0, 0 },
};

static bool is_as_expected(const struct quote *quote, const struct ends *ends)
{
	unsigned size = quote->is_ipv6 ? 16 : 4;

	return ends->size == size && ends->source[size - 1] == 1 && ends->destination[size - 1] == 2 &&
		ends->protocol == quote->protocol && ends->source_port == quote->source_port &&
		ends->destination_port == quote->destination_port;
}

static void quotes_are_read(void **)
{
	for (const struct quote *quote = quotes; quote < quotes + sizeof(quotes) / sizeof(*quotes); quote++) {
		uint8_t *bytes = malloc(quote->size);
		struct ends ends;
		bool is_read;

		assert_non_null(bytes);
		memcpy(bytes, quote->bytes, quote->size);
		is_read = ends_read_quoted(&ends, bytes, bytes + quote->size, quote->is_ipv6);
		if (is_read != quote->is_read || (is_read && !is_as_expected(quote, &ends)))
			fail_msg("%s", quote->title);
		free(bytes);
	}
}

// A packet that says of itself that it is a fragment, but is all of its datagram, is none.
static void atomic_fragments_are_whole(void **)
{
	static const uint8_t atomic[] = IPV6("\x2c") "\x11\0\0\0\0\0\0\x07" PORTS;
	static const uint8_t first[] = IPV6("\x2c") "\x11\0\0\x01\0\0\0\x07" PORTS;
	struct ends ends;

	assert_true(ends_read(&ends, atomic, atomic + sizeof(atomic) - 1, true));
	assert_false(ends.is_fragment);
	assert_int_equal(ends.destination_port, 53);
	assert_true(ends_read(&ends, first, first + sizeof(first) - 1, true));
	assert_true(ends.is_fragment);
	assert_int_equal(ends.identification, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotes_are_read),
		cmocka_unit_test(atomic_fragments_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
