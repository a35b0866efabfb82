// SPDX-License-Identifier: Apache-2.0
// Packets outside of vectors: held, released, cloned, emitted, waiting in a fifo.
#include "engine/worker.h"

#include "engine/derive.h"
#include "packet/pool.h"
#include "packet/protocol.h"
#include "port/platform.h"

static const struct hot_output *output_of(struct worker *worker, unsigned output)
{
	const struct plan_element *element = worker->generation->plan->elements.at[worker->call.element];
	const struct hot *hot = &worker->hot[element->nodes.count ? element->nodes.at[0]->order : 0];

	assert(element->nodes.count && output < element->output_count);
	return &hot->outputs[output];
}

void worker_leave(struct worker *worker, unsigned slot)
{
	struct layout *layout = (struct layout *)&worker->generation->plan->layout;

	derive(worker);
	luggage_pack(worker, slot);
	layout_spill(layout, worker->index, worker->vector, slot, 0);
}

void worker_again(struct worker *worker, struct rte_mbuf *mbuf, uint16_t place)
{
	struct packet_head *head = packet_head(mbuf);

	if (head->rounds++ >= PACKET_ROUNDS || worker->ready_tail - worker->ready_head == WORKER_READY) {
		worker->account.loops++;
		worker->account.dropped++;
		worker_free(worker, mbuf);
		return;
	}
	head->node = place;
	worker->ready[worker->ready_tail++ % WORKER_READY] = mbuf;
}

// A packet goes on from an output in the next pass.
static void go_on(struct worker *worker, struct rte_mbuf *mbuf, const struct hot_output *output)
{
	if (output->kind != OUT_OPEN) {
		worker_again(worker, mbuf, output->place);
		return;
	}
	weir_count(output->dropped);
	worker->account.dropped++;
	worker_free(worker, mbuf);
}

static struct rte_mbuf *leave(struct weir_call *call, unsigned slot)
{
	struct worker *worker = worker_of(call);

	worker_leave(worker, slot);
	call->held |= (weir_mask)1 << slot;
	worker->vector->head.live &= ~((weir_mask)1 << slot);
	return packet_mbuf(worker->vector->head.packet[slot]);
}

// ---- the list of what an element holds: nothing is lost when the element goes

static void link_held(struct instance *instance, struct rte_mbuf *mbuf)
{
	struct packet_head *head = packet_head(mbuf);

	head->before_held = NULL;
	head->next_held = instance->held;
	if (instance->held)
		packet_head(instance->held)->before_held = mbuf;
	instance->held = mbuf;
	instance->held_count++;
}

static void unlink_held(struct instance *instance, struct rte_mbuf *mbuf)
{
	struct packet_head *head = packet_head(mbuf);

	if (head->before_held)
		packet_head(head->before_held)->next_held = head->next_held;
	else
		instance->held = head->next_held;
	if (head->next_held)
		packet_head(head->next_held)->before_held = head->before_held;
	instance->held_count--;
}

struct weir_packet *weir_hold(struct weir_call *call, unsigned slot)
{
	struct rte_mbuf *mbuf = leave(call, slot);

	link_held(&worker_of(call)->instances[call->element], mbuf);
	return packet_of(mbuf);
}

void weir_release(struct weir_call *call, struct weir_packet *packet, unsigned output)
{
	struct worker *worker = worker_of(call);

	unlink_held(&worker->instances[call->element], packet_mbuf(packet));
	packet_head(packet_mbuf(packet))->rounds = 0; // it waited by the module's will: no loop
	go_on(worker, packet_mbuf(packet), output_of(worker, output));
}

void weir_retry(struct weir_call *call, struct weir_packet *packet)
{
	struct worker *worker = worker_of(call);
	const struct plan_element *element = worker->generation->plan->elements.at[call->element];

	unlink_held(&worker->instances[call->element], packet_mbuf(packet));
	packet_head(packet_mbuf(packet))->rounds = 0;
	worker_again(worker, packet_mbuf(packet), element->nodes.at[0]->place);
}

void weir_make_ethernet(struct weir_vector *v, unsigned slot)
{
	struct vector *vector = (struct vector *)v;

	vector->odd &= ~((weir_mask)1 << slot);
	packet_head(packet_mbuf(v->packet[slot]))->link = PROTO_ETH;
}

uint16_t weir_segment(const struct weir_vector *v, unsigned slot)
{
	const struct packet_head *head = packet_head(packet_mbuf(v->packet[slot]));

	return head->gso_type == PACKET_GSO_NONE ? 0 : head->gso_size; // else it is the link's type
}

void weir_discard(struct weir_call *call, struct weir_packet *packet, weir_counter *why)
{
	struct worker *worker = worker_of(call);

	unlink_held(&worker->instances[call->element], packet_mbuf(packet));
	weir_count(why);
	worker->account.dropped++;
	worker_free(worker, packet_mbuf(packet));
}

