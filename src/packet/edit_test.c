// SPDX-License-Identifier: Apache-2.0
// Frames in every shape (one buffer, chains, shared) against an array of bytes that says what they
// must hold.
#include "packet/eal_for_tests.h"
#include "packet/edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LONGEST = 12000, BUFFERS = 1024 };

static struct rte_mempool *pool;
static struct vector *vector;
#define v (&vector->head)

static uint32_t chance(uint32_t below)
{
	static uint64_t state = 88172645463325252;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 20) % below;
}

static int start(void **state)
{
	if (eal_for_tests(state))
		return -1;
	pool = packet_pool_create("edit_test", BUFFERS, SOCKET_ID_ANY);
	vector = aligned_alloc(64, sizeof(*vector) + 4096);
	memset(vector, 0, sizeof(*vector) + 4096);
	return pool ? 0 : -1;
}

static int end(void **state)
{
	packet_pool_destroy(pool);
	free(vector);
	return eal_for_tests_end(state);
}

// ---- the model

struct frame {
	uint32_t length;
	uint8_t bytes[LONGEST];
};

// A packet of these bytes whose first buffer holds at least PACKET_STRAIGHT of them, cut at random
// in `pieces`.
static struct rte_mbuf *packet_with(const struct frame *frame, unsigned pieces)
{
	struct rte_mbuf *packet = packet_new(pool), *last = packet;
	uint32_t at = 0;

	assert_non_null(packet);
	while (true) {
		uint32_t left = frame->length - at, size = RTE_MIN(left, (uint32_t)PACKET_ROOM);

		if (pieces > 1 && size > PACKET_STRAIGHT && chance(2))
			size = PACKET_STRAIGHT + chance(size - PACKET_STRAIGHT);
		else if (at && pieces > 1 && size)
			size = 1 + chance(size);
		last->data_len = (uint16_t)size;
		memcpy(rte_pktmbuf_mtod(last, void *), frame->bytes + at, size);
		at += size;
		if (at == frame->length)
			break;
		last->next = rte_pktmbuf_alloc(pool);
		assert_non_null(last->next);
		last = last->next;
		packet->nb_segs++;
		pieces -= pieces > 1;
	}
	packet->pkt_len = at;
	packet_head(packet)->original = at + 10;
	packet_head(packet)->time_ns = 77;
	return packet;
}

static void fill(struct frame *frame, uint32_t length)
{
	frame->length = length;
	for (uint32_t i = 0; i < length; i++)
		frame->bytes[i] = (uint8_t)chance(256);
}

static void put_in(unsigned slot, struct rte_mbuf *packet)
{
	weir_mask bit = (weir_mask)1 << slot;

	v->packet[slot] = packet_of(packet);
	v->shared = packet_is_shared(packet) ? v->shared | bit : v->shared & ~bit;
	packet_view(vector, slot);
}

static void compare_packet(const struct rte_mbuf *packet, const struct frame *frame)
{
	const struct rte_mbuf *buffer = packet;
	uint32_t at = 0;
	unsigned buffers = 0;

	assert_int_equal(packet->pkt_len, frame->length);
	for (; buffer; buffer = buffer->next, buffers++) {
		assert_memory_equal(
			rte_pktmbuf_mtod(buffer, void *), frame->bytes + at, buffer->data_len);
		at += buffer->data_len;
		assert_true(buffer->data_off + buffer->data_len <= buffer->buf_len);
	}
	assert_int_equal(at, frame->length);
	assert_int_equal(buffers, packet->nb_segs);
}

static void compare(unsigned slot, const struct frame *frame)
{
	struct rte_mbuf *packet = packet_mbuf(v->packet[slot]);
	struct packet_head *head = packet_head(packet);

	compare_packet(packet, frame);
	assert_int_equal(v->length[slot], frame->length);
	assert_int_equal(v->straight[slot], packet->data_len);
	assert_ptr_equal(v->data[slot], rte_pktmbuf_mtod(packet, void *));
	assert_int_equal(vector->chained >> slot & 1, packet->next != NULL);
	assert_true(packet->data_len >= RTE_MIN(frame->length, (uint32_t)PACKET_STRAIGHT));
	if (!(v->shared >> slot & 1))
		assert_false(packet_is_shared(packet));
	assert_int_equal(head->time_ns, 77);
	assert_int_equal(head->original, frame->length + 10);
}

