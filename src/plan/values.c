// SPDX-License-Identifier: Apache-2.0
// What nodes read, provide and make void; from that, where decoding is inserted and what is missing.
//
// Known values flow along the edges of a pass: a node knows what all nodes in front of it knew or computed and
// did not make void. What it reads and does not know is computed in front of it. Carried fields flow farther:
// also through queues and re-entry, in the control block.
#include "plan/internal.h"
#include "plan/platform.h"

#include "lang/filter_parse.h"
#include "packet/edit.h"

#include <stdlib.h>

// ---- the values themselves

struct plan_value *plan_value_add(struct plan *plan, enum plan_value_kind kind, const char *name)
{
	struct plan_value *value = arena_new(plan->arena, struct plan_value);

	value->kind = kind;
	value->name = name;
	value->index = plan->values.count;
	value->first = PLAN_NOWHERE;
	*list_add(plan->arena, &plan->values) = value;
	return value;
}

struct plan_value *plan_places(struct plan *plan)
{
	if (!plan->places)
		plan->places = plan_value_add(plan, VALUE_PLACES, "places of headers");
	return plan->places;
}

// These are never quoted before they stand in the packet itself: the first is the outermost.
uint8_t plan_occurrence(enum protocol protocol, uint8_t occurrence)
{
	bool is_first = protocol == PROTO_FRAME || protocol == PROTO_ETH ||
		protocol == PROTO_VLAN || protocol == PROTO_IP || protocol == PROTO_IPV6 ||
		protocol == PROTO_ARP || protocol == PROTO_MPLS;

	return is_first && occurrence == 1 ? DECODE_OUTER : occurrence;
}

static struct plan_layer *layer_of(struct plan *plan, enum protocol protocol, uint8_t occurrence)
{
	struct plan_layer *layer;

	occurrence = plan_occurrence(protocol, occurrence);
	list_each (one, &plan->layers)
		if ((*one)->protocol == protocol && (*one)->occurrence == occurrence)
			return *one;
	layer = arena_new(plan->arena, struct plan_layer);
	layer->protocol = protocol;
	layer->occurrence = occurrence;
	*list_add(plan->arena, &plan->layers) = layer;
	return layer;
}

static const char *occurrence_name(struct plan *plan, const struct field *field, uint8_t occurrence)
{
	return occurrence == DECODE_OUTER ? field->name :
	       occurrence == DECODE_LAST  ? arena_print(plan->arena, "%s#-1", field->name) :
					    arena_print(plan->arena, "%s#%u", field->name, occurrence);
}

struct plan_value *plan_value_field(struct plan *plan, const struct field *field, uint8_t occurrence)
{
	static const enum plan_value_kind kinds[] = {
		[FIELD_DERIVED] = VALUE_FIELD, [FIELD_CARRIED] = VALUE_CARRIED, [FIELD_OF_FLOW] = VALUE_OF_FLOW
	};
	struct plan_value *value;

	occurrence = plan_occurrence(field->protocol, occurrence);
	list_each (one, &plan->values)
		if ((*one)->field == field && (*one)->occurrence == occurrence)
			return *one;
	value = plan_value_add(plan, kinds[field->kind], occurrence_name(plan, field, occurrence));
	value->field = field;
	value->occurrence = occurrence;
	value->size = field->size;
	if (value->kind == VALUE_FIELD) {
		value->layer = layer_of(plan, field->protocol, occurrence);
		value->layer->needs_end |= decode_needs_end(field);
		*list_add(plan->arena, &value->needs) = plan_places(plan);
	}
	if (value->kind == VALUE_OF_FLOW) { // written where flows are tracked, be it far in front of who reads it
		value->spans_pass = true;
		*list_add(plan->arena, &value->needs) = plan_flow_value(plan);
		*list_add(plan->arena, &plan->flow_fields) = value;
	}
	return value;
}

