// SPDX-License-Identifier: Apache-2.0
// What the platform's own classes are to the planner and the engine: `platform` of a class points to it.
#ifndef PLAN_PLATFORM_H
#define PLAN_PLATFORM_H

#include "port/port.h"

#include <weir.h>

enum platform_kind { PLATFORM_PORT, PLATFORM_OBSERVER, PLATFORM_TRACKER };

struct platform_class {
	enum platform_kind kind;
	enum port_direction direction; // of ports
};

// The struct of each port class.
struct port_element {
	const char *device; // a port's spec; "": open, bound by -i and -o
	const char *side;   // "inside", "outside", or what the operator calls it
};

// The struct of each observer class.
struct observer_element {
	const char *file; // "-": standard output
	struct weir_texts events, fields;
	const char *where;
	const char *format; // "json", "lines", "colour"; "streams": file is a folder
	uint32_t most_files;
	weir_counter lost;                   // each worker writes its own
	weir_counter streams, bytes, errors; // the observer's thread writes the first worker's
};

// FlowTracker: how the tracker works. Times are seconds without a packet.
struct tracker_element {
	uint32_t max_flows;
	bool vlan, tunnel; // are part of a flow's key
	bool hash; // of the bytes of streams
	bool midstream, one_sided; // connections that were under way; those of which one side is seen
	const char *overlap, *fragments; // policies
	uint32_t half_open_s, open_s, closing_s, closed_s; // of TCP
	uint32_t udp_s, icmp_s, other_s;
	// As of a worker's last vectors, once in a while and at the end.
	weir_counter active, most, added, timed_out, finished, reset, reused, stopped;
	weir_counter forgotten_dropped, forgotten_half_open, forgotten_closing, forgotten_open;
	weir_counter streams, gaps, lost_bytes, unremembered, fragments_lost;
};

static inline bool platform_is_tracker(const struct weir_class *class)
{
	const struct platform_class *platform = class->platform;

	return platform && platform->kind == PLATFORM_TRACKER;
}
static inline const struct platform_class *platform_port(const struct weir_class *class)
{
	const struct platform_class *platform = class->platform;

	return platform && platform->kind == PLATFORM_PORT ? platform : NULL;
}
static inline bool platform_is_observer(const struct weir_class *class)
{
	const struct platform_class *platform = class->platform;

	return platform && platform->kind == PLATFORM_OBSERVER;
}

#endif
