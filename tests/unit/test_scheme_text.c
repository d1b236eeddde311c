// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Schemes as the command line has them: every key, what is refused, and how it reads in words. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <udamon/ops.h>

#include "params/names.h"
#include "params/scheme_text.h"

struct parsed {
	struct damon_attrs attrs;
	struct params_strings strings;
	struct params_scheme scheme;
	struct damon_error err;
	int ret;
};

/* 5 ms and 100 ms: 20 samples a window. */
static void parse(struct parsed *p, const char *text)
{
	memset(p, 0, sizeof(*p));
	damon_default_attrs(&p->attrs);
	p->ret = params_scheme_parse(text, &p->attrs, &p->strings, &p->scheme, &p->err);
}

static struct damos *accepted(struct parsed *p, const char *text)
{
	parse(p, text);
	if (p->ret)
		fail_msg("'%s' refused: %s", text, p->err.text);
	return &p->scheme.values;
}

static void refused(const char *text, const char *why)
{
	struct parsed p;

	parse(&p, text);
	params_strings_free(&p.strings);
	if (p.ret != -EINVAL)
		fail_msg("'%s': expected -EINVAL, got %d", text, p.ret);
	assert_string_equal(p.err.text, why);
}

static void keywords_are_the_kernels_and_go_both_ways(void **state)
{
	static const unsigned int nr[] = {
		[PARAMS_ACTION] = DAMOS_NR_ACTIONS,
		[PARAMS_GOAL_METRIC] = DAMOS_NR_GOAL_METRICS,
		[PARAMS_GOAL_TUNER] = DAMOS_NR_TUNERS,
		[PARAMS_WMARK_METRIC] = DAMOS_NR_WMARK_METRICS,
		[PARAMS_FILTER_TYPE] = DAMOS_NR_FILTER_TYPES,
		[PARAMS_PROBE_FILTER] = 2,
		[PARAMS_OPS] = DAMON_NR_OPS,
	};
	unsigned int kind, value;
	char names[300];

	for (kind = 0; kind < sizeof(nr) / sizeof(nr[0]); kind++) {
		for (value = 0; value < nr[kind]; value++)
			assert_int_equal(params_value(kind, params_name(kind, value)), value);
		assert_null(params_name(kind, nr[kind]));
		assert_int_equal(params_value(kind, ""), -EINVAL);
	}
	assert_int_equal(params_value(PARAMS_ACTION, "pageout "), -EINVAL);
	assert_string_equal(params_names(PARAMS_FILTER_TYPE, names, sizeof(names)),
			    "anon, active, memcg, young, hugepage_size, unmapped, addr, target");
	assert_string_equal(params_names(PARAMS_ACTION, names, 10), "stat, pag");
}

static void only_an_action_is_needed(void **state)
{
	struct parsed p;
	struct params_scheme fresh;

	accepted(&p, "action=stat");
	params_scheme_init(&fresh);
	assert_memory_equal(&p.scheme, &fresh, sizeof(fresh));
}

static void the_pattern_takes_ranges_and_single_values(void **state)
{
	struct parsed p;
	struct damos *scheme = accepted(&p, "action=cold,sz=4K..2M,access=5%..50%,age=5s..max");

	assert_int_equal(scheme->action, DAMOS_COLD);
	assert_int_equal(scheme->pattern.min_sz_region, 4096);
	assert_int_equal(scheme->pattern.max_sz_region, 2 << 20);
	assert_int_equal(scheme->pattern.min_nr_accesses, 1);
	assert_int_equal(scheme->pattern.max_nr_accesses, 10);
	assert_int_equal(scheme->pattern.min_age_region, 50);
	assert_int_equal(scheme->pattern.max_age_region, UINT32_MAX);
	scheme = accepted(&p, "action=stat,sz=min..1G,nr_accesses=3,age=min..10s");
	assert_int_equal(scheme->pattern.min_sz_region, 0);
	assert_int_equal(scheme->pattern.max_sz_region, 1 << 30);
	assert_int_equal(scheme->pattern.min_nr_accesses, 3);
	assert_int_equal(scheme->pattern.max_nr_accesses, 3);
	assert_int_equal(scheme->pattern.min_age_region, 0);
	assert_int_equal(scheme->pattern.max_age_region, 100);
	scheme = accepted(&p, "action=stat,access=0%,sz=max");
	assert_int_equal(scheme->pattern.max_nr_accesses, 0);
	assert_true(scheme->pattern.min_sz_region == UINT64_MAX);
}

