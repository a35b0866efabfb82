// SPDX-License-Identifier: Apache-2.0
// The same work the other way: nodes that pass on arrays of pointers to buffers, with what is known of a packet
// in its buffer, as most vector routers do it. A probe to compare Weir's columns with, at each fill of a vector.
//
//	pointer_vectors FILL SECONDS WORK      prints cycles of the TSC per packet
//
// WORK is a string of letters, a node each: p paint, c count, m match two fields, t decrement TTL, k check the
// IPv4 header, l look up the only route, e rewrite Ethernet addresses, b every eighth packet branches off. Source
// and end are as those of null: frames are written anew into buffers that go round in shuffled order.
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

enum { VECTOR = 64,
	BUFFERS = 16384,
	FRAMES = 16384,
	SPARE = 256,
	ROOM = 2048 + 128,
	FRAME = 64,
	NODES = 16,
	AHEAD = 8,
	IP = 14 };

struct buffer { // two cache lines, the frame begins on the third
	_Alignas(64) uint8_t *data;
	uint32_t length, next_hop;
	uint64_t time_ns;
	uint8_t paint, unused[39];
	char own[64];
	uint8_t bytes[ROOM - 128];
};
static_assert(sizeof(struct buffer) == ROOM);

struct node;
typedef void run(struct node *node, struct buffer **packets, unsigned count);

struct node {
	run *run;
	struct node *next, *other;
	uint64_t packets, bytes, matched;
	unsigned number, waiting;
	struct buffer *vector[VECTOR];
};

static struct buffer *buffers, *round_of[BUFFERS], *spare[BUFFERS + SPARE];
static unsigned spare_count, at_buffer, at_frame;
static uint8_t frames[FRAMES][FRAME];
static struct node nodes[NODES];

// ---- from node to node

static void pass_all(struct node *to, struct buffer **packets, unsigned count)
{
	memcpy(to->vector + to->waiting, packets, count * sizeof(*packets));
	to->waiting += count;
}

// nexts: 1 for those that go the other way. Usually all go one way.
static void pass(struct node *node, struct buffer **packets, const uint8_t *nexts, unsigned count)
{
	unsigned others = 0;

	for (unsigned i = 0; i < count; i++)
		others += nexts[i];
	if (!others) {
		pass_all(node->next, packets, count);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		struct node *to = nexts[i] ? node->other : node->next;

		to->vector[to->waiting++] = packets[i];
	}
}

// ---- reading

static inline uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline int is_ip(const struct buffer *packet)
{
	const uint8_t *at = packet->data;

	return packet->length >= IP + 20 && at[12] == 8 && !at[13] && at[IP] == 0x45 &&
		get16(at + IP + 2) >= 20u && get16(at + IP + 2) <= packet->length - IP;
}

// ---- nodes

static void paint(struct node *node, struct buffer **packets, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		packets[i]->paint = (uint8_t)node->number;
	pass_all(node->next, packets, count);
}

static void tally(struct node *node, struct buffer **packets, unsigned count)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < count; i++)
		bytes += packets[i]->length;
	node->packets += count;
	node->bytes += bytes;
	pass_all(node->next, packets, count);
}

static void match(struct node *node, struct buffer **packets, unsigned count)
{
	uint8_t nexts[VECTOR];

	for (unsigned i = 0; i < count; i++) {
		const uint8_t *at = packets[i]->data;

		nexts[i] = !(is_ip(packets[i]) && at[IP + 9] == 17 && !(get16(at + IP + 6) & 0x1fff) &&
			packets[i]->length >= IP + 28 && get16(at + IP + 20) > 5 + node->number);
		node->matched += !nexts[i];
	}
	pass(node, packets, nexts, count);
}

