/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The engine scan on processes that change while they are watched: mappings come and go, huge
 * pages collapse and are split, they fork, exec, and are killed in the middle of it.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "access/scan_internal.h"
#include "live.h"

#define SAMPLE_US 20000
#define AGGR_US	  200000
#define MIB	  (1ULL << 20)

#define GOOD_BYTES 95.0
#define SECONDS	   20
#define KILLS	   20
/* A processor runs ahead past the end of a loop, and marks a few pages there. */
#define MOST_WRONG (16ULL * 4096)

static struct live_monitor monitor;
static struct live_target target;
static bool churning;

/* Bytes of idle parts that were called touched in the last window. */
static uint64_t wrongly_hot;

/* Pages made old in the last window, for each sampling interval; and in all before it. */
static uint64_t clears_each, clears_before;

static int count_run(void *data, uint64_t start, uint64_t end, uint64_t page_size, int32_t touched,
		     uint32_t samples)
{
	uint64_t *bytes = data;
	size_t i;

	for (i = 0; i < target.nr_parts; i++) {
		const struct live_part *part = &target.parts[i];

		if (!part->hot && touched > 0 && start >= part->start && end <= part->end)
			*bytes += end - start;
	}
	return 0;
}

static void look_at_pages(struct damon_ctx *ctx, const struct damon_window *window)
{
	uint64_t bytes = 0;

	damon_vaddr_page_heat(ctx, ctx->targets[0], count_run, &bytes);
	__atomic_store_n(&wrongly_hot, bytes, __ATOMIC_RELEASE);
	__atomic_store_n(&clears_each, (window->cost.clears - clears_before) / window->nr_samples,
			 __ATOMIC_RELEASE);
	clears_before = window->cost.clears;
}

static int stop_all(void **state)
{
	live_monitor_stop(&monitor);
	live_target_stop(&target);
	return 0;
}

static void watch(const char *options)
{
	churning = strstr(options, "--churn");
	clears_before = 0;
	live_target_start(&target, options);
	live_monitor_watch(&monitor, &target, 1);
}

/*
 * The hot part is found, and no idle page of the others is called touched. Memory that comes and goes is
 * rightly found hot, but isn't told of: with it, regions found beyond the hot part are no error.
 */
static void assert_right(void)
{
	uint64_t wrong;

	live_assert_found(&monitor, 0, &target, churning ? 0 : GOOD_BYTES, GOOD_BYTES);
	wrong = __atomic_load_n(&wrongly_hot, __ATOMIC_ACQUIRE);
	if (wrong > MOST_WRONG)
		fail_msg("expected at most %llu bytes of idle memory called touched, got %lu",
			 MOST_WRONG, wrong);
}

static void finds_memory_beside_mappings_that_come_and_go(void **state)
{
	watch("--churn");
	assert_right();
	live_target_command(&target, "grow 16");
	assert_true(live_monitor_event(&monitor, "layout", SECONDS));
	assert_right();
	live_target_command(&target, "shrink");
	assert_right();
}

/*
 * For memory that only clear_refs clears: pages shared with a child, a large folio's mapped one by one. Where soft-dirty
 * marks are kept it can't be flushed after that, but by a pair of other pages, which a small program seldom has:
 * then what isn't known to be hot has to be unknown, and none of it is called idle.
 */
static void assert_nothing_false(void)
{
	struct live_score score;

	if (!scan_kernel_soft_dirty()) {
		assert_right();
		return;
	}
	assert_true(live_monitor_windows(&monitor, LIVE_WINDOWS + 2));
	live_score(&monitor, 0, &target, &score);
	if (score.recall + score.unknown < GOOD_BYTES)
		fail_msg("expected at least %.0f %% of the hot memory hot or unknown, got %.1f %% "
			 "and %.1f %%",
			 GOOD_BYTES, score.recall, score.unknown);
	assert_in_range(__atomic_load_n(&wrongly_hot, __ATOMIC_ACQUIRE), 0, MOST_WRONG);
}

static void goes_on_after_a_fork(void **state)
{
	watch("--read");
	assert_true(live_monitor_windows(&monitor, 2));
	live_target_command(&target, "fork");
	assert_true(live_monitor_event(&monitor, "fork", SECONDS));
	assert_nothing_false();
}

