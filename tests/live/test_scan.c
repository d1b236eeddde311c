// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The engine scan on a process whose pattern is known: is every page told right?
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <udamon/ops.h>

#include "access/pagemap.h"
#include "access/scan.h"
#include "access/scan_internal.h"
#include "live.h"
#include "toucher.h"

#define MIB (1ULL << 20)
/* The memory that hot sets lie in: as much of this, or of what a slow machine is said to take, as there is. */
#define MOST_AREA_MIB  1024
#define LEAST_AREA_MIB 256
#define SPARE_MIB      128
#define MIB_PAGES      (MIB / TOUCHER_PAGE)
#define ROUNDS	       5
#define LEAST_SHARE    99.0

static uint64_t area_mib = MOST_AREA_MIB;

static struct page_calibration calibration;
static struct toucher toucher;
static struct scan_engine *engine;
static struct scan_target *target;
static struct watch_map map;

/* Each process has its own, started anew for each test: what is old or young is then known. */
static void watch_by(uint64_t size, bool huge, const struct scan_options *options)
{
	struct damon_error err;
	int ret;

	if (toucher.pid <= 0)
		toucher_start(&toucher, size, huge);
	ret = scan_engine_new(&engine, &calibration, options, &err);
	if (!ret)
		ret = scan_target_new(&target, engine, toucher.pidfd, toucher.pid, &map, &err);
	live_skip_if_busy(ret, &err);
	if (ret)
		fail_msg("%s", err.text);
	watch_map_begin(&map);
	assert_int_equal(
		watch_map_add(&map, (uintptr_t)toucher.area, (uintptr_t)toucher.area + size, 0), 0);
	watch_map_end(&map);
}

static void watch(uint64_t size, bool huge, bool no_flush, uint64_t max_stall_us)
{
	struct scan_options options = {.max_stall_us = max_stall_us, .no_flush = no_flush};

	watch_by(size, huge, &options);
}

static void stop_watching(void)
{
	scan_target_free(target);
	scan_engine_free(engine);
	watch_map_clear(&map);
	target = NULL;
	engine = NULL;
}

static int stop_all(void **state)
{
	stop_watching();
	toucher_stop(&toucher);
	return 0;
}

struct score {
	uint64_t right, wrong, missed, unknown;
};

static double per_cent(uint64_t part, uint64_t rest)
{
	return part + rest ? 100.0 * (double)part / (double)(part + rest) : 100.0;
}

static void score_page(struct score *score, bool touched, bool truth)
{
	score->right += touched && truth;
	score->wrong += touched && !truth;
	score->missed += !touched && truth;
}

static void score_pages(const struct toucher_pattern *pattern, struct score *score)
{
	const struct scan_blocks *blocks = scan_target_blocks(target);
	size_t i, page, nr;

	for (i = 0; i < blocks->nr; i++) {
		const struct scan_block *block = blocks->blocks[i];
		uint64_t first = (block->start - (uintptr_t)toucher.area) / TOUCHER_PAGE;

		nr = block->page_shift == 12 ? 512 : 1;
		for (page = 0; page < nr; page++) {
			bool young = block->words[page / 64].young >> (page % 64) & 1;
			bool unknown = scan_block_unknown(block, page / 64) >> (page % 64) & 1;

			score->unknown += unknown;
			score_page(score, young && !unknown,
				   toucher_touches(pattern, first + page));
		}
	}
}

/* One sampling interval in which the process goes through its pattern. */
static uint32_t interval(const struct toucher_pattern *pattern, struct score *score)
{
	struct damon_addr_range range = {(uintptr_t)toucher.area,
					 (uintptr_t)toucher.area + toucher.size};
	struct page_process process;
	uint32_t access;

	*score = (struct score){};
	toucher_set(&toucher, pattern);
	assert_int_equal(scan_prepare(target, &range, 1, true, &process), 0);
	toucher_round(&toucher);
	assert_int_equal(scan_check(target, &range, 1, &access, &process), 0);
	score_pages(pattern, score);
	return access;
}