static void branch(struct node *node, struct buffer **packets, unsigned count)
{
	uint8_t nexts[VECTOR];

	for (unsigned i = 0; i < count; i++) {
		const uint8_t *at = packets[i]->data;

		nexts[i] = is_ip(packets[i]) && at[IP + 9] == 17 && !(get16(at + IP + 6) & 0x1fff) &&
			packets[i]->length >= IP + 28 && get16(at + IP + 22) == 443;
	}
	pass(node, packets, nexts, count);
}

static void live(struct node *node, struct buffer **packets, unsigned count)
{
	uint8_t nexts[VECTOR];

	for (unsigned i = 0; i < count; i++) {
		uint8_t *ip = packets[i]->data + IP;
		uint32_t sum;
		uint16_t check;

		nexts[i] = is_ip(packets[i]) && ip[8] <= 1;
		if (nexts[i] || !is_ip(packets[i]))
			continue;
		memcpy(&check, ip + 10, 2);
		sum = check + 1u; // of a little endian word whose low byte is one less
		check = (uint16_t)(sum + (sum >= 0xffff));
		memcpy(ip + 10, &check, 2);
		ip[8]--;
	}
	pass(node, packets, nexts, count);
}

static void check(struct node *node, struct buffer **packets, unsigned count)
{
	uint8_t nexts[VECTOR];

	for (unsigned i = 0; i < count; i++) {
		const uint8_t *ip = packets[i]->data + IP;
		uint64_t sum = 0;
		uint32_t word;
		uint8_t first = ip[12];

		for (unsigned at = 0; at < 20; at += 4) {
			memcpy(&word, ip + at, 4);
			sum += word;
		}
		sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
		sum = (sum & 0xffff) + (sum >> 16);
		sum = (sum & 0xffff) + (sum >> 16);
		nexts[i] = !is_ip(packets[i]) || sum != 0xffff || !first || first == 127 || first >= 224;
	}
	pass(node, packets, nexts, count);
}

static const struct route {
	uint32_t mask, net, gateway;
} route = { 0, 0, 0x0aff0001 };

static void look_up(struct node *node, struct buffer **packets, unsigned count)
{
	const volatile struct route *only = &route;
	uint8_t nexts[VECTOR];
	uint32_t destination;

	for (unsigned i = 0; i < count; i++) {
		memcpy(&destination, packets[i]->data + IP + 16, 4);
		nexts[i] = !is_ip(packets[i]) || (__builtin_bswap32(destination) & only->mask) != only->net;
		packets[i]->next_hop = only->gateway;
	}
	pass(node, packets, nexts, count);
}

static void encap(struct node *node, struct buffer **packets, unsigned count)
{
	static const uint8_t addresses[12] = { 2, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 2 };

	for (unsigned i = 0; i < count; i++)
		memcpy(packets[i]->data, addresses, sizeof(addresses));
	pass_all(node->next, packets, count);
}

static void end(struct node *node, struct buffer **packets, unsigned count)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < count; i++) {
		bytes += packets[i]->length;
		spare[spare_count++] = packets[i];
	}
	node->packets += count;
	node->bytes += bytes;
}

// ---- the source

static void shuffle(void)
{
	srand(7);
	buffers = aligned_alloc(64, sizeof(*buffers) * (BUFFERS + SPARE));
	if (!buffers)
		exit(1);
	memset(buffers, 0, sizeof(*buffers) * (BUFFERS + SPARE));
	for (unsigned i = 0; i < BUFFERS; i++) {
		unsigned other = (unsigned)rand() % (i + 1);

		round_of[i] = round_of[other];
		round_of[other] = &buffers[i];
	}
	for (unsigned i = 0; i < SPARE; i++)
		spare[spare_count++] = &buffers[BUFFERS + i];
}

