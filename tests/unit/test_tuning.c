// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The feedback loop, and tuning the intervals with it. */
#include <errno.h>
#include <string.h>

#include "core/attrs.h"
#include "core/region.h"
#include "test_port.h"

static const struct damon_addr_range thousand_pages = TEST_RANGE(0, 1000);

/* The feedback loop. */

static void on_the_goal_the_input_stays(void **state)
{
	assert_int_equal(damon_feed_loop_next_input(123456, 10000), 123456);
	assert_int_equal(damon_feed_loop_next_input(5, 10000), 5);
}

static void under_achieving_moves_the_input_up(void **state)
{
	/* 100,000 * |10,000 - 5,000| / 10,000 = 50,000; with a score of 0 all of it. */
	assert_int_equal(damon_feed_loop_next_input(100000, 5000), 150000);
	assert_int_equal(damon_feed_loop_next_input(100000, 0), 200000);
	assert_int_equal(damon_feed_loop_next_input(100000, 9999), 100010);
}

static void over_achieving_moves_the_input_down(void **state)
{
	assert_int_equal(damon_feed_loop_next_input(100000, 15000), 50000);
	assert_int_equal(damon_feed_loop_next_input(100000, 10001), 99990);
}

static void the_input_does_not_fall_below_one_unit(void **state)
{
	/* 15,000 - 7,500 = 7,500, which is under 10,000. */
	assert_int_equal(damon_feed_loop_next_input(15000, 15000), 10000);
	assert_int_equal(damon_feed_loop_next_input(100000, 19999), 10000);
}

static void from_twice_the_goal_on_the_input_is_one_unit(void **state)
{
	assert_int_equal(damon_feed_loop_next_input(100000000, 20000), 10000);
	assert_int_equal(damon_feed_loop_next_input(100000000, UINT64_MAX), 10000);
}

static void the_input_saturates(void **state)
{
	assert_int_equal(damon_feed_loop_next_input(UINT64_MAX, 0), UINT64_MAX);
	assert_int_equal(damon_feed_loop_next_input(UINT64_MAX / 2 + 1, 0), UINT64_MAX);
	/* (2^64 - 1) * 9,999 / 10,000 = 18444899399302180659.8; that much less. */
	assert_int_equal(damon_feed_loop_next_input(UINT64_MAX, 19999), 1844674407370956ULL);
}

/* Tuning. */

/*
 * One step with 5 ms and 20 samples, the goal being 400 bp: 5 pages, so that 100 page-samples are
 * possible, of which the first page has @events.
 */
static void start_tuning(struct test_world *world, uint32_t events, uint64_t min_us,
			 uint64_t max_us)
{
	const struct damon_region regions[] = {TEST_REGION(0, 1, .nr_accesses = events, .age = 10),
					       TEST_REGION(1, 5)};

	test_world_init(world);
	world->ctx->attrs.intervals_goal = (struct damon_intervals_goal){400, 1, min_us, max_us};
	test_world_start(world, &thousand_pages, 1);
	test_put_regions(world->target, regions, 2);
	world->ctx->internal->passed_sis = 20;
	world->ctx->internal->window_samples = 20;
	world->ctx->internal->window_complete = true;
}

static uint64_t tuned(uint32_t events, uint64_t min_us, uint64_t max_us)
{
	struct test_world world;
	uint64_t sample_us;

	start_tuning(&world, events, min_us, max_us);
	damon_tune_intervals(world.ctx);
	sample_us = world.ctx->attrs.sample_interval;
	/* Samples per window stay what they were. */
	assert_int_equal(world.ctx->attrs.aggr_interval, 20 * sample_us);
	test_world_free(&world);
	return sample_us;
}

static void at_the_aimed_at_share_the_intervals_stay(void **state)
{
	/* 4 of 100 events are 400 bp: the score is 10,000. */
	assert_int_equal(tuned(4, 1, 10000000), 5000);
}

static void too_few_events_make_the_intervals_longer(void **state)
{
	/* 2 of 100: half of the goal, score 5,000: times 1.5. None: times 2. */
	assert_int_equal(tuned(2, 1, 10000000), 7500);
	assert_int_equal(tuned(0, 1, 10000000), 10000);
}

static void too_many_events_make_the_intervals_shorter_softly(void **state)
{
	/* 6 of 100: score 15,000, factor 0.5, softened to 0.5 + 0.5 / 2 = 0.75. */
	assert_int_equal(tuned(6, 1, 10000000), 3750);
	/* 8 and more: factor 1 bp, softened to (5,000 + 1 / 2) bp: half. */
	assert_int_equal(tuned(8, 1, 10000000), 2500);
	assert_int_equal(tuned(20, 1, 10000000), 2500);
}

