// SPDX-License-Identifier: Apache-2.0
// Windows end: on each worker when its time has come, and for all when every worker is through with them.
#include "engine/aggregate_inside.h"

#include "engine/track.h"

enum { ROWS_AT_ONCE = 256 }; // between two vectors of live ports

// ---- on each worker

static uint64_t now_of(const struct worker *worker, const struct gathered *gathered)
{
	uint64_t told_ns = gathered->below ? gathered->below->closing->told_ns : UINT64_MAX;

	return worker->index || worker->now_ns < told_ns ? worker->now_ns : told_ns;
}

static void close_if_over(struct worker *worker, struct gathered *gathered)
{
	uint64_t number = window_at(gathered->plan, now_of(worker, gathered));

	gathered->is_waiting = false;
	if (aggregate_count(gathered->open) && gathered->window.number < number)
		gathered->is_waiting = !gathered_close(gathered);
	if (!gathered->is_waiting && gathered->passed < number)
		__atomic_store_n(&gathered->passed, number, __ATOMIC_RELEASE);
	worker->is_stalled |= gathered->is_waiting && worker->generation->is_lossless;
}

static void be_due(uint64_t *due_ns, uint64_t at_ns)
{
	if (!*due_ns || at_ns < *due_ns)
		*due_ns = at_ns;
}

static uint64_t end_of_window(const struct gathered *gathered, uint64_t number)
{
	return (number + 1) * gathered->plan->over_ns;
}

// The next time at which a window ends, of those that are open or that a flow's end will open.
static void note_due(struct worker *worker, const struct gathered *gathered, uint64_t flows_ns)
{
	if (gathered->below)
		return;
	if (aggregate_count(gathered->open))
		be_due(&worker->window_due_ns, end_of_window(gathered, gathered->window.number));
	if (flows_ns != UINT64_MAX)
		be_due(&worker->window_due_ns, end_of_window(gathered, window_at(gathered->plan, flows_ns)));
	be_due(&worker->window_next_ns, end_of_window(gathered, gathered->passed));
}

// Flows whose time was up before a window's end are told of before it, all of them.
static void end_flows(struct worker *worker)
{
	uint64_t now_ns = worker->now_ns;

	if (!worker->window_next_ns || now_ns < worker->window_next_ns)
		return;
	worker->now_ns--;
	while (track_end_exactly(worker)) {
		worker_end_events(worker);
		worker_begin(worker);
	}
	worker_end_events(worker);
	worker_begin(worker);
	worker->now_ns = now_ns;
}

uint64_t aggregates_boundary(const struct worker *worker, uint64_t at_ns)
{
	const struct aggregates *aggregates = worker->generation->aggregates;
	uint64_t due_ns = 0;

	for (uint32_t i = 0; i < aggregates->count; i++) {
		const struct gathered *gathered = &aggregates->of[worker->index][i];

		if (gathered->open && gathered->plan->over_ns)
			be_due(&due_ns, end_of_window(gathered, window_at(gathered->plan, at_ns)));
	}
	return due_ns;
}

// ---- on the first one

static bool begin(const struct worker *worker, struct closing *closing, uint32_t index)
{
	const struct aggregates *aggregates = worker->generation->aggregates;
	uint64_t over_ns = aggregates->of[0][index].plan->over_ns, limit = UINT64_MAX, number = UINT64_MAX;

	for (unsigned i = 0; i < worker->generation->workers; i++) {
		uint64_t passed = __atomic_load_n(&aggregates->of[i][index].passed, __ATOMIC_ACQUIRE);

		limit = passed < limit ? passed : limit;
	}
	for (unsigned i = 0; i < worker->generation->workers; i++) {
		const struct gathered *gathered = &aggregates->of[i][index];

		if (__atomic_load_n(&gathered->state, __ATOMIC_ACQUIRE) == TABLE_CLOSED &&
			gathered->closed_window.number < number)
			number = gathered->closed_window.number;
	}
	closing->told_ns = (number < limit ? number : limit) * over_ns;
	closing->window = (struct window){ .number = number, .first_ns = UINT64_MAX };
	return number < limit;
}

