// SPDX-License-Identifier: Apache-2.0
// weir_set: the bytes of a field in its header, and every checksum that covers them, mended by what
// changed (RFC 1624). All of it works on what is there: a header that is cut, a fragment without
// the transport header or a UDP packet without a checksum is left as it is.
#include "packet/edit.h"

enum { IP_CHECK = 10, EXTENSIONS = 16 };

static _Thread_local weir_mask spoiled;

weir_mask packet_spoiled(void)
{
	weir_mask mask = spoiled;

	spoiled = 0;
	return mask;
}

// ---- checksums

// What a checksum must take in when words change: the sum of 16-bit words after, less that before.
static uint32_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

// of up to 16 bytes at `offset` of what is summed: an odd place is the second byte of its word
static uint32_t sum_of(const uint8_t *bytes, unsigned offset, unsigned width)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < width; i++)
		sum += (uint32_t)bytes[i] << ((offset + i) % 2 * 8);
	return sum;
}

// `is_udp`: 0 means that there is none, and a sum of 0 is written as ffff.
static void mend(uint8_t *at, uint32_t change, bool is_udp)
{
	uint16_t check;

	memcpy(&check, at, sizeof(check));
	if (is_udp && !check)
		return;
	check = (uint16_t)~fold((uint16_t)~check + change);
	if (is_udp && !check)
		check = 0xffff;
	memcpy(at, &check, sizeof(check));
}

// ---- the transport header whose checksum covers addresses

struct transport {
	uint32_t place, end; // end of the IP packet by its own length
	uint8_t protocol;
	bool is_there;
};

static struct transport transport_ip(const uint8_t *ip, uint32_t place, uint32_t left)
{
	uint32_t total = weir_be16(ip + 2);

	return (struct transport){
		.place = place + (ip[0] & 15u) * 4,
		.end = place + (total ? total : left), // 0: segmentation is left to the hardware
		.protocol = ip[9],
		.is_there = !(weir_be16(ip + 6) & 0x1fff),
	};
}

enum { IPV6_ROUTING = 43, IPV6_FRAGMENT = 44, IPV6_AH = 51 };

static bool is_extension(uint8_t protocol)
{
	static const bool is[256] = { [0] = true,
		[IPV6_ROUTING] = true,
		[IPV6_FRAGMENT] = true,
		[IPV6_AH] = true,
		[60] = true,
		[135] = true,
		[139] = true,
		[140] = true };
	return is[protocol];
}

// `is_target`: it is the destination that changes. While a routing header is not used up, the
// checksum covers the last stop instead.
static struct transport transport_ipv6(
	struct weir_vector *v, unsigned slot, uint32_t place, bool is_target)
{
	const uint8_t *ip = v->data[slot] + place, *header;
	uint32_t payload = weir_be16(ip + 4);
	struct transport it = { place + 40, place + 40 + payload, ip[6], true };

	if (!payload)
		it.end = v->length[slot];
	for (unsigned i = 0; is_extension(it.protocol); i++) {
		header = weir_bytes(v, slot, it.place, 8);
		if (!header || i == EXTENSIONS)
			return (struct transport){ 0 };
		if (it.protocol == IPV6_FRAGMENT && (weir_be16(header + 2) & 0xfff8))
			return (struct transport){ 0 };
		if (it.protocol == IPV6_ROUTING && header[3] && is_target)
			return (struct transport){ 0 };
		it.place += it.protocol == IPV6_FRAGMENT ? 8 :
			    it.protocol == IPV6_AH	 ? (header[1] + 2u) * 4 :
							   (header[1] + 1u) * 8;
		it.protocol = header[0];
	}
	return it;
}

static uint8_t check_place(uint8_t protocol, bool is_ip6)
{
	static const uint8_t place[256] = { [6] = 16, [17] = 6, [33] = 6, [136] = 6 };

	return protocol == 58 && is_ip6 ? 2 : place[protocol];
}

static void mend_transport(struct weir_vector *v, unsigned slot, struct weir_handle_ handle,
	uint32_t place, uint32_t change)
{
	const uint8_t *ip = v->data[slot] + place;
	bool is_ip6 = ip[0] >> 4 == 6;
	struct transport it;
	uint8_t check, *at;

	if (place + (is_ip6 ? 40u : 20u) > v->straight[slot])
		return;
	it = is_ip6 ? transport_ipv6(v, slot, place, handle.offset >= 24) :
		      transport_ip(ip, place, v->length[slot] - place);
	check = check_place(it.protocol, is_ip6);
	if (!it.is_there || !check || it.place + check + 2u > it.end)
		return;
	at = weir_edit(v, slot, it.place + check, 2);
	if (at)
		mend(at, change, it.protocol == 17);
}

