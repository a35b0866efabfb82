// SPDX-License-Identifier: Apache-2.0
#include "neighbour.h"

// Questions are fewer than their table has rows: none is ever forgotten for another, so that no packet waits
// for ever.
enum { ETHER = 14,
	SHORTEST_FRAME = 60,
	MOST_WAITING = 4096,
	MOST_QUESTIONS = 1024 };

// ---- open questions: asked once a second

static void count_waiting(struct neighbours *neighbours, int by)
{
	weir_count_by(&neighbours->waiting, (uint64_t)by);
}

static void ask(struct weir_call *call, struct neighbours *neighbours, const struct neighbour_way *way,
	const struct weir_addr *address, const uint8_t *known)
{
	weir_count(&neighbours->asked);
	way->ask(call, address, known);
}

static void give_up(struct weir_call *call, struct neighbours *neighbours, struct question *question, unsigned output)
{
	for (unsigned i = 0; i < question->waiting; i++)
		weir_release(call, question->packets[i], output);
	weir_count_by(&neighbours->no_answer, question->waiting);
	count_waiting(neighbours, -question->waiting);
	weir_table_forget(neighbours->questions, question);
}

// Does what was due until now; false: the question is closed, nobody has answered it.
static bool go_on(struct weir_call *call, struct neighbours *neighbours, const struct neighbour_way *way,
	const struct weir_addr *address, struct question *question, uint64_t now_ns)
{
	while (now_ns - question->asked_ns >= NEIGHBOUR_SECOND) {
		if (question->tries == NEIGHBOUR_TRIES) {
			give_up(call, neighbours, question, way->unreachable);
			return false;
		}
		question->tries++;
		question->asked_ns += NEIGHBOUR_SECOND;
		ask(call, neighbours, way, address, NULL);
	}
	return true;
}

static struct question *open_question(struct weir_call *call, struct neighbours *neighbours,
	const struct neighbour_way *way, const struct weir_addr *address, uint64_t now_ns)
{
	struct question *question;

	if (weir_table_size(neighbours->questions.table) >= MOST_QUESTIONS || neighbours->waiting >= MOST_WAITING)
		return NULL;
	question = weir_table_at(neighbours->questions, address);
	question->tries = 1;
	question->asked_ns = now_ns;
	ask(call, neighbours, way, address, NULL);
	if (!neighbours->timer.due_ns) // else it is due earlier
		weir_timer_set(&neighbours->timer, now_ns + NEIGHBOUR_SECOND);
	return question;
}

static void make_room(struct weir_call *call, struct neighbours *neighbours, struct question *question)
{
	weir_discard(call, question->packets[0], &neighbours->no_room);
	question->waiting--;
	count_waiting(neighbours, -1);
	memmove(question->packets, question->packets + 1, question->waiting * sizeof(*question->packets));
}

// The latest packets are kept (RFC 1122 2.3.2.2, RFC 4861 7.2.2).
static void wait(struct weir_call *call, struct neighbours *neighbours, const struct neighbour_way *way,
	const struct weir_addr *address, unsigned slot)
{
	uint64_t now_ns = call->vector->time_ns[slot];
	struct question *question = weir_table_find(neighbours->questions, address);

	if (question && !go_on(call, neighbours, way, address, question, now_ns))
		question = NULL;
	if (!question)
		question = open_question(call, neighbours, way, address, now_ns);
	if (!question) {
		weir_drop(call, (weir_mask)1 << slot, &neighbours->no_room);
		return;
	}
	if (question->waiting && (question->waiting == NEIGHBOUR_WAITING || neighbours->waiting >= MOST_WAITING))
		make_room(call, neighbours, question);
	question->packets[question->waiting++] = weir_hold(call, slot);
	count_waiting(neighbours, 1);
}

void neighbour_tick(struct weir_event *event, struct neighbours *neighbours, const struct neighbour_way *way)
{
	const struct weir_addr *address;
	struct question *question;
	uint64_t earliest = UINT64_MAX;
	uint32_t place = 0;

	while ((question = weir_table_next(neighbours->questions, &place, &address)))
		if (go_on(event->call, neighbours, way, address, question, weir_now_ns(event)) &&
			question->asked_ns < earliest)
			earliest = question->asked_ns;
	if (earliest != UINT64_MAX)
		weir_timer_set(&neighbours->timer, earliest + NEIGHBOUR_SECOND);
}