// ---- reading and editing

static void read_some(struct frame *frame)
{
	uint32_t offset = chance(frame->length + 20), length = chance(chance(3) ? 60 : 600);
	const uint8_t *bytes = weir_bytes(v, 3, offset, length);

	if (offset + length > frame->length)
		assert_null(bytes);
	else if (length <= PACKET_STRAIGHT)
		assert_non_null(bytes);
	if (bytes)
		assert_memory_equal(bytes, frame->bytes + offset, length);
}

static void edit_some(struct frame *frame)
{
	uint32_t offset = chance(frame->length + 20), length = chance(chance(3) ? 60 : 600);
	uint8_t *bytes = weir_edit(v, 3, offset, length);

	assert_int_equal(!!bytes, offset + length <= frame->length);
	for (uint32_t i = 0; bytes && i < length; i++) {
		assert_int_equal(bytes[i], frame->bytes[offset + i]);
		frame->bytes[offset + i] = bytes[i] = (uint8_t)chance(256);
	}
}

static void prepend_some(struct frame *frame)
{
	uint32_t length = chance(chance(3) ? 60 : 1500);
	uint8_t *bytes;

	if (frame->length + length > LONGEST)
		return;
	bytes = weir_prepend(v, 3, length);
	assert_non_null(bytes);
	memset(bytes, 0xa0, length);
	memmove(frame->bytes + length, frame->bytes, frame->length);
	memset(frame->bytes, 0xa0, length);
	frame->length += length;
}

static void append_some(struct frame *frame)
{
	uint32_t length = chance(chance(3) ? 60 : 1500);
	uint8_t *bytes;

	if (frame->length + length > LONGEST)
		return;
	bytes = weir_append(v, 3, length);
	assert_non_null(bytes);
	memset(bytes, 0xb0, length);
	memset(frame->bytes + frame->length, 0xb0, length);
	frame->length += length;
}

static void strip_some(struct frame *frame)
{
	uint32_t length = chance(chance(4) ? 60 : 3000);

	weir_strip(v, 3, length);
	length = RTE_MIN(length, frame->length);
	frame->length -= length;
	memmove(frame->bytes, frame->bytes + length, frame->length);
}

static void trim_some(struct frame *frame)
{
	uint32_t length = chance(chance(4) ? 60 : 3000);

	weir_trim(v, 3, length);
	frame->length -= RTE_MIN(length, frame->length);
}

typedef void action(struct frame *frame);

static void edits_as_the_model(void **state)
{
	static action *const actions[] = { read_some, read_some, edit_some, edit_some,
					   prepend_some, append_some, strip_some, trim_some };
	static struct frame frame, other;

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		struct rte_mbuf *clone = NULL;

		fill(&frame, chance(4) ? chance(200) : chance(9000));
		other = frame;
		put_in(3, packet_with(&frame, 1 + chance(4)));
		for (unsigned i = 0; i < 12; i++) {
			if (!clone && !chance(4)) {
				clone = packet_clone(packet_mbuf(v->packet[3]));
				assert_non_null(clone);
				other = frame;
				if (chance(2)) { // the clone may be the one that is edited
					struct rte_mbuf *own = packet_mbuf(v->packet[3]);

					put_in(3, clone);
					clone = own;
				}
				v->shared |= 8;
			}
			actions[chance(8)](&frame);
			compare(3, &frame);
			if (clone)
				compare_packet(clone, &other);
			if (clone && !chance(6)) { // v->shared may stay set: nobody tells
				packet_free(clone);
				clone = NULL;
			}
		}
		if (clone)
			packet_free(clone);
		packet_free(packet_mbuf(v->packet[3]));
		assert_int_equal(packet_pool_used(pool), 0);
	}
}

