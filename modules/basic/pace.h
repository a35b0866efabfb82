// SPDX-License-Identifier: Apache-2.0
// A rate as a point in time: when the next unit may go. It lags behind the clock by the burst at
// most. Unlike a bucket of credit it is charged afterwards, when it is known how much went.
#ifndef BASIC_PACE_H
#define BASIC_PACE_H

#include <weir.h>

struct pace {
	uint64_t next_ns, burst_ns;
	uint64_t per_unit_ps;
	uint32_t rest_ps; // of next_ns, below a nanosecond
};

static inline void pace_init(struct pace *pace, uint64_t per_second, uint64_t burst_ns)
{
	*pace = (struct pace){ .per_unit_ps = 1000000000000u / per_second, .burst_ns = burst_ns };
}

static inline bool pace_is_due(const struct pace *pace, uint64_t now_ns)
{
	return pace->next_ns <= now_ns;
}

static inline void pace_charge(struct pace *pace, uint64_t now_ns, uint64_t units)
{
	uint64_t least_ns = now_ns > pace->burst_ns ? now_ns - pace->burst_ns : 0, cost_ps;

	if (pace->next_ns < least_ns) {
		pace->next_ns = least_ns;
		pace->rest_ps = 0;
	}
	cost_ps = pace->rest_ps + units * pace->per_unit_ps;
	pace->next_ns += cost_ps / 1000;
	pace->rest_ps = (uint32_t)(cost_ps % 1000);
}

#endif
