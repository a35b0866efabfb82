// SPDX-License-Identifier: Apache-2.0
// Classifier's patterns, read and made ready to run. What all patterns look at is covered by windows of four bytes, so
// that a byte of a packet is loaded once, however many patterns ask for it.
#ifndef CLASSIFIER_TEXT_H
#define CLASSIFIER_TEXT_H

#include <weir.h>

enum {
	CLASSIFIER_WINDOWS = 64,
	CLASSIFIER_WINDOW = 4,
};

struct classifier_test {
	uint32_t window, mask, value; // of the four bytes as they are loaded
};

struct classifier_clause {
	const struct classifier_test *tests;
	uint32_t test_count;
	uint32_t end; // a packet must be this long
	bool is_negated;
};

struct classifier_pattern { // all of its clauses hold
	const struct classifier_clause *clauses;
	uint32_t clause_count;
};

struct classifier_program {
	const struct classifier_pattern *patterns;
	uint32_t pattern_count, window_count;
	uint32_t end; // no clause wants more bytes
	uint32_t windows[CLASSIFIER_WINDOWS]; // offset of each, rising
};

// NULL after refusing what is wrong.
const struct classifier_program *classifier_read(struct weir_start *start, const struct weir_texts *texts);

#endif
