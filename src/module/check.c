// SPDX-License-Identifier: Apache-2.0
#include "module/check.h"

#include <ctype.h>
#include <errno.h>

enum { MOST_MEMBERS = 256, MOST_CLASSES = 1024, MOST_SELF = 1 << 20 };

struct check {
	struct diag *diag;
	struct place at;
	const char *what; // "class \"SynGuard\""
};

#define refuse(check, ...)                                                                                 \
	({                                                                                                 \
		diag_error((check)->diag, (check)->at, __VA_ARGS__);                                       \
		-EINVAL;                                                                                   \
	})

static bool is_name(const char *name, const char *also)
{
	if (!name || !*name || isdigit((unsigned char)*name))
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '_' && !strchr(also, *name))
			return false;
	return true;
}

static const struct kind_rule {
	const char *name;
	uint32_t size; // 0: the member says it
	uint32_t handle; // bytes it needs in the struct; 0: its size
} kinds[] = {
	[WEIR_IS_SETTING] = { "setting", 0, 0 },
	[WEIR_IS_COUNTER] = { "counter", sizeof(uint64_t), 0 },
	[WEIR_IS_TABLE] = { "table", 0, sizeof(void *) },
	[WEIR_IS_FIELD] = { "field", 0, sizeof(struct weir_handle_) },
	[WEIR_IS_STATE] = { "flow state", 0, sizeof(uint32_t) },
	[WEIR_IS_SIGNAL] = { "signal", 0, sizeof(void *) },
	[WEIR_IS_TIMER] = { "timer", sizeof(struct weir_timer), 0 },
	[WEIR_IS_FILTER] = { "filter", 16, 0 },
	[WEIR_IS_FIFO] = { "fifo", sizeof(void *), 0 },
	[WEIR_IS_ROUTES] = { "routes", sizeof(void *), 0 },
	[WEIR_IS_RULES] = { "rules", sizeof(void *), 0 },
};

static int check_kind(struct check *check, const struct weir_member *member)
{
	switch (member->kind) {
	case WEIR_IS_FIELD:
		if (!is_name(member->field, ".#-")) // "udp.payload#-1": the last of them
			return refuse(check,
				"%s: member \"%s\" is a column of the field \"%s\", which is no name of a field",
				check->what, member->name, member->field ? member->field : "");
		return 0;
	case WEIR_IS_TABLE:
		if (!member->key_size || member->key_size > 64)
			return refuse(check, "%s: table \"%s\" has keys of %u bytes; 1 to 64 are possible",
				check->what, member->name, member->key_size);
		if (!member->rows && !member->rows_from)
			return refuse(check,
				"%s: table \"%s\" does not say how many rows it has (.rows)",
				check->what, member->name);
		return 0;
	case WEIR_IS_SIGNAL:
		return member->event
			? 0
			: refuse(check, "%s: signal \"%s\" names no event", check->what, member->name);
	case WEIR_IS_TIMER:
		return member->handler ? 0
				       : refuse(check, "%s: timer \"%s\" has no handler",
						 check->what, member->name);
	default:
		return 0;
	}
}

static int check_member(struct check *check, const struct weir_class *class, const struct weir_member *member)
{
	const struct kind_rule *rule = &kinds[member->kind];
	uint32_t room = rule->handle ? rule->handle : member->size;

	if (member->kind > WEIR_IS_RULES)
		return refuse(check, "%s: member \"%s\" is of a kind that this version does not know (%d)",
			check->what, member->name ? member->name : "?", (int)member->kind);
	if (!is_name(member->name, ""))
		return refuse(check, "%s: a %s without a proper name", check->what, rule->name);
	if (rule->size && member->size != rule->size)
		return refuse(check, "%s: %s \"%s\" has %u bytes; %u are expected", check->what,
			rule->name, member->name, member->size, rule->size);
	if ((uint64_t)member->offset + room > class->self_size)
		return refuse(check, "%s: %s \"%s\" lies outside of the element's struct",
			check->what, rule->name, member->name);
	for (const struct weir_member *other = class->members; other < member; other++)
		if (!strcmp(other->name, member->name))
			return refuse(check, "%s: two members are called \"%s\"", check->what, member->name);
	return check_kind(check, member);
}

static int check_event(struct check *check, const struct weir_event_type *event)
{
	if (!is_name(event->name, ".") || !strchr(event->name, '.'))
		return refuse(check, "%s: \"%s\" is no name of an event (module.event)",
			check->what, event->name ? event->name : "");
	for (const struct weir_part *part = event->parts; part && part->field; part++)
		if ((uint32_t)part->offset + part->size > event->size)
			return refuse(check,
				"%s: part \"%s\" of event \"%s\" lies outside of its payload",
				check->what, part->field, event->name);
	return 0;
}

