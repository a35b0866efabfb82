// SPDX-License-Identifier: Apache-2.0
// Streams and flows of real traces against what other programs said: number of TCP and UDP flows, who is the client,
// bytes and SHA-256 of every stream that two of them agree on. Traces are in WEIR_TRACES, beside each its
// NAME.truth.json.
#include "flow/fragments.h"
#include "flow/stream.h"
#include "flow/tcp_history.h"
#include "packet/decode_testing.h"
#include "port/capture.h"
#include "port/links.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <setjmp.h>
#include <sha2.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

enum { OCCURRENCES = 4, ROUNDS = 8, BUCKETS = 1 << 14 };

// Where we count otherwise, and why.
#define NO_FLAGS "a segment without ACK, SYN or RST belongs to no connection (RFC 9293 3.10.7.4)"
#define CUT "a TCP header that is cut is none"
#define MACSEC "MACsec is not looked into"

static const struct difference {
	const char *trace, *name;
	const char *ours, *theirs; // how they begin
	const char *why;
} differences[] = {
	{ "bad-tcpdump-crashers-linktypes.pcapng", "TCP flows", "6", "7", CUT },
	{ "bad-tcpdump-crashers-ethernet.pcap", "UDP flows", "46", "47", MACSEC },
	{ "bad-tcpdump-crashers-ethernet.pcap", "udp 192.168.114.1 38582 - 192.168.114.2 6666",
		"nothing", "a flow", MACSEC },
	{ "bad-tcpdump-crashers-ethernet.pcap", "5 241.0.128.39 179 - 239.0.0.1 0 out", "0 ",
		"2580 ", NO_FLAGS },
	{ "bad-tcpdump-crashers-ethernet.pcap", "6 241.0.32.19 179 - 239.0.0.1 0 out", "0 ", "46 ",
		NO_FLAGS },
};

// ---- flows

struct key {
	uint8_t address[2][16];
	uint16_t port[2];
	uint8_t version, protocol;
	uint16_t zero;
};

struct half {
	struct stream stream;
	SHA2_CTX sha;
	uint64_t bytes;
	uint64_t packets, payload;
};

struct flow {
	struct key key; // [0] sent the first packet
	struct tcp tcp;
	struct tcp_history history;
	struct half half[2];
	struct flow *next; // of the bucket
	struct flow *next_of_all;
	bool is_over, was_compared;
	bool is_carrier; // it carries a tunnel
};

struct flows {
	struct flow *buckets[BUCKETS], *all, **last;
	struct stream_pool pool;
	struct fragments fragments;
	unsigned tcp, udp, facts[32];
	uint64_t now_ns;
	const char *trace;
	unsigned wrong, compared, open;
};

static struct half *half_of(struct stream *stream)
{
	return (struct half *)stream; // its first member
}

static void take_data(void *context, struct stream *stream, uint64_t offset, const uint8_t *bytes, uint32_t length)
{
	struct half *half = half_of(stream);

	(void)context;
	assert_int_equal(offset, half->bytes + stream->gap_bytes);
	SHA256Update(&half->sha, bytes, length);
	half->bytes += length;
}

static void take_gap(
	void *context, struct stream *stream, uint64_t offset, uint64_t length, enum stream_gap_cause cause)
{
	(void)context, (void)stream, (void)offset, (void)length, (void)cause;
}

// What is kept must outlive the frame: pieces point into it, so that the frame itself is kept.
struct frame {
	unsigned references;
	uint8_t bytes[];
};

static void *keep_frame(void *context, void *packet)
{
	(void)context;
	((struct frame *)packet)->references++;
	return packet;
}

static void let_frame_go(void *context, void *handle)
{
	struct frame *frame = handle;

	(void)context;
	if (!--frame->references)
		free(frame);
}

static struct frame *make_frame(const uint8_t *bytes, uint32_t length)
{
	struct frame *frame = malloc(sizeof(*frame) + length + 1);

	frame->references = 1;
	memcpy(frame->bytes, bytes, length);
	return frame;
}

static struct flow **bucket_of(struct flows *flows, const struct key *key)
{
	uint32_t hash = 0; // the same for both directions

