// SPDX-License-Identifier: Apache-2.0
// Filters as text: what they become (their canonical text), which are equal, what is said of wrong ones and where; and
// filters on payloads of events. What filters select on vectors is in filter_run_test.c.
#include "lang/filter_testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka wants the three above
#include <cmocka.h>

static struct filter *parse(struct arena *arena, struct diag *diag, const char *text)
{
	return filter_parse(arena, text, strlen(text), (struct place){ "test", 10, 5 }, &test_names, diag);
}

static struct filter *parse_right(struct arena *arena, const char *text)
{
	struct diag *diag = diag_create(arena);
	struct filter *filter = parse(arena, diag, text);

	if (!filter) {
		print_error("%s\n", text);
		diag_print(diag, stderr);
	}
	assert_non_null(filter);
	return filter;
}

static void texts_become_canonical(void **)
{
	static const struct {
		const char *text, *canonical;
	} cases[] = {
		{ "", "frame" },
		{ "  \n ", "frame" },
		{ "tcp", "tcp" },
		{ "not not tcp", "tcp" },
		{ "!tcp", "!tcp" },
		{ "! ( tcp )", "!tcp" },
		{ "tcp.dstport==443", "tcp.dstport == 443" },
		{ "tcp.dstport eq 0x1bb", "tcp.dstport == 443" },
		{ "tcp.dstport == 0673", "tcp.dstport == 443" },
		{ "tcp.dstport == 0b110111011", "tcp.dstport == 443" },
		{ "tcp.dstport == 'A'", "tcp.dstport == 65" },
		{ "tcp.dstport == '\\n'", "tcp.dstport == 10" },
		{ "tcp.dstport == '\\x41'", "tcp.dstport == 65" },
		{ "tcp.dstport == '\\101'", "tcp.dstport == 65" },
		{ "tcp.dstport in {443}", "tcp.dstport == 443" },
		{ "tcp.dstport in {443, 80,443..445,446}", "tcp.dstport in {80, 443..446}" },
		{ "tcp.dstport in {0..65535}", "tcp.dstport" },
		{ "tcp.dstport >= 0", "tcp.dstport" },
		{ "tcp.dstport > 1023", "tcp.dstport >= 1024" },
		{ "tcp.dstport lt 1024", "tcp.dstport <= 1023" },
		{ "tcp.dstport < 0", "!frame" },
		{ "tcp.dstport != 443", "tcp.dstport != 443" },
		{ "tcp.dstport all_ne 443", "tcp.dstport != 443" },
		{ "all tcp.dstport == 443", "tcp.dstport === 443" },
		{ "any tcp.dstport != 443", "tcp.dstport !== 443" },
		{ "tcp.dstport ~= 443", "tcp.dstport !== 443" },
		{ "all tcp.dstport < 443", "all tcp.dstport <= 442" },
		{ "not tcp.dstport in {1, 3}", "!(tcp.dstport in {1, 3})" },
		{ "tcp.dstport not in {1, 3}", "!(tcp.dstport in {1, 3})" },
		{ "tcp.port == 80", "tcp.port == 80" },
		{ "tcp.srcport == 80 or tcp.dstport == 80",
			"(tcp.dstport == 80 || tcp.srcport == 80)" },
		{ "tcp.dstport == 80 || tcp.dstport == 81", "tcp.dstport in {80..81}" },
		{ "ip.src == 10.1.2.3/8", "ip.src == 10.0.0.0/8" },
		{ "ip.src in {10.0.0.0..10.255.255.255}", "ip.src == 10.0.0.0/8" },
		{ "ip.src in {10.0.0.0/9, 10.128.0.0/9}", "ip.src == 10.0.0.0/8" },
		{ "ip.src == 0.0.0.0/0", "ip.src" },
		{ "ip.src != 10.0.0.0/8", "ip.src != 10.0.0.0/8" },
		{ "ip.src#1 != 10.0.0.0/8", "ip.src#1 != 10.0.0.0/8" },
		{ "ip.src#2 == 1.2.3.4", "ip.src#2 == 1.2.3.4" },
		{ "ip.src#[1-2] == 1.2.3.4", "ip.src#[1-2] == 1.2.3.4" },
		{ "ip.src#[-1] == 1.2.3.4", "ip.src#[-1] == 1.2.3.4" },
		{ "ipv6.src == 2001:DB8::1/32", "ipv6.src == 2001:db8::/32" },
		{ "ipv6.src == ::", "ipv6.src == ::" },
		{ "ipv6.src in {::1..::ffff}", "ipv6.src in {::1..::ffff}" },
		{ "eth.src == 00-11-22-33-44-55", "eth.src == 00:11:22:33:44:55" },
		{ "eth.src == 0011.2233.4455", "eth.src == 00:11:22:33:44:55" },
		{ "eth.src == 001122334455", "eth.src == 00:11:22:33:44:55" },
		{ "eth.addr == ff:ff:ff:ff:ff:ff", "eth.addr == ff:ff:ff:ff:ff:ff" },
		{ "tcp.flags & 0x12", "tcp.flags & 0x12" },
		{ "tcp.flags & 0x12 == 0x2", "tcp.flags & 0x12 == 2" },
		{ "tcp.flags bitwise_and 2 != 0", "tcp.flags & 0x2 != 0" },
		{ "tcp.flags & 2 == 4", "!frame" },
		{ "tcp.flags.syn", "tcp.flags.syn" },
		{ "tcp.flags.syn == True", "tcp.flags.syn == 1" },
		{ "tcp.flags.syn == TRUE", "tcp.flags.syn == 1" },
		{ "tcp.flags.syn == 17", "tcp.flags.syn == 1" },
		{ "tcp.flags.syn == False", "tcp.flags.syn == 0" },
		{ "tcp.flags.syn > 0", "tcp.flags.syn == 1" },
		{ "frame.time_epoch == 1.5", "frame.time_epoch == 1.500000000" },
		{ "frame.time_epoch >= \"1970-01-02Z\"", "frame.time_epoch >= 86400.000000000" },
		{ "tcp && ip.src == 1.2.3.4 && udp", "ip.src == 1.2.3.4 && tcp && udp" },
		{ "tcp && (udp && ip)", "ip && tcp && udp" },
		{ "tcp && tcp", "tcp" },
		{ "tcp and udp or ip and not eth.src", "(!eth.src && ip) || (tcp && udp)" },
		{ "tcp && frame", "tcp" },
		{ "tcp || frame", "frame" },
		{ "tcp && !frame", "!frame" },
		{ "tcp && ip.ttl < 0", "!frame" },
		{ "ip.ttl#1 >= 3 && ip.ttl#1 <= 9", "ip.ttl#1 in {3..9}" },
		{ "ip.ttl >= 3 && ip.ttl <= 9",
			"ip.ttl <= 9 && ip.ttl >= 3" }, // any occurrence: not the same one
		{ "tcp.payload[0:3] == \"GET\"", "tcp.payload[0:3] == 47:45:54" },
		{ "tcp.payload[0-2] == 47.45.54", "tcp.payload[0-2] == 47:45:54" },
		{ "tcp.payload[:3] == 47-45-54", "tcp.payload[0:3] == 47:45:54" },
		{ "tcp.payload[4:] == 474554", "tcp.payload[4:] == 47:45:54" },
		{ "tcp.payload[-1] == 7", "tcp.payload[-1:1] == 07" },
		{ "tcp.payload[0] == 0x7f", "tcp.payload[0:1] == 7f" },
		{ "tcp.payload[ 1 , 3-5 , 9: ] contains 00:",
			"tcp.payload[1:1,3-5,9:] contains 00" },
		{ "tcp.payload matches \"^get\"", "tcp.payload matches \"^get\"" },
		{ "tcp.payload ~ r\"\\d+\"", "tcp.payload matches \"\\\\d+\"" },
		{ "tcp contains \"a\\\"b\\u00e9\"", "tcp contains 61:22:62:c3:a9" },
		{ "ip[9] == 6", "ip[9:1] == 06" },
		{ "tcp[13] & 02", "tcp[13:1] & 02" },
		{ "tcp[12:2]", "tcp[12:2]" },
		{ "len(tcp.payload) > 10", "len(tcp.payload) > 10" },
		{ "count(ip.addr) >= 3", "count(ip.addr) >= 3" },
		{ "max(tcp.srcport, tcp.dstport) == 80", "max(tcp.srcport, tcp.dstport) == 80" },
		{ "upper(http.host) == \"A\"", "upper(http.host) == \"A\"" },
		{ "string(ip.src) contains \"10\"", "string(ip.src) contains \"10\"" },
		{ "ip.ttl == 1 + 2 * 3", "ip.ttl == 7" },
		{ "ip.ttl == {1 + 2} * 3", "ip.ttl == 9" },
		{ "ip.ttl == 9 -1", "ip.ttl == 8" },
		{ "ip.ttl == - -1", "ip.ttl == 1" },
		{ "ip.ttl + 1 == ip.len / 2", "ip.ttl + 1 == ip.len / 2" },
		{ "ip.ttl < ip.len < 200", "ip.len <= 199 && ip.ttl < ip.len" },
		{ "ip.src == ip.dst", "ip.src == ip.dst" },
		{ "ip.src & 255.255.0.0 == 10.1.0.0", "ip.src & 255.255.0.0 == 10.1.0.0" },
		{ "mark == 18446744073709551615", "mark == 18446744073709551615" },
		{ "trusted == True", "trusted == 1" },
		{ "nat.addr == 10.0.0.0/8", "nat.addr == ::ffff:10.0.0.0/104" },
		{ "http.host contains \"example\" and tcp.dstport == 80",
			"http.host contains \"example\" && tcp.dstport == 80" },
		{ "http.host in {\"b\", \"a\", \"b\"}", "http.host in {\"a\", \"b\"}" },
		{ "tcp.payload in {\"bb\", \"c\"}", "tcp.payload in {63, 62:62}" },
		{ "http.status in {200..299}", "http.status in {200..299}" },
	};
	unsigned wrong = 0;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct arena *arena = arena_create();
		const char *text = filter_text(arena, parse_right(arena, cases[i].text));

		if (strcmp(text, cases[i].canonical) || strcmp(filter_text(arena, parse_right(arena, text)), text)) {
			print_error("%s\nbecomes  %s\nexpected %s\n", cases[i].text, text, cases[i].canonical);
			wrong++;
		}
		arena_destroy(arena);
	}
	assert_int_equal(wrong, 0);
}

