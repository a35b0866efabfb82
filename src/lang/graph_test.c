// SPDX-License-Identifier: Apache-2.0
// The graph language: what texts become when they are flat, and what is said about wrong ones.
#include "lang/graph.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct result {
	struct arena *arena;
	struct diag *diag;
	struct graph *graph;
	char *flat, *said; // graph_print, diag_print
};

static char *printed(const struct graph *graph)
{
	size_t length;
	char *text = NULL;
	FILE *to = open_memstream(&text, &length);

	graph_print(graph, to);
	fclose(to);
	return text;
}

static char *said(const struct diag *diag)
{
	size_t length;
	char *text = NULL;
	FILE *to = open_memstream(&text, &length);

	diag_print(diag, to);
	fclose(to);
	return text;
}

static struct result parse_with(const char *text, size_t length, const struct graph_setting *sets, unsigned count)
{
	struct result result = { .arena = arena_create() };

	result.diag = diag_create(result.arena);
	result.graph = graph_parse(result.arena, "g", text, length, sets, count, result.diag);
	assert_non_null(result.graph);
	result.flat = printed(result.graph);
	result.said = said(result.diag);
	return result;
}

static struct result parse(const char *text)
{
	return parse_with(text, strlen(text), NULL, 0);
}

static void forget(struct result *result)
{
	free(result->flat);
	free(result->said);
	arena_destroy(result->arena);
}