	for (unsigned side = 0; side < 2; side++) {
		uint32_t part = key->port[side];

		for (unsigned i = 0; i < 16; i++)
			part = part * 31 + key->address[side][i];
		hash += part * part;
	}
	return &flows->buckets[(hash ^ hash >> 15 ^ key->protocol) % BUCKETS];
}

static struct key turned(const struct key *key)
{
	struct key turned = *key;

	for (unsigned side = 0; side < 2; side++) {
		memcpy(turned.address[side], key->address[!side], 16);
		turned.port[side] = key->port[!side];
	}
	return turned;
}

static struct flow *find_flow(struct flows *flows, const struct key *key, unsigned *direction)
{
	struct key back = turned(key);

	for (struct flow *flow = *bucket_of(flows, key); flow; flow = flow->next) {
		*direction = !!memcmp(&flow->key, key, sizeof(*key));
		if (!flow->is_over && (!*direction || !memcmp(&flow->key, &back, sizeof(back))))
			return flow;
	}
	return NULL;
}

static struct flow *add_flow(struct flows *flows, const struct key *key)
{
	struct flow *flow = calloc(1, sizeof(*flow)), **bucket = bucket_of(flows, key);

	flow->key = *key;
	flow->next = *bucket;
	*bucket = flow;
	*flows->last = flow;
	flows->last = &flow->next_of_all;
	tcp_start(&flow->tcp, true);
	for (unsigned side = 0; side < 2; side++)
		SHA256Init(&flow->half[side].sha);
	return flow;
}

static void end_flow(struct flows *flows, struct flow *flow)
{
	for (unsigned side = 0; side < 2; side++)
		stream_end(&flows->pool, &flow->half[side].stream);
	flow->is_over = true;
	stream_sweep(&flows->pool);
}

// ---- packets

static void take_stream(struct flows *flows, struct flow *flow, unsigned direction,
	const struct tcp_segment *segment, const uint8_t *payload, struct frame *frame, uint32_t facts)
{
	struct stream *own = &flow->half[direction].stream, *other = &flow->half[!direction].stream;
	const struct tcp_side *from = &flow->tcp.side[direction], *to = &flow->tcp.side[!direction];

	if (facts & TCP_FACT_NO_STREAM)
		return;
	if (!own->marks && from->state != TCP_NONE)
		stream_start(own, tcp_first(&flow->tcp, direction), 0, OVERLAP_FIRST);
	if (segment->length && !(segment->flags & TCP_RST))
		stream_add(&flows->pool, own,
			&(struct stream_segment){ payload, tcp_payload_seq(segment), segment->length, frame,
				flows->now_ns });
	if (facts & TCP_FACT_FINISHED)
		stream_finish(&flows->pool, own, tcp_payload_seq(segment) + segment->length, flows->now_ns);
	if (from->marks & TCP_CONFIRMED)
		stream_confirm(&flows->pool, own, from->acked, flows->now_ns);
	if (to->marks & TCP_CONFIRMED)
		stream_confirm(&flows->pool, other, to->acked, flows->now_ns);
	stream_sweep(&flows->pool);
}

static void take_tcp(
	struct flows *flows, const struct key *key, const uint8_t *header, uint32_t length, struct frame *frame)
{
	uint32_t header_length = (header[12] >> 4) * 4u, facts;
	struct tcp_segment segment;
	struct flow *flow;
	unsigned direction;

	if (length < 20 || header_length < 20 || header_length > length)
		return;
	tcp_read(&segment, header, header_length, length - header_length);
	flow = find_flow(flows, key, &direction);
	if (!flow) {
		flow = add_flow(flows, key);
		direction = 0;
		flows->tcp++;
	}
	facts = tcp_step(&flow->tcp, direction, &segment);
	if (facts & TCP_FACT_REUSED) {
		end_flow(flows, flow);
		flow = add_flow(flows, key);
		direction = 0;
		flows->tcp++;
		facts = tcp_step(&flow->tcp, direction, &segment);
		assert_false(facts & TCP_FACT_REUSED);
	}
	tcp_history_note(&flow->history, &flow->tcp, direction, &segment, facts);
	for (unsigned i = 0; i < 32; i++)
		flows->facts[i] += facts >> i & 1;
	flow->half[direction].packets++;
	flow->half[direction].payload += segment.length;
	take_stream(flows, flow, direction, &segment, header + header_length, frame, facts);
}

