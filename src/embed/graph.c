// SPDX-License-Identifier: Apache-2.0
// Graphs that run in the program's thread: read, planned, their open ports made the program's.
#define _GNU_SOURCE
#include "embed/graph.h"

#include "engine/classes.h"
#include "port/cable.h"
#include "weir-build.h"

#include <dlfcn.h>
#include <errno.h>
#include <libgen.h>
#include <stdlib.h>

// ---- the library of modules

// Beside this library (a build), then where it is installed. Modules find the platform's functions in it, however the
// program came by it.
static const char *default_path(struct arena *arena)
{
	Dl_info self;
	char *directory;

	if (!dladdr((const void *)weir_load, &self) || !self.dli_fname)
		return WEIR_MODULES_DIR;
	dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
	directory = dirname(arena_text(arena, self.dli_fname, strlen(self.dli_fname)));
	return arena_print(arena, "%s/modules:%s/weir:%s", directory, directory, WEIR_MODULES_DIR);
}

static struct library *load_library(struct arena *arena, const char *modules, struct diag *diag)
{
	struct library *library = library_create();

	library_add(library, &engine_module);
	if (!modules)
		modules = getenv("WEIR_MODULES");
	library_load_path(library, modules ? modules : default_path(arena), diag);
	return library;
}

// ---- from text to plan

static int read_sets(struct weir_plan *plan, const char *const *sets)
{
	for (; sets && *sets; sets++) {
		const char *mark = strchr(*sets, '=');

		if (!mark || mark == *sets)
			return embed_fail(-EINVAL, "\"%s\" sets no variable: NAME=VALUE is expected", *sets);
		*list_add(plan->arena, &plan->sets) = (struct graph_setting){
			.name = arena_text(plan->arena, *sets, (size_t)(mark - *sets)),
			.value = arena_text(plan->arena, mark + 1, strlen(mark + 1)),
		};
	}
	return 0;
}

struct plan *embed_plan(struct weir_plan *plan, const char *path, const char *text)
{
	struct plan_wish wish = { .workers = 1 };
	struct arena *arena = arena_create();
	struct diag *diag = diag_create(arena);
	struct graph *graph;
	struct plan *made = NULL;

	if (!plan->library)
		plan->library = load_library(plan->arena, plan->modules, diag);
	if (text)
		graph = graph_parse(arena, "graph", text, strlen(text), plan->sets.at, plan->sets.count, diag);
	else
		graph = graph_load(arena, path, plan->sets.at, plan->sets.count, diag);
	if (graph && !diag->errors)
		made = plan_create(graph, plan->library, &wish, diag);
	if (made) {
		made->text = arena;
		return made;
	}
	embed_fail_diag(-EINVAL, diag, true);
	arena_destroy(arena);
	return NULL;
}

// ---- ports of the graph

static enum port_direction used_directions(const struct plan_element *element)
{
	const struct platform_class *class = platform_port(element->class);
	unsigned used = 0;

	if (class && (class->direction & PORT_RECEIVE) && element->outputs[0].to)
		used |= PORT_RECEIVE;
	if (class && (class->direction & PORT_SEND) && element->nodes.at[0]->fronts.count)
		used |= PORT_SEND;
	return (enum port_direction)used;
}

static bool is_bound(const struct weir_plan *plan, const struct plan_element *element)
{
	list_each (binding, &plan->bindings.list)
		if (!strcmp(binding->element, element->name))
			return true;
	return *((const struct port_element *)element->prototype)->device;
}

static int bind_one(struct weir_plan *plan, const struct plan *planned, const char *text)
{
	const char *mark = strchr(text, '=');
	const char *name = mark ? arena_text(plan->arena, text, (size_t)(mark - text)) : text;
	const struct plan_element *element = mark ? plan_find(planned, name) : NULL;
	struct binding *binding;

	if (!mark)
		return embed_fail(-EINVAL, "\"%s\" binds no port: ELEMENT=PORT is expected", text);
	if (!element || !used_directions(element))
		return embed_fail(-EINVAL, "\"%s\": %s %s", text, name,
			!element ? "is no element of the graph" : "is no port, or is connected to nothing");
	binding = list_add(plan->arena, &plan->bindings.list);
	*binding = (struct binding){ .element = name, .spec = arena_text(plan->arena, mark + 1, strlen(mark + 1)),
		.direction = used_directions(element) };
	return 0;
}

