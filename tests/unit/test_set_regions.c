// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Setting the ranges of a target that has regions: what stays, what goes, what is fresh. */
#include <errno.h>
#include <string.h>

#include "core/region.h"
#include "test_port.h"

struct bench {
	struct test_port port;
	struct damon_lib *lib;
	struct damon_target *target;
};

static void setup(struct bench *bench, const struct damon_region *regions, size_t nr)
{
	test_port_init(&bench->port);
	assert_int_equal(damon_lib_new(&bench->lib, &bench->port.port), 0);
	assert_int_equal(damon_new_target(&bench->target, bench->lib), 0);
	if (nr)
		test_put_regions(bench->target, regions, nr);
}

static void teardown(struct bench *bench)
{
	damon_free_target(bench->target);
	damon_lib_free(bench->lib);
	test_port_free(&bench->port);
}

static void set(struct bench *bench, const struct damon_addr_range *ranges, size_t nr)
{
	assert_int_equal(damon_set_regions(bench->target, ranges, nr, TEST_PAGE), 0);
}

static void expect_learned(const struct bench *bench, size_t idx, uint32_t nr_accesses,
			   uint32_t last_nr_accesses, uint32_t age)
{
	struct damon_region region = test_region(bench->target, idx);

	assert_int_equal(region.nr_accesses, nr_accesses);
	assert_int_equal(region.last_nr_accesses, last_nr_accesses);
	assert_int_equal(region.age, age);
}

static void a_target_without_regions_gets_one_for_each_range(void **state)
{
	const struct damon_addr_range ranges[] = {TEST_RANGE(1, 4), TEST_RANGE(4, 5),
						  TEST_RANGE(9, 10)};
	struct bench bench;

	setup(&bench, NULL, 0);
	set(&bench, ranges, 3);
	test_expect_ranges(bench.target, ranges, 3);
	expect_learned(&bench, 0, 0, 0, 0);
	teardown(&bench);
}

static void the_same_ranges_again_change_nothing(void **state)
{
	const struct damon_region regions[] = {
		TEST_REGION(1, 3, .nr_accesses = 5, .last_nr_accesses = 4, .age = 7),
		TEST_REGION(3, 4, .nr_accesses = 1, .last_nr_accesses = 2, .age = 3),
	};
	const struct damon_addr_range range = TEST_RANGE(1, 4);
	const struct damon_addr_range same[] = {TEST_RANGE(1, 3), TEST_RANGE(3, 4)};
	struct bench bench;

	setup(&bench, regions, 2);
	set(&bench, &range, 1);
	test_expect_ranges(bench.target, same, 2);
	expect_learned(&bench, 0, 5, 4, 7);
	expect_learned(&bench, 1, 1, 2, 3);
	teardown(&bench);
}

static void regions_outside_all_ranges_go(void **state)
{
	const struct damon_region regions[] = {TEST_REGION(0, 1, .age = 1),
					       TEST_REGION(1, 2, .age = 2),
					       TEST_REGION(2, 3, .age = 3)};
	const struct damon_addr_range range = TEST_RANGE(1, 2);
	struct bench bench;

	setup(&bench, regions, 3);
	set(&bench, &range, 1);
	test_expect_ranges(bench.target, &range, 1);
	expect_learned(&bench, 0, 0, 0, 2);
	teardown(&bench);
}

static void regions_at_the_edges_are_trimmed(void **state)
{
	const struct damon_region regions[] = {TEST_REGION(0, 4, .age = 1),
					       TEST_REGION(4, 8, .age = 2)};
	const struct damon_addr_range range = TEST_RANGE(2, 6);
	const struct damon_addr_range trimmed[] = {TEST_RANGE(2, 4), TEST_RANGE(4, 6)};
	struct bench bench;

	setup(&bench, regions, 2);
	set(&bench, &range, 1);
	test_expect_ranges(bench.target, trimmed, 2);
	expect_learned(&bench, 0, 0, 0, 1);
	expect_learned(&bench, 1, 0, 0, 2);
	teardown(&bench);
}

