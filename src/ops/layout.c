/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The ranges of a process that are monitored.
 */
#include "ops/layout.h"

static uint64_t gap_before(const struct mapping_list *list, size_t idx)
{
	const struct mapping *mapping = &list->mappings[idx];

	return mapping[0].start > mapping[-1].end ? mapping[0].start - mapping[-1].end : 0;
}

/* Align, and join the last range with the one before when they meet. */
static size_t add_range(struct damon_addr_range *ranges, size_t nr, uint64_t start, uint64_t end,
			uint64_t align)
{
	start &= ~(align - 1);
	end = (end + align - 1) & ~(align - 1);
	if (nr && start <= ranges[nr - 1].end) {
		if (end > ranges[nr - 1].end)
			ranges[nr - 1].end = end;
		return nr;
	}
	ranges[nr] = (struct damon_addr_range){.start = start, .end = end};
	return nr + 1;
}

size_t layout_ranges(const struct mapping_list *list, uint64_t min_region_sz,
		     struct damon_addr_range *ranges)
{
	uint64_t largest = 0, second = 0, gap, start;
	size_t largest_at = 0, second_at = 0, i, nr = 0;

	if (!list->nr)
		return 0;
	for (i = 1; i < list->nr; i++) {
		gap = gap_before(list, i);
		if (gap > largest) {
			second = largest;
			second_at = largest_at;
			largest = gap;
			largest_at = i;
		} else if (gap > second) {
			second = gap;
			second_at = i;
		}
	}
	start = list->mappings[0].start;
	for (i = 1; i < list->nr; i++) {
		if (i != largest_at && i != second_at)
			continue;
		nr = add_range(ranges, nr, start, list->mappings[i - 1].end, min_region_sz);
		start = list->mappings[i].start;
	}
	return add_range(ranges, nr, start, list->mappings[list->nr - 1].end, min_region_sz);
}