static void tell(const char *what, const struct score *score)
{
	const struct scan_stat *stat = scan_engine_stat(engine);

	print_message("# %s: precision %.2f %%, recall %.2f %% (%lu pages right, %lu wrong, %lu "
		      "missed, %lu unknown); %lu intervals by clusters, %lu by clear_refs, %lu "
		      "without a flush\n",
		      what, per_cent(score->right, score->wrong),
		      per_cent(score->right, score->missed), score->right, score->wrong,
		      score->missed, score->unknown, stat->by_clusters, stat->by_refs,
		      stat->unflushed);
}

static void assert_exact(const char *what, const struct score *score)
{
	if ((per_cent(score->right, score->wrong) < LEAST_SHARE && score->wrong > 1) ||
	    (per_cent(score->right, score->missed) < LEAST_SHARE && score->missed > 1))
		fail_msg("%s: expected at least %.0f %% or at most one page wrong, got %lu right, "
			 "%lu wrong, %lu missed, %lu unknown",
			 what, LEAST_SHARE, score->right, score->wrong, score->missed,
			 score->unknown);
}

/* The first interval begins with all of the memory young; the later ones with what the pattern left. */
static void check_pattern(const char *what, struct toucher_pattern pattern, uint64_t step)
{
	struct score score;
	int i;

	watch(area_mib * MIB, false, false, 1000000);
	for (i = 0; i < ROUNDS; i++) {
		interval(&pattern, &score);
		if (i == 0 || i == ROUNDS - 1)
			tell(what, &score);
		assert_exact(what, &score);
		pattern.first += step;
	}
	stop_watching();
	/* The same without a flush, for everyone to see. Nothing is promised of it. */
	watch(area_mib * MIB, false, true, 1000000);
	for (i = 0; i < 2; i++)
		interval(&pattern, &score);
	tell("  the same without a flush", &score);
}

static void tells_a_hot_set_of_256_kib(void **state)
{
	check_pattern("256 KiB hot", (struct toucher_pattern){area_mib / 10 * MIB_PAGES, 64, 1}, 0);
}

static void tells_a_hot_set_of_4_mib(void **state)
{
	check_pattern("4 MiB hot",
		      (struct toucher_pattern){area_mib / 5 * MIB_PAGES, 4 * MIB_PAGES, 1}, 0);
}

static void tells_a_hot_set_of_64_mib(void **state)
{
	check_pattern("64 MiB hot",
		      (struct toucher_pattern){area_mib / 3 * MIB_PAGES, 64 * MIB_PAGES, 1}, 0);
}

static void tells_every_16th_page(void **state)
{
	check_pattern("every 16th page", (struct toucher_pattern){0, area_mib * MIB_PAGES / 16, 16},
		      0);
}

static void tells_a_moving_window(void **state)
{
	check_pattern("a window of 16 MiB that moves",
		      (struct toucher_pattern){area_mib / 3 * MIB_PAGES, 16 * MIB_PAGES, 1},
		      16 * MIB_PAGES);
}

/* The stall of clear_refs is more than is allowed: clusters have to do. */
static void tells_by_clusters_where_a_stall_is_forbidden(void **state)
{
	struct toucher_pattern pattern = {64 * MIB_PAGES, 32 * MIB_PAGES, 1};
	struct score score;
	int i;

	watch(256 * MIB, false, false, 1);
	for (i = 0; i < ROUNDS; i++) {
		interval(&pattern, &score);
		assert_exact("by clusters only", &score);
	}
	tell("by clusters only", &score);
	assert_int_equal(scan_engine_stat(engine)->by_refs, 0);
}

/*
 * As on kernels that keep soft-dirty marks. Where no pair was found, what was in use before is unknown; where
 * one was, as exact as otherwise. 8,192 pages are more than a TLB holds, so there pairs are found.
 */
static void flushes_by_a_pair_of_pages(void **state)
{
	struct toucher_pattern pattern = {0, 256 * MIB_PAGES / 8, 8};
	struct scan_options options = {.max_stall_us = 1000000, .pair_flush = true};
	struct score score;
	uint64_t unflushed = 0, nr_flushed = 0;
	int i;

	watch_by(256 * MIB, false, &options);
	assert_int_equal(scan_engine_flush(engine), SCAN_FLUSH_PAIR);
	for (i = 0; i < 4 * ROUNDS; i++) {
		interval(&pattern, &score);
		assert_true(score.wrong <= 1);
		if (scan_engine_stat(engine)->unflushed == unflushed) {
			assert_exact("flushed by a pair", &score);
			nr_flushed++;
		}
		unflushed = scan_engine_stat(engine)->unflushed;
	}
	tell("flushed by a pair", &score);
	assert_true(scan_engine_stat(engine)->by_refs >= 3 * ROUNDS);
	assert_true(nr_flushed > 0);
}

