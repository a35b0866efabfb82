// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "port/interface.h"

#include "lib/diag.h"
#include "port/port_driver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct ifreq request(const char *name)
{
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return request;
}

// "eth7: no such interface; interfaces here: lo, eth0", and the one that may have been meant
static int refuse_unknown(const char *name, struct port_error *why)
{
	struct if_nameindex *all = if_nameindex();
	struct near near = { .word = name };
	char list[160] = "none", hint[64] = "";
	size_t length = 0;

	for (struct if_nameindex *one = all; one && one->if_index; one++) {
		near_try(&near, one->if_name);
		if (length + strlen(one->if_name) + 8 < sizeof(list))
			length += (size_t)sprintf(list + length, "%s%s", length ? ", " : "", one->if_name);
		else if (strcmp(list + length - 3, "...") != 0)
			length += (size_t)sprintf(list + length, ", ...");
	}
	if (near_best(&near))
		snprintf(hint, sizeof(hint), "did you mean \"%s\"?", near_best(&near));
	if (all)
		if_freenameindex(all);
	return port_fail(why, -ENODEV, hint, "%s: no such interface; interfaces here: %s", name, list);
}

// IPv6's link-local addresses do not count: the kernel gives them to every interface
static bool is_address_of_host(const struct ifaddrs *one)
{
	if (!one->ifa_addr)
		return false;
	if (one->ifa_addr->sa_family == AF_INET)
		return true;
	return one->ifa_addr->sa_family == AF_INET6 &&
	       !IN6_IS_ADDR_LINKLOCAL(&((struct sockaddr_in6 *)one->ifa_addr)->sin6_addr);
}

static bool has_addresses(const char *name)
{
	struct ifaddrs *all;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (struct ifaddrs *one = all; one && !found; one = one->ifa_next)
		found = !strcmp(one->ifa_name, name) && is_address_of_host(one);
	freeifaddrs(all);
	return found;
}

static void look_at_driver(struct interface *interface, int control)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq ask = request(interface->name);

	ask.ifr_data = (char *)&driver;
	if (ioctl(control, SIOCETHTOOL, &ask) == 0)
		snprintf(interface->driver, sizeof(interface->driver), "%s", driver.driver);
	// of PCI, USB and the like it says the address; virtio's is a PCI device, too, and no better than a veth
	interface->is_virtual = !strchr(driver.bus_info, ':') || !strncmp(interface->driver, "virtio", 6);
	ask.ifr_data = (char *)&channels;
	interface->channels = 1;
	if (ioctl(control, SIOCETHTOOL, &ask) == 0 && channels.combined_count + channels.rx_count > 1)
		interface->channels = channels.combined_count + channels.rx_count;
}

int interface_mtu(int control, const char *name)
{
	struct ifreq ask = request(name);

	return ioctl(control, SIOCGIFMTU, &ask) < 0 ? -errno : ask.ifr_mtu;
}

static int look(struct interface *interface, int control)
{
	struct ifreq ask = request(interface->name);
	int mtu = interface_mtu(control, interface->name);

	if (mtu < 0 || ioctl(control, SIOCGIFHWADDR, &ask) < 0)
		return -errno;
	interface->mtu = (uint32_t)mtu;
	interface->is_loopback = ask.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK;
	interface->is_ethernet = ask.ifr_hwaddr.sa_family == ARPHRD_ETHER || interface->is_loopback;
	memcpy(interface->ether, ask.ifr_hwaddr.sa_data, sizeof(interface->ether));
	interface->is_of_host = has_addresses(interface->name);
	look_at_driver(interface, control);
	return 0;
}

int interface_look(struct interface *interface, const char *name, struct port_error *why)
{
	int control, result;

	*interface = (struct interface){ .index = (int)if_nametoindex(name) };
	if (!interface->index)
		return refuse_unknown(name, why);
	snprintf(interface->name, sizeof(interface->name), "%s", name);
	control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (control < 0)
		return port_fail(why, -errno, NULL, "%s: %s", name, strerror(errno));
	result = look(interface, control);
	close(control);
	if (result < 0)
		return port_fail(why, result, NULL, "%s: %s", name, strerror(-result));
	if (!interface->is_ethernet)
		return port_fail(why, -EPROTONOSUPPORT, "open an interface whose frames begin with an Ethernet header",
				 "%s: is no Ethernet interface", name);
	return 0;
}

enum port_link interface_link(int control, const char *name)
{
	struct ifreq ask = request(name);

	if (ioctl(control, SIOCGIFFLAGS, &ask) < 0)
		return errno == ENODEV ? PORT_LINK_GONE : PORT_LINK_UNKNOWN;
	return (ask.ifr_flags & IFF_UP) && (ask.ifr_flags & IFF_RUNNING) ? PORT_LINK_UP : PORT_LINK_DOWN;
}

int interface_hold(const struct interface *interface)
{
	struct packet_mreq wish = { .mr_ifindex = interface->index, .mr_type = PACKET_MR_PROMISC };
	int held = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (held >= 0 && setsockopt(held, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &wish, sizeof(wish)) < 0) {
		int error = errno;

		close(held);
		return -error;
	}
	return held < 0 ? -errno : held;
}

bool process_may(enum capability capability)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	unsigned long long effective = 0;

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %llx", &effective) == 1)
			break;
	fclose(file);
	return effective >> capability & 1;
}
