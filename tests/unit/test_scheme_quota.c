// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Quotas: effective size, charge, goals and tuners, priorities. Numbers worked out by hand. */
#include <stdio.h>

#include "scheme_fixture.h"

#define MIB (1ULL << 20)

static void put(struct scheme_world *w, const struct damon_region *regions, size_t nr)
{
	test_put_regions(w->world.target, regions, nr);
}

static void the_smallest_of_the_limits_wins(void **state)
{
	const struct damos_quota_goal goal = {
		.metric = DAMOS_GOAL_USER_INPUT, .target_value = 10, .current_value = 10};
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	scheme = scheme_new(&w, DAMOS_PAGEOUT);
	scheme->quota.ms = 2;		    /* 2,048 pages */
	scheme->quota.sz = 300 * TEST_PAGE; /* less */
	assert_int_equal(damos_add_quota_goal(scheme, &goal), 0);
	assert_int_equal(damon_add_scheme(w.world.ctx, scheme), 0);
	scheme_world_start(&w);
	scheme->quota_state.esz_bp = 500 * TEST_PAGE * 10000;
	scheme_pass(&w, 1000);
	assert_int_equal(scheme->quota.esz, 300 * TEST_PAGE);
	scheme->quota.sz = 0;
	scheme_pass(&w, 1000); /* the goal is reached exactly: it stays */
	assert_int_equal(scheme->quota.esz, 500 * TEST_PAGE);
	scheme->quota.nr_goals = 0;
	scheme_pass(&w, 1000);
	assert_int_equal(scheme->quota.esz, 2048 * TEST_PAGE);
	test_world_free(&w.world);
}

static void less_than_a_smallest_region_left_is_full(void **state)
{
	const struct damon_region regions[] = {TEST_REGION(0, 3), TEST_REGION(3, 6)};
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	scheme = scheme_add(&w, DAMOS_PAGEOUT);
	scheme->quota.sz = 4 * TEST_PAGE - 1;
	scheme_world_start(&w);
	put(&w, regions, 2);
	scheme_pass(&w, 0);
	EXPECT_DONE(&w, TEST_RANGE(0, 3));
	scheme_pass(&w, 1000);
	assert_int_equal(scheme->stat.qt_exceeds, 1);
	test_world_free(&w.world);
}

static void failures_are_charged_at_their_own_rate(void **state)
{
	const struct damon_region regions[] = {TEST_REGION(0, 40)};
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	scheme = scheme_add(&w, DAMOS_PAGEOUT);
	scheme->quota.sz = 10 * TEST_PAGE;
	scheme->quota.fail_charge_num = 1;
	scheme->quota.fail_charge_denom = 4;
	scheme_world_start(&w);
	put(&w, regions, 1);
	w.in_vain = true;
	scheme_pass(&w, 0);
	/*
	 * 10 pages cost 2.5 and leave 7.5; 7 leave 5.75; 5 leave 4.5; 4 leave 3.5; 3 leave 2.75;
	 * 2 leave 2.25; 2 leave 1.75; then one by one: 1.5, 1.25, 1, 0.75.
	 */
	EXPECT_DONE(&w, TEST_RANGE(0, 10), TEST_RANGE(10, 17), TEST_RANGE(17, 22),
		    TEST_RANGE(22, 26), TEST_RANGE(26, 29), TEST_RANGE(29, 31), TEST_RANGE(31, 33),
		    TEST_RANGE(33, 34), TEST_RANGE(34, 35), TEST_RANGE(35, 36), TEST_RANGE(36, 37));
	assert_int_equal(scheme->quota_state.charged_sz, 37 * TEST_PAGE / 4);
	test_world_free(&w.world);
}

