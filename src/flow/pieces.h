// SPDX-License-Identifier: Apache-2.0
// Parts of something (a stream, a datagram) that came before what belongs in front of them: sorted, disjoint, each byte
// owned by one segment. Where segments overlap, a policy says whose byte it is. All memory is in a pool of fixed size;
// every step is O(log n). Bytes are kept as a copy where there are few, else by the handle of the packet they lie in.
//
// Policies, per byte: the new segment [n, m) replaces what the old one [o, p) holds, in a stream | in a datagram, if
//
//	first       never                                          Windows since Vista
//	last        always                                         some routers
//	bsd         n < o                                          BSD, AIX, HP-UX 10, macOS
//	linux       n < o, or n = o and m > p   | n <= o           Linux since 2.4
//	old-linux   n < o, or n = o and m >= p  | n <= o           Linux 2.2
//	solaris     n <= o and m >= p, or n > o and m > p
//	                                        | n < o and m >= p Solaris
//	windows     n < o                       | n < o and m > p  Windows 95 to 2003
//
// Sources: J. Novak and S. Sturges, "Target-Based TCP Stream Reassembly" (2007); J. Novak, "Target-Based Fragmentation
// Reassembly" (2005).
#ifndef FLOW_PIECES_H
#define FLOW_PIECES_H

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum overlap_policy {
	OVERLAP_FIRST,
	OVERLAP_LAST,
	OVERLAP_BSD,
	OVERLAP_LINUX,
	OVERLAP_OLD_LINUX,
	OVERLAP_SOLARIS,
	OVERLAP_WINDOWS,
	OVERLAP_POLICIES
};
const char *overlap_policy_name(enum overlap_policy policy);
int overlap_policy_find(const char *name); // or -1

enum { PIECES_COPY = 256 }; // so many bytes at most are copied rather than kept by handle

struct keep { // who owns bytes that are kept
	uint32_t references;
	bool is_copy;
	void *handle;
	struct keep *next; // while free or spent
	uint8_t *copy;
};

struct piece {
	RB_ENTRY(piece)
	tree;
	uint64_t from, to;                 // what it owns
	uint64_t segment_from, segment_to; // what it came with
	const uint8_t *bytes;              // the first is that of `from`
	struct keep *keep;                 // NULL: borrowed, until the call that brought it returns
};
RB_HEAD(piece_tree, piece);
struct pieces { // all zero: none
	struct piece_tree tree;
	uint32_t count;
	uint64_t bytes;
};

// What makes a packet stay. keep: a handle for pieces_pool.let_go, or NULL if that cannot be.
struct keeper {
	void *context;
	void *(*keep)(void *context, void *packet);
	void (*let_go)(void *context, void *handle);
};

struct pieces_pool {
	struct keeper keeper;
	struct piece *free_pieces; // linked by keep
	struct keep *free_copies, *free_handles, *spent;
	uint32_t pieces, copies, handles; // how many there are
	uint32_t pieces_used, copies_used, handles_used, handles_spent;
	struct piece *all_pieces;
	struct keep *all_keeps;
	uint8_t *all_copies;
};

// -ENOMEM. handles: packets that are kept at the same time at most.
int pieces_pool_init(
	struct pieces_pool *pool, uint32_t pieces, uint32_t copies, uint32_t handles, const struct keeper *keeper);
void pieces_pool_uninit(struct pieces_pool *pool); // every set was cleared

// Bytes of a segment that are there already: are they the same?
typedef void pieces_overlap(void *context, uint64_t at, uint32_t length, bool same);

// So many pieces pieces_put may need.
uint32_t pieces_need(const struct pieces *set, uint64_t from, uint64_t to);
// Bytes from..to, borrowed. So many pieces must be free as pieces_need says.
typedef bool overlap_rule(uint64_t n, uint64_t m, uint64_t o, uint64_t p);
overlap_rule *overlap_rule_of_stream(enum overlap_policy policy);
overlap_rule *overlap_rule_of_datagram(enum overlap_policy policy);
void pieces_put(struct pieces_pool *pool, struct pieces *set, uint64_t from, uint64_t to, const uint8_t *bytes,
	overlap_rule *replaces, pieces_overlap *overlap, void *context);
// Keeps what is left of it. What cannot be kept goes: returns so many bytes.
uint64_t pieces_keep(struct pieces_pool *pool, struct pieces *set, uint64_t from, uint64_t to, void *packet);

struct piece *pieces_first(const struct pieces *set);
struct piece *pieces_next(struct piece *piece);
// Its bytes stay readable until pieces_sweep.
void pieces_remove(struct pieces_pool *pool, struct pieces *set, struct piece *piece);
void pieces_cut(struct pieces_pool *pool, struct pieces *set, uint64_t end); // all behind it
void pieces_clear(struct pieces_pool *pool, struct pieces *set);
// Copies what is there from `at` on, without holes; returns how much.
uint32_t pieces_read(const struct pieces *set, uint64_t at, uint8_t *into, uint32_t length);
// Lets go what was removed.
void pieces_sweep(struct pieces_pool *pool);

#endif
