// SPDX-License-Identifier: Apache-2.0
// From an event to the bytes of its key, and from these to the parts of a payload. An event has a key if it has all
// fields of it; of several addresses (ip.src, ipv6.src) one is enough.
#include "engine/aggregate_inside.h"

#include "engine/track.h"
#include "event/filter.h"

enum { TEXT_WHOLE = PLAN_TEXT - 8 - 1 }; // bytes of a text that a key has; a byte for how many, eight for a hash

// ---- values

static bool text_of_packet(struct vector *vector, unsigned slot, const struct plan_value *from, struct filter_value *to)
{
	struct field_view view;

	memcpy(&view, (const char *)vector + from->at + (size_t)slot * from->size, sizeof(view));
	to->length = view.length < 512 ? view.length : 512;
	to->bytes = weir_bytes(&vector->head, slot, view.offset, to->length);
	return to->bytes;
}

static bool of_packet(struct vector *vector, unsigned slot, const struct plan_source *source, struct filter_value *to)
{
	const struct plan_value *from = source->value;
	const char *at = (const char *)vector + from->at + (size_t)slot * from->size;
	bool is_there = *vector_mask(vector, from->has) >> slot & 1;

	to->type = source->field->type;
	if (to->type == FIELD_PROTOCOL) {
		to->number = is_there;
		return true;
	}
	if (!is_there)
		return false;
	if (!from->size)
		to->number = *vector_mask(vector, from->at) >> slot & 1;
	else if (to->type == FIELD_IPV6)
		memcpy(to->addr, at, sizeof(to->addr));
	else if (to->type == FIELD_BYTES || to->type == FIELD_STRING)
		return text_of_packet(vector, slot, from, to);
	else
		memcpy(&to->number, at, from->size);
	return true;
}

static bool value_of(const struct gathered_event *event, const struct plan_source *source, struct filter_value *value)
{
	struct filter_payload payload = { event->type, event->record ? event->record->payload : NULL };

	*value = (struct filter_value){ 0 };
	if (source->part)
		return filter_payload_part(&payload, source->part, 0, value);
	if (event->slot < WEIR_VECTOR)
		return of_packet(event->worker->vector, event->slot, source, value);
	if (event->record->flow && track_value(event->record->flow, source->field, value))
		value->number |= source->field->type == FIELD_PROTOCOL;
	else if (source->field->type != FIELD_PROTOCOL)
		return false;
	return true;
}

// ---- into a key

// A long text is known by its beginning and a hash of all of it.
static void put_text(const struct filter_value *value, char *key)
{
	uint32_t length = value->length < TEXT_WHOLE ? value->length : TEXT_WHOLE;
	uint64_t rest = value->length > TEXT_WHOLE ? gathered_hash((const char *)value->bytes, value->length) : 0;

	memset(key, 0, PLAN_TEXT);
	key[0] = (char)length;
	memcpy(key + 1, value->bytes, length);
	memcpy(key + PLAN_TEXT - sizeof(rest), &rest, sizeof(rest));
}

static void put_address(const struct filter_value *value, char *key)
{
	struct weir_addr addr;

	if (value->type == FIELD_IPV4)
		addr = weir_addr4((uint32_t)value->number);
	else
		memcpy(&addr, value->addr, sizeof(addr));
	memcpy(key, &addr, sizeof(addr));
}

static void put_ether(uint64_t number, char *key)
{
	for (int i = 0; i < 6; i++)
		key[i] = (char)(number >> (40 - 8 * i));
}

static void put(const struct plan_source *source, const struct filter_value *value, char *key)
{
	if (source->type == WEIR_VIEW)
		put_text(value, key);
	else if (source->type == WEIR_IP)
		put_address(value, key);
	else if (source->type == WEIR_ETHER)
		put_ether(value->number, key);
	else
		memcpy(key, &value->number, source->size); // little endian
}

// Under the name of the other family, so that it is absent there, too.
static void put_no_address(const struct plan_source *source, char *key)
{
	struct weir_addr addr = { 0 };

	if (!strncmp(source->name, "ipv6.", 5))
		addr = weir_addr4(0);
	memcpy(key, &addr, sizeof(addr));
}

bool gathered_key(const struct gathered_event *event, const struct plan_gathering *plan, char *key)
{
	unsigned wanted = 0, found = 0;
	struct filter_value value;

	list_each (source, &plan->by) {
		bool is_address = source->type == WEIR_IP;

		wanted |= is_address;
		if (value_of(event, source, &value)) {
			put(source, &value, key + source->key_at);
			found |= is_address;
		} else if (is_address) {
			put_no_address(source, key + source->key_at);
		} else {
			return false;
		}
	}
	return found == wanted;
}

bool gathered_number(const struct gathered_event *event, const struct plan_source *source, uint64_t *number)
{
	struct filter_value value;

	if (!value_of(event, source, &value))
		return false;
	*number = value.number;
	return true;
}

bool gathered_bytes(const struct gathered_event *event, const struct plan_source *source, char *bytes)
{
	struct filter_value value;

	if (!value_of(event, source, &value))
		return false;
	put(source, &value, bytes);
	return true;
}

// ---- out of it

void gathered_tell_key(const struct plan_telling *telling, const char *key, char *payload)
{
	char *texts = payload + telling->texts_at;

	list_each (source, &telling->gathering->by) {
		const char *from = key + source->key_at;
		struct weir_text text;

		if (source->type != WEIR_VIEW) {
			memcpy(payload + source->payload_at, from, source->size);
			continue;
		}
		memcpy(texts, from, PLAN_TEXT);
		text = (struct weir_text){ texts + 1, (uint8_t)texts[0] };
		memcpy(payload + source->payload_at, &text, sizeof(text));
		texts += PLAN_TEXT;
	}
}