static void the_largest_share_of_a_goal_is_the_score(void **state)
{
	struct damos_quota_goal goal = {.metric = DAMOS_GOAL_USER_INPUT, .target_value = 100};
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	scheme = scheme_new(&w, DAMOS_PAGEOUT);
	goal.current_value = 20;
	assert_int_equal(damos_add_quota_goal(scheme, &goal), 0);
	goal.current_value = 50;
	assert_int_equal(damos_add_quota_goal(scheme, &goal), 0);
	assert_int_equal(damon_add_scheme(w.world.ctx, scheme), 0);
	scheme_world_start(&w);
	scheme->quota_state.esz_bp = 100 * TEST_PAGE * 10000;
	scheme_pass(&w, 1000); /* half of the aim is missing: half as much again */
	assert_int_equal(scheme->quota.esz, 150 * TEST_PAGE);
	scheme->quota.goals[0].current_value = 150; /* half too much: the half of it */
	scheme_pass(&w, 1000);
	assert_int_equal(scheme->quota.esz, 75 * TEST_PAGE);
	scheme->quota.goals[0].current_value = UINT64_MAX;
	scheme_pass(&w, 1000);
	assert_int_equal(scheme->quota.esz, 1);
	assert_int_equal(w.nr_done, 0);
	test_world_free(&w.world);
}

static void temporal_is_all_or_nothing(void **state)
{
	const struct damos_quota_goal goal = {
		.metric = DAMOS_GOAL_USER_INPUT, .target_value = 100, .current_value = 99};
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	scheme = scheme_new(&w, DAMOS_PAGEOUT);
	scheme->quota.tuner = DAMOS_TUNER_TEMPORAL;
	assert_int_equal(damos_add_quota_goal(scheme, &goal), 0);
	assert_int_equal(damon_add_scheme(w.world.ctx, scheme), 0);
	scheme_world_start(&w);
	scheme_pass(&w, 1000);
	assert_int_equal(scheme->quota.esz, UINT64_MAX);
	scheme->quota.sz = 5 * TEST_PAGE;
	scheme_pass(&w, 1000);
	assert_int_equal(scheme->quota.esz, 5 * TEST_PAGE);
	scheme->quota.goals[0].current_value = 100;
	scheme_pass(&w, 1000); /* 0 is a limit here, not the lack of one */
	assert_int_equal(scheme->quota.esz, 0);
	assert_int_equal(w.nr_done, 0);
	test_world_free(&w.world);
}

static void of_pressure_its_growth_counts(void **state)
{
	const struct damos_quota_goal goal = {.metric = DAMOS_GOAL_SOME_MEM_PSI_US,
					      .target_value = 1000};
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	w.metric = 5000000; /* since boot */
	scheme = scheme_new(&w, DAMOS_PAGEOUT);
	assert_int_equal(damos_add_quota_goal(scheme, &goal), 0);
	assert_int_equal(damon_add_scheme(w.world.ctx, scheme), 0);
	scheme_world_start(&w);
	scheme_pass(&w, 1000);
	assert_int_equal(scheme->quota.goals[0].current_value, 0);
	w.metric += 400;
	scheme_pass(&w, 1000);
	assert_int_equal(scheme->quota.goals[0].current_value, 400);
	w.metric = 7; /* a counter that went back */
	scheme_pass(&w, 1000);
	assert_int_equal(scheme->quota.goals[0].current_value, 0);
	test_world_free(&w.world);
}

/* The largest growth of pressure that was taken for a measure. */
static uint64_t largest_growth;

static int note_growth(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	const uint64_t growth = ctx->schemes[0]->quota.goals[0].current_value;

	if (growth > largest_growth)
		largest_growth = growth;
	return 0;
}

static void main_pressure_while_paused(void *arg)
{
	struct scheme_world *w = arg;
	struct damon_ctx *ctx = w->world.ctx;

	assert_int_equal(damon_start(&ctx, 1, false), 0);
	test_sleep_us(&w->world.port.port, 2500000);
	w->metric += 40;
	test_sleep_us(&w->world.port.port, 2000000);
	assert_int_equal(largest_growth, 40);
	assert_int_equal(damon_pause(ctx), 0);
	w->metric += 60000000;
	test_sleep_us(&w->world.port.port, 60000000);
	assert_int_equal(damon_resume(ctx), 0);
	test_sleep_us(&w->world.port.port, 3000000);
	assert_int_equal(damon_stop(&ctx, 1), 0);
	w->metric += 60000000;
	assert_int_equal(damon_start(&ctx, 1, false), 0);
	test_sleep_us(&w->world.port.port, 3000000);
	assert_int_equal(damon_stop(&ctx, 1), 0);
	assert_int_equal(largest_growth, 40);
}

