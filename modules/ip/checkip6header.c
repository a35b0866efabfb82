// SPDX-License-Identifier: Apache-2.0
// CheckIP6Header - lets sound IPv6 packets pass: header and lengths as the decoder checks them, a
// source that is neither a group nor the loopback address (RFC 4291 2.5.3, 2.7)
#include "ip.h"

struct checkip6header {
	WEIR_COLUMN(struct weir_addr) source;
	weir_counter not_ip6, bad_source;
};

enum { SOUND,
	BAD,
	GROUP = 0xff };

static bool is_loopback(const struct weir_addr *addr)
{
	static const struct weir_addr loopback = { { [15] = 1 } };

	return !memcmp(addr, &loopback, sizeof(loopback));
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct checkip6header *self = weir_self(call);
	const struct weir_addr *source = weir_column(v, self->source);
	weir_mask ip = in & weir_has(v, self->source), foreign = 0;

	weir_each (i, ip)
		foreign |= (weir_mask)(source[i].bytes[0] == GROUP || is_loopback(&source[i])) << i;
	out[SOUND] = ip & ~foreign;
	out[BAD] = in & ~out[SOUND];
	if (!out[BAD])
		return;
	weir_count_by(&self->not_ip6, weir_size(in & ~ip));
	weir_count_by(&self->bad_source, weir_size(foreign));
}

WEIR_CLASS(CheckIP6Header, checkip6header,
	.about = "lets sound IPv6 packets pass; the others leave by the second output",
	.by = WEIR_ANY,
	WEIR_MEMBERS(
		WEIR_READS(checkip6header, source, "ipv6.src"),
		WEIR_COUNTS(checkip6header, not_ip6, .about = "packets without a sound IPv6 header"),
		WEIR_COUNTS(checkip6header, bad_source, .about = "packets from a group or from ::1")),
	WEIR_OUTPUTS([SOUND] = "", [BAD] = "bad?"),
	.process = process);
