// SPDX-License-Identifier: Apache-2.0
// weir.h - all that a module sees of Weir.
//
// A module is data: one exported descriptor. Whatever an element has, it has as a member of its own struct:
// settings, counters, columns, tables, flow state, events that it raises, timers. Its class lists those
// members; the platform fills them, one struct per element and worker. Members that are not listed are the
// element's own, zero at the start.
//
// Everything here runs on the element's own worker, without locks, unless a line says otherwise. What a
// function gets it borrows until it returns; what it must keep it keeps in its struct, in a table, or through
// weir_hold.
#ifndef WEIR_H
#define WEIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

// a wrong payload, key, row or handler is an error in every build, not a warning in some
#pragma GCC diagnostic error "-Wincompatible-pointer-types"

#define WEIR_ABI 1
#define WEIR_VECTOR 64 // slots of a vector

// ---- masks: a set of packets is 64 bits, one a slot

typedef uint64_t weir_mask;

// Each slot of a mask, lowest first; break and continue work.
#define weir_each(i, mask)                                                                                 \
	for (uint64_t i##_left = (mask), i; i##_left && (i = (uint64_t)__builtin_ctzll(i##_left), true);   \
	     i##_left &= i##_left - 1)

// The mask of all slots for which a condition on columns holds: in & weir_where (i, ttl[i] <= 1).
// It also looks at slots that are not yours (their values are stale but readable): and it with `in`.
#define weir_where(i, condition)                                                                           \
	({                                                                                                 \
		uint8_t i##_is[WEIR_VECTOR];                                                               \
		for (int i = 0; i < WEIR_VECTOR; i++)                                                      \
			i##_is[i] = (condition) ? 0xff : 0;                                                \
		weir_pack(i##_is);                                                                         \
	})

// Writes to columns, for the slots of `in` only: weir_write (v, in, i, paint[i] = 3). When all live slots are in
// `in` it is a plain loop over the whole column, which the compiler vectorises.
#define weir_write(v, in, i, ...)                                                                          \
	do {                                                                                               \
		if ((in) == (v)->live && (v)->fill > WEIR_VECTOR / 8)                                      \
			for (int i = 0; i < WEIR_VECTOR; i++) {                                            \
				__VA_ARGS__;                                                               \
			}                                                                                  \
		else                                                                                       \
			weir_each (i, in) {                                                                \
				__VA_ARGS__;                                                               \
			}                                                                                  \
	} while (0)

static inline weir_mask weir_pack(const uint8_t *is)
{
	weir_mask mask = 0;
#ifdef __SSE2__
	for (int i = 0; i < WEIR_VECTOR; i += 16)
		mask |= (weir_mask)(uint16_t)_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(is + i))) << i;
#else
	for (int i = 0; i < WEIR_VECTOR; i++)
		mask |= (weir_mask)(is[i] & 1) << i;
#endif
	return mask;
}

static inline unsigned weir_size(weir_mask mask)
{
	return (unsigned)__builtin_popcountll(mask);
}

// ---- what is there

struct weir_addr { // an IPv6 address, or IPv4 as ::ffff:a.b.c.d
	uint8_t bytes[16];
};
struct weir_prefix {
	struct weir_addr addr;
	uint8_t length; // of 128; an IPv4 /24 is 120
};
struct weir_ether {
	uint8_t bytes[6];
};
struct weir_text { // a view; not terminated
	const char *at;
	uint32_t length;
};
struct weir_time {
	uint64_t ns; // since 1970
};
struct weir_span {
	uint64_t ns;
};
struct weir_texts {
	uint32_t count;
	const char *const *text;
};

typedef uint64_t weir_counter;

struct weir_worker; // the platform's, never looked into
struct weir_packet;
struct weir_table;
struct weir_fifo;
struct weir_routes;
struct weir_rules;
struct weir_signal;
struct weir_start;

// The visible head of a flow record: its first cache line. A module reads who talks (through weir_client and
// weir_server the addresses) and when it began: that never changes. What changes is a field like any other: its column
// has the value as of each packet, that packet included, whatever else the vector holds; a packet of no flow has none.
// They are, by the names that weir_events.h has for them:
//
//	WEIR_COLUMN(uint64_t)     flow.packets_out flow.packets_back flow.bytes_out flow.bytes_back
//	                          flow.payload_out flow.payload_back
//	                          flow.start flow.duration; also as struct weir_time and struct weir_span
//	WEIR_COLUMN(const char *) tcp.state
struct weir_flow {
	union {
		uint32_t ip4[2];             // client, server; 10.0.0.1 is 0x0a000001
		const struct weir_addr *ip6; // both
	};
	uint16_t client_port, server_port, vlan; // of ICMP: identifier and type
	uint8_t protocol;
	uint8_t bits_; // from here on the platform's own
	uint64_t start_ns;
	uint64_t last_ns_;
	void *state_;              // what modules keep per flow; NULL until one does
	uint32_t knows_, done_;    // a bit per element that subscribes
	uint32_t tunnel_, idle_ms_;
	uint16_t payload_high_[2]; // of counters in the second line
	uint16_t generation_, flags_;
};
#define WEIR_FLOW_IPV6_ 4 // in bits_

