/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Pages of the engine scan: counting, shares of regions, heat by runs, and the choice of a method.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <udamon/ops.h>

#include "access/arch.h"
#include "access/scan_plan.h"

#define PAGE	4096ULL
#define BASE	(16 * TWO_MIB)
#define TWO_MIB (2ULL << 20)
#define YOUNG	(ARCH_ENTRY_PRESENT | ARCH_ENTRY_ACCESSED)
#define OLD	ARCH_ENTRY_PRESENT
#define UNIT	4096

static struct scan_blocks blocks;
static uint64_t table[PAGE_TABLE_ENTRIES];

static int set_up(void **state)
{
	memset(table, 0, sizeof(table));
	return 0;
}

static int clear(void **state)
{
	scan_blocks_clear(&blocks);
	return 0;
}

static void take_table(uint64_t addr)
{
	struct page_leaf leaf = {.addr = addr, .table = table};

	assert_int_equal(scan_blocks_take(&blocks, &leaf), 0);
}

static void take_huge(uint64_t addr, uint8_t flags)
{
	struct page_leaf leaf = {.addr = addr, .state = {.flags = flags, .leaf_shift = 21}};

	assert_int_equal(scan_blocks_take(&blocks, &leaf), 0);
}

/* The blocks as one table at BASE. */
static void read_one_table(void)
{
	scan_blocks_begin(&blocks);
	take_table(BASE);
	scan_blocks_end(&blocks);
}

static void counts_each_kind_of_entry(void **state)
{
	const struct scan_block *block;

	table[0] = OLD;
	table[1] = YOUNG;
	table[2] = YOUNG | ARCH_ENTRY_SPECIAL;
	table[3] = ARCH_ENTRY_NO_ACCESS | ARCH_ENTRY_ACCESSED;
	table[4] = ARCH_ENTRY_ACCESSED; /* swapped out: the bit means something else */
	table[511] = YOUNG;
	read_one_table();
	block = blocks.blocks[0];
	assert_int_equal(block->words[0].mapped, 0xf);
	assert_int_equal(block->words[0].young, 0xe);
	assert_int_equal(block->words[0].special, 0x4);
	assert_int_equal(block->words[7].mapped, 1ULL << 63);
	assert_int_equal(block->words[7].young, 1ULL << 63);
	assert_int_equal(scan_block_unknown(block, 0), 0x4);
}

static uint32_t share_of(uint64_t start, uint64_t end)
{
	struct damon_addr_range range = {start, end};
	uint32_t access;

	scan_blocks_account(&blocks, &range, 1, UNIT, &access);
	return access;
}

static void gives_the_share_of_resident_pages(void **state)
{
	size_t i;

	for (i = 0; i < 100; i++)
		table[i] = i < 25 ? YOUNG : OLD;
	read_one_table();
	assert_int_equal(share_of(BASE, BASE + TWO_MIB), UNIT / 4);
	assert_int_equal(share_of(BASE, BASE + 25 * PAGE), UNIT);
	assert_int_equal(share_of(BASE + 25 * PAGE, BASE + 100 * PAGE), 0);
	assert_int_equal(share_of(BASE + 20 * PAGE, BASE + 30 * PAGE), UNIT / 2);
	/* Nothing is there. */
	assert_int_equal(share_of(BASE + 100 * PAGE, BASE + TWO_MIB), 0);
}

static void rounds_up_so_that_0_means_nothing(void **state)
{
	struct page_leaf leaf = {.addr = 1ULL << 30,
				 .state = {.flags = PAGE_MAPPED, .leaf_shift = 30}};

	table[0] = YOUNG;
	scan_blocks_begin(&blocks);
	take_table(BASE);
	assert_int_equal(scan_blocks_take(&blocks, &leaf), 0);
	scan_blocks_end(&blocks);
	assert_int_equal(share_of(0, 2ULL << 30), 1);
}

