// SPDX-License-Identifier: Apache-2.0
// Whom an IP packet is from and for, read from its bytes alone: for steering, which runs before anything is decoded,
// and of packets that ICMP errors quote, of which there may be no more than that.
#ifndef PACKET_ENDS_H
#define PACKET_ENDS_H

#include <stdbool.h>
#include <stdint.h>

struct ends {
	const uint8_t *source, *destination;
	unsigned size; // of an address: 4 or 16
	uint8_t protocol;
	bool is_fragment;
	uint32_t identification; // of a fragment
	const uint8_t *transport; // NULL: cut, or in another fragment
	bool has_ports;
	uint16_t source_port, destination_port;
};

// The headers at `ip`. False: they are not there.
bool ends_read(struct ends *ends, const uint8_t *ip, const uint8_t *end, bool is_ipv6);
// Is it a message that quotes the packet that caused it?
bool ends_is_error(bool is_ipv6, uint8_t type);
// Of the packet that the error at `icmp` quotes; of one that is all there to tell its flow by. False: it is not.
bool ends_read_quoted(struct ends *ends, const uint8_t *icmp, const uint8_t *end, bool is_ipv6);

#endif
