// SPDX-License-Identifier: Apache-2.0
// Gathering a vector: from all that waits inside first (re-entered, handed over), then from queues, then from ports.
// A vector is never waited for to be full.
#include "engine/worker.h"

#include "engine/aggregate.h"
#include "engine/steer.h"
#include "packet/protocol.h"

#include <rte_prefetch.h>

static void place(struct vector *vector, unsigned slot, struct rte_mbuf *mbuf)
{
	struct weir_vector *head = &vector->head;
	const struct packet_head *meta = packet_head(mbuf);
	weir_mask bit = (weir_mask)1 << slot;

	head->packet[slot] = packet_of(mbuf);
	head->data[slot] = rte_pktmbuf_mtod(mbuf, uint8_t *);
	head->length[slot] = mbuf->pkt_len;
	head->straight[slot] = mbuf->data_len;
	head->flow[slot] = NULL;
	if (meta->time_ns > head->now_ns)
		head->now_ns = meta->time_ns;
	head->time_ns[slot] = head->now_ns;
	head->live |= bit;
	if (meta->link != PROTO_ETH) {
		vector->odd |= bit;
		vector->link[slot] = meta->link;
	}
	if (mbuf->nb_segs > 1)
		vector->chained |= bit;
	if (rte_mbuf_refcnt_read(mbuf) > 1 || RTE_MBUF_CLONED(mbuf) || mbuf->nb_segs > 1)
		head->shared |= bit; // of a chain each buffer may be: weir_edit looks
}

bool worker_is_full(const struct worker *worker)
{
	return worker->vector->head.fill >= worker->fill_limit;
}

bool worker_enter(struct worker *worker, struct rte_mbuf *mbuf, uint32_t order)
{
	struct vector *vector = worker->vector;
	unsigned slot = vector->head.fill;

	if (slot >= worker->fill_limit)
		return false;
	place(vector, slot, mbuf);
	vector->head.fill = slot + 1;
	layout_fill(&worker->generation->plan->layout, worker->index, vector, slot);
	luggage_unpack(worker, slot);
	worker->returned |= (weir_mask)1 << slot;
	worker->reach[order] |= (weir_mask)1 << slot;
	return true;
}

// A packet that waited to go on at a place that this generation no longer has.
static void vanish(struct worker *worker, struct rte_mbuf *mbuf)
{
	worker->account.vanished++;
	worker->account.dropped++;
	worker_free(worker, mbuf);
}

static void enter_new(struct worker *worker, struct rte_mbuf *mbuf, uint32_t entry)
{
	weir_mask bit = (weir_mask)1 << worker->vector->head.fill;

	worker_enter(worker, mbuf, entry);
	worker->returned &= ~bit;
	if (worker->generation->received)
		*vector_mask(worker->vector, worker->generation->received->mask) |= bit;
}

// false: it is for a generation that this worker has yet to take up; it waits, and so do those behind it.
static bool enter_at_its_place(struct worker *worker, struct rte_mbuf *mbuf)
{
	const struct generation *generation = worker->generation;
	uint16_t place_number = packet_head(mbuf)->node;
	uint32_t order = place_number < generation->place_count
		? generation->order_of_place[place_number]
		: PLAN_NOWHERE;

	if (order == PLAN_NOWHERE && worker_newest(worker) != generation) {
		worker->ready[worker->ready_tail++ % WORKER_READY] = mbuf;
		return false;
	}
	if (order == PLAN_NOWHERE) {
		vanish(worker, mbuf);
	} else if (packet_head(mbuf)->rounds == PACKET_FRESH) {
		packet_head(mbuf)->rounds = 0;
		enter_new(worker, mbuf, order);
	} else {
		worker_enter(worker, mbuf, order);
	}
	return true;
}

// A vector is cut where an aggregate's window ends, too; the window begins with what comes at that very time.
static bool is_beyond_window(struct worker *worker, const struct rte_mbuf *mbuf)
{
	uint64_t due_ns = worker->window_due_ns, time_ns = packet_head((struct rte_mbuf *)mbuf)->time_ns;
	bool is_first = !worker->vector->head.fill;

	if (!worker->generation->aggregates || worker->is_cut)
		return worker->is_cut;
	if (due_ns && time_ns >= due_ns && worker->now_ns < due_ns) {
		if (is_first)
			worker->now_ns = due_ns;
		return worker->is_cut = true;
	}
	if (is_first) // all of a vector is of one window
		worker->window_due_ns =
			aggregates_boundary(worker, time_ns > worker->now_ns ? time_ns : worker->now_ns);
	return false;
}

static void gather_ready(struct worker *worker)
{
	while (worker->ready_head != worker->ready_tail && !worker_is_full(worker) &&
		!is_beyond_window(worker, worker->ready[worker->ready_head % WORKER_READY]))
		if (!enter_at_its_place(worker, worker->ready[worker->ready_head++ % WORKER_READY]))
			return;
}

