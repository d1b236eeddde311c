// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Building a context from the values of its files: attributes, probes, targets. Schemes are in
 * build_scheme.c.
 *
 * What can be wrong is looked for here, though the core looks too, because here it is known which
 * file says so.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "params/names.h"
#include "sysfs/build.h"

/* Targets, and schemes, of a context: each takes memory and time whatever it is used for. */
#define MAX_OF_CONTEXT 1024

int sysfs_refuse(struct sysfs_build *build, int code, const char *path, const char *fmt, ...)
{
	char reason[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	return damon_error_set(build->err, code, "contexts/0/%s: %s", path, reason);
}

static const char *keep_string(struct params_strings *strings, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < strings->nr; i++)
		if (strlen(strings->list[i]) == len && !memcmp(strings->list[i], text, len))
			return strings->list[i];
	return params_strings_add(strings, text, len);
}

int sysfs_build_memcg(struct sysfs_build *build, struct sysfs_dir *dir, const char *file,
		      const char *where, int missing, const char **path)
{
	const struct sysfs_host *host = &build->tree->host;
	char name[SYSFS_PATH_MAX];
	const char *text;
	size_t len;

	snprintf(name, sizeof(name), "%s/%s", where, file);
	text = sysfs_string(dir, file, &len);
	if (!len)
		return sysfs_refuse(build, -EINVAL, name, "'' names no memory cgroup");
	*path = keep_string(build->strings, text, len);
	if (!*path)
		return -ENOMEM;
	if (host->check_memcg && host->check_memcg(host->data, *path))
		return sysfs_refuse(build, missing, name, "there is no memory cgroup '%s'", *path);
	return 0;
}

/* Attributes. */

static int check_intervals(struct sysfs_build *build, const struct damon_attrs *attrs)
{
	const struct damon_intervals_goal *goal = &attrs->intervals_goal;

	if (attrs->sample_interval > attrs->aggr_interval)
		return sysfs_refuse(build, -EINVAL, "monitoring_attrs/intervals/sample_us",
				    "'%" PRIu64 "' is above aggr_us, '%" PRIu64 "'",
				    attrs->sample_interval, attrs->aggr_interval);
	if (!goal->aggrs)
		return 0;
	if (attrs->sample_interval < goal->min_sample_us)
		return sysfs_refuse(build, -EINVAL,
				    "monitoring_attrs/intervals/intervals_goal/min_sample_us",
				    "'%" PRIu64 "' is above sample_us, '%" PRIu64 "'",
				    goal->min_sample_us, attrs->sample_interval);
	if (attrs->sample_interval > goal->max_sample_us)
		return sysfs_refuse(build, -EINVAL,
				    "monitoring_attrs/intervals/intervals_goal/max_sample_us",
				    "'%" PRIu64 "' is below sample_us, '%" PRIu64 "'",
				    goal->max_sample_us, attrs->sample_interval);
	return 0;
}

static int check_nr_regions(struct sysfs_build *build, const struct damon_attrs *attrs)
{
	if (attrs->min_nr_regions < 3)
		return sysfs_refuse(build, -EINVAL, "monitoring_attrs/nr_regions/min",
				    "'%" PRIu64 "' is below 3", attrs->min_nr_regions);
	if (attrs->min_nr_regions > attrs->max_nr_regions)
		return sysfs_refuse(build, -EINVAL, "monitoring_attrs/nr_regions/min",
				    "'%" PRIu64 "' is above max, '%" PRIu64 "'",
				    attrs->min_nr_regions, attrs->max_nr_regions);
	return 0;
}

/* Addresses in units other than bytes are for physical memory only. */
static int build_addr_unit(struct sysfs_build *build, struct damon_attrs *attrs)
{
	uint64_t unit = sysfs_number(build->values, "addr_unit");
	uint64_t smallest;

	if (build->ctx->ops->id != DAMON_OPS_PADDR)
		return 0;
	smallest = attrs->min_region_sz / unit;
	if (!smallest)
		smallest = 1;
	if (smallest & (smallest - 1))
		return sysfs_refuse(build, -EINVAL, "addr_unit",
				    "%" PRIu64 " bytes, a page, in units of '%" PRIu64
				    "' is not a power of 2",
				    attrs->min_region_sz, unit);
	attrs->addr_unit = unit;
	attrs->min_region_sz = smallest;
	return 0;
}

