// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The floor under the sampling interval: when it comes into force, and what stays as it is. */
#include <errno.h>
#include <string.h>

#include "core/attrs.h"
#include "test_port.h"

static const struct damon_addr_range thousand_pages = TEST_RANGE(0, 1000);

static void assert_intervals(const struct test_world *world, uint64_t sample_us, uint64_t aggr_us)
{
	uint64_t sample, aggr;

	damon_intervals_in_force(world->ctx, &sample, &aggr);
	assert_int_equal(sample, sample_us);
	assert_int_equal(aggr, aggr_us);
}

/* 5 ms and 20 samples, as the defaults are. */
static void start(struct test_world *world)
{
	test_world_init(world);
	test_world_start(world, &thousand_pages, 1);
}

static void a_window_tells_the_intervals_it_really_had(void **state)
{
	struct test_world world;

	start(&world);
	test_world_sample(&world, 7);
	damon_set_interval_floor(world.ctx, 20000);
	test_world_sample(&world, 12);
	assert_intervals(&world, 5000, 100000);
	assert_int_equal(world.nr_windows, 0);
	test_world_sample(&world, 1);
	/* None of the 20 samples was lost: 7 of 5 ms and 13 of 20 ms are 295 ms. */
	assert_int_equal(world.nr_windows, 1);
	assert_int_equal(world.window.nr_samples, 20);
	assert_int_equal(world.window.sample_us, 14750);
	assert_int_equal(world.window.aggr_us, 295000);
	assert_int_equal(world.window.t_end_ns - world.window.t_start_ns, 295000000);
	/* What comes is another interval again. */
	assert_string_equal(world.event, "tune");
	assert_int_equal(world.window.floor_us, 20000);
	/* 20 samples of 20 ms. What was asked for is remembered. */
	assert_intervals(&world, 20000, 400000);
	assert_int_equal(world.ctx->attrs.sample_interval, 5000);
	assert_int_equal(world.ctx->attrs.aggr_interval, 100000);
	test_world_window(&world);
	assert_int_equal(world.window.nr_samples, 20);
	assert_int_equal(world.window.sample_us, 20000);
	assert_int_equal(world.window.aggr_us, 400000);
	assert_int_equal(world.window.t_end_ns - world.window.t_start_ns, 400000000);
	test_world_free(&world);
}

static void without_the_floor_the_interval_is_what_was_asked_for(void **state)
{
	struct test_world world;

	start(&world);
	damon_set_interval_floor(world.ctx, 20000);
	test_world_window(&world);
	damon_set_interval_floor(world.ctx, 7000);
	test_world_window(&world);
	assert_intervals(&world, 7000, 140000);
	damon_set_interval_floor(world.ctx, 0);
	test_world_window(&world);
	assert_intervals(&world, 5000, 100000);
	assert_int_equal(world.window.floor_us, 0);
	test_world_free(&world);
}

static void a_floor_below_the_interval_does_nothing(void **state)
{
	struct test_world world;

	start(&world);
	damon_set_interval_floor(world.ctx, 5000);
	test_world_window(&world);
	assert_intervals(&world, 5000, 100000);
	assert_int_equal(world.nr_events, 0);
	test_world_free(&world);
}

static void samples_per_window_stay_where_the_window_is_no_multiple(void **state)
{
	struct test_world world;

	/* 3 samples of 30 ms in 100 ms; so 3 of 50 ms. */
	test_world_init(&world);
	world.ctx->attrs.sample_interval = 30000;
	test_world_start(&world, &thousand_pages, 1);
	damon_set_interval_floor(world.ctx, 50000);
	test_world_window(&world);
	assert_int_equal(world.window.nr_samples, 3);
	assert_intervals(&world, 50000, 150000);
	test_world_window(&world);
	assert_int_equal(world.window.nr_samples, 3);
	test_world_free(&world);
}

static void counts_stay_and_ages_stand_for_the_same_time(void **state)
{
	const struct damon_region known[] = {TEST_REGION(0, 1000, .last_nr_accesses = 7, .age = 9)};
	struct test_world world;

	start(&world);
	test_put_regions(world.target, known, 1);
	damon_set_interval_floor(world.ctx, 20000);
	world.ctx->internal->window_complete = true;
	damon_tune_intervals(world.ctx);
	/* 9 windows of 100 ms are 2.25 of 400 ms. */
	assert_int_equal(test_region(world.target, 0).last_nr_accesses, 7);
	assert_int_equal(test_region(world.target, 0).age, 2);
	damon_set_interval_floor(world.ctx, 0);
	damon_tune_intervals(world.ctx);
	assert_int_equal(test_region(world.target, 0).last_nr_accesses, 7);
	assert_int_equal(test_region(world.target, 0).age, 8);
	test_world_free(&world);
}

