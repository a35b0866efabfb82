// SPDX-License-Identifier: Apache-2.0
// The classes of this module. Each is one handler or two on what the platform and the sessions tell.
#ifndef DETECT_H
#define DETECT_H

#include <weir.h>

extern const struct weir_class TlsNames, HttpHosts, SynGuard, RttMeter, ScanDetector, RateLimit, TopTalkers;

// Names as keys of tables: the end of one that is longer, for that says whose it is.
struct detect_name {
	char text[64];
};

static inline struct detect_name detect_name(const struct weir_text *text)
{
	uint32_t length = text->length < sizeof(struct detect_name)
		? text->length
		: (uint32_t)sizeof(struct detect_name);
	struct detect_name name = { { 0 } };

	memcpy(name.text, text->at + text->length - length, length);
	return name;
}

#endif