static int check_members(struct check *check, const struct weir_class *class)
{
	int err = 0, one;
	unsigned count = 0;

	for (const struct weir_member *member = class->members; member && member->kind != WEIR_END; member++) {
		if (++count > MOST_MEMBERS)
			return refuse(check,
				"%s: more than %d members; does the list end (WEIR_MEMBERS)?",
				check->what, MOST_MEMBERS);
		one = check_member(check, class, member);
		if (!one && member->kind == WEIR_IS_SIGNAL)
			one = check_event(check, member->event);
		err = one ? one : err;
	}
	return err;
}

static int check_handlers(struct check *check, const struct weir_class *class)
{
	int err = 0;

	for (const struct weir_on *on = class->on; on && (on->event || on->name); on++) {
		if (!on->plain && !on->typed)
			err = refuse(check, "%s: no handler for \"%s\"", check->what,
				on->event ? on->event->name : on->name);
		else if (on->event && check_event(check, on->event))
			err = -EINVAL;
	}
	return err;
}

static int check_names(struct check *check, const char *const *names, const char *what)
{
	int err = 0;

	for (unsigned i = 0; names && names[i]; i++) {
		if (*names[i] && strcmp(names[i], "?") && !is_name(names[i], "?"))
			err = refuse(check, "%s: \"%s\" is no name of an %s", check->what, names[i], what);
		for (unsigned j = 0; j < i; j++)
			if (*names[i] && !strcmp(names[i], names[j]))
				err = refuse(check, "%s: two %ss are called \"%s\"", check->what, what, names[i]);
		if (i >= WEIR_VECTOR)
			return refuse(check, "%s: more than %d %ss", check->what, WEIR_VECTOR, what);
	}
	return err;
}

// One input, one output, and what comes goes on.
static bool is_plain(const struct weir_class *class)
{
	return !class->inputs && !class->outputs && !class->no_inputs && !class->no_outputs && !class->many_inputs &&
		!class->many_outputs && !class->take && !class->holds;
}

static int check_class(struct check *check, const struct weir_class *class)
{
	int err = 0;

	check->what = arena_print(check->diag->arena, "class \"%s\"", class->name ? class->name : "");
	if (!is_name(class->name, ""))
		err = refuse(check, "%s: that is no name of a class", check->what);
	if (class->self_size > MOST_SELF)
		return refuse(check, "%s: its struct has %zu bytes; %d are possible (use a table)",
			check->what, class->self_size, MOST_SELF);
	if (!class->about || !*class->about)
		err = refuse(check, "%s: it does not say what it is .about", check->what);
	if (!class->process && !class->take && !class->on && !class->no_inputs && !class->platform)
		err = refuse(check, "%s: it has no process, no take and no handlers", check->what);
	if (class->on_demand && !is_plain(class))
		err = refuse(check, "%s: what is put in on demand has one input and one output and holds nothing",
			check->what);
	err = check_members(check, class) ? -EINVAL : err;
	err = check_handlers(check, class) ? -EINVAL : err;
	err = check_names(check, class->inputs, "input") ? -EINVAL : err;
	return check_names(check, class->outputs, "output") ? -EINVAL : err;
}

int check_module(const struct weir_module *module, const char *path, struct diag *diag)
{
	struct check check = { .diag = diag, .at = { .file = path }, .what = "the module" };
	int err = 0;
	unsigned count = 0;

	if (module->abi != WEIR_ABI)
		return refuse(&check,
			"it was built for version %u of weir.h, this is version %d: build it again",
			module->abi, WEIR_ABI);
	if (module->vector != WEIR_VECTOR)
		return refuse(&check, "it was built for vectors of %u packets, here they have %d",
			module->vector, WEIR_VECTOR);
	if (!is_name(module->name, "-"))
		return refuse(&check, "\"%s\" is no name of a module", module->name ? module->name : "");
	if (!module->version || !isdigit((unsigned char)*module->version))
		err = refuse(&check, "\"%s\" is no version (1.0.0)", module->version ? module->version : "");
	if (!module->classes || !*module->classes)
		err = refuse(&check, "it has no classes");
	for (const struct weir_class *const *class = module->classes; class && *class; class++) {
		if (++count > MOST_CLASSES)
			return refuse(&check, "more than %d classes; does the list end (WEIR_MODULE)?", MOST_CLASSES);
		err = check_class(&check, *class) ? -EINVAL : err;
	}
	return err;
}
