// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Splitting: which regions, into how many parts, and where the cuts are. */
#include <errno.h>
#include <string.h>

#include "core/attrs.h"
#include "core/region.h"
#include "test_port.h"

struct bench {
	struct test_port port;
	struct damon_lib *lib;
	struct damon_target *target;
	struct damon_rng rng;
};

static void setup(struct bench *bench, uint64_t seed)
{
	test_port_init(&bench->port);
	assert_int_equal(damon_lib_new(&bench->lib, &bench->port.port), 0);
	assert_int_equal(damon_new_target(&bench->target, bench->lib), 0);
	damon_rng_seed(&bench->rng, seed);
}

static void teardown(struct bench *bench)
{
	damon_free_target(bench->target);
	damon_lib_free(bench->lib);
	test_port_free(&bench->port);
}

static void split(struct bench *bench, unsigned int parts, uint64_t step, uint64_t first,
		  uint64_t min_region_sz)
{
	assert_int_equal(damon_regions_split(&bench->port.port, bench->target->regions, &bench->rng,
					     parts, step, first, min_region_sz),
			 0);
}

/* Puts @nr regions of @pages each one after the other. */
static void put_equal(struct damon_target *target, size_t nr, uint64_t pages)
{
	struct damon_region regions[256];
	size_t i;

	assert_in_range(nr, 0, TEST_COUNT(regions));
	memset(regions, 0, sizeof(regions));
	for (i = 0; i < nr; i++) {
		regions[i].ar.start = i * pages * TEST_PAGE;
		regions[i].ar.end = (i + 1) * pages * TEST_PAGE;
	}
	test_put_regions(target, regions, nr);
}

/* Where the cuts are. */

static void cuts_are_at_every_whole_tenth_and_nowhere_else(void **state)
{
	/* 100 pages: 10, 20, ... 90 pages, each in about a ninth of 900 seeds. */
	unsigned int seen[10] = {0}, seed, tenths;
	const struct damon_region region = TEST_REGION(7, 107);
	struct bench bench;
	uint64_t sz;

	for (seed = 0; seed < 900; seed++) {
		setup(&bench, seed);
		test_put_regions(bench.target, &region, 1);
		split(&bench, 2, 1, 0, TEST_PAGE);
		assert_int_equal(damon_nr_regions(bench.target), 2);
		sz = test_region(bench.target, 0).ar.end - 7 * TEST_PAGE;
		assert_int_equal(sz % (10 * TEST_PAGE), 0);
		tenths = (unsigned int)(sz / (10 * TEST_PAGE));
		assert_in_range(tenths, 1, 9);
		seen[tenths]++;
		teardown(&bench);
	}
	/* 100 are expected; the standard deviation is sqrt(900 * 8 / 81) = 9.4. */
	for (tenths = 1; tenths < 10; tenths++)
		assert_in_range(seen[tenths], 100 - 57, 100 + 57);
}

static void cuts_are_aligned_down_to_the_smallest_size(void **state)
{
	/* 7 pages of 4 KiB: a tenth is 2867 bytes, so 1 or 2 tenths would be an empty part: left whole. */
	const struct damon_region region = TEST_REGION(0, 7);
	unsigned int seed, whole = 0;
	struct bench bench;
	uint64_t end;

	for (seed = 0; seed < 200; seed++) {
		setup(&bench, seed);
		test_put_regions(bench.target, &region, 1);
		split(&bench, 2, 1, 0, TEST_PAGE);
		end = test_region(bench.target, 0).ar.end;
		assert_int_equal(end % TEST_PAGE, 0);
		assert_true(end > 0);
		if (damon_nr_regions(bench.target) == 1)
			whole++;
		teardown(&bench);
	}
	/* 1 tenth of 9: 0.7 pages. 200 / 9 = 22 are expected, the standard deviation is 4.4. */
	assert_in_range(whole, 22 - 18, 22 + 27);
}

static void regions_of_twice_the_smallest_size_are_left_whole(void **state)
{
	unsigned int seed;
	struct bench bench;

	for (seed = 0; seed < 20; seed++) {
		setup(&bench, seed);
		put_equal(bench.target, 1, 2);
		split(&bench, 3, 1, 0, TEST_PAGE);
		assert_int_equal(damon_nr_regions(bench.target), 1);
		teardown(&bench);
	}
}

