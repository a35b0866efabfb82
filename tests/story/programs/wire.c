// SPDX-License-Identifier: Apache-2.0
// A wire between two interfaces: a thread for each direction, each receiving by one handle and sending by the other,
// until a signal. wire A B
#include <libweir.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

static struct weir_port *ports[2];

static void interrupted(int)
{
	weir_break(ports[0]);
	weir_break(ports[1]);
}

static void *carry(void *number)
{
	int n = *(int *)number;
	struct pollfd file = { .fd = weir_descriptor(ports[n]), .events = POLLIN };
	struct weir_vector *v;

	for (;;) { // one waits with poll, the other in the library
		if (n && file.fd >= 0)
			poll(&file, 1, 50);
		v = weir_receive(ports[n], n && file.fd >= 0 ? 0 : 1000);
		if (!v)
			break;
		weir_send(ports[!n], v, v->live);
	}
	return errno == EINTR ? NULL : ports[n];
}

int main(int count, char **words)
{
	pthread_t threads[2];
	int numbers[2] = { 0, 1 };
	void *failed[2];

	for (int i = 0; i < 2; i++)
		if (!(ports[i] = weir_open(count > 2 ? words[i + 1] : NULL, NULL, NULL))) {
			fprintf(stderr, "wire: %s\n", weir_error());
			return 1;
		}
	if (weir_open(words[1], NULL, NULL) || errno != EBUSY)
		return 2;
	signal(SIGTERM, interrupted);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, carry, &numbers[i]);
	printf("carries\n");
	fflush(stdout);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], &failed[i]);
	for (int i = 0; i < 2; i++) {
		struct weir_stats s = weir_stats(ports[i]);

		printf("%s: received %lu sent %lu unsent %lu freed %lu inside %lu\n",
			weir_driver(ports[i]), s.received, s.sent, s.unsent, s.freed, s.inside);
		if (failed[i] || s.received != s.sent + s.unsent + s.freed + s.inside)
			return 3;
	}
	return weir_close(&ports[0]) || weir_close(&ports[1]);
}
