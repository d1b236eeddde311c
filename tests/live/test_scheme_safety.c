// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Schemes on processes: what is refused, and that nothing but a target's own present memory is acted on,
 * whatever becomes of it meanwhile.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "params/scheme.h"
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

/* What it would protect, it wouldn't. */
static void a_filter_for_no_cgroup_is_refused(void **state)
{
	const struct damos_filter filter = {
		.type = DAMOS_FILTER_MEMCG, .matching = true, .memcg_path = "/no/such/cgroup"};
	struct damos *scheme = scheme_new(DAMOS_PAGEOUT);
	struct damon_error err = {""};
	int ret;

	if (!(monitor.ctx->ops->filters & 1U << DAMOS_FILTER_MEMCG)) {
		damon_free_scheme(scheme);
		print_message("# SKIP this kernel doesn't say which cgroup has a page\n");
		skip();
	}
	assert_int_equal(damos_add_filter(scheme, &filter), 0);
	ret = damon_add_scheme(monitor.ctx, scheme);
	assert_int_equal(ret, -ENOENT);
	params_scheme_refused(monitor.ctx->ops, scheme, ret, &err);
	damon_free_scheme(scheme);
	assert_string_equal(err.text,
			    "filter 'memcg': there is no memory cgroup '/no/such/cgroup'");
}

static int migrate_to(const struct damos_dest *dests, uint32_t nr)
{
	struct damos *scheme = scheme_new(DAMOS_MIGRATE_COLD);
	int ret;

	scheme->target_nid = dests[0].nid;
	scheme->nr_dests = nr;
	memcpy(scheme->dests, dests, nr * sizeof(*dests));
	ret = damon_add_scheme(monitor.ctx, scheme);
	if (ret)
		damon_free_scheme(scheme);
	return ret;
}

