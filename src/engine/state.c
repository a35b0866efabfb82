// SPDX-License-Identifier: Apache-2.0
#include "engine/state.h"

#include "engine/worker.h"
#include "lookup/table.h"
#include "packet/pool.h"

#include <errno.h>
#include <stdlib.h>

#define each_member_of(member, class) \
	for (const struct weir_member *member = (class)->members; member && member->kind != WEIR_END; member++)

// ---- making

static uint32_t rows_of(const struct plan_element *element, const struct weir_member *member)
{
	uint32_t rows = member->rows;

	if (!member->rows_from)
		return rows;
	each_member_of (setting, element->class)
		if (setting->kind == WEIR_IS_SETTING && !strcmp(setting->name, member->rows_from))
			memcpy(&rows, (const char *)element->prototype + setting->offset, sizeof(rows));
	return rows;
}

// Zeroed, in cache lines of its own.
static void *lines_take(size_t size)
{
	size_t rounded = (size + 63) & ~(size_t)63;
	void *at = aligned_alloc(64, rounded);

	return at ? memset(at, 0, rounded) : NULL;
}

static struct weir_fifo *fifo_create(uint32_t rows)
{
	struct weir_fifo *fifo = lines_take(sizeof(*fifo));

	if (!fifo)
		return NULL;
	fifo->rows = rows ? rows : 1;
	fifo->ring = lines_take(fifo->rows * sizeof(*fifo->ring));
	if (fifo->ring)
		return fifo;
	free(fifo);
	return NULL;
}

static void fifo_destroy(struct weir_fifo *fifo)
{
	if (fifo)
		free(fifo->ring);
	free(fifo);
}

static void *make_member(const struct plan_element *element, const struct weir_member *member,
	const uint64_t *clock, uint64_t seed)
{
	if (member->kind == WEIR_IS_FIFO)
		return fifo_create(rows_of(element, member));
	return table_create((struct table_shape){ member->key_size, member->size,
				    rows_of(element, member), member->idle_s },
		clock, seed);
}

int state_create(struct generation *generation, struct share *share, unsigned worker)
{
	unsigned timers = 0;

	list_each (element, &generation->plan->elements)
		each_member_of (member, (*element)->class)
			timers += member->kind == WEIR_IS_TIMER;
	share->timers = arena_array(generation->arena, struct timer_entry, timers + 1);
	list_each (element, &generation->plan->elements) {
		struct instance *instance = &share->instances[(*element)->index];

		each_member_of (member, (*element)->class) {
			void **at = (void **)(instance->self + member->offset);

			if (member->kind == WEIR_IS_TIMER)
				share->timers[share->timer_count++] = (struct timer_entry){
					instance, (struct weir_timer *)at, member->handler
				};
			if (member->kind == WEIR_IS_SIGNAL)
				*at = generation_signal(generation, member->event);
			if (member->kind != WEIR_IS_TABLE && member->kind != WEIR_IS_FIFO)
				continue;
			*at = make_member(*element, member,
				&generation->workers_at[worker].now_ns, generation->seed);
			if (!*at)
				return -ENOMEM;
		}
	}
	return 0;
}

void state_destroy(struct share *share, const struct plan *plan)
{
	if (!share->memory)
		return;
	list_each (element, &plan->elements)
		each_member_of (member, (*element)->class) {
			void **at = (void **)(share->instances[(*element)->index].self + member->offset);

			if (member->kind == WEIR_IS_FIFO)
				fifo_destroy(*at);
			else if (member->kind == WEIR_IS_TABLE && *at)
				table_destroy(*at);
		}
}

// ---- moving

// Has the member in the old struct the same shape, so that what it holds can be taken over?
static const struct weir_member *twin_of(const struct weir_member *member, const struct weir_class *old)
{
	each_member_of (other, old)
		if (other->kind == member->kind && !strcmp(other->name, member->name) &&
			other->size == member->size && other->key_size == member->key_size)
			return other;
	return NULL;
}

static void swap_pointers(void **a, void **b)
{
	void *kept = *a;

	*a = *b;
	*b = kept;
}

// Packets go over in order; those for which the new one is too short stay behind, and vanish with the old one.
static void move_fifo(struct weir_fifo *to, struct weir_fifo *from)
{
	while (from->count && to->count < to->rows) {
		struct rte_mbuf *mbuf = from->ring[from->head];

		to->ring[(to->head + to->count++) % to->rows] = mbuf;
		to->bytes += mbuf->pkt_len;
		from->bytes -= mbuf->pkt_len;
		from->head = (from->head + 1) % from->rows;
		from->count--;
	}
}

