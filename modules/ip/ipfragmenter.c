// SPDX-License-Identifier: Apache-2.0
// IPFragmenter - cuts IPv4 packets that are longer than the next network takes (RFC 791 3.2); what may not be
// cut, and IPv6, leaves by the second output
#include "ip.h"
#include "icmp.h"

struct ipfragmenter {
	uint32_t mtu;
	WEIR_FLAG ethernet;
	WEIR_COLUMN(uint16_t) network, length, length6; // lengths by the headers; 0: longer than that can tell
	weir_counter fragments, fragmented, impossible, no_buffer;
};

enum { SHORT,
	TOO_LONG };
enum { DONT = 0x4000,
	MORE = 0x2000,
	OFFSET = 0x1fff,
	IP_HEADER = 20,
	IP6_HEADER = 40,
	TCP = 6,
	UDP = 17 };
enum { LONGEST_HEADER = 60,
	LONGEST_MTU = 9000,
	LONGEST_PACKET = 65535 };

// ---- the packet that is cut

struct whole {
	struct weir_vector *v;
	unsigned slot;
	uint32_t at; // where its payload begins in the frame
	uint8_t link[ICMP_MOST_LINK], ip[LONGEST_HEADER];
	uint32_t link_size, header, payload;
	uint16_t flags; // with its own offset, for it may be a fragment
	uint16_t sum_at; // of a checksum that is to be corrected, in the payload; 0: none
	uint16_t sum;
};

static bool read_whole(struct whole *whole, uint32_t network, uint32_t length, bool is_ethernet)
{
	const uint8_t *frame = weir_bytes(whole->v, whole->slot, 0, network + IP_HEADER);

	whole->link_size = frame ? icmp_link(whole->link, frame, network, is_ethernet, 0x0800) : 0;
	if (!whole->link_size)
		return false;
	if (is_ethernet)
		memcpy(whole->link, frame, 12); // not exchanged
	whole->header = (frame[network] & 15u) * 4;
	whole->flags = weir_be16(frame + network + 6);
	whole->at = network + whole->header;
	whole->payload = length - whole->header;
	return whole->at + whole->payload <= whole->v->length[whole->slot] &&
		(whole->flags & OFFSET) * 8u + whole->payload + whole->header <= LONGEST_PACKET &&
		icmp_copy(whole->v, whole->slot, network, whole->header, whole->ip);
}

// A virtual interface leaves a checksum that a card should finish: in its place stands the sum over the pseudo
// header. A fragment leaves without that card's help.
static void finish_checksum(struct whole *whole)
{
	uint8_t piece[512], pseudo[12] = { [9] = whole->ip[9] };
	uint16_t at = whole->ip[9] == UDP ? 6 : 16, field, unfinished;
	uint32_t sum = 0;

	if ((whole->ip[9] != UDP && whole->ip[9] != TCP) || whole->flags & (MORE | OFFSET) ||
		!icmp_copy(whole->v, whole->slot, whole->at + at, 2, (uint8_t *)&field))
		return;
	memcpy(pseudo, whole->ip + 12, 8);
	weir_put16(pseudo + 10, (uint16_t)whole->payload);
	unfinished = (uint16_t)~weir_fold(weir_sum(pseudo, sizeof(pseudo), 0));
	if (field != unfinished)
		return;
	for (uint32_t done = 0, part; done < whole->payload; done += part) {
		part = whole->payload - done < sizeof(piece) ? whole->payload - done : (uint32_t)sizeof(piece);
		icmp_copy(whole->v, whole->slot, whole->at + done, part, piece);
		sum = weir_sum(piece, part, sum);
	}
	whole->sum = weir_fold(sum);
	if (!whole->sum) // it was finished after all
		return;
	whole->sum_at = at;
}

// ---- its fragments

// Options that are copied into every fragment have the highest bit of their type set (RFC 791 3.1).
static unsigned copied_options(uint8_t *options, unsigned length)
{
	uint8_t from[LONGEST_HEADER - IP_HEADER];
	unsigned written = 0;

	memcpy(from, options, length);
	for (unsigned at = 0; at < length && from[at];) {
		unsigned size = from[at] == 1 ? 1 : at + 1 < length ? from[at + 1]
								    : 0;

		if (!size || (from[at] != 1 && size < 2) || at + size > length)
			break;
		if (from[at] & 0x80) {
			memcpy(options + written, from + at, size);
			written += size;
		}
		at += size;
	}
	while (written % 4)
		options[written++] = 0;
	return written;
}

static void write_header(uint8_t *ip, const struct whole *whole, uint32_t offset, uint32_t size)
{
	bool is_last = offset + size == whole->payload && !(whole->flags & MORE);
	uint16_t check, flags = whole->flags & (uint16_t) ~(MORE | OFFSET);

	memcpy(ip, whole->ip, whole->header);
	ip[0] = (uint8_t)(0x40 | whole->header / 4);
	weir_put16(ip + 2, (uint16_t)(whole->header + size));
	weir_put16(ip + 6, (uint16_t)(flags | (is_last ? 0 : MORE) | ((whole->flags & OFFSET) + offset / 8)));
	memset(ip + 10, 0, 2);
	check = weir_fold(weir_sum(ip, whole->header, 0));
	memcpy(ip + 10, &check, 2);
}

