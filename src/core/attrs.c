// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Attributes: their checks, changing them without losing what was learned, and tuning the
 * intervals towards a share of observed accesses.
 */
#include <errno.h>
#include <string.h>

#include "core/attrs.h"
#include "core/sampling.h"
#include "core/trace.h"

#define BASIS_POINTS 10000

void damon_default_attrs(struct damon_attrs *attrs)
{
	*attrs = (struct damon_attrs){
		.sample_interval = 5000,
		.aggr_interval = 100000,
		.ops_update_interval = 60000000,
		.min_nr_regions = 10,
		.max_nr_regions = 1000,
		.min_region_sz = 4096,
		.addr_unit = 1,
	};
}

int damon_check_attrs(const struct damon_attrs *attrs)
{
	const struct damon_intervals_goal *goal = &attrs->intervals_goal;

	if (attrs->sample_interval > attrs->aggr_interval)
		return -EINVAL;
	if (attrs->min_nr_regions < 3 || attrs->min_nr_regions > attrs->max_nr_regions)
		return -EINVAL;
	if (!attrs->min_region_sz || (attrs->min_region_sz & (attrs->min_region_sz - 1)))
		return -EINVAL;
	if (!attrs->addr_unit)
		return -EINVAL;
	if (goal->aggrs && (attrs->sample_interval < goal->min_sample_us ||
			    attrs->sample_interval > goal->max_sample_us))
		return -EINVAL;
	return 0;
}

uint64_t damon_nr_samples_per_aggr(const struct damon_attrs *attrs)
{
	uint64_t samples;

	samples = attrs->aggr_interval / (attrs->sample_interval ? attrs->sample_interval : 1);
	if (samples > UINT32_MAX)
		return UINT32_MAX;
	return samples ? samples : 1;
}

