// SPDX-License-Identifier: Apache-2.0
// weir bench: what graphs cost. Each is measured some rounds long, one after another within a round, so that
// a machine that is busy for a while hits all alike; the source of packets alone is measured with them. What
// counts is the median.
#include "cli/bench.h"

#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>

enum {
	OPTION_FRAMES = 256,
	OPTION_SIZE,
	OPTION_FLOWS,
	OPTION_CIRCLE,
	OPTION_FILL,
	OPTION_BUFFERS,
	OPTION_CORE,
	OPTION_ROUNDS,
	OPTION_SECONDS,
	OPTION_WARM,
	OPTION_SET,
	OPTION_JSON,
	OPTION_HELP,
	MOST_ROUNDS = 1000
};

struct measured {
	const char *name, *path, *text;
	struct bench_result *results; // by round
	double median, least, instructions, rate; // per packet; packets a second
};

struct bench {
	struct bench_wish wish;
	struct cli_graph graph; // arena and variables
	LIST(struct measured) graphs;
	unsigned rounds;
	bool is_json;
};

static const struct option options[] = {
	{ "frames", required_argument, NULL, OPTION_FRAMES },
	{ "size", required_argument, NULL, OPTION_SIZE },
	{ "flows", required_argument, NULL, OPTION_FLOWS },
	{ "circle", required_argument, NULL, OPTION_CIRCLE },
	{ "fill", required_argument, NULL, OPTION_FILL },
	{ "buffers", required_argument, NULL, OPTION_BUFFERS },
	{ "core", required_argument, NULL, OPTION_CORE },
	{ "rounds", required_argument, NULL, OPTION_ROUNDS },
	{ "seconds", required_argument, NULL, OPTION_SECONDS },
	{ "warm", required_argument, NULL, OPTION_WARM },
	{ "workers", required_argument, NULL, 'w' },
	{ "set", required_argument, NULL, OPTION_SET },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ 0 },
};

static int usage(FILE *to, int status)
{
	fprintf(to,
		"usage: weir bench [OPTION]... [GRAPH | -e 'GRAPH TEXT']...\n"
		"Measures graphs, each between a source of frames and a sink, and the source alone beside them.\n\n"
		"  -e TEXT              a graph; ports and captures that it leaves open are measured through\n"
		"  --frames FILE        the frames are those of a capture, again and again\n"
		"  --size BYTES         they are made up, UDP over IPv4, so long (64)\n"
		"  --flows NUMBER       of so many flows (1024)\n"
		"  --circle BUFFERS     so many buffers go round, in shuffled order (16384)\n"
		"  --fill PACKETS       packets of a vector at most (64)\n"
		"  --rounds NUMBER      measurements of each graph, interleaved (5)\n"
		"  --seconds SECONDS    each so long (0.4)\n"
		"  --warm SECONDS       what runs before it and does not count (0.06)\n"
		"  --core NUMBER        the processor that it runs on (any)\n"
		"  -w WORKERS           threads (1)\n"
		"  --buffers NUMBER     packet buffers in all\n"
		"  --set NAME=VALUE     a variable of the graphs\n"
		"  --json               all measurements as one JSON object\n\n"
		"Cycles are those of the clock for time stamps (TSC), as the median of all rounds, in parentheses the least.\n"
		"Exit code: 0 all well, 1 it failed, 2 wrong usage.\n");
	return status;
}

// ---- options

static const struct numeric { // options that are numbers
	int option;
	const char *name;
	double least, most;
} numerics[] = {
	{ OPTION_SIZE, "--size", 64, 9000 },
	{ OPTION_FLOWS, "--flows", 1, 1 << 20 },
	{ OPTION_CIRCLE, "--circle", 64, 1 << 22 },
	{ OPTION_FILL, "--fill", 1, WEIR_VECTOR },
	{ OPTION_BUFFERS, "--buffers", 512, 1 << 24 },
	{ OPTION_CORE, "--core", 0, 1023 },
	{ OPTION_ROUNDS, "--rounds", 1, MOST_ROUNDS },
	{ OPTION_SECONDS, "--seconds", 0.01, 3600 },
	{ OPTION_WARM, "--warm", 0, 3600 },
	{ 'w', "--workers", 1, PLAN_WORKERS },
};

static void take_number(struct bench *bench, int option, double value)
{
	unsigned whole = (unsigned)value;
	unsigned *to = option == OPTION_SIZE ? &bench->wish.size
		: option == OPTION_FLOWS     ? &bench->wish.flows
		: option == OPTION_CIRCLE    ? &bench->wish.rounds_of_buffers
		: option == OPTION_FILL	     ? &bench->wish.fill
		: option == OPTION_BUFFERS   ? &bench->wish.buffers
		: option == OPTION_ROUNDS    ? &bench->rounds
		: option == 'w'		     ? &bench->wish.workers
					     : NULL;

	if (to)
		*to = whole;
	else if (option == OPTION_CORE)
		bench->wish.core = (int)whole;
	else if (option == OPTION_WARM)
		bench->wish.warm_s = value;
	else
		bench->wish.seconds = value;
}

static void add_graph(struct bench *bench, const char *name, const char *path, const char *text)
{
	*list_add(bench->graph.arena, &bench->graphs) = (struct measured){ .name = name, .path = path, .text = text };
}