// The visible head of a vector. Columns lie behind it, where the plan put them.
struct weir_vector {
	weir_mask live;   // the slots in use, 0 to fill - 1
	weir_mask shared; // those whose bytes a clone shares; weir_edit sees to it
	uint32_t fill;
	uint64_t now_ns; // greatest time of a packet so far; wall clock on live ports
	struct weir_worker *worker;
	uint8_t *data[WEIR_VECTOR];     // the frame's first byte; through weir_bytes and weir_edit
	uint32_t length[WEIR_VECTOR];   // of the whole frame
	uint32_t straight[WEIR_VECTOR]; // how much of it lies in the first buffer
	uint64_t time_ns[WEIR_VECTOR];  // since 1970; never less than that of an earlier packet
	struct weir_packet *packet[WEIR_VECTOR];
	struct weir_flow *flow[WEIR_VECTOR]; // NULL where nobody needs flows; of an ICMP error the one that it tells of
};

struct weir_call { // one input of one element on one worker, for one vector
	void *self;
	struct weir_vector *vector;
	weir_mask dropped, consumed, held; // through weir_drop, weir_consume, weir_hold
	uint16_t element, input;
};

struct weir_event { // borrowed until the handler returns
	void *self;
	const void *payload;
	struct weir_flow *flow;
	struct weir_vector *vector; // NULL if it rides on no packet
	struct weir_call *call;
	const struct weir_event_type *type;
	weir_counter *why; // of a drop; through weir_dropped
	uint64_t now_ns;
	uint8_t slot, from_server; // from_server: what it tells is of the server's side
};

enum weir_verdict {
	WEIR_PASS,
	WEIR_DROP,
	WEIR_DONE,      // pass; no handler of mine hears of this flow again
	WEIR_DROP_FLOW, // drop it and the rest of the flow here, the rest of this vector included
	WEIR_TO_FIRST,
};

// The packet leaves by this output; the element's process does not see it.
#define WEIR_TO(output) ((enum weir_verdict)(WEIR_TO_FIRST + (output)))

// ---- the shapes of code

// One fact at a time. Says what shall become of the packet or flow.
typedef enum weir_verdict weir_handler(struct weir_event *event);
// The packet path. `in` is what reached one input; every slot of it leaves by one output (out[]), by weir_drop, or by
// weir_hold. out[] is zero at the start.
typedef void weir_process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[]);
// For classes that choose what comes next (queues, schedulers, shapers): how many packets may enter
// now. A queue lets them in with weir_enter; a class behind it (Unqueue) asks it with weir_take.
// Returns how many entered, at most `wanted`.
typedef unsigned weir_taker(struct weir_call *call, unsigned wanted);

#define weir_self(at) ((at)->self) // at: a call or an event
#define weir_input(at) ((at)->input)
// Who opened the flow, and with whom: const struct weir_addr *, good to the end of the block.
#define weir_client(event) ((const struct weir_addr[1]){ weir_end_((event)->flow, 0) })
#define weir_server(event) ((const struct weir_addr[1]){ weir_end_((event)->flow, 1) })
// Nanoseconds since 1970 by the time of packets; of an event: the time of its packet.
#define weir_now_ns(at)                                                                                    \
	_Generic((at), struct weir_call *: ((struct weir_call *)(at))->vector->now_ns,                     \
		struct weir_event *: ((struct weir_event *)(at))->now_ns)

// ---- members of an element's struct: typed handles, filled by the platform

struct weir_handle_ {
	uint32_t at, has, base; // from the start of the vector: values, presence, places of the header
	uint8_t offset, width;  // bytes in the header; width 0: it is in none
	uint8_t shift, bits;    // of those bytes, as a number; bits 0: all
	uint8_t sum, check;     // which checksums cover it; where in the header its own is
	uint8_t unused[2];
};
#define WEIR_COLUMN(type)                                                                                  \
	union {                                                                                            \
		struct weir_handle_ handle_;                                                               \
		type *type_;                                                                               \
	}
#define WEIR_FLAG                                                                                          \
	union {                                                                                            \
		struct weir_handle_ handle_;                                                               \
		bool *type_;                                                                               \
	}
#define WEIR_FILTER                                                                                        \
	struct {                                                                                           \
		uint32_t at;                                                                               \
		const char *text;                                                                          \
	}
#define WEIR_PER_FLOW(type)                                                                                \
	union {                                                                                            \
		uint32_t at;                                                                               \
		type *type_;                                                                               \
	}
#define WEIR_TABLE(key, row)                                                                               \
	union {                                                                                            \
		struct weir_table *table;                                                                  \
		const key *key_;                                                                           \
		row *row_;                                                                                 \
	}
#define WEIR_SIGNAL(event)                                                                                 \
	union {                                                                                            \
		const struct weir_signal *signal;                                                          \
		weir_payload_##event *payload_;                                                            \
	}

// A field's values for this vector. Read any slot; write only slots of `in`: the others are elsewhere.
#define weir_column(v, member) ((typeof((member).type_))((char *)(v) + (member).handle_.at))
// The slots that have this field.
#define weir_has(v, member) (*(const weir_mask *)((char *)(v) + (member).handle_.has))
// A one-bit field (WEIR_FLAG): the slots on which it is set. Meaningful where weir_has.
#define weir_flag(v, member) (*(weir_mask *)((char *)(v) + (member).handle_.at))
// Says which slots of `in` have got a field that this element provides for some (.some = true).
#define weir_give(v, member, mask) ((void)(*(weir_mask *)((char *)(v) + (member).handle_.has) |= (mask)))
// The slots that match a WEIR_FILTER.
#define weir_matches(v, member) (*(const weir_mask *)((char *)(v) + (member).at))
#define weir_value(event, member) (weir_column((event)->vector, member)[(event)->slot])
#define weir_flow_state(flow, member) ((typeof((member).type_))((char *)(flow)->state_ + (member).at))