static uint32_t never(struct test_script *script, uint64_t addr)
{
	return 0;
}

static int publish_age(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct damon_region region;

	damon_get_region(ctx, ctx->targets[0], 0, &region);
	*(uint64_t *)data = region.age * window->aggr_us;
	return 0;
}

static void an_age_counts_the_window_in_which_the_floor_rose_as_long_as_it_was(void **state)
{
	struct test_world world;
	uint64_t idle_us = 0;

	test_world_init(&world);
	world.script.access = never;
	world.ctx->callbacks.window = publish_age;
	world.ctx->callbacks.data = &idle_us;
	test_world_start(&world, &thousand_pages, 1);
	test_world_sample(&world, 40);
	assert_int_equal(idle_us, 200000);
	/* 2 of 5 ms and 18 of 540 ms: 9.73 s, in which 200 ms are nothing. */
	test_world_sample(&world, 2);
	damon_set_interval_floor(world.ctx, 540000);
	test_world_sample(&world, 18);
	assert_int_equal(idle_us, 9730000);
	test_world_free(&world);
}

static void a_floor_before_the_start_is_in_force_from_the_start(void **state)
{
	struct test_world world;

	test_world_init(&world);
	damon_set_interval_floor(world.ctx, 20000);
	assert_intervals(&world, 5000, 100000);
	test_world_start(&world, &thousand_pages, 1);
	assert_intervals(&world, 20000, 400000);
	test_world_free(&world);
}

static void the_end_of_the_kdamond_takes_it_away(void **state)
{
	const struct damon_region known[] = {TEST_REGION(0, 1000, .age = 3)};
	struct test_world world;

	test_world_init(&world);
	damon_set_interval_floor(world.ctx, 20000);
	test_world_start(&world, &thousand_pages, 1);
	test_put_regions(world.target, known, 1);
	damon_monitor_stop(world.ctx);
	assert_intervals(&world, 5000, 100000);
	/* 3 windows of 400 ms. */
	assert_int_equal(test_region(world.target, 0).age, 12);
	test_world_start(&world, &thousand_pages, 1);
	assert_intervals(&world, 5000, 100000);
	test_world_free(&world);
}

/* Tuning: 400 bp every window; nothing is accessed, so each step doubles what is in force. */
static void start_tuning(struct test_world *world, uint64_t max_us)
{
	test_world_init(world);
	world->ctx->attrs.intervals_goal = (struct damon_intervals_goal){400, 1, 1, max_us};
	test_world_start(world, &thousand_pages, 1);
}

static void tuning_goes_on_from_what_was_in_force(void **state)
{
	struct test_world world;

	start_tuning(&world, 10000000);
	damon_set_interval_floor(world.ctx, 30000);
	test_world_window(&world);
	assert_int_equal(world.ctx->attrs.sample_interval, 60000);
	assert_intervals(&world, 60000, 1200000);
	damon_set_interval_floor(world.ctx, 200000);
	test_world_sample(&world, 10);
	test_world_sample(&world, 10);
	assert_int_equal(world.ctx->attrs.sample_interval, 400000);
	test_world_free(&world);
}

static void the_floor_goes_before_the_longest_interval_of_tuning(void **state)
{
	struct damon_attrs attrs;
	struct test_world world;

	start_tuning(&world, 8000);
	damon_set_interval_floor(world.ctx, 30000);
	test_world_window(&world);
	assert_int_equal(world.ctx->attrs.sample_interval, 8000);
	assert_intervals(&world, 30000, 600000);
	/* What was asked for stays valid, so that it can be set again with another change. */
	attrs = world.ctx->attrs;
	attrs.ops_update_interval = 1;
	assert_int_equal(damon_set_attrs(world.ctx, &attrs), 0);
	assert_intervals(&world, 30000, 600000);
	test_world_free(&world);
}

static uint32_t always(struct test_script *script, uint64_t addr)
{
	return 1;
}