static const struct {
	const char *text, *flat;
} flats[] = {
	// declarations and connections
	{ "", "" },
	{ ";;;", "" },
	{ "a :: A;", "a :: A;\n" },
	{ "a :: A()", "a :: A;\n" },
	{ "a, b, c :: A(1)", "a :: A(1);\nb :: A(1);\nc :: A(1);\n" },
	{ "a, b :: A, c :: B", "a :: A;\nb :: A;\nc :: B;\n" },
	{ "a :: A; b :: B; a -> b", "a :: A;\nb :: B;\na -> b;\n" },
	{ "a :: A -> b :: B(2) -> c :: C", "a :: A;\nb :: B(2);\nc :: C;\na -> b;\nb -> c;\n" },
	{ "a :: A b :: B a -> b b -> a", "a :: A;\nb :: B;\na -> b;\nb -> a;\n" },
	{ "A -> B(1) -> A", "A@1 :: A;\nB@2 :: B(1);\nA@3 :: A;\nA@1 -> B@2;\nB@2 -> A@3;\n" },
	{ "a -> b; a :: A; b :: B", "a :: A;\nb :: B;\na -> b;\n" },
	{ "a -> Fw -> b; a :: A; b :: B",
	  "Fw@1 :: Fw;\na :: A;\nb :: B;\nFw@1 -> b;\na -> Fw@1;\n" },
	{ "A; A(1);", "A@1 :: A;\nA@2 :: A(1);\n" },
	{ "A@2 :: B; A -> A; ", "A@2 :: B;\nA@4 :: A;\nA@3 :: A;\nA@4 -> A@3;\n" },
	{ "Queue :: Queue -> Queue", "Queue :: Queue;\nQueue -> Queue;\n" },
	{ "a::A;a->a", "a :: A;\na -> a;\n" },
	{ "event :: A; input :: B -> event", "event :: A;\ninput :: B;\ninput -> event;\n" },
	// inputs and outputs
	{ "a :: A; a [1] -> [2] a", "a :: A;\na [1] -> [2] a;\n" },
	{ "a :: A; a[denied]->[in]a[0]->[00]a", "a :: A;\na [denied] -> [in] a;\na [0] -> [0] a;\n" },
	{ "a :: A [1] -> [2] b :: B [3] -> a", "a :: A;\nb :: B;\na [1] -> [2] b;\nb [3] -> a;\n" },
	{ "a :: A; a -> a; a -> a; a [0] -> a", "a :: A;\na -> a;\n" },
	{ "a, b, c :: A; a, b [1] -> [2] c",
	  "a :: A;\nb :: A;\nc :: A;\na -> [2] c;\nb [1] -> [2] c;\n" },
	{ "a, b, c :: A; a -> b, [1] c", "a :: A;\nb :: A;\nc :: A;\na -> b;\na -> [1] c;\n" },
	{ "a, b :: A; a [0,2] -> b", "a :: A;\nb :: A;\na [0] -> b;\na [2] -> b;\n" },
	{ "a :: A; n, m :: B -> a; n :: N", "a :: A;\nm :: B;\nn :: N;\nm -> a;\nn -> a;\n" },
	{ "a, b, c :: A; a [0], a [1] => b, c", "a :: A;\nb :: A;\nc :: A;\na [0] -> b;\na [1] -> c;\n" },
	{ "a, b, c :: A; a [0, 1] => b, c", "a :: A;\nb :: A;\nc :: A;\na [0] -> b;\na [1] -> c;\n" },
	{ "a, b, c :: A; a => b, c", "a :: A;\nb :: A;\nc :: A;\na [0] -> b;\na [1] -> c;\n" },
	{ "a, b, c :: A; b, c => a", "a :: A;\nb :: A;\nc :: A;\nb -> [0] a;\nc -> [1] a;\n" },
	{ "a, b, c :: A; a => b, c -> a", "a :: A;\nb :: A;\nc :: A;\na [0] -> b;\na [1] -> c;\nb -> a;\nc "
	  "-> a;\n" },
	{ "a, b :: A; a [x, y] => [0, 1] b", "a :: A;\nb :: A;\na [x] -> [0] b;\na [y] -> [1] b;\n" },
	{ "a, b :: A; a => b", "a :: A;\nb :: A;\na -> b;\n" },
	// arguments
	{ "A(1, 2)", "A@1 :: A(1, 2);\n" },
	{ "A( 1 ,\n\t2  3 , )", "A@1 :: A(1, 2 3);\n" },
	{ "A(1,,2)", "A@1 :: A(1, , 2);\n" },
	{ "A(,)", "A@1 :: A(,);\n" },
	{ "A(x // comment, )\n y, /* , */ z/**/)", "A@1 :: A(x y, z);\n" },
	{ "A(12/0800, 12/0806 20/0001, -)", "A@1 :: A(12/0800, 12/0806 20/0001, -);\n" },
	{ "A(\"a, b) // c\", 'd, \"e')", "A@1 :: A(\"a, b) // c\", 'd, \"e');\n" },
	{ "A(\"a \\\"b\\\", c\")", "A@1 :: A(\"a \\\"b\\\", c\");\n" },
	{ "A(f(a, b), {1, 2}, [3, 4])", "A@1 :: A(f(a, b), {1, 2}, [3, 4]);\n" },
	{ "A(\\<00 1f, 2)", NULL },
	{ "A(\\<00 1f>, backslash \\)", "A@1 :: A(\\<00 1f>, backslash \\);\n" },
	{ "A($, $5.x)", NULL },
	{ "A(a$, $-, cost$)", "A@1 :: A(a$, $-, cost$);\n" },
	{ "A(tcp.dstport == 443 && !(tcp.flags.syn == 1), max_flows 1M)",
	  "A@1 :: A(tcp.dstport == 443 && !(tcp.flags.syn == 1), max_flows 1M);\n" },
	{ "A(\"zwei\nZeilen\")", "A@1 :: A(\"zwei\nZeilen\");\n" },
	// variables
	{ "define($x 3, $y \"4, 5\"); A($x, ${x}rd, $y)", "A@1 :: A(3, 3rd, \"4, 5\");\n" },
	{ "A($x); define($x 3)", "A@1 :: A(3);\n" },
	{ "define($x $y, $y $z, $z 1) A($x)", "A@1 :: A(1);\n" },
	{ "define($x 3); A('$x', \"$x\", \"\\$x\")", "A@1 :: A('$x', \"3\", \"\\$x\");\n" },
	{ "define($x \"a b\", $y 'c \"d$'); A(\"<$x>\", \"<$y>\")", "A@1 :: A(\"<a b>\", \"<c \\\"d\\$>\");\n" },
	{ "A(${x-5}, ${y-})", "A@1 :: A(5);\n" },
	{ "define($x 7) A(${x-5})", "A@1 :: A(7);\n" },
	{ "define($x) A($x)", "A@1 :: A;\n" },
	{ "define($x) A($x, 1)", "A@1 :: A(, 1);\n" },
	{ "define($x a, $y b) A($x  /* and */\n $y)", "A@1 :: A(a b);\n" },
	{ "define($c Queue) a :: $c(5); $c -> a", "a :: Queue(5);\nQueue@2 :: Queue;\nQueue@2 -> a;\n" },
	// compound elements
	{ "a :: A -> { input -> x :: X -> output } -> b :: B",
	  "a :: A;\n@2/x :: X;\nb :: B;\na -> @2/x;\n@2/x -> b;\n" },
	{ "c :: { input -> X -> output; input [1] -> Y -> [1] output }; A -> c -> B; C -> [1] c [1] -> D",
	  "c/X@1 :: X;\nc/Y@2 :: Y;\nA@2 :: A;\nB@3 :: B;\nC@4 :: C;\nD@5 :: D;\n"
	  "c/X@1 -> B@3;\nc/Y@2 -> D@5;\nA@2 -> c/X@1;\nC@4 -> c/Y@2;\n" },
	{ "elementclass P { input -> output } A -> P -> P -> B", "A@1 :: A;\nB@4 :: B;\nA@1 -> B@4;\n" },
	{ "elementclass P { input[in] -> f :: F[no] -> [no]output } A[x] -> [in]P[no] -> [y]B",
	  "A@1 :: A;\nP@2/f :: F;\nB@3 :: B;\nA@1 [x] -> P@2/f;\nP@2/f [no] -> [y] B@3;\n" },
	{ "elementclass P { input -> output; input -> X -> [1]output } p :: P; A, B -> p -> C, D; p[1] -> C",
	  "p/X@1 :: X;\nA@2 :: A;\nB@3 :: B;\nC@4 :: C;\nD@5 :: D;\nC@6 :: C;\np/X@1 -> C@6;\n"
	  "A@2 -> p/X@1;\nA@2 -> D@5;\nA@2 -> C@4;\nB@3 -> p/X@1;\nB@3 -> D@5;\nB@3 -> C@4;\n" },
	{ "elementclass P { input -> output } p :: P; p -> p", "" },
	{ "elementclass A B; A(1)", "A@1 :: B(1);\n" },
	{ "elementclass A { } elementclass B A; elementclass C B; C", "" },
	{ "elementclass Queue { input -> Queue -> output } A -> Queue -> B",
	  "A@1 :: A;\nQueue@2/Queue@1 :: Queue;\nB@3 :: B;\nA@1 -> Queue@2/Queue@1;\nQueue@2/Queue@1 -> B@3;\n" },
	{ "elementclass A { b :: B } elementclass B { c :: C } a :: A", "a/b :: B;\n" },
	{ "b1 :: B; elementclass B { c :: C } b2 :: B", "b1 :: B;\nb2/c :: C;\n" },
	{ "elementclass A { elementclass B { c :: C } b :: B } a :: A; B", "a/b/c :: C;\nB@2 :: B;\n" },
	{ "elementclass A { define($x 1) X($x, $y) } define($x 2, $y 3); A -> Z($x);", NULL },
	{ "elementclass A { define($x 1) X($x, $y) } define($x 2, $y 3); A; Z($x);",
	  "A@1/X@1 :: X(1, 3);\nZ@2 :: Z(2);\n" },
	{ "{ -> X -> }", "@1/X@1 :: X;\n" },
	{ "elementclass A { $a, $b, COUNT $c | X($a, $b, $c) } A(1, COUNT 3, 2)", "A@1/X@1 :: X(1, 2, 3);\n" },
	{ "elementclass A { $a, __REST__ $r | X($r, $a); Y($r) } A(1); A(1, n 2, \"3, 4\")",
	  "A@1/X@1 :: X(1);\nA@1/Y@2 :: Y;\nA@2/X@1 :: X(n 2, \"3, 4\", 1);\nA@2/Y@2 :: Y(n 2, \"3, 4\");\n" },
	{ "elementclass A { | X } A", "A@1/X@1 :: X;\n" },
	{ "elementclass A { $c | b :: $c } elementclass D { d :: E } A(D)", "A@1/b :: D;\n" },
	{ "elementclass D { d :: E } elementclass A { $c | b :: $c } A(D)", "A@1/b/d :: E;\n" },
	{ "elementclass Foo { $a | elementclass Bar { $b | X($a, $b) } elementclass Baz { $a | Idle; "
	  "Bar($a) } Baz(no) } Foo(yes)",
	  "Foo@1/Baz@1/Idle@1 :: Idle;\nFoo@1/Baz@1/Bar@2/X@1 :: X(yes, no);\n" },
	// overloading
	{ "elementclass Q { Z || $c | Y($c) } Q; Q(5)", "Q@1/Z@1 :: Z;\nQ@2/Y@1 :: Y(5);\n" },
	{ "elementclass Q { -> X -> || -> Y -> ; [1] -> Z -> [1] } q :: Q; A -> q; B -> [1] q [1] -> C; q -> C",
	  "q/Y@1 :: Y;\nq/Z@2 :: Z;\nA@2 :: A;\nB@3 :: B;\nC@4 :: C;\nC@5 :: C;\n"
	  "q/Y@1 -> C@5;\nq/Z@2 -> C@4;\nA@2 -> q/Y@1;\nB@3 -> q/Z@2;\n" },
	{ "elementclass Q { $c, $r | X($c, $r) || ... } Q(1, 2); Q(1)", "Q@1/X@1 :: X(1, 2);\nQ@2 :: Q(1);\n" },
	{ "elementclass Q R; elementclass Q { $c, $r | X($c, $r) || ... } Q(1, 2); Q(1)",
	  "Q@1/X@1 :: X(1, 2);\nQ@2 :: R(1);\n" },
	{ "elementclass Q { X } elementclass Q { $a | Y($a) || ... } Q; Q(1)", "Q@1/X@1 :: X;\nQ@2/Y@1 :: "
	  "Y(1);\n" },
	{ "elementclass Q { $a | Y($a) || ... } elementclass S Q; S; S(1)", "S@1 :: Q;\nS@2/Y@1 :: Y(1);\n" },
	// groups
	{ "A -> ( input -> output ) -> B", "A@1 :: A;\nB@2 :: B;\nA@1 -> B@2;\n" },
	{ "A -> (->) -> B", "A@1 :: A;\nB@2 :: B;\nA@1 -> B@2;\n" },
	{ "A -> ( [0]->[0]; [1]->[1] ) => ( [0]->[0]; [1]->[1] ) -> B", "A@1 :: A;\nB@2 :: B;\nA@1 -> B@2;\n" },
	{ "x :: X -> c :: C(1) => ( input [0] -> output; input [1] -> P -> output ) -> y :: Y",
	  "x :: X;\nc :: C(1);\nP@3 :: P;\ny :: Y;\nx -> c;\nc [0] -> y;\nc [1] -> P@3;\nP@3 -> y;\n" },
	{ "x :: X => [0, 1] ( [0] -> [0]; [1] -> a :: A -> [1] ) [1, 0] => y :: Y; a [5] -> y",
	  "x :: X;\na :: A;\ny :: Y;\nx [0] -> [1] y;\nx [1] -> a;\na -> [0] y;\na [5] -> y;\n" },
	{ "A -> ( -> B -> ( -> C -> ) -> ) -> D",
	  "A@1 :: A;\nB@2 :: B;\nC@3 :: C;\nD@4 :: D;\nA@1 -> B@2;\nB@2 -> C@3;\nC@3 -> D@4;\n" },
	{ "elementclass G { input -> ( -> X -> ) -> output } A -> G -> B",
	  "A@1 :: A;\nG@2/X@1 :: X;\nB@3 :: B;\nA@1 -> G@2/X@1;\nG@2/X@1 -> B@3;\n" },
	// requirements and words
	{ "require(module nat >= 1.2, package b, c, module d==2, module e <3.0.1)",
	  "require(module nat >= 1.2);\nrequire(module b);\nrequire(module c);\nrequire(module d == 2);\n"
	  "require(module e < 3.0.1);\n" },
	{ "an/identifier/with/slashes//too/many\n :: X", "an/identifier/with/slashes :: X;\n" },
	{ "#!/usr/bin/weir run\na :: A", "a :: A;\n" },
	{ "\xef\xbb\xbf" "a :: A", "a :: A;\n" },
	{ "a :: A;\r\nb :: B;\r\na -> b;\r\n", "a :: A;\nb :: B;\na -> b;\n" },
	{ "a :: A // one\rb :: B", "a :: A;\nb :: B;\n" },
	{ "// \xff\xfe\na :: A(\"\xc3\xa4\xff\")", "a :: A(\"\xc3\xa4\xff\");\n" },
};

