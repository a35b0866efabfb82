// SPDX-License-Identifier: Apache-2.0
// What `weir watch --summary` counts: an element of the graph, one struct per worker, and the report of all together.
#ifndef CLI_WATCH_COUNT_H
#define CLI_WATCH_COUNT_H

#include "cli/cli.h"
#include "cli/talkers.h"

enum watch_reason { ENDED_FINISHED, ENDED_RESET, ENDED_TIMED_OUT, ENDED_FORGOTTEN, ENDED_REUSED, ENDED_STOPPED,
	WATCH_REASONS };
enum watch_finding {
	FOUND_RETRANSMITTED,
	FOUND_OUT_OF_ORDER,
	FOUND_ZERO_WINDOW,
	FOUND_RESET,
	FOUND_GAP,
	FOUND_OVERLAPPED,
	FOUND_CONFLICT, // those of OVERLAPPED whose bytes differ
	FOUND_MALFORMED,
	WATCH_FINDINGS,
};
extern const char *const watch_reasons[WATCH_REASONS], *const watch_findings[WATCH_FINDINGS];

struct watch_count {
	WEIR_COLUMN(uint32_t) length;
	uint64_t packets, bytes, first_ns, last_ns;
	uint64_t flows[256][WATCH_REASONS]; // by protocol
	uint64_t found[WATCH_FINDINGS];
	uint64_t gap_bytes;
	struct talkers by_bytes, by_flows;
};

extern const struct weir_module watch_module; // has the class WatchCount
extern const struct weir_class WatchCount;

uint64_t watch_missed(void); // packets that came faster than they could be read
// Of all workers, after the end.
void watch_report_json(const struct plan *plan, FILE *to);
void watch_report(const struct plan *plan, FILE *to);

#endif