static void counts_huge_pages_by_their_size(void **state)
{
	size_t i;

	for (i = 0; i < PAGE_TABLE_ENTRIES; i++)
		table[i] = OLD;
	scan_blocks_begin(&blocks);
	take_table(BASE);
	take_huge(BASE + TWO_MIB, PAGE_MAPPED | PAGE_ACCESSED);
	scan_blocks_end(&blocks);
	assert_int_equal(share_of(BASE, BASE + 2 * TWO_MIB), UNIT / 2);
	/* Half of the huge page, and as much of the small ones. */
	assert_int_equal(share_of(BASE + TWO_MIB / 2, BASE + TWO_MIB + TWO_MIB / 2), UNIT / 2);
}

static void says_unknown_where_nothing_is_known(void **state)
{
	table[0] = YOUNG | ARCH_ENTRY_SPECIAL;
	table[1] = YOUNG;
	read_one_table();
	assert_int_equal(share_of(BASE, BASE + PAGE), DAMON_ACCESS_UNKNOWN);
	/* What is known counts alone. */
	assert_int_equal(share_of(BASE, BASE + 2 * PAGE), UNIT);
	blocks.blocks[0]->words[0].stuck = 2;
	assert_int_equal(share_of(BASE + PAGE, BASE + 2 * PAGE), DAMON_ACCESS_UNKNOWN);
}

static void says_unknown_where_most_is_unknown_and_the_rest_old(void **state)
{
	table[0] = YOUNG | ARCH_ENTRY_SPECIAL;
	table[1] = YOUNG | ARCH_ENTRY_SPECIAL;
	table[2] = YOUNG & ~ARCH_ENTRY_ACCESSED;
	table[3] = YOUNG & ~ARCH_ENTRY_ACCESSED;
	read_one_table();
	assert_int_equal(share_of(BASE, BASE + 3 * PAGE), DAMON_ACCESS_UNKNOWN);
	/* Half and half is enough to call it idle. */
	assert_int_equal(share_of(BASE, BASE + 4 * PAGE), 0);
}

struct runs {
	size_t nr;
	struct {
		uint64_t start, end, size;
		int32_t heat;
	} run[8];
};

static int note_run(void *data, uint64_t start, uint64_t end, uint64_t size, int32_t heat,
		    uint32_t samples)
{
	struct runs *runs = data;

	assert_true(runs->nr < 8);
	assert_int_equal(samples, 2);
	runs->run[runs->nr].start = start;
	runs->run[runs->nr].end = end;
	runs->run[runs->nr].size = size;
	runs->run[runs->nr++].heat = heat;
	return 0;
}

static void assert_run(const struct runs *runs, size_t idx, uint64_t start, uint64_t end,
		       int32_t heat)
{
	assert_int_equal(runs->run[idx].start, start);
	assert_int_equal(runs->run[idx].end, end);
	assert_int_equal(runs->run[idx].heat, heat);
}

static void tells_heat_by_runs(void **state)
{
	struct runs runs = {};
	int round;
	size_t i;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < 10; i++)
			table[i] = i < 5 || round ? YOUNG : OLD;
		table[20] = YOUNG | ARCH_ENTRY_SPECIAL;
		scan_blocks_begin(&blocks);
		take_table(BASE);
		take_huge(BASE + TWO_MIB, PAGE_MAPPED | PAGE_ACCESSED);
		scan_blocks_end(&blocks);
		scan_blocks_count_heat(&blocks);
	}
	scan_blocks_end_window(&blocks);
	assert_int_equal(scan_blocks_runs(&blocks, note_run, &runs), 0);
	assert_int_equal(runs.nr, 4);
	assert_run(&runs, 0, BASE, BASE + 5 * PAGE, 2);
	assert_run(&runs, 1, BASE + 5 * PAGE, BASE + 10 * PAGE, 1);
	assert_run(&runs, 2, BASE + 20 * PAGE, BASE + 21 * PAGE, -1);
	assert_run(&runs, 3, BASE + TWO_MIB, BASE + 2 * TWO_MIB, 2);
	assert_int_equal(runs.run[3].size, TWO_MIB);
}

