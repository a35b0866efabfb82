// SPDX-License-Identifier: Apache-2.0
// By what packets are divided among workers: the coarsest key that serves the state of all classes.
// What exists once has a home worker; its packets are handed over to it.
#include "plan/internal.h"

bool plan_keeps_state(const struct weir_class *class)
{
	each_member (member, class)
		if (member->kind == WEIR_IS_TABLE || member->kind == WEIR_IS_STATE || member->kind == WEIR_IS_FIFO ||
		    member->kind == WEIR_IS_TIMER)
			return true;
	return false;
}

static const struct {
	const char *by;
	enum plan_steer steer;
} keys[] = {
	{ WEIR_FLOW, STEER_FLOW },
	{ WEIR_CLIENT, STEER_FLOW },
	{ "ip.src", STEER_SOURCE },
	{ "ipv6.src", STEER_SOURCE },
	{ "ip.dst", STEER_DESTINATION },
	{ "ipv6.dst", STEER_DESTINATION },
	{ "eth.src", STEER_ETHER_SOURCE },
};

enum plan_steer plan_steer_of(const char *field)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (!strcmp(keys[i].by, field))
			return keys[i].steer;
	return STEER_FLOW;
}

static void unknown_key(struct plan *plan, const struct plan_element *element)
{
	diag_hint(plan->diag,
		diag_error(plan->diag, element->syntax->at,
			"%s divides its state by \"%s\", by which packets cannot be steered",
			element->class->name, element->by),
		"possible are flow, client, one, any, ip.src, ip.dst, ipv6.src, ipv6.dst, eth.src");
}

void plan_steer_for(struct plan *plan, struct plan_element *element)
{
	if (!strcmp(element->by, WEIR_ANY))
		return;
	if (!strcmp(element->by, WEIR_ONE)) {
		element->home = plan_keeps_state(element->class) ? 0 : PLAN_NOWHERE;
		return;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (strcmp(keys[i].by, element->by))
			continue;
		if (keys[i].steer == STEER_FLOW || plan->steer == keys[i].steer || !plan_keeps_state(element->class))
			return;
		if (plan->steer == STEER_FLOW) {
			plan->steer = keys[i].steer;
			plan->steer_forced_by = element;
		} else if (!element->class->approximate) {
			element->home = 0; // two keys cannot both be served: one worker does this element
		}
		return;
	}
	unknown_key(plan, element);
}

void plan_steering(struct plan *plan)
{
	list_each (element, &plan->elements)
		plan_steer_for(plan, *element);
	list_each (element, &plan->elements)
		if ((*element)->home != PLAN_NOWHERE && plan->workers > 1)
			list_each (node, &(*element)->nodes)
				(*node)->is_entered = true;
}