static int build_attrs(struct sysfs_build *build)
{
	struct sysfs_dir *dir = sysfs_dir_at(build->values, "monitoring_attrs");
	struct damon_attrs *attrs = &build->ctx->attrs;
	struct damon_intervals_goal *goal = &attrs->intervals_goal;
	int err;

	damon_default_attrs(attrs);
	attrs->sample_interval = sysfs_number(dir, "intervals/sample_us");
	attrs->aggr_interval = sysfs_number(dir, "intervals/aggr_us");
	attrs->ops_update_interval = sysfs_number(dir, "intervals/update_us");
	goal->access_bp = sysfs_number(dir, "intervals/intervals_goal/access_bp");
	goal->aggrs = sysfs_number(dir, "intervals/intervals_goal/aggrs");
	goal->min_sample_us = sysfs_number(dir, "intervals/intervals_goal/min_sample_us");
	goal->max_sample_us = sysfs_number(dir, "intervals/intervals_goal/max_sample_us");
	attrs->min_nr_regions = sysfs_number(dir, "nr_regions/min");
	attrs->max_nr_regions = sysfs_number(dir, "nr_regions/max");
	err = check_intervals(build, attrs);
	if (!err)
		err = check_nr_regions(build, attrs);
	if (!err)
		err = build_addr_unit(build, attrs);
	if (!err && damon_check_attrs(attrs))
		err = sysfs_refuse(build, -EINVAL, "monitoring_attrs",
				   "these intervals and limits can't be combined");
	return err;
}

/* Probes. */

static int build_probe_filter(struct sysfs_build *build, struct sysfs_dir *dir, const char *where,
			      struct damon_filter *filter)
{
	filter->type = (enum damon_filter_type)params_value(PARAMS_PROBE_FILTER,
							    sysfs_keyword(dir, "type"));
	filter->matching = sysfs_number(dir, "matching");
	filter->allow = sysfs_number(dir, "allow");
	if (filter->type != DAMON_FILTER_MEMCG)
		return 0;
	return sysfs_build_memcg(build, dir, "path", where, -EINVAL, &filter->memcg_path);
}

static int build_probe(struct sysfs_build *build, struct sysfs_dir *dir, size_t idx,
		       struct damon_probe *probe)
{
	struct sysfs_dir *filters = sysfs_dir_at(dir, "filters");
	char where[SYSFS_PATH_MAX];
	size_t i;
	int err = 0;

	probe->weight = (uint32_t)sysfs_number(dir, "weight");
	if (filters->nr_numbered > DAMON_MAX_PROBE_FILTERS) {
		snprintf(where, sizeof(where), "monitoring_attrs/probes/%zu/filters/nr_filters",
			 idx);
		return sysfs_refuse(build, -EINVAL, where, "'%zu' is more than %d",
				    filters->nr_numbered, DAMON_MAX_PROBE_FILTERS);
	}
	probe->nr_filters = (uint32_t)filters->nr_numbered;
	for (i = 0; !err && i < filters->nr_numbered; i++) {
		snprintf(where, sizeof(where), "monitoring_attrs/probes/%zu/filters/%zu", idx, i);
		err = build_probe_filter(build, filters->numbered[i], where, &probe->filters[i]);
	}
	return err;
}

static int build_probes(struct sysfs_build *build)
{
	struct sysfs_dir *probes = sysfs_dir_at(build->values, "monitoring_attrs/probes");
	const struct damon_attrs *attrs = &build->ctx->attrs;
	uint64_t samples = damon_nr_samples_per_aggr(attrs), weights = 0;
	size_t i;
	int err;

	build->ctx->nr_probes = (uint32_t)probes->nr_numbered; /* nr_probes is at most 4 */
	for (i = 0; i < probes->nr_numbered; i++) {
		err = build_probe(build, probes->numbered[i], i, &build->ctx->probes[i]);
		if (err)
			return err;
		weights += build->ctx->probes[i].weight;
	}
	if (build->ctx->nr_probes && !build->ctx->ops->check_probe)
		return sysfs_refuse(build, -EOPNOTSUPP, "monitoring_attrs/probes/nr_probes",
				    "'%u', but '%s' can't look at pages' attributes",
				    build->ctx->nr_probes, build->ctx->ops->name);
	if (weights && (samples > UINT8_MAX || weights * samples > UINT32_MAX))
		return sysfs_refuse(build, -EINVAL, "monitoring_attrs/probes",
				    "with weights a window has at most 255 samples, not %" PRIu64
				    ", and weights times samples stay below 2^32",
				    samples);
	return 0;
}