static void pressure_while_paused_or_stopped_is_no_measure(void **state)
{
	const struct damos_quota_goal goal = {.metric = DAMOS_GOAL_SOME_MEM_PSI_US,
					      .target_value = 1000};
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	largest_growth = 0;
	w.metric = 5000000;
	w.world.script.apply = NULL;
	w.world.ctx->callbacks.window = note_growth;
	scheme = scheme_new(&w, DAMOS_PAGEOUT);
	assert_int_equal(damos_add_quota_goal(scheme, &goal), 0);
	assert_int_equal(damon_add_scheme(w.world.ctx, scheme), 0);
	test_world_run(&w.world, main_pressure_while_paused);
	test_world_free(&w.world);
}

static void a_goal_that_can_not_be_read_keeps_its_last_measure(void **state)
{
	const struct damos_quota_goal goal = {.metric = DAMOS_GOAL_NODE_MEM_FREE_BP,
					      .target_value = 1000};
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	w.metric = 1000;
	scheme = scheme_new(&w, DAMOS_PAGEOUT);
	assert_int_equal(damos_add_quota_goal(scheme, &goal), 0);
	assert_int_equal(damon_add_scheme(w.world.ctx, scheme), 0);
	scheme_world_start(&w);
	scheme_pass(&w, 1000);
	w.metric_err = -EIO;
	w.metric = 5;
	scheme_pass(&w, 1000);
	scheme_pass(&w, 1000);
	assert_int_equal(scheme->quota.goals[0].current_value, 1000);
	assert_string_equal(w.world.event, "metric");
	assert_int_equal(w.world.nr_events, 1); /* said once */
	test_world_free(&w.world);
}

/* Not what another one, which can be read, would hide. */
static void a_goal_is_told_of_when_it_fails_anew_or_otherwise(void **state)
{
	static const struct {
		int err;
		unsigned int nr_told;
	} steps[] = {
		{0, 0}, {-EIO, 1}, {-EIO, 1}, {-ENODEV, 2}, {0, 2}, {-ENODEV, 3}, {-ENODEV, 3},
	};
	const struct damos_quota_goal failing = {.metric = DAMOS_GOAL_NODE_MEM_FREE_BP,
						 .target_value = 1000};
	const struct damos_quota_goal given = {.metric = DAMOS_GOAL_USER_INPUT,
					       .target_value = 1000};
	struct scheme_world w;
	struct damos *scheme;
	size_t i;

	scheme_world_init(&w);
	w.metric = 1000;
	scheme = scheme_new(&w, DAMOS_PAGEOUT);
	assert_int_equal(damos_add_quota_goal(scheme, &failing), 0);
	assert_int_equal(damos_add_quota_goal(scheme, &given), 0);
	assert_int_equal(damon_add_scheme(w.world.ctx, scheme), 0);
	scheme_world_start(&w);
	for (i = 0; i < TEST_COUNT(steps); i++) {
		w.metric_err = steps[i].err;
		scheme_pass(&w, 1000);
		assert_int_equal(w.world.nr_events, steps[i].nr_told);
	}
	test_world_free(&w.world);
}

static void scores_are_those_worked_out_by_hand(void **state)
{
	struct damos scheme = {.action = DAMOS_LRU_PRIO};

	scheme.quota.weight_nr_accesses = 1;
	scheme.quota.weight_age = 1;
	/* 10 of 20 samples: 50. 8 s: log 4, (32 + 4) * 100 / 64 = 56. (50 + 56) / 2 = 53, 52 of 99. */
	assert_int_equal(damon_quota_score(&scheme, 10, 20, 80, 100000), 52);
	/* Never for 8 s: 0 and (32 - 4) * 100 / 64 = 43; 21; 20. */
	assert_int_equal(damon_quota_score(&scheme, 0, 20, 80, 100000), 20);
	scheme.action = DAMOS_PAGEOUT;
	assert_int_equal(damon_quota_score(&scheme, 0, 20, 80, 100000), 79);
	scheme.quota.weight_nr_accesses = 3;
	/* (3 * 50 + 56) / 4 = 51; 50; cold 49. */
	assert_int_equal(damon_quota_score(&scheme, 10, 20, 80, 100000), 49);
	/* No age counts beyond 2^31 s. */
	scheme.quota.weight_nr_accesses = 0;
	assert_int_equal(damon_quota_score(&scheme, 0, 20, UINT32_MAX, UINT64_MAX), 99);
	scheme.action = DAMOS_WILLNEED; /* has no preference */
	assert_int_equal(damon_quota_score(&scheme, 0, 20, 80, 100000), 99);
	scheme.action = DAMOS_PAGEOUT;
	scheme.quota.weight_age = 0;
	assert_int_equal(damon_quota_score(&scheme, 0, 20, 80, 100000), 99);
	assert_false(damon_quota_prioritises(&scheme));
}

