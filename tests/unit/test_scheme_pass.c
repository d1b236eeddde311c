// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* A scheme pass: what matches, when, what is cut, where it goes on, what is counted. */
#include "scheme_fixture.h"

static void put(struct scheme_world *w, const struct damon_region *regions, size_t nr)
{
	test_put_regions(w->world.target, regions, nr);
	w->world.target->regions->changed = false;
}

static void all_three_ranges_of_a_pattern_include_their_bounds(void **state)
{
	const struct damon_region regions[] = {
		TEST_REGION(0, 10, .nr_accesses = 5, .age = 3),
		TEST_REGION(10, 19, .nr_accesses = 5, .age = 3), /* too small */
		TEST_REGION(19, 40, .nr_accesses = 5, .age = 3), /* too large */
		TEST_REGION(40, 60, .nr_accesses = 7, .age = 5),
		TEST_REGION(60, 70, .nr_accesses = 4, .age = 3),  /* too rare */
		TEST_REGION(70, 80, .nr_accesses = 8, .age = 3),  /* too often */
		TEST_REGION(80, 90, .nr_accesses = 5, .age = 2),  /* too young */
		TEST_REGION(90, 100, .nr_accesses = 5, .age = 6), /* too old */
	};
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	scheme = scheme_add(&w, DAMOS_COLD);
	scheme->pattern = (struct damos_access_pattern){10 * TEST_PAGE, 20 * TEST_PAGE, 5, 7, 3, 5};
	scheme_world_start(&w);
	put(&w, regions, TEST_COUNT(regions));
	scheme_pass(&w, 100);
	EXPECT_DONE(&w, TEST_RANGE(0, 10), TEST_RANGE(40, 60));
	assert_int_equal(scheme->stat.nr_tried, 2);
	assert_int_equal(scheme->stat.sz_tried, 30 * TEST_PAGE);
	assert_int_equal(scheme->stat.nr_applied, 2);
	assert_int_equal(scheme->stat.sz_applied, 30 * TEST_PAGE);
	assert_int_equal(scheme->stat.nr_snapshots, 1);
	test_world_free(&w.world);
}

static void every_action_but_stat_resets_the_age(void **state)
{
	const struct damon_region regions[] = {TEST_REGION(0, 10, .age = 3)};
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	scheme = scheme_add(&w, DAMOS_STAT);
	scheme_world_start(&w);
	put(&w, regions, 1);
	scheme_pass(&w, 100);
	assert_int_equal(scheme->stat.nr_tried, 1);
	assert_int_equal(test_region(w.world.target, 0).age, 3);
	scheme->action = DAMOS_WILLNEED;
	scheme_pass(&w, 100);
	assert_int_equal(test_region(w.world.target, 0).age, 0);
	test_world_free(&w.world);
}

static void the_quota_cuts_and_the_next_pass_goes_on_behind_it(void **state)
{
	const struct damon_region regions[] = {TEST_REGION(0, 100, .age = 3),
					       TEST_REGION(100, 110, .nr_accesses = 9, .age = 1)};
	const struct damon_addr_range after[] = {TEST_RANGE(0, 30), TEST_RANGE(30, 100),
						 TEST_RANGE(100, 110)};
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	scheme = scheme_add(&w, DAMOS_PAGEOUT);
	scheme->pattern.max_nr_accesses = 0;
	scheme->quota.sz = 30 * TEST_PAGE;
	scheme->quota.reset_interval_ms = 1000;
	scheme_world_start(&w);
	put(&w, regions, 2);
	scheme_pass(&w, 0);
	EXPECT_DONE(&w, TEST_RANGE(0, 30));
	test_expect_ranges(w.world.target, after, 3);
	assert_int_equal(test_region(w.world.target, 0).age, 0);
	assert_int_equal(test_region(w.world.target, 1).age, 3);
	scheme_pass(&w, 500); /* full until the window is over */
	assert_int_equal(w.nr_done, 0);
	assert_int_equal(scheme->stat.nr_snapshots, 1);
	scheme_pass(&w, 500);
	EXPECT_DONE(&w, TEST_RANGE(30, 60));
	scheme_pass(&w, 1000);
	EXPECT_DONE(&w, TEST_RANGE(60, 90));
	scheme_pass(&w, 1000); /* 10 pages are left behind the last address */
	EXPECT_DONE(&w, TEST_RANGE(90, 100));
	scheme_pass(&w, 1000); /* from the start: one region again */
	EXPECT_DONE(&w, TEST_RANGE(0, 30));
	assert_int_equal(scheme->stat.qt_exceeds, 3);
	test_world_free(&w.world);
}