static void equal_filters_are_equal(void **)
{
	static const struct {
		const char *a, *b;
		bool is_equal;
	} cases[] = {
		{ "tcp && udp", "udp and tcp", true },
		{ "tcp.port == 80", "tcp.dstport == 80 || tcp.srcport == 80", true },
		{ "tcp.port != 80", "tcp.dstport != 80 && tcp.srcport != 80", false }, // where one of them is absent
		{ "ip.src == 10.0.0.0/8", "ip.src in {10.0.0.0 .. 10.255.255.255}", true },
		{ "!(tcp.dstport == 80)", "tcp.dstport != 80", false },
		{ "tcp.dstport < 1024", "tcp.dstport <= 1023", true },
		{ "tcp.dstport#1 == 80", "tcp.dstport == 80", false },
		{ "tcp#1", "tcp", true },
		{ "ip.src#1 == 1.2.3.4", "all ip.src#1 == 1.2.3.4", true },
		{ "tcp[0:2] == 00:50", "tcp[0-1] == 00:50", false }, // the same, but not told to be
		{ "http.host == \"a\"", "http.host == \"A\"", false },
		{ "tcp", "udp", false },
		{ "(tcp || udp) && ip", "ip && (udp || tcp)", true },
		{ "", "frame || tcp", true },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct arena *arena = arena_create();
		struct filter *a = parse_right(arena, cases[i].a), *b = parse_right(arena, cases[i].b);

		if (filter_equal(a, b) != cases[i].is_equal || (cases[i].is_equal && filter_hash(a) != filter_hash(b)))
			fail_msg("%s and %s", cases[i].a, cases[i].b);
		arena_destroy(arena);
	}
}