static inline struct weir_addr weir_end_(const struct weir_flow *flow, unsigned end)
{
	struct weir_addr addr = { { [10] = 0xff, [11] = 0xff } };
	uint32_t ip4;

	if (flow->bits_ & WEIR_FLOW_IPV6_)
		return flow->ip6[end];
	ip4 = __builtin_bswap32(flow->ip4[end]); // x86 is little-endian
	memcpy(addr.bytes + 12, &ip4, sizeof(ip4));
	return addr;
}

// ---- bytes: the truth; a column of a header is a cache of it

const uint8_t *weir_bytes_(struct weir_vector *v, unsigned slot, uint32_t offset, uint32_t length);
uint8_t *weir_edit_(struct weir_vector *v, unsigned slot, uint32_t offset, uint32_t length);
void weir_set_(struct weir_vector *v, unsigned slot, struct weir_handle_ handle, const void *value, unsigned size);

// `length` contiguous bytes of a frame from `offset`, or NULL if it is shorter. Of a chained packet at most 512 at a
// time; good until the call returns.
static inline const uint8_t *weir_bytes(struct weir_vector *v, unsigned slot, uint32_t offset, uint32_t length)
{
	if (__builtin_expect((uint64_t)offset + length <= v->straight[slot], 1))
		return v->data[slot] + offset;
	return weir_bytes_(v, slot, offset, length);
}

// The same to write to: un-shares and straightens first. The class declares what it changes (.rewrites, .reshapes).
// NULL also when there is no buffer left to un-share into: drop the packet.
static inline uint8_t *weir_edit(struct weir_vector *v, unsigned slot, uint32_t offset, uint32_t length)
{
	if (__builtin_expect(!(v->shared >> slot & 1) && (uint64_t)offset + length <= v->straight[slot], 1))
		return v->data[slot] + offset;
	return weir_edit_(v, slot, offset, length);
}

static inline void weir_mark_(weir_mask *mask, unsigned slot, bool value)
{
	*mask = (*mask & ~((weir_mask)1 << slot)) | (weir_mask)value << slot;
}

// Byte, column and checksums of a header field at once: weir_set (v, i, self->ttl, ttl[i] - 1).
#define weir_set(v, i, member, ...)                                                                        \
	({                                                                                                 \
		typeof(*(member).type_) value_ = (typeof(*(member).type_))(__VA_ARGS__);                   \
		if (_Generic(value_, bool: true, default: false))                                          \
			weir_mark_(&weir_flag(v, member), (unsigned)(i), weir_as_(value_, bool));          \
		else                                                                                       \
			weir_column(v, member)[i] = value_;                                                \
		if (_Generic(value_, uint8_t: true, default: false) &&                                     \
		    (member).handle_.sum >= WEIR_SUM_BYTE_ && !((v)->shared >> (i) & 1)) {                 \
			weir_store_byte_(v, (unsigned)(i), (member).handle_.base, (member).handle_.offset, \
					 (member).handle_.sum, weir_as_(value_, uint8_t));                 \
		} else { /* a copy: the address of the value itself would keep it out of a register */      \
			typeof(value_) copy_ = value_;                                                     \
			weir_set_(v, (unsigned)(i), (member).handle_, &copy_, sizeof(copy_));              \
		}                                                                                          \
	})
#define weir_as_(value, type) _Generic(value, type: value, default: (type)0)

// BYTE and IP_BYTE: one whole byte of a header without checksum; one at an even place of an IPv4 header.
enum {
	WEIR_SUM_NONE_,
	WEIR_SUM_IP_HEADER_,
	WEIR_SUM_PSEUDO_,
	WEIR_SUM_TRANSPORT_,
	WEIR_SUM_BYTE_,
	WEIR_SUM_IP_BYTE_
};

// One whole byte is the common case (TTL, hop limit): in line. RFC 1624: HC' = ~(~HC + ~m + m').
static inline void weir_store_byte_(struct weir_vector *v, unsigned i, uint32_t base, uint8_t offset, uint8_t kind,
				    uint8_t fresh)
{
	uint8_t *header = v->data[i] + ((const uint16_t *)((const char *)v + base))[i], *byte = header + offset;
	uint16_t check;
	uint32_t sum;

	if (kind == WEIR_SUM_IP_BYTE_) {
		memcpy(&check, header + 10, 2);
		sum = 0x1fffe - check - *byte + fresh;
		sum = (sum & 0xffff) + (sum >> 16);
		check = (uint16_t)~(sum + (sum >> 16));
		memcpy(header + 10, &check, 2);
	}
	*byte = fresh;
}

