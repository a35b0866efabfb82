// SPDX-License-Identifier: Apache-2.0
// The inputs and outputs of compound elements and groups, as they are used inside: numbers have no gaps, and a
// group's are all connected outside.
#include "lang/graph_parser.h"

#include <stdlib.h>

struct port_set {
	struct names names;
	uint32_t numbers; // how many are numbers
};

static struct port_set set_of(struct parser *parser, const struct port *ports, uint32_t count)
{
	struct port_set set = { 0 };

	names_init(&set.names, parser->arena);
	for (uint32_t i = 0; i < count; i++) {
		names_add(&set.names, ports[i].text, strlen(ports[i].text), i);
		set.numbers += *ports[i].text >= '0' && *ports[i].text <= '9';
	}
	return set;
}

static bool has_port(const struct port_set *set, const char *text)
{
	return names_find(&set->names, text, strlen(text)) != NAMES_NONE;
}

// Input 2 needs inputs 0 and 1.
static bool check_numbers(struct parser *parser, const struct node *tunnel, const struct port_set *inside)
{
	const struct port *ports = tunnel->is_output ? tunnel->inputs.at : tunnel->outputs.at;
	const char *side = tunnel->is_output ? "output" : "input";
	char text[16];

	for (uint32_t number = 0; number < inside->numbers; number++) {
		snprintf(text, sizeof(text), "%u", number);
		if (has_port(inside, text))
			continue;
		for (; *ports->text < '0' || *ports->text > '9' || strtoul(ports->text, NULL, 10) < number;)
			ports++;
		fault(parser->faults, ports->at, "%s %s is used here, but nowhere %s %s", side, ports->text, side,
			text);
		return false;
	}
	return true;
}

static void check_group(struct parser *parser, const struct node *tunnel, const struct port_set *inside)
{
	const char *side = tunnel->is_output ? "output" : "input";
	const struct port *out = tunnel->is_output ? tunnel->outputs.at : tunnel->inputs.at;
	const struct port *in = tunnel->is_output ? tunnel->inputs.at : tunnel->outputs.at;
	uint32_t out_count = tunnel->is_output ? tunnel->outputs.count : tunnel->inputs.count;
	uint32_t in_count = tunnel->is_output ? tunnel->inputs.count : tunnel->outputs.count;
	struct port_set outside = set_of(parser, out, out_count);

	for (uint32_t i = 0; i < out_count; i++)
		if (!has_port(inside, out[i].text))
			fault(parser->faults, out[i].at, "the group has no %s %s", side, out[i].text);
	for (uint32_t i = 0; i < in_count; i++)
		if (!has_port(&outside, in[i].text))
			fault(parser->faults, in[i].at, "%s %s of the group is not connected outside", side,
				in[i].text);
}

void body_check_tunnels(struct parser *parser, struct body *body)
{
	struct port_set inside;

	list_each (node, &body->nodes) {
		if (node->kind != NODE_TUNNEL)
			continue;
		if (node->is_output)
			inside = set_of(parser, node->inputs.at, node->inputs.count);
		else
			inside = set_of(parser, node->outputs.at, node->outputs.count);
		if (node->is == body->input)
			body->inputs = inside.names;
		if (node->is == body->output)
			body->outputs = inside.names;
		if (check_numbers(parser, node, &inside) && node->is != body->input && node->is != body->output)
			check_group(parser, node, &inside);
	}
}
