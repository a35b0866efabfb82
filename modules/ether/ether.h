// SPDX-License-Identifier: Apache-2.0
// Elements of the link layer: Ethernet headers, VLAN tags, a learning switch.
#ifndef ETHER_H
#define ETHER_H

#include <weir.h>

extern const struct weir_class EtherEncap, EtherRewrite, HostEtherFilter, VLANEncap, VLANDecap, EtherSwitch;

enum {
	ETHER_HEADER = 14,
	ETHER_ADDRESSES = 12,
	ETHER_TYPE = 12,
	VLAN_TAG = 4,
};
enum {
	ETHER_TYPE_CUSTOMER = 0x8100,
	ETHER_TYPE_SERVICE = 0x88a8,
	ETHER_TYPE_OLD_SERVICE = 0x9100,
};

static inline bool ether_is_group(const uint8_t *address)
{
	return address[0] & 1;
}

static inline bool ether_is_tag(uint16_t type)
{
	return type == ETHER_TYPE_CUSTOMER || type == ETHER_TYPE_SERVICE || type == ETHER_TYPE_OLD_SERVICE;
}

#endif