static void copies_are_their_own(void **state)
{
	static struct frame frame;

	(void)state;
	for (unsigned round = 0; round < 300; round++) {
		struct rte_mbuf *packet, *copy;

		fill(&frame, chance(9000));
		packet = packet_with(&frame, 1 + chance(4));
		copy = packet_copy(packet);
		compare_packet(copy, &frame);
		assert_false(packet_is_shared(copy));
		assert_int_equal(packet_head(copy)->time_ns, 77);
		packet_free_bulk((struct rte_mbuf *[]){ packet, copy }, 2);
		assert_int_equal(packet_pool_used(pool), 0);
	}
}

static void refuses_what_is_too_long(void **state)
{
	static struct frame frame;

	(void)state;
	fill(&frame, 100);
	put_in(3, packet_with(&frame, 1));
	assert_null(weir_prepend(v, 3, PACKET_LONGEST - 99));
	assert_null(weir_prepend(v, 3, UINT32_MAX));
	assert_null(weir_append(v, 3, PACKET_LONGEST - 99));
	assert_null(weir_append(v, 3, UINT32_MAX));
	assert_null(weir_append(v, 3, 5000)); // more than a buffer
	assert_null(weir_prepend(v, 3, 5000));
	assert_null(weir_edit(v, 3, 90, 11));
	assert_null(weir_edit(v, 3, UINT32_MAX, 11));
	assert_null(weir_bytes(v, 3, UINT32_MAX, UINT32_MAX));
	assert_non_null(weir_bytes(v, 3, 100, 0));
	compare(3, &frame);
	weir_strip(v, 3, UINT32_MAX);
	assert_int_equal(v->length[3], 0);
	weir_trim(v, 3, UINT32_MAX);
	assert_non_null(weir_append(v, 3, 5));
	packet_free(packet_mbuf(v->packet[3]));
	assert_int_equal(packet_pool_used(pool), 0);
}

// ---- without buffers

static struct weir_handle_ handle_of_byte(enum field_sum sum);

static void survives_an_empty_pool(void **state)
{
	static struct frame frame, two;
	struct rte_mbuf *taken[BUFFERS], *clone, *other;
	unsigned count = 0;

	(void)state;
	fill(&frame, 3000);
	frame.bytes[0] = 0x45;
	two = frame;
	put_in(3, packet_with(&frame, 3));
	clone = packet_clone(packet_mbuf(v->packet[3]));
	other = packet_with(&frame, 3);
	put_in(4, other);
	v->shared |= 8;
	while ((taken[count] = rte_pktmbuf_alloc(pool)))
		count++;
	assert_null(packet_new(pool));
	assert_null(packet_clone(clone));
	assert_null(packet_copy(clone));
	assert_null(weir_edit(v, 3, 0, 1));
	assert_null(weir_prepend(v, 3, 1));
	assert_null(weir_append(v, 3, 1));
	assert_null(weir_prepend(v, 4, 300)); // longer than the headroom
	assert_null(weir_append(v, 4, 2048));
	compare(3, &frame);
	assert_int_equal(packet_spoiled(), 0);
	weir_set_(v, 3, handle_of_byte(SUM_IP_HEADER), &(uint8_t){ 9 }, 1);
	assert_int_equal(packet_spoiled(), 8);
	assert_int_equal(packet_spoiled(), 0);
	compare(3, &frame);
	// less of it needs no buffer
	weir_strip(v, 3, 20);
	weir_trim(v, 3, 2000);
	assert_int_equal(v->length[3], 980);
	assert_memory_equal(v->data[3], frame.bytes + 20, PACKET_STRAIGHT - 20);
	compare_packet(clone, &two);
	for (unsigned i = 0; i < count; i++)
		rte_pktmbuf_free(taken[i]);
	packet_free(clone);
	packet_free(packet_mbuf(v->packet[3]));
	packet_free(packet_mbuf(v->packet[4]));
	assert_int_equal(packet_pool_used(pool), 0);
}

// ---- weir_set: after it every checksum must be what it is when computed anew

static uint32_t sum(const uint8_t *bytes, uint32_t length, uint32_t start)
{
	for (uint32_t i = 0; i < length; i++)
		start += (uint32_t)bytes[i] << (i % 2 ? 0 : 8);
	return start;
}

static uint16_t folded(uint32_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)~total;
}

