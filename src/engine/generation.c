// SPDX-License-Identifier: Apache-2.0
#include "engine/generation.h"

#include "engine/aggregate.h"
#include "engine/classes.h"
#include "engine/observe.h"
#include "engine/places.h"
#include "engine/state.h"
#include "engine/track.h"
#include "engine/worker.h"

#include <errno.h>
#include <stdlib.h>

// ---- ports

static const struct binding *binding_of(
	const struct bindings *bindings, const char *element, enum port_direction direction)
{
	list_each (binding, &bindings->list)
		if ((binding->direction & direction) && !strcmp(binding->element, element))
			return binding;
	return NULL;
}

static int say_unbound(const struct plan_element *element, enum port_direction direction, struct port_error *why)
{
	snprintf(why->text, sizeof(why->text), "%s (%s) is bound to nothing", element->name, element->class->name);
	snprintf(why->hint, sizeof(why->hint), "bind it: %s %s=%s", direction == PORT_SEND ? "-o" : "-i",
		element->name, direction == PORT_SEND ? "out.pcap" : "in.pcap, or an interface");
	return -ENODEV;
}

static int open_one(struct port **port, const struct plan_element *element, const struct bindings *bindings,
	enum port_direction direction, struct port_wish *wish, struct port_error *why)
{
	const struct port_element *settings = element->prototype;
	const struct binding *binding = binding_of(bindings, element->name, direction);
	const char *spec = binding ? binding->spec : settings->device;

	wish->direction = direction;
	if (binding && binding->port) {
		*port = port_again(binding->port);
		return 0;
	}
	if (*spec)
		return port_open(port, spec, wish, why);
	// one side of an open Port may stay unbound: nothing comes in there, what is sent there is dropped, by name
	if (platform_port(element->class)->direction == PORT_BOTH)
		return 0;
	return say_unbound(element, direction, why);
}

// A graph whose ports are all left unbound would do nothing, for ever.
static int check_received(const struct generation *generation, struct port_error *why)
{
	const struct plan_element *unbound = NULL;

	for (unsigned i = 0; i < generation->port_count; i++) {
		if (generation->ports[i].receives)
			return 0;
		if (generation->ports[i].element->output_count && generation->ports[i].element->outputs[0].to)
			unbound = generation->ports[i].element;
	}
	return unbound ? say_unbound(unbound, PORT_RECEIVE, why) : 0;
}

static int open_ports(struct generation *generation, const struct bindings *bindings, uint64_t seed,
	struct port_error *why)
{
	struct plan *plan = generation->plan;

	generation->ports = arena_array(generation->arena, struct generation_port, plan->elements.count + 1);
	generation->is_lossless = true;
	list_each (element, &plan->elements) {
		const struct platform_class *class = platform_port((*element)->class);
		struct generation_port *port = &generation->ports[generation->port_count];
		struct port_wish wish = { .queues = generation->workers,
			.index = (uint16_t)(*element)->index,
			.seed = seed,
			.owner = bindings->owner };
		int err = 0;

		if (!class)
			continue;
		port->element = *element;
		generation->port_count++;
		if ((class->direction & PORT_RECEIVE) && (*element)->outputs[0].to)
			err = open_one(&port->receives, *element, bindings, PORT_RECEIVE, &wish, why);
		if (!err && (class->direction & PORT_SEND) && (*element)->nodes.at[0]->fronts.count)
			err = open_one(&port->sends, *element, bindings, PORT_SEND, &wish, why);
		if (err)
			return err;
		if (port->receives && !port_info(port->receives)->is_capture)
			generation->is_lossless = false;
	}
	return check_received(generation, why);
}

// ---- one worker's share

static const struct generation_port *port_of(const struct generation *generation, const struct plan_element *element)
{
	for (unsigned i = 0; i < generation->port_count; i++)
		if (generation->ports[i].element == element)
			return &generation->ports[i];
	return NULL;
}

static size_t rounded(size_t size)
{
	return (size + 63) & ~(size_t)63;
}

// Cache lines that nobody else writes to: the arena aligns what is as large as one.
static void *lines_of(struct generation *generation, size_t size)
{
	return arena_take(generation->arena, rounded(size));
}

// Who receives from a port: each worker its own queue, or one worker for all, that hands over.
static void make_sources(struct generation *generation, struct share *share, unsigned worker)
{
	share->sources = lines_of(generation, sizeof(struct source) * (generation->port_count + 1));
	for (unsigned i = 0; i < generation->port_count; i++) {
		struct generation_port *port = &generation->ports[i];
		unsigned queues;

		if (!port->receives)
			continue;
		queues = port_info(port->receives)->receive_queues;
		if (worker && queues < generation->workers)
			continue;
		share->sources[share->source_count++] = (struct source){
			.element = port->element,
			.port = port->receives,
			.queue = worker,
			.entry = port->element->outputs[0].to->order,
		};
	}
}