/* Targets. */

/* Whether a target of that process is in force already, so that nobody has to ask for it. */
static bool target_in_force(const struct sysfs_build *build, uint64_t pid)
{
	struct sysfs_dir *targets;
	size_t i;

	if (!build->in_force)
		return false;
	targets = sysfs_dir_at(build->in_force, "targets");
	for (i = 0; i < targets->nr_numbered; i++)
		if (sysfs_number(targets->numbered[i], "pid_target") == pid)
			return true;
	return false;
}

static int new_target(struct sysfs_build *build, struct sysfs_dir *dir, size_t idx,
		      struct damon_target **target)
{
	const struct sysfs_host *host = &build->tree->host;
	uint64_t pid = sysfs_number(dir, "pid_target");
	bool process = build->ctx->ops->id == DAMON_OPS_VADDR ||
		       build->ctx->ops->id == DAMON_OPS_FVADDR;
	struct damon_error why = {""};
	char where[SYSFS_PATH_MAX];
	int err;

	if (process && host->new_target && !build->trusted && !target_in_force(build, pid) &&
	    !sysfs_number(dir, "obsolete_target")) {
		err = host->new_target(host->data, build->ctx, target, (int64_t)pid, &why);
		snprintf(where, sizeof(where), "targets/%zu/pid_target", idx);
		if (err)
			return sysfs_refuse(build, err == -ESRCH ? -EINVAL : err, where, "'%d': %s",
					    (int)pid, why.text[0] ? why.text : strerror(-err));
		return 0;
	}
	err = damon_new_target(target, build->tree->host.lib);
	if (!err)
		(*target)->pid = build->ctx->ops->id == DAMON_OPS_PADDR ? -1 : (int64_t)pid;
	return err;
}

static int build_obsolete(struct sysfs_build *build, struct sysfs_dir *dir, size_t idx,
			  struct damon_target *target)
{
	struct sysfs_dir *targets;
	char where[SYSFS_PATH_MAX];

	target->obsolete = sysfs_number(dir, "obsolete_target");
	if (!target->obsolete)
		return 0;
	targets = build->in_force ? sysfs_dir_at(build->in_force, "targets") : NULL;
	if (targets && idx < targets->nr_numbered)
		return 0;
	snprintf(where, sizeof(where), "targets/%zu/obsolete_target", idx);
	return sysfs_refuse(build, -EINVAL, where, "'Y', but no target %zu is running", idx);
}

static int check_range(struct sysfs_build *build, size_t target, size_t idx,
		       const struct damon_addr_range *ranges)
{
	char where[SYSFS_PATH_MAX];

	snprintf(where, sizeof(where), "targets/%zu/regions/%zu", target, idx);
	if (ranges[idx].start >= ranges[idx].end)
		return sysfs_refuse(build, -EINVAL, where,
				    "start '%" PRIu64 "' is not below end '%" PRIu64 "'",
				    ranges[idx].start, ranges[idx].end);
	if (idx && ranges[idx].start < ranges[idx - 1].end)
		return sysfs_refuse(build, -EINVAL, where,
				    "start '%" PRIu64
				    "' is below the end of the region before it, '%" PRIu64 "'",
				    ranges[idx].start, ranges[idx - 1].end);
	return 0;
}

static int build_regions(struct sysfs_build *build, struct sysfs_dir *dir, size_t idx,
			 struct damon_target *target)
{
	struct sysfs_dir *regions = sysfs_dir_at(dir, "regions");
	struct damon_addr_range *ranges;
	char where[SYSFS_PATH_MAX];
	size_t i;
	int err = 0;

