// SPDX-License-Identifier: Apache-2.0
#include "cli/summary.h"

#include "plan/settings.h"
#include "plan/platform.h"

#include <inttypes.h>
#include <jansson.h>

#define each_member_of(member, class) \
	for (const struct weir_member *member = (class)->members; member && member->kind != WEIR_END; member++)

// ---- drops by name: of an element's counters, its outputs that lead nowhere, and of the platform

struct drop {
	const char *element, *name;
	uint64_t count;
};

typedef void each_drop(void *context, struct drop drop);

static void drops_of(const struct plan_element *element, each_drop *tell, void *context)
{
	uint64_t named = 0, all = engine_instance(element).dropped;
	bool is_sink = element->class->no_outputs || platform_port(element->class);

	for (unsigned i = 0; i < element->output_count; i++) {
		uint64_t open = engine_open_drops(element, i);

		if (open)
			tell(context,
				(struct drop){ element->name,
					*element->outputs[i].name ? element->outputs[i].name
								  : "open",
					open });
	}
	if (platform_port(element->class) && engine_bare_drops(element))
		tell(context, (struct drop){ element->name, "unbound", engine_bare_drops(element) });
	if (is_sink)
		return;
	each_member_of (member, element->class)
		if (member->kind == WEIR_IS_COUNTER && member->drop) {
			uint64_t count = engine_counter(element, member);

			named += count;
			if (count)
				tell(context, (struct drop){ element->name, member->name, count });
		}
	if (all > named)
		tell(context, (struct drop){ element->name, "dropped", all - named });
}

static void drops_of_port(const struct generation_port *port, each_drop *tell, void *context)
{
	struct port_stats stats;

	if (!port->sends)
		return;
	stats = port_stats(port->sends);
	for (unsigned i = 0; i < PORT_DROPS; i++)
		if (stats.dropped[i])
			tell(context, (struct drop){ port->element->name, port_drop_name(i), stats.dropped[i] });
}

static void all_drops(const struct plan *plan, each_drop *tell, void *context)
{
	struct engine_sum sum = engine_sum();
	const struct generation *generation = engine_generation();
	const struct drop own[] = {
		{ "weir", "loop", sum.loops },
		{ "weir", "vanished", sum.vanished },
		{ "weir", "ring_full", sum.ring_full },
	};

	list_each (element, &plan->elements)
		drops_of(*element, tell, context);
	for (unsigned i = 0; i < generation->port_count; i++)
		drops_of_port(&generation->ports[i], tell, context);
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (own[i].count)
			tell(context, own[i]);
}

// ---- for people

static void print_drop(void *to, struct drop drop)
{
	fprintf(to, "  %14" PRIu64 "  %s.%s\n", drop.count, drop.element, drop.name);
}

static void print_elements(const struct plan *plan, FILE *to)
{
	fprintf(to, "%-24s %-16s %14s %12s %10s %8s\n", "element", "class", "packets", "drops", "events", "cyc/pkt");
	list_each (element, &plan->elements) {
		struct instance_sum sum = engine_instance(*element);
		double cycles = sum.timed_packets ? (double)sum.cycles / (double)sum.timed_packets : 0;

		if (!sum.packets)
			continue;
		fprintf(to, "%-24s %-16s %14" PRIu64 " %12" PRIu64 " %10" PRIu64 " %8.1f\n",
			(*element)->name, (*element)->class->name, sum.packets, sum.dropped,
			sum.events, cycles);
	}
}

void summary_print(const struct plan *plan, double seconds, FILE *to)
{
	struct engine_sum sum = engine_sum();

	fprintf(to, "\n%.3f s, %" PRIu64 " packets in %" PRIu64 " vectors (%.1f each)\n", seconds,
		sum.received, sum.passes, sum.passes ? (double)sum.filled / (double)sum.passes : 0);
	fprintf(to,
		"received %" PRIu64 " + emitted %" PRIu64 " + cloned %" PRIu64 " = sent %" PRIu64
		" + dropped %" PRIu64 " + consumed %" PRIu64 " + held %" PRIu64 "%s\n",
		sum.received, sum.emitted, sum.cloned, sum.sent, sum.dropped, sum.consumed,
		sum.held, engine_is_conserved(&sum) ? "" : "   NOT EQUAL: please report this");
	if (sum.dropped)
		fprintf(to, "dropped:\n");
	all_drops(plan, print_drop, to);
	print_elements(plan, to);
	if (sum.events_lost || sum.no_buffer)
		fprintf(to,
			"events lost: %" PRIu64 ", packets not made for want of buffers: %" PRIu64
			"\n",
			sum.events_lost, sum.no_buffer);
}

void summary_progress(const struct plan *plan, const struct engine_sum *before, double since, double at, FILE *to)
{
	struct engine_sum sum = engine_sum();

	(void)plan;
	fprintf(to, "%8.1f s  %12.0f packets/s in  %12.0f out  %10" PRIu64 " dropped  busy", at,
		(double)(sum.received - before->received) / since,
		(double)(sum.sent - before->sent) / since, sum.dropped);
	for (unsigned i = 0; i < engine_workers(); i++) {
		struct engine_sum one = engine_sum_of(i);
		double all = (double)(one.busy_cycles + one.idle_cycles + one.asleep_cycles);

		fprintf(to, " %.0f%%", all > 0 ? 100 * (double)one.busy_cycles / all : 0);
	}
}

