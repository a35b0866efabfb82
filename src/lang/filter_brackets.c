// SPDX-License-Identifier: Apache-2.0
// What stands in brackets, for slices and layers: [1-2], [0:3,5]. It has a grammar of its own: "3-5" is no word here.
// which "3-5" is no word.
#include "lang/filter_parser.h"

#include <ctype.h>

static bool read_offset(const char **at, const char *end, int32_t *number)
{
	bool is_negative = *at < end && **at == '-';
	int64_t value = 0;
	const char *from;

	if (*at < end && (**at == '-' || **at == '+'))
		++*at;
	for (from = *at; *at < end && isdigit((unsigned char)**at); ++*at)
		value = value > INT32_MAX ? value : value * 10 + (**at - '0');
	if (*at == from || value > INT32_MAX)
		return false;
	*number = (int32_t)(is_negative ? -value : value);
	return true;
}

static void skip_white(const char **at, const char *end)
{
	while (*at < end && isspace((unsigned char)**at))
		++*at;
}

static bool next_is(const char **at, const char *end, char c)
{
	skip_white(at, end);
	if (*at >= end || **at != c)
		return false;
	++*at;
	skip_white(at, end);
	return true;
}

// One of [i], [i:j], [i-j], [:j], [i:]
static bool read_slice(const char **at, const char *end, struct filter_slice *slice)
{
	int32_t number;

	*slice = (struct filter_slice){ 0 };
	skip_white(at, end);
	if (!next_is(at, end, ':')) {
		if (!read_offset(at, end, &slice->from))
			return false;
		skip_white(at, end);
		if (next_is(at, end, '-')) {
			slice->has_last = true;
			return read_offset(at, end, &slice->last);
		}
		if (!next_is(at, end, ':')) {
			slice->has_length = true;
			slice->length = 1;
			return true;
		}
		if (*at < end && (**at == ']' || **at == ','))
			return true;
	}
	slice->has_length = true;
	if (!read_offset(at, end, &number) || number < 0)
		return false;
	slice->length = (uint32_t)number;
	return true;
}

static const char *mistake_of(const struct filter_slice *slice)
{
	if (slice->has_length && !slice->length)
		return "a slice of no bytes";
	if (slice->has_last && (slice->from < 0) == (slice->last < 0) && slice->last < slice->from)
		return "this slice ends before it begins";
	return NULL;
}

// What stands in brackets, the token being "["; steps behind "]". 0 after a message.
unsigned filter_brackets(struct filter_parser *parser, struct filter_slice *slices)
{
	const char *at = parser->token.text + 1, *begin;
	unsigned count = 0;
	const char *mistake;

	do {
		begin = at;
		if (count == FILTER_SLICES) {
			filter_error(parser, at, "more than %d pieces in one slice", FILTER_SLICES);
			return filter_lost(parser), 0;
		}
		if (!read_slice(&at, parser->end, &slices[count])) {
			diag_hint(parser->diag, filter_error(parser, begin, "no slice that can be read"),
				  "[offset:length], [first-last], [offset], [:length], [offset:]");
			return filter_lost(parser), 0;
		}
		mistake = mistake_of(&slices[count++]);
		if (mistake) {
			filter_error(parser, begin, "%s", mistake);
			return filter_lost(parser), 0;
		}
	} while (next_is(&at, parser->end, ','));
	if (!next_is(&at, parser->end, ']')) {
		filter_error(parser, at, "\"]\" expected at the end of the slice");
		return filter_lost(parser), 0;
	}
	parser->next = at;
	filter_next(parser);
	return count;
}

// `#2`, `#-1`, `#[1-2]` behind a name
unsigned filter_layers(struct filter_parser *parser, struct filter_slice *layers)
{
	const char *at;

	if (!filter_at(parser, "#"))
		return 0;
	at = parser->token.text + 1;
	if (at < parser->end && *at == '[') {
		parser->token.text = at;
		return filter_brackets(parser, layers);
	}
	layers[0] = (struct filter_slice){ .has_length = true, .length = 1 };
	if (!read_offset(&at, parser->end, &layers[0].from)) {
		filter_error(parser, at, "behind \"#\" a number is expected, or a range in brackets: #2, #[1-2]");
		return filter_lost(parser), 0;
	}
	parser->next = at;
	filter_next(parser);
	return 1;
}
