// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The parameters of contexts, schemes and probes as files of the tree. */
#include <stdio.h>

#include "cli/staging_context.h"
#include "params/names.h"

#define ALWAYS_THERE UINT64_MAX /* no value of these files is what their absence would mean */

static const char *yes_no(bool yes)
{
	return yes ? "Y" : "N";
}

static void add_pattern(struct settings *settings, size_t s, const struct damos *scheme)
{
	const struct damos_access_pattern *pattern = &scheme->pattern;
	const struct {
		const char *name;
		uint64_t min, max;
	} ranges[] = {
		{"sz", pattern->min_sz_region, pattern->max_sz_region},
		{"nr_accesses", pattern->min_nr_accesses, pattern->max_nr_accesses},
		{"age", pattern->min_age_region, pattern->max_age_region},
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		settings_number(settings, ranges[i].min, ALWAYS_THERE,
				"schemes/%zu/access_pattern/%s/min", s, ranges[i].name);
		settings_number(settings, ranges[i].max, ALWAYS_THERE,
				"schemes/%zu/access_pattern/%s/max", s, ranges[i].name);
	}
}

static void add_goals(struct settings *settings, size_t s, const struct damos_quota *quota)
{
	settings_number(settings, quota->nr_goals, 0, "schemes/%zu/quotas/goals/nr_goals", s);
	for (uint32_t g = 0; g < quota->nr_goals; g++) {
		const struct damos_quota_goal *goal = &quota->goals[g];

		settings_text(settings, params_name(PARAMS_GOAL_METRIC, goal->metric), "user_input",
			      "schemes/%zu/quotas/goals/%u/target_metric", s, g);
		settings_number(settings, goal->target_value, ALWAYS_THERE,
				"schemes/%zu/quotas/goals/%u/target_value", s, g);
		/* What others measure isn't a parameter. */
		if (goal->metric == DAMOS_GOAL_USER_INPUT)
			settings_number(settings, goal->current_value, ALWAYS_THERE,
					"schemes/%zu/quotas/goals/%u/current_value", s, g);
		settings_signed(settings, goal->nid, 0, "schemes/%zu/quotas/goals/%u/nid", s, g);
		settings_text(settings, goal->memcg_path ? goal->memcg_path : "", "",
			      "schemes/%zu/quotas/goals/%u/path", s, g);
	}
}

static void add_quota(struct settings *settings, size_t s, const struct damos_quota *quota)
{
	settings_number(settings, quota->ms, 0, "schemes/%zu/quotas/ms", s);
	settings_number(settings, quota->sz, 0, "schemes/%zu/quotas/bytes", s);
	settings_number(settings, quota->reset_interval_ms, 0,
			"schemes/%zu/quotas/reset_interval_ms", s);
	settings_text(settings, params_name(PARAMS_GOAL_TUNER, quota->tuner), "consist",
		      "schemes/%zu/quotas/goal_tuner", s);
	settings_number(settings, quota->fail_charge_num, 0, "schemes/%zu/quotas/fail_charge_num",
			s);
	settings_number(settings, quota->fail_charge_denom, 0,
			"schemes/%zu/quotas/fail_charge_denom", s);
	settings_number(settings, quota->weight_sz, 0, "schemes/%zu/quotas/weights/sz_permil", s);
	settings_number(settings, quota->weight_nr_accesses, 0,
			"schemes/%zu/quotas/weights/nr_accesses_permil", s);
	settings_number(settings, quota->weight_age, 0, "schemes/%zu/quotas/weights/age_permil", s);
	add_goals(settings, s, quota);
}

static void add_watermarks(struct settings *settings, size_t s,
			   const struct damos_watermarks *wmarks)
{
	settings_text(settings, params_name(PARAMS_WMARK_METRIC, wmarks->metric), "none",
		      "schemes/%zu/watermarks/metric", s);
	settings_number(settings, wmarks->interval_us, 0, "schemes/%zu/watermarks/interval_us", s);
	settings_number(settings, wmarks->high, 0, "schemes/%zu/watermarks/high", s);
	settings_number(settings, wmarks->mid, 0, "schemes/%zu/watermarks/mid", s);
	settings_number(settings, wmarks->low, 0, "schemes/%zu/watermarks/low", s);
}

static void add_filter(struct settings *settings, size_t s, const char *folder, size_t f,
		       const struct damos_filter *filter)
{
#define FILTER "schemes/%zu/%s/%zu/"
	settings_text(settings, params_name(PARAMS_FILTER_TYPE, filter->type), NULL, FILTER "type",
		      s, folder, f);
	settings_text(settings, yes_no(filter->matching), NULL, FILTER "matching", s, folder, f);
	settings_text(settings, yes_no(filter->allow), "N", FILTER "allow", s, folder, f);
	switch (filter->type) {
	case DAMOS_FILTER_MEMCG:
		settings_text(settings, filter->memcg_path ? filter->memcg_path : "", NULL,
			      FILTER "memcg_path", s, folder, f);
		break;
	case DAMOS_FILTER_ADDR:
		settings_number(settings, filter->addr_start, ALWAYS_THERE, FILTER "addr_start", s,
				folder, f);
		settings_number(settings, filter->addr_end, ALWAYS_THERE, FILTER "addr_end", s,
				folder, f);
		break;
	case DAMOS_FILTER_HUGEPAGE_SIZE:
		settings_number(settings, filter->sz_min, ALWAYS_THERE, FILTER "min", s, folder, f);
		settings_number(settings, filter->sz_max, ALWAYS_THERE, FILTER "max", s, folder, f);
		break;
	case DAMOS_FILTER_TARGET:
		settings_number(settings, filter->target_idx, ALWAYS_THERE,
				FILTER "damon_target_idx", s, folder, f);
		break;
	default:
		break;
	}
#undef FILTER
}

