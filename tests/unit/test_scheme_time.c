// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Quotas of time: processor time as bytes, measured again within a window. Numbers worked out by hand. */
#include <stdio.h>

#include "scheme_fixture.h"

static void put(struct scheme_world *w, const struct damon_region *regions, size_t nr)
{
	test_put_regions(w->world.target, regions, nr);
}

static void time_counts_as_1024_pages_a_millisecond_until_it_is_measured(void **state)
{
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	scheme = scheme_add(&w, DAMOS_PAGEOUT);
	scheme->quota.ms = 10;
	scheme_world_start(&w);
	w.cpu_ns_per_page = 20000; /* 50 pages a millisecond */
	scheme_pass(&w, 0);
	assert_int_equal(scheme->quota.esz, 10 * 1024 * TEST_PAGE);
	/* More wasn't possible in 10 ms. */
	assert_int_equal(scheme->stat.sz_tried, 500 * TEST_PAGE);
	scheme_pass(&w, 1000);
	assert_int_equal(scheme->quota.esz, 500 * TEST_PAGE);
	assert_int_equal(scheme->stat.sz_tried, 1000 * TEST_PAGE);
	test_world_free(&w.world);
}

/* A scheme with 1 ms for 1,000 pages in one region, whose speed so far was 1 us a page. */
static struct damos *timed_scheme(struct scheme_world *w)
{
	const struct damon_region region = TEST_REGION(0, 1000);
	struct damos *scheme;

	scheme_world_init(w);
	scheme = scheme_add(w, DAMOS_PAGEOUT);
	scheme->quota.ms = 1;
	scheme->quota_state.timed_sz = 1000 * TEST_PAGE;
	scheme->quota_state.timed_ns = 1000000;
	scheme_world_start(w);
	put(w, &region, 1);
	w->cpu_ns_per_page = 1000;
	return scheme;
}

/*
 * Pages take twice as long from 512 on. A step is a quarter of the time left, at the speed in this window so
 * far, and ends at an address as round as it is large:
 *	spent  left/4  pages  to         spent  left/4  pages  to
 *	    0     250  250.0  128          768      58   48.3  672
 *	  128     218  218.0  256          832      42   33.9  704
 *	  256     186  186.0  384          896     (31)  24.6  720	1/32 of the whole at least
 *	  384     154  154.0  512          928     (31)  24.2  736
 *	  512     122  122.0  576          960     (31)  24.0  752
 *	  640      90   81.0  640          992      (8)   6.1  756	all that is left
 * so 512 + 2 * 244 = 1,000 us.
 */
static void time_that_is_used_up_ends_a_window_before_its_bytes(void **state)
{
	struct scheme_world w;
	struct damos *scheme = timed_scheme(&w);

	w.slow_page = 512;
	w.slow_times = 2;
	scheme_pass(&w, 0);
	assert_int_equal(scheme->quota.esz, 1000 * TEST_PAGE);
	EXPECT_DONE(&w, TEST_RANGE(0, 128), TEST_RANGE(128, 256), TEST_RANGE(256, 384),
		    TEST_RANGE(384, 512), TEST_RANGE(512, 576), TEST_RANGE(576, 640),
		    TEST_RANGE(640, 672), TEST_RANGE(672, 704), TEST_RANGE(704, 720),
		    TEST_RANGE(720, 736), TEST_RANGE(736, 752), TEST_RANGE(752, 756));
	assert_int_equal(scheme->quota_state.spent_ns, 1000000);
	assert_int_equal(scheme->stat.nr_tried, 1);
	assert_int_equal(scheme->stat.sz_tried, 756 * TEST_PAGE);
	/* The rest of the region keeps its age. */
	assert_int_equal(damon_nr_regions(w.world.target), 2);
	scheme_pass(&w, 500);
	assert_int_equal(w.nr_done, 0);
	scheme_pass(&w, 500);
	assert_int_equal(scheme->stat.qt_exceeds, 1);
	/* (1,000 + 756) pages in 2 ms so far; it goes on behind the last one, to the end in 488 us. */
	assert_int_equal(scheme->quota.esz, 878 * TEST_PAGE);
	assert_int_equal(w.done[0].start, 756 * TEST_PAGE);
	assert_int_equal(scheme->stat.sz_tried, 1000 * TEST_PAGE);
	assert_int_equal(scheme->quota_state.spent_ns, 488000);
	test_world_free(&w.world);
}