// The text begins in line 10, column 5.
static void wrong_filters_are_refused(void **)
{
	static const struct {
		const char *text;
		unsigned line, column;
		const char *message, *hint;
	} cases[] = {
		{ "tcp.dstprot == 80", 10, 5, "\"tcp.dstprot\" is no field and no protocol",
			"did you mean \"tcp.dstport\"?" },
		{ "tcp && ip.scr == 1.2.3.4", 10, 12, "\"ip.scr\" is no field and no protocol",
			"did you mean \"ip.src\"?" },
		{ "tcp &&\n  tpc", 11, 3, "\"tpc\" is no field and no protocol", NULL },
		{ "zzzzzzzzzz", 10, 5, "\"zzzzzzzzzz\" is no field and no protocol", NULL },
		{ "ip.src == abc", 10, 15, "\"ip.src\" is an IPv4 address, \"abc\" is none",
			"write 10.0.0.1, or 10.0.0.0/8" },
		{ "ip.src == ip.dts", 10, 15, "\"ip.src\" is an IPv4 address, \"ip.dts\" is none",
			"did you mean the field \"ip.dst\"?" },
		{ "ip.src == www.example.org", 10, 15,
			"\"ip.src\" is an IPv4 address, \"www.example.org\" is none",
			"host names are not looked up; write the address" },
		{ "ip.src == \"10.0.0.1\"", 10, 15,
			"\"ip.src\" is an IPv4 address, \"10.0.0.1\" is none",
			"write it without quotes: 10.0.0.1, or 10.0.0.0/8" },
		{ "ip.src == 10.0.0.0/33", 10, 15,
			"\"ip.src\" is an IPv4 address, \"10.0.0.0/33\" is none",
			"write 10.0.0.1, or 10.0.0.0/8" },
		{ "ip.src == 10.0.0", 10, 15, "\"ip.src\" is an IPv4 address, \"10.0.0\" is none",
			"write 10.0.0.1, or 10.0.0.0/8" },
		{ "ip.src == 167772161", 10, 15,
			"\"ip.src\" is an IPv4 address, \"167772161\" is none",
			"write 10.0.0.1, or 10.0.0.0/8" },
		{ "ip.src == 2001:db8::1", 10, 15,
			"\"ip.src\" is an IPv4 address, \"2001:db8::1\" is none",
			"write 10.0.0.1, or 10.0.0.0/8" },
		{ "ipv6.src == 10.0.0.1", 10, 17,
			"\"ipv6.src\" is an IPv6 address, \"10.0.0.1\" is none",
			"write 2001:db8::1, or 2001:db8::/32" },
		{ "eth.src == 00:11:22", 10, 16,
			"\"eth.src\" is an Ethernet address, \"00:11:22\" is none",
			"write six bytes: 00:11:22:33:44:55" },
		{ "tcp.dstport == qqqqqqqq", 10, 20,
			"\"tcp.dstport\" is a number, \"qqqqqqqq\" is none",
			"write 17, 0x11, 021, 0b10001 or 'a'" },
		{ "tcp.dstport == \"80\"", 10, 20, "\"tcp.dstport\" is a number, \"80\" is none",
			"write it without quotes: 17, 0x11, 021, 0b10001 or 'a'" },
		{ "tcp.dstport == 70000", 10, 20,
			"\"70000\" is too great for \"tcp.dstport\": at most 65535", NULL },
		{ "ip.ttl in {1, 300}", 10, 19, "\"300\" is too great for \"ip.ttl\": at most 255",
			NULL },
		{ "mark == 18446744073709551616", 10, 13,
			"\"18446744073709551616\" is too great for \"mark\": at most 18446744073709551615",
			NULL },
		{ "tcp.dstport == 089", 10, 20, "\"tcp.dstport\" is a number, \"089\" is none",
			"write 17, 0x11, 021, 0b10001 or 'a'" },
		{ "tcp.flags.syn == Set", 10, 22, "\"tcp.flags.syn\" is a boolean, \"Set\" is none",
			"write True, False, 1 or 0" },
		{ "tcp.payload == 0x4142", 10, 20,
			"\"tcp.payload\" is a row of bytes, \"0x4142\" is none",
			"write 00:11:22, or a string in double quotes" },
		{ "tcp.payload == 123", 10, 20,
			"\"tcp.payload\" is a row of bytes, \"123\" is none",
			"write 00:11:22, or a string in double quotes" },
		{ "http.host == example", 10, 18, "\"http.host\" is a string, \"example\" is none",
			"write a string in double quotes" },
		{ "frame.time_epoch > \"yesterday\"", 10, 24,
			"\"frame.time_epoch\" is a time, \"yesterday\" is none",
			"write seconds, or \"2024-02-29 12:00:00Z\"" },
		{ "eth.src == ip.src", 10, 16,
			"\"eth.src\" is an Ethernet address, \"ip.src\" is an IPv4 address", NULL },
		{ "tcp.dstport == ip.src", 10, 20,
			"\"tcp.dstport\" is a number, \"ip.src\" is an IPv4 address", NULL },
		{ "tcp.dstport contains 80", 10, 5,
			"\"tcp.dstport\" is a number: \"contains\" is for bytes and strings",
			"string(tcp.dstport) is its text" },
		{ "ip.src matches \"10\"", 10, 5,
			"\"ip.src\" is an IPv4 address: \"matches\" is for bytes and strings",
			"string(ip.src) is its text" },
		{ "tcp.payload matches abc", 10, 25,
			"behind \"matches\" a pattern in double quotes is expected, not \"abc\"",
			NULL },
		{ "tcp.payload matches \"a(\"", 10, 25,
			"no pattern: missing closing parenthesis, behind its character 2", NULL },
		{ "80 == tcp.port", 10, 5, "on the left stands a field or a function, not \"80\"",
			"turn the comparison round" },
		{ "\"GET\" == tcp.payload", 10, 5,
			"on the left stands a field or a function, not \"GET\"",
			"turn the comparison round" },
		{ "ip.ttl[0] == 40", 10, 5, "\"ip.ttl\" is a number: no bytes can be cut out of it",
			NULL },
		{ "ip[3-1] == 00", 10, 8, "this slice ends before it begins", NULL },
		{ "ip[0:0] == 00", 10, 8, "a slice of no bytes", NULL },
		{ "ip[x] == 00", 10, 8, "no slice that can be read",
			"[offset:length], [first-last], [offset], [:length], [offset:]" },
		{ "ip[0", 10, 9, "\"]\" expected at the end of the slice", NULL },
		{ "ip.src#0 == 1.2.3.4", 10, 5, "there is no header 0",
			"headers of a protocol are counted from #1 to #32; #-1 is the last" },
		{ "ip.src#33", 10, 5, "so many headers are not counted",
			"headers of a protocol are counted from #1 to #32; #-1 is the last" },
		{ "ip.src#-2", 10, 5,
			"of the headers counted from the end only the last can be asked for",
			"headers of a protocol are counted from #1 to #32; #-1 is the last" },
		{ "ip.src#", 10, 12,
			"behind \"#\" a number is expected, or a range in brackets: #2, #[1-2]",
			NULL },
		{ "mark#2 == 3", 10, 5, "\"mark\" is not of a header: it has no layers", NULL },
		{ "(tcp", 10, 9, "the end of the filter is not right here: \")\" expected", NULL },
		{ "tcp)", 10, 8,
			"\")\" is not right here: \"&&\", \"||\" or the end of the filter expected",
			NULL },
		{ "tcp udp", 10, 9,
			"\"udp\" is not right here: \"&&\", \"||\" or the end of the filter expected",
			NULL },
		{ "tcp &&", 10, 11,
			"the end of the filter is not right here: a field or a value expected",
			NULL },
		{ "tcp xor udp", 10, 9,
			"\"xor\" is not right here: \"&&\", \"||\" or the end of the filter expected",
			"\"a xor b\" is \"(a || b) && !(a && b)\"" },
		{ "tcp AND udp", 10, 9,
			"\"AND\" is not right here: \"&&\", \"||\" or the end of the filter expected",
			"operators in words have small letters" },
		{ "tcp.dstport = 80", 10, 17, "\"=\" has no meaning here", "equality is \"==\"" },
		{ "tcp | udp", 10, 9, "\"|\" has no meaning here", "\"or\" is \"||\"" },
		{ "tcp.dstport == $port", 10, 20, "\"$\" has no meaning here", NULL },
		{ "tcp.dstport in {}", 10, 21,
			"\"}\" is not right here: a field or a value expected", NULL },
		{ "tcp.dstport in {80 443}", 10, 24,
			"\"443\" is not right here: \",\" or \"}\" expected", NULL },
		{ "tcp.dstport in 80", 10, 20, "\"80\" is not right here: \"{\" and a set expected",
			NULL },
		{ "all tcp", 10, 12,
			"the end of the filter is not right here: a comparison, such as \"==\", expected",
			NULL },
		{ "http.host == \"abc", 10, 18, "the string has no end", NULL },
		{ "http.host == \"\\q\"", 10, 19, "no such escape in a string",
			"for the backslash itself write \\\\, or the string as r\"...\"" },
		{ "ip.ttl == 'ab'", 10, 15, "between single quotes stands one character", NULL },
		{ "ip.ttl == (3)", 10, 15, "\"(\" is not right here: a field or a value expected",
			NULL },
		{ "len(tcp.payload)", 10, 5,
			"\"len(tcp.payload)\" alone is no condition: compare it with something",
			NULL },
		{ "lenn(tcp) == 3", 10, 5, "no function \"lenn\"", "did you mean \"len\"?" },
		{ "len(tcp, udp) == 3", 10, 5, "len takes one argument, not 2", NULL },
		{ "upper(ip.src) == \"A\"", 10, 11,
			"upper takes a string, \"ip.src\" is an IPv4 address", NULL },
		{ "max(80, 90) == tcp.port", 10, 9, "\"80\" is no field and no protocol", NULL },
		{ "ip.src + 1 == 10.0.0.2", 10, 5,
			"\"ip.src\" is an IPv4 address: there is no arithmetic on it", NULL },
		{ "tcp.flags.syn & 1", 10, 5,
			"\"tcp.flags.syn\" is a boolean: there is no arithmetic on it", NULL },
		{ "ip.ttl / 0 == 1", 10, 14, "division by zero", NULL },
		{ "42", 10, 5, "\"42\" is no field and no protocol", NULL },
	};
	unsigned wrong = 0;

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct arena *arena = arena_create();
		struct diag *diag = diag_create(arena);
		struct diag_message *first;

		assert_null(parse(arena, diag, cases[i].text));
		first = diag->first;
		assert_non_null(first);
		if (strcmp(first->text, cases[i].message) || first->at.line != cases[i].line ||
			first->at.column != cases[i].column ||
			strcmp(first->hint ? first->hint : "",
				cases[i].hint ? cases[i].hint : "") ||
			diag->errors != 1) {
			print_error("%s\nexpected %u:%u: %s; %s\n", cases[i].text, cases[i].line, cases[i].column,
				    cases[i].message, cases[i].hint);
			diag_print(diag, stderr);
			wrong++;
		}
		arena_destroy(arena);
	}
	assert_int_equal(wrong, 0);
}

