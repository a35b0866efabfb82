// SPDX-License-Identifier: Apache-2.0
// A plan in the program's thread: packets in, turns of the worker's loop, packets out, and what it counted.
#include "embed/graph.h"

#include "port/cable.h"

#include <errno.h>
#include <time.h>

enum { MOST_TURNS = 4096, STEPS_AT_ONCE = 1000, REST_NS = 200 * 1000 };

// ---- attaching

static struct opening *opening_of(struct weir_plan *plan, const char *element, struct near *near)
{
	list_each (opening, &plan->openings) {
		if (!strcmp(opening->element, element))
			return opening;
		near_try(near, opening->element);
	}
	return NULL;
}

static int fail_attach(const struct weir_plan *plan, const char *element, const struct near *near)
{
	const char *best = near_best(near);

	if (!plan->openings.count)
		return embed_fail(-ENOENT,
			"\"%s\": the graph leaves no port open; write in :: Port, without a device",
			element);
	return embed_fail(-ENOENT, "the graph has no open port \"%s\"%s%s%s", element, best ? "; did you mean \"" : "",
		best ? best : "", best ? "\"?" : "");
}

struct weir_port *weir_attach(struct weir_plan *plan, const char *element, const struct weir_member *wanted, void *self)
{
	struct near near = { .word = element };
	struct opening *opening;
	struct weir_port *port;

	if (!plan || !element)
		embed_fail(-EINVAL, "there is no %s", plan ? "element" : "plan");
	if (!plan || !element || embed_enter())
		return NULL;
	opening = opening_of(plan, element, &near);
	if (!opening)
		fail_attach(plan, element, &near);
	else if (cable_is_plugged(opening->ends[1]))
		embed_fail(-EBUSY, "%s has been attached to already", element);
	if (!opening || cable_is_plugged(opening->ends[1]))
		return NULL;
	port = embed_handle(port_again(opening->ends[1]), 0, wanted, self);
	if (port)
		cable_plug(opening->ends[1], true);
	return port;
}

// ---- running

static struct opening *first_input(struct weir_plan *plan)
{
	list_each (opening, &plan->openings)
		if (opening->directions & PORT_RECEIVE)
			return opening;
	return NULL;
}

static unsigned run(struct weir_plan *plan)
{
	unsigned count = 0, turns = 0;

	do
		count += caller_turn(plan->caller);
	while (caller_has_more(plan->caller) && ++turns < MOST_TURNS);
	return count;
}

int weir_run(struct weir_plan *plan, struct weir_vector *v)
{
	struct opening *input = plan ? first_input(plan) : NULL;

	if (!plan)
		return embed_fail(-EINVAL, "there is no plan");
	if (v && v->live && !input)
		return embed_fail(-ENODEV, "the graph leaves no port open for packets to come in by; "
			"write in :: Port, without a device");
	if (embed_enter())
		return -errno;
	if (v && v->live)
		caller_send(caller_of(v), v->live, input->ends[1], 0);
	return (int)run(plan);
}

// With captures, until something moves or nothing is left to move.
static int pass_time(struct weir_plan *plan)
{
	for (unsigned i = 0; i < STEPS_AT_ONCE; i++) {
		caller_pass_time(plan->caller);
		if (run(plan))
			return 1;
		if (caller_is_through(plan->caller))
			return 0;
	}
	return 1;
}

int weir_drain(struct weir_plan *plan)
{
	if (!plan)
		return embed_fail(-EINVAL, "there is no plan");
	if (embed_enter())
		return -errno;
	list_each (opening, &plan->openings)
		cable_end(opening->ends[1]);
	if (run(plan))
		return 1;
	if (caller_is_live(plan->caller))
		return 0;
	return caller_is_through(plan->caller) ? 0 : pass_time(plan);
}

// ---- what it counted

static bool read_of_platform(const struct caller *caller, const struct plan_element *element, const char *name,
	uint64_t *value)
{
	struct instance_sum sum = caller_instance(caller, element);
	const struct {
		const char *name;
		uint64_t value;
	} counts[] = { { "packets", sum.packets }, { "dropped", sum.dropped }, { "events", sum.events } };

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		if (!strcmp(counts[i].name, name)) {
			*value = counts[i].value;
			return true;
		}
	return false;
}

static bool read_member(const struct caller *caller, const struct plan_element *element, const char *name,
	uint64_t *value)
{
	const char *self = caller_self(caller, element);

	for (const struct weir_member *member = element->class->members; member && member->kind != WEIR_END; member++) {
		bool is_number = member->kind == WEIR_IS_COUNTER || (member->kind == WEIR_IS_SETTING &&
			member->type >= WEIR_BOOL && member->type <= WEIR_U64);

		if (!is_number || strcmp(member->name, name))
			continue;
		*value = 0;
		memcpy(value, self + member->offset, member->size < sizeof(*value) ? member->size : sizeof(*value));
		return true;
	}
	return false;
}

int weir_read(const struct weir_plan *plan, const char *name, uint64_t *value)
{
	const char *dot = name ? strrchr(name, '.') : NULL;
	const struct plan_element *element;
	char word[256];

	if (!plan || !name || !value)
		return embed_fail(-EINVAL, "there is no %s", !plan ? "plan" : !name ? "name" : "place for the value");
	if (!dot || (size_t)(dot - name) >= sizeof(word))
		return embed_fail(-EINVAL, "\"%s\": ELEMENT.COUNTER is expected", name);
	snprintf(word, sizeof(word), "%.*s", (int)(dot - name), name);
	element = plan_find(caller_plan(plan->caller), word);
	if (!element)
		return embed_fail(-ENOENT, "\"%s\": the graph has no element \"%s\"", name, word);
	if (read_member(plan->caller, element, dot + 1, value) ||
		read_of_platform(plan->caller, element, dot + 1, value))
		return 0;
	return embed_fail(-ENOENT, "\"%s\": %s has no counter or number of that name", name, element->class->name);
}

struct weir_plan_stats weir_plan_stats(const struct weir_plan *plan)
{
	struct engine_sum sum = { 0 };

	if (plan)
		sum = caller_sum(plan->caller);
	return (struct weir_plan_stats){
		.received = sum.received,
		.emitted = sum.emitted,
		.cloned = sum.cloned,
		.sent = sum.sent,
		.dropped = sum.dropped,
		.consumed = sum.consumed,
		.held = sum.held,
		.conserved = engine_is_conserved(&sum),
	};
}
