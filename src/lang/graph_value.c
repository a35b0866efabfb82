// SPDX-License-Identifier: Apache-2.0
// Variables get their values. A value is text: it is put in where the variable stands, and what comes out is read as
// arguments once more, so that quotes, commas and brackets in values mean what they mean elsewhere.
#include "lang/graph_expand.h"

enum { DEEPEST_VARIABLES = 64 };

struct buffer {
	char *text;
	size_t length, room;
	LIST(struct graph_span) spans;
	bool is_too_long;
};

static void append(struct expansion *expansion, struct buffer *buffer, const char *text, size_t length)
{
	char *larger;

	buffer->is_too_long |= buffer->length + length > LONGEST_ARGUMENT;
	if (buffer->is_too_long)
		return;
	if (buffer->length + length + 1 > buffer->room) {
		buffer->room = (buffer->length + length + 1) * 2;
		larger = arena_take(expansion->arena, buffer->room);
		if (buffer->length)
			memcpy(larger, buffer->text, buffer->length);
		buffer->text = larger;
	}
	memcpy(buffer->text + buffer->length, text, length);
	buffer->length += length;
	buffer->text[buffer->length] = 0;
}

// A value inside "...": without quotes of its own, and nothing in it ends the quotes around or is a variable.
static void append_quoted(struct expansion *expansion, struct buffer *buffer, const char *text, size_t length)
{
	char quote = length >= 2 && text[0] == text[length - 1] ? text[0] : 0;
	bool is_one = quote == '"' || quote == '\'';

	for (size_t i = 1; is_one && i < length - 1; i++)
		is_one = text[i] != quote && (quote == '\'' || text[i] != '\\');
	if (is_one) {
		text++;
		length -= 2;
	}
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '"' || text[i] == '\\' || text[i] == '$')
			append(expansion, buffer, "\\", 1);
		append(expansion, buffer, text + i, 1);
	}
}

static const struct value *value_of(struct expansion *expansion, const struct instance *instance, const char *name,
	size_t length, unsigned depth);

static void fill(struct expansion *expansion, const struct instance *instance, const struct raw_argument *raw,
	struct buffer *buffer, unsigned depth)
{
	const struct value *value;
	const struct piece *piece;
	const char *text;
	size_t length;

	append(expansion, buffer, "", 0);
	for (uint32_t i = 0; i < raw->pieces.count && !buffer->is_too_long; i++) {
		piece = &raw->pieces.at[i];
		*list_add(expansion->arena, &buffer->spans) = (struct graph_span){
			(uint32_t)buffer->length, piece->is_variable, piece->at };
		if (!piece->is_variable) {
			append(expansion, buffer, piece->text, piece->length);
			continue;
		}
		value = value_of(expansion, instance, piece->text, piece->length, depth);
		text = value ? value->text : piece->otherwise ? piece->otherwise : "";
		length = value ? strlen(text) : piece->otherwise_length;
		if (piece->is_quoted)
			append_quoted(expansion, buffer, text, length);
		else
			append(expansion, buffer, text, length);
	}
}

static void note_length(struct expansion *expansion, const struct buffer *buffer, struct place at)
{
	expansion->text_length += buffer->length;
	if (buffer->is_too_long)
		expansion_stop(expansion, at, "with its variables replaced, this text is longer than %d bytes",
			LONGEST_ARGUMENT);
	else if (expansion->text_length > MOST_TEXT)
		expansion_stop(expansion, at, "the variables of this graph need more than %d MiB", MOST_TEXT >> 20);
}

static void define(struct expansion *expansion, const struct instance *instance, struct definition *definition,
	struct value *value, unsigned depth)
{
	struct buffer buffer = { 0 };

	if (value->state == VALUE_SOUGHT || depth == DEEPEST_VARIABLES) {
		if (!definition->is_blamed)
			fault(expansion->faults, definition->at, value->state == VALUE_SOUGHT ?
				"the value of $%s needs $%s itself" : "the value of $%s needs too many others (%s)",
				definition->name, value->state == VALUE_SOUGHT ? definition->name : "64 deep");
		definition->is_blamed = true;
		value->text = "";
		return;
	}
	value->state = VALUE_SOUGHT;
	fill(expansion, instance, &definition->value, &buffer, depth + 1);
	note_length(expansion, &buffer, definition->at);
	value->text = buffer.text;
	value->state = VALUE_KNOWN;
}

static const struct value *value_of(struct expansion *expansion, const struct instance *instance, const char *name,
	size_t length, unsigned depth)
{
	uint32_t found;
	struct value *value;

	for (; instance; instance = instance->outer) {
		found = names_find(&instance->body->variables, name, length);
		if (found == NAMES_NONE)
			continue;
		value = &instance->values[found];
		if (value->state != VALUE_KNOWN)
			define(expansion, instance, body_definition(instance->body, found), value, depth);
		return value;
	}
	return NULL;
}