static void follows_an_exec(void **state)
{
	watch("--churn");
	assert_true(live_monitor_windows(&monitor, 2));
	live_target_command(&target, "exec");
	assert_true(live_monitor_event(&monitor, "exec", SECONDS));
	assert_right();
	assert_int_equal(live_monitor_nr_events(&monitor, "exec"), 1);
}

static void follows_huge_pages_that_collapse_and_are_split(void **state)
{
	uint64_t huge;

	watch("");
	assert_int_equal(live_target_rollup(&target, "AnonHugePages"), 0);
	assert_right();
	live_target_command(&target, "collapse");
	huge = live_target_rollup(&target, "AnonHugePages");
	if (huge < 32 * MIB) {
		print_message("# SKIP the kernel made only %lu KiB of huge pages\n", huge / 1024);
		skip();
	}
	assert_right();
	live_target_command(&target, "split");
	assert_int_equal(live_target_rollup(&target, "AnonHugePages"), 0);
	assert_right();
	live_target_command(&target, "collapse");
	assert_right();
}

/* Again and again, with less than a window in between. */
static void survives_collapsing_and_splitting_all_the_time(void **state)
{
	const struct timespec pause = {.tv_nsec = 15000000};
	int i;

	watch("--churn --cold 24 --hot 8");
	for (i = 0; i < 100; i++) {
		live_target_command(&target, i % 2 ? "split" : "collapse");
		nanosleep(&pause, NULL);
	}
	assert_true(damon_is_running(monitor.ctx));
	assert_nothing_false();
}

/*
 * 2 ms to look at the hot part are 10 % of the time, and half of that is allowed. A change is still seen: what the hot
 * part grows by is found.
 */
static void saves_looks_at_what_stays_in_use(void **state)
{
	const uint64_t hot_pages = 32 * MIB / 4096;

	live_way.budget_bp = 500;
	watch("--cold 32 --hot 16");
	live_way.budget_bp = 0;
	assert_true(live_monitor_told(&monitor, "budget",
				      "pages that stay in use are looked at each 4th", SECONDS));
	live_target_command(&target, "grow 16");
	assert_right();
	/* Three of ten times, or two. */
	assert_in_range(__atomic_load_n(&clears_each, __ATOMIC_ACQUIRE), 1, hot_pages / 2);
}

/* At another moment of the sampling interval each time. */
static void takes_a_kill_in_the_middle_of_a_scan(void **state)
{
	int i, result;

	for (i = 0; i < KILLS; i++) {
		const struct timespec pause = {.tv_nsec =
						       (SAMPLE_US + i * SAMPLE_US / KILLS) * 1000};

		result = 1;
		watch(i % 2 ? "--churn --cold 256 --hot 64" : "--cold 256 --hot 64");
		nanosleep(&pause, NULL);
		kill(target.pid, SIGKILL);
		/* A zombie for a moment longer. */
		nanosleep(&pause, NULL);
		live_target_stop(&target);
		assert_int_equal(damon_wait(monitor.ctx, SECONDS * 1000000ULL, &result), 0);
		assert_int_equal(result, 0);
		assert_int_equal(live_monitor_nr_events(&monitor, "gone"), 1);
		live_monitor_stop(&monitor);
	}
}

static void a_process_has_one_monitor(void **state)
{
	static struct live_monitor second;

	watch("");
	assert_int_equal(live_monitor_start(&second, &target.pid, 1), -EBUSY);
	assert_non_null(strstr(second.error.text, "already watched by this program"));
	live_monitor_stop(&second);
	assert_true(live_monitor_windows(&monitor, 1));
}

#define CHANGES(test) cmocka_unit_test_teardown(test, stop_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHANGES(finds_memory_beside_mappings_that_come_and_go),
		CHANGES(goes_on_after_a_fork),
		CHANGES(follows_an_exec),
		CHANGES(follows_huge_pages_that_collapse_and_are_split),
		CHANGES(survives_collapsing_and_splitting_all_the_time),
		CHANGES(saves_looks_at_what_stays_in_use),
		CHANGES(takes_a_kill_in_the_middle_of_a_scan),
		CHANGES(a_process_has_one_monitor),
	};

	if (live_skip_all(512))
		return 0;
	live_way = (struct live_way){.engine = "scan",
				     .sample_us = SAMPLE_US,
				     .aggr_us = AGGR_US,
				     .window = look_at_pages};
	live_choose_tests();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
