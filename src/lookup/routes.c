// SPDX-License-Identifier: Apache-2.0
// Collecting routes and building what they are looked up in. DPDK's FIB is made as large as the
// routes need it: the smallest size of entry that holds their values (16 to 64 MB of first table),
// exactly the second tables that there are. Its memory is the process's own, see heap.h.
#include "lookup/routes_inside.h"
#include "lookup/table.h"

#include <assert.h>
#include <errno.h>
#include <rte_malloc.h>
#include <rte_mempool.h>
#include <rte_rib.h>
#include <rte_rib6.h>
#include <stdio.h>
#include <stdlib.h>

// ---- adding

struct routes_key { // by bytes
	uint8_t addr[16], length;
};

struct weir_routes *routes_create(void)
{
	static const uint64_t no_time;
	struct table_shape shape = { .key_size = sizeof(struct routes_key),
		.row_size = sizeof(uint32_t),
		.rows = ROUTES_MOST };
	struct weir_routes *routes = calloc(1, sizeof(*routes));

	if (!routes)
		return NULL;
	routes->prefixes = table_create(shape, &no_time, 0);
	routes->find_few4 = routes_few4_variant();
	if (routes->prefixes)
		return routes;
	free(routes);
	return NULL;
}

void routes_destroy(struct weir_routes *routes)
{
	if (!routes)
		return;
	table_destroy(routes->prefixes);
	rte_fib_free(routes->fib4);
	rte_fib6_free(routes->fib6);
	for (unsigned i = 0; i < 2; i++)
		heap_destroy(&routes->heap[i]);
	free(routes);
}

static bool has_host_bits(const struct weir_prefix *prefix)
{
	unsigned length = prefix->length, i = length / 8;

	if (length % 8 && (prefix->addr.bytes[i++] & (0xff >> length % 8)))
		return true;
	for (; i < 16; i++)
		if (prefix->addr.bytes[i])
			return true;
	return false;
}

int weir_routes_add(struct weir_routes *routes, const struct weir_prefix *prefix, uint32_t value)
{
	bool is_ip6 = prefix->length < 96 || !weir_is_ip4(&prefix->addr);
	struct routes_key key;

	assert(!routes->is_built);
	if (prefix->length > 128 || has_host_bits(prefix) || value > ROUTES_GREATEST)
		return -EINVAL;
	memcpy(key.addr, prefix->addr.bytes, sizeof(key.addr));
	key.length = prefix->length;
	if (weir_table_find_(routes->prefixes, &key))
		return -EEXIST;
	if (weir_table_size(routes->prefixes) == ROUTES_MOST)
		return -ENOSPC;
	*(uint32_t *)weir_table_at_(routes->prefixes, &key) = value;
	routes->count[is_ip6]++;
	return 0;
}

// ---- all routes of a family, the shortest first

struct route {
	uint8_t addr[16], length; // of an IPv4 route: of 32
	uint32_t value;
};

struct list {
	struct route *at;
	uint32_t count, greatest; // value
};

static int by_length(const void *a, const void *b)
{
	const struct route *one = a, *other = b;

	if (one->length != other->length)
		return one->length < other->length ? -1 : 1;
	return memcmp(one->addr, other->addr, sizeof(one->addr));
}

static int list_routes(const struct weir_routes *routes, bool is_ip6, struct list *list)
{
	uint32_t place = 0, *value;
	const void *key;

	list->at = calloc(routes->count[is_ip6] + 1, sizeof(*list->at));
	if (!list->at)
		return -ENOMEM;
	while ((value = weir_table_next_(routes->prefixes, &place, &key))) {
		struct weir_prefix prefix;
		struct route route = { .value = *value };

		memcpy(&prefix, key, sizeof(prefix));
		if ((prefix.length < 96 || !weir_is_ip4(&prefix.addr)) != is_ip6)
			continue;
		memcpy(route.addr, prefix.addr.bytes, 16);
		route.length = (uint8_t)(is_ip6 ? prefix.length : prefix.length - 96);
		list->at[list->count++] = route;
		list->greatest = RTE_MAX(list->greatest, *value);
	}
	qsort(list->at, list->count, sizeof(*list->at), by_length);
	return 0;
}
static_assert(sizeof(struct weir_prefix) == sizeof(struct routes_key));

// ---- a few

static void mask_of(unsigned length, uint8_t mask[16])
{
	for (unsigned i = 0; i < 16; i++, length -= RTE_MIN(8u, length))
		mask[i] = (uint8_t)(0xff00 >> RTE_MIN(8u, length));
}

static void build_few4(struct routes_few4 *few, const struct list *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		const struct route *route = &list->at[i];

		few->net[i] = weir_be32(route->addr + 12);
		few->mask[i] = route->length ? ~UINT32_C(0) << (32 - route->length) : 0;
		few->value[i] = route->value;
	}
	few->count = list->count;
}

static void build_few6(struct routes_few6 *few, const struct list *list)
{
	uint8_t mask[16];

	for (uint32_t i = 0; i < list->count; i++) {
		mask_of(list->at[i].length, mask);
		memcpy(few->net[i], list->at[i].addr, 16);
		memcpy(few->mask[i], mask, 16);
		few->value[i] = list->at[i].value;
	}
	few->count = list->count;
}

// ---- many

