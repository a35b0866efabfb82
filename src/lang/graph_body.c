// SPDX-License-Identifier: Apache-2.0
// Bodies: what stands between two braces, or in the file. Which element each name means is settled when a body has
// been read whole, because a connection may name an element that is declared further down.
#include "lang/graph_parser.h"

struct body *body_create(struct parser *parser, struct body *outer, struct place at)
{
	struct body *body = arena_new(parser->arena, struct body);

	body->outer = outer;
	body->at = at;
	body->input = body->output = NAMES_NONE;
	body->youngest = outer ? outer->youngest : NULL;
	*list_add(parser->arena, &parser->syntax->bodies) = body;
	names_init(&body->elements, parser->arena);
	names_init(&body->class_names, parser->arena);
	names_init(&body->variables, parser->arena);
	return body;
}

struct node *body_add(struct parser *parser, enum node_kind kind, struct place at)
{
	struct body *body = parser->body;
	struct node *node = list_add(parser->arena, &body->nodes);

	*node = (struct node){ .kind = kind, .at = at, .class_at = at, .is = body->nodes.count - 1 };
	return node;
}

uint32_t body_add_tunnel(struct parser *parser, struct place at, bool is_output)
{
	struct node *node = body_add(parser, NODE_TUNNEL, at);

	node->is_output = is_output;
	return node->is;
}

void body_declare(struct parser *parser, uint32_t node, const char *name)
{
	struct body *body = parser->body;
	struct node *new = &body->nodes.at[node];
	uint32_t first = names_add(&body->elements, name, strlen(name), node);
	struct place at;

	new->kind = NODE_ELEMENT;
	new->name = name;
	new->is_bare = false;
	if (first == NAMES_NONE)
		return;
	at = body->nodes.at[first].at;
	fault_hint(parser->faults, fault(parser->faults, new->at, "element \"%s\" is declared twice", name),
		"the first is at %s", place_text(parser->arena, at, new->at));
}

bool body_define(struct parser *parser, struct body *body, const char *name, struct place at)
{
	uint32_t next = body->formals.count + body->definitions.count;
	uint32_t first = names_add(&body->variables, name, strlen(name), next);
	struct place first_at;

	if (first == NAMES_NONE)
		return true;
	first_at = body_formal(body, first) ? body_formal(body, first)->at : body_definition(body, first)->at;
	fault_hint(parser->faults, fault(parser->faults, at, "variable $%s is defined twice", name),
		"the first is at %s", place_text(parser->arena, first_at, at));
	return false;
}

struct formal *body_formal(const struct body *body, uint32_t variable)
{
	return variable < body->formals.count ? &body->formals.at[variable] : NULL;
}

struct definition *body_definition(const struct body *body, uint32_t variable)
{
	return variable < body->formals.count ? NULL : &body->definitions.at[variable - body->formals.count];
}

struct class *body_class(const struct body *body, const char *name)
{
	uint32_t found;

	for (; body; body = body->outer) {
		found = names_find(&body->class_names, name, strlen(name));
		if (found != NAMES_NONE)
			return body->classes.at[found];
	}
	return NULL;
}

const char *ordinary(const char *text)
{
	return text ? text : "0";
}

// `q(3)` where q is an element: its arguments belong to its declaration.
static void check_arguments(struct parser *parser, struct body *body, const struct node *node)
{
	uint32_t declared = names_find(&body->elements, node->class, strlen(node->class));

	struct diag_message *message;

	if (node->name || !node->has_arguments || node->is_class_variable || node->compound ||
	    declared == NAMES_NONE)
		return;
	if (!strcmp(ordinary(body->nodes.at[declared].class), node->class))
		return;
	message = fault(parser->faults, node->at, "\"%s\" is an element and takes no arguments here", node->class);
	fault_hint(parser->faults, message, "they belong to its declaration at %s",
		place_text(parser->arena, body->nodes.at[declared].at, node->at));
}

// A bare name means the element of that name, wherever the body declares it, else a new element of that class.
static void resolve(struct parser *parser, struct body *body, struct node *node)
{
	uint32_t declared = names_find(&body->elements, node->class, strlen(node->class));
	struct diag_message *message;

	if (declared != NAMES_NONE) {
		node->is = declared;
		return;
	}
	node->kind = NODE_ELEMENT;
	if (!strchr(node->class, '/') || node->compound)
		return;
	message = fault(parser->faults, node->at, "no element \"%s\" is declared", node->class);
	fault_hint(parser->faults, message,
		"connections cannot reach into a compound element: give it an input or output");
}

static void add_port(struct parser *parser, struct names *used, struct node *node, bool is_input,
	const struct port *port)
{
	const char *text = ordinary(port->text);
	const char *key = arena_print(parser->arena, "%u%c%s", node->is, is_input ? '<' : '>', text);
	struct port *new;

	if (names_add(used, key, strlen(key), 0) != NAMES_NONE)
		return;
	new = is_input ? list_add(parser->arena, &node->inputs) : list_add(parser->arena, &node->outputs);
	*new = (struct port){ text, port->at };
}

static bool needs_ports(const struct node *node)
{
	return node->kind == NODE_TUNNEL || node->compound || node->is_class_variable;
}

static void gather_ports(struct parser *parser, struct body *body)
{
	struct node *from, *to;
	struct names used;

	names_init(&used, parser->arena);
	list_each (wire, &body->wires) {
		wire->from = body->nodes.at[wire->from].is;
		wire->to = body->nodes.at[wire->to].is;
		from = &body->nodes.at[wire->from];
		to = &body->nodes.at[wire->to];
		if (needs_ports(from))
			add_port(parser, &used, from, false, &wire->output);
		if (needs_ports(to))
			add_port(parser, &used, to, true, &wire->input);
	}
}

void body_finish(struct parser *parser, struct body *body)
{
	list_each (node, &body->nodes) {
		if (node->kind == NODE_MENTION)
			resolve(parser, body, node);
		else if (node->kind == NODE_ELEMENT)
			check_arguments(parser, body, node);
		if (node->kind == NODE_ELEMENT)
			node->number = ++body->element_count;
	}
	gather_ports(parser, body);
	body_check_tunnels(parser, body);
}
