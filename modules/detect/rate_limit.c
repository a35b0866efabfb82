// SPDX-License-Identifier: Apache-2.0
// RateLimit - drops what a host sends above a rate
#include "detect.h"

struct rate_limit {
	uint64_t rate, burst;
	WEIR_COLUMN(uint32_t) from4;
	WEIR_COLUMN(struct weir_addr) from6;
	WEIR_TABLE(struct weir_addr, struct weir_bucket) hosts;
	weir_counter limited;
};

static bool may_pass(struct rate_limit *self, const struct weir_addr *host, uint64_t now_ns)
{
	struct weir_bucket *bucket = weir_table_at(self->hosts, host);

	if (!bucket->per_second)
		weir_bucket_init(bucket, self->rate, self->burst);
	return weir_bucket_take(bucket, now_ns, 1);
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct rate_limit *self = weir_self(call);
	weir_mask limited = 0, ip4 = in & weir_has(v, self->from4), ip6 = in & weir_has(v, self->from6) & ~ip4;

	weir_each (i, ip4) {
		struct weir_addr host = weir_addr4(weir_column(v, self->from4)[i]);

		limited |= (weir_mask)!may_pass(self, &host, v->time_ns[i]) << i;
	}
	weir_each (i, ip6)
		limited |= (weir_mask)!may_pass(self, &weir_column(v, self->from6)[i], v->time_ns[i]) << i;
	weir_drop(call, limited, &self->limited);
	out[0] = in & ~limited;
}

WEIR_CLASS(RateLimit, rate_limit,
	.about = "drops what a host sends above a rate", .by = "ip.src",
	WEIR_MEMBERS(WEIR_SETTING(rate_limit, rate, WEIR_REQUIRED, .min = 1, .max = 1000000000,
			     .about = "packets per second of each source address"),
		WEIR_SETTING(rate_limit, burst, "100", .min = 1, .max = 1000000000, .about = "packets at once"),
		WEIR_READS_IF(rate_limit, from4, "ip.src"), WEIR_READS_IF(rate_limit, from6, "ipv6.src"),
		WEIR_KEEPS(rate_limit, hosts, .rows = 1 << 18, .idle_s = 60),
		WEIR_DROPS(rate_limit, limited, .about = "packets above the rate")),
	.process = process);
