// SPDX-License-Identifier: Apache-2.0
// libweir.h - Weir inside a program with a loop and threads of its own.
//
//	cc $(pkg-config --cflags libweir) -o program program.c $(pkg-config --libs libweir)
//
// Open a port, receive vectors of up to 64 packets, look at them with what weir.h has for modules (columns, masks,
// bytes), change them in place, send them; or give them to a graph that runs in your thread, and take what comes out.
// The packets themselves travel: none of this copies bytes.
//
// Ownership. A vector belongs to the handle it was received by, until the next call of weir_receive or weir_vector
// with that handle. Each packet in it leaves it exactly once: by weir_send, weir_free, weir_keep or weir_run. v->live
// tells which have not left; what has is passed over in every mask, and what is still there at the next weir_receive
// is freed. Its columns, bytes and pointers are good for live slots only.
//
// Threads. Nothing has a lock. A handle is received from by one thread at a time and sent to by one thread at a time,
// which may be another; a vector and its packets are the receiving thread's. A plan, with the handles attached to it,
// is run by one thread at a time; a handle attached to it may be used by another thread than runs it (a pipeline).
// Different handles and plans are independent of each other. weir_break and the questions (weir_stats of another
// thread's handle) are for any thread; weir_break also for signal handlers.
//
// Errors. What returns a pointer returns NULL and sets errno; what returns int returns -errno. weir_error() has the
// whole message. The library never ends the process for what it is given, prints nothing, and leaves signals alone.
// What is not checked: pointers that are no handles, or not any more. Out of memory while a graph is planned ends it.
//
// One thing is the process's: the platform, started by the first call that needs it, never stopped.
#ifndef LIBWEIR_H
#define LIBWEIR_H

#include <weir.h>

struct weir_port; // a handle on a port
struct weir_plan; // a graph, ready to run

// ---- errors and the platform

// The message of the last call that failed in this thread, with what to do about it; never NULL. Of a graph: a line
// for each mistake, FILE:LINE:COLUMN: error: ... Good until the next failure.
const char *weir_error(void);
// How many packet buffers (of 2 kB; 32,768 if this is not called) there are for all ports and plans. Before anything
// else. -EALREADY: the platform runs; -EINVAL: not from 512 to 2^24.
int weir_buffers(unsigned count);
// Where goes what modules have to say to an operator; without it nobody hears it. Called in the thread that runs the
// plan. Before plans are loaded.
void weir_on_log(void (*say)(void *context, const char *text), void *context);

// ---- ports

// What is wanted of packets, as the members of a module's struct: WEIR_READS, WEIR_READS_IF, WEIR_CHANGES,
// WEIR_MATCHES. The handles in the struct are filled when the port is opened; then weir_column(v, self.ttl),
// weir_has, weir_flag, weir_matches and weir_set work on each of its vectors. The planner decodes what is wanted and
// nothing else.
//
//	struct seen { WEIR_COLUMN(uint8_t) ttl; WEIR_FILTER web; };
//	WEIR_WANTED(wanted, WEIR_CHANGES(seen, ttl, "ip.ttl"), WEIR_MATCHES(seen, web, "tcp.port == 80"));
#define WEIR_WANTED(name, ...)                                                                             \
	static const struct weir_member name[] = { __VA_ARGS__, { .kind = WEIR_END } }

// Opens a port to receive from, and to send to if it is an interface. Its name is as in a graph or behind -i:
// "eth0", "af_packet:eth0", "af_xdp:eth0", "tap:NAME", "file.pcapng", "-" (standard input), "null:size=64,count=1000",
// "pci:ADDRESS". wanted: NULL, or what is wanted of its packets, for the struct `self` (which is written now, and only
// now). EBUSY: the interface is open in this process.
struct weir_port *weir_open(const char *name, const struct weir_member *wanted, void *self);
// Opens a port to send to: a capture is written (.pcap or .pcapng, "-" is standard output), "null:" takes all.
struct weir_port *weir_create(const char *name);
// Opens `count` handles on one port, one for each thread: each packet comes to one of them, those of a flow to the
// same. All have the same columns. -errno: no handle is open; -ENOTSUP: the port has fewer queues.
int weir_open_several(struct weir_port *ports[], unsigned count, const char *name, const struct weir_member *wanted,
		      void *self);
// Closes a handle, frees what is left in its vector and sets it to NULL; NULL is fine, and so is closing twice. -errno:
// what was written is not whole.
int weir_close(struct weir_port **port);

// The next packets; waits for the first of them at most so many milliseconds (-1: for ever, 0: not at all). A vector
// without packets (v->live is 0): the time is over. NULL: nothing will come any more; errno is then 0 at the end of a
// capture, EINTR after weir_break, ENODEV when the interface is gone, ENOBUFS when all packet buffers are in the
// program's hands, EBADMSG when the capture is broken.
struct weir_vector *weir_receive(struct weir_port *port, int timeout_ms);
// What weir_receive waits for, for poll and epoll; it is readable when something may have come: then receive with 0.
// -1: there is none (captures are always ready; AF_XDP and devices of DPDK's want to be asked).
int weir_descriptor(const struct weir_port *port);
// The weir_receive that waits now, or else the next, returns NULL with EINTR.
void weir_break(struct weir_port *port);

// Sends those of `mask` that are in the vector; they leave it. Returns how many the port took; the others are freed
// and counted by name (weir_stats). -EBADF: the port does not send.
int weir_send(struct weir_port *port, struct weir_vector *v, weir_mask mask);
// The same with clones: the packets stay in the vector.
int weir_mirror(struct weir_port *port, struct weir_vector *v, weir_mask mask);
// They leave the vector and are gone.
void weir_free(struct weir_vector *v, weir_mask mask);
// Decodes anew what is wanted of those in `mask`, after their bytes were changed with weir_edit, weir_prepend, ...
void weir_decode(struct weir_vector *v, weir_mask mask);

