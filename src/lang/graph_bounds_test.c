// SPDX-License-Identifier: Apache-2.0
// Large graphs are fast, and texts that mean harm end in one message: no overflow of the stack, no hang, no flood.
#include "lang/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

struct text {
	char *bytes;
	size_t length;
	FILE *to;
};

static FILE *begin(struct text *text)
{
	*text = (struct text){ 0 };
	return text->to = open_memstream(&text->bytes, &text->length);
}

static void repeat(FILE *to, const char *what, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		fputs(what, to);
}

enum { LONGEST_MS = 20000, FAST_MS = 2000 }; // of processor time; sanitizers and a busy machine included

struct outcome {
	unsigned errors, elements, edges, ms;
	char first[256]; // error
};

static struct outcome outcome_of(struct text *text)
{
	struct arena *arena = arena_create();
	struct diag *diag = diag_create(arena);
	struct outcome outcome = { 0 };
	struct graph *graph;
	clock_t start;
	long ms;

	fclose(text->to);
	start = clock();
	graph = graph_parse(arena, "g", text->bytes, text->length, NULL, 0, diag);
	ms = (long)(clock() - start) * 1000 / CLOCKS_PER_SEC;
	outcome = (struct outcome){ diag->errors, graph->elements.count, graph->edges.count, (unsigned)ms, "" };
	for (const struct diag_message *message = diag->first; message && !*outcome.first; message = message->next)
		if (message->is_error)
			snprintf(outcome.first, sizeof(outcome.first), "%s", message->text);
	arena_destroy(arena);
	free(text->bytes);
	if (ms > LONGEST_MS)
		fail_msg("%ld ms for %zu bytes", ms, text->length);
	if (getenv("GRAPH_TIMES"))
		print_message("%8ld ms %9zu bytes, %u elements, %u edges: %s\n", ms, text->length, outcome.elements,
			outcome.edges, outcome.first);
	return outcome;
}

static void ten_thousand_elements(void **state)
{
	struct outcome outcome;
	struct text text;
	FILE *to = begin(&text);

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		fprintf(to, "element%u :: Class%u(argument %u, \"second\", 3); // and a comment\n", i, i % 50, i);
	for (unsigned i = 0; i + 1 < 10000; i++)
		fprintf(to, "element%u [%u] -> [in] element%u;\n", i, i % 3, i + 1);
	outcome = outcome_of(&text);
	assert_int_equal(outcome.errors, 0);
	assert_int_equal(outcome.elements, 10000);
	assert_int_equal(outcome.edges, 9999);
	assert_in_range(outcome.ms, 0, FAST_MS);
}

static void one_chain_of_anonymous_elements(void **state)
{
	struct outcome outcome;
	struct text text;
	FILE *to = begin(&text);

	(void)state;
	fputs("Idle", to);
	repeat(to, " -> Counter(1)", 90000);
	outcome = outcome_of(&text);
	assert_int_equal(outcome.errors, 0);
	assert_int_equal(outcome.edges, 90000);
}

static void many_compound_elements(void **state)
{
	struct outcome outcome;
	struct text text;
	FILE *to = begin(&text);

	(void)state;
	fputs("elementclass C { $a | input -> X($a) -> output } Idle", to);
	repeat(to, " -> C(7)", 30000);
	outcome = outcome_of(&text);
	assert_int_equal(outcome.errors, 0);
	assert_int_equal(outcome.elements, 30001);
	assert_int_equal(outcome.edges, 30000);
}

