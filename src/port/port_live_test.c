// SPDX-License-Identifier: Apache-2.0
// Ports on interfaces: two hosts in namespaces, joined by a program that passes packets from one port to the other. The
// hosts have their default settings: segmentation and checksums are left to the "card". Needs root, ip and curl.
#define _GNU_SOURCE
#include "packet/pool.h"
#include "port/capture.h"
#include "port/platform.h"
#include "port/port.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/weir-live-XXXXXX";
static char left[32], right[32]; // the namespaces of the hosts; we are in one of our own between them
static bool is_ready;
static pid_t server;

static int __attribute__((format(printf, 1, 2))) run(const char *format, ...)
{
	char command[1000];
	va_list list;

	va_start(list, format);
	vsnprintf(command, sizeof(command), format, list);
	va_end(list);
	return system(command);
}

// The same as a process of its own.
static pid_t __attribute__((format(printf, 1, 2))) start(const char *format, ...)
{
	char command[1000];
	va_list list;
	pid_t child;

	va_start(list, format);
	vsnprintf(command, sizeof(command), format, list);
	va_end(list);
	child = fork();
	if (!child) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	return child;
}

static int make_host(const char *name, unsigned number)
{
	return run("ip netns add %s && ip link add p%u type veth peer name e0 netns %s", name, number, name) ||
	       run("ip -n %s addr add 10.9.1.%u/24 dev e0 && ip -n %s link set e0 up && ip -n %s link set lo up", name,
		   number + 1, name, name) ||
	       run("ip -n %s addr add fd09::%u/64 dev e0 nodad && ip link set p%u up", name, number + 1, number);
}

static int make_net(void)
{
	snprintf(left, sizeof(left), "weirL%d", (int)getpid());
	snprintf(right, sizeof(right), "weirR%d", (int)getpid());
	if (getuid() != 0 || run("command -v ip curl python3 ping ethtool >/dev/null") || unshare(CLONE_NEWNET) < 0)
		return -1;
	if (make_host(left, 0) || make_host(right, 1))
		return -1;
	run("head -c 20000000 /dev/urandom > %s/big", folder);
	server = start(
		"cd %s && exec ip netns exec %s python3 -m http.server 8080 --bind :: >/dev/null 2>&1",
		folder, right);
	for (unsigned i = 0; i < 40; i++) {
		if (!run("ip netns exec %s curl -s -o /dev/null http://10.9.1.2:8080/", right))
			return 0;
		usleep(250000);
	}
	return -1;
}

static void need_net(void)
{
	if (!is_ready) {
		print_message("needs root, namespaces, ip, curl, python3, ping, ethtool\n");
		skip();
	}
}

static struct port *open_as(const char *spec, uint16_t index, enum port_direction direction)
{
	struct port_wish wish = { .direction = direction, .queues = 1, .index = index };
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
}

// What the test does to the packets on their way.
typedef void (*way)(struct rte_mbuf **mbufs, unsigned count);

static unsigned pass(struct port *from, struct port *to, way meddle)
{
	struct rte_mbuf *mbufs[64];
	unsigned count = port_receive(from, 0, mbufs, 64);

	if (count && meddle)
		meddle(mbufs, count);
	if (count)
		port_send(to, 0, mbufs, count);
	return count;
}

// Joins two ports while a command runs, and returns its exit code.
static int join(struct port *const ports[2], way meddle, pid_t child)
{
	int status;

	while (waitpid(child, &status, WNOHANG) != child)
		if (!(pass(ports[0], ports[1], meddle) + pass(ports[1], ports[0], meddle)))
			usleep(20);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void check_counts(const struct port *from, const struct port *to)
{
	struct port_stats in = port_stats(from), out = port_stats(to);
	uint64_t dropped = 0;

	for (unsigned drop = 0; drop < PORT_DROPS; drop++)
		dropped += out.dropped[drop];
	assert_int_equal(in.received, out.sent + dropped);
	assert_int_equal(out.dropped[PORT_UNFINISHED] + out.dropped[PORT_OVERSIZE], 0);
}

// Ping and a download of 20 MB over both families, between two ports.
static void join_hosts(const char *one, const char *two, way meddle)
{
	struct port *ports[2] = { open_as(one, 0, PORT_BOTH), open_as(two, 1, PORT_BOTH) };

	assert_int_equal(
		join(ports, meddle,
			start("ip netns exec %s ping -q -c 3 -i 0.2 -w 10 10.9.1.2 >/dev/null",
				left)),
		0);
	assert_int_equal(
		join(ports, meddle,
			start("ip netns exec %s curl -s -m 30 http://10.9.1.2:8080/big | cmp -s - %s/big",
				left, folder)),
		0);
	assert_int_equal(
		join(ports, meddle,
			start("ip netns exec %s curl -s -m 30 'http://[fd09::2]:8080/big' | cmp -s - %s/big",
				left, folder)),
		0);
	check_counts(ports[0], ports[1]);
	check_counts(ports[1], ports[0]);
	close_one(ports[0]);
	close_one(ports[1]);
}

static uint64_t longest;

static void note_longest(struct rte_mbuf **mbufs, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		assert_true(packet_head(mbufs[i])->time_ns > 1600000000000000000);
		assert_int_equal(packet_head(mbufs[i])->original, mbufs[i]->pkt_len);
		longest = mbufs[i]->pkt_len > longest ? mbufs[i]->pkt_len : longest;
	}
}

