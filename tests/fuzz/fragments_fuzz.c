// SPDX-License-Identifier: Apache-2.0
// Arbitrary packets and made fragments of a few datagrams, beside a model that knows the owner of each byte: what
// completes must be what the model has, an IPv6 datagram with an overlap must not complete, and bounds hold.
//
//	| options | packets ... |    a packet: how, offset, length; or its bytes as they are
#include "flow/fragments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 2048, HEADER = 20 };

struct byte {
	bool is_there;
	uint8_t value;
	uint32_t from, to;
};

struct input {
	const uint8_t *at, *end;
};

static unsigned kept;

#define check(holds)                                                                \
	do {                                                                        \
		if (!(holds)) {                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #holds); \
			abort();                                                    \
		}                                                                   \
	} while (0)

static uint32_t next(struct input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

struct frame {
	unsigned references;
	uint8_t bytes[];
};

static void *keep(void *context, void *packet)
{
	(void)context;
	kept++;
	((struct frame *)packet)->references++;
	return packet;
}

static void release(struct frame *frame)
{
	if (!--frame->references)
		free(frame);
}

static void let_go(void *context, void *handle)
{
	(void)context;
	kept--;
	release(handle);
}

static enum fragment_result add(struct fragments *fragments, const uint8_t *bytes, uint32_t length, uint64_t now_ns,
	const uint8_t **whole, uint32_t *whole_length)
{
	struct frame *frame = malloc(sizeof(*frame) + length);
	enum fragment_result result = FRAGMENT_RESULTS;
	struct fragment fragment;

	frame->references = 1;
	memcpy(frame->bytes, bytes, length);
	if (fragment_read(&fragment, frame->bytes, length))
		result = fragments_add(fragments, &fragment, 0, frame, now_ns, whole, whole_length);
	release(frame);
	check(kept == fragments->pieces.handles_used);
	check(fragments->pieces.pieces_used <= fragments->limits.fragments);
	check(fragments->waiting <= fragments->limits.datagrams);
	return result;
}

static void run_raw(struct fragments *fragments, struct input *input)
{
	for (uint64_t now_ns = 1; input->at < input->end; now_ns++) {
		uint32_t length = next(input), whole_length;
		const uint8_t *whole;

		if (length > (uint32_t)(input->end - input->at))
			length = (uint32_t)(input->end - input->at);
		if (add(fragments, input->at, length, now_ns, &whole, &whole_length) == FRAGMENT_COMPLETES)
			check(whole_length <= FRAGMENTS_HEADER + FRAGMENTS_LONGEST &&
				(whole[0] >> 4 == 4 || whole[0] >> 4 == 6));
		input->at += length;
	}
}

// One IPv4 datagram; the model forgets with it.
static void run_made(struct fragments *fragments, struct input *input)
{
	overlap_rule *replaces = overlap_rule_of_datagram(fragments->limits.policy);
	static struct byte model[LONGEST];
	uint8_t packet[HEADER + 512] = { 0x45 };
	uint64_t results = 0;

	memset(model, 0, sizeof(model));
	for (uint64_t now_ns = 1; input->at < input->end; now_ns++) {
		uint32_t how = next(input), offset = next(input) % 64 * 8, length = (1 + next(input) % 32) * 8;
		bool more = how & 3;
		const uint8_t *whole;
		uint32_t whole_length;
		enum fragment_result result;

		length -= more ? 0 : how >> 2 & 7;
		packet[2] = (uint8_t)((HEADER + length) >> 8);
		packet[3] = (uint8_t)(HEADER + length);
		packet[6] = (uint8_t)(offset / 8 >> 8 | (more ? 0x20 : 0));
		packet[7] = (uint8_t)(offset / 8);
		memset(packet + HEADER, (int)how, length);
		if (!more && !offset)
			continue;
		result = add(fragments, packet, HEADER + length, now_ns, &whole, &whole_length);
		if (result == FRAGMENT_NO_ROOM)
			memset(model, 0, sizeof(model));
		if (result != FRAGMENT_COMPLETES && result != FRAGMENT_WAITS)
			continue;
		for (uint32_t i = offset; i < offset + length; i++)
			if (!model[i].is_there || replaces(offset, offset + length, model[i].from, model[i].to))
				model[i] = (struct byte){ true, (uint8_t)how, offset, offset + length };
		if (result == FRAGMENT_WAITS)
			continue;
		for (uint32_t i = 0; i < whole_length - HEADER; i++)
			check(model[i].is_there && model[i].value == whole[HEADER + i]);
		memset(model, 0, sizeof(model));
		results++;
	}
	check(results == fragments->results[FRAGMENT_COMPLETES]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fragments_limits limits = {
		.datagrams = 3,
		.fragments = 40,
		.fragments_per_datagram = 30,
		.copies = 12,
		.handles = 12,
		.timeout_ns = 1000,
	};
	struct input input = { data, data + size };
	struct fragments fragments;
	uint32_t options = next(&input);

	limits.policy = (options >> 1) % OVERLAP_POLICIES;
	check(!fragments_init(&fragments, &limits, &(struct keeper){ NULL, keep, let_go }));
	if (options & 1) {
		run_raw(&fragments, &input);
	} else {
		fragments.limits.timeout_ns = UINT64_MAX;
		run_made(&fragments, &input);
	}
	fragments_uninit(&fragments);
	check(!kept);
	return 0;
}
