/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What actions and filters of schemes do to the pages of simulated programs. */
#include "sim_world.h"

static void willneed_brings_back_what_was_paged_out(void **state)
{
	struct sim_machine_stat stat;
	struct world w;

	set_up(&w, "a, 65536, none\n#! file: a, 8192\n\np\n10000\na, 0, 4096, 1\n", 1000, NULL);
	/* Never touched: of a file it can be read ahead, of the rest there is nothing. */
	assert_int_equal(act(&w, 0, DAMOS_WILLNEED, 0, 0, 16), 2);
	assert_int_equal(act(&w, 16, DAMOS_PAGEOUT, 0, 4, 8), 8);
	assert_int_equal(act(&w, 16, DAMOS_WILLNEED, 0, 0, 10), 6);
	stat = stat_at(&w, 32);
	assert_int_equal(stat.refaults, 2);
	assert_int_equal(stat.read_in, 8);
	tear_down(&w);
}

/* Filters. */

/* Bytes of STAT over everything, in pages: what passes. */
static uint64_t passing(struct world *w, uint64_t t_ms)
{
	uint64_t nr;

	nr = act(w, t_ms, DAMOS_STAT, 0, 0, 64);
	assert_int_equal(nr, w->passed / PAGE);
	w->scheme.nr_filters = 0;
	return nr;
}

static void filters_decide_in_order(void **state)
{
	struct world w;

	/* a: 16 anonymous; b: 4 of a file, then 12 anonymous, in /web. */
	set_up(&w,
	       "a, 65536, none\nb, 65536, none\n#! file: b, 16384\n#! memcg: b, /web\n"
	       "\np\n10000\na, 0, 4096, 1\nb, 0, 4096, 1\n",
	       2000, NULL);
	assert_int_equal(passing(&w, 16), 32);
	add_filter(&w, DAMOS_FILTER_ANON, true, true);
	assert_int_equal(passing(&w, 16), 28);
	add_filter(&w, DAMOS_FILTER_ANON, true, false);
	assert_int_equal(passing(&w, 16), 4);
	add_filter(&w, DAMOS_FILTER_ANON, false, true);
	assert_int_equal(passing(&w, 16), 4);
	add_filter(&w, DAMOS_FILTER_MEMCG, true, true);
	w.scheme.filters[0].memcg_path = "/web";
	assert_int_equal(passing(&w, 16), 16);
	add_filter(&w, DAMOS_FILTER_MEMCG, true, true);
	w.scheme.filters[0].memcg_path = "";
	assert_int_equal(passing(&w, 16), 16);
	/* Not of a file; of what is left, what is in /web; the rest not, for the last one allows. */
	add_filter(&w, DAMOS_FILTER_ANON, false, false);
	add_filter(&w, DAMOS_FILTER_MEMCG, true, true);
	w.scheme.filters[1].memcg_path = "web";
	assert_int_equal(passing(&w, 16), 12);
	/* The other way round the first takes the file's pages too, and what neither matches passes. */
	add_filter(&w, DAMOS_FILTER_MEMCG, true, true);
	w.scheme.filters[0].memcg_path = "web";
	add_filter(&w, DAMOS_FILTER_ANON, false, false);
	assert_int_equal(passing(&w, 16), 32);
	/* Filters of the core are none of ours, and where they allowed ours aren't asked. */
	add_filter(&w, DAMOS_FILTER_ANON, true, false);
	add_filter(&w, DAMOS_FILTER_TARGET, true, true);
	assert_int_equal(passing(&w, 16), 4);
	add_filter(&w, DAMOS_FILTER_ANON, true, false);
	w.scheme.core_filters_allowed = true;
	assert_int_equal(passing(&w, 16), 32);
	tear_down(&w);
}

