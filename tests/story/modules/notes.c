// SPDX-License-Identifier: Apache-2.0
// Noter tells of every IPv4 packet, twice and with a payload; Reader says whether what it hears is of the packet that
// it has, wherever it stands. Alone is a Reader that exists once, on one worker.
#include <weir.h>

struct note {
	uint32_t source;
	uint8_t turn;
	struct weir_text header; // of the packet
	struct weir_text motto;  // of nobody's packet
};
WEIR_EVENT(note_taken, "note.taken", struct note, .layer = WEIR_L3, .per = WEIR_PER_PACKET,
	WEIR_PARTS(WEIR_PART(note, source, "note.source"), WEIR_PART(note, turn, "note.turn"),
		WEIR_PART(note, header, "note.header"), WEIR_PART(note, motto, "note.motto")));
WEIR_EVENT(note_seen, "note.seen", struct weir_no_payload, .layer = WEIR_L3, .per = WEIR_PER_PACKET);

struct noter {
	WEIR_COLUMN(uint32_t) source;
	WEIR_COLUMN(uint16_t) network;
	WEIR_SIGNAL(note_taken) taken;
	WEIR_SIGNAL(note_seen) seen;
};

enum { HEADER = 20 };

static void take(struct weir_call *call, struct weir_vector *v, unsigned slot, uint8_t turn)
{
	struct noter *self = weir_self(call);
	const uint8_t *at = weir_bytes(v, slot, weir_column(v, self->network)[slot], HEADER);
	struct weir_text header = { (const char *)at, at ? HEADER : 0 };

	weir_raise_at(call, slot, self->taken,
		&(struct note){ weir_column(v, self->source)[slot], turn, header, { "festina lente", 13 } });
}

static void note(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct noter *self = weir_self(call);
	weir_mask ip = in & weir_has(v, self->source);

	weir_each (i, ip) {
		take(call, v, (unsigned)i, 1);
		take(call, v, (unsigned)i, 2);
	}
	weir_raise_each (call, ip, self->seen)
		;
	out[0] = in;
}

struct reader {
	WEIR_COLUMN(uint32_t) source;
	WEIR_COLUMN(uint16_t) network;
	weir_counter taken, seen, wrong;
	uint8_t turn;
};

static bool is_header(struct weir_event *event, const struct weir_text *header)
{
	struct reader *self = weir_self(event);
	const uint8_t *at = weir_bytes(event->vector, event->slot, weir_value(event, self->network), HEADER);

	return at ? header->length == HEADER && !memcmp(at, header->at, HEADER) : !header->length;
}

static enum weir_verdict read_note(struct weir_event *event, const struct note *note)
{
	struct reader *self = weir_self(event);

	weir_count(&self->taken);
	if (note->source != weir_value(event, self->source) || note->turn != self->turn % 2 + 1 ||
		!is_header(event, &note->header) || note->motto.length != 13 ||
		memcmp(note->motto.at, "festina lente", 13))
		weir_count(&self->wrong);
	self->turn++;
	return WEIR_PASS;
}

static enum weir_verdict see(struct weir_event *event)
{
	weir_count(&((struct reader *)weir_self(event))->seen);
	return WEIR_PASS;
}

#define READER                                                                                             \
	WEIR_MEMBERS(WEIR_READS_IF(reader, source, "ip.src"), WEIR_READS_IF(reader, network, "weir.network"), \
		WEIR_COUNTS(reader, taken), WEIR_COUNTS(reader, seen), WEIR_COUNTS(reader, wrong)),         \
		WEIR_HANDLERS(WEIR_ON(note_taken, read_note), WEIR_ON(note_seen, see))

WEIR_CLASS(Noter, noter, .about = "tells of every IPv4 packet",
	WEIR_MEMBERS(WEIR_READS_IF(noter, source, "ip.src"), WEIR_READS_IF(noter, network, "weir.network"),
		WEIR_RAISES(noter, taken, note_taken), WEIR_RAISES(noter, seen, note_seen)),
	.process = note);
WEIR_CLASS(Reader, reader, .about = "compares what it hears with its packet", READER);
WEIR_CLASS(Alone, reader, .about = "a Reader that exists once", .by = WEIR_ONE, READER);

WEIR_MODULE("notes", "1.0.0", &Noter, &Reader, &Alone);