// The values that stand for an operand: a bare name is any of its occurrences.
static void need_operand(struct plan *plan, struct plan_value *filter, const struct filter_operand *operand)
{
	uint8_t from = operand->occurrence, to = operand->occurrence;

	if (operand->field->kind == FIELD_OF_EVENT)
		return;
	if (operand->field->kind != FIELD_DERIVED)
		from = to = DECODE_OUTER;
	else if (operand->occurrence == FILTER_ANY)
		from = 1, to = operand->field->protocol == PROTO_FRAME ? 1 : DECODE_OCCURRENCES;
	for (unsigned occurrence = from; occurrence <= to; occurrence++) {
		if (operand->kind == FILTER_PLACE) {
			layer_of(plan, operand->field->protocol, (uint8_t)occurrence)->needs_end = true;
			*list_add(plan->arena, &filter->needs) = plan_places(plan);
			continue;
		}
		*list_add(plan->arena, &filter->needs) = plan_value_field(plan, operand->field, (uint8_t)occurrence);
	}
}

void plan_value_needs(struct plan *plan, struct plan_value *value, const struct filter *filter)
{
	for (unsigned i = 0; i < filter_operand_count(filter); i++)
		need_operand(plan, value, filter_operand_at(filter, i));
}

struct plan_value *plan_value_filter(struct plan *plan, struct filter *filter)
{
	struct plan_value *value;

	list_each (one, &plan->values)
		if ((*one)->filter && filter_equal((*one)->filter, filter))
			return *one;
	value = plan_value_add(plan, VALUE_FILTER, filter_text(plan->arena, filter));
	value->filter = filter;
	plan_value_needs(plan, value, filter);
	return value;
}

// ---- what elements declare

static const struct {
	enum field_type field;
	enum weir_type member;
	uint16_t size;
} types[] = {
	{ FIELD_PROTOCOL, WEIR_BOOL, 1 }, { FIELD_BOOL, WEIR_BOOL, 1 }, { FIELD_UINT, WEIR_U8, 1 },
	{ FIELD_UINT, WEIR_U16, 2 },	  { FIELD_UINT, WEIR_U32, 4 },	{ FIELD_UINT, WEIR_U64, 8 },
	{ FIELD_IPV4, WEIR_U32, 4 },	  { FIELD_IPV6, WEIR_IP, 16 },	{ FIELD_ETHER, WEIR_U64, 8 },
	{ FIELD_TIME, WEIR_U64, 8 },	  { FIELD_BYTES, WEIR_BYTES, 8 }, { FIELD_STRING, WEIR_BYTES, 8 },
	{ FIELD_TIME, WEIR_TIME, 8 },	  { FIELD_TIME, WEIR_SPAN, 8 },	  { FIELD_STRING, WEIR_STRING, 8 },
};

static bool is_fit(const struct field *field, const struct weir_member *member)
{
	// of a packet a view, of its flow a pointer
	if (field->type == FIELD_STRING && (field->kind == FIELD_OF_FLOW) != (member->type == WEIR_STRING))
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (types[i].field == field->type && types[i].member == member->type && types[i].size == member->size)
			return !field->size || field->size == member->size;
	return false;
}

// "ip.src#2": the name and which of them
static uint8_t split_name(struct plan *plan, const char *text, const char **name)
{
	const char *mark = strchr(text, '#');

	*name = mark ? arena_text(plan->arena, text, (size_t)(mark - text)) : text;
	return !mark ? DECODE_OUTER : mark[1] == '-' ? DECODE_LAST : (uint8_t)atoi(mark + 1);
}

static void unknown_field(struct plan *plan, const struct plan_element *element, const struct weir_member *member)
{
	struct near near = { .word = member->field };
	struct diag_message *message = diag_error(plan->diag, element->syntax->at,
		"%s (%s) reads the field \"%s\", which nothing here provides", element->name,
		element->class->name, member->field);

	for (unsigned i = 0; field_at(i); i++)
		near_try(&near, field_at(i)->name);
	if (near_best(&near))
		diag_hint(plan->diag, message, "is \"%s\" meant?", near_best(&near));
}

