// SPDX-License-Identifier: Apache-2.0
// Looking up columns of addresses.
#include "lookup/routes_inside.h"

#include <assert.h>

// ---- a few IPv4 routes: every one is compared with 8 addresses at a time, as a register of AVX2 holds

typedef uint32_t lanes __attribute__((vector_size(32)));
typedef int32_t choice __attribute__((vector_size(32)));

enum { LANES = 8 };

// The lanes whose bit is set in `bits`.
#define CHOSEN(bits)                                                                                       \
	((choice)((((lanes){} + (uint32_t)(bits)) & (lanes){ 1, 2, 4, 8, 16, 32, 64, 128 }) != 0))

static inline __attribute__((always_inline)) void find_few4(
	const struct routes_few4 *few, const uint32_t *address, weir_mask in, uint32_t *value)
{
	for (unsigned at = 0; in; at += LANES, in >>= LANES) {
		lanes ip, old, found = (lanes){} + (uint32_t)WEIR_NO_ROUTE;
		choice mine = CHOSEN(in & 0xff);

		memcpy(&ip, address + at, sizeof(ip));
		for (uint32_t i = 0; i < few->count; i++) {
			choice fits = (choice)((ip & few->mask[i]) == (lanes){} + few->net[i]);

			found = (found & (lanes)~fits) |
				(((lanes){} + few->value[i]) & (lanes)fits);
		}
		memcpy(&old, value + at, sizeof(old));
		found = (found & (lanes)mine) | (old & (lanes)~mine);
		memcpy(value + at, &found, sizeof(found));
	}
}

static void few4_plain(
	const struct routes_few4 *few, const uint32_t *address, weir_mask in, uint32_t *value)
{
	find_few4(few, address, in, value);
}

#ifdef __x86_64__
__attribute__((target("avx2"))) static void few4_avx2(
	const struct routes_few4 *few, const uint32_t *address, weir_mask in, uint32_t *value)
{
	find_few4(few, address, in, value);
}

__attribute__((target("avx512f,avx512bw,avx512vl"))) static void
few4_avx512(const struct routes_few4 *few, const uint32_t *address, weir_mask in, uint32_t *value)
{
	find_few4(few, address, in, value);
}

routes_find_few4 *routes_few4_variant(void)
{
	if (__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
		return few4_avx512;
	return __builtin_cpu_supports("avx2") ? few4_avx2 : few4_plain;
}
#else
routes_find_few4 *routes_few4_variant(void)
{
	return few4_plain;
}
#endif

// ---- a few IPv6 routes

static uint32_t find_few6(const struct routes_few6 *few, const struct weir_addr *address)
{
	uint32_t found = WEIR_NO_ROUTE;
	uint64_t half[2];

	memcpy(half, address, sizeof(half));
	for (uint32_t i = 0; i < few->count; i++) {
		uint64_t differs = ((half[0] & few->mask[i][0]) ^ few->net[i][0]) |
				   ((half[1] & few->mask[i][1]) ^ few->net[i][1]);

		found = differs ? found : few->value[i];
	}
	return found;
}

// ---- many: DPDK looks up arrays; slots with holes between them are put together first

static inline bool is_dense(weir_mask in)
{
	return !(in & (in + 1));
}

static inline uint32_t value_of(uint64_t hop, uint32_t none)
{
	return hop == none ? (uint32_t)WEIR_NO_ROUTE : (uint32_t)hop;
}

static void scatter(const uint64_t *hops, uint32_t none, weir_mask in, uint32_t *value)
{
	unsigned at = 0;

	if (is_dense(in)) {
		for (unsigned i = 0; i < weir_size(in); i++)
			value[i] = value_of(hops[i], none);
		return;
	}
	weir_each (i, in)
		value[i] = value_of(hops[at++], none);
}

void weir_routes_find4(
	const struct weir_routes *routes, const uint32_t *address, weir_mask in, uint32_t *value)
{
	uint32_t gathered[WEIR_VECTOR];
	uint64_t hops[WEIR_VECTOR];
	unsigned count = 0;

	assert(routes->is_built);
	if (!routes->fib4) {
		routes->find_few4(&routes->few4, address, in, value);
		return;
	}
	if (!in)
		return;
	if (!is_dense(in))
		weir_each (i, in)
			gathered[count++] = address[i];
	rte_fib_lookup_bulk(routes->fib4, count ? gathered : (uint32_t *)(uintptr_t)address, hops,
		(int)weir_size(in));
	scatter(hops, routes->none[0], in, value);
}

void weir_routes_find6(const struct weir_routes *routes, const struct weir_addr *address,
	weir_mask in, uint32_t *value)
{
	uint8_t gathered[WEIR_VECTOR][16];
	uint64_t hops[WEIR_VECTOR];
	unsigned count = 0;

	assert(routes->is_built);
	if (!routes->fib6) {
		weir_each (i, in)
			value[i] = find_few6(&routes->few6, &address[i]);
		return;
	}
	if (!in)
		return;
	if (!is_dense(in))
		weir_each (i, in)
			memcpy(gathered[count++], address[i].bytes, 16);
	rte_fib6_lookup_bulk(routes->fib6, count ? gathered : (uint8_t(*)[16])(uintptr_t)address,
		hops, (int)weir_size(in));
	scatter(hops, routes->none[1], in, value);
}

uint32_t weir_route(const struct weir_routes *routes, const struct weir_addr *address)
{
	uint32_t value[WEIR_VECTOR], ip[WEIR_VECTOR];

	if (!weir_is_ip4(address)) {
		weir_routes_find6(routes, address, 1, value);
		return value[0];
	}
	ip[0] = weir_ip4(address);
	for (unsigned i = 1; i < LANES; i++) // looked at, never used
		ip[i] = value[i] = 0;
	weir_routes_find4(routes, ip, 1, value);
	return value[0];
}
