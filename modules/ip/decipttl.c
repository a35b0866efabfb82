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
	const struct decipttl self = *(const struct decipttl *)weir_self(
		call); // a copy: what is written to packets cannot be it
	const uint8_t *ttl = weir_column(v, self.ttl);
	weir_mask ip = in & weir_has(v, self.ttl);
	weir_mask expired = ip & weir_where(i, ttl[i] <= 1);

	weir_each (i, ip & ~expired)
		weir_set(v, i, self.ttl, ttl[i] - 1); // byte, column and checksum
	out[ALIVE] = in & ~expired;
	out[EXPIRED] = expired;
}

WEIR_CLASS(DecIPTTL, decipttl,
	.about = "decrements the time to live",
	.by = WEIR_ANY,
	WEIR_MEMBERS(WEIR_CHANGES(decipttl, ttl, "ip.ttl")),
	WEIR_OUTPUTS([ALIVE] = "", [EXPIRED] = "expired?"),
	.process = process);
