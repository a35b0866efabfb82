// SPDX-License-Identifier: Apache-2.0
// Elements and wires of all instances, flat. An instance inside another is a call deeper, at most GRAPH_DEEPEST.
#include "lang/graph_expand.h"

void expansion_stop(struct expansion *expansion, struct place at, const char *format, ...)
{
	const char *text;
	va_list args;

	if (expansion->is_over)
		return;
	va_start(args, format);
	text = arena_vprint(expansion->arena, format, args);
	va_end(args);
	fault(expansion->faults, at, "%s", text);
	expansion->is_over = true;
}

bool expansion_step(struct expansion *expansion, struct place at, uint64_t steps)
{
	expansion->steps += steps;
	if (expansion->steps > MOST_STEPS)
		expansion_stop(expansion, at, "the compound elements of this graph branch too much to be expanded");
	return !expansion->is_over;
}

static uint32_t add_vertex(struct expansion *expansion, uint32_t element, struct place at)
{
	if (expansion->graph->elements.count > GRAPH_MOST_ELEMENTS || expansion->vertices.count >= MOST_VERTICES)
		expansion_stop(expansion, at, "this graph expands to more than %d elements", GRAPH_MOST_ELEMENTS);
	*list_add(expansion->arena, &expansion->vertices) = (struct vertex){ element };
	return expansion->vertices.count - 1;
}

// Of a name's last part, whether it was made up: `Class@3`
static bool is_made_up(const char *name)
{
	const char *slash = strrchr(name, '/'), *part = slash ? slash + 1 : name, *sign = strrchr(part, '@');

	return sign && sign[1] && strspn(sign + 1, "0123456789") == strlen(sign + 1);
}

static bool is_taken(const struct expansion *expansion, const struct instance *instance, const char *name)
{
	const char *inside = name + strlen(instance->prefix);

	return names_find(&expansion->graph->names, name, strlen(name)) != NAMES_NONE ||
	       names_find(&instance->body->elements, inside, strlen(inside)) != NAMES_NONE;
}

// As in Click, an element without a name is called by its class and by how many stand before it.
static const char *name_of(struct expansion *expansion, const struct instance *instance, const struct node *node,
	const char *class)
{
	const char *name;

	if (node->name)
		return arena_print(expansion->arena, "%s%s", instance->prefix, node->name);
	name = arena_print(expansion->arena, "%s%s@%u", instance->prefix, class, node->number);
	while (is_taken(expansion, instance, name))
		name = arena_print(expansion->arena, "%s%s@%u", instance->prefix, class,
			instance->body->element_count + ++expansion->spare);
	return name;
}

static void add_element(struct expansion *expansion, const struct node *node, const char *name, const char *class,
	const struct argument_list *arguments)
{
	struct graph *graph = expansion->graph;
	uint32_t first = names_add(&graph->names, name, strlen(name), graph->elements.count);
	struct graph_element *element = list_add(expansion->arena, &graph->elements);
	struct diag_message *message;

	*element = (struct graph_element){
		.name = name,
		.class = class,
		.at = node->at,
		.class_at = node->class_at,
		.is_anonymous = is_made_up(name),
		.is_bare = node->is_bare,
		.is_in_own_class = node->is_in_own_class,
	};
	element->arguments.at = arguments->list.at;
	element->arguments.count = element->arguments.room = arguments->list.count;
	if (first == NAMES_NONE || !strchr(name, '/')) // what is declared twice was told
		return;
	message = fault(expansion->faults, node->at, "there are two elements \"%s\"", name);
	fault_hint(expansion->faults, message, "one is inside a compound element; the other is declared at %s",
		place_text(expansion->arena, graph->elements.at[first].at, node->at));
}

struct named_class {
	const char *name; // as written
	const struct class *compound;
};

// A variable holds the name of a class: the one that is visible where the variable is used.
static struct named_class class_in_variable(struct expansion *expansion, const struct instance *instance,
	struct node *node)
{
	const char *name = variable_text(expansion, instance, node->class);
	const struct class *class = node->visible;
	bool is_name = is_class_name(name);

	if (!is_name && !node->is_blamed) {
		node->is_blamed = true;
		fault(expansion->faults, node->class_at, "the value of $%s, \"%s\", is no name of a class",
			node->class, name);
	}
	while (class && strcmp(class->name, name) && expansion_step(expansion, node->class_at, 1))
		class = class->older;
	return (struct named_class){ is_name ? name : "none", class };
}

// The instance in which a class is defined; its variables are what the class's bodies see.
static const struct instance *home_of(const struct instance *instance, const struct class *class)
{
	while (instance->body != class->home)
		instance = instance->outer;
	return instance;
}

static struct tunnels expand_body(struct expansion *expansion, const struct instance *instance);