static void all_errors_are_reported(void **)
{
	struct arena *arena = arena_create();
	struct diag *diag = diag_create(arena);

	assert_null(parse(arena, diag, "ip.scr == 1.2.3.4 && tcp.dstport == 99999 || !(ip.src == 1.2.3) && tpc"));
	assert_int_equal(diag->errors, 4);
	arena_destroy(arena);
}

static void what_never_holds_is_warned_of(void **)
{
	struct arena *arena = arena_create();
	struct diag *diag = diag_create(arena);

	assert_non_null(parse(arena, diag, "ip.ttl in {9..3}"));
	assert_int_equal(diag->errors, 0);
	assert_int_equal(diag->warnings, 2);
	arena_destroy(arena);
}

// Deep or long texts neither crash nor take for ever.
static void hostile_texts_end(void **)
{
	static const struct {
		const char *unit;
		bool is_right;
	} cases[] = {
		{ "(", false },
		{ "!", false },
		{ "{", false },
		{ "ip.ttl == {1+", false },
		{ "tcp || ", false },
		{ "ip.ttl+", false },
		{ "ip[0][", false },
		{ "len(", false },
		{ "-", false },
		{ "\"", false },
		{ "tcp.dstport == 80 || ", false },
		{ "ip.ttl < ", false },
		{ "ip.ttl[0:1]", false },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct arena *arena = arena_create();
		size_t length = strlen(cases[i].unit), count = 20000 / length;
		char *text = arena_take(arena, length * count + 1);

		for (size_t j = 0; j < count; j++)
			memcpy(text + j * length, cases[i].unit, length);
		assert_null(parse(arena, diag_create(arena), text));
		arena_destroy(arena);
	}
}