// A field that nothing provides, read if it is there: never present, readable all the same.
static struct plan_value *absent_value(struct plan *plan, const struct weir_member *member)
{
	struct plan_value *value = plan_value_add(plan, VALUE_CARRIED, member->field);

	value->size = member->type == WEIR_BOOL ? 0 : (uint16_t)member->size;
	value->spans_pass = true;
	return value;
}

void plan_declare(struct plan *plan, struct plan_element *element, const struct weir_member *member)
{
	const char *name;
	uint8_t occurrence = split_name(plan, member->field, &name);
	const struct field *field = plan_field(plan, name, strlen(name));
	struct plan_value *value;

	if (!field && member->use == WEIR_READS_IF_) {
		element->values.at[member - element->class->members] = absent_value(plan, member);
		return;
	}
	if (!field) {
		unknown_field(plan, element, member);
		return;
	}
	if (!is_fit(field, member)) {
		diag_error(plan->diag, element->syntax->at,
			"%s: \"%s\" is declared with a column of %u bytes, which does not fit the field (%u bytes)",
			element->class->name, field->name, member->size, field->size);
		return;
	}
	if (((member->use & WEIR_WRITES_) && field->kind == FIELD_DERIVED && !packet_can_set(field)) ||
		((member->use & (WEIR_WRITES_ | WEIR_PROVIDES_)) && field->kind == FIELD_OF_FLOW)) {
		diag_error(plan->diag, element->syntax->at,
			"%s changes \"%s\", which cannot be set", element->class->name,
			field->name);
		return;
	}
	value = plan_value_field(plan, field, occurrence);
	element->values.at[member - element->class->members] = value;
	list_each (node, &element->nodes) {
		if (member->use != WEIR_PROVIDES_) {
			*list_add(plan->arena, &(*node)->reads) = value;
			*list_add(plan->arena, &value->readers) = *node;
		}
		if (member->use & WEIR_PROVIDES_) {
			*list_add(plan->arena, &value->writers) = *node;
			if (!member->some)
				*list_add(plan->arena, &(*node)->gives) = value;
		}
	}
}

static void read_at(struct plan *plan, struct plan_node *node, struct plan_value *value)
{
	*list_add(plan->arena, &node->reads) = value;
	*list_add(plan->arena, &value->readers) = node;
}

static void read_value(struct plan *plan, struct plan_element *element, struct plan_value *value)
{
	list_each (node, &element->nodes)
		read_at(plan, *node, value);
}

// A filter on payloads is evaluated event by event; the packet fields in it must be there by then.
static void read_operands(struct plan *plan, struct plan_node *node, const struct filter *filter)
{
	struct plan_value all = { 0 };

	plan_value_needs(plan, &all, filter);
	list_each (need, &all.needs)
		read_at(plan, node, *need);
}

static void declare_filter(struct plan *plan, struct plan_element *element, const struct weir_member *member)
{
	const struct { uint32_t at; const char *text; } *setting = plan_member(element, member);
	uint32_t index = (uint32_t)(member - element->class->members);
	struct place at = element->places[index].line ? element->places[index] : element->syntax->at;
	struct filter *filter;

	if (!setting->text || !*setting->text)
		return;
	filter = filter_parse(plan->arena, setting->text, strlen(setting->text), at,
		plan_names(plan, NULL), plan->diag);
	if (!filter)
		return;
	element->values.at[index] = plan_value_filter(plan, filter);
	read_value(plan, element, element->values.at[index]);
}

static void declare_all(struct plan *plan, struct plan_element *element)
{
	each_member (member, element->class) {
		if (member->kind == WEIR_IS_FIELD)
			plan_declare(plan, element, member);
		else if (member->kind == WEIR_IS_FILTER)
			declare_filter(plan, element, member);
	}
	list_each (handler, &element->handlers) {
		if ((*handler)->filter)
			read_value(plan, element, (*handler)->filter);
		if ((*handler)->payload_filter)
			list_each (node, &element->nodes)
				read_operands(plan, *node, (*handler)->payload_filter);
	}
}

