// SPDX-License-Identifier: Apache-2.0
// Opening and closing DPDK's devices. See dpdk_packets.c for what is received and sent.
#define _GNU_SOURCE
#include "port/dpdk.h"

#include "packet/pool.h"
#include "port/platform.h"
#include "port/port_log.h"

#include <errno.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <stdlib.h>
#include <unistd.h>

enum { DESCRIPTORS = 2048 };

static int refuse(const struct dpdk *dpdk, int error, const char *what, struct port_error *why)
{
	char said[200];

	return port_fail(why, error < 0 ? error : -EIO, NULL, "%s: %s: %s", dpdk->device.kind, what,
			 port_log_why(said, sizeof(said), strerror(error < 0 ? -error : EIO)));
}

static int make_device(struct dpdk *dpdk, struct port_error *why)
{
	const char *name = dpdk->device.name;
	int result;

	if (dpdk->device.is_bus && rte_eth_dev_get_port_by_name(name, &dpdk->id) == 0)
		return 0;
	if (!dpdk->device.is_bus && rte_eth_dev_get_port_by_name(name, &dpdk->id) == 0)
		return port_fail(why, -EBUSY, "name a port the same way everywhere",
			"%s: a device \"%s\" is open already", dpdk->device.kind, name);
	result = dpdk->device.is_bus ? rte_dev_probe(name) : rte_eal_hotplug_add("vdev", name, dpdk->device.arguments);
	if (result < 0)
		return refuse(dpdk, result, "DPDK could not make the device", why);
	if (rte_eth_dev_get_port_by_name(name, &dpdk->id) == 0)
		return 0;
	if (!dpdk->device.is_bus)
		rte_eal_hotplug_remove("vdev", name);
	return refuse(dpdk, -ENODEV, "it is no network device", why);
}

static void remove_device(struct dpdk *dpdk)
{
	rte_eth_dev_close(dpdk->id);
	if (!dpdk->device.is_bus)
		rte_eal_hotplug_remove("vdev", dpdk->device.name);
}

static uint16_t at_most(unsigned wished, unsigned there)
{
	unsigned queues = wished < there ? wished : there;

	return (uint16_t)(queues ? queues : 1);
}

static int configure(struct dpdk *dpdk, const struct rte_eth_dev_info *info)
{
	struct rte_eth_conf conf = { 0 };

	if (info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) {
		conf.txmode.offloads |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
		dpdk->takes_chains = true;
	}
	if (dpdk->longest + 18 > PACKET_ROOM)
		conf.rxmode.offloads |= info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
	if (dpdk->receive_queues > 1 && info->flow_type_rss_offloads) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = info->flow_type_rss_offloads &
			(RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP);
	}
	return rte_eth_dev_configure(dpdk->id, dpdk->receive_queues, dpdk->send_queues, &conf);
}

static int set_up_queues(struct dpdk *dpdk)
{
	uint16_t receive = DESCRIPTORS, send = DESCRIPTORS;
	int result = rte_eth_dev_adjust_nb_rx_tx_desc(dpdk->id, &receive, &send);

	// devices keep so many buffers: never more than an eighth of all
	while (receive > 64 && (unsigned)receive * dpdk->receive_queues > platform_buffers() / 8)
		receive /= 2;
	for (uint16_t i = 0; i < dpdk->receive_queues && result == 0; i++)
		result = rte_eth_rx_queue_setup(dpdk->id, i, receive, SOCKET_ID_ANY, NULL, platform_pool());
	for (uint16_t i = 0; i < dpdk->send_queues && result == 0; i++)
		result = rte_eth_tx_queue_setup(dpdk->id, i, send, SOCKET_ID_ANY, NULL);
	return result;
}

static int set_up(struct dpdk *dpdk, const struct port_wish *wish, struct port_error *why)
{
	struct rte_eth_dev_info info;
	uint16_t mtu = 1500;
	int result = rte_eth_dev_info_get(dpdk->id, &info);

	if (result < 0)
		return refuse(dpdk, result, "its capabilities cannot be read", why);
	rte_eth_dev_get_mtu(dpdk->id, &mtu);
	dpdk->longest = dpdk->device.mtu ? dpdk->device.mtu : mtu;
	dpdk->receive_queues = at_most(dpdk->device.queues ? dpdk->device.queues : wish->queues, info.max_rx_queues);
	dpdk->send_queues = at_most(dpdk->device.queues ? dpdk->device.queues : wish->queues, info.max_tx_queues);
	result = configure(dpdk, &info);
	if (result < 0)
		return refuse(dpdk, result, "it cannot be configured", why);
	result = set_up_queues(dpdk);
	if (result < 0)
		return refuse(dpdk, result, "its queues cannot be set up", why);
	result = rte_eth_dev_start(dpdk->id);
	if (result < 0)
		return refuse(dpdk, result, "it cannot be started", why);
	rte_eth_promiscuous_enable(dpdk->id);
	return 0;
}

