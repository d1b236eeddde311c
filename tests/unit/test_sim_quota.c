/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Limits of schemes on simulated programs, the whole system in virtual time: quotas, goals and their
 * tuners, priorities, watermarks.
 */
#include "sim_run.h"

static void within_pct(uint64_t value, uint64_t aim, uint64_t pct)
{
	assert_in_range(value, aim - aim * pct / 100, aim + aim * pct / 100);
}

/* Quotas. */

static void page_out_one_mib_a_second(struct damos *scheme, uint32_t idx)
{
	scheme->action = DAMOS_PAGEOUT;
	scheme->pattern.max_nr_accesses = 0;
	scheme->pattern.min_age_region = 10;
	scheme->quota.sz = MIB;
	scheme->quota.reset_interval_ms = 1000;
}

/* The quota's windows begin at 100 ms, with the first pass: 1,100 ms, ... */
static void one_mib_in_each(struct sim_run *run, struct damon_ctx *ctx, uint64_t t_ns)
{
	const struct damos_stat *stat = &ctx->schemes[0]->stat;

	if (t_ns / 100000000 % 10 != 0 || t_ns < 4000000000ULL)
		return;
	assert_int_equal((stat->sz_tried - run->stats[0].sz_tried) / SIM_PAGE_SIZE, 256);
	assert_int_equal((stat->sz_applied - run->stats[0].sz_applied) / SIM_PAGE_SIZE, 256);
	run->stats[0] = *stat;
}

static void a_size_quota_is_kept_to_the_byte(void **state)
{
	struct sim_run run;

	/* 200 MiB are loaded in 1 s; then one page is in use. */
	sim_run_init(&run,
		     "a, 209715200, none\nb, 4096, none\n\nload\n1000\na, 0, 4096, 1\n"
		     "\nrun\n59000\nb, 0, 64, 1\n",
		     100000, NULL);
	run.nr_schemes = 1;
	run.prepare = page_out_one_mib_a_second;
	run.end_ms = 3050;
	/* What was done up to 3 s, of which the rest is counted in full. */
	sim_run_go(&run);
	assert_int_equal(run.err, 0);
	assert_int_equal(run.stats[0].sz_applied % MIB, 0);
	sim_machine_free(run.machine);
	assert_int_equal(sim_machine_new(&run.machine, NULL, 1, &run.space), 0);
	run.env.machine = run.machine;
	run.end_ms = 0;
	run.window = one_mib_in_each;
	sim_run_go(&run);
	/* 57 s. */
	print_message("# %llu MiB in 60 s\n", (unsigned long long)run.stats[0].sz_applied / MIB);
	assert_in_range(run.stats[0].sz_applied / MIB, 57, 59);
	assert_int_equal(sim_run_stat(&run).resident,
			 200 * MIB + SIM_PAGE_SIZE - run.stats[0].sz_applied);
	sim_run_free(&run);
}

/* Goals: what pressure a scheme makes goes with its quota, as what it pages out is used again at once. */

#define BUSY "a, 67108864, none\n\np\n400000\na, 1, 64, 1\n"

/* One microsecond a page, so pressure per second in us is the number of pages paged out. */
static const struct sim_machine_config quick = {.refault_ns = 1000};

static struct {
	uint64_t initial; /* bytes */
	uint64_t target;
	uint64_t change_s;   /* when the load changes, */
	uint64_t refault_ns; /* to this */
	uint64_t values[400];
	uint64_t esz[400];
	size_t nr;
} loop;

static void page_out_towards_pressure(struct damos *scheme, uint32_t idx)
{
	const struct damos_quota_goal goal = {.metric = DAMOS_GOAL_SOME_MEM_PSI_US,
					      .target_value = loop.target};

	scheme->action = DAMOS_PAGEOUT;
	scheme->quota.reset_interval_ms = 1000;
	scheme->quota_state.esz_bp = loop.initial * 10000;
	assert_int_equal(damos_add_quota_goal(scheme, &goal), 0);
}

static void note_pressure(struct sim_run *run, struct damon_ctx *ctx, uint64_t t_ns)
{
	const struct damos_quota *quota = &ctx->schemes[0]->quota;

	/* The first window begins at 100 ms; its pressure is known at 1,100 ms. */
	if (t_ns / 100000000 % 10 != 1 || t_ns < 1000000000 || loop.nr == 400)
		return;
	loop.values[loop.nr] = quota->goals[0].current_value;
	loop.esz[loop.nr++] = quota->esz;
	if (loop.change_s && loop.nr == loop.change_s)
		run->machine->config.refault_ns = loop.refault_ns;
}

