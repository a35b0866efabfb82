// SPDX-License-Identifier: Apache-2.0
// What the process has (the platform, a lock for making and ending) and what each thread has (its last error).
#define _GNU_SOURCE
#include "embed/embed.h"

#include "port/platform.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { LEAST_BUFFERS = 512, MOST_BUFFERS = 1 << 24 };

// ---- what a thread has

struct thread {
	char *message;
	bool is_worker;
};

static pthread_key_t key; // of the thread's struct: its destructor is called when the thread ends
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool has_key;

static void leave(void *own)
{
	struct thread *thread = own;

	if (thread->is_worker)
		caller_leave_thread();
	free(thread->message);
	free(thread);
}

static void make_key(void)
{
	has_key = pthread_key_create(&key, leave) == 0;
}

static struct thread *own_thread(void)
{
	struct thread *thread;

	pthread_once(&once, make_key);
	if (!has_key)
		return NULL;
	thread = pthread_getspecific(key);
	if (thread)
		return thread;
	thread = calloc(1, sizeof(*thread));
	if (thread && pthread_setspecific(key, thread)) {
		free(thread);
		return NULL;
	}
	return thread;
}

// ---- errors

static int set_message(int error, char *message)
{
	struct thread *thread = own_thread();

	if (thread) {
		free(thread->message);
		thread->message = message;
	} else {
		free(message);
	}
	errno = -error;
	return error;
}

int embed_fail(int error, const char *format, ...)
{
	char *message = NULL;
	va_list list;

	va_start(list, format);
	if (vasprintf(&message, format, list) < 0)
		message = NULL;
	va_end(list);
	return set_message(error, message);
}

int embed_fail_port(int error, const struct port_error *why)
{
	return embed_fail(error, "%s%s%s", why->text, *why->hint ? "; " : "", why->hint);
}

static void print_bare(const struct diag *diag, FILE *to)
{
	for (const struct diag_message *message = diag->first; message; message = message->next)
		if (message->is_error)
			fprintf(to, "%s%s%s%s", message == diag->first ? "" : "\n", message->text,
				message->hint ? "; " : "", message->hint ? message->hint : "");
}

int embed_fail_diag(int error, struct diag *diag, bool with_places)
{
	char *message = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&message, &size);

	if (!to)
		return set_message(error, NULL);
	if (with_places)
		diag_print(diag, to);
	else
		print_bare(diag, to);
	fclose(to);
	if (message && size && message[size - 1] == '\n')
		message[size - 1] = '\0';
	return set_message(error, message);
}

const char *weir_error(void)
{
	const struct thread *thread = own_thread();

	return thread && thread->message ? thread->message : "no error";
}

// ---- what modules say

static void say_nothing(void *context, const char *text)
{
	(void)context;
	(void)text;
}

static bool is_heard; // somebody has asked for what modules say

void weir_on_log(void (*say)(void *context, const char *text), void *context)
{
	is_heard = say;
	engine_log_to(say ? say : say_nothing, context);
}

// ---- the platform

static pthread_mutex_t control = PTHREAD_MUTEX_INITIALIZER;
static struct {
	bool was_started;
	int result;
	unsigned buffers;
	struct port_error why;
} platform;

void embed_lock(void)
{
	pthread_mutex_lock(&control);
}

void embed_unlock(void)
{
	pthread_mutex_unlock(&control);
}

int weir_buffers(unsigned count)
{
	int result = 0;

	if (count < LEAST_BUFFERS || count > MOST_BUFFERS)
		return embed_fail(-EINVAL, "%u packet buffers: there may be %d to %d", count,
			LEAST_BUFFERS, MOST_BUFFERS);
	embed_lock();
	if (platform.was_started)
		result = -EALREADY;
	else
		platform.buffers = count;
	embed_unlock();
	return result
		? embed_fail(result,
			  "the platform runs already; say how many buffers before anything is opened")
		: 0;
}

static void start(const char *port)
{
	struct platform_wish wish = { .buffers = platform.buffers, .workers = 1,
		.has_pci = port && !strncmp(port, "pci:", 4) };

	if (platform.was_started)
		return;
	platform.was_started = true;
	if (!is_heard)
		engine_log_to(say_nothing, NULL);
	platform.result = platform_start(&wish, &platform.why);
	if (platform.result == -EALREADY) // by another part of the same process
		platform.result = platform_pool() ? 0 : -EALREADY;
}

int embed_enter(void)
{
	struct thread *thread = own_thread();
	int result;

	if (!thread)
		return embed_fail(-ENOMEM, "out of memory");
	if (thread->is_worker)
		return 0;
	result = platform_thread();
	if (result < 0)
		return embed_fail(-EAGAIN, "no thread more can have packets: 127 do; end one of them");
	thread->is_worker = true;
	return 0;
}

int embed_start(const char *port)
{
	int result;

	embed_lock();
	start(port);
	result = platform.result;
	embed_unlock();
	return result < 0 ? embed_fail_port(result, &platform.why) : embed_enter();
}
