// SPDX-License-Identifier: Apache-2.0
#include "engine/observe_write.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdlib.h>

enum { FIELD_ROOM = 16 };

// ---- into the ring

uint32_t observation_size(const struct plan_observer *observer, uint32_t payload)
{
	uint32_t size = (uint32_t)sizeof(struct observation) + ((payload + 7) & ~7u) +
		observer->fields.count * FIELD_ROOM + OBSERVATION_TEXT;

	return size < OBSERVATION_MOST ? size : OBSERVATION_MOST;
}

static char *texts_of(struct observation *record, unsigned fields)
{
	return record->bytes + ((record->payload_size + 7u) & ~7u) + (size_t)fields * FIELD_ROOM;
}

#define TEXT_ABSENT UINT64_MAX

// A text is copied behind; where it was pointed at stands its offset there.
static uint64_t keep_text(struct observation *record, unsigned fields, const void *bytes, uint32_t length)
{
	uint32_t room = OBSERVATION_TEXT - record->text_size, at = record->text_size;

	if (!bytes)
		return TEXT_ABSENT;
	length = length < room ? length : room;
	if (length)
		memcpy(texts_of(record, fields) + at, bytes, length);
	record->text_size = (uint16_t)(at + length);
	return (uint64_t)at << 32 | length;
}

static void keep_payload(struct observation *record, const struct plan_observer *observer,
	const struct weir_event_type *type, const void *payload)
{
	memcpy(record->bytes, payload, record->payload_size);
	for (const struct weir_part *part = type->parts; part && part->field; part++) {
		struct weir_text text;
		const char *string;
		uint64_t kept;

		if (part->type == WEIR_VIEW) {
			memcpy(&text, (const char *)payload + part->offset, sizeof(text));
		} else if (part->type == WEIR_STRING) {
			memcpy(&string, (const char *)payload + part->offset, sizeof(string));
			text = (struct weir_text){ string, string ? (uint32_t)strlen(string) : 0 };
		} else {
			continue;
		}
		kept = keep_text(record, observer->fields.count, text.at, text.length);
		memcpy(record->bytes + part->offset, &kept, sizeof(kept));
	}
}

static void keep_field(struct observation *record, const struct plan_observer *observer, unsigned n,
	struct vector *vector, unsigned slot)
{
	const struct plan_value *value = observer->fields.at[n];
	char *to = record->bytes + ((record->payload_size + 7u) & ~7u) + n * FIELD_ROOM;
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
	if (!value->field || (value->field->type != FIELD_BYTES && value->field->type != FIELD_STRING))
		return;
	memcpy(&view, to, sizeof(view));
	view.length = view.length < 128 ? view.length : 128;
	bytes = weir_bytes(&vector->head, slot, view.offset, view.length);
	kept = keep_text(record, observer->fields.count, bytes, bytes ? view.length : 0);
	memcpy(to, &kept, sizeof(kept));
}

void observation_fill(struct observation *record, const struct plan_observer *observer,
	const struct plan_signal *signal, const void *payload, unsigned slot, struct vector *vector,
	uint64_t now_ns)
{
	*record = (struct observation){ .time_ns = vector ? vector->head.time_ns[slot] : now_ns,
		.signal = (uint16_t)signal->index };
	record->payload_size = payload ? signal->type->size : 0;
	if (payload)
		keep_payload(record, observer, signal->type, payload);
	for (unsigned i = 0; vector && i < observer->fields.count && i < OBSERVATION_FIELDS; i++)
		keep_field(record, observer, i, vector, slot);
}

// ---- as JSON

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
	if (weir_is_ip4(&addr))
		inet_ntop(AF_INET, addr.bytes + 12, text, sizeof(text));
	else
		inet_ntop(AF_INET6, addr.bytes, text, sizeof(text));
	return json_string(text);
}

static json_t *number_of(const void *at, unsigned size)
{
	uint64_t number = 0;

	memcpy(&number, at, size);
	return json_integer((json_int_t)number);
}

