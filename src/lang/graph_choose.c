// SPDX-License-Identifier: Apache-2.0
// Which of a compound class's bodies a use of it means: the first whose formals take the arguments and whose inputs
// and outputs are those that are connected; if none fits that well, the first that has at least those.
#include "lang/graph_expand.h"

// The value of a keyword argument, `COUNT 3` for COUNT; NULL: another argument
static const char *value_behind(const char *argument, const char *keyword)
{
	size_t length = strlen(keyword);

	if (strncmp(argument, keyword, length) || (argument[length] && argument[length] != ' '))
		return NULL;
	return argument + length + (argument[length] == ' ');
}

enum misfit { FITS, TOO_FEW, TOO_MANY, NO_KEYWORD };

static struct value *keyword_value(const struct body *body, struct value *values, const char *argument)
{
	const char *text;

	for (uint32_t i = 0; i < body->formals.count; i++) {
		if (!body->formals.at[i].keyword || body->formals.at[i].is_rest)
			continue;
		text = value_behind(argument, body->formals.at[i].keyword);
		if (!text || values[i].text)
			continue;
		values[i].text = text;
		return &values[i];
	}
	return NULL;
}

struct rest { // arguments that no formal takes
	LIST(const char *) list;
};

static const char *text_of(struct expansion *expansion, const struct rest *rest)
{
	size_t length = 1;
	char *text, *end;

	for (uint32_t i = 0; i < rest->list.count; i++)
		length += strlen(rest->list.at[i]) + 2;
	text = end = arena_take(expansion->arena, length);
	for (uint32_t i = 0; i < rest->list.count; i++)
		end = stpcpy(stpcpy(end, i ? ", " : ""), rest->list.at[i]);
	return text;
}

static uint32_t count_positional(const struct body *body)
{
	uint32_t count = 0;

	while (count < body->formals.count && !body->formals.at[count].keyword)
		count++;
	return count;
}

// Gives the formals their values; *missing is the first that gets none.
static enum misfit bind(struct expansion *expansion, const struct body *body, const struct argument_list *arguments,
	struct value *values, uint32_t *missing)
{
	uint32_t count = body->formals.count, positional = count_positional(body), next = 0;
	bool has_rest = count && body->formals.at[count - 1].is_rest;
	struct rest rest = { 0 };

	for (uint32_t i = 0; i < arguments->list.count; i++) {
		if (keyword_value(body, values, arguments->list.at[i].text))
			continue;
		if (next < positional)
			values[next++].text = arguments->list.at[i].text;
		else
			*list_add(expansion->arena, &rest.list) = arguments->list.at[i].text;
	}
	if (has_rest)
		values[count - 1] = (struct value){ .text = text_of(expansion, &rest), .is_rest = true };
	for (uint32_t i = 0; i < count; i++) {
		*missing = i;
		if (!values[i].text)
			return body->formals.at[i].keyword ? NO_KEYWORD : TOO_FEW;
		values[i].state = VALUE_KNOWN;
	}
	return rest.list.count && !has_rest ? TOO_MANY : FITS;
}

static bool has_port(const struct names *names, const char *text)
{
	return names_find(names, text, strlen(text)) != NAMES_NONE;
}

// The first port in use that the body does not have; NULL: it has them all
static const struct port *strange_port(const struct names *has, const struct port *ports, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (!has_port(has, ports[i].text))
			return &ports[i];
	return NULL;
}

static bool has_ports(const struct body *body, const struct node *node)
{
	return !strange_port(&body->inputs, node->inputs.at, node->inputs.count) &&
	       !strange_port(&body->outputs, node->outputs.at, node->outputs.count);
}

static bool has_just_ports(const struct body *body, const struct node *node)
{
	return body->inputs.count == node->inputs.count && body->outputs.count == node->outputs.count &&
	       has_ports(body, node);
}

static const char *name_of(struct expansion *expansion, const struct node *node, const struct class *class)
{
	if (!class->name)
		return node->name ? arena_print(expansion->arena, "\"%s\"", node->name) : "this compound element";
	if (!node->name)
		return arena_print(expansion->arena, "class \"%s\"", class->name);
	return arena_print(expansion->arena, "\"%s\" of class \"%s\"", node->name, class->name);
}

static const char *list_of(struct expansion *expansion, const struct body *body, const char *side)
{
	const struct node *tunnel = &body->nodes.at[*side == 'i' ? body->input : body->output];
	const struct port *ports = *side == 'i' ? tunnel->outputs.at : tunnel->inputs.at;
	uint32_t count = *side == 'i' ? tunnel->outputs.count : tunnel->inputs.count;
	const char *text = count ? ports[0].text : "none";

	for (uint32_t i = 1; i < count && i < 16; i++)
		text = arena_print(expansion->arena, "%s, %s", text, ports[i].text);
	return count > 16 ? arena_print(expansion->arena, "%s, ...", text) : text;
}