static void take_udp(
	struct flows *flows, const struct key *key, const uint8_t *header, bool is_innermost, bool is_carrier)
{
	uint32_t length = (uint32_t)header[4] << 8 | header[5];
	unsigned direction;
	struct flow *flow = find_flow(flows, key, &direction);

	if (!flow) {
		flow = add_flow(flows, key);
		direction = 0;
		flows->udp++;
	}
	flow->is_carrier |= is_carrier;
	if (!is_innermost)
		return;
	flow->half[direction].packets++;
	flow->half[direction].payload += length > 8 ? length - 8 : 0; // as it says, be it cut
}

// ---- where the headers are

enum layer { IP, IPV6, TCP, UDP, ICMP, ICMPV6, LAYERS };
static const enum protocol protocols[LAYERS] = { PROTO_IP, PROTO_IPV6, PROTO_TCP, PROTO_UDP, PROTO_ICMP, PROTO_ICMPV6 };

struct place {
	uint32_t base, end;
};

static struct decoder *create_decoder(void)
{
	struct arena *arena = arena_create();
	struct decoder *decoder = arena_new(arena, struct decoder);

	decoder->arena = arena;
	decoder->columns = (VECTOR_MASKS + sizeof(weir_mask) * 256 + 63) & ~63u;
	decoder_ask_facts(decoder);
	for (unsigned i = 0; i < LAYERS * OCCURRENCES; i++)
		decoder->layers[i] = (struct decode_layer){
			.protocol = protocols[i / OCCURRENCES],
			.occurrence = (uint8_t)(i % OCCURRENCES + 1),
			.has = decoder_mask(decoder),
			.base = decoder_column(decoder, 2),
			.end = decoder_column(decoder, 4),
		};
	decoder->locate = decode_prepare(arena, decoder->layers, LAYERS * OCCURRENCES, &decoder->facts);
	decoder->vector = aligned_alloc(64, decoder->columns);
	memset(decoder->vector, 0, decoder->columns);
	decoder->packets = aligned_alloc(_Alignof(struct tested_packet), sizeof(struct tested_packet) * WEIR_VECTOR);
	memset(decoder->packets, 0, sizeof(struct tested_packet) * WEIR_VECTOR);
	return decoder;
}

static bool has_place(const struct decoder *decoder, enum layer layer, unsigned occurrence, struct place *place)
{
	const struct decode_layer *at = &decoder->layers[(unsigned)layer * OCCURRENCES + occurrence];

	if (!(*vector_mask(decoder->vector, at->has) & 1))
		return false;
	place->base = *(uint16_t *)vector_column(decoder->vector, at->base);
	place->end = *(uint32_t *)vector_column(decoder->vector, at->end);
	return true;
}

// The innermost IP header in front of `before`.
static bool find_ip(const struct decoder *decoder, uint32_t before, struct place *found)
{
	struct place place;
	bool is_there = false;

	for (unsigned i = 0; i < 2 * OCCURRENCES; i++)
		if (has_place(decoder, i / OCCURRENCES ? IPV6 : IP, i % OCCURRENCES, &place) && place.base < before &&
			(!is_there || place.base >= found->base)) {
			*found = place;
			is_there = true;
		}
	return is_there;
}

static void make_key(struct key *key, const uint8_t *ip, const uint8_t *transport, uint8_t protocol)
{
	unsigned size = ip[0] >> 4 == 4 ? 4 : 16, at = size == 4 ? 12 : 8;

	memset(key, 0, sizeof(*key));
	for (unsigned side = 0; side < 2; side++) {
		memcpy(key->address[side], ip + at + side * size, size);
		key->port[side] = (uint16_t)(transport[2 * side] << 8 | transport[2 * side + 1]);
	}
	key->version = ip[0] >> 4;
	key->protocol = protocol;
}

static bool is_quoted(const struct decoder *decoder, uint32_t base)
{
	struct place place;

	return (has_place(decoder, ICMP, 0, &place) && place.base < base) ||
		(has_place(decoder, ICMPV6, 0, &place) && place.base < base);
}

