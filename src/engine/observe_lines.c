// SPDX-License-Identifier: Apache-2.0
// An observed event as a line for people: time, event, who to whom, then what matters of it, with units. Nothing of
// what came over the network reaches the terminal but letters.
#include "engine/observe_inside.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <time.h>

enum { WIDTH_OF_EVENT = 18, WIDTH_OF_ENDS = 45, ROOM = 4096 };

struct line {
	char text[ROOM];
	unsigned length, shown; // bytes; columns of the terminal
	bool is_coloured;
};

struct scene {
	const struct plan_observer *observer;
	const struct weir_event_type *type;
	const struct observation *record;
	const char *values, *texts;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...)
{
	va_list list;
	int length;

	va_start(list, format);
	length = vsnprintf(line->text + line->length, sizeof(line->text) - line->length, format, list);
	va_end(list);
	if (length < 0)
		return;
	if ((unsigned)length > sizeof(line->text) - line->length - 1)
		length = (int)(sizeof(line->text) - line->length - 1);
	line->length += (unsigned)length;
	line->shown += (unsigned)length;
}

static void pad(struct line *line, unsigned to)
{
	if (line->shown < to)
		put(line, "%*s", (int)(to - line->shown), "");
}

static void colour(struct line *line, const char *code)
{
	unsigned shown = line->shown;

	if (line->is_coloured)
		put(line, "\033[%sm", code);
	line->shown = shown;
}

static void put_text(struct line *line, struct weir_text text)
{
	for (uint32_t i = 0; i < text.length; i++) {
		uint8_t byte = (uint8_t)text.at[i];

		if (byte < 0x20 || byte >= 0x7f || byte == '\\')
			put(line, "\\x%02x", byte);
		else
			put(line, "%c", byte);
	}
}

// ---- numbers with units

