// SPDX-License-Identifier: Apache-2.0
// Packets from and to DPDK's devices. A device here is plainer than a kernel's interface: it takes finished frames of
// at most its MTU, and many take one buffer a frame only; what is otherwise is finished, cut or copied together before.
#include "packet/pool.h"
#include "packet/protocol.h"
#include "port/dpdk.h"
#include "port/unfinished.h"

#include <rte_ethdev.h>
#include <time.h>

enum { BATCH = 64, TRIES = 3, ETHERNET = 14, TAGS = 8 };

static uint64_t wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void finish_received(struct port *port, unsigned queue, struct rte_mbuf *mbuf)
{
	struct transport transport;

	if (!transport_find(&transport, mbuf) || !unfinished_looks_so(mbuf, &transport))
		return;
	if (transport.protocol == TRANSPORT_UDP && !unfinished_field(mbuf, &transport))
		return; // UDP without a checksum
	unfinished_complete(mbuf, &transport);
	port->in[queue].completed++;
}

// The first buffer holds enough of a frame for every header; else it is copied together, or lost.
static struct rte_mbuf *straighten(struct port *port, unsigned queue, struct rte_mbuf *mbuf)
{
	struct rte_mbuf *copy;

	if (mbuf->nb_segs == 1 || mbuf->data_len >= PACKET_STRAIGHT)
		return mbuf;
	copy = packet_copy(mbuf);
	rte_pktmbuf_free(mbuf);
	if (!copy)
		port->in[queue].missed++;
	return copy;
}

static unsigned enter(struct port *port, unsigned queue, struct rte_mbuf **mbufs, unsigned count)
{
	const struct dpdk *dpdk = port->own;
	uint64_t now = wall_clock(), bytes = 0;
	unsigned kept = 0;

	for (unsigned i = 0; i < count; i++) {
		struct rte_mbuf *mbuf = mbufs[i];

		port_head(mbuf, port, now, mbuf->pkt_len, PROTO_ETH);
		mbuf = straighten(port, queue, mbuf);
		if (!mbuf)
			continue;
		if (dpdk->device.has_unfinished)
			finish_received(port, queue, mbuf);
		bytes += mbuf->pkt_len;
		mbufs[kept++] = mbuf;
	}
	port->in[queue].received += kept;
	port->in[queue].received_bytes += bytes;
	return kept;
}

// A device may have more queues than there are workers: each takes every n-th.
unsigned dpdk_receive(struct port *port, unsigned queue, struct rte_mbuf **mbufs, unsigned wanted)
{
	const struct dpdk *dpdk = port->own;
	unsigned count = 0;

	for (unsigned from = queue; from < dpdk->receive_queues && count < wanted; from += port->info.receive_queues)
		count += rte_eth_rx_burst(dpdk->id, (uint16_t)from, mbufs + count, (uint16_t)(wanted - count));
	return count ? enter(port, queue, mbufs, count) : 0;
}

// ---- sending

// Returns how many the device took; the others are freed.
static unsigned burst(const struct dpdk *dpdk, unsigned queue, struct rte_mbuf **mbufs, unsigned count)
{
	unsigned sent = 0;

	for (unsigned i = 0; i < TRIES && sent < count; i++)
		sent += rte_eth_tx_burst(dpdk->id, (uint16_t)queue, mbufs + sent, (uint16_t)(count - sent));
	rte_pktmbuf_free_bulk(mbufs + sent, count - sent);
	return sent;
}

struct sending {
	struct rte_mbuf *mbufs[BATCH];
	uint32_t lengths[BATCH];
	unsigned count, sent;
};

static void send_batch(struct port *port, unsigned queue, struct sending *sending)
{
	struct port_queue_out *out = &port->out[queue];
	unsigned sent = burst(port->own, queue, sending->mbufs, sending->count);

	for (unsigned i = 0; i < sent; i++)
		out->sent_bytes += sending->lengths[i];
	out->sent += sent;
	out->dropped[PORT_TX_FULL] += sending->count - sent;
	sending->sent += sent;
	sending->count = 0;
}

// The frames of one packet; it counts as sent if all of them were.
static void send_segments(struct port *port, unsigned queue, struct sending *sending, struct rte_mbuf *mbuf)
{
	struct port_queue_out *out = &port->out[queue];
	struct segments segments;
	struct rte_mbuf *frame;
	unsigned lost = 0;

	if (!segments_begin(&segments, mbuf)) {
		port_drop_one(port, queue, mbuf, PORT_UNFINISHED);
		return;
	}
	send_batch(port, queue, sending);
	while ((frame = segments_next(&segments))) {
		sending->mbufs[sending->count++] = frame;
		if (sending->count < BATCH)
			continue;
		lost += BATCH - burst(port->own, queue, sending->mbufs, BATCH);
		sending->count = 0;
	}
	lost += sending->count - burst(port->own, queue, sending->mbufs, sending->count);
	sending->count = 0;
	if (lost || segments.is_out_of_buffers) {
		port_drop_one(port, queue, mbuf, PORT_TX_FULL);
		return;
	}
	out->segmented++;
	out->sent++;
	out->sent_bytes += mbuf->pkt_len;
	sending->sent++;
	rte_pktmbuf_free(mbuf);
}

