// SPDX-License-Identifier: Apache-2.0
// Checksums that were left to be completed, and packets cut into frames: judged by a plain sum.
#include "packet/pool.h"
#include "packet/protocol.h"
#include "port/buffers.h"
#include "port/platform.h"
#include "port/unfinished.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct form {
	const char *name;
	bool is_v6, is_udp;
	unsigned tags, options; // VLAN tags, bytes of TCP options
	uint32_t payload;
	uint16_t size; // of a segment; 0: one frame
};

static const struct form forms[] = {
	{ "small", false, false, 0, 0, 1, 0 },
	{ "empty", false, false, 0, 12, 0, 0 },
	{ "odd, in two buffers", false, false, 0, 12, 3001, 0 },
	{ "v6", true, false, 0, 0, 777, 0 },
	{ "udp v6", true, true, 1, 0, 1001, 0 },
	{ "64 kB", false, false, 0, 12, 65000, 1448 },
	{ "exact multiple", false, false, 0, 12, 14480, 1448 },
	{ "tagged twice", false, false, 2, 0, 20000, 1001 },
	{ "v6 in segments", true, false, 0, 20, 40001, 1428 },
	{ "udp in segments", false, true, 0, 0, 9001, 1000 },
	{ "udp v6 in segments", true, true, 1, 0, 5000, 999 },
	{ "larger than the packet", false, false, 0, 0, 100, 1448 },
	{ "tiny segments", false, false, 0, 0, 700, 1 },
	{ "longer than 64 kB", false, false, 0, 0, 100000, 1448 },
};

static uint8_t payload_at(uint32_t at)
{
	return (uint8_t)(at * 31 + (at >> 8) * 7);
}

static uint32_t write_network(uint8_t *at, const struct form *form, uint32_t length)
{
	uint32_t whole = length + (form->is_v6 ? 0 : 20);

	if (form->is_v6) {
		weir_put32(at, 0x60000000);
		weir_put16(at + 4, (uint16_t)(whole > 65535 ? 0 : whole));
		at[6] = form->is_udp ? 17 : 6;
		at[7] = 64;
		for (unsigned i = 8; i < 40; i++)
			at[i] = (uint8_t)(i * 5);
		return 40;
	}
	memcpy(at, "\x45\0\0\0\x12\x34\x40\0\x40\0\0\0\x0a\1\2\3\x0a\4\5\6", 20);
	weir_put16(at + 2, (uint16_t)(whole > 65535 ? 0 : whole));
	at[9] = form->is_udp ? 17 : 6;
	return 20;
}

static struct rte_mbuf *make(const struct form *form)
{
	static uint8_t bytes[128 * 1024];
	uint32_t header = form->is_udp ? 8 : 20 + form->options, at = 12;
	struct rte_mbuf *mbuf;

	memset(bytes, 0, 256);
	bytes[0] = 2;
	for (unsigned i = 0; i < form->tags; i++, at += 4)
		weir_put32(bytes + at, 0x81000000 + i + 5);
	weir_put16(bytes + at, form->is_v6 ? 0x86dd : 0x0800);
	at += 2;
	at += write_network(bytes + at, form, header + form->payload);
	weir_put32(bytes + at, 0x30390050);
	if (form->is_udp) {
		weir_put16(bytes + at + 4, (uint16_t)(8 + form->payload));
		memcpy(bytes + at + 6, "\xab\xcd", 2);
	} else {
		weir_put32(bytes + at + 4, 0xfffff000);
		bytes[at + 12] = (uint8_t)((5 + form->options / 4) << 4);
		bytes[at + 13] = 0x80 | 0x10 | 8 | 1; // CWR ACK PSH FIN
		memset(bytes + at + 20, 1, form->options);
		memcpy(bytes + at + 16, "\xab\xcd", 2);
	}
	at += header;
	for (uint32_t i = 0; i < form->payload; i++)
		bytes[at + i] = payload_at(i);
	mbuf = buffers_hold(platform_pool(), bytes, at + form->payload);
	assert_non_null(mbuf);
	*packet_head(mbuf) = (struct packet_head){ .link = PROTO_ETH, .unfinished = PACKET_L4 };
	if (form->size) {
		packet_head(mbuf)->gso_type = form->is_udp ? PACKET_GSO_UDP : PACKET_GSO_TCP;
		packet_head(mbuf)->gso_size = form->size;
	}
	return mbuf;
}

