// SPDX-License-Identifier: Apache-2.0
// weir run: a graph on interfaces or captures, until the captures end, the time is over, or a
// signal comes. SIGHUP reads the graph again and swaps it in; a wrong one leaves the old one
// running.
#include "cli/run.h"
#include "cli/summary.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	POLL_MS = 20,
	DRAIN_S = 3,
	OPTION_SET = 256,
	OPTION_DURATION,
	OPTION_JSON,
	OPTION_QUIET,
	OPTION_BUSY,
	OPTION_FILL,
	OPTION_SEED,
	OPTION_HELP,
	OPTION_BUFFERS
};

static const struct option options[] = {
	{ "workers", required_argument, NULL, 'w' },
	{ "set", required_argument, NULL, OPTION_SET },
	{ "duration", required_argument, NULL, OPTION_DURATION },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "quiet", no_argument, NULL, OPTION_QUIET },
	{ "busy-poll", no_argument, NULL, OPTION_BUSY },
	{ "fill", required_argument, NULL, OPTION_FILL },
	{ "seed", required_argument, NULL, OPTION_SEED },
	{ "buffers", required_argument, NULL, OPTION_BUFFERS },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ 0 },
};

static int usage(FILE *to, int status)
{
	fprintf(to,
		"usage: weir run [OPTION]... GRAPH\n"
		"       weir run [OPTION]... -e 'GRAPH TEXT'\n\n"
		"  -i [ELEMENT=]PORT    where packets enter: an interface (eth0), a capture (in.pcap, - "
		"is standard input)\n"
		"  -o [ELEMENT=]PORT    where they leave: an interface, a capture (out.pcap, out.pcapng)\n"
		"  -w WORKERS           threads that share the traffic (1)\n"
		"  --set NAME=VALUE     a variable of the graph\n"
		"  --duration SECONDS   ends after so long\n"
		"  -h ELEMENT.HANDLER   prints a counter or setting at the end\n"
		"  --json               the summary as one JSON object\n"
		"  --quiet              no progress, no summary\n"
		"  --busy-poll          never sleeps when idle\n"
		"  --fill PACKETS       packets of a vector at most (64)\n"
		"  --seed NUMBER        of hashes; the same on captures unless given\n"
		"  --buffers NUMBER     packet buffers\n\n"
		"Signals: INT and TERM end it in order, HUP reads the graph again and swaps it in.\n"
		"Exit code: 0 all well, 1 it failed, 2 wrong usage.\n");
	return status;
}

static bool take_option(struct run *run, int option)
{
	double value = 0;

	switch (option) {
	case 'i':
		*list_add(run->graph.arena, &run->binds.in) = optarg;
		return true;
	case 'o':
		*list_add(run->graph.arena, &run->binds.out) = optarg;
		return true;
	case 'e':
		run->graph.text = optarg;
		return true;
	case 'h':
		*list_add(run->graph.arena, &run->handlers) = optarg;
		return true;
	case 'w':
		if (!cli_number(optarg, "-w", 1, PLAN_WORKERS, &value))
			return false;
		run->workers = (unsigned)value;
		return true;
	case OPTION_SET:
		return cli_set(&run->graph, optarg);
	case OPTION_DURATION:
		return cli_number(optarg, "--duration", 0.001, 1e9, &run->duration_s);
	case OPTION_JSON:
		run->is_json = true;
		return true;
	case OPTION_QUIET:
		run->is_quiet = true;
		return true;
	case OPTION_BUSY:
		run->busy_poll = true;
		return true;
	case OPTION_FILL:
		if (!cli_number(optarg, "--fill", 1, WEIR_VECTOR, &value))
			return false;
		run->fill = (unsigned)value;
		return true;
	case OPTION_SEED:
		run->has_seed = true;
		run->seed = strtoull(optarg, NULL, 0);
		return true;
	case OPTION_BUFFERS:
		if (!cli_number(optarg, "--buffers", 512, 1 << 24, &value))
			return false;
		run->buffers = (unsigned)value;
		return true;
	default:
		return false;
	}
}

