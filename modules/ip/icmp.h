// SPDX-License-Identifier: Apache-2.0
// What ICMP errors of both families have in common: types and codes by name, and what they quote.
#ifndef ICMP_H
#define ICMP_H

#include <weir.h>

enum { ICMP_ETHER = 14, ICMP_MOST_LINK = 64 };

extern const char icmp_known[], icmp6_known[];
bool icmp_parse(const char *type, const char *code, uint8_t *type_number, uint8_t *code_number);
bool icmp6_parse(const char *type, const char *code, uint8_t *type_number, uint8_t *code_number);
// Is a message of this ICMP type (IPv4) no error, so that an error may be sent about it?
bool icmp_is_query(uint8_t type);

// Any number of bytes of a frame; false: it has not so many.
bool icmp_copy(struct weir_vector *v, unsigned slot, uint32_t from, uint32_t length, uint8_t *to);
// Writes what stands in front of an answer to a frame, whose first `network` bytes are `frame`: its
// addresses exchanged, its tags. Of a frame without Ethernet: a header without addresses and
// `type`. Returns its length; 0: too long.
uint32_t icmp_link(
	uint8_t to[ICMP_MOST_LINK], const uint8_t *frame, uint32_t network, bool is_ethernet, uint16_t type);

#endif
