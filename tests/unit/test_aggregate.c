// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Sampling intervals and windows of a context: counting, the thresholds, publishing, the moving sum. */
#include <errno.h>
#include <string.h>

#include "core/attrs.h"
#include "core/region.h"
#include "test_port.h"

static const struct damon_addr_range thousand_pages = TEST_RANGE(0, 1000);

static uint32_t always(struct test_script *script, uint64_t addr)
{
	return script->access_unit ? script->access_unit : 1;
}

static uint32_t unknown(struct test_script *script, uint64_t addr)
{
	return DAMON_ACCESS_UNKNOWN;
}

/* The first 500 pages are accessed in every sampling interval, the rest in none. */
static uint32_t first_half(struct test_script *script, uint64_t addr)
{
	return addr < 500 * TEST_PAGE;
}

/* Starts with the given regions, and with a window in which the largest count was @max_access of 20. */
static void start_with(struct test_world *world, const struct damon_region *regions, size_t nr,
		       uint32_t max_access)
{
	test_world_init(world);
	world->ctx->attrs.min_nr_regions = 3;
	test_world_start(world, &thousand_pages, 1);
	test_put_regions(world->target, regions, nr);
	world->ctx->internal->max_access = max_access;
	world->ctx->internal->window_samples = 20;
}

/* Counting. */

static void every_sampling_interval_adds_one_where_the_sample_was_touched(void **state)
{
	struct test_world world;
	size_t i;

	test_world_init(&world);
	world.script.access = first_half;
	test_world_start(&world, &thousand_pages, 1);
	/* Ten regions of a hundred pages, so that each is all in or all out of the accessed half. */
	test_world_sample(&world, 7);
	assert_int_equal(damon_nr_regions(world.target), 10);
	for (i = 0; i < 10; i++)
		assert_int_equal(test_region(world.target, i).nr_accesses, i < 5 ? 7 : 0);
	assert_int_equal(world.ctx->internal->max_access, 7);
	test_world_free(&world);
}

static void unknown_answers_are_counted_by_themselves(void **state)
{
	struct test_world world;

	test_world_init(&world);
	world.script.access = unknown;
	test_world_start(&world, &thousand_pages, 1);
	test_world_sample(&world, 7);
	assert_int_equal(test_region(world.target, 0).nr_unknown, 7);
	assert_int_equal(test_region(world.target, 0).nr_accesses, 0);
	assert_int_equal(world.ctx->internal->max_access, 0);
	test_world_free(&world);
}

static void samples_lie_anywhere_in_their_region(void **state)
{
	/* One region from page 10 to page 14: all four pages, also bytes inside them, are picked. */
	const struct damon_region region = TEST_REGION(10, 14);
	unsigned int seen[4] = {0}, inside = 0, i;
	struct test_world world;
	uint64_t addr;

	test_world_init(&world);
	test_world_start(&world, &thousand_pages, 1);
	test_put_regions(world.target, &region, 1);
	for (i = 0; i < 400; i++) {
		assert_int_equal(damon_monitor_prepare(world.ctx), 0);
		assert_int_equal(damon_monitor_check(world.ctx), 0);
		addr = world.script.last_addr;
		assert_in_range(addr, 10 * TEST_PAGE, 14 * TEST_PAGE - 1);
		seen[addr / TEST_PAGE - 10]++;
		inside += addr % TEST_PAGE != 0;
	}
	/* 100 are expected of each; the standard deviation is sqrt(400 * 3 / 16) = 8.7. */
	for (i = 0; i < 4; i++)
		assert_in_range(seen[i], 100 - 52, 100 + 52);
	assert_in_range(inside, 390, 400);
	assert_false(world.script.unprepared_check);
	test_world_free(&world);
}

static void counts_saturate(void **state)
{
	const struct damon_region region = TEST_REGION(0, 1000, .nr_accesses = UINT32_MAX - 1);
	struct test_world world;

	test_world_init(&world);
	world.script.access = always;
	world.script.access_unit = 5;
	test_world_start(&world, &thousand_pages, 1);
	test_put_regions(world.target, &region, 1);
	test_world_sample(&world, 1);
	assert_int_equal(test_region(world.target, 0).nr_accesses, UINT32_MAX);
	test_world_free(&world);
}

