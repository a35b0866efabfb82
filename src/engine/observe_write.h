// SPDX-License-Identifier: Apache-2.0
// One observed event: as it goes through a ring, as JSON, and as a line for people.
#ifndef ENGINE_OBSERVE_WRITE_H
#define ENGINE_OBSERVE_WRITE_H

#include "engine/generation.h"
#include "plan/platform.h"

// STREAM: of a stream's bytes that go on to a file, a piece
enum { OBSERVATION_TEXT = 512, OBSERVATION_STREAM = 2048, OBSERVATION_MOST = 8192, OBSERVATION_FIELDS = 64 };

// Behind it: the payload, then the fields' values (each 16 bytes), then texts that either points at, copied.
struct observation {
	uint64_t time_ns, present; // fields that the packet has
	uint16_t signal, element, payload_size, text_size;
	uint64_t start_ns;        // of its flow
	struct weir_addr ends[2]; // client, server
	uint16_t ports[2], vlan;  // vlan 0: it is not told apart by one
	uint8_t protocol;
	bool has_flow, is_back; // is_back: it is of the server's side
	char bytes[];
};

uint32_t observation_size(const struct plan_observer *observer, uint32_t payload, uint32_t text_room);

// An event where it is raised.
struct observed {
	const struct plan_signal *signal;
	const void *payload; // NULL: it has none
	struct vector *vector; // NULL: it rides on no packet
	unsigned slot;
	uint64_t now_ns; // of those that ride on none
	const struct weir_flow *flow; // NULL: it is of none
	uint32_t text_room;           // for all that it points at
	bool is_back;
};
void observation_fill(struct observation *record, const struct plan_observer *observer, const struct observed *seen);

struct observe_output;
enum observe_format { OBSERVE_JSON, OBSERVE_LINES, OBSERVE_COLOUR, OBSERVE_STREAMS, OBSERVE_FORMATS };
int observe_format_find(const char *name); // -1: there is no such
// The same file (of OBSERVE_STREAMS: folder) opened twice is one. 0, or -errno with *why.
int observe_open(struct observe_output **output, const char *path, enum observe_format format, struct port_error *why);
void observe_close(struct observe_output **output);
void observe_flush(struct observe_output *output);
// self: where it counts
void observe_write(struct observe_output *output, enum observe_format format, const struct plan_observer *observer,
	struct observer_element *self, const struct weir_signal *signals, const struct observation *record);
void observe_write_lost(struct observe_output *output, enum observe_format format, uint64_t count);

#endif
