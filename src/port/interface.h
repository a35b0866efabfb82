// SPDX-License-Identifier: Apache-2.0
// The interfaces of this machine (of this network namespace): what there is, and what the kernel says of one.
#ifndef PORT_INTERFACE_H
#define PORT_INTERFACE_H

#include "port/port.h"

struct interface {
	char name[16], driver[32]; // "eth0", "veth"
	int index;
	uint32_t mtu;
	uint8_t ether[6];
	bool is_ethernet, is_loopback;
	bool is_virtual;  // no hardware behind it: checksums of what it brings may be unfinished
	bool is_of_host;  // has addresses: the host itself talks through it
	unsigned channels; // hardware queues that receive
};

// 0; or -ENODEV and other -errno with *why, which lists what there is.
int interface_look(struct interface *interface, const char *name, struct port_error *why);
enum port_link interface_link(int control, const char *name); // of a socket made where the interface was
int interface_mtu(int control, const char *name);             // or -errno
// A socket that keeps the interface promiscuous until it is closed, even by a kill; or -errno.
int interface_hold(const struct interface *interface);

// The name of the XDP program that is attached to it; false: there is none, or nobody may know.
bool interface_program(const struct interface *interface, char *name, size_t size);

// What the process may do.
enum capability { MAY_NET_ADMIN = 12, MAY_NET_RAW = 13, MAY_BPF = 39 };
bool process_may(enum capability capability);

#endif
