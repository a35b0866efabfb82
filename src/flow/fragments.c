// SPDX-License-Identifier: Apache-2.0
#include "flow/fragments.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct datagram {
	struct pieces pieces;
	struct datagram *next;           // of its bucket, or free
	struct datagram *older, *newer;
	uint64_t since_ns;
	uint32_t total;                  // UINT32_MAX: the last fragment was not seen
	uint32_t bucket;
	uint16_t header_length;          // 0: the first was not seen
	uint16_t next_at;
	uint8_t next_header;
	bool is_poisoned;                // of IPv6, overlapped
	uint8_t key[FRAGMENTS_KEY];
	uint8_t header[FRAGMENTS_HEADER];
};

const struct fragments_limits fragments_limits_default = {
	.datagrams = 1024,
	.fragments = 8192,
	.fragments_per_datagram = 256,
	.copies = 2048,
	.handles = 4096,
	.timeout_ns = 30ull * 1000 * 1000 * 1000,
	.policy = OVERLAP_LINUX,
};

// ---- reading

enum {
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	HOP_BY_HOP = 0,
	ROUTING = 43,
	FRAGMENT = 44,
	DESTINATION = 60,
	FRAGMENT_HEADER = 8,
	EXTENSIONS = 8, // before a fragment header, at most
};

static uint32_t read_16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t read_32(const uint8_t *at)
{
	return read_16(at) << 16 | read_16(at + 2);
}

static bool read_ipv4(struct fragment *fragment, const uint8_t *ip, uint32_t length)
{
	uint32_t header = (ip[0] & 15u) * 4, total, place;

	if (length < IPV4_HEADER)
		return false;
	total = read_16(ip + 2);
	place = read_16(ip + 6);
	if (!(place & 0x3fff) || header < IPV4_HEADER || total <= header || total > length)
		return false;
	*fragment = (struct fragment){
		.header = ip,
		.header_length = header,
		.bytes = ip + header,
		.length = total - header,
		.offset = (place & 0x1fff) * 8,
		.more = place & 0x2000,
		.id = read_16(ip + 4),
		.version = 4,
	};
	return true;
}

// Offset of the fragment header, and where its number is; 0: there is none.
static uint32_t find_fragment_header(const uint8_t *ip, uint32_t length, uint32_t *number_at)
{
	uint32_t at = IPV6_HEADER, number = 6;

	for (unsigned i = 0; i < EXTENSIONS; i++) {
		if (ip[number] == FRAGMENT) {
			*number_at = number;
			return at + FRAGMENT_HEADER <= length ? at : 0;
		}
		if (ip[number] != HOP_BY_HOP && ip[number] != ROUTING && ip[number] != DESTINATION)
			return 0;
		if (at + 8 > length)
			return 0;
		number = at;
		at += (ip[at + 1] + 1u) * 8;
	}
	return 0;
}

static bool read_ipv6(struct fragment *fragment, const uint8_t *ip, uint32_t length)
{
	uint32_t total, at, number_at, place;

	if (length < IPV6_HEADER)
		return false;
	total = IPV6_HEADER + read_16(ip + 4);
	if (total > length)
		return false;
	at = find_fragment_header(ip, total, &number_at);
	if (!at || at > FRAGMENTS_HEADER || at + FRAGMENT_HEADER >= total)
		return false;
	place = read_16(ip + at + 2);
	*fragment = (struct fragment){
		.header = ip,
		.header_length = at,
		.bytes = ip + at + FRAGMENT_HEADER,
		.length = total - at - FRAGMENT_HEADER,
		.offset = place & 0xfff8,
		.more = place & 1,
		.id = read_32(ip + at + 4),
		.version = 6,
		.next = ip[at],
		.next_at = number_at,
	};
	return true;
}

bool fragment_read(struct fragment *fragment, const uint8_t *ip, uint32_t length)
{
	if (!length)
		return false;
	return ip[0] >> 4 == 4 ? read_ipv4(fragment, ip, length)
		: ip[0] >> 4 == 6 ? read_ipv6(fragment, ip, length)
				  : false;
}

// ---- the table

