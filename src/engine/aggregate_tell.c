// SPDX-License-Identifier: Apache-2.0
// What is told of a window: of each key, of those above a number, or of the greatest in order.
#include "engine/aggregate_inside.h"

enum { FULL = WORKER_STORE / 2 }; // then what has been said is told, and there is room again

static void put(char *payload, uint32_t at, uint64_t value)
{
	memcpy(payload + at, &value, sizeof(value));
}

static void fill(char *payload, const struct plan_telling *telling, const struct aggregate *aggregate, uint32_t row,
	const struct window *window, uint32_t place)
{
	struct aggregate_value value = aggregate_read(aggregate, row);
	uint64_t over_ns = telling->gathering->over_ns;

	gathered_tell_key(telling, aggregate_key(aggregate, row), payload);
	put(payload, telling->value_at, value.value);
	put(payload, telling->error_at, value.error);
	put(payload, telling->start_at, over_ns ? window->number * over_ns : window->first_ns);
	put(payload, telling->duration_at, over_ns ? over_ns : window->last_ns - window->first_ns);
	if (telling->top)
		memcpy(payload + telling->place_at, &place, sizeof(place));
}

void gathered_tell(struct worker *worker, const struct plan_telling *telling, const struct aggregate *aggregate,
	uint32_t row, const struct window *window, uint32_t place, uint64_t at_ns)
{
	list_each (signal, &telling->signals) {
		char *payload = event_append(worker, &worker->generation->signals[(*signal)->index], WEIR_VECTOR);

		if (!payload)
			continue;
		((struct event_record *)(payload - offsetof(struct event_record, payload)))->now_ns = at_ns;
		fill(payload, telling, aggregate, row, window, place);
	}
}

static void make_room(struct worker *worker)
{
	if (worker->store_used < FULL)
		return;
	worker_end_events(worker);
	worker_begin(worker);
}

static uint64_t end_of(const struct closing *closing, const struct plan_gathering *plan)
{
	return plan->over_ns ? (closing->window.number + 1) * plan->over_ns : closing->window.last_ns;
}

static bool is_to_be_told(struct closing *closing, const struct plan_telling *telling, uint32_t row)
{
	if (!telling->has_above)
		return true;
	return aggregate_read(closing->result, row).least > telling->above &&
		!(*aggregate_told(closing->result, row) >> telling->index & 1);
}

static bool tell_rows(struct worker *worker, struct closing *closing, const struct plan_telling *telling,
	uint32_t *most)
{
	uint32_t count = aggregate_count(closing->result);

	for (; closing->row < count && *most; closing->row++, --*most) {
		uint32_t row = aggregate_at(closing->result, closing->row);

		if (!is_to_be_told(closing, telling, row))
			continue;
		gathered_tell(worker, telling, closing->result, row, &closing->window, 0,
			end_of(closing, telling->gathering));
		make_room(worker);
	}
	return closing->row == count;
}

// ---- the greatest: a heap with the least of them in front; among equals the lower key is before the higher one

static bool is_less(const struct closing *closing, const struct plan_telling *telling, struct place_of_top a,
	struct place_of_top b)
{
	if (a.value != b.value)
		return a.value < b.value;
	return memcmp(aggregate_key(closing->result, a.row), aggregate_key(closing->result, b.row),
		       telling->gathering->key_size) > 0;
}

static void sink(struct closing *closing, const struct plan_telling *telling, uint32_t place)
{
	for (;;) {
		uint32_t least = place;

		for (uint32_t child = 2 * place + 1; child <= 2 * place + 2 && child < closing->top_count; child++)
			if (is_less(closing, telling, closing->top[child], closing->top[least]))
				least = child;
		if (least == place)
			return;
		struct place_of_top kept = closing->top[place];

		closing->top[place] = closing->top[least];
		closing->top[least] = kept;
		place = least;
	}
}

static void rise(struct closing *closing, const struct plan_telling *telling, uint32_t place)
{
	while (place && is_less(closing, telling, closing->top[place], closing->top[(place - 1) / 2])) {
		struct place_of_top kept = closing->top[place];

		closing->top[place] = closing->top[(place - 1) / 2];
		closing->top[(place - 1) / 2] = kept;
		place = (place - 1) / 2;
	}
}

static void consider(struct closing *closing, const struct plan_telling *telling, uint32_t row)
{
	struct place_of_top at = { aggregate_read(closing->result, row).value, row };

	if (!is_to_be_told(closing, telling, row))
		return;
	if (closing->top_count < telling->top) {
		closing->top[closing->top_count] = at;
		rise(closing, telling, closing->top_count++);
	} else if (is_less(closing, telling, closing->top[0], at)) {
		closing->top[0] = at;
		sink(closing, telling, 0);
	}
}

// The least goes to the end, and again: the greatest stands in front.
static void sort(struct closing *closing, const struct plan_telling *telling)
{
	uint32_t count = closing->top_count;

	while (closing->top_count > 1) {
		struct place_of_top least = closing->top[0];

		closing->top[0] = closing->top[--closing->top_count];
		closing->top[closing->top_count] = least;
		sink(closing, telling, 0);
	}
	closing->top_count = count;
}

static bool tell_top(struct worker *worker, struct closing *closing, const struct plan_telling *telling, uint32_t *most)
{
	uint32_t count = aggregate_count(closing->result);

	if (!closing->row)
		closing->top_count = 0;
	for (; closing->row < count && *most; closing->row++, --*most)
		consider(closing, telling, aggregate_at(closing->result, closing->row));
	if (closing->row < count)
		return false;
	sort(closing, telling);
	for (uint32_t i = 0; i < closing->top_count; i++) {
		gathered_tell(worker, telling, closing->result, closing->top[i].row, &closing->window, i + 1,
			end_of(closing, telling->gathering));
		make_room(worker);
	}
	return true;
}

bool closing_tell(struct worker *worker, struct closing *closing, const struct plan_gathering *plan, uint32_t *most)
{
	for (; closing->telling < plan->tellings.count; closing->telling++, closing->row = 0) {
		const struct plan_telling *telling = plan->tellings.at[closing->telling];

		if (telling->is_at_once && worker->generation->workers == 1)
			continue;
		if (!(telling->top ? tell_top : tell_rows)(worker, closing, telling, most))
			return false;
	}
	worker_end_events(worker);
	worker_begin(worker);
	return true;
}
