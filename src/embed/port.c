// SPDX-License-Identifier: Apache-2.0
// Handles on ports: opened, closed, and what became of their packets.
#include "embed/embed.h"

#include "port/cable.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct weir_port *free_handle(struct weir_port *handle)
{
	struct port_error why;
	int error = errno;

	if (handle->wake >= 0)
		close(handle->wake);
	port_close(&handle->port, &why);
	free(handle);
	errno = error;
	return NULL;
}

static struct weir_port *create_handle(struct port *port, unsigned queue)
{
	struct weir_port *handle = calloc(1, sizeof(*handle));
	struct port_error why;

	if (!handle) {
		port_close(&port, &why);
		embed_fail(-ENOMEM, "out of memory");
		return NULL;
	}
	handle->port = port;
	handle->queue = queue;
	handle->wake = -1;
	handle->sends = port_info(port)->direction & PORT_SEND;
	return handle;
}

struct weir_port *embed_handle(struct port *port, unsigned queue, const struct weir_member *wanted, void *self)
{
	struct weir_port *handle = create_handle(port, queue);

	if (!handle)
		return NULL;
	handle->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (handle->wake < 0)
		embed_fail(-errno, "no descriptor is left for a port: %s", strerror(errno));
	if (handle->wake < 0 || embed_wanted(&handle->by, port, queue, wanted, self))
		return free_handle(handle);
	return handle;
}

static struct port *open_port(const char *name, enum port_direction direction, unsigned queues)
{
	struct port_wish wish = { .direction = direction, .queues = queues, .owner = port_new_owner() };
	struct port_error why = { 0 };
	struct port *port = NULL;
	int result;

	if (!name)
		embed_fail(-EINVAL, "which port? there is no name");
	if (!name || embed_start(name))
		return NULL;
	result = port_open(&port, name, &wish, &why);
	if (result == -EBUSY && direction == PORT_RECEIVE)
		embed_fail(result, "%s; send by the handle that receives, and share it between threads with "
			"weir_open_several", why.text);
	else if (result < 0)
		embed_fail_port(result, &why);
	return port;
}

struct weir_port *weir_open(const char *name, const struct weir_member *wanted, void *self)
{
	struct port *port = open_port(name, PORT_RECEIVE, 1);

	return port ? embed_handle(port, 0, wanted, self) : NULL;
}

struct weir_port *weir_create(const char *name)
{
	struct port *port = open_port(name, PORT_SEND, 1);

	return port ? create_handle(port, 0) : NULL;
}

// ---- several handles on one port

static int check_queues(const struct port *port, unsigned count)
{
	const struct port_info *info = port_info(port);

	if (info->receive_queues >= count && info->send_queues >= count)
		return 0;
	return embed_fail(-ENOTSUP, "%s has %u queues to receive from and %u to send to, %u are wanted; %s", info->spec,
		info->receive_queues, info->send_queues, count,
		info->is_capture ? "open a capture once and divide its packets among threads"
				 : "af_xdp: has one for each channel of the interface (ethtool -l)");
}

int weir_open_several(struct weir_port *ports[], unsigned count, const char *name, const struct weir_member *wanted,
	void *self)
{
	struct port_error why;
	struct port *port;
	int result;

	if (!ports || !count || count > PORT_QUEUES)
		return embed_fail(-EINVAL, "%u handles: 1 to %d are possible", count, PORT_QUEUES);
	memset(ports, 0, sizeof(*ports) * count);
	port = open_port(name, PORT_RECEIVE, count);
	if (!port)
		return -errno;
	result = check_queues(port, count);
	for (unsigned i = 0; !result && i < count; i++) {
		ports[i] = embed_handle(port_again(port), i, wanted, self);
		result = ports[i] ? 0 : -errno;
	}
	port_close(&port, &why);
	for (unsigned i = 0; result && i < count; i++)
		weir_close(&ports[i]);
	errno = -result;
	return result;
}

int weir_close(struct weir_port **port)
{
	struct weir_port *handle = port ? *port : NULL;
	struct port_error why = { 0 };
	int result;

	if (!handle)
		return 0;
	*port = NULL;
	if (port_is_cable(handle->port))
		cable_plug(handle->port, false);
	if (handle->by.caller)
		caller_clear(handle->by.caller);
	embed_wanted_end(&handle->by);
	if (handle->wake >= 0)
		close(handle->wake);
	result = port_close(&handle->port, &why);
	free(handle);
	return result < 0 ? embed_fail_port(result, &why) : 0;
}

// ---- what became of packets

struct weir_stats weir_stats(const struct weir_port *port)
{
	struct weir_stats stats = { 0 };
	struct port_stats all;
	struct caller_sum sum = { 0 };

	if (!port)
		return stats;
	all = port_stats(port->port);
	if (port->by.caller)
		sum = caller_vector_sum(port->by.caller);
	stats = (struct weir_stats){
		.received = sum.received, .made = sum.made, .put = sum.put, .mirrored = sum.mirrored,
		.sent = sum.sent, .unsent = sum.unsent, .freed = sum.freed, .kept = sum.kept, .inside = sum.inside,
		.port_received = all.received, .port_received_bytes = all.received_bytes, .port_missed = all.missed,
		.port_sent = all.sent, .port_sent_bytes = all.sent_bytes,
	};
	for (unsigned i = 0; i < PORT_DROPS; i++)
		stats.port_dropped += all.dropped[i];
	return stats;
}

bool weir_port_drop(const struct weir_port *port, unsigned number, const char **name, uint64_t *count)
{
	if (!port || number >= PORT_DROPS)
		return false;
	*name = port_drop_name((enum port_drop)number);
	*count = port_stats(port->port).dropped[number];
	return true;
}

const char *weir_driver(const struct weir_port *port)
{
	return port ? port_info(port->port)->driver : "";
}

void weir_finish(struct weir_port *port)
{
	if (port && port_is_cable(port->port))
		cable_end(port->port);
}
