// SPDX-License-Identifier: Apache-2.0
// What modules have to say to an operator.
#include "engine/worker.h"

#include <stdarg.h>
#include <stdio.h>

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
	fprintf(stderr, "%s\n", text); // one write, so that lines of several workers stay whole
}
