// SPDX-License-Identifier: Apache-2.0
// Dates in filters: "2024-02-29T12:00:00.5Z", with a space for the T, with +01:00 for the Z, or with none of them in
// local time; a day alone is its first second.
#include "lang/filter_parser.h"

#include <ctype.h>
#include <time.h>

struct reading {
	const char *at, *end;
};

static bool number(struct reading *reading, unsigned digits, int low, int high, int *to)
{
	*to = 0;
	for (unsigned i = 0; i < digits; i++, reading->at++) {
		if (reading->at == reading->end || !isdigit((unsigned char)*reading->at))
			return false;
		*to = *to * 10 + (*reading->at - '0');
	}
	return *to >= low && *to <= high;
}

static bool skip(struct reading *reading, const char *any_of)
{
	if (reading->at == reading->end || !strchr(any_of, *reading->at))
		return false;
	reading->at++;
	return true;
}

static bool fraction(struct reading *reading, uint64_t *ns)
{
	uint64_t unit = 1000000000;

	if (!skip(reading, "."))
		return true;
	for (; reading->at < reading->end && isdigit((unsigned char)*reading->at) && unit > 1; reading->at++)
		*ns += (uint64_t)(*reading->at - '0') * (unit /= 10);
	return unit < 1000000000;
}

static bool clock_time(struct reading *reading, struct tm *tm, uint64_t *ns)
{
	if (!skip(reading, "T "))
		return true;
	if (!number(reading, 2, 0, 23, &tm->tm_hour) || !skip(reading, ":") ||
	    !number(reading, 2, 0, 59, &tm->tm_min))
		return false;
	return !skip(reading, ":") || (number(reading, 2, 0, 60, &tm->tm_sec) && fraction(reading, ns));
}

// Z, UTC, +01:00, -0130; *is_local if there is none
static bool zone(struct reading *reading, bool *is_local, int *offset_s)
{
	int hours, minutes, sign;

	skip(reading, " ");
	*offset_s = 0;
	*is_local = reading->at == reading->end;
	if (*is_local)
		return true;
	if (reading->end - reading->at == 3 && !memcmp(reading->at, "UTC", 3))
		return true;
	if (skip(reading, "Z"))
		return reading->at == reading->end;
	sign = *reading->at == '-' ? -1 : 1;
	if (!skip(reading, "+-") || !number(reading, 2, 0, 14, &hours))
		return false;
	skip(reading, ":");
	if (!number(reading, 2, 0, 59, &minutes))
		return false;
	*offset_s = sign * (hours * 3600 + minutes * 60);
	return reading->at == reading->end;
}

bool filter_literal_time(const char *text, size_t length, uint64_t *ns)
{
	struct reading reading = { text, text + length };
	struct tm tm = { .tm_isdst = -1 };
	uint64_t part = 0;
	bool is_local;
	int offset_s;
	time_t seconds;

	if (!number(&reading, 4, 1970, 2500, &tm.tm_year) || !skip(&reading, "-") ||
		!number(&reading, 2, 1, 12, &tm.tm_mon) || !skip(&reading, "-") ||
		!number(&reading, 2, 1, 31, &tm.tm_mday))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	if (!clock_time(&reading, &tm, &part) || !zone(&reading, &is_local, &offset_s))
		return false;
	seconds = is_local ? mktime(&tm) : timegm(&tm) - offset_s;
	if (seconds < 0)
		return false;
	*ns = (uint64_t)seconds * 1000000000 + part;
	return true;
}
