// SPDX-License-Identifier: Apache-2.0
// Rule sets against the rules read one by one.
#include "lib/hash.h"
#include "lookup/rules.h"
#include "packet/eal_for_tests.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST = 2000, UNTOUCHED = 0x12345678 };

static uint64_t random_state = 1;
static struct weir_rule known[MOST];
static uint32_t known_count;

static uint32_t chance(uint64_t below)
{
	return (uint32_t)((hash_step(&random_state) >> 16) % below);
}

struct columns {
	uint32_t source4[WEIR_VECTOR], destination4[WEIR_VECTOR], value[WEIR_VECTOR];
	struct weir_addr source[WEIR_VECTOR], destination[WEIR_VECTOR];
	uint16_t source_port[WEIR_VECTOR], destination_port[WEIR_VECTOR];
	uint8_t protocol[WEIR_VECTOR];
};

// Few addresses and ports, so that rules are met.
static struct weir_addr some_addr(bool ip6)
{
	struct weir_addr addr =
		weir_addr4(0x0a000000 | chance(4) << 16 | chance(8) << 8 | chance(8));

	if (!ip6)
		return addr;
	addr = (struct weir_addr){ { 0x20, 0x01, 0x0d, 0xb8, (uint8_t)chance(4),
		(uint8_t)chance(4) } };
	addr.bytes[9] = (uint8_t)chance(4);
	addr.bytes[15] = (uint8_t)chance(8);
	return addr;
}

static struct weir_prefix some_prefix(bool ip6)
{
	static const uint8_t lengths4[] = { 104, 112, 115, 120, 125, 128 },
			     lengths6[] = { 3, 33, 40, 48, 70, 80, 126, 128 };
	struct weir_prefix prefix = { some_addr(ip6),
		ip6 ? lengths6[chance(8)] : lengths4[chance(6)] };

	if (!chance(4))
		return (struct weir_prefix){ 0 };
	for (unsigned bit = prefix.length; bit < 128; bit++)
		prefix.addr.bytes[bit / 8] &= (uint8_t)~(0x80 >> bit % 8);
	return prefix;
}

static void some_ports(uint16_t port[2])
{
	port[0] = (uint16_t)(chance(2) ? 0 : chance(20));
	port[1] = (uint16_t)(!port[0] ? UINT16_MAX : port[0] + chance(8));
}

static struct weir_rule some_rule(bool ip6)
{
	struct weir_rule rule = { some_prefix(ip6), some_prefix(ip6),
		.value = 1 + chance(INT32_MAX) };

	some_ports(rule.source_port);
	some_ports(rule.destination_port);
	rule.protocol = (uint8_t)(chance(2) ? 0 : chance(2) ? 6 : 17);
	return rule;
}

