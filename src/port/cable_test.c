// SPDX-License-Identifier: Apache-2.0
// A cable between two parts of the program: order, what waits, what is dropped and why, ends.
#include "packet/pool.h"
#include "port/cable.h"
#include "port/platform.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int start(void **state)
{
	struct platform_wish wish = { .buffers = 8192, .workers = 1 };
	struct port_error why;

	(void)state;
	return platform_start(&wish, &why);
}

static int stop(void **state)
{
	(void)state;
	assert_int_equal(packet_pool_used(platform_pool()), 0);
	platform_stop();
	return 0;
}

static void open_two(struct port *ends[2])
{
	struct port_error why;

	assert_int_equal(cable_open(ends, "in", &why), 0);
	assert_true(port_is_cable(ends[0]) && port_is_cable(ends[1]));
}

static void close_two(struct port *ends[2])
{
	struct port_error why;

	port_close(&ends[0], &why);
	port_close(&ends[1], &why);
	assert_null(ends[0]);
}

static unsigned send_numbered(struct port *port, uint32_t from, uint32_t count)
{
	unsigned sent = 0;

	for (uint32_t i = from; i < from + count; i++) {
		struct rte_mbuf *mbuf = packet_new(platform_pool());

		assert_non_null(mbuf);
		memcpy(rte_pktmbuf_append(mbuf, sizeof(i)), &i, sizeof(i));
		packet_head(mbuf)->time_ns = i;
		packet_head(mbuf)->rounds = 3;
		sent += port_send(port, 0, &mbuf, 1);
	}
	return sent;
}

static uint32_t receive_numbered(struct port *port, uint32_t next)
{
	struct rte_mbuf *mbufs[WEIR_VECTOR];
	unsigned count;

	while ((count = port_receive(port, 0, mbufs, WEIR_VECTOR)))
		for (unsigned i = 0; i < count; i++, next++) {
			assert_memory_equal(rte_pktmbuf_mtod(mbufs[i], void *), &next, sizeof(next));
			assert_int_equal(packet_head(mbufs[i])->time_ns, next);
			assert_int_equal(packet_head(mbufs[i])->rounds, 0);
			packet_free(mbufs[i]);
		}
	return next;
}

static void test_both_directions_in_order(void **state)
{
	struct port *ends[2];

	(void)state;
	open_two(ends);
	cable_plug(ends[1], true);
	assert_int_equal(send_numbered(ends[0], 0, 200), 200);
	assert_int_equal(send_numbered(ends[1], 1000, 100), 100);
	assert_int_equal(cable_waiting(ends[1]), 200);
	assert_int_equal(receive_numbered(ends[1], 0), 200);
	assert_int_equal(receive_numbered(ends[0], 1000), 1100);
	assert_int_equal(port_stats(ends[0]).sent, 200);
	assert_int_equal(port_stats(ends[0]).received, 100);
	assert_int_equal(port_stats(ends[1]).received_bytes, 800);
	close_two(ends);
}

static void test_what_finds_no_room_is_counted(void **state)
{
	struct port *ends[2];

	(void)state;
	open_two(ends);
	assert_int_equal(send_numbered(ends[0], 0, 5), 0); // nobody is there
	assert_int_equal(port_stats(ends[0]).dropped[PORT_TX_FAILED], 5);
	assert_non_null(strstr(port_remedy(ends[0], PORT_TX_FAILED), "weir_attach"));
	cable_plug(ends[1], true);
	assert_int_equal(send_numbered(ends[0], 0, CABLE_ROOM + 7), CABLE_ROOM);
	assert_int_equal(port_stats(ends[0]).dropped[PORT_TX_FULL], 7);
	assert_int_equal(receive_numbered(ends[1], 0), CABLE_ROOM);
	close_two(ends);
}

static void test_ends_when_all_is_taken(void **state)
{
	struct port *ends[2];
	struct port_error why;

	(void)state;
	open_two(ends);
	assert_int_equal(send_numbered(ends[1], 0, 3), 3); // the graph's end is plugged in from the start
	assert_false(port_ended(ends[0]));
	cable_end(ends[1]);
	assert_false(port_ended(ends[0]));
	assert_int_equal(receive_numbered(ends[0], 0), 3);
	assert_true(port_ended(ends[0]));
	assert_false(port_ended(ends[1]));
	port_close(&ends[0], &why);
	assert_true(port_ended(ends[1]));
	assert_int_equal(send_numbered(ends[1], 0, 1), 0); // cut off
	close_two(ends);
}

static void test_what_waits_goes_with_it(void **state)
{
	struct port *ends[2], *again;
	struct port_error why;

	(void)state;
	open_two(ends);
	again = port_again(ends[0]);
	assert_int_equal(send_numbered(ends[1], 0, 100), 100);
	assert_false(cable_is_live(ends[0]));
	cable_set_live(ends[1]);
	assert_true(cable_is_live(ends[0]));
	close_two(ends);
	port_close(&again, &why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_directions_in_order),
		cmocka_unit_test(test_what_finds_no_room_is_counted),
		cmocka_unit_test(test_ends_when_all_is_taken),
		cmocka_unit_test(test_what_waits_goes_with_it),
	};

	return cmocka_run_group_tests_name("cable", tests, start, stop);
}
