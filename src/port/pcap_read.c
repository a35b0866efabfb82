// SPDX-License-Identifier: Apache-2.0
// The pcap format (draft-ietf-opsawg-pcap): a header of 24 bytes, then packets, each behind a
// header of 16 bytes, or of 24 in the files of Alexey Kuznetzov's patched libpcap (Red Hat 6). All
// in the byte order of the machine that wrote it.
#include "port/capture_read.h"

#include <errno.h>

enum {
	FILE_HEADER = 24,
	FCS_PRESENT = 0x04000000,
	RESERVED = 0x0bff0000, // must be 0: nobody knows what it would mean
};

static const struct {
	uint32_t magic;
	uint32_t ns_per_tick;
	uint8_t header;
} shapes[] = {
	{ 0xa1b2c3d4, 1000, 16 },
	{ 0xa1b23c4d, 1, 16 },
	{ 0xa1b2cd34, 1000, 24 },
};

static void straighten_lengths(const struct pcap_state *pcap, uint32_t *captured, uint32_t *original)
{
	uint32_t first = *captured;

	if (pcap->lengths_swap || (pcap->lengths_may_swap && *captured > *original)) {
		*captured = *original;
		*original = first;
	}
}

static void refuse_length(struct capture *capture, const uint8_t *at, uint32_t captured)
{
	capture_note(capture, "broken at byte %llu: a packet of %u bytes (at most %u are believed)",
		(unsigned long long)input_offset(&capture->input, at), captured, capture->pcap.longest);
	capture->failed = -EBADMSG;
}

// Inlined twice, so that files in this machine's byte order pay nothing for the others.
static inline __attribute__((always_inline)) unsigned scan(struct capture *capture,
	struct capture_record *records, unsigned wanted, bool is_swapped)
{
	const struct pcap_state *pcap = &capture->pcap;
	const uint8_t *at = capture->input.at, *end = capture->input.end;
	const bool lengths_odd = pcap->lengths_swap || pcap->lengths_may_swap;
	const uint32_t header = pcap->header, ns_per_tick = pcap->ns_per_tick;
	unsigned count = 0;

	capture->need = 0;
	while (count < wanted) {
		uint32_t captured, original;

		if ((size_t)(end - at) < header) {
			capture->need = header;
			break;
		}
		captured = load32(at + 8, is_swapped);
		original = load32(at + 12, is_swapped);
		if (__builtin_expect(lengths_odd, false))
			straighten_lengths(pcap, &captured, &original);
		if (__builtin_expect(captured > pcap->longest, false)) {
			refuse_length(capture, at, captured);
			break;
		}
		if ((size_t)(end - at) - header < captured) {
			capture->need = header + captured;
			break;
		}
		records[count] = (struct capture_record){
			.bytes = at + header,
			.time_ns = load32(at, is_swapped) * UINT64_C(1000000000) +
				(uint64_t)load32(at + 4, is_swapped) * ns_per_tick,
			.captured = captured,
			.original = original,
			.link_type = pcap->link_type,
			.has_time = true,
		};
		if (__builtin_expect(pcap->fcs, 0))
			cut_fcs(&records[count], pcap->fcs);
		at += header + captured;
		count++;
	}
	capture->input.at = at;
	return count;
}

static unsigned scan_native(struct capture *capture, struct capture_record *records, unsigned wanted)
{
	return scan(capture, records, wanted, false);
}

static unsigned scan_swapped(struct capture *capture, struct capture_record *records, unsigned wanted)
{
	return scan(capture, records, wanted, true);
}

static int read_version(struct capture *capture, const uint8_t *at, struct capture_error *why)
{
	struct pcap_state *pcap = &capture->pcap;
	uint16_t major = load16(at + 4, pcap->is_swapped), minor = load16(at + 6, pcap->is_swapped);

	// 543.0 is what Digital UNIX's tcpdump wrote.
	if (major != 2 && !(major == 543 && minor == 0))
		return capture_refuse(why, -ENOTSUP, "convert it with: editcap -F pcap OLD NEW",
			"%s: pcap version %u.%u (Weir reads 2.x)", capture->path, major, minor);
	pcap->lengths_swap = major == 543 || minor < 3;
	pcap->lengths_may_swap = major == 2 && minor == 3;
	return 0;
}

static int read_link_type(struct capture *capture, uint32_t word, struct capture_error *why)
{
	struct pcap_state *pcap = &capture->pcap;

	if (word & RESERVED)
		return capture_refuse(why, -ENOTSUP, "see whether the file's header is damaged",
			"%s: unknown bits in the link type 0x%08x", capture->path, word);
	pcap->link_type = (uint16_t)word;
	if (word & FCS_PRESENT)
		pcap->fcs = (uint8_t)(2 * (word >> 28)); // counted in units of 16 bits
	return 0;
}

static uint32_t between(uint32_t least, uint32_t value, uint32_t most)
{
	return value < least ? least : value < most ? value : most;
}

static bool choose_shape(struct pcap_state *pcap, uint32_t magic)
{
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (magic != shapes[i].magic && magic != __builtin_bswap32(shapes[i].magic))
			continue;
		pcap->is_swapped = magic != shapes[i].magic;
		pcap->ns_per_tick = shapes[i].ns_per_tick;
		pcap->header = shapes[i].header;
		return true;
	}
	return false;
}

static int read_header(struct capture *capture, const uint8_t *at, struct capture_error *why)
{
	struct pcap_state *pcap = &capture->pcap;
	uint32_t snap = load32(at + 16, pcap->is_swapped);
	struct capture_source *source;
	int error = read_version(capture, at, why);

	if (!error)
		error = read_link_type(capture, load32(at + 20, pcap->is_swapped), why);
	if (error)
		return error;
	source = capture_add_source(capture);
	if (!source)
		return -ENOMEM;
	source->shown.link_type = pcap->link_type;
	source->shown.snap_length = snap;
	source->shown.fcs = pcap->fcs;
	pcap->longest = between(LONGEST_USUAL, snap, LONGEST_PACKET);
	return 0;
}

int pcap_begin(struct capture *capture, uint32_t magic, struct capture_error *why)
{
	int error;

	if (!choose_shape(&capture->pcap, magic))
		return -ENOMSG;
	error = input_need(&capture->input, FILE_HEADER);
	if (error < 0)
		return error;
	if (error == 0)
		return capture_refuse(why, -EBADMSG, "", "%s: cut in the header: %zu of %u bytes are there",
			capture->path, input_there(&capture->input), FILE_HEADER);
	error = read_header(capture, capture->input.at, why);
	if (error)
		return error;
	capture->unit = "record";
	capture->stats.sections = 1;
	capture->scan = capture->pcap.is_swapped ? scan_swapped : scan_native;
	capture->input.at += FILE_HEADER;
	return 0;
}
