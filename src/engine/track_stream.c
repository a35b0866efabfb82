// SPDX-License-Identifier: Apache-2.0
// Streams: from segments to stream.data, tcp.gap, tcp.overlapped and stream.closed. What waits for bytes in front of it
// keeps a clone of its packet; the packet itself goes on meanwhile.
#include "engine/track_tcp.h"

#include "engine/worker.h"
#include "packet/pool.h"
#include "plan/platform.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

static const struct weir_text directions[] = { { "out", 3 }, { "back", 4 } };

static struct track_side *side_of(struct stream *stream)
{
	return (struct track_side *)stream;
}
static_assert(offsetof(struct track_side, stream) == 0);

static struct track_side *side_from(struct track_streams *streams, bool is_server)
{
	return &streams->side[streams->side[0].is_server != is_server];
}

// ---- what is heard: noted here, told with the packet, or aside where it comes of none

// Events of a flow that goes on, but come of no packet of it: time has told.
static struct ending *aside(struct worker *worker, struct flow *flow)
{
	struct tracker *tracker = worker->tracker;
	uint64_t at_ns = tracker->settles ? tracker->streams->settled_ns : worker->now_ns;
	struct ending *loose = tracker->loose;

	if (loose && loose->flow == flow && loose->at_ns == at_ns && loose->slot == tracker->slot)
		return loose;
	if (tracker->ending_count == TRACK_ENDINGS)
		return NULL;
	tracker->loose = &tracker->endings[tracker->ending_count++];
	*tracker->loose = (struct ending){ .flow = flow, .at_ns = at_ns, .slot = (uint8_t)tracker->slot };
	return tracker->loose;
}

static void *note(struct worker *worker, struct stream *stream, const struct weir_signal *signal)
{
	struct tracker *tracker = worker->tracker;
	struct track_side *side = side_of(stream);
	bool is_aside = !tracker->ending && (tracker->slot == WEIR_VECTOR || tracker->settles);
	void *payload;

	if (!signal)
		return NULL;
	if (is_aside)
		tracker->ending = aside(worker, side->flow);
	payload = !is_aside || tracker->ending ? event_append(worker, signal, tracker->slot) : NULL;
	if (is_aside)
		tracker->ending = NULL;
	if (!payload)
		return NULL;
	((struct event_record *)((char *)payload - offsetof(struct event_record, payload)))->from_server =
		side->is_server;
	return payload;
}

SHA2_CTX *track_hash(const struct plan *plan, struct track_side *side)
{
	struct track_side *first = side - side->is_second;

	return plan->tracking->hash && side->is_hashed
		? &((struct track_hashes *)((char *)first + PLAN_FLOW_STREAMS))->side[side->is_second]
		: NULL;
}

static SHA2_CTX *hash_of(const struct worker *worker, struct track_side *side)
{
	return track_hash(worker->generation->plan, side);
}

static void hear_data(void *context, struct stream *stream, uint64_t offset, const uint8_t *bytes, uint32_t length)
{
	struct worker *worker = context;
	struct weir_stream_data *data = note(worker, stream, worker->generation->flow.data);
	SHA2_CTX *hash = hash_of(worker, side_of(stream));

	if (hash)
		SHA256Update(hash, bytes, length);

	if (data)
		*data = (struct weir_stream_data){
			directions[side_of(stream)->is_server], offset, { (const char *)bytes, length }
		};
}

static void hear_gap(
	void *context, struct stream *stream, uint64_t offset, uint64_t length, enum stream_gap_cause cause)
{
	struct worker *worker = context;
	struct weir_gap *gap = note(worker, stream, worker->generation->flow.gap);

	(void)cause;
	if (gap)
		*gap = (struct weir_gap){ directions[side_of(stream)->is_server], offset, length };
}

static void hear_overlap(
	void *context, struct stream *stream, uint64_t offset, uint32_t length, enum stream_same same)
{
	struct worker *worker = context;
	struct weir_overlap *overlap = note(worker, stream, worker->generation->flow.overlapped);

	if (overlap)
		*overlap = (struct weir_overlap){
			directions[side_of(stream)->is_server], offset, length, same == STREAM_DIFFERENT
		};
}

static void tell_hash(struct worker *worker, struct track_side *side, struct weir_stream_end *end)
{
	SHA2_CTX *hash = hash_of(worker, side);
	char digits[SHA256_DIGEST_STRING_LENGTH];

	if (!hash)
		return;
	SHA256End(hash, digits);
	memcpy(end->digits_, digits, sizeof(end->digits_));
	end->sha256 = (struct weir_text){ end->digits_, sizeof(end->digits_) };
}