static void regions_just_above_twice_the_smallest_size_are_split(void **state)
{
	/* 3 pages: from 4 tenths (1.2 pages) on there is a cut. */
	unsigned int seed, cut = 0;
	struct bench bench;

	for (seed = 0; seed < 50; seed++) {
		setup(&bench, seed);
		put_equal(bench.target, 1, 3);
		split(&bench, 2, 1, 0, TEST_PAGE);
		cut += damon_nr_regions(bench.target) == 2;
		teardown(&bench);
	}
	/* 6 of 9 tenths: 33 are expected. */
	assert_in_range(cut, 20, 45);
}

static void a_split_into_3_cuts_the_left_part_again(void **state)
{
	/*
	 * 1,000 pages: the right part begins at a tenth t of the whole, the middle one at a
	 * tenth of that (t * 10 * u pages, u from 1 to 9).
	 */
	const struct damon_region region = TEST_REGION(0, 1000);
	uint64_t first, second;
	struct bench bench;
	unsigned int seed;

	for (seed = 0; seed < 50; seed++) {
		setup(&bench, seed);
		test_put_regions(bench.target, &region, 1);
		split(&bench, 3, 1, 0, TEST_PAGE);
		assert_int_equal(damon_nr_regions(bench.target), 3);
		first = test_region(bench.target, 0).ar.end / TEST_PAGE;
		second = test_region(bench.target, 1).ar.end / TEST_PAGE;
		assert_int_equal(second % 100, 0);
		assert_in_range(second, 100, 900);
		assert_int_equal(first % (second / 10), 0);
		assert_in_range(first, second / 10, second / 10 * 9);
		assert_int_equal(test_region(bench.target, 2).ar.end, 1000 * TEST_PAGE);
		teardown(&bench);
	}
}

static void all_parts_inherit_counts_and_age(void **state)
{
	const struct damon_region region = TEST_REGION(0, 1000, .nr_accesses = 1,
						       .last_nr_accesses = 9, .age = 4,
						       .nr_unknown = 2, .probe_hits = {3, 0, 0, 5});
	struct damon_region part;
	struct bench bench;
	size_t i;

	setup(&bench, 1);
	test_put_regions(bench.target, &region, 1);
	split(&bench, 3, 1, 0, TEST_PAGE);
	assert_int_equal(damon_nr_regions(bench.target), 3);
	for (i = 0; i < 3; i++) {
		part = test_region(bench.target, i);
		assert_int_equal(part.nr_accesses, 1);
		assert_int_equal(part.last_nr_accesses, 9);
		assert_int_equal(part.age, 4);
		assert_int_equal(part.nr_unknown, 2);
		assert_int_equal(part.probe_hits[3], 5);
	}
	teardown(&bench);
}

static void only_every_kth_region_is_split_from_the_offset_on(void **state)
{
	/* Regions 1 and 4 of 0..5 (step 3 from 1), ten pages each, are cut; the others are not. */
	struct damon_region region;
	struct bench bench;
	size_t i, nr_whole = 0;

	setup(&bench, 1);
	put_equal(bench.target, 6, 10);
	split(&bench, 2, 3, 1, TEST_PAGE);
	assert_int_equal(damon_nr_regions(bench.target), 8);
	for (i = 0; i < 8; i++) {
		region = test_region(bench.target, i);
		if (region.ar.end - region.ar.start < 10 * TEST_PAGE)
			assert_true(region.ar.start / TEST_PAGE / 10 == 1 ||
				    region.ar.start / TEST_PAGE / 10 == 4);
		else
			nr_whole++;
	}
	assert_int_equal(nr_whole, 4);
	teardown(&bench);
}

static void the_largest_region_is_split_without_overflow(void **state)
{
	const struct damon_region all = {.ar = {0, UINT64_MAX}};
	struct bench bench;
	uint64_t cut;
	unsigned int seed;

	for (seed = 0; seed < 50; seed++) {
		setup(&bench, seed);
		test_put_regions(bench.target, &all, 1);
		split(&bench, 2, 1, 0, TEST_PAGE);
		assert_int_equal(damon_nr_regions(bench.target), 2);
		cut = test_region(bench.target, 0).ar.end;
		assert_in_range(cut, UINT64_MAX / 10 - TEST_PAGE, UINT64_MAX / 10 * 9 + 9);
		assert_int_equal(cut % TEST_PAGE, 0);
		assert_int_equal(test_region(bench.target, 1).ar.end, UINT64_MAX);
		teardown(&bench);
	}
}

