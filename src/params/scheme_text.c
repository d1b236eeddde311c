// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The parser of schemes on the command line. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "params/names.h"
#include "params/scheme_text.h"
#include "params/values.h"

/* One scheme being read; @key is the one whose value is looked at. */
struct reader {
	const struct damon_attrs *attrs;
	struct params_strings *strings;
	struct params_scheme *scheme;
	struct damon_error *err;
	const char *key;
	bool weights_given;
};

typedef int (*parse_fn)(const char *text, uint64_t *value);

static int expected(const struct reader *r, const char *value, const char *what)
{
	return damon_error_set(r->err, -EINVAL, "%s '%s': expected %s", r->key, value, what);
}

static int expected_keyword(const struct reader *r, const char *value, enum params_keyword kind)
{
	char names[256], what[300];

	snprintf(what, sizeof(what), "one of %s", params_names(kind, names, sizeof(names)));
	return expected(r, value, what);
}

static int no_memory(const struct reader *r)
{
	return damon_error_set(r->err, -ENOMEM, "no memory for a scheme");
}

/* A time for which nothing needs no unit. */
static int parse_duration(const char *text, uint64_t *us)
{
	if (!strcmp(text, "0")) {
		*us = 0;
		return 0;
	}
	return parse_time(text, us);
}

/* Cuts @text at the first @separator; the rest, or NULL when there is none. */
static char *cut(char *text, char separator)
{
	char *at = strchr(text, separator);

	if (at)
		*at++ = '\0';
	return at;
}

static int take_bound(const char *text, parse_fn parse, uint64_t lowest, uint64_t highest,
		      uint64_t *value)
{
	int ret = 0;

	if (!strcmp(text, "min"))
		*value = lowest;
	else if (!strcmp(text, "max"))
		*value = highest;
	else
		ret = parse(text, value);
	if (!ret && *value > highest)
		ret = -ERANGE;
	return ret;
}

/* MIN..MAX, or one value that is both. */
static int take_range(const struct reader *r, const char *value, parse_fn parse, uint64_t highest,
		      const char *what, uint64_t *min, uint64_t *max)
{
	const char *dots = strstr(value, "..");
	char lower[64];
	size_t len = dots ? (size_t)(dots - value) : strlen(value);

	if (len >= sizeof(lower))
		return expected(r, value, what);
	memcpy(lower, value, len);
	lower[len] = '\0';
	if (take_bound(lower, parse, 0, highest, min) ||
	    take_bound(dots ? dots + 2 : lower, parse, 0, highest, max))
		return expected(r, value, what);
	if (*min > *max)
		return expected(r, value, "a lower bound that isn't above the upper one");
	return 0;
}

static int take_number(const struct reader *r, const char *value, parse_fn parse, uint64_t highest,
		       const char *what, uint64_t *number)
{
	if (parse(value, number) || *number > highest)
		return expected(r, value, what);
	return 0;
}

/* The keys. */

static int take_action(struct reader *r, char *value)
{
	int action = params_value(PARAMS_ACTION, value);

	if (action < 0)
		return expected_keyword(r, value, PARAMS_ACTION);
	r->scheme->values.action = (enum damos_action)action;
	return 0;
}

static int take_sz(struct reader *r, char *value)
{
	struct damos_access_pattern *pattern = &r->scheme->values.pattern;

	return take_range(r, value, parse_size, UINT64_MAX, "a range of sizes such as 4K..max",
			  &pattern->min_sz_region, &pattern->max_sz_region);
}

static int take_access(struct reader *r, char *value)
{
	r->scheme->access_is_share = true;
	return take_range(r, value, parse_percent, 10000, "a range of percentages such as 0%..20%",
			  &r->scheme->min_access_bp, &r->scheme->max_access_bp);
}

static int take_nr_accesses(struct reader *r, char *value)
{
	struct damos_access_pattern *pattern = &r->scheme->values.pattern;
	uint64_t min, max;
	int ret = take_range(r, value, parse_count, UINT32_MAX,
			     "a range of numbers of samples such as 0..5", &min, &max);

	if (ret)
		return ret;
	pattern->min_nr_accesses = (uint32_t)min;
	pattern->max_nr_accesses = (uint32_t)max;
	return 0;
}

