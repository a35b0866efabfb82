// SPDX-License-Identifier: Apache-2.0
// From names and numbers of inputs and outputs to nodes. Every output leads to one input at most; required ones lead
// somewhere.
#include "plan/internal.h"

#include <ctype.h>
#include <stdlib.h>

enum end { INPUT, OUTPUT };

static const char *const *names_of(const struct plan_element *element, enum end end)
{
	return end == INPUT ? element->class->inputs : element->class->outputs;
}

static unsigned count_of(const struct plan_element *element, enum end end)
{
	return end == INPUT ? element->input_count : element->output_count;
}

// the name of the n-th, without the mark of an optional one; "" if it has none
static const char *name_of(struct plan *plan, const struct plan_element *element, enum end end, unsigned n)
{
	const char *const *names = names_of(element, end);

	for (unsigned i = 0; names && names[i]; i++)
		if (i == n)
			return arena_text(plan->arena, names[i], strcspn(names[i], "?"));
	return "";
}

static bool is_optional(const struct plan_element *element, enum end end, unsigned n)
{
	const char *const *names = names_of(element, end);

	for (unsigned i = 0; names && names[i]; i++)
		if (i == n)
			return strchr(names[i], '?');
	return false;
}

static void no_such_name(struct plan *plan, const struct plan_element *element, enum end end,
	const char *text, struct place at)
{
	const char *const *names = names_of(element, end);
	struct near near = { .word = text };
	struct diag_message *message = diag_error(plan->diag, at, "%s (%s) has no %s \"%s\"",
		element->name, element->class->name, end == INPUT ? "input" : "output", text);
	const char *all = "";

	for (unsigned i = 0; names && names[i]; i++) {
		const char *name = name_of(plan, element, end, i);

		near_try(&near, name);
		all = *name ? arena_print(plan->arena, "%s%s\"%s\"", all, *all ? ", " : "", name) : all;
	}
	if (near_best(&near) && *near_best(&near))
		diag_hint(plan->diag, message, "did you mean \"%s\"?", near_best(&near));
	else if (*all)
		diag_hint(plan->diag, message, "there are %s", all);
}

static bool number_of(struct plan *plan, const struct plan_element *element, enum end end,
	const char *text, struct place at, unsigned *number)
{
	unsigned count = count_of(element, end);

	*number = text ? (unsigned)strtoul(text, NULL, 10) : 0;
	if (text && !isdigit((unsigned char)*text)) {
		for (unsigned i = 0; i < count; i++)
			if (!strcmp(name_of(plan, element, end, i), text)) {
				*number = i;
				return true;
			}
		no_such_name(plan, element, end, text, at);
		return false;
	}
	if (*number < count)
		return true;
	if (!count)
		diag_error(plan->diag, at, "%s (%s) has no %ss", element->name,
			element->class->name, end == INPUT ? "input" : "output");
	else
		diag_error(plan->diag, at, "%s (%s) has no %s %u; it has %u, numbered from 0",
			element->name, element->class->name, end == INPUT ? "input" : "output",
			*number, count);
	return false;
}

void plan_create_nodes(struct plan *plan, struct plan_element *element)
{
	for (unsigned i = 0; i < element->input_count; i++) {
		struct plan_node *node = arena_new(plan->arena, struct plan_node);

		node->element = element;
		node->input = i;
		node->order = PLAN_NOWHERE;
		node->paths = element->class->paths ? element->class->paths[i] : ~(uint64_t)0;
		*list_add(plan->arena, &element->nodes) = node;
	}
	element->outputs = arena_array(plan->arena, struct plan_output, element->output_count + 1);
	for (unsigned i = 0; i < element->output_count; i++) {
		element->outputs[i].name = name_of(plan, element, OUTPUT, i);
		element->outputs[i].is_optional = is_optional(element, OUTPUT, i);
	}
}

static void connect(struct plan *plan, const struct graph_edge *edge)
{
	struct plan_element *from = plan->elements.at[edge->from], *to = plan->elements.at[edge->to];
	struct plan_output *output;
	unsigned out, in;
	bool has_output = number_of(plan, from, OUTPUT, edge->output, edge->output_at, &out);
	bool has_input = number_of(plan, to, INPUT, edge->input, edge->input_at, &in);

	if (!has_output || !has_input)
		return;
	output = &from->outputs[out];
	if (output->to) {
		diag_hint(plan->diag,
			diag_error(plan->diag, edge->at,
				"output %u of %s already leads to %s (line %u)", out, from->name,
				output->to->element->name, output->at.line),
			"Tee sends copies to several");
		return;
	}
	output->to = to->nodes.at[in];
	output->at = edge->at;
	*list_add(plan->arena, &output->to->fronts) = from;
}

static void check_outputs(struct plan *plan, const struct plan_element *element)
{
	for (unsigned i = 0; i < element->output_count; i++) {
		const struct plan_output *output = &element->outputs[i];
		struct diag_message *message;

		if (output->to || output->is_optional)
			continue;
		message = diag_error(plan->diag, element->syntax->at, "output %u%s%s of %s (%s) leads nowhere", i,
				     *output->name ? " " : "", output->name, element->name, element->class->name);
		diag_hint(plan->diag, message, "connect it; Discard drops what comes");
	}
}

static void check_inputs(struct plan *plan, const struct plan_element *element)
{
	list_each (node, &element->nodes)
		if (!is_optional(element, INPUT, (*node)->input) && !(*node)->fronts.count)
			diag_hint(plan->diag,
				diag_error(plan->diag, element->syntax->at,
					"nothing leads to input %u of %s (%s)", (*node)->input,
					element->name, element->class->name),
				"connect it; Idle sends nothing");
}

void plan_edges(struct plan *plan)
{
	list_each (element, &plan->elements)
		plan_create_nodes(plan, *element);
	list_each (edge, &plan->graph->edges)
		connect(plan, edge);
	if (plan->diag->errors) // what is open may be open for that
		return;
	list_each (element, &plan->elements) {
		check_outputs(plan, *element);
		check_inputs(plan, *element);
	}
}
