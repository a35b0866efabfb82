// SPDX-License-Identifier: Apache-2.0
// The flow table: records that come, live, change and go. index.c finds them, wheel.c knows who goes next.
#include "flow/table.h"

#include <errno.h>
#include <stdlib.h>

// ---- creation

static size_t wheels_size(void)
{
	return sizeof(struct flow_wheel) * FLOW_RANKS;
}

static size_t index_size(const struct flow_table *table)
{
	return sizeof(struct flow_bucket) * table->bucket_count;
}

#define EACH_ARRAY(table, do)                                                                         \
	do(buckets, index_size(table), true) do(wheels, wheels_size(), true)                          \
	do(records, sizeof(struct flow) * table->records_most, true)                                  \
	do(links, sizeof(struct flow_link) * table->records_most, true)                               \
	do(addrs, sizeof(*table->addrs) * table->records_most, table->is_ipv6)                        \
	do(aliases, sizeof(*table->aliases) * table->records_most, table->has_aliases)                \
	do(alias_addrs, sizeof(*table->alias_addrs) * table->records_most, table->has_aliases && table->is_ipv6)

#define RESERVE(array, size, is_wanted) \
	if ((is_wanted) && !(table->array = flow_reserve(size))) \
		return false;
#define RELEASE(array, size, is_wanted) \
	if (table->array) \
		munmap(table->array, size);

static bool reserve_all(struct flow_table *table)
{
	EACH_ARRAY(table, RESERVE)
	return true;
}

void flow_destroy(struct flow_table *table)
{
	if (!table)
		return;
	EACH_ARRAY(table, RELEASE)
	free(table);
}

struct flow_table *flow_create(const struct flow_shape *shape)
{
	struct flow_table *table;

	if (!shape->flows || shape->flows > FLOW_MOST || !shape->ended) {
		errno = EINVAL;
		return NULL;
	}
	table = calloc(1, sizeof(*table));
	if (!table)
		return NULL;
	table->room = shape->flows;
	table->records_most = shape->flows + FLOW_READABLE;
	table->bucket_count = (shape->aliases ? 2 : 1) * shape->flows / FLOW_MEAN + 2;
	table->is_ipv6 = shape->is_ipv6;
	table->has_aliases = shape->aliases;
	table->tell = shape->ended;
	table->owner = shape->owner;
	table->free = FLOW_NONE;
	table->secret = flow_secret(shape->seed);
	table->keys4[false] = flow_choose_keys4(false);
	table->keys4[true] = flow_choose_keys4(true);
	if (reserve_all(table))
		return table;
	flow_destroy(table);
	errno = ENOMEM;
	return NULL;
}

struct flow_counts flow_counts(const struct flow_table *table)
{
	struct flow_counts counts = table->counts;
	uint64_t each = sizeof(struct flow) + sizeof(struct flow_link) + (table->is_ipv6 ? sizeof(*table->addrs) : 0);
	uint64_t alias = sizeof(*table->aliases) + (table->is_ipv6 ? sizeof(*table->alias_addrs) : 0);

	counts.bytes = sizeof(*table) + index_size(table) + wheels_size() + each * table->fresh +
		alias * table->aliases_fresh;
	return counts;
}

// ---- records

static void fetch_free(const struct flow_table *table, uint32_t number)
{
	if (number == FLOW_NONE)
		number = table->fresh;
	__builtin_prefetch(&table->records[number], 1);
	__builtin_prefetch(&table->records[number].side, 1);
	__builtin_prefetch(&table->links[number], 1);
}

// There is one: `room` are in use at most, and FLOW_READABLE wait.
static uint32_t take(struct flow_table *table)
{
	uint32_t number = table->free;

	if (number != FLOW_NONE)
		table->free = table->links[number].next;
	else
		number = table->fresh++;
	assert(number < table->records_most);
	fetch_free(table, table->free);
	return number;
}

static void give_back_later(struct flow_table *table, uint32_t number)
{
	uint32_t *place = &table->ended[table->ended_at];

	table->ended_at = (table->ended_at + 1) % FLOW_READABLE;
	if (table->ended_count == FLOW_READABLE) {
		table->links[*place].next = table->free;
		table->free = *place;
	} else {
		table->ended_count++;
	}
	*place = number;
}

static void fill(struct flow_table *table, uint32_t number, const struct flow_batch *batch,
	unsigned slot, uint64_t now_ns, struct flow_life life)
{
	struct flow *flow = &table->records[number];
	uint64_t meta = batch->meta[slot] | (uint64_t)life.rank << 56;

	*flow = (struct flow){ .head = { .start_ns = now_ns, .last_ns_ = now_ns, .idle_ms_ = life.idle_ms,
		.tunnel_ = batch->columns.tunnel[slot] } };
	memcpy(&flow->head.client_port, &meta, sizeof(meta));
	if (!table->is_ipv6) {
		memcpy(flow->head.ip4, &batch->addr[slot], sizeof(flow->head.ip4));
		return;
	}
	flow->head.bits_ |= FLOW_IPV6;
	table->addrs[number][0] = batch->columns.src6[slot];
	table->addrs[number][1] = batch->columns.dst6[slot];
	flow->head.ip6 = table->addrs[number];
}

