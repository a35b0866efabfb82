// SPDX-License-Identifier: Apache-2.0
// Flows: who talks to whom. A table belongs to one worker; nobody else touches it.
//
// A vector is worked in three steps, so that memory is waited for once and not once per packet:
//
//	flow_keys(table, &batch, &columns, mask);   hashes; the buckets are on their way
//	flow_seek(table, &batch, mask, true);       buckets; the records are on their way
//	weir_each (i, mask)                         in order of arrival
//		found = flow_at(table, &batch, i, time_ns[i], fresh);
//
// Both directions of a conversation have one record. Records never move, and they are given out lowest first, so that
// memory grows with what there is. Time is the packets'. A look-up of a flow whose time is up ends it, at the time at
// which it was up, and begins the next; flow_age ends those that nobody asks for. A full table forgets a flow for each
// new one. Whatever ends is told to `ended` first; its record can be read until FLOW_READABLE others have ended.
#ifndef FLOW_FLOW_H
#define FLOW_FLOW_H

#include <assert.h>
#include <weir.h>

struct flow_table;

// ---- the record: two cache lines, fetched as a pair

struct flow_side { // what one end has sent; through flow_count and flow_counted
	uint32_t packets, bytes, payload;
	uint16_t packets_high, bytes_high; // and weir_flow.payload_high_
};

struct flow {
	struct weir_flow head;
	struct flow_side side[2]; // client, server
	uint32_t tcp[2][4];       // of the TCP life-cycle; zero when a flow begins
};
static_assert(sizeof(struct weir_flow) == 64 && sizeof(struct flow) == 128);

// What is forgotten first when a table is full; within one, what would end first.
enum flow_rank { FLOW_DROPPED, FLOW_HALF_OPEN, FLOW_CLOSING, FLOW_WANTED, FLOW_RANKS };

struct flow_life {
	uint32_t idle_ms; // not 0; after so long without a packet it ends
	enum flow_rank rank;
};

enum { // weir_flow.bits_
	FLOW_RANK_BITS = 3,
	FLOW_IPV6 = WEIR_FLOW_IPV6_,
	FLOW_ALIASED = 8,
	FLOW_LIVE = 0x80,
};

enum flow_reason {
	FLOW_TIMED_OUT,  // at last_ns_ + idle_ms_
	FLOW_FORGOTTEN,  // for a new one, in the order of ranks
	FLOW_CROWDED,    // no bucket had room for a new one's key: does not happen with keys that nobody chose
	FLOW_FINISHED,   // these by flow_end
	FLOW_RESET,
	FLOW_REUSED,
	FLOW_STOPPED,
	FLOW_TAKEN_BACK, // by flow_take_back; `ended` does not hear of it
	FLOW_REASONS,
};

// A flow is about to end. Its key is free already; `at_ns` is never later than the time of the packet at hand.
typedef void flow_ended(void *owner, struct flow *flow, enum flow_reason reason, uint64_t at_ns);

// ---- the table

struct flow_shape {
	uint32_t flows; // at most so many, 1 to FLOW_MOST
	bool is_ipv6;   // an IPv4 and an IPv6 flow never meet in a table
	bool aliases;   // flow_alias is used: room for a second key per flow
	uint64_t seed;  // random on live ports: then chosen keys cannot be made to fall together
	flow_ended *ended;
	void *owner;
};
enum { FLOW_MOST = 1 << 26, FLOW_READABLE = 256 };

// Memory is reserved, but taken as flows come. NULL: errno is EINVAL (the shape) or ENOMEM.
struct flow_table *flow_create(const struct flow_shape *shape);
void flow_destroy(struct flow_table *table); // tells nobody: flow_end_all before; NULL is fine

struct flow_counts { // since the beginning, but `flows`
	uint64_t flows, most; // now; at most at a time
	uint64_t added, ended[FLOW_REASONS], forgotten[FLOW_RANKS];
	uint64_t late;  // times at which flow_age had to leave something for later
	uint64_t bytes; // of memory that was touched
};
struct flow_counts flow_counts(const struct flow_table *table);

// ---- keys

// Columns of a vector, by slot; those of slots that are not asked for are readable too. A pointer
// that is NULL stands for zeros. Numbers in host order.
struct flow_columns {
	union {
		struct { const uint32_t *src4, *dst4; };
		struct { const struct weir_addr *src6, *dst6; };
	};
	const uint16_t *src_port, *dst_port; // of ICMP: flow_icmp_ports; of others 0
	const uint8_t *protocol;
	const uint16_t *vlan;   // its number alone
	const uint32_t *tunnel; // number of the tunnel that it is in
};

