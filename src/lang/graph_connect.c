// SPDX-License-Identifier: Apache-2.0
// Connections: a -> b [1] => c, d; and the elements that are declared in passing. A hop is what stands between two
// arrows: one element or several, each with the inputs written before it and the outputs written behind it.
#include "lang/graph_parser.h"

#include <stdlib.h>

struct ports {
	LIST(struct port) list;
};

struct end {
	uint32_t in, out; // node where wires arrive and leave; they differ for a group
	struct ports inputs, outputs;
	struct place at;
	bool is_group, is_declared;
	uint32_t first_wire, past_wire; // of a group: those inside
};

// Most hops and their sides are short: what they usually need is on the stack, where list_add finds it.
enum { USUAL_ENDS = 4, USUAL_PORTS = 4, USUAL_CONTACTS = 4 };

struct hop {
	LIST(struct end) ends;
	struct end usual[USUAL_ENDS];
};

static void hop_clear(struct hop *hop)
{
	hop->ends.at = hop->usual;
	hop->ends.count = 0;
	hop->ends.room = USUAL_ENDS;
}

struct arrow {
	bool is_fat;
	struct place at;
};

static const char *port_text(struct parser *parser)
{
	unsigned long number;
	char *text = word_of(parser);

	if (strspn(text, "0123456789") != strlen(text)) {
		if (!strpbrk(text, "/@") && (*text < '0' || *text > '9'))
			return text;
		fault(parser->faults, parser->token.at, "\"%s\" cannot name an input or output", text);
		return NULL;
	}
	text += strspn(text, "0");
	number = strlen(text) > 5 ? 99999 : strtoul(*text ? text : "0", NULL, 10);
	if (number <= 65535)
		return *text ? text : "0";
	fault(parser->faults, parser->token.at, "inputs and outputs are numbered up to 65535, not %s", text);
	return NULL;
}

// [0] [1, 2] [denied]
static bool parse_ports(struct parser *parser, struct ports *ports)
{
	struct port usual[USUAL_PORTS];
	struct ports found = { .list = { .at = usual, .room = USUAL_PORTS } };
	const char *text;

	advance(parser);
	do {
		if (parser->token.kind != TOKEN_NAME)
			return expect(parser, TOKEN_NAME, "or a number of an input or output");
		text = port_text(parser);
		if (!text)
			return false;
		*list_add(parser->arena, &found.list) = (struct port){ text, parser->token.at };
		advance(parser);
	} while (accept_token(parser, TOKEN_COMMA));
	ports->list.count = ports->list.room = found.list.count;
	ports->list.at = arena_array(parser->arena, struct port, found.list.count);
	memcpy(ports->list.at, found.list.at, found.list.count * sizeof(*usual));
	return expect(parser, TOKEN_BRACKET_END, "behind an input or output");
}

static bool is_inside_own_class(const struct parser *parser, const char *class)
{
	for (const struct defining *defining = parser->defining; defining; defining = defining->outer)
		if (defining->name && !strcmp(defining->name, class))
			return true;
	return false;
}

// The class at hand: a name, a variable that holds one, or a compound element on the spot
static bool parse_class(struct parser *parser, uint32_t index)
{
	struct node *node = &parser->body->nodes.at[index];
	struct place at = parser->token.at;
	struct class *compound;

	node->class_at = at;
	node->visible = parser->body->youngest;
	if (accept_token(parser, TOKEN_BRACE)) {
		compound = parse_compound(parser, NULL, at);
		node = &parser->body->nodes.at[index];
		node->class = "";
		node->compound = compound;
		return compound;
	}
	node->is_class_variable = parser->token.kind == TOKEN_VARIABLE;
	if (!node->is_class_variable && !check_name(parser, "a class")) {
		accept_token(parser, TOKEN_NAME);
		return false;
	}
	node->class = word_of(parser);
	if (!node->is_class_variable)
		node->compound = body_class(parser->body, node->class);
	node->is_in_own_class = !node->compound && is_inside_own_class(parser, node->class);
	advance(parser);
	return true;
}

static bool parse_arguments(struct parser *parser, uint32_t index)
{
	struct raw_arguments *arguments = arena_new(parser->arena, struct raw_arguments);
	struct node *node = &parser->body->nodes.at[index];
	struct place open = parser->token.at;

	if (parser->token.kind != TOKEN_PAREN)
		return true;
	node->has_arguments = true;
	node->arguments = arguments;
	if (!arguments_scan(&parser->lexer, open, UNTIL_PAREN, true, arguments)) {
		*arguments = (struct raw_arguments){ 0 };
		node->is_blamed = true;
	}
	advance(parser);
	return true;
}