static void young_means_touched_since_it_was_asked_last(void **state)
{
	struct world w;

	set_up(&w, IN_TURN, 1000, NULL);
	add_filter(&w, DAMOS_FILTER_YOUNG, true, true);
	assert_int_equal(passing(&w, 16), 16);
	add_filter(&w, DAMOS_FILTER_YOUNG, true, true);
	assert_int_equal(passing(&w, 16), 0);
	/* 16 to 21 ms: pages 0 to 4. */
	add_filter(&w, DAMOS_FILTER_YOUNG, true, false);
	assert_int_equal(passing(&w, 21), 11);
	add_filter(&w, DAMOS_FILTER_YOUNG, true, true);
	assert_int_equal(passing(&w, 23), 2);
	tear_down(&w);
}

static void the_active_are_those_that_were_made_so(void **state)
{
	struct world w;

	set_up(&w, IN_TURN, 1000, NULL);
	assert_int_equal(act(&w, 16, DAMOS_LRU_PRIO, 0, 3, 7), 7);
	add_filter(&w, DAMOS_FILTER_ACTIVE, true, true);
	assert_int_equal(passing(&w, 16), 7);
	assert_int_equal(act(&w, 16, DAMOS_LRU_DEPRIO, 0, 0, 5), 5);
	add_filter(&w, DAMOS_FILTER_ACTIVE, false, true);
	assert_int_equal(passing(&w, 16), 11);
	tear_down(&w);
}

/* Nodes. */

static void pages_move_where_there_is_room(void **state)
{
	const struct sim_machine_config config = {.memory = 100 * PAGE, .far_memory = 6 * PAGE};
	struct sim_machine_stat stat;
	struct world w;

	set_up(&w, IN_TURN, 1000, &config);
	w.scheme.target_nid = 1;
	assert_int_equal(act(&w, 16, DAMOS_MIGRATE_COLD, 0, 0, 4), 4);
	assert_int_equal(act(&w, 16, DAMOS_MIGRATE_COLD, 0, 0, 4), 0);
	assert_int_equal(act(&w, 16, DAMOS_MIGRATE_COLD, 0, 2, 10), 2);
	assert_int_equal(stat_at(&w, 16).far, 6 * PAGE);
	assert_int_equal(stat_at(&w, 16).resident, 16 * PAGE);
	/* 160 accesses, of which 6 of 16 go to the far node: 60. */
	stat = stat_at(&w, 176);
	assert_int_equal(stat.far_ns, 60 * SIM_FAR_NS);
	assert_int_equal(stat.refaults, 0);
	w.scheme.target_nid = 0;
	assert_int_equal(act(&w, 176, DAMOS_MIGRATE_HOT, 0, 0, 16), 6);
	assert_int_equal(stat_at(&w, 1000).far_ns, 60 * SIM_FAR_NS);
	/* What leaves memory comes back on node 0. */
	w.scheme.target_nid = 1;
	assert_int_equal(act(&w, 1000, DAMOS_MIGRATE_COLD, 0, 0, 4), 4);
	assert_int_equal(act(&w, 1000, DAMOS_PAGEOUT, 0, 0, 4), 4);
	assert_int_equal(stat_at(&w, 1100).far, 0);
	assert_int_equal(stat_at(&w, 1100).resident, 16 * PAGE);
	tear_down(&w);
}

static void pages_spread_by_weight(void **state)
{
	const struct sim_machine_config config = {.memory = 100 * PAGE, .far_memory = 100 * PAGE};
	struct world w;

	set_up(&w, IN_TURN, 1000, &config);
	w.scheme.nr_dests = 2;
	w.scheme.dests[0] = (struct damos_dest){0, 3};
	w.scheme.dests[1] = (struct damos_dest){1, 1};
	/* Each fourth page: 3, 7, 11, 15. */
	assert_int_equal(act(&w, 16, DAMOS_MIGRATE_HOT, 0, 0, 16), 4);
	assert_int_equal(w.machine->memories->areas->far[0], 0x8888);
	tear_down(&w);
}

static void a_node_that_is_not_there_is_refused(void **state)
{
	struct damon_addr_range ar = {0, UINT64_MAX};
	struct world w;

	set_up(&w, IN_TURN, 1000, NULL);
	w.scheme.action = DAMOS_MIGRATE_HOT;
	w.scheme.target_nid = 1;
	assert_int_equal(sim_apply(w.machine, w.machine->memories, &ar, &w.scheme, &w.applied,
				   &w.passed),
			 -ENODEV);
	assert_true(sim_machine_has_node(w.machine, 0));
	assert_false(sim_machine_has_node(w.machine, 1));
	assert_false(sim_machine_has_node(w.machine, -1));
	tear_down(&w);
}