// The same for those slots of a mask that have the field, as a loop over columns, which is several times as fast:
// weir_set_each(v, mask, i, self->ttl, ttl[i] - 1). The value is computed for all slots of the vector, stale ones too.
#define weir_set_each(v, mask, i, member, ...)                                                             \
	do {                                                                                               \
		typeof(*(member).type_) i##_fresh[WEIR_VECTOR];                                            \
		for (int i = 0; i < WEIR_VECTOR; i++)                                                      \
			i##_fresh[i] = (typeof(*i##_fresh))(__VA_ARGS__);                                  \
		weir_set_each_(v, mask, (member).handle_, i##_fresh,                                       \
			       _Generic(*i##_fresh, bool: 0, default: sizeof(*i##_fresh)));                \
	} while (0)
// size 0: flags
void weir_set_each_(struct weir_vector *v, weir_mask mask, struct weir_handle_ handle, const void *fresh,
		    unsigned size);

// Room at the front or the end of a frame, or less of it. The class says .reshapes. prepend and
// append return the new bytes (their content is undefined), or NULL: no room, or longer than a
// frame may be. strip and trim are bounded by the length.
uint8_t *weir_prepend(struct weir_vector *v, unsigned slot, uint32_t length);
uint8_t *weir_append(struct weir_vector *v, unsigned slot, uint32_t length);
void weir_strip(struct weir_vector *v, unsigned slot, uint32_t length); // from the front
void weir_trim(struct weir_vector *v, unsigned slot, uint32_t length);  // from the end
// A packet of a virtual port may stand for several frames that are still to be cut (segmentation
// offload): bytes that each will carry behind its transport header; 0: it is one frame.
uint16_t weir_segment(const struct weir_vector *v, unsigned slot);
// A frame of another link type begins with an Ethernet header from now on (weir_prepend it first).
void weir_make_ethernet(struct weir_vector *v, unsigned slot);

// The Internet checksum (RFC 1071) of bytes, not complemented, starting from `sum`; in network order when stored with
// memcpy of ~fold. length: any.
uint32_t weir_sum(const void *bytes, size_t length, uint32_t sum);
static inline uint16_t weir_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~(sum + (sum >> 16));
}

static inline uint16_t weir_be16(const void *at)
{
	uint16_t value;
	memcpy(&value, at, 2);
	return __builtin_bswap16(value);
}
static inline uint32_t weir_be32(const void *at)
{
	uint32_t value;
	memcpy(&value, at, 4);
	return __builtin_bswap32(value);
}
static inline void weir_put16(void *at, uint16_t value)
{
	value = __builtin_bswap16(value);
	memcpy(at, &value, 2);
}
static inline void weir_put32(void *at, uint32_t value)
{
	value = __builtin_bswap32(value);
	memcpy(at, &value, 4);
}

// IPv4 addresses are numbers in host order in columns (10.0.0.1 is 0x0a000001), mapped in weir_addr.
static inline struct weir_addr weir_addr4(uint32_t ip)
{
	struct weir_addr addr = { { [10] = 0xff, [11] = 0xff } };
	weir_put32(addr.bytes + 12, ip);
	return addr;
}
static inline bool weir_is_ip4(const struct weir_addr *addr)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	return !memcmp(addr->bytes, mapped, 12);
}
static inline uint32_t weir_ip4(const struct weir_addr *addr)
{
	return weir_be32(addr->bytes + 12);
}

// ---- counters and drops

// One writer, the worker; others read at any time.
static inline void weir_count_by(weir_counter *counter, uint64_t by)
{
	__atomic_store_n(counter, *counter + by, __ATOMIC_RELAXED);
}
static inline void weir_count(weir_counter *counter)
{
	weir_count_by(counter, 1);
}

// A drop has a name: the counter that it is counted by.
static inline void weir_drop(struct weir_call *call, weir_mask mask, weir_counter *why)
{
	if (!mask)
		return;
	call->dropped |= mask;
	weir_count_by(why, weir_size(mask));
}

// A packet has done its work here (an answer that was read, a question that was answered): no loss.
static inline void weir_consume(struct weir_call *call, weir_mask mask, weir_counter *as)
{
	if (!mask)
		return;
	call->consumed |= mask;
	weir_count_by(as, weir_size(mask));
}

// The same in a handler: return weir_dropped(event, WEIR_DROP_FLOW, &self->refused);
static inline enum weir_verdict weir_dropped(struct weir_event *event, enum weir_verdict verdict, weir_counter *why)
{
	event->why = why;
	return verdict;
}

// ---- packets of one's own

// Takes a packet out of its vector, with the events that someone behind still waits for; cannot
// fail. The module owns it until weir_release (it goes on from that output in the next pass) or
// weir_discard (counted by `why`).
struct weir_packet *weir_hold(struct weir_call *call, unsigned slot);
void weir_release(struct weir_call *call, struct weir_packet *packet, unsigned output);
void weir_discard(struct weir_call *call, struct weir_packet *packet, weir_counter *why);
// Comes to this element's first input once more, in the next pass.
void weir_retry(struct weir_call *call, struct weir_packet *packet);
// A second packet with the same bytes, shared until one is edited. false: no buffer; counted by the platform.
bool weir_clone(struct weir_call *call, unsigned slot, unsigned output);
// A new packet, sent from an output right after this pass. `bytes` is copied. false: no buffer, or too long.
bool weir_emit(struct weir_call *call, const void *bytes, uint32_t length, unsigned output);

// First in, first out: packets that wait (WEIR_WAITS). put takes the packet of a slot (as weir_hold does);
// false: full, the slot is still the caller's.
bool weir_fifo_put(struct weir_call *call, struct weir_fifo *fifo, unsigned slot);
unsigned weir_fifo_size(const struct weir_fifo *fifo);
uint64_t weir_fifo_bytes(const struct weir_fifo *fifo);
// Lengths in bytes of the packet that waits longest; 0: nobody waits.
uint32_t weir_fifo_head(const struct weir_fifo *fifo);
// In a taker: lets up to `wanted` waiting packets enter the vector behind this element. Returns how many.
unsigned weir_enter(struct weir_call *call, struct weir_fifo *fifo, unsigned wanted);
// In a taker of an element that stands behind a queue: takes up to `wanted` from what is connected to `input`.
unsigned weir_take(struct weir_call *call, unsigned input, unsigned wanted);

