// SPDX-License-Identifier: Apache-2.0
// Payloads of events that ride, while their packet is outside of a vector: in a buffer of the pool, so that any worker
// frees it, which the packet's control block points at. What the views in a payload point at goes along.
//
//	| item | payload | texts ... | item | ...
#include "engine/worker.h"

#include "engine/derive.h"
#include "engine/observe.h"
#include "packet/pool.h"
#include "port/platform.h"

struct item {
	uint16_t event, size, texts; // number of its name; bytes of the payload, of the texts behind it
	uint16_t unused;
};

static unsigned rounded(unsigned size)
{
	return (size + 7) & ~7u;
}

#define each_view(part, signal)                                                                            \
	for (const struct weir_part *part = (signal)->plan->type->parts; part->field; part++)               \
		if (part->type == WEIR_VIEW)

static struct weir_text *view_at(void *payload, const struct weir_part *part)
{
	return (struct weir_text *)((char *)payload + part->offset);
}

// ---- out of the vector

static unsigned size_of_texts(const struct weir_signal *signal, void *payload)
{
	unsigned size = 0;

	each_view (part, signal)
		size += view_at(payload, part)->length;
	return size;
}

static void copy_texts(const struct weir_signal *signal, void *payload, char *to)
{
	each_view (part, signal) {
		const struct weir_text *view = view_at(payload, part);

		if (view->length)
			memcpy(to, view->at, view->length);
		to += view->length;
	}
}

static bool pack(struct rte_mbuf *luggage, const struct weir_signal *signal, struct event_record *record)
{
	unsigned texts = size_of_texts(signal, record->payload);
	struct item item = { signal->number, signal->size, (uint16_t)texts, 0 };
	unsigned size = (unsigned)sizeof(item) + rounded(signal->size) + rounded(texts);
	char *to = texts > UINT16_MAX ? NULL : rte_pktmbuf_append(luggage, (uint16_t)size);

	if (!to)
		return false;
	memcpy(to, &item, sizeof(item));
	memcpy(to + sizeof(item), record->payload, signal->size);
	copy_texts(signal, record->payload, to + sizeof(item) + rounded(signal->size));
	return true;
}

static void pack_all(struct worker *worker, struct rte_mbuf *luggage, unsigned slot)
{
	for (uint32_t at = worker->head_of[slot]; at; at = event_record(worker, at)->next) {
		const struct weir_signal *signal = &worker->generation->signals[event_record(worker, at)->signal];

		if (signal->plan->travels && (!luggage || !pack(luggage, signal, event_record(worker, at))))
			worker->account.events_lost++;
	}
}

void luggage_pack(struct worker *worker, unsigned slot)
{
	const struct plan_value *value = worker->generation->plan->luggage;
	struct rte_mbuf *luggage;

	if (!value || !value->is_spilled || !(worker->has_records >> slot & 1))
		return;
	luggage = packet_new(platform_pool());
	pack_all(worker, luggage, slot);
	if (!luggage)
		return;
	((struct rte_mbuf **)vector_column(worker->vector, value->at))[slot] = luggage;
	*vector_mask(worker->vector, value->has) |= (weir_mask)1 << slot;
}

// ---- back into one

static const char *keep_texts(struct worker *worker, const char *from, unsigned size)
{
	char *to = worker->store + worker->store_used;

	if (worker->store_used + size > WORKER_STORE)
		return NULL;
	worker->store_used += rounded(size);
	return memcpy(to, from, size);
}

static void point_views(const struct weir_signal *signal, void *payload, const char *texts)
{
	each_view (part, signal) {
		struct weir_text *view = view_at(payload, part);

		if (!view->at) // absent, and stays so
			continue;
		if (!texts)
			view->length = 0;
		view->at = texts;
		texts += view->length;
	}
}

// A generation in which nobody hears the event has no use for it.
static void unpack(struct worker *worker, const struct item *item, const char *payload, unsigned slot)
{
	const struct generation *generation = worker->generation;
	const struct weir_signal *signal =
		item->event < generation->event_count ? generation->signal_of_event[item->event] : NULL;
	void *to;

	if (!signal || signal->size != item->size || !signal->plan->travels)
		return;
	to = event_append(worker, signal, slot);
	if (!to)
		return;
	memcpy(to, payload, item->size);
	if (item->texts)
		point_views(signal, to, keep_texts(worker, payload + rounded(item->size), item->texts));
}

void luggage_unpack(struct worker *worker, unsigned slot)
{
	const struct plan_value *value = worker->generation->plan->luggage;
	weir_mask bit = (weir_mask)1 << slot;
	struct rte_mbuf *luggage;
	struct item item;

	if (!value || !value->is_spilled || !(*vector_mask(worker->vector, value->has) & bit))
		return;
	derive_records(worker); // what is raised anew; what is unpacked has been derived from, and told
	if (worker->generation->observers)
		observers_tell_records(worker);
	luggage = ((struct rte_mbuf **)vector_column(worker->vector, value->at))[slot];
	*vector_mask(worker->vector, value->has) &= ~bit;
	for (const char *at = rte_pktmbuf_mtod(luggage, const char *), *end = at + luggage->data_len; at < end;) {
		memcpy(&item, at, sizeof(item));
		unpack(worker, &item, at + sizeof(item), slot);
		at += sizeof(item) + rounded(item.size) + rounded(item.texts);
	}
	worker->observed_to = worker->store_used;
	derive_skip(worker);
	rte_pktmbuf_free(luggage);
}
