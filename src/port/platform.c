// SPDX-License-Identifier: Apache-2.0
// The start of DPDK. What it refuses and costs shaped this file: huge pages need --in-memory, which --no-huge forbids;
// the main thread is pinned by it and freed again here; it logs to standard error, which is caught here; and it can be
// started once per process.
#define _GNU_SOURCE
#include "port/platform.h"

#include "packet/pool.h"
#include "port/port_driver.h"
#include "port/port_log.h"

#include <errno.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_vect.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false // huge pages lie where the sanitizer has its shadow
#endif

enum {
	BUFFERS = 32 * 1024,
	CACHE = 256,
	ARGUMENTS = 16,
	OWN_MEGABYTES = 48
}; // for DPDK's own tables, rings and devices

static struct {
	bool is_started, was_started, has_huge_pages;
	unsigned buffers;
	struct rte_mempool *pool;
} platform;

static unsigned long free_huge_megabytes(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "re");

	if (!file)
		return 0;
	if (fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * 2;
}

static int first_cpu(const cpu_set_t *cpus)
{
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, cpus))
			return cpu;
	return 0;
}

struct arguments {
	char text[ARGUMENTS][48];
	char *at[ARGUMENTS + 1];
	int count;
};

static void __attribute__((format(printf, 2, 3))) argue(struct arguments *arguments, const char *format, ...)
{
	va_list list;
	char *text = arguments->text[arguments->count];

	assert(arguments->count < ARGUMENTS);
	va_start(list, format);
	vsnprintf(text, sizeof(arguments->text[0]), format, list);
	va_end(list);
	arguments->at[arguments->count++] = text;
}

static int start_dpdk(const struct platform_wish *wish, unsigned long megabytes, bool huge)
{
	struct arguments arguments = { 0 };
	cpu_set_t cpus;
	int result;

	sched_getaffinity(0, sizeof(cpus), &cpus);
	argue(&arguments, "weir");
	argue(&arguments, "--lcores=0@%d", first_cpu(&cpus));
	argue(&arguments, "--no-telemetry");
	argue(&arguments, "--log-level=error");
	argue(&arguments, "--force-max-simd-bitwidth=%d", RTE_VECT_SIMD_512); // where the CPU has it
	if (!wish->has_pci)
		argue(&arguments, "--no-pci");
	if (huge) {
		argue(&arguments, "--in-memory");
	} else {
		argue(&arguments, "--no-huge");
		argue(&arguments, "--no-shconf");
		argue(&arguments, "-m");
		argue(&arguments, "%lu", megabytes);
	}
	result = rte_eal_init(arguments.count, arguments.at);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	return result < 0 ? -rte_errno : 0;
}

static int refuse_start(int error, unsigned long megabytes, struct port_error *why)
{
	char said[200];

	if (error == -ENOMEM)
		return port_fail(why, error, "ask for fewer buffers, or free memory",
				 "the platform could not get %lu MB of memory", megabytes);
	return port_fail(why, error ? error : -EINVAL, "a process can start it once, and needs /proc and /sys",
			 "DPDK did not start: %s", port_log_why(said, sizeof(said), strerror(-error)));
}

static unsigned long needed_megabytes(const struct platform_wish *wish, unsigned buffers)
{
	return (packet_pool_bytes(buffers) + wish->route_memory) / (1 << 20) + OWN_MEGABYTES;
}

// The shape of packet_pool_create's pools, and besides in one piece without gaps: AF_XDP registers it with the kernel
// as such. Without NO_IOVA_CONTIG and huge pages, DPDK would give every buffer a page of its own.
static struct rte_mempool *create_pool(unsigned buffers)
{
	struct rte_pktmbuf_pool_private shape = {
		.mbuf_data_room_size = PACKET_ROOM + RTE_PKTMBUF_HEADROOM,
		.mbuf_priv_size = PACKET_PRIVATE,
	};
	unsigned size = sizeof(struct rte_mbuf) + PACKET_PRIVATE + shape.mbuf_data_room_size;
	unsigned cache = buffers >= 4 * CACHE ? CACHE : buffers / 4;
	struct rte_mempool *pool = rte_mempool_create_empty("weir", buffers, size, cache, sizeof(shape),
		SOCKET_ID_ANY, RTE_MEMPOOL_F_NO_IOVA_CONTIG);

	if (!pool)
		return NULL;
	if (rte_mempool_set_ops_byname(pool, "stack", NULL) == 0) {
		rte_pktmbuf_pool_init(pool, &shape);
		if (rte_mempool_populate_default(pool) == (int)buffers) {
			rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
			return pool;
		}
	}
	rte_mempool_free(pool);
	return NULL;
}

int platform_start(const struct platform_wish *wish, struct port_error *why)
{
	unsigned buffers = wish->buffers ? wish->buffers : BUFFERS;
	unsigned long megabytes = needed_megabytes(wish, buffers);
	int result;

	if (platform.was_started)
		return port_fail(why, -EALREADY, NULL, "the platform has been started in this process already");
	platform.was_started = true;
	platform.has_huge_pages = !IS_SANITIZED && free_huge_megabytes() >= megabytes;
	port_log_start();
	result = start_dpdk(wish, megabytes, platform.has_huge_pages);
	if (result < 0)
		return refuse_start(result, megabytes, why);
	platform.is_started = true;
	platform.buffers = buffers;
	platform.pool = create_pool(buffers);
	if (!platform.pool)
		return refuse_start(-ENOMEM, megabytes, why);
	port_log_libraries();
	return 0;
}

void platform_stop(void)
{
	if (!platform.is_started)
		return;
	packet_pool_destroy(platform.pool);
	platform.pool = NULL;
	platform.is_started = false;
	rte_eal_cleanup();
}

struct rte_mempool *platform_pool(void)
{
	return platform.pool;
}

unsigned platform_buffers(void)
{
	return platform.buffers;
}

bool platform_has_huge_pages(void)
{
	return platform.has_huge_pages;
}

int platform_thread(void)
{
	if (rte_lcore_id() != LCORE_ID_ANY) // it has been one before
		return 0;
	return rte_thread_register() < 0 ? -rte_errno : 0;
}

void platform_thread_leave(void)
{
	rte_thread_unregister();
}
