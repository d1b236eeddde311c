// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Schemes on processes: what is refused, and that nothing but a target's own present memory is acted on,
 * whatever becomes of it meanwhile.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "schemes_fixture.h"

/* Refusals. */

static void what_cannot_be_asked_of_a_process_is_refused(void **state)
{
	struct damos *scheme = scheme_new(DAMOS_NOHUGEPAGE);
	int ret;

	live_target_start(&target, "--cold 2 --hot 2");
	ret = damon_add_scheme(monitor.ctx, scheme);
	if (!ret)
		ret = live_monitor_start_prepared(&monitor, &target.pid, 1);
	else
		damon_free_scheme(scheme);
	assert_int_equal(ret, -EOPNOTSUPP);
}

static void a_contradictory_pattern_is_refused(void **state)
{
	struct damos *scheme = scheme_new(DAMOS_PAGEOUT);
	int ret;

	live_target_start(&target, "--cold 2 --hot 2");
	scheme->pattern.min_age_region = 2;
	scheme->pattern.max_age_region = 1;
	ret = damon_add_scheme(monitor.ctx, scheme);
	if (!ret)
		ret = live_monitor_start_prepared(&monitor, &target.pid, 1);
	else
		damon_free_scheme(scheme);
	assert_int_equal(ret, -EINVAL);
}

static void the_monitor_does_not_act_on_itself(void **state)
{
	pid_t self = getpid();

	add_scheme(scheme_new(DAMOS_PAGEOUT));
	assert_int_equal(live_monitor_start_prepared(&monitor, &self, 1), -EINVAL);
	assert_non_null(strstr(monitor.error.text, "this monitor itself"));
	end_monitor();
	/* Counting is allowed. */
	add_scheme(scheme_new(DAMOS_STAT));
	assert_int_equal(live_monitor_start_prepared(&monitor, &self, 1), 0);
	assert_true(live_monitor_windows(&monitor, 1));
}

/* What happens to targets that are acted on. */

/* Everything there is, over and over. */
static void start_paging_out(void)
{
	add_scheme(scheme_new(DAMOS_PAGEOUT));
	add_scheme(scheme_new(DAMOS_LRU_PRIO));
	start();
	assert_true(live_monitor_windows(&monitor, 2));
}

static void a_target_may_die(void **state)
{
	int result = 1;

	start_file_target("--cold 64 --hot 64");
	start_paging_out();
	live_target_stop(&target);
	assert_int_equal(damon_wait(monitor.ctx, SECONDS * 1000000ULL, &result), 0);
	assert_int_equal(result, 0);
	assert_int_equal(live_monitor_nr_events(&monitor, "scheme"), 0);
}

static void a_target_may_be_stopped(void **state)
{
	uint64_t before;

	start_file_target("--cold 64 --hot 64");
	before = live_target_rollup(&target, "Rss");
	kill(target.pid, SIGSTOP);
	start_paging_out();
	assert_true(wait_for_rss(before - 120 * MIB));
	kill(target.pid, SIGCONT);
	/* It goes on as if nothing had been. */
	live_target_command(&target, "fork");
	assert_true(live_monitor_windows(&monitor, 1));
}

static void a_target_may_exec(void **state)
{
	uint64_t before;

	start_file_target("--cold 64 --hot 64");
	start_paging_out();
	before = monitor.nr_windows;
	live_target_command(&target, "exec");
	assert_true(live_monitor_event(&monitor, "exec", SECONDS));
	assert_true(live_monitor_windows(&monitor, 5));
	assert_true(monitor.nr_windows > before);
	/* The new program is acted on, too. */
	assert_true(stop_and_look(0)->sz_applied >= 60 * MIB);
	assert_int_equal(live_monitor_nr_events(&monitor, "scheme"), 0);
}

static void locked_memory_is_passed_over(void **state)
{
	struct damos *scheme = scheme_new(DAMOS_PAGEOUT);
	uint64_t before, resident;

	start_file_target("--cold 64 --hot 64 --locked");
	resident = live_target_rollup(&target, "Rss");
	before = live_target_rollup(&target, "Locked");
	assert_int_equal(before, 64 * MIB);
	add_scheme(scheme);
	start();
	assert_true(wait_for_rss(resident - 60 * MIB));
	assert_true(live_monitor_windows(&monitor, 1));
	/* Splitting a large folio unmaps pages besides those that were asked for. */
	assert_true(stop_and_look(0)->sz_applied >= 30 * MIB);
	assert_int_equal(live_target_rollup(&target, "Locked"), before);
	/* All of it is still there. */
	assert_int_equal(count_frames(&target.parts[1], 0), 64 * MIB / 4096);
	assert_int_equal(live_monitor_nr_events(&monitor, "scheme"), 0);
}

