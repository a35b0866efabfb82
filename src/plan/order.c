// SPDX-License-Identifier: Apache-2.0
// The order of nodes in a pass: a node comes after all that lead to it. What remains cyclic re-enters: the
// packet comes in again with the next vector, at that node. Queues and gates: who takes from whom.
#include "plan/internal.h"
#include "plan/platform.h"

struct walk {
	struct plan *plan;
	struct plan_node **finished; // in reverse order
	uint32_t count;
	uint8_t *state; // by number of node: 0 not seen, 1 seen
	struct step {
		struct plan_node *node;
		unsigned output;
	} *stack;
};

static uint32_t number_of(const struct plan_node *node)
{
	return node->place;
}

static bool leads(const struct plan_node *node, unsigned output)
{
	return output >= 64 || (node->paths >> output & 1);
}

// Depth first, without recursion: graphs may be long. Each step on the stack is a node and its next output.
static void walk_from(struct walk *walk, struct plan_node *root)
{
	unsigned depth = 0;

	if (walk->state[number_of(root)]++)
		return;
	walk->stack[depth++] = (struct step){ root, 0 };
	while (depth) {
		struct step *top = &walk->stack[depth - 1];
		unsigned output = top->output++;
		struct plan_node *next;

		if (output == top->node->element->output_count) {
			walk->finished[walk->count++] = top->node;
			depth--;
			continue;
		}
		next = leads(top->node, output) ? top->node->element->outputs[output].to : NULL;
		if (next && !walk->state[number_of(next)]) {
			walk->state[number_of(next)] = 1;
			walk->stack[depth++] = (struct step){ next, 0 };
		}
	}
}

static void sort_nodes(struct plan *plan)
{
	struct walk walk = {
		.plan = plan,
		.finished = arena_array(plan->arena, struct plan_node *, plan->nodes.count + 1),
		.state = arena_array(plan->arena, uint8_t, plan->nodes.count + 1),
		.stack = arena_array(plan->arena, struct step, plan->nodes.count + 1),
	};

	// what enters from outside first; the reverse of the finishing order is an order for the pass
	for (uint32_t i = plan->elements.count; i-- > 0;)
		if (plan->elements.at[i]->class->take || platform_port(plan->elements.at[i]->class))
			for (unsigned j = plan->elements.at[i]->output_count; j-- > 0;)
				if (plan->elements.at[i]->outputs[j].to)
					walk_from(&walk, plan->elements.at[i]->outputs[j].to);
	for (uint32_t i = plan->nodes.count; i-- > 0;)
		walk_from(&walk, plan->nodes.at[i]);
	for (uint32_t i = 0; i < walk.count; i++)
		plan->nodes.at[i] = walk.finished[walk.count - 1 - i];
	list_each (node, &plan->nodes)
		(*node)->order = (uint32_t)(node - plan->nodes.at);
}

// The only node of `front` that leads to a node; NULL: there are several.
static const struct plan_node *node_before(const struct plan_element *front, const struct plan_node *node)
{
	const struct plan_node *before = NULL;

	list_each (one, &front->nodes)
		for (unsigned i = 0; i < front->output_count; i++)
			if (front->outputs[i].to == node && leads(*one, i)) {
				if (before && before != *one)
					return NULL;
				before = *one;
			}
	return before;
}

// Behind a gate (Unqueue) the packets of the queue in front of it go on; it is asked, not the queue.
static void find_feeder(struct plan *plan, struct plan_element *gate)
{
	struct plan_element *front = NULL;
	unsigned steps = 0;

	for (const struct plan_node *node = gate->nodes.at[0]; node && steps++ <= plan->elements.count;) {
		front = node->fronts.count == 1 ? node->fronts.at[0] : NULL;
		if (!front || front->class->take)
			break;
		node = node_before(front, node);
	}
	if (front && front->class->take && !front->class->no_inputs) {
		gate->feeder = front;
		front->is_fed_by_taker = true;
		return;
	}
	diag_hint(plan->diag,
		diag_error(plan->diag, gate->syntax->at,
			"%s (%s) takes packets out of a queue, but none stands in front of it",
			gate->name, gate->class->name),
		"put a Queue in front: ... -> Queue -> %s -> ...", gate->name);
}

static bool is_fifo_owner(const struct weir_class *class)
{
	each_member (member, class)
		if (member->kind == WEIR_IS_FIFO)
			return true;
	return false;
}

static bool has_timer(const struct weir_class *class)
{
	each_member (member, class)
		if (member->kind == WEIR_IS_TIMER)
			return true;
	return false;
}

static void mark_entries(struct plan_element *element)
{
	element->holds = element->class->holds || element->class->take ||
		is_fifo_owner(element->class) || has_timer(element->class);
	list_each (node, &element->nodes)
		if (element->holds || (element->class->every_worker >> (*node)->input & 1))
			(*node)->is_entered = true;
	for (unsigned i = 0; i < element->output_count; i++) {
		struct plan_output *output = &element->outputs[i];

		if (!output->to)
			continue;
		list_each (node, &element->nodes)
			if (output->to->order <= (*node)->order && leads(*node, i))
				output->again = true;
		if (output->again || element->holds || platform_port(element->class))
			output->to->is_entered = true;
	}
}

void plan_order(struct plan *plan)
{
	list_each (element, &plan->elements)
		list_each (node, &(*element)->nodes) {
			(*node)->place = (uint16_t)plan->nodes.count; // until it gets its lasting number
			*list_add(plan->arena, &plan->nodes) = *node;
		}
	sort_nodes(plan);
	list_each (element, &plan->elements)
		if ((*element)->class->take && !(*element)->class->no_inputs && !is_fifo_owner((*element)->class) &&
		    (*element)->nodes.count)
			find_feeder(plan, *element);
	list_each (element, &plan->elements)
		mark_entries(*element);
}
