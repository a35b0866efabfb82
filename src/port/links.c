// SPDX-License-Identifier: Apache-2.0
#include "port/links.h"

enum { LINKS = 512 };

static const uint8_t protocols[LINKS] = {
	[0] = PROTO_NULL,
	[1] = PROTO_ETH,
	[9] = PROTO_PPP,
	[12] = PROTO_RAW,
	[14] = PROTO_RAW,
	[50] = PROTO_PPP,
	[51] = PROTO_PPPOE,
	[101] = PROTO_RAW,
	[104] = PROTO_CHDLC,
	[108] = PROTO_NULL,
	[113] = PROTO_SLL,
	[228] = PROTO_RAW,
	[229] = PROTO_RAW,
	[276] = PROTO_SLL2,
};

// one more than the number, as 0 is a number, too
static const uint16_t numbers[PROTOCOLS] = {
	[PROTO_ETH] = 1 + 1,
	[PROTO_NULL] = 0 + 1,
	[PROTO_PPP] = 9 + 1,
	[PROTO_PPPOE] = 51 + 1,
	[PROTO_RAW] = 101 + 1,
	[PROTO_IP] = 101 + 1,
	[PROTO_IPV6] = 101 + 1,
	[PROTO_CHDLC] = 104 + 1,
	[PROTO_SLL] = 113 + 1,
	[PROTO_SLL2] = 276 + 1,
};

uint8_t links_protocol(uint16_t link_type)
{
	return link_type < LINKS && protocols[link_type] ? protocols[link_type] : PROTO_DATA;
}

int links_number(const struct packet_head *head)
{
	if (head->gso_type == PACKET_GSO_NONE && links_protocol(head->link_type) == head->link)
		return head->link_type;
	return head->link < PROTOCOLS ? numbers[head->link] - 1 : -1;
}
