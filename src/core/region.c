// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What is done to the regions of one target: set, cut to size, age, merge, split.
 *
 * The rules are those of Linux's DAMON as its documentation describes them; every pass is
 * one sweep over sorted columns.
 */
#include <errno.h>
#include <string.h>

#include "core/region.h"

/* Room for a pass that ends with at most @nr regions, without touching the present ones. */
static int prepare_spare(struct damon_port *port, struct damon_region_table *table, size_t nr)
{
	table->spare.nr = 0;
	if (table->spare.capacity >= nr && table->sampling_capacity >= nr)
		return 0;
	return damon_region_table_reserve(port, table, nr);
}

/* Ageing and merging. */

uint32_t damon_region_frequency(const struct damon_region_value *value,
				const struct damon_merge_rule *rule)
{
	uint32_t sum = 0, i;

	if (!rule->probes)
		return value->r.nr_accesses;
	for (i = 0; i < rule->nr_probes; i++)
		sum = damon_add_u32(sum, rule->probes[i].weight * value->r.probe_hits[i]);
	return sum;
}

static uint32_t distance(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

void damon_regions_age(struct damon_region_table *table, const struct damon_merge_rule *rule)
{
	struct damon_region_value value;
	uint32_t now, last;
	size_t i;

	for (i = 0; i < table->now.nr; i++) {
		struct damon_region_rest *rest = &table->now.rest[i];

		now = table->now.nr_accesses[i];
		last = rest->last_nr_accesses;
		if (rule->probes) {
			damon_columns_load(&table->now, i, &value);
			now = damon_region_frequency(&value, rule);
			last = value.last_probe_sum;
		}
		if (distance(now, last) > rule->threshold || !now != !last)
			rest->age = 0;
		else
			rest->age = damon_add_u32(rest->age, 1);
	}
}

/* (@a * @sz_a + @b * @sz_b) / (@sz_a + @sz_b), whatever the sizes. */
static uint32_t weighted_mean(uint32_t a, uint64_t sz_a, uint32_t b, uint64_t sz_b)
{
	if (a == b)
		return a;
	/* 32 bits of count and 31 of size make no more than 64. */
	if (sz_a < 1U << 31 && sz_b < 1U << 31)
		return (uint32_t)((a * sz_a + b * sz_b) / (sz_a + sz_b));
	return (uint32_t)(((unsigned __int128)a * sz_a + (unsigned __int128)b * sz_b) /
			  ((unsigned __int128)sz_a + sz_b));
}

static bool alike(const struct damon_region_value *left, const struct damon_region_value *right,
		  const struct damon_merge_rule *rule)
{
	uint64_t sz;

	if (left->r.ar.end != right->r.ar.start)
		return false;
	if (distance(damon_region_frequency(left, rule), damon_region_frequency(right, rule)) >
	    rule->threshold)
		return false;
	if (distance(left->r.nr_unknown, right->r.nr_unknown) > rule->unknown_threshold)
		return false;
	sz = right->r.ar.end - left->r.ar.start;
	return sz <= rule->sz_limit;
}

static void join(struct damon_region_value *left, const struct damon_region_value *right)
{
	uint64_t sz_l = damon_range_sz(&left->r.ar), sz_r = damon_range_sz(&right->r.ar);
	unsigned int i;

	left->r.nr_accesses = weighted_mean(left->r.nr_accesses, sz_l, right->r.nr_accesses, sz_r);
	left->r.last_nr_accesses =
		weighted_mean(left->r.last_nr_accesses, sz_l, right->r.last_nr_accesses, sz_r);
	left->r.nr_unknown = weighted_mean(left->r.nr_unknown, sz_l, right->r.nr_unknown, sz_r);
	left->r.age = weighted_mean(left->r.age, sz_l, right->r.age, sz_r);
	left->last_probe_sum =
		weighted_mean(left->last_probe_sum, sz_l, right->last_probe_sum, sz_r);
	for (i = 0; i < DAMON_MAX_PROBES; i++)
		left->r.probe_hits[i] = (uint8_t)weighted_mean(left->r.probe_hits[i], sz_l,
							       right->r.probe_hits[i], sz_r);
	left->r.ar.end = right->r.ar.end;
}

int damon_regions_merge(struct damon_port *port, struct damon_region_table *table,
			const struct damon_merge_rule *rule)
{
	struct damon_region_value left, right;
	size_t i;
	int err;

	if (!table->now.nr)
		return 0;
	err = prepare_spare(port, table, table->now.nr);
	if (err)
		return err;
	damon_columns_load(&table->now, 0, &left);
	for (i = 1; i < table->now.nr; i++) {
		damon_columns_load(&table->now, i, &right);
		if (alike(&left, &right, rule)) {
			join(&left, &right);
			continue;
		}
		damon_columns_append(&table->spare, &left);
		left = right;
	}
	damon_columns_append(&table->spare, &left);
	damon_region_table_swap(table);
	return 0;
}

void damon_regions_reset(struct damon_region_table *table, const struct damon_merge_rule *rule)
{
	struct damon_region_columns *now = &table->now;
	struct damon_region_value value;
	size_t i;

	for (i = 0; i < now->nr; i++) {
		if (rule->probes) {
			damon_columns_load(now, i, &value);
			now->rest[i].last_probe_sum = damon_region_frequency(&value, rule);
		}
		now->rest[i].last_nr_accesses = now->nr_accesses[i];
		now->rest[i].cut = false;
		now->rest[i].nr_unknown = 0;
		memset(now->rest[i].probe_hits, 0, sizeof(now->rest[i].probe_hits));
		now->nr_accesses[i] = 0;
	}
}

/* Cutting. */

/* Appends the first @sz bytes of @value and keeps the rest. Both inherit everything. */
static void emit_front(struct damon_region_columns *columns, struct damon_region_value *value,
		       uint64_t sz)
{
	struct damon_region_value front = *value;

	front.r.ar.end = front.r.ar.start + sz;
	damon_columns_append(columns, &front);
	value->r.ar.start = front.r.ar.end;
}

/* How many regions damon_regions_cut() would leave. */
static size_t count_cut(const struct damon_region_columns *columns, uint64_t limit)
{
	size_t nr = columns->nr, i;

	for (i = 0; i < columns->nr; i++)
		if (damon_range_sz(&columns->ranges[i]) > limit)
			nr += (damon_range_sz(&columns->ranges[i]) - 1) / limit;
	return nr;
}

int damon_regions_cut(struct damon_port *port, struct damon_region_table *table, uint64_t limit)
{
	struct damon_region_value value;
	size_t nr, i;
	int err;

	nr = count_cut(&table->now, limit);
	if (nr == table->now.nr)
		return 0;
	err = prepare_spare(port, table, nr);
	if (err)
		return err;
	for (i = 0; i < table->now.nr; i++) {
		damon_columns_load(&table->now, i, &value);
		while (damon_range_sz(&value.r.ar) > limit)
			emit_front(&table->spare, &value, limit);
		damon_columns_append(&table->spare, &value);
	}
	damon_region_table_swap(table);
	return 0;
}

/* Where to cut a region of @sz bytes: 10..90 % of it, in whole tenths; 0 where there is no place. */
static uint64_t pick_cut(struct damon_rng *rng, uint64_t sz, uint64_t min_region_sz)
{
	uint64_t tenths, at;

	if (sz <= min_region_sz || sz - min_region_sz <= min_region_sz)
		return 0;
	tenths = damon_rng_range(rng, 1, 10);
	at = damon_align_down(sz / 10 * tenths + sz % 10 * tenths / 10, min_region_sz);
	return at < sz ? at : 0;
}

static void split_one(struct damon_region_columns *columns, struct damon_region_value *value,
		      struct damon_rng *rng, unsigned int parts, uint64_t min_region_sz)
{
	uint64_t first = 0, second;

	second = pick_cut(rng, damon_range_sz(&value->r.ar), min_region_sz);
	if (parts > 2 && second)
		first = pick_cut(rng, second, min_region_sz);
	if (first)
		emit_front(columns, value, first);
	if (second)
		emit_front(columns, value, second - first);
	damon_columns_append(columns, value);
}

int damon_regions_split(struct damon_port *port, struct damon_region_table *table,
			struct damon_rng *rng, unsigned int parts, uint64_t step, uint64_t first,
			uint64_t min_region_sz)
{
	struct damon_region_value value;
	size_t nr = table->now.nr, nr_split = 0, i;
	uint64_t next = first;
	int err;

	/* No more than needed: within max_nr_regions there is room since start. */
	if (first < nr)
		nr_split = (size_t)((nr - 1 - first) / step) + 1;
	err = prepare_spare(port, table, nr + nr_split * (parts - 1));
	if (err)
		return err;
	for (i = 0; i < nr; i++) {
		damon_columns_load(&table->now, i, &value);
		if (i == next) {
			next += step;
			split_one(&table->spare, &value, rng, parts, min_region_sz);
		} else {
			damon_columns_append(&table->spare, &value);
		}
	}
	damon_region_table_swap(table);
	return 0;
}

/* Setting the ranges. */

static bool ranges_valid(const struct damon_addr_range *ranges, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		if (ranges[i].start >= ranges[i].end)
			return false;
		if (i && ranges[i].start < ranges[i - 1].end)
			return false;
	}
	return true;
}

