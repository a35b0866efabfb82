// SPDX-License-Identifier: Apache-2.0
// CheckIPHeader - lets sound IPv4 packets pass: header and lengths as the decoder checks them, checksum, a source that
// a host may have (RFC 1812 5.2.2, 5.3.7)
#include "ip.h"

struct checkipheader {
	WEIR_COLUMN(uint8_t) checksum; // 1: good
	WEIR_COLUMN(uint32_t) source;
	weir_counter not_ip, bad_checksum, bad_source;
};

enum { SOUND, BAD, GOOD_CHECKSUM = 1 };

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct checkipheader *self = weir_self(call);
	const uint8_t *checksum = weir_column(v, self->checksum);
	const uint32_t *source = weir_column(v, self->source);
	weir_mask ip = in & weir_has(v, self->source);
	weir_mask wrong = ip & weir_where (i, checksum[i] != GOOD_CHECKSUM);
	// 0.0.0.0, multicast, reserved, broadcast
	weir_mask foreign = ip & ~wrong & weir_where (i, source[i] - 1 >= 0xe0000000 - 1);

	weir_count_by(&self->not_ip, weir_size(in & ~ip));
	weir_count_by(&self->bad_checksum, weir_size(wrong));
	weir_count_by(&self->bad_source, weir_size(foreign));
	out[SOUND] = ip & ~wrong & ~foreign;
	out[BAD] = in & ~out[SOUND];
}

WEIR_CLASS(CheckIPHeader, checkipheader,
	.about = "lets sound IPv4 packets pass; the others leave by the second output",
	.by = WEIR_ANY,
	WEIR_MEMBERS(
		WEIR_READS(checkipheader, checksum, "ip.checksum.status"),
		WEIR_READS(checkipheader, source, "ip.src"),
		WEIR_COUNTS(checkipheader, not_ip, .about = "packets without a sound IPv4 header"),
		WEIR_COUNTS(checkipheader, bad_checksum, .about = "packets whose header checksum is wrong"),
		WEIR_COUNTS(checkipheader, bad_source, .about = "packets from 0.0.0.0, a group or a reserved address")),
	WEIR_OUTPUTS([SOUND] = "", [BAD] = "bad?"),
	.process = process);
