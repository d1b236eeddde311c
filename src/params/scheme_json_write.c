// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Schemes written as JSON, with damo's names. */
#include <inttypes.h>
#include <stdio.h>

#include "params/json_read.h"
#include "params/scheme_json.h"

/* "3 samples"; damo wants its text where a plain number has another unit. */
static json_t *with_unit(uint32_t value, const char *unit)
{
	char text[64];

	snprintf(text, sizeof(text), "%" PRIu32 " %s", value, unit);
	return json_string(text);
}

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *pattern_json(const struct damos_access_pattern *pattern)
{
	return json_pack("{s:{s:o,s:o},s:{s:o,s:o},s:{s:o,s:o}}", "sz_bytes", "min",
			 json_number(pattern->min_sz_region), "max",
			 json_number(pattern->max_sz_region), "nr_accesses", "min",
			 with_unit(pattern->min_nr_accesses, "samples"), "max",
			 with_unit(pattern->max_nr_accesses, "samples"), "age", "min",
			 with_unit(pattern->min_age_region, "aggr_intervals"), "max",
			 with_unit(pattern->max_age_region, "aggr_intervals"));
}

static json_t *goal_json(const struct damos_quota_goal *goal)
{
	return json_pack("{s:s,s:i,s:o,s:o,s:o}", "metric",
			 params_name(PARAMS_GOAL_METRIC, goal->metric), "nid", goal->nid,
			 "memcg_path", text_or_null(goal->memcg_path), "target_value",
			 json_number(goal->target_value), "current_value",
			 json_number(goal->current_value));
}

/* Appends @value, a new reference, to @list; gives @list up when one of them isn't there. */
static json_t *append(json_t *list, json_t *value)
{
	if (list && value && !json_array_append_new(list, value))
		return list;
	json_decref(list);
	return NULL;
}

static json_t *quota_json(const struct damos_quota *quota)
{
	json_t *goals = json_array();
	uint32_t i;

	for (i = 0; i < quota->nr_goals; i++)
		goals = append(goals, goal_json(&quota->goals[i]));
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:s,s:o,s:{s:o,s:o,s:o}}", "time_ms",
			 json_number(quota->ms), "sz_bytes", json_number(quota->sz),
			 "reset_interval_ms", json_number(quota->reset_interval_ms),
			 "fail_charge_num", json_number(quota->fail_charge_num),
			 "fail_charge_denom", json_number(quota->fail_charge_denom), "goals", goals,
			 "goal_tuner", params_name(PARAMS_GOAL_TUNER, quota->tuner),
			 "effective_sz_bytes", json_number(quota->esz), "weights", "sz_permil",
			 json_number(quota->weight_sz), "nr_accesses_permil",
			 json_number(quota->weight_nr_accesses), "age_permil",
			 json_number(quota->weight_age));
}

static json_t *wmarks_json(const struct damos_watermarks *wmarks)
{
	return json_pack("{s:s,s:o,s:o,s:o,s:o}", "metric",
			 params_name(PARAMS_WMARK_METRIC, wmarks->metric), "interval_us",
			 json_number(wmarks->interval_us), "high_permil", json_number(wmarks->high),
			 "mid_permil", json_number(wmarks->mid), "low_permil",
			 json_number(wmarks->low));
}

static json_t *filter_json(const struct damos_filter *filter)
{
	json_t *range = json_null(), *index = json_null(), *sizes = json_null();

	if (filter->type == DAMOS_FILTER_ADDR)
		range = json_pack("{s:o,s:o}", "start", json_number(filter->addr_start), "end",
				  json_number(filter->addr_end));
	if (filter->type == DAMOS_FILTER_TARGET)
		index = json_number(filter->target_idx);
	if (filter->type == DAMOS_FILTER_HUGEPAGE_SIZE)
		sizes = json_pack("[o,o]", json_number(filter->sz_min),
				  json_number(filter->sz_max));
	return json_pack("{s:s,s:b,s:b,s:o,s:o,s:o,s:o}", "filter_type",
			 params_name(PARAMS_FILTER_TYPE, filter->type), "matching",
			 filter->matching, "allow", filter->allow, "memcg_path",
			 text_or_null(filter->memcg_path), "address_range", range,
			 "damon_target_idx", index, "hugepage_size", sizes);
}

static json_t *stats_json(const struct damos *scheme)
{
	const struct damos_stat *stat = &scheme->stat;

	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "nr_tried",
			 json_number(stat->nr_tried), "sz_tried", json_number(stat->sz_tried),
			 "nr_applied", json_number(stat->nr_applied), "sz_applied",
			 json_number(stat->sz_applied), "sz_ops_filter_passed",
			 json_number(stat->sz_ops_filter_passed), "qt_exceeds",
			 json_number(stat->qt_exceeds), "nr_snapshots",
			 json_number(stat->nr_snapshots), "max_nr_snapshots",
			 json_number(scheme->max_nr_snapshots));
}

json_t *params_scheme_to_json(const struct damos *scheme)
{
	json_t *dests = json_array(), *filters = json_array();
	uint32_t i;

	for (i = 0; i < scheme->nr_dests; i++)
		dests = append(dests, json_pack("{s:i,s:o}", "id", scheme->dests[i].nid, "weight",
						json_number(scheme->dests[i].weight)));
	for (i = 0; i < scheme->nr_filters; i++)
		filters = append(filters, filter_json(&scheme->filters[i]));
	return json_pack("{s:s,s:o,s:i,s:o,s:o,s:o,s:o,s:o,s:o}", "action",
			 params_name(PARAMS_ACTION, scheme->action), "dests", dests, "target_nid",
			 scheme->target_nid, "access_pattern", pattern_json(&scheme->pattern),
			 "apply_interval_us", json_number(scheme->apply_interval_us), "quotas",
			 quota_json(&scheme->quota), "watermarks", wmarks_json(&scheme->wmarks),
			 "filters", filters, "stats", stats_json(scheme));
}