// A text that repeats a piece, and the error that it ends in
static const struct {
	const char *before, *piece;
	unsigned times;
	const char *after, *said;
} repeated[] = {
	{ "", "{", 1 << 20, "", "compound elements and groups stand more than 64 deep in one another" },
	{ "", "(", 1 << 20, "", "compound elements and groups stand more than 64 deep in one another" },
	{ "", "({", 1 << 19, "", "compound elements and groups stand more than 64 deep in one another" },
	{ "", "elementclass A {", 100000, "", "compound elements and groups stand more than 64 deep in one "
	  "another" },
	{ "A(", "(", 1 << 20, "", "this \"(\" is never closed" },
	{ "A(", "[{", 1 << 19, ")", "brackets more than 64 deep" },
	{ "", "[", 1 << 20, "", "expected a name or a number of an input or output, not \"[\"" },
	{ "", "}", 1 << 20, "", "\"}\" without a \"{\" before it" },
	{ "", ")", 1 << 20, "", "\")\" without a \"(\" before it" },
	{ "", "->", 1 << 20, "", "nothing stands before \"->\"" },
	{ "", "a(;", 1 << 19, "", "this \"(\" is never closed" },
	{ "", "a(\";", 1 << 19, "", NULL },
	{ "", "\"", 1 << 20, "", "\"\"\" has no meaning here" },
	{ "", "a::;", 1 << 18, "", "expected the class of \"a\", not \";\"" },
	{ "", "a::B;", 1 << 18, "", "element \"a\" is declared twice" },
	{ "", "/* ", 1 << 20, "", "this comment is never closed" },
	{ "", "$", 1 << 20, "", "\"$\" has no meaning here" },
	{ "", "# 1 \"x\"\n", 1 << 17, "a", NULL },
	{ "", "#", 1 << 20, "", "\"#\" has no meaning here" },
	{ "", "\xff", 1 << 20, "", "byte 0xff has no meaning here" },
	{ "", "a,", 1 << 19, "", "expected an element, not the end of the text" },
	{ "A(", ",", 1 << 20, ")", NULL },
	{ "A(", "$x", 1 << 16, ")", "variable $x has no value" },
	{ "", "define event a.b on c.d ", 1 << 16, "", "this definition does not end" },
	{ "", "define event a.b on c.d;\n", 1 << 16, "", "event \"a.b\" is defined twice" },
	{ "", "define event \"\n", 1 << 16, "", "this definition does not end before line 3" },
	{ "define($x 1", ", $x 1", 1 << 16, ")", "variable $x is defined twice" },
	{ "", "require(library graph.weir)", 1000, "", "cannot read library \"graph.weir\": No such file "
	  "or directory" },
	{ "", "A ", 200000, "", "this graph expands to more than 100000 elements" },
	{ "elementclass A { input -> output }", "A ", 300000, "", "this graph expands to more than 100000 "
	  "elements" },
	{ "elementclass A { $a | X($a", ", $a", 30000, ") } A(1)", NULL },
	{ "elementclass A { $a | ||", "$a|||", 3000, "$a, $b | } A(1, 2)", NULL },
	{ "X -> ( [0] -> [0]; ", "[0] -> Y -> [0];", 10000, ") -> Z", NULL },
	{ "a :: A; a", ", a", 200000, " -> a", NULL },
	{ "X(${", "x", 1 << 20, "})", NULL },
	{ "X(", "\\<", 1 << 19, ")", "\"\\<\" begins data that does not end" },
	{ "x :: { ", "-> [1] ", 1 << 17, "}", NULL },
};

static void repeated_pieces(void **state)
{
	struct outcome outcome;
	struct text text;
	FILE *to;

	(void)state;
	for (unsigned i = 0; i < sizeof(repeated) / sizeof(*repeated); i++) {
		to = begin(&text);
		fputs(repeated[i].before, to);
		repeat(to, repeated[i].piece, repeated[i].times);
		fputs(repeated[i].after, to);
		outcome = outcome_of(&text);
		assert_in_range(outcome.errors, 0, 101);
		if (repeated[i].said)
			assert_string_equal(outcome.first, repeated[i].said);
	}
}

// Each class uses the one before twice.
static void doubling_classes(void **state)
{
	static const char *const innermost[] = {
		"X", "", "input -> output", "input -> output; input -> [1] output",
	};
	struct outcome outcome;
	struct text text;
	FILE *to;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		to = begin(&text);
		fprintf(to, "elementclass C0 { %s }", innermost[i]);
		for (unsigned n = 1; n < 60; n++)
			fprintf(to, "elementclass C%u { C%u; C%u }\n", n, n - 1, n - 1);
		fputs("C59", to);
		outcome = outcome_of(&text);
		assert_string_equal(outcome.first, "this graph expands to more than 100000 elements");
	}
}

static void deep_classes(void **state)
{
	struct outcome outcome;
	struct text text;
	FILE *to = begin(&text);

	(void)state;
	fputs("elementclass C0 { }", to);
	for (unsigned n = 1; n < 10000; n++)
		fprintf(to, "elementclass C%u { C%u }\n", n, n - 1);
	fputs("C9999", to);
	outcome = outcome_of(&text);
	assert_int_equal(outcome.errors, 1);
	assert_string_equal(outcome.first, "compound elements stand more than 64 deep in one another");
}