static void a_node_that_is_not_there_is_refused(void **state)
{
	const struct damos_dest dests[] = {{.nid = 0, .weight = 1}, {.nid = 1000, .weight = 1}};

	damon_free_scheme(scheme_new(DAMOS_STAT));
	if (!(monitor.ctx->ops->actions & 1U << DAMOS_MIGRATE_COLD) ||
	    access("/sys/devices/system/node/node0", F_OK)) {
		print_message("# SKIP this kernel has no memory nodes\n");
		skip();
	}
	assert_int_equal(migrate_to(dests, 0), 0);
	assert_int_equal(migrate_to(dests, 1), 0);
	assert_int_equal(migrate_to(dests, 2), -ENODEV);
	assert_int_equal(migrate_to(dests + 1, 0), -ENODEV);
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

static void ranges_that_no_process_can_have_are_refused(void **state)
{
	const struct damon_addr_range all = {4096, UINT64_MAX & ~(uint64_t)4095};
	struct damon_target *whole;

	live_target_start(&target, "--cold 2 --hot 2");
	add_scheme(scheme_new(DAMOS_PAGEOUT));
	assert_int_equal(damon_select_ops(monitor.ctx, DAMON_OPS_FVADDR), 0);
	assert_int_equal(damon_vaddr_target_new(&whole, monitor.lib, monitor.env, target.pid,
						&monitor.error),
			 0);
	assert_int_equal(damon_set_regions(whole, &all, 1, 4096), 0);
	assert_int_equal(damon_add_target(monitor.ctx, whole), 0);
	assert_int_equal(damon_start(&monitor.ctx, 1, false), -EINVAL);
	assert_int_equal(damon_vaddr_env_error(monitor.env, &monitor.error), -EINVAL);
	assert_non_null(strstr(monitor.error.text, "addresses of a process end at 0x"));
}

/* A sampling interval of 0 counts as 1 us, for filters, too. */
static void a_sampling_interval_of_0_divides_nothing(void **state)
{
	struct damon_attrs attrs;
	struct damos *scheme;

	live_way = (struct live_way){.engine = "scan", .sample_us = 1, .aggr_us = 50000};
	live_target_start(&target, "--cold 2 --hot 2");
	scheme = scheme_new(DAMOS_STAT);
	scheme->apply_interval_us = 1;
	add_filter(scheme, DAMOS_FILTER_YOUNG, true, true);
	attrs = monitor.ctx->attrs;
	attrs.sample_interval = 0;
	assert_int_equal(damon_set_attrs(monitor.ctx, &attrs), 0);
	add_scheme(scheme);
	start();
	/* Windows this short are hardly ever on time, so they aren't waited for. */
	usleep(300000);
	assert_true(stop_and_look(0)->nr_tried > 0);
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

static int read_applied(struct damon_ctx *ctx, void *data)
{
	*(uint64_t *)data = ctx->schemes[0]->stat.sz_applied;
	return 0;
}

/* What the first scheme has been applied to so far. */
static uint64_t applied_so_far(void)
{
	uint64_t applied = 0;
	struct damon_call_control call = {.fn = read_applied, .data = &applied};

	assert_int_equal(damon_call(monitor.ctx, &call), 0);
	return applied;
}

/* A cgroup that no process is in; its path in the hierarchy. */
static bool make_cgroup(char *folder, size_t size, const char **path)
{
	static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/memory"};
	char file[300];

	for (size_t i = 0; i < 2; i++) {
		snprintf(folder, size, "%s/udamon-test-%d", roots[i], (int)getpid());
		snprintf(file, sizeof(file), "%s/memory.stat", folder);
		if (mkdir(folder, 0700))
			continue;
		if (!access(file, F_OK)) {
			*path = folder + strlen(roots[i]);
			return true;
		}
		rmdir(folder);
	}
	return false;
}

static void a_cgroup_that_vanishes_ends_the_acting(void **state)
{
	struct damos_filter filter = {.type = DAMOS_FILTER_MEMCG, .matching = true};
	struct damos *scheme = scheme_new(DAMOS_STAT);
	char folder[256];
	uint64_t applied;
	int ret;

	if (!(monitor.ctx->ops->filters & 1U << DAMOS_FILTER_MEMCG) ||
	    !make_cgroup(folder, sizeof(folder), &filter.memcg_path)) {
		damon_free_scheme(scheme);
		print_message("# SKIP can't make a memory cgroup here\n");
		skip();
	}
	live_target_start(&target, "--cold 2 --hot 2");
	assert_int_equal(damos_add_filter(scheme, &filter), 0);
	ret = damon_add_scheme(monitor.ctx, scheme);
	if (!ret)
		ret = live_monitor_start_prepared(&monitor, &target.pid, 1);
	if (!ret)
		live_monitor_windows(&monitor, 2);
	/* Whatever comes, nothing is left behind. */
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(ret, 0);
	assert_true(live_monitor_event(&monitor, "scheme", SECONDS));
	applied = applied_so_far();
	assert_true(applied > 0);
	assert_true(live_monitor_windows(&monitor, 3));
	assert_int_equal(applied_so_far(), applied);
	assert_int_equal(live_monitor_nr_events(&monitor, "scheme"), 1);
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
		LIVE(a_filter_for_no_cgroup_is_refused),
		LIVE(a_node_that_is_not_there_is_refused),
		LIVE(a_contradictory_pattern_is_refused),
		LIVE(ranges_that_no_process_can_have_are_refused),
		LIVE(a_sampling_interval_of_0_divides_nothing),
		LIVE(the_monitor_does_not_act_on_itself),
		LIVE(a_target_may_die),
		LIVE(a_target_may_be_stopped),
		LIVE(a_target_may_exec),
		LIVE(locked_memory_is_passed_over),
		LIVE(hugetlb_memory_is_passed_over),
		LIVE(a_cgroup_that_vanishes_ends_the_acting),
		LIVE(extremes_are_bounded_by_what_is_mapped),
		LIVE(a_recycled_number_is_left_alone),
	};

	if (live_skip_all(1024))
		return 0;
	live_choose_tests();
	return cmocka_run_group_tests(tests, setup, teardown);
}
