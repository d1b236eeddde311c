// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Schemes read from JSON. */
#include <errno.h>
#include <string.h>

#include "params/json_read.h"
#include "params/scheme_json.h"

/* Patterns. */

struct range {
	struct json_bound min;
	struct json_bound max;
};

struct size_range {
	uint64_t min;
	uint64_t max;
};

static int take_size_range(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"min", json_take_bytes, offsetof(struct size_range, min)},
		{"max", json_take_bytes, offsetof(struct size_range, max)},
		{NULL},
	};
	struct damos_access_pattern *pattern = &((struct params_scheme *)to)->values.pattern;
	struct size_range range = {0, UINT64_MAX};
	int ret = json_take_object(r, value, keys, &range);

	if (ret)
		return ret;
	if (range.min > range.max)
		return json_refuse(r, value, "a min that isn't above max");
	pattern->min_sz_region = range.min;
	pattern->max_sz_region = range.max;
	return 0;
}

/* The lower bound can't be "max"-in-any-unit with a known limit: it stays the largest number. */
static uint64_t bound_in(const struct json_bound *bound, uint64_t limit)
{
	return bound->value < limit ? bound->value : limit;
}

static int check_bounds(struct json_reader *r, const json_t *value, const struct range *range)
{
	if (range->min.kind != BOUND_ANY && range->max.kind != BOUND_ANY &&
	    range->min.kind != range->max.kind)
		return json_refuse(r, value, "min and max in the same unit");
	if (range->min.value > range->max.value)
		return json_refuse(r, value, "a min that isn't above max");
	return 0;
}

static int take_access(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"min", json_take_access_bound, offsetof(struct range, min)},
		{"max", json_take_access_bound, offsetof(struct range, max)},
		{NULL},
	};
	struct params_scheme *scheme = to;
	struct range range = {{0, BOUND_ANY}, {UINT64_MAX, BOUND_ANY}};
	int ret = json_take_object(r, value, keys, &range);

	if (!ret)
		ret = check_bounds(r, value, &range);
	if (ret)
		return ret;
	scheme->access_is_share = range.min.kind == BOUND_MEASURE ||
				  range.max.kind == BOUND_MEASURE;
	if (scheme->access_is_share) {
		scheme->min_access_bp = bound_in(&range.min, 10000);
		scheme->max_access_bp = bound_in(&range.max, 10000);
		return 0;
	}
	scheme->values.pattern.min_nr_accesses = (uint32_t)bound_in(&range.min, UINT32_MAX);
	scheme->values.pattern.max_nr_accesses = (uint32_t)bound_in(&range.max, UINT32_MAX);
	return 0;
}

static int take_age(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"min", json_take_age_bound, offsetof(struct range, min)},
		{"max", json_take_age_bound, offsetof(struct range, max)},
		{NULL},
	};
	struct params_scheme *scheme = to;
	struct range range = {{0, BOUND_ANY}, {UINT64_MAX, BOUND_ANY}};
	int ret = json_take_object(r, value, keys, &range);

	if (!ret)
		ret = check_bounds(r, value, &range);
	if (ret)
		return ret;
	scheme->age_is_time = range.min.kind == BOUND_MEASURE || range.max.kind == BOUND_MEASURE;
	if (scheme->age_is_time) {
		scheme->min_age_us = range.min.value;
		scheme->max_age_us = range.max.value;
		return 0;
	}
	scheme->values.pattern.min_age_region = (uint32_t)bound_in(&range.min, UINT32_MAX);
	scheme->values.pattern.max_age_region = (uint32_t)bound_in(&range.max, UINT32_MAX);
	return 0;
}

/* damo's pattern is told from the kernel's by the name of its sizes. */
static int take_pattern(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"sz", take_size_range, 0},
		{"sz_bytes", take_size_range, 0},
		{"nr_accesses", take_access, 0},
		{"age", take_age, 0},
		{NULL},
	};

	r->damo_units = json_object_get(value, "sz_bytes") != NULL;
	return json_take_object(r, value, keys, to);
}

/* Quotas. */

static int take_metric(struct json_reader *r, const json_t *value, void *to)
{
	return json_take_keyword(r, value, PARAMS_GOAL_METRIC, to);
}

static int take_goal(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"metric", take_metric, offsetof(struct damos_quota_goal, metric)},
		{"target_metric", take_metric, offsetof(struct damos_quota_goal, metric)},
		{"target_value", json_take_u64, offsetof(struct damos_quota_goal, target_value)},
		{"current_value", json_take_u64, offsetof(struct damos_quota_goal, current_value)},
		{"nid", json_take_s32, offsetof(struct damos_quota_goal, nid)},
		{"memcg_path", json_take_path, offsetof(struct damos_quota_goal, memcg_path)},
		{"path", json_take_path, offsetof(struct damos_quota_goal, memcg_path)},
		{NULL},
	};
	struct damos_quota *quota = to;
	struct damos_quota_goal *goal = &quota->goals[quota->nr_goals];
	int ret;

	if (quota->nr_goals == DAMOS_MAX_GOALS)
		return json_refuse(r, value, "at most 8 goals");
	memset(goal, 0, sizeof(*goal));
	ret = json_take_object(r, value, keys, goal);
	/* In files a target of 0 stands for no goal. */
	if (!ret && goal->target_value)
		quota->nr_goals++;
	return ret;
}

