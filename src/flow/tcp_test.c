// SPDX-License-Identifier: Apache-2.0
// Stories of TCP connections, a line per segment: who sends what, and what it must mean.
#include "flow/tcp_history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STEPS = 16, BELIEVED = 8 };

// A step: "> SA 5000 1001 +10 w0 scale7 : facts": direction, flags (SFRPAU; -: none), seq, ack, then options.
// Facts are those that are no state_changed.
struct story {
	const char *title;
	const char *steps[STEPS];
	const char *history, *conn_state, *state;
	unsigned class; // enum tcp_class; with BELIEVED: tcp_start with one_sided
};

static const struct {
	uint32_t fact;
	const char *name;
} names[] = {
	{ TCP_FACT_ESTABLISHED, "established" },
	{ TCP_FACT_RESET, "reset" },
	{ TCP_FACT_FINISHED, "finished" },
	{ TCP_FACT_CLOSED, "closed" },
	{ TCP_FACT_PARTIAL, "partial" },
	{ TCP_FACT_FLIPPED, "flipped" },
	{ TCP_FACT_REUSED, "reused" },
	{ TCP_FACT_SIMULTANEOUS_OPEN, "simultaneous" },
	{ TCP_FACT_DATA_IN_SYN, "data_in_syn" },
	{ TCP_FACT_RETRANSMITTED, "retransmitted" },
	{ TCP_FACT_OUT_OF_ORDER, "out_of_order" },
	{ TCP_FACT_AHEAD, "ahead" },
	{ TCP_FACT_KEEP_ALIVE, "keep_alive" },
	{ TCP_FACT_KEEP_ALIVE_ACK, "keep_alive_ack" },
	{ TCP_FACT_ZERO_WINDOW, "zero_window" },
	{ TCP_FACT_ZERO_WINDOW_PROBE, "probe" },
	{ TCP_FACT_WINDOW_FULL, "window_full" },
	{ TCP_FACT_DUPLICATE_ACK, "duplicate_ack" },
	{ TCP_FACT_UNSEEN_ACKED, "unseen_acked" },
	{ TCP_FACT_URGENT, "urgent" },
	{ TCP_FACT_BAD_RESET, "bad_reset" },
	{ TCP_FACT_BAD_SYN, "bad_syn" },
	{ TCP_FACT_BAD_ACK, "bad_ack" },
	{ TCP_FACT_OUT_OF_WINDOW, "out_of_window" },
	{ TCP_FACT_BAD_FLAGS, "bad_flags" },
};

#define HANDSHAKE "> S 1000 0", "< SA 5000 1001", "> A 1001 5001 : established"

