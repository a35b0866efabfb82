// SPDX-License-Identifier: Apache-2.0
// Filters as text: for people, such that the parser reads the same filter back; and as keys, which two nodes share only
// if they are equal. A key names every operand, a text the alias ("tcp.port").
#include "event/filter_tree.h"

#include <arpa/inet.h>
#include <inttypes.h>

struct writer {
	struct arena *arena;
	LIST(char) out;
	bool is_key;
};

static void put_character(struct writer *writer, char c)
{
	*list_add(writer->arena, &writer->out) = c;
}

static void put(struct writer *writer, const char *text)
{
	for (; *text; text++)
		put_character(writer, *text);
}

static void __attribute__((format(printf, 2, 3))) print(struct writer *writer, const char *format, ...)
{
	char text[192];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put(writer, text);
}

// ---- values

static void put_wide(struct writer *writer, filter_wide number)
{
	char digits[40];
	unsigned at = sizeof(digits) - 1;

	digits[at] = 0;
	do {
		digits[--at] = (char)('0' + (unsigned)(number % 10));
		number /= 10;
	} while (number);
	put(writer, digits + at);
}

static void put_addr(struct writer *writer, filter_wide number)
{
	uint8_t bytes[16];
	char text[INET6_ADDRSTRLEN];

	for (int i = 15; i >= 0; i--, number >>= 8)
		bytes[i] = (uint8_t)number;
	put(writer, inet_ntop(AF_INET6, bytes, text, sizeof(text)));
}

static void put_number(struct writer *writer, enum field_type type, filter_wide number)
{
	uint64_t low = (uint64_t)number;

	switch (type) {
	case FIELD_IPV4:
		print(writer, "%u.%u.%u.%u", (unsigned)(low >> 24 & 255),
			(unsigned)(low >> 16 & 255), (unsigned)(low >> 8 & 255),
			(unsigned)(low & 255));
		break;
	case FIELD_IPV6:
		put_addr(writer, number);
		break;
	case FIELD_ETHER:
		for (int shift = 40; shift >= 0; shift -= 8)
			print(writer, shift ? "%02x:" : "%02x", (unsigned)(low >> shift & 255));
		break;
	case FIELD_TIME:
		print(writer, "%" PRIu64 ".%09u", low / 1000000000, (unsigned)(low % 1000000000));
		break;
	default:
		if ((__int128)number < 0) {
			put(writer, "-");
			number = -number;
		}
		put_wide(writer, number);
	}
}

static void put_string(struct writer *writer, const uint8_t *bytes, uint32_t length)
{
	put_character(writer, '"');
	for (uint32_t i = 0; i < length; i++) {
		if (bytes[i] == '"' || bytes[i] == '\\')
			print(writer, "\\%c", bytes[i]);
		else if (bytes[i] < ' ' || bytes[i] >= 127)
			print(writer, "\\x%02x", bytes[i]);
		else
			put_character(writer, (char)bytes[i]);
	}
	put_character(writer, '"');
}

static void put_bytes(struct writer *writer, const uint8_t *bytes, uint32_t length)
{
	if (!length)
		put(writer, "\"\"");
	for (uint32_t i = 0; i < length; i++)
		print(writer, i ? ":%02x" : "%02x", bytes[i]);
}

// ---- ranges

// The length of the prefix that a range of addresses is, 0 if it is none.
static unsigned prefix_of(enum field_type type, const struct filter_range *range)
{
	filter_wide size = range->high - range->low + 1;
	unsigned bits = type == FIELD_IPV4 ? 32 : 128;

	if ((type != FIELD_IPV4 && type != FIELD_IPV6) || size < 2 || (size & (size - 1)) || (range->low & (size - 1)))
		return 0;
	while (size >>= 1)
		bits--;
	return bits;
}

static bool is_one(enum field_type type, const struct filter_range *range)
{
	return range->low == range->high || prefix_of(type, range);
}

static void put_one(struct writer *writer, enum field_type type, const struct filter_range *range)
{
	unsigned prefix = prefix_of(type, range);

	put_number(writer, type, range->low);
	if (prefix)
		print(writer, "/%u", prefix);
}

static void put_datum(struct writer *writer, const struct filter_datum *value)
{
	if (value->type == FIELD_STRING)
		put_string(writer, value->bytes, value->length);
	else if (value->type == FIELD_BYTES)
		put_bytes(writer, value->bytes, value->length);
	else
		put_one(writer, value->type, &(struct filter_range){ value->number, value->last });
}

// ---- references and terms

const char *filter_operand_name(struct arena *arena, const struct filter_operand *operand)
{
	bool is_plain = operand->occurrence == FILTER_ANY ||
		operand->field->kind != FIELD_DERIVED || operand->field->protocol == PROTO_FRAME ||
		(operand->field->type == FIELD_PROTOCOL && operand->kind == FILTER_VALUE &&
			operand->occurrence == 1);

	if (is_plain)
		return operand->field->name;
	if (operand->occurrence == DECODE_LAST)
		return arena_print(arena, "%s#[-1]", operand->field->name);
	return arena_print(arena, "%s#%u", operand->field->name, operand->occurrence);
}