// ---- tables: a row per key, bounded, cannot fail (a full table forgets its oldest row, counted)

void *weir_table_at_(struct weir_table *table, const void *key);
void *weir_table_find_(struct weir_table *table, const void *key);
void weir_table_forget_(struct weir_table *table, const void *row);
void *weir_table_next_(const struct weir_table *table, uint32_t *place, const void **key);
unsigned weir_table_size(const struct weir_table *table);

// The row of a key, made (zeroed) if absent.
#define weir_table_at(member, key)                                                                         \
	((typeof((member).row_))weir_table_at_((member).table, (typeof((member).key_)){ key }))
// The row of a key, or NULL.
#define weir_table_find(member, key)                                                                       \
	((typeof((member).row_))weir_table_find_((member).table, (typeof((member).key_)){ key }))
#define weir_table_forget(member, row) weir_table_forget_((member).table, (typeof((member).row_)){ row })
// All rows: uint32_t place = 0; const KEY *key; while ((row = weir_table_next(self->hosts, &place, &key))) ...
#define weir_table_next(member, place, key)                                                                \
	((typeof((member).row_))weir_table_next_((member).table, place, (const void **)(key)))

// ---- lookup: routes and rule sets, one for all workers (filled in `start`, read on the packet path)

// Longest prefix match. Values are 0 to 2^23 - 1. Both address families.
int weir_routes_add(struct weir_routes *routes, const struct weir_prefix *prefix, uint32_t value); // -EEXIST, -ENOSPC
enum { WEIR_NO_ROUTE = 0xffffffff };
// IPv4 look-ups of a column for the slots of `in`; value[i] is WEIR_NO_ROUTE where there is none.
void weir_routes_find4(const struct weir_routes *routes, const uint32_t *address, weir_mask in, uint32_t *value);
void weir_routes_find6(const struct weir_routes *routes, const struct weir_addr *address,
	weir_mask in, uint32_t *value);
uint32_t weir_route(const struct weir_routes *routes, const struct weir_addr *address);

struct weir_rule { // a 5-tuple rule; the first that fits wins
	struct weir_prefix source, destination; // length 0 of ::/0: any; both of one family
	uint16_t source_port[2], destination_port[2]; // from, to; 0 to 65535: any
	uint8_t protocol;                             // 0: any
	uint32_t value;                               // 1 to 2^31 - 1
};
int weir_rules_add(struct weir_rules *rules, const struct weir_rule *rule); // -EINVAL: no such packet can be
// Columns of packets against all rules: value[i] is that of the first rule that fits, 0 where none does, for the
// slots of `in`. Rules of one family never fit the other's packets, but those from ::/0 to ::/0 fit both. Ports are 0
// where there are none.
void weir_rules_find4(const struct weir_rules *rules, const uint32_t *source, const uint32_t *destination,
		      const uint16_t *source_port, const uint16_t *destination_port, const uint8_t *protocol,
		      weir_mask in, uint32_t *value);
void weir_rules_find6(const struct weir_rules *rules, const struct weir_addr *source,
		      const struct weir_addr *destination, const uint16_t *source_port,
		      const uint16_t *destination_port, const uint8_t *protocol, weir_mask in, uint32_t *value);

// Token bucket of a rate. Credit is counted in billionths of a unit, of which a nanosecond brings `per_second`:
// exact for every rate from 1 per second on. A burst is at most 18e9 units.
struct weir_bucket {
	uint64_t per_second, burst_nano, credit_nano, seen_ns;
};
void weir_bucket_init(struct weir_bucket *bucket, uint64_t per_second, uint64_t burst);
uint64_t weir_bucket_take(struct weir_bucket *bucket, uint64_t now_ns, uint64_t wanted); // how many units were there

// ---- raising events

struct weir_no_payload {
	uint8_t unused;
};
void *weir_raise_(struct weir_call *call, unsigned slot, const struct weir_signal *signal); // room for the payload
void weir_raise_each_(struct weir_call *call, weir_mask mask, const struct weir_signal *signal);

// Raises an event on the packet of this event (or of slot i). Costs a load and a branch if nobody listens; then
// the payload is not even evaluated. The payload is copied. Calls nobody: delivery is when the packet comes there.
#define weir_raise(event, member, ...) weir_raise_at((event)->call, (event)->slot, member, __VA_ARGS__)
#define weir_raise_at(call, i, member, ...)                                                                \
	((member).signal ? (void)(*(typeof((member).payload_))weir_raise_(call, (unsigned)(i), (member).signal) = \
					  *(const typeof(*(member).payload_) *){ __VA_ARGS__ })            \
			 : (void)0)
// The same for many slots at once, for events without a payload: a mask, no more.
#define weir_raise_each(call, mask, member)                                                                \
	((member).signal ? weir_raise_each_(call, mask, (member).signal) : (void)sizeof(*(member).payload_))

// ---- connections: in handlers of events that ride on TCP flows

