// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A window's end: age and merge the regions, publish them, start anew, split.
 */
#include <errno.h>

#include "core/attrs.h"
#include "core/region.h"
#include "core/sampling.h"
#include "core/trace.h"

bool damon_monitor_window_due(const struct damon_ctx *ctx)
{
	return ctx->internal->passed_sis >= ctx->internal->next_aggr_sis;
}

static size_t total_regions(const struct damon_ctx *ctx)
{
	size_t nr = 0;
	uint32_t i;

	for (i = 0; i < ctx->nr_targets; i++)
		nr += ctx->targets[i]->regions->now.nr;
	return nr;
}

/* There was no memory for a pass: the regions stay as they were until the next window's end. */
static void left_out(struct damon_ctx *ctx)
{
	ctx->internal->failed_passes++;
	damon_report_event(ctx, NULL, "memory", "regions were not adapted for lack of memory");
}

/* The size a region may have, so that there are about min_nr_regions at least. */
uint64_t damon_size_limit(const struct damon_ctx *ctx)
{
	uint64_t unit = ctx->attrs.min_region_sz, total = 0, limit, bytes;
	uint32_t i;

	for (i = 0; i < ctx->nr_targets; i++) {
		bytes = damon_region_table_bytes(ctx->targets[i]->regions);
		if (__builtin_add_overflow(total, bytes, &total))
			total = UINT64_MAX;
	}
	limit = total / ctx->attrs.min_nr_regions;
	return damon_align_up(limit < unit ? unit : limit, unit);
}

void damon_monitor_limit_size(struct damon_ctx *ctx)
{
	uint64_t limit = damon_size_limit(ctx);
	uint32_t i;

	for (i = 0; i < ctx->nr_targets; i++)
		if (damon_regions_cut(damon_ctx_port(ctx), ctx->targets[i]->regions, limit))
			left_out(ctx);
}

static uint32_t largest_frequency(const struct damon_ctx *ctx, const struct damon_merge_rule *rule)
{
	struct damon_region_value value;
	uint32_t largest = 0, frequency, i;
	size_t idx;

	if (!rule->probes)
		return ctx->internal->max_access;
	for (i = 0; i < ctx->nr_targets; i++) {
		const struct damon_region_columns *now = &ctx->targets[i]->regions->now;

		for (idx = 0; idx < now->nr; idx++) {
			damon_columns_load(now, idx, &value);
			frequency = damon_region_frequency(&value, rule);
			if (frequency > largest)
				largest = frequency;
		}
	}
	return largest;
}

uint32_t damon_possible_frequency(const struct damon_ctx *ctx, const struct damon_merge_rule *rule)
{
	uint64_t unit = ctx->access_unit, samples = damon_nr_samples_per_aggr(&ctx->attrs), most;
	uint32_t i;

	if (rule->probes) {
		for (unit = 0, i = 0; i < rule->nr_probes; i++)
			unit += rule->probes[i].weight;
	}
	if (__builtin_mul_overflow(unit, samples, &most) || most > UINT32_MAX)
		most = UINT32_MAX;
	return (uint32_t)most;
}

struct damon_merge_rule damon_compare_rule(const struct damon_ctx *ctx)
{
	bool weighted = damon_probes_weighted(ctx);

	return (struct damon_merge_rule){
		.probes = weighted ? ctx->probes : NULL,
		.nr_probes = weighted ? ctx->nr_probes : 0,
	};
}

static void merge_targets(struct damon_ctx *ctx, const struct damon_merge_rule *rule)
{
	uint32_t i;

	for (i = 0; i < ctx->nr_targets; i++)
		if (damon_regions_merge(damon_ctx_port(ctx), ctx->targets[i]->regions, rule))
			left_out(ctx);
}

/*
 * Memory that can't be watched must not blur into idle memory beside it, so regions also have to
 * agree in how often the answer was "unknown". That tolerance starts at a tenth of the window,
 * and once there are too many regions isn't narrower than the one for the frequency: a
 * bounded number of regions goes before a sharp border.
 */
static void widen(const struct damon_ctx *ctx, struct damon_merge_rule *rule)
{
	uint32_t samples;

	rule->threshold = rule->threshold ? damon_add_u32(rule->threshold, rule->threshold) : 1;
	samples = rule->probes ? rule->threshold : rule->threshold / ctx->access_unit;
	if (rule->unknown_threshold < samples)
		rule->unknown_threshold = samples;
}

void damon_monitor_merge(struct damon_ctx *ctx)
{
	struct damon_merge_rule rule = damon_compare_rule(ctx);
	uint32_t possible, done, i;

	rule.threshold = largest_frequency(ctx, &rule) / 10;
	rule.unknown_threshold = ctx->internal->window_samples / 10;
	rule.sz_limit = damon_size_limit(ctx);
	possible = damon_possible_frequency(ctx, &rule);

	for (i = 0; i < ctx->nr_targets; i++)
		damon_regions_age(ctx->targets[i]->regions, &rule);
	do {
		merge_targets(ctx, &rule);
		done = rule.threshold;
		widen(ctx, &rule);
	} while (total_regions(ctx) > ctx->attrs.max_nr_regions && done < possible);
	damon_monitor_limit_size(ctx);
	ctx->internal->window_complete = true;
}