// A fragment that is not completed by it has no transport of its own.
static bool take_fragments(struct flows *flows, const struct decoder *decoder, struct frame *frame, uint32_t length,
	const uint8_t **whole, uint32_t *whole_length)
{
	struct fragment fragment;
	struct place place;

	for (unsigned i = 0; i < 2 * OCCURRENCES; i++) {
		if (!has_place(decoder, i / OCCURRENCES ? IPV6 : IP, i % OCCURRENCES, &place) ||
			is_quoted(decoder, place.base))
			continue;
		if (!fragment_read(&fragment, frame->bytes + place.base, length - place.base))
			continue;
		if (fragments_add(&flows->fragments, &fragment, 0, frame, flows->now_ns, whole, whole_length) !=
			FRAGMENT_COMPLETES)
			*whole_length = 0;
		return true;
	}
	return false;
}

static void take_transports(struct flows *flows, const struct decoder *decoder, struct frame *frame)
{
	struct place tcp = { 0 }, udp = { 0 }, place, ip;
	struct key key;

	for (unsigned i = 0; i < OCCURRENCES; i++) {
		if (has_place(decoder, TCP, i, &place) && !is_quoted(decoder, place.base))
			tcp = place;
		if (has_place(decoder, UDP, i, &place) && !is_quoted(decoder, place.base))
			udp = place;
	}
	for (unsigned i = 0; i < OCCURRENCES; i++) {
		if (!has_place(decoder, UDP, i, &place) || is_quoted(decoder, place.base) ||
			!find_ip(decoder, place.base, &ip))
			continue;
		make_key(&key, frame->bytes + ip.base, frame->bytes + place.base, 17);
		take_udp(flows, &key, frame->bytes + place.base, place.base == udp.base,
			find_ip(decoder, UINT32_MAX, &ip) && ip.base > place.base);
	}
	if (!tcp.base || !find_ip(decoder, tcp.base, &ip))
		return;
	make_key(&key, frame->bytes + ip.base, frame->bytes + tcp.base, 6);
	take_tcp(flows, &key, frame->bytes + tcp.base, tcp.end - tcp.base, frame);
}

static void take_frame(struct flows *flows, struct decoder *decoder, const uint8_t *bytes, uint32_t length,
	uint32_t original, enum protocol link, unsigned round)
{
	struct frame *frame = make_frame(bytes, length);
	uint32_t whole_length = 0;
	const uint8_t *whole;

	decoder_add(decoder, frame->bytes, length, original, link);
	decoder_run(decoder, 1);
	if (!take_fragments(flows, decoder, frame, length, &whole, &whole_length))
		take_transports(flows, decoder, frame);
	decoder_empty(decoder);
	let_frame_go(NULL, frame);
	if (whole_length && round < ROUNDS)
		take_frame(flows, decoder, whole, whole_length, whole_length, PROTO_RAW, round + 1);
}

// ---- comparing

static bool is_known(const struct flows *flows, const char *name, const char *ours, const char *theirs)
{
	for (unsigned i = 0; i < sizeof(differences) / sizeof(*differences); i++)
		if (!strcmp(differences[i].trace, flows->trace) && !strcmp(differences[i].name, name))
			return !strncmp(differences[i].ours, ours, strlen(differences[i].ours)) &&
				!strncmp(differences[i].theirs, theirs, strlen(differences[i].theirs));
	return false;
}

static void compare(struct flows *flows, const char *name, const char *ours, const char *theirs)
{
	flows->compared++;
	if (!strcmp(ours, theirs) || is_known(flows, name, ours, theirs))
		return;
	print_message("%s: %s: %s, must be %s\n", flows->trace, name, ours, theirs);
	flows->wrong++;
}

static void compare_number(struct flows *flows, const char *name, uint64_t ours, const json_t *theirs)
{
	char a[32], b[32];

	snprintf(a, sizeof(a), "%llu", (unsigned long long)ours);
	snprintf(b, sizeof(b), "%lld", (long long)json_integer_value(theirs));
	compare(flows, name, a, b);
}

static void name_end(const struct flow *flow, unsigned side, char *text)
{
	inet_ntop(flow->key.version == 4 ? AF_INET : AF_INET6, flow->key.address[side], text, 64);
	sprintf(text + strlen(text), " %u", flow->key.port[side]);
}

