// SPDX-License-Identifier: Apache-2.0
// IPFragmenter - cuts IPv4 packets that are longer than the next network takes (RFC 791 3.2); what may not be cut, and
// IPv6, leaves by the second output
#include "ip.h"

struct ipfragmenter {
	uint32_t mtu;
	WEIR_COLUMN(uint8_t) flags;
	WEIR_COLUMN(uint16_t) network, length; // length by the header; 0: of a segmentation-offload packet
	WEIR_COLUMN(uint16_t) length6;
	weir_counter fragments, fragmented, no_buffer;
};

enum { SHORT, TOO_LONG, DONT = 0x4000, MORE = 0x2000, OFFSET = 0x1fff, LONGEST_FRAME = 9216, LONGEST_HEADER = 60, PIECE = 512 };

// Options that are copied into every fragment have the highest bit of their type set (RFC 791 3.1).
static unsigned copied_options(const uint8_t *from, unsigned length, uint8_t *to)
{
	unsigned written = 0;

	for (unsigned at = 0; at < length && from[at];) {
		unsigned size = from[at] == 1 ? 1 : at + 1 < length ? from[at + 1] : 0;

		if (!size || (from[at] != 1 && size < 2) || at + size > length)
			break;
		if (from[at] & 0x80) {
			memcpy(to + written, from + at, size);
			written += size;
		}
		at += size;
	}
	while (written % 4)
		to[written++] = 0;
	return written;
}

static bool copy(struct weir_vector *v, unsigned slot, uint32_t from, uint32_t length, uint8_t *to)
{
	for (uint32_t done = 0, part; done < length; done += part) {
		const uint8_t *bytes;

		part = length - done < PIECE ? length - done : PIECE;
		bytes = weir_bytes(v, slot, from + done, part);
		if (!bytes)
			return false;
		memcpy(to + done, bytes, part);
	}
	return true;
}

static void finish_header(uint8_t *ip, unsigned header, uint32_t payload, uint32_t offset, bool more, uint16_t flags)
{
	uint16_t check;

	ip[0] = (uint8_t)(0x40 | header / 4);
	weir_put16(ip + 2, (uint16_t)(header + payload));
	weir_put16(ip + 6, (uint16_t)((flags & ~(MORE | OFFSET)) | (more || (flags & MORE) ? MORE : 0) | ((flags & OFFSET) + offset / 8)));
	memset(ip + 10, 0, 2);
	check = weir_fold(weir_sum(ip, header, 0));
	memcpy(ip + 10, &check, 2);
}

static bool cut(struct weir_call *call, struct weir_vector *v, unsigned slot, uint16_t network, uint32_t length)
{
	struct ipfragmenter *self = weir_self(call);
	uint8_t frame[LONGEST_FRAME], *ip = frame + network;
	uint32_t payload, header, step;
	uint16_t flags;

	if (network + self->mtu > LONGEST_FRAME || network > 256 || !copy(v, slot, 0, network + 20u, frame))
		return false;
	header = (ip[0] & 15u) * 4;
	flags = weir_be16(ip + 6);
	payload = length - header;
	if (header > 20 && !copy(v, slot, network + 20u, header - 20, ip + 20))
		return false;
	for (uint32_t offset = 0, first = header, size; offset < payload; offset += size) {
		step = (self->mtu - header) & ~7u;
		size = payload - offset < step ? payload - offset : step;
		if (!copy(v, slot, network + first + offset, size, ip + header))
			return false;
		finish_header(ip, header, size, offset, offset + size < payload, flags);
		if (!weir_emit(call, frame, network + header + size, SHORT))
			return false;
		weir_count(&self->fragments);
		if (!offset && header > 20) {
			uint8_t options[40];
			unsigned kept = copied_options(ip + 20, header - 20, options);

			memcpy(ip + 20, options, kept);
			header = 20 + kept;
		}
	}
	return true;
}

// Of a packet that will be cut into segments: how long each will be.
static uint32_t longest(struct weir_vector *v, unsigned slot, uint16_t network, uint32_t length, uint32_t header)
{
	uint16_t segment = weir_segment(v, slot);
	const uint8_t *tcp = segment ? weir_bytes(v, slot, network + header, 20) : NULL;

	return !segment ? length : header + segment + (tcp ? (tcp[12] >> 4) * 4u : 0);
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct ipfragmenter *self = weir_self(call);
	const uint16_t *network = weir_column(v, self->network), *length = weir_column(v, self->length);
	const uint16_t *length6 = weir_column(v, self->length6);
	const uint8_t *flags = weir_column(v, self->flags);
	weir_mask ip = in & weir_has(v, self->length), ip6 = in & ~ip & weir_has(v, self->length6), cuts = 0, fails = 0;
	weir_mask large = ip & weir_where (i, length[i] > self->mtu || !length[i]);

	large |= ip6 & weir_where (i, length6[i] + 40u > self->mtu || !length6[i]);
	weir_each (i, large) {
		weir_mask bit = (weir_mask)1 << i;
		bool is_ip6 = ip6 & bit;
		uint32_t header = is_ip6 ? 40 : 20, size = is_ip6 ? length6[i] + 40u : length[i];

		if (!(is_ip6 ? length6[i] : length[i]))
			size = v->length[i] - network[i];
		if (longest(v, (unsigned)i, network[i], size, header) <= self->mtu)
			continue;
		if (is_ip6 || (flags[i] & 2))
			out[TOO_LONG] |= bit;
		else if (cut(call, v, (unsigned)i, network[i], size))
			cuts |= bit;
		else
			fails |= bit;
	}
	weir_consume(call, cuts, &self->fragmented);
	weir_drop(call, fails, &self->no_buffer);
	out[SHORT] = in & ~out[TOO_LONG] & ~cuts & ~fails;
}

static const uint64_t paths[] = { 1 << SHORT | 1 << TOO_LONG };

WEIR_CLASS(IPFragmenter, ipfragmenter,
	.about = "cuts IPv4 packets that are longer than the next network takes; what may not be cut leaves by the second output",
	.by = WEIR_ANY,
	.holds = true,
	.paths = paths,
	WEIR_MEMBERS(
		WEIR_SETTING(ipfragmenter, mtu, "1500", .min = 68, .max = 9000, .about = "bytes behind the Ethernet header"),
		WEIR_READS(ipfragmenter, network, "weir.network"),
		WEIR_READS(ipfragmenter, length, "ip.len"),
		WEIR_READS(ipfragmenter, flags, "ip.flags"),
		WEIR_READS(ipfragmenter, length6, "ipv6.plen"),
		WEIR_COUNTS(ipfragmenter, fragments, .about = "fragments made"),
		WEIR_COUNTS(ipfragmenter, fragmented, .about = "packets cut"),
		WEIR_DROPS(ipfragmenter, no_buffer, .about = "packets for whose fragments there was no buffer")),
	WEIR_OUTPUTS([SHORT] = "", [TOO_LONG] = "too_long?"),
	.process = process);