// Flat text, and that it is its own flat text
static void flat_as_expected(void **state)
{
	struct result first, second;
	unsigned failed = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(flats) / sizeof(*flats); i++) {
		first = parse(flats[i].text);
		if (!flats[i].flat) {
			assert_int_not_equal(first.diag->errors, 0);
			forget(&first);
			continue;
		}
		if (first.diag->errors || strcmp(first.flat, flats[i].flat)) {
			print_error("%s\n%s%s--- expected:\n%s", flats[i].text, first.said, first.flat,
	  flats[i].flat);
			failed++;
		}
		second = parse(first.flat);
		assert_string_equal(second.said, "");
		assert_string_equal(second.flat, first.flat);
		for (uint32_t e = 0; e < first.graph->elements.count; e++)
			assert_int_equal(first.graph->elements.at[e].is_anonymous,
				second.graph->elements.at[e].is_anonymous);
		forget(&first);
		forget(&second);
	}
	assert_int_equal(failed, 0);
}

static const struct {
	const char *text, *said;
} wrongs[] = {
	// all errors of a text, not just the first
	{ "a -> ; b :: ; c -> d e f; x :: X($n); ]",
	  "g:1:3: error: nothing stands behind \"->\"\n"
	  "g:1:13: error: expected the class of \"b\", not \";\"\n"
	  "g:1:34: error: variable $n has no value; define($n VALUE) or --set n=VALUE gives it a value; "
	  "'$' in single quotes is no variable\n"
	  "g:1:39: error: \"]\" has no meaning here\n" },
	{ "elementclass A { x -> ; y :: Y( } z -> ; B", "g:1:31: error: this \"(\" is never closed\n"
	  "g:1:37: error: nothing stands behind \"->\"\n" },
	{ "elementclass A { $a | input -> [1 -> output } A -> Z; B -> ; ",
	  "g:1:35: error: expected \"]\" behind an input or output, not \"->\"\n"
	  "g:1:57: error: nothing stands behind \"->\"\n" },
	// words
	{ "a \xe2\x86\x92 b", "g:1:3: error: \"\xe2\x86\x92\" has no meaning here; write \"->\"\n" },
	{ "\xc3\xa4 \x01", "g:1:1: error: \"\xc3\xa4\" has no meaning here\n" },
	{ "a :: A\x80;", "g:1:7: error: byte 0x80 has no meaning here\n" },
	{ "# comment\na :: A", "g:1:1: error: \"#\" has no meaning here; comments begin with //\n" },
	{ "my-queue :: Queue", "g:1:3: error: \"-\" has no meaning here; names have letters, digits and \"_\"; "
	  "elements are connected with \"->\"\n" },
	{ "# 7 \"lib.weir\"\na -> ;\n#line 3\n b -> ;",
	  "lib.weir:3:4: error: nothing stands behind \"->\"\nlib.weir:7:3: error: nothing stands behind "
	  "\"->\"\n" },
	{ "elementclass require { }", "g:1:14: error: \"require\" is a word of the language and cannot "
	  "name a class\n" },
	{ "provide(x);", "g:1:1: error: \"provide\" has no meaning here\n" },
	{ "{ input :: X }", "g:1:9: error: \"::\" has no meaning here\n" },
	{ "elementclass A 5; x :: 5", "g:1:16: error: \"5\" cannot name a class: it is, or has a part that "
	  "is, a number\n"
	  "g:1:24: error: \"5\" cannot name a class: it is, or has a part that is, a number\n" },
	{ "a/5/b :: X", "g:1:1: error: \"a/5/b\" cannot name an element: it is, or has a part that is, a "
	  "number\n" },
	{ "define x 3", "g:1:8: error: expected \"(\" or \"event\" behind \"define\", not \"x\"; as in "
	  "define($rate 1000)\n" },
	{ "define(x 3, $a$b, $y3(4))", "g:1:8: error: expected \"$name value\" inside define(); as in "
	  "define($rate 1000, $device eth0)\n"
	  "g:1:13: error: expected \"$name value\" inside define(); as in define($rate 1000, $device eth0)\n"
	  "g:1:19: error: expected \"$name value\" inside define(); as in define($rate 1000, $device eth0)\n" },
	// inputs and outputs
	{ "a :: A; a [] -> a", "g:1:12: error: expected a name or a number of an input or output, not \"]\"\n" },
	{ "a :: A; a [70000] -> [x/y] a", "g:1:12: error: inputs and outputs are numbered up to 65535, not "
	  "70000\n" },
	{ "a :: A; a -> [x/y] a", "g:1:15: error: \"x/y\" cannot name an input or output\n" },
	{ "a :: A; [1] a -> a", "g:1:10: error: nothing leads to input [1]: \"->\" is missing before it\n" },
	{ "a :: A; a -> , a", "g:1:11: error: nothing stands behind \"->\"\n" },
	{ "x :: { output -> X }", "g:1:8: error: nothing comes from \"output\": it is where packets leave "
	  "the compound element\n" },
	{ "X -> ( Y -> output ) -> Z", "g:1:3: error: the group behind \"->\" has no input\n" },
	{ "X => ( [0]->[0]; [2]->[0] ) -> Z", "g:1:19: error: input 2 is used here, but nowhere input 1\n" },
	{ "x :: { input -> output }; A -> x -> B; x [1] -> B; C -> [2] x",
	  "g:1:43: error: \"x\" has no output 1; its outputs: 0\ng:1:58: error: \"x\" has no input 2; its "
	  "inputs: 0\n" },
	{ "elementclass P { X } A -> P -> B", "g:1:27: error: class \"P\" has no input 0; its inputs: none\n"
	  "g:1:27: error: class \"P\" has no output 0; its outputs: none\n" },
	{ "A -> { input -> output; input[1] -> [b]output }", "g:1:6: warning: input 1 of this compound "
	  "element is not connected\n"
	  "g:1:6: warning: output 0 of this compound element is not connected\n"
	  "g:1:6: warning: output b of this compound element is not connected\n" },
	// the same mistake in many instances is told once
	{ "elementclass P { -> { -> X -> } -> Y; q :: { -> }; Z -> q[1] -> Y } B -> P; B -> P; B -> P",
	  "g:1:59: error: \"q\" has no output 1; its outputs: 0\n" },
	// arguments
	{ "A(})", "g:1:3: error: \"}\" closes nothing; put the text in quotes if the brackets are meant as "
	  "they are\n" },
	{ "A(\n[1})", "g:2:3: error: \"}\" where the \"[\" of column 1 needs its \"]\"; put the text in "
	  "quotes if the brackets are meant as they are\n" },
	{ "A([)", "g:1:3: error: this \"[\" is never closed; put the text in quotes if the bracket is "
	  "meant as it is\n" },
	{ "A(don't)", "g:1:6: error: this quoted text is never closed; close it with another ', or quote a "
	  "lone ' with the other kind of quotes\n" },
	{ "A(\\<4x>)", "g:1:3: error: \"\\<\" begins data that does not end; write \\<48 45 4c>, digits "
	  "and spaces\n" },
	{ "A(${x)", "g:1:3: error: \"${\" begins a variable that does not end; write ${name} or "
	  "${name-default}\n" },
	{ "A(${x-(})", "g:1:2: error: this \"(\" is never closed\n" },
	{ "A(${x-[})", "g:1:7: error: a default is plain text; it cannot have quotes, brackets, commas, "
	  "semicolons, comments, \"$\" or \"\\\"\n" },
	// variables
	{ "elementclass A { $rate, $rate | X } A(1, 2)", "g:1:25: error: variable $rate is defined twice; "
	  "the first is at line 1, column 18\n" },
	{ "elementclass A { K $k, $p | X }", "g:1:24: error: $p stands behind a keyword: those without "
	  "come first\n" },
	{ "elementclass A { __REST__ $k, P $p | X }", "g:1:31: error: $p stands behind __REST__, which "
	  "takes all the others\n" },
	{ "elementclass A { $k, x | X }", "g:1:24: error: expected a variable that takes an argument, not "
	  "\"|\"\n" },
	{ "elementclass A { $rate | X($rat) } A(1)", "g:1:28: error: variable $rat has no value; did you "
	  "mean $rate?\n" },
	{ "a, b :: X($q)", "g:1:11: error: variable $q has no value; define($q VALUE) or --set q=VALUE "
	  "gives it a value; "
	  "'$' in single quotes is no variable\n" },
	{ "define($a $b, $b $c, $c $a) X($a)", "g:1:8: error: the value of $a needs $a itself\n" },
	{ "define($c 1, $d require, $e a/, $f) $c; $d; $e; $f",
	  "g:1:37: error: the value of $c, \"1\", is no name of a class\n"
	  "g:1:41: error: the value of $d, \"require\", is no name of a class\n"
	  "g:1:45: error: the value of $e, \"a/\", is no name of a class\n"
	  "g:1:49: error: the value of $f, \"\", is no name of a class\n" },
	{ "define($c \"a b\") x :: $c", "g:1:23: error: the value of $c, \"\"a b\"\", is no name of a class\n" },
	{ "define($a http:/) X($a/x)", "g:1:21: error: with its variables replaced, this argument is "
	  "wrong: a value makes a comment here\n" },
	{ "define($d $, $e x) X($d$d, $$d, $d$e)", "g:1:33: error: with its variables replaced, this "
	  "argument is wrong: a value may not be or make a variable\n" },
	// classes
	{ "elementclass A { X || ... || Y }", "g:1:27: error: \"...\" is the last of the definitions\n" },
	{ "{ X || ... }", "g:1:8: error: \"...\" extends a class, and this compound element has no name\n" },
	{ "elementclass", "g:1:13: error: expected the name of a class, not the end of the text\n" },
	{ "elementclass A ->", "g:1:16: error: expected \"{\" or another class behind \"elementclass A\", "
	  "not \"->\"\n" },
	{ "elementclass A { a :: A; a -> x | y }", "g:1:33: error: \"|\" has no meaning here\n" },
	{ "elementclass T { $a | } test :: T(1, 2); elementclass T { $a, $b | || ... }",
	  "g:1:25: error: \"test\" of class \"T\" takes at most 1 argument, not 2; it takes ($a)\n" },
	{ "elementclass T { COUNT $c | } T(1)", "g:1:31: error: class \"T\" needs an argument \"COUNT\"; "
	  "it takes (COUNT $c)\n" },
	{ "a :: { b :: B } a/b :: C", "g:1:17: error: there are two elements \"a/b\"; one is inside a "
	  "compound element; the other is declared at line 1, column 8\n" },
	// requirements and events
	{ "require(module)", "g:1:9: error: nothing is required here; write require(module NAME) or "
	  "require(library FILE)\n" },
	{ "require(module a ~ 3, b >= , c > 1.2.)", "g:1:18: error: \"~\" compares no versions; write one "
	  "of >= <= == > <\n"
	  "g:1:27: error: expected a version, not the end of the requirement; as in require(module nat >= 1.2)\n"
	  "g:1:34: error: expected a version, not \"1.2.\"; as in require(module nat >= 1.2)\n" },
	{ "{ define event a.b on c.d; }", "g:1:3: error: an event is defined outside of compound elements "
	  "and groups\n" },
	{ "define event;", "g:1:1: error: expected \"define event NAME on BASE\"\n" },
	{ "define event many on flow.ended;", "g:1:14: error: expected the event's name behind \"define "
	  "event\", not \"many\"; "
	  "events are called module.event, as flow.ended\n" },
	{ "define event a.b flow.ended;", "g:1:18: error: expected \"on\" behind the event's name, not "
	  "\"flow.ended\"; define event NAME on BASE\n" },
	{ "define event a.b on c.d sum;", "g:1:28: error: expected a field behind \"sum\", not the end of "
	  "the definition\n" },
	{ "define event a.b on c.d count sum x.y;", "g:1:31: error: only one of count, sum and "
	  "distinct is possible; define an event for each\n" },
	{ "define event a.b on c.d count by x by y;", "g:1:36: error: \"by\" stands twice\n" },
	{ "define event a.b on c.d top 10;", "g:1:25: error: \"top\" needs \"by\": the top of what?; as in "
	  "top 10 by ip.src\n" },
	{ "define event a.b on c.d top 0 by x;", "g:1:29: error: expected a number from 1 to 1000000, not "
	  "\"0\"; k, M and G are thousands of it\n" },
	{ "define event a.b on c.d where by x;", "g:1:31: error: a filter is missing behind \"where\"\n" },
	{ "define event a.b on c.d; define event a.b on c.e;", "g:1:39: error: event \"a.b\" is defined "
	  "twice; the first is at line 1, column 1\n" },
	{ "define event a.b on c.d\nX -> Y; Z -> ;", "g:1:1: error: this definition does not end before "
	  "line 2; it ends with a \";\"\n"
	  "g:2:11: error: nothing stands behind \"->\"\n" },
};

