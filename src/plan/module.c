// SPDX-License-Identifier: Apache-2.0
// What of a module's descriptor can be resolved without a graph: fields, events' parts, filters, state keys,
// defaults.
#include "plan/internal.h"

#include "lang/filter_parse.h"
#include "plan/settings.h"

static void check_default(struct plan *plan, const struct weir_class *class,
	const struct weir_member *member, struct place at)
{
	char room[64];
	unsigned before = plan->diag->errors;

	if (member->kind == WEIR_IS_SETTING && member->value && *member->value && member->size <= sizeof(room) &&
	    !settings_parse(plan->arena, member, room, member->value, at, plan->diag) && plan->diag->errors > before)
		diag_hint(plan->diag, plan->diag->last, "it is the default of %s", class->name);
}

static void check_handlers(struct plan *plan, const struct weir_class *class, struct place at)
{
	for (const struct weir_on *on = class->on; on && (on->event || on->name); on++) {
		unsigned before = plan->diag->errors;

		if (on->where)
			filter_parse(plan->arena, on->where, strlen(on->where), at,
				plan_names(plan, on->event), plan->diag);
		if (plan->diag->errors > before)
			diag_hint(plan->diag, plan->diag->last, "in the filter of %s on %s",
				class->name, on->event ? on->event->name : on->name);
	}
}

static void check_class(struct plan *plan, const struct weir_class *class, struct place at)
{
	struct graph_element syntax = { .name = class->name, .class = class->name, .at = at, .class_at = at };
	struct plan_element element = { .name = class->name,
		.class = class,
		.syntax = &syntax,
		.by = class->by ? class->by : WEIR_FLOW };

	each_member (member, class)
		*list_add(plan->arena, &element.values) = NULL;
	each_member (member, class) {
		if (member->kind == WEIR_IS_FIELD)
			plan_declare(plan, &element, member);
		check_default(plan, class, member, at);
	}
	check_handlers(plan, class, at);
	plan_steer_for(plan, &element);
}

int plan_check_module(const struct library *library, const struct module *module, struct diag *diag)
{
	struct graph graph = { .file = module->path };
	struct plan plan = { .arena = diag->arena, .graph = &graph, .library = library, .diag = diag, .workers = 1 };
	struct place at = { .file = module->path };

	for (const struct weir_class *const *class = module->descriptor->classes; *class; class++)
		check_class(&plan, *class, at);
	return diag->errors ? -1 : 0;
}
