// SPDX-License-Identifier: Apache-2.0
// One measurement of weir bench: a graph in a process of its own, between a source of frames and a sink.
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include "cli/cli.h"

struct bench_wish {
	const char *frames; // a capture; NULL: made up
	unsigned size, flows, rounds_of_buffers; // of frames made up; how many buffers go round
	unsigned workers, fill, buffers;
	int core; // -1: any
	double warm_s, seconds; // before a measurement, and of it
	struct cli_graph *sets; // variables of --set
};

struct bench_result {
	double packets, seconds;
	double cycles;       // of the processor's clock for time stamps, while our threads ran
	double instructions; // 0: the machine does not count them
	double hertz;        // of that clock
};

// false after a message. `path` or `text` is the graph.
bool bench_measure(const struct bench_wish *wish, const char *path, const char *text, struct bench_result *result);

#endif
