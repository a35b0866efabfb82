// SPDX-License-Identifier: Apache-2.0
// One observed event: as it goes through a ring, and as JSON.
#ifndef ENGINE_OBSERVE_WRITE_H
#define ENGINE_OBSERVE_WRITE_H

#include "engine/generation.h"
#include "plan/platform.h"

enum { OBSERVATION_TEXT = 512, OBSERVATION_MOST = 8192, OBSERVATION_FIELDS = 64 };

// Behind it: the payload, then the fields' values (each 16 bytes), then texts that either points at, copied.
struct observation {
	uint64_t time_ns, present; // fields that the packet has
	uint16_t signal, element, payload_size, text_size;
	uint32_t number;
	char bytes[];
};

uint32_t observation_size(const struct plan_observer *observer, uint32_t payload);
void observation_fill(struct observation *record, const struct plan_observer *observer,
	const struct plan_signal *signal, const void *payload, unsigned slot, struct vector *vector,
	uint64_t now_ns);

struct observe_output;
// The same file opened twice is one. 0, or -errno with *why.
int observe_open(struct observe_output **output, const char *path, struct port_error *why);
void observe_close(struct observe_output **output);
void observe_flush(struct observe_output *output);
void observe_write(struct observe_output *output, const struct plan_observer *observer,
	const struct weir_signal *signals, const struct observation *record);
void observe_write_lost(struct observe_output *output, uint64_t count);

#endif
