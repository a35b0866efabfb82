// SPDX-License-Identifier: Apache-2.0
// The library as a program uses it, without a network: captures, null:, packets made by hand, and every mistake.
#include <libweir.h>

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define CAPTURE "examples/captures/router.pcap"

struct seen {
	WEIR_COLUMN(uint8_t) ttl;
	WEIR_COLUMN(uint32_t) source;
	WEIR_FILTER web;
};
WEIR_WANTED(wanted, WEIR_CHANGES(seen, ttl, "ip.ttl"), WEIR_READS(seen, source, "ip.src"),
	WEIR_MATCHES(seen, web, "tcp.port == 80"));

static char folder[] = "/tmp/weir-embed-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[sizeof(folder) + 64];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void is_conserved(const struct weir_port *port)
{
	struct weir_stats s = weir_stats(port);

	assert_int_equal(s.received + s.made + s.put + s.mirrored, s.sent + s.unsent + s.freed + s.kept + s.inside);
}

static struct weir_port *open_capture(struct seen *self)
{
	struct weir_port *port = weir_open(CAPTURE, self ? wanted : NULL, self);

	if (!port)
		fail_msg("%s", weir_error());
	return port;
}

// Before anything else: the platform starts with the first port.
static void test_buffers_come_first(void **state)
{
	(void)state;
	assert_int_equal(weir_buffers(17), -EINVAL);
	assert_non_null(strstr(weir_error(), "512"));
	assert_int_equal(weir_buffers(4096), 0);
	assert_null(weir_open("no-such.pcap", NULL, NULL));
	assert_int_equal(errno, ENOENT);
	assert_non_null(strstr(weir_error(), "no-such.pcap"));
	assert_int_equal(weir_buffers(4096), -EALREADY);
}

static void test_a_capture_is_read_to_its_end(void **state)
{
	struct seen self;
	struct weir_port *port = open_capture(&self);
	struct weir_vector *v;
	uint64_t packets = 0, web = 0, with_ttl = 0, last_ns = 0;

	(void)state;
	while ((v = weir_receive(port, -1))) {
		assert_true(v->live);
		packets += weir_size(v->live);
		web += weir_size(v->live & weir_matches(v, self.web));
		weir_each (i, v->live & weir_has(v, self.ttl)) {
			const uint8_t *ip = weir_bytes(v, (unsigned)i, 14, 20);

			assert_int_equal(weir_column(v, self.ttl)[i], ip[8]);
			assert_int_equal(weir_column(v, self.source)[i], weir_be32(ip + 12));
			with_ttl++;
		}
		weir_each (i, v->live) {
			assert_true(v->time_ns[i] >= last_ns);
			last_ns = v->time_ns[i];
		}
		is_conserved(port);
	}
	assert_int_equal(errno, 0);
	assert_int_equal(packets, 163);
	assert_true(web > 10 && with_ttl > 50 && with_ttl < packets);
	assert_int_equal(weir_stats(port).received, packets);
	assert_null(weir_receive(port, 0)); // and stays there
	assert_int_equal(weir_stats(port).freed, packets);
	assert_string_equal(weir_driver(port), "pcap");
	assert_int_equal(weir_close(&port), 0);
	assert_null(port);
	assert_int_equal(weir_close(&port), 0); // twice
	assert_int_equal(weir_close(NULL), 0);
}

// Each packet is edited, sent once, and comes out of the file as it went in but for the edit.
static void test_what_is_sent_is_written(void **state)
{
	struct seen self;
	struct weir_port *in = open_capture(&self), *out = weir_create(in_folder("out.pcapng"));
	struct weir_vector *v;
	uint64_t packets = 0, checked = 0;

	(void)state;
	assert_non_null(out);
	while ((v = weir_receive(in, -1))) {
		const uint8_t *ttl = weir_column(v, self.ttl);

		weir_each (i, v->live & weir_has(v, self.ttl) & weir_where (i, ttl[i] > 1))
			weir_set(v, i, self.ttl, 77);
		packets += weir_size(v->live);
		assert_int_equal(weir_send(out, v, v->live), v->fill);
		assert_int_equal(v->live, 0);
		assert_int_equal(weir_send(out, v, ~(weir_mask)0), 0); // they are gone
		weir_free(v, ~(weir_mask)0);
	}
	is_conserved(in);
	assert_int_equal(weir_stats(in).sent, packets);
	assert_int_equal(weir_stats(out).port_sent, packets);
	assert_int_equal(weir_close(&out), 0);
	weir_close(&in);
	in = weir_open(in_folder("out.pcapng"), wanted, &self);
	assert_non_null(in);
	while ((v = weir_receive(in, -1)))
		weir_each (i, v->live & weir_has(v, self.ttl)) {
			const uint8_t *ip = weir_bytes(v, (unsigned)i, 14, 20);

			if (weir_column(v, self.ttl)[i] != 77)
				continue;
			assert_int_equal(weir_fold(weir_sum(
						 weir_bytes(v, (unsigned)i, 14, (ip[0] & 15) * 4u),
						 (ip[0] & 15) * 4u, 0)),
				0);
			checked++;
		}
	assert_true(checked > 50);
	weir_close(&in);
}

