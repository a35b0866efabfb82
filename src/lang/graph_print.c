// SPDX-License-Identifier: Apache-2.0
// A flat graph as text, in the language that it was read from.
#include "lang/graph.h"

#include <inttypes.h>

static const char *const comparisons[] = {
	[GRAPH_ANY_VERSION] = "", [GRAPH_EQUAL] = "==", [GRAPH_AT_LEAST] = ">=",
	[GRAPH_AT_MOST] = "<=", [GRAPH_ABOVE] = ">", [GRAPH_BELOW] = "<",
};

static void print_require(const struct graph_require *require, FILE *to)
{
	fprintf(to, "require(module %s", require->module.text);
	if (require->compare != GRAPH_ANY_VERSION)
		fprintf(to, " %s %s", comparisons[require->compare], require->version.text);
	fprintf(to, ");\n");
}

static void print_duration(uint64_t ns, FILE *to)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = { { "h", 3600000000000 }, { "min", 60000000000 }, { "s", 1000000000 }, { "ms", 1000000 },
		      { "us", 1000 }, { "ns", 1 } };
	unsigned i = 0;

	while (ns % units[i].ns)
		i++;
	fprintf(to, " over %" PRIu64 "%s", ns / units[i].ns, units[i].unit);
}

static void print_aggregate(const struct graph_event *event, FILE *to)
{
	switch (event->aggregate) {
	case GRAPH_EACH:
		break;
	case GRAPH_COUNT:
		fprintf(to, " count");
		break;
	case GRAPH_SUM:
		fprintf(to, " sum %s", event->field.text);
		break;
	case GRAPH_DISTINCT:
		fprintf(to, " distinct %s", event->field.text);
		break;
	case GRAPH_TOP:
		break;
	}
	if (event->top)
		fprintf(to, " top %" PRIu32, event->top);
}

static void print_event(const struct graph_event *event, FILE *to)
{
	fprintf(to, "define event %s on %s", event->name.text, event->base.text);
	if (event->where.text)
		fprintf(to, " where %s", event->where.text);
	print_aggregate(event, to);
	for (uint32_t i = 0; i < event->by.count; i++)
		fprintf(to, "%s%s", i ? ", " : " by ", event->by.at[i].text);
	if (event->over_ns)
		print_duration(event->over_ns, to);
	if (event->has_above)
		fprintf(to, " above %" PRIu64, event->above);
	fprintf(to, ";\n");
}

static void print_element(const struct graph_element *element, FILE *to)
{
	uint32_t count = element->arguments.count;

	fprintf(to, "%s :: %s", element->name, element->class);
	for (uint32_t i = 0; i < count; i++)
		fprintf(to, "%s%s", i ? ", " : "(", element->arguments.at[i].text);
	if (count) // an empty last argument needs its comma
		fprintf(to, "%s)", *element->arguments.at[count - 1].text ? "" : ",");
	fprintf(to, ";\n");
}

static void print_edge(const struct graph *graph, const struct graph_edge *edge, FILE *to)
{
	fprintf(to, "%s", graph->elements.at[edge->from].name);
	if (edge->output)
		fprintf(to, " [%s]", edge->output);
	fprintf(to, " -> ");
	if (edge->input)
		fprintf(to, "[%s] ", edge->input);
	fprintf(to, "%s;\n", graph->elements.at[edge->to].name);
}

void graph_print(const struct graph *graph, FILE *to)
{
	for (uint32_t i = 0; i < graph->requires.count; i++)
		print_require(&graph->requires.at[i], to);
	for (uint32_t i = 0; i < graph->events.count; i++)
		print_event(&graph->events.at[i], to);
	for (uint32_t i = 0; i < graph->elements.count; i++)
		print_element(&graph->elements.at[i], to);
	for (uint32_t i = 0; i < graph->edges.count; i++)
		print_edge(graph, &graph->edges.at[i], to);
}
