/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * How fast simulated programs are monitored in virtual time: core and simulated check together.
 *
 * Each workload runs to its end with 1,000 regions at 5 ms / 100 ms; the number of regions is held
 * by min_nr_regions = max_nr_regions. The time is the thread's processor time, the best
 * of several rounds. Work is counted as samples, one per region and sampling interval.
 *
 * The same once more with a machine, and two schemes in turn: one that pages out what was idle for
 * 5 s, and one that pages out everything in every window, the worst there can be. What they
 * cost is given per sample too, and per page that left memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ops/sim_machine.h"

#define ROUNDS	   5
#define NR_REGIONS 1000

enum what { NO_SCHEME, IDLE_5S, EVERYTHING, NR_WHATS };

/* struct run - one workload monitored from start to end */
struct run {
	struct damon_port *port;
	struct sim_space *space;
	enum what what;
	struct sim_machine *machine;
	uint64_t sz_applied;
	uint64_t samples;
	uint64_t windows;
	int err;
};

static int count_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct run *run = data;

	run->windows++;
	run->samples = window->cost.clears;
	if (ctx->nr_schemes)
		run->sz_applied = ctx->schemes[0]->stat.sz_applied;
	return 0;
}

static int add_scheme(struct damon_ctx *ctx, enum what what)
{
	struct damos *scheme;
	int err = damon_new_scheme(&scheme, ctx->lib);

	if (err)
		return err;
	scheme->action = DAMOS_PAGEOUT;
	if (what == IDLE_5S) {
		scheme->pattern.max_nr_accesses = 0;
		scheme->pattern.min_age_region = 50;
	}
	err = damon_add_scheme(ctx, scheme);
	if (err)
		damon_free_scheme(scheme);
	return err;
}

static int make_context(struct damon_ctx **ctx, struct damon_lib *lib, struct run *run)
{
	struct damon_target *target;
	struct damon_attrs attrs;
	int err;

	err = damon_new_ctx(ctx, lib);
	if (err)
		return err;
	damon_default_attrs(&attrs);
	attrs.min_nr_regions = NR_REGIONS;
	attrs.max_nr_regions = NR_REGIONS;
	(*ctx)->seed = 1;
	(*ctx)->callbacks.window = count_window;
	(*ctx)->callbacks.data = run;
	err = damon_set_attrs(*ctx, &attrs);
	if (!err)
		err = damon_select_ops(*ctx, DAMON_OPS_SIM);
	if (!err)
		err = damon_new_target(&target, lib);
	if (err)
		return err;
	err = damon_add_target(*ctx, target);
	if (err) {
		damon_free_target(target);
		return err;
	}
	return run->what == NO_SCHEME ? 0 : add_scheme(*ctx, run->what);
}

static void monitor(void *arg)
{
	struct run *run = arg;
	struct sim_env env = {.nr_spaces = 1, .spaces = &run->space, .machine = run->machine};
	struct damon_ctx *ctx = NULL;
	struct damon_lib *lib;

	run->err = damon_lib_new(&lib, run->port);
	if (run->err)
		return;
	run->err = sim_register_ops(lib, &env);
	if (!run->err)
		run->err = make_context(&ctx, lib, run);
	if (!run->err)
		run->err = damon_start(&ctx, 1, false);
	if (!run->err)
		damon_wait(ctx, UINT64_MAX, &run->err);
	damon_destroy_ctx(ctx);
	damon_lib_free(lib);
}

static double cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* Nanoseconds the run took, or -1. */
static double measure(struct run *run)
{
	double start, taken;
	int err;

	run->samples = run->windows = 0;
	run->machine = NULL;
	if (run->what != NO_SCHEME && sim_machine_new(&run->machine, NULL, 1, &run->space))
		return -1;
	run->port = damon_port_coop_new(1, NULL);
	if (!run->port) {
		sim_machine_free(run->machine);
		return -1;
	}
	start = cpu_ns();
	err = damon_port_coop_run(run->port, monitor, run);
	taken = cpu_ns() - start;
	damon_port_coop_free(run->port);
	sim_machine_free(run->machine);
	return err || run->err ? -1 : taken;
}

/* The best of all rounds, ns; below 0 when one failed. */
static double best_of(struct run *run, enum what what)
{
	double taken, best = -1;
	unsigned int i;

	run->what = what;
	for (i = 0; i < ROUNDS; i++) {
		taken = measure(run);
		if (taken < 0 || !run->samples)
			return -1;
		if (best < 0 || taken < best)
			best = taken;
	}
	return best;
}

static int bench(const char *name, bool last)
{
	struct sim_workload *workload = NULL;
	double best[NR_WHATS], simulated, samples[NR_WHATS], pages;
	struct run run = {0};
	unsigned int i;

	if (sim_workload_builtin(name, &workload, NULL) ||
	    sim_space_new(&run.space, workload, 1, 0, NULL)) {
		fprintf(stderr, "bench_sim: workload \"%s\" can't be made\n", name);
		sim_workload_free(workload);
		return 1;
	}
	simulated = (double)sim_space_end_ns(run.space);
	for (i = 0; i < NR_WHATS; i++) {
		best[i] = best_of(&run, (enum what)i);
		samples[i] = (double)run.samples;
		if (best[i] < 0)
			break;
	}
	pages = (double)(run.sz_applied / SIM_PAGE_SIZE);
	sim_space_free(run.space);
	sim_workload_free(workload);
	if (i < NR_WHATS) {
		fprintf(stderr, "bench_sim: workload \"%s\" failed with %d\n", name, run.err);
		return 1;
	}
	printf("    {\"workload\": \"%s\", \"regions\": %.0f, \"samples\": %.0f, "
	       "\"ns_per_region_and_sampling_interval\": %.2f, \"times_real_time\": %.0f, ",
	       name, samples[0] / (simulated / 5e6), samples[0], best[0] / samples[0],
	       simulated / best[0]);
	printf("\"page_out_idle\": %.2f, \"page_out_everything\": %.2f, "
	       "\"pages_out\": %.0f, \"ns_per_page_out\": %.1f}%s\n",
	       best[IDLE_5S] / samples[IDLE_5S], best[EVERYTHING] / samples[EVERYTHING], pages,
	       (best[EVERYTHING] - best[0] / samples[0] * samples[EVERYTHING]) / pages,
	       last ? "" : ",");
	return 0;
}

int main(void)
{
	size_t i, nr;
	int ret = 0;

	printf("{\n  \"bench\": \"sim\",\n  \"results\": [\n");
	sim_builtins(&nr);
	for (i = 0; i < nr && !ret; i++)
		ret = bench(sim_builtins(&nr)[i].name, i == nr - 1);
	printf("  ]\n}\n");
	return ret;
}