static void make_vector(struct generation *generation, struct share *share)
{
	size_t size = rounded(generation->plan->vector_size > sizeof(struct vector)
			? generation->plan->vector_size
			: sizeof(struct vector));

	share->vector = aligned_alloc(64, size);
	if (!share->vector)
		return;
	memset(share->vector, 0, size);
	if (generation->plan->flow && (share->aside = aligned_alloc(64, size)))
		memset(share->aside, 0, size);
	share->reach = lines_of(generation, sizeof(weir_mask) * (generation->plan->nodes.count + 1));
	share->out = lines_of(generation, sizeof(weir_mask) * (generation->most_outputs + 1));
	share->observed = lines_of(generation, sizeof(weir_mask) * (generation->plan->signals.count + 1));
	share->derived = lines_of(generation, sizeof(weir_mask) * (generation->plan->signals.count + 1));
	share->chosen = lines_of(generation, sizeof(weir_mask) * (generation->most_outputs + 1));
}

// What the planner has put in leads from each input to the output of that number; its code takes that for the only one.
static void make_outputs(struct generation *generation, struct hot *hot, const struct plan_node *node)
{
	const struct plan_element *element = node->element;
	unsigned first = element->inserted_because ? node->input : 0;

	hot->output_count = (uint16_t)(element->inserted_because ? 1 : element->output_count);
	hot->outputs = arena_array(generation->arena, struct hot_output, hot->output_count + 1u);
	for (unsigned i = 0; i < hot->output_count; i++) {
		const struct plan_output *from = &element->outputs[first + i];
		struct hot_output *output = &hot->outputs[i];

		output->dropped = &hot->instance->open_drops[first + i];
		output->kind = !from->to ? OUT_OPEN : from->again ? OUT_AGAIN
								  : OUT_NEXT;
		if (!from->to)
			continue;
		output->order = from->to->order;
		output->place = from->to->place;
	}
}

static uint32_t *offsets_of(struct generation *generation, struct plan_value *const *values,
	uint32_t count, bool is_valid)
{
	uint32_t *offsets = arena_array(generation->arena, uint32_t, count + 1);

	for (uint32_t i = 0; i < count; i++)
		offsets[i] = is_valid ? values[i]->valid : values[i]->has;
	return offsets;
}

static void make_port(struct hot *hot, const struct generation_port *port, unsigned worker, unsigned workers)
{
	const struct port_info *info;

	hot->sends = true;
	hot->is_sink = true;
	hot->port = port->sends;
	if (!port->sends)
		return;
	info = port_info(port->sends);
	hot->queue = info->send_queues >= workers ? worker : 0;
	if (info->send_queues < workers)
		hot->home = 0;
}

static void make_hot(struct generation *generation, struct share *share, unsigned worker, struct plan_node *node)
{
	struct hot *hot = &share->hot[node->order];
	struct plan_element *element = node->element;

	hot->process = element->class->process;
	hot->instance = &share->instances[element->index];
	hot->self = hot->instance->self;
	hot->node = node;
	hot->steps = node->steps.at;
	hot->step_count = (uint16_t)node->steps.count;
	hot->voids = offsets_of(generation, node->voids.at, node->voids.count, true);
	hot->void_count = (uint16_t)node->voids.count;
	hot->gives = offsets_of(generation, node->gives.at, node->gives.count, false);
	hot->give_count = (uint16_t)node->gives.count;
	hot->handler_count = (uint16_t)element->handlers.count;
	hot->input = (uint16_t)node->input;
	hot->flow_bit = element->flow_bit ? 1u << (element->flow_bit - 1) : 0;
	hot->place = node->place;
	hot->home = element->home == PLAN_NOWHERE ? UINT16_MAX : (uint16_t)element->home;
	hot->is_sink = element->class->no_outputs;
	hot->is_for_all = generation->workers > 1 && (element->class->every_worker >> node->input & 1);
	if (platform_port(element->class))
		make_port(hot, port_of(generation, element), worker, generation->workers);
	make_outputs(generation, hot, node);
}

static void make_taker(struct share *share, struct instance *instance, unsigned worker)
{
	const struct plan_element *element = instance->element;

	// what exists once is taken from at home; elsewhere nothing ever waits
	if (!element->class->take || element->is_fed_by_taker ||
		(element->home != PLAN_NOWHERE && element->home != worker))
		return;
	share->takers[share->taker_count++].instance = instance;
}