// All rows that differ are shown, not just the first.
static void wrong_as_expected(void **state)
{
	unsigned failed = 0;
	struct result result;

	(void)state;
	for (unsigned i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++) {
		result = parse(wrongs[i].text);
		if (strcmp(result.said, wrongs[i].said)) {
			print_error("%s\n%s--- expected:\n%s", wrongs[i].text, result.said, wrongs[i].said);
			failed++;
		}
		forget(&result);
	}
	assert_int_equal(failed, 0);
}

// A file's first message, `LINE:COLUMN: error: TEXT; HINT`, in order of place
static const char *first_message(char *said, const char *path)
{
	size_t length = strlen(path);

	if (!strncmp(said, path, length) && said[length] == ':')
		said += length + 1;
	said[strcspn(said, "\n")] = 0;
	return said;
}

static const char *expected_in(const struct graph *graph)
{
	static char line[512];
	const char *begin = strstr(graph->text, "// expect: ");

	assert_non_null(begin);
	begin += strlen("// expect: ");
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(begin, "\r\n"), begin);
	return line;
}

// Files in which the planner, not the language, finds the mistake are the planner's to test.
static void wrong_graphs_in_files(void **state)
{
	static const char folder[] = "tests/unit/wrong-graphs";
	DIR *directory = opendir(folder);
	struct dirent *entry;
	unsigned tested = 0;
	char path[512];
	struct result result;
	const char *first;

	(void)state;
	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		if (!strstr(entry->d_name, ".weir"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		result = (struct result){ .arena = arena_create() };
		result.diag = diag_create(result.arena);
		result.graph = graph_load(result.arena, path, NULL, 0, result.diag);
		assert_non_null(result.graph);
		if (result.diag->errors) {
			result.said = said(result.diag);
			first = first_message(result.said, path);
			if (strncmp(first, expected_in(result.graph), strlen(expected_in(result.graph))))
				fail_msg("%s\nsaid:     %s\nexpected: %s", path, first, expected_in(result.graph));
			tested++;
		}
		forget(&result);
	}
	closedir(directory);
	assert_in_range(tested, 34, 1000);
}

static void click_graphs(void **state)
{
	static const char *const names[] = { "ip-router", "nat", "scheduler" };
	struct diag *diag;
	struct graph *graph;
	struct arena *arena;
	unsigned elements, edges;
	char path[128];

	(void)state;
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "tests/unit/click-graphs/%s.click", names[i]);
		arena = arena_create();
		diag = diag_create(arena);
		graph = graph_load(arena, path, NULL, 0, diag);
		assert_non_null(graph);
		assert_int_equal(diag->errors, 0);
		assert_int_equal(sscanf(graph->text, "// elements %u, edges %u", &elements, &edges), 2);
		assert_int_equal(graph->elements.count, elements);
		assert_int_equal(graph->edges.count, edges);
		arena_destroy(arena);
	}
}

