// SPDX-License-Identifier: Apache-2.0
// Ports: where packets enter and leave. Interfaces of the machine, captures, and a source and sink
// for measuring, all behind one door. A port is named by a spec:
//
//	eth0                 an interface, by the best driver: AF_XDP, else AF_PACKET
//	af_xdp:eth0          AF_XDP, through DPDK
//	af_packet:eth0       AF_PACKET, our own: takes 64 kB frames, unfinished checksums
//	listen:eth0          AF_PACKET to look on: what the host sends is heard, too
//	tap:weir0            a new interface of the host's stack
//	in.pcap, pcap:FILE   a capture, read where packets enter, written where they leave;
//	                     "-" is standard input or output
//	null:                a source without end and a sink, for measuring:
//	                     null:size=64,flows=N,frames=FILE,buffers=16384,seed=1,count=N
//	pci:0000:01:00.0     a device of DPDK's
//	vdev:net_ring0,...   any virtual device of DPDK's, with its arguments
//
// Opening, closing and the questions are for the control thread. A queue is received from by one
// worker at a time and sent to by one worker at a time. Ports are closed after the last worker has
// left them.
#ifndef PORT_PORT_H
#define PORT_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct port;
struct rte_mbuf;

// One sentence and, or "", what to do about it.
struct port_error {
	char text[320];
	char hint[224];
};

enum port_direction { PORT_RECEIVE = 1, PORT_SEND = 2, PORT_BOTH = 3 };

struct port_wish {
	enum port_direction direction; // interfaces are opened for both, whatever it says
	unsigned queues;               // as many as there are workers; what there is, info says
	uint16_t index;                // packets that enter carry it
	uint64_t seed;                 // of null:'s order
	uint64_t owner;                // who else names it and is the same owner gets the same port
};

enum { PORT_QUEUES = 64 };

// What stays true of a port while it is open.
struct port_info {
	const char *spec, *driver; // "eth0", "af_xdp"
	const char *chosen; // for a spec without driver: why not a better one; NULL: it is the
			    // best, or was named
	const char *interface;     // "eth0"; NULL: it has none
	uint16_t index;
	uint8_t direction; // what it can do, of what was wished
	uint8_t receive_queues, send_queues; // fewer than workers: one owns a queue, others hand over to it
	bool is_capture;       // time is that of the records, and there may be an end
	bool takes_unfinished; // checksums and segmentation may be left to what is behind it
	bool has_ether;
	uint8_t ether[6];
	uint32_t mtu; // bytes behind the Ethernet header; 0: any
};

// The same spec in the same direction is the same port for the same owner, counted. 0, or -errno with *why.
int port_open(struct port **port, const char *spec, const struct port_wish *wish, struct port_error *why);
// A number for an owner, one of a kind. 0 is the process.
uint64_t port_new_owner(void);
// One user more of an open port.
struct port *port_again(struct port *port);
// Sets it to NULL; NULL is fine. Of the last user: flushes, closes. -errno with *why: what was written is not whole.
int port_close(struct port **port, struct port_error *why);
// 0 if a spec is well-formed; looks at nothing else.
int port_check(const char *spec, struct port_error *why);

const struct port_info *port_info(const struct port *port);

// Up to `wanted` new packets; never waits. Each has its packet_head set and its first
// PACKET_STRAIGHT bytes in one buffer.
unsigned port_receive(struct port *port, unsigned queue, struct rte_mbuf **mbufs, unsigned wanted);
// Takes all of them. What cannot be sent is freed and counted by name. Returns how many were sent.
unsigned port_send(struct port *port, unsigned queue, struct rte_mbuf **mbufs, unsigned count);
// At the end of a pass: sends what is still being gathered. Captures that are pipes: hands it to their reader.
void port_flush(struct port *port, unsigned queue);

bool port_ended(const struct port *port);                        // a capture is at its end, nothing comes any more
const char *port_damage(const struct port *port);                // a capture is broken, and where; NULL: it is not
int port_descriptor(const struct port *port, unsigned queue);    // readable when something has come; -1: has none
enum port_link { PORT_LINK_UNKNOWN, PORT_LINK_DOWN, PORT_LINK_UP, PORT_LINK_GONE } port_link(const struct port *port);

// Why packets given to port_send were not sent.
enum port_drop {
	PORT_TX_FULL,     // the interface took no more just then
	PORT_OVERSIZE,    // longer than its MTU, and cannot be segmented
	PORT_LINK_TYPE,   // a second link type for a pcap file, or one that the port cannot carry
	PORT_TX_FAILED,   // interface down or gone, file full
	PORT_UNFINISHED,  // a checksum left to be completed in a packet that does not say where
	PORT_DROPS,
};
const char *port_drop_name(enum port_drop drop); // "tx_full"

struct port_stats {
	uint64_t received, received_bytes;
	uint64_t missed;   // came, but could not be taken: no buffer, or the interface's queue was full
	uint64_t opaque;   // received with a link type that is not decoded
	uint64_t sent, sent_bytes;
	uint64_t completed; // checksums that were finished, on the way in or out
	uint64_t segmented; // packets that left as several frames
	uint64_t dropped[PORT_DROPS];
};
struct port_stats port_stats(const struct port *port);
// For a drop that wants an explanation at the end of a run: one sentence with the remedy, or NULL.
const char *port_remedy(const struct port *port, enum port_drop drop);

// For `weir explain --ports`: what kinds of ports there are; NULL behind the last.
struct port_kind {
	const char *prefix, *syntax, *about, *needs;
	bool receives, sends, takes_unfinished, has_several_queues;
};
const struct port_kind *port_kind_at(unsigned number);
// Whether a port of this kind could be opened here and now; else *why says what is missing.
bool port_kind_works(const struct port_kind *kind, struct port_error *why);

#endif
