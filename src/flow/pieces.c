// SPDX-License-Identifier: Apache-2.0
#include "flow/pieces.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

// ---- policies

static bool never(uint64_t n, uint64_t m, uint64_t o, uint64_t p)
{
	(void)n, (void)m, (void)o, (void)p;
	return false;
}

static bool always(uint64_t n, uint64_t m, uint64_t o, uint64_t p)
{
	(void)n, (void)m, (void)o, (void)p;
	return true;
}

static bool begins_before(uint64_t n, uint64_t m, uint64_t o, uint64_t p)
{
	(void)m, (void)p;
	return n < o;
}

static bool begins_not_behind(uint64_t n, uint64_t m, uint64_t o, uint64_t p)
{
	(void)m, (void)p;
	return n <= o;
}

static bool begins_before_or_is_longer(uint64_t n, uint64_t m, uint64_t o, uint64_t p)
{
	return n < o || (n == o && m > p);
}

static bool begins_before_or_is_as_long(uint64_t n, uint64_t m, uint64_t o, uint64_t p)
{
	return n < o || (n == o && m >= p);
}

static bool covers_or_goes_beyond(uint64_t n, uint64_t m, uint64_t o, uint64_t p)
{
	return (n <= o && m >= p) || (n > o && m > p);
}

static bool begins_before_and_covers(uint64_t n, uint64_t m, uint64_t o, uint64_t p)
{
	return n < o && m >= p;
}

static bool begins_before_and_goes_beyond(uint64_t n, uint64_t m, uint64_t o, uint64_t p)
{
	return n < o && m > p;
}

static const struct {
	const char *name;
	overlap_rule *stream, *datagram;
} policies[OVERLAP_POLICIES] = {
	[OVERLAP_FIRST] = { "first", never, never },
	[OVERLAP_LAST] = { "last", always, always },
	[OVERLAP_BSD] = { "bsd", begins_before, begins_before },
	[OVERLAP_LINUX] = { "linux", begins_before_or_is_longer, begins_not_behind },
	[OVERLAP_OLD_LINUX] = { "old-linux", begins_before_or_is_as_long, begins_not_behind },
	[OVERLAP_SOLARIS] = { "solaris", covers_or_goes_beyond, begins_before_and_covers },
	[OVERLAP_WINDOWS] = { "windows", begins_before, begins_before_and_goes_beyond },
};

const char *overlap_policy_name(enum overlap_policy policy)
{
	return policies[policy].name;
}

int overlap_policy_find(const char *name)
{
	for (int i = 0; i < OVERLAP_POLICIES; i++)
		if (!strcmp(policies[i].name, name))
			return i;
	return -1;
}

overlap_rule *overlap_rule_of_stream(enum overlap_policy policy)
{
	return policies[policy].stream;
}

overlap_rule *overlap_rule_of_datagram(enum overlap_policy policy)
{
	return policies[policy].datagram;
}

// ---- the tree

static int compare(struct piece *a, struct piece *b)
{
	return a->from < b->from ? -1 : a->from > b->from;
}

RB_GENERATE_INTERNAL(piece_tree, piece, tree, compare, static __attribute__((unused)))

struct piece *pieces_first(const struct pieces *set)
{
	return set->count ? RB_MIN(piece_tree, (struct piece_tree *)&set->tree) : NULL;
}

struct piece *pieces_next(struct piece *piece)
{
	return RB_NEXT(piece_tree, NULL, piece);
}

// The first that reaches beyond `at`.
static struct piece *find(const struct pieces *set, uint64_t at)
{
	struct piece key = { .from = at }, *found, *before;

	if (!set->count)
		return NULL;
	found = RB_NFIND(piece_tree, (struct piece_tree *)&set->tree, &key);
	before = found ? RB_PREV(piece_tree, NULL, found) : RB_MAX(piece_tree, (struct piece_tree *)&set->tree);
	return before && before->to > at ? before : found;
}

// ---- the pool

static void link_keeps(struct keep **free_keeps, struct keep *keeps, uint32_t count, uint8_t *copies)
{
	for (uint32_t i = count; i--;) {
		keeps[i] = (struct keep){
			.is_copy = copies != NULL,
			.copy = copies ? copies + (size_t)i * PIECES_COPY : NULL,
			.next = *free_keeps,
		};
		*free_keeps = &keeps[i];
	}
}

