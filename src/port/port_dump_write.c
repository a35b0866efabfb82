// SPDX-License-Identifier: Apache-2.0
// Captures as ports that send. The first packet decides the link type; a pcapng file gets an interface for each that
// comes, a pcap file has one and drops the others as "link_type".
#include "packet/pool.h"
#include "port/capture.h"
#include "port/links.h"
#include "port/port_driver.h"
#include "port/unfinished.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PIECES = 1024, LINK_TYPES = 16 };

struct writer {
	struct capture_writer *writer;
	struct {
		uint16_t link_type;
		int number; // of its interface, or -EINVAL: refused
	} links[LINK_TYPES];
	unsigned count;
	bool is_pipe; // somebody reads along
	char remedy[320];
	struct iovec pieces[PIECES];
};

static int open_writer(struct port *port, const char *rest, const struct port_wish *wish, struct port_error *why)
{
	struct writer *writer = calloc(1, sizeof(*writer));
	struct capture_error error;
	struct stat state;
	int result;

	(void)wish;
	if (!writer)
		return port_fail(why, -ENOMEM, NULL, "%s: out of memory", rest);
	result = capture_create(&writer->writer, rest, NULL, &error);
	if (result < 0) {
		free(writer);
		return port_fail(why, result, error.hint, "%s", error.text);
	}
	writer->is_pipe = !strcmp(rest, "-") || (stat(rest, &state) == 0 && !S_ISREG(state.st_mode));
	snprintf(writer->remedy, sizeof(writer->remedy), "%.200s is a pcap file, which has one link type: write to a "
		".pcapng file", rest);
	port->own = writer;
	port->info.direction = PORT_SEND;
	port->info.is_capture = true;
	return 0;
}

static int close_writer(struct port *port, struct port_error *why)
{
	struct writer *writer = port->own;
	struct capture_error error;
	int result;

	// a capture without packets is one all the same, of the usual link type
	if (!writer->count)
		capture_interface(writer->writer, 1, 0, NULL);
	result = capture_finish(&writer->writer, &error);
	free(writer);
	return result < 0 ? port_fail(why, result, error.hint, "%s", error.text) : 0;
}

// The interface for a link type; negative: the file cannot have it.
static int interface_for(struct writer *writer, uint16_t link_type)
{
	unsigned i = 0;

	while (i < writer->count && writer->links[i].link_type != link_type)
		i++;
	if (i == LINK_TYPES)
		return -EINVAL;
	if (i == writer->count) {
		writer->links[i].link_type = link_type;
		writer->links[i].number = capture_interface(writer->writer, link_type, 0, NULL);
		writer->count++;
	}
	return writer->links[i].number;
}

static unsigned pieces_of(struct writer *writer, struct rte_mbuf *mbuf)
{
	unsigned count = 0;

	for (; mbuf && count < PIECES; mbuf = mbuf->next)
		writer->pieces[count++] = (struct iovec){ rte_pktmbuf_mtod(mbuf, void *), mbuf->data_len };
	return count;
}

// PORT_DROPS: it is written.
static enum port_drop write_one(struct port *port, struct rte_mbuf *mbuf)
{
	struct writer *writer = port->own;
	const struct packet_head *head = packet_head(mbuf);
	struct capture_record record = {
		.time_ns = head->time_ns,
		.captured = mbuf->pkt_len,
		.original = RTE_MAX(head->original, mbuf->pkt_len),
		.has_time = true,
	};
	int link_type = links_number(head);
	int interface = link_type < 0 ? link_type : interface_for(writer, (uint16_t)link_type);
	int result;

	if (interface < 0)
		return interface == -EINVAL || link_type < 0 ? PORT_LINK_TYPE : PORT_TX_FAILED;
	record.interface = (uint32_t)interface;
	record.link_type = (uint16_t)link_type;
	if (mbuf->nb_segs == 1) {
		record.bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);
		result = capture_write(writer->writer, &record);
	} else {
		result = capture_write_pieces(writer->writer, &record, writer->pieces, pieces_of(writer, mbuf));
	}
	return result < 0 ? PORT_TX_FAILED : PORT_DROPS;
}

// Bytes to write to and few enough pieces, finished; NULL: no buffers.
static struct rte_mbuf *finished(struct port *port, struct rte_mbuf *mbuf)
{
	struct rte_mbuf *own = mbuf;

	if (mbuf->nb_segs > PIECES) {
		own = packet_copy(mbuf);
		rte_pktmbuf_free(mbuf);
	}
	if (!own || !packet_head(own)->unfinished)
		return own;
	own = unfinished_own(own);
	// where it does not say which header, the packet is seen as it is
	if (own && unfinished_finish(own))
		port->out[0].completed++;
	return own;
}

static unsigned send_packets(struct port *port, unsigned queue, struct rte_mbuf **mbufs, unsigned count)
{
	struct port_queue_out *out = &port->out[queue];
	unsigned sent = 0;

	for (unsigned i = 0; i < count; i++) {
		enum port_drop drop = PORT_TX_FULL;
		struct rte_mbuf *mbuf = mbufs[i];

		if (packet_head(mbuf)->unfinished || mbuf->nb_segs > PIECES)
			mbuf = finished(port, mbuf);
		mbufs[i] = mbuf;
		if (mbuf)
			drop = write_one(port, mbuf);
		if (drop == PORT_DROPS) {
			sent++;
			out->sent_bytes += mbuf->pkt_len;
		} else {
			out->dropped[drop]++;
		}
	}
	out->sent += sent;
	rte_pktmbuf_free_bulk(mbufs, count); // NULL among them is fine
	return sent;
}

static void flush(struct port *port, unsigned queue)
{
	struct writer *writer = port->own;

	(void)queue;
	if (writer->is_pipe)
		capture_flush(writer->writer);
}

static const char *remedy(const struct port *port, enum port_drop drop)
{
	const struct writer *writer = port->own;

	return drop == PORT_LINK_TYPE ? writer->remedy : NULL;
}

const struct port_driver port_writer = {
	.kind = {
		.prefix = "pcap",
		.syntax = "out.pcapng, pcap:FILE or -",
		.about = "a capture that is written: pcapng for .pcapng, else pcap; times are those of the packets",
		.needs = "",
		.sends = true,
	},
	.open = open_writer,
	.close = close_writer,
	.send = send_packets,
	.flush = flush,
	.remedy = remedy,
};