static void move_member(struct instance *to, struct instance *from, const struct weir_member *member)
{
	const struct weir_member *twin = twin_of(member, from->element->class);
	char *new_at = to->self + member->offset, *old_at = twin ? from->self + twin->offset : NULL;

	if (!twin)
		return;
	switch (member->kind) {
	case WEIR_IS_COUNTER:
	case WEIR_IS_TIMER:
		memcpy(new_at, old_at, sizeof(uint64_t));
		break;
	case WEIR_IS_TABLE:
		if (rows_of(to->element, member) == rows_of(from->element, twin))
			swap_pointers((void **)new_at, (void **)old_at);
		break;
	case WEIR_IS_FIFO:
		move_fifo(*(struct weir_fifo **)new_at, *(struct weir_fifo **)old_at);
		break;
	default:
		break;
	}
}

static uint32_t listed_size(const struct weir_member *member)
{
	switch (member->kind) {
	case WEIR_IS_FIELD:
		return sizeof(struct weir_handle_);
	case WEIR_IS_TABLE:
	case WEIR_IS_SIGNAL:
		return sizeof(void *);
	case WEIR_IS_STATE:
		return sizeof(uint32_t);
	default:
		return member->size;
	}
}

// What the class does not list is its own: copied as it is, if the struct is the same one.
static void move_unlisted(struct instance *to, const struct instance *from)
{
	const struct weir_class *class = to->element->class;
	size_t size = class->self_size;
	uint8_t is_listed[size ? size : 1];

	if (class != from->element->class)
		return;
	memset(is_listed, 0, size);
	each_member_of (member, class)
		memset(is_listed + member->offset, 1, listed_size(member));
	for (size_t i = 0; i < size; i++)
		if (!is_listed[i])
			to->self[i] = from->self[i];
}

static void move_counts(struct instance *to, const struct instance *from)
{
	to->packets = from->packets;
	to->dropped = from->dropped;
	to->events = from->events;
	to->bare_drops = from->bare_drops;
	for (unsigned i = 0; i < to->element->output_count && i < from->element->output_count; i++)
		if (!strcmp(to->element->outputs[i].name, from->element->outputs[i].name))
			to->open_drops[i] = from->open_drops[i];
}

static void move_instance(struct instance *to, struct instance *from)
{
	if (to->element->class == from->element->class && !to->element->class->start)
		move_unlisted(to, from);
	each_member_of (member, to->element->class)
		move_member(to, from, member);
	move_counts(to, from);
	to->held = from->held;
	to->held_count = from->held_count;
	from->held = NULL;
	from->held_count = 0;
}

// ---- what is left behind

static void free_packet(struct worker *worker, struct rte_mbuf *mbuf, uint64_t *count)
{
	worker_free(worker, mbuf);
	++*count;
}

static uint64_t release_instance(struct worker *worker, struct instance *instance)
{
	uint64_t count = 0;

	for (struct rte_mbuf *mbuf = instance->held, *next; mbuf; mbuf = next) {
		next = packet_head(mbuf)->next_held;
		free_packet(worker, mbuf, &count);
	}
	instance->held = NULL;
	instance->held_count = 0;
	each_member_of (member, instance->element->class) {
		struct weir_fifo *fifo = member->kind == WEIR_IS_FIFO
			? *(struct weir_fifo **)(instance->self + member->offset)
			: NULL;

		for (; fifo && fifo->count; fifo->count--, fifo->head = (fifo->head + 1) % fifo->rows)
			free_packet(worker, fifo->ring[fifo->head], &count);
	}
	return count;
}

uint64_t state_release(struct worker *worker)
{
	uint64_t count = 0;

	list_each (element, &worker->generation->plan->elements)
		count += release_instance(worker, &worker->instances[(*element)->index]);
	return count;
}

void state_move(struct worker *worker, const struct generation *to, const struct generation *from)
{
	struct share *new_share = &to->shares[worker->index], *old_share = &from->shares[worker->index];

	list_each (element, &from->plan->elements) {
		struct instance *old = &old_share->instances[(*element)->index];
		const struct plan_element *heir = plan_find(to->plan, (*element)->name);
		uint64_t left;

		if (heir && !strcmp(heir->class->name, (*element)->class->name))
			move_instance(&new_share->instances[heir->index], old);
		left = release_instance(worker, old);
		worker->account.vanished += left;
		worker->account.dropped += left;
	}
}

static uint64_t held_by(const struct instance *instance)
{
	uint64_t count = instance->held_count;

	each_member_of (member, instance->element->class)
		if (member->kind == WEIR_IS_FIFO)
			count += (*(struct weir_fifo *const *)(instance->self + member->offset))->count;
	return count;
}

uint64_t state_held(const struct worker *worker)
{
	uint64_t count = 0;

	list_each (element, &worker->generation->plan->elements)
		count += held_by(&worker->instances[(*element)->index]);
	return count;
}

bool state_waits(const struct worker *worker)
{
	list_each (element, &worker->generation->plan->elements)
		if (held_by(&worker->instances[(*element)->index]))
			return true;
	return false;
}
