// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "port/port_log.h"

#include <dlfcn.h>
#include <pthread.h>
#include <rte_log.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // workers may log, too
static char line[256], why[256]; // what is being written; the line that explains most
static size_t length;

static bool is_better(void)
{
	// libbpf hands on what the kernel says; else the first complaint is the cause, and those
	// after it its consequences
	return !why[0] || strstr(line, "Kernel error message");
}

static void keep(const char *bytes, size_t count)
{
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < count; i++) {
		if (bytes[i] != '\n') {
			if (length < sizeof(line) - 1)
				line[length++] = bytes[i] < ' ' ? ' ' : bytes[i];
			continue;
		}
		line[length] = '\0';
		if (length && is_better())
			memcpy(why, line, sizeof(why));
		length = 0;
	}
	pthread_mutex_unlock(&lock);
}

static ssize_t write_log(void *cookie, const char *bytes, size_t count)
{
	(void)cookie;
	keep(bytes, count);
	return (ssize_t)count;
}

void port_log_start(void)
{
	FILE *stream = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = write_log });

	// its dispatcher wants a bpffs, and complains without one; we put all we need into one program
	setenv("LIBXDP_SKIP_DISPATCHER", "1", 0);
	if (!stream)
		return;
	setvbuf(stream, NULL, _IOLBF, 0);
	rte_openlog_stream(stream);
}

static int print_nothing(int level, const char *format, va_list list)
{
	char text[256];
	int count = vsnprintf(text, sizeof(text), format, list);

	if (level == 0 && count > 0) // its warnings
		keep(text, strlen(text));
	return 0;
}

static void quieten(const char *library, const char *function)
{
	void *handle = dlopen(library, RTLD_NOW | RTLD_NOLOAD);
	void *(*set)(int (*)(int, const char *, va_list));

	if (!handle)
		return;
	*(void **)&set = dlsym(handle, function);
	if (set)
		set(print_nothing);
	dlclose(handle);
}

void port_log_libraries(void)
{
	quieten("libbpf.so.1", "libbpf_set_print");
	quieten("libxdp.so.1", "libxdp_set_print");
}

void port_log_clear(void)
{
	pthread_mutex_lock(&lock);
	length = 0;
	why[0] = '\0';
	pthread_mutex_unlock(&lock);
}

// "EAL: Cannot ..." and "rte_pmd_af_xdp_probe(): Failed ..." say who; people want to know what.
static const char *without_prefix(const char *text)
{
	for (const char *colon = strstr(text, ": "); colon; colon = strstr(text, ": ")) {
		if (memchr(text, ' ', (size_t)(colon - text)) && strncmp(text, "Kernel error message", 20) != 0)
			return text;
		text = colon + 2;
	}
	return text;
}

const char *port_log_why(char *text, size_t size, const char *otherwise)
{
	pthread_mutex_lock(&lock);
	snprintf(text, size, "%s", why[0] ? without_prefix(why) : otherwise);
	pthread_mutex_unlock(&lock);
	return text;
}
