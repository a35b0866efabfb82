// SPDX-License-Identifier: Apache-2.0
#include "port/cable.h"

#include "packet/pool.h"
#include "port/port_driver.h"

#include <errno.h>
#include <rte_ring.h>
#include <stdlib.h>

struct end {
	struct cable *cable;
	struct end *other;
	struct rte_ring *waits; // to be received here
	bool is_plugged, is_over; // over: nothing more is sent from here
};

struct cable {
	struct end ends[2];
	bool is_live;
	unsigned users;
};

static void free_waiting(struct rte_ring *ring)
{
	void *mbuf;

	while (ring && !rte_ring_sc_dequeue(ring, &mbuf))
		packet_free(mbuf);
	free(ring);
}

static void put(struct cable *cable)
{
	if (__atomic_sub_fetch(&cable->users, 1, __ATOMIC_ACQ_REL))
		return;
	free_waiting(cable->ends[0].waits);
	free_waiting(cable->ends[1].waits);
	free(cable);
}

static int close_end(struct port *port, struct port_error *why)
{
	struct end *end = port->own;

	(void)why;
	cable_end(port);
	cable_plug(port, false);
	put(end->cable);
	return 0;
}

static unsigned receive(struct port *port, unsigned queue, struct rte_mbuf **mbufs, unsigned wanted)
{
	struct end *end = port->own;
	unsigned count = rte_ring_sc_dequeue_burst(end->waits, (void **)mbufs, wanted, NULL);
	uint64_t bytes = 0;

	for (unsigned i = 0; i < count; i++) {
		struct packet_head *head = packet_head(mbufs[i]);

		bytes += mbufs[i]->pkt_len;
		head->port = port->info.index;
		head->node = 0;
		head->rounds = 0;
	}
	port->in[queue].received += count;
	port->in[queue].received_bytes += bytes;
	return count;
}

static unsigned send_packets(struct port *port, unsigned queue, struct rte_mbuf **mbufs, unsigned count)
{
	struct end *end = port->own;
	bool is_plugged = __atomic_load_n(&end->other->is_plugged, __ATOMIC_ACQUIRE);
	uint64_t bytes = 0;
	unsigned sent = 0;

	for (unsigned i = 0; i < count; i++)
		bytes += mbufs[i]->pkt_len;
	if (is_plugged)
		sent = rte_ring_sp_enqueue_burst(end->other->waits, (void *const *)mbufs, count, NULL);
	for (unsigned i = sent; i < count; i++) {
		bytes -= mbufs[i]->pkt_len;
		port_drop_one(port, queue, mbufs[i], is_plugged ? PORT_TX_FULL : PORT_TX_FAILED);
	}
	port->out[queue].sent += sent;
	port->out[queue].sent_bytes += bytes;
	return sent;
}

static bool ended(const struct port *port)
{
	const struct end *end = port->own;

	return __atomic_load_n(&end->other->is_over, __ATOMIC_ACQUIRE) && !rte_ring_count(end->waits);
}

static const char *remedy(const struct port *port, enum port_drop drop)
{
	(void)port;
	return drop == PORT_TX_FAILED ? "nobody has attached to this port (weir_attach)"
		: drop == PORT_TX_FULL	? "the program receives too rarely what this port sends"
					: NULL;
}

static const struct port_driver cable_driver = { // in no list: it is not opened by its name
	.kind = {
		.prefix = "cable",
		.syntax = "",
		.about = "a cable between two parts of a program",
		.needs = "",
		.receives = true,
		.sends = true,
		.takes_unfinished = true,
	},
	.close = close_end,
	.receive = receive,
	.send = send_packets,
	.ended = ended,
	.remedy = remedy,
};

static struct rte_ring *create_ring(const char *name)
{
	ssize_t size = rte_ring_get_memsize(CABLE_ROOM + 1);
	struct rte_ring *ring = size < 0 ? NULL : aligned_alloc(64, ((size_t)size + 63) & ~(size_t)63);

	if (ring && rte_ring_init(ring, name, CABLE_ROOM + 1, RING_F_SP_ENQ | RING_F_SC_DEQ)) {
		free(ring);
		return NULL;
	}
	return ring;
}

static struct port *create_port(struct end *end, const char *name)
{
	struct port *port = aligned_alloc(64, sizeof(*port));

	if (!port)
		return NULL;
	memset(port, 0, sizeof(*port));
	snprintf(port->spec, sizeof(port->spec), "%s", name);
	port->driver = &cable_driver;
	port->own = end;
	port->owner = port_new_owner();
	port->info = (struct port_info){ .spec = port->spec, .driver = "cable", .direction = PORT_BOTH,
		.receive_queues = 1, .send_queues = 1, .is_capture = true, .takes_unfinished = true };
	return port;
}

int cable_open(struct port *ends[2], const char *name, struct port_error *why)
{
	struct cable *cable = calloc(1, sizeof(*cable));

	ends[0] = ends[1] = NULL;
	if (!cable)
		return port_fail(why, -ENOMEM, NULL, "%s: out of memory", name);
	cable->users = 2;
	for (unsigned i = 0; i < 2; i++) {
		cable->ends[i] = (struct end){ .cable = cable, .other = &cable->ends[!i] };
		cable->ends[i].waits = create_ring("weir-cable");
		ends[i] = create_port(&cable->ends[i], name);
	}
	cable->ends[0].is_plugged = true;
	if (ends[0] && ends[1] && cable->ends[0].waits && cable->ends[1].waits) {
		port_add(ends[0]);
		port_add(ends[1]);
		return 0;
	}
	free(ends[0]);
	free(ends[1]);
	ends[0] = ends[1] = NULL;
	put(cable);
	put(cable);
	return port_fail(why, -ENOMEM, NULL, "%s: out of memory", name);
}

bool port_is_cable(const struct port *port)
{
	return port->driver == &cable_driver;
}

void cable_plug(struct port *port, bool is_plugged)
{
	struct end *end = port->own;

	__atomic_store_n(&end->is_plugged, is_plugged, __ATOMIC_RELEASE);
}

bool cable_is_plugged(const struct port *port)
{
	const struct end *end = port->own;

	return __atomic_load_n(&end->is_plugged, __ATOMIC_ACQUIRE);
}

void cable_end(struct port *port)
{
	struct end *end = port->own;

	__atomic_store_n(&end->is_over, true, __ATOMIC_RELEASE);
}

unsigned cable_waiting(const struct port *port)
{
	const struct end *end = port->own;

	return rte_ring_count(end->waits);
}

void cable_set_live(struct port *port)
{
	struct end *end = port->own;

	__atomic_store_n(&end->cable->is_live, true, __ATOMIC_RELEASE);
}

bool cable_is_live(const struct port *port)
{
	const struct end *end = port->own;

	return __atomic_load_n(&end->cable->is_live, __ATOMIC_ACQUIRE);
}