int pieces_pool_init(
	struct pieces_pool *pool, uint32_t pieces, uint32_t copies, uint32_t handles, const struct keeper *keeper)
{
	*pool = (struct pieces_pool){
		.keeper = *keeper,
		.pieces = pieces,
		.copies = copies,
		.handles = handles,
		.all_pieces = calloc(pieces ? pieces : 1, sizeof(struct piece)),
		.all_keeps = calloc((size_t)copies + handles + 1, sizeof(struct keep)),
		.all_copies = malloc((size_t)copies * PIECES_COPY + 1),
	};
	if (!pool->all_pieces || !pool->all_keeps || !pool->all_copies) {
		pieces_pool_uninit(pool);
		return -ENOMEM;
	}
	for (uint32_t i = pieces; i--;) {
		pool->all_pieces[i].keep = (struct keep *)pool->free_pieces;
		pool->free_pieces = &pool->all_pieces[i];
	}
	link_keeps(&pool->free_copies, pool->all_keeps, copies, pool->all_copies);
	link_keeps(&pool->free_handles, pool->all_keeps + copies, handles, NULL);
	return 0;
}

void pieces_pool_uninit(struct pieces_pool *pool)
{
	pieces_sweep(pool);
	assert(!pool->pieces_used && !pool->copies_used && !pool->handles_used);
	free(pool->all_pieces);
	free(pool->all_keeps);
	free(pool->all_copies);
	*pool = (struct pieces_pool){ 0 };
}

static void let_go(struct pieces_pool *pool, struct keep *keep)
{
	if (--keep->references)
		return;
	keep->next = pool->spent;
	pool->spent = keep;
	pool->handles_spent += !keep->is_copy;
}

void pieces_sweep(struct pieces_pool *pool)
{
	struct keep *keep;

	pool->handles_spent = 0;
	while ((keep = pool->spent)) {
		struct keep **to = keep->is_copy ? &pool->free_copies : &pool->free_handles;

		pool->spent = keep->next;
		if (keep->is_copy) {
			pool->copies_used--;
		} else {
			pool->keeper.let_go(pool->keeper.context, keep->handle);
			pool->handles_used--;
		}
		keep->next = *to;
		*to = keep;
	}
}

// ---- single pieces

static struct piece *add(struct pieces_pool *pool, struct pieces *set, struct piece like)
{
	struct piece *piece = pool->free_pieces;

	assert(piece);
	pool->free_pieces = (struct piece *)piece->keep;
	pool->pieces_used++;
	*piece = like;
	if (piece->keep)
		piece->keep->references++;
	set->count++;
	set->bytes += piece->to - piece->from;
	RB_INSERT(piece_tree, &set->tree, piece);
	return piece;
}

void pieces_remove(struct pieces_pool *pool, struct pieces *set, struct piece *piece)
{
	RB_REMOVE(piece_tree, &set->tree, piece);
	set->count--;
	set->bytes -= piece->to - piece->from;
	if (piece->keep)
		let_go(pool, piece->keep);
	piece->keep = (struct keep *)pool->free_pieces;
	pool->free_pieces = piece;
	pool->pieces_used--;
}

static void begin_at(struct pieces *set, struct piece *piece, uint64_t from)
{
	set->bytes -= from - piece->from;
	piece->bytes += from - piece->from;
	piece->from = from; // nothing lies between, so that its place in the tree stays
}

static void end_at(struct pieces *set, struct piece *piece, uint64_t to)
{
	set->bytes -= piece->to - to;
	piece->to = to;
}

// Bytes a..b of it belong to somebody else now.
static void give_away(struct pieces_pool *pool, struct pieces *set, struct piece *piece, uint64_t a, uint64_t b)
{
	if (piece->from < a && piece->to > b) {
		struct piece right = *piece;

		right.from = b;
		right.bytes += b - piece->from;
		end_at(set, piece, a);
		add(pool, set, right);
	} else if (piece->from < a) {
		end_at(set, piece, a);
	} else if (piece->to > b) {
		begin_at(set, piece, b);
	} else {
		pieces_remove(pool, set, piece);
	}
}

