// SPDX-License-Identifier: Apache-2.0
// Inside of the flow table. Four arrays by a flow's number: records, links (its place in a wheel), addresses of IPv6,
// aliases. An index of buckets leads from keys to numbers; wheels, one per rank, know who ends next.
#ifndef FLOW_TABLE_H
#define FLOW_TABLE_H

#include "flow/flow.h"
#include "flow/hash.h"

#include <sys/mman.h>

#define FLOW_NONE UINT32_MAX
#define FLOW_ALIAS (UINT32_C(1) << 31) // of an entry: the key of the alias leads here

// ---- the index: a cache line holds 12 tags (the lowest 8 bits of the hash) and 12 entries

enum { FLOW_SLOTS = 12, FLOW_MEAN = 7 }; // so many entries per bucket when the table is full

struct flow_bucket {
	uint8_t tag[FLOW_SLOTS]; // 0: free
	uint32_t gone_on;        // entries that belong here and stand in their second bucket
	uint32_t entry[FLOW_SLOTS];
};
static_assert(sizeof(struct flow_bucket) == 64);

struct flow_spot {
	uint32_t first, second;
	uint8_t tag;
};

// ---- the wheel: slots of FLOW_TICK_BITS of nanoseconds, each a list of flows that do not end before it

enum { FLOW_TICK_BITS = 27, FLOW_WHEEL = 32768 }; // 0.13 s, 73 min

struct flow_wheel {
	uint64_t some[FLOW_WHEEL / 64 / 64], used[FLOW_WHEEL / 64]; // words of `used`, slots that are not empty
	uint32_t first[FLOW_WHEEL], last[FLOW_WHEEL];
};

struct flow_link {
	uint32_t next, prev; // in a slot's list, or FLOW_NONE; of a free record the next free one
	uint32_t due;        // the tick of its slot, modulo 2^32
};

// Addresses, the rest and hashes of IPv4 keys, of all slots.
typedef void flow_keys4(const struct flow_secret *secret, struct flow_batch *batch);

struct flow_table {
	struct flow *records;
	struct flow_bucket *buckets;
	struct flow_link *links;
	struct weir_addr (*addrs)[2]; // of IPv6
	struct weir_flow *aliases;    // of which only the key is used
	struct weir_addr (*alias_addrs)[2];
	struct flow_wheel *wheels; // by rank
	uint64_t tick;             // slots of the wheels before it are empty
	uint32_t bucket_count, room, records_most;
	uint32_t fresh, aliases_fresh; // records that were ever in use; behind the highest one that had an alias
	uint32_t free;                 // the first of those given back
	uint32_t ended_count, ended_at;
	uint32_t ended[FLOW_READABLE]; // numbers, a ring: not yet given back
	flow_ended *tell;
	void *owner;
	bool is_ipv6, has_aliases;
	struct flow_counts counts;
	struct flow_secret secret;
	flow_keys4 *keys4[2]; // without and with tunnels
};

// Zeroed memory that is there when it is touched; NULL: errno.
static inline void *flow_reserve(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return NULL;
	if (size >= 4 << 20)
		madvise(at, size, MADV_HUGEPAGE);
	return at;
}

static inline uint32_t flow_number(const struct flow_table *table, const struct flow *flow)
{
	return (uint32_t)(flow - table->records);
}

static inline const struct weir_flow *flow_head(const struct flow_table *table, uint32_t entry)
{
	return entry & FLOW_ALIAS ? &table->aliases[entry & ~FLOW_ALIAS] : &table->records[entry].head;
}

static inline uint64_t flow_deadline(const struct flow *flow)
{
	return flow->head.last_ns_ + flow_idle_ns(flow);
}

static inline enum flow_rank flow_rank(const struct flow *flow)
{
	return flow->head.bits_ & FLOW_RANK_BITS;
}

static inline struct flow_spot flow_spot(const struct flow_table *table, uint32_t hash)
{
	uint32_t other = hash * 0x9e3779b1, tag = hash & 0xff;

	return (struct flow_spot){
		.first = (uint32_t)((uint64_t)hash * table->bucket_count >> 32),
		.second = (uint32_t)((uint64_t)other * table->bucket_count >> 32),
		.tag = (uint8_t)(tag ? tag : 1),
	};
}

// The slots of a bucket with this tag.
static inline uint32_t flow_slots_with(const struct flow_bucket *bucket, uint8_t tag)
{
#ifdef __SSE2__
	__m128i tags = _mm_load_si128((const __m128i *)bucket);

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(tags, _mm_set1_epi8((char)tag))) & ((1u << FLOW_SLOTS) - 1);
#else
	uint32_t slots = 0;

	for (unsigned i = 0; i < FLOW_SLOTS; i++)
		slots |= (uint32_t)(bucket->tag[i] == tag) << i;
	return slots;
#endif
}

// keys.c
flow_keys4 *flow_choose_keys4(bool tunnels); // for the processor that it runs on
uint32_t flow_hash_of(const struct flow_table *table, const struct weir_flow *head);
struct flow_alone { // a batch of one key, in slot 0
	struct flow_batch batch;
	uint32_t src4, dst4, tunnel;
};
bool flow_key_alone(struct flow_table *table, const struct flow_key *key, struct flow_alone *alone);

// index.c
struct flow_entry {
	uint32_t entry; // FLOW_NONE: no such key
	bool from_server;
};
struct flow_entry flow_entry(const struct flow_table *table, const struct flow_batch *batch, unsigned slot);
bool flow_enter(struct flow_table *table, uint32_t entry, uint32_t hash); // false: no room in its buckets
void flow_leave(struct flow_table *table, uint32_t entry);
uint32_t flow_crowder(const struct flow_table *table, uint32_t hash); // whom to forget, then there is room

// wheel.c
void flow_link(struct flow_table *table, uint32_t number);
void flow_unlink(struct flow_table *table, uint32_t number);
bool flow_is_later(const struct flow_table *table, uint32_t number); // than where it is linked
uint32_t flow_first_to_go(struct flow_table *table, uint64_t now_ns); // of a full table
void flow_foresee(const struct flow_table *table, unsigned count); // so many will go: fetches what that needs

#endif
