// SPDX-License-Identifier: Apache-2.0
// What a program wants of packets is what an element would: so it gets a graph, of its port and one element whose class
// lists the members. Planner and engine know of nothing new; the handles are copied out of the element's struct.
#include "embed/embed.h"

#include "engine/classes.h"
#include "lang/filter_parse.h"
#include "module/check.h"

#include <errno.h>
#include <stdlib.h>

#define each_wanted(member, wanted) \
	for (const struct weir_member *member = (wanted); member && member->kind != WEIR_END; member++)

enum { MOST_WANTED = 256 };
static const char graph_text[] = "port :: Port; wanted :: Wanted; port -> wanted;";

struct filter_setting { // WEIR_FILTER
	uint32_t at;
	const char *text;
};

static size_t room_of(const struct weir_member *member)
{
	return member->kind == WEIR_IS_FILTER ? sizeof(struct filter_setting) : sizeof(struct weir_handle_);
}

// A filter's message shall point into its own text.
static void check_filter(struct diag *diag, const struct weir_member *member)
{
	struct place at = { .file = member->name, .line = 1, .column = 1 };
	const char *text = member->value ? member->value : "";

	filter_parse(diag->arena, text, strlen(text), at, NULL, diag);
}

static int check_wanted(struct diag *diag, const struct weir_member *wanted, const void *self)
{
	unsigned count = 0;

	if (wanted && !self)
		return embed_fail(-EINVAL, "a list of what is wanted, and no struct (self) to have it");
	each_wanted (member, wanted) {
		if (++count > MOST_WANTED)
			return embed_fail(-EINVAL, "more than %d members are wanted; does the list end (WEIR_WANTED)?",
				MOST_WANTED);
		if (member->kind != WEIR_IS_FIELD && member->kind != WEIR_IS_FILTER)
			return embed_fail(-EINVAL, "\"%s\": only WEIR_READS, WEIR_READS_IF, WEIR_CHANGES and "
				"WEIR_MATCHES can be wanted of packets", member->name ? member->name : "");
		if (member->kind == WEIR_IS_FILTER)
			check_filter(diag, member);
	}
	return diag->errors ? embed_fail_diag(-EINVAL, diag, true) : 0;
}

// Its packets are the program's before they could come here.
static void never(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	(void)call;
	(void)v;
	(void)in;
	(void)out;
}

// The class of one who wants it, in the plan's arena.
static const struct weir_module *describe(struct arena *arena, const struct weir_member *wanted)
{
	struct weir_module *module = arena_new(arena, struct weir_module);
	const struct weir_class **classes = arena_array(arena, const struct weir_class *, 2);
	struct weir_class *class = arena_new(arena, struct weir_class);

	*class = (struct weir_class){ .name = "Wanted", .about = "what a program wants of packets", .self_size = 8,
		.members = wanted, .by = WEIR_ANY, .no_outputs = true,
		.process = never };
	each_wanted (member, wanted)
		if (member->offset + room_of(member) > class->self_size)
			class->self_size = member->offset + room_of(member);
	classes[0] = class;
	*module = (struct weir_module){ .abi = WEIR_ABI, .vector = WEIR_VECTOR, .name = "program", .version = "0",
		.classes = classes };
	return module;
}

static struct plan *plan_wanted(const struct weir_module *module, struct diag *diag, struct library *library)
{
	struct plan_wish wish = { .workers = 1 };
	struct graph *graph;

	if (check_module(module, NULL, diag))
		return NULL;
	library_add(library, &engine_module);
	library_add(library, module);
	graph = graph_parse(diag->arena, "wanted", graph_text, strlen(graph_text), NULL, 0, diag);
	return diag->errors ? NULL : plan_create(graph, library, &wish, diag);
}

static void fill(const struct caller *caller, const struct weir_member *wanted, void *self)
{
	const char *from = caller_self(caller, plan_find(caller_plan(caller), "wanted"));

	each_wanted (member, wanted) {
		char *to = (char *)self + member->offset;

		memcpy(to, from + member->offset, room_of(member));
		if (member->kind == WEIR_IS_FILTER) // the plan's copy goes with the plan
			((struct filter_setting *)to)->text = member->value;
	}
}

static int create(struct caller **caller, struct plan *plan, struct port *port, unsigned queue)
{
	struct binding binding = { .element = "port", .port = port, .direction = PORT_RECEIVE };
	struct bindings bindings = { .list = { .at = &binding, .count = 1 } };
	struct caller_wish wish = { .bindings = &bindings, .queue = queue };
	struct port_error why = { 0 };
	int result;

	embed_lock();
	result = caller_create(caller, plan, &wish, &why);
	embed_unlock();
	return result < 0 ? embed_fail_port(result, &why) : 0;
}

int embed_wanted(struct wanted_by *by, struct port *port, unsigned queue, const struct weir_member *wanted, void *self)
{
	struct arena *arena = arena_create();
	struct diag *diag = diag_create(arena);
	struct plan *plan = NULL;
	int result = check_wanted(diag, wanted, self);

	*by = (struct wanted_by){ .library = library_create() };
	if (!result) {
		plan = plan_wanted(describe(arena, wanted), diag, by->library);
		if (!plan)
			result = embed_fail_diag(-EINVAL, diag, false);
	}
	if (plan) {
		plan->text = arena;
		result = create(&by->caller, plan, port, queue);
	} else {
		arena_destroy(arena);
	}
	if (result)
		embed_wanted_end(by);
	else
		fill(by->caller, wanted, self);
	return result;
}

void embed_wanted_end(struct wanted_by *by)
{
	embed_lock();
	caller_destroy(&by->caller);
	embed_unlock();
	library_destroy(by->library);
	by->library = NULL;
}
