// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A scheme pass: every region of every target is offered to every scheme that is due.
 *
 * One sweep a target: regions are read from its columns and appended to the spare ones. Where a
 * scheme takes only the front of a region (its quota, the edge of a filter, or the place where it goes
 * on ends there), the region is cut; the rest waits on a stack and is offered to that scheme and
 * those after it only, for those before have had it. A front is offered to later schemes
 * only, so there is at most one rest a scheme.
 */
#include <errno.h>

#include "core/attrs.h"
#include "core/request.h"
#include "core/scheme.h"
#include "core/trace.h"

struct pass {
	struct damon_ctx *ctx;
	struct damon_target *target;
	uint32_t target_idx;
	uint64_t samples;   /* in a window */
	uint64_t sz_limit;  /* of joined regions */
	size_t nr_to_come;  /* regions of the target after the present one */
	size_t capacity;    /* regions it may have after the pass */
	struct damos **due; /* those that are due and active */
	uint32_t nr_due;
	struct damos **prioritised; /* of those, with room for their histograms */
	struct damos_histogram *histograms;
	struct damos_rest *rests;
	uint32_t nr_rests;
	bool traced; /* somebody wants to hear of every region */
};

static uint32_t in_samples(uint32_t units, uint32_t unit)
{
	return unit > 1 ? units / unit + (units % unit != 0) : units;
}

static bool within(uint64_t value, uint64_t min, uint64_t max)
{
	return value >= min && value <= max;
}

static bool matches(const struct damos_access_pattern *pattern, const struct damon_region *region,
		    uint32_t frequency)
{
	return within(damon_range_sz(&region->ar), pattern->min_sz_region,
		      pattern->max_sz_region) &&
	       within(frequency, pattern->min_nr_accesses, pattern->max_nr_accesses) &&
	       within(region->age, pattern->min_age_region, pattern->max_age_region);
}

/* Region @idx as callers see it, that is, with counts in samples. */
static uint32_t load(const struct pass *pass, size_t idx, struct damon_region_value *value,
		     struct damon_region *seen)
{
	const struct damon_region_columns *now = &pass->target->regions->now;
	uint32_t unit = pass->ctx->access_unit;

	damon_columns_load(now, idx, value);
	value->cut = now->rest[idx].cut;
	*seen = value->r;
	seen->nr_accesses = in_samples(value->r.nr_accesses, unit);
	seen->last_nr_accesses = in_samples(value->r.last_nr_accesses, unit);
	return damon_moving_sum(pass->ctx, seen);
}

/* Priorities. */

/* Adds what @scheme would take of @region. */
static void add_to_histogram(const struct pass *pass, const struct damos *scheme,
			     struct damos_histogram *histogram, const struct damon_region *region,
			     uint32_t frequency)
{
	const struct damon_attrs *attrs = &pass->ctx->attrs;
	struct damon_addr_range ar;
	uint64_t sz, *of_score;

	if (!matches(&scheme->pattern, region, frequency))
		return;
	of_score = &histogram->sz[damon_quota_score(scheme, frequency, pass->samples, region->age,
						    damon_aggr_us(pass->ctx))];
	for (ar = region->ar; ar.start < ar.end; ar.start += sz) {
		sz = damon_range_sz(&ar);
		if (damon_core_filters(scheme, pass->target_idx, &ar, attrs->min_region_sz, &sz) !=
		    DAMOS_REJECTED)
			*of_score = damon_add_u64(*of_score, sz);
	}
}

/* Which schemes take only the regions of the highest scores, and from which on; one sweep for all. */
static void set_min_scores(struct pass *pass)
{
	struct damon_ctx *ctx = pass->ctx;
	struct damon_region_value value;
	struct damon_region seen;
	uint32_t i, k, nr = 0, frequency;
	size_t idx;

	for (k = 0; k < pass->nr_due; k++) {
		pass->due[k]->quota_state.min_score = 0;
		if (damon_quota_prioritises(pass->due[k])) {
			pass->prioritised[nr] = pass->due[k];
			memset(&pass->histograms[nr++], 0, sizeof(struct damos_histogram));
		}
	}
	for (i = 0; nr && i < ctx->nr_targets; i++) {
		pass->target = ctx->targets[i];
		pass->target_idx = i;
		for (idx = 0; idx < pass->target->regions->now.nr; idx++) {
			frequency = load(pass, idx, &value, &seen);
			for (k = 0; k < nr; k++)
				add_to_histogram(pass, pass->prioritised[k], &pass->histograms[k],
						 &seen, frequency);
		}
	}
	for (k = 0; k < nr; k++)
		pass->prioritised[k]->quota_state.min_score =
			damon_quota_min_score(&pass->prioritised[k]->quota, &pass->histograms[k]);
}

/* Applying. */

