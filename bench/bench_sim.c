/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * How fast simulated programs are monitored in virtual time: core and simulated check together.
 *
 * Each workload runs to its end with 1,000 regions at 5 ms / 100 ms; the number of regions is held
 * by min_nr_regions = max_nr_regions. The time is the thread's processor time, the best
 * of several rounds. Work is counted as samples, one per region and sampling interval.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ops/sim.h"

#define ROUNDS	   5
#define NR_REGIONS 1000

/* struct run - one workload monitored from start to end */
struct run {
	struct damon_port *port;
	struct sim_space *space;
	uint64_t samples;
	uint64_t windows;
	int err;
};

static int count_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct run *run = data;

	run->windows++;
	run->samples = window->cost.clears;
	return 0;
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
	if (err)
		damon_free_target(target);
	return err;
}

static void monitor(void *arg)
{
	struct run *run = arg;
	struct sim_env env = {.nr_spaces = 1, .spaces = &run->space};
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
	run->port = damon_port_coop_new(1, NULL);
	if (!run->port)
		return -1;
	start = cpu_ns();
	err = damon_port_coop_run(run->port, monitor, run);
	taken = cpu_ns() - start;
	damon_port_coop_free(run->port);
	return err || run->err ? -1 : taken;
}

static int bench(const char *name, bool last)
{
	struct sim_workload *workload = NULL;
	double taken, best = -1, simulated;
	struct run run = {0};
	unsigned int i;

	if (sim_workload_builtin(name, &workload, NULL) ||
	    sim_space_new(&run.space, workload, 1, 0, NULL)) {
		fprintf(stderr, "bench_sim: workload \"%s\" can't be made\n", name);
		sim_workload_free(workload);
		return 1;
	}
	simulated = (double)sim_space_end_ns(run.space);
	for (i = 0; i < ROUNDS; i++) {
		taken = measure(&run);
		if (taken < 0 || !run.samples)
			break;
		if (best < 0 || taken < best)
			best = taken;
	}
	sim_space_free(run.space);
	sim_workload_free(workload);
	if (i < ROUNDS) {
		fprintf(stderr, "bench_sim: workload \"%s\" failed with %d\n", name, run.err);
		return 1;
	}
	printf("    {\"workload\": \"%s\", \"regions\": %.0f, \"samples\": %llu, "
	       "\"ns_per_region_and_sampling_interval\": %.2f, \"times_real_time\": %.0f}%s\n",
	       name, (double)run.samples / (simulated / 5e6), (unsigned long long)run.samples,
	       best / (double)run.samples, simulated / best, last ? "" : ",");
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
