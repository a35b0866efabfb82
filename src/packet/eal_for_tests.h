// SPDX-License-Identifier: Apache-2.0
// DPDK for unit tests of rooms below port/: no huge pages, no devices, no files.
#ifndef PACKET_EAL_FOR_TESTS_H
#define PACKET_EAL_FOR_TESTS_H

#include <rte_eal.h>
#include <rte_errno.h>
#include <stdio.h>

static inline int eal_for_tests(void **state)
{
	static char *arguments[] = { "test", "--no-huge", "-m", "256", "--no-shconf", "--no-pci",
		"--no-telemetry", "--log-level=error", "--force-max-simd-bitwidth=512", "-l", "0",
		NULL };

	(void)state;
	if (rte_eal_init(sizeof(arguments) / sizeof(*arguments) - 1, arguments) >= 0)
		return 0;
	fprintf(stderr, "DPDK did not start: %s\n", rte_strerror(rte_errno));
	return -1;
}

static inline int eal_for_tests_end(void **state)
{
	(void)state;
	return rte_eal_cleanup();
}

#endif