static int take_age(struct reader *r, char *value)
{
	r->scheme->age_is_time = true;
	return take_range(r, value, parse_duration, UINT64_MAX, "a range of times such as 5s..max",
			  &r->scheme->min_age_us, &r->scheme->max_age_us);
}

static int take_apply(struct reader *r, char *value)
{
	return take_number(r, value, parse_duration, UINT64_MAX, "a time such as 500ms",
			   &r->scheme->values.apply_interval_us);
}

static int take_quota_sz(struct reader *r, char *value)
{
	return take_number(r, value, parse_size, UINT64_MAX, "a size such as 100M",
			   &r->scheme->values.quota.sz);
}

static int take_quota_ms(struct reader *r, char *value)
{
	return take_number(r, value, parse_count, UINT64_MAX / 1000000,
			   "a number of milliseconds such as 10", &r->scheme->values.quota.ms);
}

static int take_quota_reset(struct reader *r, char *value)
{
	uint64_t us;
	int ret = take_number(r, value, parse_duration, UINT64_MAX, "a time such as 1s", &us);

	if (!ret && us % 1000)
		ret = expected(r, value, "whole milliseconds");
	if (!ret)
		r->scheme->values.quota.reset_interval_ms = us / 1000;
	return ret;
}

/* Targets in the metric's unit; shares may be written as percentages, pressure as a time. */
static int take_target(const struct reader *r, const char *goal, const char *text,
		       enum damos_quota_goal_metric metric, uint64_t *target)
{
	bool share = metric >= DAMOS_GOAL_NODE_MEM_USED_BP;
	const char *what = "a target above 0";
	int ret;

	if (share && strchr(text, '%'))
		ret = parse_percent(text, target);
	else
		ret = parse_count(text, target);
	if (ret && metric == DAMOS_GOAL_SOME_MEM_PSI_US)
		ret = parse_time(text, target);
	if (share)
		what = "a target in basis points or percent, such as 500 or 5%";
	else if (metric == DAMOS_GOAL_SOME_MEM_PSI_US)
		what = "a target in microseconds or with a unit, such as 10ms";
	return ret || !*target ? expected(r, goal, what) : 0;
}

static int take_nid(const char *text, int32_t *nid)
{
	uint64_t value;

	if (parse_count(text, &value) || value > INT32_MAX)
		return -EINVAL;
	*nid = (int32_t)value;
	return 0;
}

static bool metric_has_node(enum damos_quota_goal_metric metric)
{
	return (metric >= DAMOS_GOAL_NODE_MEM_USED_BP && metric <= DAMOS_GOAL_NODE_MEMCG_FREE_BP) ||
	       metric == DAMOS_GOAL_NODE_ELIGIBLE_MEM_BP;
}

static bool metric_has_memcg(enum damos_quota_goal_metric metric)
{
	return metric == DAMOS_GOAL_NODE_MEMCG_USED_BP || metric == DAMOS_GOAL_NODE_MEMCG_FREE_BP;
}

/* METRIC:TARGET[:NID][:PATH] */
static int take_goal(struct reader *r, char *value)
{
	struct damos_quota *quota = &r->scheme->values.quota;
	struct damos_quota_goal *goal = &quota->goals[quota->nr_goals];
	char whole[256], *target, *node, *path = NULL;
	int metric, ret;

	snprintf(whole, sizeof(whole), "%s", value);
	if (quota->nr_goals == DAMOS_MAX_GOALS)
		return expected(r, whole, "at most 8 goals");
	memset(goal, 0, sizeof(*goal));
	target = cut(value, ':');
	if (!target)
		return expected(r, whole, "METRIC:TARGET");
	node = cut(target, ':');
	if (node)
		path = cut(node, ':');
	metric = params_value(PARAMS_GOAL_METRIC, value);
	if (metric < 0)
		return expected_keyword(r, value, PARAMS_GOAL_METRIC);
	goal->metric = (enum damos_quota_goal_metric)metric;
	ret = take_target(r, whole, target, goal->metric, &goal->target_value);
	if (ret)
		return ret;
	if (!metric_has_node(goal->metric) && node)
		return expected(r, whole, "no node with this metric");
	if (!metric_has_memcg(goal->metric) && path)
		return expected(r, whole, "no path with this metric");
	if (metric_has_memcg(goal->metric) && (!path || !*path))
		return expected(r, whole, "METRIC:TARGET:NID:PATH, PATH being a cgroup");
	if (node && take_nid(node, &goal->nid))
		return expected(r, whole, "the number of a node after the target");
	if (path && !is_utf8(path))
		return expected(r, whole, "a path in UTF-8");
	if (path) {
		goal->memcg_path = params_strings_add(r->strings, path, strlen(path));
		if (!goal->memcg_path)
			return no_memory(r);
	}
	quota->nr_goals++;
	return 0;
}

