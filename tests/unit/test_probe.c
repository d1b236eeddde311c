// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Probes: what is counted besides accesses, and in their place. */
#include <errno.h>
#include <string.h>

#include "core/attrs.h"
#include "core/region.h"
#include "core/sampling.h"
#include "test_port.h"

static const struct damon_addr_range thousand_pages = TEST_RANGE(0, 1000);

/* Probe 0 passes in the first 500 pages, every other one nowhere. */
static bool first_half(struct test_script *script, const struct damon_probe *probe, uint64_t addr)
{
	return probe == script->data && addr < 500 * TEST_PAGE;
}

static bool everywhere(struct test_script *script, const struct damon_probe *probe, uint64_t addr)
{
	return true;
}

static uint32_t always(struct test_script *script, uint64_t addr)
{
	return 1;
}

static void init_with_probes(struct test_world *world, uint32_t nr)
{
	test_world_init(world);
	world->ctx->nr_probes = nr;
	world->script.hit = first_half;
	world->script.data = &world->ctx->probes[0];
}

static void each_probe_counts_its_own_hits(void **state)
{
	struct damon_region region;
	struct test_world world;

	init_with_probes(&world, 2);
	world.script.access = always;
	test_world_start(&world, &thousand_pages, 1);
	test_world_sample(&world, 7);
	damon_get_region(world.ctx, world.target, 0, &region);
	assert_int_equal(region.probe_hits[0], 7);
	assert_int_equal(region.probe_hits[1], 0);
	/* Without weights accesses are checked as ever. */
	assert_int_equal(region.nr_accesses, 7);
	damon_get_region(world.ctx, world.target, 9, &region);
	assert_int_equal(region.probe_hits[0], 0);
	test_world_free(&world);
}

static void hits_stay_at_255(void **state)
{
	struct test_world world;

	init_with_probes(&world, 1);
	world.script.hit = everywhere;
	/* 300 samples a window. */
	world.ctx->attrs.aggr_interval = 1500000;
	test_world_start(&world, &thousand_pages, 1);
	test_world_sample(&world, 255);
	assert_int_equal(test_region(world.target, 0).probe_hits[0], 255);
	test_world_sample(&world, 44);
	assert_int_equal(test_region(world.target, 0).probe_hits[0], 255);
	test_world_free(&world);
}

static void with_a_weight_accesses_are_not_checked(void **state)
{
	struct test_world world;

	init_with_probes(&world, 2);
	world.ctx->probes[1].weight = 1;
	world.script.access = always;
	test_world_start(&world, &thousand_pages, 1);
	test_world_sample(&world, 7);
	assert_int_equal(world.script.nr_prepare, 0);
	assert_int_equal(world.script.nr_check, 0);
	assert_int_equal(test_region(world.target, 0).nr_accesses, 0);
	assert_int_equal(test_region(world.target, 0).probe_hits[0], 7);
	test_world_free(&world);
}

static void merging_compares_the_weighted_sum_of_hits(void **state)
{
	/*
	 * Weights 3 and 1: 3 * 6 + 2 = 20 and 3 * 5 + 4 = 19 merge, the largest being 20 and T 2. Their
	 * means, 5 and 3 hits, make 18; the next has 15, which is 3 less. The last has 15 as well, and
	 * that it has 20 accesses doesn't count.
	 */
	const struct damon_region regions[] = {
		TEST_REGION(0, 10, .probe_hits = {6, 2}),
		TEST_REGION(10, 20, .probe_hits = {5, 4}),
		TEST_REGION(20, 30, .probe_hits = {0, 15}),
		TEST_REGION(30, 40, .nr_accesses = 20, .probe_hits = {0, 15}),
	};
	const struct damon_addr_range merged[] = {TEST_RANGE(0, 20), TEST_RANGE(20, 40)};
	struct test_world world;

	init_with_probes(&world, 2);
	world.ctx->probes[0].weight = 3;
	world.ctx->probes[1].weight = 1;
	test_world_start(&world, &thousand_pages, 1);
	test_put_regions(world.target, regions, 4);
	world.ctx->attrs.min_nr_regions = 1;
	damon_monitor_merge(world.ctx);
	test_expect_ranges(world.target, merged, 2);
	test_world_free(&world);
}

static void ageing_compares_the_weighted_sum_of_hits(void **state)
{
	struct test_world world;

	init_with_probes(&world, 1);
	world.ctx->probes[0].weight = 2;
	test_world_start(&world, &thousand_pages, 1);
	/* In the first window the sum goes from 0 to 40: age 0. Then it stays. */
	test_world_window(&world);
	assert_int_equal(test_region(world.target, 0).age, 0);
	test_world_window(&world);
	assert_int_equal(test_region(world.target, 0).age, 1);
	test_world_window(&world);
	assert_int_equal(test_region(world.target, 0).age, 2);
	/* It ends: from 40 to 0. */
	world.script.hit = NULL;
	test_world_window(&world);
	assert_int_equal(test_region(world.target, 0).age, 0);
	test_world_free(&world);
}

