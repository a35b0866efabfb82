// SPDX-License-Identifier: Apache-2.0
// The values of terms for one packet or event. A field may be there several times, so each term has
// a row of values; none where nothing of it is there. Arithmetic is exact: between whole numbers of
// 64 bits it cannot wrap.
#include "event/filter_program.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

static void add(struct filter_values *values, const struct filter_datum *datum)
{
	if (values->count < FILTER_VALUES)
		values->at[values->count++] = *datum;
}

static void add_bytes(struct filter_values *values, enum field_type type, const uint8_t *bytes, uint32_t length)
{
	if (bytes)
		add(values, &(struct filter_datum){ .type = type, .bytes = bytes, .length = length });
}

static void add_number(struct filter_values *values, enum field_type type, filter_wide number)
{
	add(values, &(struct filter_datum){ .type = type, .number = number, .last = number });
}

// ---- fields

static void add_place(const struct filter_column *column, struct filter_scene *scene, struct filter_values *values)
{
	uint32_t offset = 0, end = scene->vector->head.length[scene->slot], length;

	if (column->base)
		offset = ((const uint16_t *)vector_column(scene->vector, column->base))[scene->slot];
	if (column->end && ((const uint32_t *)vector_column(scene->vector, column->end))[scene->slot] < end)
		end = ((const uint32_t *)vector_column(scene->vector, column->end))[scene->slot];
	if (offset >= end)
		return;
	length = filter_header_length(scene, column->field->protocol, offset, end - offset);
	add_bytes(values, FIELD_BYTES, filter_packet_bytes(scene, offset, length), length);
}

static void add_column(const struct filter_column *column, struct filter_scene *scene, struct filter_values *values)
{
	const void *at = vector_column(scene->vector, column->at);
	enum field_type type = column->field->type;
	struct field_view view;
	const char *text;

	if (!(*vector_mask(scene->vector, column->has) >> scene->slot & 1))
		return;
	if (column->kind == FILTER_PLACE) {
		add_place(column, scene, values);
	} else if (type == FIELD_PROTOCOL) {
		add_number(values, FIELD_BOOL, 1);
	} else if (type == FIELD_BOOL) {
		add_number(values, type, *(const weir_mask *)at >> scene->slot & 1);
	} else if (type == FIELD_STRING && column->field->kind == FIELD_OF_FLOW) {
		text = ((const char *const *)at)[scene->slot];
		add_bytes(values, type, (const uint8_t *)text, (uint32_t)strlen(text));
	} else if (type == FIELD_BYTES || type == FIELD_STRING) {
		view = ((const struct field_view *)at)[scene->slot];
		add_bytes(values, type, filter_packet_bytes(scene, view.offset, view.length), view.length);
	} else if (column->size == 16) {
		add_number(values, type, filter_column_addr(at, scene->slot));
	} else {
		add_number(values, type, filter_column_at(at, column->size, scene->slot));
	}
}

static void add_part(const struct filter_operand *operand, struct filter_scene *scene, struct filter_values *values)
{
	struct filter_value value = { 0 };

	for (unsigned i = 0; i < FILTER_PARTS && scene->lookup(scene->context, operand->field, i, &value); i++) {
		struct filter_datum datum = { .type = operand->field->type, .number = value.number };

		if (datum.type == FIELD_IPV6)
			datum.number = filter_column_addr(value.addr, 0);
		if (datum.type == FIELD_PROTOCOL)
			datum.type = FIELD_BYTES;
		datum.bytes = value.bytes ? value.bytes : value.addr;
		datum.length = value.bytes ? value.length : 0;
		add(values, &datum);
		value = (struct filter_value){ 0 };
	}
}

void filter_bound_values(const struct filter_bound *bound, struct filter_scene *scene, struct filter_values *values)
{
	for (unsigned i = 0; scene->vector && i < bound->count; i++)
		add_column(&bound->columns[i], scene, values);
	for (unsigned i = 0; scene->lookup && i < bound->reference->count; i++)
		if (bound->reference->operands[i].field->kind == FIELD_OF_EVENT || !scene->vector)
			add_part(&bound->reference->operands[i], scene, values);
}

// ---- slices

// The bytes of a value that is none, as on the wire.
static bool spell(struct filter_datum *datum, struct filter_scene *scene)
{
	unsigned size = datum->type == FIELD_IPV4 ? 4 : datum->type == FIELD_ETHER ? 6 : 16;
	filter_wide number = datum->number;
	uint8_t *bytes;

	if (datum->type == FIELD_BYTES || datum->type == FIELD_STRING)
		return true;
	bytes = filter_scratch(scene, size);
	if (!bytes)
		return false;
	for (unsigned i = size; i-- > 0; number >>= 8)
		bytes[i] = (uint8_t)number;
	datum->bytes = bytes;
	datum->length = size;
	return true;
}