static void the_sampling_interval_stays_within_the_goals_bounds(void **state)
{
	assert_int_equal(tuned(0, 1, 6000), 6000);
	assert_int_equal(tuned(20, 4000, 10000000), 4000);
}

static void the_number_of_samples_stays_when_the_interval_can_not_shrink(void **state)
{
	struct test_world world;

	/* Half of 1 us would be 0, which would make one sample out of 20. */
	start_tuning(&world, 20, 0, 10000000);
	world.ctx->attrs.sample_interval = 1;
	world.ctx->attrs.aggr_interval = 20;
	damon_tune_intervals(world.ctx);
	assert_int_equal(damon_nr_samples_per_aggr(&world.ctx->attrs), 20);
	test_world_free(&world);
}

static void without_a_goal_nothing_is_tuned(void **state)
{
	struct test_world world;

	start_tuning(&world, 20, 1, 10000000);
	world.ctx->attrs.intervals_goal.aggrs = 0;
	damon_tune_intervals(world.ctx);
	assert_int_equal(world.ctx->attrs.sample_interval, 5000);
	test_world_free(&world);
}

static void a_share_of_0_or_nothing_to_see_tunes_nothing(void **state)
{
	struct test_world world;

	start_tuning(&world, 20, 1, 10000000);
	world.ctx->attrs.intervals_goal.access_bp = 0;
	damon_tune_intervals(world.ctx);
	assert_int_equal(world.ctx->attrs.sample_interval, 5000);
	world.ctx->attrs.intervals_goal.access_bp = 400;
	assert_int_equal(damon_set_regions(world.target, NULL, 0, TEST_PAGE), 0);
	world.ctx->internal->passed_sis = 40;
	damon_tune_intervals(world.ctx);
	assert_int_equal(world.ctx->attrs.sample_interval, 5000);
	test_world_free(&world);
}

static void the_largest_numbers_do_not_overflow(void **state)
{
	/* All of 2^64 - 1 bytes accessed to the full in the largest unit, in two targets: much too much. */
	const struct damon_region all = {.ar = {0, UINT64_MAX}, .nr_accesses = UINT32_MAX};
	struct damon_target *second;
	struct test_world world;

	start_tuning(&world, 0, 1, 10000000);
	second = test_world_add_target(&world);
	test_put_regions(world.target, &all, 1);
	test_put_regions(second, &all, 1);
	world.ctx->access_unit = UINT32_MAX;
	damon_tune_intervals(world.ctx);
	assert_int_equal(world.ctx->attrs.sample_interval, 2500);
	test_world_free(&world);
}

static void shares_are_weighed_in_counting_units(void **state)
{
	struct test_world world;

	/* 1,000 units a sample: 4,000 of 100,000 is 4 % again. */
	start_tuning(&world, 4000, 1, 10000000);
	world.ctx->access_unit = 1000;
	damon_tune_intervals(world.ctx);
	assert_int_equal(world.ctx->attrs.sample_interval, 5000);
	test_world_free(&world);
}

static void tuning_is_due_every_so_many_windows(void **state)
{
	struct test_world world;

	test_world_init(&world);
	world.ctx->attrs.intervals_goal = (struct damon_intervals_goal){400, 3, 1, 10000000};
	test_world_start(&world, &thousand_pages, 1);
	test_world_window(&world);
	test_world_window(&world);
	assert_int_equal(world.ctx->attrs.sample_interval, 5000);
	test_world_window(&world);
	assert_int_equal(world.ctx->attrs.sample_interval, 10000);
	assert_string_equal(world.event, "tune");
	test_world_window(&world);
	test_world_window(&world);
	assert_int_equal(world.ctx->attrs.sample_interval, 10000);
	test_world_window(&world);
	assert_int_equal(world.ctx->attrs.sample_interval, 20000);
	test_world_free(&world);
}

static int note_age(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct damon_region region;
	uint64_t *idle_us = data;

	damon_get_region(ctx, ctx->targets[0], 0, &region);
	*idle_us = region.age * window->aggr_us;
	return 0;
}

