// SPDX-License-Identifier: Apache-2.0
// The loop's calls: vectors come in, are waited for, and leave.
#define _GNU_SOURCE
#include "embed/embed.h"

#include "port/cable.h"

#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

enum { SHORTEST_NS = 50 * 1000, LONGEST_NS = 1000 * 1000, NS_OF_MS = 1000 * 1000, LOOK_NS = 100 * 1000 * 1000 };

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

// ---- breaking off

void weir_break(struct weir_port *port)
{
	uint64_t one = 1;
	int error = errno;

	if (!port)
		return;
	__atomic_store_n(&port->is_broken, true, __ATOMIC_RELEASE);
	if (port->wake >= 0)
		(void)!write(port->wake, &one, sizeof(one));
	errno = error;
}

static bool is_broken_off(struct weir_port *port)
{
	uint64_t count;

	if (!__atomic_load_n(&port->is_broken, __ATOMIC_ACQUIRE))
		return false;
	__atomic_store_n(&port->is_broken, false, __ATOMIC_RELEASE);
	(void)!read(port->wake, &count, sizeof(count));
	return true;
}

// ---- why nothing comes any more

static struct weir_vector *end(struct weir_port *port)
{
	const char *damage = port_damage(port->port);

	if (damage)
		embed_fail(-EBADMSG, "%s", damage);
	else
		embed_fail(0, "there are no more packets");
	return NULL;
}

// What need not be looked at with every packet: is it gone, and are there buffers to receive into?
static int trouble_of(const struct weir_port *port)
{
	if (port_link(port->port) == PORT_LINK_GONE)
		return embed_fail(-ENODEV, "%s is gone", port_info(port->port)->spec);
	if (caller_is_starved())
		return embed_fail(-ENOBUFS,
			"all packet buffers are in use; free or send what was kept, or begin with more "
			"(weir_buffers)");
	return 0;
}

// ---- waiting

struct wait {
	uint64_t until_ns;
	long sleep_ns;
	bool is_endless;
};

// Until something may have come, or a short time is over.
static void wait_some(const struct weir_port *port, struct wait *wait, uint64_t now)
{
	struct pollfd files[2] = { { .fd = port->wake, .events = POLLIN },
		{ .fd = port_descriptor(port->port, port->queue), .events = POLLIN } };
	uint64_t left = wait->is_endless ? LOOK_NS : wait->until_ns - now;
	uint64_t most = files[1].fd < 0 ? (uint64_t)wait->sleep_ns : LOOK_NS;
	struct timespec time = { .tv_nsec = (long)(left < most ? left : most) };
	int count = ppoll(files, files[1].fd < 0 ? 1 : 2, &time, NULL);

	if (wait->sleep_ns < LONGEST_NS)
		wait->sleep_ns *= 2;
	if (count > 0 && (files[1].revents & (POLLERR | POLLHUP | POLLNVAL)))
		poll(files, 1, 1); // it is down: no reason to turn round and round
}

// NULL after a message; or a vector, empty if the time is over.
static struct weir_vector *wait_for(struct weir_port *port, int timeout_ms)
{
	uint64_t now = now_ns();
	struct wait wait = { .until_ns = now + (uint64_t)timeout_ms * NS_OF_MS, .sleep_ns = SHORTEST_NS,
		.is_endless = timeout_ms < 0 };

	for (;; now = now_ns()) {
		if (is_broken_off(port)) {
			embed_fail(-EINTR, "the wait was broken off (weir_break)");
			return NULL;
		}
		if (now >= port->look_ns) {
			port->look_ns = now + LOOK_NS;
			if (trouble_of(port))
				return NULL;
		}
		if (!wait.is_endless && now >= wait.until_ns)
			return caller_vector(port->by.caller);
		wait_some(port, &wait, now);
		if (caller_gather(port->by.caller))
			return caller_vector(port->by.caller);
		if (port_ended(port->port))
			return end(port);
	}
}

static int check_receiver(const struct weir_port *port)
{
	if (!port)
		return embed_fail(-EINVAL, "there is no port");
	if (!port->by.caller)
		return embed_fail(-EBADF, "%s was opened to send (weir_create)", port_info(port->port)->spec);
	return embed_enter();
}

struct weir_vector *weir_receive(struct weir_port *port, int timeout_ms)
{
	if (check_receiver(port))
		return NULL;
	if (is_broken_off(port)) {
		embed_fail(-EINTR, "broken off (weir_break)");
		return NULL;
	}
	if (caller_gather(port->by.caller))
		return caller_vector(port->by.caller);
	if (port_ended(port->port))
		return end(port);
	return wait_for(port, timeout_ms);
}

int weir_descriptor(const struct weir_port *port)
{
	return port && port->by.caller ? port_descriptor(port->port, port->queue) : -1;
}

struct weir_vector *weir_vector(struct weir_port *port)
{
	if (check_receiver(port))
		return NULL;
	caller_clear(port->by.caller);
	return caller_vector(port->by.caller);
}

// ---- leaving

static int check_sender(const struct weir_port *port, const struct weir_vector *v)
{
	if (!port || !v)
		return embed_fail(-EINVAL, "there is no %s to send", port ? "vector" : "port");
	if (!port->sends)
		return embed_fail(-EBADF, "%s does not send: captures are written by weir_create",
			port_info(port->port)->spec);
	return embed_enter();
}

int weir_send(struct weir_port *port, struct weir_vector *v, weir_mask mask)
{
	int result = check_sender(port, v);

	return result ? result : (int)caller_send(caller_of(v), mask, port->port, port->queue);
}

int weir_mirror(struct weir_port *port, struct weir_vector *v, weir_mask mask)
{
	int result = check_sender(port, v);

	return result ? result : (int)caller_mirror(caller_of(v), mask, port->port, port->queue);
}

void weir_free(struct weir_vector *v, weir_mask mask)
{
	if (v)
		caller_free(caller_of(v), mask);
}

void weir_decode(struct weir_vector *v, weir_mask mask)
{
	if (v)
		caller_decode(caller_of(v), mask);
}

// ---- single packets

struct weir_packet *weir_keep(struct weir_vector *v, unsigned slot)
{
	struct weir_packet *packet = v ? caller_keep(caller_of(v), slot) : NULL;

	if (!packet)
		embed_fail(-EINVAL, "slot %u has no packet", slot);
	return packet;
}

void weir_free_packet(struct weir_packet *packet)
{
	if (packet)
		caller_free_packet(packet);
}

static int fail_fill(int result)
{
	switch (result) {
	case -ENOSPC:
		return embed_fail(result,
			"the vector has had %d packets; send it and begin another (weir_vector)",
			WEIR_VECTOR);
	case -EMSGSIZE:
		return embed_fail(result, "longer than a packet may be (256 kB)");
	case -ENOBUFS:
		return embed_fail(result, "all packet buffers are in use");
	default:
		return result;
	}
}

int weir_put(struct weir_vector *v, struct weir_packet *packet)
{
	if (!v || !packet)
		return embed_fail(-EINVAL, "there is no %s", v ? "packet" : "vector");
	return fail_fill(caller_put(caller_of(v), packet));
}

int weir_make(struct weir_vector *v, const void *bytes, uint32_t length, uint64_t time_ns)
{
	if (!v || (!bytes && length))
		return embed_fail(-EINVAL, "there is no %s", v ? "frame" : "vector");
	return fail_fill(caller_make(caller_of(v), bytes, length, time_ns));
}
