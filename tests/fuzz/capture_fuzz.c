// SPDX-License-Identifier: Apache-2.0
// Any bytes as a capture: the readers must say the same whether the bytes come at once or one by
// one, and what they deliver must come back the same from both writers.
#define _GNU_SOURCE // memfd_create
#include "port/capture_testing.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 4096 };

struct reading {
	uint64_t sum, timed; // digests of all records, and of those that have a time
	uint64_t packets;
	int result;
	char damage[DAMAGE_ROOM];
};

static void check(bool is_right)
{
	if (!is_right)
		abort();
}

static void read_all(struct capture *capture, struct reading *reading, unsigned at_once)
{
	struct capture_record records[64];
	struct capture_stats stats;

	*reading = (struct reading){ .sum = DIGEST_START, .timed = DIGEST_START };
	while ((reading->result = capture_gather(capture, records, at_once)) > 0) {
		for (int i = 0; i < reading->result; i++) {
			check(capture_interface_at(capture, records[i].interface) != NULL);
			check(records[i].time_ns <= (records[i].has_time ? INT64_MAX : 0));
			reading->sum = digest_record(reading->sum, &records[i]);
			if (records[i].has_time)
				reading->timed = digest_record(reading->timed, &records[i]);
			reading->packets++;
		}
	}
	stats = capture_stats(capture);
	check(stats.packets == reading->packets);
	check(reading->result == 0 || capture_damage(capture));
	if (capture_damage(capture))
		snprintf(reading->damage, sizeof(reading->damage), "%s", capture_damage(capture));
}

// Refused captures have nothing but a result.
static bool read_memory(const uint8_t *data, size_t size, size_t piece, unsigned at_once,
	struct reading *reading)
{
	struct capture_error why = { .text = "" };
	struct memory memory;
	struct capture *capture;

	memset(reading, 0, sizeof(*reading));
	reading->result = open_memory(&capture, &memory, data, size, piece, &why);
	check(!reading->result == !why.text[0]);
	if (reading->result)
		return false;
	read_all(capture, reading, at_once);
	capture_close(&capture);
	return true;
}

static void write_all(struct capture *capture, struct capture_writer *writer, bool is_pcapng,
	uint64_t *sum)
{
	struct capture_record record;
	uint32_t known = 0;

	while (capture_next(capture, &record) > 0) {
		for (; known <= record.interface; known++) {
			const struct capture_interface *interface = capture_interface_at(capture, known);

			if (is_pcapng || !known)
				capture_interface(writer, interface->link_type, 0, interface->name);
		}
		record.interface = is_pcapng ? record.interface : 0;
		if (!record.has_time || record.time_ns / 1000000000 >= UINT32_MAX)
			continue; // what the other format cannot say
		if (capture_write(writer, &record) == 0)
			*sum = digest_record(*sum, &record);
	}
}

// The writer works on files: one in memory.
static void go_round(const uint8_t *data, size_t size, enum capture_kind kind)
{
	const struct capture_format format = { .kind = kind };
	struct capture_writer *writer;
	struct reading again;
	struct memory memory;
	struct capture *capture;
	uint64_t sum = DIGEST_START;
	int file = memfd_create("capture", MFD_CLOEXEC);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	check(!open_memory(&capture, &memory, data, size, 0, NULL));
	check(!capture_create(&writer, path, &format, NULL));
	write_all(capture, writer, kind == CAPTURE_PCAPNG, &sum);
	capture_close(&capture);
	check(!capture_finish(&writer, NULL));
	check(!capture_open(&capture, path, NULL));
	read_all(capture, &again, 64);
	check(again.result == 0 && !again.damage[0] && again.timed == sum && again.sum == sum);
	capture_close(&capture);
	close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct reading whole, pieces;

	if (!read_memory(data, size, 0, 7, &whole)) {
		read_memory(data, size, 1, 1, &pieces);
		check(pieces.result == whole.result);
		return 0;
	}
	read_memory(data, size, size < MOST ? 1 : 1 + size % 1000, 1, &pieces);
	check(!memcmp(&whole, &pieces, sizeof(whole)));
	if (whole.packets)
		go_round(data, size, data[size - 1] & 1 ? CAPTURE_PCAP : CAPTURE_PCAPNG);
	return 0;
}
