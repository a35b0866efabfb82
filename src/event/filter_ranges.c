// SPDX-License-Identifier: Apache-2.0
// Ranges of numbers: sorted, disjoint, and never two where one would do.
#include "event/filter_tree.h"

#include <stdlib.h>

static int by_low(const void *a, const void *b)
{
	const struct filter_range *one = a, *other = b;

	return (one->low > other->low) - (one->low < other->low);
}

unsigned filter_ranges_sort(struct filter_range *ranges, unsigned count)
{
	unsigned kept = 0;

	if (!count)
		return 0;
	qsort(ranges, count, sizeof(*ranges), by_low);
	for (unsigned i = 1; i < count; i++) {
		bool touches = ranges[i].low <= ranges[kept].high || ranges[i].low - 1 == ranges[kept].high;

		if (!touches)
			ranges[++kept] = ranges[i];
		else if (ranges[i].high > ranges[kept].high)
			ranges[kept].high = ranges[i].high;
	}
	return kept + 1;
}

unsigned filter_ranges_invert(const struct filter_range *ranges, unsigned count, filter_wide most,
			      struct filter_range *to)
{
	filter_wide next = 0;
	unsigned made = 0;

	for (unsigned i = 0; i < count; i++) {
		if (ranges[i].low > next)
			to[made++] = (struct filter_range){ next, ranges[i].low - 1 };
		if (ranges[i].high >= most)
			return made;
		next = ranges[i].high + 1;
	}
	to[made++] = (struct filter_range){ next, most };
	return made;
}

unsigned filter_ranges_intersect(const struct filter_node *a, const struct filter_node *b, struct filter_range *to)
{
	unsigned made = 0;

	for (unsigned i = 0, j = 0; i < a->count && j < b->count;) {
		const struct filter_range *one = &a->ranges[i], *other = &b->ranges[j];
		filter_wide low = one->low > other->low ? one->low : other->low;
		filter_wide high = one->high < other->high ? one->high : other->high;

		if (low <= high)
			to[made++] = (struct filter_range){ low, high };
		if (one->high < other->high)
			i++;
		else
			j++;
	}
	return made;
}
