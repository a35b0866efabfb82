// SPDX-License-Identifier: Apache-2.0
// CheckIPHeader - lets sound IPv4 packets pass: header and lengths as the decoder checks them, checksum, a source that
// a host may have (RFC 1812 5.2.2, 5.3.7)
#include "ip.h"

struct checkipheader {
	WEIR_COLUMN(uint8_t) checksum; // 1: good
	WEIR_COLUMN(uint32_t) source;
	weir_counter not_ip, bad_checksum, bad_source;
};

enum { SOUND,
	BAD,
	GOOD_CHECKSUM = 1 };
#define FIRST_HOST 0x01000000u // below is "this network"
#define LOOPBACK 0x7f000000u
#define FIRST_GROUP 0xe0000000u // from here on groups, reserved addresses and broadcast

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct checkipheader *self = weir_self(call);
	const uint8_t *checksum = weir_column(v, self->checksum);
	const uint32_t *source = weir_column(v, self->source);
	weir_mask ip = in & weir_has(v, self->source);
	weir_mask wrong = ip & weir_where(i, checksum[i] != GOOD_CHECKSUM);
	weir_mask foreign = ip & ~wrong &
		weir_where(i,
			(source[i] - FIRST_HOST >= FIRST_GROUP - FIRST_HOST) |
				((source[i] & 0xff000000) == LOOPBACK));

	out[SOUND] = ip & ~wrong & ~foreign;
	out[BAD] = in & ~out[SOUND];
	if (!out[BAD])
		return;
	weir_count_by(&self->not_ip, weir_size(in & ~ip));
	weir_count_by(&self->bad_checksum, weir_size(wrong));
	weir_count_by(&self->bad_source, weir_size(foreign));
}

WEIR_CLASS(CheckIPHeader, checkipheader,
	.about = "lets sound IPv4 packets pass; the others leave by the second output",
	.by = WEIR_ANY,
	WEIR_MEMBERS(
		WEIR_READS(checkipheader, checksum, "ip.checksum.status"),
		WEIR_READS(checkipheader, source, "ip.src"),
		WEIR_COUNTS(checkipheader, not_ip, .about = "packets without a sound IPv4 header"),
		WEIR_COUNTS(checkipheader, bad_checksum, .about = "packets whose header checksum is wrong"),
		WEIR_COUNTS(checkipheader, bad_source,
			.about = "packets from 0/8, 127/8, a group or a reserved address")),
	WEIR_OUTPUTS([SOUND] = "", [BAD] = "bad?"),
	.process = process);