static void run_loop(uint64_t initial, uint64_t target, uint64_t change_s, uint64_t refault_ns,
		     uint64_t seconds)
{
	struct sim_run run;

	memset(&loop, 0, sizeof(loop));
	loop.initial = initial;
	loop.target = target;
	loop.change_s = change_s;
	loop.refault_ns = refault_ns;
	sim_run_init(&run, BUSY, 0, &quick);
	/* Few regions do for this, and a look every 50 ms. */
	run.attrs.max_nr_regions = 20;
	run.attrs.sample_interval = 50000;
	run.nr_schemes = 1;
	run.prepare = page_out_towards_pressure;
	run.window = note_pressure;
	run.end_ms = seconds * 1000 + 1500;
	sim_run_go(&run);
	assert_int_equal(run.err, 0);
	assert_true(loop.nr >= seconds);
	sim_run_free(&run);
}

/* @from on, no value is off by more than a fifth; the mean by less than a tenth. */
static void expect_settled(size_t from, size_t to)
{
	uint64_t sum = 0;
	size_t i;

	for (i = from; i < to; i++) {
		within_pct(loop.values[i], loop.target, 20);
		sum += loop.values[i];
	}
	within_pct(loop.values[from], loop.target, 10);
	within_pct(sum / (to - from), loop.target, 10);
}

static void consist_settles_on_the_pressure_asked_for(void **state)
{
	const struct {
		uint64_t initial, target;
	} cases[] = {{1, 4000}, {8 * MIB, 4000}, {24 * MIB, 4000}, {60 * MIB, 4000}, {1, 500}};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		run_loop(cases[i].initial, cases[i].target, 0, 0, 80);
		print_message("# quota from %.2f MiB, aim %llu us: %llu after 10 windows, %llu "
			      "after 30, %llu after 50, %llu after 80\n",
			      mib(cases[i].initial), (unsigned long long)loop.target,
			      (unsigned long long)loop.values[9],
			      (unsigned long long)loop.values[29],
			      (unsigned long long)loop.values[49],
			      (unsigned long long)loop.values[79]);
		expect_settled(49, 80);
		/* A page a microsecond. */
		within_pct(loop.esz[79], loop.target * SIM_PAGE_SIZE, 10);
	}
}

static void consist_follows_a_sudden_change_of_load(void **state)
{
	const uint64_t refault_ns[] = {400, 1500, 3000};
	size_t i;

	for (i = 0; i < 3; i++) {
		run_loop(8 * MIB, 4000, 50, refault_ns[i], 120);
		print_message(
			"# refaults from 1000 to %llu ns after 50 windows: %llu, then %llu, "
			"%llu, %llu; %llu after 50 more\n",
			(unsigned long long)refault_ns[i], (unsigned long long)loop.values[49],
			(unsigned long long)loop.values[50], (unsigned long long)loop.values[51],
			(unsigned long long)loop.values[55], (unsigned long long)loop.values[99]);
		within_pct(loop.values[49], 4000, 10);
		expect_settled(99, 120);
	}
}

/* Temporal: all or nothing. */

static uint64_t free_sum, free_nr;

static void page_out_until_three_quarters_are_free(struct damos *scheme, uint32_t idx)
{
	const struct damos_quota_goal goal = {.metric = DAMOS_GOAL_NODE_MEM_FREE_BP,
					      .target_value = 7500};

	scheme->action = DAMOS_PAGEOUT;
	scheme->quota.tuner = DAMOS_TUNER_TEMPORAL;
	scheme->quota.reset_interval_ms = 1000;
	scheme->quota.sz = 8 * MIB;
	assert_int_equal(damos_add_quota_goal(scheme, &goal), 0);
}

static void note_free(struct sim_run *run, struct damon_ctx *ctx, uint64_t t_ns)
{
	const struct damos_quota *quota = &ctx->schemes[0]->quota;
	uint64_t value;

	assert_true(quota->esz == 0 || quota->esz == 8 * MIB);
	if (t_ns < 100000000000ULL)
		return;
	sim_metric(run->port, DAMON_METRIC_NODE_MEM_FREE_BP, 0, NULL, &value);
	free_sum += value;
	free_nr++;
}

static void temporal_keeps_the_goal_on_average(void **state)
{
	struct sim_run run;

	/* 64 MiB, of which some 1,000 pages a second are used; memory for 128 MiB. */
	sim_run_init(&run, BUSY, 1000, NULL);
	run.nr_schemes = 1;
	run.prepare = page_out_until_three_quarters_are_free;
	run.window = note_free;
	run.end_ms = 300000;
	run.attrs.max_nr_regions = 20;
	free_sum = free_nr = 0;
	sim_run_go(&run);
	print_message("# temporal: %llu bp free on average over 200 s, aim 7500; full in %llu "
		      "windows\n",
		      (unsigned long long)(free_sum / free_nr),
		      (unsigned long long)run.stats[0].qt_exceeds);
	within_pct(free_sum / free_nr, 7500, 10);
	sim_run_free(&run);
}

/* Priorities. */

#define NR_PARTS  60
#define PART_SIZE (4 * MIB)
#define T_MS	  70000U