static void test_af_packet(void **state)
{
	(void)state;
	need_net();
	longest = 0;
	join_hosts("af_packet:p0", "af_packet:p1", note_longest);
	assert_true(longest > 9000); // segmentation was left to us, and passed on
	assert_int_equal(packet_pool_used(platform_pool()), 0);
}

static void test_af_xdp(void **state)
{
	(void)state;
	need_net();
	longest = 0;
	join_hosts("af_xdp:p0", "af_xdp:p1", note_longest);
	assert_true(longest <= 1518); // the kernel has turned the peers' segmentation off
	assert_int_equal(run("ip link show p0 | grep -q prog/xdp"), 256);
}

// Long packets are cut in software, both ways.
static void test_mixed(void **state)
{
	(void)state;
	need_net();
	longest = 0;
	join_hosts("af_packet:p0", "p1", note_longest);
	assert_true(longest > 9000);
}

// As a router does: every address and a bit of the transport is another on the way; checksums are right all the same.
static void translate(struct rte_mbuf **mbufs, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint8_t *bytes = rte_pktmbuf_mtod(mbufs[i], uint8_t *);

		if (packet_head(mbufs[i])->unfinished && weir_be16(bytes + 12) == 0x0800)
			bytes[14 + 20 + 16] ^= 0x55; // nobody looks at what an unfinished field holds
	}
}

static void test_unfinished_field_holds_nothing(void **state)
{
	(void)state;
	need_net();
	join_hosts("af_packet:p0", "af_packet:p1", translate);
}

static void expect_failure(const char *spec, int error, const char *text, const char *hint)
{
	struct port_wish wish = { .direction = PORT_BOTH, .queues = 1 };
	struct port_error why = { "", "" };
	struct port *port;

	assert_int_equal(port_open(&port, spec, &wish, &why), error);
	if (!strstr(why.text, text) || !strstr(why.hint, hint))
		fail_msg("%s says: %s; %s", spec, why.text, why.hint);
}

static void test_says_why_not(void **state)
{
	struct port *port, *again;

	(void)state;
	need_net();
	assert_int_equal(run("ip link set p0 mtu 9000"), 0);
	expect_failure("af_xdp:p0", -EMSGSIZE, "af_xdp:p0: its MTU of 9000", "af_packet:p0");
	port = open_as("p0", 0, PORT_BOTH);
	assert_string_equal(port_info(port)->driver, "af_packet");
	assert_non_null(strstr(port_info(port)->chosen, "its MTU"));
	again = open_as("p0", 0, PORT_BOTH);
	assert_ptr_equal(port, again);
	expect_failure("af_packet:p0", -EBUSY, "is open already, as \"p0\"", "the same way");
	close_one(port);
	close_one(again);
	assert_int_equal(run("ip link set p0 mtu 1500; ip -n %s link set e0 mtu 9000", left), 0);
	expect_failure("af_xdp:p0", -EINVAL, "af_xdp:p0: its queues cannot be set up", "MTU of the veth's other end");
	port = open_as("p0", 0, PORT_BOTH);
	assert_string_equal(port_info(port)->driver, "af_packet");
	assert_non_null(strstr(port_info(port)->chosen, "af_xdp:p0"));
	close_one(port);
	assert_int_equal(run("ip -n %s link set e0 mtu 1500; ip addr add 10.9.3.1/24 dev p0", left), 0);
	port = open_as("p0", 0, PORT_BOTH);
	assert_non_null(strstr(port_info(port)->chosen, "addresses of this host"));
	close_one(port);
	assert_int_equal(run("ip addr flush dev p0"), 0);
}

