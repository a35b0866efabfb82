// SPDX-License-Identifier: Apache-2.0
#include "lib/diag.h"

#include <stdlib.h>

enum { LONGEST_NAME = 64 };

struct diag *diag_create(struct arena *arena)
{
	struct diag *diag = arena_new(arena, struct diag);

	diag->arena = arena;
	return diag;
}

static struct diag_message *add(struct diag *diag, struct place at, const char *format, va_list args)
{
	struct diag_message *message = arena_new(diag->arena, struct diag_message);

	message->at = at;
	message->text = arena_vprint(diag->arena, format, args);
	if (diag->last)
		diag->last->next = message;
	else
		diag->first = message;
	diag->last = message;
	return message;
}

struct diag_message *diag_error(struct diag *diag, struct place at, const char *format, ...)
{
	struct diag_message *message;
	va_list args;

	va_start(args, format);
	message = add(diag, at, format, args);
	va_end(args);
	message->is_error = true;
	diag->errors++;
	return message;
}

struct diag_message *diag_warn(struct diag *diag, struct place at, const char *format, ...)
{
	struct diag_message *message;
	va_list args;

	va_start(args, format);
	message = add(diag, at, format, args);
	va_end(args);
	diag->warnings++;
	return message;
}

void diag_hint(struct diag *diag, struct diag_message *message, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	message->hint = arena_vprint(diag->arena, format, args);
	va_end(args);
}

static void print_one(const struct diag_message *message, FILE *to)
{
	if (message->at.file)
		fprintf(to, "%s:", message->at.file);
	if (message->at.line)
		fprintf(to, "%u:%u:", message->at.line, message->at.column);
	fprintf(to, "%s%s: %s", message->at.file ? " " : "", message->is_error ? "error" : "warning",
		message->text);
	if (message->hint)
		fprintf(to, "; %s", message->hint);
	fputc('\n', to);
}

static int by_place(const void *left, const void *right)
{
	const struct diag_message *a = *(const struct diag_message *const *)left;
	const struct diag_message *b = *(const struct diag_message *const *)right;
	int by_file = strcmp(a->at.file ? a->at.file : "", b->at.file ? b->at.file : "");

	if (by_file)
		return by_file;
	if (a->at.line != b->at.line)
		return a->at.line < b->at.line ? -1 : 1;
	return a->at.column < b->at.column ? -1 : a->at.column > b->at.column;
}

void diag_print(const struct diag *diag, FILE *to)
{
	unsigned count = diag->errors + diag->warnings, n = 0;
	const struct diag_message **sorted = arena_array(diag->arena, const struct diag_message *, count + 1);

	for (const struct diag_message *message = diag->first; message; message = message->next)
		sorted[n++] = message;
	qsort(sorted, n, sizeof(*sorted), by_place);
	for (unsigned i = 0; i < n; i++)
		print_one(sorted[i], to);
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

static unsigned char lower(char c) { return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c); }

// Levenshtein's distance, upper and lower case alike
static unsigned distance_of(const char *a, const char *b)
{
	unsigned row[LONGEST_NAME + 1], m = (unsigned)strlen(a), n = (unsigned)strlen(b), diagonal, above;

	if (m > LONGEST_NAME || n > LONGEST_NAME)
		return LONGEST_NAME;
	for (unsigned j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned i = 1; i <= m; i++) {
		diagonal = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= n; j++) {
			above = row[j];
			row[j] = min3(above + 1, row[j - 1] + 1,
				diagonal + (lower(a[i - 1]) != lower(b[j - 1])));
			diagonal = above;
		}
	}
	return row[n];
}

void near_try(struct near *near, const char *candidate)
{
	unsigned distance = distance_of(near->word, candidate);

	if (near->best && distance >= near->distance)
		return;
	near->best = candidate;
	near->distance = distance;
}

const char *near_best(const struct near *near)
{
	unsigned length = (unsigned)strlen(near->word);

	return near->best && near->distance <= (length < 4 ? 1 : length / 3 + 1) ? near->best : NULL;
}
