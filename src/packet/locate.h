// SPDX-License-Identifier: Apache-2.0
// Inside of the decoder: the walk from header to header of one packet, in full, and the fast way for plain packets.
//
// A header's function gets its first bytes, of which as many are there as its entry says, looks at what it must, and
// returns what comes next. It narrows the content (walk_narrow) when the header has a length, and tells a lie
// (walk_lie). Nothing is ever read behind `readable`.
#ifndef PACKET_LOCATE_H
#define PACKET_LOCATE_H

#include "packet/decode.h"

#include <assert.h>

enum { WALK_FOUND = 3 * DECODE_LAYERS }; // headers and parts

enum reason {
	REASON_NONE,
	REASON_CUT, // by the capture
	REASON_DEEP, // behind what lies in the first buffer, or behind the first 65,535 bytes
	REASON_LAYERS, // more of them than DECODE_LAYERS
	REASON_ETH_LENGTH,
	REASON_VLAN_LENGTH,
	REASON_PPPOE_LENGTH,
	REASON_RAW_VERSION,
	REASON_IP_VERSION,
	REASON_IP_HEADER,
	REASON_IP_LENGTH_SHORT,
	REASON_IP_LENGTH,
	REASON_IPV6_VERSION,
	REASON_IPV6_LENGTH,
	REASON_IPV6_JUMBO,
	REASON_AH_LENGTH,
	REASON_TCP_HEADER,
	REASON_UDP_LENGTH_SHORT,
	REASON_UDP_LENGTH,
	REASON_UDPLITE_COVERAGE,
	REASON_GRE_LENGTH,
	REASON_ICMP_LENGTH,
	REASON_GTP_LENGTH,
	REASON_GTP_EXTENSION,
	REASON_HEADER, // + enum protocol: its header does not fit in what it is in
};
static_assert(REASON_HEADER + PROTOCOLS <= 255);

struct found {
	uint8_t protocol, number; // from 1
	bool is_quoted;
	uint16_t base;
	uint32_t end; // within the frame
	uint32_t wire_end; // before the capture cut it
};

struct walk {
	const uint8_t *data;
	uint32_t readable; // bytes at data
	uint32_t at; // where the header begins that is looked at, then where the next one does
	uint32_t end, wire_end; // of what it is in, within the frame and on the wire
	enum protocol inside; // the header before
	enum protocol this; // the one that is looked at
	bool is_quoted, is_partial; // partial: there may be less than lengths say (a quote, a first fragment)
	uint32_t quote_end; // where the quote that begins ends; 0: where its message does
	bool is_ip_enough, is_ipv6_enough; // nobody asks for what is behind such a first network header
	uint8_t headers, networks, count; // networks: not quoted
	uint8_t reason;
	uint16_t reason_at;
	bool has_network, has_transport, is_fragment;
	uint16_t network, transport;
	uint8_t numbers[PROTOCOLS], outer[PROTOCOLS]; // how many so far; which is the first that is not quoted
	struct found found[WALK_FOUND];
};

// All headers of one packet.
void walk_slot(struct walk *walk, const struct vector *vector, unsigned slot);
const char *walk_too_short(enum protocol protocol); // of REASON_HEADER
void walk_inner(const struct walk *walk, const struct decode_inner *to, struct vector *vector, unsigned slot);
uint32_t walk_original(const struct vector *vector, unsigned slot); // the packet's length on the wire

// ---- for the functions of headers

typedef enum protocol walk_header(struct walk *walk, const uint8_t *header);

walk_header walk_eth, walk_vlan, walk_sll, walk_sll2, walk_null, walk_ppp, walk_chdlc, walk_raw, walk_llc;
walk_header walk_pppoe, walk_mpls, walk_gre, walk_vxlan, walk_geneve, walk_gtp;
walk_header walk_arp, walk_ip, walk_ipv6, walk_hopopts, walk_extension, walk_fragment, walk_ah;
walk_header walk_icmp, walk_icmpv6, walk_igmp, walk_tcp, walk_udp, walk_udplite, walk_sctp;

enum protocol walk_lie(struct walk *walk, enum reason reason); // this header is not there; returns PROTO_NONE
// The content ends at `end`, by a length field. If that is beyond what it is in, it lies; the content then ends there.
void walk_narrow(struct walk *walk, uint64_t end, enum reason lie);
// Are so many bytes of the header there? If not, it has been told why.
bool walk_has(struct walk *walk, uint32_t length);
// A part of this header, `length` bytes from `base` on, if they are there.
void walk_part(struct walk *walk, enum protocol part, uint32_t base, uint32_t length);
void walk_is_fragment(struct walk *walk);

// What comes next, by the number that announces it; PROTO_DATA: nothing that is known.
enum protocol walk_by_ethertype(uint16_t type);
enum protocol walk_by_ppp(uint16_t type);
enum protocol walk_by_ip(uint8_t type);
enum protocol walk_by_ipv6(uint8_t type);
enum protocol walk_by_nibble(const struct walk *walk); // by the first byte at walk->at
enum protocol walk_by_udp(const struct walk *walk, uint16_t port);

// ---- plain packets: Ethernet, at most one VLAN tag, IPv4 or IPv6 without anything odd, TCP or UDP but no tunnel

enum plain_depth {
	PLAIN_LINK, // the Ethernet header alone
	PLAIN_NETWORK, // the first network header
	PLAIN_ALL,
};

enum plain_mask { // who has what
	PLAIN_NOTHING,
	PLAIN_ETH,
	PLAIN_VLAN,
	PLAIN_ARP,
	PLAIN_IP,
	PLAIN_IPV6,
	PLAIN_TCP,
	PLAIN_UDP,
	PLAIN_TCP_PAYLOAD, // these three if somebody asks
	PLAIN_UDP_PAYLOAD,
	PLAIN_PAYLOAD,
	PLAIN_MASKS,
};

struct plain {
	_Alignas(64) uint32_t network_end[WEIR_VECTOR], transport_end[WEIR_VECTOR];
	_Alignas(64) uint16_t network[WEIR_VECTOR], transport[WEIR_VECTOR], payload[WEIR_VECTOR];
	weir_mask all; // what is not in it needs a walk
	weir_mask masks[PLAIN_MASKS];
	bool is_even; // all of them are tagged or none, all are IPv6 or none: places are the same
};

typedef void plain_run(struct plain *plain, const struct vector *vector, weir_mask todo);
plain_run *plain_choose(enum plain_depth depth);
void plain_ends(struct plain *plain, const struct vector *vector); // makes transport_end

#endif