static void click_router_in_detail(void **state)
{
	struct arena *arena = arena_create();
	struct diag *diag = diag_create(arena);
	struct graph *graph = graph_load(arena, "tests/unit/click-graphs/ip-router.click", NULL, 0, diag);
	const struct graph_element *element;
	uint32_t found;

	(void)state;
	element = &graph->elements.at[graph_find(graph, "c0")];
	assert_int_equal(element->arguments.count, 4);
	assert_string_equal(element->arguments.at[1].text, "12/0806 20/0002");
	assert_string_equal(element->arguments.at[3].text, "-");
	found = graph_find(graph, "path1/fragment");
	assert_int_not_equal(found, NAMES_NONE);
	element = &graph->elements.at[found];
	assert_string_equal(element->class, "IPFragmenter");
	assert_string_equal(element->arguments.at[0].text, "1500");
	assert_int_equal(graph_find(graph, "path1"), NAMES_NONE);
	for (uint32_t i = 0; i < graph->edges.count; i++)
		if (graph->edges.at[i].from == found && !graph->edges.at[i].output)
			assert_string_equal(graph->elements.at[graph->edges.at[i].to].name, "arpq1");
	arena_destroy(arena);
}

static void nul_bytes(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		const char *said;
	} cases[] = {
		{ "a :: A;\0b :: B", 14, "g:1:8: error: a NUL byte: this is not a text\n" },
		{ "a :: A(\0)", 9, "g:1:8: error: a NUL byte; this is not a text\n" },
		{ "a :: A(\"\0\")", 11, "g:1:9: error: a NUL byte; this is not a text\n" },
		{ "a :: A // \0", 11, "" },
		{ "\0", 1, "g:1:1: error: a NUL byte: this is not a text\n" },
	};
	struct result result;

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		result = parse_with(cases[i].text, cases[i].length, NULL, 0);
		assert_string_equal(result.said, cases[i].said);
		forget(&result);
	}
}

