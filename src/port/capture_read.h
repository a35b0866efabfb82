// SPDX-License-Identifier: Apache-2.0
// What the readers of pcap and pcapng share: the capture, and what a format has to offer.
// Inside this folder; other rooms include port/capture.h.
#ifndef PORT_CAPTURE_READ_H
#define PORT_CAPTURE_READ_H

#include "port/capture.h"
#include "port/capture_input.h"

#include <string.h>

enum {
	// A packet may be that long whatever the snap length says (BIG TCP: 512 KiB) ...
	LONGEST_USUAL = 1 << 20,
	// ... and that long if the snap length says so. Beyond it, its length is taken for broken.
	LONGEST_PACKET = 16 << 20,
};

// How an interface counts time: ns = (ticks * multiply / divide) >> shift, and offset_s on top.
struct capture_clock {
	uint64_t multiply, divide;
	int64_t offset_s;
	uint8_t shift;
	bool is_plain; // multiply is all there is to it
};

struct capture_source {
	struct capture_interface shown;
	struct capture_clock clock;
};

struct pcap_state {
	bool is_swapped;
	bool lengths_swap;      // version before 2.3: original comes before captured
	bool lengths_may_swap;  // version 2.3: the lesser is captured
	uint8_t header;         // bytes in front of a packet
	uint16_t link_type;
	uint8_t fcs;
	uint32_t longest;
	uint32_t ns_per_tick;
};

struct pcapng_state {
	bool is_swapped;
	uint32_t first_interface; // of this section
	uint32_t skip_total;      // length of the block that is being passed over; 0: none
	uint32_t skip;            // bytes of it still to come before the length at its end
};

struct capture {
	struct input input;
	// Fills records from the bytes in the window. With fewer than wanted: capture->need bytes
	// from input->at on would help, or capture->failed says why none would.
	unsigned (*scan)(struct capture *capture, struct capture_record *records, unsigned wanted);
	size_t need;
	int failed;           // what every further call returns
	bool is_finished;     // the input ended between two records
	bool is_inside;       // the window begins inside a block that is passed over
	uint64_t unit_begins; // offset of the record or block being read
	const char *unit;     // what it is called
	union {
		struct pcap_state pcap;
		struct pcapng_state pcapng;
	};
	struct capture_source *sources;
	uint32_t source_count, source_room;
	struct capture_stats stats;
	char *path;
	char *damage; // NULL: none; room for DAMAGE_ROOM
};

enum { DAMAGE_ROOM = 512 };

// A capture over any input, which it takes over also in failure. For tests, fuzzing and what comes
// later (decompression).
int capture_open_input(struct capture **capture, const struct input *input, const char *path,
	struct capture_error *why);

int pcap_begin(struct capture *capture, uint32_t magic, struct capture_error *why);
int pcapng_begin(struct capture *capture, struct capture_error *why);

// The next interface; NULL and capture->failed if there can be no more.
struct capture_source *capture_add_source(struct capture *capture);
// Notes the first thing that is broken; reading may go on.
void capture_note(struct capture *capture, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Writes why an open fails and returns the error.
int capture_refuse(struct capture_error *why, int error, const char *hint, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static inline uint32_t load32(const uint8_t *at, bool is_swapped)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return is_swapped ? __builtin_bswap32(value) : value;
}

static inline uint16_t load16(const uint8_t *at, bool is_swapped)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return is_swapped ? __builtin_bswap16(value) : value;
}

// Takes the frame check sequence out of both lengths. A record whose lengths contradict each other
// stays as it is.
static inline void cut_fcs(struct capture_record *record, uint8_t fcs)
{
	if (record->original < fcs || record->captured > record->original)
		return;
	record->original -= fcs;
	if (record->captured > record->original) {
		record->fcs = (uint8_t)(record->captured - record->original);
		record->captured = record->original;
	}
}

#endif
