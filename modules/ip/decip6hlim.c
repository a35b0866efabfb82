// SPDX-License-Identifier: Apache-2.0
// DecIP6HLIM - decrements the hop limit; what has expired leaves by the second output
#include "ip.h"

struct decip6hlim {
	WEIR_COLUMN(uint8_t) hlim;
};

enum { ALIVE,
	EXPIRED };

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct decip6hlim *self = weir_self(call);
	const uint8_t *hlim = weir_column(v, self->hlim);
	weir_mask ip = in & weir_has(v, self->hlim);
	weir_mask expired = ip & weir_where(i, hlim[i] <= 1);

	weir_set_each (v, ip & ~expired, i, self->hlim, hlim[i] - 1)
		; // byte and column
	out[ALIVE] = in & ~expired;
	out[EXPIRED] = expired;
}

WEIR_CLASS(DecIP6HLIM, decip6hlim,
	.about = "decrements the hop limit",
	.by = WEIR_ANY,
	WEIR_MEMBERS(WEIR_CHANGES(decip6hlim, hlim, "ipv6.hlim")),
	WEIR_OUTPUTS([ALIVE] = "", [EXPIRED] = "expired?"),
	.process = process);