struct flow_batch { // one vector's keys; nothing to be filled by callers
	struct flow *flow[WEIR_VECTOR]; // probably this one, or NULL
	uint64_t addr[WEIR_VECTOR];     // IPv4: source, destination
	uint64_t meta[WEIR_VECTOR];     // ports, VLAN, protocol, FLOW_LIVE: as at weir_flow.client_port
	uint32_t hash[WEIR_VECTOR];
	struct flow_columns columns; // must be good until the last flow_at
};

void flow_keys(struct flow_table *table, struct flow_batch *batch, const struct flow_columns *columns, weir_mask in);
// `whole`: counters and tcp will be looked at as well.
void flow_seek(struct flow_table *table, struct flow_batch *batch, weir_mask in, bool whole);

// Which of `workers` a key is for: the same for both directions, and independent of where a table puts it.
static inline unsigned flow_worker(uint32_t hash, unsigned workers)
{
	return (unsigned)((uint64_t)(hash * 0x85ebca6b) * workers >> 32);
}

// What stands for ports in a key of ICMP, so that request and answer meet: (identifier, type of the request).
struct flow_ports {
	uint16_t src, dst;
};
struct flow_ports flow_icmp_ports(bool is_ipv6, uint8_t type, uint8_t code, uint16_t identifier);

// ---- a packet's flow

struct flow_found {
	struct flow *flow;
	bool from_server, is_new;
};

// Finds and touches the flow of a slot, or adds one: this packet's source is its client. `fresh` is for new ones.
// Cannot fail.
static inline struct flow_found flow_at(
	struct flow_table *table, struct flow_batch *batch, unsigned slot, uint64_t now_ns, struct flow_life fresh);
// The same, if the record that was fetched is it and its time is not up; else flow is NULL and nothing is done.
static inline struct flow_found flow_touch(const struct flow_batch *batch, unsigned slot, uint64_t now_ns);
// The flow of a slot, not touched, or NULL.
struct flow_found flow_find(struct flow_table *table, const struct flow_batch *batch, unsigned slot, uint64_t now_ns);
// The flow of a key alone: what an ICMP error quotes. The key's source is the quoted one.
struct flow_key {
	struct weir_addr src, dst; // IPv4 as ::ffff:a.b.c.d
	uint16_t src_port, dst_port, vlan;
	uint8_t protocol;
	uint32_t tunnel;
};
struct flow_found flow_find_key(struct flow_table *table, const struct flow_key *key, uint64_t now_ns);

// n more packets, their bytes and bytes of payload, from client (0) or server (1).
static inline void flow_count(struct flow *flow, bool from_server, uint32_t bytes, uint32_t payload);
struct flow_counted {
	uint64_t packets, bytes, payload; // up to 2^48 - 1, where they stay
};
struct flow_counted flow_counted(const struct flow *flow, bool from_server);

// Gives a flow another time-out or rank. Cheap if neither rank changes nor the time-out becomes shorter.
void flow_live(struct flow_table *table, struct flow *flow, struct flow_life life);
// Client and server change places: the first packet that was seen was an answer. Counters and tcp with them.
void flow_turn(struct flow_table *table, struct flow *flow);
// A second key to a flow, as its packets look when they were translated; goes with it. Source is the client's side.
// A flow has one: the last. False: the key is another flow's (or this one's own).
bool flow_alias(struct flow_table *table, struct flow *flow, const struct flow_key *key);

// ---- ends

void flow_end(struct flow_table *table, struct flow *flow, enum flow_reason reason, uint64_t at_ns);
void flow_end_all(struct flow_table *table, enum flow_reason reason, uint64_t at_ns);
void flow_take_back(struct flow_table *table, struct flow *flow); // as if it had never been
// Ends those whose time is up; looks at `most` flows at most. Once per vector, before or after it. True: some are left.
bool flow_age(struct flow_table *table, uint64_t now_ns, unsigned most);
// Of those that flow_age has left for the tick that has begun, the ones whose time is up, too.
bool flow_age_exactly(struct flow_table *table, uint64_t now_ns, unsigned most);
// Nobody's time is up before; UINT64_MAX: there are no flows.
uint64_t flow_next_ns(const struct flow_table *table);

// Each flow: for (uint32_t place = 0; (flow = flow_next(table, &place));) - any of them may be ended meanwhile.
struct flow *flow_next(const struct flow_table *table, uint32_t *place);

// ---- blocks: memory of one size, as many as flows; what modules keep per flow

struct flow_blocks;
struct flow_blocks *flow_blocks_create(uint32_t size, uint32_t blocks); // NULL: errno
void flow_blocks_destroy(struct flow_blocks *blocks);                   // NULL is fine
void *flow_block_take(struct flow_blocks *blocks);                      // zeroed; NULL: all are in use
void flow_block_give(struct flow_blocks *blocks, void *block);          // NULL is fine
uint64_t flow_blocks_used(const struct flow_blocks *blocks);
uint64_t flow_blocks_bytes(const struct flow_blocks *blocks); // of memory that was touched

