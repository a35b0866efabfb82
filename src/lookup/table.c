// SPDX-License-Identifier: Apache-2.0
// A bounded hash table. Its index is an array of buckets, a cache line each: 12 tags (a byte of the
// hash) and 12 numbers of rows. A key may stand in two buckets; it stands in the first unless that
// was full, and the first counts who had to go on, so that most look-ups, found or not, read one
// line of the index. Rows lie densely, in the order in which they were first used, so that memory
// grows with what is stored.
#include "lookup/table.h"
#include "lib/hash.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { SLOTS = 12, MEAN = 7, LARGE = 4 << 20 };
#define NONE UINT32_MAX

struct bucket {
	uint8_t tag[SLOTS]; // 0: free
	uint32_t gone_on;   // rows that belong here and stand in their second bucket
	uint32_t row[SLOTS];
};
static_assert(sizeof(struct bucket) == 64);

struct head { // of a row; key and row follow
	uint64_t used_ns;
	uint32_t place; // bucket * 16 + slot; NONE: the row is free
	uint32_t home : 31,
		is_used : 1; // its first bucket; used since the sweep came by. Free: the next free row
};
static_assert(sizeof(struct head) == 16);

struct weir_table { // its worker writes: cache lines of its own
	_Alignas(64) struct bucket *buckets;
	char *rows;
	const uint64_t *now_ns;
	uint64_t idle_ns;
	struct hash_key key;
	uint32_t key_size, row_at, stride, row_size;
	uint32_t bucket_count, limit;
	uint32_t count, fresh; // rows in use; rows that were ever in use
	uint32_t free;         // first of those given back, or NONE
	uint32_t hand;         // where the sweep is
	struct head *newest;   // the row that was got last
	uint64_t random;
	struct table_forgotten forgotten;
};

// ---- creation

static void *reserve(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return NULL;
	if (size >= LARGE)
		madvise(at, size, MADV_HUGEPAGE);
	return at;
}

// Rows of up to a cache line do not straddle two.
static uint32_t stride_of(uint32_t size)
{
	return size <= 32 ? 32 : (size + 63) & ~63u;
}

static size_t index_size(const struct weir_table *table)
{
	return sizeof(struct bucket) * table->bucket_count;
}

static size_t rows_size(const struct weir_table *table)
{
	return (size_t)table->stride * table->limit;
}

static void shape(struct weir_table *table, struct table_shape shape)
{
	table->key_size = shape.key_size;
	table->row_size = shape.row_size;
	table->row_at = (sizeof(struct head) + shape.key_size + 15) & ~15u;
	table->stride = stride_of(table->row_at + shape.row_size);
	table->limit = shape.rows;
	table->bucket_count = shape.rows / MEAN + 2;
	table->idle_ns = shape.idle_s ? shape.idle_s * UINT64_C(1000000000) : UINT64_MAX;
}

struct weir_table *table_create(struct table_shape wanted, const uint64_t *now_ns, uint64_t seed)
{
	struct weir_table *table;

	if (!wanted.key_size || wanted.key_size > TABLE_KEY || wanted.row_size > TABLE_ROW ||
		!wanted.rows || wanted.rows > TABLE_ROWS) {
		errno = EINVAL;
		return NULL;
	}
	table = aligned_alloc(64, sizeof(*table));
	if (!table)
		return NULL;
	*table = (struct weir_table){ 0 };
	shape(table, wanted);
	table->now_ns = now_ns;
	table->key = hash_key(seed);
	table->random = seed;
	table->free = NONE;
	table->buckets = reserve(index_size(table));
	table->rows = reserve(rows_size(table));
	if (table->buckets && table->rows)
		return table;
	table_destroy(table);
	errno = ENOMEM;
	return NULL;
}

void table_destroy(struct weir_table *table)
{
	if (!table)
		return;
	if (table->buckets)
		munmap(table->buckets, index_size(table));
	if (table->rows)
		munmap(table->rows, rows_size(table));
	free(table);
}

struct table_forgotten table_forgotten(const struct weir_table *table)
{
	return table->forgotten;
}

// ---- rows

static inline struct head *head_at(const struct weir_table *table, uint32_t number)
{
	return (struct head *)(table->rows + (size_t)number * table->stride);
}

static inline uint32_t number_of(const struct weir_table *table, const struct head *head)
{
	return (uint32_t)((size_t)((const char *)head - table->rows) / table->stride);
}

static inline bool is_idle(const struct weir_table *table, const struct head *head)
{
	uint64_t now = *table->now_ns;

	return now > head->used_ns && now - head->used_ns >= table->idle_ns;
}

static inline bool has_key(const struct weir_table *table, const struct head *head, const void *key)
{
	const char *own = (const char *)(head + 1), *wanted = key;

	switch (table->key_size) {
	case 4:
		return hash_half(own) == hash_half(wanted);
	case 8:
		return hash_word(own) == hash_word(wanted);
	case 16:
		return !((hash_word(own) ^ hash_word(wanted)) |
			(hash_word(own + 8) ^ hash_word(wanted + 8)));
	default:
		return !memcmp(own, wanted, table->key_size);
	}
}

