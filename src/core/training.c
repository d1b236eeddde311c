// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What a context has learned, taken out of it as plain data and given to another one.
 *
 * Fitting builds each target's new regions in a table of its own; only when all are there do the
 * tables change places, which can't fail.
 */
#include <errno.h>
#include <string.h>

#include "core/attrs.h"
#include "core/region.h"
#include "core/sampling.h"

int damon_training_new(struct damon_training **training, struct damon_lib *lib, uint32_t nr_targets,
		       const size_t *nr_regions)
{
	const size_t head = sizeof(struct damon_training);
	struct damon_training_region *regions;
	struct damon_training *new;
	size_t size, total = 0;
	uint32_t i;

	for (i = 0; i < nr_targets; i++)
		if (__builtin_add_overflow(total, nr_regions[i], &total))
			return -ENOMEM;
	if (__builtin_mul_overflow(total, sizeof(*regions), &size) ||
	    __builtin_add_overflow(size, head + nr_targets * sizeof(*new->targets), &size))
		return -ENOMEM;
	new = lib->port->alloc(lib->port, size);
	if (!new)
		return -ENOMEM;
	new->lib = lib;
	new->nr_targets = nr_targets;
	new->targets = (struct damon_training_target *)(new + 1);
	regions = (struct damon_training_region *)(new->targets + nr_targets);
	for (i = 0; i < nr_targets; i++) {
		new->targets[i].nr_regions = nr_regions[i];
		new->targets[i].regions = regions;
		regions += nr_regions[i];
	}
	*training = new;
	return 0;
}

void damon_training_free(struct damon_training *training)
{
	if (training)
		training->lib->port->free(training->lib->port, training);
}

/* Taking. */

static void take_target(const struct damon_ctx *ctx, const struct damon_target *target,
			const struct damon_merge_rule *rule, struct damon_training_target *to)
{
	/* Merged and not yet counted anew, the present window is the last complete one. */
	bool complete = ctx->internal->window_complete;
	uint64_t aggr_us = damon_aggr_us(ctx);
	bool rescaled = ctx->attrs.aggr_interval && aggr_us != ctx->attrs.aggr_interval;
	struct damon_region_value value;
	size_t i;

	to->pid = target->pid;
	for (i = 0; i < to->nr_regions; i++) {
		damon_columns_load(&target->regions->now, i, &value);
		to->regions[i] = (struct damon_training_region){
			.ar = value.r.ar,
			.nr_accesses = complete ? value.r.nr_accesses : value.r.last_nr_accesses,
			.nr_unknown = value.r.nr_unknown,
			/* In windows as long as the attributes say, which go with them. */
			.age = rescaled ? damon_rescale_age(value.r.age, aggr_us,
							    ctx->attrs.aggr_interval)
					: value.r.age,
			.probe_sum = value.last_probe_sum,
		};
		if (complete && rule->probes)
			to->regions[i].probe_sum = damon_region_frequency(&value, rule);
	}
}

int damon_training_take(struct damon_training **training, struct damon_ctx *ctx)
{
	struct damon_merge_rule rule = damon_compare_rule(ctx);
	struct damon_port *port = damon_ctx_port(ctx);
	struct damon_training *new;
	size_t *nr_regions;
	uint32_t i;
	int err;

	if (!damon_kdamond_may_change(ctx))
		return -EBUSY;
	if (!ctx->ops)
		return -EINVAL;
	nr_regions = port->alloc(port, (ctx->nr_targets + 1) * sizeof(*nr_regions));
	if (!nr_regions)
		return -ENOMEM;
	for (i = 0; i < ctx->nr_targets; i++)
		nr_regions[i] = ctx->targets[i]->regions->now.nr;
	err = damon_training_new(&new, ctx->lib, ctx->nr_targets, nr_regions);
	port->free(port, nr_regions);
	if (err)
		return err;
	new->ops_id = ctx->ops->id;
	new->access_unit = ctx->access_unit;
	new->attrs = ctx->attrs;
	new->nr_probes = ctx->nr_probes;
	for (i = 0; i < ctx->nr_probes; i++)
		new->probe_weights[i] = ctx->probes[i].weight;
	new->last_nr_regions = ctx->internal->last_nr_regions;
	new->split_offset = ctx->internal->split_offset;
	for (i = 0; i < ctx->nr_targets; i++)
		take_target(ctx, ctx->targets[i], &rule, &new->targets[i]);
	*training = new;
	return 0;
}

/* Applying. */

