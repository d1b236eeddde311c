// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Attributes: defaults, what is refused, and changing them without losing what was learned. */
#include <errno.h>
#include <string.h>

#include "core/attrs.h"
#include "core/region.h"
#include "test_port.h"

static const struct damon_addr_range thousand_pages = TEST_RANGE(0, 1000);

static void the_defaults_are_those_of_damon(void **state)
{
	struct damon_attrs attrs;

	damon_default_attrs(&attrs);
	assert_int_equal(attrs.sample_interval, 5000);
	assert_int_equal(attrs.aggr_interval, 100000);
	assert_int_equal(attrs.ops_update_interval, 60000000);
	assert_int_equal(attrs.min_nr_regions, 10);
	assert_int_equal(attrs.max_nr_regions, 1000);
	assert_int_equal(attrs.intervals_goal.aggrs, 0);
	assert_int_equal(attrs.min_region_sz, 4096);
	assert_int_equal(attrs.addr_unit, 1);
	assert_int_equal(damon_check_attrs(&attrs), 0);
}

/* Checks the defaults with one change. */
#define CHECK_WITH(change)                                                                         \
	({                                                                                         \
		struct damon_attrs attrs;                                                          \
                                                                                                   \
		damon_default_attrs(&attrs);                                                       \
		change;                                                                            \
		damon_check_attrs(&attrs);                                                         \
	})

static void the_sampling_interval_is_at_most_the_aggregation_interval(void **state)
{
	assert_int_equal(CHECK_WITH(attrs.sample_interval = 100000), 0);
	assert_int_equal(CHECK_WITH(attrs.sample_interval = 100001), -EINVAL);
	assert_int_equal(CHECK_WITH(attrs.sample_interval = 0), 0);
	assert_int_equal(CHECK_WITH(attrs.sample_interval = attrs.aggr_interval = UINT64_MAX), 0);
}

static void min_nr_regions_is_at_least_3(void **state)
{
	assert_int_equal(CHECK_WITH(attrs.min_nr_regions = 3), 0);
	assert_int_equal(CHECK_WITH(attrs.min_nr_regions = 2), -EINVAL);
}

static void min_nr_regions_is_at_most_max_nr_regions(void **state)
{
	assert_int_equal(CHECK_WITH(attrs.min_nr_regions = 1000), 0);
	assert_int_equal(CHECK_WITH(attrs.min_nr_regions = 1001), -EINVAL);
}

static void the_smallest_size_is_a_power_of_two(void **state)
{
	assert_int_equal(CHECK_WITH(attrs.min_region_sz = 1), 0);
	assert_int_equal(CHECK_WITH(attrs.min_region_sz = 1ULL << 63), 0);
	assert_int_equal(CHECK_WITH(attrs.min_region_sz = 0), -EINVAL);
	assert_int_equal(CHECK_WITH(attrs.min_region_sz = 6144), -EINVAL);
}

static void the_address_unit_is_not_0(void **state)
{
	assert_int_equal(CHECK_WITH(attrs.addr_unit = 0), -EINVAL);
	assert_int_equal(CHECK_WITH(attrs.addr_unit = 3), 0);
}

static void the_goal_encloses_the_sampling_interval_when_it_is_on(void **state)
{
	const struct damon_intervals_goal fits = {400, 3, 5000, 5000}, above = {400, 3, 5001, 9000},
					  below = {400, 3, 100, 4999}, off = {400, 0, 9000, 1};

	assert_int_equal(CHECK_WITH(attrs.intervals_goal = fits), 0);
	assert_int_equal(CHECK_WITH(attrs.intervals_goal = above), -EINVAL);
	assert_int_equal(CHECK_WITH(attrs.intervals_goal = below), -EINVAL);
	assert_int_equal(CHECK_WITH(attrs.intervals_goal = off), 0);
}

static uint64_t samples(uint64_t sample_us, uint64_t aggr_us)
{
	const struct damon_attrs attrs = {.sample_interval = sample_us, .aggr_interval = aggr_us};

	return damon_nr_samples_per_aggr(&attrs);
}

static void a_window_has_at_least_one_sample(void **state)
{
	assert_int_equal(samples(5000, 100000), 20);
	assert_int_equal(samples(30000, 100000), 3);
	assert_int_equal(samples(5, 5), 1);
	/* A sampling interval of 0 counts as 1. */
	assert_int_equal(samples(0, 7), 7);
	assert_int_equal(samples(0, 0), 1);
	assert_int_equal(samples(1, UINT64_MAX), UINT32_MAX);
}