static void without_weights_hits_do_not_age_or_keep_apart(void **state)
{
	struct test_world world;

	init_with_probes(&world, 1);
	world.ctx->attrs.min_nr_regions = 3;
	test_world_start(&world, &thousand_pages, 1);
	test_world_window(&world);
	/* Idle, whatever the probe says. */
	assert_int_equal(test_region(world.target, 0).age, 1);
	test_world_free(&world);
}

static void an_error_of_the_probe_is_passed_on(void **state)
{
	struct test_world world;

	init_with_probes(&world, 1);
	test_world_start(&world, &thousand_pages, 1);
	world.script.probe_error = -EIO;
	assert_int_equal(damon_monitor_prepare(world.ctx), 0);
	assert_int_equal(damon_monitor_check(world.ctx), -EIO);
	test_world_free(&world);
}

static void operations_sets_without_probes_refuse_them_at_start(void **state)
{
	struct test_world world;

	init_with_probes(&world, 1);
	assert_int_equal(damon_select_ops(world.ctx, DAMON_OPS_PADDR), 0);
	assert_int_equal(damon_monitor_start(world.ctx), -EOPNOTSUPP);
	assert_int_equal(world.script.nr_init, 0);
	world.ctx->nr_probes = 0;
	test_world_start(&world, &thousand_pages, 1);
	test_world_free(&world);
}

static void too_many_probes_or_filters_are_refused(void **state)
{
	struct damon_probe probes[DAMON_MAX_PROBES + 1];
	struct damon_attrs attrs;

	memset(probes, 0, sizeof(probes));
	damon_default_attrs(&attrs);
	assert_int_equal(damon_check_probes(&test_ops, &attrs, probes, DAMON_MAX_PROBES), 0);
	assert_int_equal(damon_check_probes(&test_ops, &attrs, probes, DAMON_MAX_PROBES + 1),
			 -EINVAL);
	probes[1].nr_filters = DAMON_MAX_PROBE_FILTERS;
	assert_int_equal(damon_check_probes(&test_ops, &attrs, probes, 2), 0);
	probes[1].nr_filters = DAMON_MAX_PROBE_FILTERS + 1;
	assert_int_equal(damon_check_probes(&test_ops, &attrs, probes, 2), -EINVAL);
}

static void weighted_sums_that_could_overflow_are_refused(void **state)
{
	struct damon_probe probes[DAMON_MAX_PROBES];
	struct damon_attrs attrs;

	memset(probes, 0, sizeof(probes));
	damon_default_attrs(&attrs);
	/* 20 samples: 20 * 214,748,364 = 4,294,967,280 fits into 32 bits, one more doesn't. */
	probes[0].weight = 214748364;
	assert_int_equal(damon_check_probes(&test_ops, &attrs, probes, 2), 0);
	probes[1].weight = 1;
	assert_int_equal(damon_check_probes(&test_ops, &attrs, probes, 2), -EINVAL);
	/* More samples than a counter of hits can hold, where hits are what is compared. */
	probes[0].weight = 1;
	attrs.aggr_interval = 255 * 5000;
	assert_int_equal(damon_check_probes(&test_ops, &attrs, probes, 2), 0);
	attrs.aggr_interval = 256 * 5000;
	assert_int_equal(damon_check_probes(&test_ops, &attrs, probes, 2), -EINVAL);
}

static void attributes_that_do_not_fit_the_probes_are_refused(void **state)
{
	struct damon_attrs attrs;
	struct test_world world;

	init_with_probes(&world, 1);
	world.ctx->probes[0].weight = 1;
	attrs = world.ctx->attrs;
	attrs.aggr_interval = 256 * 5000;
	assert_int_equal(damon_set_attrs(world.ctx, &attrs), -EINVAL);
	assert_int_equal(world.ctx->attrs.aggr_interval, 100000);
	test_world_free(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_probe_counts_its_own_hits),
		cmocka_unit_test(hits_stay_at_255),
		cmocka_unit_test(with_a_weight_accesses_are_not_checked),
		cmocka_unit_test(merging_compares_the_weighted_sum_of_hits),
		cmocka_unit_test(ageing_compares_the_weighted_sum_of_hits),
		cmocka_unit_test(without_weights_hits_do_not_age_or_keep_apart),
		cmocka_unit_test(an_error_of_the_probe_is_passed_on),
		cmocka_unit_test(operations_sets_without_probes_refuse_them_at_start),
		cmocka_unit_test(too_many_probes_or_filters_are_refused),
		cmocka_unit_test(weighted_sums_that_could_overflow_are_refused),
		cmocka_unit_test(attributes_that_do_not_fit_the_probes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