bool weir_clone(struct weir_call *call, unsigned slot, unsigned output)
{
	struct worker *worker = worker_of(call);
	struct weir_vector *head = &worker->vector->head;
	struct layout *layout = (struct layout *)&worker->generation->plan->layout;
	struct rte_mbuf *clone = packet_clone(packet_mbuf(head->packet[slot]));
	struct weir_packet *original = head->packet[slot];

	if (!clone) {
		worker->account.no_buffer++;
		return false;
	}
	worker->account.cloned++;
	head->shared |= (weir_mask)1 << slot;
	packet_head(clone)->layout = 0;
	head->packet[slot] = packet_of(clone);
	layout_spill(layout, worker->index, worker->vector, slot, layout->events);
	head->packet[slot] = original;
	go_on(worker, clone, output_of(worker, output));
	return true;
}

// A packet with these bytes, in as many buffers as they need.
static struct rte_mbuf *create(const void *bytes, uint32_t length)
{
	struct rte_mbuf *packet = packet_new(platform_pool()), *last = packet;
	uint32_t done = 0;

	while (packet && done < length) {
		uint32_t part = length - done < PACKET_ROOM ? length - done : PACKET_ROOM;

		if (done) {
			last->next = packet_new(platform_pool());
			if (!last->next) {
				packet_free(packet);
				return NULL;
			}
			last = last->next;
			packet->nb_segs++;
		}
		memcpy(rte_pktmbuf_mtod(last, char *), (const char *)bytes + done, part);
		last->data_len = (uint16_t)part;
		done += part;
	}
	if (packet)
		packet->pkt_len = length;
	return packet;
}

struct rte_mbuf *worker_new_packet(const void *bytes, uint32_t length, uint64_t time_ns)
{
	struct rte_mbuf *mbuf = length <= PACKET_LONGEST ? create(bytes, length) : NULL;

	if (!mbuf)
		return NULL;
	packet_head(mbuf)->time_ns = time_ns;
	packet_head(mbuf)->original = length;
	packet_head(mbuf)->link = PROTO_ETH;
	return mbuf;
}

bool weir_emit(struct weir_call *call, const void *bytes, uint32_t length, unsigned output)
{
	struct worker *worker = worker_of(call);
	struct rte_mbuf *mbuf = worker_new_packet(bytes, length, worker->vector->head.now_ns);

	if (!mbuf) {
		worker->account.no_buffer++;
		return false;
	}
	worker->account.emitted++;
	go_on(worker, mbuf, output_of(worker, output));
	return true;
}

// ---- fifos

bool weir_fifo_put(struct weir_call *call, struct weir_fifo *fifo, unsigned slot)
{
	struct rte_mbuf *mbuf;

	if (fifo->count == fifo->rows)
		return false;
	mbuf = leave(call, slot);
	fifo->ring[(fifo->head + fifo->count++) % fifo->rows] = mbuf;
	fifo->bytes += mbuf->pkt_len;
	return true;
}

unsigned weir_fifo_size(const struct weir_fifo *fifo)
{
	return fifo->count;
}

uint64_t weir_fifo_bytes(const struct weir_fifo *fifo)
{
	return fifo->bytes;
}

uint32_t weir_fifo_head(const struct weir_fifo *fifo)
{
	return fifo->count ? fifo->ring[fifo->head]->pkt_len : 0;
}

static struct rte_mbuf *fifo_take(struct weir_fifo *fifo)
{
	struct rte_mbuf *mbuf = fifo->ring[fifo->head];

	fifo->head = (fifo->head + 1) % fifo->rows;
	fifo->count--;
	fifo->bytes -= mbuf->pkt_len;
	return mbuf;
}

// What a gate has kept waiting leaves at the time at which it goes on, also into a capture.
static void depart_now(const struct worker *worker, struct rte_mbuf *mbuf)
{
	if (worker->is_gated && packet_head(mbuf)->time_ns < worker->now_ns)
		packet_head(mbuf)->time_ns = worker->now_ns;
}

unsigned weir_enter(struct weir_call *call, struct weir_fifo *fifo, unsigned wanted)
{
	struct worker *worker = worker_of(call);
	const struct hot_output *output = output_of(worker, 0);
	unsigned count = 0;

	for (; count < wanted && fifo->count && !worker_is_full(worker); count++) {
		struct rte_mbuf *mbuf = fifo_take(fifo);

		depart_now(worker, mbuf);
		if (output->kind == OUT_OPEN)
			go_on(worker, mbuf, output);
		else
			worker_enter(worker, mbuf, worker->generation->order_of_place[output->place]);
	}
	return count;
}

unsigned weir_take(struct weir_call *call, unsigned input, unsigned wanted)
{
	struct worker *worker = worker_of(call);
	const struct plan_element *gate = worker->generation->plan->elements.at[call->element], *feeder = gate->feeder;
	void *self = call->self;
	unsigned taken;

	assert(!input); // a gate has one
	(void)input;
	if (!feeder)
		return 0;
	call->self = worker->instances[feeder->index].self;
	call->element = (uint16_t)feeder->index;
	worker->is_gated = true;
	taken = feeder->class->take(call, wanted);
	worker->is_gated = false;
	call->self = self;
	call->element = (uint16_t)gate->index;
	return taken;
}
