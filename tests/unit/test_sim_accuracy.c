/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The whole system in virtual time: how near the working set it finds comes to the truth, and that
 * equal seeds give equal results.
 *
 * 5 ms / 100 ms, 10..1,000 regions, no tuning, from the public API down. The working set of
 * a window is all regions with at least one access; its error is
 * |found - true| / true. The workloads' borders lie away from those at which regions are cut
 * before anything is known.
 */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ops/sim.h"

#define NR_SEEDS    32
#define FIRST	    21 /* window that is looked at first */
#define EVERY	    5  /* and then every so many, which meets a change of stairs: it is window 61 */
#define LAST	    71
#define NR_SCORED   ((LAST - FIRST) / EVERY + 1)
#define HALF_OF_ALL 5000

/* struct run - one context on one program */
struct run {
	struct damon_port *port;
	struct sim_space *space;
	uint64_t seed;
	unsigned int windows;
	bool scored;	  /* else the stream is hashed */
	double error;	  /* of window FIRST */
	double error_sum; /* of all that are looked at */
	struct sim_score score;
	uint64_t hash;
	int err;
};

static void hash_in(struct run *run, uint64_t value)
{
	run->hash = (run->hash ^ value) * 0x100000001b3ULL;
	run->hash ^= run->hash >> 29;
}

static int hash_window(struct run *run, struct damon_ctx *ctx, const struct damon_window *window)
{
	struct damon_region region;
	uint32_t i;
	size_t j;

	hash_in(run, window->t_start_ns);
	hash_in(run, window->t_end_ns);
	hash_in(run, window->nr_samples);
	for (i = 0; i < ctx->nr_targets; i++) {
		for (j = 0; j < damon_nr_regions(ctx->targets[i]); j++) {
			damon_get_region(ctx, ctx->targets[i], j, &region);
			hash_in(run, region.ar.start);
			hash_in(run, region.ar.end);
			hash_in(run, region.nr_accesses);
			hash_in(run, region.last_nr_accesses);
			hash_in(run, region.age);
		}
	}
	return 0;
}

static int score_window(struct run *run, struct damon_ctx *ctx, const struct damon_window *window)
{
	struct sim_score score = {0};
	int err;

	err = sim_score_target(&score, ctx, ctx->targets[0], window, HALF_OF_ALL);
	if (err)
		return err;
	if (run->windows == FIRST)
		run->error = sim_score_wss_error(&score);
	run->error_sum += sim_score_wss_error(&score);
	run->score.true_hot += score.true_hot;
	run->score.found_hot += score.found_hot;
	run->score.both_hot += score.both_hot;
	return 0;
}

static int see_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct run *run = data;
	int err = 0;

	run->windows++;
	if (!run->scored)
		err = hash_window(run, ctx, window);
	else if (run->windows >= FIRST && (run->windows - FIRST) % EVERY == 0)
		err = score_window(run, ctx, window);
	return !err && run->windows == LAST ? -ECANCELED : err;
}

static int add_target(struct damon_ctx *ctx)
{
	struct damon_target *target;
	int err;

	err = damon_new_target(&target, ctx->lib);
	if (err)
		return err;
	err = damon_add_target(ctx, target);
	if (err)
		damon_free_target(target);
	return err;
}

static void monitor(void *arg)
{
	struct run *run = arg;
	struct sim_space *spaces[] = {run->space, run->space};
	struct sim_env env = {.nr_spaces = 2, .spaces = spaces};
	struct damon_ctx *ctx = NULL;
	struct damon_lib *lib;

	run->err = damon_lib_new(&lib, run->port);
	if (run->err)
		return;
	run->err = sim_register_ops(lib, &env);
	if (!run->err)
		run->err = damon_new_ctx(&ctx, lib);
	if (!run->err)
		run->err = damon_select_ops(ctx, DAMON_OPS_SIM);
	if (!run->err)
		run->err = add_target(ctx);
	if (!run->err && !run->scored)
		run->err = add_target(ctx);
	if (!run->err) {
		ctx->seed = run->seed;
		ctx->callbacks.window = see_window;
		ctx->callbacks.data = run;
		run->err = damon_start(&ctx, 1, false);
	}
	if (!run->err)
		damon_wait(ctx, UINT64_MAX, &run->err);
	damon_destroy_ctx(ctx);
	damon_lib_free(lib);
}

