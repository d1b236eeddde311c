// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Parameters of kdamonds: written as JSON, taken from contexts, made into contexts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "params/json_read.h"
#include "params/kdamonds_json.h"
#include "params/scheme_json.h"

/* Appends @value, a new reference, to @list; gives @list up when one of them isn't there. */
static json_t *append(json_t *list, json_t *value)
{
	if (list && value && !json_array_append_new(list, value))
		return list;
	json_decref(list);
	return NULL;
}

static json_t *target_json(const struct params_target *target)
{
	json_t *regions = json_array();
	size_t i;

	for (i = 0; i < target->nr_regions; i++)
		regions = append(regions, json_pack("{s:o,s:o}", "start",
						    json_number(target->regions[i].start), "end",
						    json_number(target->regions[i].end)));
	return json_pack("{s:I,s:b,s:o}", "pid", (json_int_t)target->pid, "obsolete",
			 target->obsolete, "regions", regions);
}

static json_t *intervals_json(const struct damon_attrs *attrs)
{
	const struct damon_intervals_goal *goal = &attrs->intervals_goal;

	return json_pack("{s:o,s:o,s:o,s:{s:o,s:o,s:o,s:o}}", "sample_us",
			 json_number(attrs->sample_interval), "aggr_us",
			 json_number(attrs->aggr_interval), "ops_update_us",
			 json_number(attrs->ops_update_interval), "intervals_goal", "access_bp",
			 json_number(goal->access_bp), "aggrs", json_number(goal->aggrs),
			 "min_sample_us", json_number(goal->min_sample_us), "max_sample_us",
			 json_number(goal->max_sample_us));
}

static json_t *probe_json(const struct damon_probe *probe)
{
	json_t *filters = json_array();
	uint32_t i;

	for (i = 0; i < probe->nr_filters; i++) {
		const struct damon_filter *filter = &probe->filters[i];

		filters =
			append(filters,
			       json_pack("{s:s,s:b,s:b,s:o}", "filter_type",
					 params_name(PARAMS_PROBE_FILTER, filter->type), "matching",
					 filter->matching, "allow", filter->allow, "path",
					 filter->memcg_path ? json_string(filter->memcg_path)
							    : json_null()));
	}
	return json_pack("{s:[],s:o,s:o}", "preps", "filters", filters, "weight",
			 json_number(probe->weight));
}

json_t *params_ctx_to_json(const struct params_ctx *ctx)
{
	json_t *targets = json_array(), *probes = json_array(), *schemes = json_array();
	size_t i;

	for (i = 0; i < ctx->nr_targets; i++)
		targets = append(targets, target_json(&ctx->targets[i]));
	for (i = 0; i < ctx->nr_probes; i++)
		probes = append(probes, probe_json(&ctx->probes[i]));
	for (i = 0; i < ctx->schemes.nr; i++)
		schemes = append(schemes, params_scheme_to_json(&ctx->schemes.list[i].values));
	return json_pack("{s:s,s:o,s:o,s:o,s:{s:o,s:o},s:o,s:b,s:o}", "ops",
			 params_name(PARAMS_OPS, ctx->ops), "addr_unit",
			 json_number(ctx->attrs.addr_unit), "targets", targets, "intervals",
			 intervals_json(&ctx->attrs), "nr_regions", "min",
			 json_number(ctx->attrs.min_nr_regions), "max",
			 json_number(ctx->attrs.max_nr_regions), "probes", probes, "pause",
			 ctx->pause, "schemes", schemes);
}

static json_t *kdamond_json(const struct params_kdamond *kdamond)
{
	json_t *contexts = json_array();
	size_t i;

	for (i = 0; i < kdamond->nr_contexts; i++)
		contexts = append(contexts, params_ctx_to_json(&kdamond->contexts[i]));
	return json_pack("{s:s,s:I,s:o,s:o}", "state", kdamond->on ? "on" : "off", "pid",
			 (json_int_t)kdamond->pid, "refresh_ms", json_number(kdamond->refresh_ms),
			 "contexts", contexts);
}

json_t *params_kdamonds_to_json(const struct params_kdamonds *kdamonds)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < kdamonds->nr; i++)
		list = append(list, kdamond_json(&kdamonds->list[i]));
	return json_pack("{s:o}", "kdamonds", list);
}

/* From a context. */

static int keep_path(struct params_strings *strings, const char **path)
{
	if (!*path)
		return 0;
	*path = params_strings_add(strings, *path, strlen(*path));
	return *path ? 0 : -ENOMEM;
}

