// SPDX-License-Identifier: Apache-2.0
// The ports of the process: opened once and counted, closed by the last user.
#include "port/port.h"

#include "port/interface.h"
#include "port/port_driver.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct port *ports;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // of the list and the counts of users

static struct port *find(const char *spec, const struct port_wish *wish)
{
	for (struct port *port = ports; port; port = port->next)
		if (port->owner == wish->owner && !strcmp(port->spec, spec) &&
			(port->info.direction & wish->direction) == wish->direction)
			return port;
	return NULL;
}

// Why an interface named without a driver is better not taken whole by AF_XDP; NULL: nothing speaks against it.
static const char *why_packet(const struct interface *interface)
{
	if (interface->is_loopback)
		return "a loopback has no other end that AF_XDP could leave to";
	if (interface->is_of_host)
		return "it has addresses of this host, which AF_XDP would cut off; "
		       "af_packet leaves it to the host, too";
	return NULL;
}

static int open_packet(struct port *port, const char *name, const struct port_wish *wish, const char *reason,
		       struct port_error *why)
{
	snprintf(port->chosen, sizeof(port->chosen), "%s", reason);
	port->driver = &port_packet;
	return port_packet.open(port, name, wish, why);
}

static int open_best(struct port *port, const char *name, const struct port_wish *wish, struct port_error *why)
{
	struct interface interface;
	struct port_error xdp;
	int result = interface_look(&interface, name, why);

	if (result < 0)
		return result;
	if (why_packet(&interface))
		return open_packet(port, name, wish, why_packet(&interface), why);
	port->driver = &port_xdp;
	if (port_xdp.open(port, name, wish, &xdp) == 0)
		return 0;
	return open_packet(port, name, wish, xdp.text, why);
}

// Two drivers on one interface would take each other's packets.
static int refuse_twice(const struct port_spec *parsed, struct port_error *why)
{
	if (parsed->driver && parsed->driver != &port_xdp && parsed->driver != &port_packet)
		return 0;
	for (const struct port *port = ports; port; port = port->next)
		if (!strcmp(port->interface, parsed->rest))
			return port_fail(why, -EBUSY, "name a port the same way everywhere",
					 "%s is open already, as \"%s\"", parsed->rest, port->spec);
	return 0;
}

static int open_fresh(struct port *port, const struct port_spec *parsed, const struct port_wish *wish,
		      struct port_error *why)
{
	int result = refuse_twice(parsed, why);

	if (result < 0)
		return result;
	port->driver = parsed->driver == &port_reader && wish->direction == PORT_SEND ? &port_writer : parsed->driver;
	port->info = (struct port_info){ .spec = port->spec, .index = wish->index, .direction = PORT_BOTH,
		.receive_queues = 1, .send_queues = 1 };
	if (port->driver)
		result = port->driver->open(port, parsed->rest, wish, why);
	else
		result = open_best(port, parsed->rest, wish, why);
	if (result < 0)
		return result;
	port->info.driver = port->driver->kind.prefix;
	if (port->chosen[0])
		port->info.chosen = port->chosen;
	if (port->interface[0])
		port->info.interface = port->interface;
	return 0;
}

