// SPDX-License-Identifier: Apache-2.0
// What weir watch was asked for, before there is a graph of it.
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include "cli/run.h"

struct watch {
	struct run run;
	const char *filter, *events; // as written; NULL: not given
	const char *definitions;     // of events, as a graph has them; a line each
	bool is_json, is_readable, sums_up, hashes;
	LIST(const char *) names;    // of events that are told
	bool tells_packets;          // some of them are of packets, not of flows
};

// From names and globs to the names of events that there are, and whether the filter is one for any of them. false
// after messages that point into what was written.
bool watch_choose(struct watch *watch, const struct plan *plan);

#endif
