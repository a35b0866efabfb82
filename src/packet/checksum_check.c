// SPDX-License-Identifier: Apache-2.0
// Are the checksums of packets right? Over chains too; only where the whole of what they cover is there.
#include "packet/checksum.h"

#include "packet/locate.h"
#include "packet/packet.h"

enum { ETHERNET = 14,
	IP_SIZE = 20,
	IPV6_SIZE = 40 };

struct covered { // what a transport checksum covers
	const uint8_t *network,
		*last_stop; // last_stop: the destination while a routing header is not used up; NULL: none
	uint32_t from, to;
	bool is_whole;
};

// ---- bytes that may lie in several buffers

struct reader {
	uint32_t sum, crc;
	bool is_odd; // the next byte is the second of its word
};

static void take(struct reader *reader, const uint8_t *bytes, uint32_t length, bool is_crc)
{
	if (is_crc) {
		reader->crc = checksum_crc32c(bytes, length, reader->crc);
		return;
	}
	if (reader->is_odd && length) {
		reader->sum = weir_sum((const uint8_t[]){ 0, *bytes }, 2, reader->sum);
		bytes++, length--;
		reader->is_odd = false;
	}
	reader->sum = weir_sum(bytes, length, reader->sum);
	reader->is_odd = length & 1;
}

static void read_chain(
	struct reader *reader, const struct rte_mbuf *mbuf, uint32_t from, uint32_t to, bool is_crc)
{
	for (uint32_t at = 0; mbuf && at < to; at += mbuf->data_len, mbuf = mbuf->next) {
		uint32_t first = from > at ? from - at : 0,
			 last = to - at < mbuf->data_len ? to - at : mbuf->data_len;

		if (first < last)
			take(reader, rte_pktmbuf_mtod_offset(mbuf, const uint8_t *, first), last - first,
				is_crc);
	}
}

static void read_packet(struct reader *reader, const struct vector *vector, unsigned slot, uint32_t from,
	uint32_t to, bool is_crc)
{
	if (to <= vector->head.straight[slot])
		take(reader, vector->head.data[slot] + from, to - from, is_crc);
	else if (vector->head.packet[slot])
		read_chain(reader, packet_mbuf(vector->head.packet[slot]), from, to, is_crc);
}

// ---- what is covered

// The common case without a walk: Ethernet, then IPv4 without options or IPv6 without extensions.
static bool cover_plain(const struct vector *vector, unsigned slot, uint32_t base, struct covered *covered)
{
	const uint8_t *data = vector->head.data[slot];
	uint32_t length = vector->head.length[slot], to;

	if (vector->odd >> slot & 1)
		return false;
	if (base == ETHERNET + IP_SIZE && weir_be16(data + 12) == 0x0800 && data[14] == 0x45)
		to = weir_be16(data + 20) & 0x3fff ? 0 : ETHERNET + weir_be16(data + 16);
	else if (base == ETHERNET + IPV6_SIZE && weir_be16(data + 12) == 0x86dd && data[14] >> 4 == 6)
		to = base + weir_be16(data + 18);
	else
		return false;
	*covered = (struct covered){ data + ETHERNET, NULL, base, to, true };
	return to > base && to <= length;
}

enum { ROUTE_SOURCE = 0,
	ROUTE_MOBILE = 2,
	ROUTE_SEGMENTS = 4 };

static const uint8_t *last_stop(const uint8_t *routing)
{
	unsigned addresses = routing[1] / 2u;

	if (!routing[3] || !addresses)
		return NULL;
	switch (routing[2]) {
	case ROUTE_SOURCE: return routing + 8 + 16 * (addresses - 1);
	case ROUTE_MOBILE:
	case ROUTE_SEGMENTS: return routing + 8;
	default: return NULL;
	}
}

// Is the packet there to the end that its network header tells, and no fragment?
static bool is_whole(const struct found *network, const uint8_t *header)
{
	uint32_t length =
		network->protocol == PROTO_IP ? weir_be16(header + 2) : IPV6_SIZE + weir_be16(header + 4);

	if (network->end != network->wire_end)
		return false;
	if (network->protocol == PROTO_IP && weir_be16(header + 6) & 0x3fff)
		return false;
	return network->base + length == network->end || !length || length == IPV6_SIZE; // or a jumbogram
}