static void tuning_downwards_stops_at_the_floor(void **state)
{
	struct test_world world;

	/* All is accessed: half of what is in force each time. */
	start_tuning(&world, 10000000);
	world.script.access = always;
	damon_set_interval_floor(world.ctx, 4000);
	test_world_window(&world);
	assert_int_equal(world.ctx->attrs.sample_interval, 2500);
	assert_intervals(&world, 4000, 80000);
	assert_string_equal(world.event, "tune");
	/* Another step changes nothing that is in force, and isn't told. */
	world.nr_events = 0;
	test_world_window(&world);
	assert_int_equal(world.ctx->attrs.sample_interval, 2000);
	assert_intervals(&world, 4000, 80000);
	assert_int_equal(world.nr_events, 0);
	test_world_free(&world);
}

static void a_floor_does_not_put_off_tuning(void **state)
{
	struct test_world world;

	test_world_init(&world);
	world.ctx->attrs.intervals_goal = (struct damon_intervals_goal){400, 3, 1, 10000000};
	test_world_start(&world, &thousand_pages, 1);
	damon_set_interval_floor(world.ctx, 6000);
	test_world_window(&world);
	damon_set_interval_floor(world.ctx, 7000);
	test_world_window(&world);
	assert_int_equal(world.ctx->attrs.sample_interval, 5000);
	damon_set_interval_floor(world.ctx, 8000);
	test_world_window(&world);
	/* The third window was of 8 ms, times 2. */
	assert_int_equal(world.ctx->attrs.sample_interval, 16000);
	assert_intervals(&world, 16000, 320000);
	test_world_free(&world);
}

static void a_floor_does_not_put_off_updates_of_the_layout(void **state)
{
	struct test_world world;

	/* Due after 1.65 s: 10 of 5 ms and 10 of 50 ms are 550 ms; 1.1 s are 22 of 50 ms. */
	test_world_init(&world);
	world.ctx->attrs.ops_update_interval = 1650000;
	test_world_start(&world, &thousand_pages, 1);
	test_world_sample(&world, 10);
	damon_set_interval_floor(world.ctx, 50000);
	test_world_sample(&world, 10 + 21);
	assert_int_equal(world.script.nr_update, 0);
	test_world_sample(&world, 1);
	assert_int_equal(world.script.nr_update, 1);
	test_world_free(&world);
}

/* Changing attributes meanwhile. */

static void what_is_asked_for_below_the_floor_changes_nothing_at_once(void **state)
{
	struct damon_attrs attrs;
	struct test_world world;

	start(&world);
	damon_set_interval_floor(world.ctx, 50000);
	test_world_window(&world);
	test_world_sample(&world, 3);
	attrs = world.ctx->attrs;
	attrs.sample_interval = 10000;
	attrs.aggr_interval = 200000;
	assert_int_equal(damon_set_attrs(world.ctx, &attrs), 0);
	/* Also 20 samples of 50 ms: the window in progress goes on. */
	assert_int_equal(world.ctx->internal->window_samples, 3);
	assert_intervals(&world, 50000, 1000000);
	damon_set_interval_floor(world.ctx, 0);
	test_world_sample(&world, 17);
	assert_int_equal(world.nr_windows, 2);
	assert_intervals(&world, 10000, 200000);
	test_world_free(&world);
}

static void other_samples_per_window_rescale_counts_under_the_floor(void **state)
{
	const struct damon_region known[] = {
		TEST_REGION(0, 1000, .last_nr_accesses = 10, .age = 8)};
	struct damon_attrs attrs;
	struct test_world world;

	start(&world);
	damon_set_interval_floor(world.ctx, 50000);
	test_world_window(&world);
	test_put_regions(world.target, known, 1);
	attrs = world.ctx->attrs;
	attrs.aggr_interval = 200000;
	assert_int_equal(damon_set_attrs(world.ctx, &attrs), 0);
	/* 10 of 20 are 20 of 40; 8 windows of 1 s are 4 of 2 s. */
	assert_intervals(&world, 50000, 2000000);
	assert_int_equal(test_region(world.target, 0).last_nr_accesses, 20);
	assert_int_equal(test_region(world.target, 0).age, 4);
	test_world_free(&world);
}

