// SPDX-License-Identifier: Apache-2.0
// Who ends next. A flow is in the wheel of its rank, in the slot of the time at which it would end
// if nothing came. What comes moves only the time: when the slot's turn is there, a flow that has
// lived on goes to a later slot. The same order tells whom a full table forgets.
#include "flow/table.h"

enum { TRIES = 32, GROUP = 16 };
#define MASK (FLOW_WHEEL - 1)

static uint64_t tick_of(uint64_t ns)
{
	return ns >> FLOW_TICK_BITS;
}

// The slot's tick: not before the wheels' own, and not so late that it would come round too early.
static uint64_t due_of(const struct flow_table *table, const struct flow *flow)
{
	uint64_t due = tick_of(flow_deadline(flow));

	if (due < table->tick)
		return table->tick;
	return due - table->tick < FLOW_WHEEL ? due : table->tick + FLOW_WHEEL - 1;
}

static struct flow_wheel *wheel_of(const struct flow_table *table, uint32_t number)
{
	return &table->wheels[flow_rank(&table->records[number])];
}

static bool is_used(const struct flow_wheel *wheel, uint32_t slot)
{
	return wheel->used[slot / 64] >> slot % 64 & 1;
}

void flow_link(struct flow_table *table, uint32_t number)
{
	struct flow_wheel *wheel = wheel_of(table, number);
	uint32_t due = (uint32_t)due_of(table, &table->records[number]), slot = due & MASK;
	bool is_first = !is_used(wheel, slot);

	table->links[number] = (struct flow_link){ FLOW_NONE, is_first ? FLOW_NONE : wheel->last[slot], due };
	if (is_first) {
		wheel->first[slot] = number;
		wheel->used[slot / 64] |= UINT64_C(1) << slot % 64;
		wheel->some[slot / 4096] |= UINT64_C(1) << slot / 64 % 64;
	} else {
		table->links[wheel->last[slot]].next = number;
	}
	wheel->last[slot] = number;
}

static void clear(struct flow_wheel *wheel, uint32_t slot)
{
	wheel->used[slot / 64] &= ~(UINT64_C(1) << slot % 64);
	if (!wheel->used[slot / 64])
		wheel->some[slot / 4096] &= ~(UINT64_C(1) << slot / 64 % 64);
}

void flow_unlink(struct flow_table *table, uint32_t number)
{
	struct flow_wheel *wheel = wheel_of(table, number);
	struct flow_link link = table->links[number];
	uint32_t slot = link.due & MASK;

	if (link.prev != FLOW_NONE)
		table->links[link.prev].next = link.next;
	else
		wheel->first[slot] = link.next;
	if (link.next != FLOW_NONE)
		table->links[link.next].prev = link.prev;
	else
		wheel->last[slot] = link.prev;
	if (link.prev == FLOW_NONE && link.next == FLOW_NONE)
		clear(wheel, slot);
}

bool flow_is_later(const struct flow_table *table, uint32_t number)
{
	return (int32_t)((uint32_t)due_of(table, &table->records[number]) - table->links[number].due) >= 0;
}

// The first slot in use from a slot on, once round; FLOW_NONE: all are empty.
static uint32_t next_used(const struct flow_wheel *wheel, uint32_t from)
{
	uint32_t word = from / 64, group = word / 64;
	uint64_t bits = wheel->used[word] & ~UINT64_C(0) << from % 64;

	if (bits)
		return word * 64 + (uint32_t)__builtin_ctzll(bits);
	bits = word % 64 == 63 ? 0 : wheel->some[group] & ~UINT64_C(0) << (word % 64 + 1);
	for (unsigned i = 0; !bits && i <= FLOW_WHEEL / 4096; i++) {
		group = (group + 1) % (FLOW_WHEEL / 4096);
		bits = wheel->some[group];
	}
	if (!bits)
		return FLOW_NONE;
	word = group * 64 + (uint32_t)__builtin_ctzll(bits);
	bits = wheel->used[word];
	return word * 64 + (uint32_t)__builtin_ctzll(bits);
}

// ---- those whose time is up

// Fetches what a group of a slot needs; returns how many there are.
static unsigned gather(const struct flow_table *table, uint32_t number, uint32_t numbers[], unsigned most)
{
	unsigned count = 0;

	for (; number != FLOW_NONE && count < most; number = table->links[number].next) {
		__builtin_prefetch(&table->records[number], 1);
		if (table->is_ipv6)
			__builtin_prefetch(&table->addrs[number]);
		numbers[count++] = number;
	}
	return count;
}

static void fetch_bucket(const struct flow_table *table, uint32_t number)
{
	uint32_t hash = flow_hash_of(table, &table->records[number].head);

	__builtin_prefetch(&table->buckets[flow_spot(table, hash).first], 1);
}

static void end_or_move(struct flow_table *table, uint32_t number, uint64_t now_ns)
{
	struct flow *flow = &table->records[number];

	if (!(flow->head.bits_ & FLOW_LIVE)) // ended with another one
		return;
	if (flow_is_over(flow, now_ns)) {
		flow_end(table, flow, FLOW_TIMED_OUT, flow_deadline(flow));
	} else {
		flow_unlink(table, number);
		flow_link(table, number);
	}
}