static void make_frames(void)
{
	static const uint8_t start[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, // Ethernet
		0x45, 0, 0, 50,
		0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1 };

	for (unsigned i = 0; i < FRAMES; i++) {
		uint8_t *at = frames[i];
		uint32_t sum = 0, port = 1024 + i % 40000;

		memcpy(at, start, sizeof(start));
		at[28] = (uint8_t)(i >> 8);
		at[29] = (uint8_t)i;
		for (unsigned j = 30; j < 34; j++)
			at[j] = (uint8_t)(1 + rand() % 222);
		memcpy(at + 34,
			(uint8_t[]){ (uint8_t)(port >> 8), (uint8_t)port, i % 8 ? 0 : 1,
				i % 8 ? 53 : 187, 0, 30 },
			6);
		for (unsigned j = IP; j < IP + 20; j += 2)
			sum += get16(at + j);
		sum = (sum & 0xffff) + (sum >> 16);
		sum = ~(sum + (sum >> 16));
		at[24] = (uint8_t)(sum >> 8);
		at[25] = (uint8_t)sum;
	}
}

static void receive(struct node *to, unsigned fill, uint64_t now)
{
	for (unsigned i = 0; i < fill; i++) {
		struct buffer *packet = round_of[at_buffer];

		if (i + AHEAD < fill) {
			struct buffer *ahead = round_of[(at_buffer + AHEAD) % BUFFERS];

			_mm_prefetch(ahead, _MM_HINT_T0);
			_mm_prefetch(ahead->bytes, _MM_HINT_T0);
		}
		_mm_prefetch(frames[(at_frame + AHEAD) % FRAMES], _MM_HINT_T0);
		round_of[at_buffer] = spare[--spare_count];
		at_buffer = (at_buffer + 1) % BUFFERS;
		packet->data = packet->bytes;
		packet->length = FRAME;
		packet->time_ns = now;
		memcpy(packet->bytes, frames[at_frame], FRAME);
		at_frame = (at_frame + 1) % FRAMES;
		to->vector[i] = packet;
	}
	to->waiting = fill;
}

// ---- the loop

static run *run_of(char letter)
{
	static run *const runs[256] = { ['p'] = paint, ['c'] = tally, ['m'] = match, ['t'] = live, ['k'] = check,
		['l'] = look_up, ['e'] = encap, ['b'] = branch };

	return runs[(uint8_t)letter];
}

static unsigned make_nodes(const char *work)
{
	unsigned count = (unsigned)strlen(work);

	if (count + 1 > NODES)
		return 0;
	for (unsigned i = 0; i < count; i++) {
		nodes[i] = (struct node){ .run = run_of(work[i]), .number = i };
		nodes[i].next = &nodes[i + 1];
		nodes[i].other = &nodes[count];
		if (!nodes[i].run)
			return 0;
	}
	nodes[count] = (struct node){ .run = end };
	return count + 1;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double ours(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void turn(unsigned count, unsigned fill)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	receive(&nodes[0], fill, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec);
	for (unsigned i = 0; i < count; i++) {
		unsigned waiting = nodes[i].waiting;

		nodes[i].waiting = 0;
		if (waiting)
			nodes[i].run(&nodes[i], nodes[i].vector, waiting);
	}
}

static double measure(unsigned count, unsigned fill, double length)
{
	double from = seconds(), from_ours = ours(), ticks = (double)__rdtsc(), packets = 0;

	while (seconds() - from < length)
		for (unsigned i = 0; i < 1000; i++, packets += fill)
			turn(count, fill);
	ticks = ((double)__rdtsc() - ticks) / (seconds() - from);
	return (ours() - from_ours) * ticks / packets;
}

int main(int count, char **words)
{
	unsigned fill = count == 4 ? (unsigned)atoi(words[1]) : 0, made = count == 4 ? make_nodes(words[3]) : 0;

	if (!fill || fill > VECTOR || !made) {
		fprintf(stderr, "usage: pointer_vectors FILL SECONDS WORK   (see the head of its source)\n");
		return 2;
	}
	shuffle();
	make_frames();
	measure(made, fill, 0.05);
	printf("%.2f\n", measure(made, fill, atof(words[2])));
	return nodes[made - 1].packets == 0;
}
