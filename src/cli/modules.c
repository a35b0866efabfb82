// SPDX-License-Identifier: Apache-2.0
// weir modules [NAME]: the element classes there are, or one of them in full.
#include "cli/cli.h"

#define each_member_of(member, class) \
	for (const struct weir_member *member = (class)->members; member && member->kind != WEIR_END; member++)

static int usage(FILE *to, int status)
{
	fprintf(to,
		"usage: weir modules [MODULE | CLASS]\n"
		"Lists modules and their element classes; with a name, describes it: settings, inputs, "
		"outputs, counters,\n"
		"fields, events. Modules are looked for in the directories of WEIR_MODULES, else beside "
		"the program and where\n"
		"it is installed.\n");
	return status;
}

static const char *type_name(enum weir_type type)
{
	static const char *const names[] = {
		[WEIR_BYTES] = "bytes",
		[WEIR_BOOL] = "yes/no",
		[WEIR_U8] = "number",
		[WEIR_U16] = "number",
		[WEIR_U32] = "number",
		[WEIR_U64] = "number",
		[WEIR_IP] = "address",
		[WEIR_PREFIX] = "prefix",
		[WEIR_ETHER] = "Ethernet address",
		[WEIR_STRING] = "text",
		[WEIR_STRINGS] = "list",
		[WEIR_VIEW] = "text",
	};

	return names[type];
}

static void describe_ends(const char *what, const char *const *names, bool has_none)
{
	if (has_none) {
		printf("  %-9s none\n", what);
		return;
	}
	printf("  %-9s", what);
	for (unsigned i = 0; names && names[i]; i++) {
		size_t length = strcspn(names[i], "?");

		printf(" [%u%s%.*s]%s", i, length ? " " : "", (int)length, names[i],
			names[i][length] ? " (may be left open)" : "");
	}
	printf("%s\n", names ? "" : " [0]");
}

static void describe_member(const struct weir_member *member)
{
	switch (member->kind) {
	case WEIR_IS_SETTING:
		printf("  setting   %s: %s", member->name, type_name(member->type));
		if (!member->value)
			printf(", must be given");
		else if (*member->value)
			printf(", else %s", member->value);
		printf("%s%s\n", member->about ? "; " : "", member->about ? member->about : "");
		break;
	case WEIR_IS_FILTER:
		printf("  setting   %s: a filter%s%s\n", member->name, member->about ? "; " : "",
			member->about ? member->about : "");
		break;
	case WEIR_IS_COUNTER:
		printf("  counter   %s%s%s%s\n", member->name, member->drop ? " (of drops)" : "",
			member->about ? ": " : "", member->about ? member->about : "");
		break;
	case WEIR_IS_FIELD:
		printf("  %-9s %s\n",
			member->use & WEIR_PROVIDES_	     ? "provides"
				: member->use & WEIR_WRITES_ ? "changes"
							     : "reads",
			member->field);
		break;
	case WEIR_IS_SIGNAL:
		printf("  raises    %s%s%s\n", member->event->name,
			member->event->about ? ": " : "",
			member->event->about ? member->event->about : "");
		break;
	default:
		break;
	}
}

static void describe(const struct weir_class *class, const struct module *module)
{
	printf("%s (module %s %s%s%s): %s\n", class->name, module->descriptor->name, module->descriptor->version,
		module->path ? ", " : "", module->path ? module->path : "", class->about);
	describe_ends("inputs", class->inputs, class->no_inputs);
	describe_ends("outputs", class->outputs, class->no_outputs);
	if (class->many_outputs)
		printf("            as many as are connected or its settings say\n");
	each_member_of (member, class)
		describe_member(member);
	for (const struct weir_on *on = class->on; on && (on->event || on->name); on++)
		printf("  hears     %s%s%s\n", on->event ? on->event->name : on->name,
			on->where ? " where " : "", on->where ? on->where : "");
	printf("\n");
}

static void list(const struct library *library)
{
	list_each (module, &library->modules) {
		printf("%s %s\n", module->descriptor->name, module->descriptor->version);
		for (const struct weir_class *const *class = module->descriptor->classes; *class; class ++)
			printf("  %-18s %s\n", (*class)->name, (*class)->about);
	}
}

static bool describe_named(const struct library *library, const char *name)
{
	const struct module *module = library_module(library, name);
	const struct weir_class *class = library_class(library, name, &module);

	if (class) {
		describe(class, module);
		return true;
	}
	module = library_module(library, name);
	for (const struct weir_class *const *one = module ? module->descriptor->classes : NULL; one && *one; one++)
		describe(*one, module);
	return module;
}

static void unknown(const struct library *library, const char *name)
{
	struct near near = { .word = name };

	list_each (module, &library->modules) {
		near_try(&near, module->descriptor->name);
		for (const struct weir_class *const *class = module->descriptor->classes; *class; class ++)
			near_try(&near, (*class)->name);
	}
	fprintf(stderr, "weir: there is neither a module nor an element class \"%s\"", name);
	if (near_best(&near))
		fprintf(stderr, "; did you mean \"%s\"?", near_best(&near));
	fprintf(stderr, "\n");
}

int cli_modules(int count, char **words)
{
	struct arena *arena;
	struct diag *diag;
	struct library *library;
	int status = CLI_FINE;

	if (count > 1 && !strcmp(words[1], "--help"))
		return usage(stdout, CLI_FINE);
	arena = arena_create();
	diag = diag_create(arena);
	library = cli_library(diag);
	if (count < 2)
		list(library);
	for (int i = 1; i < count; i++)
		if (!describe_named(library, words[i])) {
			unknown(library, words[i]);
			status = CLI_FAILED;
		}
	diag_print(diag, stderr);
	library_destroy(library);
	arena_destroy(arena);
	return status;
}