static void an_error_of_the_operations_set_is_passed_on(void **state)
{
	struct test_world world;

	test_world_init(&world);
	test_world_start(&world, &thousand_pages, 1);
	world.script.prepare_error = -EIO;
	assert_int_equal(damon_monitor_prepare(world.ctx), -EIO);
	world.script.prepare_error = 0;
	world.script.check_error = -ESRCH;
	assert_int_equal(damon_monitor_prepare(world.ctx), 0);
	assert_int_equal(damon_monitor_check(world.ctx), -ESRCH);
	assert_int_equal(world.ctx->internal->passed_sis, 0);
	test_world_free(&world);
}

static void shares_are_rounded_up_so_that_0_means_untouched(void **state)
{
	/* With 4,096 units a sampling interval: 1 unit, 4,096 and 4,097 are 1, 1 and 2 samples. */
	const struct damon_region regions[] = {
		TEST_REGION(0, 1, .nr_accesses = 1, .last_nr_accesses = 4097),
		TEST_REGION(1, 2, .nr_accesses = 4096, .last_nr_accesses = 0),
		TEST_REGION(2, 3, .nr_accesses = 4097, .last_nr_accesses = UINT32_MAX),
	};
	const uint32_t now[] = {1, 1, 2}, last[] = {2, 0, 1048576};
	struct damon_region region;
	struct test_world world;
	size_t i;

	test_world_init(&world);
	world.script.access_unit = 4096;
	test_world_start(&world, &thousand_pages, 1);
	test_put_regions(world.target, regions, 3);
	for (i = 0; i < 3; i++) {
		damon_get_region(world.ctx, world.target, i, &region);
		assert_int_equal(region.nr_accesses, now[i]);
		assert_int_equal(region.last_nr_accesses, last[i]);
	}
	test_world_free(&world);
}

/* The size limit. */

static void the_size_limit_is_the_total_by_min_nr_regions_aligned_up(void **state)
{
	/* 10 pages by 3: 3.33, so 4 pages: 4, 4, 2. */
	const struct damon_addr_range ranges[] = {TEST_RANGE(0, 10)};
	const struct damon_addr_range cut[] = {TEST_RANGE(0, 4), TEST_RANGE(4, 8),
					       TEST_RANGE(8, 10)};
	struct test_world world;

	test_world_init(&world);
	world.ctx->attrs.min_nr_regions = 3;
	test_world_start(&world, ranges, 1);
	test_expect_ranges(world.target, cut, 3);
	test_world_free(&world);
}

static void the_size_limit_is_not_below_the_smallest_size(void **state)
{
	const struct damon_addr_range ranges[] = {TEST_RANGE(0, 2)};
	const struct damon_addr_range cut[] = {TEST_RANGE(0, 1), TEST_RANGE(1, 2)};
	struct test_world world;

	test_world_init(&world);
	test_world_start(&world, ranges, 1);
	test_expect_ranges(world.target, cut, 2);
	test_world_free(&world);
}

static void the_size_limit_is_never_nothing(void **state)
{
	/* 5 bytes by 10 would be 0: single bytes. */
	const struct damon_addr_range range = {100, 105};
	struct test_world world;

	test_world_init(&world);
	world.ctx->attrs.min_region_sz = 1;
	test_world_start(&world, &range, 1);
	assert_int_equal(damon_nr_regions(world.target), 5);
	test_world_free(&world);
}

static void the_size_limit_counts_all_targets(void **state)
{
	/* 8 + 4 pages by 3 make 4 pages: 4, 4 and 4. */
	const struct damon_region big = TEST_REGION(0, 8), small = TEST_REGION(0, 4);
	const struct damon_addr_range of_big[] = {TEST_RANGE(0, 4), TEST_RANGE(4, 8)};
	const struct damon_addr_range of_small[] = {TEST_RANGE(0, 4)};
	struct damon_target *second;
	struct test_world world;

	test_world_init(&world);
	world.ctx->attrs.min_nr_regions = 3;
	second = test_world_add_target(&world);
	test_put_regions(world.target, &big, 1);
	test_put_regions(second, &small, 1);
	test_world_start(&world, NULL, 0);
	test_expect_ranges(world.target, of_big, 2);
	test_expect_ranges(second, of_small, 1);
	test_world_free(&world);
}