static void put_scaled(struct line *line, double value, const char *const *units, unsigned count)
{
	unsigned unit = 0;

	for (; value >= 999.5 && unit + 1 < count; unit++)
		value /= 1000;
	put(line, value < 9.95 && unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static void put_bytes(struct line *line, uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };

	put_scaled(line, (double)bytes, units, sizeof(units) / sizeof(*units));
}

static void put_span(struct line *line, uint64_t ns)
{
	static const char *const units[] = { "ns", "us", "ms" };
	uint64_t s = ns / 1000000000u;

	if (ns < 999500000)
		put_scaled(line, (double)ns, units, sizeof(units) / sizeof(*units));
	else if (s < 60)
		put(line, s < 10 ? "%.1f s" : "%.0f s", (double)ns / 1e9);
	else if (s < 3600)
		put(line, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
	else
		put(line, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
}

// ---- when, what

static void put_time(struct line *line, uint64_t ns)
{
	time_t s = (time_t)(ns / 1000000000u);
	struct tm when;

	colour(line, "2");
	if (localtime_r(&s, &when))
		put(line, "%02d:%02d:%02d.%03u ", when.tm_hour, when.tm_min, when.tm_sec,
			(unsigned)(ns / 1000000 % 1000));
	colour(line, "0");
}

static const char *colour_of(const struct weir_event_type *type)
{
	static const struct {
		const char *name, *code;
	} known[] = {
		{ "flow.ended", "32" },
		{ "flow.started", "32" },
		{ "stream.closed", "36" },
		{ "tcp.established", "32" },
		{ "tcp.closed", "32" },
		{ "tcp.state_changed", "0" },
		{ "tcp.reset", "31" },
		{ "tcp.gap", "31" },
		{ "tcp.overlapped", "31" },
		{ "packet.malformed", "31" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(type->name, known[i].name))
			return known[i].code;
	return type->layer == WEIR_L7 ? "35" : "33";
}

static void put_event(struct line *line, const char *name, const char *code)
{
	unsigned from = line->shown;

	colour(line, code);
	put(line, "%s ", name);
	colour(line, "0");
	pad(line, from + WIDTH_OF_EVENT);
}

// ---- who to whom

struct ends {
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	uint16_t ports[2];
	uint8_t protocol;
	bool has_protocol;
};

static const struct weir_part *part_named(const struct scene *scene, const char *name)
{
	const struct weir_part *part = scene->record->payload_size ? scene->type->parts : NULL;

	for (; part && part->field; part++)
		if (!strcmp(part->field, name) && observation_has(part, scene->record->bytes))
			return part;
	return NULL;
}

static uint64_t number_at(const char *at, unsigned size)
{
	uint64_t number = 0;

	memcpy(&number, at, size < sizeof(number) ? size : sizeof(number));
	return number;
}

static uint64_t number_of(const struct scene *scene, const char *name)
{
	const struct weir_part *part = part_named(scene, name);

	return part ? number_at(scene->record->bytes + part->offset, part->size) : 0;
}

static bool address_of(const struct scene *scene, const char *name, char *text)
{
	const struct weir_part *part = part_named(scene, name);
	struct weir_addr addr;

	if (!part || part->size != sizeof(addr))
		return false;
	memcpy(&addr, scene->record->bytes + part->offset, sizeof(addr));
	observation_address(text, &addr);
	return true;
}

static bool ends_of_payload(const struct scene *scene, struct ends *ends)
{
	if (!address_of(scene, "ip.src", ends->from) && !address_of(scene, "ipv6.src", ends->from))
		return false;
	if (!address_of(scene, "ip.dst", ends->to) && !address_of(scene, "ipv6.dst", ends->to))
		return false;
	ends->ports[0] = (uint16_t)number_of(scene, "srcport");
	ends->ports[1] = (uint16_t)number_of(scene, "dstport");
	ends->has_protocol = part_named(scene, "ip.proto") || scene->record->has_flow;
	ends->protocol =
		part_named(scene, "ip.proto") ? (uint8_t)number_of(scene, "ip.proto") : scene->record->protocol;
	return true;
}

// What one direction does is told as its sender's.
static bool ends_of_flow(const struct scene *scene, struct ends *ends)
{
	const struct observation *record = scene->record;
	bool is_back = record->is_back &&
		(scene->type->per == WEIR_PER_DIRECTION || scene->type->per == WEIR_PER_STREAM);

	if (!record->has_flow)
		return false;
	observation_address(ends->from, &record->ends[is_back]);
	observation_address(ends->to, &record->ends[!is_back]);
	ends->ports[0] = record->ports[is_back];
	ends->ports[1] = record->ports[!is_back];
	ends->protocol = record->protocol;
	ends->has_protocol = true;
	return true;
}

// The value of a field of the packet; NULL: it has none.
static const char *value_named(const struct scene *scene, const char *name)
{
	for (unsigned i = 0; i < scene->observer->fields.count; i++)
		if (!strcmp(scene->observer->fields.at[i]->name, name))
			return scene->record->present >> i & 1 ? scene->values + i * FIELD_ROOM : NULL;
	return NULL;
}

static bool address_of_packet(
	const struct scene *scene, const char *ip4, const char *ip6, const char *ether, char *text)
{
	const char *value = value_named(scene, ip4);
	struct weir_addr addr;
	uint64_t number;

	if (value)
		addr = weir_addr4((uint32_t)number_at(value, 4));
	else if ((value = value_named(scene, ip6)))
		memcpy(&addr, value, sizeof(addr));
	else if ((value = value_named(scene, ether))) {
		number = number_at(value, 8);
		snprintf(text, INET6_ADDRSTRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", (unsigned)(number >> 40 & 255),
			(unsigned)(number >> 32 & 255), (unsigned)(number >> 24 & 255), (unsigned)(number >> 16 & 255),
			(unsigned)(number >> 8 & 255), (unsigned)(number & 255));
		return true;
	} else {
		return false;
	}
	observation_address(text, &addr);
	return true;
}

static bool ends_of_packet(const struct scene *scene, struct ends *ends)
{
	return address_of_packet(scene, "ip.src", "ipv6.src", "eth.src", ends->from) &&
		address_of_packet(scene, "ip.dst", "ipv6.dst", "eth.dst", ends->to);
}

static void put_end(struct line *line, const struct ends *ends, const char *address, uint16_t port)
{
	bool has_port = ends->has_protocol && observation_has_ports(ends->protocol);

	if (has_port && strchr(address, ':'))
		put(line, "[%s]:%u", address, port);
	else if (has_port)
		put(line, "%s:%u", address, port);
	else
		put(line, "%s", address);
}

static void put_protocol(struct line *line, const struct ends *ends)
{
	static const char *const names[256] = { [1] = "icmp", [2] = "igmp", [6] = "tcp", [17] = "udp", [47] = "gre",
		[50] = "esp", [58] = "icmpv6", [89] = "ospf", [132] = "sctp", [136] = "udplite" };

	if (!ends->has_protocol)
		return;
	if (names[ends->protocol])
		put(line, "%s ", names[ends->protocol]);
	else
		put(line, "protocol %u ", ends->protocol);
}

static void put_ends(struct line *line, const struct scene *scene)
{
	struct ends ends = { 0 };
	unsigned from = line->shown;

	if (!ends_of_payload(scene, &ends) && !ends_of_flow(scene, &ends) && !ends_of_packet(scene, &ends))
		return;
	put_end(line, &ends, ends.from, ends.ports[0]);
	put(line, " → ");
	line->shown -= 2; // the arrow is one column
	put_end(line, &ends, ends.to, ends.ports[1]);
	put(line, " ");
	put_protocol(line, &ends);
	pad(line, from + WIDTH_OF_ENDS);
	put(line, " ");
}

// ---- what matters

static struct weir_text text_named(const struct scene *scene, const char *name)
{
	const struct weir_part *part = part_named(scene, name);

	if (!part)
		return (struct weir_text){ "", 0 };
	return observation_text(scene->texts, scene->record->bytes + part->offset);
}

static void put_flow_end(struct line *line, const struct scene *scene)
{
	struct weir_text reason = text_named(scene, "flow.reason");
	bool is_fine = reason.length == 8 && !memcmp(reason.at, "finished", 8);

	put(line, "%" PRIu64 "/%" PRIu64 " packets ", number_of(scene, "flow.packets_out"),
		number_of(scene, "flow.packets_back"));
	put_bytes(line, number_of(scene, "flow.bytes_out"));
	put(line, "/");
	put_bytes(line, number_of(scene, "flow.bytes_back"));
	put(line, " ");
	put_span(line, number_of(scene, "flow.duration"));
	for (unsigned i = 0; i < 2; i++) {
		struct weir_text text = text_named(scene, i ? "tcp.history" : "tcp.conn_state");

		if (text.length)
			put(line, " ");
		put_text(line, text);
	}
	put(line, " ");
	colour(line, is_fine ? "32" : reason.length == 5 ? "31" : "33"); // "reset"
	put_text(line, reason);
	colour(line, "0");
}

static void put_stream_end(struct line *line, const struct scene *scene)
{
	struct weir_text hash = text_named(scene, "stream.sha256");
	uint64_t gaps = number_of(scene, "stream.gap_bytes");

	put_text(line, text_named(scene, "stream.direction"));
	put(line, " ");
	put_bytes(line, number_of(scene, "stream.bytes"));
	if (gaps) {
		put(line, ", ");
		put_bytes(line, gaps);
		put(line, " never seen");
	}
	if (hash.length)
		put(line, " sha256 ");
	put_text(line, hash);
}

static bool is_of_ends(const char *name)
{
	static const char *const names[] = { "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "eth.src", "eth.dst",
		"srcport", "dstport", "ip.proto" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

// "length" of "stream.length"
static const char *short_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? dot + 1 : name;
}

static bool counts_bytes(const char *name)
{
	const char *last = short_of(name);

	return strstr(last, "bytes") || !strcmp(last, "length") || !strcmp(last, "len");
}

static void put_number(struct line *line, const char *name, uint64_t number)
{
	put(line, "%s ", short_of(name));
	if (counts_bytes(name))
		put_bytes(line, number);
	else
		put(line, "%" PRIu64, number);
}

static void put_part(struct line *line, const struct weir_part *part, const struct scene *scene)
{
	const char *at = scene->record->bytes + part->offset;
	char address[INET6_ADDRSTRLEN];
	struct weir_addr addr;

	switch (part->type) {
	case WEIR_BOOL:
		put(line, "%s", short_of(part->field));
		return;
	case WEIR_IP:
		memcpy(&addr, at, sizeof(addr));
		observation_address(address, &addr);
		put(line, "%s %s", short_of(part->field), address);
		return;
	case WEIR_ETHER:
		put(line, "%s %02x:%02x:%02x:%02x:%02x:%02x", short_of(part->field), (uint8_t)at[0], (uint8_t)at[1],
			(uint8_t)at[2], (uint8_t)at[3], (uint8_t)at[4], (uint8_t)at[5]);
		return;
	case WEIR_TIME:
		put(line, "%s %.6f", short_of(part->field), (double)number_at(at, 8) / 1e9);
		return;
	case WEIR_SPAN:
		put(line, "%s ", short_of(part->field));
		put_span(line, number_at(at, 8));
		return;
	case WEIR_VIEW:
	case WEIR_STRING:
		put_text(line, observation_text(scene->texts, at));
		return;
	default:
		if (part->size <= 8)
			put_number(line, part->field, number_at(at, part->size));
	}
}

static void put_field(struct line *line, const struct plan_value *value, const char *at, const char *texts)
{
	struct weir_text text;

	switch (value->field->type) {
	case FIELD_PROTOCOL:
	case FIELD_BOOL:
		put(line, "%s%s ", *at ? "" : "no ", value->name);
		return;
	case FIELD_STRING:
		put_text(line, observation_text(texts, at));
		put(line, " ");
		return;
	case FIELD_BYTES:
		text = observation_text(texts, at);
		put(line, "%s ", short_of(value->name));
		for (uint32_t i = 0; i < text.length; i++)
			put(line, "%02x", (uint8_t)text.at[i]);
		put(line, " ");
		return;
	case FIELD_TIME:
		put(line, "%s ", short_of(value->name));
		if (value->kind == VALUE_OF_FLOW && value->field->compute == FLOW_DURATION)
			put_span(line, number_at(at, 8));
		else
			put(line, "%.6f", (double)number_at(at, 8) / 1e9);
		put(line, " ");
		return;
	default:
		put_number(line, value->name, number_at(at, value->size));
		put(line, " ");
	}
}

// What is false need not be said to people.
static bool is_said(const struct weir_part *part, const char *bytes)
{
	return observation_has(part, bytes) && (part->type != WEIR_BOOL || bytes[part->offset]);
}

// Of what happens to a flow only what is its own; and nothing twice.
static bool is_shown(const struct scene *scene, const struct plan_value *value)
{
	const struct weir_part *part = scene->record->payload_size ? scene->type->parts : NULL;

	if (is_of_ends(value->name) || (scene->record->has_flow && value->kind != VALUE_OF_FLOW))
		return false;
	for (; part && part->field; part++)
		if (!strcmp(part->field, value->name))
			return false;
	return true;
}

static void put_rest(struct line *line, const struct scene *scene)
{
	const struct weir_part *part = scene->record->payload_size ? scene->type->parts : NULL;

	for (; part && part->field; part++)
		if (!is_of_ends(part->field) && is_said(part, scene->record->bytes)) {
			put_part(line, part, scene);
			put(line, " ");
		}
	for (unsigned i = 0; i < scene->observer->fields.count; i++) {
		const struct plan_value *value = scene->observer->fields.at[i];

		if ((scene->record->present >> i & 1) && is_shown(scene, value))
			put_field(line, value, scene->values + i * FIELD_ROOM, scene->texts);
	}
}

// What is told of an aggregate: whose, how much, in what time.
static void put_aggregate(struct line *line, const struct scene *scene)
{
	uint64_t error = number_of(scene, "aggregate.error");

	if (part_named(scene, "aggregate.place"))
		put(line, "%" PRIu64 ". ", number_of(scene, "aggregate.place"));
	for (const struct weir_part *part = scene->type->parts; part->field; part++)
		if (strncmp(part->field, "aggregate.", 10) && observation_has(part, scene->record->bytes)) {
			put_part(line, part, scene);
			put(line, " ");
		}
	put(line, "%" PRIu64 " ", number_of(scene, "aggregate.value"));
	if (error)
		put(line, "(up to %" PRIu64 " off) ", error);
	put(line, "in ");
	put_span(line, number_of(scene, "aggregate.duration"));
}

// ---- the line

static void write_line(FILE *to, struct line *line)
{
	while (line->length && line->text[line->length - 1] == ' ')
		line->length--;
	fwrite(line->text, 1, line->length, to);
	fputs(line->is_coloured ? "\033[0m\n" : "\n", to);
}

void observe_line(FILE *to, const struct plan_observer *observer, const struct weir_event_type *type,
	const char *root, const struct observation *record, bool is_coloured)
{
	const struct scene scene = { observer, type, record, observation_values(record),
		observation_texts(record, observer->fields.count) };
	struct line line;

	line.length = line.shown = 0;
	line.is_coloured = is_coloured;
	put_time(&line, record->time_ns);
	put_event(&line, type->name, colour_of(type));
	put_ends(&line, &scene);
	if (!strcmp(root, "flow.ended"))
		put_flow_end(&line, &scene);
	else if (!strcmp(root, "stream.closed"))
		put_stream_end(&line, &scene);
	else if (part_named(&scene, "aggregate.value"))
		put_aggregate(&line, &scene);
	else
		put_rest(&line, &scene);
	write_line(to, &line);
}

void observe_line_lost(FILE *to, uint64_t count, bool is_coloured)
{
	struct line line;

	line.length = line.shown = 0;
	line.is_coloured = is_coloured;
	put(&line, "%13s", "");
	put_event(&line, "observer.lost", "31");
	put(&line, "%" PRIu64 " events came faster than they could be written", count);
	write_line(to, &line);
}
