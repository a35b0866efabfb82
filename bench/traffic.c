// SPDX-License-Identifier: Apache-2.0
// Traffic for measuring: writes segments of TCP connections over the frames that come, in place, a connection chosen at
// random for each; and makes a capture that comes again and again one of new connections each time. bench.py compiles
// this, measures it alone as well, and subtracts that. For one worker.
#include <weir.h>

enum { FIN = 1, SYN = 2, PSH = 8, ACK = 16,
	ETHERNET = 14, HEADER4 = ETHERNET + 20, HEADER6 = ETHERNET + 40, TCP_HEADER = 20,
	HANDSHAKE = 3, FAREWELL = 3 };

struct connection {
	uint32_t next[2]; // what client and server send next
	uint16_t sent;    // packets of this life
	uint16_t last;    // with which the farewell begins; 0: it never does
};

struct traffic {
	uint32_t flows, life;
	bool ipv6;
	weir_counter packets, bytes, begun, ended;
	uint64_t random;
	struct connection *connections;
};

// ---- bytes

static void write_head(uint8_t *at, bool is_ipv6, uint32_t length)
{
	static const uint8_t ethernet[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1 };

	memcpy(at, ethernet, sizeof(ethernet));
	weir_put16(at + 12, is_ipv6 ? 0x86dd : 0x0800);
	at += ETHERNET;
	if (is_ipv6) {
		weir_put32(at, 6u << 28);
		weir_put16(at + 4, (uint16_t)(length - HEADER6));
		weir_put16(at + 6, 6 << 8 | 64);
		return;
	}
	weir_put32(at, 0x45u << 24 | (length - ETHERNET));
	weir_put32(at + 4, 0x4000);
	weir_put32(at + 8, 64u << 24 | 6u << 16); // nobody here looks at checksums
}

static void write_ends(uint8_t *at, bool is_ipv6, const uint32_t address[2], bool from_server)
{
	if (!is_ipv6) {
		weir_put32(at + ETHERNET + 12, address[from_server]);
		weir_put32(at + ETHERNET + 16, address[!from_server]);
		return;
	}
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *to = at + ETHERNET + 8 + 16 * i;

		weir_put32(to, 0x20010db8);
		memset(to + 4, 0, 8);
		weir_put32(to + 12, address[from_server ^ i]);
	}
}

// Clients have four connections each, with 1,000 servers.
static void write_segment(const struct traffic *self, uint8_t *at, uint32_t length, uint32_t flow, bool from_server,
	uint8_t flags)
{
	const struct connection *it = &self->connections[flow];
	uint32_t address[2] = { 0x0a000000 + flow / 4, 0xc0a80000 + flow * 2654435761u % 1000 };
	uint16_t port[2] = { (uint16_t)(32768 + flow % 4 * 7), 443 };
	uint8_t *tcp = at + (self->ipv6 ? HEADER6 : HEADER4);

	write_head(at, self->ipv6, length);
	write_ends(at, self->ipv6, address, from_server);
	weir_put16(tcp, port[from_server]);
	weir_put16(tcp + 2, port[!from_server]);
	weir_put32(tcp + 4, it->next[from_server]);
	weir_put32(tcp + 8, flags & ACK ? it->next[!from_server] : 0);
	weir_put16(tcp + 12, (uint16_t)(5 << 12 | flags));
	weir_put32(tcp + 14, 0xffffu << 16);
	weir_put16(tcp + 18, 0);
}

// ---- lives

static uint64_t next_random(struct traffic *self)
{
	self->random ^= self->random << 13;
	self->random ^= self->random >> 7;
	return self->random ^= self->random << 17;
}

static void begin(struct traffic *self, struct connection *it)
{
	it->next[0] += 1 << 20; // a number that the one before cannot have sent
	it->next[1] += 1 << 20;
	weir_count(&self->begun);
	if (!self->life)
		return;
	it->last = (uint16_t)(self->life - FAREWELL);
	if (self->begun <= self->flows) // the first ones end at different times
		it->last = (uint16_t)(HANDSHAKE + next_random(self) % self->life);
}