static bool has_ends(const struct flow *flow, const char *a, const char *b)
{
	char ends[2][80];

	name_end(flow, 0, ends[0]);
	name_end(flow, 1, ends[1]);
	return (!strcmp(ends[0], a) && !strcmp(ends[1], b)) || (!strcmp(ends[0], b) && !strcmp(ends[1], a));
}

static struct flow *find_named(struct flows *flows, const char *a, const char *b, uint8_t protocol)
{
	for (struct flow *flow = flows->all; flow; flow = flow->next_of_all)
		if (!flow->was_compared && flow->key.protocol == protocol && has_ends(flow, a, b) &&
			(protocol == 17 || flow->half[0].payload || flow->half[1].payload)) {
			flow->was_compared = true;
			return flow;
		}
	return NULL;
}

static void compare_half(struct flows *flows, const char *name, struct half *half, const json_t *theirs)
{
	const char *grade = json_string_value(json_object_get(theirs, "grade"));
	char digest[SHA256_DIGEST_STRING_LENGTH], ours[128], must[128];

	SHA256End(&half->sha, digest);
	if (!theirs || !strcmp(grade, "open")) {
		flows->open += theirs != NULL;
		return;
	}
	snprintf(ours, sizeof(ours), "%llu %.64s", (unsigned long long)half->bytes, digest);
	snprintf(must, sizeof(must), "%lld %.64s", (long long)json_integer_value(json_object_get(theirs, "bytes")),
		json_string_value(json_object_get(theirs, "sha256")));
	compare(flows, name, ours, must);
}

static void compare_stream(struct flows *flows, const json_t *theirs)
{
	const char *client = json_string_value(json_object_get(theirs, "client"));
	const char *server = json_string_value(json_object_get(theirs, "server"));
	struct flow *flow = find_named(flows, client, server, 6);
	char name[256], end[80];
	unsigned ours;

	snprintf(name, sizeof(name), "%lld %s - %s", (long long)json_integer_value(json_object_get(theirs, "stream")),
		client, server);
	if (!flow) {
		compare(flows, name, "nothing", "a stream");
		return;
	}
	ours = tcp_client(&flow->tcp);
	name_end(flow, ours, end);
	compare(flows, name, end, client);
	ours = strcmp(end, client) ? !ours : ours;
	strcat(name, " out");
	compare_half(flows, name, &flow->half[ours], json_object_get(theirs, "c2s"));
	memcpy(strstr(name, " out"), " bck", 4);
	compare_half(flows, name, &flow->half[!ours], json_object_get(theirs, "s2c"));
}

// Of TCP in a tunnel the truth tells inner addresses with the outer ports.
static bool is_of_tunnel(const struct flows *flows, const char *end)
{
	unsigned port = (unsigned)atoi(strchr(end, ' ') + 1);

	for (const struct flow *flow = flows->all; flow; flow = flow->next_of_all)
		if (flow->is_carrier && (flow->key.port[0] == port || flow->key.port[1] == port))
			return true;
	return false;
}

static void compare_udp(struct flows *flows, const json_t *theirs)
{
	const char *a = json_string_value(json_array_get(theirs, 1)), *b = json_string_value(json_array_get(theirs, 2));
	struct flow *flow = find_named(flows, a, b, 17);
	char name[256], end[80], ours[128], must[128];
	unsigned side;

	snprintf(name, sizeof(name), "udp %s - %s", a, b);
	if (!flow) {
		if (!is_of_tunnel(flows, b))
			compare(flows, name, "nothing", "a flow");
		return;
	}
	name_end(flow, 0, end);
	side = strcmp(end, a) ? 1 : 0;
	snprintf(ours, sizeof(ours), "%llu %llu %llu %llu", (unsigned long long)flow->half[side].packets,
		(unsigned long long)flow->half[!side].packets, (unsigned long long)flow->half[side].payload,
		(unsigned long long)flow->half[!side].payload);
	snprintf(must, sizeof(must), "%lld %lld %lld %lld", (long long)json_integer_value(json_array_get(theirs, 3)),
		(long long)json_integer_value(json_array_get(theirs, 4)),
		(long long)json_integer_value(json_array_get(theirs, 5)),
		(long long)json_integer_value(json_array_get(theirs, 6)));
	compare(flows, name, ours, must);
}

