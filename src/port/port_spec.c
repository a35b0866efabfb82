// SPDX-License-Identifier: Apache-2.0
// Specs: which driver "af_packet:eth0", "eth0" or "in.pcap" asks for.
#define _GNU_SOURCE
#include "port/port_driver.h"

#include "lib/diag.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const struct port_driver *const drivers[] = {
	&port_xdp, &port_packet, &port_listen, &port_tap, &port_reader, &port_writer, &port_null, &port_pci, &port_vdev,
};
enum { DRIVERS = sizeof(drivers) / sizeof(drivers[0]) };

const struct port_driver *port_driver_at(unsigned number)
{
	return number < DRIVERS ? drivers[number] : NULL;
}

const struct port_kind *port_kind_at(unsigned number)
{
	return number < DRIVERS ? &drivers[number]->kind : NULL;
}

bool port_kind_works(const struct port_kind *kind, struct port_error *why)
{
	for (unsigned i = 0; i < DRIVERS; i++)
		if (kind == &drivers[i]->kind)
			return !drivers[i]->works || drivers[i]->works(why);
	return false;
}

int port_fail(struct port_error *why, int error, const char *hint, const char *format, ...)
{
	va_list list;

	if (!why)
		return error;
	va_start(list, format);
	vsnprintf(why->text, sizeof(why->text), format, list);
	va_end(list);
	snprintf(why->hint, sizeof(why->hint), "%s", hint ? hint : "");
	return error;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length >= tail && !strcasecmp(text + length - tail, end);
}

// A name of a capture, or of a file that is there and no interface.
static bool is_capture(const char *spec)
{
	static const char *const ends[] = { ".pcap", ".pcapng", ".cap", ".ntar", ".dump", ".dmp", ".trace" };
	struct stat state;

	if (!strcmp(spec, "-") || strchr(spec, '/'))
		return true;
	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends_with(spec, ends[i]))
			return true;
	return stat(spec, &state) == 0 && (S_ISREG(state.st_mode) || S_ISFIFO(state.st_mode)) && !if_nametoindex(spec);
}

static const struct port_driver *driver_of(const char *prefix, size_t length)
{
	for (unsigned i = 0; i < DRIVERS; i++)
		if (strlen(drivers[i]->kind.prefix) == length && !strncmp(drivers[i]->kind.prefix, prefix, length))
			return drivers[i];
	return NULL;
}

static int refuse_kind(const char *spec, size_t length, struct port_error *why)
{
	char word[32], hint[160];
	struct near near = { .word = word };

	snprintf(word, sizeof(word), "%.*s", (int)length, spec);
	for (unsigned i = 0; i < DRIVERS; i++)
		near_try(&near, drivers[i]->kind.prefix);
	if (near_best(&near))
		snprintf(hint, sizeof(hint), "did you mean \"%s:%.100s\"?", near_best(&near), spec + length + 1);
	else
		snprintf(hint, sizeof(hint), "there are af_xdp: af_packet: listen: tap: pcap: null: pci: vdev:, an interface "
			"alone, or the path of a capture");
	return port_fail(why, -EINVAL, hint, "\"%s\": no kind of port is called \"%s\"", spec, word);
}

int port_check_interface(const char *name, struct port_error *why)
{
	if (!*name)
		return port_fail(why, -EINVAL, "name it: \"af_packet:eth0\"", "a port's interface has no name");
	if (strlen(name) >= IFNAMSIZ || strpbrk(name, "/ :"))
		return port_fail(why, -EINVAL, "an interface's name has at most 15 characters; the path of a capture "
			"contains a \"/\" or ends in .pcap or .pcapng",
			"\"%.200s\": names neither an interface nor a capture", name);
	return 0;
}

static int check_bare(const char *spec, struct port_error *why)
{
	char hint[64];

	if (!driver_of(spec, strlen(spec)) || if_nametoindex(spec))
		return port_check_interface(spec, why);
	snprintf(hint, sizeof(hint), "write \"%s:\"", spec);
	return port_fail(why, -EINVAL, hint, "\"%s\": a kind of port ends in \":\"", spec);
}

static int check_whole(const char *spec, struct port_error *why)
{
	if (!*spec)
		return port_fail(why, -EINVAL, "name an interface (eth0) or a capture (in.pcap)",
			"a port's spec is empty");
	if (strlen(spec) >= sizeof(((struct port_spec *)0)->rest))
		return port_fail(why, -EINVAL, NULL, "\"%.40s...\": a port's spec has at most %zu characters", spec,
				 sizeof(((struct port_spec *)0)->rest) - 1);
	for (const char *at = spec; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return port_fail(why, -EINVAL, NULL, "a port's spec contains a control character (0x%02x)",
					 (unsigned char)*at);
	return 0;
}

int port_spec_parse(struct port_spec *parsed, const char *spec, struct port_error *why)
{
	const char *colon = strchr(spec, ':'), *rest = spec;
	int result = check_whole(spec, why);

	if (result < 0)
		return result;
	parsed->driver = colon ? driver_of(spec, (size_t)(colon - spec)) : NULL;
	if (parsed->driver)
		rest = colon + 1;
	else if (is_capture(spec))
		parsed->driver = &port_reader;
	else if (colon)
		return refuse_kind(spec, (size_t)(colon - spec), why);
	else if ((result = check_bare(spec, why)) < 0)
		return result;
	snprintf(parsed->rest, sizeof(parsed->rest), "%s", rest);
	return parsed->driver && parsed->driver->check ? parsed->driver->check(rest, why) : 0;
}

int port_check(const char *spec, struct port_error *why)
{
	struct port_spec parsed;

	return port_spec_parse(&parsed, spec, why);
}
