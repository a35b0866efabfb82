// SPDX-License-Identifier: Apache-2.0
// 5-tuple rules over DPDK's ACL library, one context per family. The library looks at rows of
// bytes: what is looked up in columns is first laid out as rows, by the same descriptions that
// rules are.
#include "lookup/rules.h"

#include "lookup/heap.h"

#include <assert.h>
#include <errno.h>
#include <rte_acl.h>
#include <rte_common.h>
#include <stdio.h>
#include <stdlib.h>

struct row4 { // big endian, as the library wants it
	uint8_t protocol, unused[3];
	uint32_t source, destination;
	uint16_t port[2];
};
struct row6 {
	uint8_t protocol, unused[3];
	uint8_t source[16], destination[16];
	uint16_t port[2];
};
static_assert(sizeof(struct row4) == 16 && sizeof(struct row6) == 40);

enum { FIELDS4 = 5, FIELDS6 = 11 };

#define PART(how, bytes, index, group, at)                                                                 \
	{                                                                                                  \
		.type = RTE_ACL_FIELD_TYPE_##how, .size = bytes, .field_index = index, .input_index = group, \
		.offset = at                                                                               \
	}

// ports of one row are taken in together: one input of 4 bytes
static const struct rte_acl_field_def parts4[FIELDS4] = {
	PART(BITMASK, 1, 0, 0, 0), PART(MASK, 4, 1, 1, 4),    PART(MASK, 4, 2, 2, 8),
	PART(RANGE, 2, 3, 3, 12),  PART(RANGE, 2, 4, 3, 14),
};
static const struct rte_acl_field_def parts6[FIELDS6] = {
	PART(BITMASK, 1, 0, 0, 0),
	PART(MASK, 4, 1, 1, 4),
	PART(MASK, 4, 2, 2, 8),
	PART(MASK, 4, 3, 3, 12),
	PART(MASK, 4, 4, 4, 16),
	PART(MASK, 4, 5, 5, 20),
	PART(MASK, 4, 6, 6, 24),
	PART(MASK, 4, 7, 7, 28),
	PART(MASK, 4, 8, 8, 32),
	PART(RANGE, 2, 9, 9, 36),
	PART(RANGE, 2, 10, 9, 38),
};

struct weir_rules {
	struct rte_acl_ctx *context[2]; // of IPv4, IPv6; NULL: no rule
	struct weir_rule *rules;        // while they are added, in order
	uint32_t count, room;
	bool is_built;
	struct heap heap[2];
};

struct weir_rules *rules_create(void)
{
	return calloc(1, sizeof(struct weir_rules));
}

void rules_destroy(struct weir_rules *rules)
{
	if (!rules)
		return;
	for (unsigned i = 0; i < 2; i++) {
		rte_acl_free(rules->context[i]);
		heap_destroy(&rules->heap[i]);
	}
	free(rules->rules);
	free(rules);
}

// ---- adding

static bool is_any(const struct weir_prefix *prefix)
{
	return !prefix->length;
}

static bool is_ip4(const struct weir_prefix *prefix)
{
	return prefix->length >= 96 && weir_is_ip4(&prefix->addr);
}

static bool is_clean(const struct weir_prefix *prefix)
{
	if (prefix->length > 128)
		return false;
	for (unsigned bit = prefix->length; bit < 128; bit++)
		if (prefix->addr.bytes[bit / 8] & 0x80 >> bit % 8)
			return false;
	return true;
}

static bool is_of(const struct weir_rule *rule, bool is_ip6)
{
	return (is_any(&rule->source) || is_ip4(&rule->source) != is_ip6) &&
	       (is_any(&rule->destination) || is_ip4(&rule->destination) != is_ip6);
}

