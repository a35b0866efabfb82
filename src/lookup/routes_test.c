// SPDX-License-Identifier: Apache-2.0
// Longest prefix match against the slowest way to do it.
#include "lib/hash.h"
#include "lookup/routes.h"
#include "packet/eal_for_tests.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST = 3000, UNTOUCHED = 0x12345678 };

static uint64_t random_state = 1;

static uint32_t chance(uint64_t below)
{
	return (uint32_t)((hash_step(&random_state) >> 16) % below);
}

struct route {
	struct weir_prefix prefix;
	uint32_t value;
};

static struct route known[MOST];
static uint32_t known_count;

static bool fits(const struct weir_prefix *prefix, const struct weir_addr *addr)
{
	for (unsigned bit = 0; bit < prefix->length; bit++)
		if ((prefix->addr.bytes[bit / 8] ^ addr->bytes[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

static bool is_ip6(const struct weir_prefix *prefix)
{
	return prefix->length < 96 || !weir_is_ip4(&prefix->addr);
}

static uint32_t slow_route(const struct weir_addr *addr)
{
	uint32_t found = WEIR_NO_ROUTE;
	int length = -1;

	for (uint32_t i = 0; i < known_count; i++)
		if (known[i].prefix.length > length &&
			is_ip6(&known[i].prefix) == !weir_is_ip4(addr) &&
			fits(&known[i].prefix, addr)) {
			found = known[i].value;
			length = known[i].prefix.length;
		}
	return found;
}

// Addresses near each other, so that prefixes nest.
static struct weir_addr some_addr(bool ip6)
{
	struct weir_addr addr = weir_addr4(0);

	if (!ip6) {
		weir_put32(addr.bytes + 12,
			chance(4) ? 0x0a000000 | chance(4) << 16 | chance(1024) << 6 | chance(64)
				  : (uint32_t)hash_step(&random_state));
		return addr;
	}
	addr = (struct weir_addr){ { 0x20, 0x01, 0x0d, (uint8_t)chance(3), (uint8_t)chance(4),
		(uint8_t)chance(256) } };
	for (unsigned i = 6; i < 16; i++)
		addr.bytes[i] = (uint8_t)(chance(3) ? 0 : chance(256));
	if (!chance(5))
		addr.bytes[0] = (uint8_t)chance(256);
	return addr;
}

static struct weir_prefix some_prefix(bool ip6)
{
	struct weir_prefix prefix = { some_addr(ip6),
		(uint8_t)(ip6 ? chance(129) : 96 + chance(33)) };

	if (!chance(3))
		prefix.length = (uint8_t)(128 - chance(8));
	for (unsigned bit = prefix.length; bit < 128; bit++)
		prefix.addr.bytes[bit / 8] &= (uint8_t)~(0x80 >> bit % 8);
	return prefix;
}

static struct weir_routes *routes_with(uint32_t count4, uint32_t count6, uint32_t values)
{
	struct weir_routes *routes = routes_create();

	assert_non_null(routes);
	for (known_count = 0; known_count < count4 + count6;) {
		struct route route = { some_prefix(known_count >= count4), chance(values) };
		int result = weir_routes_add(routes, &route.prefix, route.value);

		if (result == -EEXIST)
			continue;
		assert_int_equal(result, 0);
		known[known_count++] = route;
	}
	assert_int_equal(routes_build(routes), 0);
	return routes;
}

static void look_up(const struct weir_routes *routes, bool ip6, weir_mask in)
{
	struct weir_addr addr[WEIR_VECTOR];
	uint32_t ip[WEIR_VECTOR], value[WEIR_VECTOR];

	for (unsigned i = 0; i < WEIR_VECTOR; i++) {
		addr[i] = some_addr(ip6);
		ip[i] = weir_ip4(&addr[i]);
		value[i] = UNTOUCHED;
	}
	if (ip6)
		weir_routes_find6(routes, addr, in, value);
	else
		weir_routes_find4(routes, ip, in, value);
	for (unsigned i = 0; i < WEIR_VECTOR; i++)
		assert_int_equal(value[i], in >> i & 1 ? slow_route(&addr[i]) : UNTOUCHED);
	assert_int_equal(weir_route(routes, &addr[7]), slow_route(&addr[7]));
}

static void finds_the_longest(void **state)
{
	static const struct {
		uint32_t count4, count6, values;
	} cases[] = { { 0, 0, 2 }, { 1, 1, 10 }, { 2, 5, 1 << 23 }, { 8, 8, 1 << 23 },
		{ 9, 9, 126 }, { 30, 30, 300 }, { 200, 1, 127 }, { 1, 200, 300 },
		{ 1000, 200, 30000 }, { 1500, 900, 1 << 23 } };

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct weir_routes *routes =
			routes_with(cases[i].count4, cases[i].count6, cases[i].values);

		for (unsigned round = 0; round < 40; round++)
			for (unsigned ip6 = 0; ip6 < 2; ip6++) {
				look_up(routes, ip6, ~(weir_mask)0);
				look_up(routes, ip6, ((weir_mask)1 << chance(64)) - 1);
				look_up(routes, ip6,
					hash_step(&random_state) & hash_step(&random_state));
			}
		look_up(routes, false, 0);
		look_up(routes, true, 0);
		print_message("%u + %u routes: %zu kB\n", cases[i].count4, cases[i].count6,
			routes_bytes(routes) >> 10);
		routes_destroy(routes);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *prefix;
		uint32_t value;
		int result;
	} cases[] = { { "10.0.0.0/8", 1, 0 }, { "10.0.0.0/8", 2, -EEXIST },
		{ "10.0.0.0/9", (1 << 23) - 1, 0 }, { "::/0", 0, 0 }, { "0.0.0.0/0", 3, 0 },
		{ "0.0.0.0/0", 3, -EEXIST }, { "::/0", 5, -EEXIST },
		{ "1.0.0.0/8", 1 << 23, -EINVAL }, { "::ffff:0:0/95", 1, -EINVAL } };
	struct weir_prefix wrong = { { { 1 } }, 129 }, bits = { { { [15] = 1 } }, 127 };
	struct weir_routes *routes = routes_create();
	struct weir_prefix prefix;
	struct weir_addr any = weir_addr4(0x7f000001), other = { { 0xfe, 0x80 } };

	(void)state;
	assert_int_equal(weir_routes_add(routes, &wrong, 1), -EINVAL);
	assert_int_equal(weir_routes_add(routes, &bits, 1), -EINVAL);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (!weir_parse_prefix(cases[i].prefix, &prefix)) // the last: host bits
			assert_int_equal(cases[i].result, -EINVAL);
		else
			assert_int_equal(
				weir_routes_add(routes, &prefix, cases[i].value), cases[i].result);
	}
	assert_int_equal(routes_build(routes), 0);
	assert_int_equal(weir_route(routes, &any), 3);
	assert_int_equal(weir_route(routes, &other), 0);
	routes_destroy(routes);
	routes_destroy(NULL);
	routes_destroy(routes_create());
}

// As in a swap of graphs: old and new exist at once, many times.
static void come_and_go(void **state)
{
	struct weir_routes *old = routes_with(20, 20, 100);

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		struct weir_routes *fresh = routes_with(20 + i, 20, 100);

		routes_destroy(old);
		look_up(fresh, false, ~(weir_mask)0);
		look_up(fresh, true, ~(weir_mask)0);
		old = fresh;
	}
	routes_destroy(old);
}

// Each has memory of its own.
static void many_at_once(void **state)
{
	struct weir_routes *routes[3] = { 0 };

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		routes[i] = routes_with(40, 0, 100);
	for (unsigned i = 0; i < 3; i++)
		routes_destroy(routes[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_longest),
		cmocka_unit_test(refuses),
		cmocka_unit_test(come_and_go),
		cmocka_unit_test(many_at_once),
	};
	return cmocka_run_group_tests_name("routes", tests, eal_for_tests, eal_for_tests_end);
}