/* Whether @scheme takes part in the pass over the present target. */
static bool takes_part(const struct pass *pass, const struct damos *scheme)
{
	const struct damos_quota_state *state = &scheme->quota_state;

	if (scheme->max_nr_snapshots && scheme->stat.nr_snapshots >= scheme->max_nr_snapshots)
		return false;
	return !state->go_on || state->go_on_target == pass->target->id;
}

static bool target_exists(const struct damon_ctx *ctx, uint32_t id)
{
	uint32_t i;

	for (i = 0; i < ctx->nr_targets; i++)
		if (ctx->targets[i]->id == id)
			return true;
	return false;
}

/*
 * The front of @region that @scheme treats alike: its size, and whether that is to be acted on.
 */
static uint64_t front(const struct pass *pass, struct damos *scheme,
		      const struct damon_region *region, uint32_t frequency, bool *take)
{
	const struct damon_attrs *attrs = &pass->ctx->attrs;
	struct damos_quota_state *state = &scheme->quota_state;
	uint64_t sz = damon_range_sz(&region->ar), left;
	enum damos_verdict verdict;

	*take = false;
	left = damon_quota_left(scheme, attrs->min_region_sz);
	if (!left || !takes_part(pass, scheme))
		return sz;
	if (state->go_on) {
		if (region->ar.end <= state->go_on_addr)
			return sz;
		if (region->ar.start < state->go_on_addr)
			return state->go_on_addr - region->ar.start;
		state->go_on = false;
	}
	if (!matches(&scheme->pattern, region, frequency))
		return sz;
	if (state->min_score && damon_quota_score(scheme, frequency, pass->samples, region->age,
						  damon_aggr_us(pass->ctx)) < state->min_score)
		return sz;
	verdict = damon_core_filters(scheme, pass->target_idx, &region->ar, attrs->min_region_sz,
				     &sz);
	if (verdict == DAMOS_REJECTED)
		return sz;
	scheme->core_filters_allowed = verdict == DAMOS_ALLOWED;
	*take = true;
	return sz < left ? sz : left;
}

/* The action itself. */
static void act(const struct pass *pass, struct damos *scheme, const struct damon_region *region,
		uint64_t *sz_applied, uint64_t *sz_filter_passed)
{
	uint64_t sz = damon_range_sz(&region->ar);
	bool filtered = damon_has_ops_filters(scheme);
	struct damon_ctx *ctx = pass->ctx;
	int err;

	*sz_applied = 0;
	*sz_filter_passed = 0;
	if (scheme->action == DAMOS_STAT && !filtered) {
		*sz_applied = sz;
		*sz_filter_passed = sz;
		return;
	}
	err = ctx->ops->apply_scheme(ctx, pass->target, &region->ar, scheme, sz_applied,
				     sz_filter_passed);
	if (err || *sz_applied > sz)
		*sz_applied = err ? 0 : sz;
	if (!filtered || *sz_filter_passed > sz)
		*sz_filter_passed = sz;
}

/*
 * The action on @region, all of which is within the quota's bytes; where time is limited, in steps until it is
 * up. What was tried is left in @region.
 */
static void act_within_quota(const struct pass *pass, struct damos *scheme,
			     struct damon_region *region, uint64_t *sz_applied,
			     uint64_t *sz_filter_passed)
{
	struct damon_port *port = damon_ctx_port(pass->ctx);
	uint64_t min_region_sz = pass->ctx->attrs.min_region_sz, end = region->ar.end;
	/* Reading the clock costs more than looking at the region, so only where it is needed. */
	uint64_t begun_ns = scheme->quota.ms ? port->thread_cpu_ns(port) : 0, now_ns = 0;
	struct damon_region step = *region;
	uint64_t sz, applied, passed;

	*sz_applied = *sz_filter_passed = 0;
	do {
		/* Where time is virtual there is nothing to read. */
		sz = begun_ns ? damon_quota_step(scheme, &step.ar, min_region_sz)
			      : damon_range_sz(&step.ar);
		step.ar.end = step.ar.start + sz;
		act(pass, scheme, &step, &applied, &passed);
		if (begun_ns)
			now_ns = port->thread_cpu_ns(port);
		if (damon_quota_limits(&scheme->quota))
			damon_quota_charge(scheme, sz, applied, now_ns - begun_ns);
		begun_ns = now_ns;
		*sz_applied += applied;
		*sz_filter_passed += passed;
		region->ar.end = step.ar.end;
		step.ar = (struct damon_addr_range){step.ar.end, end};
	} while (step.ar.start < end && damon_quota_left(scheme, min_region_sz));
}

