/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Watching processes whose pattern is known: is the hot part found, and nothing broken?
 */
#include <errno.h>
#include <linux/sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "access/pagemap.h"
#include "live.h"

/* What is asked of region sampling, once it has had time to adapt. */
#define WINDOWS	   10
#define GOOD_BYTES 95.0
#define MIB	   (1ULL << 20)

/* Waiting for something that must happen; generous, as the machine may be busy. */
#define SECONDS 20

static struct live_monitor monitor;
static struct live_target targets[5];

static void watch(size_t nr)
{
	live_monitor_watch(&monitor, targets, nr);
}

static int stop_all(void **state)
{
	size_t i;

	live_monitor_stop(&monitor);
	for (i = 0; i < 5; i++)
		live_target_stop(&targets[i]);
	live_way = (struct live_way){};
	return 0;
}

/* Let it adapt, then gather what is judged. */
static void watch_long_enough(void)
{
	assert_true(live_monitor_windows(&monitor, WINDOWS + LIVE_WINDOWS));
}

static void assert_found(size_t idx)
{
	live_assert_found(&monitor, idx, &targets[idx], GOOD_BYTES, GOOD_BYTES);
}

static void check_pattern(const char *options)
{
	live_target_start(&targets[0], options);
	watch(1);
	assert_found(0);
}

static void finds_written_memory(void **state)
{
	check_pattern("");
	assert_true(monitor.cost.clears > 0);
	assert_int_equal(monitor.cost.unwatchable_bytes, 0);
}

static void finds_read_memory(void **state)
{
	check_pattern("--read");
}

static void finds_memory_of_several_threads(void **state)
{
	check_pattern("--threads 3");
}

static void finds_shared_memory_of_one_process(void **state)
{
	check_pattern("--shared");
}

static void finds_huge_pages_and_leaves_them_whole(void **state)
{
	uint64_t before, after;

	live_target_start(&targets[0], "--huge");
	before = live_target_rollup(&targets[0], "AnonHugePages");
	if (before < 64 * MIB) {
		print_message("# SKIP the kernel gave only %lu KiB of huge pages\n", before / 1024);
		skip();
	}
	watch(1);
	assert_found(0);
	after = live_target_rollup(&targets[0], "AnonHugePages");
	assert_int_equal(after, before);
}

/* Pages of the first part that belong to a large folio. */
static size_t count_large(const struct live_target *target)
{
	uint64_t entries[512], flags, addr = target->parts[1].start;
	struct frame_files files;
	int pagemap = pagemap_open(target->pid);
	size_t i, nr = 0;

	assert_true(pagemap >= 0);
	assert_int_equal(frame_files_open(&files), 0);
	for (; addr < target->parts[1].end; addr += sizeof(entries) / 8 * 4096) {
		assert_int_equal(pagemap_read(pagemap, addr, entries, 512), 0);
		for (i = 0; i < 512; i++) {
			assert_int_equal(frame_flags(&files, entries[i] & PAGEMAP_FRAME, &flags, 1),
					 0);
			nr += !!(flags & (FRAME_HEAD | FRAME_TAIL));
		}
	}
	frame_files_close(&files);
	close(pagemap);
	return nr;
}

/* Before 6.10 the kernel would split it in any case: then nothing can be said about it. */
static void never_splits_a_large_folio(void **state)
{
	struct live_score score;
	size_t before, after;

	live_target_start(&targets[0], "--by-pages");
	before = count_large(&targets[0]);
	if (before < 16 * MIB / 4096 || live_target_rollup(&targets[0], "AnonHugePages")) {
		print_message("# SKIP the kernel gave no large folios mapped by pages\n");
		skip();
	}
	watch(1);
	watch_long_enough();
	live_score(&monitor, 0, &targets[0], &score);
	if (score.unknown < GOOD_BYTES)
		assert_found(0);
	after = count_large(&targets[0]);
	assert_int_equal(after, before);
}

/* The kernel won't clear pages that are mapped twice: they mustn't look hot for ever. */
static void memory_of_two_processes_is_unknown(void **state)
{
	struct live_score score;

	live_target_start(&targets[0], "--with-child");
	watch(1);
	watch_long_enough();
	live_score(&monitor, 0, &targets[0], &score);
	if (score.unknown < GOOD_BYTES)
		fail_msg("expected at least %.0f %% unknown, got %.1f %%", GOOD_BYTES,
			 score.unknown);
	assert_true(score.recall < 100 - GOOD_BYTES);
}