/* How much is mapped by huge pages; a test is skipped where the kernel hadn't enough of them. */
static void need_huge_pages(uint64_t nr)
{
	const struct scan_blocks *blocks = scan_target_blocks(target);

	if (blocks->nr_huge < nr) {
		print_message("# SKIP the kernel gave only %lu huge pages of %lu\n",
			      blocks->nr_huge, nr);
		skip();
	}
}

static void tells_huge_pages(void **state)
{
	struct toucher_pattern pattern = {0, 16, 512};
	struct score score;
	int i;

	watch(128 * MIB, true, false, 1000000);
	for (i = 0; i < ROUNDS; i++)
		interval(&pattern, &score);
	need_huge_pages(64);
	tell("16 huge pages hot", &score);
	assert_int_equal(score.right, 16);
	assert_int_equal(score.wrong, 0);
	/* 32 of 128 MiB */
	assert_int_equal(interval(&pattern, &score), SCAN_ACCESS_UNIT / 4);
	assert_int_equal(scan_target_blocks(target)->nr, 64);
}

/* Now one half of the huge pages is in use, now the other; they are cleared now by clear_refs, now by clusters. */
static void tells_huge_pages_however_they_are_cleared(void **state)
{
	struct toucher_pattern pattern = {0, 64, 512};
	struct score score;
	int i;

	watch(256 * MIB, true, false, 1000000);
	interval(&pattern, &score);
	need_huge_pages(128);
	for (i = 0; i < 4 * ROUNDS; i++) {
		target->cold_huge_ns = i / 2 % 2 ? 0 : 1e9;
		pattern.first = i % 2 * 64 * 512;
		interval(&pattern, &score);
		if (score.right != 64 || score.wrong || score.unknown)
			fail_msg("interval %d: expected 64 huge pages in use, got %lu right, %lu "
				 "wrong, %lu unknown",
				 i, score.right, score.wrong, score.unknown);
	}
	tell("64 of 128 huge pages hot", &score);
	assert_true(scan_engine_stat(engine)->by_clusters >= 2 * ROUNDS);
	/* Where it can be flushed without a pair of small pages, which aren't there. */
	if (scan_engine_flush(engine) == SCAN_FLUSH_REFS)
		assert_true(scan_engine_stat(engine)->by_refs >= 2 * ROUNDS);
}

/* What is made old by clusters in an interval in which @nr huge pages are in use, each @step'th. */
static void clear_huge_pages(uint64_t nr, uint64_t step, uint64_t *cleared, uint64_t *interrupts)
{
	struct toucher_pattern pattern = {0, nr, step * 512};
	struct score score;

	interval(&pattern, &score);
	interval(&pattern, &score);
	assert_int_equal(score.right, nr);
	*cleared = scan_engine_stat(engine)->clears;
	*interrupts = scan_engine_stat(engine)->interrupts;
	interval(&pattern, &score);
	*cleared = scan_engine_stat(engine)->clears - *cleared;
	*interrupts = scan_engine_stat(engine)->interrupts - *interrupts;
	assert_int_equal(scan_engine_stat(engine)->by_refs, 0);
}

/* Nothing but clusters is allowed. The kernel flushes when it is through with a range. */
static void counts_an_interrupt_for_each_range_of_huge_pages(void **state)
{
	struct toucher_pattern nothing = {0, 0, 1};
	uint64_t cleared, interrupts;
	struct score score;

	watch(128 * MIB, true, false, 1);
	interval(&nothing, &score);
	need_huge_pages(64);
	clear_huge_pages(40, 1, &cleared, &interrupts);
	assert_int_equal(cleared, 40);
	assert_int_equal(interrupts, 1);
	clear_huge_pages(20, 2, &cleared, &interrupts);
	assert_int_equal(cleared, 20);
	assert_int_equal(interrupts, 20);
}