static void include(struct closing *closing, struct aggregate *table, const struct window *window, unsigned worker)
{
	closing->taken |= (uint64_t)1 << worker;
	closing->result = closing->taken & (closing->taken - 1) ? closing->joined : table;
	if (window->first_ns < closing->window.first_ns)
		closing->window.first_ns = window->first_ns;
	if (window->last_ns > closing->window.last_ns)
		closing->window.last_ns = window->last_ns;
}

static void start(struct closing *closing)
{
	closing->stage = CLOSING_JOINS;
	closing->join = (struct aggregate_join){ 0 };
	closing->worker = closing->telling = closing->row = 0;
}

// Those that wait with a table of this window.
static void take(const struct worker *worker, struct closing *closing, uint32_t index)
{
	struct aggregates *aggregates = worker->generation->aggregates;

	closing->taken = 0;
	for (unsigned i = 0; i < worker->generation->workers; i++) {
		struct gathered *gathered = &aggregates->of[i][index];
		uint32_t closed = TABLE_CLOSED;

		if (__atomic_load_n(&gathered->state, __ATOMIC_ACQUIRE) != TABLE_CLOSED ||
			gathered->closed_window.number != closing->window.number)
			continue;
		if (__atomic_compare_exchange_n(&gathered->state, &closed, TABLE_TAKEN, false, __ATOMIC_ACQ_REL,
			    __ATOMIC_ACQUIRE)) // else its worker has gone on to another generation with it
			include(closing, gathered->closed, &gathered->closed_window, i);
	}
	if (closing->taken)
		start(closing);
}

static bool join(const struct worker *worker, struct closing *closing, uint32_t index, uint32_t *most)
{
	const struct aggregates *aggregates = worker->generation->aggregates;

	if (closing->result != closing->joined)
		return true;
	for (; closing->worker < worker->generation->workers; closing->worker++) {
		struct aggregate_join *join = &closing->join;

		if (!(closing->taken >> closing->worker & 1))
			continue;
		join->to = closing->joined;
		join->from = aggregates->of[closing->worker][index].closed;
		join->number = closing->worker;
		if (!aggregate_join(join, *most)) {
			*most = 0;
			return false;
		}
		*join = (struct aggregate_join){ 0 };
	}
	return true;
}

static void give_back(const struct worker *worker, struct closing *closing, uint32_t index)
{
	struct aggregates *aggregates = worker->generation->aggregates;

	for (unsigned i = 0; i < worker->generation->workers; i++) {
		struct gathered *gathered = &aggregates->of[i][index];

		if (!(closing->taken >> i & 1))
			continue;
		aggregate_clear(gathered->closed);
		__atomic_store_n(&gathered->state, TABLE_FREE, __ATOMIC_RELEASE);
	}
	if (closing->result == closing->joined)
		aggregate_clear(closing->joined);
	closing->stage = CLOSING_NOTHING;
	closing->taken = 0;
}

static void go_on(struct worker *worker, uint32_t index, uint32_t most)
{
	struct aggregates *aggregates = worker->generation->aggregates;
	struct closing *closing = &aggregates->closings[index];
	const struct plan_gathering *plan = aggregates->of[0][index].plan;

	while (most) {
		if (closing->stage == CLOSING_NOTHING && begin(worker, closing, index))
			take(worker, closing, index);
		if (closing->stage == CLOSING_NOTHING)
			return;
		if (closing->stage == CLOSING_JOINS && join(worker, closing, index, &most))
			closing->stage = CLOSING_TELLS;
		if (closing->stage == CLOSING_TELLS && closing_tell(worker, closing, plan, &most))
			give_back(worker, closing, index);
	}
}

void aggregates_step(struct worker *worker)
{
	struct aggregates *aggregates = worker->generation->aggregates;

	bool has_flows = worker->tracker && worker->generation->is_lossless;
	uint64_t flows_ns;

	if (has_flows)
		end_flows(worker);
	flows_ns = has_flows ? track_next_ns(worker) : UINT64_MAX;
	worker->window_due_ns = worker->window_next_ns = 0;
	worker->is_stalled = false;
	for (uint32_t i = 0; i < aggregates->count; i++) {
		struct gathered *gathered = &aggregates->of[worker->index][i];

		if (!gathered->open || !gathered->plan->over_ns)
			continue;
		close_if_over(worker, gathered);
		if (!worker->index)
			go_on(worker, i, worker->generation->is_lossless ? UINT32_MAX : ROWS_AT_ONCE);
		note_due(worker, gathered, flows_ns);
	}
}

