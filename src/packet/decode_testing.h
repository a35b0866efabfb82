// SPDX-License-Identifier: Apache-2.0
// For the tests and the fuzzer of the decoder: a vector made by hand, in which every field of every occurrence is asked
// for, and values as text. Frames lie in memory of just their size, so that a sanitizer sees any step beyond them.
#ifndef PACKET_DECODE_TESTING_H
#define PACKET_DECODE_TESTING_H

#include "lib/arena.h"
#include "packet/decode.h"
#include "packet/packet.h"

#include <stdio.h>
#include <stdlib.h>

enum { TESTED = 6 };
static const uint8_t tested[TESTED] = { DECODE_OUTER, 1, 2, 3, 4, DECODE_LAST };

struct tested_packet { // what precedes the bytes of a real one
	struct rte_mbuf mbuf;
	struct packet_head head;
};

struct decoder {
	struct arena *arena;
	struct decode_locate *locate;
	struct decode_facts facts;
	struct decode_layer layers[PROTOCOLS * TESTED];
	LIST(struct decode_extract) extracts; // by index of field, then by tested[]
	struct vector *vector;
	uint32_t masks, columns;
	struct tested_packet *packets; // WEIR_VECTOR of them
	uint8_t *frames[WEIR_VECTOR];
};

static inline uint32_t decoder_mask(struct decoder *decoder)
{
	return VECTOR_MASKS + (uint32_t)sizeof(weir_mask) * decoder->masks++;
}

static inline uint32_t decoder_column(struct decoder *decoder, unsigned size)
{
	uint32_t at = decoder->columns;

	decoder->columns += (size * WEIR_VECTOR + 63) & ~63u;
	return at;
}

static inline void decoder_ask_facts(struct decoder *decoder)
{
	decoder->facts = (struct decode_facts){
		.malformed = decoder_mask(decoder),
		.malformed_reason = decoder_column(decoder, 1),
		.malformed_offset = decoder_column(decoder, 2),
		.fragmented = decoder_mask(decoder),
		.network = decoder_column(decoder, 2),
		.transport = decoder_column(decoder, 2),
		.network_has = decoder_mask(decoder),
		.transport_has = decoder_mask(decoder),
	};
}

static inline void decoder_ask_layers(struct decoder *decoder)
{
	for (unsigned i = 0; i < PROTOCOLS * TESTED; i++)
		decoder->layers[i] = (struct decode_layer){
			.protocol = i / TESTED,
			.occurrence = tested[i % TESTED],
			.has = decoder_mask(decoder),
			.base = decoder_column(decoder, 2),
			.end = decoder_column(decoder, 4),
		};
}

static inline void decoder_ask_field(struct decoder *decoder, const struct field *field)
{
	for (unsigned i = 0; i < TESTED; i++) {
		const struct decode_layer *layer = &decoder->layers[field->protocol * TESTED + i];
		struct decode_extract *extract = list_add(decoder->arena, &decoder->extracts);

		*extract = (struct decode_extract){
			.field = field,
			.has = layer->has,
			.base = layer->base,
			.end = layer->end,
			.at = field->size ? decoder_column(decoder, field->size) : decoder_mask(decoder),
		};
		decode_extract_prepare(extract);
	}
}

static inline struct decoder *decoder_create(void)
{
	struct arena *arena = arena_create();
	struct decoder *decoder = arena_new(arena, struct decoder);
	const struct field *field;

	decoder->arena = arena;
	decoder->columns = (VECTOR_MASKS + sizeof(weir_mask) * 4096 + 63) & ~63u;
	decoder_ask_facts(decoder);
	decoder_ask_layers(decoder);
	for (unsigned i = 0; (field = field_at(i)); i++)
		if (field->kind == FIELD_DERIVED)
			decoder_ask_field(decoder, field);
	assert(decoder->masks < 4096);
	decoder->locate = decode_prepare(arena, decoder->layers, PROTOCOLS * TESTED, &decoder->facts);
	decoder->vector = aligned_alloc(64, decoder->columns);
	memset(decoder->vector, 0, decoder->columns);
	decoder->packets =
		aligned_alloc(_Alignof(struct tested_packet), sizeof(struct tested_packet) * WEIR_VECTOR);
	memset(decoder->packets, 0, sizeof(struct tested_packet) * WEIR_VECTOR);
	return decoder;
}

static inline void decoder_empty(struct decoder *decoder)
{
	for (unsigned i = 0; i < WEIR_VECTOR; i++) {
		free(decoder->frames[i]);
		decoder->frames[i] = NULL;
	}
	decoder->vector->head.live = decoder->vector->odd = 0;
	decoder->vector->head.fill = 0;
}

