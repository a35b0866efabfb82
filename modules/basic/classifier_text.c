// SPDX-License-Identifier: Apache-2.0
// A pattern is "-", or clauses between blanks: 12/0800, 30/0a??, 33/02%12 (offset/value%mask), with
// ! in front for "not".
#include "classifier_text.h"

#include <ctype.h>

enum {
	MOST_OFFSET = 65535,
	CLAUSE_BYTES = 64,
};

struct written { // a clause as it was written, byte by byte
	uint32_t offset, length;
	bool is_negated;
	uint8_t mask[CLAUSE_BYTES], value[CLAUSE_BYTES];
};

struct reader {
	struct weir_start *start;
	const char *pattern, *at;
	int argument;
	uint8_t needed[MOST_OFFSET + CLAUSE_BYTES + 1]; // by offset: some clause looks at this byte
};

static bool refuse(struct reader *reader, const char *what)
{
	size_t length = strcspn(reader->at, " \t\n");

	weir_refuse(reader->start, reader->argument, "pattern \"%s\": %s at \"%.*s\"",
		reader->pattern, what, (int)length, reader->at);
	return false;
}

static void skip_blank(struct reader *reader)
{
	reader->at += strspn(reader->at, " \t\n");
}

static int nibble(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10
										: -1;
}

static bool read_offset(struct reader *reader, struct written *clause)
{
	const char *digit = reader->at;

	for (; isdigit((unsigned char)*digit) && clause->offset <= MOST_OFFSET; digit++)
		clause->offset = clause->offset * 10 + (uint32_t)(*digit - '0');
	if (digit == reader->at || *digit != '/')
		return refuse(reader, "OFFSET/VALUE is expected");
	if (clause->offset > MOST_OFFSET)
		return refuse(reader, "an offset beyond 65535");
	reader->at = digit + 1;
	return true;
}

// Hexadecimal digits, two a byte; where wild, ? is a digit of no interest. How many bytes; 0: after a message.
static uint32_t read_digits(struct reader *reader, uint8_t *value, uint8_t *mask)
{
	uint32_t digits = 0;

	for (const char *at = reader->at; nibble(*at) >= 0 || (mask && *at == '?'); at++, digits++) {
		unsigned shift = digits % 2 ? 0 : 4, byte = digits / 2;

		if (byte == CLAUSE_BYTES)
			return refuse(reader, "more than 64 bytes");
		if (*at == '?')
			continue;
		value[byte] |= (uint8_t)(nibble(*at) << shift);
		if (mask)
			mask[byte] |= (uint8_t)(0xf << shift);
	}
	if (!digits || digits % 2)
		return refuse(reader, digits ? "an odd number of digits" : "hexadecimal digits are expected");
	reader->at += digits;
	return digits / 2;
}

static bool read_mask(struct reader *reader, struct written *clause)
{
	uint8_t mask[CLAUSE_BYTES] = { 0 };
	const char *begin = ++reader->at;
	uint32_t length = read_digits(reader, mask, NULL);

	if (!length)
		return false;
	if (length != clause->length) {
		reader->at = begin;
		return refuse(reader, "a mask that is not as long as its value");
	}
	for (uint32_t i = 0; i < length; i++)
		clause->mask[i] &= mask[i];
	return true;
}

static bool read_clause(struct reader *reader, struct written *clause)
{
	for (; *reader->at == '!'; reader->at++, skip_blank(reader))
		clause->is_negated = !clause->is_negated;
	if (!read_offset(reader, clause))
		return false;
	clause->length = read_digits(reader, clause->value, clause->mask);
	if (!clause->length || (*reader->at == '%' && !read_mask(reader, clause)))
		return false;
	if (*reader->at && !isspace((unsigned char)*reader->at))
		return refuse(reader, "this is neither a digit nor % nor a blank:");
	for (uint32_t i = 0; i < clause->length; i++) {
		clause->value[i] &= clause->mask[i];
		reader->needed[clause->offset + i] |= clause->mask[i];
	}
	return true;
}