/* @range outwards to whole multiples of the smallest size, but not into what lies before @floor. */
static struct damon_addr_range align_range(const struct damon_addr_range *range, uint64_t floor,
					   uint64_t min_region_sz)
{
	struct damon_addr_range aligned = {
		.start = damon_align_down(range->start, min_region_sz),
		.end = damon_align_up(range->end, min_region_sz),
	};

	if (aligned.end < range->end)
		aligned.end = range->end; /* no multiple left below 2^64 */
	if (aligned.start < floor)
		aligned.start = floor;
	return aligned;
}

static void append_fresh(struct damon_region_columns *columns, uint64_t start, uint64_t end)
{
	struct damon_region_value fresh;

	memset(&fresh, 0, sizeof(fresh));
	fresh.r.ar.start = start;
	fresh.r.ar.end = end;
	damon_columns_append(columns, &fresh);
}

/*
 * Covers @range: the regions of @old that reach into it, from number @idx on, trimmed and stretched to its
 * edges; fresh ones in the holes between them.
 */
static void cover(struct damon_region_columns *to, const struct damon_region_columns *old,
		  size_t idx, const struct damon_addr_range *range)
{
	struct damon_region_value value;
	uint64_t done = range->start;
	bool any = false;

	for (; idx < old->nr && old->ranges[idx].start < range->end; idx++) {
		damon_columns_load(old, idx, &value);
		if (!any || value.r.ar.start < done)
			value.r.ar.start = done;
		else if (value.r.ar.start > done)
			append_fresh(to, done, value.r.ar.start);
		damon_columns_append(to, &value);
		done = value.r.ar.end;
		any = true;
	}
	if (!any)
		append_fresh(to, range->start, range->end);
	else
		to->ranges[to->nr - 1].end = range->end;
}

int damon_regions_build(struct damon_port *port, struct damon_region_table *table,
			const struct damon_addr_range *ranges, size_t nr, uint64_t min_region_sz)
{
	const struct damon_region_columns *old = &table->now;
	struct damon_addr_range range;
	uint64_t floor = 0;
	size_t idx = 0, i;
	int err;

	if (!min_region_sz || (min_region_sz & (min_region_sz - 1)) || !ranges_valid(ranges, nr))
		return -EINVAL;
	if (table->in_pass)
		return -EBUSY;
	/* A region may be kept once in each range it reaches into, and have a hole before it. */
	if (old->nr > SIZE_MAX / 4 || nr > SIZE_MAX / 8)
		return -ENOMEM;
	err = prepare_spare(port, table, 2 * (old->nr + nr) + 1);
	if (err)
		return err;
	for (i = 0; i < nr; i++) {
		range = align_range(&ranges[i], floor, min_region_sz);
		if (range.start >= range.end)
			continue; /* shares its only unit with the range before */
		while (idx < old->nr && old->ranges[idx].end <= range.start)
			idx++;
		cover(&table->spare, old, idx, &range);
		floor = range.end;
	}
	return 0;
}