struct value *values_create(struct expansion *expansion, const struct body *body)
{
	return arena_array(expansion->arena, struct value, body->formals.count + body->definitions.count);
}

const char *variable_text(struct expansion *expansion, const struct instance *instance, const char *name)
{
	const struct value *value = value_of(expansion, instance, name, strlen(name), 0);

	return value ? value->text : "";
}

// An argument that is read from text with values in it: its places are those of the written text.
static struct graph_argument locate(struct expansion *expansion, const struct raw_argument *raw,
	const struct graph_argument *written)
{
	uint32_t room = raw->pieces.count * 2 + written->span_count, count = 0;
	struct graph_span *spans = arena_array(expansion->arena, struct graph_span, room);
	size_t length = strlen(written->text), from, offset = 0;
	const struct piece *piece;

	for (uint32_t i = 0; i < raw->pieces.count; i++) {
		piece = &raw->pieces.at[i];
		from = (uintptr_t)piece->text - (uintptr_t)written->text;
		if (from < length) // else a space that stands for other white space
			count += spans_copy(spans + count, written, from, from + piece->length, offset);
		offset += piece->length;
	}
	return (struct graph_argument){ .text = raw->plain.text, .spans = spans, .span_count = count,
					.at = count ? spans->at : written->at };
}

// Reads a text with values in it; false, with an error, if it is no longer what arguments are.
static bool read_again(struct expansion *expansion, struct raw_argument *raw, const struct buffer *buffer,
	struct raw_arguments *result)
{
	struct faults quiet = { .diag = diag_create(expansion->arena) };
	struct lexer lexer = {
		.arena = expansion->arena,
		.faults = &quiet,
		.cursor = { buffer->text, buffer->text + buffer->length, { NULL, 1, 1 }, false },
	};

	arguments_scan(&lexer, lexer.cursor.place, UNTIL_VALUE_END, result->is_divided, result);
	if (!quiet.count && !result->has_variables)
		return true;
	if (!raw->is_blamed)
		fault(expansion->faults, raw->at, "with its variables replaced, this argument is wrong: %s",
			quiet.count ? quiet.diag->first->text : "a value may not be or make a variable");
	raw->is_blamed = true;
	return false;
}

static bool is_empty_rest(struct expansion *expansion, const struct instance *instance,
	const struct raw_argument *raw)
{
	const struct piece *piece = raw->pieces.at;
	const struct value *value;

	if (raw->pieces.count != 1)
		return false;
	value = value_of(expansion, instance, piece->text, piece->length, 0);
	return value && value->is_rest && !*value->text;
}

static void replace(struct expansion *expansion, const struct instance *instance, struct raw_argument *raw,
	bool is_divided, struct argument_list *arguments)
{
	struct raw_arguments result = { .is_divided = is_divided };
	struct buffer buffer = { 0 };
	struct graph_argument written = { .at = raw->at };

	if (is_empty_rest(expansion, instance, raw))
		return;
	fill(expansion, instance, raw, &buffer, 0);
	note_length(expansion, &buffer, raw->at);
	if (expansion->is_over || !read_again(expansion, raw, &buffer, &result))
		return;
	written.text = buffer.text;
	written.spans = buffer.spans.at;
	written.span_count = buffer.spans.count;
	for (uint32_t i = 0; i < result.list.count; i++)
		*list_add(expansion->arena, &arguments->list) = locate(expansion, &result.list.at[i], &written);
	if (!result.list.count)
		*list_add(expansion->arena, &arguments->list) = (struct graph_argument){ .text = "", .at = raw->at };
}

static void make_ready(struct expansion *expansion, struct raw_arguments *raw)
{
	raw->ready = arena_array(expansion->arena, struct graph_argument, raw->list.count);
	for (uint32_t i = 0; i < raw->list.count; i++)
		raw->ready[i] = raw->list.at[i].plain;
}

void arguments_of(struct expansion *expansion, const struct instance *instance, struct raw_arguments *raw,
	struct argument_list *arguments)
{
	if (!raw)
		return;
	if (!raw->has_variables && !raw->ready)
		make_ready(expansion, raw);
	if (!raw->has_variables) {
		arguments->list.at = raw->ready;
		arguments->list.count = arguments->list.room = raw->list.count;
		return;
	}
	list_each (argument, &raw->list) {
		if (argument->has_variables)
			replace(expansion, instance, argument, raw->is_divided, arguments);
		else
			*list_add(expansion->arena, &arguments->list) = argument->plain;
	}
	if (arguments->list.count && !*arguments->list.at[arguments->list.count - 1].text &&
	    raw->list.at[raw->list.count - 1].has_variables)
		arguments->list.count--; // an empty last argument does not count
}
