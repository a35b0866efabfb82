// SPDX-License-Identifier: Apache-2.0
// Aggregates that the graph defines. What is gathered (base, filter, what of it, by which fields, over which time) is
// gathered once; what is told of it (all, the greatest, those above a number) may differ. The payload of what is told
// is laid out as a C struct of its parts would be, so that modules can hear it with a header of their own.
#include "plan/internal.h"

#include "event/aggregate.h"

// ---- fields

static uint32_t size_in_key(enum weir_type type, uint32_t size)
{
	switch (type) {
	case WEIR_VIEW:
	case WEIR_STRING:
	case WEIR_BYTES:
		return PLAN_TEXT;
	case WEIR_PREFIX:
	case WEIR_STRINGS:
		return 0;
	default:
		return size;
	}
}

static enum weir_type type_of_number(unsigned size)
{
	return size == 1 ? WEIR_U8 : size == 2 ? WEIR_U16 : size == 4 ? WEIR_U32 : WEIR_U64;
}

static void set_type_of_field(struct plan_source *source, const struct field *field)
{
	static const struct {
		enum weir_type type;
		uint32_t size;
	} types[] = {
		[FIELD_PROTOCOL] = { WEIR_BOOL, 1 },
		[FIELD_BOOL] = { WEIR_BOOL, 1 },
		[FIELD_IPV4] = { WEIR_IP, 16 },
		[FIELD_IPV6] = { WEIR_IP, 16 },
		[FIELD_ETHER] = { WEIR_ETHER, 6 },
		[FIELD_TIME] = { WEIR_TIME, 8 },
		[FIELD_BYTES] = { WEIR_VIEW, PLAN_TEXT },
		[FIELD_STRING] = { WEIR_VIEW, PLAN_TEXT },
	};

	source->type = field->type == FIELD_UINT ? type_of_number(field->size) : types[field->type].type;
	source->size = field->type == FIELD_UINT ? field->size : types[field->type].size;
}

static const struct weir_part *part_named(const struct weir_event_type *type, const char *name)
{
	for (const struct weir_part *part = type->parts; part && part->field; part++)
		if (!strcmp(part->field, name))
			return part;
	return NULL;
}

static void unknown_field(struct plan *plan, const struct graph_word *word, const struct weir_event_type *type)
{
	struct near near = { .word = word->text };
	struct diag_message *message = diag_error(plan->diag, word->at, "\"%s\" is no field of \"%s\" or of packets",
		word->text, type->name);

	for (const struct weir_part *part = type->parts; part && part->field; part++)
		near_try(&near, part->field);
	for (unsigned i = 0; field_at(i); i++)
		near_try(&near, field_at(i)->name);
	if (near_best(&near))
		diag_hint(plan->diag, message, "did you mean \"%s\"?", near_best(&near));
}

static bool set_part(struct plan *plan, struct plan_source *source, const struct weir_event_type *type,
	const struct weir_part *part)
{
	struct field *field = arena_new(plan->arena, struct field);

	*field = filter_part_field(type, (unsigned)(part - type->parts));
	source->part = field;
	source->type = part->type == WEIR_STRING || part->type == WEIR_BYTES ? WEIR_VIEW : part->type;
	source->size = size_in_key(part->type, part->size);
	return source->size;
}

static bool set_field(struct plan_source *source, const struct plan_signal *base, const struct field *field)
{
	if (field->any_of || !base->rides)
		return false;
	source->field = field;
	set_type_of_field(source, field);
	return true;
}

static bool find_source(struct plan *plan, struct plan_source *source, const struct plan_signal *base,
	const struct graph_word *word)
{
	const struct weir_part *part = part_named(base->type, word->text);
	const struct field *field = part ? NULL : plan_field(plan, word->text, strlen(word->text));
	bool is_fit;

	source->name = word->text;
	if (!part && !field) {
		unknown_field(plan, word, base->type);
		return false;
	}
	is_fit = part ? set_part(plan, source, base->type, part) : set_field(source, base, field);
	if (!is_fit && field && !base->rides)
		diag_error(plan->diag, word->at, "\"%s\" is of packets, and \"%s\" rides on none", word->text,
			base->type->name);
	else if (!is_fit && field)
		diag_hint(plan->diag,
			diag_error(plan->diag, word->at, "\"%s\" stands for several fields", word->text),
			"name one of them: \"%s\"", field->any_of[0]);
	else if (!is_fit)
		diag_error(plan->diag, word->at, "\"%s\" cannot be gathered by", word->text);
	return is_fit;
}

