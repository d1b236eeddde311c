// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* All parameters of kdamonds read from JSON. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "params/json_read.h"
#include "params/kdamonds_json.h"
#include "params/scheme_json.h"

void params_ctx_free(struct params_ctx *ctx)
{
	size_t i;

	for (i = 0; i < ctx->nr_targets; i++)
		free(ctx->targets[i].regions);
	free(ctx->targets);
	params_schemes_free(&ctx->schemes);
	memset(ctx, 0, sizeof(*ctx));
}

void params_kdamonds_free(struct params_kdamonds *kdamonds)
{
	size_t i, j;

	for (i = 0; i < kdamonds->nr; i++) {
		for (j = 0; j < kdamonds->list[i].nr_contexts; j++)
			params_ctx_free(&kdamonds->list[i].contexts[j]);
		free(kdamonds->list[i].contexts);
	}
	free(kdamonds->list);
	memset(kdamonds, 0, sizeof(*kdamonds));
}

/* Room for one more of @size at the end of *@list, filled with zeroes; NULL without memory. */
static void *grow(void *list, size_t *nr, size_t size)
{
	char **at = list, *more = realloc(*at, (*nr + 1) * size);

	if (!more)
		return NULL;
	*at = more;
	return memset(more + (*nr)++ * size, 0, size);
}

/* Targets. */

static int take_pid(struct json_reader *r, const json_t *value, void *to)
{
	int32_t pid;
	int ret = json_take_s32(r, value, &pid);

	if (!ret)
		*(int64_t *)to = pid;
	return ret;
}

static int take_region(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"start", json_take_bytes, offsetof(struct damon_addr_range, start)},
		{"end", json_take_bytes, offsetof(struct damon_addr_range, end)},
		/* What was learned of it is no parameter. */
		{"nr_accesses", NULL},
		{"age", NULL},
		{"probe_hits", NULL},
		{"sz_filter_passed", NULL},
		{NULL},
	};
	struct params_target *target = to;
	struct damon_addr_range *region =
		grow(&target->regions, &target->nr_regions, sizeof(*region));
	int ret;

	if (!region)
		return json_no_memory(r);
	ret = json_take_object(r, value, keys, region);
	if (ret)
		return ret;
	if (region->start >= region->end)
		return json_refuse(r, value, "a start below the end");
	if (target->nr_regions > 1 && region[-1].end > region->start)
		return json_refuse(r, value, "regions in order that don't overlap");
	return 0;
}

static int take_regions(struct json_reader *r, const json_t *value, void *to)
{
	return json_take_list(r, value, take_region, to);
}

static int take_target(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"pid", take_pid, offsetof(struct params_target, pid)},
		{"pid_target", take_pid, offsetof(struct params_target, pid)},
		{"obsolete", json_take_bool, offsetof(struct params_target, obsolete)},
		{"obsolete_target", json_take_bool, offsetof(struct params_target, obsolete)},
		{"regions", take_regions, 0},
		{NULL},
	};
	struct params_ctx *ctx = to;
	struct params_target *target = grow(&ctx->targets, &ctx->nr_targets, sizeof(*target));

	if (!target)
		return json_no_memory(r);
	target->pid = -1;
	return json_take_object(r, value, keys, target);
}

static int take_targets(struct json_reader *r, const json_t *value, void *to)
{
	return json_take_list(r, value, take_target, to);
}

/* Attributes. */

static int take_goal(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"access_bp", json_take_bp, offsetof(struct damon_intervals_goal, access_bp)},
		{"aggrs", json_take_u64, offsetof(struct damon_intervals_goal, aggrs)},
		{"min_sample_us", json_take_us,
		 offsetof(struct damon_intervals_goal, min_sample_us)},
		{"max_sample_us", json_take_us,
		 offsetof(struct damon_intervals_goal, max_sample_us)},
		{NULL},
	};

	return json_take_object(r, value, keys, to);
}

static int take_intervals(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"sample_us", json_take_us, offsetof(struct damon_attrs, sample_interval)},
		{"aggr_us", json_take_us, offsetof(struct damon_attrs, aggr_interval)},
		{"ops_update_us", json_take_us, offsetof(struct damon_attrs, ops_update_interval)},
		{"update_us", json_take_us, offsetof(struct damon_attrs, ops_update_interval)},
		{"intervals_goal", take_goal, offsetof(struct damon_attrs, intervals_goal)},
		{NULL},
	};

	return json_take_object(r, value, keys, to);
}

