// SPDX-License-Identifier: Apache-2.0
// define event NAME on BASE [where FILTER] [count | sum FIELD | distinct FIELD] [top N] [by FIELD, ..] [over T]
// [above N]. The filter is kept as text: what its fields are is known where events are.
#include "lang/graph_expand.h"

#include <stdlib.h>

struct reader {
	struct expansion *expansion;
	struct words words;
	struct graph_event *event;
	unsigned seen; // clauses, a bit each
	bool is_wrong;
};

static struct diag_message *refuse(struct reader *reader, struct place at, const char *text, const char *hint)
{
	struct diag_message *message = reader->is_wrong ? NULL : fault(reader->expansion->faults, at, "%s", text);

	if (hint)
		fault_hint(reader->expansion->faults, message, "%s", hint);
	reader->is_wrong = true;
	return message;
}

static const char *quoted_word(struct reader *reader)
{
	if (!reader->words.word.text)
		return "the end of the definition";
	return arena_print(reader->expansion->arena, "\"%s\"", reader->words.word.text);
}

static void refuse_word(struct reader *reader, const char *expected, const char *hint)
{
	refuse(reader, reader->words.word.at,
		arena_print(reader->expansion->arena, "expected %s, not %s", expected, quoted_word(reader)), hint);
}

// Names joined by dots: "ip.src", "scan.failed"
static bool is_dotted(const char *text, bool needs_dot)
{
	bool has_dot = strchr(text, '.');

	for (const char *part = text;; part++) {
		if (!is_variable_character(*part))
			return false;
		while (is_variable_character(*part))
			part++;
		if (!*part)
			return has_dot || !needs_dot;
		if (*part != '.')
			return false;
	}
}

static struct graph_word read_name(struct reader *reader, const char *what, bool needs_dot)
{
	struct graph_word word = reader->words.word;

	if (!word.text || !is_dotted(word.text, needs_dot))
		refuse_word(reader, what, needs_dot ? "events are called module.event, as flow.ended" : NULL);
	words_next(&reader->words);
	return word;
}

static uint64_t unit_of(const char *text)
{
	static const struct {
		const char *text;
		uint64_t size;
	} units[] = { { "", 1 }, { "k", 1000 }, { "K", 1000 }, { "M", 1000000 }, { "G", 1000000000 } };

	for (unsigned i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!strcmp(text, units[i].text))
			return units[i].size;
	return 0;
}

static uint64_t read_number(struct reader *reader, uint64_t least, uint64_t most)
{
	const char *text = reader->words.word.text ? reader->words.word.text : "";
	size_t digits = strspn(text, "0123456789");
	uint64_t number = strtoull(text, NULL, 10), unit = unit_of(text + digits), result;

	if (!digits || digits > 18 || !unit || __builtin_mul_overflow(number, unit, &result) || result < least ||
	    result > most) {
		refuse_word(reader, arena_print(reader->expansion->arena, "a number from %llu to %llu",
			(unsigned long long)least, (unsigned long long)most), "k, M and G are thousands of it");
		result = 0;
	}
	words_next(&reader->words);
	return result;
}

static uint64_t time_unit_of(const char *text)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} units[] = {
		{ "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 }, { "sec", 1000000000 },
		{ "m", 60000000000 }, { "min", 60000000000 }, { "h", 3600000000000 }, { "hr", 3600000000000 },
		{ "d", 86400000000000 },
	};

	for (unsigned i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!strcmp(text, units[i].text))
			return units[i].ns;
	return 0;
}

// 10s, 1.5min; 0 if it is none
static uint64_t duration_of(const char *text)
{
	size_t digits = strspn(text, "0123456789"), decimals = 0;
	uint64_t whole = strtoull(text, NULL, 10), fraction = 0, scale = 1, unit, result;

	if (text[digits] == '.')
		decimals = strspn(text + digits + 1, "0123456789");
	if (!digits || digits > 15 || decimals > 9 || (text[digits] == '.' && !decimals))
		return 0;
	for (size_t i = 0; i < decimals; i++, scale *= 10)
		fraction = fraction * 10 + (uint64_t)(text[digits + 1 + i] - '0');
	unit = time_unit_of(text + digits + (decimals ? decimals + 1 : 0));
	if (__builtin_mul_overflow(whole, unit, &result))
		return 0;
	fraction = (uint64_t)((unsigned __int128)fraction * unit / scale);
	return __builtin_add_overflow(result, fraction, &result) ? 0 : result;
}

