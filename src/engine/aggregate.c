// SPDX-License-Identifier: Apache-2.0
// Gathering: from events into the tables of a worker.
#include "engine/aggregate_inside.h"

#include "engine/track.h"

#include <errno.h>
#include <stdlib.h>

// ---- making

static struct aggregate_shape shape_of(const struct generation *generation, const struct plan_gathering *plan,
	bool is_joined)
{
	uint32_t rows = plan->rows;

	// so that all that the workers have finds room
	for (unsigned workers = 1; is_joined && workers < generation->workers && rows < AGGREGATE_ROWS; workers *= 2)
		rows *= 2;
	return (struct aggregate_shape){ plan->key_size, rows, plan->what == GRAPH_DISTINCT, is_joined,
		generation->seed };
}

static const struct gathered *below(const struct gathered *all, const struct plan_gathering *plan)
{
	const struct plan_signal *root = plan_root(plan->derivation->base);

	return root->telling && !root->telling->is_at_once ? &all[root->telling->gathering->index] : NULL;
}

static bool make_gathered(struct generation *generation, unsigned worker, const struct plan_gathering *plan)
{
	struct aggregates *aggregates = generation->aggregates;
	struct gathered *gathered = &aggregates->of[worker][plan->index];
	struct aggregate_shape shape = shape_of(generation, plan, false);

	gathered->plan = plan;
	gathered->closing = &aggregates->closings[plan->index];
	gathered->below = below(aggregates->of[worker], plan);
	if (!plan->tellings.count)
		return true;
	gathered->open = aggregate_create(&shape);
	gathered->spare = aggregate_create(&shape);
	return gathered->open && gathered->spare;
}

static bool make_closing(struct generation *generation, const struct plan_gathering *plan)
{
	struct closing *closing = &generation->aggregates->closings[plan->index];
	struct aggregate_shape shape = shape_of(generation, plan, true);
	uint32_t top = 0;

	list_each (telling, &plan->tellings)
		top = (*telling)->top > top ? (*telling)->top : top;
	closing->top = arena_array(generation->arena, struct place_of_top, top + 1);
	if (generation->workers > 1 && plan->tellings.count)
		closing->joined = aggregate_create(&shape);
	return closing->joined || generation->workers == 1 || !plan->tellings.count;
}

int aggregates_create(struct generation *generation)
{
	const struct plan *plan = generation->plan;
	struct aggregates *aggregates;
	bool is_made = true, is_heard = false;

	list_each (gathering, &plan->gatherings)
		is_heard |= (*gathering)->tellings.count != 0;
	if (!is_heard)
		return 0;
	aggregates = generation->aggregates = arena_new(generation->arena, struct aggregates);
	aggregates->count = plan->gatherings.count;
	aggregates->closings = arena_array(generation->arena, struct closing, aggregates->count);
	for (unsigned worker = 0; worker < generation->workers; worker++) {
		aggregates->of[worker] = arena_array(generation->arena, struct gathered, aggregates->count);
		list_each (gathering, &plan->gatherings)
			is_made = is_made && make_gathered(generation, worker, *gathering);
	}
	list_each (gathering, &plan->gatherings)
		is_made = is_made && make_closing(generation, *gathering);
	return is_made ? 0 : -ENOMEM;
}

void aggregates_destroy(struct generation *generation)
{
	struct aggregates *aggregates = generation->aggregates;

	for (unsigned worker = 0; aggregates && worker < generation->workers; worker++)
		for (uint32_t i = 0; aggregates->of[worker] && i < aggregates->count; i++) {
			aggregate_destroy(aggregates->of[worker][i].open);
			aggregate_destroy(aggregates->of[worker][i].spare);
			aggregate_destroy(aggregates->of[worker][i].closed);
		}
	for (uint32_t i = 0; aggregates && i < aggregates->count; i++)
		aggregate_destroy(aggregates->closings[i].joined);
	generation->aggregates = NULL;
}

// ---- windows

// What the first worker has given back is clear.
static void take_back(struct gathered *gathered)
{
	if (gathered->spare || __atomic_load_n(&gathered->state, __ATOMIC_ACQUIRE) != TABLE_FREE)
		return;
	gathered->spare = gathered->closed;
	gathered->closed = NULL;
}

bool gathered_close(struct gathered *gathered)
{
	take_back(gathered);
	if (!gathered->spare)
		return false;
	gathered->closed = gathered->open;
	gathered->closed_window = gathered->window;
	gathered->open = gathered->spare;
	gathered->spare = NULL;
	__atomic_store_n(&gathered->state, TABLE_CLOSED, __ATOMIC_RELEASE);
	if (gathered->passed <= gathered->window.number && gathered->plan->over_ns)
		__atomic_store_n(&gathered->passed, gathered->window.number + 1, __ATOMIC_RELEASE);
	return true;
}

// Windows follow upon one another; what comes late counts in the one that is open.
static void be_in_window(struct gathered *gathered, uint64_t at_ns)
{
	struct window *window = &gathered->window;
	uint64_t number = window_at(gathered->plan, at_ns);

	if (aggregate_count(gathered->open) && number > window->number)
		gathered_close(gathered);
	if (!aggregate_count(gathered->open))
		*window = (struct window){ number > gathered->passed ? number : gathered->passed, at_ns, at_ns };
	if (at_ns > window->last_ns)
		window->last_ns = at_ns;
}

// ---- an event