static void long_chains_of_synonyms_and_extensions(void **state)
{
	struct outcome outcome;
	struct text text;
	FILE *to = begin(&text);

	(void)state;
	for (unsigned n = 0; n < 20000; n++)
		fprintf(to, "elementclass C%u C%u;", n + 1, n);
	repeat(to, "C20000;", 20000);
	outcome = outcome_of(&text);
	assert_int_equal(outcome.errors, 0);
	assert_int_equal(outcome.elements, 20000);
	to = begin(&text);
	for (unsigned n = 0; n < 20000; n++)
		fputs("elementclass C { $a, $b | || ... }", to);
	repeat(to, "C(1, 2, 3);", 20000);
	outcome = outcome_of(&text);
	assert_int_equal(outcome.errors, 1);
	assert_string_equal(outcome.first, "the compound elements of this graph branch too much to be expanded");
}

static void tunnels_that_multiply(void **state)
{
	struct outcome outcome;
	struct text text;
	FILE *to = begin(&text);

	(void)state;
	fputs("elementclass F { input -> output; input -> [1] output; input [1] -> output; input [1] -> "
	  "[1] output }", to);
	for (unsigned n = 0; n < 50; n++)
		fprintf(to, "f%u :: F;", n);
	for (unsigned n = 0; n + 1 < 50; n++)
		fprintf(to, "f%u [0] -> [0] f%u; f%u [1] -> [1] f%u;", n, n + 1, n, n + 1);
	fputs("A, B -> f0; f49 -> C; f49 [1] -> D", to);
	outcome = outcome_of(&text);
	assert_int_equal(outcome.errors, 0);
	assert_int_equal(outcome.edges, 4);
	to = begin(&text);
	fputs("elementclass F { input -> output } f :: F;", to);
	repeat(to, "A -> f;", 3000);
	repeat(to, "f -> B;", 3000);
	outcome = outcome_of(&text);
	assert_int_equal(outcome.errors, 1);
	assert_string_equal(outcome.first, "this graph expands to more than 500000 connections");
}

static void values_that_multiply(void **state)
{
	struct outcome outcome;
	struct text text;
	FILE *to = begin(&text);

	(void)state;
	fputs("define($v0 0123456789)", to);
	for (unsigned n = 1; n < 50; n++)
		fprintf(to, "define($v%u $v%u$v%u$v%u$v%u)", n, n - 1, n - 1, n - 1, n - 1);
	fputs("X($v49)", to);
	outcome = outcome_of(&text);
	assert_int_equal(outcome.errors, 1);
	assert_string_equal(outcome.first, "with its variables replaced, this text is longer than 65536 bytes");
	to = begin(&text);
	fputs("define($v0 1)", to);
	for (unsigned n = 1; n < 10000; n++)
		fprintf(to, "define($v%u $v%u)", n, n - 1);
	fputs("X($v9999)", to);
	outcome = outcome_of(&text);
	assert_int_equal(outcome.errors, 1);
	assert_string_equal(outcome.first, "the value of $v9935 needs too many others (64 deep)");
	to = begin(&text);
	fputs("define($v ", to);
	repeat(to, "x", 60000);
	fputs(") elementclass A { $a | X($a) } ", to);
	repeat(to, "A($v);", 10000);
	outcome = outcome_of(&text);
	assert_string_equal(outcome.first, "the variables of this graph need more than 16 MiB");
}

static void many_arguments_in_a_rest(void **state)
{
	struct outcome outcome;
	struct text text;
	FILE *to = begin(&text);

	(void)state;
	fputs("elementclass A { __REST__ $r | X($r) } A(1", to);
	repeat(to, ", 2", 300000);
	fputs(")", to);
	outcome = outcome_of(&text);
	assert_int_equal(outcome.errors, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_thousand_elements),
		cmocka_unit_test(one_chain_of_anonymous_elements),
		cmocka_unit_test(many_compound_elements),
		cmocka_unit_test(repeated_pieces),
		cmocka_unit_test(doubling_classes),
		cmocka_unit_test(deep_classes),
		cmocka_unit_test(long_chains_of_synonyms_and_extensions),
		cmocka_unit_test(tunnels_that_multiply),
		cmocka_unit_test(values_that_multiply),
		cmocka_unit_test(many_arguments_in_a_rest),
	};

	return cmocka_run_group_tests_name("graph_bounds", tests, NULL, NULL);
}
