// SPDX-License-Identifier: Apache-2.0
// A line that is put together piece by piece and never grows beyond its room.
#ifndef PRINT_LINE_H
#define PRINT_LINE_H

#include <stdarg.h>
#include <stdio.h>
#include <weir.h>

struct line {
	unsigned length;
	char text[8192];
};

__attribute__((format(printf, 2, 3))) static inline void line_add(struct line *line, const char *format, ...)
{
	size_t room = sizeof(line->text) - line->length;
	va_list args;
	int written;

	va_start(args, format);
	written = vsnprintf(line->text + line->length, room, format, args);
	va_end(args);
	if (written > 0)
		line->length += (size_t)written < room ? (unsigned)written : (unsigned)room - 1;
}

static inline void line_add_time(struct line *line, uint64_t time_ns)
{
	line_add(line, "%llu.%09llu: ", (unsigned long long)(time_ns / 1000000000),
		(unsigned long long)(time_ns % 1000000000));
}

#endif
