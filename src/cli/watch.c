// SPDX-License-Identifier: Apache-2.0
// weir watch: what happens in captures or on interfaces, a line each, or summed up at the end. It makes a graph of what
// it was asked for and runs it as weir run does.
#include "cli/watch.h"
#include "cli/watch_count.h"

#include <getopt.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	OPTION_JSON = 256,
	OPTION_LINES,
	OPTION_SUMMARY,
	OPTION_HASH,
	OPTION_EVENTS,
	OPTION_EXPLAIN,
	OPTION_DURATION,
	OPTION_BUFFERS,
	OPTION_HELP,
};

static const struct option options[] = {
	{ "filter", required_argument, NULL, 'f' },
	{ "define", required_argument, NULL, 'd' },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "lines", no_argument, NULL, OPTION_LINES },
	{ "summary", no_argument, NULL, OPTION_SUMMARY },
	{ "hash", no_argument, NULL, OPTION_HASH },
	{ "events", no_argument, NULL, OPTION_EVENTS },
	{ "explain", no_argument, NULL, OPTION_EXPLAIN },
	{ "workers", required_argument, NULL, 'w' },
	{ "duration", required_argument, NULL, OPTION_DURATION },
	{ "buffers", required_argument, NULL, OPTION_BUFFERS },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ 0 },
};

static int usage(FILE *to, int status)
{
	fprintf(to,
		"usage: weir watch [OPTION]... FILE|INTERFACE...\n\n"
		"  -f FILTER            only what fits, as in Wireshark: 'tcp.port == 80 && ip.addr == 10.0.0.1'\n"
		"  -e EVENTS            names or globs of what is told: 'flow.ended tcp.*'\n"
		"  -d DEFINITION        defines an event, as in a graph: 'scan.failed on flow.ended where\n"
		"                       tcp && flow.packets_back == 0'; may be given several times\n"
		"  --events             lists what there is to be told\n"
		"  --json               lines of JSON, also on a terminal\n"
		"  --lines              lines for people, also elsewhere\n"
		"  --summary            sums up at the end: flows, findings of TCP, who talked most\n"
		"  --hash               stream.closed tells the SHA-256 of the stream\n"
		"  --explain            prints the plan instead of running it\n"
		"  -w WORKERS           threads that share the traffic (1)\n"
		"  --duration SECONDS   ends after so long\n"
		"  --buffers NUMBER     packet buffers\n\n"
		"Interfaces are only listened to: the host goes on as before. SIGINT ends it.\n"
		"Lines for people on a terminal (in colour, unless NO_COLOR is set), lines of JSON otherwise.\n"
		"Exit code: 0 all well, 1 it failed, 2 wrong usage.\n");
	return status;
}

// ---- the graph

// "a b c" in quotes
static const char *list_of(const struct watch *watch)
{
	const char *text = "";

	list_each (name, &watch->names)
		text = arena_print(watch->run.graph.arena, "%s%s%s", text, *text ? " " : "", *name);
	return text;
}

static bool is_for_people(const struct watch *watch)
{
	return !watch->is_json && (watch->is_readable || isatty(STDOUT_FILENO));
}

static const char *format_of(const struct watch *watch)
{
	const char *no_colour = getenv("NO_COLOR");

	if (!is_for_people(watch))
		return "json";
	return !isatty(STDOUT_FILENO) || (no_colour && *no_colour) ? "lines" : "colour";
}

static void define(struct watch *watch, const char *name, const char *value)
{
	*list_add(watch->run.graph.arena, &watch->run.graph.sets) = (struct graph_setting){ name, value };
}

// in0 -> sink; in1 -> sink; or through the counter
static const char *way_of(const struct watch *watch, unsigned inputs)
{
	struct arena *arena = watch->run.graph.arena;
	const char *text = "sink :: Discard;\n", *to = "sink";

	if (watch->sums_up) {
		text = arena_print(arena, "%sall :: %sWatchCount -> sink;\n", text,
			watch->filter ? "Match($filter) -> " : "");
		to = "all";
	}
	for (unsigned i = 0; i < inputs; i++)
		text = arena_print(arena, "%sin%u :: FromDump -> %s;\n", text, i, to);
	return text;
}

// Those of flows say whose they are; of packets alone it takes their addresses.
static const char *observer_of(struct watch *watch)
{
	struct arena *arena = watch->run.graph.arena;

	if (!watch->names.count)
		return "";
	define(watch, "events", list_of(watch));
	return arena_print(arena, "JsonLog(file -, events $events, format %s%s%s);\n", format_of(watch),
		watch->filter && !watch->sums_up ? ", where $filter" : "",
		watch->tells_packets ? ", fields eth.src eth.dst ip.src ip.dst ipv6.src ipv6.dst frame.len" : "");
}

static void make_graph(struct watch *watch, unsigned inputs)
{
	struct arena *arena = watch->run.graph.arena;

	if (watch->filter)
		define(watch, "filter", watch->filter);
	watch->run.graph.text = arena_print(arena, "%s%sFlowTracker(closed_s 2, hash %s);\n%s", watch->definitions, way_of(watch, inputs),
		watch->hashes ? "true" : "false", observer_of(watch));
}