/* Cuts @region off behind what was tried of it, where that wasn't all. */
static void apply(const struct pass *pass, struct damos *scheme, struct damon_region *region)
{
	struct damos_quota_state *state = &scheme->quota_state;
	uint64_t sz_applied, sz_filter_passed;

	if (pass->traced)
		damon_trace_before_apply(pass->ctx, scheme, pass->target_idx, region);
	act_within_quota(pass, scheme, region, &sz_applied, &sz_filter_passed);
	scheme->stat.nr_tried++;
	scheme->stat.sz_tried = damon_add_u64(scheme->stat.sz_tried, damon_range_sz(&region->ar));
	scheme->stat.nr_applied += sz_applied != 0;
	scheme->stat.sz_applied = damon_add_u64(scheme->stat.sz_applied, sz_applied);
	scheme->stat.sz_ops_filter_passed =
		damon_add_u64(scheme->stat.sz_ops_filter_passed, sz_filter_passed);
	if (!damon_quota_left(scheme, pass->ctx->attrs.min_region_sz)) {
		state->go_on = true;
		state->go_on_target = pass->target->id;
		state->go_on_addr = region->ar.end;
	}
	damon_walks_region(pass->ctx->internal->kdamond, pass->target, region, scheme,
			   sz_filter_passed);
}

/* The sweep. */

static bool same_but_for_addresses(const struct damon_region_columns *columns, size_t last,
				   const struct damon_region_value *value)
{
	const struct damon_region_rest *rest = &columns->rest[last];

	return columns->nr_accesses[last] == value->r.nr_accesses &&
	       rest->last_nr_accesses == value->r.last_nr_accesses &&
	       rest->nr_unknown == value->r.nr_unknown && rest->age == value->r.age &&
	       rest->last_probe_sum == value->last_probe_sum &&
	       !memcmp(rest->probe_hits, value->r.probe_hits, sizeof(rest->probe_hits));
}

/* Appends a piece, or joins it to the one it was once cut off from, if they don't differ any more. */
static void emit(const struct pass *pass, const struct damon_region_value *value)
{
	struct damon_region_columns *spare = &pass->target->regions->spare;
	struct damon_addr_range *last = spare->nr ? &spare->ranges[spare->nr - 1] : NULL;

	if (value->cut && last && last->end == value->r.ar.start &&
	    value->r.ar.end - last->start <= pass->sz_limit &&
	    same_but_for_addresses(spare, spare->nr - 1, value)) {
		last->end = value->r.ar.end;
		return;
	}
	damon_columns_append(spare, value);
	spare->rest[spare->nr - 1].cut = value->cut;
}

/* Whether the spare columns can take one more piece than they have to. */
static bool room_to_cut(const struct pass *pass)
{
	const struct damon_region_columns *spare = &pass->target->regions->spare;

	return pass->capacity - spare->nr > pass->nr_to_come + pass->nr_rests + 1;
}

/* Offers @seen, whose stored form is @value, to the schemes from number @k on; cuts fronts off. */
static void offer(struct pass *pass, struct damon_region_value *value, struct damon_region *seen,
		  uint32_t frequency, uint32_t k)
{
	uint64_t sz, end;
	uint32_t age;
	bool take;

	for (; k < pass->nr_due; k++) {
		struct damos *scheme = pass->due[k];

		sz = front(pass, scheme, seen, frequency, &take);
		/* Without room nothing is done, rather than too much. */
		if ((sz < damon_range_sz(&seen->ar) || (take && scheme->quota.ms)) &&
		    !room_to_cut(pass))
			continue;
		end = seen->ar.end;
		age = seen->age;
		seen->ar.end = seen->ar.start + sz;
		if (take)
			apply(pass, scheme, seen);
		if (take && scheme->action != DAMOS_STAT)
			seen->age = 0;
		if (seen->ar.end < end)
			pass->rests[pass->nr_rests++] =
				(struct damos_rest){{seen->ar.end, end}, age, k};
	}
	value->r.ar = seen->ar;
	value->r.age = seen->age;
	emit(pass, value);
}

static void sweep_region(struct pass *pass, size_t idx)
{
	struct damon_region_value value;
	struct damon_region seen;
	uint32_t frequency = load(pass, idx, &value, &seen);

	pass->nr_rests = 0;
	offer(pass, &value, &seen, frequency, 0);
	while (pass->nr_rests) {
		const struct damos_rest *rest = &pass->rests[--pass->nr_rests];

		seen.ar = rest->ar;
		seen.age = rest->age;
		value.cut = true;
		offer(pass, &value, &seen, frequency, rest->first);
	}
}

/* How many more regions a target may have after a pass. */
static size_t nr_cuts(const struct pass *pass)
{
	size_t nr = 0;
	uint32_t i;

	/* Where it goes on and where its quota ends, which may be in several steps where failures are free. */
	for (i = 0; i < pass->nr_due; i++)
		nr += 2 * (size_t)pass->due[i]->nr_filters +
		      (pass->due[i]->quota.fail_charge_denom ? 64 : 2);
	return nr;
}