static const struct story stories[] = {
	{ "a connection",
		{ HANDSHAKE, "> PA 1001 5001 +10", "< A 5001 1011", "< PA 5001 1011 +20",
			"> A 1011 5021", "> FA 1011 5021 : finished",
			"< FA 5021 1012 : finished closed", "> A 1012 5022" },
		"ShADadFf", "SF", "closed", TCP_GONE },
	{ "numbers wrap",
		{ "> S 4294967290 0", "< SA 4294967295 4294967291",
			"> A 4294967291 0 : established", "> PA 4294967291 0 +10", "< PA 0 5 +20",
			"> FA 5 20 : finished", "< FA 20 6 : finished closed", "> A 6 21" },
		"ShADdFf", "SF", "closed", TCP_GONE },
	{ "SYN alone", { "> S 1000 0", "> S 1000 0 : retransmitted" }, "S", "S0", "syn_sent",
		TCP_HALF_OPEN },
	{ "refused", { "> S 1000 0", "< RA 0 1001 : reset" }, "Sr", "REJ", "reset", TCP_GONE },
	{ "refused by somebody who does not know the number",
		{ "> S 1000 0", "< RA 0 7777 : bad_reset", "< R 4 0 : bad_reset" }, "Srr", "S0",
		"syn_sent", TCP_HALF_OPEN },
	{ "the client gives up", { "> S 1000 0", "> R 1001 0 : reset" }, "SR", "RSTOS0", "reset",
		TCP_GONE },
	{ "SYN, FIN", { "> S 1000 0", "> FA 1001 1 : finished" }, "SF", "SH", "fin_wait",
		TCP_CLOSING },
	{ "not finished", { HANDSHAKE }, "ShA", "S1", "established", TCP_OPEN },
	{ "SYN/ACK alone", { "> SA 5000 1001 : flipped" }, "^h", "OTH", "syn_received",
		TCP_HALF_OPEN },
	{ "SYN/ACK first, as the flow's first",
		{ "> SA 5000 1001 : flipped", "< A 1001 5001 : established" }, "^hA", "S1",
		"established", TCP_OPEN },
	{ "SYN/ACK, RST", { "> SA 5000 1001 : flipped", "> R 5001 0 : reset" }, "^hr", "RSTRH",
		"reset", TCP_GONE },
	{ "SYN/ACK, FIN", { "> SA 5000 1001 : flipped", "> FA 5001 1001 : finished" }, "^hf", "SHR",
		"fin_wait", TCP_CLOSING },
	{ "handshake in the wrong order",
		{ "> SA 5000 1001 : flipped", "< S 1000 0", "< A 1001 5001 : established",
			"< PA 1001 5001 +5" },
		"^hSAD", "S1", "established", TCP_OPEN },
	{ "the last ACK before the SYN/ACK",
		{ "> S 1000 0", "> A 1001 5001", "< SA 5000 1001 : established" }, "SAh", "S1",
		"established", TCP_OPEN },
	{ "data before the SYN",
		{ "> PA 1001 5001 +10 : partial", "< A 5001 1011 : partial",
			"> S 1000 0 : ", "> A 1011 5001 +5" },
		"DaS", "OTH", "partial", TCP_OPEN },
	{ "simultaneous open and close",
		{ "> S 1000 0", "< S 5000 0 : simultaneous", "> SA 1000 5001",
			"< SA 5000 1001 : established", "> FA 1001 5001 : finished",
			"< FA 5001 1001 : finished closed", "> A 1002 5002", "< A 5002 1002" },
		"SsHhFfAa", "SF", "closed", TCP_GONE },
	{ "half-closed by the client",
		{ HANDSHAKE, "> FA 1001 5001 : finished", "< A 5001 1002", "< PA 5001 1002 +100",
			"> A 1002 5101" },
		"ShAFad", "S2", "fin_wait", TCP_CLOSING },
	{ "half-closed by the server",
		{ HANDSHAKE, "< FA 5001 1001 : finished", "> A 1001 5002", "> PA 1001 5002 +100",
			"< A 5002 1101" },
		"ShAfDa", "S3", "fin_wait", TCP_CLOSING },
	{ "FIN again",
		{ HANDSHAKE, "> FA 1001 5001 : finished", "> FA 1001 5001 : retransmitted",
			"> PA 1002 5001 +4 : out_of_window" },
		"ShAFD", "S2", "fin_wait", TCP_CLOSING },
	{ "reset by the client", { HANDSHAKE, "> R 1001 0 : reset" }, "ShAR", "RSTO", "reset",
		TCP_GONE },
	{ "reset by the server", { HANDSHAKE, "> PA 1001 5001 +9", "< RA 5001 1010 : reset" },
		"ShADr", "RSTR", "reset", TCP_GONE },
	{ "a reset outside of the window",
		{ HANDSHAKE, "< A 5001 1001 w100", "> R 900000 0 : bad_reset",
			"> R 500 0 : bad_reset", "> PA 1001 5001 +10" },
		"ShAaRRD", "S1", "established", TCP_OPEN },
	{ "RST behind the end is no reset",
		{ HANDSHAKE, "> FA 1001 5001 : finished", "< FA 5001 1002 : finished closed",
			"> A 1002 5002", "> R 1002 0" },
		"ShAFfR", "SF", "closed", TCP_GONE },
	{ "a new connection behind the end",
		{ HANDSHAKE, "> FA 1001 5001 : finished", "< FA 5001 1002 : finished closed",
			"> A 1002 5002", "> S 1000 0 : retransmitted", "> S 70000 0 : reused" },
		"ShAFf", "SF", "closed", TCP_GONE },
	{ "a new connection the other way round",
		{ HANDSHAKE, "> FA 1001 5001 : finished", "< FA 5001 1002 : finished closed",
			"> A 1002 5002", "< S 70000 0 : reused" },
		"ShAFf", "SF", "closed", TCP_GONE },
	{ "a new attempt", { "> S 1000 0", "> S 2000 0 : reused" }, "S", "S0", "syn_sent",
		TCP_HALF_OPEN },
	{ "a new connection behind a reset",
		{ HANDSHAKE, "< R 5001 0 : reset", "> S 2000 0 : reused" }, "ShAr", "RSTR", "reset",
		TCP_GONE },
	{ "a false SYN inside",
		{ HANDSHAKE, "> S 9000 0 : bad_syn", "< A 5001 1001", "> PA 1001 5001 +3",
			"< SA 8000 9001 : bad_syn" },
		"ShASaDh", "S1", "established", TCP_OPEN },
	{ "a true SYN inside: the server says so",
		{ HANDSHAKE, "> S 9000 0 : bad_syn", "< SA 8000 9001 : reused" }, "ShAS", "S1",
		"established", TCP_OPEN },
	{ "fast open",
		{ "> S 1000 0 +10 : data_in_syn", "< SA 5000 1011", "< PA 5001 1011 +4",
			"> A 1011 5005 : established" },
		"ShdA", "S1", "established", TCP_OPEN },
	{ "fast open refused",
		{ "> S 1000 0 +10 : data_in_syn", "< SA 5000 1001",
			"> PA 1001 5001 +10 : established retransmitted" },
		"ShDT", "S1", "established", TCP_OPEN },
	{ "keep-alive",
		{ HANDSHAKE, "> PA 1001 5001 +10", "< A 5001 1011", "> A 1010 5001 : keep_alive",
			"< A 5001 1011 : keep_alive_ack", "> A 1010 5001 +1 : keep_alive",
			"< A 5001 1011 : keep_alive_ack", "> PA 1011 5001 +10" },
		"ShADa", "S1", "established", TCP_OPEN },
	{ "the last byte again is no keep-alive",
		{ HANDSHAKE, "> PA 1001 5001 +1", "> PA 1001 5001 +1 : retransmitted" }, "ShADT",
		"S1", "established", TCP_OPEN },
	{ "zero window and probe",
		{ HANDSHAKE, "> PA 1001 5001 +10", "< A 5001 1011 w0 : zero_window",
			"> A 1011 5001 +1 : probe", "< A 5001 1011 w0 : zero_window duplicate_ack",
			"< A 5001 1012", "> PA 1012 5001 +5" },
		"ShADaw", "S1", "established", TCP_OPEN },
	{ "window full",
		{ HANDSHAKE, "< A 5001 1001 w100", "> PA 1001 5001 +60",
			"> PA 1061 5001 +40 : window_full" },
		"ShAaD", "S1", "established", TCP_OPEN },
	{ "window full, scaled",
		{ "> S 1000 0 scale2", "< SA 5000 1001 scale3", "> A 1001 5001 : established",
			"< A 5001 1001 w100", "> PA 1001 5001 +400",
			"> PA 1401 5001 +400 : window_full" },
		"ShAaD", "S1", "established", TCP_OPEN },
	{ "far beyond the window",
		{ HANDSHAKE, "< A 5001 1001 w100", "> PA 900000 5001 +10 : out_of_window",
			"> PA 1001 5001 +10", "> PA 500 5001 +10 : out_of_window" },
		"ShAaD", "S1", "established", TCP_OPEN },
	{ "an ACK of what cannot have been sent",
		{ HANDSHAKE, "> PA 1001 900000000 +10 : bad_ack", "> PA 1001 5001 +10" }, "ShAD",
		"S1", "established", TCP_OPEN },
	{ "retransmitted",
		{ HANDSHAKE, "> PA 1001 5001 +10", "> PA 1001 5001 +10 : retransmitted",
			"< A 5001 1011", "> PA 1006 5001 +10 : retransmitted" },
		"ShADTa", "S1", "established", TCP_OPEN },
	{ "out of order",
		{ HANDSHAKE, "> PA 1011 5001 +10 : ahead", "< A 5001 1001",
			"< A 5001 1001 : duplicate_ack", "> PA 1001 5001 +10 : out_of_order",
			"< A 5001 1021", "> PA 1021 5001 +10" },
		"ShADa", "S1", "established", TCP_OPEN },
	{ "missed by the capture",
		{ HANDSHAKE, "< A 5001 1101 : unseen_acked", "> PA 1101 5001 +10 : ahead",
			"< A 5001 1111", "> PA 1111 5001 +1" },
		"ShAaD", "S1", "established", TCP_OPEN },
	{ "much was missed: the ACK tells", { HANDSHAKE, "< A 5001 1001 w100", "> PA 900000 5001 +10 : out_of_window",
	  "< A 5001 900010 w100 : unseen_acked", "> PA 900010 5001 +10 : ahead", "< A 5001 900020" },
	  "ShAaD", "S1", "established", TCP_OPEN },
	{ "much was missed of both", { HANDSHAKE, "< A 5001 1001 w100", "> A 1001 5001 w100",
	  "> PA 900000 800000 +10 : ahead unseen_acked", "< PA 800000 900010 +10 : ahead", "> A 900010 800010" },
	  "ShAaDd", "S1", "established", TCP_OPEN },
	{ "urgent", { HANDSHAKE, "> PAU 1001 5001 +3 : urgent" }, "ShAD", "S1", "established",
		TCP_OPEN },
	{ "from the middle",
		{ "> PA 1001 5001 +10 : partial", "< PA 5001 1011 +10 : partial", "> A 1011 5011",
			"> FA 1011 5011 : finished", "< FA 5011 1012 : finished closed",
			"> A 1012 5012" },
		"DdAFf", "SF", "closed", TCP_GONE },
	{ "from the middle, one side", { "> PA 1001 5001 +10 : partial" }, "D", "OTH", "partial",
		TCP_HALF_OPEN },
	{ "one-sided, believed",
		{ "> S 1000 0", "> A 1001 5001 : established", "> PA 1001 5001 +10",
			"> A 1011 5020", "> FA 1011 5020 : finished closed" },
		"SADF", "SH", "fin_wait", TCP_CLOSING | BELIEVED },
	{ "one-sided, not believed", { "> S 1000 0", "> A 1001 5001", "> PA 1001 5001 +10" }, "SAD",
		"S0", "syn_sent", TCP_HALF_OPEN },
	{ "one-sided, the server's",
		{ "> SA 5000 1001 : flipped", "> PA 5001 1001 +10 : established" }, "^hd", "OTH",
		"established", TCP_OPEN | BELIEVED },
	{ "one-sided, with a hole",
		{ "> S 1000 0", "> A 1001 5001 : established", "> PA 1011 5001 +10 : ahead",
			"> PA 1001 5001 +10 : out_of_order", "> PA 1001 5001 +10 : retransmitted" },
		"SADT", "S0", "established", TCP_OPEN | BELIEVED },
	{ "no such segments",
		{ HANDSHAKE, "> SF 1 1 : bad_flags", "> SR 1 1 : bad_flags",
			"> - 1001 1 +3 : bad_flags", "> FRA 1001 5001 : bad_flags",
			"> F 1001 5001 : bad_flags" },
		"ShAQDIF", "S1", "established", TCP_OPEN },
	{ "the SYN/ACK confirms something else",
		{ "> S 1000 0", "< SA 5000 900 : bad_ack", "< SA 5000 1001" }, "Sh", "S1",
		"syn_received", TCP_HALF_OPEN },
	{ "confirmed first, answered later",
		{ "> S 1000 0", "< A 1 1001 : partial", "< SA 5000 1001",
			"> A 1001 5001 : established" },
		"SahA", "S1", "established", TCP_OPEN },
	{ "RST of nothing", { "> R 7 0 : reset", "> S 1000 0 : reused" }, "R", "OTH", "reset",
		TCP_GONE },
	{ "every packet twice",
		{ "> S 1000 0", "> S 1000 0 : retransmitted", "< SA 5000 1001",
			"< SA 5000 1001 : retransmitted", "> A 1001 5001 : established",
			"> A 1001 5001", "> PA 1001 5001 +10", "> PA 1001 5001 +10 : retransmitted",
			"> FA 1011 5001 : finished", "> FA 1011 5001 : retransmitted",
			"< FA 5001 1012 : finished closed", "< FA 5001 1012 : retransmitted",
			"> A 1012 5002", "> A 1012 5002" },
		"ShADTFf", "SF", "closed", TCP_GONE },
};