// The bytes of a side's stream (of_server: what the server sent) from `offset` on, as far as they
// are still held: those that wait for others in front of them and, if the class says .remembers,
// the last 64 KiB that were told, those of later packets of this vector included. Copies up to the
// first one that is not there; returns how many.
uint32_t weir_stream_read(struct weir_event *event, bool of_server, uint64_t offset, void *into, uint32_t length);
// This element hears nothing more of a side's stream, nor of its end. With the last one who wants it nobody follows it.
void weir_stream_stop(struct weir_event *event, bool of_server);
// Sends each end of the connection a reset (RFC 9293, 3.5.2) in the name of the other: by `forward`
// to whom the event's packet is for, by `back` to who sent it. The class says .holds. Return
// WEIR_DROP_FLOW with it, for the packets that are still under way. false: not both were sent, for
// want of a buffer, or because the event rides on no packet, on a reset, or on one that is not TCP
// over IP over Ethernet.
bool weir_reset(struct weir_event *event, unsigned forward, unsigned back);

// ---- time

struct weir_timer {
	uint64_t due_ns; // 0: not set
};
static inline void weir_timer_set(struct weir_timer *timer, uint64_t due_ns)
{
	timer->due_ns = due_ns;
}

// For what an operator must know; never on the packet path. at: a call, an event's call, or NULL.
void weir_log(const struct weir_call *at, const char *format, ...) __attribute__((format(printf, 2, 3)));

// ---- descriptors

enum weir_type {
	WEIR_BYTES,
	WEIR_BOOL,
	WEIR_U8,
	WEIR_U16,
	WEIR_U32,
	WEIR_U64,
	WEIR_IP,
	WEIR_PREFIX,
	WEIR_ETHER,
	WEIR_STRING,
	WEIR_STRINGS,
	WEIR_VIEW,
	WEIR_TIME, // nanoseconds since 1970
	WEIR_SPAN, // nanoseconds
};

#define WEIR_TYPE(x)                                                                                       \
	_Generic((x), bool: WEIR_BOOL, uint8_t: WEIR_U8, uint16_t: WEIR_U16, uint32_t: WEIR_U32, uint64_t: WEIR_U64, \
		struct weir_addr: WEIR_IP, struct weir_prefix: WEIR_PREFIX, struct weir_ether: WEIR_ETHER,  \
		struct weir_time: WEIR_TIME, struct weir_span: WEIR_SPAN, struct weir_text: WEIR_VIEW,     \
		const char *: WEIR_STRING, struct weir_texts: WEIR_STRINGS, default: WEIR_BYTES)

enum weir_layer { WEIR_ANY_LAYER, WEIR_L2, WEIR_L3, WEIR_L4, WEIR_L7, WEIR_SYSTEM };
enum weir_per {
	WEIR_PER_PACKET,
	WEIR_PER_DIRECTION,
	WEIR_PER_FLOW_,
	WEIR_PER_STREAM,
	WEIR_PER_SESSION,
	WEIR_PER_HOST, // from here on events do not ride on packets
	WEIR_PER_AGGREGATE,
	WEIR_PER_SYSTEM,
};

struct weir_part { // one named datum of a payload
	const char *field; // Wireshark's name
	enum weir_type type;
	uint16_t offset, size;
};

struct weir_event_type {
	const char *name, *about;
	const struct weir_part *parts; // what filters and logs see; NULL: no payload
	enum weir_layer layer;
	enum weir_per per;
	uint16_t size;
};

enum weir_kind {
	WEIR_END,
	WEIR_IS_SETTING,
	WEIR_IS_COUNTER,
	WEIR_IS_TABLE,
	WEIR_IS_FIELD,
	WEIR_IS_STATE,
	WEIR_IS_SIGNAL,
	WEIR_IS_TIMER,
	WEIR_IS_FILTER,
	WEIR_IS_FIFO,
	WEIR_IS_ROUTES,
	WEIR_IS_RULES,
};
enum weir_use { WEIR_READS_ = 1, WEIR_WRITES_ = 2, WEIR_PROVIDES_ = 4, WEIR_READS_IF_ = 8 };

struct weir_member {
	enum weir_kind kind;
	enum weir_type type;
	const char *name, *about;
	const char *field; // the field of a column
	const char *value; // of a setting that was not given, as one writes it in a graph; NULL: it must be given
	int64_t min, max;  // of a number; both 0: whatever the type holds
	uint32_t offset, size, key_size, rows, idle_s;
	enum weir_use use;
	bool rest; // a weir_texts setting that takes all positional arguments
	bool live; // may change while it runs
	bool drop; // a counter of drops: also the name by which they are reported
	bool some; // a field that is given to some packets only (weir_give)
	const char *rows_from; // the setting (uint32_t) that says how many rows
	const struct weir_event_type *event;
	weir_handler *handler; // of a timer
};

struct weir_on {
	const struct weir_event_type *event; // or
	const char *name;                    // a name or a glob, for handlers that take any payload
	const char *where;                   // a filter
	weir_handler *plain;
	void (*typed)(void); // takes the payload as second argument
};

// By what key a class divides its state among workers; or a field: "ip.src".
#define WEIR_FLOW "flow"     // both directions of a conversation
#define WEIR_CLIENT "client" // the one who opened it
#define WEIR_ONE "one"       // it exists once
#define WEIR_ANY "any"       // it has none that matters (counters)

enum { WEIR_ETHERNET_ = 1, WEIR_NETWORK_ = 2, WEIR_TRANSPORT_ = 4 };
#define WEIR_REWRITES_L2 WEIR_ETHERNET_
#define WEIR_REWRITES_L3 WEIR_NETWORK_
#define WEIR_REWRITES_L4 WEIR_TRANSPORT_

