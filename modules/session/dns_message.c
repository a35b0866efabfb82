// SPDX-License-Identifier: Apache-2.0
#include "dns_message.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum { A = 1, CNAME = 5, AAAA = 28, OPT = 41, NAME_MOST = 255, LABEL_MOST = 63, LABELS_MOST = 128 };
enum { QUERY = 0, NOTIFY = 4, UPDATE = 5, RESERVED_FLAG = 0x40, NOT_OF_QUERIES = 0x068f };

static uint16_t be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

struct reader {
	const uint8_t *bytes;
	uint32_t length, at;
};

// ---- recognition

static unsigned operation_of(uint16_t flags)
{
	return flags >> 11 & 15;
}

static bool is_known_operation(unsigned operation)
{
	return operation == QUERY || operation == NOTIFY || operation == UPDATE;
}

// Where anything may come, a message must look as most do: one question, few records, flags that make sense.
static bool is_usual(const uint8_t *bytes)
{
	uint16_t flags = be16(bytes + 2), answers = be16(bytes + 6), authorities = be16(bytes + 8);

	if (operation_of(flags) == UPDATE || flags & RESERVED_FLAG || be16(bytes + 4) != 1 || be16(bytes + 10) > 64)
		return false;
	if (flags >> 15)
		return (flags & 15) <= 11 && answers <= 256 && authorities <= 64;
	return !(flags & NOT_OF_QUERIES) && !answers && !authorities && be16(bytes + 10) <= 2;
}

bool dns_may_be(const uint8_t *bytes, uint32_t length, enum dns_place place)
{
	if (length < DNS_HEADER)
		return true;
	return is_known_operation(operation_of(be16(bytes + 2))) && (place != DNS_ANY_PORT || is_usual(bytes));
}

static bool is_usual_question(const struct dns_message *message)
{
	bool is_type = message->type && (message->type <= 128 || (message->type >= 249 && message->type <= 262));

	return is_type && (message->class == 1 || message->class == 3 || message->class == 4 || message->class >= 254);
}

// ---- texts

static bool add(struct dns_message *message, struct dns_span *span, const char *text, uint32_t length)
{
	if (length > (uint32_t)DNS_TEXT - message->used) {
		message->is_truncated = true;
		return false;
	}
	memcpy(message->text + message->used, text, length);
	message->used = (uint16_t)(message->used + length);
	span->length = (uint16_t)(span->length + length);
	return true;
}

static void begin(struct dns_message *message, struct dns_span *span)
{
	*span = (struct dns_span){ message->used, 0, true };
}

// As dig writes it: what has a meaning in zone files behind a backslash, what cannot be printed by its number.
static unsigned escape(char *to, uint8_t byte)
{
	if (byte <= ' ' || byte >= 0x7f)
		return (unsigned)sprintf(to, "\\%03u", byte);
	if (strchr("\"().;\\@$", byte)) {
		to[0] = '\\';
		to[1] = (char)byte;
		return 2;
	}
	to[0] = (char)byte;
	return 1;
}

struct name {
	char text[DNS_NAME_TEXT + 8];
	uint32_t length;
};

static void add_label(struct name *name, const uint8_t *label, unsigned length)
{
	if (name->length)
		name->text[name->length++] = '.';
	for (unsigned i = 0; i < length; i++)
		name->length += escape(name->text + name->length, label[i]);
}

// Compression points back, further with each step, so that it ends (RFC 1035 4.1.4). reader->at: behind it. name: NULL
// if nobody wants to know.
static bool read_name(struct reader *reader, struct name *name)
{
	uint32_t at = reader->at, part = at, wire = 1, behind = 0;

	if (name)
		name->length = 0;
	while (at < reader->length && reader->bytes[at]) {
		uint8_t length = reader->bytes[at];

		if (length > LABEL_MOST) {
			uint32_t to = (length & 0x3fu) << 8 | (at + 1 < reader->length ? reader->bytes[at + 1] : 0xff);

			if (length < 0xc0 || at + 2 > reader->length || to >= part)
				return false;
			behind = behind ? behind : at + 2;
			at = part = to;
			continue;
		}
		wire += length + 1u;
		if (wire > NAME_MOST || at + 1 + length > reader->length)
			return false;
		if (name)
			add_label(name, reader->bytes + at + 1, length);
		at += 1u + length;
	}
	if (at >= reader->length)
		return false;
	if (name && !name->length)
		name->text[name->length++] = '.';
	reader->at = behind ? behind : at + 1;
	return true;
}

// ---- questions

static bool read_question(struct dns_message *message, struct reader *reader, bool is_first)
{
	struct name name;

	if (!read_name(reader, &name) || reader->length - reader->at < 4)
		return false;
	if (is_first) {
		begin(message, &message->name);
		add(message, &message->name, name.text, name.length);
		message->type = be16(reader->bytes + reader->at);
		message->class = be16(reader->bytes + reader->at + 2);
	}
	reader->at += 4;
	return true;
}

