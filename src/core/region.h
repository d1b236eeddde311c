/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * What is done to the regions of one target: set, cut to size, age, merge, split. Each is one sweep.
 */
#ifndef UDAMON_CORE_REGION_H
#define UDAMON_CORE_REGION_H

#include "core/core.h"
#include "core/region_table.h"

/* Rounds to multiples of @unit, a power of two. Up saturates at the last multiple. */
static inline uint64_t damon_align_down(uint64_t value, uint64_t unit)
{
	return value & ~(unit - 1);
}

static inline uint64_t damon_align_up(uint64_t value, uint64_t unit)
{
	uint64_t sum;

	if (__builtin_add_overflow(value, unit - 1, &sum))
		sum = UINT64_MAX;
	return sum & ~(unit - 1);
}

static inline uint64_t damon_range_sz(const struct damon_addr_range *range)
{
	return range->end - range->start;
}

/* Adds, and stays at the largest number instead of wrapping. */
static inline uint32_t damon_add_u32(uint32_t a, uint32_t b)
{
	uint32_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT32_MAX : sum;
}

/*
 * How alike two regions must be to be one, and how large one may get. All counts in counting units.
 */
struct damon_merge_rule {
	uint32_t threshold;	    /* largest difference of the frequency */
	uint32_t unknown_threshold; /* the same for nr_unknown, in sampling intervals */
	uint64_t sz_limit;
	const struct damon_probe *probes; /* when hits are compared instead, else NULL */
	uint32_t nr_probes;
};

/* What merging and ageing compare: the count, or the weighted sum of hits. */
uint32_t damon_region_frequency(const struct damon_region_value *value,
				const struct damon_merge_rule *rule);

/* One age step for each region; see "Age" in docs/monitoring.md. */
void damon_regions_age(struct damon_region_table *table, const struct damon_merge_rule *rule);

/* Neighbours that are alike become one. Needs room for as many regions as there are. */
int damon_regions_merge(struct damon_port *port, struct damon_region_table *table,
			const struct damon_merge_rule *rule);

/* Cuts regions larger than @limit (a multiple of the smallest size) into parts of it. 0 or -ENOMEM. */
int damon_regions_cut(struct damon_port *port, struct damon_region_table *table, uint64_t limit);

/*
 * Cuts every @step-th region, from number @first on, into @parts (2 or 3) at random places.
 * 0, or -ENOMEM with the regions as they were.
 */
int damon_regions_split(struct damon_port *port, struct damon_region_table *table,
			struct damon_rng *rng, unsigned int parts, uint64_t step, uint64_t first,
			uint64_t min_region_sz);

/* Starts a new window: counts become "last" and go to 0. */
void damon_regions_reset(struct damon_region_table *table, const struct damon_merge_rule *rule);

/*
 * damon_set_regions() in two steps, so that a commit can prepare everything before it
 * changes anything: build into the spare columns, then damon_region_table_swap_ranges().
 * -EINVAL or -ENOMEM leave the regions as they were.
 */
int damon_regions_build(struct damon_port *port, struct damon_region_table *table,
			const struct damon_addr_range *ranges, size_t nr, uint64_t min_region_sz);

#endif