static void refused_attributes_change_nothing(void **state)
{
	struct damon_attrs attrs, before;
	struct test_world world;

	test_world_init(&world);
	test_world_start(&world, &thousand_pages, 1);
	test_world_sample(&world, 7);
	before = world.ctx->attrs;
	attrs = before;
	attrs.sample_interval = 1000;
	attrs.min_nr_regions = 2;
	assert_int_equal(damon_set_attrs(world.ctx, &attrs), -EINVAL);
	assert_memory_equal(&world.ctx->attrs, &before, sizeof(before));
	assert_int_equal(world.ctx->internal->window_samples, 7);
	test_world_free(&world);
}

/* Changing them while regions know something. */

static const struct damon_region learned = TEST_REGION(0, 10, .nr_accesses = 5,
						       .last_nr_accesses = 7, .age = 9,
						       .nr_unknown = 2, .probe_hits = {6});

static struct damon_region changed(uint64_t old_sample, uint64_t old_aggr, uint64_t new_sample,
				   uint64_t new_aggr, const struct damon_region *region,
				   bool complete)
{
	struct damon_region result;
	struct damon_attrs attrs;
	struct test_world world;

	test_world_init(&world);
	world.ctx->attrs.sample_interval = old_sample;
	world.ctx->attrs.aggr_interval = old_aggr;
	test_world_start(&world, &thousand_pages, 1);
	test_put_regions(world.target, region, 1);
	world.ctx->internal->window_complete = complete;
	attrs = world.ctx->attrs;
	attrs.sample_interval = new_sample;
	attrs.aggr_interval = new_aggr;
	assert_int_equal(damon_set_attrs(world.ctx, &attrs), 0);
	assert_int_equal(world.ctx->attrs.sample_interval, new_sample);
	result = test_region(world.target, 0);
	test_world_free(&world);
	return result;
}

static void counts_are_rescaled_to_the_new_number_of_samples(void **state)
{
	/* 7 of 20 samples are 3,500 bp; of 40 samples 14, of 10 samples 3.5. */
	assert_int_equal(changed(5000, 100000, 5000, 200000, &learned, false).last_nr_accesses, 14);
	assert_int_equal(changed(5000, 100000, 10000, 100000, &learned, false).last_nr_accesses, 3);
}

static void counts_are_rescaled_through_basis_points(void **state)
{
	/* 1 of 3 samples is 3,333 bp, of 30 samples 9.999: 9, where exact arithmetic gives 10. */
	const struct damon_region third = TEST_REGION(0, 10, .last_nr_accesses = 1);

	assert_int_equal(changed(10000, 30000, 1000, 30000, &third, false).last_nr_accesses, 9);
}

static void ages_are_rescaled_by_the_window_lengths(void **state)
{
	/* 9 windows of 100 ms are 4.5 of 200 ms and 18 of 50 ms. */
	assert_int_equal(changed(5000, 100000, 5000, 200000, &learned, false).age, 4);
	assert_int_equal(changed(5000, 100000, 5000, 50000, &learned, false).age, 18);
	/* The same window from other samples: the same age. */
	assert_int_equal(changed(5000, 100000, 10000, 100000, &learned, false).age, 9);
}

static void rescaled_numbers_saturate(void **state)
{
	const struct damon_region most =
		TEST_REGION(0, 10, .last_nr_accesses = UINT32_MAX, .age = UINT32_MAX);
	struct damon_region result = changed(1000, 1000, 1, 1000, &most, false);

	assert_int_equal(result.last_nr_accesses, UINT32_MAX);
	result = changed(1000, 100000, 1000, 1000, &most, false);
	assert_int_equal(result.age, UINT32_MAX);
}

static void a_half_gathered_window_is_dropped(void **state)
{
	struct damon_region result = changed(5000, 100000, 5000, 200000, &learned, false);

	assert_int_equal(result.nr_accesses, 0);
	assert_int_equal(result.nr_unknown, 0);
	assert_int_equal(result.probe_hits[0], 0);
}

