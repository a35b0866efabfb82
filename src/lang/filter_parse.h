// SPDX-License-Identifier: Apache-2.0
// Text to filters: the language of Wireshark 4.0's display filters, but for host names, macros, references and
// layers that nobody decodes.
#ifndef LANG_FILTER_PARSE_H
#define LANG_FILTER_PARSE_H

#include "event/filter.h"
#include "lib/diag.h"

// The fields that a filter may name besides the platform's (field_find), which they may hide: those of modules, of the
// flow, and the parts of an event's payload. Fields must live as long as the filter.
struct filter_names {
	const struct field *(*find)(void *context, const char *name); // NULL: no such
	const char *(*at)(void *context, unsigned index);             // for suggestions; NULL behind the last
	void *context;
};

// `at` is where the text begins in its file, so that messages point into that file; it may have several lines. names
// may be NULL. NULL, with messages in diag, if it is wrong. An empty text holds for every packet.
struct filter *filter_parse(struct arena *arena, const char *text, size_t length, struct place at,
			    const struct filter_names *names, struct diag *diag);

#endif
