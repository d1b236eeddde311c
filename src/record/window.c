// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* From a context's window callback into a record. */
#include <errno.h>
#include <stdlib.h>

#include "record/record.h"
#include "record/writer.h"

static size_t nr_all_regions(const struct damon_ctx *ctx)
{
	size_t nr = 0;

	for (uint32_t t = 0; t < ctx->nr_targets; t++)
		nr += damon_nr_regions(ctx->targets[t]);
	return nr;
}

/* Means of merged regions are rounded each by itself, so a count may seem to exceed what is known. */
static struct record_region to_row(const struct damon_target *target,
				   const struct damon_region *region, uint32_t nr_samples)
{
	uint32_t known = region->nr_unknown < nr_samples ? nr_samples - region->nr_unknown : 0;

	return (struct record_region){
		.target = target->id,
		.start = region->ar.start,
		.end = region->ar.end,
		.nr_accesses = region->nr_accesses < known ? region->nr_accesses : known,
		.age = region->age,
		.samples = known,
	};
}

static size_t copy_regions(const struct damon_ctx *ctx, uint32_t nr_samples,
			   struct record_region *to)
{
	struct damon_region region;
	size_t nr = 0;

	for (uint32_t t = 0; t < ctx->nr_targets; t++) {
		const struct damon_target *target = ctx->targets[t];
		size_t nr_regions = damon_nr_regions(target);

		for (size_t i = 0; i < nr_regions; i++) {
			damon_get_region(ctx, target, i, &region);
			to[nr++] = to_row(target, &region, nr_samples);
		}
	}
	return nr;
}

/* Totals of all schemes of the context; without any, what record_set_scheme_stats() said stands. */
static int note_schemes(struct record *rec, const struct damon_ctx *ctx)
{
	struct record_scheme_stat *stats;
	int err;

	if (!ctx->nr_schemes)
		return 0;
	stats = calloc(ctx->nr_schemes, sizeof(*stats));
	if (!stats)
		return -ENOMEM;
	for (uint32_t i = 0; i < ctx->nr_schemes; i++) {
		const struct damos_stat *stat = &ctx->schemes[i]->stat;

		stats[i] = (struct record_scheme_stat){
			.scheme = i,
			.nr_tried = stat->nr_tried,
			.sz_tried = stat->sz_tried,
			.nr_applied = stat->nr_applied,
			.sz_applied = stat->sz_applied,
			.sz_ops_filter_passed = stat->sz_ops_filter_passed,
			.qt_exceeds = stat->qt_exceeds,
			.nr_snapshots = stat->nr_snapshots,
			.esz = ctx->schemes[i]->quota.esz,
		};
	}
	err = record_set_scheme_stats(rec, stats, ctx->nr_schemes);
	free(stats);
	return err;
}

int record_window(struct record *rec, const struct damon_ctx *ctx,
		  const struct damon_window *window)
{
	struct record_region *regions = record_regions(rec, nr_all_regions(ctx));
	size_t nr;

	if (!regions || note_schemes(rec, ctx))
		return record_lose_window(rec, -ENOMEM);
	nr = copy_regions(ctx, window->nr_samples, regions);
	return record_add_window(rec, window, regions, nr);
}