// ---- inline: what runs for every packet

struct flow_found flow_at_slowly(struct flow_table *table, struct flow_batch *batch, unsigned slot, uint64_t now_ns,
	struct flow_life fresh);
void flow_carry(struct flow *flow, bool from_server, bool packets, bool bytes, bool payload);

#define FLOW_META_MASK (~(UINT64_C(0x7f) << 56)) // of bits_, FLOW_LIVE alone

static inline uint64_t flow_word(const void *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static inline uint64_t flow_turned(uint64_t meta)
{
	return (meta & ~UINT64_C(0xffffffff)) | (meta & 0xffff) << 16 | (meta >> 16 & 0xffff);
}

// Bits: 1: this is the key, from the client; 2: from the server. Without a branch, because directions are random.
static inline unsigned flow_compare(const struct weir_flow *head, const struct flow_batch *batch, unsigned slot)
{
	uint64_t own = flow_word(&head->client_port), meta = batch->meta[slot];
	uint64_t tunnel = head->tunnel_ ^ batch->columns.tunnel[slot];
	uint64_t differs = ((own ^ meta) & FLOW_META_MASK) | tunnel;
	uint64_t differs_back = ((own ^ flow_turned(meta)) & FLOW_META_MASK) | tunnel;
	unsigned ends;

	if (head->bits_ & FLOW_IPV6) {
		const struct weir_addr *src = &batch->columns.src6[slot], *dst = &batch->columns.dst6[slot];
		const struct weir_addr *client = &head->ip6[0], *server = &head->ip6[1];

		differs |= flow_word(client) ^ flow_word(src);
		differs |= flow_word(client->bytes + 8) ^ flow_word(src->bytes + 8);
		differs |= flow_word(server) ^ flow_word(dst);
		differs |= flow_word(server->bytes + 8) ^ flow_word(dst->bytes + 8);
		differs_back |= flow_word(client) ^ flow_word(dst);
		differs_back |= flow_word(client->bytes + 8) ^ flow_word(dst->bytes + 8);
		differs_back |= flow_word(server) ^ flow_word(src);
		differs_back |= flow_word(server->bytes + 8) ^ flow_word(src->bytes + 8);
	} else {
		uint64_t addr = flow_word(head->ip4);

		differs |= addr ^ batch->addr[slot];
		differs_back |= addr ^ (batch->addr[slot] << 32 | batch->addr[slot] >> 32);
	}
	ends = (unsigned)!differs | (unsigned)!differs_back << 1;
	__asm__("" : "+r"(ends)); // or the compiler makes branches of it
	return ends;
}

static inline uint64_t flow_idle_ns(const struct flow *flow)
{
	return flow->head.idle_ms_ * UINT64_C(1000000);
}

static inline bool flow_is_over(const struct flow *flow, uint64_t now_ns)
{
	return (int64_t)(now_ns - flow->head.last_ns_) >= (int64_t)flow_idle_ns(flow);
}

static inline struct flow_found flow_touch(const struct flow_batch *batch, unsigned slot, uint64_t now_ns)
{
	struct flow *flow = batch->flow[slot];
	unsigned ends;

	if (__builtin_expect(!flow, 0))
		return (struct flow_found){ 0 };
	ends = flow_compare(&flow->head, batch, slot);
	if (__builtin_expect(!ends || flow_is_over(flow, now_ns), 0))
		return (struct flow_found){ 0 };
	flow->head.last_ns_ = now_ns;
	return (struct flow_found){ flow, !(ends & 1), false };
}

static inline struct flow_found flow_at(
	struct flow_table *table, struct flow_batch *batch, unsigned slot, uint64_t now_ns, struct flow_life fresh)
{
	struct flow_found found = flow_touch(batch, slot, now_ns);

	return __builtin_expect(found.flow != NULL, 1) ? found : flow_at_slowly(table, batch, slot, now_ns, fresh);
}

static inline void flow_count(struct flow *flow, bool from_server, uint32_t bytes, uint32_t payload)
{
	struct flow_side *side = &flow->side[from_server];
	bool packets_full = __builtin_add_overflow(side->packets, 1, &side->packets);
	bool bytes_full = __builtin_add_overflow(side->bytes, bytes, &side->bytes);
	bool payload_full = __builtin_add_overflow(side->payload, payload, &side->payload);

	if (__builtin_expect(packets_full | bytes_full | payload_full, 0))
		flow_carry(flow, from_server, packets_full, bytes_full, payload_full);
}

#endif