// Another's program is not thrown out.
static void test_foreign_program(void **state)
{
	(void)state;
	need_net();
	if (run("echo '#include <linux/bpf.h>\n__attribute__((section(\"xdp\"))) int drop(struct xdp_md *c) "
		"{ (void)c; return XDP_DROP; }' > %s/drop.c && clang -O2 -target bpf "
		"-I/usr/include/x86_64-linux-gnu -c %s/drop.c -o %s/drop.o 2>/dev/null && "
		"ip link set p0 xdp obj %s/drop.o sec xdp",
		    folder, folder, folder, folder))
		skip();
	expect_failure("af_xdp:p0", -EBUSY, "another XDP program", "ip link set p0 xdp off");
	assert_int_equal(run("ip link show p0 | grep -q prog/xdp && ip link set p0 xdp off"), 0);
}

static void test_oversize(void **state)
{
	struct port *ports[2];

	(void)state;
	need_net();
	assert_int_equal(run("ip link set p1 mtu 600"), 0);
	ports[0] = open_as("af_packet:p0", 0, PORT_BOTH);
	ports[1] = open_as("af_packet:p1", 1, PORT_BOTH);
	assert_int_equal(port_info(ports[1])->mtu, 600);
	assert_int_equal(
		join(ports, NULL,
			start("ip netns exec %s ping -q -s 400 -c 2 -i 0.2 -w 10 10.9.1.2 >/dev/null",
				left)),
		0);
	assert_int_equal(
		join(ports, NULL,
			start("ip netns exec %s ping -q -s 900 -c 2 -i 0.2 -W 1 10.9.1.2 >/dev/null",
				left)),
		1);
	assert_int_equal(port_stats(ports[1]).dropped[PORT_OVERSIZE], 2);
	assert_non_null(port_remedy(ports[1], PORT_OVERSIZE));
	close_one(ports[0]);
	close_one(ports[1]);
	assert_int_equal(run("ip link set p1 mtu 1500"), 0);
}

// The kernel takes a tag out of a frame; the port puts it back.
static void test_tags(void **state)
{
	static const uint8_t expected[] = { 0x88, 0xa8, 0x60, 7, 0x81, 0, 0, 9, 8, 0, 'h', 'e', 'l', 'l', 'o' };
	struct rte_mbuf *mbufs[64];
	struct port *port;
	unsigned found = 0;

	(void)state;
	need_net();
	port = open_as("af_packet:p0", 0, PORT_BOTH);
	assert_int_equal(run("ip netns exec %s python3 -c 'import socket; s = socket.socket(socket.AF_PACKET, "
		"socket.SOCK_RAW); s.bind((\"e0\", 0)); s.send(b\"\\2\\0\\0\\0\\0\\1\\2\\0\\0\\0\\0\\2"
		"\\x88\\xa8\\x60\\7\\x81\\0\\0\\11\\10\\0hello\" + 80 * b\"w\")'", left), 0);
	for (unsigned round = 0; round < 100 && !found; round++, usleep(10000)) {
		unsigned count = port_receive(port, 0, mbufs, 64);

		for (unsigned i = 0; i < count; i++) {
			const uint8_t *bytes = rte_pktmbuf_mtod(mbufs[i], const uint8_t *);

			found += mbufs[i]->pkt_len == 12 + sizeof(expected) + 80 &&
				 !memcmp(bytes, "\2\0\0\0\0\1\2\0\0\0\0\2", 12) &&
				 !memcmp(bytes + 12, expected, sizeof(expected));
		}
		packet_free_bulk(mbufs, count);
	}
	assert_int_equal(found, 1);
	close_one(port);
}

// The kernel makes a change of the link known within a second or so.
static void expect_link(const struct port *port, enum port_link link)
{
	for (unsigned round = 0; round < 500 && port_link(port) != link; round++)
		usleep(10000);
	assert_int_equal(port_link(port), link);
}