// ---- payloads

struct test_request {
	struct weir_text host;
	uint16_t status;
	struct weir_addr server;
	struct weir_texts names;
};

static void payloads_are_looked_at(void **)
{
	static const char *const names[] = { "one.example", "two.example" };
	static const struct weir_part parts[] = {
		{ "http.host", WEIR_VIEW, offsetof(struct test_request, host), sizeof(struct weir_text) },
		{ "http.status", WEIR_U16, offsetof(struct test_request, status), 2 },
		{ "http.server", WEIR_IP, offsetof(struct test_request, server), 16 },
		{ "http.names", WEIR_STRINGS, offsetof(struct test_request, names), sizeof(struct weir_texts) },
		{ .field = NULL },
	};
	static const struct weir_event_type type = {
		.name = "http.test", .parts = parts, .size = sizeof(struct test_request)
	};
	const struct test_request request = {
		.host = { "www.Example.org", 15 },
		.status = 404,
		.server = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3 } },
		.names = { 2, names },
	};
	static const struct {
		const char *text;
		bool holds;
	} cases[] = {
		{ "http.host == \"www.Example.org\"", true },
		{ "http.host == \"www.example.org\"", false },
		{ "lower(http.host) == \"www.example.org\"", true },
		{ "http.host contains \"Example\"", true },
		{ "http.host matches \"example\\\\.(org|com)$\"", true },
		{ "http.host[0:3] == \"www\"", true },
		{ "http.host in {\"a\", \"b\", \"c\", \"d\", \"www.Example.org\", \"zzz\"}", true },
		{ "len(http.host) == 15", true },
		{ "http.host > \"abc\"", true },
		{ "http.status == 404", true },
		{ "http.status in {400..499}", true },
		{ "http.status & 0x100", true },
		{ "http.status != 404", false },
		{ "http.server == 10.0.0.0/8", true },
		{ "http.server == 10.1.2.3", true },
		{ "http.server == 2001:db8::/32", false },
		{ "http.names == \"two.example\"", true },
		{ "all http.names contains \"example\"", true },
		{ "all http.names == \"two.example\"", false },
		{ "http.names != \"three\"", true },
		{ "count(http.names) == 2", true },
		{ "http.host && !tcp", true },  // it rides on nothing
		{ "http.host && ip.ttl == 64", false },
		{ "http.status == 404 || tcp.dstport == 80", true },
	};
	struct filter_payload payload = { &type, &request };

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct arena *arena = arena_create();
		struct filter_program *program = filter_bind(arena, parse_right(arena, cases[i].text), NULL, NULL);

		if (filter_event(program, NULL, 0, filter_payload_part, &payload) != cases[i].holds)
			fail_msg("%s should be %d", cases[i].text, cases[i].holds);
		arena_destroy(arena);
	}
}

