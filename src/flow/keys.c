// SPDX-License-Identifier: Apache-2.0
// From columns to keys and hashes, a vector at a time, and fetching what they lead to. Hashes of
// IPv4 are computed for all slots, whoever is in: several at a time, with what the processor has.
#include "flow/table.h"

static inline __attribute__((always_inline)) uint64_t meta_of(const struct flow_columns *columns, uint64_t i)
{
	return columns->src_port[i] | (uint64_t)columns->dst_port[i] << 16 | (uint64_t)columns->vlan[i] << 32 |
		(uint64_t)columns->protocol[i] << 48 | (uint64_t)FLOW_LIVE << 56;
}

static inline __attribute__((always_inline)) uint32_t rest_of(uint64_t meta)
{
	return meta >> 32 & 0xffffff;
}

static inline __attribute__((always_inline)) uint32_t hash6(const struct flow_secret *secret,
	const struct weir_addr *src, const struct weir_addr *dst, uint64_t meta, uint32_t tunnel)
{
	uint64_t from[2] = { flow_word(src), flow_word(src->bytes + 8) };
	uint64_t to[2] = { flow_word(dst), flow_word(dst->bytes + 8) };

	return flow_hash6(secret, from, to, meta & 0xffff, meta >> 16 & 0xffff, rest_of(meta), tunnel);
}

static inline __attribute__((always_inline)) void keys4(
	const struct flow_secret *secret, struct flow_batch *restrict batch, bool tunnels)
{
	struct flow_columns columns = batch->columns;

	for (unsigned i = 0; i < WEIR_VECTOR; i++) {
		batch->addr[i] = columns.src4[i] | (uint64_t)columns.dst4[i] << 32;
		batch->meta[i] = meta_of(&columns, i);
	}
	for (unsigned i = 0; i < WEIR_VECTOR; i++)
		batch->hash[i] = flow_hash4(secret, (uint32_t)batch->addr[i], (uint32_t)(batch->addr[i] >> 32),
			(uint16_t)batch->meta[i], (uint16_t)(batch->meta[i] >> 16), rest_of(batch->meta[i]),
			tunnels ? columns.tunnel[i] : 0);
}

#define RUNS(name, ...) \
	__VA_ARGS__ static void keys4_##name(const struct flow_secret *secret, struct flow_batch *batch) \
	{ \
		keys4(secret, batch, false); \
	} \
	__VA_ARGS__ static void keys4_tunnels_##name(const struct flow_secret *secret, struct flow_batch *batch) \
	{ \
		keys4(secret, batch, true); \
	}

RUNS(plain, )
RUNS(avx2, __attribute__((target("avx2,bmi,bmi2,lzcnt"))))
RUNS(avx512, __attribute__((target("avx2,bmi,bmi2,lzcnt,avx512f,avx512bw,avx512dq,avx512vl"))))

flow_keys4 *flow_choose_keys4(bool tunnels)
{
	static flow_keys4 *const runs[][2] = { { keys4_plain, keys4_tunnels_plain }, { keys4_avx2, keys4_tunnels_avx2 },
		{ keys4_avx512, keys4_tunnels_avx512 } };
	bool has_avx2, has_avx512;

	__builtin_cpu_init();
	has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
	has_avx512 = has_avx2 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
		__builtin_cpu_supports("avx512vl");
	return runs[has_avx2 + has_avx512][tunnels];
}

static void keys6(const struct flow_secret *secret, struct flow_batch *batch, weir_mask in)
{
	struct flow_columns columns = batch->columns;

	weir_each (i, in) {
		uint64_t meta = meta_of(&columns, i);

		batch->meta[i] = meta;
		batch->hash[i] = hash6(secret, &columns.src6[i], &columns.dst6[i], meta, columns.tunnel[i]);
	}
}

void flow_keys(struct flow_table *table, struct flow_batch *batch, const struct flow_columns *columns, weir_mask in)
{
	static const uint32_t zeros[WEIR_VECTOR];
	struct flow_columns own = *columns;

	own.src_port = own.src_port ? own.src_port : (const uint16_t *)zeros;
	own.dst_port = own.dst_port ? own.dst_port : (const uint16_t *)zeros;
	own.vlan = own.vlan ? own.vlan : (const uint16_t *)zeros;
	own.protocol = own.protocol ? own.protocol : (const uint8_t *)zeros;
	own.tunnel = own.tunnel ? own.tunnel : zeros;
	batch->columns = own;
	if (table->is_ipv6)
		keys6(&table->secret, batch, in);
	else
		table->keys4[columns->tunnel != NULL](&table->secret, batch);
	weir_each (i, in)
		__builtin_prefetch(&table->buckets[flow_spot(table, batch->hash[i]).first]);
}