uint64_t port_new_owner(void)
{
	static uint64_t last;

	return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

static void add(struct port *port)
{
	port->users = 1;
	port->next = ports;
	ports = port;
}

static int open_locked(struct port **port, const char *spec, const struct port_wish *wish, struct port_error *why)
{
	struct port_spec parsed;
	struct port *fresh;
	int result = port_spec_parse(&parsed, spec, why);

	if (result < 0)
		return result;
	*port = find(spec, wish);
	if (*port) {
		(*port)->users++;
		return 0;
	}
	fresh = aligned_alloc(64, sizeof(*fresh));
	if (!fresh)
		return port_fail(why, -ENOMEM, NULL, "%s: out of memory", spec);
	memset(fresh, 0, sizeof(*fresh));
	snprintf(fresh->spec, sizeof(fresh->spec), "%s", spec);
	result = open_fresh(fresh, &parsed, wish, why);
	if (result < 0) {
		free(fresh);
		return result;
	}
	fresh->owner = wish->owner;
	add(fresh);
	*port = fresh;
	return 0;
}

int port_open(struct port **port, const char *spec, const struct port_wish *wish, struct port_error *why)
{
	int result;

	assert(wish->direction && wish->queues);
	*port = NULL;
	pthread_mutex_lock(&lock);
	result = open_locked(port, spec, wish, why);
	pthread_mutex_unlock(&lock);
	return result;
}

void port_add(struct port *port)
{
	pthread_mutex_lock(&lock);
	add(port);
	pthread_mutex_unlock(&lock);
}

struct port *port_again(struct port *port)
{
	pthread_mutex_lock(&lock);
	port->users++;
	pthread_mutex_unlock(&lock);
	return port;
}

static int close_last(struct port *port, struct port_error *why)
{
	struct port **at = &ports;
	int result;

	while (*at != port)
		at = &(*at)->next;
	*at = port->next;
	result = port->driver->close(port, why);
	free(port);
	return result;
}

int port_close(struct port **port, struct port_error *why)
{
	int result = 0;

	if (!*port)
		return 0;
	pthread_mutex_lock(&lock);
	if (!--(*port)->users)
		result = close_last(*port, why);
	pthread_mutex_unlock(&lock);
	*port = NULL;
	return result;
}

const struct port_info *port_info(const struct port *port)
{
	return &port->info;
}

unsigned port_receive(struct port *port, unsigned queue, struct rte_mbuf **mbufs, unsigned wanted)
{
	assert(queue < port->info.receive_queues);
	return port->driver->receive(port, queue, mbufs, wanted);
}

unsigned port_send(struct port *port, unsigned queue, struct rte_mbuf **mbufs, unsigned count)
{
	assert(queue < port->info.send_queues);
	return port->driver->send(port, queue, mbufs, count);
}

void port_flush(struct port *port, unsigned queue)
{
	if (port->driver->flush)
		port->driver->flush(port, queue);
}

bool port_ended(const struct port *port)
{
	return port->driver->ended && port->driver->ended(port);
}

const char *port_damage(const struct port *port)
{
	return port->driver->damage ? port->driver->damage(port) : NULL;
}

int port_descriptor(const struct port *port, unsigned queue)
{
	return port->driver->descriptor ? port->driver->descriptor(port, queue) : -1;
}

enum port_link port_link(const struct port *port)
{
	return port->driver->link ? port->driver->link(port) : PORT_LINK_UNKNOWN;
}

const char *port_drop_name(enum port_drop drop)
{
	static const char *const names[PORT_DROPS] = {
		[PORT_TX_FULL] = "tx_full",
		[PORT_OVERSIZE] = "oversize",
		[PORT_LINK_TYPE] = "link_type",
		[PORT_TX_FAILED] = "tx_failed",
		[PORT_UNFINISHED] = "unfinished",
	};

	return names[drop];
}

static uint64_t read_counter(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void add_queue(struct port_stats *sum, const struct port_queue_in *in, const struct port_queue_out *out)
{
	sum->received += read_counter(&in->received);
	sum->received_bytes += read_counter(&in->received_bytes);
	sum->missed += read_counter(&in->missed);
	sum->opaque += read_counter(&in->opaque);
	sum->completed += read_counter(&in->completed) + read_counter(&out->completed);
	sum->sent += read_counter(&out->sent);
	sum->sent_bytes += read_counter(&out->sent_bytes);
	sum->segmented += read_counter(&out->segmented);
	for (unsigned drop = 0; drop < PORT_DROPS; drop++)
		sum->dropped[drop] += read_counter(&out->dropped[drop]);
}

struct port_stats port_stats(const struct port *port)
{
	struct port_stats sum = { 0 };

	for (unsigned queue = 0; queue < PORT_QUEUES; queue++)
		add_queue(&sum, &port->in[queue], &port->out[queue]);
	if (port->driver->missed)
		sum.missed += port->driver->missed(port);
	return sum;
}

const char *port_remedy(const struct port *port, enum port_drop drop)
{
	return port->driver->remedy ? port->driver->remedy(port, drop) : NULL;
}