static void cover_network(struct covered *covered, const struct found *found, const uint8_t *header)
{
	if (found->protocol == PROTO_IP || found->protocol == PROTO_IPV6)
		*covered = (struct covered){ .network = header, .is_whole = is_whole(found, header) };
	else if (found->protocol == PROTO_IPV6_FRAGMENT && weir_be16(header + 2) & 0xfff9)
		covered->is_whole = false;
	else if (found->protocol == PROTO_ROUTING)
		covered->last_stop = last_stop(header);
}

static void cover(const struct vector *vector, unsigned slot, enum protocol protocol, uint32_t base,
	struct covered *covered)
{
	struct walk walk;

	walk.is_ip_enough = walk.is_ipv6_enough = false;
	walk_slot(&walk, vector, slot);
	*covered = (struct covered){ 0 };
	for (const struct found *found = walk.found; found < walk.found + walk.count; found++) {
		if (found->protocol == protocol && found->base == base) {
			covered->from = base;
			covered->to = found->end;
			return;
		}
		cover_network(covered, found, walk.data + found->base);
	}
	covered->is_whole = false;
}

// ---- verdicts

static bool is_unfinished(const struct vector *vector, unsigned slot)
{
	struct weir_packet *packet = vector->head.packet[slot];

	return packet && packet_head(packet_mbuf(packet))->unfinished & PACKET_L4;
}

static enum checksum_status check_sctp(
	const struct vector *vector, unsigned slot, const struct covered *covered)
{
	static const uint8_t zero[4];
	struct reader reader = { 0 };
	uint32_t stored;

	memcpy(&stored, vector->head.data[slot] + covered->from + 8, sizeof(stored));
	read_packet(&reader, vector, slot, covered->from, covered->from + 8, true);
	take(&reader, zero, sizeof(zero), true);
	read_packet(&reader, vector, slot, covered->from + 12, covered->to, true);
	return reader.crc == stored ? CHECKSUM_GOOD : CHECKSUM_BAD;
}

static uint32_t pseudo(const struct covered *covered, uint8_t number)
{
	uint8_t header[IPV6_SIZE];

	if (!covered->last_stop)
		return checksum_pseudo(covered->network, number, covered->to - covered->from);
	memcpy(header, covered->network, sizeof(header));
	memcpy(header + 24, covered->last_stop, 16);
	return checksum_pseudo(header, number, covered->to - covered->from);
}

// With the stored checksum taken in, everything sums up to ffff, which folds to 0.
static enum checksum_status check_sum(
	const struct vector *vector, unsigned slot, const struct covered *covered, uint8_t number)
{
	bool is_alone = number == 1 || number == 2;
	struct reader reader = { .sum = !is_alone && covered->network ? pseudo(covered, number) : 0 };

	read_packet(&reader, vector, slot, covered->from, covered->to, false);
	return weir_fold(reader.sum) ? CHECKSUM_BAD : CHECKSUM_GOOD;
}

enum checksum_status checksum_check(
	const struct vector *vector, unsigned slot, enum protocol protocol, uint32_t base)
{
	static const uint8_t numbers[PROTOCOLS] = { [PROTO_ICMP] = 1,
		[PROTO_IGMP] = 2,
		[PROTO_TCP] = 6,
		[PROTO_UDP] = 17,
		[PROTO_ICMPV6] = 58,
		[PROTO_SCTP] = 132 };
	const uint8_t *header = vector->head.data[slot] + base;
	struct covered covered;

	if (protocol == PROTO_UDP && !header[6] && !header[7])
		return CHECKSUM_ABSENT;
	if (!cover_plain(vector, slot, base, &covered))
		cover(vector, slot, protocol, base, &covered);
	if (!covered.is_whole || !covered.network || is_unfinished(vector, slot))
		return CHECKSUM_UNVERIFIED;
	if (protocol == PROTO_UDP && weir_be16(header + 4) >= 8 && weir_be16(header + 4) < covered.to - base)
		covered.to = base + weir_be16(header + 4);
	return protocol == PROTO_SCTP ? check_sctp(vector, slot, &covered)
				      : check_sum(vector, slot, &covered, numbers[protocol]);
}
