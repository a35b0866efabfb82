// SPDX-License-Identifier: Apache-2.0
// pcapng's numbers, and the parts of reading it that are not the walk over the blocks.
// Inside this folder; other rooms include port/capture.h.
#ifndef PORT_CAPTURE_PCAPNG_H
#define PORT_CAPTURE_PCAPNG_H

#include "port/capture_read.h"

enum {
	SECTION_BLOCK = 0x0a0d0d0a, // the same in both byte orders
	INTERFACE_BLOCK = 1,
	OLD_PACKET_BLOCK = 2,
	SIMPLE_BLOCK = 3,
	ENHANCED_BLOCK = 6,

	ORDER_MAGIC = 0x1a2b3c4d,
	ORDER_MAGIC_SWAPPED = 0x4d3c2b1a,

	BLOCK_AROUND = 12, // type and length in front of the body, length behind it

	OPTION_END = 0,
	SECTION_APPLICATION = 4,
	INTERFACE_NAME = 2,
	INTERFACE_RESOLUTION = 9,
	INTERFACE_FCS = 13,
	INTERFACE_OFFSET = 14,
	PACKET_FLAGS = 2,
};

// Lengths of values are rounded up to this.
static inline uint32_t round_up_4(uint32_t length)
{
	return (length + 3) & ~UINT32_C(3);
}

// Adds the interface that a block's body describes; NULL and capture->failed if it cannot.
struct capture_source *pcapng_read_interface(struct capture *capture, const uint8_t *body,
	uint32_t length);

// The frame check sequence's length that the options of a packet give, else `otherwise`.
uint8_t pcapng_packet_fcs(struct capture *capture, const uint8_t *options, uint32_t length,
	uint8_t otherwise);

bool capture_clock_slow(const struct capture_clock *clock, uint64_t ticks, uint64_t *time_ns);

// False if the time is before 1970 or after INT64_MAX ns (2262).
static inline bool capture_clock_ns(const struct capture_clock *clock, uint64_t ticks,
	uint64_t *time_ns)
{
	if (__builtin_expect(!clock->is_plain, false))
		return capture_clock_slow(clock, ticks, time_ns);
	return !__builtin_mul_overflow(ticks, clock->multiply, time_ns) && *time_ns <= INT64_MAX;
}

#endif
