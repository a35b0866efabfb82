// SPDX-License-Identifier: Apache-2.0
// Places of values in the vector: masks first, then columns. Columns whose lives (first to last node that uses
// them) do not meet share a place. What may be live where a packet leaves its vector goes into the control
// block.
#include "packet/edit.h"
#include "plan/internal.h"
#include "plan/platform.h"

#include <stdlib.h>

enum { COLUMN_ALIGN = 64 };

static uint32_t add_mask(struct plan *plan)
{
	uint32_t at = VECTOR_MASKS + plan->masks_size;

	plan->masks_size += sizeof(weir_mask);
	return at;
}

static uint32_t add_column(struct plan *plan, unsigned size)
{
	uint32_t at = (plan->vector_size + COLUMN_ALIGN - 1) & ~(uint32_t)(COLUMN_ALIGN - 1);

	plan->vector_size = at + size * WEIR_VECTOR;
	return at;
}

// ---- masks

static void add_masks(struct plan *plan)
{
	list_each (layer, &plan->layers)
		(*layer)->place.has = add_mask(plan);
	list_each (value, &plan->values) {
		switch ((*value)->kind) {
		case VALUE_SIGNAL:
		case VALUE_LUGGAGE:
		case VALUE_OF_FLOW:
		case VALUE_CARRIED:
			(*value)->has = add_mask(plan);
			(*value)->at = (*value)->size || (*value)->kind == VALUE_SIGNAL ? 0 : add_mask(plan);
			break;
		case VALUE_FILTER:
			(*value)->valid = add_mask(plan);
			(*value)->has = (*value)->at = add_mask(plan);
			break;
		case VALUE_FIELD:
			(*value)->valid = add_mask(plan);
			(*value)->has = (*value)->layer->place.has;
			(*value)->at = (*value)->size ? 0 : add_mask(plan);
			break;
		case VALUE_FLOW:
			(*value)->valid = add_mask(plan);
			(*value)->has = add_mask(plan);
			break;
		case VALUE_PLACES:
			(*value)->valid = add_mask(plan);
			break;
		}
	}
}

static uint32_t signal_mask(const struct plan *plan, const struct weir_event_type *type)
{
	const struct plan_signal *signal = plan_signal(plan, type->name);

	return signal->mask ? signal->mask->has : 0;
}

// weir.network and weir.transport lie where the decoder puts them.
static struct plan_value *fact_named(const struct plan *plan, const char *name)
{
	list_each (value, &plan->values)
		if ((*value)->kind == VALUE_FIELD && !strcmp((*value)->field->name, name))
			return *value;
	return NULL;
}

static void add_inner_masks(struct plan *plan)
{
	struct decode_inner *inner = &plan->facts.inner;

	inner->has4 = add_mask(plan);
	inner->has6 = add_mask(plan);
	inner->has_transport = add_mask(plan);
	inner->is_fragment = add_mask(plan);
}

static void add_fact_masks(struct plan *plan)
{
	struct plan_value *network = fact_named(plan, "weir.network"),
			  *transport = fact_named(plan, "weir.transport");

	plan->facts.fragmented = signal_mask(plan, &weir_event_packet_fragmented);
	plan->facts.malformed = signal_mask(plan, &weir_event_packet_malformed);
	if (plan->flow)
		add_inner_masks(plan);
	if (network)
		plan->facts.network_has = network->has = add_mask(plan);
	if (transport)
		plan->facts.transport_has = transport->has = add_mask(plan);
}

static void add_fact_columns(struct plan *plan)
{
	struct plan_value *network = fact_named(plan, "weir.network"),
			  *transport = fact_named(plan, "weir.transport");

	if (network)
		plan->facts.network = network->at = add_column(plan, sizeof(uint16_t));
	if (transport)
		plan->facts.transport = transport->at = add_column(plan, sizeof(uint16_t));
	if (plan->flow) {
		plan->facts.inner.network = add_column(plan, sizeof(uint16_t));
		plan->facts.inner.transport = add_column(plan, sizeof(uint16_t));
		plan->facts.inner.protocol = add_column(plan, sizeof(uint8_t));
		plan->facts.inner.end = add_column(plan, sizeof(uint32_t));
		if (plan->tracking->vlan)
			plan->facts.inner.vlan = add_column(plan, sizeof(uint16_t));
		if (plan->tracking->tunnel)
			plan->facts.inner.tunnel = add_column(plan, sizeof(uint32_t));
	}
	if (!plan->facts.malformed)
		return;
	plan->facts.malformed_reason = add_column(plan, 1);
	plan->facts.malformed_offset = add_column(plan, 2);
}