static void bounds_are_rounded_to_the_inside(void **state)
{
	struct parsed p;
	struct damos *scheme = accepted(&p, "action=stat,access=1%..14%,age=101ms..199ms");

	assert_int_equal(scheme->pattern.min_nr_accesses, 1); /* of 20, so 5 % */
	assert_int_equal(scheme->pattern.max_nr_accesses, 2);
	assert_int_equal(scheme->pattern.min_age_region, 2);
	assert_int_equal(scheme->pattern.max_age_region, 2);
	scheme = accepted(&p, "action=stat,access=100%");
	assert_int_equal(scheme->pattern.min_nr_accesses, 20);
	assert_int_equal(scheme->pattern.max_nr_accesses, UINT32_MAX);
}

static void times_and_shares_stay_what_they_are_when_intervals_change(void **state)
{
	struct parsed p;
	struct damos *scheme = accepted(&p, "action=stat,access=10%..50%,age=5s..60s");

	p.attrs.sample_interval *= 4;
	p.attrs.aggr_interval *= 10;
	assert_true(params_scheme_convert(&p.scheme, &p.attrs, &scheme->pattern));
	assert_int_equal(scheme->pattern.min_nr_accesses, 5); /* of 50 */
	assert_int_equal(scheme->pattern.max_nr_accesses, 25);
	assert_int_equal(scheme->pattern.min_age_region, 5);
	assert_int_equal(scheme->pattern.max_age_region, 60);
	assert_false(params_scheme_convert(&p.scheme, &p.attrs, &scheme->pattern));
	scheme = accepted(&p, "action=stat,nr_accesses=1..2");
	p.attrs.aggr_interval *= 10;
	assert_false(params_scheme_convert(&p.scheme, &p.attrs, &scheme->pattern));
}

static void the_largest_values_saturate(void **state)
{
	struct parsed p;
	struct damos *scheme = accepted(&p, "action=stat,age=18446744073709551615us");

	assert_int_equal(scheme->pattern.min_age_region, UINT32_MAX);
	assert_int_equal(scheme->pattern.max_age_region, UINT32_MAX);
	scheme = accepted(&p, "action=stat,quota_sz=18446744073709551615");
	assert_true(scheme->quota.sz == UINT64_MAX);
}

static void quota_keys_fill_the_quota(void **state)
{
	struct parsed p;
	struct damos_quota *quota =
		&accepted(&p, "action=pageout,quota_sz=100M,quota_ms=10,quota_reset=2s,"
			      "weights=1/2/3,fail_charge=1/10,tuner=temporal,apply=1s,"
			      "goal=some_mem_psi_us:10ms,goal=node_mem_free_bp:5%:1,"
			      "goal=node_memcg_used_bp:4000:0:/a:b")
			 ->quota;

	assert_int_equal(quota->sz, 100 << 20);
	assert_int_equal(quota->ms, 10);
	assert_int_equal(quota->reset_interval_ms, 2000);
	assert_int_equal(quota->weight_sz, 1);
	assert_int_equal(quota->weight_nr_accesses, 2);
	assert_int_equal(quota->weight_age, 3);
	assert_int_equal(quota->fail_charge_num, 1);
	assert_int_equal(quota->fail_charge_denom, 10);
	assert_int_equal(quota->tuner, DAMOS_TUNER_TEMPORAL);
	assert_int_equal(p.scheme.values.apply_interval_us, 1000000);
	assert_int_equal(quota->nr_goals, 3);
	assert_int_equal(quota->goals[0].metric, DAMOS_GOAL_SOME_MEM_PSI_US);
	assert_int_equal(quota->goals[0].target_value, 10000);
	assert_int_equal(quota->goals[1].target_value, 500);
	assert_int_equal(quota->goals[1].nid, 1);
	assert_int_equal(quota->goals[2].target_value, 4000);
	assert_string_equal(quota->goals[2].memcg_path, "/a:b");
	params_strings_free(&p.strings);
}

static void with_a_quota_the_coldest_goes_first_unless_weights_say_otherwise(void **state)
{
	struct parsed p;

	assert_int_equal(accepted(&p, "action=pageout,quota_sz=1M")->quota.weight_age, 1);
	assert_int_equal(accepted(&p, "action=pageout")->quota.weight_age, 0);
	assert_int_equal(accepted(&p, "weights=0/0/0,action=pageout,quota_sz=1M")->quota.weight_age,
			 0);
}