static int take_nr_regions(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"min", json_take_u64, offsetof(struct damon_attrs, min_nr_regions)},
		{"max", json_take_u64, offsetof(struct damon_attrs, max_nr_regions)},
		{NULL},
	};

	return json_take_object(r, value, keys, to);
}

static int take_addr_unit(struct json_reader *r, const json_t *value, void *to)
{
	int ret = json_take_bytes(r, value, to);

	return !ret && !*(uint64_t *)to ? json_refuse(r, value, "a size above 0") : ret;
}

/* Probes. */

static int take_probe_filter_type(struct json_reader *r, const json_t *value, void *to)
{
	return json_take_keyword(r, value, PARAMS_PROBE_FILTER, to);
}

static int take_nothing(struct json_reader *r, const json_t *value, void *to)
{
	if (json_is_array(value) && !json_array_size(value))
		return 0;
	return json_refuse(r, value, "null or an empty list, as udamon has nothing like it");
}

static int take_probe_filter(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"filter_type", take_probe_filter_type, offsetof(struct damon_filter, type)},
		{"type", take_probe_filter_type, offsetof(struct damon_filter, type)},
		{"matching", json_take_bool, offsetof(struct damon_filter, matching)},
		{"allow", json_take_bool, offsetof(struct damon_filter, allow)},
		{"path", json_take_path, offsetof(struct damon_filter, memcg_path)},
		{"range_min", take_nothing, 0},
		{"range_max", take_nothing, 1},
		{NULL},
	};
	struct damon_probe *probe = to;
	struct damon_filter *filter = &probe->filters[probe->nr_filters];
	int ret;

	if (probe->nr_filters == DAMON_MAX_PROBE_FILTERS)
		return json_refuse(r, value, "at most 8 filters");
	memset(filter, 0, sizeof(*filter));
	ret = json_take_object(r, value, keys, filter);
	if (!ret && filter->type == DAMON_FILTER_MEMCG && !filter->memcg_path)
		ret = json_refuse(r, value, "a path");
	if (!ret)
		probe->nr_filters++;
	return ret;
}

static int take_probe_filters(struct json_reader *r, const json_t *value, void *to)
{
	return json_take_list(r, value, take_probe_filter, to);
}

static int take_probe(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"weight", json_take_u32, offsetof(struct damon_probe, weight)},
		{"filters", take_probe_filters, 0},
		{"preps", take_nothing, 0},
		{NULL},
	};
	struct params_ctx *ctx = to;

	if (ctx->nr_probes == DAMON_MAX_PROBES)
		return json_refuse(r, value, "at most 4 probes");
	memset(&ctx->probes[ctx->nr_probes], 0, sizeof(ctx->probes[0]));
	return json_take_object(r, value, keys, &ctx->probes[ctx->nr_probes++]);
}

static int take_probes(struct json_reader *r, const json_t *value, void *to)
{
	return json_take_list(r, value, take_probe, to);
}

/* Contexts. */

static int take_monitoring_attrs(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"intervals", take_intervals, offsetof(struct params_ctx, attrs)},
		{"nr_regions", take_nr_regions, offsetof(struct params_ctx, attrs)},
		{"probes", take_probes, 0},
		{NULL},
	};

	return json_take_object(r, value, keys, to);
}

static int take_ops(struct json_reader *r, const json_t *value, void *to)
{
	return json_take_keyword(r, value, PARAMS_OPS, to);
}

/* What patched kernels can be told of sampling: only what says nothing special is understood. */
static int take_sample_control(struct json_reader *r, const json_t *value, void *to)
{
	const json_t *primitives = json_object_get(value, "primitives_enabled");
	const json_t *filters = json_object_get(value, "sample_filters");

	if (!json_is_object(value) || json_array_size(filters) ||
	    (primitives && (!json_is_true(json_object_get(primitives, "page_table")) ||
			    json_is_true(json_object_get(primitives, "page_fault")))))
		return json_refuse(r, value, "sampling by page tables without filters");
	return 0;
}

