// SPDX-License-Identifier: Apache-2.0
#include "flow/table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)
#define START (UINT64_C(1700000000) * SECOND)

static uint64_t chance(uint64_t below)
{
	static uint64_t state = 1;

	return flow_random(&state) % below;
}

// Key `number` of a family: few addresses and ports, so that keys differ in one thing only; among them some to oneself.
static struct flow_key key_of(uint32_t number, bool is_ipv6)
{
	struct flow_key key = {
		.src = { { [10] = 0xff, [11] = 0xff, 10, 0, 0, (uint8_t)(number & 3) } },
		.dst = { { [10] = 0xff, [11] = 0xff, 10, 0, 0, 3 } },
		.src_port = (uint16_t)(1000 + (number >> 2)),
		.dst_port = (uint16_t)(number & 0x200 ? 443 : 1000 + (number >> 2)),
		.vlan = number >> 10 & 1 ? 100 : 0,
		.protocol = number >> 11 & 1 ? 17 : 6,
		.tunnel = number >> 12 & 1 ? 77 : 0,
	};

	if (is_ipv6) {
		memcpy(key.src.bytes, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0", 12);
		memcpy(key.dst.bytes, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0", 12);
		key.src.bytes[number >> 8 & 1 ? 15 : 7] ^= (uint8_t)(number >> 9 & 1);
	}
	return key;
}

static bool is_to_itself(const struct flow_key *key)
{
	return !memcmp(&key->src, &key->dst, sizeof(key->src)) && key->src_port == key->dst_port;
}

static struct flow_key turned(struct flow_key key)
{
	return (struct flow_key){ key.dst, key.src, key.dst_port, key.src_port, key.vlan, key.protocol, key.tunnel };
}

// A vector of keys.
struct columns {
	uint32_t src4[WEIR_VECTOR], dst4[WEIR_VECTOR], tunnel[WEIR_VECTOR];
	struct weir_addr src6[WEIR_VECTOR], dst6[WEIR_VECTOR];
	uint16_t src_port[WEIR_VECTOR], dst_port[WEIR_VECTOR], vlan[WEIR_VECTOR];
	uint8_t protocol[WEIR_VECTOR];
};

static uint32_t ip4_of(const struct weir_addr *addr)
{
	uint32_t ip4;

	memcpy(&ip4, addr->bytes + 12, sizeof(ip4));
	return __builtin_bswap32(ip4);
}

static void put_key(struct columns *columns, unsigned slot, const struct flow_key *key)
{
	columns->src4[slot] = ip4_of(&key->src);
	columns->dst4[slot] = ip4_of(&key->dst);
	columns->src6[slot] = key->src;
	columns->dst6[slot] = key->dst;
	columns->src_port[slot] = key->src_port;
	columns->dst_port[slot] = key->dst_port;
	columns->vlan[slot] = key->vlan;
	columns->protocol[slot] = key->protocol;
	columns->tunnel[slot] = key->tunnel;
}

static struct flow_columns view(const struct columns *columns, bool is_ipv6)
{
	struct flow_columns view = { .src_port = columns->src_port, .dst_port = columns->dst_port,
		.protocol = columns->protocol, .vlan = columns->vlan, .tunnel = columns->tunnel };

	if (is_ipv6) {
		view.src6 = columns->src6;
		view.dst6 = columns->dst6;
	} else {
		view.src4 = columns->src4;
		view.dst4 = columns->dst4;
	}
	return view;
}

// One packet of a key.
static struct flow_found at(struct flow_table *table, struct flow_key key, uint64_t now_ns, struct flow_life life)
{
	struct columns columns;
	struct flow_columns columns_view = view(&columns, table->is_ipv6);
	struct flow_batch batch;

	put_key(&columns, 0, &key);
	flow_keys(table, &batch, &columns_view, 1);
	flow_seek(table, &batch, 1, true);
	return flow_at(table, &batch, 0, now_ns, life);
}

// ---- what has ended

struct end {
	struct flow *flow;
	enum flow_reason reason;
	uint64_t at_ns;
	uint32_t ip4[2];
};

static struct end ends[4096];
static unsigned end_count;

static void note_end(void *owner, struct flow *flow, enum flow_reason reason, uint64_t at_ns)
{
	(void)owner;
	ends[end_count++ % 4096] = (struct end){ flow, reason, at_ns, { flow->head.ip4[0], flow->head.ip4[1] } };
}

static struct flow_table *create(uint32_t flows)
{
	struct flow_table *table = flow_create(&(struct flow_shape){ .flows = flows, .seed = 7, .ended = note_end });

	assert_non_null(table);
	end_count = 0;
	return table;
}

// A client of its own for each number.
static struct flow_key client(uint32_t number)
{
	struct flow_key key = key_of(0, false);

	memcpy(key.src.bytes + 12, &(uint32_t){ __builtin_bswap32(0x0b000000 + number) }, 4);
	return key;
}

static struct flow *add(struct flow_table *table, uint32_t number, uint64_t now_ns,
	enum flow_rank rank, uint32_t idle_s)
{
	struct flow_found found = at(table, client(number), now_ns, (struct flow_life){ idle_s * 1000, rank });

	assert_true(found.is_new && !found.from_server);
	return found.flow;
}

// ---- the index and the wheels hold what they should, whatever has happened

static void check_links(const struct flow_table *table)
{
	uint64_t linked = 0, live = 0;
	struct flow *flow;

	for (unsigned rank = 0; rank < FLOW_RANKS; rank++) {
		const struct flow_wheel *wheel = &table->wheels[rank];

		for (uint32_t slot = 0; slot < FLOW_WHEEL; slot++) {
			uint32_t before = FLOW_NONE, number;

			if (!(wheel->used[slot / 64] >> slot % 64 & 1))
				continue;
			for (number = wheel->first[slot]; number != FLOW_NONE; number = table->links[number].next) {
				assert_int_equal(table->links[number].prev, before);
				assert_int_equal(table->links[number].due % FLOW_WHEEL, slot);
				assert_int_equal(flow_rank(&table->records[number]), rank);
				assert_true(table->records[number].head.bits_ & FLOW_LIVE);
				before = number;
				linked++;
			}
			assert_int_equal(wheel->last[slot], before);
		}
	}
	for (uint32_t place = 0; (flow = flow_next(table, &place)); live++)
		continue;
	assert_int_equal(linked, live);
	assert_int_equal(live, table->counts.flows);
}

static void check_index(const struct flow_table *table)
{
	uint64_t entries = 0, gone_on = 0, away = 0, live = 0;
	struct flow *flow;

	for (uint32_t i = 0; i < table->bucket_count; i++) {
		gone_on += table->buckets[i].gone_on;
		for (unsigned slot = 0; slot < FLOW_SLOTS; slot++) {
			uint32_t entry = table->buckets[i].entry[slot];
			struct flow_spot spot;

			if (!table->buckets[i].tag[slot])
				continue;
			spot = flow_spot(table, flow_hash_of(table, flow_head(table, entry)));
			assert_int_equal(spot.tag, table->buckets[i].tag[slot]);
			assert_true(i == spot.first || i == spot.second);
			away += i != spot.first;
			entries++;
		}
	}
	for (uint32_t place = 0; (flow = flow_next(table, &place));)
		live += 1 + !!(flow->head.bits_ & FLOW_ALIASED);
	assert_int_equal(entries, live);
	assert_int_equal(gone_on, away);
}

// ---- against a model: an array of what should be there

enum { KEYS = 1 << 13 };

struct model {
	struct flow_table *table;
	bool is_ipv6;
	uint64_t now_ns, told;
	struct {
		struct flow *flow; // NULL: there is none
		uint64_t last_ns, start_ns, changed_ns;
		uint32_t idle_ms, alias; // KEYS: none
		enum flow_rank rank;
		bool is_turned;          // the client is the key's destination
	} of[KEYS];
	uint32_t alias_of[KEYS]; // whose alias this key is; KEYS: nobody's
	uint32_t number_of[KEYS + FLOW_READABLE]; // by record
};

static uint64_t model_deadline(const struct model *model, uint32_t number)
{
	return model->of[number].last_ns + model->of[number].idle_ms * MS;
}

static void model_gone(struct model *model, uint32_t number)
{
	if (model->of[number].alias != KEYS)
		model->alias_of[model->of[number].alias] = KEYS;
	model->of[number].alias = KEYS;
	model->of[number].flow = NULL;
}

static void model_ended(void *owner, struct flow *flow, enum flow_reason reason, uint64_t at_ns)
{
	struct model *model = owner;
	uint32_t number = model->number_of[flow_number(model->table, flow)];

	assert_ptr_equal(model->of[number].flow, flow);
	assert_int_equal(flow->head.last_ns_, model->of[number].last_ns);
	assert_int_equal(flow->head.start_ns, model->of[number].start_ns);
	if (reason == FLOW_TIMED_OUT)
		assert_int_equal(at_ns, model_deadline(model, number));
	else
		assert_int_equal(at_ns, model->now_ns);
	assert_true(at_ns <= model->now_ns);
	model->told++;
	model_gone(model, number);
}

static struct flow_life any_life(void)
{
	static const uint32_t idle_ms[] = { 1, 50, 134, 135, 1000, 5000, 30000, 300000, 4400000, 86400000, UINT32_MAX };

	return (struct flow_life){ idle_ms[chance(sizeof(idle_ms) / sizeof(*idle_ms))],
		(enum flow_rank)chance(FLOW_RANKS) };
}

static void check_head(const struct model *model, const struct flow *flow, const struct flow_key *key, bool is_turned)
{
	struct weir_addr client_is = weir_end_(&flow->head, is_turned), server_is = weir_end_(&flow->head, !is_turned);

	assert_memory_equal(&client_is, &key->src, sizeof(key->src));
	assert_memory_equal(&server_is, &key->dst, sizeof(key->dst));
	assert_int_equal(is_turned ? flow->head.server_port : flow->head.client_port, key->src_port);
	assert_int_equal(is_turned ? flow->head.client_port : flow->head.server_port, key->dst_port);
	assert_int_equal(flow->head.vlan, key->vlan);
	assert_int_equal(flow->head.protocol, key->protocol);
	assert_int_equal(flow->head.tunnel_, key->tunnel);
	assert_int_equal(!!(flow->head.bits_ & FLOW_IPV6), model->is_ipv6);
}

// A packet of a key whose flow, or the flow that it is the alias of, is in the model.
static void model_packet(struct model *model, uint32_t number, bool back, struct flow_found found,
	struct flow_life fresh, bool was_there)
{
	struct flow_key key = key_of(number, model->is_ipv6);
	uint32_t own = model->alias_of[number] != KEYS ? model->alias_of[number] : number;

	assert_int_equal(found.is_new, !was_there);
	if (was_there) {
		assert_ptr_equal(found.flow, model->of[own].flow);
		if (!is_to_itself(&key))
			assert_int_equal(found.from_server, back ^ model->of[own].is_turned);
		model->of[own].last_ns = model->now_ns;
		return;
	}
	assert_int_equal(own, number);
	assert_false(found.from_server);
	model->number_of[flow_number(model->table, found.flow)] = number;
	model->of[number].flow = found.flow;
	model->of[number].last_ns = model->of[number].start_ns = model->now_ns;
	model->of[number].idle_ms = fresh.idle_ms;
	model->of[number].rank = fresh.rank;
	model->of[number].is_turned = back;
	check_head(model, found.flow, &key, back);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(found.flow->tcp[0][i] | found.flow->tcp[1][i], 0);
	assert_int_equal(flow_counted(found.flow, false).packets | flow_counted(found.flow, true).payload, 0);
	assert_true(!found.flow->head.knows_ && !found.flow->head.done_ && !found.flow->head.state_);
}

static bool model_has(const struct model *model, uint32_t number)
{
	if (model->alias_of[number] != KEYS)
		number = model->alias_of[number];
	return model->of[number].flow && model->now_ns < model_deadline(model, number);
}

static void model_vector(struct model *model)
{
	weir_mask in = chance(2) ? ~UINT64_C(0) : chance(UINT64_MAX) | 1;
	struct flow_life fresh = any_life();
	struct columns columns;
	struct flow_columns columns_view = view(&columns, model->is_ipv6);
	uint32_t numbers[WEIR_VECTOR], some = (uint32_t)chance(KEYS);
	bool back[WEIR_VECTOR];
	struct flow_batch batch;

	memset(&columns, 0x5a, sizeof(columns));
	weir_each (i, in) {
		struct flow_key key;

		numbers[i] = chance(3) ? (some + (uint32_t)chance(16)) % KEYS : (uint32_t)chance(KEYS);
		back[i] = chance(2);
		key = key_of(numbers[i], model->is_ipv6);
		key = back[i] ? turned(key) : key;
		put_key(&columns, (unsigned)i, &key);
	}
	flow_keys(model->table, &batch, &columns_view, in);
	flow_seek(model->table, &batch, in, chance(2));
	weir_each (i, in) {
		bool was_there;

		model->now_ns += chance(4) ? 0 : chance(20 * MS);
		was_there = model_has(model, numbers[i]);
		if (!chance(16)) {
			struct flow_found found = flow_find(model->table, &batch, (unsigned)i, model->now_ns);

			assert_int_equal(!!found.flow, was_there);
			continue;
		}
		model_packet(model, numbers[i], back[i],
			flow_at(model->table, &batch, (unsigned)i, model->now_ns, fresh), fresh, was_there);
	}
}

static void model_age(struct model *model)
{
	unsigned most = chance(2) ? 64 : UINT32_MAX;
	bool is_late = flow_age(model->table, model->now_ns, most);

	for (uint32_t i = 0; !is_late && i < KEYS; i++) {
		uint64_t due_ns = model_deadline(model, i);

		if (due_ns < model->of[i].changed_ns) // its time was up as it got this life
			due_ns = model->of[i].changed_ns;
		if (model->of[i].flow)
			assert_true(due_ns >> FLOW_TICK_BITS >= model->now_ns >> FLOW_TICK_BITS);
	}
}

static void model_alias(struct model *model, uint32_t number, uint32_t other)
{
	struct flow_key key = key_of(other, model->is_ipv6);
	bool is_free = !model->of[other].flow && model->alias_of[other] == KEYS;
	bool is_turned = model->of[number].is_turned;

	assert_int_equal(flow_alias(model->table, model->of[number].flow, &(struct flow_key[]){
		is_turned ? turned(key) : key }[0]), is_free);
	if (!is_free)
		return;
	if (model->of[number].alias != KEYS)
		model->alias_of[model->of[number].alias] = KEYS;
	model->of[number].alias = other;
	model->alias_of[other] = number;
}

static void model_change(struct model *model)
{
	uint32_t number = (uint32_t)chance(KEYS);
	struct flow *flow = model->of[number].flow;
	struct flow_key key = key_of(number, model->is_ipv6);
	struct flow_life life = any_life();

	if (!flow)
		return;
	switch (chance(6)) {
	case 0:
		flow_end(model->table, flow, FLOW_RESET, model->now_ns);
		assert_null(model->of[number].flow);
		break;
	case 1:
		flow_take_back(model->table, flow);
		model_gone(model, number);
		break;
	case 2:
		flow_turn(model->table, flow);
		model->of[number].is_turned = !model->of[number].is_turned;
		check_head(model, flow, &key, model->of[number].is_turned);
		break;
	case 3:
		model_alias(model, number, (uint32_t)chance(KEYS));
		break;
	default:
		flow_live(model->table, flow, life);
		model->of[number].idle_ms = life.idle_ms;
		model->of[number].rank = life.rank;
		model->of[number].changed_ns = model->now_ns;
	}
}

static void model_run(bool is_ipv6, uint64_t start_ns, unsigned steps)
{
	struct model *model = calloc(1, sizeof(*model));
	struct flow_counts counts;
	uint64_t ended = 0;

	model->table = flow_create(&(struct flow_shape){ .flows = KEYS, .is_ipv6 = is_ipv6, .aliases = true,
		.seed = start_ns, .ended = model_ended, .owner = model });
	assert_non_null(model->table);
	model->is_ipv6 = is_ipv6;
	model->now_ns = start_ns;
	for (uint32_t i = 0; i < KEYS; i++)
		model->of[i].alias = model->alias_of[i] = KEYS;
	for (unsigned step = 0; step < steps; step++) {
		model_vector(model);
		for (unsigned i = 0; i < 8; i++)
			model_change(model);
		if (chance(4))
			model_age(model);
		if (!chance(steps / 16)) // a pause: within a turn of the wheels, longer, years
			model->now_ns += (uint64_t[]){ 100 * SECOND, 5000 * SECOND, 100000000 * SECOND }[chance(3)];
		if (!chance(steps / 32)) {
			check_links(model->table);
			check_index(model->table);
		}
	}
	flow_end_all(model->table, FLOW_STOPPED, model->now_ns);
	check_links(model->table);
	check_index(model->table);
	counts = flow_counts(model->table);
	for (unsigned i = 0; i < FLOW_REASONS; i++)
		ended += counts.ended[i];
	assert_int_equal(counts.flows, 0);
	assert_int_equal(counts.added, ended);
	assert_int_equal(model->told, ended - counts.ended[FLOW_TAKEN_BACK]);
	assert_int_equal(counts.ended[FLOW_FORGOTTEN] + counts.ended[FLOW_CROWDED], 0);
	flow_destroy(model->table);
	free(model);
}

static void does_what_a_map_does(void **state)
{
	(void)state;
	model_run(false, START, 20000);
	model_run(true, START, 10000);
	model_run(false, 0, 2000);                                                    // time begins with the capture
	model_run(false, (UINT64_C(3) << (32 + FLOW_TICK_BITS)) - 10 * SECOND, 4000); // ticks of 32 bits wrap
}

// ---- creation

static void refuses_shapes(void **state)
{
	(void)state;
	assert_null(flow_create(&(struct flow_shape){ .flows = 0, .ended = note_end }));
	assert_int_equal(errno, EINVAL);
	assert_null(flow_create(&(struct flow_shape){ .flows = FLOW_MOST + 1, .ended = note_end }));
	assert_int_equal(errno, EINVAL);
	flow_destroy(NULL);
	for (uint32_t flows = 1; flows < 40; flows++) { // small ones work, and forget
		struct flow_table *table = create(flows);

		for (uint32_t i = 0; i < 1000; i++)
			add(table, i, START, FLOW_WANTED, 10);
		assert_int_equal(flow_counts(table).flows, flows);
		assert_int_equal(flow_counts(table).ended[FLOW_FORGOTTEN], 1000 - flows);
		check_links(table);
		check_index(table);
		flow_destroy(table);
	}
}

static void takes_memory_as_flows_come(void **state)
{
	struct flow_table *table = create(1000000);
	uint64_t empty = flow_counts(table).bytes;

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(flow_number(table, add(table, i, START, FLOW_WANTED, 1)), i);
	assert_int_equal(flow_counts(table).bytes, empty + 100 * 140);
	assert_true(empty + 1000000 * 140 <= 160 * 1000000); // what 1,000,000 flows will take
	flow_destroy(table);
}

// ---- time

static void ends_at_its_time(void **state)
{
	struct flow_table *table = create(100);
	struct flow *first = add(table, 1, START, FLOW_WANTED, 10);
	struct flow_found found = at(table, client(1), START + 10 * SECOND - 1, (struct flow_life){ 1, FLOW_DROPPED });

	(void)state;
	assert_ptr_equal(found.flow, first);
	assert_int_equal(end_count, 0);
	found = at(table, client(1), START + 20 * SECOND - 1, (struct flow_life){ 5000, FLOW_WANTED });
	assert_true(found.is_new);
	assert_ptr_not_equal(found.flow, first);
	assert_int_equal(end_count, 1);
	assert_int_equal(ends[0].reason, FLOW_TIMED_OUT);
	assert_int_equal(ends[0].at_ns, START + 20 * SECOND - 1);
	assert_int_equal(first->head.start_ns, START); // readable still
	assert_false(flow_age(table, START + 25 * SECOND - 2, 64));
	assert_int_equal(end_count, 1);
	assert_false(flow_age(table, START + 26 * SECOND, 64));
	assert_int_equal(end_count, 2);
	assert_int_equal(ends[1].at_ns, START + 25 * SECOND - 1);
	flow_destroy(table);
}

static void records_stay_readable(void **state)
{
	struct flow_table *table = create(1000);
	struct flow *first = add(table, 0, START, FLOW_WANTED, 10);

	(void)state;
	flow_end(table, first, FLOW_FINISHED, START);
	for (uint32_t i = 1; i <= FLOW_READABLE; i++) {
		assert_int_equal(first->head.ip4[0], 0x0b000000);
		flow_end(table, add(table, i, START, FLOW_WANTED, 10), FLOW_FINISHED, START);
	}
	assert_ptr_equal(add(table, 999, START, FLOW_WANTED, 10), first);
	flow_destroy(table);
}

static void ages_with_bounded_work(void **state)
{
	struct flow_table *table = create(10000);
	unsigned calls = 1;

	(void)state;
	for (uint32_t i = 0; i < 4000; i++)
		add(table, i, START, FLOW_CLOSING, 1 + i % 3);
	for (; flow_age(table, START + 1000 * SECOND, 64); calls++)
		assert_int_equal(end_count, calls * 64);
	assert_int_equal(end_count, 4000);
	assert_int_equal(flow_counts(table).late, calls - 1);
	for (unsigned i = 1; i < 4000; i++) // in order of their times
		assert_true(ends[i - 1].at_ns <= ends[i].at_ns);
	flow_destroy(table);
}

// ---- who is forgotten

static void forgets_in_order(void **state)
{
	static const enum flow_rank ranks[] = { FLOW_WANTED, FLOW_CLOSING, FLOW_DROPPED, FLOW_HALF_OPEN };
	struct flow_table *table = create(400);
	enum flow_rank rank = FLOW_DROPPED;

	(void)state;
	for (uint32_t i = 0; i < 400; i++)
		add(table, i, START + i * SECOND / 4, ranks[i % 4], 300 + i % 4 * 300);
	for (uint32_t i = 0; i < 400; i += 8) // each other wanted one is heard of again, in the same order
		at(table, client(i), START + (101 + i / 400) * SECOND + i * MS, (struct flow_life){ 1, FLOW_DROPPED });
	for (uint32_t i = 0; i < 400; i++) {
		add(table, 1000 + i, START + 110 * SECOND, FLOW_WANTED, 3600);
		assert_int_equal(end_count, i + 1);
		assert_int_equal(ends[i].reason, FLOW_FORGOTTEN);
		assert_int_equal(ends[i].at_ns, START + 110 * SECOND);
		assert_true(flow_rank(ends[i].flow) >= rank);
		rank = flow_rank(ends[i].flow);
		if (i % 100)
			assert_true(ends[i].flow->head.last_ns_ >= ends[i - 1].flow->head.last_ns_);
		if (i >= 300) // those that were heard of again last
			assert_int_equal(ends[i].flow->head.last_ns_ > START + 100 * SECOND, i >= 350);
	}
	for (unsigned i = 0; i < FLOW_RANKS; i++)
		assert_int_equal(flow_counts(table).forgotten[i], 100);
	flow_destroy(table);
}

static void a_flood_leaves_the_others(void **state)
{
	enum { ROOM = 20000, GOOD = 1000, FLOOD = 2000000 };
	struct flow_table *table = create(ROOM);
	struct flow *good[GOOD];
	uint64_t now = START, bytes = 0;

	(void)state;
	for (uint32_t i = 0; i < GOOD; i++) {
		good[i] = add(table, FLOOD + i, now, FLOW_HALF_OPEN, 10);
		flow_live(table, good[i], (struct flow_life){ 300000, FLOW_WANTED });
	}
	for (uint32_t i = 0; i < FLOOD; i++) {
		now += 500;
		add(table, i, now, FLOW_HALF_OPEN, 10);
		if (i % 128 == 0)
			flow_age(table, now, 128);
		if (i % 1000 == 0)
			assert_ptr_equal(at(table, client(FLOOD + i / 1000 % GOOD), now,
						 (struct flow_life){ 1, 0 })
						 .flow,
				good[i / 1000 % GOOD]);
		if (i == 2 * ROOM)
			bytes = flow_counts(table).bytes;
	}
	for (uint32_t i = 0; i < GOOD; i++)
		assert_ptr_equal(at(table, client(FLOOD + i), now, (struct flow_life){ 1, 0 }).flow, good[i]);
	assert_int_equal(flow_counts(table).bytes, bytes);
	assert_int_equal(flow_counts(table).most, ROOM);
	assert_int_equal(flow_counts(table).ended[FLOW_CROWDED], 0);
	assert_int_equal(flow_counts(table).forgotten[FLOW_HALF_OPEN], FLOOD + GOOD - ROOM);
	check_links(table);
	flow_destroy(table);
}

static void looks_at_few_when_all_are_in_use(void **state)
{
	struct flow_table *table = create(1000);

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		add(table, i, START, FLOW_WANTED, 100);
	for (uint32_t i = 0; i < 1000; i++)
		at(table, client(i), START + (10 + i % 7) * SECOND, (struct flow_life){ 1, 0 });
	for (uint32_t i = 0; i < 500; i++)
		add(table, 1000 + i, START + 20 * SECOND, FLOW_WANTED, 100);
	assert_int_equal(flow_counts(table).flows, 1000);
	check_links(table);
	flow_destroy(table);
}

// ---- hostile keys: somebody knows the seed, and all that he sends falls into two buckets

static void lives_with_keys_that_collide(void **state)
{
	struct flow_table *table = create(1000);
	uint32_t sent = 0;

	(void)state;
	add(table, 0, START, FLOW_WANTED, 100);
	for (uint32_t i = 1; sent < 100; i++) {
		struct flow_key key = client(i);
		struct flow_alone alone;
		struct flow_spot spot;

		assert_true(flow_key_alone(table, &key, &alone));
		spot = flow_spot(table, alone.batch.hash[0]);
		if (spot.first > 1 || spot.second > 1)
			continue;
		add(table, i, START + sent * MS, FLOW_HALF_OPEN, 100);
		sent++;
	}
	assert_true(flow_counts(table).ended[FLOW_CROWDED] >= 76);
	assert_true(flow_counts(table).flows + flow_counts(table).ended[FLOW_CROWDED] == 101);
	check_index(table);
	check_links(table);
	flow_destroy(table);
}

// Regular keys, as a scan sends them, with many seeds: buckets fill as with random ones.
static void spreads_regular_keys(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		struct flow_secret secret = flow_secret(seed);
		static uint8_t load[1000];
		unsigned over = 0;

		memset(load, 0, sizeof(load));
		for (uint32_t i = 0; i < 7000; i++) {
			uint32_t src = 0x0a000000 + (seed & 1 ? i : 0), dst = 0xc0a80001 + (seed & 2 ? i << 8 : 0);
			uint16_t port = (uint16_t)(seed & 3 ? 80 : 1024 + i);
			uint32_t hash = flow_hash4(&secret, src, dst, port, 443, 6 << 16, 0);

			assert_int_equal(hash, flow_hash4(&secret, dst, src, 443, port, 6 << 16, 0));
			over += ++load[(uint64_t)hash * 1000 >> 32] > FLOW_SLOTS;
		}
		assert_true(over < 200); // Poisson says 55 of 7,000
	}
}

static void workers_get_like_shares(void **state)
{
	struct flow_secret secret = flow_secret(3);
	unsigned share[4] = { 0 }, first_half = 0;

	(void)state;
	for (uint32_t i = 0; i < 40000; i++) {
		uint32_t hash = flow_hash4(&secret, i, 1, 2, 3, 0, 0);
		unsigned worker = flow_worker(hash, 4);

		share[worker]++;
		first_half += worker == 0 && hash >> 31 == 0; // of that worker's buckets
	}
	for (unsigned i = 0; i < 4; i++)
		assert_in_range(share[i], 9700, 10300);
	assert_in_range(first_half, 4800, 5200);
}

// ---- the rest

static void counts_beyond_32_bits(void **state)
{
	struct flow_table *table = create(10);
	struct flow *flow = add(table, 1, START, FLOW_WANTED, 10);
	uint64_t most = (UINT64_C(1) << 48) - 1;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		flow_count(flow, false, UINT32_MAX, 3000000000u);
		flow_count(flow, true, 1, 0);
	}
	assert_int_equal(flow_counted(flow, false).bytes, 3 * (uint64_t)UINT32_MAX);
	assert_int_equal(flow_counted(flow, false).payload, UINT64_C(9000000000));
	assert_int_equal(flow_counted(flow, true).bytes, 3);
	assert_int_equal(flow_counted(flow, true).packets, 3);
	for (unsigned i = 0; i < 70000; i++)
		flow_count(flow, false, UINT32_MAX, UINT32_MAX);
	assert_int_equal(flow_counted(flow, false).bytes, most);
	flow->side[0].packets = UINT32_MAX;
	flow_count(flow, false, 1, 1);
	assert_int_equal(flow_counted(flow, false).bytes, most);
	assert_int_equal(flow_counted(flow, false).packets, UINT64_C(1) << 32);
	flow->tcp[1][2] = 9;
	flow_turn(table, flow);
	assert_int_equal(flow->tcp[0][2], 9);
	assert_int_equal(flow_counted(flow, true).payload, most);
	assert_int_equal(flow_counted(flow, false).bytes, 3);
	flow_destroy(table);
}