static void send(struct traffic *self, uint8_t *at, uint32_t room, uint32_t flow, bool from_server)
{
	static const struct step {
		uint8_t flags, from_server;
	} handshake[] = { { SYN, 0 }, { SYN | ACK, 1 }, { ACK, 0 } },
	  farewell[] = { { FIN | ACK, 0 }, { FIN | ACK, 1 }, { ACK, 0 } };
	struct connection *it = &self->connections[flow];
	uint32_t head = (self->ipv6 ? HEADER6 : HEADER4) + TCP_HEADER, payload = room - head;
	struct step step = { PSH | ACK, from_server };

	if (!it->sent)
		begin(self, it);
	if (it->sent < HANDSHAKE)
		step = handshake[it->sent];
	else if (it->last && it->sent >= it->last)
		step = farewell[it->sent - it->last];
	if (!(step.flags & PSH))
		payload = 0;
	write_segment(self, at, head + payload, flow, step.from_server, step.flags);
	it->next[step.from_server] += payload + !!(step.flags & (SYN | FIN));
	weir_count_by(&self->bytes, payload);
	it->sent = it->sent == UINT16_MAX ? HANDSHAKE : it->sent + 1;
	if (it->last && it->sent == it->last + FAREWELL) {
		it->sent = 0;
		weir_count(&self->ended);
	}
}

// All open first, in order; then any.
static uint32_t choose(struct traffic *self, uint64_t chance)
{
	if (self->packets < (uint64_t)self->flows * HANDSHAKE)
		return (uint32_t)(self->packets % self->flows);
	return (uint32_t)((chance >> 32) * self->flows >> 32);
}

static void write_packets(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct traffic *self = weir_self(call);
	uint32_t flow[WEIR_VECTOR];
	bool from_server[WEIR_VECTOR];

	weir_each (i, in) {
		uint64_t chance = next_random(self);

		flow[i] = choose(self, chance);
		from_server[i] = chance & 1;
		__builtin_prefetch(&self->connections[flow[i]], 1);
		weir_count(&self->packets);
	}
	weir_each (i, in)
		send(self, v->data[i], v->length[i], flow[i], from_server[i]);
	out[0] = in;
}

static int start_traffic(struct weir_start *start, void *at)
{
	struct traffic *self = at;

	if (self->life && self->life < HANDSHAKE + FAREWELL)
		return weir_refuse(start, -1, "a life has at least %d packets", HANDSHAKE + FAREWELL);
	self->random = 88172645463325252;
	self->connections = weir_memory(start, self->flows * sizeof(*self->connections));
	return 0;
}

WEIR_CLASS(Traffic, traffic,
	.about =
		"writes TCP segments over the frames that come, each of a connection chosen at random",
	.by = WEIR_ONE,
	WEIR_MEMBERS(WEIR_SETTING(traffic, flows, "1000", .min = 1, .max = 1 << 24,
			     .about = "connections at a time"),
		WEIR_SETTING(traffic, life, "0", .max = 60000,
			.about = "packets of a connection; 0: it goes on"),
		WEIR_SETTING(traffic, ipv6, "false"), WEIR_COUNTS(traffic, packets),
		WEIR_COUNTS(traffic, bytes, .about = "of payload"), WEIR_COUNTS(traffic, begun),
		WEIR_COUNTS(traffic, ended)),
	.start = start_traffic, .process = write_packets,
	.rewrites = WEIR_REWRITES_L2 | WEIR_REWRITES_L3 | WEIR_REWRITES_L4, .reshapes = true);

// ---- a capture again and again

struct renew {
	uint32_t frames;
	uint64_t count;
};

static void renew(struct weir_call *call, struct weir_vector *v, weir_mask in, weir_mask out[])
{
	struct renew *self = weir_self(call);

	weir_each (i, in) {
		uint16_t round = (uint16_t)(self->count++ / self->frames);

		weir_put16(v->data[i] + ETHERNET + 13, round); // of both addresses the middle
		weir_put16(v->data[i] + ETHERNET + 17, round);
	}
	out[0] = in;
}