static bool regions_valid(const struct damon_training_target *target)
{
	const struct damon_training_region *regions = target->regions;
	size_t i;

	for (i = 0; i < target->nr_regions; i++) {
		if (regions[i].ar.start >= regions[i].ar.end)
			return false;
		if (i && regions[i].ar.start < regions[i - 1].ar.end)
			return false;
	}
	return true;
}

int damon_training_apply(struct damon_ctx *ctx, struct damon_training *training)
{
	uint32_t i;

	if (damon_is_running(ctx))
		return -EBUSY;
	if (training) {
		if (training->lib != ctx->lib || !training->access_unit ||
		    training->nr_probes > DAMON_MAX_PROBES || damon_check_attrs(&training->attrs))
			return -EINVAL;
		for (i = 0; i < training->nr_targets; i++)
			if (!regions_valid(&training->targets[i]))
				return -EINVAL;
	}
	if (training != ctx->internal->training)
		damon_training_free(ctx->internal->training);
	ctx->internal->training = training;
	return 0;
}

/* Weighted hits stand in for accesses, so other weights made other counts. */
static bool same_probes(const struct damon_ctx *ctx, const struct damon_training *training)
{
	bool weighted = damon_probes_weighted(ctx), was_weighted = false;
	uint32_t i;

	for (i = 0; i < training->nr_probes; i++)
		was_weighted |= training->probe_weights[i] != 0;
	if (!weighted && !was_weighted)
		return true;
	if (ctx->nr_probes != training->nr_probes)
		return false;
	for (i = 0; i < ctx->nr_probes; i++)
		if (ctx->probes[i].weight != training->probe_weights[i])
			return false;
	return true;
}

/* The intervals to go on with. */
static void learned_intervals(struct damon_attrs *attrs, const struct damon_attrs *learned)
{
	const struct damon_intervals_goal *goal = &attrs->intervals_goal;
	uint64_t samples = damon_nr_samples_per_aggr(attrs), sample_us = learned->sample_interval;

	if (!goal->aggrs || !learned->intervals_goal.aggrs)
		return;
	if (sample_us < goal->min_sample_us)
		sample_us = goal->min_sample_us;
	if (sample_us > goal->max_sample_us)
		sample_us = goal->max_sample_us;
	attrs->sample_interval = sample_us ? sample_us : 1;
	if (__builtin_mul_overflow(attrs->sample_interval, samples, &attrs->aggr_interval))
		attrs->aggr_interval = UINT64_MAX;
}

/* The addresses that @table covers, neighbours joined. Returns how many. */
static size_t covered_ranges(const struct damon_region_table *table,
			     struct damon_addr_range *ranges)
{
	size_t i, nr = 0;

	for (i = 0; i < table->now.nr; i++) {
		if (nr && ranges[nr - 1].end == table->now.ranges[i].start)
			ranges[nr - 1].end = table->now.ranges[i].end;
		else
			ranges[nr++] = table->now.ranges[i];
	}
	return nr;
}

/* Whether at least half of the learned bytes lie in @ranges. Both are sorted. */
static bool layout_fits(const struct damon_training_target *learned,
			const struct damon_addr_range *ranges, size_t nr)
{
	/* Neither sum exceeds 2^64 - 1: the regions don't overlap. */
	uint64_t bytes = 0, inside = 0, start, end;
	size_t i, j = 0;

	for (i = 0; i < learned->nr_regions; i++) {
		const struct damon_addr_range *ar = &learned->regions[i].ar;
		size_t k;

		bytes += damon_range_sz(ar);
		while (j < nr && ranges[j].end <= ar->start)
			j++;
		for (k = j; k < nr && ranges[k].start < ar->end; k++) {
			start = ranges[k].start > ar->start ? ranges[k].start : ar->start;
			end = ranges[k].end < ar->end ? ranges[k].end : ar->end;
			inside += end - start;
		}
	}
	return inside >= bytes - inside;
}

static uint32_t convert_unit(uint32_t count, uint32_t from, uint32_t to)
{
	uint64_t units = (uint64_t)count * to;

	if (from == to)
		return count;
	/* Rounded up: what was touched stays touched. */
	units = units / from + (units % from != 0);
	return units > UINT32_MAX ? UINT32_MAX : (uint32_t)units;
}