static void pieces_that_differ_no_more_are_joined(void **state)
{
	const struct damon_region regions[] = {TEST_REGION(0, 60, .age = 3),
					       TEST_REGION(60, 120, .age = 0)};
	const struct damon_addr_range joined[] = {TEST_RANGE(0, 60), TEST_RANGE(60, 120)};
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	scheme = scheme_add(&w, DAMOS_PAGEOUT);
	scheme->quota.sz = 30 * TEST_PAGE;
	w.world.ctx->attrs.min_nr_regions = 3;
	w.world.script.ranges = (const struct damon_addr_range[]){TEST_RANGE(0, 180)};
	scheme_world_start(&w);
	w.world.ctx->attrs.min_nr_regions = 1; /* the size limit isn't the subject */
	put(&w, regions, 2);
	scheme_pass(&w, 1000);
	assert_int_equal(damon_nr_regions(w.world.target), 3);
	scheme_pass(&w, 1000);
	/* The region that was always another one stays another one, though it is alike. */
	test_expect_ranges(w.world.target, joined, 2);
	test_world_free(&w.world);
}

static void joining_respects_the_size_limit(void **state)
{
	const struct damon_region regions[] = {TEST_REGION(0, 60, .age = 3)};
	struct scheme_world w;

	scheme_world_init(&w);
	scheme_add(&w, DAMOS_PAGEOUT)->quota.sz = 30 * TEST_PAGE;
	scheme_world_start(&w);
	put(&w, regions, 1);
	scheme_pass(&w, 1000);
	scheme_pass(&w, 1000); /* 60 pages in 10 regions make at most 6 in one */
	assert_int_equal(damon_nr_regions(w.world.target), 2);
	test_world_free(&w.world);
}

static void what_a_scheme_leaves_is_offered_to_it_and_later_ones_only(void **state)
{
	const struct damon_region regions[] = {TEST_REGION(0, 100, .age = 3)};
	struct damos *first, *second, *third;
	struct scheme_world w;

	scheme_world_init(&w);
	first = scheme_add(&w, DAMOS_STAT);
	second = scheme_add(&w, DAMOS_COLD);
	third = scheme_add(&w, DAMOS_STAT);
	second->quota.sz = 40 * TEST_PAGE;
	third->pattern.min_age_region = 1; /* not what the second had */
	scheme_world_start(&w);
	put(&w, regions, 1);
	scheme_pass(&w, 1000);
	assert_int_equal(first->stat.nr_tried, 1);
	assert_int_equal(first->stat.sz_tried, 100 * TEST_PAGE);
	assert_int_equal(second->stat.nr_tried, 1);
	assert_int_equal(second->stat.sz_tried, 40 * TEST_PAGE);
	assert_int_equal(third->stat.nr_tried, 1);
	assert_int_equal(third->stat.sz_tried, 60 * TEST_PAGE);
	test_world_free(&w.world);
}

