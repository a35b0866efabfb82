// SPDX-License-Identifier: Apache-2.0
// A few fields, as the decoder has them, and some of a module and of an event, for tests of filters.
#ifndef LANG_FILTER_TESTING_H
#define LANG_FILTER_TESTING_H

#include "lang/filter_parse.h"

#define TEST_FIELD(text, is, of, bytes, ...)                                                               \
	{                                                                                                  \
		.name = text, .type = is, .protocol = of, .size = bytes __VA_OPT__(, ) __VA_ARGS__         \
	}
#define TEST_ANY_OF(...) .any_of = (const char *const[]){ __VA_ARGS__, NULL }

static const struct field test_fields[] = {
	TEST_FIELD("frame", FIELD_PROTOCOL, PROTO_FRAME, 0),
	TEST_FIELD("frame.len", FIELD_UINT, PROTO_FRAME, 4),
	TEST_FIELD("frame.time_epoch", FIELD_TIME, PROTO_FRAME, 8),
	TEST_FIELD("eth", FIELD_PROTOCOL, PROTO_ETH, 0),
	TEST_FIELD("eth.src", FIELD_ETHER, PROTO_ETH, 8),
	TEST_FIELD("eth.dst", FIELD_ETHER, PROTO_ETH, 8),
	TEST_FIELD("eth.addr", FIELD_ETHER, PROTO_ETH, 8, TEST_ANY_OF("eth.src", "eth.dst")),
	TEST_FIELD("eth.type", FIELD_UINT, PROTO_ETH, 2),
	TEST_FIELD("vlan", FIELD_PROTOCOL, PROTO_VLAN, 0),
	TEST_FIELD("vlan.id", FIELD_UINT, PROTO_VLAN, 2),
	TEST_FIELD("ip", FIELD_PROTOCOL, PROTO_IP, 0),
	TEST_FIELD("ip.src", FIELD_IPV4, PROTO_IP, 4),
	TEST_FIELD("ip.dst", FIELD_IPV4, PROTO_IP, 4),
	TEST_FIELD("ip.addr", FIELD_IPV4, PROTO_IP, 4, TEST_ANY_OF("ip.src", "ip.dst")),
	TEST_FIELD("ip.proto", FIELD_UINT, PROTO_IP, 1),
	TEST_FIELD("ip.ttl", FIELD_UINT, PROTO_IP, 1),
	TEST_FIELD("ip.len", FIELD_UINT, PROTO_IP, 2),
	TEST_FIELD("ip.flags.df", FIELD_BOOL, PROTO_IP, 0),
	TEST_FIELD("ipv6", FIELD_PROTOCOL, PROTO_IPV6, 0),
	TEST_FIELD("ipv6.src", FIELD_IPV6, PROTO_IPV6, 16),
	TEST_FIELD("ipv6.dst", FIELD_IPV6, PROTO_IPV6, 16),
	TEST_FIELD("tcp", FIELD_PROTOCOL, PROTO_TCP, 0),
	TEST_FIELD("tcp.srcport", FIELD_UINT, PROTO_TCP, 2),
	TEST_FIELD("tcp.dstport", FIELD_UINT, PROTO_TCP, 2),
	TEST_FIELD("tcp.port", FIELD_UINT, PROTO_TCP, 2, TEST_ANY_OF("tcp.srcport", "tcp.dstport")),
	TEST_FIELD("tcp.flags", FIELD_UINT, PROTO_TCP, 2),
	TEST_FIELD("tcp.flags.syn", FIELD_BOOL, PROTO_TCP, 0),
	TEST_FIELD("tcp.seq_raw", FIELD_UINT, PROTO_TCP, 4),
	TEST_FIELD("tcp.payload", FIELD_BYTES, PROTO_TCP, 8),
	TEST_FIELD("udp", FIELD_PROTOCOL, PROTO_UDP, 0),
	TEST_FIELD("udp.srcport", FIELD_UINT, PROTO_UDP, 2),
	TEST_FIELD("udp.dstport", FIELD_UINT, PROTO_UDP, 2),
	TEST_FIELD("mark", FIELD_UINT, PROTO_NONE, 8, .kind = FIELD_CARRIED),
	TEST_FIELD("trusted", FIELD_BOOL, PROTO_NONE, 0, .kind = FIELD_CARRIED),
	TEST_FIELD("nat.addr", FIELD_IPV6, PROTO_NONE, 16, .kind = FIELD_CARRIED),
	TEST_FIELD("http.host", FIELD_STRING, PROTO_NONE, 8, .kind = FIELD_OF_EVENT, .compute = 0),
	TEST_FIELD("http.status", FIELD_UINT, PROTO_NONE, 2, .kind = FIELD_OF_EVENT, .compute = 1),
	TEST_FIELD("http.server", FIELD_IPV6, PROTO_NONE, 16, .kind = FIELD_OF_EVENT, .compute = 2),
	TEST_FIELD("http.names", FIELD_STRING, PROTO_NONE, 8, .kind = FIELD_OF_EVENT, .compute = 3),
};

enum { TEST_FIELDS = sizeof(test_fields) / sizeof(*test_fields) };

static const struct field *test_field_find(void *context, const char *name)
{
	(void)context;
	for (unsigned i = 0; i < TEST_FIELDS; i++)
		if (!strcmp(test_fields[i].name, name))
			return &test_fields[i];
	return NULL;
}

static const char *test_field_at(void *context, unsigned index)
{
	(void)context;
	return index < TEST_FIELDS ? test_fields[index].name : NULL;
}

static const struct filter_names test_names = { .find = test_field_find, .at = test_field_at };

#endif