WEIR_CLASS(Renew, renew, .about = "gives a capture of IPv4 other addresses each time that it comes", .by = WEIR_ONE,
	WEIR_MEMBERS(WEIR_SETTING(renew, frames, WEIR_REQUIRED, .min = 1, .about = "that the capture has")),
	.process = renew, .rewrites = WEIR_REWRITES_L3);

// ---- who hears of them

struct hear_tcp {
	weir_counter heard, established, closed, strange, bytes;
	uint64_t sum;
};

static enum weir_verdict anything_happened(struct weir_event *event)
{
	weir_count(&((struct hear_tcp *)weir_self(event))->heard);
	return WEIR_PASS;
}

static enum weir_verdict was_established(struct weir_event *event)
{
	weir_count(&((struct hear_tcp *)weir_self(event))->established);
	return WEIR_PASS;
}

static enum weir_verdict was_closed(struct weir_event *event)
{
	weir_count(&((struct hear_tcp *)weir_self(event))->closed);
	return WEIR_PASS;
}

static enum weir_verdict something_strange(struct weir_event *event)
{
	weir_count(&((struct hear_tcp *)weir_self(event))->strange);
	return WEIR_PASS;
}

// In words, as what is fast does.
static enum weir_verdict bytes_came(struct weir_event *event, const struct weir_stream_data *data)
{
	struct hear_tcp *self = weir_self(event);
	const char *at = data->data.at;
	uint32_t length = data->data.length, words = length / sizeof(uint64_t);
	uint64_t sum = 0, word;

	for (uint32_t i = 0; i < words; i++) {
		memcpy(&word, at + i * sizeof(word), sizeof(word));
		sum ^= word;
	}
	for (uint32_t i = words * (uint32_t)sizeof(word); i < length; i++)
		sum ^= (uint8_t)at[i];
	self->sum ^= sum;
	weir_count_by(&self->bytes, length);
	return WEIR_PASS;
}

WEIR_CLASS(HearTcp, hear_tcp, .about = "hears of all that happens to TCP connections",
	WEIR_MEMBERS(WEIR_COUNTS(hear_tcp, heard), WEIR_COUNTS(hear_tcp, established), WEIR_COUNTS(hear_tcp, closed),
		WEIR_COUNTS(hear_tcp, strange)),
	WEIR_HANDLERS(WEIR_ON(tcp_established, was_established), WEIR_ON(tcp_closed, was_closed),
		WEIR_ON(tcp_reset, something_strange), WEIR_ON(tcp_retransmitted, something_strange),
		WEIR_ON(tcp_out_of_order, something_strange), WEIR_ON(tcp_zero_window, something_strange),
		WEIR_ON_ANY("tcp.gap", something_strange), WEIR_ON_ANY("tcp.overlapped", something_strange),
		WEIR_ON_ANY("tcp.state_changed", anything_happened)));
WEIR_CLASS(ReadStreams, hear_tcp, .about = "reads each byte of each stream", WEIR_MEMBERS(WEIR_COUNTS(hear_tcp, bytes)),
	WEIR_HANDLERS(WEIR_ON(stream_data, bytes_came)));
WEIR_CLASS(HearHttp, hear_tcp, .about = "hears of HTTP", WEIR_MEMBERS(WEIR_COUNTS(hear_tcp, heard)),
	WEIR_HANDLERS(WEIR_ON_ANY("http.*", anything_happened)));
WEIR_CLASS(HearTls, hear_tcp, .about = "hears of TLS", WEIR_MEMBERS(WEIR_COUNTS(hear_tcp, heard)),
	WEIR_HANDLERS(WEIR_ON_ANY("tls.*", anything_happened)));
WEIR_MODULE("traffic", "0.1.0", &Traffic, &Renew, &HearTcp, &ReadStreams, &HearHttp, &HearTls);