static void gives_a_region_its_exact_share(void **state)
{
	struct toucher_pattern pattern = {0, 16 * MIB_PAGES, 1};
	struct score score;
	uint32_t access;

	watch(64 * MIB, false, false, 1000000);
	interval(&pattern, &score);
	access = interval(&pattern, &score);
	/*
	 * The share is that of the bits, to the unit. The bits themselves may miss a page: where the
	 * kernel's DAMON watches physical memory it clears the bits of random pages, and doesn't flush
	 * them (docs/engines.md). Nothing sets a bit that shouldn't be.
	 */
	assert_int_equal(access, (SCAN_ACCESS_UNIT * score.right + (64 * MIB_PAGES) - 1) /
					 (64 * MIB_PAGES));
	assert_int_equal(score.wrong, 0);
	assert_exact("a quarter", &score);
	pattern.nr = 1;
	assert_int_equal(interval(&pattern, &score), 1);
	pattern.nr = 0;
	assert_int_equal(interval(&pattern, &score), 0);
}

static void window(const struct toucher_pattern *pattern, int nr)
{
	struct score score;

	while (nr--) {
		interval(pattern, &score);
		assert_exact("while saving", &score);
	}
	scan_end_window(target);
}

/* What is always in use is made old each fourth time, and found in use each time; that it isn't any more is found out. */
static void spares_pages_that_stay_in_use(void **state)
{
	struct toucher_pattern pattern = {0, 16 * MIB_PAGES, 1};
	struct score score;
	uint64_t clears;
	int nr_wrong;

	watch(64 * MIB, false, false, 1000000);
	scan_target_save(target, true);
	window(&pattern, 2 * SCAN_HOLD_EVERY);
	assert_int_equal(scan_engine_stat(engine)->held, 0);
	clears = scan_engine_stat(engine)->clears;
	window(&pattern, 2 * SCAN_HOLD_EVERY);
	clears = scan_engine_stat(engine)->clears - clears;
	/* Twice all of them, instead of eight times; some may have lost their mark to somebody else. */
	assert_in_range(clears, pattern.nr, 3 * pattern.nr);
	assert_in_range(scan_engine_stat(engine)->held, 5 * pattern.nr, 6 * pattern.nr);
	pattern.first = 32 * MIB_PAGES;
	for (nr_wrong = 0; nr_wrong <= SCAN_HOLD_EVERY; nr_wrong++) {
		interval(&pattern, &score);
		assert_true(per_cent(score.right, score.missed) >= LEAST_SHARE);
		if (score.wrong <= 1)
			break;
	}
	assert_in_range(nr_wrong, 0, SCAN_HOLD_EVERY - 1);
	scan_target_save(target, false);
	scan_end_window(target);
	clears = scan_engine_stat(engine)->clears;
	window(&pattern, 2);
	assert_in_range(scan_engine_stat(engine)->clears - clears, pattern.nr, 2 * pattern.nr + 1);
}

/* Pages of the first @nr whose soft-dirty marks are set. */
static uint64_t nr_soft_dirty(uint64_t nr)
{
	int fd = pagemap_open(toucher.pid);
	uint64_t entries[512], page, marked = 0;
	size_t i;

	assert_true(fd >= 0);
	for (page = 0; page < nr; page += 512) {
		assert_int_equal(pagemap_read(fd, (uintptr_t)toucher.area + page * TOUCHER_PAGE,
					      entries, 512),
				 0);
		for (i = 0; i < 512; i++)
			marked += entries[i] >> 55 & 1;
	}
	close(fd);
	return marked;
}

/* Somebody else, a program that copies processes, say, watches by these marks what was written. */
static void leaves_soft_dirty_marks_as_they_are(void **state)
{
	struct toucher_pattern pattern = {0, 24 * MIB_PAGES, 1};
	struct score score;
	char path[64];
	int fd, i;

	if (!scan_kernel_soft_dirty()) {
		print_message("# SKIP this kernel keeps no such marks\n");
		skip();
	}
	watch(64 * MIB, false, false, 1000000);
	toucher_set(&toucher, &(struct toucher_pattern){0, 0, 1});
	snprintf(path, sizeof(path), "/proc/%d/clear_refs", (int)toucher.pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "4", 1), 1);
	close(fd);
	assert_int_equal(nr_soft_dirty(64 * MIB_PAGES), 0);
	toucher_set(&toucher, &pattern);
	toucher_round(&toucher);
	toucher_set(&toucher, &(struct toucher_pattern){0, 0, 1});
	assert_int_equal(nr_soft_dirty(64 * MIB_PAGES), pattern.nr);
	/* By clear_refs, of which there must have been some, and by clusters. */
	pattern.nr = 8 * MIB_PAGES;
	for (i = 0; i < ROUNDS; i++)
		interval(&pattern, &score);
	tell("while somebody else looks for written pages", &score);
	assert_true(scan_engine_stat(engine)->by_refs > 0);
	assert_int_equal(nr_soft_dirty(64 * MIB_PAGES), 24 * MIB_PAGES);
}

