// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Ageing, merging, cutting to size, and the new window, each on regions set by hand. */
#include <errno.h>
#include <string.h>

#include "core/region.h"
#include "test_port.h"

struct bench {
	struct test_port port;
	struct damon_lib *lib;
	struct damon_target *target;
};

static void setup(struct bench *bench)
{
	test_port_init(&bench->port);
	assert_int_equal(damon_lib_new(&bench->lib, &bench->port.port), 0);
	assert_int_equal(damon_new_target(&bench->target, bench->lib), 0);
}

static void teardown(struct bench *bench)
{
	damon_free_target(bench->target);
	damon_lib_free(bench->lib);
	test_port_free(&bench->port);
}

static const struct damon_merge_rule any_size = {.threshold = 2, .sz_limit = UINT64_MAX};

/* Age. */

static uint32_t aged(const struct damon_region *region, const struct damon_merge_rule *rule)
{
	struct bench bench;
	uint32_t age;

	setup(&bench);
	test_put_regions(bench.target, region, 1);
	damon_regions_age(bench.target->regions, rule);
	age = test_region(bench.target, 0).age;
	teardown(&bench);
	return age;
}

static void age_grows_while_the_frequency_stays_within_the_threshold(void **state)
{
	/* |12 - 10| = 2, which is not more than 2: 5 becomes 6. */
	const struct damon_region up =
		TEST_REGION(0, 1, .nr_accesses = 12, .last_nr_accesses = 10, .age = 5);
	const struct damon_region down =
		TEST_REGION(0, 1, .nr_accesses = 10, .last_nr_accesses = 12, .age = 5);

	assert_int_equal(aged(&up, &any_size), 6);
	assert_int_equal(aged(&down, &any_size), 6);
}

static void age_becomes_0_when_the_frequency_changed_by_more_than_the_threshold(void **state)
{
	/* |13 - 10| = 3 > 2. */
	const struct damon_region up =
		TEST_REGION(0, 1, .nr_accesses = 13, .last_nr_accesses = 10, .age = 5);
	const struct damon_region down =
		TEST_REGION(0, 1, .nr_accesses = 10, .last_nr_accesses = 13, .age = 5);

	assert_int_equal(aged(&up, &any_size), 0);
	assert_int_equal(aged(&down, &any_size), 0);
}

static void age_becomes_0_when_exactly_one_of_the_counts_is_zero(void **state)
{
	/* A difference of 1 is within the threshold, but from or to nothing it counts. */
	const struct damon_region woke =
		TEST_REGION(0, 1, .nr_accesses = 1, .last_nr_accesses = 0, .age = 5);
	const struct damon_region slept =
		TEST_REGION(0, 1, .nr_accesses = 0, .last_nr_accesses = 1, .age = 5);

	assert_int_equal(aged(&woke, &any_size), 0);
	assert_int_equal(aged(&slept, &any_size), 0);
}

static void age_of_idle_memory_grows(void **state)
{
	const struct damon_region idle = TEST_REGION(0, 1, .age = 5);

	assert_int_equal(aged(&idle, &any_size), 6);
}

static void age_saturates(void **state)
{
	const struct damon_region old = TEST_REGION(0, 1, .age = UINT32_MAX);

	assert_int_equal(aged(&old, &any_size), UINT32_MAX);
}

/* Merge. */

static void merge(struct bench *bench, const struct damon_region *regions, size_t nr,
		  const struct damon_merge_rule *rule)
{
	setup(bench);
	test_put_regions(bench->target, regions, nr);
	assert_int_equal(damon_regions_merge(&bench->port.port, bench->target->regions, rule), 0);
}

static void neighbours_within_the_threshold_merge(void **state)
{
	const struct damon_region regions[] = {
		TEST_REGION(0, 1, .nr_accesses = 4),
		TEST_REGION(1, 2, .nr_accesses = 6),
	};
	const struct damon_addr_range merged[] = {TEST_RANGE(0, 2)};
	struct bench bench;

	merge(&bench, regions, 2, &any_size);
	test_expect_ranges(bench.target, merged, 1);
	teardown(&bench);
}

