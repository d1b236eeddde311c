// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Writing parameters into the tree's files. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "params/names.h"
#include "sysfs/stage.h"

/* struct stage - a directory that is written to, and the first thing that went wrong in it */
struct stage {
	struct sysfs_tree *tree;
	char dir[SYSFS_PATH_MAX];
	int *ret;
	struct damon_error *err;
};

int sysfs_put(struct sysfs_tree *tree, const char *path, const char *value, struct damon_error *err)
{
	int ret = sysfs_write(tree, path, value, strlen(value), NULL);

	return ret ? damon_error_set(err, ret, "'%s' can't be written to '%s': %s", value, path,
				     strerror(-ret))
		   : 0;
}

int sysfs_change(struct sysfs_tree *tree, uint32_t kdamond, const char *word,
		 struct damon_error *err)
{
	char path[SYSFS_PATH_MAX];
	struct sysfs_text why = {NULL, 0};
	int ret;

	snprintf(path, sizeof(path), SYSFS_KDAMONDS "/%u/state", kdamond);
	ret = sysfs_put(tree, path, word, err);
	if (!ret)
		return 0;
	snprintf(path, sizeof(path), "/udamon/kdamonds/%u/error", kdamond);
	if (!sysfs_read(tree, path, &why)) {
		why.data[strcspn(why.data, "\n")] = '\0';
		if (why.data[0])
			damon_error_set(err, ret, "'%s' is refused: %s", word, why.data);
	}
	sysfs_text_free(&why);
	return ret;
}

static void put_text(struct stage *stage, const char *file, const char *value)
{
	char path[2 * SYSFS_PATH_MAX];

	if (*stage->ret)
		return;
	snprintf(path, sizeof(path), "%s/%s", stage->dir, file);
	*stage->ret = sysfs_put(stage->tree, path, value ? value : "", stage->err);
}

static void put(struct stage *stage, const char *file, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	put_text(stage, file, text);
}

static void put_signed(struct stage *stage, const char *file, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	put_text(stage, file, text);
}

static void put_bool(struct stage *stage, const char *file, bool value)
{
	put_text(stage, file, value ? "Y" : "N");
}

static void put_name(struct stage *stage, const char *file, enum params_keyword kind,
		     unsigned int value)
{
	put_text(stage, file, params_name(kind, value));
}

/* A path is written only where there is one: not all trees take an empty line. */
static void put_path(struct stage *stage, const char *file, const char *value)
{
	if (value && *value)
		put_text(stage, file, value);
}

__attribute__((format(printf, 2, 3))) static struct stage below(const struct stage *stage,
								const char *fmt, ...)
{
	struct stage new = *stage;
	size_t len = strlen(new.dir);
	va_list ap;

	va_start(ap, fmt);
	new.dir[len] = '/';
	vsnprintf(new.dir + len + 1, sizeof(new.dir) - len - 1, fmt, ap);
	va_end(ap);
	return new;
}

static void stage_attrs(const struct stage *ctx, const struct params_ctx *params)
{
	struct stage attrs = below(ctx, "monitoring_attrs");
	const struct damon_attrs *values = &params->attrs;

	put(&attrs, "intervals/sample_us", values->sample_interval);
	put(&attrs, "intervals/aggr_us", values->aggr_interval);
	put(&attrs, "intervals/update_us", values->ops_update_interval);
	put(&attrs, "intervals/intervals_goal/access_bp", values->intervals_goal.access_bp);
	put(&attrs, "intervals/intervals_goal/aggrs", values->intervals_goal.aggrs);
	put(&attrs, "intervals/intervals_goal/min_sample_us", values->intervals_goal.min_sample_us);
	put(&attrs, "intervals/intervals_goal/max_sample_us", values->intervals_goal.max_sample_us);
	put(&attrs, "nr_regions/min", values->min_nr_regions);
	put(&attrs, "nr_regions/max", values->max_nr_regions);
	put(&attrs, "probes/nr_probes", params->nr_probes);
	for (uint32_t i = 0; i < params->nr_probes; i++) {
		const struct damon_probe *from = &params->probes[i];
		struct stage probe = below(&attrs, "probes/%u", i);

		put(&probe, "weight", from->weight);
		put(&probe, "filters/nr_filters", from->nr_filters);
		for (uint32_t j = 0; j < from->nr_filters; j++) {
			struct stage filter = below(&probe, "filters/%u", j);

			put_name(&filter, "type", PARAMS_PROBE_FILTER, from->filters[j].type);
			put_bool(&filter, "matching", from->filters[j].matching);
			put_bool(&filter, "allow", from->filters[j].allow);
			put_path(&filter, "path", from->filters[j].memcg_path);
		}
	}
}

static void stage_targets(const struct stage *ctx, const struct params_ctx *params)
{
	struct stage targets = below(ctx, "targets");

	put(&targets, "nr_targets", params->nr_targets);
	for (size_t i = 0; i < params->nr_targets; i++) {
		const struct params_target *from = &params->targets[i];
		struct stage target = below(&targets, "%zu", i);

		put_signed(&target, "pid_target", from->pid);
		put_bool(&target, "obsolete_target", from->obsolete);
		put(&target, "regions/nr_regions", from->nr_regions);
		for (size_t j = 0; j < from->nr_regions; j++) {
			struct stage region = below(&target, "regions/%zu", j);

			put(&region, "start", from->regions[j].start);
			put(&region, "end", from->regions[j].end);
		}
	}
}