static void read_step(const char *step, unsigned *direction, struct tcp_segment *segment, char *expected)
{
	char side, flags[16], rest[128] = "", words[128];
	const char *all = "FSRPAU", *facts = strchr(step, ':');
	unsigned seq, ack;

	assert_true(sscanf(step, "%c %15s %u %u%127[^:]", &side, flags, &seq, &ack, rest) >= 4);
	*direction = side == '<';
	*segment = (struct tcp_segment){ .seq = seq, .ack = ack, .window = 60000, .scale = TCP_NO_SCALE };
	for (const char *flag = flags; *flag; flag++)
		if (*flag != '-')
			segment->flags |= (uint8_t)(1u << (strchr(all, *flag) - all));
	strcpy(words, rest);
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		if (*word == '+')
			segment->length = (uint32_t)atoi(word + 1);
		else if (*word == 'w')
			segment->window = (uint16_t)atoi(word + 1);
		else
			segment->scale = (uint8_t)atoi(word + 5);
	strcpy(expected, facts ? facts + 1 + strspn(facts + 1, " ") : "");
}

static void name_facts(uint32_t facts, char *text)
{
	*text = 0;
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (facts & names[i].fact)
			sprintf(text + strlen(text), "%s%s", *text ? " " : "", names[i].name);
}

