// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Schemes before any context has them: made, converted, checked, installed. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <udamon/ops.h>

#include "params/names.h"
#include "params/scheme.h"

const char *params_strings_add(struct params_strings *strings, const char *text, size_t len)
{
	char **list = realloc(strings->list, (strings->nr + 1) * sizeof(*list));
	char *copy;

	if (!list)
		return NULL;
	strings->list = list;
	copy = strndup(text, len);
	if (copy)
		strings->list[strings->nr++] = copy;
	return copy;
}

void params_strings_free(struct params_strings *strings)
{
	size_t i;

	for (i = 0; i < strings->nr; i++)
		free(strings->list[i]);
	free(strings->list);
	memset(strings, 0, sizeof(*strings));
}

void params_schemes_free(struct params_schemes *schemes)
{
	free(schemes->list);
	params_strings_free(&schemes->strings);
	memset(schemes, 0, sizeof(*schemes));
}

struct params_scheme *params_schemes_add(struct params_schemes *schemes)
{
	struct params_scheme *list =
		realloc(schemes->list, (schemes->nr + 1) * sizeof(*schemes->list));

	if (!list)
		return NULL;
	schemes->list = list;
	params_scheme_init(&list[schemes->nr]);
	return &list[schemes->nr++];
}

int params_schemes_move(struct params_schemes *schemes, struct params_schemes *from)
{
	struct params_strings *strings = &schemes->strings;
	struct params_scheme *list;
	char **texts;

	if (from->strings.nr) {
		texts = realloc(strings->list, (strings->nr + from->strings.nr) * sizeof(*texts));
		if (!texts)
			return -ENOMEM;
		strings->list = texts;
	}
	if (from->nr) {
		list = realloc(schemes->list, (schemes->nr + from->nr) * sizeof(*list));
		if (!list)
			return -ENOMEM;
		schemes->list = list;
		memcpy(list + schemes->nr, from->list, from->nr * sizeof(*list));
		schemes->nr += from->nr;
	}
	if (from->strings.nr)
		memcpy(strings->list + strings->nr, from->strings.list,
		       from->strings.nr * sizeof(*texts));
	strings->nr += from->strings.nr;
	from->strings.nr = 0;
	params_schemes_free(from);
	return 0;
}

void params_scheme_init(struct params_scheme *scheme)
{
	memset(scheme, 0, sizeof(*scheme));
	damos_default_values(&scheme->values);
	scheme->max_access_bp = 10000;
	scheme->max_age_us = UINT64_MAX;
}

/* From what was written to what the core compares. */

