// SPDX-License-Identifier: Apache-2.0
// The decoder on real traces: in how many packets each protocol occurs, what the first
// network header announces, how many
// checksums are bad; against what tshark said. Traces are in WEIR_TRACES, beside each its NAME.truth.json.
#include "packet/decode_testing.h"
#include "port/capture.h"
#include "port/links.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <jansson.h>

struct counted {
	const char *name; // as the truth calls it
	const char *field; // packets that have it
};

static const struct counted counted[] = {
	{ "eth", "eth" },
	{ "vlan", "vlan" },
	{ "arp", "arp" },
	{ "ip", "ip" },
	{ "ipv6", "ipv6" },
	{ "icmp", "icmp" },
	{ "icmpv6", "icmpv6" },
	{ "igmp", "igmp" },
	{ "tcp", "tcp" },
	{ "udp", "udp" },
	{ "sctp", "sctp" },
	{ "gre", "gre" },
	{ "mpls", "mpls" },
	{ "pppoes", "pppoes" },
	{ "ppp", "ppp" },
	{ "vxlan", "vxlan" },
	{ "geneve", "geneve" },
	{ "gtp", "gtp" },
	{ "sll", "sll" },
	{ "null", "null" },
	{ "chdlc", "chdlc" },
	{ "llc", "llc" },
	{ "ah", "ah" },
	{ "ipv6.hopopts", "ipv6.hopopts" },
	{ "ipv6.dstopts", "ipv6.dstopts" },
	{ "ipv6.fraghdr", "ipv6.fraghdr" },
};
enum { COUNTED = sizeof(counted) / sizeof(*counted) };

enum { NUMBERS = 256 };

struct counts {
	unsigned protocols[COUNTED], ip_proto[NUMBERS], ipv6_nxt[NUMBERS], packets;
	unsigned bad_ip, bad_tcp, bad_udp;
};

// Why tshark counts otherwise.
#define FRAGMENTS \
	"it shows the transport header with the packet that completes the datagram, not with the first fragment"
#define TEREDO "it looks for IPv6 behind UDP port 3544"
#define LIES "it sums up a packet that is shorter than its own length says: here that is not verified"
#define CUT "it shows the fields that are there of a header that is cut"
#define CRASH "broken packets: it shows what can be shown of headers that are cut or lie"