static inline void fetch(const struct flow_table *table, uint32_t number, bool whole)
{
	__builtin_prefetch(&table->records[number], 1);
	if (whole)
		__builtin_prefetch(&table->records[number].side, 1);
	if (table->is_ipv6)
		__builtin_prefetch(&table->addrs[number]);
}

// The record whose tag is right, if the index has one; whether it is the one shows when it has come.
static inline struct flow *seek(const struct flow_table *table, uint32_t hash, bool whole)
{
	struct flow_spot spot = flow_spot(table, hash);
	const struct flow_bucket *bucket = &table->buckets[spot.first];
	uint32_t slots = flow_slots_with(bucket, spot.tag), entry;

	if (__builtin_expect(!slots && bucket->gone_on, 0)) {
		bucket = &table->buckets[spot.second];
		slots = flow_slots_with(bucket, spot.tag);
	}
	if (!slots)
		return NULL;
	entry = bucket->entry[__builtin_ctz(slots)];
	fetch(table, entry & ~FLOW_ALIAS, whole);
	if (__builtin_expect(!(entry & FLOW_ALIAS), 1))
		return &table->records[entry];
	__builtin_prefetch(&table->aliases[entry & ~FLOW_ALIAS]);
	return NULL;
}

void flow_seek(struct flow_table *table, struct flow_batch *batch, weir_mask in, bool whole)
{
	unsigned absent = 0;

	weir_each (i, in) {
		struct flow *flow = seek(table, batch->hash[i], whole);

		batch->flow[i] = flow;
		absent += !flow;
	}
	if (__builtin_expect(table->counts.flows + absent > table->room, 0))
		flow_foresee(table, (unsigned)(table->counts.flows + absent - table->room));
}

uint32_t flow_hash_of(const struct flow_table *table, const struct weir_flow *head)
{
	uint64_t meta = flow_word(&head->client_port);

	if (head->bits_ & FLOW_IPV6)
		return hash6(&table->secret, &head->ip6[0], &head->ip6[1], meta, head->tunnel_);
	return flow_hash4(&table->secret, head->ip4[0], head->ip4[1], head->client_port,
		head->server_port, rest_of(meta), head->tunnel_);
}

// ---- a key alone

static bool to_ip4(const struct weir_addr *addr, uint32_t *number)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	*number = (uint32_t)addr->bytes[12] << 24 | (uint32_t)addr->bytes[13] << 16 | (uint32_t)addr->bytes[14] << 8 |
		addr->bytes[15];
	return !memcmp(addr->bytes, mapped, sizeof(mapped));
}

// False: it is none of this table's family.
bool flow_key_alone(struct flow_table *table, const struct flow_key *key, struct flow_alone *alone)
{
	struct flow_batch *batch = &alone->batch;

	batch->columns = (struct flow_columns){ .src_port = &key->src_port, .dst_port = &key->dst_port,
		.vlan = &key->vlan, .protocol = &key->protocol, .tunnel = &key->tunnel };
	batch->meta[0] = meta_of(&batch->columns, 0);
	if (table->is_ipv6) {
		batch->columns.src6 = &key->src;
		batch->columns.dst6 = &key->dst;
		batch->hash[0] = hash6(&table->secret, &key->src, &key->dst, batch->meta[0], key->tunnel);
		return true;
	}
	if (!to_ip4(&key->src, &alone->src4) || !to_ip4(&key->dst, &alone->dst4))
		return false;
	batch->addr[0] = alone->src4 | (uint64_t)alone->dst4 << 32;
	batch->hash[0] = flow_hash4(&table->secret, alone->src4, alone->dst4, key->src_port, key->dst_port,
		rest_of(batch->meta[0]), key->tunnel);
	return true;
}

// ---- ICMP

struct flow_ports flow_icmp_ports(bool is_ipv6, uint8_t type, uint8_t code, uint16_t identifier)
{
	static const uint8_t asks[] = { 8, 13, 15, 17 }, answers[] = { 0, 14, 16, 18 };

	if (is_ipv6 && type == 128)
		return (struct flow_ports){ identifier, 128 << 8 };
	if (is_ipv6 && type == 129)
		return (struct flow_ports){ 128 << 8, identifier };
	for (unsigned i = 0; !is_ipv6 && i < sizeof(asks); i++) {
		if (type == asks[i])
			return (struct flow_ports){ identifier, (uint16_t)(type << 8) };
		if (type == answers[i])
			return (struct flow_ports){ (uint16_t)(asks[i] << 8), identifier };
	}
	return (struct flow_ports){ 0, (uint16_t)(type << 8 | code) }; // nobody answers it
}
