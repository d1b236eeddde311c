// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What was learned outlives the context: taken, applied, fitted to the layout of the day; and what doesn't
 * fit is refused.
 */
#include <errno.h>
#include <string.h>

#include "core/attrs.h"
#include "test_training.h"

static const struct damon_addr_range hundred_pages = TEST_RANGE(0, 100);

/* Applied before a start with these ranges; the start's result. */
static int start_with(struct test_world *world, struct damon_training *training,
		      const struct damon_addr_range *ranges, size_t nr)
{
	assert_int_equal(damon_training_apply(world->ctx, training), 0);
	world->script.ranges = ranges;
	world->script.nr_ranges = nr;
	return damon_monitor_start(world->ctx);
}

static void expect_region(const struct test_world *world, size_t idx, uint64_t first, uint64_t end,
			  uint32_t last, uint32_t age)
{
	struct damon_region region = test_region(world->target, idx);

	assert_int_equal(region.ar.start, first * TEST_PAGE);
	assert_int_equal(region.ar.end, end * TEST_PAGE);
	assert_int_equal(region.last_nr_accesses, last);
	assert_int_equal(region.age, age);
	assert_int_equal(region.nr_accesses, 0);
	assert_int_equal(region.nr_unknown, 0);
}

static uint32_t first_pages(struct test_script *script, uint64_t addr)
{
	return addr < 30 * TEST_PAGE;
}

static void a_context_goes_on_with_what_another_has_learned(void **state)
{
	struct damon_training *training;
	struct test_world world;

	test_world_init(&world);
	world.ctx->attrs.min_nr_regions = 3;
	/* The largest would be cut to size at start. */
	training = taught(&world);
	training->targets[0].regions[2].ar.end = 62 * TEST_PAGE;
	damon_free_target(world.target);
	world.ctx->nr_targets = 0;
	world.target = test_world_add_target(&world);
	assert_int_equal(
		start_with(&world, training, (struct damon_addr_range[]){TEST_RANGE(0, 62)}, 1), 0);
	/* Cut at 62 / 3 pages, rounded up to whole ones. */
	assert_int_equal(damon_nr_regions(world.target), 4);
	expect_region(&world, 0, 0, 10, 0, 40);
	expect_region(&world, 1, 10, 30, 18, 7);
	expect_region(&world, 2, 30, 51, 2, 1);
	expect_region(&world, 3, 51, 62, 2, 1);
	test_world_free(&world);
}

static void in_mid_window_the_last_complete_one_counts(void **state)
{
	struct damon_training *training;
	struct test_world world;
	size_t i;

	test_world_init(&world);
	world.script.access = first_pages;
	test_world_start(&world, &hundred_pages, 1);
	for (i = 0; i < 20; i++)
		test_world_window(&world);
	test_world_sample(&world, 7);
	/* In mid-window: the last complete one. */
	assert_int_equal(damon_training_take(&training, world.ctx), 0);
	for (i = 0; i < training->targets[0].nr_regions; i++)
		assert_int_equal(training->targets[0].regions[i].nr_accesses,
				 test_region(world.target, i).last_nr_accesses);
	assert_int_equal(training->targets[0].regions[0].nr_accesses, 20);
	damon_training_free(training);
	test_world_free(&world);
}

static void at_its_end_the_window_itself_counts(void **state)
{
	struct damon_training *training;
	struct test_world world;
	size_t i;

	test_world_init(&world);
	world.script.access = first_pages;
	test_world_start(&world, &hundred_pages, 1);
	for (i = 0; i < 20; i++) {
		assert_int_equal(damon_monitor_prepare(world.ctx), 0);
		assert_int_equal(damon_monitor_check(world.ctx), 0);
	}
	damon_monitor_merge(world.ctx);
	assert_int_equal(damon_training_take(&training, world.ctx), 0);
	assert_int_equal(test_region(world.target, 0).last_nr_accesses, 0);
	assert_int_equal(training->targets[0].regions[0].nr_accesses, 20);
	damon_training_free(training);
	test_world_free(&world);
}

