/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Schemes on processes whose pattern is known: what each action really does to their memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "schemes_fixture.h"
#include "system/page_cache.h"

static uint64_t major_faults(void)
{
	char path[64], text[1024], *at;
	unsigned long long faults;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)target.pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	at = strrchr(text, ')');
	assert_non_null(at);
	assert_int_equal(sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %llu", &faults), 1);
	return faults;
}

/* Whether the kernel's own DAMON runs, which clears Accessed bits as well. */
static bool kernel_damon_runs(void)
{
	return !system("grep -qs '^kdamond' /proc/[0-9]*/comm");
}

/*
 * Page out what is idle, @idle bytes: resident memory falls to what is in use, and that is left alone. Where
 * the kernel's DAMON disturbs the bits that tell, a folio may be taken by mistake now and then.
 */
static void page_idle_memory_out(uint64_t idle)
{
	uint64_t before, expected, now, most, faults, allowed = kernel_damon_runs() ? 32 : 0;
	struct damos *scheme = scheme_new(DAMOS_PAGEOUT);

	before = live_target_rollup(&target, "Rss");
	expected = before - idle;
	scheme->pattern.max_nr_accesses = 0;
	scheme->pattern.min_age_region = 2;
	add_filter(scheme, DAMOS_FILTER_YOUNG, true, false);
	add_addresses(scheme, target.parts[0].start, target.parts[2].end);
	add_scheme(scheme);
	faults = major_faults();
	start();
	wait_for_rss(expected + expected / 40);
	/* And no further. */
	assert_true(live_monitor_windows(&monitor, 5));
	now = live_target_rollup(&target, "Rss");
	faults = major_faults() - faults;
	print_message("# resident: %" PRIu64 " MiB, after %" PRIu64 " windows %" PRIu64
		      " MiB, of which in use %" PRIu64 " MiB; %" PRIu64 " major faults\n",
		      before / MIB, monitor.nr_windows, now / MIB, expected / MIB, faults);
	/* On a slow machine the edges of the hot part may not be told closer than by the largest region. */
	most = expected + expected / 20 + 2 * before / LIVE_MIN_REGIONS;
	if (now < expected - expected / 20 || now > most)
		fail_msg("expected %" PRIu64 " MiB less 5 %% to %" PRIu64 " MiB, got %" PRIu64
			 " MiB",
			 expected / MIB, most / MIB, now / MIB);
	assert_in_range(faults, 0, allowed);
}

static void pageout_takes_idle_memory_only(void **state)
{
	start_file_target("--pause-us 2000");
	page_idle_memory_out(file_mib / 2 * MIB);
}

/* One scheme on the target's first part for some windows; bytes it was applied to. */
static uint64_t act_on_first_part(enum damos_action action, unsigned int windows)
{
	struct damos *scheme = scheme_new(action);
	uint64_t applied;

	if (action == DAMOS_MIGRATE_COLD)
		scheme->target_nid = 0;
	add_addresses(scheme, target.parts[0].start, target.parts[0].end);
	scheme->max_nr_snapshots = 1;
	add_scheme(scheme);
	start();
	assert_true(live_monitor_windows(&monitor, windows));
	applied = stop_and_look(0)->sz_applied;
	end_monitor();
	return applied;
}

/* The same with the engine that makes all pages old itself, in each sampling interval. */
static void pageout_with_the_engine_scan(void **state)
{
	live_way = (struct live_way){.engine = "scan", .sample_us = 100000, .aggr_us = 500000};
	pageout_takes_idle_memory_only(state);
}

static bool have_swap(void)
{
	char line[256];
	FILE *file = fopen("/proc/swaps", "re");
	unsigned int nr = 0;

	while (file && fgets(line, sizeof(line), file))
		nr++;
	if (file)
		fclose(file);
	return nr > 1;
}

