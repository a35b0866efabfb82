// SPDX-License-Identifier: Apache-2.0
// A source without end and a sink, for measuring. The frames are written anew each time, so that what a graph did to a
// buffer is gone; with `buffers` so many of them go round in shuffled order before one is used again, as with a card.
#include "packet/pool.h"
#include "port/null_frames.h"
#include "port/platform.h"
#include "port/port_driver.h"

#include <errno.h>
#include <rte_memcpy.h>
#include <stdlib.h>
#include <time.h>

enum { AHEAD = 8 };

struct source {
	_Alignas(64) uint32_t next_frame;
	uint32_t next_buffer;      // of waiting
	uint64_t left;             // UINT64_MAX: without end
	struct rte_mbuf **waiting; // `buffers` of them; NULL: those freed last are taken
};

struct null {
	struct null_options options;
	struct null_frames frames;
	struct source sources[PORT_QUEUES];
};

static void close_sources(struct null *null)
{
	for (unsigned queue = 0; queue < PORT_QUEUES; queue++)
		if (null->sources[queue].waiting) {
			rte_pktmbuf_free_bulk(null->sources[queue].waiting, null->options.buffers);
			free(null->sources[queue].waiting);
		}
}

static int close_null(struct port *port, struct port_error *why)
{
	struct null *null = port->own;

	(void)why;
	close_sources(null);
	null_frames_free(&null->frames);
	free(null);
	return 0;
}

static void shuffle(struct rte_mbuf **mbufs, unsigned count, uint64_t *seed)
{
	for (unsigned i = count; i > 1; i--) {
		unsigned other = (unsigned)(null_random(seed) % i);
		struct rte_mbuf *mbuf = mbufs[other];

		mbufs[other] = mbufs[i - 1];
		mbufs[i - 1] = mbuf;
	}
}

static int fill_source(struct null *null, struct source *source, struct port_error *why)
{
	unsigned count = null->options.buffers;

	source->left = null->options.count ? null->options.count : UINT64_MAX;
	if (!count)
		return 0;
	source->waiting = calloc(count, sizeof(*source->waiting));
	if (source->waiting && rte_pktmbuf_alloc_bulk(platform_pool(), source->waiting, count) == 0) {
		shuffle(source->waiting, count, &null->options.seed);
		return 0;
	}
	free(source->waiting);
	source->waiting = NULL;
	return port_fail(why, -ENOMEM, "start with more buffers, or ask for fewer here",
			 "null:buffers=%u: the pool has %u buffers in all", count, platform_buffers());
}

static int open_null(struct port *port, const char *rest, const struct port_wish *wish, struct port_error *why)
{
	struct null *null = aligned_alloc(64, sizeof(*null));
	unsigned queues = RTE_MIN(wish->queues, (unsigned)PORT_QUEUES);
	int result;

	if (!null)
		return port_fail(why, -ENOMEM, NULL, "null: out of memory");
	memset(null, 0, sizeof(*null));
	port->own = null;
	null->options.seed = wish->seed;
	result = null_options_parse(&null->options, rest, why);
	if (result == 0 && (wish->direction & PORT_RECEIVE))
		result = null_frames_make(&null->frames, &null->options, why);
	for (unsigned i = 0; i < queues && result == 0 && (wish->direction & PORT_RECEIVE); i++)
		result = fill_source(null, &null->sources[i], why);
	if (result < 0) {
		close_null(port, NULL);
		return result;
	}
	port->info.direction = (uint8_t)wish->direction;
	port->info.receive_queues = port->info.send_queues = (uint8_t)queues;
	return 0;
}

// Takes buffers out of the round and puts as many others in; those were freed last, and will be the last to come.
static unsigned take_waiting(struct null *null, struct source *source, struct rte_mbuf **mbufs, unsigned wanted)
{
	struct rte_mbuf **waiting = source->waiting + source->next_buffer;

	wanted = RTE_MIN(wanted, null->options.buffers - source->next_buffer);
	memcpy(mbufs, waiting, wanted * sizeof(*mbufs));
	if (rte_pktmbuf_alloc_bulk(platform_pool(), waiting, wanted) < 0)
		return 0;
	source->next_buffer += wanted;
	if (source->next_buffer == null->options.buffers)
		source->next_buffer = 0;
	return wanted;
}