static void it_is_cut_to_the_present_layout(void **state)
{
	const struct damon_addr_range present[] = {TEST_RANGE(5, 28), TEST_RANGE(40, 100),
						   TEST_RANGE(200, 300)};
	struct damon_training *training;
	struct test_world world;

	test_world_init(&world);
	training = taught(&world);
	world.target->regions->now.nr = 0;
	assert_int_equal(start_with(&world, training, present, TEST_COUNT(present)), 0);
	expect_region(&world, 0, 5, 10, 0, 40);
	expect_region(&world, 1, 10, 28, 18, 7);
	expect_region(&world, 2, 40, 59, 2, 1); /* cut to a tenth of the 183 pages, rounded up */
	assert_int_equal(damon_region_table_bytes(world.target->regions), 183 * TEST_PAGE);
	/* Unknown until now. */
	assert_int_equal(test_region(world.target, damon_nr_regions(world.target) - 1).age, 0);
	test_world_free(&world);
}

static void another_layout_is_refused(void **state)
{
	const struct damon_addr_range half = TEST_RANGE(50, 400), less = TEST_RANGE(51, 400);
	struct damon_training *training;
	struct test_world world;

	test_world_init(&world);
	training = taught(&world);
	world.target->regions->now.nr = 0;
	assert_int_equal(start_with(&world, training, &less, 1), -ESTALE);
	assert_int_equal(world.script.nr_cleanup_target, 1);
	assert_int_equal(world.script.nr_cleanup, 1);
	test_expect_ranges(world.target, &less, 1);
	/* It is still there for the next start, with half of it in the layout. */
	world.target->regions->now.nr = 0;
	world.script.ranges = &half;
	assert_int_equal(damon_monitor_start(world.ctx), 0);
	assert_int_equal(test_region(world.target, 0).age, 1);
	test_world_free(&world);
}

static void what_was_learned_of_something_else_is_refused(void **state)
{
	struct damon_training *training;
	struct test_world world;

	test_world_init(&world);
	training = taught(&world);
	training->ops_id = DAMON_OPS_PADDR;
	assert_int_equal(start_with(&world, training, &hundred_pages, 1), -ESTALE);
	training->ops_id = DAMON_OPS_SIM;
	training->attrs.addr_unit = 2;
	assert_int_equal(damon_monitor_start(world.ctx), -ESTALE);
	training->attrs.addr_unit = 1;
	training->nr_probes = 1;
	training->probe_weights[0] = 5;
	assert_int_equal(damon_monitor_start(world.ctx), -ESTALE);
	training->nr_probes = 0;
	world.ctx->attrs.min_region_sz = 2 * TEST_PAGE;
	assert_int_equal(damon_monitor_start(world.ctx), -EINVAL);
	world.ctx->attrs.min_region_sz = TEST_PAGE;
	test_world_add_target(&world);
	assert_int_equal(damon_monitor_start(world.ctx), -ESTALE);
	/* Let go of it, and nothing stands in the way. */
	assert_int_equal(damon_training_apply(world.ctx, NULL), 0);
	assert_int_equal(damon_monitor_start(world.ctx), 0);
	test_world_free(&world);
}

static void regions_that_cannot_be_are_refused(void **state)
{
	struct damon_training *training;
	struct test_world world;

	test_world_init(&world);
	training = taught(&world);
	training->targets[0].regions[1].ar.start -= 1;
	assert_int_equal(damon_training_apply(world.ctx, training), -EINVAL);
	training->targets[0].regions[1].ar.start = training->targets[0].regions[1].ar.end;
	assert_int_equal(damon_training_apply(world.ctx, training), -EINVAL);
	training->targets[0].regions[1].ar.start = 10 * TEST_PAGE;
	training->attrs.min_nr_regions = 1;
	assert_int_equal(damon_training_apply(world.ctx, training), -EINVAL);
	training->attrs.min_nr_regions = 3;
	training->access_unit = 0;
	assert_int_equal(damon_training_apply(world.ctx, training), -EINVAL);
	training->access_unit = 1;
	assert_int_equal(damon_training_apply(world.ctx, training), 0);
	assert_int_equal(damon_forget(world.ctx), 0);
	test_world_free(&world);
}

static void counts_are_in_terms_of_the_context(void **state)
{
	struct damon_training *training;
	struct test_world world;

	test_world_init(&world);
	training = taught(&world);
	/* Half the samples in a window twice as long, and an engine that knows shares. */
	world.ctx->attrs.sample_interval = 20000;
	world.ctx->attrs.aggr_interval = 200000;
	world.script.access_unit = 8;
	assert_int_equal(start_with(&world, training, &hundred_pages, 1), 0);
	assert_int_equal(world.ctx->attrs.sample_interval, 20000);
	expect_region(&world, 0, 0, 10, 0, 20);
	expect_region(&world, 1, 10, 20, 18 * 8 / 2, 3);
	test_world_free(&world);
}