static unsigned differs(const char *title, const char *what, const char *is, const char *must)
{
	if (!strcmp(is, must))
		return 0;
	print_error("%s: %s: is \"%s\", must be \"%s\"\n", title, what, is, must);
	return 1;
}

static unsigned tell(const struct story *story)
{
	struct tcp_history history = { 0 };
	unsigned direction, wrong = 0;
	struct tcp tcp;

	tcp_start(&tcp, story->class & BELIEVED);
	for (unsigned i = 0; i < STEPS && story->steps[i]; i++) {
		char expected[128], is[256];
		struct tcp_segment segment;
		struct tcp before = tcp;
		uint32_t facts;

		read_step(story->steps[i], &direction, &segment, expected);
		facts = tcp_step(&tcp, direction, &segment);
		assert_true(!!(facts & TCP_FACT_STATE_CHANGED) ==
			(before.side[0].state != tcp.side[0].state || before.side[1].state != tcp.side[1].state));
		name_facts(facts, is);
		if (!(facts & TCP_FACT_REUSED))
			tcp_history_note(&history, &tcp, direction, &segment, facts);
		wrong += differs(story->title, story->steps[i], is, expected);
	}
	wrong += differs(story->title, "history", history.text, story->history);
	wrong += differs(story->title, "conn_state", tcp_conn_state(&tcp), story->conn_state);
	wrong += differs(story->title, "state", tcp_connection_state(&tcp), story->state);
	if (tcp_class(&tcp) != (story->class & ~BELIEVED))
		wrong += differs(story->title, "class", "wrong", "");
	return wrong;
}

