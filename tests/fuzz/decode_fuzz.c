// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes behind any link, as several packets of one vector, with every header and
// field asked for. The fast way
// must find what the walk finds: each Ethernet frame is there twice, once as one that only the walk looks at.
#include "packet/decode_testing.h"

static const uint8_t links[] = { PROTO_ETH, PROTO_SLL, PROTO_SLL2, PROTO_NULL, PROTO_PPP, PROTO_CHDLC,
	PROTO_RAW, PROTO_IP, PROTO_PPPOE, PROTO_DATA, PROTO_MPLS, PROTO_GRE };

static void check(bool holds, const char *what, const char *name)
{
	if (holds)
		return;
	fprintf(stderr, "%s: %s\n", name, what);
	abort();
}

static void compare_places(const struct decoder *decoder, unsigned a, unsigned b)
{
	struct vector *vector = decoder->vector;

	for (unsigned i = 0; i < PROTOCOLS * TESTED; i++) {
		const struct decode_layer *layer = &decoder->layers[i];
		weir_mask has = *vector_mask(vector, layer->has);
		const uint16_t *base = vector_column(vector, layer->base);
		const uint32_t *end = vector_column(vector, layer->end);

		check((has >> a & 1) == (has >> b & 1), "presence", protocol_name(layer->protocol));
		if (!(has >> a & 1))
			continue;
		check(base[a] == base[b], "place", protocol_name(layer->protocol));
		check(end[a] == end[b], "end", protocol_name(layer->protocol));
		check(base[a] <= end[a] && end[a] <= vector->head.length[a], "range",
			protocol_name(layer->protocol));
	}
}

static void compare_values(const struct decoder *decoder, unsigned a, unsigned b)
{
	list_each (extract, &decoder->extracts) {
		const struct field *field = extract->field;

		if (!extract->run || !decoder_has(decoder, a, extract))
			continue;
		if (field->type == FIELD_BOOL) {
			weir_mask value = *vector_mask(decoder->vector, extract->at);

			check((value >> a & 1) == (value >> b & 1), "value", field->name);
			continue;
		}
		check(!memcmp((const char *)vector_column(decoder->vector, extract->at) +
				      (size_t)a * field->size,
			      (const char *)vector_column(decoder->vector, extract->at) +
				      (size_t)b * field->size,
			      field->size),
			"value", field->name);
	}
}

static void compare(const struct decoder *decoder, unsigned a, unsigned b)
{
	const struct decode_facts *facts = &decoder->facts;

	compare_places(decoder, a, b);
	compare_values(decoder, a, b);
	check(decoder_reason(decoder, a) == decoder_reason(decoder, b), "reason", "frame");
	check(decoder_place(decoder, a, facts->network_has, facts->network) ==
			decoder_place(decoder, b, facts->network_has, facts->network),
		"place", "weir.network");
	check(decoder_place(decoder, a, facts->transport_has, facts->transport) ==
			decoder_place(decoder, b, facts->transport_has, facts->transport),
		"place", "weir.transport");
	check((*vector_mask(decoder->vector, facts->fragmented) >> a & 1) ==
			(*vector_mask(decoder->vector, facts->fragmented) >> b & 1),
		"fragmented", "frame");
}

// The second byte says how many packets there are, the third how much of the last one a capture has cut off.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct decoder *decoder;
	enum protocol link;
	unsigned packets, cut;
	weir_mask first;

	if (size < 3)
		return 0;
	if (!decoder)
		decoder = decoder_create();
	link = links[data[0] % sizeof(links)];
	packets = 1 + data[1] % 12;
	cut = data[2];
	decoder_empty(decoder);
	for (unsigned i = 0; i < packets; i++) {
		uint32_t length = (uint32_t)(size - 3) / packets * (i + 1);

		decoder_add(decoder, data + 3, length, length + (i + 1 == packets ? cut : 0), link);
	}
	first = decoder->vector->head.live;
	decoder_run(decoder, first);
	for (unsigned i = 0; i < packets; i++) {
		struct weir_vector *head = &decoder->vector->head;
		unsigned twin = decoder_add(
			decoder, head->data[i], head->length[i], decoder->packets[i].head.original, link);

		decoder->vector->odd |= (weir_mask)1 << twin;
	}
	decoder_run(decoder, decoder->vector->head.live & ~first); // what the first ones have is left alone
	for (unsigned i = 0; i < packets; i++)
		compare(decoder, i, packets + i);
	return 0;
}
