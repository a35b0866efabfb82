// SPDX-License-Identifier: Apache-2.0
// The plan in words: elements in the order of a pass, what was inserted in front of each and why, what it reads and
// writes, where values lie, who hears what, how packets are divided among workers.
#include "plan/internal.h"
#include "plan/platform.h"

struct columns {
	FILE *to;
	unsigned at;
};

// A list of words that wraps, each line behind the same margin.
static void begin(struct columns *columns, const char *head)
{
	fprintf(columns->to, "     %-9s", head);
	columns->at = 14;
}

static void word(struct columns *columns, const char *text, bool is_last)
{
	unsigned length = (unsigned)strlen(text) + 1;

	if (columns->at + length > 110 && columns->at > 14) {
		fprintf(columns->to, "\n              ");
		columns->at = 14;
	}
	fprintf(columns->to, "%s%s", text, is_last ? "\n" : ", ");
	columns->at += length + 1;
}

static const char *shown(const struct plan *plan, const struct plan_value *value)
{
	return value->kind == VALUE_FILTER ? arena_print(plan->arena, "filter %s", value->name) : value->name;
}

static void list_values(const struct plan *plan, FILE *to, const char *head,
	struct plan_value *const *values, uint32_t count)
{
	struct columns columns = { .to = to };

	if (!count)
		return;
	begin(&columns, head);
	for (uint32_t i = 0; i < count; i++)
		word(&columns, shown(plan, values[i]), i + 1 == count);
}

static void list_members(const struct plan_node *node, FILE *to, const char *head,
	bool (*is_in)(const struct weir_member *member))
{
	struct columns columns = { .to = to };
	const struct weir_class *class = node->element->class;
	unsigned left = 0;

	each_member (member, class)
		left += member->kind == WEIR_IS_FIELD && is_in(member);
	if (!left)
		return;
	begin(&columns, head);
	each_member (member, class)
		if (member->kind == WEIR_IS_FIELD && is_in(member))
			word(&columns, member->field, !--left);
}

static bool is_read(const struct weir_member *member)
{
	return member->use & (WEIR_READS_ | WEIR_READS_IF_) && !(member->use & WEIR_WRITES_);
}

static bool is_changed(const struct weir_member *member)
{
	return member->use & WEIR_WRITES_;
}

static bool is_provided(const struct weir_member *member)
{
	return member->use & WEIR_PROVIDES_;
}

static void explain_outputs(const struct plan_node *node, FILE *to)
{
	for (unsigned i = 0; i < node->element->output_count; i++) {
		const struct plan_output *output = &node->element->outputs[i];

		if (i < 64 && !(node->paths >> i & 1))
			continue;
		fprintf(to, "     [%s]%*s", *output->name ? output->name : i ? "" : "0", *output->name ? 1 : 1, "");
		if (!*output->name && i)
			fprintf(to, "%u ", i);
		if (!output->to)
			fprintf(to, "-> dropped, counted\n");
		else if (output->to->input)
			fprintf(to, "-> [%u]%s%s\n", output->to->input, output->to->element->name,
				output->again ? "  (in the next pass)" : "");
		else
			fprintf(to, "-> %s%s\n", output->to->element->name,
				output->again ? "  (in the next pass)" : "");
	}
}

static void explain_handlers(const struct plan_element *element, FILE *to)
{
	list_each (handler, &element->handlers) {
		fprintf(to, "     hears    %s", (*handler)->signal->type->name);
		if ((*handler)->on->where)
			fprintf(to, " where %s", (*handler)->on->where);
		fprintf(to, "\n");
	}
}

static void explain_node(const struct plan *plan, const struct plan_node *node, FILE *to)
{
	const struct plan_element *element = node->element;

	fprintf(to, "%3u  %s :: %s", node->order, element->name, element->class->name);
	if (element->input_count > 1)
		fprintf(to, " [%u]", node->input);
	if (element->inserted_because)
		fprintf(to, "   (put in: %s)", element->inserted_because);
	fprintf(to, "\n");
	list_values(plan, to, "computes", node->steps.at, node->steps.count);
	list_members(node, to, "reads", is_read);
	list_members(node, to, "changes", is_changed);
	list_members(node, to, "provides", is_provided);
	list_values(plan, to, "voids", node->voids.at, node->voids.count);
	if (!node->input)
		explain_handlers(element, to);
	if (element->home != PLAN_NOWHERE && plan->workers > 1)
		fprintf(to, "     home     worker %u: it exists once\n", element->home);
	explain_outputs(node, to);
}

static void explain_sources(const struct plan *plan, FILE *to)
{
	list_each (element, &plan->elements) {
		if (!platform_port((*element)->class) && !(*element)->class->take)
			continue;
		for (unsigned i = 0; i < (*element)->output_count; i++)
			if ((*element)->outputs[i].to)
				fprintf(to, "  %s :: %s -> %s\n", (*element)->name, (*element)->class->name,
					(*element)->outputs[i].to->element->name);
	}
}

static const char *life(const struct plan *plan, const struct plan_value *value)
{
	if (value->spans_pass)
		return "the whole pass";
	if (value->first > value->last)
		return "while a packet is out of its vector";
	return value->first == value->last ? arena_print(plan->arena, "node %u", value->first) :
					     arena_print(plan->arena, "nodes %u to %u", value->first, value->last);
}

