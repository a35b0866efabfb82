// SPDX-License-Identifier: Apache-2.0
// Interfaces through AF_PACKET. Unlike DPDK's driver it takes what virtual interfaces really carry:
// frames of 64 kB that stand for many, and checksums left to be completed. Both are passed on as
// they are where the other side may, too.
//
// Reception: one ring, one queue. Transmission: a socket and a batch of system calls per worker, no
// ring: the kernel gives a ring's slot back while the receiver on the other side of a veth may
// still read it.
#define _GNU_SOURCE
#include "packet/pool.h"
#include "packet/protocol.h"
#include "port/buffers.h"
#include "port/packet_ring.h"
#include "port/platform.h"
#include "port/port_driver.h"
#include "port/unfinished.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BATCH = 64,
	PIECES = 1024, // of all messages of a batch; the kernel's limit for one
	BUFFERS = PACKET_LONGEST / PACKET_ROOM + 2, // of a packet as it is received
	HEAD = sizeof(struct virtio_net_hdr),
	TAG = 4,
	GSO_UDP_L4 = 5, // VIRTIO_NET_HDR_GSO_UDP_L4, since Linux 6.2
};

struct live {
	struct packet_ring ring;
	struct interface interface;
	int sockets[PORT_QUEUES];
	struct batch *batches[PORT_QUEUES];
	uint64_t missed; // the kernel's counter is cleared when it is read
};

// What one system call sends.
struct batch {
	struct mmsghdr messages[BATCH];
	struct virtio_net_hdr heads[BATCH];
	struct rte_mbuf *mbufs[BATCH];
	struct iovec pieces[PIECES];
	unsigned count, used;
};

static int close_packet(struct port *port, struct port_error *why)
{
	struct live *live = port->own;

	(void)why;
	packet_ring_close(&live->ring);
	for (unsigned i = 0; i < PORT_QUEUES; i++) {
		if (live->sockets[i] >= 0)
			close(live->sockets[i]);
		free(live->batches[i]);
	}
	free(live);
	return 0;
}

static int open_sockets(struct live *live, unsigned queues, struct port_error *why)
{
	for (unsigned i = 0; i < queues; i++) {
		live->sockets[i] = packet_socket(&live->interface, 0, why);
		if (live->sockets[i] < 0)
			return live->sockets[i];
		live->batches[i] = calloc(1, sizeof(*live->batches[i]));
		if (!live->batches[i])
			return port_fail(why, -ENOMEM, NULL, "af_packet:%s: out of memory", live->interface.name);
	}
	return 0;
}

static int open_packet(struct port *port, const char *rest, const struct port_wish *wish, struct port_error *why)
{
	struct live *live = calloc(1, sizeof(*live));
	unsigned queues = RTE_MIN(wish->queues, (unsigned)PORT_QUEUES);
	int result;

	if (!live)
		return port_fail(why, -ENOMEM, NULL, "af_packet:%s: out of memory", rest);
	port->own = live;
	live->ring.socket = -1;
	memset(live->sockets, 0xff, sizeof(live->sockets));
	result = interface_look(&live->interface, rest, why);
	if (result == 0)
		result = packet_ring_open(&live->ring, &live->interface, false, why);
	if (result == 0)
		result = open_sockets(live, queues, why);
	if (result < 0) {
		close_packet(port, NULL);
		return result;
	}
	snprintf(port->interface, sizeof(port->interface), "%s", live->interface.name);
	port->info.send_queues = (uint8_t)queues;
	port->info.takes_unfinished = true;
	port->info.has_ether = true;
	memcpy(port->info.ether, live->interface.ether, sizeof(port->info.ether));
	port->info.mtu = live->interface.mtu;
	return 0;
}

// Only listens: what the host sends is heard, too, and nothing can be sent. On a loopback all that
// is sent also arrives.
static int open_listen(struct port *port, const char *rest, const struct port_wish *wish, struct port_error *why)
{
	struct live *live = calloc(1, sizeof(*live));
	int result;

	if (!live)
		return port_fail(why, -ENOMEM, NULL, "listen:%s: out of memory", rest);
	if (wish->direction & PORT_SEND) {
		free(live);
		return port_fail(why, -EINVAL, "send by the interface alone, or by af_packet:",
			"listen:%s: only listens", rest);
	}
	port->own = live;
	live->ring.socket = -1;
	memset(live->sockets, 0xff, sizeof(live->sockets));
	result = interface_look(&live->interface, rest, why);
	if (result == 0)
		result = packet_ring_open(&live->ring, &live->interface, !live->interface.is_loopback, why);
	if (result < 0) {
		close_packet(port, NULL);
		return result;
	}
	port->info.direction = PORT_RECEIVE;
	port->info.takes_unfinished = true;
	return 0;
}