static inline void decoder_destroy(struct decoder *decoder)
{
	decoder_empty(decoder);
	free(decoder->vector);
	free(decoder->packets);
	arena_destroy(decoder->arena);
}

// Adds a frame; returns its slot. original: its length on the wire.
static inline unsigned decoder_add(
	struct decoder *decoder, const uint8_t *bytes, uint32_t length, uint32_t original, enum protocol link)
{
	struct vector *vector = decoder->vector;
	unsigned slot = vector->head.fill++;

	decoder->frames[slot] = malloc(length ? length : 1);
	memcpy(decoder->frames[slot], bytes, length);
	decoder->packets[slot].head.original = original;
	vector->head.packet[slot] = (struct weir_packet *)&decoder->packets[slot];
	vector->head.data[slot] = decoder->frames[slot];
	vector->head.length[slot] = vector->head.straight[slot] = length;
	vector->head.live |= (weir_mask)1 << slot;
	vector->link[slot] = (uint8_t)link;
	if (link != PROTO_ETH)
		vector->odd |= (weir_mask)1 << slot;
	return slot;
}

static inline void decoder_run(struct decoder *decoder, weir_mask todo)
{
	decode_locate(decoder->locate, decoder->vector, todo);
	list_each (extract, &decoder->extracts)
		if (extract->run)
			extract->run(extract, decoder->vector, todo);
}

// ---- values as text

static inline const struct decode_extract *decoder_extract(
	const struct decoder *decoder, const struct field *field, uint8_t occurrence)
{
	unsigned i = 0;

	while (i < TESTED - 1 && tested[i] != occurrence)
		i++;
	return &decoder->extracts.at[field_index(field) * TESTED + i];
}

static inline bool decoder_has(
	const struct decoder *decoder, unsigned slot, const struct decode_extract *extract)
{
	return *vector_mask(decoder->vector, extract->has) >> slot & 1;
}

static inline const char *decoder_hex(const struct decoder *decoder, const uint8_t *bytes, uint32_t length)
{
	char *text = arena_take(decoder->arena, 2 * (size_t)length + 1);

	for (uint32_t i = 0; i < length; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return text;
}

static inline uint64_t decoder_number(
	const struct decoder *decoder, unsigned slot, const struct decode_extract *extract)
{
	uint64_t number = 0;

	memcpy(&number,
		(const char *)vector_column(decoder->vector, extract->at) + (size_t)slot * extract->field->size,
		extract->field->size);
	return number;
}

// NULL: it is not there.
static inline const char *decoder_text(
	const struct decoder *decoder, unsigned slot, const struct field *field, uint8_t occurrence)
{
	const struct decode_extract *extract = decoder_extract(decoder, field, occurrence);
	const uint8_t *value =
		(const uint8_t *)vector_column(decoder->vector, extract->at) + (size_t)slot * field->size;
	struct field_view view;
	uint32_t ip;

	if (!decoder_has(decoder, slot, extract))
		return NULL;
	switch (field->type) {
	case FIELD_PROTOCOL: return "1";
	case FIELD_BOOL: return *vector_mask(decoder->vector, extract->at) >> slot & 1 ? "1" : "0";
	case FIELD_IPV4:
		memcpy(&ip, value, sizeof(ip));
		return arena_print(
			decoder->arena, "%u.%u.%u.%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
	case FIELD_IPV6: return decoder_hex(decoder, value, 16);
	case FIELD_ETHER:
		return arena_print(
			decoder->arena, "%012llx", (unsigned long long)decoder_number(decoder, slot, extract));
	case FIELD_BYTES:
	case FIELD_STRING:
		memcpy(&view, value, sizeof(view));
		return decoder_hex(decoder, decoder->frames[slot] + view.offset, view.length);
	default:
		return arena_print(
			decoder->arena, "%llu", (unsigned long long)decoder_number(decoder, slot, extract));
	}
}

static inline const char *decoder_reason(const struct decoder *decoder, unsigned slot)
{
	if (!(*vector_mask(decoder->vector, decoder->facts.malformed) >> slot & 1))
		return "";
	return decode_reason(
		((const uint8_t *)vector_column(decoder->vector, decoder->facts.malformed_reason))[slot]);
}

static inline int decoder_place(const struct decoder *decoder, unsigned slot, uint32_t has, uint32_t at)
{
	return *vector_mask(decoder->vector, has) >> slot & 1
		? ((const uint16_t *)vector_column(decoder->vector, at))[slot]
		: -1;
}

#endif