static void lives(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(stories) / sizeof(*stories); i++)
		wrong += tell(&stories[i]);
	assert_int_equal(wrong, 0);
}

static void headers(void **state)
{
	static const struct {
		uint8_t options[12];
		unsigned length;
		unsigned mss, scale;
		bool sack;
	} cases[] = {
		{ { 2, 4, 5, 0xb4, 1, 3, 3, 7, 4, 2 }, 10, 1460, 7, true },
		{ { 3, 3, 200 }, 3, 0, 14, false },
		{ { 2, 4, 5 }, 3, 0, TCP_NO_SCALE, false },
		{ { 3, 0, 7 }, 3, 0, TCP_NO_SCALE, false },
		{ { 3, 1, 7 }, 3, 0, TCP_NO_SCALE, false },
		{ { 0, 3, 3, 7 }, 4, 0, TCP_NO_SCALE, false },
		{ { 99, 4, 0, 0, 3, 3, 2 }, 7, 0, 2, false },
		{ { 2 }, 1, 0, TCP_NO_SCALE, false },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint8_t *header = calloc(1, 20 + cases[i].length);
		struct tcp_segment segment;

		memcpy(header, (uint8_t[]){ 0, 1, 0, 2, 0x80, 0, 0, 1, 0xff, 0, 0, 2, 0x50, 0x12, 0x12, 0x34 }, 16);
		memcpy(header + 20, cases[i].options, cases[i].length);
		tcp_read(&segment, header, 20 + cases[i].length, 77);
		assert_int_equal(segment.seq, 0x80000001);
		assert_int_equal(segment.ack, 0xff000002);
		assert_int_equal(segment.flags, TCP_SYN | TCP_ACK);
		assert_int_equal(segment.window, 0x1234);
		assert_int_equal(segment.length, 77);
		assert_int_equal(segment.mss, cases[i].mss);
		assert_int_equal(segment.scale, cases[i].scale);
		assert_int_equal(segment.sack_permitted, cases[i].sack);
		free(header);
	}
}