static void neighbours_beyond_the_threshold_stay(void **state)
{
	const struct damon_region regions[] = {
		TEST_REGION(0, 1, .nr_accesses = 4),
		TEST_REGION(1, 2, .nr_accesses = 7),
	};
	struct bench bench;

	merge(&bench, regions, 2, &any_size);
	assert_int_equal(damon_nr_regions(bench.target), 2);
	teardown(&bench);
}

static void regions_that_do_not_touch_stay(void **state)
{
	const struct damon_region regions[] = {TEST_REGION(0, 1), TEST_REGION(2, 3)};
	struct bench bench;

	merge(&bench, regions, 2, &any_size);
	assert_int_equal(damon_nr_regions(bench.target), 2);
	teardown(&bench);
}

static void merge_stops_at_the_size_limit(void **state)
{
	/* Two pages are the limit: pages 1+2, 3+4, and 5 for itself. */
	const struct damon_region regions[] = {TEST_REGION(1, 2), TEST_REGION(2, 3),
					       TEST_REGION(3, 4), TEST_REGION(4, 5),
					       TEST_REGION(5, 6)};
	const struct damon_addr_range merged[] = {TEST_RANGE(1, 3), TEST_RANGE(3, 5),
						  TEST_RANGE(5, 6)};
	const struct damon_merge_rule rule = {.sz_limit = 2 * TEST_PAGE};
	struct bench bench;

	merge(&bench, regions, 5, &rule);
	test_expect_ranges(bench.target, merged, 3);
	teardown(&bench);
}

static void merged_counts_and_ages_are_means_weighted_by_size(void **state)
{
	/*
	 * 1 page and 3 pages: (10 * 1 + 12 * 3) / 4 = 46 / 4 = 11; last (3 * 1 + 8 * 3) / 4 =
	 * 27 / 4 = 6; age (100 * 1 + 20 * 3) / 4 = 160 / 4 = 40; unknown (4 * 1 + 8 * 3) / 4 = 7;
	 * hits (9 * 1 + 2 * 3) / 4 = 15 / 4 = 3.
	 */
	const struct damon_region regions[] = {
		TEST_REGION(0, 1, .nr_accesses = 10, .last_nr_accesses = 3, .age = 100,
			    .nr_unknown = 4, .probe_hits = {9}),
		TEST_REGION(1, 4, .nr_accesses = 12, .last_nr_accesses = 8, .age = 20,
			    .nr_unknown = 8, .probe_hits = {2}),
	};
	const struct damon_merge_rule rule = {
		.threshold = 2, .unknown_threshold = 4, .sz_limit = UINT64_MAX};
	struct damon_region merged;
	struct bench bench;

	merge(&bench, regions, 2, &rule);
	merged = test_region(bench.target, 0);
	assert_int_equal(merged.nr_accesses, 11);
	assert_int_equal(merged.last_nr_accesses, 6);
	assert_int_equal(merged.age, 40);
	assert_int_equal(merged.nr_unknown, 7);
	assert_int_equal(merged.probe_hits[0], 3);
	teardown(&bench);
}

static void a_merged_region_is_compared_with_the_next_by_its_mean(void **state)
{
	/* 4 and 6 become 5 (one page each); 7 is within 2 of 5 though not of 4; 10 isn't. */
	const struct damon_region regions[] = {
		TEST_REGION(0, 1, .nr_accesses = 4),
		TEST_REGION(1, 2, .nr_accesses = 6),
		TEST_REGION(2, 3, .nr_accesses = 7),
		TEST_REGION(3, 4, .nr_accesses = 10),
	};
	const struct damon_addr_range merged[] = {TEST_RANGE(0, 3), TEST_RANGE(3, 4)};
	struct bench bench;

	merge(&bench, regions, 4, &any_size);
	test_expect_ranges(bench.target, merged, 2);
	teardown(&bench);
}