static void a_total_beyond_64_bits_saturates(void **state)
{
	/* Two times 2^63 is taken for 2^64 - 1, by 4: 2^62 (aligned up), 2 parts each. */
	const struct damon_region all = {.ar = {0, 1ULL << 63}};
	struct damon_target *second;
	struct test_world world;

	test_world_init(&world);
	world.ctx->attrs.min_nr_regions = 4;
	second = test_world_add_target(&world);
	test_put_regions(world.target, &all, 1);
	test_put_regions(second, &all, 1);
	test_world_start(&world, NULL, 0);
	assert_int_equal(damon_nr_regions(world.target), 2);
	assert_int_equal(damon_nr_regions(second), 2);
	assert_int_equal(test_region(second, 0).ar.end, 1ULL << 62);
	test_world_free(&world);
}

static void larger_regions_are_cut_at_every_windows_end(void **state)
{
	/* Of 1,000 pages, the limit being 334, one that became 1,000 pages long. */
	const struct damon_region region = TEST_REGION(0, 1000, .nr_accesses = 5);
	const struct damon_addr_range cut[] = {TEST_RANGE(0, 334), TEST_RANGE(334, 668),
					       TEST_RANGE(668, 1000)};
	struct test_world world;

	start_with(&world, &region, 1, 5);
	damon_monitor_merge(world.ctx);
	test_expect_ranges(world.target, cut, 3);
	test_world_free(&world);
}

/* Thresholds. */

static void the_threshold_is_a_tenth_of_the_largest_count(void **state)
{
	/* 20 / 10 = 2: 5 and 7 merge, 5 (after that 6) and 9 don't. */
	const struct damon_region regions[] = {
		TEST_REGION(0, 10, .nr_accesses = 5),
		TEST_REGION(10, 20, .nr_accesses = 7),
		TEST_REGION(20, 30, .nr_accesses = 9),
		TEST_REGION(30, 300, .nr_accesses = 20),
	};
	const struct damon_addr_range merged[] = {TEST_RANGE(0, 20), TEST_RANGE(20, 30),
						  TEST_RANGE(30, 300)};
	struct test_world world;

	start_with(&world, regions, 4, 20);
	/* 300 pages by 3: none is cut. */
	world.ctx->attrs.min_nr_regions = 1;
	damon_monitor_merge(world.ctx);
	test_expect_ranges(world.target, merged, 3);
	test_world_free(&world);
}

static void the_threshold_is_rounded_down(void **state)
{
	/* 19 / 10 = 1: 5 and 7 don't merge. */
	const struct damon_region regions[] = {
		TEST_REGION(0, 10, .nr_accesses = 5),
		TEST_REGION(10, 20, .nr_accesses = 7),
	};
	struct test_world world;

	start_with(&world, regions, 2, 19);
	world.ctx->attrs.min_nr_regions = 1;
	damon_monitor_merge(world.ctx);
	assert_int_equal(damon_nr_regions(world.target), 2);
	assert_int_equal(test_region(world.target, 0).nr_accesses, 5);
	assert_int_equal(test_region(world.target, damon_nr_regions(world.target) - 1).nr_accesses,
			 7);
	test_world_free(&world);
}

static void the_threshold_doubles_while_there_are_too_many_regions(void **state)
{
	/*
	 * At most 3. T = 20 / 10 = 2 merges none of 0, 3, 10, 20. T = 4 merges 0 and 3 (mean 1), and
	 * 3 regions are few enough: 10 is not merged, though 8 and 16 would do it.
	 */
	const struct damon_region regions[] = {
		TEST_REGION(0, 10, .nr_accesses = 0, .last_nr_accesses = 0, .age = 4),
		TEST_REGION(10, 20, .nr_accesses = 3, .last_nr_accesses = 3, .age = 6),
		TEST_REGION(20, 30, .nr_accesses = 10, .last_nr_accesses = 10, .age = 8),
		TEST_REGION(30, 50, .nr_accesses = 20, .last_nr_accesses = 20, .age = 9),
	};
	const struct damon_addr_range merged[] = {TEST_RANGE(0, 20), TEST_RANGE(20, 30),
						  TEST_RANGE(30, 50)};
	struct test_world world;

	start_with(&world, regions, 4, 20);
	world.ctx->attrs.min_nr_regions = 1;
	world.ctx->attrs.max_nr_regions = 3;
	damon_monitor_merge(world.ctx);
	test_expect_ranges(world.target, merged, 3);
	assert_int_equal(test_region(world.target, 0).nr_accesses, 1);
	/* Aged once, before all merging: (5 + 7) / 2 = 6, 9, 10. */
	assert_int_equal(test_region(world.target, 0).age, 6);
	assert_int_equal(test_region(world.target, 1).age, 9);
	assert_int_equal(test_region(world.target, 2).age, 10);
	test_world_free(&world);
}

