// SPDX-License-Identifier: Apache-2.0
#include "cli/talkers.h"

#include "lib/hash.h"

#include <assert.h>
#include <stdlib.h>

static_assert((TALKERS_SLOTS & (TALKERS_SLOTS - 1)) == 0 && TALKERS < UINT16_MAX);

// ---- rows by address

static uint32_t home_of(const struct weir_addr *address)
{
	static const uint64_t secret[2] = { UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xd6e8feb86659fd93) };
	uint64_t half[2];

	memcpy(half, address->bytes, sizeof(half));
	return (uint32_t)(hash_fold(half[0] ^ secret[0], half[1] ^ secret[1]) >> 16) & (TALKERS_SLOTS - 1);
}

static uint32_t find_slot(const struct talkers *talkers, const struct weir_addr *address)
{
	uint32_t slot = home_of(address);

	while (talkers->slots[slot] &&
		memcmp(&talkers->at[talkers->slots[slot] - 1].address, address, sizeof(*address)))
		slot = (slot + 1) & (TALKERS_SLOTS - 1);
	return slot;
}

// Those behind it move up, as far as that brings them nearer to where they belong.
static void forget_slot(struct talkers *talkers, uint32_t slot)
{
	uint32_t next = slot;

	talkers->slots[slot] = 0;
	for (;;) {
		uint32_t home;

		next = (next + 1) & (TALKERS_SLOTS - 1);
		if (!talkers->slots[next])
			return;
		home = home_of(&talkers->at[talkers->slots[next] - 1].address);
		if (((next - home) & (TALKERS_SLOTS - 1)) < ((next - slot) & (TALKERS_SLOTS - 1)))
			continue;
		talkers->slots[slot] = talkers->slots[next];
		talkers->slots[next] = 0;
		slot = next;
	}
}

// ---- rows by weight

static uint64_t weight_at(const struct talkers *talkers, uint32_t place)
{
	return talkers->at[talkers->heap[place]].weight;
}

static void swap(struct talkers *talkers, uint32_t a, uint32_t b)
{
	uint16_t row = talkers->heap[a];

	talkers->heap[a] = talkers->heap[b];
	talkers->heap[b] = row;
	talkers->place[talkers->heap[a]] = (uint16_t)a;
	talkers->place[talkers->heap[b]] = (uint16_t)b;
}

static void sift_down(struct talkers *talkers, uint32_t place)
{
	for (;;) {
		uint32_t least = place, child = 2 * place + 1;

		for (uint32_t i = child; i < child + 2 && i < talkers->count; i++)
			if (weight_at(talkers, i) < weight_at(talkers, least))
				least = i;
		if (least == place)
			return;
		swap(talkers, place, least);
		place = least;
	}
}

static void sift_up(struct talkers *talkers, uint32_t place)
{
	for (; place && weight_at(talkers, place) < weight_at(talkers, (place - 1) / 2); place = (place - 1) / 2)
		swap(talkers, place, (place - 1) / 2);
}

// ----

static uint32_t take_row(struct talkers *talkers, const struct weir_addr *address)
{
	uint32_t row = talkers->count;
	uint64_t weight = 0;

	if (row < TALKERS) {
		talkers->heap[row] = talkers->place[row] = (uint16_t)row;
		talkers->count++;
	} else {
		row = talkers->heap[0];
		weight = talkers->at[row].weight;
		talkers->has_forgotten = true;
		forget_slot(talkers, find_slot(talkers, &talkers->at[row].address));
	}
	talkers->at[row] = (struct talker){ .address = *address, .weight = weight, .error = weight };
	sift_up(talkers, talkers->place[row]);
	talkers->slots[find_slot(talkers, address)] = (uint16_t)(row + 1);
	return row;
}

struct talker *talkers_add(struct talkers *talkers, const struct weir_addr *address, uint64_t weight)
{
	uint32_t known = talkers->slots[find_slot(talkers, address)];
	uint32_t row = known ? known - 1 : take_row(talkers, address);

	talkers->at[row].weight += weight;
	sift_down(talkers, talkers->place[row]);
	return &talkers->at[row];
}

uint64_t talkers_unseen(const struct talkers *talkers)
{
	return talkers->has_forgotten ? weight_at(talkers, 0) : 0;
}

// ---- workers together

static int by_address(const void *a, const void *b)
{
	return memcmp(&((const struct talker *)a)->address, &((const struct talker *)b)->address,
		sizeof(struct weir_addr));
}

static int by_weight(const void *a, const void *b)
{
	const struct talker *one = a, *other = b;

	if (one->weight != other->weight)
		return one->weight < other->weight ? 1 : -1;
	return by_address(a, b);
}

static void join(struct talker *to, const struct talker *from)
{
	to->weight += from->weight;
	to->error += from->error;
	to->sent += from->sent;
	to->received += from->received;
	to->flows += from->flows;
}

// Where a worker has no row for it, it may have had as much as the worker's lightest.
static void add_unseen(struct talker *talker, const struct talkers *const *of, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!of[i]->slots[find_slot(of[i], &talker->address)]) {
			talker->weight += talkers_unseen(of[i]);
			talker->error += talkers_unseen(of[i]);
		}
}

uint32_t talkers_merge(const struct talkers *const *of, unsigned count, struct talker *to)
{
	uint32_t rows = 0, left = 0;

	for (unsigned i = 0; i < count; i++) {
		memcpy(to + rows, of[i]->at, of[i]->count * sizeof(*to));
		rows += of[i]->count;
	}
	qsort(to, rows, sizeof(*to), by_address);
	for (uint32_t i = 0; i < rows; i++) {
		if (left && !by_address(&to[left - 1], &to[i]))
			join(&to[left - 1], &to[i]);
		else
			to[left++] = to[i];
	}
	for (uint32_t i = 0; i < left; i++)
		add_unseen(&to[i], of, count);
	qsort(to, left, sizeof(*to), by_weight);
	return left;
}
