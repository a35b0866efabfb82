// SPDX-License-Identifier: Apache-2.0
// The engine's side of weir_rules: made before the elements' `start`, built after it, from then on
// only read, by all workers.
#ifndef LOOKUP_RULES_H
#define LOOKUP_RULES_H

#include <weir.h>

enum { RULES_MOST = 1 << 20 };

struct weir_rules *rules_create(void); // NULL: no memory
void rules_destroy(struct weir_rules *rules); // NULL is fine

// -ENOMEM: what is looked up in does not fit into memory. Until then nothing can be looked up, from
// then on nothing added. 10,000 rules take about a second.
int rules_build(struct weir_rules *rules);
size_t rules_bytes(
	const struct weir_rules *rules); // of memory that they take at most, after rules_build

#endif
