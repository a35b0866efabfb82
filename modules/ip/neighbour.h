// SPDX-License-Identifier: Apache-2.0
// Neighbours: addresses of the next hop, their Ethernet addresses, and the packets that wait for those. What ARPQuerier
// and IP6NDSolicitor have in common; they differ in how they ask. RFC 826, RFC 4861 7.2, RFC 1122 2.3.2.
#ifndef NEIGHBOUR_H
#define NEIGHBOUR_H

#include <weir.h>

enum { NEIGHBOUR_WAITING = 4, NEIGHBOUR_TRIES = 3, NEIGHBOUR_SECOND = 1000000000 };

struct neighbour {
	uint8_t ether[6];
	uint8_t is_known, waiting, tries;
	uint64_t confirmed_ns, asked_ns;
	struct weir_packet *packets[NEIGHBOUR_WAITING];
};

// What an element has for it, twice: as members that its class lists, and as one struct.
#define NEIGHBOUR_FIELDS                                                                                   \
	WEIR_TABLE(struct weir_addr, struct neighbour) table;                                              \
	struct weir_timer timer;                                                                           \
	uint32_t timeout_s, waiting; /* waiting: packets of all */                                         \
	weir_counter no_room, no_answer, asked, learned;

struct neighbours {
	NEIGHBOUR_FIELDS
};

#define NEIGHBOURS                                                                                         \
	union {                                                                                            \
		struct neighbours neighbours;                                                              \
		struct {                                                                                   \
			NEIGHBOUR_FIELDS                                                                   \
		};                                                                                         \
	}

#define NEIGHBOUR_MEMBERS(tag, fn)                                                                         \
	WEIR_SETTING(tag, timeout_s, "300", .min = 1, .max = 86400, .about = "after so long a neighbour is asked again"), \
		WEIR_KEEPS(tag, table, .rows = 1 << 16, .idle_s = 1200), WEIR_TIMER(tag, timer, fn),       \
		WEIR_DROPS(tag, no_room, .about = "packets for which there was no room to wait"),          \
		WEIR_COUNTS(tag, no_answer, .about = "packets for which nobody answered"),                 \
		WEIR_COUNTS(tag, asked, .about = "questions sent"), WEIR_COUNTS(tag, learned, .about = "answers taken")

// Asks who has an address; unicast to `known` if that is not NULL.
typedef void neighbour_ask(struct weir_call *call, const struct weir_addr *address, const uint8_t *known);

// The neighbour if its Ethernet address is known, asking again in the background when it is old; else NULL: the packet of
// the slot waits, or is dropped by name.
const struct neighbour *neighbour_find(struct weir_call *call, struct neighbours *neighbours, const struct weir_addr *address,
				       unsigned slot, neighbour_ask *ask);
// An answer: packets that waited come to the element once more.
void neighbour_learn(struct weir_call *call, struct neighbours *neighbours, const struct weir_addr *address, const uint8_t *ether);
// Once a second while packets wait: asks again, or gives up; then they leave by `output`.
void neighbour_tick(struct weir_event *event, struct neighbours *neighbours, neighbour_ask *ask, unsigned output);

// Writes the Ethernet header in front of the network header at `network`; false: no room.
bool neighbour_encapsulate(struct weir_vector *v, unsigned slot, uint16_t network, const uint8_t *destination,
			   const struct weir_ether *source, uint16_t type);

#endif