/* What a window spends of its 1,000 us when pages take @times as long from @page on, at most. */
static uint64_t most_spent(uint64_t times)
{
	uint64_t page, most = 0;

	for (page = 1; page < 1000; page++) {
		struct scheme_world w;
		struct damos *scheme = timed_scheme(&w);

		w.slow_page = page;
		w.slow_times = times;
		scheme_pass(&w, 0);
		assert_true(scheme->quota_state.spent_ns >= 1000000);
		if (scheme->quota_state.spent_ns > most)
			most = scheme->quota_state.spent_ns;
		test_world_free(&w.world);
	}
	print_message("# %llu times as slow: at most %.3f of the quota\n",
		      (unsigned long long)times, (double)most / 1e6);
	return most;
}

/* Wherever in the window that happens. */
static void a_sudden_loss_of_speed_exceeds_the_time_by_a_last_step_only(void **state)
{
	assert_in_range(most_spent(2), 1000000, 1000000 + 1000000 / 32);
	assert_in_range(most_spent(4), 1000000, 1000000 + 3 * 1000000 / 32);
}

static void regions_smaller_than_a_step_are_taken_whole(void **state)
{
	struct damon_region regions[50];
	struct scheme_world w;
	struct damos *scheme = timed_scheme(&w);
	size_t i;

	for (i = 0; i < TEST_COUNT(regions); i++)
		regions[i] = (struct damon_region)TEST_REGION(20 * i, 20 * i + 10);
	put(&w, regions, TEST_COUNT(regions));
	w.cpu_ns_per_page = 4000;
	scheme_pass(&w, 0);
	/* A quarter of what is left is 40 us or more as long as 160 us are left. */
	for (i = 0; i < 22; i++)
		assert_int_equal(w.done[i].end - w.done[i].start, 10 * TEST_PAGE);
	assert_int_equal(w.done[22].end - w.done[22].start, 4 * TEST_PAGE);
	assert_int_equal(scheme->stat.nr_tried, 25);
	assert_int_equal(scheme->quota_state.spent_ns, 1000000);
	assert_int_equal(damon_nr_regions(w.world.target), 50);
	test_world_free(&w.world);
}

/* Where the clock stands still there are no steps either. */
static void virtual_time_leaves_regions_whole(void **state)
{
	struct scheme_world w;
	struct damos *scheme = timed_scheme(&w);

	w.cpu_ns = w.cpu_ns_per_page = 0;
	scheme->quota_state.timed_sz = scheme->quota_state.timed_ns = 0;
	scheme_pass(&w, 0);
	EXPECT_DONE(&w, TEST_RANGE(0, 1000));
	scheme_pass(&w, 1000);
	EXPECT_DONE(&w, TEST_RANGE(0, 1000));
	test_world_free(&w.world);
}

static void time_allows_one_smallest_region_at_least(void **state)
{
	struct scheme_world w;
	struct damos *scheme;

	scheme_world_init(&w);
	scheme = scheme_add(&w, DAMOS_PAGEOUT);
	scheme->quota.ms = 1;
	scheme_world_start(&w);
	w.cpu_ns_per_page = 3000000; /* a third of a page */
	scheme_pass(&w, 0);
	scheme_pass(&w, 1000);
	assert_int_equal(scheme->quota.esz, TEST_PAGE);
	test_world_free(&w.world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_counts_as_1024_pages_a_millisecond_until_it_is_measured),
		cmocka_unit_test(time_that_is_used_up_ends_a_window_before_its_bytes),
		cmocka_unit_test(a_sudden_loss_of_speed_exceeds_the_time_by_a_last_step_only),
		cmocka_unit_test(regions_smaller_than_a_step_are_taken_whole),
		cmocka_unit_test(virtual_time_leaves_regions_whole),
		cmocka_unit_test(time_allows_one_smallest_region_at_least),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
