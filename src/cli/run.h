// SPDX-License-Identifier: Apache-2.0
// A graph that runs until its captures end, the time is over, or a signal comes.
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "cli/cli.h"

struct run {
	struct cli_graph graph;
	struct cli_binds binds;
	LIST(const char *) handlers;
	unsigned workers, fill, buffers;
	double duration_s;
	uint64_t seed;
	bool has_seed, is_json, is_quiet, busy_poll;
	struct plan *plan;
	void (*report)(const struct run *run, const struct plan *plan); // at the end; NULL: none of its own
};

void run_init(struct run *run);
// Reads, plans, binds, runs; an exit code, after a message where it failed.
int run_graph(struct run *run);
void run_uninit(struct run *run);

#endif