static void run_one(struct run *run, const struct sim_workload *workload)
{
	assert_int_equal(sim_space_new(&run->space, workload, run->seed, 0, NULL), 0);
	run->port = damon_port_coop_new(run->seed, NULL);
	assert_non_null(run->port);
	assert_int_equal(damon_port_coop_run(run->port, monitor, run), 0);
	damon_port_coop_free(run->port);
	sim_space_free(run->space);
	assert_int_equal(run->err, -ECANCELED);
	assert_int_equal(run->windows, LAST);
}

/*
 * Prints the errors and holds the mean of the first window, and of all, to @bound. The hot part,
 * touched in half of the samples or more, is found to 95 % of its bytes.
 */
static void check_error(const char *name, double bound)
{
	double error = 0, sum = 0, worst = 0;
	struct sim_workload *workload;
	struct sim_score score = {0};
	struct run run;
	uint64_t seed;

	assert_int_equal(sim_workload_builtin(name, &workload, NULL), 0);
	for (seed = 1; seed <= NR_SEEDS; seed++) {
		run = (struct run){.seed = seed, .scored = true};
		run_one(&run, workload);
		error += run.error / NR_SEEDS;
		sum += run.error_sum / NR_SCORED / NR_SEEDS;
		worst = run.error > worst ? run.error : worst;
		score.true_hot += run.score.true_hot;
		score.found_hot += run.score.found_hot;
		score.both_hot += run.score.both_hot;
	}
	sim_workload_free(workload);
	print_message(
		"# %s: working-set error %.2f %% in window %d (worst seed %.1f %%), %.2f %% in "
		"%d..%d; hot part: precision %.3f, recall %.3f\n",
		name, error * 100, FIRST, worst * 100, sum * 100, FIRST, LAST,
		sim_score_precision(&score), sim_score_recall(&score));
	if (error > bound || sum > bound)
		fail_msg("%s: working-set error %.2f %% and %.2f %%, expected at most %.2f %%",
			 name, error * 100, sum * 100, bound * 100);
}

static void hotcold_within_5_percent(void **state)
{
	check_error("hotcold", 0.05);
}

static void stairs_within_10_percent(void **state)
{
	check_error("stairs", 0.10);
}

/* Nothing is promised of these: docs/simulation.md says what regions can't show. */
static void prints_the_others(void **state)
{
	static const char *const names[] = {"zigzag", "moving-window", "zipf", "sparse"};
	struct sim_workload *workload;
	struct sim_score score;
	double error;
	struct run run;
	uint64_t seed;
	size_t i;

	for (i = 0; i < 4; i++) {
		assert_int_equal(sim_workload_builtin(names[i], &workload, NULL), 0);
		score = (struct sim_score){0};
		for (seed = 1, error = 0; seed <= 2; seed++) {
			run = (struct run){.seed = seed, .scored = true};
			run_one(&run, workload);
			error += run.error_sum / NR_SCORED / 2;
			score.true_hot += run.score.true_hot;
			score.found_hot += run.score.found_hot;
			score.both_hot += run.score.both_hot;
		}
		sim_workload_free(workload);
		print_message(
			"# %s: working-set error %.1f %% in windows %d..%d; hot part: precision "
			"%.3f, recall %.3f\n",
			names[i], error * 100, FIRST, LAST, sim_score_precision(&score),
			sim_score_recall(&score));
		/* Regions never miss a working set by more than all there is. */
		assert_true(error < 400.0 / 25);
	}
}

static void same_seed_same_windows(void **state)
{
	struct run first = {.seed = 5}, again = {.seed = 5}, other = {.seed = 6};
	struct sim_workload *workload;
	size_t i, nr;

	sim_builtins(&nr);
	for (i = 0; i < nr; i++) {
		assert_int_equal(sim_workload_builtin(sim_builtins(&nr)[i].name, &workload, NULL),
				 0);
		first.windows = again.windows = other.windows = 0;
		run_one(&first, workload);
		run_one(&again, workload);
		run_one(&other, workload);
		sim_workload_free(workload);
		assert_int_equal(first.hash, again.hash);
		assert_true(first.hash != other.hash);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hotcold_within_5_percent),
		cmocka_unit_test(stairs_within_10_percent),
		cmocka_unit_test(prints_the_others),
		cmocka_unit_test(same_seed_same_windows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
