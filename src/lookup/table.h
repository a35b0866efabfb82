// SPDX-License-Identifier: Apache-2.0
// The engine's side of tables: a table of an element on one worker, which alone uses it.
#ifndef LOOKUP_TABLE_H
#define LOOKUP_TABLE_H

#include <weir.h>

struct table_shape {
	uint32_t key_size; // 1 to TABLE_KEY; keys are compared as bytes: no padding in them
	uint32_t row_size;
	uint32_t rows;    // at most so many, up to TABLE_ROWS
	uint32_t idle_s;  // rows that weir_table_at has not asked for so long are absent; 0: never
};

enum { TABLE_KEY = 64, TABLE_ROW = 4096, TABLE_ROWS = 1 << 24, TABLE_SWEEP = 32 };

// Memory is reserved, but taken only as rows come: an idle table costs nothing. `now_ns` is the
// worker's clock. With one seed and one history a table does the same; a seed that nobody knows
// keeps chosen keys from falling together. NULL: errno is EINVAL (the shape) or ENOMEM.
struct weir_table *table_create(struct table_shape shape, const uint64_t *now_ns, uint64_t seed);
void table_destroy(struct weir_table *table); // NULL is fine

// Full, a table forgets for a new row one that was not used since the sweep last came by, in turn.
// Only if the next TABLE_SWEEP and as many in random places were all used, it is the one of them
// unused for longest. So what is in use stays, also in a flood of keys that come once, and a table
// of up to TABLE_SWEEP rows forgets exactly the oldest. The row that weir_table_at gave last stays
// when the next one is made (but in a table of one row).
struct table_forgotten {
	uint64_t full, idle; // rows, by reason
};
struct table_forgotten table_forgotten(const struct weir_table *table);

#endif
