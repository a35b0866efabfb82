// SPDX-License-Identifier: Apache-2.0
// Ports that need no network: specs, captures, the source and sink for measuring, DPDK's virtual devices.
#include "packet/pool.h"
#include "packet/protocol.h"
#include "port/capture.h"
#include "port/platform.h"
#include "port/port.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/weir-port-XXXXXX";

static struct port *open_as(const char *spec, enum port_direction direction)
{
	struct port_wish wish = { .direction = direction, .queues = 1, .index = 3, .seed = 1 };
	struct port_error why;
	struct port *port;

	if (port_open(&port, spec, &wish, &why) < 0)
		fail_msg("%s: %s; %s", spec, why.text, why.hint);
	return port;
}

static void close_one(struct port *port)
{
	struct port_error why;

	if (port_close(&port, &why) < 0)
		fail_msg("%s; %s", why.text, why.hint);
	assert_null(port);
}

// In a child: a process starts the platform once.
static void test_starts_without_root(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (!child) {
		struct platform_wish wish = { .buffers = 2048, .workers = 1 };
		struct port_wish both = { .direction = PORT_BOTH, .queues = 1 };
		struct port_error why;
		struct port *port;
		bool dropped = getuid() != 0 || (setgid(65534) == 0 && setuid(65534) == 0);

		if (!dropped || platform_start(&wish, &why) < 0 || port_open(&port, "null:count=100", &both, &why) < 0)
			_exit(1);
		if (port_open(&port, "af_packet:lo", &both, &why) != -EPERM || !strstr(why.text, "CAP_NET_RAW"))
			_exit(2);
		if (port_open(&port, "lo", &both, &why) != -EPERM || !strstr(why.hint, "setcap"))
			_exit(3);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_starts(void **state)
{
	struct platform_wish wish = { .buffers = 16384, .workers = 2 };
	struct port_error why;

	(void)state;
	if (platform_start(&wish, &why) < 0)
		fail_msg("%s; %s", why.text, why.hint);
	assert_int_equal(platform_start(&wish, &why), -EALREADY);
	assert_int_equal(platform_buffers(), 16384);
	assert_int_equal(packet_pool_used(platform_pool()), 0);
	assert_int_equal(platform_thread(), 0);
}

static const struct {
	const char *spec;
	const char *text, *hint; // parts of the message; NULL: it is fine
} specs[] = {
	{ "eth0", NULL, NULL },
	{ "af_xdp:eth0", NULL, NULL },
	{ "af_packet:enp0s31f6", NULL, NULL },
	{ "tap:weir0", NULL, NULL },
	{ "null:", NULL, NULL },
	{ "null:size=1500,count=10", NULL, NULL },
	{ "in.pcap", NULL, NULL },
	{ "pcap:strange name", NULL, NULL },
	{ "./a:b", NULL, NULL },
	{ "-", NULL, NULL },
	{ "pci:0000:01:00.0", NULL, NULL },
	{ "vdev:net_memif0,role=server", NULL, NULL },
	{ "", "is empty", "eth0" },
	{ "a\nb", "control character", "" },
	{ "null", "ends in \":\"", "\"null:\"" },
	{ "af_xpd:eth0", "no kind of port is called \"af_xpd\"", "\"af_xdp:eth0\"" },
	{ "zzzzzz:eth0", "no kind of port", "af_packet:" },
	{ "af_packet:", "has no name", "" },
	{ "af_packet:a b", "names neither", "15 characters" },
	{ "interface-with-a-long-name", "names neither", "15 characters" },
	{ "pcap:", "has no path", "" },
	{ "null:size=1", "from 60 to 2048", "" },
	{ "null:size=-1", "from 60 to 2048", "" },
	{ "null:size=99999999999999999999999", "from 60 to 2048", "" },
	{ "null:sise=64", "no option \"sise\"", "\"size\"" },
	{ "null:size", "no option with a value", "" },
	{ "null:frames=", "names no capture", "" },
	{ "pci:01:00.0", "no address", "lspci" },
	{ "pci:0000:01:00.0x", "no address", "lspci" },
	{ "vdev:", "names no device", "" },
};

static void test_specs(void **state)
{
	static char long_spec[2000];

	(void)state;
	for (unsigned i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct port_error why = { "", "" };
		int result = port_check(specs[i].spec, &why);

		assert_int_equal(result, specs[i].text ? -EINVAL : 0);
		if (specs[i].text && (!strstr(why.text, specs[i].text) || !strstr(why.hint, specs[i].hint)))
			fail_msg("\"%s\" says: %s; %s", specs[i].spec, why.text, why.hint);
	}
	memset(long_spec, 'x', sizeof(long_spec) - 1);
	assert_int_equal(port_check(long_spec, NULL), -EINVAL);
}

static const struct {
	const char *spec;
	int error;
	const char *text;
} absent[] = {
	{ "weir-none", -ENODEV, "weir-none: no such interface; interfaces here: lo" },
	{ "af_packet:weir-none", -ENODEV, "no such interface" },
	{ "af_xdp:weir-none", -ENODEV, "no such interface" },
	{ "/nowhere/in.pcap", -ENOENT, "/nowhere/in.pcap" },
	{ "null:frames=/nowhere/in.pcap", -ENOENT, "/nowhere/in.pcap" },
	{ "null:buffers=100000", -ENOMEM, "16384 buffers in all" },
	{ "vdev:net_nothing0", 0, "vdev:net_nothing0: " },
	{ "pci:0000:ff:1f.7", 0, "pci:0000:ff:1f.7: " },
};

static void test_says_what_is_absent(void **state)
{
	struct port_wish wish = { .direction = PORT_RECEIVE, .queues = 1 };

	(void)state;
	for (unsigned i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		struct port_error why = { "", "" };
		struct port *port;
		int result = port_open(&port, absent[i].spec, &wish, &why);

		assert_true(result < 0);
		assert_null(port);
		if (absent[i].error)
			assert_int_equal(result, absent[i].error);
		if (!strstr(why.text, absent[i].text))
			fail_msg("\"%s\" says: %s; %s", absent[i].spec, why.text, why.hint);
	}
	assert_int_equal(packet_pool_used(platform_pool()), 0);
}

static void test_counts_users(void **state)
{
	struct port *one = open_as("null:count=10", PORT_RECEIVE), *two = open_as("null:count=10", PORT_RECEIVE);
	struct port *other = open_as("null:count=11", PORT_RECEIVE);

	(void)state;
	assert_ptr_equal(one, two);
	assert_ptr_not_equal(one, other);
	close_one(one);
	assert_int_equal(port_info(two)->index, 3);
	close_one(two);
	close_one(other);
}

// ---- captures

static uint64_t move(struct port *from, struct port *to)
{
	struct rte_mbuf *mbufs[64];
	uint64_t count = 0;

	while (!port_ended(from)) {
		unsigned got = port_receive(from, 0, mbufs, 1 + (unsigned)(count % 64));

		for (unsigned i = 0; i < got; i++) {
			assert_int_equal(packet_head(mbufs[i])->port, 3);
			assert_true(mbufs[i]->nb_segs == 1 || mbufs[i]->data_len >= PACKET_STRAIGHT);
			rte_mbuf_sanity_check(mbufs[i], 1);
		}
		count += got;
		port_send(to, 0, mbufs, got);
		port_flush(to, 0);
	}
	return count;
}

static uint64_t copy(const char *in, const char *out)
{
	struct port *from = open_as(in, PORT_RECEIVE), *to = open_as(out, PORT_SEND);
	uint64_t count = move(from, to);
	struct port_stats got = port_stats(from), put = port_stats(to);

	assert_int_equal(got.received, count);
	assert_int_equal(put.sent + put.dropped[PORT_LINK_TYPE], count);
	close_one(from);
	close_one(to);
	assert_int_equal(packet_pool_used(platform_pool()), 0);
	return count;
}

static void check_record(const char *name, const struct capture_record *in, const struct capture_record *out,
			 uint64_t *time_ns)
{
	if (in->has_time)
		*time_ns = in->time_ns;
	if (in->captured != out->captured || memcmp(in->bytes, out->bytes, in->captured) != 0)
		fail_msg("%s: other bytes", name);
	if (in->link_type != out->link_type || *time_ns != out->time_ns)
		fail_msg("%s: another link type or time", name);
	assert_int_equal(out->original, in->original > in->captured ? in->original : in->captured);
}

static void check_same(const char *in, const char *out)
{
	struct capture *a, *b;
	struct capture_record from, to;
	uint64_t time_ns = 0;
	int more;

	assert_int_equal(capture_open(&a, in, NULL), 0);
	assert_int_equal(capture_open(&b, out, NULL), 0);
	while ((more = capture_next(a, &from)) == 1) {
		assert_int_equal(capture_next(b, &to), 1);
		check_record(in, &from, &to, &time_ns);
	}
	assert_int_equal(capture_next(b, &to), 0);
	capture_close(&a);
	capture_close(&b);
}

static bool is_trace(const char *name)
{
	const char *end = strrchr(name, '.');

	return end && (!strcmp(end, ".pcap") || !strcmp(end, ".pcapng"));
}

// Every trace through two ports, and the result through two again: the same packets, then the same bytes.
static void test_copies_captures(void **state)
{
	const char *traces = getenv("WEIR_TRACES") ? getenv("WEIR_TRACES") : "../shared/traces";
	DIR *directory = opendir(traces);
	char in[600], out[300], again[300], command[700];
	unsigned count = 0;

	(void)state;
	if (!directory) {
		print_message("no traces in %s\n", traces);
		skip();
	}
	snprintf(out, sizeof(out), "%s/out.pcapng", folder);
	snprintf(again, sizeof(again), "%s/again.pcapng", folder);
	snprintf(command, sizeof(command), "cmp -s %s %s", out, again);
	for (struct dirent *entry; (entry = readdir(directory)); count++) {
		if (!is_trace(entry->d_name))
			continue;
		snprintf(in, sizeof(in), "%s/%s", traces, entry->d_name);
		copy(in, out);
		check_same(in, out);
		copy(out, again);
		assert_int_equal(system(command), 0);
	}
	closedir(directory);
	assert_true(count > 0);
}

static void write_capture(const char *path, const uint16_t *links, unsigned count, uint32_t length)
{
	static uint8_t bytes[300 * 1024];
	struct capture_writer *writer;

	assert_int_equal(capture_create(&writer, path, NULL, NULL), 0);
	for (unsigned i = 0; i < count; i++) {
		struct capture_record record = { .bytes = bytes,
			.captured = length,
			.original = length,
			.has_time = true,
			.time_ns = 1000 + i,
			.interface = i,
			.link_type = links[i] };

		memset(bytes, (int)i + 1, sizeof(bytes));
		assert_int_equal(capture_interface(writer, links[i], 0, NULL), i);
		assert_int_equal(capture_write(writer, &record), 0);
	}
	assert_int_equal(capture_finish(&writer, NULL), 0);
}

static const uint16_t all_links[] = { 1, 0, 9, 12, 50, 101, 104, 108, 113, 147, 228, 276, 65000 };
enum { LINKS = sizeof(all_links) / sizeof(all_links[0]) };

static void test_link_types(void **state)
{
	char in[300], out[300], one[300];
	struct port *from, *to;
	struct port_stats stats;

	(void)state;
	snprintf(in, sizeof(in), "%s/links.pcapng", folder);
	snprintf(out, sizeof(out), "%s/links-out.pcapng", folder);
	snprintf(one, sizeof(one), "%s/links-out.pcap", folder);
	write_capture(in, all_links, LINKS, 100);
	assert_int_equal(copy(in, out), LINKS);
	check_same(in, out);
	from = open_as(in, PORT_RECEIVE);
	to = open_as(one, PORT_SEND);
	move(from, to);
	assert_int_equal(port_stats(from).opaque, 2);
	stats = port_stats(to);
	assert_int_equal(stats.sent, 1);
	assert_int_equal(stats.dropped[PORT_LINK_TYPE], LINKS - 1);
	assert_non_null(strstr(port_remedy(to, PORT_LINK_TYPE), ".pcapng"));
	close_one(from);
	close_one(to);
}

static void test_long_records(void **state)
{
	static const uint32_t lengths[] = { 0, 1, 2048, 2049, 4300, 65535, 200000, PACKET_LONGEST };
	char in[300], out[300];

	(void)state;
	snprintf(in, sizeof(in), "%s/long.pcap", folder);
	snprintf(out, sizeof(out), "%s/long-out.pcap", folder);
	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		write_capture(in, all_links, 1, lengths[i]);
		assert_int_equal(copy(in, out), 1);
		check_same(in, out);
	}
	write_capture(in, all_links, 1, PACKET_LONGEST + 1000); // longer than a packet may be: cut
	assert_int_equal(copy(in, out), 1);
}

static void test_tells_of_damage(void **state)
{
	char path[300];
	struct port *port;
	struct port *sink = open_as("null:", PORT_SEND);

	(void)state;
	snprintf(path, sizeof(path), "%s/cut.pcap", folder);
	write_capture(path, all_links, 1, 100);
	assert_int_equal(truncate(path, 24 + 16 + 50), 0);
	port = open_as(path, PORT_RECEIVE);
	assert_null(port_damage(port));
	assert_int_equal(move(port, sink), 0);
	assert_non_null(port_damage(port));
	close_one(port);
	close_one(sink);
}

// A pool that is empty stops the reader, and loses nothing.
static void test_waits_for_buffers(void **state)
{
	static struct rte_mbuf *held[16384];
	char path[300];
	struct rte_mbuf *mbufs[64];
	unsigned count = 0, got;
	struct port *port;

	(void)state;
	snprintf(path, sizeof(path), "%s/links.pcapng", folder);
	while (count < 16384 && (held[count] = packet_new(platform_pool())))
		count++;
	assert_true(count > 16000);
	port = open_as(path, PORT_RECEIVE);
	assert_int_equal(port_receive(port, 0, mbufs, 64), 0);
	assert_false(port_ended(port));
	packet_free_bulk(held, 5);
	got = port_receive(port, 0, mbufs, 64);
	assert_in_range(got, 1, 5);
	packet_free_bulk(held + 5, count - 5);
	packet_free_bulk(mbufs, got);
	for (unsigned more; !port_ended(port); got += more) {
		more = port_receive(port, 0, mbufs, 64);
		packet_free_bulk(mbufs, more);
	}
	assert_int_equal(got, LINKS);
	close_one(port);
	assert_int_equal(packet_pool_used(platform_pool()), 0);
}

// ---- measuring

static void test_null(void **state)
{
	struct port *port = open_as("null:size=100,flows=64,buffers=8192,count=100000", PORT_BOTH);
	struct rte_mbuf *mbufs[64], *last = NULL;
	unsigned neighbours = 0, count = 0;

	(void)state;
	while (!port_ended(port)) {
		unsigned got = port_receive(port, 0, mbufs, 64);

		for (unsigned i = 0; i < got; i++) {
			assert_int_equal(mbufs[i]->pkt_len, 100);
			assert_int_equal(packet_head(mbufs[i])->link, PROTO_ETH);
			neighbours += labs((char *)mbufs[i] - (char *)last) < 8192;
			last = mbufs[i];
			memset(rte_pktmbuf_mtod(mbufs[i], void *), 0xff, 60); // the next one is as it should be
		}
		count += got;
		assert_int_equal(port_send(port, 0, mbufs, got), got);
	}
	assert_int_equal(count, 100000);
	assert_true(neighbours < 1000); // in shuffled order
	assert_int_equal(port_stats(port).received, 100000);
	assert_int_equal(port_stats(port).sent_bytes, 10000000);
	close_one(port);
	assert_int_equal(packet_pool_used(platform_pool()), 0);
}

static void test_null_from_capture(void **state)
{
	char path[300], spec[400];
	struct rte_mbuf *mbufs[64];
	struct port *port;

	(void)state;
	snprintf(path, sizeof(path), "%s/links.pcapng", folder);
	snprintf(spec, sizeof(spec), "null:frames=%s,seed=5,count=26", path);
	write_capture(path, all_links, LINKS, 100);
	port = open_as(spec, PORT_RECEIVE);
	assert_int_equal(port_receive(port, 0, mbufs, 64), 2 * LINKS);
	for (unsigned i = 0; i < LINKS; i++)
		assert_memory_equal(rte_pktmbuf_mtod(mbufs[i], void *),
			rte_pktmbuf_mtod(mbufs[i + LINKS], void *), 100);
	packet_free_bulk(mbufs, 2 * LINKS);
	assert_true(port_ended(port));
	close_one(port);
}

static void test_virtual_device(void **state)
{
	struct port *port = open_as("vdev:net_null0,size=70", PORT_BOTH);
	struct rte_mbuf *mbufs[64];

	(void)state;
	for (unsigned round = 0; round < 100; round++) {
		unsigned got = port_receive(port, 0, mbufs, 64);

		assert_int_equal(got, 64);
		assert_int_equal(mbufs[9]->pkt_len, 70);
		assert_int_equal(port_send(port, 0, mbufs, got), got);
	}
	assert_int_equal(port_stats(port).sent, 6400);
	assert_int_equal(port_link(port), PORT_LINK_UP);
	close_one(port);
	assert_int_equal(packet_pool_used(platform_pool()), 0);
}

static void test_kinds(void **state)
{
	const struct port_kind *kind;
	unsigned count = 0;

	(void)state;
	for (; (kind = port_kind_at(count)); count++) {
		struct port_error why = { "", "" };

		assert_true(kind->about[0] && kind->syntax[0]);
		assert_true(port_kind_works(kind, &why) || why.text[0]);
	}
	assert_true(count >= 8);
	for (unsigned drop = 0; drop < PORT_DROPS; drop++)
		assert_non_null(port_drop_name(drop));
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[100];

	(void)state;
	platform_stop();
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starts_without_root),
		cmocka_unit_test(test_starts),
		cmocka_unit_test(test_specs),
		cmocka_unit_test(test_says_what_is_absent),
		cmocka_unit_test(test_counts_users),
		cmocka_unit_test(test_copies_captures),
		cmocka_unit_test(test_link_types),
		cmocka_unit_test(test_long_records),
		cmocka_unit_test(test_tells_of_damage),
		cmocka_unit_test(test_waits_for_buffers),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_null_from_capture),
		cmocka_unit_test(test_virtual_device),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests_name("port", tests, make_folder, remove_folder);
}