static int take_scheme(struct json_reader *r, const json_t *value, void *to)
{
	struct params_ctx *ctx = to;
	struct params_scheme *scheme = params_schemes_add(&ctx->schemes);

	if (!scheme)
		return json_no_memory(r);
	return params_scheme_from_json(value, r->path, r->attrs, r->strings, scheme, r->err);
}

static int take_schemes(struct json_reader *r, const json_t *value, void *to)
{
	return json_take_list(r, value, take_scheme, to);
}

static int check_attrs(struct json_reader *r, const struct damon_attrs *attrs)
{
	if (!damon_check_attrs(attrs))
		return 0;
	if (attrs->sample_interval > attrs->aggr_interval)
		return damon_error_set(r->err, -EINVAL,
				       "%s: sample_us '%" PRIu64 "' is above aggr_us '%" PRIu64 "'",
				       r->path, attrs->sample_interval, attrs->aggr_interval);
	if (attrs->min_nr_regions < 3 || attrs->min_nr_regions > attrs->max_nr_regions)
		return damon_error_set(r->err, -EINVAL,
				       "%s: nr_regions '%" PRIu64 "..%" PRIu64
				       "': expected a min of at least 3, not above max",
				       r->path, attrs->min_nr_regions, attrs->max_nr_regions);
	return damon_error_set(r->err, -EINVAL,
			       "%s: sample_us '%" PRIu64
			       "' is outside its goal's min_sample_us '%" PRIu64
			       "' to max_sample_us '%" PRIu64 "'",
			       r->path, attrs->sample_interval, attrs->intervals_goal.min_sample_us,
			       attrs->intervals_goal.max_sample_us);
}

static int take_context(struct json_reader *r, const json_t *value, void *to)
{
	/* In this order: patterns are converted by the intervals. */
	static const struct json_key keys[] = {
		{"ops", take_ops, offsetof(struct params_ctx, ops)},
		{"operations", take_ops, offsetof(struct params_ctx, ops)},
		{"addr_unit", take_addr_unit, offsetof(struct params_ctx, attrs.addr_unit)},
		{"pause", json_take_bool, offsetof(struct params_ctx, pause)},
		{"intervals", take_intervals, offsetof(struct params_ctx, attrs)},
		{"nr_regions", take_nr_regions, offsetof(struct params_ctx, attrs)},
		{"probes", take_probes, 0},
		{"monitoring_attrs", take_monitoring_attrs, 0},
		{"targets", take_targets, 0},
		{"sample_control", take_sample_control, 0},
		{"schemes", take_schemes, 0},
		{"avail_operations", NULL},
		{NULL},
	};
	struct params_kdamond *kdamond = to;
	struct params_ctx *ctx = grow(&kdamond->contexts, &kdamond->nr_contexts, sizeof(*ctx));
	int ret;

	if (!ctx)
		return json_no_memory(r);
	ctx->ops = DAMON_OPS_VADDR;
	damon_default_attrs(&ctx->attrs);
	r->attrs = &ctx->attrs;
	r->strings = &ctx->schemes.strings;
	ret = json_take_object(r, value, keys, ctx);
	return ret ? ret : check_attrs(r, &ctx->attrs);
}

static int take_contexts(struct json_reader *r, const json_t *value, void *to)
{
	return json_take_list(r, value, take_context, to);
}

/* Kdamonds. */

static int take_state(struct json_reader *r, const json_t *value, void *to)
{
	const char *text = json_string_value(value);

	if (!text || (strcmp(text, "on") && strcmp(text, "off")))
		return json_refuse(r, value, "on or off");
	*(bool *)to = !strcmp(text, "on");
	return 0;
}

static int take_kdamond(struct json_reader *r, const json_t *value, void *to)
{
	static const struct json_key keys[] = {
		{"state", take_state, offsetof(struct params_kdamond, on)},
		{"pid", take_pid, offsetof(struct params_kdamond, pid)},
		{"refresh_ms", json_take_ms, offsetof(struct params_kdamond, refresh_ms)},
		{"contexts", take_contexts, 0},
		{NULL},
	};
	struct params_kdamonds *kdamonds = to;
	struct params_kdamond *kdamond = grow(&kdamonds->list, &kdamonds->nr, sizeof(*kdamond));

	if (!kdamond)
		return json_no_memory(r);
	kdamond->pid = -1;
	return json_take_object(r, value, keys, kdamond);
}