static void regions_at_the_edges_are_stretched(void **state)
{
	const struct damon_region regions[] = {TEST_REGION(2, 4, .age = 1),
					       TEST_REGION(4, 6, .age = 2)};
	const struct damon_addr_range range = TEST_RANGE(0, 8);
	const struct damon_addr_range stretched[] = {TEST_RANGE(0, 4), TEST_RANGE(4, 8)};
	struct bench bench;

	setup(&bench, regions, 2);
	set(&bench, &range, 1);
	test_expect_ranges(bench.target, stretched, 2);
	expect_learned(&bench, 0, 0, 0, 1);
	expect_learned(&bench, 1, 0, 0, 2);
	teardown(&bench);
}

static void one_region_is_stretched_on_both_sides(void **state)
{
	const struct damon_region region = TEST_REGION(2, 4, .age = 1);
	const struct damon_addr_range range = TEST_RANGE(0, 8);
	struct bench bench;

	setup(&bench, &region, 1);
	set(&bench, &range, 1);
	test_expect_ranges(bench.target, &range, 1);
	expect_learned(&bench, 0, 0, 0, 1);
	teardown(&bench);
}

static void holes_inside_a_range_become_fresh_regions(void **state)
{
	const struct damon_region regions[] = {TEST_REGION(0, 2, .nr_accesses = 3, .age = 1),
					       TEST_REGION(5, 8, .nr_accesses = 4, .age = 2)};
	const struct damon_addr_range range = TEST_RANGE(0, 8);
	const struct damon_addr_range filled[] = {TEST_RANGE(0, 2), TEST_RANGE(2, 5),
						  TEST_RANGE(5, 8)};
	struct bench bench;

	setup(&bench, regions, 2);
	set(&bench, &range, 1);
	test_expect_ranges(bench.target, filled, 3);
	expect_learned(&bench, 0, 3, 0, 1);
	expect_learned(&bench, 1, 0, 0, 0);
	expect_learned(&bench, 2, 4, 0, 2);
	teardown(&bench);
}

static void a_region_across_a_new_gap_keeps_its_counts_on_both_sides(void **state)
{
	const struct damon_region region =
		TEST_REGION(0, 8, .nr_accesses = 3, .last_nr_accesses = 9, .age = 1);
	const struct damon_addr_range ranges[] = {TEST_RANGE(0, 2), TEST_RANGE(5, 8)};
	struct bench bench;

	setup(&bench, &region, 1);
	set(&bench, ranges, 2);
	test_expect_ranges(bench.target, ranges, 2);
	expect_learned(&bench, 0, 3, 9, 1);
	expect_learned(&bench, 1, 3, 9, 1);
	teardown(&bench);
}

static void a_region_across_three_ranges_is_kept_in_each(void **state)
{
	const struct damon_region region = TEST_REGION(0, 9, .nr_accesses = 3);
	const struct damon_addr_range ranges[] = {TEST_RANGE(0, 2), TEST_RANGE(3, 5),
						  TEST_RANGE(7, 12)};
	struct bench bench;
	size_t i;

	setup(&bench, &region, 1);
	set(&bench, ranges, 3);
	test_expect_ranges(bench.target, ranges, 3);
	for (i = 0; i < 3; i++)
		expect_learned(&bench, i, 3, 0, 0);
	teardown(&bench);
}

static void ranges_are_aligned_outwards_without_overlapping(void **state)
{
	/*
	 * 100..4097 covers pages 0 and 1; 8000..8100 lies in page 1, which it has to leave to the
	 * first, and goes; 8100..8193 reaches into page 2.
	 */
	const struct damon_addr_range ranges[] = {{100, 4097}, {8000, 8100}, {8100, 8193}};
	const struct damon_addr_range aligned[] = {TEST_RANGE(0, 2), TEST_RANGE(2, 3)};
	struct bench bench;

	setup(&bench, NULL, 0);
	set(&bench, ranges, 3);
	test_expect_ranges(bench.target, aligned, 2);
	teardown(&bench);
}

static void no_ranges_leave_no_region(void **state)
{
	const struct damon_region region = TEST_REGION(0, 8);
	struct bench bench;

	setup(&bench, &region, 1);
	set(&bench, NULL, 0);
	assert_int_equal(damon_nr_regions(bench.target), 0);
	teardown(&bench);
}