struct shape {
	const char *name;
	bool is_ip6, is_later_fragment, has_no_check;
	uint8_t protocol, extensions; // of IPv6: kinds as bits; of IPv4: words of options
};

enum { HOP_BY_HOP = 1, ROUTING = 2, FRAGMENT = 4, AH = 8 };

static uint32_t add_extension(uint8_t *at, uint8_t **next, uint8_t kind, const struct shape *shape)
{
	**next = kind;
	*next = at;
	if (kind == 51) {
		at[1] = 4;
		return 24;
	}
	at[1] = kind == 0;
	if (kind == 43)
		at[3] = 0;
	if (kind == 44)
		weir_put16(at + 2, shape->is_later_fragment ? 0x0100 : 0x0001);
	return kind == 0 ? 16 : 8;
}

static uint32_t headers6(uint8_t *ip, const struct shape *shape)
{
	static const uint8_t kinds[] = { 0, 43, 44, 51 };
	uint8_t *next = ip + 6;
	uint32_t at = 40;

	ip[0] = 0x60;
	for (unsigned i = 0; i < 4; i++)
		if (shape->extensions >> i & 1)
			at += add_extension(ip + at, &next, kinds[i], shape);
	*next = shape->protocol;
	return at;
}

static uint32_t headers4(uint8_t *ip, const struct shape *shape)
{
	ip[0] = (uint8_t)(0x45 + shape->extensions);
	ip[9] = shape->protocol;
	weir_put16(ip + 6, shape->is_later_fragment ? 0x0010 : 0x2000);
	return 20u + shape->extensions * 4u;
}

static uint32_t check_at(const struct shape *shape)
{
	return shape->protocol == 6 ? 16 : shape->protocol == 58 ? 2 : 6;
}

static uint16_t transport_check(
	const uint8_t *ip, uint32_t header, uint32_t total, const struct shape *shape)
{
	uint32_t start = sum(ip + (shape->is_ip6 ? 8 : 12), shape->is_ip6 ? 32 : 8, 0);
	uint16_t check =
		folded(sum(ip + header, total - header, start + shape->protocol + total - header));

	return !check && shape->protocol == 17 ? 0xffff : check;
}

// A frame with an IP packet at `place`; returns where its transport header is in it.
static uint32_t build(
	struct frame *frame, uint32_t place, uint32_t total, const struct shape *shape)
{
	uint8_t *ip = frame->bytes + place;
	uint32_t header;

	fill(frame, place + total + chance(20)); // padding
	header = shape->is_ip6 ? headers6(ip, shape) : headers4(ip, shape);
	weir_put16(ip + (shape->is_ip6 ? 4 : 2), (uint16_t)(shape->is_ip6 ? total - 40 : total));
	if (!shape->is_ip6) {
		weir_put16(ip + 10, 0);
		weir_put16(ip + 10, folded(sum(ip, header, 0)));
	}
	if (shape->is_later_fragment)
		return header;
	weir_put16(ip + header + check_at(shape), 0);
	if (!shape->has_no_check)
		weir_put16(
			ip + header + check_at(shape), transport_check(ip, header, total, shape));
	return header;
}

static void verify(const struct frame *before, const struct frame *after, uint32_t place,
	uint32_t header, uint32_t total, const struct shape *shape)
{
	static struct frame zeroed;
	const uint8_t *ip = after->bytes + place;
	uint32_t at = place + header + check_at(shape);

	if (!shape->is_ip6)
		assert_int_equal(folded(sum(ip, header, 0)), 0);
	if (shape->is_later_fragment) {
		assert_memory_equal(ip + header, before->bytes + place + header, total - header);
		return;
	}
	zeroed = *after;
	weir_put16(zeroed.bytes + at, 0);
	assert_int_equal(weir_be16(after->bytes + at),
		shape->has_no_check ? 0
				    : transport_check(zeroed.bytes + place, header, total, shape));
}