static void add_places(struct plan *plan)
{
	struct decode_layer *layers = arena_array(plan->arena, struct decode_layer, plan->layers.count + 1);

	list_each (layer, &plan->layers) {
		(*layer)->place.protocol = (*layer)->protocol;
		(*layer)->place.occurrence = (*layer)->occurrence;
		(*layer)->place.base = add_column(plan, sizeof(uint16_t));
		if ((*layer)->needs_end)
			(*layer)->place.end = add_column(plan, sizeof(uint32_t));
		layers[layer - plan->layers.at] = (*layer)->place;
	}
	if (plan->places)
		plan->locate = decode_prepare(plan->arena, layers, plan->layers.count, &plan->facts);
}

// ---- lives of columns

static void use(struct plan_value *value, const struct plan_node *node)
{
	if (value->first == PLAN_NOWHERE || node->order < value->first)
		value->first = node->order;
	if (node->order > value->last)
		value->last = node->order;
}

static void find_lives(struct plan *plan)
{
	list_each (node, &plan->nodes) {
		list_each (step, &(*node)->steps) {
			use(*step, *node);
			list_each (need, &(*step)->needs)
				use(*need, *node);
		}
		list_each (read, &(*node)->reads)
			use(*read, *node);
	}
	list_each (value, &plan->values)
		list_each (writer, &(*value)->writers)
			use(*value, *writer);
}

// Can a packet that has this value leave its vector at a holder and be read behind it? Then its
// column is filled when it comes back in, at whatever node, and lives through the pass.
static bool survives(const struct plan *plan, const struct plan_value *value)
{
	bool is_held = false;

	if (value->kind == VALUE_OF_FLOW)
		return plan_is_read_later(plan, value);
	list_each (element, &plan->elements) {
		is_held = is_held || (*element)->holds;
		for (unsigned i = 0; i < (*element)->output_count; i++)
			is_held = is_held || (*element)->outputs[i].again;
	}
	return (is_held || plan->workers > 1) && (value->readers.count || value->kind != VALUE_CARRIED);
}

static int by_first(const void *a, const void *b)
{
	const struct plan_value *x = *(const struct plan_value *const *)a, *y = *(const struct plan_value *const *)b;

	return x->first != y->first ? (x->first < y->first ? -1 : 1) : x->index < y->index ? -1 : 1;
}

struct strip { // a place for columns, one after another
	uint32_t at, size, free_from;
};

static void place_column(struct plan *plan, struct plan_value *value, struct strip *strips, unsigned *count)
{
	struct strip *strip = NULL;

	for (unsigned i = 0; i < *count && !value->spans_pass; i++)
		if (strips[i].size == value->size && strips[i].free_from != PLAN_NOWHERE &&
			strips[i].free_from <= value->first)
			strip = &strips[i];
	if (!strip) {
		strip = &strips[(*count)++];
		*strip = (struct strip){ add_column(plan, value->size), value->size, 0 };
	}
	strip->free_from = value->spans_pass ? PLAN_NOWHERE : value->last + 1;
	value->at = strip->at;
}

static void add_columns(struct plan *plan)
{
	struct plan_value **sorted = arena_array(plan->arena, struct plan_value *, plan->values.count + 1);
	struct strip *strips = arena_array(plan->arena, struct strip, plan->values.count + 1);
	unsigned count = 0, strip_count = 0;

	list_each (value, &plan->values)
		if ((*value)->size && !(*value)->at && (*value)->kind != VALUE_FILTER &&
			(*value)->kind != VALUE_PLACES && (*value)->kind != VALUE_FLOW)
			sorted[count++] = *value;
	qsort(sorted, count, sizeof(*sorted), by_first);
	for (unsigned i = 0; i < count; i++)
		place_column(plan, sorted[i], strips, &strip_count);
}

// ---- the control block

static void spill(struct plan *plan, const char *name, const struct plan_value *value, uint32_t at, uint16_t size)
{
	if (!layout_add(&plan->layout, name, value->has, at, size))
		diag_error(plan->diag, (struct place){ .file = plan->graph->file },
			"the control block is full: \"%s\" (%u bytes) has no room among %d fields in %d bytes",
			name, size, LAYOUT_FIELDS, (int)LAYOUT_ROOM);
}

