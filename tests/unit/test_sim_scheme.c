/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Schemes on simulated programs, the whole system in virtual time: what they save, what they cost,
 * and that what makes no sense has a defined result.
 */
#include "sim_run.h"

/* What schemes do. */

static void page_out_idle_5s(struct damos *scheme, uint32_t idx)
{
	scheme->action = DAMOS_PAGEOUT;
	scheme->pattern.max_nr_accesses = 0;
	scheme->pattern.min_age_region = 50;
}

/* Of what wasn't used since the last look only. */
static void page_out_old_pages_idle_5s(struct damos *scheme, uint32_t idx)
{
	page_out_idle_5s(scheme, idx);
	scheme->nr_filters = 1;
	scheme->filters[0] = (struct damos_filter){.type = DAMOS_FILTER_YOUNG, .matching = true};
}

static struct sim_machine_stat run_hotcold(uint64_t seed,
					   void (*prepare)(struct damos *scheme, uint32_t idx))
{
	struct sim_machine_stat stat;
	struct sim_run run;

	sim_run_init(&run, "hotcold", 0, NULL);
	run.seed = seed;
	run.nr_schemes = 1;
	run.prepare = prepare;
	sim_run_go(&run);
	stat = sim_run_stat(&run);
	print_message("# hotcold, seed %llu: %.2f of 400 MiB left, 50 in use; %llu refaults\n",
		      (unsigned long long)seed, mib(stat.resident),
		      (unsigned long long)stat.refaults);
	assert_int_equal(stat.peak, 400 * MIB);
	/* Applied is what left, no more and no less. */
	assert_int_equal(run.stats[0].sz_applied,
			 400 * MIB - stat.resident + stat.refaults * SIM_PAGE_SIZE);
	sim_run_free(&run);
	return stat;
}

static void idle_memory_leaves_and_what_is_in_use_stays(void **state)
{
	struct sim_machine_stat stat;
	uint64_t seed;

	for (seed = 1; seed <= 4; seed++) {
		stat = run_hotcold(seed, page_out_idle_5s);
		assert_in_range(stat.resident, 50 * MIB, 50 * MIB + MIB / 2);
		/* A region's border is where it is only nearly: a few of the 12,800 pages in use. */
		assert_in_range(stat.refaults, 0, 64);
		/*
		 * Whoever asks each page hurts nobody. But that takes a region two idle times of
		 * 5 s, and one that holds a few pages in use may not get there: the largest has 40 MiB.
		 */
		stat = run_hotcold(seed, page_out_old_pages_idle_5s);
		assert_in_range(stat.resident, 50 * MIB, 90 * MIB);
		assert_int_equal(stat.refaults, 0);
	}
}

/* An in-turn zigzag: 8 parts of 4 MiB, one after the other up and down, 3 s each. */
static const char *zigzag_in_turn(char *text, size_t size)
{
	static const unsigned int order[] = {0, 1, 2, 3, 4, 5, 6, 7, 6, 5, 4, 3, 2, 1, 0};
	size_t at = 0, i;

	for (i = 0; i < 8; i++)
		at += (size_t)snprintf(text + at, size - at, "part%zu, 4194304, none\n", i);
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		at += (size_t)snprintf(text + at, size - at,
				       "\nstep%zu\n3000\npart%u, 0, 4096, 1\n", i, order[i]);
	assert_true(at < size);
	return text;
}

static void page_out_idle_now(struct damos *scheme, uint32_t idx)
{
	scheme->action = DAMOS_PAGEOUT;
	scheme->pattern.max_nr_accesses = 0;
}

/* What was logged, done once more to pages whose accesses are played one by one. */
static uint64_t replay(const struct sim_run *run, uint64_t *resident)
{
	uint64_t nr = 0, refaults = 0, page, t_ns, addr;
	uint64_t end_ns = sim_space_end_ns(run->space);
	const struct sim_area *areas = run->space->areas;
	struct sim_player *player;
	uint8_t *in, *out;
	size_t i, a;

	/* Parts have 1,024 pages each and a page between them. */
	for (a = 0; a < run->space->nr_areas; a++)
		nr = (areas[a].ar.end - areas[0].ar.start) / SIM_PAGE_SIZE;
	in = calloc(nr, 1);
	out = calloc(nr, 1);
	assert_non_null(in);
	assert_non_null(out);
	assert_int_equal(sim_player_new(&player, run->space, 1), 0);
	for (i = 0; i <= run->nr_acts; i++) {
		t_ns = i < run->nr_acts ? run->acts[i].t_ns : end_ns;
		if (!i || t_ns > run->acts[i - 1].t_ns) {
			sim_player_run(player, t_ns);
			for (page = 0; page < nr; page++) {
				addr = areas[0].ar.start + page * SIM_PAGE_SIZE;
				if (in[page] || !sim_player_touched(player, addr))
					continue;
				in[page] = 1;
				refaults += out[page];
				out[page] = 0;
			}
			sim_player_clear(player);
		}
		for (page = 0; i < run->nr_acts && page < nr; page++) {
			addr = areas[0].ar.start + page * SIM_PAGE_SIZE;
			if (addr < run->acts[i].ar.start || addr >= run->acts[i].ar.end)
				continue;
			out[page] |= in[page];
			in[page] = 0;
		}
	}
	*resident = 0;
	for (page = 0; page < nr; page++)
		*resident += in[page] * SIM_PAGE_SIZE;
	sim_player_free(player);
	free(in);
	free(out);
	return refaults;
}

