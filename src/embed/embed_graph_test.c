// SPDX-License-Identifier: Apache-2.0
// Graphs in a program's own thread: packets in by an open port and out by another, conservation at every moment, time,
// state over a reload, threads, and every mistake.
#include <libweir.h>

#include <errno.h>
#include <libgen.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define CAPTURE "examples/captures/router.pcap"
enum { PACKETS = 163 };

static char modules[512];
static const struct weir_graph_options here = { .modules = modules };

static struct weir_plan *load(const char *text)
{
	struct weir_plan *plan = weir_load_text(text, &here);

	if (!plan)
		fail_msg("%s", weir_error());
	return plan;
}

static uint64_t read_one(const struct weir_plan *plan, const char *name)
{
	uint64_t value = UINT64_MAX;

	if (weir_read(plan, name, &value))
		fail_msg("%s", weir_error());
	return value;
}

static void is_conserved(const struct weir_plan *plan)
{
	assert_true(weir_plan_stats(plan).conserved);
}

static uint64_t take(struct weir_port *port)
{
	struct weir_vector *v;
	uint64_t count = 0;

	while ((v = weir_receive(port, 0)) && v->live)
		count += weir_size(v->live);
	return count;
}

// All of the capture through a plan; how many came out.
static uint64_t feed(struct weir_plan *plan, struct weir_port *out)
{
	struct weir_port *in = weir_open(CAPTURE, NULL, NULL);
	struct weir_vector *v;
	uint64_t taken = 0;

	assert_non_null(in);
	while ((v = weir_receive(in, -1))) {
		assert_true(weir_run(plan, v) >= 0);
		assert_int_equal(v->live, 0);
		taken += out ? take(out) : 0;
		is_conserved(plan);
	}
	assert_int_equal(weir_stats(in).sent, PACKETS);
	weir_close(&in);
	return taken;
}

static void test_in_and_out(void **state)
{
	struct seen {
		WEIR_COLUMN(uint8_t) ttl;
	} self;
	static const struct weir_member wanted[] = { WEIR_READS(seen, ttl, "ip.ttl"), { .kind = WEIR_END } };
	struct weir_plan *plan = load(
		"in :: Port; out :: Port; in -> m :: Match(tcp.port == 80) -> d :: DecIPTTL -> out;"
		"m[other] -> x :: Discard;");
	struct weir_port *out = weir_attach(plan, "out", wanted, &self), *in = weir_open(CAPTURE, wanted, &self);
	struct weir_vector *v, *w;
	struct weir_plan_stats stats;
	uint64_t taken = 0, least = 255;

	(void)state;
	while ((v = weir_receive(in, -1))) {
		weir_run(plan, v);
		while ((w = weir_receive(out, 0)) && w->live) {
			weir_each (i, w->live & weir_has(w, self.ttl))
				least = weir_column(w, self.ttl)[i] < least ? weir_column(w, self.ttl)[i] : least;
			taken += weir_size(w->live);
		}
	}
	assert_int_equal(least, 63); // all came with 64
	stats = weir_plan_stats(plan);
	assert_int_equal(stats.received, PACKETS);
	assert_int_equal(stats.sent, taken);
	assert_int_equal(stats.consumed, read_one(plan, "x.packets"));
	assert_int_equal(read_one(plan, "d.packets"), taken);
	assert_true(taken > 10 && stats.conserved);
	assert_int_equal(weir_drain(plan), 0);
	weir_close(&in);
	weir_close(&out);
	weir_unload(&plan);
	assert_null(plan);
	weir_unload(&plan);
}

// What nobody attached to goes by its name; what waits in a queue is held, and comes out when time has passed.
static void test_what_waits(void **state)
{
	struct weir_plan *plan = load("in :: Port; out :: Port; in -> q :: Queue(1000) -> RatedUnqueue(1000) -> out;");
	struct weir_port *out = weir_attach(plan, "out", NULL, NULL);
	uint64_t taken = feed(plan, out);

	(void)state;
	assert_true(weir_plan_stats(plan).held > 0);
	while (weir_drain(plan) > 0) {
		taken += take(out);
		is_conserved(plan);
	}
	assert_int_equal(taken, PACKETS);
	assert_int_equal(weir_plan_stats(plan).held, 0);
	weir_close(&out);
	weir_unload(&plan);
}

