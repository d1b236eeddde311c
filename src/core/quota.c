// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Quotas: how much a scheme may do in a window, and with which regions it begins.
 *
 * The rules (effective size, the two tuners, the score of a region) are those of Linux's DAMOS as its
 * documentation describes them.
 */
#include <errno.h>
#include <string.h>

#include "core/request.h"
#include "core/scheme.h"
#include "core/trace.h"

#define BASIS_POINTS 10000
/* Taken for the throughput of an action that wasn't measured yet: 1,024 pages a millisecond. */
#define ASSUMED_PER_MS (1024 * 4096)

/*
 * Of a window's time, one step takes a quarter of what is left, but not less than 1/32 of the whole, if the
 * speed stays what it was in this window. So what becomes up to four times slower exceeds the time by an error
 * in the last steps only. A dozen steps fill a window; more would be too many, for each has a price of its own.
 */
#define STEP_SHARE	4
#define LAST_STEP_SHARE 32

bool damon_quota_limits(const struct damos_quota *quota)
{
	return quota->ms || quota->sz || quota->nr_goals;
}

static uint64_t ms_to_ns(uint64_t ms)
{
	return damon_mul_div(ms, 1000000, 1);
}

uint64_t damon_quota_left(const struct damos *scheme, uint64_t min_region_sz)
{
	uint64_t esz = scheme->quota.esz, charged = scheme->quota_state.charged_sz;

	if (scheme->quota.ms && scheme->quota_state.spent_ns >= ms_to_ns(scheme->quota.ms))
		return 0;
	/* The largest number stands for no limit, as the tuners leave it. */
	if (!damon_quota_limits(&scheme->quota) || esz == UINT64_MAX)
		return UINT64_MAX;
	return esz > charged ? damon_align_down(esz - charged, min_region_sz) : 0;
}

/* Goals. */

static const enum damon_metric port_metrics[DAMOS_NR_GOAL_METRICS] = {
	[DAMOS_GOAL_SOME_MEM_PSI_US] = DAMON_METRIC_SOME_MEM_PSI_US,
	[DAMOS_GOAL_NODE_MEM_USED_BP] = DAMON_METRIC_NODE_MEM_USED_BP,
	[DAMOS_GOAL_NODE_MEM_FREE_BP] = DAMON_METRIC_NODE_MEM_FREE_BP,
	[DAMOS_GOAL_NODE_MEMCG_USED_BP] = DAMON_METRIC_NODE_MEMCG_USED_BP,
	[DAMOS_GOAL_NODE_MEMCG_FREE_BP] = DAMON_METRIC_NODE_MEMCG_FREE_BP,
	[DAMOS_GOAL_ACTIVE_MEM_BP] = DAMON_METRIC_ACTIVE_MEM_BP,
	[DAMOS_GOAL_INACTIVE_MEM_BP] = DAMON_METRIC_INACTIVE_MEM_BP,
};

int damon_goal_read(struct damon_ctx *ctx, const struct damon_operations *ops,
		    const struct damos *scheme, const struct damos_quota_goal *goal,
		    uint64_t *value)
{
	struct damon_port *port = damon_ctx_port(ctx);

	if (goal->metric == DAMOS_GOAL_USER_INPUT) {
		*value = goal->current_value;
		return 0;
	}
	if (goal->metric == DAMOS_GOAL_NODE_ELIGIBLE_MEM_BP)
		return ops->eligible_mem_bp(ctx, scheme, goal->nid, value);
	if (!port->metric)
		return -EOPNOTSUPP;
	return port->metric(port, port_metrics[goal->metric], goal->nid, goal->memcg_path, value);
}

void damon_note_metric(struct damon_ctx *ctx, int *last, int err, const char *text)
{
	char detail[160] = "";
	bool changed = err != *last;

	*last = err;
	if (!err || !changed)
		return;
	strncat(detail, text, sizeof(detail) - 1);
	strncat(detail, strerror(-err), sizeof(detail) - 1 - strlen(detail));
	damon_report_event(ctx, NULL, "metric", detail);
}

/* Of pressure, what counts is its growth since the last measure. */
static uint64_t psi_growth(struct damos_quota_state *state, uint32_t idx, uint64_t total)
{
	uint64_t before = state->psi_known[idx] ? state->psi_us[idx] : total;

	state->psi_known[idx] = true;
	state->psi_us[idx] = total;
	return total > before ? total - before : 0;
}