static void hugetlb_memory_is_passed_over(void **state)
{
	live_target_start(&target, "--cold 2 --hot 2");
	live_target_command(&target, "hugetlb 2");
	if (target.nr_parts < 4) {
		print_message("# SKIP no hugetlb pages are set aside here\n");
		skip();
	}
	start_paging_out();
	assert_int_equal(count_frames(&target.parts[3], FRAME_HUGETLB), 2 * MIB / 4096);
	assert_int_equal(live_monitor_nr_events(&monitor, "scheme"), 0);
}

/* The largest numbers everywhere; nothing overflows, and nothing but mapped memory is acted on. */
static void extremes_are_bounded_by_what_is_mapped(void **state)
{
	const struct damos_filter everywhere = {
		.type = DAMOS_FILTER_ADDR, .matching = true, .allow = true, .addr_end = UINT64_MAX};
	const struct damon_addr_range all = {4096, 1ULL << 47};
	struct damos *scheme = scheme_new(DAMOS_PAGEOUT);
	struct damon_target *whole;
	uint64_t resident;

	start_file_target("--cold 64 --hot 2");
	resident = live_target_rollup(&target, "Rss");
	scheme->quota.sz = scheme->quota.ms = UINT64_MAX;
	scheme->quota.reset_interval_ms = UINT64_MAX;
	scheme->quota.weight_nr_accesses = scheme->quota.weight_age = UINT32_MAX;
	scheme->max_nr_snapshots = 1;
	assert_int_equal(damos_add_filter(scheme, &everywhere), 0);
	assert_int_equal(damon_select_ops(monitor.ctx, DAMON_OPS_FVADDR), 0);
	add_scheme(scheme);
	assert_int_equal(damon_vaddr_target_new(&whole, monitor.lib, monitor.env, target.pid,
						&monitor.error),
			 0);
	assert_int_equal(damon_set_regions(whole, &all, 1, 4096), 0);
	assert_int_equal(damon_add_target(monitor.ctx, whole), 0);
	assert_int_equal(damon_start(&monitor.ctx, 1, false), 0);
	assert_true(live_monitor_windows(&monitor, 2));
	assert_in_range(stop_and_look(0)->sz_applied, 60 * MIB, resident);
	assert_int_equal(live_monitor_nr_events(&monitor, "scheme"), 0);
}

/* Where the number goes to another process while schemes act, that one is left alone. */
static void a_recycled_number_is_left_alone(void **state)
{
	pid_t number, second;
	uint64_t before, after;
	int result = 1;

	start_file_target("--cold 64 --hot 2");
	number = target.pid;
	start_paging_out();
	live_target_stop(&target);
	second = live_start_with_number(number);
	if (!second) {
		print_message("# SKIP may not choose the number of a process here\n");
		skip();
	}
	target.pid = second;
	before = live_target_rollup(&target, "Rss");
	assert_int_equal(damon_wait(monitor.ctx, SECONDS * 1000000ULL, &result), 0);
	after = live_target_rollup(&target, "Rss");
	assert_int_equal(result, 0);
	/* It may still be growing. */
	assert_true(after >= before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE(what_cannot_be_asked_of_a_process_is_refused),
		LIVE(a_contradictory_pattern_is_refused),
		LIVE(the_monitor_does_not_act_on_itself),
		LIVE(a_target_may_die),
		LIVE(a_target_may_be_stopped),
		LIVE(a_target_may_exec),
		LIVE(locked_memory_is_passed_over),
		LIVE(hugetlb_memory_is_passed_over),
		LIVE(extremes_are_bounded_by_what_is_mapped),
		LIVE(a_recycled_number_is_left_alone),
	};

	if (live_skip_all(1024))
		return 0;
	cmocka_set_test_filter(getenv("UDAMON_TEST_FILTER"));
	return cmocka_run_group_tests(tests, setup, teardown);
}