static void forgets_what_is_unmapped_and_split(void **state)
{
	scan_blocks_begin(&blocks);
	take_table(BASE);
	take_huge(BASE + TWO_MIB, PAGE_MAPPED);
	take_table(BASE + 2 * TWO_MIB);
	scan_blocks_end(&blocks);
	table[0] = YOUNG;
	scan_blocks_begin(&blocks);
	take_table(BASE + TWO_MIB); /* split into small pages */
	scan_blocks_end(&blocks);
	assert_int_equal(blocks.nr, 1);
	assert_int_equal(blocks.blocks[0]->page_shift, 12);
	assert_int_equal(blocks.blocks[0]->words[0].young, 1);
}

static void keeps_the_last_window_of_a_process_that_ended(void **state)
{
	struct runs runs = {};
	int round;

	table[0] = YOUNG;
	for (round = 0; round < 2; round++) {
		read_one_table();
		scan_blocks_count_heat(&blocks);
	}
	scan_blocks_end_window(&blocks);
	scan_blocks_begin(&blocks);
	scan_blocks_gone(&blocks);
	assert_int_equal(share_of(BASE, BASE + PAGE), 0);
	assert_int_equal(scan_blocks_runs(&blocks, note_run, &runs), 0);
	assert_int_equal(runs.nr, 1);
	assert_run(&runs, 0, BASE, BASE + PAGE, 2);
}

/* Plans: young pages at @first and each @step pages. */
static void plan_for(struct scan_plan *plan, size_t first, size_t step, uint64_t gap)
{
	struct damon_addr_range range = {BASE, BASE + TWO_MIB};
	struct watch_map map = {};
	size_t i;

	for (i = first; i < PAGE_TABLE_ENTRIES; i += step)
		table[i] = YOUNG;
	read_one_table();
	watch_map_begin(&map);
	assert_int_equal(watch_map_add(&map, BASE, BASE + 256 * PAGE, 0), 0);
	assert_int_equal(watch_map_add(&map, BASE + 256 * PAGE, BASE + TWO_MIB, 0), 0);
	watch_map_end(&map);
	assert_int_equal(scan_plan_runs(plan, &blocks, &map, &range, 1, gap), 0);
	watch_map_clear(&map);
}

static void joins_clusters_across_small_gaps_only(void **state)
{
	struct scan_plan plan = {};

	plan_for(&plan, 0, 8, 7);
	/* Two mappings. */
	assert_int_equal(plan.nr, 2);
	assert_int_equal(plan.nr_young, 64);
	assert_int_equal(plan.runs[0].start, BASE);
	assert_int_equal(plan.runs[0].end, BASE + 249 * PAGE);
	assert_int_equal(plan.runs[1].start, BASE + 256 * PAGE);
	plan_for(&plan, 0, 8, 6);
	assert_int_equal(plan.nr, 64);
	assert_int_equal(plan.nr_pages, 64);
	scan_plan_clear(&plan);
}

static const struct scan_prices prices = {
	.refs_page = 70, .flush_page = 2, .cold_page = 60, .cold_range = 2000, .check_page = 100};

static enum scan_method choose(uint64_t nr_pages, uint64_t nr_entries, double max_stall_ns,
			       bool possible, uint64_t nr_only_refs)
{
	struct scan_plan plan = {.nr = nr_pages ? 1 : 0,
				 .nr_small_runs = nr_pages ? 1 : 0,
				 .nr_pages = nr_pages,
				 .nr_young = nr_pages};
	struct scan_question question = {
		.prices = &prices,
		.plan = &plan,
		.nr_small = nr_entries,
		.max_stall_ns = max_stall_ns,
		.refs_possible = possible,
		.nr_only_refs = nr_only_refs,
	};

	return scan_choose(&question);
}

static void chooses_the_cheaper_method(void **state)
{
	assert_int_equal(choose(64, 262144, 20e6, true, 0), SCAN_CLUSTERS);
	assert_int_equal(choose(262144, 262144, 20e6, true, 0), SCAN_CLEAR_REFS);
	assert_int_equal(choose(0, 262144, 20e6, true, 0), SCAN_NOTHING);
}

static void keeps_to_the_permitted_stall(void **state)
{
	assert_int_equal(choose(262144, 262144, 18e6, true, 0), SCAN_CLUSTERS);
	assert_int_equal(choose(262144, 262144, 20e6, false, 0), SCAN_CLUSTERS);
}