static bool emit(struct weir_call *call, const struct whole *whole, uint32_t offset, uint32_t size)
{
	struct ipfragmenter *self = weir_self(call);
	uint8_t frame[ICMP_MOST_LINK + LONGEST_MTU], *ip = frame + whole->link_size, *payload = ip + whole->header;

	memcpy(frame, whole->link, whole->link_size);
	write_header(ip, whole, offset, size);
	icmp_copy(whole->v, whole->slot, whole->at + offset, size, payload);
	for (unsigned i = 0; whole->sum_at && i < 2;
		i++) // fragments begin at multiples of 8, the field may be in the second
		if (whole->sum_at + i >= offset && whole->sum_at + i < offset + size)
			payload[whole->sum_at + i - offset] = ((const uint8_t *)&whole->sum)[i];
	if (!weir_emit(call, frame, whole->link_size + whole->header + size, SHORT))
		return false;
	weir_count(&self->fragments);
	return true;
}

static bool cut(struct weir_call *call, struct whole *whole)
{
	const struct ipfragmenter *self = weir_self(call);

	for (uint32_t offset = 0, size; offset < whole->payload; offset += size) {
		size = (self->mtu - whole->header) & ~7u;
		if (size > whole->payload - offset)
			size = whole->payload - offset;
		if (!emit(call, whole, offset, size))
			return false;
		if (!offset)
			whole->header = IP_HEADER + copied_options(whole->ip + IP_HEADER, whole->header - IP_HEADER);
	}
	return true;
}

// ---- packets

// Of a packet that will be cut into segments: how long each will be.
static uint32_t longest(struct weir_vector *v, unsigned slot, uint32_t network, uint32_t length)
{
	uint16_t segment = weir_segment(v, slot);
	const uint8_t *ip = segment ? weir_bytes(v, slot, network, IP6_HEADER) : NULL;
	uint32_t header = ip && ip[0] >> 4 == 4 ? (ip[0] & 15u) * 4 : IP6_HEADER;
	const uint8_t *tcp = ip ? weir_bytes(v, slot, network + header, 20) : NULL;

	if (!tcp)
		return length;
	return header + segment +
		(ip[header == IP6_HEADER && ip[0] >> 4 == 6 ? 6 : 9] == UDP ? 8
									    : (tcp[12] >> 4) * 4u);
}

enum fate { FITS,
	MAY_NOT,
	CUT,
	CANNOT,
	NO_BUFFER };

static enum fate decide(struct weir_call *call, unsigned slot, bool is_ethernet)
{
	const struct ipfragmenter *self = weir_self(call);
	struct weir_vector *v = call->vector;
	uint32_t network = weir_column(v, self->network)[slot], length;
	const uint8_t *ip = weir_bytes(v, slot, network, IP_HEADER);
	struct whole whole = { .v = v, .slot = slot };
	bool is_ip6 = ip && ip[0] >> 4 == 6;

	if (!ip)
		return FITS;
	length = weir_be16(ip + (is_ip6 ? 4 : 2));
	if (!length)
		length = v->length[slot] - network;
	else if (is_ip6)
		length += IP6_HEADER;
	if (longest(v, slot, network, length) <= self->mtu)
		return FITS;
	if (is_ip6 || weir_be16(ip + 6) & DONT || weir_segment(v, slot)) // segments are not there yet to be cut
		return MAY_NOT;
	if (!read_whole(&whole, network, length, is_ethernet))
		return CANNOT;
	finish_checksum(&whole);
	return cut(call, &whole) ? CUT : NO_BUFFER;
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct ipfragmenter *self = weir_self(call);
	const uint16_t *length = weir_column(v, self->length), *length6 = weir_column(v, self->length6);
	weir_mask large = in & weir_has(v, self->length) & weir_where(i, length[i] > self->mtu || !length[i]);
	weir_mask ethernet = weir_has(v, self->ethernet), fates[NO_BUFFER + 1] = { 0 };

	large |= in & weir_has(v, self->length6) &
		weir_where(i, length6[i] + IP6_HEADER > (int)self->mtu || !length6[i]);
	weir_each (i, large)
		fates[decide(call, (unsigned)i, ethernet >> i & 1)] |= (weir_mask)1 << i;
	weir_consume(call, fates[CUT], &self->fragmented);
	weir_drop(call, fates[CANNOT], &self->impossible);
	weir_drop(call, fates[NO_BUFFER], &self->no_buffer);
	out[TOO_LONG] = fates[MAY_NOT];
	out[SHORT] = (in & ~large) | fates[FITS];
}

static const uint64_t paths[] = { 1 << SHORT | 1 << TOO_LONG };

WEIR_CLASS(IPFragmenter, ipfragmenter,
	.about =
		"cuts IPv4 packets that are longer than the next network takes; what may not be cut "
		"leaves by the second output",
	.by = WEIR_ANY, .holds = true, .paths = paths,
	WEIR_MEMBERS(WEIR_SETTING(ipfragmenter, mtu, "1500", .min = 68, .max = LONGEST_MTU,
			     .about = "bytes behind the Ethernet header"),
		WEIR_READS_IF(ipfragmenter, ethernet, "eth"), WEIR_READS(ipfragmenter, network, "weir.network"),
		WEIR_READS(ipfragmenter, length, "ip.len"), WEIR_READS(ipfragmenter, length6, "ipv6.plen"),
		WEIR_COUNTS(ipfragmenter, fragments, .about = "fragments made"),
		WEIR_COUNTS(ipfragmenter, fragmented, .about = "packets cut"),
		WEIR_DROPS(ipfragmenter, impossible,
			.about = "packets that are not all there, or end beyond 65535 bytes"),
		WEIR_DROPS(
			ipfragmenter, no_buffer, .about = "packets for whose fragments there was no buffer")),
	WEIR_OUTPUTS([SHORT] = "", [TOO_LONG] = "too_long?"), .process = process);