/* The same with memory that has to be written somewhere. */
static void pageout_takes_idle_anonymous_memory_only(void **state)
{
	uint64_t idle = 64 * MIB;

	if (!have_swap()) {
		print_message("# SKIP there is no swap here: see make test-vm\n");
		skip();
	}
	live_target_start(&target, "--cold 64 --hot 64 --pause-us 2000");
	page_idle_memory_out(idle);
	print_message("# swapped: %" PRIu64 " MiB\n", live_target_rollup(&target, "Swap") / MIB);
	assert_true(live_target_rollup(&target, "Swap") >= idle - idle / 20);
}

/* Of what was swapped out, WILLNEED reads into the swap cache: touching it waits for no disk then. */
static void willneed_brings_swapped_memory_back(void **state)
{
	uint64_t faults, out, applied;

	if (!have_swap()) {
		print_message("# SKIP there is no swap here: see make test-vm\n");
		skip();
	}
	live_target_start(&target, "--cold 16 --hot 2");
	out = act_on_first_part(DAMOS_PAGEOUT, 2);
	assert_in_range(out, 7 * MIB, 8 * MIB);
	assert_in_range(live_target_rollup(&target, "Swap"), out - MIB, out + 2 * MIB);
	applied = act_on_first_part(DAMOS_WILLNEED, 3);
	assert_in_range(applied, out - MIB, out + MIB);
	faults = major_faults();
	live_target_command(&target, "touch");
	assert_true(live_target_rollup(&target, "Swap") < out / 2);
	print_message("# %" PRIu64 " pages back with %" PRIu64 " major faults\n", out / 4096,
		      major_faults() - faults);
	assert_true(major_faults() - faults <= out / 4096 / 20);
}

/* A quota of bytes and one of processor time, both over the same ten seconds. */
static void quotas_hold(void **state)
{
	struct damos *by_size = scheme_new(DAMOS_PAGEOUT), *by_time;
	const struct damos_stat *stat;
	uint64_t begun_ns, seconds_ns, full;
	unsigned int nr_windows = 0;
	double mib, cpu_ms, most_ms;

	start_file_target("--pause-us 20000");
	by_size->quota.sz = 10 * MIB;
	by_size->quota.reset_interval_ms = 1000;
	add_addresses(by_size, target.parts[0].start, target.parts[0].end);
	add_scheme(by_size);
	by_time = scheme_new(DAMOS_COLD);
	by_time->quota.ms = 1;
	by_time->quota.reset_interval_ms = 250;
	add_addresses(by_time, target.parts[1].start, target.parts[1].end);
	add_scheme(by_time);
	start();
	begun_ns = monitor.port->now_ns(monitor.port);
	do {
		assert_true(live_monitor_windows(&monitor, 1));
		nr_windows++;
		seconds_ns = monitor.port->now_ns(monitor.port) - begun_ns;
	} while (seconds_ns < 9600000000ULL);
	stat = stop_and_look(0);
	if (nr_windows < 30) {
		print_message("# SKIP this machine is too slow: %u windows in ten seconds\n",
			      nr_windows);
		skip();
	}
	mib = (double)stat->sz_tried / (double)MIB;
	print_message("# sz: %.1f MiB tried, %.1f MiB applied in %.2f s\n", mib,
		      (double)stat->sz_applied / (double)MIB, (double)seconds_ns / 1e9);
	assert_true(mib >= 95 && mib <= 105);
	assert_true(stat->sz_applied <= stat->sz_tried);
	assert_true(stat->sz_applied >= stat->sz_tried * 8 / 10);
	/* No more than all windows allow, which aren't all full, and what the full ones allow. */
	full = monitor.ctx->schemes[1]->stat.qt_exceeds;
	cpu_ms = (double)monitor.ctx->schemes[1]->quota_state.timed_ns / 1e6;
	most_ms = (double)(seconds_ns / 250000000 + 1);
	print_message("# ms: %.1f ms of processor time; %.0f windows of 1 ms, %" PRIu64
		      " of them full; %" PRIu64 " KiB tried in a millisecond\n",
		      cpu_ms, most_ms, full,
		      (uint64_t)((double)monitor.ctx->schemes[1]->stat.sz_tried / 1024 / cpu_ms));
	assert_true(full >= 10);
	assert_true(cpu_ms <= 1.05 * most_ms);
	/*
	 * A full window has used less where its bytes were the limit: they are those of the mean speed so
	 * far, and on a busy machine that isn't the present one.
	 */
	assert_true(cpu_ms >= 0.5 * (double)full);
}