// RFC 1071, byte by byte: 0xffff if a checksum within is right.
static uint32_t plain_sum(const uint8_t *bytes, uint32_t length, uint32_t sum)
{
	for (uint32_t i = 0; i < length; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void check_sums(const struct rte_mbuf *mbuf, const struct form *form, bool network_too)
{
	static uint8_t flat[128 * 1024];
	uint32_t network = 14 + form->tags * 4;
	const uint8_t *bytes = rte_pktmbuf_read(mbuf, 0, mbuf->pkt_len, flat);
	uint32_t at = network + (form->is_v6 ? 40 : 20), length = mbuf->pkt_len - at;
	uint32_t sum = plain_sum(bytes + network + (form->is_v6 ? 8 : 12), form->is_v6 ? 32 : 8,
		(form->is_udp ? 17 : 6) + (length & 0xffff) + (length >> 16));

	assert_int_equal(plain_sum(bytes + at, length, sum), 0xffff);
	if (network_too && !form->is_v6)
		assert_int_equal(plain_sum(bytes + network, 20, 0), 0xffff);
}

static void test_completes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct rte_mbuf *mbuf = make(&forms[i]);

		assert_true(unfinished_finish(mbuf));
		assert_int_equal(packet_head(mbuf)->unfinished, 0);
		check_sums(mbuf, &forms[i], false);
		rte_pktmbuf_free(mbuf);
	}
}

static void test_knows_by_content(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct rte_mbuf *mbuf = make(&forms[i]);
		struct transport transport;

		assert_true(transport_find(&transport, mbuf));
		assert_int_equal(transport.headers + forms[i].payload, mbuf->pkt_len);
		assert_false(unfinished_looks_so(mbuf, &transport));
		unfinished_seed(mbuf, &transport);
		assert_true(unfinished_looks_so(mbuf, &transport));
		assert_true(unfinished_complete_at(mbuf, transport.at, transport.sum));
		check_sums(mbuf, &forms[i], false);
		rte_pktmbuf_free(mbuf);
	}
}

static void check_frame(const struct rte_mbuf *frame, const struct form *form, unsigned number, uint32_t *done)
{
	uint8_t flat[4096];
	const uint8_t *bytes = rte_pktmbuf_read(frame, 0, frame->pkt_len, flat);
	struct transport transport;
	uint32_t payload;

	assert_true(transport_find(&transport, frame));
	payload = frame->pkt_len - transport.headers;
	assert_true(payload == form->size || *done + payload == form->payload);
	for (uint32_t i = 0; i < payload; i++)
		assert_int_equal(bytes[transport.headers + i], payload_at(*done + i));
	check_sums(frame, form, true);
	if (!form->is_v6)
		assert_int_equal(weir_be16(bytes + transport.network + 4), 0x1234 + number);
	if (!form->is_udp) {
		uint8_t flags = bytes[transport.at + 13];

		assert_int_equal(weir_be32(bytes + transport.at + 4), 0xfffff000 + *done);
		assert_int_equal(flags & 0x80, number == 0 ? 0x80 : 0);
		assert_int_equal(flags & 9, *done + payload == form->payload ? 9 : 0);
	}
	*done += payload;
}

static void test_cuts(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct rte_mbuf *mbuf = make(&forms[i]), *frame;
		struct segments segments;
		uint32_t done = 0;
		unsigned number = 0;

		assert_int_equal(segments_begin(&segments, mbuf), forms[i].size > 0);
		while (forms[i].size && (frame = segments_next(&segments))) {
			check_frame(frame, &forms[i], number++, &done);
			rte_pktmbuf_free(frame);
		}
		if (forms[i].size)
			assert_int_equal(done, forms[i].payload);
		rte_pktmbuf_free(mbuf);
	}
	assert_int_equal(packet_pool_used(platform_pool()), 0);
}

