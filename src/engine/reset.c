// SPDX-License-Identifier: Apache-2.0
// A handler ends a TCP connection: each end gets a reset that it believes to be of the other (RFC
// 9293, 3.5.2; RFC 5961, 3: its number must be exactly the one that is expected).
#include "engine/worker.h"

#include "packet/protocol.h"

#include <netinet/in.h>

enum { ETHER = 14, MOST_TAGS = 2, IP4 = 20, IP6 = 40, TCP = 20, LONGEST = ETHER + 4 * MOST_TAGS + IP6 + TCP };
enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

struct segment { // that the event rides on
	struct weir_vector *vector;
	unsigned slot;
	uint32_t network, transport; // where they begin
	bool is_ipv6;
	uint32_t seq, ack, length; // length: of what it takes in sequence space
	uint8_t flags;
};

static const uint8_t *bytes_at(const struct segment *segment, uint32_t offset, uint32_t length)
{
	return weir_bytes(segment->vector, segment->slot, offset, length);
}

static bool is_tag(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100;
}

static bool find_network(struct segment *segment)
{
	const uint8_t *type;

	segment->network = ETHER;
	while ((type = bytes_at(segment, segment->network - 2, 2)) && is_tag(weir_be16(type)) &&
		segment->network < ETHER + 4 * MOST_TAGS)
		segment->network += 4;
	segment->is_ipv6 = type && weir_be16(type) == 0x86dd;
	return type && (segment->is_ipv6 || weir_be16(type) == 0x0800);
}

// The end of its datagram; 0: it is no whole segment. Behind extension headers none is looked for.
static uint32_t find_transport(struct segment *segment)
{
	const uint8_t *ip = bytes_at(segment, segment->network, segment->is_ipv6 ? IP6 : IP4);

	if (!ip || ip[segment->is_ipv6 ? 6 : 9] != IPPROTO_TCP)
		return 0;
	segment->transport = segment->network + (segment->is_ipv6 ? IP6 : (ip[0] & 15) * 4u);
	if (segment->is_ipv6)
		return segment->transport + weir_be16(ip + 4);
	return weir_be16(ip + 6) & 0x3fff ? 0 : segment->network + weir_be16(ip + 2);
}

static bool read_segment(struct segment *segment)
{
	uint32_t end = find_network(segment) ? find_transport(segment) : 0, header;
	const uint8_t *tcp = end ? bytes_at(segment, segment->transport, TCP) : NULL;

	if (!tcp)
		return false;
	header = segment->transport + (tcp[12] >> 4) * 4u;
	segment->seq = weir_be32(tcp + 4);
	segment->ack = weir_be32(tcp + 8);
	segment->flags = tcp[13];
	segment->length = (end > header ? end - header : 0) + !!(tcp[13] & SYN) + !!(tcp[13] & FIN);
	return !(tcp[13] & RST);
}

// ---- the answer

struct answer {
	uint8_t bytes[LONGEST];
	uint32_t network, transport;
	bool is_turned; // to who sent the segment
};

static void copy_turned(uint8_t *to, const uint8_t *from, uint32_t size, bool is_turned)
{
	memcpy(to, from + (is_turned ? size : 0), size);
	memcpy(to + size, from + (is_turned ? 0 : size), size);
}

static void write_network(struct answer *answer, const struct segment *segment)
{
	const uint8_t *ip = bytes_at(segment, segment->network, segment->is_ipv6 ? IP6 : IP4);
	uint8_t *to = answer->bytes + answer->network;

	if (segment->is_ipv6) {
		memcpy(to, (const uint8_t[8]){ 0x60, 0, 0, 0, 0, TCP, IPPROTO_TCP, 64 }, 8);
		copy_turned(to + 8, ip + 8, 16, answer->is_turned);
		return;
	}
	memcpy(to, (const uint8_t[12]){ 0x45, 0, 0, IP4 + TCP, 0, 0, 0x40, 0, 64, IPPROTO_TCP }, 12);
	copy_turned(to + 12, ip + 12, 4, answer->is_turned);
	weir_put16(to + 10, __builtin_bswap16(weir_fold(weir_sum(to, IP4, 0))));
}

static void write_tcp(struct answer *answer, const struct segment *segment, uint32_t seq, uint32_t ack, uint8_t flags)
{
	const uint8_t *tcp = bytes_at(segment, segment->transport, TCP);
	const uint8_t *addresses = answer->bytes + answer->transport - (segment->is_ipv6 ? 32 : 8);
	uint8_t *to = answer->bytes + answer->transport;
	uint8_t pseudo[4] = { 0, IPPROTO_TCP, 0, TCP };
	uint32_t sum;

	memset(to, 0, TCP);
	copy_turned(to, tcp, 2, answer->is_turned);
	weir_put32(to + 4, seq);
	weir_put32(to + 8, ack);
	to[12] = TCP / 4 << 4;
	to[13] = flags;
	sum = weir_sum(addresses, segment->is_ipv6 ? 32 : 8, weir_sum(pseudo, sizeof(pseudo), 0));
	weir_put16(to + 16, __builtin_bswap16(weir_fold(weir_sum(to, TCP, sum))));
}

static struct answer begin_answer(const struct segment *segment, bool is_turned)
{
	struct answer answer = { .network = segment->network, .is_turned = is_turned };
	const uint8_t *link = bytes_at(segment, 0, segment->network);

	answer.transport = answer.network + (segment->is_ipv6 ? IP6 : IP4);
	memcpy(answer.bytes, link, segment->network);
	copy_turned(answer.bytes, link, 6, is_turned);
	write_network(&answer, segment);
	return answer;
}

static bool emit(struct weir_call *call, const struct answer *answer, unsigned output)
{
	return weir_emit(call, answer->bytes, answer->transport + TCP, output);
}

// To who sent it: what it expects is what it has confirmed.
static bool answer_back(struct weir_call *call, const struct segment *segment, unsigned output)
{
	struct answer answer = begin_answer(segment, true);

	write_tcp(&answer, segment, segment->flags & ACK ? segment->ack : 0, segment->seq + segment->length, RST | ACK);
	return emit(call, &answer, output);
}

// To whom it was for: in its place.
static bool answer_on(struct weir_call *call, const struct segment *segment, unsigned output)
{
	struct answer answer = begin_answer(segment, false);

	write_tcp(&answer, segment, segment->seq, segment->ack, RST | ACK);
	return emit(call, &answer, output);
}

static bool is_ethernet(const struct vector *vector, unsigned slot)
{
	return !(vector->odd >> slot & 1) || vector->link[slot] == PROTO_ETH;
}

bool weir_reset(struct weir_event *event, unsigned forward, unsigned back)
{
	struct segment segment = { .vector = event->vector, .slot = event->slot };
	bool is_first, is_told;

	if (!event->vector || !is_ethernet((const struct vector *)event->vector, event->slot) ||
		!read_segment(&segment))
		return false;
	is_first = segment.flags & SYN && !(segment.flags & ACK); // the other end knows nothing of it yet
	is_told = is_first || answer_on(event->call, &segment, forward);
	return answer_back(event->call, &segment, back) && is_told;
}
