// SPDX-License-Identifier: Apache-2.0
// What all ports on DPDK's devices share: queues, what a device cannot take, closing.
#ifndef PORT_DPDK_H
#define PORT_DPDK_H

#include "port/interface.h"
#include "port/port_driver.h"

struct dpdk_device {
	const char *kind;                 // for messages: "af_xdp:eth0"
	char name[64], arguments[512];    // for DPDK
	bool is_bus;                      // a device of the machine: found, not made
	bool has_unfinished;              // brings checksums that are not finished, and nothing says which
	unsigned queues;                  // that the device has to have, however many workers there are; 0: as wished
	int held;                         // closed with the port; -1: nothing
	uint32_t mtu;                     // 0: ask the device
};

// Makes or finds the device, sets it up and starts it. On failure everything is undone, but `held`.
int dpdk_open(struct port *port, const struct dpdk_device *device, const struct port_wish *wish,
	      struct port_error *why);
int dpdk_close(struct port *port, struct port_error *why);
unsigned dpdk_receive(struct port *port, unsigned queue, struct rte_mbuf **mbufs, unsigned wanted);
unsigned dpdk_send(struct port *port, unsigned queue, struct rte_mbuf **mbufs, unsigned count);
enum port_link dpdk_link(const struct port *port);
uint64_t dpdk_missed(const struct port *port);
const char *dpdk_remedy(const struct port *port, enum port_drop drop);

struct dpdk {
	struct dpdk_device device;
	uint16_t id;
	uint16_t receive_queues, send_queues; // the device's
	bool takes_chains;
	uint32_t longest; // frame behind the Ethernet header
};

#endif