static void the_lowest_score_is_where_the_quota_is_reached(void **state)
{
	struct damos_histogram histogram = {.sz = {[90] = 10, [50] = 20, [7] = 100}};
	struct damos_quota quota = {.esz = 10};

	assert_int_equal(damon_quota_min_score(&quota, &histogram), 90);
	quota.esz = 11;
	assert_int_equal(damon_quota_min_score(&quota, &histogram), 50);
	quota.esz = 31;
	assert_int_equal(damon_quota_min_score(&quota, &histogram), 7);
	quota.esz = 131;
	assert_int_equal(damon_quota_min_score(&quota, &histogram), 0);
	histogram.sz[99] = UINT64_MAX;
	histogram.sz[90] = UINT64_MAX;
	quota.esz = UINT64_MAX;
	assert_int_equal(damon_quota_min_score(&quota, &histogram), 99);
}

static void the_coldest_are_taken_first(void **state)
{
	const struct damon_region regions[] = {
		TEST_REGION(0, 10, .age = 20),	    /* 2 s */
		TEST_REGION(10, 20, .age = 10000),  /* 1,000 s */
		TEST_REGION(20, 30, .age = 10),	    /* 1 s */
		TEST_REGION(30, 40, .age = 100000), /* 10,000 s */
	};
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	scheme = scheme_add(&w, DAMOS_PAGEOUT);
	scheme->quota.sz = 15 * TEST_PAGE;
	scheme->quota.weight_age = 1;
	scheme_world_start(&w);
	put(&w, regions, TEST_COUNT(regions));
	scheme_pass(&w, 0);
	EXPECT_DONE(&w, TEST_RANGE(10, 20), TEST_RANGE(30, 35));
	test_world_free(&w.world);
}

/* 600 regions whose idle times lie evenly over 6 octaves: 1 to 64 s, in an order that says nothing. */
static void with_a_tenth_for_quota_the_coldest_fifth_is_what_goes(void **state)
{
	struct damon_region regions[600];
	uint64_t cold = 0, all = 0;
	struct scheme_world w;
	struct damos *scheme;
	size_t i, k;

	for (i = 0; i < TEST_COUNT(regions); i++) {
		size_t rank = i * 7 % TEST_COUNT(regions); /* 7 and 600 have no factor in common */
		uint32_t octave = (uint32_t)(rank / 100);

		regions[i] = (struct damon_region){
			.ar = {i * 64 * TEST_PAGE, (i + 1) * 64 * TEST_PAGE},
			.age = (10U << octave) + (uint32_t)(rank % 100) * (10U << octave) / 100,
		};
	}
	scheme_world_init(&w);
	scheme = scheme_add(&w, DAMOS_PAGEOUT);
	scheme->quota.sz = 60 * 64 * TEST_PAGE;
	scheme->quota.weight_age = 1;
	scheme_world_start(&w);
	put(&w, regions, TEST_COUNT(regions));
	scheme_pass(&w, 0);
	for (i = 0; i < w.nr_done; i++) {
		k = w.done[i].start / (64 * TEST_PAGE);
		all += w.done[i].end - w.done[i].start;
		if (k * 7 % TEST_COUNT(regions) >= 480)
			cold += w.done[i].end - w.done[i].start;
	}
	print_message("# paged out: %llu bytes, %.1f %% of them of the coldest 20 %%\n",
		      (unsigned long long)all, 100.0 * (double)cold / (double)all);
	assert_int_equal(all, scheme->quota.sz);
	assert_true(cold >= all / 100 * 95);
	test_world_free(&w.world);
}

/* A quota and a metric that follows it. */
struct loop {
	struct scheme_world w;
	struct damos *scheme;
};