static const struct difference {
	const char *trace, *name;
	int ours, theirs;
	const char *why;
} differences[] = {
	{ "gtp-u-fragmented.pcap", "tcp", 72, 68, FRAGMENTS },
	{ "gtp-u-fragmented.pcap", "udp", 72, 68, FRAGMENTS },
	{ "gtp-u-fragmented.pcap", "gtp", 72, 68, FRAGMENTS },
	{ "gtp-u-fragmented.pcap", "bad udp", 0, 36, FRAGMENTS },
	{ "ipv6-frag-flood.pcap", "icmpv6", 39837, 25, FRAGMENTS },
	{ "ip-frag-mixed.pcap", "udp", 1140, 1021, FRAGMENTS },
	{ "mix-enterprise.pcap", "ipv6", 152, 153, TEREDO },
	{ "mix-enterprise.pcap", "ipv6.nxt 59", 0, 1, TEREDO },
	{ "ftp-active-passive.pcap", "ipv6", 161, 167, TEREDO },
	{ "ftp-active-passive.pcap", "icmpv6", 108, 114, TEREDO },
	{ "ftp-active-passive.pcap", "ipv6.nxt 58", 49, 55, TEREDO },
	{ "mix-wireshark-udp.pcapng", "ipv6", 237, 250, TEREDO },
	{ "mix-wireshark-udp.pcapng", "ipv6.nxt 59", 0, 13, TEREDO },
	{ "qinq-pppoe-http.pcap", "bad tcp", 0, 6, LIES },
	{ "tcp-reassembly-conflict.pcap", "bad tcp", 10, 15, LIES },
	{ "bad-truncated-tcp-header.pcap", "tcp", 23, 24, CUT },
	{ "bad-tcpdump-crashers-linktypes.pcapng", "ip", 25, 26, CRASH },
	{ "bad-tcpdump-crashers-linktypes.pcapng", "tcp", 7, 8, CRASH },
	{ "bad-tcpdump-crashers-ethernet.pcap", "eth", 356, 363, CRASH },
	{ "bad-tcpdump-crashers-ethernet.pcap", "ip", 221, 225, CRASH },
	{ "bad-tcpdump-crashers-ethernet.pcap", "ipv6", 19, 22, CRASH },
	{ "bad-tcpdump-crashers-ethernet.pcap", "icmp", 1, 3, CRASH },
	{ "bad-tcpdump-crashers-ethernet.pcap", "igmp", 2, 3, CRASH },
	{ "bad-tcpdump-crashers-ethernet.pcap", "tcp", 28, 29, CRASH },
	{ "bad-tcpdump-crashers-ethernet.pcap", "udp", 146, 148, CRASH },
	{ "bad-tcpdump-crashers-ethernet.pcap", "gre", 0, 1, CRASH },
	{ "bad-tcpdump-crashers-ethernet.pcap", "ppp", 1, 0, CRASH },
	{ "bad-tcpdump-crashers-ethernet.pcap", "ah", 0, 1, CRASH },
	{ "bad-tcpdump-crashers-ethernet.pcap", "ipv6.fraghdr", 0, 1, CRASH },
	{ "bad-tcpdump-crashers-ethernet.pcap", "ip.proto 17", 144, 145, CRASH },
	{ "bad-tcpdump-crashers-ethernet.pcap", "ipv6.nxt 17", 4, 5, CRASH },
	{ "bad-tcpdump-crashers-ethernet.pcap", "ipv6.nxt 64", 0, 2, CRASH },
	{ "bad-tcpdump-crashers-ethernet.pcap", "bad udp", 7, 6, CRASH },
};

static bool is_known(const char *trace, const char *name, unsigned ours, json_int_t theirs)
{
	for (unsigned i = 0; i < sizeof(differences) / sizeof(*differences); i++)
		if (!strcmp(differences[i].trace, trace) && !strcmp(differences[i].name, name))
			return differences[i].ours == (int)ours && differences[i].theirs == (int)theirs;
	return false;
}

// ---- counting

static bool is_bad(const struct decoder *decoder, unsigned slot, const char *status)
{
	for (uint8_t occurrence = 1; occurrence <= 4; occurrence++) {
		const struct decode_extract *extract = decoder_extract(decoder, field_find(status), occurrence);

		if (decoder_has(decoder, slot, extract) && !decoder_number(decoder, slot, extract))
			return true;
	}
	return false;
}

static void count_number(const struct decoder *decoder, unsigned slot, const char *name, unsigned *numbers)
{
	const struct decode_extract *extract = decoder_extract(decoder, field_find(name), 1);

	if (decoder_has(decoder, slot, extract))
		numbers[decoder_number(decoder, slot, extract)]++;
}

static void count_slot(const struct decoder *decoder, unsigned slot, struct counts *counts)
{
	for (unsigned i = 0; i < COUNTED; i++)
		counts->protocols[i] +=
			decoder_has(decoder, slot, decoder_extract(decoder, field_find(counted[i].field), 1));
	count_number(decoder, slot, "ip.proto", counts->ip_proto);
	count_number(decoder, slot, "ipv6.nxt", counts->ipv6_nxt);
	counts->bad_ip += is_bad(decoder, slot, "ip.checksum.status");
	counts->bad_tcp += is_bad(decoder, slot, "tcp.checksum.status");
	counts->bad_udp += is_bad(decoder, slot, "udp.checksum.status");
	counts->packets++;
}

static void count_vector(struct decoder *decoder, struct counts *counts)
{
	decoder_run(decoder, decoder->vector->head.live);
	for (unsigned slot = 0; slot < decoder->vector->head.fill; slot++)
		count_slot(decoder, slot, counts);
	decoder_empty(decoder);
}

