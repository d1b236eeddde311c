/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the tests of schemes on simulated programs share: a whole run in virtual time. */
#ifndef UDAMON_TESTS_SIM_RUN_H
#define UDAMON_TESTS_SIM_RUN_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/scheme.h"
#include "ops/sim_pages.h"

#define MIB	    (1ULL << 20)
#define MAX_SCHEMES 4

/* struct sim_act - one application of a scheme, in order */
struct sim_act {
	uint64_t t_ns;
	struct damon_addr_range ar;
	uint64_t applied;
};

/* struct sim_run - a program, its machine, and one context that watches it */
struct sim_run {
	struct sim_workload *workload;
	struct sim_space *space;
	struct sim_machine *machine;
	struct sim_env env;
	struct damon_port *port;
	struct damon_attrs attrs;
	uint64_t seed;
	uint64_t end_ms; /* 0: the program's end */
	/* Sets the schemes up; they have no limits and match everything. */
	uint32_t nr_schemes;
	void (*prepare)(struct damos *scheme, uint32_t idx);
	struct damos *schemes[MAX_SCHEMES]; /* while it runs */
	/* At each window's end; may be NULL. */
	void (*window)(struct sim_run *run, struct damon_ctx *ctx, uint64_t t_ns);
	uint64_t nr_windows;
	bool keeps_acts;
	struct sim_act *acts;
	size_t nr_acts;
	struct damos_stat stats[MAX_SCHEMES]; /* in the end */
	struct damon_operations ops;
	const struct damon_operations *real_ops;
	int start_err;
	int err;
	uint64_t hash; /* of all regions of all windows */
};

static void sim_run_hash(struct sim_run *run, uint64_t value)
{
	run->hash = (run->hash ^ value) * 0x100000001b3ULL;
	run->hash ^= run->hash >> 29;
}

static int sim_run_window(struct damon_ctx *ctx, const struct damon_window *window, void *data)
{
	struct sim_run *run = data;
	struct damon_region region;
	size_t i;

	run->nr_windows++;
	sim_run_hash(run, window->t_end_ns);
	for (i = 0; i < damon_nr_regions(ctx->targets[0]); i++) {
		damon_get_region(ctx, ctx->targets[0], i, &region);
		sim_run_hash(run, region.ar.start);
		sim_run_hash(run, region.ar.end);
		sim_run_hash(run, region.nr_accesses);
		sim_run_hash(run, region.age);
	}
	if (run->window)
		run->window(run, ctx, window->t_end_ns);
	return 0;
}

static struct sim_run *sim_run_of_ops;

static int sim_run_apply(struct damon_ctx *ctx, struct damon_target *target,
			 const struct damon_addr_range *ar, const struct damos *scheme,
			 uint64_t *sz_applied, uint64_t *sz_filter_passed)
{
	struct damon_port *port = damon_lib_port(ctx->lib);
	struct sim_run *run = sim_run_of_ops;
	int err =
		run->real_ops->apply_scheme(ctx, target, ar, scheme, sz_applied, sz_filter_passed);

	if (run->keeps_acts) {
		run->acts = reallocarray(run->acts, run->nr_acts + 1, sizeof(*run->acts));
		assert_non_null(run->acts);
		run->acts[run->nr_acts++] = (struct sim_act){port->now_ns(port), *ar, *sz_applied};
	}
	return err;
}

static int sim_run_make(struct sim_run *run, struct damon_ctx *ctx)
{
	struct damon_target *target;
	uint32_t i;
	int err;

	ctx->seed = run->seed;
	ctx->callbacks.window = sim_run_window;
	ctx->callbacks.data = run;
	err = damon_set_attrs(ctx, &run->attrs);
	if (!err)
		err = damon_select_ops(ctx, DAMON_OPS_SIM);
	if (err)
		return err;
	run->real_ops = ctx->ops;
	run->ops = *ctx->ops;
	if (run->machine)
		run->ops.apply_scheme = sim_run_apply;
	ctx->ops = &run->ops;
	sim_run_of_ops = run;
	err = damon_new_target(&target, ctx->lib);
	if (!err)
		err = damon_add_target(ctx, target);
	for (i = 0; i < run->nr_schemes && !err; i++) {
		err = damon_new_scheme(&run->schemes[i], ctx->lib);
		if (err)
			return err;
		run->prepare(run->schemes[i], i);
		err = damon_add_scheme(ctx, run->schemes[i]);
		if (err)
			damon_free_scheme(run->schemes[i]);
	}
	return err;
}

static void sim_run_main(void *arg)
{
	struct sim_run *run = arg;
	struct damon_ctx *ctx = NULL;
	struct damon_lib *lib;
	uint32_t i;

	run->start_err = damon_lib_new(&lib, run->port);
	if (run->start_err)
		return;
	run->start_err = sim_register_ops(lib, &run->env);
	if (!run->start_err)
		run->start_err = damon_new_ctx(&ctx, lib);
	if (!run->start_err)
		run->start_err = sim_run_make(run, ctx);
	if (!run->start_err)
		run->start_err = damon_start(&ctx, 1, false);
	if (!run->start_err) {
		damon_wait(ctx, run->end_ms ? run->end_ms * 1000 : UINT64_MAX, &run->err);
		damon_stop(&ctx, 1);
		damon_wait(ctx, UINT64_MAX, &run->err);
		for (i = 0; i < run->nr_schemes; i++)
			run->stats[i] = ctx->schemes[i]->stat;
	}
	damon_destroy_ctx(ctx);
	damon_lib_free(lib);
}

/* @text: a workload file, or the name of a built-in one; 5 ms, 100 ms, 10 to 1,000 regions, seed 1 */
static inline void sim_run_init(struct sim_run *run, const char *text, uint64_t rate,
				const struct sim_machine_config *config)
{
	struct damon_error err = {""};
	FILE *file;

	memset(run, 0, sizeof(*run));
	if (sim_workload_builtin(text, &run->workload, NULL)) {
		file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
		assert_non_null(file);
		if (sim_workload_parse(file, "test", &run->workload, &err))
			fail_msg("%s", err.text);
		fclose(file);
	}
	run->seed = 1;
	damon_default_attrs(&run->attrs);
	run->attrs.ops_update_interval = 1000000;
	assert_int_equal(sim_space_new(&run->space, run->workload, 1, rate, NULL), 0);
	assert_int_equal(sim_machine_new(&run->machine, config, 1, &run->space), 0);
	run->env = (struct sim_env){1, &run->space, 0, run->machine};
}

static inline double mib(uint64_t bytes)
{
	return (double)bytes / (double)MIB;
}

/* Up to the end; the machine then stands there too. */
static inline void sim_run_go(struct sim_run *run)
{
	uint64_t end_ns = run->end_ms ? run->end_ms * 1000000 : sim_space_end_ns(run->space);

	run->port = damon_port_coop_new(1, NULL);
	assert_non_null(run->port);
	run->port->metric = sim_metric;
	run->port->metric_data = &run->env;
	assert_int_equal(damon_port_coop_run(run->port, sim_run_main, run), 0);
	assert_int_equal(damon_port_coop_nr_allocated(run->port), 0);
	damon_port_coop_free(run->port);
	if (run->machine)
		sim_machine_run(run->machine, end_ns);
}

static inline struct sim_machine_stat sim_run_stat(const struct sim_run *run)
{
	struct sim_machine_stat stat;

	sim_machine_stat(run->machine, &stat);
	return stat;
}

static inline void sim_run_free(struct sim_run *run)
{
	free(run->acts);
	sim_machine_free(run->machine);
	sim_space_free(run->space);
	sim_workload_free(run->workload);
}

#endif