/* How the regions of all targets are split before the next window. */
static void split_targets(struct damon_ctx *ctx)
{
	struct damon_ctx_internal *internal = ctx->internal;
	uint64_t nr = total_regions(ctx), max = ctx->attrs.max_nr_regions;
	uint64_t step = 1, offset = 0, before = 0;
	unsigned int parts = 2;
	uint32_t i;

	if (nr < max) {
		if (nr > max / 2) {
			step = max / (max - nr);
			offset = internal->split_offset++ % step;
		} else if (nr == internal->last_nr_regions && nr < max / 3) {
			parts = 3;
		}
		for (i = 0; i < ctx->nr_targets; i++) {
			struct damon_region_table *table = ctx->targets[i]->regions;
			uint64_t in_target = table->now.nr;

			if (damon_regions_split(damon_ctx_port(ctx), table, &internal->rng, parts,
						step, (offset + step - before % step) % step,
						ctx->attrs.min_region_sz))
				left_out(ctx);
			before += in_target;
		}
	}
	internal->last_nr_regions = nr;
}

static void cost_now(struct damon_ctx *ctx, struct damon_cost *cost)
{
	struct damon_port *port = damon_ctx_port(ctx);

	*cost = (struct damon_cost){0};
	if (ctx->ops->cost)
		ctx->ops->cost(ctx, cost);
	cost->cpu_ns = port->thread_cpu_ns(port) - ctx->internal->cpu_start_ns;
}

/*
 * Comes before the intervals are tuned: counts and ages are then in terms of the intervals that
 * the window names.
 */
static int publish(struct damon_ctx *ctx)
{
	struct damon_port *port = damon_ctx_port(ctx);
	struct damon_window window = {
		.t_start_ns = ctx->internal->window_start_ns,
		.t_end_ns = port->now_ns(port),
		.nr_samples = ctx->internal->window_samples,
	};

	damon_trace_window(ctx);
	if (!ctx->callbacks.window)
		return 0;
	damon_intervals_in_force(ctx, &window.sample_us, &window.aggr_us);
	if (ctx->internal->next_floor_us > ctx->attrs.sample_interval)
		window.floor_us = ctx->internal->next_floor_us;
	cost_now(ctx, &window.cost);
	return ctx->callbacks.window(ctx, &window, ctx->callbacks.data);
}

void damon_monitor_start_window(struct damon_ctx *ctx)
{
	struct damon_ctx_internal *internal = ctx->internal;

	internal->next_aggr_sis = internal->passed_sis + damon_nr_samples_per_aggr(&ctx->attrs);
	internal->window_start_ns = damon_ctx_port(ctx)->now_ns(damon_ctx_port(ctx));
	internal->window_samples = 0;
	internal->window_us = 0;
	internal->window_complete = false;
	internal->max_access = 0;
}

int damon_monitor_window_end(struct damon_ctx *ctx)
{
	struct damon_merge_rule rule;
	uint32_t i;
	int err;

	if (ctx->ops->window_ended)
		ctx->ops->window_ended(ctx);
	damon_floor_settle(ctx);
	err = publish(ctx);
	damon_tune_intervals(ctx);
	rule = damon_compare_rule(ctx);
	for (i = 0; i < ctx->nr_targets; i++)
		damon_regions_reset(ctx->targets[i]->regions, &rule);
	damon_monitor_start_window(ctx);
	split_targets(ctx);
	return err;
}

void damon_monitor_skip_time(struct damon_ctx *ctx, uint64_t ns)
{
	struct damon_ctx_internal *internal = ctx->internal;
	uint64_t now_ns = damon_ctx_port(ctx)->now_ns(damon_ctx_port(ctx));

	internal->window_start_ns += ns;
	/* A commit meanwhile had it begin anew: then it begins now. */
	if (internal->window_start_ns > now_ns)
		internal->window_start_ns = now_ns;
}

uint32_t damon_moving_sum(const struct damon_ctx *ctx, const struct damon_region *region)
{
	const struct damon_ctx_internal *internal = ctx->internal;
	uint64_t samples = damon_nr_samples_per_aggr(&ctx->attrs), left = 0, past;

	if (internal->next_aggr_sis > internal->passed_sis)
		left = internal->next_aggr_sis - internal->passed_sis;
	if (left > samples)
		left = samples;
	/* Neither has more than 32 bits. */
	past = left ? region->last_nr_accesses * left / samples : 0;
	return damon_add_u32(region->nr_accesses, (uint32_t)past);
}
