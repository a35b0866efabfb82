// SPDX-License-Identifier: Apache-2.0
// AF_PACKET's socket and ring for reception: TPACKET_V2 with small slots. A frame that is longer than a slot lies whole
// in the socket's queue too (PACKET_COPY_THRESH) and is read from there, straight into buffers.
#ifndef PORT_PACKET_RING_H
#define PORT_PACKET_RING_H

#include "port/interface.h"

#include <linux/if_packet.h>
#include <linux/virtio_net.h>

enum { RING_SLOT = 2048, RING_SLOTS = 4096, RING_BLOCK = 64 * 1024 };

struct packet_ring {
	int socket;
	uint8_t *slots;
	uint32_t next;
};

// A raw socket, bound to the interface, whose frames have virtio's head in front; or -errno with *why. protocol 0: it
// receives nothing.
int packet_socket(const struct interface *interface, uint16_t protocol, struct port_error *why);
// hears_own: also what the host itself sends there.
int packet_ring_open(
	struct packet_ring *ring, const struct interface *interface, bool hears_own, struct port_error *why);
void packet_ring_close(struct packet_ring *ring);

static inline struct tpacket2_hdr *packet_ring_slot(const struct packet_ring *ring)
{
	return (struct tpacket2_hdr *)(ring->slots + (size_t)ring->next * RING_SLOT);
}
static inline bool packet_ring_has(const struct tpacket2_hdr *slot)
{
	return __atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER;
}
static inline void packet_ring_done(struct packet_ring *ring, struct tpacket2_hdr *slot)
{
	__atomic_store_n(&slot->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	ring->next = (ring->next + 1) % RING_SLOTS;
}

#endif