static void loop_init(struct loop *loop, uint64_t esz, enum damos_quota_goal_tuner tuner)
{
	const struct damos_quota_goal goal = {.metric = DAMOS_GOAL_USER_INPUT,
					      .target_value = 100 * MIB};

	scheme_world_init(&loop->w);
	loop->w.world.script.apply = NULL;
	loop->scheme = scheme_new(&loop->w, DAMOS_PAGEOUT);
	loop->scheme->quota.tuner = tuner;
	assert_int_equal(damos_add_quota_goal(loop->scheme, &goal), 0);
	assert_int_equal(damon_add_scheme(loop->w.world.ctx, loop->scheme), 0);
	scheme_world_start(&loop->w);
	loop->scheme->quota_state.esz_bp = esz * 10000;
	loop->scheme->quota.goals[0].current_value = esz;
}

/* One window, after which the metric is @per_mille / 1,000 of what the quota allowed. */
static uint64_t loop_step(struct loop *loop, uint64_t per_mille)
{
	struct damos_quota *quota = &loop->scheme->quota;

	scheme_pass(&loop->w, 1000);
	quota->goals[0].current_value = damon_mul_div(quota->esz, per_mille, 1000);
	return quota->goals[0].current_value;
}

static void within_bp(uint64_t value, uint64_t aim, uint64_t bp)
{
	assert_in_range(value, aim - aim * bp / 10000, aim + aim * bp / 10000);
}

static void consist_settles_from_below_and_from_above(void **state)
{
	const uint64_t from[] = {1, 10 * MIB, 150 * MIB, 4096 * MIB};
	struct loop loop;
	uint64_t value = 0;
	size_t i;
	int step;

	for (i = 0; i < TEST_COUNT(from); i++) {
		loop_init(&loop, from[i], DAMOS_TUNER_CONSIST);
		for (step = 0; step < 50; step++)
			value = loop_step(&loop, 1000);
		print_message("# from %llu: %llu after 50 windows, aim %llu\n",
			      (unsigned long long)from[i], (unsigned long long)value,
			      (unsigned long long)(100 * MIB));
		within_bp(value, 100 * MIB, 1000);
		for (step = 0; step < 50; step++)
			within_bp(loop_step(&loop, 1000), 100 * MIB, 2000);
		test_world_free(&loop.w.world);
	}
}

static void consist_follows_a_sudden_change_of_load(void **state)
{
	struct loop loop;
	uint64_t value = 0;
	int step;

	loop_init(&loop, MIB, DAMOS_TUNER_CONSIST);
	for (step = 0; step < 50; step++)
		loop_step(&loop, 1000);
	for (step = 0; step < 50; step++)
		value = loop_step(&loop, 400);
	print_message("# load at 0.4: %llu\n", (unsigned long long)value);
	within_bp(value, 100 * MIB, 1000);
	for (step = 0; step < 50; step++)
		value = loop_step(&loop, 1500);
	print_message("# load at 1.5: %llu\n", (unsigned long long)value);
	within_bp(value, 100 * MIB, 1000);
	test_world_free(&loop.w.world);
}

static void temporal_reaches_the_goal_on_average(void **state)
{
	uint64_t level = 0, sum = 0;
	struct loop loop;
	int step;

	/* What the scheme does raises the level by a tenth of the aim; a twentieth leaks away. */
	loop_init(&loop, 0, DAMOS_TUNER_TEMPORAL);
	loop.scheme->quota.sz = 10 * MIB;
	for (step = 0; step < 200; step++) {
		scheme_pass(&loop.w, 1000);
		level += loop.scheme->quota.esz;
		level -= level < 5 * MIB ? level : 5 * MIB;
		loop.scheme->quota.goals[0].current_value = level;
		if (step >= 100)
			sum += level;
	}
	print_message("# temporal, mean of 100 windows: %llu\n", (unsigned long long)(sum / 100));
	within_bp(sum / 100, 100 * MIB, 1000);
	test_world_free(&loop.w.world);
}