static void a_commit_while_floored_sets_what_is_asked_for(void **state)
{
	struct test_world world;
	struct damon_ctx *src;

	start(&world);
	damon_set_interval_floor(world.ctx, 50000);
	test_world_window(&world);
	assert_int_equal(damon_new_ctx(&src, world.lib), 0);
	src->attrs.sample_interval = 100000;
	src->attrs.aggr_interval = 2000000;
	assert_int_equal(damon_commit_ctx(world.ctx, src), 0);
	assert_intervals(&world, 100000, 2000000);
	src->attrs.sample_interval = 1000;
	src->attrs.aggr_interval = 20000;
	assert_int_equal(damon_commit_ctx(world.ctx, src), 0);
	assert_intervals(&world, 50000, 1000000);
	damon_destroy_ctx(src);
	test_world_free(&world);
}

static void training_has_ages_in_terms_of_what_was_asked_for(void **state)
{
	const struct damon_region known[] = {TEST_REGION(0, 1000, .age = 3)};
	struct damon_training *training;
	struct test_world world;

	start(&world);
	damon_set_interval_floor(world.ctx, 50000);
	test_world_window(&world);
	test_put_regions(world.target, known, 1);
	assert_int_equal(damon_training_take(&training, world.ctx), 0);
	/* 3 windows of 1 s. */
	assert_int_equal(training->attrs.aggr_interval, 100000);
	assert_int_equal(training->targets[0].regions[0].age, 30);
	damon_training_free(training);
	test_world_free(&world);
}

/* On a kdamond, by its clock. */

static int raise_in_the_middle(struct damon_ctx *ctx, void *data)
{
	damon_set_interval_floor(ctx, 50000);
	return 0;
}

static void a_kdamond(void *data)
{
	struct test_world *world = data;
	struct damon_call_control raise = {.fn = raise_in_the_middle};
	uint64_t began_ns = world->port.port.now_ns(&world->port.port);

	assert_int_equal(damon_start(&world->ctx, 1, false), 0);
	/* Served within the first sampling interval, 5 ms; the other 3 are of 50 ms. */
	assert_int_equal(damon_call(world->ctx, &raise), 0);
	while (!world->nr_windows)
		assert_int_equal(damon_wait(world->ctx, 1000, NULL), -ETIMEDOUT);
	assert_int_equal((world->window.t_end_ns - began_ns) / 1000, 155000);
	assert_int_equal(world->window.sample_us, 38750);
	assert_int_equal(world->window.aggr_us, 155000);
	while (world->nr_windows < 2)
		assert_int_equal(damon_wait(world->ctx, 1000, NULL), -ETIMEDOUT);
	assert_int_equal((world->window.t_end_ns - world->window.t_start_ns) / 1000, 200000);
	assert_int_equal(world->window.sample_us, 50000);
	assert_int_equal(world->window.aggr_us, 200000);
	assert_int_equal(damon_stop(&world->ctx, 1), 0);
}

static void a_higher_floor_lengthens_the_next_sleep(void **state)
{
	struct test_world world;

	test_world_init(&world);
	world.script.ranges = &thousand_pages;
	world.script.nr_ranges = 1;
	world.ctx->attrs.aggr_interval = 20000;
	test_world_run(&world, a_kdamond);
	test_world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_tells_the_intervals_it_really_had),
		cmocka_unit_test(without_the_floor_the_interval_is_what_was_asked_for),
		cmocka_unit_test(a_floor_below_the_interval_does_nothing),
		cmocka_unit_test(samples_per_window_stay_where_the_window_is_no_multiple),
		cmocka_unit_test(counts_stay_and_ages_stand_for_the_same_time),
		cmocka_unit_test(
			an_age_counts_the_window_in_which_the_floor_rose_as_long_as_it_was),
		cmocka_unit_test(a_floor_before_the_start_is_in_force_from_the_start),
		cmocka_unit_test(the_end_of_the_kdamond_takes_it_away),
		cmocka_unit_test(tuning_goes_on_from_what_was_in_force),
		cmocka_unit_test(the_floor_goes_before_the_longest_interval_of_tuning),
		cmocka_unit_test(tuning_downwards_stops_at_the_floor),
		cmocka_unit_test(a_floor_does_not_put_off_tuning),
		cmocka_unit_test(a_floor_does_not_put_off_updates_of_the_layout),
		cmocka_unit_test(what_is_asked_for_below_the_floor_changes_nothing_at_once),
		cmocka_unit_test(other_samples_per_window_rescale_counts_under_the_floor),
		cmocka_unit_test(a_commit_while_floored_sets_what_is_asked_for),
		cmocka_unit_test(training_has_ages_in_terms_of_what_was_asked_for),
		cmocka_unit_test(a_higher_floor_lengthens_the_next_sleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