static void the_last_bytes_of_the_address_space_are_covered(void **state)
{
	/* There is no multiple of 4,096 above, so the end is kept as it is. */
	const struct damon_addr_range range = {UINT64_MAX - 5000, UINT64_MAX};
	const struct damon_addr_range aligned = {UINT64_MAX - 8191, UINT64_MAX};
	const struct damon_addr_range all = {0, UINT64_MAX};
	struct bench bench;

	setup(&bench, NULL, 0);
	set(&bench, &range, 1);
	test_expect_ranges(bench.target, &aligned, 1);
	set(&bench, &all, 1);
	test_expect_ranges(bench.target, &all, 1);
	teardown(&bench);
}

static void expect_refused(const struct damon_addr_range *ranges, size_t nr, uint64_t min_region_sz)
{
	const struct damon_region regions[] = {TEST_REGION(1, 3, .nr_accesses = 5, .age = 7),
					       TEST_REGION(6, 7, .nr_accesses = 2, .age = 1)};
	const struct damon_addr_range same[] = {TEST_RANGE(1, 3), TEST_RANGE(6, 7)};
	struct bench bench;

	setup(&bench, regions, 2);
	assert_int_equal(damon_set_regions(bench.target, ranges, nr, min_region_sz), -EINVAL);
	test_expect_ranges(bench.target, same, 2);
	expect_learned(&bench, 0, 5, 0, 7);
	expect_learned(&bench, 1, 2, 0, 1);
	teardown(&bench);
}

static void unsorted_ranges_are_refused_and_change_nothing(void **state)
{
	const struct damon_addr_range ranges[] = {TEST_RANGE(4, 5), TEST_RANGE(1, 2)};

	expect_refused(ranges, 2, TEST_PAGE);
}

static void empty_ranges_are_refused_and_change_nothing(void **state)
{
	const struct damon_addr_range empty[] = {TEST_RANGE(1, 2), TEST_RANGE(4, 4)};
	const struct damon_addr_range reversed[] = {TEST_RANGE(1, 2), TEST_RANGE(5, 4)};

	expect_refused(empty, 2, TEST_PAGE);
	expect_refused(reversed, 2, TEST_PAGE);
}

static void overlapping_ranges_are_refused_and_change_nothing(void **state)
{
	const struct damon_addr_range ranges[] = {TEST_RANGE(1, 4), TEST_RANGE(3, 5)};

	expect_refused(ranges, 2, TEST_PAGE);
}

static void a_smallest_size_that_is_no_power_of_two_is_refused(void **state)
{
	const struct damon_addr_range range = TEST_RANGE(1, 4);

	expect_refused(&range, 1, 0);
	expect_refused(&range, 1, 4095);
}

static void lack_of_memory_changes_nothing(void **state)
{
	const struct damon_region regions[] = {TEST_REGION(0, 2, .nr_accesses = 3, .age = 1),
					       TEST_REGION(5, 8, .nr_accesses = 4, .age = 2)};
	const struct damon_addr_range same[] = {TEST_RANGE(0, 2), TEST_RANGE(5, 8)};
	struct damon_addr_range ranges[100];
	struct bench bench;
	unsigned int nr_failed, i;
	int err;

	for (i = 0; i < 100; i++)
		ranges[i] = (struct damon_addr_range)TEST_RANGE(2 * i, 2 * i + 1);
	for (nr_failed = 0;; nr_failed++) {
		setup(&bench, regions, 2);
		test_port_fail_at(&bench.port, nr_failed + 1);
		err = damon_set_regions(bench.target, ranges, 100, TEST_PAGE);
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		test_expect_ranges(bench.target, same, 2);
		expect_learned(&bench, 0, 3, 0, 1);
		expect_learned(&bench, 1, 4, 0, 2);
		/* And the target is still good for another try. */
		test_port_fail_at(&bench.port, 0);
		set(&bench, ranges, 100);
		assert_int_equal(damon_nr_regions(bench.target), 100);
		teardown(&bench);
	}
	/* Three arrays that samples need, and three columns twice. */
	assert_int_equal(nr_failed, 9);
	teardown(&bench);
}