static void schemes_are_applied_in_their_own_intervals(void **state)
{
	struct damos *often, *rarely;
	struct scheme_world w;

	scheme_world_init(&w);
	often = scheme_add(&w, DAMOS_STAT);
	rarely = scheme_add(&w, DAMOS_STAT);
	often->apply_interval_us = 20000;    /* 4 samples */
	rarely->apply_interval_us = 1000000; /* 200 */
	scheme_world_start(&w);
	test_world_sample(&w.world, 400);
	assert_int_equal(often->stat.nr_snapshots, 100);
	assert_int_equal(rarely->stat.nr_snapshots, 2);
	test_world_free(&w.world);
}

static void a_scheme_stops_after_its_snapshots(void **state)
{
	struct damos *scheme;
	struct scheme_world w;

	/* Two targets count two a pass: three end it after one and a half. */
	scheme_world_init(&w);
	test_world_add_target(&w.world);
	scheme = scheme_add(&w, DAMOS_STAT);
	scheme->max_nr_snapshots = 3;
	scheme_world_start(&w);
	scheme_pass(&w, 100);
	assert_int_equal(scheme->stat.nr_snapshots, 2);
	scheme_pass(&w, 100);
	scheme_pass(&w, 100);
	assert_int_equal(scheme->stat.nr_snapshots, 3);
	assert_int_equal(scheme->stat.sz_tried, 3 * 1000 * TEST_PAGE);
	test_world_free(&w.world);
}

static void it_goes_on_in_the_target_where_it_stopped(void **state)
{
	const struct damon_region regions[] = {TEST_REGION(0, 50)};
	struct damon_target *second;
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	second = test_world_add_target(&w.world);
	scheme = scheme_add(&w, DAMOS_PAGEOUT);
	scheme->quota.sz = 60 * TEST_PAGE;
	scheme_world_start(&w);
	put(&w, regions, 1);
	test_put_regions(second, regions, 1);
	scheme_pass(&w, 1000);
	EXPECT_DONE(&w, TEST_RANGE(0, 50), TEST_RANGE(0, 10));
	scheme_pass(&w, 1000);
	EXPECT_DONE(&w, TEST_RANGE(10, 50));
	scheme_pass(&w, 1000);
	EXPECT_DONE(&w, TEST_RANGE(0, 50), TEST_RANGE(0, 10));
	test_world_free(&w.world);
}

static void partial_and_failed_applications_are_counted_as_what_they_were(void **state)
{
	struct damos *scheme;
	struct scheme_world w;

	scheme_world_init(&w);
	scheme = scheme_add(&w, DAMOS_PAGEOUT);
	scheme_world_start(&w);
	w.in_vain = true;
	scheme_pass(&w, 100);
	assert_in_range(scheme->stat.nr_tried, 1, UINT64_MAX);
	assert_int_equal(scheme->stat.sz_tried, 1000 * TEST_PAGE);
	assert_int_equal(scheme->stat.nr_applied, 0);
	assert_int_equal(scheme->stat.sz_applied, 0);
	test_world_free(&w.world);
}

static void without_memory_for_a_cut_no_more_than_the_quota_is_touched(void **state)
{
	const struct damon_region regions[] = {TEST_REGION(0, 100)};
	struct damon_region_table *table;
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	scheme = scheme_add(&w, DAMOS_PAGEOUT);
	scheme->quota.sz = 30 * TEST_PAGE;
	scheme_world_start(&w);
	put(&w, regions, 1);
	table = w.world.target->regions;
	table->spare.capacity = 1; /* room for the region there is and nothing else */
	w.world.port.fail_at = w.world.port.nr_asked + 1;
	w.world.port.fail_on = true;
	scheme_pass(&w, 100);
	assert_int_equal(w.nr_done, 0);
	assert_int_equal(damon_nr_regions(w.world.target), 1);
	table->spare.capacity = 0;
	scheme_pass(&w, 100);
	assert_int_equal(w.nr_done, 0);
	assert_int_equal(w.world.ctx->internal->failed_passes, 1);
	assert_string_equal(w.world.event, "memory");
	w.world.port.fail_at = 0;
	scheme_pass(&w, 1000);
	EXPECT_DONE(&w, TEST_RANGE(0, 30));
	test_world_free(&w.world);
}

