// SPDX-License-Identifier: Apache-2.0
// What names in filters stand for: fields, the fields behind an alias ("tcp.port"), and which of a packet's headers.
#include "lang/filter_parser.h"

#include <ctype.h>
#include <stdlib.h>

const struct field *filter_field(struct filter_parser *parser, const char *name, size_t length)
{
	const char *text = arena_text(parser->arena, name, length);
	const struct field *field = NULL;

	if (!isalpha((unsigned char)*text) && *text != '_')
		return NULL;
	if (parser->names)
		field = parser->names->find(parser->names->context, text);
	return field ? field : field_find(text);
}

// ---- suggestions

static const char *nearest(struct filter_parser *parser, const struct filter_term *word)
{
	struct near near = { .word = arena_text(parser->arena, word->text, word->length) };
	const struct filter_names *names = parser->names;
	const struct field *field;
	const char *name;

	if (!isalpha((unsigned char)*word->text))
		return NULL;
	for (unsigned i = 0; names && names->at && (name = names->at(names->context, i)) != NULL; i++)
		near_try(&near, name);
	for (unsigned i = 0; (field = field_at(i)) != NULL; i++)
		near_try(&near, field->name);
	return near_best(&near);
}

void filter_suggest(struct filter_parser *parser, struct diag_message *message, const struct filter_term *word)
{
	const char *name = word->is_string || word->is_character ? NULL : nearest(parser, word);

	if (name)
		diag_hint(parser->diag, message, "did you mean the field \"%s\"?", name);
}

void filter_no_such_name(struct filter_parser *parser, const struct filter_term *word)
{
	const char *name = nearest(parser, word);
	struct diag_message *message;

	message = filter_error(parser, word->text, "%s is no field and no protocol", filter_term_quote(parser, word));
	if (name)
		diag_hint(parser->diag, message, "did you mean \"%s\"?", name);
}

// ---- layers

struct layers {
	uint64_t some; // bit n: occurrence n
	bool last, any;
};

static bool bad_layer(struct filter_parser *parser, const char *at, const char *mistake)
{
	diag_hint(parser->diag, filter_error(parser, at, "%s", mistake),
		  "headers of a protocol are counted from #1 to #%d; #-1 is the last", DECODE_LAYERS);
	return false;
}

static bool add_layers(struct filter_parser *parser, const struct filter_slice *slice,
	const char *at, struct layers *layers)
{
	int64_t last = DECODE_OCCURRENCES;

	if (slice->from == -1 && (!slice->has_length || slice->length == 1) &&
		(!slice->has_last || slice->last == -1)) {
		layers->last = true;
		return true;
	}
	if (slice->from < 0 || (slice->has_last && slice->last < 0))
		return bad_layer(parser, at, "of the headers counted from the end only the last can be asked for");
	if (slice->has_length)
		last = (int64_t)slice->from + slice->length - 1;
	if (slice->has_last)
		last = slice->last;
	if (!slice->has_length && !slice->has_last && slice->from > last)
		last = slice->from;
	if (last < 1 || last > DECODE_LAYERS)
		return bad_layer(parser, at, last < 1 ? "there is no header 0" : "so many headers are not counted");
	for (int64_t i = slice->from > 1 ? slice->from : 1; i <= last; i++)
		layers->some |= UINT64_C(1) << i;
	return true;
}

// ---- references

typedef LIST(struct filter_operand) operand_list;

static void add_operand(struct filter_parser *parser, operand_list *operands,
	const struct field *field, unsigned occurrence)
{
	*list_add(parser->arena, operands) = (struct filter_operand){
		.field = field,
		.kind = FILTER_VALUE,
		.occurrence = (uint8_t)occurrence,
	};
}

static void add_field(struct filter_parser *parser, operand_list *operands, const struct field *field,
		      const struct layers *layers)
{
	if (field->kind != FIELD_DERIVED) {
		add_operand(parser, operands, field, DECODE_OUTER);
		return;
	}
	if (field->protocol == PROTO_FRAME) {
		if (layers->any || layers->last || layers->some & 2)
			add_operand(parser, operands, field, 1);
		return;
	}
	if (layers->any)
		add_operand(parser, operands, field, FILTER_ANY);
	for (unsigned i = 1; i <= DECODE_LAYERS; i++)
		if (layers->some >> i & 1)
			add_operand(parser, operands, field, i);
	if (layers->last)
		add_operand(parser, operands, field, DECODE_LAST);
}

static int by_name(const void *a, const void *b)
{
	const struct filter_operand *one = a, *other = b;
	int order = strcmp(one->field->name, other->field->name);

	return order ? order : one->occurrence - other->occurrence;
}

static filter_wide most_of(const struct field *field)
{
	switch (field->type) {
	case FIELD_BOOL:
		return 1;
	case FIELD_UINT:
		return field->size >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * field->size) - 1;
	case FIELD_IPV4:
		return UINT32_MAX;
	case FIELD_IPV6:
		return ~(filter_wide)0;
	case FIELD_ETHER:
		return (UINT64_C(1) << 48) - 1;
	default:
		return UINT64_MAX;
	}
}

static void add_alias(struct filter_parser *parser, operand_list *operands, const struct field *alias,
		      const struct layers *layers)
{
	for (const char *const *name = alias->any_of; *name; name++) {
		const struct field *field = filter_field(parser, *name, strlen(*name));

		if (field && !field->any_of)
			add_field(parser, operands, field, layers);
	}
}

const struct filter_reference *filter_refer(struct filter_parser *parser, const struct field *field, const char *name,
					    const struct filter_slice *slices, unsigned count, const char *at)
{
	struct filter_reference *reference = arena_new(parser->arena, struct filter_reference);
	struct layers layers = { .any = count == 0 };
	operand_list operands = { 0 };

	for (unsigned i = 0; i < count; i++)
		if (!add_layers(parser, &slices[i], at, &layers))
			return NULL;
	if (count && field->kind != FIELD_DERIVED) {
		filter_error(parser, at, "\"%s\" is not of a header: it has no layers", field->name);
		return NULL;
	}
	if (field->any_of)
		add_alias(parser, &operands, field, &layers);
	else
		add_field(parser, &operands, field, &layers);
	if (!operands.count || operands.count > FILTER_OPERANDS) {
		filter_error(parser, at, operands.count ? "too many headers at once" : "no packet has such a header");
		return NULL;
	}
	qsort(operands.at, operands.count, sizeof(*operands.at), by_name);
	reference->name = name;
	reference->operands = operands.at;
	reference->count = operands.count;
	field = operands.at[0].field;
	reference->type = field->type;
	reference->most = most_of(field);
	for (unsigned i = 1; i < operands.count; i++)
		if (most_of(operands.at[i].field) > reference->most)
			reference->most = most_of(operands.at[i].field);
	reference->is_single = operands.count == 1 && operands.at[0].occurrence != FILTER_ANY &&
		field->kind != FIELD_OF_EVENT;
	return reference;
}
