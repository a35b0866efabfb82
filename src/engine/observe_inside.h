// SPDX-License-Identifier: Apache-2.0
// What the writers of observed events share.
#ifndef ENGINE_OBSERVE_INSIDE_H
#define ENGINE_OBSERVE_INSIDE_H

#include "engine/observe_write.h"

#include <netinet/in.h>
#include <stdio.h>

enum { FIELD_ROOM = 16 };
#define TEXT_ABSENT UINT64_MAX // in place of a text

// What is behind a record: the values of fields, then texts.
static inline const char *observation_values(const struct observation *record)
{
	return record->bytes + ((record->payload_size + 7u) & ~7u);
}
static inline const char *observation_texts(const struct observation *record, unsigned fields)
{
	return observation_values(record) + (size_t)fields * FIELD_ROOM;
}
// A part's or field's text, of the offset and length that stand for it.
static inline struct weir_text observation_text(const char *texts, const void *at)
{
	uint64_t kept;

	memcpy(&kept, at, sizeof(kept));
	return (struct weir_text){ texts + (kept >> 32), (uint32_t)kept };
}
bool observation_has(const struct weir_part *part, const char *payload);
bool observation_has_ports(uint8_t protocol);
// "10.0.0.1", "2001:db8::1"
void observation_address(char text[INET6_ADDRSTRLEN], const struct weir_addr *addr);

// Each writes one line, with its end.
void observe_json(FILE *to, const struct plan_observer *observer, const struct weir_event_type *type,
	const struct observation *record);
void observe_json_lost(FILE *to, uint64_t count);
// root: of what event it was derived, by name.
void observe_line(FILE *to, const struct plan_observer *observer, const struct weir_event_type *type,
	const char *root, const struct observation *record, bool is_coloured);
void observe_line_lost(FILE *to, uint64_t count, bool is_coloured);

// A folder with a file for each stream, a few of which are open at a time. 0, or -errno with *why.
struct observe_folder;
int observe_folder_open(struct observe_folder **folder, const char *path, struct port_error *why);
void observe_folder_close(struct observe_folder **folder);
// stream.data or stream.closed
void observe_stream(struct observe_folder *folder, struct observer_element *self, const struct weir_event_type *type,
	const struct observation *record);

#endif