/* Huge pages. */

static void collapse_fills_a_block(void **state)
{
	struct sim_machine_stat stat;
	struct world w;

	/* 3.5 blocks; in the first 100 ms the first 100 pages are touched. */
	set_up(&w, "a, 7340032, none\n\np\n10000\na, 0, 4096, 1\n", 1000, NULL);
	assert_int_equal(act(&w, 100, DAMOS_PAGEOUT, 0, 0, 10), 10);
	/* Only whole blocks, and only where there is something. */
	assert_int_equal(act(&w, 100, DAMOS_COLLAPSE, 0, 0, 511), 0);
	assert_int_equal(act(&w, 100, DAMOS_COLLAPSE, 0, 0, 1792), 512);
	stat = stat_at(&w, 100);
	assert_int_equal(stat.resident, HUGE);
	assert_int_equal(stat.read_in, 10);
	assert_int_equal(stat.refaults, 0);
	assert_int_equal(act(&w, 100, DAMOS_COLLAPSE, 0, 0, 1792), 0);
	add_filter(&w, DAMOS_FILTER_HUGEPAGE_SIZE, true, true);
	w.scheme.filters[0].sz_min = w.scheme.filters[0].sz_max = HUGE;
	act(&w, 613, DAMOS_STAT, 0, 0, 1792);
	assert_int_equal(w.passed, HUGE);
	w.scheme.nr_filters = 0;
	/* Part of it leaves: it is made of small pages again, of which one comes back each ms. */
	assert_int_equal(act(&w, 1792, DAMOS_PAGEOUT, 0, 0, 100), 100);
	assert_int_equal(refaults_at(&w, 1802), 10);
	assert_int_equal(w.machine->nr_odd, 0);
	tear_down(&w);
}

static void what_must_not_be_huge_is_not_collapsed(void **state)
{
	struct world w;

	set_up(&w, "a, 4194304, none\n\np\n10000\na, 0, 4096, 1\n", 1000, NULL);
	assert_int_equal(act(&w, 600, DAMOS_NOHUGEPAGE, 0, 0, 1024), 1024);
	assert_int_equal(act(&w, 600, DAMOS_NOHUGEPAGE, 0, 0, 1024), 0);
	assert_int_equal(act(&w, 600, DAMOS_COLLAPSE, 0, 0, 1024), 0);
	/* To ask for it takes the ban back. */
	assert_int_equal(act(&w, 600, DAMOS_HUGEPAGE, 0, 0, 512), 512);
	assert_int_equal(act(&w, 600, DAMOS_COLLAPSE, 0, 0, 1024), 0);
	tear_down(&w);
}

static void a_block_is_seen_as_one_page(void **state)
{
	uint64_t addrs[2], t0 = 600 * MS, t1 = 601 * MS;
	struct sim_plan *plan;
	uint32_t access[2];
	struct world w;

	set_up(&w, "a, 4194304, none\n\np\n10000\na, 0, 4096, 1\n", 1000, NULL);
	plan = calloc(1, sizeof(*plan) + sim_plan_size(w.space));
	assert_non_null(plan);
	sim_plan_init(plan, w.space, plan + 1);
	act(&w, 600, DAMOS_COLLAPSE, 0, 512, 512);
	assert_int_equal(w.machine->nr_odd, 1);
	/* Page 600 is touched, page 512 isn't, but lies in the same block. */
	addrs[0] = base(&w, 0) + 511 * PAGE;
	addrs[1] = base(&w, 0) + 512 * PAGE;
	sim_plan_set(plan, t0, t1);
	sim_memory_check(w.machine->memories, plan, 2, addrs, access);
	assert_int_equal(access[0], 0);
	assert_int_equal(access[1], 1);
	sim_plan_set(plan, 1024 * MS, 1536 * MS);
	sim_memory_check(w.machine->memories, plan, 2, addrs, access);
	assert_int_equal(access[0], 1);
	assert_int_equal(access[1], 0);
	free(plan);
	tear_down(&w);
}

