/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Are the figures of udamon verify true? Both engines on a process whose pattern is known: what the
 * comparison says of "point" must be what the pattern itself says of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "live.h"
#include "ops/accuracy.h"

/* What is asked of the figures: within two points. At 100 % a single late touch would count. */
#define POINTS	      2.0
#define MOST_LEVEL    75
#define WINDOWS	      30
#define EARLY	      10 /* of these, not judged: the regions find their places */
#define MAX_RUNS      20000
#define LEAST_UNKNOWN 95.0

static struct live_monitor monitor;
static struct live_target target;

/* By scan, and by what the target declares. The kdamond's until it has stopped. */
static struct accuracy by_scan, by_pattern;
static struct damon_region regions[LIVE_MAX_REGIONS];
static struct accuracy_run runs[MAX_RUNS];
static size_t nr_runs;
static unsigned int nr_windows;

static bool inside(uint64_t addr)
{
	return addr >= target.parts[0].start && addr < target.parts[target.nr_parts - 1].end;
}

static int add_run(void *data, uint64_t start, uint64_t end, uint64_t page_size, int32_t touched,
		   uint32_t samples)
{
	if (inside(start) && nr_runs < MAX_RUNS)
		runs[nr_runs++] = (struct accuracy_run){{start, end}, touched};
	return 0;
}

/* The target says nothing of its stack and libraries, so they are left out. */
static size_t take_regions(struct damon_ctx *ctx)
{
	uint64_t start = target.parts[0].start, end = target.parts[target.nr_parts - 1].end;
	size_t nr = damon_nr_regions(ctx->targets[0]), used = 0, i;

	for (i = 0; i < nr && used < LIVE_MAX_REGIONS; i++) {
		struct damon_region *region = &regions[used];

		damon_get_region(ctx, ctx->targets[0], i, region);
		if (region->ar.start < start)
			region->ar.start = start;
		if (region->ar.end > end)
			region->ar.end = end;
		used += region->ar.start < region->ar.end;
	}
	return used;
}

static void compare(struct damon_ctx *ctx, const struct damon_window *window)
{
	struct accuracy_run declared[LIVE_MAX_PARTS];
	struct accuracy_window judged = {.nr_samples = window->nr_samples, .regions = regions};
	size_t i;

	if (nr_windows++ < EARLY)
		return;
	nr_runs = 0;
	damon_vaddr_page_heat(ctx, ctx->targets[0], add_run, NULL);
	judged.nr_regions = take_regions(ctx);
	judged.runs = runs;
	judged.nr_runs = nr_runs;
	accuracy_add(&by_scan, &judged);
	for (i = 0; i < target.nr_parts; i++)
		declared[i] = (struct accuracy_run){
			{target.parts[i].start, target.parts[i].end},
			target.parts[i].hot ? (int32_t)window->nr_samples : 0};
	judged.runs = declared;
	judged.nr_runs = target.nr_parts;
	accuracy_add(&by_pattern, &judged);
}

static int stop_all(void **state)
{
	live_monitor_stop(&monitor);
	live_target_stop(&target);
	return 0;
}

static void watch(const char *options)
{
	by_scan = by_pattern = (struct accuracy){};
	nr_windows = 0;
	live_target_start(&target, options);
	live_monitor_watch(&monitor, &target, 1);
	assert_true(live_monitor_windows(&monitor, WINDOWS));
	damon_stop(&monitor.ctx, 1);
	assert_true(nr_runs < MAX_RUNS);
}

static void assert_near(const char *what, uint32_t level, double got, double truth)
{
	if (got < truth - POINTS / 100 || got > truth + POINTS / 100)
		fail_msg("%s at %u %%: expected %.1f %% (by the pattern), got %.1f %%", what, level,
			 truth * 100, got * 100);
}

static void assert_figures_true(void)
{
	size_t i;

	for (i = 0; accuracy_levels[i] <= MOST_LEVEL; i++) {
		const struct accuracy_hot *got = &by_scan.hot[i], *truth = &by_pattern.hot[i];

		print_message("# from %u %%: precision %.1f %%, recall %.1f %%; by the pattern "
			      "%.1f %%, %.1f %%\n",
			      accuracy_levels[i], accuracy_precision(got) * 100,
			      accuracy_recall(got) * 100, accuracy_precision(truth) * 100,
			      accuracy_recall(truth) * 100);
		assert_near("precision", accuracy_levels[i], accuracy_precision(got),
			    accuracy_precision(truth));
		assert_near("recall", accuracy_levels[i], accuracy_recall(got),
			    accuracy_recall(truth));
		assert_near("hot bytes", accuracy_levels[i],
			    (double)got->truth / (double)truth->truth, 1);
	}
	assert_near("working-set error", 0, by_scan.wss_error / (double)by_scan.windows,
		    by_pattern.wss_error / (double)by_pattern.windows);
}

static void figures_are_true_of_written_memory(void **state)
{
	watch("--cold 96 --hot 16");
	assert_figures_true();
}

/* So small that the regions find it badly: bad figures must be as true as good ones. */
static void figures_are_true_of_a_small_part(void **state)
{
	watch("--cold 126 --hot 2 --read");
	assert_figures_true();
}

static void figures_are_true_of_huge_pages(void **state)
{
	watch("--cold 96 --hot 32 --huge");
	assert_figures_true();
}

/*
 * "point" alone can't clear pages of two processes. That "scan" clears them must not make them known
 * to it.
 */
static void point_knows_no_more_than_alone(void **state)
{
	struct live_score score;

	watch("--cold 48 --hot 16 --with-child");
	live_score(&monitor, 0, &target, &score);
	/* "scan" knows all of it. */
	assert_near("hot bytes", 50, (double)by_scan.hot[3].truth / (double)by_pattern.hot[3].truth,
		    1);
	if (score.unknown < LEAST_UNKNOWN)
		fail_msg("expected at least %.0f %% unknown to point, got %.1f %%", LEAST_UNKNOWN,
			 score.unknown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(figures_are_true_of_written_memory, stop_all),
		cmocka_unit_test_teardown(figures_are_true_of_a_small_part, stop_all),
		cmocka_unit_test_teardown(figures_are_true_of_huge_pages, stop_all),
		cmocka_unit_test_teardown(point_knows_no_more_than_alone, stop_all),
	};

	if (live_skip_all(512))
		return 0;
	live_way = (struct live_way){
		.engine = "both", .sample_us = 20000, .aggr_us = 200000, .window = compare};
	live_choose_tests();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
