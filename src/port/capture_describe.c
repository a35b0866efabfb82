// SPDX-License-Identifier: Apache-2.0
// What pcapng says beside the packets: interfaces, their clocks, and options, which are lists of {
// code, length, value }.
#include "port/capture_pcapng.h"

enum {
	NS_PER_S = 1000000000,
	MICROSECONDS = 6,
};

struct option {
	uint16_t code, length;
	const uint8_t *value;
};

// 1: the next option; 0: the end; -1: broken. A list may end without its end mark.
static int next_option(const uint8_t **at, const uint8_t *end, bool is_swapped, struct option *option)
{
	size_t there = (size_t)(end - *at), whole;

	if (there < 4)
		return there ? -1 : 0;
	option->code = load16(*at, is_swapped);
	option->length = load16(*at + 2, is_swapped);
	option->value = *at + 4;
	if (option->code == OPTION_END)
		return 0;
	if (option->length > there - 4)
		return -1;
	whole = 4 + round_up_4(option->length);
	*at += whole < there ? whole : there;
	return 1;
}

static void note_option(struct capture *capture, const uint8_t *at)
{
	capture->stats.bad_options++;
	capture_note(capture, "an option at byte %llu is broken",
		(unsigned long long)input_offset(&capture->input, at));
}

static uint64_t power(uint64_t base, unsigned exponent)
{
	uint64_t result = 1;

	while (exponent--)
		result *= base;
	return result;
}

// if_tsresol: ticks per second are 2^n with the upper bit set, else 10^n.
static void set_resolution(struct capture_clock *clock, uint8_t resolution)
{
	unsigned n = resolution & 0x7f;

	clock->multiply = clock->divide = 1;
	clock->shift = 0;
	if (resolution & 0x80) {
		clock->multiply = NS_PER_S;
		clock->shift = (uint8_t)n;
	} else if (n <= 9) {
		clock->multiply = power(10, 9 - n);
	} else if (n <= 9 + 19) {
		clock->divide = power(10, n - 9);
	} else {
		clock->multiply = 0; // 64 bits of such ticks are less than 1 ns
	}
}

static void settle_clock(struct capture_clock *clock)
{
	clock->is_plain = clock->divide == 1 && !clock->shift && !clock->offset_s;
}

bool capture_clock_slow(const struct capture_clock *clock, uint64_t ticks, uint64_t *time_ns)
{
	unsigned __int128 scaled = (unsigned __int128)ticks * clock->multiply / clock->divide;
	__int128 ns = (__int128)(scaled >> clock->shift) + (__int128)clock->offset_s * NS_PER_S;

	if (ns < 0 || ns > INT64_MAX)
		return false;
	*time_ns = (uint64_t)ns;
	return true;
}

// Names go to terminals: no control characters, whole UTF-8 characters.
static void set_name(struct capture_interface *shown, const struct option *option)
{
	size_t most = sizeof(shown->name) - 1;
	size_t length = option->length < most ? option->length : most;

	if (length < option->length)
		while (length && (option->value[length] & 0xc0) == 0x80)
			length--;
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = option->value[i];

		shown->name[i] = byte < ' ' || byte == 0x7f ? '?' : (char)byte;
		if (i && (uint8_t)shown->name[i - 1] == 0xc2 && byte < 0xa0 && byte >= 0x80)
			shown->name[i - 1] = shown->name[i] = '?';
	}
	shown->name[length] = '\0';
}

// if_fcslen is in bits by the text of the draft and in bytes by its example and by Wireshark. No
// sequence has more than 8 bytes, none fewer than 16 bits, so both can be read.
static uint8_t fcs_bytes(uint8_t value)
{
	return value <= 8 ? value : value / 8;
}

static int64_t load_seconds(const uint8_t *at, bool is_swapped)
{
	uint64_t first = load32(at, is_swapped), second = load32(at + 4, is_swapped);
	bool is_big = is_swapped == (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

	return (int64_t)(is_big ? first << 32 | second : second << 32 | first);
}

// False: known, but not with this length.
static bool apply(struct capture_source *source, const struct option *option, bool is_swapped)
{
	switch (option->code) {
	case INTERFACE_NAME:
		set_name(&source->shown, option);
		return true;
	case INTERFACE_RESOLUTION:
		if (option->length == 1)
			set_resolution(&source->clock, option->value[0]);
		return option->length == 1;
	case INTERFACE_FCS:
		if (option->length == 1)
			source->shown.fcs = fcs_bytes(option->value[0]);
		return option->length == 1;
	case INTERFACE_OFFSET:
		if (option->length == 8)
			source->clock.offset_s = load_seconds(option->value, is_swapped);
		return option->length == 8;
	}
	return true;
}

struct capture_source *pcapng_read_interface(struct capture *capture, const uint8_t *body,
	uint32_t length)
{
	const bool is_swapped = capture->pcapng.is_swapped;
	struct capture_source *source = capture_add_source(capture);
	const uint8_t *at = body + 8;
	struct option option;
	int found;

	if (!source)
		return NULL;
	source->shown.link_type = load16(body, is_swapped);
	source->shown.snap_length = load32(body + 4, is_swapped);
	set_resolution(&source->clock, MICROSECONDS);
	while ((found = next_option(&at, body + length, is_swapped, &option)) == 1)
		if (!apply(source, &option, is_swapped))
			note_option(capture, option.value - 4);
	if (found < 0)
		note_option(capture, at);
	settle_clock(&source->clock);
	return source;
}

// epb_flags, the same as pack_flags of the old packet block: bits 5 to 8 are that length in bytes,
// 0 if unknown.
uint8_t pcapng_packet_fcs(struct capture *capture, const uint8_t *options, uint32_t length,
	uint8_t otherwise)
{
	const bool is_swapped = capture->pcapng.is_swapped;
	const uint8_t *at = options;
	struct option option;
	int found;

	while ((found = next_option(&at, options + length, is_swapped, &option)) == 1) {
		uint32_t fcs;

		if (option.code != PACKET_FLAGS)
			continue;
		if (option.length != 4) {
			note_option(capture, option.value - 4);
			continue;
		}
		fcs = load32(option.value, is_swapped) >> 5 & 0xf;
		if (fcs)
			otherwise = (uint8_t)fcs;
	}
	if (found < 0)
		note_option(capture, at);
	return otherwise;
}