static void hear_end(void *context, struct stream *stream)
{
	struct worker *worker = context;
	struct weir_stream_end *end = note(worker, stream, worker->generation->flow.stream_closed);
	struct track_side *side = side_of(stream);
	const struct weir_flow *flow = &side->flow->head;

	if (!end)
		return;
	*end = (struct weir_stream_end){
		.client = weir_end_(flow, 0),
		.server = weir_end_(flow, 1),
		.client_port = flow->client_port,
		.server_port = flow->server_port,
		.direction = directions[side->is_server],
		.bytes = stream->offset - stream->gap_bytes,
		.gap_bytes = stream->gap_bytes,
	};
	tell_hash(worker, side, end);
}

void track_settle(struct worker *worker, uint64_t now_ns)
{
	struct tracker *tracker = worker->tracker;

	tracker->settles = true;
	while (tracker->streams->first_evident && tracker->ending_count < TRACK_ASIDE &&
		stream_settle_next(tracker->streams, now_ns))
		;
	tracker->settles = false;
}

// ---- segments

int track_make_streams(struct tracker *tracker, struct worker *worker, unsigned handles)
{
	struct stream_sink sink = { worker, hear_data, hear_gap, hear_overlap, hear_end };
	struct keeper keeper = { worker, track_keep, track_let_go };
	struct stream_limits limits = stream_limits_default;
	int err;

	if (limits.handles > handles)
		limits.handles = handles;
	tracker->streams = calloc(1, sizeof(*tracker->streams));
	if (!tracker->streams)
		return -ENOMEM;
	err = stream_pool_init(tracker->streams, &limits, &sink, &keeper);
	if (err) {
		free(tracker->streams);
		tracker->streams = NULL;
	}
	return err;
}

bool track_is_side_wanted(const struct plan *plan, const struct track_side *side)
{
	return (plan->are_streams_observed && !side->is_unwatched) ||
		(plan->stream_bits & ~side->flow->head.done_ & ~(side->stopped | side->unwanted));
}

// Who can want nothing of this connection, by its addresses and ports?
static void choose(const struct plan *plan, struct track_side *side)
{
	uint32_t wanted = 0;
	bool is_watched = !plan->are_watches_choosy;

	list_each (want, &plan->wants) {
		if ((want->bit ? !(wanted & want->bit) : !is_watched) && track_may_hold(want->program, side->flow)) {
			wanted |= want->bit;
			is_watched |= !want->bit;
		}
	}
	side->unwanted = plan->choosy_bits & ~wanted;
	side->is_unwatched = !is_watched;
}

static void begin_sides(const struct plan *plan, struct track_streams *streams, struct flow *flow, bool is_outer)
{
	for (unsigned i = 0; i < 2; i++) {
		streams->side[i] = (struct track_side){
			.flow = flow, .is_server = i, .is_second = i, .is_outer = is_outer };
		if (is_outer && plan->wants.count)
			choose(plan, &streams->side[i]);
	}
}

void track_start_late(const struct plan *plan, struct track_streams *streams, struct flow *flow, bool is_outer)
{
	begin_sides(plan, streams, flow, is_outer);
	for (unsigned i = 0; i < 2; i++)
		streams->side[i].is_late = flow_counted(flow, i).payload;
}

// How many bytes of its stream were sent in front of this one; the sequence number alone tells it to the next 4 GiB.
static uint64_t sent_before(const struct flow *flow, bool from_server, uint32_t seq)
{
	uint64_t counted = flow_counted(flow, from_server).payload;
	uint32_t sent = seq - tcp_first((const struct tcp *)flow->tcp, from_server);
	int64_t offset = (int64_t)counted + (int32_t)(sent - (uint32_t)counted);

	return offset < 0 ? sent : (uint64_t)offset;
}

struct track_side *track_side(const struct plan *plan, struct flow *flow, bool of_server)
{
	struct track_streams *streams = track_streams(plan, &flow->head);

	return streams && streams->side[0].flow ? side_from(streams, of_server) : NULL;
}

bool track_is_stopped(const struct plan *plan, struct weir_flow *flow, bool of_server, uint32_t flow_bit)
{
	const struct track_side *side = flow ? track_side(plan, (struct flow *)flow, of_server) : NULL;

	return side && side->stopped & flow_bit;
}

static void start(struct worker *worker, struct track_side *side, const struct flow_found *found,
	const struct tcp_segment *segment)
{
	const struct tracker_element *set = worker->generation->plan->tracking;
	uint32_t first = tcp_first(track_tcp_of(found->flow), found->from_server);

	if (side->stream.marks & STREAM_STARTED || (side->is_late && !segment->length))
		return;
	if (side->is_late)
		first = tcp_payload_seq(segment);
	worker->tracker->followed++;
	stream_start(&side->stream, first, side->is_late ? sent_before(found->flow, found->from_server, first) : 0,
		(enum overlap_policy)overlap_policy_find(set->overlap));
	side->stream.gap_bytes = side->stream.offset; // nobody has heard those
	if (worker->generation->plan->remembers_streams)
		stream_remember(worker->tracker->streams, &side->stream);
	side->is_hashed = set->hash && !side->is_late;
	if (side->is_hashed)
		SHA256Init(hash_of(worker, side));
}