static void a_half_gathered_window_after_a_published_one_is_dropped_too(void **state)
{
	struct damon_attrs attrs;
	struct test_world world;

	test_world_init(&world);
	test_world_start(&world, &thousand_pages, 1);
	test_world_window(&world);
	test_world_sample(&world, 7);
	attrs = world.ctx->attrs;
	attrs.aggr_interval = 200000;
	assert_int_equal(damon_set_attrs(world.ctx, &attrs), 0);
	assert_false(damon_monitor_window_due(world.ctx));
	assert_int_equal(world.ctx->internal->window_samples, 0);
	test_world_free(&world);
}

static void a_complete_window_is_rescaled(void **state)
{
	/* Merged and not published yet, as a commit between the two finds it: twice the samples. */
	struct damon_region result = changed(5000, 100000, 5000, 200000, &learned, true);

	assert_int_equal(result.nr_accesses, 10);
	assert_int_equal(result.nr_unknown, 4);
	assert_int_equal(result.probe_hits[0], 12);
}

static void hits_of_a_complete_window_saturate(void **state)
{
	const struct damon_region region = TEST_REGION(0, 10, .probe_hits = {200});

	assert_int_equal(changed(1000, 100000, 1000, 200000, &region, true).probe_hits[0], 255);
}

static void nothing_is_rescaled_from_or_to_an_interval_of_0(void **state)
{
	struct damon_region result = changed(0, 100000, 5000, 100000, &learned, false);

	assert_int_equal(result.last_nr_accesses, 7);
	assert_int_equal(result.age, 9);
	result = changed(5000, 100000, 0, 100000, &learned, false);
	assert_int_equal(result.last_nr_accesses, 7);
	assert_int_equal(result.age, 9);
	result = changed(0, 0, 5000, 100000, &learned, false);
	assert_int_equal(result.age, 9);
}

static void a_half_gathered_window_is_dropped_with_an_interval_of_0_too(void **state)
{
	assert_int_equal(changed(0, 100000, 5000, 100000, &learned, false).nr_accesses, 0);
	assert_int_equal(changed(5000, 100000, 0, 100000, &learned, false).nr_accesses, 0);
}

static void what_is_due_is_counted_from_now(void **state)
{
	struct damon_attrs attrs;
	struct test_world world;

	test_world_init(&world);
	world.ctx->attrs.ops_update_interval = 1000000;
	world.ctx->attrs.intervals_goal = (struct damon_intervals_goal){400, 3, 1000, 100000};
	test_world_start(&world, &thousand_pages, 1);
	test_world_sample(&world, 7);
	attrs = world.ctx->attrs;
	attrs.sample_interval = 10000;
	attrs.aggr_interval = 50000;
	assert_int_equal(damon_set_attrs(world.ctx, &attrs), 0);
	/* 7 have passed; a window has 5, an update is due after 100, tuning after 3 windows. */
	assert_int_equal(world.ctx->internal->next_aggr_sis, 7 + 5);
	assert_int_equal(world.ctx->internal->next_update_sis, 7 + 100);
	assert_int_equal(world.ctx->internal->next_tune_sis, 7 + 15);
	assert_int_equal(world.ctx->internal->window_samples, 0);
	assert_int_equal(world.ctx->internal->window_start_ns, 35000000);
	test_world_sample(&world, 5);
	assert_int_equal(world.nr_windows, 1);
	assert_int_equal(world.window.nr_samples, 5);
	test_world_free(&world);
}

static void samples_prepared_before_a_change_of_intervals_are_void(void **state)
{
	struct damon_attrs attrs;
	struct test_world world;

	test_world_init(&world);
	test_world_start(&world, &thousand_pages, 1);
	assert_int_equal(damon_monitor_prepare(world.ctx), 0);
	attrs = world.ctx->attrs;
	attrs.sample_interval = 10000;
	assert_int_equal(damon_set_attrs(world.ctx, &attrs), 0);
	assert_true(damon_monitor_samples_dropped(world.ctx));
	assert_false(damon_monitor_samples_dropped(world.ctx));
	test_world_free(&world);
}

static void the_same_intervals_again_do_not_disturb_the_window(void **state)
{
	struct damon_attrs attrs;
	struct test_world world;

	test_world_init(&world);
	test_world_start(&world, &thousand_pages, 1);
	test_world_sample(&world, 7);
	assert_int_equal(damon_monitor_prepare(world.ctx), 0);
	attrs = world.ctx->attrs;
	attrs.max_nr_regions = 50;
	assert_int_equal(damon_set_attrs(world.ctx, &attrs), 0);
	assert_false(damon_monitor_samples_dropped(world.ctx));
	assert_int_equal(damon_monitor_check(world.ctx), 0);
	assert_int_equal(world.ctx->internal->window_samples, 8);
	test_world_sample(&world, 12);
	assert_int_equal(world.nr_windows, 1);
	assert_int_equal(world.window.nr_samples, 20);
	test_world_free(&world);
}

