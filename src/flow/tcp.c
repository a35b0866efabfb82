// SPDX-License-Identifier: Apache-2.0
// The long way of tcp_step: everything but data and confirmations in order.
#include "flow/tcp.h"

#include <stddef.h>

enum kind { SYN, SYN_ACK, CONFIRM, DATA, FIN, RST, KINDS, BAD = KINDS };

// ---- reading

enum { OPTION_END, OPTION_NOTHING, OPTION_MSS, OPTION_SCALE, OPTION_SACK, HEADER = 20, SCALE_MOST = 14 };

static uint32_t read_32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void read_option(struct tcp_segment *segment, const uint8_t *option)
{
	if (option[0] == OPTION_MSS && option[1] == 4)
		segment->mss = (uint16_t)(option[2] << 8 | option[3]);
	else if (option[0] == OPTION_SCALE && option[1] == 3)
		segment->scale = option[2] < SCALE_MOST ? option[2] : SCALE_MOST; // RFC 7323 2.3
	else if (option[0] == OPTION_SACK && option[1] == 2)
		segment->sack_permitted = true;
}

static void read_options(struct tcp_segment *segment, const uint8_t *at, const uint8_t *end)
{
	while (at < end && *at != OPTION_END) {
		if (*at == OPTION_NOTHING) {
			at++;
			continue;
		}
		if (end - at < 2 || at[1] < 2 || at[1] > end - at)
			return;
		read_option(segment, at);
		at += at[1];
	}
}

void tcp_read(struct tcp_segment *segment, const uint8_t *header, unsigned length, uint32_t payload)
{
	*segment = (struct tcp_segment){
		.seq = read_32(header + 4),
		.ack = read_32(header + 8),
		.length = payload,
		.flags = header[13],
		.window = (uint16_t)(header[14] << 8 | header[15]),
		.scale = TCP_NO_SCALE,
	};
	if (segment->flags & TCP_SYN && length > HEADER)
		read_options(segment, header + HEADER, header + length);
}

// ---- the table

// What a side is after it has sent that. Some steps have a condition: see `sent`.
static const uint8_t after[TCP_STATES][KINDS] = {
	[TCP_NONE] = { TCP_SYN_SENT, TCP_SYN_ACKED, TCP_PARTIAL, TCP_PARTIAL, TCP_FINISHED, TCP_RESET },
	[TCP_SYN_SENT] = { TCP_SYN_SENT, TCP_SYN_ACKED, TCP_ESTABLISHED, TCP_ESTABLISHED, TCP_FINISHED, TCP_RESET },
	[TCP_SYN_ACKED] = { TCP_SYN_ACKED, TCP_SYN_ACKED, TCP_SYN_ACKED, TCP_ESTABLISHED, TCP_FINISHED, TCP_RESET },
	// its SYN comes behind what it sent later
	[TCP_PARTIAL] = { TCP_ESTABLISHED, TCP_ESTABLISHED, TCP_PARTIAL, TCP_PARTIAL, TCP_FINISHED, TCP_RESET },
	[TCP_ESTABLISHED] = { TCP_ESTABLISHED, TCP_ESTABLISHED, TCP_ESTABLISHED, TCP_ESTABLISHED, TCP_FINISHED,
		TCP_RESET },
	[TCP_FINISHED] = { TCP_FINISHED, TCP_FINISHED, TCP_FINISHED, TCP_FINISHED, TCP_FINISHED, TCP_RESET },
	[TCP_CLOSED] = { TCP_CLOSED, TCP_CLOSED, TCP_CLOSED, TCP_CLOSED, TCP_CLOSED, TCP_RESET },
	[TCP_RESET] = { TCP_RESET, TCP_RESET, TCP_RESET, TCP_RESET, TCP_RESET, TCP_RESET },
};

static enum kind kind_of(const struct tcp_segment *segment)
{
	switch (segment->flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) {
	case TCP_SYN: return SYN;
	case TCP_SYN | TCP_ACK: return SYN_ACK;
	case TCP_ACK: return segment->length ? DATA : CONFIRM;
	case TCP_FIN | TCP_ACK: return FIN;
	case TCP_RST:
	case TCP_RST | TCP_ACK: return RST;
	default: return BAD;
	}
}

// ---- words about numbers; all are modulo 2^32