	if (!regions->nr_numbered || build->trusted)
		return 0;
	ranges = calloc(regions->nr_numbered, sizeof(*ranges));
	if (!ranges)
		return -ENOMEM;
	for (i = 0; !err && i < regions->nr_numbered; i++) {
		ranges[i].start = sysfs_number(regions->numbered[i], "start");
		ranges[i].end = sysfs_number(regions->numbered[i], "end");
		err = check_range(build, idx, i, ranges);
	}
	if (!err) {
		err = damon_set_regions(target, ranges, regions->nr_numbered,
					build->ctx->attrs.min_region_sz);
		snprintf(where, sizeof(where), "targets/%zu/regions", idx);
		if (err && err != -ENOMEM)
			sysfs_refuse(build, err, where, "they overlap when rounded to whole pages");
	}
	free(ranges);
	return err;
}

static int build_target(struct sysfs_build *build, struct sysfs_dir *dir, size_t idx)
{
	struct damon_target *target;
	int err = new_target(build, dir, idx, &target);

	if (err)
		return err;
	if (!build->trusted)
		err = build_obsolete(build, dir, idx, target);
	if (!err)
		err = build_regions(build, dir, idx, target);
	if (!err)
		err = damon_add_target(build->ctx, target);
	if (err)
		damon_free_target(target);
	return err;
}

static int build_targets(struct sysfs_build *build)
{
	struct sysfs_dir *targets = sysfs_dir_at(build->values, "targets");
	size_t i;
	int err = 0;

	if (targets->nr_numbered > MAX_OF_CONTEXT)
		return sysfs_refuse(build, -EINVAL, "targets/nr_targets", "'%zu' is more than %d",
				    targets->nr_numbered, MAX_OF_CONTEXT);
	if (build->ctx->ops->id == DAMON_OPS_PADDR && targets->nr_numbered > 1)
		return sysfs_refuse(build, -EINVAL, "targets/nr_targets",
				    "'%zu', but 'paddr' has one target only", targets->nr_numbered);
	for (i = 0; !err && i < targets->nr_numbered; i++)
		err = build_target(build, targets->numbered[i], i);
	return err;
}

/* All. */

static int build_operations(struct sysfs_build *build)
{
	const char *name = sysfs_keyword(build->values, "operations");
	int err = damon_select_ops(build->ctx, (enum damon_ops_id)params_value(PARAMS_OPS, name));

	if (err)
		return sysfs_refuse(build, err, "operations", "'%s' is not available here", name);
	if (build->in_force && strcmp(name, sysfs_keyword(build->in_force, "operations")))
		return sysfs_refuse(
			build, -EINVAL, "operations",
			"'%s', but the running context uses '%s', which can't be changed", name,
			sysfs_keyword(build->in_force, "operations"));
	if (build->in_force)
		build->ctx->ops_env = build->ops_env;
	return 0;
}

static int build_schemes(struct sysfs_build *build)
{
	struct sysfs_dir *schemes = sysfs_dir_at(build->values, "schemes");
	struct damon_error why = {""};
	char where[SYSFS_PATH_MAX];
	struct damos *scheme;
	size_t i;
	int err = 0;

	if (schemes->nr_numbered > MAX_OF_CONTEXT)
		return sysfs_refuse(build, -EINVAL, "schemes/nr_schemes", "'%zu' is more than %d",
				    schemes->nr_numbered, MAX_OF_CONTEXT);
	for (i = 0; !err && i < schemes->nr_numbered; i++) {
		err = sysfs_build_scheme(build, schemes->numbered[i], i, &scheme);
		if (err)
			break;
		err = damon_add_scheme(build->ctx, scheme);
		if (err) {
			params_scheme_refused(build->ctx->ops, scheme, err, &why);
			snprintf(where, sizeof(where), "schemes/%zu", i);
			sysfs_refuse(build, err, where, "%s", why.text);
			damon_free_scheme(scheme);
		}
	}
	return err;
}

int sysfs_build_ctx(struct sysfs_build *build)
{
	int err = damon_new_ctx(&build->ctx, build->tree->host.lib);

	if (err)
		return damon_error_set(build->err, err, "%s", strerror(-err));
	build->ctx->pause = sysfs_number(build->values, "pause");
	err = build_operations(build);
	if (!err)
		err = build_attrs(build);
	if (!err)
		err = build_probes(build);
	if (!err)
		err = build_targets(build);
	if (!err)
		err = build_schemes(build);
	if (!err)
		return 0;
	if (!build->err->text[0])
		damon_error_set(build->err, err, "contexts/0: %s", strerror(-err));
	damon_destroy_ctx(build->ctx);
	build->ctx = NULL;
	return err;
}