static int take_options(struct run *run, int count, char **words)
{
	int option;

	optind = 1;
	while ((option = getopt_long(count, words, "i:o:e:h:w:", options, NULL)) != -1) {
		if (option == OPTION_HELP)
			return usage(stdout, CLI_FINE);
		if (!take_option(run, option))
			return option == '?' ? usage(stderr, CLI_USAGE) : CLI_USAGE;
	}
	if (!run->graph.text && optind < count)
		run->graph.path = words[optind++];
	if (optind == count && (run->graph.text || run->graph.path))
		return -1;
	fprintf(stderr,
		optind < count ? "weir: one graph at a time: \"%s\" is one too many\n"
			       : "weir: which graph?\n",
		words[optind]);
	return CLI_USAGE;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int fail(const struct port_error *why)
{
	fprintf(stderr, "weir: %s%s%s\n", why->text, *why->hint ? "; " : "", why->hint);
	return CLI_FAILED;
}

// ---- SIGHUP

static void reload(struct run *run)
{
	struct cli_graph fresh;
	struct port_error why = { 0 };
	struct plan *plan;

	if (run->graph.text) {
		fprintf(stderr, "weir: a graph given with -e cannot be read again\n");
		return;
	}
	cli_graph_init(&fresh);
	fresh.path = run->graph.path;
	fresh.sets.at = run->graph.sets.at;
	fresh.sets.count = run->graph.sets.count;
	fresh.library = run->graph.library;
	plan = cli_graph_read(&fresh) ? cli_graph_plan(&fresh, run->workers) : NULL;
	if (!plan)
		arena_destroy(fresh.arena);
	else
		plan->text = fresh.arena;
	if (!plan || engine_swap(plan, &why)) {
		if (plan)
			fail(&why);
		fprintf(stderr, "weir: the graph that was running goes on\n");
		return;
	}
	run->plan = engine_generation()->plan;
	fprintf(stderr, "weir: generation %u is in force\n", engine_generation()->number);
}

// ---- while it runs

static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void show_progress(const struct run *run, struct engine_sum *before, double *last, double from)
{
	double now = seconds();
	bool is_terminal = isatty(STDERR_FILENO);

	if (run->is_quiet || now - *last < 1)
		return;
	fprintf(stderr, is_terminal ? "\r" : "");
	summary_progress(run->plan, before, now - *last, now - from, stderr);
	fprintf(stderr, is_terminal ? "\033[K" : "\n");
	*before = engine_sum();
	*last = now;
}

// Until there is nothing more to come, the time is over, or somebody says so.
static void watch(struct run *run, const sigset_t *signals)
{
	struct timespec poll = { .tv_nsec = POLL_MS * 1000000 };
	double from = seconds(), last = from;
	struct engine_sum before = engine_sum();

	while (!engine_is_through()) {
		int signal = sigtimedwait(signals, NULL, &poll);

		if (signal == SIGHUP)
			reload(run);
		else if (signal > 0)
			return;
		if (run->duration_s > 0 && seconds() - from >= run->duration_s)
			return;
		show_progress(run, &before, &last, from);
	}
}

// What has come in goes its way before the end.
static void drain(void)
{
	double until = seconds() + DRAIN_S;

	engine_stop_receiving();
	while (!engine_is_through() && seconds() < until)
		;
}

static int finish(struct run *run, double from)
{
	bool is_well = true;
	struct engine_sum sum;

	drain();
	engine_stop();
	sum = engine_sum();
	if (!run->is_quiet && isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	if (run->is_json)
		summary_json(run->plan, seconds() - from, stdout);
	else if (!run->is_quiet)
		summary_print(run->plan, seconds() - from, stderr);
	if (run->report)
		run->report(run, run->plan);
	summary_ports(engine_generation(), stderr);
	list_each (handler, &run->handlers)
		is_well = summary_handler(run->plan, *handler, stdout) && is_well;
	if (!engine_is_conserved(&sum)) {
		fprintf(stderr,
			"weir: packets were lost count of: received, emitted and cloned are not sent, "
			"dropped, consumed and held\n");
		is_well = false;
	}
	return is_well ? CLI_FINE : CLI_FAILED;
}

static int start(struct run *run)
{
	struct port_error why = { 0 };
	struct engine_wish wish = { .workers = run->workers,
		.fill = run->fill,
		.seed = run->seed,
		.busy_poll = run->busy_poll,
		.buffers = run->buffers,
		.bindings = &run->binds.bindings };
	sigset_t signals;
	double from;
	int status;

	block_signals(&signals);
	if (engine_start(run->plan, &wish, &why)) {
		run->plan = NULL;
		return fail(&why);
	}
	from = seconds();
	watch(run, &signals);
	status = finish(run, from);
	engine_destroy();
	return status;
}

void run_init(struct run *run)
{
	*run = (struct run){ .workers = 1 };
	cli_graph_init(&run->graph);
	run->binds.arena = run->graph.arena;
}

int run_graph(struct run *run)
{
	run->plan = cli_graph_read(&run->graph) ? cli_graph_plan(&run->graph, run->workers) : NULL;
	if (!run->plan)
		return CLI_FAILED;
	if (cli_bind(&run->binds, run->plan))
		return start(run);
	plan_destroy(run->plan);
	return CLI_USAGE;
}

void run_uninit(struct run *run)
{
	cli_graph_free(&run->graph);
}

int cli_run(int count, char **words)
{
	struct run run;
	int status;

	run_init(&run);
	status = take_options(&run, count, words);
	if (status < 0)
		status = run_graph(&run);
	run_uninit(&run);
	return status;
}