static const struct shape shapes[] = {
	{ "ip tcp", .protocol = 6 },
	{ "ip udp", .protocol = 17 },
	{ "ip udp without checksum", .protocol = 17, .has_no_check = true },
	{ "ip with options", .protocol = 6, .extensions = 5 },
	{ "ip later fragment", .protocol = 17, .is_later_fragment = true },
	{ "ipv6 tcp", .is_ip6 = true, .protocol = 6 },
	{ "ipv6 udp", .is_ip6 = true, .protocol = 17 },
	{ "ipv6 icmpv6", .is_ip6 = true, .protocol = 58 },
	{ "ipv6 extensions", .is_ip6 = true, .protocol = 6,
		.extensions = HOP_BY_HOP | ROUTING | AH },
	{ "ipv6 fragment", .is_ip6 = true, .protocol = 17, .extensions = FRAGMENT | HOP_BY_HOP },
	{ "ipv6 later fragment", .is_ip6 = true, .protocol = 17, .extensions = FRAGMENT,
		.is_later_fragment = true },
};

static const struct field fields4[] = {
	{ "ip.ttl", .type = FIELD_UINT, .protocol = PROTO_IP, .size = 1, .offset = 8, .width = 1,
		.sum = SUM_IP_HEADER },
	{ "ip.proto2", .type = FIELD_UINT, .protocol = PROTO_IP, .size = 1, .offset = 1, .width = 1,
		.sum = SUM_IP_HEADER },
	{ "ip.dsfield.dscp", .type = FIELD_UINT, .protocol = PROTO_IP, .size = 1, .offset = 1,
		.width = 1, .shift = 2, .sum = SUM_IP_HEADER, .mask = 0x3f },
	{ "ip.id", .type = FIELD_UINT, .protocol = PROTO_IP, .size = 2, .offset = 4, .width = 2,
		.sum = SUM_IP_HEADER },
	{ "ip.src", .type = FIELD_IPV4, .protocol = PROTO_IP, .size = 4, .offset = 12, .width = 4,
		.sum = SUM_PSEUDO },
	{ "ip.dst", .type = FIELD_IPV4, .protocol = PROTO_IP, .size = 4, .offset = 16, .width = 4,
		.sum = SUM_PSEUDO },
};
static const struct field fields6[] = {
	{ "ipv6.hlim", .type = FIELD_UINT, .protocol = PROTO_IPV6, .size = 1, .offset = 7,
		.width = 1 },
	{ "ipv6.flow", .type = FIELD_UINT, .protocol = PROTO_IPV6, .size = 4, .offset = 0,
		.width = 4, .mask = 0xfffff },
	{ "ipv6.src", .type = FIELD_IPV6, .protocol = PROTO_IPV6, .size = 16, .offset = 8,
		.width = 16, .sum = SUM_PSEUDO },
	{ "ipv6.dst", .type = FIELD_IPV6, .protocol = PROTO_IPV6, .size = 16, .offset = 24,
		.width = 16, .sum = SUM_PSEUDO },
};
static const struct field fields_transport[] = {
	{ "tcp.srcport", .type = FIELD_UINT, .protocol = PROTO_TCP, .size = 2, .offset = 0,
		.width = 2, .sum = SUM_TRANSPORT },
	{ "tcp.seq", .type = FIELD_UINT, .protocol = PROTO_TCP, .size = 4, .offset = 4, .width = 4,
		.sum = SUM_TRANSPORT },
	{ "tcp.flags", .type = FIELD_UINT, .protocol = PROTO_TCP, .size = 1, .offset = 13,
		.width = 1, .sum = SUM_TRANSPORT },
	{ "udp.dstport", .type = FIELD_UINT, .protocol = PROTO_UDP, .size = 2, .offset = 2,
		.width = 2, .sum = SUM_TRANSPORT },
};

enum { COLUMN = 0, HAS = 1600, BASE = 1664 };

static struct weir_handle_ handle_for(const struct field *field)
{
	struct field own = *field;
	uint32_t values = (uint32_t)offsetof(struct vector, values);

	own.is_writable = true;
	return packet_handle(&own, values + COLUMN, values + HAS, values + BASE);
}

static struct weir_handle_ handle_of_byte(enum field_sum which)
{
	return handle_for(which == SUM_IP_HEADER ? &fields4[0] : &fields6[0]);
}

