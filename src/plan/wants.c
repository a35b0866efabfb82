// SPDX-License-Identifier: Apache-2.0
// Which connections' bytes can a subscription be about? Addresses and ports are the same in all
// packets of a connection. What its filter says of them tells where streams need not be followed.
#include "plan/internal.h"

static bool is_of_ends(const char *name)
{
	static const char *const names[] = { "ip", "ipv6", "tcp", "udp", "ip.proto", "ip.src", "ip.dst", "ipv6.src",
		"ipv6.dst", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

// Of the platform's own events, whose payloads name the ends as the client's packets do.
static bool is_known(const struct filter_operand *operand)
{
	return operand->kind == FILTER_VALUE && is_of_ends(operand->field->name) &&
		(operand->occurrence == FILTER_ANY || operand->occurrence == DECODE_LAST || operand->occurrence <= 1);
}

static bool is_known_of_packet(const struct filter_operand *operand)
{
	return operand->field->kind != FIELD_OF_EVENT && is_known(operand);
}

// Behind such an element packets may have other ends than those that the tracker has seen.
static bool changes_ends(const struct weir_class *class)
{
	if (class->reshapes || class->rewrites & (WEIR_REWRITES_L3 | WEIR_REWRITES_L4))
		return true;
	each_member (member, class)
		if (member->kind == WEIR_IS_FIELD && member->use & WEIR_WRITES_ && is_of_ends(member->field))
			return true;
	return false;
}

struct search {
	struct plan *plan;
	uint32_t bit;    // of whom all that is found is; 0: of the one who hears it
	uint32_t always; // bits of those who may want any connection
	bool always_watched;
};

static void add_want(struct search *search, uint32_t bit, struct filter *filter)
{
	if (filter)
		*list_add(search->plan->arena, &search->plan->wants) =
			(struct plan_want){ .bit = bit, .filter = filter };
	else if (bit)
		search->always |= bit;
	else
		search->always_watched = true;
}

static struct filter *narrowed(struct search *search, const struct plan_signal *signal, struct filter *about,
	const struct filter *where)
{
	filter_is_known *known = plan_root(signal)->raisers.count ? is_known_of_packet : is_known;
	struct arena *arena = search->plan->arena;

	return filter_both(arena, about, filter_weaken(arena, where, known));
}

static const struct plan_element *owner_of(const struct plan *plan, const struct plan_handler *handler)
{
	list_each (element, &plan->elements)
		list_each (one, &(*element)->handlers)
			if (*one == handler)
				return *element;
	return NULL;
}

static void find_want(struct search *search, const struct plan_handler *handler, struct filter *about)
{
	const struct plan_element *owner = owner_of(search->plan, handler);
	uint32_t bit = search->bit ? search->bit : 1u << (owner->flow_bit - 1);

	if (search->bit || !owner->inserted_because)
		add_want(search, bit,
			narrowed(search, handler->signal, about,
				handler->filter ? handler->filter->filter : NULL));
}

// All who hear of a signal that is raised on connections of which `about` holds.
static void find_wants(struct search *search, const struct plan_signal *signal, struct filter *about)
{
	list_each (handler, &signal->handlers)
		find_want(search, *handler, about);
	list_each (watch, &signal->watches)
		add_want(search, search->bit, narrowed(search, signal, about, watch->filter));
	list_each (derivation, &signal->derivations) {
		struct filter *narrow = narrowed(search, signal, about, (*derivation)->where);

		if ((*derivation)->gatherings.count)
			add_want(search, search->bit, narrow);
		list_each (derived, &(*derivation)->signals)
			find_wants(search, *derived, narrow);
	}
}

// An element that was put in wants a connection where somebody can want what it tells of it.
static void find_wants_of_inserted(struct search *search, const struct plan_element *element)
{
	search->bit = 1u << (element->flow_bit - 1);
	list_each (signal, &search->plan->signals)
		list_each (raiser, &(*signal)->raisers)
			if (*raiser == element)
				find_wants(search, *signal, NULL);
	search->bit = 0;
}

static void find_all(struct search *search)
{
	struct plan *plan = search->plan;

	list_each (signal, &plan->signals)
		if ((*signal)->is_of_stream && !(*signal)->derivation)
			find_wants(search, *signal, NULL);
	list_each (element, &plan->elements)
		if ((*element)->inserted_because && (*element)->flow_bit &&
			plan->stream_bits >> ((*element)->flow_bit - 1) & 1)
			find_wants_of_inserted(search, *element);
}

static void drop_vain(struct search *search)
{
	struct plan *plan = search->plan;
	uint32_t kept = 0;

	list_each (want, &plan->wants)
		if (want->bit ? !(search->always & want->bit) : !search->always_watched)
			plan->wants.at[kept++] = *want;
	plan->wants.count = kept;
	list_each (want, &plan->wants) {
		plan->choosy_bits |= want->bit;
		plan->are_watches_choosy |= !want->bit;
	}
}

void plan_wants(struct plan *plan)
{
	struct search search = { .plan = plan };

	list_each (element, &plan->elements)
		if (changes_ends((*element)->class))
			return;
	find_all(&search);
	drop_vain(&search);
}
