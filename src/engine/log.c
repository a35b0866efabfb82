// SPDX-License-Identifier: Apache-2.0
// What modules have to say to an operator.
#include "engine/engine.h"
#include "engine/worker.h"

#include <stdarg.h>
#include <stdio.h>

static struct {
	engine_say *say; // NULL: standard error
	void *context;
} log_to;

void engine_log_to(engine_say *say, void *context)
{
	log_to.say = say;
	log_to.context = context;
}

void weir_log(const struct weir_call *at, const char *format, ...)
{
	const struct worker *worker = (const struct worker *)at;
	char text[1024];
	va_list args;
	int used = 0;

	if (worker)
		used = snprintf(text, sizeof(text), "%s: ", worker->generation->plan->elements.at[at->element]->name);
	va_start(args, format);
	vsnprintf(text + used, sizeof(text) - (size_t)used, format, args);
	va_end(args);
	if (log_to.say)
		log_to.say(log_to.context, text);
	else
		fprintf(stderr, "%s\n", text); // one write, so that lines of several workers stay whole
}