// An interface alone is listened to; whoever names a driver gets it.
static void bind_input(struct watch *watch, unsigned number, const char *name)
{
	struct arena *arena = watch->run.graph.arena;

	*list_add(arena, &watch->run.binds.in) =
		arena_print(arena, "in%u=%s%s", number, if_nametoindex(name) ? "listen:" : "", name);
}

// ---- what there is

static void list_events(const struct plan *plan)
{
	list_each (signal, &plan->signals)
		printf("%-20s %s\n", (*signal)->type->name, (*signal)->type->about ? (*signal)->type->about : "");
}

// A plan of somebody who hears everything, which knows all events.
static bool look_around(struct watch *watch, bool lists)
{
	struct cli_graph *graph = &watch->run.graph;
	struct plan *plan = NULL;
	bool is_well;

	graph->text = arena_print(graph->arena, "%sFromDump -> Discard; JsonLog;", watch->definitions);
	graph->library = cli_library(graph->diag);
	library_add(graph->library, &watch_module);
	if (cli_graph_read(graph))
		plan = cli_graph_plan(graph, 1);
	if (!plan)
		return false;
	is_well = lists || watch_choose(watch, plan);
	if (lists)
		list_events(plan);
	plan_destroy(plan);
	return is_well;
}

// ----

static void report(const struct run *run, const struct plan *plan)
{
	const struct watch *watch = (const struct watch *)run;

	if (watch->sums_up && is_for_people(watch))
		watch_report(plan, stdout);
	else if (watch->sums_up)
		watch_report_json(plan, stdout);
	if (watch_missed())
		fprintf(stderr, "weir: %" PRIu64 " packets came faster than they could be read\n", watch_missed());
}
static_assert(offsetof(struct watch, run) == 0);

static int explain(struct watch *watch)
{
	struct cli_graph *graph = &watch->run.graph;
	struct plan *plan = cli_graph_read(graph) ? cli_graph_plan(graph, watch->run.workers) : NULL;

	if (!plan)
		return CLI_FAILED;
	printf("%s\n", watch->run.graph.text);
	plan_explain(plan, stdout);
	plan_destroy(plan);
	return CLI_FINE;
}

static bool take_number(struct watch *watch, int option)
{
	double value = 0;

	if (option == OPTION_DURATION)
		return cli_number(optarg, "--duration", 0.001, 1e9, &watch->run.duration_s);
	if (option == 'w' && cli_number(optarg, "-w", 1, PLAN_WORKERS, &value))
		watch->run.workers = (unsigned)value;
	else if (option == OPTION_BUFFERS && cli_number(optarg, "--buffers", 512, 1 << 24, &value))
		watch->run.buffers = (unsigned)value;
	return value > 0;
}

static int watch_inputs(struct watch *watch, char **names, unsigned count, bool explains)
{
	if (!count) {
		fprintf(stderr, "weir: watch what? a capture or an interface is expected\n");
		return CLI_USAGE;
	}
	if (!look_around(watch, false))
		return CLI_USAGE;
	make_graph(watch, count);
	for (unsigned i = 0; i < count; i++)
		bind_input(watch, i, names[i]);
	return explains ? explain(watch) : run_graph(&watch->run);
}

int cli_watch(int count, char **words)
{
	struct watch watch = { .definitions = "" };
	bool lists = false, explains = false, is_well = true;
	int option, status;

	run_init(&watch.run);
	watch.run.is_quiet = true;
	watch.run.report = report;
	optind = 1;
	while (is_well && (option = getopt_long(count, words, "f:e:d:w:", options, NULL)) != -1)
		switch (option) {
		case 'f':
			watch.filter = optarg;
			break;
		case 'e':
			watch.events = optarg;
			break;
		case 'd':
			watch.definitions = arena_print(
				watch.run.graph.arena, "%sdefine event %s;\n", watch.definitions, optarg);
			break;
		case OPTION_JSON:
			watch.is_json = true;
			break;
		case OPTION_LINES:
			watch.is_readable = true;
			break;
		case OPTION_SUMMARY:
			watch.sums_up = true;
			break;
		case OPTION_HASH:
			watch.hashes = true;
			break;
		case OPTION_EVENTS:
			lists = true;
			break;
		case OPTION_EXPLAIN:
			explains = true;
			break;
		case OPTION_HELP:
			run_uninit(&watch.run);
			return usage(stdout, CLI_FINE);
		case '?':
			usage(stderr, CLI_USAGE);
			is_well = false;
			break;
		default:
			is_well = take_number(&watch, option);
		}
	if (!is_well)
		status = CLI_USAGE;
	else if (lists)
		status = look_around(&watch, true) ? CLI_FINE : CLI_FAILED;
	else
		status = watch_inputs(&watch, words + optind, (unsigned)(count - optind), explains);
	run_uninit(&watch.run);
	return status;
}