static void a_commit_keeps_what_a_quota_has_learned(void **state)
{
	struct damon_target *target;
	struct damos *scheme, *new;
	struct scheme_world w;
	struct damon_ctx *src;

	scheme_world_init(&w);
	scheme = scheme_add(&w, DAMOS_PAGEOUT);
	scheme->quota.sz = 30 * TEST_PAGE;
	scheme_world_start(&w);
	scheme_pass(&w, 0);
	assert_int_equal(damon_new_ctx(&src, w.world.lib), 0);
	src->attrs = w.world.ctx->attrs;
	new = scheme_new(&w, DAMOS_PAGEOUT);
	new->quota.sz = 40 * TEST_PAGE;
	assert_int_equal(damon_add_scheme(src, new), 0);
	assert_int_equal(damon_new_target(&target, w.world.lib), 0);
	assert_int_equal(damon_add_target(src, target), 0);
	assert_int_equal(damon_commit_ctx(w.world.ctx, src), 0);
	scheme = w.world.ctx->schemes[0];
	assert_int_equal(scheme->quota.sz, 40 * TEST_PAGE);
	assert_int_equal(scheme->stat.sz_tried, 30 * TEST_PAGE);
	scheme_pass(&w, 500); /* still the same window */
	assert_int_equal(w.nr_done, 0);
	scheme_pass(&w, 500);
	EXPECT_DONE(&w, TEST_RANGE(30, 70));
	damon_destroy_ctx(src);
	test_world_free(&w.world);
}

static void main_pause(void *arg)
{
	struct scheme_world *w = arg;
	struct damon_port *port = &w->world.port.port;
	uint64_t begun;

	assert_int_equal(damon_start(&w->world.ctx, 1, false), 0);
	assert_int_equal(damon_wait(w->world.ctx, 150000, NULL), -ETIMEDOUT);
	begun = w->world.ctx->schemes[0]->stat.sz_tried;
	assert_int_equal(begun, 30 * TEST_PAGE);
	assert_int_equal(damon_pause(w->world.ctx), 0);
	assert_int_equal(damon_wait(w->world.ctx, 5000000, NULL), -ETIMEDOUT);
	assert_int_equal(damon_resume(w->world.ctx), 0);
	/* 5 s have passed, but less than one of the context's. */
	assert_int_equal(damon_wait(w->world.ctx, 500000, NULL), -ETIMEDOUT);
	assert_int_equal(w->world.ctx->schemes[0]->stat.sz_tried, begun);
	assert_int_equal(damon_wait(w->world.ctx, 1000000, NULL), -ETIMEDOUT);
	assert_int_equal(w->world.ctx->schemes[0]->stat.sz_tried, 2 * begun);
	assert_true(port->now_ns(port) > 6000000000ULL);
	assert_int_equal(damon_stop(&w->world.ctx, 1), 0);
}

static void windows_stand_still_while_paused(void **state)
{
	struct scheme_world w;

	scheme_world_init(&w);
	w.world.script.apply = NULL;
	scheme_add(&w, DAMOS_PAGEOUT)->quota.sz = 30 * TEST_PAGE;
	test_world_run(&w.world, main_pause);
	test_world_free(&w.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_of_the_limits_wins),
		cmocka_unit_test(less_than_a_smallest_region_left_is_full),
		cmocka_unit_test(failures_are_charged_at_their_own_rate),
		cmocka_unit_test(the_largest_share_of_a_goal_is_the_score),
		cmocka_unit_test(temporal_is_all_or_nothing),
		cmocka_unit_test(of_pressure_its_growth_counts),
		cmocka_unit_test(pressure_while_paused_or_stopped_is_no_measure),
		cmocka_unit_test(a_goal_that_can_not_be_read_keeps_its_last_measure),
		cmocka_unit_test(a_goal_is_told_of_when_it_fails_anew_or_otherwise),
		cmocka_unit_test(scores_are_those_worked_out_by_hand),
		cmocka_unit_test(the_lowest_score_is_where_the_quota_is_reached),
		cmocka_unit_test(the_coldest_are_taken_first),
		cmocka_unit_test(with_a_tenth_for_quota_the_coldest_fifth_is_what_goes),
		cmocka_unit_test(consist_settles_from_below_and_from_above),
		cmocka_unit_test(consist_follows_a_sudden_change_of_load),
		cmocka_unit_test(temporal_reaches_the_goal_on_average),
		cmocka_unit_test(a_commit_keeps_what_a_quota_has_learned),
		cmocka_unit_test(windows_stand_still_while_paused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
