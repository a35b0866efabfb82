// SPDX-License-Identifier: Apache-2.0
#include <weir.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void addresses(void **state)
{
	static const char *const wrong[] = { "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.4 ",
		" 1.2.3.4", "1.2.3.4/32", "0x1.2.3.4", ":::", "1::2::3", "12345::", "::1%eth0",
		"[::1]", "g::", "1.2.3.04" };
	struct weir_addr addr = { { 9 } }, same = addr;

	(void)state;
	for (unsigned i = 0; i < COUNT(wrong); i++) {
		assert_false(weir_parse_addr(wrong[i], &addr));
		assert_memory_equal(&addr, &same, sizeof(addr));
	}
	assert_true(weir_parse_addr("10.0.0.1", &addr));
	assert_true(weir_is_ip4(&addr));
	assert_int_equal(weir_ip4(&addr), 0x0a000001);
	assert_true(weir_parse_addr("2001:db8::1", &addr));
	assert_false(weir_is_ip4(&addr));
	assert_int_equal(addr.bytes[1], 1);
	assert_true(weir_parse_addr("::ffff:10.0.0.1", &addr));
	assert_true(weir_is_ip4(&addr));
}

static void prefixes(void **state)
{
	static const struct {
		const char *text;
		int length; // -1: it is none
	} cases[] = {
		{ "10.0.0.0/8", 104 },
		{ "10.0.0.1", 128 },
		{ "10.0.0.1/32", 128 },
		{ "0.0.0.0/0", 96 },
		{ "::/0", 0 },
		{ "2001:db8::/32", 32 },
		{ "2001:db8::1", 128 },
		{ "2001:db8::1/128", 128 },
		{ "128.0.0.0/1", 97 },
		{ "fe80::/10", 10 },
		{ "10.0.0.0/33", -1 },
		{ "10.0.0.1/8", -1 },
		{ "10.0.0.0/", -1 },
		{ "10.0.0.0/08", -1 },
		{ "10.0.0.0/ 8", -1 },
		{ "10.0.0.0/+8", -1 },
		{ "10.0.0.0/8/8", -1 },
		{ "/8", -1 },
		{ "", -1 },
		{ "::/129", -1 },
		{ "::1/127", -1 },
		{ "10.0.0.0/255.0.0.0", -1 },
		{ "10.0.0.0/-1", -1 },
		{ "10.0.0.0/4294967304", -1 },
		{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb/8", -1 },
		{ "1111:2222:3333:4444:5555:6666:255.255.255.255", 128 },
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		struct weir_prefix prefix = { { { 9 } }, 9 };

		if (weir_parse_prefix(cases[i].text, &prefix) != (cases[i].length >= 0))
			fail_msg("%s", cases[i].text);
		assert_int_equal(prefix.length, cases[i].length >= 0 ? cases[i].length : 9);
	}
}

static void ethers(void **state)
{
	static const char *const wrong[] = { "", "00:11:22:33:44", "00:11:22:33:44:55:66",
		"0:11:22:33:44:55", "00:11:22:33:44:5g", "00-11:22:33:44:55", "001122334455",
		"00:11:22:33:44:55 ", "00.11.22.33.44.55", "00:11:22:33:44:5", "0", "00" };
	static const struct weir_ether right = { { 0, 0x11, 0xab, 0xCD, 0x44, 0xff } };
	struct weir_ether ether = { { 9 } };

	(void)state;
	for (unsigned i = 0; i < COUNT(wrong); i++)
		assert_false(weir_parse_ether(wrong[i], &ether));
	assert_int_equal(ether.bytes[0], 9);
	assert_true(weir_parse_ether("00:11:ab:CD:44:ff", &ether));
	assert_memory_equal(&ether, &right, 6);
	assert_true(weir_parse_ether("00-11-AB-cd-44-FF", &ether));
	assert_memory_equal(&ether, &right, 6);
}

static void numbers(void **state)
{
	static const struct {
		const char *text;
		bool is_one;
		uint64_t number;
	} cases[] = {
		{ "0", true, 0 },
		{ "17", true, 17 },
		{ "0x11", true, 17 },
		{ "0XfF", true, 255 },
		{ "64k", true, 64000 },
		{ "64K", true, 64000 },
		{ "1M", true, 1000000 },
		{ "2G", true, 2000000000 },
		{ "1T", true, UINT64_C(1000000000000) },
		{ "64Ki", true, 65536 },
		{ "1Mi", true, 1 << 20 },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "0xffffffffffffffff", true, UINT64_MAX },
		{ "18446744073709551616", false, 0 },
		{ "0x10000000000000000", false, 0 },
		{ "18446744073709551615k", false, 0 },
		{ "", false, 0 },
		{ "0x", false, 0 },
		{ "k", false, 0 },
		{ "-1", false, 0 },
		{ "+1", false, 0 },
		{ " 1", false, 0 },
		{ "1 ", false, 0 },
		{ "1.5", false, 0 },
		{ "1kk", false, 0 },
		{ "1kib", false, 0 },
		{ "1i", false, 0 },
		{ "0x1k", false, 0 },
		{ "1e3", false, 0 },
	};

	(void)state;
	for (unsigned i = 0; i < COUNT(cases); i++) {
		uint64_t number = 9;

		if (weir_parse_number(cases[i].text, &number) != cases[i].is_one)
			fail_msg("%s", cases[i].text);
		assert_int_equal(number, cases[i].is_one ? cases[i].number : 9);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(ethers),
		cmocka_unit_test(numbers),
	};
	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