static void sets_win_over_definitions(void **state)
{
	static const struct {
		const char *text;
		struct graph_setting sets[2];
		unsigned count;
		const char *said, *flat;
	} cases[] = {
		{ "define($a 1) X($a)", { { "a", "2" } }, 1, "", "X@1 :: X(2);\n" },
		{ "X($a)", { { "a", " 2 /* two */ " } }, 1, "", "X@1 :: X(2);\n" },
		{ "X(${a-1})", { { "a", "x, y" } }, 1, "", "X@1 :: X(x, y);\n" },
		{ "define($b 3) X($a)", { { "a", "<$b>" } }, 1, "", "X@1 :: X(<3>);\n" },
		{ "define($a 1) elementclass C { define($a 5) X($a) } C; Y($a)", { { "a", "2" } }, 1, "",
		  "C@1/X@1 :: X(5);\nY@2 :: Y(2);\n" },
		{ "define($a 1)", { { "a", "2" } }, 1, "", "" },
		{ "elementclass C { X($a) }", { { "a", "2" } }, 1, "", "" },
		{ "define($rate 1) X($rate)", { { "rat", "2" } }, 1,
		  "--set rat: error: this graph uses no variable $rat; did you mean --set rate=VALUE?\n",
		  "X@1 :: X(1);\n" },
		{ "X($a)", { { "a", "1" }, { "a", "2" } }, 2, "--set a: error: variable $a is set twice\n",
		  "X@1 :: X(2);\n" },
		{ "X", { { "$a", "1" } }, 1, "--set $a: error: \"$a\" is no name of a variable; it has letters, "
		  "digits and \"_\", and is written without \"$\"\n", "X@1 :: X;\n" },
		{ "X($a)", { { "a", "\"1" } }, 1, "--set a:1:1: error: this "
		  "quoted text is never closed; close it with another \", or quote a lone \" with the "
		  "other kind of "
		  "quotes\n", "X@1 :: X;\n" },
	};
	struct result result;

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		result = parse_with(cases[i].text, strlen(cases[i].text), cases[i].sets, cases[i].count);
		if (strcmp(cases[i].said, result.said))
			print_error("%s\n", cases[i].text);
		assert_string_equal(result.said, cases[i].said);
		assert_string_equal(result.flat, cases[i].flat);
		forget(&result);
	}
}

