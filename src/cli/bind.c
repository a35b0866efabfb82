// SPDX-License-Identifier: Apache-2.0
// -i and -o: [ELEMENT=]SPEC onto the ports of a graph. Without a name they bind, in the order of
// the file, ports that the graph leaves open; a single -o binds all that are left.
#include "cli/cli.h"

#include "engine/classes.h"

static const struct plan_element *named(const struct plan *plan, const char *text, const char **spec)
{
	const char *mark = strchr(text, '=');

	*spec = text;
	list_each (element, &plan->elements) {
		size_t length = strlen((*element)->name);

		if (mark && (size_t)(mark - text) == length &&
			!strncmp(text, (*element)->name, length) && platform_port((*element)->class)) {
			*spec = mark + 1;
			return *element;
		}
	}
	return NULL;
}

static bool does(const struct plan_element *element, enum port_direction direction)
{
	const struct platform_class *class = platform_port(element->class);

	if (!class || !(class->direction & direction))
		return false;
	return direction == PORT_RECEIVE ? element->outputs[0].to != NULL : element->nodes.at[0]->fronts.count > 0;
}

static bool is_bound(const struct cli_binds *binds, const struct plan_element *element, enum port_direction direction)
{
	const struct port_element *settings = element->prototype;

	list_each (binding, &binds->bindings.list)
		if (!strcmp(binding->element, element->name) && (binding->direction & direction))
			return true;
	return *settings->device;
}

static void add(struct cli_binds *binds, const struct plan_element *element, const char *spec,
	enum port_direction direction)
{
	*list_add(binds->arena, &binds->bindings.list) = (struct binding){
		.element = element->name, .spec = spec, .direction = direction
	};
}

static bool bind_next(struct cli_binds *binds, const struct plan *plan, const char *spec,
	enum port_direction direction, bool all)
{
	bool is_used = false;

	list_each (element, &plan->elements) {
		if (!does(*element, direction) || is_bound(binds, *element, direction))
			continue;
		add(binds, *element, spec, direction);
		is_used = true;
		if (!all)
			return true;
	}
	return is_used;
}

static bool bind_one(struct cli_binds *binds, const struct plan *plan, const char *text,
	enum port_direction direction, bool all)
{
	const char *spec, *option = direction == PORT_RECEIVE ? "-i" : "-o";
	const struct plan_element *element = named(plan, text, &spec);

	if (element && !does(element, direction)) {
		fprintf(stderr, "weir: %s %s: %s does not %s\n", option, text, element->name,
			direction == PORT_RECEIVE ? "receive: nothing is connected behind it"
						  : "send: nothing is connected to it");
		return false;
	}
	if (element) {
		add(binds, element, spec, direction);
		return true;
	}
	if (bind_next(binds, plan, spec, direction, all))
		return true;
	fprintf(stderr, "weir: %s %s: the graph has no %sopen port that %s; name one: %s NAME=%s\n",
		option, text,
		direction == PORT_RECEIVE ? (binds->in.count > 1 ? "further " : "") : "",
		direction == PORT_RECEIVE ? "receives" : "sends", option, spec);
	return false;
}

bool cli_bind(struct cli_binds *binds, const struct plan *plan)
{
	bool is_well = true;

	list_each (text, &binds->in)
		is_well = bind_one(binds, plan, *text, PORT_RECEIVE, false) && is_well;
	// an interface that a Port receives from is also the one it sends to
	for (uint32_t i = 0, count = binds->bindings.list.count; i < count; i++) {
		const struct binding *in = &binds->bindings.list.at[i];
		const struct plan_element *element = plan_find(plan, in->element);

		if (does(element, PORT_SEND) && !binds->out.count)
			add(binds, element, in->spec, PORT_SEND);
	}
	list_each (text, &binds->out)
		is_well = bind_one(binds, plan, *text, PORT_SEND, binds->out.count == 1) && is_well;
	return is_well;
}

bool cli_bind_open(struct cli_binds *binds, const struct plan *plan, const char *in, const char *out)
{
	bool is_fed = bind_next(binds, plan, in, PORT_RECEIVE, true);

	bind_next(binds, plan, out, PORT_SEND, true);
	return is_fed;
}