static void count_file(struct decoder *decoder, const char *path, struct counts *counts)
{
	struct capture_record record;
	struct capture_error why;
	struct capture *capture;

	memset(counts, 0, sizeof(*counts));
	if (capture_open(&capture, path, &why))
		fail_msg("%s", why.text);
	while (capture_next(capture, &record) == 1) {
		decoder_add(decoder, record.bytes, record.captured, record.original,
			links_protocol(record.link_type));
		if (decoder->vector->head.fill == WEIR_VECTOR)
			count_vector(decoder, counts);
	}
	if (decoder->vector->head.fill)
		count_vector(decoder, counts);
	capture_close(&capture);
}

// ---- comparing

static unsigned compare(const char *trace, const char *name, unsigned ours, const json_t *theirs)
{
	json_int_t number = theirs ? json_integer_value(theirs) : 0;

	if (number == (json_int_t)ours || is_known(trace, name, ours, number))
		return 0;
	print_message("%s: %s: %u, tshark %lld\n", trace, name, ours, (long long)number);
	return 1;
}

static unsigned compare_numbers(
	const char *trace, const char *kind, const unsigned *numbers, const json_t *theirs)
{
	unsigned wrong = 0;
	char key[16], name[64];

	for (unsigned i = 0; i < NUMBERS; i++) {
		snprintf(key, sizeof(key), "%u", i);
		snprintf(name, sizeof(name), "%s %u", kind, i);
		wrong += compare(trace, name, numbers[i], json_object_get(theirs, key));
	}
	return wrong;
}

static unsigned compare_file(const char *trace, const struct counts *counts, const json_t *truth)
{
	const json_t *protocols = json_object_get(truth, "protocols"), *ip = json_object_get(truth, "ip");
	unsigned wrong = 0;

	for (unsigned i = 0; i < COUNTED; i++)
		wrong += compare(trace, counted[i].name, counts->protocols[i],
			json_object_get(protocols, counted[i].name));
	wrong += compare_numbers(trace, "ip.proto", counts->ip_proto, json_object_get(ip, "outer_v4_proto"));
	wrong += compare_numbers(
		trace, "ipv6.nxt", counts->ipv6_nxt, json_object_get(ip, "outer_v6_next_header"));
	wrong += compare(trace, "bad ip", counts->bad_ip, json_object_get(ip, "bad_v4_header_checksum"));
	wrong += compare(trace, "bad tcp", counts->bad_tcp,
		json_object_get(json_object_get(truth, "tcp"), "bad_checksum"));
	wrong += compare(trace, "bad udp", counts->bad_udp,
		json_object_get(json_object_get(truth, "udp"), "bad_checksum"));
	return wrong;
}

static unsigned check_trace(struct decoder *decoder, const char *folder, const char *file)
{
	char path[512];
	struct counts counts;
	json_t *truth;
	const char *name;
	unsigned wrong;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	truth = json_load_file(path, 0, NULL);
	assert_non_null(truth);
	name = json_string_value(json_object_get(json_object_get(truth, "file"), "name"));
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	count_file(decoder, path, &counts);
	wrong = compare_file(name, &counts, truth);
	json_decref(truth);
	return wrong;
}

static void traces(void **state)
{
	const char *folder = getenv("WEIR_TRACES") ? getenv("WEIR_TRACES") : "../shared/traces";
	struct decoder *decoder;
	struct dirent *entry;
	unsigned wrong = 0;
	DIR *dir = opendir(folder);

	(void)state;
	if (!dir) {
		print_message("no traces in %s (WEIR_TRACES)\n", folder);
		skip();
	}
	decoder = decoder_create();
	while ((entry = readdir(dir)))
		if (strstr(entry->d_name, ".truth.json"))
			wrong += check_trace(decoder, folder, entry->d_name);
	closedir(dir);
	decoder_destroy(decoder);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(traces) };

	return cmocka_run_group_tests_name("decode_trace", tests, NULL, NULL);
}