static void prefers_what_clears_everything(void **state)
{
	assert_int_equal(choose(64, 262144, 20e6, true, 1), SCAN_CLEAR_REFS);
	assert_int_equal(choose(64, 262144, 1e6, true, 1), SCAN_CLUSTERS);
}

/*
 * 160,000 pages by clusters: 25.602 ms. clear_refs for 262,144 entries: 18.874 ms, and 300 ns for each page
 * held: with 22,426 of them 25.602 ms as well. But what only it clears must not be more than what is held.
 */
static void weighs_held_pages_against_clearing_them(void **state)
{
	struct scan_prices with_use = prices;
	struct scan_plan plan = {
		.nr = 1, .nr_small_runs = 1, .nr_pages = 160000, .nr_young = 160000};
	struct scan_question question = {.prices = &with_use,
					 .plan = &plan,
					 .nr_small = 262144,
					 .max_stall_ns = 20e6,
					 .refs_possible = true,
					 .nr_held = 22420};

	with_use.used_page = 300;
	assert_int_equal(scan_choose(&question), SCAN_CLEAR_REFS);
	question.nr_held = 22430;
	assert_int_equal(scan_choose(&question), SCAN_CLUSTERS);
	assert_true(scan_refs_surely(&question, 160000 + 100, 0));
	assert_false(scan_refs_surely(&question, 160000, 0));
	question.nr_only_refs = 22430;
	assert_int_equal(scan_choose(&question), SCAN_CLUSTERS);
	question.nr_only_refs = 22431;
	assert_int_equal(scan_choose(&question), SCAN_CLEAR_REFS);
}

static uint64_t nr_young(void)
{
	uint64_t nr_huge;

	return scan_plan_young(&blocks, &nr_huge);
}

/* The table's young pages in each of @nr sampling intervals. */
static void count_intervals(int nr)
{
	while (nr--) {
		read_one_table();
		scan_blocks_count_heat(&blocks);
	}
}

/* Page 0 and 511 are always in use, 1 missed one interval of the last window, 2 one of this, 3 is new. */
static void holds_what_was_always_touched(void **state)
{
	table[0] = table[511] = table[2] = YOUNG;
	table[1] = table[3] = OLD;
	count_intervals(1);
	table[1] = YOUNG;
	count_intervals(SCAN_HOLD_EVERY - 1);
	scan_blocks_end_window(&blocks);
	table[3] = YOUNG;
	count_intervals(1);
	table[2] = OLD;
	count_intervals(1);
	table[2] = YOUNG;
	read_one_table();
	assert_int_equal(scan_blocks_hold(&blocks, true), 2);
	assert_int_equal(blocks.blocks[0]->words[0].held, 0x1);
	assert_int_equal(blocks.blocks[0]->words[7].held, 1ULL << 63);
	assert_int_equal(nr_young(), 3);
	assert_int_equal(scan_blocks_hold(&blocks, false), 0);
	assert_int_equal(nr_young(), 5);
}

static void holds_nothing_known_from_a_short_window(void **state)
{
	table[0] = YOUNG;
	count_intervals(SCAN_HOLD_EVERY - 1);
	scan_blocks_end_window(&blocks);
	read_one_table();
	assert_int_equal(scan_blocks_hold(&blocks, true), 0);
	count_intervals(SCAN_HOLD_EVERY);
	scan_blocks_end_window(&blocks);
	read_one_table();
	assert_int_equal(scan_blocks_hold(&blocks, true), 1);
}

/* What nobody could clear once says nothing about its use. */
static void holds_nothing_that_was_unknown(void **state)
{
	table[0] = table[1] = YOUNG;
	count_intervals(SCAN_HOLD_EVERY);
	blocks.blocks[0]->words[0].stuck = 1;
	scan_blocks_count_heat(&blocks);
	scan_blocks_end_window(&blocks);
	assert_int_equal(scan_blocks_hold(&blocks, true), 1);
	assert_int_equal(blocks.blocks[0]->words[0].held, 0x2);
}

