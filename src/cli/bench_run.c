// SPDX-License-Identifier: Apache-2.0
// One measurement. Each has a process of its own, so that none finds memory, caches or ports as another left them. What
// counts is the time that our threads had a processor: what others took of it in the meantime is not in the figure.
#define _GNU_SOURCE // for processor sets
#include "cli/bench.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

enum { DRAIN_S = 3 };

// ---- clocks

static double clock_s(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void sleep_s(double seconds)
{
	struct timespec time = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

// Instructions in user mode, of all threads that start from now on; -1: there is no such counter here.
static int open_counter(void)
{
	struct perf_event_attr what = { .type = PERF_TYPE_HARDWARE,
		.size = sizeof(what),
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.inherit = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1 };

	return (int)syscall(SYS_perf_event_open, &what, 0, -1, -1, 0);
}

static double read_counter(int counter)
{
	uint64_t value = 0;

	return counter >= 0 && read(counter, &value, sizeof(value)) == sizeof(value) ? (double)value : 0;
}

struct moment {
	double wall_s, ours_s, ticks, packets, instructions;
};

static struct moment now(int counter)
{
	return (struct moment){
		.wall_s = clock_s(CLOCK_MONOTONIC),
		.ours_s = clock_s(CLOCK_PROCESS_CPUTIME_ID),
		.ticks = (double)__rdtsc(),
		.packets = (double)engine_sum().received,
		.instructions = read_counter(counter),
	};
}

static struct bench_result between(const struct moment *from, const struct moment *to)
{
	double per_second = (to->ticks - from->ticks) / (to->wall_s - from->wall_s);

	return (struct bench_result){
		.packets = to->packets - from->packets,
		.seconds = to->wall_s - from->wall_s,
		.cycles = (to->ours_s - from->ours_s) * per_second,
		.instructions = to->instructions - from->instructions,
		.hertz = per_second,
	};
}

// ---- in the process of its own

static const char *source_of(const struct bench_wish *wish, struct arena *arena)
{
	if (wish->frames)
		return arena_print(arena, "null:frames=%s,buffers=%u", wish->frames, wish->rounds_of_buffers);
	return arena_print(arena, "null:size=%u,flows=%u,buffers=%u", wish->size, wish->flows,
		wish->rounds_of_buffers);
}

static struct plan *plan_graph(const struct bench_wish *wish, struct cli_graph *graph, struct cli_binds *binds)
{
	struct plan *plan = cli_graph_read(graph) ? cli_graph_plan(graph, wish->workers) : NULL;

	if (plan && !cli_bind_open(binds, plan, source_of(wish, graph->arena), "null:")) {
		fprintf(stderr, "weir: %s: no port is left open that packets could enter by; write FromDump or Port "
				"without a device\n",
			graph->path ? graph->path : graph->text);
		plan_destroy(plan);
		return NULL;
	}
	return plan;
}

static bool end(void)
{
	double until = clock_s(CLOCK_MONOTONIC) + DRAIN_S;
	struct engine_sum sum;

	engine_stop_receiving();
	while (!engine_is_through() && clock_s(CLOCK_MONOTONIC) < until)
		sleep_s(0.001);
	engine_stop();
	sum = engine_sum();
	engine_destroy();
	if (!engine_is_conserved(&sum))
		fprintf(stderr, "weir: packets were lost count of: the figure is worth nothing; please report this\n");
	return engine_is_conserved(&sum);
}

static bool run_plan(const struct bench_wish *wish, struct plan *plan, const struct bindings *bindings, int counter,
	struct bench_result *result)
{
	struct engine_wish engine = { .workers = wish->workers,
		.fill = wish->fill,
		.busy_poll = true,
		.buffers = wish->buffers,
		.bindings = bindings };
	struct port_error why = { 0 };
	struct moment from, to;

	if (engine_start(plan, &engine, &why)) {
		fprintf(stderr, "weir: %s%s%s\n", why.text, *why.hint ? "; " : "", why.hint);
		return false;
	}
	sleep_s(wish->warm_s);
	from = now(counter);
	sleep_s(wish->seconds);
	to = now(counter);
	*result = between(&from, &to);
	return end();
}

static bool run(const struct bench_wish *wish, struct cli_graph *graph, struct bench_result *result)
{
	struct cli_binds binds = { .arena = graph->arena };
	int counter = open_counter();
	struct plan *plan;
	bool is_well;

	graph->sets.at = wish->sets->sets.at;
	graph->sets.count = wish->sets->sets.count;
	plan = plan_graph(wish, graph, &binds);
	is_well = plan && run_plan(wish, plan, &binds.bindings, counter, result);
	if (is_well && result->packets <= 0) {
		fprintf(stderr, "weir: no packet came through in %g s\n", wish->seconds);
		is_well = false;
	}
	if (counter >= 0)
		close(counter);
	return is_well;
}

static void pin(int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)core, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		fprintf(stderr, "weir: --core %d: %s; it runs anywhere\n", core, strerror(errno));
}

static int child(const struct bench_wish *wish, const char *path, const char *text, int to)
{
	struct bench_result result;
	struct cli_graph graph;
	bool is_well;

	if (wish->core >= 0)
		pin(wish->core);
	cli_graph_init(&graph);
	graph.path = path;
	graph.text = text;
	is_well = run(wish, &graph, &result) && write(to, &result, sizeof(result)) == sizeof(result);
	cli_graph_free(&graph);
	return is_well ? CLI_FINE : CLI_FAILED;
}

bool bench_measure(const struct bench_wish *wish, const char *path, const char *text, struct bench_result *result)
{
	int ends[2], status = -1;
	bool is_well;
	pid_t pid;

	if (pipe(ends)) {
		fprintf(stderr, "weir: %s\n", strerror(errno));
		return false;
	}
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(ends[0]);
		exit(child(wish, path, text, ends[1]));
	}
	close(ends[1]);
	is_well = pid > 0 && read(ends[0], result, sizeof(*result)) == sizeof(*result);
	close(ends[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && WIFSIGNALED(status))
		fprintf(stderr, "weir: the measurement ended by signal %d\n", WTERMSIG(status));
	return is_well && WIFEXITED(status) && WEXITSTATUS(status) == CLI_FINE;
}