// As bits of the frame the value must be there, and nothing else may have changed but checksums.
static void set_field(const struct field *field, struct frame *frame, uint32_t header)
{
	struct weir_handle_ handle = handle_for(field);
	uint16_t *base = (uint16_t *)((char *)v + handle.base);
	uint64_t bits = field->mask ? field->mask
				    : UINT64_MAX >> (64 - 8 * RTE_MIN(field->width, (uint8_t)8));
	uint8_t value[16], *at = frame->bytes + header + field->offset;
	uint64_t number = 0, old = 0;

	for (unsigned i = 0; i < 16; i++)
		value[i] = (uint8_t)(chance(3) ? chance(256) : chance(2) * 255);
	base[3] = (uint16_t)header;
	weir_set_(v, 3, handle, value, field->size);
	if (field->size == 16) {
		memcpy(at, value, 16);
		return;
	}
	memcpy(&number, value, field->size);
	for (unsigned i = 0; i < field->width; i++)
		old = old << 8 | at[i];
	old = (old & ~(bits << field->shift)) | (number & bits) << field->shift;
	for (unsigned i = field->width; i-- > 0; old >>= 8)
		at[i] = (uint8_t)old;
}

static void check_set(const struct field *field, const struct shape *shape, bool is_transport)
{
	static struct frame frame, before, after;
	uint32_t place = chance(2) ? 14 : chance(60), total = 60 + 100 + chance(1200), header, at;
	struct rte_mbuf *clone = NULL;

	header = build(&frame, place, total, shape);
	before = frame;
	put_in(3, packet_with(&frame, 1 + chance(3)));
	if (!chance(3)) {
		clone = packet_clone(packet_mbuf(v->packet[3]));
		v->shared |= 8;
	}
	set_field(field, &frame, is_transport ? place + header : place);
	after.length = v->length[3];
	assert_ptr_equal(rte_pktmbuf_read(packet_mbuf(v->packet[3]), 0, 0, NULL), v->data[3]);
	for (uint32_t i = 0; i < after.length; i += 100)
		memcpy(after.bytes + i, weir_bytes(v, 3, i, RTE_MIN(100u, after.length - i)),
			RTE_MIN(100u, after.length - i));
	verify(&before, &after, place, header, total, shape);
	// but for the checksums it is the frame that was expected
	at = place + header + check_at(shape);
	memcpy(frame.bytes + at, after.bytes + at, 2);
	if (!shape->is_ip6)
		memcpy(frame.bytes + place + 10, after.bytes + place + 10, 2);
	assert_memory_equal(frame.bytes, after.bytes, after.length);
	if (clone) {
		compare_packet(clone, &before);
		packet_free(clone);
	}
	packet_free(packet_mbuf(v->packet[3]));
	assert_int_equal(packet_pool_used(pool), 0);
}

static void sets_keep_checksums(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 300; round++)
		for (unsigned i = 0; i < RTE_DIM(shapes); i++) {
			const struct shape *shape = &shapes[i];

			if (shape->is_ip6)
				check_set(&fields6[chance(RTE_DIM(fields6))], shape, false);
			else
				check_set(&fields4[chance(RTE_DIM(fields4))], shape, false);
			if (!shape->is_later_fragment && shape->protocol == 6)
				check_set(&fields_transport[chance(3)], shape, true);
			if (!shape->is_later_fragment && shape->protocol == 17)
				check_set(&fields_transport[3], shape, true);
		}
}