static void test_mirrors_stay(void **state)
{
	struct seen self;
	struct weir_port *in = open_capture(&self), *copy = weir_create(in_folder("copy.pcap")),
			 *sink = weir_create("null:");
	struct weir_vector *v;

	(void)state;
	while ((v = weir_receive(in, -1))) {
		weir_mask live = v->live;

		assert_int_equal(weir_mirror(copy, v, live), weir_size(live));
		assert_int_equal(v->live, live);
		weir_each (i, v->live & weir_has(v, self.ttl))
			weir_set(v, i, self.ttl, 1); // the clone keeps its own
		weir_send(sink, v, live);
	}
	is_conserved(in);
	assert_int_equal(weir_stats(copy).port_sent, weir_stats(sink).port_sent);
	weir_close(&in);
	weir_close(&copy);
	weir_close(&sink);
}

static void test_packets_of_ones_own(void **state)
{
	static const uint8_t frame[] = { [12] = 0x08,
		0x00,
		0x45,
		0,
		0,
		28,
		0,
		1,
		0,
		0,
		9,
		17,
		0,
		0,
		10,
		0,
		0,
		1,
		10,
		0,
		0,
		2,
		0,
		80,
		0,
		53,
		0,
		8,
		0,
		0 };
	struct seen self;
	struct weir_port *port = weir_open("null:count=1", wanted, &self), *out = weir_create("null:");
	struct weir_vector *v = weir_vector(port);
	struct weir_packet *kept[3];

	(void)state;
	assert_int_equal(v->live, 0);
	for (int i = 0; i < WEIR_VECTOR; i++)
		assert_int_equal(weir_make(v, frame, sizeof(frame), 5), i);
	assert_int_equal(weir_make(v, frame, sizeof(frame), 5), -ENOSPC);
	assert_int_equal(weir_column(v, self.ttl)[63], 9);
	assert_int_equal(weir_column(v, self.source)[0], 0x0a000001);
	assert_int_equal(v->time_ns[7], 5);
	for (unsigned i = 0; i < 3; i++)
		kept[i] = weir_keep(v, i * 10);
	assert_non_null(kept[2]);
	assert_null(weir_keep(v, 20));
	assert_null(weir_keep(v, 64));
	assert_null(weir_keep(v, UINT32_MAX));
	assert_int_equal(weir_put(v, kept[0]), -ENOSPC);
	v = weir_vector(port);
	assert_int_equal(weir_put(v, kept[0]), 0);
	assert_int_equal(weir_put(v, kept[1]), 1);
	assert_int_equal(weir_column(v, self.ttl)[1], 9);
	weir_free_packet(kept[2]);
	weir_free_packet(NULL);
	assert_int_equal(weir_send(out, v, 1), 1);
	weir_edit(v, 1, 0, 30)[22] = 33;
	weir_decode(v, v->live);
	assert_int_equal(weir_column(v, self.ttl)[1], 33);
	assert_int_equal(weir_make(v, NULL, 4, 0), -EINVAL);
	assert_int_equal(weir_make(v, frame, 300 * 1024, 0), -EMSGSIZE);
	assert_int_equal(weir_put(v, NULL), -EINVAL);
	is_conserved(port);
	assert_int_equal(weir_stats(port).made, 64);
	assert_int_equal(weir_stats(port).kept, 3);
	weir_close(&port);
	weir_close(&out);
}

