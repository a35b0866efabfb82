// SPDX-License-Identifier: Apache-2.0
// What a run did: for people, or as one JSON object.
#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

#include "cli/cli.h"

void summary_print(const struct plan *plan, double seconds, FILE *to);
void summary_json(const struct plan *plan, double seconds, FILE *to);
// One line while it runs; `before` is what it was a second ago.
void summary_progress(const struct plan *plan, const struct engine_sum *before, double since, double at, FILE *to);
// ELEMENT.HANDLER: a counter, a setting, or packets, drops, events. false after a message.
bool summary_handler(const struct plan *plan, const char *name, FILE *to);
// Are all ports' captures whole? Says what is not; false: something was not written.
bool summary_ports(const struct generation *generation, FILE *to);

#endif
