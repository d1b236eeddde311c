/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * How the engine scan chooses a way of clearing where there are huge pages: what is counted, prices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "access/arch.h"
#include "access/scan_plan.h"

#define PAGE	4096ULL
#define TWO_MIB (2ULL << 20)
#define BASE	(16 * TWO_MIB)
#define YOUNG	(ARCH_ENTRY_PRESENT | ARCH_ENTRY_ACCESSED)

static const struct scan_prices prices = {
	.refs_page = 70,
	.refs_huge = 400,
	.flush_page = 2,
	.flush_huge = 30,
	.cold_page = 60,
	.cold_range = 2000,
	.cold_huge = 300,
	.check_page = 100,
};

static void assert_ns(const char *what, double ns, double expected)
{
	if (ns < expected - 0.01 || ns > expected + 0.01)
		fail_msg("%s: expected %.2f ns, got %.2f", what, expected, ns);
}

static void take_huge(struct scan_blocks *blocks, uint64_t addr, uint8_t flags)
{
	struct page_leaf leaf = {.addr = addr, .state = {.flags = flags, .leaf_shift = 21}};

	assert_int_equal(scan_blocks_take(blocks, &leaf), 0);
}

/* A table with young pages 0 to 2, 10 and 511, then huge pages: two young ones, an old one, a young one. */
static void take_all(struct scan_blocks *blocks)
{
	static uint64_t table[PAGE_TABLE_ENTRIES];
	struct page_leaf leaf = {.addr = BASE, .table = table};

	memset(table, 0, sizeof(table));
	table[0] = table[1] = table[2] = table[10] = table[511] = YOUNG;
	scan_blocks_begin(blocks);
	assert_int_equal(scan_blocks_take(blocks, &leaf), 0);
	take_huge(blocks, BASE + TWO_MIB, PAGE_MAPPED | PAGE_ACCESSED);
	take_huge(blocks, BASE + 2 * TWO_MIB, PAGE_MAPPED | PAGE_ACCESSED);
	take_huge(blocks, BASE + 3 * TWO_MIB, PAGE_MAPPED);
	take_huge(blocks, BASE + 4 * TWO_MIB, PAGE_MAPPED | PAGE_ACCESSED);
	scan_blocks_end(blocks);
}

static void assert_run(const struct scan_plan *plan, size_t idx, uint64_t start, uint64_t end,
		       bool huge)
{
	const struct scan_run *run = &plan->runs[idx];

	if (run->start != start || run->end != end || run->huge != huge)
		fail_msg("run %zu: expected %#lx to %#lx, huge %d, got %#lx to %#lx, huge %d", idx,
			 start, end, huge, run->start, run->end, run->huge);
}

static void counts_huge_pages_apart_from_small_ones(void **state)
{
	struct damon_addr_range range = {BASE, BASE + 5 * TWO_MIB};
	struct scan_blocks blocks = {};
	struct scan_plan plan = {};
	struct watch_map map = {};
	uint64_t nr_huge;

	take_all(&blocks);
	assert_int_equal(blocks.nr_entries, 5 + 4);
	assert_int_equal(blocks.nr_huge, 4);
	watch_map_begin(&map);
	assert_int_equal(watch_map_add(&map, range.start, range.end, 0), 0);
	watch_map_end(&map);
	/* A gap of 512 pages would take the old huge page along. */
	assert_int_equal(scan_plan_runs(&plan, &blocks, &map, &range, 1, 512), 0);
	assert_int_equal(plan.nr, 3);
	assert_run(&plan, 0, BASE, BASE + TWO_MIB, false);
	assert_run(&plan, 1, BASE + TWO_MIB, BASE + 3 * TWO_MIB, true);
	assert_run(&plan, 2, BASE + 4 * TWO_MIB, BASE + 5 * TWO_MIB, true);
	assert_int_equal(plan.nr_pages, 512);
	assert_int_equal(scan_plan_runs(&plan, &blocks, &map, &range, 1, 7), 0);
	assert_int_equal(plan.nr, 4);
	assert_run(&plan, 0, BASE, BASE + 11 * PAGE, false);
	assert_int_equal(plan.nr_small_runs, 2);
	assert_int_equal(plan.nr_pages, 12);
	assert_int_equal(plan.nr_huge, 3);
	assert_int_equal(plan.nr_young, 8);
	assert_int_equal(scan_plan_young(&blocks, &nr_huge), 8);
	assert_int_equal(nr_huge, 3);
	/* What is gone is forgotten of both kinds. */
	scan_blocks_begin(&blocks);
	scan_blocks_gone(&blocks);
	assert_int_equal(blocks.nr_huge, 0);
	scan_plan_clear(&plan);
	watch_map_clear(&map);
	scan_blocks_clear(&blocks);
}

