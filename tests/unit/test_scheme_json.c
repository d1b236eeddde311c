// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Schemes and kdamonds as JSON: the kernel's names, damo's files, what is refused, and round trips. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "params/kdamonds_json.h"
#include "params/scheme_json.h"
#include "params/scheme_text.h"

struct read {
	struct damon_attrs attrs;
	struct params_strings strings;
	struct params_scheme scheme;
	struct damon_error err;
	int ret;
};

/* Apostrophes stand for quotes. 5 ms and 100 ms: 20 samples a window. */
static json_t *from_text(const char *text)
{
	char *copy = strdup(text), *p;
	json_error_t error;
	json_t *json;

	assert_non_null(copy);
	for (p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	json = json_loads(copy, 0, &error);
	if (!json)
		fail_msg("the test's JSON '%s': %s", copy, error.text);
	free(copy);
	return json;
}

static void read_json(struct read *r, const json_t *json)
{
	memset(r, 0, sizeof(*r));
	damon_default_attrs(&r->attrs);
	r->ret = params_scheme_from_json(json, "schemes[0]", &r->attrs, &r->strings, &r->scheme,
					 &r->err);
}

static struct damos *accepted(struct read *r, const char *text)
{
	json_t *json = from_text(text);

	read_json(r, json);
	json_decref(json);
	if (r->ret)
		fail_msg("%s refused: %s", text, r->err.text);
	return &r->scheme.values;
}

static void refused(const char *text, const char *why)
{
	json_t *json = from_text(text);
	struct read r;

	read_json(&r, json);
	json_decref(json);
	params_strings_free(&r.strings);
	if (r.ret != -EINVAL)
		fail_msg("%s: expected -EINVAL, got %d", text, r.ret);
	assert_string_equal(r.err.text, why);
}

static void an_empty_object_counts_everything(void **state)
{
	struct params_scheme fresh;
	struct read r;

	accepted(&r, "{}");
	params_scheme_init(&fresh);
	assert_memory_equal(&r.scheme, &fresh, sizeof(fresh));
}

static void the_kernels_names_count_samples_and_intervals(void **state)
{
	struct read r;
	struct damos *scheme = accepted(
		&r,
		"{'action':'pageout','target_nid':-1,'apply_interval_us':1000000,"
		"'access_pattern':{'sz':{'min':4096,'max':8192},'nr_accesses':{'min':1,'max':5},"
		"'age':{'min':10,'max':'max'}},"
		"'quotas':{'ms':10,'bytes':1048576,'reset_interval_ms':2000,"
		"'effective_bytes':7,'goal_tuner':'temporal','goals':[{'target_metric':"
		"'node_memcg_used_bp','target_value':500,'current_value':3,'nid':1,"
		"'path':'/a'},{'target_value':0}],"
		"'weights':{'sz_permil':1,'nr_accesses_permil':2,'age_permil':3},"
		"'fail_charge_num':1,'fail_charge_denom':9},"
		"'watermarks':{'metric':'free_mem_rate','interval_us':5000000,'high':500,"
		"'mid':400,'low':200},"
		"'core_filters':[{'type':'addr','matching':'Y','allow':'N','addr_start':4096,"
		"'addr_end':8192}],'ops_filters':[{'type':'memcg','matching':true,"
		"'memcg_path':'/m'}],'filters':[{'type':'hugepage_size','min':1,'max':2}],"
		"'dests':[{'id':1,'weight':2}],'stats':{'max_nr_snapshots':9,'nr_tried':4}}");

	assert_int_equal(scheme->action, DAMOS_PAGEOUT);
	assert_int_equal(scheme->target_nid, -1);
	assert_int_equal(scheme->apply_interval_us, 1000000);
	assert_int_equal(scheme->pattern.min_sz_region, 4096);
	assert_int_equal(scheme->pattern.max_sz_region, 8192);
	assert_int_equal(scheme->pattern.min_nr_accesses, 1);
	assert_int_equal(scheme->pattern.max_nr_accesses, 5);
	assert_int_equal(scheme->pattern.min_age_region, 10);
	assert_int_equal(scheme->pattern.max_age_region, UINT32_MAX);
	assert_false(r.scheme.age_is_time || r.scheme.access_is_share);
	assert_int_equal(scheme->quota.ms, 10);
	assert_int_equal(scheme->quota.sz, 1 << 20);
	assert_int_equal(scheme->quota.reset_interval_ms, 2000);
	assert_int_equal(scheme->quota.esz, 0);
	assert_int_equal(scheme->quota.tuner, DAMOS_TUNER_TEMPORAL);
	assert_int_equal(scheme->quota.nr_goals, 1); /* the other has no target */
	assert_int_equal(scheme->quota.goals[0].metric, DAMOS_GOAL_NODE_MEMCG_USED_BP);
	assert_int_equal(scheme->quota.goals[0].target_value, 500);
	assert_int_equal(scheme->quota.goals[0].current_value, 3);
	assert_int_equal(scheme->quota.goals[0].nid, 1);
	assert_string_equal(scheme->quota.goals[0].memcg_path, "/a");
	assert_int_equal(scheme->quota.weight_sz, 1);
	assert_int_equal(scheme->quota.weight_nr_accesses, 2);
	assert_int_equal(scheme->quota.weight_age, 3);
	assert_int_equal(scheme->quota.fail_charge_num, 1);
	assert_int_equal(scheme->quota.fail_charge_denom, 9);
	assert_int_equal(scheme->wmarks.high, 500);
	assert_int_equal(scheme->wmarks.mid, 400);
	assert_int_equal(scheme->wmarks.low, 200);
	assert_int_equal(scheme->wmarks.interval_us, 5000000);
	assert_int_equal(scheme->nr_filters, 3);
	assert_int_equal(scheme->filters[0].type, DAMOS_FILTER_ADDR);
	assert_true(scheme->filters[0].matching);
	assert_int_equal(scheme->filters[0].addr_end, 8192);
	assert_string_equal(scheme->filters[1].memcg_path, "/m");
	assert_int_equal(scheme->filters[2].sz_max, 2);
	assert_int_equal(scheme->dests[0].nid, 1);
	assert_int_equal(scheme->dests[0].weight, 2);
	assert_int_equal(scheme->max_nr_snapshots, 9);
	params_strings_free(&r.strings);
}

static void damos_names_count_percent_and_time(void **state)
{
	struct read r;
	struct damos *scheme =
		accepted(&r, "{'access_pattern':{'sz_bytes':{'min':'4.000 KiB','max':'max'},"
			     "'nr_accesses':{'min':5,'max':'50 %'},'age':{'min':'1 m 30 s',"
			     "'max':200000000}}}");

	assert_int_equal(scheme->pattern.min_sz_region, 4096);
	assert_int_equal(scheme->pattern.min_nr_accesses, 1);
	assert_int_equal(scheme->pattern.max_nr_accesses, 10);
	assert_int_equal(scheme->pattern.min_age_region, 900);
	assert_int_equal(scheme->pattern.max_age_region, 2000);
	assert_true(r.scheme.age_is_time && r.scheme.access_is_share);
	accepted(&r, "{'access_pattern':{'sz_bytes':{},'nr_accesses':{'min':'3 samples','max':"
		     "'max'},'age':{'min':'5 aggr_intervals','max':'7 aggr_intervals'}}}");
	assert_int_equal(r.scheme.values.pattern.min_nr_accesses, 3);
	assert_int_equal(r.scheme.values.pattern.max_nr_accesses, UINT32_MAX);
	assert_int_equal(r.scheme.values.pattern.max_age_region, 7);
}

static void values_have_units_commas_and_decimals(void **state)
{
	struct read r;
	struct damos *scheme = accepted(
		&r,
		"{'quotas':{'time_ms':'1.5 s','sz_bytes':'95.367 MiB','reset_interval_ms':'max',"
		"'weights':{'sz_permil':'0.1 %','age_permil':'70 %'},"
		"'goals':[{'metric':'user_input','target_value':'12,345',"
		"'current_value':'1'}]},'apply_interval_us':'1 h 2 m 3.5 s'}");

	assert_int_equal(scheme->quota.ms, 1500);
	assert_int_equal(scheme->quota.sz, 99999547); /* 95.367 * 2^20 = 99,999,547.4 */
	assert_true(scheme->quota.reset_interval_ms == UINT64_MAX);
	assert_int_equal(scheme->quota.weight_sz, 1);
	assert_int_equal(scheme->quota.weight_age, 700);
	assert_int_equal(scheme->quota.goals[0].target_value, 12345);
	assert_true(scheme->apply_interval_us == 3723500000);
}

static void unknown_keys_are_named_with_their_place(void **state)
{
	refused("{'acton':'stat'}",
		"schemes[0]: unknown key 'acton': expected one of action, access_pattern, "
		"apply_interval_us, quotas, watermarks, core_filters, ops_filters, filters, "
		"target_nid, dests, max_nr_snapshots, stats");
	refused("{'watermarks':{'hihg':1}}",
		"schemes[0].watermarks: unknown key 'hihg': expected one of metric, interval_us, "
		"high_permil, high, mid_permil, mid, low_permil, low");
	refused("{'access_pattern':{'sz':{'from':1}}}",
		"schemes[0].access_pattern.sz: unknown key 'from': expected one of min, max");
}

static void refused_values_are_quoted_with_their_place(void **state)
{
	refused("{'action':'fly'}",
		"schemes[0].action: 'fly': expected one of stat, pageout, cold, willneed, hugepage, "
		"nohugepage, collapse, lru_prio, lru_deprio, migrate_hot, migrate_cold");
	refused("{'action':7}",
		"schemes[0].action: '7': expected one of stat, pageout, cold, willneed, hugepage, "
		"nohugepage, collapse, lru_prio, lru_deprio, migrate_hot, migrate_cold");
	refused("[]", "schemes[0]: '[]': expected an object");
	refused("{'filters':{}}", "schemes[0].filters: '{}': expected a list");
	refused("{'filters':[{'type':'wet'}]}",
		"schemes[0].filters[0].type: 'wet': expected one of anon, active, memcg, young, "
		"hugepage_size, unmapped, addr, target");
	refused("{'filters':[{'allow':true}]}",
		"schemes[0].filters[0]: '{\"allow\":true}': expected a 'filter_type'");
	refused("{'filters':[{'type':'anon','allow':'perhaps'}]}",
		"schemes[0].filters[0].allow: 'perhaps': expected true or false");
	refused("{'core_filters':[{'type':'anon'}]}",
		"schemes[0].core_filters[0]: '{\"type\":\"anon\"}': expected a filter of type addr "
		"or target");
	refused("{'ops_filters':[{'type':'target'}]}",
		"schemes[0].ops_filters[0]: '{\"type\":\"target\"}': expected a filter of another "
		"type than addr and target");
	refused("{'apply_interval_us':'5 parsecs'}",
		"schemes[0].apply_interval_us: '5 parsecs': expected a time such as 5000 "
		"(microseconds) or '5 ms'");
	refused("{'apply_interval_us':-1}",
		"schemes[0].apply_interval_us: '-1': expected a time such as 5000 (microseconds) or "
		"'5 ms'");
	refused("{'quotas':{'bytes':'1 furlong'}}",
		"schemes[0].quotas.bytes: '1 furlong': expected a size such as 4096 or '4 KiB'");
	refused("{'quotas':{'fail_charge_num':4294967296}}",
		"schemes[0].quotas.fail_charge_num: '4294967296': expected a number from 0 to "
		"4294967295");
	refused("{'target_nid':-2}",
		"schemes[0].target_nid: '-2': expected a number from -1 to 2147483647");
	refused("{'filters':[{'type':'anon','probe_hits_wsum_range':[1,2]}]}",
		"schemes[0].filters[0].probe_hits_wsum_range: '[1,2]': expected null, as udamon "
		"has no such filter");
}

static void contradictions_are_refused(void **state)
{
	refused("{'access_pattern':{'sz':{'min':2,'max':1}}}",
		"schemes[0].access_pattern.sz: '{\"min\":2,\"max\":1}': expected a min that isn't "
		"above max");
	refused("{'access_pattern':{'age':{'min':'5 s','max':7}}}",
		"schemes[0].access_pattern.age: '{\"min\":\"5 s\",\"max\":7}': expected min and max "
		"in the same unit");
	refused("{'access_pattern':{'nr_accesses':{'min':'101 %'}}}",
		"schemes[0].access_pattern.nr_accesses.min: '101 %': expected a number of samples, "
		"or a share such as '20 %'");
	refused("{'access_pattern':{'sz':{},'sz_bytes':{}}}",
		"schemes[0].access_pattern: 'sz' and 'sz_bytes': expected one of them, they say the "
		"same");
	refused("{'action':'migrate_hot'}",
		"schemes[0]: action 'migrate_hot' needs a node to move memory to: nid or dests");
	refused("{'filters':[{'type':'memcg'}]}",
		"schemes[0]: filter 'memcg': a cgroup's path is missing");
	refused("{'watermarks':{'metric':'free_mem_rate','high':1,'mid':2,'low':3}}",
		"schemes[0]: watermarks '1:2:3': the high one must not be below the middle one, nor "
		"that below the low one");
}

/* What two schemes hold, apart from where paths lie. */
static void assert_same(struct params_scheme *a, struct params_scheme *b)
{
	json_t *one = params_scheme_to_json(&a->values), *two = params_scheme_to_json(&b->values);
	char *first = json_dumps(one, 0), *second = json_dumps(two, 0);

	assert_non_null(first);
	assert_non_null(second);
	assert_string_equal(first, second);
	free(first);
	free(second);
	json_decref(one);
	json_decref(two);
}

static void what_is_written_reads_back(void **state)
{
	static const char *const texts[] = {
		"action=stat",
		"action=pageout,sz=4K..max,access=5%..20%,age=5s..60s,quota_sz=18446744073709551614,"
		"quota_ms=3,quota_reset=5s,weights=1/2/3,fail_charge=1/2,apply=2s,max_snapshots=4",
		"action=migrate_cold,nid=3,dests=0:1/2:5,goal=some_mem_psi_us:10ms,"
		"goal=node_memcg_free_bp:5%:1:/a/b,tuner=temporal",
		"action=cold,filter=!anon:allow,filter=memcg:/x:reject,filter=addr:1000-2000:allow,"
		"filter=target:2:reject,filter=hugepage_size:2M..max:allow,filter=young:reject,"
		"wmarks=free_mem_rate:5s:500:400:200",
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct params_strings strings = {0};
		struct params_scheme scheme;
		struct damon_attrs attrs;
		struct read r;
		json_t *json;

		damon_default_attrs(&attrs);
		assert_int_equal(params_scheme_parse(texts[i], &attrs, &strings, &scheme, NULL), 0);
		json = params_scheme_to_json(&scheme.values);
		assert_non_null(json);
		read_json(&r, json);
		json_decref(json);
		if (r.ret)
			fail_msg("'%s' doesn't read back: %s", texts[i], r.err.text);
		assert_same(&scheme, &r.scheme);
		assert_memory_equal(&scheme.values.pattern, &r.scheme.values.pattern,
				    sizeof(scheme.values.pattern));
		assert_true(scheme.values.quota.sz == r.scheme.values.quota.sz);
		params_strings_free(&strings);
		params_strings_free(&r.strings);
	}
}

/* Whole files of kdamonds. */

static void load(const char *name, struct params_kdamonds *kdamonds)
{
	char path[512];
	struct damon_error err = {""};

	snprintf(path, sizeof(path), "%s/tests/data/%s", getenv("UDAMON_SOURCE"), name);
	if (params_kdamonds_load(path, kdamonds, &err))
		fail_msg("%s", err.text);
}

static void check_damos_file(const struct params_kdamonds *kdamonds)
{
	const struct params_kdamond *kdamond = &kdamonds->list[0];
	const struct params_ctx *ctx = &kdamond->contexts[0];
	const struct damos *pageout = &ctx->schemes.list[0].values;
	const struct damos *migrate = &ctx->schemes.list[1].values;

	assert_int_equal(kdamonds->nr, 1);
	assert_false(kdamond->on);
	assert_int_equal(kdamond->nr_contexts, 1);
	assert_int_equal(ctx->ops, DAMON_OPS_VADDR);
	assert_true(ctx->pause);
	assert_int_equal(ctx->attrs.sample_interval, 10000);
	assert_int_equal(ctx->attrs.aggr_interval, 200000);
	assert_int_equal(ctx->attrs.ops_update_interval, 2000000);
	assert_int_equal(ctx->attrs.intervals_goal.access_bp, 400);
	assert_int_equal(ctx->attrs.intervals_goal.aggrs, 3);
	assert_int_equal(ctx->attrs.intervals_goal.min_sample_us, 5000);
	assert_int_equal(ctx->attrs.intervals_goal.max_sample_us, 10000000);
	assert_int_equal(ctx->attrs.max_nr_regions, 1000);
	assert_int_equal(ctx->nr_targets, 1);
	assert_int_equal(ctx->targets[0].pid, 1);
	assert_int_equal(ctx->nr_probes, 1);
	assert_int_equal(ctx->probes[0].weight, 3);
	assert_int_equal(ctx->probes[0].nr_filters, 2);
	assert_string_equal(ctx->probes[0].filters[1].memcg_path, "/a");
	assert_int_equal(ctx->schemes.nr, 3);
	assert_int_equal(pageout->action, DAMOS_PAGEOUT);
	assert_int_equal(pageout->pattern.min_sz_region, 4096);
	assert_int_equal(pageout->pattern.max_nr_accesses, 2);
	assert_int_equal(pageout->quota.sz, 100 << 20);
	assert_int_equal(pageout->quota.nr_goals, 3);
	assert_int_equal(pageout->quota.goals[1].target_value, 12345);
	assert_int_equal(pageout->quota.weight_age, 700);
	assert_int_equal(pageout->wmarks.mid, 400);
	assert_int_equal(pageout->nr_filters, 5);
	assert_int_equal(pageout->filters[2].addr_end, 8192);
	assert_int_equal(pageout->filters[4].sz_max, 1 << 30);
	assert_int_equal(migrate->nr_dests, 2);
	assert_int_equal(migrate->pattern.min_nr_accesses, 5);
	assert_int_equal(migrate->pattern.max_age_region, 50);
	assert_int_equal(ctx->schemes.list[2].values.pattern.max_nr_accesses, UINT32_MAX);
	assert_int_equal(ctx->schemes.list[2].values.pattern.max_age_region, UINT32_MAX);
}

static void what_damo_writes_is_read(void **state)
{
	struct params_kdamonds kdamonds;

	load("damo-kdamonds.json", &kdamonds);
	check_damos_file(&kdamonds);
	assert_int_equal(kdamonds.list[0].contexts[0].schemes.list[0].values.quota.ms, 10);
	assert_int_equal(kdamonds.list[0].contexts[0].schemes.list[0].values.pattern.min_age_region,
			 25);
	assert_true(kdamonds.list[0].contexts[0].schemes.list[0].values.apply_interval_us ==
		    90000000);
	params_kdamonds_free(&kdamonds);
}

/* Its raw form gives some times in other units than their keys say; both sides read them as the key says. */
static void what_damo_writes_raw_is_read(void **state)
{
	struct params_kdamonds kdamonds;

	load("damo-kdamonds-raw.json", &kdamonds);
	check_damos_file(&kdamonds);
	params_kdamonds_free(&kdamonds);
}

static void kdamonds_read_back_what_was_written(void **state)
{
	struct params_kdamonds kdamonds, again;
	struct damon_error err = {""};
	json_t *json, *json_again;

	load("damo-kdamonds.json", &kdamonds);
	json = params_kdamonds_to_json(&kdamonds);
	assert_non_null(json);
	if (params_kdamonds_from_json(json, &again, &err))
		fail_msg("%s", err.text);
	check_damos_file(&again);
	json_again = params_kdamonds_to_json(&again);
	assert_true(json_equal(json, json_again));
	json_decref(json);
	json_decref(json_again);
	params_kdamonds_free(&kdamonds);
	params_kdamonds_free(&again);
}

static void kdamonds_refused(const char *text, const char *why)
{
	json_t *json = from_text(text);
	struct params_kdamonds kdamonds;
	struct damon_error err = {""};

	assert_int_equal(params_kdamonds_from_json(json, &kdamonds, &err), -EINVAL);
	assert_string_equal(err.text, why);
	json_decref(json);
	params_kdamonds_free(&kdamonds);
}

static void what_of_kdamonds_is_refused(void **state)
{
	kdamonds_refused("[]", "expected {\"kdamonds\": [...]}");
	kdamonds_refused("{'kdamonds':[{'contexts':[{'ops':'moon'}]}]}",
			 "kdamonds[0].contexts[0].ops: 'moon': expected one of vaddr, fvaddr, "
			 "paddr, sim");
	kdamonds_refused("{'kdamonds':[{'contexts':[{'intervals':{'sample_us':2,'aggr_us':1}}]}]}",
			 "kdamonds[0].contexts[0]: sample_us '2' is above aggr_us '1'");
	kdamonds_refused(
		"{'kdamonds':[{'contexts':[{'nr_regions':{'min':2}}]}]}",
		"kdamonds[0].contexts[0]: nr_regions '2..1000': expected a min of at least "
		"3, not above max");
	kdamonds_refused(
		"{'kdamonds':[{'contexts':[{'targets':[{'regions':[{'start':2,'end':1}]}]}"
		"]}]}",
		"kdamonds[0].contexts[0].targets[0].regions[0]: '{\"start\":2,\"end\":1}': "
		"expected a start below the end");
	kdamonds_refused("{'kdamonds':[{'contexts':[{'schemes':[{},{'quotas':{'x':1}}]}]}]}",
			 "kdamonds[0].contexts[0].schemes[1].quotas: unknown key 'x': expected one "
			 "of time_ms, ms, sz_bytes, bytes, reset_interval_ms, fail_charge_num, "
			 "fail_charge_denom, goals, goal_tuner, weights");
	kdamonds_refused("{'kdamonds':[{'contexts':[{'sample_control':{'sample_filters':[1]}}]}]}",
			 "kdamonds[0].contexts[0].sample_control: '{\"sample_filters\":[1]}': "
			 "expected sampling by page tables without filters");
	kdamonds_refused("{'kdamonds':[{'state':'asleep'}]}",
			 "kdamonds[0].state: 'asleep': expected on or off");
	kdamonds_refused("{'kdamonds':[{'contexts':[{'intervals':{'intervals_goal':{'aggrs':1,"
			 "'min_sample_us':7,'max_sample_us':8}}}]}]}",
			 "kdamonds[0].contexts[0]: sample_us '5000' is outside its goal's "
			 "min_sample_us '7' to max_sample_us '8'");
}

/* Files of schemes, in each of the three forms. */
static size_t load_schemes(const char *text, struct params_schemes *schemes,
			   struct damon_error *err, int *ret)
{
	char path[] = "/tmp/udamon-test-XXXXXX", *p;
	int fd = mkstemp(path);
	struct damon_attrs attrs;

	assert_true(fd >= 0);
	for (; *text; text++)
		assert_int_equal(write(fd, *text == '\'' ? "\"" : text, 1), 1);
	close(fd);
	damon_default_attrs(&attrs);
	memset(schemes, 0, sizeof(*schemes));
	memset(err, 0, sizeof(*err));
	*ret = params_schemes_load(path, &attrs, schemes, err);
	unlink(path);
	/* The name is another each time. */
	p = strstr(err->text, path);
	if (p) {
		memmove(p + 4, p + strlen(path), strlen(p + strlen(path)) + 1);
		memcpy(p, "FILE", 4);
	}
	return schemes->nr;
}

static void files_hold_schemes_in_three_forms(void **state)
{
	static const char *const forms[] = {
		"[{'action':'cold'},{'filters':[{'type':'memcg','memcg_path':'/x'}]}]",
		"{'schemes':[{'action':'cold'},{'filters':[{'type':'memcg','memcg_path':'/x'}]}]}",
		"{'kdamonds':[{'contexts':[{'schemes':[{'action':'cold'}]},{'schemes':[{'filters':"
		"[{'type':'memcg','memcg_path':'/x'}]}]}]}]}",
	};
	struct params_schemes schemes;
	struct damon_error err;
	size_t i;
	int ret;

	for (i = 0; i < 3; i++) {
		assert_int_equal(load_schemes(forms[i], &schemes, &err, &ret), 2);
		assert_int_equal(ret, 0);
		assert_int_equal(schemes.list[0].values.action, DAMOS_COLD);
		assert_string_equal(schemes.list[1].values.filters[0].memcg_path, "/x");
		params_schemes_free(&schemes);
	}
}

static void files_of_kdamonds_are_converted_by_the_intervals_here(void **state)
{
	struct params_schemes schemes;
	struct damon_error err;
	int ret;

	load_schemes("{'kdamonds':[{'contexts':[{'intervals':{'aggr_us':'1 s'},'schemes':[{"
		     "'access_pattern':{'age':{'min':'10 s'}}}]}]}]}",
		     &schemes, &err, &ret);
	assert_int_equal(ret, 0);
	assert_int_equal(schemes.list[0].values.pattern.min_age_region, 100);
	params_schemes_free(&schemes);
}

static void a_file_refused(const char *text, const char *why)
{
	struct params_schemes schemes;
	struct damon_error err;
	int ret;

	load_schemes(text, &schemes, &err, &ret);
	assert_int_equal(ret, -EINVAL);
	assert_string_equal(err.text, why);
	params_schemes_free(&schemes);
}

static void files_that_are_refused(void **state)
{
	struct params_schemes schemes;
	struct damon_error err;
	struct damon_attrs attrs;
	int ret;

	/* The rest of this one is the JSON library's. */
	load_schemes("\n{'schemes':", &schemes, &err, &ret);
	assert_int_equal(ret, -EINVAL);
	assert_memory_equal(err.text, "'FILE' is no JSON: line 2: ", 27);
	a_file_refused("[]", "'FILE': there is no scheme in it");
	a_file_refused("[{'action':'fly'}]",
		       "'FILE': [0].action: 'fly': expected one of stat, pageout, cold, willneed, "
		       "hugepage, nohugepage, collapse, lru_prio, lru_deprio, migrate_hot, "
		       "migrate_cold");
	a_file_refused("{'shemes':[]}", "'FILE': unknown key 'shemes': expected one of schemes");
	damon_default_attrs(&attrs);
	assert_int_equal(params_schemes_load("/nonexistent", &attrs, &schemes, &err), -ENOENT);
	assert_string_equal(err.text, "'/nonexistent' can't be read: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_object_counts_everything),
		cmocka_unit_test(the_kernels_names_count_samples_and_intervals),
		cmocka_unit_test(damos_names_count_percent_and_time),
		cmocka_unit_test(values_have_units_commas_and_decimals),
		cmocka_unit_test(unknown_keys_are_named_with_their_place),
		cmocka_unit_test(refused_values_are_quoted_with_their_place),
		cmocka_unit_test(contradictions_are_refused),
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(what_damo_writes_is_read),
		cmocka_unit_test(what_damo_writes_raw_is_read),
		cmocka_unit_test(kdamonds_read_back_what_was_written),
		cmocka_unit_test(what_of_kdamonds_is_refused),
		cmocka_unit_test(files_hold_schemes_in_three_forms),
		cmocka_unit_test(files_of_kdamonds_are_converted_by_the_intervals_here),
		cmocka_unit_test(files_that_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
