// SPDX-License-Identifier: Apache-2.0
// The pcapng format (draft-ietf-opsawg-pcapng): a chain of blocks, each { type, length, body,
// length again }. A section header sets the byte order and forgets the interfaces of the section
// before it. Blocks that are no section, interface or packet are passed over and counted, without
// being held in memory.
//
// A packet that makes no sense inside a sound block is counted as lost, and reading goes on; a
// block that is not sound ends the capture, for nothing says where the next one begins.
#include "port/capture_pcapng.h"

#include <errno.h>

enum {
	LONGEST_BLOCK = LONGEST_PACKET + (1 << 20), // of those that are held
	SECTION_LEAST = 16, // bytes of body: byte order, version, length of the section
	INTERFACE_LEAST = 8,
	PACKET_LEAST = 20,
	SIMPLE_LEAST = 4,
};

static void break_off(struct capture *capture, const uint8_t *at, const char *what, uint32_t value)
{
	capture_note(capture, "broken at byte %llu: %s (0x%08x)",
		(unsigned long long)input_offset(&capture->input, at), what, value);
	capture->failed = -EBADMSG;
}

static bool lose(struct capture *capture, const uint8_t *body, const char *what, uint32_t value)
{
	capture->stats.lost_packets++;
	capture_note(capture, "the packet at byte %llu is left out: %s (%u)",
		(unsigned long long)input_offset(&capture->input, body - 8), what, value);
	return false;
}

static bool is_held(uint32_t type)
{
	return type == ENHANCED_BLOCK || type == SIMPLE_BLOCK || type == OLD_PACKET_BLOCK ||
		type == INTERFACE_BLOCK || type == SECTION_BLOCK;
}

static bool choose_order(struct capture *capture, const uint8_t *at)
{
	uint32_t magic = load32(at + 8, false);

	capture->pcapng.is_swapped = magic == ORDER_MAGIC_SWAPPED;
	if (magic == ORDER_MAGIC || magic == ORDER_MAGIC_SWAPPED)
		return true;
	break_off(capture, at, "a section header without a byte order", magic);
	return false;
}

// The length of the block at `at`, as soon as the window has what is needed of it: all, if the
// block is held. 0: not yet (capture->need) or never (capture->failed).
static inline uint32_t measure(struct capture *capture, const uint8_t *at, uint32_t *type)
{
	size_t there = (size_t)(capture->input.end - at);
	uint32_t total;

	if (there < BLOCK_AROUND) {
		capture->need = BLOCK_AROUND;
		return 0;
	}
	*type = load32(at, capture->pcapng.is_swapped);
	if (*type == SECTION_BLOCK && !choose_order(capture, at))
		return 0;
	total = load32(at + 4, capture->pcapng.is_swapped);
	if (total < BLOCK_AROUND || total % 4) {
		break_off(capture, at, "a block of impossible length", total);
		return 0;
	}
	if (!is_held(*type))
		return total;
	if (total > LONGEST_BLOCK) {
		break_off(capture, at, "a block too long to be true", total);
		return 0;
	}
	if (there < total) {
		capture->need = total;
		return 0;
	}
	if (load32(at + total - 4, capture->pcapng.is_swapped) != total) {
		break_off(capture, at, "a block whose two lengths differ", total);
		return 0;
	}
	return total;
}

static void read_section(struct capture *capture, const uint8_t *body, uint32_t length)
{
	uint16_t major;

	if (length < SECTION_LEAST) {
		break_off(capture, body, "a section header too short", length);
		return;
	}
	major = load16(body + 4, capture->pcapng.is_swapped);
	if (major != 1) {
		break_off(capture, body, "a section of an unknown version", major);
		return;
	}
	capture->pcapng.first_interface = capture->source_count;
	capture->stats.sections++;
}

static void read_interface(struct capture *capture, const uint8_t *body, uint32_t length)
{
	if (length < INTERFACE_LEAST)
		break_off(capture, body, "an interface description too short", length);
	else
		pcapng_read_interface(capture, body, length);
}

