// SPDX-License-Identifier: Apache-2.0
// An observed event as a line of JSON. Names are those of its parts and fields.
#include "engine/observe_inside.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

static json_t *text_of(const char *texts, const void *at)
{
	uint64_t kept;
	json_t *text;

	memcpy(&kept, at, sizeof(kept));
	text = json_stringn(texts + (kept >> 32), (uint32_t)kept);
	if (!text) { // no UTF-8: byte by byte, as Latin-1
		char room[2 * OBSERVATION_TEXT];
		unsigned n = 0;

		for (uint32_t i = 0; i < (uint32_t)kept; i++) {
			uint8_t byte = (uint8_t)texts[(kept >> 32) + i];

			if (byte < 0x80) {
				room[n++] = (char)byte;
				continue;
			}
			room[n++] = (char)(0xc0 | byte >> 6);
			room[n++] = (char)(0x80 | (byte & 0x3f));
		}
		text = json_stringn(room, n);
	}
	return text;
}

static json_t *hex_of(const char *texts, const void *at)
{
	static const char digits[] = "0123456789abcdef";
	char room[3 * OBSERVATION_TEXT];
	uint64_t kept;
	unsigned n = 0;

	memcpy(&kept, at, sizeof(kept));
	for (uint32_t i = 0; i < (uint32_t)kept; i++) {
		uint8_t byte = (uint8_t)texts[(kept >> 32) + i];

		if (i)
			room[n++] = ':';
		room[n++] = digits[byte >> 4];
		room[n++] = digits[byte & 15];
	}
	return json_stringn(room, n);
}

static json_t *address_of(const void *at)
{
	struct weir_addr addr;
	char text[INET6_ADDRSTRLEN];

	memcpy(&addr, at, sizeof(addr));
	observation_address(text, &addr);
	return json_string(text);
}

static json_t *number_of(const void *at, unsigned size)
{
	uint64_t number = 0;

	memcpy(&number, at, size);
	return json_integer((json_int_t)number);
}

static json_t *ether_of_bytes(const uint8_t *at)
{
	return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", at[0], at[1], at[2], at[3], at[4], at[5]);
}

static json_t *ether_of(const void *at)
{
	uint64_t ether;

	memcpy(&ether, at, sizeof(ether));
	ether = __builtin_bswap64(ether) >> 16;
	return ether_of_bytes((const uint8_t *)&ether);
}

static json_t *time_of(const char *at)
{
	uint64_t ns;

	memcpy(&ns, at, sizeof(ns));
	return json_sprintf("%" PRIu64 ".%09" PRIu64, ns / 1000000000u, ns % 1000000000u);
}

static json_t *span_of(const char *at)
{
	uint64_t ns;

	memcpy(&ns, at, sizeof(ns));
	return json_real((double)ns / 1e9);
}

static json_t *part_of(const struct weir_part *part, const char *payload, const char *texts)
{
	const char *at = payload + part->offset;

	switch (part->type) {
	case WEIR_BOOL:
		return json_boolean(*at);
	case WEIR_IP:
		return address_of(at);
	case WEIR_ETHER:
		return ether_of_bytes((const uint8_t *)at);
	case WEIR_TIME:
		return time_of(at);
	case WEIR_SPAN:
		return span_of(at);
	case WEIR_VIEW:
	case WEIR_STRING:
		return text_of(texts, at);
	default:
		return part->size <= 8 ? number_of(at, part->size) : json_null();
	}
}

static json_t *field_of(const struct plan_value *value, const char *at, const char *texts)
{
	struct weir_addr addr;
	uint32_t ip;

	switch (value->field->type) {
	case FIELD_PROTOCOL:
	case FIELD_BOOL:
		return json_boolean(*at);
	case FIELD_IPV4:
		memcpy(&ip, at, sizeof(ip));
		addr = weir_addr4(ip);
		return address_of(&addr);
	case FIELD_IPV6:
		return address_of(at);
	case FIELD_ETHER:
		return ether_of(at);
	case FIELD_BYTES:
		return hex_of(texts, at);
	case FIELD_STRING:
		return text_of(texts, at);
	case FIELD_TIME:
		if (value->kind != VALUE_OF_FLOW)
			return number_of(at, value->size);
		return value->field->compute == FLOW_DURATION ? span_of(at) : time_of(at);
	default:
		return number_of(at, value->size);
	}
}

static void set(json_t *line, const char *name, json_t *value)
{
	if (json_object_get(line, name))
		json_decref(value);
	else
		json_object_set_new(line, name, value);
}

// Whose it is, as far as it does not say so itself.
static void add_flow(json_t *line, const struct weir_event_type *type, const struct observation *record)
{
	bool is_ip4 = weir_is_ip4(&record->ends[0]);

	if (type->per == WEIR_PER_DIRECTION)
		set(line, "stream.direction", json_string(record->is_back ? "back" : "out"));
	set(line, is_ip4 ? "ip.src" : "ipv6.src", address_of(&record->ends[0]));
	set(line, is_ip4 ? "ip.dst" : "ipv6.dst", address_of(&record->ends[1]));
	if (observation_has_ports(record->protocol)) {
		set(line, "srcport", json_integer(record->ports[0]));
		set(line, "dstport", json_integer(record->ports[1]));
	}
	set(line, "ip.proto", json_integer(record->protocol));
	if (record->vlan)
		set(line, "vlan.id", json_integer(record->vlan));
}

static void write_json(FILE *to, json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT);

	if (text) {
		fputs(text, to);
		fputc('\n', to);
	}
	free(text);
	json_decref(line);
}

void observe_json(FILE *to, const struct plan_observer *observer, const struct weir_event_type *type,
	const struct observation *record)
{
	const char *values = observation_values(record), *texts = observation_texts(record, observer->fields.count);
	json_t *line = json_object();

	json_object_set_new(line, "time", time_of((const char *)&record->time_ns));
	json_object_set_new(line, "event", json_string(type->name));
	for (const struct weir_part *part = record->payload_size ? type->parts : NULL; part && part->field; part++)
		if (observation_has(part, record->bytes))
			json_object_set_new(line, part->field, part_of(part, record->bytes, texts));
	if (record->has_flow)
		add_flow(line, type, record);
	for (unsigned i = 0; i < observer->fields.count; i++)
		if (record->present >> i & 1)
			set(line, observer->fields.at[i]->name,
				field_of(observer->fields.at[i], values + i * FIELD_ROOM, texts));
	write_json(to, line);
}

void observe_json_lost(FILE *to, uint64_t count)
{
	write_json(to, json_pack("{s:s, s:I}", "event", "observer.lost", "observer.count", (json_int_t)count));
}