static int take_goals(struct json_reader *r, const json_t *value, void *to)
{
	return json_take_list(r, value, take_goal, to);
}

static int take_tuner(struct json_reader *r, const json_t *value, void *to)
{
	return json_take_keyword(r, value, PARAMS_GOAL_TUNER, to);
}

static int take_weights(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"sz_permil", json_take_permil_u32, offsetof(struct damos_quota, weight_sz)},
		{"nr_accesses_permil", json_take_permil_u32,
		 offsetof(struct damos_quota, weight_nr_accesses)},
		{"age_permil", json_take_permil_u32, offsetof(struct damos_quota, weight_age)},
		{NULL},
	};

	return json_take_object(r, value, keys, to);
}

static int take_quotas(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"time_ms", json_take_ms, offsetof(struct damos_quota, ms)},
		{"ms", json_take_ms, offsetof(struct damos_quota, ms)},
		{"sz_bytes", json_take_bytes, offsetof(struct damos_quota, sz)},
		{"bytes", json_take_bytes, offsetof(struct damos_quota, sz)},
		{"reset_interval_ms", json_take_ms,
		 offsetof(struct damos_quota, reset_interval_ms)},
		{"fail_charge_num", json_take_u32, offsetof(struct damos_quota, fail_charge_num)},
		{"fail_charge_denom", json_take_u32,
		 offsetof(struct damos_quota, fail_charge_denom)},
		{"goals", take_goals, 0},
		{"goal_tuner", take_tuner, offsetof(struct damos_quota, tuner)},
		{"weights", take_weights, 0},
		{"effective_sz_bytes", NULL},
		{"effective_bytes", NULL},
		{NULL},
	};

	return json_take_object(r, value, keys, to);
}

/* Watermarks. */

static int take_wmark_metric(struct json_reader *r, const json_t *value, void *to)
{
	return json_take_keyword(r, value, PARAMS_WMARK_METRIC, to);
}

static int take_wmarks(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"metric", take_wmark_metric, offsetof(struct damos_watermarks, metric)},
		{"interval_us", json_take_us, offsetof(struct damos_watermarks, interval_us)},
		{"high_permil", json_take_permil, offsetof(struct damos_watermarks, high)},
		{"high", json_take_permil, offsetof(struct damos_watermarks, high)},
		{"mid_permil", json_take_permil, offsetof(struct damos_watermarks, mid)},
		{"mid", json_take_permil, offsetof(struct damos_watermarks, mid)},
		{"low_permil", json_take_permil, offsetof(struct damos_watermarks, low)},
		{"low", json_take_permil, offsetof(struct damos_watermarks, low)},
		{NULL},
	};

	return json_take_object(r, value, keys, to);
}

/* Filters. */

static int take_filter_type(struct json_reader *r, const json_t *value, void *to)
{
	return json_take_keyword(r, value, PARAMS_FILTER_TYPE, to);
}

static int take_address_range(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"start", json_take_bytes, offsetof(struct damos_filter, addr_start)},
		{"end", json_take_bytes, offsetof(struct damos_filter, addr_end)},
		{NULL},
	};

	return json_take_object(r, value, keys, to);
}

static int take_sz_pair(struct json_reader *r, const json_t *value, void *to)
{
	struct damos_filter *filter = to;
	int ret;

	if (json_array_size(value) != 2)
		return json_refuse(r, value, "a list of two sizes, the smallest and the largest");
	ret = json_take_bytes(r, json_array_get(value, 0), &filter->sz_min);
	return ret ? ret : json_take_bytes(r, json_array_get(value, 1), &filter->sz_max);
}

static int take_no_such(struct json_reader *r, const json_t *value, void *to)
{
	return json_refuse(r, value, "null, as udamon has no such filter");
}

static const struct json_key filter_keys[] = {
	{"filter_type", take_filter_type, offsetof(struct damos_filter, type)},
	{"type", take_filter_type, offsetof(struct damos_filter, type)},
	{"matching", json_take_bool, offsetof(struct damos_filter, matching)},
	{"allow", json_take_bool, offsetof(struct damos_filter, allow)},
	{"filter_pass", json_take_bool, offsetof(struct damos_filter, allow)},
	{"memcg_path", json_take_path, offsetof(struct damos_filter, memcg_path)},
	{"address_range", take_address_range, 0},
	{"addr_start", json_take_bytes, offsetof(struct damos_filter, addr_start)},
	{"addr_end", json_take_bytes, offsetof(struct damos_filter, addr_end)},
	{"hugepage_size", take_sz_pair, 0},
	{"min", json_take_bytes, offsetof(struct damos_filter, sz_min)},
	{"max", json_take_bytes, offsetof(struct damos_filter, sz_max)},
	{"damon_target_idx", json_take_u32, offsetof(struct damos_filter, target_idx)},
	{"probe_hits_wsum_range", take_no_such, 0},
	{NULL},
};

