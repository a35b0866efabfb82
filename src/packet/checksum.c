// SPDX-License-Identifier: Apache-2.0
// Sums and CRCs of bytes. RFC 1071: the sum does not depend on the order of bytes, so words are added as they lie.
#include "packet/checksum.h"

#include <nmmintrin.h>

static uint64_t load64(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

// up to 7 bytes, as if zeros followed
static uint64_t load_tail(const uint8_t *at, size_t length)
{
	uint64_t word = 0;

	memcpy(&word, at, length);
	return word;
}

// Halves are added apart, so that nothing is carried out: good for 2^32 words.
uint32_t weir_sum(const void *bytes, size_t length, uint32_t sum)
{
	const uint8_t *at = bytes;
	uint64_t low[4] = { sum }, high[4] = { 0 }, total = 0, word;

	for (; length >= 32; length -= 32, at += 32)
		for (unsigned i = 0; i < 4; i++) {
			word = load64(at + 8 * i);
			low[i] += word & UINT32_MAX;
			high[i] += word >> 32;
		}
	for (unsigned i = 0; i < 4; i++)
		total += low[i] + high[i];
	for (; length >= 8; length -= 8, at += 8) {
		word = load64(at);
		total += (word & UINT32_MAX) + (word >> 32);
	}
	word = length ? load_tail(at, length) : 0;
	total += (word & UINT32_MAX) + (word >> 32);
	total = (total & UINT32_MAX) + (total >> 32);
	total = (total & UINT32_MAX) + (total >> 32);
	return (uint32_t)total;
}

uint16_t checksum_ip(const uint8_t *ip)
{
	unsigned size = (ip[0] & 15u) * 4;

	return weir_fold(weir_sum(ip + 12, size - 12, weir_sum(ip, 10, 0)));
}

uint32_t checksum_pseudo(const uint8_t *network, uint8_t protocol, uint32_t length)
{
	uint8_t tail[8] = { [7] = protocol };

	weir_put32(tail, length);
	if (network[0] >> 4 == 6)
		return weir_sum(network + 8, 32, weir_sum(tail, sizeof(tail), 0));
	return weir_sum(network + 12, 8, weir_sum(tail, sizeof(tail), 0));
}

unsigned checksum_place(uint8_t protocol)
{
	static const uint8_t place[256] = { [1] = 2, [2] = 2, [6] = 16, [17] = 6, [58] = 2, [136] = 6 };

	return place[protocol];
}

uint16_t checksum_transport(const uint8_t *network, uint8_t protocol, const uint8_t *transport, uint32_t length)
{
	unsigned place = checksum_place(protocol);
	bool is_alone = protocol == 1 || protocol == 2; // ICMP, IGMP: no pseudo header
	uint32_t sum = is_alone ? 0 : checksum_pseudo(network, protocol, length);
	uint16_t check;

	sum = weir_sum(transport, place, sum);
	check = weir_fold(weir_sum(transport + place + 2, length - place - 2, sum));
	return protocol == 17 && !check ? 0xffff : check;
}

uint32_t checksum_crc32c(const void *bytes, size_t length, uint32_t crc)
{
	const uint8_t *at = bytes;
	uint64_t state = ~crc;

	for (; length >= 8; length -= 8, at += 8)
		state = _mm_crc32_u64(state, load64(at));
	for (; length; length--, at++)
		state = _mm_crc32_u8((uint32_t)state, *at);
	return ~(uint32_t)state;
}