static void warn_unconnected(struct expansion *expansion, const struct node *node, const struct body *body)
{
	struct diag *diag = expansion->faults->diag;
	const struct node *tunnel;
	struct names used;

	names_init(&used, expansion->arena);
	for (uint32_t i = 0; i < node->inputs.count; i++)
		names_add(&used, node->inputs.at[i].text, strlen(node->inputs.at[i].text), 0);
	tunnel = &body->nodes.at[body->input];
	for (uint32_t i = 0; i < tunnel->outputs.count; i++)
		if (names_find(&used, tunnel->outputs.at[i].text, strlen(tunnel->outputs.at[i].text)) == NAMES_NONE)
			diag_warn(diag, node->at, "input %s of this compound element is not connected",
				tunnel->outputs.at[i].text);
	names_init(&used, expansion->arena);
	for (uint32_t i = 0; i < node->outputs.count; i++)
		names_add(&used, node->outputs.at[i].text, strlen(node->outputs.at[i].text), 0);
	tunnel = &body->nodes.at[body->output];
	for (uint32_t i = 0; i < tunnel->inputs.count; i++)
		if (names_find(&used, tunnel->inputs.at[i].text, strlen(tunnel->inputs.at[i].text)) == NAMES_NONE)
			diag_warn(diag, node->at, "output %s of this compound element is not connected",
				tunnel->inputs.at[i].text);
}

static struct tunnels expand_compound(struct expansion *expansion, const struct instance *instance,
	struct node *node, const char *name, const struct choice *choice)
{
	struct instance inside = {
		.body = choice->body,
		.outer = home_of(instance, choice->class),
		.prefix = arena_print(expansion->arena, "%s/", name),
		.values = choice->values,
		.depth = instance->depth + 1,
	};

	if (inside.depth > GRAPH_DEEPEST)
		expansion_stop(expansion, node->at, "compound elements stand more than %d deep in one another",
			GRAPH_DEEPEST);
	if (!node->is_blamed && (node->inputs.count != choice->body->inputs.count ||
				 node->outputs.count != choice->body->outputs.count))
		warn_unconnected(expansion, node, choice->body);
	node->is_blamed = true; // once is enough
	return expansion->is_over ? (struct tunnels){ 0 } : expand_body(expansion, &inside);
}

static struct tunnels expand_node(struct expansion *expansion, const struct instance *instance, struct node *node)
{
	struct named_class class = { node->class, node->compound };
	struct choice choice = { 0 };
	struct argument_list arguments = { 0 };
	const char *name;
	uint32_t vertex;

	if (node->is_class_variable)
		class = class_in_variable(expansion, instance, node);
	arguments_of(expansion, instance, node->arguments, &arguments);
	name = name_of(expansion, instance, node, class.name);
	if (class.compound && class.compound->is_synonym)
		class = (struct named_class){ class.compound->base_name, class.compound->base };
	if (class.compound && !expansion->is_over)
		choice = choose(expansion, node, class.compound, &arguments);
	if (choice.class && !choice.is_wrong)
		return expand_compound(expansion, instance, node, name, &choice);
	vertex = add_vertex(expansion, choice.is_wrong ? NAMES_NONE : expansion->graph->elements.count, node->at);
	if (!choice.is_wrong && !expansion->is_over)
		add_element(expansion, node, name, choice.name ? choice.name : class.name, &arguments);
	return (struct tunnels){ vertex, vertex };
}

static void add_wires(struct expansion *expansion, const struct body *body, const struct tunnels *ends)
{
	const struct wire *wire;

	for (uint32_t i = 0; i < body->wires.count && !expansion->is_over; i++) {
		wire = &body->wires.at[i];
		if (expansion->wires.count >= GRAPH_MOST_EDGES)
			expansion_stop(expansion, wire->at, "this graph expands to more than %d connections",
				GRAPH_MOST_EDGES);
		*list_add(expansion->arena, &expansion->wires) = (struct flat_wire){
			.from = ends[wire->from].out, .to = ends[wire->to].in, .wire = wire, .seen = NAMES_NONE };
	}
}

static struct tunnels expand_body(struct expansion *expansion, const struct instance *instance)
{
	const struct body *body = instance->body;
	struct tunnels *ends = arena_array(expansion->arena, struct tunnels, body->nodes.count);
	uint32_t vertex;

	for (uint32_t i = 0; i < body->nodes.count && !expansion->is_over; i++) {
		if (body->nodes.at[i].kind == NODE_ELEMENT) {
			ends[i] = expand_node(expansion, instance, &body->nodes.at[i]);
		} else if (body->nodes.at[i].kind == NODE_TUNNEL) {
			vertex = add_vertex(expansion, NAMES_NONE, body->nodes.at[i].at);
			ends[i] = (struct tunnels){ vertex, vertex };
		}
	}
	add_wires(expansion, body, ends);
	if (body->input == NAMES_NONE)
		return (struct tunnels){ 0 };
	return (struct tunnels){ ends[body->input].in, ends[body->output].out };
}

void expand(struct expansion *expansion)
{
	struct syntax *syntax = expansion->syntax;
	struct instance top = {
		.body = syntax->top,
		.prefix = "",
		.values = values_create(expansion, syntax->top),
	};

	expand_body(expansion, &top);
	join(expansion);
	list_each (event, &syntax->events)
		read_event(expansion, &top, event);
}