/* Is the generational reclaim in use, which doesn't keep pages on an active and an inactive list? */
static bool generations(void)
{
	return !system("grep -qsv '^0x0000$' /sys/kernel/mm/lru_gen/enabled");
}

static void lru_prio_activates_and_cold_deactivates(void **state)
{
	size_t pages, before, active, after;
	uint64_t applied;

	if (generations()) {
		print_message("# SKIP this kernel's reclaim keeps generations, not lists\n");
		skip();
	}
	live_target_start(&target, "--cold 64 --hot 2");
	pages = (target.parts[0].end - target.parts[0].start) / 4096;
	before = count_frames(&target.parts[0], FRAME_ACTIVE);
	applied = act_on_first_part(DAMOS_LRU_PRIO, 2);
	assert_int_equal(applied, pages * 4096);
	active = count_frames(&target.parts[0], FRAME_ACTIVE);
	applied = act_on_first_part(DAMOS_COLD, 2);
	/* Nobody uses it, so all of it stays old. */
	assert_int_equal(applied, pages * 4096);
	after = count_frames(&target.parts[0], FRAME_ACTIVE);
	print_message("# of %zu pages active: %zu, prioritised %zu, made cold %zu\n", pages, before,
		      active, after);
	/* Each processor keeps a few of them back, to move them together. */
	assert_true(active >= pages - pages / 4);
	assert_true(after <= pages / 20);
	applied = act_on_first_part(DAMOS_LRU_PRIO, 2);
	assert_int_equal(applied, pages * 4096);
	applied = act_on_first_part(DAMOS_LRU_DEPRIO, 2);
	assert_int_equal(applied, pages * 4096);
	assert_true(count_frames(&target.parts[0], FRAME_ACTIVE) <= pages / 20);
}

/* lru_prio must not bring absent memory in. */
static void lru_prio_leaves_absent_memory_out(void **state)
{
	uint64_t before, applied;

	start_file_target("--cold 64 --hot 2");
	applied = act_on_first_part(DAMOS_PAGEOUT, 2);
	assert_true(applied >= 30 * MIB);
	before = live_target_rollup(&target, "Rss");
	applied = act_on_first_part(DAMOS_LRU_PRIO, 2);
	assert_true(applied <= 2 * MIB);
	assert_in_range(live_target_rollup(&target, "Rss"), before - MIB, before + MIB);
}