static void leaves_all_alone_under_pressure(void **state)
{
	struct damon_addr_range range;
	struct page_process process;
	uint32_t access;

	watch(16 * MIB, false, false, 1000000);
	range = (struct damon_addr_range){(uintptr_t)toucher.area,
					  (uintptr_t)toucher.area + toucher.size};
	assert_int_equal(scan_prepare(target, &range, 1, false, &process), 0);
	assert_int_equal(scan_check(target, &range, 1, &access, &process), 0);
	assert_int_equal(access, DAMON_ACCESS_UNKNOWN);
	assert_int_equal(scan_engine_stat(engine)->clears, 0);
}

static void takes_an_exit_for_no_memory(void **state)
{
	struct damon_addr_range range;
	struct toucher_pattern pattern = {0, MIB_PAGES, 1};
	struct page_process process;
	struct score score;
	uint32_t access = 1;

	watch(16 * MIB, false, false, 1000000);
	range = (struct damon_addr_range){(uintptr_t)toucher.area,
					  (uintptr_t)toucher.area + toucher.size};
	interval(&pattern, &score);
	assert_int_equal(scan_prepare(target, &range, 1, true, &process), 0);
	toucher_stop(&toucher);
	assert_int_equal(scan_check(target, &range, 1, &access, &process), 0);
	assert_int_equal(access, 0);
	assert_int_equal(process.mm, 0);
	assert_int_equal(scan_prepare(target, &range, 1, true, &process), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(tells_a_hot_set_of_256_kib, stop_all),
		cmocka_unit_test_teardown(tells_a_hot_set_of_4_mib, stop_all),
		cmocka_unit_test_teardown(tells_a_hot_set_of_64_mib, stop_all),
		cmocka_unit_test_teardown(tells_every_16th_page, stop_all),
		cmocka_unit_test_teardown(tells_a_moving_window, stop_all),
		cmocka_unit_test_teardown(tells_by_clusters_where_a_stall_is_forbidden, stop_all),
		cmocka_unit_test_teardown(flushes_by_a_pair_of_pages, stop_all),
		cmocka_unit_test_teardown(tells_huge_pages, stop_all),
		cmocka_unit_test_teardown(tells_huge_pages_however_they_are_cleared, stop_all),
		cmocka_unit_test_teardown(counts_an_interrupt_for_each_range_of_huge_pages,
					  stop_all),
		cmocka_unit_test_teardown(gives_a_region_its_exact_share, stop_all),
		cmocka_unit_test_teardown(spares_pages_that_stay_in_use, stop_all),
		cmocka_unit_test_teardown(leaves_soft_dirty_marks_as_they_are, stop_all),
		cmocka_unit_test_teardown(leaves_all_alone_under_pressure, stop_all),
		cmocka_unit_test_teardown(takes_an_exit_for_no_memory, stop_all),
	};
	const char *slower = getenv("UDAMON_LIVE_AREA_MIB");
	struct damon_error err;

	if (slower && strtoull(slower, NULL, 10) >= LEAST_AREA_MIB)
		area_mib = strtoull(slower, NULL, 10);
	while (area_mib > LEAST_AREA_MIB && !live_has_memory(area_mib + SPARE_MIB))
		area_mib /= 2;
	if (live_skip_all((unsigned int)area_mib + SPARE_MIB))
		return 0;
	print_message("# hot sets lie in %lu MiB\n", area_mib);
	if (page_calibrate(&calibration, &err)) {
		print_message("# %s\n", err.text);
		return 1;
	}
	live_choose_tests();
	return cmocka_run_group_tests_name("scan", tests, NULL, NULL);
}