static void mend_sums(struct weir_vector *v, unsigned slot, struct weir_handle_ handle,
	uint32_t place, uint32_t change)
{
	uint8_t *header = v->data[slot] + place, *at;

	switch (handle.sum) {
	case WEIR_SUM_IP_BYTE_:
	case WEIR_SUM_IP_HEADER_:
		if (place + IP_CHECK + 2 <= v->straight[slot])
			mend(header + IP_CHECK, change, false);
		break;
	case WEIR_SUM_PSEUDO_:
		if (header[0] >> 4 == 4 && place + IP_CHECK + 2 <= v->straight[slot])
			mend(header + IP_CHECK, change, false);
		mend_transport(v, slot, handle, place, change);
		break;
	case WEIR_SUM_TRANSPORT_:
		at = handle.check ? weir_edit(v, slot, place + handle.check, 2) : NULL;
		if (at)
			mend(at, change, handle.check == 6);
		break;
	}
}

// ---- the field

// A number of `width` bytes as the network writes it.
static uint64_t get(const uint8_t *at, unsigned width)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < width; i++)
		number = number << 8 | at[i];
	return number;
}

static void put(uint8_t *at, unsigned width, uint64_t number)
{
	for (unsigned i = width; i-- > 0; number >>= 8)
		at[i] = (uint8_t)number;
}

static uint64_t number_of(const void *value, unsigned size)
{
	uint64_t number = 0;

	memcpy(&number, value, size); // little endian, see the assertion
	return number;
}
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

static void write_value(uint8_t *at, struct weir_handle_ handle, const void *value, unsigned size)
{
	uint64_t number, mask;

	if (size > sizeof(number)) {
		memcpy(at, value, handle.width);
		return;
	}
	number = number_of(value, size);
	if (handle.bits) {
		mask = (~UINT64_C(0) >> (64 - handle.bits)) << handle.shift;
		number = (get(at, handle.width) & ~mask) | (number << handle.shift & mask);
	}
	put(at, handle.width, number);
}

void weir_set_(struct weir_vector *v, unsigned slot, struct weir_handle_ handle, const void *value,
	unsigned size)
{
	uint32_t place, change;
	uint8_t *at;

	if (!handle.width)
		return;
	place = ((const uint16_t *)((const char *)v + handle.base))[slot];
	if (place + handle.offset + handle.width > v->length[slot])
		return;
	at = weir_edit(v, slot, place + handle.offset, handle.width);
	if (!at) {
		spoiled |= (weir_mask)1 << slot;
		return;
	}
	change = 0xffff - fold(sum_of(at, handle.offset, handle.width));
	write_value(at, handle, value, size);
	change = fold(change + sum_of(at, handle.offset, handle.width));
	mend_sums(v, slot, handle, place, change);
}

// ---- handles

static uint8_t own_check(enum protocol protocol)
{
	static const uint8_t check[PROTOCOLS] = {
		[PROTO_ICMP] = 2, [PROTO_ICMPV6] = 2,  [PROTO_IGMP] = 2,
		[PROTO_TCP] = 16, [PROTO_UDP] = 6, [PROTO_UDPLITE] = 6,
	};
	return check[protocol_whole(protocol)];
}

bool packet_can_set(const struct field *field)
{
	return field->is_writable && field->width &&
		(field->sum != SUM_TRANSPORT || own_check(field->protocol));
}

static_assert((int)SUM_IP_HEADER == (int)WEIR_SUM_IP_HEADER_ &&
	(int)SUM_PSEUDO == (int)WEIR_SUM_PSEUDO_ && (int)SUM_TRANSPORT == (int)WEIR_SUM_TRANSPORT_);

struct weir_handle_ packet_handle(
	const struct field *field, uint32_t at, uint32_t has, uint32_t base)
{
	struct weir_handle_ handle = { .at = at, .has = has };
	bool is_byte = field->width == 1 && field->size == 1 && !field->shift &&
		       (!field->mask || field->mask == 0xff);

	if (!packet_can_set(field))
		return handle;
	handle.base = base;
	handle.offset = field->offset;
	handle.width = field->width;
	handle.shift = field->shift;
	handle.sum = (uint8_t)field->sum;
	handle.check = field->sum == SUM_TRANSPORT ? own_check(field->protocol) : 0;
	if (field->type == FIELD_BOOL)
		handle.bits = 1;
	else if (field->width <= 8 && (field->mask || field->shift))
		handle.bits = (uint8_t)(field->mask ? __builtin_popcountll(field->mask) :
						      field->width * 8 - field->shift);
	if (is_byte && field->sum == SUM_NONE)
		handle.sum = WEIR_SUM_BYTE_;
	if (is_byte && field->sum == SUM_IP_HEADER && field->offset % 2 == 0)
		handle.sum = WEIR_SUM_IP_BYTE_;
	return handle;
}