// The facts that the decoder finds are events: they are found where an element hears them, and for observers where
// packets enter.
static void declare_facts(struct plan *plan)
{
	const struct plan_signal *facts[] = { plan_signal(plan, weir_event_packet_malformed.name),
					      plan_signal(plan, weir_event_packet_fragmented.name) };

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		list_each (element, &plan->elements)
			list_each (handler, &(*element)->handlers)
				if (plan_root((*handler)->signal) == facts[i])
					read_value(plan, *element, plan_places(plan));
		list_each (node, &plan->nodes)
			if (plan_is_watched(facts[i]) && (*node)->is_entered)
				read_at(plan, *node, plan_places(plan));
	}
}

// ---- what nodes make void

static unsigned layer_bit(enum protocol protocol)
{
	static const unsigned bits[] = { [2] = WEIR_REWRITES_L2, [3] = WEIR_REWRITES_L3, [4] = WEIR_REWRITES_L4 };
	unsigned layer = protocol_layer(protocol);

	return layer < sizeof(bits) / sizeof(*bits) ? bits[layer] : 0;
}

static bool is_checksum(const struct field *field)
{
	size_t length = strlen(field->name);

	return strstr(field->name, ".checksum") && length && field->protocol != PROTO_FRAME;
}

// Does setting `set` change the bytes that `other` is read from?
static bool overlaps(const struct field *set, const struct field *other)
{
	if (set == other || other->kind != FIELD_DERIVED)
		return false;
	if (set->sum != SUM_NONE && is_checksum(other))
		return true;
	return protocol_whole(set->protocol) == protocol_whole(other->protocol) &&
	       (!set->width || !other->width ||
		(set->offset < other->offset + other->width && other->offset < set->offset + set->width));
}

// Does an element assign or set this very value?
static bool assigns(const struct plan_element *element, const struct plan_value *value)
{
	each_member (member, element->class)
		if (member->kind == WEIR_IS_FIELD && (member->use & (WEIR_WRITES_ | WEIR_PROVIDES_)) &&
		    element->values.at[member - element->class->members] == value)
			return true;
	return false;
}

static bool voids_field(const struct plan_element *element, const struct plan_value *value)
{
	const struct weir_class *class = element->class;

	if (class->reshapes || (class->rewrites & layer_bit(value->field->protocol)) ||
	    (class->rewrites && is_checksum(value->field)))
		return true;
	each_member (member, class) {
		const struct plan_value *set = element->values.at[member - class->members];

		if (member->kind != WEIR_IS_FIELD || !(member->use & WEIR_WRITES_) || !set || set == value)
			continue;
		if (set->field == value->field || overlaps(set->field, value->field))
			return true;
	}
	return false;
}

static bool makes_void(const struct plan_element *element, const struct plan_value *value)
{
	switch (value->kind) {
	case VALUE_PLACES:
		return element->class->reshapes;
	case VALUE_FIELD:
		return voids_field(element, value);
	case VALUE_FILTER:
		list_each (need, &value->needs)
			if (makes_void(element, *need) || assigns(element, *need))
				return true;
		return false;
	default:
		return false;
	}
}

static void find_voids(struct plan *plan)
{
	list_each (element, &plan->elements)
		list_each (value, &plan->values)
			if (makes_void(*element, *value))
				list_each (node, &(*element)->nodes)
					*list_add(plan->arena, &(*node)->voids) = *value;
}

// ---- what is known where

struct known {
	uint64_t *bits; // of each node, behind it
	unsigned words;
};

static uint64_t *behind(const struct known *known, const struct plan_node *node)
{
	return known->bits + (size_t)node->order * known->words;
}

static void set_bit(uint64_t *bits, uint32_t index)
{
	bits[index / 64] |= (uint64_t)1 << index % 64;
}

static bool has_bit(const uint64_t *bits, uint32_t index)
{
	return bits[index / 64] >> index % 64 & 1;
}

