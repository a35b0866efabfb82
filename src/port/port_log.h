// SPDX-License-Identifier: Apache-2.0
// What DPDK, libxdp and libbpf would write to standard error is caught: the line that
// explains most of a failure becomes part of our message.
#ifndef PORT_PORT_LOG_H
#define PORT_PORT_LOG_H

#include <stddef.h>

void port_log_start(void);     // before DPDK starts
void port_log_libraries(void); // once its drivers, and with them libxdp, are loaded

void port_log_clear(void);
// That line, without its prefix; `otherwise` if there was none. Returns text.
const char *port_log_why(char *text, size_t size, const char *otherwise);

#endif
