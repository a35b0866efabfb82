// SPDX-License-Identifier: Apache-2.0
// A vector in a program's own hands: between two calls of caller_gather it is the program's, and each packet leaves it
// exactly once.
#include "engine/caller.h"

#include "engine/caller_inside.h"
#include "packet/edit.h"
#include "packet/pool.h"
#include "port/cable.h"
#include "port/platform.h"

#include <errno.h>
#include <time.h>

static struct weir_vector *head_of(const struct caller *caller)
{
	return &caller->worker.vector->head;
}

static const struct hot *node_of(const struct caller *caller)
{
	return &caller->worker.hot[caller->entry];
}

struct weir_vector *caller_vector(struct caller *caller)
{
	return head_of(caller);
}

struct caller *caller_of(struct weir_vector *v)
{
	return (struct caller *)v->worker;
}

// ---- filling it

void caller_clear(struct caller *caller)
{
	caller_free(caller, head_of(caller)->live);
	worker_begin(&caller->worker);
	packet_spoiled(); // what this thread could not un-share elsewhere is no concern of this vector
}

unsigned caller_gather(struct caller *caller)
{
	struct worker *worker = &caller->worker;
	unsigned filled;

	caller_clear(caller);
	filled = worker_gather(worker);
	worker->reach[caller->entry] = 0;
	worker_compute(worker, node_of(caller), head_of(caller)->live);
	weir_count_by(&worker->account.passes, filled > 0);
	return filled;
}

void caller_decode(struct caller *caller, weir_mask mask)
{
	const struct hot *hot = node_of(caller);

	mask &= head_of(caller)->live;
	for (unsigned i = 0; i < hot->step_count; i++)
		*vector_mask(caller->worker.vector, hot->steps[i]->valid) &= ~mask;
	worker_compute(&caller->worker, hot, mask);
}

static int enter(struct caller *caller, struct rte_mbuf *mbuf)
{
	struct worker *worker = &caller->worker;
	unsigned slot = head_of(caller)->fill;

	if (!worker_enter(worker, mbuf, caller->entry))
		return -ENOSPC;
	worker->reach[caller->entry] = 0;
	worker_compute(worker, node_of(caller), (weir_mask)1 << slot);
	return (int)slot;
}

int caller_put(struct caller *caller, struct weir_packet *packet)
{
	int slot = enter(caller, packet_mbuf(packet));

	if (slot >= 0)
		weir_count(&caller->put);
	return slot;
}

static uint64_t time_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int caller_make(struct caller *caller, const void *bytes, uint32_t length, uint64_t time_ns)
{
	struct rte_mbuf *mbuf;
	int slot;

	if (worker_is_full(&caller->worker))
		return -ENOSPC;
	if (length > PACKET_LONGEST)
		return -EMSGSIZE;
	mbuf = worker_new_packet(bytes, length, time_ns ? time_ns : time_now());
	if (!mbuf) {
		weir_count(&caller->worker.account.no_buffer);
		return -ENOBUFS;
	}
	slot = enter(caller, mbuf);
	assert(slot >= 0);
	weir_count(&caller->made);
	return slot;
}

// ---- leaving it

static void leave(struct caller *caller, weir_mask mask)
{
	head_of(caller)->live &= ~mask;
}

void caller_free(struct caller *caller, weir_mask mask)
{
	mask &= head_of(caller)->live;
	worker_drop(&caller->worker, mask);
	worker_flush_freed(&caller->worker);
	weir_count_by(&caller->worker.account.consumed, weir_size(mask));
	leave(caller, mask);
}

// Those whose bytes could not be un-shared when a field was set: they are not what the program thinks.
static weir_mask without_spoiled(struct caller *caller, weir_mask mask)
{
	weir_mask spoiled = head_of(caller)->shared & mask ? packet_spoiled() & mask : 0;

	if (!spoiled)
		return mask;
	worker_drop(&caller->worker, spoiled);
	weir_count_by(&caller->worker.account.no_buffer, weir_size(spoiled));
	weir_count_by(&caller->worker.account.dropped, weir_size(spoiled));
	leave(caller, spoiled);
	return mask & ~spoiled;
}

static bool is_of_capture(const struct caller *caller)
{
	const struct port *port = caller->worker.source_count ? caller->worker.sources[0].port : NULL;

	return port && (port_is_cable(port) ? !cable_is_live(port) : port_info(port)->is_capture);
}

static unsigned hand_to(struct caller *caller, struct rte_mbuf **mbufs, unsigned count, struct port *to, unsigned queue)
{
	unsigned sent;

	if (!count)
		return 0;
	if (port_is_cable(to) && !is_of_capture(caller) && !cable_is_live(to))
		cable_set_live(to);
	sent = port_send(to, queue, mbufs, count);
	port_flush(to, queue);
	weir_count_by(&caller->worker.account.sent, sent);
	weir_count_by(&caller->worker.account.dropped, count - sent);
	return sent;
}

unsigned caller_send(struct caller *caller, weir_mask mask, struct port *to, unsigned queue)
{
	struct rte_mbuf *mbufs[WEIR_VECTOR];
	unsigned count = 0;

	mask = without_spoiled(caller, mask & head_of(caller)->live);
	weir_each (i, mask)
		mbufs[count++] = packet_mbuf(head_of(caller)->packet[i]);
	leave(caller, mask);
	return hand_to(caller, mbufs, count, to, queue);
}

unsigned caller_mirror(struct caller *caller, weir_mask mask, struct port *to, unsigned queue)
{
	struct rte_mbuf *clones[WEIR_VECTOR];
	unsigned count = 0;

	mask = without_spoiled(caller, mask & head_of(caller)->live);
	weir_each (i, mask) {
		clones[count] = packet_clone(packet_mbuf(head_of(caller)->packet[i]));
		if (!clones[count]) {
			weir_count(&caller->worker.account.no_buffer);
			continue;
		}
		head_of(caller)->shared |= (weir_mask)1 << i;
		count++;
	}
	weir_count_by(&caller->worker.account.cloned, count);
	return hand_to(caller, clones, count, to, queue);
}

struct weir_packet *caller_keep(struct caller *caller, unsigned slot)
{
	weir_mask mask = slot < WEIR_VECTOR ? head_of(caller)->live & (weir_mask)1 << slot : 0;

	mask = without_spoiled(caller, mask);
	if (!mask)
		return NULL;
	leave(caller, mask);
	weir_count(&caller->kept);
	return head_of(caller)->packet[slot];
}

void caller_free_packet(struct weir_packet *packet)
{
	packet_free(packet_mbuf(packet));
}

// ---- questions

struct caller_sum caller_vector_sum(const struct caller *caller)
{
	const struct worker *worker = &caller->worker;
	struct caller_sum sum = {
		.received = worker->account.received,
		.made = caller->made,
		.put = caller->put,
		.mirrored = worker->account.cloned,
		.sent = worker->account.sent,
		.unsent = worker->account.dropped,
		.freed = worker->account.consumed,
		.kept = caller->kept,
		.inside = weir_size(head_of(caller)->live),
	};

	for (unsigned i = 0; i < worker->source_count; i++)
		sum.inside += worker->sources[i].count - worker->sources[i].first;
	return sum;
}

bool caller_is_starved(void)
{
	return packet_pool_used(platform_pool()) >= platform_buffers();
}
