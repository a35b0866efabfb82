// SPDX-License-Identifier: Apache-2.0
// Passes packets on from one port to another, a hop older; neither telnet nor what has no hops left. hop IN OUT
#include <libweir.h>
#include <stdio.h>

struct hop {
	WEIR_COLUMN(uint8_t) ttl;
	WEIR_FILTER telnet;
};
WEIR_WANTED(wanted, WEIR_CHANGES(hop, ttl, "ip.ttl"), WEIR_MATCHES(hop, telnet, "tcp.port == 23"));

int main(int count, char **words)
{
	struct hop self;
	struct weir_port *in = weir_open(count > 1 ? words[1] : NULL, wanted, &self);
	struct weir_port *out = in ? weir_create(count > 2 ? words[2] : NULL) : NULL;
	struct weir_vector *v;
	struct weir_stats stats;

	while (out && (v = weir_receive(in, -1))) {
		const uint8_t *ttl = weir_column(v, self.ttl);
		weir_mask telnet = v->live & weir_matches(v, self.telnet);
		weir_mask last = v->live & weir_has(v, self.ttl) & weir_where (i, ttl[i] <= 1);

		weir_free(v, telnet | last);
		weir_each (i, v->live & weir_has(v, self.ttl))
			weir_set(v, i, self.ttl, ttl[i] - 1); // byte, column and checksum
		weir_send(out, v, v->live);
	}
	stats = weir_stats(in);
	printf("%lu received, %lu sent, %lu freed\n", stats.received, stats.sent, stats.freed);
	if (!out || stats.received != stats.sent + stats.unsent + stats.freed || weir_close(&out)) {
		fprintf(stderr, "hop: %s\n", weir_error());
		return 1;
	}
	return weir_close(&in);
}
