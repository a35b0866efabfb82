// SPDX-License-Identifier: Apache-2.0
#include "port/null_frames.h"

#include "lib/diag.h"
#include "packet/pool.h"
#include "port/capture.h"
#include "port/links.h"
#include "port/port_driver.h"

#include <ctype.h>
#include <errno.h>
#include <rte_ip.h>
#include <stdlib.h>

enum { SMALLEST = 60, HEADERS = 14 + 20 + 8, LINE = 64, MOST_FRAMES = 1 << 24 };

static const struct number_option {
	const char *name;
	size_t offset, size;
	uint64_t least, most;
} number_options[] = {
	{ "size", offsetof(struct null_options, size), 4, SMALLEST, PACKET_ROOM },
	{ "flows", offsetof(struct null_options, flows), 4, 1, 1 << 20 },
	{ "buffers", offsetof(struct null_options, buffers), 4, 64, 1 << 24 },
	{ "seed", offsetof(struct null_options, seed), 8, 0, UINT64_MAX },
	{ "count", offsetof(struct null_options, count), 8, 1, UINT64_MAX },
};
enum { NUMBER_OPTIONS = sizeof(number_options) / sizeof(number_options[0]) };

static int refuse_name(const char *name, struct port_error *why)
{
	struct near near = { .word = name };
	char hint[96];

	for (unsigned i = 0; i < NUMBER_OPTIONS; i++)
		near_try(&near, number_options[i].name);
	near_try(&near, "frames");
	if (near_best(&near))
		snprintf(hint, sizeof(hint), "did you mean \"%s\"?", near_best(&near));
	else
		snprintf(hint, sizeof(hint), "there are size, flows, frames, buffers, seed and count");
	return port_fail(why, -EINVAL, hint, "null: has no option \"%s\"", name);
}

static int set_number(struct null_options *options, const struct number_option *option, const char *text,
		      struct port_error *why)
{
	char *end;
	unsigned long long value;
	uint32_t narrow;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || value < option->least || value > option->most)
		return port_fail(why, -EINVAL, NULL, "null:%s=%.40s: wants a number from %llu to %llu", option->name,
				 text, (unsigned long long)option->least, (unsigned long long)option->most);
	narrow = (uint32_t)value;
	if (option->size == 4)
		memcpy((char *)options + option->offset, &narrow, 4);
	else
		memcpy((char *)options + option->offset, &value, 8);
	return 0;
}

static int set_option(struct null_options *options, char *text, struct port_error *why)
{
	char *value = strchr(text, '=');

	if (!value)
		return port_fail(why, -EINVAL, "write null:size=64,count=1000",
			"null: \"%.60s\" is no option with a value", text);
	*value++ = '\0';
	if (!strcmp(text, "frames")) {
		snprintf(options->frames, sizeof(options->frames), "%s", value);
		return *value ? 0 : port_fail(why, -EINVAL, NULL, "null:frames= names no capture");
	}
	for (unsigned i = 0; i < NUMBER_OPTIONS; i++)
		if (!strcmp(text, number_options[i].name))
			return set_number(options, &number_options[i], value, why);
	return refuse_name(text, why);
}

int null_options_parse(struct null_options *options, const char *text, struct port_error *why)
{
	char copy[512];
	int result = 0;

	options->size = 64;
	options->flows = 1;
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *at = copy, *comma; *at && result == 0; at = comma) {
		comma = strchr(at, ',');
		if (comma)
			*comma++ = '\0';
		else
			comma = at + strlen(at);
		result = set_option(options, at, why);
	}
	return result;
}

// splitmix64
uint64_t null_random(uint64_t *state)
{
	uint64_t value = *state += 0x9e3779b97f4a7c15;

	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
	value = (value ^ value >> 27) * 0x94d049bb133111eb;
	return value ^ value >> 31;
}

void null_frames_free(struct null_frames *frames)
{
	free(frames->bytes);
	free(frames->frames);
	*frames = (struct null_frames){ 0 };
}

static int refuse_memory(struct null_frames *frames, struct port_error *why)
{
	null_frames_free(frames);
	return port_fail(why, -ENOMEM, NULL, "null: out of memory");
}