static void regions_up_to_the_last_address_are_handled(void **state)
{
	const struct damon_region regions[] = {
		{.ar = {0, 1ULL << 63}, .age = UINT32_MAX},
		{.ar = {1ULL << 63, UINT64_MAX}, .age = UINT32_MAX},
	};
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	scheme = scheme_add(&w, DAMOS_PAGEOUT);
	scheme->quota.sz = UINT64_MAX;
	scheme->quota.ms = UINT64_MAX;
	scheme->quota.reset_interval_ms = UINT64_MAX;
	scheme->quota.weight_age = UINT32_MAX;
	scheme->quota.weight_nr_accesses = UINT32_MAX;
	scheme->apply_interval_us = UINT64_MAX;
	scheme_world_start(&w);
	put(&w, regions, 2);
	scheme->next_apply_sis = 0;
	scheme_pass(&w, 100);
	/* The first page tells that the clock stands still. */
	assert_int_equal(w.nr_done, 3);
	assert_int_equal(scheme->stat.sz_tried, UINT64_MAX);
	assert_int_equal(scheme->quota.esz, UINT64_MAX);
	scheme->next_apply_sis = 0;
	scheme_pass(&w, 100);
	assert_int_equal(scheme->stat.sz_tried, UINT64_MAX); /* and not around */
	test_world_free(&w.world);
}

static void set_in_walk(struct damon_ctx *ctx, struct damon_target *target,
			const struct damon_region *region, struct damos *scheme,
			uint64_t sz_filter_passed, void *data)
{
	int *results = data;

	results[0] = damon_set_attrs(ctx, &ctx->attrs);
	results[1] = damon_set_regions(target, &region->ar, 1, TEST_PAGE);
	results[2] += sz_filter_passed == region->ar.end - region->ar.start;
}

static void main_walk(void *arg)
{
	struct scheme_world *w = arg;
	int results[3] = {0};
	struct damos_walk_control control = {.walk_fn = set_in_walk, .data = results};

	assert_int_equal(damon_start(&w->world.ctx, 1, false), 0);
	assert_int_equal(damos_walk(w->world.ctx, &control), 0);
	assert_int_equal(results[0], -EBUSY);
	assert_int_equal(results[1], -EBUSY);
	assert_in_range(results[2], 1, 1000);
	assert_int_equal(damon_stop(&w->world.ctx, 1), 0);
}

static void a_walk_sees_each_region_and_can_not_change_what_it_walks_over(void **state)
{
	struct scheme_world w;

	scheme_world_init(&w);
	w.world.script.apply = NULL;
	scheme_add(&w, DAMOS_COLD);
	test_world_run(&w.world, main_walk);
	test_world_free(&w.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_three_ranges_of_a_pattern_include_their_bounds),
		cmocka_unit_test(every_action_but_stat_resets_the_age),
		cmocka_unit_test(the_quota_cuts_and_the_next_pass_goes_on_behind_it),
		cmocka_unit_test(pieces_that_differ_no_more_are_joined),
		cmocka_unit_test(joining_respects_the_size_limit),
		cmocka_unit_test(what_a_scheme_leaves_is_offered_to_it_and_later_ones_only),
		cmocka_unit_test(schemes_are_applied_in_their_own_intervals),
		cmocka_unit_test(a_scheme_stops_after_its_snapshots),
		cmocka_unit_test(it_goes_on_in_the_target_where_it_stopped),
		cmocka_unit_test(partial_and_failed_applications_are_counted_as_what_they_were),
		cmocka_unit_test(without_memory_for_a_cut_no_more_than_the_quota_is_touched),
		cmocka_unit_test(regions_up_to_the_last_address_are_handled),
		cmocka_unit_test(a_walk_sees_each_region_and_can_not_change_what_it_walks_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