int fragments_init(struct fragments *fragments, const struct fragments_limits *limits, const struct keeper *keeper)
{
	uint32_t buckets = 1;

	assert(limits->datagrams && limits->fragments_per_datagram + 4 <= limits->fragments);
	while (buckets < limits->datagrams)
		buckets *= 2;
	*fragments = (struct fragments){ .limits = *limits, .bucket_mask = buckets - 1 };
	if (pieces_pool_init(&fragments->pieces, limits->fragments, limits->copies, limits->handles, keeper))
		return -ENOMEM;
	fragments->datagrams = calloc(limits->datagrams, sizeof(struct datagram));
	fragments->buckets = calloc(buckets, sizeof(struct datagram *));
	fragments->whole = malloc(FRAGMENTS_HEADER + FRAGMENTS_LONGEST);
	if (!fragments->datagrams || !fragments->buckets || !fragments->whole) {
		fragments_uninit(fragments);
		return -ENOMEM;
	}
	for (uint32_t i = limits->datagrams; i--;) {
		fragments->datagrams[i].next = fragments->free_datagrams;
		fragments->free_datagrams = &fragments->datagrams[i];
	}
	return 0;
}

static void unlink_bucket(struct fragments *fragments, struct datagram *datagram)
{
	struct datagram **at = &fragments->buckets[datagram->bucket];

	while (*at != datagram)
		at = &(*at)->next;
	*at = datagram->next;
}

static void drop(struct fragments *fragments, struct datagram *datagram)
{
	pieces_clear(&fragments->pieces, &datagram->pieces);
	unlink_bucket(fragments, datagram);
	*(datagram->older ? &datagram->older->newer : &fragments->oldest) = datagram->newer;
	*(datagram->newer ? &datagram->newer->older : &fragments->newest) = datagram->older;
	datagram->next = fragments->free_datagrams;
	fragments->free_datagrams = datagram;
	fragments->waiting--;
}

void fragments_uninit(struct fragments *fragments)
{
	while (fragments->oldest)
		drop(fragments, fragments->oldest);
	pieces_pool_uninit(&fragments->pieces);
	free(fragments->datagrams);
	free(fragments->buckets);
	free(fragments->whole);
	*fragments = (struct fragments){ 0 };
}

static void make_key(uint8_t *key, const struct fragment *fragment, uint64_t place)
{
	memset(key, 0, FRAGMENTS_KEY);
	if (fragment->version == 4) {
		memcpy(key, fragment->header + 12, 8);
		key[8] = fragment->header[9];
	} else {
		memcpy(key, fragment->header + 8, 32);
	}
	memcpy(key + 32, &fragment->id, sizeof(fragment->id));
	key[36] = fragment->version;
	memcpy(key + 40, &place, sizeof(place));
}

static uint32_t hash_of(const struct fragments *fragments, const uint8_t *key)
{
	uint64_t hash = fragments->limits.seed, word;

	for (unsigned i = 0; i < FRAGMENTS_KEY; i += sizeof(word)) {
		memcpy(&word, key + i, sizeof(word));
		hash = (hash ^ word ^ fragments->limits.seed) * 0xff51afd7ed558ccdu;
		hash ^= hash >> 32;
	}
	return (uint32_t)(hash ^ hash >> 29) & fragments->bucket_mask;
}

static struct datagram *find(const struct fragments *fragments, const uint8_t *key, uint32_t bucket)
{
	struct datagram *datagram = fragments->buckets[bucket];

	while (datagram && memcmp(datagram->key, key, FRAGMENTS_KEY))
		datagram = datagram->next;
	return datagram;
}

static struct datagram *begin(struct fragments *fragments, const uint8_t *key, uint32_t bucket, uint64_t now_ns)
{
	struct datagram *datagram;

