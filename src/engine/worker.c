// SPDX-License-Identifier: Apache-2.0
// What every worker has, whoever's thread it is: made, and emptied at the end.
#include "engine/worker.h"

#include "engine/engine.h"
#include "engine/state.h"
#include "engine/track.h"

#include <errno.h>
#include <stdlib.h>

int worker_create(struct worker *worker, unsigned index, const struct engine_wish *wish)
{
	worker->index = index;
	worker->fill_limit = wish->fill && wish->fill < WEIR_VECTOR ? wish->fill : WEIR_VECTOR;
	worker->ready = aligned_alloc(64, WORKER_READY * sizeof(*worker->ready));
	worker->sample = wish->times_all ? 1 : WORKER_SAMPLE;
	worker->store = aligned_alloc(64, WORKER_STORE);
	worker->store_used = sizeof(struct event_record);
	return worker->ready && worker->store ? 0 : -ENOMEM;
}

void worker_destroy(struct worker *worker)
{
	tracker_destroy(worker->tracker);
	free(worker->ready);
	free(worker->store);
}

static uint64_t release_handed(struct worker *worker)
{
	uint64_t count = 0;
	void *mbuf;

	for (unsigned other = 0; other < worker->generation->workers; other++) {
		for (unsigned n = 0; n < worker->handing_count[other]; n++, count++)
			worker_free(worker, worker->handing[other][n]);
		worker->handing_count[other] = 0;
		for (; worker->from[other] && !rte_ring_sc_dequeue(worker->from[other], &mbuf); count++)
			worker_free(worker, mbuf);
	}
	return count;
}

// In rings, queues and hands of modules.
uint64_t worker_release(struct worker *worker)
{
	uint64_t count;

	if (!worker->generation)
		return 0;
	count = state_release(worker) + release_handed(worker);
	for (; worker->ready_head != worker->ready_tail; count++)
		worker_free(worker, worker->ready[worker->ready_head++ % WORKER_READY]);
	for (unsigned i = 0; i < worker->source_count; i++)
		for (struct source *source = &worker->sources[i]; source->first < source->count; count++)
			worker_free(worker, source->pending[source->first++]);
	worker_flush_freed(worker);
	return count;
}