// What another worker has written is not in our caches: all of it is asked for before the first of it is looked at.
static unsigned take_handed(struct worker *worker, struct rte_ring *ring, struct rte_mbuf **mbufs)
{
	unsigned room = worker->fill_limit - worker->vector->head.fill;
	unsigned ready = WORKER_READY - (worker->ready_tail - worker->ready_head), count;

	count = rte_ring_sc_dequeue_burst(ring, (void **)mbufs, room < ready ? room : ready, NULL);
	for (unsigned i = 0; i < count; i++) {
		rte_prefetch0(mbufs[i]);
		rte_prefetch0((char *)mbufs[i] + RTE_CACHE_LINE_SIZE);
		rte_prefetch0(packet_head(mbufs[i]));
	}
	for (unsigned i = 0; i < count; i++)
		rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void *));
	worker->account.handed_in += count;
	return count;
}

// false: there is no more to be taken now.
static bool gather_from(struct worker *worker, struct rte_ring *ring)
{
	struct rte_mbuf *mbufs[WEIR_VECTOR];
	unsigned count = take_handed(worker, ring, mbufs), i = 0;

	while (i < count && !is_beyond_window(worker, mbufs[i]))
		if (!enter_at_its_place(worker, mbufs[i++]))
			break;
	if (i == count)
		return count;
	while (i < count) // in order, behind the one that waits
		worker->ready[worker->ready_tail++ % WORKER_READY] = mbufs[i++];
	return false;
}

static void gather_handed(struct worker *worker)
{
	for (unsigned i = 0; i < worker->generation->workers; i++)
		while (worker->from[i] && !worker_is_full(worker) && !worker->is_cut &&
			gather_from(worker, worker->from[i]))
			;
}

static void gather_taken(struct worker *worker)
{
	const struct share *share = &worker->generation->shares[worker->index];

	for (unsigned i = 0; i < share->taker_count; i++) {
		struct instance *instance = share->takers[i].instance;
		unsigned room = worker->fill_limit - worker->vector->head.fill;

		if (!room)
			return;
		worker->call.self = instance->self;
		worker->call.element = (uint16_t)instance->element->index;
		instance->element->class->take(&worker->call, room);
	}
}

static bool refill(struct worker *worker, struct source *source)
{
	if (source->first < source->count)
		return true;
	source->first = source->count = 0;
	if (worker->stops_receiving)
		return false;
	source->count = port_receive(source->port, source->queue, source->pending, worker->fill_limit);
	worker->account.received += source->count;
	return source->count;
}

// A vector is cut before a timer that falls due inside it, so that what happens does not depend on its fill.
static bool is_beyond_timer(const struct worker *worker, const struct rte_mbuf *mbuf)
{
	return worker->next_timer_ns && packet_head((struct rte_mbuf *)mbuf)->time_ns > worker->next_timer_ns &&
		worker->now_ns < worker->next_timer_ns;
}

// The next packet of a source that has one; false: it must wait for the next vector.
static bool gather_one(struct worker *worker, struct source *source)
{
	struct rte_mbuf *mbuf = source->pending[source->first];
	unsigned to;

	if (is_beyond_timer(worker, mbuf)) {
		if (!worker->vector->head.fill)
			worker->now_ns = worker->next_timer_ns;
		return false;
	}
	if (is_beyond_window(worker, mbuf))
		return false;
	source->first++;
	to = steer(worker, mbuf);
	if (to == worker->index) {
		enter_new(worker, mbuf, source->entry);
		return true;
	}
	packet_head(mbuf)->node = worker->hot[source->entry].place;
	packet_head(mbuf)->rounds = PACKET_FRESH;
	if (worker->generation->aggregates && packet_head(mbuf)->time_ns > worker->vector->head.now_ns)
		worker->vector->head.now_ns = packet_head(mbuf)->time_ns; // its windows end by what it has read
	worker_hand_over(worker, mbuf, to);
	return worker->handing_count[to] < WEIR_VECTOR; // else what waits goes first
}

static void gather_source(struct worker *worker, struct source *source)
{
	while (!worker_is_full(worker) && refill(worker, source))
		if (!gather_one(worker, source))
			return;
}

// Captures are read in the order of their times, whatever files they are in.
static void gather_merged(struct worker *worker)
{
	while (!worker_is_full(worker)) {
		struct source *first = NULL;
		uint64_t least = 0;

		for (unsigned i = 0; i < worker->source_count; i++) {
			struct source *source = &worker->sources[i];
			uint64_t time_ns;

			if (!refill(worker, source))
				continue;
			time_ns = packet_head(source->pending[source->first])->time_ns;
			if (first && time_ns >= least)
				continue;
			first = source;
			least = time_ns;
		}
		if (!first || !gather_one(worker, first))
			return;
	}
}

static void gather_sources(struct worker *worker)
{
	if (worker->generation->is_lossless && worker->source_count > 1) {
		gather_merged(worker);
		return;
	}
	for (unsigned i = 0; i < worker->source_count && !worker_is_full(worker); i++)
		gather_source(worker, &worker->sources[(worker->next_source + i) % worker->source_count]);
	if (worker->source_count)
		worker->next_source = (worker->next_source + 1) % worker->source_count;
}

unsigned worker_gather(struct worker *worker)
{
	worker->vector->head.now_ns = worker->now_ns;
	worker->is_cut = false;
	if (worker->is_stalled)
		return 0;
	gather_ready(worker);
	gather_handed(worker);
	if (!worker->is_cut)
		gather_taken(worker);
	if (!worker->is_blocked && !worker->is_cut)
		gather_sources(worker);
	if (worker->vector->head.now_ns > worker->now_ns)
		worker->now_ns = worker->vector->head.now_ns;
	return worker->vector->head.fill;
}