static int make_share(struct generation *generation, unsigned worker)
{
	struct plan *plan = generation->plan;
	struct share *share = &generation->shares[worker];
	size_t size = 0, used = 0;
	char *memory;

	list_each (element, &plan->elements)
		size += rounded((*element)->class->self_size) +
			rounded(((*element)->output_count + 1) * sizeof(uint64_t));
	size += rounded(plan->elements.count * sizeof(struct instance)) +
		rounded((plan->nodes.count + 1) * sizeof(struct hot)) +
		rounded((plan->handler_count + 1) * sizeof(struct heard));
	memory = share->memory = aligned_alloc(64, rounded(size + 64));
	make_vector(generation, share);
	if (!memory || !share->vector)
		return -ENOMEM;
	memset(memory, 0, rounded(size + 64));
	share->instances = (struct instance *)memory;
	used = rounded(plan->elements.count * sizeof(struct instance));
	share->hot = (struct hot *)(memory + used);
	used += rounded((plan->nodes.count + 1) * sizeof(struct hot));
	share->heard = (struct heard *)(memory + used);
	used += rounded((plan->handler_count + 1) * sizeof(struct heard));
	make_sources(generation, share, worker);
	share->takers = arena_array(generation->arena, struct taker, plan->elements.count + 1);
	list_each (element, &plan->elements) {
		struct instance *instance = &share->instances[(*element)->index];

		instance->element = *element;
		instance->self = memory + used;
		used += rounded((*element)->class->self_size);
		instance->open_drops = (uint64_t *)(memory + used);
		used += rounded(((*element)->output_count + 1) * sizeof(uint64_t));
		memcpy(instance->self, (*element)->prototype, (*element)->class->self_size);
		make_taker(share, instance, worker);
	}
	list_each (node, &plan->nodes)
		make_hot(generation, share, worker, *node);
	if (plan->flow)
		share->tracker = tracker_create(generation, worker);
	if (plan->flow && (!share->tracker || !share->aside))
		return -errno;
	return state_create(generation, share, worker);
}

// ---- signals and places

static void make_flow_signals(struct generation *generation)
{
	generation->flow = (struct flow_signals){
		.started = generation_signal(generation, &weir_event_flow_started),
		.ended = generation_signal(generation, &weir_event_flow_ended),
		.established = generation_signal(generation, &weir_event_tcp_established),
		.closed = generation_signal(generation, &weir_event_tcp_closed),
		.reset = generation_signal(generation, &weir_event_tcp_reset),
		.retransmitted = generation_signal(generation, &weir_event_tcp_retransmitted),
		.out_of_order = generation_signal(generation, &weir_event_tcp_out_of_order),
		.zero_window = generation_signal(generation, &weir_event_tcp_zero_window),
		.state_changed = generation_signal(generation, &weir_event_tcp_state_changed),
		.gap = generation_signal(generation, &weir_event_tcp_gap),
		.overlapped = generation_signal(generation, &weir_event_tcp_overlapped),
		.data = generation_signal(generation, &weir_event_stream_data),
		.stream_closed = generation_signal(generation, &weir_event_stream_closed),
	};
}

static void make_signals(struct generation *generation)
{
	struct plan *plan = generation->plan;

	generation->signals = arena_array(generation->arena, struct weir_signal, plan->signals.count + 1);
	list_each (signal, &plan->signals)
		generation->signals[(*signal)->index] = (struct weir_signal){
			.index = (*signal)->index,
			.mask = (*signal)->mask ? (*signal)->mask->has : 0,
			.size = (*signal)->type->size,
			.number = event_number((*signal)->type->name),
			.has_payload = (*signal)->has_payload,
			.rides = (*signal)->rides,
			.plan = *signal,
		};
	generation->event_count = event_count();
	generation->signal_of_event =
		arena_array(generation->arena, const struct weir_signal *, generation->event_count + 1);
	list_each (signal, &plan->signals)
		generation->signal_of_event[generation->signals[(*signal)->index].number] =
			&generation->signals[(*signal)->index];
	list_each (signal, &plan->signals)
		generation->derives |= (*signal)->derivations.count != 0;
	generation->received = generation_signal(generation, &weir_event_packet_received);
	generation->malformed = generation_signal(generation, &weir_event_packet_malformed);
	make_flow_signals(generation);
}

static void number_places(struct generation *generation)
{
	struct plan *plan = generation->plan;

	list_each (node, &plan->nodes)
		(*node)->place = place_number((*node)->element->name, (*node)->input);
	generation->place_count = place_count();
	generation->order_of_place = arena_array(generation->arena, uint32_t, generation->place_count + 1);
	for (uint32_t i = 0; i < generation->place_count; i++)
		generation->order_of_place[i] = PLAN_NOWHERE;
	list_each (node, &plan->nodes)
		generation->order_of_place[(*node)->place] = (*node)->order;
	list_each (element, &plan->elements)
		if ((*element)->output_count > generation->most_outputs)
			generation->most_outputs = (*element)->output_count;
}

