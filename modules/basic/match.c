// SPDX-License-Identifier: Apache-2.0
// Match - divides packets by a display filter. The planner computes the filter, once for all who ask the same.
#include "basic.h"

struct match {
	WEIR_FILTER filter;
	weir_counter matched;
};

enum {
	MATCHING,
	OTHER,
};

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct match *self = weir_self(call);
	weir_mask matching = in & weir_matches(v, self->filter);

	weir_count_by(&self->matched, weir_size(matching));
	out[MATCHING] = matching;
	out[OTHER] = in & ~matching;
}

WEIR_CLASS(Match, match,
	.about = "divides packets by a display filter",
	.by = WEIR_ANY,
	WEIR_MEMBERS(
		WEIR_MATCHES(match, filter, WEIR_REQUIRED, .about = "a filter, as Wireshark's: tcp.dstport == 443"),
		WEIR_COUNTS(match, matched, .about = "packets that the filter holds for")),
	WEIR_OUTPUTS([MATCHING] = "", [OTHER] = "other?"),
	.process = process);
