// SPDX-License-Identifier: Apache-2.0
#include "port/packet_ring.h"

#include "port/port_driver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKET_BYTES = 32 << 20 }; // of long frames that wait, in each direction

static int refuse(const struct interface *interface, int error, const char *what, struct port_error *why)
{
	if (error == EPERM)
		return port_fail(why, -error, "run as root, or once: setcap cap_net_raw,cap_net_admin+ep "
			"$(command -v weir)", "af_packet:%s: needs the capability CAP_NET_RAW", interface->name);
	if (error == EAFNOSUPPORT)
		return port_fail(why, -error, "modprobe af_packet", "af_packet:%s: this kernel has no AF_PACKET",
				 interface->name);
	if (error == ENOMEM || error == ENOBUFS)
		return port_fail(why, -error, "free memory", "af_packet:%s: no memory for a ring of %d MB",
				 interface->name, RING_SLOT * RING_SLOTS >> 20);
	return port_fail(why, -error, NULL, "af_packet:%s: %s: %s", interface->name, what, strerror(error));
}

static int set(int socket, int level, int option, int value)
{
	return setsockopt(socket, level, option, &value, sizeof(value));
}

// More than the kernel's limit needs CAP_NET_ADMIN; without it, the limit has to do.
static void enlarge(int socket, int forced, int plain)
{
	if (set(socket, SOL_SOCKET, forced, SOCKET_BYTES) < 0)
		set(socket, SOL_SOCKET, plain, SOCKET_BYTES);
}

static int bind_to(int socket, const struct interface *interface, uint16_t protocol)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = interface->index,
	};

	return bind(socket, (struct sockaddr *)&address, sizeof(address));
}

int packet_socket(const struct interface *interface, uint16_t protocol, struct port_error *why)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error;

	if (fd < 0)
		return refuse(interface, errno, "socket", why);
	enlarge(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	if (set(fd, SOL_PACKET, PACKET_VNET_HDR, 1) == 0 && (protocol || bind_to(fd, interface, 0) == 0))
		return fd; // one that receives is bound when its ring is there
	error = errno;
	close(fd);
	return refuse(interface, error, "PACKET_VNET_HDR", why);
}

static int set_up_ring(struct packet_ring *ring, bool hears_own)
{
	struct tpacket_req request = {
		.tp_block_size = RING_BLOCK,
		.tp_block_nr = RING_SLOT * RING_SLOTS / RING_BLOCK,
		.tp_frame_size = RING_SLOT,
		.tp_frame_nr = RING_SLOTS,
	};
	void *mapped;

	enlarge(ring->socket, SO_RCVBUFFORCE, SO_RCVBUF);
	if (set(ring->socket, SOL_PACKET, PACKET_VERSION, TPACKET_V2) < 0 ||
	    set(ring->socket, SOL_PACKET, PACKET_COPY_THRESH, 1) < 0 ||
	    set(ring->socket, SOL_PACKET, PACKET_AUXDATA, 1) < 0 ||
	    set(ring->socket, SOL_PACKET, PACKET_IGNORE_OUTGOING, !hears_own) < 0 ||
	    setsockopt(ring->socket, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) < 0)
		return -errno;
	mapped = mmap(NULL, (size_t)RING_SLOT * RING_SLOTS, PROT_READ | PROT_WRITE, MAP_SHARED, ring->socket, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	ring->slots = mapped;
	return 0;
}

static int start_to_receive(struct packet_ring *ring, const struct interface *interface)
{
	struct packet_mreq wish = { .mr_ifindex = interface->index, .mr_type = PACKET_MR_PROMISC };

	if (setsockopt(ring->socket, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &wish, sizeof(wish)) < 0)
		return -errno;
	return bind_to(ring->socket, interface, ETH_P_ALL) < 0 ? -errno : 0;
}

int packet_ring_open(
	struct packet_ring *ring, const struct interface *interface, bool hears_own, struct port_error *why)
{
	int result;

	*ring = (struct packet_ring){ .socket = packet_socket(interface, ETH_P_ALL, why) };
	if (ring->socket < 0)
		return ring->socket;
	result = set_up_ring(ring, hears_own);
	if (result == 0)
		result = start_to_receive(ring, interface);
	if (result < 0) {
		packet_ring_close(ring);
		return refuse(interface, -result, "its ring", why);
	}
	return 0;
}

void packet_ring_close(struct packet_ring *ring)
{
	if (ring->slots)
		munmap(ring->slots, (size_t)RING_SLOT * RING_SLOTS);
	if (ring->socket >= 0)
		close(ring->socket);
	*ring = (struct packet_ring){ .socket = -1 };
}