static void unknown_memory_does_not_merge_with_idle_memory(void **state)
{
	/* 20 unknown against 0, where 2 are tolerated. */
	const struct damon_region regions[] = {TEST_REGION(0, 1, .nr_unknown = 20),
					       TEST_REGION(1, 2),
					       TEST_REGION(2, 3, .nr_unknown = 2)};
	const struct damon_addr_range merged[] = {TEST_RANGE(0, 1), TEST_RANGE(1, 3)};
	const struct damon_merge_rule rule = {.unknown_threshold = 2, .sz_limit = UINT64_MAX};
	struct bench bench;

	merge(&bench, regions, 3, &rule);
	test_expect_ranges(bench.target, merged, 2);
	teardown(&bench);
}

static void means_of_the_largest_counts_and_sizes_do_not_overflow(void **state)
{
	/* Sizes 2^63 and 2^63 - 1, counts 2^32 - 1 and 2^32 - 3: the mean is 2^32 - 2 (rounded down). */
	const struct damon_region regions[] = {
		{.ar = {0, 1ULL << 63}, .nr_accesses = UINT32_MAX, .age = UINT32_MAX},
		{.ar = {1ULL << 63, UINT64_MAX}, .nr_accesses = UINT32_MAX - 2, .age = 0},
	};
	struct damon_region merged;
	struct bench bench;

	merge(&bench, regions, 2, &any_size);
	assert_int_equal(damon_nr_regions(bench.target), 1);
	merged = test_region(bench.target, 0);
	assert_int_equal(merged.ar.end, UINT64_MAX);
	assert_int_equal(merged.nr_accesses, UINT32_MAX - 1);
	/* (2^32 - 1) * 2^63 / (2^64 - 1) = 2^31 - 1/2 and a little: 2147483647. */
	assert_int_equal(merged.age, 2147483647);
	teardown(&bench);
}

static void merging_nothing_is_no_error(void **state)
{
	struct bench bench;

	setup(&bench);
	assert_int_equal(damon_regions_merge(&bench.port.port, bench.target->regions, &any_size),
			 0);
	assert_int_equal(damon_nr_regions(bench.target), 0);
	teardown(&bench);
}

/* The size limit. */

static void larger_regions_are_cut_to_the_limit(void **state)
{
	/* 5 pages by 2: 2, 2, 1; each with the counts of the whole. 2 pages stay. */
	const struct damon_region regions[] = {
		TEST_REGION(0, 5, .nr_accesses = 7, .last_nr_accesses = 6, .age = 3,
			    .nr_unknown = 1, .probe_hits = {0, 4}),
		TEST_REGION(5, 7, .nr_accesses = 1),
	};
	const struct damon_addr_range cut[] = {TEST_RANGE(0, 2), TEST_RANGE(2, 4), TEST_RANGE(4, 5),
					       TEST_RANGE(5, 7)};
	struct damon_region part;
	struct bench bench;
	size_t i;

	setup(&bench);
	test_put_regions(bench.target, regions, 2);
	assert_int_equal(damon_regions_cut(&bench.port.port, bench.target->regions, 2 * TEST_PAGE),
			 0);
	test_expect_ranges(bench.target, cut, 4);
	for (i = 0; i < 3; i++) {
		part = test_region(bench.target, i);
		assert_int_equal(part.nr_accesses, 7);
		assert_int_equal(part.last_nr_accesses, 6);
		assert_int_equal(part.age, 3);
		assert_int_equal(part.nr_unknown, 1);
		assert_int_equal(part.probe_hits[1], 4);
	}
	assert_int_equal(test_region(bench.target, 3).nr_accesses, 1);
	teardown(&bench);
}