static bool is_number(enum weir_type type)
{
	return type >= WEIR_U8 && type <= WEIR_U64;
}

// ---- what is gathered

static bool find_field(struct plan *plan, struct plan_gathering *gathering, const struct plan_signal *base,
	const struct graph_event *event)
{
	if (!event->field.text)
		return true;
	gathering->field = arena_new(plan->arena, struct plan_source);
	if (!find_source(plan, gathering->field, base, &event->field))
		return false;
	if (event->aggregate != GRAPH_SUM || is_number(gathering->field->type))
		return true;
	diag_error(plan->diag, event->field.at, "only numbers have a sum; \"%s\" is none", event->field.text);
	return false;
}

static bool is_repeated(const struct graph_event *event, const struct graph_word *word)
{
	for (const struct graph_word *other = event->by.at; other < word; other++)
		if (!strcmp(other->text, word->text))
			return true;
	return false;
}

static bool find_keys(struct plan *plan, struct plan_gathering *gathering, const struct plan_signal *base,
	const struct graph_event *event)
{
	unsigned errors = plan->diag->errors;

	if (event->by.count > PLAN_KEYS)
		diag_error(plan->diag, event->by.at[PLAN_KEYS].at, "more than %d fields behind \"by\"", PLAN_KEYS);
	for (uint32_t i = 0; i < event->by.count && i < PLAN_KEYS; i++) {
		const struct graph_word *word = &event->by.at[i];
		struct plan_source *source = list_add(plan->arena, &gathering->by);

		if (!find_source(plan, source, base, word))
			continue;
		if (is_repeated(event, word))
			diag_error(plan->diag, word->at, "\"%s\" stands twice behind \"by\"", word->text);
		else if (!strncmp(word->text, "aggregate.", 10))
			diag_error(plan->diag, word->at, "\"%s\" is told of an aggregate; it is none to gather by",
				word->text);
		source->key_at = gathering->key_size;
		gathering->key_size += source->size;
	}
	return plan->diag->errors == errors;
}

static const char *time_text(struct plan *plan, uint64_t ns)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = { { "h", 3600000000000 }, { "min", 60000000000 }, { "s", 1000000000 }, { "ms", 1000000 },
		      { "us", 1000 }, { "ns", 1 } };
	unsigned i = 0;

	while (ns % units[i].ns)
		i++;
	return arena_print(plan->arena, "%llu%s", (unsigned long long)(ns / units[i].ns), units[i].unit);
}

// "sum frame.len by ip.src over 10s of packet.received where tcp"
static const char *text_of(struct plan *plan, const struct plan_gathering *gathering)
{
	static const char *const words[] = { [GRAPH_COUNT] = "count", [GRAPH_SUM] = "sum ",
		[GRAPH_DISTINCT] = "distinct " };
	const struct plan_derivation *derivation = gathering->derivation;
	const char *text = arena_print(plan->arena, "%s%s", words[gathering->what],
		gathering->field ? gathering->field->name : "");

	list_each (source, &gathering->by)
		text = arena_print(plan->arena, "%s%s%s", text, source == gathering->by.at ? " by " : ", ",
			source->name);
	if (gathering->over_ns)
		text = arena_print(plan->arena, "%s over %s", text, time_text(plan, gathering->over_ns));
	text = arena_print(plan->arena, "%s of %s", text, derivation->base->type->name);
	return derivation->where ? arena_print(plan->arena, "%s where %s", text,
					   filter_text(plan->arena, derivation->where))
				 : text;
}

static struct plan_gathering *gathering_of(struct plan *plan, const struct graph_event *event,
	struct plan_derivation *derivation)
{
	struct plan_gathering *gathering = arena_new(plan->arena, struct plan_gathering);
	bool is_distinct = event->aggregate == GRAPH_DISTINCT, has_field;

	gathering->derivation = derivation;
	gathering->what = event->aggregate == GRAPH_TOP ? GRAPH_COUNT : event->aggregate;
	gathering->over_ns = event->over_ns;
	has_field = find_field(plan, gathering, derivation->base, event); // the errors of both are told
	if (!find_keys(plan, gathering, derivation->base, event) || !has_field)
		return NULL;
	gathering->rows = !event->by.count ? 16 : is_distinct ? PLAN_ROWS_DISTINCT : PLAN_ROWS;
	gathering->text = text_of(plan, gathering);
	list_each (one, &plan->gatherings)
		if (!strcmp((*one)->text, gathering->text))
			return *one;
	gathering->index = plan->gatherings.count;
	*list_add(plan->arena, &plan->gatherings) = gathering;
	return gathering;
}