/* -ENOMEM: the regions are as they were and nothing was done. */
static int sweep_target(struct pass *pass)
{
	struct damon_region_table *table = pass->target->regions;
	size_t nr = table->now.nr, wanted = nr + nr_cuts(pass), i;

	if (table->spare.capacity < wanted || table->sampling_capacity < wanted)
		damon_region_table_reserve(damon_ctx_port(pass->ctx), table, wanted);
	table->spare.nr = 0;
	pass->capacity = table->spare.capacity < table->sampling_capacity
				 ? table->spare.capacity
				 : table->sampling_capacity;
	/* With room for the regions there are but not for cuts, what needs a cut is left out. */
	if (pass->capacity < nr)
		return -ENOMEM;
	table->in_pass = true;
	for (i = 0; i < nr; i++) {
		pass->nr_to_come = nr - i - 1;
		sweep_region(pass, i);
	}
	table->in_pass = false;
	damon_region_table_swap(table);
	return 0;
}

static void count_snapshots(const struct pass *pass)
{
	uint32_t i;

	for (i = 0; i < pass->nr_due; i++) {
		struct damos *scheme = pass->due[i];
		struct damos_quota_state *state = &scheme->quota_state;

		if (takes_part(pass, scheme))
			scheme->stat.nr_snapshots++;
		/* Nothing lies behind where it was to go on: the next target is next. */
		if (state->go_on && state->go_on_target == pass->target->id &&
		    damon_quota_left(scheme, pass->ctx->attrs.min_region_sz))
			state->go_on = false;
	}
}

static void sweep_targets(struct pass *pass)
{
	struct damon_ctx *ctx = pass->ctx;
	uint32_t i;

	ctx->internal->held++;
	ctx->internal->applying = true;
	for (i = 0; i < ctx->nr_targets; i++) {
		pass->target = ctx->targets[i];
		pass->target_idx = i;
		if (sweep_target(pass)) {
			ctx->internal->failed_passes++;
			damon_report_event(ctx, pass->target, "memory",
					   "schemes were not applied for lack of memory");
			continue;
		}
		count_snapshots(pass);
	}
	ctx->internal->applying = false;
	ctx->internal->held--;
}

/* Which schemes are due, and of those which do anything; their quotas brought up to date. */
static uint32_t collect(struct pass *pass, struct damos **all_due)
{
	struct damon_ctx *ctx = pass->ctx;
	uint32_t i, nr = 0;

	for (i = 0; i < ctx->nr_schemes; i++) {
		struct damos *scheme = ctx->schemes[i];

		if (ctx->internal->passed_sis < scheme->next_apply_sis)
			continue;
		all_due[nr++] = scheme;
		if (scheme->wmarks_inactive)
			continue;
		damon_quota_refresh(ctx, scheme);
		if (!damon_quota_left(scheme, ctx->attrs.min_region_sz))
			continue;
		if (scheme->quota_state.go_on &&
		    !target_exists(ctx, scheme->quota_state.go_on_target))
			scheme->quota_state.go_on = false;
		pass->due[pass->nr_due++] = scheme;
	}
	return nr;
}

void damon_schemes_apply(struct damon_ctx *ctx)
{
	struct damon_kdamond *kdamond = ctx->internal->kdamond;
	struct pass pass = {.ctx = ctx, .samples = damon_nr_samples_per_aggr(&ctx->attrs)};
	struct damos **all_due;
	uint32_t nr, i;

	if (!ctx->nr_schemes) {
		damon_requests_cancel_walks(kdamond);
		return;
	}
	pass.due = ctx->schemes + ctx->nr_schemes;
	pass.prioritised = pass.due + ctx->nr_schemes;
	all_due = pass.prioritised + ctx->nr_schemes;
	pass.rests = (struct damos_rest *)(ctx->schemes + 4 * (size_t)ctx->nr_schemes);
	pass.histograms = (struct damos_histogram *)(pass.rests + ctx->nr_schemes);
	nr = collect(&pass, all_due);
	if (!nr)
		return;
	set_min_scores(&pass);
	pass.sz_limit = damon_size_limit(ctx);
	pass.traced = damon_tracing(ctx, DAMON_TRACE_BEFORE_APPLY);
	damon_walks_begin(kdamond);
	if (pass.nr_due)
		sweep_targets(&pass);
	/* Those held or full were due too; who walks needn't wait for them. */
	for (i = 0; i < nr; i++) {
		damon_walks_scheme_done(kdamond, all_due[i]);
		damon_scheme_set_due(ctx, all_due[i]);
		damon_trace_stat(ctx, all_due[i]);
	}
	damon_walks_end(kdamond);
}