static void walks_while_flows_end(void **state)
{
	struct flow_table *table = create(1000);
	unsigned seen = 0;
	struct flow *flow;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		add(table, i, START, FLOW_WANTED, 10);
	for (uint32_t place = 0; (flow = flow_next(table, &place)); seen++)
		if (seen % 3)
			flow_end(table, flow, FLOW_FINISHED, START);
	assert_int_equal(seen, 1000);
	assert_int_equal(flow_counts(table).flows, 334);
	flow_end_all(table, FLOW_STOPPED, START + 10 * SECOND); // their time was up
	assert_int_equal(flow_counts(table).ended[FLOW_TIMED_OUT], 334);
	flow_destroy(table);
}

static void pings_meet(void **state)
{
	static const struct {
		bool is_ipv6;
		uint8_t ask, answer;
	} pairs[] = { { false, 8, 0 }, { false, 13, 14 },
		{ false, 15, 16 }, { false, 17, 18 }, { true, 128, 129 } };

	(void)state;
	for (unsigned i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		struct flow_ports ask = flow_icmp_ports(pairs[i].is_ipv6, pairs[i].ask, 0, 99);
		struct flow_ports answer = flow_icmp_ports(pairs[i].is_ipv6, pairs[i].answer, 0, 99);

		assert_true(ask.src == answer.dst && ask.dst == answer.src);
		assert_true(ask.src != flow_icmp_ports(pairs[i].is_ipv6, pairs[i].ask, 0, 98).src);
	}
	assert_int_equal(flow_icmp_ports(false, 3, 1, 5).dst, 0x301);
	assert_int_equal(flow_icmp_ports(true, 8, 0, 5).src, 0);
}

