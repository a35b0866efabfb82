// SPDX-License-Identifier: Apache-2.0
// DecIPTTL - decrements the time to live; what has expired leaves by the second output
#include "ip.h"

struct decipttl {
	WEIR_COLUMN(uint8_t) ttl;
};

enum { ALIVE,
	EXPIRED };

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct decipttl *self = weir_self(call);
	const uint8_t *ttl = weir_column(v, self->ttl);
	weir_mask ip = in & weir_has(v, self->ttl);
	weir_mask expired = ip & weir_where(i, ttl[i] <= 1);

	weir_set_each (v, ip & ~expired, i, self->ttl, ttl[i] - 1)
		; // byte, column and checksum
	out[ALIVE] = in & ~expired;
	out[EXPIRED] = expired;
}

WEIR_CLASS(DecIPTTL, decipttl,
	.about = "decrements the time to live",
	.by = WEIR_ANY,
	WEIR_MEMBERS(WEIR_CHANGES(decipttl, ttl, "ip.ttl")),
	WEIR_OUTPUTS([ALIVE] = "", [EXPIRED] = "expired?"),
	.process = process);