// ---- the index

struct spot {
	uint32_t first, second;
	uint8_t tag;
};

static inline __attribute__((always_inline)) struct spot spot_of(
	const struct weir_table *table, const void *key)
{
	uint64_t mixed = hash(&table->key, key, table->key_size);
	uint32_t high = (uint32_t)(mixed >> 32), low = (uint32_t)mixed, tag = high & 0xff;
	struct spot spot = {
		.first = (uint32_t)((uint64_t)high * table->bucket_count >> 32),
		.second = (uint32_t)((uint64_t)low * table->bucket_count >> 32),
		.tag = (uint8_t)(tag ? tag : 1),
	};

	if (spot.second == spot.first)
		spot.second = spot.first ? spot.first - 1 : 1;
	return spot;
}

// The slots of a bucket with this tag.
static inline uint32_t slots_with(const struct bucket *bucket, uint8_t tag)
{
#ifdef __SSE2__
	__m128i tags = _mm_load_si128((const __m128i *)bucket);

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(tags, _mm_set1_epi8((char)tag))) &
		((1u << SLOTS) - 1);
#else
	uint32_t slots = 0;

	for (unsigned i = 0; i < SLOTS; i++)
		slots |= (uint32_t)(bucket->tag[i] == tag) << i;
	return slots;
#endif
}

static inline struct head *find_in(
	const struct weir_table *table, uint32_t number, uint8_t tag, const void *key)
{
	const struct bucket *bucket = &table->buckets[number];

	for (uint32_t slots = slots_with(bucket, tag); slots; slots &= slots - 1) {
		struct head *head = head_at(table, bucket->row[__builtin_ctz(slots)]);

		if (__builtin_expect(has_key(table, head, key), 1))
			return head;
	}
	return NULL;
}

static inline struct head *find(const struct weir_table *table, struct spot spot, const void *key)
{
	struct head *head = find_in(table, spot.first, spot.tag, key);

	if (!head && __builtin_expect(table->buckets[spot.first].gone_on != 0, 0))
		head = find_in(table, spot.second, spot.tag, key);
	return head;
}

static void forget(struct weir_table *table, struct head *head)
{
	struct bucket *bucket = &table->buckets[head->place / 16];

	bucket->tag[head->place % 16] = 0;
	if (head->place / 16 != head->home)
		table->buckets[head->home].gone_on--;
	head->place = NONE;
	head->home = table->free & 0x7fffffff;
	table->free = number_of(table, head);
	table->count--;
}

static void put_in(
	struct weir_table *table, uint32_t number, uint32_t slot, uint8_t tag, struct head *head)
{
	struct bucket *bucket = &table->buckets[number];

	bucket->tag[slot] = tag;
	bucket->row[slot] = number_of(table, head);
	head->place = number * 16 + slot;
}

// Sends a row of a full bucket on to its other bucket, if there is room. Returns the slot that it
// leaves as a mask.
static uint32_t send_on(struct weir_table *table, uint32_t number)
{
	struct bucket *bucket = &table->buckets[number];

	for (uint32_t i = 0; i < SLOTS; i++) {
		struct head *head = head_at(table, bucket->row[i]);
		struct spot spot = spot_of(table, head + 1);
		uint32_t other = spot.first == number ? spot.second : spot.first;
		uint32_t slots = slots_with(&table->buckets[other], 0);

		if (!slots)
			continue;
		table->buckets[spot.first].gone_on += spot.first == number ? 1u : -1u;
		put_in(table, other, (uint32_t)__builtin_ctz(slots), spot.tag, head);
		bucket->tag[i] = 0;
		return 1u << i;
	}
	return 0;
}

// Nor could any row of a full bucket go on: with a keyed hash that does not happen, and is no
// reason to fail. The row there that is unused for longest goes.
static uint32_t give_up_one(struct weir_table *table, uint32_t number)
{
	struct bucket *bucket = &table->buckets[number];
	struct head *oldest = head_at(table, bucket->row[0]);

	for (unsigned i = 1; i < SLOTS; i++)
		if (head_at(table, bucket->row[i])->used_ns < oldest->used_ns)
			oldest = head_at(table, bucket->row[i]);
	forget(table, oldest);
	table->forgotten.full++;
	return slots_with(bucket, 0);
}

static void enter(struct weir_table *table, struct spot spot, struct head *head)
{
	uint32_t number = spot.first, slots = slots_with(&table->buckets[number], 0);

	if (!slots) {
		number = spot.second;
		slots = slots_with(&table->buckets[number], 0);
	}
	if (!slots)
		slots = send_on(table, number);
	if (!slots)
		slots = give_up_one(table, number);
	if (number == spot.second)
		table->buckets[spot.first].gone_on++;
	put_in(table, number, (uint32_t)__builtin_ctz(slots), spot.tag, head);
	head->home = spot.first & 0x7fffffff;
}

// ---- who goes