static int open_cable(struct weir_plan *plan, const struct plan_element *element)
{
	struct opening *opening = list_add(plan->arena, &plan->openings);
	struct port_error why = { 0 };
	int result;

	*opening = (struct opening){ .element = arena_text(plan->arena, element->name, strlen(element->name)),
		.directions = used_directions(element) };
	result = cable_open(opening->ends, opening->element, &why);
	if (result < 0)
		return embed_fail_port(result, &why);
	*list_add(plan->arena, &plan->bindings.list) = (struct binding){
		.element = opening->element, .port = opening->ends[0], .direction = PORT_BOTH
	};
	return 0;
}

static int bind_all(struct weir_plan *plan, const struct plan *planned, const char *const *bind)
{
	int result = 0;

	plan->bindings.owner = port_new_owner();
	for (; !result && bind && *bind; bind++)
		result = bind_one(plan, planned, *bind);
	list_each (element, &planned->elements)
		if (!result && used_directions(*element) && !is_bound(plan, *element))
			result = open_cable(plan, *element);
	return result;
}

// ---- loading and unloading

static int start(struct weir_plan *plan, struct plan *planned)
{
	struct caller_wish wish = { .bindings = &plan->bindings, .seed = plan->seed };
	struct port_error why = { 0 };
	int result;

	embed_lock();
	result = caller_create(&plan->caller, planned, &wish, &why);
	embed_unlock();
	return result < 0 ? embed_fail_port(result, &why) : 0;
}

static int create(struct weir_plan *plan, const char *path, const char *text, const struct weir_graph_options *options)
{
	struct plan *planned;
	int result = read_sets(plan, options->set);

	if (result)
		return result;
	planned = embed_plan(plan, path, text);
	if (!planned)
		return -errno;
	result = bind_all(plan, planned, options->bind);
	if (result) {
		plan_destroy(planned);
		return result;
	}
	return start(plan, planned);
}

static struct weir_plan *load(const char *path, const char *text, const struct weir_graph_options *options)
{
	static const struct weir_graph_options none;
	struct weir_plan *plan;
	struct arena *arena;
	int result;

	if (!path && !text)
		embed_fail(-EINVAL, "which graph?");
	if ((!path && !text) || embed_start(NULL))
		return NULL;
	if (!options)
		options = &none;
	arena = arena_create();
	plan = arena_new(arena, struct weir_plan);
	plan->arena = arena;
	plan->seed = options->seed;
	plan->modules = options->modules ? arena_text(arena, options->modules, strlen(options->modules)) : NULL;
	result = create(plan, path, text, options);
	if (!result)
		return plan;
	weir_unload(&plan);
	errno = -result;
	return NULL;
}

struct weir_plan *weir_load(const char *path, const struct weir_graph_options *options)
{
	return load(path, NULL, options);
}

struct weir_plan *weir_load_text(const char *text, const struct weir_graph_options *options)
{
	return load(NULL, text, options);
}

void weir_unload(struct weir_plan **made)
{
	struct weir_plan *plan = made ? *made : NULL;
	struct port_error why;

	if (!plan)
		return;
	*made = NULL;
	embed_lock();
	caller_destroy(&plan->caller);
	embed_unlock();
	list_each (opening, &plan->openings) {
		port_close(&opening->ends[0], &why);
		port_close(&opening->ends[1], &why);
	}
	library_destroy(plan->library);
	arena_destroy(plan->arena);
}

int weir_reload(struct weir_plan *plan, const char *path)
{
	struct caller_wish wish;
	struct port_error why = { 0 };
	struct plan *planned;
	int result;

	if (!plan || !path)
		return embed_fail(-EINVAL, "there is no %s", plan ? "graph" : "plan");
	if (embed_enter())
		return -errno;
	planned = embed_plan(plan, path, NULL);
	if (!planned)
		return -errno;
	wish = (struct caller_wish){ .bindings = &plan->bindings, .seed = plan->seed };
	embed_lock();
	result = caller_swap(plan->caller, planned, &wish, &why);
	embed_unlock();
	return result < 0 ? embed_fail_port(result, &why) : 0;
}