void damon_schemes_skip_pressure(struct damon_ctx *ctx)
{
	uint32_t i, k;

	for (i = 0; i < ctx->nr_schemes; i++) {
		struct damos *scheme = ctx->schemes[i];
		struct damos_quota_state *state = &scheme->quota_state;

		for (k = 0; k < scheme->quota.nr_goals; k++)
			if (state->psi_known[k])
				state->psi_known[k] = !damon_goal_read(ctx, ctx->ops, scheme,
								       &scheme->quota.goals[k],
								       &state->psi_us[k]);
	}
}

/* The largest share of its target that a goal has reached, bp. */
static uint64_t goals_score(struct damon_ctx *ctx, struct damos *scheme)
{
	struct damos_quota *quota = &scheme->quota;
	uint64_t score = 0, value, reached;
	uint32_t i;

	for (i = 0; i < quota->nr_goals; i++) {
		struct damos_quota_goal *goal = &quota->goals[i];
		int err = damon_goal_read(ctx, ctx->ops, scheme, goal, &value);

		damon_note_metric(ctx, &scheme->quota_state.goal_errors[i], err,
				  "a quota's goal can't be measured: ");
		if (err) {
			/* The last measure stands. */
			value = goal->current_value;
		} else if (goal->metric == DAMOS_GOAL_SOME_MEM_PSI_US) {
			value = psi_growth(&scheme->quota_state, i, value);
		}
		goal->current_value = value;
		reached = damon_mul_div(value, BASIS_POINTS, goal->target_value);
		if (reached > score)
			score = reached;
	}
	return score;
}

/* What the goals allow, bytes. */
static uint64_t tune(struct damon_ctx *ctx, struct damos *scheme)
{
	struct damos_quota_state *state = &scheme->quota_state;
	uint64_t score = goals_score(ctx, scheme);

	if (scheme->quota.tuner == DAMOS_TUNER_TEMPORAL)
		return score >= BASIS_POINTS ? 0 : UINT64_MAX;
	if (state->esz_bp < BASIS_POINTS)
		state->esz_bp = BASIS_POINTS;
	state->esz_bp = damon_feed_loop_next_input(state->esz_bp, score);
	return state->esz_bp / BASIS_POINTS;
}

/* What the processor time allows, bytes. */
static uint64_t time_allows(const struct damos *scheme, uint64_t min_region_sz)
{
	const struct damos_quota_state *state = &scheme->quota_state;
	uint64_t per_ms = ASSUMED_PER_MS, sz;

	if (state->timed_ns)
		per_ms = damon_mul_div(state->timed_sz, 1000000, state->timed_ns);
	sz = damon_mul_div(per_ms, scheme->quota.ms, 1);
	return sz > min_region_sz ? sz : min_region_sz;
}

static void set_effective(struct damon_ctx *ctx, struct damos *scheme)
{
	struct damos_quota *quota = &scheme->quota;
	uint64_t esz = UINT64_MAX, limit;

	if (quota->nr_goals)
		esz = tune(ctx, scheme);
	if (quota->ms) {
		limit = time_allows(scheme, ctx->attrs.min_region_sz);
		if (limit < esz)
			esz = limit;
	}
	if (quota->sz && quota->sz < esz)
		esz = quota->sz;
	quota->esz = esz;
}

/* The port's clock less the time spent paused. */
static uint64_t context_ns(struct damon_ctx *ctx)
{
	struct damon_port *port = damon_ctx_port(ctx);

	return port->now_ns(port) - ctx->internal->kdamond->paused_ns;
}

void damon_quota_refresh(struct damon_ctx *ctx, struct damos *scheme)
{
	struct damos_quota_state *state = &scheme->quota_state;
	uint64_t now_ns, window_ns;

	if (!damon_quota_limits(&scheme->quota)) {
		scheme->quota.esz = 0;
		return;
	}
	now_ns = context_ns(ctx);
	window_ns = ms_to_ns(scheme->quota.reset_interval_ms);
	if (state->begun && now_ns >= state->window_ns && now_ns - state->window_ns < window_ns)
		return;
	if (state->begun && !damon_quota_left(scheme, ctx->attrs.min_region_sz))
		scheme->stat.qt_exceeds++;
	/* Windows follow each other without the time until somebody looks, which would make them longer. */
	if (state->begun && window_ns && now_ns >= state->window_ns)
		state->window_ns += (now_ns - state->window_ns) / window_ns * window_ns;
	else
		state->window_ns = now_ns;
	state->begun = true;
	state->charged_sz = 0;
	state->spent_sz = state->spent_ns = 0;
	set_effective(ctx, scheme);
	damon_trace_esz(ctx, scheme);
}

