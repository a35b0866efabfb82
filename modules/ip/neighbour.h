// SPDX-License-Identifier: Apache-2.0
// Neighbours: addresses of the next hop, their Ethernet addresses, and the packets that wait for those. What
// ARPQuerier and IP6NDSolicitor have in common; they differ in how they ask. RFC 826, RFC 4861 7.2 and 7.3, RFC
// 1122 2.3.2.
#ifndef NEIGHBOUR_H
#define NEIGHBOUR_H

#include <weir.h>

enum { NEIGHBOUR_WAITING = 16, NEIGHBOUR_TRIES = 3, NEIGHBOUR_SECOND = 1000000000 };

struct neighbour { // one who has answered
	uint8_t ether[6];
	uint8_t tries; // questions since the answer has become old
	uint64_t confirmed_ns, asked_ns;
};

struct question { // one who has not answered yet
	uint64_t asked_ns;
	uint8_t tries, waiting;
	struct weir_packet *packets[NEIGHBOUR_WAITING]; // the oldest first
};

// What an element has for it, twice: as members that its class lists, and as one struct.
#define NEIGHBOUR_FIELDS                                                                                   \
	WEIR_TABLE(struct weir_addr, struct neighbour) known;                                              \
	WEIR_TABLE(struct weir_addr, struct question) questions;                                           \
	struct weir_timer timer;                                                                           \
	uint32_t timeout_s;                                                                                \
	weir_counter no_room, no_answer, asked, learned, waiting;

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
	WEIR_SETTING(tag, timeout_s, "300", .min = 1, .max = 86400,                                        \
		.about = "after so long a neighbour is asked again"),                                      \
		WEIR_KEEPS(tag, known, .rows = 1 << 16, .idle_s = 1200),                                   \
		WEIR_KEEPS(tag, questions, .rows = 1 << 12), WEIR_TIMER(tag, timer, fn),                   \
		WEIR_DROPS(tag, no_room, .about = "packets for which there was no room to wait"),          \
		WEIR_COUNTS(tag, no_answer, .about = "packets for which nobody answered"),                 \
		WEIR_COUNTS(tag, asked, .about = "questions sent"),                                        \
		WEIR_COUNTS(tag, learned, .about = "answers taken"),                                       \
		WEIR_COUNTS(tag, waiting, .about = "packets that wait now")

// Asks who has an address; unicast to `known` if that is not NULL.
typedef void neighbour_ask(struct weir_call *call, const struct weir_addr *address, const uint8_t *known);

struct neighbour_way { // how an element asks, and where packets leave that nobody answers for
	neighbour_ask *ask;
	unsigned unreachable;
};

// The neighbour if its Ethernet address is known, asking again in the background when it is old;
// else NULL: the packet of the slot waits, or is dropped by name.
const struct neighbour *neighbour_find(struct weir_call *call, struct neighbours *neighbours,
	const struct weir_addr *address, unsigned slot, const struct neighbour_way *way);

struct neighbour_answer {
	const uint8_t *ether; // NULL: it does not say
	bool overrides;       // an address that was known and differs (RFC 4861 7.2.5)
	bool confirms;        // that the neighbour is there and hears us
	bool creates;         // who asks for us is learned without having been asked (RFC 826, RFC 4861 7.2.3)
	uint64_t now_ns;
};
// An answer, or what somebody tells of himself: taken if it was asked for, the neighbour is known, or he asks for us.
// Packets that waited come to the element once more.
void neighbour_learn(struct weir_call *call, struct neighbours *neighbours, const struct weir_addr *address,
		     const struct neighbour_answer *answer);
// When the timer is due: asks again what has been open for a second, or gives up; then packets
// leave by way->unreachable.
void neighbour_tick(struct weir_event *event, struct neighbours *neighbours, const struct neighbour_way *way);

struct neighbour_frame {
	const uint8_t *destination;
	const struct weir_ether *source;
	uint16_t type;
	uint16_t network; // where the packet begins
	uint32_t length;  // of the packet; what follows it is padding. 0: not known
};
// Writes the Ethernet header in front of a packet, in place of what is there; false: no room.
bool neighbour_encapsulate(struct weir_vector *v, unsigned slot, const struct neighbour_frame *frame);

#endif