static int take_kdamonds(struct json_reader *r, const json_t *value, void *to)
{
	return json_take_list(r, value, take_kdamond, to);
}

int params_kdamonds_from_json(const json_t *json, struct params_kdamonds *kdamonds,
			      struct damon_error *err)
{
	static const struct json_key keys[] = {{"kdamonds", take_kdamonds, 0}, {NULL}};
	struct json_reader r = {.err = err};

	memset(kdamonds, 0, sizeof(*kdamonds));
	if (!json_is_object(json) || !json_object_get(json, "kdamonds"))
		return damon_error_set(err, -EINVAL, "expected {\"kdamonds\": [...]}");
	return json_take_object(&r, json, keys, kdamonds);
}

/* Files. */

static int with_file(const char *path, int code, struct damon_error *err)
{
	struct damon_error why = *err;

	return code ? damon_error_set(err, code, "'%s': %.400s", path, why.text) : 0;
}

int params_kdamonds_load(const char *path, struct params_kdamonds *kdamonds,
			 struct damon_error *err)
{
	struct damon_error why = {""};
	json_t *json;
	int ret;

	memset(kdamonds, 0, sizeof(*kdamonds));
	ret = json_load_parameters(path, &json, err);
	if (ret)
		return ret;
	ret = with_file(path, params_kdamonds_from_json(json, kdamonds, &why), &why);
	json_decref(json);
	return ret ? damon_error_set(err, ret, "%s", why.text) : 0;
}

static int take_schemes_of(struct params_kdamonds *kdamonds, const struct damon_attrs *attrs,
			   struct params_schemes *schemes, struct damon_error *err)
{
	size_t i, j, s, first = schemes->nr;

	for (i = 0; i < kdamonds->nr; i++)
		for (j = 0; j < kdamonds->list[i].nr_contexts; j++)
			if (params_schemes_move(schemes, &kdamonds->list[i].contexts[j].schemes))
				return damon_error_set(err, -ENOMEM, "no memory for schemes");
	/* Their times now mean what they mean with the intervals in force here. */
	for (s = first; s < schemes->nr; s++)
		params_scheme_convert(&schemes->list[s], attrs, &schemes->list[s].values.pattern);
	return 0;
}

static int take_file(const json_t *json, const struct damon_attrs *attrs,
		     struct params_schemes *schemes, struct damon_error *err)
{
	static const struct json_key keys[] = {{"schemes", take_schemes, 0}, {NULL}};
	struct json_reader r = {.err = err, .attrs = attrs};
	struct params_kdamonds kdamonds;
	struct params_ctx ctx = {.schemes = {0}};
	int ret;

	if (json_object_get(json, "kdamonds")) {
		ret = params_kdamonds_from_json(json, &kdamonds, err);
		if (!ret)
			ret = take_schemes_of(&kdamonds, attrs, schemes, err);
		params_kdamonds_free(&kdamonds);
		return ret;
	}
	r.strings = &ctx.schemes.strings;
	if (json_is_array(json))
		ret = take_schemes(&r, json, &ctx);
	else
		ret = json_take_object(&r, json, keys, &ctx);
	if (!ret && params_schemes_move(schemes, &ctx.schemes))
		ret = damon_error_set(err, -ENOMEM, "no memory for schemes");
	params_ctx_free(&ctx);
	return ret;
}

int params_schemes_load(const char *path, const struct damon_attrs *attrs,
			struct params_schemes *schemes, struct damon_error *err)
{
	struct damon_error why = {""};
	size_t before = schemes->nr;
	json_t *json;
	int ret = json_load_parameters(path, &json, err);

	if (ret)
		return ret;
	ret = take_file(json, attrs, schemes, &why);
	json_decref(json);
	if (!ret && schemes->nr == before)
		ret = damon_error_set(&why, -EINVAL, "there is no scheme in it");
	if (ret)
		damon_error_set(err, ret, "'%s': %.400s", path, why.text);
	return ret;
}