static inline struct head *under_hand(struct weir_table *table)
{
	struct head *head = head_at(table, table->hand);

	table->hand = table->hand + 1 < table->fresh ? table->hand + 1 : 0;
	return head;
}

// With every new row two others are looked at, so that what is idle goes before the table grows.
static void sweep(struct weir_table *table)
{
	for (unsigned i = 0; i < 2; i++) {
		struct head *head = under_hand(table);

		if (head->place != NONE && is_idle(table, head)) {
			forget(table, head);
			table->forgotten.idle++;
		}
	}
}

// Never the row that was got last: its owner may be at work on it.
static bool may_go(const struct weir_table *table, const struct head *head)
{
	return !head->is_used && head != table->newest;
}

static struct head *older(const struct weir_table *table, struct head *one, struct head *other)
{
	if (other == table->newest)
		return one;
	return !one || other->used_ns < one->used_ns ? other : one;
}

// Somewhere in the half of the table that the sweep comes to next.
static struct head *anywhere_ahead(struct weir_table *table)
{
	uint64_t ahead = table->hand + ((hash_step(&table->random) >> 33) * table->fresh >> 32);

	return head_at(table, (uint32_t)(ahead < table->fresh ? ahead : ahead - table->fresh));
}

// All rows are in use. The sweep goes on where it ended, to the first that was not used since it
// came by. Where many that are used lie together it finds none, so as many are looked at in random
// places: ahead, for what is behind has only just lost its mark.
static struct head *choose(struct weir_table *table)
{
	struct head *oldest = NULL, *head;

	for (uint32_t i = 0; i < TABLE_SWEEP && i < table->fresh; i++) {
		head = under_hand(table);
		if (may_go(table, head))
			return head;
		head->is_used = 0;
		oldest = older(table, oldest, head);
	}
	for (uint32_t i = 0; i < TABLE_SWEEP && table->fresh > TABLE_SWEEP; i++) {
		head = anywhere_ahead(table);
		if (may_go(table, head))
			return head;
		oldest = older(table, oldest, head);
	}
	return oldest ? oldest : table->newest; // the latter in a table of one row
}

static struct head *take_row(struct weir_table *table)
{
	struct head *head;

	if (table->idle_ns != UINT64_MAX && table->fresh)
		sweep(table);
	if (table->free == NONE && table->fresh < table->limit)
		return head_at(table, table->fresh++);
	if (table->free == NONE) {
		forget(table, choose(table));
		table->forgotten.full++;
	}
	head = head_at(table, table->free);
	table->free = head->home == (NONE & 0x7fffffff) ? NONE : head->home;
	return head;
}

// A new row is not used again yet; but if the sweep is about to come by, it must not take the
// newest for the oldest.
static bool is_near_hand(const struct weir_table *table, const struct head *head)
{
	uint32_t number = number_of(table, head);
	uint32_t distance =
		number >= table->hand ? number - table->hand : number + table->fresh - table->hand;

	return distance < table->fresh / 2;
}

static __attribute__((noinline)) struct head *add(
	struct weir_table *table, struct spot spot, const void *key)
{
	struct head *head = take_row(table);

	memcpy(head + 1, key, table->key_size);
	memset((char *)head + table->row_at, 0, table->row_size);
	enter(table, spot, head);
	head->is_used = is_near_hand(table, head);
	table->count++;
	return head;
}

// A line that is only read is not written back.
static inline void mark(struct head *head)
{
	if (!head->is_used)
		head->is_used = 1;
}

// ---- for modules

void *weir_table_at_(struct weir_table *table, const void *key)
{
	struct spot spot = spot_of(table, key);
	struct head *head = find(table, spot, key);

	if (__builtin_expect(!head, 0)) {
		head = add(table, spot, key);
	} else if (__builtin_expect(is_idle(table, head), 0)) {
		memset((char *)head + table->row_at, 0, table->row_size);
		table->forgotten.idle++;
	} else {
		mark(head);
	}
	if (head->used_ns != *table->now_ns)
		head->used_ns = *table->now_ns;
	table->newest = head;
	return (char *)head + table->row_at;
}

// A look is a use (the row stays when the table is full), but does not keep a row from becoming
// idle.
void *weir_table_find_(struct weir_table *table, const void *key)
{
	struct head *head = find(table, spot_of(table, key), key);

	if (!head || is_idle(table, head))
		return NULL;
	mark(head);
	return (char *)head + table->row_at;
}

void weir_table_forget_(struct weir_table *table, const void *row)
{
	struct head *head = (struct head *)((uintptr_t)row - table->row_at);

	assert(number_of(table, head) < table->fresh && head->place != NONE);
	forget(table, head);
}

void *weir_table_next_(const struct weir_table *table, uint32_t *place, const void **key)
{
	while (*place < table->fresh) {
		struct head *head = head_at(table, (*place)++);

		if (head->place == NONE || is_idle(table, head))
			continue;
		*key = head + 1;
		return (char *)head + table->row_at;
	}
	return NULL;
}

// Rows that have become idle count until their place is needed.
unsigned weir_table_size(const struct weir_table *table)
{
	return table->count;
}
