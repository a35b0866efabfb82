// SPDX-License-Identifier: Apache-2.0
// Both streams of a connection in blocks, with gaps. However the blocks are cut, the same heads are
// told, as long as the thread is not lost (then it matters where segments begin).
//
//	| options | seed | blocks ...    a block: side, gap and length, bytes
#include "http_connection.h"

#include <stdlib.h>
#include <string.h>

struct run {
	struct http_connection connection;
	struct http_head begun[2], head;
	uint64_t told;
	uint32_t random; // 0: blocks are not cut
	uint64_t offset[2];
	bool was_lost;
};

#define CHECK(is)                \
	do {                     \
		if (!(is))       \
			abort(); \
	} while (0)

static void add(struct run *run, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		run->told = (run->told ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3;
}

static void heard(void *context, const struct http_head *head, unsigned side, const struct http_answer *answer)
{
	struct run *run = context;
	const char *oddity = http_oddity(head);

	CHECK(head->stage == HTTP_COMPLETE && head->used <= HTTP_TEXT && answer);
	for (unsigned i = 0; i < HTTP_PARTS; i++) {
		CHECK(head->part[i].at + head->part[i].length <= head->used);
		add(run, head->text + head->part[i].at, head->part[i].length);
	}
	add(run, &side, sizeof(side));
	add(run, &answer->number, sizeof(answer->number));
	add(run, &head->code, sizeof(head->code));
	add(run, &head->content_length, sizeof(head->content_length));
	add(run, &oddity, sizeof(oddity));
	add(run, &head->is_truncated, 1);
	add(run, &run->connection.asked, sizeof(run->connection.asked));
}

static void feed(struct run *run, unsigned side, const uint8_t *bytes, uint32_t length)
{
	struct http_ear ear = { heard, run };
	char *copy = malloc(length); // of just this size, so that what reads on is caught
	bool is_begun = run->connection.side[side].at == HTTP_IN_HEAD;

	if (!copy || run->connection.is_over) {
		free(copy);
		return;
	}
	memcpy(copy, bytes, length);
	if (is_begun)
		run->head = run->begun[side];
	http_bytes(&run->connection, side, run->offset[side], copy, length, &run->head, &ear);
	run->begun[side] = run->head;
	run->offset[side] += length;
	run->was_lost |= run->connection.side[side].at == HTTP_LOST || run->connection.lost;
	free(copy);
}

static uint32_t piece_of(struct run *run, uint32_t length)
{
	if (!run->random)
		return length;
	run->random = run->random * 1664525 + 1013904223;
	return 1 + (run->random >> 16) % (run->random >> 30 ? length : 1);
}

static void go(struct run *run, const uint8_t *data, size_t size)
{
	while (size > 2) {
		unsigned side = data[0] & 1;
		uint32_t length = (uint32_t)(data[0] & 0x3c) << 6 | data[1];

		if (data[0] & 2)
			run->offset[side] += data[0] >> 6 ? data[1] : UINT64_MAX >> data[1] % 64;
		data += 2;
		size -= 2;
		length = length < size ? length : (uint32_t)size;
		for (uint32_t at = 0, piece; at < length; at += piece) {
			piece = piece_of(run, length - at);
			feed(run, side, data + at, piece);
		}
		data += length;
		size -= length;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run whole, cut;

	if (size < 2)
		return 0;
	memset(&whole, 0, sizeof(whole));
	memset(&cut, 0, sizeof(cut));
	whole.connection.is_begun = cut.connection.is_begun = data[0] & 1;
	cut.random = data[1] + 1u;
	go(&whole, data + 2, size - 2);
	go(&cut, data + 2, size - 2);
	CHECK(whole.was_lost || cut.was_lost || whole.told == cut.told);
	return 0;
}