struct weir_class {
	const char *name, *about;
	size_t self_size;
	const struct weir_member *members;
	const struct weir_on *on;
	const char *const *inputs;  // NULL: one, without a name
	const char *const *outputs; // NULL: one, without a name; "expired?": may be left open
	const char *by;             // NULL: WEIR_FLOW
	weir_process *process;
	weir_taker *take;
	// Derives what follows from settings, once, before any worker has a copy of the struct. 0
	// or weir_refuse's value.
	int (*start)(struct weir_start *start, void *self);
	int (*migrate)(void *self, const void *old, const char *old_version);
	const uint64_t *paths;      // per input the mask of outputs that it leads to; NULL: all
	uint64_t every_worker;      // inputs (a mask) whose packets come to every worker: replies that all must know
	uint32_t rewrites;          // WEIR_REWRITES_*: headers whose bytes it edits
	bool reshapes;              // moves headers: what was decoded is void behind it
	bool approximate;           // where steering cannot follow `by`: may be per worker
	bool no_inputs, no_outputs; // a source or observer; a sink
	bool many_inputs;           // as many as are connected
	bool many_outputs;          // start says how many (weir_outputs), else as many as are connected
	bool on_demand;             // the planner puts it in front of who hears what it raises
	bool remembers;             // calls weir_stream_read: what was told of its streams is held for a while
	bool holds;                 // calls weir_hold, weir_clone or weir_emit: packets leave their vector here
	const void *platform;       // NULL in modules
};

struct weir_module {
	uint32_t abi, vector;
	const char *name, *version;
	const struct weir_class *const *classes;
};

// In `start`: says how many outputs this element has (.many_outputs); asks how many are connected.
void weir_outputs(struct weir_start *start, unsigned count);
unsigned weir_connected(const struct weir_start *start);
// Refuses the settings, with a message for the one who wrote them; names the n-th argument (-1: none). Returns
// a value for `start` to return.
int weir_refuse(struct weir_start *start, int argument, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
// Zeroed memory that lives as long as the element; shared by all workers, so only read after `start`.
void *weir_memory(struct weir_start *start, size_t size);
// Parses as settings are parsed; false: it is none. Prefixes with or without length, either family.
bool weir_parse_addr(const char *text, struct weir_addr *addr);
bool weir_parse_prefix(const char *text, struct weir_prefix *prefix);
bool weir_parse_ether(const char *text, struct weir_ether *ether);
bool weir_parse_number(const char *text, uint64_t *number); // 17, 0x11, 64k, 1M

// ---- how a module spells them

#define WEIR_EVENT(id, text, payload, ...)                                                                 \
	typedef payload weir_payload_##id;                                                                 \
	[[maybe_unused]] static const struct weir_event_type weir_event_##id = {                           \
		.name = text, .size = sizeof(payload) __VA_OPT__(, ) __VA_ARGS__                           \
	}
#define WEIR_PART(payload, member, text)                                                                   \
	{                                                                                                  \
		.field = text, .type = WEIR_TYPE(((struct payload *)0)->member),                           \
		.offset = offsetof(struct payload, member), .size = sizeof(((struct payload *)0)->member)  \
	}

#define WEIR_MEMBER_(tag, member) .name = #member, .offset = offsetof(struct tag, member)
#define WEIR_SIZE_(tag, member) .size = sizeof(((struct tag *)0)->member)
#define WEIR_SETTING(tag, member, text, ...)                                                               \
	{                                                                                                  \
		.kind = WEIR_IS_SETTING, WEIR_MEMBER_(tag, member), WEIR_SIZE_(tag, member),               \
		.type = WEIR_TYPE(((struct tag *)0)->member), .value = text __VA_OPT__(, ) __VA_ARGS__     \
	}
#define WEIR_REQUIRED NULL // as the text of a setting: it must be given
#define WEIR_COUNTS(tag, member, ...)                                                                      \
	{                                                                                                  \
		.kind = WEIR_IS_COUNTER, WEIR_MEMBER_(tag, member),                                        \
		.size = sizeof(uint64_t) __VA_OPT__(, ) __VA_ARGS__                                        \
	}
#define WEIR_DROPS(tag, member, ...) WEIR_COUNTS(tag, member, .drop = true __VA_OPT__(, ) __VA_ARGS__)
#define WEIR_KEEPS(tag, member, ...)                                                                       \
	{                                                                                                  \
		.kind = WEIR_IS_TABLE, WEIR_MEMBER_(tag, member),                                          \
		.size = sizeof(*((struct tag *)0)->member.row_),                                           \
		.key_size = sizeof(*((struct tag *)0)->member.key_) __VA_OPT__(, ) __VA_ARGS__             \
	}
#define WEIR_FIELD_(tag, member, text, how, ...)                                                           \
	{                                                                                                  \
		.kind = WEIR_IS_FIELD, WEIR_MEMBER_(tag, member),                                          \
		.size = sizeof(*((struct tag *)0)->member.type_),                                          \
		.type = WEIR_TYPE(*((struct tag *)0)->member.type_), .field = text,                        \
		.use = how __VA_OPT__(, ) __VA_ARGS__                                                      \
	}