static int take_tuner(struct reader *r, char *value)
{
	int tuner = params_value(PARAMS_GOAL_TUNER, value);

	if (tuner < 0)
		return expected_keyword(r, value, PARAMS_GOAL_TUNER);
	r->scheme->values.quota.tuner = (enum damos_quota_goal_tuner)tuner;
	return 0;
}

/* Exactly @nr numbers of 32 bits with @separator between them. */
static int take_numbers(const struct reader *r, char *value, char separator, const char *what,
			uint32_t *numbers, unsigned int nr)
{
	char whole[256];
	unsigned int i;

	snprintf(whole, sizeof(whole), "%s", value);
	for (i = 0; i < nr; i++) {
		char *rest = cut(value, separator);
		uint64_t number;

		if (parse_count(value, &number) || number > UINT32_MAX || !rest != (i == nr - 1))
			return expected(r, whole, what);
		numbers[i] = (uint32_t)number;
		value = rest;
	}
	return 0;
}

static int take_weights(struct reader *r, char *value)
{
	struct damos_quota *quota = &r->scheme->values.quota;
	uint32_t weights[3];
	int ret =
		take_numbers(r, value, '/', "SZ/FREQ/AGE, three numbers such as 0/1/3", weights, 3);

	if (ret)
		return ret;
	quota->weight_sz = weights[0];
	quota->weight_nr_accesses = weights[1];
	quota->weight_age = weights[2];
	r->weights_given = true;
	return 0;
}

static int take_fail_charge(struct reader *r, char *value)
{
	struct damos_quota *quota = &r->scheme->values.quota;
	const char *what = "NUM/DENOM, two numbers such as 1/10, DENOM above 0";
	uint32_t numbers[2];
	char whole[64];
	int ret;

	snprintf(whole, sizeof(whole), "%s", value);
	ret = take_numbers(r, value, '/', what, numbers, 2);
	if (!ret && !numbers[1])
		ret = expected(r, whole, what);
	if (ret)
		return ret;
	quota->fail_charge_num = numbers[0];
	quota->fail_charge_denom = numbers[1];
	return 0;
}

/* A level of a watermark: per mille, or a percentage. */
static int parse_permil(const char *text, uint64_t *permil)
{
	uint64_t bp;
	int ret;

	if (!strchr(text, '%'))
		return parse_count(text, permil);
	ret = parse_percent(text, &bp);
	if (!ret && bp % 10)
		ret = -ERANGE;
	if (!ret)
		*permil = bp / 10;
	return ret;
}

static int take_wmarks(struct reader *r, char *value)
{
	const char *what = "METRIC:INTERVAL:HIGH:MID:LOW such as free_mem_rate:5s:500:400:200, "
			   "levels in per mille from the highest down";
	struct damos_watermarks *wmarks = &r->scheme->values.wmarks;
	uint64_t *const levels[] = {&wmarks->high, &wmarks->mid, &wmarks->low};
	char whole[256], *at;
	unsigned int i;
	int metric;

	snprintf(whole, sizeof(whole), "%s", value);
	at = cut(value, ':');
	metric = params_value(PARAMS_WMARK_METRIC, value);
	if (metric < 0)
		return expected_keyword(r, value, PARAMS_WMARK_METRIC);
	wmarks->metric = (enum damos_wmark_metric)metric;
	if (!at)
		return metric == DAMOS_WMARK_NONE ? 0 : expected(r, whole, what);
	value = at;
	at = cut(value, ':');
	if (parse_time(value, &wmarks->interval_us))
		return expected(r, whole, what);
	for (i = 0; i < 3; i++) {
		value = at;
		if (!value)
			return expected(r, whole, what);
		at = cut(value, ':');
		if (parse_permil(value, levels[i]) || *levels[i] > 1000)
			return expected(r, whole, what);
	}
	if (at || wmarks->low > wmarks->mid || wmarks->mid > wmarks->high)
		return expected(r, whole, what);
	return 0;
}