/* Those the core handles and those of the operations set are in a folder each. */
static void add_filters(struct settings *settings, size_t s, const struct damos *scheme)
{
	for (int core = 1; core >= 0; core--) {
		const char *folder = core ? "core_filters" : "ops_filters";
		size_t nr = 0, f = 0;

		for (uint32_t i = 0; i < scheme->nr_filters; i++)
			nr += DAMOS_FILTER_IS_CORE(scheme->filters[i].type) == core;
		settings_number(settings, nr, 0, "schemes/%zu/%s/nr_filters", s, folder);
		for (uint32_t i = 0; i < scheme->nr_filters; i++)
			if (DAMOS_FILTER_IS_CORE(scheme->filters[i].type) == core)
				add_filter(settings, s, folder, f++, &scheme->filters[i]);
	}
}

void settings_scheme(struct settings *settings, size_t s, const struct damos *scheme)
{
	settings_text(settings, params_name(PARAMS_ACTION, scheme->action), NULL,
		      "schemes/%zu/action", s);
	settings_signed(settings, scheme->target_nid, -1, "schemes/%zu/target_nid", s);
	settings_number(settings, scheme->apply_interval_us, 0, "schemes/%zu/apply_interval_us", s);
	add_pattern(settings, s, scheme);
	add_quota(settings, s, &scheme->quota);
	add_watermarks(settings, s, &scheme->wmarks);
	add_filters(settings, s, scheme);
	settings_number(settings, scheme->nr_dests, 0, "schemes/%zu/dests/nr_dests", s);
	for (uint32_t d = 0; d < scheme->nr_dests; d++) {
		settings_signed(settings, scheme->dests[d].nid, INT64_MIN,
				"schemes/%zu/dests/%u/id", s, d);
		settings_number(settings, scheme->dests[d].weight, ALWAYS_THERE,
				"schemes/%zu/dests/%u/weight", s, d);
	}
	settings_number(settings, scheme->max_nr_snapshots, 0, "schemes/%zu/stats/max_nr_snapshots",
			s);
}

void settings_schemes(struct settings *settings, const struct params_schemes *schemes)
{
	settings_number(settings, schemes->nr, 0, "schemes/nr_schemes");
	for (size_t s = 0; s < schemes->nr; s++)
		settings_scheme(settings, s, &schemes->list[s].values);
}

static void add_probe(struct settings *settings, uint32_t p, const struct damon_probe *probe)
{
#define PROBE "monitoring_attrs/probes/%u/"
	settings_number(settings, probe->weight, 0, PROBE "weight", p);
	settings_number(settings, probe->nr_filters, 0, PROBE "filters/nr_filters", p);
	for (uint32_t f = 0; f < probe->nr_filters; f++) {
		const struct damon_filter *filter = &probe->filters[f];

		settings_text(settings, params_name(PARAMS_PROBE_FILTER, filter->type), NULL,
			      PROBE "filters/%u/type", p, f);
		settings_text(settings, yes_no(filter->matching), NULL, PROBE "filters/%u/matching",
			      p, f);
		settings_text(settings, yes_no(filter->allow), NULL, PROBE "filters/%u/allow", p,
			      f);
		settings_text(settings, filter->memcg_path ? filter->memcg_path : "", "",
			      PROBE "filters/%u/path", p, f);
	}
#undef PROBE
}

void settings_context(struct settings *settings, const struct params_ctx *ctx)
{
	settings_text(settings, params_name(PARAMS_OPS, ctx->ops), NULL, "operations");
	settings_number(settings, ctx->attrs.addr_unit, 1, "addr_unit");
	settings_text(settings, yes_no(ctx->pause), "N", "pause");
	settings_attrs(settings, &ctx->attrs);
	settings_number(settings, ctx->nr_probes, 0, "monitoring_attrs/probes/nr_probes");
	for (uint32_t p = 0; p < ctx->nr_probes; p++)
		add_probe(settings, p, &ctx->probes[p]);
	settings_number(settings, ctx->nr_targets, 0, "targets/nr_targets");
	for (size_t t = 0; t < ctx->nr_targets; t++)
		settings_signed(settings, ctx->targets[t].pid, INT64_MIN, "targets/%zu/pid_target",
				t);
	settings_schemes(settings, &ctx->schemes);
}