static void from_a_threshold_of_0_it_goes_on_with_1(void **state)
{
	/* Nothing above 9 was seen: T = 0. Then 1 merges 8 and 9. */
	const struct damon_region regions[] = {TEST_REGION(0, 10, .nr_accesses = 8),
					       TEST_REGION(10, 20, .nr_accesses = 9),
					       TEST_REGION(20, 30, .nr_accesses = 6),
					       TEST_REGION(30, 50, .nr_accesses = 1)};
	const struct damon_addr_range merged[] = {TEST_RANGE(0, 20), TEST_RANGE(20, 30),
						  TEST_RANGE(30, 50)};
	struct test_world world;

	start_with(&world, regions, 4, 9);
	world.ctx->attrs.min_nr_regions = 1;
	world.ctx->attrs.max_nr_regions = 3;
	damon_monitor_merge(world.ctx);
	test_expect_ranges(world.target, merged, 3);
	test_world_free(&world);
}

static void regions_that_can_not_merge_may_be_too_many(void **state)
{
	/* They don't touch; it ends all the same, when the threshold has passed the 20 samples. */
	const struct damon_region regions[] = {TEST_REGION(0, 10), TEST_REGION(11, 20),
					       TEST_REGION(21, 30), TEST_REGION(31, 40)};
	struct test_world world;

	start_with(&world, regions, 4, 20);
	world.ctx->attrs.min_nr_regions = 1;
	world.ctx->attrs.max_nr_regions = 3;
	damon_monitor_merge(world.ctx);
	assert_int_equal(damon_nr_regions(world.target), 4);
	test_world_free(&world);
}

static void unknown_memory_merges_too_when_there_are_too_many_regions(void **state)
{
	/*
	 * 9 samples a window (5 ms of 45 ms) with 1,000 units each: T = 9,000 / 10 = 900 doubles to
	 * 14,400 in four steps, the tolerance for unknown, 0, to 8 only, but goes on until it has
	 * passed the 9 samples.
	 */
	const struct damon_region regions[] = {TEST_REGION(0, 10, .nr_unknown = 9),
					       TEST_REGION(10, 20), TEST_REGION(20, 30),
					       TEST_REGION(30, 40, .nr_accesses = 9000),
					       TEST_REGION(50, 60)};
	struct test_world world;

	start_with(&world, regions, 5, 9000);
	world.ctx->attrs.aggr_interval = 45000;
	world.ctx->access_unit = 1000;
	world.ctx->internal->window_samples = 9;
	world.ctx->attrs.min_nr_regions = 1;
	world.ctx->attrs.max_nr_regions = 2;
	damon_monitor_merge(world.ctx);
	assert_int_equal(damon_nr_regions(world.target), 2);
	test_world_free(&world);
}

/* Publishing. */

static void a_window_ends_after_its_sampling_intervals(void **state)
{
	struct test_world world;

	test_world_init(&world);
	test_world_start(&world, &thousand_pages, 1);
	test_world_sample(&world, 19);
	assert_int_equal(world.nr_windows, 0);
	test_world_sample(&world, 1);
	assert_int_equal(world.nr_windows, 1);
	assert_int_equal(world.window.nr_samples, 20);
	assert_int_equal(world.window.sample_us, 5000);
	assert_int_equal(world.window.aggr_us, 100000);
	assert_int_equal(world.window.t_start_ns, 0);
	assert_int_equal(world.window.t_end_ns, 100000000);
	/* The test port's processor time is a tenth of the time, the clears are the checks. */
	assert_int_equal(world.window.cost.cpu_ns, 10000000);
	assert_int_equal(world.window.cost.clears, 20);
	test_world_sample(&world, 20);
	assert_int_equal(world.nr_windows, 2);
	assert_int_equal(world.window.t_start_ns, 100000000);
	assert_int_equal(world.window.t_end_ns, 200000000);
	test_world_free(&world);
}