static void refuse_ports(struct expansion *expansion, struct node *node, const struct class *class,
	const struct body *body)
{
	const struct port *input = strange_port(&body->inputs, node->inputs.at, node->inputs.count);
	const struct port *output = strange_port(&body->outputs, node->outputs.at, node->outputs.count);
	const char *name = name_of(expansion, node, class);

	if (input)
		fault_hint(expansion->faults,
			fault(expansion->faults, input->at, "%s has no input %s", name, input->text),
			"its inputs: %s", list_of(expansion, body, "input"));
	if (output)
		fault_hint(expansion->faults,
			fault(expansion->faults, output->at, "%s has no output %s", name, output->text),
			"its outputs: %s", list_of(expansion, body, "output"));
}

static const char *signature_of(struct expansion *expansion, const struct body *body)
{
	const char *text = "(";
	const struct formal *formal;

	for (uint32_t i = 0; i < body->formals.count && i < 16; i++) {
		formal = &body->formals.at[i];
		text = arena_print(expansion->arena, "%s%s%s%s$%s", text, i ? ", " : "",
			formal->keyword ? formal->keyword : "", formal->keyword ? " " : "", formal->name);
	}
	return arena_print(expansion->arena, "%s)", text);
}

static void refuse_arguments(struct expansion *expansion, struct node *node, const struct class *class,
	const struct body *body, enum misfit misfit, uint32_t missing, uint32_t given)
{
	const char *name = name_of(expansion, node, class);
	struct diag_message *message;

	if (misfit == NO_KEYWORD)
		message = fault(expansion->faults, node->at, "%s needs an argument \"%s\"", name,
			body->formals.at[missing].keyword);
	else if (misfit == TOO_FEW)
		message = fault(expansion->faults, node->at, "%s needs an argument for $%s", name,
			body->formals.at[missing].name);
	else
		message = fault(expansion->faults, node->at, "%s takes at most %u argument%s, not %u", name,
			body->formals.count, body->formals.count == 1 ? "" : "s", given);
	fault_hint(expansion->faults, message, "it takes %s", signature_of(expansion, body));
}

static void refuse_all(struct expansion *expansion, struct node *node, const struct class *class,
	const struct argument_list *arguments)
{
	const char *text = "";
	unsigned told = 0;
	struct diag_message *message = fault(expansion->faults, node->at,
		"no definition of %s takes %u argument%s with %u input%s and %u output%s",
		name_of(expansion, node, class), arguments->list.count, arguments->list.count == 1 ? "" : "s",
		node->inputs.count, node->inputs.count == 1 ? "" : "s", node->outputs.count,
		node->outputs.count == 1 ? "" : "s");

	for (; class && told < 8; class = class->is_extension ? class->base : NULL)
		for (uint32_t i = 0; i < class->bodies.count && told < 8; i++, told++)
			text = arena_print(expansion->arena, "%s%s%s with %u and %u", text, told ? ", " : "",
				signature_of(expansion, class->bodies.at[i]), class->bodies.at[i]->inputs.count,
				class->bodies.at[i]->outputs.count);
	fault_hint(expansion->faults, message, "it is defined as %s", text);
}

// One pass over the bodies of a class and of those that it extends
static bool search(struct expansion *expansion, struct node *node, const struct class *class,
	const struct argument_list *arguments, bool is_exact, struct choice *choice)
{
	const struct body *body;
	uint32_t missing;

	for (; class; class = class->is_extension ? class->base : NULL) {
		for (uint32_t i = 0; i < class->bodies.count; i++) {
			body = class->bodies.at[i];
			if (!expansion_step(expansion, node->at, 1 + node->inputs.count + node->outputs.count +
								 body->definitions.count + arguments->list.count))
				return false;
			if (is_exact ? !has_just_ports(body, node) : !has_ports(body, node))
				continue;
			*choice = (struct choice){ class, NULL, body, values_create(expansion, body), false };
			if (bind(expansion, body, arguments, choice->values, &missing) == FITS)
				return true;
		}
		if (class->is_extension && !class->base) {
			*choice = (struct choice){ .name = class->base_name };
			return true;
		}
	}
	return false;
}

static bool is_only_one(const struct class *class)
{
	return class->bodies.count == 1 && !class->is_extension;
}

// Says all that is wrong where there is no choice.
static struct choice take_only(struct expansion *expansion, struct node *node, const struct class *class,
	const struct argument_list *arguments)
{
	const struct body *body = class->bodies.at[0];
	struct choice choice = { class, NULL, body, values_create(expansion, body), false };
	uint32_t missing = 0;
	enum misfit misfit = bind(expansion, body, arguments, choice.values, &missing);

	choice.is_wrong = misfit != FITS || !has_ports(body, node);
	if (!choice.is_wrong || node->is_blamed)
		return choice;
	node->is_blamed = true;
	if (misfit != FITS)
		refuse_arguments(expansion, node, class, body, misfit, missing, arguments->list.count);
	refuse_ports(expansion, node, class, body);
	return choice;
}

struct choice choose(struct expansion *expansion, struct node *node, const struct class *class,
	const struct argument_list *arguments)
{
	struct choice choice = { 0 };

	node->is_blamed |= class->is_broken;
	if (is_only_one(class))
		return take_only(expansion, node, class, arguments);
	if (search(expansion, node, class, arguments, true, &choice) ||
	    search(expansion, node, class, arguments, false, &choice))
		return choice;
	if (!node->is_blamed && !expansion->is_over)
		refuse_all(expansion, node, class, arguments);
	node->is_blamed = true;
	return (struct choice){ .is_wrong = true };
}
