// SPDX-License-Identifier: Apache-2.0
// The report of weir watch --summary: as one JSON object, or for people.
#include "cli/watch_count.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <time.h>

enum { SHOWN = 10 };

struct total {
	struct watch_count *sum; // but talkers
	struct talker *top[2];   // by bytes, by flows
	uint32_t top_count[2];
	uint64_t unseen[2];      // what one who has no row may have
	uint64_t missed;         // packets that came too fast
	struct engine_sum engine;
};

static const char *name_of(unsigned protocol)
{
	static const char *const names[256] = { [1] = "icmp", [2] = "igmp", [6] = "tcp", [17] = "udp", [47] = "gre",
		[50] = "esp", [51] = "ah", [58] = "icmpv6", [89] = "ospf", [132] = "sctp", [136] = "udplite" };
	static char number[16];

	if (names[protocol])
		return names[protocol];
	snprintf(number, sizeof(number), "%u", protocol);
	return number;
}

static void text_of(char text[INET6_ADDRSTRLEN], const struct weir_addr *addr)
{
	bool is_ip4 = weir_is_ip4(addr);

	inet_ntop(is_ip4 ? AF_INET : AF_INET6, addr->bytes + (is_ip4 ? 12 : 0), text, INET6_ADDRSTRLEN);
}

// ---- all workers together

static void add(struct watch_count *sum, const struct watch_count *one)
{
	sum->packets += one->packets;
	sum->bytes += one->bytes;
	sum->gap_bytes += one->gap_bytes;
	if (one->first_ns && (!sum->first_ns || one->first_ns < sum->first_ns))
		sum->first_ns = one->first_ns;
	if (one->last_ns > sum->last_ns)
		sum->last_ns = one->last_ns;
	for (unsigned i = 0; i < WATCH_FINDINGS; i++)
		sum->found[i] += one->found[i];
	for (unsigned i = 0; i < 256; i++)
		for (unsigned reason = 0; reason < WATCH_REASONS; reason++)
			sum->flows[i][reason] += one->flows[i][reason];
}

static void merge(struct total *total, unsigned by, const struct watch_count *const *counts, unsigned workers)
{
	const struct talkers *of[PLAN_WORKERS];

	for (unsigned i = 0; i < workers; i++) {
		of[i] = by ? &counts[i]->by_flows : &counts[i]->by_bytes;
		total->unseen[by] += talkers_unseen(of[i]);
	}
	total->top[by] = calloc((size_t)workers * TALKERS, sizeof(struct talker));
	if (total->top[by])
		total->top_count[by] = talkers_merge(of, workers, total->top[by]);
}

static const struct plan_element *counter_of(const struct plan *plan)
{
	list_each (element, &plan->elements)
		if ((*element)->class == &WatchCount)
			return *element;
	return NULL;
}

uint64_t watch_missed(void)
{
	const struct generation *generation = engine_generation();
	uint64_t sum = 0;

	for (unsigned i = 0; i < generation->port_count; i++)
		if (generation->ports[i].receives)
			sum += port_stats(generation->ports[i].receives).missed;
	return sum;
}

static bool total_up(struct total *total, const struct plan *plan)
{
	const struct plan_element *element = counter_of(plan);
	const struct watch_count *counts[PLAN_WORKERS];
	unsigned workers = engine_workers();

	*total = (struct total){
		.sum = calloc(1, sizeof(*total->sum)), .engine = engine_sum(), .missed = watch_missed() };
	if (!total->sum || !element)
		return false;
	for (unsigned i = 0; i < workers; i++) {
		counts[i] = (const void *)engine_generation()->shares[i].instances[element->index].self;
		add(total->sum, counts[i]);
	}
	for (unsigned by = 0; by < 2; by++)
		merge(total, by, counts, workers);
	return true;
}

static void clear(struct total *total)
{
	free(total->sum);
	for (unsigned by = 0; by < 2; by++)
		free(total->top[by]);
}

static uint64_t flows_of(const struct watch_count *sum, unsigned protocol)
{
	uint64_t flows = 0;

	for (unsigned reason = 0; reason < WATCH_REASONS; reason++)
		flows += sum->flows[protocol][reason];
	return flows;
}

// ---- JSON

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *time_of(uint64_t ns)
{
	return json_sprintf("%" PRIu64 ".%09" PRIu64, ns / 1000000000u, ns % 1000000000u);
}

static json_t *flows_json(const struct watch_count *sum)
{
	json_t *flows = json_object();
	uint64_t all = 0;

	for (unsigned protocol = 0; protocol < 256; protocol++) {
		json_t *of;

		if (!flows_of(sum, protocol))
			continue;
		of = json_object();
		json_object_set_new(of, "flows", number(flows_of(sum, protocol)));
		for (unsigned reason = 0; reason < WATCH_REASONS; reason++)
			if (sum->flows[protocol][reason])
				json_object_set_new(of, watch_reasons[reason], number(sum->flows[protocol][reason]));
		json_object_set_new(flows, name_of(protocol), of);
		all += flows_of(sum, protocol);
	}
	json_object_set_new(flows, "all", number(all));
	return flows;
}

static json_t *findings_json(const struct watch_count *sum)
{
	json_t *findings = json_object();

	for (unsigned i = 0; i < WATCH_FINDINGS; i++)
		if (i != FOUND_MALFORMED)
			json_object_set_new(findings, watch_findings[i], number(sum->found[i]));
	json_object_set_new(findings, "gap_bytes", number(sum->gap_bytes));
	return findings;
}

