// SPDX-License-Identifier: Apache-2.0
// Every way in which a module can break its word is caught at the call in which it happens, with the names of
// element, field and packet.
#include "engine/checks.h"

#if WEIR_CHECKS
#include <stdio.h>
#include <stdlib.h>

static __thread char *before; // the vector as it was in front of the call
static __thread size_t before_room;

static void blame(const struct hot *hot, const char *format, ...) __attribute__((noreturn, format(printf, 2, 3)));

static void blame(const struct hot *hot, const char *format, ...)
{
	const struct plan_element *element = hot->instance->element;
	va_list args;

	fprintf(stderr, "weir: %s (%s, module %s): ", element->name, element->class->name,
		element->module ? element->module->descriptor->name : "?");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	abort();
}

void checks_before(struct worker *worker, const struct hot *, weir_mask)
{
	size_t size = worker->generation->plan->vector_size;

	if (size < sizeof(struct vector))
		size = sizeof(struct vector);
	if (size > before_room) {
		free(before);
		before = aligned_alloc(64, (size + 63) & ~(size_t)63);
		before_room = size;
		assert(before);
	}
	memcpy(before, worker->vector, size);
}

void checks_end(void)
{
	free(before);
	before = NULL;
	before_room = 0;
}

// ---- each slot leaves in exactly one way

static void check_slots(const struct worker *worker, const struct hot *hot, weir_mask in)
{
	const struct weir_call *call = &worker->call;
	weir_mask gone = call->dropped | call->held | call->consumed;
	weir_mask twice = (call->dropped & call->held) | (call->consumed & (call->dropped | call->held));

	for (unsigned i = 0; i < hot->output_count; i++) {
		twice |= gone & worker->out[i];
		gone |= worker->out[i];
	}
	if (twice)
		blame(hot,
			"packet %d leaves twice: by two outputs, or by one after it was dropped or held",
			__builtin_ctzll(twice));
	if (in & ~gone)
		blame(hot, "packet %d is lost: it leaves by no output, is not dropped and not held",
			__builtin_ctzll(in & ~gone));
	if (gone & ~in)
		blame(hot, "packet %d leaves here, but it is not one of `in`", __builtin_ctzll(gone & ~in));
}

// ---- nothing outside of `in` is written, and only what is declared

static bool may_write(const struct hot *hot, const struct plan_value *value)
{
	const struct plan_element *element = hot->instance->element;

	for (const struct weir_member *member = element->class->members; member && member->kind != WEIR_END; member++)
		if (member->kind == WEIR_IS_FIELD && (member->use & (WEIR_WRITES_ | WEIR_PROVIDES_)) &&
			element->values.at[member - element->class->members] == value)
			return true;
	return false;
}

static void check_column(struct worker *worker, const struct hot *hot, const struct plan_value *value, weir_mask in)
{
	const char *now = vector_column(worker->vector, value->at), *then = before + value->at;
	weir_mask live = ((const struct vector *)before)->head.live;
	bool may = may_write(hot, value);

	weir_each (i, live) {
		if (!memcmp(now + i * value->size, then + i * value->size, value->size))
			continue;
		if (!(in >> i & 1))
			blame(hot, "it wrote \"%s\" of packet %u, which is not one of `in`", value->name,
				(unsigned)i);
		if (!may &&
			(*vector_mask((struct vector *)before,
				 value->kind == VALUE_FIELD ? value->valid : value->has) >>
					i &
				1))
			blame(hot,
				"it wrote \"%s\" of packet %u without declaring it (WEIR_CHANGES, WEIR_PROVIDES)",
				value->name, (unsigned)i);
	}
}

// Columns share places: only those that live here are looked at.
static bool lives_at(const struct plan_value *value, const struct plan_node *node)
{
	return value->size && (value->spans_pass || (value->first <= node->order && node->order <= value->last));
}

static void check_writes(struct worker *worker, const struct hot *hot, weir_mask in)
{
	list_each (value, &worker->generation->plan->values)
		if (lives_at(*value, hot->node))
			check_column(worker, hot, *value, in);
}

// ---- what is still known of the bytes is what the bytes say

static void compare(struct worker *worker, const struct hot *hot, const struct plan_value *value,
	struct vector *again, weir_mask known)
{
	weir_mask has = *vector_mask(worker->vector, value->has), fresh = *vector_mask(again, value->has);

	if ((has ^ fresh) & known)
		blame(hot,
			"packet %d %s \"%s\" by its bytes now: a class that moves headers says "
			".reshapes, one that rewrites them .rewrites",
			__builtin_ctzll((has ^ fresh) & known), fresh & known & ~has ? "has" : "has no",
			value->name);
	weir_each (i, known & has) {
		if (value->size &&
			memcmp((char *)worker->vector + value->at + i * value->size,
				(char *)again + value->at + i * value->size, value->size))
			blame(hot,
				"\"%s\" of packet %u is not what its bytes say: a class that edits "
				"declares it (WEIR_CHANGES, .rewrites)",
				value->name, (unsigned)i);
		if (!value->size &&
			((*vector_mask(worker->vector, value->at) ^
				 *vector_mask(again, value->at)) >>
					i &
				1))
			blame(hot,
				"\"%s\" of packet %u is not what its bytes say: a class that edits "
				"declares it (WEIR_CHANGES, .rewrites)",
				value->name, (unsigned)i);
	}
}

static void check_bytes(struct worker *worker, const struct hot *hot, weir_mask in)
{
	const struct plan *plan = worker->generation->plan;
	struct vector *again = (struct vector *)before; // no longer needed as it was
	weir_mask still = in & ~worker->call.dropped & ~worker->call.held & ~worker->call.consumed;

	if (!plan->places || !(still & *vector_mask(worker->vector, plan->places->valid)))
		return;
	memcpy(again, worker->vector, plan->vector_size);
	decode_locate(plan->locate, again, still & *vector_mask(worker->vector, plan->places->valid));
	list_each (value, &plan->values) {
		weir_mask known;

		if ((*value)->kind != VALUE_FIELD || !(*value)->extract.run || !lives_at(*value, hot->node))
			continue;
		known = still & *vector_mask(worker->vector, (*value)->valid) &
			*vector_mask(worker->vector, plan->places->valid);
		if (!known)
			continue;
		(*value)->extract.run(&(*value)->extract, again, known);
		compare(worker, hot, *value, again, known);
	}
}

void checks_after(struct worker *worker, const struct hot *hot, weir_mask in)
{
	check_slots(worker, hot, in);
	check_writes(worker, hot, in);
}

void checks_behind(struct worker *worker, const struct hot *hot, weir_mask in)
{
	check_bytes(worker, hot, in);
}
#else
typedef int checks_are_off;
#endif
