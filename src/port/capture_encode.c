// SPDX-License-Identifier: Apache-2.0
// The bytes of pcap and pcapng, little-endian on every machine, so that the same packets are the
// same file everywhere.
#include "port/capture_write.h"

#include <endian.h>

enum {
	USUAL_SNAP = 262144, // in pcap, where nobody set a limit: the most that libpcap accepts
	NS_PER_S = 1000000000,
	NANOSECONDS = 9,
};

struct pcap_file_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, snap_length, link_type;
};
static_assert(sizeof(struct pcap_file_header) == 24);

struct pcap_packet_header {
	uint32_t seconds, fraction, captured, original;
};
static_assert(sizeof(struct pcap_packet_header) == 16);

struct enhanced_block {
	uint32_t type, length, interface, time_high, time_low, captured, original;
};
static_assert(sizeof(struct enhanced_block) == 28);

struct simple_block {
	uint32_t type, length, original;
};
static_assert(sizeof(struct simple_block) == 12);

void pcap_put_header(struct capture_writer *writer, const struct written_interface *interface)
{
	const struct pcap_file_header header = {
		.magic = htole32(writer->is_microseconds ? 0xa1b2c3d4 : 0xa1b23c4d),
		.major = htole16(2),
		.minor = htole16(4),
		.snap_length = htole32(interface->snap_length ? interface->snap_length : USUAL_SNAP),
		.link_type = htole32(interface->link_type),
	};

	output_put(&writer->output, &header, sizeof(header));
}

void pcap_put_packet(struct capture_writer *writer, const struct capture_record *record)
{
	uint64_t seconds = record->time_ns / NS_PER_S;
	uint32_t ns = (uint32_t)(record->time_ns % NS_PER_S);
	const struct pcap_packet_header header = {
		// pcap ends in 2106.
		.seconds = htole32(seconds < UINT32_MAX ? (uint32_t)seconds : UINT32_MAX),
		.fraction = htole32(writer->is_microseconds ? ns / 1000 : ns),
		.captured = htole32(record->captured),
		.original = htole32(record->original),
	};

	output_put(&writer->output, &header, sizeof(header));
}

static void put_option(struct output *output, uint16_t code, const void *value, uint16_t length)
{
	const uint16_t header[] = { htole16(code), htole16(length) };
	const uint8_t padding[4] = { 0 };

	output_put(output, header, sizeof(header));
	output_put(output, value, length);
	output_put(output, padding, round_up_4(length) - length);
}

static uint32_t option_size(size_t length)
{
	return 4 + round_up_4((uint32_t)length);
}

static void put_word(struct output *output, uint32_t word)
{
	word = htole32(word);
	output_put(output, &word, sizeof(word));
}

void pcapng_put_section(struct output *output)
{
	static const char application[] = "weir";
	const uint32_t total = BLOCK_AROUND + 16 + option_size(strlen(application)) + option_size(0);

	put_word(output, SECTION_BLOCK);
	put_word(output, total);
	put_word(output, ORDER_MAGIC);
	put_word(output, 1);          // version 1.0
	put_word(output, UINT32_MAX); // length of the section: not said
	put_word(output, UINT32_MAX);
	put_option(output, SECTION_APPLICATION, application, (uint16_t)strlen(application));
	put_option(output, OPTION_END, "", 0);
	put_word(output, total);
}

void pcapng_put_interface(struct output *output, const struct written_interface *interface,
	const char *name)
{
	const size_t name_length = name ? strnlen(name, 255) : 0;
	const uint8_t resolution = NANOSECONDS;
	const uint32_t total = BLOCK_AROUND + 8 + (name_length ? option_size(name_length) : 0) +
		option_size(1) + option_size(0);

	put_word(output, INTERFACE_BLOCK);
	put_word(output, total);
	put_word(output, interface->link_type);
	put_word(output, interface->snap_length);
	if (name_length)
		put_option(output, INTERFACE_NAME, name, (uint16_t)name_length);
	put_option(output, INTERFACE_RESOLUTION, &resolution, 1);
	put_option(output, OPTION_END, "", 0);
	put_word(output, total);
}

// A simple packet block has no time, belongs to interface 0, and its captured length follows from
// the others.
static bool fits_simple(const struct written_interface *interface,
	const struct capture_record *record)
{
	uint32_t snap = interface->snap_length ? interface->snap_length : UINT32_MAX;

	return !record->has_time && record->interface == 0 &&
		record->captured == (record->original < snap ? record->original : snap);
}

uint32_t pcapng_put_packet(struct output *output, const struct written_interface *interface,
	const struct capture_record *record)
{
	const uint32_t padded = round_up_4(record->captured);
	const struct simple_block simple = {
		.type = htole32(SIMPLE_BLOCK),
		.length = htole32(sizeof(simple) + padded + 4),
		.original = htole32(record->original),
	};
	const struct enhanced_block enhanced = {
		.type = htole32(ENHANCED_BLOCK),
		.length = htole32(sizeof(enhanced) + padded + 4),
		.interface = htole32(record->interface),
		.time_high = htole32((uint32_t)(record->time_ns >> 32)),
		.time_low = htole32((uint32_t)record->time_ns),
		.captured = htole32(record->captured),
		.original = htole32(record->original),
	};

	if (fits_simple(interface, record)) {
		output_put(output, &simple, sizeof(simple));
		return le32toh(simple.length);
	}
	output_put(output, &enhanced, sizeof(enhanced));
	return le32toh(enhanced.length);
}

void pcapng_end_packet(struct output *output, uint32_t captured, uint32_t total)
{
	output_put(output, "\0\0\0", round_up_4(captured) - captured);
	put_word(output, total);
}