	if (!fragments->free_datagrams) {
		fragments->evicted++;
		drop(fragments, fragments->oldest);
	}
	datagram = fragments->free_datagrams;
	fragments->free_datagrams = datagram->next;
	datagram->pieces = (struct pieces){ 0 };
	datagram->since_ns = now_ns;
	datagram->total = UINT32_MAX;
	datagram->header_length = 0;
	datagram->is_poisoned = false;
	datagram->bucket = bucket;
	memcpy(datagram->key, key, FRAGMENTS_KEY);
	datagram->next = fragments->buckets[bucket];
	fragments->buckets[bucket] = datagram;
	datagram->older = fragments->newest;
	datagram->newer = NULL;
	*(fragments->newest ? &fragments->newest->newer : &fragments->oldest) = datagram;
	fragments->newest = datagram;
	fragments->waiting++;
	return datagram;
}

void fragments_settle(struct fragments *fragments, uint64_t now_ns)
{
	while (fragments->oldest && now_ns > fragments->oldest->since_ns &&
		now_ns - fragments->oldest->since_ns >= fragments->limits.timeout_ns) {
		fragments->timed_out += !fragments->oldest->is_poisoned;
		drop(fragments, fragments->oldest);
	}
	pieces_sweep(&fragments->pieces);
}

// ---- one fragment

static void note_overlap(void *context, uint64_t at, uint32_t length, bool same)
{
	struct fragments *fragments = context;

	(void)at, (void)length;
	fragments->overlaps++;
	fragments->conflicts += !same;
}

static bool is_possible(const struct fragment *fragment)
{
	uint32_t end = fragment->offset + fragment->length;
	uint32_t others = fragment->version == 4 ? fragment->header_length : fragment->header_length - IPV6_HEADER;

	if (!fragment->length || (fragment->more && fragment->length % 8))
		return false;
	return end + others <= FRAGMENTS_LONGEST;
}

// Does it fit to what the last fragment said of the end?
static bool fits(const struct datagram *datagram, const struct fragment *fragment)
{
	uint32_t end = fragment->offset + fragment->length;
	struct piece *piece;

	if (fragment->more)
		return end <= datagram->total;
	if (datagram->total != UINT32_MAX)
		return end == datagram->total;
	for (piece = pieces_first(&datagram->pieces); piece; piece = pieces_next(piece))
		if (piece->to > end)
			return false;
	return true;
}

static bool is_there_already(const struct datagram *datagram, const struct fragment *fragment)
{
	struct piece *piece = pieces_first(&datagram->pieces);

	while (piece && piece->from < fragment->offset)
		piece = pieces_next(piece);
	return piece && piece->from == fragment->offset && piece->to == fragment->offset + fragment->length &&
		!memcmp(piece->bytes, fragment->bytes, fragment->length);
}

static bool overlaps(const struct datagram *datagram, const struct fragment *fragment)
{
	return pieces_need(&datagram->pieces, fragment->offset, fragment->offset + fragment->length) >
		pieces_need(&(const struct pieces){ 0 }, 0, 1);
}

static void poison(struct fragments *fragments, struct datagram *datagram)
{
	fragments->overlaps++;
	datagram->is_poisoned = true;
	pieces_clear(&fragments->pieces, &datagram->pieces);
}

static bool make_room(struct fragments *fragments, const struct datagram *datagram, const struct fragment *fragment)
{
	uint32_t need =
		pieces_need(&datagram->pieces, fragment->offset, fragment->offset + fragment->length);

	if (datagram->pieces.count + 2 > fragments->limits.fragments_per_datagram)
		return false;
	while (fragments->pieces.pieces - fragments->pieces.pieces_used < need ||
		fragments->pieces.handles_used == fragments->pieces.handles) {
		if (fragments->oldest == datagram)
			return false;
		fragments->evicted++;
		drop(fragments, fragments->oldest);
		pieces_sweep(&fragments->pieces);
	}
	return true;
}

static bool put(struct fragments *fragments, struct datagram *datagram, const struct fragment *fragment, void *packet)
{
	uint32_t end = fragment->offset + fragment->length;

	if (!make_room(fragments, datagram, fragment))
		return false;
	pieces_put(&fragments->pieces, &datagram->pieces, fragment->offset, end, fragment->bytes,
		overlap_rule_of_datagram(fragments->limits.policy), note_overlap, fragments);
	if (pieces_keep(&fragments->pieces, &datagram->pieces, fragment->offset, end, packet))
		return false;
	if (!fragment->more)
		datagram->total = end;
	if (!fragment->offset) {
		datagram->header_length = (uint16_t)fragment->header_length;
		datagram->next_at = (uint16_t)fragment->next_at;
		datagram->next_header = fragment->next;
		memcpy(datagram->header, fragment->header, fragment->header_length);
	}
	return true;
}

