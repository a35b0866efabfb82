// SPDX-License-Identifier: Apache-2.0
// ScanDetector - tells of hosts that fail to connect to many others
#include "detect.h"

enum { BITS = 256 }; // a target sets one of them: distinct ones are counted a little low
struct scanner { uint64_t targets[BITS / 64]; bool is_reported; };
struct scan { struct weir_addr source; uint32_t targets; };
WEIR_EVENT(scan_detected, "scan.detected", struct scan, .layer = WEIR_L4, .per = WEIR_PER_HOST,
	.about = "a host has failed to connect to many targets",
	WEIR_PARTS(WEIR_PART(scan, source, "ip.src"), WEIR_PART(scan, source, "ipv6.src"),
		WEIR_PART(scan, targets, "scan.targets")));

struct scan_detector {
	uint32_t targets;
	WEIR_TABLE(struct weir_addr, struct scanner) hosts;
	WEIR_SIGNAL(scan_detected) detected;
	weir_counter failed, scanners;
};

static unsigned bit_of(const struct weir_flow_end *end)
{
	uint64_t word[2];

	memcpy(word, end->server.bytes, sizeof(word));
	return (word[0] ^ (word[1] + end->server_port) * 0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd >> 56;
}

// Who was answered by nobody, or by a reset alone, has failed.
static enum weir_verdict flow_went(struct weir_event *event, const struct weir_flow_end *end)
{
	struct scan_detector *self = weir_self(event);
	struct scanner *host;
	uint32_t count = 0;

	if (end->payload_back || end->packets_back > 1 || end->packets_out > 4)
		return WEIR_PASS;
	weir_count(&self->failed);
	host = weir_table_at(self->hosts, &end->client);
	host->targets[bit_of(end) / 64] |= UINT64_C(1) << bit_of(end) % 64;
	for (unsigned i = 0; i < BITS / 64; i++)
		count += (uint32_t)__builtin_popcountll(host->targets[i]);
	if (count < self->targets || host->is_reported)
		return WEIR_PASS;
	host->is_reported = true;
	weir_count(&self->scanners);
	weir_raise(event, self->detected, &(struct scan){ end->client, count });
	return WEIR_PASS;
}

WEIR_CLASS(ScanDetector, scan_detector,
	.about = "tells of hosts that fail to connect to many others", .by = WEIR_CLIENT,
	WEIR_MEMBERS(WEIR_SETTING(scan_detector, targets, "25", .min = 1, .max = 128,
			     .about = "addresses with ports to which a host may fail to connect"),
		WEIR_KEEPS(scan_detector, hosts, .rows = 1 << 18, .idle_s = 300),
		WEIR_RAISES(scan_detector, detected, scan_detected),
		WEIR_COUNTS(scan_detector, failed, .about = "connections that failed"),
		WEIR_COUNTS(scan_detector, scanners, .about = "hosts that were told of")),
	WEIR_HANDLERS(WEIR_ON(flow_ended, flow_went, .where = "tcp")));
