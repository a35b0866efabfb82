// SPDX-License-Identifier: Apache-2.0
// Print - writes packets to the log, a line each, for people who look for something. It stops after `limit` lines, for
// it is the one element that may be slow.
#include "basic.h"
#include "print_line.h"

struct print {
	const char *label;
	uint32_t maxlength;
	const char *contents;
	bool timestamp, active;
	uint64_t limit, printed;
	bool is_hex, is_ascii;
	weir_counter unprinted;
};

static int start(struct weir_start *start, void *at)
{
	struct print *self = at;

	self->is_hex = !strcmp(self->contents, "hex");
	self->is_ascii = !strcmp(self->contents, "ascii");
	if (self->is_hex || self->is_ascii || !strcmp(self->contents, "none"))
		return 0;
	return weir_refuse(start, -1, "contents: \"%s\" is none of hex, ascii, none", self->contents);
}

static void add_byte(struct line *line, const struct print *self, uint32_t at, uint8_t byte)
{
	if (self->is_hex)
		line_add(line, "%s%02x", at % 4 ? "" : " ", byte);
	else
		line_add(line, "%s%c", at % 8 ? "" : " ", byte >= ' ' && byte <= '~' ? byte : '.');
}

static void add_contents(struct line *line, const struct print *self, struct weir_vector *v, unsigned i)
{
	uint32_t end = v->length[i] < self->maxlength ? v->length[i] : self->maxlength;

	line_add(line, " |");
	for (uint32_t at = 0; at < end; at++) {
		const uint8_t *byte = weir_bytes(v, i, at, 1);

		if (byte)
			add_byte(line, self, at, *byte);
	}
}

static void print(struct weir_call *call, struct weir_vector *v, unsigned i)
{
	struct print *self = weir_self(call);
	struct line line;

	line.length = 0;
	line.text[0] = '\0';
	if (*self->label)
		line_add(&line, "%s: ", self->label);
	if (self->timestamp)
		line_add_time(&line, v->time_ns[i]);
	line_add(&line, "%4u", v->length[i]);
	if (self->is_hex || self->is_ascii)
		add_contents(&line, self, v, i);
	weir_log(call, "%s", line.text);
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct print *self = weir_self(call);

	out[0] = in;
	if (!self->active)
		return;
	weir_each (i, in) {
		if (!self->limit || self->printed < self->limit) {
			self->printed++;
			print(call, v, (unsigned)i);
		} else {
			weir_count(&self->unprinted);
		}
	}
}

WEIR_CLASS(Print, print,
	.about = "writes packets to the log, a line each",
	.by = WEIR_ANY,
	WEIR_MEMBERS(
		WEIR_SETTING(print, label, "", .about = "stands in front of each line"),
		WEIR_SETTING(print, maxlength, "24", .max = 1500, .about = "bytes shown at most"),
		WEIR_SETTING(print, contents, "hex", .about = "how they are shown: hex, ascii or none"),
		WEIR_SETTING(print, timestamp, "false", .about = "the packet's time in front"),
		WEIR_SETTING(print, active, "true", .live = true, .about = "false: passes on without printing"),
		WEIR_SETTING(print, limit, "1000", .about = "lines per worker; 0: no limit"),
		WEIR_COUNTS(print, unprinted, .about = "packets passed on after the limit was reached")),
	.start = start,
	.process = process);