static uint32_t limit_u32(uint64_t value)
{
	return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

/* Rounded to the inside; nothing in between leaves the lower bound. */
static void convert_range(uint64_t min, uint64_t max, uint64_t unit, uint64_t per, uint32_t *lower,
			  uint32_t *upper)
{
	unsigned __int128 low = ((unsigned __int128)min * per + unit - 1) / unit;
	unsigned __int128 high = (unsigned __int128)max * per / unit;

	*lower = limit_u32(low > UINT64_MAX ? UINT64_MAX : (uint64_t)low);
	*upper = limit_u32(high > UINT64_MAX ? UINT64_MAX : (uint64_t)high);
	if (*upper < *lower)
		*upper = *lower;
}

bool params_scheme_convert(const struct params_scheme *scheme, const struct damon_attrs *attrs,
			   struct damos_access_pattern *pattern)
{
	struct damos_access_pattern old = *pattern;
	uint64_t aggr_us = attrs->aggr_interval ? attrs->aggr_interval : 1;

	if (scheme->access_is_share) {
		convert_range(scheme->min_access_bp, scheme->max_access_bp, 10000,
			      damon_nr_samples_per_aggr(attrs), &pattern->min_nr_accesses,
			      &pattern->max_nr_accesses);
		if (scheme->max_access_bp >= 10000)
			pattern->max_nr_accesses = UINT32_MAX;
	}
	if (scheme->age_is_time) {
		convert_range(scheme->min_age_us, scheme->max_age_us, aggr_us, 1,
			      &pattern->min_age_region, &pattern->max_age_region);
		if (scheme->max_age_us == UINT64_MAX)
			pattern->max_age_region = UINT32_MAX;
	}
	return old.min_nr_accesses != pattern->min_nr_accesses ||
	       old.max_nr_accesses != pattern->max_nr_accesses ||
	       old.min_age_region != pattern->min_age_region ||
	       old.max_age_region != pattern->max_age_region;
}

/* What can't be. */

static int check_range(const char *what, uint64_t min, uint64_t max, struct damon_error *err)
{
	if (min <= max)
		return 0;
	return damon_error_set(err, -EINVAL,
			       "%s '%" PRIu64 "..%" PRIu64 "': the lower bound is above the upper",
			       what, min, max);
}

static int check_pattern(const struct damos_access_pattern *pattern, struct damon_error *err)
{
	int ret = check_range("size", pattern->min_sz_region, pattern->max_sz_region, err);

	if (!ret)
		ret = check_range("accesses", pattern->min_nr_accesses, pattern->max_nr_accesses,
				  err);
	if (!ret)
		ret = check_range("age", pattern->min_age_region, pattern->max_age_region, err);
	return ret;
}

static int check_wmarks(const struct damos_watermarks *wmarks, struct damon_error *err)
{
	if (wmarks->metric == DAMOS_WMARK_NONE ||
	    (wmarks->low <= wmarks->mid && wmarks->mid <= wmarks->high))
		return 0;
	return damon_error_set(
		err, -EINVAL,
		"watermarks '%" PRIu64 ":%" PRIu64 ":%" PRIu64
		"': the high one must not be below the middle one, nor that below the low one",
		wmarks->high, wmarks->mid, wmarks->low);
}

static bool goal_of_node(enum damos_quota_goal_metric metric)
{
	return metric >= DAMOS_GOAL_NODE_MEM_USED_BP && metric <= DAMOS_GOAL_NODE_MEMCG_FREE_BP;
}

static int check_goal(const struct damos_quota_goal *goal, struct damon_error *err)
{
	const char *name = params_name(PARAMS_GOAL_METRIC, goal->metric);

	if (!goal->target_value)
		return damon_error_set(err, -EINVAL, "goal '%s': its target must be above 0", name);
	if (goal_of_node(goal->metric) && goal->nid < 0)
		return damon_error_set(err, -EINVAL, "goal '%s': node '%" PRId32 "' can't be", name,
				       goal->nid);
	if ((goal->metric == DAMOS_GOAL_NODE_MEMCG_USED_BP ||
	     goal->metric == DAMOS_GOAL_NODE_MEMCG_FREE_BP) &&
	    !goal->memcg_path)
		return damon_error_set(err, -EINVAL, "goal '%s': a cgroup's path is missing", name);
	return 0;
}

static int check_filter(const struct damos_filter *filter, struct damon_error *err)
{
	if (filter->type == DAMOS_FILTER_MEMCG && !filter->memcg_path)
		return damon_error_set(err, -EINVAL, "filter 'memcg': a cgroup's path is missing");
	if (filter->type == DAMOS_FILTER_ADDR && filter->addr_start >= filter->addr_end)
		return damon_error_set(err, -EINVAL,
				       "filter 'addr': the range '0x%" PRIx64 "-0x%" PRIx64
				       "' is empty",
				       filter->addr_start, filter->addr_end);
	if (filter->type == DAMOS_FILTER_HUGEPAGE_SIZE && filter->sz_min > filter->sz_max)
		return check_range("filter 'hugepage_size': size", filter->sz_min, filter->sz_max,
				   err);
	return 0;
}

static int check_dests(const struct damos *scheme, struct damon_error *err)
{
	uint64_t weights = 0;
	uint32_t i;

	if (scheme->action != DAMOS_MIGRATE_HOT && scheme->action != DAMOS_MIGRATE_COLD)
		return 0;
	if (!scheme->nr_dests && scheme->target_nid < 0)
		return damon_error_set(err, -EINVAL,
				       "action '%s' needs a node to move memory to: nid or dests",
				       params_name(PARAMS_ACTION, scheme->action));
	for (i = 0; i < scheme->nr_dests; i++) {
		if (scheme->dests[i].nid < 0)
			return damon_error_set(err, -EINVAL, "dests: node '%" PRId32 "' can't be",
					       scheme->dests[i].nid);
		weights += scheme->dests[i].weight;
	}
	if (scheme->nr_dests && !weights)
		return damon_error_set(err, -EINVAL,
				       "dests: all weights are 0, so nothing would be moved");
	return 0;
}

int params_scheme_check(const struct damos *scheme, struct damon_error *err)
{
	int ret = check_pattern(&scheme->pattern, err);
	uint32_t i;

	if (!ret)
		ret = check_wmarks(&scheme->wmarks, err);
	for (i = 0; i < scheme->quota.nr_goals && !ret; i++)
		ret = check_goal(&scheme->quota.goals[i], err);
	for (i = 0; i < scheme->nr_filters && !ret; i++)
		ret = check_filter(&scheme->filters[i], err);
	if (!ret)
		ret = check_dests(scheme, err);
	return ret;
}

/* Into a context. */

static bool has_action(const struct damon_operations *ops, const struct damos *scheme)
{
	return scheme->action == DAMOS_STAT ||
	       (ops->apply_scheme && ops->actions & 1U << scheme->action);
}

static bool has_filter(const struct damon_operations *ops, enum damos_filter_type type)
{
	return DAMOS_FILTER_IS_CORE(type) || (ops->apply_scheme && ops->filters & 1U << type);
}

bool params_scheme_supported(const struct damon_operations *ops, const struct damos *scheme)
{
	uint32_t i;

	for (i = 0; i < scheme->nr_filters; i++)
		if (!has_filter(ops, scheme->filters[i].type))
			return false;
	return has_action(ops, scheme);
}

static int unsupported(const struct damon_operations *ops, const struct damos *scheme, int code,
		       struct damon_error *err)
{
	uint32_t i = 0;

	if (!has_action(ops, scheme))
		return damon_error_set(err, code, "action '%s': '%s' can't do that",
				       params_name(PARAMS_ACTION, scheme->action), ops->name);
	while (has_filter(ops, scheme->filters[i].type))
		i++;
	return damon_error_set(err, code, "filter '%s': '%s' can't test that",
			       params_name(PARAMS_FILTER_TYPE, scheme->filters[i].type), ops->name);
}

/* A metric that can't be read: which one is certain only when there is just one. */
static int unreadable(const struct damos *scheme, int code, struct damon_error *err)
{
	const struct damos_quota_goal *found = NULL;
	uint32_t i, nr = scheme->wmarks.metric != DAMOS_WMARK_NONE;

	for (i = 0; i < scheme->quota.nr_goals; i++) {
		const struct damos_quota_goal *goal = &scheme->quota.goals[i];

		if (goal->metric == DAMOS_GOAL_USER_INPUT)
			continue;
		found = goal;
		nr++;
	}
	if (nr != 1)
		return damon_error_set(err, code,
				       nr ? "one of its goals or watermarks can't be read: %s"
					  : "refused: %s",
				       strerror(-code));
	if (!found)
		return damon_error_set(err, code, "watermarks: free memory can't be read: %s",
				       strerror(-code));
	return damon_error_set(err, code, "goal '%s'%s%s%s: it can't be read: %s",
			       params_name(PARAMS_GOAL_METRIC, found->metric),
			       found->memcg_path ? " of cgroup '" : "",
			       found->memcg_path ? found->memcg_path : "",
			       found->memcg_path ? "'" : "", strerror(-code));
}

int params_scheme_refused(const struct damon_operations *ops, const struct damos *scheme, int code,
			  struct damon_error *err)
{
	uint32_t i;

	if (code == -ENOMEM)
		return damon_error_set(err, code, "no memory for a scheme");
	if (code == -EINVAL && params_scheme_check(scheme, err))
		return code;
	if (code == -EOPNOTSUPP && ops && !params_scheme_supported(ops, scheme))
		return unsupported(ops, scheme, code, err);
	if (ops && ops->check_scheme && params_scheme_supported(ops, scheme) &&
	    ops->check_scheme(scheme, err) == code)
		return code;
	for (i = 0; i < scheme->quota.nr_goals && code == -EINVAL; i++)
		if (scheme->quota.goals[i].metric == DAMOS_GOAL_NODE_ELIGIBLE_MEM_BP)
			return damon_error_set(err, code,
					       "goal 'node_eligible_mem_bp': only 'paddr' has it");
	return unreadable(scheme, code, err);
}

int params_scheme_install(struct damon_ctx *ctx, const struct params_scheme *scheme,
			  struct damon_error *err)
{
	const struct damos *from = &scheme->values;
	struct damos *new;
	int ret = damon_new_scheme(&new, ctx->lib);

	if (ret)
		return damon_error_set(err, ret, "no memory for a scheme");
	new->pattern = from->pattern;
	new->action = from->action;
	new->apply_interval_us = from->apply_interval_us;
	new->quota = from->quota;
	new->quota.esz = 0;
	new->wmarks = from->wmarks;
	new->nr_filters = from->nr_filters;
	memcpy(new->filters, from->filters, sizeof(new->filters));
	new->target_nid = from->target_nid;
	new->nr_dests = from->nr_dests;
	memcpy(new->dests, from->dests, sizeof(new->dests));
	new->max_nr_snapshots = from->max_nr_snapshots;
	ret = damon_add_scheme(ctx, new);
	if (!ret)
		return 0;
	params_scheme_refused(ctx->ops, new, ret, err);
	damon_free_scheme(new);
	return ret;
}