static void put_operand(struct writer *writer, const struct filter_operand *operand)
{
	put(writer, filter_operand_name(writer->arena, operand));
	if (writer->is_key && operand->kind == FILTER_PLACE)
		put(writer, "@");
	if (writer->is_key && operand->field->kind == FIELD_OF_EVENT)
		print(writer, "@%u.%u", operand->field->type, operand->field->compute);
}

static void put_reference(struct writer *writer, const struct filter_reference *reference)
{
	if (!writer->is_key && reference->name) {
		put(writer, reference->name);
		return;
	}
	for (unsigned i = 0; i < reference->count; i++) {
		put(writer, i ? "|" : "");
		put_operand(writer, &reference->operands[i]);
	}
}

static const char *const operators[TERM_KINDS] = {
	[TERM_AND] = "&",
	[TERM_ADD] = "+",
	[TERM_SUBTRACT] = "-",
	[TERM_MULTIPLY] = "*",
	[TERM_DIVIDE] = "/",
	[TERM_MODULO] = "%",
};
static const char *const functions[TERM_KINDS] = {
	[TERM_LEN] = "len", [TERM_COUNT] = "count", [TERM_MAX] = "max",		[TERM_MIN] = "min",
	[TERM_ABS] = "abs", [TERM_UPPER] = "upper", [TERM_LOWER] = "lower", [TERM_STRING] = "string",
};

static void put_term(struct writer *writer, const struct filter_term *term);

static void put_slices(struct writer *writer, const struct filter_term *term)
{
	put_term(writer, term->terms[0]);
	for (unsigned i = 0; i < term->slice_count; i++) {
		const struct filter_slice *slice = &term->slices[i];

		print(writer, "%c%d", i ? ',' : '[', slice->from);
		if (slice->has_last)
			print(writer, "-%d", slice->last);
		else if (slice->has_length)
			print(writer, ":%u", slice->length);
		else
			put(writer, ":");
	}
	put(writer, "]");
}

static void put_grouped(struct writer *writer, const struct filter_term *term)
{
	bool is_compound = operators[term->kind] != NULL || term->kind == TERM_NEGATIVE;

	put(writer, is_compound ? "{" : "");
	put_term(writer, term);
	put(writer, is_compound ? "}" : "");
}

static void put_term(struct writer *writer, const struct filter_term *term)
{
	switch (term->kind) {
	case TERM_CONSTANT:
		put_datum(writer, &term->value);
		break;
	case TERM_FIELD:
		put_reference(writer, term->reference);
		break;
	case TERM_SLICE:
		put_slices(writer, term);
		break;
	case TERM_NEGATIVE:
		put(writer, "-");
		put_grouped(writer, term->terms[0]);
		break;
	default:
		if (operators[term->kind]) {
			put_grouped(writer, term->terms[0]);
			print(writer, " %s ", operators[term->kind]);
			put_grouped(writer, term->terms[1]);
			break;
		}
		print(writer, "%s(", functions[term->kind]);
		for (unsigned i = 0; i < term->count; i++) {
			put(writer, i ? ", " : "");
			put_term(writer, term->terms[i]);
		}
		put(writer, ")");
	}
}

// ---- conditions on numbers

static void put_set(struct writer *writer, enum field_type type, const struct filter_node *node)
{
	put(writer, " in {");
	for (unsigned i = 0; i < node->count; i++) {
		put(writer, i ? ", " : "");
		put_one(writer, type, &node->ranges[i]);
		if (is_one(type, &node->ranges[i]))
			continue;
		put(writer, "..");
		put_number(writer, type, node->ranges[i].high);
	}
	put(writer, "}");
}

// `!= 5`, `& 2`, `== 5`, `>= 5`, `<= 5` or ` in {...}`, behind the name of what is compared
static void put_condition(struct writer *writer, const struct filter_node *node)
{
	enum field_type type = node->reference->type;
	filter_wide most = node->mask ? node->mask : node->reference->most;
	struct filter_range rest[3];
	const struct filter_range *range = node->ranges;

	if (!node->all && node->count == 1 && is_one(type, range) && !(node->mask == 1)) {
		put(writer, " == ");
		put_one(writer, type, range);
	} else if (node->count <= 2 &&
		filter_ranges_invert(node->ranges, node->count, most, rest) == 1 &&
		is_one(type, rest)) {
		if (node->mask && !node->all && !rest->low && !rest->high)
			return; // `& 2` alone: it is not 0
		put(writer, node->all || node->reference->is_single ? " != " : " !== ");
		put_one(writer, type, rest);
	} else if (node->count > 1) {
		put_set(writer, type, node);
	} else if (is_one(type, range)) {
		put(writer, " === ");
		put_one(writer, type, range);
	} else if (!range->low) {
		put(writer, " <= ");
		put_number(writer, type, range->high);
	} else if (range->high == most) {
		put(writer, " >= ");
		put_number(writer, type, range->low);
	} else {
		put_set(writer, type, node);
	}
}