static void filters_keep_their_order(void **state)
{
	struct parsed p;
	struct damos *scheme =
		accepted(&p, "action=pageout,filter=!anon:reject,filter=memcg:/x/y:z:allow,"
			     "filter=addr:0x1000-2000:reject,filter=target:3:allow,"
			     "filter=hugepage_size:2M..1G:allow");

	assert_int_equal(scheme->nr_filters, 5);
	assert_int_equal(scheme->filters[0].type, DAMOS_FILTER_ANON);
	assert_false(scheme->filters[0].matching);
	assert_false(scheme->filters[0].allow);
	assert_string_equal(scheme->filters[1].memcg_path, "/x/y:z");
	assert_true(scheme->filters[1].matching);
	assert_true(scheme->filters[1].allow);
	assert_int_equal(scheme->filters[2].addr_start, 0x1000);
	assert_int_equal(scheme->filters[2].addr_end, 0x2000);
	assert_int_equal(scheme->filters[3].target_idx, 3);
	assert_int_equal(scheme->filters[4].sz_min, 2 << 20);
	assert_int_equal(scheme->filters[4].sz_max, 1 << 30);
	params_strings_free(&p.strings);
}

static void the_rest_of_the_keys(void **state)
{
	struct parsed p;
	struct damos *scheme = accepted(&p, "action=migrate_hot,nid=2,dests=0:1/1:3,"
					    "wmarks=free_mem_rate:5s:50%:400:200,max_snapshots=7");

	assert_int_equal(scheme->target_nid, 2);
	assert_int_equal(scheme->nr_dests, 2);
	assert_int_equal(scheme->dests[1].nid, 1);
	assert_int_equal(scheme->dests[1].weight, 3);
	assert_int_equal(scheme->wmarks.metric, DAMOS_WMARK_FREE_MEM_RATE);
	assert_int_equal(scheme->wmarks.interval_us, 5000000);
	assert_int_equal(scheme->wmarks.high, 500);
	assert_int_equal(scheme->wmarks.mid, 400);
	assert_int_equal(scheme->wmarks.low, 200);
	assert_int_equal(scheme->max_nr_snapshots, 7);
}

static void what_is_refused_is_quoted(void **state)
{
	refused("", "'': expected KEY=VALUE");
	refused("stat", "'stat': expected KEY=VALUE");
	refused("sz=4K", "expected action=..., for instance action=stat");
	refused("action=stat,", "'': expected KEY=VALUE");
	refused("action=stat,action=cold", "action 'cold': expected this key only once");
	refused("action=fly", "action 'fly': expected one of stat, pageout, cold, willneed, "
			      "hugepage, nohugepage, collapse, lru_prio, lru_deprio, migrate_hot, "
			      "migrate_cold");
	refused("action=stat,size=4K",
		"unknown key 'size': expected one of action, sz, access, nr_accesses, age, apply, "
		"quota_sz, quota_ms, quota_reset, goal, tuner, weights, fail_charge, wmarks, "
		"filter, nid, dests, max_snapshots");
	refused("action=stat,access=1%,nr_accesses=1",
		"access and nr_accesses: expected one of them, they say the same");
}

static void values_of_the_pattern_that_are_refused(void **state)
{
	refused("action=stat,sz=4X..max",
		"sz '4X..max': expected a range of sizes such as 4K..max");
	refused("action=stat,sz=..", "sz '..': expected a range of sizes such as 4K..max");
	refused("action=stat,sz=18446744073709551616",
		"sz '18446744073709551616': expected a range of sizes such as 4K..max");
	refused("action=stat,sz=2M..4K",
		"sz '2M..4K': expected a lower bound that isn't above the upper one");
	refused("action=stat,access=101%",
		"access '101%': expected a range of percentages such as 0%..20%");
	refused("action=stat,nr_accesses=4294967296",
		"nr_accesses '4294967296': expected a range of numbers of samples such as 0..5");
	refused("action=stat,age=5..max",
		"age '5..max': expected a range of times such as 5s..max");
	refused("action=stat,apply=often", "apply 'often': expected a time such as 500ms");
}

