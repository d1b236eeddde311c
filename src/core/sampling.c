// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * One sampling interval: pick an address in each region, have it made old, ask what was
 * touched, count. Nothing is allocated here.
 */
#include <errno.h>

#include "core/attrs.h"
#include "core/region.h"
#include "core/sampling.h"

bool damon_probes_weighted(const struct damon_ctx *ctx)
{
	uint32_t i;

	for (i = 0; i < ctx->nr_probes; i++)
		if (ctx->probes[i].weight)
			return true;
	return false;
}

int damon_check_probes(const struct damon_operations *ops, const struct damon_attrs *attrs,
		       const struct damon_probe *probes, uint32_t nr)
{
	uint64_t samples = damon_nr_samples_per_aggr(attrs), weights = 0;
	uint32_t i;

	if (!nr)
		return 0;
	if (nr > DAMON_MAX_PROBES)
		return -EINVAL;
	for (i = 0; i < nr; i++) {
		if (probes[i].nr_filters > DAMON_MAX_PROBE_FILTERS)
			return -EINVAL;
		weights += probes[i].weight;
	}
	/* With weights the hits stand in for accesses, so none may be lost. */
	if (weights && (samples > UINT8_MAX || weights * samples > UINT32_MAX))
		return -EINVAL;
	return ops && !ops->check_probe ? -EOPNOTSUPP : 0;
}

/* Uniform over the bytes of each region. */
static void pick_samples(struct damon_rng *rng, struct damon_region_table *table)
{
	const struct damon_addr_range *ranges = table->now.ranges;
	struct damon_rng local = *rng;
	size_t nr = table->now.nr, i;

	for (i = 0; i < nr; i++)
		table->sampling_addrs[i] = damon_rng_range(&local, ranges[i].start, ranges[i].end);
	*rng = local;
}

static struct damon_batch batch_of(struct damon_region_table *table)
{
	return (struct damon_batch){
		.nr = table->now.nr,
		.ranges = table->now.ranges,
		.sampling_addrs = table->sampling_addrs,
	};
}

int damon_monitor_prepare(struct damon_ctx *ctx)
{
	bool weighted = damon_probes_weighted(ctx);
	uint32_t i;
	int err;

	ctx->internal->changed = false;
	ctx->internal->interval_us = damon_next_interval_us(ctx);
	for (i = 0; i < ctx->nr_targets; i++) {
		struct damon_target *target = ctx->targets[i];
		struct damon_batch batch;

		target->regions->changed = false;
		if (!target->regions->now.nr)
			continue;
		pick_samples(&ctx->internal->rng, target->regions);
		if (weighted)
			continue;
		batch = batch_of(target->regions);
		err = ctx->ops->prepare_access_checks(ctx, target, &batch);
		if (err)
			return err;
	}
	return 0;
}

bool damon_monitor_samples_dropped(struct damon_ctx *ctx)
{
	bool changed = ctx->internal->changed;
	uint32_t i;

	ctx->internal->changed = false;
	for (i = 0; i < ctx->nr_targets; i++) {
		changed |= ctx->targets[i]->regions->changed;
		ctx->targets[i]->regions->changed = false;
	}
	return changed;
}

/* Adds what check_accesses() said. Returns the largest count. */
static uint32_t count_accesses(struct damon_region_table *table)
{
	uint32_t *nr_accesses = table->now.nr_accesses;
	const uint32_t *access = table->access;
	uint32_t largest = 0;
	size_t i;

	for (i = 0; i < table->now.nr; i++) {
		uint32_t sum;

		if (access[i] == DAMON_ACCESS_UNKNOWN) {
			table->now.rest[i].nr_unknown =
				damon_add_u32(table->now.rest[i].nr_unknown, 1);
			continue;
		}
		sum = nr_accesses[i] + access[i];
		if (sum < access[i])
			sum = UINT32_MAX;
		nr_accesses[i] = sum;
		if (sum > largest)
			largest = sum;
	}
	return largest;
}

static int check_target(struct damon_ctx *ctx, struct damon_target *target)
{
	struct damon_region_table *table = target->regions;
	struct damon_batch batch = batch_of(table);
	uint32_t largest;
	int err;

	batch.access = table->access;
	err = ctx->ops->check_accesses(ctx, target, &batch);
	if (err)
		return err;
	largest = count_accesses(table);
	if (largest > ctx->internal->max_access)
		ctx->internal->max_access = largest;
	return 0;
}

static int check_probes(struct damon_ctx *ctx, struct damon_target *target)
{
	struct damon_region_table *table = target->regions;
	struct damon_batch batch = batch_of(table);
	uint32_t probe;
	size_t i;
	int err;

	for (probe = 0; probe < ctx->nr_probes; probe++) {
		err = ctx->ops->check_probe(ctx, target, &ctx->probes[probe], &batch, table->hit);
		if (err)
			return err;
		for (i = 0; i < table->now.nr; i++) {
			uint8_t *hits = &table->now.rest[i].probe_hits[probe];

			if (table->hit[i] && *hits < UINT8_MAX)
				(*hits)++;
		}
	}
	return 0;
}

int damon_monitor_check(struct damon_ctx *ctx)
{
	bool weighted = damon_probes_weighted(ctx);
	uint32_t i;
	int err;

	for (i = 0; i < ctx->nr_targets; i++) {
		struct damon_target *target = ctx->targets[i];

		if (!target->regions->now.nr)
			continue;
		err = weighted ? 0 : check_target(ctx, target);
		if (!err && ctx->nr_probes)
			err = check_probes(ctx, target);
		if (err)
			return err;
	}
	ctx->internal->passed_sis++;
	ctx->internal->window_samples = damon_add_u32(ctx->internal->window_samples, 1);
	if (__builtin_add_overflow(ctx->internal->window_us, ctx->internal->interval_us,
				   &ctx->internal->window_us))
		ctx->internal->window_us = UINT64_MAX;
	return 0;
}