static void refaults_of_a_too_eager_scheme_are_those_of_played_accesses(void **state)
{
	struct sim_machine_stat stat;
	uint64_t refaults, resident;
	struct sim_run run;
	char text[2048];

	sim_run_init(&run, zigzag_in_turn(text, sizeof(text)), 50000, NULL);
	run.nr_schemes = 1;
	run.prepare = page_out_idle_now;
	run.keeps_acts = true;
	sim_run_go(&run);
	stat = sim_run_stat(&run);
	refaults = replay(&run, &resident);
	print_message("# %zu acts; refaults %llu, played %llu; %.2f MiB left, played %.2f\n",
		      run.nr_acts, (unsigned long long)stat.refaults, (unsigned long long)refaults,
		      mib(stat.resident), mib(resident));
	/* 7 of the parts are visited once more after they were idle for 6 s and more: 7,168 pages. */
	assert_true(refaults >= 7168);
	assert_int_equal(stat.refaults, refaults);
	assert_int_equal(stat.resident, resident);
	assert_int_equal(stat.refault_ns, refaults * SIM_REFAULT_NS);
	sim_run_free(&run);
}

static void built_in_programs_that_wander_pay_for_eagerness(void **state)
{
	const char *const names[] = {"zigzag", "moving-window", "stairs"};
	struct sim_machine_stat stat[3];
	struct sim_run run;
	size_t i;

	for (i = 0; i < 3; i++) {
		sim_run_init(&run, names[i], 0, NULL);
		run.nr_schemes = 1;
		run.prepare = page_out_idle_now;
		sim_run_go(&run);
		stat[i] = sim_run_stat(&run);
		print_message("# %s: %llu refaults, mean %.1f MiB, slowdown %.2f %%\n", names[i],
			      (unsigned long long)stat[i].refaults, mib(stat[i].mean),
			      100 * sim_machine_slowdown(&stat[i]));
		sim_run_free(&run);
	}
	/*
	 * Zigzag takes 28 steps over 10 parts of 5,120 pages: 18 times it comes back to one that was
	 * idle for 2 s at least. Stairs loads everything first, then uses 10 parts for the second
	 * time, the first of them at once. The moving window never comes back: its refaults are
	 * pages in use that were taken for idle.
	 */
	assert_in_range(stat[0].refaults, 18 * 5120, 20 * 5120);
	assert_in_range(stat[1].refaults, 1, 320 * 256 / 4);
	assert_in_range(stat[2].refaults, 9 * 5120, 10 * 5120);
}

/* Safety. */

static void extremes(struct damos *scheme, uint32_t idx)
{
	scheme->action = DAMOS_PAGEOUT;
	switch (idx) {
	case 0: /* a quota that is no limit */
		scheme->quota.sz = UINT64_MAX;
		scheme->quota.ms = UINT64_MAX;
		scheme->quota.reset_interval_ms = UINT64_MAX;
		break;
	case 1: /* less than a page */
		scheme->quota.sz = 1;
		break;
	case 2: /* never due, from nowhere to everywhere */
		scheme->apply_interval_us = UINT64_MAX;
		scheme->nr_filters = 1;
		scheme->filters[0] = (struct damos_filter){.type = DAMOS_FILTER_ADDR,
							   .matching = true,
							   .allow = true,
							   .addr_end = UINT64_MAX};
		break;
	case 3: /* nothing is that large, nor that old */
		scheme->pattern.min_sz_region = UINT64_MAX;
		scheme->pattern.min_age_region = UINT32_MAX;
		break;
	}
}

