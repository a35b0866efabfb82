// SPDX-License-Identifier: Apache-2.0
// Checksums against sums made word by word, and against values from RFCs and real packets.
#include "packet/checksum.h"
#include "packet/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint16_t plain_sum(const uint8_t *bytes, size_t length)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint16_t stored(uint16_t check) // as memcpy would put it, read as the network does
{
	return weir_be16(&check);
}

static void sums_of_every_length(void **state)
{
	(void)state;
	for (size_t length = 0; length < 300; length++) {
		uint8_t *bytes = calloc(1, length + 1);

		for (size_t i = 0; i < length; i++)
			bytes[i] = (uint8_t)rand();
		assert_int_equal(stored(weir_fold(weir_sum(bytes, length, 0))), plain_sum(bytes, length));
		if (length >= 10)
			assert_int_equal(weir_fold(weir_sum(bytes + 10, length - 10, weir_sum(bytes, 10, 0))),
				weir_fold(weir_sum(bytes, length, 0)));
		free(bytes);
	}
}

static void carries_are_not_lost(void **state)
{
	static uint8_t bytes[70000];

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(weir_fold(weir_sum(bytes, sizeof(bytes), UINT32_MAX)), 0);
	bytes[69999] = 0xfe;
	assert_int_equal(stored(weir_fold(weir_sum(bytes, sizeof(bytes), 0))), 1);
}

static const uint8_t ip[20] = { 0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11, 0xb8, 0x61, 0xc0,
	0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7 };

static void header_of_ip(void **state)
{
	(void)state;
	assert_int_equal(stored(checksum_ip(ip)), 0xb861);
}

static void crc_of_sctp(void **state)
{
	uint8_t bytes[32] = { 0 };

	(void)state;
	assert_int_equal(checksum_crc32c("123456789", 9, 0), 0xe3069283);
	assert_int_equal(checksum_crc32c("56789", 5, checksum_crc32c("1234", 4, 0)), 0xe3069283);
	assert_int_equal(checksum_crc32c(bytes, sizeof(bytes), 0), 0x8a9136aa); // RFC 3720
}

static void transport_is_good_with_it(void **state)
{
	static const uint8_t protocols[] = { 1, 2, 6, 17 };
	uint8_t message[64];

	(void)state;
	for (unsigned i = 0; i < sizeof(protocols); i++)
		for (uint32_t length = 20; length < sizeof(message); length++) {
			uint32_t sum = protocols[i] < 3 ? 0 : checksum_pseudo(ip, protocols[i], length);
			uint16_t check;

			for (unsigned k = 0; k < length; k++)
				message[k] = (uint8_t)rand();
			check = checksum_transport(ip, protocols[i], message, length);
			memcpy(message + checksum_place(protocols[i]), &check, 2);
			assert_int_equal(weir_fold(weir_sum(message, length, sum)), 0);
		}
}

static void no_checksum_of_udp_is_zero(void **state)
{
	uint8_t header[20] = { 0x45 }, udp[8] = { 0, 0, 0xff, 0xff, 0, 8 };

	(void)state;
	weir_put16(udp, (uint16_t)(0xffff - 17 - 8 - 8)); // makes the sum ffff
	assert_int_equal(checksum_transport(header, 17, udp, 8), 0xffff);
}

// ---- packets in a vector

struct buffer { // one of a chain
	struct rte_mbuf mbuf;
	struct packet_head head;
	uint8_t bytes[256];
};

static const uint8_t frame_start[34] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 0, 0, 1, 0, 0,
	64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2 };

// Splits a frame of TCP after each of its bytes behind the headers, and checks what is made of it.
static void check_split(
	unsigned length, unsigned split, bool spoil, uint8_t unfinished, enum checksum_status want)
{
	struct buffer *first = aligned_alloc(64, 2 * sizeof(struct buffer)), *second = first + 1;
	struct vector *vector = aligned_alloc(64, (sizeof(struct vector) + 63) & ~63u);
	uint8_t frame[256];
	uint16_t check;

	memset(first, 0, 2 * sizeof(struct buffer));
	memset(vector, 0, sizeof(*vector));
	memcpy(frame, frame_start, sizeof(frame_start));
	for (unsigned i = sizeof(frame_start); i < length; i++)
		frame[i] = (uint8_t)(i * 37);
	weir_put16(frame + 16, (uint16_t)(length - 14));
	frame[34 + 12] = 0x50;
	check = checksum_transport(frame + 14, 6, frame + 34, length - 34);
	memcpy(frame + 34 + 16, &check, 2);
	frame[length - 1] = (uint8_t)(frame[length - 1] + spoil);
	memcpy(first->bytes, frame, split);
	memcpy(second->bytes, frame + split, length - split);
	first->mbuf.buf_addr = first->bytes;
	first->mbuf.data_len = (uint16_t)split;
	first->mbuf.next = &second->mbuf;
	second->mbuf.buf_addr = second->bytes;
	second->mbuf.data_len = (uint16_t)(length - split);
	first->head.unfinished = unfinished;
	first->head.original = length;
	vector->head.packet[3] = (struct weir_packet *)first;
	vector->head.data[3] = first->bytes;
	vector->head.length[3] = length;
	vector->head.straight[3] = split;
	assert_int_equal(checksum_check(vector, 3, PROTO_TCP, 34), want);
	free(first);
	free(vector);
}

static void chains_are_summed(void **state)
{
	(void)state;
	for (unsigned length = 60; length < 66; length++)
		for (unsigned split = 54; split <= length; split++) {
			check_split(length, split, false, 0, CHECKSUM_GOOD);
			check_split(length, split, true, 0, CHECKSUM_BAD);
			check_split(length, split, true, PACKET_L4, CHECKSUM_UNVERIFIED);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_of_every_length),
		cmocka_unit_test(carries_are_not_lost),
		cmocka_unit_test(header_of_ip),
		cmocka_unit_test(crc_of_sctp),
		cmocka_unit_test(transport_is_good_with_it),
		cmocka_unit_test(no_checksum_of_udp_is_zero),
		cmocka_unit_test(chains_are_summed),
	};

	return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
