/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Looking less often at steady regions: who is looked at when, and what is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ops/thrift.h"

#define NR     8
#define WINDOW 20

static struct damon_addr_range ranges[NR];
static uint64_t samples[NR];
static uint32_t access[NR], counts[NR], looks[NR];
static size_t nr_asked;
static uint32_t steady_mask;

static struct damon_batch batch = {
	.nr = NR, .ranges = ranges, .sampling_addrs = samples, .access = access};

static bool is_steady(void *data, size_t idx)
{
	nr_asked++;
	return steady_mask >> idx & 1;
}

/* An answer for each region and sampling interval. */
typedef uint32_t answer_of(size_t region, uint32_t interval);

static uint32_t always(size_t region, uint32_t interval)
{
	return 1;
}

/* Region 0 stops being used in the middle of the window; region 1 is unknown; the rest is in use. */
static uint32_t changing(size_t region, uint32_t interval)
{
	if (region == 1)
		return DAMON_ACCESS_UNKNOWN;
	return region != 0 || interval < WINDOW / 2;
}

static void one_interval(struct thrift *thrift, uint32_t interval, answer_of *answer)
{
	size_t i, region;

	for (i = 0; i < NR; i++)
		samples[i] = ranges[i].start + interval;
	assert_int_equal(thrift_pick(thrift, &batch, is_steady, NULL), 0);
	for (i = 0; i < thrift->nr_due; i++) {
		region = (size_t)(thrift->addrs[i] >> 12);
		assert_true(region < NR);
		assert_int_equal(thrift->addrs[i], samples[region]);
		assert_true(!i || thrift->addrs[i] > thrift->addrs[i - 1]);
		thrift->answers[i] = answer(region, interval);
		looks[region]++;
	}
	thrift_spread(thrift, &batch);
	for (i = 0; i < NR; i++)
		counts[i] += access[i] == DAMON_ACCESS_UNKNOWN ? 0 : access[i];
}

static void one_window(struct thrift *thrift, answer_of *answer)
{
	uint32_t interval;

	memset(looks, 0, sizeof(looks));
	memset(counts, 0, sizeof(counts));
	for (interval = 0; interval < WINDOW; interval++)
		one_interval(thrift, interval, answer);
	thrift_end_window(thrift);
}

static int set_up(void **state)
{
	size_t i;

	for (i = 0; i < NR; i++)
		ranges[i] = (struct damon_addr_range){i << 12, (i + 1) << 12};
	steady_mask = 0;
	nr_asked = 0;
	return 0;
}

static void without_steady_regions_all_are_looked_at(void **state)
{
	struct thrift thrift = {};
	size_t i;

	one_window(&thrift, always);
	for (i = 0; i < NR; i++)
		assert_int_equal(looks[i], WINDOW);
	thrift_clear(&thrift);
}

static void steady_regions_are_looked_at_each_fourth_time_and_count_fully(void **state)
{
	struct thrift thrift = {};
	size_t i;

	steady_mask = 0x3f;
	one_window(&thrift, always);
	for (i = 0; i < NR; i++) {
		assert_int_equal(counts[i], WINDOW);
		/* Once more at the begin, when it wasn't their turn. */
		assert_in_range(looks[i], i < 6 ? 5 : WINDOW, i < 6 ? 6 : WINDOW);
	}
	thrift_clear(&thrift);
}

/* So that each interval costs about the same. */
static void their_turns_are_spread_evenly(void **state)
{
	struct thrift thrift = {};
	uint32_t interval;

	steady_mask = 0xff;
	for (interval = 0; interval < 9; interval++) {
		one_interval(&thrift, interval, always);
		assert_int_equal(thrift.nr_due, interval ? NR / THRIFT_EVERY : NR);
	}
	thrift_clear(&thrift);
}

static void a_change_shows_within_three_intervals(void **state)
{
	struct thrift thrift = {};

	steady_mask = 0x3;
	one_window(&thrift, changing);
	assert_in_range(counts[0], WINDOW / 2, WINDOW / 2 + THRIFT_EVERY - 1);
	/* Unknown is held like everything else. */
	assert_int_equal(counts[1], 0);
	assert_int_equal(counts[2], WINDOW);
	thrift_clear(&thrift);
}

static void is_asked_anew_in_each_window(void **state)
{
	struct thrift thrift = {};

	steady_mask = 0xff;
	one_window(&thrift, always);
	assert_int_equal(nr_asked, NR);
	steady_mask = 0;
	one_window(&thrift, always);
	assert_int_equal(nr_asked, 2 * NR);
	assert_int_equal(looks[0], WINDOW);
	thrift_clear(&thrift);
}

/* An answer held for other addresses would be a false claim. */
static void changed_ranges_are_all_looked_at(void **state)
{
	struct thrift thrift = {};

	steady_mask = 0xff;
	one_interval(&thrift, 0, always);
	one_interval(&thrift, 1, always);
	assert_int_equal(thrift.nr_due, NR / THRIFT_EVERY);
	ranges[3].end -= 8;
	one_interval(&thrift, 2, always);
	assert_int_equal(thrift.nr_due, NR);
	batch.nr = NR - 1;
	one_interval(&thrift, 3, always);
	assert_int_equal(thrift.nr_due, NR - 1);
	batch.nr = NR;
	thrift_clear(&thrift);
}

/* Half of the time in use: fewer samples, but the same expectation. */
static uint32_t half(size_t region, uint32_t interval)
{
	static uint64_t random = 1;

	random = random * 6364136223846793005ULL + 1442695040888963407ULL;
	return random >> 63;
}

static void counts_stay_unbiased(void **state)
{
	struct thrift thrift = {};
	uint64_t sum = 0;
	size_t i, window;

	steady_mask = 0xff;
	for (window = 0; window < 500; window++) {
		one_window(&thrift, half);
		for (i = 0; i < NR; i++)
			sum += counts[i];
	}
	/* 4,000 counts of mean 10 and standard deviation of at most 4.5: 5 times that of their mean. */
	assert_in_range(sum, (uint64_t)(4000 * 9.64), (uint64_t)(4000 * 10.36));
	thrift_clear(&thrift);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(without_steady_regions_all_are_looked_at, set_up),
		cmocka_unit_test_setup(
			steady_regions_are_looked_at_each_fourth_time_and_count_fully, set_up),
		cmocka_unit_test_setup(their_turns_are_spread_evenly, set_up),
		cmocka_unit_test_setup(a_change_shows_within_three_intervals, set_up),
		cmocka_unit_test_setup(is_asked_anew_in_each_window, set_up),
		cmocka_unit_test_setup(changed_ranges_are_all_looked_at, set_up),
		cmocka_unit_test_setup(counts_stay_unbiased, set_up),
	};

	return cmocka_run_group_tests_name("thrift", tests, NULL, NULL);
}
