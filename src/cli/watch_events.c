// SPDX-License-Identifier: Apache-2.0
// Which events are meant, and is the filter right: told before anything runs, with places in the text as written.
#include "cli/watch.h"

#include "lang/filter_parse.h"

#include <fnmatch.h>

// What an analyst wants to hear who did not say. Those that nothing raises here are passed over.
static const char *const notable[] = { "flow.ended", "tcp.reset", "tcp.gap", "packet.malformed",
	"http.*", "tls.*", "dns.*", "quic.*", "ssh.*" };

static void add(struct watch *watch, const struct weir_event_type *type)
{
	list_each (name, &watch->names)
		if (!strcmp(*name, type->name))
			return;
	*list_add(watch->run.graph.arena, &watch->names) = type->name;
	watch->tells_packets |= type->per == WEIR_PER_PACKET;
}

static bool add_matching(struct watch *watch, const struct plan *plan, const char *glob)
{
	bool is_found = false;

	list_each (signal, &plan->signals)
		if (!fnmatch(glob, (*signal)->type->name, 0)) {
			add(watch, (*signal)->type);
			is_found = true;
		}
	return is_found;
}

static void unknown(struct diag *diag, const struct plan *plan, const char *name, struct place at)
{
	struct near near = { .word = name };
	struct diag_message *message = diag_error(diag, at, "no event is called \"%s\"", name);

	list_each (signal, &plan->signals)
		near_try(&near, (*signal)->type->name);
	if (near_best(&near))
		diag_hint(diag, message, "did you mean \"%s\"?", near_best(&near));
	else
		diag_hint(diag, message, "`weir watch --events` lists them");
}

static void choose_written(struct watch *watch, const struct plan *plan, struct diag *diag)
{
	static const char separators[] = ", \t\n";
	const char *at = watch->events;

	for (at += strspn(at, separators); *at; at += strspn(at, separators)) {
		size_t length = strcspn(at, separators);
		const char *name = arena_text(diag->arena, at, length);

		if (!add_matching(watch, plan, name))
			unknown(diag, plan, name, (struct place){ "-e", 1, (uint32_t)(at - watch->events) + 1 });
		at += length;
	}
	if (!watch->names.count && !diag->errors)
		diag_error(diag, (struct place){ "-e", 1, 1 }, "no event is named");
}

// ---- the filter

struct scope { // the parts of payloads of the events that are told
	struct arena *arena;
	LIST(struct field *) parts;
};

static const struct field *find(void *context, const char *name)
{
	struct scope *scope = context;

	list_each (part, &scope->parts)
		if (!strcmp((*part)->name, name))
			return *part;
	return NULL;
}

static const char *part_at(void *context, unsigned index)
{
	struct scope *scope = context;

	return index < scope->parts.count ? scope->parts.at[index]->name : NULL;
}

static void add_parts(struct scope *scope, const struct weir_event_type *type)
{
	for (unsigned i = 0; type->parts && type->parts[i].field; i++) {
		struct field *field;

		if (field_find(type->parts[i].field) || find(scope, type->parts[i].field))
			continue;
		field = arena_new(scope->arena, struct field);
		*field = filter_part_field(type, i);
		*list_add(scope->arena, &scope->parts) = field;
	}
}

// A summary counts packets: its filter is on them alone.
static void check_filter(struct watch *watch, const struct plan *plan, struct diag *diag)
{
	struct scope scope = { .arena = diag->arena };
	struct filter_names names = { find, part_at, &scope };

	list_each (signal, &plan->signals)
		list_each (name, &watch->names)
			if (!watch->sums_up && !strcmp(*name, (*signal)->type->name))
				add_parts(&scope, (*signal)->type);
	filter_parse(diag->arena, watch->filter, strlen(watch->filter), (struct place){ "-f", 1, 1 }, &names, diag);
}

bool watch_choose(struct watch *watch, const struct plan *plan)
{
	struct diag *diag = diag_create(watch->run.graph.arena);

	if (watch->events)
		choose_written(watch, plan, diag);
	for (size_t i = 0; !watch->events && !watch->sums_up && i < sizeof(notable) / sizeof(*notable); i++)
		add_matching(watch, plan, notable[i]);
	if (watch->hashes)
		add_matching(watch, plan, "stream.closed");
	if (watch->filter)
		check_filter(watch, plan, diag);
	diag_print(diag, stderr);
	return !diag->errors;
}
