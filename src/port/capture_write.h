// SPDX-License-Identifier: Apache-2.0
// What the writer's two halves share: capture_write.c decides, capture_encode.c knows the formats.
// Inside this folder; other rooms include port/capture.h.
#ifndef PORT_CAPTURE_WRITE_H
#define PORT_CAPTURE_WRITE_H

#include "port/capture_output.h"
#include "port/capture_pcapng.h"

struct written_interface {
	uint16_t link_type;
	uint32_t snap_length; // as asked for; 0: no limit
	uint32_t longest;     // what a packet is cut to, so that readers accept the file, ours included
};

struct capture_writer {
	struct output output;
	bool is_pcapng, is_microseconds;
	char *path;
	struct written_interface *interfaces;
	uint32_t interface_count, interface_room;
	uint64_t last_ns; // a packet without a time takes the one before it
};

void pcap_put_header(struct capture_writer *writer, const struct written_interface *interface);
// The packet's bytes follow.
void pcap_put_packet(struct capture_writer *writer, const struct capture_record *record);

void pcapng_put_section(struct output *output);
void pcapng_put_interface(struct output *output, const struct written_interface *interface,
	const char *name);
// Returns the block's length. record->captured bytes follow, and then pcapng_end_packet.
uint32_t pcapng_put_packet(struct output *output, const struct written_interface *interface,
	const struct capture_record *record);
void pcapng_end_packet(struct output *output, uint32_t captured, uint32_t total);

#endif