// Where a byte of an argument of the first element stands
static void places_of_arguments(void **state)
{
	static const struct {
		const char *text;
		unsigned argument, offset, line, column;
	} cases[] = {
		{ "A(abc)", 0, 0, 1, 3 },
		{ "A(abc)", 0, 2, 1, 5 },
		{ "A(abc)", 0, 3, 1, 6 },       // behind the end
		{ "A(abc)", 0, 100, 1, 6 },
		{ "A(1, \xc3\xa4z)", 1, 2, 1, 7 },  // columns are characters
		{ "A(a\n  b)", 0, 2, 2, 3 },
		{ "A(a /* x */ b c)", 0, 2, 1, 13 },
		{ "A(a /* x */ b c)", 0, 4, 1, 15 },
		{ "A(\"x\ny\")", 0, 3, 2, 1 },
		{ "define($v long)\nA(x, a $v b)", 1, 0, 2, 6 },
		{ "define($v long)\nA(x, a $v b)", 1, 2, 2, 8 },
		{ "define($v long)\nA(x, a $v b)", 1, 5, 2, 8 },
		{ "define($v long)\nA(x, a $v b)", 1, 7, 2, 11 },
		{ "define($v 'p, q')\nA($v)", 0, 3, 2, 3 },
	};
	struct result result;
	struct place place;

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		result = parse(cases[i].text);
		assert_string_equal(result.said, "");
		place = graph_argument_place(&result.graph->elements.at[0].arguments.at[cases[i].argument],
			cases[i].offset);
		assert_string_equal(place.file, "g");
		if (place.line != cases[i].line || place.column != cases[i].column)
			fail_msg("%s, byte %u: %u:%u", cases[i].text, cases[i].offset, place.line, place.column);
		forget(&result);
	}
}

static void places_of_elements_and_edges(void **state)
{
	struct result result = parse("elementclass P { input -> output }\na :: A;\na [1] -> P\n  -> [in] B(x);");
	const struct graph_edge *edge;

	(void)state;
	assert_string_equal(result.said, "");
	assert_int_equal(result.graph->edges.count, 1);
	edge = &result.graph->edges.at[0];
	assert_int_equal(edge->at.line, 3);
	assert_int_equal(edge->at.column, 7);
	assert_int_equal(edge->output_at.line, 3);
	assert_int_equal(edge->output_at.column, 4);
	assert_int_equal(edge->input_at.line, 4);
	assert_int_equal(edge->input_at.column, 7);
	assert_int_equal(result.graph->elements.at[0].at.column, 1);
	assert_int_equal(result.graph->elements.at[0].class_at.column, 6);
	assert_int_equal(result.graph->elements.at[1].at.column, 11);
	forget(&result);
}