static void foresees_each_kind_by_its_own_prices(void **state)
{
	struct scan_plan plan = {
		.nr = 3, .nr_small_runs = 2, .nr_pages = 10, .nr_huge = 5, .nr_young = 15};

	/* 10 x (60 + 100) + 5 x 300 + 3 x 2000 */
	assert_ns("clusters", scan_clusters_ns(&prices, &plan), 9100);
	/* 1000 x 72 + 500 x 430 */
	assert_ns("clear_refs and flush", scan_refs_ns(&prices, 1000, 500), 287000);
	/* 1000 x 70 + 500 x 400 */
	assert_ns("stall", scan_stall_ns(&prices, 1000, 500), 270000);
}

/* 512 huge pages by clear_refs: 512 x 430 = 220,160 ns. */
static struct scan_question ask(const struct scan_prices *at, const struct scan_plan *plan)
{
	return (struct scan_question){
		.prices = at,
		.plan = plan,
		.nr_huge = 512,
		.max_stall_ns = 20e6,
		.refs_possible = true,
	};
}

static void takes_clear_refs_where_huge_pages_are_dear(void **state)
{
	const struct scan_plan plan = {.nr = 1, .nr_huge = 512, .nr_young = 512};
	struct scan_prices at = prices;
	struct scan_question question = ask(&at, &plan);

	/* 153,600 ns, and 2,000 for the range */
	assert_int_equal(scan_choose(&question), SCAN_CLUSTERS);
	assert_false(scan_refs_surely(&question, 512, 512));
	/* 222,720 ns without the range */
	at.cold_huge = 435;
	assert_int_equal(scan_choose(&question), SCAN_CLEAR_REFS);
	assert_true(scan_refs_surely(&question, 512, 512));
	/* 512 x 400 = 204,800 ns would be a stall. */
	question.max_stall_ns = 204799;
	assert_int_equal(scan_choose(&question), SCAN_CLUSTERS);
	assert_false(scan_refs_surely(&question, 512, 512));
}

static void needs_no_clusters_where_both_kinds_together_are_dear(void **state)
{
	const struct scan_plan plan = {};
	struct scan_question question = ask(&prices, &plan);

	/* clear_refs: 292,160 ns with 1000 small pages; 864 of them at 160 and 512 huge ones at 300: 291,840 */
	question.nr_small = 1000;
	assert_false(scan_refs_surely(&question, 864 + 512, 512));
	/* 292,000 and then 292,160 aren't more; 292,320 are. */
	assert_false(scan_refs_surely(&question, 866 + 512, 512));
	assert_true(scan_refs_surely(&question, 867 + 512, 512));
}

static void learns_the_price_of_what_was_there(void **state)
{
	double page = 70, huge = 400;

	/* 110 ns each: a quarter of the way. */
	scan_share_price(&page, &huge, 110000, 1000, 0);
	assert_ns("small", page, 80);
	assert_ns("huge", huge, 400);
	scan_share_price(&page, &huge, 60000, 0, 100);
	assert_ns("small", page, 80);
	assert_ns("huge", huge, 450);
	/* From nothing nothing can be learnt. */
	scan_share_price(&page, &huge, 60000, 0, 0);
	assert_ns("small", page, 80);
}

static void shares_what_both_took_as_it_was_foreseen(void **state)
{
	double page = 60, huge = 400;

	/* Foreseen were 60 + 40 us. */
	scan_share_price(&page, &huge, 100000, 1000, 100);
	assert_ns("small, as foreseen", page, 60);
	assert_ns("huge, as foreseen", huge, 400);
	/* Twice that: a quarter more, 60 and 40 % of it. */
	scan_share_price(&page, &huge, 200000, 1000, 100);
	assert_ns("small", page, 69);
	assert_ns("huge", huge, 440);
}

static void tries_a_dear_way_again_after_a_while(void **state)
{
	double price = 3000;
	int cycles = 0;

	/* 3000 x 0.97^63 = 440, 3000 x 0.97^64 = 427: then it is less than 430. */
	while (price > prices.refs_huge + prices.flush_huge && cycles < 1000) {
		scan_fade_huge(&price);
		cycles++;
	}
	assert_int_equal(cycles, 64);
}

static void believes_at_once_that_huge_pages_are_cheap(void **state)
{
	double price = 300;

	scan_learn_huge(&price, 2700);
	assert_ns("dear once", price, 900);
	scan_learn_huge(&price, 2700);
	assert_ns("dear twice", price, 1350);
	scan_learn_huge(&price, 250);
	assert_ns("cheap", price, 250);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_huge_pages_apart_from_small_ones),
		cmocka_unit_test(foresees_each_kind_by_its_own_prices),
		cmocka_unit_test(takes_clear_refs_where_huge_pages_are_dear),
		cmocka_unit_test(needs_no_clusters_where_both_kinds_together_are_dear),
		cmocka_unit_test(learns_the_price_of_what_was_there),
		cmocka_unit_test(shares_what_both_took_as_it_was_foreseen),
		cmocka_unit_test(tries_a_dear_way_again_after_a_while),
		cmocka_unit_test(believes_at_once_that_huge_pages_are_cheap),
	};

	return cmocka_run_group_tests_name("scan_plan", tests, NULL, NULL);
}