static int take_filter(struct json_reader *r, const json_t *value, void *to)
{
	struct damos *scheme = to;
	struct damos_filter *filter = &scheme->filters[scheme->nr_filters];
	int ret;

	if (scheme->nr_filters == DAMOS_MAX_FILTERS)
		return json_refuse(r, value, "at most 16 filters");
	memset(filter, 0, sizeof(*filter));
	ret = json_take_object(r, value, filter_keys, filter);
	if (ret)
		return ret;
	if (!json_object_get(value, "filter_type") && !json_object_get(value, "type"))
		return json_refuse(r, value, "a 'filter_type'");
	scheme->nr_filters++;
	return 0;
}

static int take_filters(struct json_reader *r, const json_t *value, void *to)
{
	return json_take_list(r, value, take_filter, to);
}

static int take_filter_of(struct json_reader *r, const json_t *value, void *to, bool core)
{
	struct damos *scheme = to;
	int ret = take_filter(r, value, to);

	if (!ret && DAMOS_FILTER_IS_CORE(scheme->filters[scheme->nr_filters - 1].type) != core)
		ret = json_refuse(r, value,
				  core ? "a filter of type addr or target"
				       : "a filter of another type than addr and target");
	return ret;
}

static int take_core_filter(struct json_reader *r, const json_t *value, void *to)
{
	return take_filter_of(r, value, to, true);
}

static int take_ops_filter(struct json_reader *r, const json_t *value, void *to)
{
	return take_filter_of(r, value, to, false);
}

static int take_core_filters(struct json_reader *r, const json_t *value, void *to)
{
	return json_take_list(r, value, take_core_filter, to);
}

static int take_ops_filters(struct json_reader *r, const json_t *value, void *to)
{
	return json_take_list(r, value, take_ops_filter, to);
}

/* The rest. */

static int take_dest(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"id", json_take_s32, offsetof(struct damos_dest, nid)},
		{"weight", json_take_u32, offsetof(struct damos_dest, weight)},
		{NULL},
	};
	struct damos *scheme = to;

	if (scheme->nr_dests == DAMOS_MAX_DESTS)
		return json_refuse(r, value, "at most 8 destinations");
	memset(&scheme->dests[scheme->nr_dests], 0, sizeof(scheme->dests[0]));
	return json_take_object(r, value, keys, &scheme->dests[scheme->nr_dests++]);
}

static int take_dests(struct json_reader *r, const json_t *value, void *to)
{
	return json_take_list(r, value, take_dest, to);
}

static int take_action(struct json_reader *r, const json_t *value, void *to)
{
	return json_take_keyword(r, value, PARAMS_ACTION, to);
}

/* Among what was counted there is one parameter. */
static int take_stats(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"max_nr_snapshots", json_take_u64, 0},
		{"nr_tried", NULL},
		{"sz_tried", NULL},
		{"nr_applied", NULL},
		{"sz_applied", NULL},
		{"sz_ops_filter_passed", NULL},
		{"qt_exceeds", NULL},
		{"nr_snapshots", NULL},
		{NULL},
	};

	return json_take_object(r, value, keys, to);
}

static const struct json_key scheme_keys[] = {
	{"action", take_action, offsetof(struct params_scheme, values.action)},
	{"access_pattern", take_pattern, 0},
	{"apply_interval_us", json_take_us,
	 offsetof(struct params_scheme, values.apply_interval_us)},
	{"quotas", take_quotas, offsetof(struct params_scheme, values.quota)},
	{"watermarks", take_wmarks, offsetof(struct params_scheme, values.wmarks)},
	{"core_filters", take_core_filters, offsetof(struct params_scheme, values)},
	{"ops_filters", take_ops_filters, offsetof(struct params_scheme, values)},
	{"filters", take_filters, offsetof(struct params_scheme, values)},
	{"target_nid", json_take_s32, offsetof(struct params_scheme, values.target_nid)},
	{"dests", take_dests, offsetof(struct params_scheme, values)},
	{"max_nr_snapshots", json_take_u64,
	 offsetof(struct params_scheme, values.max_nr_snapshots)},
	{"stats", take_stats, offsetof(struct params_scheme, values.max_nr_snapshots)},
	{"tried_regions", NULL},
	{"tried_bytes", NULL},
	{NULL},
};

int params_scheme_from_json(const json_t *json, const char *where, const struct damon_attrs *attrs,
			    struct params_strings *strings, struct params_scheme *scheme,
			    struct damon_error *err)
{
	struct json_reader r = {.err = err, .attrs = attrs, .strings = strings};
	struct damon_error why;
	int ret;

	snprintf(r.path, sizeof(r.path), "%s", where);
	params_scheme_init(scheme);
	ret = json_take_object(&r, json, scheme_keys, scheme);
	if (ret)
		return ret;
	params_scheme_convert(scheme, attrs, &scheme->values.pattern);
	ret = params_scheme_check(&scheme->values, &why);
	return ret ? damon_error_set(err, ret, "%s: %.400s", where, why.text) : 0;
}
