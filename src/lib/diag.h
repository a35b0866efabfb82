// SPDX-License-Identifier: Apache-2.0
// What is wrong with a text that a person wrote (graph, filter, rules, settings): all errors of one run, each with
// its place and, where one is near, a suggestion. Nothing is printed before diag_print.
#ifndef LIB_DIAG_H
#define LIB_DIAG_H

#include "lib/arena.h"

#include <stdbool.h>
#include <stdio.h>

struct place {
	const char *file;      // as the user named it; NULL: no file
	uint32_t line, column; // from 1; line 0: the file as a whole
};

struct diag_message {
	struct diag_message *next;
	struct place at;
	bool is_error; // else a warning
	const char *text, *hint; // hint: NULL, or what to do
};

struct diag {
	struct arena *arena;
	struct diag_message *first, *last;
	unsigned errors, warnings;
};

struct diag *diag_create(struct arena *arena);

// One sentence without a full stop and without a newline: "no element class \"Countr\"".
struct diag_message *diag_error(struct diag *diag, struct place at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
struct diag_message *diag_warn(struct diag *diag, struct place at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
// Adds what to do to a message: "did you mean \"Counter\"?"
void diag_hint(struct diag *diag, struct diag_message *message, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// FILE:LINE:COLUMN: error: TEXT; HINT - a line each, in order of place
void diag_print(const struct diag *diag, FILE *to);

// The nearest of many names: near_try each, then near_best (NULL if nothing is near).
struct near {
	const char *word, *best;
	unsigned distance;
};
void near_try(struct near *near, const char *candidate);
const char *near_best(const struct near *near);

#endif