static bool is_behind(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

static bool is_between(uint32_t number, uint32_t first, uint32_t last)
{
	return number - first <= last - first;
}

static bool has_ended(const struct tcp_side *side)
{
	return side->state == TCP_FINISHED || side->state == TCP_CLOSED;
}

static uint32_t limit_of(const struct tcp_side *from, const struct tcp_side *to)
{
	return from->acked + ((uint32_t)from->window << to->scale);
}

// How far a side may have sent. We may have missed what opened the window further.
static uint32_t farthest(const struct tcp_side *from, const struct tcp_side *to)
{
	return limit_of(from, to) + ((uint32_t)from->window << to->scale) / 2 + TCP_SLACK;
}

static bool is_in_window(const struct tcp_side *from, const struct tcp_side *to, uint32_t seq, uint32_t end)
{
	if (from->state == TCP_NONE)
		return true;
	if (from->marks & TCP_SYN_SEEN && from->next - from->isn < TCP_YOUNG && is_behind(from->isn, seq))
		return false; // nothing is before a SYN, as long as that is not long ago
	if (!(from->marks & TCP_CONFIRMED))
		return end - from->next + TCP_FARTHEST < 2u * TCP_FARTHEST;
	return is_behind(seq, from->acked - TCP_FARTHEST) && !is_behind(end, farthest(from, to));
}

// Both numbers have gone ahead, further than they could: we have missed a part of both directions.
static bool resumes(const struct tcp_side *from, const struct tcp_side *to, const struct tcp_segment *segment)
{
	return from->state != TCP_NONE && to->state != TCP_NONE && segment->seq - from->next < TCP_MISSED &&
		segment->ack - to->next - 1 < TCP_MISSED;
}

// ---- the client

static uint32_t take_for_client(struct tcp *tcp, unsigned direction)
{
	if (tcp_client(tcp) == direction)
		return 0;
	tcp->side[1].is ^= 1;
	return TCP_FACT_FLIPPED;
}

// ---- SYNs

static void remember_syn(struct tcp_side *from, struct tcp_side *to, const struct tcp_segment *segment)
{
	uint32_t end = segment->seq + 1 + segment->length;

	from->isn = segment->seq;
	if ((from->state == TCP_NONE && !(from->marks & TCP_CONFIRMED)) || is_behind(end, from->next))
		from->next = end;
	from->marks |= TCP_SYN_SEEN;
	from->scale = segment->scale == TCP_NO_SCALE ? 0 : segment->scale;
	if (segment->scale == TCP_NO_SCALE)
		to->scale = 0; // both must say it
	else if (to->state == TCP_NONE)
		to->scale = SCALE_MOST;
}

// A SYN of a side that is known with another number: is it a new connection?
static bool is_reuse(const struct tcp_side *from, const struct tcp_side *to)
{
	if (from->state == TCP_RESET || to->state == TCP_RESET)
		return true;
	if (from->state == TCP_SYN_SENT || to->state == TCP_NONE)
		return true; // the first attempt was in vain, or nobody is there who could say what became of it
	return has_ended(from) && has_ended(to);
}

// Returns facts that end the step, or 0.
static uint32_t check_syn(const struct tcp_side *from, const struct tcp_side *to, const struct tcp_segment *segment)
{
	if (from->state == TCP_NONE && !(from->marks & (TCP_SYN_SEEN | TCP_CONFIRMED)))
		return to->state == TCP_RESET ? TCP_FACT_REUSED : 0;
	if (from->isn == segment->seq)
		return 0; // again, or behind what it sent later
	return from->state == TCP_NONE || is_reuse(from, to) ? TCP_FACT_REUSED : TCP_FACT_BAD_SYN;
}

static uint32_t check_syn_ack(const struct tcp_side *from, const struct tcp_side *to, const struct tcp_segment *segment)
{
	if (from->state == TCP_NONE || from->state == TCP_PARTIAL) {
		if (!(to->marks & TCP_SYN_SEEN) || is_between(segment->ack, to->isn + 1, to->next))
			return 0;
		return TCP_FACT_BAD_ACK;
	}
	if (from->isn == segment->seq)
		return 0; // again, or the second step of a simultaneous open
	// The other side has sent a SYN in between, which we did not believe then?
	return to->marks & TCP_CHALLENGED || is_reuse(from, to) ? TCP_FACT_REUSED : TCP_FACT_BAD_SYN;
}

// ---- RSTs

static bool is_reset_in_window(
	const struct tcp_side *from, const struct tcp_side *to, const struct tcp_segment *segment)
{
	if (from->state == TCP_NONE && to->state == TCP_NONE)
		return true;
	// The answer to a SYN, or to anything else that a closed port gets: RFC 9293 3.10.7.1.
	if (segment->flags & TCP_ACK && from->state == TCP_NONE)
		return is_between(segment->ack, to->isn, to->next);
	if (from->marks & TCP_CONFIRMED)
		return is_between(segment->seq, from->acked - 1, farthest(from, to)) ||
			segment->seq == from->next;
	if (from->state == TCP_NONE)
		return to->state != TCP_SYN_SENT; // nothing to compare it with
	return segment->seq - from->next + TCP_SLACK < 2u * TCP_SLACK;
}

// ---- confirmations

// What a side has sent that we have not seen anything of, the other side's confirmation tells.
static void guess(struct tcp_side *to, const struct tcp_segment *segment, bool is_first)
{
	to->isn = segment->ack - 1;
	to->acked = to->next = segment->ack;
	to->marks |= TCP_CONFIRMED | (is_first ? TCP_SYN_SEEN : 0);
}

// What its other side says about how far it has got. Returns TCP_FACT_BAD_ACK alone, or facts.
static uint32_t check_ack(const struct tcp_side *to, const struct tcp_segment *segment)
{
	if (to->state == TCP_NONE)
		return 0;
	if (!(to->marks & TCP_CONFIRMED)) {
		if (to->marks & TCP_SYN_SEEN && !is_between(segment->ack, to->isn + 1, to->next + TCP_SLACK))
			return TCP_FACT_BAD_ACK;
		if (segment->ack - to->next + TCP_MISSED >= 2u * TCP_MISSED)
			return TCP_FACT_BAD_ACK;
	} else if (is_behind(segment->ack, to->next + TCP_MISSED)) {
		return TCP_FACT_BAD_ACK;
	} else if (is_behind(to->acked - TCP_MISSED, segment->ack)) {
		return TCP_FACT_BAD_ACK;
	}
	return is_behind(segment->ack, to->next) ? TCP_FACT_UNSEEN_ACKED : 0;
}

static void confirm(
	struct tcp_side *from, struct tcp_side *to, const struct tcp_segment *segment, enum tcp_state was)
{
	uint32_t window = segment->window;

	if (to->state == TCP_NONE && !(to->marks & TCP_CONFIRMED))
		guess(to, segment, was == TCP_SYN_SENT || segment->flags & TCP_SYN);
	if (to->marks & TCP_CONFIRMED && is_behind(to->acked, segment->ack))
		return; // an old one: what it says of the window is old too
	to->acked = segment->ack;
	to->marks |= TCP_CONFIRMED;
	if (to->state == TCP_NONE && is_behind(segment->ack, to->next))
		to->next = segment->ack;
	// The window of a SYN is not scaled.
	to->window = (uint16_t)(segment->flags & TCP_SYN && window ? (window >> from->scale) + 1 : window);
	if (!is_behind(to->next, to->acked))
		to->marks &= (uint8_t)~TCP_HOLE;
}

static bool repeats_ack(const struct tcp_side *from, const struct tcp_side *to, const struct tcp_segment *segment)
{
	return to->marks & TCP_CONFIRMED && segment->ack == to->acked && segment->window == to->window &&
		is_behind(to->next, to->acked) && segment->seq == from->next && !has_ended(from);
}

// ---- what it sends

static bool is_keep_alive(const struct tcp_side *from, const struct tcp_segment *segment)
{
	return segment->seq == from->next - 1 && segment->length <= 1 && from->marks & TCP_CONFIRMED &&
		from->acked == from->next && (from->state == TCP_ESTABLISHED || from->state == TCP_PARTIAL);
}

// Bytes (and FIN) from seq to end: are they new, and where do they belong?
static uint32_t place(struct tcp_side *from, uint32_t seq, uint32_t end)
{
	if (seq == from->next) {
		from->next = end;
		return 0;
	}
	if (is_behind(seq, from->next)) {
		from->next = end;
		from->marks |= TCP_HOLE;
		return TCP_FACT_AHEAD;
	}
	if (is_behind(end, from->next)) {
		from->next = end;
		return TCP_FACT_RETRANSMITTED;
	}
	if (!(from->marks & TCP_HOLE) || (from->marks & TCP_CONFIRMED && !is_behind(end, from->acked)))
		return TCP_FACT_RETRANSMITTED;
	if (!(from->marks & TCP_CONFIRMED))
		from->marks &= (uint8_t)~TCP_HOLE; // nobody will confirm it
	return TCP_FACT_OUT_OF_ORDER;
}

static uint32_t look_at_windows(
	const struct tcp_side *from, const struct tcp_side *to, const struct tcp_segment *segment, enum kind kind)
{
	uint32_t facts = 0, end = segment->seq + segment->length;

	if (!segment->window && (kind == DATA || kind == CONFIRM))
		facts |= TCP_FACT_ZERO_WINDOW;
	if (kind != DATA || !(from->marks & TCP_CONFIRMED))
		return facts;
	if (!from->window && segment->length == 1 && segment->seq == from->next &&
		!is_behind(from->acked, segment->seq))
		return facts | TCP_FACT_ZERO_WINDOW_PROBE;
	if (end == limit_of(from, to) && to->scale != SCALE_MOST)
		facts |= TCP_FACT_WINDOW_FULL;
	return facts;
}

static void begin(struct tcp_side *from, const struct tcp_segment *segment)
{
	if (from->marks & TCP_SYN_SEEN && is_between(segment->seq, from->isn + 1, from->isn + TCP_FARTHEST))
		return; // what the other side confirmed says where it begins
	from->isn = segment->seq - 1;
	if (!(from->marks & TCP_CONFIRMED) || is_behind(segment->seq, from->next) || from->next == from->acked)
		from->next = segment->seq;
	from->marks &= (uint8_t)~TCP_SYN_SEEN;
}

// ---- the state

static enum tcp_state sent(const struct tcp_side *from, const struct tcp_side *to, enum kind kind)
{
	bool both_ended = has_ended(from) && has_ended(to);

	if (from->state == TCP_NONE && (kind == CONFIRM || kind == DATA) && to->marks & TCP_SYN_SEEN) {
		if (to->state == TCP_SYN_SENT && kind == CONFIRM)
			return TCP_NONE; // some confirm a SYN first and answer it later
		if (to->state != TCP_NONE)
			return TCP_ESTABLISHED; // the handshake was there; we missed a packet of it
	}
	if (from->state == TCP_SYN_ACKED && kind == CONFIRM && to->state == TCP_NONE)
		return TCP_ESTABLISHED; // one-sided
	if (kind == RST && both_ended)
		return from->state;
	return after[from->state][kind];
}

static void settle(struct tcp_side *side)
{
	if (side->next - side->acked + TCP_MISSED >= TCP_MISSED + TCP_FARTHEST)
		side->acked = side->next; // no window is so wide: the one does not belong to the other
	if (side->state == TCP_SYN_ACKED && side->marks & TCP_CONFIRMED && is_behind(side->acked, side->isn))
		side->state = TCP_ESTABLISHED;
	if (side->state == TCP_FINISHED && side->marks & TCP_CONFIRMED && !is_behind(side->next, side->acked))
		side->state = TCP_CLOSED;
}

static bool is_through(const struct tcp_side *side)
{
	return side->state >= TCP_ESTABLISHED && side->marks & TCP_SYN_SEEN;
}

// What both sides together have become, if it was not told yet.
static uint32_t sum_up(struct tcp *tcp, bool was_reset)
{
	struct tcp_side *a = &tcp->side[0], *b = &tcp->side[1];
	bool one_heard = a->state == TCP_NONE || b->state == TCP_NONE, alone = one_heard && a->is;
	uint32_t facts = 0;

	if (!(a->marks & TCP_TOLD) && a->state != TCP_RESET && b->state != TCP_RESET &&
		is_through(a) + is_through(b) + alone >= 2) {
		a->marks |= TCP_TOLD;
		facts |= TCP_FACT_ESTABLISHED;
	}
	if (!(b->marks & TCP_TOLD) && (has_ended(a) || has_ended(b)) &&
		(alone || (has_ended(a) && has_ended(b)))) {
		b->marks |= TCP_TOLD;
		facts |= TCP_FACT_CLOSED;
	}
	if (!was_reset && (a->state == TCP_RESET || b->state == TCP_RESET))
		facts |= b->marks & TCP_TOLD && !one_heard ? 0 : TCP_FACT_RESET;
	return facts;
}

// One that nobody answers gets numbers with which the short way will do.
static void make_believe(struct tcp_side *side, const struct tcp_side *other)
{
	if (side->state == TCP_NONE) { // whatever is confirmed of it was sent
		if (side->marks & TCP_CONFIRMED && !is_behind(side->next, side->acked))
			side->next = side->acked + TCP_FARTHEST;
	} else if (!(side->marks & TCP_CONFIRMED)) { // so much, then look again
		uint16_t window = (uint16_t)(TCP_SLACK - 1);

		if (side->window != window || is_behind(side->next, side->acked + ((uint32_t)window << other->scale)))
			side->acked = side->next;
		side->window = window;
	}
}

static void calm(struct tcp_side *side, const struct tcp_side *other)
{
	bool is_open = side->state == TCP_ESTABLISHED || side->state == TCP_PARTIAL;
	bool is_calm = is_open && !(side->marks & (TCP_PROBED | TCP_CHALLENGED));
	bool is_quiet = is_calm && !(side->marks & TCP_HOLE) && !is_behind(side->acked, side->next);

	make_believe(side, other);
	if (side->state == TCP_NONE)
		is_quiet = true;
	if (!(side->marks & TCP_CONFIRMED))
		is_quiet = false;
	side->marks = (uint8_t)((side->marks & ~(TCP_CALM | TCP_QUIET)) | (is_calm ? TCP_CALM : 0) |
		(is_quiet ? TCP_QUIET : 0));
}

// ---- one segment

static uint32_t check(struct tcp *tcp, unsigned direction, const struct tcp_segment *segment, enum kind kind)
{
	struct tcp_side *from = &tcp->side[direction], *to = &tcp->side[!direction];
	uint32_t seq = segment->seq, end = seq + segment->length + (kind == FIN), facts;

	switch (kind) {
	case SYN: facts = check_syn(from, to, segment); break;
	case SYN_ACK:
		facts = check_syn_ack(from, to, segment);
		facts = facts ? facts : check_ack(to, segment);
		break;
	case RST: return is_reset_in_window(from, to, segment) ? 0 : TCP_FACT_BAD_RESET;
	case BAD: return TCP_FACT_BAD_FLAGS;
	default:
		if ((!is_in_window(from, to, seq, end) && !resumes(from, to, segment)) ||
			(has_ended(from) && is_behind(end, from->next)))
			return TCP_FACT_OUT_OF_WINDOW;
		return check_ack(to, segment);
	}
	if (facts == TCP_FACT_BAD_SYN)
		from->marks = (uint8_t)((from->marks & ~(TCP_CALM | TCP_QUIET)) | TCP_CHALLENGED);
	return facts;
}

static uint32_t open_side(struct tcp *tcp, unsigned direction, const struct tcp_segment *segment, enum kind kind)
{
	struct tcp_side *from = &tcp->side[direction], *to = &tcp->side[!direction];
	bool again = from->marks & TCP_SYN_SEEN && from->state != TCP_NONE;
	uint32_t facts = 0;

	if (again && !(from->state == TCP_SYN_SENT && kind == SYN_ACK))
		return TCP_FACT_RETRANSMITTED;
	if (kind == SYN && to->state == TCP_SYN_SENT)
		facts |= TCP_FACT_SIMULTANEOUS_OPEN;
	else if (kind == SYN)
		facts |= take_for_client(tcp, direction);
	else if (to->state == TCP_NONE && from->state == TCP_NONE)
		facts |= take_for_client(tcp, !direction);
	remember_syn(from, to, segment);
	return facts | (segment->length ? TCP_FACT_DATA_IN_SYN : 0);
}

static uint32_t send(struct tcp_side *from, struct tcp_side *to, const struct tcp_segment *segment, enum kind kind)
{
	uint32_t facts = 0, end = segment->seq + segment->length + (kind == FIN);

	if (from->state == TCP_NONE) {
		if (!(from->marks & TCP_SYN_SEEN))
			facts |= TCP_FACT_PARTIAL;
		if (!from->scale && !(to->marks & TCP_SYN_SEEN))
			from->scale = to->scale = SCALE_MOST; // nobody told
		begin(from, segment);
	}
	if (is_keep_alive(from, segment) && kind != FIN) {
		from->marks |= TCP_PROBED;
		return facts | TCP_FACT_KEEP_ALIVE;
	}
	from->marks &= (uint8_t)~(TCP_PROBED | TCP_CHALLENGED);
	if (end != segment->seq)
		facts |= look_at_windows(from, to, segment, kind) | place(from, segment->seq, end);
	else
		facts |= look_at_windows(from, to, segment, kind);
	return facts;
}

static uint32_t answer(struct tcp_side *from, struct tcp_side *to, const struct tcp_segment *segment, enum kind kind)
{
	if (kind != CONFIRM || segment->flags & TCP_SYN)
		return 0;
	if (to->marks & TCP_PROBED && segment->ack == to->next) {
		to->marks &= (uint8_t)~TCP_PROBED;
		return TCP_FACT_KEEP_ALIVE_ACK;
	}
	return repeats_ack(from, to, segment) ? TCP_FACT_DUPLICATE_ACK : 0;
}

uint32_t tcp_step_fully(struct tcp *tcp, unsigned direction, const struct tcp_segment *segment)
{
	struct tcp_side *from = &tcp->side[direction], *to = &tcp->side[!direction];
	enum tcp_state were[2] = { from->state, to->state };
	enum kind kind = kind_of(segment);
	uint32_t facts = check(tcp, direction, segment, kind);

	if (facts & TCP_FACT_REFUSED)
		return facts;
	if (were[0] == TCP_NONE && from->marks & TCP_CONFIRMED)
		from->next = from->acked; // see make_believe
	if (segment->flags & TCP_URG)
		facts |= TCP_FACT_URGENT;
	if (kind == SYN || kind == SYN_ACK)
		facts |= open_side(tcp, direction, segment, kind);
	else if (kind != RST)
		facts |= send(from, to, segment, kind);
	from->state = (uint8_t)sent(from, to, kind) & 15;
	if (segment->flags & TCP_ACK && kind != RST) {
		facts |= answer(from, to, segment, kind);
		confirm(from, to, segment, were[0]);
	}
	if (has_ended(from) && were[0] != from->state)
		facts |= TCP_FACT_FINISHED;
	settle(from);
	settle(to);
	calm(from, to);
	calm(to, from);
	if (from->state != were[0] || to->state != were[1])
		facts |= TCP_FACT_STATE_CHANGED;
	return facts | sum_up(tcp, were[0] == TCP_RESET || were[1] == TCP_RESET);
}

// ---- what it is

enum tcp_class tcp_class(const struct tcp *tcp)
{
	enum tcp_state a = tcp->side[0].state, b = tcp->side[1].state;

	if (a == TCP_RESET || b == TCP_RESET || (a == TCP_CLOSED && b == TCP_CLOSED))
		return TCP_GONE;
	if (has_ended(&tcp->side[0]) || has_ended(&tcp->side[1]))
		return TCP_CLOSING;
	if (tcp->side[0].marks & TCP_TOLD)
		return TCP_OPEN;
	// Of what began before us we believe only what both sides say.
	return a >= TCP_PARTIAL && b >= TCP_PARTIAL ? TCP_OPEN : TCP_HALF_OPEN;
}

const char *tcp_state_name(enum tcp_state state)
{
	static const char *const names[TCP_STATES] = {
		[TCP_NONE] = "none",
		[TCP_SYN_SENT] = "syn_sent",
		[TCP_SYN_ACKED] = "syn_acked",
		[TCP_PARTIAL] = "partial",
		[TCP_ESTABLISHED] = "established",
		[TCP_FINISHED] = "finished",
		[TCP_CLOSED] = "closed",
		[TCP_RESET] = "reset",
	};

	return names[state];
}

const char *tcp_connection_state(const struct tcp *tcp)
{
	const struct tcp_side *a = &tcp->side[0], *b = &tcp->side[1];

	if (a->state == TCP_RESET || b->state == TCP_RESET)
		return "reset";
	if (has_ended(a) && has_ended(b))
		return a->state == TCP_CLOSED && b->state == TCP_CLOSED ? "closed" : "closing";
	if (has_ended(a) || has_ended(b))
		return "fin_wait";
	if (a->marks & TCP_TOLD)
		return "established";
	if (a->state == TCP_SYN_ACKED || b->state == TCP_SYN_ACKED)
		return "syn_received";
	if (a->state == TCP_SYN_SENT || b->state == TCP_SYN_SENT || (is_through(a) && b->state == TCP_NONE) ||
		(is_through(b) && a->state == TCP_NONE))
		return "syn_sent"; // and nothing came back
	return a->state == TCP_NONE && b->state == TCP_NONE ? "none" : "partial";
}