static void huge_memory_comes_in_blocks(void **state)
{
	struct world w;

	set_up(&w, "a, 6291456, none\n#! huge: a\n\np\n10000\na, 0, 4096, 1\n", 1000, NULL);
	assert_int_equal(resident_at(&w, 1), 512);
	assert_int_equal(resident_at(&w, 512), 512);
	assert_int_equal(resident_at(&w, 513), 1024);
	/* Once around all of it, to 1,536 ms; what leaves comes back page by page. */
	assert_int_equal(act(&w, 1536, DAMOS_PAGEOUT, 0, 0, 512), 512);
	assert_int_equal(refaults_at(&w, 1540), 4);
	assert_int_equal(resident_at(&w, 1540), 1028);
	assert_int_equal(w.machine->nr_odd, 1);
	tear_down(&w);
}

static void large_pages_save_walks(void **state)
{
	struct world w;

	/* 2,000,000 accesses in 2 s, all of them at random in one block. */
	set_up(&w, "a, 2097152, none\n#! huge: a\n\np\n10000\na, 1, 64, 1\n", 1000000, NULL);
	assert_int_equal(stat_at(&w, 2000).huge_ns, 2000000 * SIM_HUGE_NS);
	tear_down(&w);
}

static void what_is_mapped_anew_is_as_the_workload_says(void **state)
{
	struct sim_machine_stat stat;
	struct world w;

	/* 2 blocks that are huge and 2 that aren't; of both one is left in q, and in r both are back. */
	set_up(&w,
	       "a, 4194304, none\n#! huge: a\nb, 4194304, none\n"
	       "#! size: a, q, 2097152\n#! size: b, q, 2097152\n#! size: a, r, 4194304\n"
	       "#! size: b, r, 4194304\n\np\n2000\na, 0, 4096, 1\nb, 0, 4096, 1\n"
	       "\nq\n1000\na, 1, 64, 1\na, 0, 4096, 1\n\nr\n1000\na, 0, 2097152, 1\nb, 0, 2097152, 1\n",
	       2000, NULL);
	assert_int_equal(act(&w, 1500, DAMOS_COLLAPSE, 1, 0, 1024), 1024);
	assert_int_equal(act(&w, 1500, DAMOS_PAGEOUT, 0, 0, 1024), 1024);
	/* All four are other than they were. */
	assert_int_equal(w.machine->nr_odd, 4);
	stat = stat_at(&w, 2000);
	assert_int_equal(w.machine->nr_odd, 2);
	/* Of the first block of a its last 36 pages were touched since. */
	assert_int_equal(resident_at(&w, 2000), 512 + 36);
	/* The first block of a is of small pages, and the huge one behind it isn't mapped. */
	assert_int_equal(stat_at(&w, 3000).huge_ns, stat.huge_ns);
	/* Each is touched once: of a the second comes in as a whole, of b a single page. */
	stat_at(&w, 3002);
	assert_int_equal(w.machine->memories->areas[0].nr_in, 512 + 512);
	assert_int_equal(w.machine->memories->areas[1].nr_in, 512 + 1);
	tear_down(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(willneed_brings_back_what_was_paged_out),
		cmocka_unit_test(filters_decide_in_order),
		cmocka_unit_test(young_means_touched_since_it_was_asked_last),
		cmocka_unit_test(the_active_are_those_that_were_made_so),
		cmocka_unit_test(pages_move_where_there_is_room),
		cmocka_unit_test(pages_spread_by_weight),
		cmocka_unit_test(a_node_that_is_not_there_is_refused),
		cmocka_unit_test(collapse_fills_a_block),
		cmocka_unit_test(what_must_not_be_huge_is_not_collapsed),
		cmocka_unit_test(a_block_is_seen_as_one_page),
		cmocka_unit_test(huge_memory_comes_in_blocks),
		cmocka_unit_test(large_pages_save_walks),
		cmocka_unit_test(what_is_mapped_anew_is_as_the_workload_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
