// SPDX-License-Identifier: Apache-2.0
// Captures as ports that receive.
#include "port/buffers.h"
#include "port/capture.h"
#include "port/links.h"
#include "port/platform.h"
#include "port/port_driver.h"

#include <errno.h>
#include <rte_memcpy.h>
#include <stdlib.h>

enum { GATHER = 64 };

struct reader {
	struct capture *capture;
	struct capture_record records[GATHER];
	unsigned next, count; // of records: those that have been gathered and not yet taken
	uint64_t last_ns;     // for records without a time
	bool is_ended;
};

static int open_reader(struct port *port, const char *rest, const struct port_wish *wish, struct port_error *why)
{
	struct reader *reader;
	struct capture_error error;
	int result;

	if (wish->direction != PORT_RECEIVE)
		return port_fail(why, -EINVAL, "read one and write another",
				 "%s: a capture is read or written, not both", rest);
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return port_fail(why, -ENOMEM, NULL, "%s: out of memory", rest);
	result = capture_open(&reader->capture, rest, &error);
	if (result < 0) {
		free(reader);
		return port_fail(why, result, error.hint, "%s", error.text);
	}
	capture_wait(reader->capture, 0);
	port->own = reader;
	port->info.direction = PORT_RECEIVE;
	port->info.is_capture = true;
	return 0;
}

static int close_reader(struct port *port, struct port_error *why)
{
	struct reader *reader = port->own;

	(void)why;
	capture_close(&reader->capture);
	free(reader);
	return 0;
}

// Returns false if there are no buffers for it. What is longer than any packet may be is cut, as by a snap length.
static bool take(struct port *port, struct rte_mbuf *mbuf, const struct capture_record *record)
{
	struct reader *reader = port->own;
	uint32_t length = RTE_MIN(record->captured, (uint32_t)PACKET_LONGEST);

	if (length <= PACKET_ROOM) {
		rte_memcpy(rte_pktmbuf_mtod(mbuf, uint8_t *), record->bytes, length);
		mbuf->data_len = (uint16_t)length;
		mbuf->pkt_len = length;
	} else if (buffers_extend(mbuf, length)) {
		buffers_fill(mbuf, record->bytes, length);
	} else {
		return false;
	}
	if (record->has_time)
		reader->last_ns = record->time_ns;
	port_head(mbuf, port, reader->last_ns, record->original, links_protocol(record->link_type));
	packet_head(mbuf)->link_type = record->link_type;
	return true;
}

// Buffers for as many as there are; what does not get one stays for later.
static unsigned some_buffers(struct rte_mbuf **mbufs, unsigned wanted)
{
	for (; wanted; wanted /= 2)
		if (rte_pktmbuf_alloc_bulk(platform_pool(), mbufs, wanted) == 0)
			break;
	return wanted;
}

// Takes records that have been gathered. One for which the pool has no buffers now is tried again at the next call.
static unsigned take_some(struct port *port, struct rte_mbuf **mbufs, unsigned wanted)
{
	struct reader *reader = port->own;
	unsigned count = some_buffers(mbufs, RTE_MIN(wanted, reader->count - reader->next)), taken = 0;
	uint64_t bytes = 0, opaque = 0;

	while (taken < count && take(port, mbufs[taken], &reader->records[reader->next])) {
		bytes += mbufs[taken]->pkt_len;
		opaque += packet_head(mbufs[taken])->link == PROTO_DATA;
		reader->next++;
		taken++;
	}
	if (taken < count)
		rte_pktmbuf_free_bulk(mbufs + taken, count - taken);
	port->in[0].received += taken;
	port->in[0].received_bytes += bytes;
	port->in[0].opaque += opaque;
	return taken;
}

static unsigned receive(struct port *port, unsigned queue, struct rte_mbuf **mbufs, unsigned wanted)
{
	struct reader *reader = port->own;
	unsigned taken = 0;

	(void)queue;
	while (taken < wanted) {
		unsigned more;

		if (reader->next == reader->count) {
			int count = capture_gather(reader->capture, reader->records, GATHER);

			if (count == 0 || (count < 0 && count != -EAGAIN))
				__atomic_store_n(&reader->is_ended, true, __ATOMIC_RELEASE);
			reader->next = 0;
			reader->count = count > 0 ? (unsigned)count : 0;
			if (count <= 0)
				break;
		}
		more = take_some(port, mbufs + taken, wanted - taken);
		if (!more)
			break;
		taken += more;
	}
	return taken;
}

static bool ended(const struct port *port)
{
	const struct reader *reader = port->own;

	return __atomic_load_n(&reader->is_ended, __ATOMIC_ACQUIRE);
}

static const char *damage(const struct port *port)
{
	const struct reader *reader = port->own;

	return ended(port) ? capture_damage(reader->capture) : NULL;
}

static int check(const char *rest, struct port_error *why)
{
	if (*rest)
		return 0;
	return port_fail(why, -EINVAL, "name it: \"pcap:in.pcap\"", "a port's capture has no path");
}

const struct port_driver port_reader = {
	.kind = {
		.prefix = "pcap",
		.syntax = "in.pcapng, pcap:FILE or -",
		.about = "a capture that is read: pcap or pcapng, times are its own",
		.needs = "",
		.receives = true,
	},
	.open = open_reader,
	.close = close_reader,
	.receive = receive,
	.check = check,
	.ended = ended,
	.damage = damage,
};