static const struct damon_intervals_goal goal = {
	.access_bp = 400, .aggrs = 3, .min_sample_us = 5000, .max_sample_us = 1000000};

static void tuned_intervals_are_kept(void **state)
{
	struct damon_training *training;
	struct test_world world;

	test_world_init(&world);
	world.ctx->attrs.intervals_goal = goal;
	training = taught(&world);
	training->attrs.sample_interval = 40000;
	training->attrs.aggr_interval = 800000;
	assert_int_equal(start_with(&world, training, &hundred_pages, 1), 0);
	assert_int_equal(world.ctx->attrs.sample_interval, 40000);
	assert_int_equal(world.ctx->attrs.aggr_interval, 800000);
	expect_region(&world, 1, 10, 20, 18, 7);
	test_world_free(&world);
}

static void tuned_intervals_obey_the_present_goal(void **state)
{
	struct damon_training *training;
	struct test_world world;

	test_world_init(&world);
	world.ctx->attrs.intervals_goal = goal;
	world.ctx->attrs.intervals_goal.max_sample_us = 10000;
	training = taught(&world);
	training->attrs.intervals_goal = goal;
	training->attrs.sample_interval = 40000;
	training->attrs.aggr_interval = 800000;
	assert_int_equal(start_with(&world, training, &hundred_pages, 1), 0);
	assert_int_equal(world.ctx->attrs.sample_interval, 10000);
	assert_int_equal(world.ctx->attrs.aggr_interval, 200000);
	expect_region(&world, 1, 10, 20, 18, 28);
	test_world_free(&world);
}

/* Allocations. */

static void taking_with_any_allocation_refused(void **state)
{
	struct damon_training *training;
	struct test_world world;
	unsigned int nr;

	test_world_init(&world);
	test_put_regions(world.target, learned, TEST_COUNT(learned));
	for (nr = 1; nr <= 2; nr++) {
		training = NULL;
		test_port_fail_at(&world.port, nr);
		assert_int_equal(damon_training_take(&training, world.ctx), -ENOMEM);
		assert_null(training);
	}
	test_port_fail_at(&world.port, 3);
	assert_int_equal(damon_training_take(&training, world.ctx), 0);
	damon_training_free(training);
	test_world_free(&world);
}

static void starting_with_any_allocation_refused(void **state)
{
	struct damon_training *training;
	struct test_world world;
	unsigned int nr = 0;
	int err;

	test_world_init(&world);
	world.ctx->attrs.intervals_goal = goal;
	training = taught(&world);
	training->attrs.sample_interval = 40000;
	training->attrs.aggr_interval = 800000;
	/* The first start makes the room that any start does. */
	test_world_start(&world, &hundred_pages, 1);
	damon_monitor_stop(world.ctx);
	assert_int_equal(damon_forget(world.ctx), 0);
	assert_int_equal(damon_training_apply(world.ctx, training), 0);
	do {
		test_port_fail_at(&world.port, ++nr);
		err = damon_monitor_start(world.ctx);
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		test_expect_ranges(world.target, &hundred_pages, 1);
		assert_int_equal(test_region(world.target, 0).age, 0);
		assert_int_equal(world.ctx->attrs.sample_interval, 5000);
	} while (nr < 100);
	assert_int_equal(err, 0);
	/* Two lists; a target with its table and two times nine columns, once to fill and once for room. */
	assert_in_range(nr, 2 + 2 + 9 + 1, 40);
	expect_region(&world, 0, 0, 10, 0, 40);
	test_world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_context_goes_on_with_what_another_has_learned),
		cmocka_unit_test(in_mid_window_the_last_complete_one_counts),
		cmocka_unit_test(at_its_end_the_window_itself_counts),
		cmocka_unit_test(it_is_cut_to_the_present_layout),
		cmocka_unit_test(another_layout_is_refused),
		cmocka_unit_test(what_was_learned_of_something_else_is_refused),
		cmocka_unit_test(regions_that_cannot_be_are_refused),
		cmocka_unit_test(counts_are_in_terms_of_the_context),
		cmocka_unit_test(tuned_intervals_are_kept),
		cmocka_unit_test(tuned_intervals_obey_the_present_goal),
		cmocka_unit_test(taking_with_any_allocation_refused),
		cmocka_unit_test(starting_with_any_allocation_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
