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

int record_window(struct record *rec, const struct damon_ctx *ctx,
		  const struct damon_window *window)
{
	struct record_region *regions = record_regions(rec, nr_all_regions(ctx));
	size_t nr;

	if (!regions)
		return record_lose_window(rec, -ENOMEM);
	nr = copy_regions(ctx, window->nr_samples, regions);
	return record_add_window(rec, window, regions, nr);
}
