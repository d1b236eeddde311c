/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * Schemes on simulated programs, the whole system in virtual time: what they save, what they cost,
 * and that their limits hold.
 */
#include "sim_run.h"

static double mib(uint64_t bytes)
{
	return (double)bytes / (double)MIB;
}

static void within_pct(uint64_t value, uint64_t aim, uint64_t pct)
{
	assert_in_range(value, aim - aim * pct / 100, aim + aim * pct / 100);
}

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
		cmocka_unit_test(a_size_quota_is_kept_to_the_byte),
		cmocka_unit_test(consist_settles_on_the_pressure_asked_for),
		cmocka_unit_test(consist_follows_a_sudden_change_of_load),
		cmocka_unit_test(temporal_keeps_the_goal_on_average),
		cmocka_unit_test(the_coldest_leave_first),
		cmocka_unit_test(watermarks_see_the_simulated_memory),
		cmocka_unit_test(extremes_have_defined_results),
		cmocka_unit_test(what_is_not_modelled_is_refused),
		cmocka_unit_test(without_a_machine_there_is_nothing_to_act_on),
		cmocka_unit_test(equal_runs_are_equal_and_a_machine_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
