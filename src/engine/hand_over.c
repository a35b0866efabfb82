// SPDX-License-Identifier: Apache-2.0
// From worker to worker: one ring per pair, in order. Gathered during a pass and handed over at its end. On live ports
// what finds no room is dropped and counted; on captures it waits, and nothing new is read meanwhile.
#include "engine/worker.h"

static void drop_from(struct worker *worker, unsigned to, unsigned first)
{
	const unsigned count = worker->handing_count[to] - first;

	worker->account.ring_full += count;
	worker->account.dropped += count;
	for (unsigned i = first; i < worker->handing_count[to]; i++)
		worker_free(worker, worker->handing[to][i]);
	worker->handing_count[to] = first;
}

static void flush_to(struct worker *worker, unsigned to)
{
	unsigned count = worker->handing_count[to], done;

	done = rte_ring_sp_enqueue_burst(worker->to[to], (void **)worker->handing[to], count, NULL);
	worker->account.handed_out += done;
	memmove(worker->handing[to], worker->handing[to] + done, (count - done) * sizeof(*worker->handing[to]));
	worker->handing_count[to] = count - done;
	if (!worker->generation->is_lossless)
		drop_from(worker, to, 0);
}

void worker_hand_over(struct worker *worker, struct rte_mbuf *mbuf, unsigned to)
{
	if (worker->handing_count[to] == WORKER_HANDING)
		flush_to(worker, to);
	if (worker->handing_count[to] == WORKER_HANDING)
		drop_from(worker, to, WORKER_HANDING - 1);
	worker->handing[to][worker->handing_count[to]++] = mbuf;
}

bool worker_flush_handed(struct worker *worker)
{
	bool is_all = true;

	for (unsigned to = 0; to < worker->generation->workers; to++) {
		if (worker->handing_count[to])
			flush_to(worker, to);
		is_all = is_all && !worker->handing_count[to];
	}
	return is_all;
}
