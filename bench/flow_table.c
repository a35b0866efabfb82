// SPDX-License-Identifier: Apache-2.0
// Cycles per packet of the flow table, beside DPDK's rte_hash with the same keys in the same run.
//
//	flow_table [-r ROUNDS] [-s] [FLOWS...]      -s: small pages, whatever the system would give
//
// Packets are random in flow and direction. What the table does is counted whole: key and hash from
// columns, look-up, the time-out's check, touching the record. rte_hash gets its keys ready made
// and in the right order; a record of 64 bytes beside it is touched.
//
//	touch  all flows are there and stay
//	live   flows come, have 20 packets and end by a time-out of as long as 10 of these take:
//	       one packet in 20 adds a flow, one ends one, two have the wheel look at one
//	add    flows that are not there, to a table that becomes full of them
//	age    ending those again, all of them over
//	flood  flows that are not there, to a full table: each costs another one its place
//
// Rounds alternate, so that a busy machine hits all of them. What counts is the first quartile over
// pieces of 8,192 packets; of touch and live over those of the second half of a round, when the
// caches hold what it needs. The table's answers are checked: which packet's flow is which.
#include "flow/flow.h"

#include <rte_eal.h>
#include <rte_hash.h>
#include <rte_hash_crc.h>
#include <rte_memory.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <x86intrin.h>

enum { PACKETS = 1 << 20, MOST_ROUNDS = 256, IDLE_MS = 2000, LIFE = 20, PIECE = 1 << 13 };
#define MS UINT64_C(1000000)
#define START (UINT64_C(1700000000) * 1000 * MS)

struct key { // rte_hash's
	uint32_t low, high;
	uint16_t low_port, high_port;
	uint32_t protocol;
};

struct state { // beside rte_hash
	_Alignas(64) uint64_t last_ns, packets[7];
};

struct packets { // columns, one after another
	uint32_t *src4, *dst4, *flow;
	struct weir_addr *src6, *dst6;
	uint16_t *src_port, *dst_port;
	uint8_t *protocol;
	struct key *keys;
};

static uint64_t ended;
static unsigned rounds = 11;

static void must(bool is_so, const char *else_what)
{
	if (is_so)
		return;
	fprintf(stderr, "flow_table: %s\n", else_what);
	exit(1);
}

