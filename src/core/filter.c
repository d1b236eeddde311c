// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The filters of schemes that the core handles: address ranges and targets. */
#include "core/scheme.h"

bool damon_has_ops_filters(const struct damos *scheme)
{
	uint32_t i;

	for (i = 0; i < scheme->nr_filters; i++)
		if (!DAMOS_FILTER_IS_CORE(scheme->filters[i].type))
			return true;
	return false;
}

/* Whether @filter's range holds the first byte of @ar; cuts *@sz to where that is true. */
static bool in_range(const struct damos_filter *filter, const struct damon_addr_range *ar,
		     uint64_t min_region_sz, uint64_t *sz)
{
	uint64_t start = damon_align_down(filter->addr_start, min_region_sz);
	uint64_t end = damon_align_down(filter->addr_end, min_region_sz);
	bool inside = ar->start >= start && ar->start < end;
	uint64_t edge = ar->start < start ? start : end;

	if (start < end && ar->start < edge && edge - ar->start < *sz)
		*sz = edge - ar->start;
	return inside;
}

enum damos_verdict damon_core_filters(const struct damos *scheme, uint32_t target_idx,
				      const struct damon_addr_range *ar, uint64_t min_region_sz,
				      uint64_t *sz)
{
	const struct damos_filter *last = NULL;
	bool ops_filters = false, is;
	uint32_t i;

	for (i = 0; i < scheme->nr_filters; i++) {
		const struct damos_filter *filter = &scheme->filters[i];

		if (!DAMOS_FILTER_IS_CORE(filter->type)) {
			ops_filters = true;
			continue;
		}
		last = filter;
		if (filter->type == DAMOS_FILTER_TARGET)
			is = filter->target_idx == target_idx;
		else
			is = in_range(filter, ar, min_region_sz, sz);
		if (is == filter->matching)
			return filter->allow ? DAMOS_ALLOWED : DAMOS_REJECTED;
	}
	return last && last->allow && !ops_filters ? DAMOS_REJECTED : DAMOS_ACCEPTED;
}
