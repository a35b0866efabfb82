// SPDX-License-Identifier: Apache-2.0
// The bytes that relations look at: of packets, chained ones too, of headers, and those made for
// the occasion. And patterns over them. What a worker needs for the rare cases is its own, made
// when first needed, freed when its thread ends.
#include "event/filter_program.h"

#include <stdlib.h>
#include <threads.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
	JOINED = 512 * 1024,  // of chained packets, for one relation on one slot
	PIECE = 512,          // that weir_bytes gives at a time
	MATCH_STEPS = 100000, // after which a pattern has not matched
};

struct room {
	pcre2_match_data *match;
	pcre2_match_context *limits;
	uint8_t joined[JOINED];
};

static tss_t room_key;
static once_flag room_once = ONCE_FLAG_INIT;

static void free_room(void *at)
{
	struct room *room = at;

	pcre2_match_data_free(room->match);
	pcre2_match_context_free(room->limits);
	free(room);
}

static void create_key(void)
{
	tss_create(&room_key, free_room);
}

// NULL: no memory
static struct room *room_of_thread(void)
{
	struct room *room;

	call_once(&room_once, create_key);
	room = tss_get(room_key);
	if (room)
		return room;
	room = malloc(sizeof(*room));
	if (!room)
		return NULL;
	room->match = pcre2_match_data_create(1, NULL);
	room->limits = pcre2_match_context_create(NULL);
	if (!room->match || !room->limits || tss_set(room_key, room) != thrd_success) {
		free_room(room);
		return NULL;
	}
	pcre2_set_match_limit(room->limits, MATCH_STEPS);
	return room;
}

bool filter_pattern_matches(const void *pattern, const uint8_t *bytes, uint32_t length)
{
	struct room *room = room_of_thread();

	return room && pcre2_match(pattern, bytes, length, 0, 0, room->match, room->limits) >= 0;
}

uint8_t *filter_scratch(struct filter_scene *scene, uint32_t length)
{
	uint8_t *at = scene->scratch + scene->used;

	if (length > sizeof(scene->scratch) - scene->used)
		return NULL;
	scene->used += length;
	return at;
}

static const uint8_t *join(struct filter_scene *scene, uint32_t offset, uint32_t length)
{
	struct room *room = room_of_thread();
	uint8_t *to;

	if (!room || length > JOINED - scene->joined)
		return NULL;
	to = room->joined + scene->joined;
	for (uint32_t done = 0; done < length; done += PIECE) {
		uint32_t size = length - done < PIECE ? length - done : PIECE;
		const uint8_t *piece = weir_bytes(&scene->vector->head, scene->slot, offset + done, size);

		if (!piece)
			return NULL;
		memcpy(to + done, piece, size);
	}
	scene->joined += length;
	return to;
}

const uint8_t *filter_packet_bytes(struct filter_scene *scene, uint32_t offset, uint32_t length)
{
	const struct weir_vector *head = &scene->vector->head;

	if ((uint64_t)offset + length > head->length[scene->slot])
		return NULL;
	if ((uint64_t)offset + length <= head->straight[scene->slot])
		return head->data[scene->slot] + offset;
	return join(scene, offset, length);
}

// ---- headers

// fixed + ((byte at `at`) >> shift & bits) * unit; no entry: a header that reaches to its end.
static const struct {
	uint8_t fixed, at, shift, bits, unit;
} lengths[PROTOCOLS] = {
	[PROTO_ETH] = { .fixed = 14 },
	[PROTO_VLAN] = { .fixed = 4 },
	[PROTO_SLL] = { .fixed = 16 },
	[PROTO_NULL] = { .fixed = 4 },
	[PROTO_PPP] = { .fixed = 2 },
	[PROTO_CHDLC] = { .fixed = 4 },
	[PROTO_PPPOE] = { .fixed = 6 },
	[PROTO_MPLS] = { .fixed = 4 },
	[PROTO_IP] = { .at = 0, .bits = 15, .unit = 4 },
	[PROTO_IPV6] = { .fixed = 40 },
	[PROTO_IPV6_EXT] = { .fixed = 8, .at = 1, .bits = 255, .unit = 8 },
	[PROTO_IPV6_FRAGMENT] = { .fixed = 8 },
	[PROTO_AH] = { .fixed = 8, .at = 1, .bits = 255, .unit = 4 },
	[PROTO_TCP] = { .at = 12, .shift = 4, .bits = 15, .unit = 4 },
	[PROTO_UDP] = { .fixed = 8 },
	[PROTO_UDPLITE] = { .fixed = 8 },
	[PROTO_VXLAN] = { .fixed = 8 },
	[PROTO_GENEVE] = { .fixed = 8, .at = 0, .bits = 63, .unit = 4 },
};

static uint32_t gre_length(uint8_t flags)
{
	uint32_t checksum = flags & 0xc0 ? 4 : 0, key = flags & 0x20 ? 4 : 0, sequence = flags & 0x10 ? 4 : 0;

	return 4 + checksum + key + sequence;
}

uint32_t filter_header_length(struct filter_scene *scene, enum protocol protocol, uint32_t offset, uint32_t most)
{
	typeof(lengths[0]) of = lengths[protocol];
	const uint8_t *byte = most > of.at ? filter_packet_bytes(scene, offset + of.at, 1) : NULL;
	uint32_t length = of.fixed;

	if (of.unit && byte)
		length += (uint32_t)(*byte >> of.shift & of.bits) * of.unit;
	else if (protocol == PROTO_GRE && byte)
		length = gre_length(*byte);
	return length && length < most ? length : most;
}
