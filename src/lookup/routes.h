// SPDX-License-Identifier: Apache-2.0
// The engine's side of weir_routes: made before the elements' `start`, built after it, from then on
// only read, by all workers.
#ifndef LOOKUP_ROUTES_H
#define LOOKUP_ROUTES_H

#include <weir.h>

enum { ROUTES_MOST = 1 << 22, ROUTES_GREATEST = (1 << 23) - 1 };

struct weir_routes *routes_create(void); // NULL: no memory
void routes_destroy(struct weir_routes *routes); // NULL is fine

// -ENOMEM: the tables do not fit into memory. Until then nothing can be looked up, from then on
// nothing added.
int routes_build(struct weir_routes *routes);
size_t routes_bytes(
	const struct weir_routes *routes); // of memory that they take, after routes_build

#endif