static uint32_t count_words(const char *text)
{
	uint32_t words = 0;

	for (text += strspn(text, " \t\n"); *text; text += strspn(text, " \t\n"), words++)
		text += strcspn(text, " \t\n");
	return words;
}

struct draft { // a pattern, before windows are known
	struct written *clauses;
	uint32_t count;
};

static bool read_pattern(struct reader *reader, struct draft *draft)
{
	skip_blank(reader);
	if (*reader->at == '-' && count_words(reader->at) == 1 && !reader->at[1 + strspn(reader->at + 1, " \t\n")])
		return true;
	draft->clauses = weir_memory(reader->start, (count_words(reader->at) + 1) * sizeof(*draft->clauses));
	for (; *reader->at; skip_blank(reader))
		if (!read_clause(reader, &draft->clauses[draft->count++]))
			return false;
	return draft->count || refuse(reader, "it is empty; - matches all packets");
}

// ---- from bytes to windows

static bool cover(struct reader *reader, struct classifier_program *program)
{
	for (uint32_t at = 0; at < sizeof(reader->needed); at++) {
		if (!reader->needed[at])
			continue;
		if (program->window_count == CLASSIFIER_WINDOWS) {
			weir_refuse(reader->start, -1, "the patterns look at more than %d bytes of a packet",
				CLASSIFIER_WINDOWS * CLASSIFIER_WINDOW);
			return false;
		}
		program->windows[program->window_count++] = at;
		at += CLASSIFIER_WINDOW - 1;
	}
	return true;
}

static uint32_t window_of(const struct classifier_program *program, uint32_t offset)
{
	uint32_t window = program->window_count - 1;

	while (program->windows[window] > offset)
		window--;
	return window;
}

static void build_clause(struct weir_start *start, const struct classifier_program *program,
	const struct written *from, struct classifier_clause *to)
{
	struct classifier_test *tests = weir_memory(start, from->length * sizeof(*tests)), *test = NULL;

	*to = (struct classifier_clause){
		.tests = tests, .end = from->offset + from->length, .is_negated = from->is_negated
	};
	for (uint32_t i = 0; i < from->length; i++) {
		uint32_t window, shift;

		if (!from->mask[i])
			continue;
		window = window_of(program, from->offset + i);
		shift = (from->offset + i - program->windows[window]) * 8;
		if (!test || test->window != window) {
			test = &tests[to->test_count++];
			test->window = window;
		}
		test->mask |= (uint32_t)from->mask[i] << shift;
		test->value |= (uint32_t)from->value[i] << shift;
	}
}

static void build_pattern(struct weir_start *start, struct classifier_program *program, const struct draft *draft,
	struct classifier_pattern *pattern)
{
	struct classifier_clause *clauses = weir_memory(start, (draft->count + 1) * sizeof(*clauses));

	*pattern = (struct classifier_pattern){ clauses, draft->count };
	for (uint32_t i = 0; i < draft->count; i++) {
		build_clause(start, program, &draft->clauses[i], &clauses[i]);
		if (clauses[i].end > program->end)
			program->end = clauses[i].end;
	}
}

const struct classifier_program *classifier_read(struct weir_start *start, const struct weir_texts *texts)
{
	struct reader *reader = weir_memory(start, sizeof(*reader));
	struct classifier_program *program = weir_memory(start, sizeof(*program));
	struct classifier_pattern *patterns = weir_memory(start, (texts->count + 1) * sizeof(*patterns));
	struct draft *drafts = weir_memory(start, (texts->count + 1) * sizeof(*drafts));
	bool is_well = true;

	reader->start = start;
	for (uint32_t i = 0; i < texts->count; i++) {
		reader->argument = (int)i;
		reader->pattern = reader->at = texts->text[i];
		is_well = read_pattern(reader, &drafts[i]) && is_well;
	}
	if (!is_well || !cover(reader, program))
		return NULL;
	for (uint32_t i = 0; i < texts->count; i++)
		build_pattern(start, program, &drafts[i], &patterns[i]);
	program->patterns = patterns;
	program->pattern_count = texts->count;
	return program;
}