// ---- what is told

struct payload {
	struct plan *plan;
	LIST(struct weir_part) parts;
	uint32_t size;
};

static uint32_t add_part(struct payload *payload, const char *name, enum weir_type type, uint32_t size, uint32_t align)
{
	uint32_t at = (payload->size + align - 1) & ~(align - 1);

	*list_add(payload->plan->arena, &payload->parts) =
		(struct weir_part){ name, type, (uint16_t)at, (uint16_t)size };
	payload->size = at + size;
	return at;
}

static uint32_t add_key(struct payload *payload, const struct plan_source *source)
{
	bool is_bytes = source->type == WEIR_IP || source->type == WEIR_ETHER;

	if (source->type == WEIR_VIEW)
		return add_part(payload, source->name, WEIR_VIEW, sizeof(struct weir_text), 8);
	return add_part(payload, source->name, source->type, source->size, is_bytes ? 1 : source->size);
}

static void lay_out(struct plan *plan, struct plan_telling *telling, struct weir_event_type *type)
{
	struct payload payload = { .plan = plan };

	list_each (source, &telling->gathering->by)
		source->payload_at = add_key(&payload, source);
	telling->value_at = add_part(&payload, "aggregate.value", WEIR_U64, 8, 8);
	telling->error_at = add_part(&payload, "aggregate.error", WEIR_U64, 8, 8);
	telling->start_at = add_part(&payload, "aggregate.start", WEIR_TIME, 8, 8);
	telling->duration_at = add_part(&payload, "aggregate.duration", WEIR_SPAN, 8, 8);
	if (telling->top)
		telling->place_at = add_part(&payload, "aggregate.place", WEIR_U32, 4, 4);
	*list_add(plan->arena, &payload.parts) = (struct weir_part){ 0 };
	telling->texts_at = payload.size = (payload.size + 7) & ~7u;
	list_each (source, &telling->gathering->by)
		payload.size += source->type == WEIR_VIEW ? PLAN_TEXT : 0;
	type->parts = payload.parts.at;
	type->size = (uint16_t)payload.size;
}

static struct plan_telling *telling_of(struct plan *plan, const struct graph_event *event,
	struct plan_gathering *gathering)
{
	struct plan_telling *telling;

	list_each (signal, &plan->signals) {
		telling = (*signal)->telling;
		if (telling && telling->gathering == gathering && telling->top == event->top &&
			telling->has_above == event->has_above && telling->above == event->above)
			return telling;
	}
	telling = arena_new(plan->arena, struct plan_telling);
	telling->gathering = gathering;
	telling->top = event->top;
	telling->has_above = event->has_above;
	telling->above = event->above;
	return telling;
}

static const char *about(struct plan *plan, const struct plan_telling *telling)
{
	const char *text = "";

	if (telling->top)
		text = arena_print(plan->arena, "top %u: ", telling->top);
	if (telling->has_above)
		text = arena_print(plan->arena, "%sabove %llu: ", text, (unsigned long long)telling->above);
	return arena_print(plan->arena, "%s%s", text, telling->gathering->text);
}

static void add_signal(struct plan *plan, const struct graph_event *event, struct plan_telling *telling)
{
	struct weir_event_type *type = arena_new(plan->arena, struct weir_event_type);

	*type = (struct weir_event_type){ .name = event->name.text,
		.about = about(plan, telling),
		.layer = telling->gathering->derivation->base->type->layer,
		.per = WEIR_PER_AGGREGATE };
	lay_out(plan, telling, type);
	plan_signal_add(plan, type)->telling = telling;
}

void plan_gather(struct plan *plan, const struct graph_event *event, struct plan_derivation *derivation)
{
	struct plan_gathering *gathering = gathering_of(plan, event, derivation);

	if (event->top > PLAN_TOP)
		diag_error(plan->diag, event->aggregate_at, "at most the top %d can be told", PLAN_TOP);
	else if (gathering)
		add_signal(plan, event, telling_of(plan, event, gathering));
}

// ---- what is heard

static void be_told(struct plan *plan, struct plan_telling *telling)
{
	struct plan_gathering *gathering = telling->gathering;

	list_each (one, &gathering->tellings)
		if (*one == telling)
			return;
	telling->index = gathering->tellings.count;
	*list_add(plan->arena, &gathering->tellings) = telling;
}

static void read_source(struct plan *plan, struct plan_gathering *gathering, struct plan_source *source)
{
	if (!source || !source->field)
		return;
	source->value = plan_value_field(plan, source->field, DECODE_OUTER);
	plan_step(plan, &gathering->steps, source->value);
}