static void tell_exceeded(struct worker *worker, struct gathered *gathered, uint32_t row, uint64_t at_ns)
{
	struct aggregate_value value = aggregate_read(gathered->open, row);
	uint16_t *told = aggregate_told(gathered->open, row);

	list_each (telling, &gathered->plan->tellings) {
		uint16_t bit = (uint16_t)(1u << (*telling)->index);

		if (!(*telling)->is_at_once || value.least <= (*telling)->above || *told & bit)
			continue;
		*told |= bit;
		gathered_tell(worker, *telling, gathered->open, row, &gathered->window, 0, at_ns);
	}
}

static bool add(struct gathered *gathered, const struct gathered_event *event, const char *key, uint32_t *to)
{
	const struct plan_gathering *plan = gathered->plan;
	char bytes[PLAN_TEXT];
	uint64_t number = 1;
	uint32_t row;

	if (plan->what == GRAPH_SUM && !gathered_number(event, plan->field, &number))
		return false;
	if (plan->what == GRAPH_DISTINCT && !gathered_bytes(event, plan->field, bytes))
		return false;
	row = *to = aggregate_row(gathered->open, key, aggregate_hash(gathered->open, key));
	if (plan->what == GRAPH_DISTINCT)
		aggregate_mark(gathered->open, row, gathered_hash(bytes, plan->field->size));
	else
		aggregate_add(gathered->open, row, number);
	return true;
}

static void gather(struct gathered *gathered, const struct gathered_event *event, uint64_t at_ns)
{
	char key[PLAN_KEYS * PLAN_TEXT];
	uint32_t row;

	if (!gathered_key(event, gathered->plan, key))
		return;
	be_in_window(gathered, at_ns);
	if (add(gathered, event, key, &row) && gathered->plan->is_together)
		tell_exceeded(event->worker, gathered, row, at_ns);
}

static struct gathered *gathered_of(const struct worker *worker, const struct plan_gathering *plan)
{
	return &worker->generation->aggregates->of[worker->index][plan->index];
}

void aggregates_gather_slots(struct worker *worker, const struct plan_derivation *derivation, weir_mask slots)
{
	list_each (gathering, &derivation->gatherings) {
		struct gathered *gathered = gathered_of(worker, *gathering);

		list_each (step, &(*gathering)->steps.list)
			worker_compute_value(worker, *step, slots);
		weir_each (i, slots) {
			struct gathered_event event = { worker, NULL, derivation->base->type, (unsigned)i };

			gather(gathered, &event, worker->vector->head.time_ns[i]);
		}
	}
}

// An aggregate's window is told at its end, which is the beginning of the next.
static uint64_t time_of(const struct worker *worker, const struct plan_signal *base, const struct event_record *record)
{
	if (base->rides && record->slot < WEIR_VECTOR)
		return worker->vector->head.time_ns[record->slot];
	return base->type->per == WEIR_PER_AGGREGATE && record->now_ns ? record->now_ns - 1 : record->now_ns;
}

void aggregates_gather_record(
	struct worker *worker, const struct plan_derivation *derivation, const struct event_record *record)
{
	const struct plan_signal *base = derivation->base;
	struct gathered_event event = { worker, record, base->type, base->rides ? record->slot : WEIR_VECTOR };

	list_each (gathering, &derivation->gatherings) {
		if (event.slot < WEIR_VECTOR)
			list_each (step, &(*gathering)->steps.list)
				worker_compute_value(worker, *step, (weir_mask)1 << event.slot);
		gather(gathered_of(worker, *gathering), &event, time_of(worker, base, record));
	}
}

// ---- another generation

static bool tells_alike(const struct plan_gathering *a, const struct plan_gathering *b)
{
	if (a->tellings.count != b->tellings.count)
		return false;
	for (uint32_t i = 0; i < a->tellings.count; i++) {
		const struct plan_telling *one = a->tellings.at[i], *other = b->tellings.at[i];

		if (one->top != other->top || one->has_above != other->has_above || one->above != other->above)
			return false;
	}
	return true;
}

static struct gathered *twin_of(const struct gathered *gathered, const struct generation *old, unsigned worker)
{
	for (uint32_t i = 0; old->aggregates && i < old->aggregates->count; i++) {
		struct gathered *twin = &old->aggregates->of[worker][i];

		if (twin->open && gathered->open && !strcmp(twin->plan->text, gathered->plan->text) &&
			tells_alike(twin->plan, gathered->plan))
			return twin;
	}
	return NULL;
}

static void swap_tables(struct aggregate **a, struct aggregate **b)
{
	struct aggregate *kept = *a;

	*a = *b;
	*b = kept;
}

static void move(struct gathered *to, struct gathered *from)
{
	uint32_t closed = TABLE_CLOSED;

	swap_tables(&to->open, &from->open);
	to->window = from->window;
	to->passed = from->passed;
	// what waits goes along, unless it is being told
	if (!__atomic_compare_exchange_n(
		    &from->state, &closed, TABLE_FREE, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return;
	swap_tables(&to->spare, &from->closed);
	swap_tables(&to->closed, &to->spare);
	to->closed_window = from->closed_window;
	__atomic_store_n(&to->state, TABLE_CLOSED, __ATOMIC_RELEASE);
}

void aggregates_take_up(struct worker *worker, const struct generation *old)
{
	const struct generation *generation = worker->generation;

	worker->window_due_ns = worker->window_next_ns = 0;
	worker->is_stalled = false;
	for (uint32_t i = 0; old && generation->aggregates && i < generation->aggregates->count; i++) {
		struct gathered *to = &generation->aggregates->of[worker->index][i];
		struct gathered *from = twin_of(to, old, worker->index);

		if (from)
			move(to, from);
	}
}