static void keys_alone(void **state)
{
	struct flow_table *table = create(10), *table6 = flow_create(&(struct flow_shape){
		.flows = 10, .is_ipv6 = true, .ended = note_end });
	struct flow_key four = client(1), six = key_of(5, true);
	struct flow *flow = add(table, 1, START, FLOW_WANTED, 10);

	(void)state;
	assert_ptr_equal(flow_find_key(table, &four, START).flow, flow);
	four = turned(four);
	assert_true(flow_find_key(table, &four, START).from_server);
	assert_null(flow_find_key(table, &six, START).flow);
	assert_null(flow_find_key(table6, &six, START).flow);
	assert_null(flow_find_key(table, &four, START + 10 * SECOND).flow); // its time was up
	assert_int_equal(end_count, 1);
	flow_destroy(table);
	flow_destroy(table6);
}

static void blocks_are_zeroed(void **state)
{
	struct flow_blocks *blocks;
	char *taken[50];

	(void)state;
	assert_null(flow_blocks_create(0, 1));
	assert_null(flow_blocks_create(1, 0));
	flow_blocks_destroy(NULL);
	blocks = flow_blocks_create(40, 50);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 50; i++) {
			taken[i] = flow_block_take(blocks);
			assert_non_null(taken[i]);
			assert_int_equal((uintptr_t)taken[i] % 64, 0);
			for (unsigned j = 0; j < 40; j++)
				assert_int_equal(taken[i][j], 0);
			memset(taken[i], 0xff, 40);
		}
		assert_null(flow_block_take(blocks));
		assert_int_equal(flow_blocks_used(blocks), 50);
		for (unsigned i = 0; i < 50; i++)
			flow_block_give(blocks, taken[i]);
	}
	flow_block_give(blocks, NULL);
	assert_int_equal(flow_blocks_used(blocks), 0);
	assert_int_equal(flow_blocks_bytes(blocks), 50 * 64);
	flow_blocks_destroy(blocks);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(does_what_a_map_does),
		cmocka_unit_test(refuses_shapes),
		cmocka_unit_test(takes_memory_as_flows_come),
		cmocka_unit_test(ends_at_its_time),
		cmocka_unit_test(records_stay_readable),
		cmocka_unit_test(ages_with_bounded_work),
		cmocka_unit_test(forgets_in_order),
		cmocka_unit_test(a_flood_leaves_the_others),
		cmocka_unit_test(looks_at_few_when_all_are_in_use),
		cmocka_unit_test(lives_with_keys_that_collide),
		cmocka_unit_test(spreads_regular_keys),
		cmocka_unit_test(workers_get_like_shares),
		cmocka_unit_test(counts_beyond_32_bits),
		cmocka_unit_test(walks_while_flows_end),
		cmocka_unit_test(pings_meet),
		cmocka_unit_test(keys_alone),
		cmocka_unit_test(blocks_are_zeroed),
	};

	return cmocka_run_group_tests_name("flow_table", tests, NULL, NULL);
}