static int take_filter_argument(const struct reader *r, const char *whole, const char *argument,
				struct damos_filter *filter)
{
	struct damon_addr_range range;
	uint64_t index;

	switch (filter->type) {
	case DAMOS_FILTER_MEMCG:
		if (!argument || !*argument)
			return expected(r, whole, "memcg:PATH:allow or memcg:PATH:reject");
		if (!is_utf8(argument))
			return expected(r, whole, "a path in UTF-8");
		filter->memcg_path = params_strings_add(r->strings, argument, strlen(argument));
		return filter->memcg_path ? 0 : no_memory(r);
	case DAMOS_FILTER_HUGEPAGE_SIZE:
		if (!argument)
			return expected(r, whole, "hugepage_size:MIN..MAX:allow or ...:reject");
		return take_range(r, argument, parse_size, UINT64_MAX,
				  "a range of sizes such as 2M..1G", &filter->sz_min,
				  &filter->sz_max);
	case DAMOS_FILTER_ADDR:
		if (!argument || parse_range(argument, &range))
			return expected(r, whole,
					"addr:START-END:allow or ...:reject, hexadecimal");
		filter->addr_start = range.start;
		filter->addr_end = range.end;
		return 0;
	case DAMOS_FILTER_TARGET:
		if (!argument || parse_count(argument, &index) || index > UINT32_MAX)
			return expected(r, whole, "target:INDEX:allow or target:INDEX:reject");
		filter->target_idx = (uint32_t)index;
		return 0;
	default:
		return argument ? expected(r, whole, "no argument with this type") : 0;
	}
}

/* [!]TYPE[:ARG]:allow|reject; ARG may have colons. */
static int take_filter(struct reader *r, char *value)
{
	struct damos *scheme = &r->scheme->values;
	struct damos_filter *filter = &scheme->filters[scheme->nr_filters];
	char whole[256], *verdict, *argument;
	int type, ret;

	snprintf(whole, sizeof(whole), "%s", value);
	if (scheme->nr_filters == DAMOS_MAX_FILTERS)
		return expected(r, whole, "at most 16 filters");
	memset(filter, 0, sizeof(*filter));
	verdict = strrchr(value, ':');
	if (!verdict || (strcmp(verdict, ":allow") && strcmp(verdict, ":reject")))
		return expected(r, whole, "[!]TYPE[:ARG]:allow or ...:reject");
	filter->allow = !strcmp(verdict, ":allow");
	*verdict = '\0';
	filter->matching = *value != '!';
	if (!filter->matching)
		value++;
	argument = cut(value, ':');
	type = params_value(PARAMS_FILTER_TYPE, value);
	if (type < 0)
		return expected_keyword(r, value, PARAMS_FILTER_TYPE);
	filter->type = (enum damos_filter_type)type;
	ret = take_filter_argument(r, whole, argument, filter);
	if (!ret)
		scheme->nr_filters++;
	return ret;
}

static int take_target_nid(struct reader *r, char *value)
{
	if (take_nid(value, &r->scheme->values.target_nid))
		return expected(r, value, "the number of a node");
	return 0;
}

