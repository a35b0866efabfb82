// SPDX-License-Identifier: Apache-2.0
// The start of DPDK: once per process, with arguments that work for everybody (no root, no huge pages, no devices of
// the machine's own), and the one pool that all packets come from.
#ifndef PORT_PLATFORM_H
#define PORT_PLATFORM_H

#include "port/port.h"

struct rte_mempool;

struct platform_wish {
	unsigned buffers;    // in the pool, of 2 kB each; 0: 32,768
	unsigned workers;    // threads that will call platform_thread; each keeps a cache of buffers
	size_t route_memory; // bytes for route tables, rules and hash tables
	bool has_pci;        // a port "pci:..." will be opened: only then are the machine's devices looked at
};

// 0, or -errno with *why. A second start in the same process answers -EALREADY.
int platform_start(const struct platform_wish *wish, struct port_error *why);
void platform_stop(void); // all ports closed, all workers left; nothing can be started after it

struct rte_mempool *platform_pool(void);
unsigned platform_buffers(void); // in the pool
bool platform_has_huge_pages(void);

// The calling thread becomes a worker: it gets a cache of buffers of its own. 0 or -errno.
int platform_thread(void);
void platform_thread_leave(void);

#endif
