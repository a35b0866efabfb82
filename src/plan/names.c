// SPDX-License-Identifier: Apache-2.0
// What names of fields mean in a graph: the platform's, those that modules of the library provide, and the
// parts of an event's payload.
#include "plan/internal.h"

#include "lang/filter_parse.h"

static enum field_type type_of(enum weir_type type)
{
	switch (type) {
	case WEIR_BOOL:
		return FIELD_BOOL;
	case WEIR_IP:
		return FIELD_IPV6;
	case WEIR_VIEW:
	case WEIR_STRING:
		return FIELD_STRING;
	case WEIR_BYTES:
		return FIELD_BYTES;
	case WEIR_TIME:
	case WEIR_SPAN:
		return FIELD_TIME;
	default:
		return FIELD_UINT;
	}
}

static const struct weir_member *provider_of(const struct plan *plan, const char *name)
{
	list_each (module, &plan->library->modules)
		for (const struct weir_class *const *class = module->descriptor->classes; *class; class++)
			each_member (member, *class)
				if (member->kind == WEIR_IS_FIELD &&
					(member->use & WEIR_PROVIDES_) &&
					!strcmp(member->field, name))
					return member;
	return NULL;
}

static const struct field *carried(struct plan *plan, const char *name)
{
	const struct weir_member *member;
	struct field *field;

	list_each (one, &plan->carried)
		if (!strcmp((*one)->name, name))
			return *one;
	member = provider_of(plan, name);
	if (!member)
		return NULL;
	field = arena_new(plan->arena, struct field);
	field->name = member->field;
	field->about = member->about;
	field->kind = FIELD_CARRIED;
	field->protocol = PROTO_NONE;
	field->type = type_of(member->type);
	field->size = field->type == FIELD_BOOL ? 0 : (uint8_t)member->size;
	field->is_writable = true;
	*list_add(plan->arena, &plan->carried) = field;
	return field;
}

const struct field *plan_field(struct plan *plan, const char *name, size_t length)
{
	const char *text = arena_text(plan->arena, name, length);
	const struct field *field = field_find(text);

	return field ? field : carried(plan, text);
}

// ---- for filters

struct context {
	struct plan *plan;
	const struct weir_event_type *type;
	LIST(struct field *) parts;
};

static const struct field *find(void *at, const char *name)
{
	struct context *context = at;

	list_each (part, &context->parts)
		if (!strcmp((*part)->name, name))
			return *part;
	return plan_field(context->plan, name, strlen(name));
}

static const char *suggestion(void *at, unsigned index)
{
	struct context *context = at;

	return index < context->parts.count ? context->parts.at[index]->name : NULL;
}

const struct filter_names *plan_names(struct plan *plan, const struct weir_event_type *type)
{
	struct filter_names *names = arena_new(plan->arena, struct filter_names);
	struct context *context = arena_new(plan->arena, struct context);

	context->plan = plan;
	context->type = type;
	for (unsigned i = 0; type && type->parts && type->parts[i].field; i++) {
		struct field *field = arena_new(plan->arena, struct field);

		*field = filter_part_field(type, i);
		*list_add(plan->arena, &context->parts) = field;
	}
	*names = (struct filter_names){ find, suggestion, context };
	return names;
}