static void extremes_have_defined_results(void **state)
{
	struct sim_run run;

	sim_run_init(&run, "a, 16777216, none\n\np\n2000\na, 0, 4096, 1\n", 40960, NULL);
	run.nr_schemes = 4;
	run.prepare = extremes;
	sim_run_go(&run);
	assert_int_equal(run.start_err, 0);
	assert_int_equal(run.err, 0);
	assert_true(run.stats[0].sz_tried >= 19 * 16 * MIB);
	assert_true(run.stats[0].sz_applied > 0 && run.stats[0].sz_applied <= 20 * 16 * MIB);
	assert_int_equal(run.stats[1].sz_tried, 0);
	assert_int_equal(run.stats[2].nr_snapshots, 0);
	assert_int_equal(run.stats[3].sz_tried, 0);
	sim_run_free(&run);
}

static void contradiction(struct damos *scheme, uint32_t idx)
{
	scheme->action = DAMOS_PAGEOUT;
	scheme->pattern.min_sz_region = 2;
	scheme->pattern.max_sz_region = 1;
}

static void unmapped_filter(struct damos *scheme, uint32_t idx)
{
	scheme->action = DAMOS_PAGEOUT;
	scheme->nr_filters = 1;
	scheme->filters[0] = (struct damos_filter){.type = DAMOS_FILTER_UNMAPPED, .matching = true};
}

static void eligible_goal(struct damos *scheme, uint32_t idx)
{
	const struct damos_quota_goal goal = {.metric = DAMOS_GOAL_NODE_ELIGIBLE_MEM_BP,
					      .target_value = 1};

	scheme->action = DAMOS_PAGEOUT;
	assert_int_equal(damos_add_quota_goal(scheme, &goal), 0);
}

static void no_such_node_goal(struct damos *scheme, uint32_t idx)
{
	const struct damos_quota_goal goal = {
		.metric = DAMOS_GOAL_NODE_MEM_USED_BP, .target_value = 1, .nid = 1};

	scheme->action = DAMOS_PAGEOUT;
	assert_int_equal(damos_add_quota_goal(scheme, &goal), 0);
}

static void what_is_not_modelled_is_refused(void **state)
{
	const struct {
		void (*prepare)(struct damos *scheme, uint32_t idx);
		int err;
	} cases[] = {{contradiction, -EINVAL},
		     {unmapped_filter, -EOPNOTSUPP},
		     {eligible_goal, -EINVAL},
		     {no_such_node_goal, -ENODEV}};
	struct sim_run run;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sim_run_init(&run, "hotcold", 0, NULL);
		run.nr_schemes = 1;
		run.prepare = cases[i].prepare;
		run.end_ms = 10;
		sim_run_go(&run);
		assert_int_equal(run.start_err, cases[i].err);
		sim_run_free(&run);
	}
}

static void without_a_machine_there_is_nothing_to_act_on(void **state)
{
	struct sim_run run;

	sim_run_init(&run, "hotcold", 0, NULL);
	run.nr_schemes = 1;
	run.prepare = page_out_idle_now;
	run.end_ms = 10;
	sim_machine_free(run.machine);
	run.machine = run.env.machine = NULL;
	sim_run_go(&run);
	assert_int_equal(run.start_err, -EOPNOTSUPP);
	sim_run_free(&run);
}

/* Repeatable. */

static void equal_runs_are_equal_and_a_machine_changes_nothing(void **state)
{
	uint64_t hash[4];
	struct sim_machine_stat stat[2];
	struct sim_run run;
	size_t i;

	for (i = 0; i < 4; i++) {
		sim_run_init(&run, "zipf", 0, NULL);
		run.end_ms = 10000;
		if (i < 2) {
			run.nr_schemes = 1;
			run.prepare = page_out_idle_now;
		} else if (i == 3) {
			sim_machine_free(run.machine);
			run.machine = run.env.machine = NULL;
		}
		sim_run_go(&run);
		hash[i] = run.hash;
		if (i < 2)
			stat[i] = sim_run_stat(&run);
		sim_run_free(&run);
	}
	assert_int_equal(hash[0], hash[1]);
	assert_memory_equal(&stat[0], &stat[1], sizeof(stat[0]));
	assert_int_equal(hash[2], hash[3]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle_memory_leaves_and_what_is_in_use_stays),
		cmocka_unit_test(refaults_of_a_too_eager_scheme_are_those_of_played_accesses),
		cmocka_unit_test(built_in_programs_that_wander_pay_for_eagerness),
		cmocka_unit_test(extremes_have_defined_results),
		cmocka_unit_test(what_is_not_modelled_is_refused),
		cmocka_unit_test(without_a_machine_there_is_nothing_to_act_on),
		cmocka_unit_test(equal_runs_are_equal_and_a_machine_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