static void values_of_the_quota_that_are_refused(void **state)
{
	refused("action=stat,quota_sz=lots", "quota_sz 'lots': expected a size such as 100M");
	refused("action=stat,quota_ms=1s",
		"quota_ms '1s': expected a number of milliseconds such as 10");
	refused("action=stat,quota_reset=1500us",
		"quota_reset '1500us': expected whole milliseconds");
	refused("action=stat,goal=user_input", "goal 'user_input': expected METRIC:TARGET");
	refused("action=stat,goal=user_input:0", "goal 'user_input:0': expected a target above 0");
	refused("action=stat,goal=fame:1",
		"goal 'fame': expected one of user_input, some_mem_psi_us, node_mem_used_bp, "
		"node_mem_free_bp, node_memcg_used_bp, node_memcg_free_bp, active_mem_bp, "
		"inactive_mem_bp, node_eligible_mem_bp");
	refused("action=stat,goal=active_mem_bp:x",
		"goal 'active_mem_bp:x': expected a target in basis points or percent, such as 500 "
		"or 5%");
	refused("action=stat,goal=some_mem_psi_us:x",
		"goal 'some_mem_psi_us:x': expected a target in microseconds or with a unit, such "
		"as 10ms");
	refused("action=stat,goal=user_input:1:0",
		"goal 'user_input:1:0': expected no node with this metric");
	refused("action=stat,goal=node_mem_free_bp:1:0:/a",
		"goal 'node_mem_free_bp:1:0:/a': expected no path with this metric");
	refused("action=stat,goal=node_mem_free_bp:1:x",
		"goal 'node_mem_free_bp:1:x': expected the number of a node after the target");
	refused("action=stat,goal=node_memcg_free_bp:1:0",
		"goal 'node_memcg_free_bp:1:0': expected METRIC:TARGET:NID:PATH, PATH being a "
		"cgroup");
	refused("action=stat,tuner=piano", "tuner 'piano': expected one of consist, temporal");
	refused("action=stat,weights=1/2",
		"weights '1/2': expected SZ/FREQ/AGE, three numbers such as 0/1/3");
	refused("action=stat,weights=1/2/3/4",
		"weights '1/2/3/4': expected SZ/FREQ/AGE, three numbers such as 0/1/3");
	refused("action=stat,fail_charge=1/0",
		"fail_charge '1/0': expected NUM/DENOM, two numbers such as 1/10, DENOM above 0");
}

static void other_values_that_are_refused(void **state)
{
	const char *wmarks = "wmarks 'free_mem_rate:5s:1:2:3': expected "
			     "METRIC:INTERVAL:HIGH:MID:LOW such as free_mem_rate:5s:500:400:200, "
			     "levels in per mille from the highest down";

	refused("action=stat,wmarks=moon:5s:3:2:1",
		"wmarks 'moon': expected one of none, free_mem_rate");
	refused("action=stat,wmarks=free_mem_rate:5s:1:2:3", wmarks);
	refused("action=stat,filter=anon",
		"filter 'anon': expected [!]TYPE[:ARG]:allow or ...:reject");
	refused("action=stat,filter=wet:allow",
		"filter 'wet': expected one of anon, active, memcg, young, hugepage_size, unmapped, "
		"addr, target");
	refused("action=stat,filter=anon:x:allow",
		"filter 'anon:x:allow': expected no argument with this type");
	refused("action=stat,filter=memcg:allow",
		"filter 'memcg:allow': expected memcg:PATH:allow or memcg:PATH:reject");
	refused("action=stat,filter=addr:5:allow",
		"filter 'addr:5:allow': expected addr:START-END:allow or ...:reject, hexadecimal");
	refused("action=stat,filter=target:x:allow",
		"filter 'target:x:allow': expected target:INDEX:allow or target:INDEX:reject");
	refused("action=stat,nid=-1", "nid '-1': expected the number of a node");
	refused("action=stat,dests=0", "dests '0': expected NID:WEIGHT/NID:WEIGHT/..., at most 8");
	refused("action=stat,dests=0:1/",
		"dests '0:1/': expected NID:WEIGHT/NID:WEIGHT/..., at most 8");
	refused("action=stat,max_snapshots=x", "max_snapshots 'x': expected a number of snapshots");
	refused("action=migrate_cold",
		"action 'migrate_cold' needs a node to move memory to: nid or dests");
	refused("action=migrate_cold,dests=0:0",
		"dests: all weights are 0, so nothing would be moved");
}