static bool parse_declaration(struct parser *parser, struct end *end, char *name)
{
	bool is_good;

	advance(parser);
	if (parser->token.kind != TOKEN_NAME && parser->token.kind != TOKEN_VARIABLE &&
	    parser->token.kind != TOKEN_BRACE) {
		fault(parser->faults, parser->token.at, "expected the class of \"%s\", not %s", name,
			token_quote(&parser->lexer, &parser->token));
		return false;
	}
	is_good = parse_class(parser, end->in);
	body_declare(parser, end->in, name);
	end->is_declared = true;
	return is_good && parse_arguments(parser, end->in);
}

// name, name :: class, class(arguments)
static bool parse_named(struct parser *parser, struct end *end)
{
	struct token name = parser->token;
	bool is_input = token_is(&name, "input"), is_output = token_is(&name, "output");
	struct node *node;

	if ((is_input || is_output) && parser->input != NAMES_NONE) {
		end->in = end->out = is_input ? parser->input : parser->output;
		advance(parser);
		return true;
	}
	if (!check_name(parser, "an element"))
		return false;
	node = body_add(parser, NODE_MENTION, name.at);
	node->class = word_of(parser);
	node->compound = body_class(parser->body, node->class);
	node->visible = parser->body->youngest;
	node->is_bare = true;
	node->is_in_own_class = !node->compound && is_inside_own_class(parser, node->class);
	end->in = end->out = node->is;
	advance(parser);
	if (parser->token.kind == TOKEN_COLONS)
		return parse_declaration(parser, end, arena_text(parser->arena, name.text, name.length));
	if (parser->token.kind != TOKEN_PAREN)
		return true;
	node->kind = NODE_ELEMENT;
	node->is_bare = false;
	return parse_arguments(parser, end->in);
}

static bool parse_unnamed(struct parser *parser, struct end *end)
{
	end->in = end->out = body_add(parser, NODE_ELEMENT, parser->token.at)->is;
	return parse_class(parser, end->in) && parse_arguments(parser, end->in);
}

// ( input -> a -> output ): no scope of its own, just two tunnels
static bool parse_group(struct parser *parser, struct end *end)
{
	struct parser outside = *parser;
	struct place open = parser->token.at;

	if (!enter(parser, open))
		return false;
	end->is_group = true;
	end->in = parser->input = body_add_tunnel(parser, open, false);
	end->out = parser->output = body_add_tunnel(parser, open, true);
	end->first_wire = parser->body->wires.count;
	parser->is_in_group = true;
	advance(parser);
	parse_statements(parser);
	leave(parser, open, TOKEN_PAREN_END);
	end->past_wire = parser->body->wires.count;
	parser->input = outside.input;
	parser->output = outside.output;
	parser->is_in_group = outside.is_in_group;
	return !parser->faults->is_over;
}

static bool is_arrow(const struct parser *parser)
{
	return parser->token.kind == TOKEN_ARROW || parser->token.kind == TOKEN_FAT_ARROW;
}

// Inside compound elements and groups, `-> a` is `input -> a` and `a ->` is `a -> output`.
static bool parse_missing(struct parser *parser, struct end *end, const struct arrow *before)
{
	const struct token *token = &parser->token;
	bool is_first = !before && (is_arrow(parser) || token->kind == TOKEN_COMMA);

	if (parser->input != NAMES_NONE && is_first) {
		end->in = end->out = parser->input;
		end->outputs = end->inputs;
		end->inputs = (struct ports){ 0 };
		return true;
	}
	if (parser->input != NAMES_NONE && before && !is_arrow(parser) && token->kind != TOKEN_STRAY) {
		end->in = end->out = parser->output;
		return true;
	}
	if (is_first)
		fault(parser->faults, token->at, "nothing stands before %s", token_quote(&parser->lexer, token));
	else if (before && token->kind != TOKEN_STRAY)
		fault(parser->faults, before->at, "nothing stands behind \"%s\"", before->is_fat ? "=>" : "->");
	else
		fault(parser->faults, token->at, "expected an element, not %s", token_quote(&parser->lexer, token));
	return false;
}

static bool parse_reference(struct parser *parser, struct end *end, const struct arrow *before)
{
	switch (parser->token.kind) {
	case TOKEN_NAME:
		return begins_statement(&parser->token) ? parse_missing(parser, end, before)
							: parse_named(parser, end);
	case TOKEN_VARIABLE:
	case TOKEN_BRACE:
		return parse_unnamed(parser, end);
	case TOKEN_PAREN:
		return parse_group(parser, end);
	default:
		return parse_missing(parser, end, before);
	}
}

