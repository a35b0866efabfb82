// SPDX-License-Identifier: Apache-2.0
#include "lookup/heap.h"

#include <rte_malloc.h>
#include <rte_memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 2 << 20 };

unsigned heap_number(void)
{
	static unsigned last;

	return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

// Pages on a boundary of large pages, cut out of a little more.
static void *take_pages(size_t size)
{
	char *at = mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t skip;

	if (at == MAP_FAILED)
		return NULL;
	skip = -(uintptr_t)at % PAGE;
	if (skip)
		munmap(at, skip);
	if (PAGE - skip)
		munmap(at + skip + size, PAGE - skip);
	madvise(at + skip, size, MADV_HUGEPAGE);
	return at + skip;
}

static int give_to_dpdk(struct heap *heap)
{
	size_t pages = heap->size / PAGE;
	rte_iova_t *addresses = malloc(pages * sizeof(*addresses));
	int result;

	if (!addresses)
		return -1;
	for (size_t i = 0; i < pages; i++) // no device ever reads them
		addresses[i] = (uintptr_t)heap->at + i * PAGE;
	result = rte_malloc_heap_create(heap->name);
	if (!result &&
		rte_malloc_heap_memory_add(
			heap->name, heap->at, heap->size, addresses, (unsigned)pages, PAGE)) {
		rte_malloc_heap_destroy(heap->name);
		result = -1;
	}
	free(addresses);
	return result;
}

// DPDK has just written zeros to all of it, which these pages hold anyway: they are given back
// until they are used. Its own marks at both ends stay.
static void make_lazy(const struct heap *heap)
{
	if (heap->size > 2 * PAGE)
		madvise((char *)heap->at + PAGE, heap->size - 2 * PAGE, MADV_DONTNEED);
}

void heap_create(struct heap *heap, size_t bytes)
{
	heap->socket = SOCKET_ID_ANY;
	heap->size = (bytes + 3 * (size_t)PAGE - 1) / PAGE * PAGE;
	heap->at = take_pages(heap->size);
	if (!heap->at)
		return;
	snprintf(heap->name, sizeof(heap->name), "weir_heap_%u", heap_number());
	if (give_to_dpdk(heap)) {
		munmap(heap->at, heap->size);
		heap->at = NULL;
		return;
	}
	make_lazy(heap);
	heap->socket = rte_malloc_heap_get_socket(heap->name);
}

void heap_destroy(struct heap *heap)
{
	if (!heap->at)
		return;
	// DPDK refuses while something is left in it; then it stays
	if (!rte_malloc_heap_memory_remove(heap->name, heap->at, heap->size)) {
		rte_malloc_heap_destroy(heap->name);
		munmap(heap->at, heap->size);
	}
	heap->at = NULL;
}
