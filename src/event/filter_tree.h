// SPDX-License-Identifier: Apache-2.0
// What a filter is made of; for this folder and for the parser, which builds it (lang/filter_*).
// Everything in a tree is immutable once made. Whatever compares numbers with constants (==, <,
// prefixes, sets, !=) becomes one kind of node: a reference and sorted, disjoint ranges of the
// numbers that it may have. Everything else is a relation of two terms.
#ifndef EVENT_FILTER_TREE_H
#define EVENT_FILTER_TREE_H

#include "event/filter.h"
#include "packet/decode.h"

typedef unsigned __int128 filter_wide; // a number of any field; IPv6 too, first byte highest

enum {
	FILTER_SLICES = 16, // pieces of one slice
	FILTER_TERMS = 16,  // arguments of max()
	FILTER_OPERANDS = 32, // fields that one alias stands for, by occurrences
	FILTER_DEPTH = 16,    // of terms
	FILTER_MERGED = 128,  // ranges that several conditions of `or` are made into
};

// A field as a filter names it: one or more operands, whose values are all looked at.
struct filter_reference {
	const char *name; // as it is written: "tcp.port#2"; NULL: operands that have no common name
	const struct filter_operand *operands; // sorted by name and occurrence
	unsigned count;
	enum field_type type;
	filter_wide most; // the greatest number that fits
	bool is_single;   // has one value at most
};

struct filter_range {
	filter_wide low, high; // both inclusive
};

// [i:j], [i-j], [i]: from `from` (negative: from the end) to `from + length`, or to `to`, or to the end.
struct filter_slice {
	int32_t from, last; // last: inclusive, may be negative, where has_last
	uint32_t length;    // where has_length
	bool has_last, has_length;
};

enum filter_term_kind {
	TERM_LITERAL, // not yet typed; only inside of the parser
	TERM_CONSTANT,
	TERM_FIELD,
	TERM_SLICE,
	TERM_NEGATIVE,
	TERM_AND,
	TERM_ADD,
	TERM_SUBTRACT,
	TERM_MULTIPLY,
	TERM_DIVIDE,
	TERM_MODULO,
	TERM_LEN,
	TERM_COUNT,
	TERM_MAX,
	TERM_MIN,
	TERM_ABS,
	TERM_UPPER,
	TERM_LOWER,
	TERM_STRING,
	TERM_KINDS,
};

struct filter_datum {
	enum field_type type; // bytes for protocols and bytes
	filter_wide number;   // two's complement where arithmetic is done
	const uint8_t *bytes;
	uint32_t length;
	filter_wide last; // of a constant: with a prefix length, number is the first and this the last address
};

struct filter_term {
	enum filter_term_kind kind;
	enum field_type type;
	struct filter_datum value; // constant
	const struct filter_reference *reference; // field
	struct filter_term **terms;
	const struct filter_slice *slices; // of terms[0]
	unsigned count;                    // terms
	unsigned slice_count, depth;
	const struct filter_bound *bound; // of a field, in programs: where its values are
	// where it stands in the text, for messages; a literal's text
	const char *text;
	uint32_t length;
	bool is_string, is_character; // of literals: in quotes
};

enum filter_relation {
	RELATION_EQUAL,
	RELATION_UNEQUAL,
	RELATION_LESS,
	RELATION_LESS_EQUAL,
	RELATION_GREATER,
	RELATION_GREATER_EQUAL,
	RELATION_CONTAINS,
	RELATION_MATCHES,
	RELATION_IN,      // right, a list of pairs: low and high of each item
	RELATION_NONZERO, // of left alone
	RELATION_EXISTS,  // left has a value
};

enum filter_kind {
	FILTER_NEVER,
	FILTER_ALWAYS,
	FILTER_EXISTS,
	FILTER_RANGES,
	FILTER_RELATION,
	FILTER_NOT,
	FILTER_AND,
	FILTER_OR,
};

struct filter_node {
	enum filter_kind kind;
	bool all;        // every value, and there is one; else: any
	const char *key; // equal nodes have equal keys
	unsigned cost;   // roughly, in cycles for a vector
	unsigned count;
	const struct filter_node **nodes; // not, and, or: sorted by key
	const struct filter_reference *reference; // exists, ranges
	uint64_t mask;                            // ranges: of these bits; 0: of all
	const struct filter_range *ranges;        // sorted, disjoint, not adjacent; `count` of them
	enum filter_relation relation;
	const struct filter_term *left, *right;
	const struct filter_term **items; // of a set: `count` lows and highs
	const void *pattern;              // matches: pcre2_code
};

struct filter {
	const struct filter_node *root;
	const struct filter_operand *operands;
	unsigned operand_count;
	uint64_t hash;
};

// Each returns the node in canonical form, which may be of another kind.
const struct filter_node *filter_node_constant(struct arena *arena, bool holds);
const struct filter_node *filter_node_exists(struct arena *arena, const struct filter_reference *reference);
const struct filter_node *filter_node_ranges(struct arena *arena, const struct filter_reference *reference, bool all,
					     uint64_t mask, struct filter_range *ranges, unsigned count);
const struct filter_node *filter_node_relation(struct arena *arena, struct filter_node *relation); // sets its key
const struct filter_node *filter_node_not(struct arena *arena, const struct filter_node *node);
const struct filter_node *filter_node_join(struct arena *arena, enum filter_kind kind,
	const struct filter_node *const *nodes,
	unsigned count); // FILTER_AND, FILTER_OR
struct filter *filter_of(struct arena *arena, const struct filter_node *root);

// The ranges of 0 to most that are in none of these; sorted and disjoint in, the same out. Room for count + 1.
unsigned filter_ranges_invert(const struct filter_range *ranges, unsigned count, filter_wide most,
			      struct filter_range *to);
unsigned filter_ranges_sort(struct filter_range *ranges, unsigned count); // and merge

unsigned filter_ranges_intersect(const struct filter_node *a, const struct filter_node *b, struct filter_range *to);

// For those who make nodes
struct filter_node *filter_node_new(struct arena *arena, enum filter_kind kind);
const struct filter_node *filter_node_keyed(struct arena *arena, struct filter_node *node); // the last to be done
bool filter_is_same_operand(const struct filter_operand *a, const struct filter_operand *b);

const char *filter_node_text(struct arena *arena, const struct filter_node *node);
const char *filter_node_key(struct arena *arena, const struct filter_node *node);
const char *filter_operand_name(struct arena *arena, const struct filter_operand *operand);

#endif
