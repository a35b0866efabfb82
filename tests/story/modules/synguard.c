// SPDX-License-Identifier: Apache-2.0
// synguard - refuses new connections from hosts that open many handshakes and finish few
#include <weir.h>

struct host {
	uint32_t half_open;
	bool     reported;
};

struct flood { struct weir_addr source; uint32_t half_open; };
WEIR_EVENT(flood_detected, "synguard.flood_detected", struct flood, .layer = WEIR_L4, .per = WEIR_PER_HOST,
	WEIR_PARTS(WEIR_PART(flood, source, "ip.src"), WEIR_PART(flood, half_open, "synguard.half_open")));

struct synguard {
	uint32_t                                  half_open_limit;
	WEIR_TABLE(struct weir_addr, struct host) hosts;           // by client address
	weir_counter                              refused;
	WEIR_SIGNAL(flood_detected)               flood;
};

static enum weir_verdict handshake_started(struct weir_event *event)
{
	struct synguard *self = weir_self(event);
	struct host *host = weir_table_at(self->hosts, weir_client(event));

	if (host->half_open < self->half_open_limit) {
		host->half_open++;
		return WEIR_PASS;
	}
	if (!host->reported)
		weir_raise(event, self->flood, &(struct flood){ *weir_client(event), host->half_open });
	host->reported = true;
	return weir_dropped(event, WEIR_DROP_FLOW, &self->refused);
}

static enum weir_verdict handshake_finished(struct weir_event *event)
{
	struct synguard *self = weir_self(event);
	struct host *host = weir_table_at(self->hosts, weir_client(event));

	if (host->half_open)
		host->half_open--;
	return WEIR_DONE;
}

WEIR_CLASS(SynGuard, synguard,
	.about = "refuses hosts that flood with half-open handshakes",
	.by    = WEIR_CLIENT,
	WEIR_MEMBERS(
		WEIR_SETTING(synguard, half_open_limit, "100", .min = 1, .max = 1000000,
			.about = "half-open handshakes allowed per host"),
		WEIR_KEEPS(synguard, hosts, .rows = 1 << 20, .idle_s = 60),
		WEIR_COUNTS(synguard, refused),
		WEIR_RAISES(synguard, flood, flood_detected)),
	WEIR_HANDLERS(
		WEIR_ON(flow_started, handshake_started, .where = "tcp"),
		WEIR_ON(tcp_established, handshake_finished)));

WEIR_MODULE("synguard", "1.0.0", &SynGuard);