static void a_split_that_gets_no_memory_leaves_the_regions(void **state)
{
	struct bench bench;

	setup(&bench, 1);
	put_equal(bench.target, 100, 10);
	test_port_fail_at(&bench.port, 1);
	assert_int_equal(damon_regions_split(&bench.port.port, bench.target->regions, &bench.rng, 2,
					     1, 0, TEST_PAGE),
			 -ENOMEM);
	assert_int_equal(damon_nr_regions(bench.target), 100);
	assert_int_equal(test_region(bench.target, 99).ar.end, 1000 * TEST_PAGE);
	teardown(&bench);
}

static void a_split_asks_for_no_more_room_than_it_needs(void **state)
{
	/* 128 regions, every second from the first on: 64 more, which just fit into 192. */
	struct bench bench;

	setup(&bench, 1);
	assert_int_equal(damon_region_table_reserve(&bench.port.port, bench.target->regions, 192),
			 0);
	put_equal(bench.target, 128, 10);
	bench.port.nr_asked = 0;
	split(&bench, 2, 2, 0, TEST_PAGE);
	assert_int_equal(damon_nr_regions(bench.target), 192);
	assert_int_equal(bench.port.nr_asked, 0);
	teardown(&bench);
}

/* Which regions: at a window's end, through a context. */

/* Every region has its own frequency, so that none merge: page group by page group, 0 or 1. */
static uint32_t by_group(struct test_script *script, uint64_t addr)
{
	const uint64_t *group_pages = script->data;

	return addr / TEST_PAGE / *group_pages % 2;
}

/*
 * A window over @nr regions of @pages each that do not merge, with room for @max; the counts of
 * regions after it. The size limit is far above.
 */
static void split_world(struct test_world *world, size_t nr, uint64_t max, uint64_t *pages)
{
	const struct damon_addr_range all = {0, nr * *pages * TEST_PAGE};

	test_world_init(world);
	world->ctx->attrs.min_nr_regions = 3;
	world->ctx->attrs.max_nr_regions = max;
	world->script.access = by_group;
	world->script.data = pages;
	test_world_start(world, &all, 1);
	put_equal(world->target, nr, *pages);
}

static void up_to_half_of_the_maximum_all_regions_are_split_into_2(void **state)
{
	struct test_world world;
	uint64_t pages = 10;

	/* 10 of at most 20: 20 is not less than 20 / 3, so 2 parts each. */
	split_world(&world, 10, 20, &pages);
	test_world_window(&world);
	assert_int_equal(damon_nr_regions(world.target), 20);
	test_world_free(&world);
}

static void few_unchanged_regions_are_split_into_3(void **state)
{
	struct test_world world;
	uint64_t pages = 1000;

	/* 10 of at most 31, and 10 is less than 31 / 3 = 10? No: 10 is not below 10. */
	split_world(&world, 10, 31, &pages);
	world.ctx->internal->last_nr_regions = 10;
	test_world_window(&world);
	assert_int_equal(damon_nr_regions(world.target), 20);
	test_world_free(&world);

	/* 33 / 3 = 11, and 10 is below; 10 regions become 30. */
	split_world(&world, 10, 33, &pages);
	world.ctx->internal->last_nr_regions = 10;
	test_world_window(&world);
	assert_int_equal(damon_nr_regions(world.target), 30);
	test_world_free(&world);
}

static void few_regions_whose_number_changed_are_split_into_2(void **state)
{
	struct test_world world;
	uint64_t pages = 1000;

	split_world(&world, 10, 33, &pages);
	world.ctx->internal->last_nr_regions = 9;
	test_world_window(&world);
	assert_int_equal(damon_nr_regions(world.target), 20);
	/* They merge to 10 again, as many as before: now 3 parts each. */
	test_world_window(&world);
	assert_int_equal(damon_nr_regions(world.target), 30);
	test_world_free(&world);
}

static void from_the_maximum_on_none_is_split(void **state)
{
	struct test_world world;
	uint64_t pages = 10;

	split_world(&world, 20, 20, &pages);
	test_world_window(&world);
	assert_int_equal(damon_nr_regions(world.target), 20);
	test_world_free(&world);
}