static void the_largest_region_is_cut_without_overflow(void **state)
{
	/* 2^64 - 1 bytes by 2^62: three whole parts and one that is a byte short. */
	const struct damon_region all = {.ar = {0, UINT64_MAX}};
	const struct damon_addr_range cut[] = {
		{0, 1ULL << 62},
		{1ULL << 62, 2ULL << 62},
		{2ULL << 62, 3ULL << 62},
		{3ULL << 62, UINT64_MAX},
	};
	struct bench bench;

	setup(&bench);
	test_put_regions(bench.target, &all, 1);
	assert_int_equal(damon_regions_cut(&bench.port.port, bench.target->regions, 1ULL << 62), 0);
	test_expect_ranges(bench.target, cut, 4);
	teardown(&bench);
}

static void a_cut_that_gets_no_memory_leaves_the_regions(void **state)
{
	const struct damon_region all = TEST_REGION(0, 1000, .nr_accesses = 7, .age = 3);
	struct damon_region left;
	struct bench bench;

	setup(&bench);
	test_put_regions(bench.target, &all, 1);
	test_port_fail_at(&bench.port, 1);
	assert_int_equal(damon_regions_cut(&bench.port.port, bench.target->regions, TEST_PAGE),
			 -ENOMEM);
	assert_int_equal(damon_nr_regions(bench.target), 1);
	left = test_region(bench.target, 0);
	assert_int_equal(left.ar.end, 1000 * TEST_PAGE);
	assert_int_equal(left.nr_accesses, 7);
	assert_int_equal(left.age, 3);
	teardown(&bench);
}

static void more_parts_than_memory_can_hold_are_refused(void **state)
{
	/* 2^64 - 1 parts of one byte. */
	const struct damon_region all = {.ar = {0, UINT64_MAX}};
	struct bench bench;

	setup(&bench);
	test_put_regions(bench.target, &all, 1);
	assert_int_equal(damon_regions_cut(&bench.port.port, bench.target->regions, 1), -ENOMEM);
	assert_int_equal(damon_nr_regions(bench.target), 1);
	teardown(&bench);
}

/* The new window. */

static void a_new_window_moves_counts_to_last_and_starts_from_zero(void **state)
{
	const struct damon_region region = TEST_REGION(0, 1, .nr_accesses = 9,
						       .last_nr_accesses = 2, .age = 4,
						       .nr_unknown = 3, .probe_hits = {1, 2, 3, 4});
	const struct damon_merge_rule rule = {0};
	struct damon_region now;
	struct bench bench;
	int i;

	setup(&bench);
	test_put_regions(bench.target, &region, 1);
	damon_regions_reset(bench.target->regions, &rule);
	now = test_region(bench.target, 0);
	assert_int_equal(now.nr_accesses, 0);
	assert_int_equal(now.last_nr_accesses, 9);
	assert_int_equal(now.age, 4);
	assert_int_equal(now.nr_unknown, 0);
	for (i = 0; i < DAMON_MAX_PROBES; i++)
		assert_int_equal(now.probe_hits[i], 0);
	teardown(&bench);
}

/* Numbers. */

static void alignment_saturates_at_the_last_multiple(void **state)
{
	assert_int_equal(damon_align_up(1, 4096), 4096);
	assert_int_equal(damon_align_up(4096, 4096), 4096);
	assert_int_equal(damon_align_up(0, 4096), 0);
	assert_int_equal(damon_align_up(UINT64_MAX, 4096), UINT64_MAX - 4095);
	assert_int_equal(damon_align_down(4097, 4096), 4096);
}