// ---- neighbours that are known

// An old neighbour is asked in the background, first him alone, then all; false: he is not there any more.
static bool ask_again(struct weir_call *call, struct neighbours *neighbours, const struct neighbour_way *way,
	const struct weir_addr *address, struct neighbour *neighbour, uint64_t now_ns)
{
	if (neighbour->tries && now_ns - neighbour->asked_ns < NEIGHBOUR_SECOND)
		return true;
	if (neighbour->tries == 2 * NEIGHBOUR_TRIES)
		return false;
	neighbour->tries++;
	neighbour->asked_ns = now_ns;
	ask(call, neighbours, way, address, neighbour->tries <= NEIGHBOUR_TRIES ? neighbour->ether : NULL);
	return true;
}

const struct neighbour *neighbour_find(struct weir_call *call, struct neighbours *neighbours,
	const struct weir_addr *address, unsigned slot, const struct neighbour_way *way)
{
	struct neighbour *neighbour = weir_table_find(neighbours->known, address);
	uint64_t now_ns = call->vector->time_ns[slot];

	if (neighbour && now_ns - neighbour->confirmed_ns < (uint64_t)neighbours->timeout_s * NEIGHBOUR_SECOND)
		return neighbour;
	if (neighbour && ask_again(call, neighbours, way, address, neighbour, now_ns))
		return neighbour;
	if (neighbour)
		weir_table_forget(neighbours->known, neighbour);
	wait(call, neighbours, way, address, slot);
	return NULL;
}

// ---- answers

static void close_question(struct weir_call *call, struct neighbours *neighbours, struct question *question)
{
	for (unsigned i = 0; i < question->waiting; i++)
		weir_retry(call, question->packets[i]);
	count_waiting(neighbours, -question->waiting);
	weir_table_forget(neighbours->questions, question);
}

static void take(struct neighbour *neighbour, const struct neighbour_answer *answer)
{
	bool is_new = answer->ether && memcmp(neighbour->ether, answer->ether, 6);

	if (is_new && !answer->overrides)
		return;
	if (is_new)
		memcpy(neighbour->ether, answer->ether, 6);
	if (is_new || answer->confirms)
		neighbour->tries = 0;
	if (answer->confirms)
		neighbour->confirmed_ns = answer->now_ns;
	else if (is_new)
		neighbour->confirmed_ns = 0; // asked at the next packet
}

void neighbour_learn(struct weir_call *call, struct neighbours *neighbours, const struct weir_addr *address,
	const struct neighbour_answer *answer)
{
	struct question *question = weir_table_find(neighbours->questions, address);
	struct neighbour *neighbour = weir_table_find(neighbours->known, address);
	static const uint8_t nobody[6];

	if (answer->ether && (answer->ether[0] & 1 || !memcmp(answer->ether, nobody, 6)))
		return;
	if (answer->ether && !neighbour && (question || answer->creates)) {
		neighbour = weir_table_at(neighbours->known, address);
		memcpy(neighbour->ether, answer->ether, 6);
		neighbour->confirmed_ns = question || answer->confirms ? answer->now_ns : 0;
	} else if (neighbour) {
		take(neighbour, answer);
	} else { // nobody asked here
		return;
	}
	weir_count(&neighbours->learned);
	if (question)
		close_question(call, neighbours, question);
}

// ---- frames

static bool begin_with_ethernet(struct weir_vector *v, unsigned slot, uint16_t network)
{
	if (network > ETHER)
		weir_strip(v, slot, network - (uint32_t)ETHER);
	else if (network < ETHER && !weir_prepend(v, slot, ETHER - (uint32_t)network))
		return false;
	weir_make_ethernet(v, slot);
	return true;
}

bool neighbour_encapsulate(struct weir_vector *v, unsigned slot, const struct neighbour_frame *frame)
{
	uint8_t *header;

	if (frame->network != ETHER && !begin_with_ethernet(v, slot, frame->network))
		return false;
	if (v->length[slot] > SHORTEST_FRAME && frame->length && v->length[slot] - ETHER > frame->length)
		weir_trim(v, slot, v->length[slot] - ETHER - frame->length);
	header = weir_edit(v, slot, 0, ETHER);
	if (!header)
		return false;
	memcpy(header, frame->destination, 6);
	memcpy(header + 6, frame->source->bytes, 6);
	weir_put16(header + 12, frame->type);
	return true;
}