static void test_buffers_may_run_out(void **state)
{
	struct weir_port *port = weir_open("null:", NULL, NULL);
	struct weir_packet *kept[5000];
	struct weir_vector *v;
	unsigned count = 0;

	(void)state;
	while ((v = weir_receive(port, 50)) && v->live)
		weir_each (i, v->live)
			kept[count++] = weir_keep(v, (unsigned)i);
	while (v)
		v = weir_receive(port, 50);
	assert_int_equal(errno, ENOBUFS);
	assert_non_null(strstr(weir_error(), "weir_buffers"));
	assert_true(count >= 4000);
	is_conserved(port);
	while (count)
		weir_free_packet(kept[--count]);
	v = weir_receive(port, -1);
	assert_true(v && v->live);
	weir_close(&port);
}

static void test_waits_no_longer_than_told(void **state)
{
	struct weir_port *port = weir_open("vdev:net_ring0", NULL, NULL);
	struct weir_vector *v;

	(void)state;
	if (!port)
		fail_msg("%s", weir_error());
	assert_int_equal(weir_descriptor(port), -1);
	v = weir_receive(port, 0);
	assert_true(v && !v->live);
	v = weir_receive(port, 30);
	assert_true(v && !v->live);
	weir_break(port);
	assert_null(weir_receive(port, -1));
	assert_int_equal(errno, EINTR);
	assert_non_null(weir_receive(port, 0)); // once
	weir_close(&port);
}

static void *breaks(void *port)
{
	usleep(20000);
	weir_break(port);
	return NULL;
}

static void test_is_woken_from_another_thread(void **state)
{
	struct weir_port *port = weir_open("vdev:net_ring1", NULL, NULL);
	pthread_t thread;

	(void)state;
	assert_non_null(port);
	assert_int_equal(pthread_create(&thread, NULL, breaks, port), 0);
	assert_null(weir_receive(port, -1));
	assert_int_equal(errno, EINTR);
	pthread_join(thread, NULL);
	weir_close(&port);
}

static void test_several_threads(void **state)
{
	struct weir_port *ports[4];

	(void)state;
	assert_int_equal(weir_open_several(ports, 4, "null:count=100", NULL, NULL), 0);
	for (unsigned i = 0; i < 4; i++) {
		struct weir_vector *v = weir_receive(ports[i], -1);

		assert_true(v && v->live);
		is_conserved(ports[i]);
	}
	for (unsigned i = 0; i < 4; i++)
		weir_close(&ports[i]);
	assert_int_equal(weir_open_several(ports, 2, CAPTURE, NULL, NULL), -ENOTSUP);
	assert_non_null(strstr(weir_error(), "1 queues"));
	assert_null(ports[0]);
	assert_int_equal(weir_open_several(ports, 0, CAPTURE, NULL, NULL), -EINVAL);
	assert_int_equal(weir_open_several(ports, 4, "nul:", NULL, NULL), -EINVAL);
	assert_non_null(strstr(weir_error(), "did you mean \"null:\"?"));
}

static void test_handles_are_independent(void **state)
{
	struct weir_port *one = open_capture(NULL), *other = open_capture(NULL);
	struct weir_vector *v = weir_receive(one, -1), *w = weir_receive(other, -1);

	(void)state;
	assert_true(v != w && v->fill == w->fill);
	weir_free(v, v->live);
	assert_int_equal(weir_size(w->live), w->fill);
	weir_close(&one);
	assert_int_equal(weir_bytes(w, 0, 0, 14) != NULL, 1);
	weir_close(&other);
}

struct wrong {
	WEIR_COLUMN(uint8_t) narrow;
	WEIR_FILTER filter;
	weir_counter counter;
};