static void what_a_window_tells_is_in_terms_of_its_own_intervals(void **state)
{
	struct test_world world;
	uint64_t idle_us = 0;

	/* 4 windows of 100 ms, then tuned to 200 ms: 4 * 100 ms, and not 2 * 100 ms. */
	test_world_init(&world);
	world.ctx->attrs.intervals_goal = (struct damon_intervals_goal){400, 4, 1, 10000000};
	world.ctx->callbacks.window = note_age;
	world.ctx->callbacks.data = &idle_us;
	world.ctx->callbacks.event = NULL;
	test_world_start(&world, &thousand_pages, 1);
	test_world_sample(&world, 80);
	assert_int_equal(world.ctx->attrs.aggr_interval, 200000);
	assert_int_equal(idle_us, 400000);
	/* The next one: 4 * 100 / 200 + 1 windows of 200 ms. */
	test_world_window(&world);
	assert_int_equal(idle_us, 3 * 200000);
	test_world_free(&world);
}

static void tuning_does_not_put_off_updates_of_the_layout(void **state)
{
	struct test_world world;

	/*
	 * Due after 1 s. Windows of 100, 200, 400 ms, after each of which the interval doubles
	 * because nothing is accessed, make 700 ms; of the next, with 40 ms a sample, the 7th
	 * ends at 980 ms (whole intervals only).
	 */
	test_world_init(&world);
	world.ctx->attrs.ops_update_interval = 1000000;
	world.ctx->attrs.intervals_goal = (struct damon_intervals_goal){400, 1, 1, 10000000};
	test_world_start(&world, &thousand_pages, 1);
	test_world_sample(&world, 60);
	assert_int_equal(world.ctx->attrs.sample_interval, 40000);
	test_world_sample(&world, 6);
	assert_int_equal(world.script.nr_update, 0);
	test_world_sample(&world, 1);
	assert_int_equal(world.script.nr_update, 1);
	test_world_free(&world);
}

static void tuning_does_not_put_off_schemes(void **state)
{
	struct damos *windowed, *timed;
	struct test_world world;

	test_world_init(&world);
	assert_int_equal(damon_new_scheme(&windowed, world.lib), 0);
	assert_int_equal(damon_new_scheme(&timed, world.lib), 0);
	timed->apply_interval_us = 1000000;
	assert_int_equal(damon_add_scheme(world.ctx, windowed), 0);
	assert_int_equal(damon_add_scheme(world.ctx, timed), 0);
	world.ctx->attrs.intervals_goal = (struct damon_intervals_goal){400, 1, 1, 10000000};
	test_world_start(&world, &thousand_pages, 1);
	test_world_sample(&world, 66);
	assert_int_equal(timed->stat.nr_snapshots, 0);
	test_world_sample(&world, 1);
	assert_int_equal(timed->stat.nr_snapshots, 1);
	/* Without an interval of its own a scheme follows the windows. */
	assert_int_equal(world.nr_windows, 3);
	assert_int_equal(windowed->stat.nr_snapshots, 3);
	test_world_sample(&world, 13);
	assert_int_equal(world.nr_windows, 4);
	assert_int_equal(windowed->stat.nr_snapshots, 4);
	test_world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_the_goal_the_input_stays),
		cmocka_unit_test(under_achieving_moves_the_input_up),
		cmocka_unit_test(over_achieving_moves_the_input_down),
		cmocka_unit_test(the_input_does_not_fall_below_one_unit),
		cmocka_unit_test(from_twice_the_goal_on_the_input_is_one_unit),
		cmocka_unit_test(the_input_saturates),
		cmocka_unit_test(at_the_aimed_at_share_the_intervals_stay),
		cmocka_unit_test(too_few_events_make_the_intervals_longer),
		cmocka_unit_test(too_many_events_make_the_intervals_shorter_softly),
		cmocka_unit_test(the_sampling_interval_stays_within_the_goals_bounds),
		cmocka_unit_test(the_number_of_samples_stays_when_the_interval_can_not_shrink),
		cmocka_unit_test(without_a_goal_nothing_is_tuned),
		cmocka_unit_test(a_share_of_0_or_nothing_to_see_tunes_nothing),
		cmocka_unit_test(the_largest_numbers_do_not_overflow),
		cmocka_unit_test(shares_are_weighed_in_counting_units),
		cmocka_unit_test(tuning_is_due_every_so_many_windows),
		cmocka_unit_test(what_a_window_tells_is_in_terms_of_its_own_intervals),
		cmocka_unit_test(tuning_does_not_put_off_updates_of_the_layout),
		cmocka_unit_test(tuning_does_not_put_off_schemes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