static bool covers(const struct weir_prefix *prefix, const struct weir_addr *addr)
{
	if (prefix->length &&
		(prefix->length >= 96 && weir_is_ip4(&prefix->addr)) != weir_is_ip4(addr))
		return false;
	for (unsigned bit = 0; bit < prefix->length; bit++)
		if ((prefix->addr.bytes[bit / 8] ^ addr->bytes[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

static uint32_t slow_find(const struct columns *c, unsigned i)
{
	for (uint32_t n = 0; n < known_count; n++) {
		const struct weir_rule *rule = &known[n];

		if (covers(&rule->source, &c->source[i]) &&
			covers(&rule->destination, &c->destination[i]) &&
			c->source_port[i] >= rule->source_port[0] &&
			c->source_port[i] <= rule->source_port[1] &&
			c->destination_port[i] >= rule->destination_port[0] &&
			c->destination_port[i] <= rule->destination_port[1] &&
			(!rule->protocol || rule->protocol == c->protocol[i]))
			return rule->value;
	}
	return 0;
}

static unsigned look_up(const struct weir_rules *rules, bool ip6, weir_mask in)
{
	struct columns c;
	unsigned met = 0;

	for (unsigned i = 0; i < WEIR_VECTOR; i++) {
		c.source[i] = some_addr(ip6);
		c.destination[i] = some_addr(ip6);
		c.source4[i] = weir_ip4(&c.source[i]);
		c.destination4[i] = weir_ip4(&c.destination[i]);
		c.source_port[i] = (uint16_t)chance(30);
		c.destination_port[i] = (uint16_t)(chance(20) ? chance(30) : UINT16_MAX);
		c.protocol[i] = (uint8_t)(chance(3) ? 6 : chance(2) ? 17 : chance(256));
		c.value[i] = UNTOUCHED;
	}
	if (ip6)
		weir_rules_find6(rules, c.source, c.destination, c.source_port, c.destination_port,
			c.protocol, in, c.value);
	else
		weir_rules_find4(rules, c.source4, c.destination4, c.source_port,
			c.destination_port, c.protocol, in, c.value);
	for (unsigned i = 0; i < WEIR_VECTOR; i++) {
		assert_int_equal(c.value[i], in >> i & 1 ? slow_find(&c, i) : UNTOUCHED);
		met += in >> i & 1 && c.value[i];
	}
	return met;
}

static struct weir_rules *rules_with(uint32_t count4, uint32_t count6)
{
	struct weir_rules *rules = rules_create();

	assert_non_null(rules);
	for (known_count = 0; known_count < count4 + count6; known_count++) {
		known[known_count] = some_rule(chance(count4 + count6) >= count4);
		assert_int_equal(weir_rules_add(rules, &known[known_count]), 0);
	}
	assert_int_equal(rules_build(rules), 0);
	return rules;
}

static void first_that_fits_wins(void **state)
{
	static const uint32_t counts[][2] = { { 0, 0 }, { 1, 0 }, { 0, 1 }, { 3, 3 }, { 40, 10 },
		{ 10, 40 }, { 300, 200 } };

	(void)state;
	for (unsigned i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct weir_rules *rules = rules_with(counts[i][0], counts[i][1]);
		unsigned met = 0;

		for (unsigned round = 0; round < 60; round++)
			for (unsigned ip6 = 0; ip6 < 2; ip6++) {
				met += look_up(rules, ip6, ~(weir_mask)0);
				met += look_up(rules, ip6, ((weir_mask)1 << chance(64)) - 1);
				met += look_up(rules, ip6,
					hash_step(&random_state) & hash_step(&random_state));
			}
		look_up(rules, false, 0);
		if (known_count > 6)
			assert_int_not_equal(met, 0);
		rules_destroy(rules);
	}
}

static void refuses(void **state)
{
	struct weir_rule good = { .source_port = { 0, 65535 },
		.destination_port = { 0, 65535 },
		.value = 1 },
			 bad;
	struct weir_rules *rules = rules_create();

	(void)state;
	bad = good, bad.value = 0;
	assert_int_equal(weir_rules_add(rules, &bad), -EINVAL);
	bad = good, bad.value = UINT32_C(1) << 31;
	assert_int_equal(weir_rules_add(rules, &bad), -EINVAL);
	bad = good, bad.source_port[0] = 2, bad.source_port[1] = 1;
	assert_int_equal(weir_rules_add(rules, &bad), -EINVAL);
	bad = good, bad.source.length = 129;
	assert_int_equal(weir_rules_add(rules, &bad), -EINVAL);
	bad = good, weir_parse_prefix("10.0.0.0/8", &bad.source),
	weir_parse_prefix("2001:db8::/32", &bad.destination);
	assert_int_equal(weir_rules_add(rules, &bad), -EINVAL);
	bad = good, weir_parse_prefix("10.0.0.0/8", &bad.source), bad.source.addr.bytes[15] = 1;
	assert_int_equal(weir_rules_add(rules, &bad), -EINVAL);
	assert_int_equal(weir_rules_add(rules, &good), 0);
	known[0] = good;
	known_count = 1;
	assert_int_equal(rules_build(rules), 0);
	assert_int_equal(look_up(rules, false, 255), 8);
	assert_int_equal(look_up(rules, true, 255), 8);
	rules_destroy(rules);
	rules_destroy(NULL);
	rules_destroy(rules_create());
}

static void come_and_go(void **state)
{
	struct weir_rules *old = rules_with(20, 20);

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		struct weir_rules *fresh = rules_with(20 + i, 20);

		rules_destroy(old);
		look_up(fresh, false, ~(weir_mask)0);
		look_up(fresh, true, ~(weir_mask)0);
		old = fresh;
	}
	rules_destroy(old);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_that_fits_wins),
		cmocka_unit_test(refuses),
		cmocka_unit_test(come_and_go),
	};
	return cmocka_run_group_tests_name("rules", tests, eal_for_tests, eal_for_tests_end);
}