static void be_gathered(struct plan *plan, struct plan_derivation *derivation, struct plan_gathering *gathering)
{
	*list_add(plan->arena, &derivation->gatherings) = gathering;
	read_source(plan, gathering, gathering->field);
	list_each (source, &gathering->by)
		read_source(plan, gathering, source);
	if (gathering->tellings.count > 16)
		diag_error(plan->diag, (struct place){ .file = plan->graph->file },
			"more than 16 different events are told of: %s", gathering->text);
}

void plan_gatherings(struct plan *plan, struct plan_derivation *derivation)
{
	list_each (gathering, &plan->gatherings) {
		if ((*gathering)->derivation != derivation)
			continue;
		list_each (signal, &plan->signals) {
			struct plan_telling *telling = (*signal)->telling;

			if (!telling || telling->gathering != *gathering || !plan_is_heard(*signal))
				continue;
			*list_add(plan->arena, &telling->signals) = *signal;
			be_told(plan, telling);
		}
		if ((*gathering)->tellings.count)
			be_gathered(plan, derivation, *gathering);
	}
}

// ---- several workers: where nobody minds, packets are divided by a key, so that its worker knows all of it

static bool may_choose(const struct plan *plan)
{
	list_each (element, &plan->elements)
		if (plan_keeps_state((*element)->class) && strcmp((*element)->by, WEIR_ANY))
			return false;
	return plan->steer == STEER_FLOW && !plan->flow;
}

static enum plan_steer steer_of(const struct plan_gathering *gathering)
{
	list_each (source, &gathering->by)
		if (source->field && plan_steer_of(source->name) != STEER_FLOW)
			return plan_steer_of(source->name);
	return STEER_FLOW;
}

static bool wants_together(const struct plan_gathering *gathering)
{
	list_each (telling, &gathering->tellings)
		if ((*telling)->has_above && !(*telling)->top)
			return true;
	return false;
}

// A key of several fields is together where one of them is.
static bool is_together(const struct plan *plan, const struct plan_gathering *gathering)
{
	if (plan->workers == 1 || plan->steer == STEER_ONE)
		return true;
	list_each (source, &gathering->by)
		if (source->field && plan->steer != STEER_FLOW && plan_steer_of(source->name) == plan->steer)
			return true;
	return false;
}

void plan_together(struct plan *plan)
{
	list_each (gathering, &plan->gatherings)
		if (plan->workers > 1 && wants_together(*gathering) && may_choose(plan)) {
			plan->steer = steer_of(*gathering);
			plan->steer_because = plan->steer == STEER_FLOW ? NULL : (*gathering)->text;
		}
	list_each (gathering, &plan->gatherings) {
		(*gathering)->is_together = is_together(plan, *gathering);
		list_each (telling, &(*gathering)->tellings)
			(*telling)->is_at_once = (*gathering)->is_together && (*telling)->has_above && !(*telling)->top;
	}
}

// ---- for people

static void list_others(const struct plan_signal *signal, FILE *to)
{
	const char *separator = "; shared with ";

	list_each (telling, &signal->telling->gathering->tellings)
		list_each (other, &(*telling)->signals) {
			if (*other == signal)
				continue;
			fprintf(to, "%s%s", separator, (*other)->type->name);
			separator = ", ";
		}
}

void plan_explain_gathered(const struct plan *, const struct plan_signal *signal, FILE *to)
{
	const struct plan_telling *telling = signal->telling;
	const struct plan_gathering *gathering = telling->gathering;
	const struct aggregate_shape shape = { gathering->key_size, gathering->rows,
		gathering->what == GRAPH_DISTINCT, false, 0 };

	fprintf(to, "event %s: %s", signal->type->name, signal->type->about);
	list_others(signal, to);
	if (telling->has_above && !telling->top)
		fprintf(to, "; told %s", telling->is_at_once ? "as soon as it is exceeded"
							     : "when the window ends and all workers have been heard");
	else
		fprintf(to, "; told when %s", telling->gathering->over_ns ? "the window ends" : "it ends");
	fprintf(to, "; exact up to %u key%s", gathering->rows == 16 ? 1 : gathering->rows,
		gathering->rows == 16 ? "" : "s at a time");
	if (gathering->what == GRAPH_DISTINCT)
		fprintf(to, " and %u values", gathering->rows / 4 * 3 * 16);
	fprintf(to, ", %.1f MB a worker", 2 * (double)aggregate_memory(&shape) / 1e6);
}