static void test_nobody_attached(void **state)
{
	struct weir_plan *plan = load("in :: FromDump; out :: ToDump; in -> out;");

	(void)state;
	feed(plan, NULL);
	assert_int_equal(weir_plan_stats(plan).dropped, PACKETS);
	assert_int_equal(weir_plan_stats(plan).sent, 0);
	weir_unload(&plan);
}

static void test_unloads_with_packets_inside(void **state)
{
	struct weir_plan *plan = load("in :: Port; in -> q :: Queue(1000) -> Unqueue(active false) -> Discard;");

	(void)state;
	feed(plan, NULL);
	assert_int_equal(weir_plan_stats(plan).held, PACKETS);
	weir_unload(&plan);
}

// The graph's own ports need nobody to attach.
static void test_ports_of_its_own(void **state)
{
	const char *const bind[] = { "in=" CAPTURE, "out=null:", NULL };
	const struct weir_graph_options options = { .modules = modules, .bind = bind };
	struct weir_plan *plan = weir_load_text("in :: FromDump; out :: ToDump; in -> Counter -> out;", &options);

	(void)state;
	if (!plan)
		fail_msg("%s", weir_error());
	while (weir_drain(plan) > 0)
		is_conserved(plan);
	assert_int_equal(weir_plan_stats(plan).sent, PACKETS);
	assert_null(weir_attach(plan, "in", NULL, NULL));
	assert_non_null(strstr(weir_error(), "leaves no port open"));
	weir_unload(&plan);
}

static void test_the_router_example(void **state)
{
	const struct weir_graph_options options = { .modules = modules };
	struct weir_plan *plan = weir_load("examples/router.weir", &options);
	struct weir_port *lan, *wan;

	(void)state;
	if (!plan)
		fail_msg("%s", weir_error());
	lan = weir_attach(plan, "lan", NULL, NULL);
	wan = weir_attach(plan, "wan", NULL, NULL);
	assert_true(lan && wan);
	feed(plan, NULL);
	assert_true(take(lan) > 5);
	assert_true(take(wan) > 0);
	while (weir_drain(plan) > 0)
		is_conserved(plan);
	weir_unload(&plan);
	take(lan);
	assert_null(weir_receive(lan, -1)); // cut off: at its end
	assert_int_equal(errno, 0);
	weir_close(&lan);
	weir_close(&wan);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_reload_keeps_what_waits(void **state)
{
	char path[] = "/tmp/weir-graph-XXXXXX";
	int file = mkstemp(path);
	struct weir_plan *plan = load("in :: Port; out :: Port; in -> c :: Counter -> q :: Queue(1000) -> "
				      "u :: Unqueue(active false) -> out;");
	struct weir_port *out = weir_attach(plan, "out", NULL, NULL);
	uint64_t taken = 0;

	(void)state;
	close(file);
	feed(plan, out);
	write_text(path, "in :: Port; in -> Countr;");
	assert_int_equal(weir_reload(plan, path), -EINVAL);
	assert_non_null(strstr(weir_error(), "did you mean \"Counter\"?"));
	assert_int_equal(weir_plan_stats(plan).held, PACKETS);
	write_text(path,
		"in :: Port; out :: Port; in -> c :: Counter -> Paint(3) -> q :: Queue(1000) -> u :: Unqueue -> out;");
	if (weir_reload(plan, path))
		fail_msg("%s", weir_error());
	assert_int_equal(read_one(plan, "c.packets"), PACKETS);
	while (weir_run(plan, NULL) > 0)
		taken += take(out);
	assert_int_equal(taken, PACKETS);
	is_conserved(plan);
	unlink(path);
	weir_close(&out);
	weir_unload(&plan);
}

static void test_wrong_graphs(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "in :: Port; in -> Countr -> Discard;", "graph:1:19: error: " },
		{ "in :: Port;\nin -> DecIPTL -> Discard;", "graph:2:7: error: " },
		{ "in :: Port; in -> Match(tcp.prot == 80) -> Discard;", "graph:1:25: error: " },
		{ "in :: Port; in -> ", "graph:1:" },
		{ "in :: Port(nul:); in -> Discard;", "null:" },
		{ "in :: Port(no-such-eth); in -> Discard;", "no-such-eth" },
		{ "in :: FromDump(no-such.pcap); in -> Discard;", "no-such.pcap" },
		{ "{{{{[[[", "graph:1:" },
		{ "in :: Port; in -> Match(\"tcp", "graph:1:" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct weir_plan *plan = weir_load_text(cases[i].text, &here);

		if (plan || !strstr(weir_error(), cases[i].said) || !errno)
			fail_msg("case %zu (%d): %s", i, errno, plan ? "loaded" : weir_error());
	}
	assert_null(weir_load("no-such.weir", &here));
	assert_non_null(strstr(weir_error(), "no-such.weir"));
	assert_null(weir_load(NULL, NULL));
	assert_null(weir_load_text(NULL, NULL));
}