void damon_quota_charge(struct damos *scheme, uint64_t sz_tried, uint64_t sz_applied,
			uint64_t cpu_ns)
{
	const struct damos_quota *quota = &scheme->quota;
	struct damos_quota_state *state = &scheme->quota_state;
	uint64_t charge = sz_tried;

	if (quota->fail_charge_denom)
		charge = damon_add_u64(sz_applied,
				       damon_mul_div(sz_tried - sz_applied, quota->fail_charge_num,
						     quota->fail_charge_denom));
	state->charged_sz = damon_add_u64(state->charged_sz, charge);
	if (!quota->ms)
		return;
	state->spent_sz = damon_add_u64(state->spent_sz, sz_tried);
	state->spent_ns = damon_add_u64(state->spent_ns, cpu_ns);
	state->timed_sz = damon_add_u64(state->timed_sz, sz_tried);
	state->timed_ns = damon_add_u64(state->timed_ns, cpu_ns);
}

/* What takes @ns at the speed in this window, or so far; 0: nothing was measured yet. */
static uint64_t bytes_in(const struct damos_quota_state *state, uint64_t ns)
{
	bool here = state->spent_sz;
	uint64_t sz = here ? state->spent_sz : state->timed_sz;
	uint64_t took_ns = here ? state->spent_ns : state->timed_ns;

	if (!sz)
		return 0;
	/* Too fast for the clock. */
	return took_ns ? damon_mul_div(sz, ns, took_ns) : UINT64_MAX;
}

uint64_t damon_quota_step(const struct damos *scheme, const struct damon_addr_range *ar,
			  uint64_t min_region_sz)
{
	uint64_t all_ns = ms_to_ns(scheme->quota.ms), spent_ns = scheme->quota_state.spent_ns;
	uint64_t left_ns = all_ns > spent_ns ? all_ns - spent_ns : 0;
	uint64_t step_ns = left_ns / STEP_SHARE, last_ns = all_ns / LAST_STEP_SHARE;
	uint64_t whole = damon_range_sz(ar), sz, unit;

	if (step_ns < last_ns)
		step_ns = left_ns < last_ns ? left_ns : last_ns;
	sz = bytes_in(&scheme->quota_state, step_ns);
	if (sz >= whole)
		return whole;
	if (sz < min_region_sz)
		sz = min_region_sz;
	/* To a round address: what can only be acted on as a whole (a huge page) isn't cut for nothing. */
	unit = 1ULL << (63 - __builtin_clzll(sz));
	sz -= (ar->start + sz) & (unit - 1);
	return sz < whole ? sz : whole;
}

/* Priorities. */

static bool prefers_cold(enum damos_action action)
{
	return action == DAMOS_PAGEOUT || action == DAMOS_LRU_DEPRIO ||
	       action == DAMOS_MIGRATE_COLD;
}

static bool prefers_hot(enum damos_action action)
{
	return action == DAMOS_LRU_PRIO || action == DAMOS_MIGRATE_HOT;
}

bool damon_quota_prioritises(const struct damos *scheme)
{
	const struct damos_quota *quota = &scheme->quota;

	return damon_quota_limits(quota) && (quota->weight_nr_accesses || quota->weight_age) &&
	       (prefers_cold(scheme->action) || prefers_hot(scheme->action));
}

uint32_t damon_quota_score(const struct damos *scheme, uint32_t frequency, uint64_t samples,
			   uint32_t age, uint64_t aggr_us)
{
	const struct damos_quota *quota = &scheme->quota;
	uint64_t weights = (uint64_t)quota->weight_nr_accesses + quota->weight_age;
	uint64_t share, seconds, by_age, hotness;
	unsigned int log = 0;

	if (!weights || (!prefers_cold(scheme->action) && !prefers_hot(scheme->action)))
		return DAMOS_MAX_SCORE;
	share = frequency < samples ? (uint64_t)frequency * 100 / samples : 100;
	seconds = damon_mul_div(age, aggr_us, 1000000);
	if (seconds)
		log = 64 - (unsigned int)__builtin_clzll(seconds);
	if (log > 32)
		log = 32;
	/* -32..32 to 0..100: what wasn't accessed is the colder the longer. */
	by_age = (share ? 32 + log : 32 - log) * 100 / 64;
	hotness = quota->weight_nr_accesses * share + quota->weight_age * by_age;
	hotness = hotness / weights * DAMOS_MAX_SCORE / 100;
	return (uint32_t)(prefers_hot(scheme->action) ? hotness : DAMOS_MAX_SCORE - hotness);
}

uint32_t damon_quota_min_score(const struct damos_quota *quota,
			       const struct damos_histogram *histogram)
{
	uint32_t score = DAMOS_MAX_SCORE;
	uint64_t sz = histogram->sz[score];

	while (score && sz < quota->esz)
		sz = damon_add_u64(sz, histogram->sz[--score]);
	return score;
}