static json_t *ether_of(const void *at)
{
	uint64_t ether;

	memcpy(&ether, at, sizeof(ether));
	return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", (unsigned)(ether >> 40 & 255),
		(unsigned)(ether >> 32 & 255), (unsigned)(ether >> 24 & 255),
		(unsigned)(ether >> 16 & 255), (unsigned)(ether >> 8 & 255),
		(unsigned)(ether & 255));
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

static bool is_there(const struct weir_part *part, const char *payload)
{
	uint64_t kept;

	if (part->type != WEIR_VIEW && part->type != WEIR_STRING)
		return filter_part_is_there(part, payload + part->offset);
	memcpy(&kept, payload + part->offset, sizeof(kept));
	return kept != TEXT_ABSENT;
}

static json_t *part_of(const struct weir_part *part, const char *payload, const char *texts)
{
	const char *at = payload + part->offset;

	switch (part->type) {
	case WEIR_BOOL:
		return json_boolean(*at);
	case WEIR_IP:
		return address_of(at);
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
	default:
		return number_of(at, value->size);
	}
}

// ---- files

struct observe_output {
	struct observe_output *next;
	char *path;
	FILE *file;
	unsigned users;
};

static struct observe_output *outputs;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int observe_open(struct observe_output **made, const char *path, struct port_error *why)
{
	struct observe_output *output;

	for (output = outputs; output; output = output->next)
		if (!strcmp(output->path, path)) {
			output->users++;
			*made = output;
			return 0;
		}
	output = calloc(1, sizeof(*output));
	if (!output)
		return -ENOMEM;
	output->file = strcmp(path, "-") ? fopen(path, "w") : stdout;
	output->path = strdup(path);
	output->users = 1;
	if (!output->file || !output->path) {
		int err = output->file ? -ENOMEM : -errno;

		snprintf(why->text, sizeof(why->text), "%s cannot be written: %s", path, strerror(-err));
		free(output->path);
		free(output);
		return err;
	}
	output->next = outputs;
	outputs = output;
	*made = output;
	return 0;
}

void observe_close(struct observe_output **made)
{
	struct observe_output *output = *made;

	*made = NULL;
	if (!output || --output->users)
		return;
	for (struct observe_output **at = &outputs; *at; at = &(*at)->next)
		if (*at == output) {
			*at = output->next;
			break;
		}
	if (output->file != stdout)
		fclose(output->file);
	else
		fflush(stdout);
	free(output->path);
	free(output);
}

void observe_flush(struct observe_output *output)
{
	fflush(output->file);
}

static void write_line(struct observe_output *output, json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT);

	pthread_mutex_lock(&lock);
	if (text) {
		fputs(text, output->file);
		fputc('\n', output->file);
	}
	pthread_mutex_unlock(&lock);
	free(text);
	json_decref(line);
}

void observe_write(struct observe_output *output, const struct plan_observer *observer,
	const struct weir_signal *signals, const struct observation *record)
{
	const struct weir_event_type *type = signals[record->signal].plan->type;
	const char *fields = record->bytes + ((record->payload_size + 7u) & ~7u);
	const char *texts = fields + observer->fields.count * FIELD_ROOM;
	json_t *line = json_object();
	char time[40];

	snprintf(time, sizeof(time), "%" PRIu64 ".%09" PRIu64, record->time_ns / 1000000000u,
		record->time_ns % 1000000000u);
	json_object_set_new(line, "time", json_string(time));
	json_object_set_new(line, "event", json_string(type->name));
	for (const struct weir_part *part = record->payload_size ? type->parts : NULL; part && part->field; part++)
		if (is_there(part, record->bytes))
			json_object_set_new(line, part->field, part_of(part, record->bytes, texts));
	for (unsigned i = 0; i < observer->fields.count; i++)
		if (record->present >> i & 1)
			json_object_set_new(line, observer->fields.at[i]->name,
				field_of(observer->fields.at[i], fields + i * FIELD_ROOM, texts));
	write_line(output, line);
}

void observe_write_lost(struct observe_output *output, uint64_t count)
{
	write_line(output, json_pack("{s:s, s:I}", "event", "observer.lost", "observer.count", (json_int_t)count));
}