// Where a piece lies in so many bytes; false: not (wholly) in them.
static bool locate(const struct filter_slice *slice, uint32_t length, uint32_t *offset, uint32_t *size)
{
	int64_t from = slice->from, to = length;

	if (from < 0)
		from += length;
	if (slice->has_length)
		to = from + slice->length;
	if (slice->has_last)
		to = slice->last < 0 ? (int64_t)length + slice->last + 1 : (int64_t)slice->last + 1;
	if (from < 0 || to <= from || to > length)
		return false;
	*offset = (uint32_t)from;
	*size = (uint32_t)(to - from);
	return true;
}

static bool cut(const struct filter_term *term, struct filter_datum *datum, struct filter_scene *scene)
{
	uint32_t offset = 0, size = 0, total = 0;
	const uint8_t *bytes = datum->bytes;
	uint8_t *joined;

	for (unsigned i = 0; i < term->slice_count; i++) {
		if (!locate(&term->slices[i], datum->length, &offset, &size))
			return false;
		total += size;
	}
	if (term->slice_count == 1) {
		datum->bytes = bytes + offset;
		datum->length = size;
		return true;
	}
	joined = filter_scratch(scene, total);
	if (!joined)
		return false;
	datum->bytes = joined;
	for (unsigned i = 0; i < term->slice_count; i++) {
		locate(&term->slices[i], datum->length, &offset, &size);
		memcpy(joined, bytes + offset, size);
		joined += size;
	}
	datum->length = total;
	return true;
}

static void slice(const struct filter_term *term, struct filter_scene *scene, struct filter_values *values)
{
	unsigned kept = 0;

	filter_term_values(term->terms[0], scene, values);
	for (unsigned i = 0; i < values->count; i++) {
		struct filter_datum datum = values->at[i];

		if (!spell(&datum, scene) || !cut(term, &datum, scene))
			continue;
		datum.type = term->type;
		values->at[kept++] = datum;
	}
	values->count = kept;
}

// ---- arithmetic

static bool and_bytes(struct filter_datum *left, const struct filter_datum *right, struct filter_scene *scene)
{
	uint8_t *to = left->length == right->length ? filter_scratch(scene, left->length) : NULL;

	if (!to)
		return false;
	for (uint32_t i = 0; i < left->length; i++)
		to[i] = left->bytes[i] & right->bytes[i];
	left->bytes = to;
	return true;
}

static bool calculate(enum filter_term_kind kind, struct filter_datum *left, const struct filter_datum *right,
		      struct filter_scene *scene)
{
	__int128 a = (__int128)left->number, b = (__int128)right->number, result = 0;

	switch (kind) {
	case TERM_AND:
		if (left->type == FIELD_BYTES)
			return and_bytes(left, right, scene);
		left->number &= right->number;
		return true;
	case TERM_ADD:
		if (__builtin_add_overflow(a, b, &result))
			return false;
		break;
	case TERM_SUBTRACT:
		if (__builtin_sub_overflow(a, b, &result))
			return false;
		break;
	case TERM_MULTIPLY:
		if (__builtin_mul_overflow(a, b, &result))
			return false;
		break;
	default:
		if (!b || (b == -1 && a < INT64_MIN))
			return false;
		result = kind == TERM_DIVIDE ? a / b : a % b;
	}
	left->number = (filter_wide)result;
	return true;
}

static void binary(const struct filter_term *term, struct filter_scene *scene, struct filter_values *values)
{
	struct filter_values left, right;

	left.count = right.count = 0;
	filter_term_values(term->terms[0], scene, &left);
	filter_term_values(term->terms[1], scene, &right);
	for (unsigned i = 0; i < left.count; i++) {
		for (unsigned j = 0; j < right.count; j++) {
			struct filter_datum datum = left.at[i];

			if (calculate(term->kind, &datum, &right.at[j], scene))
				add(values, &datum);
		}
	}
}

// ---- functions

static void length_of(const struct filter_term *term, struct filter_values *values)
{
	for (unsigned i = 0; i < values->count; i++) {
		const struct filter_datum *datum = &values->at[i];
		uint32_t size = datum->type == FIELD_IPV6 ? 16
			: datum->type == FIELD_IPV4	  ? 4
			: datum->type == FIELD_ETHER	  ? 6
							  : 8;

		if (datum->type == FIELD_UINT && term->terms[0]->kind == TERM_FIELD)
			size = term->terms[0]->reference->operands[0].field->size;
		if (datum->type == FIELD_BYTES || datum->type == FIELD_STRING)
			size = datum->length;
		values->at[i] = (struct filter_datum){ .type = FIELD_UINT, .number = size };
	}
}

