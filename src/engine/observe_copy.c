// SPDX-License-Identifier: Apache-2.0
// Into the ring: what of an event an observer shows is copied, for its packet goes on.
#include "engine/observe_inside.h"
#include "engine/track_fields.h"

uint32_t observation_size(const struct plan_observer *observer, uint32_t payload, uint32_t text_room)
{
	uint32_t size = (uint32_t)sizeof(struct observation) + ((payload + 7) & ~7u) +
		observer->fields.count * FIELD_ROOM + text_room;

	return size < OBSERVATION_MOST ? size : OBSERVATION_MOST;
}

// A text is copied behind; where it was pointed at stands its offset there.
static uint64_t keep_text(struct observation *record, unsigned fields, const void *bytes, uint32_t length,
	uint32_t most)
{
	uint32_t room = most - record->text_size, at = record->text_size;

	if (!bytes)
		return TEXT_ABSENT;
	length = length < room ? length : room;
	if (length)
		memcpy((char *)observation_texts(record, fields) + at, bytes, length);
	record->text_size = (uint16_t)(at + length);
	return (uint64_t)at << 32 | length;
}

static void keep_payload(
	struct observation *record, const struct plan_observer *observer, const struct observed *seen)
{
	const char *payload = seen->payload;

	memcpy(record->bytes, payload, record->payload_size);
	for (const struct weir_part *part = seen->signal->type->parts; part && part->field; part++) {
		struct weir_text text;
		const char *string;
		uint64_t kept;

		if (part->type == WEIR_VIEW) {
			memcpy(&text, payload + part->offset, sizeof(text));
		} else if (part->type == WEIR_STRING) {
			memcpy(&string, payload + part->offset, sizeof(string));
			text = (struct weir_text){ string, string ? (uint32_t)strlen(string) : 0 };
		} else {
			continue;
		}
		kept = keep_text(record, observer->fields.count, text.at, text.length, seen->text_room);
		memcpy(record->bytes + part->offset, &kept, sizeof(kept));
	}
}

static char *room_of(struct observation *record, unsigned n)
{
	return record->bytes + ((record->payload_size + 7u) & ~7u) + n * FIELD_ROOM;
}

// It is there as in a column: of a text a pointer.
static void keep_of_flow(
	struct observation *record, const struct plan_observer *observer, unsigned n, const struct observed *seen)
{
	const struct field *field = observer->fields.at[n]->field;
	char *to = room_of(record, n);
	const char *text;
	uint64_t kept;

	if (field->type != FIELD_STRING)
		return;
	memcpy(&text, to, sizeof(text));
	kept = keep_text(record, observer->fields.count, text, (uint32_t)strlen(text), seen->text_room);
	memcpy(to, &kept, sizeof(kept));
}

static void keep_field(struct observation *record, const struct plan_observer *observer, unsigned n,
	const struct observed *seen)
{
	struct vector *vector = seen->vector;
	unsigned slot = seen->slot;
	const struct plan_value *value = observer->fields.at[n];
	char *to = room_of(record, n);
	struct field_view view;
	const uint8_t *bytes;
	uint64_t kept;

	if (!(*vector_mask(vector, value->has) >> slot & 1))
		return;
	record->present |= (uint64_t)1 << n;
	if (!value->size) {
		*to = (char)(value->at ? *vector_mask(vector, value->at) >> slot & 1 : 1);
		return;
	}
	memcpy(to, (char *)vector + value->at + (size_t)slot * value->size, value->size);
	if (value->kind == VALUE_OF_FLOW) {
		keep_of_flow(record, observer, n, seen);
		return;
	}
	if (!value->field || (value->field->type != FIELD_BYTES && value->field->type != FIELD_STRING))
		return;
	memcpy(&view, to, sizeof(view));
	view.length = view.length < 128 ? view.length : 128;
	bytes = weir_bytes(&vector->head, slot, view.offset, view.length);
	kept = keep_text(record, observer->fields.count, bytes, bytes ? view.length : 0, seen->text_room);
	memcpy(to, &kept, sizeof(kept));
}

// What is told without a packet has what is known of the flow by now.
static void keep_of_life(
	struct observation *record, const struct plan_observer *observer, unsigned n, const struct observed *seen)
{
	const struct field *field = observer->fields.at[n]->field;
	union track_datum datum;

	if (field->kind != FIELD_OF_FLOW || !track_field(seen->flow, field, &datum))
		return;
	record->present |= (uint64_t)1 << n;
	memcpy(room_of(record, n), &datum, sizeof(datum));
	keep_of_flow(record, observer, n, seen);
}

static bool is_of_conversation(const struct weir_event_type *type)
{
	return type->per > WEIR_PER_PACKET && type->per < WEIR_PER_HOST;
}

static void keep_flow(struct observation *record, const struct weir_flow *flow)
{
	record->has_flow = true;
	record->start_ns = flow->start_ns;
	record->ends[0] = weir_end_(flow, 0);
	record->ends[1] = weir_end_(flow, 1);
	record->ports[0] = flow->client_port;
	record->ports[1] = flow->server_port;
	record->protocol = flow->protocol;
	record->vlan = flow->vlan;
}

void observation_fill(struct observation *record, const struct plan_observer *observer, const struct observed *seen)
{
	*record = (struct observation){ .time_ns = seen->vector ? seen->vector->head.time_ns[seen->slot] : seen->now_ns,
		.signal = (uint16_t)seen->signal->index,
		.is_back = seen->is_back };
	if (seen->flow && is_of_conversation(seen->signal->type))
		keep_flow(record, seen->flow);
	record->payload_size = seen->payload ? seen->signal->type->size : 0;
	if (seen->payload)
		keep_payload(record, observer, seen);
	for (unsigned i = 0; i < observer->fields.count && i < OBSERVATION_FIELDS; i++)
		if (seen->vector)
			keep_field(record, observer, i, seen);
		else if (seen->flow)
			keep_of_life(record, observer, i, seen);
}
