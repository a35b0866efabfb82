// SPDX-License-Identifier: Apache-2.0
// What a driver gives to the ports, and what all drivers share.
#ifndef PORT_PORT_DRIVER_H
#define PORT_PORT_DRIVER_H

#include "packet/packet.h"
#include "port/port.h"

#include <rte_mbuf.h>

struct port_driver;

// "af_xdp:eth0" taken apart.
struct port_spec {
	const struct port_driver *driver; // NULL: the best one for an interface
	char rest[512];                   // "eth0", "file.pcap", "size=64"
};

// Counters of one queue. Received by one worker, sent by perhaps another: each has cache lines of its own.
struct port_queue_in {
	_Alignas(64) uint64_t received;
	uint64_t received_bytes, missed, opaque, completed;
};
struct port_queue_out {
	_Alignas(64) uint64_t sent;
	uint64_t sent_bytes, completed, segmented;
	uint64_t dropped[PORT_DROPS];
};

struct port {
	const struct port_driver *driver;
	void *own; // the driver's
	struct port_info info;
	struct port *next; // all that are open
	unsigned users;
	uint64_t owner;
	enum port_direction wished;
	char spec[512], interface[16], chosen[320];
	struct port_queue_in in[PORT_QUEUES];   // the receiving worker writes, control reads
	struct port_queue_out out[PORT_QUEUES]; // the sending worker writes, control reads
};

struct port_driver {
	struct port_kind kind;
	// Fills port->info and sets port->own; or -errno with *why.
	int (*open)(struct port *port, const char *rest, const struct port_wish *wish, struct port_error *why);
	int (*close)(struct port *port, struct port_error *why);
	unsigned (*receive)(struct port *port, unsigned queue, struct rte_mbuf **mbufs, unsigned wanted);
	unsigned (*send)(struct port *port, unsigned queue, struct rte_mbuf **mbufs, unsigned count);
	// The rest may be NULL.
	int (*check)(const char *rest, struct port_error *why);
	void (*flush)(struct port *port, unsigned queue);
	bool (*ended)(const struct port *port);
	const char *(*damage)(const struct port *port);
	int (*descriptor)(const struct port *port, unsigned queue);
	enum port_link (*link)(const struct port *port);
	uint64_t (*missed)(const struct port *port); // that only the driver's own counters know
	const char *(*remedy)(const struct port *port, enum port_drop drop);
	bool (*works)(struct port_error *why);
};

extern const struct port_driver port_xdp, port_packet, port_listen, port_tap, port_reader, port_writer, port_null,
	port_pci, port_vdev;

// Takes a spec apart; -EINVAL with *why.
int port_spec_parse(struct port_spec *parsed, const char *spec, struct port_error *why);
// Into the list of those that are open, with one user; so is closed by port_close.
void port_add(struct port *port);
int port_check_interface(const char *name, struct port_error *why); // whether it could be one's name
const struct port_driver *port_driver_at(unsigned number);

// Writes the sentence and, unless NULL, what to do; returns error.
int port_fail(struct port_error *why, int error, const char *hint, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

// The head of a packet that has just come in.
static inline void port_head(struct rte_mbuf *mbuf, const struct port *port, uint64_t time_ns, uint32_t original,
			     uint8_t link)
{
	struct packet_head *head = packet_head(mbuf);

	head->time_ns = time_ns;
	head->original = original;
	head->port = port->info.index;
	head->layout = 0;
	head->node = 0;
	head->link = link;
	head->rounds = 0;
	head->unfinished = 0;
	head->gso_type = 0;
	head->link_type = 0;
}

static inline void port_drop_one(struct port *port, unsigned queue, struct rte_mbuf *mbuf, enum port_drop drop)
{
	port->out[queue].dropped[drop]++;
	rte_pktmbuf_free(mbuf);
}

#endif
