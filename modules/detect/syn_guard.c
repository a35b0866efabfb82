// SPDX-License-Identifier: Apache-2.0
// SynGuard - refuses new connections of hosts that open many handshakes and finish few
#include "detect.h"

struct host { uint32_t half_open; bool is_reported; };
struct flood { struct weir_addr source; uint32_t half_open; };
WEIR_EVENT(flood_detected, "synguard.flood_detected", struct flood, .layer = WEIR_L4, .per = WEIR_PER_HOST,
	.about = "a host has as many half-open handshakes as it may",
	WEIR_PARTS(WEIR_PART(flood, source, "ip.src"), WEIR_PART(flood, source, "ipv6.src"),
		WEIR_PART(flood, half_open, "synguard.half_open")));

struct syn_guard {
	uint32_t half_open_limit;
	WEIR_TABLE(struct weir_addr, struct host) hosts;
	WEIR_SIGNAL(flood_detected) flood;
	weir_counter refused;
};

static enum weir_verdict handshake_started(struct weir_event *event)
{
	struct syn_guard *self = weir_self(event);
	struct host *host = weir_table_at(self->hosts, weir_client(event));

	if (host->half_open < self->half_open_limit) {
		host->half_open++;
		return WEIR_PASS;
	}
	if (!host->is_reported)
		weir_raise(event, self->flood, &(struct flood){ *weir_client(event), host->half_open });
	host->is_reported = true;
	return weir_dropped(event, WEIR_DROP_FLOW, &self->refused);
}

static enum weir_verdict handshake_finished(struct weir_event *event)
{
	struct syn_guard *self = weir_self(event);
	struct host *host = weir_table_at(self->hosts, weir_client(event));

	host->half_open -= host->half_open > 0;
	return WEIR_DONE;
}

WEIR_CLASS(SynGuard, syn_guard,
	.about = "refuses new connections of hosts that open many handshakes and finish few",
	.by = WEIR_CLIENT,
	WEIR_MEMBERS(WEIR_SETTING(syn_guard, half_open_limit, "100", .min = 1, .max = 1000000,
			     .about = "half-open handshakes that a host may have"),
		WEIR_KEEPS(syn_guard, hosts, .rows = 1 << 20, .idle_s = 60),
		WEIR_RAISES(syn_guard, flood, flood_detected),
		WEIR_DROPS(syn_guard, refused, .about = "packets of connections beyond that")),
	WEIR_HANDLERS(WEIR_ON(flow_started, handshake_started, .where = "tcp"),
		WEIR_ON(tcp_established, handshake_finished)));