static void compare_trace(struct flows *flows, const json_t *truth)
{
	const json_t *list = json_object_get(truth, "tcp_streams"), *udp = json_object_get(truth, "udp_streams");

	compare_number(flows, "TCP flows", flows->tcp, json_object_get(json_object_get(truth, "tcp"), "streams"));
	compare_number(flows, "UDP flows", flows->udp, json_object_get(json_object_get(truth, "udp"), "streams"));
	for (size_t i = 0; i < json_array_size(list); i++)
		compare_stream(flows, json_array_get(list, i));
	for (size_t i = 0; i < json_array_size(udp); i++)
		compare_udp(flows, json_array_get(udp, i));
}

// ---- one trace

static void read_trace(struct flows *flows, const char *path)
{
	struct decoder *decoder = create_decoder();
	struct capture_record record;
	struct capture_error why;
	struct capture *capture;

	if (capture_open(&capture, path, &why))
		fail_msg("%s", why.text);
	while (capture_next(capture, &record) == 1) {
		flows->now_ns = record.time_ns > flows->now_ns ? record.time_ns : flows->now_ns;
		take_frame(flows, decoder, record.bytes, record.captured, record.original,
			links_protocol(record.link_type), 0);
		stream_settle(&flows->pool, flows->now_ns);
		stream_sweep(&flows->pool);
	}
	capture_close(&capture);
	decoder_destroy(decoder);
	for (struct flow *flow = flows->all; flow; flow = flow->next_of_all)
		if (!flow->is_over)
			end_flow(flows, flow);
}

static void say(const struct flows *flows)
{
	if (!getenv("WEIR_TELL"))
		return;
	for (const struct flow *flow = flows->all; flow; flow = flow->next_of_all)
		if (flow->key.protocol == 6)
			print_message("%s: %s %s gaps %llu %llu\n", flows->trace, flow->history.text,
				tcp_conn_state(&flow->tcp), (unsigned long long)flow->half[0].stream.gap_bytes,
				(unsigned long long)flow->half[1].stream.gap_bytes);
	for (unsigned i = 0; i < 32; i++)
		if (flows->facts[i])
			print_message("%s: fact %u: %u\n", flows->trace, i, flows->facts[i]);
}

static void free_flows(struct flows *flows)
{
	struct flow *next;

	for (struct flow *flow = flows->all; flow; flow = next) {
		next = flow->next_of_all;
		free(flow);
	}
	stream_pool_uninit(&flows->pool);
	fragments_uninit(&flows->fragments);
	free(flows);
}

static struct flows *make_flows(const char *trace)
{
	struct stream_sink sink = { NULL, take_data, take_gap, NULL, NULL };
	struct keeper keeper = { NULL, keep_frame, let_frame_go };
	struct flows *flows = calloc(1, sizeof(*flows));

	flows->trace = trace;
	flows->last = &flows->all;
	assert_int_equal(stream_pool_init(&flows->pool, &stream_limits_default, &sink, &keeper), 0);
	assert_int_equal(fragments_init(&flows->fragments, &fragments_limits_default, &keeper), 0);
	return flows;
}

static unsigned check_trace(const char *folder, const char *file, unsigned *compared, unsigned *open)
{
	struct flows *flows;
	char path[512];
	json_t *truth;
	unsigned wrong;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	truth = json_load_file(path, 0, NULL);
	assert_non_null(truth);
	flows = make_flows(json_string_value(json_object_get(json_object_get(truth, "file"), "name")));
	snprintf(path, sizeof(path), "%s/%s", folder, flows->trace);
	read_trace(flows, path);
	compare_trace(flows, truth);
	say(flows);
	*compared += flows->compared;
	*open += flows->open;
	wrong = flows->wrong;
	free_flows(flows);
	json_decref(truth);
	return wrong;
}

static void traces(void **state)
{
	const char *folder = getenv("WEIR_TRACES") ? getenv("WEIR_TRACES") : "../shared/traces";
	unsigned wrong = 0, compared = 0, open = 0;
	struct dirent *entry;
	DIR *dir = opendir(folder);

	(void)state;
	if (!dir) {
		print_message("no traces in %s (WEIR_TRACES)\n", folder);
		skip();
	}
	while ((entry = readdir(dir)))
		if (strstr(entry->d_name, ".truth.json") &&
			(!getenv("WEIR_ONE") || strstr(entry->d_name, getenv("WEIR_ONE"))))
			wrong += check_trace(folder, entry->d_name, &compared, &open);
	closedir(dir);
	print_message("%u values compared, %u wrong; %u streams on which nobody agrees\n", compared, wrong, open);
	assert_int_equal(wrong, 0);
}

