// SPDX-License-Identifier: Apache-2.0
// Interfaces through AF_XDP, and new ones of the host's stack (tap), both by DPDK's drivers.
//
// AF_XDP takes an interface whole: the host's stack does not see its packets any more. A program that a killed process
// has left on it is replaced. On a veth the kernel turns the peer's segmentation off while we are attached, and the
// checksums of its packets are not finished; nothing in a frame says so, so they are known by their content.
#define _GNU_SOURCE
#include "packet/pool.h"
#include "port/dpdk.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ETHERNET = 14 };

static bool may_attach(struct port_error *why, const char *name)
{
	static const struct {
		enum capability capability;
		const char *name;
	} needed[] = {
		{ MAY_NET_RAW, "CAP_NET_RAW" }, { MAY_NET_ADMIN, "CAP_NET_ADMIN" }, { MAY_BPF, "CAP_BPF" },
	};

	for (unsigned i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!process_may(needed[i].capability)) {
			port_fail(why, -EPERM, "run as root, or once: setcap cap_net_raw,cap_net_admin,cap_bpf,"
				"cap_ipc_lock+ep $(command -v weir); or use af_packet:, which needs CAP_NET_RAW alone",
				"%s: needs the capability %s", name, needed[i].name);
			return false;
		}
	return true;
}

static int check_frames(const struct interface *interface, struct port_error *why)
{
	char hint[96];

	if (interface->mtu + ETHERNET <= PACKET_ROOM)
		return 0;
	snprintf(hint, sizeof(hint), "use af_packet:%s, or ip link set %s mtu 1500", interface->name, interface->name);
	return port_fail(why, -EMSGSIZE, hint, "af_xdp:%s: its MTU of %u is too large: frames up to %d bytes",
			 interface->name, interface->mtu, PACKET_ROOM);
}

// What is attached is not known by its owner, but by its name: that of DPDK's driver is ours or a dead process's.
static int check_program(const struct interface *interface, struct port_error *why)
{
	char name[BPF_OBJ_NAME_LEN], hint[96];

	if (!interface_program(interface, name, sizeof(name)) || !strcmp(name, "xsk_def_prog"))
		return 0;
	snprintf(hint, sizeof(hint), "use af_packet:%s, or remove it: ip link set %s xdp off", interface->name,
		 interface->name);
	return port_fail(why, -EBUSY, hint,
		"af_xdp:%s: another XDP program (\"%s\") is attached to it", interface->name, name);
}

static int open_xdp(struct port *port, const char *rest, const struct port_wish *wish, struct port_error *why)
{
	char kind[32];
	struct dpdk_device device = { .kind = kind, .held = -1 };
	struct interface interface;
	int result = interface_look(&interface, rest, why);

	snprintf(kind, sizeof(kind), "af_xdp:%s", rest);
	if (result < 0)
		return result;
	if (!may_attach(why, kind))
		return -EPERM;
	result = check_frames(&interface, why);
	if (result == 0)
		result = check_program(&interface, why);
	if (result < 0)
		return result;
	snprintf(device.name, sizeof(device.name), "net_af_xdp_%s", interface.name);
	snprintf(device.arguments, sizeof(device.arguments), "iface=%s,start_queue=0,queue_count=%u", interface.name,
		 interface.channels);
	device.queues = interface.channels;
	device.has_unfinished = interface.is_virtual;
	device.mtu = interface.mtu;
	device.held = interface_hold(&interface);
	result = dpdk_open(port, &device, wish, why);
	if (result < 0) {
		if (device.held >= 0)
			close(device.held);
		if (why && !why->hint[0])
			snprintf(why->hint, sizeof(why->hint), strcmp(interface.driver, "veth") ?
				"use af_packet:%s, which works with any interface" :
				"use af_packet:%s, or lower the MTU of the veth's other end to 3,498 or less",
				interface.name);
		return result;
	}
	snprintf(port->interface, sizeof(port->interface), "%s", interface.name);
	return 0;
}

static bool works(struct port_error *why)
{
	return may_attach(why, "af_xdp");
}

const struct port_driver port_xdp = {
	.kind = {
		.prefix = "af_xdp",
		.syntax = "af_xdp:eth0",
		.about = "an interface, taken whole, past the host's stack; frames up to 2,048 bytes",
		.needs = "CAP_NET_RAW, CAP_NET_ADMIN, CAP_BPF",
		.receives = true,
		.sends = true,
		.has_several_queues = true,
	},
	.open = open_xdp,
	.close = dpdk_close,
	.receive = dpdk_receive,
	.send = dpdk_send,
	.check = port_check_interface,
	.link = dpdk_link,
	.missed = dpdk_missed,
	.remedy = dpdk_remedy,
	.works = works,
};

// ---- tap

static int open_tap(struct port *port, const char *rest, const struct port_wish *wish, struct port_error *why)
{
	struct dpdk_device device = { .kind = port->spec, .queues = 1 };
	int result;

	if (!process_may(MAY_NET_ADMIN))
		return port_fail(why, -EPERM, "run as root, or once: setcap cap_net_admin+ep $(command -v weir)",
				 "tap:%s: needs the capability CAP_NET_ADMIN", rest);
	if (access("/dev/net/tun", R_OK | W_OK) < 0)
		return port_fail(why, -errno, "modprobe tun", "tap:%s: /dev/net/tun cannot be opened: %s", rest,
				 strerror(errno));
	snprintf(device.name, sizeof(device.name), "net_tap_%s", rest);
	snprintf(device.arguments, sizeof(device.arguments), "iface=%s", rest);
	device.held = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	result = dpdk_open(port, &device, wish, why);
	if (result < 0 && device.held >= 0)
		close(device.held);
	if (result == 0)
		snprintf(port->interface, sizeof(port->interface), "%s", rest);
	return result;
}

static bool tap_works(struct port_error *why)
{
	if (process_may(MAY_NET_ADMIN) && access("/dev/net/tun", R_OK | W_OK) == 0)
		return true;
	port_fail(why, -EPERM, NULL, "needs CAP_NET_ADMIN and /dev/net/tun");
	return false;
}

const struct port_driver port_tap = {
	.kind = {
		.prefix = "tap",
		.syntax = "tap:weir0",
		.about = "a new interface of the host's stack, there while the port is open",
		.needs = "CAP_NET_ADMIN, /dev/net/tun",
		.receives = true,
		.sends = true,
	},
	.open = open_tap,
	.close = dpdk_close,
	.receive = dpdk_receive,
	.send = dpdk_send,
	.check = port_check_interface,
	.link = dpdk_link,
	.missed = dpdk_missed,
	.remedy = dpdk_remedy,
	.works = tap_works,
};
