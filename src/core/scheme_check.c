// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What of a scheme is refused before it does anything: contradictions, and what nobody here can do. */
#include <errno.h>

#include "core/scheme.h"

int damon_check_filter(const struct damos_filter *filter)
{
	if ((unsigned int)filter->type >= DAMOS_NR_FILTER_TYPES)
		return -EINVAL;
	if (filter->type == DAMOS_FILTER_MEMCG && !filter->memcg_path)
		return -EINVAL;
	if (filter->type == DAMOS_FILTER_ADDR && filter->addr_start >= filter->addr_end)
		return -EINVAL;
	if (filter->type == DAMOS_FILTER_HUGEPAGE_SIZE && filter->sz_min > filter->sz_max)
		return -EINVAL;
	return 0;
}

static bool of_node(enum damos_quota_goal_metric metric)
{
	return metric >= DAMOS_GOAL_NODE_MEM_USED_BP && metric <= DAMOS_GOAL_NODE_MEMCG_FREE_BP;
}

int damon_check_goal(const struct damos_quota_goal *goal)
{
	bool of_memcg = goal->metric == DAMOS_GOAL_NODE_MEMCG_USED_BP ||
			goal->metric == DAMOS_GOAL_NODE_MEMCG_FREE_BP;

	if ((unsigned int)goal->metric >= DAMOS_NR_GOAL_METRICS || !goal->target_value)
		return -EINVAL;
	if (of_memcg && !goal->memcg_path)
		return -EINVAL;
	if (of_node(goal->metric) && goal->nid < 0)
		return -EINVAL;
	return 0;
}

static bool range_empty(uint64_t min, uint64_t max)
{
	return min > max;
}

static int check_values(const struct damos *scheme)
{
	const struct damos_access_pattern *pattern = &scheme->pattern;
	const struct damos_watermarks *wmarks = &scheme->wmarks;

	if ((unsigned int)scheme->action >= DAMOS_NR_ACTIONS ||
	    range_empty(pattern->min_sz_region, pattern->max_sz_region) ||
	    range_empty(pattern->min_nr_accesses, pattern->max_nr_accesses) ||
	    range_empty(pattern->min_age_region, pattern->max_age_region))
		return -EINVAL;
	if ((unsigned int)wmarks->metric >= DAMOS_NR_WMARK_METRICS)
		return -EINVAL;
	if (wmarks->metric != DAMOS_WMARK_NONE &&
	    (wmarks->low > wmarks->mid || wmarks->mid > wmarks->high))
		return -EINVAL;
	if (scheme->quota.nr_goals > DAMOS_MAX_GOALS || scheme->nr_filters > DAMOS_MAX_FILTERS ||
	    scheme->nr_dests > DAMOS_MAX_DESTS ||
	    (unsigned int)scheme->quota.tuner >= DAMOS_NR_TUNERS)
		return -EINVAL;
	return 0;
}

/* Migrating needs somewhere to go. */
static int check_dests(const struct damos *scheme)
{
	uint64_t weights = 0;
	uint32_t i;

	if (scheme->action != DAMOS_MIGRATE_HOT && scheme->action != DAMOS_MIGRATE_COLD)
		return 0;
	if (!scheme->nr_dests)
		return scheme->target_nid < 0 ? -EINVAL : 0;
	for (i = 0; i < scheme->nr_dests; i++) {
		if (scheme->dests[i].nid < 0)
			return -EINVAL;
		weights += scheme->dests[i].weight;
	}
	return weights ? 0 : -EINVAL;
}

static int check_goals(struct damon_ctx *ctx, const struct damon_operations *ops,
		       const struct damos *scheme)
{
	const struct damos_quota *quota = &scheme->quota;
	uint64_t value;
	uint32_t i;
	int err = 0;

	for (i = 0; i < quota->nr_goals && !err; i++) {
		const struct damos_quota_goal *goal = &quota->goals[i];

		err = damon_check_goal(goal);
		if (!err && goal->metric == DAMOS_GOAL_NODE_ELIGIBLE_MEM_BP && ops &&
		    (ops->id != DAMON_OPS_PADDR || !ops->eligible_mem_bp))
			err = -EINVAL;
		/* Of the eligible memory nothing can be said before there are targets. */
		if (!err && goal->metric != DAMOS_GOAL_NODE_ELIGIBLE_MEM_BP)
			err = damon_goal_read(ctx, ops, scheme, goal, &value);
	}
	return err;
}

/* What @ops has to do. */
static int check_support(const struct damon_operations *ops, const struct damos *scheme)
{
	uint32_t i;

	if (scheme->action != DAMOS_STAT &&
	    (!ops->apply_scheme || !(ops->actions & 1U << scheme->action)))
		return -EOPNOTSUPP;
	for (i = 0; i < scheme->nr_filters; i++) {
		if (DAMOS_FILTER_IS_CORE(scheme->filters[i].type))
			continue;
		if (!ops->apply_scheme || !(ops->filters & 1U << scheme->filters[i].type))
			return -EOPNOTSUPP;
	}
	return ops->check_scheme ? ops->check_scheme(scheme, NULL) : 0;
}

int damon_check_scheme(struct damon_ctx *ctx, const struct damon_operations *ops,
		       const struct damos *scheme)
{
	struct damon_port *port = damon_ctx_port(ctx);
	int err = check_values(scheme);
	uint64_t value;
	uint32_t i;

	for (i = 0; i < scheme->nr_filters && !err; i++)
		err = damon_check_filter(&scheme->filters[i]);
	if (!err)
		err = check_dests(scheme);
	if (!err && ops)
		err = check_support(ops, scheme);
	if (!err)
		err = check_goals(ctx, ops, scheme);
	if (!err && scheme->wmarks.metric != DAMOS_WMARK_NONE)
		err = port->metric
			      ? port->metric(port, DAMON_METRIC_FREE_MEM_RATE, -1, NULL, &value)
			      : -EOPNOTSUPP;
	return err;
}