static int take_dests(struct reader *r, char *value)
{
	const char *what = "NID:WEIGHT/NID:WEIGHT/..., at most 8";
	struct damos *scheme = &r->scheme->values;
	char whole[256];

	snprintf(whole, sizeof(whole), "%s", value);
	while (value) {
		struct damos_dest *dest = &scheme->dests[scheme->nr_dests];
		char *rest = cut(value, '/');
		char *weight = cut(value, ':');
		uint64_t number;

		if (scheme->nr_dests == DAMOS_MAX_DESTS || !weight || take_nid(value, &dest->nid) ||
		    parse_count(weight, &number) || number > UINT32_MAX)
			return expected(r, whole, what);
		dest->weight = (uint32_t)number;
		scheme->nr_dests++;
		value = rest;
	}
	return 0;
}

static int take_max_snapshots(struct reader *r, char *value)
{
	return take_number(r, value, parse_count, UINT64_MAX, "a number of snapshots",
			   &r->scheme->values.max_nr_snapshots);
}

static const struct key {
	const char *name;
	int (*take)(struct reader *r, char *value);
	bool repeatable;
} keys[] = {
	{"action", take_action},
	{"sz", take_sz},
	{"access", take_access},
	{"nr_accesses", take_nr_accesses},
	{"age", take_age},
	{"apply", take_apply},
	{"quota_sz", take_quota_sz},
	{"quota_ms", take_quota_ms},
	{"quota_reset", take_quota_reset},
	{"goal", take_goal, true},
	{"tuner", take_tuner},
	{"weights", take_weights},
	{"fail_charge", take_fail_charge},
	{"wmarks", take_wmarks},
	{"filter", take_filter, true},
	{"nid", take_target_nid},
	{"dests", take_dests},
	{"max_snapshots", take_max_snapshots},
};

#define NR_KEYS (sizeof(keys) / sizeof(keys[0]))

static int find_key(const char *name)
{
	size_t i;

	for (i = 0; i < NR_KEYS; i++)
		if (!strcmp(keys[i].name, name))
			return (int)i;
	return -EINVAL;
}

static int unknown_key(const char *name, struct damon_error *err)
{
	char names[256] = "";
	size_t i, used = 0;

	for (i = 0; i < NR_KEYS; i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", i ? ", " : "",
					 keys[i].name);
	return damon_error_set(err, -EINVAL, "unknown key '%s': expected one of %s", name, names);
}

static int take_pairs(struct reader *r, char *text)
{
	bool seen[NR_KEYS] = {false};
	char *rest;
	int ret;

	for (; text; text = rest) {
		char *value;
		int key;

		rest = cut(text, ',');
		value = cut(text, '=');
		if (!value)
			return damon_error_set(r->err, -EINVAL, "'%s': expected KEY=VALUE", text);
		key = find_key(text);
		if (key < 0)
			return unknown_key(text, r->err);
		r->key = text;
		if (seen[key] && !keys[key].repeatable)
			return expected(r, value, "this key only once");
		seen[key] = true;
		ret = keys[key].take(r, value);
		if (ret)
			return ret;
	}
	if (!seen[find_key("action")])
		return damon_error_set(r->err, -EINVAL,
				       "expected action=..., for instance action=stat");
	if (seen[find_key("access")] && seen[find_key("nr_accesses")])
		return damon_error_set(
			r->err, -EINVAL,
			"access and nr_accesses: expected one of them, they say the same");
	return 0;
}

/*
 * The coldest (or hottest) first is what somebody who sets a quota means, without having to know of
 * weights.
 */
static void default_weights(struct damos_quota *quota)
{
	if (quota->ms || quota->sz || quota->nr_goals)
		quota->weight_sz = quota->weight_nr_accesses = quota->weight_age = 1;
}

int params_scheme_parse(const char *text, const struct damon_attrs *attrs,
			struct params_strings *strings, struct params_scheme *scheme,
			struct damon_error *err)
{
	struct reader r = {
		.attrs = attrs,
		.strings = strings,
		.scheme = scheme,
		.err = err,
	};
	char *copy = strdup(text);
	int ret;

	if (!copy)
		return no_memory(&r);
	params_scheme_init(scheme);
	ret = take_pairs(&r, copy);
	free(copy);
	if (ret)
		return ret;
	if (!r.weights_given)
		default_weights(&scheme->values.quota);
	params_scheme_convert(scheme, attrs, &scheme->values.pattern);
	return params_scheme_check(&scheme->values, err);
}
