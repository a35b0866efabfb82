// SPDX-License-Identifier: Apache-2.0
// Programs on one event: its payload's parts come from a lookup, what it says of packets from the
// slot that it rides on.
#include "event/filter_program.h"

static bool holds(const struct filter_step *step, struct filter_scene *scene);

static bool is_number(enum weir_type type)
{
	return type == WEIR_BOOL || type == WEIR_U8 || type == WEIR_U16 || type == WEIR_U32 || type == WEIR_U64 ||
		type == WEIR_TIME || type == WEIR_SPAN;
}

static uint64_t number_at(const char *at, unsigned size)
{
	uint64_t number = 0;

	if (size == sizeof(number)) // a size that the compiler knows: no call
		memcpy(&number, at, sizeof(number));
	else if (size == sizeof(uint32_t))
		memcpy(&number, at, sizeof(uint32_t));
	else
		memcpy(&number, at, size); // little endian
	return number;
}

// The common case: one part of a payload that is a number.
static bool is_number_of_payload(const struct filter_step *step, const struct filter_scene *scene, uint64_t *number)
{
	const struct filter_reference *reference = step->bound.reference;
	const struct field *field = reference->operands[0].field;
	const struct filter_payload *payload = scene->context;
	const struct weir_part *part;

	if (scene->lookup != filter_payload_part || reference->count != 1 || field->kind != FIELD_OF_EVENT ||
		!payload->payload)
		return false;
	part = &payload->type->parts[field->compute];
	if (!is_number(part->type))
		return false;
	*number = number_at((const char *)payload->payload + part->offset, part->size);
	return true;
}

static bool is_in_ranges(const struct filter_step *step, struct filter_scene *scene)
{
	struct filter_values values;
	bool all = step->node->all;
	uint64_t number;

	if (is_number_of_payload(step, scene, &number))
		return filter_has_number(step, number);
	values.count = 0;
	filter_bound_values(&step->bound, scene, &values);
	if (!values.count)
		return false;
	for (unsigned i = 0; i < values.count; i++)
		if (filter_has_number(step, values.at[i].number) != all)
			return !all;
	return all;
}

static bool exists(const struct filter_step *step, struct filter_scene *scene)
{
	struct filter_values values;

	values.count = 0;
	filter_bound_values(&step->bound, scene, &values);
	return values.count > 0;
}

// Whether it holds for each (and) or for one (or) of them.
static bool join(const struct filter_step *step, struct filter_scene *scene, bool all)
{
	for (unsigned i = 0; i < step->count; i++)
		if (holds(step->steps[i], scene) != all)
			return !all;
	return all;
}

static bool holds(const struct filter_step *step, struct filter_scene *scene)
{
	scene->used = scene->joined = 0;
	switch (step->node->kind) {
	case FILTER_ALWAYS:
		return true;
	case FILTER_EXISTS:
		return exists(step, scene);
	case FILTER_RANGES:
		return is_in_ranges(step, scene);
	case FILTER_RELATION:
		return filter_relation_holds(step, scene);
	case FILTER_NOT:
		return !holds(step->steps[0], scene);
	case FILTER_AND:
	case FILTER_OR:
		return join(step, scene, step->node->kind == FILTER_AND);
	default:
		return false;
	}
}

bool filter_event(const struct filter_program *program, struct vector *vector, unsigned slot,
	filter_part_lookup *lookup, void *context)
{
	struct filter_scene scene;

	scene.vector = vector;
	scene.slot = slot;
	scene.lookup = lookup;
	scene.context = context;
	return holds(program->root, &scene);
}

// ---- payloads

static enum field_type type_of(enum weir_type type)
{
	switch (type) {
	case WEIR_BOOL:
		return FIELD_BOOL;
	case WEIR_U8:
	case WEIR_U16:
	case WEIR_U32:
	case WEIR_U64:
		return FIELD_UINT;
	case WEIR_IP:
	case WEIR_PREFIX:
		return FIELD_IPV6;
	case WEIR_ETHER:
		return FIELD_ETHER;
	case WEIR_TIME:
	case WEIR_SPAN:
		return FIELD_TIME;
	case WEIR_STRING:
	case WEIR_STRINGS:
	case WEIR_VIEW:
		return FIELD_STRING;
	default:
		return FIELD_BYTES;
	}
}

struct field filter_part_field(const struct weir_event_type *type, unsigned part)
{
	const struct weir_part *is = &type->parts[part];
	enum field_type field = type_of(is->type);
	static const uint8_t sizes[] = { [FIELD_BOOL] = 0, [FIELD_IPV6] = 16, [FIELD_ETHER] = 8, [FIELD_STRING] = 8,
		[FIELD_TIME] = 8 };

	return (struct field){
		.name = is->field,
		.about = type->about,
		.type = field,
		.kind = FIELD_OF_EVENT,
		.size = field == FIELD_UINT || field == FIELD_BYTES
			? (uint8_t)(is->size > 8 ? 8 : is->size)
			: sizes[field],
		.compute = (uint16_t)part,
	};
}

static void set_text(struct filter_value *value, const char *text, uint32_t length)
{
	value->bytes = (const uint8_t *)(text ? text : "");
	value->length = text ? length : 0;
}

static void set_ether(const uint8_t *at, struct filter_value *value)
{
	for (int i = 0; i < 6; i++)
		value->number = value->number << 8 | at[i];
}

static bool set_one_of(const struct weir_texts *texts, unsigned index, struct filter_value *value)
{
	if (index >= texts->count)
		return false;
	set_text(value, texts->text[index], texts->text[index] ? (uint32_t)strlen(texts->text[index]) : 0);
	return true;
}

// One address of either family stands under the names of both; it is there under its own.
bool filter_part_is_there(const struct weir_part *part, const void *at)
{
	if (part->type != WEIR_IP)
		return true;
	return strncmp(part->field, "ip.", 3) && strncmp(part->field, "ipv6.", 5)
		? true
		: weir_is_ip4(at) == (part->field[2] == '.');
}

bool filter_payload_part(void *context, const struct field *field, unsigned index, struct filter_value *value)
{
	const struct filter_payload *payload = context;
	const struct weir_part *part = field->kind == FIELD_OF_EVENT ? &payload->type->parts[field->compute] : NULL;
	const void *at = part && payload->payload ? (const char *)payload->payload + part->offset : NULL;
	const struct weir_text *text = at;
	const char *const *string = at;

	if (!at || !filter_part_is_there(part, at))
		return false;
	if ((part->type == WEIR_VIEW && !text->at) || (part->type == WEIR_STRING && !*string))
		return false; // a text that is absent, as logs have it
	value->type = field->type;
	if (part->type == WEIR_STRINGS)
		return set_one_of(at, index, value);
	if (index)
		return false;
	if (part->type == WEIR_VIEW)
		set_text(value, text->at, text->length);
	else if (part->type == WEIR_STRING)
		set_text(value, *string, (uint32_t)strlen(*string));
	else if (part->type == WEIR_IP || part->type == WEIR_PREFIX)
		memcpy(value->addr, at, sizeof(value->addr));
	else if (part->type == WEIR_ETHER)
		set_ether(at, value);
	else if (part->type == WEIR_BYTES)
		set_text(value, at, part->size);
	else
		value->number = number_at(at, part->size);
	return true;
}