static void a_complete_window_is_still_published_after_a_change(void **state)
{
	struct damon_attrs attrs;
	struct test_world world;
	int i;

	test_world_init(&world);
	test_world_start(&world, &thousand_pages, 1);
	for (i = 0; i < 20; i++) {
		world.port.ahead_ns += 5000000;
		assert_int_equal(damon_monitor_prepare(world.ctx), 0);
		assert_int_equal(damon_monitor_check(world.ctx), 0);
	}
	damon_monitor_merge(world.ctx);
	attrs = world.ctx->attrs;
	attrs.aggr_interval = 200000;
	assert_int_equal(damon_set_attrs(world.ctx, &attrs), 0);
	assert_true(damon_monitor_window_due(world.ctx));
	assert_int_equal(damon_monitor_window_end(world.ctx), 0);
	/* In terms of the new intervals, as its counts are. */
	assert_int_equal(world.window.nr_samples, 40);
	assert_int_equal(world.window.aggr_us, 200000);
	assert_int_equal(world.window.t_start_ns, 0);
	assert_int_equal(world.window.t_end_ns, 100000000);
	assert_int_equal(world.ctx->internal->next_aggr_sis, 20 + 40);
	test_world_free(&world);
}

static void intervals_beyond_all_time_are_never_due(void **state)
{
	struct test_world world;

	test_world_init(&world);
	world.ctx->attrs.sample_interval = 0;
	world.ctx->attrs.aggr_interval = UINT64_MAX;
	world.ctx->attrs.ops_update_interval = UINT64_MAX;
	world.ctx->attrs.intervals_goal.aggrs = UINT64_MAX;
	world.ctx->attrs.intervals_goal.max_sample_us = UINT64_MAX;
	test_world_start(&world, &thousand_pages, 1);
	world.ctx->internal->passed_sis = 5;
	damon_rebase(world.ctx);
	assert_int_equal(world.ctx->internal->next_aggr_sis, 5 + (uint64_t)UINT32_MAX);
	assert_int_equal(world.ctx->internal->next_update_sis, UINT64_MAX);
	assert_int_equal(world.ctx->internal->next_tune_sis, UINT64_MAX);
	test_world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_are_those_of_damon),
		cmocka_unit_test(the_sampling_interval_is_at_most_the_aggregation_interval),
		cmocka_unit_test(min_nr_regions_is_at_least_3),
		cmocka_unit_test(min_nr_regions_is_at_most_max_nr_regions),
		cmocka_unit_test(the_smallest_size_is_a_power_of_two),
		cmocka_unit_test(the_address_unit_is_not_0),
		cmocka_unit_test(the_goal_encloses_the_sampling_interval_when_it_is_on),
		cmocka_unit_test(a_window_has_at_least_one_sample),
		cmocka_unit_test(refused_attributes_change_nothing),
		cmocka_unit_test(counts_are_rescaled_to_the_new_number_of_samples),
		cmocka_unit_test(counts_are_rescaled_through_basis_points),
		cmocka_unit_test(ages_are_rescaled_by_the_window_lengths),
		cmocka_unit_test(rescaled_numbers_saturate),
		cmocka_unit_test(a_half_gathered_window_is_dropped),
		cmocka_unit_test(a_half_gathered_window_after_a_published_one_is_dropped_too),
		cmocka_unit_test(a_complete_window_is_rescaled),
		cmocka_unit_test(hits_of_a_complete_window_saturate),
		cmocka_unit_test(nothing_is_rescaled_from_or_to_an_interval_of_0),
		cmocka_unit_test(a_half_gathered_window_is_dropped_with_an_interval_of_0_too),
		cmocka_unit_test(what_is_due_is_counted_from_now),
		cmocka_unit_test(samples_prepared_before_a_change_of_intervals_are_void),
		cmocka_unit_test(the_same_intervals_again_do_not_disturb_the_window),
		cmocka_unit_test(a_complete_window_is_still_published_after_a_change),
		cmocka_unit_test(intervals_beyond_all_time_are_never_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
