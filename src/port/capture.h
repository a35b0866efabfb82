// SPDX-License-Identifier: Apache-2.0
// Captures: files and pipes of packets, pcap and pcapng, read and written without libpcap. One
// thread per capture.
//
// Files are read in pieces of 128 KiB, never mapped: that is four times as fast as touching a
// mapping's pages once, pipes take the same path, and a file that another program cuts while it is
// read ends in a message, not in SIGBUS.
#ifndef PORT_CAPTURE_H
#define PORT_CAPTURE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

// The number of an interface and what it is: in pcapng there are several, counted through all
// sections of the file.
struct capture_interface {
	uint16_t link_type;   // LINKTYPE number, as the tcpdump group assigns them
	uint8_t fcs;          // bytes of frame check sequence at the end of its frames
	uint32_t snap_length; // 0: no limit
	char name[64];        // "": none given; fit for a terminal
};

struct capture_record {
	const uint8_t *bytes; // good until the next call on the capture
	uint64_t time_ns;     // since 1970; at most INT64_MAX; 0 without has_time
	uint32_t captured;    // bytes that are there
	uint32_t original;    // on the wire, as the file says it: may lie, and be less than captured
	uint32_t interface;
	uint16_t link_type;
	bool has_time;
	uint8_t fcs; // bytes of frame check sequence at bytes + captured; neither length counts them
};
static_assert(sizeof(struct capture_record) == 32);

struct capture_stats {
	uint64_t packets, captured_bytes, wire_bytes; // delivered
	uint64_t snapped;  // captured < original
	uint64_t timeless; // without a time, or one before 1970 or after 2262
	// In pcapng only:
	uint64_t skipped_blocks; // statistics, names, secrets, custom and unknown blocks
	uint64_t lost_packets;   // packets that could not be made out; see capture_damage
	uint64_t bad_options;    // options that are broken, alone or with the rest of their list
	uint32_t interfaces, sections;
};

// One sentence and, or "", what to do about it.
struct capture_error {
	char text[320];
	char hint[192];
};

struct capture;

// Path "-" is standard input. 0, or -errno with *why (which may be NULL).
int capture_open(struct capture **capture, const char *path, struct capture_error *why);
void capture_close(struct capture **capture); // sets it to NULL; NULL is fine

// 1: a record; 0: the end; -EBADMSG: cut or broken from here on, everything before it has been
// delivered; -EAGAIN: nothing came within capture_wait, or a signal did; ask again; another -errno:
// reading failed.
int capture_next(struct capture *capture, struct capture_record *record);
// The same for up to `wanted` records, whose bytes are all good until the next call. Returns how
// many; fewer than wanted says nothing about the end.
int capture_gather(struct capture *capture, struct capture_record *records, unsigned wanted);
// How long a call may wait for a pipe: -1, as at the start, for ever; 0 not at all.
void capture_wait(struct capture *capture, int milliseconds);

// What is broken, and at which byte; the first such thing. NULL: nothing so far.
const char *capture_damage(const struct capture *capture);
struct capture_stats capture_stats(const struct capture *capture);
// NULL: none, or in pcapng not yet described; those of delivered records are.
const struct capture_interface *capture_interface_at(const struct capture *capture, uint32_t number);
bool capture_is_pcapng(const struct capture *capture);

// ---- writing

// By name: pcapng for .pcapng and .ntar, else pcap.
enum capture_kind { CAPTURE_BY_NAME, CAPTURE_PCAP, CAPTURE_PCAPNG };

struct capture_format {
	enum capture_kind kind;
	bool microseconds; // pcap's old resolution; else nanoseconds
};

struct capture_writer;

// Path "-" is standard output; format NULL: by name, nanoseconds. The same calls make the same
// bytes, always: no clock and no host name goes into a file. A file that a capture of any Weir is
// reading or writing is refused with -EBUSY.
int capture_create(struct capture_writer **writer, const char *path,
	const struct capture_format *format, struct capture_error *why);
// Adds an interface and returns its number, from 0. name may be NULL, snap_length 0 (no limit).
// pcap has one link type for all: -EINVAL for another.
int capture_interface(struct capture_writer *writer, uint16_t link_type, uint32_t snap_length,
	const char *name);
// Writes a packet of record->interface, cut to its snap length. 0; -EINVAL: no such interface, or
// not its link type; another -errno: the output failed, now or before, and the packet is not in it.
int capture_write(struct capture_writer *writer, const struct capture_record *record);
// The same with the bytes in pieces; record->bytes is not used.
int capture_write_pieces(struct capture_writer *writer, const struct capture_record *record,
	const struct iovec *pieces, unsigned count);
int capture_flush(struct capture_writer *writer); // what a reader of a pipe waits for; 0 or -errno
// Flushes, closes, sets the writer to NULL. The one place that tells in words how the output
// failed, if it did.
int capture_finish(struct capture_writer **writer, struct capture_error *why);

// ---- link types

// "ETHERNET", "LINUX_SLL": the name after LINKTYPE_; NULL if unknown here.
const char *capture_link_name(uint16_t link_type);
int capture_link_number(const char *name);      // in any case; -1: unknown
bool capture_link_is_decoded(uint16_t link_type); // else Weir passes such packets as opaque bytes

#endif