// ---- the whole

static void sum_up(uint8_t *header, uint32_t length)
{
	uint32_t sum = 0;

	header[10] = header[11] = 0;
	for (uint32_t i = 0; i < length; i += 2)
		sum += read_16(header + i);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	header[10] = (uint8_t)(sum >> 8);
	header[11] = (uint8_t)sum;
}

static void mend(uint8_t *whole, uint32_t header, uint32_t payload, uint32_t next_at, uint8_t next)
{
	uint32_t length = whole[0] >> 4 == 4 ? header + payload : header - IPV6_HEADER + payload;
	uint32_t at = whole[0] >> 4 == 4 ? 2 : 4;

	whole[at] = (uint8_t)(length >> 8);
	whole[at + 1] = (uint8_t)length;
	if (whole[0] >> 4 == 4) {
		whole[6] &= 0xc0; // more fragments, offset
		whole[7] = 0;
		sum_up(whole, header);
	} else {
		whole[next_at] = next;
	}
}

static uint32_t join(struct fragments *fragments, struct datagram *datagram)
{
	uint32_t header = datagram->header_length;

	memcpy(fragments->whole, datagram->header, header);
	pieces_read(&datagram->pieces, 0, fragments->whole + header, datagram->total);
	mend(fragments->whole, header, datagram->total, datagram->next_at, datagram->next_header);
	return header + datagram->total;
}

static enum fragment_result take(struct fragments *fragments, const struct fragment *fragment,
	uint64_t place, void *packet, uint64_t now_ns, uint32_t *length)
{
	uint8_t key[FRAGMENTS_KEY];
	struct datagram *datagram;
	uint32_t bucket;

	make_key(key, fragment, place);
	bucket = hash_of(fragments, key);
	datagram = find(fragments, key, bucket);
	if (!datagram)
		datagram = begin(fragments, key, bucket, now_ns);
	if (datagram->is_poisoned)
		return FRAGMENT_OVERLAPS;
	if (!fits(datagram, fragment))
		return FRAGMENT_BAD;
	if (fragment->version == 6 && is_there_already(datagram, fragment))
		return FRAGMENT_WAITS;
	if (fragment->version == 6 && overlaps(datagram, fragment)) {
		poison(fragments, datagram);
		return FRAGMENT_OVERLAPS;
	}
	if (!put(fragments, datagram, fragment, packet)) {
		drop(fragments, datagram); // it could never be whole
		return FRAGMENT_NO_ROOM;
	}
	if (datagram->pieces.bytes != datagram->total)
		return FRAGMENT_WAITS;
	*length = join(fragments, datagram);
	drop(fragments, datagram);
	return FRAGMENT_COMPLETES;
}

// By itself, whatever else there is of the same number.
static uint32_t take_atomic(struct fragments *fragments, const struct fragment *fragment)
{
	memcpy(fragments->whole, fragment->header, fragment->header_length);
	memcpy(fragments->whole + fragment->header_length, fragment->bytes, fragment->length);
	mend(fragments->whole, fragment->header_length, fragment->length, fragment->next_at, fragment->next);
	return fragment->header_length + fragment->length;
}

enum fragment_result fragments_add(struct fragments *fragments, const struct fragment *fragment, uint64_t place,
	void *packet, uint64_t now_ns, const uint8_t **whole, uint32_t *length)
{
	enum fragment_result result = FRAGMENT_COMPLETES;

	fragments_settle(fragments, now_ns);
	*whole = fragments->whole;
	if (!is_possible(fragment))
		result = FRAGMENT_BAD;
	else if (!fragment->more && !fragment->offset)
		*length = take_atomic(fragments, fragment);
	else
		result = take(fragments, fragment, place, packet, now_ns, length);
	pieces_sweep(&fragments->pieces);
	fragments->results[result]++;
	return result;
}