static bool parse_end(struct parser *parser, struct end *end, const struct arrow *before)
{
	end->at = parser->token.at;
	if (parser->token.kind == TOKEN_BRACKET && !parse_ports(parser, &end->inputs))
		return false;
	if (!parse_reference(parser, end, before))
		return false;
	return parser->token.kind != TOKEN_BRACKET || parse_ports(parser, &end->outputs);
}

static bool parse_hop(struct parser *parser, struct hop *hop, const struct arrow *before)
{
	struct end end;

	hop_clear(hop);
	do {
		end = (struct end){ .in = NAMES_NONE };
		if (!parse_end(parser, &end, before))
			return false;
		*list_add(parser->arena, &hop->ends) = end;
	} while (accept_token(parser, TOKEN_COMMA));
	return true;
}

struct contact { // one side of a wire
	uint32_t node;
	struct port port;
};

struct contacts {
	LIST(struct contact) list;
	struct contact usual[USUAL_CONTACTS];
	bool is_plain; // one element, without a port: as many of its ports as the other side has
};

static void add_contact(struct parser *parser, struct contacts *contacts, uint32_t node, struct port port)
{
	*list_add(parser->arena, &contacts->list) = (struct contact){ node, port };
}

static bool is_number(const char *text)
{
	return *text >= '0' && *text <= '9';
}

// The input or output of a group that a wire inside it uses; NULL: none
static struct port *group_port(struct wire *wire, uint32_t tunnel, bool is_input)
{
	if ((is_input ? wire->from : wire->to) != tunnel)
		return NULL;
	return is_input ? &wire->output : &wire->input;
}

// A group without ports written has all those that it uses inside: numbers from 0, then names as they come.
static void add_group(struct parser *parser, struct contacts *contacts, uint32_t tunnel, bool is_input,
	const struct end *end)
{
	struct names seen;
	const struct port *port;
	const char *text;
	unsigned numbers = 0;

	names_init(&seen, parser->arena);
	for (int is_named = 0; is_named < 2; is_named++) {
		for (uint32_t i = end->first_wire; i < end->past_wire; i++) {
			port = group_port(&parser->body->wires.at[i], tunnel, is_input);
			text = port ? ordinary(port->text) : NULL;
			if (!port || is_number(text) == is_named)
				continue;
			if (names_add(&seen, text, strlen(text), 0) != NAMES_NONE)
				continue;
			if (!is_named)
				text = arena_print(parser->arena, "%u", numbers++);
			add_contact(parser, contacts, tunnel, (struct port){ text, end->at });
		}
	}
}

static void contacts_of(struct parser *parser, struct hop *hop, bool is_left, struct contacts *contacts)
{
	const struct ports *ports;
	uint32_t node;

	contacts->list.at = contacts->usual;
	contacts->list.count = 0;
	contacts->list.room = USUAL_CONTACTS;
	list_each (end, &hop->ends) {
		ports = is_left ? &end->outputs : &end->inputs;
		node = is_left ? end->out : end->in;
		for (uint32_t i = 0; i < ports->list.count; i++)
			add_contact(parser, contacts, node, ports->list.at[i]);
		if (!ports->list.count && end->is_group)
			add_group(parser, contacts, node, !is_left, end);
		else if (!ports->list.count)
			add_contact(parser, contacts, node, (struct port){ NULL, end->at });
		contacts->is_plain = hop->ends.count == 1 && !ports->list.count && !end->is_group;
	}
}

static void add_wire(struct parser *parser, const struct contact *from, const struct contact *to, struct place at)
{
	*list_add(parser->arena, &parser->body->wires) = (struct wire){
		.from = from->node, .to = to->node, .output = from->port, .input = to->port, .at = at };
}

static void spread(struct parser *parser, struct contacts *contacts, uint32_t count)
{
	struct contact only = contacts->list.at[0];

	contacts->list.count = 0;
	for (uint32_t i = 0; i < count; i++)
		add_contact(parser, contacts, only.node,
			(struct port){ arena_print(parser->arena, "%u", i), only.port.at });
}

static void connect_each(struct parser *parser, struct contacts *left, struct contacts *right,
	const struct arrow *arrow)
{
	if (left->is_plain && right->list.count > 1)
		spread(parser, left, right->list.count);
	else if (right->is_plain && left->list.count > 1)
		spread(parser, right, left->list.count);
	if (left->list.count != right->list.count) {
		fault(parser->faults, arrow->at, "\"=>\" needs as many outputs as inputs, not %u and %u",
			left->list.count, right->list.count);
		return;
	}
	for (uint32_t i = 0; i < left->list.count; i++)
		add_wire(parser, &left->list.at[i], &right->list.at[i], arrow->at);
}