// The field as it is when the sum over all else is zero: UDP's says 0xffff, since 0 would mean that there is none;
// TCP's says 0, since RFC 1624 knows no 0xffff (tshark calls it bad).
static void test_completes_to_zero(void **state)
{
	static const struct {
		struct form form;
		const char *field;
	} cases[] = {
		{ { "tcp", false, false, 0, 0, 1000, 0 }, "\0\0" },
		{ { "tcp v6 in two buffers", true, false, 0, 12, 3000, 0 }, "\0\0" },
		{ { "udp", false, true, 0, 0, 1000, 0 }, "\xff\xff" },
		{ { "udp v6 in two buffers", true, true, 0, 0, 3000, 0 }, "\xff\xff" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rte_mbuf *mbuf = make(&cases[i].form);
		struct transport transport;
		uint8_t *field, *spare;

		assert_true(transport_find(&transport, mbuf));
		field = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, transport.at + transport.sum);
		spare = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, transport.headers);
		memset(spare, 0, 2);
		unfinished_complete(mbuf, &transport);
		memcpy(spare, field, 2);
		unfinished_complete(mbuf, &transport);
		assert_memory_equal(field, cases[i].field, 2);
		check_sums(mbuf, &cases[i].form, false);
		unfinished_seed(mbuf, &transport);
		assert_true(unfinished_complete_at(mbuf, transport.at, transport.sum));
		assert_memory_equal(field, cases[i].field, 2);
		rte_pktmbuf_free(mbuf);
	}
}

// Buffers of any length, as straightening leaves them: bytes at odd places of a later one count the other way round.
static void test_completes_over_odd_buffers(void **state)
{
	unsigned seed = 3;

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		const struct form *form = &forms[(unsigned)rand_r(&seed) % (sizeof(forms) / sizeof(forms[0]))];
		struct rte_mbuf *whole = make(form), *mbuf;

		mbuf = packet_rebuild(whole, (struct packet_shape){ .at = 600 + (unsigned)rand_r(&seed) % 2600,
							.length = 2 + (unsigned)rand_r(&seed) % 1900 });
		assert_non_null(mbuf);
		assert_true(unfinished_finish(mbuf));
		check_sums(mbuf, form, false);
		rte_pktmbuf_free(whole);
		rte_pktmbuf_free(mbuf);
	}
}

// Any bytes: nothing is read or written past the end (the sanitizer watches).
static void test_takes_anything(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		const struct form *form = &forms[(unsigned)rand_r(&seed) % 5];
		struct rte_mbuf *mbuf = make(form);
		uint8_t *bytes = rte_pktmbuf_mtod(mbuf, uint8_t *);
		struct segments segments;
		struct rte_mbuf *frame;

		for (unsigned i = 0; i < 3; i++)
			bytes[(unsigned)rand_r(&seed) % 64] = (uint8_t)rand_r(&seed);
		if (mbuf->nb_segs == 1)
			rte_pktmbuf_trim(mbuf, (uint16_t)((unsigned)rand_r(&seed) % mbuf->data_len));
		packet_head(mbuf)->gso_type = 1 + (unsigned)rand_r(&seed) % 2;
		packet_head(mbuf)->gso_size = (uint16_t)(1 + (unsigned)rand_r(&seed) % 2000);
		if (segments_begin(&segments, mbuf))
			while ((frame = segments_next(&segments)))
				rte_pktmbuf_free(frame);
		unfinished_frame(mbuf);
		unfinished_finish(mbuf);
		rte_pktmbuf_free(mbuf);
	}
	assert_int_equal(packet_pool_used(platform_pool()), 0);
}

// A clone's bytes are another's, too: they are copied before they are completed.
static void test_leaves_shared_bytes(void **state)
{
	struct rte_mbuf *mbuf = make(&forms[2]), *clone = packet_clone(mbuf), *own;
	struct transport transport;

	(void)state;
	assert_non_null(clone);
	assert_true(transport_find(&transport, mbuf));
	own = unfinished_own(clone);
	assert_non_null(own);
	assert_true(unfinished_finish(own));
	assert_memory_equal(rte_pktmbuf_mtod_offset(mbuf, uint8_t *, transport.at + transport.sum), "\xab\xcd", 2);
	rte_pktmbuf_free(own);
	assert_ptr_equal(unfinished_own(mbuf), mbuf);
	rte_pktmbuf_free(mbuf);
	assert_int_equal(packet_pool_used(platform_pool()), 0);
}

static int start(void **state)
{
	struct platform_wish wish = { .buffers = 4096, .workers = 1 };
	struct port_error why;

	(void)state;
	if (platform_start(&wish, &why) == 0)
		return 0;
	print_error("%s; %s\n", why.text, why.hint);
	return -1;
}

static int stop(void **state)
{
	(void)state;
	platform_stop();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_completes),
		cmocka_unit_test(test_completes_to_zero),
		cmocka_unit_test(test_completes_over_odd_buffers),
		cmocka_unit_test(test_knows_by_content),
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_takes_anything),
		cmocka_unit_test(test_leaves_shared_bytes),
	};

	return cmocka_run_group_tests_name("segments", tests, start, stop);
}
