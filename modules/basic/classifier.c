// SPDX-License-Identifier: Apache-2.0
// Classifier - sends each packet to the output of the first pattern that its bytes match. Patterns run over whole
// vectors: a test is one comparison of a column of loaded words, and what nobody asks for is not loaded.
#include "basic.h"
#include "classifier_text.h"

struct classifier {
	struct weir_texts patterns;
	const struct classifier_program *program;
	weir_counter unmatched;
};

enum {
	MOST_PATTERNS = 64,
	FEW = 8,
};

static int start(struct weir_start *start, void *at)
{
	struct classifier *self = at;

	if (!self->patterns.count)
		return weir_refuse(start, -1, "it needs patterns: Classifier(12/0806, 12/0800, -)");
	if (self->patterns.count > MOST_PATTERNS)
		return weir_refuse(start, MOST_PATTERNS, "more than %d patterns", MOST_PATTERNS);
	self->program = classifier_read(start, &self->patterns);
	if (!self->program)
		return -1;
	if (weir_connected(start) > self->patterns.count)
		return weir_refuse(start, -1, "output %u is connected, but there are %u patterns, numbered from 0",
			weir_connected(start) - 1, self->patterns.count);
	weir_outputs(start, self->patterns.count);
	return 0;
}

struct run {
	struct weir_vector *v;
	const struct classifier_program *program;
	weir_mask cut; // packets too short for some clause
	weir_mask loaded[CLASSIFIER_WINDOWS]; // slots whose words are there
	uint32_t words[CLASSIFIER_WINDOWS][WEIR_VECTOR];
};

// The last bytes of a packet, fewer than a word; zero behind them.
static uint32_t load_end(struct weir_vector *v, unsigned i, uint32_t offset)
{
	uint32_t there = v->length[i] > offset ? v->length[i] - offset : 0, word = 0;
	const uint8_t *bytes;

	if (there > sizeof(word))
		there = sizeof(word);
	bytes = there ? weir_bytes(v, i, offset, there) : NULL;
	if (bytes)
		memcpy(&word, bytes, there);
	return word;
}

static const uint32_t *load(struct run *run, uint32_t window, weir_mask mask)
{
	uint32_t offset = run->program->windows[window], *words = run->words[window];
	weir_mask missing = mask & ~run->loaded[window];

	if (!run->loaded[window])
		memset(words, 0, sizeof(run->words[window])); // weir_where looks at all slots
	run->loaded[window] |= missing;
	weir_each (i, missing) {
		const uint8_t *bytes = weir_bytes(run->v, (unsigned)i, offset, sizeof(*words));

		if (__builtin_expect(bytes != NULL, 1))
			memcpy(&words[i], bytes, sizeof(*words));
		else
			words[i] = load_end(run->v, (unsigned)i, offset);
	}
	return words;
}

// All slots at once, or one by one where few are left.
static weir_mask same(const uint32_t *words, const struct classifier_test *test, weir_mask in)
{
	uint32_t mask = test->mask, value = test->value;

	if (weir_size(in) > FEW)
		return in & weir_where(i, (words[i] & mask) == value);
	weir_each (i, in)
		if ((words[i] & mask) != value)
			in &= ~((weir_mask)1 << i);
	return in;
}

static weir_mask holds(struct run *run, const struct classifier_clause *clause, weir_mask in)
{
	weir_mask left = in;

	if (run->cut) {
		const uint32_t *length = run->v->length, end = clause->end;

		left &= weir_where(i, length[i] >= end);
	}
	for (uint32_t n = 0; n < clause->test_count && left; n++) {
		const struct classifier_test *test = &clause->tests[n];

		left = same(load(run, test->window, left), test, left);
	}
	return clause->is_negated ? in & ~left : left;
}

static weir_mask matches(struct run *run, const struct classifier_pattern *pattern, weir_mask in)
{
	for (uint32_t i = 0; i < pattern->clause_count && in; i++)
		in = holds(run, &pattern->clauses[i], in);
	return in;
}

static void process(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct classifier *self = weir_self(call);
	const struct classifier_program *program = self->program;
	const uint32_t *length = v->length, end = program->end;
	struct run run; // words are written before they are read

	run.v = v;
	run.program = program;
	run.cut = in & weir_where(i, length[i] < end);
	memset(run.loaded, 0, program->window_count * sizeof(*run.loaded));
	for (uint32_t i = 0; i < program->pattern_count && in; i++) {
		out[i] = matches(&run, &program->patterns[i], in);
		in &= ~out[i];
	}
	weir_drop(call, in, &self->unmatched);
}

WEIR_CLASS(Classifier, classifier,
	.about = "sends packets to the output of the first pattern that their bytes match",
	.by = WEIR_ANY,
	WEIR_MEMBERS(
		WEIR_SETTING(classifier, patterns, "", .rest = true,
			.about = "OFFSET/VALUE%MASK ..., one pattern per output; - matches all"),
		WEIR_DROPS(classifier, unmatched, .about = "packets that match no pattern")),
	.many_outputs = true,
	.start = start,
	.process = process);
