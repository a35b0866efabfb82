// SPDX-License-Identifier: Apache-2.0
// What the files behind libweir.h share. A handle is a caller (engine/caller.h) whose graph is a port and nothing
// behind it, or, to send only, no caller at all; a plan is a caller that runs a graph.
#ifndef EMBED_EMBED_H
#define EMBED_EMBED_H

#include "engine/caller.h"
#include "port/port.h"

#include <libweir.h>

struct wanted_by {
	struct caller *caller;
	struct library *library; // what its plan is made of
};

struct weir_port {
	struct wanted_by by; // no caller: it only sends
	struct port *port;
	unsigned queue;
	bool sends;
	int wake;       // an eventfd that ends a wait; -1: it only sends
	bool is_broken; // weir_break; any thread writes
	uint64_t look_ns; // when trouble is looked for
};

// ---- start.c: the platform, and what each thread has

// The calling thread becomes one that may have packets. 0, or -errno after a message.
int embed_enter(void);
// The same, and the platform runs from now on. `port`: what is going to be opened, or NULL.
int embed_start(const char *port);
// Generations are made and ended by one thread at a time.
void embed_lock(void);
void embed_unlock(void);
// Sets the thread's message and errno; returns error (-errno).
int embed_fail(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));
int embed_fail_port(int error, const struct port_error *why);
// All messages of a diag, with places or, where they mean nothing to a reader, without.
int embed_fail_diag(int error, struct diag *diag, bool with_places);

// ---- wanted.c: a caller whose vectors have what is wanted

int embed_wanted(struct wanted_by *by, struct port *port, unsigned queue, const struct weir_member *wanted, void *self);
void embed_wanted_end(struct wanted_by *by);

// ---- port.c: a handle that receives from a queue of an open port, one user of which is its own also where it fails
struct weir_port *embed_handle(struct port *port, unsigned queue, const struct weir_member *wanted, void *self);

#endif