static void forget_one(struct flow_table *table, uint64_t now_ns)
{
	struct flow *flow = &table->records[flow_first_to_go(table, now_ns)];

	if (flow_is_over(flow, now_ns)) {
		flow_end(table, flow, FLOW_TIMED_OUT, flow_deadline(flow));
		return;
	}
	table->counts.forgotten[flow_rank(flow)]++;
	flow_end(table, flow, FLOW_FORGOTTEN, now_ns);
}

static struct flow *add(
	struct flow_table *table, const struct flow_batch *batch, unsigned slot, uint64_t now_ns, struct flow_life life)
{
	uint32_t number;

	assert(life.idle_ms && life.rank < FLOW_RANKS);
	if (!table->counts.flows &&
		now_ns >> FLOW_TICK_BITS >
			table->tick) // the wheels are empty: no need to turn them
		table->tick = now_ns >> FLOW_TICK_BITS;
	if (__builtin_expect(table->counts.flows >= table->room, 0))
		forget_one(table, now_ns);
	number = take(table);
	fill(table, number, batch, slot, now_ns, life);
	while (__builtin_expect(!flow_enter(table, number, batch->hash[slot]), 0)) {
		struct flow *crowder = &table->records[flow_crowder(table, batch->hash[slot])];

		flow_end(table, crowder, FLOW_CROWDED, now_ns);
	}
	flow_link(table, number);
	table->counts.added++;
	if (++table->counts.flows > table->counts.most)
		table->counts.most = table->counts.flows;
	return &table->records[number];
}

// ---- a packet's flow

// Ends it if its time was up.
static struct flow_found found(struct flow_table *table, struct flow_entry entry, uint64_t now_ns)
{
	struct flow *flow;

	if (entry.entry == FLOW_NONE)
		return (struct flow_found){ NULL, false, false };
	flow = &table->records[entry.entry & ~FLOW_ALIAS];
	if (flow_is_over(flow, now_ns)) {
		flow_end(table, flow, FLOW_TIMED_OUT, flow_deadline(flow));
		return (struct flow_found){ NULL, false, false };
	}
	return (struct flow_found){ flow, entry.from_server, false };
}

struct flow_found flow_at_slowly(
	struct flow_table *table, struct flow_batch *batch, unsigned slot, uint64_t now_ns, struct flow_life fresh)
{
	struct flow_found flow = found(table, flow_entry(table, batch, slot), now_ns);

	if (flow.flow)
		flow.flow->head.last_ns_ = now_ns;
	else
		flow = (struct flow_found){ add(table, batch, slot, now_ns, fresh), false, true };
	return flow;
}

struct flow_found flow_find(struct flow_table *table, const struct flow_batch *batch, unsigned slot, uint64_t now_ns)
{
	return found(table, flow_entry(table, batch, slot), now_ns);
}

struct flow_found flow_find_key(struct flow_table *table, const struct flow_key *key, uint64_t now_ns)
{
	struct flow_alone alone;

	if (!flow_key_alone(table, key, &alone))
		return (struct flow_found){ NULL, false, false };
	return flow_find(table, &alone.batch, 0, now_ns);
}

// ---- changes

void flow_live(struct flow_table *table, struct flow *flow, struct flow_life life)
{
	uint32_t number = flow_number(table, flow);

	assert(life.idle_ms && life.rank < FLOW_RANKS && flow->head.bits_ & FLOW_LIVE);
	if (life.rank == flow_rank(flow)) {
		flow->head.idle_ms_ = life.idle_ms;
		if (flow_is_later(table, number))
			return;
	}
	flow_unlink(table, number);
	flow->head.idle_ms_ = life.idle_ms;
	flow->head.bits_ = (uint8_t)((flow->head.bits_ & ~FLOW_RANK_BITS) | life.rank);
	flow_link(table, number);
}

#define SWAP(a, b)                       \
	do {                             \
		typeof(a) swapped_ = a;  \
		a = b;                   \
		b = swapped_;            \
	} while (0)

static void turn(struct weir_flow *head, struct weir_addr ip6[2])
{
	SWAP(head->client_port, head->server_port);
	if (head->bits_ & FLOW_IPV6)
		SWAP(ip6[0], ip6[1]);
	else
		SWAP(head->ip4[0], head->ip4[1]);
}