static bool is_sound(const struct weir_rule *rule)
{
	return is_clean(&rule->source) && is_clean(&rule->destination) &&
		(is_of(rule, false) || is_of(rule, true)) &&
		rule->source_port[0] <= rule->source_port[1] &&
		rule->destination_port[0] <= rule->destination_port[1] && rule->value &&
		rule->value <= INT32_MAX;
}

int weir_rules_add(struct weir_rules *rules, const struct weir_rule *rule)
{
	assert(!rules->is_built);
	if (!is_sound(rule))
		return -EINVAL;
	if (rules->count == RULES_MOST)
		return -ENOSPC;
	if (rules->count == rules->room) {
		uint32_t room = rules->room ? rules->room * 2 : 64;
		struct weir_rule *larger = realloc(rules->rules, room * sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		rules->rules = larger;
		rules->room = room;
	}
	rules->rules[rules->count++] = *rule;
	return 0;
}

// ---- building

struct acl_rule {
	struct rte_acl_rule_data data;
	struct rte_acl_field field[FIELDS6];
};

// Four bytes of an address and how many of their bits count.
static struct rte_acl_field quarter(const struct weir_prefix *prefix, unsigned number)
{
	unsigned before = number * 32,
		 length = prefix->length < before ? 0 : RTE_MIN(prefix->length - before, 32u);

	return (struct rte_acl_field){ .value.u32 = weir_be32(prefix->addr.bytes + number * 4),
				       .mask_range.u32 = length };
}

static struct rte_acl_field range(const uint16_t port[2])
{
	return (struct rte_acl_field){ .value.u16 = port[0], .mask_range.u16 = port[1] };
}

static struct acl_rule translate(const struct weir_rule *rule, uint32_t place, bool is_ip6)
{
	struct acl_rule out = { .data = { .category_mask = 1,
					.priority = (int32_t)(RTE_ACL_MAX_PRIORITY - place),
					.userdata = rule->value } };
	struct rte_acl_field *field = out.field;

	*field++ = (struct rte_acl_field){ .value.u8 = rule->protocol,
		.mask_range.u8 = rule->protocol ? 0xff : 0 };
	for (unsigned i = is_ip6 ? 0 : 3; i < 4; i++)
		*field++ = quarter(&rule->source, i);
	for (unsigned i = is_ip6 ? 0 : 3; i < 4; i++)
		*field++ = quarter(&rule->destination, i);
	*field++ = range(rule->source_port);
	*field++ = range(rule->destination_port);
	return out;
}

static int add_all(struct rte_acl_ctx *context, const struct weir_rules *rules, bool is_ip6)
{
	for (uint32_t i = 0; i < rules->count; i++) {
		struct acl_rule rule;

		if (!is_of(&rules->rules[i], is_ip6))
			continue;
		rule = translate(&rules->rules[i], i, is_ip6);
		if (rte_acl_add_rules(context, (struct rte_acl_rule *)&rule, 1))
			return -ENOMEM;
	}
	return 0;
}

static int build_in(struct weir_rules *rules, uint32_t count, bool is_ip6)
{
	uint32_t fields = is_ip6 ? FIELDS6 : FIELDS4;
	struct rte_acl_config config = { .num_categories = 1, .num_fields = fields };
	struct rte_acl_param param = { .socket_id = rules->heap[is_ip6].socket,
				       .rule_size = RTE_ACL_RULE_SZ(fields),
				       .max_rule_num = count };
	char name[RTE_ACL_NAMESIZE];

	snprintf(name, sizeof(name), "weir_rules_%u", heap_number());
	param.name = name;
	memcpy(config.defs, is_ip6 ? parts6 : parts4, fields * sizeof(*config.defs));
	rules->context[is_ip6] = rte_acl_create(&param);
	if (!rules->context[is_ip6])
		return -ENOMEM;
	if (add_all(rules->context[is_ip6], rules, is_ip6))
		return -ENOMEM;
	return rte_acl_build(rules->context[is_ip6], &config);
}

// How much the library will need, nobody can say before: from little on, twice as much until it is
// enough.
static int build_family(struct weir_rules *rules, bool is_ip6)
{
	uint32_t count = 0;
	size_t bytes;
	int result = -ENOMEM;

	for (uint32_t i = 0; i < rules->count; i++)
		count += is_of(&rules->rules[i], is_ip6);
	if (!count)
		return 0;
	bytes = (8 << 20) + (size_t)count * (16 << 10);
	for (unsigned i = 0; i < 5 && result == -ENOMEM; i++, bytes *= 2) {
		heap_create(&rules->heap[is_ip6], bytes);
		result = build_in(rules, count, is_ip6);
		if (!result)
			break;
		rte_acl_free(rules->context[is_ip6]);
		rules->context[is_ip6] = NULL;
		heap_destroy(&rules->heap[is_ip6]);
	}
	return result;
}

int rules_build(struct weir_rules *rules)
{
	int result;

	assert(!rules->is_built);
	result = build_family(rules, false);
	if (!result)
		result = build_family(rules, true);
	if (result)
		return result;
	free(rules->rules);
	rules->rules = NULL;
	rules->is_built = true;
	return 0;
}

size_t rules_bytes(const struct weir_rules *rules)
{
	return sizeof(*rules) + (rules->context[0] ? rules->heap[0].size : 0) +
	       (rules->context[1] ? rules->heap[1].size : 0);
}

// ---- finding

static void spread(const uint32_t *found, weir_mask in, uint32_t *value)
{
	unsigned at = 0;

	weir_each (i, in)
		value[i] = found[at++];
}

static void classify(const struct rte_acl_ctx *context, const void *rows, size_t size, weir_mask in,
	uint32_t *value)
{
	const uint8_t *row[WEIR_VECTOR];
	uint32_t found[WEIR_VECTOR];
	unsigned count = weir_size(in);

	for (unsigned i = 0; i < count; i++)
		row[i] = (const uint8_t *)rows + i * size;
	if (count && rte_acl_classify(context, row, found, count, 1))
		memset(found, 0, sizeof(found)); // it only refuses numbers of categories
	spread(found, in, value);
}

void weir_rules_find4(const struct weir_rules *rules, const uint32_t *source,
	const uint32_t *destination, const uint16_t *source_port, const uint16_t *destination_port,
	const uint8_t *protocol, weir_mask in, uint32_t *value)
{
	static const uint32_t none[WEIR_VECTOR];
	struct row4 rows[WEIR_VECTOR], *row = rows;

	assert(rules->is_built);
	if (!rules->context[0]) {
		spread(none, in, value);
		return;
	}
	weir_each (i, in)
		*row++ = (struct row4){
			.protocol = protocol[i],
			.source = __builtin_bswap32(source[i]),
			.destination = __builtin_bswap32(destination[i]),
			.port = { __builtin_bswap16(source_port[i]),
				__builtin_bswap16(destination_port[i]) },
		};
	classify(rules->context[0], rows, sizeof(*rows), in, value);
}

void weir_rules_find6(const struct weir_rules *rules, const struct weir_addr *source,
	const struct weir_addr *destination, const uint16_t *source_port,
	const uint16_t *destination_port, const uint8_t *protocol, weir_mask in, uint32_t *value)
{
	static const uint32_t none[WEIR_VECTOR];
	struct row6 rows[WEIR_VECTOR], *row = rows;

	assert(rules->is_built);
	if (!rules->context[1]) {
		spread(none, in, value);
		return;
	}
	weir_each (i, in) {
		*row = (struct row6){
			.protocol = protocol[i],
			.port = { __builtin_bswap16(source_port[i]),
				__builtin_bswap16(destination_port[i]) },
		};
		memcpy(row->source, &source[i], 16);
		memcpy(row->destination, &destination[i], 16);
		row++;
	}
	classify(rules->context[1], rows, sizeof(*rows), in, value);
}