// The payload lies in one buffer or in several, and a capture may have cut it.
static void add_payload(struct worker *worker, unsigned slot, struct stream *stream,
	const struct track_segment *segment)
{
	struct rte_mbuf *packet = packet_mbuf(worker->vector->head.packet[slot]);
	uint32_t from = segment->payload, at = 0;
	struct stream_segment part = { .seq = tcp_payload_seq(&segment->tcp),
		.packet = packet,
		.now_ns = worker->vector->head.time_ns[slot] };

	if (segment->whole) {
		part.bytes = segment->whole->bytes + from;
		part.length = segment->end - from;
		part.packet = segment->whole;
		stream_add(worker->tracker->streams, stream, &part);
		return;
	}
	for (struct rte_mbuf *buffer = packet; buffer && from < segment->end;
		at += buffer->data_len, buffer = buffer->next) {
		uint32_t end = at + buffer->data_len < segment->end ? at + buffer->data_len : segment->end;

		if (from >= end)
			continue;
		part.bytes = rte_pktmbuf_mtod_offset(buffer, const uint8_t *, from - at);
		part.length = end - from;
		stream_add(worker->tracker->streams, stream, &part);
		part.seq += part.length;
		from = end;
	}
}

static void track_own(struct worker *worker, unsigned slot, const struct flow_found *found, struct track_side *side,
	const struct track_segment *segment, uint32_t facts)
{
	const struct tcp_side *from = &track_tcp_of(found->flow)->side[found->from_server];
	uint64_t now_ns = worker->vector->head.time_ns[slot];
	struct stream_pool *pool = worker->tracker->streams;

	start(worker, side, found, &segment->tcp);
	if (segment->tcp.length && !(segment->tcp.flags & TCP_RST))
		add_payload(worker, slot, &side->stream, segment);
	if (facts & TCP_FACT_FINISHED)
		stream_finish(pool, &side->stream, tcp_payload_seq(&segment->tcp) + segment->tcp.length, now_ns);
	if (from->marks & TCP_CONFIRMED)
		stream_confirm(pool, &side->stream, from->acked, now_ns);
}

void track_bytes(struct worker *worker, unsigned slot, const struct flow_found *found,
	const struct track_segment *segment, uint32_t facts)
{
	const struct plan *plan = worker->generation->plan;
	const struct tcp_side *to = &track_tcp_of(found->flow)->side[!found->from_server];
	struct track_streams *streams = track_streams(plan, &found->flow->head);
	struct track_side *own, *other;

	if (!streams || facts & TCP_FACT_NO_STREAM)
		return;
	if (!streams->side[0].flow)
		begin_sides(plan, streams, found->flow, segment->is_outer);
	own = side_from(streams, found->from_server);
	other = side_from(streams, !found->from_server);
	if (track_is_side_wanted(plan, own))
		track_own(worker, slot, found, own, segment, facts);
	if (to->marks & TCP_CONFIRMED && other->stream.marks & STREAM_STARTED)
		stream_confirm(worker->tracker->streams, &other->stream, to->acked, worker->vector->head.time_ns[slot]);
}

void track_end_streams(struct worker *worker, struct flow *flow)
{
	struct track_streams *streams = track_streams(worker->generation->plan, &flow->head);

	if (!streams || flow->head.protocol != IPPROTO_TCP)
		return;
	for (unsigned i = 0; i < 2; i++)
		if (streams->side[i].stream.marks & STREAM_STARTED)
			stream_end(worker->tracker->streams, &streams->side[i].stream);
}

void track_turn_streams(struct worker *worker, struct flow *flow)
{
	struct track_streams *streams = track_streams(worker->generation->plan, &flow->head);

	for (unsigned i = 0; i < 2 && streams && streams->side[i].flow; i++)
		streams->side[i].is_server = !streams->side[i].is_server;
}

void track_forget_unwanted(struct worker *worker, struct track_side *side)
{
	if (side->stream.marks & STREAM_STARTED && !track_is_side_wanted(worker->generation->plan, side))
		stream_forget(worker->tracker->streams, &side->stream);
}

void track_forget_streams(struct worker *worker, struct weir_flow *flow)
{
	struct track_streams *streams = track_streams(worker->generation->plan, flow);

	for (unsigned i = 0; i < 2 && streams && streams->side[i].flow; i++)
		track_forget_unwanted(worker, &streams->side[i]);
}