// UDP from a documentation network to another, a flow a number: its port and address.
static void write_flow(uint8_t *at, uint32_t size, uint32_t flow)
{
	static const uint8_t start[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0,
		0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0, 198, 18, 0, 1, 198, 19, 0, 1 };
	uint16_t sum;

	memcpy(at, start, sizeof(start));
	weir_put16(at + 16, (uint16_t)(size - 14));
	weir_put16(at + 28, (uint16_t)(flow >> 4 | 1));
	weir_put16(at + 34, (uint16_t)(1024 + flow % 60000));
	weir_put16(at + 36, 9);
	weir_put16(at + 38, (uint16_t)(size - 34));
	sum = rte_ipv4_cksum((const struct rte_ipv4_hdr *)(at + 14));
	memcpy(at + 24, &sum, 2);
}

static int make_up(struct null_frames *frames, const struct null_options *options, struct port_error *why)
{
	uint32_t stride = (options->size + LINE - 1) / LINE * LINE;

	frames->bytes = calloc(options->flows, stride);
	frames->frames = calloc(options->flows, sizeof(*frames->frames));
	if (!frames->bytes || !frames->frames)
		return refuse_memory(frames, why);
	for (uint32_t flow = 0; flow < options->flows; flow++) {
		uint8_t *bytes = frames->bytes + (size_t)flow * stride;

		write_flow(bytes, options->size, flow);
		frames->frames[flow] = (struct null_frame){ bytes, options->size, 1, PROTO_ETH };
	}
	frames->count = options->flows;
	return 0;
}

// Counts, and with `frames` copies: what one buffer holds.
static int go_through(struct capture *capture, struct null_frames *frames, size_t *bytes, uint32_t *count)
{
	struct capture_record record;
	int result;

	*bytes = *count = 0;
	while ((result = capture_next(capture, &record)) == 1 && *count < MOST_FRAMES) {
		if (record.captured > PACKET_ROOM)
			continue;
		if (frames) {
			if (*count == frames->count || *bytes + record.captured > frames->room)
				break; // the file has grown
			memcpy(frames->bytes + *bytes, record.bytes, record.captured);
			frames->frames[*count] = (struct null_frame){ frames->bytes + *bytes, record.captured,
				record.link_type, links_protocol(record.link_type) };
		}
		*bytes += (record.captured + LINE - 1) / LINE * LINE;
		++*count;
	}
	return result;
}

static void shuffle(struct null_frames *frames, uint64_t seed)
{
	for (uint32_t i = frames->count; i > 1; i--) {
		uint32_t other = (uint32_t)(null_random(&seed) % i);
		struct null_frame frame = frames->frames[other];

		frames->frames[other] = frames->frames[i - 1];
		frames->frames[i - 1] = frame;
	}
}

static int read_once(const struct null_options *options, struct null_frames *frames, size_t *bytes, uint32_t *count,
		     struct port_error *why)
{
	struct capture_error error;
	struct capture *capture;
	int result = capture_open(&capture, options->frames, &error);

	if (result < 0)
		return port_fail(why, result, error.hint, "%s", error.text);
	go_through(capture, frames, bytes, count);
	capture_close(&capture);
	return 0;
}

static int load(struct null_frames *frames, const struct null_options *options, struct port_error *why)
{
	size_t bytes;
	uint32_t count;
	int result = read_once(options, NULL, &bytes, &count, why);

	if (result < 0)
		return result;
	if (!count)
		return port_fail(why, -EINVAL, "name a capture with packets of up to 2,048 bytes",
				 "null:frames=%s: has no packet that could be sent again and again", options->frames);
	frames->bytes = calloc(1, bytes + LINE);
	frames->frames = calloc(count, sizeof(*frames->frames));
	frames->count = count;
	frames->room = bytes;
	if (!frames->bytes || !frames->frames)
		return refuse_memory(frames, why);
	result = read_once(options, frames, &bytes, &count, why);
	frames->count = count;
	if (result == 0 && options->seed)
		shuffle(frames, options->seed);
	if (result < 0 || !count)
		null_frames_free(frames);
	return result;
}

int null_frames_make(struct null_frames *frames, const struct null_options *options, struct port_error *why)
{
	return options->frames[0] ? load(frames, options, why) : make_up(frames, options, why);
}