// ---- as JSON

static void add_drop(void *drops, struct drop drop)
{
	json_t *of = json_object_get(drops, drop.element);

	if (!of) {
		of = json_object();
		json_object_set_new(drops, drop.element, of);
	}
	json_object_set_new(of, drop.name, json_integer((json_int_t)drop.count));
}

static json_t *counters_of(const struct plan_element *element)
{
	json_t *counters = json_object();

	each_member_of (member, element->class)
		if (member->kind == WEIR_IS_COUNTER)
			json_object_set_new(counters, member->name,
				json_integer((json_int_t)engine_counter(element, member)));
	return counters;
}

static json_t *elements_of(const struct plan *plan)
{
	json_t *elements = json_object();

	list_each (element, &plan->elements) {
		struct instance_sum sum = engine_instance(*element);

		json_object_set_new(elements, (*element)->name,
			json_pack("{s:s, s:I, s:I, s:I, s:o}", "class", (*element)->class->name, "packets",
				(json_int_t)sum.packets, "dropped", (json_int_t)sum.dropped, "events",
				(json_int_t)sum.events, "counters", counters_of(*element)));
	}
	return elements;
}

void summary_json(const struct plan *plan, double seconds, FILE *to)
{
	struct engine_sum sum = engine_sum();
	json_t *drops = json_object();
	json_t *all;

	all_drops(plan, add_drop, drops);
	all = json_pack(
		"{s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:o, s:o}",
		"seconds", seconds, "received", (json_int_t)sum.received, "emitted",
		(json_int_t)sum.emitted, "cloned", (json_int_t)sum.cloned, "sent",
		(json_int_t)sum.sent, "dropped", (json_int_t)sum.dropped, "consumed",
		(json_int_t)sum.consumed, "held", (json_int_t)sum.held, "conserved",
		engine_is_conserved(&sum), "vectors", (json_int_t)sum.passes, "events_lost",
		(json_int_t)sum.events_lost, "busy_cycles", (json_int_t)sum.busy_cycles,
		"no_buffer", (json_int_t)sum.no_buffer, "drops", drops, "elements",
		elements_of(plan));
	json_dumpf(all, to, JSON_INDENT(2));
	fputc('\n', to);
	json_decref(all);
}

// ---- handlers

static bool print_member(const struct plan_element *element, const char *name, FILE *to)
{
	struct arena *arena = arena_create();
	bool is_found = false;

	each_member_of (member, element->class) {
		if (strcmp(member->name, name) || is_found)
			continue;
		is_found = member->kind == WEIR_IS_COUNTER || member->kind == WEIR_IS_SETTING ||
			member->kind == WEIR_IS_FILTER;
		if (member->kind == WEIR_IS_COUNTER)
			fprintf(to, "%" PRIu64 "\n", engine_counter(element, member));
		else if (is_found)
			fprintf(to, "%s\n", settings_print(arena, member, element->prototype));
	}
	arena_destroy(arena);
	return is_found;
}

bool summary_handler(const struct plan *plan, const char *name, FILE *to)
{
	const char *dot = strrchr(name, '.');
	struct arena *arena = arena_create();
	const struct plan_element *element =
		dot ? plan_find(plan, arena_text(arena, name, (size_t)(dot - name))) : NULL;
	struct instance_sum sum;
	bool is_found = element && print_member(element, dot + 1, to);

	arena_destroy(arena);
	if (is_found)
		return true;
	if (!element) {
		fprintf(stderr, "weir: -h %s: %s\n", name,
			dot ? "there is no such element" : "ELEMENT.HANDLER is expected");
		return false;
	}
	sum = engine_instance(element);
	if (!strcmp(dot + 1, "packets") || !strcmp(dot + 1, "dropped") || !strcmp(dot + 1, "events")) {
		fprintf(to, "%" PRIu64 "\n", dot[1] == 'p' ? sum.packets : dot[1] == 'd' ? sum.dropped
											 : sum.events);
		return true;
	}
	fprintf(stderr,
		"weir: -h %s: %s (%s) has no handler \"%s\"; it has packets, dropped, events", name,
		element->name, element->class->name, dot + 1);
	each_member_of (member, element->class)
		if (member->kind == WEIR_IS_COUNTER || member->kind == WEIR_IS_SETTING)
			fprintf(stderr, ", %s", member->name);
	fprintf(stderr, "\n");
	return false;
}

// ---- ports

bool summary_ports(const struct generation *generation, FILE *to)
{
	for (unsigned i = 0; i < generation->port_count; i++) {
		const struct generation_port *port = &generation->ports[i];

		if (port->receives && port_damage(port->receives))
			fprintf(to, "weir: %s: %s\n", port->element->name, port_damage(port->receives));
		for (unsigned drop = 0; port->sends && drop < PORT_DROPS; drop++)
			if (port_stats(port->sends).dropped[drop] && port_remedy(port->sends, drop))
				fprintf(to, "weir: %s: %s\n", port->element->name, port_remedy(port->sends, drop));
	}
	return true;
}