static void compute(struct plan *plan, struct plan_node *node, uint64_t *bits, struct plan_value *value)
{
	if (value->kind >= VALUE_CARRIED || has_bit(bits, value->index))
		return;
	list_each (need, &value->needs) {
		compute(plan, node, bits, *need);
		if ((*need)->kind == VALUE_CARRIED || (*need)->kind == VALUE_OF_FLOW)
			*list_add(plan->arena, &(*need)->readers) = node;
	}
	set_bit(bits, value->index);
	if (value->kind != VALUE_OF_FLOW) // the tracker writes it
		*list_add(plan->arena, &node->steps) = value;
}

static void enter(const struct known *known, const struct plan_node *node, uint64_t *in)
{
	bool is_first = true;

	memset(in, 0, known->words * sizeof(*in));
	if (node->is_entered)
		return;
	list_each (front, &node->fronts)
		list_each (before, &(*front)->nodes) {
			const uint64_t *bits = behind(known, *before);

			for (unsigned word = 0; word < known->words; word++)
				in[word] = is_first ? bits[word] : in[word] & bits[word];
			is_first = false;
		}
}

static void insert_steps(struct plan *plan)
{
	struct known known = { .words = plan->values.count / 64 + 1 };

	known.bits = arena_array(plan->arena, uint64_t, (size_t)known.words * (plan->nodes.count + 1));
	list_each (node, &plan->nodes) {
		uint64_t *bits = behind(&known, *node);

		enter(&known, *node, bits);
		list_each (value, &(*node)->reads)
			compute(plan, *node, bits, *value);
		list_each (value, &(*node)->voids)
			bits[(*value)->index / 64] &= ~((uint64_t)1 << (*value)->index % 64);
	}
}

// ---- carried fields: provided on every way, also through queues

static bool is_declared_read(const struct plan_node *node, const struct plan_value *value)
{
	each_member (member, node->element->class)
		if (member->kind == WEIR_IS_FIELD && (member->use & WEIR_READS_) &&
		    node->element->values.at[member - node->element->class->members] == value)
			return true;
	return false;
}

static bool is_provided(const struct plan_node *node, const struct plan_value *value)
{
	list_each (writer, &value->writers)
		if (*writer == node)
			return true;
	return false;
}

// Goes back from a node over all ways; the first source that is reached without a provider is what is wrong.
static const struct plan_element *way_without(struct plan *plan, const struct plan_node *node,
	const struct plan_value *value, uint8_t *seen)
{
	LIST(const struct plan_node *) todo = { 0 };

	*list_add(plan->arena, &todo) = node;
	for (uint32_t next = 0; next < todo.count; next++)
		list_each (front, &todo.at[next]->fronts) {
			if (!(*front)->nodes.count || platform_port((*front)->class))
				return *front;
			list_each (before, &(*front)->nodes)
				if (!is_provided(*before, value) && !seen[(*before)->order]++)
					*list_add(plan->arena, &todo) = *before;
		}
	return NULL;
}

static void check_provided(struct plan *plan, const struct plan_value *value)
{
	list_each (node, &value->readers) {
		const struct plan_element *from;
		struct diag_message *message;

		if (!is_declared_read(*node, value))
			continue;
		from = way_without(plan, *node, value, arena_array(plan->arena, uint8_t, plan->nodes.count + 1));
		if (!from)
			continue;
		message = diag_error(plan->diag, (*node)->element->syntax->at,
			"%s (%s) reads \"%s\", which nothing provides on the way from %s",
			(*node)->element->name, (*node)->element->class->name, value->name,
			from->name);
		if (value->writers.count)
			diag_hint(plan->diag, message, "%s provides it, elsewhere",
				value->writers.at[0]->element->name);
	}
}

void plan_values(struct plan *plan)
{
	list_each (element, &plan->elements)
		declare_all(plan, *element);
	declare_facts(plan);
	plan_observed_reads(plan, read_at, read_operands);
	plan_flows(plan, read_at);
	if (plan->diag->errors)
		return;
	find_voids(plan);
	insert_steps(plan);
	list_each (value, &plan->values)
		if ((*value)->kind == VALUE_CARRIED)
			check_provided(plan, *value);
}