static int build_tables(struct plan *plan, struct port_error *why)
{
	const struct plan_element *failed;
	int err = plan_build_tables(plan, &failed);

	if (err)
		snprintf(why->text, sizeof(why->text), "%s (%s): its tables cannot be built: %s",
			failed->name, failed->class->name, strerror(-err));
	return err;
}

int generation_create(struct generation **made, struct plan *plan, const struct bindings *bindings,
	struct worker *workers, uint64_t seed, struct port_error *why)
{
	static unsigned last_number;
	struct arena *arena = arena_create();
	struct generation *generation = arena_new(arena, struct generation);
	int err;

	generation->arena = arena;
	generation->plan = plan;
	generation->workers = plan->workers;
	generation->workers_at = workers;
	generation->seed = seed;
	generation->number = ++last_number;
	generation->shares = arena_array(arena, struct share, plan->workers);
	number_places(generation);
	make_signals(generation);
	err = build_tables(plan, why);
	if (!err)
		err = open_ports(generation, bindings, seed, why);
	for (unsigned worker = 0; !err && worker < plan->workers; worker++)
		err = make_share(generation, worker);
	if (!err)
		err = aggregates_create(generation);
	if (!err)
		err = observers_create(generation, why);
	if (!err)
		err = layout_register(&plan->layout);
	if (err && !*why->text)
		snprintf(why->text, sizeof(why->text), "the graph cannot be set up: %s", strerror(-err));
	*made = generation;
	if (err)
		generation_destroy(made);
	return err;
}

void generation_destroy(struct generation **made)
{
	struct generation *generation = *made;
	struct port_error why;

	if (!generation)
		return;
	observers_destroy(generation);
	aggregates_destroy(generation);
	for (unsigned i = 0; i < generation->port_count; i++) {
		port_close(&generation->ports[i].receives, &why);
		port_close(&generation->ports[i].sends, &why);
	}
	for (unsigned worker = 0; worker < generation->workers; worker++) {
		state_destroy(&generation->shares[worker], generation->plan);
		tracker_destroy(generation->shares[worker].tracker);
		free(generation->shares[worker].memory);
		free(generation->shares[worker].vector);
		free(generation->shares[worker].aside);
	}
	layout_retire(&generation->plan->layout);
	plan_destroy(generation->plan);
	arena_destroy(generation->arena);
	*made = NULL;
}

struct weir_signal *generation_signal(const struct generation *generation, const struct weir_event_type *type)
{
	list_each (signal, &generation->plan->signals)
		if (!strcmp((*signal)->type->name, type->name))
			return plan_is_heard(*signal) ? &generation->signals[(*signal)->index] : NULL;
	return NULL;
}

// ---- taking up

static void move_pending(struct worker *worker, const struct share *to, struct share *from)
{
	for (unsigned i = 0; i < from->source_count; i++) {
		struct source *old = &from->sources[i];
		struct source *heir = NULL;

		for (unsigned j = 0; j < to->source_count; j++)
			if (to->sources[j].port == old->port)
				heir = &to->sources[j];
		for (; old->first < old->count; old->first++) {
			if (heir) {
				heir->pending[heir->count++] = old->pending[old->first];
				continue;
			}
			worker->account.vanished++;
			worker->account.dropped++;
			worker_free(worker, old->pending[old->first]);
		}
	}
}

void generation_take_up(const struct generation *generation, struct worker *worker)
{
	const struct generation *old = worker->generation;
	struct share *share = &generation->shares[worker->index];

	if (old) {
		aggregates_leave(worker);
		state_move(worker, generation, old);
		move_pending(worker, share, &old->shares[worker->index]);
		worker_flush_freed(worker);
	}
	worker->vector = share->vector;
	worker->aside = share->aside;
	worker->vector->head.worker = (struct weir_worker *)worker;
	worker->call.vector = &share->vector->head;
	worker->hot = share->hot;
	worker->instances = share->instances;
	worker->reach = share->reach;
	worker->out = share->out;
	worker->chosen = share->chosen;
	worker->observed = share->observed;
	worker->heard = share->heard;
	worker->derived = share->derived;
	worker->sources = share->sources;
	worker->source_count = share->source_count;
	worker->next_source = 0;
	worker->generation = generation;
	tracker_take_up(worker, old, share);
	aggregates_take_up(worker, old);
	worker_begin(worker);
	tracker_renew(worker);
}