static void test_wrong_options(void **state)
{
	static const struct {
		const char *set[2], *bind[2], *said;
	} cases[] = {
		{ { "novalue" }, { NULL }, "NAME=VALUE" },
		{ { "=3" }, { NULL }, "NAME=VALUE" },
		{ { NULL }, { "in" }, "ELEMENT=PORT" },
		{ { NULL }, { "inn=null:" }, "no element" },
		{ { NULL }, { "c=null:" }, "no port" },
		{ { NULL }, { "in=" }, "bound to nothing" },
		{ { NULL }, { "in=nul:" }, "null:" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct weir_graph_options options = { .set = cases[i].set, .bind = cases[i].bind, .modules = modules };
		struct weir_plan *plan = weir_load_text("in :: Port; in -> c :: Counter -> Discard;", &options);

		if (plan || !strstr(weir_error(), cases[i].said))
			fail_msg("case %zu: %s", i, plan ? "loaded" : weir_error());
	}
}

static void test_wrong_calls(void **state)
{
	struct weir_plan *plan = load("outside :: ToDump; FromDump(" CAPTURE ") -> c :: Counter -> outside;");
	struct weir_port *port = weir_open("null:count=10", NULL, NULL);
	struct weir_vector *v = weir_receive(port, 0);
	struct weir_port *out;
	uint64_t value;

	(void)state;
	assert_int_equal(weir_run(plan, v), -ENODEV);
	assert_int_equal(weir_size(v->live), 10); // nothing became of them
	assert_int_equal(weir_run(NULL, v), -EINVAL);
	assert_int_equal(weir_drain(NULL), -EINVAL);
	assert_null(weir_attach(plan, "outsid", NULL, NULL));
	assert_non_null(strstr(weir_error(), "did you mean \"outside\"?"));
	assert_null(weir_attach(NULL, "x", NULL, NULL));
	assert_null(weir_attach(plan, NULL, NULL, NULL));
	out = weir_attach(plan, "outside", NULL, NULL);
	assert_non_null(out);
	assert_null(weir_attach(plan, "outside", NULL, NULL));
	assert_int_equal(errno, EBUSY);
	weir_close(&out);
	out = weir_attach(plan, "outside", NULL, NULL); // again, when it is free
	assert_non_null(out);
	assert_int_equal(weir_read(plan, "c", &value), -EINVAL);
	assert_int_equal(weir_read(plan, "d.packets", &value), -ENOENT);
	assert_int_equal(weir_read(plan, "c.pockets", &value), -ENOENT);
	assert_int_equal(weir_read(plan, NULL, &value), -EINVAL);
	assert_int_equal(weir_read(NULL, "c.packets", &value), -EINVAL);
	assert_int_equal(weir_read(plan, "c.packets", NULL), -EINVAL);
	assert_int_equal(weir_reload(NULL, "x"), -EINVAL);
	assert_int_equal(weir_reload(plan, NULL), -EINVAL);
	assert_int_equal(weir_plan_stats(NULL).received, 0);
	weir_unload(NULL);
	weir_close(&port);
	weir_close(&out);
	weir_unload(&plan);
}

// ---- threads

static void *runs_alone(void *counted)
{
	struct weir_plan *plan = load("in :: Port; out :: Port; in -> CheckIPHeader -> c :: Counter -> out;");
	struct weir_port *out = weir_attach(plan, "out", NULL, NULL);

	for (int i = 0; i < 20; i++)
		feed(plan, out);
	*(uint64_t *)counted = read_one(plan, "c.packets");
	weir_close(&out);
	weir_unload(&plan);
	return NULL;
}

static void test_a_plan_for_each_thread(void **state)
{
	pthread_t threads[2];
	uint64_t counted[2];

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, runs_alone, &counted[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_true(counted[0] > 1000);
	assert_int_equal(counted[0], counted[1]);
}

// One thread receives and sends into the graph, one runs it, one takes what comes out.
enum { PIPED = 100000 };

static void *feeds(void *port)
{
	struct weir_port *in = weir_open("null:count=100000", NULL, NULL);
	struct weir_vector *v;

	while ((v = weir_receive(in, -1)))
		weir_send(port, v, v->live);
	weir_finish(port);
	weir_close(&in);
	return NULL;
}

static void *takes(void *port)
{
	uint64_t *count = calloc(1, sizeof(*count));
	struct weir_vector *v;

	while ((v = weir_receive(port, -1)))
		*count += weir_size(v->live);
	return count;
}

static void test_a_pipeline(void **state)
{
	struct weir_plan *plan = load("in :: Port; out :: Port; in -> c :: Counter -> out;");
	struct weir_port *in = weir_attach(plan, "in", NULL, NULL), *out = weir_attach(plan, "out", NULL, NULL);
	pthread_t feeder, taker;
	uint64_t *taken, moved = 0, entered, lost;

	(void)state;
	assert_int_equal(pthread_create(&feeder, NULL, feeds, in), 0);
	assert_int_equal(pthread_create(&taker, NULL, takes, out), 0);
	do {
		moved += (uint64_t)weir_run(plan, NULL);
		entered = weir_stats(in).port_sent;
		lost = weir_stats(in).port_dropped;
	} while (moved < entered || entered + lost < PIPED);
	pthread_join(feeder, NULL);
	is_conserved(plan);
	assert_int_equal(read_one(plan, "c.packets"), entered);
	entered = weir_plan_stats(plan).sent;
	weir_unload(&plan);
	pthread_join(taker, (void **)&taken);
	assert_int_equal(*taken, entered);
	free(taken);
	weir_close(&in);
	weir_close(&out);
}

static int find_modules(void **state)
{
	char self[400];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)state;
	if (length <= 0)
		return -1;
	self[length] = '\0';
	snprintf(modules, sizeof(modules), "%s/../modules", dirname(self));
	return weir_buffers(16384);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_and_out),
		cmocka_unit_test(test_what_waits),
		cmocka_unit_test(test_nobody_attached),
		cmocka_unit_test(test_unloads_with_packets_inside),
		cmocka_unit_test(test_ports_of_its_own),
		cmocka_unit_test(test_the_router_example),
		cmocka_unit_test(test_reload_keeps_what_waits),
		cmocka_unit_test(test_wrong_graphs),
		cmocka_unit_test(test_wrong_options),
		cmocka_unit_test(test_wrong_calls),
		cmocka_unit_test(test_a_plan_for_each_thread),
		cmocka_unit_test(test_a_pipeline),
	};

	return cmocka_run_group_tests_name("embed_graph", tests, find_modules, NULL);
}