static void change_layout(struct test_script *script, struct damon_ctx *ctx)
{
	const struct damon_addr_range ranges[] = {TEST_RANGE(0, 500), TEST_RANGE(600, 2000)};

	assert_int_equal(damon_set_regions(ctx->targets[0], ranges, 2, TEST_PAGE), 0);
}

static void setting_ranges_between_prepare_and_check_voids_the_samples(void **state)
{
	const struct damon_addr_range range = TEST_RANGE(0, 1000);
	struct test_world world;

	test_world_init(&world);
	test_world_start(&world, &range, 1);
	assert_int_equal(damon_monitor_prepare(world.ctx), 0);
	change_layout(&world.script, world.ctx);
	assert_true(damon_monitor_samples_dropped(world.ctx));
	assert_int_equal(world.ctx->internal->passed_sis, 0);
	/* Monitoring goes on with samples of the new regions. */
	test_world_window(&world);
	assert_int_equal(world.nr_windows, 1);
	assert_false(world.script.unprepared_check);
	test_world_free(&world);
}

static void setting_no_ranges_while_samples_are_out_is_safe(void **state)
{
	const struct damon_addr_range range = TEST_RANGE(0, 1000);
	struct test_world world;

	test_world_init(&world);
	test_world_start(&world, &range, 1);
	assert_int_equal(damon_monitor_prepare(world.ctx), 0);
	assert_int_equal(damon_set_regions(world.target, NULL, 0, TEST_PAGE), 0);
	assert_true(damon_monitor_samples_dropped(world.ctx));
	world.script.nr_check = 0;
	test_world_window(&world);
	assert_int_equal(world.nr_windows, 1);
	assert_int_equal(world.script.nr_check, 0);
	test_world_free(&world);
}

static void an_update_of_the_layout_keeps_what_was_learned(void **state)
{
	const struct damon_addr_range range = TEST_RANGE(0, 1000);
	struct test_world world;

	test_world_init(&world);
	/* Five sampling intervals. */
	world.ctx->attrs.ops_update_interval = 25000;
	world.script.update = change_layout;
	test_world_start(&world, &range, 1);
	test_world_sample(&world, 4);
	assert_int_equal(world.script.nr_update, 0);
	test_world_sample(&world, 1);
	assert_int_equal(world.script.nr_update, 1);
	assert_int_equal(test_region(world.target, damon_nr_regions(world.target) - 1).ar.end,
			 2000 * TEST_PAGE);
	test_world_sample(&world, 5);
	assert_int_equal(world.script.nr_update, 2);
	test_world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_target_without_regions_gets_one_for_each_range),
		cmocka_unit_test(the_same_ranges_again_change_nothing),
		cmocka_unit_test(regions_outside_all_ranges_go),
		cmocka_unit_test(regions_at_the_edges_are_trimmed),
		cmocka_unit_test(regions_at_the_edges_are_stretched),
		cmocka_unit_test(one_region_is_stretched_on_both_sides),
		cmocka_unit_test(holes_inside_a_range_become_fresh_regions),
		cmocka_unit_test(a_region_across_a_new_gap_keeps_its_counts_on_both_sides),
		cmocka_unit_test(a_region_across_three_ranges_is_kept_in_each),
		cmocka_unit_test(ranges_are_aligned_outwards_without_overlapping),
		cmocka_unit_test(no_ranges_leave_no_region),
		cmocka_unit_test(the_last_bytes_of_the_address_space_are_covered),
		cmocka_unit_test(unsorted_ranges_are_refused_and_change_nothing),
		cmocka_unit_test(empty_ranges_are_refused_and_change_nothing),
		cmocka_unit_test(overlapping_ranges_are_refused_and_change_nothing),
		cmocka_unit_test(a_smallest_size_that_is_no_power_of_two_is_refused),
		cmocka_unit_test(lack_of_memory_changes_nothing),
		cmocka_unit_test(setting_ranges_between_prepare_and_check_voids_the_samples),
		cmocka_unit_test(setting_no_ranges_while_samples_are_out_is_safe),
		cmocka_unit_test(an_update_of_the_layout_keeps_what_was_learned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