static void holds_huge_pages_too(void **state)
{
	int i;

	for (i = 0; i <= SCAN_HOLD_EVERY; i++) {
		scan_blocks_begin(&blocks);
		take_huge(BASE, PAGE_MAPPED | PAGE_ACCESSED);
		scan_blocks_end(&blocks);
		scan_blocks_count_heat(&blocks);
	}
	scan_blocks_end_window(&blocks);
	assert_int_equal(scan_blocks_hold(&blocks, true), 1);
	assert_int_equal(nr_young(), 0);
}

static void says_what_was_touched_in_a_window(void **state)
{
	uint64_t touched[SCAN_WORDS];

	table[1] = YOUNG;
	table[70] = OLD;
	read_one_table();
	scan_blocks_count_heat(&blocks);
	scan_blocks_touched(&blocks, BASE, false, touched);
	assert_int_equal(touched[0], 0x2);
	assert_int_equal(touched[1], 0);
	/* In the next window only where the last one counts as well. */
	scan_blocks_end_window(&blocks);
	scan_blocks_touched(&blocks, BASE, false, touched);
	assert_int_equal(touched[0], 0);
	scan_blocks_touched(&blocks, BASE, true, touched);
	assert_int_equal(touched[0], 0x2);
	scan_blocks_touched(&blocks, BASE + TWO_MIB, true, touched);
	assert_int_equal(touched[0], 0);
}

static void a_huge_page_is_touched_as_a_whole(void **state)
{
	uint64_t touched[SCAN_WORDS];

	scan_blocks_begin(&blocks);
	take_huge(BASE, PAGE_MAPPED | PAGE_ACCESSED);
	scan_blocks_end(&blocks);
	scan_blocks_count_heat(&blocks);
	scan_blocks_touched(&blocks, BASE, false, touched);
	assert_int_equal(touched[0], UINT64_MAX);
	assert_int_equal(touched[SCAN_WORDS - 1], UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(counts_each_kind_of_entry, set_up, clear),
		cmocka_unit_test_setup_teardown(gives_the_share_of_resident_pages, set_up, clear),
		cmocka_unit_test_setup_teardown(rounds_up_so_that_0_means_nothing, set_up, clear),
		cmocka_unit_test_setup_teardown(counts_huge_pages_by_their_size, set_up, clear),
		cmocka_unit_test_setup_teardown(says_unknown_where_nothing_is_known, set_up, clear),
		cmocka_unit_test_setup_teardown(says_unknown_where_most_is_unknown_and_the_rest_old,
						set_up, clear),
		cmocka_unit_test_setup_teardown(tells_heat_by_runs, set_up, clear),
		cmocka_unit_test_setup_teardown(forgets_what_is_unmapped_and_split, set_up, clear),
		cmocka_unit_test_setup_teardown(keeps_the_last_window_of_a_process_that_ended,
						set_up, clear),
		cmocka_unit_test_setup_teardown(joins_clusters_across_small_gaps_only, set_up,
						clear),
		cmocka_unit_test_setup_teardown(chooses_the_cheaper_method, set_up, clear),
		cmocka_unit_test_setup_teardown(keeps_to_the_permitted_stall, set_up, clear),
		cmocka_unit_test_setup_teardown(prefers_what_clears_everything, set_up, clear),
		cmocka_unit_test_setup_teardown(weighs_held_pages_against_clearing_them, set_up,
						clear),
		cmocka_unit_test_setup_teardown(holds_what_was_always_touched, set_up, clear),
		cmocka_unit_test_setup_teardown(holds_nothing_known_from_a_short_window, set_up,
						clear),
		cmocka_unit_test_setup_teardown(holds_nothing_that_was_unknown, set_up, clear),
		cmocka_unit_test_setup_teardown(holds_huge_pages_too, set_up, clear),
		cmocka_unit_test_setup_teardown(says_what_was_touched_in_a_window, set_up, clear),
		cmocka_unit_test_setup_teardown(a_huge_page_is_touched_as_a_whole, set_up, clear),
	};

	return cmocka_run_group_tests_name("scan_blocks", tests, NULL, NULL);
}
