// SPDX-License-Identifier: Apache-2.0
// A program's own threads, each with a handle of its own on one port, and its own count of what it saw. threads PORT
#include <libweir.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

enum { THREADS = 2 };

struct seen {
	WEIR_COLUMN(uint32_t) source;
	WEIR_FILTER udp;
};
WEIR_WANTED(wanted, WEIR_READS(seen, source, "ip.src"), WEIR_MATCHES(seen, udp, "udp"));

static struct weir_port *ports[THREADS];
static struct seen self; // the same for all: they were opened together

static void interrupted(int)
{
	for (int i = 0; i < THREADS; i++)
		weir_break(ports[i]);
}

static void *work(void *number)
{
	struct weir_port *port = ports[*(int *)number];
	struct weir_vector *v;
	uint64_t packets = 0, udp = 0, sources = 0;

	while ((v = weir_receive(port, -1))) {
		packets += weir_size(v->live);
		udp += weir_size(v->live & weir_matches(v, self.udp));
		weir_each (i, v->live & weir_has(v, self.source))
			sources ^= weir_column(v, self.source)[i];
	}
	printf("thread %d: %lu packets, %lu of UDP, sources %08lx, %s\n", *(int *)number, packets, udp, sources,
		errno == EINTR ? "broken off" : "at the end");
	return NULL;
}

int main(int count, char **words)
{
	pthread_t threads[THREADS];
	int numbers[THREADS];

	if (weir_open_several(ports, THREADS, count > 1 ? words[1] : NULL, wanted, &self)) {
		fprintf(stderr, "threads: %s\n", weir_error());
		return 1;
	}
	signal(SIGINT, interrupted);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		pthread_create(&threads[i], NULL, work, &numbers[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		weir_close(&ports[i]);
	}
	return 0;
}