static bool is_oversize(const struct dpdk *dpdk, const struct rte_mbuf *mbuf)
{
	uint32_t longest = dpdk->longest + ETHERNET, length = unfinished_frame(mbuf);
	const uint8_t *bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);

	if (length <= longest)
		return false;
	// up to two tags do not count
	for (unsigned tags = 0; tags < TAGS && (weir_be16(bytes + 12 + tags) == 0x8100 ||
						weir_be16(bytes + 12 + tags) == 0x88a8); tags += 4)
		longest += 4;
	return length > longest;
}

// A finished frame in the form that the device takes; NULL: it was dropped.
static struct rte_mbuf *prepare(struct port *port, unsigned queue, struct rte_mbuf *mbuf)
{
	const struct dpdk *dpdk = port->own;
	struct rte_mbuf *copy;

	if (packet_head(mbuf)->unfinished) {
		mbuf = unfinished_own(mbuf);
		if (mbuf && !unfinished_finish(mbuf)) {
			port_drop_one(port, queue, mbuf, PORT_UNFINISHED);
			return NULL;
		}
		port->out[queue].completed += mbuf != NULL;
	}
	if (!mbuf || dpdk->takes_chains || (mbuf->nb_segs == 1 && !RTE_MBUF_CLONED(mbuf))) {
		port->out[queue].dropped[PORT_TX_FULL] += !mbuf;
		return mbuf;
	}
	copy = packet_copy(mbuf);
	rte_pktmbuf_free(mbuf);
	if (!copy)
		port->out[queue].dropped[PORT_TX_FULL]++;
	if (copy && copy->nb_segs > 1) { // longer than a buffer
		port_drop_one(port, queue, copy, PORT_OVERSIZE);
		return NULL;
	}
	return copy;
}

static void send_one(struct port *port, unsigned queue, struct sending *sending, struct rte_mbuf *mbuf)
{
	const struct dpdk *dpdk = port->own;

	if (mbuf->pkt_len < ETHERNET) {
		port_drop_one(port, queue, mbuf, PORT_TX_FAILED);
		return;
	}
	if (mbuf->pkt_len > dpdk->longest + ETHERNET && is_oversize(dpdk, mbuf)) {
		port_drop_one(port, queue, mbuf, PORT_OVERSIZE);
		return;
	}
	if (packet_head(mbuf)->gso_type) {
		send_segments(port, queue, sending, mbuf);
		return;
	}
	mbuf = prepare(port, queue, mbuf);
	if (!mbuf)
		return;
	sending->lengths[sending->count] = mbuf->pkt_len;
	sending->mbufs[sending->count++] = mbuf;
	if (sending->count == BATCH)
		send_batch(port, queue, sending);
}

unsigned dpdk_send(struct port *port, unsigned queue, struct rte_mbuf **mbufs, unsigned count)
{
	struct sending sending;

	sending.count = sending.sent = 0;
	for (unsigned i = 0; i < count; i++)
		send_one(port, queue, &sending, mbufs[i]);
	send_batch(port, queue, &sending);
	return sending.sent;
}

// ---- questions

enum port_link dpdk_link(const struct port *port)
{
	const struct dpdk *dpdk = port->own;
	struct rte_eth_link link;

	if (dpdk->device.held >= 0)
		return interface_link(dpdk->device.held, port->interface);
	if (rte_eth_link_get_nowait(dpdk->id, &link) < 0)
		return PORT_LINK_UNKNOWN;
	return link.link_status ? PORT_LINK_UP : PORT_LINK_DOWN;
}

uint64_t dpdk_missed(const struct port *port)
{
	const struct dpdk *dpdk = port->own;
	struct rte_eth_stats stats;

	return rte_eth_stats_get(dpdk->id, &stats) == 0 ? stats.imissed + stats.rx_nombuf + stats.ierrors : 0;
}

const char *dpdk_remedy(const struct port *port, enum port_drop drop)
{
	(void)port;
	switch (drop) {
	case PORT_OVERSIZE:
		return "packets are longer than the port's MTU: raise it, or let a router answer them (IPFragmenter, "
		       "ICMPError)";
	case PORT_UNFINISHED:
		return "packets were encapsulated before their checksums were complete: turn the sender's off-loading "
		       "off (ethtool -K IF tx off)";
	case PORT_TX_FAILED:
		return "packets are shorter than an Ethernet header";
	default:
		return NULL;
	}
}