static void parts_become_fields(void **)
{
	static const struct weir_part parts[] = { { "a.size", WEIR_U32, 0, 4 },
		{ "a.from", WEIR_ETHER, 4, 6 }, { .field = NULL } };
	static const struct weir_event_type type = { .name = "a.b", .parts = parts, .size = 12 };
	struct field size = filter_part_field(&type, 0), from = filter_part_field(&type, 1);

	assert_string_equal(size.name, "a.size");
	assert_int_equal(size.type, FIELD_UINT);
	assert_int_equal(size.size, 4);
	assert_int_equal(size.kind, FIELD_OF_EVENT);
	assert_int_equal(from.type, FIELD_ETHER);
	assert_int_equal(from.compute, 1);
}

static void filters_are_split(void **)
{
	static const struct {
		const char *text, *packet, *payload;
	} cases[] = {
		{ "tcp && http.host == \"a\" && ip.src == 1.2.3.4", "ip.src == 1.2.3.4 && tcp",
			"http.host == \"a\"" },
		{ "tcp", "tcp", NULL },
		{ "http.status == 200", NULL, "http.status == 200" },
		{ "tcp.dstport == 80 || http.status == 200", NULL,
			"http.status == 200 || tcp.dstport == 80" },
		{ "udp && !(tcp.dstport == 80 && http.status == 200)", "udp",
			"!(http.status == 200 && tcp.dstport == 80)" },
		{ "", NULL, NULL },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct arena *arena = arena_create();
		struct filter_parts parts = filter_split(arena, parse_right(arena, cases[i].text));

		assert_string_equal(parts.packet ? filter_text(arena, parts.packet) : "",
			cases[i].packet ? cases[i].packet : "");
		assert_string_equal(parts.payload ? filter_text(arena, parts.payload) : "",
			cases[i].payload ? cases[i].payload : "");
		arena_destroy(arena);
	}
}