static void stage_quota(const struct stage *scheme, const struct damos_quota *from)
{
	struct stage quota = below(scheme, "quotas");

	put(&quota, "ms", from->ms);
	put(&quota, "bytes", from->sz);
	put(&quota, "reset_interval_ms", from->reset_interval_ms);
	put_name(&quota, "goal_tuner", PARAMS_GOAL_TUNER, from->tuner);
	put(&quota, "fail_charge_num", from->fail_charge_num);
	put(&quota, "fail_charge_denom", from->fail_charge_denom);
	put(&quota, "weights/sz_permil", from->weight_sz);
	put(&quota, "weights/nr_accesses_permil", from->weight_nr_accesses);
	put(&quota, "weights/age_permil", from->weight_age);
	put(&quota, "goals/nr_goals", from->nr_goals);
	for (uint32_t i = 0; i < from->nr_goals; i++) {
		struct stage goal = below(&quota, "goals/%u", i);

		put_name(&goal, "target_metric", PARAMS_GOAL_METRIC, from->goals[i].metric);
		put(&goal, "target_value", from->goals[i].target_value);
		put(&goal, "current_value", from->goals[i].current_value);
		put_signed(&goal, "nid", from->goals[i].nid);
		put_path(&goal, "path", from->goals[i].memcg_path);
	}
}

static void stage_filter(struct stage *filter, const struct damos_filter *from)
{
	put_name(filter, "type", PARAMS_FILTER_TYPE, from->type);
	put_bool(filter, "matching", from->matching);
	put_bool(filter, "allow", from->allow);
	put_path(filter, "memcg_path", from->memcg_path);
	put(filter, "addr_start", from->addr_start);
	put(filter, "addr_end", from->addr_end);
	put(filter, "min", from->sz_min);
	put(filter, "max", from->sz_max);
	put(filter, "damon_target_idx", from->target_idx);
}

/* The core's in one directory, the operations set's in the other, each in order. */
static void stage_filters(const struct stage *scheme, const struct damos *from)
{
	static const char *const dirs[] = {"ops_filters", "core_filters"};

	for (int core = 0; core < 2; core++) {
		struct stage filters = below(scheme, "%s", dirs[core]);
		uint32_t nr = 0;

		for (uint32_t i = 0; i < from->nr_filters; i++)
			nr += DAMOS_FILTER_IS_CORE(from->filters[i].type) == core;
		put(&filters, "nr_filters", nr);
		nr = 0;
		for (uint32_t i = 0; i < from->nr_filters; i++) {
			struct stage filter = below(&filters, "%u", nr);

			if (DAMOS_FILTER_IS_CORE(from->filters[i].type) != core)
				continue;
			stage_filter(&filter, &from->filters[i]);
			nr++;
		}
	}
}

static void stage_pattern(const struct stage *scheme, const struct damos_access_pattern *from)
{
	struct stage pattern = below(scheme, "access_pattern");

	put(&pattern, "sz/min", from->min_sz_region);
	put(&pattern, "sz/max", from->max_sz_region);
	put(&pattern, "nr_accesses/min", from->min_nr_accesses);
	put(&pattern, "nr_accesses/max", from->max_nr_accesses);
	put(&pattern, "age/min", from->min_age_region);
	put(&pattern, "age/max", from->max_age_region);
}

static void stage_scheme(struct stage *scheme, const struct damos *from)
{
	put_name(scheme, "action", PARAMS_ACTION, from->action);
	put_signed(scheme, "target_nid", from->target_nid);
	put(scheme, "apply_interval_us", from->apply_interval_us);
	put_name(scheme, "watermarks/metric", PARAMS_WMARK_METRIC, from->wmarks.metric);
	put(scheme, "watermarks/interval_us", from->wmarks.interval_us);
	put(scheme, "watermarks/high", from->wmarks.high);
	put(scheme, "watermarks/mid", from->wmarks.mid);
	put(scheme, "watermarks/low", from->wmarks.low);
	put(scheme, "stats/max_nr_snapshots", from->max_nr_snapshots);
	put(scheme, "dests/nr_dests", from->nr_dests);
	for (uint32_t i = 0; i < from->nr_dests; i++) {
		struct stage dest = below(scheme, "dests/%u", i);

		put_signed(&dest, "id", from->dests[i].nid);
		put(&dest, "weight", from->dests[i].weight);
	}
	stage_pattern(scheme, &from->pattern);
	stage_quota(scheme, &from->quota);
	stage_filters(scheme, from);
}

static void stage_context(const struct stage *ctx, const struct params_ctx *params)
{
	struct stage here = *ctx;
	struct stage schemes = below(ctx, "schemes");

	put_name(&here, "operations", PARAMS_OPS, params->ops);
	put(&here, "addr_unit", params->attrs.addr_unit);
	put_bool(&here, "pause", params->pause);
	stage_attrs(ctx, params);
	stage_targets(ctx, params);
	put(&schemes, "nr_schemes", params->schemes.nr);
	for (size_t i = 0; i < params->schemes.nr; i++) {
		struct stage scheme = below(&schemes, "%zu", i);
		struct damos values = params->schemes.list[i].values;

		/* Times and shares mean something by the intervals only. */
		params_scheme_convert(&params->schemes.list[i], &params->attrs, &values.pattern);
		stage_scheme(&scheme, &values);
	}
}

int sysfs_stage(struct sysfs_tree *tree, uint32_t kdamond, const struct params_kdamond *params,
		struct damon_error *err)
{
	int ret = 0;
	struct stage stage = {.tree = tree, .ret = &ret, .err = err};

	snprintf(stage.dir, sizeof(stage.dir), SYSFS_KDAMONDS "/%u", kdamond);
	put(&stage, "refresh_ms", params->refresh_ms);
	put(&stage, "contexts/nr_contexts", params->nr_contexts);
	for (size_t i = 0; i < params->nr_contexts; i++) {
		struct stage ctx = below(&stage, "contexts/%zu", i);

		stage_context(&ctx, &params->contexts[i]);
	}
	return ret;
}
