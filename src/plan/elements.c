// SPDX-License-Identifier: Apache-2.0
// From names of classes to elements with their settings: requires, classes, settings, `start`.
#include "plan/internal.h"
#include "plan/start.h"

#include "plan/settings.h"

#include <ctype.h>
#include <stdlib.h>

// ---- require(module nat >= 1.2)

static int compare_versions(const char *a, const char *b)
{
	while (*a || *b) {
		unsigned long x = strtoul(a, (char **)&a, 10), y = strtoul(b, (char **)&b, 10);

		if (x != y)
			return x < y ? -1 : 1;
		a += strcspn(a, "0123456789");
		b += strcspn(b, "0123456789");
	}
	return 0;
}

static bool is_version_fit(enum graph_version compare, int order)
{
	switch (compare) {
	case GRAPH_EQUAL:
		return order == 0;
	case GRAPH_AT_LEAST:
		return order >= 0;
	case GRAPH_AT_MOST:
		return order <= 0;
	case GRAPH_ABOVE:
		return order > 0;
	case GRAPH_BELOW:
		return order < 0;
	default:
		return true;
	}
}

static void check_require(struct plan *plan, const struct graph_require *require)
{
	const struct module *module = library_module(plan->library, require->module.text);
	struct near near = { .word = require->module.text };
	struct diag_message *message;

	if (!module) {
		message = diag_error(
			plan->diag, require->module.at, "there is no module \"%s\"", require->module.text);
		list_each (one, &plan->library->modules)
			near_try(&near, one->descriptor->name);
		if (near_best(&near))
			diag_hint(plan->diag, message, "did you mean \"%s\"?", near_best(&near));
		return;
	}
	if (require->compare == GRAPH_ANY_VERSION ||
	    is_version_fit(require->compare, compare_versions(module->descriptor->version, require->version.text)))
		return;
	diag_error(plan->diag, require->version.at,
		"module \"%s\" is here in version %s, which is not the one required",
		module->descriptor->name, module->descriptor->version);
}

// ---- classes

static void unknown_class(struct plan *plan, const struct graph_element *syntax)
{
	struct diag_message *message;
	struct near near = { .word = syntax->class };

	if (syntax->is_bare)
		message = diag_error(plan->diag, syntax->class_at,
			"\"%s\" is neither an element declared here nor a class", syntax->class);
	else
		message = diag_error(plan->diag, syntax->class_at, "there is no element class \"%s\"", syntax->class);
	if (syntax->is_bare)
		list_each (element, &plan->graph->elements)
			if (!element->is_anonymous)
				near_try(&near, element->name);
	list_each (one, &plan->library->modules)
		for (const struct weir_class *const *class = one->descriptor->classes; *class; class++)
			near_try(&near, (*class)->name);
	if (near_best(&near))
		diag_hint(plan->diag, message, "did you mean \"%s\"?", near_best(&near));
	else
		diag_hint(plan->diag, message, "`weir modules` lists what there is");
}

static unsigned count_names(const char *const *names)
{
	unsigned count = 0;

	while (names[count])
		count++;
	return count;
}

static void count_ends(const struct plan *plan, struct plan_element *element)
{
	const struct weir_class *class = element->class;
	unsigned inputs = 0, outputs = 0;

	list_each (edge, &plan->graph->edges) {
		if (edge->to == element->index && edge->input && isdigit((unsigned char)*edge->input))
			inputs = inputs > strtoul(edge->input, NULL, 10) + 1
				? inputs
				: (unsigned)strtoul(edge->input, NULL, 10) + 1;
		if (edge->from == element->index && edge->output && isdigit((unsigned char)*edge->output))
			outputs = outputs > strtoul(edge->output, NULL, 10) + 1
				? outputs
				: (unsigned)strtoul(edge->output, NULL, 10) + 1;
	}
	element->input_count = class->no_inputs ? 0 : class->inputs ? count_names(class->inputs) : 1;
	element->output_count = class->no_outputs ? 0 : class->outputs ? count_names(class->outputs) : 1;
	if (class->many_inputs && inputs > element->input_count)
		element->input_count = inputs;
	if (class->many_outputs && outputs > element->output_count)
		element->output_count = outputs;
}

static unsigned count_members(const struct weir_class *class)
{
	unsigned count = 0;

	each_member (member, class)
		count++;
	return count;
}

struct plan_element *plan_add_element(struct plan *plan, const struct graph_element *syntax)
{
	struct plan_element *element = arena_new(plan->arena, struct plan_element);
	unsigned members;

	element->name = syntax->name;
	element->syntax = syntax;
	element->index = plan->elements.count;
	element->home = PLAN_NOWHERE;
	*list_add(plan->arena, &plan->elements) = element;
	element->class = library_class(plan->library, syntax->class, &element->module);
	if (!element->class) {
		unknown_class(plan, syntax);
		return element;
	}
	members = count_members(element->class);
	element->by = element->class->by ? element->class->by : WEIR_FLOW;
	element->prototype = arena_take(plan->arena, element->class->self_size + 64);
	element->places = arena_array(plan->arena, struct place, members + 1);
	for (unsigned i = 0; i < members; i++)
		*list_add(plan->arena, &element->values) = NULL;
	count_ends(plan, element);
	if (settings_fill(plan->arena, element->class, syntax, element->prototype, element->places, plan->diag))
		plan_start(plan, element);
	return element;
}

void plan_elements(struct plan *plan)
{
	list_each (require, &plan->graph->requires)
		check_require(plan, require);
	list_each (syntax, &plan->graph->elements)
		plan_add_element(plan, syntax);
	if (!plan->graph->elements.count)
		diag_error(plan->diag, (struct place){ .file = plan->graph->file }, "the graph has no elements");
}