/* Bytes of the file's beginning that are in memory. */
static uint64_t cached(uint64_t size)
{
	uint64_t bytes;
	int fd = open(file_path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(page_cache_bytes(fd, 0, size, &bytes), 0);
	close(fd);
	return bytes;
}

static void willneed_brings_a_file_back(void **state)
{
	uint64_t size = 32 * MIB, out, back, applied;

	start_file_target("--cold 64 --hot 2");
	assert_true(cached(size) >= size - size / 20);
	applied = act_on_first_part(DAMOS_PAGEOUT, 2);
	out = cached(size);
	assert_true(applied >= size - size / 20);
	assert_true(out <= size / 20);
	applied = act_on_first_part(DAMOS_WILLNEED, 2);
	back = cached(size);
	print_message("# in memory: %" PRIu64 " KiB, then %" PRIu64 " KiB; applied %" PRIu64
		      " KiB\n",
		      out / 1024, back / 1024, applied / 1024);
	assert_true(back >= size - size / 20);
	assert_in_range(applied, back - out - MIB, back - out);
}

/* Huge pages that the kernel has made of small ones by itself, since it was started. */
static uint64_t made_by_khugepaged(void)
{
	FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/khugepaged/pages_collapsed", "re");
	unsigned long long nr = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%llu", &nr), 1);
	fclose(file);
	return nr;
}

static void check_collapse(enum damos_action action)
{
	struct damos *scheme = scheme_new(action);
	struct damon_attrs attrs = monitor.ctx->attrs;
	uint64_t before, after, applied, others;
	unsigned int i;

	/*
	 * No region is larger than a third of it all, and full ones stay where they are: a block that lies
	 * across two of them may wait for ever. So the part has to be small among the rest.
	 */
	attrs.min_nr_regions = 3;
	assert_int_equal(damon_set_attrs(monitor.ctx, &attrs), 0);
	live_target_start(&target, "--cold 16 --hot 64 --by-pages");
	before = live_target_rollup(&target, "AnonHugePages");
	others = made_by_khugepaged();
	add_addresses(scheme, target.parts[0].start, target.parts[0].end);
	add_scheme(scheme);
	start();
	for (i = 0; i < 30 && live_target_rollup(&target, "AnonHugePages") < before + 8 * MIB; i++)
		assert_true(live_monitor_windows(&monitor, 1));
	applied = stop_and_look(0)->sz_applied;
	after = live_target_rollup(&target, "AnonHugePages");
	others = (made_by_khugepaged() - others) * 2 * MIB;
	print_message("# huge: %" PRIu64 " MiB, then %" PRIu64 " MiB; applied %" PRIu64
		      " MiB; khugepaged made %" PRIu64 " MiB, here or elsewhere\n",
		      before / MIB, after / MIB, applied / MIB, others / MIB);
	assert_true(after >= before + 8 * MIB);
	/* All that became huge, and nothing else, but for what others made of it. */
	assert_true(applied <= after - before);
	assert_true(applied + others >= after - before);
}

static void collapse_makes_huge_pages(void **state)
{
	check_collapse(DAMOS_COLLAPSE);
}

static void hugepage_makes_them_by_collapsing(void **state)
{
	check_collapse(DAMOS_HUGEPAGE);
}

/* Pages of the first part in node @nid. */
static uint64_t pages_in_node(int nid)
{
	uint64_t addr, nr = 0;
	int status;

	for (addr = target.parts[0].start; addr < target.parts[0].end; addr += 4096) {
		const void *page = (const void *)(uintptr_t)addr;

		assert_int_equal(syscall(SYS_move_pages, target.pid, 1UL, &page, NULL, &status, 0),
				 0);
		nr += status == nid;
	}
	return nr;
}

static void migrating_to_the_same_node_does_nothing(void **state)
{
	if (access("/sys/devices/system/node/node1", F_OK) == 0) {
		print_message("# SKIP there are several nodes\n");
		skip();
	}
	live_target_start(&target, "--cold 32 --hot 2");
	assert_int_equal(act_on_first_part(DAMOS_MIGRATE_COLD, 2), 0);
}

static void migrate_moves_to_the_nodes_named(void **state)
{
	const uint64_t pages = 16 * MIB / 4096;
	struct damos *scheme;
	uint64_t applied, before, there;

	if (access("/sys/devices/system/node/node1", F_OK)) {
		print_message("# SKIP there is one node only\n");
		skip();
	}
	live_target_start(&target, "--cold 32 --hot 2");
	scheme = scheme_new(DAMOS_MIGRATE_COLD);
	scheme->nr_dests = 2;
	scheme->dests[0] = (struct damos_dest){.nid = 0, .weight = 1};
	scheme->dests[1] = (struct damos_dest){.nid = 1, .weight = 3};
	add_addresses(scheme, target.parts[0].start, target.parts[0].end);
	add_scheme(scheme);
	start();
	assert_true(live_monitor_windows(&monitor, 3));
	applied = stop_and_look(0)->sz_applied;
	end_monitor();
	there = pages_in_node(1);
	print_message("# %" PRIu64 " of %" PRIu64 " pages in node 1; moved %" PRIu64 "\n", there,
		      pages, applied / 4096);
	assert_in_range(there, pages * 70 / 100, pages * 80 / 100);
	/* And back. */
	before = there;
	applied = act_on_first_part(DAMOS_MIGRATE_COLD, 2);
	there = pages_in_node(1);
	assert_int_equal(applied, (before - there) * 4096);
	assert_in_range(there, 0, pages / 20);
}

/* Bytes of the first part that pass one filter, counted by the action stat. */
static uint64_t passed_by(const struct damos_filter *filter)
{
	struct damos *scheme = scheme_new(DAMOS_STAT);
	const struct damos_stat *stat;
	uint64_t passed;

	assert_int_equal(damos_add_filter(scheme, filter), 0);
	add_addresses(scheme, target.parts[0].start, target.parts[0].end);
	scheme->max_nr_snapshots = 1;
	add_scheme(scheme);
	start();
	assert_true(live_monitor_windows(&monitor, 2));
	stat = stop_and_look(0);
	passed = stat->sz_ops_filter_passed;
	assert_int_equal(stat->sz_applied, passed);
	assert_int_equal(stat->sz_tried, target.parts[0].end - target.parts[0].start);
	end_monitor();
	return passed;
}

static uint64_t passed_by_type(enum damos_filter_type type, bool matching)
{
	const struct damos_filter filter = {.type = type, .matching = matching, .allow = true};

	return passed_by(&filter);
}

static void filters_tell_pages_apart(void **state)
{
	struct damos_filter size = {.type = DAMOS_FILTER_HUGEPAGE_SIZE,
				    .matching = true,
				    .allow = true,
				    .sz_min = 4096,
				    .sz_max = 4096};
	uint64_t all;

	live_target_start(&target, "--cold 16 --hot 2");
	all = target.parts[0].end - target.parts[0].start;
	assert_int_equal(passed_by_type(DAMOS_FILTER_ANON, true), all);
	assert_int_equal(passed_by_type(DAMOS_FILTER_ANON, false), 0);
	assert_int_equal(passed_by_type(DAMOS_FILTER_UNMAPPED, true), 0);
	assert_int_equal(passed_by(&size), all);
	assert_int_equal(act_on_first_part(DAMOS_COLD, 2), all);
	assert_true(passed_by_type(DAMOS_FILTER_ACTIVE, true) <= all / 20);
	/* Some may be doubted, because of somebody else's traces. */
	assert_true(passed_by_type(DAMOS_FILTER_YOUNG, true) <= all / 20);
	live_target_stop(&target);
	live_target_start(&target, "--cold 16 --hot 2 --huge");
	all = target.parts[0].end - target.parts[0].start;
	size.sz_min = size.sz_max = 2 * MIB;
	assert_int_equal(passed_by(&size),
			 live_target_rollup(&target, "AnonHugePages") >= all ? all : 0);
}

/* The first test of a page makes it old. */
static void the_filter_young_makes_old(void **state)
{
	struct damos *scheme = scheme_new(DAMOS_STAT);
	uint64_t all;

	live_target_start(&target, "--cold 16 --hot 2");
	all = target.parts[0].end - target.parts[0].start;
	add_filter(scheme, DAMOS_FILTER_YOUNG, true, true);
	add_addresses(scheme, target.parts[0].start, target.parts[0].end);
	add_scheme(scheme);
	start();
	assert_true(live_monitor_windows(&monitor, 6));
	/* Filled before the first test, and never used since; somebody else's traces take another test. */
	assert_in_range(stop_and_look(0)->sz_ops_filter_passed, all - all / 20, 2 * all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE(pageout_takes_idle_memory_only),
		LIVE(pageout_with_the_engine_scan),
		LIVE(pageout_takes_idle_anonymous_memory_only),
		LIVE(willneed_brings_swapped_memory_back),
		LIVE(quotas_hold),
		LIVE(lru_prio_activates_and_cold_deactivates),
		LIVE(lru_prio_leaves_absent_memory_out),
		LIVE(willneed_brings_a_file_back),
		LIVE(collapse_makes_huge_pages),
		LIVE(hugepage_makes_them_by_collapsing),
		LIVE(migrating_to_the_same_node_does_nothing),
		LIVE(migrate_moves_to_the_nodes_named),
		LIVE(filters_tell_pages_apart),
		LIVE(the_filter_young_makes_old),
	};

	if (live_skip_all(1024))
		return 0;
	live_choose_tests();
	return cmocka_run_group_tests(tests, setup, teardown);
}