// Whether put_condition says by its operator that all values are meant.
static bool is_said_by_operator(const struct filter_node *node)
{
	filter_wide most = node->mask ? node->mask : node->reference->most;
	struct filter_range rest[3];

	if (node->count <= 2 && filter_ranges_invert(node->ranges, node->count, most, rest) == 1 &&
	    is_one(node->reference->type, rest))
		return true;
	return node->count == 1 && is_one(node->reference->type, node->ranges);
}

static void put_comparison(struct writer *writer, const struct filter_node *node,
	const struct filter_reference *reference)
{
	put(writer, node->all && !is_said_by_operator(node) ? "all " : "");
	put_reference(writer, reference);
	if (node->mask) {
		if (node->reference->type == FIELD_UINT)
			print(writer, " & 0x%" PRIx64, node->mask);
		else
			put(writer, " & "), put_number(writer, node->reference->type, node->mask);
	}
	put_condition(writer, node);
}

// Operands without a common name: each has its own condition.
static void put_each(struct writer *writer, const struct filter_node *node)
{
	const struct filter_reference *reference = node->reference;

	if (reference->name || writer->is_key) {
		if (node->kind == FILTER_EXISTS)
			put_reference(writer, reference);
		else
			put_comparison(writer, node, reference);
		return;
	}
	put(writer, "(");
	for (unsigned i = 0; i < reference->count; i++) {
		struct filter_reference one = {
			.operands = &reference->operands[i], .count = 1, .type = reference->type
		};

		put(writer, i ? " || " : "");
		if (node->kind == FILTER_EXISTS)
			put_reference(writer, &one);
		else
			put_comparison(writer, node, &one);
	}
	put(writer, ")");
}

// ---- relations

static void put_relation(struct writer *writer, const struct filter_node *node)
{
	static const char *const any[] = {
		[RELATION_EQUAL] = "==",   [RELATION_UNEQUAL] = "!==",	    [RELATION_LESS] = "<",
		[RELATION_GREATER] = ">",  [RELATION_LESS_EQUAL] = "<=",    [RELATION_GREATER_EQUAL] = ">=",
		[RELATION_IN] = "in",	   [RELATION_CONTAINS] = "contains", [RELATION_MATCHES] = "matches",
		[RELATION_NONZERO] = NULL, [RELATION_EXISTS] = NULL,
	};
	const char *operator= any[node->relation];

	if (node->all && node->relation == RELATION_EQUAL)
		operator= "===";
	else if (node->all && node->relation == RELATION_UNEQUAL)
		operator= "!=";
	else if (node->all)
		put(writer, "all ");
	put_term(writer, node->left);
	if (!operator)
		return;
	print(writer, " %s ", operator);
	if (node->right)
		put_term(writer, node->right);
	for (unsigned i = 0; node->items && i < node->count; i++) {
		put(writer, i ? ", " : "{");
		put_term(writer, node->items[2 * i]);
		if (node->items[2 * i] == node->items[2 * i + 1])
			continue;
		put(writer, "..");
		put_term(writer, node->items[2 * i + 1]);
	}
	put(writer, node->items ? "}" : "");
}

static void put_node(struct writer *writer, const struct filter_node *node);

static void put_children(struct writer *writer, const struct filter_node *node)
{
	const char *between = node->kind == FILTER_AND ? " && " : " || ";

	for (unsigned i = 0; i < node->count; i++) {
		bool is_compound = node->nodes[i]->kind == FILTER_AND || node->nodes[i]->kind == FILTER_OR;

		put(writer, i ? between : "");
		put(writer, is_compound ? "(" : "");
		put_node(writer, node->nodes[i]);
		put(writer, is_compound ? ")" : "");
	}
}

static void put_negation(struct writer *writer, const struct filter_node *node)
{
	bool is_bare = node->kind == FILTER_EXISTS && node->reference->name;

	put(writer, is_bare ? "!" : "!(");
	put_node(writer, node);
	put(writer, is_bare ? "" : ")");
}

static void put_node(struct writer *writer, const struct filter_node *node)
{
	switch (node->kind) {
	case FILTER_NEVER:
		put(writer, "!frame");
		break;
	case FILTER_ALWAYS:
		put(writer, "frame");
		break;
	case FILTER_EXISTS:
	case FILTER_RANGES:
		put_each(writer, node);
		break;
	case FILTER_RELATION:
		put_relation(writer, node);
		break;
	case FILTER_NOT:
		put_negation(writer, node->nodes[0]);
		break;
	case FILTER_AND:
	case FILTER_OR:
		put_children(writer, node);
		break;
	}
}

static const char *text_of(struct arena *arena, const struct filter_node *node, bool is_key)
{
	struct writer writer = { .arena = arena, .is_key = is_key };

	put_node(&writer, node);
	put_character(&writer, 0);
	return writer.out.at;
}

const char *filter_node_text(struct arena *arena, const struct filter_node *node)
{
	return text_of(arena, node, false);
}

const char *filter_node_key(struct arena *arena, const struct filter_node *node)
{
	return text_of(arena, node, true);
}