static void too_many_of_a_repeatable_key(void **state)
{
	char text[1000] = "action=stat";
	int i;

	for (i = 0; i < DAMOS_MAX_FILTERS + 1; i++)
		strcat(text, ",filter=anon:allow");
	refused(text, "filter 'anon:allow': expected at most 16 filters");
	strcpy(text, "action=stat");
	for (i = 0; i < DAMOS_MAX_GOALS + 1; i++)
		strcat(text, ",goal=user_input:1");
	refused(text, "goal 'user_input:1': expected at most 8 goals");
}

static void reads(const char *text, const char *expected)
{
	struct parsed p;
	char words[PARAMS_WORDS_MAX];

	accepted(&p, text);
	assert_string_equal(params_scheme_words(&p.scheme.values, &p.attrs, words, sizeof(words)),
			    expected);
	params_strings_free(&p.strings);
}

static void schemes_read_well(void **state)
{
	reads("action=stat", "count all memory");
	reads("action=pageout,access=0%,age=5s..max,quota_sz=100M,quota_reset=1s",
	      "page out memory not accessed for at least 5 s, at most 100 MiB every 1 s, the "
	      "coldest first");
	reads("action=lru_prio,access=50%..max,quota_ms=10",
	      "mark as just used memory accessed in at least 50 % of the samples, at most 10 ms of "
	      "processor time every 1 s, the hottest first");
	reads("action=cold,access=5%..20%,age=1s..2s,sz=4K..2M",
	      "mark as cold memory accessed in 5 to 20 % of the samples for 1 s to 2 s in regions "
	      "of 4 KiB to 2 MiB");
	reads("action=stat,age=200ms..max", "count memory unchanged for at least 200 ms");
	reads("action=stat,access=0%..20%", "count memory accessed in at most 20 % of the samples");
	reads("action=migrate_cold,nid=1,access=0%",
	      "migrate, the coldest first, to node 1 memory not accessed");
	reads("action=pageout,goal=node_mem_free_bp:5%:1,goal=user_input:7,tuner=temporal",
	      "page out all memory, tuned towards node_mem_free_bp = 5 % on node 1 and user_input "
	      "= 7 (all or nothing) every 1 s, the coldest first");
	reads("action=pageout,filter=!anon:reject,filter=memcg:/x:allow,apply=5s,max_snapshots=3,"
	      "wmarks=free_mem_rate:5s:500:400:200",
	      "page out all memory, leaving out all but anon, allowing memcg /x, looked for every "
	      "5 s, from less than 40 % of the system's memory free until more than 50 %, never "
	      "below 20 %, 3 times");
}

static void words_are_cut_to_the_room_there_is(void **state)
{
	struct parsed p;
	char words[10], longer[38];

	accepted(&p, "action=stat");
	assert_string_equal(params_scheme_words(&p.scheme.values, &p.attrs, words, sizeof(words)),
			    "count all");
	/* Not within a character. */
	accepted(&p, "action=stat,filter=memcg:/\xc3\xa4\xc3\xb6:allow");
	assert_string_equal(params_scheme_words(&p.scheme.values, &p.attrs, longer, sizeof(longer)),
			    "count all memory, allowing memcg /\xc3\xa4");
	params_strings_free(&p.strings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keywords_are_the_kernels_and_go_both_ways),
		cmocka_unit_test(only_an_action_is_needed),
		cmocka_unit_test(the_pattern_takes_ranges_and_single_values),
		cmocka_unit_test(bounds_are_rounded_to_the_inside),
		cmocka_unit_test(times_and_shares_stay_what_they_are_when_intervals_change),
		cmocka_unit_test(the_largest_values_saturate),
		cmocka_unit_test(quota_keys_fill_the_quota),
		cmocka_unit_test(with_a_quota_the_coldest_goes_first_unless_weights_say_otherwise),
		cmocka_unit_test(filters_keep_their_order),
		cmocka_unit_test(the_rest_of_the_keys),
		cmocka_unit_test(what_is_refused_is_quoted),
		cmocka_unit_test(values_of_the_pattern_that_are_refused),
		cmocka_unit_test(values_of_the_quota_that_are_refused),
		cmocka_unit_test(other_values_that_are_refused),
		cmocka_unit_test(too_many_of_a_repeatable_key),
		cmocka_unit_test(schemes_read_well),
		cmocka_unit_test(words_are_cut_to_the_room_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