static bool is_greater(const struct filter_datum *a, const struct filter_datum *b)
{
	if (a->type == FIELD_UINT)
		return (__int128)a->number > (__int128)b->number;
	return a->number > b->number;
}

// Of the arguments that are there.
static void extreme(const struct filter_term *term, struct filter_scene *scene, struct filter_values *values)
{
	struct filter_values some;
	struct filter_datum best = { 0 };
	bool is_found = false;

	for (unsigned i = 0; i < term->count; i++) {
		some.count = 0;
		filter_term_values(term->terms[i], scene, &some);
		for (unsigned j = 0; j < some.count; j++) {
			bool is_better = term->kind == TERM_MAX ? is_greater(&some.at[j], &best)
								: is_greater(&best, &some.at[j]);

			if (!is_found || is_better)
				best = some.at[j];
			is_found = true;
		}
	}
	if (is_found)
		add(values, &best);
}

static void change_case(enum filter_term_kind kind, struct filter_scene *scene, struct filter_values *values)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < values->count; i++) {
		struct filter_datum datum = values->at[i];
		uint8_t *to = filter_scratch(scene, datum.length);

		if (!to)
			continue;
		for (uint32_t j = 0; j < datum.length; j++)
			to[j] = (uint8_t)(kind == TERM_UPPER ? toupper(datum.bytes[j]) : tolower(datum.bytes[j]));
		datum.bytes = to;
		values->at[kept++] = datum;
	}
	values->count = kept;
}

static void print(const struct filter_datum *datum, char text[64])
{
	uint64_t low = (uint64_t)datum->number;
	uint8_t bytes[16];
	filter_wide number = datum->number;

	for (int i = 15; i >= 0; i--, number >>= 8)
		bytes[i] = (uint8_t)number;
	if (datum->type == FIELD_IPV4)
		inet_ntop(AF_INET, bytes + 12, text, 64);
	else if (datum->type == FIELD_IPV6)
		inet_ntop(AF_INET6, bytes, text, 64);
	else if (datum->type == FIELD_ETHER)
		snprintf(text, 64, "%02x:%02x:%02x:%02x:%02x:%02x", bytes[10], bytes[11], bytes[12],
			bytes[13], bytes[14], bytes[15]);
	else if ((__int128)datum->number < 0)
		snprintf(text, 64, "%" PRId64, (int64_t)low);
	else
		snprintf(text, 64, "%" PRIu64, low);
}

static void as_text(struct filter_scene *scene, struct filter_values *values)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < values->count; i++) {
		char text[64];
		uint8_t *to;

		print(&values->at[i], text);
		to = filter_scratch(scene, (uint32_t)strlen(text) + 1);
		if (!to)
			continue;
		memcpy(to, text, strlen(text) + 1);
		values->at[kept++] =
			(struct filter_datum){ .type = FIELD_STRING, .bytes = to, .length = (uint32_t)strlen(text) };
	}
	values->count = kept;
}

static void absolute(enum filter_term_kind kind, struct filter_values *values)
{
	for (unsigned i = 0; i < values->count; i++)
		if (kind == TERM_NEGATIVE || (__int128)values->at[i].number < 0)
			values->at[i].number = -values->at[i].number;
}

void filter_term_values(const struct filter_term *term, struct filter_scene *scene, struct filter_values *values)
{
	unsigned count;

	switch (term->kind) {
	case TERM_LITERAL:
	case TERM_CONSTANT:
	case TERM_KINDS:
		add(values, &term->value);
		return;
	case TERM_FIELD:
		filter_bound_values(term->bound, scene, values);
		return;
	case TERM_SLICE:
		slice(term, scene, values);
		return;
	case TERM_AND:
	case TERM_ADD:
	case TERM_SUBTRACT:
	case TERM_MULTIPLY:
	case TERM_DIVIDE:
	case TERM_MODULO:
		binary(term, scene, values);
		return;
	case TERM_MAX:
	case TERM_MIN:
		extreme(term, scene, values);
		return;
	default:
		filter_term_values(term->terms[0], scene, values);
	}
	count = values->count;
	if (term->kind == TERM_LEN) {
		length_of(term, values);
	} else if (term->kind == TERM_COUNT) {
		values->count = 0;
		if (count)
			add_number(values, FIELD_UINT, count);
	} else if (term->kind == TERM_UPPER || term->kind == TERM_LOWER) {
		change_case(term->kind, scene, values);
	} else if (term->kind == TERM_STRING) {
		as_text(scene, values);
	} else {
		absolute(term->kind, values);
	}
}