static void read_over(struct reader *reader)
{
	const char *text = reader->words.word.text;

	reader->event->over_at = reader->words.word.at;
	reader->event->over_ns = text ? duration_of(text) : 0;
	if (!reader->event->over_ns)
		refuse_word(reader, "a time behind \"over\"", "as in 10s, 500ms, 5min, 1h");
	words_next(&reader->words);
}

static void read_by(struct reader *reader)
{
	struct graph_event *event = reader->event;

	for (;;) {
		*list_add(reader->expansion->arena, &event->by) = read_name(reader, "a field behind \"by\"", false);
		if (reader->is_wrong || !word_is(&reader->words, ","))
			return;
		words_next(&reader->words);
	}
}

static void read_where(struct reader *reader);

static void read_above(struct reader *reader)
{
	reader->event->above_at = reader->words.word.at;
	reader->event->has_above = true;
	reader->event->above = read_number(reader, 0, 1000000000000000000);
}

static void read_aggregate(struct reader *reader, enum graph_aggregate aggregate)
{
	if (reader->event->aggregate != GRAPH_EACH)
		refuse(reader, reader->event->aggregate_at, "only one of count, sum and distinct is possible",
			"define an event for each");
	reader->event->aggregate = aggregate;
}

static void read_count(struct reader *reader)
{
	read_aggregate(reader, GRAPH_COUNT);
}

static void read_sum(struct reader *reader)
{
	read_aggregate(reader, GRAPH_SUM);
	reader->event->field = read_name(reader, "a field behind \"sum\"", false);
}

static void read_distinct(struct reader *reader)
{
	read_aggregate(reader, GRAPH_DISTINCT);
	reader->event->field = read_name(reader, "a field behind \"distinct\"", false);
}

static void read_top(struct reader *reader)
{
	reader->event->top = (uint32_t)read_number(reader, 1, 1000000);
}

static const struct clause {
	const char *word;
	void (*read)(struct reader *reader);
	bool is_aggregate;
} clauses[] = {
	{ "where", read_where, false },
	{ "count", read_count, true }, { "sum", read_sum, true },
	{ "distinct", read_distinct, true }, { "top", read_top, true },
	{ "by", read_by, false }, { "over", read_over, false }, { "above", read_above, false },
};

enum { CLAUSES = sizeof(clauses) / sizeof(*clauses) };

static unsigned clause_of(const struct reader *reader)
{
	unsigned i = 0;

	while (i < CLAUSES && !word_is(&reader->words, clauses[i].word))
		i++;
	return i;
}

// How deep in brackets and quotes a word leaves the text
struct nest {
	unsigned depth;
	char quote;
};

static void nest_over(struct nest *nest, const char *text)
{
	for (; *text; text++) {
		if (nest->quote && *text == '\\' && nest->quote == '"' && text[1])
			text++;
		else if (nest->quote)
			nest->quote = *text == nest->quote ? 0 : nest->quote;
		else if (*text == '"' || *text == '\'')
			nest->quote = *text;
		else if (strchr("([{", *text))
			nest->depth++;
		else if (strchr(")]}", *text) && nest->depth)
			nest->depth--;
	}
}

// To the next clause outside brackets and quotes, or the end
static void read_where(struct reader *reader)
{
	struct words *words = &reader->words;
	size_t begin = words->word_at, end = begin;
	struct nest nest = { 0 };

	while (words->word.text && (nest.depth || nest.quote || clause_of(reader) == CLAUSES)) {
		nest_over(&nest, words->word.text);
		end = words->at;
		words_next(words);
	}
	if (end == begin)
		refuse(reader, words->word.at, "a filter is missing behind \"where\"", NULL);
	else
		reader->event->where = argument_slice(reader->expansion->arena, words->argument, begin, end);
}

