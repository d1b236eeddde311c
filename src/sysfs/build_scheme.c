// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Building schemes from the values of their files. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "params/names.h"
#include "sysfs/build.h"

/* A file of scheme @idx, as sysfs_refuse() wants it. */
#define WHERE(name, idx, fmt, ...)                                                                 \
	snprintf(name, sizeof(name), "schemes/%zu/" fmt, (size_t)(idx), ##__VA_ARGS__)

/* The files count in 64 bits, the core in 32; nothing ever gets that far. */
static uint32_t saturate(uint64_t number)
{
	return number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
}

static int build_pattern(struct sysfs_build *build, struct sysfs_dir *dir, size_t idx,
			 struct damos_access_pattern *pattern)
{
	static const char *const names[] = {"sz", "nr_accesses", "age"};
	struct sysfs_dir *access = sysfs_dir_at(dir, "access_pattern"), *range;
	char where[SYSFS_PATH_MAX];
	uint64_t min[3], max[3];
	size_t i;

	for (i = 0; i < 3; i++) {
		range = sysfs_dir_at(access, names[i]);
		min[i] = sysfs_number(range, "min");
		max[i] = sysfs_number(range, "max");
		if (min[i] <= max[i])
			continue;
		WHERE(where, idx, "access_pattern/%s/min", names[i]);
		return sysfs_refuse(build, -EINVAL, where,
				    "'%" PRIu64 "' is above max, '%" PRIu64 "'", min[i], max[i]);
	}
	*pattern = (struct damos_access_pattern){
		.min_sz_region = min[0],
		.max_sz_region = max[0],
		.min_nr_accesses = saturate(min[1]),
		.max_nr_accesses = saturate(max[1]),
		.min_age_region = saturate(min[2]),
		.max_age_region = saturate(max[2]),
	};
	return 0;
}

static bool metric_of_memcg(enum damos_quota_goal_metric metric)
{
	return metric == DAMOS_GOAL_NODE_MEMCG_USED_BP || metric == DAMOS_GOAL_NODE_MEMCG_FREE_BP;
}

int sysfs_build_goals(struct sysfs_build *build, struct sysfs_dir *dir, size_t idx,
		      struct damos_quota *quota)
{
	struct sysfs_dir *goals = sysfs_dir_at(dir, "quotas/goals"), *from;
	struct damos_quota_goal *goal;
	char where[SYSFS_PATH_MAX];
	size_t i;
	int err = 0;

	quota->nr_goals = 0;
	for (i = 0; !err && i < goals->nr_numbered; i++) {
		from = goals->numbered[i];
		if (!sysfs_number(from, "target_value"))
			continue;
		if (quota->nr_goals == DAMOS_MAX_GOALS) {
			WHERE(where, idx, "quotas/goals/nr_goals");
			return sysfs_refuse(build, -EINVAL, where, "'%zu' is more than %d",
					    goals->nr_numbered, DAMOS_MAX_GOALS);
		}
		goal = &quota->goals[quota->nr_goals++];
		*goal = (struct damos_quota_goal){
			.metric = (enum damos_quota_goal_metric)params_value(
				PARAMS_GOAL_METRIC, sysfs_keyword(from, "target_metric")),
			.target_value = sysfs_number(from, "target_value"),
			.current_value = sysfs_number(from, "current_value"),
			.nid = (int32_t)sysfs_number(from, "nid"),
		};
		WHERE(where, idx, "quotas/goals/%zu", i);
		if (metric_of_memcg(goal->metric))
			err = sysfs_build_memcg(build, from, "path", where, -ENOENT,
						&goal->memcg_path);
		if (!err && goal->metric == DAMOS_GOAL_NODE_ELIGIBLE_MEM_BP &&
		    build->ctx->ops->id != DAMON_OPS_PADDR)
			err = sysfs_refuse(build, -EINVAL, where,
					   "target_metric '%s' is for 'paddr' only",
					   sysfs_keyword(from, "target_metric"));
	}
	return err;
}

static int build_quota(struct sysfs_build *build, struct sysfs_dir *dir, size_t idx,
		       struct damos_quota *quota)
{
	struct sysfs_dir *from = sysfs_dir_at(dir, "quotas");

	quota->ms = sysfs_number(from, "ms");
	quota->sz = sysfs_number(from, "bytes");
	quota->reset_interval_ms = sysfs_number(from, "reset_interval_ms");
	quota->tuner = (enum damos_quota_goal_tuner)params_value(PARAMS_GOAL_TUNER,
								 sysfs_keyword(from, "goal_tuner"));
	quota->fail_charge_num = (uint32_t)sysfs_number(from, "fail_charge_num");
	quota->fail_charge_denom = (uint32_t)sysfs_number(from, "fail_charge_denom");
	quota->weight_sz = (uint32_t)sysfs_number(from, "weights/sz_permil");
	quota->weight_nr_accesses = (uint32_t)sysfs_number(from, "weights/nr_accesses_permil");
	quota->weight_age = (uint32_t)sysfs_number(from, "weights/age_permil");
	return sysfs_build_goals(build, dir, idx, quota);
}

static int build_watermarks(struct sysfs_build *build, struct sysfs_dir *dir, size_t idx,
			    struct damos_watermarks *wmarks)
{
	struct sysfs_dir *from = sysfs_dir_at(dir, "watermarks");
	char where[SYSFS_PATH_MAX];

	wmarks->metric = (enum damos_wmark_metric)params_value(PARAMS_WMARK_METRIC,
							       sysfs_keyword(from, "metric"));
	wmarks->interval_us = sysfs_number(from, "interval_us");
	wmarks->high = sysfs_number(from, "high");
	wmarks->mid = sysfs_number(from, "mid");
	wmarks->low = sysfs_number(from, "low");
	if (wmarks->metric == DAMOS_WMARK_NONE ||
	    (wmarks->low <= wmarks->mid && wmarks->mid <= wmarks->high))
		return 0;
	WHERE(where, idx, "watermarks/mid");
	return sysfs_refuse(build, -EINVAL, where,
			    "'%" PRIu64 "' is not from low, '%" PRIu64 "', to high, '%" PRIu64 "'",
			    wmarks->mid, wmarks->low, wmarks->high);
}

/* Filters. */

static int check_filter(struct sysfs_build *build, struct sysfs_dir *dir, const char *where,
			const struct damos_filter *filter)
{
	if (filter->type == DAMOS_FILTER_ADDR && filter->addr_start >= filter->addr_end)
		return sysfs_refuse(build, -EINVAL, where,
				    "addr_start '%" PRIu64 "' is not below addr_end '%" PRIu64 "'",
				    filter->addr_start, filter->addr_end);
	if (filter->type == DAMOS_FILTER_HUGEPAGE_SIZE && filter->sz_min > filter->sz_max)
		return sysfs_refuse(build, -EINVAL, where,
				    "min '%" PRIu64 "' is above max '%" PRIu64 "'", filter->sz_min,
				    filter->sz_max);
	if (filter->type == DAMOS_FILTER_TARGET && filter->target_idx > INT32_MAX)
		return sysfs_refuse(build, -EINVAL, where,
				    "damon_target_idx '%d' is no number of a target",
				    (int)filter->target_idx);
	return 0;
}

static int build_filter(struct sysfs_build *build, struct sysfs_dir *dir, const char *where,
			struct damos_filter *filter)
{
	*filter = (struct damos_filter){
		.type = (enum damos_filter_type)params_value(PARAMS_FILTER_TYPE,
							     sysfs_keyword(dir, "type")),
		.matching = sysfs_number(dir, "matching"),
		.allow = sysfs_number(dir, "allow"),
		.addr_start = sysfs_number(dir, "addr_start"),
		.addr_end = sysfs_number(dir, "addr_end"),
		.sz_min = sysfs_number(dir, "min"),
		.sz_max = sysfs_number(dir, "max"),
		.target_idx = (uint32_t)sysfs_number(dir, "damon_target_idx"),
	};
	if (filter->type == DAMOS_FILTER_MEMCG)
		return sysfs_build_memcg(build, dir, "memcg_path", where, -ENOENT,
					 &filter->memcg_path);
	return check_filter(build, dir, where, filter);
}

static int build_filters(struct sysfs_build *build, struct sysfs_dir *dir, size_t idx,
			 const char *kind, struct damos *scheme)
{
	struct sysfs_dir *from = sysfs_dir_at(dir, kind);
	struct damos_filter filter;
	char where[SYSFS_PATH_MAX];
	size_t i;
	int err = 0;

	for (i = 0; !err && i < from->nr_numbered; i++) {
		WHERE(where, idx, "%s/%zu", kind, i);
		err = build_filter(build, from->numbered[i], where, &filter);
		if (!err)
			err = damos_add_filter(scheme, &filter);
		if (err == -ENOSPC)
			err = sysfs_refuse(build, -EINVAL, where,
					   "a scheme has at most %d filters of all kinds",
					   DAMOS_MAX_FILTERS);
	}
	return err;
}

static int build_dests(struct sysfs_build *build, struct sysfs_dir *dir, size_t idx,
		       struct damos *scheme)
{
	struct sysfs_dir *dests = sysfs_dir_at(dir, "dests");
	char where[SYSFS_PATH_MAX];
	uint64_t id;
	size_t i;

	if (dests->nr_numbered > DAMOS_MAX_DESTS) {
		WHERE(where, idx, "dests/nr_dests");
		return sysfs_refuse(build, -EINVAL, where, "'%zu' is more than %d",
				    dests->nr_numbered, DAMOS_MAX_DESTS);
	}
	scheme->nr_dests = (uint32_t)dests->nr_numbered;
	for (i = 0; i < dests->nr_numbered; i++) {
		id = sysfs_number(dests->numbered[i], "id");
		if (id > INT32_MAX) {
			WHERE(where, idx, "dests/%zu/id", i);
			return sysfs_refuse(build, -EINVAL, where, "'%" PRIu64 "' is no node", id);
		}
		scheme->dests[i].nid = (int32_t)id;
		scheme->dests[i].weight = (uint32_t)sysfs_number(dests->numbered[i], "weight");
	}
	return 0;
}

int sysfs_build_scheme(struct sysfs_build *build, struct sysfs_dir *dir, size_t idx,
		       struct damos **scheme)
{
	struct damos *new;
	int err = damon_new_scheme(&new, build->tree->host.lib);

	if (err)
		return err;
	new->action = (enum damos_action)params_value(PARAMS_ACTION, sysfs_keyword(dir, "action"));
	new->target_nid = (int32_t)sysfs_number(dir, "target_nid");
	new->apply_interval_us = sysfs_number(dir, "apply_interval_us");
	new->max_nr_snapshots = sysfs_number(dir, "stats/max_nr_snapshots");
	err = build_pattern(build, dir, idx, &new->pattern);
	if (!err)
		err = build_quota(build, dir, idx, &new->quota);
	if (!err)
		err = build_watermarks(build, dir, idx, &new->wmarks);
	/* Those of the deprecated directory stand behind the others. */
	if (!err)
		err = build_filters(build, dir, idx, "core_filters", new);
	if (!err)
		err = build_filters(build, dir, idx, "ops_filters", new);
	if (!err)
		err = build_filters(build, dir, idx, "filters", new);
	if (!err)
		err = build_dests(build, dir, idx, new);
	if (err)
		damon_free_scheme(new);
	else
		*scheme = new;
	return err;
}
