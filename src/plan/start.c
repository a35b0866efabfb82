// SPDX-License-Identifier: Apache-2.0
#include "plan/internal.h"
#include "plan/start.h"

#include "lookup/routes.h"
#include "lookup/rules.h"

struct weir_start {
	struct plan *plan;
	struct plan_element *element;
	bool is_refused;
};

static void create_shared(struct plan_element *element)
{
	each_member (member, element->class) {
		void **at = plan_member(element, member);

		if (member->kind == WEIR_IS_ROUTES)
			*at = routes_create();
		else if (member->kind == WEIR_IS_RULES)
			*at = rules_create();
	}
}

// Rule sets and route tables are built once, when all is in them and the platform has started: they use its memory.
static int build_shared(const struct plan_element *element)
{
	int err = 0;

	each_member (member, element->class) {
		void **at = plan_member(element, member);

		if (member->kind == WEIR_IS_ROUTES)
			err = routes_build(*at);
		else if (member->kind == WEIR_IS_RULES)
			err = rules_build(*at);
		if (err)
			return err;
	}
	return 0;
}

void plan_start(struct plan *plan, struct plan_element *element)
{
	struct weir_start start = { plan, element, false };

	create_shared(element);
	if (element->class->start && element->class->start(&start, element->prototype) && !start.is_refused)
		diag_error(plan->diag, element->syntax->at, "%s (%s) refuses to start",
			element->name, element->class->name);
}

int plan_build_tables(struct plan *plan, const struct plan_element **failed)
{
	list_each (element, &plan->elements) {
		int err = build_shared(*element);

		if (err) {
			*failed = *element;
			return err;
		}
	}
	return 0;
}

void plan_stop(struct plan *plan)
{
	list_each (element, &plan->elements) {
		if (!(*element)->class || !(*element)->prototype)
			continue;
		each_member (member, (*element)->class) {
			void **at = plan_member(*element, member);

			if (member->kind == WEIR_IS_ROUTES && *at)
				routes_destroy(*at);
			else if (member->kind == WEIR_IS_RULES && *at)
				rules_destroy(*at);
		}
	}
}

// ---- what modules call

void weir_outputs(struct weir_start *start, unsigned count)
{
	if (count > start->element->output_count)
		start->element->output_count = count;
}

unsigned weir_connected(const struct weir_start *start)
{
	return start->element->output_count;
}

int weir_refuse(struct weir_start *start, int argument, const char *format, ...)
{
	const struct graph_element *syntax = start->element->syntax;
	struct place at = argument >= 0 && (uint32_t)argument < syntax->arguments.count
		? syntax->arguments.at[argument].at
		: syntax->at;
	va_list args;
	const char *text;

	va_start(args, format);
	text = arena_vprint(start->plan->arena, format, args);
	va_end(args);
	diag_error(start->plan->diag, at, "%s (%s): %s", start->element->name, start->element->class->name, text);
	start->is_refused = true;
	return -1;
}

void *weir_memory(struct weir_start *start, size_t size)
{
	return arena_take(start->plan->arena, size);
}
