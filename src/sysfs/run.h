/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* A context that was started through the tree, and what files show of it. */
#ifndef UDAMON_SYSFS_RUN_H
#define UDAMON_SYSFS_RUN_H

#include "sysfs/build.h"
#include "sysfs/internal.h"

struct sysfs_window;
struct sysfs_in_force;

/**
 * struct sysfs_run - a context from its start until another is started, or its kdamond removed
 * @refs:	tree's lock: the kdamond's, and those of changes under way
 * @kdamond:	outlives the running of the context
 * @prepared:	the host was asked to prepare the context, and has done so
 * @strings:	paths that the context borrows; for who has the turn
 * @committed:	the context's directory as it was at the last start or commit; changed with turn and lock
 * @window:	the last one published; tree's lock
 * @parameters:	in force; tree's lock
 * @refresh:	repeated request that looks at "refresh_ms"
 * @next_dead:	of those that are to be freed; tree's lock
 */
struct sysfs_run {
	struct sysfs_tree *tree;
	uint32_t refs;
	struct sysfs_kdamond *kdamond;
	struct damon_ctx *ctx;
	bool prepared;
	struct params_strings strings;
	struct sysfs_dir *committed;
	struct sysfs_window *window;
	struct sysfs_in_force *parameters;
	struct damon_call_control refresh;
	struct sysfs_run *next_dead;
	/* The kdamond's own. */
	uint64_t refreshed_ns;
	uint64_t nr_windows;
	uint64_t shown_sample_us, shown_aggr_us;
};

/** sysfs_run_new() - without a context yet, one reference; NULL: no memory */
struct sysfs_run *sysfs_run_new(struct sysfs_kdamond *kdamond);

/** sysfs_run_put() - tree locked; the last one, of a context that doesn't run, leaves it to sysfs_bury_runs() */
void sysfs_run_put(struct sysfs_run *run);

/** sysfs_bury_runs() - free those that nobody needs any more, which may take long: without the lock */
void sysfs_bury_runs(struct sysfs_tree *tree);

/** sysfs_run_adopt() - @ctx, not started yet, is what runs: callbacks and parameters are set */
int sysfs_run_adopt(struct sysfs_run *run, struct damon_ctx *ctx);

/** sysfs_run_parameters() - take note of the parameters in force; on the kdamond, or before start */
int sysfs_run_parameters(struct sysfs_run *run);

/* Copy from the context to the kdamond's files; on the kdamond, without the tree's lock. */
void sysfs_run_show_stats(struct sysfs_run *run);
void sysfs_run_show_quotas(struct sysfs_run *run);
void sysfs_run_show_intervals(struct sysfs_run *run);

/* &sysfs_run.refresh.fn */
int sysfs_run_refresh(struct damon_ctx *ctx, void *run);

/* window.c: a copy of the last published window. Not changed once it is there. */
/* On the kdamond; NULL: no memory. */
struct sysfs_window *sysfs_window_take(struct damon_ctx *ctx, const struct damon_window *window,
				       uint64_t number);
struct sysfs_window *sysfs_window_get(struct sysfs_window *window);
void sysfs_window_put(struct sysfs_window *window);
int sysfs_window_print(const struct sysfs_window *window, struct sysfs_text *text);
int sysfs_window_print_cost(const struct sysfs_window *window, struct sysfs_text *text);

struct sysfs_in_force *sysfs_in_force_get(struct sysfs_in_force *parameters);
void sysfs_in_force_put(struct sysfs_in_force *parameters);
int sysfs_in_force_print(const struct sysfs_in_force *parameters, struct sysfs_text *text);

#endif