/* Idle times at T_MS, evenly over six octaves from 1 to 64 s. */
static unsigned int idle_ms(unsigned int rank)
{
	unsigned int octave = 1U << rank / 10;

	return octave * 1000 + rank % 10 * octave * 100;
}

/* Ranks are scattered over the parts, which lie too far apart to be joined. */
static unsigned int part_of(unsigned int rank)
{
	return rank * 37 % NR_PARTS;
}

/* Each part is in use until it becomes idle; one more to the end. */
static char *idle_parts(void)
{
	unsigned int i, rank, until;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	for (i = 0; i <= NR_PARTS; i++)
		fprintf(out, "part%u, %llu, none\n#! gap: part%u, 33554432\n", i, PART_SIZE, i);
	/* Phases end where the part of a rank becomes idle, the longest first. */
	for (rank = NR_PARTS; rank-- > 0;) {
		until = rank == NR_PARTS - 1 ? T_MS - idle_ms(rank)
					     : idle_ms(rank + 1) - idle_ms(rank);
		fprintf(out, "\np%u\n%u\npart%u, 1, 64, 1\n", rank, until, NR_PARTS);
		for (i = 0; i <= rank; i++)
			fprintf(out, "part%u, 1, 64, 1\n", part_of(i));
	}
	fprintf(out, "\nlast\n%u\npart%u, 1, 64, 1\n", idle_ms(0) + 2000, NR_PARTS);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void page_out_the_coldest_tenth(struct damos *scheme, uint32_t idx)
{
	scheme->action = DAMOS_PAGEOUT;
	scheme->pattern.max_nr_accesses = 0;
	scheme->apply_interval_us = T_MS * 1000ULL;
	scheme->quota.reset_interval_ms = 1000;
	scheme->quota.sz = NR_PARTS * PART_SIZE / 10;
	scheme->quota.weight_age = 1;
}

static void the_coldest_leave_first(void **state)
{
	uint64_t in_coldest = 0, all = 0;
	char *text = idle_parts();
	struct sim_run run;
	unsigned int rank;

	sim_run_init(&run, text, 0, NULL);
	run.nr_schemes = 1;
	run.prepare = page_out_the_coldest_tenth;
	run.end_ms = T_MS + 1000;
	sim_run_go(&run);
	for (rank = 0; rank < NR_PARTS; rank++) {
		const struct sim_pages *pages = &run.machine->memories->areas[part_of(rank)];
		uint64_t out = PART_SIZE - pages->nr_in * SIM_PAGE_SIZE;

		all += out;
		if (rank >= NR_PARTS * 4 / 5)
			in_coldest += out;
	}
	print_message("# %.2f of %llu MiB left memory, %.1f %% of it of the coldest 20 %%\n",
		      mib(all), NR_PARTS * PART_SIZE / MIB, 100 * (double)in_coldest / (double)all);
	assert_int_equal(all, NR_PARTS * PART_SIZE / 10);
	assert_int_equal(run.stats[0].sz_applied, all);
	assert_true(in_coldest * 100 >= all * 95);
	free(text);
	sim_run_free(&run);
}

/* Watermarks. */

static void page_out_when_memory_gets_short(struct damos *scheme, uint32_t idx)
{
	scheme->action = DAMOS_PAGEOUT;
	scheme->pattern.max_nr_accesses = 0;
	scheme->wmarks = (struct damos_watermarks){.metric = DAMOS_WMARK_FREE_MEM_RATE,
						   .interval_us = 1000000,
						   .high = 500,
						   .mid = 300,
						   .low = 10};
}

static void watermarks_see_the_simulated_memory(void **state)
{
	const struct sim_machine_config config = {.memory = 100 * MIB};
	struct sim_machine_stat stat;
	struct sim_run run;

	/* 80 MiB are loaded in 40 s, each page once: 2 MiB a second. */
	sim_run_init(&run, "a, 83886080, none\n\nload\n40000\na, 0, 4096, 1\n", 512, &config);
	run.nr_schemes = 1;
	run.prepare = page_out_when_memory_gets_short;
	sim_run_go(&run);
	stat = sim_run_stat(&run);
	print_message("# peak %.1f MiB, mean %.1f, %llu bytes out\n", mib(stat.peak),
		      mib(stat.mean), (unsigned long long)run.stats[0].sz_applied);
	/* Nothing happens up to 70 MiB, where 30 % are free; then it goes on to 50. */
	assert_in_range(stat.peak, 70 * MIB, 74 * MIB);
	assert_true(run.stats[0].sz_applied >= 20 * MIB);
	sim_run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_size_quota_is_kept_to_the_byte),
		cmocka_unit_test(consist_settles_on_the_pressure_asked_for),
		cmocka_unit_test(consist_follows_a_sudden_change_of_load),
		cmocka_unit_test(temporal_keeps_the_goal_on_average),
		cmocka_unit_test(the_coldest_leave_first),
		cmocka_unit_test(watermarks_see_the_simulated_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
