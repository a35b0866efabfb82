// SPDX-License-Identifier: Apache-2.0
// The classes of this module, and what they share: texts that live as long as the pass in which they are told.
#ifndef SESSION_H
#define SESSION_H

#include <weir.h>

extern const struct weir_class HTTP, TLS, DNS;

// Elements behind hear of an event after this one has seen the whole vector, when its flow has gone on; so texts are
// copied here. Passes take turns with the halves: what is told of flows that end between two passes stands behind what
// the first one told.
enum { TEXTS = 128 << 10 };
struct texts {
	char bytes[2][TEXTS];
	uint32_t used, half;
	bool is_over; // the pass has been here: the next packet is of another one
};

static inline void texts_begin(struct texts *texts, const struct weir_event *event)
{
	if (!texts->is_over || (event && !event->vector))
		return;
	texts->is_over = false;
	texts->half ^= 1;
	texts->used = 0;
}

// A text that ends with the pass; none if there is no room.
static inline struct weir_text texts_keep(struct texts *texts, const char *at, uint32_t length, bool *is_truncated)
{
	char *room = texts->bytes[texts->half] + texts->used;

	if (TEXTS - texts->used < length) {
		*is_truncated = true;
		return (struct weir_text){ NULL, 0 };
	}
	memcpy(room, at, length);
	texts->used += length;
	return (struct weir_text){ room, length };
}

struct session_ends {
	struct weir_addr client, server;
	uint16_t client_port, server_port;
};

// Of the session, whoever opened the flow.
static inline struct session_ends session_ends(const struct weir_flow *flow, bool is_turned)
{
	struct session_ends ends = { weir_end_(flow, is_turned), weir_end_(flow, !is_turned), flow->client_port,
		flow->server_port };

	if (is_turned) {
		ends.client_port = flow->server_port;
		ends.server_port = flow->client_port;
	}
	return ends;
}

// Rows of what is half there, by flow and side.
struct session_key {
	const struct weir_flow *flow;
	uint64_t from_server;
};

#endif
