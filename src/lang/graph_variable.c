// SPDX-License-Identifier: Apache-2.0
// Which variable is meant: every one that is used is a formal or a definition of the body or of one around it.
// Checked on the text as written, so that each mistake is told once, however often its compound element is used.
#include "lang/graph_expand.h"

enum { MOST_TRIED = 10000 }; // names, to find one that is near

static void suggest(struct syntax *syntax, struct diag_message *message, const struct body *body, const char *name)
{
	struct near near = { .word = name };
	unsigned tried = 0;

	for (; body; body = body->outer) {
		for (uint32_t i = 0; i < body->formals.count && tried < MOST_TRIED; i++, tried++)
			near_try(&near, body->formals.at[i].name);
		for (uint32_t i = 0; i < body->definitions.count && tried < MOST_TRIED; i++, tried++)
			near_try(&near, body->definitions.at[i].name);
	}
	if (near_best(&near))
		fault_hint(&syntax->faults, message, "did you mean $%s?", near_best(&near));
	else
		fault_hint(&syntax->faults, message,
			"define($%s VALUE) or --set %s=VALUE gives it a value; '$' in single quotes is no variable",
			name, name);
}

static void check(struct syntax *syntax, const struct body *body, const char *text, uint32_t length,
	struct place at, bool has_default)
{
	const struct body *around = body;
	const char *name;
	uint32_t found;

	for (; around; around = around->outer) {
		found = names_find(&around->variables, text, length);
		if (found == NAMES_NONE)
			continue;
		if (body_definition(around, found))
			body_definition(around, found)->is_used = true;
		return;
	}
	if (has_default)
		return;
	name = arena_text(syntax->arena, text, length);
	suggest(syntax, fault(&syntax->faults, at, "variable $%s has no value", name), body, name);
}

static void check_argument(struct syntax *syntax, const struct body *body, const struct raw_argument *raw)
{
	const struct piece *piece;

	for (uint32_t i = 0; raw->has_variables && i < raw->pieces.count; i++) {
		piece = &raw->pieces.at[i];
		if (piece->is_variable)
			check(syntax, body, piece->text, piece->length, piece->at, piece->otherwise);
	}
}

static void check_arguments(struct syntax *syntax, const struct body *body, struct raw_arguments *raw)
{
	if (!raw || raw->is_checked)
		return;
	raw->is_checked = true; // shared by `a, b :: Class($x)`
	for (uint32_t i = 0; i < raw->list.count; i++)
		check_argument(syntax, body, &raw->list.at[i]);
}

static void check_body(struct syntax *syntax, const struct body *body)
{
	const struct node *node;

	for (uint32_t i = 0; i < body->definitions.count; i++)
		check_argument(syntax, body, &body->definitions.at[i].value);
	for (uint32_t i = 0; i < body->nodes.count; i++) {
		node = &body->nodes.at[i];
		check_arguments(syntax, body, node->arguments);
		if (node->is_class_variable && node->kind == NODE_ELEMENT)
			check(syntax, body, node->class, (uint32_t)strlen(node->class), node->class_at, false);
	}
}

void variables_check(struct syntax *syntax)
{
	for (uint32_t i = 0; i < syntax->bodies.count; i++)
		check_body(syntax, syntax->bodies.at[i]);
	for (uint32_t i = 0; i < syntax->events.count; i++)
		check_arguments(syntax, syntax->top, &syntax->events.at[i].text);
}

static bool is_variable_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!is_variable_character(*c))
			return false;
	return *name;
}

static bool read_value(struct syntax *syntax, const struct graph_setting *set, struct raw_argument *value)
{
	struct place at = { arena_print(syntax->arena, "--set %s", set->name), 1, 1 };
	struct raw_arguments arguments = { 0 };
	struct lexer lexer = {
		.arena = syntax->arena,
		.faults = &syntax->faults,
		.cursor = { set->value, set->value + strlen(set->value), at, false },
	};

	if (!arguments_scan(&lexer, at, UNTIL_END, false, &arguments))
		return false;
	*value = arguments.list.count ? arguments.list.at[0] : (struct raw_argument){ .at = at };
	value->at = at;
	return true;
}

static void set_one(struct syntax *syntax, const struct graph_setting *set)
{
	struct body *top = syntax->top;
	struct place at = { .file = arena_print(syntax->arena, "--set %s", set->name) };
	struct definition definition = { .name = set->name, .at = at, .is_set = true };
	struct definition *defined;
	uint32_t found;

	if (!is_variable_name(set->name)) {
		fault_hint(&syntax->faults, fault(&syntax->faults, at, "\"%s\" is no name of a variable", set->name),
			"it has letters, digits and \"_\", and is written without \"$\"");
		return;
	}
	if (!read_value(syntax, set, &definition.value))
		definition = (struct definition){ .name = set->name, .at = at, .is_set = true, .is_used = true };
	found = names_add(&top->variables, set->name, strlen(set->name), top->definitions.count);
	if (found == NAMES_NONE) {
		*list_add(syntax->arena, &top->definitions) = definition;
		return;
	}
	defined = body_definition(top, found);
	if (defined->is_set)
		fault(&syntax->faults, at, "variable $%s is set twice", set->name);
	definition.is_used = true;
	*defined = definition;
}

void variables_set(struct syntax *syntax, const struct graph_setting *sets, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		set_one(syntax, &sets[i]);
}

// A mistyped --set must not pass in silence.
void variables_check_sets(struct syntax *syntax)
{
	struct body *top = syntax->top;
	struct diag_message *message;
	struct near near;

	list_each (set, &top->definitions) {
		if (!set->is_set || set->is_used)
			continue;
		message = fault(&syntax->faults, set->at, "this graph uses no variable $%s", set->name);
		near = (struct near){ .word = set->name };
		for (uint32_t i = 0; i < top->definitions.count && i < MOST_TRIED; i++)
			if (top->definitions.at + i != set)
				near_try(&near, top->definitions.at[i].name);
		if (near_best(&near))
			fault_hint(&syntax->faults, message, "did you mean --set %s=VALUE?", near_best(&near));
	}
}