static bool take_option(struct bench *bench, int option)
{
	double value;

	switch (option) {
	case 'e':
		add_graph(bench, optarg, NULL, optarg);
		return true;
	case OPTION_FRAMES:
		bench->wish.frames = optarg;
		return true;
	case OPTION_SET:
		return cli_set(&bench->graph, optarg);
	case OPTION_JSON:
		bench->is_json = true;
		return true;
	}
	for (size_t i = 0; i < sizeof(numerics) / sizeof(*numerics); i++) {
		const struct numeric *it = &numerics[i];

		if (it->option != option)
			continue;
		if (!cli_number(optarg, it->name, it->least, it->most, &value))
			return false;
		take_number(bench, option, value);
		return true;
	}
	return false;
}

static int take_options(struct bench *bench, int count, char **words)
{
	int option;

	optind = 1;
	add_graph(bench, "source alone", NULL, "FromDump -> Discard;");
	while ((option = getopt_long(count, words, "e:w:", options, NULL)) != -1) {
		if (option == OPTION_HELP)
			return usage(stdout, CLI_FINE);
		if (!take_option(bench, option))
			return option == '?' ? usage(stderr, CLI_USAGE) : CLI_USAGE;
	}
	while (optind < count) {
		add_graph(bench, words[optind], words[optind], NULL);
		optind++;
	}
	if (!bench->wish.buffers)
		bench->wish.buffers = bench->wish.rounds_of_buffers * bench->wish.workers * 2 + 8192;
	return -1;
}

// ---- measuring

static int compare(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

static double median_of(double *values, unsigned count)
{
	qsort(values, count, sizeof(*values), compare);
	return (values[count / 2] + values[(count - 1) / 2]) / 2;
}

static void judge(struct measured *it, unsigned rounds)
{
	double cycles[MOST_ROUNDS], rates[MOST_ROUNDS], instructions[MOST_ROUNDS];

	for (unsigned i = 0; i < rounds; i++) {
		const struct bench_result *result = &it->results[i];

		cycles[i] = result->cycles / result->packets;
		rates[i] = result->packets / result->seconds;
		instructions[i] = result->instructions / result->packets;
	}
	it->median = median_of(cycles, rounds);
	it->least = cycles[0];
	it->rate = median_of(rates, rounds);
	it->instructions = median_of(instructions, rounds);
}

static bool measure(struct bench *bench)
{
	list_each (it, &bench->graphs)
		it->results = arena_array(bench->graph.arena, struct bench_result, bench->rounds);
	for (unsigned round = 0; round < bench->rounds; round++)
		list_each (it, &bench->graphs)
			if (!bench_measure(&bench->wish, it->path, it->text, &it->results[round]))
				return false;
	list_each (it, &bench->graphs)
		judge(it, bench->rounds);
	return true;
}

// ---- telling

static void print_row(const struct measured *it, const struct measured *source)
{
	bool is_source = it == source;

	printf("%-34.34s%s %8.1f (%.1f)", it->name, strlen(it->name) > 34 ? "~" : " ", it->median, it->least);
	if (is_source)
		printf("%8s %7s", "", "");
	else
		printf("%8.1f %7.2f", it->median - source->median, it->median / source->median);
	printf(" %9.2f", it->rate / 1e6);
	if (it->instructions > 0)
		printf(" %9.1f", it->instructions);
	printf("\n");
}

static void print_table(const struct bench *bench)
{
	const struct measured *source = &bench->graphs.at[0];

	printf("vectors of %u, %u buffers in shuffled order, %u rounds\n\n",
		bench->wish.fill ? bench->wish.fill : WEIR_VECTOR, bench->wish.rounds_of_buffers,
		bench->rounds);
	printf("%-35s %-16s %6s %7s %9s %s\n", "cycles per packet", "median (least)", "over", "ratio", "Mpackets/s",
		source->instructions > 0 ? "instructions" : "");
	list_each (it, &bench->graphs)
		print_row(it, source);
	if (source->instructions <= 0)
		printf("\nInstructions: this machine does not let us count them.\n");
}

static json_t *row_json(const struct measured *it, unsigned rounds)
{
	json_t *cycles = json_array();

	for (unsigned i = 0; i < rounds; i++)
		json_array_append_new(cycles, json_real(it->results[i].cycles / it->results[i].packets));
	return json_pack("{s:s, s:f, s:f, s:f, s:o?, s:o}", "graph", it->name, "median", it->median, "least", it->least,
		"packets_per_second", it->rate, "instructions",
		it->instructions > 0 ? json_real(it->instructions) : json_null(), "cycles", cycles);
}

static void print_json(const struct bench *bench)
{
	json_t *rows = json_array(), *all;

	list_each (it, &bench->graphs)
		json_array_append_new(rows, row_json(it, bench->rounds));
	all = json_pack("{s:i, s:i, s:f, s:f, s:o}", "fill", (int)(bench->wish.fill ? bench->wish.fill : WEIR_VECTOR),
		"rounds", (int)bench->rounds, "seconds", bench->wish.seconds,
		"hertz", bench->graphs.at[0].results[0].hertz, "graphs", rows);
	json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	printf("\n");
	json_decref(all);
}

int cli_bench(int count, char **words)
{
	struct bench bench = {
		.wish = { .size = 64,
			.flows = 1024,
			.rounds_of_buffers = 16384,
			.workers = 1,
			.core = -1,
			.warm_s = 0.06,
			.seconds = 0.4,
			.sets = &bench.graph },
		.rounds = 5,
	};
	int status;

	cli_graph_init(&bench.graph);
	status = take_options(&bench, count, words);
	if (status < 0) {
		status = measure(&bench) ? CLI_FINE : CLI_FAILED;
		if (status == CLI_FINE && bench.is_json)
			print_json(&bench);
		else if (status == CLI_FINE)
			print_table(&bench);
	}
	cli_graph_free(&bench.graph);
	return status;
}