// The enhanced packet block and its predecessor, which has 16 bits of interface and 16 bits of drop
// count in place of 32 bits of interface.
static inline bool read_packet(struct capture *capture, const uint8_t *body, uint32_t length,
	bool is_old, struct capture_record *record)
{
	const bool is_swapped = capture->pcapng.is_swapped;
	const uint32_t first = capture->pcapng.first_interface;
	const struct capture_source *source;
	uint32_t number, captured, used;
	uint64_t ticks;
	uint8_t fcs;

	if (length < PACKET_LEAST)
		return lose(capture, body, "its block is too short", length);
	number = is_old ? load16(body, is_swapped) : load32(body, is_swapped);
	if (number >= capture->source_count - first)
		return lose(capture, body, "its interface is not described", number);
	captured = load32(body + 12, is_swapped);
	if (captured > length - PACKET_LEAST)
		return lose(capture, body, "it is longer than its block", captured);
	source = &capture->sources[first + number];
	ticks = (uint64_t)load32(body + 4, is_swapped) << 32 | load32(body + 8, is_swapped);
	*record = (struct capture_record){
		.bytes = body + PACKET_LEAST,
		.captured = captured,
		.original = load32(body + 16, is_swapped),
		.interface = first + number,
		.link_type = source->shown.link_type,
	};
	record->has_time = capture_clock_ns(&source->clock, ticks, &record->time_ns);
	if (!record->has_time)
		record->time_ns = 0;
	fcs = source->shown.fcs;
	used = PACKET_LEAST + round_up_4(captured);
	if (used < length)
		fcs = pcapng_packet_fcs(capture, body + used, length - used, fcs);
	if (__builtin_expect(fcs, 0))
		cut_fcs(record, fcs);
	return true;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

// Belongs to the section's first interface and has no time. How much was captured follows from the
// snap length.
static bool read_simple(struct capture *capture, const uint8_t *body, uint32_t length,
	struct capture_record *record)
{
	const uint32_t first = capture->pcapng.first_interface;
	const struct capture_interface *shown;
	uint32_t original;

	if (length < SIMPLE_LEAST)
		return lose(capture, body, "its block is too short", length);
	if (first == capture->source_count)
		return lose(capture, body, "its interface is not described", 0);
	shown = &capture->sources[first].shown;
	original = load32(body, capture->pcapng.is_swapped);
	*record = (struct capture_record){
		.bytes = body + SIMPLE_LEAST,
		.captured = least(least(original, length - SIMPLE_LEAST),
			shown->snap_length ? shown->snap_length : UINT32_MAX),
		.original = original,
		.interface = first,
		.link_type = shown->link_type,
	};
	cut_fcs(record, shown->fcs);
	return true;
}

// True: the block was a packet, and the record is filled.
static bool read_block(struct capture *capture, uint32_t type, const uint8_t *body, uint32_t length,
	struct capture_record *record)
{
	switch (type) {
	case SECTION_BLOCK:
		read_section(capture, body, length);
		return false;
	case INTERFACE_BLOCK:
		read_interface(capture, body, length);
		return false;
	case SIMPLE_BLOCK:
		return read_simple(capture, body, length, record);
	case OLD_PACKET_BLOCK:
		return read_packet(capture, body, length, true, record);
	}
	return false;
}

static const uint8_t *pass_over(struct capture *capture, const uint8_t *at)
{
	struct pcapng_state *pcapng = &capture->pcapng;
	size_t there = (size_t)(capture->input.end - at);
	uint32_t step = there < pcapng->skip ? (uint32_t)there : pcapng->skip;

	at += step;
	pcapng->skip -= step;
	if (pcapng->skip || there - step < 4) {
		capture->need = pcapng->skip ? 1 : 4;
		return at;
	}
	if (load32(at, pcapng->is_swapped) != pcapng->skip_total)
		break_off(capture, at, "a block whose two lengths differ", pcapng->skip_total);
	else
		capture->stats.skipped_blocks++;
	capture->is_inside = false;
	return at + 4;
}

static const uint8_t *begin_to_pass_over(struct capture *capture, const uint8_t *at, uint32_t total)
{
	capture->unit_begins = input_offset(&capture->input, at);
	capture->is_inside = true;
	capture->pcapng.skip_total = total;
	capture->pcapng.skip = total - BLOCK_AROUND;
	return at + 8;
}

static unsigned scan(struct capture *capture, struct capture_record *records, unsigned wanted)
{
	const uint8_t *at = capture->input.at;
	unsigned count = 0;
	uint32_t type, total;

	capture->need = 0;
	while (count < wanted && !capture->need && !capture->failed) {
		if (capture->is_inside) {
			at = pass_over(capture, at);
			continue;
		}
		total = measure(capture, at, &type);
		if (!total)
			break;
		if (!is_held(type)) {
			at = begin_to_pass_over(capture, at, total);
			continue;
		}
		if (type == ENHANCED_BLOCK)
			count += read_packet(capture, at + 8, total - BLOCK_AROUND, false, &records[count]);
		else
			count += read_block(capture, type, at + 8, total - BLOCK_AROUND, &records[count]);
		at += total;
	}
	capture->input.at = at;
	return count;
}

int pcapng_begin(struct capture *capture, struct capture_error *why)
{
	struct input *input = &capture->input;
	uint32_t type, total;

	if (load32(input->at, false) != SECTION_BLOCK)
		return -ENOMSG;
	capture->unit = "block";
	capture->scan = scan;
	while (!(total = measure(capture, input->at, &type)) && !capture->failed) {
		int error = input_need(input, capture->need);

		if (error < 0)
			return error;
		if (!error)
			return capture_refuse(why, -EBADMSG, "",
				"%s: cut at byte %zu, inside the section header that it begins with",
				capture->path, input_there(input));
	}
	if (!capture->failed)
		read_section(capture, input->at + 8, total - BLOCK_AROUND);
	input->at += total;
	return capture->failed;
}

bool capture_is_pcapng(const struct capture *capture)
{
	return capture->scan == scan;
}
