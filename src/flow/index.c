// SPDX-License-Identifier: Apache-2.0
// From keys to entries. A key may stand in two buckets; it stands in the first unless that was
// full, and the first counts who had to go on, so that most look-ups, found or not, read one line.
// Entries move, records never do.
#include "flow/table.h"

static inline struct flow_entry entry_in(
	const struct flow_table *table, uint32_t number, uint8_t tag, const struct flow_batch *batch, unsigned slot)
{
	const struct flow_bucket *bucket = &table->buckets[number];

	for (uint32_t slots = flow_slots_with(bucket, tag); slots; slots &= slots - 1) {
		uint32_t entry = bucket->entry[__builtin_ctz(slots)];
		unsigned ends = flow_compare(flow_head(table, entry), batch, slot);

		if (__builtin_expect(ends != 0, 1))
			return (struct flow_entry){ entry, !(ends & 1) };
	}
	return (struct flow_entry){ FLOW_NONE, false };
}

struct flow_entry flow_entry(const struct flow_table *table, const struct flow_batch *batch, unsigned slot)
{
	struct flow_spot spot = flow_spot(table, batch->hash[slot]);
	struct flow_entry found = entry_in(table, spot.first, spot.tag, batch, slot);

	if (found.entry == FLOW_NONE && __builtin_expect(table->buckets[spot.first].gone_on != 0, 0))
		found = entry_in(table, spot.second, spot.tag, batch, slot);
	return found;
}

// ---- coming and going

static void put(struct flow_bucket *bucket, uint32_t slots, uint8_t tag, uint32_t entry)
{
	unsigned slot = (unsigned)__builtin_ctz(slots);

	bucket->tag[slot] = tag;
	bucket->entry[slot] = entry;
}

// Sends an entry of a full bucket to its other one, if that has room. Returns the slot that it leaves as a mask.
static uint32_t send_on(struct flow_table *table, uint32_t number)
{
	struct flow_bucket *bucket = &table->buckets[number];

	for (unsigned i = 0; i < FLOW_SLOTS; i++) {
		struct flow_spot spot = flow_spot(table, flow_hash_of(table, flow_head(table, bucket->entry[i])));
		bool is_first = spot.first == number;
		struct flow_bucket *other = &table->buckets[is_first ? spot.second : spot.first];
		uint32_t slots = flow_slots_with(other, 0);

		if (!slots)
			continue;
		table->buckets[spot.first].gone_on += is_first ? 1u : -1u;
		put(other, slots, spot.tag, bucket->entry[i]);
		bucket->tag[i] = 0;
		return 1u << i;
	}
	return 0;
}

bool flow_enter(struct flow_table *table, uint32_t entry, uint32_t hash)
{
	struct flow_spot spot = flow_spot(table, hash);
	struct flow_bucket *first = &table->buckets[spot.first], *bucket = first;
	uint32_t slots = flow_slots_with(first, 0);

	if (__builtin_expect(!slots, 0)) {
		bucket = &table->buckets[spot.second];
		slots = flow_slots_with(bucket, 0);
		if (!slots)
			slots = send_on(table, spot.second);
		if (!slots) {
			bucket = first;
			slots = send_on(table, spot.first);
		}
		if (!slots)
			return false;
	}
	first->gone_on += bucket != first;
	put(bucket, slots, spot.tag, entry);
	return true;
}

// The slots of a bucket where this entry stands: one, or none.
static uint32_t slots_of(const struct flow_bucket *bucket, uint8_t tag, uint32_t entry)
{
	for (uint32_t slots = flow_slots_with(bucket, tag); slots; slots &= slots - 1)
		if (bucket->entry[__builtin_ctz(slots)] == entry)
			return slots & -slots;
	return 0;
}

void flow_leave(struct flow_table *table, uint32_t entry)
{
	struct flow_spot spot = flow_spot(table, flow_hash_of(table, flow_head(table, entry)));
	struct flow_bucket *bucket = &table->buckets[spot.first];
	uint32_t slots = slots_of(bucket, spot.tag, entry);

	if (__builtin_expect(!slots, 0)) {
		bucket->gone_on--;
		bucket = &table->buckets[spot.second];
		slots = slots_of(bucket, spot.tag, entry);
	}
	assert(slots);
	bucket->tag[__builtin_ctz(slots)] = 0;
}

// The least wanted of those who stand where this key must.
uint32_t flow_crowder(const struct flow_table *table, uint32_t hash)
{
	struct flow_spot spot = flow_spot(table, hash);
	uint32_t least = table->buckets[spot.first].entry[0] & ~FLOW_ALIAS;

	for (unsigned i = 1; i < 2 * FLOW_SLOTS; i++) {
		const struct flow_bucket *bucket = &table->buckets[i < FLOW_SLOTS ? spot.first : spot.second];
		uint32_t number = bucket->entry[i % FLOW_SLOTS] & ~FLOW_ALIAS;
		const struct flow *flow = &table->records[number], *so_far = &table->records[least];

		if (flow_rank(flow) < flow_rank(so_far) ||
			(flow_rank(flow) == flow_rank(so_far) && flow_deadline(flow) < flow_deadline(so_far)))
			least = number;
	}
	return least;
}