// ---- reception

// The tag that the kernel has taken out goes back behind the addresses.
static bool put_tag_back(struct rte_mbuf *mbuf, uint16_t tpid, uint16_t tci)
{
	uint8_t *at = (uint8_t *)rte_pktmbuf_prepend(mbuf, TAG);

	if (!at)
		return false;
	memmove(at, at + TAG, 12);
	weir_put16(at + 12, tpid);
	weir_put16(at + 14, tci);
	return true;
}

static bool gso_of(struct packet_head *head, const struct virtio_net_hdr *virtio)
{
	switch (virtio->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6:
		head->gso_type = PACKET_GSO_TCP;
		break;
	case GSO_UDP_L4:
		head->gso_type = PACKET_GSO_UDP;
		break;
	default:
		return false;
	}
	head->gso_size = virtio->gso_size;
	return true;
}

// What the kernel says of its checksum and its segments. Where that lies in a tunnel, the checksum is completed here;
// the frame then is one long frame.
static void note_unfinished(struct port *port, struct rte_mbuf *mbuf, const struct virtio_net_hdr *virtio, unsigned tag)
{
	struct transport transport;
	uint32_t start = virtio->csum_start + tag;

	if (!(virtio->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return;
	if (transport_find(&transport, mbuf) && transport.at == start && transport.sum == virtio->csum_offset) {
		packet_head(mbuf)->unfinished = PACKET_L4;
		gso_of(packet_head(mbuf), virtio);
		return;
	}
	if (unfinished_complete_at(mbuf, start, virtio->csum_offset))
		port->in[0].completed++;
}

// A frame that was too long for its slot. Room for it is there.
static bool read_long(struct live *live, struct rte_mbuf *mbuf, struct virtio_net_hdr *virtio)
{
	struct iovec pieces[1 + BUFFERS] = { { virtio, HEAD } };
	struct msghdr message = { .msg_iov = pieces, .msg_iovlen = 1 };
	ssize_t size;

	for (struct rte_mbuf *part = mbuf; part && message.msg_iovlen <= BUFFERS; part = part->next)
		pieces[message.msg_iovlen++] = (struct iovec){ rte_pktmbuf_mtod(part, void *), part->data_len };
	size = recvmsg(live->ring.socket, &message, MSG_DONTWAIT);
	return size == (ssize_t)(HEAD + mbuf->pkt_len);
}

// What is not read must not be taken for the next long frame.
static void skip_long(struct live *live, const struct tpacket2_hdr *slot)
{
	uint8_t byte;

	if (slot->tp_status & TP_STATUS_COPY)
		(void)!recv(live->ring.socket, &byte, 1, MSG_DONTWAIT | MSG_TRUNC);
}

static bool take_bytes(struct live *live, struct rte_mbuf *mbuf, const struct tpacket2_hdr *slot,
		       struct virtio_net_hdr *virtio)
{
	const uint8_t *bytes = (const uint8_t *)slot + slot->tp_mac;

	if (!mbuf || slot->tp_len > PACKET_LONGEST || !buffers_extend(mbuf, slot->tp_len)) {
		skip_long(live, slot);
		return false;
	}
	if (slot->tp_status & TP_STATUS_COPY)
		return read_long(live, mbuf, virtio);
	if (slot->tp_snaplen < slot->tp_len) // there was no room left in the socket's queue
		return false;
	memcpy(virtio, bytes - HEAD, HEAD);
	buffers_fill(mbuf, bytes, slot->tp_len);
	return true;
}

static bool take(struct port *port, struct rte_mbuf *mbuf, const struct tpacket2_hdr *slot)
{
	struct virtio_net_hdr virtio = { 0 };
	uint64_t time_ns = slot->tp_sec * 1000000000ull + slot->tp_nsec;
	unsigned tag = 0;

	if (!take_bytes(port->own, mbuf, slot, &virtio))
		return false;
	port_head(mbuf, port, time_ns, slot->tp_len, PROTO_ETH);
	if (slot->tp_status & TP_STATUS_VLAN_VALID) {
		uint16_t tpid = slot->tp_status & TP_STATUS_VLAN_TPID_VALID ? slot->tp_vlan_tpid : 0x8100;

		if (put_tag_back(mbuf, tpid, slot->tp_vlan_tci))
			tag = TAG;
		packet_head(mbuf)->original = mbuf->pkt_len;
	}
	note_unfinished(port, mbuf, &virtio, tag);
	return true;
}

static unsigned receive(struct port *port, unsigned queue, struct rte_mbuf **mbufs, unsigned wanted)
{
	struct live *live = port->own;
	struct port_queue_in *in = &port->in[queue];
	struct tpacket2_hdr *slot = packet_ring_slot(&live->ring);
	unsigned count = 0;

	for (; count < wanted && packet_ring_has(slot); slot = packet_ring_slot(&live->ring)) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(platform_pool());

		if (take(port, mbuf, slot)) {
			mbufs[count++] = mbuf;
			in->received_bytes += mbuf->pkt_len;
		} else {
			rte_pktmbuf_free(mbuf);
			in->missed++;
		}
		packet_ring_done(&live->ring, slot);
	}
	in->received += count;
	return count;
}

// ---- transmission

static void describe(struct virtio_net_hdr *virtio, struct rte_mbuf *mbuf, const struct transport *transport)
{
	const struct packet_head *head = packet_head(mbuf);

	*virtio = (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = (uint16_t)transport->at,
		.csum_offset = transport->sum,
	};
	if (!head->gso_type)
		return;
	virtio->gso_size = head->gso_size;
	virtio->hdr_len = (uint16_t)transport->headers;
	if (head->gso_type == PACKET_GSO_UDP)
		virtio->gso_type = GSO_UDP_L4;
	else
		virtio->gso_type = transport->is_v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	// CWR in a packet that is cut: only its first segment may carry it
	if (transport->protocol == TRANSPORT_TCP &&
	    (*rte_pktmbuf_mtod_offset(mbuf, uint8_t *, transport->at + 13) & 0x80))
		virtio->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
}

static enum port_drop drop_for(int error)
{
	switch (error) {
	case EMSGSIZE:
		return PORT_OVERSIZE;
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM:
		return PORT_TX_FULL;
	default: // ENETDOWN, ENXIO, ENODEV: it is down or gone; EINVAL: shorter than an Ethernet header
		return PORT_TX_FAILED;
	}
}

// Hands the batch to the kernel, which says of each message that it did not take why. Returns how many it took.
static unsigned send_batch(struct port *port, unsigned queue)
{
	struct live *live = port->own;
	struct batch *batch = live->batches[queue];
	struct port_queue_out *out = &port->out[queue];
	unsigned done = 0, sent = 0;

	while (done < batch->count) {
		int taken = sendmmsg(live->sockets[queue], batch->messages + done, batch->count - done, MSG_DONTWAIT);

		for (int i = 0; i < taken; i++)
			out->sent_bytes += batch->mbufs[done + (unsigned)i]->pkt_len;
		if (taken > 0) {
			sent += (unsigned)taken;
			done += (unsigned)taken;
		} else if (errno != EINTR) {
			out->dropped[drop_for(errno)]++;
			done++;
		}
	}
	out->sent += sent;
	rte_pktmbuf_free_bulk(batch->mbufs, batch->count);
	batch->count = batch->used = 0;
	return sent;
}

static void gather(struct batch *batch, struct rte_mbuf *mbuf)
{
	struct iovec *pieces = batch->pieces + batch->used;
	unsigned count = 0;

	pieces[count++] = (struct iovec){ &batch->heads[batch->count], HEAD };
	for (struct rte_mbuf *part = mbuf; part; part = part->next)
		pieces[count++] = (struct iovec){ rte_pktmbuf_mtod(part, void *), part->data_len };
	batch->messages[batch->count].msg_hdr = (struct msghdr){ .msg_iov = pieces, .msg_iovlen = count };
	batch->mbufs[batch->count++] = mbuf;
	batch->used += count;
}

// Fills in what the kernel shall finish; PORT_DROPS: it is fine.
static enum port_drop prepare(struct port *port, struct virtio_net_hdr *virtio, struct rte_mbuf *mbuf)
{
	struct transport transport;

	*virtio = (struct virtio_net_hdr){ 0 };
	if (!packet_head(mbuf)->unfinished)
		return PORT_DROPS;
	if (!transport_find(&transport, mbuf))
		return PORT_UNFINISHED;
	if (packet_head(mbuf)->gso_type &&
	    transport.headers - transport.network + packet_head(mbuf)->gso_size > port->info.mtu)
		return PORT_OVERSIZE; // the kernel would send its frames nevertheless, and the other side lose them
	unfinished_seed(mbuf, &transport);
	describe(virtio, mbuf, &transport);
	return PORT_DROPS;
}

// What may be written to, and fits into one message; NULL: it was dropped.
static struct rte_mbuf *own(struct port *port, unsigned queue, struct rte_mbuf *mbuf)
{
	struct rte_mbuf *copy = mbuf;

	if (packet_head(mbuf)->unfinished)
		copy = unfinished_own(mbuf);
	if (copy && copy->nb_segs >= PIECES) {
		mbuf = copy;
		copy = packet_copy(mbuf);
		rte_pktmbuf_free(mbuf);
	}
	if (!copy)
		port->out[queue].dropped[PORT_TX_FULL]++;
	return copy;
}

static unsigned send_packets(struct port *port, unsigned queue, struct rte_mbuf **mbufs, unsigned count)
{
	struct live *live = port->own;
	struct batch *batch = live->batches[queue];
	unsigned sent = 0;

	for (unsigned i = 0; i < count; i++) {
		struct rte_mbuf *mbuf = own(port, queue, mbufs[i]);
		enum port_drop drop;

		if (!mbuf)
			continue;
		if (batch->count == BATCH || batch->used + mbuf->nb_segs + 1u > PIECES)
			sent += send_batch(port, queue);
		drop = prepare(port, &batch->heads[batch->count], mbuf);
		if (drop == PORT_DROPS)
			gather(batch, mbuf);
		else
			port_drop_one(port, queue, mbuf, drop);
	}
	return sent + send_batch(port, queue);
}

// ---- questions

static int descriptor(const struct port *port, unsigned queue)
{
	const struct live *live = port->own;

	(void)queue;
	return live->ring.socket;
}

static enum port_link link_of(const struct port *port)
{
	const struct live *live = port->own;

	return interface_link(live->ring.socket, live->interface.name);
}

static uint64_t missed(const struct port *port)
{
	struct live *live = port->own;
	struct tpacket_stats stats;
	socklen_t size = sizeof(stats);

	if (getsockopt(live->ring.socket, SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0)
		live->missed += stats.tp_drops;
	return live->missed;
}

static const char *remedy(const struct port *port, enum port_drop drop)
{
	(void)port;
	switch (drop) {
	case PORT_OVERSIZE:
		return "packets are longer than the interface's MTU: raise it (ip link set IF mtu N), or let a router "
		       "answer them (IPFragmenter, ICMPError)";
	case PORT_UNFINISHED:
		return "packets were encapsulated before their checksums were complete: turn the sender's off-loading "
		       "off (ethtool -K IF tx off)";
	case PORT_TX_FAILED:
		return "the interface is down or gone, or a packet had no Ethernet header";
	default:
		return NULL;
	}
}

static bool works(struct port_error *why)
{
	if (process_may(MAY_NET_RAW))
		return true;
	port_fail(why, -EPERM, "run as root, or once: setcap cap_net_raw,cap_net_admin+ep $(command -v weir)",
		  "needs the capability CAP_NET_RAW");
	return false;
}

const struct port_driver port_packet = {
	.kind = {
		.prefix = "af_packet",
		.syntax = "af_packet:eth0",
		.about = "an interface, beside the host's own stack; any frame up to 256 kB",
		.needs = "CAP_NET_RAW",
		.receives = true,
		.sends = true,
		.takes_unfinished = true,
		.has_several_queues = false,
	},
	.open = open_packet,
	.close = close_packet,
	.receive = receive,
	.send = send_packets,
	.check = port_check_interface,
	.descriptor = descriptor,
	.link = link_of,
	.missed = missed,
	.remedy = remedy,
	.works = works,
};

const struct port_driver port_listen = {
	.kind = {
		.prefix = "listen",
		.syntax = "listen:eth0",
		.about = "an interface, to look on: what the host receives and what it sends",
		.needs = "CAP_NET_RAW",
		.receives = true,
		.takes_unfinished = true,
	},
	.open = open_listen,
	.close = close_packet,
	.receive = receive,
	.check = port_check_interface,
	.descriptor = descriptor,
	.link = link_of,
	.missed = missed,
	.works = works,
};