// Many gigabytes: old numbers mean something else by then.
static void long_lives(void **state)
{
	struct tcp_segment syn = { .seq = 99, .flags = TCP_SYN, .window = 60000, .scale = 10 };
	struct tcp_segment syn_ack = { .seq = 7, .ack = 100, .flags = TCP_SYN | TCP_ACK, .window = 60000, .scale = 10 };
	struct tcp_segment data = { .seq = 100, .ack = 8, .flags = TCP_ACK, .window = 60000, .length = 1 << 15 };
	struct tcp_segment ack = { .seq = 8, .ack = 100, .flags = TCP_ACK, .window = 60000 };

	(void)state;
	for (unsigned one_sided = 0; one_sided < 2; one_sided++) {
		struct tcp tcp;

		data.seq = ack.ack = 100;
		tcp_start(&tcp, one_sided);
		tcp_step(&tcp, 0, &syn);
		if (!one_sided)
			tcp_step(&tcp, 1, &syn_ack);
		for (unsigned i = 0; i < 400000; i++) {
			uint32_t facts = tcp_step(&tcp, 0, &data);

			if (i)
				assert_int_equal(facts, 0);
			if (i % 16 == 3)
				assert_int_equal(tcp_step(&tcp, 0, &data), TCP_FACT_RETRANSMITTED);
			data.seq += data.length;
			ack.ack = data.seq;
			if (!one_sided)
				assert_int_equal(tcp_step(&tcp, 1, &ack), 0);
		}
	}
}

static void letters_are_bounded(void **state)
{
	struct tcp_history history = { 0 };
	struct tcp_segment segment = { .flags = TCP_RST };
	struct tcp tcp = { 0 };

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		segment.seq = i;
		tcp_history_note(&history, &tcp, i & 1, &segment, TCP_FACT_FLIPPED);
	}
	assert_int_equal(strlen(history.text), TCP_HISTORY - 1);
	history = (struct tcp_history){ 0 };
	for (unsigned i = 0; i < 70000; i++)
		tcp_history_count(&history, &tcp, 1, TCP_GAP);
	assert_string_equal(history.text, "gggg");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lives),
		cmocka_unit_test(headers),
		cmocka_unit_test(long_lives),
		cmocka_unit_test(letters_are_bounded),
	};

	return cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}
