// SPDX-License-Identifier: Apache-2.0
// An argument's text, put together from slices of the file, and the way back from a byte of it to its place.
#include "lang/graph_syntax.h"

static void count_over(struct place *place, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n') {
			place->line++;
			place->column = 1;
		} else if ((text[i] & 0xc0) != 0x80) {
			place->column++;
		}
	}
}

struct place graph_argument_place(const struct graph_argument *argument, size_t offset)
{
	const struct graph_span *span = argument->spans, *end;
	struct place place = argument->at;

	if (!argument->span_count || !argument->text)
		return place;
	end = span + argument->span_count;
	while (span + 1 < end && span[1].offset <= offset)
		span++;
	place = span->at;
	if (!span->is_value && offset > span->offset)
		count_over(&place, argument->text + span->offset,
			strnlen(argument->text + span->offset, offset - span->offset));
	return place;
}

struct graph_argument argument_of_pieces(struct arena *arena, const struct raw_argument *raw)
{
	struct graph_argument argument = { .at = raw->at, .span_count = raw->pieces.count };
	struct graph_span *spans = arena_array(arena, struct graph_span, raw->pieces.count);
	const struct piece *piece;
	size_t length = 0;
	char *text;

	for (uint32_t i = 0; i < raw->pieces.count; i++)
		length += raw->pieces.at[i].length;
	argument.text = text = arena_take(arena, length + 1);
	argument.spans = spans;
	length = 0;
	for (uint32_t i = 0; i < raw->pieces.count; i++) {
		piece = &raw->pieces.at[i];
		*spans++ = (struct graph_span){ (uint32_t)length, false, piece->at };
		memcpy(text + length, piece->text, piece->length);
		length += piece->length;
	}
	return argument;
}

uint32_t spans_copy(struct graph_span *spans, const struct graph_argument *argument, size_t from, size_t to,
	size_t offset)
{
	const struct graph_span *span = argument->spans, *end;
	uint32_t count = 0;

	if (!argument->span_count)
		return 0;
	end = span + argument->span_count;
	while (span + 1 < end && span[1].offset <= from)
		span++;
	for (; span < end && span->offset < to; span++) {
		spans[count] = *span;
		spans[count].offset = (uint32_t)offset;
		if (span->offset < from)
			spans[count].at = graph_argument_place(argument, from);
		else
			spans[count].offset += span->offset - (uint32_t)from;
		count++;
	}
	return count;
}

struct graph_argument argument_slice(struct arena *arena, const struct graph_argument *argument, size_t from,
	size_t to)
{
	struct graph_span *spans = arena_array(arena, struct graph_span, argument->span_count + 1);
	struct graph_argument slice = { .text = arena_text(arena, argument->text + from, to - from), .spans = spans };

	slice.at = graph_argument_place(argument, from);
	slice.span_count = spans_copy(spans, argument, from, to, 0);
	return slice;
}

void words_begin(struct words *words, struct arena *arena, const struct graph_argument *argument, const char *signs)
{
	*words = (struct words){ .arena = arena, .argument = argument, .signs = signs };
	words_next(words);
}

static bool is_sign(const struct words *words, char c)
{
	return strchr(words->signs, c);
}

void words_next(struct words *words)
{
	const char *text = words->argument->text, *begin, *end;

	for (begin = text + words->at; is_white(*begin);)
		begin++;
	for (end = begin; *end && !is_white(*end) && is_sign(words, *end) == is_sign(words, *begin);)
		end++;
	words->word_at = (size_t)(begin - text);
	words->at = (size_t)(end - text);
	words->word.at = graph_argument_place(words->argument, words->word_at);
	words->word.text = end > begin ? arena_text(words->arena, begin, (size_t)(end - begin)) : NULL;
}

bool word_is(const struct words *words, const char *text)
{
	return words->word.text && !strcmp(words->word.text, text);
}