// Second tables of IPv4: one for each /24 that has longer routes. Of IPv6: what DPDK sets aside,
// one for each byte of a route behind the third.
static uint32_t second_tables(const struct list *list, bool is_ip6)
{
	uint32_t count = 1, last = 0;
	bool has_last = false;

	for (uint32_t i = 0; i < list->count; i++) {
		const struct route *route = &list->at[i];
		uint32_t top = weir_be32(route->addr + 12) >> 8;

		if (route->length <= 24)
			continue;
		if (is_ip6)
			count += (route->length + 7u) / 8 - 3;
		else if (!has_last || top != last)
			count++; // not exact over several lengths; never too few
		last = top;
		has_last = true;
	}
	return count;
}

// log2 of the bytes of an entry, one bit of which is DPDK's; the greatest value means that there is
// no route.
static unsigned entry_size(const struct list *list, uint32_t tables, unsigned least)
{
	for (unsigned log = least; log < 2; log++) {
		uint32_t top = (1u << ((8u << log) - 1)) - 1;

		if (list->greatest < top && tables <= top)
			return log;
	}
	return 2;
}

static uint32_t no_route(unsigned log)
{
	return (1u << ((8u << log) - 1)) - 1;
}

// What DPDK takes for its tables and for the tree that it keeps beside them, of up to two nodes a
// route.
static size_t bytes_for(uint32_t count, uint32_t tables, unsigned log, size_t node)
{
	size_t nodes = 2 * (size_t)count,
	       object = rte_mempool_calc_obj_size((uint32_t)node, 0, NULL);
	size_t tree = nodes * object + nodes * object / 16 + 4 * sizeof(void *) * nodes + (1 << 20);

	return ((size_t)1 << 24 << log) + (((size_t)tables + 1) * 256 << log) +
		tables * sizeof(uint32_t) + tree;
}

static uint32_t default_of(const struct list *list, unsigned log)
{
	return list->at[0].length ? no_route(log) : list->at[0].value;
}

static int fill4(struct weir_routes *routes, const struct list *list, uint32_t tables, unsigned log)
{
	struct rte_fib_conf conf = { .type = RTE_FIB_DIR24_8, .default_nh = default_of(list, log),
				     .max_routes = (int)list->count + 1,
				     .dir24_8 = { (enum rte_fib_dir24_8_nh_sz)log, tables } };
	char name[24];

	snprintf(name, sizeof(name), "weir_%u", heap_number());
	routes->fib4 = rte_fib_create(name, routes->heap[0].socket, &conf);
	if (!routes->fib4)
		return -ENOMEM;
	for (uint32_t i = !list->at[0].length; i < list->count; i++)
		if (rte_fib_add(routes->fib4, weir_be32(list->at[i].addr + 12), list->at[i].length,
			    list->at[i].value))
			return -ENOMEM;
	return 0;
}

static int fill6(struct weir_routes *routes, const struct list *list, uint32_t tables, unsigned log)
{
	struct rte_fib6_conf conf = { .type = RTE_FIB6_TRIE, .default_nh = default_of(list, log),
				      .max_routes = (int)list->count + 1,
				      .trie = { (enum rte_fib_trie_nh_sz)log, tables } };
	char name[24];

	snprintf(name, sizeof(name), "weir_%u", heap_number());
	routes->fib6 = rte_fib6_create(name, routes->heap[1].socket, &conf);
	if (!routes->fib6)
		return -ENOMEM;
	for (uint32_t i = !list->at[0].length; i < list->count; i++)
		if (rte_fib6_add(
			    routes->fib6, list->at[i].addr, list->at[i].length, list->at[i].value))
			return -ENOMEM;
	return 0;
}

static void give_back(struct weir_routes *routes, bool is_ip6)
{
	if (is_ip6)
		rte_fib6_free(routes->fib6);
	else
		rte_fib_free(routes->fib4);
	routes->fib4 = is_ip6 ? routes->fib4 : NULL;
	routes->fib6 = is_ip6 ? NULL : routes->fib6;
	heap_destroy(&routes->heap[is_ip6]);
}

static int build_many(struct weir_routes *routes, const struct list *list, bool is_ip6)
{
	uint32_t tables = second_tables(list, is_ip6);
	unsigned log =
		entry_size(list, tables, is_ip6 ? 1 : 0); // a trie has entries of 2 bytes at least
	size_t bytes = bytes_for(list->count, tables, log, is_ip6 ? 128 : 64);
	int result = -ENOMEM;

	routes->none[is_ip6] = no_route(log);
	// how large DPDK's own parts are is its affair: if it was more than thought, once more with
	// twice as much
	for (unsigned i = 0; i < 2 && result; i++, bytes *= 2) {
		heap_create(&routes->heap[is_ip6], bytes);
		result = is_ip6 ? fill6(routes, list, tables, log)
				: fill4(routes, list, tables, log);
		if (result)
			give_back(routes, is_ip6);
	}
	return result;
}

static int build_family(struct weir_routes *routes, bool is_ip6)
{
	struct list list = { 0 };
	int result = list_routes(routes, is_ip6, &list);

	if (!result && list.count > ROUTES_FEW)
		result = build_many(routes, &list, is_ip6);
	else if (!result && is_ip6)
		build_few6(&routes->few6, &list);
	else if (!result)
		build_few4(&routes->few4, &list);
	free(list.at);
	return result;
}

int routes_build(struct weir_routes *routes)
{
	int result;

	assert(!routes->is_built);
	result = build_family(routes, false);
	if (!result)
		result = build_family(routes, true);
	if (result)
		return result;
	table_destroy(routes->prefixes);
	routes->prefixes = NULL;
	routes->is_built = true;
	return 0;
}

size_t routes_bytes(const struct weir_routes *routes)
{
	return sizeof(*routes) + (routes->fib4 ? routes->heap[0].size : 0) +
		(routes->fib6 ? routes->heap[1].size : 0);
}