struct seen {
	size_t nr;
	struct damon_region first, last;
};

static int look(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct seen *seen = data;

	seen->nr = damon_nr_regions(ctx->targets[0]);
	damon_get_region(ctx, ctx->targets[0], 0, &seen->first);
	damon_get_region(ctx, ctx->targets[0], seen->nr - 1, &seen->last);
	return 0;
}

static void what_is_published_is_merged_and_not_split(void **state)
{
	struct test_world world;
	struct seen seen = {0};

	test_world_init(&world);
	world.script.access = first_half;
	world.ctx->callbacks.window = look;
	world.ctx->callbacks.data = &seen;
	test_world_start(&world, &thousand_pages, 1);
	test_world_window(&world);
	/* The size limit, 100 pages, keeps the ten regions apart; they are then split into 20. */
	assert_int_equal(seen.nr, 10);
	assert_int_equal(seen.first.nr_accesses, 20);
	assert_int_equal(seen.last.nr_accesses, 0);
	assert_int_equal(damon_nr_regions(world.target), 20);
	/* And the next window starts from nothing. */
	assert_int_equal(test_region(world.target, 0).nr_accesses, 0);
	assert_int_equal(test_region(world.target, 0).last_nr_accesses, 20);
	assert_int_equal(world.ctx->internal->max_access, 0);
	test_world_free(&world);
}

static int refuse(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	return -ENOSPC;
}

static void an_error_of_the_window_callback_is_passed_on(void **state)
{
	struct test_world world;

	test_world_init(&world);
	world.ctx->callbacks.window = refuse;
	test_world_start(&world, &thousand_pages, 1);
	test_world_sample(&world, 19);
	assert_int_equal(damon_monitor_prepare(world.ctx), 0);
	assert_int_equal(damon_monitor_check(world.ctx), 0);
	damon_monitor_merge(world.ctx);
	assert_int_equal(damon_monitor_window_end(world.ctx), -ENOSPC);
	test_world_free(&world);
}

/* The frequency now. */

static void the_moving_sum_adds_the_share_of_the_last_window_still_to_come(void **state)
{
	/* 15 of 20 sampling intervals are still to come: 2 + 10 * 15 / 20 = 9.5, rounded down. */
	const struct damon_region region = {.nr_accesses = 2, .last_nr_accesses = 10};
	struct test_world world;

	test_world_init(&world);
	test_world_start(&world, &thousand_pages, 1);
	assert_int_equal(damon_moving_sum(world.ctx, &region), 12);
	test_world_sample(&world, 5);
	assert_int_equal(damon_moving_sum(world.ctx, &region), 9);
	test_world_sample(&world, 14);
	/* One of 20: 2 + 0.5. */
	assert_int_equal(damon_moving_sum(world.ctx, &region), 2);
	test_world_free(&world);
}

static void the_moving_sum_at_a_windows_end_is_the_count(void **state)
{
	const struct damon_region region = {.nr_accesses = 2, .last_nr_accesses = 10};
	struct test_world world;
	int i;

	test_world_init(&world);
	test_world_start(&world, &thousand_pages, 1);
	for (i = 0; i < 20; i++) {
		assert_int_equal(damon_monitor_prepare(world.ctx), 0);
		assert_int_equal(damon_monitor_check(world.ctx), 0);
	}
	damon_monitor_merge(world.ctx);
	assert_int_equal(damon_moving_sum(world.ctx, &region), 2);
	test_world_free(&world);
}

static void the_moving_sum_saturates(void **state)
{
	const struct damon_region region = {.nr_accesses = 1, .last_nr_accesses = UINT32_MAX};
	struct test_world world;

	test_world_init(&world);
	test_world_start(&world, &thousand_pages, 1);
	assert_int_equal(damon_moving_sum(world.ctx, &region), UINT32_MAX);
	test_world_free(&world);
}

/* A pause. */