// ---- a segment

uint32_t pieces_need(const struct pieces *set, uint64_t from, uint64_t to)
{
	uint32_t need = 2;

	for (struct piece *piece = find(set, from); piece && piece->from < to; piece = pieces_next(piece))
		need++;
	return need;
}

void pieces_put(struct pieces_pool *pool, struct pieces *set, uint64_t from, uint64_t to, const uint8_t *bytes,
	overlap_rule *replaces, pieces_overlap *overlap, void *context)
{
	struct piece part = { .from = from, .segment_from = from, .segment_to = to, .bytes = bytes };
	struct piece *next;

	for (struct piece *piece = find(set, from); piece && piece->from < to; piece = next) {
		uint64_t a = piece->from > from ? piece->from : from, b = piece->to < to ? piece->to : to;

		next = pieces_next(piece);
		if (overlap)
			overlap(context, a, (uint32_t)(b - a),
				!memcmp(piece->bytes + (a - piece->from), bytes + (a - from), b - a));
		if (replaces(from, to, piece->segment_from, piece->segment_to)) {
			give_away(pool, set, piece, a, b);
			continue;
		}
		part.to = a;
		if (part.from < part.to)
			add(pool, set, part);
		part.from = b;
		part.bytes = bytes + (b - from);
	}
	part.to = to;
	if (part.from < part.to)
		add(pool, set, part);
}

static struct keep *keep_copy(struct pieces_pool *pool, struct piece *piece)
{
	struct keep *keep = pool->free_copies;

	if (!keep)
		return NULL;
	pool->free_copies = keep->next;
	pool->copies_used++;
	memcpy(keep->copy, piece->bytes, piece->to - piece->from);
	piece->bytes = keep->copy;
	return keep;
}

static struct keep *keep_packet(struct pieces_pool *pool, void *packet)
{
	struct keep *keep = pool->free_handles;

	if (!keep)
		return NULL;
	keep->handle = pool->keeper.keep(pool->keeper.context, packet);
	if (!keep->handle)
		return NULL;
	pool->free_handles = keep->next;
	pool->handles_used++;
	return keep;
}

uint64_t pieces_keep(struct pieces_pool *pool, struct pieces *set, uint64_t from, uint64_t to, void *packet)
{
	struct keep *whole = NULL;
	uint64_t lost = 0;
	struct piece *next;

	for (struct piece *piece = find(set, from); piece && piece->from < to; piece = next) {
		struct keep *keep = NULL;

		next = pieces_next(piece);
		if (piece->keep)
			continue;
		if (piece->to - piece->from <= PIECES_COPY)
			keep = keep_copy(pool, piece);
		if (!keep)
			keep = whole ? whole : (whole = keep_packet(pool, packet));
		if (keep) {
			keep->references++;
			piece->keep = keep;
			continue;
		}
		lost += piece->to - piece->from;
		pieces_remove(pool, set, piece);
	}
	return lost;
}

// ---- sets

void pieces_cut(struct pieces_pool *pool, struct pieces *set, uint64_t end)
{
	struct piece *next;

	for (struct piece *piece = find(set, end); piece; piece = next) {
		next = pieces_next(piece);
		if (piece->from < end)
			end_at(set, piece, end);
		else
			pieces_remove(pool, set, piece);
	}
}

void pieces_clear(struct pieces_pool *pool, struct pieces *set)
{
	struct piece *piece;

	while ((piece = pieces_first(set)))
		pieces_remove(pool, set, piece);
}

uint32_t pieces_read(const struct pieces *set, uint64_t at, uint8_t *into, uint32_t length)
{
	uint32_t done = 0;

	for (struct piece *piece = find(set, at); piece && done < length && piece->from <= at + done;
		piece = pieces_next(piece)) {
		uint64_t there = piece->to - (at + done);
		uint32_t part = there < length - done ? (uint32_t)there : length - done;

		memcpy(into + done, piece->bytes + (at + done - piece->from), part);
		done += part;
	}
	return done;
}