// ---- time marks, with captures: a worker to which nothing comes does not know how late it is

void aggregates_tell_mark(struct worker *worker)
{
	for (unsigned i = 0; i < worker->generation->workers; i++)
		if (!worker->handing_count[i])
			__atomic_store_n(&worker->marks[i], worker->now_ns, __ATOMIC_RELEASE);
}

uint64_t aggregates_mark(const struct worker *worker)
{
	uint64_t mark = 0;

	for (unsigned i = 0; i < worker->generation->workers; i++) {
		const struct worker *other = &worker->generation->workers_at[i];
		uint64_t its = other == worker ? 0 : __atomic_load_n(&other->marks[worker->index], __ATOMIC_ACQUIRE);

		mark = its > mark ? its : mark;
	}
	return mark;
}

// ---- the end

static void tell_begun(struct worker *worker)
{
	const struct aggregates *aggregates = worker->generation->aggregates;

	for (uint32_t i = 0; !worker->index && i < aggregates->count; i++)
		if (aggregates->closings[i].stage != CLOSING_NOTHING)
			go_on(worker, i, UINT32_MAX);
}

void aggregates_leave(struct worker *worker)
{
	if (worker->generation->aggregates)
		tell_begun(worker);
}

static bool is_closed(const struct gathered *gathered)
{
	return gathered->state == TABLE_CLOSED;
}

static bool has_rows(const struct gathered *gathered)
{
	return gathered->open && aggregate_count(gathered->open);
}

// The earliest window of which there is a table; false: there is none.
static bool find_earliest(const struct worker *worker, uint32_t index, uint64_t *number)
{
	const struct aggregates *aggregates = worker->generation->aggregates;
	bool is_found = false;

	*number = UINT64_MAX;
	for (unsigned i = 0; i < worker->generation->workers; i++) {
		const struct gathered *gathered = &aggregates->of[i][index];

		is_found |= is_closed(gathered) || has_rows(gathered);
		if (is_closed(gathered) && gathered->closed_window.number < *number)
			*number = gathered->closed_window.number;
		if (has_rows(gathered) && gathered->window.number < *number)
			*number = gathered->window.number;
	}
	return is_found;
}

static void tell_window(struct worker *worker, uint32_t index, uint64_t number)
{
	struct aggregates *aggregates = worker->generation->aggregates;
	struct closing *closing = &aggregates->closings[index];
	uint32_t most = UINT32_MAX;

	for (unsigned i = 0; i < worker->generation->workers; i++) {
		struct gathered *gathered = &aggregates->of[i][index];

		if (!is_closed(gathered) && has_rows(gathered) && gathered->window.number == number)
			gathered_close(gathered);
	}
	closing->window = (struct window){ .number = number, .first_ns = UINT64_MAX };
	take(worker, closing, index);
	join(worker, closing, index, &most);
	closing_tell(worker, closing, aggregates->of[0][index].plan, &most);
	give_back(worker, closing, index);
}

// What stands upon others comes behind them, but where they have gone on to another of its windows.
static bool tell_next(struct worker *worker)
{
	const struct aggregates *aggregates = worker->generation->aggregates;
	uint64_t number;

	for (uint32_t i = aggregates->count; i--;) {
		const struct gathered *gathered = &aggregates->of[worker->index][i];

		if (gathered->below && is_closed(gathered) && find_earliest(worker, i, &number)) {
			tell_window(worker, i, number);
			return true;
		}
	}
	for (uint32_t i = 0; i < aggregates->count; i++)
		if (find_earliest(worker, i, &number)) {
			tell_window(worker, i, number);
			return true;
		}
	return false;
}

void aggregates_stop(struct worker *worker)
{
	struct aggregates *aggregates = worker->generation->aggregates;

	if (!aggregates)
		return;
	tell_begun(worker);
	if (__atomic_add_fetch(&aggregates->finished, 1, __ATOMIC_ACQ_REL) < worker->generation->workers)
		return;
	while (tell_next(worker))
		;
}