// ---- records

struct record {
	uint16_t type, class, length;
	uint32_t lifetime, data; // seconds (of EDNS: flags); where its data is
};

static bool read_record(struct reader *reader, struct record *record)
{
	const uint8_t *at;

	if (!read_name(reader, NULL) || reader->length - reader->at < 10)
		return false;
	at = reader->bytes + reader->at;
	*record = (struct record){ be16(at), be16(at + 2), be16(at + 8), (uint32_t)be16(at + 4) << 16 | be16(at + 6),
		reader->at + 10 };
	if (record->length > reader->length - record->data)
		return false;
	reader->at = record->data + record->length;
	return true;
}

struct answers { // texts that are gathered while records are read; they lie in a row afterwards
	char text[3][DNS_TEXT / 3 - DNS_NAME_TEXT / 3];
	uint32_t length[3];
	bool is_full;
};
enum { OF_A, OF_AAAA, OF_CNAME };

static void gather(struct answers *answers, unsigned which, const char *text, uint32_t length)
{
	uint32_t used = answers->length[which];

	if (used + length + 1 > sizeof(answers->text[which])) {
		answers->is_full = true;
		return;
	}
	if (used)
		answers->text[which][used++] = ',';
	memcpy(answers->text[which] + used, text, length);
	answers->length[which] = used + length;
}

static void take_answer(struct answers *answers, const struct reader *reader, const struct record *record)
{
	const uint8_t *data = reader->bytes + record->data;
	struct reader inside = { reader->bytes, record->data + record->length, record->data };
	char text[INET6_ADDRSTRLEN];
	struct name name;

	if (record->type == A && record->length == 4 && inet_ntop(AF_INET, data, text, sizeof(text)))
		gather(answers, OF_A, text, (uint32_t)strlen(text));
	else if (record->type == AAAA && record->length == 16 && inet_ntop(AF_INET6, data, text, sizeof(text)))
		gather(answers, OF_AAAA, text, (uint32_t)strlen(text));
	else if (record->type == CNAME && read_name(&inside, &name))
		gather(answers, OF_CNAME, name.text, name.length);
}

static void take_option(struct dns_message *message, const struct record *record)
{
	if (record->type != OPT)
		return;
	message->udp_size = record->class;
	message->code = (uint16_t)((message->flags & 15) | record->lifetime >> 24 << 4);
}

// false: the message ends, or stops making sense, before its last record.
static bool read_records(struct dns_message *message, struct reader *reader, struct answers *answers)
{
	uint32_t count = (uint32_t)message->count[1] + message->count[2] + message->count[3];
	struct record record;

	for (uint32_t i = 0; i < count; i++) {
		if (i == DNS_RECORDS) {
			message->is_truncated = true;
			return true;
		}
		if (!read_record(reader, &record))
			return false;
		if (i < message->count[1])
			take_answer(answers, reader, &record);
		else if (i >= (uint32_t)message->count[1] + message->count[2])
			take_option(message, &record);
	}
	return true;
}

static void keep(struct dns_message *message, struct dns_span *span, const struct answers *answers, unsigned which)
{
	if (!answers->length[which])
		return;
	begin(message, span);
	add(message, span, answers->text[which], answers->length[which]);
}

static const char *read_rest(struct dns_message *message, struct reader *reader, bool is_cut)
{
	struct answers answers = { .length = { 0 } };
	bool is_whole = read_records(message, reader, &answers);

	keep(message, &message->a, &answers, OF_A);
	keep(message, &message->aaaa, &answers, OF_AAAA);
	keep(message, &message->cname, &answers, OF_CNAME);
	message->is_truncated |= answers.is_full || (!is_whole && is_cut);
	if (is_cut || message->is_truncated)
		return NULL;
	return !is_whole ? "record" : reader->at < reader->length ? "rest" : NULL;
}

bool dns_read(struct dns_message *message, const uint8_t *bytes, uint32_t length, bool is_cut, enum dns_place place)
{
	struct reader reader = { bytes, length, DNS_HEADER };

	if (length < DNS_HEADER || !dns_may_be(bytes, length, place))
		return false;
	memset(message, 0, offsetof(struct dns_message, text));
	message->id = be16(bytes);
	message->flags = be16(bytes + 2);
	message->code = message->flags & 15;
	for (unsigned i = 0; i < 4; i++)
		message->count[i] = be16(bytes + 4 + 2 * i);
	for (uint32_t i = 0; i < message->count[0] && i < DNS_RECORDS; i++)
		if (!read_question(message, &reader, !i)) {
			message->anomaly = "question";
			return i && place != DNS_ANY_PORT;
		}
	message->anomaly = read_rest(message, &reader, is_cut);
	return place != DNS_ANY_PORT || (is_usual_question(message) && !message->anomaly);
}