static void test_wrong_wishes(void **state)
{
	static const struct {
		struct weir_member members[2];
		const char *text;
	} cases[] = {
		{ { WEIR_READS(wrong, narrow, "ip.tll") }, "is \"ip.ttl\" meant?" },
		{ { WEIR_READS(wrong, narrow, "ip.src") }, "ip.src" },
		{ { WEIR_MATCHES(wrong, filter, "tcp.prot == 80") }, "filter:1:1: error" },
		{ { WEIR_MATCHES(wrong, filter, "tcp.port == 80 &&") }, "filter:1:" },
		{ { WEIR_MATCHES(wrong, filter, "tcp.port == \"eighty\"") }, "filter:1:13" },
		{ { WEIR_COUNTS(wrong, counter) }, "only WEIR_READS" },
		{ { { .kind = WEIR_IS_FIELD, .name = "narrow", .size = 1, .type = WEIR_U8 } },
			"no name of a field" },
		{ { { .kind = WEIR_IS_FIELD, .size = 1, .type = WEIR_U8, .field = "ip.ttl" } },
			"without a proper name" },
	};
	struct wrong self;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct weir_port *port = weir_open("null:", cases[i].members, &self);

		if (port || errno != EINVAL || !strstr(weir_error(), cases[i].text))
			fail_msg("case %zu: %s", i, port ? "opened" : weir_error());
	}
	assert_null(weir_open("null:", cases[0].members, NULL));
	assert_non_null(strstr(weir_error(), "self"));
}

static void test_wrong_calls(void **state)
{
	struct weir_port *in = open_capture(NULL), *out = weir_create("null:");
	struct weir_vector *v = weir_receive(in, 0);

	(void)state;
	assert_null(weir_open(NULL, NULL, NULL));
	assert_null(weir_open("", NULL, NULL));
	assert_null(weir_create(NULL));
	assert_null(weir_create("no/such/folder/out.pcap"));
	assert_null(weir_receive(NULL, 0));
	assert_null(weir_receive(out, 0));
	assert_int_equal(errno, EBADF);
	assert_null(weir_vector(out));
	assert_int_equal(weir_send(in, v, v->live), -EBADF);
	assert_non_null(strstr(weir_error(), "weir_create"));
	assert_int_equal(weir_send(NULL, v, v->live), -EINVAL);
	assert_int_equal(weir_send(out, NULL, 1), -EINVAL);
	assert_int_equal(weir_mirror(NULL, v, 1), -EINVAL);
	assert_int_equal(weir_put(NULL, NULL), -EINVAL);
	assert_int_equal(weir_make(NULL, "", 0, 0), -EINVAL);
	assert_null(weir_keep(NULL, 0));
	weir_free(NULL, 1);
	weir_decode(NULL, 1);
	weir_break(NULL);
	weir_finish(NULL);
	weir_finish(out);
	assert_int_equal(weir_descriptor(NULL), -1);
	assert_int_equal(weir_stats(NULL).received, 0);
	assert_string_equal(weir_driver(NULL), "");
	weir_close(&in);
	weir_close(&out);
}

static void *opens(void *number)
{
	char name[32];
	struct weir_port *port;

	snprintf(name, sizeof(name), "missing-%d.pcap", *(int *)number);
	for (int i = 0; i < 20; i++) {
		assert_null(weir_open(name, NULL, NULL));
		assert_non_null(strstr(weir_error(), name)); // each thread has its own
		port = weir_open("null:count=200", wanted, &(struct seen){ 0 });
		while (port && weir_receive(port, -1))
			;
		weir_close(&port);
	}
	return NULL;
}

static void test_threads_come_and_go(void **state)
{
	pthread_t threads[4];
	int numbers[4];

	(void)state;
	for (int round = 0; round < 40; round++) { // more than there are places for at a time
		for (int i = 0; i < 4; i++) {
			numbers[i] = i;
			assert_int_equal(pthread_create(&threads[i], NULL, opens, &numbers[i]), 0);
		}
		for (int i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
	}
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(in_folder("out.pcapng"));
	unlink(in_folder("copy.pcap"));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buffers_come_first),
		cmocka_unit_test(test_a_capture_is_read_to_its_end),
		cmocka_unit_test(test_what_is_sent_is_written),
		cmocka_unit_test(test_mirrors_stay),
		cmocka_unit_test(test_packets_of_ones_own),
		cmocka_unit_test(test_buffers_may_run_out),
		cmocka_unit_test(test_waits_no_longer_than_told),
		cmocka_unit_test(test_is_woken_from_another_thread),
		cmocka_unit_test(test_several_threads),
		cmocka_unit_test(test_handles_are_independent),
		cmocka_unit_test(test_wrong_wishes),
		cmocka_unit_test(test_wrong_calls),
		cmocka_unit_test(test_threads_come_and_go),
	};

	return cmocka_run_group_tests_name("embed", tests, make_folder, remove_folder);
}