void flow_turn(struct flow_table *table, struct flow *flow)
{
	uint32_t number = flow_number(table, flow);

	turn(&flow->head, table->is_ipv6 ? table->addrs[number] : NULL);
	if (flow->head.bits_ & FLOW_ALIASED)
		turn(&table->aliases[number], table->is_ipv6 ? table->alias_addrs[number] : NULL);
	SWAP(flow->head.payload_high_[0], flow->head.payload_high_[1]);
	SWAP(flow->side[0], flow->side[1]);
	for (unsigned i = 0; i < sizeof(flow->tcp[0]) / sizeof(flow->tcp[0][0]); i++)
		SWAP(flow->tcp[0][i], flow->tcp[1][i]);
}

static void drop_alias(struct flow_table *table, struct flow *flow)
{
	if (!(flow->head.bits_ & FLOW_ALIASED))
		return;
	flow_leave(table, flow_number(table, flow) | FLOW_ALIAS);
	flow->head.bits_ &= (uint8_t)~FLOW_ALIASED;
}

bool flow_alias(struct flow_table *table, struct flow *flow, const struct flow_key *key)
{
	uint32_t number = flow_number(table, flow);
	struct weir_flow *alias = &table->aliases[number];
	struct flow_alone alone;

	assert(table->has_aliases && flow->head.bits_ & FLOW_LIVE);
	if (!flow_key_alone(table, key, &alone))
		return false;
	if (flow_entry(table, &alone.batch, 0).entry != FLOW_NONE)
		return false;
	drop_alias(table, flow);
	memcpy(&alias->client_port, &alone.batch.meta[0], sizeof(alone.batch.meta[0]));
	alias->tunnel_ = key->tunnel;
	if (table->is_ipv6) {
		table->alias_addrs[number][0] = key->src;
		table->alias_addrs[number][1] = key->dst;
		alias->ip6 = table->alias_addrs[number];
		alias->bits_ |= FLOW_IPV6;
	} else {
		memcpy(alias->ip4, &alone.batch.addr[0], sizeof(alias->ip4));
	}
	if (!flow_enter(table, number | FLOW_ALIAS, alone.batch.hash[0]))
		return false;
	flow->head.bits_ |= FLOW_ALIASED;
	if (number >= table->aliases_fresh)
		table->aliases_fresh = number + 1;
	return true;
}

void flow_carry(struct flow *flow, bool from_server, bool packets, bool bytes, bool payload)
{
	struct flow_side *side = &flow->side[from_server];
	uint16_t *high[] = { &side->packets_high, &side->bytes_high, &flow->head.payload_high_[from_server] };
	uint32_t *low[] = { &side->packets, &side->bytes, &side->payload };
	bool is_full[] = { packets, bytes, payload };

	for (unsigned i = 0; i < 3; i++) {
		if (is_full[i] && *high[i] < UINT16_MAX)
			++*high[i];
		else if (is_full[i])
			*low[i] = UINT32_MAX;
	}
}

struct flow_counted flow_counted(const struct flow *flow, bool from_server)
{
	const struct flow_side *side = &flow->side[from_server];

	return (struct flow_counted){
		.packets = (uint64_t)side->packets_high << 32 | side->packets,
		.bytes = (uint64_t)side->bytes_high << 32 | side->bytes,
		.payload = (uint64_t)flow->head.payload_high_[from_server] << 32 | side->payload,
	};
}

// ---- ends

static void remove_quietly(struct flow_table *table, struct flow *flow, enum flow_reason reason)
{
	uint32_t number = flow_number(table, flow);

	assert(flow->head.bits_ & FLOW_LIVE);
	drop_alias(table, flow);
	flow_leave(table, number);
	flow_unlink(table, number);
	flow->head.bits_ &= (uint8_t)~FLOW_LIVE;
	table->counts.flows--;
	table->counts.ended[reason]++;
	give_back_later(table, number);
}

void flow_end(struct flow_table *table, struct flow *flow, enum flow_reason reason, uint64_t at_ns)
{
	remove_quietly(table, flow, reason);
	table->tell(table->owner, flow, reason, at_ns);
}

void flow_take_back(struct flow_table *table, struct flow *flow)
{
	remove_quietly(table, flow, FLOW_TAKEN_BACK);
}

struct flow *flow_next(const struct flow_table *table, uint32_t *place)
{
	while (*place < table->fresh) {
		struct flow *flow = &table->records[(*place)++];

		if (flow->head.bits_ & FLOW_LIVE)
			return flow;
	}
	return NULL;
}

void flow_end_all(struct flow_table *table, enum flow_reason reason, uint64_t at_ns)
{
	struct flow *flow;

	for (uint32_t place = 0; (flow = flow_next(table, &place));) {
		uint64_t deadline = flow_deadline(flow);

		if (flow_is_over(flow, at_ns))
			flow_end(table, flow, FLOW_TIMED_OUT, deadline);
		else
			flow_end(table, flow, reason, at_ns);
	}
}