static void locked_memory_is_unwatchable(void **state)
{
	struct live_score score;

	live_target_start(&targets[0], "--locked");
	watch(1);
	watch_long_enough();
	assert_true(live_monitor_event(&monitor, "unwatchable", SECONDS));
	live_score(&monitor, 0, &targets[0], &score);
	if (score.unknown < GOOD_BYTES)
		fail_msg("expected at least %.0f %% unknown, got %.1f %%", GOOD_BYTES,
			 score.unknown);
	assert_true(monitor.cost.unwatchable_bytes >= 16 * MIB);
	assert_true(monitor.cost.unwatchable_bytes < 24 * MIB);
}

static void follows_growing_and_shrinking_memory(void **state)
{
	live_target_start(&targets[0], "");
	watch(1);
	assert_true(live_monitor_windows(&monitor, 2));
	live_target_command(&targets[0], "grow 16");
	assert_true(live_monitor_event(&monitor, "layout", SECONDS));
	assert_found(0);
	live_target_command(&targets[0], "shrink");
	assert_found(0);
}

static void follows_an_exec(void **state)
{
	live_target_start(&targets[0], "");
	watch(1);
	assert_true(live_monitor_windows(&monitor, 2));
	live_target_command(&targets[0], "exec");
	assert_true(live_monitor_event(&monitor, "exec", SECONDS));
	assert_found(0);
	assert_int_equal(live_monitor_nr_events(&monitor, "exec"), 1);
}

static void notes_a_fork(void **state)
{
	live_target_start(&targets[0], "");
	watch(1);
	assert_true(live_monitor_windows(&monitor, 5));
	assert_int_equal(live_monitor_nr_events(&monitor, "fork"), 0);
	live_target_command(&targets[0], "fork");
	assert_true(live_monitor_event(&monitor, "fork", SECONDS));
}

static void ends_when_the_target_does(void **state)
{
	int result = 1;

	live_target_start(&targets[0], "");
	watch(1);
	assert_true(live_monitor_windows(&monitor, 2));
	live_target_command(&targets[0], "leave");
	/* A zombie still counts as alive. */
	assert_true(live_monitor_event(&monitor, "gone", SECONDS));
	assert_true(damon_is_running(monitor.ctx));
	live_target_stop(&targets[0]);
	assert_int_equal(damon_wait(monitor.ctx, SECONDS * 1000000ULL, &result), 0);
	assert_int_equal(result, 0);
	assert_int_equal(live_monitor_nr_events(&monitor, "gone"), 1);
}

static void a_process_that_has_exited_is_refused(void **state)
{
	struct damon_target *target;
	siginfo_t info;

	live_target_start(&targets[0], "--cold 2 --hot 2");
	kill(targets[0].pid, SIGKILL);
	/* It stays a zombie. */
	assert_int_equal(waitid(P_PID, (id_t)targets[0].pid, &info, WEXITED | WNOWAIT), 0);
	live_monitor_prepare(&monitor);
	assert_int_equal(damon_vaddr_target_new(&target, monitor.lib, monitor.env, targets[0].pid,
						&monitor.error),
			 -ESRCH);
	assert_non_null(strstr(monitor.error.text, "has exited"));
}

static void watches_five_processes(void **state)
{
	static const char *const options[] = {"--cold 24 --hot 8", "--cold 16 --hot 8 --read",
					      "--cold 24 --hot 8 --shared",
					      "--cold 16 --hot 8 --threads 2", "--cold 32 --hot 0"};
	size_t i;

	for (i = 0; i < 5; i++)
		live_target_start(&targets[i], options[i]);
	watch(5);
	for (i = 0; i < 4; i++)
		assert_found(i);
	/* One of them goes: the others are watched on. */
	live_target_stop(&targets[0]);
	for (i = 1; i < 4; i++)
		assert_found(i);
}

/* And a change is still seen: what the hot part grows by is found. */
static void saves_looks_at_what_stays_in_use(void **state)
{
	live_way = (struct live_way){.budget_bp = 100};
	live_target_start(&targets[0], "--cold 32 --hot 64");
	watch(1);
	assert_true(live_monitor_told(&monitor, "budget", "each 4th time", SECONDS));
	live_target_command(&targets[0], "grow 32");
	assert_found(0);
}

static void a_process_has_one_monitor(void **state)
{
	static struct live_monitor second;

	live_target_start(&targets[0], "");
	watch(1);
	assert_int_equal(live_monitor_start(&second, &targets[0].pid, 1), -EBUSY);
	assert_non_null(strstr(second.error.text, "already watched by this program"));
	live_monitor_stop(&second);
	assert_true(live_monitor_windows(&monitor, 1));
}