// ---- single packets

// Takes a packet out of its vector: it is the caller's, for as long as he likes, until weir_put or weir_free_packet.
// NULL: the slot has no packet.
struct weir_packet *weir_keep(struct weir_vector *v, unsigned slot);
// An empty vector of this handle, for weir_put and weir_make; what was in the last one is freed.
struct weir_vector *weir_vector(struct weir_port *port);
// Puts a packet into a vector, its wanted fields decoded; returns its slot. -ENOSPC: the vector has had 64 packets; the
// packet is still the caller's.
int weir_put(struct weir_vector *v, struct weir_packet *packet);
// A new packet with these bytes (a copy), an Ethernet frame; returns its slot. time_ns 0: now. -ENOSPC, -ENOBUFS,
// -EMSGSIZE: longer than 256 kB.
int weir_make(struct weir_vector *v, const void *bytes, uint32_t length, uint64_t time_ns);
void weir_free_packet(struct weir_packet *packet); // NULL is fine

// ---- graphs

struct weir_graph_options {        // all may be left out
	const char *const *set;    // variables of the graph, "NAME=VALUE", NULL behind the last
	const char *const *bind;   // its open ports, "ELEMENT=PORT" as -i and -o of weir run; NULL behind the last
	const char *modules;       // directories of modules, with colons between; NULL: WEIR_MODULES, or the installed
	uint64_t seed;             // of hashes
};

// Reads and plans a graph, a file or (weir_load_text) the text itself, and opens the ports that it names. Ports that it
// leaves open and that nobody binds are the program's: see weir_attach. options: NULL is fine.
struct weir_plan *weir_load(const char *path, const struct weir_graph_options *options);
struct weir_plan *weir_load_text(const char *text, const struct weir_graph_options *options);
// Ends it: what is inside is freed. Handles attached to it go on to be good, but are cut off: when they have received
// what waits, they are at their end. Sets it to NULL; NULL is fine.
void weir_unload(struct weir_plan **plan);
// Puts another graph in its place: elements of the same name and class keep their state, packets wait on. -errno:
// nothing has changed. What was attached stays so; a port that the new graph leaves open must have been open before.
int weir_reload(struct weir_plan *plan, const char *path);

// The other end of a port that the graph leaves open (`in :: Port;`, FromDump, ToDump): weir_send puts packets into the
// graph there, weir_receive takes what the graph sent there. Up to 4,095 packets wait in each direction; what comes
// then is dropped as tx_full; what the graph sends to a port that nobody is attached to is dropped as tx_failed.
// Once for each element.
struct weir_port *weir_attach(struct weir_plan *plan, const char *element, const struct weir_member *wanted,
			      void *self);
// Nothing will be sent by this handle any more: its other end ends as captures do.
void weir_finish(struct weir_port *port);

// Puts all packets of v into the first open port of the graph that receives (v may be NULL: none), and runs the graph
// in this thread, vector after vector, until all that entered have gone their way or wait in it for a time. Returns
// how many packets went through it, 0: there was nothing to do. Never waits. Call it also when nothing comes: timers,
// rates and ports of the graph's own live by it. Time is that of packets while all that entered came from captures,
// else the clock's. -ENODEV: v has packets and the graph has no open port that receives.
int weir_run(struct weir_plan *plan, struct weir_vector *v);
// At the end: as weir_run, and ends what weir_run(plan, v) puts packets into. With captures time passes by itself, so
// that what waits for a time comes to it. 1: call it again (after receiving what came out), 0: nothing is left inside
// that would come out, or nothing has moved in this call and only the clock can tell.
int weir_drain(struct weir_plan *plan);

// A counter or number setting of an element by name, "guard.refused"; "ELEMENT.packets", ".dropped" and ".events" are
// the platform's of every element. -ENOENT: there is none.
int weir_read(const struct weir_plan *plan, const char *name, uint64_t *value);

// ---- what became of packets

struct weir_stats {
	// of vectors received by this handle: received + made + put + mirrored = sent + unsent + freed + kept + inside
	uint64_t received, made, put, mirrored; // came into them
	uint64_t sent, unsent; // left by weir_send, weir_mirror or weir_run; unsent: what a port did not take
	uint64_t freed, kept;  // by weir_free or unasked; by weir_keep
	uint64_t inside;       // still there, or received and not yet handed out
	// of the port behind the handle, all its handles together
	uint64_t port_received, port_received_bytes;
	uint64_t port_missed; // came, but could not be taken
	uint64_t port_sent, port_sent_bytes;
	uint64_t port_dropped; // were to be sent, and were not; by name: weir_port_drop
};
struct weir_stats weir_stats(const struct weir_port *port); // all 0 of NULL
// The names ("tx_full", "oversize") and counts of drops, from number 0 on; false behind the last.
bool weir_port_drop(const struct weir_port *port, unsigned number, const char **name, uint64_t *count);
const char *weir_driver(const struct weir_port *port); // "af_xdp", "null", ...

// received + emitted + cloned = sent + dropped + consumed + held, at any time between two calls; for the plan's thread.
struct weir_plan_stats {
	uint64_t received, emitted, cloned, sent, dropped, consumed, held;
	bool conserved;
};
struct weir_plan_stats weir_plan_stats(const struct weir_plan *plan);

#endif