static uint64_t saturating_product(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t saturating_sum(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* The intervals in force. A window keeps its samples, however long these are. */

struct intervals {
	uint64_t sample_us;
	uint64_t aggr_us;
};

static struct intervals with_floor(const struct damon_attrs *attrs, uint64_t floor_us)
{
	if (floor_us <= attrs->sample_interval)
		return (struct intervals){attrs->sample_interval, attrs->aggr_interval};
	return (struct intervals){floor_us,
				  saturating_product(floor_us, damon_nr_samples_per_aggr(attrs))};
}

static struct intervals in_force(const struct damon_ctx *ctx)
{
	return with_floor(&ctx->attrs, ctx->internal->floor_us);
}

static bool intervals_differ(struct intervals a, struct intervals b)
{
	return a.sample_us != b.sample_us || a.aggr_us != b.aggr_us;
}

uint64_t damon_sample_us(const struct damon_ctx *ctx)
{
	uint64_t sample_us = in_force(ctx).sample_us;

	return sample_us ? sample_us : 1;
}

uint64_t damon_aggr_us(const struct damon_ctx *ctx)
{
	return in_force(ctx).aggr_us;
}

void damon_intervals_in_force(const struct damon_ctx *ctx, uint64_t *sample_us, uint64_t *aggr_us)
{
	const struct intervals now = in_force(ctx);

	*sample_us = now.sample_us;
	*aggr_us = now.aggr_us;
}

/* @interval_us in whole sampling intervals. */
static uint64_t in_samples(const struct damon_ctx *ctx, uint64_t interval_us)
{
	return interval_us / damon_sample_us(ctx);
}

static void rebase_update(struct damon_ctx *ctx)
{
	ctx->internal->next_update_sis = saturating_sum(
		ctx->internal->passed_sis, in_samples(ctx, ctx->attrs.ops_update_interval));
}

static void rebase_tune(struct damon_ctx *ctx)
{
	uint64_t windows = saturating_product(damon_nr_samples_per_aggr(&ctx->attrs),
					      ctx->attrs.intervals_goal.aggrs);

	ctx->internal->next_tune_sis = saturating_sum(ctx->internal->passed_sis, windows);
}

void damon_rebase(struct damon_ctx *ctx)
{
	damon_monitor_start_window(ctx);
	rebase_update(ctx);
	rebase_tune(ctx);
	damon_schemes_rebase(ctx);
}

uint32_t damon_rescale_count(uint32_t count, uint64_t old, uint64_t new)
{
	unsigned __int128 scaled;

	if (old == new)
		return count;
	scaled = (unsigned __int128)count * BASIS_POINTS / old;
	scaled = scaled * new / BASIS_POINTS;
	return scaled > UINT32_MAX ? UINT32_MAX : (uint32_t)scaled;
}

uint32_t damon_rescale_age(uint32_t age, uint64_t old_aggr, uint64_t new_aggr)
{
	unsigned __int128 scaled = (unsigned __int128)age * old_aggr / new_aggr;

	return scaled > UINT32_MAX ? UINT32_MAX : (uint32_t)scaled;
}

/* The samples of a window that was cut short: they say nothing. */
void damon_drop_half_window(struct damon_ctx *ctx)
{
	uint32_t i;
	size_t idx;

	for (i = 0; i < ctx->nr_targets; i++) {
		struct damon_region_columns *now = &ctx->targets[i]->regions->now;

		for (idx = 0; idx < now->nr; idx++) {
			now->nr_accesses[idx] = 0;
			now->rest[idx].nr_unknown = 0;
			memset(now->rest[idx].probe_hits, 0, sizeof(now->rest[idx].probe_hits));
		}
	}
}

/* What was learned, in terms of @new and windows of @new_aggr. */
static void rescale_regions(struct damon_ctx *ctx, const struct damon_attrs *new, uint64_t new_aggr)
{
	uint64_t old_aggr = in_force(ctx).aggr_us;
	uint64_t old_samples = damon_nr_samples_per_aggr(&ctx->attrs);
	uint64_t new_samples = damon_nr_samples_per_aggr(new);
	uint32_t i, probe, hits;
	size_t idx;

	for (i = 0; i < ctx->nr_targets; i++) {
		struct damon_region_columns *now = &ctx->targets[i]->regions->now;

		for (idx = 0; idx < now->nr; idx++) {
			struct damon_region_rest *rest = &now->rest[idx];

			rest->last_nr_accesses = damon_rescale_count(rest->last_nr_accesses,
								     old_samples, new_samples);
			rest->last_probe_sum =
				damon_rescale_count(rest->last_probe_sum, old_samples, new_samples);
			rest->age = damon_rescale_age(rest->age, old_aggr, new_aggr);
			rest->nr_unknown =
				damon_rescale_count(rest->nr_unknown, old_samples, new_samples);
			now->nr_accesses[idx] = damon_rescale_count(now->nr_accesses[idx],
								    old_samples, new_samples);
			for (probe = 0; probe < DAMON_MAX_PROBES; probe++) {
				hits = damon_rescale_count(rest->probe_hits[probe], old_samples,
							   new_samples);
				rest->probe_hits[probe] = (uint8_t)(hits > 255 ? 255 : hits);
			}
		}
	}
}

static bool goals_differ(const struct damon_intervals_goal *a, const struct damon_intervals_goal *b)
{
	return a->access_bp != b->access_bp || a->aggrs != b->aggrs ||
	       a->min_sample_us != b->min_sample_us || a->max_sample_us != b->max_sample_us;
}

/* How many of the present sampling intervals are left until @due, which was set in older ones. */
static uint64_t still_due(const struct damon_ctx *ctx, uint64_t due, uint64_t old_sample_us)
{
	uint64_t passed = ctx->internal->passed_sis, left = due > passed ? due - passed : 0;

	left = in_samples(ctx, saturating_product(left, old_sample_us));
	return saturating_sum(passed, left);
}

/*
 * Tuning, and new floors, come more often than updates of the layout, and schemes with a long interval,
 * may be due. Were those put off each time they would never come, so the time that was left until
 * each stays what it was. Schemes that follow the windows, and tuning, go on doing so: a window keeps
 * its samples.
 */
static void rebase_tuned(struct damon_ctx *ctx, uint64_t old_sample_us)
{
	struct damon_ctx_internal *internal = ctx->internal;
	uint32_t i;

	damon_monitor_start_window(ctx);
	internal->next_update_sis = still_due(ctx, internal->next_update_sis, old_sample_us);
	for (i = 0; i < ctx->nr_schemes; i++) {
		struct damos *scheme = ctx->schemes[i];

		if (scheme->apply_interval_us)
			scheme->next_apply_sis =
				still_due(ctx, scheme->next_apply_sis, old_sample_us);
	}
}

/* @tuned: by us, not by whoever the attributes are of. */
static void change_attrs(struct damon_ctx *ctx, const struct damon_attrs *attrs, uint64_t floor_us,
			 bool tuned)
{
	struct damon_ctx_internal *internal = ctx->internal;
	struct intervals before = in_force(ctx), after = with_floor(attrs, floor_us);
	struct damon_attrs old = ctx->attrs;
	bool intervals = intervals_differ(before, after);
	bool complete = internal->window_complete;

	if (intervals && !complete)
		damon_drop_half_window(ctx);
	if (intervals && before.sample_us && before.aggr_us && after.sample_us && after.aggr_us)
		rescale_regions(ctx, attrs, after.aggr_us);
	ctx->attrs = *attrs;
	internal->floor_us = floor_us;
	if (intervals) {
		uint64_t began = internal->window_start_ns;

		if (tuned)
			rebase_tuned(ctx, before.sample_us ? before.sample_us : 1);
		else
			damon_rebase(ctx);
		internal->changed = true;
		if (complete) {
			/* It is yet to be published, in terms of the new intervals. */
			internal->next_aggr_sis = internal->passed_sis;
			internal->window_complete = true;
			internal->window_start_ns = began;
			internal->window_samples = (uint32_t)damon_nr_samples_per_aggr(attrs);
		}
		return;
	}
	if (old.ops_update_interval != attrs->ops_update_interval)
		rebase_update(ctx);
	if (goals_differ(&old.intervals_goal, &attrs->intervals_goal))
		rebase_tune(ctx);
}

void damon_apply_attrs(struct damon_ctx *ctx, const struct damon_attrs *attrs)
{
	change_attrs(ctx, attrs, ctx->internal->floor_us, false);
}

void damon_set_interval_floor(struct damon_ctx *ctx, uint64_t floor_us)
{
	ctx->internal->next_floor_us = floor_us;
}

/* Between runs, ages are in windows as the attributes have them. */
static void rescale_ages(struct damon_ctx *ctx, uint64_t old_aggr, uint64_t new_aggr)
{
	uint32_t i;
	size_t idx;

	if (old_aggr == new_aggr || !old_aggr || !new_aggr)
		return;
	for (i = 0; i < ctx->nr_targets; i++) {
		struct damon_region_columns *now = &ctx->targets[i]->regions->now;

		for (idx = 0; idx < now->nr; idx++)
			now->rest[idx].age =
				damon_rescale_age(now->rest[idx].age, old_aggr, new_aggr);
	}
}

void damon_floor_start(struct damon_ctx *ctx)
{
	uint64_t old_aggr = in_force(ctx).aggr_us;

	ctx->internal->floor_us = ctx->internal->next_floor_us;
	rescale_ages(ctx, old_aggr, in_force(ctx).aggr_us);
}

void damon_floor_stop(struct damon_ctx *ctx)
{
	ctx->internal->next_floor_us = 0;
	damon_floor_start(ctx);
}

uint64_t damon_next_interval_us(const struct damon_ctx *ctx)
{
	uint64_t us = damon_sample_us(ctx), floor_us = ctx->internal->next_floor_us;

	/* A cost that is too high is not borne until the window's end. */
	return us > floor_us ? us : floor_us;
}

/* What was due at @due, in intervals of @old_sample_us when this window began, in the present ones. */
static uint64_t due_settled(const struct damon_ctx *ctx, uint64_t due, uint64_t old_sample_us)
{
	const struct damon_ctx_internal *internal = ctx->internal;
	uint64_t passed = internal->passed_sis, left = due > passed ? due - passed : 0, us;

	us = saturating_product(saturating_sum(left, internal->window_samples), old_sample_us);
	us = us > internal->window_us ? us - internal->window_us : 0;
	return saturating_sum(passed, in_samples(ctx, us));
}

/* This window is one of @new_aggr already, those before were of @old_aggr. */
static void settle_ages(struct damon_ctx *ctx, uint64_t old_aggr, uint64_t new_aggr)
{
	uint32_t i, age;
	size_t idx;

	for (i = 0; i < ctx->nr_targets; i++) {
		struct damon_region_columns *now = &ctx->targets[i]->regions->now;

		for (idx = 0; idx < now->nr; idx++) {
			age = now->rest[idx].age;
			if (age)
				age = damon_add_u32(damon_rescale_age(age - 1, old_aggr, new_aggr),
						    1);
			now->rest[idx].age = age;
		}
	}
}

void damon_floor_settle(struct damon_ctx *ctx)
{
	struct damon_ctx_internal *internal = ctx->internal;
	uint64_t old_us = damon_sample_us(ctx), old_aggr = damon_aggr_us(ctx), mean_us;
	uint32_t i;

	if (!internal->window_samples)
		return;
	mean_us = internal->window_us / internal->window_samples;
	if (mean_us <= old_us)
		return;
	internal->floor_us = mean_us;
	settle_ages(ctx, old_aggr, damon_aggr_us(ctx));
	internal->next_update_sis = due_settled(ctx, internal->next_update_sis, old_us);
	for (i = 0; i < ctx->nr_schemes; i++) {
		struct damos *scheme = ctx->schemes[i];

		if (scheme->apply_interval_us)
			scheme->next_apply_sis = due_settled(ctx, scheme->next_apply_sis, old_us);
	}
}

int damon_set_attrs(struct damon_ctx *ctx, const struct damon_attrs *attrs)
{
	int err = damon_check_attrs(attrs);
	uint32_t i;

	if (ctx->internal->applying)
		return -EBUSY;
	if (!err)
		err = damon_check_probes(ctx->ops, attrs, ctx->probes, ctx->nr_probes);
	if (err)
		return err;
	damon_apply_attrs(ctx, attrs);
	/* Without the room now, the passes of a window's end ask for it when they need it. */
	for (i = 0; i < ctx->nr_targets; i++)
		damon_reserve_regions(damon_ctx_port(ctx), ctx->targets[i], attrs);
	return 0;
}

uint64_t damon_feed_loop_next_input(uint64_t last, uint64_t score)
{
	const uint64_t goal = 10000, floor = 10000;
	unsigned __int128 step;

	if (score == goal)
		return last;
	if (score >= 2 * goal)
		return floor;
	step = (unsigned __int128)last * (score > goal ? score - goal : goal - score) / goal;
	if (score > goal)
		return last - (uint64_t)step > floor ? last - (uint64_t)step : floor;
	return step > UINT64_MAX - last ? UINT64_MAX : last + (uint64_t)step;
}

/* Observed share of the possible access events, in basis points of the aimed-at share. */
static uint64_t access_score(const struct damon_ctx *ctx)
{
	struct damon_merge_rule rule = damon_compare_rule(ctx);
	uint64_t access_bp = ctx->attrs.intervals_goal.access_bp;
	unsigned __int128 events = 0, bytes = 0, aim;
	struct damon_region_value value;
	uint32_t i;
	size_t idx;

	for (i = 0; i < ctx->nr_targets; i++) {
		const struct damon_region_columns *now = &ctx->targets[i]->regions->now;

		for (idx = 0; idx < now->nr; idx++) {
			uint64_t sz = damon_range_sz(&now->ranges[idx]);

			damon_columns_load(now, idx, &value);
			events += (unsigned __int128)sz * damon_region_frequency(&value, &rule);
			bytes += sz;
		}
	}
	/*
	 * A target's sizes sum up to 2^64 at most and its events to 2^96, which leaves 32 bits
	 * for many targets and the factors. No share is larger than the whole.
	 */
	if (access_bp > BASIS_POINTS)
		access_bp = BASIS_POINTS;
	aim = bytes * damon_possible_frequency(ctx, &rule) * access_bp;
	if (!aim)
		return BASIS_POINTS;
	events = events * BASIS_POINTS * BASIS_POINTS / aim;
	return events > UINT64_MAX ? UINT64_MAX : (uint64_t)events;
}

static uint64_t scale(uint64_t value, uint64_t bp)
{
	unsigned __int128 scaled = (unsigned __int128)value * bp / BASIS_POINTS;

	return scaled > UINT64_MAX ? UINT64_MAX : (uint64_t)scaled;
}

/* One step. What is tuned is what was in force: it is what the accesses were seen with. */
static void tune(struct damon_ctx *ctx, struct damon_attrs *tuned)
{
	const struct damon_intervals_goal *goal = &ctx->attrs.intervals_goal;
	uint64_t factor, samples = damon_nr_samples_per_aggr(&ctx->attrs);

	factor = damon_feed_loop_next_input(100000000, access_score(ctx)) / BASIS_POINTS;
	if (factor < BASIS_POINTS)
		factor = BASIS_POINTS / 2 + factor / 2;
	tuned->sample_interval = scale(damon_sample_us(ctx), factor);
	if (tuned->sample_interval < goal->min_sample_us)
		tuned->sample_interval = goal->min_sample_us;
	if (tuned->sample_interval > goal->max_sample_us)
		tuned->sample_interval = goal->max_sample_us;
	if (!tuned->sample_interval)
		tuned->sample_interval = 1; /* from 0 no number of samples could be kept */
	tuned->aggr_interval = saturating_product(tuned->sample_interval, samples);
}

void damon_tune_intervals(struct damon_ctx *ctx)
{
	struct damon_ctx_internal *internal = ctx->internal;
	uint64_t floor_us = internal->next_floor_us;
	struct damon_attrs tuned = ctx->attrs;
	bool due, told;

	due = ctx->attrs.intervals_goal.aggrs && internal->passed_sis >= internal->next_tune_sis;
	if (due)
		tune(ctx, &tuned);
	told = intervals_differ(with_floor(&tuned, floor_us), in_force(ctx));
	if (due || floor_us != internal->floor_us)
		change_attrs(ctx, &tuned, floor_us, true);
	if (told)
		damon_report_event(ctx, NULL, "tune", "");
	if (due) {
		rebase_tune(ctx);
		damon_trace_intervals_tune(ctx);
	}
}
