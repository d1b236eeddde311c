// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What the core itself costs per region and sampling interval, from 10 to 1,000,000 regions.
 *
 * Measured is the kdamond's processor time for whole windows of 20 sampling intervals: picking
 * samples, counting, and at the window's end ageing, merging, publishing, resetting and
 * splitting. Not in it: sleeping, and serving requests. The operations set is a formula of the
 * address; its calls are timed by themselves as well and given as "ops_ns", and "core_ns" is the whole less that.
 *
 * The memory is made of blocks that are by turns always and never accessed. Each is split into
 * two regions at every window's end and they merge at the next, so that all sampling intervals
 * have the stated number of regions, and merging and splitting do their full work.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../tests/tools/idle_ops.h"
#include "core/core.h"

#define BLOCK_SHIFT 21
#define NR_SAMPLES  20
#define NR_RUNS	    5

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* The operations set. */

static int prepare(struct damon_ctx *ctx, struct damon_target *target,
		   const struct damon_batch *batch)
{
	return 0;
}

static int check(struct damon_ctx *ctx, struct damon_target *target,
		 const struct damon_batch *batch)
{
	/* Once a window a quarter of each block isn't accessed, so that counts differ and means are taken. */
	uint64_t except = ctx->internal->window_samples ? 0 : 3ULL << (BLOCK_SHIFT - 2);
	size_t i;

	for (i = 0; i < batch->nr; i++) {
		uint64_t addr = batch->sampling_addrs[i];

		batch->access[i] = (addr >> BLOCK_SHIFT & 1) &
				   (!except | ((addr & except) != except));
	}
	return 0;
}

static const struct damon_operations ops = {
	.id = DAMON_OPS_SIM,
	.name = "sim",
	.init = idle_init,
	.prepare_access_checks = prepare,
	.check_accesses = check,
	.target_valid = idle_valid,
};

/* One number of regions. */

struct setup {
	struct damon_lib *lib;
	struct damon_ctx *ctx;
	size_t nr_regions;
};

static int window_published(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	const struct setup *setup = data;

	/* Merged: what was split is one again. */
	return damon_nr_regions(ctx->targets[0]) == setup->nr_regions / 2 ? 0 : -EPROTO;
}

static int setup_init(struct setup *setup, struct damon_port *port, size_t nr_regions)
{
	struct damon_addr_range range = {1ULL << 40,
					 (1ULL << 40) + (nr_regions / 2 << BLOCK_SHIFT)};
	struct damon_target *target = NULL;
	struct damon_attrs attrs;
	int err;

	memset(setup, 0, sizeof(*setup));
	setup->nr_regions = nr_regions;
	err = damon_lib_new(&setup->lib, port);
	if (!err)
		err = damon_register_ops(setup->lib, &ops, NULL);
	if (!err)
		err = damon_new_ctx(&setup->ctx, setup->lib);
	if (!err)
		err = damon_new_target(&target, setup->lib);
	if (err)
		return err;
	damon_default_attrs(&attrs);
	attrs.min_nr_regions = nr_regions / 2 < 3 ? 3 : nr_regions / 2;
	attrs.max_nr_regions = nr_regions;
	err = damon_set_attrs(setup->ctx, &attrs);
	if (!err)
		err = damon_select_ops(setup->ctx, DAMON_OPS_SIM);
	if (!err)
		err = damon_set_regions(target, &range, 1, attrs.min_region_sz);
	if (!err)
		err = damon_add_target(setup->ctx, target);
	if (err) {
		damon_free_target(target);
		return err;
	}
	setup->ctx->seed = 1;
	setup->ctx->callbacks.window = window_published;
	setup->ctx->callbacks.data = setup;
	return damon_monitor_start(setup->ctx);
}

static void setup_free(struct setup *setup)
{
	damon_destroy_ctx(setup->ctx);
	damon_lib_free(setup->lib);
}

static int run_window(struct setup *setup)
{
	struct damon_ctx *ctx = setup->ctx;
	int err, i;

	for (i = 0; i < NR_SAMPLES; i++) {
		err = damon_monitor_prepare(ctx);
		if (!err)
			err = damon_monitor_check(ctx);
		if (err)
			return err;
		if (!damon_monitor_window_due(ctx))
			continue;
		damon_monitor_merge(ctx);
		err = damon_monitor_window_end(ctx);
		if (err)
			return err;
	}
	return damon_nr_regions(ctx->targets[0]) == setup->nr_regions ? 0 : -EPROTO;
}

struct result {
	double total_ns;
	double ops_ns;
};

/* Processor time per region and sampling interval, over @windows windows. */
static int measure(struct setup *setup, size_t windows, struct result *result)
{
	double samples = (double)windows * NR_SAMPLES * (double)setup->nr_regions;
	struct damon_batch batch = {.nr = setup->nr_regions};
	uint64_t *addrs = calloc(batch.nr, sizeof(*addrs));
	struct damon_ctx *ctx = setup->ctx;
	uint64_t start_ns;
	size_t i;
	int err = 0;

	batch.access = calloc(batch.nr, sizeof(*batch.access));
	batch.sampling_addrs = addrs;
	if (!addrs || !batch.access) {
		err = -ENOMEM;
		goto out;
	}
	start_ns = cpu_ns();
	for (i = 0; i < windows && !err; i++)
		err = run_window(setup);
	result->total_ns = (double)(cpu_ns() - start_ns) / samples;

	start_ns = cpu_ns();
	for (i = 0; i < windows * NR_SAMPLES; i++) {
		ctx->ops->prepare_access_checks(ctx, ctx->targets[0], &batch);
		ctx->ops->check_accesses(ctx, ctx->targets[0], &batch);
	}
	result->ops_ns = (double)(cpu_ns() - start_ns) / samples;
out:
	free(batch.access);
	free(addrs);
	return err;
}

/* The run with the smallest total: others of the machine only ever add. */
static int bench(struct damon_port *port, size_t nr_regions, struct result *best)
{
	size_t windows = 1000000 / nr_regions;
	struct result result;
	struct setup setup;
	int err, run;

	if (windows < 3)
		windows = 3;
	err = setup_init(&setup, port, nr_regions);
	/* The first windows split what the start left, and touch the memory once. */
	for (run = 0; run < 3 && !err; run++) {
		err = run_window(&setup);
		if (err == -EPROTO)
			err = 0;
	}
	for (run = 0; run < NR_RUNS && !err; run++) {
		err = measure(&setup, windows, &result);
		if (!err && (!run || result.total_ns < best->total_ns))
			*best = result;
	}
	if (!err && setup.ctx->internal->failed_passes)
		err = -ENOMEM;
	setup_free(&setup);
	return err;
}

int main(void)
{
	static const size_t sizes[] = {10, 1000, 100000, 1000000};
	struct damon_port *port = damon_port_posix_new();
	struct result result;
	size_t i;
	int err = 0;

	if (!port)
		return EXIT_FAILURE;
	printf("{\"unit\": \"ns of processor time per region and sampling interval\",\n"
	       " \"samples_per_window\": %d, \"best_of_runs\": %d,\n \"core\": [",
	       NR_SAMPLES, NR_RUNS);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && !err; i++) {
		err = bench(port, sizes[i], &result);
		if (err)
			fprintf(stderr, "bench_core: %zu regions: %s\n", sizes[i], strerror(-err));
		else
			printf("%s\n  {\"regions\": %zu, \"core_ns\": %.2f, \"ops_ns\": %.2f}",
			       i ? "," : "", sizes[i], result.total_ns - result.ops_ns,
			       result.ops_ns);
	}
	printf("]}\n");
	damon_port_posix_free(port);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