static void operands_are_told(void **)
{
	static const struct {
		const char *text, *operands;
	} cases[] = {
		{ "tcp && tcp.dstport == 80 && tcp.dstport == 81", "tcp.1 tcp.dstport.254 " },
		{ "tcp.port == 80", "tcp.dstport.254 tcp.srcport.254 " },
		{ "ip.src#[1-2] == 1.2.3.4 || ip[9] == 6", "ip.src.1 ip.src.2 ip@254 " },
		{ "ip.src#-1 == 1.2.3.4", "ip.src.255 " },
		{ "ip.src#[2:] == 1.2.3.4", "ip.src.2 ip.src.3 ip.src.4 " },
		{ "frame.len > 3 && mark == 2", "frame.len.1 mark.0 " },
		{ "count(ip) == 2 && http.host", "ip.254 http.host.0 " },
		{ "len(ip#2) == 20", "ip@2 " },
		{ "frame[0] == 00", "frame@1 " },
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct arena *arena = arena_create();
		struct filter *filter = parse_right(arena, cases[i].text);
		const char *all = "";

		for (unsigned j = 0; j < filter_operand_count(filter); j++) {
			const struct filter_operand *operand = filter_operand_at(filter, j);

			all = arena_print(arena, "%s%s%c%u ", all, operand->field->name,
				operand->kind == FILTER_PLACE ? '@' : '.', operand->occurrence);
		}
		assert_string_equal(all, cases[i].operands);
		arena_destroy(arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_become_canonical),   cmocka_unit_test(equal_filters_are_equal),
		cmocka_unit_test(wrong_filters_are_refused), cmocka_unit_test(all_errors_are_reported),
		cmocka_unit_test(what_never_holds_is_warned_of), cmocka_unit_test(hostile_texts_end),
		cmocka_unit_test(payloads_are_looked_at),   cmocka_unit_test(parts_become_fields),
		cmocka_unit_test(filters_are_split),	    cmocka_unit_test(operands_are_told),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
