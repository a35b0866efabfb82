// SPDX-License-Identifier: Apache-2.0
// A graph in a loop of one's own: packets of a capture go in by one open port and come out by another. graph IN
#include <libweir.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char text[] =
	"in :: Port; out :: Port;"
	"in -> web :: Match(tcp.port == 80) -> Paint(1) -> DecIPTTL -> c :: Counter -> out;"
	"web[other] -> Discard;";

// What the graph sent out since the last call.
static uint64_t take(struct weir_port *out)
{
	struct weir_vector *v;
	uint64_t count = 0;

	while ((v = weir_receive(out, 0)) && v->live)
		count += weir_size(v->live); // here they are: v->data[i], v->length[i]
	return count;
}

static int fail(const char *what)
{
	fprintf(stderr, "graph: %s: %s\n", what, weir_error());
	return 1;
}

int main(int count, char **words)
{
	struct weir_plan *plan = weir_load_text(text, NULL);
	struct weir_port *out = plan ? weir_attach(plan, "out", NULL, NULL) : NULL;
	struct weir_port *in = out ? weir_open(count > 1 ? words[1] : NULL, NULL, NULL) : NULL;
	struct weir_plan_stats stats;
	struct weir_vector *v;
	uint64_t taken = 0, counted;

	if (!in)
		return fail("it does not start");
	while ((v = weir_receive(in, -1))) {
		weir_run(plan, v); // in this thread, and to the end
		taken += take(out);
	}
	if (errno)
		return fail("reading");
	while (weir_drain(plan) > 0)
		taken += take(out);
	stats = weir_plan_stats(plan);
	weir_read(plan, "c.packets", &counted);
	printf("%lu in, %lu out, %lu counted, %s\n", stats.received, taken, counted,
		stats.conserved ? "none lost count of" : "SOME LOST COUNT OF");
	weir_close(&in);
	weir_close(&out);
	weir_unload(&plan);
	return 0;
}
