// SPDX-License-Identifier: Apache-2.0
// Between the link types of captures and the protocol of a packet's first header.
#ifndef PORT_LINKS_H
#define PORT_LINKS_H

#include "packet/packet.h"
#include "packet/protocol.h"

uint8_t links_protocol(uint16_t link_type); // PROTO_DATA: opaque bytes
// The link type that a packet is written with: the one it was read with, while its first header is still of that kind.
// -1: no link type begins with such a header.
int links_number(const struct packet_head *head);

#endif