static uint64_t wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void put_frame(struct port *port, struct rte_mbuf *mbuf, const struct null_frame *frame, uint64_t now)
{
	mbuf->data_len = (uint16_t)frame->length;
	mbuf->pkt_len = frame->length;
	port_head(mbuf, port, now, frame->length, frame->link);
	packet_head(mbuf)->link_type = frame->link_type;
	rte_memcpy(rte_pktmbuf_mtod(mbuf, void *), frame->bytes, frame->length);
}

// All lines that are written; where they lie is known without looking into the buffer.
static inline void prefetch(const struct rte_mbuf *mbuf)
{
	rte_prefetch0(mbuf);
	rte_prefetch0(mbuf + 1);
	rte_prefetch0((const uint8_t *)(mbuf + 1) + PACKET_PRIVATE + RTE_PKTMBUF_HEADROOM);
}

static uint64_t put_frames(struct port *port, struct source *source, struct rte_mbuf **mbufs, unsigned count)
{
	const struct null_frames *frames = &((struct null *)port->own)->frames;
	uint64_t now = wall_clock(), bytes = 0;
	uint32_t next = source->next_frame;

	for (unsigned i = 0; i < count; i++) {
		uint32_t ahead = next + AHEAD < frames->count ? next + AHEAD : 0;

		if (i + AHEAD < count)
			prefetch(mbufs[i + AHEAD]);
		rte_prefetch0(frames->frames[ahead].bytes);
		put_frame(port, mbufs[i], &frames->frames[next], now);
		bytes += frames->frames[next].length;
		next = next + 1 == frames->count ? 0 : next + 1;
	}
	source->next_frame = next;
	return bytes;
}

static unsigned receive(struct port *port, unsigned queue, struct rte_mbuf **mbufs, unsigned wanted)
{
	struct null *null = port->own;
	struct source *source = &null->sources[queue];

	wanted = (unsigned)RTE_MIN((uint64_t)wanted, source->left);
	if (!null->frames.count || !wanted)
		return 0;
	if (source->waiting)
		wanted = take_waiting(null, source, mbufs, wanted);
	else if (rte_pktmbuf_alloc_bulk(platform_pool(), mbufs, wanted) < 0)
		wanted = 0;
	if (!wanted)
		return 0;
	if (null->options.count)
		__atomic_store_n(&source->left, source->left - wanted, __ATOMIC_RELEASE);
	port->in[queue].received_bytes += put_frames(port, source, mbufs, wanted);
	port->in[queue].received += wanted;
	return wanted;
}

static unsigned send_packets(struct port *port, unsigned queue, struct rte_mbuf **mbufs, unsigned count)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < count; i++)
		bytes += mbufs[i]->pkt_len;
	port->out[queue].sent_bytes += bytes;
	port->out[queue].sent += count;
	packet_free_bulk(mbufs, count);
	return count;
}

static bool ended(const struct port *port)
{
	const struct null *null = port->own;

	if (!null->options.count)
		return false;
	for (unsigned queue = 0; queue < port->info.receive_queues; queue++)
		if (__atomic_load_n(&null->sources[queue].left, __ATOMIC_ACQUIRE))
			return false;
	return true;
}

static int check(const char *rest, struct port_error *why)
{
	struct null_options options = { 0 };

	return null_options_parse(&options, rest, why);
}

const struct port_driver port_null = {
	.kind = {
		.prefix = "null",
		.syntax = "null:size=64,flows=N,frames=FILE,buffers=N,seed=N,count=N",
		.about = "a source without end and a sink, for measuring",
		.needs = "",
		.receives = true,
		.sends = true,
		.has_several_queues = true,
	},
	.open = open_null,
	.close = close_null,
	.receive = receive,
	.send = send_packets,
	.check = check,
	.ended = ended,
};