static void marks_of_elements(void **state)
{
	struct result result = parse("elementclass Q { input -> Q -> q :: Q(1) -> output } a -> Q -> b; b "
	  ":: Q@1; C@3 :: C");
	const struct graph *graph = result.graph;

	(void)state;
	assert_string_equal(result.said, "");
	assert_int_equal(graph->elements.count, 5);
	assert_true(graph->elements.at[0].is_bare);
	assert_string_equal(graph->elements.at[0].name, "a@1");
	assert_true(graph->elements.at[1].is_in_own_class);
	assert_string_equal(graph->elements.at[1].name, "Q@2/Q@1");
	assert_true(graph->elements.at[1].is_anonymous);
	assert_true(graph->elements.at[2].is_in_own_class);
	assert_false(graph->elements.at[2].is_anonymous);
	assert_false(graph->elements.at[2].is_bare);
	assert_false(graph->elements.at[3].is_in_own_class);
	assert_true(graph->elements.at[4].is_anonymous);
	forget(&result);
}

static void events_are_read(void **state)
{
	static const char text[] =
		"define($n 100, $f 'a by b', $t 500ms)\n"
		"define event scan.failed on flow.ended where tcp && flow.packets_back == 0;\n"
		"define event scan.many on scan.failed\n"
		"	count by ip.src, ip.dst over 10s above $n;\n"
		"define event big.host on flow.ended where ip.src in {10.0.0.0/8, \"x over y\"}\n"
		"	&& http.host contains $f\n"
		"	sum frame.len by ip.src above 1G over ${t};\n"
		"define event most.used on dns.query top 10 by dns.qry.name over 1.5min;\n"
		"define event few on_ly.one on flow.ended;\n"
		"define event most.sent on packet.received sum frame.len top 5 by ip.src over 1h;\n"
		"define event a.b on c.d distinct tcp.dstport over 0.000000001s;";
	struct result result = parse(text);
	const struct graph_event *event = result.graph->events.at;
	struct place place;

	(void)state;
	assert_string_equal(result.said, "g:9:14: error: expected the event's name behind \"define "
	  "event\", not \"few\"; "
		"events are called module.event, as flow.ended\n");
	assert_int_equal(result.graph->events.count, 6);
	assert_string_equal(event->name.text, "scan.failed");
	assert_string_equal(event->base.text, "flow.ended");
	assert_string_equal(event->where.text, "tcp && flow.packets_back == 0");
	assert_int_equal(event->where.at.column, 46);
	assert_int_equal(event->aggregate, GRAPH_EACH);
	event++;
	assert_int_equal(event->aggregate, GRAPH_COUNT);
	assert_null(event->where.text);
	assert_int_equal(event->by.count, 2);
	assert_string_equal(event->by.at[1].text, "ip.dst");
	assert_int_equal(event->by.at[1].at.line, 4);
	assert_int_equal(event->by.at[1].at.column, 19);
	assert_int_equal(event->over_ns, 10000000000);
	assert_true(event->has_above);
	assert_int_equal(event->above, 100);
	event++;
	assert_string_equal(event->where.text,
		"ip.src in {10.0.0.0/8, \"x over y\"} && http.host contains 'a by b'");
	place = graph_argument_place(&event->where, strlen("ip.src in {10.0.0.0/8, \"x over y\"} && "));
	assert_int_equal(place.line, 6);
	assert_int_equal(place.column, 5);
	assert_int_equal(event->aggregate, GRAPH_SUM);
	assert_string_equal(event->field.text, "frame.len");
	assert_int_equal(event->above, 1000000000);
	assert_int_equal(event->over_ns, 500000000);
	event++;
	assert_int_equal(event->aggregate, GRAPH_TOP);
	assert_int_equal(event->top, 10);
	assert_int_equal(event->over_ns, 90000000000);
	event++;
	assert_int_equal(event->aggregate, GRAPH_SUM);
	assert_string_equal(event->field.text, "frame.len");
	assert_int_equal(event->top, 5);
	event++;
	assert_int_equal(event->aggregate, GRAPH_DISTINCT);
	assert_int_equal(event->over_ns, 1);
	forget(&result);
}

static void files(void **state)
{
	struct arena *arena = arena_create();
	struct diag *diag = diag_create(arena);
	char *text;

	(void)state;
	assert_null(graph_load(arena, "tests/unit/none.weir", NULL, 0, diag));
	assert_null(graph_load(arena, "tests/unit", NULL, 0, diag));
	assert_null(graph_load(arena, "/dev/zero", NULL, 0, diag));
	text = said(diag);
	assert_string_equal(text, "/dev/zero: error: cannot read the graph: larger than 16 MiB; this is no graph\n"
		"tests/unit: error: cannot read the graph: Is a directory\n"
		"tests/unit/none.weir: error: cannot read the graph: No such file or directory\n");
	free(text);
	arena_destroy(arena);
}

static void libraries(void **state)
{
	struct arena *arena = arena_create();
	struct diag *diag = diag_create(arena);
	struct graph *graph = graph_load(arena, "tests/unit/click-graphs/with-library.weir", NULL, 0, diag);
	char *text = said(diag);

	(void)state;
	assert_string_equal(text, "");
	assert_non_null(graph);
	assert_int_not_equal(graph_find(graph, "shaped/RatedUnqueue@2"), NAMES_NONE);
	assert_string_equal(graph->elements.at[graph_find(graph, "shaped/RatedUnqueue@2")].at.file,
		"tests/unit/click-graphs/library/shaped.weir");
	free(text);
	arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flat_as_expected),
		cmocka_unit_test(wrong_as_expected),
		cmocka_unit_test(wrong_graphs_in_files),
		cmocka_unit_test(click_graphs),
		cmocka_unit_test(click_router_in_detail),
		cmocka_unit_test(nul_bytes),
		cmocka_unit_test(sets_win_over_definitions),
		cmocka_unit_test(places_of_arguments),
		cmocka_unit_test(places_of_elements_and_edges),
		cmocka_unit_test(marks_of_elements),
		cmocka_unit_test(events_are_read),
		cmocka_unit_test(files),
		cmocka_unit_test(libraries),
	};

	return cmocka_run_group_tests_name("graph", tests, NULL, NULL);
}