// ---- made connections, damaged on purpose

// The digest of a connection as make-perf makes it: numbers of the ends, then the digests of both streams.
static void add_digest(struct flow *flow, uint8_t *all)
{
	unsigned client = tcp_client(&flow->tcp);
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char text[96];
	SHA2_CTX sha;

	SHA256Init(&sha);
	sprintf(text, "%u %u %u %u ", ntohl(*(uint32_t *)flow->key.address[client]), flow->key.port[client],
		ntohl(*(uint32_t *)flow->key.address[!client]), flow->key.port[!client]);
	SHA256Update(&sha, (const uint8_t *)text, strlen(text));
	for (unsigned i = 0; i < 2; i++) {
		SHA256Final(digest, &flow->half[i ? !client : client].sha);
		SHA256Update(&sha, digest, sizeof(digest));
	}
	SHA256Final(digest, &sha);
	for (unsigned i = 0; i < sizeof(digest); i++)
		all[i] ^= digest[i];
}

static void check_made(const char *path, const json_t *truth)
{
	struct flows *flows = make_flows(path);
	const char *must = json_string_value(json_object_get(truth, "streams_digest"));
	uint8_t all[SHA256_DIGEST_LENGTH] = { 0 };
	char digest[SHA256_DIGEST_STRING_LENGTH] = "";
	uint64_t bytes = 0, gaps = 0;

	read_trace(flows, path);
	for (struct flow *flow = flows->all; flow; flow = flow->next_of_all) {
		add_digest(flow, all);
		assert_string_equal(tcp_conn_state(&flow->tcp), "SF");
		for (unsigned side = 0; side < 2; side++) {
			bytes += flow->half[side].bytes;
			gaps += flow->half[side].stream.gap_bytes;
			assert_true(flow->half[side].stream.marks & STREAM_ENDED);
		}
	}
	for (unsigned i = 0; i < sizeof(all); i++)
		sprintf(digest + 2 * i, "%02x", all[i]);
	assert_int_equal(flows->tcp, json_integer_value(json_object_get(truth, "connections")));
	assert_int_equal(bytes + gaps, json_integer_value(json_object_get(truth, "payload_c2s")) +
			json_integer_value(json_object_get(truth, "payload_s2c")));
	assert_int_equal(!gaps, must != NULL);
	if (must)
		assert_string_equal(digest, must);
	free_flows(flows);
}

static void made(void **state)
{
	static const char *const options[] = { "", "--reorder 0.2", "--dup 0.2", "--reorder 0.3 --dup 0.3 --seed 2",
		"--reorder 0.1 --dup 0.1 --hole 0.05 --seed 3", "--hole 0.1 --seed 4" };
	const char *folder = getenv("WEIR_TRACES") ? getenv("WEIR_TRACES") : "../shared/traces";
	char directory[] = "/tmp/weir-stream-XXXXXX", path[64], command[512];

	(void)state;
	snprintf(command, sizeof(command), "%s/make-perf", folder);
	if (access(command, X_OK)) {
		print_message("no make-perf in %s (WEIR_TRACES)\n", folder);
		skip();
	}
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/made.pcap", directory);
	for (unsigned i = 0; i < sizeof(options) / sizeof(*options); i++) {
		json_t *truth;

		snprintf(command, sizeof(command), "%s/make-perf lifecycle %s --flows 400 %s >/dev/null", folder, path,
			options[i]);
		assert_int_equal(system(command), 0);
		strcat(path, ".truth.json");
		truth = json_load_file(path, 0, NULL);
		assert_non_null(truth);
		unlink(path);
		path[strlen(path) - strlen(".truth.json")] = 0;
		check_made(path, truth);
		json_decref(truth);
		unlink(path);
	}
	rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(traces), cmocka_unit_test(made) };

	return cmocka_run_group_tests_name("stream_trace", tests, NULL, NULL);
}
