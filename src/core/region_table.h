/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Where a target's regions lie in memory: sorted columns, swept from front to end.
 *
 * What a sampling interval touches (addresses, samples, counts) is kept apart from what only
 * a window's end needs, because with a million regions the memory traffic is the cost. A
 * pass reads regions from one set of columns, appends to the other, and the two change places.
 *
 * A region outside this file is a struct damon_region value, whose nr_accesses and
 * last_nr_accesses are here in *counting units* (&damon_ctx.access_unit a full interval).
 */
#ifndef UDAMON_CORE_REGION_TABLE_H
#define UDAMON_CORE_REGION_TABLE_H

#include <string.h>

#include <udamon/damon.h>

/* What a region carries besides its addresses and its count. */
struct damon_region_rest {
	uint32_t last_nr_accesses;
	uint32_t nr_unknown;
	uint32_t age;
	uint32_t last_probe_sum; /* weighted sum of hits in the window before */
	uint8_t probe_hits[DAMON_MAX_PROBES];
	bool cut; /* in this window a scheme pass cut it off the region before it */
};

struct damon_region_columns {
	size_t nr;
	size_t capacity;
	struct damon_addr_range *ranges;
	uint32_t *nr_accesses;
	struct damon_region_rest *rest;
};

struct damon_region_table {
	struct damon_region_columns now;   /* the regions */
	struct damon_region_columns spare; /* what a pass appends to */
	/* One entry a region, filled anew in each sampling interval. */
	size_t sampling_capacity;
	uint64_t *sampling_addrs;
	uint32_t *access;
	uint8_t *hit;
	bool changed; /* since the samples were picked */
	bool in_pass; /* a scheme pass writes the spare columns: the ranges can't be set */
};

/* A region value that also carries what passes need and nobody else sees. */
struct damon_region_value {
	struct damon_region r; /* counts in counting units */
	uint32_t last_probe_sum;
	bool cut; /* only scheme passes carry it on */
};

static inline void damon_columns_load(const struct damon_region_columns *columns, size_t idx,
				      struct damon_region_value *value)
{
	const struct damon_region_rest *rest = &columns->rest[idx];

	value->r.ar = columns->ranges[idx];
	value->r.nr_accesses = columns->nr_accesses[idx];
	value->r.last_nr_accesses = rest->last_nr_accesses;
	value->r.nr_unknown = rest->nr_unknown;
	value->r.age = rest->age;
	memcpy(value->r.probe_hits, rest->probe_hits, sizeof(rest->probe_hits));
	value->last_probe_sum = rest->last_probe_sum;
}

/* The caller made sure that there is room. */
static inline void damon_columns_append(struct damon_region_columns *columns,
					const struct damon_region_value *value)
{
	struct damon_region_rest *rest = &columns->rest[columns->nr];

	columns->ranges[columns->nr] = value->r.ar;
	columns->nr_accesses[columns->nr] = value->r.nr_accesses;
	rest->last_nr_accesses = value->r.last_nr_accesses;
	rest->nr_unknown = value->r.nr_unknown;
	rest->age = value->r.age;
	memcpy(rest->probe_hits, value->r.probe_hits, sizeof(rest->probe_hits));
	rest->last_probe_sum = value->last_probe_sum;
	rest->cut = false;
	columns->nr++;
}

struct damon_region_table *damon_region_table_new(struct damon_port *port);
void damon_region_table_free(struct damon_port *port, struct damon_region_table *table);

/*
 * Room for @capacity regions in both sets of columns. 0, or -ENOMEM with the regions as they
 * were. What the spare columns held is lost.
 */
int damon_region_table_reserve(struct damon_port *port, struct damon_region_table *table,
			       size_t capacity);

/* Ends a pass: what was appended becomes the regions. */
void damon_region_table_swap(struct damon_region_table *table);

/* The same, but where all addresses are what they were nothing happens: no sample becomes void. */
void damon_region_table_swap_ranges(struct damon_region_table *table);

/* Sum of the regions' sizes, saturating. */
uint64_t damon_region_table_bytes(const struct damon_region_table *table);

#endif