static uint64_t chance(void)
{
	static uint64_t state = 88172645463325252;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void *array(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	must(at != MAP_FAILED, "no memory");
	madvise(at, size, MADV_HUGEPAGE);
	return at;
}

#define EACH_COLUMN(do) \
	do(src4) do(dst4) do(flow) do(src6) do(dst6) do(src_port) do(dst_port) do(protocol) do(keys)

#define CREATE(column) packets.column = array(sizeof(*packets.column) * (count + WEIR_VECTOR));
#define DESTROY(column) munmap(packets->column, sizeof(*packets->column) * (count + WEIR_VECTOR));

static struct packets packets_create(unsigned count)
{
	struct packets packets;

	EACH_COLUMN(CREATE)
	return packets;
}

static void packets_destroy(struct packets *packets, unsigned count)
{
	EACH_COLUMN(DESTROY)
}

static struct weir_addr addr6(uint32_t number)
{
	struct weir_addr addr = { { 0x20, 1, 0xd, 0xb8 } };

	memcpy(addr.bytes + 12, &number, sizeof(number));
	return addr;
}

// Packet i is one of flow `flow`: clients of 10.0.0.0/8, a few ports each, and 1,000 servers.
static void packet_of(struct packets *packets, unsigned i, uint32_t flow, bool back)
{
	uint32_t client = 0x0a000000 + flow / 4, server = 0xc0a80000 + flow * 2654435761u % 1000;
	uint16_t client_port = (uint16_t)(32768 + flow % 4 * 7), server_port = 443;

	packets->flow[i] = flow;
	packets->src4[i] = back ? server : client;
	packets->dst4[i] = back ? client : server;
	packets->src6[i] = addr6(packets->src4[i]);
	packets->dst6[i] = addr6(packets->dst4[i]);
	packets->src_port[i] = back ? server_port : client_port;
	packets->dst_port[i] = back ? client_port : server_port;
	packets->protocol[i] = 6;
	packets->keys[i] = (struct key){ client, server, client_port, server_port, 6 };
}

static struct flow_columns columns_at(const struct packets *packets, bool is_ipv6, unsigned i)
{
	struct flow_columns columns = { .src4 = packets->src4 + i,
		.dst4 = packets->dst4 + i,
		.src_port = packets->src_port + i,
		.dst_port = packets->dst_port + i,
		.protocol = packets->protocol + i };

	if (is_ipv6) {
		columns.src6 = packets->src6 + i;
		columns.dst6 = packets->dst6 + i;
	}
	return columns;
}

static void flow_has_ended(void *owner, struct flow *flow, enum flow_reason reason, uint64_t at_ns)
{
	(void)owner;
	(void)flow;
	(void)reason;
	(void)at_ns;
	ended++;
}

static struct flow_table *table_for(uint32_t flows, bool is_ipv6)
{
	struct flow_table *table = flow_create(&(struct flow_shape){
		.flows = flows, .is_ipv6 = is_ipv6, .seed = 1, .ended = flow_has_ended });

	must(table, "no memory for a table");
	return table;
}

// ---- the runs; each returns cycles

struct traffic {
	struct flow_table *table;
	const struct packets *packets;
	unsigned from, count; // of the packets
	bool is_ipv6;
	uint32_t idle_ms;
	uint64_t step_ns, now_ns; // from vector to vector
	uint64_t news; // flows that were new in a run
};

static uint64_t run_table(struct traffic *traffic)
{
	struct flow_life life = { traffic->idle_ms, FLOW_HALF_OPEN };
	struct flow_batch batch;
	uint64_t start = __rdtsc(), news = 0;

	for (unsigned i = 0; i < traffic->count; i += WEIR_VECTOR) {
		unsigned left = traffic->count - i;
		weir_mask in = left >= WEIR_VECTOR ? ~UINT64_C(0) : (UINT64_C(1) << left) - 1;
		struct flow_columns columns = columns_at(traffic->packets, traffic->is_ipv6, traffic->from + i);

		traffic->now_ns += traffic->step_ns;
		flow_age(traffic->table, traffic->now_ns, 2 * WEIR_VECTOR);
		flow_keys(traffic->table, &batch, &columns, in);
		flow_seek(traffic->table, &batch, in, false);
		weir_each (slot, in)
			news += flow_at(traffic->table, &batch, (unsigned)slot, traffic->now_ns, life).is_new;
	}
	traffic->news = news;
	return __rdtsc() - start;
}

static uint64_t run_rte(struct rte_hash *hash, struct state *states, const struct packets *packets, unsigned from)
{
	const void *keys[WEIR_VECTOR];
	void *data[WEIR_VECTOR];
	uint64_t start = __rdtsc(), hits, found = 0;

	for (unsigned i = from; i < from + PIECE; i += WEIR_VECTOR) {
		for (unsigned j = 0; j < WEIR_VECTOR; j++)
			keys[j] = &packets->keys[i + j];
		rte_hash_lookup_bulk_data(hash, keys, WEIR_VECTOR, &hits, data);
		found += (unsigned)__builtin_popcountll(hits);
		for (unsigned j = 0; j < WEIR_VECTOR; j++)
			__builtin_prefetch(&states[(uintptr_t)data[j]], 1);
		for (unsigned j = 0; j < WEIR_VECTOR; j++)
			states[(uintptr_t)data[j]].last_ns += i;
	}
	start = __rdtsc() - start;
	must(found == PIECE, "rte_hash lost a key");
	return start;
}

static uint64_t add_rte(struct rte_hash *hash, const struct packets *packets, unsigned from, unsigned count)
{
	uint64_t start = __rdtsc();

	for (unsigned i = from; i < from + count; i++)
		must(!rte_hash_add_key_data(
			     hash, &packets->keys[i], (void *)(uintptr_t)packets->flow[i]),
			"rte_hash is full");
	return __rdtsc() - start;
}

static uint64_t delete_rte(struct rte_hash *hash, const struct packets *packets, unsigned from, unsigned count)
{
	uint64_t start = __rdtsc();

	for (unsigned i = from; i < from + count; i++)
		must(rte_hash_del_key(hash, &packets->keys[i]) >= 0, "rte_hash lost a key");
	return __rdtsc() - start;
}

// The record must be of this packet's flow.
static void check_table(struct traffic *traffic)
{
	for (unsigned i = 0; i < traffic->count; i++) {
		struct flow_columns columns = columns_at(traffic->packets, traffic->is_ipv6, i);
		const struct flow *flow;
		struct flow_batch batch;

		flow_keys(traffic->table, &batch, &columns, 1);
		flow = flow_find(traffic->table, &batch, 0, traffic->now_ns).flow;
		must(flow, "a flow is not found");
		if (traffic->is_ipv6)
			must(!memcmp(&flow->head.ip6[0], &columns.src6[0], 16) ||
				!memcmp(&flow->head.ip6[1], &columns.src6[0], 16), "a flow of another address");
		else
			must(flow->head.ip4[0] == columns.src4[0] || flow->head.ip4[1] == columns.src4[0],
				"a flow of another address");
		must(flow->head.client_port == columns.src_port[0] || flow->head.server_port == columns.src_port[0],
			"a flow of another port");
	}
}

// ---- what is told

enum figure { TOUCH, TOUCH6, LIVE, LIVE6, RTE_TOUCH, ADD, ADD6, RTE_ADD, AGE, RTE_DELETE, FLOOD, FIGURES };
static const char *const names[FIGURES] = { [TOUCH] = "touch",
	[TOUCH6] = "touch IPv6",
	[LIVE] = "live",
	[LIVE6] = "live IPv6",
	[RTE_TOUCH] = "rte_hash touch",
	[ADD] = "add",
	[ADD6] = "add IPv6",
	[RTE_ADD] = "rte_hash add",
	[AGE] = "age",
	[RTE_DELETE] = "rte_hash delete",
	[FLOOD] = "flood" };

struct sample {
	double at[MOST_ROUNDS * PACKETS / PIECE];
	unsigned count;
};

static struct sample samples[FIGURES];

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void note(enum figure figure, uint64_t cycles, unsigned packets)
{
	struct sample *sample = &samples[figure];

	if (sample->count < sizeof(sample->at) / sizeof(*sample->at))
		sample->at[sample->count++] = (double)cycles / packets;
}

static double quartile(enum figure figure)
{
	struct sample *sample = &samples[figure];

	if (!sample->count)
		return 0;
	qsort(sample->at, sample->count, sizeof(double), by_size);
	return sample->at[sample->count / 4];
}

static void print(unsigned flows, const struct flow_counts *counts)
{
	printf("%9u flows, %.1f bytes each:", flows, (double)counts->bytes / (double)counts->most);
	for (unsigned i = 0; i < FIGURES; i++)
		printf("%s %s %.0f", i ? "," : "", names[i], quartile(i));
	printf("; touch is %.2f of rte_hash's, add %.2f\n", quartile(TOUCH) / quartile(RTE_TOUCH),
		quartile(ADD) / quartile(RTE_ADD));
	fflush(stdout);
}

// ---- one size

static struct traffic traffic_of(uint32_t flows, bool is_ipv6, const struct packets *packets, unsigned count)
{
	struct traffic traffic = { table_for(flows, is_ipv6), packets, 0, count, is_ipv6,
		.idle_ms = IDLE_MS, .now_ns = START };

	return traffic;
}

static void note_ageing(struct traffic *traffic, bool is_told)
{
	bool is_late = true;

	for (traffic->now_ns += (traffic->idle_ms + 1000) * MS; is_late;) {
		uint64_t before = ended, start = __rdtsc();

		is_late = flow_age(traffic->table, traffic->now_ns, PIECE);
		start = __rdtsc() - start;
		if (is_told && ended > before)
			note(AGE, start, (unsigned)(ended - before));
	}
	must(!flow_counts(traffic->table).flows, "not all flows have ended");
}

// The first round meets memory that was never used; it is not told.
static void measure_add(const struct packets *all, const struct packets *others, struct rte_hash *hash, unsigned flows)
{
	struct traffic four = traffic_of(flows, false, all, 0), six = traffic_of(flows, true, all, 0);
	unsigned many = flows <= 1000000 ? rounds : 2;

	for (unsigned round = 0; round <= many; round++) {
		for (unsigned i = 0; i < flows; i += PIECE) {
			unsigned count = flows - i < PIECE ? flows - i : PIECE;
			uint64_t cycles[3];

			four.from = six.from = i;
			four.count = six.count = count;
			cycles[0] = run_table(&four);
			cycles[1] = run_table(&six);
			cycles[2] = add_rte(hash, all, i, count);
			must(four.news == count && six.news == count, "not all flows were new");
			for (unsigned j = 0; round && j < 3; j++)
				note((enum figure[]){ ADD, ADD6, RTE_ADD }[j], cycles[j], count);
		}
		four.packets = others;
		for (unsigned i = 0; i < flows; i += PIECE) {
			unsigned count = flows - i < PIECE ? flows - i : PIECE;
			uint64_t cycles[2];

			four.from = i;
			four.count = count;
			cycles[0] = run_table(&four);
			cycles[1] = delete_rte(hash, all, i, count);
			must(four.news == count && flow_counts(four.table).flows == flows, "a full table grew");
			for (unsigned j = 0; round && j < 2; j++)
				note((enum figure[]){ FLOOD, RTE_DELETE }[j], cycles[j], count);
		}
		four.packets = all;
		note_ageing(&four, round);
		note_ageing(&six, false);
	}
	flow_destroy(four.table);
	flow_destroy(six.table);
}

static void fill(struct traffic *traffic, const struct packets *all, unsigned flows)
{
	struct traffic first = *traffic;

	first.packets = all;
	first.count = flows;
	run_table(&first);
	must(first.news == flows, "not all flows were new");
}

// Packets of `flows` flows at a time, an old one leaving for a new one every LIFE packets.
static void come_and_go(struct packets *packets, unsigned flows, uint32_t *oldest)
{
	for (unsigned i = 0; i < PACKETS; i++)
		packet_of(packets, i, *oldest + i / LIFE + (uint32_t)(chance() % flows), chance() >> 63);
	*oldest += PACKETS / LIFE;
}

static void run_pieces(enum figure figure, struct traffic *traffic, bool is_told)
{
	uint64_t news = 0;

	for (traffic->from = 0; traffic->from < PACKETS; traffic->from += PIECE) {
		uint64_t cycles = run_table(traffic);

		news += traffic->news;
		if (is_told && traffic->from >= PACKETS / 2)
			note(figure, cycles, PIECE);
	}
	traffic->news = news;
}

static void measure_touch(const struct packets *all, struct rte_hash *hash, unsigned flows)
{
	struct packets random = packets_create(PACKETS), lively = packets_create(PACKETS);
	struct state *states = array(sizeof(struct state) * flows);
	struct traffic stay[2], live[2];
	unsigned warm = 1 + LIFE * flows / PACKETS;
	uint32_t oldest = 0;

	for (unsigned i = 0; i < PACKETS; i++)
		packet_of(&random, i, (uint32_t)(chance() % flows), chance() >> 63);
	for (unsigned i = 0; i < 2; i++) {
		stay[i] = traffic_of(flows, i, &random, PIECE);
		stay[i].idle_ms = 3600 * 1000;
		fill(&stay[i], all, flows);
		live[i] = traffic_of(2 * flows, i, &lively, PIECE);
		live[i].step_ns = IDLE_MS * MS * WEIR_VECTOR / flows / (LIFE / 2);
	}
	for (unsigned round = 0; round < rounds + warm; round++) {
		bool is_told = round >= warm; // those that live come and go as they will for ever

		come_and_go(&lively, flows, &oldest);
		for (unsigned i = 0; i < 2; i++) {
			run_pieces(i ? LIVE6 : LIVE, &live[i], is_told);
			if (is_told)
				run_pieces(i ? TOUCH6 : TOUCH, &stay[i], true);
			must(!is_told || !stay[i].news, "a flow was lost");
		}
		for (unsigned i = 0; is_told && i < PACKETS; i += PIECE) {
			uint64_t cycles = run_rte(hash, states, &random, i);

			if (i >= PACKETS / 2)
				note(RTE_TOUCH, cycles, PIECE);
		}
	}
	for (unsigned i = 0; i < 2; i++) {
		struct flow_counts counts = flow_counts(live[i].table);

		check_table(&stay[i]);
		must(counts.ended[FLOW_TIMED_OUT] && !counts.ended[FLOW_FORGOTTEN], "flows were forgotten");
		counts = flow_counts(stay[i].table);
		if (!i)
			print(flows, &counts);
		flow_destroy(stay[i].table);
		flow_destroy(live[i].table);
	}
	munmap(states, sizeof(struct state) * flows);
	packets_destroy(&random, PACKETS);
	packets_destroy(&lively, PACKETS);
}

static void measure(unsigned flows)
{
	struct packets all = packets_create(flows), others = packets_create(flows);
	struct rte_hash *hash = rte_hash_create(&(struct rte_hash_parameters){ .name = "flows",
		.entries = flows + 64,
		.key_len = sizeof(struct key),
		.hash_func = rte_hash_crc,
		.extra_flag = RTE_HASH_EXTRA_FLAGS_EXT_TABLE });

	must(hash, "no memory for rte_hash");
	memset(samples, 0, sizeof(samples));
	for (unsigned i = 0; i < flows; i++) {
		packet_of(&all, i, i, false);
		packet_of(&others, i, flows + i, false);
	}
	measure_add(&all, &others, hash, flows);
	add_rte(hash, &all, 0, flows);
	measure_touch(&all, hash, flows);
	rte_hash_free(hash);
	packets_destroy(&all, flows);
	packets_destroy(&others, flows);
}

// ---- the program

static int use_huge_pages(const struct rte_memseg_list *list, void *unused)
{
	(void)unused;
	madvise(list->base_va, list->len, MADV_HUGEPAGE);
	return 0;
}

int main(int count, char **arguments)
{
	char *eal[] = { "flow_table", "--no-huge", "-m", "4096", "--no-pci", "--no-telemetry", "--no-shconf",
		"--log-level=error", "--lcores=0", NULL };
	unsigned sizes[] = { 1000, 100000, 1000000, 10000000 };
	bool small = false;
	int option;

	while ((option = getopt(count, arguments, "r:s")) != -1) {
		if (option == 'r')
			rounds = (unsigned)atoi(optarg);
		small |= option == 's';
	}
	must(rounds && rounds < MOST_ROUNDS, "1 to 255 rounds");
	if (small)
		prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	must(rte_eal_init(sizeof(eal) / sizeof(*eal) - 1, eal) >= 0, "DPDK does not start");
	rte_memseg_list_walk(use_huge_pages, NULL);
	printf("cycles per packet, %u rounds, %s pages\n", rounds, small ? "small" : "huge");
	for (unsigned i = 0; optind == count && i < sizeof(sizes) / sizeof(*sizes); i++)
		measure(sizes[i]);
	for (int i = optind; i < count; i++)
		measure((unsigned)atoi(arguments[i]));
	rte_eal_cleanup();
	return 0;
}
