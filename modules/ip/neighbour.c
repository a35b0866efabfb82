// SPDX-License-Identifier: Apache-2.0
#include "neighbour.h"

enum { ETHER = 14, MOST_WAITING = 4096 };

static bool may_ask(const struct neighbour *neighbour, uint64_t now_ns)
{
	return now_ns - neighbour->asked_ns >= NEIGHBOUR_SECOND || !neighbour->asked_ns;
}

static void ask_now(struct weir_call *call, struct neighbours *neighbours, struct neighbour *neighbour,
		    const struct weir_addr *address, neighbour_ask *ask)
{
	neighbour->asked_ns = weir_now_ns(call);
	weir_count(&neighbours->asked);
	ask(call, address, neighbour->is_known ? neighbour->ether : NULL);
}

// A question that is still open is asked once a second by the timer, not by every packet.
static void wait(struct weir_call *call, struct neighbours *neighbours, struct neighbour *neighbour, unsigned slot)
{
	weir_mask bit = (weir_mask)1 << slot;

	if (neighbour->waiting == NEIGHBOUR_WAITING || neighbours->waiting == MOST_WAITING) {
		weir_drop(call, bit, &neighbours->no_room);
		return;
	}
	neighbour->packets[neighbour->waiting++] = weir_hold(call, slot);
	neighbours->waiting++;
	if (!neighbours->timer.due_ns)
		weir_timer_set(&neighbours->timer, weir_now_ns(call) + NEIGHBOUR_SECOND);
}

const struct neighbour *neighbour_find(struct weir_call *call, struct neighbours *neighbours, const struct weir_addr *address,
				       unsigned slot, neighbour_ask *ask)
{
	struct neighbour *neighbour = weir_table_at(neighbours->table, address);
	uint64_t now_ns = weir_now_ns(call), timeout_ns = (uint64_t)neighbours->timeout_s * NEIGHBOUR_SECOND;

	if (neighbour->is_known && now_ns - neighbour->confirmed_ns < timeout_ns)
		return neighbour;
	if (neighbour->is_known && now_ns - neighbour->confirmed_ns >= 2 * timeout_ns)
		neighbour->is_known = false;
	if (neighbour->is_known) {
		if (may_ask(neighbour, now_ns))
			ask_now(call, neighbours, neighbour, address, ask);
		return neighbour;
	}
	if (!neighbour->waiting) {
		neighbour->tries = 1;
		if (may_ask(neighbour, now_ns))
			ask_now(call, neighbours, neighbour, address, ask);
	}
	wait(call, neighbours, neighbour, slot);
	return NULL;
}

void neighbour_learn(struct weir_call *call, struct neighbours *neighbours, const struct weir_addr *address, const uint8_t *ether)
{
	struct neighbour *neighbour = weir_table_find(neighbours->table, address);

	if (!neighbour) // nobody asked here
		return;
	weir_count(&neighbours->learned);
	memcpy(neighbour->ether, ether, 6);
	neighbour->is_known = true;
	neighbour->confirmed_ns = weir_now_ns(call);
	for (unsigned i = 0; i < neighbour->waiting; i++)
		weir_retry(call, neighbour->packets[i]);
	neighbours->waiting -= neighbour->waiting;
	neighbour->waiting = 0;
}

static void give_up(struct weir_call *call, struct neighbours *neighbours, struct neighbour *neighbour, unsigned output)
{
	for (unsigned i = 0; i < neighbour->waiting; i++)
		weir_release(call, neighbour->packets[i], output);
	weir_count_by(&neighbours->no_answer, neighbour->waiting);
	neighbours->waiting -= neighbour->waiting;
	neighbour->waiting = 0;
}

void neighbour_tick(struct weir_event *event, struct neighbours *neighbours, neighbour_ask *ask, unsigned output)
{
	const struct weir_addr *address;
	struct neighbour *neighbour;
	uint32_t place = 0;

	while ((neighbour = weir_table_next(neighbours->table, &place, &address))) {
		if (!neighbour->waiting)
			continue;
		if (neighbour->tries++ < NEIGHBOUR_TRIES)
			ask_now(event->call, neighbours, neighbour, address, ask);
		else
			give_up(event->call, neighbours, neighbour, output);
	}
	if (neighbours->waiting)
		weir_timer_set(&neighbours->timer, weir_now_ns(event) + NEIGHBOUR_SECOND);
}

bool neighbour_encapsulate(struct weir_vector *v, unsigned slot, uint16_t network, const uint8_t *destination,
			   const struct weir_ether *source, uint16_t type)
{
	uint8_t *header;

	if (network > ETHER)
		weir_strip(v, slot, network - ETHER);
	else if (network < ETHER && !weir_prepend(v, slot, ETHER - network))
		return false;
	if (network < ETHER)
		weir_make_ethernet(v, slot);
	header = weir_edit(v, slot, 0, ETHER);
	if (!header)
		return false;
	memcpy(header, destination, 6);
	memcpy(header + 6, source->bytes, 6);
	weir_put16(header + 12, type);
	return true;
}
