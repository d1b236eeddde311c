/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Comparing regions with pages: what counts as hot, what is left out, which region is worst.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ops/accuracy.h"

#define LEVEL_5	 0
#define LEVEL_50 3

static struct damon_region region(uint64_t start, uint64_t end, uint32_t nr_accesses,
				  uint32_t nr_unknown)
{
	return (struct damon_region){
		.ar = {start, end}, .nr_accesses = nr_accesses, .nr_unknown = nr_unknown};
}

static void assert_hot(const struct accuracy_hot *hot, uint64_t found, uint64_t truth,
		       uint64_t both)
{
	assert_int_equal(hot->found, found);
	assert_int_equal(hot->truth, truth);
	assert_int_equal(hot->both, both);
}

static void levels_ask_for_at_least_one_access(void **state)
{
	assert_int_equal(accuracy_needed(5, 20), 1);
	assert_int_equal(accuracy_needed(5, 4), 1);
	assert_int_equal(accuracy_needed(0, 20), 1);
	assert_int_equal(accuracy_needed(50, 5), 3);
	assert_int_equal(accuracy_needed(100, 20), 20);
}

/* Two regions, pages across their border, and a hole in the second one. */
static void bytes_are_compared_page_by_page(void **state)
{
	const struct damon_region regions[] = {region(0, 100, 0, 0), region(100, 200, 10, 0)};
	const struct accuracy_run runs[] = {{{0, 80}, 0}, {{80, 150}, 10}, {{150, 180}, 1}};
	const struct accuracy_window window = {20, 2, regions, 3, runs};
	struct accuracy accuracy = {};

	accuracy_add(&accuracy, &window);
	assert_hot(&accuracy.hot[LEVEL_50], 100, 70, 50);
	assert_hot(&accuracy.hot[LEVEL_5], 100, 100, 80);
	assert_hot(&accuracy.touched, 100, 100, 80);
	assert_true(accuracy_precision(&accuracy.hot[LEVEL_50]) == 0.5);
	assert_true(accuracy.wss_error == 0);
	assert_int_equal(accuracy.windows, 1);
}

static void pages_nobody_knows_count_on_neither_side(void **state)
{
	const struct damon_region regions[] = {region(0, 100, 20, 0)};
	const struct accuracy_run runs[] = {{{0, 40}, 20}, {{40, 100}, -1}};
	const struct accuracy_window window = {20, 1, regions, 2, runs};
	struct accuracy accuracy = {};

	accuracy_add(&accuracy, &window);
	assert_hot(&accuracy.hot[LEVEL_50], 40, 40, 40);
}

static void hot_memory_unknown_to_the_samples_is_told_apart(void **state)
{
	const struct damon_region regions[] = {region(0, 100, 0, 20), region(100, 200, 0, 19)};
	const struct accuracy_run runs[] = {{{0, 200}, 20}};
	const struct accuracy_window window = {20, 2, regions, 1, runs};
	struct accuracy accuracy = {};

	accuracy_add(&accuracy, &window);
	assert_hot(&accuracy.hot[LEVEL_50], 0, 200, 0);
	assert_int_equal(accuracy.hot[LEVEL_50].unknown, 100);
	assert_true(accuracy_precision(&accuracy.hot[LEVEL_50]) == -1);
	assert_true(accuracy_recall(&accuracy.hot[LEVEL_50]) == 0);
}

static void errors_of_windows_do_not_make_up_for_each_other(void **state)
{
	const struct damon_region regions[] = {region(0, 100, 1, 0)};
	const struct accuracy_run little[] = {{{0, 50}, 1}}, much[] = {{{0, 200}, 1}};
	const struct accuracy_window over = {20, 1, regions, 1, little};
	const struct damon_region wide[] = {region(0, 100, 1, 0), region(100, 200, 0, 0)};
	const struct accuracy_window under = {20, 2, wide, 1, much};
	struct accuracy accuracy = {};

	accuracy_add(&accuracy, &over);
	accuracy_add(&accuracy, &under);
	assert_true(accuracy.wss_error == 1.5);
}

static void the_worst_regions_come_first(void **state)
{
	const struct damon_region regions[] = {region(0, 100, 20, 0), region(100, 200, 0, 0),
					       region(200, 1000, 1, 0), region(1000, 1100, 5, 0)};
	const struct accuracy_run runs[] = {{{0, 100}, 20}, {{100, 200}, 20}, {{1000, 1100}, -1}};
	const struct accuracy_window window = {20, 4, regions, 3, runs};
	struct accuracy_region worst[3];

	assert_int_equal(accuracy_worst(&window, worst, 3), 2);
	assert_int_equal(worst[0].ar.start, 100);
	assert_true(worst[0].found == 0 && worst[0].truth == 1);
	assert_int_equal(worst[1].ar.start, 200);
	assert_int_equal(accuracy_worst(&window, worst, 1), 1);
	assert_int_equal(worst[0].ar.start, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_ask_for_at_least_one_access),
		cmocka_unit_test(bytes_are_compared_page_by_page),
		cmocka_unit_test(pages_nobody_knows_count_on_neither_side),
		cmocka_unit_test(hot_memory_unknown_to_the_samples_is_told_apart),
		cmocka_unit_test(errors_of_windows_do_not_make_up_for_each_other),
		cmocka_unit_test(the_worst_regions_come_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