/* Anonymous memory is told apart from a file's; the target has both, in different regions. */
static void probes_tell_anonymous_memory(void **state)
{
	const struct live_snapshot *last;
	struct damon_target *target;
	size_t i, nr_inside = 0;

	live_target_start(&targets[0], "--cold 24 --hot 8");
	live_monitor_prepare(&monitor);
	monitor.ctx->nr_probes = 2;
	monitor.ctx->probes[0] = (struct damon_probe){
		.nr_filters = 1,
		.filters = {{.type = DAMON_FILTER_ANON, .matching = true, .allow = true}}};
	monitor.ctx->probes[1] = (struct damon_probe){
		.nr_filters = 1, .filters = {{.type = DAMON_FILTER_ANON, .matching = true}}};
	assert_int_equal(damon_vaddr_target_new(&target, monitor.lib, monitor.env, targets[0].pid,
						&monitor.error),
			 0);
	assert_int_equal(damon_add_target(monitor.ctx, target), 0);
	assert_int_equal(damon_start(&monitor.ctx, 1, false), 0);
	assert_true(live_monitor_windows(&monitor, WINDOWS));
	live_monitor_stop(&monitor);
	last = &monitor.snapshots[0][(WINDOWS - 1) % LIVE_WINDOWS];
	for (i = 0; i < last->nr; i++) {
		const struct damon_region *region = &last->regions[i];

		if (region->ar.start < targets[0].parts[0].start ||
		    region->ar.end > targets[0].parts[2].end)
			continue;
		nr_inside++;
		assert_int_equal(region->probe_hits[0], last->nr_samples);
		assert_int_equal(region->probe_hits[1], 0);
	}
	assert_true(nr_inside > 0);
}

/* Where the number given for a target belongs to another process before the start. */
static void a_recycled_number_is_refused(void **state)
{
	struct damon_target *target;
	pid_t number, second;
	int ret;

	live_target_start(&targets[0], "--cold 2 --hot 2");
	number = targets[0].pid;
	live_monitor_prepare(&monitor);
	assert_int_equal(damon_vaddr_target_new(&target, monitor.lib, monitor.env, number,
						&monitor.error),
			 0);
	assert_int_equal(damon_add_target(monitor.ctx, target), 0);
	live_target_stop(&targets[0]);
	/* Start times are in hundredths of a second; a number comes round later than that. */
	usleep(20000);
	second = live_start_with_number(number);
	if (!second) {
		print_message("# SKIP may not choose the number of a process here\n");
		skip();
	}
	ret = damon_start(&monitor.ctx, 1, false);
	kill(second, SIGKILL);
	waitpid(second, NULL, 0);
	assert_int_equal(ret, -ESRCH);
	assert_int_equal(damon_vaddr_env_error(monitor.env, &monitor.error), -ESRCH);
	assert_non_null(strstr(monitor.error.text, "now belongs to another one"));
}

/* And where it does so while the target is watched: nobody is watched any more. */
static void a_number_recycled_while_watching_is_let_go(void **state)
{
	pid_t number, second;
	int result = 1, ret;

	live_target_start(&targets[0], "--cold 2 --hot 2");
	number = targets[0].pid;
	watch(1);
	assert_true(live_monitor_windows(&monitor, 1));
	live_target_stop(&targets[0]);
	second = live_start_with_number(number);
	if (!second) {
		print_message("# SKIP may not choose the number of a process here\n");
		skip();
	}
	ret = damon_wait(monitor.ctx, SECONDS * 1000000ULL, &result);
	kill(second, SIGKILL);
	waitpid(second, NULL, 0);
	assert_int_equal(ret, 0);
	assert_int_equal(result, 0);
	assert_int_equal(live_monitor_nr_events(&monitor, "gone"), 1);
}

#define LIVE(test) cmocka_unit_test_teardown(test, stop_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE(finds_written_memory),
		LIVE(finds_read_memory),
		LIVE(finds_memory_of_several_threads),
		LIVE(finds_shared_memory_of_one_process),
		LIVE(finds_huge_pages_and_leaves_them_whole),
		LIVE(never_splits_a_large_folio),
		LIVE(memory_of_two_processes_is_unknown),
		LIVE(locked_memory_is_unwatchable),
		LIVE(follows_growing_and_shrinking_memory),
		LIVE(follows_an_exec),
		LIVE(notes_a_fork),
		LIVE(ends_when_the_target_does),
		LIVE(a_process_that_has_exited_is_refused),
		LIVE(watches_five_processes),
		LIVE(saves_looks_at_what_stays_in_use),
		LIVE(a_process_has_one_monitor),
		LIVE(probes_tell_anonymous_memory),
		LIVE(a_recycled_number_is_refused),
		LIVE(a_number_recycled_while_watching_is_let_go),
	};

	if (live_skip_all(512))
		return 0;
	live_choose_tests();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