/* Fills @table, in terms of @attrs; there is room. */
static void put_learned(const struct damon_ctx *ctx, const struct damon_training *training,
			const struct damon_training_target *learned,
			const struct damon_attrs *attrs, struct damon_region_table *table)
{
	uint64_t old_samples = damon_nr_samples_per_aggr(&training->attrs);
	uint64_t new_samples = damon_nr_samples_per_aggr(attrs);
	uint64_t old_aggr = training->attrs.aggr_interval, new_aggr = attrs->aggr_interval;
	size_t i;

	for (i = 0; i < learned->nr_regions; i++) {
		const struct damon_training_region *region = &learned->regions[i];
		uint32_t count =
			convert_unit(region->nr_accesses, training->access_unit, ctx->access_unit);
		struct damon_region_value value = {
			.r.ar = region->ar,
			.r.last_nr_accesses = damon_rescale_count(count, old_samples, new_samples),
			.r.age = region->age,
			.last_probe_sum =
				damon_rescale_count(region->probe_sum, old_samples, new_samples),
		};

		if (old_aggr && new_aggr)
			value.r.age = damon_rescale_age(region->age, old_aggr, new_aggr);
		damon_columns_append(&table->now, &value);
	}
}

/* What @target's regions become, in *@fitted. */
static int fit_target(struct damon_ctx *ctx, const struct damon_target *target,
		      const struct damon_training_target *learned, const struct damon_attrs *attrs,
		      struct damon_target **fitted)
{
	const struct damon_training *training = ctx->internal->training;
	struct damon_port *port = damon_ctx_port(ctx);
	struct damon_addr_range *ranges;
	struct damon_target *new = NULL;
	size_t nr;
	int err;

	if (target->regions->now.nr > SIZE_MAX / sizeof(*ranges) - 1)
		return -ENOMEM;
	ranges = port->alloc(port, (target->regions->now.nr + 1) * sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	nr = covered_ranges(target->regions, ranges);
	err = layout_fits(learned, ranges, nr) ? damon_new_target(&new, ctx->lib) : -ESTALE;
	if (!err)
		err = damon_region_table_reserve(port, new->regions, learned->nr_regions);
	if (!err) {
		put_learned(ctx, training, learned, attrs, new->regions);
		err = damon_regions_build(port, new->regions, ranges, nr, attrs->min_region_sz);
	}
	if (!err) {
		damon_region_table_swap(new->regions);
		err = damon_reserve_regions(port, new, attrs);
	}
	port->free(port, ranges);
	if (err)
		damon_free_target(new);
	else
		*fitted = new;
	return err;
}

static int check_training(const struct damon_ctx *ctx, const struct damon_training *training,
			  const struct damon_attrs *attrs)
{
	int err;

	if (training->nr_targets != ctx->nr_targets || training->ops_id != ctx->ops->id ||
	    training->attrs.addr_unit != attrs->addr_unit || !same_probes(ctx, training))
		return -ESTALE;
	/* Borders between learned regions must be multiples of the smallest size. */
	if (training->attrs.min_region_sz < attrs->min_region_sz)
		return -EINVAL;
	err = damon_check_attrs(attrs);
	return err ? err : damon_check_probes(ctx->ops, attrs, ctx->probes, ctx->nr_probes);
}

int damon_training_fit(struct damon_ctx *ctx)
{
	struct damon_training *training = ctx->internal->training;
	struct damon_port *port = damon_ctx_port(ctx);
	struct damon_attrs attrs = ctx->attrs;
	struct damon_region_table *table;
	struct damon_target **fitted;
	uint32_t i;
	int err;

	if (!training)
		return 0;
	learned_intervals(&attrs, &training->attrs);
	err = check_training(ctx, training, &attrs);
	if (err)
		return err;
	fitted = port->alloc(port, (ctx->nr_targets + 1) * sizeof(struct damon_target *));
	if (!fitted)
		return -ENOMEM;
	for (i = 0; i < ctx->nr_targets && !err; i++)
		if (training->targets[i].nr_regions)
			err = fit_target(ctx, ctx->targets[i], &training->targets[i], &attrs,
					 &fitted[i]);
	/* First, because it rescales what the targets have; what replaces that is in its terms already. */
	if (!err)
		damon_apply_attrs(ctx, &attrs);
	for (i = 0; i < ctx->nr_targets; i++) {
		if (!err && fitted[i]) {
			table = ctx->targets[i]->regions;
			ctx->targets[i]->regions = fitted[i]->regions;
			fitted[i]->regions = table;
		}
		damon_free_target(fitted[i]);
	}
	port->free(port, fitted);
	if (err)
		return err;
	ctx->internal->last_nr_regions = training->last_nr_regions;
	ctx->internal->split_offset = training->split_offset;
	ctx->internal->training = NULL;
	damon_training_free(training);
	return 0;
}