static json_t *talkers_json(const struct total *total, unsigned by)
{
	json_t *talkers = json_array();

	for (uint32_t i = 0; i < total->top_count[by] && i < SHOWN; i++) {
		const struct talker *talker = &total->top[by][i];
		char address[INET6_ADDRSTRLEN];

		text_of(address, &talker->address);
		json_array_append_new(talkers, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "address", address,
			by ? "flows" : "bytes", (json_int_t)talker->weight, "error", (json_int_t)talker->error,
			"sent", (json_int_t)talker->sent, "received", (json_int_t)talker->received,
			by ? "bytes" : "flows",
			(json_int_t)(by ? talker->sent + talker->received : talker->flows)));
	}
	return talkers;
}

void watch_report_json(const struct plan *plan, FILE *to)
{
	struct total total;
	json_t *all;

	if (total_up(&total, plan)) {
		all = json_object();
		json_object_set_new(all, "packets", number(total.sum->packets));
		json_object_set_new(all, "bytes", number(total.sum->bytes));
		json_object_set_new(all, "start", time_of(total.sum->first_ns));
		json_object_set_new(all, "end", time_of(total.sum->last_ns));
		json_object_set_new(all, "malformed", number(total.sum->found[FOUND_MALFORMED]));
		json_object_set_new(all, "missed", number(total.missed));
		json_object_set_new(all, "events_lost", number(total.engine.events_lost));
		json_object_set_new(all, "flows", flows_json(total.sum));
		json_object_set_new(all, "tcp", findings_json(total.sum));
		json_object_set_new(all, "top_talkers", json_pack("{s:o, s:o, s:I, s:I}",
			"by_bytes", talkers_json(&total, 0), "by_flows", talkers_json(&total, 1),
			"bytes_of_others_at_most", (json_int_t)total.unseen[0],
			"flows_of_others_at_most", (json_int_t)total.unseen[1]));
		json_dumpf(all, to, JSON_COMPACT);
		fputc('\n', to);
		json_decref(all);
	}
	clear(&total);
}

// ---- for people

static const char *bytes_text(char text[16], uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double value = (double)bytes;
	unsigned unit = 0;

	for (; value >= 999.5 && unit < 6; unit++)
		value /= 1000;
	snprintf(text, 16, value < 9.95 && unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

static void print_time(const char *what, uint64_t ns, FILE *to)
{
	time_t s = (time_t)(ns / 1000000000u);
	char text[32] = "";
	struct tm when;

	if (ns && localtime_r(&s, &when))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &when);
	if (*text)
		fprintf(to, "%s %s.%06u", what, text, (unsigned)(ns / 1000 % 1000000));
}

static void print_flows(const struct watch_count *sum, FILE *to)
{
	fprintf(to, "\n%-10s %10s", "flows", "all");
	for (unsigned reason = 0; reason < WATCH_REASONS; reason++)
		fprintf(to, " %10s", watch_reasons[reason]);
	fprintf(to, "\n");
	for (unsigned protocol = 0; protocol < 256; protocol++) {
		if (!flows_of(sum, protocol))
			continue;
		fprintf(to, "%-10s %10" PRIu64, name_of(protocol), flows_of(sum, protocol));
		for (unsigned reason = 0; reason < WATCH_REASONS; reason++)
			fprintf(to, " %10" PRIu64, sum->flows[protocol][reason]);
		fprintf(to, "\n");
	}
}

static void print_findings(const struct watch_count *sum, FILE *to)
{
	char bytes[16];

	fprintf(to, "\ntcp       ");
	for (unsigned i = 0; i < FOUND_CONFLICT; i++)
		fprintf(to, " %s %" PRIu64 "%s", watch_findings[i], sum->found[i], i + 1 < FOUND_CONFLICT ? "," : "");
	fprintf(to, " (%" PRIu64 " in conflict); %s never seen\n", sum->found[FOUND_CONFLICT],
		bytes_text(bytes, sum->gap_bytes));
}

static void print_talkers(const struct total *total, unsigned by, FILE *to)
{
	char text[INET6_ADDRSTRLEN], all[16], sent[16], received[16], error[16];

	fprintf(to, "\n%-40s %10s %10s %10s %10s\n", by ? "most flows" : "most bytes", "bytes", "sent", "received",
		"flows");
	for (uint32_t i = 0; i < total->top_count[by] && i < SHOWN; i++) {
		const struct talker *talker = &total->top[by][i];

		text_of(text, &talker->address);
		fprintf(to, "%-40s %10s %10s %10s %10" PRIu64, text,
			bytes_text(all, by ? talker->sent + talker->received : talker->weight),
			bytes_text(sent, talker->sent), bytes_text(received, talker->received),
			by ? talker->weight : talker->flows);
		if (talker->error && by)
			fprintf(to, "  (up to %" PRIu64 " too many)", talker->error);
		else if (talker->error)
			fprintf(to, "  (up to %s too much)", bytes_text(error, talker->error));
		fprintf(to, "\n");
	}
}

void watch_report(const struct plan *plan, FILE *to)
{
	struct total total;
	char bytes[16];

	if (total_up(&total, plan)) {
		fprintf(to, "%" PRIu64 " packets, %s", total.sum->packets, bytes_text(bytes, total.sum->bytes));
		print_time(", from", total.sum->first_ns, to);
		print_time(" to", total.sum->last_ns, to);
		fprintf(to, "\n%" PRIu64 " malformed", total.sum->found[FOUND_MALFORMED]);
		if (total.missed)
			fprintf(to, ", %" PRIu64 " came too fast and are not counted", total.missed);
		if (total.engine.events_lost)
			fprintf(to, ", %" PRIu64 " events found no room", total.engine.events_lost);
		fprintf(to, "\n");
		print_flows(total.sum, to);
		print_findings(total.sum, to);
		for (unsigned by = 0; by < 2; by++)
			print_talkers(&total, by, to);
	}
	clear(&total);
}