static void test_link(void **state)
{
	struct port *port;

	(void)state;
	need_net();
	port = open_as("af_packet:p0", 0, PORT_BOTH);
	assert_true(port_descriptor(port, 0) >= 0);
	expect_link(port, PORT_LINK_UP);
	assert_int_equal(run("ip -n %s link set e0 down", left), 0);
	expect_link(port, PORT_LINK_DOWN);
	assert_int_equal(run("ip -n %s link set e0 up && ip -n %s addr add fd09::1/64 dev e0 nodad && "
		"ip link add gone type veth peer name other", left, left), 0);
	close_one(port);
	port = open_as("af_packet:gone", 0, PORT_BOTH);
	assert_int_equal(run("ip link del gone"), 0);
	expect_link(port, PORT_LINK_GONE);
	close_one(port);
}

// The capture of long unfinished packets has its checksums.
static void check_capture(const char *path)
{
	if (run("command -v tshark > /dev/null"))
		return;
	assert_int_equal(
		run("test $(tshark -r %s -o tcp.check_checksum:TRUE -Y 'tcp.checksum.status == Good' 2>/dev/null "
		    "| wc -l) -gt 20",
			path),
		0);
	assert_int_not_equal(run("tshark -r %s -o tcp.check_checksum:TRUE -Y 'tcp.checksum.status == Bad' 2>/dev/null "
		"| grep . >&2", path), 0);
}

static void test_into_a_capture(void **state)
{
	struct port *ports[2], *dump;
	struct rte_mbuf *mbufs[64];
	char path[300];
	pid_t child;
	int status;

	(void)state;
	need_net();
	snprintf(path, sizeof(path), "%s/live.pcap", folder);
	ports[0] = open_as("af_packet:p0", 0, PORT_BOTH);
	ports[1] = open_as("af_packet:p1", 1, PORT_BOTH);
	dump = open_as(path, 2, PORT_SEND);
	child = start("ip netns exec %s curl -s -m 20 -r 0-3000000 http://10.9.1.2:8080/big -o /dev/null", left);
	while (waitpid(child, &status, WNOHANG) != child)
		for (unsigned i = 0; i < 2; i++) {
			unsigned count = port_receive(ports[i], 0, mbufs, 64);

			for (unsigned j = 0; j < count; j++) { // as Tee does it
				struct rte_mbuf *clone = packet_clone(mbufs[j]);

				assert_non_null(clone);
				port_send(dump, 0, &clone, 1);
			}
			port_send(ports[1 - i], 0, mbufs, count);
		}
	assert_int_equal(status, 0);
	assert_true(port_stats(dump).completed > 0);
	assert_int_equal(port_stats(dump).sent, port_stats(ports[0]).received + port_stats(ports[1]).received);
	close_one(dump);
	close_one(ports[0]);
	close_one(ports[1]);
	check_capture(path);
}

// A process that was killed leaves its program on the interface; test_af_xdp shows that it does not stand in the way.
static int leave_stale_program(void)
{
	int pipes[2];
	char byte;
	pid_t child;

	if (pipe(pipes) < 0)
		return -1;
	child = fork();
	if (!child) {
		struct platform_wish wish = { .workers = 1, .buffers = 8192 };
		struct port_error why;

		if (platform_start(&wish, &why) < 0)
			_exit(1);
		open_as("af_xdp:p0", 0, PORT_BOTH);
		(void)!write(pipes[1], "x", 1);
		pause();
		_exit(0);
	}
	close(pipes[1]);
	(void)!read(pipes[0], &byte, 1);
	close(pipes[0]);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	usleep(200000);
	return run("ip link show p0 | grep -q prog/xdp");
}

static int set_up(void **state)
{
	struct platform_wish wish = { .workers = 1 };
	struct port_error why;

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	is_ready = make_net() == 0 && leave_stale_program() == 0;
	return platform_start(&wish, &why);
}

static int tear_down(void **state)
{
	(void)state;
	platform_stop();
	if (server > 0)
		kill(server, SIGKILL);
	run("ip netns del %s 2>/dev/null; ip netns del %s 2>/dev/null; rm -rf %s", left, right, folder);
	return 0;
}

// DPDK's driver forgets a description of 80 bytes when it cannot attach.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libxdp.so";
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_af_packet),
		cmocka_unit_test(test_unfinished_field_holds_nothing),
		cmocka_unit_test(test_into_a_capture),
		cmocka_unit_test(test_af_xdp),
		cmocka_unit_test(test_says_why_not),
		cmocka_unit_test(test_oversize),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_foreign_program),
	};

	if (count > 1)
		cmocka_set_test_filter(arguments[1]);
	return cmocka_run_group_tests_name("port_live", tests, set_up, tear_down);
}