static void a_pause_moves_the_windows_start(void **state)
{
	struct test_world world;

	test_world_init(&world);
	test_world_start(&world, &thousand_pages, 1);
	test_world_sample(&world, 10);
	world.port.ahead_ns += 7000000000;
	damon_monitor_skip_time(world.ctx, 7000000000);
	test_world_sample(&world, 10);
	assert_int_equal(world.window.t_end_ns - world.window.t_start_ns, 100000000);
	test_world_free(&world);
}

static void a_window_that_began_in_a_pause_begins_with_its_end(void **state)
{
	struct test_world world;

	test_world_init(&world);
	test_world_start(&world, &thousand_pages, 1);
	world.port.ahead_ns += 3000000000;
	damon_rebase(world.ctx); /* as a commit does */
	world.port.ahead_ns += 4000000000;
	damon_monitor_skip_time(world.ctx, 7000000000);
	test_world_sample(&world, 20);
	assert_int_equal(world.window.t_end_ns - world.window.t_start_ns, 100000000);
	test_world_free(&world);
}

/* Lack of memory. */

static void a_pass_without_memory_is_left_out_counted_and_reported(void **state)
{
	struct test_world world;

	test_world_init(&world);
	world.ctx->attrs.max_nr_regions = 100000;
	test_world_start(&world, &thousand_pages, 1);
	/* Room for more than 65,536 regions is only asked for when they are there. */
	damon_region_table_free(&world.port.port, world.target->regions);
	world.target->regions = damon_region_table_new(&world.port.port);
	assert_int_equal(damon_set_regions(world.target, &thousand_pages, 1, TEST_PAGE), 0);
	world.port.fail_on = true;
	test_port_fail_at(&world.port, 1);
	test_world_window(&world);
	assert_int_equal(world.nr_windows, 1);
	/* There is room for splitting one region into two, but not for ten of the right size. */
	assert_int_equal(damon_nr_regions(world.target), 2);
	assert_int_equal(test_region(world.target, 1).ar.end, 1000 * TEST_PAGE);
	assert_int_equal(world.ctx->internal->failed_passes, 1);
	assert_int_equal(world.nr_events, 1);
	assert_string_equal(world.event, "memory");
	test_port_fail_at(&world.port, 0);
	test_world_window(&world);
	assert_true(damon_nr_regions(world.target) >= 10);
	test_world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sampling_interval_adds_one_where_the_sample_was_touched),
		cmocka_unit_test(unknown_answers_are_counted_by_themselves),
		cmocka_unit_test(samples_lie_anywhere_in_their_region),
		cmocka_unit_test(counts_saturate),
		cmocka_unit_test(an_error_of_the_operations_set_is_passed_on),
		cmocka_unit_test(shares_are_rounded_up_so_that_0_means_untouched),
		cmocka_unit_test(the_size_limit_is_the_total_by_min_nr_regions_aligned_up),
		cmocka_unit_test(the_size_limit_is_not_below_the_smallest_size),
		cmocka_unit_test(the_size_limit_is_never_nothing),
		cmocka_unit_test(the_size_limit_counts_all_targets),
		cmocka_unit_test(a_total_beyond_64_bits_saturates),
		cmocka_unit_test(larger_regions_are_cut_at_every_windows_end),
		cmocka_unit_test(the_threshold_is_a_tenth_of_the_largest_count),
		cmocka_unit_test(the_threshold_is_rounded_down),
		cmocka_unit_test(the_threshold_doubles_while_there_are_too_many_regions),
		cmocka_unit_test(from_a_threshold_of_0_it_goes_on_with_1),
		cmocka_unit_test(regions_that_can_not_merge_may_be_too_many),
		cmocka_unit_test(unknown_memory_merges_too_when_there_are_too_many_regions),
		cmocka_unit_test(a_window_ends_after_its_sampling_intervals),
		cmocka_unit_test(what_is_published_is_merged_and_not_split),
		cmocka_unit_test(an_error_of_the_window_callback_is_passed_on),
		cmocka_unit_test(the_moving_sum_adds_the_share_of_the_last_window_still_to_come),
		cmocka_unit_test(the_moving_sum_at_a_windows_end_is_the_count),
		cmocka_unit_test(the_moving_sum_saturates),
		cmocka_unit_test(a_pause_moves_the_windows_start),
		cmocka_unit_test(a_window_that_began_in_a_pause_begins_with_its_end),
		cmocka_unit_test(a_pass_without_memory_is_left_out_counted_and_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