static int take_scheme(struct params_schemes *schemes, const struct damos *from)
{
	struct params_scheme *scheme = params_schemes_add(schemes);
	uint32_t i;
	int ret = 0;

	if (!scheme)
		return -ENOMEM;
	scheme->values = *from;
	scheme->values.lib = NULL;
	for (i = 0; i < from->quota.nr_goals && !ret; i++)
		ret = keep_path(&schemes->strings, &scheme->values.quota.goals[i].memcg_path);
	for (i = 0; i < from->nr_filters && !ret; i++)
		ret = keep_path(&schemes->strings, &scheme->values.filters[i].memcg_path);
	return ret;
}

static int take_target(struct params_target *target, const struct damon_ctx *ctx,
		       const struct damon_target *from)
{
	size_t nr = damon_nr_regions(from), i;

	target->pid = from->pid;
	target->obsolete = from->obsolete;
	/* Those of other operations sets come from the mappings: no parameter. */
	if (!ctx->ops || ctx->ops->id == DAMON_OPS_VADDR || ctx->ops->id == DAMON_OPS_SIM || !nr)
		return 0;
	target->regions = calloc(nr, sizeof(*target->regions));
	if (!target->regions)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		struct damon_addr_range *last = &target->regions[target->nr_regions];
		struct damon_region region;

		damon_get_region(ctx, from, i, &region);
		/* Monitoring split what was one range. */
		if (target->nr_regions && last[-1].end == region.ar.start)
			last[-1].end = region.ar.end;
		else
			target->regions[target->nr_regions++] = region.ar;
	}
	return 0;
}

int params_ctx_take(struct params_ctx *ctx, const struct damon_ctx *from)
{
	uint32_t i, f;
	int ret = 0;

	memset(ctx, 0, sizeof(*ctx));
	ctx->ops = from->ops ? from->ops->id : DAMON_OPS_VADDR;
	ctx->attrs = from->attrs;
	ctx->pause = from->pause;
	ctx->nr_probes = from->nr_probes;
	memcpy(ctx->probes, from->probes, sizeof(ctx->probes));
	for (i = 0; i < ctx->nr_probes; i++)
		for (f = 0; f < ctx->probes[i].nr_filters && !ret; f++)
			ret = keep_path(&ctx->schemes.strings,
					&ctx->probes[i].filters[f].memcg_path);
	if (from->nr_targets) {
		ctx->targets = calloc(from->nr_targets, sizeof(*ctx->targets));
		if (!ctx->targets)
			ret = -ENOMEM;
	}
	for (i = 0; i < from->nr_targets && !ret; i++)
		ret = take_target(&ctx->targets[ctx->nr_targets++], from, from->targets[i]);
	for (i = 0; i < from->nr_schemes && !ret; i++)
		ret = take_scheme(&ctx->schemes, from->schemes[i]);
	return ret;
}

/* Into a context. */

static int add_target(const struct params_target *params, struct damon_ctx *ctx,
		      struct damon_error *err)
{
	struct damon_target *target;
	int ret = damon_new_target(&target, ctx->lib);

	if (ret)
		return damon_error_set(err, ret, "no memory for a target");
	target->pid = params->pid;
	target->obsolete = params->obsolete;
	if (params->nr_regions)
		ret = damon_set_regions(target, params->regions, params->nr_regions,
					ctx->attrs.min_region_sz);
	if (!ret)
		ret = damon_add_target(ctx, target);
	if (!ret)
		return 0;
	damon_free_target(target);
	return damon_error_set(err, ret, "a target was refused: %s", strerror(-ret));
}

static int fill(const struct params_ctx *params, struct damon_ctx *ctx, struct damon_error *err)
{
	size_t i;
	int ret = damon_select_ops(ctx, params->ops);

	if (ret)
		return damon_error_set(err, ret, "operations set '%s' can't be used here",
				       params_name(PARAMS_OPS, params->ops));
	ret = damon_set_attrs(ctx, &params->attrs);
	if (ret)
		return damon_error_set(err, ret, "these intervals or numbers of regions can't be");
	ctx->pause = params->pause;
	ctx->nr_probes = params->nr_probes;
	memcpy(ctx->probes, params->probes, sizeof(ctx->probes));
	for (i = 0; i < params->nr_targets && !ret; i++)
		ret = add_target(&params->targets[i], ctx, err);
	for (i = 0; i < params->schemes.nr && !ret; i++) {
		struct damon_error why = {""};

		ret = params_scheme_install(ctx, &params->schemes.list[i], &why);
		if (ret)
			damon_error_set(err, ret, "scheme %zu: %.400s", i, why.text);
	}
	return ret;
}

int params_ctx_build(const struct params_ctx *params, struct damon_lib *lib, struct damon_ctx **ctx,
		     struct damon_error *err)
{
	struct damon_ctx *new;
	int ret = damon_new_ctx(&new, lib);

	if (ret)
		return damon_error_set(err, ret, "no memory for a context");
	ret = fill(params, new, err);
	if (ret) {
		damon_destroy_ctx(new);
		return ret;
	}
	*ctx = new;
	return 0;
}
