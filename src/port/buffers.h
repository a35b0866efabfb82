// SPDX-License-Identifier: Apache-2.0
// Bytes into chains of buffers.
#ifndef PORT_BUFFERS_H
#define PORT_BUFFERS_H

#include "packet/pool.h"

// Appends buffers until the chain takes `length` bytes, and sets all its lengths; false: there are not so many.
bool buffers_extend(struct rte_mbuf *first, uint32_t length);
// Copies to the chain, from its first byte on.
void buffers_fill(struct rte_mbuf *first, const uint8_t *bytes, uint32_t length);
// An empty packet's buffer that holds the bytes, or NULL.
struct rte_mbuf *buffers_hold(struct rte_mempool *pool, const uint8_t *bytes, uint32_t length);

#endif