#define WEIR_READS(tag, member, text) WEIR_FIELD_(tag, member, text, WEIR_READS_)
#define WEIR_READS_IF(tag, member, text) WEIR_FIELD_(tag, member, text, WEIR_READS_IF_) // ask weir_has
#define WEIR_CHANGES(tag, member, text) WEIR_FIELD_(tag, member, text, WEIR_READS_ | WEIR_WRITES_)
#define WEIR_PROVIDES(tag, member, text, ...)                                                              \
	WEIR_FIELD_(tag, member, text, WEIR_PROVIDES_ __VA_OPT__(, ) __VA_ARGS__)
#define WEIR_STATE(tag, member, ...)                                                                       \
	{                                                                                                  \
		.kind = WEIR_IS_STATE, WEIR_MEMBER_(tag, member),                                          \
		.size = sizeof(*((struct tag *)0)->member.type_) __VA_OPT__(, ) __VA_ARGS__                \
	}
#define WEIR_RAISES(tag, member, id)                                                                       \
	{                                                                                                  \
		.kind = WEIR_IS_SIGNAL, WEIR_MEMBER_(tag, member),                                         \
		.size = sizeof(*((struct tag *)0)->member.payload_),                                       \
		.event = _Generic(((struct tag *)0)->member.payload_, weir_payload_##id *: &weir_event_##id) \
	}
#define WEIR_TIMER(tag, member, fn)                                                                        \
	{                                                                                                  \
		.kind = WEIR_IS_TIMER, WEIR_MEMBER_(tag, member), WEIR_SIZE_(tag, member), .handler = fn   \
	}
// A filter that the graph gives as a setting: Match(tcp.dstport == 443).
#define WEIR_MATCHES(tag, member, text, ...)                                                               \
	{                                                                                                  \
		.kind = WEIR_IS_FILTER, WEIR_MEMBER_(tag, member), WEIR_SIZE_(tag, member),                \
		.value = text __VA_OPT__(, ) __VA_ARGS__                                                   \
	}
#define WEIR_WAITS(tag, member, ...)                                                                       \
	{                                                                                                  \
		.kind = WEIR_IS_FIFO, WEIR_MEMBER_(tag, member),                                           \
		WEIR_SIZE_(tag, member) __VA_OPT__(, ) __VA_ARGS__                                         \
	}
#define WEIR_ROUTES(tag, member, ...)                                                                      \
	{                                                                                                  \
		.kind = WEIR_IS_ROUTES, WEIR_MEMBER_(tag, member),                                         \
		WEIR_SIZE_(tag, member) __VA_OPT__(, ) __VA_ARGS__                                         \
	}
#define WEIR_RULES(tag, member, ...)                                                                       \
	{                                                                                                  \
		.kind = WEIR_IS_RULES, WEIR_MEMBER_(tag, member),                                          \
		WEIR_SIZE_(tag, member) __VA_OPT__(, ) __VA_ARGS__                                         \
	}

// WEIR_ON(tls_client_hello, name_seen): name_seen takes the event, or the event and its payload, of just that type
#define WEIR_ON(id, fn, ...)                                                                               \
	{                                                                                                  \
		.event = &weir_event_##id,                                                                 \
		.plain = _Generic((fn), enum weir_verdict (*)(struct weir_event *): (fn), default: NULL),  \
		.typed = _Generic((fn), enum weir_verdict (*)(struct weir_event *): NULL,                  \
			enum weir_verdict (*)(struct weir_event *, const weir_payload_##id *)              \
			: (void (*)(void))(fn)) __VA_OPT__(, ) __VA_ARGS__                                 \
	}
#define WEIR_ON_ANY(glob, fn, ...)                                                                         \
	{                                                                                                  \
		.name = glob, .plain = fn __VA_OPT__(, ) __VA_ARGS__                                       \
	}

#define WEIR_PARTS(...)                                                                                    \
	.parts = (const struct weir_part[])                                                                \
	{                                                                                                  \
		__VA_ARGS__,                                                                               \
		{                                                                                          \
			.field = NULL                                                                      \
		}                                                                                          \
	}
#define WEIR_MEMBERS(...)                                                                                  \
	.members = (const struct weir_member[])                                                            \
	{                                                                                                  \
		__VA_ARGS__,                                                                               \
		{                                                                                          \
			.kind = WEIR_END                                                                   \
		}                                                                                          \
	}
#define WEIR_HANDLERS(...)                                                                                 \
	.on = (const struct weir_on[])                                                                     \
	{                                                                                                  \
		__VA_ARGS__,                                                                               \
		{                                                                                          \
			.event = NULL                                                                      \
		}                                                                                          \
	}
#define WEIR_INPUTS(...) .inputs = (const char *const[]){ __VA_ARGS__, NULL }
#define WEIR_OUTPUTS(...) .outputs = (const char *const[]){ __VA_ARGS__, NULL }

#define WEIR_CLASS(class, tag, ...)                                                                        \
	const struct weir_class class;                                                                     \
	const struct weir_class class = { .name = #class, .self_size = sizeof(struct tag), __VA_ARGS__ }

#define WEIR_MODULE(module, at, ...)                                                                       \
	__attribute__((visibility("default"))) const struct weir_module weir_module;                       \
	const struct weir_module weir_module = { .abi = WEIR_ABI,                                          \
						 .vector = WEIR_VECTOR,                                    \
						 .name = module,                                           \
						 .version = at,                                            \
						 .classes = (const struct weir_class *const[]){ __VA_ARGS__, NULL } }

// the platform's own facts
#include <weir_events.h>

#endif
