// SPDX-License-Identifier: Apache-2.0
// HttpHosts - tells each host that is asked over HTTP, the first time
#include "detect.h"
#include <weir_http.h>

struct host { struct weir_addr server; struct weir_text name; };
WEIR_EVENT(http_host, "httphosts.seen", struct host, .layer = WEIR_L7, .per = WEIR_PER_SESSION,
	.about = "a host that was not asked before",
	WEIR_PARTS(WEIR_PART(host, name, "httphosts.name"), WEIR_PART(host, server, "ip.dst"),
		WEIR_PART(host, server, "ipv6.dst")));

struct http_hosts {
	WEIR_TABLE(struct detect_name, uint64_t) hosts; // how often it was asked
	WEIR_SIGNAL(http_host) seen;
	weir_counter requests, distinct;
};

static enum weir_verdict request_came(struct weir_event *event, const struct weir_http_request *request)
{
	struct http_hosts *self = weir_self(event);
	struct detect_name name = detect_name(&request->host);

	weir_count(&self->requests);
	if ((*weir_table_at(self->hosts, &name))++)
		return WEIR_PASS;
	weir_count(&self->distinct);
	weir_raise(event, self->seen, &(struct host){ request->server, request->host });
	return WEIR_PASS;
}

WEIR_CLASS(HttpHosts, http_hosts,
	.about = "tells each host that is asked over HTTP", .by = WEIR_ANY,
	WEIR_MEMBERS(WEIR_KEEPS(http_hosts, hosts, .rows = 1 << 16), WEIR_RAISES(http_hosts, seen, http_host),
		WEIR_COUNTS(http_hosts, requests, .about = "requests that name a host"),
		WEIR_COUNTS(http_hosts, distinct, .about = "of them, for a host that was not asked before")),
	WEIR_HANDLERS(WEIR_ON(http_request, request_came, .where = "http.host")));