static void random_numbers_are_those_of_the_published_generator(void **state)
{
	/*
	 * xoshiro256** by its definition, from the state 1, 2, 3, 4:
	 * 1st: rotl(2 * 5, 7) * 9 = 1280 * 9 = 11520; then s1 = 1 ^ 2 ^ 3 = 0, so the
	 * 2nd: 0; state is then s0 = 1 ^ 2 ^ 4 = 7, s1 = 0, s2 = (3 ^ 1) ^ (2 << 17) = 262146,
	 * s3 = rotl(2 ^ 4, 45) = 6 * 2^45, so s1 becomes s1 ^ s2 ^ s0 = 262146 ^ 7 = 262149 and the
	 * 3rd: rotl(262149 * 5, 7) * 9 = 1310745 * 128 * 9 = 1509978240.
	 */
	struct damon_rng rng = {.state = {1, 2, 3, 4}};

	assert_int_equal(damon_rng_next(&rng), 11520);
	assert_int_equal(damon_rng_next(&rng), 0);
	assert_int_equal(damon_rng_next(&rng), 1509978240);
}

static void the_seed_decides_the_numbers(void **state)
{
	struct damon_rng one, same, other;

	damon_rng_seed(&one, 5);
	damon_rng_seed(&same, 5);
	damon_rng_seed(&other, 6);
	assert_memory_equal(&one, &same, sizeof(one));
	assert_memory_not_equal(&one, &other, sizeof(one));
	/* SplitMix64's first number from the seed 0, as its author publishes it. */
	damon_rng_seed(&one, 0);
	assert_int_equal(one.state[0], 0xe220a8397b1dcdafULL);
}

static void random_ranges_are_half_open_and_cover_everything(void **state)
{
	unsigned int seen[5] = {0}, i;
	struct damon_rng rng;
	uint64_t number;

	damon_rng_seed(&rng, 1);
	for (i = 0; i < 5000; i++) {
		number = damon_rng_range(&rng, 10, 15);
		assert_in_range(number, 10, 14);
		seen[number - 10]++;
	}
	/* 1,000 are expected of each; the standard deviation is sqrt(5000 * .2 * .8) = 28. */
	for (i = 0; i < 5; i++)
		assert_in_range(seen[i], 1000 - 6 * 28, 1000 + 6 * 28);
	assert_int_equal(damon_rng_range(&rng, 7, 7), 7);
	assert_int_equal(damon_rng_range(&rng, 7, 3), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(age_grows_while_the_frequency_stays_within_the_threshold),
		cmocka_unit_test(
			age_becomes_0_when_the_frequency_changed_by_more_than_the_threshold),
		cmocka_unit_test(age_becomes_0_when_exactly_one_of_the_counts_is_zero),
		cmocka_unit_test(age_of_idle_memory_grows),
		cmocka_unit_test(age_saturates),
		cmocka_unit_test(neighbours_within_the_threshold_merge),
		cmocka_unit_test(neighbours_beyond_the_threshold_stay),
		cmocka_unit_test(regions_that_do_not_touch_stay),
		cmocka_unit_test(merge_stops_at_the_size_limit),
		cmocka_unit_test(merged_counts_and_ages_are_means_weighted_by_size),
		cmocka_unit_test(a_merged_region_is_compared_with_the_next_by_its_mean),
		cmocka_unit_test(unknown_memory_does_not_merge_with_idle_memory),
		cmocka_unit_test(means_of_the_largest_counts_and_sizes_do_not_overflow),
		cmocka_unit_test(merging_nothing_is_no_error),
		cmocka_unit_test(larger_regions_are_cut_to_the_limit),
		cmocka_unit_test(the_largest_region_is_cut_without_overflow),
		cmocka_unit_test(a_cut_that_gets_no_memory_leaves_the_regions),
		cmocka_unit_test(more_parts_than_memory_can_hold_are_refused),
		cmocka_unit_test(a_new_window_moves_counts_to_last_and_starts_from_zero),
		cmocka_unit_test(alignment_saturates_at_the_last_multiple),
		cmocka_unit_test(random_numbers_are_those_of_the_published_generator),
		cmocka_unit_test(the_seed_decides_the_numbers),
		cmocka_unit_test(random_ranges_are_half_open_and_cover_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