static void above_half_of_the_maximum_every_kth_is_split(void **state)
{
	struct test_world world;
	uint64_t pages = 10;

	/* 15 of at most 20: k = 20 / 5 = 4: regions 0, 4, 8, 12 are split: 19. */
	split_world(&world, 15, 20, &pages);
	test_world_window(&world);
	assert_int_equal(damon_nr_regions(world.target), 19);
	test_world_free(&world);
}

static bool is_split(const struct test_world *world, uint64_t idx, uint64_t pages)
{
	size_t i;

	for (i = 0; i < damon_nr_regions(world->target); i++)
		if (test_region(world->target, i).ar.start == idx * pages * TEST_PAGE)
			return test_region(world->target, i).ar.end !=
			       (idx + 1) * pages * TEST_PAGE;
	return false;
}

static void the_offset_rotates_from_window_to_window(void **state)
{
	struct test_world world;
	uint64_t pages = 10, window, i;

	/* 12 of at most 18: k = 18 / 6 = 3. Window w splits region i where i % 3 == w % 3. */
	split_world(&world, 12, 18, &pages);
	for (window = 0; window < 4; window++) {
		test_world_window(&world);
		for (i = 0; i < 12; i++)
			assert_int_equal(is_split(&world, i, pages), i % 3 == window % 3);
	}
	test_world_free(&world);
}

static void every_kth_counts_on_through_all_targets(void **state)
{
	struct test_world world;
	struct damon_target *second;
	uint64_t pages = 10;

	/*
	 * 7 + 8 = 15 of at most 20, k = 4: numbers 0, 4 of the first target and 8, 12, its 1st and
	 * 5th, of the second.
	 */
	split_world(&world, 7, 20, &pages);
	second = test_world_add_target(&world);
	put_equal(second, 8, pages);
	assert_int_equal(damon_region_table_reserve(&world.port.port, second->regions, 20), 0);
	test_world_window(&world);
	assert_int_equal(damon_nr_regions(world.target), 9);
	assert_int_equal(damon_nr_regions(second), 10);
	assert_true(is_split(&world, 0, pages));
	assert_true(is_split(&world, 4, pages));
	world.target = second;
	assert_true(is_split(&world, 1, pages));
	assert_true(is_split(&world, 5, pages));
	test_world_free(&world);
}

static void splitting_never_exceeds_the_maximum(void **state)
{
	struct test_world world;
	uint64_t pages = 100, max, nr;

	for (max = 3; max <= 40; max++) {
		for (nr = 3; nr <= max; nr++) {
			split_world(&world, (size_t)nr, max, &pages);
			world.ctx->internal->last_nr_regions = nr;
			test_world_window(&world);
			assert_in_range(damon_nr_regions(world.target), nr, max);
			test_world_free(&world);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_are_at_every_whole_tenth_and_nowhere_else),
		cmocka_unit_test(cuts_are_aligned_down_to_the_smallest_size),
		cmocka_unit_test(regions_of_twice_the_smallest_size_are_left_whole),
		cmocka_unit_test(regions_just_above_twice_the_smallest_size_are_split),
		cmocka_unit_test(a_split_into_3_cuts_the_left_part_again),
		cmocka_unit_test(all_parts_inherit_counts_and_age),
		cmocka_unit_test(only_every_kth_region_is_split_from_the_offset_on),
		cmocka_unit_test(the_largest_region_is_split_without_overflow),
		cmocka_unit_test(a_split_that_gets_no_memory_leaves_the_regions),
		cmocka_unit_test(a_split_asks_for_no_more_room_than_it_needs),
		cmocka_unit_test(up_to_half_of_the_maximum_all_regions_are_split_into_2),
		cmocka_unit_test(few_unchanged_regions_are_split_into_3),
		cmocka_unit_test(few_regions_whose_number_changed_are_split_into_2),
		cmocka_unit_test(from_the_maximum_on_none_is_split),
		cmocka_unit_test(above_half_of_the_maximum_every_kth_is_split),
		cmocka_unit_test(the_offset_rotates_from_window_to_window),
		cmocka_unit_test(every_kth_counts_on_through_all_targets),
		cmocka_unit_test(splitting_never_exceeds_the_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