static void describe(struct port *port, const struct dpdk *dpdk, const struct port_wish *wish)
{
	struct rte_ether_addr address;

	port->info.mtu = dpdk->longest;
	port->info.receive_queues = (uint8_t)at_most(wish->queues, dpdk->receive_queues);
	port->info.send_queues = (uint8_t)at_most(wish->queues, dpdk->send_queues);
	if (rte_eth_macaddr_get(dpdk->id, &address) == 0) {
		port->info.has_ether = true;
		memcpy(port->info.ether, address.addr_bytes, sizeof(port->info.ether));
	}
}

int dpdk_open(struct port *port, const struct dpdk_device *device, const struct port_wish *wish,
	      struct port_error *why)
{
	struct dpdk *dpdk = calloc(1, sizeof(*dpdk));
	int result;

	if (!dpdk)
		return port_fail(why, -ENOMEM, NULL, "%s: out of memory", device->kind);
	dpdk->device = *device;
	port_log_clear();
	result = make_device(dpdk, why);
	port_log_libraries(); // libxdp sets back what it was told when it attaches
	if (result == 0) {
		result = set_up(dpdk, wish, why);
		if (result < 0)
			remove_device(dpdk);
	}
	if (result < 0) {
		free(dpdk);
		return result;
	}
	dpdk->device.kind = port->spec;
	describe(port, dpdk, wish);
	port->own = dpdk;
	return 0;
}

int dpdk_close(struct port *port, struct port_error *why)
{
	struct dpdk *dpdk = port->own;

	(void)why;
	rte_eth_dev_stop(dpdk->id);
	remove_device(dpdk);
	if (dpdk->device.held >= 0)
		close(dpdk->device.held);
	free(dpdk);
	return 0;
}

// ---- devices that are only named

static int open_bus(struct port *port, const char *rest, const struct port_wish *wish, struct port_error *why)
{
	struct dpdk_device device = { .kind = port->spec, .is_bus = true, .held = -1 };

	snprintf(device.name, sizeof(device.name), "%s", rest);
	return dpdk_open(port, &device, wish, why);
}

static int open_virtual(struct port *port, const char *rest, const struct port_wish *wish, struct port_error *why)
{
	struct dpdk_device device = { .kind = port->spec, .held = -1 };
	size_t length = strcspn(rest, ",");

	snprintf(device.name, sizeof(device.name), "%.*s", (int)length, rest);
	if (rest[length])
		snprintf(device.arguments, sizeof(device.arguments), "%s", rest + length + 1);
	return dpdk_open(port, &device, wish, why);
}

static int check_bus(const char *rest, struct port_error *why)
{
	unsigned domain, bus, device, function;
	int length = 0;

	if (sscanf(rest, "%4x:%2x:%2x.%1x%n", &domain, &bus, &device, &function, &length) == 4 && !rest[length])
		return 0;
	return port_fail(why, -EINVAL, "write pci:0000:01:00.0, as lspci -D shows it",
			 "pci:%.60s: is no address of a PCI device", rest);
}

static int check_virtual(const char *rest, struct port_error *why)
{
	size_t length = strcspn(rest, ",");

	if (length > 0 && length < sizeof(((struct dpdk_device *)0)->name))
		return 0;
	return port_fail(why, -EINVAL, "write vdev:net_ring0 or vdev:net_memif0,role=server",
			 "vdev:%.60s: names no device, or one too long", rest);
}

const struct port_driver port_pci = {
	.kind = {
		.prefix = "pci",
		.syntax = "pci:0000:01:00.0",
		.about = "a card that DPDK drives alone, without the kernel",
		.needs = "a card bound to vfio-pci (dpdk-devbind.py), huge pages, root",
		.receives = true,
		.sends = true,
		.has_several_queues = true,
	},
	.open = open_bus,
	.close = dpdk_close,
	.receive = dpdk_receive,
	.send = dpdk_send,
	.check = check_bus,
	.link = dpdk_link,
	.missed = dpdk_missed,
	.remedy = dpdk_remedy,
};

const struct port_driver port_vdev = {
	.kind = {
		.prefix = "vdev",
		.syntax = "vdev:NAME,ARGUMENTS",
		.about = "any virtual device of DPDK's: net_ring0, net_memif0, net_null0 ...",
		.needs = "",
		.receives = true,
		.sends = true,
		.has_several_queues = true,
	},
	.open = open_virtual,
	.close = dpdk_close,
	.receive = dpdk_receive,
	.send = dpdk_send,
	.check = check_virtual,
	.link = dpdk_link,
	.missed = dpdk_missed,
	.remedy = dpdk_remedy,
};