static void connect_all(struct parser *parser, struct contacts *left, struct contacts *right,
	const struct arrow *arrow)
{
	struct diag_message *message;

	if (left->list.count > 1 && right->list.count > 1) {
		message = fault(parser->faults, arrow->at,
			"\"->\" connects one with many, not %u outputs with %u inputs", left->list.count,
			right->list.count);
		fault_hint(parser->faults, message,
			"\"=>\" connects the first with the first, the second with the second");
		return;
	}
	for (uint32_t i = 0; i < left->list.count; i++)
		for (uint32_t j = 0; j < right->list.count; j++)
			add_wire(parser, &left->list.at[i], &right->list.at[j], arrow->at);
}

// Nothing flows into `input` or out of `output`: for those inside, they are where packets come from and go to.
static bool may_connect(struct parser *parser, const struct contacts *contacts, bool is_left, struct place arrow)
{
	const char *whole = parser->is_in_group ? "group" : "compound element";
	const struct contact *contact;

	for (uint32_t i = 0; i < contacts->list.count; i++) {
		contact = &contacts->list.at[i];
		if (contact->node != (is_left ? parser->output : parser->input))
			continue;
		fault(parser->faults, contact->port.at,
			is_left ? "nothing comes from \"output\": it is where packets leave the %s"
				: "nothing goes to \"input\": it is where packets enter the %s", whole);
		return false;
	}
	if (!contacts->list.count)
		fault(parser->faults, arrow, "the group %s \"->\" has no %s", is_left ? "before" : "behind",
			is_left ? "output" : "input");
	return contacts->list.count;
}

static void connect(struct parser *parser, struct hop *left, struct hop *right, const struct arrow *arrow)
{
	struct contacts from, to;

	contacts_of(parser, left, true, &from);
	contacts_of(parser, right, false, &to);
	if (!may_connect(parser, &from, true, arrow->at) || !may_connect(parser, &to, false, arrow->at))
		return;
	if (arrow->is_fat)
		connect_each(parser, &from, &to, arrow);
	else
		connect_all(parser, &from, &to, arrow);
}

static void declare_like(struct parser *parser, uint32_t index, const struct node *model)
{
	struct node *node = &parser->body->nodes.at[index];
	const char *name = node->class;

	node->class = model->class;
	node->class_at = model->class_at;
	node->compound = model->compound;
	node->visible = model->visible;
	node->arguments = model->arguments;
	node->has_arguments = model->has_arguments;
	node->is_class_variable = model->is_class_variable;
	node->is_in_own_class = model->is_in_own_class;
	body_declare(parser, index, name);
}

// `a, b :: Class(3)` by itself declares both.
static void declare_all(struct parser *parser, struct hop *hop)
{
	const struct node *model = NULL;
	const struct end *end;

	for (uint32_t i = hop->ends.count; i-- > 0;) {
		end = &hop->ends.at[i];
		if (end->is_declared)
			model = &parser->body->nodes.at[end->in];
		else if (model && parser->body->nodes.at[end->in].kind == NODE_MENTION)
			declare_like(parser, end->in, model);
	}
}

static void refuse_loose_ports(struct parser *parser, const struct hop *hop, bool is_first)
{
	const struct ports *ports;

	for (uint32_t i = 0; i < hop->ends.count; i++) {
		ports = is_first ? &hop->ends.at[i].inputs : &hop->ends.at[i].outputs;
		if (ports->list.count)
			fault(parser->faults, ports->list.at[0].at,
				is_first ? "nothing leads to input [%s]: \"->\" is missing before it"
					 : "output [%s] leads nowhere: \"->\" is missing behind it",
				ports->list.at[0].text);
	}
}

bool parse_connection(struct parser *parser)
{
	struct hop hops[2], *left = hops, *right = hops + 1, *done;
	struct arrow arrow;

	if (!parse_hop(parser, left, NULL))
		return false;
	refuse_loose_ports(parser, left, true);
	if (!is_arrow(parser))
		declare_all(parser, left);
	while (is_arrow(parser)) {
		arrow = (struct arrow){ parser->token.kind == TOKEN_FAT_ARROW, parser->token.at };
		advance(parser);
		if (!parse_hop(parser, right, &arrow))
			return false;
		connect(parser, left, right, &arrow);
		done = left;
		left = right;
		right = done;
	}
	refuse_loose_ports(parser, left, false);
	return true;
}