// UDP: a sum of zero is written as ffff.
static void udp_sum_is_never_zero(void **state)
{
	static struct frame frame;
	unsigned seen = 0;

	(void)state;
	for (unsigned port = 0; port < 65536; port += 1) {
		uint32_t header = build(&frame, 14, 60, &shapes[1]);
		uint16_t value = (uint16_t)port, check;

		// the one port that makes the sum come out as zero
		weir_put16(frame.bytes + 14 + header + 6, 0);
		weir_put16(frame.bytes + 14 + header + 2, 0);
		value = transport_check(frame.bytes + 14, header, 60, &shapes[1]);
		weir_put16(frame.bytes + 14 + header + 2, (uint16_t)port);
		weir_put16(frame.bytes + 14 + header + 6,
			transport_check(frame.bytes + 14, header, 60, &shapes[1]));
		put_in(3, packet_with(&frame, 1));
		((uint16_t *)((char *)v + handle_for(&fields_transport[3]).base))[3] =
			(uint16_t)(14 + header);
		weir_set_(v, 3, handle_for(&fields_transport[3]), &value, 2);
		check = weir_be16(v->data[3] + 14 + header + 6);
		assert_int_not_equal(check, 0);
		seen += check == 0xffff;
		packet_free(packet_mbuf(v->packet[3]));
		port += 97;
	}
	assert_int_not_equal(seen, 0);
}

static void paint_around(const struct rte_mbuf *packet)
{
	uint8_t *end = rte_pktmbuf_mtod_offset(packet, uint8_t *, packet->data_len);

	memset(packet->buf_addr, 0xee, rte_pktmbuf_headroom(packet));
	memset(end, 0xee, rte_pktmbuf_tailroom(packet));
}

static void check_around(const struct rte_mbuf *packet)
{
	const uint8_t *begin = packet->buf_addr, *data = rte_pktmbuf_mtod(packet, uint8_t *);

	for (const uint8_t *at = begin; at < begin + packet->buf_len; at++)
		assert_true((at >= data && at < data + packet->data_len) || *at == 0xee);
}

// Random bytes as headers, cut anywhere: nothing outside of the frame changes.
static void set_of_nonsense_is_harmless(void **state)
{
	static struct frame frame;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		const struct field *field = chance(2) ? &fields4[chance(RTE_DIM(fields4))]
						      : &fields6[chance(RTE_DIM(fields6))];
		struct weir_handle_ handle = handle_for(field);
		uint8_t value[16] = { 0 };

		fill(&frame, 1 + chance(120));
		frame.bytes[0] = chance(2) ? 0x45 : 0x60;
		frame.bytes[RTE_MIN(6u, frame.length - 1)] =
			(uint8_t)(chance(2) ? 0 : 43 + chance(20));
		put_in(3, packet_with(&frame, 1));
		((uint16_t *)((char *)v + handle.base))[3] = (uint16_t)chance(8) * 8;
		paint_around(packet_mbuf(v->packet[3]));
		weir_set_(v, 3, handle, value, field->size);
		assert_int_equal(v->length[3], frame.length);
		check_around(packet_mbuf(v->packet[3]));
		packet_free(packet_mbuf(v->packet[3]));
	}
	assert_int_equal(packet_pool_used(pool), 0);
}

static void handles_say_what_can_be_set(void **state)
{
	struct field sctp = { "sctp.srcport", .protocol = PROTO_SCTP, .size = 2, .width = 2,
		.sum = SUM_TRANSPORT, .is_writable = true };
	uint8_t value = 1;

	(void)state;
	assert_false(packet_can_set(&sctp));
	assert_int_equal(packet_handle(&sctp, 8, 16, 24).width, 0);
	assert_int_equal(packet_handle(&sctp, 8, 16, 24).at, 8);
	weir_set_(v, 3, packet_handle(&sctp, 8, 16, 24), &value, 1); // in no header: nothing
	assert_int_equal(handle_for(&fields4[0]).sum, WEIR_SUM_IP_BYTE_);
	assert_int_equal(handle_for(&fields4[2]).sum, WEIR_SUM_IP_HEADER_);
	assert_int_equal(handle_for(&fields4[2]).bits, 6);
	assert_int_equal(handle_for(&fields6[0]).sum, WEIR_SUM_BYTE_);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edits_as_the_model),
		cmocka_unit_test(copies_are_their_own),
		cmocka_unit_test(refuses_what_is_too_long),
		cmocka_unit_test(survives_an_empty_pool),
		cmocka_unit_test(sets_keep_checksums),
		cmocka_unit_test(udp_sum_is_never_zero),
		cmocka_unit_test(set_of_nonsense_is_harmless),
		cmocka_unit_test(handles_say_what_can_be_set),
	};
	return cmocka_run_group_tests_name("edit", tests, start, end);
}