static void refuse_clause(struct reader *reader)
{
	struct near near = { .word = reader->words.word.text };
	struct diag_message *message;

	for (unsigned i = 0; i < CLAUSES; i++)
		near_try(&near, clauses[i].word);
	message = refuse(reader, reader->words.word.at,
		arena_print(reader->expansion->arena, "%s has no meaning in the definition of an event",
			quoted_word(reader)), "where, count, sum, distinct, top, by, over, above may stand here");
	if (near_best(&near))
		fault_hint(reader->expansion->faults, message, "did you mean \"%s\"?", near_best(&near));
}

static void read_clause(struct reader *reader)
{
	unsigned clause = clause_of(reader);

	if (clause == CLAUSES) {
		refuse_clause(reader);
		return;
	}
	if (reader->seen & 1u << clause)
		refuse(reader, reader->words.word.at,
			arena_print(reader->expansion->arena, "%s stands twice", quoted_word(reader)), NULL);
	reader->seen |= 1u << clause;
	if (clauses[clause].is_aggregate)
		reader->event->aggregate_at = reader->words.word.at;
	words_next(&reader->words);
	if (!reader->is_wrong)
		clauses[clause].read(reader);
}

static void check(struct reader *reader)
{
	const struct graph_event *event = reader->event;
	bool is_each = event->aggregate == GRAPH_EACH && !event->top;
	const char *hint = "count, sum FIELD, distinct FIELD or top N say what is gathered";

	if (is_each && event->by.count)
		refuse(reader, event->by.at[0].at, "\"by\" without anything to gather", hint);
	if (is_each && event->over_ns)
		refuse(reader, event->over_at, "\"over\" without anything to gather", hint);
	if (is_each && event->has_above)
		refuse(reader, event->above_at, "\"above\" without anything to gather", hint);
	if (event->top && !event->by.count)
		refuse(reader, event->aggregate_at, "\"top\" needs \"by\": the top of what?",
			"as in top 10 by ip.src");
}

// The only argument of the text, with values for its variables; false after an error
static bool get_text(struct expansion *expansion, const struct instance *top, struct raw_event *raw,
	struct graph_argument *text)
{
	struct argument_list arguments = { 0 };

	arguments_of(expansion, top, &raw->text, &arguments);
	if (!raw->text.list.count)
		fault(expansion->faults, raw->at, "expected \"define event NAME on BASE\"");
	if (!arguments.list.count)
		return false;
	*text = arguments.list.at[0];
	return true;
}

static void check_name(struct reader *reader)
{
	struct graph *graph = reader->expansion->graph;
	const char *name = reader->event->name.text;
	uint32_t first = names_add(&reader->expansion->events, name, strlen(name), graph->events.count);

	if (first != NAMES_NONE)
		refuse(reader, reader->event->name.at,
			arena_print(reader->expansion->arena, "event \"%s\" is defined twice", name),
			arena_print(reader->expansion->arena, "the first is at %s",
				place_text(reader->expansion->arena, graph->events.at[first].at, reader->event->at)));
}

void read_event(struct expansion *expansion, const struct instance *top, struct raw_event *raw)
{
	struct graph_argument text;
	struct graph_event event = { .at = raw->at };
	struct reader reader = { .expansion = expansion, .event = &event };

	if (!get_text(expansion, top, raw, &text))
		return;
	words_begin(&reader.words, expansion->arena, &text, ",");
	event.name = read_name(&reader, "the event's name behind \"define event\"", true);
	if (!reader.is_wrong && !word_is(&reader.words, "on"))
		refuse_word(&reader, "\"on\" behind the event's name", "define event NAME on BASE");
	words_next(&reader.words);
	if (!reader.is_wrong)
		event.base = read_name(&reader, "the event behind \"on\"", true);
	while (!reader.is_wrong && reader.words.word.text)
		read_clause(&reader);
	if (!reader.is_wrong)
		check(&reader);
	if (!reader.is_wrong)
		check_name(&reader);
	if (event.top && event.aggregate == GRAPH_EACH)
		event.aggregate = GRAPH_TOP;
	if (!reader.is_wrong)
		*list_add(expansion->arena, &expansion->graph->events) = event;
}