static void explain_layout(const struct plan *plan, FILE *to)
{
	fprintf(to, "\nvector: %u bytes; %u masks, columns:\n", plan->vector_size, plan->masks_size / 8);
	list_each (value, &plan->values)
		if ((*value)->size)
			fprintf(to, "  %-28s %4u bytes at %5u   %s%s\n", (*value)->name,
				(*value)->size * WEIR_VECTOR, (*value)->at, life(plan, *value),
				(*value)->is_spilled ? "; kept in the control block" : "");
	fprintf(to, "control block: %u bytes", plan->layout.count ? plan->layout.bytes + 8 : 0);
	for (unsigned i = 0; i < plan->layout.count; i++)
		fprintf(to, "%s %s (%u)", i ? "," : ":", plan->layout.fields[i].name, plan->layout.fields[i].size);
	fprintf(to, "\n");
}

static void explain_steering(const struct plan *plan, FILE *to)
{
	static const char *const keys[] = {
		[STEER_FLOW] = "both directions of a flow (addresses, protocol, ports)",
		[STEER_SOURCE] = "source address",
		[STEER_DESTINATION] = "destination address",
		[STEER_ETHER_SOURCE] = "Ethernet source",
		[STEER_ONE] = "one worker",
	};

	fprintf(to, "steering: by %s", keys[plan->steer]);
	if (plan->steer_because)
		fprintf(to, ", so that one worker knows all of a key of: %s", plan->steer_because);
	if (plan->steer_forced_by)
		fprintf(to, ", for %s (%s) divides its state by %s", plan->steer_forced_by->name,
			plan->steer_forced_by->class->name, plan->steer_forced_by->by);
	fprintf(to, "; %u worker%s\n", plan->workers, plan->workers == 1 ? "" : "s");
}

static void explain_origin(const struct plan *plan, const struct plan_signal *signal, FILE *to)
{
	if (signal->derivation || signal->telling) {
		plan_explain_derived(plan, signal, to);
		return;
	}
	fprintf(to, "event %s: raised by", signal->type->name);
	if (!signal->raisers.count)
		fprintf(to, " the platform");
	list_each (raiser, &signal->raisers)
		fprintf(to, " %s", (*raiser)->name);
}

static bool hears_streams(const struct plan_element *element)
{
	list_each (handler, &element->handlers)
		if ((*handler)->signal->is_of_stream)
			return true;
	return false;
}

// What must be done for it beside the call of who hears it.
static const char *cost_of(const struct plan_signal *signal)
{
	const struct plan_signal *root = plan_origin(signal);
	bool are_streams_heard = root->is_of_stream, is_flow_known = root->is_of_flow;

	list_each (raiser, &root->raisers) {
		are_streams_heard |= hears_streams(*raiser);
		is_flow_known |= (*raiser)->flow_bit > 0;
	}
	return are_streams_heard    ? "streams"
		: is_flow_known     ? "flows"
		: root->raisers.count ? "what its element reads"
		: root->mask && strcmp(root->type->name, weir_event_packet_received.name) ? "decoding"
											     : "nothing";
}

static void explain_events(const struct plan *plan, FILE *to)
{
	list_each (signal, &plan->signals) {
		if (!plan_is_heard(*signal) && !(*signal)->derivation && !(*signal)->telling)
			continue;
		explain_origin(plan, *signal, to);
		if (!plan_is_heard(*signal)) {
			fprintf(to, "; nobody hears it: not computed\n");
			continue;
		}
		fprintf(to, ", %s, %u handler%s; costs %s, %s\n",
			(*signal)->rides ? "rides on the packet" : "told at the vector's end",
			(*signal)->handlers.count, (*signal)->handlers.count == 1 ? "" : "s", cost_of(*signal),
			(*signal)->has_payload ? "a record each" : "a bit each");
		list_each (watch, &(*signal)->watches)
			fprintf(to, "  observed by %s%s%s\n", watch->observer->element->name,
				watch->filter ? " where " : "",
				watch->filter ? filter_text(plan->arena, watch->filter) : "");
	}
}

void plan_explain(const struct plan *plan, FILE *to)
{
	fprintf(to, "%s: %u elements, %u nodes in a pass\n\npackets enter:\n", plan->graph->file,
		plan->elements.count, plan->nodes.count);
	explain_sources(plan, to);
	fprintf(to, "\na pass:\n");
	list_each (node, &plan->nodes)
		explain_node(plan, *node, to);
	explain_layout(plan, to);
	explain_events(plan, to);
	plan_explain_flows(plan, to);
	explain_steering(plan, to);
}

void plan_dot(const struct plan *plan, FILE *to)
{
	fprintf(to, "digraph weir {\n\trankdir=LR;\n\tnode [shape=box, fontname=sans];\n");
	list_each (element, &plan->elements)
		fprintf(to, "\t\"%s\" [label=\"%s\\n%s\"];\n", (*element)->name, (*element)->name,
			(*element)->class->name);
	list_each (element, &plan->elements)
		for (unsigned i = 0; i < (*element)->output_count; i++) {
			const struct plan_output *output = &(*element)->outputs[i];

			if (output->to)
				fprintf(to, "\t\"%s\" -> \"%s\" [taillabel=\"%s\"%s];\n",
					(*element)->name, output->to->element->name,
					*output->name ? output->name : "",
					output->again ? ", style=dashed" : "");
		}
	fprintf(to, "}\n");
}
