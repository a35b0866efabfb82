// SPDX-License-Identifier: Apache-2.0
// A cable between two parts of the program: two ports, what is sent into one comes out of the other, the packets
// themselves, in order. A queue in each direction; each may be filled by one thread and emptied by another.
#ifndef PORT_CABLE_H
#define PORT_CABLE_H

#include "port/port.h"

enum { CABLE_ROOM = 4096 - 1 }; // packets that may wait in one direction; what comes then is dropped as tx_full

// Both are closed by port_close; what waits goes with the last. They are in no list of specs. 0, or -ENOMEM with *why.
int cable_open(struct port *ends[2], const char *name, struct port_error *why);
bool port_is_cable(const struct port *port);
// Whether somebody receives at this end: the first (the graph's) is plugged in from the start, the second is not. What
// is sent to one who is not is dropped as tx_failed.
void cable_plug(struct port *end, bool is_plugged);
bool cable_is_plugged(const struct port *end);
// Nothing is sent from this end any more: the other has ended when it has taken what waits.
void cable_end(struct port *end);
// Packets that wait to be received at this end.
unsigned cable_waiting(const struct port *end);
// Packets come with the time at which they are sent, not with that of a capture: both ends, for good.
void cable_set_live(struct port *end);
bool cable_is_live(const struct port *end);

#endif