static unsigned age_slot(struct flow_table *table, struct flow_wheel *wheel, uint32_t slot,
	uint64_t now_ns, unsigned most)
{
	uint32_t numbers[GROUP];

	while (most && is_used(wheel, slot)) {
		unsigned count = gather(table, wheel->first[slot], numbers, most < GROUP ? most : GROUP);

		for (unsigned i = 0; i < count; i++)
			if (flow_is_over(&table->records[numbers[i]], now_ns))
				fetch_bucket(table, numbers[i]);
		for (unsigned i = 0; i < count; i++)
			end_or_move(table, numbers[i], now_ns);
		most -= count;
	}
	return most;
}

static uint32_t ticks_to_next(const struct flow_table *table)
{
	uint32_t from = (uint32_t)table->tick & MASK, least = FLOW_NONE;

	for (unsigned rank = 0; rank < FLOW_RANKS; rank++) {
		uint32_t slot = next_used(&table->wheels[rank], from);

		if (slot != FLOW_NONE && ((slot - from) & MASK) < least)
			least = (slot - from) & MASK;
	}
	return least;
}

bool flow_age(struct flow_table *table, uint64_t now_ns, unsigned most)
{
	uint64_t now = tick_of(now_ns);

	if (now <= table->tick)
		return false;
	if (now - table->tick > FLOW_WHEEL) // all slots are due: no need to go round more than once
		table->tick = now - FLOW_WHEEL;
	for (;;) {
		uint32_t ticks = ticks_to_next(table);

		if (ticks == FLOW_NONE || table->tick + ticks >= now)
			break;
		table->tick += ticks;
		for (unsigned rank = 0; rank < FLOW_RANKS; rank++)
			most = age_slot(table, &table->wheels[rank], (uint32_t)table->tick & MASK, now_ns, most);
		if (!most) {
			table->counts.late++;
			return true;
		}
	}
	table->tick = now;
	return false;
}

static unsigned gather_over(const struct flow_table *table, const struct flow_wheel *wheel, uint32_t slot,
	uint64_t now_ns, uint32_t numbers[GROUP])
{
	unsigned count = 0;

	for (uint32_t number = is_used(wheel, slot) ? wheel->first[slot] : FLOW_NONE;
		number != FLOW_NONE && count < GROUP; number = table->links[number].next)
		if (flow_is_over(&table->records[number], now_ns))
			numbers[count++] = number;
	return count;
}

bool flow_age_exactly(struct flow_table *table, uint64_t now_ns, unsigned most)
{
	uint32_t numbers[GROUP], slot = (uint32_t)table->tick & MASK;

	for (unsigned rank = 0; table->tick == tick_of(now_ns) && rank < FLOW_RANKS; rank++)
		for (unsigned count; (count = gather_over(table, &table->wheels[rank], slot, now_ns, numbers));) {
			for (unsigned i = 0; i < count; i++)
				end_or_move(table, numbers[i], now_ns);
			if (most <= count)
				return true;
			most -= count;
		}
	return false;
}

uint64_t flow_next_ns(const struct flow_table *table)
{
	uint32_t ticks = ticks_to_next(table);

	return ticks == FLOW_NONE ? UINT64_MAX : (table->tick + ticks) << FLOW_TICK_BITS;
}

// ---- whom a full table forgets

// The one of a wheel that would end first; of those that have lived on since it looked last, up to TRIES move on.
static uint32_t first_of(struct flow_table *table, struct flow_wheel *wheel, uint64_t now_ns)
{
	uint32_t least = FLOW_NONE;

	for (unsigned i = 0; i < TRIES; i++) {
		uint32_t slot = next_used(wheel, (uint32_t)table->tick & MASK), number;
		const struct flow *flow;

		if (slot == FLOW_NONE)
			return FLOW_NONE;
		number = wheel->first[slot];
		flow = &table->records[number];
		if (flow_is_over(flow, now_ns) || (uint32_t)due_of(table, flow) == table->links[number].due)
			return number;
		flow_unlink(table, number);
		flow_link(table, number);
		if (least == FLOW_NONE || flow_deadline(flow) < flow_deadline(&table->records[least]))
			least = number;
	}
	return least;
}

uint32_t flow_first_to_go(struct flow_table *table, uint64_t now_ns)
{
	uint32_t number = FLOW_NONE;

	for (unsigned rank = 0; number == FLOW_NONE && rank < FLOW_RANKS; rank++)
		number = first_of(table, &table->wheels[rank], now_ns);
	return number;
}

void flow_foresee(const struct flow_table *table, unsigned count)
{
	uint32_t numbers[WEIR_VECTOR], slot = FLOW_NONE;
	unsigned rank;

	for (rank = 0; slot == FLOW_NONE && rank < FLOW_RANKS; rank++)
		slot = next_used(&table->wheels[rank], (uint32_t)table->tick & MASK);
	if (slot == FLOW_NONE)
		return;
	count = gather(table, table->wheels[rank - 1].first[slot], numbers, count < WEIR_VECTOR ? count : WEIR_VECTOR);
	for (unsigned i = 0; i < count; i++)
		fetch_bucket(table, numbers[i]);
}
