// SPDX-License-Identifier: Apache-2.0
// Who talks most, in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi 2005). Exact while
// all fit; then the one that weighs least gives its row, and its weight, to the new one: what a row
// says is too much by its error at most.
#ifndef CLI_TALKERS_H
#define CLI_TALKERS_H

#include <weir.h>

enum { TALKERS = 2048, TALKERS_SLOTS = 2 * TALKERS };

struct talker {
	struct weir_addr address;
	uint64_t weight, error;        // weight - error <= the truth <= weight
	uint64_t sent, received, flows; // since it has the row
};

struct talkers { // zero at the start
	uint32_t count;
	bool has_forgotten; // some one gave its row away
	struct talker at[TALKERS];
	uint16_t heap[TALKERS], place[TALKERS]; // rows, the lightest first; where in the heap a row is
	uint16_t slots[TALKERS_SLOTS];          // by hash of the address: row + 1; 0: free
};

// The row of an address, which weighs so much more now.
struct talker *talkers_add(struct talkers *talkers, const struct weir_addr *address, uint64_t weight);
// The weight that an address without a row may have: 0 if none was forgotten.
uint64_t talkers_unseen(const struct talkers *talkers);
// The heaviest first, of several workers together; `to` has room for all their rows. Returns how many.
uint32_t talkers_merge(const struct talkers *const *of, unsigned count, struct talker *to);

#endif