static void choose_spilled(struct plan *plan)
{
	list_each (value, &plan->values)
		if ((*value)->kind >= VALUE_FLOW && survives(plan, *value))
			(*value)->is_spilled = (*value)->spans_pass = true;
}

static void add_block(struct plan *plan)
{
	list_each (value, &plan->values) {
		if (!(*value)->is_spilled)
			continue;
		if ((*value)->kind > VALUE_CARRIED)
			plan->layout.events |= (uint64_t)1 << plan->layout.count;
		spill(plan, (*value)->name, *value, (*value)->at, (*value)->size);
		if ((*value)->kind == VALUE_LUGGAGE)
			plan->layout.luggage = plan->layout.count;
		if ((*value)->kind == VALUE_CARRIED && !(*value)->size) {
			struct plan_value flag = { .has = (*value)->at };

			spill(plan, arena_print(plan->arena, "%s=1", (*value)->name), &flag, 0, 0);
		}
	}
}

// ---- what elements and steps need to know of it

static void fill_handle(const struct plan_value *value, struct weir_handle_ *handle)
{
	if (value->kind == VALUE_FIELD)
		*handle = packet_handle(value->field, value->at, value->has, value->layer->place.base);
	else
		*handle = (struct weir_handle_){ .at = value->at, .has = value->has };
}

static void fill_members(struct plan_element *element)
{
	each_member (member, element->class) {
		const struct plan_value *value = element->values.at[member - element->class->members];

		if (member->kind == WEIR_IS_FIELD && value)
			fill_handle(value, plan_member(element, member));
		else if (member->kind == WEIR_IS_FILTER && value)
			*(uint32_t *)plan_member(element, member) = value->at;
	}
}

static void prepare_extract(struct plan_value *value)
{
	value->extract = (struct decode_extract){
		.field = value->field,
		.has = value->layer->place.has,
		.base = value->layer->place.base,
		.end = value->layer->place.end,
		.at = value->at,
	};
	decode_extract_prepare(&value->extract);
}

static bool bind(void *context, const struct filter_operand *operand, uint8_t occurrence, struct filter_place *place)
{
	struct plan *plan = context;

	occurrence = plan_occurrence(operand->field->protocol, occurrence);
	if (operand->kind == FILTER_PLACE) {
		list_each (layer, &plan->layers)
			if ((*layer)->protocol == operand->field->protocol && (*layer)->occurrence == occurrence) {
				*place = (struct filter_place){ .has = (*layer)->place.has,
					.base = (*layer)->place.base,
					.end = (*layer)->place.end };
				return true;
			}
		return false;
	}
	list_each (value, &plan->values)
		if ((*value)->field == operand->field && (*value)->occurrence == occurrence) {
			*place = (struct filter_place){ .has = (*value)->has, .at = (*value)->at };
			return true;
		}
	return false;
}

static void prepare_steps(struct plan *plan)
{
	list_each (value, &plan->values) {
		if ((*value)->kind == VALUE_FIELD)
			prepare_extract(*value);
		else if ((*value)->kind == VALUE_FILTER)
			(*value)->program = filter_bind(plan->arena, (*value)->filter, bind, plan);
	}
	list_each (signal, &plan->signals)
		list_each (watch, &(*signal)->watches)
			if (watch->filter)
				watch->program = filter_bind(plan->arena, watch->filter, bind, plan);
	list_each (want, &plan->wants)
		want->program = filter_bind(plan->arena, want->filter, NULL, NULL);
	list_each (derivation, &plan->derivations)
		if ((*derivation)->test.payload_filter)
			(*derivation)->test.payload_program =
				filter_bind(plan->arena, (*derivation)->test.payload_filter, bind, plan);
	list_each (element, &plan->elements)
		list_each (handler, &(*element)->handlers)
			if ((*handler)->payload_filter)
				(*handler)->payload_program = filter_bind(
					plan->arena, (*handler)->payload_filter, bind, plan);
}

void plan_layout(struct plan *plan)
{
	find_lives(plan);
	choose_spilled(plan);
	add_masks(plan);
	add_fact_masks(plan);
	plan->vector_size = VECTOR_MASKS + plan->masks_size;
	add_fact_columns(plan);
	add_places(plan);
	add_columns(plan);
	add_block(plan);
	list_each (element, &plan->elements)
		fill_members(*element);
	prepare_steps(plan);
}
