// SPDX-License-Identifier: Apache-2.0
// weir explain GRAPH: the plan, in words or as a drawing; with --analyze, what it costs on a capture.
#include "cli/cli.h"
#include "cli/summary.h"

#include <getopt.h>
#include <stdlib.h>
#include <time.h>

struct explain {
	struct cli_graph graph;
	struct cli_binds binds;
	unsigned workers;
	bool is_dot, analyzes;
};

static int usage(FILE *to, int status)
{
	fprintf(to,
		"usage: weir explain [OPTION]... GRAPH | -e 'GRAPH TEXT'\n"
		"       weir explain --ports\n\n"
		"  --dot                for Graphviz\n"
		"  --analyze -i FILE    runs the graph on a capture: packets, drops, events, cycles per "
		"packet of each element,\n"
		"                       cycles per call of each handler of an event\n"
		"  -i, -o, -w, --set    as in weir run\n"
		"  --ports              what kinds of ports there are, and which work here\n");
	return status;
}

static int explain_ports(void)
{
	const struct port_kind *kind;

	for (unsigned i = 0; (kind = port_kind_at(i)); i++) {
		struct port_error why = { 0 };
		bool works = port_kind_works(kind, &why);

		printf("%-28s %s\n", kind->syntax, kind->about);
		printf("%-28s %s%s%s%s%s\n", "", kind->receives ? "receives " : "",
			kind->sends ? "sends " : "",
			kind->takes_unfinished ? "takes-unfinished " : "",
			kind->has_several_queues ? "several-queues " : "",
			works ? "works here" : "");
		if (!works)
			printf("%-28s not here: %s%s%s\n", "", why.text, *why.hint ? "; " : "", why.hint);
	}
	return CLI_FINE;
}

static void print_handler(const struct plan_element *element, const struct plan_handler *handler)
{
	struct handler_sum sum = engine_handler(handler);

	printf("%-24s %-24s %12llu %8.1f\n", handler->signal->type->name, element->name, (unsigned long long)sum.calls,
		sum.calls ? (double)sum.cycles / (double)sum.calls : 0);
}

static void print_handlers(const struct plan *plan)
{
	if (plan->handler_count)
		printf("%-24s %-24s %12s %8s\n", "event", "heard by", "calls", "cyc/call");
	list_each (signal, &plan->signals)
		list_each (element, &plan->elements)
			list_each (handler, &(*element)->handlers)
				if ((*handler)->signal == *signal)
					print_handler(*element, *handler);
}

static int analyze(struct explain *explain, struct plan *plan)
{
	struct port_error why = { 0 };
	struct engine_wish wish = {
		.workers = explain->workers, .bindings = &explain->binds.bindings, .times_all = true
	};
	struct timespec from, to;

	if (!cli_bind(&explain->binds, plan)) {
		plan_destroy(plan);
		return CLI_USAGE;
	}
	clock_gettime(CLOCK_MONOTONIC, &from);
	if (engine_start(plan, &wish, &why)) {
		fprintf(stderr, "weir: %s%s%s\n", why.text, *why.hint ? "; " : "", why.hint);
		return CLI_FAILED;
	}
	while (!engine_is_through())
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	engine_stop();
	clock_gettime(CLOCK_MONOTONIC, &to);
	summary_print(plan, (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9, stdout);
	print_handlers(plan);
	engine_destroy();
	return CLI_FINE;
}

static int show(struct explain *explain)
{
	struct plan *plan =
		cli_graph_read(&explain->graph) ? cli_graph_plan(&explain->graph, explain->workers) : NULL;

	if (!plan)
		return CLI_FAILED;
	if (explain->is_dot)
		plan_dot(plan, stdout);
	else
		plan_explain(plan, stdout);
	if (explain->analyzes)
		return analyze(explain, plan);
	plan_destroy(plan);
	return CLI_FINE;
}

int cli_explain(int count, char **words)
{
	enum { DOT = 256,
		ANALYZE,
		PORTS,
		SET,
		HELP };
	static const struct option options[] = {
		{ "dot", no_argument, NULL, DOT },
		{ "analyze", no_argument, NULL, ANALYZE },
		{ "ports", no_argument, NULL, PORTS },
		{ "set", required_argument, NULL, SET },
		{ "workers", required_argument, NULL, 'w' },
		{ "help", no_argument, NULL, HELP },
		{ 0 },
	};
	struct explain explain = { .workers = 1 };
	int option, status = CLI_FINE;
	bool is_well = true;

	cli_graph_init(&explain.graph);
	explain.binds.arena = explain.graph.arena;
	optind = 1;
	while (is_well && (option = getopt_long(count, words, "i:o:e:w:", options, NULL)) != -1)
		switch (option) {
		case HELP:
			return usage(stdout, CLI_FINE);
		case PORTS:
			return explain_ports();
		case DOT:
			explain.is_dot = true;
			break;
		case ANALYZE:
			explain.analyzes = true;
			break;
		case SET:
			is_well = cli_set(&explain.graph, optarg);
			break;
		case 'i':
			*list_add(explain.graph.arena, &explain.binds.in) = optarg;
			break;
		case 'o':
			*list_add(explain.graph.arena, &explain.binds.out) = optarg;
			break;
		case 'e':
			explain.graph.text = optarg;
			break;
		case 'w':
			explain.workers = (unsigned)atoi(optarg);
			is_well = explain.workers >= 1 && explain.workers <= PLAN_WORKERS;
			break;
		default:
			is_well = false;
		}
	if (!explain.graph.text && optind < count)
		explain.graph.path = words[optind++];
	status = is_well && optind == count && (explain.graph.text || explain.graph.path)
		? show(&explain)
		: usage(stderr, CLI_USAGE);
	cli_graph_free(&explain.graph);
	return status;
}
